"""Heavy runs: where thousands of descents end on every machine, basins, blocks in processes, what is kept on disk, and everything that may go wrong."""

import dataclasses
import gc
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from devices import Shapes
from distributed import KilledWorker

import optviz as ov
from optviz import backend as machines
from optviz import cluster, heavy, store
from optviz.activations import activations
from optviz.augment import augmentations
from optviz.backend import Numpy, Torch, backend, chosen
from optviz.basin import Basin, at_once
from optviz.cluster import Unreachable
from optviz.core import Refused
from optviz.datasets import datasets
from optviz.descent import Problem, descend
from optviz.ends import ends
from optviz.heavy import compute
from optviz.initializers import initializers
from optviz.losses import losses
from optviz.optimizers import optimizers
from optviz.optimizers.base import optimizer
from optviz.optimizers.base import rate as rate_of
from optviz.penalties import penalties
from optviz.preparing import preparations
from optviz.run import Run
from optviz.schedules import schedules
from optviz.surfaces import surfaces
from optviz.sweep import Sweep
from optviz.workers import Lost, Pool, TooLarge, stock

EAGER = pytest.mark.usefixtures("eager")
SMALL = {"shape": (12, 16), "steps": 40, "lr": 0.05, "keep": False}


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """A store of this test's own."""
    monkeypatch.setenv("OPTVIZ_CACHE", str(tmp_path / "kept"))


@pytest.fixture
def eager(monkeypatch):
    """torch without a compiler: the same step, operation by operation."""
    monkeypatch.setattr(Torch, "compiles", property(lambda self: False))
    machines._torch.cache_clear()  # a kernel belongs to its machine: neither here nor later one of the other kind
    yield
    machines._torch.cache_clear()


@pytest.fixture
def kernels(monkeypatch):
    """torch's kernels as far as no compiler is needed: traced as ever, then run operation by operation; all that are made."""
    made, compile = [], torch.compile

    def keep(graph, inputs):
        made.append(graph)
        return graph.forward
    monkeypatch.setattr(torch, "compile", lambda function, **how: compile(function, backend=keep, **how))
    monkeypatch.setattr(Torch, "compiles", property(lambda self: self.note is None))
    machines._torch.cache_clear()
    yield made
    machines._torch.cache_clear()


def problem(surface="himmelblau", optimizer="adam", schedule="constant", steps=30, n=24, member=0, **settings):
    s = ov.surfaces[surface]
    rng = np.random.default_rng(5)
    start = tuple(rng.uniform(*side, n) for side in s.box)
    return Problem(s, [optimizer, start, steps, schedule], settings, "end", False, member)


# --- where descents end -----------------------------------------------------------------------------------------------------------------


