"""One whole step of a descent, as every machine runs it: on NumPy or torch arrays, and traced to straight-line Python and JavaScript."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any, NamedTuple

from .activations import Activation
from .core import Choice, Refused, T
from .expr import ARRAYS, JAVASCRIPT, PYTHON, Code, Graph, Node, reachable
from .optimizers import Optimizer
from .oracle import Disturbance, Oracle
from .schedules import Schedule, begin
from .surfaces import NUMBERS, NUMPY


class Plan(NamedTuple):
    """What the code of a step depends on, apart from numbers: with it as key, code is made once."""

    optimizer: Optimizer
    schedule: Schedule
    options: tuple[tuple[str, str], ...] = ()
    noise: bool = False
    noise_relative: bool = False
    clip_norm: bool = False
    clip_value: bool = False
    warmup: bool = False  # in front of a schedule that is fed; of any other the rates are known beforehand


class Given(NamedTuple):
    """The numbers of a run that stay the same over its steps."""

    h: Any
    schedule: Any
    clip_norm: Any = None
    clip_value: Any = None
    warmup: Any = 0


def begin_state(plan: Plan, x: Any, given: Given, xp: Any) -> tuple[Any, ...]:
    """What is remembered before the first step; a schedule that is fed the loss remembers too."""
    state = tuple(plan.optimizer.init(x, given.h, xp))
    first = given.h.lr / (given.warmup + 1) if plan.warmup else given.h.lr
    return state + begin(first + 0 * x[0]) if plan.schedule.fed else state


def whole_step(plan: Plan, calls: tuple[Callable, Callable, Callable | None], x: Any, state: tuple[Any, ...], given: Given,
               rate: Any, noise: Sequence[Any], t: Any, xp: Any) -> tuple[Any, tuple[Any, ...], Any]:
    """Schedule, noise, clipping and the optimizer's own step: -> x, state, the gradient it was first told."""
    slope, height, curvature = calls
    own = len(plan.optimizer.state)
    oracle = Oracle(slope, height, curvature, Disturbance(noise[0], noise[1], given.clip_norm, given.clip_value), xp)
    new, remembered = plan.optimizer.step(oracle, x, state[:own], given.h._replace(lr=rate), t, xp)
    if plan.warmup:
        remembered = (*remembered, *plan.schedule.after(t, height(x), state[own:], given.h.lr, given.schedule, given.warmup, xp))
    elif plan.schedule.fed:
        remembered = (*remembered, *plan.schedule.rule(height(x), state[own:], given.schedule, xp))
    return new, tuple(remembered), oracle.first


# --- tracing: the step runs on expressions instead of numbers -------------------------------------------------------------------------


class Pair:
    """A vector of two expressions with the operators of an array."""

    def __init__(self, *parts: Any):
        self.parts = parts

    def __getitem__(self, i: int) -> Any:
        return self.parts[i]

    def __len__(self) -> int:
        return len(self.parts)

    def sum(self, axis: int) -> Any:
        return self.parts[0] + self.parts[1]

    def mean(self, axis: int) -> Any:
        return self.sum(0) / 2

    def __neg__(self) -> Pair:
        return Pair(*(-p for p in self.parts))

    def __abs__(self) -> Pair:
        return Pair(*(p.graph.make("abs", p) for p in self.parts))


def lifted(f: Callable) -> Callable:
    """f for each coordinate where an argument is a Pair, once where none is."""
    def on_pairs(*args: Any) -> Any:
        if not any(isinstance(a, Pair) for a in args):
            return f(*args)
        return Pair(*(f(*(a.parts[i] if isinstance(a, Pair) else a for a in args)) for i in range(2)))
    return on_pairs


def _operators() -> None:
    for name in "add sub mul truediv pow lt gt and or".split():
        f = lifted(getattr(operator, name + "_" if name in ("and", "or") else name))
        setattr(Pair, f"__{name}__", lambda a, b, f=f: f(a, b))
        if name not in ("lt", "gt"):
            setattr(Pair, f"__r{name}__", lambda a, b, f=f: f(b, a))


_operators()


class Tracer:
    """The `xp` of a trace."""

    tanh: Callable[..., Any]

    def __init__(self, graph: Graph):
        for name in "sqrt sign abs floor exp log cos sin tanh where".split():
            setattr(self, name, lifted(lambda *args, name=name: graph.make(name, *args)))
        self.maximum = lifted(lambda a, b: graph.make("max", a, b))
        self.graph = graph

    def clip(self, v: Any, min: Any = None, max: Any = None) -> Any:
        if min is not None:
            v = lifted(lambda a, b: self.graph.make("max", a, b))(v, min)
        return v if max is None else lifted(lambda a, b: self.graph.make("min", a, b))(v, max)

    def relu(self, z: Any) -> Any:
        return self.maximum(z, 0.0)

    def sigmoid(self, z: Any) -> Any:
        return 0.5 + 0.5 * self.tanh(0.5 * z)  # as autograd has it

    def amax(self, parts: Sequence[Any], axis: int) -> Any:
        return reduce(self.maximum, parts)


