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
import textwrap
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from ..core import BELOW_ONE, NOT_NEGATIVE, Choice, Param, Registry, Setting, T, resolve
from ..latex import NOTATION, Latex, symbol

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
    """One assignment of a step: the names it sets, its right side as Python, and both as LaTeX."""

    targets: tuple[str, ...]
    source: str
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

    @property
    def paper(self) -> str:
        """Where the formula comes from."""
        return inspect.getdoc(self.step) or ""

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of a step's intermediate values, in order."""
        seen = dict.fromkeys(name for line in self.lines() for name in line.targets)
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

    def lines(self, **options: str) -> tuple[Line, ...]:
        """The step's assignments with the chosen options, read from its own source."""
        chosen = resolve({name: p for name, p in self.params.items() if isinstance(p, Choice)}, options)
        return _lines(self, tuple(chosen.items()))

    def latex(self, **options: str) -> tuple[str, ...]:
        """The formula, a line an assignment."""
        return tuple(line.latex for line in self.lines(**options))


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


@cache
def _source(function: Callable) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _chosen(body: Sequence[ast.stmt], options: Mapping[str, str]) -> list[ast.stmt]:
    """The statements that run with these options: `if h.option == "word"` is decided here."""
    out: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If):
            match statement.test:
                case ast.Compare(left=ast.Attribute(attr=option), comparators=[ast.Constant(value=word)]):
                    branch = _chosen(statement.body if options[option] == word else statement.orelse, options)
                    out += branch
                    if branch and isinstance(branch[-1], ast.Return):
                        return out
                case _:
                    raise TypeError(f"a step may branch on an option only: {ast.unparse(statement.test)}")
        else:
            out.append(statement)
            if isinstance(statement, ast.Return):
                return out
    return out


class _Put(ast.NodeTransformer):
    """Arguments in the place of a helper's parameters."""

    def __init__(self, given: Mapping[str, ast.expr]):
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.given.get(node.id, node)


@lru_cache(maxsize=256)
def _lines(optimizer: Optimizer, options: tuple[tuple[str, str], ...]) -> tuple[Line, ...]:
    chosen = dict(options)

    def stood_for(call: ast.Call) -> ast.expr | None:
        if not (isinstance(call.func, ast.Name) and call.func.id == "divisor"):
            return None
        definition = _source(divisor)
        result = _chosen(definition.body, chosen)[-1]
        assert isinstance(result, ast.Return) and result.value is not None
        names = [a.arg for a in definition.args.args]
        return _Put(dict(zip(names, call.args, strict=True))).visit(ast.parse(ast.unparse(result.value), mode="eval").body)

    names = SYMBOLS | dict(optimizer.symbols)
    others = {key: rf"\operatorname{{{{{other.name.en}}}}}\left({{0}}, {{1}}\right)" for key, other in optimizers.items()}
    say = Latex(names, STEP_NOTATION | others, stood_for, frozenset({"grad", "h", "xp"}))
    lines = []
    for statement in _chosen(_source(optimizer.step).body, chosen):
        match statement:
            case ast.Assign(value=ast.Name(id="state")) | ast.Expr():
                continue
            case ast.Assign(targets=[target], value=value):
                pass
            case ast.Return(value=ast.Tuple(elts=[value, *_])):
                target = ast.Name("x")
            case _:
                raise TypeError(f"a step is made of assignments and one return: {ast.unparse(statement)}")
        targets = tuple(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
        lines.append(Line(targets, ast.unparse(value), rf"{say(target)} \leftarrow {say(value)}"))
    return tuple(lines)


optimizers: Registry[Optimizer] = Registry()


def _zeros(names: tuple[str, ...]) -> Callable[[Any, Any, Any], Sequence[Any]]:
    return lambda x, h, xp: [0 * x for _ in names]


def optimizer(name: T, idea: T, state: str = "", init: Callable[[Any, Any, Any], Sequence[Any]] | None = None,
              traceable: bool = True, symbols: Mapping[str, str] | None = None, **params: Setting) -> Callable[[Step], Step]:
    """Register a step function under its own name."""
    names = tuple(state.split())

    def register(step: Step) -> Step:
        key = step.__name__
        optimizers.add(key, Optimizer(key, name, idea, step, params, names, init or _zeros(names), traceable, symbols or {}))
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