def agree(a, b, tolerance=1e-10):
    np.testing.assert_allclose(b.points, a.points, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(b.loss, a.loss, rtol=tolerance, atol=tolerance)
    assert (a.steps == b.steps).all() and (a.diverged == b.diverged).all()


@pytest.mark.parametrize("name", [key for key, o in optimizers.items() if o.traceable])
def test_torch_ends_where_numpy_ends_with_one_kernel(name, kernels):
    for n, steps in ((24, 31), (17, 8)):  # the last kernel is not always full
        p = problem(optimizer=name, n=n, steps=steps)
        agree(ends(p, Numpy(), 1.0), ends(p, backend("torch"), 1.0))
    assert len(kernels) == 1 and backend("torch").note is None


def test_every_surface_has_a_kernel_of_its_own(kernels):
    names = list(ov.surfaces)[::2]  # more than torch lets one function have
    for name in names:
        p = problem(name, "sgd", steps=2, n=5, lr=1e-3)
        agree(ends(p, Numpy(), 1.0), ends(p, backend("torch"), 1.0))
    assert len(kernels) == len(names) > 9 and backend("torch").note is None


@EAGER
def test_who_starts_outside_stays_there():
    p = Problem(ov.surface("log(x) + y^2"), ["sgd", (np.array([-1.0, 2.0, 0.0]), np.array([1.0, 1.0, 3.0])), 5, "constant"], {"lr": 0.1},
                "end", False, 0)
    a, b = ends(p, Numpy(), 5.0), ends(p, backend("torch"), 5.0)
    agree(a, b)
    assert a.diverged.tolist() == [0, -1, 0] and np.isinf(a.loss[[0, 2]]).all() and (a.points[:, 0] == (-1, 1)).all()


@pytest.mark.parametrize("case", [
    {"schedule": "cosine"}, {"schedule": "plateau", "steps": 31}, {"schedule": "step", "warmup_steps": 7}, {"noise": 0.5},
    {"noise": np.linspace(0, 1, 24), "member": np.arange(24) % 3}, {"lr": np.geomspace(1e-3, 1, 24), "schedule": "cosine"},
    {"lr": np.geomspace(1e-3, 1e3, 24), "optimizer": "momentum"}, {"clip_norm": 1.0, "noise_relative": 0.3}, {"beta1": np.linspace(0, 0.99, 24)},
])
@EAGER
def test_torch_follows_schedules_noise_and_settings_that_differ(case):
    p = problem(**case)
    a, b = ends(p, Numpy(), 1.0), ends(p, backend("torch"), 1.0)
    agree(a, b, 1e-9)
    if case.get("optimizer") == "momentum":
        assert 0 < (a.diverged > 0).sum() < 24  # both fates are among them


def test_ends_are_those_of_descents():
    p = problem(optimizer="momentum", lr=0.02, steps=80, noise=0.1)
    found = ends(p, Numpy(), 1.0)
    for k in range(24):
        single = descend("himmelblau", "momentum", (p.start[0][k], p.start[1][k]), 80, lr=0.02, noise=0.1)
        diverged = single.diverged_at is not None
        assert found.diverged[k] == (single.diverged_at if diverged else -1)
        np.testing.assert_allclose(found.points[:, k], single.points[:, -1], rtol=1e-12)
        above = np.flatnonzero(single.loss > 1.0)
        expected = -1 if diverged or (above.size and above[-1] == 80) else above[-1] + 1 if above.size else 0
        assert found.steps[k] == expected


def test_a_compiled_kernel_gives_the_same():
    p = problem("rosenbrock", "sgd", steps=31, n=40, lr=0.0015)
    a, b = ends(p, Numpy(), 1.0), ends(p, backend("torch"), 1.0)
    agree(a, b)
    assert backend("torch").note is None and (b.diverged > 0).any() and (b.diverged < 0).any()
    c = ends(problem("rosenbrock", "sgd", steps=31, n=37, lr=0.0001), backend("torch"), 1.0)  # another rate, another size: the same kernel
    assert c.points.shape == (2, 37) and (c.diverged < 0).sum() > (b.diverged < 0).sum() - 3


# --- basins -------------------------------------------------------------------------------------------------------------------------------


def test_a_cell_is_the_descent_from_its_start():
    b = ov.basin("himmelblau", "adam", shape=(5, 7), steps=300, lr=0.1, noise=0.01, keep=False)
    minima = np.array(ov.surfaces["himmelblau"].minima)
    assert b.minimum.shape == b.steps.shape == b.loss.shape == (5, 7)
    assert (b.x[0], b.x[-1]) == ov.surfaces["himmelblau"].box[0] and (b.y[0], b.y[-1]) == ov.surfaces["himmelblau"].box[1]
    for i, j in ((0, 0), (4, 6), (2, 3), (1, 5)):
        trail = descend("himmelblau", "adam", (b.x[j], b.y[i]), 300, lr=0.1, noise=0.01)
        assert b.loss[i, j] == pytest.approx(trail.loss[-1], rel=1e-12)
        near = int(np.argmin(np.hypot(*(minima - trail.points[:, -1]).T)))
        assert b.nearest[i, j] == near and b.minimum[i, j] == (near if trail.loss[-1] <= 1e-3 else -1)
        outside = np.flatnonzero(trail.loss > 1e-3)
        assert b.steps[i, j] == (outside[-1] + 1 if outside[-1] < 300 else -1)


def test_every_minimum_has_a_level_of_its_own():
    b = ov.basin("rastrigin", "sgd", shape=(9, 9), steps=200, lr=0.002, keep=False)
    s = ov.surfaces["rastrigin"]
    depth = np.array([s.value(*m) for m in s.minima])
    assert len(np.unique(b.minimum)) > 20
    there = b.minimum >= 0
    np.testing.assert_allclose(b.loss[there], depth[b.minimum[there]], atol=1e-3)
    assert (b.steps[there] >= 0).all() and (b.steps[~there] == -1).all()


def test_what_never_arrives_is_in_no_basin():
    slow = ov.basin("rosenbrock", "sgd", shape=(4, 4), steps=5, lr=1e-6, keep=False, box=((-1, 0.5), (-1, 1)))
    assert (slow.minimum == -1).all() and (slow.nearest == 0).all() and (slow.steps == -1).all()
    wild = ov.basin("rosenbrock", "sgd", shape=(4, 4), steps=50, lr=1.0, keep=False)
    assert (wild.diverged > 0).any() and (wild.minimum[wild.diverged > 0] == -1).all() and np.isfinite(wild.loss).all()
    flat = ov.basin(ov.surface("x + y"), "sgd", shape=(3, 3), steps=5, keep=False)
    assert (flat.minimum == -1).all()


@EAGER
def test_single_precision_differs_on_the_edges_only():
    a = ov.basin("himmelblau", "adam", shape=(48, 48), steps=300, lr=0.1, keep=False)
    b = ov.basin("himmelblau", "adam", shape=(48, 48), steps=300, lr=0.1, keep=False, backend="torch", dtype="float32")
    assert b.where.dtype == "float32"
    other = a.minimum != b.minimum
    assert other.mean() < 0.01
    inner = np.ones_like(other)
    for i, j in ((0, 1), (1, 0), (0, -1), (-1, 0)):  # an edge: a neighbour comes elsewhere
        inner &= np.roll(a.minimum, (i, j), (0, 1)) == a.minimum
    assert not (other & inner)[1:-1, 1:-1].any()


@pytest.mark.parametrize(("surface", "name"), [("ackley", "rmsprop_centered"), ("ackley", "adadelta"), ("himmelblau", "sam"), ("rastrigin", "adabelief"),
                                               ("ackley", "momentum"), ("rosenbrock", "adadelta")])
@EAGER
def test_single_precision_comes_elsewhere_from_few_starts(surface, name):
    a, b = (ov.basin(surface, name, shape=(24, 24), steps=150, keep=False, backend=machine, dtype=dtype)
            for machine, dtype in (("numpy", None), ("torch", "float32")))
    assert not optimizers[name].exact and (a.minimum != b.minimum).mean() < 0.05


def test_who_lives_on_small_differences_gets_double_precision(monkeypatch):
    asked = []
    monkeypatch.setattr(heavy, "chosen", lambda name, device, dtype, *how: (asked.append(dtype) or Numpy(), None))
    for name in ("adam", "adafactor", "polyak", "prodigy", "rmsprop"):
        ov.basin("himmelblau", name, shape=(2, 2), steps=2, keep=False)
    ov.basin("himmelblau", "polyak", shape=(2, 2), steps=2, keep=False, dtype="float32")
    assert asked[::2] == [None, *["float64"] * 4, "float32"]  # the first of two: the second is asked where a block is computed


def test_optimizers_that_cannot_be_traced_have_basins():
    b = ov.basin("himmelblau", "lbfgs", shape=(4, 4), steps=20, keep=False)
    assert (b.minimum >= 0).any() and b.where.backend == "numpy"


def test_what_ends_elsewhere_is_in_no_basin():
    own = ov.surface("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", ((-3, 3), (-3, 3)))  # of the four minima of Himmelblau two lie outside
    b = ov.basin(own, "sgd", shape=(24, 24), steps=300, lr=0.01, keep=False)
    minima, whole = np.array(own.minima), np.array(ov.surfaces["himmelblau"].minima)
    ends_at = [[whole[np.argmin(np.hypot(*(whole - descend(own, "sgd", (x, y), 300, lr=0.01).points[:, -1]).T))] for x in b.x[::5]] for y in b.y[::5]]
    known = (np.abs(np.array(ends_at)[:, :, None] - minima).max(-1) < 1e-3).any(-1)
    assert 0.1 < known.mean() < 0.9
    assert ((b.minimum[::5, ::5] >= 0) == known).all() and ((b.nearest[::5, ::5] >= 0) == known).all()
    assert b.elsewhere == (b.minimum < 0).mean() and (b.steps[b.minimum < 0] == -1).all()
    corner = ov.basin(ov.surface("x**2 + y**2", ((0, 2), (0, 2))), "momentum", shape=(3, 3), steps=200, lr=0.1, keep=False)
    assert (corner.minimum == 0).all() and corner.elsewhere == 0  # ends a hair outside of the box, with nothing between


def test_what_is_given_besides_a_run_replaces_its_own_and_a_finished_spec_takes_nothing():
    run = Run("himmelblau", "adam", steps=10, lr=0.1, noise=0.3)
    b = ov.basin(run, "sgd", steps=20, shape=(3, 3), keep=False)
    assert b.basin == Basin(Run("himmelblau", "sgd", steps=20, lr=0.1, noise=0.3), (3, 3))
    assert ov.basin(run, shape=(3, 3), keep=False).basin.run.steps == 10
    for given, words in (({"optimizer": "sgd"}, "optimizer"), ({"lr": 0.5, "shape": (9, 9)}, "lr, shape"), ({"tolerance": 0.1}, "tolerance")):
        with pytest.raises(Refused, match=f"complete, and {words} would"):
            ov.basin(b.basin, **given)
    for wrong in ({"nonsense": 3}, {"start": (0, 0)}):
        with pytest.raises(Refused, match=next(iter(wrong))):
            ov.basin(run, **wrong)


def test_a_map_has_a_limit():
    with pytest.raises(Refused, match="2e\\+10 is the limit") as why:
        ov.basin("rosenbrock", "adam", steps=1_000_000, shape=(4096, 4096))
    assert "предел" in why.value.text.ru and Basin(Run("rosenbrock", "adam", steps=1000), (4096, 4096)).work < 2e10


@pytest.mark.parametrize("wrong", [{"shape": (0, 5)}, {"shape": 7}, {"shape": (10**9, 10)}, {"tolerance": -1}, {"box": (1, 2)}, {"steps": 0},
                                   {"backend": "jax"}, {"dtype": "float16"}, {"device": "nowhere", "backend": "torch"}])
def test_what_is_impossible_is_refused_in_a_sentence(wrong):
    with pytest.raises((Refused, ValueError)) as why:
        ov.basin("himmelblau", **{**SMALL, **wrong})
    assert str(why.value)


# --- blocks -------------------------------------------------------------------------------------------------------------------------------


class Squares:
    """A field whose cells are the squares of their numbers, and whose blocks can fail."""

    shape, arrays, work, fused, wide, exact, definitions = (10, 10), {"square": "float64"}, 0.0, False, False, False, ()

    def __init__(self, fail=None, block=16):
        self.fail, self.block, self.asked = fail, block, []

    def spec(self):
        return "squares"

    def size(self, machine):
        return self.block

    def piece(self, low, high, machine):
        self.asked.append((low, high))
        if self.fail:
            self.fail(low, high, machine)
        return {"square": np.arange(low, high) ** 2.0}


EXPECTED = np.arange(100).reshape(10, 10) ** 2.0


def test_blocks_come_together_and_tell_what_is_there(monkeypatch):
    monkeypatch.setattr(heavy, "TOLD", 0)
    monkeypatch.setattr(heavy, "SPARED", 0)
    told = []
    found = compute(Squares(), keep=False, progress=lambda *words: told.append(words))
    assert (found.arrays["square"] == EXPECTED).all()
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told) and told[-1][:2] == (100, 100)
    part = told[2][2]
    assert part.ready.sum() == told[2][0] and (part.arrays["square"][part.ready] == EXPECTED[part.ready]).all()


