"""Networks worth looking into: the tables that lectures print, as they come out here, and what else an initialization does.

tests/test_probe_presets.py holds every claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import pi

from .core import Registry, T
from .probe import Probe


@dataclass(frozen=True)
class Printed:
    """A row of a lecture's table: a statistic of the first layers, how near ours come to it, and what was meant where it is misprinted."""

    statistic: str  # of Layers
    numbers: tuple[float, ...]
    within: float  # as a ratio: 1.05 is 5 %
    meant: Mapping[int, float] = field(default_factory=dict, hash=False)  # by layer, from 0

    @property
    def corrected(self) -> tuple[float, ...]:
        """The numbers with what was meant in the place of misprints."""
        return tuple(self.meant.get(i, number) for i, number in enumerate(self.numbers))


@dataclass(frozen=True)
class Sight:
    """A probe with its lesson, and the numbers that a lecture prints of it, where one does."""

    key: str
    name: T
    do: T
    see: T
    probe: Probe
    printed: Printed | None = None
    theory: float | None = None  # the spread that every hidden layer has


sights: Registry[Sight] = Registry()


def _add(key: str, name: T, do: T, see: T, probe: Probe, printed: Printed | None = None, theory: float | None = None) -> None:
    sights.add(key, Sight(key, name, do, see, probe, printed, theory))


TEN = {"inputs": 500, "layers": (500,) * 10, "outputs": 10, "batch": 1000, "activation": "tanh"}

# --- tables of the lectures ----------------------------------------------------------------------------------------------------------

_add("paralysis",
     T("Five sigmoid layers are paralysed", "Паралич сети: пять слоёв сигмоид"),
     T("Set the first weights to σ = 0.1; then choose ReLU with He.", "Возьмите начальные веса с σ = 0,1, затем ReLU с инициализацией Хе."),
     T("The mean |gradient| of the weights falls from the output to the input, by a factor of 7 to 16 a layer on average over seeds. The lecture "
       "says neither its weights nor its data; N(0, 0.05²) and sparse inputs come nearest, within a factor of about 3 in every layer.",
       "Средний модуль градиента весов от выхода ко входу падает в каждом слое в среднем по зёрнам в 7–16 раз. Какими были веса и данные, в лекции "
       "не сказано; ближе всего N(0; 0,05²) и разреженные входы: в каждом слое расхождение не больше чем примерно в 3 раза."),
     Probe(data="sparse", init="normal", init_scale=0.05, batch=20),
     Printed("gradient_mean_abs", (6.2e-8, 2.2e-6, 1.6e-5, 1.1e-4, 7e-4, 0.015), 3.2))
_add("small",
     T("Too small: the signal dies", "Слишком мало: сигнал затухает"),
     T("Raise the scale from 0.01 to 0.045, which is 1/√500.", "Поднимите масштаб с 0,01 до 0,045, то есть до 1/√500."),
     T("Each layer multiplies the spread by 0.01·√500 = 0.22. The lecture prints 0.0186 for the third layer, and all its other numbers say "
       "0.0106: a misprint.",
       "Каждый слой умножает разброс на 0,01·√500 = 0,22. В лекции для третьего слоя напечатано 0,0186, а все остальные числа требуют 0,0106: "
       "это опечатка."),
     Probe(**TEN, init="normal"),
     Printed("activation_std", (0.213081, 0.047551, 0.018630, 0.002378, 0.000532, 0.000119, 0.000026, 0.000006), 1.05, {2: 0.010630}))
_add("xavier",
     T("Xavier: right for tanh", "Ксавье: в самый раз для tanh"),
     T("Raise the depth to 50.", "Увеличьте глубину до 50."),
     T("N(0, 1)/√n: the spread sinks only slowly, because tanh presses each sum together a little, and gradients are of one order in all "
       "hidden layers.",
       "N(0, 1)/√n: разброс убывает медленно, ведь tanh каждую сумму чуть сжимает, а градиенты во всех скрытых слоях одного порядка."),
     Probe(**TEN, init="xavier"),
     Printed("activation_std", (0.627953, 0.486051, 0.407723, 0.357108, 0.320917, 0.292116, 0.273387, 0.254935, 0.239266, 0.228008), 1.05))
_add("he",
     T("He: right for ReLU", "Инициализация Хе: в самый раз для ReLU"),
     T("Take another seed a few times.", "Несколько раз смените зерно."),
     T("N(0, 1)/√(n/2): in theory the spread is √(1 − 1/π) = 0.826 in every layer; a single draw wanders around it by a tenth, as the lecture's "
       "does, from 0.81 to 0.89.",
       "N(0, 1)/√(n/2): по теории разброс в каждом слое равен √(1 − 1/π) = 0,826; отдельный розыгрыш отклоняется примерно на десятую часть, "
       "как и числа лекции — от 0,81 до 0,89."),
     Probe(**TEN | {"activation": "relu"}, init="he"),
     Printed("activation_std", (0.825232, 0.827835, 0.813855, 0.826902, 0.834092, 0.860035, 0.870610, 0.889348, 0.845357, 0.844523), 1.12),
     (1 - 1 / pi) ** 0.5)

# --- bounds of uniform weights --------------------------------------------------------------------------------------------------------

_add("by_inputs",
     T("±1/√n: a third of the variance", "±1/√n: треть нужной дисперсии"),
     T("Multiply the scale by √3 = 1.73.", "Умножьте масштаб на √3 = 1,73."),
     T("Uniform numbers have the variance 1/3 of their bound's square: the spread of tanh falls below 0.05 by the last hidden layer, where "
       "Xavier keeps 0.23; what is left comes from the drawn biases.",
       "Дисперсия равномерных чисел — треть квадрата границы: к последнему скрытому слою разброс tanh меньше 0,05, а у Ксавье 0,23; "
       "и то, что осталось, дают случайные смещения."),
     Probe(**TEN, init="uniform_fan_in"))
