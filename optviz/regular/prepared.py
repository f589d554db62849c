"""Preparing the data: what centring, decorrelating and scaling do to the points, to the loss and to how steady a boundary is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..chance import Draw, generator
from ..core import NOT_NEGATIVE, POSITIVE, Param, Range, Refused, T
from ..preparing import Preparation, preparations
from ..training import Several, Training
from .several import NEVER, Progress, Stop, need_classes, trained

STRETCH = Param(5.0, 1.0, 20.0, log=True, allowed=POSITIVE, one=True)
TURN = Param(30.0, -90.0, 90.0, allowed=Range(-360.0, 360.0), one=True)
AWAY = Param(3.0, 0.0, 20.0, allowed=NOT_NEGATIVE, one=True)
SHARE = Param(0.01, 1e-6, 0.5, log=True, allowed=Range(0.0, 1.0, open_low=True, open_high=True), one=True)
SIZE = Param(0.1, 0.0, 1.0, allowed=NOT_NEGATIVE, one=True)
DRAWS = Param(200, 10, 1000, allowed=Range(1, 10_000), whole=True, one=True)
STEPS = Several(tuple(preparations), ("centre", "decorrelate", "scale"))
MOST_STEPS = 10**9


def skewed(X: np.ndarray, stretch: float = 5.0, turn: float = 30.0, away: float = 3.0) -> np.ndarray:
    """Points as nobody prepared them: stretched along x, turned by degrees, and so many standard deviations off the origin."""
    if X.shape[-1] != 2:
        raise Refused(T("this is drawn in a plane; choose data with two inputs", "это рисуется на плоскости; выберите данные с двумя входами"))
    angle = np.radians(TURN.check("turn", turn))
    cos, sin = np.cos(angle), np.sin(angle)
    Z = (X - X.mean(0)) * [STRETCH.check("stretch", stretch), 1.0] @ np.array([[cos, sin], [-sin, cos]])
    return Z + AWAY.check("away", away) * Z.std(0)


@dataclass(frozen=True, eq=False)
class Stages:
    """One stage for the raw points and one after each step; the loss is the mean squared error of a linear neuron (w₁, w₂, b)."""

    stages: tuple[str, ...]  # "raw", then the steps
    points: np.ndarray  # (stages, n, 2)
    y: np.ndarray  # (n,) class indices
    covariance: np.ndarray  # (stages, 2, 2)
    hessian: np.ndarray  # (stages, 3, 3) of the loss; over w₁, w₂ alone, its contours at the best b are those of its first two rows and columns
    best: np.ndarray  # (stages, 3), the weights and the bias with the least loss
    least: np.ndarray  # (stages,), that loss
    condition: np.ndarray  # (stages,), the greatest eigenvalue of the Hessian to the least, at most 1/ε
    steps: np.ndarray  # (stages,) of descent at α = 1/λmax from zero weights, until `share` of what can be gained is left; NEVER: over 10⁹


def stages(training: Training, stretch: float = 5.0, turn: float = 30.0, away: float = 3.0, share: float = 0.01,
           order: Sequence[str] = STEPS.default, progress: Progress = None, stop: Stop = None) -> Stages:
    """The training's points, skewed, then prepared one step after another."""
    share, order = SHARE.check("share", share), STEPS.check("order", order)
    X, y, targets = _points(training, stretch, turn, away)
    points = np.stack([Preparation.fit(X, order[:k])(X) for k in range(len(order) + 1)])
    rows = np.concatenate([points, np.ones((*points.shape[:-1], 1))], -1)
    hessian = 2 * np.swapaxes(rows, -1, -2) @ rows / len(X)
    best = np.stack([np.linalg.lstsq(z, targets, rcond=None)[0] for z in rows])
    least = np.array([np.mean((z @ w - targets) ** 2) for z, w in zip(rows, best, strict=True)])
    roots, axes = np.linalg.eigh(hessian)
    roots = np.clip(roots, 0, None)
    floor = np.finfo(float).eps * roots[:, -1]
    gains = 0.5 * roots * (np.swapaxes(axes, -1, -2) @ best[..., None])[..., 0] ** 2
    centred = points - points.mean(1, keepdims=True)
    return Stages(("raw", *order), points, y, np.swapaxes(centred, -1, -2) @ centred / len(X), hessian, best, least,
                  roots[:, -1] / np.maximum(roots[:, 0], floor), np.array([_steps(r, g, share) for r, g in zip(roots, gains, strict=True)]))


def _points(training: Training, stretch: float, turn: float, away: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The training part, skewed, with its classes and the targets of the first output."""
    need_classes(training)
    t = trained(training, {"": {"epochs": 0, "loss": "mse"}})[""].trainer
    return skewed(t.raw[:t.count], stretch, turn, away), t.known[:t.count], t.targets(t.known[:t.count])[:, 0]


def _steps(roots: np.ndarray, gains: np.ndarray, share: float) -> int:
    """How many steps until the excess Σ gain (1 − λ/λmax)^(2k) is that share of the first: it only falls, so by halving."""
    shrink = 1 - roots / roots.max()
    low, high = 0, MOST_STEPS
    if gains @ shrink ** (2 * high) > share * gains.sum():
        return NEVER
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if gains @ shrink ** (2 * middle) <= share * gains.sum() else (middle + 1, high)
    return low


@dataclass(frozen=True, eq=False)
class Shaken:
    """One boundary, that of the least squared error, held by the weights of raw points and by those of prepared ones, both shaken."""

    points: np.ndarray  # (n, 2), raw
    y: np.ndarray  # (n,)
    lines: np.ndarray  # (2, draws + 1, 3): a x + b y + c = 0 in the raw plane; the first of each is unshaken
    flips: np.ndarray  # (2, draws), the share of points whose class changes

    @property
    def mean(self) -> np.ndarray:
        """(2,): raw, prepared."""
        return self.flips.mean(1)


def shaken(training: Training, size: float = 0.1, draws: int = 200, stretch: float = 5.0, turn: float = 30.0, away: float = 3.0,
           order: Sequence[str] = STEPS.default, progress: Progress = None, stop: Stop = None) -> Shaken:
    """A normal vector of `size` times the length of the weights is added to them, the same draws for both."""
    size, draws, order = SIZE.check("size", size), DRAWS.check("draws", draws), STEPS.check("order", order)
    X, y, targets = _points(training, stretch, turn, away)
    noise = generator(training["seed"], Draw.WEIGHTS).normal(size=(draws, 3)) / np.sqrt(3)
    lines, flips = [], []
    for steps in ((), order):
        p = Preparation.fit(X, steps)
        rows = np.column_stack([p(X), np.ones(len(X))])
        w = np.linalg.lstsq(rows, targets, rcond=None)[0]
        many = np.vstack([w, w + size * np.linalg.norm(w) * noise])
        decided = many @ rows.T > 0
        flips.append((decided[1:] != decided[0]).mean(1))
        lines.append(np.column_stack([many[:, :2] @ p.matrix.T, many[:, :2] @ p.shift[0] + many[:, 2]]))
    return Shaken(X, y, np.stack(lines), np.stack(flips))
