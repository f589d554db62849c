"""Several networks shown together on one playhead: some beside each other, or a grid of them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from .core import T, short
from .ending import advance, stopped
from .names import choices, setting_name
from .network_scene import NetworkScene, network_scene
from .study import STOPS, Study
from .trainer import Trainer
from .training import WORDS, settings_of

AT_ONCE = 5  # passes of one network before the next has its turn


@dataclass(frozen=True, eq=False)
class Cell:
    """One of the networks, as far as its training has come, and what sets it apart from the others."""

    caption: T
    study: Study
    trainer: Trainer


@dataclass(frozen=True, eq=False)
class Wall:
    """Cells row by row; a grid has a heading for every row and column, others have none."""

    cells: Sequence[Cell]
    columns: int
    row_heads: Sequence[T] = ()
    column_heads: Sequence[T] = ()
    epochs: int = 0  # where the playhead ends; 0: with the longest training

    @property
    def last(self) -> int:
        """The pass with which the playhead ends."""
        return self.epochs or max(cell.trainer.values["epochs"] for cell in self.cells)


def compared(studies: Sequence[Study], trainers: Sequence[Trainer]) -> Wall:
    """Runs beside each other, each with what sets it apart."""
    return Wall([Cell(*cell) for cell in zip(captions(studies), studies, trainers, strict=True)], len(studies))


@dataclass(frozen=True, eq=False)
class WallScene:
    """All that a renderer needs to show a wall, or any moment of it."""

    cells: Sequence[NetworkScene]
    captions: Sequence[T]
    columns: int
    row_heads: Sequence[T]
    column_heads: Sequence[T]
    epochs: int
    state: str  # ready, running, done
    chosen: int | None  # whose settings are beside the wall
    loose: bool  # whether the others can be taken off it
    look: Mapping[str, Any] = field(default_factory=dict)


def wall_scene(wall: Wall, first: Sequence[int] = (), chosen: int | None = None, loose: bool = False, look: Mapping[str, Any] | None = None,
               running: bool = False) -> WallScene:
    """A wall as far as its trainings have come, each with its frames from the first on that somebody lacks."""
    cells = [network_scene(cell.study, cell.trainer, k) for cell, k in zip(wall.cells, first or repeat(0), strict=False)]
    state = "running" if running else "ready"
    return WallScene(cells, [cell.caption for cell in wall.cells], wall.columns, wall.row_heads, wall.column_heads, wall.last,
                     state if any(cell.state == "ready" for cell in cells) else "done", chosen, loose, look or {})


def advance_wall(studies: Sequence[Study], trainers: Sequence[Trainer], seconds: float, passes: int | None = None) -> list[Trainer]:
    """The trainings after some more passes, so many each, or those that fit into the seconds: who is behind goes first."""
    if passes:
        return [trainer if stopped(study, trainer) else advance(study, trainer, 0, passes) for study, trainer in zip(studies, trainers, strict=True)]
    end, out = time.perf_counter() + seconds, list(trainers)
    while going := [k for k, study in enumerate(studies) if stopped(study, out[k]) is None]:
        k = min(going, key=lambda k: out[k].passes)
        advance(studies[k], out[k], 0, AT_ONCE)
        if time.perf_counter() > end:
            break
    return out


# --- what sets runs apart -----------------------------------------------------------------------------------------------------------------

BY_HAND, DRAWN = T("weights set by hand", "веса заданы вручную"), T("drawn weights", "случайные веса")
SAME = T("the same run", "тот же запуск")
NO, YES = T("no", "нет"), T("yes", "да")
RATE, SGD = T("α", "α"), T("SGD", "SGD")  # the names of the panels are too long for a caption
ASIDE = re.compile(r" \([^)]*\)")  # what the panels explain in brackets
#: Words whose values need no name before them.
SPEAKING = ("data", "optimizer", "loss", "activation")


def captions(studies: Sequence[Study]) -> list[T]:
    """Of each run what is not the same in all of them, in a visitor's words; no settings that only some have, where they are at their default."""
    values = [dict(study.training.values) | dict(study.stops) for study in studies]
    tables = [{**WORDS, **settings_of(dict(study.training.values)), **STOPS} for study in studies]
    names = dict.fromkeys(name for table in tables for name in table)

    def differs(name: str) -> bool:
        return any(name not in v or v[name] != values[0].get(name) for v in values)
    apart = [name for name in names if differs(name)]
    said: list[T] = []
    for study, v, table in zip(studies, values, tables, strict=True):
        own = v["optimizer"]
        told = [name for name in apart if name in table and (all(name in t for t in tables) or v[name] != table[name].default or name == own)]
        if own in told and "optimizer" in told:  # "momentum 0.9" says both
            told.remove(own)
            told[told.index("optimizer")] = own
        parts = [_said(v, table, name) for name in told]
        if any(other.weights != study.weights for other in studies):
            parts.append(BY_HAND if study.weights else DRAWN)
        said.append(T(*(ASIDE.sub("", ", ".join(words)) for words in zip(*((p.en, p.ru) for p in parts), strict=True))) if parts else SAME)
    return said


def _said(values: Mapping[str, Any], table: Mapping[str, Any], name: str) -> T:
    """A setting with its value."""
    label, words, value = RATE if name == "lr" else setting_name(values, name), choices(name, table[name]), values[name]
    if name == "data":
        return value.name
    if name == "optimizer" and value == "sgd":
        return SGD
    if value is None or isinstance(value, bool) or value == ():
        what = YES if value else NO
    elif isinstance(value, tuple):
        each = [_brief(words[v]) if words else T(str(v), str(v)) for v in value]
        what = T(", ".join(e.en for e in each), ", ".join(e.ru for e in each))
    elif words:
        what = _brief(words[value])
    else:
        return T(f"{label.en} {short(value)}", f"{label.ru} {short(value)}")
    return what if name in SPEAKING else T(f"{label.en}: {what.en}", f"{label.ru}: {what.ru}")


def _brief(name: T) -> T:
    """A name without what stands in brackets behind it."""
    return T(name.en.split(" (")[0], name.ru.split(" (")[0])
