"""Every preset shows what its text claims, in numbers."""

import math
import re

import numpy as np
import pytest

import optviz as ov
from optviz.outcome import solve
from optviz.presets import opening, preset_of, presets
from optviz.race import Entrant, Race


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
    said = [sorted(re.findall(r"\d+(?:[.,]\d+)?", do + " " + see)) for do, see in ((p.do.en, p.see.en), (p.do.ru, p.see.ru))]
    assert said[0] == [n.replace(",", ".") for n in said[1]], "both languages tell the same numbers"
    assert max(len(p.do.en + p.see.en), len(p.do.ru + p.see.ru)) < 250, "a lecturer has ten seconds"
    assert all(row.refused is None for row in solve(p.race).rows)
    (x0, x1), (y0, y1) = p.race.box
    assert x0 <= p.race.start[0] <= x1 and y0 <= p.race.start[1] <= y1


def test_there_are_enough_and_each_is_known_as_itself():
    assert len(presets) >= 20 and opening("") == presets["valley"].race == next(iter(presets.values())).race
    for key, preset in presets.items():
        race = preset.race
        assert [preset_of(r).key for r in (race, race.at(start=(0.5, 0.7), noise=1.0, seed=3, steps=50), Race.from_query(race.to_query()))] == [key] * 3
    calmed = presets["forms"].race.with_entrant(0, lambda e: e.at(schedule="cosine"))
    assert preset_of(calmed).key == "forms"  # a schedule that is no preset's own is a change like any other


def test_valley():
    rows = dict(zip(("sgd", "momentum", "nesterov", "rmsprop", "adam"), outcome("valley").rows, strict=True))
    start = presets["valley"].race.start
    trails = outcome("valley").trails
    assert all(abs(t.points[1, 20] - t.points[0, 20] ** 2) < 0.15 for t in trails), "in the valley, where y = x²"
    assert math.dist(trails[0].points[:, -1], start) < 0.6, "plain descent hardly moves"
    assert all(rows[key].distance < 0.6 * rows["sgd"].distance for key in ("momentum", "nesterov", "adam"))


def test_rates():
    o = outcome("rates")
    wild, good, slow = o.rows
    assert o.race.surface.hessian(0.0, 0.0) == ((2.0, 0.0), (0.0, 20.0))
    assert slow.reached is None and good.reached < 40 and wild.loss > slow.loss > good.loss
    assert (np.diff(abs(o.trails[0].points[1])) > 0).all()
    calmer = o.race.with_entrant(0, lambda e: e.at(lr=0.099))
    assert (np.diff(abs(solve(calmer).trails[0].points[1])) < 0).all()


def test_zigzag():
    o = outcome("zigzag")
    assert reached(o) == {"sgd": np.inf, "momentum": 53} and o.race.entrants[0]["lr"] == o.race.entrants[1]["lr"]
    sgd, momentum = (t.points for t in o.trails)
    assert (np.sign(sgd[1, 1:40]) != np.sign(sgd[1, :39])).all()  # another wall at each step
    assert sgd[0, 40] > 3 > 1 > abs(momentum[0, 40])


def test_saddle():
    def left(**changes):
        o = outcome("saddle", **changes)
        return {e.optimizer: int(np.argmax(abs(t.points[1]) > 0.1)) for e, t in zip(o.race.entrants, o.trails, strict=True)}
    off = left()
    assert (off["sgd"], off["momentum"]) == (118, 32) and max(off["rmsprop"], off["adam"]) < 10
    for y, nearer in ((0.01, 0.001), (0.001, 0.0001)):
        farther, close = left(start=(-1.5, y)), left(start=(-1.5, nearer), steps=300)
        assert all(farther[key] < close[key] for key in ("sgd", "momentum"))


def test_ridge():
    o = outcome("ridge")
    assert all((t.points[1] == 0).all() and abs(t.points[0, -1]) < 1e-3 for t in o.trails)
    assert [round(abs(y), 3) for _, y in o.race.surface.minima] == [1.414, 1.414]
    for seed in range(8):
        assert all(row.distance < 0.1 for row in outcome("ridge", noise=0.1, seed=seed).rows)


def test_noise():
    noisy, fading = outcome("noise").rows
    assert 0.4 < noisy.at_best < 0.6 and 0.1 < fading.at_best < noisy.at_best
    assert noisy.within < 0.1 and fading.within == fading.at_best
    assert all(row.at_best == 0 for row in outcome("noise", noise=0.0).rows)
    for seed in range(1, 4):
        noisy, fading = outcome("noise", seed=seed).rows
        assert 0.4 < noisy.at_best < 0.6 and fading.at_best < noisy.at_best and fading.within > noisy.within


def test_floor():
    curvature, deviation = 2.0, presets["floor"].race["noise"]
    for lr, said in ((0.1, 0.5), (0.05, 0.24)):
        assert round(2 * lr * deviation**2 / (curvature * (2 - lr * curvature)), 2) == said  # ασ²/(λ(2−αλ)) in each coordinate, and f = x² + y²
        races = [presets["floor"].race.with_entrant(0, lambda e, lr=lr: e.at(lr=lr)).at(seed=seed) for seed in range(20)]
        constant, root, cosine = (np.mean([solve(race).trails[i].loss[100:] for race in races], 0) for i in range(3))
        assert abs(constant.mean() / said - 1) < 0.1
        assert max(root[-50:].mean(), cosine[-50:].mean()) < 0.25 * said


def test_forms():
    first, *others = (t.points for t in outcome("forms").trails)
    assert all(abs(p - first).max() < 1e-9 for p in others)
    plain, averaged, inside = presets["forms"].race.entrants
    assert math.isclose(averaged["lr"], plain["lr"] / (1 - plain["momentum"])) and inside["lr"] == plain["lr"]
    assert all(row.reached is not None for row in outcome("forms").rows)


