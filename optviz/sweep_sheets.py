"""What a quest shows, as charts: the map, what ran in the cell that is looked at, and how grid and random search fare on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .core import T, rounded, short
from .heavy import Part
from .hunt import Hunted, Search, lower_is_better
from .palette import BLUE, COLOURS, GREEN, ORANGE, PINK, VIOLET, style_of
from .quest import ARRAYS, Descended, Picture, Quest, Trained, axis_name, best_cell, value_name
from .regular_sheets import LOSS, PASS, TRAIN, VAL, by_class
from .run import Run
from .scene import GROWTH, SIGNS, heat
from .sheet import STEP, Chart, Dots, Ground, Heat, Line, Mark, Regions, Scale, Sheet
from .study import Study
from .sweep import HALF, LOG, Swept
from .sweep import Line as Axis

TAILS = (0.02, 0.98)  # of a map's losses: what lies beyond has the last colour, so that one cell does not wash out all
PALE = 0.12  # of its colour has the worst cell: it is none of the page
DECADES = 30.0  # between the ends, from which on values are told by their logarithm
STEEP = 10.0  # the same of a curve that falls
LEAST, MOST = 1e-37, 1e37  # that a browser's single still holds
EXCESS = T("loss above the minimum", "потеря сверх минимума")
EMPTY: Mapping[str, T] = {"steps": T("never stays at the minimum", "не останавливается в минимуме")}
DIVERGED = T("diverges", "расходится")
GRID, RANDOM = T("grid", "сетка"), T("random", "случайный поиск")
AXIS_SIGNS: Mapping[str, str] = {**SIGNS, "lambda": "λ", "l2": "λ", "noise": "σ", "batch": "m"}
SHARES = ("reached", "escaped", "diverged")


class Along(NamedTuple):
    """An axis of the map: its scale, the edges between its cells, and their middles."""

    scale: Scale
    edges: np.ndarray
    middles: np.ndarray


def named(base: Run | Study, key: str) -> T:
    """What a setting on an axis is called, with its sign where it has one."""
    name, sign = axis_name(base, key), SIGNS.get(key)
    return T(f"{name.en} {sign}", f"{name.ru} {sign}") if sign and not name.en.endswith(sign) else name


def along(base: Run | Study, axis: Axis) -> Along:
    """Values between two ends stand where they are; those of a list stand beside each other, as words."""
    name, values = named(base, axis.key), axis.values
    if axis.span is None or len(values) == 1 or values[0] > values[-1]:
        edges = np.arange(len(values) + 1) - 0.5
        return Along(Scale(name, words=[value_name(axis, v) for v in values]), edges, np.arange(len(values)))
    log = axis.span[3] == LOG
    middles = np.array(values, float)
    at = np.log(middles) if log else middles
    inner = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[2 * at[0] - inner[0]], inner, [2 * at[-1] - inner[-1]]])
    edges = np.exp(edges) if log else edges
    return Along(Scale(name, log, float(edges[0]), float(edges[-1]), sign=AXIS_SIGNS.get(axis.key, "")), edges, middles)


def by_decades(values: np.ndarray) -> bool:
    """Whether values are told by their logarithm: above 0 nearly all, and decades apart."""
    positive = values[values > 0]
    if positive.size < 0.9 * values.size or not positive.size:
        return False
    low, high = np.quantile(positive, TAILS)
    return bool(high > DECADES * low)


def colours(array: str, values: np.ndarray) -> tuple[float, float, bool]:
    """What the palest and the fullest colour of a map stand for, the worst and the best, and whether they go by the logarithm."""
    less = bool(lower_is_better(array)(np.ones(1))[0])  # is better
    if array in SHARES or not values.size:
        return (1.0, 0.0, False) if less else (0.0, 1.0, False)
    log = less and by_decades(values)
    low, high = (float(v) for v in np.quantile(values[values > 0] if log else values, TAILS if array.startswith("loss") else (0.0, 1.0)))
    if not high > low:
        low, high, log = (0.0, 1.0, False) if array.startswith("accuracy") else (low - 0.5, low + 0.5, False)
    return (high, low, log) if less else (low, high, log)


def lost(quest: Quest, found: Swept | Part) -> np.ndarray:
    """Which cells diverge: of descents all leave the numbers, or half of them end higher than a curve is followed; of networks half leave them."""
    run, arrays = quest.sweep.base, found.arrays
    if isinstance(run, Study):
        return np.asarray(arrays["diverged"] >= HALF)
    gone = np.asarray(arrays["diverged"] == 1)
    start: dict[str, Any] = {"start_x": run.start[0], "start_y": run.start[1]}
    for axis, values in ((quest.sweep.x, np.array(quest.sweep.x.values)), (quest.sweep.y, np.array(quest.sweep.y.values)[:, None])):
        if axis.key in start:
            start[axis.key] = values
    return gone | (arrays["loss"] > ceiling(run.surface.value(start["start_x"], start["start_y"])))


def ceiling(first: Any) -> np.ndarray:
    """How high a loss is followed: so many times what it began with."""
    first = np.abs(np.asarray(first, float))
    return GROWTH * np.where(first > 0, first, 1.0)


def sweep_sheet(quest: Quest, found: Swept | Part | None, visit: Descended | Trained | None = None, hunted: Hunted | None = None) -> Sheet:
    """The map as far as it is there, and beside it what is known of one cell and of the searches."""
    charts = [map_chart(quest, found, hunted)]
    beside: list[Chart] = []
    if isinstance(found, Swept) and visit is not None and (cell := looked_at(quest, found)) is not None:
        spec = quest.sweep.cell(*cell)
        if (picture := picture_chart(quest, cell, spec, visit)) is not None:
            charts.append(replace(picture, aside=hunted is not None))
        beside = [loss_chart(spec, visit, 2 if picture else 1)] if hunted is None else []
    if hunted is not None:
        charts += hunt_charts(quest, hunted)
    return Sheet([*charts, *beside])  # two columns, so that the map stays where it is when a cell comes


def looked_at(quest: Quest, found: Swept) -> tuple[int, int] | None:
    """The cell that was picked, else the best."""
    return quest.cell if quest.cell is not None else best_cell(found[quest.array], quest.array)


def where_of(quest: Quest, cell: tuple[int, int], brief: bool = False) -> T:
    """A cell's two values; in brief, by their signs."""
    parts = []
    for axis, k in ((quest.sweep.x, cell[1]), (quest.sweep.y, cell[0])):
        name, value, sign = named(quest.sweep.base, axis.key), value_name(axis, axis.values[k]), AXIS_SIGNS.get(axis.key)
        if brief and sign:
            name = T(f"{sign} =", f"{sign} =")
        number = isinstance(axis.values[k], (int, float))
        parts.append(T(f"{name.en} {value.en}", f"{name.ru} {value.ru}") if number else value)
    return T(", ".join(p.en for p in parts), ", ".join(p.ru for p in parts))


