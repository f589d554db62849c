"""Landscape: the training loss of a network on a plane through its trained weights, and the paths of optimizers as that plane shows them.

After Li et al. 2018, Visualizing the Loss Landscape of Neural Nets. The loss is that of the figures: without penalties, label smoothing and
dropout; a batch normalization keeps the moments of the trained network wherever on the plane.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlencode

import numpy as np

from .backend import Numpy
from .basin import checked_shape
from .chance import Draw, generator
from .core import Choice, Param, Range, Refused, T, out_of_range, rounded, short
from .datasets import Dataset, datasets
from .ending import stopped
from .heavy import FEW, Part, Where, compute, finished, own, pays
from .minima import Box
from .nn import Moments, Net
from .optimizers import optimizers as known
from .query import Query
from .store import load, save
from .study import Study, changed
from .trainer import MOST_KEPT, Trainer
from .training import Training, as_text

SIDE = Param(65, 3, 512, log=True, allowed=Range(3, 512), whole=True, one=True)
REACH = Param(1.0, 0.01, 10.0, log=True, allowed=Range(0, 1e6, open_low=True), one=True)
SEED = Param(0, 0, 2**32 - 1, allowed=Range(0, 2**32 - 1), whole=True, one=True)
DIRECTIONS = Choice("principal", ("principal", "random"))
ROOM = 0.2  # around the paths, as a share of how far they reach
NARROW = 0.5  # the shorter side of their plane, at least, as a share of the longer
MULTIPLIED = 1e11  # multiplications that the cells may take: minutes on one core …
UPDATES = 1_000_000  # … and updates of a layer that all trainings may make, …
KEPT = 2**24  # … and weights that their snapshots may hold together
AT_ONCE = 2**15  # numbers of one layer that some cells have together: they stay in cache
BLOCK = 64  # times as many are worth a process's while
ON_GPU = 2**26  # numbers of all layers, and weights, that some cells have together there
STEP = 1e-3  # of the plane's half: how far from the trained weights their curvature is measured
SAME = 1e-9  # two directions whose second part is as small beside the first are one
RISE = 0.1  # of the loss: where it is no more above that of the trained weights, it is flat
FORWARD, LAYERS, PASSES = 2.5e8, 1e4, 1e3  # multiplications of the forward pass, updates of a layer, and passes, that one core makes in a second
BACK = 3  # times as many multiplications a training makes as the forward pass


# --- the spec ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, init=False)
class Slice:
    """The spec: a training, the plane through its weights, and the other optimizers, with their rates, whose paths the plane shows.

    `directions` are the "principal" ones of all paths, as long as weights are, or "random" ones in which each neuron's weights are as long as
    its trained ones, biases and normalizations staying where they are. `span` is how far the plane reaches both ways, a box, or None: as far
    as the paths do (1 in random directions).
    """

    source: Training | Study
    others: tuple[tuple[str, float], ...]
    directions: str
    seed: int
    span: Box | None
    shape: tuple[int, int]

    def __init__(self, source: Training | Study, optimizers: Any = (), directions: str = DIRECTIONS.default, seed: int = SEED.default,
                 span: Any = None, shape: Any = (SIDE.default, SIDE.default)):
        put = object.__setattr__
        put(self, "source", source.run if isinstance(source, Study) else source)
        put(self, "directions", DIRECTIONS.check("directions", directions))
        put(self, "seed", SEED.check("seed", seed))
        put(self, "span", None if span is None else _box(span))
        put(self, "shape", checked_shape(shape, SIDE))
        given = optimizers.items() if isinstance(optimizers, Mapping) else [optimizers] if isinstance(optimizers, str) else optimizers
        rates: dict[str, float] = {}
        for one in given:
            key, lr = (one, None) if isinstance(one, str) else one
            key = known[key].key
            other = self.changed(key, lr).training if isinstance(source, Study) else self.changed(key, lr)
            if key != self.training["optimizer"]:
                rates[key] = other["lr"]
            elif other["lr"] != self.training["lr"]:
                raise Refused(T(f"the training itself is by {key}, with lr={self.training['lr']}; leave {key} out of the others",
                                f"само обучение ведёт {key} с lr={self.training['lr']}; уберите {key} из остальных"))
        put(self, "others", tuple(rates.items()))
        self._check_size()

    @property
    def training(self) -> Training:
        """What is trained."""
        return self.source.training if isinstance(self.source, Study) else self.source

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights to begin with, where somebody set them."""
        return self.source.weights if isinstance(self.source, Study) else ()

    @property
    def definitions(self) -> list[Any]:
        """What it names by a key and runs."""
        return [*self.training.definitions, *(known[key] for key, _ in self.others)]

    def changed(self, optimizer: str, lr: float | None) -> Any:
        """The same by another optimizer; without a rate it keeps the training's, where that means the same to both."""
        changes = {"optimizer": optimizer, **({} if lr is None else {"lr": lr})}
        return self.source.at(**changes) if isinstance(self.source, Study) else changed(self.source, None, changes)[0]

    def _check_size(self) -> None:
        """Refuse what nobody could wait for, or hold."""
        base, rows, columns = base_of(self.training), *self.shape
        weights, n, paths = base.net.size, base.count + base.val_count, 1 + len(self.others)
        if (work := float(rows * columns * weights * n)) > MULTIPLIED:
            made, most = short(float(f"{work:.2g}")), short(MULTIPLIED)
            raise Refused(T(f"{rows} × {columns} cells of {weights} weights on {n} points take {made} multiplications, more than {most}; choose "
                            "fewer cells, smaller layers or fewer points",
                            f"{rows} × {columns} ячеек, {weights} весов, {n} точек — это {made} умножений, больше предела {most}; уменьшите число "
                            "ячеек, слои или число точек"))
        passes, layers = self.training["epochs"], base.net.hidden + 1
        if (updates := paths * passes * base.per_pass * layers) > UPDATES:
            raise Refused(T(f"{paths} × {passes} passes in batches of {base.size} update {layers} layers {updates} times, more than {UPDATES}; "
                            "choose fewer passes or larger batches",
                            f"{paths} × {passes} эпох с пакетом {base.size} — это {updates} обновлений слоёв ({layers} за шаг), больше {UPDATES}; "
                            "уменьшите число эпох или увеличьте пакет"))
        if (held := paths * min(passes + 1, MOST_KEPT) * weights) > KEPT:
            raise Refused(T(f"the snapshots of {paths} paths hold {held} weights, more than {KEPT}; choose smaller layers or fewer optimizers",
                            f"снимки {paths} путей содержат {held} весов, больше предела {KEPT}; уменьшите слои или число оптимизаторов"))

    # --- in a line ------------------------------------------------------------------------------------------------------------------------

    def pairs(self) -> list[tuple[str, str]]:
        """The fields of the query besides the source's."""
        rows, columns = self.shape
        box = [] if self.span is None else [("span", ",".join(repr(v) for side in self.span for v in side))]
        kind = [("of", "study")] if isinstance(self.source, Study) else []
        return [*kind, ("directions", self.directions), ("directions_seed", str(self.seed)), *box, ("rows", str(rows)), ("columns", str(columns)),
                *(("path", f"{key},{lr!r}") for key, lr in self.others)]

    def to_query(self) -> str:
        """The spec in a line, for a URL."""
        return "&".join([self.source.to_query(), urlencode(self.pairs(), safe=",")])

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None, own: Dataset | None = None, edited: Sequence[float] = ()) -> Slice:
        """The slice of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        of_study = read.all("of") == ["study"]
        given = {"directions": read.attempt("directions", lambda v: DIRECTIONS.parse("directions", v), DIRECTIONS.default),
                 "seed": read.attempt("directions_seed", lambda v: SEED.parse("directions_seed", v), SEED.default),
                 "span": read.attempt("span", _read_box, None),
                 "shape": tuple(read.attempt(name, lambda v, name=name: SIDE.parse(name, v), SIDE.default)  # type: ignore[misc]
                                for name in ("rows", "columns"))}
        paths = [path for text in read.all("path") if (path := read.read("path", text, _read_path, None))]
        source = Study.from_query(read.rest(), notes, own, edited) if of_study else Training.read(read, own)
        for of, others in ((source, paths), (source, []), (Training(), [])):
            try:
                return Slice(of, others, **given)
            except Refused as refusal:
                read.note(refusal)
        raise AssertionError("the default is possible")

    def line(self) -> str:
        """The whole spec in a line, a visitor's own data and weights included."""
        t = self.training
        own = "" if t["data"].key in datasets else hashlib.sha256(repr((t["data"].make, t["data"].labels)).encode()).hexdigest()
        stops = self.source.stops if isinstance(self.source, Study) else ()
        return f"{urlencode([*t.pairs(), *self.pairs()])} {own} {as_text(self.weights)} {stops}"


