"""What penalties do to the weights: paths, zeros and histograms along λ; and the flat trench of two inputs that say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..core import NOT_NEGATIVE, POSITIVE, Param, Range, T, out_of_range
from ..penalties import penalties
from ..race import Race
from ..surfaces import Surface, surface
from ..training import Training
from .several import Progress, Stop, trained


class Kind(NamedTuple):
    """A penalty and how it is applied."""

    name: T
    penalty: str
    settings: Mapping[str, Any]


KINDS: Mapping[str, Kind] = {
    "sign": Kind(T("L1, sign step", "L1, шаг по знаку"), "l1", {"l1_step": "sign"}),
    "proximal": Kind(T("L1, proximal step", "L1, проксимальный шаг"), "l1", {"l1_step": "proximal"}),
    "l2": Kind(T("L2", "L2"), "l2", {}),
    "elastic": Kind(T("Elastic net", "Эластичная сеть"), "elastic", {}),
}
LAMBDA = Param(0.1, 1e-6, 10.0, log=True, allowed=NOT_NEGATIVE, one=True)
END = Param(1.0, 1e-6, 10.0, log=True, allowed=POSITIVE, one=True)
ROUNDING = 1e-12  # what is so much less than the greatest eigenvalue is 0
MANY = Param(17, 2, 40, allowed=Range(2, 200), whole=True, one=True)


@dataclass(frozen=True, eq=False)
class Paths:
    """The penalized weights at the end of training, along λ; the first axis is that of `kinds`."""

    kinds: tuple[str, ...]
    lambdas: np.ndarray  # (L,)
    weights: np.ndarray  # (kinds, W, L)
    zeros: np.ndarray  # (kinds, L), the share that is exactly 0
    lengths: np.ndarray  # (kinds, L), the root of the sum of squares
    edges: np.ndarray  # (bins + 1,), the same for all; what lies beyond them counts in the last bin
    counts: np.ndarray  # (kinds, L, bins)
    loss_train: np.ndarray  # (kinds, L), without the penalty
    loss_val: np.ndarray


def paths(training: Training, low: float = 1e-4, high: float = 1.0, count: int = 17, bins: int = 41,
          progress: Progress = None, stop: Stop = None) -> Paths:
    """Train with each kind of penalty and λ from low to high; what the training itself has of penalties is left out."""
    low, high = END.check("low", low), END.check("high", high)
    if low >= high:
        raise out_of_range("low", low, T(f"less than {high:g}", f"меньше {high:g}"))
    lambdas = np.geomspace(low, high, MANY.check("count", count))
    none = dict.fromkeys(penalties, 0.0)
    made = trained(training, {key: {**none, **kind.settings, kind.penalty: lambdas} for key, kind in KINDS.items()}, progress, stop)
    weights = np.stack([h.weights[h.trainer.charged[:, 0] > 0] for h in made.values()])
    reach = np.abs(weights[..., 0]).max() or 1.0  # where λ is least
    edges = np.linspace(-reach, reach, MANY.check("bins", bins) + 1)
    inside = np.clip(weights, -reach, reach)
    counts = np.stack([[np.histogram(column, edges)[0] for column in kind.T] for kind in inside])
    loss_train, loss_val = (np.stack([getattr(h, name)[-1] for h in made.values()]) for name in ("loss_train", "loss_val"))
    return Paths(tuple(made), lambdas, weights, (weights == 0).mean(1), np.linalg.norm(weights, axis=1), edges, counts, loss_train, loss_val)


# --- the flat trench ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Trench:
    """The loss of a neuron that has one input twice, over its two weights; `surface` has λ as its parameter `strength`."""

    surface: Surface
    query: str  # the same at one λ, as the Descent lab opens it
    strengths: np.ndarray  # (L,)
    eigenvalues: np.ndarray  # (L, 2) of the Hessian: λ, and λ + 4 × the mean square of the input
    minimum: tuple[float, float]  # at that λ; where it is 0, the one nearest to the origin of a whole line


def trench(training: Training, strength: float = 0.1, feature: int = 0, progress: Progress = None, stop: Stop = None) -> Trench:
    """Of one feature of the training's data, twice, and the squared error of the first output, with L2 of strength λ."""
    strength = LAMBDA.check("strength", strength)
    data = trained(training, {"": {"epochs": 0, "loss": "mse", "label_smoothing": 0.0}}, progress, stop)[""].trainer
    columns = data.all_x.shape[-1]
    if not 0 <= feature < columns:
        raise out_of_range("feature", feature, T(f"0 to {columns - 1}", f"от 0 до {columns - 1}"))
    x, t = data.all_x[:data.count, feature], data.shown_y[:, 0]
    square = float(np.mean(x * x))
    best = float(np.mean(x * t)) / square if square else 0.0
    rest = float(np.mean((best * x - t) ** 2))
    side = max(1.0, 2 * abs(best))
    text = f"{square:.6g}*(x + y - {best:.6g})^2 + {rest:.6g}".replace("- -", "+ ")
    opened = surface(f"{text} + {strength / 2:.6g}*(x^2 + y^2)", ((-side, side), (-side, side)), (-side / 2, side / 1.25))
    lesson = T("Two inputs that say the same: one weight may be exchanged for the other at no cost, until λ lifts the trench.",
               "Два входа говорят одно и то же: один вес можно даром менять на другой, пока λ не поднимет дно жёлоба.")
    lifted = replace(opened, name=T("Flat trench", "Плоский жёлоб"), lesson=lesson, formula=f"{text} + strength/2*(x^2 + y^2)",
                     params=(("strength", LAMBDA),))
    strengths = np.append(0.0, np.geomspace(1e-3, 1.0, 16))
    hessians = np.array([lifted.at(strength=float(s)).hessian(0.0, 0.0) for s in strengths])
    roots = np.linalg.eigvalsh(hessians)
    middle = 2 * square * best / (4 * square + strength) if square else 0.0
    return Trench(lifted.at(strength=strength), Race(opened, opened.start).to_query(), strengths,
                  np.where(roots > ROUNDING * roots[:, 1:], roots, 0.0), (middle, middle))