def test_out_of_memory_halves_the_block(monkeypatch):
    monkeypatch.setattr(heavy.gc, "collect", lambda: 0)  # which takes long in a process of many tests

    def fail(low, high, machine):
        if high - low > 5:
            raise MemoryError
    field = Squares(fail)
    assert (compute(field, keep=False).arrays["square"] == EXPECTED).all()
    assert max(high - low for low, high in field.asked) == 15 and min(high - low for low, high in field.asked) >= 2

    def never(low, high, machine):
        raise MemoryError
    with pytest.raises(Refused, match="memory"):
        compute(Squares(never), keep=False)


def test_a_lost_block_is_computed_anew_but_not_for_ever():
    left = [2]

    def fail(low, high, machine):
        if low == 30 and left[0]:
            left[0] -= 1
            raise Lost(ov.T("lost", "потерян"))
    assert (compute(Squares(fail), keep=False).arrays["square"] == EXPECTED).all() and left == [0]

    def always(low, high, machine):
        raise Lost(ov.T("lost", "потерян"))
    field = Squares(always)
    with pytest.raises(Refused, match="again and again"):
        compute(field, keep=False)
    assert field.asked == [(0, 15)] * 3


def test_there_are_blocks_enough_to_be_seen_and_for_every_process():
    field = Squares(block=100)
    compute(field, keep=False)
    assert len(field.asked) == 1
    compute(field, keep=False, progress=lambda *_: None)
    assert len(field.asked) == 1 + 15  # of seven cells each
    for count, progress, cells in ((50, lambda *_: None, 2), (3, lambda *_: None, 6), (3, None, 12), (2, None, 13)):  # as much for each, one time or several
        heavy._spread(many := Squares(block=16), Numpy(), ("numpy", "cpu", "float64", 0.0), heavy.Here(), count, progress)
        assert {high - low for low, high in many.asked[:-1]} == {cells}


