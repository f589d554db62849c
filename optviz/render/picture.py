"""A Scene as a picture without a browser: where everything stands, and in which order it is drawn, on any canvas.

The stage (ui/web) is the same picture in motion under a hand; its sizes are those of its presentation, for the last row of a room.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from ..core import T
from ..explain import Explained
from ..minima import Box
from ..palette import Style, Theme, roles
from ..scene import Crowd, Heat, Lattice, Panel, Path, Scene
from .raster import Strand, rgb
from .relief import Piece, Relief
from .words import WORDS, digits, power

DESIGN = 960.0, 540.0  # the sizes below are those of this picture; a larger one has everything larger
SMALLEST = 0.625  # and a smaller one smaller, down to letters of ten pixels
MARGIN, TEXT, LINE = 14.0, 16.0, 4.0
CROWD = 1.5
HEAD, TITLE, ROW, LEADING = 8.0, 26.0, 30.0, 22.0  # a head's radius, a title's letters, the height of a row of words, and of words in lines
ROOM, STRETCH = 1.04, 3.0  # around the box; beyond it the two scales differ
FAR = 8000.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 10.0, 26.0  # around the curves
DASHES: Sequence[tuple[float, ...]] = ((), (9, 5), (2, 5))
MANY = 60
SHADES, FEW = 24, 8  # of a trail that fades, and of the ways of a crowd
TERM = 21.0  # the letters beside an arrow
KEPT, LONGEST = (28.0, 190.0), 140.0  # where the longest arrow of a unit may lie before its scale changes, and then at most
TRUE = 18.0, 600.0  # a step is drawn as long as it is where it can be
NOISE = 1e9  # times longer: such an arrow is made of rounding errors
SCALE, BAR = 100.0, 18.0  # beside a surface whose colours are explained: the room for that, and the width of the colours
AXES = 0.04, -0.09  # from the nearest edge to the words that name it, as shares of the surface: within what is flat, beyond a relief
LINES = 3  # of a title or a caption; what has no room in them ends in …
NARROW, FLAT, SHARE = 240.0, 80.0, 0.35  # the least width with room for words around the surface; its least height, and share of the whole
LEFT_OUT: Mapping[str, Any] = {"caption": "", "panel": False, "legend": False, "title": "", "counter": False}  # to make room, in this order
BEHIND, HEAD_BEHIND, DOT_BEHIND = 0.25, 0.45, 0.25  # the ground: what is hidden by it is so faint


class Canvas(Protocol):
    """What a picture is drawn on."""

    width: float
    height: float

    def within(self, x: float, y: float, width: float, height: float) -> Canvas: ...
    def picture(self, pixels: np.ndarray) -> None: ...
    def line(self, points: np.ndarray, colour: str, width: float, dash: Sequence[float] = ..., offset: float = ..., alpha: float = ...,
             butt: bool = ..., once: Hashable = ...) -> None: ...
    def lines(self, many: Sequence[np.ndarray], colour: str, width: float, alpha: float) -> None: ...
    def fading(self, strands: Sequence[Strand], colour: str) -> None: ...
    def shape(self, points: np.ndarray, fill: str | None, edge: str | None = ..., width: float = ..., alpha: float = ...) -> None: ...
    def disc(self, x: float, y: float, r: float, fill: str | None, edge: str | None = ..., width: float = ..., alpha: float = ...) -> None: ...
    def text(self, x: float, y: float, words: str, size: float, colour: str, weight: int = ..., align: str = ..., halo: str | None = ...) -> None: ...
    def measure(self, words: str, size: float, weight: int = ...) -> float: ...


class View(Protocol):
    """How a surface is seen: from above, or in relief."""

    def place(self, x: Any, y: Any) -> tuple[Any, Any]: ...
    def hides(self, x: Any, y: Any) -> Any: ...
    def pixels(self, scale: float) -> np.ndarray: ...
    def trail(self, path: Path, before: float, now: float) -> Iterator[Piece]: ...
    def crowd(self, points: np.ndarray) -> list[np.ndarray]: ...


@dataclass(frozen=True)
class Look:
    """What of a scene is shown, and how."""

    size: tuple[int, int] = (960, 540)
    theme: str = "light"
    language: str = "en"
    panel: bool = True
    legend: bool = True
    counter: bool = True
    title: str = ""
    caption: str = ""
    tail: int | None = None  # how many steps of a trail are seen
    arrows: bool = True  # of the step that is explained
    transparent: bool = False  # the page
    card: bool = False  # what changes stands on the page's colour


@dataclass(frozen=True)
class Place:
    """A rectangle of a picture."""

    x: float
    y: float
    width: float
    height: float


# --- the surface -------------------------------------------------------------------------------------------------------------------


def fit(box: Box, width: float, height: float) -> tuple[float, float, float, float]:
    """x and y of the edges: equal scales that hold the whole box, or the box stretched when it is far from the picture's shape."""
    (x0, x1), (y0, y1) = box
    wide, high = (x1 - x0) / width, (y1 - y0) / height
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    if max(wide, high) > STRETCH * min(wide, high):
        dx, dy = ROOM / 2 * (x1 - x0), ROOM / 2 * (y1 - y0)
    else:
        dx, dy = ROOM * max(wide, high) * width / 2, ROOM * max(wide, high) * height / 2
    return cx - dx, cx + dx, cy - dy, cy + dy


