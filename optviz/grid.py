"""Grid: one study with two of its settings varied, all else the same; the networks of one shape are trained in lockstep."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np

from .augment import augmentations
from .backend import Numpy
from .core import Choice, Param, Range, Refused, Registry, T, out_of_range, short
from .datasets import Own
from .losses import losses
from .names import WORDS as SAID
from .penalties import STRENGTH, penalties
from .query import Query
from .study import LIMITS, Study
from .trainer import MOST_KEPT, Trainer
from .training import COMMON, WORDS, Place, as_text, settings_of

MOST = 8  # values on an axis
KEPT = 2**22  # weights that all snapshots of a grid may hold together …
WORK = 2e8  # … and multiplications in a pass of all networks
STRONG = 0.01  # λ where a kind of penalty is asked for and no strength
SEEDS = Param(1, 1, 16, allowed=Range(1, 32), whole=True)


# --- what can be varied -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Axis:
    """A setting with values worth comparing; `change(study, value)` is what a value makes of a study."""

    key: str
    name: T
    values: tuple[Any, ...]
    setting: Any
    change: Callable[[Study, Any], Mapping[str, Any]]
    head: Callable[[Any], T]

    def check(self, values: Any) -> tuple[Any, ...]:
        """Values that can stand on this axis."""
        values = tuple(values) if isinstance(values, Sequence) and not isinstance(values, str) else (values,)
        if not 1 <= len(values) <= MOST:
            raise out_of_range(self.key, values, T(f"1 to {MOST} values", f"от 1 до {MOST} значений"))
        return tuple(dict.fromkeys(self.setting.check(self.key, v) for v in values))

    def parse(self, text: str) -> tuple[Any, ...]:
        """The values of a text, with commas between them."""
        parts = text.replace(",", ".").split(";") if ";" in text else text.split(",")  # a comma may be a decimal sign
        return self.check([self.setting.parse(self.key, part.strip()) for part in parts if part.strip()])


axes: Registry[Axis] = Registry()
KIND, LAMBDA = "penalty", "lambda"  # what a penalty is takes both


def _axis(key: str, name: T, values: tuple[Any, ...], setting: Any, change: Callable[[Study, Any], Mapping[str, Any]] | None = None,
          head: Callable[[Any], T] | None = None) -> None:
    axes.add(key, Axis(key, name, values, setting, change or (lambda study, value: {key: value}), head or (lambda v: _numbered(name, v))))


def _numbered(name: T, value: Any) -> T:
    if value is None:
        return T(f"{name.en}: none", f"{name.ru}: нет")
    return T(f"{name.en} {short(value)}", f"{name.ru} {short(value)}")


def _counted(name: T) -> Callable[[Any], T]:
    """A number that English puts first."""
    return lambda v: T(f"{short(v)} {name.en}", f"{name.ru}: {short(v)}")


def _worded(name: T) -> Callable[[str], T]:
    return lambda word: T(f"{name.en}: {SAID[word].en}", f"{name.ru}: {SAID[word].ru}")


_axis("width", T("neurons", "нейронов"), (3, 6, 20), Param(8, 1, 64, allowed=Range(1, 64), whole=True),
      lambda study, value: {"layers": (value,) * max(len(study["layers"]), 1)}, _counted(T("neurons", "нейронов")))
_axis("depth", T("hidden layers", "скрытых слоёв"), (1, 2, 4), Param(1, 0, 8, allowed=Range(0, 8), whole=True),
      lambda study, value: {"layers": ((study["layers"] or (8,))[0],) * value}, _counted(T("hidden layers", "скрытых слоёв")))
_axis(LAMBDA, T("λ =", "λ ="), (0.0, 0.001, 0.01, 0.1), STRENGTH)
_axis(KIND, T("penalty", "штраф"), ("none", "l2", "l1", "elastic"), Choice("l2", ("none", *penalties)),
      head=lambda key: penalties[key].name if key != "none" else T("no penalty", "без штрафа"))
_axis("dropout", T("dropout p =", "дропаут p ="), (0.0, 0.1, 0.3, 0.5), COMMON["dropout"])
_axis("label_smoothing", T("smoothing", "сглаживание"), (0.0, 0.05, 0.1, 0.2), COMMON["label_smoothing"])
_axis("n", T("examples", "примеров"), (20, 50, 200, 1000), LIMITS["n"], head=_counted(T("examples", "примеров")))
_axis("noise", T("noise", "шум"), (0.0, 0.1, 0.2, 0.3), COMMON["noise"])
_axis("label_noise", T("wrong labels", "неверных меток"), (0.0, 0.05, 0.1, 0.2), COMMON["label_noise"])
_axis("augment", T("augmentation", "аугментация"), ("none", "jitter", "rotate", "flip", "shift"), Choice("none", ("none", *augmentations)),
      lambda study, key: {f"augment_{k}": float(a.amount.default) if k == key else 0.0 for k, a in augmentations.items()},
      lambda key: augmentations[key].name if key != "none" else T("no augmentation", "без аугментации"))
_axis("batch", T("batch", "пакет"), (1, 4, 16, 64), COMMON["batch"])
_axis("patience", T("patience", "терпение"), (None, 5, 20), COMMON["patience"])
_axis("batchnorm", T("batch norm", "нормализация по пакету"), ("none", "before", "after"), Place(),
      head=_worded(T("batch norm", "нормализация по пакету")))
_axis("lr", T("α =", "α ="), (0.003, 0.01, 0.03, 0.1), settings_of({name: word.default for name, word in WORDS.items()})["lr"])


# --- the spec ---------------------------------------------------------------------------------------------------------------------------


class Varied(NamedTuple):
    """An axis and its values."""

    key: str
    values: tuple[Any, ...]


ROWS, COLUMNS = (Varied(key, axes[key].values) for key in ("width", LAMBDA))


@dataclass(frozen=True, init=False)
class Grid:
    """The study that is varied, what runs down the rows and what along the columns, and over how many seeds the figures' band goes."""

    study: Study
    rows: Varied
    columns: Varied
    seeds: int

    def __init__(self, study: Study, rows: tuple[str, Any] = ROWS, columns: tuple[str, Any] = COLUMNS, seeds: int = SEEDS.default):
        put = object.__setattr__
        put(self, "study", study)
        for name, (key, values) in (("rows", rows), ("columns", columns)):
            put(self, name, Varied(axes[key].key, axes[key].check(values)))
        if self.rows.key == self.columns.key:
            raise Refused(T("rows and columns vary the same; choose two settings",
                            "по строкам и столбцам меняется одно и то же; выберите две настройки"))
        put(self, "seeds", SEEDS.check("seeds", seeds))
        _check_size(self.cells())

    def at(self, **changes: Any) -> Grid:
        """The same with some of its parts changed."""
        mine: dict[str, Any] = {"study": self.study, "rows": self.rows, "columns": self.columns, "seeds": self.seeds}
        return Grid(**mine | changes)

    def cells(self) -> list[Study]:
        """Every study, row by row."""
        return [self.cell(r, c) for r in self.rows.values for c in self.columns.values]

    def cell(self, row: Any, column: Any) -> Study:
        """The study where a row and a column meet."""
        return self.study.at(**changes(self.study, {self.rows.key: row, self.columns.key: column}))

    def heads(self) -> tuple[list[T], list[T]]:
        """What stands before the rows and above the columns."""
        return [axes[self.rows.key].head(v) for v in self.rows.values], [axes[self.columns.key].head(v) for v in self.columns.values]

    def to_query(self) -> str:
        """The URL's query: the study's, and the axes."""
        pairs = [(name, ",".join([axis.key, *map(as_text, axis.values)])) for name, axis in (("rows", self.rows), ("columns", self.columns))]
        pairs += [("seeds", str(self.seeds))] * (self.seeds != SEEDS.default)
        return "&".join([self.study.to_query(), urlencode(pairs, safe=",")])

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Grid:
        """The grid of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        seeds = read.attempt("seeds", lambda v: SEEDS.parse("seeds", v), SEEDS.default)
        rows, columns = (read.attempt(name, varied, axis) for name, axis in (("rows", ROWS), ("columns", COLUMNS)))
        study = Study.from_query(read.rest(), notes)
        for axes_of, network in (((rows, columns), study), ((ROWS, COLUMNS), study), ((ROWS, COLUMNS), Study())):
            try:
                return Grid(network, *axes_of, seeds)
            except Refused as refusal:  # the axes are impossible on this network; or the network is, on any
                read.note(refusal)
        raise AssertionError("the default is possible")


def changes(study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
    """What some axes, or plain settings, at their values make of a study."""
    out: dict[str, Any] = {}
    for key, value in given.items():
        if key not in (KIND, LAMBDA):
            out |= axes[key].change(study, value) if key in axes else {key: value}
    if given.keys() & {KIND, LAMBDA}:
        kind, strength = penalized(study)
        out |= penalty(given.get(KIND, kind), given.get(LAMBDA, strength or STRONG))
    return out


def varied(text: str) -> Varied:
    """An axis as a query holds it: its key, then its values."""
    key, _, values = text.partition(",")
    axis = axes[key]
    return Varied(axis.key, axis.parse(values) if values else axis.values)


def _check_size(studies: Sequence[Study]) -> None:
    """Refuse what a room could not wait for."""
    kept, work = 0, 0.0
    for study in studies:
        weights = weighed(study, study["layers"])
        kept += weights * min(study["epochs"] + 1, MOST_KEPT)
        work += weights * study["n"]
    if kept > KEPT or work > WORK:
        raise Refused(T("these networks are too many or too large for one grid; choose fewer values, smaller layers or fewer examples",
                        "для одной таблицы сети слишком велики или их слишком много; уменьшите число значений, слои или число примеров"))


def weighed(study: Study, layers: Sequence[int]) -> int:
    """How many weights a study's network has with some hidden layers, beside those of normalizations and activations."""
    return sum((a + 1) * b for a, b in pairwise(widths(study, layers)))


