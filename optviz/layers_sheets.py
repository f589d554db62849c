"""What a look inside networks shows, as charts; and what it comes to, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from .activations import SATURATED, activations
from .chain import Chain
from .core import T, rounded, short
from .inside import MULTIPLES, THREE, WEIGHTS, Inside, classes_of, drawn, examples_of, find, scales_of
from .layers import HUGE, OCTAVES, Layers
from .losses import losses
from .palette import BLUE, COLOURS, GREEN, ORANGE, PINK, RED, VIOLET
from .probe import moments
from .probe_presets import Printed
from .recurrence import Recurrence, cliff
from .scales import DEPTHS, ScaleSweep, in_theory
from .sheet import Bars, Chart, Dots, Heat, Line, Mark, Ridges, Rule, Scale, Sheet

LEAST, MOST = 1e-30, 1e30  # what lies beyond is outside the picture
FLOATS = 1e-37, 1e37  # what a browser is sent holds no more
WORDED = 13  # layers, up to which each has its word
LEAST_SPAN = 3.0  # powers of 10 that a scale of the layers has at least
FEW = 6  # layers, depths or scales whose curves are told apart
LINEAR = 6.0  # up to which an unbounded activation is counted
ORDERS = 12.0  # powers of 10 that a sweep's colours tell apart at the most
Z, SOME = np.linspace(-6, 6, 121), 25  # sums; how many of them a small picture has
HALF = 0.3  # of a bar
#: The statistics whose numbers stand in a table.
COLUMNS = {
    "activation_mean": T("mean", "среднее"), "activation_std": T("std", "откл."),
    "saturated": T("saturated", "насыщены"), "dead": T("dead", "мертвы"),
    "activation_gradient_mean_abs": T("mean abs ∂L/∂a", "средн. мод. ∂L/∂a"), "gradient_mean_abs": T("mean abs ∂L/∂w", "средн. мод. ∂L/∂w"),
    "jacobian": T("Jacobian", "якобиан"), "update_ratio": T("update/w", "изменение/w"),
}
EDGE = T("edge of chaos", "край хаоса")
HIDDEN = T("Of the hidden layers; the output's is in the numbers below.", "Для скрытых слоёв; у выхода — в числах ниже.")
STEP, LAYER, SUM = T("step", "шаг"), T("layer", "слой"), T("z", "z")
NONE = T("0 by itself: no slope or no weight lets it pass", "ровно 0: его не пропускает наклон или вес")
LOST = {1: T("underflow", "underflow (исчезновение)"), 2: T("overflow", "overflow (переполнение)")}
BEYOND = {1: T("below 2·10⁻³⁰⁸, the least normal float", "меньше 2·10⁻³⁰⁸, наименьшего нормального числа двойной точности"),
          2: T("above 2·10³⁰⁸, the most that a float holds", "больше 2·10³⁰⁸, наибольшего числа двойной точности")}
GONE = {1: T("underflow from here on", "отсюда — исчезновение (underflow)"), 2: T("overflow from here on", "отсюда — переполнение (overflow)")}


def held(a: Any) -> np.ndarray:
    """Magnitudes that a logarithmic scale can show; of 0 there is no mark."""
    a = np.asarray(a, float)
    return np.where(a > 0, np.clip(a, *FLOATS), np.nan)


def without_lost(a: np.ndarray) -> np.ndarray:
    """Of what overflowed there is no mark either."""
    return np.where(np.abs(a) < HUGE, a, np.nan)


def known(a: np.ndarray) -> np.ndarray:
    """Magnitudes, without what overflowed."""
    return held(without_lost(a))


def sizes(name: T, *shown: np.ndarray) -> Scale:
    """A logarithmic scale for magnitudes, no longer than sixty powers of 10."""
    a = np.concatenate([np.ravel(own) for own in shown])
    low, high = LEAST if (a < LEAST).any() else None, MOST if (a > MOST).any() else None
    if low and not (a > LEAST).any():
        high = 1e3 * LEAST
    if high == MOST and not (a < MOST).any():
        low = 1e-3 * MOST
    return Scale(name, log=True, low=low, high=high)


def figure(value: float, code: int = 0) -> str:
    """A result in three digits, or what became of it."""
    return "∞ (overflow)" if code == 2 or abs(value) >= HUGE else rounded(value) + " (underflow)" * (code == 1)


def orders(name: T, *shown: np.ndarray) -> Scale:
    """A logarithmic scale of three powers of 10 at least, with room around: on it a few times more is no leap."""
    a = np.concatenate([np.ravel(own) for own in shown])
    if not np.isfinite(a).any():
        return sizes(name, a)
    low, high = (np.log10(np.clip(end, LEAST, MOST)) for end in (np.nanmin(a), np.nanmax(a)))
    more = max(LEAST_SPAN - (high - low), 0.12 * (high - low)) / 2
    return Scale(name, log=True, low=float(10 ** max(low - more, np.log10(LEAST))), high=float(10 ** min(high + more, np.log10(MOST))))


def steady(name: T, shown: np.ndarray) -> Scale:
    """A scale for magnitudes that is logarithmic where they differ by more than ten times."""
    near = np.nanmax(shown, initial=0.0) <= 10 * np.nanmin(shown, initial=np.inf)
    return Scale(name, low=0.0) if near else orders(name, shown)


def some_of(n: int, most: int = FEW) -> list[int]:
    """A few of n, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()


