"""What the experiments on regularizers found, as charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .augment import augmentations
from .core import T, rounded, short
from .palette import BLUE, COLOURS, GREEN, ORANGE, PINK, VIOLET
from .preparing import preparations
from .regular import findings as experiments
from .regular.amount import Amounts, Averaged
from .regular.auxiliary import SECONDS, Heads
from .regular.batchnorm import IMAGENET, PLACES, Collapse, Places, Running, Sensitivity, Steps
from .regular.batchnorm import ROWS as TABLE
from .regular.dropout import FORM_NAMES, Ensemble, Expected, Together
from .regular.prepared import Shaken, Stages
from .regular.several import NEVER
from .regular.smoothing import Confidence
from .regular.stopping import Stopped
from .regular.weights import KINDS, Paths, Trench
from .sheet import Bars, Chart, Dots, Heat, Line, Mark, Rule, Scale, Sheet

LAMBDA, PASS, WEIGHT = T("λ", "λ"), T("pass", "эпоха"), T("w", "w")
LOSS, ACCURACY = T("loss", "потеря"), T("share that is right", "доля верных")
TRAIN, VAL, TEST = T("training", "обучение"), T("validation", "проверка"), T("test", "тест")
NETWORK, SIZE, SURE = T("network", "сеть"), T("batch size", "размер пакета"), T("greatest probability", "наибольшая вероятность")
RIGHT, STEPS = Scale(ACCURACY, low=0.0, high=1.0), Scale(T("steps", "шагов"), low=0.0)
HALF = 0.36  # of a bar over a word
FEW, SURE_AT = 4, 3.0  # thinned networks that are shown; an output of full colour
BUNDLE = 60  # curves that may lie over each other
NO = T("never", "никогда")


def lines(x: Any, rows: Any, names: Sequence[T], **how: Any) -> list[Mark]:
    """A named curve for each row."""
    return [Line(x, row, COLOURS[k % len(COLOURS)], name, dash=k % 3, **how) for k, (row, name) in enumerate(zip(rows, names, strict=True))]


def banded(x: Any, many: np.ndarray, colour: str, name: T, dash: int = 0) -> Line:
    """The median over the last axis and the band from 10 to 90 %."""
    low, middle, high = np.quantile(many, (0.1, 0.5, 0.9), axis=-1)
    return Line(x, middle, colour, name, dash, low=low, high=high)


def columns(values: Any, colour: str, name: T | None = None, place: int = 0, of: int = 1) -> Bars:
    """A bar over each word; several beside each other."""
    middle, half = np.arange(len(values)) + HALF * ((2 * place + 1) / of - 1), HALF / of
    return Bars(middle - half, middle + half, values, colour, name)


def seeds(values: np.ndarray, colour: str, place: int = 0, of: int = 1) -> Dots:
    """Every seed over its word, (words, seeds)."""
    middle = np.arange(len(values))[:, None] + HALF * ((2 * place + 1) / of - 1)
    spread = np.linspace(-0.5, 0.5, values.shape[1]) * HALF / of
    return Dots(np.ravel(middle + spread), np.ravel(values), colour, size=2.5, alpha=0.7)


# --- weights ----------------------------------------------------------------------------------------------------------------------------


def weights(p: Paths) -> Sheet:
    """Zeros and lengths along λ; each weight's way, and the histogram where the playhead is."""
    names, along = [KINDS[key].name for key in p.kinds], Scale(LAMBDA, log=True)
    charts = [
        Chart("zeros", T("Weights that are exactly 0", "Веса, в точности равные нулю"), along, Scale(T("share", "доля"), low=0.0, high=1.0),
              lines(p.lambdas, p.zeros, names),
              T("The sign step swings around 0 and never lands on it; the proximal step stops there.",
                "Шаг по знаку колеблется около нуля и не попадает в него; проксимальный на нуле останавливается.")),
        Chart("lengths", T("Length of the vector of weights", "Длина вектора весов"), along, Scale(T("‖w‖", "‖w‖"), low=0.0),
              lines(p.lambdas, p.lengths, names), T("Every penalty shrinks; only L1 empties.", "Уменьшает любой штраф, обнуляет только L1.")),
    ]
    for k, name in enumerate(names):
        bundle: list[Mark] = [Line(p.lambdas, row, COLOURS[k], width=1.0, alpha=0.5) for row in p.weights[k][:BUNDLE]]
        charts += [Chart(f"ways-{p.kinds[k]}", T(f"{name.en}: each weight along λ", f"{name.ru}: каждый вес вдоль λ"), along, Scale(WEIGHT), bundle),
                   Chart(f"counts-{p.kinds[k]}", T(f"{name.en}: how many are how large", f"{name.ru}: сколько весов какой величины"),
                         Scale(WEIGHT), Scale(T("weights", "весов")), [Bars(p.edges[:-1], p.edges[1:], p.counts[k], COLOURS[k])])]
    return Sheet(charts, 2, [short(float(f"{v:.2g}")) for v in p.lambdas], LAMBDA)


