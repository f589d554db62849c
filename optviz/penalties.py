"""Penalties: what large weights cost, so that a network does not learn its examples by heart.

A rule is `rule(w, h, xp)`: what the weights (P, *batch) add to the loss, one number for each member of the batch; `h.strength` is λ.
Its gradient pulls every weight towards 0, but no gradient step ends at 0. So a penalty may act on the weights themselves instead,
after the optimizer's step: `after(new, old, amount, h, xp)`, with amount = learning rate × strength.
Which of the weights are penalized is the caller's business; biases usually are not.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .activations import LAYER_NOTATION, MEANS, flat
from .core import NOT_NEGATIVE, Choice, Param, Registry, Setting, T, resolve, words
from .latex import formula
from .optimizers.base import dot, norm1


@dataclass(frozen=True, eq=False)
class Penalty:
    """A rule with its texts, and what it does to the weights after a step, if anything."""

    key: str
    name: T
    idea: T
    rule: Callable[..., Any]
    move: Callable[..., Any] | None
    params: Mapping[str, Setting]
    bundle: Any

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Checked parameters by name, the rest at their defaults."""
        return self.bundle(**resolve(self.params, given))

    def value(self, w: Any, h: Any, xp: Any) -> Any:
        """What the weights add to the loss, whichever way they are pulled."""
        return self.rule(w, h, xp)

    def in_gradient(self, h: Any) -> bool:
        """Whether the value belongs into what is differentiated."""
        return self.move is None or getattr(h, "step", "") == "sign"

    def after(self, new: Any, old: Any, amount: Any, h: Any, xp: Any) -> Any:
        """The weights after the optimizer has brought them from old to new."""
        return new if self.move is None or self.in_gradient(h) else self.move(new, old, amount, h, xp)

    def latex(self, **options: str) -> str:
        """The formula of the value, read from its own source."""
        return formula(self.rule, words(self.params, options), SYMBOLS, PENALTY_NOTATION, MEANS)

    def latex_after(self, **options: str) -> str:
        """The formula of what a weight becomes after a step; nothing where nothing happens to it."""
        if self.move is None or self.in_gradient(self.settings(options)):
            return ""
        return formula(self.move, words(self.params, options), SYMBOLS, PENALTY_NOTATION, MEANS)


penalties: Registry[Penalty] = Registry()
STRENGTH = Param(0.0, 1e-6, 10.0, log=True, allowed=NOT_NEGATIVE)
STEP = Choice("proximal", ("proximal", "sign"))


def penalty(name: T, idea: T, move: Callable[..., Any] | None = None, **params: Setting) -> Callable[[Callable], Callable]:
    """Register a rule under its own name."""
    def register(rule: Callable) -> Callable:
        key, settings = rule.__name__, {"strength": STRENGTH, **params}
        penalties.add(key, Penalty(key, name, idea, rule, move, settings, namedtuple(f"{key}_settings", list(settings))))
        return rule
    return register


SYMBOLS = {"strength": r"\lambda", "new": "w'", "old": "w", "amount": r"\alpha \lambda"}
PENALTY_NOTATION = LAYER_NOTATION | {
    "dot": r"\sum_i {0}_i^2", "norm1": r"\sum_i \left|{0}_i\right|",
    "shrunk": r"\operatorname{{sign}}\left({0}\right) \max\left(0, \left|{0}\right| - {1}\right)",
}


def shrunk(v: Any, amount: Any, xp: Any) -> Any:
    """The soft threshold: nearer to 0 by an amount, and exactly 0 where that would pass it."""
    return xp.relu(v - amount) - xp.relu(-v - amount)


# --- what happens after a step ------------------------------------------------------------------------------------------------------


def thresholded(new, old, amount, h, xp):
    """The w with the least (w − w')²/2 + αλ|w|."""
    return shrunk(new, amount, xp)


def thresholded_and_scaled(new, old, amount, h, xp):
    """The w with the least (w − w')²/2 + αλ(β w² + |w|)."""
    return shrunk(new, amount, xp) / (1 + 2 * h.beta * amount)


def decayed(new, old, amount, h, xp):
    """The optimizer's step beside a share taken off the old weight: Loshchilov & Hutter 2019, Decoupled weight decay regularization."""
    return new - amount * old


# --- the penalties, in teaching order -----------------------------------------------------------------------------------------------


@penalty(T("L2", "L2 (сумма квадратов)"), scale=Choice("half", ("half", "whole")),
         idea=T("Every weight is pulled towards 0 in proportion to itself: many small weights rather than a few large ones.",
                "Каждый вес тянет к нулю пропорционально ему самому: лучше много малых весов, чем несколько больших."))
def l2(w, h, xp):
    if h.scale == "whole":
        return h.strength * dot(w, w)
    return h.strength / 2 * dot(w, w)


@penalty(T("L1", "L1 (сумма модулей)"), move=thresholded, step=STEP,
         idea=T("The pull is the same on large and small weights, so that weights which the data do not need become 0.",
                "Большие и малые веса тянет к нулю с одной силой, поэтому веса, не нужные данным, обнуляются."))
def l1(w, h, xp):
    return h.strength * norm1(w)


@penalty(T("Elastic net", "Эластичная сеть (L1 + L2)"), move=thresholded_and_scaled, step=STEP, beta=Param(1.0, 0.0, 10.0, allowed=NOT_NEGATIVE),
         idea=T("L1 makes zeros; L2 shares a weight out among inputs that say the same.",
                "L1 обнуляет лишнее, а L2 делит вес поровну между входами, которые говорят одно и то же."))
def elastic(w, h, xp):
    return h.strength * (h.beta * dot(w, w) + norm1(w))


@penalty(T("Weight decay", "Затухание весов (weight decay)"), move=decayed,
         idea=T("Every step takes a share off each weight, past the optimizer: for plain descent that is L2, for Adam it is not.",
                "Каждый шаг отнимает у веса его долю в обход оптимизатора: для обычного спуска это L2, для Adam — нет."))
def decay(w, h, xp):
    return flat(0, dot(w, w))
