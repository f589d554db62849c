"""A Sheet as a picture without a browser: the charts of its stage, at a moment, on any canvas."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core import T
from ..palette import THEMES
from ..scene import Heat as Bands
from ..sheet import ABSENT, FAINT, FULL, HINT, WIDE, Arrows, Bars, Chart, Dots, Ground, Heat, Line, Mark, Regions, Ridges, Rule, Scale, Sheet, ends
from .picture import DASHES, DESIGN, LEADING, MARGIN, ROW, SMALLEST, TEXT, TITLE, Canvas, Look, Place, clipped, heat_pixels, marker, put, wrapped
from .raster import rgb
from .svg import Svg
from .words import SHEET, digits, power

ABOVE, BELOW, ASIDE, TICK = 28.0, 46.0, 10.0, 74.0  # around the plot of a chart; what the words of a tick want
ORDER = (Ground, Heat, Regions, Ridges, Bars, Line, Rule, Arrows, Dots)
UNDER = 18.0  # from one row of words under a scale to the next
FAR = 4000.0
ISOLINE = 0.8
BESIDE, APART = 6.0, 8.0  # from a line to its word, and between words
LEAST, NARROWEST, MOST = 90.0, 240.0, 6  # how high a plot must be and how wide a column, to be read; the most columns
SMALLER = 0.75  # are letters where there are many charts
SHORT = 4  # letters of which none is left out
SCALE = 12.0  # how wide is the scale of colours
FEW = 2.5  # decades that have marks inside them …
FINER = ((1, 2, 5), (1, 3), (1,))  # … as many as there is room for


class SheetPicture:
    """A sheet laid out: titles and scales stay, marks belong to a moment."""

    def __init__(self, sheet: Sheet, look: Look):
        self.sheet, self.look, self.theme = replace(sheet, charts=[c for c in sheet.charts if not c.aside]), look, THEMES[look.theme]
        self.unit = max(min(look.size[0] / DESIGN[0], look.size[1] / DESIGN[1]), SMALLEST)
        self.arrange()
        self.page = None if look.transparent else self.theme.page
        self.grounds: dict[Ground, np.ndarray] = {}

    def arrange(self) -> None:
        """The columns of the sheet where every chart can be read in them, else those that make the lowest highest, then with smaller letters."""
        ruler, sides, small = Svg(1, 1, None), self.look.size, max(self.unit * SMALLER, SMALLEST)
        for unit in (self.unit, small):
            self.unit, self.width, self.height = unit, sides[0] / unit, sides[1] / unit
            wide = self.width / (1 + self.leads)
            self.columns = min(self.sheet.columns, max(1, int(wide // 300)))
            if self.lowest(ruler, self.columns) < LEAST:
                self.columns = max(range(1, max(1, min(int(wide // NARROWEST), MOST)) + 1), key=partial(self.lowest, ruler))
            if self.lowest(ruler, self.columns) >= LEAST:
                break
        lacks = max(0.0, LEAST - self.lowest(ruler, self.columns)) * self.grid(self.columns)[1]
        self.tall = sides[1] + 2 * math.ceil(lacks * self.unit / 2)  # px that it wants to be high; a film has an even number of them

    def lowest(self, canvas: Canvas, columns: int) -> float:
        """How high the lowest plot is in so many columns."""
        self.head(canvas)
        every, rows, places = self.grid(columns)
        wide, high = (self.width - MARGIN) / every, (self.bottom - self.counter - self.top) / rows
        return min(tall * high - 8 - ROW - LEADING * len(self.names(canvas, chart, span * wide - MARGIN)) - ABOVE - BELOW
                   for chart, (_, _, span, tall) in places.items())

    @property
    def leads(self) -> bool:
        """Whether the first chart has the left half, and the others the right one."""
        return self.sheet.charts[0].lead and len(self.sheet.charts) > 1 and self.look.size[0] > self.look.size[1]

    def grid(self, columns: int) -> tuple[int, int, dict[Chart, tuple[int, int, int, int]]]:
        """How many columns and rows, and where each chart stands in them: column, row, and how many of both it takes."""
        charts, lead = self.sheet.charts, int(self.leads)
        rows = list(_rows(charts[lead:], columns))
        places = {charts[0]: (0, 0, columns, len(rows))} if lead else {}
        for j, row in enumerate(rows):
            at = columns * lead
            for chart, span in row:
                places[chart] = at, j, span, 1
                at += span
        return columns * (1 + lead), len(rows), places

    @property
    def steps(self) -> int:
        """The last moment."""
        return len(self.sheet.moments) - 1

    @property
    def anew(self) -> bool:
        """A moment shows what belongs to it alone."""
        return True

    def state(self, now: float) -> Hashable:
        """Which moment is shown."""
        return math.floor(now + 1e-9)

    def say(self, text: T) -> str:
        return str(getattr(text, self.look.language))

    def colour(self, name: str) -> str:
        """A theme's colour by its name, or a colour itself."""
        return str(getattr(self.theme, name, name))

    # --- what stays -------------------------------------------------------------------------------------------------------------------

    def head(self, canvas: Canvas) -> None:
        """What stands over and under the charts, and where they begin and end."""
        look, m = self.look, MARGIN
        self.title, self.caption = (wrapped(canvas, words, size, weight, self.width - 2 * m)
                                    for words, size, weight in ((look.title, TITLE, 600), (look.caption, TEXT, 400)))
        self.top = m + ROW * len(self.title)
        self.counter = ROW if look.counter and self.steps else 0.0
        self.bottom = self.height - m - LEADING * len(self.caption)

    def lay(self, canvas: Canvas) -> None:
        """Where each chart stands, in rows of one height."""
        self.head(canvas)
        m, (columns, rows, places) = MARGIN, self.grid(self.columns)
        high, wide = (self.bottom - self.counter - self.top) / rows, (self.width - m) / columns
        self.places = {chart: Place(m + at * wide, self.top + j * high, span * wide - m, tall * high - 8)
                       for chart, (at, j, span, tall) in places.items()}
        self.rooms = {chart: self.room(canvas, chart, place) for chart, place in self.places.items()}

    def room(self, canvas: Canvas, chart: Chart, p: Place) -> Room:
        """The plot of a chart."""
        names = self.names(canvas, chart, p.width)
        top = p.y + ROW + LEADING * len(names) + ABOVE
        return Room(canvas, chart, p, top, p.y + p.height - BELOW, self.look.language)

    def names(self, canvas: Canvas, chart: Chart, width: float) -> list[list[tuple[float, Mark, str]]]:
        """The legend, as many names a row as there is room for."""
        rows: list[list[tuple[float, Mark, str]]] = []
        x = 0.0
        for mark in [sample for m in chart.marks for sample in (m.legend if isinstance(m, Regions) else [m])] if self.look.legend else ():
            if isinstance(mark, (Ground, Ridges, Rule)) or mark.name is None or (isinstance(mark, Heat) and mark.colour is None):
                continue
            words = clipped(canvas, self.say(mark.name), TEXT, 400, width - 34)
            wide = 34 + canvas.measure(words, TEXT) + 18
            if not rows or x + wide > width + 18:
                rows, x = [*rows, []], 0.0
            rows[-1].append((x, mark, words))
            x += wide
        return rows

    def ground(self, canvas: Canvas, scale: float) -> None:
        """Titles, legends and scales."""
        for i, words in enumerate(self.title):
            canvas.text(self.width / 2, MARGIN + ROW * (i + 0.5), words, TITLE, self.theme.ink, 600, "center")
        for i, words in enumerate(self.caption):
            canvas.text(self.width / 2, self.bottom + LEADING * (i + 0.5), words, TEXT, self.theme.faint, 400, "center")
        for chart, p in self.places.items():
            canvas.text(p.x, p.y + ROW / 2, clipped(canvas, self.say(chart.title), TEXT + 2, 600, p.width), TEXT + 2, self.theme.ink, 600)
            for j, row in enumerate(self.names(canvas, chart, p.width)):
                for x, mark, words in row:
                    y = p.y + ROW + LEADING * (j + 0.5)
                    self.swatch(canvas, mark, p.x + x, y)
                    canvas.text(p.x + x + 34, y, words, TEXT, self.theme.ink)
            self.frame(canvas, chart, self.rooms[chart])

    def swatch(self, canvas: Canvas, mark: Any, x: float, y: float) -> None:
        colour = self.colour(mark.colour)
        if isinstance(mark, (Bars, Heat)):
            canvas.shape(_box(x, y - 6, x + 26, y + 6), colour, alpha=mark.alpha)
        elif isinstance(mark, Dots):
            if mark.hollow:
                canvas.line(_outline(mark.shape, x + 13, y, 6), colour, 2)
            else:
                put(canvas, mark.shape, x + 13, y, 6, colour)
        else:
            canvas.line(np.array([(x, y), (x + 26, y)]), colour, 3, DASHES[mark.dash], butt=True)

    def frame(self, canvas: Canvas, chart: Chart, r: Room) -> None:
        """The scales and what they are called."""
        theme, language = self.theme, self.look.language
        if chart.bare:
            return
        for v, words in r.up:
            y = float(r.py(v))
            canvas.line(np.array([(r.left, y), (r.right, y)]), theme.line, 1, butt=True, alpha=0.6)
            canvas.text(r.left - 8, y, words, TEXT, theme.faint, 400, "right")
        for i, (v, words) in enumerate(r.along):
            x = float(r.px(v))
            if not chart.x.words:
                canvas.line(np.array([(x, r.top), (x, r.bottom)]), theme.line, 1, butt=True, alpha=0.6)
            for j, row in enumerate(r.below[i] if r.below else [words]):
                half = canvas.measure(row, TEXT) / 2
                canvas.text(min(max(x, half), self.width - half - 2), r.bottom + 13 + UNDER * j, row, TEXT, theme.faint, 400, "center")
        canvas.line(np.array([(r.left, r.top), (r.left, r.bottom), (r.right, r.bottom)]), theme.line, 1.5, butt=True)
        canvas.text((r.left + r.right) / 2, r.bottom + 34 + UNDER * (r.deep - 1), getattr(chart.x.name, language), TEXT, theme.faint, 400, "center")
        up, beyond = getattr(chart.y.name, language), self.places[chart].x + self.places[chart].width
        canvas.text(self.places[chart].x, r.top - 18, clipped(canvas, up, TEXT, 400, self.places[chart].width), TEXT, theme.faint)
        if r.map is not None:
            left, high = r.right + 10, r.bottom - r.top
            parts = 1 - (np.arange(max(2, round(high * self.unit)))[:, None, None] + 0.5) / max(2, round(high * self.unit))
            cover = np.full((len(parts), 1, 1), 255.0 * r.map.alpha)
            canvas.within(left, r.top, SCALE, high).picture(np.rint(np.concatenate([self.shades(r.map, parts[..., 0]), cover], 2)).astype(np.uint8))
            for i, words in enumerate(r.numbers):
                if i != 1 or high > 3.5 * LEADING:
                    canvas.text(left + SCALE + 6, r.bottom - i / 2 * high + (i - 1) * 7, words, TEXT, theme.faint)
            words = getattr(r.map.name, language)
            if canvas.measure(up, TEXT) + canvas.measure(words, TEXT) + 20 < self.places[chart].width:
                canvas.text(beyond, r.top - 18, words, TEXT, theme.faint, 400, "right")

    # --- what belongs to a moment -------------------------------------------------------------------------------------------------------

    def grow(self, canvas: Canvas, before: float, now: float) -> None:
        """Nothing stays that came with time."""

    def marks(self, canvas: Canvas, now: float) -> None:
        """The marks of all charts, and the counter."""
        moment = math.floor(now + 1e-9)
        for chart, r in self.rooms.items():
            inside = canvas.within(r.left, r.top - 1, r.right - r.left, r.bottom - r.top + 2)
            for kind in ORDER:
                for mark in chart.marks:
                    if isinstance(mark, kind):
                        self.draw(inside, mark, r, moment)
        if self.look.counter and self.steps:
            canvas.text(self.width - MARGIN, self.bottom - ROW / 2, self.count(moment), TEXT, self.theme.ink, 400, "right")

    def count(self, moment: int) -> str:
        """Which moment of how many."""
        moments = self.sheet.moments
        first, last = moments[0], moments[-1]
        named = isinstance(first, str) or isinstance(last, str) or last <= first  # they go down, or are names
        told = SHEET["value" if named else "moment"]
        return self.say(told).format(unit=self.say(self.sheet.unit), k=moments[moment], n=last)

    def draw(self, inside: Canvas, mark: Mark, r: Room, moment: int) -> None:
        """One mark, in coordinates that begin at the plot's corner."""
        if isinstance(mark, Rule):
            self.rule(inside, mark, r)
        elif isinstance(mark, Ground):
            inside.picture(self.bands(mark, r, inside))
        elif isinstance(mark, Heat):
            inside.picture(self.cells(mark, r, moment, inside))
        elif isinstance(mark, Regions):
            inside.picture(self.regions(mark, r, moment, inside))
        elif isinstance(mark, Ridges):
            self.ridges(inside, mark, r, moment)
        elif isinstance(mark, Bars):
            sides = [at(v, 1, moment) for v in (mark.left, mark.right, mark.height)]
            base = np.maximum(at(mark.base, 1, moment) + 0 * sides[0], r.y[0] if r.chart.y.log else -np.inf)
            for left, right, height, floor in zip(*sides, base, strict=True):
                if np.isfinite([left, right, height]).all():
                    x, y = r.spot([left, right], [height, floor])
                    inside.shape(_box(x[0], min(y), max(x[1] - (x[1] - x[0] > 6), x[0] + 0.5), max(y)), self.colour(mark.colour), alpha=mark.alpha)
        else:
            self.stroke(inside, mark, r, moment)

    def stroke(self, inside: Canvas, mark: Line | Dots | Arrows, r: Room, moment: int) -> None:
        """What is drawn with lines or points."""
        colour = self.colour(mark.colour)
        x, y = (at(v, 1, moment) for v in (mark.x, mark.y))
        if isinstance(mark, Line):
            if mark.low is not None and mark.high is not None:
                low, high = (at(v, 1, moment) for v in (mark.low, mark.high))
                some = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
                if some.any():
                    around = np.stack(r.spot(np.append(x[some], x[some][::-1]), np.append(high[some], low[some][::-1])), 1)
                    inside.shape(around, colour, alpha=0.18 * mark.alpha)
            there = slice(None if mark.grown is None else int(at(mark.grown, 0, moment)))
            for part in _whole(np.stack(r.spot(x[there], y[there]), 1)):
                inside.line(part, colour, mark.width * 1.25, DASHES[mark.dash], alpha=mark.alpha)
        elif isinstance(mark, Dots):
            for px, py in np.stack(r.spot(x, y), 1)[np.isfinite(x) & np.isfinite(y)].tolist():
                if mark.hollow:
                    inside.line(_outline(mark.shape, px, py, mark.size * 1.2), colour, 2, alpha=mark.alpha)
                else:
                    put(inside, mark.shape, px, py, mark.size * 1.2, colour, self.theme.page, 2, alpha=mark.alpha)
        else:
            dx, dy = (at(v, 1, moment) for v in (mark.dx, mark.dy))
            begin, end = np.stack(r.spot(x + 0 * dx, y + 0 * dy), 1), np.stack(r.spot(x + dx, y + dy), 1)
            for a, b in zip(begin, end, strict=True):
                if np.isfinite([*a, *b]).all() and (long := float(np.hypot(*(b - a)))) > 0:
                    way, head = (b - a) / long, min(9.0, long)
                    side = np.array([-way[1], way[0]]) * head * 0.42
                    inside.line(np.stack([a, b - way * head / 2]), colour, mark.width * 1.25, DASHES[mark.dash], alpha=mark.alpha, butt=True)
                    inside.shape(np.stack([b, b - way * head + side, b - way * head - side]), colour, alpha=mark.alpha)

    def ridges(self, inside: Canvas, mark: Ridges, r: Room, moment: int) -> None:
        """A histogram on its side over each place."""
        edges = np.repeat(np.asarray(mark.edges, float), 2)[1:-1]
        for x, own in zip(np.asarray(mark.x, float), at(mark.counts, 2, moment), strict=True):
            if own.max(initial=0) > 0:
                across = x + WIDE * (np.concatenate([[0.0], np.repeat(own / own.max(), 2), [0.0]]) - 0.5)
                up = np.concatenate([edges[:1], edges, edges[-1:]])
                inside.shape(np.stack(r.spot(across, up), 1), self.colour(mark.colour), alpha=mark.alpha)

    def rule(self, inside: Canvas, mark: Rule, r: Room) -> None:
        """A line across, and its word beside it."""
        colour = self.colour(mark.colour)
        if mark.x is not None:
            x = float(r.px(mark.x)) - r.left
            inside.line(np.array([(x, 0), (x, inside.height)]), colour, 2, (6, 5), butt=True)
        else:
            y = float(r.py(mark.y)) - r.top + 1
            inside.line(np.array([(0, y), (inside.width, y)]), colour, 2, (6, 5), butt=True)
        if mark.word is None:
            return
        words = self.say(mark.word)
        own, ink = (np.array(rgb(c), float) for c in (colour, self.theme.ink))
        colour = "#" + bytes(np.rint(0.78 * own + 0.22 * ink).astype(np.uint8).tolist()).hex()  # words are to be read, too
        if mark.x is not None:
            row, after = self.beside(inside, r)[mark]
            inside.text(x + (BESIDE if after else -BESIDE), 14 + 20 * row, words, TEXT, colour, 600, "left" if after else "right", self.theme.page)
        else:
            words = clipped(inside, words, TEXT, 600, inside.width - 12)
            inside.text(inside.width - 6, y + (14 if y < 26 else -12), words, TEXT, colour, 600, "right", self.theme.page)

    def beside(self, inside: Canvas, r: Room) -> dict[Rule, tuple[int, bool]]:
        """Row and side of the word of each upright rule: on no other word, inside, across few other lines, high."""
        lines = sorted(((float(r.px(m.x)) - r.left, m) for m in r.chart.marks if isinstance(m, Rule) and m.x is not None), key=lambda each: each[0])
        taken: list[tuple[int, float, float]] = []
        places: dict[Rule, tuple[int, bool]] = {}
        for v, mark in lines:
            if mark.word is None:
                continue
            wide = inside.measure(self.say(mark.word), TEXT, 600)
            options = []
            for row in range(len(lines)):
                for after, a in ((True, v + BESIDE), (False, v - BESIDE - wide)):
                    over = any(other == row and a < d + APART and c < a + wide + APART for other, c, d in taken)
                    crossed = sum(a < other < a + wide for other, _ in lines)
                    options.append((over, a < 0 or a + wide > inside.width, 2 * crossed + row + 0.5 * (not after), row, after, a))
            *_, row, after, a = min(options)
            taken.append((row, a, a + wide))
            places[mark] = row, after
        return places

    def bands(self, mark: Ground, r: Room, inside: Canvas) -> np.ndarray:
        """The pixels of a ground."""
        if mark not in self.grounds:
            wide, high = max(1, round(inside.width * self.unit)), max(1, round(inside.height * self.unit))
            surface: Any = SimpleNamespace(value=partial(between, mark))
            known = mark.heat or Bands(surface, ((0, 1), (0, 1)), 0.0, float(mark.bands), 0.0, mark.bands)
            colours = heat_pixels(known, (*r.x, *r.y), self.theme, wide, high, ISOLINE * self.unit)
            self.grounds[mark] = np.concatenate([colours, np.full((*colours.shape[:2], 1), 255, np.uint8)], 2)
        return self.grounds[mark]

    def shades(self, mark: Heat, part: np.ndarray) -> np.ndarray:
        """The colours of values that are so far from the least to the most of a map."""
        v = 2 * part - 1 if mark.signed else mark.pale + (1 - mark.pale) * part
        none, most, least = (np.array(rgb(c), float) for c in (self.theme.page, self.theme.plus, self.theme.minus))
        return none + (np.where((v < 0)[..., None], least, most) - none) * np.abs(np.nan_to_num(v))[..., None]

    def cells(self, mark: Heat, r: Room, moment: int, inside: Canvas) -> np.ndarray:
        """The pixels of a map: each shows the cell that it lies in."""
        wide, high = max(1, round(inside.width * self.unit)), max(1, round(inside.height * self.unit))
        x, y = r.back((np.arange(wide) + 0.5) / wide, 1 - (np.arange(high) + 0.5) / high)
        column, row = (np.searchsorted(np.asarray(edges, float), v, "right") - 1 for edges, v in ((mark.x, x), (mark.y, y)))
        z = at(mark.z, 2, moment)
        inner = ((row >= 0) & (row < z.shape[0]))[:, None] & ((column >= 0) & (column < z.shape[1]))
        values = z[np.clip(row, 0, z.shape[0] - 1)[:, None], np.clip(column, 0, z.shape[1] - 1)]
        with np.errstate(all="ignore"):
            low, high_, values = (np.log10(v) if mark.log else np.asarray(v, float) for v in (mark.low, mark.high, values))
            part = np.clip((values - low) / ((high_ - low) or 1.0), 0, 1)
        colours = self.shades(mark, part)
        if mark.colour is not None:
            colours = np.broadcast_to(rgb(self.colour(mark.colour)), colours.shape)
        cover = 255.0 * mark.alpha * (inner & np.isfinite(values))[..., None]
        return np.rint(np.concatenate([colours, cover], 2)).astype(np.uint8)


    def regions(self, mark: Regions, r: Room, moment: int, inside: Canvas) -> np.ndarray:
        """The pixels of a map of kinds."""
        wide, high = max(1, round(inside.width * self.unit)), max(1, round(inside.height * self.unit))
        x, y = r.back((np.arange(wide) + 0.5) / wide, 1 - (np.arange(high) + 0.5) / high)
        kind, z = np.asarray(mark.which, int), np.asarray(mark.z, float)
        column, row = (np.rint((v - a) / ((b - a) or 1.0) * (n - 1)).astype(int)
                       for v, (a, b), n in ((x, mark.x, kind.shape[1]), (y, mark.y, kind.shape[0])))
        inner = ((row >= 0) & (row < kind.shape[0]))[:, None] & ((column >= 0) & (column < kind.shape[1]))
        at_ = np.clip(row, 0, kind.shape[0] - 1)[:, None], np.clip(column, 0, kind.shape[1] - 1)
        own = np.array([rgb(self.colour(colour)) for colour in (*mark.colours, self.theme.faint)], float)[kind[at_]]
        page, until = np.array(rgb(self.theme.page), float), float(at(mark.until, 0, moment))
        cover = shades(z, mark.low, mark.high, until)[at_][..., None]
        known = np.where(inner & (kind[at_] != ABSENT), 255.0, 0.0)[..., None]
        return np.rint(np.concatenate([page + (own - page) * cover, known], 2)).astype(np.uint8)


