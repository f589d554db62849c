"""Inside: one look of the layers lab, at a network, a sweep, a chain, an activation or a recurrence; its complete state, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from .activations import activations
from .chain import NUMBER, chain
from .core import Choice, Param, Range, Registry, T
from .initializers import POSSIBLE
from .probe import Probe, probe
from .probe_presets import Sight, sights
from .query import Query
from .recurrence import TABLE, through_time
from .scales import scale_sweep

#: What can be looked at, in lecture order.
ABOUT: Mapping[str, T] = {
    "activation": T("An activation and its derivative", "Активация и её производная"),
    "chain": T("A chain of single neurons", "Цепочка из одиночных нейронов"),
    "layers": T("The layers before training", "Слои до обучения"),
    "training": T("The layers in training", "Слои в ходе обучения"),
    "sweep": T("Scales × depths", "Масштабы × глубины"),
    "loss": T("The loss before training", "Потеря до обучения"),
    "time": T("Through time: recurrence", "Сквозь время: рекуррентная сеть"),
}
TRAINED = 100  # steps of a training, where nobody says how many
SWEPT = 16  # scales of a sweep
MOST_SHOWN = 2**23  # examples of a sweep, times its width's square: more take minutes
CLASSES = (2, 3, 5, 10, 20, 50, 100)
TIMES = (0.1, 1.0, 10.0)  # the scale at which the loss before training is looked at
THREE = ("below", "at", "above")  # the scales of a recurrence
WEIGHTS = tuple(f"w{k}" for k in range(1, 6))
MULTIPLES = np.logspace(-2, 2, 81)  # of all the weights of a chain
_END = Param(0.1, 1e-3, 1e3, log=True, allowed=Range(1e-12, 1e12), one=True)
_OWN = replace(NUMBER, low=-10.0, high=10.0, one=True)
_SCALE = replace(TABLE["scale"], one=True)
#: The numbers that each has besides what its network is.
NUMBERS: Mapping[str, Mapping[str, Any]] = {
    "sweep": {"low": _END, "high": replace(_END, default=10.0), "seeds": Param(2, 1, 10, allowed=Range(1, 20), whole=True, one=True),
              "of": Choice("activations", ("activations", "weights"))},
    "chain": {"function": Choice("sigmoid", tuple(key for key, a in activations.items() if a.bound is not None)), **dict.fromkeys(WEIGHTS, _OWN),
              "x": replace(_OWN, low=-5.0, high=5.0), "target": replace(_OWN, default=0.0, low=-2.0, high=2.0)},
    "time": {"function": Choice("tanh", tuple(key for key in activations if key != "maxout")), "init": Choice("xavier", ("xavier", "orthogonal")),
             "below": replace(_SCALE, default=0.5), "at": _SCALE, "above": replace(_SCALE, default=2.0),
             **{name: replace(TABLE[name], one=True) for name in ("size", "steps", "drive", "clip", "seed")}},
}
BEND = 1 / 6  # maxout's pieces touch the parabola z²/6


@dataclass(frozen=True, init=False)
class Inside:
    """What is looked at, the network that it is about, and its own numbers where they are others."""

    about: str
    probe: Probe
    numbers: tuple[tuple[str, Any], ...]

    def __init__(self, about: str = "layers", probe: Probe | None = None, numbers: Mapping[str, Any] | None = None):
        put, probe, table = object.__setattr__, probe or Probe(), NUMBERS.get(about, {})
        put(self, "about", Choice("layers", tuple(ABOUT)).check("about", about))
        if about == "training":
            probe = probe if probe["steps"] else probe.at(steps=TRAINED)
        elif probe["steps"]:
            probe = probe.at(steps=0)
        put(self, "probe", probe)
        checked = {name: table[name].check(f"own_{name}", value) for name, value in (numbers or {}).items() if name in table}
        put(self, "numbers", tuple((name, checked[name]) for name in table if name in checked and checked[name] != table[name].default))

    def number(self, name: str) -> Any:
        """One of its own numbers."""
        return dict(self.numbers).get(name, NUMBERS[self.about][name].default)

    @property
    def own(self) -> dict[str, Any]:
        """All of them."""
        return {name: self.number(name) for name in NUMBERS.get(self.about, {})}

    @property
    def printed(self) -> Sight | None:
        """The sight that this is, whatever its seed; its lecture may have printed numbers."""
        own = self.probe.at(seed=0, steps=0)
        return next((s for s in sights.values() if self.about == "layers" and s.probe == own), None)

    def at(self, **changes: Any) -> Inside:
        """The same with another `about`, network (`probe`) or some other numbers."""
        return Inside(changes.get("about", self.about), changes.get("probe", self.probe), {**dict(self.numbers), **changes.get("numbers", {})})

    def to_query(self) -> str:
        """The URL's query."""
        own = [(f"own_{name}", value if isinstance(value, str) else repr(value)) for name, value in self.numbers]
        return f"{urlencode([('about', self.about), *own])}&{self.probe.to_query()}"

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Inside:
        """The look of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        about = read.attempt("about", lambda v: Choice("layers", tuple(ABOUT)).check("about", v), "layers")
        numbers = read.settings({f"own_{name}": p for name, p in NUMBERS.get(about, {}).items()})
        return Inside(about, Probe.from_query(read.rest(), notes), {name.removeprefix("own_"): value for name, value in numbers.items()})


# --- what comes out -------------------------------------------------------------------------------------------------------------------------


def find(spec: Inside, progress: Callable[..., Any] | None = None) -> Any:
    """What is to be shown: Layers, a ScaleSweep, losses (classes, scales), a Chain for every multiple of the weights, or three Recurrences in one."""
    own = spec.own
    if spec.about in ("layers", "training"):
        return probe(spec.probe, progress=progress)
    if spec.about == "sweep":
        scales = np.unique(np.geomspace(own["low"], own["high"], SWEPT))
        first = spec.probe["seed"] % 2**31
        return scale_sweep(spec.probe, batch=examples_of(spec.probe), scales=scales, seeds=range(first, first + own["seeds"]), progress=progress)
    if spec.about == "loss":
        return first_losses(spec.probe, progress)
    if spec.about == "chain":
        weights = np.array([own[name] for name in WEIGHTS])
        with np.errstate(over="ignore"):
            many = np.clip(weights[:, None] * np.append(1.0, MULTIPLES), -1e300, 1e300)
        return chain(many, own["x"], own["target"], own["function"])
    if spec.about == "time":
        return through_time(**{name: own[name] for name in ("size", "steps", "init", "drive", "clip", "seed")}, activation=own["function"],
                            scale=np.array([own[name] for name in THREE]), progress=progress)
    return None


def examples_of(spec: Probe) -> int:
    """How many of its examples a sweep of the page shows to its networks."""
    return min(spec["batch"], max(MOST_SHOWN // max(*spec["layers"][:1], 1) ** 2, 8))


def classes_of(spec: Probe) -> list[int]:
    """The numbers of classes at which the loss before training is looked at: the digits have no others."""
    return [spec["outputs"]] if spec["data"] == "digits" else [*CLASSES]


def scales_of(spec: Probe) -> np.ndarray:
    """The scales at which the loss before training is looked at: a tenth of the initialization's, the scale itself, and ten times it."""
    return np.minimum(spec["init_scale"] * np.array(TIMES), POSSIBLE.high)


