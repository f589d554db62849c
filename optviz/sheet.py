"""Charts as data that knows no renderer: marks over two scales, several charts on one sheet, and one playhead where their numbers move.

Every array of a mark may have a first axis of moments; what has none stands still. What is no finite number is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .core import T
from .scene import Heat as Bands


@dataclass(frozen=True, eq=False)
class Scale:
    """An axis: its name, its ends where they are not those of the marks, words in the place of 0, 1, 2 …, and its sign beside a number."""

    name: T
    log: bool = False
    low: float | None = None
    high: float | None = None
    words: Sequence[T] = ()
    sign: str = ""


@dataclass(frozen=True, eq=False)
class Line:
    """A curve, and the band around it; a name stands in the legend."""

    x: Any
    y: Any
    colour: str
    name: T | None = None
    dash: int = 0
    width: float = 2.0
    alpha: float = 1.0
    low: Any = None
    high: Any = None
    grown: Any = None  # how many of its points are there at each moment; else all


@dataclass(frozen=True, eq=False)
class Dots:
    """Points; `shape` is an index of palette.SHAPES, a `hollow` one is an outline."""

    x: Any
    y: Any
    colour: str
    name: T | None = None
    shape: int = 0
    size: float = 4.0
    alpha: float = 1.0
    hollow: bool = False


@dataclass(frozen=True, eq=False)
class Bars:
    """Rectangles over intervals of x, from a base to a height."""

    left: Any
    right: Any
    height: Any
    colour: str
    name: T | None = None
    base: Any = 0.0
    alpha: float = 0.75


@dataclass(frozen=True, eq=False)
class Heat:
    """Cells between edges, (rows, columns) of values from low to high; a signed one is orange below 0 and blue above.

    Where `low` is the greater, less is more of the colour; what is at `low` has the part `pale` of it. Those of a map with a `colour` have it
    alike, and say the map's name in the place of a number.
    """

    x: Any
    y: Any
    z: Any
    low: float
    high: float
    name: T
    log: bool = False
    signed: bool = False
    colour: str | None = None
    alpha: float = 1.0
    pale: float = 0.0

    @property
    def beyond(self) -> tuple[str, str]:
        """What stands before the numbers at both ends of its colours: ≤ or ≥ where a cell lies beyond."""
        z = np.asarray(self.z, float)
        least, most = sorted((self.low, self.high))
        told = {least: "≤ " if (z < least).any() else "", most: "≥ " if (z[np.isfinite(z)] > most).any() else ""}
        return told[self.low], told[self.high]


@dataclass(frozen=True, eq=False)
class Regions:
    """Even cells of several kinds, (rows, columns), whose middles lie from one end of x to the other and of y: which colour, and a number.

    The colour is full at `low` and faint at `high`; a cell whose number is beyond `until`, or none at all, is only hinted at. Of no kind, -1,
    it is grey, and where it has no number either it is what the map calls `never`; ABSENT is a cell that is not known yet: nothing is drawn.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    which: Any
    z: Any
    low: float
    high: float
    colours: Sequence[str]
    kinds: Sequence[T]  # what each is called, and last what has no kind
    name: T  # of the number
    never: T  # where there is none
    until: Any = np.inf

    @property
    def legend(self) -> list[Heat]:
        """Samples of both greys, where they mean two things; the kinds are marked on the map."""
        greys = [(self.kinds[-1], (FULL + FAINT) / 2), (self.never, HINT)]
        return [Heat([], [], [], 0, 1, name, colour="faint", alpha=alpha) for name, alpha in greys] if self.never != self.kinds[-1] else []


@dataclass(frozen=True, eq=False)
class Ground:
    """A surface in bands with isolines where they change, quiet under all other marks: places along x and y, (y, x) of 0 … bands.

    Where its formula is known, its heat stands in their place, and every view of it is exact.
    """

    x: Any = None
    y: Any = None
    z: Any = None
    bands: int = 0
    heat: Bands | None = None


@dataclass(frozen=True, eq=False)
class Ridges:
    """Histograms beside each other: over each place on x how many lie between edges on y, (places, bins)."""

    x: Any
    edges: Any
    counts: Any
    colour: str
    name: T
    alpha: float = 0.8


@dataclass(frozen=True, eq=False)
class Arrows:
    """Arrows from points."""

    x: Any
    y: Any
    dx: Any
    dy: Any
    colour: str
    name: T | None = None
    width: float = 2.0
    alpha: float = 1.0
    dash: int = 0


@dataclass(frozen=True, eq=False)
class Rule:
    """A line across the chart where x or y has a value, and what it means."""

    word: T | None = None
    x: float | None = None
    y: float | None = None
    colour: str = "ink"


