"""What the regularization lab is there to show, in lecture order: each with what to do, what can be seen, and its measured number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import Registry, T, rounded
from ..training import Training
from .amount import amounts, averaged
from .auxiliary import heads
from .batchnorm import batch_sizes, places, running_statistics, sensitivity, steps_table
from .dropout import ensemble, expected, with_l2
from .prepared import shaken, stages
from .several import NEVER, Progress, Stop
from .smoothing import confidence
from .stopping import stopping
from .weights import paths, trench


@dataclass(frozen=True, eq=False)
class Finding:
    """A claim: an experiment on a training; `tell` takes the claim's numbers from its result, `measured` are those of this training."""

    key: str
    name: T
    do: T
    sentence: T  # with {} for every number
    training: Training
    experiment: Callable[..., Any]
    own: Mapping[str, Any]  # the experiment's own numbers
    tell: Callable[[Any], tuple[float, ...]]
    measured: tuple[float, ...]

    @property
    def see(self) -> T:
        """What can be seen, with the numbers that were measured."""
        return self.told(self.measured)

    def told(self, numbers: tuple[float, ...]) -> T:
        """The same with other numbers, such as those of another training."""
        said = [rounded(float(number)) for number in numbers]
        return T(self.sentence.en.format(*said), self.sentence.ru.format(*(text.replace(".", ",") for text in said)))

    def run(self, training: Training | None = None, progress: Progress = None, stop: Stop = None) -> Any:
        """The experiment's result, of its own training or of another."""
        return self.experiment(training or self.training, **self.own, progress=progress, stop=stop)


findings: Registry[Finding] = Registry()


def _add(key: str, name: T, do: T, sentence: T, training: Training, experiment: Callable[..., Any], tell: Callable[[Any], tuple[float, ...]],
         *measured: float, **own: Any) -> None:
    findings.add(key, Finding(key, name, do, sentence, training, experiment, own, tell, measured))


def percent(a: Any) -> float:
    """The median of some shares."""
    return 100 * float(np.median(a))


def known(steps: np.ndarray) -> tuple[float, ...]:
    """Steps, and no number where they were never enough."""
    return tuple(np.where(steps == NEVER, np.nan, steps).tolist())


QUICK: dict[str, Any] = {"optimizer": "adam", "lr": 0.03, "loss": "logistic", "batch": None}
MANY_INPUTS = Training("circle", noise=0.3, features=("x", "y", "x2", "y2", "xy", "sinx", "siny"), layers=(8,), epochs=300, lr=0.3, loss="logistic",
                       batch=None)
NOISY = Training("circle", noise=0.3, layers=(16,), epochs=150, **QUICK)
DROPPED = Training("circle", noise=0.3, layers=(16,), epochs=150, dropout=0.5, **QUICK)
DEEP = Training("circle", layers=(12,) * 5, activation="relu", init="he", epochs=40, lr=0.03, loss="logistic", batch=32)
NORMALIZED = Training("circle", layers=(12,) * 3, activation="relu", init="he", epochs=40, lr=0.1, loss="logistic", batch=32)
FEW = Training("circle", noise=0.2, layers=(32,), epochs=20, optimizer="adam", lr=0.03, loss="logistic", batch=32)
CLOUDS = Training("gauss", noise=0.2)

# --- penalties ------------------------------------------------------------------------------------------------------------------------

_add("zeros",
     T("L1 zeroes weights, if its step lets it", "L1 обнуляет веса, если позволяет шаг"),
     T("Move λ; compare the sign step with the proximal one.", "Меняйте λ и сравните шаг по знаку с проксимальным."),
     T("The same penalty, λ = {}: by the sign step {} % of the weights are exactly 0, by the proximal step {} %.",
       "Один и тот же штраф, λ = {}: при шаге по знаку ровно нулю равны {} % весов, при проксимальном — {} %."),
     MANY_INPUTS, paths, lambda p: (p.lambdas[4], *(100 * p.zeros[:2, 4])), 0.01, 0.0, 60.9, count=9)
_add("shrinks",
     T("L2 shrinks and zeroes nothing", "L2 уменьшает веса, но не обнуляет"),
     T("Follow the paths of the weights from left to right.", "Проследите пути весов слева направо."),
     T("From λ = {} to {} the length of the weights falls from {} to {}, the loss on validation from {} to {}, and {} % of the weights are "
       "exactly 0.",
       "От λ = {} до {} длина вектора весов падает с {} до {}, потеря на проверке — с {} до {}, а ровно нулю равны {} % весов."),
     MANY_INPUTS, paths, lambda p: (*p.lambdas[[0, 5]], *p.lengths[2, [0, 5]], *p.loss_val[2, [0, 5]], 100 * p.zeros[2, 5]),
     0.0001, 0.0316, 5.38, 2.04, 0.368, 0.235, 0.0, count=9)
