"""A schedule with its numbers: as a formula, read from the rule's own source, and as the lines that make it in torch."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from ..latex import NOTATION, Latex, number, put, source
from ..schedules import Schedule

NAMES = {"begun": "k_0", "length": "T", "height": "h", "turn": "n"}
PRINTER = Latex(NAMES, {**NOTATION, "floor": r"\left\lfloor {0} \right\rfloor"}, product=r"\,")
DIGITS = 4  # of a printed number
GUARD = 1e-8  # what is less beside a sum is there for the rounding alone


# --- the formula ------------------------------------------------------------------------------------------------------------------------


def formula(schedule: Schedule, lr: float, settings: Mapping[str, float], steps: int, warmup: int = 0) -> list[str]:
    """α_k in lines of LaTeX with the numbers in place; a warm-up stands before what it leads to."""
    mark = "'" * bool(warmup)
    if schedule.fed:
        h = schedule.settings(settings)
        lower = rf"\max\left({number(h.factor)}\,\alpha{mark},\, {number(h.min_lr)}\right)"
        said = [rf"\alpha{mark} \leftarrow {lower}",
                rf"\#\left\{{f \ge (1 - {number(h.threshold)})\,f_{{\min}}\right\}} > {number(h.patience)}",
                rf"\alpha{mark} - {lower} > {number(h.eps)}"]
    else:
        *rest, (_, rate) = printed(schedule, lr, settings, max(steps - warmup, 1))
        said = [rf"\alpha{mark}_k = {PRINTER(rate)}", *(rf"{NAMES.get(name, name)} = {PRINTER(value)}" for name, value in rest)]
    rise = (rf"\alpha_k = \begin{{cases}} \frac{{k + 1}}{{{warmup + 1}}}\,\alpha'_0, & k < {warmup} \\ "
            rf"\alpha'_{{k - {warmup}}}, & k \ge {warmup} \end{{cases}}")
    return [rise] * bool(warmup) + said


def unfolded(schedule: Schedule, lr: float, settings: Mapping[str, float], steps: int) -> list[tuple[str, ast.expr]]:
    """What a rule computes with these numbers: a line for each name that stands more than once, and at last the rate."""
    given = {"lr": lr, "steps": steps, **schedule.settings(settings)._asdict()}
    known: dict[str, ast.expr] = {name: ast.Constant(value) for name, value in given.items()}
    lines, kept = list(_statements(schedule.rule)), []
    for i, (name, value) in enumerate(lines):
        value = _Folded(known, schedule.rule).visit(copy.deepcopy(value))
        uses = sum(isinstance(n, ast.Name) and n.id == name for _, later in lines[i + 1:] for n in ast.walk(later))
        if isinstance(value, ast.Constant) or uses < 2:
            known[name] = value
        else:
            kept.append((name, value))
    return [*kept, ("rate", known["rate"])]


def printed(schedule: Schedule, lr: float, settings: Mapping[str, float], steps: int) -> list[tuple[str, ast.expr]]:
    """The same with its numbers as they are read."""
    return [(name, _Rounded().visit(value)) for name, value in unfolded(schedule, lr, settings, steps)]


def _statements(rule: Callable) -> Iterator[tuple[str, ast.expr]]:
    """Names and what they are set to, those of a helper that gives several in its place; the last is "rate"."""
    for statement in source(rule).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Call(func=ast.Name(id=helper))):
                *inner, (_, several) = _statements(rule.__globals__[helper])
                yield from inner
                assert isinstance(several, ast.Tuple)
                yield from ((target.id, value) for target, value in zip(names, several.elts, strict=True)
                            if isinstance(target, ast.Name) and not (isinstance(value, ast.Name) and value.id == target.id))
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from ((target.id, value) for target, value in zip(names, values, strict=True) if isinstance(target, ast.Name))
            case ast.Return(value=ast.expr() as value):
                yield "rate", value


class _Folded(ast.NodeTransformer):
    """Numbers in the place of names, and what can be computed, computed: never more than the rule itself says."""

    def __init__(self, known: Mapping[str, ast.expr], rule: Callable):
        self.known, self.rule = known, rule

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.known.get(node.id, node))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        match node.value:
            case ast.Name(id="h"):
                return self.known[node.attr]
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(a) for a in node.args]
        match node.func:
            case ast.Name(id=name) if name in self.rule.__globals__:  # a helper of one line
                helper = source(self.rule.__globals__[name])
                statement = helper.body[-1]
                assert isinstance(statement, ast.Return) and statement.value is not None
                return self.visit(put(dict(zip([a.arg for a in helper.args.args], node.args, strict=True)), ast.unparse(statement.value)))
            case ast.Attribute(attr="where") if isinstance(node.args[0], ast.Constant):
                return node.args[1 if node.args[0].value else 2]
            case ast.Attribute(attr=name) if all(isinstance(a, ast.Constant) for a in node.args):
                limits = {k.arg: _value(self.visit(k.value)) for k in node.keywords if k.arg}
                return ast.Constant(float(getattr(np, name)(*map(_value, node.args), **limits)))
        node.keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        return _computed(node) if all(isinstance(n, ast.Constant) for n in (node.left, *node.comparators)) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = node.left, node.right
        a, b = _number(left), _number(right)
        if a is not None and b is not None:
            return _computed(node)
        match node.op:
            case ast.Mult() if 0 in (a, b):
                return ast.Constant(0.0)
            case ast.Pow() if b == 0 or a == 1:
                return ast.Constant(1.0)
            case ast.Div() if b is not None and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult) and _number(left.left) is not None:
                return self.visit(ast.BinOp(_computed(ast.BinOp(left.left, ast.Div(), right)), ast.Mult(), left.right))
        if (a == 1 and isinstance(node.op, ast.Mult)) or (a == 0 and isinstance(node.op, ast.Add)):
            return right
        same = 1 if isinstance(node.op, ast.Mult | ast.Div | ast.Pow) else 0
        return left if b == same else node


class _Rounded(ast.NodeTransformer):
    """As many digits as can be read: all of a whole number, and of what is raised to a power, where each would tell."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        value = float(_value(node))
        return ast.Constant(value if value == round(value) else float(f"{value:.{DIGITS}g}"))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        guard = _number(node.right)
        if isinstance(node.op, ast.Add) and guard is not None and 0 < guard < GUARD:  # a machine needs it, a reader does not
            return self.visit(node.left)
        if isinstance(node.op, ast.Pow) and isinstance(node.left, ast.Constant):
            return ast.BinOp(node.left, node.op, self.visit(node.right))
        self.generic_visit(node)
        return node


