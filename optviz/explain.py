"""One step, line by line: the optimizer's own assignments with every step's numbers, and which of them are arrows on the surface.

The step is replayed for all steps of a run at once, as a batch: its points, what it remembered, its rates and its noise are known.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .backend import backend
from .descent import Problem, Trajectory, descend
from .latex import number, plain
from .optimizers import Optimizer
from .oracle import Disturbance, Oracle
from .run import Run
from .trace import begin_state

BIG = 4  # numbers of a value that are shown; a longer memory stays a letter
PARALLEL = 1e-9  # two arrows of one kind whose sine is nowhere larger are one
MOST_ARROWS = 7


@dataclass(frozen=True, eq=False)
class Value:
    """A name of the step and what it comes to at each step: (2, steps), (steps,) or (2, 2, steps)."""

    name: str
    numbers: np.ndarray


@dataclass(frozen=True)
class Spelled:
    """A line in symbols, with this step's numbers, and what that comes to: ⟦3⟧ is the place of value 3, \\textcolor{#r2} the colour of role 2."""

    symbols: str
    numbers: str
    result: str


@dataclass(frozen=True)
class Arrow:
    """A value with a direction: from where, and whether it is drawn turned round (a gradient points uphill, its step does not)."""

    label: str
    value: int
    start: int
    role: int
    sign: int
    unit: str  # arrows of one unit share a scale: "gradient", or a name of its own
    faint: bool = False


@dataclass(frozen=True)
class Spot:
    """A value that is a place: where the method looks, or what else it keeps."""

    label: str
    value: int
    role: int


@dataclass(frozen=True, eq=False)
class Explained:
    """All steps of a run, line by line."""

    run: Run
    values: Sequence[Value]
    lines: Sequence[Spelled]
    arrows: Sequence[Arrow]
    spots: Sequence[Spot]
    rates: np.ndarray | None  # (2, steps): how far each coordinate goes for a gradient of 1, where each has its own rate

    @property
    def steps(self) -> int:
        return self.values[0].numbers.shape[-1]


# --- what the values of a step are ------------------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """What a value does when the world is moved, mirrored, steepened or the rate is raised."""

    place: bool = False  # it moves along
    sign: int = 0  # of a direction, which a mirror turns round: 1 uphill, -1 downhill; 0 of a size
    unit: str = "own"  # "gradient": three times as long where the surface is three times as steep
    pair: bool = True


def _values(o: Optimizer, options: Mapping[str, str], shift: Any = 0.0, mirror: int = 1, gain: float = 1.0, faster: float = 1.0,
            steps: int = 4) -> list[list[np.ndarray]]:
    """What every line comes to in the first steps on a gentle, tilted bowl."""
    slope, bend = np.array([1.0, 0.6])[:, None], np.array([[3e-3, 1e-3], [1e-3, 2e-3]])
    shift = np.reshape(shift, (-1, 1))

    def tilted(x: Any) -> Any:
        return gain * (mirror * slope + bend @ (x - shift))

    def height(x: Any) -> Any:
        d = mirror * (x - shift)
        return gain * (0.01 + (slope * d).sum(0) + (d * (bend @ d)).sum(0) / 2)
    grad = Oracle(tilted, height, lambda x: gain * bend[:, :, None], Disturbance(), np)
    h = o.settings(options)
    h = h._replace(lr=h.lr * faster)
    x = np.zeros((2, 1)) + shift
    state, out = tuple(o.init(x, h, np)), []
    for t in range(1, steps + 1):
        told: list[np.ndarray] = []

        def tell(i: int, value: Any, told: list[np.ndarray] = told) -> Any:
            told.append(np.asarray(value, float))
            return value
        with np.errstate(all="ignore"):
            o.replay(tell, grad, x, state, h, t, np)
            x, state = o.step(grad, x, state, h, t, np)
        out.append(told)
    return out


