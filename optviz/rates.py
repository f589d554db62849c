"""What a learning rate does over all its values: thresholds, the range test, the map of stability, the floor that noise leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .core import BELOW_ONE, Param, Refused, T
from .descent import Trajectory, descend, kept_steps
from .learning import train
from .optimizers import Optimizer, optimizers
from .outcome import nearest
from .run import CLIPS, Run
from .stability import limit, memory_of, sharpness
from .surfaces import Surface
from .training import Training

SEEDS = 64  # draws of the noise in a band
BAND = (0.1, 0.9)
KEPT = 300  # moments of a band, or somewhat more
SIDE = 64  # cells a side of the map
CELLS = 2048  # of it that run together: more would take more memory, fewer more time
LOWEST, HIGHEST = 1e-6, 10.0  # rates of the range test …
TESTED = 350  # … and how many there are between
PASSES = 200  # of a network's range test, one rate a pass
SMOOTH = 0.02  # of the rates: the loss is averaged over so many before its slope is taken
DECADES = 12  # below its first value the loss is followed
LOW = 0.02  # of a good rate: too low
CROWDED = 120  # rates for which the thresholds are measured …
BELOW = 1e-4  # … from this share of the highest
WIDEST = (1e-5, 1e3)  # where no limit is known
TRAINED = np.geomspace(1e-5, 1e2, 64)  # rates of networks
CLASSIC = ("sgd", "momentum", "nesterov")
MOST_STEPS = 500  # of what is run over many rates


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


class Floor(NamedTuple):
    """How far from the minimum the noise keeps a run in the end, √E‖θ−θ*‖²; a local one holds for small steps alone: the surface is no quadratic."""

    far: float
    local: bool


def floor_of(run: Run) -> Floor | None:
    """At the minimum where the run ends, of a method whose step is a fixed linear map of (x, state), from its own step; None elsewhere.

    Gradient descent has ασ²/(λ(2−αλ)) along each axis.
    """
    added = run["noise"] and not run["noise_relative"] and all(run[name] is None for name in CLIPS)
    if not added or limit(run) is None or not run.surface.minima:
        return None
    end = descend(run, record="end", memory=False)
    found = nearest(run.surface, end.points)
    if end.diverged_at is not None or found is None:
        return None
    o = optimizers[run.optimizer]
    h = o.settings({name: value for name, value in run.settings if name in o.params})
    at = run.surface.minima[found[0][0]]
    hessian = np.array(run.surface.hessian(*at), float)
    if not np.isfinite(hessian).all():
        return None
    each = [stationary(o, h, float(curvature)) for curvature in np.linalg.eigvalsh(hessian)]
    known = [variance for variance in each if variance is not None]
    return Floor(math.sqrt(sum(known)) * run["noise"], not quadratic(run.surface, at)) if len(known) == len(each) else None


def quadratic(s: Surface, at: tuple[float, float]) -> bool:
    """Whether the Hessian is the same wherever one looks."""
    here = np.array(s.hessian(*at), float)
    return all(np.allclose(np.array(s.hessian(at[0] + u, at[1] + v), float), here, rtol=1e-6, atol=1e-9)
               for u, v in ((0.3, 0.0), (0.0, 0.3), (-1.7, 2.3), (3.1, 1.1)))


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


class Band(NamedTuple):
    """How far many draws of the noise are from the nearest minimum at some steps: 10 %, the root mean square, 90 %; and where they settle."""

    steps: np.ndarray
    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray
    draws: int
    floor: Floor | None


def band(run: Run) -> Band | None:
    """None where no minimum is known."""
    if not run.surface.minima:
        return None
    draws, every = SEEDS if run["noise"] or run["noise_relative"] else 1, max(1, run.steps // KEPT)
    points = descend(run, start=run.start, member=np.arange(draws), record=every, memory=False).points
    found = nearest(run.surface, points.reshape(2, -1))
    assert found is not None
    far = found[1].reshape(points.shape[1:])
    with np.errstate(over="ignore"):
        mean = np.sqrt(np.mean(far**2, axis=-1))
    low, high = np.quantile(far, BAND, axis=-1)
    return Band(np.append(0, kept_steps(run.steps, every)), low, mean, high, draws, floor_of(run) if run.schedule == "constant" else None)


# --- high, good, low --------------------------------------------------------------------------------------------------------------------


class Rates(NamedTuple):
    """Three rates worth comparing; there may be none that is too high."""

    high: float | None
    good: float
    low: float


def three(rates: np.ndarray, loss: np.ndarray, first: float) -> Rates:
    """Out of where each rate ends (infinite where it diverged) and where all began: the best, the first beyond it that ends higher than it
    began, and one far below."""
    best = int(np.argmin(loss))
    if not loss[best] < first:
        raise Refused(T("From here no rate brings the loss down; choose another start, or more steps.",
                        "Отсюда ни одна скорость не уменьшает потерю; выберите другой старт или больше шагов."))
    beyond = np.flatnonzero(loss[best:] > first)
    low = int(np.argmin(abs(np.log(rates / (LOW * rates[best])))))
    return Rates(float(rates[best + beyond[0]]) if beyond.size else None, float(rates[best]), float(rates[low]))


@dataclass(frozen=True, eq=False)
class Threshold:
    """One method over many rates: how high the loss is in the end, and up to which rate it is stable by theory."""

    optimizer: str
    rates: np.ndarray
    loss: np.ndarray  # above the best value that is known; infinite where it diverged
    limit: float | None


def thresholds(run: Run) -> list[Threshold]:
    """The run's own method first. Gradient descent, heavy ball and Nesterov stand beside each other, over the same rates."""
    gamma = dict(run.settings).get("momentum", optimizers["momentum"].params["momentum"].default)
    shared = {name: run[name] for name in CLIPS}
    others = [key for key in CLASSIC if key != run.optimizer] if run.optimizer in CLASSIC else []
    runs = [run, *(Run(run.surface, key, run.start, run.steps, **shared, **({} if key == "sgd" else {"momentum": gamma})) for key in others)]
    most = [largest_rate(r) for r in runs]
    known = [m for m in most if m is not None]
    rates = np.geomspace(2 * BELOW * max(known), 2 * max(known), CROWDED) if known else np.geomspace(*WIDEST, CROWDED)
    base = lowest(run.surface)
    out = []
    for r, m in zip(runs, most, strict=True):
        trail = descend(r, lr=rates, record="end", memory=False)
        with np.errstate(over="ignore"):
            out.append(Threshold(r.optimizer, rates, np.where(trail.diverged_at < 0, trail.loss[-1] - base, np.inf), m))
    return out


