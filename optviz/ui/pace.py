"""The panels of the lab of learning rates: one optimizer, its schedules, and what is asked about its rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from ..core import Param, Refused, T, rounded, short
from ..descent import descend
from ..latex import plain as bare
from ..names import name_of
from ..optimizers import optimizers
from ..outcome import Outcome
from ..pace import Pace
from ..pace_presets import plan_of, plans
from ..pace_scene import schedule_names
from ..palette import BLUE, COLOURS, GREEN, ORANGE, style_of
from ..race import MOST_ENTRANTS, Entrant, Race
from ..render.schedule_lines import formula, torch_lines
from ..render.wire import heat_head
from ..run import Run
from ..scene import heat, named
from ..schedules import schedules
from ..sweeps import (
    BAND,
    HIGHEST,
    LOWEST,
    SEEDS,
    RangeTest,
    Rates,
    axes_of,
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
from .controls import Desk, Example, examples, label_of
from .figures import axis, line, numbers, plots
from .race import glyph, while_they_race
from .text import plain, say

HEIGHT = 250  # px of a figure
HUES = (ORANGE, BLUE, GREEN)  # high, good, low
ENDLESS = 1e12  # times the first loss: farther a curve is not followed


class RaceDesk(Desk[Race]):
    """The controls of the race in a pace, for panels that know races alone."""

    def __init__(self, outer: Desk[Pace]):
        self.outer, self.page = outer, outer.page

    @property
    def spec(self) -> Race:
        return self.outer.spec.race

    def edit(self, change: Callable[[Race], Race], push: bool = False, fresh: bool = False) -> None:
        self.outer.edit(lambda pace: pace.at(race=change(pace.race)), push, fresh)


# --- examples, the optimizer and its schedules -------------------------------------------------------------------------------------------


def plan_panel(desk: Desk[Pace]) -> None:
    """Paces worth showing, in the order of a lecture."""
    examples(desk, {key: Example(plan.name, plan.do, plan.see, plan.pace) for key, plan in plans.items()},
             lambda pace: plan.key if (plan := plan_of(pace)) else None)


def optimizer_panel(desk: Desk[Pace]) -> None:
    """The optimizer that all schedules share, its rate and its own numbers."""
    pace, o = desk.spec, desk.spec.optimizer
    desk.choose("optimizer", say(T("Optimizer", "Оптимизатор")), {key: other.name for key, other in optimizers.items()}, o.key, Pace.with_optimizer)
    desk.note()
    first = pace.race.entrants[0]

    def change(name: str) -> Callable[[Pace, Any], Pace]:
        return lambda p, value: p.with_each(lambda e: e.at(**{name: value}))
    slider, exact = st.columns([2, 1], vertical_alignment="bottom")
    with slider:
        desk.setting(f"{o.key}-lr", label_of(o, "lr"), o.params["lr"], first["lr"], change("lr"))
    with exact:
        desk.number(f"{o.key}-lr-exact", say(T("exactly", "точно")), first["lr"], change("lr"), label_visibility="collapsed")
    for name, p in o.params.items():
        if name != "lr":
            desk.setting(f"{o.key}-{name}", label_of(o, name), p, first[name], change(name))


def schedules_panel(desk: Desk[Pace]) -> None:
    """All schedules, and one more."""
    race, names = desk.spec.race, schedule_names(desk.spec.race.entrants)
    for i, (e, name, (*_, style)) in enumerate(zip(race.entrants, names, named(race), strict=True)):
        hidden = f" · {say(T('hidden', 'скрыто'))}" * e.muted
        with desk.fold(f"schedule{i}", f"{glyph(style)} **{say(name)}**{hidden}") as opened:
            if opened:
                _schedule(desk, i, e)
    if len(race.entrants) < MOST_ENTRANTS:
        def add(p: Pace, key: str) -> Pace:
            _only_open(desk, len(p.race.entrants))
            return p.with_schedule(key)
        words = say(T("Add a schedule", "Добавить расписание"))
        desk.choose("add", words, {key: k.name for key, k in schedules.items()}, None, add, placeholder=words, label_visibility="collapsed")


def _only_open(desk: Desk[Pace], i: int | None) -> None:
    """Places change when one comes or goes: then one schedule is open, or none."""
    for k in range(MOST_ENTRANTS):
        desk.turn(f"schedule{k}", k == i)


def _schedule(desk: Desk[Pace], i: int, e: Entrant) -> None:
    """One schedule: its settings, its formula with numbers, and torch's line."""
    k, o, place, race_desk = schedules[e.schedule], desk.spec.optimizer, f"schedule{i}-{e.schedule}", RaceDesk(desk)
    mine = partial(while_they_race, desk.spec.race)

    def change(name: str) -> Callable[[Race, Any], Race]:
        return mine(lambda r, value: r.with_entrant(i, lambda e: e.at(**{name: value})))
    race_desk.choose(f"{place}-key", say(T("Schedule", "Расписание")), {key: s.name for key, s in schedules.items()}, e.schedule, change("schedule"))
    race_desk.setting(f"{place}-lr", label_of(o, "lr"), o.params["lr"], e["lr"], change("lr"))
    for name, p in k.params.items():
        race_desk.setting(f"{place}-{name}", say(name_of(k, name)), p, e["schedule_" + name], change("schedule_" + name))
    warmup = e.table["warmup_steps"]
    assert isinstance(warmup, Param)
    words = T("Warm-up before it, steps", "Разогрев перед ним, шагов")
    race_desk.setting(f"{place}-warmup_steps", say(words), warmup, e["warmup_steps"], change("warmup_steps"))
    st.caption(say(k.idea))
    settings, steps = {n.removeprefix("schedule_"): v for n, v in e.settings if n.startswith("schedule_")}, desk.spec["steps"]
    for said in formula(k, e["lr"], settings, steps, e["warmup_steps"]):
        st.latex(said)
    if k.fed:
        st.caption(say(T("# counts the steps without a better loss f.", "# — число шагов без улучшения потерь f.")))
    lines = torch_lines(k, e["lr"], settings, steps, e["warmup_steps"])
    if lines is None:
        st.caption(say(T("torch has no scheduler that makes this warm-up; the exported code has it.",
                         "Готового расписания с таким разогревом в torch нет; оно есть в экспортированном коде.")))
    else:
        st.code("\n".join(lines), language="python", wrap_lines=True)
    with st.container(horizontal=True, gap="small"):
        race_desk.button(f"{place}-copy", T("Duplicate", "Дублировать"), mine(lambda r: r.doubled(i)), ":material/content_copy:",
                         lambda: _only_open(desk, i + 1), type="tertiary", disabled=len(desk.spec.race.entrants) >= MOST_ENTRANTS)
        race_desk.button(f"{place}-mute", T("Show", "Показать") if e.muted else T("Hide", "Скрыть"), lambda r: change("muted")(r, not e.muted),
                         ":material/visibility:" if e.muted else ":material/visibility_off:", type="tertiary")
        race_desk.button(f"{place}-remove", T("Remove", "Убрать"), mine(lambda r: r.without(i)), ":material/delete:",
                         lambda: _only_open(desk, None), type="tertiary", disabled=len(desk.spec.race.entrants) == 1)


