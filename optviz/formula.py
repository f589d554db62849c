"""A formula as a visitor types it: read, checked and turned into a graph; never evaluated as code."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Mapping

from .core import Refused, T
from .expr import Graph, Node

LONGEST, DEEPEST, STEEPEST = 1_000, 50, 100
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS = {**dict.fromkeys("sin cos tan exp log sqrt abs sign tanh sinh cosh".split(), 1), "min": 2, "max": 2}

_TOKEN = re.compile(r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<op>\*\*|[-+*/^(),])|(?P<bad>\S))", re.ASCII)
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow}
#: What looks the same on a Russian keyboard or in a copied text and means the same.
_LOOKALIKES = str.maketrans("хуеасор–−×·", "xyeacop--**")
#: What a word is called here.
_HERE = {"ln": "log", "lg": "log(x)/log(10)", "tg": "tan", "ctg": "1/tan(x)", "sh": "sinh", "ch": "cosh", "th": "tanh", "sgn": "sign", "sqr": "x^2"}


class FormulaError(Refused):
    """A formula that cannot be used: the text says what is wrong and where (counted from 1)."""

    def __init__(self, en: str, ru: str, position: int | None = None):
        if position is not None:
            en, ru = f"{en} (at character {position + 1})", f"{ru} (символ {position + 1})"
        super().__init__(T(en, ru))
        self.position = position


def parse(text: str, names: Mapping[str, object]) -> ast.expr:
    """The syntax tree of a formula in which only numbers, `names`, constants, operators and the listed functions occur."""
    text = readable(text)
    _check_tokens(text, names)
    start = len(text) - len(text.lstrip())
    # where each character that Python's parser sees stood in what was typed
    places = [i for i, c in enumerate(text) if i >= start for _ in ("**" if c == "^" else "*")] + [len(text)] * 2
    try:
        tree = ast.parse(text[start:].replace("^", "**"), mode="eval").body
    except (SyntaxError, MemoryError, RecursionError, ValueError) as error:
        offset = getattr(error, "offset", None)
        raise FormulaError("the formula cannot be read: an operator or a bracket is missing or out of place",
                           "формулу не удаётся прочесть: не хватает знака или скобки либо они стоят не на месте",
                           places[min(offset - 1, len(places) - 1)] if offset else None) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset = places[node.col_offset]
    _check_tree(tree)
    return tree


def tidy(text: str) -> str:
    """The text as it is kept: without needless white space and look-alike letters."""
    return " ".join(readable(text).split())


def readable(text: str) -> str:
    """The text with every character in its place, look-alikes replaced; refuses what is empty or too long."""
    if not isinstance(text, str) or not text.strip():
        raise FormulaError("the formula is empty; type one such as x**2 + 3*sin(y)",
                           "формула пуста; введите, например, x**2 + 3*sin(y)")
    if len(text) > LONGEST:
        raise FormulaError(f"the formula is longer than {LONGEST} characters", f"формула длиннее {LONGEST} символов")
    return re.sub(r"\s", " ", text.translate(_LOOKALIKES))


def _check_tokens(text: str, names: Mapping[str, object]) -> None:
    """Refuse what the grammar does not know, before any parser sees it."""
    depth, place = 0, 0
    before = ("", "")  # the kind and the text of the last token
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            break  # trailing white space
        kind = token.lastgroup or ""
        said, start, place = token[kind], token.start(kind), token.end()
        if kind == "bad":
            raise FormulaError(f"{said!r} is not allowed: only numbers, x, y, pi, e, + - * / ^, brackets and functions are",
                               f"знак {said!r} недопустим: разрешены числа, x, y, pi, e, + - * / ^, скобки и функции", start)
        if kind == "number" and not math.isfinite(float(said)):
            raise FormulaError(f"the number {said[:20]} is too large", f"число {said[:20]} слишком велико", start)
        if kind == "name" and said not in FUNCTIONS and said not in names and said not in CONSTANTS:
            known = ", ".join([*names, *CONSTANTS, *FUNCTIONS])
            hint = _HERE.get(said.lower(), "")
            raise FormulaError(f"unknown name {said[:20]!r}; {f'write {hint}; ' if hint else ''}known are {known}",
                               f"неизвестное имя {said[:20]!r}; {f'пишите {hint}; ' if hint else ''}известны {known}", start)
        if said == "," and re.search(r"(?<![\w.])0,\d$", text[:start + 2]):
            raise FormulaError("write 0.5 with a point; between values of min and max put a comma and a space",
                               "дробь пишется через точку: 0.5; между значениями min и max ставьте запятую и пробел", start)
        if said in "*/" and before[1] in ("*", "/", "**", "+", "-", "^", "(", ","):
            raise FormulaError(f"{said} has nothing to its left", f"слева от {said} ничего нет", start)
        ends_value = before[0] in ("number", "name") or before[1] == ")"
        called = before[1] in FUNCTIONS
        if ends_value and not called and (kind in ("number", "name") or said == "("):
            raise FormulaError(f"write * between factors, before {said[:20]!r}", f"между множителями нужен знак *, перед {said[:20]!r}", start)
        if called and said != "(":
            raise FormulaError(f"{before[1]} needs brackets, as in {before[1]}(x)",
                               f"после {before[1]} нужны скобки, например {before[1]}(x)", start)
        depth += (said == "(") - (said == ")")
        if depth > DEEPEST:
            raise FormulaError(f"brackets are nested deeper than {DEEPEST}", f"вложенность скобок больше {DEEPEST}", start)
        if depth < 0:
            raise FormulaError("a closing bracket has no opening one", "закрывающая скобка без открывающей", start)
        before = (kind, said)
    if depth:
        raise FormulaError("a bracket is not closed", "скобка не закрыта", len(text))


def _check_tree(tree: ast.expr) -> None:
    """Nesting and argument counts; a sum or product of many terms is long, not deep."""
    waiting: list[tuple[ast.expr, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise FormulaError(f"the formula is nested deeper than {DEEPEST}", f"вложенность формулы больше {DEEPEST}")
        match node:
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                waiting += [(left, depth + 1), (right, depth + 1)]
            case ast.BinOp(left=left, right=right):
                waiting += [(left, depth), (right, depth + 1)]
            case ast.UnaryOp(operand=operand):
                waiting.append((operand, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=args):
                few = FUNCTIONS[name]
                if len(args) < few or (few == 1 and len(args) > 1):
                    need_en, need_ru = ("one value", "одно значение") if few == 1 else ("two values or more", "два значения или больше")
                    raise FormulaError(f"{name} takes {need_en}", f"{name} принимает {need_ru}", node.col_offset)
                waiting += [(a, depth + 1) for a in args]
            case ast.Name(id=name) if name in FUNCTIONS:
                raise FormulaError(f"{name} needs brackets, as in {name}(x)", f"после {name} нужны скобки, например {name}(x)", node.col_offset)
            case ast.Name() | ast.Constant():
                pass
            case _:
                raise FormulaError("the formula is not one expression; commas stand only inside min and max, a decimal point is a point",
                                   "это не одно выражение; запятые нужны только внутри min и max, а дробь пишется через точку", node.col_offset)


def build(tree: ast.expr, graph: Graph, names: Mapping[str, Node | float]) -> Node:
    """The graph's node of a checked tree."""
    def walk(node: ast.expr) -> Node:
        match node:
            case ast.BinOp():
                spine: list[ast.BinOp] = []
                while isinstance(node, ast.BinOp):
                    spine.append(node)
                    node = node.left
                value = walk(node)
                for step in reversed(spine):
                    right = walk(step.right)
                    if isinstance(step.op, ast.Pow) and right.op == "number" and abs(right.value) > STEEPEST:
                        raise FormulaError(f"the exponent {right.value:g} is beyond ±{STEEPEST}",
                                           f"показатель степени {right.value:g} больше {STEEPEST} по модулю", step.right.col_offset)
                    value = _OPERATORS[type(step.op)](value, right)
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -walk(operand)
            case ast.UnaryOp(operand=operand):
                return walk(operand)
            case ast.Call(func=ast.Name(id=name), args=args):
                values = [walk(a) for a in args]
                value = values[0] if len(values) > 1 else graph.make(name, values[0])
                for other in values[1:]:
                    value = graph.make(name, value, other)
                return value
            case ast.Constant(value=int() | float() as number):
                return graph.number(number)
            case ast.Name(id=name):
                known = names[name] if name in names else CONSTANTS[name]
                return known if isinstance(known, Node) else graph.number(known)
        raise TypeError(ast.dump(node))
    return walk(tree)
