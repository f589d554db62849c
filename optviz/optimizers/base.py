"""What an optimizer is: one pure step function, read by every machine, and by the page that explains it.

A step is `step(grad, x, state, h, t, xp) -> (x, state)`:
  grad   the oracle: grad(x) is the gradient, grad.value(x) the loss, grad.hessian(x) the matrix of second derivatives
  x      the parameters, (P, *batch); a surface has P = 2, a network as many as it has weights
  state  what the optimizer remembers, a tuple of arrays in the order of its `state` names
  h      hyper-parameters by name; numbers, or arrays that broadcast over the batch
  t      the number of this step, from 1
  xp     numpy, torch or a tracer; no loops over data, no in-place writes, no `if` on a value: xp.where
"""

from __future__ import annotations

import ast
import inspect
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from ..core import BELOW_ONE, NOT_NEGATIVE, Choice, Param, Registry, Setting, T, resolve, words
from ..latex import NOTATION, Latex, chosen, put, returned, source, symbol

Step = Callable[..., tuple[Any, tuple[Any, ...]]]


# --- words that steps share -------------------------------------------------------------------------------------------------------


def dot(a: Any, b: Any) -> Any:
    """The scalar product, one number for each member of a batch."""
    return (a * b).sum(0)


def norm(a: Any) -> Any:
    """The Euclidean length."""
    return (a * a).sum(0) ** 0.5


def norm1(a: Any) -> Any:
    """The sum of magnitudes."""
    return abs(a).sum(0)


def rms(a: Any) -> Any:
    """The root of the mean square."""
    return (a * a).mean(0) ** 0.5


def ratio(a: Any, b: Any, xp: Any) -> Any:
    """a / b for b >= 0, and 0 where b is 0."""
    return xp.where(b > 0, a / xp.where(b > 0, b, 1), 0)


def every(k: Any, t: Any, xp: Any) -> Any:
    """True on each k-th step."""
    return t - k * xp.floor(t / k) < 0.5


def divisor(v: Any, h: Any, xp: Any) -> Any:
    """What an adaptive step divides by: lectures place epsilon differently, and some forget the root."""
    if h.eps_place == "inside":
        return xp.sqrt(v + h.eps)
    if h.eps_place == "unrooted":
        return v + h.eps
    return xp.sqrt(v) + h.eps


# --- the type ---------------------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """One assignment of a step: the name it sets, its right side, and both as LaTeX."""

    target: str
    value: ast.expr
    latex: str


@dataclass(frozen=True, eq=False)
class Optimizer:
    """A step function with everything a page, a sweep or a test wants to know about it."""

    key: str
    name: T
    idea: T
    step: Step
    params: Mapping[str, Setting]
    state: tuple[str, ...]
    init: Callable[[Any, Any, Any], Sequence[Any]]
    traceable: bool
    symbols: Mapping[str, str]
    exact: bool  # whether single precision leads it to other minima: it lives on small differences

    @property
    def paper(self) -> str:
        """Where the formula comes from."""
        return inspect.getdoc(self.step) or ""

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of a step's intermediate values, in order."""
        seen = dict.fromkeys(line.target for line in self.lines())
        return tuple(name for name in seen if name not in self.state and name != "x")

    def symbol(self, name: str) -> str:
        """The LaTeX symbol of a parameter, a state vector or a term."""
        return self.symbols.get(name) or SYMBOLS.get(name) or symbol(name)

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Checked hyper-parameters by name, the rest at their defaults; a best value that nobody told is 0, as of a loss."""
        return self.bundle(**{name: 0.0 if value is None else value for name, value in resolve(self.params, given).items()})

    @property
    def bundle(self) -> Any:
        return _bundle(tuple(self.params))

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The words chosen out of some settings, the rest at their defaults."""
        return words(self.params, given)

    def lines(self, **options: str) -> tuple[Line, ...]:
        """The step's assignments with the chosen options, read from its own source."""
        return _lines(self, tuple(self.options(options).items()))

    def latex(self, **options: str) -> tuple[str, ...]:
        """The formula, a line an assignment."""
        return tuple(line.latex for line in self.lines(**options))

    def printer(self, options: Mapping[str, str], names: Mapping[str, str], product: str = " ") -> Latex:
        """Prints a line with these symbols in the place of its own."""
        return Latex(SYMBOLS | dict(self.symbols) | dict(names), STEP_NOTATION, partial(_stood_for, options), frozenset({"grad", "h", "xp"}), product)

    def replay(self, tell: Callable[[int, Any], Any], grad: Any, x: Any, state: tuple[Any, ...], h: Any, t: Any, xp: Any) -> Any:
        """The step line by line: what each comes to is told, and goes on as what `tell` answers; -> the new x."""
        return _replay(self, tuple(self.options(h._asdict()).items()))(tell, grad, x, state, h, t, xp)


#: What names stand for everywhere; an optimizer says itself where its letters differ.
SYMBOLS = {"x": r"\theta", "lr": r"\alpha", "momentum": r"\gamma", "weight_decay": r"\lambda", "ahead": r"\tilde{\theta}",
           "shrunk": r"\theta'", "size": r"\eta", "initial_accumulator_value": "G_0", "initial_accumulator": "v_0"}
