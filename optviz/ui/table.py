"""A table of results: each row with its mark, each column sorted by a press on its heading."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence

import streamlit as st

from ..core import T, rounded
from ..palette import GLYPHS, Style
from .text import say

HIGHEST = sys.float_info.max  # JSON knows no infinity

_table = st.components.v2.component("optviz.table", css="table.css", js="table.js")


def table(key: str, label: T, names: Sequence[tuple[T, Style]], head: T, columns: Mapping[T, Sequence[float | None]]) -> None:
    """A row a name; a missing number is a dash."""
    # not st.dataframe: pandas and its styler took a third of a page's time
    rows: list[list[list[str | float | None]]] = [[[say(name), say(name)]] for name, _ in names]
    heads = [head, *columns]
    for values in columns.values():
        for row, value in zip(rows, values, strict=True):
            row.append(["–", None] if value is None or math.isnan(value) else [rounded(value), min(max(value, -HIGHEST), HIGHEST)])
    _table(key=key, data={"label": say(label), "heads": [say(h) for h in heads], "rows": rows,
                          "inks": [style.colour for _, style in names], "glyphs": [GLYPHS[style.shape] for _, style in names]})
