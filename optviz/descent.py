"""descend: one run, or a batch of thousands, and what came of it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .backend import Numpy, backend
from .core import Choice, Param, Range, Refused, T, out_of_range
from .optimizers import Optimizer, optimizers
from .oracle import Disturbance, Oracle, gaussian
from .run import CLIPS, STEPS, Run, checked_start, find, replaced, settled
from .schedules import Schedule, schedules
from .surfaces import Surface, surfaces
from .trace import Given, Plan, begin_state, python_step, whole_step

BLOCK = 16_384  # members of a batch that run together: their arrays stay in cache
MEMBER = Param(0, 0, 2**32 - 1, allowed=Range(0, 2**32 - 1), whole=True)
MOST_NUMBERS = 2**27  # that one recorded batch may hold: 1 GiB, and as much again while its blocks are joined


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What came of a run, coordinate first, then step, then the batch.

    `gradients` is what the optimizer was first told in each step (noise, clipping and look-ahead included), `lr` the rate
    it used, `state` what it remembered after each step, by name: (2, steps, *batch) for a vector, (steps, *batch) for a
    number. `diverged_at` is the step at which a run left the floating-point numbers; from there on it stands still. Nothing is
    ever nan, and nothing infinite but the loss of a batch's member that starts where the surface has no value (diverged_at 0).
    """

    points: np.ndarray
    loss: np.ndarray
    gradients: np.ndarray
    lr: np.ndarray
    state: dict[str, np.ndarray]
    diverged_at: Any


def descend(surface: str | Surface | Run, optimizer: str | Optimizer | None = None, start: Any = None, steps: int | None = None,
            schedule: str | Schedule | None = None, *, record: str | int = "all", memory: bool = True, member: Any = None, backend: str = "numpy",
            device: Any = "cpu", dtype: Any = "float64", **settings: Any) -> Trajectory:
    """Descend one run, or a batch of them where start or settings are arrays.

    record="end" keeps the last point alone, record=k the start and every k-th step with the last: `kept_steps` numbers them.
    memory=False leaves out what the optimizer remembered. `member` says whose noise, of a seed's many, each run of a batch meets; else
    every one has its own.

    Without other words it is SGD for 300 steps at a constant rate from the surface's start; what is given besides a Run replaces its own.
    """
    words = [optimizer, start, steps, schedule]
    if isinstance(surface, Run):
        words, settings = replaced(surface, words, settings)
        surface = surface.surface
    else:
        words = [mine if word is None else word for word, mine in zip(words, ("sgd", None, STEPS.default, "constant"), strict=True)]
    return Problem(surface, words, settings, record, memory, member).solve(backend, device, dtype)


