"""The loss landscape: a plane of 128 × 128 cells at once, and one `loss` after another."""

from __future__ import annotations

import time

import numpy as np

import optviz as ov
from optviz.landscape import Slice, normalized
from optviz.trainer import Trainer

SIDE, SOME = 128, 1024  # cells a side; of them so many are asked one after another
FLOOR = 1.5  # times faster, in one process


def main() -> None:
    """Print what was measured, and fail below the floor."""
    training = ov.Training("spiral", n=300, val=0.0, layers=(16, 16), loss="logistic", optimizer="adam", lr=0.03, epochs=5)
    spec = Slice(training, directions="random", shape=(SIDE, SIDE))
    together = [ov.landscape(spec, keep=False, processes=count).where for count in (1, 2)]
    trainer = Trainer(training).run()
    ways = normalized(trainer.net, trainer.theta, 0)
    places = np.linspace(-1, 1, SIDE)
    began = time.perf_counter()
    for i in range(SOME):
        trainer.figures(trainer.theta + places[i // SIDE] * ways[1] + places[i % SIDE] * ways[0], None)
    alone = (time.perf_counter() - began) * SIDE**2 / SOME
    print(f"loss landscape {SIDE} x {SIDE} of a 2-16-16-1 net on 300 points: one loss after another {alone:.1f} s; in blocks "
          f"{together[0].seconds:.1f} s, {alone / together[0].seconds:.1f} times faster (floor {FLOOR:g}); in 2 processes "
          f"{together[1].seconds:.1f} s, {alone / together[1].seconds:.1f} times")
    if alone < FLOOR * together[0].seconds:
        raise SystemExit("below the floor")


if __name__ == "__main__":
    main()
