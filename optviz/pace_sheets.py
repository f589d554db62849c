"""What is asked about a learning rate: how it is measured, and as charts. The distance over draws, three rates, the range test, the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .core import Refused, T, rounded, short
from .latex import plain as bare
from .names import name_of
from .optimizers import Optimizer, optimizers
from .outcome import solve
from .pace import Pace
from .pace_scene import schedule_names
from .palette import BLUE, COLOURS, GREEN, ORANGE, style_of
from .race import Entrant, Race
from .rates import (
    BAND,
    DECADES,
    HIGHEST,
    LOWEST,
    TRAINED,
    Band,
    Compared,
    Curves,
    RangeTest,
    Rates,
    StabilityMap,
    band,
    compared,
    logarithmic,
    network_curves,
    network_range_test,
    range_test,
    small_network,
    stability_map,
    two_numbers,
)
from .run import CLIPS
from .scene import heat, named
from .sheet import STEP, Chart, Dots, Ground, Heat, Line, Mark, Rule, Scale, Sheet

HUES = (ORANGE, BLUE, GREEN)  # high, good, low
KINDS = (T("high", "велика"), T("good", "хороша"), T("low", "мала"))
ENDLESS = 1e12  # times the first loss: farther a curve is not followed
PALE = 2.0  # times the most steps, where cells would be as pale as the page
LOSS, RATE = T("loss", "потеря"), T("learning rate α", "скорость обучения α")
EXCESS = T("loss f − f*", "потеря f − f*")
Answer = list[Band | None] | Compared | Curves | RangeTest | StabilityMap


# --- what is measured -------------------------------------------------------------------------------------------------------------------


def question(pace: Pace) -> str:
    """As a query what an answer hangs on, and nothing else: who asks the same has the same answer."""
    race, figure = pace.race, pace["figure"]
    entrants = [e.at(muted=False) for e in race.entrants]
    shared = {name: race[name] for name in ("steps", "noise", "noise_relative", "seed")}
    if figure != "band":
        first = race.entrants[0]
        clips = {name: first[name] for name in CLIPS}
        varied = pace.axes if figure == "map" else ("lr",)
        own = {name: first[name] for name in optimizers[first.optimizer].params if name not in varied}
        entrants = [Entrant(first.optimizer, **clips, **own)]
        shared = {name: value for name, value in shared.items() if (name == "steps") == (figure != "range")}
    tolerance = {"tolerance": race["tolerance"]} if figure == "map" else {}
    across, up = pace.axes if figure == "map" else ("", "")
    asked = Pace(Race(race.surface, race.start, entrants, **shared, **tolerance), figure=figure, on=pace["on"], across=across, up=up)
    return asked.to_query()


def measured(query: str, progress: Callable[[int, int], None] | None = None) -> Answer:
    """The answer to a question; what it is not told between is nothing to wait for."""
    pace = Pace.from_query(query)
    run, network = pace.race.runs[0], pace["on"] == "network"
    if pace["figure"] == "band":
        return _bands(pace.race, progress)
    if pace["figure"] == "three":
        return network_curves(small_network(run)) if network else compared(run)
    if pace["figure"] == "range":
        return network_range_test(small_network(run)) if network else range_test(run)
    return stability_map(two_numbers(run), *pace.axes, pace["tolerance"])


def _bands(race: Race, progress: Callable[[int, int], None] | None) -> list[Band | None]:
    out: list[Band | None] = []
    for run in race.runs:
        try:
            out.append(band(run))
        except Refused:  # the others run on; the stage says why
            out.append(None)
        if progress:
            progress(len(out), len(race.runs))
    return out


# --- as charts --------------------------------------------------------------------------------------------------------------------------


def shown(pace: Pace) -> Sheet:
    """The charts that answer what is asked."""
    return sheet(pace, measured(question(pace)))


def sheet(pace: Pace, answer: Answer) -> Sheet:
    """An answer as charts, with what of the pace is seen beside it."""
    match answer:
        case Compared():
            return descents(pace, answer)
        case Curves():
            return curves(answer)
        case RangeTest():
            return rising(pace, answer)
        case StabilityMap():
            return stability(pace, answer)
    return distance(pace, answer)


def decades(values: np.ndarray, name: T, most: int, high: float = np.inf) -> Scale:
    """A logarithmic scale that holds positive numbers, so many decades below a height at most."""
    there = values[np.isfinite(values) & (values > 0)]
    high = min(float(there.max(initial=1e-300)), high)
    low = max(float(there.min(initial=high / 10)), high * 10.0**-most)
    return Scale(name, True, 10 ** float(np.floor(np.log10(low))), 10 ** float(np.ceil(np.log10(high))))


def distance(pace: Pace, bands: list[Band | None]) -> Sheet:
    """The distance to the minimum over many draws of the noise, and the floor of the constant rates."""
    race = pace.race
    marks: list[Mark] = []
    settled: list[T] = []
    found: list[Band] = []
    for e, own, name, (*_, style) in zip(race.entrants, bands, schedule_names(race.entrants), named(race), strict=True):
        if own is None or e.muted:
            continue
        found.append(own)
        marks.append(Line(own.steps, own.mean, style.colour, name, low=own.low, high=own.high))
        if own.floor is not None:
            marks.append(Line([0, race["steps"]], [own.floor.far] * 2, style.colour, dash=2))
            far, en, ru = rounded(own.floor.far), "", ""
            if own.floor.local:
                en, ru = " (for small steps: this surface is no quadratic)", " (при малых шагах: функция не квадратичная)"
            settled.append(T(f"“{name.en}” {far}{en}", f"«{name.ru}» {far}{ru}"))
    if not found:
        raise Refused(T("No minimum is known here, so there is no distance to one.", "Минимум здесь неизвестен, поэтому и расстояния до него нет."))
    ends = f"{100 * BAND[0]:.0f} … {100 * BAND[1]:.0f} %"
    draws = found[0].draws
    note = T(f"The line is the root mean square over {draws} runs, each with noise of its own; the band goes from {ends} of them.",
             f"Линия — среднеквадратичное по запускам, их {draws}, шум у каждого свой; полоса — от {ends} из них.")
    if draws == 1:
        note = T("There is no noise, so one run tells all.", "Шума нет, поэтому запуск один.")
    if settled:
        note = T(f"{note.en} Dotted, the noise floor √E‖θ−θ*‖²: {'; '.join(t.en for t in settled)}. For gradient descent it is "
                 "√Σ ασ²/(λ(2−αλ)), summed over the coordinates.",
                 f"{note.ru} Пунктир — шумовой порог √E‖θ−θ*‖²: {'; '.join(t.ru for t in settled)}. Для градиентного спуска это "
                 "√Σ ασ²/(λ(2−αλ)), сумма по координатам.")
    begun = max(float(found[0].mean[0]), 1e-9)
    seen = np.concatenate([a for b in found for a in (b.low, b.mean, b.high)])
    y = decades(seen, T("distance to the minimum", "расстояние до минимума"), 5, 1e3 * begun)
    title = T("How far from the minimum", "Расстояние до минимума")
    return Sheet([Chart("band", title, Scale(STEP, low=0, high=race["steps"], sign="k"), y, marks, note, read=True)], 1)


# --- high, good, low --------------------------------------------------------------------------------------------------------------------


def rate_names(rates: Rates) -> list[tuple[T, str]]:
    """“good: α = 0.05”, in its colour; of the rates that there are."""
    return [(T(f"{kind.en}: α = {rounded(rate)}", f"{kind.ru}: α = {rounded(rate)}"), hue)
            for kind, rate, hue in zip(KINDS, rates, HUES, strict=True) if rate is not None]


def curves(c: Curves) -> Sheet:
    """Loss curves of three rates on a small network, as lectures draw them."""
    marks = [Line(np.arange(len(loss)), loss, hue, name) for loss, (name, hue) in zip(c.loss, rate_names(c.rates), strict=True)]
    first = float(c.loss[0][0])
    note = T(f"A network with 8 neurons on 120 points of “circle”, mean squared error, batches of 10. Good is the best of {len(TRAINED)} rates after "
             "these passes, high the first beyond it that ends above its start.",
             f"Сеть из 8 нейронов на 120 точках «круга», среднеквадратичная ошибка, пакеты по 10. Хороша лучшая скорость после этих эпох (из "
             f"{len(TRAINED)}), велика — первая за ней, при которой потеря в конце больше начальной.")
    return Sheet([Chart(
        "curves", T("Loss on training", "Потеря на обучении"), Scale(T("pass", "эпоха"), low=0, high=len(c.loss[0]) - 1),
        decades(np.concatenate(c.loss), LOSS, 8, 1e2 * first), marks, _without(c.rates, note), read=True)], 1)


def _without(rates: Rates, note: T) -> T:
    """A note that says so where no rate is too high."""
    if rates.high is not None:
        return note
    return T(f"{note.en} None of the rates tried ends above its start.", f"{note.ru} Ни при одной из скоростей потеря не кончилась выше начальной.")


def descents(pace: Pace, c: Compared) -> Sheet:
    """Three rates beside the run of the lab, and what the loss comes to over all of them."""
    race = pace.race
    ground = Ground(heat=heat(race.surface, race.box))
    x, y = (Scale(T(name, name), low=low, high=high) for name, (low, high) in zip("xy", race.box, strict=True))
    paths = [(name, hue, points) for (name, hue), points in zip(rate_names(c.rates), c.trails, strict=True)]
    own, rate = solve(race).trails[0], rounded(race.entrants[0]["lr"])
    if own is not None:
        points = own.points[:, :own.diverged_at][:, :c.steps + 1]
        paths.append((T(f"this run: α = {rate}", f"этот спуск: α = {rate}"), "ink", points))
    panels: list[Chart] = []
    for name, hue, points in paths:
        head = [Dots(points[0, -1:], points[1, -1:], hue, size=5)] if points.shape[1] > c.steps else []
        panels.append(Chart(f"descent-{len(panels)}", name, x, y, [ground, Line(points[0], points[1], hue), *head], even=True, bare=True))
    return Sheet([*panels, limits(pace, c, len(panels))], len(panels))


def limits(pace: Pace, c: Compared, wide: int) -> Chart:
    """The loss in the end against the rate, with the limits of theory."""
    found, first = c.thresholds, max(c.first, 1e-300)
    marks: list[Mark] = []
    for t in found:
        name, ink = optimizers[t.optimizer].name, style_of(t.optimizer).colour
        marks.append(Line(t.rates, np.where(np.isfinite(t.loss), np.minimum(t.loss, ENDLESS * first), np.nan), ink, name))
        if t.limit is not None:
            marks.append(Rule(T(f"{name.en} {rounded(t.limit)}", f"{name.ru} {rounded(t.limit)}"), x=t.limit, colour=ink))
    note = T("A click takes the rate into the lab.", "Щелчок переносит скорость в лабораторию.")
    if len(found) > 1 and all(t.limit is not None for t in found):
        note = T("Dashed, how large the rate may be at the minimum by theory: gradient descent 2/λmax, heavy ball 2(1+γ)/λmax, Nesterov "
                 f"(2+2γ)/((1+2γ)λmax). {note.en}",
                 "Штрихом — предел скорости у минимума по теории: градиентный спуск 2/λmax, тяжёлый шарик 2(1+γ)/λmax, Нестеров "
                 f"(2+2γ)/((1+2γ)λmax). {note.ru}")
    seen = np.concatenate([mark.y for mark in marks if isinstance(mark, Line)])
    marks.append(_chosen(pace))
    return Chart("limits", T(f"Loss after {c.steps} steps against the rate", f"Потеря после {c.steps} шагов в зависимости от скорости"),
                 Scale(RATE, True, float(found[0].rates[0]), float(found[0].rates[-1]), sign="α"),
                 decades(seen, EXCESS, 14, 1e3 * first), marks, _without(c.rates, note), wide=wide, picked=True, read=True)


def _chosen(pace: Pace) -> Rule:
    """Where the rate of the lab's run stands."""
    rate = pace.race.entrants[0]["lr"]
    return Rule(T(f"α = {rounded(rate)}", f"α = {rounded(rate)}"), x=rate)