def heat_pixels(h: Heat, view: tuple[float, float, float, float], theme: Theme, width: int, height: int, line: float) -> np.ndarray:
    """Every pixel: the band's colour, and the isoline where the bands change, a line of even width whatever the slope."""
    coarse = 3 if width * height > 1.2e6 else 2
    columns, rows = math.ceil(width / coarse) + 2, math.ceil(height / coarse) + 2
    x = view[0] + np.arange(columns) * coarse / width * (view[1] - view[0])
    y = view[3] - np.arange(rows) * coarse / height * (view[3] - view[2])
    with np.errstate(all="ignore"):
        u = h.warp(np.broadcast_to(h.surface.value(x[None, :], y[:, None]), (rows, columns)))
    px, py = np.arange(width), np.arange(height)
    i, fx, j, fy = px // coarse, (px % coarse / coarse)[None, :], py // coarse, (py % coarse / coarse)[:, None]
    a, b, c, d = u[np.ix_(j, i)], u[np.ix_(j, i + 1)], u[np.ix_(j + 1, i)], u[np.ix_(j + 1, i + 1)]
    top, bottom = a + (b - a) * fx, c + (d - c) * fx
    here = top + (bottom - top) * fy
    slope = np.hypot(((b - a) * (1 - fy) + (d - c) * fy) / coarse, (bottom - top) / coarse)
    low, high, tone = (np.array(rgb(colour), float) for colour in (theme.valley, theme.peak, theme.isoline))
    fills = low + (high - low) * np.arange(h.bands)[:, None] / max(h.bands - 1, 1)
    near = np.rint(here)
    with np.errstate(all="ignore"):
        cover = np.clip(line / 2 + 0.5 - abs(here - near) / slope, 0, 1) * np.minimum(1, 0.35 / slope)  # where lines would merge they fade
    cover[(slope <= 1e-9) | (near <= 0) | (near >= h.bands)] = 0
    ground = fills[np.minimum(here.astype(int), h.bands - 1)]
    out = np.rint(ground + (tone - ground) * cover[:, :, None]).astype(np.uint8)
    if isinstance(h.surface, Lattice):  # beyond it nothing is known, and nothing is drawn
        (x0, x1), (y0, y1) = h.box
        across, up = view[0] + px / width * (view[1] - view[0]), view[3] - py / height * (view[3] - view[2])
        known = ((up >= y0) & (up <= y1))[:, None] & (across >= x0) & (across <= x1)
        out = np.dstack([out, np.where(known, 255, 0).astype(np.uint8)])
    return out


