"""Augmentations: each draws a little change for every example of a batch that leaves its label true.

A rule is `rule(X, amount, rng, image) -> X` on points (…, n, d), or on images (…, n, rows·columns) when `image` is (rows, columns).
One change is drawn for each example: K networks in lockstep, (K, n, d), see the same ones. Amount 0 changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .core import SHARE, Param, Range, Refused, Registry, T

Image = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Augmentation:
    """A rule with its texts and how much of it there can be."""

    key: str
    name: T
    idea: T
    rule: Callable[..., Any]
    amount: Param


augmentations: Registry[Augmentation] = Registry()


def augmentation(name: T, idea: T, amount: Param) -> Callable[[Callable], Callable]:
    """Register a rule under its own name."""
    def register(rule: Callable) -> Callable:
        augmentations.add(rule.__name__, Augmentation(rule.__name__, name, idea, rule, amount))
        return rule
    return register


@augmentation(T("Jitter", "Дрожание"), T("Add a normal number to each input.", "Прибавить к каждому входу нормальное случайное число."),
              Param(0.1, 0.0, 1.0, allowed=Range(0.0, 100.0)))
def jitter(X, amount, rng, image):
    return X + amount * rng.normal(size=X.shape[-2:])


@augmentation(T("Rotate", "Поворот"),
              T("Turn by a random angle, at most so many degrees either way.",
                "Повернуть на случайный угол: не больше заданного числа градусов в любую сторону."),
              Param(15.0, 0.0, 180.0, allowed=Range(0.0, 180.0)))
def rotate(X, amount, rng, image):
    return turned(X, amount * rng.uniform(-1, 1, (X.shape[-2], 1)), image)


@augmentation(T("Flip", "Отражение"), T("Mirror left and right, with this probability.", "Отразить слева направо с этой вероятностью."),
              Param(0.5, 0.0, 1.0, allowed=SHARE))
def flip(X, amount, rng, image):
    return np.where(rng.uniform(size=(X.shape[-2], 1)) < amount, mirrored(X, image), X)


@augmentation(T("Shift", "Сдвиг"),
              T("Move by at most so much on each axis; an image by pixels.",
                "Сдвинуть по каждой оси не больше заданного; изображение — на столько пикселей."),
              Param(1.0, 0.0, 3.0, allowed=Range(0.0, 100.0)))
def shift(X, amount, rng, image):
    return moved(X, amount * rng.uniform(-1, 1, (X.shape[-2], 2 if image else X.shape[-1])), image)


# --- what they do, when it is known how much ----------------------------------------------------------------------------------------


def turned(X: Any, degrees: Any, image: Image | None = None) -> Any:
    """Each example turned counterclockwise by its own angle (…, n, 1), around the origin or the middle of the image."""
    plane(X, image)
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    if not image:
        x, y = X[..., :1], X[..., 1:]
        return np.concatenate(np.broadcast_arrays(cos * x - sin * y, sin * x + cos * y), -1)
    row, column = pixels(image)
    up, right = (image[0] - 1) / 2 - row, column - (image[1] - 1) / 2
    return sampled(X, (image[0] - 1) / 2 - (cos * up - sin * right), (image[1] - 1) / 2 + (cos * right + sin * up), image)


def mirrored(X: Any, image: Image | None = None) -> Any:
    """Each example with its left on the right."""
    plane(X, image)
    return X.reshape(*X.shape[:-1], *image)[..., ::-1].reshape(X.shape) if image else X * [-1.0, 1.0]


def moved(X: Any, by: Any, image: Image | None = None) -> Any:
    """Each example moved by its own vector (…, n, d); an image by (…, n, 2) pixels down and to the right."""
    if not image:
        return X + by
    row, column = pixels(image)
    return sampled(X, row - by[..., :1], column - by[..., 1:], image)


def plane(X: Any, image: Image | None) -> None:
    """Refuses what has no left and right."""
    if not image and X.shape[-1] != 2:
        raise Refused(T("only points of a plane and images can be turned or mirrored; choose jitter or shift for this data",
                        "поворачивать и отражать можно только точки плоскости и изображения; для этих данных выберите дрожание или сдвиг"))


def pixels(image: Image) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each pixel, row by row."""
    row, column = np.divmod(np.arange(image[0] * image[1]), image[1])
    return row, column


def sampled(X: Any, row: Any, column: Any, image: Image) -> Any:
    """Images whose every pixel is read at its own place (…, n, pixels) of X: bilinear between four pixels, zero outside."""
    row, column, X = np.broadcast_arrays(row, column, X)
    out = np.zeros(X.shape)
    for r in (np.floor(row), np.floor(row) + 1):
        for c in (np.floor(column), np.floor(column) + 1):
            inside = (r >= 0) & (r < image[0]) & (c >= 0) & (c < image[1])
            at = np.where(inside, r * image[1] + c, 0).astype(int)
            out += inside * (1 - abs(row - r)) * (1 - abs(column - c)) * np.take_along_axis(X, at, -1)
    return out
