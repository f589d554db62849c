"""A canvas that writes SVG: the same picture as lines and letters, for print and for editing."""

from __future__ import annotations

import base64
import io
from collections.abc import Hashable, Sequence
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from .raster import Strand, length

FAMILY = "Inter, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"


class Svg:
    """Marks as elements; a canvas within another is a group that is cut off at its edges."""

    def __init__(self, width: float, height: float, ground: str | None, parts: list[str] | None = None, number: int = 0):
        self.width, self.height, self.groups = width, height, 0
        self.parts: list[str] = [] if parts is None else parts
        if ground:
            self.parts.append(f'<rect width="{_n(width)}" height="{_n(height)}" fill="{ground}"/>')

    def document(self, size: tuple[int, int], title: str, about: str) -> bytes:
        """The whole file; what is written is a text of a visitor nowhere but escaped."""
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" viewBox="0 0 {_n(self.width)} {_n(self.height)}" '
                f'font-family="{FAMILY}" stroke-linejoin="round">')
        told = f"<title>{escape(title)}</title><desc>{escape(about)}</desc>"
        return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, told, *self.parts, "</svg>\n"]).encode()

    def within(self, x: float, y: float, width: float, height: float) -> Svg:
        """An element of its own cuts off what is outside of it."""
        return _Within(self, x, y, width, height)

    def picture(self, pixels: np.ndarray) -> None:
        """Pixels that fill the canvas."""
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", optimize=True)
        self.parts.append(f'<image width="{_n(self.width)}" height="{_n(self.height)}" preserveAspectRatio="none" '
                          f'href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>')

    def line(self, points: np.ndarray, colour: str, width: float, dash: Sequence[float] = (), offset: float = 0.0, alpha: float = 1.0,
             butt: bool = False, once: Hashable = None) -> None:
        cap = "" if butt or len(dash) else ' stroke-linecap="round"'
        dashed = f' stroke-dasharray="{" ".join(map(_n, dash))}" stroke-dashoffset="{_n(offset)}"' if len(dash) else ""
        self.parts.append(f'<path d="{_way(points)}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{cap}{dashed}{_faint(alpha)}/>')

    def lines(self, many: Sequence[np.ndarray], colour: str, width: float, alpha: float) -> None:
        self.parts.append(f'<path d="{"".join(map(_way, many))}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{_faint(alpha)}/>')

    def fading(self, strands: Sequence[Strand], colour: str) -> None:
        """The faintest lie innermost: each group is fainter than what is drawn over it, and what it holds is painted once."""
        inner, before = "", 0.0
        for alpha, pieces, width, butt in sorted((strand for strand in strands if strand.pieces), key=lambda strand: strand.alpha):
            if inner and alpha > before:
                inner = f'<g opacity="{before / alpha:.4f}">{inner}</g>'
            cap = "" if butt else ' stroke-linecap="round"'
            inner += f'<path d="{"".join(map(_way, pieces))}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{cap}/>'
            before = alpha
        if inner:
            self.parts.append(f'<g opacity="{before:.4f}">{inner}</g>')

    def shape(self, points: np.ndarray, fill: str | None, edge: str | None = None, width: float = 1.0, alpha: float = 1.0) -> None:
        around = f' stroke="{edge}" stroke-width="{_n(width)}" paint-order="stroke"' if edge else ""
        self.parts.append(f'<path d="{_way(points)}Z" fill="{fill or "none"}"{around}{_faint(alpha)}/>')

    def disc(self, x: float, y: float, r: float, fill: str | None, edge: str | None = None, width: float = 0.0, alpha: float = 1.0) -> None:
        around = f' stroke="{edge}" stroke-width="{_n(width)}"' if edge else ""
        self.parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}" fill="{fill or "none"}"{around}{_faint(alpha)}/>')

    def text(self, x: float, y: float, words: str, size: float, colour: str, weight: int = 400, align: str = "left", halo: str | None = None) -> None:
        anchor = {"left": "", "right": ' text-anchor="end"', "center": ' text-anchor="middle"'}[align]
        around = f' stroke="{halo}" stroke-width="4" paint-order="stroke"' if halo else ""
        long = f' textLength="{_n(length(words, size, weight))}" lengthAdjust="spacingAndGlyphs"'  # another font shall not run into its neighbours
        self.parts.append(f'<text x="{_n(x)}" y="{_n(y + 0.27 * size)}" font-size="{_n(size)}" font-weight="{weight}" fill="{colour}"{anchor}{long}'
                          f"{around}>{escape(words)}</text>")

    def measure(self, words: str, size: float, weight: int = 400) -> float:
        return length(words, size, weight)


class _Within(Svg):
    """A part of another canvas: opened by its first mark, closed when the next one begins."""

    def __init__(self, whole: Svg, x: float, y: float, width: float, height: float):
        super().__init__(width, height, None, _Group(whole.parts, f'<svg x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}">'))


class _Group(list[str]):
    """Elements that are put into an element of their own, one by one."""

    def __init__(self, outer: list[str], opening: str):
        super().__init__()
        self.outer, self.opening = outer, opening

    def append(self, element: str) -> None:
        if self.outer and self.outer[-1].startswith(self.opening):
            self.outer[-1] = self.outer[-1].removesuffix("</svg>") + element + "</svg>"
        else:
            self.outer.append(f"{self.opening}{element}</svg>")


def _way(points: np.ndarray) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points.tolist())


def _faint(alpha: float) -> str:
    return "" if alpha == 1 else f' opacity="{_n(alpha)}"'


def _n(value: float) -> str:
    """A number no longer than a picture needs."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
