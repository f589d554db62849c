"""A chain of single neurons, z_k = φ(w_k·z_{k−1}): a gradient going back through it is a product of factors φ′·w."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .activations import activations
from .core import ANY, Param, T, out_of_range
from .layers import HUGE, TINY, faded

NUMBER = Param(1.0, -20.0, 20.0, allowed=ANY)
MOST_NEURONS = 50


@dataclass(frozen=True, eq=False)
class Chain:
    """Every array has an entry a neuron, then the batch's axes; `values` and `gradients` begin with the input z_0 = x.

    `gradients[k]` is ∂L/∂z_k of L = ½(y − t)², `product[k]` the factors that stand between z_k and y, and `bound[k]` the most that
    |∂L/∂z_k| can be whatever the sums are: with sigmoid and a target from −1 to 1 it is 2·(1/4)^(n−k)·Π|w|. `reach` is what stands in
    the place of this 2: |y − t| never exceeds it. `forward` and `backward` say what became of values and gradients, as indices of FATES:
    what overflowed stands as the largest float.
    """

    values: np.ndarray
    sums: np.ndarray
    slopes: np.ndarray
    factors: np.ndarray
    product: np.ndarray
    gradients: np.ndarray
    weight_gradients: np.ndarray
    bound: np.ndarray
    loss: np.ndarray
    reach: np.ndarray
    forward: np.ndarray
    backward: np.ndarray


def chain(weights: Any = (1.0,) * 5, x: Any = 1.0, target: Any = 0.0, activation: str = "sigmoid") -> Chain:
    """Forwards and backwards through a chain; weights are (neurons, *batch), x and the target broadcast with the batch.

    Where the outputs of an activation have no bound, the reach is |y − t| itself.
    """
    w, x, t = (np.asarray(NUMBER.check(name, value), float) for name, value in (("weights", weights), ("x", x), ("target", target)))
    a = activations[activation]
    if not np.ndim(w) >= 1 or not 1 <= len(w) <= MOST_NEURONS:
        raise out_of_range("weights", w.shape, T(f"1 to {MOST_NEURONS} numbers", f"от 1 до {MOST_NEURONS} чисел"))
    if a.bound is None:
        known = ", ".join(key for key, other in activations.items() if other.bound is not None)
        raise out_of_range("activation", activation, T(*["{" + known + "}"] * 2))
    batch = np.broadcast_shapes(w.shape[1:], x.shape, t.shape)
    w = np.broadcast_to(w.reshape(len(w), *(1,) * (len(batch) - w.ndim + 1), *w.shape[1:]), (len(w), *batch))
    with np.errstate(all="ignore"):
        values, sums = [np.broadcast_to(x, batch)], []
        for own in w:
            sums.append(own * values[-1])
            values.append(a.value(sums[-1]))
        slopes = a.derivative(np.stack(sums))
        factors = slopes * w
        error = values[-1] - t
        product = np.cumprod(np.concatenate([np.ones((1, *batch)), factors[::-1]]), 0)[::-1]
        most = np.cumprod(np.concatenate([np.ones((1, *batch)), a.bound * np.abs(w[::-1])]), 0)[::-1]
        reach = np.maximum(2.0, 1 + np.abs(t)) if np.ptp(a.value([-1e3, 0, 1e3])) <= 2 else np.abs(error)
        reach = np.broadcast_to(reach, batch)
        gradients = error * product
        z, s = np.stack(values), np.stack(sums)
        numbers = (z, s, slopes, factors, product, gradients, gradients[1:] * slopes * z[:-1], reach * most, error * error / 2, reach)
        forth = faded(np.abs(z), (np.abs(s) < TINY) & (w != 0))
        back = faded(np.abs(gradients)[::-1], (((slopes != 0) | forth[1:]) & (w != 0))[::-1])[::-1]
        fates = (np.where(np.isfinite(own), lost, 2) for own, lost in ((z, forth), (gradients, back)))
    return Chain(*(np.nan_to_num(own, nan=HUGE) for own in numbers), *fates)
