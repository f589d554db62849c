"""Label smoothing: how confident a network is, and how right it is to be so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core import SHARE, Param, Range, Refused, T
from ..training import Training
from .several import Progress, Stop, need_classes, seeds_from, trained

AMOUNTS = Param(0.1, 0.0, 0.5, allowed=SHARE)
BINS = Param(10, 2, 50, allowed=Range(1, 1000), whole=True, one=True)


@dataclass(frozen=True, eq=False)
class Confidence:
    """The greatest probability of each validation example, all seeds together; the first axis is that of amounts."""

    amounts: np.ndarray
    true_share: np.ndarray  # α of the deck: what the true label's target is
    edges: np.ndarray  # (bins + 1,) from 0 to 1
    counts: np.ndarray  # (amounts, bins)
    confidence: np.ndarray  # (amounts, bins), the mean in each bin; 0 in an empty one
    right: np.ndarray  # (amounts, bins), the share that is right; 0 in an empty one
    mean: np.ndarray  # (amounts, seeds), the mean of the greatest probability
    accuracy: np.ndarray  # (amounts, seeds)
    error: np.ndarray  # (amounts, seeds), the expected calibration error: the mean over examples of |right − confidence| by bin


def confidence(training: Training, amounts: Sequence[float] = (0.0, 0.1, 0.2, 0.3), seeds: int = 10, bins: int = 10,
               progress: Progress = None, stop: Stop = None) -> Confidence:
    """Train with each amount of smoothing, over seeds, in lockstep."""
    need_classes(training)
    if training["loss"] not in ("ce", "logistic"):
        raise Refused(T("confidence needs probabilities; choose the loss ce or logistic",
                        "уверенность считают по вероятностям; выберите потерю ce или logistic"))
    smooth, bins = np.atleast_1d(AMOUNTS.check("amounts", list(amounts))), BINS.check("bins", bins)
    h = trained(training, {"": {"label_smoothing": smooth[:, None], "seed": seeds_from(training, seeds)}}, progress, stop)[""]
    t = h.trainer
    held = slice(t.count, None) if t.val_count else slice(None)
    out = t.outputs(t.all_x[..., held, :], *t.now)
    chances = t.loss.probabilities(out)
    assert chances is not None
    right, sure = (t.loss.decide(out) == t.known[..., held]).reshape(*t.batch, -1), chances.max(-1).reshape(*t.batch, -1)
    edges = np.linspace(0, 1, bins + 1)
    where = np.clip(np.digitize(sure, edges, right=True) - 1, 0, bins - 1)
    counts, sums, hits = (np.stack([(np.where(where == b, what, 0)).sum(-1) for b in range(bins)], -1) for what in (1, sure, right))
    error = np.abs(hits - sums).sum(-1) / right.shape[-1]
    total = counts.sum(1)
    mean_sure, mean_right = (np.divide(a.sum(1), total, out=np.zeros(total.shape), where=total > 0) for a in (sums, hits))
    classes = len(t.labels)
    return Confidence(smooth, 1 - smooth * (classes - 1) / classes, edges, total, mean_sure, mean_right, sure.mean(-1), right.mean(-1), error)