# --- the range test ---------------------------------------------------------------------------------------------------------------------


def rising(pace: Pace, found: RangeTest) -> Sheet:
    """The loss while the rate grows, its two rates marked."""
    run, on_surface = pace.race.runs[0], pace["on"] == "surface"
    colour, name = style_of(run.optimizer).colour, EXCESS if on_surface and run.surface.minima else LOSS
    seen = np.minimum(found.loss, ENDLESS * abs(found.first))
    marks: list[Mark] = [Line(found.rates, seen, colour, name)]
    marks += [Rule(T(f"{word.en} {rounded(rate)}", f"{word.ru} {rounded(rate)}"), x=rate, colour=colour)
              for rate, word in ((found.steepest, T("steepest", "круче всего")), (found.diverging, T("above its start", "выше начальной"))) if rate]
    note = T("Above its start the loss stays from the second mark on. Without noise that is beyond the limit: it first climbs back from far below.",
             "Со второй отметки потеря остаётся выше начальной. Без шума это уже за пределом: сначала ей надо подняться из глубины.")
    if on_surface:
        marks.append(_chosen(pace))
        note = T(f"{note.en} A click takes a rate into the lab.", f"{note.ru} Щелчок переносит скорость в лабораторию.")
    over = T("learning rate α, larger at every step", "скорость обучения α, растёт с каждым шагом")
    height = Scale(name, low=float(np.nanmin(seen, initial=found.first)), high=float(found.first + abs(found.first)) + 1e-9)
    return Sheet([Chart(
        "range", T("Loss while the rate grows", "Потеря, пока скорость растёт"), Scale(over, True, LOWEST, HIGHEST, sign="α"),
        decades(seen, name, DECADES, 30 * found.first) if logarithmic(found.loss, found.first) else height, marks, note,
        picked=on_surface, read=True)], 1)


