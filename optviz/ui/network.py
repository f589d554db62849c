"""The stage of a network on a page: it plays what has been trained, asks for more, and says what a visitor did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

_stage = st.components.v2.component("optviz.network", css="network.css", js="network.js")


def network(message: bytes, key: str, on_event: Callable[[dict[str, Any]], None]) -> None:
    """Show a network. What a visitor does is heard as {"more": frames that are there}, {"step": 1}, {"reset": "same" or "seed"},
    {"look": {...}}, {"points": an edit, "run": of what}, {"weights": [[index, value], ...], "at": pass, "run": of what} or {"back": 1}."""
    def heard() -> None:
        event = st.session_state[key].get("event")
        if isinstance(event, dict):
            on_event(event)

    _stage(key=key, data=message, on_event_change=heard)