@lru_cache(maxsize=256)
def kinds(o: Optimizer, options: tuple[tuple[str, str], ...]) -> tuple[Kind, ...]:
    """The kind of each line's value: found by moving, mirroring and scaling the world, so that no optimizer has to say it."""
    chosen, far = dict(options), np.array([900.0, -700.0])
    here, moved, mirrored = _values(o, chosen), _values(o, chosen, shift=far), _values(o, chosen, mirror=-1)
    steep, fast = _values(o, chosen, gain=3.0), _values(o, chosen, faster=3.0)
    out = []
    for i in range(len(here[0])):
        k = next((k for k, told in enumerate(here) if np.abs(told[i]).max() > 1e-12), 0)  # the first step where it is something
        a, along = here[k][i], moved[k][i] - here[k][i]
        if a.shape != (2, 1):
            out.append(Kind(pair=False))
        elif np.abs(along - far[:, None]).max() < np.abs(far).min() / 2:
            out.append(Kind(place=True))
        elif not np.abs(a + mirrored[k][i]).max() < 0.1 * np.abs(a).max():
            out.append(Kind())
        else:
            steeper, faster = (np.linalg.norm(other[k][i]) / np.linalg.norm(a) for other in (steep, fast))
            unit = "gradient" if abs(steeper - 3) < 0.3 and abs(faster - 1) < 0.3 else "own"
            out.append(Kind(sign=1 if float((a * [[1.0], [0.6]]).sum()) > 0 else -1, unit=unit))
    return tuple(out)


# --- a run, explained -------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def explain(run: Run) -> Explained:
    """Every step of a run, as far as it stayed among the numbers."""
    replayed = _Replayed(run, descend(run))
    arrows, spots, roles = replayed.marks()
    return Explained(run, replayed.values, [replayed.spelled(i, roles) for i in range(len(replayed.lines))], arrows, spots, replayed.rates())


