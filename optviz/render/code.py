"""A race as Python to take home: with optviz, and as plain torch; formulas and steps are printed from the package's own, never written again."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import math
import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..basin import Basin
from ..core import Choice, Refused, T
from ..descent import Problem
from ..expr import ARRAYS, Code, Graph, Node, derivative, number_text, reachable
from ..formula import build, parse
from ..optimizers import Optimizer, optimizers
from ..oracle import Disturbance
from ..race import Race
from ..run import CLIPS, Run
from ..scene import named
from ..schedules import begin, schedules
from ..surfaces import OWN_BOX, Surface, surfaces
from ..sweep import Sweep
from ..training import Training

WIDTH = 100
MOST_NOISE = 2_000  # numbers that a script may hold
EXACT = 2.0**53  # whole numbers beyond are floats to optviz, and would be integers of any length to Python


# --- words --------------------------------------------------------------------------------------------------------------------------------


#: What the script says of itself, and of its functions by their names.
SAYS = {
    "with_optviz": T("A race of optimizers, run by optviz.", "Гонка оптимизаторов, запущенная в optviz."),
    "with_torch": T("A race of optimizers as optviz runs it, in plain torch.", "Гонка оптимизаторов из optviz на чистом torch."),
    "noise": T("optviz's own noise, a row for each step: torch's generator would draw another",
               "шум самого optviz, по строке на шаг: генератор torch дал бы другой"),
    "diverged": T("diverged at step", "расходится на шаге"),
    "kinked": T("Derivatives written out: on a kink optviz takes 0, where autograd would take the mean of both sides.",
                "Производные выписаны явно: на изломе optviz берёт 0, а autograd взял бы среднее двух сторон."),
    "root": T("√z; its slope at 0 is taken as 0, where autograd would say inf or nan.",
              "√z; наклон в нуле считается нулевым, autograd дал бы inf или nan."),
    "power": T("a**b; its slope at a = 0 is taken as 0, where autograd would say inf or nan.",
               "a**b; наклон при a = 0 считается нулевым, autograd дал бы inf или nan."),
    "gradient": T("The gradient, by autograd.", "Градиент, посчитанный autograd."),
    "value": T("The surface at a point.", "Значение функции в точке."),
    "hessian": T("The matrix of second derivatives, by autograd.", "Матрица вторых производных, посчитанная autograd."),
    "disturbed": T("What noise and clipping make of a gradient: noise first, as in training.",
                   "Градиент с шумом и ограничением: сначала шум, как при обучении."),
    "scheduled": T("The rate of step k by a schedule.", "Скорость обучения на шаге k по расписанию."),
    "fed": T("The same by a schedule that is told the loss.", "То же по расписанию, которому сообщают значение функции."),
    "warmed": T("The same behind a warm-up: an even rise to its first rate.", "То же после разогрева: ровного подъёма до первой его скорости."),
    "finite": T("True while no number has left the floats.", "Истина, пока все числа конечны."),
    "train": T("The points that an optimizer of torch visits; fewer where it diverges.",
               "Точки, которые проходит метод из torch; если он расходится, их меньше."),
    "follow": T("The points that a step function visits, fewer where it diverges; state is what it remembers, t the number of the step.",
                "Точки, которые проходит функция шага; если она расходится, их меньше. state — то, что она помнит, t — номер шага."),
    # helpers of the package's own steps and schedules
    "dot": T("The scalar product.", "Скалярное произведение."),
    "norm": T("The Euclidean length.", "Евклидова длина."),
    "norm1": T("The sum of magnitudes.", "Сумма модулей."),
    "rms": T("The root of the mean square.", "Корень из среднего квадрата."),
    "ratio": T("a / b for b >= 0, and 0 where b is 0.", "a / b при b >= 0 и 0 при b = 0."),
    "every": T("True on each k-th step.", "Истина на каждом k-м шаге."),
    "backtrack": T("The first of size, size·shrink, size·shrink², … that Armijo accepts.",
                   "Первый из шагов size, size·shrink, size·shrink², …, который принимает правило Армихо."),
    "against": T("Newton's direction, the eigenvalues of the matrix changed.", "Направление Ньютона с изменёнными собственными числами матрицы."),
    "shifted": T("Lifts all eigenvalues alike until they are positive.",
                 "Поднимает все собственные числа одинаково, пока они не станут положительны."),
    "mirrored": T("Takes the magnitude of each eigenvalue.", "Берёт модуль каждого собственного числа."),
    "learned": T("The inverse Hessian as BFGS corrects it after the move s.", "Обратный гессиан с поправкой BFGS после шага s."),
    "times": T("A matrix times a vector.", "Произведение матрицы и вектора."),
    "clipped_by_norm": T("g·limit/‖g‖ where ‖g‖ > limit.", "g·limit/‖g‖ при ‖g‖ > limit."),
    "whole_run": T("A length in steps; 0 means the whole run.", "Длина в шагах; 0 — весь запуск."),
    "half_cosine": T("From high to low along half a cosine.", "От high к low по половине косинуса."),
    "_wave": T("Which triangle this is, from 1, and its height here.", "Номер треугольника, от 1, и его высота в этом месте."),
    "begin": T("Before the first step: rate, best loss, steps without a better one, steps of rest.",
               "До первого шага: скорость, лучшее значение, шаги без улучшения, шаги отдыха."),
}


# --- how code is laid out -----------------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A string that nothing in it can leave."""
    return json.dumps(text, ensure_ascii=False)


