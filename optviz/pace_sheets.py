"""What is asked about a learning rate, as charts: the distance over seeds, three rates, the range test, the map of stability."""

from __future__ import annotations

from typing import Any

import numpy as np

from .core import Refused, T, rounded, short
from .descent import descend
from .latex import plain as bare
from .names import name_of
from .optimizers import Optimizer, optimizers
from .outcome import solve
from .pace import Pace
from .pace_scene import schedule_names
from .palette import BLUE, COLOURS, GREEN, ORANGE, style_of
from .rates import (
    BAND,
    HIGHEST,
    LOWEST,
    SEEDS,
    Axis,
    RangeTest,
    Rates,
    StabilityMap,
    band,
    floor_of,
    network_curves,
    network_range_test,
    of_range,
    quiet,
    range_test,
    small_network,
    stability_map,
    three,
    thresholds,
    two_numbers,
)
from .run import Run
from .scene import heat, named
from .sheet import STEP, Chart, Dots, Ground, Heat, Line, Mark, Rule, Scale, Sheet

HUES = (ORANGE, BLUE, GREEN)  # high, good, low
KINDS = (T("high", "велика"), T("good", "хороша"), T("low", "мала"))
ENDLESS = 1e12  # times the first loss: farther a curve is not followed
THIN = 301  # points of a band at most
SHOWN = 200  # points of a panel's path
PALE = 2.0  # times the most steps, where cells would be as pale as the page
LOSS, RATE = T("loss", "потери"), T("learning rate α", "скорость обучения α")


def shown(pace: Pace) -> Sheet:
    """The charts that answer what is asked."""
    if pace["figure"] == "three":
        return curves(pace) if pace["on"] == "network" else descents(pace)
    return {"band": distance, "range": rising, "map": stability}[pace["figure"]](pace)


def decades(values: np.ndarray, name: T, most: int, high: float = np.inf) -> Scale:
    """A logarithmic scale that holds positive numbers, so many decades below a height at most."""
    there = values[np.isfinite(values) & (values > 0)]
    high = min(float(there.max(initial=1e-300)), high)
    low = max(float(there.min(initial=high / 10)), high * 10.0**-most)
    return Scale(name, True, 10 ** float(np.floor(np.log10(low))), 10 ** float(np.ceil(np.log10(high))))


def steps_scale(steps: int) -> Scale:
    return Scale(STEP, low=0, high=steps, sign="k")


def distance(pace: Pace) -> Sheet:
    """The distance to the minimum over many draws of the noise, and the floor of the constant rates."""
    race = pace.race
    k = np.arange(race["steps"] + 1)
    thin = np.unique(np.linspace(0, race["steps"], THIN).astype(int))
    marks: list[Mark] = []
    settled: list[tuple[T, float]] = []
    found: list[np.ndarray] = []
    trails, names = solve(race).trails, schedule_names(race.entrants)
    for e, run, trail, name, (*_, style) in zip(race.entrants, race.runs, trails, names, named(race), strict=True):
        own = None if trail is None or e.muted else band(run)
        if own is None:
            continue
        found.append(own)
        low, middle, high = own[:, thin]
        marks.append(Line(k[thin], middle, style.colour, name, low=low, high=high))
        floor = floor_of(run) if e.schedule == "constant" else None
        if floor is not None:
            marks.append(Line([0, race["steps"]], [floor**0.5] * 2, style.colour, dash=2))
            settled.append((name, floor**0.5))
    if not found:
        raise Refused(T("No minimum is known here, so there is no distance to one.", "Минимум здесь неизвестен, поэтому и расстояния до него нет."))
    ends = f"{100 * BAND[0]:.0f} … {100 * BAND[2]:.0f} %"
    note = T(f"The line is the median over {SEEDS} draws of the noise, the band holds {ends} of them.",
             f"Линия — медиана по {SEEDS} реализациям шума, полоса — {ends} из них.")
    for name, far in settled:
        note = T(f"{note.en} Dotted, the noise floor of “{name.en}”: √E‖θ−θ*‖² = {rounded(far)}; ασ²/(λ(2−αλ)) a coordinate for gradient descent.",
                 f"{note.ru} Пунктир — шумовой порог «{name.ru}»: √E‖θ−θ*‖² = {rounded(far)}; для градиентного спуска это "
                 "ασ²/(λ(2−αλ)) на координату.")
    y = decades(np.concatenate(found, axis=1), T("distance to the minimum", "расстояние до минимума"), 5, 1e3 * max(float(found[0][0][0]), 1e-9))
    title = T("How far from the minimum", "Расстояние до минимума")
    return Sheet([Chart("band", title, steps_scale(race["steps"]), y, marks, note, read=True)], 1)


# --- high, good, low --------------------------------------------------------------------------------------------------------------------


