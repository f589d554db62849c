"""Stability limits against closed forms and against runs; sharpness against an eigenvalue solver."""

import time

import numpy as np
import pytest

import optviz as ov
from optviz.stability import _limit, limit, sharpness

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
