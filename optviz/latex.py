"""Python's syntax tree as LaTeX: a formula of a surface, a line of an optimizer and a rule of a layer print by the same rules."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import groupby

_GREEK = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega".split()
_MARKS = {"hat": r"\hat{%s}", "max": r"%s^{\max}", "next": r"%s'", "old": r"%s^{-}"}

#: Functions as a lecture writes them; {0} is the first argument.
NOTATION = {
    "log": r"\ln\left({0}\right)", "sqrt": r"\sqrt{{{0}}}",
    "exp": "e^{{{0}}}", "abs": r"\left|{0}\right|", "sign": r"\operatorname{{sign}}\left({0}\right)",
    **{n: rf"\{n}\left({{0}}\right)" for n in ("sin", "cos", "tan", "tanh", "sinh", "cosh", "min", "max")},
    "maximum": r"\max\left({0}, {1}\right)",
}

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4  # how tightly a printed expression binds


def symbol(name: str) -> str:
    """beta1 -> \\beta_{1}, m_hat -> \\hat{m}, eps -> \\varepsilon: the symbol that a name stands for."""
    if name in ("eps", "epsilon"):
        return r"\varepsilon"
    base, _, mark = name.rpartition("_")
    if base and mark in _MARKS:
        return _MARKS[mark] % symbol(base)
    stem = name.rstrip("0123456789")
    if stem and stem != name:
        return f"{symbol(stem)}_{{{name[len(stem):]}}}"
    if name in _GREEK:
        return "\\" + name
    return name if len(name) == 1 else rf"\mathrm{{{name}}}".replace("_", r"\_")


def plain(text: str) -> str:
    """\\hat{m} -> m̂, \\beta_{1} -> β₁: a symbol as bare characters, for where no formula can stand."""
    text = re.sub(r"\\(hat|tilde)\{(\\?\w+)\}", lambda found: found[2] + {"hat": "\u0302", "tilde": "\u0303"}[found[1]], text)
    text = text.replace(r"^{\uparrow}", "↑").replace(r"^{\max}", "ᵐᵃˣ").replace("^{-}", "⁻").replace(r"\lambda", "λ")
    text = re.sub(r"\\(?:mathrm|operatorname)\{([^{}]*)\}", r"\1", text).replace(r"\_", "_").replace(r"\varepsilon", r"\epsilon")
    text = re.sub(r"_(?:(\d)|\{(\d)\})", lambda low: "₀₁₂₃₄₅₆₇₈₉"[int(low[1] or low[2])], text)
    return re.sub(r"\\([A-Za-z]+)", lambda found: _letter(found[1]), text)


def _letter(name: str) -> str:
    """alpha -> α; what is no Greek letter stays as it is."""
    try:
        return unicodedata.lookup(f"GREEK {'CAPITAL' if name[0].isupper() else 'SMALL'} LETTER {name.upper()}")
    except KeyError:
        return name


def number(value: float) -> str:
    """2.0 -> 2, 1e-08 -> 10^{-8}."""
    mantissa, _, power = f"{value:.12g}".partition("e")
    if not power:
        return mantissa
    return (f"{mantissa} \\cdot " if mantissa != "1" else "") + f"10^{{{int(power)}}}"


@dataclass(frozen=True)
class Latex:
    """A printer: `names` gives symbols, `notation` templates, `inline` the expression that a small helper stands for."""

    names: Mapping[str, str] = field(default_factory=dict)
    notation: Mapping[str, str] = field(default_factory=lambda: NOTATION)
    inline: Callable[[ast.Call], ast.expr | None] = lambda call: None
    silent: frozenset[str] = frozenset()  # arguments that are plumbing, not mathematics
    product: str = " "  # what stands between factors

    def __call__(self, node: ast.expr) -> str:
        return self.print(node)[0]

    def print(self, node: ast.expr) -> tuple[str, int]:
        """LaTeX and how tightly it binds."""
        match node:
            case ast.Constant(value=int() | float() as value):
                text = number(value)
                return text, ATOM if "cdot" not in text else PRODUCT
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return self.names.get(name) or symbol(name), ATOM
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.print(operand)
            case ast.UnaryOp(operand=operand):
                return "-" + self.at_least(operand, PRODUCT), SUM
            case ast.BinOp(op=op):
                return self.binary(node, op)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return f"{self(left)} {'<' if isinstance(op, ast.Lt) else '>'} {self(right)}", SUM
            case ast.Tuple(elts=elts):
                return ", ".join(map(self, elts)), SUM
            case ast.Call():
                return self.call(node)
        raise TypeError(f"no LaTeX for {ast.dump(node)[:80]}")

    def clip(self, text: str, limits: list[ast.keyword]) -> str:
        for limit in limits:
            text = rf"\{'max' if limit.arg == 'min' else 'min'}\left({text}, {self(limit.value)}\right)"
        return text

    def cases(self, node: ast.Call) -> str:
        """One block of cases, however many choices stand in the last place of another."""
        rows: list[str] = []
        conditions: list[ast.expr] = []
        rest: ast.expr = node
        while isinstance(rest, ast.Call) and isinstance(rest.func, ast.Attribute) and rest.func.attr == "where":
            condition, value, last = rest.args
            rows.append(f"{self(value)}, & {self(condition)}")
            conditions.append(condition)
            rest = last
        rows.append(self(rest) + (self.otherwise(conditions[0]) if len(conditions) == 1 else ""))
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def otherwise(self, condition: ast.expr) -> str:
        """The opposite of a condition, in signs rather than in a language; nothing where signs have none."""
        match condition:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                sign = r"\le" if isinstance(op, ast.Gt) else r"\ge"
                return f", & {self(left)} {sign} {self(right)}"
            case ast.Call():
                return ", & " + self(condition).replace(r"\mid", r"\nmid")
        return ""

    def at_least(self, node: ast.expr, tightness: int) -> str:
        text, own = self.print(node)
        return text if own >= tightness else rf"\left({text}\right)"

    def power(self, node: ast.expr, exponent: str) -> str:
        """A power; sin²(x) as lectures write it, and brackets around all that is no bare symbol, number or function."""
        text = self.at_least(node, ATOM)
        word = re.match(r"\\(sin|cos|tan|sinh|cosh|tanh|ln)(?=\\left)", text) if exponent.isdigit() else None
        if word:
            return f"{word[0]}^{{{exponent}}}{text[word.end():]}"
        marked = "^" in text and not (isinstance(node, ast.Call) or text.startswith(r"\left("))
        return (rf"\left({text}\right)" if marked else text) + f"^{{{exponent}}}"

    def binary(self, node: ast.BinOp, op: ast.operator) -> tuple[str, int]:
        left, right = node.left, node.right
        match op:
            case ast.Add() | ast.Sub():
                terms: list[str] = []
                rest: ast.expr = node  # a long sum leans left: walk down it, do not recurse
                while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add | ast.Sub):
                    negative = isinstance(rest.op, ast.Sub)
                    last = self.at_least(rest.right, PRODUCT if negative else SUM)
                    terms.append(f" {'-' if negative else '+'} {last}" if not last.startswith("-") or negative else f" - {last[1:]}")
                    rest = rest.left
                return self(rest) + "".join(reversed(terms)), SUM
            case ast.Mult():
                factors = [right]
                while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
                    factors.append(left.right)
                    left = left.left
                leading = isinstance(left, ast.UnaryOp)  # -2 x needs no brackets where it begins
                out = ""
                for _, same in groupby([left, *reversed(factors)], key=ast.dump):
                    factor, *more = same
                    bare = self(factor) if leading and not out else self.at_least(factor, PRODUCT)
                    text = self.power(factor, str(len(more) + 1)) if more else bare  # g * g is a square
                    apart = out and (text[0].isdigit() or (text.startswith(r"\frac") and out[-1].isdigit()))
                    out += (r" \cdot " if apart else r"\, " if r"\mathrm" in text else self.product if out else "") + text
                return out, SUM if out.startswith("-") else PRODUCT
            case ast.Div():
                if isinstance(left, ast.UnaryOp) and isinstance(left.op, ast.USub):  # the sign stands before the fraction
                    return rf"-\frac{{{self(left.operand)}}}{{{self(right)}}}", SUM
                return rf"\frac{{{self(left)}}}{{{self(right)}}}", PRODUCT
            case ast.Pow():
                if isinstance(right, ast.Constant) and right.value == 0.5:
                    return rf"\sqrt{{{self(left)}}}", ATOM
                return self.power(left, self(right)), POWER
            case ast.BitAnd() | ast.BitOr():
                mark = r"\land" if isinstance(op, ast.BitAnd) else r"\lor"
                return f"{self(left)} {mark} {self(right)}", SUM
        raise TypeError(f"no LaTeX for the operator {op}")

    def call(self, node: ast.Call) -> tuple[str, int]:
        stood_for = self.inline(node)
        if stood_for is not None:
            return self.print(stood_for)
        match node.func:
            case ast.Attribute(attr=name) | ast.Name(id=name):
                args = [self(a) for a in node.args if not (isinstance(a, ast.Name) and a.id in self.silent)]
                if name == "where":
                    return self.cases(node), ATOM
                if name == "clip":
                    return self.clip(args[0], node.keywords), ATOM
                if name in ("min", "max"):
                    args = [", ".join(args)]
                template = self.notation.get(name)
                if template is None:
                    said = self.names.get(name) or rf"\operatorname{{{name}}}"
                    return rf"{said}\left({', '.join(args)}\right)", ATOM
                return template.format(*args), POWER if name == "exp" else ATOM
        raise TypeError("only named functions have a notation")


# --- a rule's own source ----------------------------------------------------------------------------------------------------------


@cache
def source(rule: Callable) -> ast.FunctionDef:
    """The syntax tree of a function."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(rule))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def chosen(body: Sequence[ast.stmt], options: Mapping[str, str]) -> list[ast.stmt]:
    """The statements that run with these options: `if h.option == "word"` is decided here."""
    out: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If):
            match statement.test:
                case ast.Compare(left=ast.Attribute(attr=option), comparators=[ast.Constant(value=word)]):
                    branch = chosen(statement.body if options[option] == word else statement.orelse, options)
                    out += branch
                    if branch and isinstance(branch[-1], ast.Return):
                        return out
                case _:
                    raise TypeError(f"a rule may branch on an option only: {ast.unparse(statement.test)}")
        else:
            out.append(statement)
            if isinstance(statement, ast.Return):
                return out
    return out


