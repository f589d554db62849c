"""A finite sum descended by its batches: one update a batch, and how far it is in updates, passes and examples seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..chance import Draw, generator
from ..core import T
from .orders import orders
from .sums import Sum

AWAY = 1e8  # a θ beyond has diverged


@dataclass(frozen=True, eq=False)
class Descended:
    """One run; a first axis of updates + 1 holds what is before each update, and last where it ended."""

    theta: np.ndarray  # (updates + 1, 2)
    batches: list[np.ndarray]  # updates + 1: the last is the one that would come next
    gradients: np.ndarray  # (updates + 1, 2): what each update goes against, by mean or sum
    seen: np.ndarray  # (updates + 1,) examples so far
    loss: np.ndarray  # of all examples, their mean
    batch_loss: np.ndarray  # mean over the batch at hand
    running: np.ndarray  # Q ← (1−λ)Q + λ·batch loss, at first the loss of all
    diverged_at: int | None


def sizes_of_pass(n: int, size: int) -> list[int]:
    """How many examples each update of a pass sees."""
    return [min(size, n - begin) for begin in range(0, n, size)]


def descended(s: Sum, start: tuple[float, float], size: int, order: str, lr: float, updates: int, reduction: str = "mean", memory: float = 0.1,
              seed: int = 0) -> Descended:
    """θ ← θ − α·(mean or sum of the batch's gradients), so many times; one that leaves the numbers stays where it was."""
    rule, theta, indices = orders[order].rule, np.array(start, float), np.empty(0, int)
    thetas, gradients, batches, diverged = np.empty((updates + 1, 2)), np.zeros((updates + 1, 2)), [], None
    per_pass = len(sizes_of_pass(s.n, size))
    with np.errstate(all="ignore"):
        for k in range(updates + 1):
            at = k % per_pass
            if at == 0:
                indices = rule(s, theta, generator(seed, Draw.ORDER, k // per_pass))
            batch = indices[at * size:(at + 1) * size]
            own = s.gradients(theta, batch)
            thetas[k], gradients[k] = theta, own.mean(1) if reduction == "mean" else own.sum(1)
            batches.append(batch)
            new = theta - lr * gradients[k]
            if diverged is None and not (np.abs(new) < AWAY).all():
                diverged = k + 1
            theta = theta if diverged is not None else new
    seen = np.cumsum([0, *map(len, batches[:-1])])
    losses = s.losses(thetas.T)
    loss, batch_loss = losses.mean(0), np.array([losses[batch, k].mean() for k, batch in enumerate(batches)])
    return Descended(thetas, batches, gradients, seen, loss, batch_loss, running(batch_loss, memory, loss[0]), diverged)


def running(losses: np.ndarray, memory: float, first: float) -> np.ndarray:
    """Q ← (1−λ)Q + λL: what is known of the loss before each update, at first the loss of all."""
    q = np.empty(len(losses))
    q[0] = first
    for k, loss in enumerate(losses[:-1].tolist()):
        q[k + 1] = (1 - memory) * q[k] + memory * loss
    return q


def called(size: int, n: int) -> T:
    """The three names of a batch size."""
    if size == 1:
        return T("SGD: 1 example", "SGD: 1 пример")
    if size >= n:
        return T(f"full batch: all {n}", f"полный пакет: все {n}")
    return T(f"mini-batch: {size}", f"мини-пакет: {size}")