def lowest(s: Surface) -> float:
    """The lowest value that is known; 0 where none is."""
    return s.value(*s.minima[0]) if s.minima else 0.0


class Compared(NamedTuple):
    """Runs at three rates, and where all rates end."""

    rates: Rates
    trails: list[np.ndarray]  # (2, points) of each rate that there is, as far as it has numbers
    steps: int
    first: float  # the loss at the start, above the best
    thresholds: list[Threshold]


def compared(run: Run) -> Compared:
    """On a surface, without noise and at constant rates."""
    run = quiet(run, min(run.steps, MOST_STEPS))
    first = run.surface.value(*run.start) - lowest(run.surface)
    found = thresholds(run)
    rates = three(found[0].rates, found[0].loss, first)
    trails = [descend(run, lr=rate, memory=False) for rate in rates if rate is not None]
    return Compared(rates, [t.points[:, :t.diverged_at] for t in trails], run.steps, first, found)


class Curves(NamedTuple):
    """The loss of networks at three rates, before and after every pass: (passes + 1) of each rate that there is, nan where it left the numbers."""

    rates: Rates
    loss: list[np.ndarray]


def network_curves(training: Training, passes: int = 100) -> Curves:
    """Of many networks, trained in lockstep at a rate each, the three worth comparing."""
    history = train(training, lr=TRAINED, epochs=passes)
    gone = (history.diverged_at >= 0) & (np.arange(passes + 1)[:, None] >= history.diverged_at)
    loss = np.where(gone, np.nan, history.loss_train)
    rates = three(TRAINED, np.where(gone[-1], np.inf, loss[-1]), float(loss[0, 0]))
    return Curves(rates, [loss[:, int(np.flatnonzero(rate == TRAINED)[0])] for rate in rates if rate is not None])


