"""Random numbers for data and networks: one generator for each seed, purpose and moment, so that nothing drawn shifts anything else."""

from enum import IntEnum

import numpy as np


class Draw(IntEnum):
    """What a generator is for."""

    POINTS = 1
    NOISE = 2
    LABELS = 3
    SPLIT = 4
    WEIGHTS = 5
    ORDER = 6
    DROPOUT = 7
    AUGMENT = 8
    DIRECTIONS = 9


def generator(seed: int, draw: Draw, moment: int = 0) -> np.random.Generator:
    """A generator that depends on its three numbers alone: a pass can be drawn again without the passes before it."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, int(draw) << 40 | moment], np.uint64)))
