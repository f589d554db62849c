"""Activations: what a neuron makes of its sum z; without one, layers of any number are one line.

A rule is `rule(z, h, xp)` with `h` the activation's own parameters; it works on each number by itself. Only maxout looks at
several: its last axis are the pieces of one neuron.
"""

from __future__ import annotations

import inspect
import math
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import autograd
from .core import POSITIVE, Param, Range, Registry, Setting, T, resolve
from .latex import NOTATION, formula, number

#: A neuron whose derivative is smaller hands back less than a hundredth of the gradient.
SATURATED = 0.01


@dataclass(frozen=True, eq=False)
class Activation:
    """A rule with its texts and parameters; those in `learned` start at their value and are trained like weights."""

    key: str
    name: T
    idea: T
    rule: Callable[..., Any]
    params: Mapping[str, Setting]
    learned: tuple[str, ...]
    bound: float | None  # of the derivative's magnitude, where one number says it
    symbols: Mapping[str, str]
    bundle: Any

    @property
    def paper(self) -> str:
        """Where the formula comes from."""
        return inspect.getdoc(self.rule) or ""

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Checked parameters by name, the rest at their defaults."""
        return self.bundle(**resolve(self.params, given))

    def pieces(self, h: Any) -> int:
        """How many sums one neuron is made of: the layer before is as many times wider."""
        return getattr(h, "pieces", 1)

    def value(self, z: Any, **params: Any) -> np.ndarray:
        """The rule on numbers."""
        return self.rule(np.asarray(z, float), self.settings(params), autograd)

    def derivative(self, z: Any, **params: Any) -> np.ndarray:
        """By each number itself, found by backpropagation."""
        at = autograd.Value(z)
        self.rule(at, self.settings(params), autograd).backward()
        return at.grad

    def saturated(self, z: Any, **params: Any) -> np.ndarray:
        """Where hardly any gradient passes."""
        return np.abs(self.derivative(z, **params)) < SATURATED

    def latex(self, **params: float) -> str:
        """The formula, read from the rule's own source; parameters that are given stand in it as numbers."""
        h = self.settings(params)
        shown = {name: number(getattr(h, name)) for name in params}
        return formula(self.rule, {}, {**self.symbols, **shown}, LAYER_NOTATION, MEANS)


activations: Registry[Activation] = Registry()


def activation(name: T, idea: T, learned: tuple[str, ...] = (), bound: float | None = None, symbols: Mapping[str, str] | None = None,
               **params: Setting) -> Callable[[Callable], Callable]:
    """Register a rule under its own name."""
    def register(rule: Callable) -> Callable:
        key = rule.__name__
        activations.add(key, Activation(key, name, idea, rule, params, learned, bound, symbols or {}, namedtuple(f"{key}_settings", list(params))))
        return rule
    return register


# --- words that formulas share: each computes what it means without leaving the floats, backwards too ------------------------------


def below(z: Any, xp: Any) -> Any:
    """The smaller of z and 0: z itself where z ≤ 0, with slope 1 at 0 too."""
    return z - xp.relu(z)


def flat(c: float, z: Any) -> Any:
    """The number c, in the shape and type of z."""
    return c + 0 * z


def log1pexp(z: Any, xp: Any) -> Any:
    """ln(1 + e^z), where e^z would overflow; z − 2·max(0, z) is −|z|, but has a slope at 0."""
    return xp.relu(z) + xp.log(1 + xp.exp(z - 2 * xp.relu(z)))


def arsinh(z: Any, xp: Any) -> Any:
    """ln(z + √(z²+1)), where the sum would cancel to 0 for z far below 0: the function is odd."""
    root = xp.sqrt(z * z + 1)
    return xp.where(z > 0, xp.log(xp.relu(z) + root), -xp.log(root - below(z, xp)))


#: What these words mean, as a formula in z, and how functions of a layer are written.
MEANS = {"below": "z", "flat": "z", "log1pexp": "log(1 + exp(z))", "arsinh": "log(z + sqrt(z * z + 1))", "sigmoid": "1 / (1 + exp(-z))"}
LAYER_NOTATION = NOTATION | {"relu": r"\max\left(0, {0}\right)", "amax": r"\max_k {0}_k"}


# --- the activations, in teaching order ---------------------------------------------------------------------------------------------


@activation(T("Linear", "Линейная"), bound=1.0,
            idea=T("The sum as it is: layers of it, however many, are one line together.",
                   "Сумма как есть: сколько бы ни было таких слоёв, вместе они — одна линейная функция."))
def linear(z, h, xp):
    return z


@activation(T("Heaviside", "Функция Хевисайда"), bound=0.0,
            idea=T("A threshold: the neuron fires or does not. The derivative is 0, so that no gradient can teach it.",
                   "Порог: нейрон сработал или нет. Производная равна 0, и градиентом такой нейрон не обучить."))
def heaviside(z, h, xp):
    """McCulloch & Pitts 1943, A logical calculus of the ideas immanent in nervous activity."""
    return xp.where(z > 0, flat(1, z), 0)


@activation(T("Sigmoid", "Сигмоида"), bound=0.25,
            idea=T("A smooth threshold from 0 to 1. Its derivative is at most 1/4, so that every layer weakens the gradient.",
                   "Гладкий порог от 0 до 1. Производная не больше 1/4, поэтому каждый слой ослабляет градиент."))
