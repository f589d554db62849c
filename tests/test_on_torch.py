"""Networks on torch: the same formulas there, step by step, as NumPy's."""

import pickle

import numpy as np
import pytest

import optviz as ov
from optviz.activations import activations
from optviz.augment import augmentations
from optviz.backend import backend
from optviz.landscape import Slice
from optviz.losses import losses
from optviz.optimizers import optimizers
from optviz.penalties import penalties
from optviz.schedules import schedules
from optviz.trainer import Trainer

TORCH = backend("torch")
BASE = {"data": "moons", "layers": (5, 4), "n": 40, "epochs": 6, "batch": 12, "seed": 3, "lr": np.array([0.01, 0.03, 0.1])}
ALONE = {"newton", "saddle_free_newton"}  # which need second derivatives


@pytest.mark.parametrize("given", [
    *({"optimizer": key} for key in optimizers if key not in ALONE), *({"schedule": key} for key in schedules), *({"activation": key} for key in activations),
    *({"loss": key, "label_smoothing": np.array([0, 0.1, 0.2])} for key in losses), *({key: np.array([0, 0.01, 0.1])} for key in penalties),
    *({f"augment_{key}": float(a.amount.default)} for key, a in augmentations.items()), {"loss": "mse", "lr": np.array([0.1, 1e200, 1e300])},
    *({"batchnorm": place, "bn_momentum": np.array([0.1, 0.2, 0.3]), "patience": 2} for place in ("before", "after")), {"layernorm": "before"},
    {"dropout": np.array([0, 0.2, 0.5])}, {"dropout": 0.3, "dropout_form": "at_test"}, {"residual": True, "layers": (4, 4)}, {"bias": False},
    {"seed": np.array([1, 2, 3])}, {"data_seed": np.array([1, 2, 3])}, {"clip_norm": np.array([0.1, 0.2, 0.3]), "clip_value": 0.1},
    {"lr": 0.05}, {"lr": 0.05, "batchnorm": "before", "dropout": 0.2}, {"data": "digits", "layers": ()}],
    ids=lambda given: " ".join(f"{name}={value}" for name, value in given.items()))
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
    for name, a in here.arrays.items():
        np.testing.assert_allclose(there.arrays[name], a, rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(single.arrays[name], a, rtol=1e-3, atol=0.03, err_msg=name)


@pytest.mark.parametrize("batchnorm", ["none", "before"])
def test_a_landscape_is_the_same_on_torch(batchnorm):
    study = ov.Training("moons", layers=(4,), n=40, epochs=8, batchnorm=batchnorm)
    here, there = (ov.landscape(Slice(study, ["adam"], shape=(9, 12)), backend=name, keep=False) for name in ("numpy", "torch"))
    assert there.where.backend == "torch"
    np.testing.assert_allclose(there.loss, here.loss, rtol=1e-9)
