"""Rounding: in how many cells of a map of networks the validation accuracy is not NumPy's, on torch and where the first weights differ a little."""

from __future__ import annotations

import numpy as np

from optviz.study import Study
from optviz.sweep import Sweep, sweep

OPTIMIZERS, DATA = ("sgd", "momentum", "adam", "adamw"), ("moons", "spiral")
LITTLE = 1e-15  # of a weight
SLOW = 0.1  # rates up to it are counted apart


def nudged(spec: Sweep) -> np.ndarray:
    """The accuracies of the same networks from weights that differ a little."""
    rng, accuracy = np.random.default_rng(0), np.empty(spec.shape)
    for cell in np.ndindex(*spec.shape):
        trainer = spec.study(*cell).trainer()
        trainer.theta = trainer.theta * (1 + LITTLE * rng.standard_normal(trainer.theta.shape))
        accuracy[cell] = trainer.run().rows[-1][3]
    return accuracy


def main() -> None:
    """Print the shares."""
    for optimizer in OPTIMIZERS:
        for data in DATA:
            study = Study(data, n=200, noise=0.1, layers=(8, 8), epochs=60, optimizer=optimizer)
            spec = Sweep(study, ("lr", (1e-3, 1.0, 12, "log")), ("lambda", (1e-5, 1.0, 12, "log")))
            numpy, double, single = (sweep(spec, keep=False, backend=name, device="cpu", dtype=dtype).accuracy_val
                                     for name, dtype in (("numpy", None), ("torch", "float64"), ("torch", "float32")))
            shares = []
            for name, other in (("nudged", nudged(spec)), ("torch float64", double), ("torch float32", single)):
                differs = np.abs(other - numpy) > 1e-9
                shares.append(f"{name} {differs.mean():.1%} ({differs[:, np.array(spec.x.values) <= SLOW].mean():.1%})")
            print(f"{optimizer}, {data}: {', '.join(shares)}", flush=True)


if __name__ == "__main__":
    main()
