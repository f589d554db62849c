"""What a network looks like inside, layer by layer: its activations, the gradients that come back, and where numbers end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from . import autograd
from .activations import SATURATED
from .autograd import Value
from .nn import Flow, Moments, Net

TINY, HUGE = np.finfo(float).tiny, np.finfo(float).max
EXAMPLES = 3  # of which Jacobians are taken
LANCZOS = 16  # steps of it: the largest singular value of 500 × 500 random numbers is then right to a thousandth
IN_CACHE = 2**15  # numbers that are looked at together
BINS = 80
OCTAVES = 2.0 ** np.arange(-100, 101)  # edges, 10⁻³⁰ to 10³⁰
#: What happened to a layer's numbers, by their code in `forward` and `backward`.
FATES = ("", "underflow", "overflow")


@dataclass(frozen=True, eq=False)
class Layers:
    """An entry a layer, from the first hidden one to the output, in arrays (layers, *batch); those of a training have steps in front.

    A histogram has its bins after the layers: of values between `edges`, where the last bins hold what lies beyond, or of magnitudes
    between the powers of 2 in OCTAVES, where zeros are in no bin. Gradients are those of the batch's mean loss. `saturated` counts
    numbers through which less than a hundredth of the gradient passes, `dead` neurons that pass none for any example. `jacobian` is the
    spectral norm of one layer's own derivative, the mean of a few examples, with a batch's moments held. An update is a plain step.
    `forward` and `backward` say what became of a layer's activations and of its weights' gradient, as indices of FATES: where numbers
    overflow, the statistics are those of the finite ones.
    """

    activation_mean: np.ndarray
    activation_std: np.ndarray
    activation_histogram: np.ndarray
    activation_magnitudes: np.ndarray
    saturated: np.ndarray
    dead: np.ndarray
    activation_gradient_mean_abs: np.ndarray
    activation_gradient_std: np.ndarray
    activation_gradient_magnitudes: np.ndarray
    gradient_mean_abs: np.ndarray
    gradient_std: np.ndarray
    gradient_magnitudes: np.ndarray
    jacobian: np.ndarray
    weight_norm: np.ndarray
    update_norm: np.ndarray
    update_ratio: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    edges: np.ndarray  # (bins + 1,), the same for all
    loss: np.ndarray  # (*batch)

    def fates(self, way: str) -> list[str]:
        """The words for a lone network's layers, `way` being forward or backward."""
        return [FATES[code] for code in getattr(self, way).tolist()]


def joined(of: Sequence[Layers], join: Callable[[Sequence[np.ndarray]], np.ndarray]) -> Layers:
    """Several as one: their arrays put together; edges are common to all."""
    names = [f.name for f in fields(Layers)]
    return Layers(**{name: of[0].edges if name == "edges" else join([getattr(one, name) for one in of]) for name in names})


def look(net: Net, theta: np.ndarray, x: np.ndarray, y: np.ndarray, loss: Callable[[Any, Any], Any], rate: Any = 1.0,
         progress: Callable[[int, int], Any] | None = None) -> Layers:
    """One pass forwards and backwards; of K networks theta is (P, K), x and y may have an axis of members in front, and so has rate (K,).

    `progress` is told how many layers have been measured, and how many there are.
    """
    with np.errstate(all="ignore"):
        parts = [Value(part) for part in net.parts(theta)]
        flow = net.flow(x, parts, autograd)
        end = loss(flow.outputs, y)
        end.backward()
        held = [Moments(m.mean.data, m.variance.data) for m in flow.moments]
        return _read(net, parts, flow, x, end.data, held, rate, progress)


