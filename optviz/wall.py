"""Several networks shown together on one playhead: some beside each other, or a grid of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .core import T
from .study import Study
from .trainer import Trainer


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
