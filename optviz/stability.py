"""What can be said of a method before it runs: the rate up to which it is stable, and how sharp the ground is that decides it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .descent import asked
from .optimizers import Optimizer, optimizers
from .run import Run
from .surfaces import Surface

SCALES = [2.0**k for k in range(60, -61, -1)]  # of α·λ: with γ the next float below 1, the forms' limits lie between 2⁻⁵³ and 2⁵⁵


def limit(run: Run) -> float | None:
    """The largest α·λ at which the run's method is stable on ½λx²; None where its step is no fixed linear map of (x, state).

    The map is that of the optimizer's own step, so that every form of momentum has its own limit; schedule, noise and clipping stay apart.
    """
    o = optimizers[run.optimizer]
    return _limit(o, tuple((name, value) for name, value in run.settings if name in o.params and name != "lr"))


@lru_cache(maxsize=256)
def _limit(o: Optimizer, settings: tuple[tuple[str, Any], ...]) -> float | None:
    if not o.traceable or asked(o, dict(settings)).values:  # line searches, Newton's methods and Polyak's step choose their own rate
        return None
    h, size = o.settings(dict(settings)), 1 + len(o.state)

    def moved(z: np.ndarray, t: int, lr: float, curvature: float = 1.0) -> np.ndarray:
        """A step of many at once: a column each, x above what is remembered."""
        with np.errstate(all="ignore"):
            x, state = o.step(lambda x: curvature * x, z[:1], tuple(z[1:, None]), h._replace(lr=lr), t, np)
        return np.concatenate([x, *state])

    def radius(product: float, curvature: float = 1.0) -> float:
        """The spectral radius of the step's matrix: what the unit vectors become, side by side."""
        return abs(np.linalg.eigvals(moved(np.eye(size), 1, product / curvature, curvature))).max()

    some = np.random.default_rng(0).normal(size=(size, 8))
    after = moved(np.eye(size), 1, 1.0) @ some
    if not all(np.allclose(moved(some, t, 1.0), after, rtol=1e-9, atol=1e-12) for t in (1, 2, 9)):
        return None
    if abs(radius(0.5) - radius(0.5, 2.0)) > 1e-6:  # a weight decay beside the gradient: α·λ alone does not decide
        return None
    stable = next((product for product in SCALES if radius(product) < 1), None)
    if stable is None:
        return None
    low, high = stable, 2 * stable
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if radius(middle) < 1 else (low, middle)
    return low


def sharpness(surface: Surface, points: Any) -> np.ndarray:
    """The largest eigenvalue of the Hessian at points (2, …); nan where the Hessian is not finite."""
    (xx, xy), (_, yy) = surface.hessian(*np.asarray(points, float))
    with np.errstate(all="ignore"):
        largest = xx / 2 + yy / 2 + np.hypot(xx / 2 - yy / 2, xy)
    return np.where(np.isfinite(xx) & np.isfinite(xy) & np.isfinite(yy), largest, np.nan)
