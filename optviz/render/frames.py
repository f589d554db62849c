"""The moments of a picture, one after another: each draws only what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .picture import Picture
from .raster import Raster


def frames(picture: Picture, moments: Iterable[float], finer: float = 1.0, shades: int = 255) -> Iterator[np.ndarray]:
    """(height, width, 3) pixels at each of some rising moments, `finer` pixels a point; the array is used again for the next."""
    scale = picture.unit * finer
    layer, shown = (Raster(picture.width, picture.height, scale, picture.theme.page, shades) for _ in range(2))
    picture.lay(layer)
    picture.ground(layer, scale)
    before = 0.0
    for now in moments:
        picture.grow(layer, before, now)
        shown.copy(layer)
        picture.marks(shown, now)
        before = now
        yield shown.pixels