def trench(t: Trench) -> Sheet:
    """The eigenvalues that λ lifts, and the bottom of the trench across and along."""
    along = np.linspace(*t.surface.box[0], 201)
    marks = [Line(along, t.surface.at(strength=s).value(along, 2 * t.minimum[0] - along), colour, T(f"λ = {short(s)}", f"λ = {short(s)}"), dash=k)
             for k, (s, colour) in enumerate(((0.0, ORANGE), (0.1, BLUE), (1.0, GREEN)))]
    some = t.strengths > 0
    return Sheet([
        Chart("eigenvalues", T("Curvature of the loss of two equal inputs", "Кривизна потери при двух одинаковых входах"), Scale(LAMBDA, log=True),
              Scale(T("eigenvalues of the Hessian", "собственные значения гессиана"), log=True),
              lines(t.strengths[some], t.eigenvalues[some].T, [T("least: λ itself", "меньшее: сама λ"), T("greatest", "большее")]),
              T(f"At λ = 0 the least is {rounded(float(t.eigenvalues[0, 0]))}: the trench is flat.",
                f"При λ = 0 меньшее равно {rounded(float(t.eigenvalues[0, 0]))}: дно жёлоба плоское.")),
        Chart("floor", T("Loss along the bottom of the trench", "Потеря вдоль дна жёлоба"),
              Scale(T("w₁, while w₁ + w₂ stays", "w₁ при постоянной сумме w₁ + w₂")), Scale(LOSS), marks),
    ])


# --- dropout ----------------------------------------------------------------------------------------------------------------------------


def dropout(e: Ensemble) -> Sheet:
    """How right each thinned network is, their mean, and the whole network that stands for it."""
    names = _numbers(len(e.accuracy))
    mean, whole, ends = rounded(e.accuracy_mean), rounded(e.accuracy_whole), [-0.5, len(names) - 0.5]
    shown = [*zip([T(f"thinned network {k + 1}", f"прореженная сеть {k + 1}") for k in range(FEW)], e.outputs, strict=False),
             (T("their mean", "их среднее"), e.mean), (T("the whole network", "вся сеть"), e.whole)]
    fields = [Chart(f"field-{k}", name, Scale(T("x", "x")), Scale(T("y", "y")), [_field(e, out)], even=True) for k, (name, out) in enumerate(shown)]
    return Sheet([*fields, Chart("thinned", T("Thinned networks, and what stands for all of them", "Прореженные сети и то, что их заменяет"),
                        Scale(T("thinned network", "прореженная сеть"), words=names if len(names) <= 20 else ()), RIGHT,
                        [columns(e.accuracy, BLUE),
                         Line(ends, [e.accuracy_mean] * 2, GREEN, T(f"their mean answer: {mean}", f"их средний ответ: {mean}")),
                         Line(ends, [e.accuracy_whole] * 2, "ink", T(f"the whole network: {whole}", f"вся сеть: {whole}"), dash=1)], wide=3)], 3)


