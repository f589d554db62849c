"""What is to be seen, as data that knows no renderer: heights in bands, paths in time, points, and curves under them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from .core import T
from .explain import Explained, explain
from .gauges import Gauges, gauges_of
from .live import Live, live
from .minima import Box, as_deep, grid_values
from .optimizers import optimizers
from .outcome import Outcome
from .palette import COLOURS, DASHES, THEMES, Style, Theme, style_of
from .race import Entrant, Race
from .run import CLIPS
from .schedules import schedules
from .surfaces import Surface

BANDS = 18
SAMPLES = 97  # a side of the grid that the levels are chosen on
LOG_FROM = 7.0  # heights whose range is this many medians or more are spaced logarithmically
VALLEY = (0.1, 0.25)  # then the lowest tenth of the picture gets a quarter of the bands
GROWTH = 1e4  # how far above its beginning a curve is followed
#: Settings that a name may mention, as they are written.
SIGNS = {"lr": "α", "momentum": "γ", "beta1": "β₁", "beta2": "β₂", "alpha": "ρ", "eps": "ε", "weight_decay": "λ"}
MOST = 1e300  # of a height in a picture: sums and differences of such are still numbers


@dataclass(frozen=True, eq=False)
class Lattice:
    """A surface that is known at even places alone: straight between them, and beyond them as at its edge."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray  # (y, x)
    minima: Sequence[tuple[float, float]] = ()  # a formula would know them

    def value(self, x: Any, y: Any) -> Any:
        """The height of numbers or arrays."""
        (i, u), (j, v), z = *(_along(places, at) for places, at in ((self.x, x), (self.y, y))), self.z
        with np.errstate(all="ignore"):
            return (z[j, i] * (1 - u) + z[j, i + 1] * u) * (1 - v) + (z[j + 1, i] * (1 - u) + z[j + 1, i + 1] * u) * v


def _along(places: np.ndarray, at: Any) -> tuple[Any, Any]:
    """The place before, and how far on it is from there to the next."""
    k = np.clip((np.asarray(at, float) - places[0]) / (places[-1] - places[0]), 0, 1) * (len(places) - 1)
    i = np.minimum(k.astype(int), len(places) - 2)
    return i, k - i


@dataclass(frozen=True, eq=False)
class Heat:
    """A surface in bands: `warp` turns a height into 0 … bands, and the isolines are its whole numbers."""

    surface: Surface | Lattice
    box: Box
    low: float
    span: float
    scale: float  # below it heights are spaced evenly, above it by their logarithm; 0 means evenly throughout
    bands: int = BANDS

    def warp(self, f: np.ndarray) -> np.ndarray:
        """Heights as positions among the bands; what is no number is as high as the highest."""
        with np.errstate(all="ignore"):
            d = np.clip((f - self.low) / self.span, 0, 1)
            d = np.log1p(d / self.scale) / np.log1p(1 / self.scale) if self.scale else d
        return self.bands * np.where(np.isfinite(f), d, 1.0)

    def height(self, u: float) -> float:
        """The height at a position among the bands."""
        share = u / self.bands
        return self.low + self.span * (self.scale * math.expm1(share * math.log1p(1 / self.scale)) if self.scale else share)


@lru_cache(maxsize=128)
def heat(s: Surface, box: Box) -> Heat:
    """The bands that let the valleys of a surface be read."""
    return banded(s, box, grid_values(s.value, box, SAMPLES)[2])


def banded(s: Surface | Lattice, box: Box, f: np.ndarray, log: bool = False) -> Heat:
    """The bands for some of its heights; with `log`, spaced logarithmically however even these are."""
    f = np.clip(f[np.isfinite(f)], -MOST, MOST)
    if not f.size:
        return Heat(s, box, 0.0, 1.0, 0.0)
    low, span = float(f.min()), float(np.ptp(f))
    if span == 0:
        return Heat(s, box, low, 1.0, 0.0)
    tenth, half = (np.quantile(f, q) - low for q in (VALLEY[0], 0.5))
    return Heat(s, box, low, span, _scale(max(tenth, 1e-12 * span) / span) if log or span > LOG_FROM * half else 0.0)