# --- figures under the stage --------------------------------------------------------------------------------------------------------------


def figure_panel(desk: Desk[Pace], outcome: Outcome) -> None:
    """The question, and its answer."""
    pace = desk.spec
    names = {"band": T("Distance over seeds", "Расстояние: много зёрен"), "three": T("High, good, low", "Велика, хороша, мала"),
             "range": T("Range test", "Подбор α"), "map": T("Stability map", "Карта устойчивости")}
    said = {key: say(name) for key, name in names.items()}
    st.segmented_control(say(T("Figure", "График")), list(said), format_func=said.__getitem__, required=True, label_visibility="collapsed",
                         **desk.bound("figure", pace["figure"], lambda p, key: p.at(figure=key)))
    if pace["figure"] in ("three", "range"):
        on = {"surface": say(T("on the surface", "на поверхности")), "network": say(T("on a small network", "на небольшой сети"))}
        st.segmented_control(say(T("On what", "На чём")), list(on), format_func=on.__getitem__, required=True, label_visibility="collapsed",
                             **desk.bound("on", pace["on"], lambda p, word: p.at(on=word)))
    try:
        {"band": _band, "three": _three, "range": _range, "map": _map}[pace["figure"]](desk, outcome)
    except Refused as refusal:
        st.warning(plain(say(refusal.text)), icon=":material/info:")


