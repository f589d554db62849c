"""Limits, memories and footprints against closed forms and against runs; sharpness against an eigenvalue solver."""

import time
from dataclasses import replace

import numpy as np
import pytest

import optviz as ov
from optviz.stability import _limit, footprints, limit, memory, memory_of, sharpness

#: the method and its options -> the largest α·λ, by Jury's criterion on the characteristic polynomial
LIMITS = {
    ("sgd",): lambda c: 2,
    ("momentum",): lambda c: 2 * (1 + c),
    ("momentum_ema",): lambda c: 2 * (1 + c) / (1 - c),
    ("momentum_lr_inside",): lambda c: 2 * (1 + c),
    ("momentum_lr_inside", "velocity", "old"): lambda c: 1 - c,  # x' = x − v, v' = γv + αλx: the determinant γ + αλ passes 1
    ("nesterov",): lambda c: (2 + 2 * c) / (1 + 2 * c),
    ("nesterov", "form", "ema"): lambda c: (2 + 2 * c) / (1 + 2 * c) / (1 - c),
    ("nesterov_torch",): lambda c: (2 + 2 * c) / (1 + 2 * c),
}
WEIGHTS = (0.0, 0.5, 0.9, 0.99)
FORMS = [(form, weight) for form in LIMITS for weight in (WEIGHTS if form != ("sgd",) else (0.0,))]


def run_of(form, weight, surface="bowl", **more):
    key, *option = form
    own = {} if key == "sgd" else {"momentum": weight}
    return ov.Run(surface, key, **own, **dict([option] if option else []), **more)


@pytest.mark.parametrize(("form", "weight"), FORMS)
def test_the_limit_is_the_closed_form(form, weight):
    assert limit(run_of(form, weight)) == pytest.approx(LIMITS[form](weight), rel=1e-6)


@pytest.mark.parametrize("form", [form for form in LIMITS if form != ("sgd",)])
@pytest.mark.parametrize("weight", [0.9999, 1 - 1e-9])
def test_the_limit_holds_for_weights_close_to_one(form, weight):
    assert limit(run_of(form, weight)) == pytest.approx(LIMITS[form](weight), rel=1e-5)


@pytest.mark.parametrize(("surface", "steepest"), [(ov.surfaces["bowl"], 2.0), (ov.surfaces["ravine"].at(b=50), 100.0)], ids=["bowl", "ravine"])
@pytest.mark.parametrize(("form", "weight"), FORMS)
def test_runs_just_below_settle_and_just_above_leave(form, weight, surface, steepest):
    def peaks(share):
        run = run_of(form, weight, surface, start=(1.0, 1.0), steps=20_000)
        t = ov.descend(run, lr=share * limit(run) / steepest)
        return t.loss[:2000].max(), t.loss[-2000:].max(), t.diverged_at
    early, late, diverged = peaks(0.99)
    assert diverged is None
    assert late < 0.5 * early
    early, late, diverged = peaks(1.01)
    assert diverged or late > 2 * early


@pytest.mark.parametrize("key", sorted(set(ov.optimizers) - {key for key, *_ in LIMITS}))
def test_other_methods_have_no_such_limit(key):
    assert limit(ov.Run("rosenbrock", key)) is None


def test_a_method_is_judged_by_its_step_not_by_its_name():
    assert limit(ov.Run("bowl", "asgd", lambd=0.0)) == pytest.approx(2)  # its rate no longer decays
    assert limit(ov.Run("bowl", "sam", rho=0.0)) == pytest.approx(2)
    assert limit(ov.Run("bowl", "asgd", alpha=0.0, lambd=0.1)) is None  # fixed and linear, but its decay is no part of λ


def test_rate_schedule_and_surface_do_not_move_the_limit():
    assert limit(ov.Run("beale", "momentum", lr=0.3, schedule="cosine", noise=1.0)) == limit(ov.Run("bowl", "momentum"))
    assert limit(ov.Run("bowl", "momentum", lr=0.0)) == limit(ov.Run("bowl", "momentum"))


def test_a_dragged_rate_costs_one_search():
    _limit.cache_clear()
    for lr in (0.1, 0.2, 0.3):
        limit(ov.Run("bowl", "momentum", lr=lr))
    assert _limit.cache_info().misses == 1


@pytest.mark.parametrize("key", ov.surfaces)
def test_sharpness_is_the_largest_eigenvalue(key):
    surface = ov.surfaces[key]
    points = np.random.default_rng(1).uniform(*np.array(surface.box).T[:, :, None], size=(2, 300))
    (xx, xy), (yx, yy) = surface.hessian(*points)
    expected = np.linalg.eigvalsh(np.moveaxis(np.array([[xx, xy], [yx, yy]]), -1, 0))[:, -1]
    found = sharpness(surface, points)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    assert found.shape == (300,)


