"""The fair race: what the search finds, against closed forms and plain loops."""

import math
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import optviz as ov
from optviz import tune as module
from optviz.descent import descend
from optviz.oracle import gaussian
from optviz.race import Entrant, Race
from optviz.run import Run
from optviz.tune import COARSE, FINE, SEEDS, TOO_LONG, Tries, Tuned, search, tune

FINEST = 1.06  # between a rate of the fine grid and its neighbour, three digits included


def best_of(s):
    return s.value(*s.minima[0]) if s.minima else None


def by_hand(run, lr, best, tolerance):
    """The criterion of one rate without noise, told plainly: (steps until it stays within, mean of the last tenth)."""
    t = descend(run, lr=lr)
    if t.diverged_at is not None:
        return math.inf, math.inf
    inside = [loss - best <= tolerance for loss in t.loss] if best is not None else [False]
    reached = next((k for k in range(len(inside)) if all(inside[k:]) and k <= 0.9 * run.steps + 1), math.inf)
    return reached, float(np.mean([loss for k, loss in enumerate(t.loss) if k > 0.9 * run.steps]))


@pytest.mark.parametrize("b", [4.0, 20.0, 60.0])
def test_on_a_quadratic_gradient_descent_gets_the_rate_that_contracts_most(b):
    """x² + by²: |1 − 2α| and |1 − 2αb| are equal, and the greater of them least, at α = 2/(2 + 2b)."""
    run = Run("ravine", "sgd", (1.0, 1 / b), steps=800, lr=0.001, surface_b=b)
    t = tune(run, 0.0, 1e-12)
    assert 1 / FINEST < t.rate * (1 + b) < FINEST and not t.alike and (t.seeds, t.every) == (1, 1)
    assert (t.reached, t.final[1]) == pytest.approx(by_hand(run, t.rate, 0.0, 1e-12), rel=1e-9)


def test_where_nobody_reaches_the_tolerance_the_lowest_final_loss_wins():
    run = Run("ravine", "sgd", (8.0, 3.0), steps=10)
    t = tune(run, 0.0, 1e-12)
    finals = [by_hand(run, lr, 0.0, 1e-12)[1] for lr in t.tries.rates]
    sure = [max(f, min(beside)) for f, *beside in zip(finals, [math.inf, *finals], [*finals[1:], math.inf], strict=False)]
    assert t.reached is None and t.rate in t.tries.rates[np.equal(sure, min(sure))], "one that is good all alone is luck"
    np.testing.assert_allclose(t.tries.final[1], finals)


@pytest.mark.parametrize("key", ["sgd", "momentum", "adam", "lion", "rprop", "bfgs", "linesearch"])
@pytest.mark.parametrize("surface", ["rosenbrock", "himmelblau", "saddle", "cliff"])
@pytest.mark.parametrize("lr", [0.01, 40.0])
def test_tuned_is_never_worse_than_untuned(key, surface, lr):
    run = Run(surface, key, steps=60, lr=lr)
    best = best_of(run.surface)
    t = tune(run, best, 1e-3)
    assert lr in t.tries.rates and COARSE + FINE - 2 <= len(t.tries.rates) <= COARSE + FINE + 1 and (np.diff(t.tries.rates) > 0).all()
    if t.rate is not None:
        tuned, untuned = by_hand(run, t.rate, best, 1e-3), by_hand(run, lr, best, 1e-3)
        assert tuned[0] < untuned[0] or (tuned[0] == untuned[0] and tuned[1] <= untuned[1] + 1e-9 * abs(untuned[1]))
    else:
        assert by_hand(run, lr, best, 1e-3)[1] == math.inf


def test_noise_is_met_by_every_rate_and_told_by_median_and_band():
    """Against gradient descent on x² + 10y² written by hand, member by member."""
    run = Run("ravine", "sgd", (1.0, 0.5), steps=40, noise=0.7, noise_relative=0.3, seed=5)
    t = tune(run, 0.0, 0.5)
    for i in (0, 20, int(np.searchsorted(t.tries.rates, t.rate)), len(t.tries.rates) - 1):
        lr, reached, final = t.tries.rates[i], [], []
        for member in range(SEEDS):
            x, losses = np.array([1.0, 0.5]), []
            for step in range(1, 41):
                g = np.array([2 * x[0], 20 * x[1]]) * (1 + 0.3 * gaussian(5, 1, member, step)) + 0.7 * gaussian(5, 0, member, step)
                x = x - lr * g
                losses.append(x[0]**2 + 10 * x[1]**2)
            final.append(np.mean(losses[36:]))
            inside = [False, *(loss <= 0.5 for loss in losses)]
            reached.append(next((k for k in range(41) if all(inside[k:])), math.inf))
        final.sort()
        np.testing.assert_allclose(t.tries.final[:, i], [final[3], final[15], final[28]], rtol=1e-9)
        assert t.tries.reached[i] == sorted(reached)[15]
    assert t.seeds == SEEDS == 32 and t.final[0] < t.final[1] < t.final[2]


def test_the_visible_run_is_the_first_of_the_draws():
    run = Run("beale", "adam", steps=50, noise=0.5, seed=3, lr=0.02)
    seen, drawn = descend(run), descend(run, lr=np.full(4, 0.02), member=np.arange(4))
    np.testing.assert_allclose(drawn.points[..., 0], seen.points, rtol=1e-12)
    np.testing.assert_allclose(drawn.points[..., 2], descend(run, member=2).points, rtol=1e-12)
    assert (drawn.points[:, -1, 1:] != drawn.points[:, -1, :1]).all()