def wrapped(text: str, indent: str) -> list[str]:
    """Lines that break at spaces alone."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def documented(text: str, indent: str = "    ") -> str:
    """A docstring that nothing in it can leave."""
    safe = "".join(filter(str.isprintable, " ".join(text.split()))).replace("\\", "/").replace('"', "'")
    return "\n".join(wrapped(f'"""{safe}"""', indent))


def folded(head: str, expression: str) -> str:
    """A statement; one that is too long breaks at the spaces of its expression, in brackets."""
    if len(head + expression) <= WIDTH:
        return head + expression
    indent = " " * (len(head) - len(head.lstrip()))
    return "\n".join([head + "(", *wrapped(expression, indent + "    "), indent + ")"])


def bare(expression: str) -> str:
    """(a, b) without its brackets."""
    tree = ast.parse(expression, mode="eval").body
    return expression[1:-1] if isinstance(tree, ast.Tuple) and len(tree.elts) > 1 else expression


def filled(head: str, items: Sequence[str], tail: str, indent: str = "") -> str:
    """Items between brackets: on one line where they fit, else as many to a line as fit."""
    if len(indent + head + ", ".join(items) + tail) <= WIDTH:
        return indent + head + ", ".join(items) + tail
    lines, inner = [""], indent + "    "
    for item in items:
        if lines[-1] and len(inner) + len(lines[-1]) + len(item) + 2 > WIDTH:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{item},"
    return "\n".join([indent + head, *(part for line in lines for part in wrapped(line, inner)), indent + tail])


def keywords(values: Mapping[str, Any]) -> list[str]:
    """name=value, words in quotes."""
    return [f"{name}={quoted(value) if isinstance(value, str) else repr(value)}" for name, value in values.items()]


# --- with optviz --------------------------------------------------------------------------------------------------------------------------


def with_optviz(race: Race, language: str = "en") -> str:
    """The race as a script of optviz: what is at its default is left out, the start, the steps and the rates never are."""
    s, runs = race.surface, []
    said = quoted(s.key)
    if s.key not in surfaces:
        said = f"ov.surface({quoted(s.formula)}{'' if s.box == OWN_BOX else f', box={s.box}'})"
    elif s.values:
        said = f"ov.surfaces[{quoted(s.key)}].at({', '.join(keywords(dict(s.values)))})"
    disturbed = {name: race[name] for name in ("noise", "noise_relative") if race[name]}
    if disturbed and race["seed"]:
        disturbed["seed"] = race["seed"]
    shared = {"start": race.start, "steps": race["steps"], **disturbed}
    for e, (name, _, _) in zip(race.entrants, named(race), strict=True):
        settings = {n: v for n, v in e.settings if n == "lr" or v != e.table[n].default}
        if e.schedule != "constant":
            settings = {"schedule": e.schedule, **settings}
        args = ["surface", quoted(e.optimizer), *keywords(settings), "**shared"]
        runs.append(filled(f"{quoted(getattr(name, language))}: ov.descend(", args, "),", "    "))
    return "\n".join([
        documented(getattr(SAYS["with_optviz"], language), ""), "", "import optviz as ov", "",
        f"surface = {said}",
        filled("shared = {", [f"{quoted(name)}: {value!r}" for name, value in shared.items()], "}"), "",
        "runs = {", *runs, "}", "",
        "for name, run in runs.items():",
        f'    ended = "" if run.diverged_at is None else f", {getattr(SAYS["diverged"], language)} {{run.diverged_at}}"',
        '    print(f"{name}: {run.loss[-1]:.6g}{ended}")', ""])


# --- a formula as torch writes it ---------------------------------------------------------------------------------------------------------


SUM, PRODUCT, SIGNED, POWER, ATOM = range(1, 6)  # how tightly a printed expression binds
OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class Said(NamedTuple):
    """Code, how tightly it binds, and whether it is a plain number, without x and y."""

    text: str
    tight: int
    still: bool

    def at_least(self, tight: int) -> str:
        return self.text if self.tight >= tight else f"({self.text})"


class Formula:
    """A surface's formula, printed from its parsed tree; only what the grammar of formulas knows has a print."""

    def __init__(self, s: Surface):
        self.graph = Graph()
        x, y = self.graph.symbol("x"), self.graph.symbol("y")
        self.names: dict[str, Node | float] = {"x": x, "y": y, **s.settings}
        self.helpers: dict[str, None] = {}
        self.lines = [f"    {name} = {value!r}" for name, value in s.settings.items()]
        self.still = set(s.settings)
        for name, text in s.where:
            tree = parse(text, self.names)
            said, self.names[name] = self.said(tree), build(tree, self.graph, self.names)
            self.lines.append(folded(f"    {name} = ", said.text))
            self.still |= {name} if said.still else set()
        tree = parse(s.formula, self.names)
        said, height = self.said(tree), build(tree, self.graph, self.names)
        self.lines.append(folded("    return ", f"{said.at_least(SUM)} + 0 * x" if said.still else said.text))
        fx, fy = derivative(height, x), derivative(height, y)
        self.slope, self.curvature = [fx, fy], [derivative(fx, x), *[derivative(fx, y)] * 2, derivative(fy, y)]
        self.kinked = any(n.op in ("min", "max") for n in reachable([height]))

    def said(self, node: ast.expr) -> Said:
        """A tree; what optviz knows to be one number although x stands in it (0·ln x), or Python would not compute (1/0), is that number."""
        said = self.plain(node)
        known = build(node, self.graph, self.names)
        if known.op != "number" or (said.still and math.isfinite(known.value) and abs(known.value) < EXACT):
            return said
        return self.number(known.value)

    def number(self, value: float) -> Said:
        text = re.sub(r"^(-?)(inf|nan)", r"\1math.\2", repr(value))
        return Said(text, SIGNED if text.startswith("-") else ATOM, True)

    def plain(self, node: ast.expr) -> Said:
        match node:
            case ast.Constant(value=int() | float() as value):
                return Said(repr(value) if abs(value) < EXACT else repr(float(value)), ATOM, True)
            case ast.Name(id=name) if name in self.names:
                return Said(name, ATOM, name in self.still)
            case ast.Name(id="pi" | "e" as name):
                return Said(f"math.{name}", ATOM, True)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.said(operand)
                return Said("-" + inner.at_least(POWER), SIGNED, inner.still)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.said(operand)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.spine(node, (ast.Add, ast.Sub), SUM)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self.spine(node, (ast.Mult, ast.Div), PRODUCT)
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return self.power(node, self.said(left), self.said(right))
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(node, name, [self.said(a) for a in args])
        raise TypeError(f"no print for {ast.dump(node)[:80]}")

    def spine(self, node: ast.BinOp, kinds: tuple[type[ast.operator], ...], tight: int) -> Said:
        """A long sum or product leans left: walk down it, do not recurse."""
        steps: list[ast.BinOp] = []
        rest: ast.expr = node
        while isinstance(rest, ast.BinOp) and isinstance(rest.op, kinds):
            steps.append(rest)
            rest = rest.left
        now = self.said(rest)
        for step in reversed(steps):
            right = self.said(step.right)
            now = Said(f"{now.at_least(tight)} {OPERATORS[type(step.op)]} {right.at_least(tight + 1)}", tight, now.still and right.still)
            if now.still and step is not node and not math.isfinite(value := build(step, self.graph, self.names).value):
                now = self.number(value)  # Python would not go on from 1/0
        return now

    def power(self, node: ast.BinOp, base: Said, exponent: Said) -> Said:
        known, still = build(node.right, self.graph, self.names), base.still and exponent.still
        if not still and build(node, self.graph, self.names).op == "exp":
            return Said(f"torch.exp({exponent.text})", ATOM, False)
        if base.still or (exponent.still and (known.value < 0 or known.value == round(known.value))):
            return Said(f"{base.at_least(ATOM)} ** {exponent.at_least(SIGNED)}", POWER, still)
        self.helpers["power"] = None
        return Said(f"power({base.text}, {exponent.text})", ATOM, False)

    def call(self, node: ast.Call, name: str, args: list[Said]) -> Said:
        if name in ("min", "max"):
            now = args[0]
            for other in args[1:]:
                now = self.chosen(name, now, other)
            return now
        (arg,) = args
        if not arg.still:
            if name == "sqrt":
                self.helpers["root"] = None
            return Said(f"{'root' if name == 'sqrt' else f'torch.{name}'}({arg.text})", ATOM, False)
        if name == "sign":
            return self.number(build(node, self.graph, self.names).value)
        return Said(f"{'abs' if name == 'abs' else f'math.{name}'}({arg.text})", ATOM, True)

    def chosen(self, name: str, a: Said, b: Said) -> Said:
        """The smaller or the larger of two; torch has one function for tensors and another for a limit."""
        if a.still and b.still:
            return Said(f"{name}({a.text}, {b.text})", ATOM, True)
        if a.still or b.still:
            moving, limit = (b, a) if a.still else (a, b)
            return Said(f"torch.clamp({moving.text}, {'max' if name == 'min' else 'min'}={limit.text})", ATOM, False)
        return Said(f"torch.{name}imum({a.text}, {b.text})", ATOM, False)


