"""A canvas of pixels: antialiased lines, shapes and words in NumPy, for pictures that are made without a browser."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont as Face

FONTS = Path(__file__).parent.parent / "ui" / "web" / "fonts"
FINER = 8  # times, when a shape is filled: then counted
MUCH = 300_000  # pixels of lines that are computed at once: more would need much memory


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb as numbers."""
    red, green, blue = bytes.fromhex(colour[1:7])
    return red, green, blue


class Strand(NamedTuple):
    """Pieces of a line, as strong as each other: round at their ends, or straight; a point twice is a dot."""

    alpha: float
    pieces: Sequence[np.ndarray]
    width: float
    butt: bool = False


class Paper:
    """Pixels, and what waits to be painted on them until they are looked at: many lines at once cost little more than one."""

    def __init__(self, rows: int, columns: int, ground: str, shades: int):
        self.pixels = np.empty((rows, columns, 3), np.uint8)
        self.pixels[:] = rgb(ground)
        self.rows = self.pixels.reshape(rows, -1)
        self.waiting = list[Stroke | Print]()
        self.shades = shades
        self.cover = np.zeros(rows * columns, np.float32)  # what a line covers, while it is painted
        self.covered: dict[Hashable, np.ndarray] = {}  # by lines that are painted piece by piece

    def painted(self) -> np.ndarray:
        """The pixels, when all has been painted in its order."""
        waiting, self.waiting = self.waiting, []
        covered = iter(covers([what for what in waiting if isinstance(what, Stroke)]))
        for what in waiting:
            if isinstance(what, Print):
                what.pixels[:] = what.pixels * what.keep + what.add
            else:
                self._line(next(covered), what)
        return self.pixels

    def _line(self, covered: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], line: Stroke) -> None:
        places, flat = [row * self.pixels.shape[1] + column for row, column, _ in covered], self.pixels.reshape(-1, 3)
        for at, (_, _, cover) in zip(places, covered, strict=True):
            np.maximum.at(self.cover, at, cover)
        at = np.concatenate(places) if len(places) > 1 else places[0]
        share, self.cover[at] = self.cover[at], 0
        if line.once is not None:
            whole = self.covered.setdefault(line.once, np.zeros(self.cover.size, np.float32))
            before = whole[at]
            whole[at] = np.maximum(before, share)
            share = np.maximum(share - before, 0) / np.maximum(1 - before, 1e-6)  # of what can still be seen through it
        share = _rounded(share, self.shades)[:, None]
        flat[at] = flat[at] * (1 - share) + (np.array(rgb(line.colour), np.float32) * share + np.float32(0.5))


