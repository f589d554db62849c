"""The readouts under the stage against closed forms, on their way to the page, and as the page measures them itself."""

import json
import struct

import numpy as np
import pytest

import optviz as ov
from optviz.gauges import LEAST, MOST, gauges_of
from optviz.outcome import solve
from optviz.race import Entrant, Race
from optviz.render.wire import pack
from optviz.scene import race_scene


def read(surface, *entrants, **settings):
    """The readouts of a race."""
    return gauges_of(solve(Race(surface, entrants=list(entrants), **settings))).each


def test_the_product_is_the_rate_times_the_curvature_with_the_limit_of_the_method():
    sgd, momentum, nesterov = read("bowl", Entrant("sgd", lr=1.2), Entrant("momentum", lr=0.1), Entrant("nesterov", lr=0.1), steps=10)
    assert sgd.products == pytest.approx(np.full(11, 2.4))  # the bowl's λmax is 2
    assert [g.limit for g in (sgd, momentum, nesterov)] == pytest.approx([2, 3.8, 3.8 / 2.8])
    assert (sgd.comb, sgd.feet, momentum.feet) == (None, None, None)


def test_the_product_follows_the_point_and_the_schedule():
    one, = read("rosenbrock", Entrant("sgd", "cosine", lr=0.001), steps=50)
    trail = ov.descend("rosenbrock", "sgd", steps=50, lr=0.001, schedule="cosine")
    (xx, xy), (yx, yy) = ov.surfaces["rosenbrock"].hessian(*trail.points)
    largest = np.linalg.eigvalsh(np.moveaxis(np.array([[xx, xy], [yx, yy]]), -1, 0))[:, -1]
    assert one.products == pytest.approx(np.append(trail.lr, trail.lr[-1]) * largest)


def test_where_each_coordinate_has_a_rate_of_its_own_it_is_the_largest_eigenvalue_of_both():
    one, = read("rotated_ravine", Entrant("rmsprop", lr=0.02, eps=1e-8), steps=30)
    trail, s = ov.descend("rotated_ravine", "rmsprop", steps=30, lr=0.02, eps=1e-8), ov.surfaces["rotated_ravine"]
    rates = 0.02 / (np.sqrt(trail.state[next(iter(trail.state))]) + 1e-8)
    for k in (0, 7, 29):
        hessian = np.array(s.hessian(*trail.points[:, k]))
        assert one.products[k] == pytest.approx(np.linalg.eigvals(np.diag(rates[:, k]) @ hessian).max())
    assert one.limit is None


@pytest.mark.parametrize("key", ["newton", "linesearch", "rprop", "signsgd", "lion"])
def test_a_method_that_takes_no_rate_times_a_slope_has_no_product(key):
    assert read("beale", Entrant(key), steps=20)[0].products is None


def test_what_is_no_number_is_a_gap():
    gap, = read(ov.surface("1e308*x^2 + y^2"), Entrant("sgd", lr=0.1), start=(0.0, 1.0), steps=3)  # a number, but twice it is none
    assert np.isnan(gap.products).all()
    left, = read("rosenbrock", Entrant("sgd", lr=1.0), steps=20)
    end = ov.descend("rosenbrock", "sgd", lr=1.0, steps=20).diverged_at
    assert np.isfinite(left.products[:end - 1]).all() and np.isnan(left.products[end:]).all()


def test_the_comb_is_as_long_as_the_memory_asks():
    short, usual, long, none = (read("bowl", Entrant("momentum", momentum=weight), steps=3)[0].comb for weight in (0.5, 0.9, 0.999, 0.0))
    assert (usual.steps, round(100 * usual.held), len(usual.shares)) == (10, 65, 30)
    assert usual.shares[3] / usual.shares[0] == pytest.approx(0.9**3)
    assert (len(short.shares), len(long.shares), none) == (LEAST, MOST, None)


def test_signs_are_written_as_in_the_formulas():
    assert [g.sign for g in read("bowl", *map(Entrant, ("momentum", "adam", "lion", "sgd")), steps=3)] == ["γ", "β₁", "β₂", ""]


def test_whoever_is_not_seen_is_not_read_unless_explained():
    entrants = Entrant("sgd"), Entrant("adam", muted=True), Entrant("momentum", muted=True)
    assert [g.entrant for g in read("bowl", *entrants, explain=2, steps=3)] == [0, 2]


def unpacked(race):
    data = pack(race_scene(solve(race)), "en", {})
    length = struct.unpack_from("<I", data)[0]
    return json.loads(data[8:8 + length]), lambda place: np.frombuffer(data, place[0], place[2], 8 + length + place[1])


def test_nothing_is_computed_or_sent_while_they_are_off():
    race = Race("bowl", entrants=[Entrant("adam", lr=0.1)], steps=10)
    assert race_scene(solve(race)).gauges is None
    assert unpacked(race)[0]["gauges"] is None
    head, array = unpacked(race.at(gauges=1))
    packed, = head["gauges"]["each"]
    assert array(packed["products"]).shape == (11,)
    assert [array(row)[2] for row in packed["feet"]] == pytest.approx([3, 3.1623 + 4.2499 + 4.9489], rel=1e-3)
    assert packed["comb"]["held"] == pytest.approx(1 - 0.9**10)
