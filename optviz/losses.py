"""Losses: what an output of a network costs beside the truth y.

A rule is `rule(out, y, h, xp)` with `h` the loss's own parameters. It gives elements, (..., n, outputs), or (..., n, 1) where the
outputs of an example are judged together; a network takes their mean over the last two axes, as torch does, or their sum.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import autograd
from .activations import LAYER_NOTATION, MEANS, log1pexp
from .core import Choice, Param, Range, Refused, Registry, Setting, T, resolve, words
from .latex import formula


@dataclass(frozen=True, eq=False)
class Loss:
    """A formula with its texts: of the outputs and y, or of the margin M = y·ŷ alone, which is above 0 where the sign is right."""

    key: str
    name: T
    idea: T
    formula: Callable[..., Any]
    coding: str  # what y is: one-hot "classes", "signs" ±1, or "values", which may be signs
    margin: bool
    chances: Callable[[np.ndarray], np.ndarray] | None
    params: Mapping[str, Setting]
    symbols: Mapping[str, str]
    bundle: Any

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Checked parameters by name, the rest at their defaults."""
        return self.bundle(**resolve(self.params, given))

    def latex(self, **options: str) -> str:
        """The formula with the chosen options, read from its own source."""
        return formula(self.formula, words(self.params, options), self.symbols, LOSS_NOTATION, MEANS)

    def rule(self, out: Any, y: Any, h: Any, xp: Any) -> Any:
        """The elements of the loss."""
        return self.formula(y * out, h, xp) if self.margin else self.formula(out, y, h, xp)

    def soft_rule(self, out: Any, y: Any, h: Any, xp: Any) -> Any:
        """The same for labels that were smoothed: a sign between −1 and 1 is the mean of a random one, and so is its loss."""
        if not self.margin:
            return self.formula(out, y, h, xp)
        plus = (1 + y) / 2  # how probable +1 is
        return plus * self.formula(out, h, xp) + (1 - plus) * self.formula(-out, h, xp)

    def outputs(self, classes: int) -> int:
        """How many outputs tell the classes apart: where y is a sign, one is enough for two."""
        return 1 if classes == 2 and self.coding != "classes" else classes

    def targets(self, labels: Any, classes: int = 0, smoothing: Any = 0.0) -> np.ndarray:
        """y as the rule wants it, (..., n, outputs): of labels 0, 1, …, (..., n); without classes the labels are values and stay as they are."""
        if not classes:
            if self.coding != "values":
                raise Refused(T(f"loss={self.key!r} needs classes; choose mse or half_mse where values are to be learned",
                                f"loss={self.key!r} — только для классов; чтобы обучать числам, выберите mse или half_mse"))
            return np.asarray(labels, float)
        shares = (1 - smoothing) * np.eye(classes)[np.asarray(labels, int)] + smoothing / classes
        return shares if self.coding == "classes" else (2 * shares - 1)[..., -self.outputs(classes):]

    def smoothing(self, alpha: float, classes: int) -> float:
        """The smoothing under which the true label has the share α and the others have 1 − α together."""
        Param(1.0, 1 / classes, 1.0, allowed=Range(1 / classes, 1.0)).check("alpha", alpha)
        return (1 - alpha) * classes / (classes - 1)

    def decide(self, out: Any) -> Any:
        """The class that the outputs speak for, (..., n)."""
        out = out if hasattr(out, "argmax") else np.asarray(out)
        return out.argmax(-1) if out.shape[-1] > 1 else (out[..., 0] > 0) * 1

    def probabilities(self, out: Any) -> np.ndarray | None:
        """Of every class, (..., n, classes), where the loss gives the outputs such a meaning."""
        return None if self.chances is None else self.chances(np.asarray(out, float))

    def initial(self, classes: int, **params: Any) -> float:
        """The loss of a network that says 0 to everything, as an untrained one nearly does: ln C for cross-entropy."""
        y = self.targets(np.arange(classes), classes)
        return float(np.mean(self.rule(np.zeros_like(y), y, self.settings(params), autograd)))


losses: Registry[Loss] = Registry()


def loss(name: T, idea: T, coding: str, margin: bool = False, chances: Callable[[np.ndarray], np.ndarray] | None = None,
         symbols: Mapping[str, str] | None = None, **params: Setting) -> Callable[[Callable], Callable]:
    """Register a formula under its own name."""
    def register(rule: Callable) -> Callable:
        key = rule.__name__
        losses.add(key, Loss(key, name, idea, rule, coding, margin, chances, params, symbols or {}, namedtuple(f"{key}_settings", list(params))))
        return rule
    return register


# --- words that formulas share ------------------------------------------------------------------------------------------------------


def summed(a: Any) -> Any:
    """Over the outputs of each example."""
    return a.sum(-1, keepdims=True)


