"""One Scene, several media: a file's ending chooses which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..race import Race
    from ..run import Run


def render(what: Race | Run | Sequence[Run], to: str | PathLike[str] | None = None, medium: str | None = None,
           progress: Callable[[float], None] | None = None, **options: Any) -> Path | bytes:
    """A race, a run or several of one surface as a file, whose ending says which medium; without a file, the bytes of a medium.

    The options are those of `optviz.render.export.Options`: size, theme, frames, fps, title, …
    """
    from .export import export  # Pillow is not needed to race

    return export(what, to, medium, progress, **options)
