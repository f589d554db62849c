"""Maps worth showing: every claim that is told beside one, measured on its own map or on the cells of it that the claim is about."""

import numpy as np
import pytest

import optviz as ov
from optviz.hunt import Hunt, hunt
from optviz.sweep import MOST_PRODUCTS, Sweep
from optviz.sweep_presets import views


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTVIZ_CACHE", str(tmp_path / "kept"))


def cells(key, columns=slice(None), rows=slice(None)):
    """Some cells of a view's map."""
    s = views[key].sweep
    x, y = (np.array(axis.values, object)[some].tolist() for axis, some in ((s.x, columns), (s.y, rows)))
    return ov.sweep(s.at(x=(s.x.key, x), y=(s.y.key, y)), keep=False)


def hunted(key, budget):
    found = cells(key)[views[key].array]
    return hunt(found, Hunt(budget))


@pytest.mark.parametrize("view", views.values(), ids=views)
def test_a_view_has_its_array_its_words_and_its_place(view):
    assert view.array in view.sweep.arrays and Sweep.from_query(view.sweep.to_query()) == view.sweep
    assert view.sweep.work < MOST_PRODUCTS / 10 and all(len(text.ru) > 3 for text in (view.name, view.do, view.see))


def test_without_memory_adam_does_not_come_to_rest():
    found = cells("adam")
    assert not found.reached[:19].any() and found.y[18] == 0.54
    row = found.y.index(0.9)
    there = np.array(found.x)[found.reached[row] > 0]
    assert (there.min(), there.max()) == pytest.approx((0.383, 5.62), rel=2e-3)
    between = (np.array(found.x) >= there.min()) & (np.array(found.x) <= there.max())
    assert len(found.x) == 49 and len(there) == between.sum() - 1, "all but one"
    assert np.nanmin(found.steps) == found.steps[row, np.argmin(np.abs(np.array(found.x) - 2.15443))] == 144


def test_the_edge_of_momentum_moves_and_it_tires_later():
    found = cells("momentum")
    fast = np.array([np.nanmin(row) if np.isfinite(row).any() else np.inf for row in found.steps])
    assert fast[0] == 30 and fast.min() == fast[found.y.index(0.33)] == 12 and (np.diff(fast[found.y.index(0.33):]) > 0).mean() > 0.8
    for gamma in (0.0, 0.33, 0.6):
        stable = max(x for x, loss in zip(found.x, found.loss[found.y.index(gamma)], strict=True) if loss < 1e3)
        assert 0.93 < stable / (2 * (1 + gamma) / 20) <= 1


def test_a_fall_can_be_too_short_and_too_long():
    found = cells("length")
    best, at = found.loss.min(1), np.array(found.x)[found.loss.argmin(1)]
    assert best[0] == pytest.approx(1.64, abs=0.01) and best.min() == best[found.y.index(342)] == pytest.approx(0.0023, abs=1e-4)
    assert best[-1] == pytest.approx(0.012, abs=5e-4) and [at[0], at[found.y.index(342)], at[-1]] == pytest.approx([0.153, 0.021, 0.006], abs=5e-4)


def test_noise_frees_up_to_a_point():
    found = cells("escape", [15, 30], [0, 19, 30])
    assert found.x[0] == pytest.approx(0.01) and found.y[1] == pytest.approx(12.7, abs=0.05)
    assert found.escaped[:, 0] == pytest.approx([0, 0.80, 0.59], abs=0.005) and found.escaped[2, 1] == pytest.approx(0.47, abs=0.005)
    assert not cells("escape", rows=[0]).escaped.any()


def test_a_penalty_closes_the_gap_at_a_rate_that_learns():
    found = cells("strength", [0, 9, 12], [0, 7])
    assert found.x[1:] == (0.01, 0.1) and found.y[1] == 0.0562341
    assert (found.accuracy_train[1, 0], found.accuracy_val[1, 0], found.accuracy_val[1, 1]) == pytest.approx((0.925, 0.75, 0.87), abs=0.005)
    assert found.accuracy_val[0].max() < 0.6 and found.accuracy_val[:, 2].max() < 0.6


def test_twenty_neurons_with_a_penalty_beat_three():
    found = cells("width", [0, 9], [1, 9])
    assert found.y == (3, 20) and found.x[1] == 0.0227951
    assert found.accuracy_train[1, 0] == pytest.approx(0.97, abs=0.005)
    assert found.accuracy_val.ravel() == pytest.approx([0.845, 0.82, 0.75, 0.87], abs=0.005)
    assert cells("width", rows=[1]).accuracy_val.max() < 0.865


def test_twice_the_batch_wants_twice_the_rate():
    found = cells("batch")
    way = [(row, 9 + 2 * row) for row in range(8)]
    assert found.x[9] == 0.0316228 and found.y == (1, 2, 4, 8, 16, 32, 64, 100) and found.x[11] / found.x[9] == pytest.approx(2.15, abs=0.005)
    assert [found.loss_val[cell] for cell in way] == pytest.approx([0.294, 0.281, 0.269, 0.252, 0.241, 0.457, 0.234, 0.534], abs=5e-4)
    assert found.loss_val.min() == found.loss_val[0, found.x.index(0.14678)] == pytest.approx(0.123, abs=5e-4)
    assert found.loss_val[0, 17] > 0.9 and found.loss_val[4, 9] > 0.7  # off the diagonal


def test_random_search_finds_the_good_where_one_axis_matters():
    found = hunted("random", 25)
    assert found.matters[1] == pytest.approx(0.97, abs=0.01) and found.matters[0] < 0.005
    assert found.grid.distinct[1] == 5 and found.random.distinct[1] == pytest.approx(16, abs=0.2)
    assert (found.random.found[-1], found.grid.found[-1]) == pytest.approx((0.75, 0.43), abs=0.02) and found.better > 0.68


@pytest.mark.parametrize(("key", "budget", "random", "grid", "trials"), [("idle", 25, 0.72, 0.32, 13), ("idle", 49, 0.92, 0.40, 14), ("both", 25, 0.72, 0.85, 14)])
def test_it_wins_by_axes_that_do_not_matter(key, budget, random, grid, trials):
    found = hunted(key, budget)
    assert (found.random.found[-1], found.grid.found[-1]) == pytest.approx((random, grid), abs=0.02)
    assert abs(found.random.trials - trials) <= 1 and (found.better > 0.7 if key == "idle" else found.better < 0.45)
    assert found.matters[0] < 1e-3 if key == "idle" else found.matters[0] > 0.1
