"""Random against grid search on a map: what each finds, and why."""

import numpy as np
import pytest

from optviz.core import Refused
from optviz.hunt import Hunt, hunt, lower_is_better, matters

N = 100
Y, X = np.meshgrid(np.linspace(-1, 1, N), np.linspace(-1, 1, N), indexing="ij")
NARROW = np.abs(X - 0.237)  # only x matters: the good is a twentieth of its columns
ROUND = np.hypot(X - 0.237, Y + 0.141)  # both do


def test_where_one_axis_matters_random_search_finds_it_in_fewer_trials():
    found = hunt(NARROW)
    assert found.random.found[-1] == pytest.approx(1 - 0.95**9, abs=0.04)  # 37 %, whatever the map
    assert found.grid.found[-1] == pytest.approx(3 * 0.05, abs=0.04)  # nine trials, but three columns
    assert found.better > 0.65 and found.matters == pytest.approx((0.0, 1.0))
    assert found.random.best[1, -1] < found.grid.best[1, -1] / 1.5
    many = hunt(NARROW, Hunt(25))
    assert many.random.trials == pytest.approx(14, abs=1) and many.grid.trials is None  # log ½ / log 0.95 = 13.5
    assert many.grid.found[-1] == pytest.approx(0.25, abs=0.04) and many.random.found[-1] == pytest.approx(1 - 0.95**25, abs=0.04)


def test_where_both_matter_a_grid_is_no_worse():
    found = hunt(ROUND, Hunt(25))
    assert found.grid.found[-1] > 0.95 > found.random.found[-1] and found.better < 0.5
    assert found.matters[0] == pytest.approx(found.matters[1], abs=0.15)


@pytest.mark.parametrize("budget", [9, 16, 25])
def test_distinct_values_on_each_axis(budget):
    found = hunt(ROUND, Hunt(budget))
    assert found.grid.distinct == (budget**0.5, budget**0.5)
    assert found.random.distinct == pytest.approx([N * (1 - (1 - 1 / N) ** budget)] * 2, rel=0.01)  # of 9 trials 8.6: a map has but 100 columns


def test_a_grid_is_even_and_whole():
    found = hunt(ROUND, Hunt(16, repeats=1))
    rows, columns = found.grid.first
    assert found.grid.first.shape == (2, 16) and len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == 16
    assert set(np.diff(np.unique(rows))) == {25} and set(np.diff(np.unique(columns))) == {25}
    np.testing.assert_array_equal(found.grid.best[1], np.minimum.accumulate(ROUND[rows, columns]))
    assert found.random.first.shape == (2, 16)


def test_a_grid_is_tried_in_a_random_order():
    column = np.where(np.arange(4) == 1, 0.0, 1.0)[None].repeat(4, 0)  # a quarter is good: four of a grid's sixteen places
    found = hunt(column, Hunt(16, repeats=4000, good=0.25))
    assert found.grid.found[:3] == pytest.approx([1 - 12 / 16, 1 - 12 * 11 / (16 * 15), 1 - 12 * 11 * 10 / (16 * 15 * 14)], abs=0.02)
    first = hunt(column, Hunt(16, repeats=1)).grid.first
    assert (np.diff(first[0]) < 0).any() and (np.diff(first[1]) != 1).any()


def test_ties_count_half():
    halves = np.where(np.arange(2) == 0, 0.0, 1.0)[None].repeat(2, 0)
    found = hunt(halves, Hunt(4, good=0.5))
    assert found.grid.found[-1] == 1 and found.random.found[-1] == pytest.approx(15 / 16, abs=0.02)
    assert found.better == pytest.approx(15 / 16 / 2, abs=0.01)  # the random one never wins, and ties where it finds the good


def test_what_diverged_is_never_good():
    wild = np.full((10, 10), np.inf)
    wild[3, 4], wild[5, 6] = 1.0, 2.0
    found = hunt(wild, Hunt(good=0.3))
    assert found.goal == 2 and found.share == 0.02 and found.random.found[-1] == pytest.approx(1 - 0.98**9, abs=0.04)


def test_curves_fall_and_bands_hold():
    found = hunt(ROUND, Hunt(25, repeats=200))
    for search in (found.grid, found.random):
        assert (np.diff(search.best, axis=1) <= 0).all() and (np.diff(search.best, axis=0) >= 0).all() and (np.diff(search.found) >= 0).all()
    np.testing.assert_array_equal(found.by_row, ROUND.min(1))
    np.testing.assert_array_equal(found.by_column, ROUND.min(0))
    assert found.share == pytest.approx(0.05, abs=0.001) and (ROUND <= found.goal).mean() == found.share
    again, other = hunt(ROUND, Hunt(25, repeats=200)), hunt(ROUND, Hunt(25, repeats=200, seed=1))
    assert np.array_equal(again.random.best, found.random.best) and not np.array_equal(other.random.best, found.random.best)


def test_what_diverged_is_worst_and_what_nobody_knows_too():
    holes = np.where(X > 0.5, np.inf, np.where(Y > 0.9, np.nan, NARROW))
    found = hunt(holes)
    assert np.isinf(found.random.best[2, 0]) and np.isfinite(found.random.best[:, -1]).all() and all(np.isfinite(found.matters))
    assert matters(np.array([[1.0, 2.0], [1.0, 2.0]])) == (0.0, 1.0)
    few = np.array([[1.0, 1.0, 2.0], [1.0, 2.0, 7.0]])
    rank = np.array([[2.0, 2.0, 4.5], [2.0, 4.5, 6.0]])  # ties share the mean of theirs
    assert matters(few) == pytest.approx((rank.mean(1).var() / rank.var(), rank.mean(0).var() / rank.var()))
    np.testing.assert_array_equal(lower_is_better("accuracy_val")(np.array([0.25])), [0.75])
    np.testing.assert_array_equal(lower_is_better("loss")(np.array([0.25])), [0.25])


@pytest.mark.parametrize("wrong", [{"budget": 10}, {"budget": 0}, {"repeats": 0}, {"seed": -1}, {"good": 2.0}, {"budget": "9"}])
def test_a_hunt_that_cannot_be_is_refused(wrong):
    with pytest.raises(Refused) as why:
        Hunt(**wrong)
    assert next(iter(wrong)) in why.value.text.en and why.value.text.ru


@pytest.mark.parametrize("values", [np.ones((3, 3)), np.full((2, 2), np.nan), np.ones(3), np.ones((0, 3))])
def test_a_map_without_anything_to_find_is_refused(values):
    with pytest.raises(Refused):
        hunt(values)
