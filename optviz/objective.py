"""What a step of training goes down: a batch's loss with its penalties, recorded once as a graph and replayed with other numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import autograd
from .autograd import Value, compiled
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
