"""A Sheet as bytes for its stage, in the same wrapping as a Scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core import T
from ..palette import THEMES
from ..sheet import ARRAYS, Chart, Ground, Heat, Mark, Regions, Rule, Scale, Sheet, ends, moments_of
from .wire import Arrays, heat_head

GAP = 3e38  # a single that means: no number here


def pack_sheet(sheet: Sheet, language: str, texts: Mapping[str, str], take: int = 0, claim: T | None = None) -> bytes:
    """The charts, the words around them in one language, and the colours of both themes; another `take` plays from the beginning.

    The `claim` heads a presentation.
    """
    arrays = Arrays()

    def said(text: T | None) -> str | None:
        return None if text is None else getattr(text, language)

    def scale(chart: Chart, way: str) -> dict[str, Any]:
        own: Scale = getattr(chart, way)
        low, high = ends(chart, way)
        return {"name": said(own.name), "log": own.log, "low": low, "high": high, "words": [said(word) for word in own.words], "sign": own.sign}

    def mark(m: Mark) -> dict[str, Any]:
        plain = {name: value for name, value in vars(m).items() if name not in (*ARRAYS, "name", "word")}
        told = {"kind": type(m).__name__.lower(), **plain, "name": said(getattr(m, "name", None)), "word": said(getattr(m, "word", None))}
        if isinstance(m, Rule):
            return told | {"x": m.x, "y": m.y}
        if isinstance(m, (Heat, Regions)):
            told |= {"least": m.low, "most": m.high}
        if isinstance(m, Heat):
            told["beyond"] = m.beyond
        if isinstance(m, Regions):
            told["kinds"], told["never"], told["legend"] = [said(kind) for kind in m.kinds], said(m.never), [mark(kind) for kind in m.legend]
        if isinstance(m, Ground):
            told["heat"] = m.heat and heat_head(m.heat)
        return told | {name: [arrays.put(np.where(np.isfinite(a), a, GAP)), list(a.shape)] for name, a in moments_of(m).items()
                       if not (isinstance(m, (Heat, Regions)) and name in ("low", "high"))}

    return arrays.message({
        "charts": [{"key": c.key, "title": said(c.title), "note": said(c.note), "wide": c.wide, "even": c.even, "picked": c.picked,
                    "bare": c.bare, "tall": c.tall, "read": c.read, "scrubs": c.scrubs, "lead": c.lead, "aside": c.aside,
                    "x": scale(c, "x"), "y": scale(c, "y"), "marks": [mark(m) for m in c.marks]} for c in sheet.charts],
        "columns": sheet.columns, "moments": list(sheet.moments), "begin": sheet.begin, "unit": said(sheet.unit), "take": take, "claim": said(claim),
        "texts": texts, "language": language,
        "themes": {name: vars(theme) for name, theme in THEMES.items()},
    })
