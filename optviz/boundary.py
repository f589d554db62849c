"""How long the line is on which a network changes its mind: the same straight pieces as ui/web/field.js draws."""

from __future__ import annotations

import numpy as np

from .core import Refused, T
from .trainer import Trainer

PLACES = 200  # on a side of the box
#: The sides of a cell of places, from one corner to the next: above, right, below, left.
SIDES = ((0, 1), (1, 3), (2, 3), (0, 2))
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def boundary(trainer: Trainer, at: int | None = None, places: int = PLACES) -> float:
    """The length of a network's boundary in its data's box, whose sides are 1 long; `at` asks the network of a snapshot."""
    box = trainer.values["data"].box
    if not trainer.labels or trainer.raw.shape[-1] != 2 or box is None:
        raise Refused(T("only classes in the plane have a boundary", "граница есть только у классов на плоскости"))
    x, y = (np.linspace(low, high, places) for low, high in box)
    outputs = trainer.predict(np.stack(np.meshgrid(x, y), -1), at)
    return boundary_length(outputs if outputs.ndim > 2 else outputs[..., None])


def boundary_length(outputs: np.ndarray) -> float:
    """Of outputs (rows, columns, outputs) at places from edge to edge of a picture, whose sides are 1 long."""
    outputs = np.asarray(outputs, float)
    if outputs.shape[2] > 2:
        return _borders(outputs)
    return _isoline(outputs[..., 0] if outputs.shape[2] == 1 else outputs[..., 1] - outputs[..., 0])


def _corners(a: np.ndarray) -> np.ndarray:
    """(4, cells, …): what places say at the corners of each cell between them."""
    return np.stack([part.reshape(-1, *a.shape[2:]) for part in (a[:-1, :-1], a[:-1, 1:], a[1:, :-1], a[1:, 1:])])


def _isoline(values: np.ndarray) -> float:
    """Of the line on which a function is 0: straight in every cell."""
    corner = _corners(values)
    corner = corner[:, np.isfinite(corner.sum(0))]
    above = corner > 0
    steps = [np.where(corner[i] == corner[j], 1, corner[i] - corner[j]) for i, j in SIDES]
    many, cut = _cuts([above[i] != above[j] for i, j in SIDES], [corner[i] / step for (i, _), step in zip(SIDES, steps, strict=True)])
    joined = (corner.sum(0) > 0) == above[0]  # of a saddle its middle says who is joined
    size = np.array([1 / (values.shape[1] - 1), 1 / (values.shape[0] - 1)])
    total = 0.0
    for i, j, of_saddle in ((0, 1, joined), (2, 3, joined), (0, 3, ~joined), (1, 2, ~joined), (0, 2, False), (1, 3, False)):
        here = ~np.isnan(cut[i, :, 0]) & ~np.isnan(cut[j, :, 0]) & ((many == 2) | (many == 4) & of_saddle)
        total += np.hypot(*((cut[i] - cut[j])[here] * size).T).sum()
    return float(total)


def _borders(outputs: np.ndarray) -> float:
    """Of the lines between the areas of several classes: where more than two meet in a cell, all end in its middle."""
    winner, out = _corners(outputs.argmax(2)), _corners(outputs)
    crossed, shares, cells = [], [], np.arange(winner.shape[1])
    for i, j in SIDES:
        a, b = winner[i], winner[j]
        before, after = out[i][cells, a] - out[i][cells, b], out[j][cells, b] - out[j][cells, a]
        crossed.append(a != b)
        shares.append(np.where(before + after > 0, before / np.where(before + after > 0, before + after, 1), 0.5))
    many, cut = _cuts(crossed, shares)
    some = many > 0
    many, cut = many[some], cut[:, some]
    middle = np.nanmean(cut, 0)
    size = np.array([1 / (outputs.shape[1] - 1), 1 / (outputs.shape[0] - 1)])
    return float(np.nansum(np.hypot(*np.moveaxis((cut - middle) * size, -1, 0))))  # of two cuts, too: the middle is on their line


def _cuts(crossed: list[np.ndarray], shares: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """How many sides of each cell are cut, and where: (4, cells, 2), no numbers where they are not."""
    at = np.stack([CORNERS[i] + share[:, None] * (CORNERS[j] - CORNERS[i]) for (i, j), share in zip(SIDES, shares, strict=True)])
    which = np.stack(crossed)
    return which.sum(0), np.where(which[..., None], at, np.nan)
