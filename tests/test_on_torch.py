"""Networks on torch: the same formulas there, step by step, as NumPy's."""

import pickle

import numpy as np
import pytest
from devices import Card, Shapes

import optviz as ov
from optviz import heavy
from optviz.activations import activations
from optviz.augment import augmentations
from optviz.backend import Numpy, backend
from optviz.landscape import Slice, _cells, _trained
from optviz.losses import losses
from optviz.nn import Net
from optviz.optimizers import optimizers
from optviz.penalties import penalties
from optviz.schedules import schedules
from optviz.study import Study
from optviz.sweep import Sweep
from optviz.trainer import Trainer

TORCH = backend("torch")
BASE = {"data": "moons", "layers": (5, 4), "n": 40, "epochs": 6, "batch": 12, "seed": 3, "lr": np.array([0.01, 0.03, 0.1])}
ALONE = {"newton", "saddle_free_newton"}  # which need second derivatives


CASES = [
    *({"optimizer": key} for key in optimizers if key not in ALONE), *({"schedule": key} for key in schedules), *({"activation": key} for key in activations),
    *({"loss": key, "label_smoothing": np.array([0, 0.1, 0.2])} for key in losses), *({key: np.array([0, 0.01, 0.1])} for key in penalties),
    *({f"augment_{key}": float(a.amount.default)} for key, a in augmentations.items()), {"loss": "mse", "lr": np.array([0.1, 1e200, 1e300])},
    *({"batchnorm": place, "bn_momentum": np.array([0.1, 0.2, 0.3]), "patience": 2} for place in ("before", "after")), {"layernorm": "before"},
    {"dropout": np.array([0, 0.2, 0.5])}, {"dropout": 0.3, "dropout_form": "at_test"}, {"residual": True, "layers": (4, 4)}, {"bias": False},
    {"seed": np.array([1, 2, 3])}, {"data_seed": np.array([1, 2, 3])}, {"clip_norm": np.array([0.1, 0.2, 0.3]), "clip_value": 0.1},
    {"lr": 0.05}, {"lr": 0.05, "batchnorm": "before", "dropout": 0.2}, {"data": "digits", "layers": ()}]


def said(given):
    """A case in a line."""
    return " ".join(f"{name}={value}" for name, value in given.items())


