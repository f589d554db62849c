"""Every schedule against its twin in torch.optim.lr_scheduler, or the formula of its paper."""

import math

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as S

import optviz as ov

STEPS, LR = 120, 0.3

#: our key -> (our parameters, how torch makes the same)
TWINS = [
    ("constant", {}, lambda o: S.LambdaLR(o, lambda k: 1.0)),
    ("step", {"step_size": 7, "gamma": 0.6}, lambda o: S.StepLR(o, 7, 0.6)),
    ("step", {}, lambda o: S.StepLR(o, 100)),
    ("multistep", {"milestone1": 20, "milestone2": 60, "gamma": 0.3}, lambda o: S.MultiStepLR(o, [20, 60], 0.3)),
    ("multistep", {"milestone1": 60, "milestone2": 60}, lambda o: S.MultiStepLR(o, [60, 60])),
    ("exponential", {"gamma": 0.97}, lambda o: S.ExponentialLR(o, 0.97)),
    ("polynomial", {"total_iters": 50, "power": 2.3}, lambda o: S.PolynomialLR(o, 50, 2.3)),
    ("polynomial", {}, lambda o: S.PolynomialLR(o, STEPS)),
    ("linear", {}, lambda o: S.LinearLR(o)),
    ("linear", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 80}, lambda o: S.LinearLR(o, 0.9, 0.1, 80)),
    ("cosine", {}, lambda o: S.CosineAnnealingLR(o, STEPS)),
    ("cosine", {"T_max": 40, "eta_min": 0.02}, lambda o: S.CosineAnnealingLR(o, 40, 0.02)),
    ("warm_restarts", {"T_0": 13}, lambda o: S.CosineAnnealingWarmRestarts(o, 13)),
    ("warm_restarts", {"T_0": 8, "T_mult": 2, "eta_min": 0.01}, lambda o: S.CosineAnnealingWarmRestarts(o, 8, 2, 0.01)),
    ("warm_restarts", {"T_0": 5, "T_mult": 3}, lambda o: S.CosineAnnealingWarmRestarts(o, 5, 3)),
    ("one_cycle", {}, lambda o: S.OneCycleLR(o, LR, STEPS, cycle_momentum=False)),
    ("one_cycle", {"pct_start": 0.17, "div_factor": 7.0, "final_div_factor": 50.0}, lambda o: S.OneCycleLR(
        o, LR, STEPS, pct_start=0.17, div_factor=7.0, final_div_factor=50.0, cycle_momentum=False)),
    ("triangular", {"step_size_up": 11}, lambda o: S.CyclicLR(o, 0.1 * LR, LR, 11, cycle_momentum=False)),
    ("triangular2", {"step_size_up": 11, "base_factor": 0.3}, lambda o: S.CyclicLR(o, 0.3 * LR, LR, 11, mode="triangular2", cycle_momentum=False)),
    ("exp_range", {"step_size_up": 20, "gamma": 0.99}, lambda o: S.CyclicLR(o, 0.1 * LR, LR, 20, mode="exp_range", gamma=0.99, cycle_momentum=False)),
    ("warmup_cosine", {"warmup": 15, "start_factor": 0.02}, lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.02, 1.0, 15), S.CosineAnnealingLR(o, STEPS - 15)], [15])),
]


def torch_rates(make, losses=None):
    """The rate of every step, as torch's scheduler sets it."""
    p = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=LR)
    scheduler = make(optimizer)
    out = []
    for k in range(STEPS):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([] if losses is None else [losses[k]]))
    return np.array(out)


@pytest.mark.filterwarnings("ignore:.*epoch parameter.*:UserWarning")  # torch's SequentialLR uses its own deprecated argument
@pytest.mark.parametrize("key, params, make", TWINS, ids=lambda v: str(v) if not callable(v) else "")
def test_equals_torch(key, params, make):
    np.testing.assert_allclose(ov.schedules[key].rates(STEPS, LR, **params), torch_rates(make), rtol=1e-12, atol=1e-12)


LOSSES = np.abs(np.random.default_rng(0).normal(size=STEPS)) * np.geomspace(1, 0.2, STEPS)


@pytest.mark.parametrize("losses", [LOSSES, -LOSSES, np.ones(STEPS), np.geomspace(1, 1e-9, STEPS)], ids=["noise", "negative", "flat", "falling"])
@pytest.mark.parametrize("params", [{}, {"patience": 3, "factor": 0.5}, {"patience": 2, "factor": 0.7, "cooldown": 4, "min_lr": 0.01, "threshold": 0.05},
                                    {"patience": 0, "factor": 0.5, "eps": 1e-3}], ids=str)
def test_plateau_equals_torch(params, losses):
    ours = ov.schedules["plateau"].rates(STEPS, LR, loss=losses, **params)
    np.testing.assert_allclose(ours, torch_rates(lambda o: S.ReduceLROnPlateau(o, **params), losses.tolist()), rtol=1e-12)


def test_plateau_in_a_descent_is_fed_the_loss():
    t = ov.descend("rosenbrock", "sgd", lr=1e-3, steps=STEPS, schedule="plateau", schedule_patience=2, schedule_factor=0.5, noise=30.0)
    assert len(set(t.lr)) > 2
    np.testing.assert_allclose(t.lr, ov.schedules["plateau"].rates(STEPS, 1e-3, loss=t.loss[:-1], patience=2, factor=0.5), rtol=1e-12)
    batch = ov.descend("rosenbrock", "sgd", lr=np.array([1e-3, 5e-4]), steps=STEPS, schedule="plateau", schedule_patience=2, schedule_factor=0.5, noise=30.0)
    np.testing.assert_allclose(batch.lr[:, 0], t.lr, rtol=1e-12)