STEP = T("step", "шаг")
ROOM = 0.04
ABSENT = -2  # of no kind, because nobody knows yet
FULL, FAINT, HINT = 1.0, 0.4, 0.16  # of a colour: where a map of kinds has its least number, its largest, and none
FARTHEST = 1e250  # what is beyond has no place on a scale
WIDE = 0.9  # of a place, where ridges are the widest
Mark = Line | Dots | Bars | Heat | Regions | Ground | Ridges | Arrows | Rule
ARRAYS = ("x", "y", "z", "low", "high", "left", "right", "height", "base", "dx", "dy", "grown", "edges", "counts", "which", "until")


@dataclass(frozen=True, eq=False)
class Chart:
    """Marks over two scales; `wide` is how many columns of the sheet it takes, an `even` one has the same unit both ways, a `bare` one no scales.

    A `lead`, the first of its sheet, has half of a presentation and of a picture; one that stands `aside` is on a page alone.
    """

    key: str
    title: T
    x: Scale
    y: Scale
    marks: Sequence[Mark]
    note: T | None = None
    wide: int = 1
    even: bool = False
    picked: bool = False  # whether a click on it means something
    bare: bool = False
    tall: bool = False
    read: bool = False  # whether a pointer reads all named curves where it is, not one mark
    scrubs: bool = False  # whether a hand on it moves the playhead, to where its first dot is nearest
    lead: bool = False
    aside: bool = False


@dataclass(frozen=True, eq=False)
class Sheet:
    """Charts in rows of so many columns; `moments` are the numbers that the playhead counts, or the values that it takes, as words."""

    charts: Sequence[Chart]
    columns: int = 2
    moments: Sequence[float | str] = (0,)
    unit: T = STEP
    begin: int | None = None  # which moment is seen at first, where it is not the last


def moments_of(mark: Mark) -> dict[str, np.ndarray]:
    """The arrays of a mark."""
    return {name: np.asarray(value, float) for name in ARRAYS if (value := getattr(mark, name, None)) is not None}


def ends(chart: Chart, way: str) -> tuple[float, float]:
    """Where a scale begins and ends: as it says, else so that every moment of all marks has room."""
    scale: Scale = getattr(chart, way)
    if scale.words:
        return -0.5, len(scale.words) - 0.5
    values = [v for mark in chart.marks for v in _along(mark, way)]
    a = np.concatenate([np.ravel(np.asarray(v, float)) for v in values]) if values else np.array([0.0, 1.0])
    a = a[(np.abs(a) < FARTHEST) & ((a > 1 / FARTHEST) | (not scale.log))]
    low, high = (float(a.min()), float(a.max())) if a.size else (1.0, 10.0)
    low, high = scale.low if scale.low is not None else low, scale.high if scale.high is not None else high
    tight = any(isinstance(mark, (Heat, Regions, Ridges)) for mark in chart.marks)
    stands = low == 0 and way == "y" and any(isinstance(mark, Bars) for mark in chart.marks)  # bars stand on the edge
    return roomy(low, high, scale.log, *(0.0 if tight or end is not None else ROOM for end in (0.0 if stands else scale.low, scale.high)))


def roomy(low: float, high: float, log: bool, below: float, above: float) -> tuple[float, float]:
    """Ends with room, as shares of what lies between them."""
    if log:
        low, high = np.log10(low), np.log10(high)
    if not high > low:
        half = max(0.5, 1e-3 * abs(low))  # which a float of this size feels
        low, high = low - half, high + half
    low, high = low - below * (high - low), high + above * (high - low)
    return (float(10**low), float(10**high)) if log else (float(low), float(high))


def _along(mark: Mark, way: str) -> list[Any]:
    """The values of a mark along x or y."""
    if isinstance(mark, (Rule, Ground)):  # a ground goes on beyond what is looked at
        return []
    if isinstance(mark, Bars):
        return [mark.left, mark.right] if way == "x" else [mark.height, mark.base]  # on a logarithmic scale a base of 0 is its end
    if isinstance(mark, Ridges):
        return [np.asarray(mark.x, float) - 0.5, np.asarray(mark.x, float) + 0.5] if way == "x" else [mark.edges]
    if isinstance(mark, Arrows):
        own, reach = (mark.x, mark.dx) if way == "x" else (mark.y, mark.dy)
        return [own, np.asarray(own, float) + np.asarray(reach, float)]
    if isinstance(mark, Regions):
        (low, high), cells = getattr(mark, way), np.shape(mark.which)[way == "x"]
        half = (high - low) / max(cells - 1, 1) / 2
        return [low - half, high + half]
    own = [getattr(mark, way)]
    return own + [v for v in (mark.low, mark.high) if v is not None] if isinstance(mark, Line) and way == "y" else own