def test_a_machine_has_as_many_threads_as_are_asked_for(monkeypatch):
    class Wide(Numpy):
        @contextmanager
        def threads(self, count):
            told.append(count)
            yield
    told = []
    monkeypatch.setattr(heavy, "chosen", lambda *_: (Wide(), None))
    compute(Squares(), keep=False)
    compute(Squares(), keep=False, processes=1)
    assert told == [heavy.cores(), 1] and heavy.cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("executable", ["/nonexistent", "/bin/false"])
def test_where_no_process_can_be_started_this_one_does_it_all(executable, monkeypatch):
    monkeypatch.setattr(sys, "executable", executable)
    stock.end()  # nor is there one from an earlier map
    found = ov.basin("himmelblau", **SMALL, processes=2)
    assert found.where.processes == 1 and "no other process" in found.where.note[0] and "не запускаются" in found.where.note[1]


@pytest.mark.parametrize("processes", [0, -1, "2", 1.5])
def test_processes_are_a_number_from_one(processes):
    with pytest.raises(Refused, match="processes="):
        ov.basin("himmelblau", **SMALL, processes=processes)


@pytest.fixture
def gpu():
    """What says it is a GPU."""
    machine = Torch("cpu", "float64")
    machine.device = SimpleNamespace(type="cuda")
    return machine


def test_a_gpu_that_goes_away_leaves_the_rest_to_numpy(monkeypatch, gpu):
    monkeypatch.setattr(heavy, "chosen", lambda *_: (gpu, None))
    told = ["CUDA error: device-side assert triggered"]

    def fail(low, high, machine):
        if low == 45 and told:
            raise RuntimeError(told.pop())
    found = compute(Squares(fail))
    assert (found.arrays["square"] == EXPECTED).all() and "accelerator" in found.where.note[0]
    assert store.load("auto auto None squares") is None  # not what was asked for: not kept
    told.append("The size of tensor a (3) must match the size of tensor b (4)")  # a mistake is none of the card's
    with pytest.raises(RuntimeError, match="size of tensor"):
        compute(Squares(fail))


def test_what_a_gpu_leaves_behind_goes_in_the_blocks_of_a_processor(monkeypatch, gpu):
    class Halves(Squares):
        def size(self, machine):
            return 50 if machine.accelerated else 8

    def fail(low, high, machine):
        if machine.accelerated:
            raise RuntimeError("CUDA error: unspecified launch failure")
    monkeypatch.setattr(heavy, "chosen", lambda name, *_: (Numpy() if name == "numpy" else gpu, None))
    field = Halves(fail)
    assert (compute(field, keep=False).arrays["square"] == EXPECTED).all()
    assert field.asked[0] == (0, 50) and len(field.asked) == 1 + 14 and max(high - low for low, high in field.asked[1:]) == 8


@pytest.mark.parametrize(("fused", "wide", "work"), [(True, False, 7.0), (False, True, 7.0), (False, False, 0.0)])
def test_a_machine_is_chosen_by_what_torch_would_make_of_the_work(fused, wide, work, monkeypatch):
    asked, field = [], Squares()
    field.fused, field.wide, field.work = fused, wide, 7.0
    monkeypatch.setattr(heavy, "chosen", lambda *how: (asked.append(how) or Numpy(), None))
    compute(field, keep=False)
    assert asked[0] == ("auto", "auto", None, work, fused)


@pytest.mark.parametrize(("products", "seconds", "alone", "is_so"), [(3e6, 11.0, 0.0, True), (1e6, 11.0, 0.0, False), (3e6, 9.0, 0.0, False), (3e6, 11.0, 1.0, False)])
def test_a_gpu_must_make_up_for_its_orders_its_waking_and_what_is_done_here(products, seconds, alone, is_so, monkeypatch):
    monkeypatch.setattr(heavy, "cores", lambda: 2)
    assert heavy.pays(products, seconds, alone) == is_so


def test_a_gpu_is_given_few_blocks(monkeypatch, gpu):
    monkeypatch.setattr(heavy, "chosen", lambda *_: (gpu, None))
    field = Squares(block=100)
    compute(field, keep=False, progress=lambda *_: None)
    assert len(field.asked) == 4


def test_what_failed_for_its_memory_leaves_none_behind():
    left = []

    def fail(low, high, machine):
        if high - low > 50:
            cycle = Squares()
            cycle.own = cycle
            left.append(weakref.ref(cycle))
            raise MemoryError
        assert left and not any(ref() for ref in left)
    gc.disable()
    try:
        assert (compute(Squares(fail, 100), keep=False).arrays["square"] == EXPECTED).all()
    finally:
        gc.enable()


