"""Data with one input as a picture: what the network says as a curve over it, with the look of the stage's curve.js."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..network_scene import NetworkScene
from ..palette import Theme
from .network_field import Plane, class_style, field, reach
from .picture import TEXT, Canvas, Place, axis
from .words import digits

ROOM = 0.04  # of a neuron's reach, above and below its curve
MOST = 64  # shares that are drawn: more would be fog
FAR = 1e4  # no line needs to be drawn farther out
ASIDE = 22.0  # from an edge, where no number of an axis stands


def answers(scene: NetworkScene, layers: Sequence[np.ndarray], theme: Theme) -> list[tuple[np.ndarray, str]]:
    """The lines that make up an answer: one share of every class, else what is told of all."""
    neuron, outputs = scene.look["neuron"], layers[-1]
    if neuron is not None:
        return [(layers[neuron[0]][:, neuron[1]], theme.ink)]
    if scene.kind == "values":
        return [(outputs[:, 0], theme.ink)]
    if outputs.shape[1] == 1:
        return [(np.clip(outputs[:, 0], -1, 1), theme.ink)]
    with np.errstate(all="ignore"):
        shares = np.exp(outputs - outputs.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
    if outputs.shape[1] == 2:
        return [(2 * shares[:, 1] - 1, theme.ink)]
    return [(row, class_style(scene, theme, k)[0]) for k, row in enumerate(shares.T)]


def heights(scene: NetworkScene, layers: Sequence[np.ndarray]) -> tuple[float, float]:
    """The lowest and the highest that is seen: of an answer the box, of a neuron its reach."""
    if scene.look["neuron"] is None:
        assert scene.box is not None
        return scene.box[1]
    layer = scene.look["neuron"][0]
    middle, half = reach(scene, layers[layer], layer)
    return middle - (1 + ROOM) * half, middle + (1 + ROOM) * half


def ground(inside: Canvas, scene: NetworkScene, plane: Plane, layers: Sequence[np.ndarray], theme: Theme, k: int, scale: float) -> None:
    """What lies behind the points: the classes along the input, axes, and what each last neuron adds to a value."""
    alone = scene.look["neuron"] is None
    bands = alone and bool(scene.labels)
    pixels = field(scene, plane, [np.tile(layers[-1], (2, 1))], theme, None, scene.look["discrete"], scale) if bands else None
    if pixels is not None:
        inside.picture(pixels)
    else:
        inside.shape(np.array([(0, 0), (inside.width, 0), (inside.width, inside.height), (0, inside.height)]), theme.page)
    if min(inside.width, inside.height) >= 8 * ASIDE:
        _axes(inside, plane.view, theme, bands)
    if alone and scene.kind == "values":
        _shares(inside, scene, plane, layers, theme, k)


def trace(inside: Canvas, row: np.ndarray, plane: Plane, colour: str, width: float, alpha: float = 1.0) -> None:
    """A curve of values along the input, broken where they are no numbers."""
    x = np.linspace(0, inside.width, len(row))
    with np.errstate(all="ignore"):
        y = np.clip(plane.place(0.0, row.astype(float))[1] * inside.height, -FAR, FAR)
    for part in np.split(np.arange(len(row)), np.flatnonzero(np.isnan(y))):
        some = part[~np.isnan(y[part])]
        if len(some) > 1:
            inside.line(np.stack([x[some], y[some]], 1), colour, width, alpha=alpha)


def miniature(canvas: Canvas, row: np.ndarray, middle: float, half: float, spot: Place, theme: Theme) -> None:
    """A neuron in the net: the area between its curve and the middle, where it is above and where below."""
    some = row[np.linspace(0, len(row) - 1, max(round(spot.width), 2)).round().astype(int)]
    with np.errstate(all="ignore"):
        v = np.clip(np.nan_to_num((some - middle) / half), -1, 1)
    x, level = np.linspace(spot.x, spot.x + spot.width, len(v)), spot.y + spot.height / 2
    canvas.shape(np.array([(spot.x, spot.y), (x[-1], spot.y), (x[-1], spot.y + spot.height), (spot.x, spot.y + spot.height)]), theme.page)
    for colour, part in ((theme.plus, np.maximum(v, 0)), (theme.minus, np.minimum(v, 0))):
        if part.any():
            canvas.shape(np.concatenate([[(x[0], level)], np.stack([x, level - part * spot.height / 2], 1), [(x[-1], level)]]), colour)


def _axes(inside: Canvas, view: tuple[float, float, float, float], theme: Theme, classes: bool) -> None:
    x0, x1, y0, y1 = view
    ink = theme.ink if classes else theme.faint
    for v, _ in axis(0.0, x0, x1, False, max(int(inside.width / 90), 2)):
        x = (v - x0) / (x1 - x0) * inside.width
        inside.line(np.array([(x, 0), (x, inside.height)]), theme.line, 1, butt=True)
        if ASIDE < x < inside.width - ASIDE:
            inside.text(x, inside.height - 11, digits(v), TEXT, ink, 400, "center")
    for v, _ in axis(0.0, y0, y1, False, max(int(inside.height / 50), 2)):
        if classes and abs(v) > 1:  # the points stand there
            continue
        y = (y1 - v) / (y1 - y0) * inside.height
        inside.line(np.array([(0, y), (inside.width, y)]), theme.line if v else theme.faint, 1 if v else 1.5, butt=True)
        if ASIDE < y < inside.height - 2 * ASIDE:
            inside.text(6, y - 11, digits(v), TEXT, ink)


def _shares(inside: Canvas, scene: NetworkScene, plane: Plane, layers: Sequence[np.ndarray], theme: Theme, k: int) -> None:
    """What each neuron of the last layer before the output adds to it, in the colour of its weight."""
    net, rows = scene.net, layers[-2].T
    if net.pieces(net.hidden) > 1 or len(rows) > MOST:
        return
    at = next(i for i, b in enumerate(net.blocks) if (b.layer, b.kind) == (net.hidden, "weight"))
    weight = net.parts(scene.frames.theta[k])[at]
    for row, w in zip(rows, weight[:, 0].tolist(), strict=True):
        trace(inside, w * row, plane, theme.plus if w > 0 else theme.minus, 1.6, max(0.5 - len(rows) / 160, 0.15))
