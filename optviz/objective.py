"""What a step of training goes down: a batch's loss with its penalties, recorded once as a graph and replayed with other numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import autograd
from .autograd import Value, graph, unbroadcast
from .nn import Net


class Objective:
    """The loss of the batch that was fed last, as a function of all weights, and its gradient."""

    def __init__(self, net: Net, loss: Callable[[Any, Any], Any], charges: Sequence[Callable[[Any], Any]]):
        self.net, self.loss, self.charges = net, loss, charges
        self.made: tuple[Callable, Callable] | None = None

    def feed(self, x: Any, y: Any, masks: Sequence[Any]) -> None:
        """Another batch: inputs, targets, and what dropout leaves of each hidden layer."""
        self.batch = (x, y, *masks)
        self.moments: Sequence[Any] | None = None  # mean and variance of each batch normalization, as the step's first weights see this batch

    def value(self, theta: Any) -> Any:
        """The loss of each member."""
        return self._functions(theta)[0](*self._leaves(theta))

    def slope(self, theta: Any) -> Any:
        """Its gradient, (P, *batch)."""
        _, grads, moments = self._functions(theta)[1](*self._leaves(theta))
        if self.moments is None:
            self.moments = moments
        flat = [g.reshape(*theta.shape[1:], -1) for g in grads[:len(self.net.blocks)]]
        g = np.concatenate(flat, -1).T
        return g + grads[-1] if self.charges else g

    def _leaves(self, theta: Any) -> list[Any]:
        """All that the recorded computation begins with."""
        return [*self.batch, *self.net.parts(theta), *([theta] if self.charges else ())]

    def _functions(self, theta: Any) -> tuple[Callable, Callable]:
        """Loss and gradient; the first time the computation is recorded."""
        if self.made is None:
            given = [Value(data, wanted=False) for data in self.batch]
            parts = [Value(part) for part in self.net.parts(theta)]
            flat = [Value(theta)] if self.charges else []
            x, y, *masks = given
            flow = self.net.flow(x, parts, autograd, masks=masks or None)
            end = self.loss(flow.outputs, y)
            for charge in self.charges:
                end = end + charge(flat[0])
            self.made = compiled(end, [*given, *parts, *flat], [part for m in flow.moments for part in m])
        return self.made


class TorchObjective(Objective):
    """The same on tensors, where torch differentiates."""

    def __init__(self, net: Net, loss: Callable[[Any, Any], Any], charges: Sequence[Callable[[Any], Any]], torch: Any):
        super().__init__(net, loss, charges)
        self.xp = torch

    def value(self, theta: Any) -> Any:
        return self._seen(theta)[0]

    def slope(self, theta: Any) -> Any:
        with self.xp.enable_grad():
            theta = theta.detach().requires_grad_()
            loss, moments = self._seen(theta)
            g, = self.xp.autograd.grad(loss.sum(), theta)  # members have nothing in common: what comes back to each is its own
        if self.moments is None:
            self.moments = [part.detach() for part in moments]
        return g

    def _seen(self, theta: Any) -> tuple[Any, list[Any]]:
        """The loss of each member, and the moments of its batch normalizations."""
        x, y, *masks = self.batch
        flow = self.net.flow(x, self.net.parts(theta), self.xp, masks=masks or None)
        return sum((charge(theta) for charge in self.charges), self.loss(flow.outputs, y)), [part for m in flow.moments for part in m]


def compiled(end: Value, leaves: Sequence[Value], also: Sequence[Value] = ()) -> tuple[Callable, Callable]:
    """The graph of `end` once recorded, as straight-line code: two functions of other arrays in the place of its leaves' own.

    The first gives the value, the second value, gradients by the leaves that want one, and the values of `also`.
    """
    order = graph(end)
    name = {id(value): f"v{i}" for i, value in enumerate(order)} | {id(leaf): f"leaf{i}" for i, leaf in enumerate(leaves)}
    space: dict[str, Any] = {"unbroadcast": unbroadcast, "ones": np.ones}
    forward, back, reached = [], [], {id(end)}
    for value in order:
        if value.op is not None:
            space["op_" + name[id(value)]] = value.op
            forward.append("{0}, back_{0} = op_{0}({1})".format(name[id(value)], ", ".join(name[id(i)] for i in value.inputs)))
        elif name[id(value)].startswith("v"):
            space[name[id(value)]] = value.data
    for value in reversed(order):
        for k, i in enumerate(value.inputs) if value.wanted and id(value) in reached else ():
            if i.wanted:
                shape, g = f"{name[id(i)]}.shape", f"grad_{name[id(i)]}"
                back += [f"g = back_{name[id(value)]}[{k}](grad_{name[id(value)]})",
                         *[f"if g.shape != {shape}: g = unbroadcast(g, {shape})"] * (len(value.inputs) > 1),
                         f"{g} = {g} + g" if id(i) in reached else f"{g} = g"]
                reached.add(id(i))
    given, last = ", ".join(f"leaf{i}" for i in range(len(leaves))), name[id(end)]
    grads = "".join(f"grad_{name[id(leaf)]}, " if id(leaf) in reached else f"0 * {name[id(leaf)]}, " for leaf in leaves if leaf.wanted)
    text = [f"def value({given}):", *forward, f"return {last}", f"def slope({given}):", *forward, f"grad_{last} = ones({last}.shape)", *back,
            f"return {last}, ({grads}), ({''.join(name[id(value)] + ', ' for value in also)})"]
    exec("\n".join(line if line.startswith("def") else " " + line for line in text), space)  # nothing but the operations below, in order
    return space["value"], space["slope"]