@pytest.mark.parametrize("given", CASES, ids=said)
def test_a_training_comes_back_from_torch_as_from_numpy(given):
    here, there = (Trainer(**BASE | given).run(machine=machine) for machine in (None, TORCH))
    assert there.machine.xp is np and isinstance(there.theta, np.ndarray)
    assert there.diverged_at.tolist() == here.diverged_at.tolist() and there.best_epoch.tolist() == here.best_epoch.tolist()
    np.testing.assert_allclose(there.theta, here.theta, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.array(there.rows), np.array(here.rows), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(there.run(until=9).theta, here.run(until=9).theta, rtol=1e-9, atol=1e-9)
    for one, other in zip(there.kept, here.kept, strict=True):
        np.testing.assert_allclose(one[1], other[1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("lr", [0.05, BASE["lr"]], ids=["one", "several"])
@pytest.mark.parametrize("optimizer", [key for key in optimizers if key not in ALONE])
def test_a_training_goes_on_where_it_was_on_another_machine(optimizer, lr):
    whole, parts = (Trainer(**BASE | {"optimizer": optimizer, "lr": lr, "batchnorm": "after"}) for _ in range(2))
    whole.run()
    for until, machine in ((2, TORCH), (3, None), (6, TORCH)):
        parts.run(until=until, machine=machine)
    np.testing.assert_allclose(parts.theta, whole.theta, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(parts.predict(whole.raw), whole.predict(whole.raw), rtol=1e-9, atol=1e-9)
    pickle.dumps(parts)


def test_a_map_of_networks_is_the_same_on_torch():
    study = ov.Training("moons", layers=(4,), n=40, epochs=8)
    here, there, single = (ov.sweep(study, x=("lr", [0.01, 0.1, 1.0]), y=("l2", [0.0, 0.1]), seeds=2, backend=name, dtype=dtype, keep=False)
                           for name, dtype in (("numpy", None), ("torch", None), ("torch", "float32")))
    assert (there.where.backend, there.where.dtype, single.where.dtype) == ("torch", "float64", "float32")
    assert here.where.note is None and "chaotic" in there.where.note[0] and "хаотично" in there.where.note[1]
    assert there.sweep.exact  # in double precision on a GPU, too
    for name, a in here.arrays.items():
        np.testing.assert_allclose(there.arrays[name], a, rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(single.arrays[name], a, rtol=1e-3, atol=0.03, err_msg=name)
    counted = single.accuracy_val * 40  # of twenty examples, twice
    np.testing.assert_allclose(counted, np.round(counted), atol=1e-9)


@pytest.mark.parametrize("batchnorm", ["none", "before"])
def test_a_landscape_is_the_same_on_torch(batchnorm):
    study = ov.Training("moons", layers=(4,), n=40, epochs=8, batchnorm=batchnorm)
    here, there = (ov.landscape(Slice(study, ["adam"], shape=(9, 12)), backend=name, keep=False) for name in ("numpy", "torch"))
    assert there.where.backend == "torch"
    np.testing.assert_allclose(there.loss, here.loss, rtol=1e-9)


# --- on a GPU -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [given for given in CASES if given.get("optimizer") != "lbfgs"], ids=said)  # which reads a number of its state
def test_all_of_a_training_is_on_its_device(given):
    there = Shapes("meta", "float32")
    trainer = Trainer(**BASE | given)
    if trainer.batch:
        trainer._go_on(np.arange(3) > 0)  # the first has ended
    trainer.run(until=2, machine=there).move(there)
    assert all(a.device.type == "meta" and a.dtype == there.dtype for a in (trainer.theta, *trainer.state, trainer.there_x, trainer.charged))


def test_what_is_remembered_of_a_batch_drags_no_past_along():
    trainer = Trainer(**BASE | {"batchnorm": "before"})
    trainer.move(TORCH)
    trainer.run(until=2, machine=TORCH)
    assert not any(a.requires_grad for m in trainer.running for a in m) and not trainer.theta.requires_grad


def test_all_of_a_landscape_is_on_its_device():
    plane = Slice(Study(**BASE | {"lr": 0.1, "batchnorm": "before"}), ["adam"], shape=(9, 12))
    assert _cells(plane, _trained(plane)).losses(np.zeros((2, 7)), Shapes("meta", "float32")).shape == (2, 7)


@pytest.fixture
def card(monkeypatch):
    machine = Card("cpu", "float64")
    monkeypatch.setattr(heavy, "chosen", lambda name, *_: (machine if name == "torch" else Numpy(), None))
    return machine


TWENTY = ov.dataset(np.random.default_rng(0).normal(size=(400, 30)), np.arange(400) % 20)


@pytest.mark.parametrize(("given", "y"), [
    ({}, ("l2", (0.0, 0.1, 64))), ({"optimizer": "lbfgs"}, ("l2", (0.0, 0.1, 64))), ({"optimizer": "bfgs", "layers": (8, 8), "epochs": 2}, ("l2", (0.0, 0.1, 64))),
    ({"layers": (32, 32), "epochs": 2}, ("l2", (0.0, 0.1, 64))), ({"epochs": 6, "n": 400, "batch": None}, ("width", [2, 64, 3])),
    ({"data": TWENTY, "loss": "ce", "n": 400, "layers": ()}, ("l2", (0.0, 0.1, 16))), ({"n": 10}, ("n", [10, 800, 12]))], ids=str)
def test_a_block_of_networks_fits_a_gpu_and_a_training(given, y, card):
    spec = Sweep(Study(**{"data": "moons", "layers": (4,), "n": 40, "epochs": 50} | given), ("lr", (0.01, 1.0, 64, "log")), y)
    for machine in (card, Numpy()):
        for row in range(0, len(spec.y.values), 1 if y[0] in ("width", "n") else 64):  # of what rows do not change, the first
            Trainer(spec.study(row, 0).training, lr=np.full(spec.size(machine), 0.1))  # is not refused as too large
    many = spec.size(card)
    assert many > spec.size(Numpy())
    card.free = 2 * 8 * 10**6
    assert 1 <= spec.size(card) < many


def test_maps_are_the_same_in_the_blocks_of_a_gpu(card, monkeypatch):
    spec = Sweep(Study("moons", layers=(4,), n=40, epochs=5), ("lr", (0.01, 1.0, 9, "log")), ("width", [2, 3]), seeds=2)
    plane = Slice(spec.base, ["adam"], shape=(30, 40))
    made, flow = [], Net.flow
    for found, name in ((ov.sweep, "loss_val"), (ov.landscape, "loss")):
        here, there = (found(spec if found is ov.sweep else plane, backend=machine, keep=False) for machine in ("numpy", "torch"))
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-9)
    monkeypatch.setattr(Net, "flow", lambda net, x, parts, *how, **more: made.append(parts[0].shape[0]) or flow(net, x, parts, *how, **more))
    ov.landscape(plane, backend="torch")
    assert max(made) == 30 * 40 / heavy.FEW


@pytest.mark.parametrize(("given", "y", "seeds", "cores", "wide"), [
    ({}, "l2", 1, 1, True), ({}, "l2", 1, 64, False), ({"epochs": 1}, "l2", 1, 1, False), ({"batch": 1, "epochs": 2}, "l2", 1, 1, False),
    ({"epochs": 20}, "l2", 2, 1, False), ({}, "noise", 1, 1, False), ({}, "augment_jitter", 1, 1, False),
    ({}, "label_smoothing", 1, 1, False)], ids=str)
def test_a_gpu_pays_where_updates_are_large_and_all_are_shown_the_same(given, y, seeds, cores, wide, monkeypatch):
    monkeypatch.setattr(heavy, "cores", lambda: cores)
    study = Study("moons", **{"layers": (8, 8), "n": 800, "batch": None, "epochs": 50} | given)
    spec = Sweep(study, ("lr", (0.01, 1.0, 64, "log")), (y, (0.0, 0.1, 16)), seeds)
    assert spec.wide == wide and not spec.fused


@pytest.mark.parametrize(("side", "cores", "wide"), [(512, 1, True), (512, 1000, False), (64, 1, False)])
def test_a_gpu_pays_where_many_cells_are_looked_at(side, cores, wide, monkeypatch):
    monkeypatch.setattr(heavy, "cores", lambda: cores)
    plane = Slice(Study("moons", layers=(16, 16), epochs=2), directions="random", shape=(side, side))
    assert _cells(plane, _trained(plane)).wide == wide
