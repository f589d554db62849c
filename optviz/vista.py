"""Vista: a landscape and how it is looked at; the complete state of a lab, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from .core import Choice, Refused, T, resolve, rounded
from .landscape import DIRECTIONS, REACH, SEED, SIDE, Landscape, Slice, landscape, seconds
from .landscape_presets import Outlook, outlooks
from .optimizers import optimizers
from .query import Query
from .race import LOOK as RACE
from .study import LIMITS as STUDY
from .study import Study, changed
from .training import WORDS, Several, Training, Widths, as_text

MOST = 6  # paths
LONGEST = 60.0  # seconds that a room can wait
#: What a training here may ask for: as in the lab of boundaries, but deep, for depth is what landscapes are about.
LIMITS: Mapping[str, Any] = {**STUDY, "layers": Widths(WORDS["layers"].default, most=24, widest=64)}
#: Which plane is drawn, and how finely.
PLANE: Mapping[str, Any] = {"directions": DIRECTIONS, "directions_seed": SEED, "span": replace(REACH, optional=True), "side": SIDE}
#: How the stage shows it: as a race, but in relief unless asked otherwise, and whose paths it hides.
LOOK: Mapping[str, Any] = {"view": Choice("relief", ("plane", "relief")), **{name: RACE[name] for name in ("yaw", "pitch", "zoom", "at")},
                           "hidden": Several(tuple(optimizers))}


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


def wait(of: Slice) -> float:
    """About how many seconds a landscape takes."""
    one, cells = seconds(of)
    return one * (1 + len(of.others)) * of.training["epochs"] + cells


def found(slices: Sequence[Slice], progress: Callable[..., Any] | None = None) -> list[Landscape | None]:
    """Every landscape, or why nobody waits for it; while they are computed, those that are there, what there is of the next, and None."""
    waits, done, out = [wait(of) for of in slices], 0.0, list[Landscape | None]()
    if (long := sum(waits)) > LONGEST:
        raise Refused(T(f"This would take about {rounded(float(f'{long:.2g}'))} seconds, and a room waits for {rounded(LONGEST)}; lower the cells "
                        "along a side, the layers, the passes or the number of optimizers.",
                        f"Это заняло бы около {rounded(float(f'{long:.2g}'))} с, а аудитория ждёт не больше {rounded(LONGEST)} с; уменьшите число "
                        "ячеек вдоль стороны, слои, число эпох или методов."))
    for of, own in zip(slices, waits, strict=True):
        def tell(part_done: float, whole: float, part: Landscape | None, own: float = own, done: float = done) -> None:
            if progress:
                so_far = [*out, part, *[None] * (len(slices) - len(out) - 1)] if part or out else None
                progress(done + own * part_done / whole, sum(waits), so_far)
        out.append(landscape(of, progress=tell))
        done += own
    return out


def outlook_of(vista: Vista) -> Outlook | None:
    """The outlook that a vista is one side of, however it is looked at."""
    return next((o for o in outlooks.values() if vista.slice in o.slices), None)


def opening(query: str, notes: list[T] | None = None) -> Vista:
    """The vista of a query, and the first outlook where it is empty."""
    return Vista.from_query(query, notes) if query else Vista(next(iter(outlooks.values())).slice)
