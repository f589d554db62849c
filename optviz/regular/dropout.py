"""Dropout: the thinned networks and their mean, what the next layer is given in training and at test, and dropout with L2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import autograd
from ..chance import Draw, generator
from ..core import BELOW_ONE, NOT_NEGATIVE, Param, Range, Refused, T
from ..learning import History
from ..nn import Net
from ..training import Training
from .several import Progress, Stop, need_classes, need_hidden, seeds_from, trained

COUNT = Param(8, 1, 24, allowed=Range(1, 100), whole=True, one=True)
SIDE = Param(60, 10, 200, allowed=Range(2, 500), whole=True, one=True)
DRAWS = Param(400, 10, 2000, log=True, allowed=Range(2, 10_000), whole=True, one=True)
SHARES = Param(0.5, 0.0, 0.9, allowed=BELOW_ONE)
LAMBDAS = Param(0.01, 1e-6, 10.0, log=True, allowed=NOT_NEGATIVE)
EXAMPLES = 100  # that are enough for a mean


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Some of the networks that dropout trains, each as flat weights of a network without dropout; outputs are over the data's box."""

    weights: np.ndarray  # (count, P): what is dropped is cut, what is kept weighs as it did in training
    kept: np.ndarray  # (count, hidden neurons)
    whole_weights: np.ndarray  # (P,) of the network at test
    x: np.ndarray  # (side,)
    y: np.ndarray
    outputs: np.ndarray  # (count, side, side, outputs), rows along y
    mean: np.ndarray  # (side, side, outputs)
    whole: np.ndarray  # (side, side, outputs)
    accuracy: np.ndarray  # (count,) on validation
    accuracy_mean: float
    accuracy_whole: float
    history: History


def ensemble(training: Training, count: int = 8, side: int = 60, progress: Progress = None, stop: Stop = None) -> Ensemble:
    """Train with dropout, then draw thinned networks of what came of it: seed 0, 1, 2 … each, as `predict(thinned=…)` does."""
    need_classes(training)
    need_hidden(training)
    count, side = COUNT.check("count", count), SIDE.check("side", side)
    if training["residual"]:
        raise Refused(T("a layer that passes its input on cannot be cut neuron by neuron; switch residual off",
                        "слой, пропускающий вход дальше, нельзя прореживать по нейронам; отключите residual"))
    if training["data"].box is None:
        raise Refused(T("these outputs are drawn over a plane; choose data with two inputs",
                        "здесь выходы рисуются на плоскости; выберите данные с двумя входами"))
    h = trained(training, {"": {}}, progress, stop)[""]
    t, p, inverted = h.trainer, training["dropout"], training["dropout_form"] == "inverted"
    kept = np.stack([generator(seed, Draw.DROPOUT).random(sum(training["layers"])) >= p for seed in range(count)])
    weights = np.stack([thinned(h.net, h.weights, row / (1 - p) if inverted else row * 1.0) for row in kept])
    whole = h.weights if inverted else thinned(h.net, h.weights, np.full(kept.shape[1], 1 - p))
    (x0, x1), (y0, y1) = training["data"].box
    x, y = np.linspace(x0, x1, side), np.linspace(y0, y1, side)
    plane = t.prepared(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2))
    held, truth = (t.all_x[t.count:], t.known[t.count:]) if t.val_count else (t.all_x, t.known)
    many = np.concatenate([weights, whole[None]])

    def said(points: np.ndarray) -> np.ndarray:
        return np.stack([h.net.flow(points, h.net.parts(theta), autograd, t.now[1]).outputs for theta in many])
    drawn, judged = said(plane).reshape(count + 1, side, side, -1), said(held)
    right = (t.loss.decide(judged) == truth).mean(-1)
    together = float((t.loss.decide(judged[:-1].mean(0)) == truth).mean())
    return Ensemble(weights, kept, whole, x, y, drawn[:-1], drawn[:-1].mean(0), drawn[-1], right[:-1], together, float(right[-1]), h)


