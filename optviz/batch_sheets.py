"""What the lab on gradient noise and batches shows, as charts: `shown(sampling)` is the sheet of a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .batches import cliff, escape, updates
from .batches.cliff import Clipped
from .batches.escape import Escaped
from .batches.orders import orders
from .batches.sampling import Sampling, result
from .batches.sums import Sum, chance
from .batches.updates import Descended
from .batches.variance import Variances
from .core import T, rounded, short
from .minima import Box
from .optimizers import optimizers
from .palette import GREEN, ORANGE, PINK, PLUM, RED, TEAL, VIOLET
from .scene import BANDS, heat
from .sheet import Arrows, Chart, Dots, Ground, Heat, Line, Mark, Rule, Scale, Sheet
from .surfaces import Surface

RUNS = (PINK, GREEN, VIOLET, TEAL, PLUM, RED)  # blue and orange are the classes'
GROUPS = ("minus", "plus")
MOMENTS = 300  # at most on a playhead
NUMBERS = 40_000  # moments × examples that arrows may have
LATTICE = 97  # a side of the grid that a ground is known on
WIDER = 2.5  # a ground than what is looked at: an even chart may show more of one side
LONGER, CLOUD, FAR = (1, 5, 10, 50, 100), 0.15, 10.0  # arrows than steps, until they reach so far; what is farther tells no more
SOME = 400  # points of a cloud
TAIL = 10  # of the last updates, drawn stronger: hundreds of noisy ones cover each other
GROWN = 10.0, 1e6  # how often its first excess a loss may reach without, and with all its growth in sight
SLOPE, INTERCEPT, LOSS, STEP = T("slope w", "наклон w"), T("intercept b", "сдвиг b"), T("loss", "потеря"), T("step", "шаг")
EXCESS = T("loss above the least", "превышение над минимумом")
UNITS = {"updates": T("update", "обновление"), "passes": T("pass", "эпоха"), "examples": T("examples seen", "просмотрено примеров")}
PERCENT = T("% of the runs", "% запусков")
FLOOR = 1e-14  # of an excess on a logarithmic scale


def shown(p: Sampling) -> Sheet:
    """The sheet of a spec."""
    return sheet(p, result(p))


def sheet(p: Sampling, found: Any) -> Sheet:
    """Numbers as charts."""
    charts: Mapping[str, Callable[[Sampling, Any], Sheet]] = {"descent": descent, "variance": spread, "escape": freed, "cliff": clipping}
    return charts[p.view](p, found)


# --- a finite sum, update by update ----------------------------------------------------------------------------------------------------


def moments(p: Sampling, runs: Sequence[Descended]) -> tuple[list[float], list[np.ndarray]]:
    """What the playhead counts, and how many updates each run has made by then."""
    n, most = p["n"], min(MOMENTS, max(20, NUMBERS // p["n"]))
    if p["axis"] == "updates":
        at = np.unique(np.linspace(0, len(runs[0].seen) - 1, min(most, len(runs[0].seen))).round().astype(int))
        return at.tolist(), [at] * len(runs)
    whole = p["passes"] * n
    seen = np.unique(np.linspace(0, whole, min(most, whole + 1)).round().astype(int))
    if p["axis"] == "passes":
        seen = np.unique(np.append(seen, np.arange(0, whole + 1, n)))  # a pass ends at a moment of its own
    labels = [float(f"{k / n:.3g}") if k % n else k // n for k in seen.tolist()] if p["axis"] == "passes" else seen.tolist()
    return labels, [np.searchsorted(run.seen, seen, "right") - 1 for run in runs]


def names(p: Sampling) -> list[T]:
    """What each run is called: by its size, its order, or both."""
    sizes, many = len({size for size, _ in p.runs}), len(p["orders"])
    said = []
    for size, order in p.runs:
        by_size, by_order = updates.called(size, p["n"]), orders[order].name
        said.append(by_size if many == 1 else by_order if sizes == 1 else T(f"{by_size.en}, {by_order.en}", f"{by_size.ru}, {by_order.ru}"))
    return said


def descent(p: Sampling, runs: Sequence[Descended]) -> Sheet:
    """Data space, parameter space and the losses of all on one playhead; below them what the first run sees of its own.

    A lone run of batches has none to be compared with: there what it sees comes first.
    """
    s, said = p.sum, names(p)
    labels, at = moments(p, runs)
    where = "updates" if p["axis"] == "updates" else "seen"
    unit = p["n"] if p["axis"] == "passes" else 1
    along = [np.arange(len(run.seen)) if where == "updates" else run.seen / unit for run in runs]
    losses: list[Mark] = []
    for run, x, k, name, colour in zip(runs, along, at, said, RUNS, strict=False):
        excess = np.maximum(run.loss - s.least, FLOOR)
        losses += [Line(x, excess, colour, name, dash=RUNS.index(colour) % 3), Dots(x[k][:, None], excess[k][:, None], colour, size=5)]
    first, own, k = runs[0], along[0], at[0]
    diverged = [(name, run) for name, run in zip(said, runs, strict=True) if run.diverged_at is not None]
    note = T("; ".join(f"{name.en}: diverged at update {run.diverged_at}" for name, run in diverged),
             "; ".join(f"{name.ru}: расходится на обновлении {run.diverged_at}" for name, run in diverged)) if diverged else None
    begin, grown = max(float(runs[0].loss[0] - s.least), FLOOR), max(float(run.loss.max() - s.least) for run in runs)
    seen = Scale(LOSS, low=0.0, high=1.5 * max(float(first.loss[0]), float(np.quantile(first.loss, 0.9))))
    if first.loss.max() > GROWN[0] * first.loss[0]:  # it diverges
        seen = Scale(LOSS, log=True, low=float(max(first.loss.min(), FLOOR)), high=float(min(first.loss.max(), GROWN[1] * first.loss[0])))
    sees: list[Mark] = [
        Dots(own, first.batch_loss, "faint", T("loss of its batch", "потеря на своём пакете"), size=2.0, alpha=0.6),
        Line(own, first.running, ORANGE, T(f"running estimate Q, λ = {short(p['memory'])}", f"скользящая оценка Q, λ = {short(p['memory'])}")),
        Line(own, first.loss, "ink", T("loss of all examples", "потеря на всех примерах"), dash=1),
        Dots(own[k][:, None], first.running[k][:, None], ORANGE, size=5)]
    axis = Scale(UNITS[p["axis"]])
    low = min(float(np.maximum(run.loss - s.least, FLOOR).min()) for run in runs)
    high = begin * GROWN[0] if grown < begin * GROWN[0] else min(2 * grown, begin * GROWN[1])
    below = [
        Chart("loss", T("Loss of all examples", "Потеря на всех примерах"), axis,
              Scale(EXCESS, log=True, low=low, high=high), losses, note),
        Chart("sees", T(f"What it sees ({said[0].en})", f"Что он видит ({said[0].ru})"), axis, seen, sees)]
    third, last = below if len(runs) > 1 or p.runs[0][0] == p["n"] else reversed(below)
    return Sheet([data_space(s, runs, at, said), parameter_space(p, s, runs, at, said), third, replace(last, wide=3)], 3, labels, UNITS[p["axis"]])


def data_space(s: Sum, runs: Sequence[Descended], at: Sequence[np.ndarray], said: Sequence[T]) -> Chart:
    """The examples, those in the first run's batch, and every run's line or curve."""
    line = s.kind.key == "line"
    room = 0.05 * float(np.ptp(s.x)) or 1.0
    x = np.linspace(s.x.min() - room, s.x.max() + room, 2 if line else 61)

    def curve(theta: np.ndarray) -> np.ndarray:
        z = theta[..., :1] * x + theta[..., 1:]
        return z if line else chance(z)
    marks: list[Mark] = []
    inside = np.array([np.isin(np.arange(s.n), runs[0].batches[k]) for k in at[0]])
    for g, colour in enumerate(GROUPS):
        some = s.group == g
        marks.append(Dots(s.x[some], s.y[some], "faint" if line else colour, shape=0 if line else g, size=3.5, alpha=0.5))
        name = T(f"class {g}, in the batch", f"класс {g}, в пакете") if not line else T("in the batch", "в пакете") if g else None
        marks.append(Dots(np.where(inside, s.x, np.nan)[:, some], np.broadcast_to(s.y[some], (len(inside), some.sum())),
                          PINK if line else colour, name, shape=0 if line else g, size=5.5))
    if s.minimum is not None:
        marks.append(Line(x, curve(s.minimum), "ink", T("best", "наилучшая"), dash=1, width=1.5))
    for run, k, name, colour in zip(runs, at, said, RUNS, strict=False):
        marks.append(Line(x, curve(run.theta[k]), colour, name, dash=RUNS.index(colour) % 3, width=2.5))
    high = float(np.ptp(s.y)) or 1.0
    up = Scale(T("y", "y") if line else T("class, chance", "класс, вероятность"), low=float(s.y.min()) - 0.08 * high,
               high=float(s.y.max()) + 0.08 * high)
    return Chart("data", T("Data and the line", "Данные и прямая") if line else
                 T("Data and the chance of class 1", "Данные и вероятность класса 1"), Scale(T("x", "x")), up, marks)


def frame(s: Sum, start: tuple[float, float]) -> tuple[np.ndarray, float]:
    """The middle and half a side of what is looked at of the parameters: the same however a run goes."""
    middle = np.array([2.0, 0.0]) if s.minimum is None or np.abs(s.minimum).max() > 50 else s.minimum
    return middle, 1.25 * max(1.0, float(np.abs(np.array(start) - middle).max()))


def parameter_space(p: Sampling, s: Sum, runs: Sequence[Descended], at: Sequence[np.ndarray], said: Sequence[T]) -> Chart:
    """The loss over slope and intercept; trails; the step that each example, the batch and all examples would make."""
    middle, half = frame(s, p.start)
    sides = [c + WIDER * half * np.linspace(-1, 1, LATTICE) for c in middle]
    x, y = np.meshgrid(*sides)
    with np.errstate(all="ignore"):
        f = s.losses(np.stack([x.ravel(), y.ravel()])).mean(0).reshape(x.shape) - s.least
    inner = f[np.ix_(*[np.abs(side - c) <= half for side, c in zip(sides[::-1], middle[::-1], strict=True)])]
    marks: list[Mark] = [Ground(sides[0], sides[1], BANDS * np.sqrt(np.clip(f / inner.max(), 0, 1)), BANDS)]
    first, k = runs[0], at[0]
    theta = first.theta[k]
    with np.errstate(all="ignore"):
        each = -p["lr"] * s.gradients(theta.T)  # (2, n, moments)
        whole = each.mean(1) if p["reduction"] == "mean" else each.sum(1)
    usual = float(np.median(np.sqrt((each**2).sum(0).mean(0))))
    longer = next((k for k in LONGER if k * usual > CLOUD * half), LONGER[-1])
    each, whole, step = (np.clip(longer * a, -FAR * half, FAR * half) for a in (each, whole, -p["lr"] * first.gradients[k].T))
    spots = theta[:, :1], theta[:, 1:]
    marks += [
        Arrows(*spots, each[0].T, each[1].T, "faint", T("by one example", "по одному примеру"), width=1.0, alpha=0.45),
        Arrows(*spots, step[0][:, None], step[1][:, None], PINK, T("by the batch", "по пакету"), width=3.5),
        Arrows(*spots, whole[0][:, None], whole[1][:, None], "ink", T("by all", "по всем"), width=2.0, dash=1)]
    for run, k, colour in zip(runs, at, RUNS, strict=False):
        last = np.maximum(k[:, None] - np.arange(TAIL)[::-1], 0)
        marks += [Line(run.theta[:, 0], run.theta[:, 1], colour, width=1.0, alpha=0.35, grown=k + 1),
                  Line(run.theta[last, 0], run.theta[last, 1], colour, width=2.0, dash=RUNS.index(colour) % 3),
                  Dots(run.theta[k, :1], run.theta[k, 1:], colour, size=5.5)]
    if s.minimum is not None:
        marks.append(Dots([s.minimum[0]], [s.minimum[1]], "ink", T("minimum", "минимум"), shape=4, size=5.5))
    low, high = middle - half, middle + half
    return Chart("parameters", T("Parameters and the steps", "Параметры и шаги"), Scale(SLOPE, low=low[0], high=high[0]),
                 Scale(INTERCEPT, low=low[1], high=high[1]), marks,
                 T(f"Click: begin there.{f' Arrows are {longer} times as long as the steps.' if longer > 1 else ''}",
                   f"Щелчок — начать отсюда.{f' Стрелки длиннее шагов в {longer} раз.' if longer > 1 else ''}"), even=True, picked=True)


def started(p: Sampling, slope: float, intercept: float) -> Sampling:
    """The start that a click on the parameter space means."""
    return p.at(slope=float(f"{slope:.3g}"), intercept=float(f"{intercept:.3g}"))


# --- the variance of a batch's gradient ---------------------------------------------------------------------------------------------------

WAYS = {"replacement": (PINK, T("with replacement", "с возвращением")), "shuffled": (GREEN, T("without", "без возвращения")),
        "balanced": (VIOLET, T("without, class-balanced", "без возвращения, поровну из классов"))}


def spread(p: Sampling, v: Variances) -> Sheet:
    """Measured and lawful variance against the size; the clouds of gradients, the playhead being the size."""
    marks: list[Mark] = [Line(v.sizes, v.laws[0], "ink", T("law σ²/m", "закон σ²/m"), dash=1, width=1.5),
                         Line(v.sizes[:-1], v.laws[1, :-1], "ink", T("law σ²/m · (n − m)/(n − 1)", "закон σ²/m · (n − m)/(n − 1)"),
                              dash=2, width=1.5)]
    clouds: list[Chart] = []
    reach = 1.05 * float(np.quantile(np.abs(v.batches[0, :, :SOME, 0] - v.whole[:, None]), 0.99))
    for way, measured, batches in zip(v.ways, v.measured, v.batches, strict=True):
        colour, name = WAYS[way]
        some = np.where(measured > 1e-12 * v.laws[0, 0], measured, np.nan)  # n of n without replacement: nothing is left of it but rounding
        marks += [Dots(v.sizes, some, colour, name, size=3.5), Dots(v.sizes[:, None], some[:, None], colour, size=7, hollow=True)]
        cloud = batches[:, :SOME].transpose(2, 0, 1)
        clouds.append(Chart(f"cloud-{way}", T(f"{SOME} batches, {name.en}", f"{SOME} пакетов, {name.ru}"),
                            Scale(T("gradient by the slope", "градиент по наклону"), low=v.whole[0] - reach, high=v.whole[0] + reach),
                            Scale(T("by the intercept", "по сдвигу"), low=v.whole[1] - reach, high=v.whole[1] + reach),
                            [Dots(cloud[:, 0], cloud[:, 1], colour, size=2.5, alpha=0.5), Dots(v.whole[:1], v.whole[1:], "ink", shape=4, size=6)],
                            even=True))
    return Sheet([
        Chart("variance", T(f"How far the batch's gradient is off: mean square over {p['draws']} draws",
                            f"Насколько ошибается градиент пакета: средний квадрат по {p['draws']} пакетам"),
              Scale(T("batch size m", "размер пакета m"), log=True), Scale(T("variance", "дисперсия"), log=True), marks, wide=3), *clouds,
    ], 3, v.sizes.tolist(), T("batch size", "размер пакета"), begin=0)


# --- noise that frees -----------------------------------------------------------------------------------------------------------------------

MORE = (0, 1, 3)  # times its sides that a surface's box may be larger
NEARLY = 0.9  # of the runs, on the way and at the end


def over(s: Surface, key: str, title: T, marks: Sequence[Mark], box: Box, note: T | None = None, even: bool = True) -> Chart:
    """A chart over a surface, which may show more of it than its own box."""
    x, y = (Scale(T(name, name), low=low, high=high) for name, (low, high) in zip("xy", box, strict=True))
    return Chart(key, title, x, y, [Ground(heat=heat(s, box if even else s.box)), *marks], note, even=even)


def held(box: Box, points: np.ndarray) -> np.ndarray:
    """Which points lie in a box."""
    return np.all([(low <= v) & (v <= high) for v, (low, high) in zip(points, box, strict=True)], 0)


def widened(box: Box, points: np.ndarray) -> Box:
    """A box, made twice as large until it holds nearly all points, but no more than four times as large."""
    for more in MORE:
        (left, right), (low, high) = ((a - more * (b - a) / 2, b + more * (b - a) / 2) for a, b in box)
        if held(((left, right), (low, high)), points).mean() > NEARLY:
            break
    return (left, right), (low, high)


def freed(p: Sampling, e: Escaped) -> Sheet:
    """The chosen pair's seeds over the surface, step by step; what became of every pair."""
    runs, box = e.points.shape[-1], widened(e.surface.box, e.points)
    out = runs - int(held(box, e.points[:, -1]).sum())
    free, rest = (round(runs * float(then[-1])) for then in (e.free_then, e.rest_then))

    def shares(key: str, title: T, free: np.ndarray) -> Chart:
        alphas, sigmas = ([T(rounded(float(v)), rounded(float(v))) for v in values] for values in (100 * escape.RATES, escape.SIGMAS))
        return Chart(key, title, Scale(T("learning rate α, hundredths", "скорость обучения α, сотые"), words=alphas),
                     Scale(T("noise σ", "шум σ"), words=sigmas),
                     [Heat(np.arange(len(alphas) + 1) - 0.5, np.arange(len(sigmas) + 1) - 0.5, 100 * free, 0, 100, PERCENT)],
                     T("Click: these runs.", "Щелчок — эти запуски."), picked=True)
    told = T(f"σ = {short(p['sigma'])}, α = {short(p['lr'])}: {runs} runs", f"σ = {short(p['sigma'])}, α = {short(p['lr'])}: запусков {runs}")
    end = T(f"At the end {free} are nearer to the best minimum, {rest} within {escape.NEAR} of it" + (f", {out} out of sight." if out else "."),
            f"В конце ближе к лучшему минимуму {free}, не дальше {escape.NEAR} от него {rest}" + (f", за краем {out}." if out else "."))
    curves: list[Mark] = []
    for values, colour, name in ((e.free_then, GREEN, T("nearer to the best minimum", "ближе к лучшему минимуму")),
                                 (e.rest_then, PINK, T(f"within {escape.NEAR} of it", f"не дальше {escape.NEAR} от него"))):
        curves += [Line(e.steps, 100 * values, colour, name, dash=int(colour == PINK)),
                   Dots(e.steps[:, None], 100 * values[:, None], colour, size=5)]
    return Sheet([
        over(e.surface, "seeds", told, [
            Dots(e.points[0], e.points[1], PINK, size=3, alpha=0.7),
            Dots([e.bad[0]], [e.bad[1]], "ink", T("start: the bad minimum", "старт: плохой минимум"), shape=1, size=5),
            Dots([e.best[0]], [e.best[1]], "ink", T("best minimum", "лучший минимум"), shape=4, size=6)], box, end),
        shares("free", T("Ended nearer to the best, %", "Ближе к лучшему в конце, %"), e.free),
        shares("rest", T(f"Ended within {escape.NEAR} of it, %", f"Не дальше {escape.NEAR} от него, %"), e.rest),
        Chart("then", T("How many of them, step by step", "Какая их доля, шаг за шагом"), Scale(STEP), Scale(PERCENT, low=0.0, high=100.0), curves,
              wide=3),
    ], 3, e.steps.tolist(), STEP)


