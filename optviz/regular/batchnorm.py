"""Batch normalization: steps to a target, batches down to one example, batch against running statistics, initialization, and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import autograd
from ..chance import Draw, generator
from ..core import COUNT, POSITIVE, SHARE, Param, Range, T
from ..learning import History
from ..nn import EPS
from ..training import Training
from .several import Progress, Stop, middle, need_classes, need_hidden, reached, seeds_from, trained

TARGET = Param(0.95, 0.5, 1.0, allowed=SHARE, one=True)
SIZES = Param(32, 1, 512, log=True, allowed=COUNT, whole=True)
END = Param(1.0, 1e-3, 10.0, log=True, allowed=POSITIVE, one=True)
MANY = Param(9, 2, 40, allowed=Range(2, 200), whole=True, one=True)


class Printed(NamedTuple):
    """A row of a printed table."""

    name: T
    steps: float | None
    accuracy: float


#: What deck E prints of ImageNet, after Ioffe & Szegedy 2015, Batch normalization, figure 3: steps to 72.2 %, and the best accuracy in %.
IMAGENET = (
    Printed(T("Inception", "Inception"), 31.0e6, 72.2), Printed(T("BN-Baseline", "BN-Baseline"), 13.3e6, 72.7),
    Printed(T("BN-x5", "BN-x5"), 2.1e6, 73.0), Printed(T("BN-x30", "BN-x30"), 2.7e6, 74.8),
    Printed(T("BN-x5-Sigmoid", "BN-x5-Sigmoid"), None, 69.8),
)
#: Our rows of the same shape: the name, whether normalized, how many times the learning rate, and the activation where it is another.
ROWS: Mapping[str, tuple[T, bool, float, str | None]] = {
    "none": (T("without BN", "без BN"), False, 1.0, None), "bn": (T("BN", "BN"), True, 1.0, None),
    "x5": (T("BN, α×5", "BN, α×5"), True, 5.0, None), "x30": (T("BN, α×30", "BN, α×30"), True, 30.0, None),
    "sigmoid": (T("BN, α×5, sigmoid", "BN, α×5, сигмоида"), True, 5.0, "sigmoid"),
    "bare": (T("α×5, sigmoid, without BN", "α×5, сигмоида, без BN"), False, 5.0, "sigmoid"),
}


@dataclass(frozen=True, eq=False)
class Steps:
    """Updates until the accuracy on validation is at the target, a row for each of `rows`; NEVER where it was not."""

    rows: tuple[str, ...]
    rates: np.ndarray  # (rows,)
    steps: np.ndarray  # (rows, seeds)
    median: np.ndarray  # (rows,)
    best: np.ndarray  # (rows,), the median of the best accuracy of each seed
    curves: np.ndarray  # (rows, passes + 1), the median of the best accuracy on validation so far
    per_pass: int


def steps_table(training: Training, target: float = 0.95, seeds: int = 10, progress: Progress = None, stop: Stop = None) -> Steps:
    """None, BN, and BN at greater rates, over seeds."""
    need_classes(training)
    need_hidden(training)
    target, seed = TARGET.check("target", target), seeds_from(training, seeds)
    place = _place(training)
    wanted: dict[str, dict[str, Any]] = {}
    for key, (_, on, times, activation) in ROWS.items():
        wanted[key] = {"seed": seed, "batchnorm": place if on else "none", "lr": training["lr"] * times}
        if activation:
            wanted[key]["activation"] = activation
    made = trained(training, wanted, progress, stop)
    per_pass = next(iter(made.values())).trainer.per_pass
    accuracy = [_val(h) for h in made.values()]
    steps = np.stack([reached(a, target, per_pass) for a in accuracy])
    passes = max(map(len, accuracy))  # what was broken off stays where it was
    best = [np.median(np.maximum.accumulate(a), -1) for a in accuracy]  # it reaches the target where the median of the steps does
    curves = np.stack([np.pad(a, (0, passes - len(a)), mode="edge") for a in best])
    return Steps(tuple(made), np.array([w["lr"] for w in wanted.values()]), steps, np.array([middle(row) for row in steps]),
                 np.array([np.median(a.max(0)) for a in accuracy]), curves, per_pass)


def _place(training: Training) -> str:
    """Where it stands where it is wanted: before the nonlinearity, as its paper has it, unless the training says after."""
    return "after" if training["batchnorm"] == "after" else "before"


def _val(h: History) -> np.ndarray:
    assert h.accuracy_val is not None
    return h.accuracy_val


# --- the size of a batch --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Collapse:
    """One trained network whose batches, normalized by their own statistics, get smaller; the first axis is that of sizes."""

    sizes: np.ndarray
    normalized: np.ndarray  # (sizes, examples, neurons): x̂ of the first hidden layer, before γ and β
    spread: np.ndarray  # (sizes,) of x̂ over the examples, the root of the mean square
    agreement: np.ndarray  # (sizes,), the correlation with x̂ by running statistics; 0 where there is no spread
    outputs: np.ndarray  # (sizes, examples, outputs)
    accuracy: np.ndarray  # (sizes,) by the batch's own statistics
    accuracy_running: float


def batch_sizes(training: Training, sizes: Sequence[int] = (32, 16, 8, 4, 3, 2, 1), progress: Progress = None, stop: Stop = None) -> Collapse:
    """Train with batch normalization, then show the training examples in batches of each size, in one random order."""
    need_classes(training)
    need_hidden(training)
    many = np.atleast_1d(SIZES.check("sizes", list(sizes))).astype(int)
    place = _place(training)
    h = trained(training, {"": {"batchnorm": place, "dropout": 0.0}}, progress, stop)[""]
    t, parts, running = h.trainer, h.net.parts(h.weights), h.trainer.now[1]
    order = generator(training["seed"], Draw.ORDER).permutation(t.count)
    x, truth = t.all_x[:t.count][order], t.known[:t.count][order]
    whole = h.net.flow(x, parts, autograd, running)
    first = _entering(whole, place, h)
    steady = (first - running[0].mean) / np.sqrt(running[0].variance + EPS)
    hats, outputs = [], []
    for size in np.minimum(many, t.count):
        flows = [(_entering(f, place, h), f) for f in (h.net.flow(x[low:low + size], parts, autograd) for low in range(0, t.count, size))]
        hats.append(np.concatenate([(s - f.moments[0].mean) / np.sqrt(f.moments[0].variance + EPS) for s, f in flows]))
        outputs.append(np.concatenate([f.outputs for _, f in flows]))
    normalized, said = np.stack(hats), np.stack(outputs)
    together = (normalized * steady).mean((1, 2))
    spread = np.sqrt((normalized**2).mean((1, 2)))
    scale = spread * np.sqrt((steady**2).mean())
    return Collapse(np.minimum(many, t.count), normalized, spread, np.divide(together, scale, out=np.zeros(len(many)), where=scale > 0), said,
                    (t.loss.decide(said) == truth).mean(-1), float((t.loss.decide(whole.outputs) == truth).mean()))


def _entering(flow: Any, place: str, h: History) -> np.ndarray:
    """What the first normalization is given."""
    return flow.sums[0] if place == "before" else h.net.activations[0].rule(flow.sums[0], h.net.settings[0], autograd)


# --- batch statistics against running ones --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Running:
    """How far the running statistics of the first normalization are from those of the whole training part, at the kept passes."""

    passes: np.ndarray  # (S,)
    mean: np.ndarray  # (S, neurons), running
    variance: np.ndarray
    true_mean: np.ndarray  # (S, neurons), of all training examples
    true_variance: np.ndarray
    accuracy: np.ndarray  # (2, S) on the training part: by the examples' own statistics, and by running ones


def running_statistics(training: Training, progress: Progress = None, stop: Stop = None) -> Running:
    """Train with batch normalization and look at every snapshot."""
    need_classes(training)
    need_hidden(training)
    h = trained(training, {"": {"batchnorm": _place(training), "dropout": 0.0}}, progress, stop)[""]
    t = h.trainer
    x, truth = t.all_x[:t.count], t.known[:t.count]
    rows, passes = [], []
    for k, theta, running in t.snapshots:
        own, ran = (h.net.flow(x, h.net.parts(theta), autograd, moments) for moments in (None, running))
        right = [float((t.loss.decide(f.outputs) == truth).mean()) for f in (own, ran)]
        rows.append((running[0].mean[0], running[0].variance[0], own.moments[0].mean[0], own.moments[0].variance[0], np.array(right)))
        passes.append(k)
    mean, variance, true_mean, true_variance, accuracy = map(np.stack, zip(*rows, strict=True))
    return Running(np.array(passes), mean, variance, true_mean, true_variance, accuracy.T)


# --- initialization, and before or after ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What is learned from first weights of each standard deviation; the first axis is without BN, with it."""

    scales: np.ndarray  # (scales,)
    accuracy: np.ndarray  # (2, scales, seeds) on the training part at the end
    loss: np.ndarray  # (2, scales, seeds)