def thinned(net: Net, theta: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Weights of a network in which hidden numbers are what they were times a factor each; at 0 all that leads to it is cut, too."""
    factor = np.split(factors, np.cumsum(net.widths[1:-1])[:-1])
    out = theta.copy()
    for block in net.blocks:
        part = out[block.at].reshape(block.shape)
        if block.kind == "weight" and block.layer > 0:
            part *= factor[block.layer - 1][:, None]
        if block.kind in ("weight", "bias") and block.layer < net.hidden:
            part *= np.repeat(factor[block.layer] != 0, net.pieces(block.layer))
    return out


# --- what the next layer is given -----------------------------------------------------------------------------------------------------

#: What the kept are multiplied by in training, and all at test.
FORMS = {"inverted": (lambda p: 1 / (1 - p), lambda p: 1.0), "at_test": (lambda p: 1.0, lambda p: 1 - p), "neither": (lambda p: 1.0, lambda p: 1.0)}
FORM_NAMES = {"inverted": T("1/(1−p) in training", "1/(1−p) при обучении"), "at_test": T("1−p at test", "1−p на тесте"),
              "neither": T("no correction", "без поправки")}


@dataclass(frozen=True, eq=False)
class Expected:
    """The mean weighted sum of each neuron of the layer after the first dropped one; the first axis is that of `forms`."""

    forms: tuple[str, ...]
    training: np.ndarray  # (forms, neurons), over draws and examples
    error: np.ndarray  # (forms, neurons), the standard error of that
    test: np.ndarray  # (forms, neurons)


def expected(training: Training, draws: int = 400, progress: Progress = None, stop: Stop = None) -> Expected:
    """Train with dropout, then compare what comes into the second layer in training, over many draws, with what comes at test."""
    need_hidden(training)
    draws, p = DRAWS.check("draws", draws), training["dropout"]
    h = trained(training, {"": {}}, progress, stop)[""]
    x, parts, running = h.trainer.all_x[:h.trainer.count][:EXAMPLES], h.net.parts(h.weights), h.trainer.now[1]
    width = h.net.widths[1]
    stay = generator(training["seed"], Draw.DROPOUT).random((draws, len(x), width)) >= p
    blocks = {b.kind: part for b, part in zip(h.net.blocks, parts, strict=True) if b.layer == 1}
    own = h.net.flow(x, parts, autograd, running)
    before = own.activations[0] - (x if h.net.residual and h.net.widths[0] == width else 0)  # dropout stands in front of the short cut
    past, bias = own.activations[0] - before, blocks.get("bias", 0.0)
    in_training, error, at_test = [], [], []
    for factor, after in ((a(p), b(p)) for a, b in FORMS.values()):
        sums = ((stay * factor * before + past) @ blocks["weight"] + bias).mean(1)
        in_training.append(sums.mean(0))
        error.append(sums.std(0, ddof=1) / np.sqrt(draws))
        at_test.append(((before * after + past) @ blocks["weight"] + bias).mean(0))
    return Expected(tuple(FORMS), np.stack(in_training), np.stack(error), np.stack(at_test))


# --- with L2, as deck D combines them -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Together:
    """Dropout and L2 at once, w ← w(1 − ηλ) − η/(1−p) ξ L′: the axes are p, λ, seed."""

    shares: np.ndarray
    lambdas: np.ndarray
    accuracy_train: np.ndarray  # (p, λ, seeds)
    accuracy_val: np.ndarray
    loss_val: np.ndarray
    lengths: np.ndarray  # of the weights' vector


def with_l2(training: Training, shares: Sequence[float] = (0.0, 0.2, 0.5), lambdas: Sequence[float] = (0.0, 0.001, 0.01, 0.1), seeds: int = 10,
            progress: Progress = None, stop: Stop = None) -> Together:
    """Every p with every λ, over seeds, all in lockstep."""
    need_classes(training)
    need_hidden(training)
    p, strength = np.atleast_1d(SHARES.check("shares", list(shares))), np.atleast_1d(LAMBDAS.check("lambdas", list(lambdas)))
    settings = {"dropout": p[:, None, None], "l2": strength[:, None], "seed": seeds_from(training, seeds)}
    h = trained(training, {"": settings}, progress, stop)[""]
    assert h.accuracy_train is not None and h.accuracy_val is not None
    lengths = np.linalg.norm(h.weights[h.net.is_weight > 0], axis=0)
    return Together(p, strength, h.accuracy_train[-1], h.accuracy_val[-1], h.loss_val[-1], lengths)
