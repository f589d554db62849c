"""What happened in a run, in one sentence with its number. Each criterion is a function; the first that holds speaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .core import T, rounded, short
from .descent import Trajectory
from .minima import Box, as_deep, grid_values
from .run import CLIPS, Run
from .stability import eigenvalues, limit, sharpness
from .surfaces import Surface, surfaces

NEAR = 0.01  # of the surface's diagonal: so close to a point is at the point
SWING = 3e-4  # of the diagonal: a swing across a ravine is larger than this to both sides
STILL = 1e-5  # of the diagonal: who goes less in the last tenth of the steps stands
STEEP = 4  # times more curved across than along: a ravine
LASTING = 0.1  # the share of the steps, the last ones, for which one must have stayed to be called settled or stuck
FEW = 5  # steps in which a crawl can be seen
SLOW = 0.2  # the share of what is left to fall: less in the last tenth of the steps is a crawl
WINDING = 3  # times longer than straight: a path that turns about
FAR = 3  # diagonals from the middle: who ends there has run away, and has not just stepped over an edge
LOOKED = 97  # places a side where it is looked whether the function is defined everywhere
AROUND = 0.15  # of the diagonal: on average so close to a minimum is around it
CLOSING = 0.85  # times nearer in the second half of the last quarter than in the first: closing in
FLAT = 1e-6  # of the larger curvature: no curvature at all


class Place(NamedTuple):
    """A minimum in English, and in the three cases that Russian sentences put it in: into it, in it, of it."""

    en: str
    to: str
    at: str
    of: str


PLACES = {
    "only": Place("the minimum", "минимум", "минимуме", "минимума"),
    "local": Place("a local minimum", "локальный минимум", "локальном минимуме", "локального минимума"),
    "global": Place("the global minimum", "глобальный минимум", "глобальном минимуме", "глобального минимума"),
    "one global": Place("a global minimum", "один из глобальных минимумов", "одном из глобальных минимумов", "одного из глобальных минимумов"),
    "deepest": Place("the deepest known minimum", "самый глубокий из известных минимумов", "самом глубоком из известных минимумов",
                     "самого глубокого из известных минимумов"),
    "one deepest": Place("one of the deepest known minima", "один из самых глубоких известных минимумов",
                         "одном из самых глубоких известных минимумов", "одного из самых глубоких известных минимумов"),
}


@dataclass(frozen=True)
class Verdict:
    """One sentence about a run; `step` is when it happened, `number` how much, where the sentence has them."""

    kind: str
    text: T
    step: int | None = None
    number: float | None = None


def verdict(run: Run, trail: Trajectory, box: Box, tolerance: float) -> Verdict:
    """The first criterion that holds, from what is certain to what is left to say; `box` is the picture, `trail` every step of the run."""
    seen = _Seen(run, trail, box, tolerance)
    with np.errstate(all="ignore"):
        return next(said for criterion in (_left_the_numbers, _settled, _stands, _stopped, _keeps_falling, _runs_away, _swings, _wanders, _moves)
                    if (said := criterion(seen)) is not None)


class _Seen:
    """A run's numbers that several criteria look at, up to the last finite step."""

    def __init__(self, run: Run, trail: Trajectory, box: Box, tolerance: float):
        self.run, self.s, self.box, self.tolerance, self.broke = run, run.surface, box, tolerance, trail.diverged_at
        self.steps = len(trail.lr) if trail.diverged_at is None else trail.diverged_at - 1
        self.points, self.loss, self.lr = trail.points[:, :self.steps + 1], trail.loss[:self.steps + 1], trail.lr
        self.late = self.steps - max(1, int(LASTING * self.steps))  # the last tenth of the steps begins here
        self.diagonal = float(norm(np.diff(self.s.box)[:, 0]))
        self.near, self.noisy = NEAR * self.diagonal, bool(run["noise"] or run["noise_relative"])

    @property
    def end(self) -> np.ndarray:
        return self.points[:, -1]

    @cached_property
    def minima(self) -> np.ndarray:
        return _minima(self.s)

    @cached_property
    def best(self) -> float | None:
        return self.s.value(*self.s.minima[0]) if self.minima.size else None

    @cached_property
    def left(self) -> int | None:
        """The step at which it left the picture for good; None where it ends inside."""
        low, high = np.array(self.box).T[:, :, None]
        return since(~((low <= self.points) & (self.points <= high)).all(axis=0))

    @cached_property
    def crossed(self) -> np.ndarray:
        return crossings(self.s, self.points, SWING * self.diagonal)

    @cached_property
    def tail(self) -> np.ndarray:
        """The last quarter of the points."""
        return self.points[:, -(self.steps // 4 + 2):]

    @cached_property
    def winds(self) -> bool:
        """The last quarter is much longer than straight."""
        return self.tail.shape[1] > 4 and length(self.tail) >= WINDING * float(norm(self.tail[:, -1] - self.tail[:, 0]))

    def far(self, point: Any) -> np.ndarray:
        """The distance of every step from a point."""
        return norm(self.points - np.reshape(point, (2, 1)))

    def nearest(self, point: Any) -> int | None:
        """The number of the nearest known minimum."""
        return int(np.argmin(norm(self.minima - np.reshape(point, (2, 1))))) if self.minima.size else None

    def place(self, which: int) -> Place:
        """What a known minimum is among the others."""
        depth = self.s.value(*self.minima)
        equal = as_deep(depth, depth[0])
        if len(depth) == 1:
            return PLACES["only"]
        if not equal[which]:
            return PLACES["local"]
        known = "global" if self.s.key in surfaces else "deepest"  # nobody knows what an own formula does outside its box
        return PLACES[known if equal.sum() == 1 else "one " + known]


# --- the criteria, in the order in which they speak ------------------------------------------------------------------------------------


def _left_the_numbers(r: _Seen) -> Verdict | None:
    """The run ended at a step without a finite value: it stepped to where there is none, it fell without end, or it diverged."""
    if r.broke is None:
        return None
    x, y = np.mean(r.s.box, axis=1).tolist()
    reach = FAR * r.diagonal
    around = (x - reach, x + reach), (y - reach, y + reach)
    if np.hypot(*(r.end - (x, y))) <= reach and np.isnan(grid_values(r.s.value, around, LOOKED)[2]).any():
        return Verdict("nowhere", T(f"stepped at step {r.broke} to where the function has no finite value",
                                    f"на шаге {r.broke} попал туда, где функция не принимает конечного значения"), r.broke)
    if r.loss[-1] < r.loss[0] and (r.best is None or r.loss[-1] < r.best):
        return Verdict("fell", T(f"fell ever lower outside the picture until the numbers ended at step {r.broke}",
                                 f"падал за краем картинки всё ниже, пока на шаге {r.broke} не кончились числа"), r.broke)
    en, ru, number = _because(r)
    return Verdict("diverged", T(f"diverged at step {r.broke}{en}", f"разошёлся на шаге {r.broke}{ru}"), r.broke, number)


def _settled(r: _Seen) -> Verdict | None:
    """From a step on, for the last tenth of the steps at least, always within NEAR of a known minimum and within the tolerance of its value."""
    which = r.nearest(r.end)
    if which is None:
        return None
    m = r.minima[:, which]
    step = since((r.far(m) <= r.near) & (abs(r.loss - r.s.value(*m)) <= r.tolerance))
    if step is None or step > r.late:
        return None
    place, (en, ru) = r.place(which), _crossed(r)
    if step == 0:
        return Verdict("settled", T(f"stays in {place.en} from the start", f"с самого старта остаётся в {place.at}"), 0)
    return Verdict("settled", T(f"settled in {place.en} at step {step}{en}", f"пришёл в {place.to} на шаге {step}{ru}"), step)


def _stands(r: _Seen) -> Verdict | None:
    """For the last tenth of the steps at least within NEAR of another point without a slope: a saddle or a top where the Hessian has a negative
    eigenvalue, an unlisted minimum or a flat floor where it has none; or of where it ends, if the function changes by less than the tolerance
    around there: a plateau."""
    point = _without_slope(r)
    step = since(r.far(r.end if point is None else point) <= r.near)
    if step is None or step > r.late or r.near < FLAT * norm(r.end):  # so far out no float sees a slope
        return None
    which = r.nearest(r.end)
    if which is not None and norm(r.minima[:, which] - r.end) <= 2 * r.near:
        return None  # on its way to a minimum
    saddle = T(f"stuck at the saddle since step {step}", f"застрял у седла с шага {step}")
    if point is not None:
        low, high = _curvatures(r.s, point)[:2]
        outside = not all(a <= v <= b for v, (a, b) in zip(point, r.box, strict=True))
        if low < -FLAT * abs(high):
            if high > -FLAT * low:
                return Verdict("saddle", saddle, step)
            return Verdict("top", T(f"stuck on the very top since step {step}", f"застрял на самой вершине с шага {step}"), step)
        if low > FLAT * high:
            en, ru = (" outside the picture", " за краем картинки") if outside else ("", "")
            return Verdict("settled", T(f"settled in a minimum{en} at step {step}", f"пришёл в минимум{ru} на шаге {step}"), step)
    angle, (x, y) = np.arange(16) * np.pi / 8, r.end if point is None else point
    change = r.s.value(x + r.near * np.cos(angle), y + r.near * np.sin(angle)) - r.s.value(x, y)
    most = float(np.max(abs(change)))
    if point is not None and min(change.max(), -change.min()) > FLAT * most:  # a saddle whose Hessian has nothing to say, as the monkey's
        return Verdict("saddle", saddle, step)
    if most <= r.tolerance:
        where = rounded(r.near), rounded(most)
        return Verdict("plateau", T("stands on a plateau since step {}: within {} of there f changes by {} at most".format(step, *where),
                                    "стоит на плато с шага {}: не дальше {} оттуда f меняется самое большее на {}".format(step, *where)), step, most)
    if point is None:
        return None
    level = np.flatnonzero(abs(r.s.value(*r.minima) - r.s.value(x, y)) <= r.tolerance)
    if not level.size:
        return Verdict("valley", T(f"lies on the flat floor of a valley since step {step}", f"лежит на плоском дне долины с шага {step}"), step)
    place = r.place(int(level[0]))
    return Verdict("settled", T(f"settled in {place.en}, one of a whole curve of them, at step {step}",
                                f"пришёл в {place.to} (их здесь целая линия) на шаге {step}"), step)


def _stopped(r: _Seen) -> Verdict | None:
    """The last tenth of the steps together goes less than STILL, and there is a slope: the rate is used up, or something holds against it."""
    if length(r.points[:, r.late:]) > STILL * r.diagonal:
        return None
    if not r.lr.any():
        return Verdict("stopped", T("does not move: the learning rate is 0", "не двигается: скорость обучения равна 0"), 0, 0.0)
    step, which, rate = since(r.far(r.end) <= STILL * r.diagonal) or 0, r.nearest(r.end), float(np.max(r.lr[r.late:]))
    faded = rate < 1e-2 * np.max(r.lr)
    en, ru = (f": its learning rate has faded to {rounded(rate)}", f": скорость обучения упала до {rounded(rate)}") if faded else ("", "")
    if which is not None:
        far = rounded(float(norm(r.minima[:, which] - r.end)))
        en, ru = f", {far} from {r.place(which).en}{en}", f", на расстоянии {far} от {r.place(which).of}{ru}"
    return Verdict("stopped", T(f"hardly moves since step {step}{en}", f"почти не движется с шага {step}{ru}"), step, rate)


def _keeps_falling(r: _Seen) -> Verdict | None:
    """Outside the picture, below everything known, never lower than in the last tenth of the steps, and lower at its end than before it."""
    if r.left is None or np.argmin(r.loss) <= r.late or not r.loss[-1] < r.loss[r.late] or not (r.best is None or r.loss[-1] < r.best):
        return None
    if r.left == 0:
        return Verdict("falling", T("is outside the picture and keeps falling", "идёт за краем картинки и продолжает падать"), 0)
    return Verdict("falling", T(f"left the picture at step {r.left} and keeps falling",
                                f"вышел за край картинки на шаге {r.left} и продолжает падать"), r.left)


def _runs_away(r: _Seen) -> Verdict | None:
    """Higher than at the start and never higher than in the last tenth of the steps: outside the picture; or, without noise, while the highest
    of each of the last four eighths tops the one before."""
    if not r.loss[-1] > r.loss[0] or np.argmax(r.loss) < r.late:
        return None
    value, (en, ru, number) = rounded(float(r.loss[-1])), _because(r)
    if r.left is not None:
        return Verdict("runs away", T(f"runs away, outside the picture since step {r.left}, f = {value} at the end{en}",
                                      f"убегает: с шага {r.left} за краем картинки, в конце f = {value}{ru}"), r.left, number)
    peaks = [float(part.max()) for part in np.array_split(r.loss[r.steps // 2:], 4) if part.size]
    if r.noisy or not r.winds or len(peaks) < 4 or not all(a < b for a, b in pairwise(peaks)):
        return None
    return Verdict("grows", T(f"swings ever wider: f has grown to {value}{en}", f"раскачивается всё шире: f выросла до {value}{ru}"), None, number)


def _swings(r: _Seen) -> Verdict | None:
    """Still crosses the floor of a ravine, three times or more in the last quarter and once in the last tenth, and no noise makes it."""
    if r.noisy or (r.crossed > r.steps - r.tail.shape[1]).sum() < 3 or not (r.crossed > r.late).any():
        return None
    n = len(r.crossed)
    return Verdict("swings", T(f"oscillates across the ravine: crossed its floor {n} times",
                               f"колеблется поперёк оврага: пересёк его дно {times(n)}"), None, n)


def _wanders(r: _Seen) -> Verdict | None:
    """The path of the last quarter turns about, or noise shakes it: closing in on a minimum, around one, or neither."""
    if not (r.winds or r.noisy):
        return None
    which = r.nearest(r.tail.mean(axis=1))
    if which is not None:
        far = norm(r.tail - r.minima[:, [which]])
        mean, half, place = float(far.mean()), len(far) // 2, r.place(which)
        centred = norm(r.tail.mean(axis=1) - r.minima[:, which]) <= max(mean / 2, 2 * r.near)
        if mean <= AROUND * r.diagonal and centred:
            if not r.noisy and far[half:].mean() < CLOSING * far[:half].mean():
                end = rounded(float(far[-1]))
                return Verdict("closes in", T(f"swings and is still closing in on {place.en}, {end} from it at the end",
                                              f"качается и всё ещё сходится: в конце до {place.of} остаётся {end}"), None, float(far[-1]))
            return Verdict("hovers", T(f"hovers around {place.en}, {rounded(mean)} from it on average over the last quarter of the steps",
                                       f"кружит около {place.of}: за последнюю четверть шагов до него в среднем {rounded(mean)}"), None, mean)
    if not r.winds:
        return None
    step = length(r.tail) / (r.tail.shape[1] - 1)
    return Verdict("jumps", T(f"keeps going to and fro without settling, {rounded(step)} a step on average at the end",
                              f"мечется и не успокаивается: под конец в среднем по {rounded(step)} за шаг"), None, step)


def _moves(r: _Seen) -> Verdict:
    """What is left: it goes on its way, and the last tenth of the steps says how fast."""
    fell, (en, ru) = float(r.loss[r.late] - r.loss[-1]), _crossed(r)
    over, za = ("the last tenth of the steps", "последнюю десятую часть шагов") if r.steps - r.late > 1 else ("the last step", "последний шаг")
    out, vne = ("", "") if r.left is None else ("outside the picture, ", "за краем картинки, ")
    if fell <= 0:
        rose = T(f"raised f by {rounded(-fell)}", f"выросла на {rounded(-fell)}") if fell else T("left f as it was", "не изменилась")
        return Verdict("climbs", T(f"{out}no longer descending: {over} {rose.en}{en}",
                                   f"{vne}больше не спускается: за {za} f {rose.ru}{ru}"), None, abs(fell))
    if r.best is None or r.loss[-1] < r.best:
        return Verdict("descends", T(f"{out}still descending: {over} lowered f by {rounded(fell)}{en}",
                                     f"{vne}всё ещё спускается: за {za} f уменьшилась на {rounded(fell)}{ru}"), None, fell)
    share = 1 - float((r.loss[-1] / 2 - r.best / 2) / (r.loss[r.late] / 2 - r.best / 2))  # halves are numbers where a difference may be none
    crawls = share < SLOW and r.steps - r.late >= FEW  # of one step nobody can say so
    kind, goes, idet = ("crawls", "still crawling", "всё ещё ползёт") if crawls else ("descends", "still descending", "всё ещё спускается")
    percent = rounded(100 * share)
    return Verdict(kind, T(f"{out}{goes}: {over} lowered f − f* by {percent} %{en}",
                           f"{vne}{idet}: за {za} f − f* уменьшилась на {percent} %{ru}"), None, share)


# --- what they see -------------------------------------------------------------------------------------------------------------------


def crossings(s: Surface, points: np.ndarray, least: float) -> np.ndarray:
    """The steps at which points (2, n) crossed the floor of a ravine, from more than `least` on one side to as much on the other.

    A ravine is where the surface is STEEP times more curved across than along. The way to its floor is g·u/λ along the Hessian's stiffest
    eigenvector u; it counts only where the point has in truth gone across as far as that way has changed, so that a hop from one well
    into the next is no crossing.
    """
    with np.errstate(all="ignore"):
        gx, gy = s.gradient(*points)
        low, high, angle = _curvatures(s, points)
        ux, uy = np.cos(angle), np.sin(angle)
        turned = np.where(ux[1:] * ux[:-1] + uy[1:] * uy[:-1] < 0, -1.0, 1.0)  # an eigenvector has no sign of its own
        ux, uy = (u * np.cumprod(np.append(1.0, turned)) for u in (ux, uy))
        off = np.where(high > STEEP * abs(low), (gx * ux + gy * uy) / high, 0.0)
        aside = np.flatnonzero(abs(off) > least)
        a, b = aside[:-1], aside[1:]
        gone = (points[0, b] - points[0, a]) * ux[b] + (points[1, b] - points[1, a]) * uy[b]
        change = off[b] - off[a]
        return b[(off[a] * off[b] < 0) & (abs(gone - change) <= abs(change) / 2)]


@lru_cache(maxsize=64)
def _minima(s: Surface) -> np.ndarray:
    """(2, n): the known minima, best first."""
    return np.array(s.minima).reshape(-1, 2).T


def _curvatures(s: Surface, points: Any) -> tuple[Any, Any, Any]:
    """The Hessian's smaller and larger eigenvalue, and the angle of the larger one's vector."""
    (xx, xy), (_, yy) = s.hessian(*points)
    return *eigenvalues(xx, xy, yy), np.arctan2(2 * xy, xx - yy) / 2


def _without_slope(r: _Seen) -> np.ndarray | None:
    """The point without a slope to which a few of Newton's steps lead from the end, if it is NEAR."""
    point = r.end
    for _ in range(8):
        low, high, angle = _curvatures(r.s, point)
        u = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # across, along
        slope, curvature = u @ np.array(r.s.gradient(*point)), np.array([high, low])
        nothing = abs(slope) <= 1e-9 * r.near * np.max(abs(curvature))  # along a floor: no slope, hence no way
        point = point - u.T @ np.where(nothing, 0.0, slope / curvature)
        if not norm(point - r.end) <= r.near:
            return None
    return point


def _because(r: _Seen) -> tuple[str, str, float | None]:
    """Why it grew, in words and as α·λmax, where that is more than the method bears at the last step in the picture."""
    at = max((r.late if r.left is None else r.left) - 1, 0)
    bears = None if any(r.run[name] is not None for name in CLIPS) else limit(r.run)  # a clipped step has another law
    product = float(r.lr[at] * sharpness(r.s, r.points[:, at]))
    if bears is None or not bears < product < math.inf:
        return "", "", None
    write = rounded if rounded(product) != rounded(bears) else short
    said = f"α·λmax = {write(product)} > {write(bears)}"
    return f" ({said} at step {at})", f" (на шаге {at} было {said})", product


def _crossed(r: _Seen) -> tuple[str, str]:
    """How often it crossed the floor of a ravine, if that is worth a word and no noise made it."""
    n = len(r.crossed)
    return ("", "") if r.noisy or n < 3 else (f"; it crossed the ravine's floor {n} times on the way", f"; по пути пересёк дно оврага {times(n)}")


def times(n: int) -> str:
    """24 раза, 11 раз"""
    return f"{n} раза" if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else f"{n} раз"


def since(flags: np.ndarray) -> int | None:
    """The number of the first from which on all are true."""
    return None if not flags[-1] else len(flags) - int(np.argmin(flags[::-1])) if not flags.all() else 0


def length(points: np.ndarray) -> float:
    """Of the path through points (2, n)."""
    return float(norm(np.diff(points)).sum())


def norm(a: np.ndarray) -> np.ndarray:
    """The length of a vector (2, …)."""
    return np.hypot(a[0], a[1])