def widths(study: Study, layers: Sequence[int]) -> list[int]:
    """How wide its layers are, the inputs first."""
    data = study["data"]
    inputs = len(study["features"]) if data.inputs == 2 else data.inputs or study["data_inputs"]
    classes = study[f"data_{data.labels}"] if isinstance(data.labels, str) else len(data.labels)
    if classes:
        return [inputs, *layers, losses[study["loss"]].outputs(classes)]
    return [inputs, *layers, data.make.outputs if isinstance(data.make, Own) else dict(study.training.values).get("data_outputs", 1)]


def penalized(study: Study) -> tuple[str, float]:
    """The kind of penalty that a study has, and its strength."""
    return next(((key, study[key]) for key in penalties if study[key]), ("l2", 0.0))


def penalty(kind: str, strength: float) -> dict[str, float]:
    """One penalty of some strength, and no other."""
    return {key: strength if key == kind else 0.0 for key in penalties}


# --- trained in lockstep ------------------------------------------------------------------------------------------------------------------


class Group(NamedTuple):
    """Networks of one shape, and which of all they are."""

    members: tuple[int, ...]
    trainer: Trainer


def together(studies: Sequence[Study], seeds: Sequence[int] = ()) -> list[Group]:
    """Studies that can go in lockstep, together; with `seeds`, each from every one of them, seed after seed."""
    alike: dict[tuple, list[int]] = {}
    for k, study in enumerate(studies):
        alike.setdefault(shape(study), []).append(k)
    return [Group(tuple(members), _trainer([studies[k] for k in members], seeds)) for members in alike.values()]


