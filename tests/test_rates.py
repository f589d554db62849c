"""Thresholds, the range test, the map of stability and the noise floor against closed forms and single runs."""

import math
import time
import tracemalloc

import numpy as np
import pytest

import optviz as ov
from optviz.rates import (
    LOW,
    LOWEST,
    SEEDS,
    SIDE,
    axes_of,
    band,
    compared,
    drawn,
    floor_of,
    network_curves,
    network_range_test,
    quiet,
    range_test,
    small_network,
    stability_map,
    thresholds,
    two_numbers,
    usual_axes,
)
from optviz.run import Run

RAVINE = ov.surfaces["ravine"].at(b=10.0)  # x² + 10y²: λmax = 20
BOWL = ov.surfaces["bowl"]
LIMITS = {"sgd": lambda g: 2 / 20, "momentum": lambda g: 2 * (1 + g) / 20, "nesterov": lambda g: (2 + 2 * g) / ((1 + 2 * g) * 20)}


def measured_limit(run):
    """The rate from which on the run grows instead of shrinking, by bisection: many rates at a time."""
    run, first, low, high = quiet(run), run.surface.value(*run.start), 1e-6, 1e6
    for _ in range(5):
        rates = np.geomspace(low, high, 65)
        trail = ov.descend(run, lr=rates, record="end", memory=False)
        i = int(np.argmax((trail.diverged_at >= 0) | (trail.loss[-1] > first)))
        low, high = rates[i - 1], rates[i]
    return math.sqrt(low * high)


def variance(alpha, curvature, sigma):
    """ασ²/(λ(2−αλ)): what noise σ in its gradient leaves of gradient descent on ½λx²."""
    return alpha * sigma**2 / (curvature * (2 - alpha * curvature))


@pytest.mark.parametrize("key", LIMITS)
@pytest.mark.parametrize("gamma", [0.8])
def test_thresholds_are_met_within_one_percent(key, gamma):
    run = Run(RAVINE, key, (8.0, 3.0), 2000, **({} if key == "sgd" else {"momentum": gamma}))
    assert measured_limit(run) == pytest.approx(LIMITS[key](gamma), rel=0.01)
    found = next(t for t in thresholds(Run(RAVINE, "momentum", (8.0, 3.0), 300, momentum=gamma)) if t.optimizer == key)
    assert found.limit == pytest.approx(LIMITS[key](gamma), rel=1e-6)
    started = RAVINE.value(8.0, 3.0)
    assert (found.loss[found.rates < 0.97 * found.limit] < started).all() and (found.loss[found.rates > 1.2 * found.limit] > started).all()


@pytest.mark.parametrize("key", ["sgd", "momentum", "nesterov", "adam", "adagrad", "lion", "lbfgs"])
@pytest.mark.parametrize("where", [RAVINE, "rosenbrock", "beale", "ackley", "rastrigin", "himmelblau"], ids=str)
def test_high_ends_above_the_start_and_good_lowest_of_all(where, key):
    run = Run(where, key, steps=100)
    found = compared(run)
    first = run.surface.value(*run.start)
    rates = [rate for rate in found.rates if rate is not None]
    ended = ov.descend(run, lr=np.array(rates), record="end")
    *high, good, low = np.where(ended.diverged_at < 0, ended.loss[-1], np.inf)
    assert good < first and good <= low and all(loss > first for loss in high) and rates == sorted(rates, reverse=True)
    assert found.rates.low == pytest.approx(LOW * found.rates.good, rel=0.1) and len(found.trails) == len(rates)
    assert good - run.surface.value(*run.surface.minima[0]) <= min(found.thresholds[0].loss) + 1e-12


def test_three_rates_where_none_is_good_or_none_too_high():
    with pytest.raises(ValueError, match="another start"):
        compared(Run("bowl", "sgd", (0.0, 0.0), 50))
    assert compared(Run("ravine", "newton", steps=100)).rates.high is None