@pytest.mark.parametrize("key", ov.schedules)
def test_a_warm_up_rises_evenly_to_the_first_rate_and_the_schedule_follows_it(key):
    k, warmup = ov.schedules[key], 30
    loss = {"loss": LOSSES} if k.fed else {}
    rates = k.rates(STEPS, LR, warmup_steps=warmup, **loss)
    alone = k.rates(STEPS - warmup, LR, **({"loss": LOSSES[warmup:]} if k.fed else {}))
    np.testing.assert_allclose(rates[warmup:], alone, rtol=1e-12)
    np.testing.assert_allclose(rates[:warmup], alone[0] * np.arange(1, warmup + 1) / (warmup + 1), rtol=1e-12)
    np.testing.assert_array_equal(k.rates(STEPS, LR, warmup_steps=0, **loss), k.rates(STEPS, LR, **loss))
    assert np.isfinite(k.rates(10, LR, warmup_steps=500, **({"loss": LOSSES[:10]} if k.fed else {}))).all()


@pytest.mark.parametrize("key", ["constant", "cosine", "plateau"])
def test_a_warm_up_is_the_same_alone_in_a_batch_and_in_torch(key):
    given = {"steps": 60, "lr": 1e-3, "schedule": key, "warmup_steps": 25, "noise": 30.0} | ({"schedule_patience": 2} if key == "plateau" else {})
    t = ov.descend("rosenbrock", "momentum", **given)
    loss = {"loss": t.loss[:-1], "patience": 2} if key == "plateau" else {}
    np.testing.assert_allclose(t.lr, ov.schedules[key].rates(60, 1e-3, warmup_steps=25, **loss), rtol=1e-12)
    for machine in ("numpy", "torch"):
        many = ov.descend("rosenbrock", "momentum", **given | {"warmup_steps": np.array([25, 0])}, member=np.array([0, 0]), backend=machine)
        np.testing.assert_allclose(many.lr[:, 0], t.lr, rtol=1e-12)
        np.testing.assert_allclose(many.points[..., 0], t.points, rtol=1e-9)
        without = ov.descend("rosenbrock", "momentum", **given | {"warmup_steps": 0})
        np.testing.assert_allclose(many.lr[:, 1], without.lr, rtol=1e-12)


def test_noam_is_the_transformers():
    """d^-0.5 min(n^-0.5, n w^-1.5) with its peak at the rate."""
    n, w = np.arange(1, STEPS + 1), 30
    paper = np.minimum(n**-0.5, n * w**-1.5)
    np.testing.assert_allclose(ov.schedules["noam"].rates(STEPS, LR, warmup=w), LR * paper / paper.max(), rtol=1e-12)
    np.testing.assert_allclose(ov.schedules["sqrt"].rates(STEPS, LR), LR / np.sqrt(n), rtol=1e-12)


@pytest.mark.parametrize("key", ov.schedules)
@pytest.mark.parametrize("steps", [1, 2, 3, 300])
def test_rates_are_finite_and_a_batch_equals_its_members(key, steps):
    k = ov.schedules[key]
    rates = k.rates(steps, LR, **({"loss": np.ones(steps)} if k.fed else {}))
    assert rates.shape == (steps,) and np.isfinite(rates).all() and (rates >= 0).all()
    lr = np.array([LR, 0.1])
    batch = ov.descend("bowl", "sgd", steps=steps, schedule=key, lr=lr)
    single = ov.descend("bowl", "sgd", steps=steps, schedule=key, lr=LR)
    np.testing.assert_allclose(batch.lr[:, 0], single.lr, rtol=1e-12)
    np.testing.assert_allclose(batch.points[..., 0], single.points, rtol=1e-12)


@pytest.mark.parametrize("key", ov.schedules)
def test_extremes_of_every_parameter_are_finite(key):
    k = ov.schedules[key]
    for name, p in k.params.items():
        for value in (p.low, p.high):
            if p.allowed.holds(value):
                rates = k.rates(50, LR, **{name: value}, **({"loss": LOSSES} if k.fed else {}))
                assert np.isfinite(rates).all(), (name, value)


def test_constant_rate_leaves_a_noise_floor_and_decay_calms_it():
    """On ½λx² with gradient noise σ the variance settles at ασ²/(λ(2−αλ)); one over the root of the step goes below."""
    lam, alpha, sigma, n = 4.0, 0.1, 0.5, 20_000
    s = ov.surface("2*x^2 + 2*y^2")
    floor = alpha * sigma**2 / (lam * (2 - alpha * lam))
    start = np.zeros((2, n)) + 0.3
    constant = ov.descend(s, "sgd", start=start, steps=150, lr=alpha, noise=sigma, record="end").points[0, -1]
    assert constant.var() == pytest.approx(floor, rel=4 * math.sqrt(2 / n))
    decayed = ov.descend(s, "sgd", start=start, steps=600, lr=alpha, noise=sigma, schedule="sqrt", record="end").points[0, -1]
    assert decayed.var() < 0.1 * floor


def test_unknown_and_impossible_parameters():
    for wrong, says in [({"schedule_gama": 1}, "schedule_gamma"), ({"schedule_gamma": 0.0}, r"schedule_gamma=0.0.*\(0, inf\)"),
                        ({"schedule_step_size": 2.5}, "schedule_step_size=2.5.*integer"), ({"schedule": "steep"}, "schedule='steep'")]:
        with pytest.raises(ValueError, match=says):
            ov.descend("bowl", "sgd", **{"schedule": "step", **wrong})