@pytest.mark.parametrize(("failure", "on_gpu", "on_processor"), [
    (torch.OutOfMemoryError("CUDA out of memory"), "memory", "memory"), (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory", "memory"),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "memory", "memory"),
    (RuntimeError("Triton Error [CUDA]: an illegal memory access"), "gone", None), (RuntimeError("Found no NVIDIA driver on your system"), "gone", None),
    (RuntimeError("shape '[2]' is invalid"), None, None), (MemoryError(), "memory", "memory"), (ValueError("CUDA error"), None, None)], ids=str)
def test_why_a_machine_failed(failure, on_gpu, on_processor, gpu):
    assert gpu.failed(failure) == on_gpu and backend("torch").failed(failure) == on_processor


@pytest.mark.parametrize("given", [
    *({"optimizer": name} for name in optimizers if name != "lbfgs"), *({"schedule": name} for name in schedules), *({"surface": name} for name in surfaces),
    {"noise": 1.0}, {"noise_relative": 0.3, "clip_norm": 1.0}], ids=str)  # L-BFGS reads a number of its state
def test_all_of_a_descent_is_on_its_device(given):
    there = Shapes("meta", "float32")
    there.note = machines.EAGER  # no kernel, whose maker would see to it
    run = Run(**{"surface": "ravine", "optimizer": "sgd", "steps": 20} | given)
    assert ends(Basin(run, (4, 4)).problem(0, 16), there, 1e-3).loss.shape == (16,)


def test_a_gpus_blocks_fit_into_what_is_free(gpu, monkeypatch):
    for name, size in (("mem_get_info", (10**9, 10**10)), ("memory_reserved", 5 * 10**8), ("memory_allocated", 10**8)):
        monkeypatch.setattr(torch.cuda, name, lambda device, size=size: size)
    assert gpu.room() == 14 * 10**8  # what torch keeps by without using it is free, too
    assert 10**6 < at_once(gpu) < 14 * 10**8 / 64 and at_once(backend("torch")) == 2**18


def test_single_precision_holds_the_largest_numbers_it_can():
    given, most = np.array([1e300, -1e300, 2.0]), float(np.finfo(np.float32).max)
    assert backend("torch", "cpu", "float32").array(given).tolist() == [most, -most, 2.0] and given[0] == 1e300


@pytest.mark.parametrize("asked", [{}, {"keep": True}])
def test_a_kernel_that_cannot_be_made_is_done_without(asked, monkeypatch):
    def broken(function, **how):
        def kernel(*arguments):
            raise RuntimeError("the C++ compiler returned 1")
        return kernel
    monkeypatch.setattr(torch, "compile", broken)
    machines._torch.cache_clear()
    try:
        found = ov.basin("himmelblau", "adam", **{**SMALL, **asked}, backend="torch")
        assert found.where.note == machines.EAGER and chosen("auto", "auto", None, 1e11)[0].said == "numpy cpu float64"
    finally:
        machines._torch.cache_clear()
    np.testing.assert_allclose(found.loss, ov.basin("himmelblau", "adam", **SMALL, backend="numpy").loss, rtol=1e-9)


def test_processes_share_the_blocks_and_one_that_dies_is_replaced(monkeypatch):
    spec = Basin(Run("himmelblau", "adam", steps=400, lr=0.1), (160, 160))
    alone = compute(spec, processes=1, keep=False, backend="numpy")
    pools, killed = [], []

    def begun(*arguments):
        pools.append(Pool(*arguments))
        return pools[-1]

    def kill(done, whole, part=None):
        if not killed:
            worker = pools[0].workers.all[0]
            killed.append((worker, worker.process.pid))
            worker.process.kill()
    monkeypatch.setattr(heavy, "Pool", begun)
    shared = compute(spec, processes=2, keep=False, backend="numpy", progress=kill)
    ((worker, pid),) = killed
    assert worker.process.pid != pid and shared.where.processes == 2
    for name, a in alone.arrays.items():
        assert (a == shared.arrays[name]).all(), name


def test_it_runs_from_standard_input(tmp_path):
    code = "import optviz as ov; b = ov.basin(shape=(96, 96), steps=20, lr=0.1, processes=2, backend='numpy'); print(b.where.processes, b.minimum.shape)"
    done = subprocess.run([sys.executable, "-W", "error", "-"], input=code, capture_output=True, text=True, timeout=60, cwd=tmp_path,
                          env={**os.environ, "OPTVIZ_CACHE": str(tmp_path)})
    assert done.stdout.strip() == "2 (96, 96)", done.stderr


def test_a_cluster_computes_the_blocks_and_survives_the_loss_of_a_worker():
    spec = Basin(Run("himmelblau", "adam", steps=300, lr=0.1), (96, 96))
    alone = compute(spec, processes=1, keep=False, backend="numpy")
    base, killed = [sys.executable, "-m", "distributed.cli.dask_worker"], []
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    begun = [subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", address, "--no-dashboard", "--no-show"], **quiet)]
    try:
        begun += [subprocess.Popen([*base, address, "--nthreads", "1", "--no-nanny", "--no-dashboard"], **quiet) for _ in range(2)]

        def kill(done, whole, part=None):
            if not killed:
                begun[1].kill()
                killed.append(done)
        found = compute(spec, scheduler=address, keep=False, backend="numpy", progress=kill)
        assert killed and killed[0] < 96 * 96
        for name, a in alone.arrays.items():
            assert (a == found.arrays[name]).all(), name
    finally:
        for process in begun:
            process.kill()
            process.wait()


class Client:
    """A cluster's client without a cluster."""

    threads, failure, asked = {"worker": 2}, None, 0

    def __init__(self, address, **_):
        type(self).asked += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait_for_workers(self, count, timeout):
        if not self.threads:
            raise TimeoutError

    def nthreads(self):
        return self.threads

    def get_executor(self, pure):
        return self

    def submit(self, function, *arguments):
        future = Future()
        if self.failure is None:
            future.set_result(function(*arguments))
        elif isinstance(self.failure, CancelledError):
            future.cancel()
        else:
            future.set_exception(self.failure)
        return future


@pytest.fixture
def client(monkeypatch):
    """What answers at every address."""
    class Own(Client):
        pass
    monkeypatch.setattr("distributed.Client", Own)
    monkeypatch.setattr(cluster, "_silent", {})
    return Own


def test_a_worker_of_a_cluster_chooses_its_own_machine(client, monkeypatch):
    monkeypatch.setattr(heavy, "chosen", lambda *words: (chosen(*words)[0], None) if words == ("auto", "auto", None, 0.0, False) else 1 / 0)
    found = compute(Squares(), scheduler="tcp://there", keep=False)
    assert (found.arrays["square"] == EXPECTED).all() and found.where.processes == 2 and found.where.backend == "numpy"
    wide = Squares()
    wide.wide, wide.work = True, 1e12
    compute(wide, scheduler="tcp://there", keep=False)  # whose blocks are not those of a GPU


@pytest.mark.parametrize(("failure", "words"), [(CancelledError(), "lost its scheduler"), (KilledWorker("piece", "worker", 3), "ended every worker")])
def test_what_dask_says_is_told_in_our_words(failure, words, client):
    client.failure = failure
    with pytest.raises(Refused, match=words):
        compute(Squares(), scheduler="tcp://there", keep=False)


def test_nobody_waits_for_a_cluster_without_workers(client, monkeypatch):
    with cluster.connected("tcp://there") as pool:
        pool.watch()
        client.threads = {}
        with pytest.raises(Unreachable, match="all its workers"):
            pool.watch()
        monkeypatch.setattr(pool, "submit", lambda *_: Future())  # nobody will answer
        monkeypatch.setattr(heavy, "PATIENCE", 0.01)
        with pytest.raises(Unreachable, match="all its workers"):
            heavy._spread(Squares(), Numpy(), (), pool, 1, None)
    with pytest.raises(Unreachable, match="has no workers"):
        compute(Squares(), scheduler="tcp://there", keep=False)


def test_a_cluster_for_all_is_used_where_it_is_worth_it_and_may_be_missing(client, monkeypatch):
    monkeypatch.setenv("OPTVIZ_SCHEDULER", "tcp://there")
    assert compute(Squares(), keep=False).where.note is None and client.asked == 0  # too little for a journey
    monkeypatch.setattr(heavy, "TOGETHER", 0.0)
    assert compute(Squares(), keep=False).where.processes == 2 and client.asked == 1
    client.threads = {}
    found = compute(Squares(), processes=1)
    assert (found.arrays["square"] == EXPECTED).all() and "has no workers" in found.where.note[0] and "нет рабочих" in found.where.note[1]
    assert compute(Squares()).where.kept and compute(Squares()).where.note is None  # what was said of that moment is not kept
    asked = client.asked
    client.threads = {"worker": 2}
    assert "has no workers" in compute(Squares(), keep=False, processes=1).where.note[0] and client.asked == asked  # not asked again so soon …
    assert compute(Squares(), keep=False, scheduler="tcp://there").where.note is None  # … unless somebody names it
    monkeypatch.setattr(cluster, "QUIET", 0.0)
    assert compute(Squares(), keep=False).where.note is None
    monkeypatch.setenv("OPTVIZ_SCHEDULER", "")
    asked = client.asked
    assert compute(Squares(), keep=False, scheduler="", processes=1).where.note is None and client.asked == asked


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "tcp://"])
def test_a_cluster_that_is_not_there_is_named(address, monkeypatch):
    monkeypatch.setattr("optviz.cluster.PATIENCE", 0.3)
    with pytest.raises(Refused, match="Dask"):
        ov.basin("himmelblau", **SMALL, scheduler=address)