# --- the map of stability ---------------------------------------------------------------------------------------------------------------


def axis_name(o: Optimizer, name: str) -> T:
    """Sign and name of a number."""
    said, sign = name_of(o, name), bare(o.symbol(name))
    return T(f"{sign}, {said.en}", f"{sign}, {said.ru}") if len(sign) < 4 else said


class _Way(NamedTuple):
    """How an axis of the map is drawn: its rates in units of 1/λmax, where that is known."""

    edges: np.ndarray
    scale: Scale
    unit: float


def _way(o: Optimizer, name: str, values: np.ndarray, curvature: float | None) -> _Way:
    """The edges of cells around the values of an axis, and its scale."""
    said, sign, unit = axis_name(o, name), bare(o.symbol(name)), 1.0
    if name == "lr" and curvature:
        unit, sign, steep = curvature, "αλ", rounded(curvature)
        said = T(f"αλ, where λ = λmax = {steep}: α = αλ/{steep}", f"αλ, где λ = λmax = {steep}: α = αλ/{steep}")
    v = unit * values
    log = bool(len(v) > 2 and v[0] > 0 and not np.isclose(v[1] - v[0], v[2] - v[1]))
    a = np.log(v) if log else v
    edges = np.append(a - (a[1] - a[0]) / 2, a[-1] + (a[1] - a[0]) / 2)
    edges = np.exp(edges) if log else edges
    return _Way(edges, Scale(said, log, edges[0], edges[-1], sign=sign), unit)


