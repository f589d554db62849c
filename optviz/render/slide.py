"""A live slide: the stage itself with one race in one HTML file, which needs no server and no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..core import Refused, T
from ..palette import THEMES
from ..scene import Crowd, Scene
from .exhibit import Exhibit
from .options import Options
from .sliders import Slider
from .wire import pack
from .words import SLIDE, STAGE

WEB = Path(__file__).parent.parent / "ui" / "web"
LIMIT = 300_000  # bytes of a file
GRAIN = 4096  # parts of the box's longer side: no finer a crowd is drawn
THINNER = (1, 2, 3, 4, 6, 8)  # every so many of a crowd's frames, until the file is small enough
FACES = (("text", "optviz", ""), ("formula", "optviz formula", ""), ("math", "optviz", "; unicode-range: U+211D, U+2200-22FF, U+25A0-25FF"))

# What the reader's browser does first; it stands in the page as it is here.
OPENING = """\
(async () => {
  const [code, slide, scene] = await Promise.all(["code", "slide", "scene"].map((name) => {
    const packed = Uint8Array.from(atob(document.getElementById(name).textContent), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  }));
  const text = (bytes) => new TextDecoder().decode(bytes);
  new Function(text(code))()(document.querySelector("main"), new Uint8Array(scene), JSON.parse(text(slide)));
})();"""
PAGE = """\
<!doctype html>
<html lang="{language}" class="{classes}" style="--st-background-color: {page}; color: {ink}">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="optviz">
<meta name="description" content="{query}">
<title>{title}</title>
<style>
{style}
</style>
<main class="optviz-stage"><p class="waiting">{waiting}</p></main>
{packed}
<script>{opening}</script>
</html>
"""


def slide(shown: Exhibit, o: Options, progress: Callable[[float], None]) -> Iterator[bytes]:
    """The file."""
    whole, sliders = shown.alone(o.sliders)
    about = {"look": shown.scene.look, "sliders": [_said(s, o.language) for s in sliders], "title": o.title,
             "caption": getattr(shown.caption, o.language) if o.caption else "",
             "hidden": [name for name in ("panel", "legend", "counter") if not getattr(o, name)], "best": _best(whole)}
    texts = {name: getattr(text, o.language) for name, text in {**STAGE, **SLIDE}.items()}
    dress = {"language": o.language, "classes": f"{o.theme}{' transparent' * o.transparent}", "page": THEMES[o.theme].page,
             "ink": THEMES[o.theme].ink, "title": html.escape(o.title or getattr(shown.caption, o.language)), "waiting": texts["waiting"],
             "query": html.escape(shown.query),
             "opening": OPENING, "policy": policy()}
    fixed = _packed("code", bundle("slide").encode()) + _packed("slide", json.dumps(about, allow_nan=False).encode())

    @cache
    def packed(scene: Scene, every: int) -> str:
        return _packed("scene", pack(replace(scene, crowds=[_coarse(c, scene, every) for c in scene.crowds]), o.language, texts))
    faces, thinner, size = [_face(*face) for face in FACES], THINNER if whole.crowds else THINNER[:1], 0
    # what is given up first where there is no room for all of it: letters for formulas, frames of a crowd, all letters, the explained step
    tries = [(3, 1), (2, 1), *((letters, every) for letters in (1, 0) for every in thinner)]
    for scene in (whole, shown.scene):
        for letters, every in tries:
            style = "\n".join([*faces[:letters], *map(_style, ("stage", "slide"))])
            data = PAGE.format(**dress, style=style, packed=fixed + packed(scene, every)).encode()
            size = len(data) // 1000
            if len(data) <= LIMIT:
                yield data
                return
    most = LIMIT // 1000
    raise Refused(T(f"this slide would have {size} KB, and {most} are the limit; choose fewer steps, optimizers or starts",
                    f"такой слайд занял бы {size} КБ, а предел — {most} КБ; уменьшите число шагов, методов или стартов"))


def _packed(name: str, data: bytes) -> str:
    """Bytes in a page, compressed; none of their letters means anything in HTML."""
    return f'<script type="text/plain" id="{name}">{base64.b64encode(zlib.compress(data, 9)).decode()}</script>\n'


def policy() -> str:
    """What the file may load: nothing but what it holds. The stage compiles formulas to JavaScript."""
    opening = base64.b64encode(hashlib.sha256(OPENING.encode()).digest()).decode()
    return (f"default-src 'none'; script-src 'sha256-{opening}' 'unsafe-eval'; style-src 'unsafe-inline'; font-src data:; "
            "base-uri 'none'; form-action 'none'")


def _said(s: Slider, language: str) -> dict[str, Any]:
    """A slider, for slide.js."""
    return {"entrant": s.entrant, "number": s.number, "sign": s.sign, "name": getattr(s.name, language), "value": s.value, "stops": list(s.stops),
            "told": s.told and getattr(s.told, language), "floor": None if s.floor is None else s.floor.tolist()}


def _best(scene: Scene) -> float | None:
    """The lowest value that the surface is known to have."""
    s = scene.heat.surface
    return s.value(*s.minima[0]) if s.minima else None


def _coarse(crowd: Crowd, scene: Scene, every: int) -> Crowd:
    """Some of a crowd's frames, the last of them too, its places no finer than they are seen: zeros take no room."""
    kept = np.unique([*range(0, len(crowd.steps), every), len(crowd.steps) - 1])
    grain = 2.0 ** np.floor(np.log2(max(high - low for low, high in scene.heat.box) / GRAIN))
    return replace(crowd, points=np.round(crowd.points[:, kept] / grain) * grain, steps=crowd.steps[kept])


# --- the stage's own files -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def bundle(entry: str) -> str:
    """The stage's modules as one script, each in a function of its own after those that it imports; it comes to the entry's `mount`."""
    parts, exports = list[str](), dict[str, list[str]]()

    def add(name: str) -> None:
        text = REMARK.sub("", (WEB / f"{name}.js").read_text("utf-8"))
        bare = EXPORT.sub("", IMPORT.sub(r"const { \1 } = modules.\2;", text))
        strange = [found[0] for found in MODULE.finditer(bare)]
        for found in IMPORT.finditer(text):
            if found[2] not in exports:
                add(found[2])
            strange += [found[0]] * (not set(found[1].split(", ")) <= set(exports[found[2]]))
        if strange:
            raise ValueError(f"{name}.js: a slide does not know this form of import or export: {strange[0]}")
        exports[name] = EXPORT.findall(text)
        parts.append(f"modules.{name} = (() => {{\n{bare}\nreturn {{ {', '.join(exports[name])} }};\n}})();\n")
    add(entry)
    return '"use strict";\nconst modules = {};\n' + "".join(parts) + f"return modules.{entry}.mount;"


IMPORT = re.compile(r'^import \{ ((?:[\w$]+, )*[\w$]+) \} from "\./(\w+)\.js";$', re.M)
EXPORT = re.compile(r"^export (?=(?:function|class|const) (\w+))", re.M)
REMARK = re.compile(r"^ *//.*\n", re.M)  # lines that are for whoever reads the source
MODULE = re.compile(r"^\s*(?:import|export)\b.*|\bimport\s*[(.].*", re.M)


def _style(name: str) -> str:
    return (WEB / f"{name}.css").read_text("utf-8")


def _face(name: str, family: str, more: str) -> str:
    """A font of the stage's."""
    font = base64.b64encode((WEB / "fonts" / f"{name}.woff2").read_bytes()).decode()
    weight = "; font-weight: 400 700" if family == "optviz" else ""
    return f'@font-face {{ font-family: "{family}"; src: url(data:font/woff2;base64,{font}){weight}{more}; }}'