# --- which machine ------------------------------------------------------------------------------------------------------------------------


def test_auto_counts_the_time_to_compile():
    for device, dtype in (("auto", None), ("cpu", None), ("auto", "float64"), ("cpu", "float64")):  # all that NumPy can do, too
        assert chosen("auto", device, dtype, 0)[0].said == "numpy cpu float64"
        assert chosen("auto", device, dtype, 1e9)[0].said == "numpy cpu float64"  # torch on the processor, but not worth a kernel
        assert chosen("auto", device, dtype, 3e9)[0].said == "torch cpu float64"
    assert chosen("torch", "auto", None, 0)[0].said == "torch cpu float64"
    assert chosen("auto", "auto", "float32", 0)[0].said == "torch cpu float32"
    assert compute(Squares(), dtype="float64", device="cpu", keep=False).where.backend == "numpy"


def test_what_goes_operation_by_operation_goes_to_a_gpu_or_to_numpy(monkeypatch):
    monkeypatch.setattr(machines, "may_have_gpu", lambda: True)
    assert chosen("auto", "auto", None, 1e12, False)[0].said == chosen("auto", "cpu", None, 1e12, False)[0].said == "numpy cpu float64"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(machines, "_torch", lambda *words: words)
    assert chosen("auto", "auto", None, 1e8, False)[0] == ("cuda", "float32") and chosen("auto", "auto", None, 1e6, False)[0].said == "numpy cpu float64"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert [chosen("torch", "auto", dtype, 0)[0] for dtype in (None, "float64")] == [("mps", "float32"), ("cpu", "float64")]
    monkeypatch.setattr(machines, "may_have_gpu", lambda: False)
    monkeypatch.setattr(machines, "imported", lambda: 1 / 0)  # what takes seconds, and nothing could come of it
    assert chosen("auto", "auto", None, 1e12, False)[0].said == "numpy cpu float64"