def _read(net: Net, parts: Sequence[Value], flow: Flow, x: np.ndarray, loss: np.ndarray, held: Sequence[Moments], rate: Any,
          progress: Callable[[int, int], Any] | None) -> Layers:
    edges, before = edges_of(net), x
    found: list[dict[str, Any]] = []
    tops: dict[str, list[np.ndarray]] = {name: [] for name in ("sum", "out", "weight", "back", "gradient")}
    for layer, p in enumerate(net.by_layer(parts)):
        out, fed, weight = flow.activations[layer], flow.fed[layer].data, p["weight"]
        own = {kind: value.data for kind, value in p.items()}
        at = {"out": measured(out.data), "back": measured(out.grad), "weight": measured(weight.data), "gradient": measured(weight.grad)}
        update, size = at["gradient"].norm * rate, at["weight"].norm
        saturated, dead = passing(net, layer, fed, own)
        found.append({
            "activation_mean": at["out"].mean, "activation_std": at["out"].std, "activation_histogram": histogram(out.data, edges),
            "activation_magnitudes": at["out"].magnitudes, "saturated": saturated, "dead": dead,
            "activation_gradient_mean_abs": at["back"].mean_abs, "activation_gradient_std": at["back"].std,
            "activation_gradient_magnitudes": at["back"].magnitudes,
            "gradient_mean_abs": at["gradient"].mean_abs, "gradient_std": at["gradient"].std, "gradient_magnitudes": at["gradient"].magnitudes,
            "jacobian": jacobian(net, layer, before, own, held), "weight_norm": size, "update_norm": np.minimum(update, HUGE),
            "update_ratio": np.where(size > 0, np.minimum(update / np.where(size > 0, size, 1), HUGE), 0.0)})
        for name, top in tops.items():
            top.append(size_of(fed) if name == "sum" else at[name].top)
        before = out.data
        if progress:
            progress(layer + 1, len(flow.fed))
    forward, backward = fates(size_of(x), **{name: np.stack(top) for name, top in tops.items()}, dead=np.stack([of["dead"] for of in found]))
    return Layers(**{name: np.stack([of[name] for of in found]) for name in found[0]}, forward=forward, backward=backward, edges=edges,
                  loss=np.nan_to_num(loss, nan=HUGE))


# --- statistics of the last two axes, where numbers may be near the ends of what a float holds ---------------------------------------------


class Figures(NamedTuple):
    """Of the finite numbers among some, each figure one a member; `top` is the largest magnitude, infinite where not all are finite."""

    mean: np.ndarray
    std: np.ndarray
    mean_abs: np.ndarray
    norm: np.ndarray
    magnitudes: np.ndarray
    top: np.ndarray


