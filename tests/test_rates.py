"""Thresholds, the range test, the map of stability and the noise floor against closed forms and single runs."""

import math
import time

import numpy as np
import pytest

import optviz as ov
from optviz.rates import (
    LOWEST,
    SEEDS,
    SIDE,
    axes_of,
    band,
    floor,
    floor_of,
    measured_limit,
    network_curves,
    network_range_test,
    of_range,
    range_test,
    small_network,
    stability_map,
    three,
    thresholds,
    two_numbers,
    usual_axes,
)
from optviz.run import Run

RAVINE = ov.surfaces["ravine"].at(b=10.0)  # x² + 10y²: λmax = 20
LIMITS = {"sgd": lambda g: 2 / 20, "momentum": lambda g: 2 * (1 + g) / 20, "nesterov": lambda g: (2 + 2 * g) / ((1 + 2 * g) * 20)}


@pytest.mark.parametrize("key", LIMITS)
@pytest.mark.parametrize("gamma", [0.8])
def test_thresholds_are_met_within_one_percent(key, gamma):
    run = Run(RAVINE, key, (8.0, 3.0), 2000, **({} if key == "sgd" else {"momentum": gamma}))
    assert measured_limit(run) == pytest.approx(LIMITS[key](gamma), rel=0.01)
    found = next(t for t in thresholds(Run(RAVINE, "momentum", (8.0, 3.0), 300, momentum=gamma)) if t.run.optimizer == key)
    assert found.limit == pytest.approx(LIMITS[key](gamma), rel=1e-6)
    started = RAVINE.value(8.0, 3.0)
    assert (found.loss[found.rates < 0.97 * found.limit] < started).all() and (found.loss[found.rates > 1.2 * found.limit] > started).all()


def test_three_rates_diverge_arrive_and_crawl():
    run = Run(RAVINE, "sgd", (8.0, 3.0), 200, lr=0.05)
    high, good, low = (ov.descend(run, lr=rate).loss[-1] for rate in three(run))
    assert high > RAVINE.value(8.0, 3.0) > low > 100 * good
    adam = three(Run(RAVINE, "adam", (8.0, 3.0), 200))
    assert adam.high > adam.good > adam.low > 0


@pytest.mark.parametrize(("alpha", "lam", "sigma"), [(0.1, 4.0, 0.5), (0.45, 4.0, 2.0), (0.02, 1.0, 1.0)])
def test_the_noise_floor_is_the_closed_form(alpha, lam, sigma):
    """SGD: ασ²/(λ(2−αλ)) a coordinate; heavy ball: ασ²(1+γ)/(λ(1−γ)(2(1+γ)−αλ))."""
    bowl = ov.surface(f"{lam / 2}*x^2 + {lam / 2}*y^2")
    assert floor_of(Run(bowl, "sgd", lr=alpha, noise=sigma)) == pytest.approx(2 * floor(alpha, lam, sigma), rel=1e-9)
    gamma = 0.8
    heavy = alpha * sigma**2 * (1 + gamma) / (lam * (1 - gamma) * (2 * (1 + gamma) - alpha * lam))
    assert floor_of(Run(bowl, "momentum", lr=alpha, noise=sigma, momentum=gamma)) == pytest.approx(2 * heavy, rel=1e-9)


@pytest.mark.parametrize("key", ["sgd", "nesterov"])
def test_runs_settle_on_the_floor(key):
    run = Run(RAVINE, key, (1.0, 1.0), 400, lr=0.03, noise=2.0, **({"momentum": 0.6} if key == "nesterov" else {}))
    points = ov.descend(run, start=run.start, member=np.arange(4000), record="end").points
    assert (points**2).sum(0).mean() == pytest.approx(floor_of(run), rel=0.05)


def test_no_floor_where_there_is_none():
    assert floor_of(Run(RAVINE, "sgd", lr=0.05)) is None
    assert floor_of(Run(RAVINE, "sgd", lr=0.11, noise=1.0)) is None
    assert floor_of(Run(RAVINE, "adam", noise=1.0)) is None
    assert floor_of(Run(ov.surface("x + y"), "sgd", noise=1.0)) is None


def test_the_band_holds_what_many_seeds_do():
    run = Run(RAVINE, "sgd", (3.0, 1.0), 80, lr=0.04, noise=2.0)
    low, middle, high = band(run)
    own = np.hypot(*ov.descend(run).points)
    assert SEEDS >= 32 and low.shape == (81,) and (low <= middle).all() and (middle <= high).all() and low[0] == high[0] == pytest.approx(math.sqrt(10))
    assert 0.6 < ((low <= own) & (own <= high)).mean()
    np.testing.assert_allclose(middle[-20:].mean(), math.sqrt(floor_of(run)), rtol=0.35)
    still = band(Run(RAVINE, "sgd", (3.0, 1.0), 20, lr=0.04))
    np.testing.assert_allclose(still[0], still[2])
    assert band(Run(ov.surface("x + y"), "sgd", steps=5)) is None


