"""A multilayer perceptron: its shape, its parameters as one flat vector, and how numbers flow through it.

Examples are rows. A lone network has weights (inputs, outputs); K networks in lockstep have one more axis in front. Their
parameters are a flat vector (P, *batch), so that an optimizer sees a network as it sees a surface.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from . import autograd
from .activations import Activation
from .initializers import Initializer

EPS = 1e-5  # keeps a normalization's root from 0, as in torch


class Block(NamedTuple):
    """Where a layer's parameter of one kind stands in the flat vector."""

    layer: int
    kind: str  # weight, bias, bn_gain, bn_shift, ln_gain, ln_shift; else the name of an activation's trained parameter
    shape: tuple[int, ...]
    at: slice


class Moments(NamedTuple):
    """What a normalization takes out."""

    mean: Any
    variance: Any


class Flow(NamedTuple):
    """What a network computed: its outputs; of every layer its weighted sums, what its nonlinearity was given, and what it hands on; of
    every batch normalization its moments."""

    outputs: Any
    sums: list[Any]
    fed: list[Any]
    activations: list[Any]
    moments: list[Moments]


@dataclass(frozen=True)
class Net:
    """The shape of a network: `widths` from inputs to outputs, an activation for each layer but the input."""

    widths: tuple[int, ...]
    activations: tuple[Activation, ...]
    settings: tuple[Any, ...]  # of each activation
    batchnorm: str = "none"  # or before, or after the nonlinearity of a hidden layer
    layernorm: str = "none"
    residual: bool = False
    bias: bool = True

    # --- parameters ----------------------------------------------------------------------------------------------------------------

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every parameter, layer by layer."""
        out: list[Block] = []

        def put(layer: int, kind: str, *shape: int) -> None:
            begin = out[-1].at.stop if out else 0
            out.append(Block(layer, kind, shape, slice(begin, begin + math.prod(shape))))
        for layer, (fan_in, width) in enumerate(zip(self.widths, self.widths[1:], strict=False)):
            sums = width * self.pieces(layer)
            put(layer, "weight", fan_in, sums)
            if self.bias:
                put(layer, "bias", 1, sums)
            for norm, place in (("bn", self.batchnorm), ("ln", self.layernorm)) if layer < self.hidden else ():
                if place != "none":
                    put(layer, norm + "_gain", 1, sums if place == "before" else width)
                    put(layer, norm + "_shift", 1, sums if place == "before" else width)
            for name in self.activations[layer].learned:
                put(layer, name, 1, 1)
        return tuple(out)

    @property
    def hidden(self) -> int:
        """How many hidden layers there are."""
        return len(self.widths) - 2

    def pieces(self, layer: int) -> int:
        """How many sums a neuron of this layer is made of."""
        return self.activations[layer].pieces(self.settings[layer])

    @cached_property
    def size(self) -> int:
        """How many parameters there are."""
        return self.blocks[-1].at.stop

    @cached_property
    def is_weight(self) -> np.ndarray:
        """The layer, from 1, that an entry of the flat vector is a weight of; 0 for biases and all else that penalties spare."""
        out = np.zeros(self.size, int)
        for block in self.blocks:
            if block.kind == "weight":
                out[block.at] = block.layer + 1
        return out

    def parts(self, theta: Any) -> list[Any]:
        """The blocks of a flat vector (P,) or (P, K), each (rows, columns) or (K, rows, columns): views where a member's lie together."""
        flat = theta.T if theta.ndim > 1 else theta  # torch turns matrices only
        lead = flat.shape[:-1]
        return [flat[..., b.at].reshape(*lead, *b.shape) for b in self.blocks]

    def begin(self, init: Initializer, h: Any, rng: np.random.Generator, inputs: Any, targets: Any) -> np.ndarray:
        """The flat vector of one network before training; what goes in is there for initializers that look at it."""
        theta = np.zeros(self.size)
        for block in self.blocks:
            seen = None
            if init.looks and block.kind == "weight":
                x = inputs if block.layer == 0 else self.flow(inputs, self.parts(theta), autograd).activations[block.layer - 1]
                seen = x, targets
            theta[block.at] = self.drawn(block, init, h, rng, seen).ravel()
        return theta

    def drawn(self, block: Block, init: Initializer, h: Any, rng: np.random.Generator, seen: Any = None) -> np.ndarray:
        """One parameter before training; of networks in lockstep, whose scales are columns, all of theirs."""
        if block.kind == "weight":
            return init.rule(rng, *block.shape, h, seen)
        if block.kind == "bias":
            return init.bias(rng, self.widths[block.layer], block.shape[-1], h)
        if block.kind.endswith(("_gain", "_shift")):
            return np.full(block.shape, float(block.kind.endswith("_gain")))
        return np.asarray(getattr(self.settings[block.layer], block.kind), float)

    # --- numbers flow through ------------------------------------------------------------------------------------------------------------

    def flow(self, x: Any, parts: Sequence[Any], xp: Any, running: Sequence[Moments] | None = None, masks: Sequence[Any] | None = None,
             keep: Any = None) -> Flow:
        """Examples (…, n, inputs) to outputs (…, n, outputs).

        `running` are the moments that a trained batch normalization uses; without them a batch's own are taken. `masks` drop
        hidden numbers in training; `keep` is the share that stayed, by which all are multiplied afterwards ("at_test").
        """
        flow = Flow(x, [], [], [], [])
        for layer, p in enumerate(self.by_layer(parts)):
            before, x = x, x @ p["weight"]
            if self.bias:
                x = x + p["bias"]
            flow.sums.append(x)
            x = self.handed_on(layer, x, p, flow, running, xp)
            if layer < self.hidden:
                if masks is not None:
                    x = x * masks[layer]
                if keep is not None:
                    x = x * keep
                if self.bridged(layer):
                    x = x + before
            flow.activations.append(x)
        return flow._replace(outputs=x)

    def by_layer(self, parts: Sequence[Any]) -> list[dict[str, Any]]:
        """Each layer's parameters by their kinds."""
        own: list[dict[str, Any]] = [{} for _ in self.activations]
        for block, part in zip(self.blocks, parts, strict=True):
            own[block.layer][block.kind] = part
        return own

    def bridged(self, layer: int) -> bool:
        """Whether what came into a hidden layer is added to what it hands on."""
        return self.residual and layer < self.hidden and self.widths[layer] == self.widths[layer + 1]

    def handed_on(self, layer: int, x: Any, p: Mapping[str, Any], flow: Flow, running: Sequence[Moments] | None, xp: Any) -> Any:
        """A layer's sums through its normalizations and its nonlinearity."""
        hidden = layer < self.hidden
        if hidden:
            x = self.normalized("before", layer, x, p, flow, running, xp)
        flow.fed.append(x)
        x = self.activated(layer, x, p, xp)
        return self.normalized("after", layer, x, p, flow, running, xp) if hidden else x

    def activated(self, layer: int, x: Any, p: Mapping[str, Any], xp: Any) -> Any:
        """The nonlinearity; one of several pieces takes them side by side."""
        activation, h = self.activations[layer], self.settings[layer]
        if activation.learned:
            h = h._replace(**{name: p[name] for name in activation.learned})
        if (pieces := self.pieces(layer)) > 1:
            x = x.reshape(*x.shape[:-2], -1, self.widths[layer + 1], pieces)
        return activation.rule(x, h, xp)

    def normalized(self, place: str, layer: int, x: Any, p: Mapping[str, Any], flow: Flow, running: Sequence[Moments] | None, xp: Any) -> Any:
        """What a hidden layer's normalizations make of it, where one stands in this place."""
        if self.batchnorm == place:
            flow.moments.append(moments(x, -2) if running is None else running[layer])
            x = standard(x, flow.moments[-1], p["bn_gain"], p["bn_shift"], xp)
        if self.layernorm == place:
            x = standard(x, moments(x, -1), p["ln_gain"], p["ln_shift"], xp)
        return x


def moments(x: Any, axis: int) -> Moments:
    """Mean and variance along an axis."""
    mean = x.mean(axis, keepdims=True)
    away = x - mean
    return Moments(mean, (away * away).mean(axis, keepdims=True))


def standard(x: Any, of: Moments, gain: Any, shift: Any, xp: Any) -> Any:
    """Mean 0 and variance 1, then a trained scale γ and shift β: with γ = σ and β = μ nothing changes."""
    return (x - of.mean) / xp.sqrt(of.variance + EPS) * gain + shift
