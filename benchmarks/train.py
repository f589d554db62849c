"""A pass of training on the spiral against torch's usual loop and a hand-written NumPy loop; and 64 networks in lockstep against one after another.

Run: make bench, or python benchmarks/train.py
"""

import sys
from itertools import pairwise

import numpy as np
import torch
from descend import best_of

import optviz as ov

N, BATCH, WIDTHS, PASSES, MEMBERS = 200, 10, (20, 20), 10, 64
SETTINGS = {"layers": WIDTHS, "n": 2 * N, "val": 0.5, "batch": BATCH, "lr": 0.03}  # 200 points to train on


def spiral():
    """The points that all train on."""
    sample = ov.datasets["spiral"].sample(N, 0.0, 0)
    return sample.X, np.where(sample.y == 1, 1.0, -1.0)[:, None]


def torch_passes(passes):
    """As everybody writes it."""
    x, y = map(torch.tensor, spiral())
    sizes = (2, *WIDTHS, 1)
    layers = []
    for fan_in, width in pairwise(sizes):
        layers += [torch.nn.Linear(fan_in, width), torch.nn.Tanh()]
    net = torch.nn.Sequential(*layers[:-1])
    optimizer, lossf = torch.optim.SGD(net.parameters(), lr=0.03), torch.nn.MSELoss()

    def run():
        for _ in range(passes):
            order = torch.randperm(N)
            for low in range(0, N, BATCH):
                at = order[low:low + BATCH]
                optimizer.zero_grad()
                loss = lossf(net(x[at]), y[at])
                loss.backward()
                optimizer.step()
    return run


def hand_passes(passes):
    """The same network with its gradient written out."""
    x, y = spiral()
    rng, sizes = np.random.default_rng(0), (2, *WIDTHS, 1)
    w = [rng.normal(size=(a, b)) / a**0.5 for a, b in pairwise(sizes)]
    b = [np.zeros(size) for size in sizes[1:]]

    def run():
        for _ in range(passes):
            order = rng.permutation(N)
            for low in range(0, N, BATCH):
                at = order[low:low + BATCH]
                h1 = np.tanh(x[at] @ w[0] + b[0])
                h2 = np.tanh(h1 @ w[1] + b[1])
                g = 2 / BATCH * (h2 @ w[2] + b[2] - y[at])
                g2 = g @ w[2].T * (1 - h2 * h2)
                g1 = g2 @ w[1].T * (1 - h1 * h1)
                for i, (seen, back) in enumerate(((x[at], g1), (h1, g2), (h2, g))):
                    w[i] -= 0.03 * seen.T @ back
                    b[i] -= 0.03 * back.sum(0)
    return run


def our_passes(passes, **settings):
    """The same in optviz, with the losses and accuracies of both parts that it measures in every pass."""
    trainer = ov.Trainer("spiral", epochs=1000, **SETTINGS, **settings)
    return lambda: trainer.run(until=trainer.passes + passes)


def one_after_another():
    trainers = [ov.Trainer("spiral", epochs=1000, **SETTINGS, seed=seed) for seed in range(MEMBERS)]

    def run():
        for trainer in trainers:
            trainer.run(until=trainer.passes + 1)
    return run


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    peer, hand, own = best_of(9, torch_passes(PASSES), hand_passes(PASSES), our_passes(PASSES))
    print(f"a pass over {N} points in batches of {BATCH}, 2-20-20-1 tanh: torch {peer / PASSES * 1e3:.2f} ms, "
          f"NumPy by hand {hand / PASSES * 1e3:.2f} ms, optviz {own / PASSES * 1e3:.2f} ms, its measuring of losses and accuracies included: "
          f"{peer / own:.1f} times faster than torch, {own / hand:.2f} times the hand-written loop")
    apart, together = best_of(5, one_after_another(), our_passes(1, seed=np.arange(MEMBERS)))
    print(f"{MEMBERS} networks, a pass each: one after another {apart * 1e3:.0f} ms, in lockstep {together * 1e3:.1f} ms: "
          f"{apart / together:.1f} times faster")
    return peer / own >= 3, own / hand <= 3, apart / together >= 5


if __name__ == "__main__":
    sys.exit(0 if all(main()) else "below a floor")