def _small(text: T) -> None:
    st.markdown(f":small[{say(text)}]")


def _steps_axis(steps: int) -> dict[str, Any]:
    return axis(0, steps, say(T("step", "шаг"))) | {"sign": "k"}


def _decades(values: np.ndarray, name: str, most: int, high: float = np.inf) -> dict[str, Any]:
    """A logarithmic axis that holds positive numbers, so many decades below a height at most."""
    there = values[np.isfinite(values) & (values > 0)]
    high = min(float(there.max(initial=1e-300)), high)
    low = max(float(there.min(initial=high / 10)), high * 10.0**-most)
    return axis(10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)), name, log=True)


def _band(desk: Desk[Pace], outcome: Outcome) -> None:
    """The distance to the minimum over many draws of the noise, and the floor of the constant rates."""
    race = desk.spec.race
    lines, bands, told, high, low = [], [], [], [], []
    k = np.arange(race["steps"] + 1)
    thin = np.unique(np.linspace(0, race["steps"], 301).astype(int))
    for e, run, trail, name, (*_, style) in zip(race.entrants, race.runs, outcome.trails, schedule_names(race.entrants), named(race), strict=True):
        found = None if trail is None or e.muted else band(run)
        if found is None:
            continue
        bands.append({"x": numbers(k[thin]), "low": numbers(found[0][thin]), "high": numbers(found[2][thin]), "colour": style.colour})
        lines.append(line(k[thin], found[1][thin], style.colour, say(name)))
        low.append(found[0])
        high.append(found[2])
        settled = floor_of(run) if e.schedule == "constant" else None
        if settled is not None:
            lines.append(line([0, race["steps"]], [settled**0.5] * 2, style.colour, "", 2))
            told.append((name, settled))
    if not lines:
        _small(T("No minimum is known here, so there is no distance to one.", "Минимум здесь неизвестен, поэтому и расстояния до него нет."))
        return
    name, far = T("distance to the minimum", "расстояние до минимума"), 1e3 * max(float(low[0][0]), 1e-9)
    y = _decades(np.concatenate(low + high), say(name), 5, far)
    ends = f"{100 * BAND[0]:.0f} … {100 * BAND[2]:.0f} %"
    words = T(f"The line is the median over {SEEDS} draws of the noise, the band holds {ends} of them.",
              f"Линия — медиана по {SEEDS} реализациям шума, полоса — {ends} из них.")
    plots([{"height": HEIGHT, "x": _steps_axis(race["steps"]), "y": y, "lines": lines, "bands": bands}],
          f"{desk.page}-band", say(words))
    for name, settled in told:
        words = T(f"{words.en} Dotted, the noise floor of “{name.en}”: √E‖θ−θ*‖² = {rounded(settled**0.5)}; ασ²/(λ(2−αλ)) a coordinate for gradient "
                  "descent.",
                  f"{words.ru} Пунктир — шумовой порог «{name.ru}»: √E‖θ−θ*‖² = {rounded(settled**0.5)}; для градиентного спуска это "
                  "ασ²/(λ(2−αλ)) на координату.")
    _small(words)


KINDS = (T("high", "велика"), T("good", "хороша"), T("low", "мала"))