def shape(study: Study) -> tuple[Any, ...]:
    """What studies have in common that can go in lockstep: all but the numbers that members of one batch may differ in."""
    table = settings_of(dict(study.training.values))

    def number(name: str, value: Any) -> bool:
        p = table.get(name)
        return isinstance(p, Param) and not p.one and value is not None
    return tuple((name, value) for name, value in study.training.values if not number(name, value)), study.weights


def _trainer(studies: Sequence[Study], seeds: Sequence[int]) -> Trainer:
    """One trainer for studies of one shape."""
    values = [dict(study.training.values) for study in studies]
    given: dict[str, Any] = {}
    for name, first in values[0].items():
        each = [v[name] for v in values]
        given[name] = first if all(v == first for v in each) else np.tile(np.array(each), max(len(seeds), 1))
    if len(seeds) > 1:
        given["seed"] = np.repeat(np.array(seeds), len(studies))
    elif seeds:
        given["seed"] = seeds[0]  # one for all: they share points and order
    if not any(isinstance(v, np.ndarray) for v in given.values()):
        given["seed"] = np.full(len(studies), given["seed"])
    return Trainer(**given, weights=studies[0].weights or None)


class Lockstep:
    """A grid under way: the groups that are trained, and every cell as a training of its own that follows its group."""

    def __init__(self, grid: Grid):
        self.studies = grid.cells()
        self.groups = together(self.studies)
        self.cells = [trainer for _, trainer in sorted(((k, group.trainer.lone(i)) for group in self.groups for i, k in enumerate(group.members)),
                                                       key=lambda cell: cell[0])]

    @property
    def trainers(self) -> list[Trainer]:
        """What is trained, without its past, which does not travel."""
        out = []
        for _, trainer in self.groups:
            light = copy(trainer)
            light.rows, light.kept = trainer.rows[-1:], []
            out.append(light)
        return out

    @property
    def ended(self) -> bool:
        """Whether nobody trains on."""
        return all(not t.any_going or t.passes >= t.values["epochs"] for _, t in self.groups)

    def take(self, trainers: Sequence[Trainer]) -> None:
        """The groups after some more passes."""
        for group, trainer in zip(self.groups, trainers, strict=True):
            trainer.rows, trainer.kept = [*group.trainer.rows, *trainer.rows[1:]], [*group.trainer.kept, *trainer.kept]
        self.groups = [group._replace(trainer=trainer) for group, trainer in zip(self.groups, trainers, strict=True)]
        for members, trainer in self.groups:
            for i, k in enumerate(members):
                self.cells[k].follow(trainer, i)


