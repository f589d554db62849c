"""train: what came of training a network, or many in lockstep."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .core import Refused, T
from .datasets import Dataset
from .nn import Net
from .trainer import Trainer
from .training import WORDS, Training, settings_of


@dataclass(frozen=True, eq=False)
class History:
    """What came of a training; where settings were arrays, their batch's axes come last.

    `loss_train` and its like have a row for each pass, row 0 before training; losses are without penalties, a run that has ended
    (its patience, or the numbers' end) repeats its last row. Accuracies are None for regression. `weights` is the flat vector
    (P, *batch): the last, or the best where there was patience. `snapshots` holds it on the way, at the passes in
    `snapshot_passes`. `diverged_at` is the pass in which a run left the floating-point numbers and `diverged_layer` whose weights
    did, from 1; None (of a batch: -1) where that did not happen, and so with `stopped_at`.
    """

    loss_train: np.ndarray
    loss_val: np.ndarray
    accuracy_train: np.ndarray | None
    accuracy_val: np.ndarray | None
    weights: np.ndarray
    snapshots: np.ndarray
    snapshot_passes: np.ndarray
    best_epoch: Any
    stopped_at: Any
    diverged_at: Any
    diverged_layer: Any
    seconds: float
    trainer: Trainer

    @property
    def net(self) -> Net:
        """The network's shape: its blocks say which part of `weights` is what."""
        return self.trainer.net

    def predict(self, X: Any, at: int | None = None) -> np.ndarray:
        """The outputs for inputs (N, d) as the data have them: (*batch, N), or (*batch, N, outputs); `at` asks the network of a snapshot."""
        return self.trainer.predict(X, at)

    def classify(self, X: Any, at: int | None = None) -> np.ndarray:
        """The labels that the network gives to inputs."""
        return self.trainer.classify(X, at)


def history_of(trainer: Trainer) -> History:
    """What there is so far; a training whose members have all ended has all its rows."""
    t = trainer.fork()
    t.finish()
    figures = [t.shaped(np.stack(column)) for column in zip(*t.rows, strict=True)]
    kept = t.snapshots
    return History(figures[0], figures[1], figures[2] if t.labels else None, figures[3] if t.labels else None,
                   t.shaped(t.now[0]), t.shaped(np.stack([theta for _, theta, _ in kept])), np.array([passes for passes, *_ in kept]),
                   t.whole(t.best_epoch), t.whole(t.stopped_at), t.whole(t.diverged_at), t.whole(t.diverged_layer), t.seconds, t)


def train(data: str | Dataset | Training | History = "spiral", *, progress: Callable[[int, int], Any] | None = None,
          stop: Callable[[], bool] | None = None, **settings: Any) -> History:
    """Train a network, or a batch of them where settings are arrays.

    `layers` are the hidden ones; `n` counts all points, those kept for validation (`val`, a share) included. `progress` is told
    the pass and how many there are; when `stop` answers yes, what there is so far comes back, and goes on if it is given as data.
    `weights` are those to begin with, in the order of the network's blocks, in the place of drawn ones.
    Further settings are those of the chosen optimizer, schedule (schedule_…), loss (loss_…), initializer (init_…), data (data_…)
    and activations (elu_alpha, …); `batch=None` is the whole training part, `activation=None` a straight line.
    """
    if isinstance(data, History) and settings:
        raise Refused(T("a training goes on as it began; give its settings to a new one",
                        "обучение продолжается с теми же настройками; новые настройки задайте новому обучению"))
    trainer = data.trainer.fork() if isinstance(data, History) else Trainer(data, **settings)
    return history_of(trainer.run(progress, stop))


def _signature() -> inspect.Signature:
    """Every keyword with its default, for help(): the settings of the default words among them."""
    table = {**WORDS, **settings_of({name: word.default for name, word in WORDS.items()})}
    own = inspect.signature(train).parameters
    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=word.default) for name, word in table.items() if name not in own]
    return inspect.Signature([own["data"], *named, own["progress"], own["stop"], own["settings"]])


train.__signature__ = _signature()  # type: ignore[attr-defined]


