"""The network beside its picture: every neuron with its own field, weights as curves whose width is their size and whose colour their sign."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..network_scene import NetworkScene
from ..palette import Theme
from .network_curve import miniature
from .network_field import Plane, ramp, reach, shaded
from .picture import Canvas, Place, clipped

SIZE = 16.0  # of words
LEFT, RIGHT, TOP, BOTTOM, NAMED = 44.0, 10.0, 28.0, 4.0, 74.0  # at the right there may be names of classes
LARGEST, GAP, MIDDLING, FIRM = 46.0, 5.0, 30.0, 16.0  # a neuron's side; the room between two; no larger where another layer has no room; with a dot
MOST, DENSE = 400, 100  # weights that are drawn between two layers, the strongest; curves of more than so many are thinner
NONE = 1e-3  # a weight that is none is seen faintly all the same
FEATURES = {"x": "x", "y": "y", "x2": "x²", "y2": "y²", "xy": "xy", "sinx": "sin x", "siny": "sin y"}
BEND = np.linspace(0, 1, 11)[:, None]
BEZIER = np.hstack([(1 - BEND)**3, 3 * (1 - BEND)**2 * BEND, 3 * (1 - BEND) * BEND**2, BEND**3])


class Diagram:
    """Where the neurons stand in a place, a column for each layer; and what is drawn of a moment."""

    def __init__(self, scene: NetworkScene, place: Place, theme: Theme):
        self.scene, self.place, self.theme = scene, place, theme
        net = scene.net
        self.named = len(scene.labels) > 2 and net.widths[-1] == len(scene.labels)
        wide = place.width - LEFT - (NAMED if self.named else RIGHT)
        high = place.height - TOP - BOTTOM
        largest = min(LARGEST, 0.62 * wide / len(net.widths), max(MIDDLING, high / max(net.widths) - GAP))
        self.room = wide / len(net.widths)
        self.columns: list[list[Place]] = []
        for layer, count in enumerate(net.widths):
            size = max(min(largest, high / count - min(GAP, 0.2 * high / count)), 1.0)
            step = min(size + 5 * GAP, (high - size) / max(count - 1, 1))
            middle = place.x + LEFT + largest / 2 + layer * (wide - largest) / (len(net.widths) - 1)
            top = place.y + TOP + (high - size - step * (count - 1)) / 2
            self.columns.append([Place(middle - size / 2, top + j * step, size, size) for j in range(count)])
        self.curves = [self.between(layer) for layer in range(len(net.widths) - 1)]

    def words(self, canvas: Canvas) -> None:
        """What never changes: the names of inputs, layers and classes."""
        scene, theme, features = self.scene, self.theme, self.scene.features
        n = scene.net.widths[0]
        prime = "′" * (not np.array_equal(scene.preparation.matrix, np.eye(n)) or bool(np.any(scene.preparation.shift)))  # prepared
        for j, spot in enumerate(self.columns[0]):
            if spot.height > 16 or j == 0:
                name = (FEATURES[features[j]] if features else f"x{j + 1}") + prime
                canvas.text(spot.x - 6, spot.y + spot.height / 2, name, SIZE, theme.ink, 400, "right")
        if self.named:
            for name, spot in zip(scene.labels, self.columns[-1], strict=True):
                if spot.height > 14:
                    canvas.text(spot.x + spot.width + 6, spot.y + spot.height / 2, clipped(canvas, name, SIZE, 400, NAMED - 8), SIZE, theme.ink)
        for layer, column in enumerate(self.columns[1:]):
            middle, whole = column[0].x + column[0].width / 2, f"{scene.net.activations[layer].key} · {len(column)}"
            text = whole if canvas.measure(whole, SIZE) < self.room - 8 else str(len(column))
            half = canvas.measure(text, SIZE) / 2
            canvas.text(min(middle, self.place.x + self.place.width - half), self.place.y + 10, text, SIZE, theme.faint, 400, "center")

    def draw(self, canvas: Canvas, k: int, layers: Sequence[np.ndarray] | None, plane: Plane | None, scale: float,
             chosen: tuple[int, int] | None) -> None:
        """A frame: `layers` are what the neurons say at the places of a plane, where the data have one."""
        scene, theme, net = self.scene, self.theme, self.scene.net
        parts = {(b.layer, b.kind): part for b, part in zip(net.blocks, net.parts(scene.frames.theta[k]), strict=True)}
        self.weights(canvas, parts)
        for layer, column in enumerate(self.columns):
            side = max(round(column[0].width * scale), 1)
            if layers is not None and plane is not None and scene.inputs == 2:
                some = plane.square(side)
                (middle, half), seen = reach(scene, layers[layer], layer), layers[layer][some.ravel()].T.reshape(-1, side, side)
                pictures = shaded(ramp(theme.page, theme.minus, theme.plus), (seen - middle) / half)
            for j, spot in enumerate(column):
                own = chosen == (layer, j)
                if layers is not None and plane is not None and scene.inputs == 1:
                    miniature(canvas, layers[layer][:, j], *reach(scene, layers[layer], layer), spot, theme)
                elif layers is not None:
                    canvas.within(spot.x, spot.y, side / scale, side / scale).picture(pictures[j])
                else:
                    canvas.shape(corners(spot), theme.card)
                if spot.width > 8 or own:
                    edge = corners(spot)
                    canvas.line(np.vstack([edge, edge[:1]]), theme.accent if own else theme.faint, 3 if own else 1)
                if layer and ("bias" in {kind for at, kind in parts if at == layer - 1}) and spot.width >= FIRM and net.pieces(layer - 1) == 1:
                    bias = float(parts[layer - 1, "bias"].ravel()[j])
                    canvas.disc(spot.x, spot.y + spot.height, min(1.5 + 2 * math.sqrt(abs(bias)), spot.width / 5),
                                theme.plus if bias > 0 else theme.minus, theme.page, 1)

    def weights(self, canvas: Canvas, parts: dict[tuple[int, str], np.ndarray]) -> None:
        """Curves of one width and colour are drawn at a time."""
        groups: dict[float, list[np.ndarray]] = {}
        for layer in range(len(self.columns) - 1):
            weight = parts[layer, "weight"]
            size = np.abs(weight)
            least = np.sort(size.ravel())[-MOST] if size.size > MOST else 0.0
            width = np.maximum(np.round(2 * (0.3 + np.minimum(1.6 * size, 8)) * min(1, DENSE / min(size.size, MOST))) / 2, 0.5) * np.sign(weight)
            width[size < NONE] = 0
            for i, j in np.argwhere(size >= least).tolist():
                groups.setdefault(float(width[i, j]), []).append(self.curves[layer][i, j])
        for signed, curves in groups.items():
            colour = self.theme.plus if signed > 0 else self.theme.minus if signed else self.theme.line
            canvas.lines(curves, colour, abs(signed) or 1.0, 0.85)

    def between(self, layer: int) -> np.ndarray:
        """The curves from every neuron of a layer to every sum of the next: (neurons, sums, points, 2)."""
        pieces = self.scene.net.pieces(layer)
        start = np.array([(a.x + a.width, a.y + a.height / 2) for a in self.columns[layer]])
        end = np.array([(b.x, b.y + b.height * (piece + 1) / (pieces + 1)) for b in self.columns[layer + 1] for piece in range(pieces)])
        first, last = np.broadcast_arrays(start[:, None], end[None])
        bend = (last - first) * [0.45, 0.0]
        return np.einsum("pk,kijc->ijpc", BEZIER, np.stack([first, first + bend, last - bend, last]))


def corners(spot: Place) -> np.ndarray:
    """Of a rectangle."""
    x, y, w, h = spot.x, spot.y, spot.width, spot.height
    return np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
