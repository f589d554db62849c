"""Run: the complete spec of one descent, which is also its URL; and the one space of settings that all descents share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from .core import ANY, COUNT_OR_NONE, NOT_NEGATIVE, POSITIVE, SEED, Param, Range, Refused, Setting, T, out_of_range, resolve, shown, unknown_name
from .minima import Box
from .optimizers import Optimizer, optimizers
from .query import Query
from .schedules import Schedule, schedules
from .surfaces import OWN_BOX, Surface, checked_box, own_start, surface, surfaces

VERSION = 1
STEPS = Param(300, 1, 2000, log=True, allowed=Range(1, 1_000_000), whole=True, one=True)
START = Param(0.0, -10.0, 10.0, allowed=ANY)
#: What every run has besides its optimizer's own parameters.
COMMON: Mapping[str, Setting] = {
    "noise": Param(0.0, 0.0, 10.0, allowed=NOT_NEGATIVE),
    "noise_relative": Param(0.0, 0.0, 10.0, allowed=NOT_NEGATIVE),
    "clip_norm": Param(None, 1e-2, 100.0, log=True, allowed=POSITIVE, optional=True),
    "clip_value": Param(None, 1e-2, 100.0, log=True, allowed=POSITIVE, optional=True),
    "warmup_steps": Param(0, 0, 500, allowed=COUNT_OR_NONE, whole=True),
    "seed": SEED,
}
CLIPS = ("clip_norm", "clip_value")


def settings_of(s: Surface, o: Optimizer, k: Schedule) -> dict[str, Setting]:
    """Every keyword that a run of these three takes, in one flat space."""
    return {**o.params, **COMMON, **{"schedule_" + n: p for n, p in k.params.items()}, **{"surface_" + n: p for n, p in s.params}}


def settled(s: Surface, o: Optimizer, k: Schedule, given: Mapping[str, Any]) -> tuple[Surface, dict[str, Any]]:
    """The surface with the parameters given for it, and every other setting with its value."""
    values = resolve(settings_of(s, o, k), given)
    s = s.at(**{name[8:]: value for name, value in given.items() if name.startswith("surface_")})
    values = {name: value for name, value in values.items() if not name.startswith("surface_")}
    if values.get("f_star", 0) is None:  # Polyak's step needs the best value there is, and a surface knows its own
        values["f_star"] = s.value(*s.minima[0]) if s.minima else 0.0
    return s, values


def checked_start(start: Any) -> tuple[Any, Any]:
    """Two coordinates: numbers, or arrays that broadcast."""
    try:
        x, y = start
    except (TypeError, ValueError):
        raise out_of_range("start", start, T("two numbers or arrays (x, y)", "два числа или массива (x, y)")) from None
    return START.check("start", x), START.check("start", y)


def find(registry: Mapping[str, Any], keyword: str, value: Any, kind: type) -> Any:
    """A definition, or the one that a key names."""
    if isinstance(value, kind):
        return value
    if isinstance(value, str) and value in registry:
        return registry[value]
    if not isinstance(value, str):
        raise out_of_range(keyword, value, T(f"a key of ov.{keyword}s", f"ключ из ov.{keyword}s"))
    why = unknown_name(value, registry).text
    formula = "optviz.surface(…)" if kind is Surface else ""
    raise Refused(T(f"{keyword}={shown(value)}: {why.en}" + (f"; a formula of your own goes through {formula}" if formula else ""),
                    f"{keyword}={shown(value)}: {why.ru}" + (f"; своя формула — через {formula}" if formula else "")))


@dataclass(frozen=True, init=False)
class Run:
    """The complete spec of one descent: hashable, and the same in a URL."""

    surface: Surface
    optimizer: str
    start: tuple[float, float]
    steps: int
    schedule: str
    settings: tuple[tuple[str, Any], ...] = field(default=())

    def __init__(self, surface: str | Surface = "rosenbrock", optimizer: str = "adam", start: Any = None, steps: int = 300,
                 schedule: str = "constant", **settings: Any):
        s: Surface = find(surfaces, "surface", surface, Surface)
        o: Optimizer = find(optimizers, "optimizer", optimizer, Optimizer)
        k: Schedule = find(schedules, "schedule", schedule, Schedule)
        for keyword, definition, registry in (("optimizer", o, optimizers), ("schedule", k, schedules)):
            if registry.get(definition.key) is not definition:  # its key would name another one, or none, in a URL
                raise out_of_range(keyword, definition.key, T("a registered one", "зарегистрированное определение"))
        s, values = settled(s, o, k, settings)
        start = checked_start(s.start if start is None else start)
        if s.key not in surfaces:  # the run has its start, so an own formula needs none beside it
            s = replace(s, starts=(own_start(s.box),))
        for name, value in {**values, "start": start[0], "start ": start[1], "steps": steps}.items():
            if np.ndim(value):
                raise out_of_range(name.strip(), value, T("one number: a Run holds scalars, arrays go to descend",
                                                          "одно число: Run хранит скаляры, массивы принимает descend"))
        for name, value in zip([f.name for f in fields(Run)],
                               (s, o.key, start, STEPS.check("steps", steps), k.key, tuple(values.items())), strict=True):
            object.__setattr__(self, name, value)

    def __getitem__(self, name: str) -> Any:
        """run["lr"]: one setting."""
        return dict(self.settings)[name]

    def __getattr__(self, name: str) -> Any:
        """run.lr, run.beta1: the settings by name."""
        if name != "settings" and name in (values := dict(self.settings)):
            return values[name]
        raise AttributeError(f"a run has no {name!r}")

    def at(self, optimizer: Any = None, start: Any = None, steps: Any = None, schedule: Any = None, **settings: Any) -> Run:
        """The same with what is given in the place of its own."""
        words, settings = replaced(self, (optimizer, start, steps, schedule), settings)
        return Run(self.surface, *words, **settings)

    @property
    def definitions(self) -> tuple[Any, ...]:
        """What it names by a key and runs."""
        return optimizers[self.optimizer], schedules[self.schedule]

    def to_query(self) -> str:
        """The URL's query: what is at its default is left out, the rate and the start never are."""
        pairs: list[tuple[str, str]] = [("v", str(VERSION))]
        if self.surface.key in surfaces:
            pairs.append(("surface", self.surface.key))
        else:
            pairs += [("formula", self.surface.formula)]
            if self.surface.box != OWN_BOX:
                pairs.append(("box", ",".join(repr(v) for side in self.surface.box for v in side)))
        pairs += [("optimizer", self.optimizer), ("start", ",".join(map(repr, self.start))), ("steps", str(self.steps))]
        if self.schedule != "constant":
            pairs.append(("schedule", self.schedule))
        pairs += [("surface_" + n, repr(v)) for n, v in self.surface.values]
        table = settings_of(self.surface, optimizers[self.optimizer], schedules[self.schedule])
        pairs += [(n, str(v) if isinstance(v, str) else repr(v)) for n, v in self.settings
                  if n == "lr" or v != table[n].default]
        return urlencode(pairs)

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Run:
        """The run of a query. With `notes`, what cannot be used falls back to its default and is noted; without, it is refused."""
        read = Query(query, notes)
        read.drop(["v"])
        s, _ = surface_of(read)
        o: Optimizer = read.attempt("optimizer", lambda v: find(optimizers, "optimizer", v, Optimizer), optimizers["adam"])
        k: Schedule = read.attempt("schedule", lambda v: find(schedules, "schedule", v, Schedule), schedules["constant"])
        start = read.attempt("start", pair, s.start)
        steps = read.attempt("steps", lambda v: STEPS.parse("steps", v), STEPS.default)
        table = settings_of(s, o, k)
        settings = read.settings(table)
        read.finish(table)
        return Run(s, o.key, start, steps, k.key, **settings)