def rate_names(rates: Rates) -> list[T]:
    """“good: α = 0.05”"""
    return [T(f"{kind.en}: α = {rounded(rate)}", f"{kind.ru}: α = {rounded(rate)}") for kind, rate in zip(KINDS, rates, strict=True)]


def curves(pace: Pace) -> Sheet:
    """Loss curves of three rates on a small network, as lectures draw them."""
    net = small_network(quiet(pace.race.runs[0]))
    rates = of_range(network_range_test(net))
    loss, diverged = network_curves(net, rates)
    seen = [np.where((d >= 0) & (np.arange(len(c)) >= d), np.nan, c) for c, d in zip(loss.T, diverged, strict=True)]
    marks = [Line(np.arange(len(c)), c, hue, name) for c, hue, name in zip(seen, HUES, rate_names(rates), strict=True)]
    return Sheet([Chart(
        "curves", T("Loss on training", "Потери на обучении"), Scale(T("pass", "эпоха"), low=0, high=len(loss) - 1),
        decades(np.concatenate(seen), LOSS, 8, 1e2 * seen[0][0]), marks,
        T("A network with 8 neurons on 120 points of “circle”, mean squared error, batches of 10; the rates come from its range test.",
          "Сеть из 8 нейронов на 120 точках «круга», среднеквадратичная ошибка, пакеты по 10; скорости взяты из подбора на ней же."), read=True)], 1)


def descents(pace: Pace) -> Sheet:
    """Three rates side by side, and what the loss comes to over all of them."""
    run = quiet(pace.race.runs[0])
    rates, box = three(run), pace.race.box
    ground = Ground(heat=heat(run.surface, box))
    x, y = (Scale(T(name, name), low=low, high=high) for name, (low, high) in zip("xy", box, strict=True))
    panels: list[Chart] = []
    for name, rate, hue in zip(rate_names(rates), rates, HUES, strict=True):
        trail = descend(run, lr=rate, memory=False)
        points = trail.points[:, :trail.diverged_at][:, :SHOWN]
        head = [] if trail.diverged_at is not None else [Dots(points[0, -1:], points[1, -1:], hue, size=5)]
        panels.append(Chart(f"descent-{len(panels)}", name, x, y, [ground, Line(points[0], points[1], hue), *head], even=True, bare=True))
    return Sheet([*panels, limits(run)], 3)


def limits(run: Run) -> Chart:
    """The loss in the end against the rate for three methods, with the limits of theory."""
    found = thresholds(run)
    best = run.surface.value(*run.surface.minima[0]) if run.surface.minima else 0.0
    first = max(run.surface.value(*run.start) - best, 1e-300)
    marks: list[Mark] = []
    for t in found:
        name, ink = optimizers[t.run.optimizer].name, style_of(t.run.optimizer).colour
        marks.append(Line(t.rates, np.where(np.isfinite(t.loss), np.minimum(t.loss, ENDLESS * first), np.nan), ink, name))
        if t.limit is not None:
            marks.append(Rule(T(f"{name.en} {rounded(t.limit)}", f"{name.ru} {rounded(t.limit)}"), x=t.limit, colour=ink))
    note = None
    if all(t.limit is not None for t in found):
        gamma = short(found[1].run["momentum"])
        note = T(f"Dashed, how large the rate may be by theory. γ = {gamma}: gradient descent 2/λmax, heavy ball 2(1+γ)/λmax, "
                 "Nesterov (2+2γ)/((1+2γ)λmax). A click takes the rate into the lab.",
                 f"Штрихом — предел скорости по теории. γ = {gamma}: градиентный спуск 2/λmax, тяжёлый шарик 2(1+γ)/λmax, "
                 "Нестеров (2+2γ)/((1+2γ)λmax). Щелчок переносит скорость в лабораторию.")
    seen = np.concatenate([mark.y for mark in marks if isinstance(mark, Line)])
    return Chart("limits", T("Loss in the end against the rate", "Итоговые потери в зависимости от скорости"),
                 Scale(RATE, True, float(found[0].rates[0]), float(found[0].rates[-1]), sign="α"),
                 decades(seen, T("final loss f − f*", "итоговое f − f*"), 14, 1e3 * first), marks, note, wide=3, picked=True, read=True)


# --- the range test ---------------------------------------------------------------------------------------------------------------------


def tested(pace: Pace) -> RangeTest:
    """The range test that is asked for: of the run, or of a network that its optimizer trains."""
    run = pace.race.runs[0]
    return network_range_test(small_network(run)) if pace["on"] == "network" else range_test(run)