def cell(found: StabilityMap, x: float, y: float) -> dict[str, float]:
    """The two numbers of the cell at a place of the map, to four digits."""
    out = {}
    for axis, place in ((found.across, x), (found.up, y)):
        place /= found.curvature or 1.0 if axis.name == "lr" else 1.0
        out[axis.name] = float(f"{axis.values[np.argmin(abs(axis.values - place))]:.4g}")
    return out


def stability(pace: Pace, found: StabilityMap) -> Sheet:
    """Steps to the tolerance over two numbers."""
    run, tolerance = two_numbers(pace.race.runs[0]), short(pace["tolerance"])
    o = optimizers[run.optimizer]
    across, up = (_way(o, axis.name, axis.values, found.curvature) for axis in (found.across, found.up))
    x, y = across.edges, up.edges
    counted = found.steps[np.isfinite(found.steps)]
    most = float(max(counted.max(initial=2), 2))

    def alike(cells: np.ndarray, colour: str, alpha: float, name: T) -> list[Mark]:
        return [Heat(x, y, np.where(cells, 1.0, np.nan), 0, 1, name, colour=colour, alpha=alpha)] if cells.any() else []
    marks: list[Mark] = [Heat(x, y, np.where(found.steps > 0, found.steps, np.nan), PALE * most, 1, T("steps", "шагов"), log=True)]
    marks += alike(found.steps == 0, "plus", 1.0, T("there from the beginning", "в допуске с самого начала"))
    marks += alike(np.isinf(found.steps), "line", 0.6, T("not within the tolerance in time", "не в допуске за отведённые шаги"))
    marks += alike(np.isnan(found.steps), "minus", 0.45, T("ends higher than it began", "заканчивает выше, чем начал"))
    if found.boundary is not None:
        name = T("the limit of theory", "предел по теории")
        upwards = found.up.name == "lr"
        right, high = (found.across.values, up.unit * found.boundary) if upwards else (across.unit * found.boundary, found.up.values)
        marks.append(Line(right, high, "ink", name))
    here: Any = found.across.name, found.up.name
    marks.append(Dots([across.unit * float(run[here[0]])], [up.unit * float(run[here[1]])], COLOURS[2], T("this run", "этот спуск"), size=5))
    least = T("nothing arrives", "не дошёл никто")
    if counted.size:
        least = T(f"{int(counted.min())} to {int(counted.max())} steps", f"шагов: от {int(counted.min())} до {int(counted.max())}")
    note = T(f"The bluer, the fewer ({least.en}; each cell has {found.most}). Constant rate, no noise. A click opens the run of a cell.",
             f"Чем синее, тем меньше ({least.ru}; у каждой клетки их {found.most}). Скорость постоянна, шума нет. Щелчок по клетке открывает "
             "её спуск.")
    title = T(f"{o.name.en}: steps to f − f* ≤ {tolerance}", f"{o.name.ru}: шагов до f − f* ≤ {tolerance}")
    return Sheet([Chart("map", title, across.scale, up.scale, marks, note, picked=True, tall=True)], 1)