def _field(e: Ensemble, outputs: np.ndarray) -> Heat:
    """What a network says over the plane: for two classes how much more it is for the second."""
    said = outputs[..., 0] if outputs.shape[-1] == 1 else outputs[..., 1] - outputs[..., 0]
    return Heat(_edges(e.x), _edges(e.y), np.clip(said, -SURE_AT, SURE_AT), -SURE_AT, SURE_AT, T("output", "выход"), signed=True)


def _edges(places: np.ndarray) -> np.ndarray:
    """The edges of cells around even places."""
    half = (places[1] - places[0]) / 2
    return np.append(places - half, places[-1] + half)


def expected(e: Expected) -> Sheet:
    """What comes into each neuron of the next layer, in training against at test."""
    low, high = float(min(e.training.min(), e.test.min())), float(max(e.training.max(), e.test.max()))
    marks: list[Mark] = [Line([low, high], [low, high], "faint", T("equal", "поровну"), dash=1, width=1.5)]
    marks += [Dots(e.training[k], e.test[k], COLOURS[k], FORM_NAMES[form], shape=k, size=5) for k, form in enumerate(e.forms)]
    off = np.abs(e.test - e.training).mean(1) / (np.abs(e.training).mean(1) + 1e-300)
    return Sheet([
        Chart("expected", T("What the next layer is given on average", "Что в среднем получает следующий слой"), Scale(TRAIN), Scale(TEST), marks,
              T("Either correction puts every neuron on the line; without one the test gives too much.",
                "С любой поправкой каждый нейрон ложится на прямую; без неё на тесте приходит слишком много.")),
        Chart("off", T("How far off the test is", "Насколько отличается тест"),
              Scale(T("correction", "поправка"), words=[FORM_NAMES[f] for f in e.forms]),
              Scale(T("share of the expected input", "доля ожидаемого входа"), low=0.0), [columns(off, VIOLET)]),
    ])


def with_l2(t: Together) -> Sheet:
    """Dropout and L2 at once: who is better on validation, and how long the weights are."""
    words, names = [T(short(v), short(v)) for v in t.lambdas], [T(f"p = {short(p)}", f"p = {short(p)}") for p in t.shares]
    many = len(t.shares)
    def each(values: np.ndarray) -> list[Mark]:
        bars: list[Mark] = [columns(np.median(values[k], -1), COLOURS[k], name, k, many) for k, name in enumerate(names)]
        return [*bars, *(seeds(values[k], "ink", k, many) for k in range(many))]
    return Sheet([
        Chart("long", T("Length of the vector of weights", "Длина вектора весов"), Scale(LAMBDA, words=words), Scale(T("‖w‖", "‖w‖"), low=0.0),
              each(t.lengths)),
        Chart("loss", T("Loss on validation", "Потеря на проверке"), Scale(LAMBDA, words=words), Scale(LOSS, low=0.0), each(t.loss_val)),
        Chart("right", T("Right on validation", "Верных на проверке"), Scale(LAMBDA, words=words), RIGHT, each(t.accuracy_val), wide=2),
    ])


# --- batch normalization ------------------------------------------------------------------------------------------------------------------


