"""Landscapes worth showing: each with what to do and what can then be seen; tests/test_landscape_presets.py holds every claim."""

from __future__ import annotations

from dataclasses import dataclass

from .core import Registry, T
from .landscape import Slice
from .training import Training


@dataclass(frozen=True)
class Outlook:
    """A slice with its lesson; `beside` is the one that it is compared with."""

    key: str
    name: T
    do: T
    see: T
    slice: Slice
    beside: Slice | None = None


outlooks: Registry[Outlook] = Registry()


def _add(key: str, name: T, do: T, see: T, one: Slice, beside: Slice | None = None) -> None:
    outlooks.add(key, Outlook(key, name, do, see, one, beside))


SPIRAL = Training("spiral", layers=(32,), loss="logistic", optimizer="adam", lr=0.03, epochs=150)


def deep(residual: bool) -> Slice:
    """Twenty layers, with or without a way past each."""
    training = Training("circle", layers=(8,) * 20, residual=residual, loss="logistic", optimizer="adam", lr=0.01, batch=20, epochs=60)
    return Slice(training, directions="random", shape=(41, 41))


def batched(batch: int, epochs: int) -> Slice:
    """The same updates' rate, small batches or all examples at once."""
    training = Training("circle", noise=0.2, layers=(16,), loss="logistic", optimizer="sgd", lr=0.1, batch=batch, epochs=epochs)
    return Slice(training, directions="random", shape=(41, 41))
