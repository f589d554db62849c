"""Every preset shows what its text claims, in numbers."""

import math
import re

import numpy as np
import pytest

from optviz.outcome import solve
from optviz.presets import presets
from optviz.race import Race


def outcome(key, **changes):
    """What the preset comes to, and its entrants' keys."""
    return solve(presets[key].race.at(**changes))


def reached(o):
    """Steps to the tolerance by optimizer, infinite where it is not reached."""
    return {e.optimizer: np.inf if row.reached is None else row.reached for e, row in zip(o.race.entrants, o.rows, strict=True)}


@pytest.mark.parametrize("key", presets)
def test_a_preset_is_whole(key):
    p = presets[key]
    assert Race.from_query(p.race.to_query()) == p.race and p.key == key
    for text in (p.name, p.do, p.see):
        assert re.search("[а-яё]", text.ru, re.I) and not re.search("[а-яё]", text.en, re.I)
    assert all(row.refused is None for row in solve(p.race).rows)
    (x0, x1), (y0, y1) = p.race.box
    assert x0 <= p.race.start[0] <= x1 and y0 <= p.race.start[1] <= y1


def test_valley():
    rows = dict(zip(("sgd", "momentum", "nesterov", "rmsprop", "adam"), outcome("valley").rows, strict=True))
    start = presets["valley"].race.start
    trails = outcome("valley").trails
    assert all(abs(t.points[1, 20] - t.points[0, 20] ** 2) < 0.15 for t in trails), "in the valley, where y = x²"
    assert math.dist(trails[0].points[:, -1], start) < 0.6, "plain descent hardly moves"
    assert all(rows[key].distance < 0.6 * rows["sgd"].distance for key in ("momentum", "nesterov", "adam"))


def test_zigzag():
    o = outcome("zigzag")
    arrived = reached(o)
    assert arrived["sgd"] == np.inf and 45 <= arrived["momentum"] <= 55
    sgd, momentum = (t.points for t in o.trails)
    assert (np.sign(sgd[1, 1:40]) != np.sign(sgd[1, :39])).all()  # another wall at each step
    assert sgd[0, 40] > 3 > 1 > abs(momentum[0, 40])


def test_rates():
    o = outcome("rates")
    slow, good, wild = o.rows
    assert 2 / o.race.surface.hessian(0.0, 0.0)[1][1] == 0.1
    assert slow.reached is None and good.reached < 40 and wild.loss > slow.loss > good.loss
    assert (np.diff(abs(o.trails[2].points[1])) > 0).all()
    calmer = o.race.with_entrant(2, lambda e: e.at(lr=0.099))
    assert solve(calmer).rows[2].loss < wild.loss / 100


def test_saddle():
    def left(o):
        return {e.optimizer: int(np.argmax(abs(t.points[1]) > 0.1)) for e, t in zip(o.race.entrants, o.trails, strict=True)}
    off = left(outcome("saddle"))
    assert off["sgd"] > 100 and 30 <= off["momentum"] <= 45 and max(off["rmsprop"], off["adam"]) < 10
    assert all((t.points[1] == 0).all() for t in outcome("saddle", start=(-1.5, 0.0)).trails)
    assert left(outcome("saddle", start=(-1.5, 0.1)))["sgd"] == 1


def test_rosenbrock():
    o = outcome("rosenbrock")
    arrived = reached(o)
    assert max(arrived["newton"], arrived["bfgs"]) <= 20 < min(v for k, v in arrived.items() if k not in ("newton", "bfgs"))
    assert sum(np.isfinite(list(arrived.values()))) <= 4
    far = {e.optimizer: row.distance for e, row in zip(o.race.entrants, o.rows, strict=True)}
    assert far["adadelta"] > 2 > 1 > max(v for k, v in far.items() if k != "adadelta")
    for t in o.trails:  # everybody finds the valley: y = x² nearly
        assert (abs(t.points[1] - t.points[0] ** 2) < 0.1).any()


def test_beale():
    o = outcome("beale")
    arrived = reached(o)
    assert max(arrived["momentum"], arrived["nesterov"]) < min(v for k, v in arrived.items() if k not in ("momentum", "nesterov"))
    assert {k for k, v in arrived.items() if v == np.inf} == {"sgd", "adagrad", "rmsprop"}
    lowest = {e.optimizer: t.points[1].min() for e, t in zip(o.race.entrants, o.trails, strict=True)}
    assert max(lowest["momentum"], lowest["nesterov"]) < -0.5 and min(lowest["sgd"], lowest["rmsprop"], lowest["adagrad"]) > -0.3


def test_luck():
    (row,) = outcome("luck").rows
    assert row.found == 4 and row.within == 1.0


def test_noise():
    noisy, fading = outcome("noise").rows
    assert 0.4 < noisy.at_best < 0.6 and 0.1 < fading.at_best < noisy.at_best
    assert noisy.within < 0.1 and fading.within == fading.at_best
    assert all(row.at_best == 0 for row in outcome("noise", noise=0.0).rows)


def test_cliff():
    o = outcome("cliff")
    plain, clipped = (t.points for t in o.trails)
    (x0, _), _ = o.race.box
    assert plain[0].min() < x0 and np.hypot(*np.diff(clipped)).max() <= 0.8 * 0.5 * (1 + 1e-12)
    assert o.rows[1].reached < 60 and clipped[0].min() >= -3.0 and abs(clipped[0, -1] - 1) < 0.3


def test_rotation():
    turned, straight = reached(outcome("rotation")), reached(solve(presets["rotation"].race.with_parameter("angle", 0.0)))
    assert np.isfinite(list(straight.values())).all() and np.isfinite(turned["sgd"])
    assert turned["adam"] == turned["rmsprop"] == turned["adagrad"] == np.inf and straight["sgd"] > straight["adam"]