def steps(s: Steps) -> Sheet:
    """Steps to the target as bars, the curves, and the printed table of ImageNet beside ours."""
    words = [TABLE[key][0] for key in s.rows]
    there = np.where(s.median == NEVER, np.nan, s.median)
    told = [T(f"{rounded(float(v))} steps" if v != NEVER else NO.en, f"шагов: {rounded(float(v))}" if v != NEVER else NO.ru) for v in s.median]
    named = [T(f"{w.en}: {t.en}", f"{w.ru}: {t.ru}") for w, t in zip(words, told, strict=True)]
    printed = [row.steps / 1e6 if row.steps else np.nan for row in IMAGENET]
    return Sheet([
        Chart("steps", T("Steps to the target here, median over seeds", "Шагов до цели здесь, медиана по зёрнам"),
              Scale(NETWORK, words=words), STEPS, [columns(there, BLUE)],
              T("Where no bar stands, the target was not reached.", "Где столбца нет, цель не достигнута.")),
        Chart("printed", T("On ImageNet, as printed: steps to 72.2 %", "На ImageNet, как напечатано: шагов до 72,2 %"),
              Scale(NETWORK, words=[row.name for row in IMAGENET]), Scale(T("million steps", "млн шагов"), low=0.0),
              [columns(printed, "faint")],
              T("Ioffe & Szegedy 2015; with sigmoid 69.8 % at best, and without BN such a network does not learn.",
                "Ioffe & Szegedy 2015; с сигмоидой не больше 69,8 %, а без BN такая сеть не обучается.")),
        Chart("curves", T("On the way: the best on validation so far, median", "По пути: лучшее на проверке к этому шагу, медиана"),
              Scale(T("step", "шаг")), Scale(ACCURACY, high=1.0), lines(np.arange(s.curves.shape[1]) * s.per_pass, s.curves, named), wide=2),
    ])


def collapse(c: Collapse) -> Sheet:
    """Outputs of one network while its batches get smaller, the playhead being the size."""
    flat = c.normalized.reshape(len(c.sizes), -1)
    edges = np.linspace(-3, 3, 49)
    counts = np.stack([np.histogram(np.clip(row, -3, 3), edges)[0] for row in flat])
    said = np.clip(c.outputs[..., 0], *np.quantile(c.outputs[..., 0], (0.01, 0.99)))
    return Sheet([
        Chart("hats", T("Normalized sums of the first layer", "Нормированные суммы первого слоя"), Scale(T("x̂", "x̂")),
              Scale(T("how many", "сколько")),
              [Bars(edges[:-1], edges[1:], counts, BLUE)],
              T("At batch size 1 every one is 0, and what goes on is β alone.", "При пакете из одного примера все они — нули, дальше идёт одно β.")),
        Chart("outputs", T("What the network says of each example", "Ответ сети на каждый пример"), Scale(T("example", "пример")),
              Scale(T("output", "выход")), [Dots(np.arange(said.shape[1]), said, ORANGE, size=3)]),
        Chart("right", T("Right by the batch's own statistics", "Верных по статистикам самого пакета"), Scale(SIZE, log=True),
              RIGHT, [Line(c.sizes, c.accuracy, ORANGE), Dots(c.sizes, c.accuracy, ORANGE),
                                                   Rule(T("running statistics", "накопленные статистики"), y=c.accuracy_running, colour=BLUE)]),
        Chart("spread", T("Spread of what is normalized", "Разброс нормированного"), Scale(SIZE, log=True),
              Scale(T("root mean square", "среднеквадратичное"), low=0.0), [Line(c.sizes, c.spread, BLUE), Dots(c.sizes, c.spread, BLUE)]),
    ], 2, [int(size) for size in c.sizes], T("batch", "пакет"))


def running(r: Running) -> Sheet:
    """Running statistics behind those of the whole training part."""
    def pair(key: str, title: T, ran: np.ndarray, true: np.ndarray) -> Chart:
        marks: list[Mark] = []
        for k in range(min(ran.shape[1], 4)):
            marks += [Line(r.passes, true[:, k], COLOURS[k], width=1.2, dash=1), Line(r.passes, ran[:, k], COLOURS[k])]
        return Chart(key, title, Scale(PASS), Scale(T("of four neurons", "четырёх нейронов")), marks)
    return Sheet([
        pair("means", T("Mean: ― running, ┄ of all examples", "Среднее: ― накопленное, ┄ по всем примерам"), r.mean, r.true_mean),
        pair("variances", T("Variance: ― running, ┄ of all examples", "Дисперсия: ― накопленная, ┄ по всем примерам"), r.variance, r.true_variance),
        Chart("right", T("Right by either statistics", "Верных по тем и другим статистикам"), Scale(PASS), Scale(ACCURACY, high=1.0),
              lines(r.passes, r.accuracy, [T("the examples' own", "самих примеров"), T("running", "накопленные")]), wide=2),
    ])


