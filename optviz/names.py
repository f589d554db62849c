"""What parameters are called, and where a slider stops."""

from __future__ import annotations

import math
from functools import lru_cache

from .core import BELOW_ONE, Param, T
from .optimizers import Optimizer
from .schedules import Schedule

#: What every parameter of every optimizer and schedule is called; "owner.name" where one name means two things.
NAMES = {
    "lr": T("learning rate", "скорость обучения"), "momentum": T("momentum", "импульс"), "weight_decay": T("weight decay", "затухание весов"),
    "velocity": T("step with the velocity", "шаг делает скорость"), "form": T("form", "запись"), "lr_decay": T("rate decay", "убывание скорости"),
    "eps": T("against division by zero", "защита от деления на ноль"), "eps_place": T("place of ε", "место ε"),
    "initial_accumulator_value": T("accumulator at the start", "накопитель в начале"),
    "initial_accumulator": T("second moment at the start", "второй момент в начале"),
    "alpha": T("memory of squares", "память о квадратах"), "asgd.alpha": T("power of the decay", "степень убывания"),
    "lookahead.alpha": T("share of the way", "доля пути"), "rho": T("memory", "память"), "sam.rho": T("radius of the climb", "радиус подъёма"),
    "beta1": T("memory of gradients", "память о градиентах"), "beta2": T("memory of squares", "память о квадратах"),
    "adan.beta2": T("memory of changes", "память об изменениях"), "adan.beta3": T("memory of squares", "память о квадратах"),
    "lion.beta2": T("memory of the momentum", "память импульса"),
    "momentum_decay": T("warming of the momentum", "разогрев импульса"), "eta1": T("shrink factor", "множитель уменьшения"),
    "eta2": T("growth factor", "множитель роста"), "step_size1": T("shortest step", "наименьший шаг"),
    "step_size2": T("longest step", "наибольший шаг"),
    "lambd": T("decay", "затухание"), "beta2_decay": T("power of the memory", "степень памяти"), "eps1": T("floor of squares", "порог квадратов"),
    "eps2": T("floor of the size", "порог размера"), "d": T("cap of the step", "предел шага"), "k": T("steps between", "шагов между сверками"),
    "d0": T("first distance", "начальное расстояние"), "d_coef": T("factor of the distance", "множитель расстояния"),
    "f_star": T("best value (else the surface's own)", "наилучшее значение (иначе своё у поверхности)"),
    "c1": T("sufficient decrease", "достаточное убывание"), "shrink": T("shrink factor", "множитель дробления"),
    "damping": T("damping", "сдвиг гессиана"), "history_size": T("moves remembered", "шагов в памяти"),
    "step_size": T("steps between drops", "шагов между снижениями"), "gamma": T("factor γ", "множитель γ"),
    "milestone1": T("first drop at step", "первое снижение на шаге"), "milestone2": T("second drop at step", "второе снижение на шаге"),
    "total_iters": T("length in steps (0: all)", "длина в шагах (0 — весь запуск)"), "power": T("power", "степень"),
    "start_factor": T("share at the start", "доля в начале"), "end_factor": T("share at the end", "доля в конце"),
    "T_max": T("length in steps (0: all)", "длина в шагах (0 — весь запуск)"), "eta_min": T("lowest rate", "наименьшая скорость"),
    "T_0": T("first period", "первый период"), "T_mult": T("growth of the period", "рост периода"),
    "pct_start": T("share of the rise", "доля подъёма"),
    "div_factor": T("rise from 1/…", "подъём от 1/…"), "final_div_factor": T("fall to another 1/…", "спад ещё до 1/…"),
    "step_size_up": T("steps of the rise", "шагов подъёма"), "base_factor": T("lower share", "нижняя доля"),
    "warmup": T("steps of warm-up", "шагов разогрева"), "factor": T("factor", "множитель"), "patience": T("patience in steps", "терпение в шагах"),
    "threshold": T("what counts as better", "что считать улучшением"), "cooldown": T("rest in steps", "отдых в шагах"),
    "min_lr": T("lowest rate", "наименьшая скорость"), "plateau.eps": T("least change", "наименьшее изменение"),
    "clip_norm": T("clip the gradient's length", "ограничить длину градиента"),
    "clip_value": T("clip each coordinate", "ограничить каждую координату"),
    "b": T("steepness", "крутизна"), "condition": T("condition number", "число обусловленности"), "angle": T("angle, °", "угол, °"),
}
#: What the words that a setting chooses among are called.
WORDS = {
    "outside": T("outside the root", "вне корня"), "inside": T("under the root", "под корнем"), "unrooted": T("no root at all", "без корня"),
    "new": T("of this step", "этого шага"), "old": T("of the step before", "предыдущего шага"), "lr_inside": T("rate inside", "α внутри"),
    "ema": T("averaged", "скользящее среднее"), "warming": T("with warming", "с разогревом"), "printed": T("as in the paper", "как в статье"),
    "around": T("a cloud around the start", "облако вокруг старта"), "grid": T("a grid over the box", "сетка по области"),
}


def name_of(owner: Optimizer | Schedule, name: str) -> T:
    """What a parameter is called."""
    return NAMES.get(f"{owner.key}.{name}") or NAMES[name]


RATIOS = (1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 2.8, 3.2, 3.5, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0)  # a decade of a logarithmic slider
COARSE = (1.0, 2.0, 5.0)  # where there are many decades
NEAR_ONE = (*(i / 20 for i in range(18)), *(i / 100 for i in range(90, 99)), *(i / 1000 for i in range(990, 1000)), 0.9995, 0.9999)
DIVISIONS = 100  # of a linear slider


@lru_cache(maxsize=256)
def places(p: Param) -> tuple[float, ...]:
    """The values where a slider stops."""
    if p.allowed == BELOW_ONE and p.low == 0:
        return NEAR_ONE
    if p.log:
        first, last = math.floor(math.log10(p.low)), math.ceil(math.log10(p.high))
        values = [float(f"{r}e{k}") for k in range(first, last + 1) for r in (RATIOS if last - first <= 8 else COARSE)]
    else:
        fine = 10.0 ** math.floor(math.log10((p.high - p.low) / DIVISIONS))
        step = fine * next(r for r in (1, 2, 5, 10) if (p.high - p.low) / (r * fine) <= DIVISIONS)
        values = [float(f"{p.low + i * step:.10g}") for i in range(round((p.high - p.low) / step) + 1)]
        values += [] if p.default is None else [p.default]  # 45° among even ones
    return tuple(sorted({int(v) if p.whole else v for v in values if p.low <= v <= p.high} | {p.low, p.high}))
