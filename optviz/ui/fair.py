"""The fair race: one button tunes every learning rate, the same one takes it back, and a fold shows what the search saw."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st

from ..core import T, rounded, short
from ..outcome import Outcome
from ..palette import DASHES, SHAPES, Style
from ..race import Entrant, Race
from ..scene import heat, named, panel
from ..tune import COARSE, FINE, SEEDS, Tuned, search
from .controls import Desk
from .race import glyph
from .text import plain, say

ASKED = "fair-asked"  # in the session, what a search was asked for, until it is done: a rerun in its midst goes on with it
FOUND = "fair-found"  # what was searched last
VAIN = "fair-vain"  # what could not be tuned, and why
SYMBOLS = dict(zip(SHAPES, ("circle", "square", "triangle-up", "diamond", "cross"), strict=True))
STROKES = dict(zip(DASHES, ("solid", "dash", "dot"), strict=True))


def fair_panel(desk: Desk[Race], outcome: Outcome) -> None:
    """The button, and under it the search it ran."""
    race, question = desk.spec, _question(desk.spec)
    if st.session_state.get(ASKED) != question:
        _ask(None)  # another race has come meanwhile, and nobody asked for that one
    if not race.entrants:
        return
    if st.session_state[ASKED]:  # three keys for three buttons in one place: the second click of a double click means none of the others
        st.button(say(T("Stop the search", "Остановить поиск")), key="fair-stop", icon=":material/stop:", width="stretch", on_click=_ask,
                  args=(None,))
        try:
            found = _found(race, outcome)
        except Exception:
            _ask(None)
            raise
        _ask(None)
        rates = [t.rate if isinstance(t, Tuned) else None for t in found]
        if any(rate is not None for rate in rates):
            desk.edit(lambda r: r.fair(rates) if _question(r) == question else r, push=True)
        else:
            why = next((t for t in found if isinstance(t, T)), T("everybody diverges at every rate", "все расходятся при любой скорости обучения"))
            st.session_state[VAIN] = question, why
        st.rerun()
    elif race.tuned:
        desk.button("fair-back", T("Back to the untuned rates", "Вернуть прежние скорости"), Race.untuned, ":material/undo:", width="stretch")
    else:
        st.button(say(T("Fair race", "Честная гонка")), key="fair-race", icon=":material/balance:", width="stretch", on_click=_ask,
                  args=(question,), help=say(T("Tune everybody's learning rate", "Подобрать скорость обучения каждому")))
    vain, why = st.session_state.get(VAIN, (None, None))
    if vain == question and not race.tuned:
        st.warning(plain(say(T(f"The rates stay as they are: {why.en}.", f"Скорости остались прежними: {why.ru}."))))
    if race.tuned:
        with desk.fold("search", say(T("How the rates were found", "Как подобраны скорости обучения"))) as opened:
            if opened and st.session_state.setdefault(FOUND, question) == question:
                _told(race, outcome, _found(race, outcome))
            elif opened:  # no search that nobody asked for: it would hold up every drag
                st.markdown(":small[" + say(T("The race has changed since its rates were tuned.",
                                              "С тех пор как скорости подобраны, гонка изменилась.")) + "]")
                _again(question)


def _question(race: Race) -> Any:
    """What a search depends on."""
    return tuple(race.untuned().runs), race["tolerance"]


def _ask(question: Any) -> None:
    st.session_state[ASKED] = question


def _again(question: Any) -> None:
    st.button(say(T("Tune again", "Подобрать заново")), key="fair-again", icon=":material/balance:", type="tertiary", on_click=_ask, args=(question,))


def _found(race: Race, outcome: Outcome) -> list[Tuned | T]:
    """The search, entrant by entrant under a bar; at once where it was made before."""
    st.session_state[FOUND] = _question(race)
    place, found = st.empty(), []
    names = [say(name) for name, *_ in named(race)]
    results = search(race, outcome.best)
    for i, name in enumerate(names):
        place.progress(i / len(names), say(T(f"Tuning {name}", f"Подбор: {name}")))
        found.append(next(results))
    place.empty()
    return found


# --- what the search saw ------------------------------------------------------------------------------------------------------------


def _told(race: Race, outcome: Outcome, found: list[Tuned | T]) -> None:
    """The curve of every entrant, a line of words for each, and the rules."""
    curves = [(style, t) for (*_, style), t in zip(named(race), found, strict=True) if isinstance(t, Tuned) and t.rate is not None]
    if curves:
        st.plotly_chart(_figure(race, outcome.best, curves), key="fair-curves", theme="streamlit", config={"displayModeBar": False})
    lines = [f"{glyph(style)} **{say(name)}**: {plain(say(_line(e, t)))}"
             for e, (name, _, style), t in zip(race.entrants, named(race), found, strict=True)]
    st.markdown("  \n".join(f":small[{line}]" for line in lines))
    if any(isinstance(t, Tuned) and t.rate is not None and e["lr"] != t.rate for e, t in zip(race.entrants, found, strict=True)):
        st.markdown(":small[" + say(T("Some rates in the race are others than a search finds; here is what it finds.",
                                      "Некоторые скорости в гонке не те, что находит поиск; здесь то, что находит он.")) + "]")
        _again(_question(race))
    st.markdown(f":small[{say(_rules(race, outcome.best, max((t.every for _, t in curves), default=1)))}]")


def _line(e: Entrant, t: Tuned | T) -> T:
    """What came of one entrant's search."""
    if isinstance(t, T):
        return t
    if t.rate is None:
        return T("diverges at every rate that was tried", "расходится при каждой из испробованных скоростей")
    low, middle, high = map(rounded, t.final)
    if t.alike:
        return T(f"does the same at every rate; final loss {middle}", f"скорость обучения ничего не меняет; итоговое значение {middle}")
    before = e["lr"] if e.untuned is None else e.untuned
    en, ru = f"α = {short(t.rate)} (before: {short(before)})", f"α = {short(t.rate)} (было {short(before)})"
    if t.reached is not None:
        en, ru = f"{en}, within the tolerance from step {t.reached} on", f"{ru}, в допуске с шага {t.reached}"
    if t.seeds == 1:
        return T(f"{en}; final loss {middle}", f"{ru}; итоговое значение {middle}")
    if not math.isfinite(t.final[2]):
        high = "∞"
    return T(f"{en}; median final loss {middle}, band {low} … {high}", f"{ru}; медиана итогового значения {middle}, полоса {low} … {high}")


