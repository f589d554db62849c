"""What a learning rate does over all its values: thresholds, the range test, the map of stability, the floor that noise leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .core import BELOW_ONE, Param, Refused, T, once
from .descent import descend
from .learning import train
from .optimizers import Optimizer, optimizers
from .outcome import nearest
from .run import Run
from .stability import limit, memory_of, sharpness
from .training import Training

SEEDS = 64  # draws of the noise in a band
BAND = (0.1, 0.5, 0.9)
SIDE = 64  # cells a side of the map
LOWEST, HIGHEST = 1e-6, 10.0  # rates of the range test …
TESTED = 350  # … and how many there are between
PASSES = 200  # of a network's range test, one rate a pass
SMOOTH = 0.02  # of the rates: the loss is averaged over so many before its slope is taken
RISEN = 4  # times above its lowest the loss counts as diverging
SHARES = (1.05, 0.5, 0.02)  # of the limit: too high, good, too low
BELOW = 1 / 3  # of the steepest rate: good for a whole run
CROWDED = 120  # rates for which the thresholds are measured
MOST_STEPS = 1000  # of every cell of the map


def quiet(run: Run, steps: int | None = None, **settings: Any) -> Run:
    """The same run without a schedule, without noise, and with other settings."""
    left = ("noise", "noise_relative", "warmup_steps")
    kept = {name: value for name, value in run.settings if not name.startswith("schedule_") and name not in left}
    return Run(run.surface, run.optimizer, run.start, steps or run.steps, **kept | settings)


def steepest_curvature(run: Run) -> float | None:
    """λmax at the surface's best minimum; None where there is none, or it is flat."""
    if not run.surface.minima:
        return None
    largest = float(sharpness(run.surface, np.array(run.surface.minima[0])))
    return largest if math.isfinite(largest) and largest > 0 else None


def largest_rate(run: Run) -> float | None:
    """Up to which rate the method is stable at the surface's best minimum, by theory."""
    most, curvature = limit(run), steepest_curvature(run)
    return None if most is None or curvature is None else most / curvature


# --- the floor that noise leaves --------------------------------------------------------------------------------------------------------


def floor(alpha: float, curvature: float, sigma: float) -> float:
    """ασ²/(λ(2−αλ)): the variance about the minimum of ½λx² that gradient descent comes to with noise σ in its gradient."""
    return alpha * sigma**2 / (curvature * (2 - alpha * curvature))


def floor_of(run: Run) -> float | None:
    """The same in the plane: E‖θ−θ*‖² of a method whose step is a fixed linear map of (x, state), from its own step; None elsewhere."""
    if limit(run) is None or not run.surface.minima or not run["noise"] or run["clip_norm"] is not None or run["clip_value"] is not None:
        return None
    o = optimizers[run.optimizer]
    h = o.settings({name: value for name, value in run.settings if name in o.params})
    at = run.surface.minima[0]
    hessian = np.array(run.surface.hessian(*at), float)
    if not np.isfinite(hessian).all():
        return None
    total = 0.0
    for curvature in np.linalg.eigvalsh(hessian):
        variance = stationary(o, h, float(curvature))
        if variance is None:
            return None
        total += variance * run["noise"] ** 2
    return total


def stationary(o: Optimizer, h: Any, curvature: float) -> float | None:
    """The variance of x for a noise of 1: Σ = AΣAᵀ + bbᵀ, with A what a step makes of (x, state) and b what it makes of the noise alone."""
    size = 1 + len(o.state)

    def moved(z: np.ndarray, noise: float) -> np.ndarray:
        x, state = o.step(lambda x: curvature * x + noise, z[:1], tuple(z[1:, None]), h, 1, np)
        return np.concatenate([x, *state])
    a, b = moved(np.eye(size), 0.0), moved(np.zeros((size, 1)), 1.0)
    if abs(np.linalg.eigvals(a)).max() >= 1:
        return None
    spread = np.linalg.solve(np.eye(size**2) - np.kron(a, a), (b @ b.T).ravel())
    return float(spread[0])


@once(maxsize=64)
def band(run: Run) -> np.ndarray | None:
    """(3, steps + 1): 10 %, median and 90 % of the distance to the nearest minimum, over many draws of the noise."""
    if not run.surface.minima:
        return None
    members = np.arange(SEEDS if run["noise"] or run["noise_relative"] else 1)
    points = descend(run, start=run.start, member=members, memory=False).points
    found = nearest(run.surface, points.reshape(2, -1))
    assert found is not None
    return np.quantile(found[1].reshape(points.shape[1:]), BAND, axis=-1)


# --- high, good, low --------------------------------------------------------------------------------------------------------------------


class Rates(NamedTuple):
    """Three rates worth comparing."""

    high: float
    good: float
    low: float


def three(run: Run) -> Rates:
    """By theory where there is a limit, else as the range test shows them."""
    most = largest_rate(run)
    if most is not None:
        return Rates(*(share * most for share in SHARES))
    return of_range(range_test(run))