class Raster:
    """Pixels under coordinates that are `scale` pixels long; y goes down. A colour covers another in so many shades."""

    def __init__(self, width: float, height: float, scale: float, ground: str, shades: int = 255):
        self.width, self.height, self.scale = width, height, scale
        rows, columns = round(height * scale), round(width * scale)
        self.paper, self.box = Paper(rows, columns, ground, shades), (0, 0, columns, rows)

    def within(self, x: float, y: float, width: float, height: float) -> Raster:
        """The same pixels, where only those of a box can be painted; coordinates begin at its corner."""
        part = object.__new__(Raster)
        part.width, part.height, part.scale, part.paper = width, height, self.scale, self.paper
        x0, y0, x1, y1 = self.box
        left, top = x0 + round(x * self.scale), y0 + round(y * self.scale)
        part.box = left, top, min(left + round(width * self.scale), x1), min(top + round(height * self.scale), y1)
        return part

    @property
    def pixels(self) -> np.ndarray:
        """What is seen."""
        left, top, right, bottom = self.box
        return self.paper.painted()[top:bottom, left:right]

    # --- what ----------------------------------------------------------------------------------------------------------------------

    def twin(self) -> Raster:
        """Another that shows the same."""
        made = Raster(self.width, self.height, self.scale, "#000000", self.paper.shades)
        made.copy(self)
        return made

    def copy(self, of: Raster) -> None:
        """What another canvas of the same size shows."""
        self.pixels[:] = of.pixels

    def picture(self, pixels: np.ndarray) -> None:
        """Pixels that fill the canvas, over what is there as far as a fourth number says."""
        share = pixels[..., 3:].astype(np.float32) / 255
        self.pixels[:] = np.rint(self.pixels + (pixels[..., :3] - self.pixels.astype(np.float32)) * share) if share.size else pixels

    def line(self, points: np.ndarray, colour: str, width: float, dash: Sequence[float] = (), offset: float = 0.0, alpha: float = 1.0,
             butt: bool = False, once: Hashable = None) -> None:
        """A line through points (n, 2), round where it bends; `offset` is how much of the dashes has gone before, and a pixel is painted
        once by all the pieces of one name."""
        pieces = list(_dashes(points * self.scale, [d * self.scale for d in dash], offset * self.scale)) if len(dash) else [points * self.scale]
        self._stroke([Strand(alpha, pieces, width * self.scale, butt or bool(len(dash)))], colour, once)

    def lines(self, many: Sequence[np.ndarray], colour: str, width: float, alpha: float) -> None:
        """Many lines at once: where they cross they are not painted twice."""
        self.fading([Strand(alpha, many, width, True)], colour)

    def fading(self, strands: Sequence[Strand], colour: str) -> None:
        """Lines of one colour and of many strengths: where they meet the strongest is seen."""
        self._stroke([Strand(alpha, [p * self.scale for p in pieces], width * self.scale, butt) for alpha, pieces, width, butt in strands], colour)

    def shape(self, points: np.ndarray, fill: str | None, edge: str | None = None, width: float = 1.0, alpha: float = 1.0) -> None:
        """A small polygon over its edge."""
        x, y = (points * self.scale).T.tolist()
        if not all(abs(v) < 1e5 for v in x + y):
            return
        x0, y0 = min(x), min(y)
        (left, across), (top, down) = (divmod(round(v * FINER), FINER) for v in (x0, y0))
        # rounded from a corner of its own, a marker has the same form wherever it is
        fine = tuple([(across + round((u - x0) * FINER), down + round((v - y0) * FINER)) for u, v in zip(x, y, strict=True)])
        for colour, half in ((edge, width * self.scale / 2), (fill, 0.0)):
            if colour:
                self._stamp(_polygon(fine, half, colour, alpha, self.paper.shades), left, top)

    def disc(self, x: float, y: float, r: float, fill: str | None, edge: str | None = None, width: float = 0.0, alpha: float = 1.0) -> None:
        """A circle in its ring."""
        s = self.scale
        x, y = (round(v * s * FINER) / FINER for v in (x, y))
        if not (abs(x) < 1e5 and abs(y) < 1e5):
            return
        for colour, more in ((edge, width / 2), (fill, -width / 2 if edge else 0.0)):
            if colour:
                self._stamp(_circle(x % 1, y % 1, (r + more) * s, colour, alpha, self.paper.shades), math.floor(x), math.floor(y))

    def text(self, x: float, y: float, words: str, size: float, colour: str, weight: int = 400, align: str = "left", halo: str | None = None) -> None:
        """Words whose middle is at y; a halo lets them be read on any ground."""
        size *= self.scale
        across = x * self.scale - {"left": 0.0, "right": 1.0, "center": 0.5}[align] * length(words, size, weight)
        self._stamp(_sign(words, size, weight, colour, halo, 2 * self.scale, self.paper.shades), round(across), round(y * self.scale))

    def measure(self, words: str, size: float, weight: int = 400) -> float:
        """How wide words are."""
        return length(words, size * self.scale, weight) / self.scale

    # --- how -----------------------------------------------------------------------------------------------------------------------

    def _stroke(self, strands: Sequence[Strand], colour: str, once: Hashable = None) -> None:
        """Lines in pixels."""
        parts = [(p, (width / 2, alpha, butt, *self.box)) for alpha, pieces, width, butt in strands for p in pieces if len(p) > 1]
        if parts:
            corner = np.array(self.box[:2])
            self.paper.waiting.append(Stroke([p + corner for p, _ in parts], [how for _, how in parts], colour, once))

    def _stamp(self, stamp: Stamp, left: int, top: int) -> None:
        """What is there, changed inside of a box."""
        keep, add = stamp.keep, stamp.add
        (x0, y0, x1, y1), (high, wide) = self.box, keep.shape
        left, top = left + stamp.left + x0, top + stamp.top + y0
        if left < x0 or top < y0 or left + wide // 3 > x1 or top + high > y1:
            inside = np.s_[max(y0 - top, 0):max(y1 - top, 0), 3 * max(x0 - left, 0):3 * max(x1 - left, 0)]
            keep, add, left, top = keep[inside], add[inside], max(left, x0), max(top, y0)
        pixels = self.paper.rows[top:top + keep.shape[0], 3 * left:3 * left + keep.shape[1]]
        self.paper.waiting.append(Print(pixels, keep, add))


class Stroke(NamedTuple):
    """Lines through points; of each piece half its width, its strength, whether its ends are cut, and the box it is drawn in."""

    pieces: Sequence[np.ndarray]
    how: Sequence[tuple[float, ...]]
    colour: str
    once: Hashable = None


