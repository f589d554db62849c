"""What happens to data before training: a part kept for validation, wrong labels, features, and centre, decorrelate, scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .core import SHARE, Param, Refused, Registry, T, unknown_name

TRAIN = Param(0.5, 0.1, 0.9, allowed=SHARE, one=True)
WRONG = Param(0.0, 0.0, 0.5, allowed=SHARE, one=True)


def split(n: int, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Indices for training, a share of n but at least one, and those for validation; a greater share keeps what a smaller one holds."""
    order = rng.permutation(n)
    count = max(1, round(n * TRAIN.check("train", share)))
    return order[:count], order[count:]


def mislabel(y: np.ndarray, classes: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """A share of the labels moved to another class, each as likely; a greater share keeps what a smaller one moved."""
    moved = (y + rng.integers(1, classes, len(y))) % classes
    chosen = rng.permutation(len(y))[:round(len(y) * WRONG.check("label_noise", share))]
    return np.where(np.isin(np.arange(len(y)), chosen), moved, y)


# --- features of two inputs ---------------------------------------------------------------------------------------------------------

FEATURES: dict[str, Callable[[Any, Any], Any]] = {
    "x": lambda x, y: x, "y": lambda x, y: y, "x2": lambda x, y: x * x, "y2": lambda x, y: y * y, "xy": lambda x, y: x * y,
    "sinx": lambda x, y: np.sin(x), "siny": lambda x, y: np.sin(y)}
RAW = ("x", "y")


def features(X: np.ndarray, names: Sequence[str] = RAW) -> np.ndarray:
    """The named features of inputs (…, n, 2) as columns, in that order, a name twice if it is given twice; other inputs stay as they are."""
    for name in names:
        if name not in FEATURES:
            raise unknown_name(name, FEATURES)
    if not names:
        raise Refused(T(f"choose at least one feature of {', '.join(FEATURES)}", f"выберите хотя бы один признак: {', '.join(FEATURES)}"))
    if X.shape[-1] == 2:
        return np.stack([FEATURES[name](X[..., 0], X[..., 1]) for name in names], -1)
    if tuple(names) != RAW:
        raise Refused(T(f"features are made of two inputs, and this data has {X.shape[-1]}; leave them at x, y",
                        f"признаки строятся из двух входов, а у этих данных их {X.shape[-1]}; оставьте x, y"))
    return X


# --- centre, decorrelate, scale -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Step:
    """One affine step with its texts: rule(mean, Z) -> (matrix, shift), with Z the examples less their mean."""

    key: str
    name: T
    idea: T
    rule: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


preparations: Registry[Step] = Registry()


def step(name: T, idea: T) -> Callable[[Callable], Callable]:
    """Register a rule under its own name."""
    def register(rule: Callable) -> Callable:
        preparations.add(rule.__name__, Step(rule.__name__, name, idea, rule))
        return rule
    return register


def inverse(spread: np.ndarray, examples: int, otherwise: float) -> np.ndarray:
    """1/spread, but `otherwise` where a spread is nothing but rounding beside the greatest."""
    real = spread > max(examples, spread.shape[-1]) * np.finfo(float).eps * spread.max(axis=-1, keepdims=True)
    return np.where(real, 1 / np.where(real, spread, 1), otherwise)


@step(T("Centre", "Центрирование"), T("Subtract the mean of each input.", "Вычесть из каждого входа его среднее."))
def centre(mean, Z):
    return np.eye(Z.shape[-1]), -mean


@step(T("Decorrelate", "Декорреляция"),
      T("Multiply by Cov^(−1/2): no input then says anything linear of another, and each has unit variance.",
        "Умножить на Cov^(−1/2): входы больше не связаны линейно, и у каждого единичная дисперсия."))
def decorrelate(mean, Z):
    n = Z.shape[-2]
    _, root, axes = np.linalg.svd(Z / np.sqrt(n), full_matrices=False)  # Cov = axesᵀ root² axes, without squaring what is small
    return np.swapaxes(axes, -1, -2) @ (inverse(root, n, 0.0)[..., None] * axes), 0 * mean


@step(T("Scale", "Масштабирование"), T("Divide each input by its standard deviation.", "Разделить каждый вход на его стандартное отклонение."))
def scale(mean, Z):
    spread = np.sqrt((Z * Z).mean(axis=-2))
    return inverse(spread, Z.shape[-2], 1.0)[..., None] * np.eye(Z.shape[-1]), 0 * mean


@dataclass(frozen=True, eq=False)
class Preparation:
    """The affine map X @ matrix + shift, for (n, d) or K networks' (K, n, d)."""

    matrix: np.ndarray
    shift: np.ndarray

    @classmethod
    def fit(cls, X: np.ndarray, steps: Sequence[str] = ()) -> Preparation:
        """The named steps one after the other, each fitted to what those before it make of X."""
        mean = X.mean(axis=-2, keepdims=True)
        Z = X - mean
        Z = np.where(abs(Z).max(axis=-2, keepdims=True) > 1e-12 * abs(mean), Z, 0.0)  # of a constant, only rounding is left
        matrix, shift = np.eye(X.shape[-1]) + np.zeros((*X.shape[:-2], 1, 1)), 0 * mean
        for name in steps:
            factor, added = preparations[name].rule(mean, Z)
            mean, Z, matrix, shift = mean @ factor + added, Z @ factor, matrix @ factor, shift @ factor + added
        return cls(matrix, shift)

    def __call__(self, X: Any) -> Any:
        """What the steps make of other examples, too."""
        return X @ self.matrix + self.shift