def sensitivity(s: Sensitivity) -> Sheet:
    """What is learned from first weights of each size."""
    return Sheet([Chart("scales", T("Learned from first weights of each size", "Обучение с начальными весами разной величины"),
                        Scale(T("standard deviation of the first weights", "стандартное отклонение начальных весов"), log=True),
                        Scale(ACCURACY, high=1.0), [banded(s.scales, s.accuracy[0], ORANGE, T("without BN", "без BN"), 1),
                                                    banded(s.scales, s.accuracy[1], BLUE, T("with BN", "с BN"))],
                        T("Medians over seeds; the bands hold 10 to 90 %.", "Медианы по зёрнам, полосы — от 10 до 90 %."), wide=2)])


def places(p: Places) -> Sheet:
    """Normalization before or after the nonlinearity."""
    words = [PLACES[key] for key in p.places]
    there = np.where(p.median == NEVER, np.nan, p.median)
    return Sheet([
        Chart("steps", T("Steps to the target, median over seeds", "Шагов до цели, медиана по зёрнам"), Scale(T("place", "место"), words=words),
              STEPS, [columns(there, BLUE)], wide=2),
        Chart("loss", T("Loss on training, median", "Потеря на обучении, медиана"), Scale(PASS), Scale(LOSS, log=True),
              lines(np.arange(p.loss.shape[1]), p.loss, words), wide=2),
        *norms(),
    ], 4)


SIDE = 0.46  # half of a cell


def _numbers(many: int) -> list[T]:
    return [T(str(k + 1), str(k + 1)) for k in range(many)]


GROUPS: Sequence[tuple[str, T, Callable[[int, int], bool]]] = (
    ("batch", T("Batch norm: one channel, all examples", "По пакету: один канал, все примеры"), lambda example, channel: channel == 0),
    ("layer", T("Layer norm: one example, all channels", "По слою: один пример, все каналы"), lambda example, channel: example == 0),
    ("instance", T("Instance norm: one channel of one example", "По экземпляру: один канал одного примера"),
     lambda example, channel: example == 0 and channel == 0),
    ("group", T("Group norm: some channels of one example", "По группе: часть каналов одного примера"),
     lambda example, channel: example == 0 and channel < 3),
)


def norms() -> list[Chart]:
    """Whose mean and variance each normalization takes: of a batch of examples by channels."""
    examples, channels = 4, 6
    charts = []
    for key, name, within in GROUPS:
        cells = [(example, channel) for example in range(examples) for channel in range(channels)]
        marks: list[Mark] = []
        for colour, inside in (("line", False), (BLUE, True)):
            e, c = np.array([cell for cell in cells if within(*cell) is inside]).T
            marks.append(Bars(c - SIDE, c + SIDE, e + SIDE, colour, base=e - SIDE, alpha=0.9))
        charts.append(Chart(f"norm-{key}", name, Scale(T("channel", "канал"), words=_numbers(channels)), Scale(T("example", "пример"),
                                                                                                            words=_numbers(examples)), marks))
    return charts


# --- labels, time, data -------------------------------------------------------------------------------------------------------------------


