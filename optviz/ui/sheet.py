"""The stage of a sheet of charts on a page, and what was picked on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from ..render.sheet_wire import pack_sheet
from ..render.words import SHEET
from ..sheet import Sheet
from .text import language, say

_stage = st.components.v2.component("optviz.sheet", css="sheet.css", js="sheet.js")


class Pick(NamedTuple):
    """A mark of a chart, and which of its points or cells; −1 where the click was beside all."""

    chart: str
    mark: int
    point: int


def sheet_stage(sheet: Sheet, key: str, on_pick: Callable[[Pick], None] | None = None, take: int = 0) -> None:
    """Show a sheet; a click on a chart that may be picked is heard."""
    def heard() -> None:
        event = st.session_state[key].get("event")
        picked = event.get("pick") if isinstance(event, dict) else None
        if not (on_pick and isinstance(picked, dict)):
            return
        chart, mark, point = (picked.get(name) for name in Pick._fields)
        if isinstance(chart, str) and type(mark) is int and type(point) is int:
            on_pick(Pick(chart, mark, point))

    _stage(key=key, data=pack_sheet(sheet, language(), {name: say(text) for name, text in SHEET.items()}, take), on_event_change=heard)
