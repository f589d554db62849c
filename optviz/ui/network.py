"""The stages of networks on a page: they play what has been trained, ask for more, and say what a visitor did."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import streamlit as st

_stage = st.components.v2.component("optviz.network", css="network.css", js="network.js")
_wall = st.components.v2.component("optviz.wall", css="wall.css", js="wall.js")


def network(message: Callable[[int], bytes], key: str, on_event: Callable[[dict[str, Any]], None]) -> None:
    """Show a network. What a visitor does is heard as {"more": frames that are there}, {"lack": the same, where they are too few}, {"step": 1},
    {"reset": "same" or "seed"}, {"pin": True}, {"look": {...}}, {"points": an edit, "run": of what}, {"weights": [[index, value], ...],
    "at": pass, "run": of what} or {"back": 1}; all but a look with a number, and the message takes that of the last one heard."""
    _stage(key=key, data=message(_last(key)), on_event_change=_hearer(key, on_event))


def wall(message: Callable[[int], bytes], key: str, on_event: Callable[[dict[str, Any]], None]) -> None:
    """Show several networks. What a visitor does is heard as above, with a list of frames, one number a cell; and as {"open": cell} and
    {"drop": cell}."""
    _wall(key=key, data=message(_last(key)), on_event_change=_hearer(key, on_event))


def _last(key: str) -> int:
    """The number of the last word of a stage's."""
    return int(st.session_state.get(f"{key}-heard", 0))


def _hearer(key: str, on_event: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
    def heard() -> None:
        event = st.session_state.get(key, {}).get("event")
        if isinstance(event, dict):
            if type(word := event.get("word")) is int:
                st.session_state[f"{key}-heard"] = word
            try:
                on_event(event)
            except (AttributeError, KeyError, TypeError, ValueError):  # no stage of ours says such a thing
                logging.getLogger("optviz").exception("a word of a stage")
    return heard