class _Replayed:
    """All steps of a run, replayed as one batch."""

    def __init__(self, run: Run, trail: Trajectory):
        p = self.problem = Problem(run.surface, (run.optimizer, run.start, run.steps, run.schedule), dict(run.settings), "all")
        o = self.optimizer = p.optimizer
        self.options, self.lines = dict(p.plan.options), o.lines(**dict(p.plan.options))
        n = self.steps = run.steps if trail.diverged_at is None else max(trail.diverged_at - 1, 1)
        self.t, given = np.arange(1.0, n + 1), p.given(p.values)
        self.h, self.x = given.h._replace(lr=trail.lr[:n]), trail.points[:, :n]
        begun = begin_state(p.plan, np.array(run.start)[:, None], given, np)
        self.state = tuple(_before(np.asarray(first), trail.state[name][..., :n - 1]) for name, first in zip(o.state, begun, strict=False))
        self.disturb = Disturbance(*p.noise(np.zeros(n), self.t.astype(int), p.values), given.clip_norm, given.clip_value)
        self.disturbed = any(part is not None for part in self.disturb)
        self.kinds = kinds(o, tuple(self.options.items()))

        self.values = [Value("x", self.x), *map(Value, o.state, self.state), Value("lr", self.h.lr), Value("t", self.t)]
        self.known: list[dict[str, int]] = []  # for each line the values that its names stand for
        self.set: list[int] = []  # the value that it sets
        self.raw: dict[int, int] = {}  # for a line that is a gradient: the value before noise and clipping
        slope, height, curvature = backend("numpy").calls(p.surface)
        self.noise = [None if part is None else self.add(Value(name, part))
                      for name, part in zip(("ξ", "ζ"), (self.disturb.relative, self.disturb.added), strict=True)]
        told: list[np.ndarray] = []

        def undisturbed(at: Any) -> Any:
            told.append(slope(at))
            return told[-1]

        def tell(i: int, value: Any) -> Any:
            self.known.append({v.name: j for j, v in enumerate(self.values)})
            if self.disturbed and _is_gradient(self.lines[i].value):
                self.raw[i] = self.add(Value("∇f", told[-1]))
            numbers = np.asarray(value, float)  # what is the same at all steps is one number
            self.set.append(self.add(Value(self.lines[i].target, numbers if numbers.ndim else np.full(n, numbers))))
            return value
        with np.errstate(all="ignore"):
            o.replay(tell, Oracle(undisturbed, height, curvature, self.disturb, np), self.x, self.state, self.h, self.t, np)

    def add(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    # --- what is drawn ---------------------------------------------------------------------------------------------------------------

    def marks(self) -> tuple[list[Arrow], list[Spot], dict[str, int]]:
        """Arrows and places, and the role of each name that has one: 0 is the step itself."""
        o, roles, spots = self.optimizer, {"x": 0}, []
        step = self.values[self.set[-1]].numbers - self.x
        last = {line.target: i for i, line in enumerate(self.lines[:-1]) if not isinstance(line.value, ast.Name)}
        drawn: list[int] = []
        whole = ["Δθ"]
        for name, i in last.items():
            kind, numbers = self.kinds[i], self.values[self.set[i]].numbers
            if kind.place:
                roles[name] = max(roles.values()) + 1
                spots.append(Spot(plain(o.symbol(name)), self.set[i], roles[name]))
            elif kind.sign and kind.unit == "own" and np.allclose(-kind.sign * numbers, step, rtol=1e-6, atol=1e-9 * np.abs(step).max()):
                roles[name] = 0
                whole.append(_label(o, name, kind))
            elif kind.sign:
                twin = next((k for k in drawn if not _is_gradient(self.lines[k].value) and self.kinds[k].unit == kind.unit
                             and _parallel(self.values[self.set[k]].numbers, numbers)), None)
                if twin is not None:  # corrected or not, it points the same way: the later one is drawn
                    drawn.remove(twin)
                roles[name] = max(roles.values()) + 1 if twin is None else roles[self.lines[twin].target]
                drawn.append(i)
        arrows = []
        for i in drawn[-MOST_ARROWS:]:
            name, kind = self.lines[i].target, self.kinds[i]
            unit = kind.unit if kind.unit != "own" else name
            at = self.lines[i].value.args[0] if _is_gradient(self.lines[i].value) else None
            start = self.known[i][at.id] if isinstance(at, ast.Name) else 0
            if i in self.raw:
                arrows.append(Arrow("−∇f", self.raw[i], start, roles[name], -1, unit, faint=True))
            arrows.append(Arrow(_label(o, name, kind), self.set[i], start, roles[name], -kind.sign, unit))
        return [*arrows, Arrow(" = ".join(whole), self.add(Value("Δ", step)), 0, 0, 1, "step")], spots, roles

    # --- what is written -------------------------------------------------------------------------------------------------------------

    def spelled(self, i: int, roles: Mapping[str, int]) -> Spelled:
        """A line in symbols, and with numbers in their place."""
        o, line = self.optimizer, self.lines[i]
        symbols = {name: _coloured(o.symbol(name), role) for name, role in roles.items()}
        fixed = {name: _signed(v) for name, v in self.problem.values.items() if name in o.params and not isinstance(v, str)}
        known = {name: self.slot(j, roles) for name, j in self.known[i].items() if self.shown(j)}
        if self.problem.steady:
            known["lr"] = fixed["lr"]
        said = o.printer(self.options, symbols)(line.value)
        counted = o.printer(self.options, fixed | known, r" \cdot ")(line.value)
        if i in self.raw:
            said = self.told(said, *(sign if j is not None else None for sign, j in zip((r"\sigma_r \zeta", r"\sigma \xi"), self.noise, strict=True)))
            counted = self.told(self.slot(self.raw[i], {}), *(None if j is None else self.slot(j, {}) for j in self.noise))
        counted = re.sub(r"\\left\((\\text\{⟦\d+⟧\}|\\textcolor\{#r\d+\}\{\\text\{⟦\d+⟧\}\})\\right\)", self.bare, counted)
        result = f"= {self.slot(self.set[i], roles)}" if self.shown(self.set[i]) else ""
        left = symbols.get(line.target) or o.symbol(line.target)
        return Spelled(rf"{left} \leftarrow {said}", "" if isinstance(line.value, ast.Name) else f"= {counted}", result)

    def shown(self, j: int) -> bool:
        """A value that is a few numbers."""
        return self.values[j].numbers.size <= BIG * self.steps

    def slot(self, j: int, roles: Mapping[str, int]) -> str:
        """The place of a value's number, in the colour of its role."""
        text, name = rf"\text{{⟦{j}⟧}}", self.values[j].name
        return _coloured(text, roles[name]) if name in roles else text

    def bare(self, found: re.Match[str]) -> str:
        """A column of numbers brings its own brackets."""
        j = int(re.search(r"⟦(\d+)⟧", found[0])[1])  # type: ignore[index]
        return found[1] if self.values[j].numbers.ndim > 1 else found[0]

    def told(self, gradient: str, relative: str | None, added: str | None) -> str:
        """What noise and clipping make of a gradient."""
        given = self.problem.values
        if relative is not None:
            gradient = rf"{gradient} \odot \left(1 + {relative}\right)"
        if added is not None:
            gradient = f"{gradient} + {added}"
        for name, limit in (("clip_norm", r"\lVert\cdot\rVert \le {}"), ("clip_value", r"\pm {}")):
            if name in given:
                gradient = rf"\operatorname{{clip}}_{{{limit.format(number(given[name]))}}}\left({gradient}\right)"
        return gradient

    # --- what each coordinate's rate is ------------------------------------------------------------------------------------------------

    def rates(self) -> np.ndarray | None:
        """How far the step goes where every gradient so far was 1 and its sizes are as they are: Adam's α/(√v̂+ε). None where no coordinate
        has a size of its own."""
        if not any(kind.pair and not kind.place and not kind.sign for kind in self.kinds):
            return None
        state, remembers = dict(zip(self.optimizer.state, self.state, strict=True)), []
        for line, kind in zip(self.lines, self.kinds, strict=True):
            if line.target in state and (kind.sign or kind.place):
                state[line.target] = 0 * self.x
                remembers += [line.target] * bool(kind.sign)
        with np.errstate(all="ignore"):
            for name in remembers * len(set(remembers)):  # one may hang on another
                rest = self.ones(state | {name: 0 * self.x})[name]
                kept = self.ones(state | {name: 0 * self.x + 1})[name] - rest  # it goes on as kept·itself + rest
                state[name] = _carried(kept, rest)
            rates = -self.ones(state)["x"]
        return None if (rates < 0).any() else rates

    def ones(self, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What each name comes to where every gradient is 1, from the origin and from what is remembered; sizes stay as they are."""
        told: dict[str, np.ndarray] = {}

        def tell(i: int, value: Any) -> Any:
            told[self.lines[i].target] = value if self.kinds[i].sign or self.kinds[i].place else self.values[self.set[i]].numbers
            return told[self.lines[i].target]
        self.optimizer.replay(tell, lambda at: np.ones_like(self.x), 0 * self.x, tuple(state.values()), self.h, self.t, np)
        return told


def _carried(kept: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """What is remembered before each step, from 0 on."""
    out = np.zeros_like(rest)
    for t in range(1, rest.shape[-1]):
        out[:, t] = kept[:, t - 1] * out[:, t - 1] + rest[:, t - 1]
    return out


def _before(first: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """What was remembered before each step."""
    return np.concatenate([np.broadcast_to(first, (*rest.shape[:-1], 1)), rest], axis=-1)


def _is_gradient(value: ast.expr) -> bool:
    """True of a line such as g = grad(x)."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "grad"


def _parallel(a: np.ndarray, b: np.ndarray) -> bool:
    """True where two vectors lie in one line at every step."""
    with np.errstate(all="ignore"):
        return bool((np.abs(a[0] * b[1] - a[1] * b[0]) <= PARALLEL * np.hypot(*a) * np.hypot(*b)).all())


def _label(o: Optimizer, name: str, kind: Kind) -> str:
    """What stands beside an arrow: turned round where it would point uphill."""
    return "−" * (kind.sign > 0) + plain(o.symbol(name))


def _coloured(text: str, role: int) -> str:
    return rf"\textcolor{{#r{role}}}{{{text}}}"


def _signed(value: float) -> str:
    """A number that may follow any sign."""
    return number(value) if value >= 0 else rf"\left({number(value)}\right)"
