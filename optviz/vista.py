"""Vista: a landscape and how it is looked at; the complete state of a lab, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from .core import Refused, T, resolve, rounded
from .landscape import DIRECTIONS, REACH, SEED, SIDE, Landscape, Slice, base_of, landscape
from .landscape_presets import Outlook, outlooks
from .optimizers import optimizers
from .query import Query
from .race import LOOK as RACE
from .study import LIMITS as STUDY
from .study import Study, changed
from .training import WORDS, Several, Training, Widths, as_text

MOST = 6  # paths
LONGEST = 60.0  # seconds that a room can wait
CELLS, UPDATES, PASSES = 2.5e8, 1e4, 1e3  # multiplications of the forward pass, updates of a layer, and passes, that one core makes in a second
BACK = 3  # times as many multiplications a training makes as the forward pass
#: What a training here may ask for: as in the lab of boundaries, but deep, for depth is what landscapes are about.
LIMITS: Mapping[str, Any] = {**STUDY, "layers": Widths(WORDS["layers"].default, most=24, widest=64)}
#: Which plane is drawn, and how finely.
PLANE: Mapping[str, Any] = {"directions": DIRECTIONS, "directions_seed": SEED, "span": replace(REACH, optional=True), "side": SIDE}
#: How the stage shows it: as a race, and whose paths it hides.
LOOK: Mapping[str, Any] = {**{name: RACE[name] for name in ("view", "yaw", "pitch", "zoom", "at")}, "hidden": Several(tuple(optimizers))}


@dataclass(frozen=True, init=False)
class Vista:
    """The whole state of the lab."""

    slice: Slice
    look: tuple[tuple[str, Any], ...]

    def __init__(self, of: Slice, **look: Any):
        _check(of.training)
        if 1 + len(of.others) > MOST:
            raise Refused(T(f"more than {MOST} paths cannot be told apart; remove an optimizer",
                            f"больше {MOST} путей не различить; уберите какой-нибудь метод"))
        object.__setattr__(self, "slice", of)
        object.__setattr__(self, "look", tuple(resolve(LOOK, look).items()))

    @property
    def training(self) -> Training:
        """What is trained."""
        return self.slice.training

    def __getitem__(self, name: str) -> Any:
        """vista["lr"], vista["side"], vista["view"]: one word or setting, of the training, of the plane or of the look."""
        s = self.slice
        reach = None if s.span is None else max(abs(v) for ends in s.span for v in ends)
        plane = {"directions": s.directions, "directions_seed": s.seed, "span": reach, "side": s.shape[1]}
        return {**dict(self.training.values), **plane, **dict(self.look)}[name]

    def at(self, **changes: Any) -> Vista:
        """The same with another slice, other paths (`others`), or other words and settings."""
        s = changes.pop("slice", self.slice)
        look = {name: changes.pop(name) for name in LOOK if name in changes}
        plane = {name: changes.pop(name) for name in PLANE if name in changes}
        others, source = dict(changes.pop("others", s.others)), s.source
        if changes:
            training = changed(s.training, None, changes)[0]
            _check(training)  # before anything is as large
            source = source.at(**changes) if isinstance(source, Study) else training
            others.pop(training["optimizer"], None)
        if plane or changes or others != dict(s.others):
            side = plane.get("side")
            s = Slice(source, others, plane.get("directions", s.directions), plane.get("directions_seed", s.seed), plane.get("span", s.span),
                      s.shape if side is None else (side, side))
        return Vista(s, **dict(self.look) | look)

    def to_query(self) -> str:
        """The URL's query: that of the slice, and the look."""
        own = [(name, as_text(value)) for name, value in self.look if value != LOOK[name].default]
        return "&".join([self.slice.to_query(), *([urlencode(own, safe=",")] if own else [])])

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Vista:
        """The vista of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        look = read.settings(LOOK)
        limited = read.settings(LIMITS)  # before a network is as large
        read.fields |= {name: [as_text(value)] for name, value in limited.items()}
        read.fields["path"] = read.all("path")[:MOST - 1]
        of = Slice.from_query(read.rest(), notes)
        return Vista(of, **look)


def _check(training: Training) -> None:
    """Refuse what is too large for a room."""
    for name, limit in LIMITS.items():
        limit.check(name, training[name])


def seconds(of: Slice) -> float:
    """About how long a landscape takes."""
    base, paths, passes = base_of(of.training), 1 + len(of.others), of.training["epochs"]
    forward = (of.shape[0] * of.shape[1] + BACK * paths * passes) * base.net.size * (base.count + base.val_count)
    return forward / CELLS + paths * passes * (base.per_pass * (base.net.hidden + 1) / UPDATES + 1 / PASSES)


def found(of: Slice, progress: Callable[..., Any] | None = None) -> Landscape:
    """The landscape, or why nobody waits for it."""
    if (long := seconds(of)) > LONGEST:
        raise Refused(T(f"This would take about {rounded(float(f'{long:.2g}'))} seconds, and a room waits for {rounded(LONGEST)}; lower the cells "
                        "along a side, the layers, the passes or the number of optimizers.",
                        f"Это заняло бы около {rounded(float(f'{long:.2g}'))} с, а аудитория ждёт не больше {rounded(LONGEST)} с; уменьшите число "
                        "ячеек вдоль стороны, слои, число эпох или методов."))
    return landscape(of, progress=progress)


def outlook_of(vista: Vista) -> Outlook | None:
    """The outlook that a vista is, however it is looked at."""
    return next((o for o in outlooks.values() if o.slice == vista.slice), None)


def opening(query: str, notes: list[T] | None = None) -> Vista:
    """The vista of a query, and the first outlook where it is empty."""
    return Vista.from_query(query, notes) if query else Vista(next(iter(outlooks.values())).slice)