def _three(desk: Desk[Pace], outcome: Outcome) -> None:
    """Three rates side by side, and what the loss comes to over all of them."""
    pace, run = desk.spec, quiet(desk.spec.race.runs[0])
    if pace["on"] == "network":
        net = small_network(run)
        rates = of_range(network_range_test(net))
        loss, diverged = network_curves(net, rates)
        shown = [np.where((d >= 0) & (np.arange(len(c)) >= d), np.nan, c) for c, d in zip(loss.T, diverged, strict=True)]
        x = axis(0, len(loss) - 1, say(T("pass", "эпоха"))) | {"sign": say(T("pass", "эпоха"))}
        _curves(desk, rates, shown, x, "network")
        _small(T("A network with 8 neurons on 120 points of “circle”, mean squared error, batches of 10; the rates come from its range test.",
                 "Сеть из 8 нейронов на 120 точках «круга», среднеквадратичная ошибка, пакеты по 10; скорости взяты из подбора на ней же."))
        return
    rates, s, race = three(run), run.surface, pace.race
    trails = [descend(run, lr=rate, memory=False) for rate in rates]
    ground = heat_head(heat(s, race.box))
    (x0, x1), (y0, y1) = race.box
    panels = []
    for kind, rate, hue, trail in zip(KINDS, rates, HUES, trails, strict=True):
        n = trail.points.shape[1] if trail.diverged_at is None else trail.diverged_at
        points = trail.points[:, :n][:, :200]
        ends = [] if trail.diverged_at is not None else [{"x": float(points[0, -1]), "y": float(points[1, -1]), "colour": hue}]
        panels.append({"title": f"{say(kind)}: α = {rounded(rate)}", "height": 190, "bare": True, "surface": ground, "x": axis(x0, x1, ""),
                       "y": axis(y0, y1, ""), "lines": [line(points[0], points[1], hue)], "dots": ends})
    plots(panels, f"{desk.page}-three", say(T("Three descents: the rate too high, good and too low.", "Три спуска: скорость велика, хороша и мала.")))
    _thresholds(desk, run, rates)


def _curves(desk: Desk[Pace], rates: Rates, curves: list[np.ndarray], x: dict[str, Any], key: str) -> None:
    """Loss curves of three rates, as lectures draw them."""
    named_ = [f"{say(kind)}, α = {rounded(rate)}" for kind, rate in zip(KINDS, rates, strict=True)]
    y = _decades(np.concatenate(curves), say(T("loss", "потери")), 8, 1e2 * curves[0][0])
    lines = [line(np.arange(len(c)), c, hue, name) for c, hue, name in zip(curves, HUES, named_, strict=True)]
    plots([{"height": HEIGHT, "x": x, "y": y, "lines": lines}], f"{desk.page}-{key}-curves", ", ".join(named_))
    st.markdown("  \n".join(f':small[:color[━]{{foreground="{hue}"}} {name}]' for hue, name in zip(HUES, named_, strict=True)))


def _thresholds(desk: Desk[Pace], run: Run, rates: Rates) -> None:
    """The loss in the end against the rate for three methods, with the limits of theory."""
    found = thresholds(run)
    best = run.surface.value(*run.surface.minima[0]) if run.surface.minima else 0.0
    first = max(run.surface.value(*run.start) - best, 1e-300)
    seen = [np.where(np.isfinite(t.loss), np.minimum(t.loss, ENDLESS * first), np.nan) for t in found]
    inks = [style_of(t.run.optimizer).colour for t in found]
    y = _decades(np.concatenate(seen), say(T("final loss f − f*", "итоговое f − f*")), 14, 1e3 * first)
    lines = [line(t.rates, loss, ink, say(optimizers[t.run.optimizer].name)) for t, loss, ink in zip(found, seen, inks, strict=True)]
    marks = [{"x": t.limit, "colour": ink, "dash": 1, "text": f"{say(optimizers[t.run.optimizer].name)} {rounded(t.limit)}"}
             for t, ink in sorted(zip(found, inks, strict=True), key=lambda each: each[0].limit or 0.0) if t.limit is not None]
    x = axis(found[0].rates[0], found[0].rates[-1], say(T("learning rate α", "скорость обучения α")), log=True) | {"sign": "α"}
    words = T("Final loss against the rate for three methods; dashed, how large it may be by theory.",
              "Итоговые потери в зависимости от скорости для трёх методов; штрихом — предел по теории.")
    plots([{"height": HEIGHT, "x": x, "y": y, "lines": lines, "marks": marks, "pick": True}], f"{desk.page}-thresholds", say(words),
          lambda a, _: desk.edit(lambda p: p.with_each(lambda e: e.at(lr=float(f"{a:.3g}"))), push=True))
    if all(t.limit is not None for t in found):
        gamma = short(found[1].run["momentum"])
        _small(T(f"{words.en} γ = {gamma}: gradient descent 2/λmax, heavy ball 2(1+γ)/λmax, Nesterov (2+2γ)/((1+2γ)λmax). A click takes the rate "
                 "into the lab.",
                 f"{words.ru} γ = {gamma}: градиентный спуск 2/λmax, тяжёлый шарик 2(1+γ)/λmax, Нестеров (2+2γ)/((1+2γ)λmax). Щелчок "
                 "переносит скорость в лабораторию."))


