"""The data sets: each is drawn by one rule from a seed, and a visitor's own data is a data set like any other.

A rule is `rule(n, noise, points, noises, h) -> (X, y)`: n examples as rows, y a class index each or a row of target values each.
`points` and `noises` are generators of their own, so more noise moves the same points; `h` holds the set's own parameters.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from numbers import Real
from types import SimpleNamespace
from typing import Any

import numpy as np

from .chance import Draw, generator
from .core import SEED, SHARE, Choice, Param, Range, Refused, Registry, Setting, T, resolve, shown
from .minima import Box

ROWS, COLUMNS, OUTPUTS = 5_000, 1_000, 100  # the most that data may have: a visitor's examples; inputs; classes or targets
LIMIT = 1e100  # the square of a number up to here is finite
N = Param(500, 10, 2_000, log=True, allowed=Range(1, 10_000), whole=True, one=True)
NOISE = Param(0.0, 0.0, 0.5, allowed=SHARE, one=True)
KIND = Choice("classes", ("classes", "values"))


@dataclass(frozen=True, eq=False)
class Sample:
    """Examples as rows of X; y holds class indices (n,) or target values (n, outputs); labels[y[i]] is what a user calls it."""

    X: np.ndarray
    y: np.ndarray
    labels: tuple = ()

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for values."""
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A rule with its texts and parameters, and what a picture of it must know."""

    key: str
    name: T
    idea: T
    make: Callable[..., tuple[np.ndarray, np.ndarray]]
    params: Mapping[str, Setting] = field(hash=False)
    kind: str  # "classes" or "values"
    inputs: int | None  # None: as many as its parameter `inputs` says
    box: Box | None  # where its points lie; of one input: the input, then the target
    image: tuple[int, int] | None  # rows and columns of pixels, row by row
    labels: tuple | str  # in the order of the indices, or the parameter that counts them
    size: int | None  # how many examples there are; None: as many as one asks for

    def __repr__(self) -> str:
        return f"Dataset({self.key!r}, {self.kind}{f', {self.size} examples' if self.size else ''})"

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Checked parameters by name, the rest at their defaults."""
        return SimpleNamespace(**resolve(self.params, given))

    def sample(self, n: int | None = None, noise: float = 0.0, seed: int = 0, **params: float) -> Sample:
        """n examples; without n all there are, or 500 of a set that has no end."""
        h = self.settings(params)
        n = N.check("n", (self.size or N.default) if n is None else n)
        if self.size and n > self.size:
            raise Refused(T(f"there are {self.size} examples, not {n}; choose n up to {self.size}",
                            f"примеров всего {self.size}, а не {n}; выберите n не больше {self.size}"))
        seed = SEED.check("seed", seed)
        X, y = self.make(n, NOISE.check("noise", noise), generator(seed, Draw.POINTS), generator(seed, Draw.NOISE), h)
        return Sample(X, y, counted(getattr(h, self.labels)) if isinstance(self.labels, str) else self.labels)


def counted(classes: int) -> tuple[int, ...]:
    """What classes are called that have no names: -1 and +1, or 0, 1, 2 and so on."""
    return (-1, 1) if classes == 2 else tuple(range(classes))


datasets: Registry[Dataset] = Registry()
FIVE: Box = ((-6.0, 6.0), (-6.0, 6.0))  # sets that reach 5 in each direction, with room around them


def drawn(name: T, idea: T, params: Mapping[str, Setting] | None = None, *, kind: str = "classes", inputs: int | None = 2, box: Box | None = FIVE,
          image: tuple[int, int] | None = None, labels: tuple | str = (-1, 1), size: int | None = None) -> Callable[[Callable], Callable]:
    """Register a rule under its own name."""
    def register(rule: Callable) -> Callable:
        key = rule.__name__
        datasets.add(key, Dataset(key, name, idea, rule, params or {}, kind, inputs, box, image, labels if kind == "classes" else (), size))
        return rule
    return register


def in_turn(n, classes):
    """0, 1, 2, 0, 1, 2, …: every beginning of the data holds as many of each class."""
    return np.arange(n) % classes