#: Straight-line code of torch tensors and numbers.
TORCH = {op: re.sub(r"^(\w+\()", r"torch.\1", template) for op, template in ARRAYS.items()} | {
    "min": "torch.where(({0} < {1}) | ({0} != {0}), {0}, {1})", "max": "torch.where(({0} > {1}) | ({0} != {0}), {0}, {1})",
    "over": "torch.where({1} != 0, {0} / torch.where({1} != 0, {1}, 1.0), 0.0)",
}


def written_out(name: str, outputs: Sequence[Node], shape: str, doc: str) -> str:
    """A function of a point that computes some nodes."""
    code = Code(outputs, TORCH)
    results = [f"torch.tensor({r})" if n.op == "number" else r for n, r in zip(outputs, code.results, strict=True)]
    lines = [folded(f"    {left} = ", right) for left, _, right in (line.partition(" = ") for line in code.lines)]
    text = "\n".join([f"def {name}(point):", documented(doc), "    x, y = point", *lines,
                      filled("return torch.stack([", results, f"]){shape}", "    ")])
    return text.replace(number_text(math.inf), "torch.inf").replace(number_text(math.nan), "torch.nan")


# --- a step's or a schedule's own source as plain torch -----------------------------------------------------------------------------------


class Plain(ast.NodeTransformer):
    """`xp.` becomes torch's, `h.beta1` an argument; what is called or named besides goes into the book."""

    def __init__(self, book: Book, space: Mapping[str, Any], own: Iterable[str], inline: Callable[[ast.Call], ast.expr | None] = lambda call: None):
        self.book, self.space, self.own, self.inline = book, space, set(own), inline
        self.settings: dict[str, None] = {}  # hyper-parameters in order of use

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        match node.value:
            case ast.Name(id="h" | "self"):
                self.settings[node.attr] = None
                return ast.Name(node.attr)
            case ast.Name(id="xp"):
                return ast.Attribute(ast.Name("torch"), node.attr)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.own and node.id in self.space:
            self.book.note(node.id, self.space[node.id])
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        match node.func:
            case ast.Attribute(value=ast.Name(id="grad"), attr=asked):
                self.book.asked.add(asked)
                return ast.Call(ast.Name(asked), [self.visit(node.args[0])], [])
            case ast.Name(id=name) if name not in self.own and isinstance(self.space.get(name), FunctionType):
                meant = self.inline(node)
                return self.visit(copy.deepcopy(meant)) if meant is not None else self.helper(name, node.args)
        self.generic_visit(node)
        return node

    def helper(self, name: str, args: Sequence[ast.expr]) -> ast.expr:
        """A call of a small function, with what it needs and without what it does not."""
        given: list[ast.expr] = []
        for (parameter, needs), arg in zip(self.book.function(self.space[name]).items(), args, strict=True):
            if parameter == "h":
                self.settings |= dict.fromkeys(needs)
                given += map(ast.Name, needs)
            elif needs:
                given.append(self.visit(arg))
        return ast.Call(ast.Name(name), given, [])


