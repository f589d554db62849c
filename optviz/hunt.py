"""Hunts: random search against grid search on a map, with as many trials each, over many repeats (Bergstra & Bengio 2012).

A trial is a place on the map, even along its axes as they are drawn (by the logarithm where those are), and finds what the cell there
holds: the nearest one, nothing in between is made up. A grid has k × k places, evenly spaced, and lies anywhere: nobody knows beforehand
where the good is. Its order is random.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from .core import SHARE, Param, Range, Refused, T, out_of_range

BUDGET = Param(9, 4, 49, allowed=Range(1, 400), whole=True, one=True)
REPEATS = Param(1000, 100, 1000, log=True, allowed=Range(1, 10_000), whole=True, one=True)
SEED = Param(0, 0, 2**32 - 1, allowed=Range(0, 2**32 - 1), whole=True, one=True)
GOOD = Param(0.05, 0.001, 0.5, log=True, allowed=SHARE, one=True)
BAND = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Hunt:
    """The spec: trials of each search (a square), repeats, the seed of all chance, and which share of the map counts as good."""

    budget: int = BUDGET.default
    repeats: int = REPEATS.default
    seed: int = SEED.default
    good: float = GOOD.default

    def __post_init__(self) -> None:
        for f, p in zip(fields(self), (BUDGET, REPEATS, SEED, GOOD), strict=True):
            object.__setattr__(self, f.name, p.check(f.name, getattr(self, f.name)))
        if self.side**2 != self.budget:
            raise out_of_range("budget", self.budget, T("a square, such as 9, 16, 25: a grid has as many columns as rows",
                                                        "квадрат, например 9, 16, 25: у сетки столбцов столько же, сколько строк"))

    @property
    def side(self) -> int:
        """Columns of the grid."""
        return math.isqrt(self.budget)


@dataclass(frozen=True, eq=False)
class Search:
    """What one kind of search came to, trial after trial: 10 %, median, 90 % of the best so far, and the share of repeats that found something good.

    `distinct` counts how many different rows and columns of the map a search looks at, on average; `first` are the cells (row, column) that
    its first repeat tries, in order.
    """

    best: np.ndarray  # (3, trials)
    found: np.ndarray  # (trials,)
    distinct: tuple[float, float]
    first: np.ndarray  # (2, trials)

    @property
    def trials(self) -> int | None:
        """After how many trials half of the repeats have found something good; None where these are too few."""
        return int(np.argmax(self.found >= 0.5)) + 1 if self.found[-1] >= 0.5 else None


@dataclass(frozen=True, eq=False)
class Hunted:
    """Both searches; how often the random one ends better (ties count half); the goal, which a `share` of the map reaches; and the map's marginals.

    `matters` says of y and of x which share of the map's variance it explains alone, by rank, so that what diverged is just the last.
    """

    grid: Search
    random: Search
    better: float
    goal: float
    share: float
    by_row: np.ndarray  # the best value of each row …
    by_column: np.ndarray  # … and of each column
    matters: tuple[float, float]


def hunt(values: np.ndarray, spec: Hunt | None = None) -> Hunted:
    """Hunt for the lowest of a map's values (rows, columns), such as a sweep's loss or 1 − accuracy; what is nan is worse than all."""
    values, spec = np.asarray(values, float), spec or Hunt()
    if values.ndim != 2 or not values.size:
        raise out_of_range("values", np.shape(values), T("a map: rows and columns", "карта: строки и столбцы"))
    values = np.where(np.isnan(values), np.inf, values)
    if values.min() == np.inf:
        raise Refused(T("no cell of this map has a number; choose a map on which something comes through",
                        "ни в одной клетке этой карты нет числа; выберите карту, на которой что-нибудь сходится"))
    if values.min() == values.max():
        raise Refused(T("every cell of this map is as good as any other; choose a map with something to find",
                        "на этой карте все клетки одинаковы; выберите карту, на которой есть что искать"))
    goal = float(min(np.quantile(values, spec.good, method="inverted_cdf"), values[values < np.inf].max()))  # what diverged is never good
    rng = np.random.default_rng(spec.seed)
    (grid, theirs), (random, mine) = (_search(values, places(spec, rng), goal) for places in (_grids, _draws))
    better = float(((mine < theirs) + (mine == theirs) / 2).mean())
    return Hunted(grid, random, better, goal, float((values <= goal).mean()), values.min(1), values.min(0), matters(values))


def _search(values: np.ndarray, places: np.ndarray, goal: float) -> tuple[Search, np.ndarray]:
    """What trials at places (2, repeats, trials), from 0 to 1 along the axes, come to; and the best of each repeat."""
    cells = (places * np.reshape(values.shape, (2, 1, 1))).astype(int)
    best = np.minimum.accumulate(values[tuple(cells)], axis=1)
    row, column = (float((np.diff(np.sort(a, axis=1), axis=1) > 0).sum(1).mean() + 1) for a in cells)
    return Search(np.quantile(best, BAND, axis=0, method="inverted_cdf"), (best <= goal).mean(0), (row, column), cells[:, 0]), best[:, -1]


def _grids(spec: Hunt, rng: np.random.Generator) -> np.ndarray:
    """Places of grids (2, repeats, trials): each somewhere, its order shuffled."""
    k, shift = spec.side, rng.random((2, spec.repeats, 1))
    order = rng.permuted(np.tile(np.arange(spec.budget), (spec.repeats, 1)), axis=1)
    return (np.stack(np.divmod(order, k)) + shift) / k


def _draws(spec: Hunt, rng: np.random.Generator) -> np.ndarray:
    """Places drawn anywhere (2, repeats, trials)."""
    return rng.random((2, spec.repeats, spec.budget))


def matters(values: np.ndarray) -> tuple[float, float]:
    """Which share of a map's variance, by rank, the row alone explains, and the column alone."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - counts / 2)[which].reshape(values.shape)  # ties share theirs
    whole = rank.var()
    return float(rank.mean(1).var() / whole), float(rank.mean(0).var() / whole)


def lower_is_better(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """What makes of a sweep's array something to hunt the lowest of: of what is good where it is high, what is missing of 1."""
    return (lambda a: 1 - a) if name.startswith("accuracy") or name in ("reached", "escaped") else np.asarray
