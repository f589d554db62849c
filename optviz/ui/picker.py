"""A gallery of surfaces to choose from, painted in the browser by the stage's own brush."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ..core import T
from ..palette import THEMES
from ..render.wire import heat_head
from ..scene import heat
from ..surfaces import surfaces
from .text import say

_picker = st.components.v2.component("optviz.picker", css="picker.css", js="picker.js")


def picker(chosen: str, key: str, on_pick: Callable[[str], None]) -> None:
    """All surfaces with their names; `on_pick` hears the key of the one that is clicked."""
    def heard() -> None:
        picked = st.session_state.get(key, {}).get("picked")
        if picked in surfaces:
            on_pick(picked)

    _picker(key=key, on_picked_change=heard, data={
        "label": say(T("Surfaces", "Поверхности")), "chosen": chosen, "themes": {name: vars(theme) for name, theme in THEMES.items()},
        "items": [{"key": s.key, "name": say(s.name), "lesson": say(s.lesson), "heat": heat_head(heat(s, s.box))} for s in surfaces.values()]})
