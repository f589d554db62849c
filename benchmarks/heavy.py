"""Basins of Rosenbrock under Adam, 512² starts × 500 steps: NumPy in one process against two, and against torch compiled.

    python benchmarks/heavy.py [side] [turns]

What happens once, to begin processes and to compile, is told apart. Then all take turns, and of each the least counts, so that what else the
machine does touches them alike.
"""

import sys
import time

from optviz.backend import backend
from optviz.basin import Basin
from optviz.heavy import compute
from optviz.run import Run

STEPS = 500


def seconds(spec, **where):
    """How long it takes."""
    begun = time.perf_counter()
    compute(spec, keep=False, **where)
    return time.perf_counter() - begun


if __name__ == "__main__":
    side, turns = (int(word) for word in [*sys.argv[1:], *["512", "3"][len(sys.argv) - 1:]])
    spec = Basin(Run("rosenbrock", "adam", steps=STEPS, lr=0.05), (side, side))
    ways = {"NumPy, one process": {"backend": "numpy", "processes": 1}, "NumPy, two processes (aim 1.6)": {"backend": "numpy", "processes": 2}}
    small = Basin(spec.run, (64, 64))
    print(f"NumPy, two processes: begun in {seconds(small, **ways['NumPy, two processes (aim 1.6)']):.1f} s")
    for dtype in ("float64", "float32"):
        way = {"backend": "torch", "device": "cpu", "dtype": dtype}
        first = seconds(small, **way)
        if (note := backend("torch", "cpu", dtype).note) is not None:
            print(note[0])
            break
        print(f"torch, {dtype}: compiled in {first:.1f} s")
        ways |= {f"torch, {dtype}, {count} thread{'s' * (count > 1)} (aim 3)": {**way, "processes": count} for count in (1, 2)}
    took = dict.fromkeys(ways, float("inf"))
    for _ in range(turns):
        for name, way in ways.items():
            took[name] = min(took[name], seconds(spec, **way))
    for name, best in took.items():
        print(f"{name:40}{best:7.2f} s  {best / spec.work * 1e9:5.1f} ns a step  {took['NumPy, one process'] / best:5.2f} times as fast")
