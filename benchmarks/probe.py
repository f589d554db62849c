"""A look inside a network against torch with hooks and the same statistics; and the sweep of scales and depths.

Run: make bench, or python benchmarks/probe.py
"""

import sys
import time

import torch
from descend import best_of

import optviz as ov
from optviz.inside import Inside, find
from optviz.workers import Workers

SHAPES = {"10 layers of 500": {"inputs": 500, "layers": (500,) * 10}, "50 layers of 100": {"inputs": 100, "layers": (100,) * 50}}
BATCH, OUTPUTS = 1000, 10
LOG = torch.arange(-100, 101, dtype=torch.float64)


def torch_look(inputs, layers):
    """Weights drawn, hooks, a pass forwards and backwards, and the statistics that `ov.probe` gives, but for the Jacobians."""
    def run():
        modules = []
        for fan_in, width in zip((inputs, *layers), (*layers, OUTPUTS), strict=True):
            modules += [torch.nn.Linear(fan_in, width, bias=False), torch.nn.Tanh()]
            torch.nn.init.normal_(modules[-2].weight, std=fan_in**-0.5)
        net, outs, backs = torch.nn.Sequential(*modules[:-1]), [], []
        for module in [*modules[1:-1:2], modules[-2]]:
            module.register_forward_hook(lambda module, given, out: outs.append(out))
            module.register_full_backward_hook(lambda module, grads, out: backs.insert(0, out[0]))
        loss = torch.nn.functional.cross_entropy(net(torch.randn(BATCH, inputs)), torch.arange(BATCH) % OUTPUTS)
        loss.backward()
        said = []
        for linear, out, back in zip(modules[::2], outs, backs, strict=True):
            slope = 1 - out * out
            said.append([torch.histc(out, 80, -1, 1), (slope < 0.01).double().mean(), (slope.amax(0) == 0).double().mean(), linear.weight.norm()])
            for a in (out, back, linear.weight.grad):
                octaves = torch.bucketize(a.detach().abs().log2(), LOG)
                said[-1] += [a.mean(), a.std(), a.abs().mean(), torch.bincount(octaves.flatten(), minlength=202)]
        return said
    return run


def main():
    torch.set_default_dtype(torch.float64)
    ratios = []
    for name, shape in SHAPES.items():
        peer, own = best_of(5, torch_look(**shape), lambda shape=shape: ov.probe(**shape, outputs=OUTPUTS, batch=BATCH, activation="tanh"))
        ratios.append(peer / own)
        print(f"{name}, batch {BATCH}: torch {peer * 1e3:.0f} ms, optviz {own * 1e3:.0f} ms, Jacobians included: {peer / own:.2f} times as fast")
    begun = time.perf_counter()
    spec = Inside("sweep", ov.Probe(inputs=100, layers=(100,), activation="tanh"), {"seeds": 10})
    Workers(1).call(find, spec, limit=120.0)  # in a process beside, as the page does
    seconds = time.perf_counter() - begun
    print(f"10 seeds x 16 scales x 16 depths up to 50 of width 100: {seconds:.1f} s")
    return min(ratios), seconds


if __name__ == "__main__":
    fastest, swept = main()
    sys.exit(0 if fastest > 0.5 and swept < 20 else "below the floor")