class Book:
    """The functions of a script, each once, and what each needs before it."""

    def __init__(self, language: str):
        self.language = language
        self.parts: dict[str, str] = {}
        self.needs: dict[str, dict[str, list[str]]] = {}  # of a function: for each of its parameters here those it has in the script
        self.numbers: dict[str, str] = {}
        self.modules: set[str] = set()
        self.asked: set[str] = set()  # what somebody wants besides the gradient: "value", "hessian"

    def note(self, name: str, value: Any) -> None:
        """A module or a number that some source names."""
        if isinstance(value, ModuleType) and value is not np:
            self.modules.add(name)
        elif isinstance(value, int | float):
            self.numbers[name] = f"{name} = {value!r}"
        else:
            raise TypeError(f"plain torch has no {name}")

    def function(self, f: Callable[..., Any], idea: T | None = None, keep: Callable[[ast.stmt], list[ast.stmt]] = lambda statement: [statement],
                 name: str = "") -> dict[str, list[str]]:
        """A function of the package, out of its own source; -> its parameters, each with those that the script's has in its place."""
        name = name or f.__name__
        if name in self.needs:
            return self.needs[name]
        tree = ast.parse(textwrap.dedent(inspect.getsource(f))).body[0]
        assert isinstance(tree, ast.FunctionDef)
        parameters = [a.arg for a in tree.args.args]
        own = {*parameters, *(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)),
               *(a.arg for n in ast.walk(tree) if isinstance(n, ast.Lambda) for a in n.args.args)}
        plain = Plain(self, f.__globals__, own)
        body = tree.body[1:] if ast.get_docstring(tree) else tree.body
        tree.body = [plain.visit(kept) for statement in body for kept in keep(statement)]
        used = {n.id for statement in tree.body for n in ast.walk(statement) if isinstance(n, ast.Name)}
        self.needs[name] = {p: list(plain.settings) if p in ("h", "self") else [p] if p in used else [] for p in parameters}
        needed = [n for p in sorted(parameters, key=("self", ).count) for n in self.needs[name][p]]
        arguments = [f"{n}=None" if n in CLIPS else n for n in needed]  # a limit is somebody's, the rest everybody's
        self.parts[name] = self.definition(name, arguments, idea or SAYS.get(name), tree.body)
        return self.needs[name]

    def definition(self, name: str, arguments: Sequence[str], idea: T | None, body: Sequence[ast.stmt]) -> str:
        """def, docstring and statements; a long one-line statement is folded."""
        lines = [documented(getattr(idea, self.language))] if idea else []
        for line in ast.unparse(ast.fix_missing_locations(ast.Module(list(body), []))).splitlines():
            line = re.sub(r"^(\w+), = ", r"(\1,) = ", line)
            statement = re.match(r"(\s*(?:return|\w+(?:, \w+)* =) )(.*)", line)
            lines.append(folded("    " + statement[1], bare(statement[2])) if statement else "    " + line)
        return "\n".join([filled(f"def {name}(", arguments, "):"), *lines])

    def step(self, o: Optimizer, options: Mapping[str, str]) -> tuple[str, list[str]]:
        """A step function with these options; -> its name and its hyper-parameters."""
        name = "_".join([o.key, *(word for option, word in options.items() if word != o.params[option].default)])
        if name not in self.needs:
            space: dict[str, Any] = {}
            for other in (*optimizers.values(), o):  # a line spelled out in another step's place names what its own file knows
                space |= other.step.__globals__
            lines = o.lines(**options)
            plain = Plain(self, space, {"grad", "x", "t", *o.state, *(line.target for line in lines)}, o.printer(options, {}).inline)
            values = [plain.visit(copy.deepcopy(line.value)) for line in lines]
            body: list[ast.stmt] = [ast.Assign([ast.Name(line.target)], value) for line, value in zip(lines[:-1], values[:-1], strict=True)]
            if o.state:
                body.insert(0, ast.Assign([ast.Tuple([*map(ast.Name, o.state)])], ast.Name("state")))
            body.append(ast.Return(ast.Tuple([values[-1], ast.Tuple([*map(ast.Name, o.state)])])))
            settings = [n for n in o.params if n in plain.settings or n == "lr"]
            self.needs[name] = {"h": settings}
            self.parts[name] = self.definition(name, ["grad", "x", "state", "t", *settings], o.idea, body)
        return name, self.needs[name]["h"]