# --- the range test ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The loss while the rate grows by the same factor at every step (Smith 2017, Cyclical Learning Rates for Training Neural Networks)."""

    rates: np.ndarray
    loss: np.ndarray  # after the step with each rate, above the best value that is known; nan where it left the numbers
    first: float  # the same before the first step
    steepest: float | None  # where the curve, with a logarithmic height, falls fastest per decade of the rate
    diverging: float | None  # from where on it stays above its first value: without noise well beyond the limit, for it must climb all the way back


def range_test(run: Run) -> RangeTest:
    """On a surface; with noise the median over its draws."""
    growth = (HIGHEST / LOWEST) ** (1 / (TESTED - 1))
    noisy = bool(run["noise"] or run["noise_relative"])
    members = np.arange(SEEDS if noisy else 1)
    kept = {name: value for name, value in run.settings if not name.startswith("schedule_") and name not in ("lr", "warmup_steps")}
    growing = Run(run.surface, run.optimizer, run.start, TESTED, "exponential", **kept, lr=LOWEST, schedule_gamma=growth)
    trail = descend(growing, member=members, memory=False)
    with np.errstate(all="ignore"):
        over = (trail.diverged_at >= 0) & (np.arange(TESTED)[:, None] + 1 >= trail.diverged_at)
        loss = np.where(np.median(over, axis=1) > 0, np.nan, np.median(trail.loss[1:], axis=1))
    base = lowest(run.surface)
    return marked(LOWEST * growth ** np.arange(TESTED), loss - base, float(trail.loss[0].flat[0]) - base)


def small_network(run: Run) -> Training:
    """A small network that the run's optimizer trains, with its own settings."""
    own = {name: value for name, value in run.settings if name in optimizers[run.optimizer].params}
    return Training("circle", optimizer=run.optimizer, layers=(8,), activation="tanh", loss="mse", n=120, **own)


def network_range_test(training: Training) -> RangeTest:
    """Of a network on all its examples at once: one update a pass, one rate an update."""
    growth = (HIGHEST / LOWEST) ** (1 / (PASSES - 1))
    given = {"batch": None, "epochs": PASSES, "lr": LOWEST, "schedule": "exponential", "schedule_every": "update", "schedule_gamma": growth}
    history = train(training, **given)
    loss = history.loss_train[1:].astype(float)
    if history.diverged_at is not None:
        loss[history.diverged_at - 1:] = np.nan
    return marked(LOWEST * growth ** np.arange(PASSES), loss, float(history.loss_train[0]))


def marked(rates: np.ndarray, loss: np.ndarray, first: float) -> RangeTest:
    """A range test with its two rates found."""
    below = np.flatnonzero(loss <= first)  # false where it is no number any more
    last = int(below[-1]) if below.size else -1
    diverging = float(rates[last + 1]) if last + 1 < len(rates) else None
    there = np.flatnonzero(np.isfinite(loss))
    if not there.size:
        return RangeTest(rates, loss, first, None, diverging)
    known = drawn(loss[:there[-1] + 1], first)
    width = max(int(SMOOTH * len(rates)), 1)
    padded = np.concatenate([np.full(width, drawn(np.array([first]), first)[0]), known, np.full(width, known[-1])])
    slope = np.gradient(np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), "valid")) if len(known) > 1 else np.zeros(1)
    fall = int(np.argmin(slope[:int(np.argmin(known)) + 1]))
    return RangeTest(rates, loss, first, float(rates[fall]) if slope[fall] < 0 else None, diverging)