def _box(span: Any) -> Box:
    """How far the plane reaches: a number both ways, or a box that holds the trained weights."""
    if not np.ndim(span):
        reach = REACH.check("span", span)
        return (-reach, reach), (-reach, reach)
    try:
        (x0, x1), (y0, y1) = [[float(v) for v in side] for side in span]
    except (TypeError, ValueError):
        x0 = x1 = y0 = y1 = np.nan
    if not (x0 <= 0 <= x1 and y0 <= 0 <= y1 and 0 < x1 - x0 <= REACH.allowed.high and 0 < y1 - y0 <= REACH.allowed.high):
        raise out_of_range("span", span, T("a number, or ((x0, x1), (y0, y1)) around (0, 0), where the trained weights are",
                                           "число или ((x0, x1), (y0, y1)) вокруг (0, 0), где лежат обученные веса"))
    return (x0, x1), (y0, y1)


def _read_box(text: str) -> Box:
    parts = text.split(",")
    try:
        x0, x1, y0, y1 = map(float, parts)
    except ValueError:
        return _box(parts)
    return _box(((x0, x1), (y0, y1)))


def _read_path(text: str) -> tuple[str, float]:
    key, _, lr = text.partition(",")
    optimizer = known[key]
    return optimizer.key, float(lr)


@lru_cache(maxsize=4)
def base_of(training: Training) -> Trainer:
    """The network of a training with its data, before the first pass."""
    return Trainer(training)


