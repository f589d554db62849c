"""A Scene as bytes for the browser's stage: a JSON head, then its arrays one after another."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..explain import Explained
from ..gauges import Gauges
from ..palette import roles
from ..scene import Heat, Lattice, Path, Scene
from ..trace import JAVASCRIPT_LOOP
from .mathml import mathml

ALIGNED = 8  # bytes: where a Float64Array may begin


class Arrays:
    """Arrays put one after another, each known in the head by its kind, its place and its length."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.places: dict[bytes, int] = {}  # what is there already is not put twice
        self.size = 0

    def put(self, a: np.ndarray | None, kind: type = np.float32) -> list[Any] | None:
        """[kind, where, how many]"""
        if a is None:
            return None
        most = np.finfo(kind).max  # what single precision cannot hold is far outside the picture
        data: np.ndarray = np.ascontiguousarray(np.clip(a, -most, most), kind)
        part = data.tobytes() + b"\0" * (-data.nbytes % ALIGNED)
        if part not in self.places:
            self.places[part], self.size = self.size, self.size + len(part)
            self.parts.append(part)
        return [np.dtype(kind).name, self.places[part], data.size]

    def message(self, head: Mapping[str, Any]) -> bytes:
        """The head that knows them, and they after it."""
        text = json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-(len(text) + 8) % ALIGNED)
        return b"".join([struct.pack("<II", len(text), self.size), text, *self.parts])


def pack(scene: Scene, language: str, texts: Mapping[str, str], take: int = 0) -> bytes:
    """The scene, the words around it in one language, and the colours of both themes; another `take` plays from the beginning."""
    arrays = Arrays()
    noise = next((p.live.noise for p in scene.paths if p.live and p.live.noise is not None), None)

    def rate(each: float | np.ndarray) -> float | list[Any] | None:
        """One number where all steps have the same."""
        a = np.atleast_1d(each)
        return float(a[0]) if (a == a[0]).all() else arrays.put(a, np.float64)

    def path(p: Path) -> dict[str, Any]:
        lively = p.live and {"step": p.live.step, "numbers": _finite(p.live.numbers), "noisy": p.live.noise is not None, "rates": rate(p.live.rates),
                              "fed": p.live.fed}
        return {"name": getattr(p.name, language), "short": getattr(p.short, language), **vars(p.style), "end": p.end, "muted": p.muted,
                "entrant": p.entrant, "x": arrays.put(p.points[0]), "y": arrays.put(p.points[1]), "height": arrays.put(p.height),
                "rate": rate(p.rate), "live": lively}

    return arrays.message({
        "heat": heat_head(scene.heat, arrays),
        "start": scene.start, "fixed": scene.fixed, "steps": scene.steps,
        "paths": [path(p) for p in scene.paths], "noise": arrays.put(noise, np.float64),
        "dots": [[d.x, d.y, d.value, d.best] for d in scene.dots], "panel": vars(scene.panel),
        "crowds": [{**vars(c.style), "entrant": c.entrant, "muted": c.muted, "steps": c.steps.tolist(), "members": c.points.shape[2],
                    "x": arrays.put(c.points[0]), "y": arrays.put(c.points[1])} for c in scene.crowds],
        "explained": scene.explained and _explained(scene.explained, next(p for p in scene.paths if p.entrant == scene.look["explain"]), arrays),
        "gauges": scene.gauges and _gauges(scene.gauges, arrays),
        "rates": scene.rates and vars(scene.rates), "look": scene.look, "take": take, "loop": JAVASCRIPT_LOOP, "language": language,
        "texts": {**texts, **{name: getattr(text, language) for name, text in scene.words.items()}},
        "themes": {name: vars(theme) for name, theme in scene.themes.items()},
        "sides": scene.sides and {"names": [getattr(name, language) for name in scene.sides[0]], "on": scene.sides[1]},
    })


def _explained(e: Explained, path: Path, arrays: Arrays) -> dict[str, Any]:
    """The lines of a step as MathML, the numbers that fill them, and what is drawn of them."""
    shapes = tuple(v.numbers.shape[:-1] for v in e.values)
    used = {int(j) for line in e.lines for j in re.findall(r"⟦(\d+)⟧", line.numbers + line.result)}
    used |= {j for a in e.arrows for j in (a.value, a.start)} | {spot.value for spot in e.spots}
    return {"entrant": path.entrant, "steps": e.steps, "lines": [[mathml(text, shapes) for text in vars(line).values() if text] for line in e.lines],
            "values": [arrays.put(v.numbers, np.float64) if j in used else None for j, v in enumerate(e.values)],
            "arrows": [vars(a) for a in e.arrows], "spots": [vars(spot) for spot in e.spots], "colours": roles(path.style),
            "rates": arrays.put(e.rates, np.float64)}


def _gauges(gauges: Gauges, arrays: Arrays) -> dict[str, Any]:
    """The readouts of each, and the curvature for a page that measures along a path of its own."""
    return {"curvature": gauges.surface.javascript_curvature, "each": [{
        "entrant": g.entrant, "products": arrays.put(g.products, np.float64), "limit": g.limit, "sign": g.sign,
        "comb": g.comb and {"shares": arrays.put(g.comb.shares, np.float64), "steps": g.comb.steps, "held": g.comb.held, "reach": g.comb.reach},
        "feet": g.feet and [arrays.put(row, np.float64) for row in g.feet]} for g in gauges.each]}


def heat_head(heat: Heat, arrays: Arrays | None = None) -> dict[str, Any]:
    """A surface and its bands, for paintHeat; one on a lattice needs somewhere to put its heights, and a name that is theirs alone."""
    s = heat.surface
    if isinstance(s, Lattice):
        assert arrays is not None
        known: dict[str, Any] = {"lattice": [arrays.put(a) for a in (s.x, s.y, s.z)], "named": hashlib.sha256(s.z.tobytes()).hexdigest()}
    else:
        known = {"surface": s.javascript}
    return {**known, "box": [c for side in heat.box for c in side], "low": heat.low, "span": heat.span,
            "scale": heat.scale, "bands": heat.bands}


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """JSON knows no infinity; 1e308 does the same here."""
    return {name: float(np.nan_to_num(value)) for name, value in numbers.items()}
