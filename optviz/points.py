"""The points of a training: drawn, split and mislabelled by their seed, and in the order of a pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .chance import Draw, generator
from .datasets import Own
from .preparing import mislabel, split


class Points(NamedTuple):
    """Points split into those to train on and those to validate with: inputs as the data have them, class indices or values."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    labels: tuple


def drawn(values: Mapping[str, Any], given: Mapping[str, Any]) -> Points:
    """The points of one member; wrong labels are for the training part alone."""
    seed = int(given["seed"] if given["data_seed"] is None else given["data_seed"])
    own = {name.removeprefix("data_"): value for name, value in given.items() if name.startswith("data_") and name != "data_seed"}
    sample = values["data"].sample(values["n"], given["noise"], seed, **own)
    train, held = parted(values, len(sample.X), seed)
    y = sample.y[train]
    if given["label_noise"] and sample.labels:
        y = mislabel(y, sample.classes, given["label_noise"], generator(seed, Draw.LABELS))
    return Points(sample.X[train], y, sample.X[held], sample.y[held], sample.labels)


def parted(values: Mapping[str, Any], n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which examples train and which validate: as a visitor's own data say, else by chance."""
    make = values["data"].make
    held = np.frombuffer(make.held or b"", bool)[:n] if isinstance(make, Own) else np.zeros(0, bool)
    if len(held) < n or held.all():  # nobody says it of each, or nothing would train
        return split(n, 1 - values["val"], generator(seed, Draw.SPLIT))
    return np.flatnonzero(~held), np.flatnonzero(held)


def taken(a: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Examples in another order, each member's own where orders have an axis of members."""
    if order.ndim == 1:
        return np.take(a, order, -2)
    return a[order] if a.ndim == 2 else np.take_along_axis(a, order[..., None], -2)