def returned(rule: Callable, options: Mapping[str, str]) -> ast.expr:
    """The expression that a rule returns with these options."""
    result = chosen(source(rule).body, options)[-1]
    assert isinstance(result, ast.Return) and result.value is not None
    return result.value


class _Put(ast.NodeTransformer):
    """Expressions in the place of names; -(-a) is a."""

    def __init__(self, given: Mapping[str, ast.expr]):
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.given.get(node.id, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        match self.visit(node.operand):
            case ast.UnaryOp(op=ast.USub(), operand=inner) if isinstance(node.op, ast.USub):
                return inner
            case operand:
                return ast.UnaryOp(node.op, operand)


def put(given: Mapping[str, ast.expr], text: str) -> ast.expr:
    """An expression with others in the place of its names."""
    return _Put(given).visit(ast.parse(text, mode="eval").body)


def formula(rule: Callable, options: Mapping[str, str], names: Mapping[str, str], notation: Mapping[str, str], means: Mapping[str, str]) -> str:
    """What a rule returns, read from its own source; `means` says in terms of `z` what a helper stands for that computes it more safely."""
    return Latex(names, notation, partial(_meant, means), frozenset({"h", "xp"}))(returned(rule, options))


def _meant(means: Mapping[str, str], call: ast.Call) -> ast.expr | None:
    match call.func:
        case (ast.Attribute(attr=name) | ast.Name(id=name)) if name in means:
            return put({"z": call.args[0]}, means[name])
    return None