_add("trench",
     T("Two equal inputs: a flat trench", "Два одинаковых входа: плоский жёлоб"),
     T("Open the surface and move λ from 0 up.", "Откройте поверхность и поднимайте λ от нуля."),
     T("Without λ the least eigenvalue of the Hessian is {}: a whole line of weights is as good. With λ = 0.1 it is {}, and one point is best.",
       "Без λ наименьшее собственное число гессиана равно {}: одинаково хороша целая прямая весов. При λ = 0,1 оно равно {}, и лучшая точка одна."),
     CLOUDS, trench, lambda t: (float(t.eigenvalues[0, 0]), float(np.linalg.eigvalsh(t.surface.hessian(0.0, 0.0))[0])), 0.0, 0.1)

# --- label smoothing, dropout ---------------------------------------------------------------------------------------------------------

_add("smoothing",
     T("Smooth labels, modest outputs", "Сглаженные метки — скромные выходы"),
     T("Raise the smoothing from 0 to 0.1, then to 0.2.", "Увеличьте сглаживание с 0 до 0,1, затем до 0,2."),
     T("The mean greatest probability falls from {} % to {} %, the calibration error from {} % to {} %; at 0.2 the network is too modest: {} %.",
       "Средняя уверенность падает с {} % до {} %, ошибка калибровки — с {} % до {} %; при 0,2 сеть уже слишком скромна: {} %."),
     Training("circle", noise=0.3, layers=(32,), epochs=150, **QUICK | {"loss": "ce"}), confidence,
     lambda c: (*map(percent, c.mean[:2]), *map(percent, c.error)), 93.9, 88.1, 7.7, 5.07, 8.45, amounts=(0.0, 0.1, 0.2))
_add("expected",
     T("What dropout owes the test", "Что дропаут должен тесту"),
     T("Compare the sums of the next layer in training and at test, in both forms and without a correction.",
       "Сравните суммы следующего слоя при обучении и на тесте: в обеих формах и без поправки."),
     T("Corrected by 1/(1−p), the output neuron is given {} in training on average, and {} at test; corrected by 1−p, {} and {}; uncorrected, "
       "{} and {}.",
       "С поправкой 1/(1−p) выходной нейрон получает в среднем {} при обучении и {} на тесте; с поправкой 1−p — {} и {}; "
       "без поправки — {} и {}."),
     DROPPED, expected, lambda e: tuple(np.column_stack([e.training[:, 0], e.test[:, 0]]).ravel()), 0.276, 0.287, -1.47, -1.46, -1.47, 0.287)
_add("ensemble",
     T("Dropout is a vote of thinned networks", "Дропаут — голосование прореженных сетей"),
     T("Look at the thinned networks one by one, then at their mean.", "Посмотрите на прореженные сети по одной, затем на их среднее."),
     T("A thinned network has {} % right on validation on average, the mean of all {} %, the whole network at test {} %.",
       "Прореженная сеть в среднем даёт {} % верных на проверке, среднее всех — {} %, вся сеть на тесте — {} %."),
     DROPPED, ensemble, lambda e: (100 * float(e.accuracy.mean()), 100 * e.accuracy_mean, 100 * e.accuracy_whole), 80.8, 90, 91, count=100)
_add("with_l2",
     T("Dropout with L2", "Дропаут вместе с L2"),
     T("Compare the length of the weights with and without either.", "Сравните длину вектора весов с тем и с другим и без них."),
     T("The weights' length is {} without both, {} under L2, {} under dropout and {} under both; the loss on validation is {}, {}, {}, {}.",
       "Длина вектора весов — {} без обоих, {} при L2, {} при дропаут и {} при обоих; потеря на проверке — {}, {}, {}, {}."),
     NOISY, with_l2, lambda t: (*np.median(t.lengths, -1).ravel(), *np.median(t.loss_val, -1).ravel()),
     9.89, 4.43, 5.74, 3.45, 0.368, 0.254, 0.319, 0.354, shares=(0.0, 0.5), lambdas=(0.0, 0.01))

# --- stopping, a second task, more data -----------------------------------------------------------------------------------------------