# --- layers, before and in training ---------------------------------------------------------------------------------------------------------


def places(n: int) -> tuple[np.ndarray, Scale]:
    """Where the layers stand, and their scale: the last one is the output."""
    if n <= WORDED:
        return np.arange(n, dtype=float), Scale(LAYER, words=[*(T(f"{i}", f"{i}") for i in range(1, n)), T("out", "вых.")])
    name = T(f"layer; {n} is the output", f"слой; {n} — выход")
    return np.arange(1.0, n + 1), Scale(name, low=0.5, high=n + 0.5)


def octaves(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes between powers of 2, without those that never occur."""
    there = np.flatnonzero(counts.reshape(-1, counts.shape[-1]).sum(0))
    low, high = (there[0], there[-1] + 1) if there.size else (len(OCTAVES) // 2 - 5, len(OCTAVES) // 2)
    low, high = max(low - 1, 0), min(high + 1, len(OCTAVES) - 1)
    return OCTAVES[low:high + 1], counts[..., low:high]


def ends_of(codes: np.ndarray, x: np.ndarray, begin: int) -> list[Mark]:
    """From where on numbers are lost, by what became of them on their way: `begin` is 0 forwards, −1 back."""
    codes = np.atleast_2d(codes).max(0)
    marks: list[Mark] = []
    for code, word in GONE.items():
        at = np.flatnonzero(codes == code)
        if at.size:
            marks.append(Rule(word, x=float(x[at[begin]]), colour=RED))
    return marks


def outside(x: np.ndarray, codes: np.ndarray, colour: str, name: T | None = None) -> list[Mark]:
    """What is lost, at the ends of what a picture shows."""
    marks: list[Mark] = []
    for code, word in LOST.items():
        at = np.flatnonzero(codes == code)
        told = word if name is None else T(f"{name.en}: {word.en}", f"{name.ru}: {word.ru}")
        if at.size:
            marks.append(Dots(x[at], np.full(at.size, LEAST if code == 1 else MOST), colour, told, shape=2 * code, size=3.5))
    return marks


def curve(x: np.ndarray, y: np.ndarray, colour: str, name: T | None = None, dash: int = 0, shape: int = 0) -> list[Mark]:
    """Dots on a line."""
    return [Line(x, y, colour, dash=dash, alpha=0.7), Dots(x, y, colour, name, shape=shape, size=4.5)]


def lectured(spec: Inside, statistic: str) -> list[Printed]:
    """What a lecture prints of this network and statistic, if one does."""
    return [s.printed for s in [spec.printed] if s and s.printed and s.printed.statistic == statistic]


def printed(spec: Inside, statistic: str, x: np.ndarray) -> list[Mark]:
    """What a lecture prints of this network, and where it misprints."""
    if not (theirs := lectured(spec, statistic)):
        return []
    table = theirs[0]
    right = [i for i in range(len(table.numbers)) if i not in table.meant]
    name = T("as the lecture prints it", "как напечатано в лекции")
    marks: list[Mark] = [Dots(x[right], np.array(table.numbers)[right], PINK, name, shape=3, size=7, hollow=True)]
    for i, meant in table.meant.items():
        told = short(float(table.numbers[i])), short(float(meant))
        name = T(f"misprint: {told[0]}, where {told[1]} is meant", f"опечатка: {told[0]}, должно быть {told[1]}")
        marks.append(Dots([x[i]], [table.numbers[i]], RED, name, shape=4, size=7))
    return marks


def around(found: Layers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of the activations, and one deviation on both sides, as far as there are such values."""
    mean, std = (np.clip(a, -MOST, MOST) for a in (found.activation_mean, found.activation_std))
    ends = (found.edges[0], found.edges[-1]) if found.edges[-1] < LINEAR else (-MOST, MOST)
    return mean, np.clip(mean - std, *ends), np.clip(mean + std, *ends)


def layers(spec: Inside, found: Layers) -> Sheet:
    """Layer by layer: histograms forwards and back, their sizes beside what a lecture prints, who passes no gradient, and what a step changes."""
    n = found.saturated.shape[-1]
    x, along = places(n)
    back_edges, back = octaves(found.activation_gradient_magnitudes)
    own_edges, own = octaves(found.gradient_magnitudes)
    forth, home = ends_of(found.forward, x, 0), ends_of(found.backward, x, -1)
    share, magnitude = T("share of the layer's numbers", "доля чисел слоя"), Scale(T("magnitude", "модуль"), log=True)
    inner = max(n - 1, 1)  # the output, which is no activation's, has a scale of its own
    mean, low, high = (a[..., :inner] for a in around(found))
    spread, own_size, back_size = (held(a) for a in (found.activation_std[..., :inner], found.gradient_mean_abs, found.activation_gradient_mean_abs))
    stretch, changed = held(found.jacobian), held(found.update_ratio)
    hidden = n - (n > 1 and found.edges[-1] < LINEAR)  # the output knows no such bounds
    charts = [
        Chart("activations", T("Activations", "Активации"), along, Scale(T("value", "значение")),
              [Ridges(x[:hidden], found.edges, found.activation_histogram[..., :hidden, :], BLUE, share)],
              T("One histogram a layer; the last bins hold what lies beyond.", "Гистограмма на каждый слой; в крайних столбцах — всё, что за ними.")),
        Chart("spread", T("How widely activations are spread", "Разброс активаций"), along,
              steady(T("standard deviation", "стандартное отклонение"), spread),
              beside(spec, "activation_std", x, spread, BLUE) + forth + theory(spec, x[:inner]), HIDDEN),
        Chart("gradients", T("Gradients of the weights", "Градиенты весов"), along, magnitude, [Ridges(x, own_edges, own, ORANGE, share)],
              T("What is exactly 0 is in no histogram.", "Точные нули в гистограммы не входят.")),
        Chart("sizes", T("Mean |gradient| of the weights", "Средний модуль градиента весов"), along,
              orders(T("mean |∂L/∂w|", "среднее |∂L/∂w|"), own_size, *(np.array(own.numbers) for own in lectured(spec, "gradient_mean_abs"))),
              beside(spec, "gradient_mean_abs", x, own_size, ORANGE) + home,
              beyond(spread, own_size)),
        Chart("backs", T("Gradients of the activations", "Градиенты по активациям"), along, magnitude, [Ridges(x, back_edges, back, VIOLET, share)]),
        Chart("backsizes", T("Mean |gradient| of the activations", "Средний модуль градиента по активациям"), along,
              orders(T("mean |∂L/∂a|", "среднее |∂L/∂a|"), back_size), curve(x, back_size, VIOLET)),
        Chart("shares", T("Who passes no gradient", "Кто не пропускает градиент"), along, Scale(T("share", "доля"), low=0.0, high=1.0),
              [Bars(x - HALF, x, found.saturated, ORANGE, T("saturated numbers: |φ′| < 0.01", "насыщенные числа: |φ′| < 0,01")),
               Bars(x, x + HALF, found.dead, "ink", T("dead neurons: 0 for every example", "мёртвые нейроны: 0 на всех примерах"))]),
        Chart("means", T("Mean of the activations, and one deviation around it", "Среднее активаций и одно отклонение вокруг"), along,
              Scale(T("value", "значение")), [Line(x[:inner], mean, BLUE, low=low, high=high), Dots(x[:inner], mean, BLUE)], HIDDEN),
        Chart("jacobian", T("By how much a layer stretches at most", "Во сколько раз слой растягивает, самое большее"), along,
              orders(T("norm of its Jacobian, mean of three examples", "норма его якобиана, среднее по трём примерам"), stretch),
              [*curve(x, stretch, GREEN), Rule(y=1.0, colour="faint")]),
        Chart("updates", T("What one step of gradient descent changes", "Что меняет один шаг градиентного спуска"), along,
              orders(T("‖update‖ / ‖w‖", "‖изменение‖ / ‖w‖"), changed),
              [*curve(x, changed, VIOLET), Rule(T("0.001: a rule of thumb", "0,001: ориентир на практике"), y=1e-3, colour="faint")]),
    ]
    return Sheet(charts)


def beside(spec: Inside, statistic: str, x: np.ndarray, ours: np.ndarray, colour: str) -> list[Mark]:
    """A statistic of the layers, and what a lecture prints of it."""
    theirs = printed(spec, statistic, x)
    return [*curve(x[:ours.shape[-1]], ours, colour, T("here", "здесь") if theirs else None), *theirs]


def theory(spec: Inside, x: np.ndarray) -> list[Mark]:
    """The spread that theory has."""
    if spec.printed is None or spec.printed.theory is None:
        return []
    told = rounded(spec.printed.theory)
    return [Line(x, np.full(len(x), spec.printed.theory), GREEN, T(f"theory: {told}", f"теория: {told}"), dash=1)]


def beyond(*shown: np.ndarray) -> T | None:
    """That something is outside the picture, if it is."""
    return T("What lies beyond 10⁻³⁰ and 10³⁰ is in the numbers below.", "Что меньше 10⁻³⁰ или больше 10³⁰ — в числах ниже.") if any(
        scale.low or scale.high for scale in (sizes(STEP, a) for a in shown)) else None


def training(spec: Inside, found: Layers) -> Sheet:
    """The same over the steps of a training, after the mean |gradient| of every layer at every step, and what the layers say on average."""
    steps = np.array(moments(spec.probe["steps"]))[:len(found.loss)]
    n, last = found.saturated.shape[-1], float(steps[-1])
    edges = np.concatenate([steps[:1] - 0.5, (steps[1:] + steps[:-1]) / 2, steps[-1:] + 0.5]).astype(float)
    every = held(found.gradient_mean_abs)
    some = every[np.isfinite(every)]
    low, high = (float(some.min()), float(some.max())) if some.size else (LEAST, MOST)
    now = np.repeat(steps[:, None].astype(float), 2, 1)
    bars = np.arange(n + 1) - 0.5 if n <= WORDED else np.arange(n + 1) + 0.5
    along, (_, up) = Scale(STEP, low=0.0, high=max(last, 1.0)), places(n)
    mean, *ends = around(found)
    marks: list[Mark] = []
    for k, layer in enumerate(some_of(n - 1)):
        name = T(f"layer {layer + 1}", f"слой {layer + 1}")
        marks.append(Line(steps, mean[:, layer], COLOURS[k], name, dash=k % 3, low=ends[0][:, layer], high=ends[1][:, layer]))
    guess, loss = losses[spec.probe["loss"]].initial(spec.probe["outputs"]), np.clip(without_lost(found.loss), -MOST, MOST)
    charts = [
        Chart("map", T("Mean |gradient| of the weights, step by step", "Средний модуль градиента весов на каждом шаге"),
              Scale(STEP, low=float(edges[0]), high=float(edges[-1])), up,
              [Heat(edges, bars, every.T, low, high if high > low else 10 * low, T("mean |gradient|", "средний модуль градиента"), log=True),
               Line(now, np.broadcast_to([bars[0], bars[-1]], (len(steps), 2)), PINK)],
              T(f"From {short(float(f'{low:.1g}'))} (faint) to {short(float(f'{high:.1g}'))} (blue).",
                f"От {short(float(f'{low:.1g}'))} (тусклый) до {short(float(f'{high:.1g}'))} (синий)."), wide=2),
        Chart("means-steps", T("What the hidden layers say on average", "Что в среднем отвечают скрытые слои"), along,
              Scale(T("activation", "активация")),
              [*marks, *_now(steps, found.activation_mean[:, :max(n - 1, 1)])]),
        Chart("loss", T("Loss", "Потеря"), along, Scale(T("loss", "потеря")),
              [Line(steps, loss, BLUE), Dots(steps[:, None], loss[:, None], PINK, size=5), silence(guess),
               *ends_of(2 * (found.loss >= HUGE), steps, 0)]),
    ]
    return Sheet([*charts, *layers(spec, found).charts], 2, steps.tolist(), STEP, begin=0)


def silence(guess: float) -> Rule:
    """The loss of a network that says nothing."""
    return Rule(T(f"says nothing: {rounded(guess)}", f"ничего не знает: {rounded(guess)}"), y=guess, colour="faint")


def _now(steps: np.ndarray, means: np.ndarray) -> list[Mark]:
    """Where the playhead is, over some curves."""
    ends = [float(np.clip(v, -MOST, MOST)) for v in (means.min(), means.max())]
    return [Line(np.repeat(steps[:, None].astype(float), 2, 1), np.broadcast_to(ends, (len(steps), 2)), PINK, width=1.5)]


# --- scales and depths ------------------------------------------------------------------------------------------------------------------------


def sweep(spec: Inside, found: ScaleSweep) -> Sheet:
    """How much of the gradient is left at the first layer, as a map of scales and depths and as curves; and the edge of chaos."""
    of = spec.number("of")
    all_ratios = found.ratio if of == "activations" else found.weight_ratio
    ratio = held(all_ratios)
    with np.errstate(all="ignore"):
        logs = np.log10(np.where((found.fate == 1) & np.isnan(ratio), LEAST, ratio))
    logs = np.where(found.fate == 2, np.nan, logs)  # what is left of them says nothing
    middle, far = logs.mean(-1), float(np.clip(np.nan_to_num(np.abs(logs)).max(initial=0.0), 1.0, ORDERS))
    ends = sorted(float(spec.number(name)) for name in ("low", "high"))
    scales, depths = np.log10(np.maximum(found.scales, 1e-12)), found.depths
    between = (scales[1:] + scales[:-1]) / 2
    half = (scales[1] - scales[0]) / 2 if len(scales) > 1 else 0.1
    across = 10 ** np.concatenate([scales[:1] - half, between, scales[-1:] + half])
    up = np.concatenate([[0.5], (depths[1:] + depths[:-1]) / 2, [depths[-1] + 0.5]])
    wide = 10 ** (np.log10(ends) + np.array([-half, half]))
    along = Scale(T("multiple of the initialization", "множитель инициализации"), log=True, low=float(wide[0]), high=float(wide[1]))
    edge: list[Mark] = []
    if found.edge is not None and wide[0] < found.edge < wide[1]:
        edge = [Rule(EDGE, x=found.edge, colour=GREEN)]
    lost: list[Mark] = []
    for cells, name, shape in ((found.fate == 1, LOST[1], 2), (found.fate == 2, LOST[2], 4), ((found.fate == 0) & (all_ratios == 0), NONE, 1)):
        rows, columns = np.nonzero(cells.any(-1))
        if rows.size:
            lost.append(Dots(found.scales[columns], depths[rows], "ink", name, shape=shape, size=3.5))
    curves: list[Mark] = []
    for k, i in enumerate(some_of(len(depths), 5)):
        low, own, high = np.where((found.fate[i] > 0).any(-1), np.nan, 10 ** np.stack([logs[i].min(-1), middle[i], logs[i].max(-1)]))
        name = T(f"depth {depths[i]}", f"слоёв: {depths[i]}")
        curves.append(Line(found.scales, own, COLOURS[k], name, dash=k % 3, low=low, high=high))
    names = {"activations": T("|∂L/∂a|, first layer over last", "|∂L/∂a|, первый слой к последнему"),
             "weights": T("|∂L/∂w|, first layer over output", "|∂L/∂w|, первый слой к выходу")}
    seeds, far_told = found.fate.shape[-1], rounded(float(f"{10**far:.2g}"))
    return Sheet([
        Chart("map", T("What is left of the gradient at the first layer", "Что остаётся от градиента у первого слоя"), along,
              Scale(T("hidden layers", "скрытых слоёв"), low=0.5, high=float(DEPTHS[-1]) + 0.5),
              [Heat(across, up, 10**middle, 10**-far, 10**far, names[of], log=True, signed=True), *lost, *edge],
              T(f"Orange: less than at the last; blue: more; full colour is {far_told} times. Geometric mean, seeds: {seeds}.",
                f"Оранжевый — меньше, чем у последнего, синий — больше; полный цвет — в {far_told} раз. Среднее геометрическое, "
                f"зёрен: {seeds}.")),
        Chart("curves", T("The same as curves", "То же кривыми"), along, sizes(names[of], 10**logs), [*curves, *edge, Rule(y=1.0, colour="faint")],
              None if of == "activations" else
              T("With ReLU the weights' ratio says nothing: what shrinks on the way forward makes up for it.",
                "Для ReLU отношение у весов ни о чём не говорит: его уравнивает то, что меняется на пути вперёд.")),
    ])


# --- the loss before training -------------------------------------------------------------------------------------------------------------------


def first_loss(spec: Inside, found: np.ndarray) -> Sheet:
    """The loss before training over the number of classes, beside that of a network that says nothing."""
    classes, loss = np.array(classes_of(spec.probe), float), losses[spec.probe["loss"]]
    guess = [loss.initial(int(c)) for c in classes]
    words = [short(float(f"{scale:.3g}")) for scale in scales_of(spec.probe)]
    name = T("says nothing: ln C", "ничего не знает: ln C") if loss.key == "ce" else T("says nothing", "ничего не знает")
    marks: list[Mark] = [Line(classes, guess, "ink", name, dash=1), Dots(classes, guess, "ink", size=3)]
    finite = known(found)
    for k, (told, row, own) in enumerate(zip(words, finite.T, found.T, strict=True)):
        name = T(f"scale {told}", f"масштаб {told}")
        marks += [*curve(classes, row, COLOURS[k], name, shape=k), *outside(classes, np.where(own < HUGE, 0, 2), COLOURS[k], name)]
    ten = int(np.argmin(np.abs(classes - 10)))
    bars = finite[ten]
    below = [T(f"{told}: {LOST[2].en}", f"{told}: {LOST[2].ru}") if np.isnan(bar) else T(told, told) for told, bar in zip(words, bars, strict=True)]
    sized = sizes(T("loss", "потеря"), bars)
    return Sheet([
        Chart("classes", T("Loss before training", "Потеря до обучения"), Scale(T("classes C", "классов C"), log=True),
              sizes(T("loss", "потеря"), finite), marks),
        Chart("ten", T(f"With {int(classes[ten])} classes", f"При {int(classes[ten])} классах"),
              Scale(T("scale of the first weights", "масштаб начальных весов"), words=below),
              replace(sized, low=float(np.nanmin([*bars, guess[ten]])) / 3),
              [Bars(np.arange(3) - HALF, np.arange(3) + HALF, bars, BLUE), silence(guess[ten])]),
    ])


# --- a chain ----------------------------------------------------------------------------------------------------------------------------------


def chain(spec: Inside, found: Chain) -> Sheet:
    """Each neuron's value and its factor φ′·w, what comes back to each beside its bound, and the same when all the weights grow."""
    n = len(WEIGHTS)
    x, marks = np.arange(n, dtype=float), [T(f"{k}", f"{k}") for k in range(1, n + 1)]
    neuron, at = Scale(T("neuron", "нейрон"), words=marks), np.arange(n + 1, dtype=float)
    factors, slopes, values = (np.clip(without_lost(a[..., 0]), -MOST, MOST) for a in (found.factors, found.slopes, found.values))
    product = figure(float(found.product[0, 0]))
    with_input, zero = Scale(T("neuron", "нейрон"), words=[T("x", "x"), *marks]), Rule(y=0.0, colour="faint")
    bounded = spec.number("function") == "sigmoid"
    reach = short(float(found.reach[0]))
    bound = (T(f"bound: {reach}·(1/4)^k·Π|w|", f"граница: {reach}·(1/4)^k·Π|w|") if bounded else
             T("bound: the steepest slopes", "граница: наибольшие наклоны"))
    back = T("what comes back: |∂L/∂z|", "что приходит назад: |∂L/∂z|")
    back_here, back_bound = known(np.abs(found.gradients[:, 0])), known(found.bound[:, 0])
    grown, grown_bound = known(np.abs(found.gradients[0, 1:])), known(found.bound[0, 1:])
    return Sheet([
        Chart("factors", T("The factors φ′(s)·w", "Множители φ′(s)·w"), neuron, Scale(T("factor", "множитель")),
              [Bars(x - HALF, x + HALF, factors, ORANGE, T("φ′·w", "φ′·w")),
               Dots(x, slopes, VIOLET, T("φ′ alone", "только φ′"), shape=3, size=5), zero],
              T(f"Their product: {product}", f"Их произведение: {product}")),
        Chart("values", T("What each neuron says", "Что отвечает каждый нейрон"),
              with_input, Scale(SUM), [Bars(at - HALF, at + HALF, values, BLUE), zero, *ends_of(found.forward[:, 0], at, 0)]),
        Chart("back", T("What comes back to each", "Что приходит назад к каждому"), with_input,
              sizes(T("magnitude", "модуль"), back_here, back_bound),
              [*curve(at, back_here, ORANGE, back), *curve(at, back_bound, "ink", bound, 1, 1), *ends_of(found.backward[:, 0], at, -1)]),
        Chart("grown", T("All weights times …", "Все веса умножить на …"), Scale(T("multiple", "множитель"), log=True),
              sizes(T("|∂L/∂x|", "|∂L/∂x|"), grown, grown_bound),
              [Line(MULTIPLES, grown, ORANGE, back), Line(MULTIPLES, grown_bound, "ink", bound, dash=1),
               *outside(MULTIPLES, found.backward[0, 1:], ORANGE),
               Rule(T("here", "здесь"), x=1.0, colour=GREEN)]),
    ])


# --- activations --------------------------------------------------------------------------------------------------------------------------------


def zones(z: np.ndarray, slopes: np.ndarray, low: float, high: float) -> list[Mark]:
    """Where hardly any gradient passes."""
    flat = np.abs(slopes) < SATURATED
    turns = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(int)))
    left, right = z[turns[::2]], z[np.minimum(turns[1::2], len(z) - 1)]
    name = T("saturated: |φ′| < 0.01", "насыщение: |φ′| < 0,01")
    return [Bars(left, right, np.full(len(left), high), "faint", name, low, 0.2)] if left.size else []