@dataclass(frozen=True)
class Traced:
    """A step as nodes: inputs by name in calling order, outputs in the order of x, state, gradient, rate."""

    fixed: tuple[str, ...]  # known before the loop: hyper-parameters, limits
    moving: tuple[str, ...]  # x, y and all that is remembered
    each: tuple[str, ...]  # new at every step: t, rate, noise
    outputs: tuple[Node, ...]  # the new values of `moving`, then gx, gy
    first: tuple[Node, ...]  # the values of what is remembered before the first step


def trace(plan: Plan) -> Traced:
    """Run the optimizer's own definition on symbols; the gradient and the loss stay opaque calls."""
    if not plan.optimizer.traceable:
        raise Refused(T(f"{plan.optimizer.key} cannot be traced: it runs in NumPy only",
                        f"{plan.optimizer.key} нельзя развернуть в код: он работает только в NumPy"))
    graph = Graph()
    xp, pair = Tracer(graph), lambda name: Pair(graph.symbol(name + "x"), graph.symbol(name + "y"))
    options = dict(plan.options)
    params = plan.optimizer.params
    h = plan.optimizer.bundle(*(options.get(n, p.default) if isinstance(p, Choice) else graph.symbol("h_" + n) for n, p in params.items()))
    schedule = plan.schedule.bundle(*(graph.symbol("k_" + n) for n in plan.schedule.params))
    limits = [graph.symbol(name) if there else None for name, there in (("clip_norm", plan.clip_norm), ("clip_value", plan.clip_value))]
    given = Given(h, schedule, limits[0], limits[1], graph.symbol("warmup") if plan.warmup else 0)
    fixed = [s.name for s in (*h, *(schedule if plan.schedule.fed else ()), *limits, given.warmup) if isinstance(s, Node)]

    x = Pair(graph.symbol("x"), graph.symbol("y"))
    first = begin_state(plan, x, given, xp)
    state, moving = [], ["x", "y"]
    for i, value in enumerate(first):
        name = f"s{i}"
        state.append(pair(name) if isinstance(value, Pair) else graph.symbol(name))
        moving += [name + "x", name + "y"] if isinstance(value, Pair) else [name]

    def slope(at: Pair) -> Pair:
        call = graph.make("slope", *at.parts)
        return Pair(graph.make("partx", call), graph.make("party", call))

    noise = (pair("n") if plan.noise else None, pair("r") if plan.noise_relative else None)
    each = ["t", "rate"] + ["nx", "ny"] * plan.noise + ["rx", "ry"] * plan.noise_relative
    calls = (slope, lambda at: graph.make("height", *at.parts), None)
    rate = state[len(plan.optimizer.state)] if plan.schedule.fed else graph.symbol("rate")
    new, remembered, seen = whole_step(plan, calls, x, tuple(state), given, rate, noise, graph.symbol("t"), xp)

    def flat(values: Any) -> tuple[Node, ...]:
        parts = [part for v in values for part in (v.parts if isinstance(v, Pair) else (v,))]
        return tuple(p if isinstance(p, Node) else graph.number(p) for p in parts)

    return Traced(tuple(fixed), tuple(moving), tuple(each), flat((new, *remembered, seen)), flat(first))


@lru_cache(maxsize=256)
def python_step(plan: Plan, arrays: bool = False) -> tuple[Traced, Callable, Callable]:
    """The traced step of floats or of arrays: `bind(slope, height, *fixed)` gives step(*moving, gx, gy, *each); and first(x, y, *fixed)."""
    traced = trace(plan)
    table, space = (ARRAYS, dict(NUMPY)) if arrays else (PYTHON, dict(NUMBERS))
    code = Code(traced.outputs, table, early=frozenset(traced.fixed))
    begun = Code(traced.first, table)
    space |= {"Infinity": math.inf, "NaN": math.nan}
    text = "\n".join([
        f"def bind(slope, height, {', '.join(traced.fixed)}):", *(f" {line}" for line in code.prelude),
        f" def step({', '.join([*traced.moving, 'gx', 'gy', *traced.each])}):", *(f"  {line}" for line in code.lines),
        f"  return {', '.join(code.results)}", " return step",
        f"def first(x, y, {', '.join(traced.fixed)}):", *(f" {line}" for line in begun.lines),
        f" return ({''.join(r + ', ' for r in begun.results)})",
    ])
    exec(text, space)  # printed by Code from the step's own operations
    return traced, space["bind"], space["first"]


class Parted(NamedTuple):
    """The traced step of arrays in two: numbers that all members have in common, and the rest, where members differ."""

    traced: Traced
    common: Callable[..., tuple[Any, ...]]  # of the common symbols by name, as NumPy arrays
    own: tuple[str, ...]  # the other symbols, which the step takes after `moving`, and then what `common` gives
    text: str  # step(slope, height, *moving, *own, *common) -> the new values of `moving`, then gx, gy; flags among `common` come as 0 and 1