# --- as plain torch -----------------------------------------------------------------------------------------------------------------------


class Twin(NamedTuple):
    """A class of torch.optim that makes the very same step, the words it wants besides, and of which runs that is true."""

    name: str
    words: Mapping[str, Any] = {}
    of: Callable[[Run | Training], bool] = lambda run: True


def _steady(run: Run | Training) -> bool:
    """torch reads the rate of these once, or one step late."""
    return run.schedule == "constant" and (isinstance(run, Training) or not run["warmup_steps"])


TWINS = {
    "sgd": Twin("SGD"), "momentum": Twin("SGD"), "nesterov_torch": Twin("SGD", {"nesterov": True}, lambda run: run["momentum"] > 0),
    "adagrad": Twin("Adagrad"), "rmsprop": Twin("RMSprop"), "adadelta": Twin("Adadelta"),
    "adam": Twin("Adam"), "amsgrad": Twin("Adam", {"amsgrad": True}), "adamw": Twin("AdamW"), "adamax": Twin("Adamax"), "nadam": Twin("NAdam"),
    "radam": Twin("RAdam"), "rprop": Twin("Rprop", {}, _steady), "asgd": Twin("ASGD", {}, _steady),
    "adafactor": Twin("Adafactor", {}, lambda run: run["d"] >= 1),
    "lbfgs": Twin("LBFGS", {"max_iter": 1, "tolerance_grad": 0, "tolerance_change": 0}),
}
#: What stands apart here and is one tuple to torch.
PAIRS = {"beta": "betas", "eta": "etas", "step_size": "step_sizes", "eps": "eps"}


