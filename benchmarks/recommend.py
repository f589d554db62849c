"""Find the learning rates in optviz/recommended.json: one batched search for each surface and optimizer.

The criterion: from the surface's first start, without noise, the rate that brings the loss down soonest, which is the lowest mean
over 300 steps of log(gap / first gap + 0.001). The run, and those at the next lower and higher rate, stay within three boxes and
end lower than they began, so that a nudge of the slider does no harm. A surface without a minimum has none.
Run: python benchmarks/recommend.py
"""

import json
import time
from pathlib import Path

import numpy as np

import optviz as ov

RATES = np.unique([float(f"{rate:.1e}") for rate in np.geomspace(1e-5, 10, 73)])  # two digits, so that what is stored was tried
TARGET = Path(ov.__file__).with_name("recommended.json")


def best_rate(s: ov.Surface, key: str) -> float | None:
    t = ov.descend(s, key, steps=300, lr=RATES)
    size = np.array([high - low for low, high in s.box])[:, None]
    middle = np.array([(high + low) / 2 for low, high in s.box])[:, None]
    stayed = (np.abs(t.points - middle[..., None]) <= 1.5 * size[..., None]).all(axis=(0, 1)) & (t.diverged_at < 0) & (t.loss[-1] < t.loss[0])
    steady = stayed & np.r_[True, stayed[:-1]] & np.r_[stayed[1:], True]
    gap = np.maximum(t.loss - s.value(*s.minima[0]), 0)
    score = np.where(steady, np.log(gap / gap[0] + 1e-3).mean(axis=0), np.inf)
    return float(RATES[np.argmin(score)]) if steady.any() else None


def main() -> None:
    begun, table = time.perf_counter(), {}
    for s in ov.surfaces.values():
        if s.minima:
            found = {key: best_rate(s, key) for key in ov.optimizers}
            table[s.key] = {key: rate for key, rate in found.items() if rate is not None}
    TARGET.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
    print(f"{sum(map(len, table.values()))} rates in {time.perf_counter() - begun:.0f} s, {len(RATES) * 300} steps each")


if __name__ == "__main__":
    main()
