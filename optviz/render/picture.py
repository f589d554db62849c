"""A Scene as a picture without a browser: where everything stands, and in which order it is drawn, on any canvas.

The stage (ui/web) is the same picture in motion under a hand; its sizes are those of its presentation, for the last row of a room.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..core import T
from ..minima import Box
from ..palette import THEMES, Style, Theme
from ..scene import Crowd, Heat, Path, Scene
from .raster import rgb
from .words import WORDS, digits, power

DESIGN = 960.0, 540.0  # the sizes below are those of this picture; a larger one has everything larger
MARGIN, TEXT, LINE = 14.0, 16.0, 4.0
HEAD, TITLE, ROW = 8.0, 26.0, 30.0  # a head's radius, a title's letters, the height of a row of words
ROOM, STRETCH = 1.04, 3.0  # around the box; beyond it the two scales differ
FAR = 8000.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 10.0, 26.0  # around the curves
DASHES: Sequence[tuple[float, ...]] = ((), (9, 5), (2, 5))
MANY = 60


class Canvas(Protocol):
    """What a picture is drawn on."""

    width: float
    height: float

    def within(self, x: float, y: float, width: float, height: float) -> Canvas: ...
    def picture(self, pixels: np.ndarray) -> None: ...
    def line(self, points: np.ndarray, colour: str, width: float, dash: Sequence[float] = ..., offset: float = ..., alpha: float = ...,
             butt: bool = ...) -> None: ...
    def lines(self, many: Sequence[np.ndarray], colour: str, width: float, alpha: float) -> None: ...
    def shape(self, points: np.ndarray, fill: str | None, edge: str | None = ..., width: float = ..., alpha: float = ...) -> None: ...
    def disc(self, x: float, y: float, r: float, fill: str | None, edge: str | None = ..., width: float = ..., alpha: float = ...) -> None: ...
    def text(self, x: float, y: float, words: str, size: float, colour: str, weight: int = ..., align: str = ..., halo: str | None = ...) -> None: ...
    def measure(self, words: str, size: float, weight: int = ...) -> float: ...


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
    return np.rint(ground + (tone - ground) * cover[:, :, None]).astype(np.uint8)


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


def put(canvas: Canvas, shape: int, x: float, y: float, r: float, fill: str, edge: str | None = None, width: float = 0.0, turn: float = 0.0) -> None:
    """A marker."""
    corners = marker(shape, x, y, r, turn)
    if corners is None:
        if edge:
            canvas.disc(x, y, r, None, edge, width)
        canvas.disc(x, y, r, fill)
    else:
        if edge:
            canvas.shape(corners, None, edge, width)
        canvas.shape(corners, fill)


# --- the picture -------------------------------------------------------------------------------------------------------------------


class Picture:
    """One scene laid out: a ground that stays, trails that grow, and marks that belong to one moment."""

    def __init__(self, scene: Scene, look: Look):
        self.scene, self.look, self.theme = scene, look, THEMES[look.theme]
        self.unit = min(look.size[0] / DESIGN[0], look.size[1] / DESIGN[1])
        self.width, self.height = look.size[0] / self.unit, look.size[1] / self.unit
        self.paths = [p for p in scene.paths if not p.muted]

    def say(self, text: T) -> str:
        return str(getattr(text, self.look.language))

    def lay(self, canvas: Canvas) -> None:
        """Where everything stands; the canvas knows how wide words are."""
        look, m = self.look, MARGIN
        self.rows = self.legend_rows(canvas) if look.legend or look.counter else []
        top = m + (ROW + 6) * bool(look.title)
        bottom = self.height - m - ROW * bool(look.caption)
        curves = max(110.0, 0.2 * self.height) if look.panel else 0.0
        words = ROW * len(self.rows)
        self.plane = Place(m, top, self.width - 2 * m, max(bottom - top - curves - words - 6 * bool(words or curves), 40.0))
        self.legend_at = self.plane.y + self.plane.height + 6
        self.chart = Place(m, self.legend_at + words, self.width - 2 * m, curves)
        self.view = fit(self.scene.heat.box, self.plane.width, self.plane.height)
        self.levels = {path: self.height_at(path.height, curves - TOP - BOTTOM) for path in self.paths}

    def px(self, x: Any) -> Any:
        return (x - self.view[0]) / (self.view[1] - self.view[0]) * self.plane.width

    def py(self, y: Any) -> Any:
        return (self.view[3] - y) / (self.view[3] - self.view[2]) * self.plane.height

    # --- what stays ----------------------------------------------------------------------------------------------------------------

    def ground(self, canvas: Canvas, scale: float) -> None:
        """All that is the same at every moment."""
        look, theme, p = self.look, self.theme, self.plane
        plane = canvas.within(p.x, p.y, p.width, p.height)
        plane.picture(heat_pixels(self.scene.heat, self.view, theme, round(p.width * scale), round(p.height * scale), 0.8 * scale))
        if look.title:
            canvas.text(self.width / 2, MARGIN + ROW / 2, look.title, TITLE, theme.ink, 600, "center")
        if look.caption:
            canvas.text(self.width / 2, self.height - MARGIN - ROW / 2 + 6, look.caption, TEXT, theme.faint, 400, "center")
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

    def legend_rows(self, canvas: Canvas) -> list[list[tuple[float, Path, str, str]]]:
        """Swatch, name and fate of each path, as many a row as there is room for; the counter has its own at the right."""
        rows: list[list[tuple[float, Path, str, str]]] = [[]]
        x, room = MARGIN + 4, self.width - 2 * MARGIN
        counter = canvas.measure(self.count(self.scene.steps), TEXT) + 24 if self.look.counter else 0
        for path in self.paths if self.look.legend else ():
            name, after = self.say(path.name), "" if path.end is None else self.say(WORDS["diverged_at"]).format(k=path.end)
            wide = 42 + canvas.measure(name, TEXT) + (canvas.measure(after, TEXT) + 8 if after else 0) + 26
            if x + wide > room - (counter if len(rows) == 1 else 0) and rows[-1]:
                rows.append([])
                x = MARGIN + 4
            rows[-1].append((x, path, name, after))
            x += wide
        return rows

    def swatch(self, canvas: Canvas, style: Style, x: float, y: float) -> None:
        canvas.line(np.array([(x, y), (x + 33, y)]), style.colour, 3.5, [d * 0.8 for d in DASHES[style.dash]], butt=True)
        put(canvas, style.shape, x + 16.5, y, 6.5, style.colour)

    def count(self, step: int) -> str:
        return self.say(WORDS["step_of"]).format(k=step, n=self.scene.steps)

    # --- what grows ----------------------------------------------------------------------------------------------------------------

    def grow(self, canvas: Canvas, before: float, now: float) -> None:
        """The trails and their curves between two moments."""
        p, c = self.plane, self.chart
        plane = canvas.within(p.x, p.y, p.width, p.height)
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
        with np.errstate(all="ignore"):
            x, y = self.px(crowd.points[0, first:last + 1]), self.py(crowd.points[1, first:last + 1])
        ways = [near(np.stack([x[:, m], y[:, m]], axis=1)) for m in range(x.shape[1])]
        plane.lines([way[np.append(True, kept(way))] for way in ways], crowd.style.colour, 1.5, 0.12 if len(ways) > 100 else 0.2)

    def frame_of(self, crowd: Crowd, moment: float) -> int:
        """The last of a crowd's pictures that is not after a moment."""
        return int(np.searchsorted(crowd.steps, moment, "right")) - 1

    def trail(self, plane: Canvas, path: Path, before: float, now: float) -> None:
        """A piece of a path, with a dot at every step that is far from the last."""
        last, first = min(now, ended(path)), max(math.floor(before), 0)
        if first >= last:
            return
        t = np.arange(first, math.ceil(last) + 1)
        with np.errstate(all="ignore"):
            points = np.stack([self.px(path.points[0, t]), self.py(path.points[1, t])], axis=1)
            if last < t[-1]:
                points[-1] = points[-2] + (points[-1] - points[-2]) * (last - t[-2])
            points = near(points)
        if len(points) < 2:
            return
        gaps = abs(points[1:] - points[:-1]).sum(axis=1)
        way = points[np.append(True, kept(points))]
        dash = DASHES[path.style.dash]
        offset = self.length(path, first) if dash else 0.0
        if len(way) > 2 or (way[0] != way[-1]).any():
            plane.line(way, path.style.colour, LINE, [d * LINE / 2.5 for d in dash], offset)
        whole = last == t[len(points) - 1]
        for x, y in points[1:][(gaps > 14) & (np.arange(1, len(points)) < len(points) - (0 if whole else 1))]:
            plane.disc(x, y, LINE * 1.05, path.style.colour)

    def length(self, path: Path, step: int) -> float:
        """How long a path is up to a step."""
        with np.errstate(all="ignore"):
            steps = np.hypot(np.diff(self.px(path.points[0, :step + 1])), np.diff(self.py(path.points[1, :step + 1])))
        return float(steps[steps < FAR].sum())

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

    def height_at(self, f: np.ndarray, height: float) -> np.ndarray:
        """Where heights stand in the panel, from its top."""
        p = self.scene.panel
        with np.errstate(all="ignore"):
            low, high, f = (np.log10(np.maximum(v, p.low * 1e-3)) if p.log else np.asarray(v, float) for v in (p.low, p.high, f - p.base * p.log))
            share = (f - low) / (high - low)
        return (1 - np.clip(np.where(np.isnan(share), 1.2, share), -0.2, 1.2)) * height

    # --- what belongs to a moment --------------------------------------------------------------------------------------------------

    def marks(self, canvas: Canvas, now: float) -> None:
        """Minima, start, heads with their names, and where the curves are."""
        p = self.plane
        plane = canvas.within(p.x, p.y, p.width, p.height)
        self.taken: list[tuple[float, float, float, float]] = []
        self.crowds(plane, now)
        self.minima(plane)
        self.handle(plane)
        places = [self.head_at(path, now) for path in self.paths]
        self.taken += [(x - HEAD, y - HEAD, 2 * HEAD, 2 * HEAD) for *_, x, y in places]  # no name covers a head
        for path, place in zip(self.paths, places, strict=True):
            self.head(plane, path, now, *place)
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
            for x, y in zip(self.px(crowd.points[0, k]), self.py(crowd.points[1, k]), strict=True):
                if -3 < x < plane.width + 3 and -3 < y < plane.height + 3:
                    plane.shape(np.array([(x - 2, y - 2), (x + 2, y - 2), (x + 2, y + 2), (x - 2, y + 2)]), crowd.style.colour, alpha=0.6)

    def minima(self, plane: Canvas) -> None:
        theme, named, small = self.theme, False, len(self.scene.dots) > MANY
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        for dot in self.scene.dots:
            x, y = self.px(dot.x), self.py(dot.y)
            if not (0 <= x <= plane.width and 0 <= y <= plane.height):
                continue
            if dot.best:
                r = np.where(np.arange(10) % 2, 4.5, 10.5)
                plane.shape(np.stack([x + r * np.cos(angle), y + r * np.sin(angle)], axis=1), theme.ink)
            elif small:
                plane.disc(x, y, 1.5, theme.ink, alpha=0.35)
            else:
                plane.disc(x, y, 5, theme.page, theme.ink, 2, alpha=0.7)
            if dot.best and not named:
                word = self.say(WORDS["optimum"])
                plane.text(x + 15, y - 13, word, TEXT, theme.ink, halo=theme.page)
                self.taken.append((x + 15, y - 24, plane.measure(word, TEXT), 22))
                named = True

    def handle(self, plane: Canvas) -> None:
        theme, word = self.theme, self.say(WORDS["start"])
        x, y = self.px(self.scene.start[0]), self.py(self.scene.start[1])
        plane.disc(x, y, 11, theme.page, theme.ink, 3.5)
        plane.disc(x, y, 4, theme.ink)
        width = plane.measure(word, TEXT)
        left = x - 18 - width if x + 18 + width > plane.width else x + 18
        plane.text(left, y, word, TEXT, theme.ink, halo=theme.page)
        self.taken.append((left, y - 11, width, 22))

    def head_at(self, path: Path, now: float) -> tuple[float, float, float, float]:
        """Where a head is, and where it is drawn: at the edge, if it has left the picture."""
        t = min(now, ended(path))
        k = math.floor(t)
        with np.errstate(all="ignore"):
            x, y = path.points[:, k] + ((path.points[:, k + 1] - path.points[:, k]) * (t - k) if t > k else 0)
            px, py = float(self.px(x)), float(self.py(y))
        hx, hy = (min(max(v if math.isfinite(v) else 0.0, 14.0), most - 14) for v, most in ((px, self.plane.width), (py, self.plane.height)))
        return px, py, hx, hy

    def head(self, plane: Canvas, path: Path, now: float, px: float, py: float, hx: float, hy: float) -> None:
        """The marker and the name of a path; where it left the picture, an arrow or a cross at the edge."""
        theme, over = self.theme, path.end is not None and now >= path.end
        out = not (0 < px < plane.width and 0 < py < plane.height)
        shape, turn = (4, math.pi / 4) if over else (2, math.atan2(py - hy, px - hx) + math.pi / 2) if out else (path.style.shape, 0.0)
        put(plane, shape, hx, hy, HEAD + over, path.style.colour, theme.page, 2.5, turn)
        text = self.say(path.short) + (" · " + self.say(WORDS["diverged_at"]).format(k=path.end) if over else "")
        width = plane.measure(text, TEXT + 1, 600)
        for dy in (-12, 13, -35, 36, -58, 59):
            for left in (hx + 15, hx - 15 - width):
                spot = (left, hy + dy - 11, width, 22.0)
                if self.covered(spot):
                    continue
                self.taken.append(spot)
                plane.text(left, hy + dy, text, TEXT + 1, theme.ink, 600, halo=theme.page)
                return

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
        c, theme, p = self.chart, self.theme, self.scene.panel
        left, right, top, bottom = c.x + LEFT, c.x + c.width - RIGHT, c.y + TOP, c.y + c.height - BOTTOM
        canvas.line(np.array([(left, top), (left, bottom), (right, bottom)]), theme.line, 1.5, butt=True)
        for value, text in axis(p.base, p.low, p.high, p.log, max(1, math.floor((bottom - top) / 26))):
            y = top + float(self.height_at(np.array([value]), bottom - top)[0])
            canvas.text(left - 8, y, text, TEXT, theme.faint, 400, "right")
        middle = (left + right) / 2
        for x, text, align in ((left, "0", "left"), (right, str(self.scene.steps), "right"), (middle, self.say(WORDS["step_axis"]), "center")):
            canvas.text(x, bottom + 15, text, TEXT, theme.faint, 400, align)
        name = self.say(WORDS["loss_above" if p.log and p.base else "loss"])
        canvas.text(right - 8, top + 8, name, TEXT, theme.faint, 400, "right", theme.page)


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


def ended(path: Path) -> int:
    """The last step at which a path has a place."""
    return path.points.shape[1] - 1 if path.end is None else path.end - 1


def near(points: np.ndarray) -> np.ndarray:
    """Points as far as a line can be drawn to them: what lies far outside keeps its direction from the one before."""
    if (abs(points) < FAR).all():
        return points
    out = np.nan_to_num(points, nan=FAR, posinf=FAR, neginf=-FAR)
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
