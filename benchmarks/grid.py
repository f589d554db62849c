"""The regularization lab's grid: how soon it is there, how long it trains, and what going in lockstep is worth."""

from __future__ import annotations

import time

from optviz.grid import Lockstep, advance
from optviz.render.network_wire import pack_wall
from optviz.trial import FIRST
from optviz.wall import Cell, Wall, wall_scene

FIRST_FRAME, WHOLE = 1.0, 10.0  # seconds that they may take


def main() -> None:
    """Print what was measured, and fail below the floors."""
    began = time.perf_counter()
    run = Lockstep(FIRST.grid)
    rows, columns = FIRST.grid.heads()
    wall = Wall([Cell(rows[0], study, trainer) for study, trainer in zip(run.studies, run.cells, strict=True)], len(columns), rows, columns)
    message = pack_wall(wall_scene(wall), "en", {})
    first = time.perf_counter() - began
    began = time.perf_counter()
    advance(run.trainers, 1e9)
    together = time.perf_counter() - began
    began = time.perf_counter()
    for study in run.studies:
        study.trainer().run()
    alone = time.perf_counter() - began
    print(f"grid {len(rows)} x {len(columns)}, {FIRST.study['n']} points, {FIRST.study['epochs']} passes: first message after {first:.2f} s "
          f"({len(message) >> 10} KiB, limit {FIRST_FRAME:g} s), trained in {together:.1f} s (limit {WHOLE:g} s); "
          f"one network after another {alone:.1f} s, lockstep {alone / together:.1f} times faster")
    if first > FIRST_FRAME or together > WHOLE:
        raise SystemExit("below the floor")


if __name__ == "__main__":
    main()