@lru_cache(maxsize=64)
def parted_step(plan: Plan, alike: frozenset[str]) -> Parted:
    """`alike` names the symbols, t and the rate among them, that are the same for all members: what follows from them is computed once a step."""
    traced = trace(plan)
    code = Code(traced.outputs, ARRAYS, early=alike)
    flags = {f"c{n.index}" for n in reachable(traced.outputs) if n.op in ("lt", "gt", "and", "or")}
    body = "\n".join([*(f" {line}" for line in code.lines), f" return {', '.join(code.results)}"])
    known = [*sorted(alike), *(line.partition(" = ")[0] for line in code.prelude)]
    names = [name for name in known if re.search(rf"\b{name}\b", body)]
    own = tuple(name for name in (*traced.fixed, *traced.each) if name not in alike)
    space: dict[str, Any] = dict(NUMPY) | {"Infinity": math.inf, "NaN": math.nan}
    exec("\n".join([f"def common({', '.join(sorted(alike))}):", *(f" {line}" for line in code.prelude),  # printed by Code, as above
                    f" return ({''.join(name + ', ' for name in names)})"]), space)
    return Parted(traced, space["common"], own, f"def step(slope, height, {', '.join([*traced.moving, *own, *names])}):\n"
                  + "".join(f" {name} = {name} > 0.5\n" for name in names if name in flags) + body)


@lru_cache(maxsize=256)
def javascript_step(plan: Plan) -> str:
    """An object literal of the same step: {fixed, moving, each, first(x, y, h), bind(slope, height, h), next(step, now, t, rate, noise)}."""
    traced = trace(plan)
    code = Code(traced.outputs, JAVASCRIPT, "const {} = {};", early=frozenset(traced.fixed))
    begun = Code(traced.first, JAVASCRIPT, "const {} = {};")
    fixed, moving, each = ("[" + ", ".join(f'"{n}"' for n in names) + "]" for names in (traced.fixed, traced.moving, traced.each))
    unpack = f"const {{{', '.join(traced.fixed)}}} = h;"
    # spelled out, because spreading arrays into a call takes longer than the step itself
    now = [f"now[{i}]" for i in range(len(traced.moving) + 2)]
    noise = [f"noise[{i}]" for i in range(len(traced.each) - 2)]
    return (f"{{ fixed: {fixed}, moving: {moving}, each: {each},\n"
            f"first(x, y, h) {{ {unpack} {' '.join(begun.lines)} return [{', '.join(begun.results)}]; }},\n"
            f"bind(slope, height, h) {{ {unpack} {' '.join(code.prelude)}\n"
            f"return ({', '.join([*traced.moving, 'gx', 'gy', *traced.each])}) => {{ {' '.join(code.lines)}\n"
            f"return [{', '.join(code.results)}]; }}; }},\n"
            f"next(step, now, t, rate, noise) {{ return step({', '.join([*now, 't', 'rate', *noise])}); }} }}")


@lru_cache(maxsize=256)
def javascript_activation(activation: Activation, h: Any) -> str:
    """A function of a sum, (z) => …, with its trained parameters after it, (z, alpha) => …; of several pieces, (z0, z1) => …"""
    graph = Graph()
    names = [f"z{i}" for i in range(pieces)] if (pieces := activation.pieces(h)) > 1 else ["z"]
    sums = [graph.symbol(name) for name in names]
    own = h._replace(**{name: graph.symbol(name) for name in activation.learned})
    code = Code([activation.rule(sums if pieces > 1 else sums[0], own, Tracer(graph))], JAVASCRIPT, "const {} = {};")
    body = f"{{ {' '.join(code.lines)} return {code.results[0]}; }}" if code.lines else code.results[0]
    return f"({', '.join([*names, *activation.learned])}) => {body}"


#: The loop around the step, for a page: rates and noise come as arrays, a run that leaves the numbers stays at its last point.
JAVASCRIPT_LOOP = """\
function descend(surface, step, x, y, steps, h, rates, noise = []) {
  const bound = step.bind(surface.slope, surface.height, h);
  const rows = new Array(steps), loss = new Array(steps + 1);
  let now = [x, y, ...step.first(x, y, h), 0, 0], diverged = null;
  const remembered = now.length - 2;
  loss[0] = surface.height(x, y);
  for (let t = 1; t <= steps; t++) {
    if (diverged === null) {
      const after = step.next(bound, now, t, rates[t - 1], noise[t - 1]);
      const f = surface.height(after[0], after[1]);
      let sum = f - f; // not 0 when anything is infinite or no number
      for (let i = 0; i < remembered; i++) sum += after[i] - after[i];
      if (sum === 0) { rows[t - 1] = now = after; loss[t] = f; continue; }
      diverged = t;
    }
    rows[t - 1] = [...now.slice(0, -2), 0, 0];
    loss[t] = loss[t - 1];
  }
  return { rows, loss, diverged };
}
"""
