"""The lab of maps: thousands of runs at a time, and its controls."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import partial

import streamlit as st

from ..atlas import ASKED, WORK, Atlas, chapter_of, chapters, found
from ..atlas_sheets import DESCENTS, basins_sheet
from ..basin import Basins
from ..core import T, short
from ..heavy import Where, went
from ..race import Race
from .controls import Desk, Example, Lens, examples
from .jobs import work
from .sheet import Pick, sheet_stage
from .text import say
from .trial import GO

SOON = 1.0  # seconds that the page waits by itself
BACKENDS = {"auto": T("chosen automatically", "выбирается автоматически"), "numpy": T("NumPy", "NumPy"), "torch": T("torch", "torch")}


def stage(desk: Desk[Atlas], take: int) -> None:
    """The maps, as far as they are there, and where they were computed."""
    atlas = desk.spec
    specs = atlas.basins()
    if not specs:
        st.info(say(T("Every optimizer is hidden; show one.", "Все методы скрыты; покажите хотя бы один.")), icon=":material/info:")
        return
    maps = work("maps", T("Descents from everywhere", "Спуски отовсюду"), found, specs, atlas["backend"], soon=SOON) or [None] * len(specs)
    sheet_stage(basins_sheet(atlas, maps), "maps-basins", partial(picked, desk), take)
    if all(isinstance(b, Basins) for b in maps):
        places([b.where for b in maps], sum(b.minimum.size for b in maps), DESCENTS)
    tolerance = short(atlas["tolerance"])
    st.caption(say(T(f"At a minimum: the loss has come within {tolerance} of the minimum's, and stays there. The tolerance is set under “Start”.",
                     f"«В минимуме»: потеря не дальше {tolerance} от значения в этом минимуме, и так до конца. Допуск задаётся в разделе «Старт».")))
    words = T("Watch this descent in the Descent lab", "Смотреть этот спуск в лаборатории спуска")
    st.button(say(words), icon=":material/open_in_new:", key="maps-descent", on_click=_to_descent, args=(atlas.race,))


def places(where: Sequence[Where], count: int, what: T, fused: bool = True) -> None:
    """Where so many runs were computed, and what would be faster."""
    missing = fused and importlib.util.find_spec("torch") is None
    more = T(" With torch larger maps are faster: pip install optviz[torch].", " С torch большие карты быстрее: pip install optviz[torch].")
    st.caption(say(went(where, count, what)) + say(more) * missing)
    for note in sorted({w.note for w in where if w.note}):
        st.caption(say(T(*note)))


def picked(desk: Desk[Atlas], pick: Pick) -> None:
    """In a callback: a start was clicked."""
    desk.edit(lambda atlas: atlas.at(race=atlas.race.at(start=(float(f"{pick.x:.4g}"), float(f"{pick.y:.4g}")))), push=True)


def _to_descent(race: Race) -> None:
    """In a callback: what the top of the page then follows."""
    st.session_state[GO] = "descent", race


def race_desk(desk: Desk[Atlas]) -> Desk[Race]:
    """The controls of the race whose start is everywhere."""
    return Lens(desk, "race", lambda atlas: atlas.race, lambda atlas, race: atlas.at(race=race))


def chapter_panel(desk: Desk[Atlas]) -> None:
    """Maps worth showing, in the order of a lecture."""
    examples(desk, {key: Example(c.name, c.do, c.see, c.atlas) for key, c in chapters.items()},
             lambda atlas: c.key if (c := chapter_of(atlas)) else None)


def map_panel(desk: Desk[Atlas]) -> None:
    """How fine the maps are, and who computes them."""
    atlas = desk.spec
    desk.setting("side", say(T("Starts along a side", "Стартов вдоль стороны")), ASKED["side"], atlas["side"], lambda a, value: a.at(side=value))
    heading = f"{say(T('Computed with', 'Чем считать'))}: {say(BACKENDS[atlas['backend']])}"
    with desk.fold("backend", heading) as opened:
        if opened:
            desk.setting("backend", say(T("Computed with", "Чем считать")), ASKED["backend"], atlas["backend"],
                         lambda a, key: a.at(backend=key), BACKENDS)
            st.caption(say(T(f"At most {WORK['auto'] / 1e9:g} billion steps at a time, {WORK['torch'] / 1e9:g} billion with torch.",
                             f"Не больше {WORK['auto'] / 1e9:g} млрд шагов за раз, с torch — {WORK['torch'] / 1e9:g} млрд.")))
