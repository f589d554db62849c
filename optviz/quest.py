"""Quest: a map over two settings, what is seen of it, and whether it is hunted on; the complete state of a lab, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np

from .atlas import WORK
from .core import Refused, T, rounded, unknown_name
from .descent import descend
from .grid import axes
from .hunt import Hunt, Hunted, hunt, lower_is_better
from .learning import history_of
from .names import NAMES, name_of, setting_name
from .optimizers import optimizers
from .query import Query
from .run import Run
from .schedules import schedules
from .study import Study
from .sweep import LOG, Line, Sweep, Swept, settings, sweep
from .sweep_presets import View, views
from .training import as_text

CELLS = 2**16  # that an eye and a browser can bear
SIDE = 121  # places along a side of the picture of a network's output
#: What the arrays of a map are.
ARRAYS: Mapping[str, T] = {
    "loss": T("final loss", "итоговая потеря"), "steps": T("steps until it stays at the minimum", "шагов до остановки в минимуме"),
    "reached": T("share that reaches the minimum", "доля дошедших до минимума"),
    "escaped": T("share that ends at a best minimum", "доля окончивших у лучшего минимума"),
    "diverged": T("share that diverges", "доля разошедшихся"),
    "accuracy_val": T("share right on validation", "доля верных на проверке"),
    "accuracy_train": T("share right on training", "доля верных на обучении"),
    "loss_val": T("loss on validation", "потеря на проверке"), "loss_train": T("loss on training", "потеря на обучении"),
}
#: What is called nowhere else.
OWN_NAMES: Mapping[str, T] = {
    "noise": T("noise of the gradient", "шум градиента"), "noise_relative": T("relative noise of the gradient", "относительный шум градиента"),
    "start_x": T("start x", "старт x"), "start_y": T("start y", "старт y"), "lambda": T("strength of the penalty λ", "сила штрафа λ"),
    "lr": T("learning rate α", "скорость обучения α"),
}


@dataclass(frozen=True, init=False)
class Quest:
    """The whole state of the lab: a sweep, the array that is shown, the cell that was picked, and the hunt where there is one."""

    sweep: Sweep
    array: str
    cell: tuple[int, int] | None
    hunt: Hunt | None

    def __init__(self, sweep: Sweep, array: str | None = None, cell: tuple[int, int] | None = None, hunt: Hunt | None = None):
        known = sweep.arrays
        if array is None:
            array = next(name for name in ("loss", "accuracy_val", "loss_val") if name in known)
        if array not in known:
            raise unknown_name("show", known, array)
        if cell is not None and not all(0 <= k < many for k, many in zip(cell, sweep.shape, strict=True)):
            rows, columns = sweep.shape
            raise Refused(T(f"this map has no cell {as_text(cell)}; it has {rows} rows and {columns} columns, counted from 0",
                            f"на этой карте нет клетки {as_text(cell)}; строк {rows}, столбцов {columns}, счёт от 0"))
        for name, value in (("sweep", sweep), ("array", array), ("cell", cell), ("hunt", hunt)):
            object.__setattr__(self, name, value)

    def at(self, **changes: Any) -> Quest:
        """The same with other parts; what another map does not have gives way."""
        now: dict[str, Any] = {"sweep": self.sweep, "array": self.array, "cell": self.cell, "hunt": self.hunt} | changes
        if now["sweep"] != self.sweep:
            now["array"] = now["array"] if now["array"] in now["sweep"].arrays else None
            now["cell"] = changes.get("cell")  # it was a cell of another map
        return Quest(**now)

    def on(self, base: Run | Study) -> Quest:
        """The same about another run or network, along its own axes where it has those."""
        known, old = settings(base), self.sweep
        x, y = (line if line.key in known else None for line in (old.x, old.y))
        if x is None and y is not None and y.key == next(iter(known)):
            x, y = y, None
        return self.at(sweep=Sweep(base, x, y, old.seeds, old.tolerance))

    def to_query(self) -> str:
        """The URL's query: the sweep's, and what is seen of it."""
        pairs = [("show", self.array)]
        pairs += [("cell", as_text(self.cell))] * (self.cell is not None)
        pairs += [("hunt", as_text(astuple(self.hunt)))] if self.hunt else []
        return f"{self.sweep.to_query()}&{urlencode(pairs, safe=',')}"

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Quest:
        """The quest of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        array, cell, hunted = read.attempt("show", str, None), read.attempt("cell", _cell, None), read.attempt("hunt", _hunt, None)
        before = len(notes or ())
        whole = Sweep.from_query(read.rest(), notes)
        cell = cell if len(notes or ()) == before else None  # it may have been another map's
        quest = Quest(whole, hunt=hunted)
        for part in ({"array": array}, {"cell": cell}):
            try:
                quest = quest.at(**part) if None not in part.values() else quest
            except Refused as refusal:
                read.note(refusal)
        return quest


def _cell(text: str) -> tuple[int, int]:
    row, column = map(int, text.split(","))
    return row, column


def _hunt(text: str) -> Hunt:
    return Hunt(*map(float, text.split(",")))  # type: ignore[arg-type]


def axis_name(base: Run | Study, key: str) -> T:
    """What a setting on an axis is called."""
    if key in OWN_NAMES and not (key == "noise" and isinstance(base, Study)):
        return OWN_NAMES[key]
    if isinstance(base, Study):
        return T(axes[key].name.en.rstrip(" ="), axes[key].name.ru.rstrip(" =")) if key in axes else setting_name(dict(base.training.values), key)
    if key.startswith("schedule_"):
        return name_of(schedules[base.schedule], key.removeprefix("schedule_"))
    return name_of(optimizers[base.optimizer], key) if key in optimizers[base.optimizer].params else NAMES[key]