def activation(spec: Inside, found: None = None) -> Sheet:
    """One activation with a point that a hand drags along it and its tangent, its derivative, and below all others to choose from."""
    value, slope, lines = (np.clip(own, -MOST, MOST) for own in drawn(spec.probe, Z))
    a = activations[spec.probe["activation"][0]]
    low, high = float(value.min()) - 0.3, float(value.max()) + 0.3
    down, up = min(float(slope.min()), 0.0) - 0.1, max(float(slope.max()), 0.0) + 0.1
    fine = np.linspace(Z[0], Z[-1], 1201)
    fine_value, fine_slope = (np.clip(own, -MOST, MOST) for own in drawn(spec.probe, fine)[:2])
    reach = 1.6 / np.hypot(1, slope)
    tangent = Line(Z[:, None] + reach[:, None] * [-1, 1], value[:, None] + (slope * reach)[:, None] * [-1, 1], PINK, T("tangent", "касательная"))
    along = Scale(SUM, low=float(Z[0]), high=float(Z[-1]))
    pieces: list[Mark] = [Line(Z, own, "faint", T("a piece", "одна из прямых") if not k else None, width=1.2, dash=1) for k, own in enumerate(lines)]
    charts = [
        Chart("value", a.name, along, Scale(T("φ(z)", "φ(z)"), low=low, high=high),
              [*zones(fine, fine_slope, low, high), *pieces, Line(fine, fine_value, BLUE), tangent, Dots(Z[:, None], value[:, None], PINK, size=7)],
              a.idea, wide=2, scrubs=True),
        Chart("derivative", T("Its derivative: what passes of the gradient", "Её производная: какая часть градиента проходит"), along,
              Scale(T("φ′(z)", "φ′(z)"), low=down, high=up),
              [*zones(fine, fine_slope, down, up), Line(fine, fine_slope, ORANGE),
               Dots(Z[:, None], slope[:, None], PINK, T("the tangent's slope", "наклон касательной"), size=7)],
              wide=2, scrubs=True),
    ]
    for key, other in activations.items():
        own, steep = (np.clip(line, -MOST, MOST) for line in drawn(spec.probe.at(activation=(key,)), Z)[:2])
        charts.append(Chart(f"pick-{key}", other.name, along, Scale(T("φ and φ′", "φ и φ′"), low=-2.0, high=3.0),
                            [Line(Z, own, BLUE), Line(Z, steep, ORANGE, dash=1)], picked=True))
    return Sheet(charts, 4, [f"{z:.1f}".replace("-", "−") for z in Z], SUM, begin=int(np.argmin(np.abs(Z - 1))))


