"""How far the gradient of a batch is from that of all examples, against the batch's size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..chance import Draw, generator
from ..core import Param, Range
from .orders import orders
from .sums import Sum

DRAWS = Param(2000, 100, 4000, log=True, allowed=Range(2, 10_000), whole=True, one=True)
WAYS = ("replacement", "shuffled", "balanced")


@dataclass(frozen=True, eq=False)
class Variances:
    """The mean of ‖g_B − g‖² over many draws, for each size from 1 to n, and what the laws say."""

    sizes: np.ndarray  # (n,)
    ways: tuple[str, ...]
    measured: np.ndarray  # (ways, n)
    laws: np.ndarray  # (2, n): with replacement, without
    batches: np.ndarray  # (ways, 2, draws, n): the gradients of the batches
    whole: np.ndarray  # (2,): the gradient of all examples


def law(one: float, n: int, size: np.ndarray) -> np.ndarray:
    """σ²/m with replacement, and without that times (n − m)/(n − 1)."""
    return np.stack([one / size, one / size * (n - size) / max(n - 1, 1)])


def variances(s: Sum, theta: tuple[float, float], draws: int = DRAWS.default, seed: int = 0) -> Variances:
    """One order of all examples gives a batch of every size: its first m."""
    draws, sizes, at = DRAWS.check("draws", draws), np.arange(1, s.n + 1), np.array(theta, float)
    own, whole = s.gradients(at), s.gradient(at)
    batches = np.empty((len(WAYS), 2, draws, s.n))
    for k, way in enumerate(WAYS):
        now = generator(seed, Draw.ORDER, k)
        indices = np.stack([orders[way].rule(s, at, now) for _ in range(draws)])
        batches[k] = np.cumsum(own[:, indices], axis=-1) / sizes
    measured = ((batches - whole[:, None, None]) ** 2).sum(1).mean(1)
    return Variances(sizes, WAYS, measured, law(float(((own - whole[:, None]) ** 2).sum(0).mean()), s.n, sizes), batches, whole)
