"""What came of a race: every trail, the crowd around it, and one row of results an entrant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from .core import Refused, T, once
from .descent import Trajectory, asked, descend, kept_steps
from .minima import as_deep
from .optimizers import optimizers
from .race import Race
from .run import Run
from .surfaces import Surface
from .verdict import Verdict, verdict

FRAMES = 100  # of a crowd's film
BETWEEN = 33  # places that are looked at on the way from a point to a minimum
BUDGET = 8.0  # seconds that one race may take, as `cost` guesses them: a link must not stall a room
TOO_MUCH = T("Too much work for one view; lower the steps or the number of starts.",
             "Слишком много вычислений для одной картинки; уменьшите число шагов или стартов.")


@dataclass(frozen=True)
class Row:
    """The results of one entrant; None where there is nothing to say."""

    refused: T | None = None  # why it, or its crowd, cannot run
    loss: float | None = None
    distance: float | None = None  # to the nearest minimum
    reached: int | None = None  # the first step within the tolerance of the best value
    gradients: int | None = None  # how many it asked for
    diverged_at: int | None = None
    verdict: Verdict | None = None  # what happened, in a sentence
    # and of its crowd
    at_best: float | None = None  # the share that ends nearest to a best minimum
    within: float | None = None  # the share within the tolerance of the best value
    found: int | None = None  # how many different minima were reached, each within the tolerance
    median: float | None = None  # the loss that half of the crowd is not above
    diverged: float | None = None  # the share


@dataclass(frozen=True, eq=False)
class Outcome:
    """Trails and crowds by entrant, None where there is none; `kept` are the steps that a crowd's points belong to."""

    race: Race
    trails: Sequence[Trajectory | None]
    crowds: Sequence[Trajectory | None]
    kept: np.ndarray
    best: float | None  # the lowest value that the surface is known to have
    rows: Sequence[Row]


def cost(run: Run, members: int = 0) -> float:
    """About how many seconds a run takes, or a crowd of so many: measured, and rounded up."""
    if optimizers[run.optimizer].traceable:
        return run.steps * (1e-4 + 6e-8 * members if members else 5e-6)
    return run.steps * (8e-4 + 4e-6 * members if members else 6e-4)


@once(maxsize=48)
def solve(race: Race) -> Outcome:
    """Run a race. Whatever another race has run already is taken from there."""
    starts, every, left = race.starts, math.ceil(race["steps"] / FRAMES), BUDGET
    best = race.surface.value(*race.surface.minima[0]) if race.surface.minima else None
    trails: list[Trajectory | None] = []
    crowds: list[Trajectory | None] = []
    rows = []
    for run in race.runs:
        trail, crowd = None, None
        try:
            left -= _paid(cost(run), left)
            trail = _trail(run)
            row = replace(_row(run, trail, best, race["tolerance"]), verdict=verdict(run, trail, race.box, race["tolerance"]))
            if starts.size:
                try:
                    left -= _paid(cost(run, starts.shape[1]), left)
                    crowd = _crowd(run, starts.tobytes(), every)
                    row = _of_crowd(row, crowd, race.surface, best, race["tolerance"])
                except Refused as refusal:  # its own run is there
                    row = replace(row, refused=refusal.text)
            rows.append(row)
        except Refused as refusal:  # the others run on
            rows.append(Row(refusal.text))
        trails.append(trail)
        crowds.append(crowd)
    return Outcome(race, trails, crowds, np.append(0, kept_steps(race["steps"], every)), best, rows)


def _paid(price: float, left: float) -> float:
    """The price, if it can be paid."""
    if price > left:
        raise Refused(TOO_MUCH)
    return price


@lru_cache(maxsize=256)
def _trail(run: Run) -> Trajectory:
    return replace(descend(run), state={})  # L-BFGS alone would remember 400 numbers a step


@lru_cache(maxsize=48)
def _crowd(run: Run, starts: bytes, every: int) -> Trajectory:
    whole = descend(run, start=np.frombuffer(starts).reshape(2, -1), record=every)
    nothing = np.empty(0)  # only what is drawn and told is kept
    return replace(whole, loss=whole.loss[-1:], gradients=nothing, lr=nothing, state={})


def _row(run: Run, trail: Trajectory, best: float | None, tolerance: float) -> Row:
    """What one run came to."""
    steps = run.steps if trail.diverged_at is None else trail.diverged_at
    gradients = steps * asked(optimizers[run.optimizer], dict(run.settings)).gradients
    reached = None if best is None else first(_above(trail.loss, best) <= tolerance)
    if trail.diverged_at is not None:
        return Row(reached=reached, gradients=gradients, diverged_at=trail.diverged_at)
    near = nearest(run.surface, trail.points[:, -1:])
    return Row(None, float(trail.loss[-1]), None if near is None else float(near[1][0]), reached, gradients)


def _of_crowd(row: Row, crowd: Trajectory, s: Surface, best: float | None, tolerance: float) -> Row:
    """The same with what its crowd came to."""
    there = crowd.diverged_at < 0
    loss = np.where(there, crowd.loss[-1], np.inf)
    half = float(np.quantile(loss, 0.5, method="lower"))
    row = replace(row, median=half if math.isfinite(half) else None, diverged=float(1 - there.mean()))
    near = nearest(s, crowd.points[:, -1])
    if near is None or best is None:
        return row
    depth = s.value(*np.array(s.minima).T)
    at_best = as_deep(depth, best)[near[0]] & there
    found = near[0][_above(loss, depth[near[0]]) <= tolerance]
    return replace(row, at_best=float(at_best.mean()), within=float((_above(loss, best) <= tolerance).mean()), found=len(np.unique(found)))


def _above(values: np.ndarray, base: Any) -> np.ndarray:
    """values - base, infinite where that is too large for a number."""
    with np.errstate(over="ignore"):
        return values - base


def first(flags: np.ndarray) -> int | None:
    """The number of the first that is true."""
    return int(np.argmax(flags)) if flags.any() else None


def belongs(s: Surface, points: np.ndarray, loss: np.ndarray, which: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether each point (2, n) belongs to the minimum of that number: it is not below it, and it is in the box, whose minima are all known, or
    the straight way from one to the other rises nowhere above both."""
    (x0, x1), (y0, y1) = s.box
    x, y = points
    target = np.array(s.minima).T[:, which]
    depth = s.value(*target)
    above = loss >= depth - tolerance
    inside = (x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)
    out, way = np.flatnonzero(above & ~inside), np.linspace(0, 1, BETWEEN)[:, None]
    with np.errstate(all="ignore"):
        ground = s.value(*(points[:, None, out] * way + target[:, None, out] * (1 - way))).max(0)
    inside[out] = ground <= np.maximum(loss, depth)[out] + tolerance
    return above & inside


def nearest(s: Surface, points: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """For each point (2, n) the number of its nearest minimum and how far that is; None where the surface has none."""
    if not s.minima:
        return None
    x, y = np.array(s.minima).T[:, :, None]
    with np.errstate(over="ignore"):
        far = np.hypot(points[0] - x, points[1] - y)
    which = np.argmin(far, axis=0)
    return which, np.min(far, axis=0)