@pytest.mark.parametrize(("alpha", "lam", "sigma"), [(0.1, 4.0, 0.5), (0.45, 4.0, 2.0), (0.02, 1.0, 1.0)])
def test_the_noise_floor_is_the_closed_form(alpha, lam, sigma):
    """SGD: ασ²/(λ(2−αλ)) a coordinate; heavy ball: ασ²(1+γ)/(λ(1−γ)(2(1+γ)−αλ))."""
    bowl = ov.surface(f"{lam / 2}*x^2 + {lam / 2}*y^2")
    assert floor_of(Run(bowl, "sgd", lr=alpha, noise=sigma)).far ** 2 == pytest.approx(2 * variance(alpha, lam, sigma), rel=1e-9)
    gamma = 0.8
    heavy = alpha * sigma**2 * (1 + gamma) / (lam * (1 - gamma) * (2 * (1 + gamma) - alpha * lam))
    assert floor_of(Run(bowl, "momentum", lr=alpha, noise=sigma, momentum=gamma)).far ** 2 == pytest.approx(2 * heavy, rel=1e-9)


@pytest.mark.parametrize("key", ["sgd", "nesterov"])
def test_runs_settle_on_the_floor(key):
    run = Run(RAVINE, key, (1.0, 1.0), 400, lr=0.03, noise=2.0, **({"momentum": 0.6} if key == "nesterov" else {}))
    points = ov.descend(run, start=run.start, member=np.arange(4000), record="end").points
    assert (points**2).sum(0).mean() == pytest.approx(floor_of(run).far ** 2, rel=0.05)


def test_the_floor_is_that_of_the_minimum_where_the_run_ends():
    wells = ov.surface("(x^2 - 1)^2 + 0.5*x^3 + 2*y^2")
    runs = [Run(wells, "sgd", (x, 0.5), 300, lr=0.02, noise=0.05) for x in (-2.0, 2.0)]
    floors = [floor_of(run) for run in runs]
    assert all(f.local for f in floors) and floors[0].far != pytest.approx(floors[1].far, rel=0.01)
    for run, found in zip(runs, floors, strict=True):
        assert band(run).mean[-50:].mean() == pytest.approx(found.far, rel=0.15)
    assert not floor_of(Run(RAVINE, "sgd", (8.0, 3.0), lr=0.02, noise=1.0)).local


def test_no_floor_where_there_is_none():
    assert floor_of(Run(RAVINE, "sgd", lr=0.05)) is None
    assert floor_of(Run(RAVINE, "sgd", lr=0.11, noise=1.0)) is None
    assert floor_of(Run(RAVINE, "adam", noise=1.0)) is None
    assert floor_of(Run(RAVINE, "sgd", lr=0.05, noise=1.0, noise_relative=0.5)) is None
    assert floor_of(Run(ov.surface("x + y"), "sgd", noise=1.0)) is None


def test_the_band_holds_what_many_seeds_do():
    run = Run(RAVINE, "sgd", (3.0, 1.0), 80, lr=0.04, noise=2.0)
    found = band(run)
    own = np.hypot(*ov.descend(run).points)
    assert found.draws == SEEDS >= 32 and found.low.shape == (81,) and (found.low <= found.high).all()
    assert found.low[0] == found.high[0] == found.mean[0] == pytest.approx(math.sqrt(10))
    assert 0.6 < ((found.low <= own) & (own <= found.high)).mean()
    np.testing.assert_allclose(found.mean[-40:].mean(), found.floor.far, rtol=0.1)  # 64 draws are few
    still = band(Run(RAVINE, "sgd", (3.0, 1.0), 20, lr=0.04))
    np.testing.assert_allclose(still.low, still.high)
    assert still.draws == 1 and band(Run(ov.surface("x + y"), "sgd", steps=5)) is None


