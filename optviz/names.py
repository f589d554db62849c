"""What parameters are called, and where a slider stops."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .activations import activations
from .augment import augmentations
from .core import BELOW_ONE, Choice, Param, T
from .datasets import Dataset, datasets
from .initializers import initializers
from .losses import losses
from .optimizers import optimizers
from .penalties import penalties
from .preparing import preparations
from .schedules import schedules
from .training import Key, Keys, Several

#: What every parameter of every definition is called; "owner.name" where one name means two things.
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
    "total_iters": T("steps in which the rate changes (0: all)", "за сколько шагов меняется скорость (0 — весь запуск)"),
    "power": T("power", "степень"),
    "start_factor": T("share at the start", "доля в начале"), "end_factor": T("share at the end", "доля в конце"),
    "T_max": T("steps in which the rate falls (0: all)", "за сколько шагов скорость падает (0 — весь запуск)"),
    "eta_min": T("lowest rate", "наименьшая скорость"),
    "T_0": T("first period", "первый период"), "T_mult": T("growth of the period", "рост периода"),
    "pct_start": T("share of the rise", "доля подъёма"),
    "div_factor": T("rise from 1/…", "подъём от 1/…"), "final_div_factor": T("fall to another 1/…", "спад ещё до 1/…"),
    "step_size_up": T("steps of the rise", "шагов подъёма"), "base_factor": T("lower share", "нижняя доля"),
    "warmup_steps": T("steps of warm-up before it", "шагов разогрева перед ним"),
    "warmup": T("steps of warm-up", "шагов разогрева"), "factor": T("factor", "множитель"), "patience": T("patience in steps", "терпение в шагах"),
    "threshold": T("what counts as better", "что считать улучшением"), "cooldown": T("rest in steps", "отдых в шагах"),
    "min_lr": T("lowest rate", "наименьшая скорость"), "plateau.eps": T("least change", "наименьшее изменение"),
    "clip_norm": T("clip the gradient's length", "ограничить длину градиента"),
    "clip_value": T("clip each coordinate", "ограничить каждую координату"),
    # of what a training is made of
    "arms": T("arms", "рукавов"), "classes": T("classes", "классов"), "inputs": T("inputs", "входов"), "outputs": T("outputs", "выходов"),
    "slope": T("slope below 0", "наклон ниже нуля"), "prelu.alpha": T("slope below 0 to begin with", "начальный наклон ниже нуля"),
    "elu.alpha": T("depth of the floor", "глубина нижнего уровня"), "pieces": T("sums in a neuron", "сумм в нейроне"),
    "scale": T("multiple of the formula", "множитель к формуле"), "normal.scale": T("standard deviation σ", "стандартное отклонение σ"),
    "l2.scale": T("formula", "формула"), "bound": T("formula", "формула"), "share": T("share of the examples", "доля примеров"),
    "strength": T("strength λ", "сила λ"), "step": T("step", "шаг"), "beta": T("weight of L2, β", "вес L2, β"),
    "b": T("steepness", "крутизна"), "condition": T("condition number", "число обусловленности"), "angle": T("angle, °", "угол, °"),
}
#: What the words that a setting chooses among are called.
WORDS = {
    "outside": T("outside the root", "вне корня"), "inside": T("under the root", "под корнем"), "unrooted": T("no root at all", "без корня"),
    "new": T("of this step", "этого шага"), "old": T("of the step before", "предыдущего шага"), "lr_inside": T("rate inside", "α внутри"),
    "ema": T("averaged", "скользящее среднее"), "warming": T("with warming", "с разогревом"), "printed": T("as in the paper", "как в статье"),
    "around": T("a cloud around the start", "облако вокруг старта"), "grid": T("a grid over the box", "сетка по области"),
    # of a training
    "none": T("none", "нет"), "before": T("before the activation", "перед активацией"), "after": T("after the activation", "после активации"),
    "inverted": T("inverted: 1/(1−p) in training", "обратный: 1/(1−p) при обучении"), "at_test": T("times 1−p afterwards", "умножить на 1−p после"),
    "biased": T("biased, 1/m", "смещённая, 1/m"), "unbiased": T("unbiased, 1/(m−1)", "несмещённая, 1/(m−1)"),
    "mean": T("mean over the batch", "среднее по пакету"), "sum": T("sum over the batch", "сумма по пакету"),
    "update": T("update", "обновление"), "pass": T("pass", "эпоха"), "half": T("½ Σw²", "½ Σw²"), "whole": T("Σw²", "Σw²"),
    "proximal": T("to 0 and no further", "до нуля и не дальше"), "sign": T("by the sign of the weight", "по знаку веса"),
    "falling": T("1/(1+e^M), as it is meant", "1/(1+e^M), как задумано"),
    "as_printed": T("as some lectures print it", "как печатают в некоторых лекциях"),
    "root": T("√6, as in the paper", "√6, как в статье"),
    "x": T("x", "x"), "y": T("y", "y"), "x2": T("x²", "x²"), "y2": T("y²", "y²"), "xy": T("xy", "xy"), "sinx": T("sin x", "sin x"),
    "siny": T("sin y", "sin y"),
    "activations": T("of activations", "по активациям"), "weights": T("of weights", "по весам"),
    "val": T("validation", "проверка"), "train": T("training", "обучение"), "wrong": T("errors", "ошибки"),
}
#: What is called what every training and every study has.
SETTINGS = {
    "data": T("data", "данные"), "layers": T("hidden layers", "скрытые слои"), "activation": T("activation", "активация"),
    "output_activation": T("activation of the output", "активация выхода"), "init": T("initial weights", "начальные веса"),
    "optimizer": T("optimizer", "оптимизатор"), "schedule": T("schedule of the rate", "расписание скорости"), "loss": T("loss", "функция потерь"),
    "epochs": T("passes", "эпох"), "batch": T("batch size (else all)", "размер пакета (иначе все)"), "n": T("examples", "примеров"),
    "val": T("share kept for validation", "доля для проверки"), "noise": T("noise of the data", "шум в данных"),
    "label_noise": T("share of wrong labels", "доля неверных меток"), "features": T("inputs", "входы"),
    "prepare": T("preparation", "подготовка данных"),
    "dropout": T("dropout p", "дропаут p"), "dropout_form": T("made up for", "поправка дропаута"),
    "batchnorm": T("batch normalization", "нормализация по пакету"),
    "bn_momentum": T("weight of the new batch in its averages", "вес нового пакета в её средних"),
    "bn_variance": T("variance that it averages", "дисперсия, которую она усредняет"), "layernorm": T("layer normalization", "нормализация по слою"),
    "residual": T("residual connections", "остаточные связи"), "bias": T("biases", "смещения"),
    "label_smoothing": T("label smoothing", "сглаживание меток"), "reduction": T("loss of a batch", "потеря пакета"),
    "penalty_layers": T("layers that are penalized (none: all)", "штрафуемые слои (иначе все)"),
    "clip_norm": NAMES["clip_norm"], "clip_value": NAMES["clip_value"], "schedule_every": T("the schedule counts", "расписание считает"),
    "shuffle": T("another order each pass", "новый порядок каждую эпоху"),
    "patience": T("early stopping: patience in passes", "ранняя остановка: терпение в эпохах"),
    "seed": T("seed", "зерно"), "data_seed": T("seed of the data (else the same)", "зерно данных (иначе то же)"),
    # of a study
    "stop_passes": T("stop after so many passes", "остановить после стольких эпох"),
    "stop_loss": T("stop when the loss is below", "остановить, когда потеря меньше"),
    "stop_accuracy": T("stop when the share of right answers reaches", "остановить, когда доля верных достигнет"),
    "stop_plateau": T("stop when the loss has not fallen for so many passes", "остановить, если потеря столько эпох не убывает"),
    "stop_on": T("watched on", "следить за"), "weights": T("weights to begin with", "веса в начале"),
    "hidden": T("hidden points", "скрытые точки"), "discrete": T("two flat colours", "два сплошных цвета"),
    "neuron": T("neuron in the picture", "нейрон на картинке"),
    "warp": T("layer that bends the grid", "слой, изгибающий сетку"), "matrix": T("confusion matrix", "матрица ошибок"),
    "at": T("pass in the picture", "эпоха на картинке"),
}
#: What is called otherwise in a probe, which shows its network one batch.
PROBE = {
    "inputs": T("inputs", "входов"), "outputs": T("classes", "классов"), "batch": T("examples in the batch", "примеров в пакете"),
    "input_scale": T("multiple of the inputs", "множитель входов"), "init_scale": T("scale of the first weights", "масштаб начальных весов"),
    "lr": NAMES["lr"], "steps": T("steps of training", "шагов обучения"),
}
#: Settings whose words are keys of a registry.
KEYED: Mapping[str, Mapping[str, Any]] = {"prepare": preparations}


def name_of(owner: Any, name: str) -> T:
    """What a parameter of a definition is called."""
    return NAMES.get(f"{owner.key}.{name}") or NAMES[name]


def setting_name(values: Mapping[str, Any], name: str) -> T:
    """What a word or setting of a training is called, by the words that it has: each definition's own parameter by its own name."""
    if name in SETTINGS:
        return SETTINGS[name]
    if name in penalties:
        return T(f"{penalties[name].name.en}: {NAMES['strength'].en}", f"{penalties[name].name.ru}: {NAMES['strength'].ru}")
    prefix, _, own = name.partition("_")
    if prefix == "augment":
        return augmentations[own].name
    data = values["data"]
    owners: dict[str, Any] = {"data": data if isinstance(data, Dataset) else datasets[data], "schedule": schedules[values["schedule"]],
              "loss": losses[values["loss"]], "init": initializers[values["init"]], **penalties, **activations}
    return _owned(owners, name) or name_of(optimizers[values["optimizer"]], name)


def probe_name(values: Mapping[str, Any], name: str) -> T:
    """What a word or setting of a probe is called."""
    owners: dict[str, Any] = {"loss": losses[values["loss"]], "init": initializers[values["init"]], **activations}
    return PROBE.get(name) or SETTINGS.get(name) or _owned(owners, name) or NAMES[name]


def _owned(owners: Mapping[str, Any], name: str) -> T | None:
    """What the parameter of one of these definitions is called, if it is one."""
    for key, owner in owners.items():
        if name.startswith(key + "_") and (own := name.removeprefix(key + "_")) in owner.params:
            return name_of(owner, own)
    return None


def choices(name: str, p: Any) -> dict[str, T]:
    """The words that a setting chooses among, as they are called."""
    if isinstance(p, (Key, Keys)):
        return {key: definition.name for key, definition in p.registry.items()}
    words = p.choices if isinstance(p, Choice) else p.words if isinstance(p, Several) else ()
    return {word: KEYED[name][word].name if name in KEYED else WORDS[word] for word in words}


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