def _range(desk: Desk[Pace], outcome: Outcome) -> None:
    """The loss while the rate grows, its two rates marked; a click takes one."""
    pace, run = desk.spec, desk.spec.race.runs[0]
    net = pace["on"] == "network"
    found: RangeTest = network_range_test(small_network(run)) if net else range_test(run)
    best = 0.0 if net or not run.surface.minima else run.surface.value(*run.surface.minima[0])
    loss, colour = found.loss - best, style_of(run.optimizer).colour
    first = loss[0] if np.isfinite(loss[0]) else 1.0
    name = T("loss f − f*", "потери f − f*") if not net and run.surface.minima else T("loss", "потери")
    least = float(np.min(loss[np.isfinite(loss)], initial=first))
    seen = np.minimum(loss, ENDLESS * abs(first))
    y = _decades(seen, say(name), 12, 30 * first) if least >= 0 < first else axis(least, first + abs(first) + 1e-9, say(name))
    marks = [{"x": rate, "text": f"{say(word)} {rounded(rate)}", "colour": colour, "dash": dash}
             for rate, word, dash in ((found.steepest, T("steepest", "круче всего"), 0), (found.diverging, T("diverging", "расходится"), 1)) if rate]

    def take(rate: float) -> None:
        desk.edit(lambda p: p.with_each(lambda e: e.at(lr=float(f"{rate:.3g}"))), push=True)
    over = T("learning rate α, larger by the same factor at every step", "скорость обучения α, на каждом шаге больше в одно и то же число раз")
    x = axis(LOWEST, HIGHEST, say(over), log=True) | {"sign": "α"}
    words = T("The loss while the rate grows: nothing happens, then it falls, then it flies off.",
              "Потери, пока скорость растёт: сначала ничего, потом спад, потом взлёт.")
    plots([{"height": HEIGHT + 40, "x": x, "y": y, "lines": [line(found.rates, seen, colour, say(name))], "marks": marks, "pick": True}],
          f"{desk.page}-range", say(words), lambda rate, _: take(rate))
    _small(T(f"{words.en} A click takes a rate into the lab.", f"{words.ru} Щелчок переносит скорость в лабораторию."))
    with st.container(horizontal=True, gap="small"):
        for key, rate, label in (("steepest", found.steepest, T("Take the steepest", "Взять самую крутую")),
                                 ("diverging", found.diverging, T("Take the diverging", "Взять расходящуюся"))):
            if rate is not None:
                desk.button(key, T(f"{label.en}: α = {rounded(rate)}", f"{label.ru}: α = {rounded(rate)}"),
                            lambda p, rate=rate: p.with_each(lambda e: e.at(lr=float(f"{rate:.3g}"))), type="tertiary")  # type: ignore[misc]