def _rules(race: Race, best: float | None, every: int) -> T:
    """Criterion, budget and seeds."""
    en = [f"The same search for everybody: {COARSE + FINE} rates besides the one there was, {COARSE} over the whole range and {FINE} around the best "
          f"of them; steps in a run: {race['steps']}."]
    ru = [f"Поиск для всех один и тот же: кроме прежней ещё {COARSE + FINE} скорости обучения, из них {COARSE} по всему диапазону и {FINE} вокруг "
          f"лучшей; шагов в каждом спуске: {race['steps']}."]
    if best is None:
        en.append("No minimum is known here, so the lowest final loss wins, even that of a run that flies off.")
        ru.append("Минимум здесь неизвестен, поэтому выигрывает наименьшее итоговое значение, даже если спуск уходит в бесконечность.")
    else:
        tolerance, rough = short(race["tolerance"]), every > 1
        en.append(f"The best rate comes to f − f* ≤ {tolerance} in the fewest steps{f' (counted by {every})' * rough} and stays there, "
                  "for the last tenth at least; where none does, the lowest final loss wins.")
        ru.append(f"Лучшая — та, при которой спуск за наименьшее число шагов{f' (с шагом отсчёта {every})' * rough} входит в допуск "
                  f"f − f* ≤ {tolerance} и больше из него не выходит, по крайней мере последнюю десятую часть шагов; если такой нет — та, "
                  "у которой итоговое значение наименьшее.")
    en.append("A rate counts for no more than its better neighbour does: one that is good all alone is luck.")
    ru.append("Скорость ценится не выше лучшей из двух соседних: удача при одном-единственном значении не в счёт.")
    en.append("The final loss is the mean over the last tenth of the steps, infinite for a run that diverges.")
    ru.append("Итоговое значение — среднее за последнюю десятую часть шагов; если спуск расходится, оно считается бесконечным.")
    if race["noise"] or race["noise_relative"]:
        en.append(f"Every rate meets the same {SEEDS} draws of the noise, the first of which is the one in the picture; medians are compared, "
                  "and the band holds 10 to 90 %.")
        ru.append(f"Каждая скорость испытана на одних и тех же {SEEDS} реализациях шума, первая из них — та, что на картинке; "
                  "сравниваются медианы, полоса — от 10 до 90 %.")
    else:
        en.append("Without noise one run a rate is enough.")
        ru.append("Шума нет, поэтому на каждую скорость хватает одного спуска.")
    return T(" ".join(en), " ".join(ru))


