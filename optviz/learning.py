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

    `loss_train` and its like have a row for each pass, row 0 before training; losses are without penalties, label smoothing and
    dropout; without validation its figures are the training part's; a run that has ended (its patience, or the numbers' end) repeats its
    last row. Accuracies are None for regression. `weights` is the flat vector
    (P, *batch): the last, or the best where there was patience. `snapshots` holds it on the way, at the passes in
    `snapshot_passes`. `diverged_at` is the pass in which a run left the floating-point numbers and `diverged_layer` whose weights
    did, or had been the largest, from 1; None (of a batch: -1) where that did not happen, and so with `stopped_at`.
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

    @property
    def training(self) -> Training:
        """The spec behind a single run: give it to train with another setting."""
        return Training(**self.trainer.values)

    @property
    def labels(self) -> tuple:
        """What the classes are called, in the order of outputs and probabilities."""
        return self.trainer.labels

    def predict(self, X: Any, at: int | None = None, thinned: int | None = None) -> np.ndarray:
        """The outputs for inputs (N, d) as the data have them: (*batch, N), or (*batch, N, outputs); a grid (…, d) keeps its shape.

        `at` asks the network of a snapshot, by its pass; `thinned` is the seed of a draw of dropout, for one of the thinned networks.
        """
        return self.trainer.predict(X, at, thinned)

    def classify(self, X: Any, at: int | None = None) -> np.ndarray:
        """The labels that the network gives to inputs."""
        return self.trainer.classify(X, at)

    def probabilities(self, X: Any, at: int | None = None) -> np.ndarray:
        """Of every class, (*batch, N, classes), where the loss gives outputs that meaning."""
        return self.trainer.probabilities(X, at)

    def __repr__(self) -> str:
        values, passes = self.trainer.values, self.trainer.passes
        many = f", batch {self.trainer.batch}" if self.trainer.batch else ""
        shape = "-".join(map(str, self.net.widths))
        ended = "" if many or self.diverged_at is None else f", diverged in pass {self.diverged_at}: layer {self.diverged_layer}"
        figures = "" if many else f", loss {self.loss_train[-1]:.3g}, validation {self.loss_val[-1]:.3g}"
        return f"History({values['data'].key!r}, {shape}{many}, {passes} passes{figures}{ended})"


def history_of(trainer: Trainer) -> History:
    """What there is so far; a training whose members have all ended has all its rows."""
    t = trainer.fork()
    t.finish()
    figures = [t.shaped(np.stack(column)) for column in zip(*t.rows, strict=True)]
    kept = t.snapshots
    return History(figures[0], figures[1], figures[2] if t.labels else None, figures[3] if t.labels else None,
                   t.shaped(t.now[0]), t.shaped(np.stack([theta for _, theta, _ in kept])), np.array([passes for passes, *_ in kept]),
                   t.whole(t.best_epoch), t.whole(t.stopped_at), t.whole(t.diverged_at), t.whole(t.diverged_layer), t.seconds, t)


def train(data: str | Dataset | tuple[Any, Any] | Training | History = "spiral", *, progress: Callable[[int, int], Any] | None = None,
          stop: Callable[[], bool] | None = None, **settings: Any) -> History:
    """Train a network, or a batch of them where settings are arrays. `data` is a key of ov.datasets, or your own (X, y).

    `layers` are the hidden ones; `n` counts all points, those kept for validation (`val`, a share) included; without any, what is said
    of validation is said of the training part. `progress` is told the pass and how many there are; when `stop` answers yes, what there
    is so far comes back, and goes on if it is given as data, also to more `epochs`. `weights` are those to begin with, in the order of
    the network's blocks, in the place of drawn ones. `batch=None` is the whole training part, `activation=None` a straight line.
    Whatever else an optimizer, a schedule (schedule_…), a loss (loss_…), an initializer (init_…), data (data_…) or an activation
    (elu_alpha, …) brings is a setting too: ov.optimizers["adam"].params and the like list them.
    """
    if isinstance(data, History):
        if settings.keys() - {"epochs"}:
            raise Refused(T("a training goes on as it began, only to more epochs; give other settings to a new one",
                            "обучение продолжается с теми же настройками, можно лишь увеличить epochs; другие настройки задайте новому обучению"))
        trainer = data.trainer.fork()
        trainer.values |= {"epochs": max(trainer.passes, WORDS["epochs"].check("epochs", settings.get("epochs", trainer.values["epochs"])))}
    else:
        trainer = Trainer(data, **settings)
    return history_of(trainer.run(progress, stop))


def _signature() -> inspect.Signature:
    """Every keyword with its default, for help(): the settings of the default words among them."""
    table = {**WORDS, **settings_of({name: word.default for name, word in WORDS.items()})}
    own = inspect.signature(train).parameters
    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=word.default) for name, word in table.items() if name not in own]
    return inspect.Signature([own["data"], *named, own["progress"], own["stop"], own["settings"]])


train.__signature__ = _signature()  # type: ignore[attr-defined]


