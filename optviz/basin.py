"""Basins: from every start on a grid, which minimum a descent comes to, after how many steps, and with what loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .backend import Numpy
from .core import POSITIVE, Param, Range, Refused, T, out_of_range
from .descent import BLOCK, Problem
from .ends import Ends, ends
from .heavy import Where, compute, finished
from .minima import Box, as_deep
from .optimizers import optimizers
from .outcome import belongs, nearest
from .run import Run
from .surfaces import Surface, checked_box

MOST_STEPS = 2e10  # of all descents of a map together: a quarter of an hour on one core, seconds on a GPU
SIDE = Param(256, 16, 2048, log=True, allowed=Range(1, 4096), whole=True)
TOLERANCE = Param(1e-3, 1e-12, 10.0, log=True, allowed=POSITIVE, one=True)
AT_ONCE, ON_TORCH = 4 * BLOCK, 16 * BLOCK  # cells of a block, on NumPy and on torch where nobody knows how much memory is free
NUMBERS = 32  # that a member needs on its way, at a guess from above


def at_once(machine: Numpy) -> int:
    """How many descents go well together."""
    if machine.xp is np:
        return AT_ONCE
    room = machine.room()
    return ON_TORCH if room is None else room // (2 * 8 * NUMBERS)


def checked_shape(shape: Any, side: Param) -> tuple[int, int]:
    """Rows and columns of a map."""
    try:
        rows, columns = shape
    except (TypeError, ValueError):
        raise out_of_range("shape", shape, T("two whole numbers: rows, columns", "два целых числа: строки, столбцы")) from None
    return side.check("shape", rows), side.check("shape", columns)


def check_steps(work: float, fewer: T) -> None:
    """Refuse descents that nobody would wait for; `fewer` is what had better be less."""
    if work > MOST_STEPS:
        raise Refused(T(f"this map takes about {work:.1g} steps, and {MOST_STEPS:.0g} is the limit; choose fewer {fewer.en}",
                        f"для этой карты нужно около {work:.1g} шагов, а предел — {MOST_STEPS:.0g}; уменьшите число {fewer.ru}"))


@dataclass(frozen=True, init=False)
class Basin:
    """The spec: a run whose start is every cell of a grid; rows go along y, columns along x, ends included."""

    run: Run
    shape: tuple[int, int]
    box: Box
    tolerance: float
    wide: ClassVar = False

    def __init__(self, run: Run, shape: Any = (256, 256), box: Any = None, tolerance: float = TOLERANCE.default):
        put = object.__setattr__
        put(self, "run", Run(run.surface, run.optimizer, None, run.steps, run.schedule, **dict(run.settings)))  # whatever start it had
        put(self, "shape", checked_shape(shape, SIDE))
        put(self, "box", checked_box(run.surface.box if box is None else box))
        put(self, "tolerance", TOLERANCE.check("tolerance", tolerance))

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """The starts' x by column and y by row."""
        (x0, x1), (y0, y1) = self.box
        return np.linspace(x0, x1, self.shape[1]), np.linspace(y0, y1, self.shape[0])

    def to_query(self) -> str:
        """The spec in a line."""
        rows, columns = self.shape
        box = ",".join(repr(v) for side in self.box for v in side)
        return f"{self.run.to_query()}&rows={rows}&columns={columns}&within={box}&tolerance={self.tolerance!r}"

    # --- as a field ---------------------------------------------------------------------------------------------------------------------

    @property
    def arrays(self) -> Mapping[str, str]:
        return {"minimum": "int16", "nearest": "int16", "steps": "int32", "loss": "float64", "diverged": "int32"}

    @property
    def work(self) -> float:
        return float(self.shape[0] * self.shape[1] * self.run.steps * (1 if self._one_level else 2))

    @property
    def fused(self) -> bool:
        return optimizers[self.run.optimizer].traceable

    @property
    def definitions(self) -> Sequence[Any]:
        return self.run.definitions

    @property
    def exact(self) -> bool:
        return optimizers[self.run.optimizer].exact

    def spec(self) -> str:
        return f"basin {self.to_query()} {self.run.surface}"  # as it is defined, too: anybody can give a key to a formula

    def size(self, machine: Numpy) -> int:
        return at_once(machine)

    def piece(self, low: int, high: int, machine: Numpy) -> dict[str, np.ndarray]:
        """A cell is the descent from its start; all meet the same noise, that of a single run."""
        s, problem = self.run.surface, self.problem(low, high)
        if not s.minima:
            end, none = ends(problem, machine), np.full(high - low, -1)
            return {"minimum": none, "nearest": none, "steps": none, "loss": end.loss, "diverged": end.diverged}
        depth = s.value(*np.array(s.minima).T)
        level: Any = depth[0] + self.tolerance
        if not self._one_level:  # which one counts is known when it has come there
            level = depth[self._nearest(ends(problem, machine))] + self.tolerance
        end = ends(problem, machine, level)
        near = self._nearest(end)
        known = (end.diverged < 0) & belongs(s, end.points, end.loss, near, self.tolerance)
        there = known & (end.loss <= depth[near] + self.tolerance)
        return {"minimum": np.where(there, near, -1), "nearest": np.where(known, near, -1), "steps": np.where(there, end.steps, -1),
                "loss": end.loss, "diverged": end.diverged}

    def problem(self, low: int, high: int) -> Problem:
        """The descents of some cells."""
        (x, y), run = self.axes, self.run
        row, column = np.divmod(np.arange(low, high), self.shape[1])
        return Problem(run.surface, [run.optimizer, (x[column], y[row]), run.steps, run.schedule], dict(run.settings), "end", False, 0)

    @property
    def _one_level(self) -> bool:
        """Whether all minima are as deep as each other."""
        s = self.run.surface
        depth = s.value(*np.array(s.minima).T) if s.minima else np.zeros(1)
        return bool(as_deep(depth, depth[0]).all())

    def _nearest(self, end: Ends) -> np.ndarray:
        found = nearest(self.run.surface, end.points)
        assert found is not None
        return found[0]


