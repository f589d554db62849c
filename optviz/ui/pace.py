"""The panels of the lab of learning rates: one optimizer, its schedules, and what is asked about its rate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from ..core import Param, Refused, T, rounded, short
from ..names import name_of
from ..optimizers import optimizers
from ..pace import Pace, lengths_in
from ..pace_presets import plan_of, plans
from ..pace_scene import schedule_names
from ..pace_sheets import Answer, axis_name, cell, measured, question, sheet
from ..race import MOST_ENTRANTS, Entrant, Race
from ..rates import RangeTest, StabilityMap, axes_of, two_numbers
from ..render.schedule_lines import formula, torch_lines
from ..scene import named
from ..schedules import schedules
from .controls import Desk, Example, examples, label_of
from .frame import WEB
from .jobs import work
from .race import glyph, while_they_race
from .sheet import Pick, sheet_stage
from .text import plain, say

FIGURES = {"run": T("The run", "Спуск"), "band": T("Many runs", "Много запусков"),
           "three": T("High, good, low", "Велика, хороша, мала"), "range": T("Range test", "Подбор α"),
           "map": T("Stability map", "Карта устойчивости")}


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


def _warmed(i: int, race: Race, steps: int) -> Race:
    """Another warm-up, within the run."""
    if steps >= race["steps"]:
        raise Refused(T(f"A warm-up of {steps} steps would not end within the run of {race['steps']}; take a shorter one.",
                        f"Разогрев на {steps} шагов не кончится за {race['steps']} шагов спуска; возьмите короче."))
    return race.with_entrant(i, lambda e: e.at(warmup_steps=steps))


def _schedule(desk: Desk[Pace], i: int, e: Entrant) -> None:
    """One schedule: its settings, its formula with numbers, and torch's line."""
    k, o, place, race_desk = schedules[e.schedule], desk.spec.optimizer, f"schedule{i}-{e.schedule}", RaceDesk(desk)
    mine = partial(while_they_race, desk.spec.race)

    def change(name: str) -> Callable[[Race, Any], Race]:
        return mine(lambda r, value: r.with_entrant(i, lambda e: e.at(**{name: value})))
    race_desk.choose(f"{place}-key", say(T("Schedule", "Расписание")), {key: s.name for key, s in schedules.items()}, e.schedule,
                     mine(lambda r, key: r.with_entrant(i, lambda e: e.at(schedule=key, **lengths_in(r["steps"], key)))))
    race_desk.setting(f"{place}-lr", label_of(o, "lr"), o.params["lr"], e["lr"], change("lr"))
    for name, p in k.params.items():
        race_desk.setting(f"{place}-{name}", say(name_of(k, name)), p, e["schedule_" + name], change("schedule_" + name))
    warmup = e.table["warmup_steps"]
    assert isinstance(warmup, Param)
    words = T("Warm-up before it, steps", "Разогрев перед ним, шагов")
    race_desk.setting(f"{place}-warmup_steps", say(words), warmup, e["warmup_steps"], mine(partial(_warmed, i)))
    st.caption(say(k.idea))
    settings, steps = {n.removeprefix("schedule_"): v for n, v in e.settings if n.startswith("schedule_")}, desk.spec["steps"]
    for said in formula(k, e["lr"], settings, steps, e["warmup_steps"]):
        st.latex(said)
    if k.fed:
        rest = settings["cooldown"]
        more = T(".", ".")
        if rest:
            more = T(f", and rests for {short(rest)} steps after each drop.", f", после каждого снижения счёт стоит шагов: {short(rest)}.")
        st.caption(say(T("The rate drops where both inequalities hold: # counts the steps without a better loss f",
                         "Скорость снижается, когда верны оба неравенства: # — число шагов без улучшения потери f")) + say(more))
    lines = torch_lines(k, e["lr"], settings, steps, e["warmup_steps"])
    if lines is None:
        st.caption(say(T("torch has no scheduler that makes exactly these rates; the exported code has one.",
                         "Готового расписания с такими скоростями в torch нет; оно есть в экспортированном коде.")))
    else:
        st.code("\n".join(lines), language="python", wrap_lines=True)
    with st.container(horizontal=True, gap="small"):
        race_desk.button(f"{place}-copy", T("Duplicate", "Дублировать"), mine(lambda r: r.doubled(i)), ":material/content_copy:",
                         lambda: _only_open(desk, i + 1), type="tertiary", disabled=len(desk.spec.race.entrants) >= MOST_ENTRANTS)
        race_desk.button(f"{place}-mute", T("Show", "Показать") if e.muted else T("Hide", "Скрыть"), lambda r: change("muted")(r, not e.muted),
                         ":material/visibility:" if e.muted else ":material/visibility_off:", type="tertiary")
        race_desk.button(f"{place}-remove", T("Remove", "Убрать"), mine(lambda r: r.without(i)), ":material/delete:",
                         lambda: _only_open(desk, None), type="tertiary", disabled=len(desk.spec.race.entrants) == 1)


