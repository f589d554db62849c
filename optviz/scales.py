"""How much of the gradient is left at the first layer, over scales of the initialization and depths; and where theory puts the edge of chaos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from . import autograd
from .activations import Activation, activations
from .autograd import Value
from .chance import Draw, generator
from .core import Param, Refused, T, out_of_range
from .initializers import POSSIBLE, Initializer, initializers
from .layers import FATES, HUGE, TINY, fates, measured, passing, size_of
from .nn import Flow, Net
from .probe import COMMON, MOST_DEPTH, Members, Probe, contradiction, settled
from .training import Widths
from .workers import Pool

MOST_SWEPT = 100  # scales, and seeds
SCALES = np.logspace(-1, 1, 16)
DEPTHS = (1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 35, 40, 45, 50)
AT_ONCE = 4  # scales in lockstep, as far as they have room
ROOM = 2**25  # numbers
CORES, SHARED = 2, 8  # processes that share as many measurements or more
DRAWN, DRAWS = 2_000_000, 2_000  # weights, whose mean square is the variance; in so many matrices at the most
Z = np.linspace(-8, 8, 1000)  # none of them 0, where ReLU bends
NORMAL = np.exp(-Z * Z / 2) / np.exp(-Z * Z / 2).sum()


@dataclass(frozen=True, eq=False)
class ScaleSweep:
    """Mean |gradient| at the first hidden layer and at the last, (depths, scales, seeds), and their ratio: of activations and of weights.

    What vanishes or explodes on its way back is the gradient of activations. That of weights is it times what they were shown, which shrinks
    or grows on its way forwards: with ReLU and without biases the two make up for one another, and the weights' ratio says nothing.
    `fate` is an index of FATES: a gradient of which nothing arrives at the first layer's weights is an underflow, unless it is 0 by itself,
    where no slope or no weight lets it pass. `edge` is the scale at which theory has gradients of one size in all layers, where there is
    such a theory and such a scale. A sweep that was stopped has the seeds that were finished, one at least.
    """

    depths: np.ndarray
    scales: np.ndarray
    first: np.ndarray
    last: np.ndarray
    first_weights: np.ndarray
    last_weights: np.ndarray  # of the output
    fate: np.ndarray
    edge: float | None

    @property
    def ratio(self) -> np.ndarray:
        """Of activations, first over last; 0 where the last is 0."""
        return over(self.first, self.last)

    @property
    def weight_ratio(self) -> np.ndarray:
        """The same of weights."""
        return over(self.first_weights, self.last_weights)

    def fates(self) -> np.ndarray:
        """The words."""
        return np.array(FATES)[self.fate]


def over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a/b of gradients, where a float holds it."""
    with np.errstate(over="ignore"):
        return np.where(b > 0, np.minimum(a / np.where(b > 0, b, 1), HUGE), 0.0)