def heading(text: T) -> T:
    """A name as a title begins."""
    return T(text.en[0].upper() + text.en[1:], text.ru[0].upper() + text.ru[1:])


# --- the map ----------------------------------------------------------------------------------------------------------------------------


def map_chart(quest: Quest, found: Swept | Part | None, hunted: Hunted | None) -> Chart:
    """Every cell in a colour, the one that is looked at in a ring."""
    spec, array = quest.sweep, quest.array
    x, y = along(spec.base, spec.x), along(spec.base, spec.y)
    marks: list[Mark] = []
    note = None
    if found is None:  # nothing but the axes, which stay where they are
        marks.append(Heat(x.edges, y.edges, np.full(spec.shape, np.nan), 0.0, 1.0, ARRAYS[array]))
    else:
        values = found.arrays[array]
        ready = found.ready if isinstance(found, Part) else np.ones(values.shape, bool)
        there = ready & np.isfinite(values) & ~((array == "loss") & lost(quest, found))
        low, high, log = colours(array, values[there])
        z = np.where(there, np.clip(values, LEAST if log else -MOST, MOST), np.nan)
        marks.append(Heat(x.edges, y.edges, z, low, high, ARRAYS[array], log=log, pale=PALE))
        if (ready & ~there).any():
            marks.append(Heat(x.edges, y.edges, np.where(ready & ~there, 1.0, np.nan), 0, 1, EMPTY.get(array, DIVERGED), colour="faint", alpha=0.35))
        if isinstance(found, Swept):
            marks += _searches(x, y, hunted)
            if (cell := looked_at(quest, found)) is not None:
                px, py = x.middles[[cell[1]]], y.middles[[cell[0]]]
                marks += [Dots(px, py, "page", size=8.5, hollow=True), Dots(px, py, "ink", size=7.0, hollow=True)]
        note = T("A click opens a cell.", "Щелчок открывает клетку.")
    return Chart("map", heading(ARRAYS[array]), x.scale, y.scale, marks, note=note, picked=True, tall=True, lead=True)


