"""What is to be seen of a network in training, as data that knows no renderer: points, the network's shape, and a frame a pass."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import autograd
from .core import T
from .datasets import Own, framed
from .ending import stopped
from .minima import Box
from .nn import Moments, Net
from .preparing import Preparation
from .study import Study
from .trace import javascript_activation
from .trainer import Trainer


@dataclass(frozen=True, eq=False)
class Dots:
    """The examples of data with one input or two: the first `train` are trained on, the others validate; a label is a class index or a value.

    Of one input, y is the height at which an example is shown beside the network's answer.
    """

    x: np.ndarray
    y: np.ndarray
    label: np.ndarray
    train: int


@dataclass(frozen=True, eq=False)
class Frames:
    """The network after some passes, a row each; `first` is the number of the first of them among all frames of its run."""

    first: int
    passes: Sequence[int]
    theta: np.ndarray  # (frames, P): as Net.blocks say
    running: np.ndarray | None  # for each hidden layer the means, then the variances of its batch normalization
    loss_train: np.ndarray
    loss_val: np.ndarray
    accuracy_train: np.ndarray | None  # None where the data have values
    accuracy_val: np.ndarray | None


@dataclass(frozen=True, eq=False)
class NetworkScene:
    """All that a renderer needs to show a training, or any moment of it."""

    run: str  # frames of one run belong together
    kind: str
    labels: Sequence[str]
    inputs: int  # of the data: one is shown as a curve, two as a plane, more have no points
    box: Box | None
    points: Dots | None
    net: Net
    code: Sequence[str]  # of each layer's activation, as JavaScript
    features: Sequence[str]
    preparation: Preparation
    keep: float | None  # what every hidden number is multiplied by, where dropout is made up for afterwards
    frames: Frames
    epochs: int
    state: str  # ready, running, done, stopped, diverged, waiting
    sentence: T | None
    look: Mapping[str, Any]


def network_scene(study: Study, trainer: Trainer, first: int = 0, running: bool = False) -> NetworkScene:
    """A training as far as it has come, with its frames from the first on that somebody lacks.

    The last frame may be a pass that is not kept for good: the next scene then has another frame with its number.
    """
    v, net, ending = trainer.values, trainer.net, stopped(study, trainer)
    inputs = trainer.raw.shape[-1]
    points = dots(trainer) if inputs <= 2 else None
    state = ending.state if ending else "running" if running else "ready"
    return NetworkScene(
        run_key(study), v["data"].kind, [str(label).replace("-", "−") if isinstance(label, int) else str(label) for label in trainer.labels],
        inputs, (v["data"].box or frame(points, len(trainer.labels))) if points else None, points, net,
        [javascript_activation(a, h) for a, h in zip(net.activations, net.settings, strict=True)],
        () if inputs > 2 else v["features"] if inputs == 2 else ("x",), trainer.preparation,
        1 - v["dropout"] if v["dropout_form"] == "at_test" and v["dropout"] else None, frames(trainer, first), v["epochs"],
        state, ending.text if ending else None, dict(study.look))


def flow(scene: NetworkScene, inputs: np.ndarray, k: int) -> list[np.ndarray]:
    """What every neuron says in a frame to examples (n, …) as the network is shown them: inputs, layer after layer, outputs."""
    net, running = scene.net, None
    if scene.frames.running is not None:
        widths = [net.pieces(i) * w if net.batchnorm == "before" else w for i, w in enumerate(net.widths[1:-1])]
        parts = np.split(scene.frames.running[k].astype(inputs.dtype), np.cumsum(np.repeat(widths, 2))[:-1])
        running = [Moments(mean[None], variance[None]) for mean, variance in zip(parts[::2], parts[1::2], strict=True)]
    with np.errstate(all="ignore"):
        theta = scene.frames.theta[k].astype(inputs.dtype)
        return [inputs, *net.flow(inputs, net.parts(theta), autograd, running, None, scene.keep).activations]


def run_key(study: Study) -> str:
    """The same text for equal trainings from equal weights, in every process."""
    digest, make = hashlib.sha256(repr((study.training.pairs(), study.weights, study["data"].labels)).encode()), study["data"].make
    for part in (make.inputs, make.targets, make.held or b"") if isinstance(make, Own) else ():
        digest.update(part)
    return digest.hexdigest()[:16]


def dots(trainer: Trainer) -> Dots:
    """The examples as the data have them; wrong labels are as wrong as training sees them."""
    X, known = trainer.examples
    x, label = X[:, 0], known if trainer.labels else known[:, 0]
    y = X[:, 1] if X.shape[1] == 2 else heights(len(trainer.labels))[label] if trainer.labels else label
    return Dots(x, y, label, min(trainer.count, len(X)))


def heights(classes: int) -> np.ndarray:
    """How high the examples of each class stand, of data with one input: two beyond where certainty ends, more above each other over a share of 1."""
    return np.array([-1.15, 1.15]) if classes == 2 else 1.1 + 0.4 * np.arange(classes) / classes


def frame(points: Dots, classes: int) -> Box:
    """The box of data that bring none: their points with some room, and of classes of one input all that can be said of them."""
    (x, y) = framed(np.stack([points.x, points.y], -1))
    return x, ((-1.4, 1.4) if classes == 2 else (-0.1, 1.6)) if classes else y


def frames(trainer: Trainer, first: int = 0) -> Frames:
    """Those from the first on; of a training that has diverged, those before it did."""
    end = int(trainer.diverged_at)
    shown = [s for s in trainer.snapshots if end < 0 or s[0] < max(end, 1)][first:]
    rows = [trainer.rows[passes] for passes, *_ in shown]
    figures = [np.array([row[i] for row in rows], float) for i in range(4 if trainer.labels else 2)]
    moments = None
    if trainer.running is not None:
        moments = np.array([np.concatenate([part.ravel() for m in running for part in m]) for *_, running in shown])
    return Frames(first, [passes for passes, *_ in shown], np.array([theta for _, theta, _ in shown]).reshape(len(shown), trainer.net.size), moments,
                  *figures, *[None] * (4 - len(figures)))
