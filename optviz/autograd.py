"""Backpropagation on arrays, small enough to be read aloud.

Each operation below computes its value and says beside it how a gradient goes back through it: one local derivative for
each input. A `Value` remembers the operation and the inputs that it came from, so the values of a computation form a graph.
`backward` walks that graph from its end and, wherever a value was used several times, adds up what comes back (the chain rule).

    w = Value([[1.0], [-2.0]])
    loss = mean(power(relu(x @ w) - y, 2))
    loss.backward()
    w.grad

The operations take plain arrays too, and are then nothing but NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial, wraps
from typing import Any

import numpy as np


class Value:
    """An array that knows how it came to be; `grad` is the derivative of what was differentiated by it."""

    __slots__ = ("back", "data", "grad", "inputs", "op", "wanted")
    __array_ufunc__ = None  # array + Value is Value's business

    def __init__(self, data: Any, op: Callable | None = None, inputs: Sequence[Value] = (), wanted: bool = True):
        self.data: Any = data if op else np.asarray(data, float)
        self.op, self.inputs, self.wanted = op, inputs, wanted
        self.back: Any = ()
        self.grad: Any = None

    def __add__(self, other: Any) -> Any: return add(self, other)
    def __radd__(self, other: Any) -> Any: return add(other, self)
    def __sub__(self, other: Any) -> Any: return sub(self, other)
    def __rsub__(self, other: Any) -> Any: return sub(other, self)
    def __mul__(self, other: Any) -> Any: return mul(self, other)
    def __rmul__(self, other: Any) -> Any: return mul(other, self)
    def __truediv__(self, other: Any) -> Any: return div(self, other)
    def __rtruediv__(self, other: Any) -> Any: return div(other, self)
    def __pow__(self, exponent: float) -> Any: return power(self, exponent)
    def __matmul__(self, other: Any) -> Any: return matmul(self, other)
    def __rmatmul__(self, other: Any) -> Any: return matmul(other, self)
    def __neg__(self) -> Any: return mul(self, -1.0)
    def __abs__(self) -> Any: return absolute(self)
    def __getitem__(self, at: Any) -> Any: return item(self, at=at)
    def __lt__(self, other: Any) -> Any: return less(self, other)
    def __gt__(self, other: Any) -> Any: return less(other, self)
    def sum(self, axis: Any = None, keepdims: bool = False) -> Any: return total(self, axis=axis, keepdims=keepdims)
    def mean(self, axis: Any = None, keepdims: bool = False) -> Any: return mean(self, axis=axis, keepdims=keepdims)
    def max(self, axis: Any = None, keepdims: bool = False) -> Any: return largest(self, axis=axis, keepdims=keepdims)
    def reshape(self, *shape: int) -> Any: return reshape(self, shape=shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    def backward(self) -> None:
        """Fill in `grad` of everything that this value depends on."""
        backward(graph(self))


# --- the chain rule -----------------------------------------------------------------------------------------------------------------


def graph(end: Value) -> list[Value]:
    """Everything that a value was computed from, each after its inputs."""
    order: list[Value] = []
    seen: set[int] = set()
    stack = [(end, False)]
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            stack += [(value, True), *((i, False) for i in value.inputs)]
    return order


def backward(order: Sequence[Value]) -> None:
    """From the last value of a graph back to its leaves."""
    for value in order:
        value.grad = None
    order[-1].grad = np.ones_like(order[-1].data)
    for value in reversed(order):
        if value.grad is None or not value.wanted:
            continue
        for i, local in zip(value.inputs, value.back, strict=True):
            if i.wanted:
                g = local(value.grad)
                if g.shape != i.data.shape:
                    g = unbroadcast(g, i.data.shape)
                i.grad = g if i.grad is None else i.grad + g


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """A number that was used many times gets the sum of what comes back: undo what broadcasting spread."""
    return np.add.reduce(g, axis=stretched(g.shape, shape), keepdims=True).reshape(shape)


@lru_cache
def stretched(wide: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes along which broadcasting made `wide` of `shape`."""
    new = len(wide) - len(shape)
    return tuple(axis for axis, size in enumerate(wide) if axis < new or shape[axis - new] != size)