def scale_sweep(spec: Probe | None = None, *, scales: Any = SCALES, depths: Sequence[int] = DEPTHS, seeds: Sequence[int] = (0,),
                progress: Callable[[int, int, ScaleSweep], Any] | None = None, stop: Callable[[], bool] | None = None, **settings: Any) -> ScaleSweep:
    """Probe networks of every depth at every scale: each is what `probe` makes of that many layers, as wide as the spec's first.

    The networks of one scale and seed share their weights from the first layer on, so that one pass forwards serves all depths. `progress` is
    told how much is done, how much there is, and what is there so far: of the first seed perhaps the first scales only.
    """
    values = settled({**(dict(spec.values) if spec else {}), **settings})
    scales = np.ravel(Param(1.0, 0, 0, allowed=POSSIBLE).check("scales", np.atleast_1d(scales)))
    depths = tuple(sorted({*Widths((), MOST_SWEPT, MOST_DEPTH).check("depths", depths)}))
    seeds = [int(COMMON["seed"].check("seeds", seed)) for seed in seeds]
    for name, given in (("scales", scales), ("depths", depths), ("seeds", seeds)):
        if not 1 <= len(given) <= MOST_SWEPT:
            raise out_of_range(name, len(given), T(f"1 to {MOST_SWEPT} numbers", f"от 1 до {MOST_SWEPT} чисел"))
    if not values["layers"] or len(values["activation"]) > 1:
        raise Refused(T("a sweep needs one activation for all layers, and a hidden layer that says how wide they are",
                        "для такой карты нужна одна активация на все слои и хотя бы один скрытый слой: он задаёт ширину"))
    values |= {"layers": values["layers"][:1] * depths[-1], "steps": 0}
    if why := contradiction(values):
        raise Refused(why)
    members = Members(values)
    if members.init.looks:
        raise Refused(T("init=layerwise looks at what each layer is shown; choose another one for a sweep",
                        "init=layerwise смотрит на входы каждого слоя; для карты выберите другую инициализацию"))
    some = min(AT_ONCE, max(1, ROOM // numbers_of(members)))
    chunks = [scales[low:low + some] for low in range(0, len(scales), some)]
    jobs = [values | {"seed": seed, "init_scale": own} for seed in seeds for own in chunks]
    done: list[np.ndarray] = []
    at_edge = edge(values)

    def so_far() -> ScaleSweep:
        whole = max(len(done) // len(chunks), 1)
        seen = [np.concatenate(done[k * len(chunks):(k + 1) * len(chunks)], -1) for k in range(whole)]
        first, last, first_weights, last_weights, fate = np.stack(seen, -1)
        return ScaleSweep(np.array(depths), scales[:first.shape[1]], first, last, first_weights, last_weights, fate.astype(int), at_edge)
    with Pool(CORES) as pool:
        for found in (pool.each if len(jobs) >= SHARED else map)(partial(_of, depths=depths), jobs):
            done.append(found)
            if progress:
                progress(len(done), len(jobs), so_far())
            if len(done) >= len(chunks) and stop and stop():
                break
    return so_far()


def _of(values: dict[str, Any], depths: Sequence[int]) -> np.ndarray:
    """The same in whichever process."""
    return _measured(Members(values), depths)


def numbers_of(members: Members) -> int:
    """About how many numbers a network of a sweep holds: its weights and their gradients, and ten for each sum."""
    net = members.net(0)
    return 2 * net.size + 10 * members.values["batch"] * sum(net.widths[1:]) * net.pieces(0)


def _measured(members: Members, depths: Sequence[int]) -> np.ndarray:
    """Five figures of each depth and scale: a ScaleSweep's four gradients, and its fate."""
    ks = range(len(members.values["init_scale"]))
    net, judge = members.net(ks), members.judge(ks)
    x, y = members.points(0)
    h = members.settings(0)._replace(scale=np.array(members.values["init_scale"])[:, None, None])
    with np.errstate(all="ignore"):
        parts, heads = begun(net, members.init, h, generator(members.values["seed"], Draw.WEIGHTS), depths)
        parts[0] = Value(parts[0])  # the other hidden layers' own gradients are not asked for
        flow = net.flow(x, parts, autograd)
        out = []
        for depth in depths:
            weight, *bias = heads[depth]
            head = Value(weight)
            end = flow.activations[depth - 1] @ head + sum(bias)
            judge(end, y).backward()
            at = [measured(a.grad) for a in (flow.activations[0], flow.activations[depth - 1], parts[0], head)]
            tops = np.stack([own.top for own in at])
            lost = _lost(net, x, parts, flow, depth, head, end, tops[2]) if (tops[2] < TINY).any() else 0
            out.append([*(own.mean_abs for own in at), np.where(np.isinf(tops).any(0), 2, lost)])
    return np.moveaxis(np.array(out), 0, 1)


def _lost(net: Net, x: np.ndarray, parts: Sequence[Any], flow: Flow, depth: int, head: Value, end: Value, first: np.ndarray) -> np.ndarray:
    """The fate of the gradient of the first layer's weights, whose largest magnitude is `first`, in the network of this depth."""
    own = [{kind: part.data if isinstance(part, Value) else part for kind, part in p.items()} for p in net.by_layer(parts)[:depth]]
    fed, hidden = [value.data for value in flow.fed[:depth]], flow.activations[:depth]
    dead = [passing(net, layer, fed[layer], p)[1] for layer, p in enumerate(own)]
    tops = {"sum": [*fed, end.data], "out": [*(value.data for value in hidden), end.data], "weight": [*(p["weight"] for p in own), head.data],
            "back": [*(value.grad for value in hidden), end.grad]}
    sizes = {name: np.stack([size_of(a) for a in some]) for name, some in tops.items()}
    return fates(size_of(x), **sizes, gradient=np.broadcast_to(first, sizes["out"].shape), dead=np.stack([*dead, np.zeros_like(dead[0])]))[1][0]


def begun(net: Net, init: Initializer, h: Any, rng: np.random.Generator, depths: Sequence[int]) -> tuple[list[Any], dict[int, list[np.ndarray]]]:
    """The parameters of the deepest network, and those of the output after each depth, as networks of that depth draw them."""
    parts: list[Any] = []
    heads: dict[int, list[np.ndarray]] = {}
    output = [block for block in net.blocks if block.layer == net.hidden]
    for layer, p in enumerate(net.by_layer(net.blocks)):
        if layer in depths:
            fork = deepcopy(rng)
            heads[layer] = [net.drawn(block, init, h, fork) for block in output]
        parts += [net.drawn(block, init, h, rng) for block in p.values()]
    return parts, heads


# --- the edge of chaos ----------------------------------------------------------------------------------------------------------------------


def edge(values: Mapping[str, Any]) -> float | None:
    """The scale at which σ_w² E[φ′(√q z)²] = 1, q being the variance that sums come to: below it gradients vanish, above it they explode.

    Poole, Lahiri, Raghu, Sohl-Dickstein & Ganguli 2016, Exponential expressivity in deep neural networks through transient chaos; Schoenholz,
    Gilmer, Ganguli & Sohl-Dickstein 2017, Deep information propagation. It is a theory of wide plain layers: with normalizations, residual
    connections or several activations there is none.
    """
    members = Members({name: value for name, value in values.items() if not isinstance(value, np.ndarray)} | {"layers": values["layers"][:1]})
    if not in_theory(values):
        return None
    return _edge(members.own[0], members.net(0).settings[0], members.init, members.settings(0), values["layers"][0], values["bias"])


def in_theory(values: Mapping[str, Any]) -> bool:
    """Whether the network is plain enough for the theory to speak of it."""
    a = activations[values["activation"][0]]
    pieces = a.pieces(a.bundle(*(values[f"{a.key}_{name}"] for name in a.params)))
    return not (initializers[values["init"]].looks or values["residual"] or {values["batchnorm"], values["layernorm"]} != {"none"} or pieces > 1)


@lru_cache(maxsize=64)
def _edge(a: Activation, h: Any, init: Initializer, init_h: Any, width: int, biased: bool) -> float | None:
    gain = variance_gain(init, init_h, width)

    def chi(log_scale: float) -> float:
        scale = np.exp(log_scale)
        shift = float((init.bias(generator(0, Draw.WEIGHTS), width, 1000, init_h._replace(scale=scale)) ** 2).mean()) if biased else 0.0
        q = settled_variance(a, h, scale**2 * gain, shift)
        return scale**2 * gain * float(NORMAL @ a.derivative(np.sqrt(q) * Z, **h._asdict()) ** 2) - 1
    grid = np.log(np.logspace(-4, 4, 81))
    with np.errstate(all="ignore"):
        above = [chi(at) > 0 for at in grid]
        at = next((i for i in range(1, len(grid)) if above[i] and not above[i - 1]), None)
        if at is None:
            return None
        low, high = grid[at - 1], grid[at]
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if chi(middle) > 0 else (middle, high)
    return float(np.exp((low + high) / 2))


def variance_gain(init: Initializer, h: Any, width: int) -> float:
    """n·Var(w) of square layers at scale 1: by how much a sum's variance is the inputs' mean square."""
    rng, h = generator(0, Draw.WEIGHTS), h._replace(scale=1.0)
    return width * float(np.mean([np.square(init.rule(rng, width, width, h, None)).mean() for _ in range(min(DRAWS, max(1, DRAWN // width**2)))]))


def settled_variance(a: Activation, h: Any, gain: float, shift: float) -> float:
    """The variance of sums that a deep network comes to from above: q = gain·E[φ(√q z)²] + shift, by Newton's method."""
    q = max(1.0, gain + shift)
    for _ in range(100):
        z = np.sqrt(q) * Z
        value, slope = a.value(z, **h._asdict()), a.derivative(z, **h._asdict())
        rise = gain * float(NORMAL @ (value * slope * Z)) / np.sqrt(q) - 1
        if not rise < 0:
            return 1e12  # it grows without end
        before, q = q, min(max(q - (gain * float(NORMAL @ value**2) + shift - q) / rise, 1e-30), 1e12)
        if abs(q - before) <= 1e-14 * before:
            break
    return q
