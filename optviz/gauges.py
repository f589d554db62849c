"""What the readouts under the stage tell of a race: curvature against the rate, the memory of a momentum, Adam's first steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .descent import Trajectory
from .explain import explain
from .latex import plain
from .optimizers import optimizers
from .outcome import Outcome
from .run import Run
from .stability import Footprints, Memory, footprints, limit, memory, memory_of, sharpness
from .surfaces import Surface

TEETH = 3  # the comb is so many times as long as what is called its last gradients …
LEAST, MOST = 8, 240  # … and has so many teeth


@dataclass(frozen=True, eq=False)
class Gauge:
    """The readouts of one entrant, None where there is nothing to read."""

    entrant: int
    products: np.ndarray | None = None  # (steps + 1,): α·λmax at each point, with the rate of the step that begins there; nan: a gap
    limit: float | None = None  # up to which α·λmax the method is stable; None where each coordinate has a rate of its own: then it is λmax(D·H)
    comb: Memory | None = None
    sign: str = ""  # the comb's hyper-parameter, as it is written
    feet: Footprints | None = None


@dataclass(frozen=True, eq=False)
class Gauges:
    """The readouts of all whose trails are seen, and of the one whose step is explained."""

    surface: Surface
    each: Sequence[Gauge]


def gauges_of(outcome: Outcome) -> Gauges:
    """The readouts of a race."""
    race = outcome.race
    all_of_them = enumerate(zip(race.entrants, race.runs, outcome.trails, strict=True))
    return Gauges(race.surface, [gauge(i, run, trail) for i, (e, run, trail) in all_of_them
                                 if trail is not None and (i == race["explain"] or not e.muted)])


def gauge(entrant: int, run: Run, trail: Trajectory) -> Gauge:
    """The readouts of one run."""
    o, most = optimizers[run.optimizer], limit(run)
    weight = memory_of(o)
    comb = None
    if weight is not None and run[weight] > 0:
        steps = memory(run[weight], 0).steps
        comb = memory(run[weight], min(max(TEETH * steps, LEAST), MOST))
    sign = plain(o.symbol(weight)) if weight is not None else ""
    return Gauge(entrant, products(run, trail, most), most, comb, sign, footprints(run))


def products(run: Run, trail: Trajectory, most: float | None) -> np.ndarray | None:
    """α·λmax where the method has a limit for it, λmax(D·H) where each coordinate has a rate of its own; at the last point with the last rate."""
    rates = (trail.lr, trail.lr) if most is not None else own_rates(run)
    if rates is None:
        return None
    out = np.full(trail.points.shape[1], np.nan)
    n = min(trail.diverged_at or len(out), len(rates[0]) + 1)  # where it left the numbers there is nothing to read
    longer = np.minimum(np.arange(n), len(rates[0]) - 1)
    out[:n] = sharpness(run.surface, trail.points[:, :n], (rates[0][longer], rates[1][longer]))
    return out


@lru_cache(maxsize=64)
def own_rates(run: Run) -> tuple[np.ndarray, np.ndarray] | None:
    """Each coordinate's rate at each step; None also where a step is as long however steep it is, as Rprop's."""
    if not optimizers[run.optimizer].traceable:  # line searches and Newton's methods
        return None
    told = explain(run)
    if told.rates is None:
        return None
    step = np.abs(next(v.numbers for v in told.values if v.name == "Δ"))
    return None if np.all((step == 0) | np.isclose(step, told.rates, rtol=1e-6, atol=0)) else (told.rates[0], told.rates[1])