def _figure(race: Race, best: float | None, curves: list[tuple[Style, Tuned]]) -> Any:
    """Final loss against the rate; a mark where it is best."""
    from plotly import graph_objects as go  # slow to import, and needed here alone

    first = race.surface.value(*race.start)
    seen = [np.append(first, t.tries.final[np.isfinite(t.tries.final)]) for _, t in curves]
    base = best if best is not None else 0.0 if all((values > 0).all() for values in seen) else None
    frame = panel(seen, base, heat(race.surface, race.box))
    room = frame.high - frame.low
    window = (frame.low, frame.high)
    sight = (frame.low, 100 * frame.high) if frame.log else (frame.low - room, frame.high + room)

    def shown(values: np.ndarray, ends: tuple[float, float] = sight) -> np.ndarray:
        """What paper can bear: nothing much farther than is seen, and a gap where a run diverged."""
        return np.where(np.isfinite(values), np.clip(values - frame.base, *ends), np.nan)
    figure = go.Figure()
    for style, t in curves:
        rates, (low, middle, high) = t.tries.rates, t.tries.final
        there = np.isfinite(middle) & (rates > 0)
        if t.seeds > 1:
            top = np.where(np.isfinite(high), high, 1e300)
            figure.add_scatter(x=np.concatenate([rates[there], rates[there][::-1]]), y=shown(np.concatenate([top[there], low[there][::-1]])),
                               fill="toself", fillcolor=style.colour, opacity=0.18, line={"width": 0}, mode="lines", hoverinfo="skip")
        figure.add_scatter(x=rates[rates > 0], y=shown(middle[rates > 0]), mode="lines", hoverinfo="skip",
                           line={"color": style.colour, "dash": STROKES[DASHES[style.dash]], "width": 1.8})
    for style, t in curves:  # above all lines
        figure.add_scatter(x=[t.rate], y=shown(np.array([t.final[1]]), window), mode="markers", cliponaxis=False,
                           hovertemplate=f"α = {short(t.rate or 0)}, f = {rounded(t.final[1])}<extra></extra>",
                           marker={"color": style.colour, "symbol": SYMBOLS[SHAPES[style.shape]], "size": 10})
    over = say(T("final loss f − f*", "итоговое f − f*") if frame.log and best is not None else T("final loss", "итоговое значение"))
    tried = np.concatenate([t.tries.rates[t.tries.rates > 0] for _, t in curves])
    figure.update_layout(
        height=280, margin={"l": 8, "r": 8, "t": 26, "b": 8}, showlegend=False, dragmode=False, hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        annotations=[{"text": over, "xref": "paper", "yref": "paper", "x": 0, "y": 1.0, "yanchor": "bottom", "showarrow": False}],
        xaxis={"title": {"text": say(T("learning rate α", "скорость обучения α"))}, "type": "log", "fixedrange": True, "dtick": 1,
               "tickfont": {"size": 11}, "exponentformat": "power", "range": np.log10([tried.min(), tried.max()]).tolist()},
        yaxis={"type": "log" if frame.log else "linear", "fixedrange": True, "exponentformat": "power", "nticks": 6,
               "range": np.log10(window).tolist() if frame.log else list(window), "tickfont": {"size": 11}})
    return figure
