"""What an atlas shows, as charts: a map for each optimizer, which grows over the steps, with the descent that was picked on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .atlas import Atlas
from .basin import Basin, Basins
from .core import T, rounded
from .descent import descend
from .heavy import Part
from .palette import KINDS
from .scene import named
from .sheet import ABSENT, Chart, Dots, Line, Mark, Regions, Scale, Sheet

MOMENTS = 72  # of the playhead
CELLS = 1_200_000  # of all maps together that go to a browser
DESCENTS = T("descents", "спусков")
DIVERGED = T("diverges", "расходится")
NEVER = T("comes to no minimum", "не доходит до минимума")
RARE = 1e-3  # a share that is told by its count


def basins_sheet(atlas: Atlas, found: Sequence[Basins | Part | None]) -> Sheet:
    """The maps as far as they are there."""
    steps = moments(atlas["steps"])
    names = named(atlas.race)
    charts = []
    for i, spec, own in zip(atlas.shown, atlas.basins(), found, strict=True):
        name, _, style = names[i]
        marks: list[Mark] = [] if own is None else [_regions(spec, own, steps, len(found))]
        x, y = (Scale(T(way, way), low=low, high=high) for way, (low, high) in zip("xy", spec.box, strict=True))
        charts.append(Chart(f"map{i}", name, x, y, [*marks, *_minima(spec), *_trail(atlas, i, style.colour, steps)],
                            note=told(own) if isinstance(own, Basins) else None, even=True, picked=True))
    return Sheet(charts, columns=min(len(charts), 4 if len(charts) == 4 else 3), moments=[int(t) for t in steps])


def moments(steps: int) -> np.ndarray:
    """Steps that the playhead stops at: every one at first, then ever fewer."""
    return np.unique(np.rint(np.concatenate([[0], np.geomspace(1, steps, MOMENTS)])).astype(int))


def minimum_name(s: tuple[float, float]) -> T:
    """Where a descent comes to."""
    x, y = map(rounded, s)
    return T(f"→ ({x}, {y})", f"→ ({x}; {y})")


def _regions(spec: Basin, own: Basins | Part, moments: np.ndarray, panels: int) -> Regions:
    """The map itself: colours are minima, full where they are reached soon."""
    arrays = own.arrays if isinstance(own, Part) else vars(own)
    every = int(np.ceil(np.sqrt(arrays["steps"].size * panels / CELLS)))
    which, steps, diverged = (np.asarray(arrays[name])[::every, ::every] for name in ("minimum", "steps", "diverged"))
    ready = own.ready[::every, ::every] if isinstance(own, Part) else np.ones(which.shape, bool)
    reached = np.where(diverged >= 0, diverged, steps)
    minima = spec.run.surface.minima
    return Regions(*spec.box, np.where(ready, which, ABSENT),
                   np.where(ready & (reached >= 0), reached, np.nan),
                   0.0, float(spec.run.steps), [KINDS[k % len(KINDS)] for k in range(len(minima))], [*map(minimum_name, minima), DIVERGED],
                   T("steps", "шагов"), NEVER, until=moments)


def _minima(spec: Basin) -> list[Mark]:
    """Where the minima are that lie in sight."""
    (x0, x1), (y0, y1) = spec.box
    inside = [(x, y) for x, y in spec.run.surface.minima if x0 <= x <= x1 and y0 <= y <= y1]
    if not inside or len(inside) > 60:
        return []
    x, y = np.array(inside).T
    return [Dots(x, y, "ink", shape=4, size=4.0)]


def _trail(atlas: Atlas, i: int, colour: str, moments: np.ndarray) -> list[Mark]:
    """The descent from the race's start, as far as it has come at each moment."""
    run = atlas.race.runs[i]
    points = descend(run, memory=False).points
    head, (x, y) = points[:, moments, None], np.array(run.start)[:, None]
    return [Line(points[0], points[1], "page", width=4.5, grown=moments + 1), Line(points[0], points[1], "ink", width=2.0, grown=moments + 1),
            Dots(x, y, "ink", size=5.0, hollow=True), Dots(head[0], head[1], "ink", size=5.0)]


def told(b: Basins) -> T:
    """What a map comes to, in a sentence."""
    there, wild, steps = b.minimum >= 0, b.diverged >= 0, b.basin.run.steps
    share, lost, other = map(share_of, (there, wild, ~there & ~wild))
    parts = [T(f"After {steps} steps: {share.en} at a minimum", f"После {steps} шагов: в минимуме {share.ru}")]
    if there.any():
        median = rounded(float(np.median(b.steps[there])))
        parts[0] = T(f"{parts[0].en} (half of them within {median})", f"{parts[0].ru} (половина — за {median})")
    parts += [T(f"{lost.en} diverge", f"расходится {lost.ru}")] * bool(wild.any())
    parts += [T(f"{other.en} elsewhere", f"в других местах {other.ru}")] * bool((~there & ~wild).any())
    return T("; ".join(p.en for p in parts) + ".", "; ".join(p.ru for p in parts) + ".")


def share_of(flag: np.ndarray) -> T:
    """How many of the starts: a share, or a count where they are few or nearly all."""
    n, whole = int(flag.sum()), flag.size
    if n in (0, whole):
        return T("all", "все") if n else T("none", "0 %")
    if n < RARE * whole:
        return T(f"{n} of {whole}", f"{n} из {whole}")
    if whole - n < RARE * whole:
        return T(f"all but {whole - n}", f"все, кроме {whole - n}")
    return T(*[f"{rounded(100 * n / whole)} %"] * 2)