def of_range(tested: RangeTest) -> Rates:
    """The rate at which the loss rises again, one somewhat below that at which it falls fastest, and one far below."""
    good = BELOW * (tested.steepest or LOWEST * 1e3)
    return Rates(tested.diverging or HIGHEST, good, good * SHARES[2])


@dataclass(frozen=True, eq=False)
class Threshold:
    """One method over many rates: how high the loss is in the end, and up to which rate it is stable by theory."""

    run: Run
    rates: np.ndarray
    loss: np.ndarray  # above the best value; infinite where it diverged
    limit: float | None


@once(maxsize=32)
def thresholds(run: Run) -> list[Threshold]:
    """Gradient descent, heavy ball and Nesterov over the same rates, from the same start."""
    gamma = dict(run.settings).get("momentum", optimizers["momentum"].params["momentum"].default)
    runs = [Run(run.surface, key, run.start, run.steps, **({} if key == "sgd" else {"momentum": gamma})) for key in ("sgd", "momentum", "nesterov")]
    most = [largest_rate(r) for r in runs]
    high = 2 * max((m for m in most if m is not None), default=1.0)
    rates = np.geomspace(high / 1e3, high, CROWDED)
    best = run.surface.value(*run.surface.minima[0]) if run.surface.minima else 0.0
    out = []
    for r, m in zip(runs, most, strict=True):
        trail = descend(r, lr=rates, record="end", memory=False)
        with np.errstate(over="ignore"):
            out.append(Threshold(r, rates, np.where(trail.diverged_at < 0, trail.loss[-1] - best, np.inf), m))
    return out


def measured_limit(run: Run, digits: int = 3) -> float | None:
    """The rate from which on the run grows instead of shrinking, by bisection: many rates at a time; None where none does."""
    run = quiet(run)
    first = run.surface.value(*run.start)
    p = optimizers[run.optimizer].params["lr"]
    assert isinstance(p, Param)
    low, high = max(p.low, 1e-12), 1e6
    for _ in range(digits + 2):
        rates = np.geomspace(low, high, 65)
        trail = descend(run, lr=rates, record="end", memory=False)
        grows = (trail.diverged_at >= 0) | (trail.loss[-1] > first)
        if not grows.any() or grows[0]:
            return None
        i = int(np.argmax(grows))
        low, high = rates[i - 1], rates[i]
    return math.sqrt(low * high)


# --- the range test ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The loss while the rate grows by the same factor at every step (Smith 2017, Cyclical Learning Rates for Training Neural Networks)."""

    rates: np.ndarray
    loss: np.ndarray  # after the step with each rate; nan where it left the numbers
    steepest: float | None  # where the loss falls fastest per decade of the rate
    diverging: float | None  # where it has risen again


@once(maxsize=32)
def range_test(run: Run) -> RangeTest:
    """On a surface; with noise the median over its draws."""
    growth = (HIGHEST / LOWEST) ** (1 / (TESTED - 1))
    noisy = bool(run["noise"] or run["noise_relative"])
    members = np.arange(SEEDS if noisy else 1)
    kept = {name: value for name, value in run.settings if not name.startswith("schedule_") and name not in ("lr", "warmup_steps")}
    rising = Run(run.surface, run.optimizer, run.start, TESTED, "exponential", **kept, lr=LOWEST, schedule_gamma=growth)
    trail = descend(rising, member=members, memory=False)
    with np.errstate(all="ignore"):
        over = (trail.diverged_at >= 0) & (np.arange(TESTED)[:, None] + 1 >= trail.diverged_at)
        loss = np.where(np.median(over, axis=1) > 0, np.nan, np.median(trail.loss[1:], axis=1))
    best = run.surface.value(*run.surface.minima[0]) if run.surface.minima else None
    return marked(LOWEST * growth ** np.arange(TESTED), loss, float(trail.loss[0].flat[0]), best)


def small_network(run: Run) -> Training:
    """A small network that the run's optimizer trains, with its own settings."""
    own = {name: value for name, value in run.settings if name in optimizers[run.optimizer].params}
    return Training("circle", optimizer=run.optimizer, layers=(8,), activation="tanh", loss="mse", n=120, **own)


@once(maxsize=16)
def network_range_test(training: Training) -> RangeTest:
    """Of a network on all its examples at once: one update a pass, one rate an update."""
    growth = (HIGHEST / LOWEST) ** (1 / (PASSES - 1))
    given = {"batch": None, "epochs": PASSES, "lr": LOWEST, "schedule": "exponential", "schedule_every": "update", "schedule_gamma": growth}
    history = train(training, **given)
    loss = history.loss_train[1:].astype(float)
    if history.diverged_at is not None:
        loss[history.diverged_at - 1:] = np.nan
    return marked(LOWEST * growth ** np.arange(PASSES), loss, float(history.loss_train[0]), 0.0)


