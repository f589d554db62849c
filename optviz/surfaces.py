"""The surfaces: each is one formula; value, gradient, Hessian, LaTeX and the code of every machine follow from it."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from importlib import resources
from numbers import Real
from typing import Any

import numpy as np

from .core import POSITIVE, Param, Range, Registry, T, resolve
from .expr import ARRAYS, JAVASCRIPT, PYTHON, Code, Graph, Node, derivative, reachable
from .formula import FormulaError, build, parse, tidy
from .latex import Latex, number
from .minima import Box, find_minima, grid_values

Point = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """A function of two variables, with where to look at it and where to start."""

    key: str
    name: T
    lesson: T
    formula: str
    box: Box
    starts: tuple[Point, ...]
    where: tuple[tuple[str, str], ...] = ()  # abbreviations in the formula, each may use those before it
    params: tuple[tuple[str, Param], ...] = ()
    values: tuple[tuple[str, float], ...] = ()  # params that are not at their default

    @property
    def start(self) -> Point:
        return self.starts[0]

    @property
    def settings(self) -> dict[str, float]:
        """Every parameter of the formula with its value."""
        return {name: p.default for name, p in self.params} | dict(self.values)

    def at(self, **values: float) -> Surface:
        """The same surface with other parameters: ravine.at(b=100)."""
        known = dict(self.params)
        changed = tuple((n, v) for n, v in resolve(known, dict(self.values) | values).items() if v != known[n].default)
        return self if changed == self.values else replace(self, values=changed)

    def value(self, x: Any, y: Any) -> Any:
        """f(x, y) of numbers or arrays."""
        return self._evaluate("height", x, y)

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        """(df/dx, df/dy); 0 at a cusp."""
        return self._evaluate("slope", x, y)

    def hessian(self, x: Any, y: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """((f_xx, f_xy), (f_xy, f_yy))."""
        xx, xy, yy = self._evaluate("curvature", x, y)
        return (xx, xy), (xy, yy)

    def _evaluate(self, what: str, x: Any, y: Any) -> Any:
        if isinstance(x, Real) and isinstance(y, Real):
            try:
                return self.numbers[what](float(x), float(y))
            except (ArithmeticError, ValueError):  # where math raises, arrays say inf or nan
                results = self._evaluate(what, np.array([x]), np.array([y]))
                return tuple(float(r[0]) for r in results) if isinstance(results, tuple) else float(results[0])
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        with np.errstate(all="ignore"):
            results = self.arrays[what](x, y)
        return tuple(map(np.array, results)) if isinstance(results, tuple) else np.array(results)

    def __getstate__(self) -> dict[str, Any]:
        """The definition alone: compiled code cannot travel to another process, and need not."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def minima(self) -> list[Point]:
        """Every local minimum in the box, best first."""
        return list(_minima(self))

    @property
    def latex(self) -> str:
        """The formula, then what its abbreviations and parameters stand for."""
        names = {"condition": r"\kappa", "angle": r"\varphi", "strength": r"\lambda"}
        say = Latex(names)
        parts = [say(_tree(self.formula, self))]
        parts += [f"{say.names.get(name, name)} = {say(_tree(text, self))}" for name, text in self.where]
        parts += [f"{names.get(name, name)} = {number(value)}" for name, value in self.settings.items()]
        return r",\quad ".join(parts)

    @cached_property
    def numbers(self) -> Mapping[str, Callable]:
        """height, slope, curvature of plain floats; where a float fails they raise as `math` does."""
        return _compiled(self, "numbers")

    @cached_property
    def arrays(self) -> Mapping[str, Callable]:
        """The same of NumPy arrays."""
        return _compiled(self, "arrays")

    def compile(self, table: Mapping[str, str], names: Mapping[str, Any]) -> Mapping[str, Callable]:
        """height, slope, curvature as functions made of `table`'s operations, which `names` supplies."""
        space = dict(names) | {"Infinity": math.inf, "NaN": math.nan}
        for what, outputs in _outputs(self).items():
            code = Code(outputs, table)
            body = "".join(f" {line}\n" for line in code.lines)
            # our own printed operations on floats; a visitor's text never gets here
            results = [f"fill(x, {r})" if n.op == "number" and "fill" in names else r for n, r in zip(outputs, code.results, strict=True)]
            exec(f"def {what}(x, y):\n{body} return {', '.join(results)}", space)
        return {what: space[what] for what in _outputs(self)}

    @cached_property
    def javascript(self) -> str:
        """An object literal {height, slope}: functions of (x, y) giving f and [df/dx, df/dy]."""
        return _javascript(self, "height", "slope")

    @cached_property
    def javascript_curvature(self) -> str:
        """An object literal {curvature}: a function of (x, y) giving [f_xx, f_xy, f_yy]."""
        return _javascript(self, "curvature")

    def recommended_lr(self, optimizer: str) -> float | None:
        """A learning rate that works well from the surface's own start in 300 steps, where one was found; none for other parameters."""
        return None if self.values else _recommended().get(self.key, {}).get(optimizer)