def confidence(c: Confidence) -> Sheet:
    """How sure, and how right to be so, the playhead being the amount of smoothing."""
    share = c.counts / np.maximum(c.counts.sum(1, keepdims=True), 1)
    filled = np.where(c.counts > 0, c.right, np.nan)
    words = [T(short(a), short(a)) for a in c.amounts]
    return Sheet([
        Chart("sure", T("How sure the network is", "Насколько сеть уверена"), Scale(SURE, low=0.0, high=1.0),
              Scale(T("share of the examples", "доля примеров"), low=0.0), [Bars(c.edges[:-1], c.edges[1:], share, BLUE)]),
        Chart("calibration", T("Is it right to be so sure?", "Оправдана ли уверенность?"),
              Scale(SURE, low=0.0, high=1.0), RIGHT,
              [Line([0, 1], [0, 1], "faint", T("as right as sure", "верна, насколько уверена"), dash=1, width=1.5),
               Bars(c.edges[:-1], c.edges[1:], filled, ORANGE, alpha=0.35),
               Dots(np.where(c.counts > 0, c.confidence, np.nan), filled, ORANGE, size=5)]),
        Chart("mean", T("Mean of the greatest probability", "Среднее наибольшей вероятности"), Scale(T("smoothing", "сглаживание"), words=words),
              Scale(T("probability", "вероятность"), low=0.0, high=1.0), [columns(np.median(c.mean, 1), BLUE), seeds(c.mean, "ink")]),
        Chart("error", T("Calibration error", "Ошибка калибровки"), Scale(T("smoothing", "сглаживание"), words=words),
              Scale(T("mean |right − sure|", "среднее |верна − уверена|"), low=0.0), [columns(np.median(c.error, 1), ORANGE), seeds(c.error, "ink")]),
    ], 2, [short(a) for a in c.amounts], T("smoothing", "сглаживание"))


def stopping(s: Stopped) -> Sheet:
    """The two curves with the stop, and the trace of patience."""
    passes = np.arange(len(s.loss_val))
    marks: list[Mark] = [Line(passes, s.loss_train, BLUE, TRAIN), Line(passes, s.loss_val, ORANGE, VAL, dash=1),
                         Rule(T(f"restored: {s.best}", f"возвращена: {s.best}"), x=float(s.best), colour=GREEN)]
    if s.stopped_at is not None:
        marks.append(Rule(T(f"stop: {s.stopped_at}", f"остановка: {s.stopped_at}"), x=float(s.stopped_at)))
    words = [T("restored", "возвращённая"), T("last", "последняя")]
    charts = [
        Chart("losses", T("Loss on training falls, on validation it turns", "Потеря на обучении падает, на проверке снова растёт"), Scale(PASS),
              Scale(LOSS, low=0.0), marks, wide=2),
        Chart("patience", T("Passes since validation was best", "Эпох после лучшей потери на проверке"), Scale(PASS),
              Scale(T("passes", "эпох"), low=0.0),
              [Line(passes, s.waited, VIOLET), Rule(T(f"patience {s.patience}", f"терпение {s.patience}"), y=float(s.patience))]),
        Chart("unseen", T("Loss on points that nobody saw", "Потеря на точках, которых никто не видел"), Scale(NETWORK, words=words),
              Scale(LOSS, low=0.0), [columns(s.loss_unseen, PINK)]),
    ]
    return Sheet(charts)


def amounts(a: Amounts) -> Sheet:
    """Gap and test error against the number of examples, for each augmentation."""
    names = [T("no augmentation", "без аугментации") if key == "none" else augmentations[key].name for key in a.kinds]
    alone = len(a.counts) == 1
    along = Scale(T("augmentation", "аугментация"), words=names) if alone else Scale(T("training examples", "обучающих примеров"), log=True)

    def each(values: np.ndarray) -> list[Mark]:
        if alone:
            return [columns(np.median(values[:, 0], -1), BLUE), seeds(values[:, 0], "ink")]
        middle = np.median(values, -1)
        return [*lines(a.counts, middle, names), *(Dots(a.counts, row, COLOURS[k % len(COLOURS)], size=4) for k, row in enumerate(middle))]
    return Sheet([
        Chart("gap", T("Gap: right on training minus right on test", "Разрыв: верных на обучении минус верных на тесте"), along,
              Scale(T("difference", "разность")), each(a.gap)),
        Chart("error", T("Wrong on test", "Ошибок на тесте"), along, Scale(T("share", "доля"), low=0.0), each(a.error)),
    ])


