"""What is to be seen, as data that knows no renderer: heights in bands, paths in time, points, and curves under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from .core import T
from .live import Live, live
from .minima import Box, grid_values
from .optimizers import optimizers
from .outcome import Outcome
from .palette import Style, style_of
from .race import Race
from .surfaces import Surface

BANDS = 18
SAMPLES = 97  # a side of the grid that the levels are chosen on
LOG_FROM = 7.0  # heights whose range is this many medians or more are spaced logarithmically
VALLEY = (0.1, 0.25)  # then the lowest tenth of the picture gets a quarter of the bands
MOST = 1e300  # of a height in a picture: sums and differences of such are still numbers


@dataclass(frozen=True, eq=False)
class Heat:
    """A surface in bands: `warp` turns a height into 0 … bands, and the isolines are its whole numbers."""

    surface: Surface
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


@lru_cache(maxsize=128)
def heat(s: Surface, box: Box) -> Heat:
    """The bands that let the valleys of a surface be read."""
    f = grid_values(s.value, box, SAMPLES)[2].ravel()
    f = np.clip(f[np.isfinite(f)], -MOST, MOST)
    if not f.size:
        return Heat(s, box, 0.0, 1.0, 0.0)
    low, span = float(f.min()), float(np.ptp(f))
    if span == 0:
        return Heat(s, box, low, 1.0, 0.0)
    tenth, half = (np.quantile(f, q) - low for q in (VALLEY[0], 0.5))
    return Heat(s, box, low, span, _scale(max(tenth, 1e-12 * span) / span) if span > LOG_FROM * half else 0.0)


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
    look: dict[str, object] = field(default_factory=dict)


def dots(s: Surface, box: Box) -> list[Dot]:
    """The minima inside a box; those as deep as the deepest are the best."""
    values = [(x, y, s.value(x, y)) for x, y in s.minima]
    lowest = min((f for *_, f in values), default=0.0)
    near = 1e-9 * max(1.0, abs(lowest))
    return [Dot(x, y, f, f - lowest <= near) for x, y, f in values if box[0][0] <= x <= box[0][1] and box[1][0] <= y <= box[1][1]]


def panel(curves: Sequence[np.ndarray], base: float | None) -> Panel:
    """Limits that hold all curves: logarithmic above the best value where one is known and more than two decades lie between."""
    curves = [np.clip(c, -MOST, MOST) for c in curves]
    if not curves:
        return Panel(0.0, 0.0, 1.0, False)
    top = max(float(c[0]) for c in curves)  # what climbs far above every beginning leaves the picture
    if base is not None and top > base:
        above = [float((c[c > base] - base).min()) for c in curves if (c > base).any()]
        if (top - base) / min(above) > 100:
            high = 10 ** np.ceil(np.log10((top - base) * 1.5))
            return Panel(base, float(max(10 ** np.floor(np.log10(min(above))), high * 1e-16)), float(high), True)
    low = min(float(c.min()) for c in curves)
    high = min(max(float(c.max()) for c in curves), top + 0.5 * (top - low))
    margin = 0.06 * (high - low) or 0.06 * max(abs(high), 1.0)
    return Panel(0.0, low - margin, high + margin, False)


def named(race: Race) -> list[tuple[T, T, Style]]:
    """Each entrant's name, its short one for beside a head, and its style; of a kind, they are told apart by their rates, or numbered."""
    keys, out = [e.optimizer for e in race.entrants], []
    for i, e in enumerate(race.entrants):
        twins = [other["lr"] for other in race.entrants if other.optimizer == e.optimizer]
        number = keys[:i].count(e.optimizer)
        tail = "" if len(twins) == 1 else f", α = {e['lr']:.3g}" if len(set(twins)) == len(twins) else f" {number + 1}"
        name = optimizers[e.optimizer].name
        whole, short = (T(en + tail, ru + tail) for en, ru in ((name.en, name.ru), (name.en.split(" (")[0], name.ru.split(" (")[0])))
        out.append((whole, short, style_of(e.optimizer, number)))
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
    return Scene(heat(s, race.box), race.start, race["steps"], paths, panel(curves, base), dots(s, race.box), crowds, dict(race.look))
