"""A sheet of charts to be taken home, in every medium that a race has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core import T
from ..sheet import ABSENT, Chart, Ground, Heat, Mark, Regions, Rule, Sheet, moments_of
from .exhibit import Exhibit
from .options import SIDES, Options
from .sheet_picture import SheetPicture
from .slide import Content, of_sheet

USELESS = ("tail", "arrows", "sliders", "panel", "torch")


@dataclass(frozen=True, eq=False)
class SheetExhibit(Exhibit):
    """Charts, with or without a playhead."""

    sheet: Sheet

    counted = "frame"  # its moments may lie ever farther apart

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
        """A line for each cell of a map and each point of what is drawn; where a chart is a map, what has no name on it is left out."""
        yield f"chart,series,{getattr(self.sheet.unit, language)},x,y,value,kind\r\n"
        for chart in self.sheet.charts:
            map_ = any(isinstance(mark, Regions) or (isinstance(mark, Heat) and mark.colour is None) for mark in chart.marks)
            for mark in chart.marks:
                name = getattr(mark, "name", None)
                if map_ and name is None:
                    continue
                head = f"{_quoted(chart.title, language)},{_quoted(name, language) if name else type(mark).__name__.lower()}"
                moves = any(len(a) == len(self.sheet.moments) > 1 for a in moments_of(mark).values() if a.ndim)
                for moment, x, y, value, kind in _numbers(mark):
                    told = self.sheet.moments[moment] if moves and not isinstance(mark, Regions) else ""
                    yield f"{head},{told},{x!r},{y!r},{value},{_quoted(kind, language) if kind else ''}\r\n"

    def arrays(self) -> Mapping[str, Any]:
        """The arrays of every mark: zeros_0_x, zeros_0_y, …; `about` says which mark of which chart that is."""
        about = [f"{chart.key}_{i}: {chart.title.en}, {type(mark).__name__.lower()}"
                 + (f" ({name.en})" if (name := getattr(mark, "name", None)) else "") for chart, i, mark in self._marks()]
        out: dict[str, Any] = {"query": np.array(self.query), "about": np.array(about),
                               "moments": np.array(self.sheet.moments)}
        for chart, i, mark in self._marks():
            out |= {f"{chart.key}_{i}_{name}": a for name, a in moments_of(mark).items()}
        return out

    def cost(self, pixels: int, frames: int) -> float:
        numbers = sum(a.size for *_, mark in self._marks() for a in moments_of(mark).values())
        return frames * (pixels * 3e-8 + 0.05) + numbers * 1e-5

    def _marks(self) -> Iterator[tuple[Chart, int, Mark]]:
        return ((chart, i, mark) for chart in self.sheet.charts for i, mark in enumerate(chart.marks) if not isinstance(mark, Rule))


def _quoted(text: T, language: str) -> str:
    return '"' + str(getattr(text, language)).replace('"', '""') + '"'


def _numbers(mark: Mark) -> Iterator[tuple[int, float, float, str, T | None]]:
    """Moment, place and, of a map, the value there and of which kind it is."""
    a = moments_of(mark)
    if isinstance(mark, Rule) or (isinstance(mark, Ground) and mark.x is None):  # a formula has no numbers of its own
        return
    if isinstance(mark, Heat):
        x, y = ((edges[1:] + edges[:-1]) / 2 for edges in (a["x"], a["y"]))
        for moment, z in enumerate(a["z"] if a["z"].ndim > 2 else a["z"][None]):
            yield from ((moment, float(x[j]), float(y[i]), *(("", mark.name) if mark.colour else (repr(float(v)), None)))
                        for (i, j), v in np.ndenumerate(z) if np.isfinite(v))
        return
    if isinstance(mark, Regions):
        rows, columns = a["which"].shape
        x, y = np.linspace(*mark.x, columns), np.linspace(*mark.y, rows)
        for (i, j), kind in np.ndenumerate(a["which"]):
            if kind == ABSENT:
                continue
            z = float(a["z"][i, j])
            none = not np.isfinite(z)
            yield 0, float(x[j]), float(y[i]), "" if none else f"{z:g}", mark.never if none and kind < 0 else mark.kinds[int(kind)]
        return
    across, up = (a["left"] + a["right"]) / 2 if "left" in a else a["x"], a["height"] if "height" in a else a["y"]
    for moment in range(max(len(v) if v.ndim > 1 else 1 for v in (across, up))):
        row = [v[moment] if v.ndim > 1 else v for v in (across, up)]
        yield from ((moment, float(u), float(v), "", None) for u, v in zip(*np.broadcast_arrays(*row), strict=True))


def sheet_exhibit(sheet: Sheet, lab: str, query: str, name: str, caption: T, scripts: Mapping[str, Callable[[str], str]]) -> SheetExhibit:
    """The charts of a lab."""
    useless = USELESS if len(sheet.moments) > 1 else (*USELESS, "counter")
    return SheetExhibit(lab, query, name, caption, len(sheet.moments) - 1, None, scripts, {}, useless, False, sheet)
