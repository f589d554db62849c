"""The stage of a sheet of charts on a page, and what was picked on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from ..core import Refused, T
from ..render.sheet_exhibit import SheetExhibit, sheet_exhibit
from ..render.sheet_wire import pack_sheet
from ..render.words import SHEET
from ..sheet import Sheet
from .controls import TOLD
from .export import exports
from .text import language, say

_stage = st.components.v2.component("optviz.sheet", css="sheet.css", js="sheet.js")


SHOWN = "sheet-shown"  # the last that this visit saw, for the export


def begin() -> None:
    """Before a page is run: no charts are shown yet, and no example is told."""
    st.session_state.pop(SHOWN, None)
    st.session_state.pop(TOLD, None)


def files(lab: str, query: str, name: str, caption: T, scripts: Mapping[str, Callable[[str], str]] | None = None) -> None:
    """At a page's end: the export of the charts that it shows."""
    def shown() -> SheetExhibit:
        sheet = st.session_state.get(SHOWN)
        if sheet is None:
            raise Refused(T("nothing has been measured yet; wait until the charts are there",
                            "ещё ничего не измерено; дождитесь, пока появятся графики"))
        return sheet_exhibit(sheet, lab, query, name, caption, scripts or {})
    exports(shown)


class Pick(NamedTuple):
    """Where a chart was clicked in the units of its scales, and the mark that is near, with which of its points or cells."""

    chart: str
    mark: int | None
    point: int | None
    x: float
    y: float


def sheet_stage(sheet: Sheet, key: str, on_pick: Callable[[Pick], None] | None = None, take: int = 0) -> None:
    """Show a sheet; a click on a chart that may be picked is heard."""
    def heard() -> None:
        event = st.session_state.get(key, {}).get("event")
        picked = event.get("pick") if isinstance(event, dict) else None
        if not (on_pick and isinstance(picked, dict)):
            return
        chart, mark, point, x, y = (picked.get(name) for name in Pick._fields)
        near = (type(mark) is int and type(point) is int) or (mark is None and point is None)
        if isinstance(chart, str) and near and isinstance(x, (int, float)) and isinstance(y, (int, float)) and math.isfinite(x) and math.isfinite(y):
            on_pick(Pick(chart, mark, point, float(x), float(y)))

    st.session_state[SHOWN] = sheet
    _stage(key=key, data=pack_sheet(sheet, language(), {name: say(text) for name, text in SHEET.items()}, take, st.session_state.get(TOLD)),
           on_event_change=heard)