def twin(run: Run | Training) -> str | None:
    """torch's own optimizer with this run's settings, where it makes exactly the same steps."""
    made, params = TWINS.get(run.optimizer), optimizers[run.optimizer].params
    if made is None or not made.of(run) or any(run[n] != p.default for n, p in params.items() if isinstance(p, Choice)):
        return None
    words: dict[str, Any] = {}
    for name, p in params.items():
        stem = name.rstrip("12")
        if not isinstance(p, Choice):
            words |= {PAIRS[stem]: (*words.get(PAIRS[stem], ()), run[name])} if stem != name and stem in PAIRS else {name: run[name]}
    return f"lambda p: torch.optim.{made.name}({', '.join(['p', *keywords(words | dict(made.words))])})"


def disturbance(book: Book, noise: Sequence[str], clips: Sequence[str]) -> str:
    """Writes the function that disturbs a gradient by these; -> what it is told besides the gradient."""
    def keep(statement: ast.stmt) -> list[ast.stmt]:
        """A disturbance asks what there is: noise is there for all or for none, a limit for some."""
        match statement:
            case ast.If(test=ast.Compare(left=ast.Attribute(attr=name)), body=body):
                return body if name in noise else [statement] if name in clips else []
        return [statement]
    needs = book.function(Disturbance.__call__, None, keep, "disturbed")
    return "".join(f", {name.upper()}[k]" if name in noise else f", {name}={name}" for name in needs["self"])


#: What stands around steps and schedules; a line that ends in `#? word` is there where the word holds.
FRAME = """
def root(z):
    <doc>
    return torch.where(z == 0, 0.0, torch.sqrt(torch.where(z == 0, 1.0, z)))


def power(a, b):
    <doc>
    return torch.where(a == 0, (a**b).detach(), torch.where(a == 0, 1.0, a) ** b)


def gradient(x):
    <doc>
    x = x.detach().requires_grad_()
    return torch.autograd.grad(surface(*x), x)[0]


def value(x):
    <doc>
    return surface(*x)


def hessian(x):
    <doc>
    return torch.autograd.functional.hessian(lambda p: surface(*p), x)


def scheduled(rule, **settings):
    <doc>
    settings = {name: torch.tensor(float(value)) for name, value in settings.items()}
    return lambda k, loss: rule(torch.tensor(float(k)), **settings).item()  #? not endless
    return lambda k, loss: torch.nan_to_num(rule(torch.tensor(float(k)), **settings)).item()  #? endless


def fed(rule, lr, **settings):
    <doc>
    state = begin(torch.tensor(lr))

    def rate(k, loss):
        nonlocal state
        now, state = state[0].item(), rule(loss, state, **settings)
        return now

    return rate


def warmed(steps, first, rule):
    <doc>
    return lambda k, loss: first * (k + 1) / (steps + 1) if k < steps else rule(k - steps, loss)


def finite(*values):
    <doc>
    return all(torch.isfinite(value).all() for value in values if torch.is_tensor(value))


def train(make<parameters>):
    <doc>
    p = torch.tensor(START, requires_grad=True)
    optimizer = make([p])
    points = [p.tolist()]
    for <k> in range(STEPS):
        loss = surface(*p)  #? loss
        optimizer.param_groups[0]["lr"] = rate(k, loss.item())  #? scheduled
        optimizer.zero_grad()  #? not kinked
        loss.backward()  #? not kinked
        p.grad = gradient(p.detach())  #? kinked
        p.grad = disturbed(p.grad<told>)  #? told
        optimizer.step()  #? not lbfgs
        optimizer.step(lambda: loss)  #? lbfgs
        if not finite(p, p.grad, surface(*p), *optimizer.state[p].values()):
            break
        points.append(p.tolist())
    return points


def follow(update, state<parameters>, **settings):
    <doc>
    x, state = torch.tensor(START), [torch.tensor(value) for value in state]
    points = [x.tolist()]
    for k in range(STEPS):
        settings["lr"] = rate(k, surface(*x).item())  #? scheduled
  #? told
        def grad(at):  #? told
            return disturbed(gradient(at)<told>)  #? told
  #? told
        x, state = update(grad, x, state, torch.tensor(k + 1.0), **settings)  #? told
        x, state = update(gradient, x, state, torch.tensor(k + 1.0), **settings)  #? not told
        if not finite(x, surface(*x), *state):
            break
        points.append(x.tolist())
    return points


def report():
    for name, points in runs.items():
        ended = "" if len(points) > STEPS else f", <diverged> {len(points)}"
        print(f"{name}: {surface(*torch.tensor(points[-1])).item():.6g}{ended}")
"""
FUNCTIONS = {part.partition("(")[0].removeprefix("def "): part for part in FRAME.strip().split("\n\n\n")}


