"""The panels of a race: its surface, its entrants, its circumstances, its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from ..core import Param, T, rounded, short
from ..names import NAMES, name_of
from ..optimizers import optimizers
from ..outcome import Outcome, solve
from ..palette import GLYPHS, Style
from ..presets import preset_of, presets
from ..race import LOOK, MOST_ENTRANTS, TABLE, Entrant, Race, entrant_on
from ..run import CLIPS
from ..scene import named
from ..schedules import schedules
from ..surfaces import surfaces
from .controls import Desk, Example, examples, label_of
from .picker import picker
from .table import table
from .text import plain, say


def after(race: Race, event: dict[str, Any]) -> Race:
    """The race after what a visitor did on the stage."""
    changes = {name: value for name, value in event.get("look", {}).items() if name in LOOK}
    if "start" in event:
        changes["start"] = event["start"]
    if "muted" in event:
        hidden = set(event["muted"])  # of those who have a trail: the stage knows no others
        changes["entrants"] = [e if trail is None else e.at(muted=i in hidden)
                               for i, (e, trail) in enumerate(zip(race.entrants, solve(race).trails, strict=True))]
    return race.at(**changes)


# --- presets and the surface --------------------------------------------------------------------------------------------------------


def preset_panel(desk: Desk[Race]) -> None:
    """Races worth showing, in the order of a lecture."""
    examples(desk, {key: Example(preset.name, preset.do, preset.see, preset.race) for key, preset in presets.items()},
             lambda race: preset.key if (preset := preset_of(race)) else None)


def surface_panel(desk: Desk[Race]) -> None:
    """Which surface, its parameters, or a formula of one's own."""
    race, own = desk.spec, desk.spec.surface.key not in surfaces
    s = race.surface
    with st.popover(say(s.name), icon=":material/landscape:", width="stretch", key=f"{desk.page}-surfaces", on_change="rerun") as gallery:
        if gallery.open:
            picker(s.key, f"{desk.page}-picker", lambda picked: desk.edit(lambda r: r.on(surfaces[picked]), fresh=True))
    st.text_input(say(T("Own formula", "Своя формула")), placeholder="x^2 + 3*sin(y)",
                  **desk.bound("formula", s.formula if own else "", Race.with_formula, fresh=True, about=s.formula))
    desk.note()
    st.latex(f"f(x, y) = {s.latex}")
    for name, p in s.params:
        desk.setting(f"surface-{name}", say(NAMES[name]), p, s.settings[name], partial(_parameter, name))


def _parameter(name: str, race: Race, value: float) -> Race:
    return race.with_parameter(name, float(value))


def view_panel(desk: Desk[Race]) -> None:
    """The start, the box that is seen, how long and how exactly."""
    race = desk.spec
    start = ", ".join(map(rounded, race.start))
    heading = T(f"Start ({start}), {race['steps']} steps", f"Старт ({start}), шагов: {race['steps']}")
    with desk.fold("view", say(heading)) as opened:
        if not opened:
            return
        for i, column in enumerate(st.columns(2)):
            with column:
                desk.number(f"start{i}", say(T(f"Start ${'xy'[i]}$", f"Старт ${'xy'[i]}$")), race.start[i], partial(_start, i))
        desk.setting("steps", say(T("Steps", "Число шагов")), TABLE["steps"], race["steps"], lambda r, v: r.at(steps=int(v), at=None))
        desk.setting("tolerance", say(T("Tolerance of the loss", "Допуск по значению")), TABLE["tolerance"], race["tolerance"],
                     lambda r, v: r.at(tolerance=v))
        for axis in range(2):
            for end, column in enumerate(st.columns(2)):
                with column:
                    word = (T("from", "от"), T("to", "до"))[end]
                    desk.number(f"box{axis}{end}", f"${'xy'[axis]}$ {say(word)}", race.box[axis][end], partial(_edge, axis, end))


def _start(i: int, race: Race, value: float) -> Race:
    return race.at(start=(value, race.start[1]) if i == 0 else (race.start[0], value))


def _edge(axis: int, end: int, race: Race, value: float) -> Race:
    box = [list(side) for side in race.box]
    box[axis][end] = value
    return race.at(box=box)


# --- the entrants -------------------------------------------------------------------------------------------------------------------


def entrants_panel(desk: Desk[Race], outcome: Outcome) -> None:
    """All entrants, and one more."""
    race = desk.spec
    for i, (e, (name, _, style)) in enumerate(zip(race.entrants, named(race), strict=True)):
        with desk.fold(f"entrant{i}", _heading(e, name, style)) as opened:
            if opened:
                if (why := outcome.rows[i].refused) is not None:
                    st.warning(plain(say(why)))
                _entrant(desk, i, e)
    if not race.entrants:
        st.info(say(T("Nobody races. Add an optimizer.", "Никто не участвует. Добавьте оптимизатор.")))
    if len(race.entrants) < MOST_ENTRANTS:
        def add(r: Race, picked: str) -> Race:
            _only_open(desk, len(r.entrants))
            return r.at(entrants=[*r.entrants, entrant_on(r.surface, picked)])
        words = say(T("Add an optimizer", "Добавить оптимизатор"))
        desk.choose("add", words, {key: o.name for key, o in optimizers.items()}, None, add, placeholder=words, label_visibility="collapsed")