def _number(node: ast.expr) -> float | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


def _value(node: ast.expr) -> Any:
    assert isinstance(node, ast.Constant)
    return node.value


def _computed(node: ast.expr) -> ast.Constant:
    """The value of an expression of numbers alone."""
    with np.errstate(all="ignore"):
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                a, b = np.float64(_value(left)), np.float64(_value(right))
                return ast.Constant(float(OPERATIONS[type(op)](a, b)))
            case ast.Compare(left=left, ops=[ast.Lt() | ast.Gt() as sign], comparators=[right]):
                low, high = (left, right) if isinstance(sign, ast.Lt) else (right, left)
                return ast.Constant(bool(_value(low) < _value(high)))
    raise TypeError(f"no value of {ast.unparse(node)}")


OPERATIONS: Mapping[type[ast.operator], Callable] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power}


# --- torch ------------------------------------------------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """A scheduler of torch and for how many steps it counts, the last one to the end."""

    call: str
    steps: int = 0


def torch_lines(schedule: Schedule, lr: float, settings: Mapping[str, float], steps: int, warmup: int = 0) -> list[str] | None:
    """What makes the scheduler, and last what is said after every step k; None where torch's own warm-up cannot rise from 0 or above its base,
    and of one cycle that never comes down, which torch breaks off with a division by 0."""
    h = schedule.settings(settings)
    if schedule.fed:
        lines = [f"scheduler = {_call('ReduceLROnPlateau', **h._asdict())}"]
        if not warmup:
            return [*lines, "scheduler.step(loss)"]
        return [f"warmup = {_rise(1.0, warmup)}", *lines,
                f"warmup.step() if k < {warmup} else scheduler.step(loss)"]
    if schedule.key == "one_cycle" and h.pct_start == 1:
        return None
    first = float(schedule.rates(max(steps - warmup, 1), lr, None, 0, **settings)[0])
    pieces = TORCH[schedule.key](lr, h, max(steps - warmup, 1))
    base = lr / h.div_factor if schedule.key == "one_cycle" else lr  # what a share is a share of: one cycle sets it itself
    share = first / base if base else 1.0
    share = 1.0 if math.isclose(share, 1) else share
    if warmup:
        pieces = [Piece(_rise(share, warmup), warmup), *pieces]
    if (warmup and not 0 < share <= 1) or any("start_factor=0.0," in piece.call for piece in pieces):
        return None
    ends = list(accumulate(piece.steps for piece in pieces[:-1]))
    made = pieces[0].call if len(pieces) == 1 else f"SequentialLR(optimizer, [{', '.join(p.call for p in pieces)}], milestones={ends})"
    return [f"scheduler = {made}", "scheduler.step()"]