def logarithmic(loss: np.ndarray, first: float) -> bool:
    """Whether a loss has a logarithmic height: it does while it is never below the best value that is known."""
    return bool(first > 0 and np.min(loss[np.isfinite(loss)], initial=first) >= 0)


def drawn(loss: np.ndarray, first: float) -> np.ndarray:
    """Its height in the picture, followed down over so many decades."""
    return np.log10(np.maximum(loss, first * 10.0**-DECADES)) if logarithmic(loss, first) else loss


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
    boundary: np.ndarray | None  # beside each value of the axis that is not the rate's: up to which rate theory calls it stable
    curvature: float | None  # λmax
    most: int  # steps that each cell had


def axes_of(o: Optimizer) -> dict[str, Param]:
    """What can stand on an axis: the numbers that an optimizer takes."""
    return {name: p for name, p in o.params.items() if isinstance(p, Param) and not p.optional and not p.one and not p.whole}


def two_numbers(run: Run) -> Run:
    """The run itself; gradient descent, which has no number besides its rate, as the heavy ball without its memory."""
    if run.optimizer != "sgd":
        return run
    shared = {name: value for name, value in run.settings if name in ("lr", "noise", "noise_relative", *CLIPS, "seed")}
    return Run(run.surface, "momentum", run.start, run.steps, **shared, momentum=0.0)


def usual_axes(o: Optimizer) -> tuple[str, str]:
    """The rate against the memory of a momentum, or against what else there is."""
    others = [name for name in axes_of(o) if name != "lr"]
    if not others:
        raise Refused(T(f"{o.name.en} has no second number to set against the rate; choose another optimizer for this map.",
                        f"У метода {o.name.ru} нет второго числового параметра для этой карты; выберите другой метод."))
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


def stability_map(run: Run, across: str, up: str, tolerance: float) -> StabilityMap:
    """Every cell is the run from its start at a constant rate, without noise."""
    o = optimizers[run.optimizer]
    table, memory = axes_of(o), memory_of(o)
    for name in (across, up):
        if name not in table:
            raise Refused(T(f"{name} is no number of {o.key}; on an axis can stand: {', '.join(table)}",
                            f"{name} — не числовой параметр {o.key}; на оси могут стоять: {', '.join(table)}"))
    run = quiet(run, min(run.steps, MOST_STEPS))
    x, y = (values_on(name, table[name], run, memory) for name in (across, up))
    grid = dict(zip((up, across), np.meshgrid(y, x, indexing="ij"), strict=True))
    parts: list[dict[str, Any]] = [{name: values.ravel()[i:i + CELLS] for name, values in grid.items()} for i in range(0, len(x) * len(y), CELLS)]
    base = lowest(run.surface)
    if not run.surface.minima:
        base = min(float(descend(run, record="end", memory=False, **part).loss.min()) for part in parts)
    steps = np.concatenate([settled(descend(run, memory=False, **part), base + tolerance) for part in parts]).reshape(len(y), len(x))
    line = None
    if "lr" in (across, up):
        name, values = (up, y) if across == "lr" else (across, x)
        found = [largest_rate(quiet(run, None, **{name: float(v)})) for v in values]
        line = None if any(v is None for v in found) else np.array(found, float)
    return StabilityMap(Axis(across, x), Axis(up, y), steps, line, steepest_curvature(run), run.steps)


def settled(trail: Trajectory, level: float) -> np.ndarray:
    """The first step from which on each run stays at a level or below: infinite where it ends above, nan where it ends higher than it began."""
    with np.errstate(all="ignore"):
        outside = ~(trail.loss <= level)
        last = len(outside) - np.argmax(outside[::-1], axis=0)  # the first step from which on nobody is outside
        steps = np.where(outside[-1], np.inf, np.where(outside.any(axis=0), last, 0)).astype(float)
        grown = (trail.diverged_at >= 0) | (trail.loss[-1] > trail.loss[0])
    return np.where(grown, np.nan, steps)
