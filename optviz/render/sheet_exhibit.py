"""A sheet of charts to be taken home, in every medium that a race has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core import T
from ..sheet import Chart, Ground, Heat, Mark, Regions, Rule, Sheet, moments_of
from .exhibit import Exhibit
from .options import SIDES, Options
from .sheet_picture import SheetPicture
from .slide import Content, of_sheet

USELESS = ("tail", "arrows", "sliders", "panel")


@dataclass(frozen=True, eq=False)
class SheetExhibit(Exhibit):
    """Charts, with or without a playhead."""

    sheet: Sheet

    @property
    def link(self) -> str:
        return f"{self.lab}?{self.query}"

    @property
    def key(self) -> Hashable:
        return self.lab, self.query, id(self.sheet)

    def picture(self, o: Options, card: bool = False) -> SheetPicture:
        return SheetPicture(self.sheet, self.look(o, card))

    def fitted(self, o: Options) -> Options:
        """Many charts make it taller."""
        return replace(o, size=(o.size[0], min(self.picture(o).tall, SIDES[1])))

    def slide(self, o: Options) -> Content:
        return of_sheet(self.sheet, o.language)

    def table(self, language: str) -> Iterator[str]:
        """A line for each number of each mark, at each of its moments."""
        yield "chart,mark,moment,x,y,value\r\n"
        for chart in self.sheet.charts:
            title = '"' + getattr(chart.title, language).replace('"', '""') + '"'
            for i, mark in enumerate(chart.marks):
                for moment, x, y, value in _numbers(mark):
                    yield f"{title},{i},{moment},{x!r},{y!r},{value}\r\n"

    def arrays(self) -> Mapping[str, Any]:
        """The arrays of every mark: zeros_0_x, zeros_0_y, …"""
        out: dict[str, Any] = {"query": np.array(self.query)}
        for chart, i, mark in self._marks():
            out |= {f"{chart.key}_{i}_{name}": a for name, a in moments_of(mark).items()}
        return out

    def cost(self, pixels: int, frames: int) -> float:
        numbers = sum(a.size for *_, mark in self._marks() for a in moments_of(mark).values())
        return frames * (pixels * 3e-8 + 0.05) + numbers * 1e-5

    def _marks(self) -> Iterator[tuple[Chart, int, Mark]]:
        return ((chart, i, mark) for chart in self.sheet.charts for i, mark in enumerate(chart.marks) if not isinstance(mark, Rule))


def _numbers(mark: Mark) -> Iterator[tuple[int, float, float, str]]:
    """Moment, place and, of a map, the value there."""
    a = moments_of(mark)
    if isinstance(mark, Rule) or (isinstance(mark, Ground) and mark.x is None):  # a formula has no numbers of its own
        return
    if isinstance(mark, Heat):
        x, y = ((edges[1:] + edges[:-1]) / 2 for edges in (a["x"], a["y"]))
        for moment, z in enumerate(a["z"] if a["z"].ndim > 2 else a["z"][None]):
            yield from ((moment, float(x[j]), float(y[i]), repr(float(v))) for (i, j), v in np.ndenumerate(z))
        return
    if isinstance(mark, Regions):
        rows, columns = a["which"].shape
        x, y = np.linspace(*mark.x, columns), np.linspace(*mark.y, rows)
        yield from ((0, float(x[j]), float(y[i]), f"{int(kind)} {a['z'][i, j]!r}") for (i, j), kind in np.ndenumerate(a["which"]))
        return
    across, up = (a["left"] + a["right"]) / 2 if "left" in a else a["x"], a["height"] if "height" in a else a["y"]
    for moment in range(max(len(v) if v.ndim > 1 else 1 for v in (across, up))):
        row = [v[moment] if v.ndim > 1 else v for v in (across, up)]
        yield from ((moment, float(u), float(v), "") for u, v in zip(*np.broadcast_arrays(*row), strict=True))


def sheet_exhibit(sheet: Sheet, lab: str, query: str, name: str, caption: T, scripts: Mapping[str, Callable[[str], str]]) -> SheetExhibit:
    """The charts of a lab."""
    return SheetExhibit(lab, query, name, caption, len(sheet.moments) - 1, None, scripts, {}, USELESS, False, sheet)