def framed(text: str, facts: Collection[str], words: Mapping[str, str], doc: str = "") -> str:
    """A piece of a frame with the lines whose facts hold, its docstring, and its words."""
    lines = []
    for line, _, fact in (line.partition("  #? ") for line in text.splitlines()):
        if not fact or (fact.removeprefix("not ") in facts) != fact.startswith("not "):
            lines.append(documented(doc) if line == "    <doc>" else line)
    return re.sub(r"<(\w+)>", lambda found: words[found[1]], "\n".join(lines))


def with_torch(race: Race, language: str = "en") -> str:
    """The race as a script that needs torch alone; Refused where it would have to hold too much noise."""
    return _Script(race, language).text()


class _Script:
    """A race in plain torch: what its entrants need, and the frame around it."""

    def __init__(self, race: Race, language: str):
        self.race, self.language, self.book, self.formula = race, language, Book(language), Formula(race.surface)
        self.runs = race.runs
        self.problems = [Problem(r.surface, (r.optimizer, r.start, r.steps, r.schedule), dict(r.settings), "all") for r in self.runs]
        self.twins = [twin(run) for run in self.runs]
        self.noise = self.drawn()
        self.clips = [name for name in CLIPS if any(run[name] is not None for run in self.runs)]
        holds = {"scheduled": any(run.schedule != "constant" or run["warmup_steps"] for run in self.runs), "kinked": self.formula.kinked,
                 "told": self.noise or self.clips, "lbfgs": any(run.optimizer == "lbfgs" for run in self.runs), "endless": self.endless()}
        self.facts = {word for word, it_does in holds.items() if it_does}
        self.facts |= {"loss"} if self.facts & {"scheduled", "lbfgs"} or not self.formula.kinked else set()

    def drawn(self) -> dict[str, np.ndarray]:
        """The numbers that disturb every gradient, by the name that a disturbance gives them; all entrants meet the same."""
        steps, streams = self.race["steps"], sum(self.race[name] > 0 for name in ("noise", "noise_relative"))
        if streams * 2 * steps > MOST_NOISE:
            most = MOST_NOISE // (2 * streams)
            raise Refused(T(f"plain torch cannot draw this noise, and {steps} steps of it are too long for a script; "
                            f"take at most {most} steps, no noise, or the code with optviz",
                            f"на чистом torch этот шум не получить, а {steps} его шагов для программы слишком много; "
                            f"возьмите не больше {most} шагов, уберите шум или выберите код с optviz"))
        numbers = np.arange(1, steps + 1)
        drawn = self.problems[0].noise(np.zeros(steps), numbers, self.problems[0].values) if self.problems else (None, None)
        return {name: part.T for name, part in zip(("added", "relative"), drawn, strict=True) if part is not None}

    def endless(self) -> bool:
        """True where a rate grows out of the floats: that breaks a run, and must not break the schedule."""
        for run, schedule in ((run, schedules[run.schedule]) for run in self.runs):
            settings = {n: run["schedule_" + n] for n in schedule.params}
            if not schedule.fed and not np.isfinite(schedule.rates(run.steps, run["lr"], **settings)).all():
                return True
        return False

    def text(self) -> str:
        """The whole script."""
        runs = [self.entry(*each) for each in zip(named(self.race), self.runs, self.problems, self.twins, strict=True)]
        told = disturbance(self.book, list(self.noise), self.clips) if "told" in self.facts else ""
        scheduled = "scheduled" in self.facts
        words = {"told": told, "k": "k" if self.noise or scheduled else "_",
                 "parameters": "".join([", rate"] * scheduled + [f", {name}=None" for name in self.clips])}
        surface = "\n".join(["def surface(x, y):", documented(f"{getattr(self.race.surface.name, self.language)}."), *self.formula.lines])
        before = [*self.formula.helpers, *["gradient"] * bool(self.formula.kinked or None in self.twins), *sorted(self.book.asked, reverse=True)]
        fed = {schedules[run.schedule].fed for run in self.runs} if scheduled else set()
        after = [name for name, there in {"scheduled": False in fed, "fed": True in fed,
                                          "warmed": any(run["warmup_steps"] for run in self.runs), "finite": self.runs, "train": any(self.twins),
                                          "follow": None in self.twins}.items() if there]
        parts = [surface, *(self.part(name, words) for name in before), *self.book.parts.values(), *(self.part(name, words) for name in after)]
        modules = self.book.modules | ({"math"} if re.search(r"\bmath\.", surface) else set())
        noise = [filled(f"{name.upper()} = torch.tensor([", [f"[{x!r}, {y!r}]" for x, y in rows.tolist()], "])") for name, rows in self.noise.items()]
        return "\n".join([
            documented(getattr(SAYS["with_torch"], self.language), ""), "",
            *(f"import {name}" for name in sorted(modules)), *[""] * bool(modules), "import torch", "", "torch.set_default_dtype(torch.float64)",
            f"START, STEPS = {list(self.race.start)}, {self.race['steps']}", *self.book.numbers.values(),
            *[f"# {getattr(SAYS['noise'], self.language)}"] * bool(noise), *noise, "", "",
            *(f"{part}\n\n" for part in parts), "runs = {", *runs, "}", "",
            textwrap.dedent(self.part("report", {"diverged": getattr(SAYS["diverged"], self.language)}).partition("\n")[2]), ""])

    def entry(self, names: tuple[T, T, Any], run: Run, p: Problem, made: str | None) -> str:
        """How one entrant is run."""
        rate = [self.rate(run)] if "scheduled" in self.facts else []
        limits = keywords({name: run[name] for name in CLIPS if run[name] is not None})
        if made is not None:
            head, args = "train(", [made, *rate, *limits]
        else:
            name, settings = self.book.step(p.optimizer, dict(p.plan.options))
            state = [np.asarray(value, float).tolist() for value in p.optimizer.init(np.array(run.start), p.given(p.values).h, np)]
            head, args = "follow(", [name, str(state), *rate, *limits, *keywords({n: run[n] for n in settings if n != "lr" or not rate})]
        return filled(f"{quoted(getattr(names[0], self.language))}: {head}", args, "),", "    ")

    def rate(self, run: Run) -> str:
        """The schedule of one entrant."""
        schedule = schedules[run.schedule]
        needs = self.book.function(schedule.rule, schedule.idea)
        if schedule.fed:
            self.book.function(begin)
        given, warmup = {n: run["schedule_" + n] for n in needs["h"]}, run["warmup_steps"]
        left = f"STEPS - {warmup}" if 0 < warmup < run.steps else "1" if warmup else "STEPS"
        settings = keywords({"lr": run["lr"]} | given) + [f"steps={left}"] * bool(needs.get("steps"))
        said = f"{'fed' if schedule.fed else 'scheduled'}({', '.join([run.schedule, *settings])})"
        first = run["lr"] if schedule.fed else float(schedule.rates(max(run.steps - warmup, 1), run["lr"], **given)[0])
        return f"warmed({warmup}, {first!r}, {said})" if warmup else said

    def part(self, name: str, words: Mapping[str, str]) -> str:
        """One function of the frame as this race needs it."""
        if self.formula.kinked and name in ("gradient", "hessian"):
            outputs, shape = (self.formula.slope, "") if name == "gradient" else (self.formula.curvature, ".reshape(2, 2)")
            return written_out(name, outputs, shape, getattr(SAYS["kinked"], self.language))
        return framed(FUNCTIONS[name], self.facts, words, getattr(SAYS[name], self.language) if name in SAYS else "")


