"""Eight optimizers x 300 steps tuned in one go, against the same search as a plain loop of single runs; both without noise and with.

Run: make bench, or python benchmarks/tune.py
"""

import math
import sys
import time

import numpy as np

import optviz as ov
from optviz.race import Race, entrant_on
from optviz.tune import SEEDS, search, tune

KEYS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "nadam")
LIMIT = 2.0  # seconds, without noise


def ours(race):
    tune.forget()
    return list(search(race, 0.0))


def loop(race, found, seeds):
    """Every rate that the search tried, run by run; its scores are judged as the search judges them, which costs nothing beside."""
    rates = []
    for run, t in zip(race.runs, found, strict=True):
        scores = []
        for lr in t.tries.rates:
            losses = [ov.descend(run, lr=lr, member=member).loss for member in range(seeds)]
            after = [np.max(np.flatnonzero(loss > race["tolerance"]), initial=-1) + 1 for loss in losses]
            steps = sorted(k if k <= run.steps else math.inf for k in after)
            finals = sorted(loss[run.steps * 9 // 10 + 1:].mean() for loss in losses)
            scores.append((steps[(seeds - 1) // 2], finals[(seeds - 1) // 2], lr))
        rates.append(min(scores)[2])
    return rates


def timed(work):
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun


def main():
    s, slowest = ov.surfaces["ackley"], 0.0
    for noise, seeds, repeats in ((0.0, 1, 5), (0.3, SEEDS, 1)):
        race = Race(s, None, [entrant_on(s, key) for key in KEYS], noise=noise)
        found = ours(race)
        mine, theirs = math.inf, math.inf
        for _ in range(repeats):
            mine = min(mine, timed(lambda race=race: ours(race))[1])
            rates, seconds = timed(lambda race=race, found=found, seeds=seeds: loop(race, found, seeds))
            theirs = min(theirs, seconds)
        same = sum(a == t.rate for a, t in zip(rates, found, strict=True))
        tries = sum(len(t.tries.rates) for t in found) * seeds
        print(f"fair race on Ackley, 8 optimizers x 300 steps, {seeds} draws of the noise, {tries} runs: {mine:.2f} s; "
              f"a plain loop of single runs: {theirs:.2f} s, {theirs / mine:.1f} times as long; the same rate for {same} of 8")
        slowest = max(slowest, mine if not noise else 0.0)
    return slowest


if __name__ == "__main__":
    sys.exit(0 if main() <= LIMIT else f"above {LIMIT} s")