def in_blocks(a: np.ndarray) -> Iterator[np.ndarray]:
    """Some examples after others, as many as stay in the cache."""
    some = max(1, IN_CACHE * a.shape[-2] // a.size)
    return (a[..., low:low + some, :] for low in range(0, a.shape[-2], some))


def size_of(a: np.ndarray) -> np.ndarray:
    """The largest magnitude."""
    return np.nan_to_num(np.maximum(a.max((-2, -1)), -a.min((-2, -1))), nan=np.inf, posinf=np.inf) + 0.0  # never −0


def measured(a: np.ndarray) -> Figures:
    """All are divided by the largest first, so that no square leaves the floats."""
    top = size = size_of(a)
    count: Any = a.shape[-2] * a.shape[-1]
    if not np.isfinite(top).all():
        good = np.isfinite(a)
        a, count = np.where(good, a, 0.0), np.maximum(good.sum((-2, -1)), 1)
        size = size_of(a)
    unit = np.where(size > 0, size, 1.0)[..., None, None]
    total: Any = 0.0
    absolute: Any = 0.0
    squares: Any = 0.0
    octaves: Any = 0
    for some in in_blocks(a):
        some = some / unit
        total, absolute = total + some.sum((-2, -1)), absolute + np.abs(some, out=some).sum((-2, -1))
    mean = total / count
    for some in in_blocks(a):
        octaves = octaves + magnitudes(some)
        away = some / unit - mean[..., None, None]
        squares = squares + np.multiply(away, away, out=away).sum((-2, -1))
    squares = np.maximum(squares - (a.shape[-2] * a.shape[-1] - count) * mean * mean, 0)  # what is not finite was counted as 0
    norm = np.sqrt(squares + count * mean * mean) * size
    return Figures(mean * size + 0.0, np.sqrt(squares / count) * size + 0.0, absolute / count * size, np.minimum(norm, HUGE), octaves, top)


def counted(index: np.ndarray, bins: int) -> np.ndarray:
    """How often each number from 0 below `bins` occurs, (bins, members) or (bins,)."""
    lead = index.shape[:-2]
    index = index.reshape(*lead, -1)
    if not lead:
        return np.bincount(index, minlength=bins)
    return np.bincount((index + bins * np.arange(lead[0])[:, None]).ravel(), minlength=lead[0] * bins).reshape(lead[0], bins).T


def histogram(a: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many lie between edges of one width; what lies beyond is in the last bins, what is no number in none."""
    bins = len(edges) - 1
    out: Any = 0
    for some in in_blocks(a):
        place = np.clip((some - edges[0]) * (bins / (edges[-1] - edges[0])), 0, bins - 1)
        out = out + counted(np.nan_to_num(place, nan=bins).astype(np.intp), bins + 1)
    return out[:bins]


def magnitudes(a: np.ndarray) -> np.ndarray:
    """How many have a magnitude between powers of 2: a float's own exponent says which."""
    exponent = np.ascontiguousarray(a).view(np.int64) >> 52 & 0x7FF
    counts = counted(exponent, 2048)[1:-1]  # 0 is that of zeros, the last that of infinity
    low, high = int(np.log2(OCTAVES[0])) + 1022, int(np.log2(OCTAVES[-1])) + 1022
    out = counts[low:high].copy()
    out[0] += counts[:low].sum(0)
    out[-1] += counts[high:].sum(0)
    return out


def edges_of(net: Net) -> np.ndarray:
    """Where activations of hidden layers can lie, or most of them do."""
    reach, z = [], np.linspace(-50.0, 50.0, 1001)
    for layer in range(max(net.hidden, 1)):
        if net.pieces(layer) > 1:
            return np.linspace(-6, 6, BINS + 1)
        reach.append(net.activations[layer].rule(z[:, None], net.settings[layer], autograd))
    low, high = min(map(np.min, reach)), max(map(np.max, reach))
    bounded = high - low <= 2.5 and not net.residual and "after" not in (net.batchnorm, net.layernorm)
    return np.linspace(low, high, BINS + 1) if bounded else np.linspace(-6, 6, BINS + 1)


# --- derivatives of one layer ---------------------------------------------------------------------------------------------------------------


def passing(net: Net, layer: int, fed: np.ndarray, p: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The share of numbers that pass less than a hundredth of the gradient, and of neurons that pass none for any example.

    Of several pieces, the one that is taken counts. What overflowed is neither: nobody knows what it would pass.
    """
    pieces, saturated = net.pieces(layer), 0
    steepest: Any = np.float64(np.nan)
    for some in in_blocks(fed):
        at = Value(some)
        net.activated(layer, at, p, autograd).backward()
        slopes = np.where(np.isfinite(some), np.abs(at.grad), np.nan)
        slopes = slopes.reshape(*slopes.shape[:-1], -1, pieces).max(-1) if pieces > 1 else slopes
        saturated, steepest = saturated + (slopes < SATURATED).sum((-2, -1)), np.fmax(steepest, np.fmax.reduce(slopes, -2))
    return saturated * pieces / (fed.shape[-2] * fed.shape[-1]), (steepest == 0).mean(-1)


def jacobian(net: Net, layer: int, before: np.ndarray, p: Mapping[str, np.ndarray], held: Sequence[Moments]) -> np.ndarray:
    """The spectral norm of what a layer hands on with respect to what it was handed, the mean of the first examples."""
    weight, pieces, width = p["weight"], net.pieces(layer), net.widths[layer + 1]
    sums = before[..., :EXAMPLES, :] @ weight + p.get("bias", 0.0)
    # only layer norm lets one sum change another's neuron: elsewhere one row of derivatives says all
    many = width if net.layernorm != "none" and layer < net.hidden else 1
    at = Value(np.repeat(sums, many, -2))
    out = net.handed_on(layer, at, p, Flow(None, [], [], [], []), held or None, autograd)
    (out if many == 1 else out * np.tile(np.eye(width), (sums.shape[-2], 1))).backward()
    slopes = np.nan_to_num(at.grad).reshape(*sums.shape[:-1], many, -1)

    def forth(v: np.ndarray) -> np.ndarray:
        s = v @ weight
        own = (slopes @ s[..., None])[..., 0] if many > 1 else slopes[..., 0, :] * s
        own = own.reshape(*own.shape[:-1], width, -1).sum(-1)
        return own + v if net.bridged(layer) else own

    def back(u: np.ndarray) -> np.ndarray:
        own = (u[..., None, :] @ slopes)[..., 0, :] if many > 1 else slopes[..., 0, :] * np.repeat(u, pieces, -1)
        own = own @ weight.mT
        return own + u if net.bridged(layer) else own
    return np.minimum(largest(forth, back, sums.shape[:-1], net.widths[layer]).mean(-1), HUGE)


def largest(forth: Callable[[np.ndarray], np.ndarray], back: Callable[[np.ndarray], np.ndarray], lead: tuple[int, ...], width: int) -> np.ndarray:
    """The largest singular value of many linear maps at once, by what they and their transposes make of vectors (*lead, width) (Lanczos)."""
    q = np.broadcast_to(np.random.default_rng(0).standard_normal(width), (*lead, width))
    basis, images = np.zeros((*lead, 0, width)), []
    for _ in range(min(width, LANCZOS)):
        size = np.linalg.norm(q, axis=-1, keepdims=True)
        for _ in range(2):  # the first leaves rounding behind
            q = q - ((basis @ q[..., None]).mT @ basis)[..., 0, :]
        length = np.linalg.norm(q, axis=-1, keepdims=True)
        real = length > 1e-9 * size  # else there is nothing new to see
        q = np.where(real, q / np.where(real, length, 1), 0.0)
        basis = np.concatenate([basis, q[..., None, :]], -2)
        images.append(np.nan_to_num(forth(q)))
        q = np.nan_to_num(back(images[-1]))
    return np.linalg.svd(np.stack(images, -2), compute_uv=False)[..., 0]


# --- where numbers end ----------------------------------------------------------------------------------------------------------------------


def fates(x: np.ndarray, *, sum: np.ndarray, out: np.ndarray, weight: np.ndarray, back: np.ndarray, gradient: np.ndarray,
          dead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What became of each layer's activations and of its weights' gradient, by the largest magnitudes on the way, (layers, *batch).

    Zeros are an underflow where what they are made of is not 0 itself: the zeros of a dead neuron are none, but where its sum was lost.
    """
    signal = np.concatenate([np.broadcast_to(x, out.shape[1:])[None], out])
    lost = faded(signal, (sum < TINY) & (weight > 0))
    alive = (dead < 1) | lost[1:]
    gone = faded(back[::-1], ((weight > 0) & alive)[:0:-1])[::-1]
    under = (gradient < TINY) & alive & ((signal[:-1] >= TINY) | lost[:-1]) & ((back >= TINY) | gone)
    forward = np.where(np.isinf(out), 2, np.where(lost[1:], 1, 0))
    return forward, np.where(np.isinf(gradient) | np.isinf(back), 2, np.where(under, 1, 0))


def faded(sizes: np.ndarray, passes: np.ndarray) -> np.ndarray:
    """Where, from one size to the next, nothing is left although there was something, and the way was open."""
    gone = [np.zeros(sizes.shape[1:], bool)]
    for before, after, way in zip(sizes[:-1], sizes[1:], passes, strict=False):
        gone.append((after < TINY) & way & ((before >= TINY) | gone[-1]))
    return np.stack(gone)