@dataclass(frozen=True, eq=False)
class Basins:
    """What came of it, (rows, columns): `minimum` is an index into the surface's minima, -1 where the descent has not come to one.

    It has come to one where it `belongs` to it and its loss is within the tolerance of that minimum's; `steps` is the first step from which on
    the loss stays so low, -1 for none. `nearest` is the minimum that it ends nearest to, come or not, -1 where it belongs to none that is
    known; `diverged` the step at which it left the numbers, -1 for none.
    """

    basin: Basin
    minimum: np.ndarray
    nearest: np.ndarray
    steps: np.ndarray
    loss: np.ndarray
    diverged: np.ndarray
    where: Where

    @property
    def elsewhere(self) -> float:
        """The share that neither diverges nor ends where minima are known: outside the surface's box beyond higher ground, or lower than they are."""
        return float(((self.nearest < 0) & (self.diverged < 0)).mean())

    @property
    def x(self) -> np.ndarray:
        """The starts' x, by column."""
        return self.basin.axes[0]

    @property
    def y(self) -> np.ndarray:
        """The starts' y, by row."""
        return self.basin.axes[1]


def basin(surface: str | Surface | Run | Basin = "himmelblau", optimizer: str | None = None, *, shape: Any = None, box: Any = None,
          tolerance: float | None = None, backend: str = "auto", device: str = "auto", dtype: str | None = None,
          processes: int | None = None, scheduler: str | None = None, progress: Callable[..., Any] | None = None, keep: bool = True,
          **settings: Any) -> Basins:
    """Descend from every cell of a grid over the box: row i starts at y = linspace(y0, y1, rows)[i], column j at x likewise.

    `settings` are those of a run: steps, lr, schedule, noise, …; what is given besides a Run replaces its own. Without other words it is Adam
    on 256 × 256 cells.

    Where it runs: `backend` is "numpy", "torch" or "auto", which takes a GPU, or torch's kernels, where that pays; `device` is "cpu", "cuda" or
    "mps"; `dtype` "float64", or "float32", which is a GPU's where nobody says and the optimizer bears it; `processes` are how many cores at most;
    with scheduler="tcp://…" the blocks go to a Dask cluster. `progress(done, whole, part)` is called on the way, and sometimes there is a part of
    the arrays to show. What came of it is kept on disk and read the next time, but with keep=False. The result's `where` tells where it was, how
    long it took, and what was not as one expects.
    """
    if "start" in settings:
        raise Refused(T("start: every cell of a map is a start; leave it out", "start: на карте стартует каждая ячейка; уберите этот аргумент"))
    asked = {name: value for name, value in {"shape": shape, "box": box, "tolerance": tolerance}.items() if value is not None}
    if isinstance(surface, Basin):
        finished(surface, {"optimizer": optimizer, **settings, **asked})
    else:
        run = surface.at(optimizer, **settings) if isinstance(surface, Run) else Run(surface, "adam" if optimizer is None else optimizer, **settings)
        surface = Basin(run, **asked)
    check_steps(surface.work, T("cells or steps", "ячеек или шагов"))
    found = compute(surface, backend=backend, device=device, dtype=dtype, processes=processes, scheduler=scheduler, progress=progress, keep=keep)
    return Basins(surface, **found.arrays, where=found.where)