class Print(NamedTuple):
    """What is left of some pixels, and what is added to them."""

    pixels: np.ndarray
    keep: np.ndarray
    add: np.ndarray


class Stamp(NamedTuple):
    """The same for any place, three numbers a pixel, around a corner."""

    keep: np.ndarray
    add: np.ndarray
    left: int
    top: int


def over(cover: np.ndarray, left: int, top: int, colour: str, alpha: float, shades: int) -> Stamp:
    """A colour as far as it covers."""
    share = np.repeat(_rounded(alpha * cover, shades), 3, axis=1)
    return Stamp(1 - share, share * np.tile(np.array(rgb(colour), np.float32), cover.shape[1]) + np.float32(0.5), left, top)


def _rounded(share: np.ndarray, shades: int) -> np.ndarray:
    """Shares in so many steps: few colours are few bytes."""
    return np.rint(share * shades) * np.float32(1 / shades)


# --- covers: how much of each pixel something covers ---------------------------------------------------------------------------------


def covers(strokes: Sequence[Stroke]) -> list[list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Of each stroke rows and columns of pixels, some more than once, and how far they are covered."""
    found: list[list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = [[] for _ in strokes]
    pieces = [p for stroke in strokes for p in stroke.pieces]
    if not pieces:
        return found
    counts = np.array([len(p) - 1 for p in pieces])
    last = np.cumsum(counts) - 1
    how = np.repeat(np.array([(i, *h) for i, stroke in enumerate(strokes) for h in stroke.how], float), counts, axis=0)
    cut = np.zeros((len(how), 2))
    cut[last - counts + 1, 0] = cut[last, 1] = 1
    lines = np.hstack([*(np.concatenate([p[part] for p in pieces]) for part in (np.s_[:-1], np.s_[1:])), how[:, 3:4] * cut, how])
    size = (np.hypot(*(lines[:, 2:4] - lines[:, :2]).T) + 10) * (2 * how[:, 1] + 1)
    for some in np.split(lines, np.flatnonzero(np.diff(np.cumsum(size) // MUCH)) + 1):
        of, row, column, cover = _near(some.T)
        numbers = some[:, 6].astype(int)
        ends = np.searchsorted(of, np.flatnonzero(np.diff(numbers)) + 1)
        for number, *part in zip(dict.fromkeys(numbers.tolist()), *(np.split(values, ends) for values in (row, column, cover)), strict=True):
            found[number].append((part[0], part[1], part[2]))
    return found


def _near(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The pixels that straight pieces touch: of which piece, row, column, and how far they are covered."""
    ax, ay, bx, by, begins, ends, _, half, alpha, butt, x0, y0, x1, y1 = lines
    dx, dy, reach = bx - ax, by - ay, half + 0.5
    length = np.hypot(dx, dy)
    some = length > 0
    ux, uy = np.divide(dx, length, out=np.ones_like(dx), where=some), np.divide(dy, length, out=np.zeros_like(dy), where=some)
    steep = np.maximum(abs(uy), 1e-6)
    # which rows it can touch, and which pixels of such a row: they lie along the line, between its ends
    of, row = _each(np.maximum(np.minimum(ay, by) - reach, y0), np.minimum(np.maximum(ay, by) + reach, y1))
    gy = row + 0.5 - ay.take(of)
    middle, wide = ax[of] + gy * (ux / np.copysign(steep, uy))[of], (reach / steep)[of]
    left, right = np.maximum(np.minimum(ax, bx) - reach, x0), np.minimum(np.maximum(ax, bx) + reach, x1)
    which, column = _each(np.maximum(left[of], middle - wide), np.minimum(right[of], middle + wide))
    of, row, gy = of[which], row[which], gy[which]
    gx, ux, uy, long = column + 0.5 - ax[of], ux[of], uy[of], length[of]
    along, off = gx * ux + gy * uy, gx * uy - gy * ux
    beyond = np.maximum(np.maximum(-along, along - long), 0)
    cover = np.minimum(np.maximum(reach[of] - np.sqrt(off * off + beyond * beyond), 0), 1) * (alpha * np.maximum(some, butt == 0))[of]
    if begins.any() or ends.any():  # those are as straight as they are cut
        cover *= np.where(begins[of], np.clip(along + 0.5, 0, 1), 1) * np.where(ends[of], np.clip(long - along + 0.5, 0, 1), 1)
    return of, row, column, cover.astype(np.float32)


def _each(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pixels whose middles lie in some ranges, one after another: of which, and the pixel."""
    first = np.floor(begin + 0.5).astype(int)
    many = np.maximum(np.floor(end + 0.5).astype(int) - first, 0)
    of = np.repeat(np.arange(len(many)), many)
    return of, np.arange(len(of)) + (first - np.cumsum(many) + many)[of]


@lru_cache(maxsize=1024)
def _polygon(corners: tuple[tuple[int, int], ...], half: float, colour: str, alpha: float, shades: int) -> Stamp:
    """A polygon in eighths of a pixel, wider by `half`."""
    reach = math.ceil(half) + 2
    p = np.array(corners) / FINER + reach
    wide, high = (int(v) for v in np.ceil(p.max(axis=0)) + reach)
    image = Image.new("L", (wide * FINER, high * FINER))
    ImageDraw.Draw(image).polygon([tuple(v) for v in (p * FINER - 0.5).tolist()], fill=255)
    cover = np.asarray(image.reduce(FINER), np.float32) / 255
    if half:
        cover = cover.copy()
        (((row, column, line),),) = covers([Stroke([np.concatenate([p, p[:1]])], [(half, 1.0, False, 0, 0, wide, high)], colour)])
        np.maximum.at(cover, (row, column), line)
    return over(cover, -reach, -reach, colour, alpha, shades)


@lru_cache(maxsize=1024)
def _circle(x: float, y: float, r: float, colour: str, alpha: float, shades: int) -> Stamp:
    """A circle around a place of a pixel."""
    reach = math.ceil(r) + 1
    side = np.arange(2 * reach + 1, dtype=np.float32) + 0.5 - reach
    return over(np.clip(r + 0.5 - np.hypot(side - x, (side - y)[:, None]), 0, 1), -reach, -reach, colour, alpha, shades)


def _dashes(p: np.ndarray, dash: Sequence[float], offset: float) -> Iterator[np.ndarray]:
    """The drawn pieces of a dashed line."""
    period, (on, _) = sum(dash), dash
    steps = np.hypot(*np.diff(p, axis=0).T)
    p, steps = p[np.append(True, steps > 0)], steps[steps > 0]
    at = np.append(0.0, np.cumsum(steps))
    begin = -(offset % period)
    while begin < at[-1]:
        a, b = max(begin, 0.0), min(begin + on, at[-1])
        if b > a:
            inner = (at > a) & (at < b)
            ends = np.array([[np.interp(v, at, p[:, 0]), np.interp(v, at, p[:, 1])] for v in (a, b)])
            yield np.concatenate([ends[:1], p[inner], ends[1:]])
        begin += period


# --- words -------------------------------------------------------------------------------------------------------------------------

FACES = "text", "math", "formula"  # the first that knows a sign writes it
MISSING = "□"  # for a sign that none knows: whoever looks at the picture shall miss it
SMALL, RAISED, LOWERED = 0.64, 0.34, -0.16  # of a superscript or subscript that no font has: its size, and where it stands
OVER, GAP = 230, 0.07  # the marks that stand over a letter, and how far
INSTEAD = {"\u0307": (".", 1.0), "\u20d7": ("→", 0.6)}  # a mark that no font has: the sign that is set over the letter, and its size


class Piece(NamedTuple):
    """Signs of one font: how far from the beginning of the words, and how far above their line."""

    signs: str
    face: Face
    across: float
    above: float


@lru_cache(maxsize=128)
def font(name: str, size: float, weight: int, single: bool = False) -> Face:
    """One of the shipped fonts; only the one for text has weights. A `single` mark is not put on a ring of dots, as a shaper would."""
    made = ImageFont.truetype(FONTS / f"{name}.woff2", size, layout_engine=ImageFont.Layout.BASIC if single else None)
    if name == "text":
        made.set_variation_by_axes([weight])
    return made


@lru_cache(maxsize=4096)
def has(name: str, sign: str) -> bool:
    """Whether a font knows a sign."""
    f = font(name, 20, 400, True)
    return bytes(f.getmask(sign)) != bytes(f.getmask("\uffff")) or sign.isspace()


def face_of(sign: str) -> str | None:
    """The font that writes a sign."""
    return next((name for name in FACES if has(name, sign)), None)


def _signs(words: str) -> Iterator[tuple[str, str, float, float, bool]]:
    """What is drawn for each sign: a sign, its font, its size and height as shares of the letters', and whether it is a mark over the last."""
    whole = unicodedata.normalize("NFC", words)
    for sign in "".join(sign if face_of(sign) else unicodedata.normalize("NFD", sign) for sign in whole):
        name, (how, _, letter) = face_of(sign), unicodedata.decomposition(sign).partition(" ")
        over = unicodedata.combining(sign) == OVER
        if over and sign in INSTEAD:
            yield INSTEAD[sign][0], "text", INSTEAD[sign][1], 0.0, True
        elif name:
            yield sign, name, 1.0, 0.0, over
        elif how in ("<super>", "<sub>") and (name := face_of(chr(int(letter, 16)))):
            yield chr(int(letter, 16)), name, SMALL, RAISED if how == "<super>" else LOWERED, False
        elif unicodedata.category(sign) not in ("Mn", "Me", "Cf"):  # those are seen with their letter only
            yield MISSING, "text", 1.0, 0.0, False


@lru_cache(maxsize=4096)
def laid(words: str, size: float, weight: int) -> tuple[list[Piece], float]:
    """Words cut where another font has to help, and how long they are; a mark is set over the middle of its letter, for not every shaper can."""
    out, across, letter = list[Piece](), 0.0, (0.0, 0.0)  # the middle of the last letter, and how high it reaches
    joins = False
    for sign, name, share, above, over in _signs(words):
        face = font(name, share * size, weight, over)
        left, top, right, bottom = _ink(face, sign)
        if over and not out:  # it has no letter
            continue
        if over:
            lift = letter[1] + GAP * size + bottom
            out.append(Piece(sign, face, letter[0] - (left + right) / 2, lift))
            letter, joins = (letter[0], lift - top), False
            continue
        if joins and (out[-1].face, out[-1].above) == (face, above * size):
            out[-1] = out[-1]._replace(signs=out[-1].signs + sign)
        else:
            out.append(Piece(sign, face, across, above * size))
        across, joins = out[-1].across + _long(face, out[-1].signs), True
        letter = across - _long(face, sign) + (left + right) / 2, above * size - min(top, _ink(face, "x")[1])
    return out, across


@lru_cache(maxsize=4096)
def _long(face: Face, signs: str) -> float:
    """How long signs are."""
    return face.getlength(signs)


@lru_cache(maxsize=4096)
def _ink(face: Face, sign: str) -> tuple[float, float, float, float]:
    """The box of what is black of a sign, around the beginning of its line."""
    mask, (x, y) = face.getmask2(sign, "L", anchor="ls")
    left, top, right, bottom = mask.getbbox() or (0, 0, 0, 0)
    return x + left, y + top, x + right, y + bottom


def length(words: str, size: float, weight: int) -> float:
    """How long words are, in pixels."""
    n = _finer(size)
    return laid(words, n * size, weight)[1] / n


def _finer(size: float) -> int:
    """How much larger letters are drawn, and then made small: else small ones stand on whole pixels, and apart as it happens."""
    return 4 if size < 32 else 1


@lru_cache(maxsize=256)
def _sign(words: str, size: float, weight: int, colour: str, halo: str | None, wide: float, shades: int) -> Stamp:
    """Words over their halo, around the beginning of their line."""
    cover, around, left, top = _written(words, size, weight, wide if halo else 0.0)
    rows, columns = (np.flatnonzero(around.any(axis=axis)) for axis in (1, 0))
    seen = np.s_[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] if rows.size else np.s_[0:0, 0:0]
    ink = over(cover[seen], left + seen[1].start, top + seen[0].start, colour, 1.0, shades)
    if not halo:
        return ink
    below = over(around[seen], 0, 0, halo, 1.0, max(shades // 8, 1))  # on pale ground its edge is not seen
    return ink._replace(keep=below.keep * ink.keep, add=(below.add - np.float32(0.5)) * ink.keep + ink.add)


def _written(words: str, size: float, weight: int, halo: float) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Of words and of their halo, and where their box lies around the beginning of their line, at half the height of a small letter."""
    n = _finer(size)
    (pieces, long), middle = laid(words, n * size, weight), font("text", n * size, weight).getbbox("x", anchor="ls")[1] / 2
    edge = math.ceil(halo) + 1
    wide, high = math.ceil(long / n) + 2 * edge + round(size), round(2 * size) + 2 * edge
    layers = [Image.new("L", (n * wide, n * high)) for _ in range(2)]
    for layer, stroke in zip(layers, (0.0, halo), strict=True):
        draw = ImageDraw.Draw(layer)
        for signs, face, across, above in pieces:
            draw.text((n * edge + across, n * high / 2 - middle - above), signs, 255, face, "ls", stroke_width=n * stroke)
    cover, around = (np.asarray(layer.reduce(n), np.float32) / 255 for layer in layers)
    return cover, around, -edge, -(high // 2)