def operation(rule: Callable) -> Callable:
    """A rule computes arrays; the operation takes Values or arrays, and its keywords (an axis, a shape) are part of it."""
    @wraps(rule)
    def apply(*args: Any, **fixed: Any) -> Any:
        if not any(isinstance(a, Value) for a in args):
            return rule(*args, **fixed)[0]
        inputs = [a if isinstance(a, Value) else Value(a, wanted=False) for a in args]
        op = partial(rule, **fixed) if fixed else rule
        value = Value(None, op, inputs, any(i.wanted for i in inputs))
        value.data, value.back = op(*[i.data for i in inputs])
        return value
    return apply


# --- operations: the value, and how a gradient g goes back to each input -------------------------------------------------------------


@operation
def add(a, b):
    return a + b, (lambda g: g, lambda g: g)


@operation
def sub(a, b):
    return a - b, (lambda g: g, lambda g: -g)


@operation
def mul(a, b):
    return a * b, (lambda g: g * b, lambda g: g * a)


@operation
def div(a, b):
    y = a / b
    return y, (lambda g: g / b, lambda g: -g * y / b)


@operation
def power(a, n):
    n = n if np.ndim(n) else float(n)  # NumPy has short ways for plain exponents
    return a**n, (lambda g: g * n * a ** (n - 1), lambda g: g * a**n * np.log(a))


@operation
def matmul(a, b):
    return product(a, b), (lambda g: product(g, b.mT), lambda g: product(a.mT, g))


@operation
def exp(a):
    y = np.exp(a)
    return y, (lambda g: g * y,)


@operation
def log(a):
    return np.log(a), (lambda g: g / a,)


@operation
def sqrt(a):
    y = np.sqrt(a)
    return y, (lambda g: g / (2 * y),)


@operation
def tanh(a):
    y = np.tanh(a)
    return y, (lambda g: g * (1 - y * y),)


@operation
def sigmoid(a):
    y = 0.5 + 0.5 * np.tanh(0.5 * a)  # 1/(1+exp(-a)), which would overflow for large negative a
    return y, (lambda g: g * (y * (1 - y)),)


@operation
def relu(a):
    return np.maximum(a, 0.0), (lambda g: g * (a > 0),)


@operation
def absolute(a):
    return np.abs(a), (lambda g: g * np.sign(a),)


@operation
def sign(a):
    return np.sign(a), (lambda g: 0.0 * g,)


@operation
def less(a, b):
    y = np.less(a, b)
    return y, (lambda g: 0.0 * g, lambda g: 0.0 * g)


@operation
def where(condition, a, b):
    return np.where(condition, a, b), (lambda g: 0.0 * g, lambda g: np.where(condition, g, 0.0), lambda g: np.where(condition, 0.0, g))


@operation
def total(a, axis=None, keepdims=False):
    return np.add.reduce(a, axis=axis, keepdims=keepdims), (lambda g: spread(g, a, axis, keepdims),)


@operation
def mean(a, axis=None, keepdims=False):
    y = np.add.reduce(a, axis=axis, keepdims=keepdims)
    n = a.size / y.size
    return y / n, (lambda g: spread(g / n, a, axis, keepdims),)


@operation
def largest(a, axis=None, keepdims=False):
    def back(g):
        top = a == a.max(axis, keepdims=True)
        return spread(g, a, axis, keepdims) * top / top.sum(axis, keepdims=True)  # equals share it
    return a.max(axis, keepdims=keepdims), (back,)


@operation
def reshape(a, shape):
    return a.reshape(shape), (lambda g: g.reshape(a.shape),)


@operation
def item(a, at):
    def back(g):
        out = np.zeros_like(a)
        np.add.at(out, at, g)  # the same place may have been taken several times
        return out
    return a[at], (back,)


def amax(a: Any, axis: int, keepdims: bool = False) -> Any:
    """The largest along one axis, as torch calls it too."""
    return largest(a, axis=axis, keepdims=keepdims)


def product(a: Any, b: Any) -> Any:
    """a @ b; of two small matrices `dot` is three times as fast as the operator."""
    return a.dot(b) if a.ndim == b.ndim == 2 else a @ b


def spread(g: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    """What came back to a reduced array, given to every element that it was made of."""
    out = np.empty_like(a)
    out[...] = g if keepdims or axis is None else g.reshape(left(a.shape, axis))
    return out


@lru_cache
def left(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """A shape whose reduced axes have length 1, so that it broadcasts over what there was."""
    gone = {i % len(shape) for i in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if i in gone else size for i, size in enumerate(shape))
