"""Learning-rate schedules: each gives the rate of step k (from 0) out of `steps`; only plateau looks at the loss.

A rule is `rule(k, lr, h, steps, xp) -> rate`, with `lr` the rate that was asked for and `h` the schedule's own parameters.
"""

from __future__ import annotations

import math
import sys
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .core import COUNT, COUNT_OR_NONE, NOT_NEGATIVE, POSITIVE, SHARE, Param, Range, Registry, Setting, T, resolve


@dataclass(frozen=True, eq=False)
class Schedule:
    """A rule with its texts and parameters; `fed` rules take the loss: rule(loss, state, h, xp) -> state, state[0] the rate."""

    key: str
    name: T
    idea: T
    rule: Callable[..., Any]
    params: Mapping[str, Setting]
    fed: bool
    bundle: Any

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Checked parameters by name, the rest at their defaults."""
        return self.bundle(**resolve(self.params, given))

    def at(self, k: Any, lr: Any, h: Any, steps: int, warmup: Any = 0) -> Any:
        """The rate of step k; a warm-up rises evenly to the first one, and the rule has the steps that are left."""
        rate = self.rule(np.clip(k - warmup, min=0), lr, h, np.clip(steps - warmup, min=1), np)
        return np.where(k < warmup, rate * (k + 1) / (warmup + 1), rate)

    def after(self, t: Any, loss: Any, state: Any, lr: Any, h: Any, warmup: Any, xp: Any) -> tuple[Any, ...]:
        """What a fed rule remembers after step t, counted from 1: it is told nothing before its warm-up is over."""
        rising = (lr * (t + 1) / (warmup + 1), *state[1:])
        return tuple(xp.where(t < warmup + 1, a, b) for a, b in zip(rising, self.rule(loss, state, h, xp), strict=True))

    def rates(self, steps: int, lr: float, loss: Any = None, warmup_steps: int = 0, **params: float) -> np.ndarray:
        """The rate of every step, (steps,); a fed rule wants the loss before each step."""
        h = self.settings(params)
        if not self.fed:
            with np.errstate(all="ignore"):
                return np.broadcast_to(self.at(np.arange(steps), lr, h, steps, warmup_steps), steps) + 0.0
        if loss is None:
            raise TypeError(f"{self.key} needs the loss before each step")
        state, out = begin(lr / (warmup_steps + 1)), np.empty(steps)
        for k in range(steps):
            out[k] = state[0]
            state = self.after(k + 1, loss[k], state, lr, h, warmup_steps, np)
        return out


schedules: Registry[Schedule] = Registry()


def schedule(name: T, idea: T, fed: bool = False, **params: Setting) -> Callable[[Callable], Callable]:
    """Register a rule under its own name."""
    def register(rule: Callable) -> Callable:
        key = rule.__name__
        schedules.add(key, Schedule(key, name, idea, rule, params, fed, namedtuple(f"{key}_settings", list(params))))
        return rule
    return register


def whole_run(length: Any, steps: int, xp: Any) -> Any:
    """A length in steps, of which 0 means all of the run."""
    return xp.where(length > 0, length, steps)


def half_cosine(high: Any, low: Any, share: Any, xp: Any) -> Any:
    """From high at share 0 to low at share 1 along half a cosine."""
    return low + (high - low) * (1 + xp.cos(math.pi * share)) / 2


_GAMMA = Param(0.1, 0.01, 1.0, log=True, allowed=POSITIVE)
_LENGTH = Param(0, 0, 1000, allowed=COUNT_OR_NONE, whole=True)
_PERIOD = Param(50, 1, 1000, log=True, allowed=COUNT, whole=True)
_ETA_MIN = Param(0.0, 0.0, 1.0, allowed=NOT_NEGATIVE)


@schedule(T("Constant", "Постоянная"), T("The rate does not change.", "Скорость обучения не меняется."))
def constant(k, lr, h, steps, xp):
    return lr + 0 * k


@schedule(T("Step", "Ступенчатая"),
          T("Multiply the rate by γ every so many steps.", "Умножать скорость обучения на γ через равное число шагов."),
          step_size=Param(100, 1, 1000, allowed=COUNT, whole=True), gamma=_GAMMA)
def step(k, lr, h, steps, xp):
    return lr * h.gamma ** xp.floor(k / h.step_size)


@schedule(T("Multi-step", "Ступенчатая, на заданных шагах"),
          T("Multiply the rate by γ at chosen steps.", "Умножать скорость обучения на γ на выбранных шагах."),
          milestone1=Param(150, 1, 1000, allowed=COUNT, whole=True), milestone2=Param(225, 1, 1000, allowed=COUNT, whole=True), gamma=_GAMMA)
def multistep(k, lr, h, steps, xp):
    return lr * xp.where(k < h.milestone1, 1.0, h.gamma) * xp.where(k < h.milestone2, 1.0, h.gamma)


@schedule(T("Exponential", "Экспоненциальная"),
          T("The same share of the rate is left after every step.", "Каждый шаг скорость обучения умножается на одно и то же число."),
          gamma=Param(0.99, 0.9, 1.0, allowed=POSITIVE))
def exponential(k, lr, h, steps, xp):
    return lr * h.gamma ** (1.0 * k)


@schedule(T("Polynomial", "Полиномиальная"),
          T("Down to zero along a power of the time left.", "Убывает до нуля как степень оставшегося времени."),
          total_iters=_LENGTH, power=Param(1.0, 0.1, 5.0, allowed=NOT_NEGATIVE))
def polynomial(k, lr, h, steps, xp):
    return lr * xp.clip(1 - k / whole_run(h.total_iters, steps, xp), min=0) ** h.power


@schedule(T("Linear", "Линейная"),
          T("From one share of the rate to another along a straight line: warm-up or wind-down.",
            "От одной доли скорости к другой по прямой: разогрев или затухание."),
          start_factor=Param(1 / 3, 0.0, 1.0, allowed=Range(0.0, 1.0, open_low=True)), end_factor=Param(1.0, 0.0, 1.0, allowed=SHARE),
          total_iters=Param(5, 0, 1000, allowed=COUNT_OR_NONE, whole=True))
def linear(k, lr, h, steps, xp):
    share = xp.clip(k / whole_run(h.total_iters, steps, xp), max=1)
    return lr * (h.start_factor + (h.end_factor - h.start_factor) * share)


@schedule(T("Cosine", "Косинусная"),
          T("Down along half a cosine: slowly at first, slowly at last.", "Вниз по половине косинуса: медленно в начале и в конце."),
          T_max=_LENGTH, eta_min=_ETA_MIN)
def cosine(k, lr, h, steps, xp):
    return half_cosine(lr, h.eta_min, k / whole_run(h.T_max, steps, xp), xp)


@schedule(T("Cosine with warm restarts", "Косинусная с перезапусками"),
          T("Cosine after cosine, each jump back giving the run a chance to leave where it sits.",
            "Косинус за косинусом: каждый скачок назад даёт шанс выбраться из текущего минимума."),
          T_0=_PERIOD, T_mult=Param(1, 1, 4, allowed=COUNT, whole=True), eta_min=_ETA_MIN)
def warm_restarts(k, lr, h, steps, xp):
    growth = h.T_mult - 1.0
    # 1e-9 keeps a restart on its step where the logarithm falls a bit short of a whole number
    n = xp.where(growth > 0, xp.floor(xp.log(1 + growth * k / h.T_0) / xp.log(1.0 * h.T_mult + (growth < 0.5)) + 1e-9), xp.floor(k / h.T_0))
    begun = xp.where(growth > 0, h.T_0 * (h.T_mult ** (1.0 * n) - 1) / (growth + (growth < 0.5)), n * h.T_0)
    length = h.T_0 * h.T_mult ** (1.0 * n)
    return half_cosine(lr, h.eta_min, (k - begun) / length, xp)


@schedule(T("One cycle", "Одноцикловая (one-cycle)"),
          T("Up to the rate and down to nearly nothing, once in the run.", "Вверх до заданной скорости и вниз почти до нуля — один раз за запуск."),
          pct_start=Param(0.3, 0.0, 1.0, allowed=Range(0.0, 1.0)), div_factor=Param(25.0, 1.0, 100.0, log=True, allowed=POSITIVE),
          final_div_factor=Param(1e4, 1.0, 1e6, log=True, allowed=POSITIVE))
def one_cycle(k, lr, h, steps, xp):
    low, top = lr / h.div_factor, h.pct_start * steps - 1
    rising = half_cosine(low, lr, k / xp.where(top > 0, top, 1), xp)
    left = steps - 1 - top
    falling = half_cosine(lr, low / h.final_div_factor, (k - top) / xp.where(left > 0, left, 1), xp)
    return xp.where(k > top, falling, rising)


def _wave(k, h, xp):
    """Which cycle this is, from 1, and how high the triangle stands, from 0 to 1."""
    turn = xp.floor(1 + k / (2 * h.step_size_up))
    along = 1 + k / (2 * h.step_size_up) - turn
    return turn, 1 - abs(2 * along - 1)


_WAVE: dict[str, Any] = {"step_size_up": _PERIOD, "base_factor": Param(0.1, 0.0, 1.0, allowed=SHARE)}


@schedule(T("Triangular", "Треугольная"),
          T("Up and down between two rates, again and again.", "Вверх и вниз между двумя скоростями, раз за разом."), **_WAVE)
def triangular(k, lr, h, steps, xp):
    _, height = _wave(k, h, xp)
    return lr * (h.base_factor + (1 - h.base_factor) * height)


@schedule(T("Triangular, halving", "Треугольная, с делением пополам"),
          T("Each triangle is half as high as the one before.", "Каждый следующий треугольник вдвое ниже предыдущего."), **_WAVE)
def triangular2(k, lr, h, steps, xp):
    turn, height = _wave(k, h, xp)
    return lr * (h.base_factor + (1 - h.base_factor) * height / 2.0 ** (turn - 1))


@schedule(T("Triangular, decaying", "Треугольная, затухающая"),
          T("Triangles under an exponential.", "Треугольники под экспонентой."), **_WAVE, gamma=Param(0.995, 0.9, 1.0, allowed=POSITIVE))
def exp_range(k, lr, h, steps, xp):
    _, height = _wave(k, h, xp)
    return lr * (h.base_factor + (1 - h.base_factor) * height * h.gamma ** (1.0 * k))


@schedule(T("Warm-up, then cosine", "Разогрев, затем косинус"),
          T("A straight rise, so that the first steps do no harm, then down along half a cosine.",
            "Подъём по прямой, чтобы первые шаги не навредили, затем вниз по половине косинуса."),
          warmup=Param(20, 0, 500, allowed=COUNT_OR_NONE, whole=True), start_factor=Param(0.01, 0.0, 1.0, allowed=SHARE), eta_min=_ETA_MIN)
def warmup_cosine(k, lr, h, steps, xp):
    rise = lr * (h.start_factor + (1 - h.start_factor) * k / xp.where(h.warmup > 0, h.warmup, 1))
    left = steps - h.warmup
    return xp.where(k < h.warmup, rise, half_cosine(lr, h.eta_min, (k - h.warmup) / xp.where(left > 0, left, 1), xp))


@schedule(T("Noam", "Расписание Noam"),
          T("A straight rise, then the inverse square root: the Transformer's schedule, with its peak at the rate.",
            "Подъём по прямой, затем обратно пропорционально корню из номера шага: расписание трансформера с пиком на заданной скорости."),
          warmup=Param(50, 1, 1000, log=True, allowed=COUNT, whole=True))
def noam(k, lr, h, steps, xp):
    n = k + 1.0
    return lr * xp.where(n < h.warmup, n / h.warmup, (h.warmup / n) ** 0.5)


@schedule(T("Inverse square root", "Обратный квадратный корень"),
          T("Slow enough to get anywhere, fast enough to calm the noise.", "Достаточно медленно, чтобы дойти, и достаточно быстро, чтобы унять шум."))
def sqrt(k, lr, h, steps, xp):
    return lr * (k + 1.0) ** -0.5


def begin(lr: Any) -> tuple[Any, Any, Any, Any]:
    """Plateau before the first step: rate, best loss, steps without a better one, steps of rest left."""
    return lr, sys.float_info.max + 0 * lr, 0 * lr, 0 * lr


@schedule(T("Reduce on plateau", "Снижение на плато"),
          T("Lower the rate when the loss has not improved for a while.", "Снижать скорость обучения, когда функция потерь давно не убывает."),
          fed=True, factor=Param(0.1, 0.01, 0.99, allowed=Range(0.0, 1.0, open_high=True)),
          patience=Param(10, 0, 100, allowed=COUNT_OR_NONE, whole=True), threshold=Param(1e-4, 1e-6, 0.1, log=True, allowed=NOT_NEGATIVE),
          cooldown=Param(0, 0, 100, allowed=COUNT_OR_NONE, whole=True), min_lr=Param(0.0, 0.0, 1.0, allowed=NOT_NEGATIVE),
          eps=Param(1e-8, 1e-12, 1e-3, log=True, allowed=NOT_NEGATIVE))
def plateau(loss, state, h, xp):
    lr, best, bad, rest = state
    better = loss < best * (1 - h.threshold)
    bad = xp.where(better, 0, bad + 1)
    best = xp.where(better, loss, best)
    bad = xp.where(rest > 0, 0, bad)
    rest = xp.where(rest > 0, rest - 1, rest)
    lower = xp.clip(lr * h.factor, min=h.min_lr)
    spent = bad > h.patience
    lr = xp.where(spent & (lr - lower > h.eps), lower, lr)
    return lr, best, xp.where(spent, 0, bad), xp.where(spent, h.cooldown, rest)
