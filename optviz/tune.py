"""A fair race: for every entrant the learning rate that serves it best, found by one and the same search."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .core import Param, Refused, T, once
from .descent import descend, kept_steps
from .optimizers import optimizers
from .outcome import cost
from .race import Race
from .run import Run

COARSE, FINE = 32, 32  # rates over the whole range of the control, then between the two neighbours of the best of them
SEEDS = 32  # draws of the noise that each rate meets, the same for all; the first is the one that is seen
SHARE = 10  # the final loss is the mean over the last tenth of the steps: an oscillation or noise has no lucky moment there
BAND = (0.1, 0.5, 0.9)
MOST_KEPT = 10_000 * (COARSE + 1)  # losses that one stage keeps: every step without noise, every few of many with it
BUDGET = 15.0  # seconds that the search for all may take, as `cost` guesses them
TOO_LONG = T("not searched: too much work; lower the steps", "поиск не проведён: слишком много вычислений; уменьшите число шагов")


class Tries(NamedTuple):
    """What some rates came to, one number a rate; `final` has three rows: 10 %, median, 90 % over the draws of the noise."""

    rates: np.ndarray
    reached: np.ndarray  # the step from which the loss stays within the tolerance, the median; infinite where it does not
    final: np.ndarray  # the mean loss over the last tenth of the steps, infinite where it diverged


@dataclass(frozen=True, eq=False)
class Tuned:
    """What the search found for one run."""

    tries: Tries  # by rising rate
    rate: float | None  # the best; None where every rate diverges
    reached: int | None  # from this step on the loss stays within the tolerance
    final: tuple[float, float, float]  # of the best rate
    alike: bool  # every rate does the same
    seeds: int
    every: int  # steps between the losses that were looked at


@once(maxsize=256)
def tune(run: Run, best: float | None, tolerance: float) -> Tuned:
    """The rate that comes within the tolerance of the best value and stays there, for the last tenth of the steps at least, in the fewest
    steps; if none does, the one with the lowest final loss. Over draws of the noise both are medians. What diverged is infinitely bad, and
    a rate counts for no more than the better one of its neighbours does."""
    p = optimizers[run.optimizer].params["lr"]
    assert isinstance(p, Param)
    seeds = SEEDS if run["noise"] or run["noise_relative"] else 1
    every = math.ceil(run.steps * (COARSE + 1) * seeds / MOST_KEPT)

    def stage(rates: np.ndarray) -> Tries:
        trail = descend(run, lr=np.repeat(rates, seeds), member=np.tile(np.arange(seeds), len(rates)), record=every, memory=False)
        loss = trail.loss.reshape(-1, len(rates), seeds)
        there = trail.diverged_at.reshape(len(rates), seeds) < 0
        return Tries(rates, *_measured(loss, there, np.append(0, kept_steps(run.steps, every)), best, tolerance))

    coarse = stage(_rates(p.low, p.high, COARSE, run["lr"]))
    i = _best(coarse, run["lr"])
    low, high = coarse.rates[max(i - 1, 0)], coarse.rates[min(i + 1, len(coarse.rates) - 1)]
    new = np.setdiff1d(_rates(low, high, FINE + 2), coarse.rates)
    tries = _joined(coarse, stage(new)) if new.size and low > 0 else coarse
    i = _best(tries, run["lr"])
    if not math.isfinite(tries.final[1, i]):
        return Tuned(tries, None, None, (math.inf,) * 3, False, seeds, every)
    low_end, median, high_end = tries.final[:, i].tolist()
    reached = tries.reached[i]
    alike = bool((tries.reached == reached).all() and (tries.final == tries.final[:, i:i + 1]).all())
    return Tuned(tries, float(tries.rates[i]), int(reached) if math.isfinite(reached) else None, (low_end, median, high_end), alike, seeds, every)


def search(race: Race, best: float | None) -> Iterator[Tuned | T]:
    """The search for each entrant in turn, from the rates before any tuning; or why there is none. Too much work is too much for all: a race
    in which some are tuned is not fair."""
    runs = race.untuned().runs
    price = sum(2 * cost(run, (COARSE + 1) * (SEEDS if run["noise"] or run["noise_relative"] else 1)) for run in runs)
    for run in runs:
        try:
            yield tune(run, best, race["tolerance"]) if price <= BUDGET else TOO_LONG
        except Refused as refusal:
            yield refusal.text


def _rates(low: float, high: float, n: int, also: float | None = None) -> np.ndarray:
    """Rates spaced by their logarithm, of three digits, so that what is printed is what was tried; and the one there is already."""
    spaced = [float(f"{rate:.2e}") for rate in np.geomspace(max(low, 1e-300), high, n)]
    return np.unique([*spaced, *([] if also is None else [also])])


def _measured(loss: np.ndarray, there: np.ndarray, kept: np.ndarray, best: float | None, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Of losses (kept steps, rates, seeds): the steps to the tolerance and the final loss of each rate, over the seeds."""
    with np.errstate(all="ignore"):
        late = loss[kept > kept[-1] * (1 - 1 / SHARE)]
        final = np.where(there, late.mean(axis=0), np.inf)
        if best is None:
            reached = np.full(final.shape, np.inf)
        else:
            outside = loss - best > tolerance
            last = len(kept) - 1 - np.argmax(outside[::-1], axis=0)  # the last moment outside
            after = kept[np.minimum(np.where(outside.any(axis=0), last + 1, 0), len(kept) - 1)]
            stays = ~outside[kept > kept[-1] * (1 - 1 / SHARE)].any(axis=0)  # who comes at the very end may go again
            reached = np.where(there & stays, after, np.inf)
    return np.quantile(reached, 0.5, axis=-1, method="inverted_cdf"), np.quantile(final, BAND, axis=-1, method="inverted_cdf")


def _best(tries: Tries, own: float) -> int:
    """The fewest steps, then the lowest final loss, then the rate there was, then the lowest rate. A rate is as good as it and its better
    neighbour are both: one that is good all alone is luck, and the next seed or start has another."""
    reached, final = tries.reached, tries.final[1]
    i, mine = (int(np.lexsort((tries.rates, tries.rates != own, final, reached, *sure))[0])
               for sure in ((_with_neighbour(final), _with_neighbour(reached)), (tries.rates != own,)))
    return mine if tries.rates[mine] == own and (reached[mine], final[mine]) < (reached[i], final[i]) else i  # nobody loses by a search


def _with_neighbour(values: np.ndarray) -> np.ndarray:
    """The worse of each value and the better one beside it."""
    padded = np.concatenate([[np.inf], values, [np.inf]])
    return np.maximum(values, np.minimum(padded[:-2], padded[2:])) if values.size > 1 else values


def _joined(a: Tries, b: Tries) -> Tries:
    """Both, by rising rate."""
    order = np.argsort(np.concatenate([a.rates, b.rates]))
    return Tries(*(np.concatenate([x, y], axis=-1)[..., order] for x, y in zip(a, b, strict=True)))