def cell_at(quest: Quest, x: float, y: float) -> tuple[int, int]:
    """The cell that lies at a place of the map."""
    spec, at = quest.sweep, []
    for axis, v in ((spec.y, y), (spec.x, x)):
        edges = along(spec.base, axis).edges
        at.append(int(np.clip(np.searchsorted(edges, v, "right") - 1, 0, len(edges) - 2)))
    return at[0], at[1]


def _searches(x: Along, y: Along, hunted: Hunted | None) -> list[Mark]:
    """Where the first repeat of both searches tried."""
    if hunted is None:
        return []
    return [Dots(x.middles[s.first[1]], y.middles[s.first[0]], hue, T(f"{name.en}: a first try", f"{name.ru}: первый повтор"), shape=shape, size=5.0)
            for s, name, hue, shape in ((hunted.grid, GRID, ORANGE, 1), (hunted.random, RANDOM, PINK, 2))]


# --- one cell ---------------------------------------------------------------------------------------------------------------------------


def picture_chart(quest: Quest, cell: tuple[int, int], spec: Run | Study, visit: Descended | Trained) -> Chart | None:
    """A descent's trail on its surface, a network's output over its data; nothing where there is no plane to draw it on."""
    own = where_of(quest, cell, brief=True)
    title = T(f"Cell {own.en}", f"Клетка {own.ru}")
    note = T("Of several seeds the first.", "Из нескольких зёрен первое.") if quest.sweep.seeds > 1 else None
    if isinstance(visit, Descended):
        assert isinstance(spec, Run)
        (x0, x1), (y0, y1) = spec.surface.box
        (px, py), hue = visit.points, style_of(spec.optimizer).colour
        marks: list[Mark] = [Ground(heat=heat(spec.surface, spec.surface.box)), Line(px, py, "page", width=4.5), Line(px, py, hue, width=2.0),
                             Dots(px[:1], py[:1], "ink", size=5.0, hollow=True), Dots(px[-1:], py[-1:], hue, size=5.5)]
        if spec.surface.minima:
            mx, my = np.array(spec.surface.minima, float).T
            marks.append(Dots(mx, my, "ink", shape=4, size=4.0))
        return Chart("cell", title, Scale(T("x", "x"), low=x0, high=x1), Scale(T("y", "y"), low=y0, high=y1), marks, note=note, even=True, tall=True)
    if visit.picture is None:
        return None
    p = visit.picture
    x, y = (Scale(T(way, way), low=float(side[0]), high=float(side[-1])) for way, side in (("x", p.x), ("y", p.y)))
    return Chart("cell", title, x, y, [said(p, visit.labels), *seen(p, visit.labels)], note=note, even=True, tall=True)


def said(p: Picture, labels: tuple[Any, ...]) -> Mark:
    """What a network says at every place: below 0 orange, above blue; of more classes the most likely."""
    if p.outputs.shape[2] > 2 and labels:
        box = [(float(side[0]), float(side[-1])) for side in (p.x, p.y)]
        hues = [(ORANGE, BLUE, *COLOURS[2:])[k % len(COLOURS)] for k in range(len(labels))]
        which = p.outputs.argmax(2)
        return Regions(box[0], box[1], which, np.ones(which.shape), 0.0, 2.0, hues, [*(T(str(word), str(word)) for word in labels), DIVERGED],
                       T("class", "класс"), DIVERGED)
    own = p.outputs[..., 1] - p.outputs[..., 0] if p.outputs.shape[2] == 2 else p.outputs[..., 0]
    far = float(np.quantile(np.abs(own[np.isfinite(own)]), 0.9, method="lower")) if np.isfinite(own).any() else 1.0
    x, y = (np.concatenate([[2 * v[0] - v[1], *v[1:]], [2 * v[-1] - v[-2]]]) - (v[1] - v[0]) / 2 for v in (p.x, p.y))
    return Heat(x, y, own, -(far or 1.0), far or 1.0, T("output", "выход"), signed=True, alpha=0.6)


