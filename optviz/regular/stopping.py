"""Early stopping: the two curves, where patience ends, the snapshot that is restored, and the trace of patience."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import autograd
from ..core import Param, Range
from ..training import Training
from .several import Progress, Stop, trained, unseen

PATIENCE = Param(20, 1, 100, allowed=Range(1, 10**6), whole=True, one=True)


@dataclass(frozen=True, eq=False)
class Stopped:
    """One training to its end, and where patience would have ended it; figures of examples that neither training nor stopping saw."""

    loss_train: np.ndarray  # (passes + 1,), to the end
    loss_val: np.ndarray
    waited: np.ndarray  # (passes + 1,), passes since the best so far: the trace of patience
    patience: int
    stopped_at: int | None  # the pass in which patience was over
    best: int  # the pass whose weights are restored
    restored: np.ndarray  # (P,), those weights
    last: np.ndarray  # (P,), the weights at the end of all passes
    loss_unseen: tuple[float, float]  # restored, last
    accuracy_unseen: tuple[float, float] | None


def stopping(training: Training, patience: int = 20, progress: Progress = None, stop: Stop = None) -> Stopped:
    """Train with patience, and to the end without."""
    patience, test = PATIENCE.check("patience", patience), unseen(training)
    early, whole = trained(training, {"early": {"patience": patience}, "whole": {"patience": None}}, progress, stop).values()
    at, best = np.arange(len(whole.loss_val)), np.minimum.accumulate(whole.loss_val)
    better = np.append(True, best[1:] < best[:-1])
    losses, accuracies = [], []
    for h in (early, whole):
        t = h.trainer
        out = t.outputs(t.prepared(test.X), *t.now)
        losses.append(float(t.loss.rule(out, t.targets(test.y), t.loss_h, autograd).mean()))
        accuracies.append(float((t.loss.decide(out) == test.y).mean()))
    return Stopped(whole.loss_train, whole.loss_val, at - np.maximum.accumulate(at * better), patience, early.stopped_at, early.best_epoch,
                   early.weights, whole.weights, (losses[0], losses[1]), (accuracies[0], accuracies[1]) if whole.labels else None)
