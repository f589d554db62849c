"""The lab of hyper-parameters: a map over two settings, what ran in a cell of it, the searches on it, and its controls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from ..atlas_sheets import DESCENTS
from ..core import T, short
from ..grid import changes
from ..hunt import GOOD, REPEATS, SEED, Hunt
from ..optimizers import optimizers
from ..quest import ARRAYS, Quest, axis_name, found, quest_of, searched, spanned, view_of, visited
from ..race import TABLE, Race, entrant_on
from ..run import Run
from ..study import Study
from ..sweep import COUNT, EVEN, LOG, Line, Sweep, Swept, line, seeds_of, settings
from ..sweep_presets import views
from ..sweep_sheets import cell_at, looked_at, sweep_sheet, told
from . import race as race_panels
from . import study as study_panels
from .atlas import SOON, places
from .controls import Desk, Example, Lens, examples
from .jobs import work
from .sheet import Pick, sheet_stage
from .text import say
from .trial import GO

NETWORKS = T("networks", "сетей")
KINDS = {"descents": T("A descent in every cell", "В каждой клетке спуск"), "networks": T("A network in every cell", "В каждой клетке сеть")}
SPACED = {EVEN: T("evenly", "ровно"), LOG: T("decades", "декады")}
BUDGETS = {str(k * k): T(f"{k * k} = {k} × {k}", f"{k * k} = {k} × {k}") for k in range(2, 8)}


# --- the stage ----------------------------------------------------------------------------------------------------------------------------


def stage(desk: Desk[Quest], take: int) -> None:
    """The map as far as it is there, one of its cells, and the hunt."""
    quest, spec = desk.spec, desk.spec.sweep
    networks = isinstance(spec.base, Study)
    about = (T("Training the networks of the map", "Обучаем сети карты") if networks
             else T("Descents with other settings", "Спуски с разными настройками"))
    swept = work("sweep", about, found, spec, soon=SOON)
    visit = hunted = cell = None
    if isinstance(swept, Swept):
        if quest.hunt is not None:
            hunted = work("hunt", T("Searching", "Ищем"), searched, swept[quest.array], quest.array, quest.hunt)
        if (cell := looked_at(quest, swept)) is not None:
            visit = work("cell", T("This cell", "Эта клетка"), visited, spec.cell(*cell), soon=SOON)
        st.markdown(f":primary[{say(told(quest, swept, hunted))}]")
    sheet_stage(sweep_sheet(quest, swept, visit, hunted), "sweeps-map", partial(picked, desk), take)
    if isinstance(swept, Swept):
        rows, columns = spec.shape
        places([swept.where], rows * columns * spec.draws, NETWORKS if networks else DESCENTS, spec.fused)
    if cell is not None:
        words = (T("Open this cell in the Decision boundary lab", "Открыть клетку в лаборатории границы решений") if networks
                 else T("Open this cell in the Descent lab", "Открыть клетку в лаборатории спуска"))
        st.button(say(words), icon=":material/open_in_new:", key="sweeps-open", on_click=_open, args=(spec.cell(*cell),))


def picked(desk: Desk[Quest], pick: Pick) -> None:
    """In a callback: a cell was clicked."""
    if pick.chart == "map":
        desk.edit(lambda quest: quest.at(cell=cell_at(quest, pick.x, pick.y)), push=True)


def _open(spec: Run | Study) -> None:
    """In a callback: what the top of the page then follows."""
    st.session_state[GO] = ("boundary", spec) if isinstance(spec, Study) else ("descent", race_of(spec))


def race_of(run: Run) -> Race:
    """A run as the only one of a race."""
    return Race.from_query(run.to_query(), [])


# --- panels ---------------------------------------------------------------------------------------------------------------------------------


def view_panel(desk: Desk[Quest]) -> None:
    """Maps worth showing, in the order of a lecture, what runs in the cells, and what is shown of it."""
    quest = desk.spec
    examples(desk, {key: Example(v.name, v.do, v.see, quest_of(v)) for key, v in views.items()}, lambda q: v.key if (v := view_of(q)) else None)
    kind = "networks" if isinstance(quest.sweep.base, Study) else "descents"
    desk.choose("kind", say(T("What runs", "Что запускается")), KINDS, kind, _other, label_visibility="collapsed")
    desk.choose("array", say(T("What is shown", "Что показано")), {name: ARRAYS[name] for name in quest.sweep.arrays}, quest.array,
                lambda q, array: q.at(array=array))


def _other(quest: Quest, kind: str) -> Quest:
    """The first view of a kind, without its lesson."""
    wanted: type = Study if kind == "networks" else Run
    return quest if isinstance(quest.sweep.base, wanted) else quest_of(next(v for v in views.values() if isinstance(v.sweep.base, wanted)))


def axes_panel(desk: Desk[Quest]) -> None:
    """What changes along x and along y, and from how many seeds each cell runs."""
    spec = desk.spec.sweep
    known = settings(spec.base)
    for name, label in (("x", T("Along x", "По x")), ("y", T("Along y", "По y"))):
        own: Line = getattr(spec, name)
        other = (spec.y if name == "x" else spec.x).key
        names = {key: axis_name(spec.base, key) for key in known if key != other}
        desk.choose(f"{name}-key", say(label), names, own.key, partial(_turned, name))
        _values(desk, name, own, known[own.key])
    desk.note()
    desk.setting("seeds", say(T("Seeds in every cell", "Запусков в клетке, каждый со своим зерном")), seeds_of(spec.base), spec.seeds,
                 lambda quest, value: quest.at(sweep=quest.sweep.at(seeds=int(value))))
    if spec.draws < spec.seeds:
        st.caption(say(T("Without noise every seed gives the same run, so one is made.",
                         "Без шума все зёрна дают один и тот же спуск, поэтому он один.")))


def _values(desk: Desk[Quest], name: str, own: Line, p: Any) -> None:
    """The ends of an axis, how many values between them and how they are spaced; or its values one by one."""
    if own.span is None:
        text = ", ".join("none" if v is None else short(v) if isinstance(v, float) else str(v) for v in own.values)
        st.text_input(say(T("Values", "Значения")), **desk.bound(f"{name}-values", text, partial(_listed, name, own.key), about=own))
        return
    low, high, count, spacing = own.span
    columns = st.columns([1, 1, 1, 1.5])
    for column, key, word, value, allowed, whole in ((columns[0], "low", T("from", "от"), low, p.allowed, p.whole),
                                                     (columns[1], "high", T("to", "до"), high, p.allowed, p.whole),
                                                     (columns[2], "count", T("values", "сколько"), count, COUNT.allowed, True)):
        with column:
            desk.number(f"{name}-{key}", say(word), int(value) if whole else value, partial(spanned, name, key), allowed, whole)
    with columns[3]:
        desk.choose(f"{name}-spacing", say(T("spaced", "шаг")), SPACED, spacing, partial(spanned, name, "spacing"))


def _turned(name: str, quest: Quest, key: str) -> Quest:
    """Another setting along an axis: between its usual ends, as many values as there were."""
    known = settings(quest.sweep.base)
    new, old = line(name, key, known), getattr(quest.sweep, name)
    if new.span is not None and old.span is not None:
        new = line(name, (key, (*new.span[:2], old.span[2], new.span[3])), known)
    return quest.at(sweep=quest.sweep.at(**{name: new}))


def _listed(name: str, key: str, quest: Quest, text: str) -> Quest:
    """An axis's values as they are typed."""
    p = settings(quest.sweep.base)[key]
    parts = text.replace(",", ".").split(";") if ";" in text else text.split(",")  # a comma may be a decimal sign
    return quest.at(sweep=quest.sweep.at(**{name: (key, [p.parse(key, part.strip()) for part in parts if part.strip()])}))


