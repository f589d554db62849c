"""Networks in training as a picture without a browser: one with its diagram and its losses, or several beside each other."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..boundary import boundary_length
from ..core import Refused, T
from ..network_scene import NetworkScene, flow, network_scene
from ..palette import THEMES
from ..preparing import features
from ..scene import Panel
from ..wall import Wall
from . import network_curve
from .network_diagram import Diagram, corners
from .network_field import Plane, class_style, decide, field, ramp, shaded, value_scale
from .picture import (
    BOTTOM,
    DASHES,
    DESIGN,
    FLAT,
    LEADING,
    LEFT,
    LEFT_OUT,
    MARGIN,
    NARROW,
    RIGHT,
    ROW,
    SHARE,
    SMALLEST,
    TEXT,
    TITLE,
    TOP,
    Canvas,
    Look,
    Place,
    axes,
    clipped,
    level,
    put,
    wrapped,
)
from .raster import Raster, rgb
from .words import NETWORK, digits

GAP = 12.0  # between two cells
MOST_COLUMNS = 8
BESIDE = 1.25  # times as broad as high a picture must be for the network's diagram beside the field
LEAST = 52.0  # no field is lower to make room for the numbers under it
LINE, RING, STRIP = 18.0, 0.8, 26.0
NICE = (1, 1.5, 2, 3, 5, 7, 10)


def beyond(v: float) -> float:
    """At or beyond a number, no farther than need be: a limit that keeps still while a value changes a little."""
    if not v > 1e-9:
        return 0.0
    ten = 10.0 ** math.floor(math.log10(v))
    return ten * next(m for m in (*NICE, 20) if m * ten >= v * (1 - 1e-9))


@dataclass(eq=False)
class Pane:
    """One network: what is to be seen of it, and where."""

    scene: NetworkScene
    caption: T
    field: Place | None = None
    words: Place | None = None  # of its numbers

    def frame(self, now: float) -> int:
        """The last frame that is not after a moment."""
        return max(int(np.searchsorted(self.scene.frames.passes, now + 1e-9, "right")) - 1, 0)

    @cached_property
    def examples(self) -> np.ndarray:
        """The points as the network is shown them."""
        dots = self.scene.points
        assert dots is not None
        return self.scene.preparation(dots.x[:, None] if self.scene.inputs == 1 else features(np.stack([dots.x, dots.y], 1), self.scene.features))

    def seen(self, part: int) -> bool:
        """Whether the points of the training part, 0, or of the other are shown."""
        dots, hidden = self.scene.points, self.scene.look["hidden"]
        return dots is not None and ("train", "val")[part] not in hidden and (part == 0 or dots.train < len(dots.x))

    def shown(self) -> np.ndarray:
        """The numbers of the points that are shown."""
        dots = self.scene.points
        assert dots is not None
        each = np.arange(len(dots.x))
        return each[np.where(each < dots.train, self.seen(0), self.seen(1))]


class NetworkPicture:
    """A wall of networks laid out: every moment is a picture of its own."""

    anew = True

    def __init__(self, wall: Wall, look: Look):
        self.wall, self.look, self.theme, self.steps = wall, look, THEMES[look.theme], wall.last
        self.unit = max(min(look.size[0] / DESIGN[0], look.size[1] / DESIGN[1]), SMALLEST)
        self.width, self.height = look.size[0] / self.unit, look.size[1] / self.unit
        self.page = None if look.transparent else self.theme.page
        self.panes = [Pane(network_scene(cell.study, cell.trainer), cell.caption) for cell in wall.cells]
        self.alone = self.panes[0].scene if len(self.panes) == 1 else None
        if self.alone is None and any(pane.scene.points is None for pane in self.panes):
            raise Refused(NETWORK["no_plane"])
        self.scale, self.shades = 1.0, 255  # of the pixels that it is drawn on
        self.planes: dict[tuple[Pane, int, int], Plane] = {}
        self.layers: dict[Pane, tuple[int, Plane, list[np.ndarray]]] = {}
        self.stickers: dict[tuple[Pane, int, int, int], tuple[np.ndarray, np.ndarray]] = {}

    def say(self, text: T) -> str:
        return str(getattr(text, self.look.language))

    # --- where everything stands -----------------------------------------------------------------------------------------------------

    def lay(self, canvas: Canvas) -> None:
        """Where everything stands, as far as there is room; the canvas knows how wide words are."""
        m, asked, self.told = MARGIN, self.look, [0]
        room = self.width - 2 * m
        for name in ("", *LEFT_OUT):
            self.look = look = replace(self.look, **{name: LEFT_OUT[name]}) if name else asked
            self.title, self.caption = wrapped(canvas, look.title, TITLE, 600, room), wrapped(canvas, look.caption, TEXT, 400, room)
            self.rows = self.legend_rows(canvas) if look.legend or look.counter else []
            top = m + ROW * len(self.title) + 6 * bool(self.title)
            bottom = self.height - m - (LEADING * (len(self.caption) - 1) + ROW) * bool(self.caption)
            curves = max(110.0, 0.2 * self.height) if look.panel and self.alone else 0.0
            words = ROW * len(self.rows)
            self.plane = Place(m, top, room, bottom - top - curves - words - 6 * bool(words or curves))
            if self.plane.height >= max(FLAT, SHARE * self.height) and self.width >= NARROW:
                break
        self.look = look
        self.legend_at = self.plane.y + self.plane.height + 6
        chart, many = Place(m, self.legend_at + words, room, curves), 1 if self.alone is None or self.alone.frames.accuracy_train is None else 2
        self.charts = [Place(m + i * room / many, chart.y, room / many, curves) for i in range(many)] if curves and room / many > NARROW else []
        self.diagram: Diagram | None = None
        if self.alone is not None:
            self.single(self.alone, self.plane)
        else:
            self.grid(canvas, self.plane)

    def single(self, scene: NetworkScene, p: Place) -> None:
        """The network's diagram at the left, where there is room; its field."""
        (pane,) = self.panes
        if scene.points is None:
            self.diagram = Diagram(scene, p, self.theme)
        elif p.width >= BESIDE * p.height + 0.5 * p.height:
            self.diagram = Diagram(scene, Place(p.x, p.y, p.width - p.height - GAP, p.height), self.theme)
            pane.field = Place(p.x + p.width - p.height, p.y, p.height, p.height)
        else:
            pane.field = p

    def grid(self, canvas: Canvas, p: Place) -> None:
        """The cells row by row, beside and below their headings; without headings, as many a row as makes them large."""
        wall, headed = self.wall, bool(self.wall.row_heads or self.wall.column_heads)
        left = max((canvas.measure(self.say(head), TEXT) for head in wall.row_heads), default=-8.0) + 8
        left, top = min(left, 0.2 * p.width), LEADING + 4 if wall.column_heads else 0.0
        gap = GAP if len(self.panes) <= 16 else GAP / 2

        def inner(columns: int) -> tuple[Place, float]:
            rows = -(-len(self.panes) // columns)
            wide, high = (p.width - left + gap) / columns - gap, (p.height - top + gap) / rows - gap
            above = 0.0 if headed else LEADING * max(len(wrapped(canvas, self.say(pane.caption), TEXT, 600, wide)) for pane in self.panes)
            return Place(0, 0, wide, high - above), above

        def roomy(columns: int) -> float:
            cell, _ = inner(columns)
            return min(cell.width, cell.height - LINE - 6)
        columns = wall.columns if headed else max(range(1, min(len(self.panes), MOST_COLUMNS) + 1), key=roomy)
        cell, above = inner(columns)
        self.form, room = self.numbers_form(canvas, cell)
        both, lines = any(pane.seen(1) for pane in self.panes), int(cell.height / LINE)
        bounded = bool(self.panes[0].scene.labels) and all(pane.scene.inputs == 2 for pane in self.panes)
        many = {"long": 3, "short": 2, "beside": lines, "": 0}[self.form]
        self.told = [0, *[1] * both, *[2] * bounded][:many]
        beside, under = (room, 0.0) if self.form == "beside" else (0.0, room)
        side = min(cell.width - beside, cell.height - under)
        whole, wide, high = side + beside, cell.width + gap, above + side + under + gap
        down = (p.height - top - high * -(-len(self.panes) // columns) + gap) / 2
        self.heads: list[tuple[float, float, str, str, int]] = []
        for i, pane in enumerate(self.panes):
            row, column = divmod(i, columns)
            x, y = p.x + left + column * wide + (cell.width - whole) / 2, p.y + top + down + row * high + above
            pane.field = Place(x, y, side, side)
            pane.words = Place(x + side + 6, y, room, side) if beside else Place(x + side / 2, y + side, 0, LINE + 6) if self.form else None
            if not headed:
                said = wrapped(canvas, self.say(pane.caption), TEXT, 600, cell.width)
                self.heads += [(x + whole / 2, y - LEADING * (len(said) - k) + 10, words, "center", 600) for k, words in enumerate(said)]
            if column == 0 and wall.row_heads:
                head = clipped(canvas, self.say(wall.row_heads[row]), TEXT, 400, left - 8)
                self.heads.append((p.x + left - 8, y + side / 2, head, "right", 400))
            if row == 0 and wall.column_heads:
                head = clipped(canvas, self.say(wall.column_heads[column]), TEXT, 400, wide - 4)
                self.heads.append((x + whole / 2, y - top + 10, head, "center", 400))

    def numbers_form(self, canvas: Canvas, inner: Place) -> tuple[str, float]:
        """How the numbers of a cell are written, and the room that they take: under the field, beside it, or nowhere."""
        for form, widest in (("long", "100 % · 100 % · 00.00"), ("short", "100 · 100")):
            if inner.height - LINE - 6 >= LEAST and canvas.measure(widest, TEXT) <= inner.width:
                return form, LINE + 6
        beside = canvas.measure("0.000", TEXT) + 8
        return ("beside", beside) if inner.height >= LINE and inner.width - beside >= 0.7 * inner.height else ("", 0.0)

    # --- the legend ------------------------------------------------------------------------------------------------------------------

    def legend_items(self) -> list[tuple[str, str, int, bool]]:
        """Words with a colour, a mark, and whether it has a hole."""
        scene, theme = self.panes[0].scene, self.theme
        if scene.points is None or any(pane.scene.labels != scene.labels for pane in self.panes):
            return []
        items = [(name, *class_style(scene, theme, k), False) for k, name in enumerate(scene.labels[:12])]
        if not items and scene.inputs == 1:
            items = [(self.say(NETWORK[f"share_{sign}"]), colour, 1, False) for sign, colour in (("plus", theme.plus), ("minus", theme.minus))]
        elif not items:
            middle, half = value_scale(scene.points.label)
            items = [(digits(middle - half), theme.minus, 0, False), (digits(middle + half), theme.plus, 0, False)]
        if any(pane.seen(1) for pane in self.panes):
            items += [(self.say(NETWORK[f"{name}_name"]), theme.faint, 0, hole) for name, hole in (("train", False), ("val", True))]
        return items

    def legend_rows(self, canvas: Canvas) -> list[list[tuple[float, str, str, int, bool]]]:
        """As many marks with their words a row as there is room for; the counter has its own at the right. How it ended has a row."""
        rows: list[list[tuple[float, str, str, int, bool]]] = [[]]
        x, room = MARGIN + 4, self.width - 2 * MARGIN
        counter = canvas.measure(self.count(self.steps), TEXT) + 24 if self.look.counter else 0.0
        for words, *style in self.legend_items() if self.look.legend else ():
            words = clipped(canvas, words, TEXT, 400, 0.4 * room)
            wide = 18 + canvas.measure(words, TEXT) + 18
            if x + wide > room - counter and (rows[-1] or counter):
                rows.append([])
                x, counter = MARGIN + 4, 0.0
            rows[-1].append((x, words, *style))  # type: ignore[arg-type]
            x += wide
        return rows + [[]] * bool(self.sentence)

    @property
    def sentence(self) -> str:
        """How it ended; of several, what the numbers are."""
        if self.alone is None:
            words = self.say(NETWORK["numbers" if self.panes[0].scene.labels else "numbers_loss"]).split(" · ")
            return " · ".join(words[i] for i in self.told) if self.look.legend else ""
        return self.say(self.alone.sentence) if self.alone.sentence and self.look.legend else ""

    def below(self, canvas: Canvas, colour: str, weight: int) -> None:
        """The sentence, in the last row."""
        words = clipped(canvas, self.sentence, TEXT, weight, self.width - 2 * MARGIN - 8)
        canvas.text(MARGIN + 4, self.legend_at + ROW * (len(self.rows) - 0.5), words, TEXT, colour, weight)

    def count(self, k: int) -> str:
        return self.say(NETWORK["pass_of"]).format(k=k, n=self.steps)

    # --- what stays ------------------------------------------------------------------------------------------------------------------

    def ground(self, canvas: Canvas, scale: float) -> None:
        """All that is the same at every moment."""
        look, theme, p = self.look, self.theme, self.plane
        self.scale = scale
        if look.card:
            high = self.legend_at + ROW * len(self.rows) + (self.charts[0].height if self.charts else 0) - p.y
            card = canvas.within(p.x, p.y, p.width, high)
            card.picture(np.full((round(high * scale), round(p.width * scale), 3), rgb(theme.page), np.uint8))
        for i, words in enumerate(self.title):
            canvas.text(self.width / 2, MARGIN + ROW * (i + 0.5), words, TITLE, theme.ink, 600, "center")
        for i, words in enumerate(reversed(self.caption)):
            canvas.text(self.width / 2, self.height - MARGIN - ROW / 2 + 6 - LEADING * i, words, TEXT, theme.faint, 400, "center")
        for i, row in enumerate(self.rows):
            for x, words, colour, shape, hole in row:
                y = self.legend_at + ROW * (i + 0.5)
                put(canvas, shape, x + 7, y, 6.5, colour)
                if hole:
                    put(canvas, shape, x + 7, y, 3.5, theme.page)
                canvas.text(x + 20, y, words, TEXT, theme.ink)
        if self.alone is None:
            for x, y, words, align, weight in self.heads:
                canvas.text(x, y, words, TEXT, theme.ink, weight, align)
            if self.sentence:
                self.below(canvas, theme.faint, 400)
        if self.diagram:
            self.diagram.words(canvas)
        for c, (panel, _, lines) in zip(self.charts, self.curves, strict=False):
            axes(canvas, c, panel, self.steps, theme, self.say(NETWORK["pass_axis"]))
            self.polylines(canvas, c, panel, lines, self.steps, 0.25)

    @cached_property
    def curves(self) -> list[tuple[Panel, str, list[tuple[np.ndarray, str, int]]]]:
        """Losses and accuracies: their frame, what they are, and each with its colour and dash."""
        scene = self.alone
        if scene is None:
            return []
        f, both = scene.frames, scene.points is None or scene.points.train < len(scene.points.x)

        def pair(train: np.ndarray, val: np.ndarray) -> list[tuple[np.ndarray, str, int]]:
            return [(val, self.theme.faint, 1)] * both + [(train, self.theme.ink, 0)]
        loss = pair(f.loss_train, f.loss_val)
        high = min(max(float(line.max()) for line, *_ in loss), 3 * max(float(line[0]) for line, *_ in loss))
        out = [(Panel(0.0, 0.0, beyond(1.02 * high) or 1.0, False), "loss", loss)]
        if f.accuracy_train is not None and f.accuracy_val is not None:
            out.append((Panel(0.0, 0.0, 1.001, False), "accuracy", pair(f.accuracy_train, f.accuracy_val)))
        return out

    def figures(self, name: str, shown: float) -> dict[str, str]:
        """Loss or accuracy, in per cent, of a moment on both parts."""
        f, k = self.panes[0].scene.frames, self.panes[0].frame(shown)
        return {part: digits((100 if name == "accuracy" else 1) * float(getattr(f, f"{name}_{part}")[k])) for part in ("train", "val")}

    def polylines(self, canvas: Canvas, c: Place, panel: Panel, lines: Sequence[tuple[np.ndarray, str, int]], now: float, alpha: float) -> None:
        """Curves as far as a moment."""
        inside = canvas.within(c.x + LEFT, c.y + TOP, c.width - LEFT - RIGHT, c.height - TOP - BOTTOM)
        x = np.array(self.panes[0].scene.frames.passes)
        many = int(np.searchsorted(x, now + 1e-9, "right"))
        if many > 1:
            for line, colour, dash in lines:
                points = np.stack([x / max(self.steps, 1) * inside.width, level(panel, line, inside.height)], 1)[:many]
                inside.line(points, colour, 2.5, DASHES[dash], alpha=alpha)

    # --- what belongs to a moment ----------------------------------------------------------------------------------------------------

    def state(self, now: float) -> Hashable:
        """What the picture of a moment hangs on."""
        return tuple(pane.frame(now) for pane in self.panes)

    def grow(self, canvas: Canvas, before: float, now: float) -> None:
        """Nothing is added to what was there before."""

    def marks(self, canvas: Canvas, now: float) -> None:
        """All that a moment changes."""
        for pane in self.panes:
            if pane.field is not None:
                self.field(canvas, pane, pane.field, now)
        if self.diagram and self.alone is not None:
            k, (pane,) = self.panes[0].frame(now), self.panes
            _, plane, layers = self.layers.get(pane, (0, None, None))
            self.diagram.draw(canvas, k, layers, plane, self.scale, self.alone.look["neuron"])
        shown = max(pane.scene.frames.passes[pane.frame(now)] for pane in self.panes)
        if self.look.counter:
            canvas.text(self.width - MARGIN - 4, self.legend_at + ROW / 2, self.count(shown), TEXT, self.theme.ink, 400, "right")
        if self.alone and self.sentence and now >= self.alone.frames.passes[-1]:
            self.below(canvas, self.theme.ink, 600)
        for i, (c, (panel, name, lines)) in enumerate(zip(self.charts, self.curves, strict=False)):
            self.polylines(canvas, c, panel, lines, shown, 1.0)
            self.cursor(canvas, c, panel, lines, shown)
            y = c.y + c.height - BOTTOM - 10 if i else c.y + TOP + 8
            whole, words = (self.say(NETWORK[f"{name}{more}"]).replace("―", "—").replace("┄", "– –") for more in ("_now", ""))  # in any font
            whole = whole.format(**self.figures(name, shown))
            words = whole if canvas.measure(whole, TEXT) < c.width - LEFT - RIGHT - 16 else words
            halo = self.theme.page if self.look.card else self.page
            canvas.text(c.x + c.width - RIGHT - 8, y, words, TEXT, self.theme.faint, 400, "right", halo)

    def field(self, canvas: Canvas, pane: Pane, place: Place, now: float) -> None:
        """What the network says, the points, and which of them it takes for others."""
        scene, theme, k = pane.scene, self.theme, pane.frame(now)
        width, height = (max(round(side * self.scale), 2) for side in (place.width, place.height))
        if (pane, width, height) not in self.planes:
            self.planes[pane, width, height] = Plane.along(scene, width, height) if scene.inputs == 1 else Plane.of(
                scene, width, height, self.alone is None)
        plane = self.planes[pane, width, height]
        layers = flow(scene, plane.inputs, k)
        self.layers[pane] = k, plane, layers
        inside = canvas.within(place.x, place.y, place.width, place.height)
        if scene.inputs == 1:
            self.curve(inside, pane, place, plane, layers, k)
        else:
            self.area(inside, pane, place, plane, layers)
        if scene.labels and "wrong" not in scene.look["hidden"] and (scene.inputs == 2 or scene.look["neuron"] is None):
            self.errors(inside, pane, place, plane, k)
        edge = np.array([(0, 0), (place.width, 0), (place.width, place.height), (0, place.height), (0, 0)])
        inside.line(edge, theme.line, 2)
        if self.alone is None:
            self.ended(inside, pane, place, now)
        if pane.words:
            self.numbers(canvas, pane, pane.words, plane, layers[-1], k)

    def curve(self, inside: Canvas, pane: Pane, place: Place, plane: Plane, layers: Sequence[np.ndarray], k: int) -> None:
        """The answer over one input, before the points: where it is good they would hide it."""
        scene, theme = pane.scene, self.theme
        seen = replace(plane, view=(*plane.view[:2], *network_curve.heights(scene, layers)))
        network_curve.ground(inside, scene, seen, layers, theme, k, self.scale)
        if scene.look["neuron"] is None:
            self.dots(inside, pane, place, seen)
        for row, colour in network_curve.answers(scene, layers, theme):
            network_curve.trace(inside, row, seen, theme.page, 6 * self.fine(place))
            network_curve.trace(inside, row, seen, colour, 3.2 * self.fine(place))

    def area(self, inside: Canvas, pane: Pane, place: Place, plane: Plane, layers: Sequence[np.ndarray]) -> None:
        """The answer over the plane, and the points on it."""
        scene, theme = pane.scene, self.theme
        width, height = (max(round(side * self.scale), 2) for side in (place.width, place.height))
        pixels = field(scene, plane, layers, theme, scene.look["neuron"], scene.look["discrete"], self.scale * self.fine(place))
        if isinstance(inside, Raster):
            keep, add = self.sticker(pane, place, plane, width, height, inside.paper.shades)
            pixels = np.minimum(pixels * keep + add, 255).astype(np.uint8)
            inside.picture(pixels)
        else:
            inside.picture(pixels)
            self.dots(inside, pane, place, plane)

    def ended(self, inside: Canvas, pane: Pane, place: Place, now: float) -> None:
        """That one of several trains no more, where it came to that: on a strip of its field."""
        scene, last = pane.scene, pane.scene.frames.passes[-1]
        if scene.state not in ("diverged", "stopped") or now < last:
            return
        whole, short = (self.say(NETWORK[f"{scene.state}{more}"]).format(k=last) for more in ("_after", "_short"))
        words = whole if inside.measure(whole, TEXT, 600) < place.width - 12 else clipped(inside, short, TEXT, 600, place.width - 12)
        inside.shape(corners(Place(0, place.height - STRIP, place.width, STRIP)), self.theme.card, alpha=0.9)
        inside.text(6, place.height - STRIP / 2, words, TEXT, self.theme.ink, 600)

    def fine(self, place: Place) -> float:
        """How large marks are in a field: smaller in a small one."""
        return min(max(min(place.width, place.height) / 240, 0.4), 1.0)

    def radius(self, pane: Pane, place: Place) -> float:
        assert pane.scene.points is not None
        n = len(pane.scene.points.x)
        return (3.0 if n > 2000 else 4.2 if n > 600 else 6.0) * self.fine(place)

    def dots(self, inside: Canvas, pane: Pane, place: Place, plane: Plane) -> None:
        """The points; those for validation have a hole."""
        scene, theme, dots, r = pane.scene, self.theme, pane.scene.points, self.radius(pane, place)
        assert dots is not None
        x, y = plane.place(dots.x, dots.y)
        values = scene.kind == "values"
        if values:
            middle, half = value_scale(dots.label)
            shades = shaded(ramp(theme.page, theme.minus, theme.plus, 1.0), (dots.label - middle) / half)
        styles = [class_style(scene, theme, c) for c in range(len(scene.labels))]
        for i in pane.shown()[::-1].tolist():
            colour, shape = ("#{:02x}{:02x}{:02x}".format(*shades[i]), 0) if values else styles[int(dots.label[i])]
            px, py, edge = float(x[i] * place.width), float(y[i] * place.height), theme.ink if values else theme.page
            put(inside, shape, px, py, r, colour, edge, 2 if r > 3.5 else 1)
            if i >= dots.train:
                put(inside, shape, px, py, 0.55 * r, theme.page)

    def sticker(self, pane: Pane, place: Place, plane: Plane, width: int, height: int, shades: int) -> tuple[np.ndarray, np.ndarray]:
        """The points as what is left of every pixel under them and what is added: drawn once, for all moments."""
        key = pane, width, height, shades
        if key not in self.stickers:
            def on(ground: str) -> np.ndarray:
                paper = Raster(place.width, place.height, self.scale, ground, shades)
                self.dots(paper, pane, place, plane)
                return np.resize(paper.pixels, (height, width, 3)).astype(np.float32)
            black, white = on("#000000"), on("#ffffff")
            self.stickers[key] = (white - black) / 255, black + np.float32(0.5)
        return self.stickers[key]

    def errors(self, inside: Canvas, pane: Pane, place: Place, plane: Plane, k: int) -> None:
        """A ring around every point that is taken for another class."""
        dots, r = pane.scene.points, self.radius(pane, place) + RING * self.fine(place)
        assert dots is not None
        wrong = decide(flow(pane.scene, pane.examples, k)[-1]) != dots.label
        some = pane.shown()[wrong[pane.shown()]]
        angle = np.linspace(0, 2 * np.pi, 17)
        x, y = plane.place(dots.x[some], dots.y[some])
        if some.size:
            middles = np.stack([x * place.width, y * place.height], 1)
            inside.lines(list(middles[:, None] + r * np.stack([np.cos(angle), np.sin(angle)], 1)), self.theme.ink, 2.2 * self.fine(place), 1.0)

    def numbers(self, canvas: Canvas, pane: Pane, place: Place, plane: Plane, outputs: np.ndarray, k: int) -> None:
        """How well it does, and how long its boundary is."""
        f, theme = pane.scene.frames, self.theme
        if f.accuracy_train is not None and f.accuracy_val is not None:
            each = [digits(100 * float(row[k])) + " %" * (self.form == "long") for row in (f.accuracy_train, f.accuracy_val)]
        else:
            each = [digits(float(row[k]), 3 if self.form == "long" else 2) for row in (f.loss_train, f.loss_val)]
        parts = [each[i] if i < 2 else digits(boundary_length(outputs.reshape(*plane.shape, -1)), 2) for i in self.told]
        if self.form == "beside":
            for i, part in enumerate(parts):
                canvas.text(place.x, place.y + LINE * (i + 0.5), part, TEXT, theme.ink if i == 0 else theme.faint)
        else:
            canvas.text(place.x + place.width / 2, place.y + place.height / 2 + 1, " · ".join(parts), TEXT, theme.ink, 400, "center")

    def cursor(self, canvas: Canvas, c: Place, panel: Panel, lines: Sequence[tuple[np.ndarray, str, int]], shown: float) -> None:
        """The moment, as a line through the curves."""
        height, k = c.height - TOP - BOTTOM, self.panes[0].frame(shown)
        x = c.x + LEFT + shown / max(self.steps, 1) * (c.width - LEFT - RIGHT)
        canvas.line(np.array([(x, c.y + TOP), (x, c.y + c.height - BOTTOM)]), self.theme.ink, 1.5, butt=True)
        for line, colour, _ in lines:
            y = float(np.clip(level(panel, line[[k]], height)[0], 0, height))
            canvas.disc(x, c.y + TOP + y, 4.5, colour)
