"""Initial weights: too small, and signals die on their way through the layers; too large, and neurons saturate or signals explode.

A rule is `rule(rng, fan_in, fan_out, h, seen)`: it draws the weights (fan_in, fan_out) of one layer; `h.scale` multiplies what the
formula says, and may be (K, 1, 1) for K networks that begin alike up to it. Only layerwise looks at `seen`, the inputs of that layer
(n, fan_in) and the targets (n, outputs), or None. A sum of n inputs has Var(s) = n·Var(w)·Var(x), where x has the mean 0.
"""

from __future__ import annotations

import inspect
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np

from .core import Choice, Param, Range, Registry, Setting, T, resolve


def no_bias(rng: np.random.Generator, fan_in: int, fan_out: int, h: Any) -> np.ndarray:
    """Biases begin at 0."""
    return np.zeros((1, fan_out))


@dataclass(frozen=True, eq=False)
class Initializer:
    """A rule with its texts; `bias` draws the row (1, fan_out) that is added to every example."""

    key: str
    name: T
    idea: T
    rule: Callable[..., np.ndarray]
    bias: Callable[..., np.ndarray]
    params: Mapping[str, Setting]
    bundle: Any
    looks: bool  # whether the rule wants to see what its layer will be shown

    @property
    def paper(self) -> str:
        """Where the formula comes from."""
        return inspect.getdoc(self.rule) or ""

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Checked parameters by name, the rest at their defaults."""
        return self.bundle(**resolve(self.params, given))


initializers: Registry[Initializer] = Registry()


def initializer(name: T, idea: T, bias: Callable[..., np.ndarray] = no_bias, looks: bool = False,
                **params: Setting) -> Callable[[Callable], Callable]:
    """Register a rule under its own name; unless it says otherwise, its scale is a multiple."""
    def register(rule: Callable) -> Callable:
        key, settings = rule.__name__, {"scale": SCALE, **params}
        initializers.add(key, Initializer(key, name, idea, rule, bias, settings, namedtuple(f"{key}_settings", list(settings)),
                                          looks))
        return rule
    return register


POSSIBLE = Range(0.0, 1e200)
SCALE = Param(1.0, 0.01, 100.0, log=True, allowed=POSSIBLE)


# --- the initializers, in teaching order --------------------------------------------------------------------------------------------


@initializer(T("Zeros", "Нули"),
             T("All neurons of a layer are the same, and stay the same: there is as good as one.",
               "Все нейроны слоя одинаковы и остаются одинаковыми: по сути, в слое один нейрон."))
def zeros(rng, fan_in, fan_out, h, seen):
    return h.scale * np.zeros((fan_in, fan_out))


@initializer(T("Small random numbers", "Малые случайные числа"),
             T("N(0, σ²) with the same σ in every layer, 0.01 say: through many layers the signal dies, or the neurons saturate.",
               "N(0, σ²) с одним σ для всех слоёв, например 0.01: через много слоёв сигнал затухает или нейроны насыщаются."),
             scale=Param(0.01, 1e-4, 10.0, log=True, allowed=POSSIBLE))
def normal(rng, fan_in, fan_out, h, seen):
    return h.scale * rng.standard_normal((fan_in, fan_out))


@initializer(T("Xavier", "Ксавье (Xavier)"),
             T("N(0, 1)/√n for n inputs: a sum of inputs varies as much as one of them. Right for tanh, too small for ReLU.",
               "N(0, 1)/√n при n входах: сумма входов имеет тот же разброс, что и один вход. Подходит для tanh, для ReLU мало."))
def xavier(rng, fan_in, fan_out, h, seen):
    """LeCun, Bottou, Orr & Müller 1998, Efficient BackProp; lectures call it by the first name of Glorot."""
    return h.scale * rng.standard_normal((fan_in, fan_out)) / sqrt(fan_in)


@initializer(T("He", "Хе (He)"),
             T("N(0, 1)/√(n/2): ReLU cuts off half of the inputs' squares, so that the weights make up for it.",
               "N(0, 1)/√(n/2): ReLU отсекает половину квадратов входов, и веса это возмещают."))
def he(rng, fan_in, fan_out, h, seen):
    """He, Zhang, Ren & Sun 2015, Delving deep into rectifiers."""
    return h.scale * rng.standard_normal((fan_in, fan_out)) / sqrt(fan_in / 2)


@initializer(T("Glorot, uniform", "Глоро, равномерное"), bound=Choice("root", ("root", "as_printed")),
             idea=T("±√6/√(n + m) for n inputs and m outputs, a compromise: signals keep their size forwards, gradients backwards.",
                    "±√6/√(n + m) при n входах и m выходах — компромисс: сигнал сохраняет размах по пути вперёд, градиент — назад."))
def glorot_uniform(rng, fan_in, fan_out, h, seen):
    """Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks."""
    six = 6.0 if h.bound == "as_printed" else sqrt(6)  # a lecture that forgets the root begins 2.4 times too wide
    return h.scale * rng.uniform(-1, 1, (fan_in, fan_out)) * six / sqrt(fan_in + fan_out)


def uniform_bias(rng: np.random.Generator, fan_in: int, fan_out: int, h: Any) -> np.ndarray:
    """Drawn as the weights are."""
    return h.scale * rng.uniform(-1, 1, (1, fan_out)) / sqrt(fan_in)


@initializer(T("Uniform by inputs", "Равномерное по числу входов"), bias=uniform_bias,
             idea=T("±1/√n for n inputs, biases too: the default of torch's linear layer. A third of Xavier's variance.",
                    "±1/√n при n входах, смещения тоже: так по умолчанию в линейном слое torch. Дисперсия втрое меньше, чем у Ксавье."))
def uniform_fan_in(rng, fan_in, fan_out, h, seen):
    """LeCun, Bottou, Orr & Müller 1998, Efficient BackProp."""
    return h.scale * rng.uniform(-1, 1, (fan_in, fan_out)) / sqrt(fan_in)


@initializer(T("Orthogonal", "Ортогональное"),
             T("Columns (or rows) at right angles, of length 1: a square layer turns and mirrors, and changes no length, forwards or backwards.",
               "Ортонормированные столбцы (или строки): квадратный слой поворачивает и отражает, не меняя длин ни вперёд, ни назад."))
def orthogonal(rng, fan_in, fan_out, h, seen):
    """Saxe, McClelland & Ganguli 2014, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks."""
    q, r = np.linalg.qr(rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out))))
    q = q * np.sign(np.diag(r))  # else the algorithm would prefer some directions
    return h.scale * (q if fan_in >= fan_out else q.T)


def tenth_bias(rng: np.random.Generator, fan_in: int, fan_out: int, h: Any) -> np.ndarray:
    """Biases begin at 0.1."""
    return np.full((1, fan_out), 0.1)


@initializer(T("As in the Playground", "Как в Playground"), bias=tenth_bias,
             idea=T("Between −0.5 and 0.5, biases 0.1: what TensorFlow Playground begins with.",
                    "От −0.5 до 0.5, смещения 0.1: с этого начинает TensorFlow Playground."))
def playground(rng, fan_in, fan_out, h, seen):
    """Smilkov, Carter, Sculley, Viégas & Wattenberg 2017, Direct-manipulation visualization of deep networks."""
    return h.scale * rng.uniform(-0.5, 0.5, (fan_in, fan_out))


RIDGE = 1e-3  # beside inputs of variance 1: a neuron may be shown fewer examples than it has inputs


@initializer(T("Layer by layer", "Послойное обучение"), looks=True,
             share=Param(0.1, 0.01, 1.0, log=True, allowed=Range(0.0, 1.0, open_low=True), one=True),
             idea=T("Each neuron is first trained alone, a linear model of some examples; the next layer then sees what this one gives out.",
                    "Каждый нейрон сначала учится отдельно, как линейная модель на своей подвыборке; следующий слой видит уже выходы этого."))
def layerwise(rng, fan_in, fan_out, h, seen):
    """Each neuron parts one random half of the outputs from the other, by least squares; its sums then get the variance 1."""
    weights = xavier(rng, fan_in, fan_out, h._replace(scale=1.0), None)
    inputs, targets = seen or (np.empty((0, fan_in)), np.empty((0, 1)))
    for neuron in range(fan_out if len(inputs) else 0):
        some = rng.choice(len(inputs), ceil(h.share * len(inputs)), replace=False)
        sides = rng.permutation(np.resize(rng.permutation([1.0, -1.0]), targets.shape[-1]))
        x, y = inputs[some], targets[some] @ sides
        w = np.linalg.solve(x.T @ x + RIDGE * len(x) * np.eye(fan_in), x.T @ y)
        sums = inputs @ w
        if sums.std() > 1e-9 * np.abs(sums).max():  # else nothing tells these examples apart
            weights[:, neuron] = w / sums.std()
    return h.scale * weights
