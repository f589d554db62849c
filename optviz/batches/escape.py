"""Noise that frees: from the middle of a bad minimum, which share of many seeds escapes, and which comes to rest in the best one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import Choice, Param, Range
from ..descent import descend, kept_steps
from ..surfaces import Surface, surfaces

SEEDS = 256
SIGMAS = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0])
RATES = np.array([0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15])
WHERE = Choice("two_wells", ("two_wells", "local_minimum"))
STEPS = Param(300, 50, 1000, log=True, allowed=Range(10, 1000), whole=True, one=True)
SIGMA = Param(4.0, 0.0, 20.0, allowed=Range(0.0, 1000.0), one=True)
RATE = Param(0.03, 1e-3, 0.3, log=True, allowed=Range(0.0, 10.0), one=True)
NEAR = 0.3  # who is as near has arrived
MOMENTS = 60  # that a cell is shown at


@dataclass(frozen=True, eq=False)
class Escaped:
    """The two shares for every σ and α at the end, and one pair's runs on the way."""

    surface: Surface
    bad: tuple[float, float]
    best: tuple[float, float]
    free: np.ndarray  # (sigmas, rates): nearer to the best minimum than to the bad one
    rest: np.ndarray  # (sigmas, rates): arrived in the best one
    steps: np.ndarray  # (moments,)
    points: np.ndarray  # (2, moments, seeds) of the chosen pair
    free_then: np.ndarray  # (moments,)
    rest_then: np.ndarray


def escaped(where: str = WHERE.default, sigma: float = SIGMA.default, lr: float = RATE.default, steps: int = STEPS.default, seed: int = 0,
            progress: Callable[[int, int], None] | None = None) -> Escaped:
    """Every pair of σ and α in one batch, all pairs meeting the same noise; then the chosen pair with its way."""
    s = surfaces[WHERE.check("where", where)]
    best, bad = s.minima[:2]
    member = np.arange(SEEDS)
    every = max(1, steps // MOMENTS)
    noise: dict[str, Any] = {"member": member, "seed": seed, "memory": False}
    way = descend(s, "sgd", bad, steps, lr=lr, noise=np.full(SEEDS, float(sigma)), record=every, **noise).points
    if progress:
        progress(1, 10)
    end = descend(s, "sgd", bad, steps, lr=RATES[:, None], noise=SIGMAS[:, None, None], record="end", **noise).points[:, -1]
    return Escaped(s, bad, best, _free(end, best, bad).mean(-1), _near(end, best).mean(-1), np.append(0, kept_steps(steps, every)), way,
                   _free(way, best, bad).mean(-1), _near(way, best).mean(-1))


def _away(points: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    return np.hypot(points[0] - place[0], points[1] - place[1])


def _free(points: np.ndarray, best: tuple[float, float], bad: tuple[float, float]) -> np.ndarray:
    return _away(points, best) < _away(points, bad)


def _near(points: np.ndarray, best: tuple[float, float]) -> np.ndarray:
    return _away(points, best) < NEAR