def shades(z: np.ndarray, low: float, high: float, until: float) -> np.ndarray:
    """How much of its colour each cell of a map of kinds shows."""
    with np.errstate(all="ignore"):
        part = np.clip((np.log1p(z) - np.log1p(low)) / ((np.log1p(high) - np.log1p(low)) or 1.0), 0, 1)
    return np.where(np.isfinite(z) & (z <= until), FULL - (FULL - FAINT) * np.nan_to_num(part), HINT)


class Room:
    """The plot of a chart: where its scales lie in the picture."""

    def __init__(self, canvas: Canvas, chart: Chart, p: Place, top: float, bottom: float, language: str):
        self.chart, self.top, self.bottom = chart, top, bottom
        self.x, self.y = ends(chart, "x"), ends(chart, "y")
        self.up, self.along, self.below, self.deep = [], [], [], 1
        self.map: Heat | None = None  # whose colours have a scale of their own
        self.numbers: list[str] = []
        if chart.bare:
            self.left, self.right, self.top, self.bottom = p.x, p.x + p.width, top - ABOVE, bottom + BELOW
            if chart.even:
                self.level()
            return
        many = max(2, int((self.bottom - top) // 30))
        self.up = ticks(chart.y, self.y, many, language)
        self.left = p.x + max(40.0, *(canvas.measure(words, TEXT) + 12 for _, words in self.up), 0.0)
        self.map = next((mark for mark in chart.marks if isinstance(mark, Heat) and mark.colour is None), None)
        if self.map is not None:
            low, high = self.map.low, self.map.high
            below, above = self.map.beyond
            self.numbers = [below + digits(low), digits(math.sqrt(low * high) if self.map.log else (low + high) / 2), above + digits(high)]
        aside = 16 + SCALE + max(canvas.measure(words, TEXT) for words in self.numbers) if self.map is not None else ASIDE
        self.right = max(p.x + p.width - aside, self.left + 20)
        each = (self.right - self.left) / max(len(chart.x.words), 1) - 6
        named = [getattr(word, language) for word in chart.x.words]
        self.below = [[words] if len(words) <= SHORT else wrapped(canvas, words, TEXT, 400, each) for words in named]
        self.deep = max(map(len, self.below), default=1)
        self.bottom = max(bottom - UNDER * (self.deep - 1), top + 20)
        if chart.even:
            self.level()
            self.up = ticks(chart.y, self.y, many, language)
        self.along = ticks(chart.x, self.x, max(2, int((self.right - self.left) // TICK)), language)

    def level(self) -> None:
        """One unit both ways: a map of kinds has no more room than it fills, others see more of their plane around the same middle."""
        sides = self.right - self.left, self.bottom - self.top
        unit = max((b - a) / long for (a, b), long in zip((self.x, self.y), sides, strict=True))
        if any(isinstance(mark, Regions) for mark in self.chart.marks):
            self.right, self.bottom = self.left + (self.x[1] - self.x[0]) / unit, self.top + (self.y[1] - self.y[0]) / unit
            return
        self.x, self.y = (((a + b - unit * long) / 2, (a + b + unit * long) / 2) for (a, b), long in zip((self.x, self.y), sides, strict=True))

    def px(self, v: Any) -> np.ndarray:
        return self.left + share(v, self.x, self.chart.x.log) * (self.right - self.left)

    def py(self, v: Any) -> np.ndarray:
        return self.bottom - share(v, self.y, self.chart.y.log) * (self.bottom - self.top)

    def spot(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Places in the plot's own coordinates."""
        return np.clip(self.px(x) - self.left, -FAR, FAR), np.clip(self.py(y) - self.top + 1, -FAR, FAR)

    def back(self, across: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values that shares of the plot's sides stand for."""
        def value(part: np.ndarray, low: float, high: float, log: bool) -> np.ndarray:
            return low * (high / low)**part if log else low + (high - low) * part
        return value(across, *self.x, self.chart.x.log), value(up, *self.y, self.chart.y.log)


def between(mark: Ground, x: Any, y: Any) -> np.ndarray:
    """A ground between its places, and as it is at its edge beyond them."""
    z, (i, u), (j, v) = np.asarray(mark.z, float), _along(mark.x, x), _along(mark.y, y)
    return (z[j, i] * (1 - u) + z[j, i + 1] * u) * (1 - v) + (z[j + 1, i] * (1 - u) + z[j + 1, i + 1] * u) * v


def _along(places: Any, v: Any) -> tuple[np.ndarray, np.ndarray]:
    """Which of some even places is before a value, and the share of the way to the next."""
    a = np.asarray(places, float)
    k = np.clip((v - a[0]) / (a[-1] - a[0]), 0, 1) * (len(a) - 1)
    i = np.minimum(k.astype(int), len(a) - 2)
    return i, k - i


def at(values: Any, dimensions: int, moment: int) -> np.ndarray:
    """The numbers of an array at a moment: those that move have a first axis of moments."""
    a = np.asarray(values, float)
    return a if a.ndim <= dimensions else a[min(moment, len(a) - 1)]


def share(v: Any, edges: tuple[float, float], log: bool) -> np.ndarray:
    """How far along a scale values lie; what is no number stays none."""
    with np.errstate(all="ignore"):
        low, high, v = (np.log10(np.maximum(a, 1e-300)) if log else np.asarray(a, float) for a in (*edges, v))
        return (v - low) / (high - low)


def ticks(scale: Scale, edges: tuple[float, float], most: int, language: str) -> list[tuple[float, str]]:
    """The marks of a scale: value and words, so many at most."""
    low, high = edges
    if scale.words:
        return [(float(i), getattr(word, language)) for i, word in enumerate(scale.words)]
    if scale.log and high / low > 4:
        a, b = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        if math.log10(high / low) < FEW:
            for inside in FINER:
                values = [v for p in range(a - 1, b + 1) for m in inside if low * (1 - 1e-9) <= (v := m * 10.0**p) <= high * (1 + 1e-9)]
                if len(values) <= most:
                    break
            return [(v, digits(v)) for v in values]
        every = max(1, math.ceil((b - a + 1) / most))
        return [(10.0**p, digits(10.0**p) if -2 <= p <= 3 else power(p)) for p in range(a, b + 1, every)]
    rough = (high - low) / most
    ten = 10.0 ** math.floor(math.log10(rough))
    size = ten * next(m for m in (1, 2, 5, 10) if m * ten >= rough * 0.999)
    first, places = math.ceil(low / size - 1e-9), max(0, -math.floor(math.log10(size) + 1e-9))
    values = [(first + i) * size for i in range(min(math.floor(high / size + 1e-9) - first, most + 2) + 1)]
    return [(v, f"{v:.{places}f}".replace("-", "−") if abs(v) < 1e5 and places < 5 else digits(v)) for v in values]


def _rows(charts: Any, columns: int) -> Iterator[list[tuple[Chart, int]]]:
    """Charts in rows, each with how many columns it takes."""
    row: list[tuple[Chart, int]] = []
    for chart in charts:
        span = min(chart.wide, columns)
        if sum(s for _, s in row) + span > columns:
            yield row
            row = []
        row.append((chart, span))
    if row:
        yield row


def _whole(points: np.ndarray) -> Iterator[np.ndarray]:
    """The pieces of a line between its gaps."""
    fine = np.isfinite(points).all(1)
    for part in np.split(np.arange(len(points)), np.flatnonzero(np.diff(fine)) + 1):
        if len(part) > 1 and fine[part[0]]:
            yield points[part]


def _outline(shape: int, x: float, y: float, r: float) -> np.ndarray:
    """The edge of a marker, closed."""
    corners = marker(shape, x, y, r)
    if corners is None:
        around = np.linspace(0, 2 * np.pi, 33)
        return np.stack([x + r * np.cos(around), y + r * np.sin(around)], 1)
    return np.concatenate([corners, corners[:1]])


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
