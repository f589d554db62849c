"""Expressions as a graph in which every value stands once: it folds, differentiates, and prints itself as code.

Surfaces are built here from their formula, and an optimizer's own step function runs on these nodes instead of
numbers; both then print as straight-line Python, NumPy, torch or JavaScript with the operations in the order written.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np


class Node:
    """One value of a graph: an operation on earlier nodes, a symbol (`name`) or a number (`value`)."""

    __slots__ = ("args", "graph", "index", "name", "op", "value")

    def __init__(self, graph: Graph, op: str, args: tuple[Node, ...], name: str = "", value: float = 0.0):
        self.graph, self.op, self.args, self.name, self.value = graph, op, args, name, value
        self.index = len(graph.nodes)

    def __add__(self, other: Any) -> Any: return self.graph.meet("add", self, other)
    def __radd__(self, other: Any) -> Any: return self.graph.meet("add", other, self)
    def __sub__(self, other: Any) -> Any: return self.graph.meet("sub", self, other)
    def __rsub__(self, other: Any) -> Any: return self.graph.meet("sub", other, self)
    def __mul__(self, other: Any) -> Any: return self.graph.meet("mul", self, other)
    def __rmul__(self, other: Any) -> Any: return self.graph.meet("mul", other, self)
    def __truediv__(self, other: Any) -> Any: return self.graph.meet("div", self, other)
    def __rtruediv__(self, other: Any) -> Any: return self.graph.meet("div", other, self)
    def __pow__(self, other: Any) -> Any: return self.graph.meet("pow", self, other)
    def __rpow__(self, other: Any) -> Any: return self.graph.meet("pow", other, self)
    def __lt__(self, other: Any) -> Any: return self.graph.meet("lt", self, other)
    def __gt__(self, other: Any) -> Any: return self.graph.meet("gt", self, other)
    def __and__(self, other: Any) -> Any: return self.graph.meet("and", self, other)
    def __or__(self, other: Any) -> Any: return self.graph.meet("or", self, other)
    def __neg__(self) -> Node: return self.graph.make("neg", self)
    def __bool__(self) -> bool: raise TypeError("a traced value has no truth: use xp.where, not if")

    @property
    def leaf(self) -> bool:
        return self.op in ("symbol", "number")


class Graph:
    """The table of all nodes; asking twice for the same value gives the same node."""

    def __init__(self) -> None:
        self.nodes: dict[Any, Node] = {}

    def symbol(self, name: str) -> Node:
        return self._node("symbol", (), name=name)

    def number(self, value: float) -> Node:
        return self._node("number", (), value=float(value))

    def meet(self, op: str, *args: Any) -> Any:
        """An operator's node, or NotImplemented when an argument is of a type that knows better (a vector of nodes)."""
        if all(isinstance(a, (Node, int, float)) for a in args):
            return self.make(op, *args)
        return NotImplemented

    def make(self, op: str, *args: Any) -> Node:
        """The node of an operation, simplified only where no rounding changes."""
        nodes = tuple(a if isinstance(a, Node) else self.number(a) for a in args)
        if op in FOLD and nodes and all(n.op == "number" for n in nodes):
            try:
                return self.number(FOLD[op](*(n.value for n in nodes)))
            except (ArithmeticError, ValueError):  # 1/0 and its like are inf or nan, as on arrays
                with np.errstate(all="ignore"):
                    return self.number(getattr(np, _NUMPY_NAME.get(op, op))(*(np.float64(n.value) for n in nodes)))
        simple = SIMPLER[op](self, *nodes) if op in SIMPLER else None
        return simple if simple is not None else self._node(op, nodes)

    def _node(self, op: str, args: tuple[Node, ...], name: str = "", value: float = 0.0) -> Node:
        # repr tells 0.0 from -0.0 and one nan from no other: keys compare by what would be printed
        key = (op, tuple(a.index for a in args), name, repr(value))
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = Node(self, op, args, name, value)
        return node


# --- simplifications that keep every bit (0·x = 0 aside, which forgets only infinities) -----------------------------------------


def _is(node: Node, value: float) -> bool:
    return node.op == "number" and node.value == value


def _add(g: Graph, a: Node, b: Node) -> Node | None:
    if _is(a, 0) or _is(b, 0):
        return b if _is(a, 0) else a
    return a - b.args[0] if b.op == "neg" else None


def _sub(g: Graph, a: Node, b: Node) -> Node | None:
    if _is(b, 0):
        return a
    if _is(a, 0):
        return -b
    return a + b.args[0] if b.op == "neg" else None


def _mul(g: Graph, a: Node, b: Node) -> Node | None:
    if _is(a, 0) or _is(b, 0):
        return g.number(0)
    for one, other in ((a, b), (b, a)):
        if _is(one, 1):
            return other
        if _is(one, -1):
            return -other
        if one.op == "neg":
            return -(one.args[0] * other)
    return None


def _div(g: Graph, a: Node, b: Node) -> Node | None:
    if _is(b, 1):
        return a
    if _is(b, 2) and a.op == "add" and a.args[0] is a.args[1]:
        return a.args[0]
    return g.number(0) if _is(a, 0) and not _is(b, 0) else None