class Problem:
    """The checked arguments of one descent."""

    def __init__(self, s: Any, words: Sequence[Any], settings: dict[str, Any], record: str | int, memory: bool = True, member: Any = None):
        o, start, steps, k = words
        s, self.optimizer = find(surfaces, "surface", s, Surface), find(optimizers, "optimizer", o, Optimizer)
        schedule = find(schedules, "schedule", k, Schedule)
        self.surface, values = settled(s, self.optimizer, schedule, settings)
        self.start = checked_start(self.surface.start if start is None else start)
        self.steps: int = STEPS.check("steps", steps)
        if not (record in ("all", "end") or (type(record) is int and record > 0)):
            raise out_of_range("record", record, T("{all, end}, or a whole number from 1", "{all, end} или целое число от 1"))
        self.record_start = record != "end"
        self.every = record if isinstance(record, int) else 1 if record == "all" else self.steps
        self.kept = kept_steps(self.steps, self.every)
        self.seed: int = values["seed"]
        self.memory, self.member = memory, None if member is None else MEMBER.check("member", member)
        options = tuple((n, values[n]) for n, p in self.optimizer.params.items() if isinstance(p, Choice))
        self.values = {n: v for n, v in values.items() if v is not None}
        self.schedule = schedule
        self.plan = Plan(self.optimizer, schedule if schedule.fed else schedules["constant"], options,
                         bool(np.any(values["noise"])), bool(np.any(values["noise_relative"])),
                         values["clip_norm"] is not None, values["clip_value"] is not None,
                         schedule.fed and bool(np.any(values["warmup_steps"])))
        self.steady = schedule is schedules["constant"] and not np.any(values["warmup_steps"])
        try:
            self.batch = np.broadcast_shapes(*(v.shape for v in (*self.start, self.member, *self.values.values()) if isinstance(v, np.ndarray)))
        except ValueError:
            shapes = ", ".join(f"{n} {np.shape(v)}" for n, v in {"start": self.start, "member": self.member, **self.values}.items() if np.size(v) > 1)
            raise Refused(T(f"these arrays do not broadcast to one batch: {shapes}", f"эти массивы не приводятся к одной форме: {shapes}")) from None
        if not self.batch and not math.isfinite(self.surface.value(*self.start)):
            raise Refused(T(f"start={self.start}: the surface is not finite there; choose another start",
                            f"start={self.start}: здесь функция не принимает конечного значения; выберите другой старт"))

    def given(self, values: Mapping[str, Any]) -> Given:
        """The numbers that all steps share, out of the settings of some members."""
        h = self.optimizer.bundle(*(values[n] for n in self.optimizer.params))
        schedule = self.schedule.bundle(*(values["schedule_" + n] for n in self.schedule.params))
        return Given(h, schedule, **{n: values.get(n) for n in CLIPS}, warmup=values["warmup_steps"])

    def solve(self, name: str, device: Any = "cpu", dtype: Any = "float64") -> Trajectory:
        machine = backend(name, device, dtype)
        with np.errstate(all="ignore"):
            if not self.batch and machine.xp is np and self.record_start and self.optimizer.traceable:
                single = self.single()
                if single is not None:
                    return single
            return self.blocks(machine)

    def rate(self, k: Any, given: Given) -> Any:
        """The rate of step k (from 0), or of many, where the schedule knows it beforehand."""
        if self.schedule.fed:
            return 0.0 * k
        k = np.asarray(k, float)  # a plain number's power would raise where an array's is infinite
        rate = self.schedule.at(k, given.h.lr, given.schedule, self.steps, given.warmup)
        return np.nan_to_num(rate)  # one that grows out of the floats breaks the run, not the picture of the rate

    def noise(self, members: np.ndarray, step: Any, values: Mapping[str, Any]) -> tuple[Any, Any]:
        """The two disturbances of some members at some steps, None where there are none; a single run is member 0."""
        with np.errstate(over="ignore"):
            added = values["noise"] * gaussian(self.seed, 0, members, step) if self.plan.noise else None
            relative = values["noise_relative"] * gaussian(self.seed, 1, members, step) if self.plan.noise_relative else None
        return added, relative

    def noises(self, members: np.ndarray, values: Mapping[str, Any]) -> Iterator[list[Any]]:
        """The same for a block, step after step: drawn once for all who meet the same, and for many steps at a time where those are few."""
        own = members if self.member is None else np.broadcast_to(self.member, self.batch).reshape(-1)[members]
        distinct, back = np.unique(own, return_inverse=True)
        span, normal = max(BLOCK // max(len(distinct), 1), 1), {"noise": 1.0, "noise_relative": 1.0}
        for low in range(1, self.steps + 1, span):
            steps = np.arange(low, min(low + span, self.steps + 1))
            drawn = self.noise(distinct, steps[:, None], normal)
            for t in range(len(steps)):
                yield [None if a is None else values[name] * a[:, t, back] for name, a in zip(normal, drawn, strict=True)]

    def fixed(self, names: Iterable[str], given: Given) -> list[Any]:
        """The numbers that a traced step binds."""
        numbers = {"h_" + n: v for n, v in given.h._asdict().items()} | {"k_" + n: v for n, v in given.schedule._asdict().items()}
        return [numbers.get(n, getattr(given, n, None)) for n in names]

    # --- one run: traced, straight-line Python --------------------------------------------------------------------------------------

    def single(self) -> Trajectory | None:
        """The fast path of a single run; None where plain floats raise and arrays must decide."""
        steps, given, (x, y) = self.steps, self.given(self.values), self.start
        traced, bind, first = python_step(self.plan)
        fixed = self.fixed(traced.fixed, given)
        rates = [given.h.lr] * steps if self.steady else self.rate(np.arange(steps), given).tolist()
        columns: list[Any] = [range(1, steps + 1), rates]
        for part in self.noise(np.full(steps, self.member or 0), np.arange(1, steps + 1), self.values):
            columns += [] if part is None else part.tolist()
        try:
            begun = (x, y, *first(x, y, *fixed))
            rows = bytearray(8 * (len(begun) + 2) * steps)
            row, at = struct.Struct(f"{len(begun) + 2}d"), 0
            step, pack, size = bind(self.surface.numbers["slope"], self.surface.numbers["height"], *fixed), row.pack_into, row.size
            now = (*begun, 0.0, 0.0)
            for each in zip(*columns, strict=True):
                now = step(*now, *each)
                pack(rows, at, *now)
                at += size
        except (ArithmeticError, ValueError):
            return None
        table = np.frombuffer(rows).reshape(steps, -1).T
        first_loss, loss = self.surface.value(x, y), np.array(self.surface.arrays["height"](table[0], table[1]))
        fine = np.isfinite(table).all(axis=0) & np.isfinite(loss)
        bad = -1 if fine.all() else int(np.argmin(fine))
        if bad >= 0:  # frozen from here on: the last finite row stays, and there is no gradient after the one that failed
            table[:-2, bad:] = (table[:-2, bad - 1] if bad else np.array(begun))[:, None]
            loss[bad:] = loss[bad - 1] if bad else first_loss
            table[-2:, bad + 1:] = 0
            table[-2:, bad] = np.where(np.isfinite(table[-2:, bad]), table[-2:, bad], 0)
        fed = len(begun) - 4  # where a schedule that is fed the loss keeps its rate
        lr = np.array([begun[fed], *table[fed, :-1]] if self.schedule.fed else rates)
        if self.every > 1:
            table, loss, lr = table[:, self.kept - 1], loss[self.kept - 1], lr[self.kept - 1]
        return self.joined([_Block(np.array([[x], [y]]), np.array([first_loss]), table[:-2, :, None], loss[:, None], table[-2:, :, None], lr[:, None],
                                   np.array([bad + 1 if bad >= 0 else -1]))])

    # --- many runs: arrays, block by block --------------------------------------------------------------------------------------------

    def blocks(self, machine: Numpy) -> Trajectory:
        """Any batch on NumPy or torch, in blocks that stay in cache."""
        n = math.prod(self.batch)
        width = 7 + 2 * len(self.optimizer.state) * self.values.get("history_size", 1) * self.memory
        if n * len(self.kept) * width > MOST_NUMBERS:
            raise Refused(T(f"steps × batch = {self.steps} × {n} is too much to record; use record='end' or fewer of either",
                            f"шаги × набор = {self.steps} × {n}: записать столько нельзя; укажите record='end' или уменьшите одно из них"))
        size = max(n, 1) if machine.xp is not np else BLOCK
        starts, values = self.flat()
        return self.joined([self.block(machine, np.arange(low, min(low + size, n)), starts, values) for low in range(0, max(n, 1), size)])

    def flat(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts (2, n) and settings of all members in one row."""
        values = {name: np.broadcast_to(v, self.batch).reshape(-1) if np.ndim(v) else v for name, v in self.values.items()}
        return np.stack([np.broadcast_to(v, self.batch).reshape(-1) for v in self.start]), values

    def march(self, m: Numpy, members: np.ndarray, starts: np.ndarray, values: Mapping[str, Any]) -> Iterator[Moment]:
        """Some members stepping together, the start first; one that leaves the numbers stays where it last was, the others go on.

        It ends early where nobody moves any more.
        """
        xp, values = m.xp, self.of(members, values)
        stepper = (_TracedArrays if m.xp is np and self.optimizer.traceable else _Arrays)(self, m, values)
        now, given = stepper.begin(starts[:, members]), self.given(values)
        shared = None if any(np.ndim(v) for v in (given.h.lr, *given.schedule, given.warmup)) else self.rate(np.arange(self.steps), given).tolist()
        constant = None if shared or not self.steady else m.array(self.rate(0, given))
        frozen: Any = None
        f = stepper.height(now)
        if m.suspicious(f) and not m.flags(xp.isfinite(f)).all():  # those that start outside never move
            frozen = ~xp.isfinite(f)
            f = xp.where(frozen, math.inf, f)
        yield Moment(0, now, f, None, None, frozen)
        for t, drawn in enumerate(self.noises(members, values), 1):
            rate = (now[stepper.fed] if self.schedule.fed else shared[t - 1] if shared else
                    m.array(self.rate(t - 1, given)) if constant is None else constant)
            noise = [None if a is None else m.array(a) for a in drawn]
            new, g = stepper.step(now, t, rate, noise)
            height = stepper.height(new)
            if frozen is not None or m.suspicious(height, *new, *g):
                fine = xp.isfinite(height)
                for a in (*new, *g):
                    fine = fine & xp.isfinite(rows(a)).all(0)
                moving, fine = (fine | True, fine) if frozen is None else (~frozen, fine & ~frozen)
                frozen = ~fine
                new = tuple(xp.where(fine, a, old) for a, old in zip(new, now, strict=True))
                g = [xp.where(moving & xp.isfinite(part), part, 0) for part in g]  # shown for the step that failed, none later
                height = xp.where(fine, height, f)
            now, f = new, height
            yield (moment := Moment(t, now, f, g, rate, frozen))
            if moment.stuck(m):
                return

    @staticmethod
    def of(members: np.ndarray, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of some members."""
        return {name: v[members] if np.ndim(v) else v for name, v in values.items()}

    def block(self, m: Numpy, members: np.ndarray, starts: np.ndarray, values: Mapping[str, Any]) -> _Block:
        """What some members do, recorded."""
        n, kept, marched = len(members), len(self.kept), self.march(m, members, starts, values)
        begun = next(marched)
        width = sum(len(rows(a)) for a in begun.now) if self.memory else 2
        out = _Block(starts[:, members], m.numpy(begun.loss), np.empty((width, kept, n)), np.empty((kept, n)), np.zeros((2, kept, n)),
                     np.empty((kept, n)), np.full(n, -1))
        begun.mark(m, out.diverged)
        for moment in marched:
            moment.mark(m, out.diverged)
            at, whole = (moment.t - 1) // self.every, moment.t == self.steps or moment.stuck(m)
            if moment.t == self.kept[at] or whole:
                out.table[:, at] = np.concatenate([m.numpy(rows(a)) for a in moment.now])[:len(out.table)]
                out.loss[at], out.lr[at] = m.numpy(moment.loss), m.numpy(m.array(moment.rate))
                out.gradients[:, at] = [m.numpy(part) for part in moment.gradient] if moment.t == self.kept[at] else 0
        if moment.t < self.steps:  # nobody moves any more: the rest of the record is its last column
            for a in (out.table, out.loss, out.lr):
                a[..., at + 1:, :] = a[..., at:at + 1, :]
            if not self.schedule.fed:
                out.lr[at:] = self.rate(self.kept[at:, None] - 1, self.given(self.of(members, values)))
        return out

    def joined(self, blocks: list[_Block]) -> Trajectory:
        """The blocks side by side, in the batch's own shape."""
        one = _Block(*(np.concatenate(parts, axis=-1) if len(blocks) > 1 else parts[0] for parts in zip(*blocks, strict=True)))
        points, loss, column, state = one.table[:2], one.loss, 2, {}
        if self.record_start:
            points = np.concatenate([one.start[:, None], points], axis=1)
            loss = np.concatenate([one.first[None], loss])

        def shaped(a: np.ndarray) -> np.ndarray:
            return a.reshape((*a.shape[:-1], *self.batch))
        shapes = _shapes(self.optimizer, self.values.get("history_size", 0))
        for name, shape in zip(self.optimizer.state, shapes, strict=True) if self.memory else ():
            size = math.prod(shape)
            part = one.table[column:column + size]
            state[name] = shaped(part.reshape((*shape, *part.shape[1:])))
            column += size
        diverged = one.diverged.reshape(self.batch) if self.batch else (int(one.diverged[0]) if one.diverged[0] >= 0 else None)
        return Trajectory(shaped(points), shaped(loss), shaped(one.gradients), shaped(one.lr), state, diverged)


def kept_steps(steps: int, every: int) -> np.ndarray:
    """The steps that a thinned record holds: every so many, and the last."""
    return np.append(np.arange(every, steps, every), steps)


class Asked(NamedTuple):
    """How often one step asks for each."""

    gradients: int
    values: int
    hessians: int


def asked(o: Optimizer, settings: Mapping[str, Any]) -> Asked:
    """Counted while a step runs: since no step branches on a value, every one asks as often."""
    h = o.settings({name: value for name, value in settings.items() if name in o.params})
    counts = dict.fromkeys(Asked._fields, 0)

    def counting(what: str, answer: np.ndarray) -> Any:
        def call(x: Any) -> Any:
            counts[what] += 1
            return answer
        return call
    oracle = Oracle(counting("gradients", np.ones(2)), counting("values", np.array(1.0)), counting("hessians", np.eye(2)), Disturbance(), np)
    x = np.ones(2)
    with np.errstate(all="ignore"):
        o.step(oracle, x, tuple(o.init(x, h, np)), h, 1, np)
    return Asked(**counts)


@lru_cache(maxsize=256)
def _shapes(o: Optimizer, history_size: int) -> tuple[tuple[int, ...], ...]:
    """The shapes of what an optimizer remembers of one surface run."""
    h = o.settings({"history_size": history_size} if "history_size" in o.params else {})
    return tuple(np.shape(value) for value in o.init(np.zeros(2), h, np))


def rows(a: Any) -> Any:
    """An array of any shape as rows of members."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])


class Moment(NamedTuple):
    """Some members after a step, 0 before the first: where they are with what they remember, the gradient they were told, who has stopped."""

    t: int
    now: tuple[Any, ...]
    loss: Any
    gradient: Any
    rate: Any
    frozen: Any  # None while everybody moves

    def stuck(self, m: Numpy) -> bool:
        """Whether nobody moves any more."""
        return self.frozen is not None and bool(m.flags(self.frozen).all())

    def mark(self, m: Numpy, diverged: np.ndarray) -> None:
        """Note who has stopped here."""
        if self.frozen is not None:
            diverged[m.flags(self.frozen) & (diverged < 0)] = self.t


class _Block(NamedTuple):
    """What some members did: `table` holds x, y and all that is remembered, a row each; then steps, then members."""

    start: np.ndarray
    first: np.ndarray  # the loss at the start
    table: np.ndarray
    loss: np.ndarray
    gradients: np.ndarray
    lr: np.ndarray
    diverged: np.ndarray


class _Arrays:
    """The step on whole vectors, for any optimizer on any machine: `now` is x, then what is remembered."""

    def __init__(self, problem: Problem, machine: Numpy, values: Mapping[str, Any]):
        self.problem, self.machine = problem, machine
        self.given = problem.given({n: machine.array(v) if np.ndim(v) else v for n, v in values.items()})
        self.calls = machine.calls(problem.surface)
        self.fed = 1 + len(problem.optimizer.state)

    def begin(self, start: np.ndarray) -> tuple[Any, ...]:
        x = self.machine.array(start)
        return x, *begin_state(self.problem.plan, x, self.given, self.machine.xp)

    def step(self, now: tuple[Any, ...], t: int, rate: Any, noise: list[Any]) -> tuple[tuple[Any, ...], Any]:
        m = self.machine
        x, state, g = whole_step(self.problem.plan, self.calls, now[0], now[1:], self.given, rate, noise, m.count(t), m.xp)
        return (x, *state), g

    def height(self, now: tuple[Any, ...]) -> Any:
        return self.calls[1](now[0])


class _TracedArrays:
    """The traced step on NumPy arrays: `now` is x, y, then what is remembered, a coordinate each."""

    def __init__(self, problem: Problem, machine: Numpy, values: Mapping[str, Any]):
        functions = problem.surface.arrays
        self.height_of = functions["height"]
        traced, bind, self.first = python_step(problem.plan, arrays=True)
        self.numbers = problem.fixed(traced.fixed, problem.given(values))
        self.next = bind(functions["slope"], self.height_of, *self.numbers)
        self.fed = len(traced.moving) - 4

    def begin(self, start: np.ndarray) -> tuple[Any, ...]:
        x, y = start
        return x, y, *(np.broadcast_to(a, x.shape) for a in self.first(x, y, *self.numbers))

    def step(self, now: tuple[Any, ...], t: int, rate: Any, noise: list[Any]) -> tuple[tuple[Any, ...], Any]:
        out = self.next(*now, 0, 0, t, rate, *(part for pair in noise if pair is not None for part in pair))
        return out[:-2], out[-2:]

    def height(self, now: tuple[Any, ...]) -> Any:
        return self.height_of(now[0], now[1])
