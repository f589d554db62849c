"""A race's worth of single descents against the plain torch.optim loop that records the same points, in one process.

Run: make bench, or python benchmarks/descend.py
"""

import math
import sys
import time

import numpy as np
import torch

import optviz as ov

STEPS, START = 300, (-1.5, 2.0)
TWINS = {
    "sgd": (torch.optim.SGD, {"lr": 0.01}), "momentum": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    "nesterov_torch": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}), "adagrad": (torch.optim.Adagrad, {"lr": 0.1}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.01}), "adam": (torch.optim.Adam, {"lr": 0.05}),
    "adamw": (torch.optim.AdamW, {"lr": 0.05}), "nadam": (torch.optim.NAdam, {"lr": 0.05}),
}


def ackley(p):
    """The surface as one writes it for torch."""
    x, y = p
    return (-20 * torch.exp(-0.2 * torch.sqrt((x**2 + y**2) / 2))
            - torch.exp((torch.cos(2 * math.pi * x) + torch.cos(2 * math.pi * y)) / 2) + 20 + math.e)


def torch_race():
    """Points, losses and gradients of all eight, as people record them."""
    ends = []
    for make, settings in TWINS.values():
        p = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer = make([p], **settings)
        points, losses, gradients = [p.detach().numpy().copy()], [], []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = ackley(p)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            gradients.append(p.grad.numpy().copy())
            points.append(p.detach().numpy().copy())
        ends.append(points[-1])
    return np.array(ends)


def our_race():
    """All that descend returns, of all eight."""
    return np.array([ov.descend("ackley", key, start=START, steps=STEPS, lr=settings["lr"]).points[:, -1] for key, (_, settings) in TWINS.items()])


def best_of(rounds, *races):
    """Interleaved, so that a busy machine slows all of them alike."""
    times = [math.inf] * len(races)
    for _ in range(rounds):
        for i, race in enumerate(races):
            begun = time.perf_counter()
            race()
            times[i] = min(times[i], time.perf_counter() - begun)
    return times


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    begun = time.perf_counter()
    ours = our_race()
    first = time.perf_counter() - begun
    apart = float(np.abs(ours - torch_race()).max())
    peer, own = best_of(7, torch_race, our_race)
    per = len(TWINS) * STEPS
    print(f"8 optimizers x {STEPS} steps on Ackley: torch {peer * 1e3:.0f} ms ({peer / per * 1e6:.0f} us a step), "
          f"optviz {own * 1e3:.2f} ms ({own / per * 1e6:.2f} us a step): {peer / own:.0f} times faster; "
          f"first use of all eight {first * 1e3:.0f} ms; ends differ by {apart:.0e}")
    return peer / own


if __name__ == "__main__":
    sys.exit(0 if main() >= 60 else "below the floor of 60")
