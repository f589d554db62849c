"""The stage on a page: it draws a Scene, plays it, lets the start be dragged, and says what a visitor did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ..render.wire import pack
from ..render.words import STAGE
from ..scene import Scene
from .text import language, say

_stage = st.components.v2.component("optviz.stage", css="stage.css", js="stage.js")


def stage(scene: Scene, key: str, on_event: Callable[[dict[str, Any]], None], take: int = 0) -> None:
    """Show a scene; another `take` is told from its beginning. What a visitor does is heard as
    {"start": [x, y]}, {"muted": [entrants]} or {"look": {...}}."""
    def heard() -> None:
        event = st.session_state.get(key, {}).get("event")
        if isinstance(event, dict):
            on_event(event)

    _stage(key=key, data=pack(scene, language(), {name: say(text) for name, text in STAGE.items()}, take), on_event_change=heard)
