"""The moments of a picture, one after another: each draws only what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .picture import Picture
from .raster import Raster


def frames(picture: Picture, moments: Iterable[float], finer: float = 1.0) -> Iterator[np.ndarray]:
    """(height, width, 3) pixels at each of some rising moments, `finer` pixels a point; the array is used again for the next."""
    scale, page = picture.unit * finer, picture.page or picture.theme.page
    layer, shown = (Raster(picture.width, picture.height, scale, page) for _ in range(2))
    picture.lay(layer)
    picture.ground(layer, scale)
    before = 0.0
    for now in moments:
        picture.grow(layer, before, now)
        shown.copy(layer)
        picture.marks(shown, now)
        before = now
        yield shown.pixels


def cut_out(picture: Picture, moment: float, finer: float = 1.0) -> np.ndarray:
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