def test_torch_is_not_loaded_to_look_for_a_gpu_where_none_can_be(monkeypatch):
    asked = []
    monkeypatch.setattr(machines.importlib, "import_module", asked.append)
    monkeypatch.setattr(machines, "may_have_gpu", lambda: False)
    assert chosen("auto", "auto", None, 1e9)[0].said == "numpy cpu float64" and not asked
    monkeypatch.setattr(machines, "may_have_gpu", lambda: True)
    with pytest.raises(AttributeError):
        chosen("auto", "auto", None, 1e9)
    assert asked == ["torch"]


def test_a_gpu_that_cannot_be_used_is_left_aside(monkeypatch):
    monkeypatch.setattr(machines, "may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # as its driver says, but there is no such device
    machine, note = chosen("auto", "auto", None, 1e9)
    assert machine.said == "numpy cpu float64" and "cuda" in note[0] and "cuda" in note[1]
    for asked in (("torch", "auto", None), ("auto", "cuda", None)):
        with pytest.raises(Refused, match="cuda"):
            chosen(*asked, 1e9)


@pytest.mark.parametrize("failure", [OSError("libc10.so: cannot open shared object file"), MemoryError(),
                                     ImportError("libtorch_cpu.so: failed to map segment from shared object")], ids=repr)
def test_a_broken_torch_is_named_and_left_aside(failure, monkeypatch):
    def broken(name):
        raise failure
    monkeypatch.setattr(machines.importlib, "import_module", broken)
    machine, note = chosen("auto", "auto", None, 1e11)
    assert machine.said == "numpy cpu float64" and "cannot be loaded" in note[0] and "не загружается" in note[1]
    machines._torch.cache_clear()
    with pytest.raises(Refused, match="cannot be loaded"):
        chosen("torch", "auto", None, 1e11)
    b = ov.basin("himmelblau", **SMALL)
    assert b.where.backend == "numpy" and b.where.note is None  # too little work for a look at torch


def test_without_torch_everything_works(monkeypatch):
    monkeypatch.setattr(machines.importlib.util, "find_spec", lambda name: None)
    machine, note = chosen("auto", "auto", None, 1e12)
    assert (machine.said, note) == ("numpy cpu float64", None)

    def missing(name):
        raise ModuleNotFoundError("No module named 'torch'")
    monkeypatch.setattr(machines.importlib, "import_module", missing)
    with pytest.raises(Refused, match="needs torch; install"):
        chosen("torch", "auto", None, 0)


def test_a_worker_may_reserve_addresses_but_not_use_them_all():
    with Pool(1) as pool:
        assert pool.submit(eval, "len(__import__('mmap').mmap(-1, 2**33, flags=34, prot=1))").result() == 2**33  # as a GPU's driver does
        with pytest.raises(TooLarge):
            pool.submit(bytearray, 5 * 2**30).result()


# --- kept on disk -------------------------------------------------------------------------------------------------------------------------


def test_a_map_is_kept_and_opens_at_once(monkeypatch):
    given = {**SMALL, "keep": True}
    first = ov.basin("himmelblau", "adam", **given)
    monkeypatch.setattr(Basin, "piece", None)  # whoever computes now fails
    again = ov.basin("himmelblau", "adam", **given)
    assert again.where.kept and not first.where.kept and again.where.seconds == first.where.seconds
    for name in ("minimum", "nearest", "steps", "loss", "diverged"):
        assert (getattr(first, name) == getattr(again, name)).all()
    with pytest.raises(TypeError):
        ov.basin("himmelblau", "adam", **{**given, "lr": 0.06})


REGISTRIES = {"optimizer": optimizers, "schedule": schedules, "data": datasets, "loss": losses, "init": initializers, "activation": activations,
              "penalty": penalties, "preparation": preparations, "augmentation": augmentations}


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES)
def test_definitions_of_this_package_are_known_to_be_its_own(registry):
    assert all(map(heavy.own, registry.values()))
    assert not heavy.own(dataclasses.replace(next(iter(registry.values())), key="twin"))  # no other process knows it


def test_what_is_defined_elsewhere_is_computed_here_and_not_kept(monkeypatch):
    monkeypatch.setattr(optimizers, "_known", dict(optimizers))
    monkeypatch.setattr(optimizers, "_bare", {})

    @optimizer(ov.T("mine", "свой"), ov.T("idea", "идея"), lr=rate_of(0.1))
    def mine(g, x, state, h, t, xp):
        return x - h.lr * g(x), ()
    first = ov.basin("bowl", "mine", shape=(3, 3), steps=5, processes=2, scheduler="tcp://nobody")
    assert first.where.processes == 1 and "mine: defined outside" in first.where.note[0] and "вне optviz" in first.where.note[1]
    assert not store.folder().exists()
    assert ov.basin("bowl", "sgd", shape=(3, 3), steps=5).where.note is None and store.folder().exists()
    net = ov.Training("xor", optimizer="mine", n=20, layers=(2,), epochs=2)
    ov.sweep(net, ("lr", [0.1]), ("l2", [0.0]))
    ov.landscape(net, shape=(3, 3), directions="random")
    assert len(list(store.folder().iterdir())) == 1