def sigmoid(z, h, xp):
    """Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors."""
    return xp.sigmoid(z)


@activation(T("Hyperbolic tangent", "Гиперболический тангенс"), bound=1.0,
            idea=T("A sigmoid from −1 to 1: outputs around zero, and a derivative of 1 in the middle.",
                   "Сигмоида от −1 до 1: выходы вокруг нуля, в середине производная равна 1."))
def tanh(z, h, xp):
    """LeCun, Bottou, Orr & Müller 1998, Efficient BackProp."""
    return xp.tanh(z)


@activation(T("ReLU", "ReLU (положительная срезка)"), bound=1.0,
            idea=T("What is positive passes unchanged, its gradient too; what is negative is cut off, and a neuron always below 0 is dead.",
                   "Положительное проходит без изменений, и градиент тоже; отрицательное срезается, и нейрон, чья сумма всегда ниже 0, мёртв."))
def relu(z, h, xp):
    """Nair & Hinton 2010, Rectified linear units improve restricted Boltzmann machines."""
    return xp.relu(z)


@activation(T("Leaky ReLU", "Leaky ReLU (с утечкой)"), symbols={"slope": "a"}, slope=Param(0.1, 0.0, 1.0),
            idea=T("A small slope below 0 keeps every neuron alive.", "Небольшой наклон ниже нуля не даёт нейрону умереть."))
def leaky_relu(z, h, xp):
    """Maas, Hannun & Ng 2013, Rectifier nonlinearities improve neural network acoustic models."""
    return xp.where(z > 0, z, h.slope * z)


@activation(T("PReLU", "PReLU (с обучаемым наклоном)"), learned=("alpha",), alpha=Param(0.25, 0.0, 1.0),
            idea=T("The slope below 0 is trained together with the weights.", "Наклон ниже нуля обучается вместе с весами."))
def prelu(z, h, xp):
    """He, Zhang, Ren & Sun 2015, Delving deep into rectifiers."""
    return xp.where(z > 0, z, h.alpha * z)


@activation(T("ELU", "ELU (экспоненциальная линейная)"), alpha=Param(1.0, 0.1, 10.0, log=True, allowed=POSITIVE),
            idea=T("Below 0 an exponential levels off at −α, which brings the mean of the outputs closer to zero.",
                   "Ниже нуля экспонента выходит на уровень −α: среднее выходов ближе к нулю."))
def elu(z, h, xp):
    """Clevert, Unterthiner & Hochreiter 2015, Fast and accurate deep network learning by exponential linear units."""
    return xp.where(z > 0, z, h.alpha * (xp.exp(below(z, xp)) - 1))


@activation(T("Softplus", "Softplus (гладкая срезка)"), bound=1.0,
            idea=T("ReLU without its corner; the derivative is the sigmoid.", "ReLU без излома; производная — сигмоида."))
def softplus(z, h, xp):
    """Dugas, Bengio, Bélisle, Nadeau & Garcia 2000, Incorporating second-order functional knowledge for better option pricing."""
    return log1pexp(z, xp)


@activation(T("Gaussian", "Гауссовская"), bound=math.sqrt(2 / math.e),
            idea=T("A bell: the neuron answers only close to its line, and is silent on both sides of it.",
                   "Колокол: нейрон отвечает только вблизи своей прямой и молчит по обе стороны от неё."))
def gaussian(z, h, xp):
    """Broomhead & Lowe 1988, Multivariable functional interpolation and adaptive networks."""
    return xp.exp(-(z * z))


@activation(T("Logarithmic", "Логарифмическая"), bound=1.0,
            idea=T("Grows without end, but ever more slowly: it has no flat ends, and its derivative fades only as 1/|z|.",
                   "Растёт без предела, но всё медленнее: горизонтальных асимптот нет, производная убывает лишь как 1/|z|."))
def logarithmic(z, h, xp):
    """The inverse of the hyperbolic sine."""
    return arsinh(z, xp)


@activation(T("GELU", "GELU (срезка с гауссовским весом)"),
            idea=T("z times about the share of a normal distribution that lies below z: a smooth ReLU, as transformers have it.",
                   "z, умноженное (приближённо) на долю нормального распределения ниже z: гладкая ReLU, обычная в трансформерах."))
def gelu(z, h, xp):
    """Hendrycks & Gimpel 2016, Gaussian error linear units, the form with tanh."""
    return z / 2 * (1 + xp.tanh((2 / math.pi) ** 0.5 * (z + 0.044715 * z * z * z)))


@activation(T("SiLU", "SiLU (срезка с весом-сигмоидой)"),
            idea=T("z times its own sigmoid, also called swish: a smooth ReLU that dips a little below 0.",
                   "z, умноженное на свою же сигмоиду (swish): гладкая ReLU, слегка уходящая ниже нуля."))
def silu(z, h, xp):
    """Elfwing, Uchibe & Doya 2017, Sigmoid-weighted linear units for neural network function approximation."""
    return z * xp.sigmoid(z)


@activation(T("Maxout", "Maxout (наибольшая из сумм)"), pieces=Param(2, 2, 8, allowed=Range(2, 64), whole=True, one=True),
            idea=T("The largest of several sums: each neuron learns its own convex shape from straight pieces.",
                   "Наибольшая из нескольких сумм: каждый нейрон сам учит выпуклую ломаную."))
def maxout(z, h, xp):
    """Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, Maxout networks."""
    return xp.amax(z, -1)