# --- through time ---------------------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def cliff_grid(many: int = 61) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The loss of one recurrent neuron over its weight and its bias."""
    s = cliff()
    w, b = (np.linspace(*side, many + 1) for side in s.box)
    return w, b, np.asarray(s.value(*np.meshgrid((w[1:] + w[:-1]) / 2, (b[1:] + b[:-1]) / 2)))


def recurrence(spec: Inside, found: Recurrence) -> Sheet:
    """What the loss at the last step still knows of each state, for three scales; the norms that mislead; what clipping does; and the cliff."""
    scales = [spec.number(name) for name in THREE]
    t = np.arange(len(found.product), dtype=float)
    along = Scale(T("step t of the state", "шаг t состояния"))
    products: list[Mark] = []
    norms: list[Mark] = []
    lengths: list[Mark] = []
    product, bound, gradient, clipped = (known(a) for a in (found.product, found.norms, found.gradient, found.clipped))
    for k, scale in enumerate(scales):
        colour, told = (BLUE, GREEN, ORANGE)[k], short(scale)
        name = T(f"scale {told}", f"масштаб {told}")
        products += [Line(t, product[:, k], colour, name), *outside(t, found.across[:, k], colour, name)]
        norms += [Line(t, bound[:, k], colour, name, dash=2), Line(t, product[:, k], colour, alpha=0.5, width=1.2)]
        lengths += [Line(t, gradient[:, k], colour, name), Line(t, clipped[:, k], colour, dash=1), *outside(t, found.backward[:, k], colour, name)]
    w, b, loss = cliff_grid()
    some = without_lost(found.states[:, :4, 1])
    return Sheet([
        Chart("products", T("How far back the last state reaches: ‖∂h_T/∂h_t‖", "Как далеко достаёт последнее состояние: ‖∂h_T/∂h_t‖"), along,
              sizes(T("norm", "норма"), product), [*products, Rule(y=1.0, colour="faint")], wide=2),
        Chart("norms", T("The product of the Jacobians' norms misleads", "Произведение норм якобианов обманывает"), along,
              sizes(T("norm", "норма"), product, bound), [*norms, Rule(y=1.0, colour="faint")],
              T("Dotted: the product of the norms; thin: the norm of the product.", "Точками — произведение норм, тонко — норма произведения.")),
        Chart("lengths", T("Gradient of the loss by each state", "Градиент потери по каждому состоянию"), along,
              sizes(T("|∂L/∂h_t|", "|∂L/∂h_t|"), gradient, clipped),
              [*lengths, Rule(T(f"clip {short(spec.number('clip'))}", f"порог {short(spec.number('clip'))}"), y=spec.number("clip"), colour="faint")],
              T("Dashed: shortened to the clip after every step.", "Штрихами — с ограничением длины на каждом шаге.")),
        Chart("states", T(f"Four of the states at scale {short(scales[1])}", f"Четыре из состояний при масштабе {short(scales[1])}"),
              along, Scale(T("h", "h")),
              [Line(t, np.clip(row, -MOST, MOST), COLOURS[k], dash=k % 3) for k, row in enumerate(some.T)]
              + ends_of(found.forward[:, 1], t, 0)),
        Chart("cliff", T("The cliff: loss of one recurrent neuron", "Обрыв: потеря одного рекуррентного нейрона"),
              Scale(T("weight w", "вес w")), Scale(T("bias b", "смещение b")),
              [Heat(w, b, loss, 0.0, float(loss.max()), T("loss after 16 steps", "потеря через 16 шагов"))],
              T("h ← tanh(w·h + b), 16 times; faint is 0.", "h ← tanh(w·h + b), 16 раз; тусклый — 0.")),
    ])


