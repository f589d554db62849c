"""One scene, several media: a file's ending chooses which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..learning import History
    from ..race import Race
    from ..run import Run
    from ..study import Study
    from ..training import Training
    from ..wall import Wall


def render(what: Race | Run | Sequence[Run] | Study | Training | History | Wall, to: str | PathLike[str] | None = None, medium: str | None = None,
           progress: Callable[[float], None] | None = None, **options: Any) -> Path | bytes:
    """A race, a run or several of one surface, a training or a wall of them as a file, whose ending says which medium; without a file, the
    bytes of a medium. A spec of a training is trained to its end.

    The options are those of `optviz.render.export.Options`: size, theme, frames, fps, title, …
    """
    from .export import export  # Pillow is not needed to race

    return export(what, to, medium, progress, **options)
