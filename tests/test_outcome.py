"""What comes of a race, against runs whose results are known beforehand."""

import math
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import optviz as ov
from optviz import outcome
from optviz.outcome import FRAMES, TOO_MUCH, Row, solve
from optviz.race import Entrant, Race


def alone(surface, optimizer="sgd", start=None, **settings):
    """The outcome of a race of one."""
    named = {n: settings.pop(n) for n in ("steps", "crowd", "scatter", "spread", "tolerance", "noise", "seed", "box") if n in settings}
    return solve(Race(surface, start, [Entrant(optimizer, **settings)], **named))


def test_a_run_whose_results_are_known():
    """x <- x/2 on x² + y² at the rate 1/4: after t steps x = 2^-t, f = 4^-t."""
    (row,) = alone("bowl", start=(1.0, 0.0), lr=0.25, steps=20, tolerance=1e-3).rows
    assert row == Row(loss=4.0**-20, distance=2.0**-20, reached=5, gradients=20, verdict=row.verdict)
    assert 4.0**-5 <= 1e-3 < 4.0**-4
    (row,) = alone("bowl", start=(0.0, 0.0), lr=0.25, steps=20).rows
    assert (row.reached, row.loss) == (0, 0.0)
    assert alone("bowl", start=(1.0, 0.0), lr=0.25, steps=4, tolerance=1e-3).rows[0].reached is None


def test_a_run_that_diverges():
    (row,) = alone("bowl", start=(1.0, 0.0), lr=2.0, steps=500).rows
    assert row == Row(gradients=row.diverged_at, verdict=row.verdict, diverged_at=math.floor(math.log(1.797e308) / (2 * math.log(3))) + 1)


@pytest.mark.parametrize(("key", "each"), [("sgd", 1), ("sam", 2), ("conjugate_gradient", 2), ("newton", 1), ("lookahead", 1), ("lbfgs", 1)])
def test_gradients_are_counted(key, each):
    assert alone("beale", key, steps=30, lr=1e-4).rows[0].gradients == 30 * each


def test_a_surface_without_a_minimum():
    (row,) = alone("saddle", start=(1.0, 0.0), lr=0.1, steps=10, crowd=5).rows
    assert row.loss == pytest.approx(0.8**20) and (row.distance, row.reached, row.at_best, row.within, row.found) == (None,) * 5
    assert row.median is not None and row.diverged == 0 and alone("saddle").best is None


def test_a_crowd_on_four_equal_minima():
    """Short steps from a grid over Himmelblau: every member ends at a minimum, all are best, all four are found."""
    o = alone("himmelblau", lr=0.01, steps=1000, crowd=400, scatter="grid", tolerance=1e-6)
    (row,) = o.rows
    assert (row.at_best, row.within, row.found, row.diverged) == (1.0, 1.0, 4, 0.0) and row.median < 1e-12
    (crowd,) = o.crowds
    assert crowd.points.shape == (2, FRAMES + 1, 400) and (o.kept[0], o.kept[-1], len(o.kept)) == (0, 1000, FRAMES + 1)
    np.testing.assert_array_equal(crowd.points[:, 0], o.race.starts)


def test_a_crowd_on_two_unequal_wells():
    """Tiny steps only roll down, so the shares are those of the basins."""
    o = alone("two_wells", lr=0.01, steps=2000, crowd=100, scatter="grid", tolerance=1e-6)
    (row,), x = o.rows, o.crowds[0].points[0, -1]
    assert row.at_best == row.within == (x < 0).mean() and 0.3 < row.at_best < 0.7 and row.found == 2


def test_a_crowd_that_partly_diverges_or_starts_outside():
    s = ov.surface("x - log(x) + y^2")
    (row,) = alone(s, start=(1.0, 1.0), lr=0.05, steps=50, crowd=100, scatter="grid").rows
    assert row.diverged == 0.5 and 1 < row.median < 1.1, "the left half of the box has no logarithm"
    (row,) = alone(s, start=(1.0, 1.0), lr=0.05, steps=50, crowd=100, scatter="grid", box=((-3.0, 1.0), (-3.0, 3.0))).rows
    assert row.diverged > 0.5 and row.median is None, "more than half of the crowd has no loss"


