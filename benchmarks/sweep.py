"""Sweeps: networks a second in lockstep beside one after another, and how soon a map of descents is there."""

from __future__ import annotations

import time

from optviz.run import Run
from optviz.study import Study
from optviz.sweep import Sweep, sweep

FLOOR = 10.0  # times faster than one after another
SOME = 16  # networks that are trained one after another, to know what one takes


def main() -> None:
    """Print what was measured, and fail below the floor."""
    study = Study("moons", n=200, noise=0.2, layers=(8,), epochs=100, optimizer="adam", lr=0.03, loss="logistic")
    spec = Sweep(study, ("lambda", (1e-5, 1.0, 32, "log")), ("lr", (1e-3, 1.0, 32, "log")))
    cells = spec.shape[0] * spec.shape[1]
    began = time.perf_counter()
    for k in range(0, cells, cells // SOME):
        spec.study(*divmod(k, spec.shape[1])).trainer().run()
    alone = (time.perf_counter() - began) / SOME
    rates = {}
    for processes in (1, 2):
        began = time.perf_counter()
        sweep(spec, processes=processes, keep=False)
        rates[processes] = cells / (time.perf_counter() - began)
    ratio = rates[1] * alone
    print(f"map {spec.shape[0]} x {spec.shape[1]} of 2-8-1 networks, 200 points, 100 passes: one after another {1 / alone:.1f} networks a second, in "
          f"lockstep {rates[1]:.0f} ({ratio:.1f} times faster, floor {FLOOR:g}), in two processes {rates[2]:.0f}")
    runs = Sweep(Run("rosenbrock", "adam", steps=1000), ("lr", (1e-3, 10.0, 128, "log")), ("beta1", (0.0, 0.99, 128)))
    began = time.perf_counter()
    found = sweep(runs, processes=1, keep=False, backend="numpy")
    seconds = time.perf_counter() - began
    print(f"map 128 x 128 of descents, 1000 steps: {seconds:.1f} s, {found.where.seconds / runs.work * 1e9:.0f} ns a step and cell")
    if ratio < FLOOR:
        raise SystemExit("below the floor")


if __name__ == "__main__":
    main()