# --- in words -------------------------------------------------------------------------------------------------------------------------------------


def told(spec: Inside, found: Any) -> T | None:
    """What the numbers say, in a sentence or two."""
    if spec.about in ("layers", "training"):
        return _told_layers(spec, found)
    if spec.about == "sweep":
        return _told_sweep(spec, found)
    if spec.about == "loss" and (np.asarray(found) >= HUGE).any():
        scales = (float(f"{s:.3g}") for s, own in zip(scales_of(spec.probe), found.T, strict=True) if (own >= HUGE).any())
        lost = ", ".join(map(short, dict.fromkeys(scales)))
        return T(f"Overflow at scale {lost}: the loss is {BEYOND[2].en}.", f"Overflow при масштабе {lost}: потеря {BEYOND[2].ru}.")
    if spec.about == "chain":
        back, bound = figure(abs(float(found.gradients[0, 0])), int(found.backward[0, 0])), figure(float(found.bound[0, 0]))
        return T(f"|∂L/∂x| = {back}; the bound is {bound}.", f"|∂L/∂x| = {back}; граница: {bound}.")
    if spec.about == "time":
        radius = ", ".join(rounded(float(r)) for r in found.radius)
        left = ", ".join(figure(float(p), int(code)) for p, code in zip(found.product[0], found.across[0], strict=True))
        return T(f"‖∂h_T/∂h₀‖: {left}. Largest |eigenvalue| of W: {radius}.",
                 f"‖∂h_T/∂h₀‖: {left}. Наибольший модуль собственных значений W: {radius}.")
    return None