def _pow(g: Graph, a: Node, b: Node) -> Node | None:
    """Whole powers become products (every machine multiplies alike), halves roots, powers of e the exponential."""
    if b.op != "number":
        return g.make("exp", b) if _is(a, math.e) else None
    p = b.value
    if p == 0.5:
        return g.make("sqrt", a)
    if p != int(p) if math.isfinite(p) else True:
        return None
    n, square, product = abs(int(p)), a, g.number(1)
    if n > 256:
        return None
    while n:
        if n & 1:
            product = product * square
        n >>= 1
        square = square * square if n else square
    return product if p >= 0 else 1 / product


def _neg(g: Graph, a: Node) -> Node | None:
    return a.args[0] if a.op == "neg" else None


def _same(g: Graph, a: Node, b: Node) -> Node | None:
    return a if a is b else None


def _where(g: Graph, c: Node, a: Node, b: Node) -> Node | None:
    if c.op == "number":
        return a if c.value else b
    return a if a is b else None


SIMPLER: dict[str, Callable[..., Node | None]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "over": _div, "pow": _pow, "neg": _neg,
    "min": _same, "max": _same, "where": _where,
}


_NUMPY_NAME = {"div": "divide", "pow": "power", "mul": "multiply", "sub": "subtract"}


def _sign(a: float) -> float:
    return float((a > 0) - (a < 0))