def averaged(a: Averaged) -> Sheet:
    """One look against the mean of many."""
    name = augmentations[a.kind].name
    words = [T("trained without", "обучена без"), T("trained with", "обучена с ней")]
    marks: list[Mark] = []
    for k, (colour, said) in enumerate(((ORANGE, T("one look", "один взгляд")), (BLUE, T("mean of changed copies", "среднее по копиям")))):
        marks += [columns(a.accuracy[:, k].mean(-1), colour, said, k, 2), seeds(a.accuracy[:, k], "ink", k, 2)]
    return Sheet([Chart("looks", T(f"Test-time averaging: {name.en.lower()}", f"Усреднение на тесте: {name.ru.lower()}"),
                        Scale(T("augmentation", "аугментация"), words=words), RIGHT, marks, wide=2)])


def heads(h: Heads) -> Sheet:
    """The first task alone, and beside a second one."""
    words = [T("alone", "одна") if key == "off" else T(f"with {SECONDS[key].name.en}", f"и {SECONDS[key].name.ru}") for key in h.heads]
    marks: list[Mark] = []
    for k, (colour, said, values) in enumerate(((BLUE, TRAIN, h.accuracy_train), (ORANGE, TEST, h.accuracy_test))):
        marks += [columns(values.mean(-1), colour, said, k, 2), seeds(values, "ink", k, 2)]
    return Sheet([Chart("heads", T("Classes right, without and with a second head", "Верных классов без второго выхода и с ним"),
                        Scale(T("second head", "второй выход"), words=words), RIGHT, marks, wide=2)])


# --- preparing ----------------------------------------------------------------------------------------------------------------------------

RAW = T("Raw", "Как есть")
NOTES = {"decorrelate": T("Cov^(−1/2) makes every variance 1, too", "Cov^(−1/2) заодно делает все дисперсии равными 1"),
         "scale": T("so there is nothing left to scale", "поэтому масштабировать уже нечего")}


def prepared(s: Stages) -> Sheet:
    """Points and contours of the loss, step after step; conditions and steps to the target."""
    names = [RAW if key == "raw" else preparations[key].name for key in s.stages]
    charts: list[Chart] = []
    for k, name in enumerate(names):
        charts.append(Chart(f"points-{k}", name, Scale(T("x", "x")), Scale(T("y", "y")), by_class(s.points[k], s.y),
                            NOTES.get(s.stages[k]), even=True))
    for k, name in enumerate(names):
        number = rounded(float(s.condition[k]))
        charts.append(Chart(f"loss-{k}", T(f"{name.en}: contours of the loss", f"{name.ru}: линии уровня потери"), Scale(T("w₁", "w₁")),
                            Scale(T("w₂", "w₂")), _contours(s.hessian[k], s.best[k]),
                            T(f"condition number {number}", f"число обусловленности {number}"), even=True))
    there = np.where(s.steps == NEVER, np.nan, s.steps.astype(float))
    charts += [Chart("condition", T("Condition number", "Число обусловленности"), Scale(T("after", "после"), words=names),
                     Scale(T("greatest to least", "большее к меньшему"), log=True), [columns(s.condition, VIOLET)], wide=2),
               Chart("steps", T("Steps of gradient descent to the target", "Шагов градиентного спуска до цели"),
                     Scale(T("after", "после"), words=names), Scale(T("steps", "шагов"), log=True), [columns(np.maximum(there, 1), GREEN)], wide=2)]
    return Sheet(charts, len(names))


