"""Sweeps: a map over two settings of a run or of a training, every cell with values of its own for both and all else the same."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np

from .backend import Numpy
from .basin import TOLERANCE, at_once, check_steps
from .core import Param, Range, Refused, T, out_of_range, unknown_name
from .descent import Problem, asked
from .ends import ends
from .grid import LAMBDA, Varied, axes, band, changes, shape, weighed, widths
from .heavy import BLOCKS, FEW, Where, compute, finished, noted, pays
from .minima import as_deep
from .optimizers import optimizers
from .outcome import belongs, nearest
from .query import Query
from .regular.several import SEEDS as TRAINED
from .regular.several import seeds_from
from .run import START, Run, settings_of
from .schedules import schedules
from .study import Study
from .trainer import MOST_NUMBERS, held
from .training import Training, as_text
from .training import settings_of as settings_of_training

COUNT = Param(33, 2, 256, log=True, allowed=Range(2, 1024), whole=True, one=True)  # values on an axis
FEWER = int(COUNT.allowed.high), 16, 8, 4, 2  # values along an axis at most, one after the other, where a link's map takes too long
SEEDS = Param(1, 1, 64, log=True, allowed=Range(1, 256), whole=True, one=True)
STARTS = {"start_x": 0, "start_y": 1}
RATE = 2e8  # multiplications a second on one core, those among them that stand for other things
MOST_PRODUCTS = 2e10  # of all networks of a map: some two minutes on one core
UPDATE = 1e4  # multiplications that take as long as an update of the smallest networks takes, however many go in lockstep
CELL = 1e5  # … and as making its spec takes
IN_BLOCK, BLOCK_PRODUCTS = 2**22, 1e8  # numbers that the networks of a block may hold, and what they may take: a second or two …
ON_GPU, SLACK = MOST_NUMBERS / 2, 2  # … and on a GPU, which has the time; and how many times as many bytes are kept free for them
APART = "noise", "label_", "data_", "augment"  # axes along which each network is shown its own points: this process must make them all
HALF = 0.5  # of the seeds: where as many diverge the cell does
EVEN, LOG = "even", "log"
CHAOS = T("torch sums in another order: where a training is chaotic, at large rates most of all, a network opened from the map may end elsewhere",
          "torch складывает в другом порядке: где обучение хаотично, прежде всего при большой скорости, открытая с карты сеть может выйти иной")
SINGLE = T("torch computed in single precision, which rounds so much more coarsely that more of the cells differ",
           "torch считал с одинарной точностью, а она округляет настолько грубее, что таких клеток больше")


class Line(NamedTuple):
    """A setting along an axis: its values, and how they are spaced where that says all of them (low, high, count, "even" or "log")."""

    key: str
    values: tuple[Any, ...]
    span: tuple[float, float, int, str] | None = None

    def text(self) -> str:
        """The axis as a query holds it."""
        return ",".join([self.key, *map(as_text, self.values if self.span is None else (self.span[3], *self.span[:3]))])


Axes = str | tuple[str, Any] | Line | None


@dataclass(frozen=True, init=False)
class Sweep:
    """The spec: what is run in every cell, the setting along x (a column each) and along y (a row each), and from how many seeds.

    What a study of the lab stops at does not stop it here: every network makes all its passes, or runs out of patience.
    """

    base: Run | Study
    x: Line
    y: Line
    seeds: int
    tolerance: float

    def __init__(self, base: Run | Training | Study, x: Axes = None, y: Axes = None, seeds: int = SEEDS.default,
                 tolerance: float = TOLERANCE.default):
        put = object.__setattr__
        put(self, "base", base if isinstance(base, Run) else base.run if isinstance(base, Study) else Study(base))
        for name, axis in zip(("x", "y"), both(self.base, x, y), strict=True):
            put(self, name, axis)
        if self.x.key == self.y.key:
            raise Refused(T(f"x and y both vary {self.x.key}; choose two settings",
                            f"по x и по y меняется одно и то же: {self.x.key}; выберите две настройки"))
        put(self, "seeds", seeds_of(self.base).check("seeds", seeds))
        put(self, "tolerance", TOLERANCE.check("tolerance", tolerance))
        if isinstance(self.base, Run):
            for row, column in [*((r, 0) for r in range(self.shape[0])), *((0, c) for c in range(self.shape[1]))]:
                self.cell(row, column)  # what cannot be is refused at once; networks are looked at when they are counted
        self._check_size()

    def cell(self, row: int, column: int) -> Run | Study:
        """What runs in a cell: that descent, that network; of several seeds the first."""
        if isinstance(self.base, Study):
            return self.study(row, column)
        given, run = self.given(row, column), self.base
        start = tuple(given.pop(key, run.start[i]) for key, i in STARTS.items())
        return Run(run.surface, run.optimizer, start, run.steps, run.schedule, **dict(run.settings) | given)

    def study(self, row: int, column: int) -> Study:
        """The network of a cell."""
        assert isinstance(self.base, Study)
        return self.base.at(**changes(self.base, self.given(row, column)))

    def given(self, row: int, column: int) -> dict[str, Any]:
        """The values of a cell's two settings."""
        return {self.y.key: self.y.values[row], self.x.key: self.x.values[column]}

    def at(self, **changed: Any) -> Sweep:
        """The same with some of its parts changed."""
        mine: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        return Sweep(**mine | changed)

    def to_query(self) -> str:
        """The URL's query: the run's or the study's, and the axes."""
        pairs = [("x", self.x.text()), ("y", self.y.text()), ("seeds", str(self.seeds)), ("tolerance", repr(self.tolerance))]
        return f"{self.base.to_query()}&{urlencode(pairs, safe=',')}"

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Sweep:
        """The sweep of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        x, y = (read.attempt(name, str, None) for name in ("x", "y"))
        seeds = read.attempt("seeds", str, None)
        tolerance = read.attempt("tolerance", lambda v: TOLERANCE.parse("tolerance", v), TOLERANCE.default)
        kind: type[Run] | type[Study] = Run if {"surface", "formula"} & read.fields.keys() else Study
        base = kind.from_query(read.rest(), notes)
        lines = [None if text is None else read.read(name, text, lambda v, name=name: written(name, v, settings(base)), None)  # type: ignore[misc]
                 for name, text in (("x", x), ("y", y))]
        seeds = SEEDS.default if seeds is None else read.read("seeds", seeds, lambda v: seeds_of(base).parse("seeds", v), SEEDS.default)
        try:
            return Sweep(base, lines[0], lines[1], seeds, tolerance)
        except Refused as refusal:  # the axes are impossible on this base, or together too many
            read.note(refusal)
        found = _smaller(base, lines, tolerance) or Sweep(kind(), tolerance=tolerance)
        rows, columns = found.shape
        here, default = f"{columns} × {rows}", found.base != base
        read.note(Refused(T(f"shown instead: {here} values of {found.x.key} and {found.y.key}, one seed" + ", all else by default" * default,
                            f"вместо этого показано: {here} значений {found.x.key} и {found.y.key}, одно зерно" + ", прочее по умолчанию" * default)))
        return found

    # --- as a field ---------------------------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.y.values), len(self.x.values)

    @property
    def arrays(self) -> Mapping[str, str]:
        if isinstance(self.base, Run):
            return dict.fromkeys(("steps", "loss", "reached", "escaped", "diverged"), "float64")
        of_labels = ["accuracy_train", "accuracy_val"] * (self.base["data"].kind == "classes")
        return dict.fromkeys((*of_labels, "loss_train", "loss_val", "diverged"), "float64")

    @property
    def work(self) -> float:
        """Of networks, multiplications: one takes about as long as a step of a member."""
        return _load(self).work if isinstance(self.base, Study) else float(np.prod(self.shape)) * self.draws * self.base.steps

    @property
    def fused(self) -> bool:
        return isinstance(self.base, Run) and optimizers[self.base.optimizer].traceable

    @property
    def wide(self) -> bool:
        alike = self.seeds == 1 and not any(key.startswith(APART) for key in (self.x.key, self.y.key))
        return isinstance(self.base, Study) and alike and pays(_load(self).each, _load(self).work / RATE, CELL * math.prod(self.shape) / RATE)

    @property
    def definitions(self) -> Sequence[Any]:
        return self.base.definitions if isinstance(self.base, Run) else self.base.training.definitions

    @property
    def exact(self) -> bool:
        return isinstance(self.base, Study) or optimizers[self.base.optimizer].exact  # a cell's network, trained anew, is the map's own

    @property
    def draws(self) -> int:
        """How many seeds are worth running: where chance has no part in a descent, all are alike."""
        if isinstance(self.base, Study) or {self.x.key, self.y.key} & {"noise", "noise_relative"}:
            return self.seeds
        return self.seeds if self.base["noise"] or self.base["noise_relative"] else 1

    def spec(self) -> str:
        line = f"sweep {self.to_query()}" + (f" {self.base.surface}" if isinstance(self.base, Run) else "")  # anybody can give a key to a formula
        if isinstance(self.base, Study) and self.base.unlinked:  # what a query does not carry
            own = repr((self.base["data"].make, self.base["data"].labels, self.base.weights))
            line += f" {hashlib.sha256(own.encode()).hexdigest()}"
        return line

    def size(self, machine: Numpy) -> int:
        if isinstance(self.base, Run):
            return max(at_once(machine) // self.draws, 1)
        if not machine.accelerated:
            return self._fitting(IN_BLOCK, BLOCK_PRODUCTS)
        room = machine.room()
        return self._fitting(ON_GPU if room is None else min(ON_GPU, room / (8 * SLACK)), math.inf)

    def _fitting(self, numbers: float, products: float) -> int:
        """How many cells have together no more than these, wherever they lie."""
        study, s = self.base, _sizes(self)
        assert isinstance(study, Study)
        taken = held(dict(study.training.values), *s).max(), (s.weights * s.n).max() * max(study["epochs"], 1)
        return max(int(min(numbers / taken[0], products / taken[1]) / self.seeds), 1)

    def piece(self, low: int, high: int, machine: Numpy) -> dict[str, np.ndarray]:
        """The descents of some cells go together; networks go in lockstep with those of the same shape."""
        if isinstance(self.base, Run):
            return self._descended(low, high, machine)
        studies = [self.study(*divmod(k, self.shape[1])) for k in range(low, high)]
        found = band(studies, seeds_from(self.base.training, self.seeds).tolist(), machine=machine)
        there, gone = ~found.diverged, found.diverged.mean(1)
        out = {"diverged": gone}
        for name, a in found._asdict().items():
            if name in self.arrays and name not in out:
                nothing = np.inf if name.startswith("loss") else np.nan
                out[name] = np.where(gone < HALF, np.where(there, a, 0).sum(1) / np.maximum(there.sum(1), 1), nothing)
        return out

    # --- descents ---------------------------------------------------------------------------------------------------------------------

    def problem(self, low: int, high: int) -> Problem:
        """The descents of some cells, every one from all seeds; seed k meets the same noise in every cell."""
        assert isinstance(self.base, Run)
        run, draws = self.base, self.draws
        row, column = np.divmod(np.arange(low, high).repeat(draws), self.shape[1])
        given = {self.x.key: np.array(self.x.values, float)[column], self.y.key: np.array(self.y.values, float)[row]}
        start = tuple(given.pop(key, run.start[i]) for key, i in STARTS.items())
        member = np.tile(np.arange(draws), high - low) if draws > 1 else 0
        return Problem(run.surface, [run.optimizer, start, run.steps, run.schedule], dict(run.settings) | given, "end", False, member)

    def _descended(self, low: int, high: int, machine: Numpy) -> dict[str, np.ndarray]:
        problem = self.problem(low, high)
        s = problem.surface
        depth = s.value(*np.array(s.minima).T) if s.minima else np.array([-np.inf])
        end = ends(problem, machine, depth.min() + self.tolerance)
        diverged, steps, loss = (a.reshape(high - low, self.draws) for a in (end.diverged >= 0, end.steps, end.loss))
        out = {"loss": np.median(np.where(diverged, np.inf, loss), 1), "diverged": diverged.mean(1)}
        near = nearest(s, end.points)
        if near is None:  # nobody knows where it should have come
            return out | dict.fromkeys(("steps", "reached", "escaped"), np.full(high - low, np.nan))
        known = as_deep(depth, depth.min())[near[0]] & belongs(s, end.points, end.loss, near[0], self.tolerance)
        best = known.reshape(diverged.shape) & ~diverged
        there = best & (steps >= 0)
        with np.errstate(invalid="ignore"):
            return out | {"steps": np.where(there, steps, 0).sum(1) / there.sum(1), "reached": there.mean(1), "escaped": best.mean(1)}

    # --- how much it is ---------------------------------------------------------------------------------------------------------------

    def _check_size(self) -> None:
        """Refuse what nobody would wait for."""
        if isinstance(self.base, Run):
            check_steps(self.work, T("values, seeds or steps", "значений, зёрен или шагов"))
        elif self.work > MOST_PRODUCTS:
            raise Refused(T(f"this map takes about {self.work:.1g} multiplications, and {MOST_PRODUCTS:.0g} is the limit; choose fewer values, seeds "
                            "or passes, or smaller networks",
                            f"для этой карты нужно около {self.work:.1g} умножений, а предел — {MOST_PRODUCTS:.0g}; уменьшите число значений, зёрен "
                            "или эпох, или сами сети"))


class Sizes(NamedTuple):
    """What the training of each cell's network costs by, row after row."""

    weights: np.ndarray
    neurons: np.ndarray
    n: np.ndarray
    batch: np.ndarray