def _heading(e: Entrant, name: T, style: Style) -> str:
    """Mark, name, rate, and what is out of the ordinary."""
    extra = [say(schedules[e.schedule].name)] * (e.schedule != "constant")
    extra += [say(T("clipped", "с ограничением"))] * any(e[c] is not None for c in CLIPS) + [say(T("hidden", "скрыт"))] * e.muted
    mark = glyph(style)
    rate = "" if "α" in name.en else f" α = {short(e['lr'])}"  # twins have it in their names
    extra[:0] = [say(T("tuned", "подобрана"))] * (e.untuned is not None)
    return f"{mark} **{say(name)}**{rate}" + "".join(f" · {word}" for word in extra)


def glyph(style: Style) -> str:
    """An entrant's mark in its colour, for a line of text."""
    return f':color[{GLYPHS[style.shape]}]{{foreground="{style.colour}"}}'


def lineup(race: Race) -> list[str]:
    """Who takes part, whatever the settings."""
    return [e.optimizer for e in race.entrants]


def while_they_race(drawn: Race, change: Callable[..., Race]) -> Callable[..., Race]:
    """A change of an entrant by its place, for as long as the places are those that were drawn: a second click can come before the page is anew."""
    return lambda race, *given: change(race, *given) if lineup(race) == lineup(drawn) else race


def _only_open(desk: Desk[Race], i: int | None) -> None:
    """Places change when somebody joins or leaves: then one entrant is open, or none."""
    for k in range(MOST_ENTRANTS):
        desk.turn(f"entrant{k}", k == i)


def entrant_settings(desk: Desk[Race], i: int, e: Entrant) -> None:
    """An entrant's settings, and what it does with them."""
    o, k, mine = optimizers[e.optimizer], schedules[e.schedule], partial(while_they_race, desk.spec)

    def change(name: str) -> Callable[[Race, Any], Race]:
        return mine(lambda r, value: r.with_entrant(i, lambda e: e.at(**{name: value})))
    place = f"entrant{i}-{e.optimizer}"
    slider, exact = st.columns([2, 1], vertical_alignment="bottom")
    with slider:
        desk.setting(f"{place}-lr", label_of(o, "lr"), o.params["lr"], e["lr"], change("lr"))
    with exact:
        desk.number(f"{place}-lr-exact", say(T("exactly", "точно")), e["lr"], change("lr"), label_visibility="collapsed")
    for name, p in o.params.items():
        if name != "lr":
            desk.setting(f"{place}-{name}", label_of(o, name), p, e[name], change(name))
    desk.choose(f"{place}-schedule", say(T("Schedule", "Расписание")), {key: s.name for key, s in schedules.items()}, e.schedule,
                change("schedule"))
    for name, p in k.params.items():
        desk.setting(f"{place}-{k.key}-{name}", say(name_of(k, name)), p, e["schedule_" + name], change("schedule_" + name))
    for name in ("warmup_steps", *CLIPS):
        desk.setting(f"{place}-{name}", say(NAMES[name]), e.table[name], e[name], change(name))
    options = {name: value for name, value in e.settings if name in o.params and not isinstance(o.params[name], Param)}
    lines = (line.replace(r"\leftarrow", r"&\leftarrow", 1) for line in o.latex(**options))
    st.latex(r"\begin{aligned}" + r" \\[4pt] ".join(lines) + r"\end{aligned}\,")
    st.caption(f"{say(o.idea)} {o.paper}")


def _entrant(desk: Desk[Race], i: int, e: Entrant) -> None:
    """Everything about one entrant."""
    entrant_settings(desk, i, e)
    mine, place = partial(while_they_race, desk.spec), f"entrant{i}-{e.optimizer}"
    with st.container(horizontal=True, gap="small"):
        desk.button(f"{place}-copy", T("Duplicate", "Дублировать"), mine(lambda r: r.doubled(i)),
                    ":material/content_copy:", lambda: _only_open(desk, i + 1), type="tertiary", disabled=len(desk.spec.entrants) >= MOST_ENTRANTS)
        desk.button(f"{place}-mute", T("Show", "Показать") if e.muted else T("Hide", "Скрыть"),
                    mine(lambda r: r.with_entrant(i, lambda e: e.at(muted=not e.muted))),
                    ":material/visibility:" if e.muted else ":material/visibility_off:", type="tertiary")
        desk.button(f"{place}-reset", T("Recommended settings", "Рекомендуемые значения"),
                    mine(lambda r: r.with_entrant(i, lambda e: e.recommended(r.surface))), ":material/restart_alt:", type="tertiary")
        desk.button(f"{place}-remove", T("Remove", "Убрать"), mine(lambda r: r.without(i)),
                    ":material/delete:", lambda: _only_open(desk, None), type="tertiary")


# --- noise and many starts ----------------------------------------------------------------------------------------------------------