def _contours(hessian: np.ndarray, best: np.ndarray) -> list[Mark]:
    """Ellipses of equal loss over the two weights, at the best bias for each."""
    inner = hessian[:2, :2] - np.outer(hessian[:2, 2], hessian[2, :2]) / hessian[2, 2]
    roots, axes = np.linalg.eigh(inner)
    roots = np.maximum(roots, 1e-9 * roots.max() if roots.max() > 0 else 1.0)
    angle = np.linspace(0, 2 * np.pi, 121)
    marks: list[Mark] = []
    for level in (1, 2, 3, 4):
        ring = axes @ (level * np.stack([np.cos(angle), np.sin(angle)]) * np.sqrt(roots.max() / roots)[:, None]) / np.sqrt(roots.max())
        marks.append(Line(ring[0] + best[0], ring[1] + best[1], "isoline", width=1.5))
    return [*marks, Dots([best[0]], [best[1]], PINK, T("minimum", "минимум"), size=5)]


def shaken(s: Shaken) -> Sheet:
    """Boundaries of shaken weights over the raw points, and how many points change sides."""
    words = [RAW, T("prepared", "после подготовки")]
    (x0, y0), (x1, y1) = s.points.min(0), s.points.max(0)
    charts = []
    for k, name in enumerate(words):
        changed = rounded(100 * float(s.mean[k]))
        marks: list[Mark] = [_border(row, (x0, x1), (y0, y1), "faint", 1.0, 0.35) for row in s.lines[k][1:BUNDLE]]
        marks += [_border(s.lines[k][0], (x0, x1), (y0, y1), "ink", 2.5, 1.0), *by_class(s.points, s.y)]
        charts.append(Chart(f"lines-{k}", T(f"{name.en}: the boundary when the weights shake", f"{name.ru}: граница, когда веса дрожат"),
                            Scale(T("x", "x"), low=float(x0), high=float(x1)), Scale(T("y", "y"), low=float(y0), high=float(y1)), marks,
                            T(f"{changed} % of the points change sides", f"сторону меняют {changed} % точек")))
    return Sheet(charts)


def _border(row: np.ndarray, across: tuple[float, float], up: tuple[float, float], colour: str, width: float, alpha: float) -> Line:
    """a x + b y + c = 0 between the edges that it crosses."""
    a, b, c = map(float, row)
    if abs(b) >= abs(a):
        x, y = list(across), [-(a * v + c) / b for v in across] if b else [np.nan, np.nan]
    else:
        x, y = [-(b * v + c) / a for v in up], list(up)
    return Line(x, y, colour, width=width, alpha=alpha)


def by_class(points: np.ndarray, y: np.ndarray) -> list[Mark]:
    """Points in the colours and shapes of their classes."""
    return [Dots(points[y == c, 0], points[y == c, 1], (ORANGE, BLUE, *COLOURS[2:])[c % 8], shape=c % 2, size=3.0) for c in np.unique(y).tolist()]


# --- the grid -----------------------------------------------------------------------------------------------------------------------------


def bands(rows: Sequence[T], columns: Sequence[T], across: T, values: np.ndarray, name: T, key: str) -> Chart:
    """A curve for each row of a grid over its columns, (cells, seeds): the mean, and the band from 10 to 90 %."""
    many = values.reshape(len(rows), len(columns), -1)
    marks: list[Mark] = []
    for k, row in enumerate(rows):
        low, high = np.quantile(many[k], (0.1, 0.9), axis=-1)
        marks += [Line(np.arange(len(columns)), many[k].mean(-1), COLOURS[k % len(COLOURS)], row, dash=k % 3, low=low, high=high)]
    return Chart(key, name, Scale(across, words=columns), Scale(name), marks)


#: By the experiment: its result as charts.
SHEETS: Mapping[Callable[..., Any], Callable[[Any], Sheet]] = {
    experiments.paths: weights, experiments.trench: trench, experiments.ensemble: dropout, experiments.expected: expected,
    experiments.with_l2: with_l2, experiments.steps_table: steps, experiments.batch_sizes: collapse, experiments.running_statistics: running,
    experiments.sensitivity: sensitivity, experiments.places: places, experiments.confidence: confidence, experiments.stopping: stopping,
    experiments.amounts: amounts, experiments.averaged: averaged, experiments.heads: heads, experiments.stages: prepared, experiments.shaken: shaken,
}