STEP_NOTATION = NOTATION | {
    "grad": r"\nabla f\left({0}\right)", "value": r"f\left({0}\right)", "hessian": r"\nabla^2 f\left({0}\right)",
    "dot": r"\left\langle {0}, {1} \right\rangle", "norm": r"\left\lVert {0} \right\rVert", "rms": r"\operatorname{{rms}}\left({0}\right)",
    "norm1": r"\left\lVert {0} \right\rVert_1", "every": r"{0} \mid {1}", "ratio": r"\frac{{{0}}}{{{1}}}",
    "against": r"-\,{0}\left({1}\right)^{{-1}} {2}", "shifted": r"\operatorname{{lift}}_\mu", "mirrored": r"\operatorname{{abs}}_\mu",
    "times": "{0} {1}", "remember": r"\left[{1}, {0}\right]", "recall": r"-H_{{{1}, {2}, {3}}}\, {0}",
}


@cache
def _bundle(names: tuple[str, ...]) -> Any:
    return namedtuple("Settings", names)


def _stood_for(options: Mapping[str, str], call: ast.Call) -> ast.expr | None:
    """The expression that a call of `divisor` stands for."""
    if not (isinstance(call.func, ast.Name) and call.func.id == "divisor"):
        return None
    names = [a.arg for a in source(divisor).args.args]
    return put(dict(zip(names, call.args, strict=True)), ast.unparse(returned(divisor, options)))


def _assigned(step: Step, options: Mapping[str, str]) -> list[tuple[str, ast.expr]]:
    """The assignments that run with these options, to the new x; where a step calls another optimizer's, that one's in its place."""
    out: list[tuple[str, ast.expr]] = []
    for statement in chosen(source(step).body, options):
        match statement:
            case ast.Assign(value=ast.Name(id="state")) | ast.Expr():
                continue
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=name), ast.Tuple()])], value=ast.Call(func=ast.Name(id=key))):
                *inner, (_, moved) = _assigned(optimizers[key].step, options)  # what it remembers has the same names in both
                out += [*inner, (name, moved)]
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                out.append((name, value))
            case ast.Return(value=ast.Tuple(elts=[value, *_])):
                out.append(("x", value))
            case _:
                raise TypeError(f"a step is made of assignments and one return: {ast.unparse(statement)}")
    return out


@lru_cache(maxsize=256)
def _lines(optimizer: Optimizer, options: tuple[tuple[str, str], ...]) -> tuple[Line, ...]:
    say = optimizer.printer(dict(options), {})
    return tuple(Line(name, value, rf"{say(ast.Name(name))} \leftarrow {say(value)}") for name, value in _assigned(optimizer.step, dict(options)))


@lru_cache(maxsize=256)
def _replay(optimizer: Optimizer, options: tuple[tuple[str, str], ...]) -> Callable[..., Any]:
    text = ["def replay(tell, grad, x, state, h, t, xp):", *[f" ({', '.join(optimizer.state)},) = state"] * bool(optimizer.state)]
    text += [f" {line.target} = tell({i}, {ast.unparse(line.value)})" for i, line in enumerate(optimizer.lines(**dict(options)))]
    space: dict[str, Any] = {}
    for other in (*optimizers.values(), optimizer):  # the names that a step spelled out in another one's place knows
        space |= other.step.__globals__
    exec("\n".join([*text, " return x"]), space)  # the step's own source, as it stands in this package
    return space["replay"]


optimizers: Registry[Optimizer] = Registry()


def _zeros(names: tuple[str, ...]) -> Callable[[Any, Any, Any], Sequence[Any]]:
    return lambda x, h, xp: [0 * x for _ in names]


def optimizer(name: T, idea: T, state: str = "", init: Callable[[Any, Any, Any], Sequence[Any]] | None = None,
              traceable: bool = True, symbols: Mapping[str, str] | None = None, exact: bool = False, **params: Setting) -> Callable[[Step], Step]:
    """Register a step function under its own name."""
    names = tuple(state.split())

    def register(step: Step) -> Step:
        key = step.__name__
        optimizers.add(key, Optimizer(key, name, idea, step, params, names, init or _zeros(names), traceable, symbols or {}, exact))
        return step
    return register


# --- parameters that many share ---------------------------------------------------------------------------------------------------


def rate(default: float) -> Param:
    return Param(default, 1e-5, 10.0, log=True, allowed=NOT_NEGATIVE)


def decay(default: float) -> Param:
    return Param(default, 0.0, 0.9999, allowed=BELOW_ONE)


def tiny(default: float) -> Param:
    return Param(default, 1e-16, 1.0, log=True, allowed=NOT_NEGATIVE)


WEIGHT_DECAY = Param(0.0, 0.0, 1.0, allowed=NOT_NEGATIVE)
EPS_PLACE = Choice("outside", ("outside", "inside", "unrooted"))