def test_a_long_band_is_thin():
    """One address must not take gigabytes."""
    tracemalloc.start()
    found = band(Run("bowl", "sgd", steps=4000, lr=0.001, noise=1.0))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.steps) < 400 and found.steps[-1] == 4000 and most < 2**23


@pytest.mark.parametrize("key", LIMITS)
@pytest.mark.parametrize("where", [RAVINE, BOWL], ids=["ravine", "bowl"])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_range_test_finds_where_a_method_diverges(key, where, noise):
    tested = range_test(Run(where, key, (8.0, 3.0), noise=noise))
    most = next(t.limit for t in thresholds(Run(where, key, (8.0, 3.0), 5)))
    assert tested.rates[0] == LOWEST and tested.rates[-1] == pytest.approx(10.0)
    assert (1 if noise else 1.2) * most < tested.diverging < (2 if noise else 8) * most
    assert LOWEST < tested.steepest < tested.diverging
    at = int(np.flatnonzero(tested.rates == tested.diverging)[0])
    assert tested.loss[at - 1] <= tested.first and not (tested.loss[at:] <= tested.first).any()


@pytest.mark.parametrize("key", ["sgd", "adam"])
def test_the_steepest_rate_is_where_the_drawn_curve_is_steepest(key):
    network = network_range_test(small_network(Run("bowl", key)))
    for tested in (range_test(Run(RAVINE, "sgd", (8.0, 3.0), noise=0.5)), network):
        height = drawn(tested.loss, tested.first)
        fall = np.convolve(np.diff(height), np.ones(7) / 7, "same")
        best = tested.rates[np.nanargmin(fall[:int(np.nanargmin(height))])]
        assert tested.steepest == pytest.approx(best, rel=0.3)


@pytest.mark.parametrize("key", [k for k, o in ov.optimizers.items() if o.traceable][::4])
@pytest.mark.parametrize("where", ["rosenbrock", "ackley"])
def test_the_range_test_is_there_for_any_optimizer_on_any_surface(key, where):
    tested = range_test(Run(where, key, noise=0.1))
    assert tested.loss.shape == tested.rates.shape and np.isfinite(tested.loss[0])
    assert all(rate is None or LOWEST <= rate <= 10.001 for rate in (tested.steepest, tested.diverging))


@pytest.mark.parametrize("key", ["sgd", "momentum", "adam", "adagrad"])
def test_networks_at_three_rates(key):
    found = network_curves(small_network(Run("bowl", key)))
    *high, good, low = (np.nan_to_num(loss[-1], nan=np.inf) for loss in found.loss)
    assert good < low < found.loss[0][0] and all(loss > found.loss[0][0] for loss in high)
    assert (found.rates.high is None) == (not high) == (key == "adagrad")


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
        turned = stability_map(Run(RAVINE, key, (8.0, 3.0), 10), "momentum", "lr", 1e-3)
        np.testing.assert_allclose(turned.boundary, of.boundary)
        assert of.curvature == pytest.approx(20)
        beyond = of.across.values > 1.05 * of.boundary[:, None]
        assert np.isnan(of.steps[beyond & (of.up.values < 0.9)[:, None]]).all()
        assert not np.isnan(of.steps[of.across.values < 0.97 * of.boundary[:, None]]).any()


@pytest.mark.parametrize(("where", "key", "up"), [(RAVINE, "momentum", "momentum"), ("ackley", "adam", "beta1")], ids=str)
def test_the_map_takes_less_than_two_seconds(where, key, up):
    begun = time.process_time()
    stability_map(Run(where, key, (2.0, 1.0), 10_000), "lr", up, 1e-3)
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


@pytest.mark.parametrize("key", ["polyak", "signsgd", "lbfgs"])
def test_nobody_else_is_lent_a_second_number(key):
    assert two_numbers(Run(RAVINE, key)).optimizer == key
    with pytest.raises(ValueError, match="another optimizer"):
        usual_axes(ov.optimizers[key])