def seen(p: Picture, labels: tuple[Any, ...]) -> list[Mark]:
    """The points, by class, or by the sign of their value."""
    return by_class(p.points, p.known if labels else (np.reshape(p.known, (len(p.points), -1))[:, 0] > 0).astype(int))


def loss_chart(spec: Run | Study, visit: Descended | Trained, wide: int) -> Chart:
    """The losses of the cell that is looked at, step by step."""
    if isinstance(visit, Trained):
        passes = np.arange(len(visit.loss_train))
        curves = [visit.loss_train, visit.loss_val]
        marks: list[Mark] = [Line(passes, _bounded(v), hue, name, dash=k) for k, (v, hue, name) in
                             enumerate(zip(curves, (BLUE, ORANGE), (TRAIN, VAL), strict=True))]
        log = by_decades(np.concatenate([_bounded(v)[np.isfinite(_bounded(v))] for v in curves]))
        return Chart("loss", T("Loss of this network", "Потеря этой сети"), Scale(PASS), Scale(LOSS, log=log), marks, wide=wide, read=True)
    assert isinstance(spec, Run)
    s = spec.surface
    loss = _bounded(visit.loss - (float(s.value(*np.array(s.minima, float).T).min()) if s.minima else 0.0))
    log = bool(s.minima) and by_decades(np.maximum(loss[np.isfinite(loss)], LEAST))
    name = EXCESS if s.minima else LOSS
    return Chart("loss", T("Loss of this descent", "Потеря этого спуска"), Scale(STEP), Scale(name, log=log),
                 [Line(np.arange(len(loss)), np.maximum(loss, 1e-20) if log else loss, style_of(spec.optimizer).colour, name)], wide=wide, read=True)


def _bounded(loss: np.ndarray) -> np.ndarray:
    """A curve as far as it is no more than so many times what it began with."""
    return np.where(np.isfinite(loss) & (loss <= ceiling(loss[0])), loss, np.nan)


# --- the hunt -----------------------------------------------------------------------------------------------------------------------------


def hunt_charts(quest: Quest, h: Hunted) -> list[Chart]:
    """The best so far, the share that has found something good, and what each column and each row holds at best."""
    array, spec = quest.array, quest.sweep
    back = lower_is_better(array)  # 1 − (1 − a) is a again
    trials = np.arange(1, h.grid.best.shape[1] + 1)
    searches: list[tuple[Search, T, str, int]] = [(h.random, RANDOM, PINK, 0), (h.grid, GRID, ORANGE, 1)]
    bests: list[Mark] = []
    for s, name, hue, dash in searches:
        low, middle, high = (np.where(np.isfinite(v), back(v), np.nan) for v in s.best)
        bests.append(Line(trials, middle, hue, name, dash=dash, low=low, high=high))
    log = logarithmic(array, np.concatenate([np.ravel(m.high) for m in bests if isinstance(m, Line)]))
    tries = Scale(T("trial", "проба"))
    good = rounded(100 * h.share)
    charts = [
        Chart("best", T("Best so far", "Лучшее на этот момент"), tries, Scale(ARRAYS[array], log=log), bests,
              T("The median of the repeats, and the band from 10 to 90 % of them.", "Медиана повторов и полоса от 10 до 90 % из них."),
              read=True),
        Chart("found", T("Found a good cell", "Нашли хорошую клетку"), tries,
              Scale(T("share of the repeats", "доля повторов"), low=0.0, high=1.0),
              [Line(trials, s.found, hue, name, dash=dash) for s, name, hue, dash in searches],
              T(f"Good are the best {good} % of the cells.", f"Хорошие — это лучшие {good} % клеток."), read=True)]
    margins = [np.where(np.isfinite(v), back(v), np.nan) for v in (h.by_column, h.by_row)]
    both = np.concatenate(margins)[np.isfinite(np.concatenate(margins))]
    height = Scale(ARRAYS[array], logarithmic(array, both), float(both.min()), float(both.max()))  # one for both: what matters is the steeper
    for key, title, axis, values, matters, hue in (
            ("by-x", T("Best of each column", "Лучшее в каждом столбце"), spec.x, margins[0], h.matters[1], GREEN),
            ("by-y", T("Best of each row", "Лучшее в каждой строке"), spec.y, margins[1], h.matters[0], VIOLET)):
        way, share = along(spec.base, axis), rounded(100 * matters)
        charts.append(Chart(key, title, way.scale, height, [Line(way.middles, values, hue), Dots(way.middles, values, hue, size=2.5)],
                            T(f"It alone explains {share} % of the map.", f"Сама по себе объясняет {share} % карты.")))
    return charts


