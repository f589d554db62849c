"""The moments of a picture, one after another: each draws only what is new."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Protocol

import numpy as np

from ..palette import Theme
from .picture import Canvas
from .raster import Raster


class Drawing(Protocol):
    """What can be drawn at any of its moments: what stays, what grows from one to the next, and what belongs to one."""

    unit: float
    width: float
    height: float
    page: str | None
    theme: Theme

    @property
    def anew(self) -> bool: ...  # whether a moment has more than what was there before, and what is added
    def lay(self, canvas: Canvas) -> None: ...
    def ground(self, canvas: Canvas, scale: float) -> None: ...
    def grow(self, canvas: Canvas, before: float, now: float) -> None: ...
    def marks(self, canvas: Canvas, now: float) -> None: ...
    def state(self, now: float) -> Hashable: ...


def blank(picture: Drawing, finer: float = 1.0, shades: int = 255) -> Raster:
    """What stays through all moments, `finer` pixels a point."""
    scale = picture.unit * finer
    made = Raster(picture.width, picture.height, scale, picture.page or picture.theme.page, shades)
    picture.lay(made)
    picture.ground(made, scale)
    return made


def frames(picture: Drawing, moments: Iterable[float], finer: float = 1.0, under: Raster | None = None) -> Iterator[np.ndarray]:
    """(height, width, 3) pixels at each of some rising moments, on what stays; the array is used again for the next."""
    under = under or blank(picture, finer)
    picture.lay(under)  # what is carried from moment to moment begins anew
    layer, shown = under.twin(), under.twin()
    before, last = 0.0, None
    for now in moments:
        if (state := picture.state(now)) != last:
            picture.grow(layer, before, now)
            shown.copy(layer)
            picture.marks(shown, now)
        before, last = now, state
        yield shown.pixels


def cut_out(picture: Drawing, moment: float, finer: float = 1.0) -> np.ndarray:
    """(height, width, 4) pixels at a moment, with nothing behind them: what black and white show through is known of each pixel."""
    def on(page: str) -> np.ndarray:
        kept, picture.page = picture.page, page
        pixels = next(frames(picture, [moment], finer)).astype(float)
        picture.page = kept
        return pixels
    black, white = on("#000000"), on("#ffffff")
    cover = 255 - (white - black).mean(axis=2, keepdims=True)
    with np.errstate(all="ignore"):
        colour = np.where(cover > 0, (black + white + cover - 255) / 2 * 255 / cover, 0)
    return np.rint(np.concatenate([colour, cover], axis=2).clip(0, 255)).astype(np.uint8)