def seconds(of: Slice) -> tuple[float, float]:
    """About how long one pass of a training takes on one core, and all cells."""
    base = base_of(of.training)
    forward = base.net.size * (base.count + base.val_count) / FORWARD
    return BACK * forward + base.per_pass * (base.net.hidden + 1) / LAYERS + 1 / PASSES, of.shape[0] * of.shape[1] * forward


# --- the field --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cells:
    """The losses on the plane, as a field: what is needed of a trained network anywhere."""

    slice: Slice
    centre: np.ndarray  # (P,): the trained weights
    ways: np.ndarray  # (2, P): where x and y go
    running: tuple[np.ndarray, ...]  # of each batch normalization, mean and variance
    x: np.ndarray
    y: np.ndarray
    fused: ClassVar = False
    exact: ClassVar = True  # neighbours are compared, and what is near zero counts

    @property
    def shape(self) -> tuple[int, int]:
        return self.slice.shape

    @property
    def arrays(self) -> Mapping[str, str]:
        return {"loss": "float64", "loss_val": "float64"}

    @property
    def work(self) -> float:
        return float(self.shape[0] * self.shape[1]) * self.centre.size * len(base_of(self.slice.training).all_targets) / 16

    @property
    def definitions(self) -> Sequence[Any]:
        return self.slice.definitions

    def spec(self) -> str:
        return f"landscape {self.slice.line()}"

    def size(self, machine: Numpy) -> int:
        return self._together(machine.accelerated) * (1 if machine.accelerated else BLOCK)

    def _together(self, on_gpu: bool) -> int:
        base = base_of(self.slice.training)
        n = base.all_x.shape[-2]
        return max(1, ON_GPU // (sum(base.net.widths) * n + base.net.size) if on_gpu else AT_ONCE // (max(base.net.widths) * n))

    @property
    def wide(self) -> bool:
        net, some = base_of(self.slice.training).net, min(self._together(True), self.shape[0] * self.shape[1] // FEW)
        return pays(some * net.size * len(base_of(self.slice.training).all_targets), seconds(self.slice)[1])

    def piece(self, low: int, high: int, machine: Numpy) -> dict[str, np.ndarray]:
        """Some cells: as many networks at a time as stay in cache, or as a GPU likes."""
        row, column = np.divmod(np.arange(low, high), self.shape[1])
        return dict(zip(self.arrays, self.losses(np.stack([self.x[column], self.y[row]]), machine), strict=True))

    def losses(self, places: np.ndarray, machine: Numpy | None = None) -> np.ndarray:
        """The training and the validation loss at places (2, n) of the plane."""
        base = base_of(self.slice.training)
        if machine is not None and machine.xp is not np:
            base = base.fork()
            base.move(machine)
        there, some = base.machine.array, self._together(base.machine.accelerated)
        running = [Moments(*map(there, pair)) for pair in zip(self.running[::2], self.running[1::2], strict=True)] or None
        out = [np.stack(base.figures(there(self.centre[:, None] + self.ways.T @ places[:, at:at + some]), running)[:2])
               for at in range(0, places.shape[1], some)]
        return np.concatenate(out, -1)


# --- what came of it --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Landscape:
    """The loss at y[row], x[column] of the plane, the trained weights being at (0, 0), and the path of each optimizer on it.

    A path has a place for each snapshot, made after the passes in `passes`; the network there has the loss in `losses`, and its foot on the
    plane that in `feet`. `shares` is the part of a path's squared distances from the trained weights that lies in the plane, `captured` that
    of all paths' variance along each of two principal directions. `curvature` is the second derivative along x and y at the trained weights.
    """

    slice: Slice
    x: np.ndarray
    y: np.ndarray
    loss: np.ndarray
    loss_val: np.ndarray
    paths: dict[str, np.ndarray]
    passes: dict[str, np.ndarray]
    losses: dict[str, np.ndarray]
    feet: dict[str, np.ndarray]
    shares: dict[str, float]
    captured: tuple[float, float] | None
    curvature: tuple[float, float]
    where: Where | None  # None while it is computed; then a cell that is not there yet is no number

    @property
    def centre(self) -> tuple[int, int]:
        """The row and column of the trained weights."""
        return int(np.flatnonzero(self.y == 0)[0]), int(np.flatnonzero(self.x == 0)[0])

    @property
    def hollows(self) -> int:
        """How many cells within the picture lie lower than all eight around them."""
        f = self.loss
        inner = f[1:-1, 1:-1]
        rows, columns = f.shape
        around = [f[i:rows - 2 + i, j:columns - 2 + j] for i in range(3) for j in range(3) if (i, j) != (1, 1)]
        return int(np.logical_and.reduce([inner < other for other in around]).sum())

    @property
    def flat(self) -> float:
        """The share of the picture in which the loss is at most RISE above that of the trained weights."""
        return float((self.loss <= self.loss[self.centre] + RISE).mean())


def landscape(training: Training | Study | Slice, *, directions: str | None = None, seed: int | None = None, span: Any = None,
              shape: Any = None, optimizers: Any = None, backend: str = "auto", device: str = "auto", dtype: str | None = None,
              processes: int | None = None, scheduler: str | None = None, progress: Callable[..., Any] | None = None, keep: bool = True) -> Landscape:
    """The loss of a training on a plane through its trained weights, and the paths of it and of other optimizers there.

    `optimizers` are keys, or keys with rates: {"sgd": 0.1}. `directions` are "principal", which show the paths best, or "random" with a
    `seed`, which let networks be compared. The networks are trained by NumPy; where the cells are computed, and what `progress` and `keep` are,
    is as with `basin`, in float64 unless float32 is asked for; `progress` counts seconds, and its part is a landscape.
    """
    given = {"optimizers": optimizers, "directions": directions, "seed": seed, "span": span, "shape": shape}
    asked: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if isinstance(training, Slice):
        finished(training, asked)
    spec = training if isinstance(training, Slice) else Slice(training, **asked)
    one, cells_take = seconds(spec)
    train = one * (1 + len(spec.others)) * max(spec.training["epochs"], 1)
    name, keep = f"paths {spec.line()}", keep and all(map(own, spec.definitions))
    found = load(name) if keep else None
    arrays = found[0] if found is not None else _trained(spec, progress and (lambda passes: progress(one * passes, train + cells_take, None)))
    if keep and found is None:
        save(name, arrays, {})
    cells = _cells(spec, arrays)
    keys = [spec.training["optimizer"], *dict(spec.others)]
    each: dict[str, Any] = {name: {key: arrays[f"{name} {key}"] for key in keys} for name in ("paths", "passes", "losses", "feet")}
    captured = tuple(arrays["captured"].tolist()) or None
    shares = {key: float(arrays[f"share {key}"]) for key in keys}

    def with_cells(losses: Mapping[str, np.ndarray], where: Where | None) -> Landscape:
        return Landscape(spec, cells.x, cells.y, losses["loss"], losses["loss_val"], **each, shares=shares, captured=captured,
                         curvature=tuple(arrays["curvature"].tolist()), where=where)

    def tell(done: int, whole: int, part: Part | None = None) -> None:
        if progress:
            so_far = part and with_cells({name: np.where(part.ready, a, np.nan) for name, a in part.arrays.items()}, None)
            progress(train + cells_take * done / whole, train + cells_take, so_far)
    return with_cells(*compute(cells, backend=backend, device=device, dtype=dtype, processes=processes, scheduler=scheduler, progress=tell,
                                   keep=keep))


def _cells(spec: Slice, arrays: Mapping[str, np.ndarray]) -> Cells:
    """The field of what was trained."""
    running = tuple(arrays[f"running {i}"] for i in range(sum(name.startswith("running") for name in arrays)))
    return Cells(spec, arrays["centre"], arrays["ways"], running, arrays["x"], arrays["y"])


def _trained(spec: Slice, tell: Callable[[int], Any] | None = None) -> dict[str, np.ndarray]:
    """Everything but the cells: the weights in the middle, the directions, and the paths on their plane. `tell` hears of the passes made."""
    runs = dict(_runs(spec, tell or (lambda passes: None)))
    theta, running = next(iter(runs.values())).now
    away = {key: np.stack([snapshot for _, snapshot, _ in trainer.snapshots]) - theta for key, trainer in runs.items()}
    first = next(iter(away.values()))
    captured = np.empty(0)
    if spec.directions == "random":
        ways = normalized(base_of(spec.training).net, theta, spec.seed)
    elif any(part.any() for part in away.values()):
        ways, captured = principal(np.concatenate(list(away.values())), first[0])
    else:
        raise Refused(T("the training moved no weight, so there is no path to lay a plane through; raise the learning rate or take random directions",
                        "обучение не сдвинуло ни одного веса, и плоскость провести не через что; увеличьте скорость обучения или выберите случайные "
                        "направления"))
    if np.linalg.matrix_rank(ways, SAME) < 2:
        raise Refused(T("there are no two directions to draw a plane along; give the network more weights, or train it for more passes",
                        "нет двух направлений, чтобы провести плоскость; добавьте сети весов или эпох обучения"))
    paths = {key: np.linalg.lstsq(ways.T, d.T, rcond=None)[0] for key, d in away.items()}
    box = spec.span or (_box(REACH.default) if spec.directions == "random" else _around(list(paths.values())))
    x, y = (places(*side, count) for side, count in zip(box, spec.shape[::-1], strict=True))
    out = {"centre": theta, "ways": ways, "captured": captured, "x": x, "y": y}
    for i, moment in enumerate(part for m in running or () for part in m):
        out[f"running {i}"] = moment
    field = _cells(spec, out)
    for key, trainer in runs.items():
        passes = np.array([at for at, *_ in trainer.snapshots])
        whole = (away[key] ** 2).sum()
        out |= {f"paths {key}": paths[key], f"passes {key}": passes, f"losses {key}": np.array([trainer.rows[at][0] for at in passes]),
                f"feet {key}": field.losses(paths[key])[0],
                f"share {key}": np.array(((ways.T @ paths[key]) ** 2).sum() / whole if whole else 1.0)}
    h = STEP * np.array([np.abs(a).max() for a in (x, y)])
    middle, *around = field.losses(np.array([[0, h[0], -h[0], 0, 0], [0, 0, 0, h[1], -h[1]]]))[0]
    out["curvature"] = (np.array(around).reshape(2, 2).sum(1) - 2 * middle) / h**2
    return out


def _runs(spec: Slice, tell: Callable[[int], Any]) -> Iterator[tuple[str, Trainer]]:
    """Every optimizer's training, the spec's own first."""
    for i, (key, lr) in enumerate(((spec.training["optimizer"], spec.training["lr"]), *spec.others)):
        source = spec.changed(key, lr)
        study = source if isinstance(source, Study) else None
        trainer = study.trainer() if study else Trainer(source)

        def over(study: Study | None = study, trainer: Trainer = trainer) -> bool:
            return study is not None and stopped(study, trainer) is not None
        trainer.run(lambda *_, before=i * spec.training["epochs"], trainer=trainer: tell(before + trainer.passes), over)
        if (at := int(trainer.diverged_at)) >= 0:
            name = known[key].name
            raise Refused(T(f"{name.en} with lr={lr} diverged in pass {at}, so there are no trained weights; lower its rate",
                            f"{name.ru} с lr={lr} разошёлся в эпоху {at}, обученных весов нет; уменьшите его скорость обучения"))
        yield key, trainer


# --- directions -------------------------------------------------------------------------------------------------------------------------


def normalized(net: Net, theta: np.ndarray, seed: int) -> np.ndarray:
    """(2, P): random directions in which the weights into a neuron are as long as its trained ones; all that is no weight stays."""
    rng, ways = generator(seed, Draw.DIRECTIONS), np.zeros((2, net.size))
    for way in ways:
        for block in net.blocks:
            if block.kind == "weight":
                drawn = rng.standard_normal(block.shape)
                way[block.at] = (drawn * (np.linalg.norm(theta[block.at].reshape(block.shape), axis=0) / np.linalg.norm(drawn, axis=0))).ravel()
    return ways


def principal(away: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(2, P): the two directions, of length 1, in which weights vary most, the start lying below 0 in both; and the share of each."""
    _, size, ways = np.linalg.svd(away - away.mean(0), full_matrices=False)
    ways = ways[:2] * np.where(size[:2, None] > SAME * size[0], 1.0, 0.0)
    return ways * np.where(ways @ start > 0, -1.0, 1.0)[:, None], size[:2] ** 2 / ((size**2).sum() or 1.0)


def _around(paths: Sequence[np.ndarray]) -> Box:
    """The box that holds all paths with room around."""
    low, high = np.min([p.min(1) for p in paths], 0), np.max([p.max(1) for p in paths], 0)
    wide = (1 + 2 * ROOM) * np.maximum(high - low, NARROW * (high - low).max())
    (x0, y0), (x1, y1) = ((low + high - wide) / 2).tolist(), ((low + high + wide) / 2).tolist()
    return (x0, x1), (y0, y1)


def places(low: float, high: float, count: int) -> np.ndarray:
    """Even places from end to end, moved by at most half a cell so that 0 is one of them."""
    step = (high - low) / (count - 1)
    return (np.arange(count) - np.clip(np.rint(-low / step), 0, count - 1)) * step


# --- in a sentence ----------------------------------------------------------------------------------------------------------------------


def told(of: Landscape) -> T:
    """In a few sentences: how much of the paths the plane shows, how sharp the minimum is, and where the plane is not the network."""
    en, ru = list[str](), list[str]()
    if of.captured is not None:
        both = [percent(c) for c in (sum(of.captured), *of.captured)]
        en.append(f"The plane captures {both[0]} % of the paths' variance: {both[1]} % along x, {both[2]} % along y.")
        ru.append(f"Плоскость передаёт {both[0]} % разброса путей: {both[1]} % вдоль x, {both[2]} % вдоль y.")
    elif len(of.shares) == 1:
        share = percent(next(iter(of.shares.values())))
        en.append(f"In this random plane lies {share} % of the path.")
        ru.append(f"В этой случайной плоскости лежит {share} % пути.")
    loss, (a, b), flat = rounded(float(of.loss[of.centre])), (rounded(c) for c in of.curvature), percent(of.flat)
    en.append(f"The trained network has a loss of {loss}, and {flat} % of the picture lies at most {short(RISE)} higher; the curvature there is {a} "
              f"along x and {b} along y{f', and the picture has {of.hollows} hollows' * (of.hollows > 1)}.")
    ru.append(f"Потеря обученной сети — {loss}; {flat} % картинки лежат выше неё не больше чем на {short(RISE)}; кривизна в этой точке — {a} вдоль x "
              f"и {b} вдоль y{f', локальных ям на картинке: {of.hollows}' * (of.hollows > 1)}.")
    true, foot = (rounded(float(next(iter(losses.values()))[0])) for losses in (of.losses, of.feet))
    en.append(f"At the first weights the network has a loss of {true}, the plane below them {foot}.")
    ru.append(f"В начальных весах потеря сети {true}, а плоскости под ними — {foot}.")
    return T(" ".join(en), " ".join(ru))


def percent(share: float) -> str:
    """A share in percent, whole where it is more than a tenth."""
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"
