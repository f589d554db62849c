"""Batched Adam on Rosenbrock, 65,536 starts x 200 steps, endpoints only, against a loop written by hand for just this.

Run: make bench, or python benchmarks/batch.py
"""

import math
import resource
import sys
import time

import numpy as np

import optviz as ov

MEMBERS, STEPS, LR, BETA1, BETA2, EPS = 65_536, 200, 0.01, 0.9, 0.999, 1e-8


def by_hand(starts, block):
    """Adam and Rosenbrock's gradient in one loop over blocks that stay in cache."""
    ends = np.empty_like(starts)
    for low in range(0, starts.shape[1], block):
        x, y = starts[:, low:low + block].copy()
        mx, my, vx, vy = np.zeros((4, x.size))
        for t in range(1, STEPS + 1):
            bend = y - x * x
            gx, gy = -2 * (1 - x) - 400 * x * bend, 200 * bend
            c1, c2 = 1 - BETA1**t, 1 - BETA2**t
            mx = BETA1 * mx + (1 - BETA1) * gx
            my = BETA1 * my + (1 - BETA1) * gy
            vx = BETA2 * vx + (1 - BETA2) * gx * gx
            vy = BETA2 * vy + (1 - BETA2) * gy * gy
            x = x - LR * (mx / c1) / (np.sqrt(vx / c2) + EPS)
            y = y - LR * (my / c1) / (np.sqrt(vy / c2) + EPS)
        ends[:, low:low + block] = x, y
    return ends


def ours(starts):
    return ov.descend("rosenbrock", "adam", start=starts, steps=STEPS, lr=LR, record="end").points[:, -1]


def main():
    starts = np.random.default_rng(0).uniform(-2, 2, (2, MEMBERS))
    apart = float(np.abs(by_hand(starts, 16_384) - ours(starts)).max())
    races = {f"by hand, blocks of {b}": (lambda b=b: by_hand(starts, b)) for b in (4_096, 8_192, 16_384)} | {"optviz": lambda: ours(starts)}
    times = dict.fromkeys(races, math.inf)
    for _ in range(8):
        for name, race in races.items():
            begun = time.perf_counter()
            race()
            times[name] = min(times[name], time.perf_counter() - begun)
    for name, seconds in times.items():
        print(f"  {name}: {seconds:.3f} s, {seconds / MEMBERS / STEPS * 1e9:.1f} ns a step and point")
    ratio = times.pop("optviz") / min(times.values())
    print(f"batched Adam on Rosenbrock, {MEMBERS} starts x {STEPS} steps: {ratio:.2f} times the best loop by hand; "
          f"ends differ by {apart:.0e}; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return ratio


if __name__ == "__main__":
    sys.exit(0 if main() <= 2 else "above twice the loop by hand")
