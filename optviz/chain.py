"""A chain of single neurons, z_k = φ(w_k·z_{k−1}): a gradient going back through it is a product of factors φ′·w."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .activations import activations
from .core import ANY, Param, T, out_of_range

NUMBER = Param(1.0, -20.0, 20.0, allowed=ANY)
MOST = 50  # neurons
REACH = 2.0  # the most that |y − t| can be where both lie between −1 and 1


@dataclass(frozen=True, eq=False)
class Chain:
    """Every array has an entry a neuron, then the batch's axes; `values` and `gradients` begin with the input z_0 = x.

    `gradients[k]` is ∂L/∂z_k of L = ½(y − t)², `product[k]` the factors that stand between z_k and y, and `bound[k]` the most that
    |∂L/∂z_k| can be whatever the sums are: with sigmoid 2·(1/4)^(n−k)·Π|w|.
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


def chain(weights: Any = (1.0,) * 5, x: Any = 1.0, target: Any = 0.0, activation: str = "sigmoid") -> Chain:
    """Forwards and backwards through a chain; weights are (neurons, *batch), x and the target broadcast with the batch.

    Where the outputs of an activation have no bound, that of the gradient is made with |y − t| itself in the place of 2.
    """
    w, x, t = (np.asarray(NUMBER.check(name, value), float) for name, value in (("weights", weights), ("x", x), ("target", target)))
    a = activations[activation]
    if not np.ndim(w) >= 1 or not 1 <= len(w) <= MOST:
        raise out_of_range("weights", w.shape, T(f"1 to {MOST} numbers", f"от 1 до {MOST} чисел"))
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
        reach = REACH if np.ptp(a.value([-1e3, 0, 1e3])) <= REACH else np.abs(error)
        gradients = error * product
        found = (np.stack(values), np.stack(sums), slopes, factors, product, gradients, gradients[1:] * slopes * np.stack(values[:-1]), reach * most,
                 error * error / 2)
    return Chain(*map(np.nan_to_num, found))