@dataclass(frozen=True)
class Flat:
    """A surface from above: nothing is hidden."""

    heat: Heat
    theme: Theme
    width: float
    height: float

    @property
    def edges(self) -> tuple[float, float, float, float]:
        return fit(self.heat.box, self.width, self.height)

    def place(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Where points of the surface are seen."""
        x0, x1, y0, y1 = self.edges
        return (x - x0) / (x1 - x0) * self.width, (y1 - y) / (y1 - y0) * self.height

    def hides(self, x: Any, y: Any) -> Any:
        """Whether there is ground before points of the surface."""
        return np.zeros(np.shape(x), bool)

    def pixels(self, scale: float) -> np.ndarray:
        """The surface, and what hides what from then on."""
        return heat_pixels(self.heat, self.edges, self.theme, round(self.width * scale), round(self.height * scale), 0.8 * scale)

    def trail(self, path: Path, before: float, now: float) -> Iterator[Piece]:
        """A piece of a path, with a dot at every step that is far from the last."""
        first = max(math.floor(before), 0)
        if first >= now:
            return
        t = np.arange(first, math.ceil(now) + 1)
        with np.errstate(all="ignore"):
            points = np.stack(self.place(*path.points[:, t]), axis=1)
            if now < t[-1]:
                points[-1] = points[-2] + (points[-1] - points[-2]) * (now - t[-2])
            points = near(points)
        far = np.append(False, abs(np.diff(points, axis=0)).sum(axis=1) > 14)
        yield Piece(points, np.minimum(t, now), self.length(path, first) if path.style.dash else 0.0, dots=np.flatnonzero(far & (t <= now)))

    def length(self, path: Path, step: int) -> float:
        """How long a path is up to a step."""
        with np.errstate(all="ignore"):
            steps = np.hypot(*np.diff(self.place(*path.points[:, :step + 1])))
        return float(steps[steps < FAR].sum())

    def crowd(self, points: np.ndarray) -> list[np.ndarray]:
        """The ways of a crowd (2, frames, members)."""
        with np.errstate(all="ignore"):
            x, y = self.place(*points)
        return [near(np.stack([x[:, m], y[:, m]], axis=1)) for m in range(x.shape[1])]


# --- marks -------------------------------------------------------------------------------------------------------------------------


def marker(shape: int, x: float, y: float, r: float, turn: float = 0.0) -> np.ndarray | None:
    """The corners of a head's marker; None for the circle."""
    a, b = r * 0.42, r * 1.2
    corners = {1: [(-0.9 * r, -0.9 * r), (0.9 * r, -0.9 * r), (0.9 * r, 0.9 * r), (-0.9 * r, 0.9 * r)],
               2: [(0, -1.2 * r), (1.1 * r, 0.8 * r), (-1.1 * r, 0.8 * r)],
               3: [(0, -1.3 * r), (1.3 * r, 0), (0, 1.3 * r), (-1.3 * r, 0)],
               4: [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]}.get(shape)
    if corners is None:
        return None
    cos, sin = math.cos(turn), math.sin(turn)
    return np.array([(x + dx * cos - dy * sin, y + dx * sin + dy * cos) for dx, dy in corners])


def put(canvas: Canvas, shape: int, x: float, y: float, r: float, fill: str, edge: str | None = None, width: float = 0.0, turn: float = 0.0,
        alpha: float = 1.0) -> None:
    """A marker."""
    corners = marker(shape, x, y, r, turn)
    if corners is None:
        if edge:
            canvas.disc(x, y, r, None, edge, width, alpha)
        canvas.disc(x, y, r, fill, alpha=alpha)
    else:
        if edge:
            canvas.shape(corners, None, edge, width, alpha)
        canvas.shape(corners, fill, alpha=alpha)


def arrow(canvas: Canvas, start: np.ndarray, tip: np.ndarray, colour: str, ground: str, width: float, faint: bool) -> None:
    """An arrow that can be seen on any ground; or a faint one."""
    way = (tip - start) / np.hypot(*(tip - start))
    neck, side = tip - 3.2 * width * way, 1.76 * width * np.array([-way[1], way[0]])
    shaft, head, alpha = np.stack([start, neck]), np.stack([tip, neck + side, neck - side]), 0.55 if faint else 1.0
    if not faint:
        canvas.line(shaft, ground, width + 3)
        canvas.shape(head, None, ground, 3)
    canvas.line(shaft, colour, width, (5, 5) if faint else (), alpha=alpha)
    canvas.shape(head, colour, alpha=alpha)


def scale_of(length: float, before: float | None, step: bool) -> float:
    """A round number that makes a length legible; the one before, as long as that does."""
    if not 0 < length < math.inf:
        return before or 1.0
    if step and TRUE[0] < length < TRUE[1]:
        return 1.0
    if before and KEPT[0] < before * length < KEPT[1]:
        return before
    ten = 10.0 ** math.floor(math.log10(LONGEST / length))
    return ten * next((m for m in (5, 2, 1) if m * ten * length <= LONGEST), 1)  # 1·10ⁿ may miss by a rounding


# --- the picture -------------------------------------------------------------------------------------------------------------------


class Picture:
    """One scene laid out: a ground that stays, trails that grow, and marks that belong to one moment."""

    def __init__(self, scene: Scene, look: Look):
        self.scene, self.look, self.theme = scene, look, scene.themes[look.theme]
        self.unit = max(min(look.size[0] / DESIGN[0], look.size[1] / DESIGN[1]), SMALLEST)
        self.width, self.height = look.size[0] / self.unit, look.size[1] / self.unit
        self.paths = [p for p in scene.paths if not p.muted]
        self.explained = scene.explained if look.arrows else None
        self.page = None if look.transparent else self.theme.page  # what lies around the surface
        self.words = {**WORDS, **scene.words}
        self.views: dict[tuple[float, float], View] = {}

    @property
    def scaled(self) -> bool:
        """Whether the heights are explained beside the surface: nobody knows them from a formula."""
        return isinstance(self.scene.heat.surface, Lattice)

    @property
    def anew(self) -> bool:
        """Whether trails fade: then every moment is a picture of its own."""
        return self.look.tail is not None

    def say(self, text: T) -> str:
        return str(getattr(text, self.look.language))

    def lay(self, canvas: Canvas) -> None:
        """Where everything stands, as far as there is room; the canvas knows how wide words are."""
        m, asked = MARGIN, self.look
        room = self.width - 2 * m
        for name in ("", *LEFT_OUT):
            self.look = look = replace(self.look, **{name: LEFT_OUT[name]}) if name else asked
            self.title, self.caption = wrapped(canvas, look.title, TITLE, 600, room), wrapped(canvas, look.caption, TEXT, 400, room)
            self.rows = self.legend_rows(canvas) if look.legend or look.counter else []
            top = m + ROW * len(self.title) + 6 * bool(self.title)
            bottom = self.height - m - (LEADING * (len(self.caption) - 1) + ROW) * bool(self.caption)
            curves = max(110.0, 0.2 * self.height) if look.panel else 0.0
            words = ROW * len(self.rows)
            self.plane = Place(m, top, room - SCALE * self.scaled, bottom - top - curves - words - 6 * bool(words or curves))
            if self.plane.height >= max(FLAT, SHARE * self.height) and self.width >= NARROW:
                break
        self.legend_at = self.plane.y + self.plane.height + 6
        self.chart = Place(m, self.legend_at + words, room, curves)
        self.scales: dict[str, float] = {}  # of the arrows of each unit, at the moment before
        self.stood: dict[int | None, int] = {}  # at which of its spots each name stood
        size = self.plane.width, self.plane.height
        if size not in self.views:
            self.views[size] = self.seen(*size)
        self.view = self.views[size]
        self.levels = {path: level(self.scene.panel, path.height, curves - TOP - BOTTOM) for path in self.paths}

    def seen(self, width: float, height: float) -> View:
        """How its look asks for the surface to be seen."""
        heat, asked = self.scene.heat, self.scene.look
        return Relief(heat, self.theme, asked, width, height) if asked.get("view") == "relief" else Flat(heat, self.theme, width, height)

    # --- what stays ----------------------------------------------------------------------------------------------------------------

    def ground(self, canvas: Canvas, scale: float) -> None:
        """All that is the same at every moment."""
        look, theme, p = self.look, self.theme, self.plane
        relief = isinstance(self.view, Relief)
        if look.card and (look.counter or look.panel or relief):  # below the surface; and all around a relief, beside which words move, too
            top = p.y + p.height / 2 * (not relief)
            high = max(self.chart.y + self.chart.height, p.y + p.height) - top
            canvas.within(p.x, top, p.width, high).picture(np.full((round(high * scale), round(p.width * scale), 3), rgb(theme.page), np.uint8))
        plane = canvas.within(p.x, p.y, p.width, p.height)
        plane.picture(self.view.pixels(scale))
        if self.scaled:
            self.axes(plane)
            self.scale(canvas)
        for i, words in enumerate(self.title):
            canvas.text(self.width / 2, MARGIN + ROW * (i + 0.5), words, TITLE, theme.ink, 600, "center")
        for i, words in enumerate(reversed(self.caption)):
            canvas.text(self.width / 2, self.height - MARGIN - ROW / 2 + 6 - LEADING * i, words, TEXT, theme.faint, 400, "center")
        if look.legend:
            for i, row in enumerate(self.rows):
                for x, path, name, after in row:
                    y = self.legend_at + ROW * (i + 0.5)
                    self.swatch(canvas, path.style, x, y)
                    canvas.text(x + 42, y, name, TEXT, theme.ink)
                    if after:
                        canvas.text(x + 42 + canvas.measure(name, TEXT) + 8, y, after, TEXT, theme.faint)
        if look.panel:
            self.frame(canvas)
            c = self.chart
            inside = canvas.within(c.x + LEFT, c.y + TOP, c.width - LEFT - RIGHT, c.height - TOP - BOTTOM)
            for path in self.paths:
                self.curve(inside, path, 0, self.scene.steps, 0.25)

    def axes(self, plane: Canvas) -> None:
        """Which way x and y go, and from where to where: along the edges that are nearest."""
        (x0, x1), (y0, y1) = self.scene.heat.box
        relief = isinstance(self.view, Relief)
        away, back = AXES[relief], self.view.camera.back if isinstance(self.view, Relief) else (0.0, 0.0)
        across, along = (1 - away if relief and v > 0 else away for v in back[:2])
        for share, x, y in ((0.08, digits(x0, 2), digits(y0, 2)), (0.5, "x", "y"), (0.92, digits(x1, 2), digits(y1, 2))):
            for words, s, t in ((x, share, along), (y, across, share)):
                px, py = self.view.place(x0 + s * (x1 - x0), y0 + t * (y1 - y0))
                plane.text(float(px), float(py), words, TEXT, self.theme.faint, 400, "center", self.theme.page)

    def scale(self, canvas: Canvas) -> None:
        """What the colours mean: the bands from low to high, with some of the isolines' heights."""
        p, h, theme = self.plane, self.scene.heat, self.theme
        x, step = p.x + p.width + 8, (p.height - 3.5 * TEXT) / h.bands
        low, high = (np.array(rgb(colour), float) for colour in (theme.valley, theme.peak))

        def y(u: float) -> float:
            return p.y + p.height - TEXT - u * step

        def box(bottom: float, top: float) -> np.ndarray:
            return np.array([(x, y(bottom)), (x + BAR, y(bottom)), (x + BAR, y(top)), (x, y(top))])
        canvas.shape(box(0, h.bands), None, theme.isoline, 1)
        for k in range(h.bands):
            tone = np.rint(low + (high - low) * k / max(h.bands - 1, 1)).astype(int)
            canvas.shape(box(k, k + 1), "#{:02x}{:02x}{:02x}".format(*tone))
        canvas.text(x, p.y + 0.75 * TEXT, self.say(self.words["height"]), TEXT, theme.ink, halo=self.page)
        for u in np.arange(7) * h.bands / 6:
            canvas.line(np.array([(x + BAR - 4, y(u)), (x + BAR + 4, y(u))]), theme.isoline, 1, butt=True)
            canvas.text(x + BAR + 7, y(u), digits(h.height(u), 2), TEXT, theme.ink, halo=self.page)

    def legend_rows(self, canvas: Canvas) -> list[list[tuple[float, Path, str, str]]]:
        """Swatch, name and fate of each path, as many a row as there is room for; the counter has its own at the right."""
        rows: list[list[tuple[float, Path, str, str]]] = [[]]
        x, room = MARGIN + 4, self.width - 2 * MARGIN
        counter = canvas.measure(self.count(self.scene.steps), TEXT) + 24 if self.look.counter else 0.0
        for path in self.paths if self.look.legend else ():
            after = "" if path.end is None else self.say(self.words["diverged_at"]).format(k=path.end)
            name = clipped(canvas, self.say(path.name), TEXT, 400, room - 68 - (canvas.measure(after, TEXT) + 8 if after else 0))
            wide = 42 + canvas.measure(name, TEXT) + (canvas.measure(after, TEXT) + 8 if after else 0) + 26
            if x + wide > room - counter and (rows[-1] or counter):
                rows.append([])
                x, counter = MARGIN + 4, 0.0
            rows[-1].append((x, path, name, after))
            x += wide
        return rows

    def swatch(self, canvas: Canvas, style: Style, x: float, y: float) -> None:
        canvas.line(np.array([(x, y), (x + 33, y)]), style.colour, 3.5, [d * 0.8 for d in DASHES[style.dash]], butt=True)
        put(canvas, style.shape, x + 16.5, y, 6.5, style.colour)

    def count(self, step: int) -> str:
        return self.say(self.words["step_of"]).format(k=step, n=self.scene.steps)

    # --- what grows ----------------------------------------------------------------------------------------------------------------

    def grow(self, canvas: Canvas, before: float, now: float) -> None:
        """The trails and their curves between two moments."""
        p, c = self.plane, self.chart
        plane = canvas.within(p.x, p.y, p.width, p.height)
        if self.look.tail is None:
            for crowd in self.scene.crowds:
                if not crowd.muted:
                    self.spread(plane, crowd, before, now)
            for path in self.paths:
                self.trail(plane, path, before, now)
        if self.look.panel:
            inside = canvas.within(c.x + LEFT, c.y + TOP, c.width - LEFT - RIGHT, c.height - TOP - BOTTOM)
            for path in self.paths:
                self.curve(inside, path, before, now, 1.0)

    def spread(self, plane: Canvas, crowd: Crowd, before: float, now: float) -> None:
        """A piece of the ways of a crowd, faint."""
        first, last = self.frame_of(crowd, before), self.frame_of(crowd, now)
        if first == last:
            return
        if ways := self.view.crowd(crowd.points[:, first:last + 1]):
            plane.lines([way[np.append(True, kept(way))] for way in ways], crowd.style.colour, CROWD, faintness(crowd))

    def frame_of(self, crowd: Crowd, moment: float) -> int:
        """The last of a crowd's pictures that is not after a moment."""
        return int(np.searchsorted(crowd.steps, moment, "right")) - 1

    def trail(self, plane: Canvas, path: Path, before: float, now: float) -> None:
        """A piece of a path, fainter behind the ground."""
        dash = [d * LINE / 2.5 for d in DASHES[path.style.dash]]
        for piece in self.view.trail(path, before, min(now, ended(path))):
            points = piece.points[np.append(True, kept(piece.points))]
            if len(points) > 2 or (points[0] != points[-1]).any():
                plane.line(points, self.colour(path), LINE, dash, piece.gone, BEHIND if piece.hidden else 1.0,
                           once=path.entrant if piece.hidden else None)
            for x, y in piece.points[piece.dots]:
                plane.disc(x, y, LINE * 1.05, self.colour(path))

    def aside(self, path: Path) -> bool:
        """Whether another one's step is explained."""
        return self.explained is not None and path.entrant != self.scene.look["explain"]

    def colour(self, path: Path) -> str:
        """A trail's own, or pale."""
        own, ground = (np.array(rgb(colour)) for colour in (path.style.colour, self.theme.valley))
        return "#{:02x}{:02x}{:02x}".format(*np.rint(0.3 * own + 0.7 * ground).astype(int)) if self.aside(path) else path.style.colour

    def curve(self, inside: Canvas, path: Path, before: float, now: float, alpha: float) -> None:
        """A piece of the curve of a path: least and greatest of each column, as true as all points."""
        first, last = math.floor(before), min(now, ended(path))
        if first >= last:
            return
        t = np.arange(first, math.floor(last) + 1)
        x, y = t / max(self.scene.steps, 1) * inside.width, self.levels[path][t]
        if last > t[-1]:
            k = int(t[-1])
            share, after = last - k, self.levels[path][k + 1]
            x, y = np.append(x, last / self.scene.steps * inside.width), np.append(y, y[-1] + (after - y[-1]) * share)
        column = np.floor(x * 2).astype(int)
        points = []
        for begin, end in zip(*_ranges(column), strict=True):
            if end - begin == 1:
                points.append((x[begin], y[begin]))
            else:
                some = y[begin:end]
                points += [(x[begin], some[0]), (x[begin], some.max()), (x[begin], some.min()), (x[end - 1], some[-1])]
        inside.line(np.array(points), path.style.colour, 2.5, [d * 0.8 for d in DASHES[path.style.dash]], alpha=alpha)

    # --- what fades ----------------------------------------------------------------------------------------------------------------

    def tails(self, plane: Canvas, now: float, steps: int) -> None:
        """The last steps of crowds and trails, the older the fainter."""
        for crowd in self.scene.crowds:
            if not crowd.muted:
                self.swarm(plane, crowd, now, steps)
        for path in self.paths:
            self.tail(plane, path, now, steps)

    def swarm(self, plane: Canvas, crowd: Crowd, now: float, steps: int) -> None:
        """The last of the ways of a crowd."""
        first, last = int(np.searchsorted(crowd.steps, now - steps)), self.frame_of(crowd, now)
        if first >= last:
            return
        ways = np.array(self.view.crowd(crowd.points[:, first:last + 1]))
        if not ways.size:
            return
        far = np.cumsum(abs(np.diff(ways, axis=1)).sum(axis=2), axis=1) // 0.6
        moved = np.diff(far, axis=1, prepend=0) > 0  # who hardly does is drawn when it comes to something
        shades, strands = shade((crowd.steps[first:last] + crowd.steps[first + 1:last + 1]) / 2, now, steps, FEW), []
        for begin, end in zip(*_ranges(shades), strict=True):
            some = moved[:, begin:end].any(axis=1)
            keep = np.pad(moved[some, begin:end], ((0, 0), (1, 0)), constant_values=True)
            pieces = np.split(ways[some, begin:end + 1][keep], np.cumsum(keep.sum(axis=1))[:-1]) if some.any() else []
            strands.append(Strand(faintness(crowd) * float(shades[begin]), pieces, CROWD))
        plane.fading(strands, crowd.style.colour)

    def tail(self, plane: Canvas, path: Path, now: float, steps: int) -> None:
        """The last of a path: pieces and dots, each of one shade; a dash keeps its place while its shade changes."""
        begin, last = max(now - steps, 0.0), min(now, ended(path))
        dash = [d * LINE / 2.5 for d in DASHES[path.style.dash]]
        edges, strands = now - steps + steps * np.arange(SHADES + 1) / SHADES, list[Strand]()
        for piece in self.view.trail(path, begin, last):
            t, points, faint = piece.steps, piece.points, BEHIND if piece.hidden else 1.0
            cuts = np.stack([edges[:-1], edges[1:]])
            if dash:
                lengths = np.append(0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
                ons = np.arange(-(piece.gone % sum(dash)), lengths[-1], sum(dash))
                cuts = np.interp(np.stack([ons, ons + dash[0]]), lengths, t)
            for a, b in np.clip(cuts, max(begin, t[0]), t[-1]).T.tolist():
                when = np.concatenate([[a], t[(t > a) & (t < b)], [b]])
                part = np.stack([np.interp(when, t, points[:, 0]), np.interp(when, t, points[:, 1])], axis=1)
                part = part[np.append(True, kept(part))]
                if (part[0] != part[-1]).any() or len(part) > 2:
                    strands.append(Strand(faint * float(shade((a + b) / 2, now, steps)), [part], LINE, bool(dash)))
            strands += [Strand(float(shade(t[k], now, steps)), [points[[k, k]]], 2.1 * LINE) for k in piece.dots if t[k] > begin]
        plane.fading(strands, self.colour(path))

    # --- what belongs to a moment --------------------------------------------------------------------------------------------------

    def marks(self, canvas: Canvas, now: float) -> None:
        """Minima, start, heads with their names, and where the curves are."""
        p = self.plane
        plane = canvas.within(p.x, p.y, p.width, p.height)
        self.taken: list[tuple[float, float, float, float]] = []
        if self.look.tail is not None:
            self.tails(plane, now, self.look.tail)
        self.crowds(plane, now)
        self.minima(plane)
        self.handle(plane)
        places = [self.head_at(path, now) for path in self.paths]
        self.heads = [(x, y) for *_, x, y in places]
        self.taken += [(x - HEAD, y - HEAD, 2 * HEAD, 2 * HEAD) for x, y in self.heads]  # no name covers a head
        for path, place in zip(self.paths, places, strict=True):
            self.head(plane, path, now, *place)
        if self.explained:
            with np.errstate(all="ignore"):
                self.terms(plane, self.explained, now)
        if self.look.counter:
            canvas.text(self.width - MARGIN - 4, self.legend_at + ROW / 2, self.count(math.floor(now)), TEXT, self.theme.ink, 400, "right")
        if self.look.panel:
            self.cursor(canvas, now)

    def crowds(self, plane: Canvas, now: float) -> None:
        """Where everybody in a crowd is."""
        for crowd in self.scene.crowds:
            if crowd.muted:
                continue
            k = self.frame_of(crowd, now)
            for x, y in zip(*self.view.place(*crowd.points[:, k]), strict=True):
                if -3 < x < plane.width + 3 and -3 < y < plane.height + 3:
                    plane.shape(np.array([(x - 2, y - 2), (x + 2, y - 2), (x + 2, y + 2), (x - 2, y + 2)]), crowd.style.colour, alpha=0.6)

    def minima(self, plane: Canvas) -> None:
        theme, named, small = self.theme, False, len(self.scene.dots) > MANY
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        for dot in self.scene.dots:
            x, y = self.view.place(dot.x, dot.y)
            hidden = self.view.hides(dot.x, dot.y)
            if not (0 <= x <= plane.width and 0 <= y <= plane.height) or (hidden and small):
                continue
            if dot.best:
                r = np.where(np.arange(10) % 2, 4.5, 10.5)
                plane.shape(np.stack([x + r * np.cos(angle), y + r * np.sin(angle)], axis=1), theme.ink, alpha=DOT_BEHIND if hidden else 1.0)
            elif small:
                plane.disc(x, y, 1.5, theme.ink, alpha=0.35)
            else:
                plane.disc(x, y, 5, theme.page, theme.ink, 2, alpha=DOT_BEHIND if hidden else 0.7)
            if dot.best and not named and not hidden:
                named = self.word(plane, self.say(self.words["optimum"]), TEXT, 400, [(x + dx, y + dy, dx) for dy in (-13, 13) for dx in (15, -15)])

    def handle(self, plane: Canvas) -> None:
        theme = self.theme
        x, y = self.view.place(*self.scene.start)
        plane.disc(x, y, 11, theme.page, theme.ink, 3.5)
        plane.disc(x, y, 4, theme.ink)
        self.taken.append((x - 13, y - 13, 26, 26))
        spots = [(x + 18, y, 1), (x - 18, y, -1), (x, y - 26, 0), (x, y + 26, 0)]
        width = plane.measure(words := self.say(self.words["start"]), TEXT)
        free = [(a, b, side) for a, b, side in spots if not self.crossed(a - width * (side <= 0) / (2 if side == 0 else 1), b - 11, width, 22.0)]
        self.word(plane, words, TEXT, 400, free or spots)

    def head_at(self, path: Path, now: float) -> tuple[bool, float, float, float, float]:
        """Whether a head is hidden, where it is, and where it is drawn: at the edge, if it has left the picture."""
        t = min(now, ended(path))
        k = math.floor(t)
        with np.errstate(all="ignore"):
            x, y = path.points[:, k] + ((path.points[:, k + 1] - path.points[:, k]) * (t - k) if t > k else 0)
            hidden, (px, py) = bool(self.view.hides(x, y)), map(float, self.view.place(x, y))
        hx, hy = (min(max(v if math.isfinite(v) else 0.0, 14.0), most - 14) for v, most in ((px, self.plane.width), (py, self.plane.height)))
        return hidden, px, py, hx, hy

    def head(self, plane: Canvas, path: Path, now: float, hidden: bool, px: float, py: float, hx: float, hy: float) -> None:
        """The marker and the name of a path; where it left the picture, an arrow or a cross at the edge."""
        theme, over = self.theme, path.end is not None and now >= path.end
        out = not (0 < px < plane.width and 0 < py < plane.height)
        shape, turn = (4, math.pi / 4) if over else (2, math.atan2(py - hy, px - hx) + math.pi / 2) if out else (path.style.shape, 0.0)
        faint = 0.4 if self.aside(path) else HEAD_BEHIND if hidden and not (over or out) else 1.0
        put(plane, shape, hx, hy, HEAD + over, path.style.colour, theme.page, 2.5, turn, faint)
        if self.aside(path):  # its words need the room
            return
        text = self.say(path.short) + (" · " + self.say(self.words["diverged_at"]).format(k=path.end) if over else "")
        spots = [(hx + dx, hy + dy, dx) for dy in (-12, 13, -35, 36, -58, 59) for dx in (15, -15)]
        self.word(plane, text, TEXT + 1, 600, spots, who=path.entrant if self.scene.fixed else None, head=(hx, hy))

    def terms(self, plane: Canvas, explained: Explained, now: float) -> None:
        """Every term of the step that begins, from the place it belongs to; those of one unit share a scale, which is written beside them."""
        path = next(p for p in self.scene.paths if p.entrant == self.scene.look["explain"])
        k, colours = min(math.floor(now), explained.steps - 1), roles(path.style)

        def pair(value: int) -> np.ndarray:
            return explained.values[value].numbers[:, k]

        def at(p: np.ndarray) -> np.ndarray:
            return np.array(self.view.place(*p), float)
        longest: dict[str, float] = {}
        for a in explained.arrows:
            length = np.hypot(*(at(pair(a.value)) - at(np.zeros(2))))
            longest[a.unit] = max(longest.get(a.unit, 0.0), float(length))
        self.scales |= {unit: scale_of(length, self.scales.get(unit), unit == "step") for unit, length in longest.items()}
        labels = []  # after all arrows: none shall cross a word
        for spot in explained.spots:
            start, tip, colour = at(pair(0)), at(pair(spot.value)), colours[spot.role]
            if not (abs(tip) < 1e5).all():
                continue
            plane.line(np.stack([start, tip]), colour, 1.5, (2, 4))
            plane.disc(float(tip[0]), float(tip[1]), 2 * LINE, self.theme.page, colour, 2.5)
            labels.append((spot.label, tip, np.array([0.0, -1.0]), colour))
        for a in explained.arrows:
            scale, colour = a.sign * self.scales[a.unit], colours[a.role]
            start, tip = at(pair(a.start)), at(pair(a.start) + scale * pair(a.value))
            far = np.hypot(*(tip - start))
            if not (abs(start) < 1e5).all() or not far > 2 or abs(scale) > NOISE:
                continue
            arrow(plane, start, tip, colour, self.theme.page, LINE * 1.5 if a.unit == "step" else LINE, a.faint)
            labels.append((a.label if abs(scale) == 1 else f"{a.label} ×{digits(abs(scale))}", tip, (tip - start) / far, colour))
        for words, tip, way, colour in labels:  # beyond the tip, else beside it
            half, ways = np.array([plane.measure(words, TERM, 600) / 2, 0.0]), (way, way[::-1] * [1, -1], way[::-1] * [-1, 1])
            spots = [tip + to * (half + np.array([9, 15]) * away) for to in ways for away in (1, 1.8, 2.6, 3.4)]
            self.word(plane, words, TERM, 600, [(x, y, 0) for x, y in spots], colour)

    def crossed(self, left: float, top: float, width: float, height: float) -> bool:
        """Whether a path goes through a box; asked where nothing but the paths moves, so that its answer stays."""
        def through(path: Path) -> bool:
            with np.errstate(all="ignore"):
                x, y = self.view.place(*path.points)
            return bool(((x > left) & (x < left + width) & (y > top) & (y < top + height)).any())
        return self.scene.fixed and any(map(through, self.paths))

    def word(self, plane: Canvas, words: str, size: float, weight: int, spots: Sequence[tuple[float, float, float]], colour: str = "",
             who: int | None = None, head: tuple[float, float] | None = None) -> bool:
        """Words at the first spot where none stand yet, if there is one; they begin there, end there (-) or have their middle there (0).

        The name of an entrant (`who`) stays where it stood as long as that is free: names keep still. That of a head would be taken for the
        name of another where it is as near to that one.
        """
        width = plane.measure(words, size, weight)
        boxes = [(x - width * (side <= 0) / (2 if side == 0 else 1), y - 11, width, 22.0) for x, y, side in spots]
        strange = [head is not None and any(other != head and away(box, other) < away(box, head) + 3 for other in self.heads) for box in boxes]
        for i in sorted(range(len(spots)), key=lambda i: (strange[i], i != self.stood.get(who))):  # the last one first
            y, spot = spots[i][1], boxes[i]
            if not self.covered(spot):
                self.taken.append(spot)
                if who is not None:
                    self.stood[who] = i
                plane.text(spot[0], y, words, size, colour or self.theme.ink, weight, halo=self.theme.page)
                return True
        return False

    def covered(self, spot: tuple[float, float, float, float]) -> bool:
        """Whether a box is outside the plane, or has words already."""
        left, top, width, height = spot
        return left < 2 or left + width > self.plane.width - 2 or top < 2 or top + height > self.plane.height - 2 or any(
            left < x + w and x < left + width and top < y + h and y < top + height for x, y, w, h in self.taken)

    # --- the curves' panel ---------------------------------------------------------------------------------------------------------

    def cursor(self, canvas: Canvas, now: float) -> None:
        """The moment, as a line through the curves."""
        c, theme = self.chart, self.theme
        height = c.height - TOP - BOTTOM
        x = c.x + LEFT + now / max(self.scene.steps, 1) * (c.width - LEFT - RIGHT)
        canvas.line(np.array([(x, c.y + TOP), (x, c.y + c.height - BOTTOM)]), theme.ink, 1.5, butt=True)
        for path in self.paths:
            t = min(now, ended(path))
            k = math.floor(t)
            y, after = self.levels[path][[k, min(k + 1, len(path.height) - 1)]]
            canvas.disc(c.x + LEFT + t / max(self.scene.steps, 1) * (c.width - LEFT - RIGHT),
                        c.y + TOP + min(max(y + (after - y) * (t - k), 0), height), 4.5, path.style.colour)

    def frame(self, canvas: Canvas) -> None:
        """The axes and what they say."""
        p = self.scene.panel
        c, name = self.chart, self.say(self.words["loss_above" if p.log and p.base else "loss"])
        axes(canvas, c, p, self.scene.steps, self.theme, self.say(self.words["step_axis"]))
        halo = self.theme.page if self.look.card else self.page
        canvas.text(c.x + c.width - RIGHT - 8, c.y + TOP + 8, name, TEXT, self.theme.faint, 400, "right", halo)

    def state(self, now: float) -> Hashable:
        """What the picture of a moment hangs on."""
        return now


def level(p: Panel, f: np.ndarray, height: float) -> np.ndarray:
    """Where heights stand in a panel, from its top."""
    with np.errstate(all="ignore"):
        low, high, f = (np.log10(np.maximum(v, p.low * 1e-3)) if p.log else np.asarray(v, float) for v in (p.low, p.high, f - p.base * p.log))
        share = (f - low) / (high - low)
    return (1 - np.clip(np.where(np.isnan(share), 1.2, share), -0.2, 1.2)) * height


def axes(canvas: Canvas, c: Place, p: Panel, steps: int, theme: Theme, along: str) -> None:
    """Around curves: what is counted along them."""
    left, right, top, bottom = c.x + LEFT, c.x + c.width - RIGHT, c.y + TOP, c.y + c.height - BOTTOM
    canvas.line(np.array([(left, top), (left, bottom), (right, bottom)]), theme.line, 1.5, butt=True)
    for value, text in axis(p.base, p.low, p.high, p.log, max(1, math.floor((bottom - top) / 26))):
        y = top + float(level(p, np.array([value]), bottom - top)[0])
        canvas.text(left - 8, y, text, TEXT, theme.faint, 400, "right")
    middle = (left + right) / 2
    for x, text, align in ((left, "0", "left"), (right, str(steps), "right"), (middle, along, "center")):
        canvas.text(x, bottom + 15, text, TEXT, theme.faint, 400, align)


def clipped(canvas: Canvas, words: str, size: float, weight: int, width: float) -> str:
    """As much of some words as is no wider than that; … stands for the rest."""
    if canvas.measure(words, size, weight) <= width:
        return words
    return words[:bisect_right(range(1, len(words)), width, key=lambda n: canvas.measure(words[:n] + "…", size, weight))].rstrip() + "…"


def wrapped(canvas: Canvas, words: str, size: float, weight: int, width: float) -> list[str]:
    """Words in lines, that do not break between a sign and what it equals."""
    lines = list[str]()
    for word in words.replace(" = ", "\u00a0=\u00a0").split(" ") if words else ():
        if lines and (len(lines) == LINES or canvas.measure(f"{lines[-1]} {word}", size, weight) <= width):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [clipped(canvas, line, size, weight, width) for line in lines]


def axis(base: float, low: float, high: float, log: bool, most: int) -> list[tuple[float, str]]:
    """The marks of a vertical axis."""
    if log:
        a, b = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        return [(10.0**p + base, str(10**p) if 0 <= p <= 3 else power(p)) for p in range(b, a - 1, -max(1, math.ceil((b - a) / most)))]
    rough = (high - low) / most
    ten = 10 ** math.floor(math.log10(rough))
    size = ten * next(m for m in (1, 2, 5, 10) if m * ten >= rough)
    first = math.ceil(low / size)
    return [((first + i) * size, digits((first + i) * size)) for i in range(min(math.floor(high / size) - first, most + 1) + 1)]


def shade(step: Any, now: float, steps: int, shades: int = SHADES) -> Any:
    """How strong a trail is at a step: from 0, so many steps ago, to 1."""
    return np.clip(np.ceil((step - now + steps) / steps * shades), 1, shades) / shades


def faintness(crowd: Crowd) -> float:
    """How strong the ways of a crowd are: the more, the less."""
    return 0.12 if crowd.points.shape[2] > 100 else 0.2


def away(box: tuple[float, float, float, float], point: tuple[float, float]) -> float:
    """How far a point is from a box."""
    (left, top, width, height), (x, y) = box, point
    return math.hypot(max(left - x, x - left - width, 0.0), max(top - y, y - top - height, 0.0))


def ended(path: Path) -> int:
    """The last step at which a path has a place."""
    return path.points.shape[1] - 1 if path.end is None else path.end - 1


def near(points: np.ndarray) -> np.ndarray:
    """Points as far as a line can be drawn to them: what lies far outside keeps its direction from the one before."""
    if (abs(points) < FAR).all():
        return points
    out = np.nan_to_num(points, nan=FAR, posinf=FAR, neginf=-FAR)
    if (abs(np.diff(out, axis=0)).sum(axis=1) > 2 * FAR).any():
        for i in range(1, len(out)):
            gap = abs(out[i] - out[i - 1]).sum()
            if gap > 2 * FAR:
                out[i] = out[i - 1] + (out[i] - out[i - 1]) * (2 * FAR / gap)
    return np.clip(out, -2 * FAR, 2 * FAR)


def kept(points: np.ndarray) -> np.ndarray:
    """Which of the points after the first are far enough from the last that was kept."""
    keep = np.zeros(len(points) - 1, bool)
    x, y = points[0]
    for i, (nx, ny) in enumerate(points[1:].tolist()):
        if abs(nx - x) + abs(ny - y) >= 0.6 or i == len(keep) - 1:
            keep[i], x, y = True, nx, ny
    return keep


def _ranges(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where equal numbers begin and end."""
    cuts = np.flatnonzero(np.diff(column)) + 1
    return np.append(0, cuts), np.append(cuts, len(column))