def advance(trainers: Sequence[Trainer], seconds: float, passes: int | None = None) -> list[Trainer]:
    """Some after some more passes, who is behind first: so many each, or those that fit into the seconds and one at least."""
    end = time.perf_counter() + seconds
    goals = [t.values["epochs"] if passes is None else t.passes + passes for t in trainers]
    made = 0
    while not made or passes is not None or time.perf_counter() < end:
        behind = min((k for k, t in enumerate(trainers) if t.any_going and t.passes < min(goals[k], t.values["epochs"])),
                     key=lambda k: trainers[k].passes, default=None)
        if behind is None:
            break
        trainers[behind].run(until=trainers[behind].passes + 1)
        made += 1
    return list(trainers)


class Band(NamedTuple):
    """What came of some networks over many seeds, (cells, seeds): losses and accuracies of training and validation in their last pass, and
    who diverged before it."""

    loss_train: np.ndarray
    loss_val: np.ndarray
    accuracy_train: np.ndarray | None
    accuracy_val: np.ndarray | None
    diverged: np.ndarray


def band(studies: Sequence[Study], seeds: Sequence[int], progress: Callable[[int, int], Any] | None = None,
         machine: Numpy | None = None) -> Band:
    """Every study trained from every seed."""
    figures, diverged = np.empty((4, len(studies), len(seeds))), np.zeros((len(studies), len(seeds)), bool)
    labelled = True
    groups = together(studies, seeds)
    before, whole = 0, sum(trainer.values["epochs"] for _, trainer in groups)
    for members, trainer in groups:
        def tell(done: int, _: int, before: int = before) -> None:
            if progress:
                progress(before + done, whole)
        trainer.every = max(trainer.values["epochs"], 1)  # nobody looks at the weights on the way
        trainer.run(tell, machine=machine)
        before += trainer.values["epochs"]
        labelled = bool(trainer.labels)
        for into, mine in [*zip(figures, best(trainer), strict=False), (diverged, trainer.diverged_at >= 0)]:
            into[list(members)] = np.reshape(mine, (len(seeds), len(members))).T
    return Band(figures[0], figures[1], figures[2] if labelled else None, figures[3] if labelled else None, diverged)


def best(trainer: Trainer) -> list[np.ndarray]:
    """The figures of the weights that count: of the best pass where there was patience, else of the last."""
    rows = [np.stack(figure) for figure in zip(*trainer.rows, strict=True)]
    at = trainer.best_epoch if trainer.values["patience"] is not None else np.full(trainer.lead, len(trainer.rows) - 1)
    return [np.take_along_axis(figure, at[None], 0)[0] for figure in rows]