def along(n, classes, points):
    """0, 1, 2, … within each class, in random order, and how many a class has."""
    length = -(-n // classes)
    return points.permuted(np.tile(np.arange(length)[:, None], classes), axis=0).ravel()[:n], length


def displaced(X, reach, noise, noises):
    """Where the noise would move each point: U(±reach) · noise on each axis."""
    return X + noise * noises.uniform(-reach, reach, X.shape)


# --- classes in the plane; the first four as TensorFlow Playground draws them -------------------------------------------------------


@drawn(T("Circle", "Круг"),
       T("A disc inside a ring. With noise, a point is labelled by where the noise would move it, so labels near the border are mixed.",
         "Круг внутри кольца. При шуме метка берётся там, куда шум сдвинул бы точку, поэтому метки у границы перемешаны."))
def circle(n, noise, points, noises, h):
    inside = in_turn(n, 2)
    share, angle = points.uniform(size=n), points.uniform(0, 2 * math.pi, n)
    r = np.where(inside == 1, 2.5 * share, 3.5 + 1.5 * share)
    X = np.stack([r * np.sin(angle), r * np.cos(angle)], -1)
    moved = displaced(X, 5, noise, noises)
    return X, (np.hypot(moved[:, 0], moved[:, 1]) < 2.5).astype(int)


@drawn(T("Exclusive or", "Исключающее ИЛИ"),
       T("Opposite quarters of the plane are of one class. With noise, labels near the axes are mixed.",
         "Противоположные четверти плоскости относятся к одному классу. При шуме метки у осей перемешаны."))
def xor(n, noise, points, noises, h):
    X = points.uniform(-5, 5, (n, 2))
    X += np.where(X > 0, 0.3, -0.3)
    moved = displaced(X, 5, noise, noises)
    return X, (moved[:, 0] * moved[:, 1] >= 0).astype(int)


@drawn(T("Two Gaussians", "Два гауссовых облака"),
       T("Two clouds around (2, 2) and (−2, −2); noise widens them from variance 0.5 to 4.",
         "Два облака вокруг (2, 2) и (−2, −2); шум расширяет их: дисперсия растёт от 0,5 до 4."))
def gauss(n, noise, points, noises, h):
    y = in_turn(n, 2)
    return cloud(np.where(y == 1, 2.0, -2.0)[:, None], n, noise, points), y


def cloud(centres, n, noise, points):
    """Normal points around their centres, with variance 0.5 without noise and 4 at noise 0.5."""
    return centres + math.sqrt(0.5 + 7 * noise) * points.normal(size=(n, 2))


@drawn(T("Spirals", "Спирали"),
       T("Arms that wind around each other, one class an arm.", "Рукава, закрученные друг вокруг друга: каждый — свой класс."),
       {"arms": Param(2, 2, 8, allowed=Range(2, 8), whole=True, one=True)}, labels="arms")
def spiral(n, noise, points, noises, h):
    arm = in_turn(n, h.arms)
    i, length = along(n, h.arms, points)
    t = 1.75 * 2 * math.pi * i / length + 2 * math.pi * (arm + 1) / h.arms  # of two arms, the second starts at 0, as in the Playground
    r = 5 * i / length
    return displaced(np.stack([r * np.sin(t), r * np.cos(t)], -1), 1, noise, noises), arm


@drawn(T("Two moons", "Два полумесяца"), T("Two half circles that reach into each other.", "Две полуокружности, входящие одна в другую."),
       box=((-2.0, 3.0), (-1.5, 2.0)))
def moons(n, noise, points, noises, h):
    lower = in_turn(n, 2)
    i, length = along(n, 2, points)
    t = math.pi * i / max(length - 1, 1)
    X = np.where(lower[:, None], np.stack([1 - np.cos(t), 0.5 - np.sin(t)], -1), np.stack([np.cos(t), np.sin(t)], -1))
    return X + noise * noises.normal(size=(n, 2)), lower


@drawn(T("Blobs", "Несколько облаков"),
       T("Clouds around points of a circle, one class a cloud; noise widens them.",
         "Облака вокруг точек окружности: каждое — свой класс; шум их расширяет."),
       {"classes": Param(3, 2, 10, allowed=Range(2, 10), whole=True, one=True)}, labels="classes")
def blobs(n, noise, points, noises, h):
    y = in_turn(n, h.classes)
    angle = 2 * math.pi * y / h.classes
    return cloud(4 * np.stack([np.cos(angle), np.sin(angle)], -1), n, noise, points), y


@drawn(T("Checkerboard", "Шахматная доска"),
       T("Four by four squares of two colours. With noise, labels near the edges are mixed.",
         "Четыре на четыре клетки двух цветов. При шуме метки у границ клеток перемешаны."))
def checkerboard(n, noise, points, noises, h):
    X = points.uniform(-5, 5, (n, 2))
    return X, np.floor(displaced(X, 2.5, noise, noises) / 2.5).sum(-1).astype(int) % 2


# --- values -------------------------------------------------------------------------------------------------------------------------


@drawn(T("Plane", "Плоскость"), T("The target is (x + y)/10.", "Цель равна (x + y)/10."), kind="values")
def plane(n, noise, points, noises, h):
    X = points.uniform(-6, 6, (n, 2))
    return X, displaced(X, 6, noise, noises).sum(-1, keepdims=True) / 10


#: Six hills and hollows: their centres, and +1 or -1.
BUMPS = np.array([[-4, 2.5, 1], [0, 2.5, -1], [4, 2.5, 1], [-4, -2.5, -1], [0, -2.5, 1], [4, -2.5, -1]])


@drawn(T("Six bumps", "Шесть бугров"),
       T("Three hills and three hollows; each falls off in a straight line from ±1 at its centre to 0 at distance 2.",
         "Три холма и три впадины; каждый линейно спадает от ±1 в центре до 0 на расстоянии 2."), kind="values")
def gauss_bumps(n, noise, points, noises, h):
    X = points.uniform(-6, 6, (n, 2))
    moved = displaced(X, 6, noise, noises)
    distance = np.hypot(moved[:, :1] - BUMPS[:, 0], moved[:, 1:] - BUMPS[:, 1])
    return X, (BUMPS[:, 2] * np.clip(1 - distance / 2, 0, None)).sum(-1, keepdims=True)  # no two of them meet


@drawn(T("x·sin x of one input", "x·sin x от одного входа"),
       T("A wave that grows with x; the noise is on the target.", "Волна, которая растёт с x; шум добавляется к цели."),
       kind="values", inputs=1, box=((0.0, 10.0), (-8.0, 10.0)))
def x_sin_x(n, noise, points, noises, h):
    X = points.uniform(0, 10, (n, 1))
    return X, X * np.sin(X) + noise * noises.normal(size=(n, 1))


@drawn(T("Random numbers", "Случайные числа"),
       T("Normal inputs and normal targets that have nothing to do with them: whatever a network learns here, it learns by heart.",
         "Нормальные входы и не связанные с ними нормальные цели: всё, чему сеть здесь учится, она заучивает."),
       {"inputs": Param(1000, 1, 1000, log=True, allowed=Range(1, COLUMNS), whole=True, one=True),
        "outputs": Param(10, 1, OUTPUTS, log=True, allowed=Range(1, OUTPUTS), whole=True, one=True)}, kind="values", inputs=None, box=None)
def random(n, noise, points, noises, h):
    return points.normal(size=(n, h.inputs)), points.normal(size=(n, h.outputs)) + noise * noises.normal(size=(n, h.outputs))


# --- images -------------------------------------------------------------------------------------------------------------------------


@cache
def handwriting():
    """The 1,797 images of digits.txt, scaled to 0..1, and what they show."""
    rows = np.frombuffer(gzip.decompress(resources.files("optviz").joinpath("digits.gz").read_bytes()), np.uint8).reshape(65, 1797)
    return rows[:64].T / 16, rows[64].astype(int)


@drawn(T("Handwritten digits", "Рукописные цифры"),
       T("1,797 images of 8×8 pixels; noise adds a normal number to each pixel.",
         "1797 изображений 8×8 пикселей; шум прибавляет к каждому пикселю нормальное число."),
       inputs=64, box=None, image=(8, 8), labels=tuple(range(10)), size=1797)
def digits(n, noise, points, noises, h):
    images, y = handwriting()
    rows = points.permutation(len(y))[:n]
    return images[rows] + noise * noises.normal(size=(n, 64)), y[rows]


# --- a visitor's own data -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Own:
    """The rule of a visitor's own data: examples in random order, kept as bytes so that equal data are equal."""

    inputs: bytes
    columns: int
    targets: bytes
    outputs: int  # 0: the targets are class indices
    held: bytes | None = None  # a byte for each example: whether it validates; None: chance decides, and draws their order, too

    @property
    def empty(self) -> bool:
        """Whether there is no example: then one stands in for them, so that there can be a network, and nobody is shown it."""
        return not self.inputs

    def __call__(self, n: int, noise: float, points: np.random.Generator, noises: np.random.Generator, h: Any) -> tuple[np.ndarray, np.ndarray]:
        X = np.frombuffer(self.inputs).reshape(-1, self.columns)
        y = np.frombuffer(self.targets).reshape(-1, self.outputs) if self.outputs else np.frombuffer(self.targets, np.int64)
        if self.empty:
            X, y = np.zeros((1, self.columns)), np.zeros((1, *y.shape[1:]), y.dtype)
        rows = points.permutation(len(X))[:n] if self.held is None else np.arange(n)
        return X[rows] + noise * X.std(axis=0) * noises.normal(size=(n, self.columns)), y[rows]


def dataset(X: Any, y: Any, name: str | None = None, kind: str | None = None, held: Any = None, labels: Any = None) -> Dataset:
    """A data set of one's own: X has a row for each example; y holds numbers or texts, whole numbers being classes unless kind="values".

    `held` says of each example whether it validates; without it, chance decides. `labels` names all classes, where some have no example.
    """
    inputs, given = table(X, "X"), column(y)
    if inputs.ndim != 2 or not 1 <= inputs.shape[1] <= COLUMNS:
        raise Refused(T(f"X must be a table with a row for each example and 1 to {COLUMNS} columns, but its shape is {inputs.shape}; "
                        "a single input is a table of one column",
                        f"X должен быть таблицей: строка на каждый пример и от 1 до {COLUMNS} столбцов, а его форма — {inputs.shape}; "
                        "единственный вход — это таблица из одного столбца"))
    if len(given) != len(inputs):
        raise Refused(T(f"X has {len(inputs)} rows and y has {len(given)}; give y one label or target for each row of X",
                        f"в X строк: {len(inputs)}, а в y: {len(given)}; нужна одна метка или цель на каждую строку X"))
    if kind is not None:
        KIND.check("kind", kind)
    elif given.ndim == 1 and all(isinstance(v, str) or v == math.floor(v) for v in given):
        kind = "classes"
    else:
        kind = "values"
    if kind == "classes":
        targets, called = indexed(given, labels)
    else:
        targets, called = np.ascontiguousarray(table(given, "y").reshape(len(given), -1)), ()
        if targets.shape[1] > OUTPUTS:
            raise Refused(T(f"y has {targets.shape[1]} columns; give 1 to {OUTPUTS}", f"в y столбцов: {targets.shape[1]}; нужно от 1 до {OUTPUTS}"))
    if held is not None and (np.shape(held) != (len(inputs),) or np.asarray(held).dtype != bool or np.all(held)):
        raise Refused(T(f"held must say True or False for each of the {len(inputs)} rows, and False for one of them at least",
                        f"held — это True или False для каждой из строк (их {len(inputs)}), и хотя бы одно из значений — False"))
    axes = np.hstack([inputs, targets]) if inputs.shape[1] == 1 and kind == "values" else inputs
    return own(inputs, targets, called, held, framed(axes) if axes.shape[1] == 2 else None, name)


def own(X: np.ndarray, y: np.ndarray, labels: tuple = (), held: np.ndarray | None = None, box: Box | None = None, name: str | None = None) -> Dataset:
    """A visitor's data made of arrays that are as they should be: y holds class indices (n,), or values (n, outputs) where there are no labels."""
    rule = Own(np.asarray(X, float).tobytes(), X.shape[1], np.asarray(y, np.int64 if labels else float).tobytes(), 0 if labels else y.shape[1],
               None if held is None else np.asarray(held, bool).tobytes())
    called = " ".join((name or "").split())[:60]
    return Dataset("own", T(called, called) if called else T("Your data", "Ваши данные"), T("Data of your own.", "Ваши собственные данные."),
                   rule, {}, "classes" if labels else "values", X.shape[1], box, None, labels, max(len(X), 1))


def as_given(data: Dataset) -> tuple[list[Any], list[Any]]:
    """The X and y that a visitor's own data were made of."""
    own = data.make
    assert isinstance(own, Own)
    X = np.frombuffer(own.inputs).reshape(-1, own.columns).tolist()
    if own.outputs:
        return X, np.frombuffer(own.targets).reshape(-1, own.outputs).tolist()
    return X, [data.labels[i] for i in np.frombuffer(own.targets, np.int64)]


def table(data: Any, what: str) -> np.ndarray:
    """An array of finite numbers; the first row that holds anything else is refused."""
    a = cells(data, what)
    if a.dtype.kind in "biuf":
        good = np.abs(a) <= LIMIT
    else:
        good = np.array([usable(v) and not isinstance(v, str) for v in a.ravel()], bool).reshape(a.shape)
    if not good.all():
        row, *rest = np.argwhere(~good)[0]
        raise bad_row(what, row, a[(row, *rest)], T("give finite numbers only", "допустимы только конечные числа"))
    return np.ascontiguousarray(a, np.float64)


def column(data: Any) -> np.ndarray:
    """What y holds, as Python's own numbers and texts, (n,) or (n, outputs); the first row that is neither is refused."""
    a = cells(data, "y")
    a = (a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a).astype(object)
    for at, value in np.ndenumerate(a):
        if not usable(value):
            raise bad_row("y", at[0], value, T("give a text or a finite number", "нужен текст или конечное число"))
    return a


def cells(data: Any, what: str) -> np.ndarray:
    """The array that rows of one length make; texts beside numbers stay what they are."""
    try:
        a = np.asarray(data)
        a = np.asarray(data, object) if a.dtype.kind == "U" else a
    except (ValueError, OverflowError):
        lengths = [len(row) if hasattr(row, "__len__") else 0 for row in data]
        row = next((i for i, length in enumerate(lengths) if length != lengths[0]), 0)
        raise bad_row(what, row, data[row], T("give every row as many numbers as the first",
                                              "в каждой строке должно быть столько же чисел, сколько в первой")) from None
    if a.ndim not in (1, 2):
        raise Refused(T(f"{what} must be a list or a table with one row for each example, but its shape is {a.shape}",
                        f"{what} должен быть списком или таблицей, по строке на каждый пример, а его форма — {a.shape}"))
    if not 1 <= len(a) <= ROWS:
        raise Refused(T(f"{what} has {len(a)} rows; give 1 to {ROWS}", f"в {what} строк: {len(a)}; нужно от 1 до {ROWS}"))
    return a


def usable(value: Any) -> bool:
    """True for a finite number and for a text that is not blank."""
    return bool(value.strip()) if isinstance(value, str) else isinstance(value, Real) and -LIMIT <= value <= LIMIT  # type: ignore[operator]


def bad_row(what: str, row: int, value: Any, advice: T) -> Refused:
    """The one sentence for data that cannot be used, with the row counted from 1."""
    value = value.item() if isinstance(value, np.generic) else value
    return Refused(T(f"row {row + 1} of {what} (the first is row 1) holds {shown(value)}; {advice.en}",
                     f"в строке {row + 1} данных {what} (первая — строка 1) стоит {shown(value)}; {advice.ru}"))


def indexed(given: np.ndarray, labels: Any = None) -> tuple[np.ndarray, tuple]:
    """Class indices and the labels: in the order of those given, or sorted."""
    if given.ndim > 1:
        raise Refused(T('y must hold one label for each row; for several targets a row, say kind="values"',
                        'в y должна быть одна метка на строку; если в строке несколько целей, укажите kind="values"'))
    for row, value in enumerate(given):
        if isinstance(value, str) != isinstance(given[0], str):
            raise bad_row("y", row, value, T("give labels that are all texts or all numbers", "метки должны быть либо все текстом, либо все числами"))
        if not isinstance(value, str) and value != math.floor(value):
            raise bad_row("y", row, value, T('give whole numbers as labels, or say kind="values"',
                                             'метки должны быть целыми; иначе укажите kind="values"'))
    known = {v if isinstance(v, str | bool) else int(v) for v in given}
    labels = tuple(sorted(known) if labels is None else labels)
    if not all(isinstance(label, str | int) for label in labels) or len(set(labels)) < len(labels):
        raise Refused(T("labels must be texts or whole numbers, no two of them equal", "labels — это строки или целые числа, все разные"))
    if missing := [label for label in known if label not in labels]:
        raise Refused(T(f"labels does not name {shown(missing[0])}, which stands in y; name every class",
                        f"в labels нет {shown(missing[0])}, а в y эта метка есть; назовите все классы"))
    if not 2 <= len(labels) <= OUTPUTS:
        raise Refused(T(f'y has {len(labels)} different labels; give 2 to {OUTPUTS}, or say kind="values" if they are numbers to predict',
                        f'в y разных меток: {len(labels)}; нужно от 2 до {OUTPUTS}, а если это числа для предсказания, укажите kind="values"'))
    index = {label: i for i, label in enumerate(labels)}
    return np.array([index[v] for v in given], np.int64), labels


def framed(axes: np.ndarray) -> Box:
    """Where the columns of (n, 2) lie, with a tenth of room on each side."""
    (x0, y0), (x1, y1) = axes.min(axis=0).tolist(), axes.max(axis=0).tolist()
    dx, dy = (x1 - x0) / 10 or max(1.0, abs(x0) / 10), (y1 - y0) / 10 or max(1.0, abs(y0) / 10)
    return (x0 - dx, x1 + dx), (y0 - dy, y1 + dy)
