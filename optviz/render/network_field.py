"""What a network says over the plane, as pixels: the look of the stage's field.js."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..network_scene import NetworkScene
from ..palette import COLOURS, SHAPES, Theme
from ..preparing import features
from .picture import fit
from .raster import rgb

DEEP = 0.72  # how much of a colour a certain field has: points, which have all of it, stand out
SHADES = 24  # on each side of white: as fine as is needed, and few colours are few bytes
LEVELS = 4  # isolines of a predicted value between the middle and an end
PLACES, APART = 110, 3  # on a side of the field where the network is asked at most, and pixels between two of them at least
LINE = 2.5


@lru_cache(maxsize=256)
def ramp(page: str, low: str, high: str, deep: float = DEEP) -> np.ndarray:
    """From −1, a colour, over the page's own to 1, another one."""
    ground, ends = np.array(rgb(page), float), np.array([rgb(low), rgb(high)], float)
    share = np.linspace(-1, 1, 2 * SHADES + 1)[:, None]
    return np.rint(ground + (ends[(share[:, 0] > 0).astype(int)] - ground) * deep * abs(share)).astype(np.uint8)


def shaded(colours: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Values from −1 to 1 as colours; what is no number is undecided."""
    with np.errstate(all="ignore"):
        return colours[np.rint((np.clip(np.nan_to_num(v, nan=0.0), -1, 1) + 1) * SHADES).astype(np.uint8)]


def class_style(scene: NetworkScene, theme: Theme, k: int) -> tuple[str, int]:
    """The colour and the mark of a class: two classes are − and +."""
    colour = (theme.minus, theme.plus)[k] if len(scene.labels) == 2 else COLOURS[k % len(COLOURS)]
    return colour, (k + k // len(COLOURS)) % len(SHAPES)


def value_scale(values: np.ndarray) -> tuple[float, float]:
    """Middle and half: a value is −1 to 1 between the ends; white is 0, or the middle where all values are on one side of it."""
    low, high = float(values.min()), float(values.max())
    middle = 0.0 if low < 0 < high else (low + high) / 2
    return middle, max(high - middle, middle - low) or 1.0


def reach(scene: NetworkScene, layer: np.ndarray, number: int) -> tuple[float, float]:
    """What full colour means in a layer, (middle, half): a power of two, so that it keeps still; outputs as in the picture."""
    if number == scene.net.hidden + 1 and scene.kind == "values" and scene.points is not None:
        return value_scale(scene.points.label)
    if number == scene.net.hidden + 1 and layer.shape[1] == 1:
        return 0.0, 1.0
    most = float(np.abs(layer[np.isfinite(layer)]).max(initial=0.0))
    return 0.0, 1.0 if number and most <= 1 else 2.0 ** math.ceil(math.log2(most or 1))


@dataclass(frozen=True, eq=False)
class Plane:
    """A picture of so many pixels: the places where the network is asked, and how the pixels lie between them."""

    view: tuple[float, float, float, float]
    shape: tuple[int, int]  # rows and columns of places
    inputs: np.ndarray  # (rows · columns, features): as the network is shown them
    down: tuple[np.ndarray, np.ndarray]  # of each pixel: after which row it lies, and how far
    across: tuple[np.ndarray, np.ndarray]

    @staticmethod
    def of(scene: NetworkScene, width: int, height: int, edged: bool = False) -> Plane:
        """Around the whole box; or the box itself, from edge to edge."""
        assert scene.box is not None
        (x0, x1), (y0, y1) = scene.box
        view, apart = (x0, x1, y0, y1) if edged else fit(scene.box, width, height), max(APART, max(width, height) / PLACES)
        columns, rows = (max(round(side / apart), 2) for side in (width, height))
        x, y = np.meshgrid(np.linspace(*view[:2], columns), np.linspace(view[3], view[2], rows))
        raw = features(np.stack([x.ravel(), y.ravel()], 1), scene.features)
        return Plane(view, (rows, columns), scene.preparation(raw).astype(np.float32), _between(height, rows), _between(width, columns))

    @staticmethod
    def along(scene: NetworkScene, width: int, height: int) -> Plane:
        """Of one input: places along it alone; two equal rows of them are the picture."""
        assert scene.box is not None
        (x0, x1), (y0, y1) = scene.box
        columns = max(width // 2, 2)
        x = np.linspace(x0, x1, columns)[:, None]
        return Plane((x0, x1, y0, y1), (2, columns), scene.preparation(x).astype(np.float32), _between(height, 2), _between(width, columns))

    def place(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Where points lie, in shares of the picture."""
        x0, x1, y0, y1 = self.view
        return (x - x0) / (x1 - x0), (y1 - y) / (y1 - y0)

    def spread(self, rows: np.ndarray) -> np.ndarray:
        """Numbers of places (n, …) over all pixels (…, height, width)."""
        with np.errstate(all="ignore"):
            u, (row, down), (column, across) = rows.T.reshape(*rows.shape[1:], *self.shape), self.down, self.across
            upper = u[..., row, :]
            u = upper + (u[..., row + 1, :] - upper) * down[:, None]
            return u.take(column, -1) + np.diff(u).take(column, -1) * across

    def square(self, side: int) -> np.ndarray:
        """The places nearest to so many pixels on a side, in the square that is in its middle."""
        rows, columns = self.shape
        whole = min(rows, columns)
        near = np.rint(np.linspace(0, whole - 1, side)).astype(int)
        return (((rows - whole) // 2 + near) * columns)[:, None] + (columns - whole) // 2 + near


def _between(pixels: int, places: int) -> tuple[np.ndarray, np.ndarray]:
    """The middle of each pixel among places that reach from edge to edge."""
    at = (np.arange(pixels) + 0.5) / pixels * (places - 1)
    first = np.minimum(at.astype(int), places - 2)
    return first, (at - first).astype(np.float32)


def difference(outputs: np.ndarray) -> np.ndarray:
    """The function whose sign tells two classes apart."""
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]


def decide(outputs: np.ndarray) -> np.ndarray:
    """The class that outputs speak for: losses.Loss.decide."""
    return (outputs[:, 0] > 0).astype(int) if outputs.shape[1] == 1 else outputs.argmax(1)


def field(scene: NetworkScene, plane: Plane, layers: Sequence[np.ndarray], theme: Theme, neuron: tuple[int, int] | None, discrete: bool,
          scale: float) -> np.ndarray:
    """Every pixel: how certain the network is, and its boundary; or what one neuron says, or the value that is predicted."""
    outputs, steps, line = layers[-1], 1 if discrete else 0, LINE * scale
    if neuron is None and scene.kind == "classes" and outputs.shape[1] > 2:
        return _classes(scene, plane.spread(outputs), theme, discrete, line)
    if neuron is not None:
        layer, number = neuron
        middle, half = reach(scene, layers[layer], layer)
        u = plane.spread((layers[layer][:, number] - middle) / half)
        v, lines = u, _cover(u, line)
    elif scene.kind == "values":
        assert scene.points is not None
        middle, half = value_scale(scene.points.label)
        v, steps = plane.spread((outputs[:, 0] - middle) / half), LEVELS if discrete else 0
        lines = 0.45 * _cover(v * LEVELS, line * 0.7, LEVELS)
    else:
        u = plane.spread(difference(outputs))
        v, lines = u if outputs.shape[1] == 1 else np.tanh(u / 2), _cover(u, line)
    if steps:
        v = np.where(v > 0, 1.0, -1.0) if steps == 1 else np.rint(v * steps) / steps
    return _lined(shaded(ramp(theme.page, theme.minus, theme.plus), v), lines, theme)


def _classes(scene: NetworkScene, outputs: np.ndarray, theme: Theme, discrete: bool, line: float) -> np.ndarray:
    """Each in its colour, as strong as the best is before the second."""
    best, second = np.partition(outputs, -2, axis=0)[[-1, -2]]
    with np.errstate(all="ignore"):
        sure = np.ones_like(best) if discrete else (1 - np.exp(second - best)) / np.exp(outputs - best).sum(0)
    ramps = np.stack([ramp(theme.page, theme.page, class_style(scene, theme, k)[0]) for k in range(len(outputs))])
    shades = np.rint((np.nan_to_num(sure) + 1) * SHADES).astype(np.uint8)
    return _lined(ramps[outputs.argmax(0), shades], _cover(best - second, line), theme)


def _cover(u: np.ndarray, line: float, levels: int | None = None) -> np.ndarray:
    """How much of each pixel a line of even width covers: where a function is 0, or any whole number up to `levels`."""
    with np.errstate(all="ignore"):
        across, down = (np.abs(np.diff(u, axis=axis)) for axis in (1, 0))
        # a function that has an edge where it is 0 is as steep as on one side of it
        slope = np.hypot(np.maximum(np.pad(across, ((0, 0), (0, 1))), np.pad(across, ((0, 0), (1, 0)))),
                         np.maximum(np.pad(down, ((0, 1), (0, 0))), np.pad(down, ((1, 0), (0, 0)))))
        near = 0.0 if levels is None else np.clip(np.rint(u), -levels, levels)
        cover = np.clip(line / 2 + 0.5 - np.abs(u - near) / slope, 0, 1)
    return np.where(slope > 0, np.nan_to_num(cover), 0.0) * 0.8


def _lined(pixels: np.ndarray, cover: np.ndarray, theme: Theme) -> np.ndarray:
    """The ink of the lines on the colours, in few shades of it."""
    some = cover > 0.02
    share = np.rint(cover[some] * 8)[:, None] / 8
    pixels[some] = np.rint(pixels[some] + (np.array(rgb(theme.ink)) - pixels[some].astype(float)) * share)
    return pixels