_add("stopping",
     T("Stop when validation turns", "Остановиться, когда потеря на проверке пошла вверх"),
     T("Watch the trace of patience climb after the best pass.", "Следите, как после лучшей эпохи растёт счётчик терпения."),
     T("Validation is best at pass {}; patience ends it at pass {}. On unseen points the restored weights have the loss {}, the last of all "
       "passes {}.",
       "На проверке лучшая эпоха — {}; терпение кончается на эпохе {}. На новых точках у возвращённых весов потеря {}, "
       "у весов последней эпохи — {}."),
     Training("circle", noise=0.3, n=120, layers=(32, 32), epochs=200, **QUICK), stopping,
     lambda s: (s.best, s.stopped_at or 0, *s.loss_unseen), 9, 29, 0.603, 1.17)
_add("auxiliary",
     T("A second task helps the first", "Вторая задача помогает первой"),
     T("Compare one head, a second one, and a second one that has nothing to learn.",
       "Сравните один выход, второй выход и второй, которому учиться нечему."),
     T("From 40 noisy points the class is told right on {} % of others; with x·y to be told as well, on {} %; with random numbers in its place, "
       "on {} %.",
       "По 40 зашумлённым точкам класс новых угадан в {} % случаев; если заодно предсказывать x·y — в {} %; если вместо него случайные числа — "
       "в {} %."),
     Training("circle", noise=0.3, n=600, val=0.9333, layers=(16,), epochs=200, **QUICK | {"loss": "mse"}), heads,
     lambda h: tuple(100 * h.accuracy_test.mean(-1)), 82.5, 85.8, 81.9, seconds=("product", "chance"), weight=3.0, seeds=20)
_add("more_data",
     T("More data close the gap", "Больше данных — меньше разрыв"),
     T("Compare the left end of the curves with the right.", "Сравните левый край кривых с правым."),
     T("The same network, the same number of updates: the gap between training and test falls from {} % at n = 20 to {} % at n = 200.",
       "Та же сеть, столько же обновлений: разрыв между обучением и тестом падает с {} % при n = 20 до {} % при n = 200."),
     FEW, amounts, lambda a: (percent(a.gap[0, 0]), percent(a.gap[0, -1])), 20.5, 2.95, counts=(20, 200), augment={}, seeds=10)
_add("augmentation",
     T("What may be turned teaches more", "Что можно повернуть, учит большему"),
     T("Compare the points with and without rotation by up to 180°.", "Сравните точки без поворота и с поворотом на углы до 180°."),
     T("A disc is a disc however it is turned: from 20 points, turned at random, the test error falls from {} % to {} %.",
       "Круг остаётся кругом при любом повороте: если 20 точек поворачивать случайно, ошибка на тесте падает с {} % до {} %."),
     Training("circle", noise=0.2, layers=(32,), epochs=150, **QUICK), amounts, lambda a: tuple(map(percent, a.error[:, 0])),
     20.6, 6.5, counts=(20,), augment={"rotate": 180.0}, seeds=10)
_add("wrong_augmentation",
     T("What must not be mirrored", "Что нельзя отражать"),
     T("Compare the points without and with half of the digits mirrored.", "Сравните точки без отражения и с отражением половины цифр."),
     T("A mirrored digit is no digit: with it the test error on 8×8 digits rises from {} % to {} %.",
       "Отражённая цифра — уже не цифра: с ней ошибка на цифрах 8×8 растёт с {} % до {} %."),
     Training("digits", layers=(16,), epochs=15, optimizer="adam", lr=0.02, loss="ce", batch=32), amounts,
     lambda a: tuple(map(percent, a.error[:, 0])), 8.6, 14, counts=(200,), augment={"flip": 0.5}, seeds=10)
_add("averaging",
     T("Ask more than once at test", "Спросить на тесте не один раз"),
     T("Turn each test point sixteen times and average the answers.", "Поверните каждую тестовую точку шестнадцать раз и усредните ответы."),
     T("The same trained network: {} % right when asked once, {} % when the answers to turned copies are averaged.",
       "Одна и та же обученная сеть: {} % верных при одном вопросе и {} %, если усреднить ответы на повёрнутые копии."),
     Training("circle", noise=0.2, n=300, val=0.8, layers=(32,), epochs=60, **QUICK), averaged,
     lambda a: tuple(100 * a.accuracy[0].mean(-1)), 85, 91.8, kind="rotate", amount=180.0)

# --- batch normalization --------------------------------------------------------------------------------------------------------------