def _told_sweep(spec: Inside, found: ScaleSweep) -> T:
    """Where theory has the edge, and what was left out."""
    values, many = dict(spec.probe.values), examples_of(spec.probe)
    if found.edge is not None:
        text = T(f"In theory the edge of chaos is at {rounded(found.edge)}.", f"По теории край хаоса — при масштабе {rounded(found.edge)}.")
    elif in_theory(values):
        text = T("In theory this network has no edge: at no scale do gradients keep their size in all layers.",
                 "По теории у такой сети края нет: ни при каком масштабе градиенты не сохраняют размер во всех слоях.")
    else:
        text = T("For this network theory knows no edge: it is one of plain layers with one activation.",
                 "Для такой сети теория края не указывает: она — о простых слоях с одной активацией.")
    if many == values["batch"]:
        return text
    return T(f"{text.en} Of the {values['batch']} examples {many} are shown here: all would take minutes.",
             f"{text.ru} Примеров здесь {many} из {values['batch']}: со всеми расчёт занял бы минуты.")


def _told_layers(spec: Inside, found: Layers) -> T:
    """The loss, how the gradient falls or grows, and where numbers are lost."""
    found = latest(found)
    guess, p = losses[spec.probe["loss"]].initial(spec.probe["outputs"]), spec.probe
    formula = f"ln {p['outputs']} = " if p["loss"] == "ce" else ""
    at = (f"After step {p['steps']} the", f"После шага {p['steps']} потеря") if p["steps"] else ("The", "Потеря")
    loss = figure(float(found.loss))
    parts = [(f"{at[0]} loss is {loss}; a network that says nothing has {formula}{rounded(guess)}.",
              f"{at[1]} {loss}; у сети, которая ничего не знает, {formula}{rounded(guess)}.")]
    first, last = (float(found.activation_gradient_mean_abs[i]) for i in (0, -2 if len(found.dead) > 1 else -1))
    if len(found.dead) > 2 and first > 0 and last > 0:
        ratio = rounded(min(first / last, HUGE) if last > first / HUGE else HUGE)
        parts.append((f"Mean |∂L/∂a|, first hidden layer over last: {ratio}.",
                      f"Средний модуль ∂L/∂a, первый скрытый слой к последнему: {ratio}."))
    for way, en, ru in (("forward", "activations", "активации"), ("backward", "gradients", "градиенты")):
        codes = getattr(found, way)
        for code, word in ((1, "Underflow"), (2, "Overflow")):
            if many := int((codes == code).sum()):
                parts.append((f"{word}: the {en} of {many} layers of {len(codes)} are {BEYOND[code].en}.",
                              f"{word}: {ru} {BEYOND[code].ru}; слоёв: {many} из {len(codes)}."))
    return T(" ".join(en for en, _ in parts), " ".join(ru for _, ru in parts))