def value_name(line: Line, value: Any) -> T:
    """What a value on an axis is called."""
    if isinstance(value, (int, float)):
        return T(rounded(value), rounded(value))
    return axes[line.key].head(value) if line.key in axes else T("none", "нет") if value is None else T(str(value), str(value))


def spanned(name: str, part: str, quest: Quest, value: Any) -> Quest:
    """Another end, count or spacing of an axis."""
    own: Line = getattr(quest.sweep, name)
    assert own.span is not None
    span: dict[str, Any] = {**dict(zip(("low", "high", "count", "spacing"), own.span, strict=True)), part: value}
    if span["spacing"] == LOG and min(span["low"], span["high"]) <= 0:
        raise Refused(T(f"along {name}, decades need both ends above 0; raise “from”, or choose “evenly”",
                        f"по {name} для шага по декадам оба края должны быть больше 0; увеличьте «от» или выберите «ровно»"))
    if span["low"] > span["high"]:
        raise Refused(T(f"along {name}, “from” must not be larger than “to”; change the other end first",
                        f"по {name} «от» не должно быть больше «до»; сначала измените другой край"))
    return quest.at(sweep=quest.sweep.at(**{name: (own.key, tuple(span.values()))}))


# --- what is computed -----------------------------------------------------------------------------------------------------------------


def found(spec: Sweep, progress: Callable[..., Any] | None = None) -> Swept:
    """The map; on the way, what there is of it."""
    if isinstance(spec.base, Run) and spec.work > (most := WORK["auto"]):
        raise Refused(T(f"{rounded(spec.work / 1e9)} billion steps are more than a room can wait for ({rounded(most / 1e9)} billion); "
                        "choose fewer values, seeds or steps, or use ov.sweep",
                        f"{rounded(spec.work / 1e9)} млрд шагов — дольше, чем аудитория может ждать (предел {rounded(most / 1e9)} млрд); "
                        "уменьшите число значений, зёрен или шагов или возьмите ov.sweep"))
    if (cells := spec.shape[0] * spec.shape[1]) > CELLS:
        raise Refused(T(f"{cells} cells are too many to look at ({CELLS}); choose fewer values, or use ov.sweep",
                        f"{cells} клеток не рассмотреть (предел {CELLS}); уменьшите число значений или возьмите ov.sweep"))
    return sweep(spec, progress=progress)


def searched(values: np.ndarray, array: str, spec: Hunt, progress: Callable[..., Any] | None = None) -> Hunted:
    """Both searches on a map, for what is good of its array."""
    return hunt(lower_is_better(array)(values), spec)


def best_cell(values: np.ndarray, array: str) -> tuple[int, int] | None:
    """Where a map is best; None where it has no number."""
    wanted = lower_is_better(array)(values)
    wanted = np.where(np.isnan(wanted), np.inf, wanted)
    if not np.isfinite(wanted).any():
        return None
    row, column = np.unravel_index(int(np.argmin(wanted)), wanted.shape)
    return int(row), int(column)


@dataclass(frozen=True, eq=False)
class Descended:
    """What a run of a cell did: its points (2, steps + 1) and their losses."""

    points: np.ndarray
    loss: np.ndarray


class Picture(NamedTuple):
    """A network over the plane: what it says (rows, columns, outputs) at places, and the points, each with its class or value."""

    x: np.ndarray
    y: np.ndarray
    outputs: np.ndarray
    points: np.ndarray
    known: np.ndarray


@dataclass(frozen=True, eq=False)
class Trained:
    """What a network of a cell learned: losses pass by pass, and its picture where its inputs are two."""

    loss_train: np.ndarray
    loss_val: np.ndarray
    labels: tuple[Any, ...]
    picture: Picture | None


def visited(spec: Run | Study, progress: Callable[..., Any] | None = None) -> Descended | Trained:
    """What runs in one cell, watched."""
    if isinstance(spec, Run):
        path = descend(spec, memory=False)
        return Descended(path.points, path.loss)
    trainer = spec.trainer()
    trainer.run(progress)
    h, box = history_of(trainer), spec["data"].box
    picture = None
    if trainer.raw.shape[-1] == 2 and box is not None:
        x, y = (np.linspace(low, high, SIDE) for low, high in box)
        outputs = h.predict(np.stack(np.meshgrid(x, y), -1))
        picture = Picture(x, y, outputs if outputs.ndim > 2 else outputs[..., None], trainer.raw, trainer.known)
    return Trained(h.loss_train, h.loss_val, h.labels, picture)


# --- what is worth showing --------------------------------------------------------------------------------------------------------------


def quest_of(view: View) -> Quest:
    """A view as the lab opens it."""
    return Quest(view.sweep, view.array, hunt=view.hunt)


def view_of(quest: Quest) -> View | None:
    """The view that a quest is, whatever is shown of its map."""
    return next((v for v in views.values() if (v.sweep, v.hunt) == (quest.sweep, quest.hunt)), None)


def opening(query: str, notes: list[T] | None = None) -> Quest:
    """The quest of a query, and the first view where it is empty."""
    return Quest.from_query(query, notes) if query else quest_of(next(iter(views.values())))
