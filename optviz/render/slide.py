"""A live slide: a stage itself with a race or trainings in one HTML file, which needs no server and no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..core import Refused, T
from ..network_scene import Frames, NetworkScene
from ..palette import THEMES
from ..scene import Crowd, Scene
from ..sheet import Sheet
from ..wall import WallScene
from .network_wire import pack_network, pack_wall
from .options import Options
from .sheet_wire import pack_sheet
from .sliders import Slider
from .wire import pack
from .words import NETWORK, REPLAY, SHEET, SLIDE, STAGE, WALL, WALL_REPLAY

WEB = Path(__file__).parent.parent / "ui" / "web"
LIMIT = 300_000  # bytes of a file
GRAIN = 4096  # parts of the box's longer side: no finer a crowd is drawn
THINNER = (1, 2, 3, 4, 6, 8)  # every so many of the frames of a crowd or a training, until the file is small enough
BITS = 11  # of a weight that are kept where all are too many: as float16 has them
#: Of trainings: how many faces, every how many frames, how many binary digits of a weight.
TRIES = ((2, 1, None), *((2, every, BITS) for every in THINNER), (0, THINNER[-1], BITS))
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


@dataclass(frozen=True, eq=False)
class Content:
    """What is in a slide: the module that mounts it, what that is told, and the scene with as many letters as there is room for."""

    entry: str
    about: Mapping[str, Any]
    texts: Mapping[str, str]
    styles: Sequence[str]
    faces: Sequence[tuple[str, str, str]]
    scenes: Iterable[tuple[int, str]]  # how many of the faces, and the packed message: the best first
    less: T  # what to choose less of


def of_race(seen: Scene, whole: Scene, sliders: Sequence[Slider], language: str) -> Content:
    """A race; given up first where there is no room for all of it: letters for formulas, frames of a crowd, all letters, the explained step."""
    texts = {name: getattr(text, language) for name, text in {**STAGE, **SLIDE}.items()}

    @cache
    def packed(scene: Scene, every: int) -> str:
        return _packed("scene", pack(replace(scene, crowds=[_coarse(c, scene, every) for c in scene.crowds]), language, texts))
    thinner = THINNER if whole.crowds else THINNER[:1]
    tries = [(3, 1), (2, 1), *((letters, every) for letters in (1, 0) for every in thinner)]
    about = {"look": seen.look, "sliders": [_said(s, language) for s in sliders], "best": _best(whole)}
    return Content("slide", about, texts, ("stage", "slide"), FACES, ((n, packed(scene, every)) for scene in (whole, seen) for n, every in tries),
                   T("choose fewer steps, optimizers or starts", "уменьшите число шагов, методов или стартов"))


def of_training(scene: NetworkScene, language: str) -> Content:
    """A training; given up first: digits of the weights that nobody sees, then frames, then the letters."""
    texts = {name: getattr(text, language) for name, text in {**NETWORK, **REPLAY, **SLIDE}.items()}

    @cache
    def packed(every: int, bits: int | None) -> str:
        return _packed("scene", pack_network(replace(scene, frames=_thinned(scene.frames, every, bits)), language, texts))
    return Content("netslide", {}, texts, ("stage", "network", "slide"), (FACES[0], FACES[2]), ((n, packed(*how)) for n, *how in TRIES),
                   T("choose fewer neurons", "уменьшите число нейронов"))


def of_wall(scene: WallScene, language: str) -> Content:
    """Several trainings, in the same way."""
    texts = {name: getattr(text, language) for name, text in {**WALL, **WALL_REPLAY, **SLIDE}.items()}

    @cache
    def packed(every: int, bits: int | None) -> str:
        cells = [replace(cell, frames=_thinned(cell.frames, every, bits)) for cell in scene.cells]
        return _packed("scene", pack_wall(replace(scene, cells=cells), language, texts))
    return Content("wallslide", {}, texts, ("stage", "network", "wall", "slide"), (FACES[0], FACES[2]),
                   ((n, packed(*how)) for n, *how in TRIES), T("choose fewer networks or neurons", "уменьшите число сетей или нейронов"))


def of_sheet(sheet: Sheet, language: str) -> Content:
    """Charts."""
    texts = {name: getattr(text, language) for name, text in {**SHEET, **SLIDE}.items()}
    packed = _packed("scene", pack_sheet(sheet, language, texts))
    return Content("sheetslide", {}, texts, ("stage", "sheet", "slide"), (FACES[0], FACES[2]), ((n, packed) for n in (2, 0)),
                   T("choose fewer charts or seeds", "уменьшите число графиков или зёрен"))


def slide(content: Content, o: Options, caption: str, query: str) -> bytes:
    """The file."""
    about = {**content.about, "title": o.title, "caption": caption if o.caption else "",
             "hidden": [name for name in ("panel", "legend", "counter") if not getattr(o, name)]}
    dress = {"language": o.language, "classes": f"{o.theme}{' transparent' * o.transparent}", "page": THEMES[o.theme].page,
             "ink": THEMES[o.theme].ink, "title": html.escape(o.title or caption), "waiting": content.texts["waiting"], "query": html.escape(query),
             "opening": OPENING, "policy": policy()}
    fixed = _packed("code", bundle(content.entry).encode()) + _packed("slide", json.dumps(about, allow_nan=False).encode())
    faces, size = [_face(*face) for face in content.faces], 0
    for letters, scene in content.scenes:
        style = "\n".join([*faces[:letters], *map(_style, content.styles)])
        data = PAGE.format(**dress, style=style, packed=fixed + scene).encode()
        size = len(data) // 1000
        if len(data) <= LIMIT:
            return data
    most = LIMIT // 1000
    raise Refused(T(f"this slide would have {size} KB, and {most} are the limit; {content.less.en}",
                    f"такой слайд занял бы {size} КБ, а предел — {most} КБ; {content.less.ru}"))


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


def _thinned(frames: Frames, every: int, bits: int | None) -> Frames:
    """Every so many of the frames, the last of them too, with so many binary digits of each weight."""
    kept = np.unique([*range(0, len(frames.passes), every), len(frames.passes) - 1])

    def some(row: np.ndarray | None) -> np.ndarray | None:
        return None if row is None else row[kept]
    theta = frames.theta[kept]
    if bits is not None:
        grain = 2.0 ** (np.floor(np.log2(np.maximum(np.abs(theta), 2.0**-30))) - bits + 1)
        theta = np.rint(theta / grain) * grain
    return replace(frames, passes=[frames.passes[k] for k in kept], theta=theta, running=some(frames.running),
                   **{name: some(getattr(frames, name)) for name in ("loss_train", "loss_val", "accuracy_train", "accuracy_val")})  # type: ignore[arg-type]


# --- the stage's own files -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
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
    return (WEB / f"{name}.css").read_text("utf-8").removeprefix('@import url("stage.css");').removeprefix('@import url("network.css");')


def _face(name: str, family: str, more: str) -> str:
    """A font of the stage's."""
    font = base64.b64encode((WEB / "fonts" / f"{name}.woff2").read_bytes()).decode()
    weight = "; font-weight: 400 700" if family == "optviz" else ""
    return f'@font-face {{ font-family: "{family}"; src: url(data:font/woff2;base64,{font}){weight}{more}; }}'
