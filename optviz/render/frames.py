"""The moments of a picture, one after another: each draws only what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .picture import Picture
from .raster import Raster


def blank(picture: Picture, finer: float = 1.0, shades: int = 255) -> Raster:
    """What stays through all moments, `finer` pixels a point."""
    scale = picture.unit * finer
    made = Raster(picture.width, picture.height, scale, picture.theme.page, shades)
    picture.lay(made)
    picture.ground(made, scale)
    return made


def frames(picture: Picture, moments: Iterable[float], finer: float = 1.0, under: Raster | None = None) -> Iterator[np.ndarray]:
    """(height, width, 3) pixels at each of some rising moments, on what stays; the array is used again for the next."""
    under = under or blank(picture, finer)
    layer, shown = under.twin(), under.twin()
    before = 0.0
    for now in moments:
        picture.grow(layer, before, now)
        shown.copy(layer)
        picture.marks(shown, now)
        before = now
        yield shown.pixels
