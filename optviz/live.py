"""A run that a page can repeat by itself, without Python: its traced step, the numbers it binds, its rates and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .descent import Problem
from .run import Run
from .trace import javascript_step, python_step


@dataclass(frozen=True, eq=False)
class Live:
    """What JAVASCRIPT_LOOP needs besides the surface and a start."""

    step: str  # an object literal, as javascript_step makes it
    numbers: dict[str, float]  # hyper-parameters and limits by the names that the step binds
    rates: float | np.ndarray  # one for all steps, or one a step
    noise: np.ndarray | None  # (steps, 2 or 4): what disturbs each gradient
    fed: bool  # the schedule goes by what the run meets, so the rates of another start are others


def live(run: Run) -> Live | None:
    """None where the optimizer cannot be traced; then only Python knows what it does."""
    p = Problem(run.surface, (run.optimizer, run.start, run.steps, run.schedule), dict(run.settings), "all")
    if not p.optimizer.traceable:
        return None
    given: Any = p.given(p.values)
    names = python_step(p.plan)[0].fixed
    k = np.arange(p.steps)
    parts = [part for part in p.noise(np.zeros(p.steps), k + 1, p.values) if part is not None]
    return Live(javascript_step(p.plan), dict(zip(names, p.fixed(names, given), strict=True)),
                given.h.lr if p.steady or p.schedule.fed else p.rate(k, given),
                np.concatenate(parts).T if parts else None, p.schedule.fed)