def _scale(tenth: float) -> float:
    """The scale that puts a height (a share of the span) at a quarter of the bands: bisection on its logarithm."""
    low, high = np.log(1e-15), np.log(1e3)
    for _ in range(60):
        middle = (low + high) / 2
        if np.log1p(tenth / np.exp(middle)) / np.log1p(1 / np.exp(middle)) > VALLEY[1]:
            low = middle
        else:
            high = middle
    return float(np.exp(low))


@dataclass(frozen=True, eq=False)
class Path:
    """A way through the plane in time: column t is where it was after t steps."""

    name: T
    short: T  # for beside its head
    style: Style
    points: np.ndarray  # (2, steps + 1)
    height: np.ndarray  # (steps + 1,): the value at each point
    rate: np.ndarray  # (steps,)
    end: int | None = None  # the step at which it left the numbers
    muted: bool = False
    live: Live | None = None
    entrant: int = 0  # whose it is


@dataclass(frozen=True, eq=False)
class Crowd:
    """Many ways at once, drawn faint: their places at some steps."""

    style: Style
    points: np.ndarray  # (2, frames, members)
    steps: np.ndarray  # (frames,)
    muted: bool = False
    entrant: int = 0


@dataclass(frozen=True)
class Dot:
    """A place with a meaning."""

    x: float
    y: float
    value: float
    best: bool