def over(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0."""
    b = np.asarray(b)
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), b.shape)), where=b != 0)


NUMPY: dict[str, Any] = {
    **{n: getattr(np, n) for n in "sqrt exp log sin cos tan sinh cosh tanh abs floor sign where minimum maximum".split()},
    "pow": np.power, "over": over, "fill": np.full_like,
}


POLYNOMIAL = {"number", "symbol", "add", "sub", "mul", "neg"}
NUMBERS: dict[str, Any] = {**{n: getattr(math, n) for n in dir(math) if n[0] != "_"}, "abs": abs}


@lru_cache(maxsize=256)
def _compiled(s: Surface, kind: str) -> Mapping[str, Callable]:
    """Equal surfaces share their code, however often a page makes them anew."""
    return s.compile(PYTHON, NUMBERS) if kind == "numbers" else s.compile(ARRAYS, NUMPY)


@lru_cache(maxsize=256)
def _minima(s: Surface) -> Sequence[Point]:
    outputs = _outputs(s)
    plain = all(n.op in POLYNOMIAL or (n.op == "div" and n.args[1].op == "number") for n in reachable(outputs["height"]))
    return find_minima(s.value, s.gradient, s.hessian, s.box, len(reachable(outputs["curvature"])), plain)


def _tree(text: str, s: Surface) -> ast.expr:
    return parse(text, dict.fromkeys(["x", "y", *dict(s.params), *dict(s.where)]))


@lru_cache(maxsize=64)
def _outputs(s: Surface) -> dict[str, list[Node]]:
    """The nodes of value, gradient and second derivatives."""
    g = Graph()
    x, y = g.symbol("x"), g.symbol("y")
    names: dict[str, Node | float] = {"x": x, "y": y, **s.settings}
    for name, text in s.where:
        names[name] = build(_tree(text, s), g, names)
    f = build(_tree(s.formula, s), g, names)
    fx, fy = derivative(f, x), derivative(f, y)
    return {"height": [f], "slope": [fx, fy], "curvature": [derivative(fx, x), derivative(fx, y), derivative(fy, y)]}


def _javascript(s: Surface, *names: str) -> str:
    """Some of the outputs as functions of an object literal."""
    functions = []
    for what in names:
        code = Code(_outputs(s)[what], JAVASCRIPT, "const {} = {};")
        result = code.results[0] if len(code.results) == 1 else f"[{', '.join(code.results)}]"
        functions.append(f"{what}(x, y) {{ {' '.join(code.lines)} return {result}; }}")
    return "{ " + ", ".join(functions) + " }"


@lru_cache(maxsize=1)
def _recommended() -> dict[str, dict[str, float]]:
    return json.loads(resources.files("optviz").joinpath("recommended.json").read_text("utf-8"))


OWN_BOX: Box = ((-3.0, 3.0), (-3.0, 3.0))
COORDINATE = Param(0.0, -10.0, 10.0, allowed=Range(-1e6, 1e6), one=True)


def checked_box(box: Any) -> Box:
    """A box that can be looked at."""
    try:
        (x0, x1), (y0, y1) = box
    except (TypeError, ValueError):
        raise FormulaError("a box is two pairs, ((x0, x1), (y0, y1))", "область — это две пары, ((x0, x1), (y0, y1))") from None
    x0, x1, y0, y1 = (COORDINATE.check("box", v) for v in (x0, x1, y0, y1))
    if not (x1 - x0 > 1e-9 and y1 - y0 > 1e-9):
        raise FormulaError("a box needs x0 < x1 and y0 < y1", "в области должно быть x0 < x1 и y0 < y1")
    return (x0, x1), (y0, y1)


def own_start(box: Box) -> Point:
    """Where an own formula starts unless told otherwise."""
    (x0, x1), (y0, y1) = box
    return float(f"{x0 + 0.2 * (x1 - x0):.6g}"), float(f"{y0 + 0.8 * (y1 - y0):.6g}")


def surface(formula: str, box: Box = OWN_BOX, start: Point | None = None) -> Surface:
    """A visitor's own formula as a Surface; FormulaError says what is wrong with it and where."""
    parse(formula, dict.fromkeys("xy"))  # refused here, where the places of what is wrong are those of what was typed
    box = checked_box(box)
    try:
        x, y = own_start(box) if start is None else start
    except (TypeError, ValueError):
        raise FormulaError("a start is a pair, (x, y)", "старт — это пара, (x, y)") from None
    start = COORDINATE.check("start", x), COORDINATE.check("start", y)
    own = Surface("own", T("Own formula", "Своя формула"), T("Whatever you want to know.", "Всё, что хочется проверить."),
                  tidy(formula), box, (start,))
    if not np.isfinite(grid_values(own.value, own.box, 65)[2]).any():
        raise FormulaError("the formula is finite nowhere on its box; choose another box or formula",
                           "формула нигде в области не принимает конечных значений; измените область или формулу")
    return own


surfaces: Registry[Surface] = Registry()


def _add(key: str, en: str, ru: str, lesson_en: str, lesson_ru: str, formula: str, box: float | Box, *starts: Point,
         where: dict[str, str] | None = None, **params: Param) -> None:
    square = ((-float(box), float(box)), (-float(box), float(box))) if isinstance(box, (int, float)) else box
    surfaces.add(key, Surface(key, T(en, ru), T(lesson_en, lesson_ru), formula, square, starts,
                              tuple((where or {}).items()), tuple(params.items())))


_ROTATED = {"u": "x*cos(angle*pi/180) + y*sin(angle*pi/180)", "v": "y*cos(angle*pi/180) - x*sin(angle*pi/180)"}

_add("bowl", "Bowl", "Чаша",
     "With a suitable rate every method gets close; only the speed differs.",
     "При подходящей скорости обучения к минимуму приближаются все методы, различается лишь быстрота.",
     "x^2 + y^2", 2, (1.5, 1.5))
_add("ravine", "Ravine", "Овраг",
     "One direction is much steeper than the other: a step small enough for the steep one crawls along the gentle one.",
     "Одно направление намного круче другого: при шаге, безопасном для крутого, вдоль пологого точка еле ползёт.",
     "x^2 + b*y^2", 10, (8.0, 8.0), b=Param(10, 1, 1000, log=True, allowed=POSITIVE, one=True))
_add("rotated_ravine", "Rotated ravine", "Повёрнутый овраг",
     "Turn the ravine off the axes, and methods that scale each coordinate lose their advantage.",
     "Поверните овраг относительно осей — и методы с отдельным шагом для каждой координаты теряют преимущество.",
     "(u^2 + condition*v^2)/2", 3, (-2.0, 1.0), where=_ROTATED,
     condition=Param(100, 1, 1000, log=True, allowed=POSITIVE, one=True),
     angle=Param(45, -90, 90, allowed=Range(-360, 360), one=True))
_add("saddle", "Saddle", "Седло",
     "The gradient vanishes, yet it is no minimum: the start a hair off the ridge decides how long one lingers.",
     "Градиент обращается в нуль, но это не минимум: всё решает крошечный сдвиг старта с гребня.",
     "x^2 - y^2", 2, (-1.5, 0.001))
_add("bounded_saddle", "Bounded saddle", "Ограниченное седло",
     "Whoever leaves this saddle to the left arrives at a minimum.",
     "Кто сошёл с этого седла влево, приходит в минимум.",
     "sin(x) + y^2", 3, (1.56, 1.5))
_add("monkey_saddle", "Monkey saddle", "Обезьянье седло",
     "Three valleys meet, and at the meeting point the Hessian vanishes too.",
     "Сходятся три долины; в точке встречи обращается в нуль и гессиан.",
     "x^3 - 3*x*y^2", 2, (1.2, 0.1))
_add("rosenbrock", "Rosenbrock's valley", "Долина Розенброка",
     "A curved, narrow valley: finding it is easy, following it is not.",
     "Узкая изогнутая долина: попасть в неё легко, идти по ней трудно.",
     "(1 - x)^2 + 100*(y - x^2)^2", ((-2.0, 2.0), (-1.0, 3.0)), (-2.0, 2.0), (-1.5, 2.0))
_add("distill_rosenbrock", "Rosenbrock, rescaled", "Функция Розенброка в другом масштабе",
     "The gentler valley known from articles on momentum.",
     "Более мягкая долина, знакомая по статьям об импульсе.",
     "(1 - x)^2 + 20*(3*y - x^2)^2", ((-2.0, 2.0), (-0.267, 1.067)), (-1.21, 0.853))
_add("beale", "Beale", "Функция Била",
     "Flat plains with steep corners: one learning rate cannot suit both.",
     "Плоские равнины и крутые углы: одна скорость обучения не подходит и тем и другим.",
     "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2", 4.5, (2.0, 1.7), (3.0, 4.0))
_add("himmelblau", "Himmelblau", "Функция Химмельблау",
     "Four equal minima: start, method and rate decide which one is found.",
     "Четыре равных минимума: какой найдётся, зависит от старта, метода и скорости обучения.",
     "(x^2 + y - 11)^2 + (x + y^2 - 7)^2", 5, (0.0, 0.0))
_add("rastrigin", "Rastrigin", "Функция Растригина",
     "A bowl covered with dimples: nearly every start ends in a wrong one.",
     "Чаша, усеянная ямками: почти из любого старта спуск попадает не в ту.",
     "20 + x^2 - 10*cos(2*pi*x) + y^2 - 10*cos(2*pi*y)", 4.5, (-2.0, 3.5))
_add("ackley", "Ackley", "Функция Экли",
     "Ripples on a funnel, with a cusp for a minimum: the gradient does not fade near it.",
     "Рябь на воронке, а минимум — остриё: вблизи него градиент не угасает.",
     "-20*exp(-0.2*sqrt((x^2 + y^2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2) + 20 + e", 4, (-1.5, 2.0))
_add("six_hump_camel", "Six-hump camel", "Шестигорбый верблюд",
     "Two best minima and four worse ones between the humps.",
     "Два лучших минимума и четыре худших между горбами.",
     "(4 - 2.1*x^2 + x^4/3)*x^2 + x*y + (4*y^2 - 4)*y^2", ((-3.0, 3.0), (-2.0, 2.0)), (1.3, -1.5))
_add("three_hump_camel", "Three-hump camel", "Трёхгорбый верблюд",
     "The best minimum stands between two traps.",
     "Лучший минимум стоит между двумя ловушками.",
     "2*x^2 - 1.05*x^4 + x^6/6 + x*y + y^2", 2.5, (-2.0, 2.0))
_add("levy_13", "Levy 13", "Функция Леви № 13",
     "More than a thousand local minima on the slope of one wide bowl.",
     "Больше тысячи локальных минимумов на склоне одной широкой чаши.",
     "sin(3*pi*x)^2 + (x - 1)^2*(1 + sin(3*pi*y)^2) + (y - 1)^2*(1 + sin(2*pi*y)^2)", 10, (1.4, 1.7))
_add("styblinski_tang", "Styblinski–Tang", "Функция Стыблинского — Танга",
     "Four wells of different depth: the nearest is rarely the deepest.",
     "Четыре ямы разной глубины: ближайшая редко самая глубокая.",
     "(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2", 5, (0.1, 4.0))
_add("two_wells", "Two wells", "Две ямы",
     "A deep and a shallow well: enough momentum or noise carries a run from one to the other.",
     "Глубокая и мелкая ямы: импульс или шум могут перенести из одной в другую.",
     "x^2 + y^2 - 2*exp(-((x - 1)^2 + y^2)/0.2) - 3*exp(-((x + 1)^2 + y^2)/0.2)", 2, (1.5, 1.0))
_add("local_minimum", "Local minimum", "Локальный минимум",
     "The way down leads into the shallow well first.",
     "Путь вниз ведёт сначала в мелкую яму.",
     "-2*exp(-((x - 1)^2 + w^2)/0.2) - 6*exp(-((x + 1)^2 + w^2)/0.2) + x^2 + w^2", 2, (1.5, 1.5), where={"w": "1.4*y"})
_add("plateau", "Plateau", "Плато",
     "Ripples on a bowl: around the centre lies a ring-shaped hollow that catches whoever comes slowly.",
     "Рябь на чаше: вокруг центра лежит кольцевая впадина, которая ловит идущих медленно.",
     "-sin(r)/r + 0.01*r^2", 2, (1.5, 1.5), where={"r": "10*sqrt(x^2 + y^2) + 0.01"})
_add("hills", "Hills", "Холмы",
     "A hill stands before the deeper hollow: many runs end in the shallower one.",
     "Перед более глубокой впадиной стоит холм: многие спуски кончаются в мелкой.",
     "2*exp(-((x - 1)^2 + w^2)/0.2) + 6*exp(-((x + 1)^2 + w^2)/0.2) - 2*exp(-((x - 1)^2 + (w + 1)^2)/0.2) + x^2 + w^2",
     2, (1.5, 1.5), where={"w": "1.4*y"})
_add("cliff", "Cliff", "Обрыв",
     "A gentle slope ends at a wall: at a large rate one step that touches it is thrown far back, unless the gradient is clipped.",
     "Пологий склон упирается в стену: при большой скорости обучения шаг, задевший её, отбрасывает далеко назад, если градиент не ограничен.",
     "0.3*(1 - x)*(1 - h) + 8*h - 0.01*x + 0.1*y^2", ((-4.0, 3.0), (-3.0, 3.0)), (-3.0, 2.0), where={"h": "(1 + tanh(15*(x - 1)))/2"})