def test_every_rate_that_diverges_is_infinitely_bad():
    t = tune(Run(ov.surface("1e200*x^4 + y^2"), "sgd", (3.0, 1.0), steps=20), 0.0, 1e-3)
    assert t.rate is None and t.reached is None and np.isinf(t.tries.final).all() and np.isinf(t.tries.reached).all()
    t = tune(Run("ravine", "sgd", (8.0, 3.0), steps=2000), 0.0, 1e-3)
    assert np.isinf(t.tries.final[:, t.tries.rates > 1]).all() and t.rate < 0.1


def test_the_same_race_gets_the_same_answer():
    run = Run("ackley", "nadam", steps=50, noise=0.2)
    once = tune(run, 0.0, 1e-3)
    tune.forget()
    again = tune(run, 0.0, 1e-3)
    assert again is not once and again.rate == once.rate and all((a == b).all() for a, b in zip(again.tries, once.tries, strict=True))


def test_staying_within_the_tolerance_is_what_counts():
    kept = np.array([0, 5, 10, 15, 20])
    loss = np.array([[9.0, 9, 9, 0, 9], [0, 9, 9, 0, 9], [9, 9, 0, 0, 9], [0, 9, 0, 0, 9], [0, 0, 0, 0, 9]])[:, :, None]
    reached, final = module._measured(loss, np.array([[True], [True], [True], [True], [True]]), kept, 0.0, 1.0)
    assert reached.tolist() == [15, 20, 10, 0, math.inf] and final[1].tolist() == [0, 0, 0, 0, 9]
    reached, final = module._measured(loss, np.zeros((5, 1), bool), kept, 0.0, 1.0)
    assert np.isinf(reached).all() and np.isinf(final).all()
    assert np.isinf(module._measured(loss, np.ones((5, 1), bool), kept, None, 1.0)[0]).all()


def test_a_rate_that_is_good_all_alone_is_luck():
    spike = Tries(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([50.0, 3.0, 60.0, 20.0, 21.0]), np.ones((3, 5)))
    assert module._best(spike, 0.1) == 3 and module._best(spike, 0.2) == 1, "but nobody loses what he had"


def test_of_equals_the_rate_there_was_is_kept():
    same = Tries(np.array([0.1, 0.2, 0.3]), np.array([3.0, 3.0, 4.0]), np.ones((3, 3)))
    assert module._best(same, 0.2) == 1 and module._best(same, 0.3) == 0
    t = tune(Run("bowl", "sgd", (0.0, 0.0), lr=0.0123), 0.0, 1e-3)  # it stands where it wants to be
    assert t.alike and (t.rate, t.reached) == (0.0123, 0)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("key", ov.optimizers)
def test_every_optimizer_can_be_tuned(key, noise):
    t = tune(Run("beale", key, steps=4, noise=noise, lr=0.001), 0.0, 1e-3)
    assert t.rate in t.tries.rates and (t.tries.final[0] <= t.tries.final[2]).all() and not np.isnan(t.tries.final).any()


@pytest.mark.parametrize("schedule", ov.schedules)
def test_every_schedule_can_be_tuned(schedule):
    run = Run("beale", "sgd", steps=30, schedule=schedule)
    t = tune(run, 0.0, 1e-3)
    np.testing.assert_allclose(t.tries.final[1], [by_hand(run, lr, 0.0, 1e-3)[1] for lr in t.tries.rates], rtol=1e-9)


@pytest.mark.parametrize("formula", ["x + y", "log(x) + y^2", "sqrt(x)", "1/x", "x/y", "abs(x)^0.3", "1e300*x^2", "0*x", "exp(exp(x^2))"])
@pytest.mark.parametrize("steps", [1, 30])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_what_is_absurd_gets_a_true_answer(formula, steps, noise):
    race = Race("bowl").with_formula(formula).at(steps=steps, noise=noise)
    found = list(search(race, best_of(race.surface)))
    assert len(found) == len(race.entrants) and all(isinstance(t, Tuned) and not np.isnan(t.tries.final).any() for t in found)
    fair = race.fair([t.rate for t in found])
    assert Race.from_query(fair.to_query()) == fair and fair.untuned() == race


def test_a_search_starts_from_the_untuned_rates_wherever_it_is_asked():
    race = Race("beale", entrants=[Entrant("sgd", lr=0.001), Entrant("adam", lr=0.02)], steps=40)
    found = list(search(race, 0.0))
    fair = race.fair([t.rate for t in found])
    assert all(a is b for a, b in zip(search(fair, 0.0), found, strict=True)) and fair != race
    assert list(search(race.at(entrants=[]), 0.0)) == []


def test_work_is_bounded_and_nobody_is_left_out(monkeypatch):
    race = Race("bowl", entrants=[Entrant("adam")] * 16, steps=10_000)
    monkeypatch.setattr(module, "tune", lambda *given: given)
    assert set(search(race, 0.0)) == {TOO_LONG}, "all or nobody: else it would not be fair"
    assert TOO_LONG not in list(search(race.at(steps=300, noise=1.0), 0.0))


def test_many_who_ask_at_once_wait_for_one_search(monkeypatch):
    made, run = [], Run("beale", "sgd", steps=30, lr=0.00123)
    monkeypatch.setattr(module, "descend", lambda *given, **how: made.append(1) or time.sleep(0.05) or descend(*given, **how))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: tune(run, 0.0, 1e-3), range(4)))
    assert len(made) == 2 and all(a is answers[0] for a in answers)


def test_of_a_long_noisy_run_only_some_losses_are_kept():
    t = tune(Run("bowl", "sgd", (1.0, 1.0), steps=1000, noise=1e-3, lr=0.001), 0.0, 1e-2)
    assert t.every == 4 and t.reached % 4 == 0 and t.reached <= 12