@dataclass(frozen=True)
class Panel:
    """The frame of the curves under the plane: heights above `base` against steps."""

    base: float
    low: float
    high: float
    log: bool


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a renderer needs to draw one picture, or any moment of it."""

    heat: Heat
    start: tuple[float, float]
    steps: int
    paths: Sequence[Path]
    panel: Panel
    dots: Sequence[Dot] = ()
    crowds: Sequence[Crowd] = ()
    explained: Explained | None = None
    gauges: Gauges | None = None
    look: dict[str, object] = field(default_factory=dict)
    rates: Panel | None = None  # the frame of the learning rates' curves, where they are what it is about
    fixed: bool = False  # whether nobody can run its paths from another start, nor explain their steps
    words: Mapping[str, T] = field(default_factory=dict)  # what the stage says in other words than of a race
    themes: Mapping[str, Theme] = field(default_factory=lambda: THEMES)
    sides: tuple[Sequence[T], int] | None = None  # the names of pictures that are compared, and which of them this is


def dots(s: Surface, box: Box) -> list[Dot]:
    """The minima inside a box; those as deep as the deepest are the best."""
    depth = np.array([s.value(x, y) for x, y in s.minima])
    best = as_deep(depth, depth.min(initial=math.inf))
    return [Dot(x, y, f, b) for (x, y), f, b in zip(s.minima, depth.tolist(), best.tolist(), strict=True)
            if box[0][0] <= x <= box[0][1] and box[1][0] <= y <= box[1][1]]


def panel(curves: Sequence[np.ndarray], base: float | None, h: Heat) -> Panel:
    """Limits that hold all curves, but not far more than where they begin or the box reaches.

    Above the best value, where one is known, they are logarithmic as soon as more than two decades lie between: then a run
    that grows without end is seen to do so for a while.
    """
    curves = [np.clip(c, -MOST, MOST) for c in curves]
    if not curves:
        return Panel(0.0, 0.0, 1.0, False)
    top, most = max(float(c[0]) for c in curves), max(float(c.max()) for c in curves)
    above = [c[c > base] - base for c in curves if (c > base).any()] if base is not None else []
    if base is not None and above:
        high = min(most - base, GROWTH * max(top - base, h.span))
        low = min(float(c.min()) for c in above)
        if high / low > 100:
            high = 10 ** np.ceil(np.log10(high * 1.5))
            return Panel(base, float(max(10 ** np.floor(np.log10(low)), high * 1e-18)), float(high), True)
    low = max(min(float(c.min()) for c in curves), min(h.low - 0.25 * h.span, top))
    high = min(most, max(top + 0.5 * (top - low), h.low + h.span))
    margin = max(0.06 * (high - low), 1e-9 * abs(high)) or 0.06  # never thinner than the numbers on its axis
    return Panel(0.0, low - margin, high + margin, False)


def _difference(race: Race, optimizer: str) -> str | None:
    """The setting that tells the entrants of one kind apart, as it is printed."""
    twins = [e for e in race.entrants if e.optimizer == optimizer]
    for name in dict.fromkeys(["lr", "schedule", "warmup_steps", *CLIPS, *SIGNS]):
        told = [printed(e, name).en for e in twins if name == "schedule" or name in dict(e.settings)]
        if len(set(told)) == len(twins):
            return name
    return None


def printed(e: Entrant, name: str) -> T:
    """One setting in a few words."""
    if name == "schedule":
        called = schedules[e.schedule].name
        return T(f"α: {called.en}", f"α: {called.ru}")
    value = e[name]
    if name == "warmup_steps":
        return T(f"warm-up {value}", f"разогрев {value}") if value else T("no warm-up", "без разогрева")
    if name in CLIPS:
        return T("not clipped", "без ограничения") if value is None else T(f"clipped at {value:.3g}", f"с ограничением {value:.3g}")
    return T(*[f"{SIGNS[name]} = {value:.3g}"] * 2)


def named(race: Race) -> list[tuple[T, T, Style]]:
    """Each entrant's name, its short one for beside a head, and its style.

    Of a kind, they are told apart in words by what differs, or by number; the first has the colour of its kind, the others keep
    its shape and take colours that nobody else here has.
    """
    keys, out = [e.optimizer for e in race.entrants], list[tuple[T, T, Style]]()
    free = [colour for colour in COLOURS if colour not in {style_of(key).colour for key in keys}]
    for i, e in enumerate(race.entrants):
        number, name = keys[:i].count(e.optimizer), optimizers[e.optimizer].name
        style, en, ru = style_of(e.optimizer, number), "", ""
        if keys.count(e.optimizer) > 1:
            what = _difference(race, e.optimizer)
            en, ru = (f", {printed(e, what).en}", f", {printed(e, what).ru}") if what else (f" {number + 1}", f" {number + 1}")
        if number and free:
            style = replace(style, colour=free.pop(0))
        others = sum(theirs.colour == style.colour for *_, theirs in out)  # of another kind, in the same colour
        style = replace(style, dash=max(style.dash, others % len(DASHES)))
        out.append((T(name.en + en, name.ru + ru), T(name.en.split(" (")[0] + en, name.ru.split(" (")[0] + ru), style))
    return out


def race_scene(outcome: Outcome) -> Scene:
    """A race as it is seen: every entrant a path, the loss of each below."""
    race = outcome.race
    s, paths, crowds = race.surface, [], []
    for i, (e, (name, short, style), trail, run) in enumerate(zip(race.entrants, named(race), outcome.trails, race.runs, strict=True)):
        if trail is None:
            continue
        paths.append(Path(name, short, style, trail.points, trail.loss, trail.lr, trail.diverged_at, e.muted, live(run), i))
        if (crowd := outcome.crowds[i]) is not None:
            crowds.append(Crowd(style, crowd.points, outcome.kept, e.muted, i))
    curves = [p.height for p in paths]
    base = outcome.best if outcome.best is not None else 0.0 if all((c > 0).all() for c in curves) else None
    h, who = heat(s, race.box), race["explain"]
    explained = explain(race.runs[who]) if any(p.entrant == who for p in paths) else None
    gauges = gauges_of(outcome) if race["gauges"] else None
    return Scene(h, race.start, race["steps"], paths, panel(curves, base, h), dots(s, race.box), crowds, explained, gauges, dict(race.look))
