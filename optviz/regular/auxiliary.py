"""An auxiliary task: a second head on the same hidden layers, which must tell something else of the same points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..chance import Draw, generator
from ..core import NOT_NEGATIVE, Param, Refused, T, unknown_name
from ..datasets import ROWS, dataset
from ..losses import losses
from ..training import Training
from .several import Progress, Stop, need_classes, need_hidden, seeds_from, trained

WEIGHT = Param(1.0, 0.01, 10.0, log=True, allowed=NOT_NEGATIVE, one=True)


class Second(NamedTuple):
    """What the second head is to tell of points in the plane."""

    name: T
    rule: Callable[[np.ndarray], np.ndarray]


SECONDS: Mapping[str, Second] = {
    "radius": Second(T("the distance from the middle", "расстояние до центра"), lambda X: np.hypot(X[:, 0], X[:, 1])),
    "product": Second(T("the product x·y", "произведение x·y"), lambda X: X[:, 0] * X[:, 1]),
    "chance": Second(T("random numbers", "случайные числа"), lambda X: generator(0, Draw.NOISE).normal(size=len(X))),
}


@dataclass(frozen=True, eq=False)
class Heads:
    """Accuracy of the first head without the second, and with it; what is tested with was not trained on."""

    heads: tuple[str, ...]  # "off", then the second targets
    accuracy_train: np.ndarray  # (heads, seeds)
    accuracy_test: np.ndarray


def heads(training: Training, seconds: tuple[str, ...] = ("radius", "chance"), weight: float = 1.0, seeds: int = 10,
          progress: Progress = None, stop: Stop = None) -> Heads:
    """Train by squared error on the classes alone, then with each second target at unit variance times `weight`; each seed has other points."""
    need_classes(training)
    need_hidden(training)
    weight = WEIGHT.check("weight", weight)
    for name in seconds:
        if name not in SECONDS:
            raise unknown_name(name, SECONDS)
    data = training["data"]
    if data.inputs != 2:
        raise Refused(T("the second task is one of points in the plane; choose data with two inputs",
                        "вторая задача — о точках плоскости; выберите данные с двумя входами"))
    own = {name.removeprefix("data_"): value for name, value in training.values if name.startswith("data_") and name != "data_seed"}
    pool = data.sample(data.size or ROWS, training["noise"], training["seed"], **own)
    first = losses["mse"].targets(pool.y, pool.classes)
    targets = {"off": first}
    for name in seconds:
        second = SECONDS[name].rule(pool.X)
        targets[name] = np.column_stack([first, weight * (second - second.mean()) / (second.std() or 1.0)])
    plain = Training(**{**dict(training.values), "noise": 0.0, "label_smoothing": 0.0, "label_noise": 0.0, "data_seed": None})
    seed = seeds_from(training, seeds)
    made = trained(plain, {name: {"seed": seed, "data": dataset(pool.X, y, kind="values")} for name, y in targets.items()}, progress, stop)
    shares = []
    for h in made.values():
        t = h.trainer
        decide = losses["mse"].decide
        right = [decide(a[..., :first.shape[1]]) for a in (t.outputs(t.all_x, *t.now), t.known)]
        same = np.broadcast_to(right[0] == right[1], (*t.lead, len(right[0].T)))
        shares.append([same[:, :t.count].mean(-1), same[:, t.count:].mean(-1) if t.val_count else same.mean(-1)])
    ends = np.stack(shares, 1)
    return Heads(tuple(made), ends[0], ends[1])
