"""Plots that answer a click: lines, bands, marks and coloured cells over axes, drawn in the browser by one brush."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from ..palette import THEMES
from .text import language

_plot = st.components.v2.component("optviz.figures", css="figures.css", js="figures.js")


def plots(shown: Sequence[Mapping[str, Any]], key: str, words: str, on_pick: Callable[[float, float], None] | None = None) -> None:
    """Plots side by side; `words` say what is seen for whoever cannot see it, `on_pick` hears where one that can be clicked was."""
    def heard() -> None:
        at = st.session_state[key].get("picked")
        if on_pick is not None and isinstance(at, list) and len(at) == 2 and all(isinstance(v, (int, float)) and math.isfinite(v) for v in at):
            on_pick(*map(float, at))

    _plot(key=key, on_picked_change=heard, data={"plots": list(shown), "words": words, "language": language(),
                                                 "themes": {name: vars(theme) for name, theme in THEMES.items()}})


def axis(low: float, high: float, name: str, log: bool = False) -> dict[str, Any]:
    """An axis."""
    return {"low": float(low), "high": float(high), "name": name, "log": log}


def line(x: Any, y: Any, colour: str, name: str = "", dash: int = 0) -> dict[str, Any]:
    """A line; a number that is none leaves a gap, one too large for the page goes far out."""
    return {"x": numbers(x), "y": numbers(y), "colour": colour, "name": name, "dash": dash}


def numbers(values: Any) -> list[float | None]:
    """Numbers as JSON bears them, to five digits."""
    clipped = np.clip(np.asarray(values, float).ravel(), -1e300, 1e300)
    return [None if math.isnan(v) else float(f"{v:.5g}") for v in clipped.tolist()]
