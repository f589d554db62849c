"""A loss that is a mean over examples of one input: a straight line by least squares, or the chance of a class by logistic regression.

θ is (slope, intercept) and z = slope·x + intercept; each kind is a loss of z and y with its two derivatives by z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..chance import Draw, generator
from ..core import SEED, Param, Range, Registry, T

MOST = 200
N = Param(40, 10, MOST, allowed=Range(2, MOST), whole=True, one=True)
SPREAD = Param(0.5, 0.0, 2.0, allowed=Range(0.0, 100.0), one=True)
SLOPE, INTERCEPT = 1.5, 0.5  # of the line that the points of a regression are around
FAR = 8.0  # how far off an outlier lies
ROUNDS = 100  # of Newton's method


@dataclass(frozen=True)
class Kind:
    """The loss of one example, and its derivatives by z."""

    key: str
    name: T
    latex: str
    loss: Callable[[Any, Any], Any]
    slope: Callable[[Any, Any], Any]
    curvature: Callable[[Any, Any], Any]


def chance(z: Any) -> Any:
    """1/(1 + e^−z), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


kinds: Registry[Kind] = Registry()
for _kind in (
        Kind("line", T("a line, least squares", "прямая, наименьшие квадраты"), r"L_i = \tfrac12 (wx_i + b - y_i)^2",
             lambda z, y: 0.5 * (z - y) ** 2, lambda z, y: z - y, lambda z, y: np.ones_like(z)),
        Kind("logistic", T("logistic regression", "логистическая регрессия"), r"L_i = \ln(1 + e^{z_i}) - y_i z_i,\; z_i = wx_i + b",
             lambda z, y: np.logaddexp(0, z) - y * z, lambda z, y: chance(z) - y, lambda z, y: chance(z) * chance(-z))):
    kinds.add(_kind.key, _kind)


@dataclass(frozen=True, eq=False)
class Sum:
    """The examples; `group` is the class of each, in a regression on which side of 0 it lies."""

    kind: Kind
    x: np.ndarray
    y: np.ndarray
    group: np.ndarray

    @property
    def n(self) -> int:
        return len(self.x)

    def losses(self, theta: Any, some: Any = slice(None)) -> np.ndarray:
        """The loss of each example (n, *batch) at θ (2, *batch)."""
        z, y = self._at(theta, some)
        return self.kind.loss(z, y)

    def gradients(self, theta: Any, some: Any = slice(None)) -> np.ndarray:
        """Each example's own gradient (2, n, *batch)."""
        z, y = self._at(theta, some)
        r = self.kind.slope(z, y)
        return np.stack([r * self.x[some].reshape(y.shape), r])

    def loss(self, theta: Any) -> Any:
        """The mean over all examples."""
        return self.losses(theta).mean(0)

    def gradient(self, theta: Any) -> np.ndarray:
        return self.gradients(theta).mean(1)

    def hessian(self, theta: Any) -> np.ndarray:
        z, y = self._at(theta, slice(None))
        c, x = self.kind.curvature(z, y), self.x
        return np.array([[c @ (x * x), c @ x], [c @ x, c.sum()]]) / self.n

    def _at(self, theta: Any, some: Any) -> tuple[Any, Any]:
        theta = np.asarray(theta, float)
        shape = (-1, *[1] * (theta.ndim - 1))
        return theta[0] * self.x[some].reshape(shape) + theta[1], self.y[some].reshape(shape)

    @cached_property
    def minimum(self) -> np.ndarray | None:
        """The best θ by Newton's method; none where the classes can be told apart without error: then the best slope is infinite."""
        if self.kind.key == "logistic" and self._apart:
            return None
        theta = np.zeros(2)
        for _ in range(ROUNDS):
            move = np.linalg.lstsq(self.hessian(theta), self.gradient(theta), rcond=None)[0]
            share = 1.0
            while self.loss(theta - share * move) > self.loss(theta) + 1e-15 and share > 1e-6:
                share /= 2
            theta = theta - share * move
            if np.abs(move).max() < 1e-12 * (1 + np.abs(theta).max()):
                break
        return theta

    @property
    def _apart(self) -> bool:
        left, right = self.x[self.group == 0], self.x[self.group == 1]
        return bool(left.max() <= right.min() or right.max() <= left.min())

    @cached_property
    def least(self) -> float:
        """The smallest mean loss there is."""
        return 0.0 if self.minimum is None else float(self.loss(self.minimum))


def drawn(kind: str, n: int = N.default, spread: float = SPREAD.default, outlier: bool = False, seed: int = 0) -> Sum:
    """n examples in random order; more spread moves the same ones further. The outlier is the last one, far from where it belongs."""
    key, n, spread = kinds[kind].key, N.check("n", n), SPREAD.check("spread", spread)
    points, noise = generator(SEED.check("data_seed", seed), Draw.POINTS), generator(seed, Draw.NOISE).standard_normal(n)
    if key == "line":
        x = points.permutation(np.linspace(-2.0, 2.0, n))
        y = SLOPE * x + INTERCEPT + spread * noise
        group = (x > 0).astype(int)
        if outlier:
            y[-1] -= np.sign(x[-1]) * FAR
    else:
        group = points.permutation(np.arange(n) % 2)
        x, y = 2.0 * group - 1 + 2 * spread * noise, group.astype(float)
        if outlier:
            x[-1] = (1 - 2 * group[-1]) * FAR
    return Sum(kinds[key], x, y, group)