def first_losses(spec: Probe, progress: Callable[..., Any] | None = None) -> np.ndarray:
    """The loss before training over classes and scales."""
    many = classes_of(spec)
    rows = []
    for k, classes in enumerate(many):
        rows.append(probe(spec, outputs=classes, init_scale=scales_of(spec)).loss)
        if progress:
            progress(k + 1, len(many))
    return np.array(rows)


def drawn(spec: Probe, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first activation's value and derivative at some sums, and the pieces that they are made of: of maxout, lines that touch a parabola."""
    a = activations[spec["activation"][0]]
    own = {name: spec[f"{a.key}_{name}"] for name in a.params}
    with np.errstate(all="ignore"):
        if (many := a.pieces(a.settings(own))) == 1:
            return a.value(z, **own), a.derivative(z, **own), np.empty((0, len(z)))
    slopes = np.linspace(-1.5, 1.5, many)
    lines = np.stack([s * z - s * s / (4 * BEND) for s in slopes])
    return np.max(lines, 0), slopes[np.argmax(lines, 0)], lines


# --- what is worth showing, in lecture order --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opening:
    """A look with its claim."""

    name: T
    do: T
    see: T
    look: Inside


openings: Registry[Opening] = Registry()


def _sight(key: str) -> None:
    s = sights[key]
    openings.add(key, Opening(s.name, s.do, s.see, Inside("training" if s.probe["steps"] else "layers", s.probe)))


openings.add("shapes", Opening(
    T("What a neuron hands back", "Что нейрон пропускает назад"),
    T("Drag the point along the curve; then click another activation below.", "Ведите точку по кривой, затем щёлкните по другой активации ниже."),
    T("The gradient that passes is the slope of the tangent. Of a sigmoid it is 1/4 at most, and beyond |z| = 4.6 less than a hundredth: "
      "there the neuron is saturated.",
      "Назад проходит градиент, умноженный на наклон касательной. У сигмоиды он не больше 1/4, а при |z| > 4,6 меньше сотой: "
      "там нейрон насыщен."),
    Inside("activation", Probe(activation="sigmoid"))))
openings.add("pieces", Opening(
    T("Maxout: the highest of several lines", "Maxout: верхняя из нескольких прямых"),
    T("Change how many lines there are.", "Меняйте число прямых."),
    T("Straight pieces, always convex, and the slope is that of a line everywhere: nothing saturates.",
      "Выпуклая ломаная из прямых, и наклон везде — наклон одной из них: насыщения нет."),
    Inside("activation", Probe(activation="maxout", maxout_pieces=4))))
openings.add("chain", Opening(
    T("Five sigmoids in a row", "Пять сигмоид подряд"),
    T("Set one weight to −3, then to 0; then choose ReLU.", "Поставьте один из весов −3, потом 0, затем выберите ReLU."),
    T("With weights of 1 each factor σ′·w is 0.2 to 0.225, their product 0.0005; what comes back lies under the bound 2·(1/4)⁵·Π|w| = 0.002.",
      "При весах, равных 1, каждый множитель σ′·w — от 0,2 до 0,225, их произведение — 0,0005; градиент ниже границы 2·(1/4)⁵·Π|w| = 0,002."),
    Inside("chain")))
openings.add("chain_large", Opening(
    T("Larger weights saturate, they do not explode", "Большие веса насыщают, а не взрывают"),
    T("Compare the bound with what comes back, then choose ReLU.", "Сравните границу с тем, что приходит назад, затем выберите ReLU."),
    T("With weights of 10 the bound is 195, yet hardly 10⁻¹⁷ comes back: σ′ falls faster than the weights grow. ReLU hands back 10⁵ times the error.",
      "При весах, равных 10, граница равна 195, а назад приходит около 10⁻¹⁷: σ′ падает быстрее, чем растут веса. ReLU возвращает ошибку, "
      "умноженную на 10⁵."),
    Inside("chain", numbers=dict.fromkeys(WEIGHTS, 10.0))))
_sight("paralysis")
_sight("early")
openings.add("recurrence", Opening(
    T("Far back in time nothing is left", "Из далёкого прошлого ничего не остаётся"),
    T("Raise the size of the inputs to 1: the neurons saturate.", "Увеличьте размах входов до 1: нейроны насыщаются."),
    T("Of a change of the first state, the last one, forty steps on, feels at most a few billionths at half the scale, a half at scale 1, and "
      "thirteen times the change at twice the scale. The product of the Jacobians' norms misleads: at scale 1 it is twenty billion times too large.",
      "От изменения начального состояния до последнего, через сорок шагов, доходит не больше нескольких миллиардных при половинном масштабе, "
      "половины при масштабе 1, а при двойном изменение вырастает в тринадцать раз. Произведение норм якобианов обманывает: "
      "при масштабе 1 оно завышено в двадцать миллиардов раз."),
    Inside("time")))
openings.add("clipping", Opening(
    T("Clipping holds what explodes", "Ограничение удерживает то, что взрывается"),
    T("Move the clip; then open the cliff in the Descent lab.", "Меняйте порог, затем откройте обрыв в лаборатории спуска."),
    T("Orthogonal W of a linear network: 0.9, 1 and 1.1 times each step, in 40 steps 0.015, 1 and 45. Shortened at every step, no gradient is longer "
      "than the clip.",
      "Ортогональная W линейной сети: 0,9, 1 и 1,1 на каждом шаге, за 40 шагов — 0,015, 1 и 45. Если укорачивать на каждом шаге, градиент "
      "не длиннее порога."),
    Inside("time", numbers={"function": "linear", "init": "orthogonal", "below": 0.9, "above": 1.1, "clip": 3.0})))
for _key in ("small", "xavier", "he"):
    _sight(_key)
openings.add("sweep", Opening(
    T("The edge of chaos", "Край хаоса"),
    T("Choose ReLU; then batch norm.", "Выберите ReLU, затем нормализацию по пакету."),
    T("Left of the line gradients vanish with depth, right of it they explode. In theory, of endlessly wide and deep networks, it stands for tanh at "
      "Xavier's own scale; fifty layers of a hundred neurons hand on as much as they get at 1.2 times that.",
      "Левее линии градиенты с глубиной затухают, правее — взрываются. По теории бесконечно широких и глубоких сетей для tanh она стоит при масштабе "
      "самой инициализации Ксавье; у пятидесяти слоёв по сто нейронов градиент не меняется при масштабе в 1,2 раза больше."),
    Inside("sweep", Probe(inputs=100, layers=(100,), outputs=10, activation="tanh"))))
for _key in ("by_inputs", "as_printed", "as_meant", "large", "tanh_he", "relu_xavier", "batchnorm", "residual"):
    _sight(_key)
openings.add("guess", Opening(
    T("Before training: ln C", "До обучения: ln C"),
    T("Raise the scale of the first weights.", "Увеличьте масштаб начальных весов."),
    T("A network that knows nothing gives every class 1/C, and cross-entropy is ln C: 2.30 for ten. A larger loss says that the first weights are "
      "too large: the network is sure, and wrong.",
      "Сеть, которая ничего не знает, даёт каждому классу 1/C, и перекрёстная энтропия равна ln C: для десяти — 2,30. Если она больше, "
      "начальные веса слишком велики: сеть уверена и ошибается."),
    Inside("loss", Probe(inputs=100, layers=(100,), activation="relu", init="he"))))


def opening_of(look: Inside) -> str | None:
    """The opening that is on, if one is."""
    return next((key for key, opening in openings.items() if opening.look == look), None)


FIRST = openings["paralysis"].look


def opening(query: str, notes: list[T] | None = None) -> Inside:
    """The look of a query, and the first that a lecture prints where it is empty."""
    return Inside.from_query(query, notes) if query else FIRST