def rising(pace: Pace) -> Sheet:
    """The loss while the rate grows, its two rates marked."""
    found, run = tested(pace), pace.race.runs[0]
    known = bool(run.surface.minima) and pace["on"] != "network"
    loss, colour = found.loss - (run.surface.value(*run.surface.minima[0]) if known else 0.0), style_of(run.optimizer).colour
    first = loss[0] if np.isfinite(loss[0]) else 1.0
    least = float(np.min(loss[np.isfinite(loss)], initial=first))
    seen = np.minimum(loss, ENDLESS * abs(first))
    name = T("loss f − f*", "потери f − f*") if known else LOSS
    marks: list[Mark] = [Line(found.rates, seen, colour, name)]
    marks += [Rule(T(f"{word.en} {rounded(rate)}", f"{word.ru} {rounded(rate)}"), x=rate, colour=colour)
              for rate, word in ((found.steepest, T("steepest", "круче всего")), (found.diverging, T("diverging", "расходится"))) if rate]
    over = T("learning rate α, larger at every step", "скорость обучения α, растёт с каждым шагом")
    return Sheet([Chart(
        "range", T("Loss while the rate grows", "Потери, пока скорость растёт"), Scale(over, True, LOWEST, HIGHEST, sign="α"),
        decades(seen, name, 12, 30 * first) if least >= 0 < first else Scale(name, low=least, high=float(first + abs(first)) + 1e-9), marks,
        T("The loss while the rate grows: nothing happens, then it falls, then it flies off. A click takes a rate into the lab.",
          "Потери, пока скорость растёт: сначала ничего, потом спад, потом взлёт. Щелчок переносит скорость в лабораторию."),
        picked=True, read=True)], 1)


# --- the map of stability ---------------------------------------------------------------------------------------------------------------


def mapped(pace: Pace) -> StabilityMap:
    """The map that is asked for."""
    return stability_map(two_numbers(pace.race.runs[0]), *pace.axes, pace["tolerance"])


def axis_name(o: Optimizer, name: str) -> T:
    """Sign and name of a number."""
    said, sign = name_of(o, name), bare(o.symbol(name))
    return T(f"{sign}, {said.en}", f"{sign}, {said.ru}") if len(sign) < 4 else said


def _edges(o: Optimizer, axis: Axis) -> tuple[np.ndarray, Scale]:
    """The edges of cells around the values of an axis, and its scale."""
    v = axis.values
    log = bool(len(v) > 2 and v[0] > 0 and not np.isclose(v[1] - v[0], v[2] - v[1]))
    a = np.log(v) if log else v
    edges = np.append(a - (a[1] - a[0]) / 2, a[-1] + (a[1] - a[0]) / 2)
    edges = np.exp(edges) if log else edges
    return edges, Scale(axis_name(o, axis.name), log, edges[0], edges[-1], sign=bare(o.symbol(axis.name)))


def stability(pace: Pace) -> Sheet:
    """Steps to the tolerance over two numbers."""
    run, found, tolerance = two_numbers(pace.race.runs[0]), mapped(pace), short(pace["tolerance"])
    o = optimizers[run.optimizer]
    (x, across), (y, up) = _edges(o, found.across), _edges(o, found.up)
    counted = found.steps[np.isfinite(found.steps)]
    most = float(max(counted.max(initial=2), 2))

    def alike(cells: np.ndarray, colour: str, alpha: float, name: T) -> list[Mark]:
        return [Heat(x, y, np.where(cells, 1.0, np.nan), 0, 1, name, colour=colour, alpha=alpha)] if cells.any() else []
    marks: list[Mark] = [Heat(x, y, np.where(found.steps > 0, found.steps, np.nan), PALE * most, 1, T("steps", "шагов"), log=True)]
    marks += alike(found.steps == 0, "plus", 1.0, T("there from the beginning", "в допуске с самого начала"))
    marks += alike(np.isinf(found.steps), "line", 0.6, T("not within the tolerance in time", "не в допуске за отведённые шаги"))
    marks += alike(np.isnan(found.steps), "minus", 0.45, T("ends higher than it began", "кончает выше, чем начал"))
    if found.boundary is not None:
        marks.append(Line(found.boundary, found.up.values, "ink", T("the limit of theory", "предел по теории")))
    here: Any = found.across.name, found.up.name
    marks.append(Dots([float(run[here[0]])], [float(run[here[1]])], COLOURS[2], T("this run", "этот спуск"), size=5))
    least = T("nothing arrives", "не дошёл никто")
    if counted.size:
        least = T(f"{int(counted.min())} to {int(counted.max())} steps", f"шагов: от {int(counted.min())} до {int(counted.max())}")
    note = T(f"The bluer, the fewer ({least.en}). Constant rate, no noise. A click opens the run of a cell.",
             f"Чем синее, тем меньше ({least.ru}). Скорость постоянна, шума нет. Щелчок по клетке открывает её спуск.")
    title = T(f"Steps to f − f* ≤ {tolerance}", f"Шагов до f − f* ≤ {tolerance}")
    return Sheet([Chart("map", title, across, up, marks, note, picked=True, tall=True)], 1)
