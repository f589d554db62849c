"""Clipping at the cliff: three optimizers, each unclipped, clipped by norm and by value; the gradients and steps before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import BELOW_ONE, Param, Range
from ..descent import descend
from ..surfaces import Surface, surfaces

OPTIMIZERS = ("sgd", "momentum", "adam")
CLIPS: tuple[str | None, ...] = (None, "clip_norm", "clip_value")
RATE = Param(0.3, 1e-2, 2.0, log=True, allowed=Range(0.0, 100.0, open_low=True), one=True)
LIMIT = Param(0.5, 0.05, 5.0, log=True, allowed=Range(0.0, 1e6, open_low=True), one=True)
MOMENTUM = Param(0.9, 0.0, 0.99, allowed=BELOW_ONE, one=True)
STEPS = Param(80, 10, 200, allowed=Range(1, 500), whole=True, one=True)


@dataclass(frozen=True, eq=False)
class Clipped:
    """Nine runs: by optimizer, then by kind of clipping."""

    surface: Surface
    points: np.ndarray  # (3, 3, 2, steps + 1)
    before: np.ndarray  # (3, 3, 2, steps): the gradient where each step is taken
    after: np.ndarray  # (3, 3, 2, steps): what the optimizer was told
    lengths: np.ndarray  # (3, 3, steps): of the steps
    bound: float  # αθ, the longest step of SGD clipped by norm


def clipped(lr: float = RATE.default, limit: float = LIMIT.default, momentum: float = MOMENTUM.default, steps: int = STEPS.default) -> Clipped:
    """The surface has no noise, so the runs differ by their clipping alone."""
    s = surfaces["cliff"]
    points, after = np.empty((3, 3, 2, steps + 1)), np.empty((3, 3, 2, steps))
    for i, optimizer in enumerate(OPTIMIZERS):
        for j, clip in enumerate(CLIPS):
            own: dict[str, Any] = ({"momentum": momentum} if optimizer == "momentum" else {}) | ({clip: limit} if clip else {})
            run = descend(s, optimizer, None, steps, lr=lr, **own)
            points[i, j], after[i, j] = run.points, run.gradients
    before = np.stack(s.gradient(points[:, :, 0, :-1], points[:, :, 1, :-1]), 2)
    moves = np.diff(points, axis=-1)
    return Clipped(s, points, before, after, np.hypot(moves[:, :, 0], moves[:, :, 1]), lr * limit)