def sensitivity(training: Training, low: float = 1e-3, high: float = 10.0, count: int = 9, seeds: int = 10,
                progress: Progress = None, stop: Stop = None) -> Sensitivity:
    """First weights σ·N(0, 1) for σ from low to high, without and with batch normalization."""
    need_classes(training)
    need_hidden(training)
    scales = np.geomspace(END.check("low", low), END.check("high", high), MANY.check("count", count))
    settings = {"init": "normal", "init_scale": scales[:, None], "seed": seeds_from(training, seeds)}
    made = trained(training, {place: {**settings, "batchnorm": place} for place in ("none", _place(training))}, progress, stop).values()
    accuracy, loss = ([getattr(h, name)[-1] for h in made] for name in ("accuracy_train", "loss_train"))
    return Sensitivity(scales, np.stack(accuracy), np.stack(loss))


PLACES = {"none": T("without BN", "без BN"), "before": T("before the nonlinearity (A)", "до нелинейности (A)"),
          "after": T("after it (D)", "после неё (D)")}


@dataclass(frozen=True, eq=False)
class Places:
    """Batch normalization before or after the nonlinearity, or none; the first axis is that of `places`."""

    places: tuple[str, ...]
    steps: np.ndarray  # (places, seeds), updates until the validation accuracy is at the target
    median: np.ndarray  # (places,)
    best: np.ndarray  # (places,), the median of the best validation accuracy
    loss: np.ndarray  # (places, passes + 1), the median on the training part


def places(training: Training, target: float = 0.95, seeds: int = 10, progress: Progress = None, stop: Stop = None) -> Places:
    """The same training with the normalization in each place."""
    need_classes(training)
    need_hidden(training)
    target, seed = TARGET.check("target", target), seeds_from(training, seeds)
    made = trained(training, {place: {"batchnorm": place, "seed": seed} for place in PLACES}, progress, stop)
    steps = np.stack([reached(_val(h), target, h.trainer.per_pass) for h in made.values()])
    rows = max(len(h.loss_train) for h in made.values())
    loss = np.stack([np.pad(np.median(h.loss_train, -1), (0, rows - len(h.loss_train)), mode="edge") for h in made.values()])
    return Places(tuple(made), steps, np.array([middle(row) for row in steps]), np.array([np.median(_val(h).max(0)) for h in made.values()]), loss)
