"""Where descents end, thousands at once, nothing remembered on the way: on NumPy in blocks that stay in cache, on torch several steps a kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from .backend import Numpy, Torch
from .descent import BLOCK, Problem
from .surfaces import Surface
from .trace import Plan, begin_state, parted_step


class Ends(NamedTuple):
    """Of each member where it ends, the loss there, the first step from which on the loss stays at its level or below, and where it diverged.

    The last two are -1 where that never happens.
    """

    points: np.ndarray  # (2, n)
    loss: np.ndarray
    steps: np.ndarray
    diverged: np.ndarray


def ends(problem: Problem, machine: Numpy, level: Any = -np.inf) -> Ends:
    """Where a batch of one axis ends; the level is a number, or one for each."""
    with np.errstate(all="ignore"):
        level = np.broadcast_to(level, problem.batch)
        if isinstance(machine, Torch) and problem.optimizer.traceable:
            return _Fused(problem, machine).ends(level)
        n = problem.batch[0]
        size = BLOCK if machine.xp is np else n
        parts = [_marched(problem, machine, np.arange(low, min(low + size, n)), level) for low in range(0, n, size)]
    return Ends(*(np.concatenate(part, -1) for part in zip(*parts, strict=True)))


def _marched(problem: Problem, m: Numpy, members: np.ndarray, level: np.ndarray) -> Ends:
    """Some members, step after step."""
    starts, values = problem.flat()
    diverged, below, last = np.full(len(members), -1), m.array(level[members]), m.array(np.full(len(members), -1.0))
    for moment in problem.march(m, members, starts, values):
        moment.mark(m, diverged)
        last = m.xp.where(moment.loss > below, moment.t, last)
    points = np.concatenate([m.numpy(part).reshape(-1, len(members)) for part in moment.now[:2]])[:2]
    return Ends(points, m.numpy(moment.loss), _reached(m.numpy(last), diverged, problem.steps), diverged)


def _reached(last: np.ndarray, diverged: np.ndarray, steps: int) -> np.ndarray:
    """The step after the last one above the level, if there is one."""
    return np.where((last < steps) & (diverged < 0), last + 1, -1).astype(int)


# --- torch: the same step, several of them in one kernel ------------------------------------------------------------------------------------


class _Fused:
    """A problem whose numbers are sorted by where they are the same: for all steps and members, at a step, of a member, or nowhere."""

    def __init__(self, problem: Problem, machine: Torch):
        self.problem, self.machine = problem, machine
        self.starts, values = problem.flat()
        self.values, steps = values, problem.steps
        self.given = problem.given(values)
        traced = parted_step(problem.plan, frozenset()).traced
        numbers = dict(zip(traced.fixed, problem.fixed(traced.fixed, self.given), strict=True))
        self.alike: dict[str, Any] = {name: v for name, v in numbers.items() if not np.ndim(v)} | {"t": np.arange(1.0, steps + 1)}
        self.own: dict[str, Any] = {name: v for name, v in numbers.items() if np.ndim(v)}
        self.noisy = [name for name in traced.each if name not in ("t", "rate")]
        self.varied = False  # whether every member has its own rate at every step
        if problem.steady or problem.schedule.fed:
            (self.own if np.ndim(self.given.h.lr) else self.alike)["rate"] = self.given.h.lr
        elif any(np.ndim(v) for v in (self.given.h.lr, *self.given.schedule, self.given.warmup)):
            self.varied = True
        else:
            self.alike["rate"] = problem.rate(np.arange(steps), self.given)
        if self.noisy and isinstance(problem.member, int) and not np.ndim(values["noise"] + values["noise_relative"]):
            drawn = problem.noise(np.array([problem.member]), np.arange(1, steps + 1)[:, None], values)  # all meet the same
            self.alike |= dict(zip(self.noisy, (part[:, 0] for pair in drawn if pair is not None for part in pair), strict=True))
            self.noisy = []

    def moving(self) -> Iterator[list[Any]]:
        """What differs from step to step and from member to member, `machine.unrolled` steps at a time: rates, then noise."""
        steps, n, unrolled = self.problem.steps, self.problem.batch[0], self.machine.unrolled
        drawn = self.problem.noises(np.arange(n), self.values)
        for low in range(0, steps, unrolled):
            ks = np.minimum(np.arange(low, low + unrolled), steps - 1)
            out = [self.problem.rate(ks[:, None], self.given)] if self.varied else []
            if self.noisy:
                rows = [np.concatenate([pair for pair in pairs if pair is not None]) for pairs in islice(drawn, unrolled)]
                rows += rows[-1:] * (unrolled - len(rows))
                out += list(np.stack(rows, 1))
            yield [self.machine.array(a) for a in out]

    def ends(self, level: np.ndarray) -> Ends:
        """All members, `machine.unrolled` steps at a time."""
        problem, m, xp = self.problem, self.machine, self.machine.xp
        steps, unrolled = problem.steps, m.unrolled
        whole = -(-steps // unrolled) * unrolled
        parted = parted_step(problem.plan, frozenset(self.alike))
        common = [np.resize(np.broadcast_to(v, (steps,)), whole) for v in parted.common(**self.alike)]
        t = np.arange(1.0, whole + 1)
        due = np.where(t <= steps, t - 2, np.inf)  # what is beyond fills the last kernel up: nobody moves there
        rows = m.array(np.stack([t, due, *common], 1))
        moved = ["rate"] * self.varied + self.noisy
        kernel = _kernel(problem.plan, problem.surface, frozenset(self.alike), tuple(moved), m)
        own = [m.array(self.own[name]) for name in parted.own if name not in moved]
        x = m.array(self.starts)
        state = begin_state(problem.plan, x, problem.given({n: m.array(v) if np.ndim(v) else v for n, v in self.values.items()}), xp)
        now = [part.clone() for a in (x, *state) for part in (a if a.ndim > 1 else [a])]  # no views: for them a kernel would be compiled apart
        f = m.calls(problem.surface)[1](x)
        outside = ~xp.isfinite(f)
        f = xp.where(outside, np.inf, f)
        below = m.array(level)
        marks = [f, *(xp.where(flag, value, other).to(f.dtype) for flag, value, other in ((f > below, 0.0, -1.0), (outside, -1.0, 0.0)))]
        for low, streams in zip(range(0, whole, unrolled), self.moving(), strict=True):
            now, marks = kernel(now, marks, below, own, streams, rows[low:low + unrolled])
        loss, last, fine = map(m.numpy, marks)
        diverged = np.where(fine < steps, fine + 1, -1).astype(int)
        return Ends(np.stack([m.numpy(now[0]), m.numpy(now[1])]), loss, _reached(last, diverged, steps), diverged)


@lru_cache(maxsize=32)
def _kernel(plan: Plan, surface: Surface, alike: frozenset[str], moved: tuple[str, ...], m: Torch) -> Callable:
    """(now, marks, below, own, streams, rows) -> now and marks after so many steps as there are rows."""
    parted = parted_step(plan, alike)
    xp, functions = m.xp, m.functions(surface)
    slope, height = functions["slope"], functions["height"]
    step = m.define(parted.text)["step"]
    places = {name: i for i, name in enumerate(moved)}
    fixed = [name for name in parted.own if name not in places]

    def steps(now: list[Any], marks: list[Any], below: Any, own: list[Any], streams: list[Any], rows: Any) -> tuple[list[Any], list[Any]]:
        f, last, fine = marks  # the loss, the last step above the level, the last step that stayed in the numbers
        for i in range(m.unrolled):
            t, due, *common = rows[i].unbind()
            mine = [streams[places[name]][i] if name in places else own[fixed.index(name)] for name in parted.own]
            x, y, *state, gx, gy = step(slope, height, *now, *mine, *common)
            high = height(x, y)
            nought = sum(a - a for a in (high, x, y, *state, gx, gy))  # no number where any is none or infinite
            going = fine + nought > due  # so who fails once stays, whatever becomes of what it remembers
            now = [xp.where(going, x, now[0]), xp.where(going, y, now[1]), *state]
            f, fine = xp.where(going, high, f), xp.where(going, t, fine)
            last = xp.where(f > below, t, last)
        return now, [f, last, fine]
    return m.compiled(steps)