def test_sharpness_of_known_places():
    assert sharpness(ov.surfaces["ravine"].at(b=50), (3.0, 4.0)) == 100
    assert sharpness(ov.surfaces["saddle"], (0, 0)) == 2
    assert sharpness(ov.surfaces["ravine"], (3, 4)).shape == ()
    assert sharpness(ov.surfaces["ravine"], np.zeros((2, 3, 4))).shape == (3, 4)
    assert sharpness(ov.surfaces["ravine"], np.zeros((2, 0))).shape == (0,)


def test_sharpness_is_nan_where_the_hessian_is_not_finite():
    np.testing.assert_array_equal(sharpness(ov.surface("log(x) + y^2"), [[1.0, 0.0, np.nan], [0.0] * 3]), [2, np.nan, np.nan])
    assert np.isnan(sharpness(ov.surface("x^4 + y^2"), (1e200, 0.0)))


def test_sharpness_is_fast():
    points = np.random.default_rng(0).uniform(-2, 2, (2, 10_000))

    def quickest(n):
        times = []
        for _ in range(20):
            begin = time.process_time()
            sharpness(ov.surfaces["beale"], points[:, :n])
            times.append(time.process_time() - begin)
        return min(times)
    assert quickest(300) < 1e-3
    assert quickest(10_000) < 1e-2


@pytest.mark.parametrize(("weight", "steps", "held"), [(0.0, 1, 1), (0.5, 2, 0.75), (0.9, 10, 0.6513), (0.99, 100, 0.6340), (0.999, 1000, 0.6323)])
def test_the_last_steps_of_a_memory_hold_about_two_thirds(weight, steps, held):
    m = memory(weight, teeth=20 * steps)
    assert m.steps == steps
    assert m.held == pytest.approx(held, abs=1e-4) == m.shares[:steps].sum()
    assert m.shares.sum() == pytest.approx(1)


def test_the_comb_is_what_a_run_remembers():
    t = ov.descend(ov.surface("x^2 + y"), "momentum_ema", start=(1.0, 0.0), steps=30, lr=0.1, momentum=0.8)
    np.testing.assert_allclose(t.state["v"][0, -1], memory(0.8, 30).shares @ t.gradients[0, ::-1], rtol=1e-12)


#: the optimizers that remember a gradient, and the hyper-parameter that says for how long
MEMORIES = {"momentum": "momentum", "momentum_ema": "momentum", "momentum_lr_inside": "momentum", "nesterov": "momentum", "nesterov_torch": "momentum",
            "lion": "beta2"} | dict.fromkeys("adam_uncorrected adam amsgrad adamw adamax nadam radam adabelief yogi adan lookahead prodigy".split(), "beta1")


@pytest.mark.parametrize("key", ov.optimizers)
def test_the_memory_of_a_first_moment(key):
    assert memory_of(ov.optimizers[key]) == MEMORIES.get(key)


def test_a_memory_is_found_whatever_is_remembered_before_it():
    def step(grad, x, state, h, t, xp):
        count, v, m = state
        g = grad(x)
        m = h.beta1 * m + (1 - h.beta1) * g
        v = h.beta2 * v + (1 - h.beta2) * g * g
        return x - h.lr * m / (xp.sqrt(v) + h.eps), (count + 1, v, m)
    adam = ov.optimizers["adam"]
    assert memory_of(replace(adam, step=step, state=("count", "v", "m"), init=lambda x, h, xp: [0 * x[0], 0 * x, 0 * x])) == "beta1"


def test_footprints_of_adam_are_the_closed_form():
    corrected, uncorrected = footprints(ov.Run("beale", "adam", lr=0.3, eps=0.0))
    np.testing.assert_allclose(corrected, np.arange(1, 13), rtol=1e-9)  # a step of α each
    k = np.arange(1, 13)
    np.testing.assert_allclose(np.diff(uncorrected, prepend=0), (1 - 0.9**k) / np.sqrt(1 - 0.999**k), rtol=1e-9)
    assert uncorrected[0] == pytest.approx(0.1 / np.sqrt(0.001)) == pytest.approx(3.16, abs=0.005)
    assert uncorrected[11] - uncorrected[10] == pytest.approx(6.57, abs=0.01)


def test_footprints_follow_the_run():
    assert len(footprints(ov.Run("bowl", "adam"), steps=3).corrected) == 3
    even = footprints(ov.Run("bowl", "adamw", beta1=0.5, beta2=0.75, eps=0.0))
    np.testing.assert_allclose(even.uncorrected[0], 1)  # 0.5/√0.25: these two need no correction in the first step
    inside = footprints(ov.Run("bowl", "nadam", eps=3.0, eps_place="inside"))
    np.testing.assert_allclose(inside.corrected, 0.5 * np.arange(1, 13))


@pytest.mark.parametrize("key", ov.optimizers)
def test_footprints_need_the_two_averages_of_adam(key):
    family = set("adam_uncorrected adam amsgrad adamw adamax nadam radam adabelief yogi lookahead prodigy".split())
    assert (footprints(ov.Run("rosenbrock", key)) is not None) == (key in family)