def _call(name: str, **words: Any) -> str:
    """Name(optimizer, word=value, …)"""
    return f"{name}({', '.join(['optimizer', *(f'{word}={value!r}' for word, value in words.items())])})"


def _rise(share: float, warmup: int) -> str:
    """An even rise to a share of the rate."""
    end = "" if share == 1 else f" end_factor={share!r},"
    return f"LinearLR(optimizer, start_factor={share!r} / {warmup + 1},{end} total_iters={warmup})"


def _cyclic(mode: str, lr: float, h: Any) -> list[Piece]:
    more = {"gamma": h.gamma} if mode == "exp_range" else {}
    return [Piece(_call("CyclicLR", base_lr=h.base_factor * lr, max_lr=lr, step_size_up=h.step_size_up, mode=mode, **more, cycle_momentum=False))]


def _warmup_cosine(lr: float, h: Any, steps: int) -> list[Piece]:
    rise = [Piece(_call("LinearLR", start_factor=float(h.start_factor), total_iters=h.warmup), int(h.warmup))] if h.warmup else []
    return [*rise, Piece(_call("CosineAnnealingLR", T_max=max(steps - int(h.warmup), 1), eta_min=h.eta_min))]


TORCH: Mapping[str, Callable[[float, Any, int], list[Piece]]] = {
    "constant": lambda lr, h, steps: [Piece("LambdaLR(optimizer, lambda k: 1)")],
    "step": lambda lr, h, steps: [Piece(_call("StepLR", **h._asdict()))],
    "multistep": lambda lr, h, steps: [Piece(_call("MultiStepLR", milestones=sorted([int(h.milestone1), int(h.milestone2)]), gamma=h.gamma))],
    "exponential": lambda lr, h, steps: [Piece(_call("ExponentialLR", **h._asdict()))],
    "polynomial": lambda lr, h, steps: [Piece(_call("PolynomialLR", total_iters=h.total_iters or steps, power=h.power))],
    "linear": lambda lr, h, steps: [Piece(_call("LinearLR", **h._asdict() | {"total_iters": h.total_iters or steps}))],
    "cosine": lambda lr, h, steps: [Piece(_call("CosineAnnealingLR", T_max=h.T_max or steps, eta_min=h.eta_min))],
    "warm_restarts": lambda lr, h, steps: [Piece(_call("CosineAnnealingWarmRestarts", **h._asdict()))],
    "one_cycle": lambda lr, h, steps: [Piece(_call("OneCycleLR", max_lr=lr, total_steps=steps, **h._asdict(), cycle_momentum=False))],
    "triangular": lambda lr, h, steps: _cyclic("triangular", lr, h),
    "triangular2": lambda lr, h, steps: _cyclic("triangular2", lr, h),
    "exp_range": lambda lr, h, steps: _cyclic("exp_range", lr, h),
    "warmup_cosine": _warmup_cosine,
    "noam": lambda lr, h, steps: [Piece(f"LambdaLR(optimizer, lambda k: min((k + 1) / {h.warmup}, ({h.warmup} / (k + 1)) ** 0.5))")],
    "sqrt": lambda lr, h, steps: [Piece("LambdaLR(optimizer, lambda k: (k + 1) ** -0.5)")],
}
