"""Basins of Rosenbrock under Adam, 512² starts × 500 steps: NumPy in one process against two, and against torch compiled.

    python benchmarks/heavy.py [side]
"""

import sys
import time

from optviz.backend import backend
from optviz.basin import Basin
from optviz.heavy import compute
from optviz.run import Run

STEPS = 500


def seconds(spec, tries=2, **where):
    """The least of some tries."""
    best = float("inf")
    for _ in range(tries):
        begun = time.perf_counter()
        compute(spec, keep=False, **where)
        best = min(best, time.perf_counter() - begun)
    return best


if __name__ == "__main__":
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    spec = Basin(Run("rosenbrock", "adam", steps=STEPS, lr=0.05), (side, side))
    alone = seconds(spec, backend="numpy", processes=1)
    print(f"{'NumPy, one process':34}{alone:7.2f} s  {alone / spec.work * 1e9:5.1f} ns a step")
    two = seconds(spec, backend="numpy", processes=2)
    print(f"{'NumPy, two processes':34}{two:7.2f} s  {alone / two:5.2f} times as fast (aim 1.6)")
    for dtype in ("float64", "float32"):
        if not backend("torch", "cpu", dtype).compiles:
            print("torch has no compiler here")
            break
        first = seconds(Basin(spec.run, (64, 64)), 1, backend="torch", device="cpu", dtype=dtype)
        warm = seconds(spec, backend="torch", device="cpu", dtype=dtype)
        print(f"{'torch, compiled, ' + dtype:34}{warm:7.2f} s  {alone / warm:5.2f} times as fast (aim 3), compiled in {first:.1f} s")
