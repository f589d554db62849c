"""Orders: which examples a pass shows, one after another; a batch is the next m of them.

A rule is `rule(sum, theta, now) -> indices`, n of them, at the θ where the pass begins; `now` is the pass's own generator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..core import Registry, T
from .sums import Sum

Rule = Callable[[Sum, np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Order:
    """A rule with its name."""

    key: str
    name: T
    idea: T
    rule: Rule


orders: Registry[Order] = Registry()


def _add(key: str, name: T, idea: T, rule: Rule) -> None:
    orders.add(key, Order(key, name, idea, rule))


def balanced(s: Sum, theta: np.ndarray, now: np.random.Generator) -> np.ndarray:
    """Each class in a random order, and the classes in turn: any place is of a class as often as the examples are, and so is any batch, to one."""
    mixed = now.permutation(s.n)
    others, ones = (mixed[s.group[mixed] == g] for g in (0, 1))
    turn = np.diff((np.arange(s.n + 1) * len(ones) + now.integers(s.n)) // s.n) == 1
    indices = np.empty(s.n, int)
    indices[turn], indices[~turn] = ones, others
    return indices


def hard(s: Sum, theta: np.ndarray, now: np.random.Generator) -> np.ndarray:
    """Drawn with replacement, each as often as its loss is large when the pass begins."""
    losses = s.losses(theta)
    whole = losses.sum()
    return now.choice(s.n, s.n, p=losses / whole if 0 < whole < np.inf else None)


_add("shuffled", T("shuffled each pass", "перемешаны каждую эпоху"),
     T("every example once a pass, each pass in another order", "каждый пример раз за эпоху, порядок каждый раз новый"),
     lambda s, theta, now: now.permutation(s.n))
_add("fixed", T("never shuffled again", "один и тот же порядок"),
     T("the order in which the examples stand, each pass", "каждую эпоху в том порядке, в каком примеры записаны"),
     lambda s, theta, now: np.arange(s.n))
_add("sorted", T("sorted by class", "упорядочены по классам"),
     T("one class, then the other; in the regression from left to right", "сначала один класс, потом другой; в регрессии — слева направо"),
     lambda s, theta, now: np.lexsort((s.x, s.group)))
_add("replacement", T("drawn with replacement", "с возвращением"),
     T("each time any of the examples: some come twice in a pass, some never",
       "каждый раз любой пример: за эпоху один попадётся дважды, другой ни разу"),
     lambda s, theta, now: now.integers(0, s.n, s.n))
_add("balanced", T("class-balanced", "поровну из классов"),
     T("in every batch each class has its share, to one example", "в каждом пакете у класса его доля с точностью до примера"), balanced)
_add("hard", T("hard examples more often", "трудные чаще"),
     T("an example as often as its loss is large", "пример тем чаще, чем больше его потеря"), hard)
