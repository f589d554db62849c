"""On a GPU: 1024² starts × 1,000 steps of Adam on Rosenbrock in float32, against what the card could do at best and against NumPy; and a map of
networks and a loss landscape in float64, against NumPy.

The floor: the operations of one step are counted in the printed code, the card's rate is measured on a chain of multiplications and
additions in one kernel. It needs numpy and torch, and nothing else that optviz can use.

    python benchmarks/gpu.py [device] [side] [steps]
"""

import re
import sys
import time

import numpy as np

from optviz.backend import backend
from optviz.basin import Basin
from optviz.ends import ends
from optviz.expr import ARRAYS, Code
from optviz.landscape import Slice, landscape
from optviz.run import Run
from optviz.study import Study
from optviz.surfaces import _outputs
from optviz.sweep import Sweep, sweep
from optviz.trace import parted_step

CHAIN, NUMBERS = 512, 2**24
OPERATION = re.compile(r" [-+*/<>&|] |\b(?:sqrt|abs|pow|exp|log|sin|cos|tanh|where|minimum|maximum|over)\(|\(-")
BESIDE = 10  # whether all are numbers takes two an output and two of the loss; who goes on is decided, the point and the marks are moved


def operations(spec):
    """How many a step of one start takes: slope, height, the optimizer's own, and what watches over it."""
    problem = spec.problem(0, 1)
    alike = frozenset(["t", "rate", *(f"h_{name}" for name in problem.optimizer.params)])
    parted = parted_step(problem.plan, alike)
    codes = [Code(_outputs(spec.run.surface)[what], ARRAYS) for what in ("slope", "height")]
    lines = [line for code in codes for line in (*code.lines, *code.results)]
    outputs = len(parted.traced.outputs)
    return sum(len(OPERATION.findall(line)) for line in [*lines, parted.text]) + 2 * outputs + BESIDE


def rate(m):
    """Operations a second of one kernel that does little else."""
    xp = m.xp

    def chain(x, a, b):
        for _ in range(CHAIN // 2):
            x = x * a + b
        return x
    kernel = m.compiled(chain)
    x, a, b = m.array(np.random.default_rng(0).random(NUMBERS)), m.array(0.999), m.array(0.001)
    kernel(x, a, b)
    synchronize(xp, m.device)
    begun = time.perf_counter()
    for _ in range(10):
        kernel(x, a, b)
    synchronize(xp, m.device)
    return 10 * CHAIN * NUMBERS / (time.perf_counter() - begun)


def synchronize(torch, device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(spec, m):
    """Seconds of all starts in one block, the arrays on their way included."""
    problem = spec.problem(0, spec.shape[0] * spec.shape[1])
    synchronize(m.xp, m.device)
    begun = time.perf_counter()
    ends(problem, m, 1e-3)
    synchronize(m.xp, m.device)
    return time.perf_counter() - begun


def beside(make, spec, device):
    """How long a map takes on NumPy and on the device, and where it goes when nobody says where."""
    asked = {"backend": "numpy"}, {"backend": "torch", "device": device, "dtype": "float64"}, {}
    numpy, torch, unasked = (make(spec, keep=False, **how).where for how in asked)
    return f"NumPy in {numpy.processes} processes {numpy.seconds:.1f} s, {torch.device} {torch.seconds:.1f} s; unasked on {unasked.backend}"


if __name__ == "__main__":
    given = sys.argv[1:]
    device, side, steps = [*given, *["cuda", "1024", "1000"][len(given):]]
    m = backend("torch", device, "float32")
    torch = m.xp
    print(torch.cuda.get_device_name() if m.device.type == "cuda" else "processor", "torch", torch.__version__)
    spec = Basin(Run("rosenbrock", "adam", steps=int(steps), lr=0.05), (int(side), int(side)))
    begun = time.perf_counter()
    timed(Basin(spec.run, (64, 64)), m)
    print(m.note[0] if m.note else f"compiled in {time.perf_counter() - begun:.1f} s")
    took = min(timed(spec, m) for _ in range(3))
    count, speed = operations(spec), rate(m)
    floor = count * spec.work / speed
    print(f"{side}² × {steps}: {took:.4f} s; {count} operations a step at {speed / 1e12:.2f} T a second: floor {floor:.4f} s, "
          f"{took / floor:.1f} times that (aim 3)")
    few = Basin(spec.run, (128, 128))
    begun = time.perf_counter()
    ends(few.problem(0, 128 * 128), backend("numpy"), 1e-3)
    alone = (time.perf_counter() - begun) * spec.work / few.work
    print(f"NumPy on this processor, from 128²: {alone:.1f} s, {alone / took:.0f} times as long (aim 200)")
    if m.device.type == "cuda":
        for much in (steps, 2 * int(steps)):
            torch.cuda.reset_peak_memory_stats()
            timed(Basin(Run("rosenbrock", "adam", steps=int(much), lr=0.05), spec.shape), m)
            print(f"{much} steps: {torch.cuda.max_memory_allocated() / 2**20:.0f} MiB at most")
    net = Study("moons", n=400, noise=0.2, layers=(8, 8), epochs=40, batch=None, optimizer="adam", lr=0.03)
    nets = Sweep(net, ("lambda", (1e-5, 1.0, 64, "log")), ("lr", (1e-3, 0.1, 64, "log")))
    print(f"64² networks of 2-8-8-1, 40 passes of 200 examples: {beside(sweep, nets, device)}")
    print(f"landscape of one of them, 256² cells: {beside(landscape, Slice(net, shape=(256, 256)), device)}")