def hunt_panel(desk: Desk[Quest]) -> None:
    """Random search against a grid on this map."""
    hunt = desk.spec.hunt
    st.checkbox(say(T("Random search against a grid", "Случайный поиск против сетки")), hunt is not None,
                **desk.bound("hunt", hunt is not None, lambda quest, on: quest.at(hunt=(quest.hunt or Hunt(25)) if on else None)))
    if hunt is None:
        return
    budgets = BUDGETS | {str(hunt.budget): T(f"{hunt.budget} = {hunt.side} × {hunt.side}", f"{hunt.budget} = {hunt.side} × {hunt.side}")}
    desk.choose("budget", say(T("Trials of each", "Проб у каждого")), budgets, str(hunt.budget), lambda quest, n: _hunting("budget", quest, int(n)))
    heading = T(f"{hunt.repeats} repeats, good is the best {short(100 * hunt.good)} %",
                f"Повторов: {hunt.repeats}; хорошие — лучшие {short(100 * hunt.good)} %")
    with desk.fold("hunting", say(heading)) as opened:
        if opened:
            for name, label, p in (("repeats", T("Repeats", "Повторов"), REPEATS),
                                   ("good", T("Share that counts as good", "Доля хороших клеток"), GOOD),
                                   ("seed", T("Seed", "Зерно"), SEED)):
                desk.setting(f"hunt-{name}", say(label), p, getattr(hunt, name), partial(_hunting, name))


def _hunting(name: str, quest: Quest, value: Any) -> Quest:
    return quest.at(hunt=replace(quest.hunt or Hunt(), **{name: value}))


def overruled(spec: Sweep) -> frozenset[str]:
    """The controls of the base whose values no cell has."""
    run, given = spec.base, spec.given(0, 0)
    if isinstance(run, Study):
        return frozenset(key for key, value in given.items() if changes(run, {key: value}).keys() == {key})  # width leaves the depth to its control
    stem = f"entrant0-{run.optimizer}-"
    own = [stem + key.replace("schedule_", f"{run.schedule}-") for key in given]
    return frozenset([*own, *(f"{key}-exact" for key in own), *(key.replace("_", "-") for key in given)])


def base_panel(desk: Desk[Quest]) -> None:
    """What runs in every cell, but for what the axes change."""
    spec = desk.spec.sweep
    desk.idle = overruled(spec)
    st.caption(say(T("What changes along the axes is greyed here.", "То, что меняется вдоль осей, здесь неактивно.")))
    if isinstance(spec.base, Study):
        network: Lens[Study] = Lens(desk, "study", lambda quest: quest.sweep.base, lambda quest, study: quest.on(study.run))
        study_panels.data_panel(network)
        study_panels.network_panel(network)
        study_panels.training_panel(network)
        return
    race: Lens[Race] = Lens(desk, "race", lambda quest: race_of(quest.sweep.base), lambda quest, race: quest.on(race.runs[0]))
    now = race.spec
    race_panels.surface_panel(race)
    e = now.entrants[0]
    race.choose("optimizer", say(T("Optimizer", "Метод")), {key: o.name for key, o in optimizers.items()}, e.optimizer,
                lambda r, key: r.at(entrants=[entrant_on(r.surface, key)]))
    race.setting("steps", say(T("Steps", "Число шагов")), TABLE["steps"], now["steps"], lambda r, value: r.at(steps=int(value)))
    with race.fold("entrant", say(T("Other settings of the optimizer", "Остальные настройки метода"))) as opened:
        if opened:
            race_panels.entrant_settings(race, 0, e)
    race_panels.noise_panel(race)