Showing = Callable[[Inside, Any], Sheet]
SHEETS: Mapping[str, Showing] = {"layers": layers, "training": training, "sweep": sweep, "loss": first_loss, "chain": chain, "activation": activation,
                                 "time": recurrence}


def sheet_of(spec: Inside, result: Any) -> Sheet:
    """What was found, as charts."""
    return SHEETS[spec.about](spec, result)


def shown(spec: Inside) -> Sheet:
    """Everything that a look shows."""
    return sheet_of(spec, find(spec))


def latest(found: Layers) -> Layers:
    """The layers as they are after the last step."""
    return Layers(**{name: a if name == "edges" else a[-1] for name, a in vars(found).items()}) if found.loss.ndim else found


def table(spec: Inside, found: Layers) -> list[list[str | T]]:
    """The numbers of each layer in three digits under their names, after the last step, and what a lecture prints."""
    found = latest(found)
    rows: list[list[str | T]] = [[T("layer", "слой"), *COLUMNS.values()]]
    rows += [[str(i + 1), *(figure(float(getattr(found, name)[i])) for name in COLUMNS)] for i in range(len(found.dead))]
    if spec.printed and (own := spec.printed.printed):
        head = COLUMNS[own.statistic]
        rows[0].append(T(f"printed: {head.en}", f"напечатано: {head.ru}"))
        for i, row in enumerate(rows[1:]):
            told, meant = short(own.numbers[i]) if i < len(own.numbers) else "", own.meant.get(i)
            row.append(told if meant is None else T(f"{told} (misprint: {short(meant)})", f"{told} (опечатка: {short(meant)})"))
    return rows
