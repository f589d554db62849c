"""The surface as an optimizer sees it: gradients with noise in them, and clipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Disturbance(NamedTuple):
    """What happens to a gradient on its way: None where nothing does."""

    added: Any = None  # sigma times a standard normal vector
    relative: Any = None  # the same, as a share of each coordinate
    clip_norm: Any = None
    clip_value: Any = None

    def __call__(self, g: Any, xp: Any) -> Any:
        """Noise first, then clipping, as in training."""
        if self.relative is not None:
            g = g * (1 + self.relative)
        if self.added is not None:
            g = g + self.added
        if self.clip_norm is not None:
            g = clipped_by_norm(g, self.clip_norm, xp)
        if self.clip_value is not None:
            g = xp.clip(g, min=-self.clip_value, max=self.clip_value)
        return g


def clipped_by_norm(g: Any, limit: Any, xp: Any) -> Any:
    """g·θ/‖g‖ where ‖g‖ > θ."""
    length = (g * g).sum(0) ** 0.5
    return g * xp.where(length > limit, limit / length, 1)


class Oracle:
    """grad(x), grad.value(x) and grad.hessian(x) for one step; one step meets one mini-batch, so its noise is the same at every call."""

    def __init__(self, slope: Callable, height: Callable, curvature: Callable | None, disturb: Disturbance, xp: Any):
        self.slope, self.value, self.curvature, self.disturb, self.xp = slope, height, curvature, disturb, xp
        self.first: Any = None

    def __call__(self, x: Any) -> Any:
        g = self.disturb(self.slope(x), self.xp)
        if self.first is None:
            self.first = g
        return g

    def hessian(self, x: Any) -> Any:
        if self.curvature is None:
            raise TypeError("no second derivatives here: choose an optimizer that needs only the gradient")
        return self.curvature(x)


# --- noise: a pure function of seed, member and step, so that no block, order or length of a batch changes it ------------------------

_TURNS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3)."""
    k0, k1 = (np.asarray(k, np.uint32) for k in key)
    keys = (k0, k1, k0 ^ k1 ^ np.uint32(0x1BD11BDA))
    with np.errstate(over="ignore"):
        a, b = np.asarray(counter[0], np.uint32) + keys[0], np.asarray(counter[1], np.uint32) + keys[1]
        for group in range(5):
            for turn in _TURNS[group % 2]:
                a = a + b
                b = ((b << np.uint32(turn)) | (b >> np.uint32(32 - turn))) ^ a
            a, b = a + keys[(group + 1) % 3], b + keys[(group + 2) % 3] + np.uint32(group + 1)
    return a, b


def gaussian(seed: int, stream: int, member: Any, step: Any) -> np.ndarray:
    """Two standard normal numbers for each (member, step), coordinate first: Box and Muller on Threefry."""
    a, b = threefry((seed, stream), (member, step))
    radius, angle = np.sqrt(-2 * np.log((a + 0.5) / 2**32)), 2 * np.pi / 2**32 * b
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)])