# --- what is asked, and the run beside it -------------------------------------------------------------------------------------------------


def pictures(desk: Desk[Pace], run: Callable[[], None]) -> None:
    """The question, its answer, and the run: beside each other, that a click on the one may be seen in the other."""
    st.html(WEB / "pace.css")
    pace = desk.spec
    said = {key: say(name) for key, name in FIGURES.items()}
    on = {"surface": say(T("surface", "поверхность")), "network": say(T("small network", "небольшая сеть"))}
    with st.container(horizontal=True, gap="small"):
        st.segmented_control(say(T("Figure", "График")), list(said), format_func=said.__getitem__, required=True, label_visibility="collapsed",
                             **desk.bound("figure", pace["figure"], lambda p, key: p.at(figure=key)))
        if pace["figure"] in ("three", "range"):
            st.segmented_control(say(T("On what", "На чём")), list(on), format_func=on.__getitem__, required=True, label_visibility="collapsed",
                                 **desk.bound("on", pace["on"], lambda p, word: p.at(on=word)))

    def asked() -> None:
        with st.container(key="pace-figure"):
            _figure(desk)

    def ran() -> None:
        with st.container(key="pace-run"):
            run()
    match pace["figure"]:
        case "run":
            ran()
        case "three":  # the run is one of its panels
            asked()
            ran()
        case figure:
            for place, show in zip(st.columns(2, gap="small"), (ran, asked) if figure == "band" else (asked, ran), strict=True):
                with place:
                    show()


def _figure(desk: Desk[Pace]) -> None:
    """The answer, or why there is none."""
    pace = desk.spec
    try:
        if pace["figure"] == "map":
            _axes(desk)
        answer = work("schedules", FIGURES[pace["figure"]], measured, question(pace))
        if answer is not None:
            sheet_stage(sheet(pace, answer), f"{desk.page}-figure", partial(_picked, desk, answer))
        if isinstance(answer, RangeTest) and pace["on"] == "surface":
            _rates(desk, answer)
    except Refused as refusal:
        st.warning(plain(say(refusal.text)), icon=":material/info:")


def _picked(desk: Desk[Pace], answer: Answer, pick: Pick) -> None:
    """The rate or the cell of the map that was clicked, taken into the lab."""
    if isinstance(answer, StabilityMap):
        values = cell(answer, pick.x, pick.y)
        desk.edit(lambda p: p.with_cell(**values), push=True)
    else:
        desk.edit(lambda p: _at_rate(p, pick.x), push=True)


def _at_rate(pace: Pace, rate: float) -> Pace:
    """Another rate for all, as a reader would say it."""
    return pace.with_each(lambda e: e.at(lr=float(f"{rate:.3g}")))


def _rates(desk: Desk[Pace], found: RangeTest) -> None:
    """The two rates of the range test, to take."""
    with st.container(horizontal=True, gap="small"):
        for key, rate, label in (("steepest", found.steepest, T("Take where it falls steepest", "Взять α самого крутого спада")),
                                 ("diverging", found.diverging, T("Take where it is above its start", "Взять α, с которой потеря выше начальной"))):
            if rate is not None:
                words = T(f"{label.en}: {rounded(rate)}", f"{label.ru}: {rounded(rate)}")
                desk.button(key, words, partial(_at_rate, rate=rate), type="tertiary")


def _axes(desk: Desk[Pace]) -> None:
    """What the map varies, where there is a choice."""
    pace = desk.spec
    o = optimizers[two_numbers(pace.race.runs[0]).optimizer]
    choices = {name: axis_name(o, name) for name in axes_of(o)}
    if len(choices) > 2:
        words = T("Across", "По горизонтали"), T("Upwards", "По вертикали")
        for column, key, label, now in zip(st.columns(2), ("across", "up"), words, pace.axes, strict=True):
            with column:
                desk.choose(f"map-{o.key}-{key}", say(label), choices, now, partial(_axis, key))


def _axis(key: str, pace: Pace, name: str) -> Pace:
    """Another number on an axis; the one that was there changes places with it."""
    across, up = pace.axes
    now = {"across": across, "up": up} | {key: name}
    if now["across"] == now["up"]:
        now = {"across": up, "up": across}
    return pace.at(**now)