# --- maps ---------------------------------------------------------------------------------------------------------------------------------


def of_basins(specs: Sequence[Basin], language: str) -> str:
    """A script that makes the maps of an atlas."""
    told = T("at a minimum", "в минимуме"), T("diverge", "расходится")
    there, wild = (getattr(word, language) for word in told)
    shape, box, tolerance = specs[0].shape, specs[0].box, specs[0].tolerance
    return "\n".join([
        "import optviz as ov", "", "runs = [", *(f"    {spec.run.to_query()!r}," for spec in specs), "]",
        f"maps = [ov.basin(ov.Run.from_query(run), shape={shape}, box={box}, tolerance={tolerance!r}) for run in runs]",
        "for run, found in zip(runs, maps):",
        f'    print(f"{{run}}: {there} {{(found.minimum >= 0).mean():.1%}}, {wild} {{(found.diverged >= 0).mean():.1%}}")', ""])


def of_sweep(spec: Sweep, array: str, language: str) -> str:
    """A script that makes a map over two settings."""
    about = T("rows: values along y, columns: values along x", "строки — значения по y, столбцы — по x")
    return "\n".join(["import optviz as ov", "", f"found = ov.sweep(ov.Sweep.from_query({spec.to_query()!r}))", "print(found.x, found.y)",
                      f"print(found[{array!r}])  # {getattr(about, language)}", ""])