def marked(rates: np.ndarray, loss: np.ndarray, first: float, best: float | None) -> RangeTest:
    """A range test with its two rates found."""
    there = np.flatnonzero(np.isfinite(loss))
    if not there.size:
        return RangeTest(rates, loss, None, None)
    width = max(int(SMOOTH * len(rates)), 1)
    known = loss[:there[-1] + 1]
    padded = np.concatenate([np.full(width, first), known, np.full(width, known[-1])])
    smooth = np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), "valid")
    lowest = int(np.argmin(known))
    slope = np.gradient(smooth) if len(smooth) > 1 else np.zeros(1)
    fall = int(np.argmin(slope[:lowest + 1]))
    base = best if best is not None else float(known.min()) - 0.1 * abs(first - float(known.min()))
    risen = np.flatnonzero(~(loss[lowest:] - base <= RISEN * max(known[lowest] - base, 1e-300)))
    return RangeTest(rates, loss, float(rates[fall]) if slope[fall] < 0 else None, float(rates[lowest + risen[0]]) if risen.size else None)


@once(maxsize=16)
def network_curves(training: Training, rates: Rates, passes: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """The loss before and after every pass, (passes + 1, 3), and the pass at which each diverged, -1 for none: three networks in lockstep."""
    history = train(training, lr=np.array(rates), epochs=passes)
    return history.loss_train, history.diverged_at


# --- the map of stability ---------------------------------------------------------------------------------------------------------------


class Axis(NamedTuple):
    """A setting of the optimizer over its values."""

    name: str
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class StabilityMap:
    """Steps to the tolerance by two settings, rows upwards."""

    across: Axis
    up: Axis
    steps: np.ndarray  # (up, across): infinite where it does not stay within the tolerance, nan where it ends higher than it began
    boundary: np.ndarray | None  # (up,): the rate up to which theory calls it stable, where the rate runs across


def axes_of(o: Optimizer) -> dict[str, Param]:
    """What can stand on an axis: the numbers that an optimizer takes."""
    return {name: p for name, p in o.params.items() if isinstance(p, Param) and not p.optional and not p.one and not p.whole}


def two_numbers(run: Run) -> Run:
    """The run itself; where a method has no number besides its rate, the heavy ball, which without its memory is gradient descent."""
    if len(axes_of(optimizers[run.optimizer])) > 1:
        return run
    shared = {name: value for name, value in run.settings if name in ("lr", "noise", "noise_relative", "clip_norm", "clip_value", "seed")}
    return Run(run.surface, "momentum", run.start, run.steps, **shared, momentum=0.0)


def usual_axes(o: Optimizer) -> tuple[str, str]:
    """The rate against the memory of a momentum, or against what else there is."""
    others = [name for name in axes_of(o) if name != "lr"]
    memory = memory_of(o)
    return "lr", memory if memory in others else others[0]


def values_on(name: str, p: Param, run: Run, memory: str | None) -> np.ndarray:
    """Where an axis' cells are: a memory evenly, a rate up to just beyond the largest limit, all else as its slider goes."""
    if name == "lr":
        steadiest = quiet(run, None, **{memory: 0.99}) if memory else run
        most = [m for m in (largest_rate(run), largest_rate(steadiest)) if m is not None]
        if most:
            return np.linspace(0, 1.06 * max(most), SIDE + 1)[1:]
        return np.geomspace(1e-4, 10.0, SIDE)
    if p.allowed == BELOW_ONE:
        return np.linspace(0, 0.99, SIDE)
    return np.geomspace(max(p.low, 1e-6), p.high, SIDE) if p.log else np.linspace(p.low, p.high, SIDE)


@once(maxsize=16)
def stability_map(run: Run, across: str, up: str, tolerance: float) -> StabilityMap:
    """One batch of all cells, each the run from its start at a constant rate, without noise."""
    o = optimizers[run.optimizer]
    table, memory = axes_of(o), memory_of(o)
    for name in (across, up):
        if name not in table:
            raise Refused(T(f"{name} is no number of {o.key}; on an axis can stand: {', '.join(table)}",
                            f"{name} — не числовой параметр {o.key}; на оси могут стоять: {', '.join(table)}"))
    run = quiet(run, min(run.steps, MOST_STEPS))
    x, y = (values_on(name, table[name], run, memory) for name in (across, up))
    grid: dict[str, Any] = dict(zip((up, across), np.meshgrid(y, x, indexing="ij"), strict=True))
    cells: dict[str, Any] = {name: values.ravel() for name, values in grid.items()}
    trail = descend(run, memory=False, **cells)
    best = run.surface.value(*run.surface.minima[0]) if run.surface.minima else float(trail.loss.min())
    with np.errstate(all="ignore"):
        outside = ~(trail.loss - best <= tolerance)
        last = len(outside) - np.argmax(outside[::-1], axis=0)  # the first step from which on nobody is outside
        steps = np.where(outside[-1], np.inf, np.where(outside.any(axis=0), last, 0)).astype(float)
        grown = (trail.diverged_at >= 0) | (trail.loss[-1] > trail.loss[0])
    steps = np.where(grown, np.nan, steps).reshape(len(y), len(x))
    line = None
    if across == "lr":
        found = [largest_rate(quiet(run, None, **{up: float(v)})) for v in y]
        line = None if any(v is None for v in found) else np.array(found, float)
    return StabilityMap(Axis(across, x), Axis(up, y), steps, line)