def log_softmax(out: Any, xp: Any) -> Any:
    """Logarithms of the shares e^s / Σe^s; the largest score is taken off first, so that no exp overflows."""
    lowered = out - xp.amax(out, -1, keepdims=True)
    return lowered - xp.log(summed(xp.exp(lowered)))


def violations(out: Any, xp: Any) -> Any:
    """For each class, were it the true one: by how much the others come closer to its score than 1, or pass it."""
    gaps = out[..., None, :] - out[..., :, None]
    return xp.relu(gaps + 1).sum(-1) - 1  # less its own gap, which is 0


def softmax(out: np.ndarray) -> np.ndarray:
    """The shares e^s / Σe^s."""
    return np.exp(log_softmax(out, autograd))


def sigmoids(out: np.ndarray) -> np.ndarray:
    """One output tells two classes apart; each of several judges its own class against the rest, so they need not add up to 1."""
    return autograd.sigmoid(np.concatenate([-out, out], -1) if out.shape[-1] == 1 else out)


LOSS_NOTATION = LAYER_NOTATION | {
    "summed": r"\sum_c {0}", "log_softmax": r"\ln \frac{{e^{{{0}}}}}{{\sum_j e^{{s_j}}}}",
    "violations": r"\sum_{{j \ne c}} \max\left(0, s_j - {0} + 1\right)",
}
VALUES: Mapping[str, str] = {"out": r"\hat{y}"}
SCORES: Mapping[str, str] = {"out": "s_c", "y": "y_c"}
MARGIN: Mapping[str, str] = {"m": "M"}


# --- the losses, in teaching order --------------------------------------------------------------------------------------------------


@loss(T("Squared error", "Квадратичная ошибка"), coding="values", symbols=VALUES,
      idea=T("Far from the truth counts much more than near it, on either side: a class that is too certain is punished too.",
             "Большие отклонения в любую сторону весят намного больше малых: слишком уверенный верный ответ тоже наказывается."))
def mse(out, y, h, xp):
    return (out - y) ** 2


@loss(T("Half the squared error", "Половина квадрата ошибки"), coding="values", symbols=VALUES,
      idea=T("The same, halved, so that its derivative is the error itself: what backpropagation starts with.",
             "То же, но пополам: производная — сама ошибка, с неё начинается обратное распространение."))
def half_mse(out, y, h, xp):
    return (out - y) ** 2 / 2


@loss(T("Cross-entropy", "Перекрёстная энтропия"), coding="classes", chances=softmax, symbols=SCORES,
      idea=T("Softmax makes probabilities of the scores; the loss is minus the logarithm of what the true class gets.",
             "Softmax превращает оценки классов в вероятности; потеря — минус логарифм вероятности верного класса."))
def ce(out, y, h, xp):
    return -summed(y * log_softmax(out, xp))


@loss(T("Multiclass hinge (SVM)", "Многоклассовая кусочно-линейная (SVM)"), coding="classes", symbols=SCORES,
      idea=T("The true class must lead every other by 1; what is missing is added up, and nothing more is asked for.",
             "Верный класс должен опережать каждый другой на 1; складывается то, чего не хватает, и большего не требуется."))
def svm(out, y, h, xp):
    return summed(y * violations(out, xp))


@loss(T("Hinge", "Кусочно-линейная (hinge)"), coding="signs", margin=True, symbols=MARGIN,
      idea=T("Straight, and 0 from the margin 1 on: examples that are clearly right teach nothing.",
             "По прямой до отступа 1, дальше 0: уверенно верные примеры ничему не учат."))
def hinge(m, h, xp):
    return xp.relu(1 - m)


@loss(T("Logistic", "Логистическая"), coding="signs", margin=True, chances=sigmoids, symbols=MARGIN,
      idea=T("A smooth hinge: cross-entropy of two classes whose output is ln of the odds.",
             "Гладкая кусочно-линейная: перекрёстная энтропия двух классов, где выход — логарифм отношения шансов."))
def logistic(m, h, xp):
    return log1pexp(-m, xp)


@loss(T("Exponential", "Экспоненциальная"), coding="signs", margin=True, symbols=MARGIN,
      idea=T("One example on the far wrong side outweighs all others: outliers pull the boundary. The loss of AdaBoost.",
             "Один пример далеко не на своей стороне перевесит все остальные: выбросы тянут границу к себе. Потеря AdaBoost."))
def exponential(m, h, xp):
    return xp.exp(-m)


@loss(T("Sigmoid", "Сигмоидная"), coding="signs", margin=True, symbols=MARGIN, form=Choice("falling", ("falling", "as_printed")),
      idea=T("No example can cost more than 1: outliers are given up, and so is whoever begins far on the wrong side.",
             "Ни один пример не стоит дороже 1: с выбросами она смиряется, но и с теми, кто начал далеко не на своей стороне."))
def sigmoid(m, h, xp):
    if h.form == "as_printed":  # it grows with the margin: descending it, a network learns the opposite
        return xp.sigmoid(m)
    return xp.sigmoid(-m)