_add("bn_steps",
     T("Batch norm: fewer steps, larger α", "Нормализация по пакету: меньше шагов, больше α"),
     T("Compare the rows with those of ImageNet.", "Сравните строки с таблицей для ImageNet."),
     T("Steps to 95 %: {} without, {} with BN, {} at α×5, {} at α×30. With sigmoids and α×5 the best is {} % with BN, {} % without.",
       "Шагов до 95 %: {} без BN, {} с ней, {} при α×5 и {} при α×30. С сигмоидами и α×5 лучший результат — {} % с BN и {} % без неё."),
     DEEP, steps_table, lambda s: (*known(s.median[:4]), *map(percent, s.best[4:])), 140, 72, 36, 56, 92.5, 53)
_add("bn_init",
     T("Batch norm forgives the initialization", "Нормализация по пакету прощает начальные веса"),
     T("Follow both curves over the scale of the first weights.", "Проследите обе кривые по масштабу начальных весов."),
     T("First weights of five scales from 0.001 to 10: without BN {} of them are trained to 95 %, with BN {}.",
       "Пять масштабов начальных весов от 0,001 до 10: без BN до 95 % удаётся обучить {} из них, с BN — {}."),
     Training("circle", layers=(12,) * 3, activation="relu", epochs=60, lr=0.1, loss="logistic", batch=None), sensitivity,
     lambda s: tuple((np.median(s.accuracy, -1) >= 0.95).sum(-1)), 1, 5, count=5)
_add("bn_one",
     T("Batches of one: nothing but β", "Пакеты из одного: остаётся лишь β"),
     T("Slide the batch from 32 down to 1.", "Уменьшайте пакет с 32 до 1."),
     T("Normalized by its own batch, a sum keeps the spread {} at 32 examples and {} at 2, but has {} at 1: all outputs are the same, and {} % "
       "are right instead of {} %.",
       "Нормированная по своему пакету сумма имеет разброс {} при 32 примерах и {} при двух, но {} при одном: все выходы совпадают, и верны {} % "
       "вместо {} %."),
     NORMALIZED, batch_sizes, lambda c: (*c.spread, 100 * c.accuracy[-1], 100 * c.accuracy[0]), 1.0, 1.0, 0.0, 54, 98, sizes=(32, 2, 1))
_add("bn_running",
     T("At test: running averages, and they lag", "На тесте — скользящие средние, и они отстают"),
     T("Compare the two curves below, then the averages above.", "Сравните две кривые внизу, затем средние наверху."),
     T("After pass 5, by their own statistics {} % of the training points are right, by the running ones {} %; after pass 40, {} % and {} %.",
       "После эпохи 5 по своей статистике верны {} % обучающих точек, по скользящей — {} %; после эпохи 40 — {} % и {} %."),
     Training(**{**dict(NORMALIZED.values), "bn_momentum": 0.01}), running_statistics,
     lambda r: tuple(100 * r.accuracy[:, [min(5, len(r.passes) - 1), -1]].T.ravel()),
     93, 56, 99, 87)
_add("bn_place",
     T("Before or after the nonlinearity", "До нелинейности или после"),
     T("Compare the two places, and none.", "Сравните два места и сеть без нормализации."),
     T("Steps to 95 %: {} without, {} before the nonlinearity, {} after it: either place helps.",
       "Шагов до 95 %: {} без неё, {} до нелинейности, {} после неё: помогает в обоих местах."),
     DEEP, places, lambda p: known(p.median), 140, 72, 44)

# --- preparing the data ---------------------------------------------------------------------------------------------------------------

_add("prepared",
     T("Round contours, fast descent", "Круглые линии уровня — быстрый спуск"),
     T("Centre, decorrelate, scale, one after another.", "Центрируйте, декоррелируйте, масштабируйте — по очереди."),
     T("The loss of a linear neuron has the condition number {} on raw points, {} on centred ones, {} when they are decorrelated; "
       "descent needs {}, {} and {} steps.",
       "Число обусловленности потерь линейного нейрона — {} на сырых точках, {} на центрированных, {} после декорреляции; "
       "шагов спуска нужно: {}, {} и {}."),
     CLOUDS, stages, lambda s: (*s.condition[:3], *known(s.steps[:3])), 14600, 139, 1, 31500, 60, 1)
_add("shaken",
     T("A boundary that does not tremble", "Граница, которая не дрожит"),
     T("Shake the weights by a tenth of their length, for raw and for prepared points.",
       "Пошевелите веса на десятую долю их длины: для сырых точек и для подготовленных."),
     T("The same boundary: shaken weights of raw points move {} % of the points to the other side, those of prepared points {} %.",
       "Граница одна и та же: дрожание весов переносит на другую сторону {} % сырых точек и лишь {} % подготовленных."),
     CLOUDS, shaken, lambda s: tuple(100 * s.mean), 43, 0.63)