def _map(desk: Desk[Pace], outcome: Outcome) -> None:
    """Steps to the tolerance over two numbers; a click opens that run."""
    pace, run = desk.spec, two_numbers(desk.spec.race.runs[0])
    o, (across, up) = optimizers[run.optimizer], pace.axes
    choices: Mapping[str, T] = {name: _named(o, name) for name in axes_of(o)}
    if len(choices) > 2:
        for column, key, shown in zip(st.columns(2), ("across", "up"), (across, up), strict=True):
            with column:
                words = T("Across", "По горизонтали") if key == "across" else T("Upwards", "По вертикали")
                desk.choose(f"map-{o.key}-{key}", say(words), choices, shown, partial(_axis, key))
    found = stability_map(run, across, up, pace["tolerance"])
    counted = found.steps[np.isfinite(found.steps)]
    flat = [None if np.isinf(v) else -1 if np.isnan(v) else int(v) for v in found.steps.ravel()]
    axes = []
    for a in (found.across, found.up):
        log = bool(len(a.values) > 2 and a.values[0] > 0 and not np.isclose(a.values[1] - a.values[0], a.values[2] - a.values[1]))
        edge = (a.values[1] / a.values[0]) ** 0.5 if log else (a.values[1] - a.values[0]) / 2
        ends = (a.values[0] / edge, a.values[-1] * edge) if log else (a.values[0] - edge, a.values[-1] + edge)
        axes.append(axis(*ends, say(choices[a.name]), log) | {"sign": bare(o.symbol(a.name))})
    cells = {"values": flat, "rows": len(found.up.values), "columns": len(found.across.values), "most": int(max(counted.max(initial=2), 2)),
             "across": numbers(found.across.values), "up": numbers(found.up.values), "said": say(T("{n} steps", "шагов: {n}")),
             "late": say(T("not within the tolerance in time", "не в допуске за отведённые шаги")),
             "grown": say(T("ends higher than it began", "кончает выше, чем начал"))}
    lines = [] if found.boundary is None else [line(found.boundary, found.up.values, "ink")]
    here = [{"x": float(run[across]), "y": float(run[up]), "colour": COLOURS[2]}]

    def take(a: float, b: float) -> None:
        j, i = (int(np.argmin(np.abs(axis_.values - v))) for axis_, v in ((found.across, a), (found.up, b)))
        values = {across: float(f"{found.across.values[j]:.4g}"), up: float(f"{found.up.values[i]:.4g}")}
        desk.edit(lambda p: p.with_cell(**values), push=True)
    least = T("nothing arrives", "не дошёл никто")
    if counted.size:
        least = T(f"{int(counted.min())} to {int(counted.max())} steps", f"шагов: от {int(counted.min())} до {int(counted.max())}")
    words = T(f"Dark: few steps to f − f* ≤ {short(pace['tolerance'])} ({least.en}), pale: not in time, orange: it ends higher than it began. "
              "Constant rate, no noise.",
              f"Тёмное — мало шагов до f − f* ≤ {short(pace['tolerance'])} ({least.ru}), бледное — не успел, оранжевое — кончает выше, чем начал. "
              "Скорость постоянна, шума нет.")
    if found.boundary is not None:
        words = T(f"{words.en} The line is the limit of theory.", f"{words.ru} Линия — предел по теории.")
    picture = {"height": 380, "x": axes[0], "y": axes[1], "cells": cells, "lines": lines, "dots": here, "pick": True}
    plots([picture], f"{desk.page}-map", say(words), take)
    _small(T(f"{words.en} A click opens the run of a cell.", f"{words.ru} Щелчок по клетке открывает её спуск."))


def _axis(key: str, pace: Pace, name: str) -> Pace:
    """Another number on an axis; the one that was there changes places with it."""
    across, up = pace.axes
    now = {"across": across, "up": up} | {key: name}
    if now["across"] == now["up"]:
        now = {"across": up, "up": across}
    return pace.at(**now)


def _named(o: Any, name: str) -> T:
    """Sign and name."""
    said, sign = name_of(o, name), bare(o.symbol(name))
    return T(f"{sign}, {said.en}", f"{sign}, {said.ru}") if len(sign) < 4 else said