def test_another_formula_under_the_same_key_is_another_map():
    bowl = ov.surfaces["bowl"]
    run, other = Run(bowl), Run(dataclasses.replace(bowl, formula="x**2 + 3*y**2"))
    assert run.to_query() == other.to_query() and Basin(run).spec() != Basin(other).spec()
    assert Sweep(run).spec() != Sweep(other).spec()


def test_a_file_with_any_byte_wrong_is_right_or_not_there():
    arrays = {"a": np.arange(300.0), "b": np.arange(300, dtype="int16")}
    store.save("spec", arrays, {"n": 1})
    path = store.path_of("spec")
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for k in range(300):
        broken = bytearray(whole[:rng.integers(len(whole))] if k % 3 == 0 else whole)
        for at in rng.integers(len(broken), size=1 + k % 2) if broken else ():
            broken[at] ^= 1 << rng.integers(8)
        path.write_bytes(broken)
        found = store.load("spec")  # never raises
        assert found is None or all(np.array_equal(found[0].get(name), a) for name, a in arrays.items())


def test_a_file_of_another_spec_is_not_believed():
    store.save("one", {"a": np.ones(3)}, {})
    store.path_of("two").write_bytes(store.path_of("one").read_bytes())
    assert store.load("one") is not None and store.load("two") is None


def test_what_was_left_half_written_goes_after_an_hour():
    store.folder().mkdir()
    old, new = (store.folder() / name for name in ("old.part", "new.part"))
    for path, age in ((old, 3700), (new, 3500)):
        path.write_bytes(b"")
        os.utime(path, (time.time() - age,) * 2)
    store.save("spec", {"a": np.ones(3)}, {})
    assert not old.exists() and new.exists()


def test_without_a_home_nothing_is_kept(monkeypatch):
    def nowhere(self):
        raise RuntimeError("Could not determine home directory.")
    monkeypatch.delenv("OPTVIZ_CACHE")
    monkeypatch.setattr(store.Path, "expanduser", nowhere)
    assert not ov.basin("himmelblau", **{**SMALL, "keep": True}).where.kept


@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(b""), lambda path: path.write_bytes(path.read_bytes()[:-40]),
                                  lambda path: path.write_bytes(b"PK\3\4 nothing"), lambda path: np.savez(path, about=np.array("{}")),
                                  lambda path: np.savez(path, a=np.array([{"a": 1}], dtype=object))])
def test_a_corrupt_file_is_as_if_it_were_not_there(harm):
    first = ov.basin("himmelblau", "adam", **{**SMALL, "keep": True})
    (path,) = store.folder().glob("*.npz")
    harm(path)
    again = ov.basin("himmelblau", "adam", **{**SMALL, "keep": True})
    assert not again.where.kept and (again.loss == first.loss).all()
    assert ov.basin("himmelblau", "adam", **{**SMALL, "keep": True}).where.kept  # written anew


def test_a_file_with_other_arrays_is_not_believed():
    spec = Basin(Run("himmelblau", "adam", steps=40, lr=0.05), (12, 16))
    found = compute(spec)
    (path,) = store.folder().glob("*.npz")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["minimum"] = arrays["minimum"][:3]
    np.savez(path, **arrays)
    assert not compute(spec).where.kept and (compute(spec).arrays["loss"] == found.arrays["loss"]).all()


def test_a_disk_that_is_full_costs_nothing_but_the_keeping(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(np, "savez_compressed", full)
    assert not ov.basin("himmelblau", "adam", **{**SMALL, "keep": True}).where.kept
    assert not list(store.folder().iterdir())  # nothing half written stays
    monkeypatch.setenv("OPTVIZ_CACHE", "/dev/null/nowhere")
    assert ov.basin("himmelblau", "adam", **{**SMALL, "keep": True}).minimum.shape == (12, 16)


def test_the_oldest_go_when_there_is_too_much(monkeypatch):
    a = {"a": np.random.default_rng(0).random(1000)}
    for k in range(4):
        assert store.save(f"spec {k}", a, {})
        os.utime(store.path_of(f"spec {k}"), (k, k))
    store.load("spec 0")  # wanted lately
    monkeypatch.setattr(store, "MOST", int(3.5 * store.path_of("spec 1").stat().st_size))
    store.save("spec 4", a, {})
    assert [store.load(f"spec {k}") is not None for k in range(5)] == [True, False, False, True, True]


def test_two_processes_write_one_file():
    arrays = {"a": np.arange(50_000.0)}
    code = ("import numpy as np; from optviz import store\n"
            "for _ in range(15): store.save('shared', {'a': np.arange(50_000.0)}, {'n': 1})")
    other = subprocess.Popen([sys.executable, "-c", code])
    seen = 0
    while other.poll() is None:
        store.save("shared", arrays, {"n": 1})
        found = store.load("shared")
        assert found is not None and (found[0]["a"] == arrays["a"]).all()
        seen += 1
    assert other.wait() == 0 and seen
    assert not list(store.folder().glob("*.part"))


def test_another_formula_is_another_file(monkeypatch):
    before = store.path_of("spec")
    monkeypatch.setattr(store, "formulas", lambda: "other")
    assert store.path_of("spec") != before


def test_threads_do_not_meet_in_the_store():
    errors = []

    def work(k):
        try:
            for _ in range(10):
                store.save("one", {"a": np.full(1000, 1.0)}, {})
                found = store.load("one")
                assert found is None or (found[0]["a"] == 1).all()
        except Exception as failure:
            errors.append(failure)
    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