def test_forms_part():
    o = outcome("forms_part")
    plain, averaged, inside = (t.points for t in o.trails)
    assert abs(plain - averaged).max() < 1e-9 and abs(plain - inside)[:, :9].max() < 1e-9 < abs(plain - inside)[:, 9].max()
    rates = o.trails[0].lr
    assert math.isclose(rates[8], rates[7] / 10) and len(set(rates)) == 2
    shallow = max(o.race.surface.minima, key=lambda p: o.race.surface.value(*p))
    assert max(math.dist(p[:, -1], shallow) for p in (plain, averaged)) < 0.01 and o.rows[2].distance < 0.02
    assert o.rows[0].reached is None and o.rows[2].reached is not None


def test_nesterov():
    def crossings(t):
        y = t.points[1][abs(t.points[1]) > 0.01]
        return int((np.sign(y[1:]) != np.sign(y[:-1])).sum())
    o = outcome("nesterov")
    assert list(map(crossings, o.trails)) == [30, 4] and [row.verdict.kind for row in o.rows] == ["settled"] * 2, "and then it is calm"


def test_dot():
    o = outcome("dot")
    nesterov = o.rows[0]
    assert [row.verdict.kind for row in o.rows] == ["runs away", "settled", "settled"] and nesterov.loss > 1e6
    top, g = o.race.surface.hessian(0.0, 0.0)[1][1], o.race.entrants[0]["momentum"]
    assert (2 / top, round(2 * (1 + g) / top, 2), round((2 + 2 * g) / ((1 + 2 * g) * top), 3)) == (0.1, 0.19, 0.068)
    assert solve(o.race.with_entrant(0, lambda e: e.at(lr=0.065))).rows[0].reached


def test_adagrad():
    o = outcome("adagrad")
    sgd, adagrad = (t.points[0] for t in o.trails)
    (foot, _), = o.race.surface.minima
    for lead in (abs(sgd - foot) - abs(adagrad - foot), o.trails[0].loss - o.trails[1].loss):
        assert (lead[1:29] > 0).all() and (lead[33:] < 0).all()
    assert o.rows[1].reached is None and o.rows[0].reached < 150
    k = np.arange(1, 101)
    assert np.allclose(np.diff(adagrad)[:100], 0.1 / np.sqrt(k), rtol=0.02)


def test_rmsprop():
    o = outcome("rmsprop")
    adagrad, rmsprop = (np.diff(t.points[0]) for t in o.trails)
    assert round(adagrad[0], 2) == 0.1 and round(rmsprop[0], 2) == 0.09 and abs(rmsprop[40:80] / 0.03 - 1).max() < 0.02
    assert (np.diff(adagrad[:200]) < 0).all() and adagrad[80] < rmsprop[80] / 2
    assert o.rows[1].reached == 117 and o.rows[0].reached is None


def test_adam():
    o = outcome("adam")
    raw, corrected = (np.diff(t.points) for t in o.trails)
    assert np.allclose(abs(corrected), 0.1, rtol=0.05) and corrected.shape == (2, 10)
    assert np.allclose(raw[:, 0] / corrected[:, 0], 0.1 / math.sqrt(0.001)) and round(0.1 / math.sqrt(0.001), 2) == 3.16
    assert round(raw[0, 6] / corrected[0, 6], 1) == 6.0


def test_rotation():
    def at(angle):
        return reached(solve(presets["rotation"].race.with_parameter("angle", angle)))
    assert at(0.0) == {"sgd": 220, "momentum": 94, "adam": 80, "adagrad": 77}
    assert at(45.0) == {"sgd": 220, "momentum": 94, "adam": 674, "adagrad": 1205}


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


def test_rosenbrock():
    o = outcome("rosenbrock")
    arrived = reached(o)
    assert max(arrived["newton"], arrived["bfgs"]) <= 20 < min(v for k, v in arrived.items() if k not in ("newton", "bfgs"))
    assert sum(np.isfinite(list(arrived.values()))) <= 4
    far = {e.optimizer: row.distance for e, row in zip(o.race.entrants, o.rows, strict=True)}
    assert far["adadelta"] > 2 > 1 > max(v for k, v in far.items() if k != "adadelta")
    for t in o.trails:  # everybody finds the valley: y = x² nearly
        assert (abs(t.points[1] - t.points[0] ** 2) < 0.1).any()


def test_newton():
    for angle in (-90.0, -37.0, 0.0, 30.0, 45.0, 61.0, 90.0):
        o = solve(presets["newton"].race.with_parameter("angle", angle).at(steps=1))
        assert math.hypot(*o.trails[1].points[:, 1]) < 1e-9
    assert reached(outcome("newton"))["sgd"] == 183


def test_cliff():
    o = outcome("cliff")
    plain, clipped = (t.points for t in o.trails)
    (x0, _), _ = o.race.box
    assert plain[0].min() < x0 and np.hypot(*np.diff(clipped)).max() <= 0.8 * 0.5 * (1 + 1e-12)
    assert o.rows[1].reached < 60 and clipped[0].min() >= -3.0 and abs(clipped[0, -1] - 1) < 0.3


def test_own():
    race = presets["own"].race
    edited = race.with_formula(race.surface.formula.replace("0.1", "3"))
    (before,), (after,) = solve(race).rows, solve(edited).rows
    assert before.found == len(race.surface.minima) == 8 and after.found == len(edited.surface.minima) == 1 and after.within == 1.0
    assert preset_of(edited).key == "own" and preset_of(race.with_formula("x^2 + y^4")).key == "own"
    assert preset_of(Race(ov.surface("x^2 + y^2"), None, [Entrant("sgd")], crowd=100)) is None  # somebody's own from the beginning