def replaced(run: Run, words: Sequence[Any], settings: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Optimizer, start, steps and schedule, and the settings: what is given, else the run's own."""
    optimizer, _, _, schedule = words
    kept = {"lr", *COMMON}  # another optimizer or schedule brings its own settings; the rate and the circumstances stay
    if optimizer is None or find(optimizers, "optimizer", optimizer, Optimizer).key == run.optimizer:
        kept |= set(optimizers[run.optimizer].params)
    if schedule is None or find(schedules, "schedule", schedule, Schedule).key == run.schedule:
        kept |= {name for name, _ in run.settings if name.startswith("schedule_")}
    own = run.optimizer, run.start, run.steps, run.schedule
    return ([mine if word is None else word for word, mine in zip(words, own, strict=True)],
            {name: value for name, value in run.settings if name in kept} | dict(settings))


def surface_of(query: Query) -> tuple[Surface, Box | None]:
    """The surface that a query names or writes, at its own parameters' defaults, and the box where one is given."""
    key = query.attempt("surface", lambda v: find(surfaces, "surface", v, Surface), surfaces["rosenbrock"])
    box = query.attempt("box", _box, None)
    return query.attempt("formula", lambda v: surface(v, box or OWN_BOX), key), box


def pair(text: str) -> tuple[Any, Any]:
    """Two coordinates with a comma between them."""
    return checked_start([float(part) for part in text.split(",")])


def _box(text: str) -> Box:
    x0, x1, y0, y1 = map(float, text.split(","))
    return checked_box(((x0, x1), (y0, y1)))