def chosen(p: Sampling, point: int) -> Sampling:
    """The pair that a click on a cell means."""
    row, column = divmod(point, len(escape.RATES))
    return p.at(sigma=float(escape.SIGMAS[row]), lr=float(escape.RATES[column]))


# --- clipping -------------------------------------------------------------------------------------------------------------------------------

CLIPPED: Mapping[str | None, tuple[str, int, T]] = {
    None: ("faint", 1, T("not clipped", "без ограничения")), "clip_norm": (PINK, 0, T("by norm", "по норме")),
    "clip_value": (GREEN, 2, T("by value", "по координатам"))}


def thrown(c: Clipped) -> Box:
    """The surface's box, and beside it how far a run is thrown back, but no more than twice as much again."""
    (low, high), y = c.surface.box
    return (max(min(low, float(c.points[:, :, 0].min())), low - 2 * (high - low)), high), y


def inside(box: Box, points: np.ndarray) -> np.ndarray:
    """A trail, no farther out than it must go to be out of the picture."""
    (low, high) = np.array(box, float).T[..., None]
    return np.clip(points, low - (high - low), high + (high - low))


def clipping(p: Sampling, c: Clipped) -> Sheet:
    """For each optimizer the trails at the cliff, and under them the length of every step beside αθ."""
    above: list[Chart] = []
    below: list[Chart] = []
    steps = c.lengths.shape[-1]
    along = np.arange(steps + 1)
    lengths = np.maximum(c.lengths, FLOOR)
    top, box = 2 * float(lengths.max()), thrown(c)
    for i, key in enumerate(cliff.OPTIMIZERS):
        name = optimizers[key].name
        trails: list[Mark] = []
        curves: list[Mark] = []
        before = np.maximum(along - 1, 0)  # which step led to a moment
        for j, clip in enumerate(cliff.CLIPS):
            colour, dash, said = CLIPPED[clip]
            x, y = inside(box, c.points[i, j])
            trails += [Line(x, y, colour, said, dash=dash, width=2.0, grown=along + 1), Dots(x[:, None], y[:, None], colour, shape=j, size=5)]
            curves += [Line(along[1:], lengths[i, j], colour, said, dash=dash),
                       Dots(along[1:][before][:, None], lengths[i, j][before][:, None], colour, shape=j, size=5)]
        if i == 0:  # what the gradient would do, and what is left of it
            x, y = inside(box, c.points[0, 1])
            last = np.minimum(along, steps - 1)
            for g, colour, said, dash, width in ((c.before, "ink", T("−α∇f before clipping", "−α∇f до ограничения"), 1, 2.0),
                                                 (c.after, PINK, T("after, by norm", "после, по норме"), 0, 3.5)):
                move = -p["lr"] * g[0, 1][:, last]
                trails.append(Arrows(x[last][:, None], y[last][:, None], move[0][:, None], move[1][:, None], colour, said, width=width, dash=dash))
        free, longest = (rounded(float(c.lengths[i, j].max())) for j in (0, 1))
        ratio = rounded(float(c.lengths[i, 1].max() / c.bound))
        above.append(over(c.surface, f"trail-{key}", name, trails, box, even=False))
        below.append(Chart(f"steps-{key}", T(f"{name.en}: steps", f"{name.ru}: шаги"), Scale(STEP),
                           Scale(T("‖step‖", "‖шаг‖"), log=True, low=max(1e-4 * top, float(lengths.min())), high=top),
                           [*curves, Rule(T(f"αθ = {short(c.bound)}", f"αθ = {short(c.bound)}"), y=c.bound)],
                           T(f"The longest: {free}; clipped by norm {longest} = {ratio}·αθ.",
                             f"Самый длинный: {free}; с ограничением по норме {longest} = {ratio}·αθ.")))
    return Sheet([*above, *below], 3, along.tolist(), STEP)