@pytest.mark.parametrize("steps", [1, 2, 99, 100, 101, 250, 10_000])
def test_a_crowds_film_stays_short(steps):
    o = alone("bowl", steps=steps, crowd=3, lr=0.01)
    assert o.crowds[0].points.shape[1] == len(o.kept) <= FRAMES + 1 and o.kept[-1] == steps
    np.testing.assert_allclose(o.crowds[0].points[:, -1], o.race.starts * 0.98**steps, rtol=1e-9)


def test_what_is_equal_is_run_once(monkeypatch):
    ran = []
    monkeypatch.setattr(outcome, "descend", lambda run, **how: ran.append(run) or ov.descend(run, **how))
    race = Race("bowl", (0.123, 0.456), [Entrant("sgd", lr=0.1), Entrant("adam", lr=0.1)], steps=7)
    assert solve(race) is solve(Race.from_query(race.to_query())) and len(ran) == 2
    other = race.with_entrant(0, lambda e: e.at(lr=0.2)).with_entrant(1, lambda e: e.at(muted=True)).at(view="relief", tolerance=0.5)
    assert solve(other).trails[1] is solve(race).trails[1] and len(ran) == 3
    assert all(not t.state for t in solve(race).trails)


def test_who_cannot_run_does_not_take_the_others_down(monkeypatch):
    def sometimes(run, **how):
        if run.optimizer == "adam":
            raise ov.Refused(ov.T("no", "нет"))
        return ov.descend(run, **how)
    monkeypatch.setattr(outcome, "descend", sometimes)
    o = solve(Race("bowl", (0.321, 0.654), [Entrant("sgd", lr=0.1), Entrant("adam"), Entrant("sgd", lr=0.2)], crowd=4))
    assert [r.refused for r in o.rows] == [None, ov.T("no", "нет"), None]
    assert [t is None for t in o.trails] == [c is None for c in o.crowds] == [False, True, False]


@pytest.mark.parametrize("surface", [*ov.surfaces, "1e200*x", "log(x)", "1/x + 1/y", "1e308*sin(10*x)", "0*x", "1e-300*x^2"])
def test_no_race_warns(surface):
    s = ov.surfaces[surface] if surface in ov.surfaces else ov.surface(surface)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for lr in (1e-3, 1e3, 1e150):
            o = solve(Race(s, entrants=[Entrant(key, lr=lr) for key in ("sgd", "adam", "rprop", "newton", "polyak", "bfgs")], steps=40, crowd=12,
                           scatter="grid", noise=0.1))
            for row in o.rows:
                assert row.refused is None and all(v is None or math.isfinite(v) for v in (row.loss, row.distance, row.median, row.diverged))


def test_a_link_cannot_stall_a_room(monkeypatch):
    """More work than the budget is refused by entrant, in the order of the list, and the rest runs."""
    monkeypatch.setattr(outcome, "BUDGET", outcome.BUDGET / 10)
    race = Race("bowl", entrants=[Entrant("sgd", lr=0.1), Entrant("lbfgs"), Entrant("adam")], steps=500, crowd=500)
    o = solve(race)
    assert [row.refused for row in o.rows] == [None, TOO_MUCH, None]
    assert [crowd is None for crowd in o.crowds] == [False, True, False]
    many = solve(Race("bowl", entrants=[Entrant("newton", damping=0.1 * k) for k in range(1, 5)], steps=900))
    assert [row.refused for row in many.rows] == [None, TOO_MUCH, TOO_MUCH, TOO_MUCH]
    assert [trail is None for trail in many.trails] == [False, True, True, True]


def test_the_same_race_is_run_once_for_all_who_ask_at_the_same_time():
    race = Race("beale", entrants=[Entrant("adam", lr=0.0123)], steps=3000)
    with ThreadPoolExecutor(8) as pool:
        assert len({id(outcome) for outcome in pool.map(solve, [race] * 8)}) == 1