def noise_panel(desk: Desk[Race]) -> None:
    """Noise of the gradient, the same for all in a step."""
    race = desk.spec
    parts = [f"{sign} = {short(race[name])}" for sign, name in (("σ", "noise"), ("σᵣ", "noise_relative")) if race[name]]
    said, seed = ", ".join(parts), race["seed"]
    state = T(f"Noise {said}, seed {seed}", f"Шум {said}, зерно {seed}") if parts else T("No noise", "Без шума")
    with desk.fold("noise", say(state)) as opened:
        if not opened:
            return
        small = Param(0.0, 0.0, 10.0)
        desk.slider("noise", say(T("$σ$ added to each coordinate of the gradient", "$σ$ — добавка к каждой координате градиента")), small,
                    race["noise"], lambda r, v: r.at(noise=v))
        desk.slider("noise-relative", say(T("$σ_r$ as a share of each coordinate", "$σ_r$ — в долях каждой координаты")), replace(small, high=2.0),
                    race["noise_relative"], lambda r, v: r.at(noise_relative=v))
        seed_field(desk)


def seed_field(desk: Desk[Race]) -> None:
    """The seed, and a button for another."""
    field, button = st.columns([1, 1], vertical_alignment="bottom")
    with field:
        desk.setting("seed", say(T("Seed", "Зерно")), TABLE["seed"], desk.spec["seed"], lambda r, v: r.at(seed=v))
    with button:
        desk.button("another", T("Another seed", "Другое зерно"), lambda r: r.at(seed=r["seed"] + 1), ":material/casino:", width="stretch")


def crowd_panel(desk: Desk[Race]) -> None:
    """Many starts, to see what is luck."""
    race, n = desk.spec, desk.spec["crowd"]
    where = T("around the start", "вокруг старта") if race["scatter"] == "around" else T("over the box", "по области")
    state = T(f"{n} more starts {where.en}", f"Ещё стартов: {n} ({where.ru})") if n else T("One start", "Один старт")
    with desk.fold("crowd", say(state)) as opened:
        if not opened:
            return
        ways = {"none": say(T("none", "нет")), "around": say(T("cloud", "облако")), "grid": say(T("grid", "сетка"))}
        st.segmented_control(say(T("Many starts", "Много стартов")), list(ways), format_func=ways.__getitem__, required=True,
                             **desk.bound("scatter", race["scatter"] if n else "none", _scattered))
        if n:
            desk.slider("crowd", say(T("How many", "Сколько")), Param(0, 10, 500, whole=True), n, lambda r, v: r.at(crowd=int(v)))
            if race["scatter"] == "around":
                desk.setting("spread", say(T("Spread, as a share of the box", "Разброс в долях области")), TABLE["spread"], race["spread"],
                             lambda r, v: r.at(spread=v))


def _scattered(race: Race, way: str) -> Race:
    return race.at(crowd=0) if way == "none" else race.at(scatter=way, crowd=race["crowd"] or 100)


# --- results ------------------------------------------------------------------------------------------------------------------------


def results(outcome: Outcome) -> None:
    """A row an entrant, sortable, without columns that nobody has anything to say in; and what happened to each, in a sentence."""
    race = outcome.race
    if not race.entrants:
        return
    names = named(race)
    heads = {
        "loss": T("final loss", "итоговое значение"), "distance": T("to a minimum", "до минимума"),
        "reached": T("first within tolerance", "впервые в допуске"), "gradients": T("gradients", "градиентов"),
        "diverged_at": T("diverged at step", "разошёлся на шаге"), "within": T("crowd: within tolerance, %", "облако: в допуске, %"),
        "at_best": T("crowd: at the best, %", "облако: у лучшего, %"), "found": T("crowd: minima found", "облако: минимумов найдено"),
        "median": T("crowd: median loss", "облако: медиана"), "diverged": T("crowd: diverged, %", "облако: разошлось, %")}
    columns = {}
    for field, head in heads.items():
        values = [getattr(row, field) for row in outcome.rows]
        if field in ("loss", "reached", "gradients") or any(v is not None for v in values):
            columns[head] = [v if v is None or not head.en.endswith("%") else 100 * v for v in values]
    table("results", T("Results", "Результаты"), [(name, style) for name, _, style in names], T("optimizer", "оптимизатор"), columns)
    told = [f"{glyph(style)} **{say(name)}** {plain(say(row.verdict.text))}"
            for row, (name, _, style) in zip(outcome.rows, names, strict=True) if row.verdict]
    if told:
        st.markdown(":small[" + "  \n".join(told) + "]")
    best = ""
    if outcome.best is not None:
        value, tolerance = rounded(outcome.best if abs(outcome.best) > 1e-20 else 0.0), short(race["tolerance"])
        best = say(T(f"Best known value f* = {value}; tolerance f − f* ≤ {tolerance}. ",
                     f"Наилучшее известное значение f* = {value}; допуск f − f* ≤ {tolerance}. "))
    st.markdown(":small[" + best + say(T("Newton's methods also ask for a Hessian a step, line searches for more values.",
                            "Методы Ньютона вычисляют на каждом шаге ещё и гессиан, а дробление шага — дополнительные значения функции.")) + "]")