def test_the_range_test_finds_where_gradient_descent_diverges():
    tested = range_test(Run(RAVINE, "sgd", (8.0, 3.0), noise=0.5))
    assert tested.rates[0] == LOWEST and tested.rates[-1] == pytest.approx(10.0)
    assert tested.diverging == pytest.approx(0.1, rel=0.15)
    assert LOWEST < tested.steepest < tested.diverging
    assert tested.loss[-1] > 1e9 and np.isnan(range_test(Run("rosenbrock", "sgd")).loss[-1])


@pytest.mark.parametrize("key", [k for k, o in ov.optimizers.items() if o.traceable][::4])
@pytest.mark.parametrize("where", ["rosenbrock", "ackley"])
def test_the_range_test_is_there_for_any_optimizer_on_any_surface(key, where):
    tested = range_test(Run(where, key, noise=0.1))
    assert tested.loss.shape == tested.rates.shape and np.isfinite(tested.loss[0])
    assert all(rate is None or LOWEST <= rate <= 10.001 for rate in (tested.steepest, tested.diverging))


@pytest.mark.parametrize("key", ["sgd", "adam"])
def test_a_networks_range_test_gives_rates_that_behave_so(key):
    net = small_network(Run("bowl", key))
    rates = of_range(network_range_test(net))
    assert rates.high > rates.good > rates.low
    (_, *_, (high, good, low)), diverged = network_curves(net, rates, 60)
    assert low > 1.5 * good and (diverged[0] > 0 if key == "sgd" else high > 1.5 * good)


def test_the_map_counts_what_single_runs_do_and_knows_the_boundary():
    run = Run(RAVINE, "momentum", (8.0, 3.0), 300)
    found = stability_map(run, "lr", "momentum", 1e-3)
    assert found.steps.shape == (SIDE, SIDE)
    for i, j in ((0, 20), (30, 30), (50, 10), (63, 63), (5, 63)):
        trail = ov.descend(run, lr=found.across.values[j], momentum=found.up.values[i])
        inside = trail.loss <= 1e-3
        expected = np.nan if trail.diverged_at is not None or trail.loss[-1] > trail.loss[0] else (
            np.inf if not inside[-1] else len(inside) - np.argmin(inside[::-1]) if not inside.all() else 0)
        np.testing.assert_array_equal(found.steps[i, j], expected)
    for key in ("momentum", "nesterov"):
        of = stability_map(Run(RAVINE, key, (8.0, 3.0), 300), "lr", "momentum", 1e-3)
        np.testing.assert_allclose(of.boundary, [LIMITS[key](g) for g in of.up.values], rtol=1e-6)
        beyond = of.across.values > 1.05 * of.boundary[:, None]
        assert np.isnan(of.steps[beyond & (of.up.values < 0.9)[:, None]]).all()
        assert not np.isnan(of.steps[of.across.values < 0.97 * of.boundary[:, None]]).any()


def test_the_map_takes_less_than_two_seconds():
    stability_map.forget()
    begun = time.process_time()
    stability_map(Run(RAVINE, "momentum", (8.0, 3.0), 300), "lr", "momentum", 1e-3)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("key", ["adam", "rmsprop", "nesterov", "lion"])
def test_a_map_of_any_two_numbers(key):
    across, up = usual_axes(ov.optimizers[key])
    found = stability_map(Run("ravine", key, steps=40), across, up, 0.1)
    assert found.steps.shape == (SIDE, SIDE) and (found.boundary is None) == (key != "nesterov")
    if key == "adam":
        assert stability_map(Run("ravine", key, lr=0.3, steps=60), "beta1", "beta2", 0.5).steps.shape == (SIDE, SIDE)
    with pytest.raises(ValueError, match="wings"):
        stability_map(Run("ravine", key), "lr", "wings", 0.1)


def test_plain_gradient_descent_lends_the_heavy_balls_second_axis():
    run = two_numbers(Run(RAVINE, "sgd", (8.0, 3.0), 50, lr=0.05))
    assert run.optimizer == "momentum" and run["momentum"] == 0 and set(axes_of(ov.optimizers["momentum"])) == {"lr", "momentum"}
    np.testing.assert_allclose(ov.descend(run).points, ov.descend(RAVINE, "sgd", (8.0, 3.0), 50, lr=0.05).points)