@lru_cache(maxsize=64)
def _sizes(sweep: Sweep) -> Sizes:
    """What networks cost by, without making their studies."""
    study, (rows, columns) = sweep.base, sweep.shape
    assert isinstance(study, Study)

    def of(row: int, column: int) -> tuple[float, ...]:
        given = changes(study, sweep.given(row, column))
        layers, n, batch = (given.get(name, study[name]) for name in ("layers", "n", "batch"))
        return weighed(study, layers), sum(widths(study, layers)), n, batch or np.inf
    down, along = (np.array(part, float).T for part in ([of(r, 0) for r in range(rows)], [of(0, c) for c in range(columns)]))
    weights, neurons = ((a[:, None] * b / max(a[0], 1)).ravel() for a, b in zip(down[:2], along[:2], strict=True))  # exact where one axis changes it
    n, batch = (np.where(b != b[0], b, a[:, None]).ravel() for a, b in zip(down[2:], along[2:], strict=True))  # which no two do
    return Sizes(weights, neurons, n, np.minimum(batch, n))


class Load(NamedTuple):
    """What the networks of a map take: multiplications, those among them that stand for what an update costs beside; and those of each
    update in which some go in lockstep on a GPU."""

    work: float
    each: float


@lru_cache(maxsize=64)
def _load(sweep: Sweep) -> Load:
    """What the networks of a map take."""
    study, (rows, columns), (weights, _, n, batch) = sweep.base, sweep.shape, _sizes(sweep)
    assert isinstance(study, Study)
    updates = study["epochs"] * np.ceil(n / batch)
    called = asked(optimizers[study["optimizer"]], {})
    shapes: dict[Any, int] = {}
    row = [shapes.setdefault(shape(sweep.study(r, 0)), len(shapes)) for r in range(rows)]
    column = [shapes.setdefault(shape(sweep.study(0, c)), len(shapes)) for c in range(columns)]
    alike = np.add.outer(np.array(row) * len(shapes), column).ravel()
    products = float(sweep.seeds * study["epochs"] * (weights * n).sum())

    def made(size: int, blocks: int) -> float:
        """Updates of all groups, in blocks of that size and as many at least."""
        block = max(1, min(size, -(-len(alike) // blocks)))
        return float(updates[np.unique(np.arange(len(alike)) // block * len(shapes) ** 2 + alike, return_index=True)[1]].sum())
    here, there = made(sweep.size(Numpy()), BLOCKS), made(sweep._fitting(ON_GPU, math.inf), FEW)
    return Load((called.gradients + called.values) * (products + UPDATE * here) + CELL * len(alike), products / max(there, 1.0))


# --- axes ---------------------------------------------------------------------------------------------------------------------------------


def settings(base: Run | Study) -> dict[str, Any]:
    """What can stand on an axis, with what its values may be: numbers that cells may differ in; of networks, a grid's axes too."""
    if isinstance(base, Study):
        table = settings_of_training(dict(base.training.values))
        own = {key: axis.setting for key, axis in axes.items()}
        return own | {key: p for key, p in table.items() if key not in own and isinstance(p, Param) and not p.one and not key.endswith("seed")}
    table = settings_of(base.surface, optimizers[base.optimizer], schedules[base.schedule])
    own = {key: replace(p, optional=False) for key, p in table.items() if isinstance(p, Param) and not p.one and not key.startswith("surface_")}
    return own | dict.fromkeys(STARTS, START)


def seeds_of(base: Run | Study) -> Param:
    """How many seeds a cell may run from."""
    return SEEDS if isinstance(base, Run) else replace(TRAINED, default=SEEDS.default, log=True)


def both(base: Run | Study, x: Axes, y: Axes) -> tuple[Line, Line]:
    """Both axes; those that nobody names are the rate and, of networks, the penalty."""
    allowed = settings(base)
    first = line("x", (LAMBDA if isinstance(base, Study) else "lr") if x is None else x, allowed)
    others = [key for key in allowed if key not in (first.key, *STARTS)]
    return first, line("y", ("lr" if "lr" in others else others[0]) if y is None else y, allowed)


def line(name: str, given: Any, allowed: Mapping[str, Any]) -> Line:
    """An axis as it is asked for: a setting alone, with (low, high, count[, "log"]), or with its values in a list."""
    key, values = (given, None) if isinstance(given, str) else given[:2] if isinstance(given, (tuple, list)) and len(given) > 1 else (None, None)
    if not isinstance(key, str):
        raise out_of_range(name, given, T('a setting and its values, such as ("lr", (0.001, 1, 33, "log")) or ("lr", [0.01, 0.1])',
                                          'настройка и её значения, например ("lr", (0.001, 1, 33, "log")) или ("lr", [0.01, 0.1])'))
    if key not in allowed:
        if key.startswith("surface_"):
            raise Refused(T(f"{key} is a part of the surface, and all cells of a map descend one surface; make a map for each value",
                            f"{key} — часть поверхности, а все клетки карты спускаются по одной; постройте по карте на каждое значение"))
        if key in ("steps", "seed", "epochs", "history_size", "val"):
            raise Refused(T(f"{key} is one for the whole map; vary one of: {', '.join(allowed)}",
                            f"{key} — одно на всю карту; меняйте что-нибудь из: {', '.join(allowed)}"))
        raise unknown_name(key, allowed)
    p = allowed[key]
    if isinstance(given, (Line, Varied)):
        values = given.span if isinstance(given, Line) and given.span else list(given.values)
    if values is None:
        values = usual(key, p)
    span = None
    if isinstance(p, Param) and isinstance(values, tuple) and (len(values) == 3 or (len(values) == 4 and isinstance(values[3], str))):
        low, high, count, spacing = (*values, EVEN)[:4]
        values = spread(key, p, low, high, count, spacing)
        span = (values[0], values[-1], int(count), spacing)
    if (isinstance(values, str) or not isinstance(values, (Sequence, np.ndarray)) or not 1 <= len(values) <= COUNT.allowed.high
            or any(np.ndim(v) for v in values)):
        raise out_of_range(key, values, T(f"1 to {COUNT.allowed.high:.0f} values, or (low, high, count)",
                                          f"от 1 до {COUNT.allowed.high:.0f} значений или (от, до, сколько)"))
    return Line(key, tuple(dict.fromkeys(p.check(key, v) for v in values)), span)


def usual(key: str, p: Any) -> Any:
    """The values of a setting where nobody says any: its slider's, or those of a grid's axis."""
    if not isinstance(p, Param):
        return list(axes[key].values)
    return (p.low or p.high * 1e-4, p.high, COUNT.default, LOG) if p.log else (p.low, p.high, COUNT.default, EVEN)


def spread(key: str, p: Param, low: Any, high: Any, count: Any, spacing: Any) -> list[float]:
    """Values between two ends, of six digits, so that what is printed is what was run; of whole numbers each once."""
    first, last = (p.check(key, end) for end in (low, high))
    count = COUNT.check(f"{key}: count", count)
    if spacing not in (EVEN, LOG) or None in (first, last) or np.ndim(first) or np.ndim(last) or (spacing == LOG and min(first, last) <= 0):
        raise out_of_range(key, (low, high, count, spacing), T('(low, high, count), or with "log" behind them where both ends are above 0',
                                                               '(от, до, сколько), а с "log" в конце оба края должны быть больше 0'))
    even = np.geomspace(first, last, count) if spacing == LOG else np.linspace(first, last, count)
    return [first, *(round(v) if p.whole else float(f"{v:.6g}") for v in even[1:-1].tolist()), last]


def _smaller(base: Run | Study, lines: Sequence[Axes], tolerance: float) -> Sweep | None:
    """The same map from one seed, with as many values as a link may have, or along the usual axes; None where nothing helps."""
    for given in (lines, (None, None)):
        for count in FEWER:
            try:
                x, y = (thinned(axis, count) for axis in both(base, *given))
                return Sweep(base, x, y, 1, tolerance)
            except Refused:
                continue
    return None


def thinned(axis: Line, count: int) -> tuple[str, Any]:
    """An axis with no more values than that, from end to end."""
    if axis.span is not None:
        low, high, many, spacing = axis.span
        return axis.key, (low, high, min(many, count), spacing)
    return axis.key, [axis.values[k] for k in np.unique(np.linspace(0, len(axis.values) - 1, min(len(axis.values), count)).astype(int))]


def written(name: str, text: str, allowed: Mapping[str, Any]) -> Line:
    """An axis as a query holds it."""
    key, *parts = text.split(",")
    if key not in allowed or not parts:
        return line(name, key, allowed)
    if parts[0] in (EVEN, LOG) and isinstance(allowed[key], Param):
        low, high, count = map(float, parts[1:])
        return line(name, (key, (low, high, count, parts[0])), allowed)
    return line(name, (key, [allowed[key].parse(key, part) for part in parts]), allowed)


# --- what came of it ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Swept:
    """What came of it: arrays (rows of y, columns of x), by name as swept["loss"] or swept.loss.

    Of descents: `loss` is the median of the final losses over the seeds, infinite where it diverged; `reached` the share of the seeds that
    end within the tolerance of a best minimum and belong to it, and `steps` the mean of the steps from which on their loss stays so low, nan
    where there are none; `escaped` the share that end nearest to a best minimum and belong to it, `diverged` the share that left the numbers.
    Without a minimum that is known, what is measured by it is nan.

    Of networks, means over the seeds from which it did not diverge of what `train` tells of its last pass, or of the best where there was
    patience: `accuracy_val`, `accuracy_train` (of classes), `loss_val`, `loss_train`, nan and infinite where it diverged from half of the seeds
    or more; `diverged` is the share of the seeds from which it left the numbers.
    """

    sweep: Sweep
    arrays: Mapping[str, np.ndarray]
    where: Where

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            raise unknown_name(name, self.arrays)
        return self.arrays[name]

    def __getattr__(self, name: str) -> np.ndarray:
        if name != "arrays" and name in self.arrays:
            return self.arrays[name]
        raise AttributeError(f"this sweep has no {name!r}")

    @property
    def x(self) -> tuple[Any, ...]:
        """The values by column."""
        return self.sweep.x.values

    @property
    def y(self) -> tuple[Any, ...]:
        """The values by row."""
        return self.sweep.y.values

    def cell(self, row: int, column: int) -> Run | Study:
        """What ran in a cell, to be watched."""
        return self.sweep.cell(row, column)


def sweep(base: Run | Training | Study | Sweep, x: Axes = None, y: Axes = None, seeds: int | None = None, *,
          tolerance: float | None = None, backend: str = "auto", device: str = "auto", dtype: str | None = None,
          processes: int | None = None, scheduler: str | None = None, progress: Callable[..., Any] | None = None, keep: bool = True) -> Swept:
    """Run the base once in every cell of a map over two of its settings.

    An axis is a setting with its values: x=("lr", (0.001, 1, 33, "log")) for 33 between two ends, y=("beta1", [0, 0.5, 0.9]) for some in
    a list; without it, it is one of the base's settings over its usual range. `seeds` are draws of the noise, or a training's own seed and those
    after it. Where it runs, and what `progress` and `keep` are, is as with `basin`. Networks are trained in float64, unless float32 is asked for;
    by torch operation by operation, which pays on a GPU where updates are large, all are shown the same points and the whole is long.
    """
    if not isinstance(base, (Run, Training, Study, Sweep)):
        raise out_of_range("base", base, T("a Run, a Training, a Study or a Sweep", "Run, Training, Study или Sweep"))
    asked: dict[str, Any] = {name: value for name, value in {"x": x, "y": y, "seeds": seeds, "tolerance": tolerance}.items() if value is not None}
    if isinstance(base, Sweep):
        finished(base, asked)
    else:
        base = Sweep(base, **asked)
    found = compute(base, backend=backend, device=device, dtype=dtype, processes=processes, scheduler=scheduler, progress=progress, keep=keep)
    notes = [CHAOS, *[SINGLE] * (found.where.dtype == "float32")] if isinstance(base.base, Study) and found.where.backend == "torch" else []
    return Swept(base, found.arrays, noted(found.where, notes))
