"""Through time: h_t = φ(W·h_{t−1} + U·x_t), and how much the loss at the last step still knows of the state at an early one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import autograd
from .activations import activations
from .autograd import Value
from .chance import Draw, generator
from .core import POSITIVE, Param, Range, Refused, T, resolve
from .initializers import initializers
from .layers import HUGE, TINY, faded, size_of
from .race import Entrant, Race
from .surfaces import Surface, surface
from .training import Key

#: What a small recurrent network is; arrays of scales, drives, clips and seeds make a batch.
TABLE: dict[str, Any] = {
    "size": Param(16, 1, 64, allowed=Range(1, 128), whole=True, one=True),
    "steps": Param(40, 1, 100, allowed=Range(1, 500), whole=True, one=True),
    "activation": Key(activations, "tanh"), "init": Key(initializers, "xavier"),
    "scale": Param(1.0, 0.1, 10.0, log=True, allowed=Range(0.0, 1e100)),  # of W
    "drive": Param(0.1, 0.0, 10.0, allowed=Range(0.0, 1e100)),  # of the inputs
    "clip": Param(1.0, 1e-3, 10.0, log=True, allowed=POSITIVE),
    "seed": Param(0, 0, 2**32 - 1, allowed=Range(0, 2**32 - 1), whole=True),
}
CLIFF_STEPS = Param(16, 1, 16, allowed=Range(1, 20), whole=True, one=True)


@dataclass(frozen=True, eq=False)
class Recurrence:
    """Arrays (steps + 1, *batch), an entry for the state at each step t from 0 to T.

    `product` is the spectral norm of ∂h_T/∂h_t, the product of Jacobians; `norms` the product of their norms, which it never exceeds and
    which misleads by far. `gradient` is |∂L/∂h_t| of L = ½|h_T − target|²; `clipped` the same where, on its way back, it is shortened to
    the length `clip` after each step. `states` are (steps + 1, size, *batch), and `radius` (*batch) is the spectral radius of W.
    `forward`, `across` and `backward` say what became of the states, of `product` and of `gradient`, as indices of FATES: what overflowed
    stands as the largest float.
    """

    states: np.ndarray
    product: np.ndarray
    norms: np.ndarray
    gradient: np.ndarray
    clipped: np.ndarray
    radius: np.ndarray
    forward: np.ndarray
    across: np.ndarray
    backward: np.ndarray


def through_time(*, progress: Callable[[int, int], Any] | None = None, **settings: Any) -> Recurrence:
    """A small recurrent network drawn from its seed, shown normal inputs, and what comes back from its last step.

    Settings: size, steps, activation, init, scale (of W, times what init draws), drive (of the inputs), clip, seed; the last four may be arrays.
    `progress` is told how many networks are done, and how many there are.
    """
    v = resolve(TABLE, settings)
    arrays = {name: value for name, value in v.items() if isinstance(value, np.ndarray)}
    try:
        batch = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        raise Refused(T("these arrays do not broadcast to one batch", "эти массивы не приводятся к одной форме")) from None
    if initializers[v["init"]].looks or getattr(activations[v["activation"]].settings({}), "pieces", 1) > 1:
        raise Refused(T("here maxout and init=layerwise have no meaning; choose others",
                        "maxout и init=layerwise здесь не имеют смысла; выберите другие"))
    spread = {name: np.broadcast_to(a, batch).ravel() for name, a in arrays.items()}
    each, many = [], math.prod(batch)
    for k in range(many):
        each.append(_once(v | {name: a[k] for name, a in spread.items()}))
        if progress:
            progress(k + 1, many)
    return Recurrence(*(np.stack(column, -1).reshape((*np.shape(column[0]), *batch)) for column in zip(*each, strict=True)))


def _once(v: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """One network."""
    size, steps, a, init = v["size"], v["steps"], activations[v["activation"]], initializers[v["init"]]
    weights, points = generator(int(v["seed"]), Draw.WEIGHTS), generator(int(v["seed"]), Draw.POINTS)
    h = init.settings({})
    w = v["scale"] * init.rule(weights, size, size, h, None).T
    states, sums = [points.standard_normal(size)], []
    shown, target = v["drive"] * points.standard_normal((steps, size)), points.standard_normal(size)
    with np.errstate(all="ignore"):
        for x in shown:
            sums.append(w @ states[-1] + x)
            states.append(a.value(sums[-1]))
        at = Value(np.stack(sums))
        a.rule(at, a.settings({}), autograd).backward()
        jacobians = at.grad[:, :, None] * w
        product, gradient = np.eye(size), states[-1] - target
        clipped = shortened(gradient, v["clip"])
        rows = [(1.0, 1.0, length(gradient), length(clipped))]
        for jacobian in jacobians[::-1]:
            product, gradient = product @ jacobian, gradient @ jacobian
            clipped = shortened(clipped @ jacobian, v["clip"])
            rows.append((spectral(product), rows[-1][1] * spectral(jacobian), length(gradient), length(clipped)))
        sizes = np.array(rows[::-1]).T
        kept, given = (size_of(np.stack(own)[:, None, :]) for own in (states, sums))
        wired = np.abs(w).max() > 0
        forth = faded(kept, (given < TINY) & wired)
        ways = ((size_of(at.grad[:, None, :]) > 0) | forth[1:]) & wired
        back = [np.where(np.isfinite(own), faded(own[::-1], ways[::-1])[::-1], 2) for own in (sizes[0], sizes[2])]
        radius = np.abs(np.linalg.eigvals(w)).max()
    lengths = np.nan_to_num(sizes, nan=HUGE)
    return np.nan_to_num(np.stack(states), nan=HUGE), *lengths, np.asarray(radius), np.where(np.isfinite(kept), forth, 2), *back


def length(g: np.ndarray) -> float:
    """The Euclidean norm, of numbers whose squares may not be floats too; of what overflowed it is infinite."""
    top = float(size_of(g[None]))
    return float(np.linalg.norm(g / top) * top) if 0 < top < np.inf else top


def spectral(m: np.ndarray) -> float:
    """The largest singular value, likewise."""
    top = float(size_of(m))
    return float(np.linalg.norm(m / top, 2) * top) if 0 < top < np.inf else top


def shortened(g: np.ndarray, clip: float) -> np.ndarray:
    """The same direction, no longer than `clip`; what overflowed has none any more."""
    top = float(size_of(g[None]))
    if not 0 < top < np.inf:
        return g
    direction = g / top
    size = float(np.linalg.norm(direction))
    return direction * (clip / size) if size * top > clip else g


# --- the cliff ------------------------------------------------------------------------------------------------------------------------------


def cliff(steps: int = CLIFF_STEPS.default, first: float = -0.5, target: float = 0.7) -> Surface:
    """The loss (h_T − target)² of one recurrent neuron, h_t = tanh(x·h_{t−1} + y), over its weight x and its bias y.

    Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks. Where the weight makes the neuron remember,
    a hair of bias decides on which side it ends, and between the two ends stands a wall.
    """
    steps = CLIFF_STEPS.check("steps", steps)
    h = repr(float(Param(first, -1, 1, allowed=Range(-1, 1)).check("first", first)))
    for _ in range(steps):
        h = f"tanh(x*{h if h.startswith('tanh') else f'({h})'}+y)"
    return surface(f"({h}-({float(Param(target, -1, 1, allowed=Range(-1, 1)).check('target', target))!r}))^2", ((0.0, 4.0), (-1.0, 2.0)), (1.9, 0.5))


def cliff_race(clip: float = 1.0, **settings: Any) -> Race:
    """The Descent lab at the cliff's foot: plain descent is thrown far out of the picture, with its gradient shortened to `clip` it goes on."""
    s = cliff(**settings)
    return Race(s, s.start, [Entrant("sgd", lr=0.1), Entrant("sgd", lr=0.1, clip_norm=clip)], s.box, steps=200)
