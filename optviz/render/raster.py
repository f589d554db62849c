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
CHUNK = 40  # px: a long piece of a line is drawn in boxes of this size, for most of its own box is empty


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb as numbers."""
    red, green, blue = bytes.fromhex(colour[1:7])
    return red, green, blue


class Strand(NamedTuple):
    """Pieces of a line that fades, as strong as each other: round at their ends, or straight; a point twice is a dot."""

    alpha: float
    pieces: Sequence[np.ndarray]
    width: float
    butt: bool = False


class Raster:
    """Pixels under coordinates that are `scale` pixels long; y goes down."""

    def __init__(self, width: float, height: float, scale: float, ground: str):
        self.width, self.height, self.scale = width, height, scale
        self.pixels = np.empty((round(height * scale), round(width * scale), 3), np.uint8)
        self.pixels[:] = rgb(ground)
        self.covered: dict[Hashable, np.ndarray] = {}  # by lines that are painted piece by piece

    def within(self, x: float, y: float, width: float, height: float) -> Raster:
        """The same pixels, where only those of a box can be painted; coordinates begin at its corner."""
        part = object.__new__(Raster)
        left, top = round(x * self.scale), round(y * self.scale)
        part.width, part.height, part.scale, part.covered = width, height, self.scale, self.covered
        part.pixels = self.pixels[top:top + round(height * self.scale), left:left + round(width * self.scale)]
        return part

    # --- what ----------------------------------------------------------------------------------------------------------------------

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
        self._stroke(pieces, colour, width, alpha, butt or bool(len(dash)), once)

    def lines(self, many: Sequence[np.ndarray], colour: str, width: float, alpha: float) -> None:
        """Many lines at once: where they cross they are not painted twice."""
        self._stroke([points * self.scale for points in many], colour, width, alpha, True)

    def fading(self, strands: Sequence[Strand], colour: str) -> None:
        """Lines of one colour and of many strengths: where they meet the strongest is seen."""
        covers = [(alpha, *covered) for alpha, pieces, width, butt in strands
                  if (covered := stroke([p * self.scale for p in pieces], width * self.scale / 2, butt, *self.pixels.shape[1::-1])) is not None]
        if not covers:
            return
        left, top = min(x for *_, x, _ in covers), min(y for *_, y in covers)
        whole = np.zeros((max(y + c.shape[0] for _, c, _, y in covers) - top, max(x + c.shape[1] for _, c, x, _ in covers) - left), np.float32)
        for alpha, cover, x, y in covers:
            part = whole[y - top:y - top + cover.shape[0], x - left:x - left + cover.shape[1]]
            np.maximum(part, alpha * cover, out=part)
        self._blend(whole, left, top, colour, 1.0)

    def shape(self, points: np.ndarray, fill: str | None, edge: str | None = None, width: float = 1.0, alpha: float = 1.0) -> None:
        """A small polygon over its edge."""
        p = points * self.scale
        if not (abs(p) < 1e5).all():
            return
        corner = np.floor(p.min(axis=0))
        fine = np.rint((p - corner) * FINER).astype(int)
        for colour, half in ((edge, width * self.scale / 2), (fill, 0.0)):
            if colour:
                cover, reach = _polygon(tuple(map(tuple, fine.tolist())), half)
                self._blend(cover, int(corner[0]) - reach, int(corner[1]) - reach, colour, alpha)

    def disc(self, x: float, y: float, r: float, fill: str | None, edge: str | None = None, width: float = 0.0, alpha: float = 1.0) -> None:
        """A circle in its ring."""
        s = self.scale
        x, y = (round(v * s * FINER) / FINER for v in (x, y))
        if not (abs(x) < 1e5 and abs(y) < 1e5):
            return
        for colour, more in ((edge, width / 2), (fill, -width / 2 if edge else 0.0)):
            if colour:
                cover, reach = _circle(x % 1, y % 1, (r + more) * s)
                self._blend(cover, math.floor(x) - reach, math.floor(y) - reach, colour, alpha)

    def text(self, x: float, y: float, words: str, size: float, colour: str, weight: int = 400, align: str = "left", halo: str | None = None) -> None:
        """Words whose middle is at y; a halo lets them be read on any ground."""
        size *= self.scale
        across = x * self.scale - {"left": 0.0, "right": 1.0, "center": 0.5}[align] * length(words, size, weight)
        cover, around, left, top = _written(words, size, weight, 2 * self.scale if halo else 0.0)
        left, top = round(across) + left, round(y * self.scale) + top
        if halo:
            self._blend(around, left, top, halo, 1.0)
        self._blend(cover, left, top, colour, 1.0)

    def measure(self, words: str, size: float, weight: int = 400) -> float:
        """How wide words are."""
        return length(words, size * self.scale, weight) / self.scale

    # --- how -----------------------------------------------------------------------------------------------------------------------

    def _stroke(self, pieces: Sequence[np.ndarray], colour: str, width: float, alpha: float, butt: bool, once: Hashable = None) -> None:
        if (covered := stroke(pieces, width * self.scale / 2, butt, *self.pixels.shape[1::-1])) is not None:
            cover, left, top = covered
            if once is not None:
                whole = self.covered.setdefault(once, np.zeros(self.pixels.shape[:2], np.float32))
                box = whole[top:top + cover.shape[0], left:left + cover.shape[1]]
                more = np.maximum(cover - box, 0)
                cover = more / (1 - alpha * box)  # of what can still be seen through it
                box += more
            self._blend(cover, left, top, colour, alpha)

    def _blend(self, cover: np.ndarray, left: int, top: int, colour: str, alpha: float) -> None:
        """A colour over what is there, as far as it covers."""
        rows, columns = self.pixels.shape[:2]
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + cover.shape[1], columns), min(top + cover.shape[0], rows)
        if x1 <= x0 or y1 <= y0:
            return
        cover = cover[y0 - top:y1 - top, x0 - left:x1 - left]
        under, tone = self.pixels[y0:y1, x0:x1], np.array(rgb(colour), np.float32)
        if cover.size < 4000:
            share = alpha * cover[:, :, None]
            under[:] = np.rint(under + (tone - under) * share).astype(np.uint8)
        else:
            some = cover > 0
            share = (alpha * cover[some])[:, None]
            under[some] = np.rint(under[some] + (tone - under[some]) * share).astype(np.uint8)


# --- covers: how much of each pixel something covers ---------------------------------------------------------------------------------


def stroke(pieces: Sequence[np.ndarray], half: float, butt: bool, columns: int, rows: int) -> tuple[np.ndarray, int, int] | None:
    """Of lines through points, inside so many columns and rows; where they meet they cover once."""
    if not pieces:
        return None
    reach = half + 1
    low = np.floor(np.min([p.min(axis=0) for p in pieces], axis=0) - reach)
    high = np.ceil(np.max([p.max(axis=0) for p in pieces], axis=0) + reach)
    left, top = (int(max(v, 0)) for v in low)
    right, bottom = (int(min(v, most)) for v, most in zip(high, (columns, rows), strict=True))
    if right <= left or bottom <= top:
        return None
    cover = np.zeros((bottom - top, right - left), np.float32)
    for ax, ay, bx, by, begins, ends in _segments(pieces):
        length = math.hypot(bx - ax, by - ay)
        if length == 0 and butt:
            continue
        ux, uy = ((bx - ax) / length, (by - ay) / length) if length else (1.0, 0.0)
        chunks = max(1, math.ceil(length / CHUNK))
        for k in range(chunks):
            cx, cy, ex, ey = (a + u * length * (k + n) / chunks for n in (0, 1) for a, u in ((ax, ux), (ay, uy)))
            x0, x1 = max(math.floor(min(cx, ex) - reach), left), min(math.ceil(max(cx, ex) + reach), right)
            y0, y1 = max(math.floor(min(cy, ey) - reach), top), min(math.ceil(max(cy, ey) + reach), bottom)
            if x1 <= x0 or y1 <= y0:
                continue
            gx, gy = np.arange(x0 + 0.5 - ax, x1 - ax, dtype=np.float32), np.arange(y0 + 0.5 - ay, y1 - ay, dtype=np.float32)[:, None]
            along, off = gx * ux + gy * uy, gx * uy - gy * ux
            here = np.clip(half + 0.5 - np.hypot(off, np.maximum(np.maximum(-along, along - length), 0)), 0, 1)
            if butt and begins:  # ends as straight as they are cut
                here *= np.clip(along + 0.5, 0, 1)
            if butt and ends:
                here *= np.clip(length - along + 0.5, 0, 1)
            box = cover[y0 - top:y1 - top, x0 - left:x1 - left]
            np.maximum(box, here, out=box)
    return cover, left, top


def _segments(pieces: Sequence[np.ndarray]) -> Iterator[tuple[float, float, float, float, bool, bool]]:
    """From where to where each straight piece goes, and whether its line begins or ends with it."""
    for p in pieces:
        last = len(p) - 2
        for i, ((ax, ay), (bx, by)) in enumerate(zip(p[:-1].tolist(), p[1:].tolist(), strict=True)):
            yield ax, ay, bx, by, i == 0, i == last


@lru_cache(maxsize=4096)
def _polygon(corners: tuple[tuple[int, int], ...], half: float) -> tuple[np.ndarray, int]:
    """Of a polygon in eighths of a pixel, wider by `half`; and how far its corner lies inside."""
    reach = math.ceil(half) + 2
    p = np.array(corners) / FINER + reach
    wide, high = (int(v) for v in np.ceil(p.max(axis=0)) + reach)
    image = Image.new("L", (wide * FINER, high * FINER))
    ImageDraw.Draw(image).polygon([tuple(v) for v in (p * FINER - 0.5).tolist()], fill=255)
    cover = np.asarray(image.reduce(FINER), np.float32) / 255
    if half:
        around = stroke([np.concatenate([p, p[:1]])], half, False, wide, high)
        assert around is not None
        line, left, top = around
        cover = cover.copy()
        box = cover[top:top + line.shape[0], left:left + line.shape[1]]
        np.maximum(box, line, out=box)
    return cover, reach


@lru_cache(maxsize=4096)
def _circle(x: float, y: float, r: float) -> tuple[np.ndarray, int]:
    """Of a circle around a place of the pixel that lies `reach` inside."""
    reach = math.ceil(r) + 1
    side = np.arange(2 * reach + 1, dtype=np.float32) + 0.5 - reach
    return np.clip(r + 0.5 - np.hypot(side - x, (side - y)[:, None]), 0, 1), reach


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
        across, joins = out[-1].across + face.getlength(out[-1].signs), True
        letter = across - face.getlength(sign) + (left + right) / 2, above * size - min(top, _ink(face, "x")[1])
    return out, across


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


@lru_cache(maxsize=4096)
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