_add("as_printed",
     T("±6/√(n + m): the bound as printed", "±6/√(n + m): граница, как напечатано"),
     T("Choose the bound with the root.", "Выберите границу с корнем."),
     T("A lecture prints 6 without its root: the weights are 2.4 times too wide, every hidden layer has a spread of 0.8, and in each "
       "12 % of the numbers or more are saturated.",
       "В лекции 6 стоит без корня: веса в 2,4 раза шире нужного, разброс в каждом скрытом слое 0,8, и в каждом насыщено 12 % чисел и больше."),
     Probe(**TEN, init="glorot_uniform", init_bound="as_printed"))
_add("as_meant",
     T("±√6/√(n + m): the bound as meant", "±√6/√(n + m): граница, как задумано"),
     T("Choose the bound without the root.", "Выберите границу без корня."),
     T("With the root the variance is 2/(n + m), for square layers Xavier's: the same spreads to a hundredth, and hardly anything saturates.",
       "С корнем дисперсия равна 2/(n + m) — для квадратных слоёв как у Ксавье: разбросы те же до сотых, и почти ничего не насыщается."),
     Probe(**TEN, init="glorot_uniform"))

# --- what does not fit ------------------------------------------------------------------------------------------------------------------

_add("large",
     T("Too large: everything saturates", "Слишком много: всё насыщается"),
     T("Look at the gradients: is their mean small?", "Посмотрите на градиенты: мал ли их средний модуль?"),
     T("With N(0, 1) weights nine neurons of ten are saturated. Through those hardly any gradient passes, but the tenth hands it on times weights "
       "of 1: on the average it grows towards the input, ten thousand times and more.",
       "С весами N(0, 1) насыщены девять нейронов из десяти. Через них градиент почти не проходит, зато десятый передаёт его с весами порядка 1: "
       "в среднем ко входу градиент вырастает в десять тысяч раз и больше."),
     Probe(**TEN, init="normal", init_scale=1.0))
_add("tanh_he",
     T("He is a little much for tanh", "Для tanh инициализация Хе чуть велика"),
     T("Compare with Xavier.", "Сравните с Ксавье."),
     T("The spread settles at 0.56 in the place of sinking: past the edge of chaos. From the last hidden layer to the first the mean |∂L/∂a| even "
       "grows a little, where with Xavier it falls to less than half.",
       "Разброс не убывает, а устанавливается около 0,56: это уже за краем хаоса. Средний модуль ∂L/∂a от последнего скрытого слоя к первому даже "
       "немного растёт, а у Ксавье падает больше чем вдвое."),
     Probe(**TEN, init="he"))
_add("relu_xavier",
     T("Xavier is too small for ReLU", "Для ReLU инициализации Ксавье мало"),
     T("Choose He.", "Выберите Хе."),
     T("ReLU cuts off half of the squares: the spread falls by 1/√2 a layer, 23 times from the first hidden layer to the tenth.",
       "ReLU отсекает половину квадратов: в каждом слое разброс падает в √2 раз, от первого скрытого слоя до десятого — в 23 раза."),
     Probe(**TEN | {"activation": "relu"}, init="xavier"))
_add("batchnorm",
     T("Batch norm forgives the scale", "Нормализация по пакету прощает масштаб"),
     T("Switch batch norm off; then change the scale from 0.001 to 1 with it.",
       "Выключите нормализацию по пакету, а затем с ней меняйте масштаб от 0,001 до 1."),
     T("The weights of 0.01 that let the signal die: standardized before every tanh, each layer has the same spread, 0.63.",
       "Те же веса 0,01, при которых сигнал затухал: суммы приведены к единичному разбросу перед каждым tanh, и во всех слоях он одинаков — 0,63."),
     Probe(**TEN, init="normal", batchnorm=True))
_add("residual",
     T("Fifty layers with a way around", "Пятьдесят слоёв и обходной путь"),
     T("Switch the residual connections off.", "Выключите остаточные связи."),
     T("At half of Xavier's scale fifty layers lose signal and gradient by fifteen orders; with what came in added, the first layer's |∂L/∂a| "
       "is less than ten times the last one's.",
       "При половине масштаба Ксавье пятьдесят слоёв теряют пятнадцать порядков сигнала и градиента; если прибавлять вход слоя к выходу, "
       "средний модуль ∂L/∂a у первого слоя меньше чем в десять раз больше, чем у последнего."),
     Probe(inputs=100, layers=(100,) * 50, outputs=10, activation="tanh", init_scale=0.5, residual=True))

# --- early in training --------------------------------------------------------------------------------------------------------------------

_add("early",
     T("Early in training the top layer shuts down", "В начале обучения верхний слой замолкает"),
     T("Play it; then choose tanh and lower α to 0.3.", "Включите воспроизведение, затем выберите tanh и уменьшите α до 0,3."),
     T("The layers below hand on noise, and the output had better not hear it: in ten steps the last sigmoid layer is driven to 0, while the first "
       "two stay at 1/2 and the third at 0.65; the loss stops at ln 10 = 2.30. With tanh and α = 0.3 it falls below 0.2.",
       "Нижние слои передают шум, и выходу выгоднее его не слышать: за десять шагов последний слой сигмоид уходит к 0, первые два остаются около "
       "1/2, третий — около 0,65; потеря застревает на ln 10 = 2,30. С tanh и α = 0,3 она падает ниже 0,2."),
     Probe(data="digits", layers=(100,) * 4, init="glorot_uniform", lr=3.0, batch=500, steps=100))