FOLD: dict[str, Callable[..., float]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": math.pow,
    "neg": operator.neg, "lt": operator.lt, "gt": operator.gt, "and": lambda a, b: a and b, "or": lambda a, b: a or b,
    "min": min, "max": max, "abs": abs, "sign": _sign, "floor": math.floor, "over": lambda a, b: a / b if b else 0.0,
    **{n: getattr(math, n) for n in ("sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
}


# --- derivatives ---------------------------------------------------------------------------------------------------------------------


def _pow_slope(n: Node, a: Node, b: Node, da: Node, db: Node) -> Node:
    g = n.graph
    if b.op == "number":  # at a root's cusp n/a is 0/0: `over` gives 0 there
        return da * (b * g.make("over", n, a) if b.value < 1 else b * a ** (b.value - 1))
    growth = g.make("where", g.make("abs", n) > 0, n * g.make("log", a), 0)  # 0·log 0 is 0 here
    return da * b * g.make("over", n, a) + db * growth


def _either(n: Node, a: Node, b: Node, da: Node, db: Node) -> Node:
    """min and max: the slope of the chosen one; where both are equal their common slope, 0 if they have none (a kink)."""
    g = n.graph
    tie = g.make("where", (da < db) | (db < da), 0, da)
    first, second = (a < b, b < a) if n.op == "min" else (b < a, a < b)
    return g.make("where", first, da, g.make("where", second, db, tie))


SLOPE: dict[str, Callable[..., Node]] = {
    "add": lambda n, a, b, da, db: da + db,
    "sub": lambda n, a, b, da, db: da - db,
    "mul": lambda n, a, b, da, db: (a + a) * da if a is b else da * b + a * db,
    "div": lambda n, a, b, da, db: (da - n * db) / b,
    "over": lambda n, a, b, da, db: n.graph.make("over", da - n * db, b),
    "pow": _pow_slope,
    "neg": lambda n, a, da: -da,
    "sqrt": lambda n, a, da: n.graph.make("over", 0.5 * da, n),
    "exp": lambda n, a, da: n * da,
    "log": lambda n, a, da: da / a,
    "sin": lambda n, a, da: n.graph.make("cos", a) * da,
    "cos": lambda n, a, da: -(n.graph.make("sin", a) * da),
    "tan": lambda n, a, da: (1 + n * n) * da,
    "sinh": lambda n, a, da: n.graph.make("cosh", a) * da,
    "cosh": lambda n, a, da: n.graph.make("sinh", a) * da,
    "tanh": lambda n, a, da: (1 - n * n) * da,
    "abs": lambda n, a, da: n.graph.make("sign", a) * da,
    "sign": lambda n, a, da: n.graph.number(0),
    "floor": lambda n, a, da: n.graph.number(0),
    "min": _either,
    "max": _either,
}


def derivative(node: Node, symbol: Node) -> Node:
    """The node of d node / d symbol: 0 at a cusp, where none exists."""
    g = node.graph
    zero = g.number(0)
    slopes: dict[int, Node] = {symbol.index: g.number(1)}
    for n in reachable([node]):
        if n.leaf:
            continue
        if n.op == "where":
            slope = g.make("where", n.args[0], *(slopes.get(a.index, zero) for a in n.args[1:]))
        elif n.op in SLOPE and any(a.index in slopes for a in n.args):  # comparisons have none
            slope = SLOPE[n.op](n, *n.args, *(slopes.get(a.index, zero) for a in n.args))
        else:
            continue
        if not _is(slope, 0):
            slopes[n.index] = slope
    return slopes.get(node.index, zero)


def reachable(outputs: Iterable[Node]) -> list[Node]:
    """All nodes that the outputs stand on, each after those it is made of."""
    found: dict[int, Node] = {}
    waiting = list(outputs)
    while waiting:
        n = waiting.pop()
        if n.index not in found:
            found[n.index] = n
            waiting.extend(n.args)
    return [found[i] for i in sorted(found)]


# --- printing ------------------------------------------------------------------------------------------------------------------------

_INFIX = {"add": "({} + {})", "sub": "({} - {})", "mul": "({} * {})", "div": "({} / {})", "neg": "(-{})",
          "lt": "({} < {})", "gt": "({} > {})"}
_CALLS = ("sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "floor")

#: One float: branches are lazy, whole bodies inline. Names come from `math`, whose errors say "use NumPy here".
PYTHON = {**_INFIX, **{n: n + "({})" for n in _CALLS}, "and": "({} and {})", "or": "({} or {})", "pow": "pow({}, {})",
          "sign": "(1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else 0.0 * {0})", "where": "({1} if {0} else {2})", "over": "({0} / {1} if {1} else 0.0)",
          "min": "({0} if {0} < {1} or {0} != {0} else {1})", "max": "({0} if {0} > {1} or {0} != {0} else {1})"}
#: Arrays of NumPy or torch; the names come from the backend.
ARRAYS = {**_INFIX, **{n: n + "({})" for n in (*_CALLS, "sign")}, "and": "({} & {})", "or": "({} | {})",
          "pow": "pow({}, {})", "where": "where({}, {}, {})", "over": "over({}, {})", "min": "minimum({}, {})",
          "max": "maximum({}, {})"}
JAVASCRIPT = {**_INFIX, **{n: f"Math.{n}({{}})" for n in (*_CALLS, "sign")}, "pow": "Math.pow({}, {})",
              "and": "({} && {})", "or": "({} || {})", "where": "({0} ? {1} : {2})", "over": "({1} === 0 ? 0 : {0} / {1})",
              "min": "Math.min({}, {})", "max": "Math.max({}, {})"}

#: Calls of the surface, kept opaque: they give as many results as the tuple has names.
ORACLE = {"slope": ("x", "y"), "height": ("",)}


def number_text(value: float) -> str:
    """A number as both Python and JavaScript read it back to the last bit."""
    text = repr(value).replace("inf", "Infinity").replace("nan", "NaN")
    return f"({text})" if text.startswith("-") else text


class Code:
    """Straight-line code of some outputs: named lines where a value is used twice, one expression where it is not."""

    DEEPEST = 40  # nested brackets; the parsers of Python and of browsers have limits

    def __init__(self, outputs: Sequence[Node], table: Mapping[str, str], let: str = "{} = {}", early: frozenset[str] = frozenset()):
        """`early` names the symbols known before the loop; what depends on them alone goes to `prelude`."""
        self.prelude: list[str] = []
        self.lines: list[str] = []
        nodes = reachable(outputs)
        uses: dict[int, int] = {}
        is_early: dict[int, bool] = {}
        wanted_early: set[int] = set()
        for n in nodes:
            # a value whose text stands twice in its template must be named, or the code doubles at each level
            repeated = [a for i, a in enumerate(n.args) if table.get(n.op, "").count(f"{{{i}}}") > 1]
            for a in (*n.args, *repeated):
                uses[a.index] = uses.get(a.index, 0) + 1
            is_early[n.index] = n.name in early if n.op == "symbol" else bool(early) and n.op not in ORACLE and all(is_early[a.index] for a in n.args)
            if not is_early[n.index]:
                wanted_early.update(a.index for a in n.args if is_early[a.index])
        for n in outputs:
            uses[n.index] = uses.get(n.index, 0) + 1
            if is_early[n.index]:
                wanted_early.add(n.index)
        text: dict[int, str] = {}
        depth: dict[int, int] = {}
        for n in nodes:
            depth[n.index] = 0
            if n.op == "symbol":
                text[n.index] = n.name
                continue
            if n.op == "number":
                text[n.index] = number_text(n.value)
                continue
            if n.op.startswith("part"):  # a result of an oracle call, already named by its line
                text[n.index] = text[n.args[0].index] + n.op[4:]
                continue
            args = [text[a.index] for a in n.args]
            if n.op in ORACLE:
                name = text[n.index] = f"g{n.index}"
                names = ", ".join(name + part for part in ORACLE[n.op])
                left = names if len(ORACLE[n.op]) == 1 else f"[{names}]"
                self.lines.append(let.format(left, f"{n.op}({', '.join(args[:2])})"))
                continue
            said = table[n.op].format(*args)
            depth[n.index] = 1 + max(depth[a.index] for a in n.args)
            hoisted = is_early[n.index] and n.index in wanted_early
            if hoisted or uses[n.index] > 1 or depth[n.index] >= self.DEEPEST:
                name = f"c{n.index}"
                (self.prelude if is_early[n.index] else self.lines).append(let.format(name, said))
                said, depth[n.index] = name, 0
            text[n.index] = said
        self.results = [text[n.index] for n in outputs]
