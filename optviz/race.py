"""Race: several optimizers on one surface from one start, with how it is looked at; the complete state of a lab, which is also its URL."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any
from urllib.parse import quote

import numpy as np

from .core import POSITIVE, Choice, Param, Range, Refused, Setting, T, out_of_range, resolve, unknown_name
from .minima import Box, grid_values
from .optimizers import Optimizer, optimizers
from .oracle import gaussian
from .query import MOST_FIELDS, Query
from .run import COMMON, VERSION, Run, checked_start, find, pair, settings_of, surface_of
from .schedules import Schedule, schedules
from .surfaces import OWN_BOX, Surface, checked_box, own_start, surfaces
from .surfaces import surface as own_surface

MOST_ENTRANTS = 16
#: What a race has besides its surface, its start and its entrants; the limits keep one visitor from stalling a room.
TABLE: Mapping[str, Setting] = {
    "steps": Param(300, 1, 5000, log=True, allowed=Range(1, 10_000), whole=True, one=True),
    **{name: COMMON[name] for name in ("noise", "noise_relative", "seed")},
    "crowd": Param(0, 0, 500, allowed=Range(0, 500), whole=True, one=True),
    "scatter": Choice("around", ("around", "grid")),
    "spread": Param(0.1, 0.01, 1.0, log=True, allowed=Range(1e-6, 10.0), one=True),
    "tolerance": Param(1e-3, 1e-12, 10.0, log=True, allowed=POSITIVE, one=True),
}
#: How the stage shows it: flat or in relief, from where, at which step it stands still (none: it plays), whose step it explains, and
#: whether it shows the readouts of stability.
LOOK: Mapping[str, Setting] = {
    "view": Choice("plane", ("plane", "relief")),
    "yaw": Param(-60.0, -180.0, 180.0, allowed=Range(-1e4, 1e4), one=True),
    "pitch": Param(40.0, 0.0, 90.0, allowed=Range(0.0, 90.0), one=True),
    "zoom": Param(1.0, 0.3, 5.0, allowed=Range(0.1, 20.0), one=True),
    "at": Param(None, 0, 5000, allowed=Range(0, 10_000), whole=True, one=True, optional=True),
    "explain": Param(None, 0, MOST_ENTRANTS - 1, allowed=Range(0, MOST_ENTRANTS - 1), whole=True, one=True, optional=True),
    "gauges": Param(0, 0, 1, allowed=Range(0, 1), whole=True, one=True),
}
#: The settings that all entrants of a race share.
SHARED = frozenset({"noise", "noise_relative", "seed"})
#: Who races when nobody was chosen.
FIELD = ("sgd", "momentum", "nesterov", "rmsprop", "adam")
CROWD_STREAM = 2  # of the noise: 0 and 1 disturb gradients


@dataclass(frozen=True, init=False)
class Entrant:
    """One optimizer as it takes part: with its own settings, schedule and clipping."""

    optimizer: str
    schedule: str
    settings: tuple[tuple[str, Any], ...]
    muted: bool
    untuned: float | None  # the rate that a search has replaced, None where nobody searched

    def __init__(self, optimizer: str, schedule: str = "constant", muted: bool = False, untuned: float | None = None, **settings: Any):
        o: Optimizer = find(optimizers, "optimizer", optimizer, Optimizer)
        k: Schedule = find(schedules, "schedule", schedule, Schedule)
        values = resolve(entrant_table(o, k), settings)
        before = None if untuned is None else o.params["lr"].check("untuned", untuned)
        for name, value in {**values, "untuned": before}.items():
            if np.ndim(value):
                raise out_of_range(name, value, T("one number", "одно число"))
        for f, value in zip(fields(Entrant), (o.key, k.key, tuple(values.items()), bool(muted), before), strict=True):
            object.__setattr__(self, f.name, value)

    def __getitem__(self, name: str) -> Any:
        """entrant["lr"]: one setting."""
        return dict(self.settings)[name]

    @property
    def table(self) -> dict[str, Setting]:
        """Every setting that it takes."""
        return entrant_table(optimizers[self.optimizer], schedules[self.schedule])

    def at(self, **changes: Any) -> Entrant:
        """The same with other settings; another optimizer or schedule keeps the rate and what means the same to it.

        A rate of one's own is no tuned one any more, nor is one that was found for another optimizer.
        """
        if "lr" in changes or "optimizer" in changes:
            changes = {"untuned": None} | changes
        words = {name: changes.pop(name, getattr(self, name)) for name in ("optimizer", "schedule", "muted", "untuned")}
        table = entrant_table(find(optimizers, "optimizer", words["optimizer"], Optimizer), find(schedules, "schedule", words["schedule"], Schedule))
        mine = self.table  # one name may mean two things: momentum 0.9 stays, RMSProp's alpha is not Lookahead's
        return Entrant(**words, **{n: v for n, v in self.settings if n == "lr" or table.get(n) == mine[n]} | changes)

    def recommended(self, s: Surface) -> Entrant:
        """Everything back to what is recommended on this surface."""
        return entrant_on(s, self.optimizer).at(muted=self.muted)

    def word(self) -> str:
        """adam:lr=0.02,beta1=0.8,schedule=cosine"""
        pairs = [(n, v) for n, v in self.settings if n == "lr" or v != self.table[n].default]
        pairs[1:1] = [("schedule", self.schedule)] if self.schedule != "constant" else []
        pairs += [("muted", 1)] if self.muted else []
        pairs += [("untuned", self.untuned)] if self.untuned is not None else []
        return ":".join([self.optimizer, ",".join(f"{n}={v if isinstance(v, str) else repr(v)}" for n, v in pairs)])


def entrant_table(o: Optimizer, k: Schedule) -> dict[str, Setting]:
    """The settings of an entrant: those of a run, without what all entrants share."""
    bare = next(iter(surfaces.values()))
    return {name: p for name, p in settings_of(bare, o, k).items() if name not in SHARED}


def entrant_on(s: Surface, optimizer: str, **settings: Any) -> Entrant:
    """An optimizer at the rate that is recommended on a surface."""
    rate = s.recommended_lr(find(optimizers, "optimizer", optimizer, Optimizer).key)
    return Entrant(optimizer, **({} if rate is None else {"lr": rate}) | settings)


@dataclass(frozen=True, init=False)
class Race:
    """The whole state of the Descent lab: hashable, and the same in a URL."""

    surface: Surface
    start: tuple[float, float]
    entrants: tuple[Entrant, ...]
    box: Box
    settings: tuple[tuple[str, Any], ...]
    look: tuple[tuple[str, Any], ...]

    def __init__(self, surface: str | Surface = "rosenbrock", start: Any = None, entrants: Any = None, box: Box | None = None, **settings: Any):
        s: Surface = find(surfaces, "surface", surface, Surface)
        start = standing(s) if start is None else checked_start(start)
        if np.ndim(start[0]) or np.ndim(start[1]):
            raise out_of_range("start", start, T("two numbers", "два числа"))
        if not math.isfinite(s.value(*start)):
            raise Refused(T(f"start={start}: the surface is not finite there; choose another start",
                            f"start={start}: здесь функция не принимает конечного значения; выберите другой старт"))
        box = s.box if box is None else checked_box(box)
        if s.key not in surfaces and (s.box, s.start) != (box, own_start(box)):
            # an own formula has no other box than the one it is looked at in, and the race has its start
            s = own_surface(s.formula, box)
        entrants = tuple(entrant_on(s, key) for key in FIELD) if entrants is None else tuple(entrants)
        if len(entrants) > MOST_ENTRANTS:
            raise out_of_range("optimizers", len(entrants), T(f"up to {MOST_ENTRANTS}", f"не больше {MOST_ENTRANTS}"))
        given = resolve({**TABLE, **LOOK}, settings)
        if given["explain"] is not None and given["explain"] >= len(entrants):
            given["explain"] = None  # nobody sits there
        values = (s, start, entrants, box, *(tuple((n, given[n]) for n in table) for table in (TABLE, LOOK)))
        for f, value in zip(fields(Race), values, strict=True):
            object.__setattr__(self, f.name, value)

    def __getitem__(self, name: str) -> Any:
        """race["steps"]: one setting, of the race or of its look."""
        return dict(self.settings + self.look)[name]

    def at(self, **changes: Any) -> Race:
        """The same with other settings."""
        words = {f: changes.pop(f, getattr(self, f)) for f in ("surface", "start", "entrants", "box")}
        return Race(**words, **dict(self.settings + self.look) | changes)

    def on(self, s: Surface) -> Race:
        """The same race on another surface: from its start, in its box; a rate that was recommended stays so, one that was tuned does not."""
        known = (self.surface, replace(self.surface, values=()))  # a parameter of the surface may have moved since

        def moved(e: Entrant) -> Entrant:
            return e.at(lr=entrant_on(s, e.optimizer)["lr"]) if e["lr"] in [entrant_on(old, e.optimizer)["lr"] for old in known] else e
        return self.at(surface=s, start=standing(s), box=s.box, entrants=tuple(map(moved, self.untuned().entrants)), at=None)

    def with_formula(self, text: str) -> Race:
        """An own formula: in the box and from the start of the one before, where it has a value there."""
        if self.surface.key in surfaces:
            return self.on(own_surface(text))
        s = own_surface(text, self.box)
        return self.at(surface=s, start=self.start if math.isfinite(s.value(*self.start)) else standing(s), at=None)

    def with_parameter(self, name: str, value: float) -> Race:
        """Another value of one of the surface's own parameters."""
        return self.at(surface=self.surface.at(**{name: value}))

    def with_entrant(self, i: int, change: Callable[[Entrant], Entrant]) -> Race:
        """One entrant changed."""
        return self.at(entrants=(*self.entrants[:i], change(self.entrants[i]), *self.entrants[i + 1:]))

    def doubled(self, i: int) -> Race:
        """One entrant twice, side by side."""
        return self.seated([*range(i + 1), *range(i, len(self.entrants))])

    def without(self, i: int) -> Race:
        """One entrant less."""
        return self.seated([k for k in range(len(self.entrants)) if k != i])

    def seated(self, places: Sequence[int]) -> Race:
        """The entrants of some places, in that order; whose step is explained stays so, wherever it sits now."""
        whose = self["explain"]
        return self.at(entrants=[self.entrants[k] for k in places], explain=places.index(whose) if whose in places else None)

    def fair(self, rates: Sequence[float | None]) -> Race:
        """Every entrant at the rate that was found for it, where one was; the rate before is remembered."""
        entrants = self.untuned().entrants
        return self.at(entrants=[e if rate is None else e.at(lr=rate, untuned=e["lr"]) for e, rate in zip(entrants, rates, strict=True)])

    def untuned(self) -> Race:
        """Every entrant at the rate it had before it was tuned."""
        return self.at(entrants=[e if e.untuned is None else e.at(lr=e.untuned) for e in self.entrants])

    @property
    def tuned(self) -> bool:
        """True where somebody's rate was found by a search."""
        return any(e.untuned is not None for e in self.entrants)

    @property
    def runs(self) -> list[Run]:
        """What each entrant runs."""
        shared = {name: value for name, value in self.settings if name in SHARED}
        return [Run(self.surface, e.optimizer, self.start, self["steps"], e.schedule, **dict(e.settings), **shared) for e in self.entrants]

    @property
    def starts(self) -> np.ndarray:
        """(2, n): the start of every member of the crowd, none without one."""
        n, (sides, seed) = self["crowd"], (np.array(self.box).T, self["seed"])
        if self["scatter"] == "grid":
            return grid(self.box, n)
        offsets = gaussian(seed, CROWD_STREAM, np.arange(n), 0) * self["spread"] * (sides[1] - sides[0])[:, None]
        return np.array(self.start)[:, None] + offsets

    def to_query(self) -> str:
        """The URL's query: what is at its default is left out; the start, the steps and the rates never are."""
        s, pairs = self.surface, [("v", str(VERSION))]
        pairs.append(("surface", s.key) if s.key in surfaces else ("formula", s.formula))
        pairs += [("surface_" + n, repr(v)) for n, v in s.values]
        if self.box != (s.box if s.key in surfaces else OWN_BOX):
            pairs.append(("box", ",".join(repr(v) for side in self.box for v in side)))
        pairs += [("start", ",".join(map(repr, self.start))), ("steps", repr(self["steps"]))]
        pairs += [(n, v if isinstance(v, str) else repr(v)) for n, v in self.settings if n != "steps" and v != TABLE[n].default]
        pairs += [("optimizer", e.word()) for e in self.entrants] or [("optimizer", "")]
        pairs += [(n, v if isinstance(v, str) else repr(v)) for n, v in self.look if v != LOOK[n].default]
        return "&".join(f"{quote(name)}={quote(text, safe=':,=')}" for name, text in pairs)

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Race:
        """The race of a query; a single run's query is one, too. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        read.drop(["v"])
        s, box = surface_of(read)
        parameters = read.settings({"surface_" + n: p for n, p in s.params})
        s = s.at(**{name[8:]: value for name, value in parameters.items()})
        settings = read.settings({**TABLE, **LOOK})
        words = read.all("optimizer")
        if len(words) > MOST_ENTRANTS:
            read.note(out_of_range("optimizers", len(words), T(f"up to {MOST_ENTRANTS}", f"не больше {MOST_ENTRANTS}")))
        entrants = [e for word in words[:MOST_ENTRANTS] if word if (e := read.read("optimizer", word, lambda v: entrant_of(v, s, read), None))]
        if words or "schedule" in read.fields or "lr" in read.fields:  # a query of one run: its settings stand beside it, not in its word
            entrants = [read_beside(e, read) for e in entrants or ([entrant_on(s, "adam")] if not words else [])]
        start = read.attempt("start", lambda v: Race(s, pair(v), ()).start, None)
        read.finish({"surface": 0, "formula": 0, "box": 0, "start": 0, "optimizer": 0, **TABLE, **LOOK, **{"surface_" + n: p for n, p in s.params}})
        race = Race(s, start, entrants if words or entrants else None, box, **settings)
        if settings.get("explain") != race["explain"]:
            last = len(race.entrants) - 1
            seats = T(f"0 … {last}", f"0 … {last}") if last >= 0 else T("nothing, for there is no optimizer", "ничего: нет ни одного метода")
            read.note(out_of_range("explain", settings["explain"], seats))
        return race


def entrant_of(word: str, s: Surface, query: Query) -> Entrant:
    """An entrant from its word; a setting that cannot be used falls back by itself."""
    key, _, rest = word.partition(":")
    e = entrant_on(s, find(optimizers, "optimizer", key, Optimizer).key)
    pairs = [part.partition("=")[::2] for part in rest.split(",", MOST_FIELDS) if part]
    if len(pairs) > MOST_FIELDS:
        raise Refused(T(f"optimizer={e.optimizer}: more than {MOST_FIELDS} settings", f"optimizer={e.optimizer}: больше {MOST_FIELDS} настроек"))
    order = {"schedule": -1, "untuned": 1}  # the schedule first: it brings settings of its own; last what another rate would clear
    for name, text in sorted(pairs, key=lambda named: order.get(named[0], 0)):
        e = query.read(name, text, partial(read_setting, e, name), e)
    return e


def read_setting(e: Entrant, name: str, text: str) -> Entrant:
    """One setting of an entrant out of a text."""
    if name == "schedule":
        return e.at(schedule=text)
    if name == "muted":
        return e.at(muted=text == "1")
    if name == "untuned":
        return e.at(untuned=e.table["lr"].parse(name, text))
    if name not in e.table:
        raise unknown_name(name, {**e.table, "schedule": 0, "muted": 0, "untuned": 0}, text)
    return e.at(**{name: e.table[name].parse(name, text)})


def read_beside(e: Entrant, query: Query) -> Entrant:
    """What a single run's query says of its optimizer."""
    for name in ["schedule", *e.table, *query.fields]:
        if name in query.fields and (name == "schedule" or name in e.table):
            e = query.attempt(name, partial(read_setting, e, name), e)
    return e


def standing(s: Surface) -> tuple[float, float]:
    """The surface's own start, or the point nearest to it where the surface has a value."""
    if math.isfinite(s.value(*s.start)):
        return s.start
    x, y, f = grid_values(s.value, s.box, 65)
    far = np.where(np.isfinite(f), np.hypot(x - s.start[0], y - s.start[1]), np.inf)
    i = np.unravel_index(np.argmin(far), far.shape)
    return float(x[i]), float(y[i])


def grid(box: Box, n: int) -> np.ndarray:
    """(2, n): points spread evenly over a box, as nearly square as n allows."""
    if not n:
        return np.empty((2, 0))
    (x0, x1), (y0, y1) = box
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    i = np.arange(n)
    return np.stack([x0 + (x1 - x0) * (i % columns + 0.5) / columns, y0 + (y1 - y0) * (i // columns + 0.5) / rows])