def logarithmic(array: str, values: np.ndarray) -> bool:
    """Whether curves of the best are told by their logarithm."""
    finite = values[np.isfinite(values)]
    return bool(array.startswith(("loss", "steps")) and finite.size and finite.min() > LEAST and finite.max() > STEEP * finite.min())


# --- in words -----------------------------------------------------------------------------------------------------------------------------


def told(quest: Quest, found: Swept, hunted: Hunted | None = None) -> T:
    """What the map and the hunt come to, in sentences."""
    values = found[quest.array]
    name, cell, wild = heading(ARRAYS[quest.array]), best_cell(values, quest.array), lost(quest, found)
    if cell is None:
        parts = [T(f"No cell has a number here: {ARRAYS[quest.array].en}.", f"Ни в одной клетке нет числа: {ARRAYS[quest.array].ru}.")]
    else:
        at, value = where_of(quest, cell), rounded(float(values[cell]))
        alike = int((values == values[cell]).sum()) - 1
        parts = [T(f"{name.en}: at best {value}, at {at.en}" + f" (as good: {alike} more)" * (alike > 0) + ".",
                   f"{name.ru}: лучшее {value}, {at.ru}" + f" (столь же хороших ещё {alike})" * (alike > 0) + "."), *besides(quest, found, cell)]
    if quest.cell is not None:
        parts += [cell_told(quest, found, quest.cell), *besides(quest, found, quest.cell)]
    if wild.any():
        share = rounded(100 * float(wild.mean()))
        parts.append(T(f"{share} % of the cells diverge.", f"Расходится {share} % клеток."))
    if hunted is not None:
        parts.append(hunt_told(quest, hunted))
    return T(" ".join(p.en for p in parts), " ".join(p.ru for p in parts))


def cell_told(quest: Quest, found: Swept, cell: tuple[int, int]) -> T:
    """What the cell that was clicked has."""
    at, value, name = where_of(quest, cell), float(found[quest.array][cell]), ARRAYS[quest.array]
    if lost(quest, found)[cell]:
        what = DIVERGED
    elif math.isfinite(value):
        what = T(f"{name.en} {rounded(value)}", f"{name.ru} {rounded(value)}")
    else:
        what = EMPTY.get(quest.array, DIVERGED)
    return T(f"The ringed cell, {at.en}: {what.en}.", f"Клетка в кружке, {at.ru}: {what.ru}.")


def besides(quest: Quest, found: Swept, cell: tuple[int, int]) -> list[T]:
    """From how many seeds a cell's networks diverge, where its value is the mean of the others."""
    if not isinstance(quest.sweep.base, Study) or quest.array == "diverged" or not 0 < (gone := float(found.diverged[cell])) < HALF:
        return []
    share = rounded(100 * gone)
    return [T(f"There {share} % of the seeds diverge; it is the mean of the others.", f"Там расходится {share} % запусков; среднее — по остальным.")]


def hunt_told(quest: Quest, h: Hunted) -> T:
    """How both searches fare."""
    assert quest.hunt is not None
    trials, repeats, good = quest.hunt.budget, short(quest.hunt.repeats), rounded(100 * h.share)
    random, grid, better = (rounded(100 * float(v)) for v in (h.random.found[-1], h.grid.found[-1], h.better))
    return T(f"In {trials} trials random search finds one of the best {good} % in {random} % of {repeats} repeats, the grid in {grid} %; "
             f"random ends better in {better} % (ties count half).",
             f"За {trials} проб случайный поиск находит клетку из лучших {good} % в {random} % из {repeats} повторов, сетка — в {grid} %; "
             f"случайный заканчивает лучше в {better} % (ничья — половина).")
