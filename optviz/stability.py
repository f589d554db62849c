"""What can be said of a method before it runs: up to which rate it is stable, how far back it remembers, how its first steps fall."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .core import BELOW_ONE, Param
from .descent import asked, descend
from .optimizers import Optimizer, optimizers
from .run import Run
from .surfaces import Surface, surface

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


def eigenvalues(xx: Any, xy: Any, yy: Any) -> tuple[Any, Any]:
    """The smaller and the larger one of [[xx, xy], [xy, yy]]."""
    middle, half = xx / 2 + yy / 2, np.hypot(xx / 2 - yy / 2, xy)
    return middle - half, middle + half


def sharpness(s: Surface, points: Any, rates: tuple[Any, Any] = (1.0, 1.0)) -> np.ndarray:
    """The largest eigenvalue of D·H at points (2, …): D has each coordinate's rate, H is the Hessian; nan where that is not finite."""
    (xx, xy), (_, yy) = s.hessian(*np.asarray(points, float))
    with np.errstate(all="ignore"):
        a, b = np.sqrt(rates[0]), np.sqrt(rates[1])  # √D·H·√D has the same eigenvalues, and is symmetric
        xx, xy, yy = a * xx * a, a * xy * b, b * yy * b
        largest = eigenvalues(xx, xy, yy)[1]
    return np.where(np.isfinite(xx) & np.isfinite(xy) & np.isfinite(yy), largest, np.nan)


class Memory(NamedTuple):
    """How far back an average reaches that keeps a share γ of itself at every step."""

    shares: np.ndarray  # (1−γ)γᵏ of the last gradients, the newest first: all of them together make 1
    reach: float  # 1/(1−γ)
    steps: int  # n, the whole number nearest to it: so many gradients are "the last ones"
    held: float  # 1−γⁿ, the share that these hold


def memory(weight: float, teeth: int = 50) -> Memory:
    """The comb of a momentum γ, cut off after so many teeth; a velocity without the factor 1−γ has the same comb, 1/(1−γ) times as high."""
    reach = 1 / (1 - weight)
    return Memory((1 - weight) * weight ** np.arange(float(teeth)), reach, round(reach), 1 - weight ** round(reach))


@lru_cache(maxsize=256)
def memory_of(o: Optimizer) -> str | None:
    """The hyper-parameter that is the memory of a first moment; None without one.

    It is found by a pulse, gradients (1, −1) and then none: what still moves the point is a momentum, and it has the pulse's sign and
    fades by the hyper-parameter sought. So Lion's is β₂, for its β₁ only mixes, and schedule-free's γ, which forgets nothing, is none.
    """
    decays = [name for name, p in o.params.items() if isinstance(p, Param) and p.allowed == BELOW_ONE]
    weights = {name: 0.9 + i / 50 for i, name in enumerate(decays)}  # all different, so that a rate of fading has one name
    if not weights:
        return None
    h, x = o.settings(weights), np.zeros(2)
    state = tuple(o.init(x, h, np))
    for t, pulse in ((1, 1.0), (2, 0.0), (3, 0.0)):
        x_old, old = x, state
        x, state = o.step(lambda x, pulse=pulse: pulse * np.array([1.0, -1.0]), x, state, h, t, np)
    for before, after in zip(old, state, strict=True):
        for name, weight in weights.items():
            if np.any(x != x_old) and np.ndim(before) and before[0] * before[1] < 0 and np.allclose(after, weight * before):
                return name
    return None


class Footprints(NamedTuple):
    """How far Adam is after each of its first steps along a constant gradient, in units of α."""

    corrected: np.ndarray
    uncorrected: np.ndarray


def footprints(run: Run, steps: int = 12) -> Footprints | None:
    """Adam's first steps with and without the bias correction (Kingma & Ba 2015, section 3), for the run's β₁, β₂ and ε and a gradient of 1.

    Always these two, also where the run's method is another of Adam's family; None where it has not Adam's two averages.
    """
    params = optimizers[run.optimizer].params
    if not {"beta1", "beta2", "eps"} <= set(params) or "beta3" in params:  # Lion has no second moment, and Adan's forgets by β₃
        return None
    own = {name: run[name] for name in ("beta1", "beta2", "eps", "eps_place") if name in params}
    plane = surface("x + y")
    return Footprints(*(-descend(plane, key, (0.0, 0.0), steps, lr=1.0, **own).points[0, 1:] for key in ("adam", "adam_uncorrected")))
