"""What is said of a run, against runs made for each criterion."""

import itertools
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest

import optviz as ov
from optviz.core import short
from optviz.descent import descend
from optviz.outcome import solve
from optviz.race import Entrant, Race
from optviz.run import Run
from optviz.stability import limit
from optviz.verdict import crossings, since, times, verdict

RAVINE = ov.surfaces["ravine"].at(b=50)
TOLERANCE = 1e-3


def said(surface, optimizer="sgd", start=None, box=None, tolerance=TOLERANCE, **settings):
    """The verdict on a run, the run and its trail."""
    run = Run(surface, optimizer, start, **settings)
    trail = descend(run)
    return verdict(run, trail, box or run.surface.box, tolerance), run, trail


# --- settled ---------------------------------------------------------------------------------------------------------------------------


def test_settled_is_from_the_first_step_after_which_it_is_always_there():
    """x <- x/2 from 1 on x²: within the tolerance 4^-t <= 1e-3 from step 5 on, and within 0.057 of the minimum from step 5 on, too."""
    v, *_ = said("bowl", start=(1.0, 0.0), lr=0.25, steps=20)
    assert (v.kind, v.step, v.text.en, v.text.ru) == ("settled", 5, "settled in the minimum at step 5", "пришёл в минимум на шаге 5")
    v, *_ = said("bowl", start=(1.0, 0.0), lr=0.25, steps=20, tolerance=1e-9)
    assert v.step == 15 and 4.0**-15 <= 1e-9 < 4.0**-14, "the value decides"
    v, *_ = said("bowl", start=(1.0, 0.0), lr=0.25, steps=20, tolerance=1.0)
    assert v.step == 5 and 2.0**-5 <= 0.01 * math.hypot(4, 4) < 2.0**-4, "the distance decides"


def test_to_pass_through_a_minimum_is_not_to_settle():
    v, _, trail = said("bowl", "momentum", start=(1.0, 0.0), lr=0.1, momentum=0.99, steps=200)
    passed = (np.hypot(*trail.points) < 0.01).any()
    assert passed and v.kind != "settled"
    v, *_ = said("bowl", start=(1.0, 0.0), lr=0.25, steps=6)
    assert v.step == 5, "one step is the last tenth of six"
    v, *_ = said("bowl", start=(1.0, 0.0), lr=0.0579, steps=30)
    assert v.kind != "settled", "there for less than the last tenth of the steps"


@pytest.mark.parametrize(("surface", "start", "words"), [
    ("himmelblau", (3.1, 2.1), ("a global minimum", "один из глобальных минимумов")),
    ("two_wells", (-1.0, 0.1), ("the global minimum", "глобальный минимум")),
    ("two_wells", (1.0, 0.1), ("a local minimum", "локальный минимум")),
    ("rosenbrock", (1.0, 1.001), ("the minimum", "минимум")),
    ("(x^2 - 1)^2 + x/4 + y^2", (-1.0, 0.1), ("the deepest known minimum", "самый глубокий из известных минимумов")),
    ("(x^2 - 1)^2 + y^2", (-1.0, 0.1), ("one of the deepest known minima", "один из самых глубоких известных минимумов")),
    ("(x^2 - 1)^2 + x/4 + y^2", (1.0, 0.1), ("a local minimum", "локальный минимум"))])
def test_which_minimum(surface, start, words):
    s = ov.surfaces[surface] if surface in ov.surfaces else ov.surface(surface)
    v, *_ = said(s, start=start, lr=0.01 if surface in ("himmelblau", "two_wells") else 0.1 if surface != "rosenbrock" else 1e-3, tolerance=1e-6)
    assert v.kind == "settled"
    assert v.text.en.startswith(f"settled in {words[0]} at step {v.step}") and v.text.ru.startswith(f"пришёл в {words[1]} на шаге {v.step}")


def test_settled_where_the_picture_ends_or_the_minima_are_a_curve():
    v, *_ = said("bounded_saddle", start=(2.5, 1.0), lr=0.1)
    assert v.kind == "settled" and v.text.en == f"settled in a minimum outside the picture at step {v.step}" and 20 < v.step < 100
    v, _, trail = said("plateau", start=(1.0, 0.9), lr=0.002)
    radius = np.hypot(*trail.points[:, -1])
    assert radius == pytest.approx(np.hypot(*ov.surfaces["plateau"].minima[1]), abs=5e-3), "on the ring, far from the one point that is listed"
    assert v.kind == "settled" and "a local minimum, one of a whole curve of them" in v.text.en
    v, *_ = said(ov.surface("cos(x)"), start=(2.5, 1.0), lr=0.1)
    assert v.kind == "valley", "the floor is outside the box, so its minima are not known"


def test_to_start_at_a_minimum():
    for optimizer in ("sgd", "adam", "newton", "bfgs"):
        v, *_ = said("bowl", optimizer, start=(0.0, 0.0), lr=0.1)
        assert (v.kind, v.step) == ("settled", 0) and "from the start" in v.text.en


# --- saddles, plateaus, rest -----------------------------------------------------------------------------------------------------------


def test_stuck_at_a_saddle():
    v, _, trail = said("saddle", start=(-1.5, 0.0), lr=0.05, steps=100)
    near = 0.01 * math.hypot(4, 4)
    assert v.kind == "saddle" and (abs(trail.points[0, v.step:]) <= near).all() and abs(trail.points[0, v.step - 1]) > near
    assert (v.text.en, v.text.ru) == (f"stuck at the saddle since step {v.step}", f"застрял у седла с шага {v.step}")
    v, *_ = said("saddle", start=(-1.5, 1e-3), lr=0.05, steps=100)
    assert v.kind != "saddle", "a hair off the ridge it leaves"
    v, *_ = said("monkey_saddle", start=(0.0, 0.0), lr=0.05)
    assert v.kind == "saddle", "where the Hessian vanishes, what is around decides"
    v, *_ = said("himmelblau", start=(-0.27, -0.92), lr=1e-6)
    assert v.kind == "top"


def test_stands_on_a_plateau():
    s = ov.surface("tanh(3*x) + tanh(x)*0 + y*0")
    v, *_ = said(s, start=(-2.9, 0.0), lr=0.1)
    assert v.kind == "plateau" and v.step == 0 and v.number == pytest.approx(6 * math.exp(-6 * 2.9) * 2 * 0.085, rel=0.6)
    v, *_ = said(s, start=(-1.0, 0.0), lr=0.001)
    assert v.kind in ("descends", "crawls"), "there the ground is not flat"
    v, *_ = said(ov.surface("0*x"), lr=0.1)
    assert (v.kind, v.number) == ("plateau", 0.0)
    v, *_ = said(RAVINE, start=(8.0, 8.0), lr=0.03, clip_norm=1e200, steps=3000)
    assert v.kind == "stopped", "at 1e154 no float sees a slope, and the clipped gradient is 0"


def test_stands_still_where_there_is_a_slope():
    v, *_ = said("bowl", lr=0.0, start=(1.0, 1.0))
    assert (v.kind, v.text.en) == ("stopped", "does not move: the learning rate is 0")
    v, _, trail = said("bowl", schedule="exponential", schedule_gamma=0.8, lr=0.1, start=(1.0, 0.0), steps=200)
    at, far = trail.points[0, -1], abs(trail.points[0] - trail.points[0, -1])
    assert v.kind == "stopped" and far[v.step - 1] > 1e-5 * math.hypot(4, 4) >= far[v.step] and 0.1 < at < 0.9
    assert f"{at:.3g} from the minimum" in v.text.en and "learning rate has faded to" in v.text.en
    v, *_ = said("ravine", "sgd", lr=1e-6, steps=100)
    assert v.kind == "crawls", "slowly, but it moves"


# --- out of the picture ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("optimizer", "bears"), [("sgd", 2.0), ("momentum", 3.8), ("nesterov", 3.8 / 2.8)])
def test_diverged_because(optimizer, bears):
    """On a ravine of the curvatures 2 and 100: just below the method's limit it settles, just above it diverges, and the sentence says why."""
    v, *_ = said(RAVINE, optimizer, start=(8.0, 8.0), lr=1.02 * bears / 100, steps=9000)
    assert v.kind == "diverged" and v.number == pytest.approx(1.02 * bears) and v.step > 100
    assert f"α·λmax = {float(f'{1.02 * bears:.3g}'):g} > {float(f'{bears:.3g}'):g} at step" in v.text.en
    assert v.text.ru.startswith(f"разошёлся на шаге {v.step} (на шаге ")
    v, *_ = said(RAVINE, optimizer, start=(8.0, 8.0), lr=0.98 * bears / 100, steps=9000)
    assert v.kind == "settled"


def test_no_reason_is_given_where_none_is_known():
    v, run, _ = said("three_hump_camel", "schedule_free", start=(3.75, 3.75), lr=0.5, steps=50)
    assert limit(run) is None and v.kind == "diverged" and v.number is None and v.text.en == f"diverged at step {v.step}"
    for clip, number in ((None, pytest.approx(2.01)), (100.0, None)):
        v, *_ = said(RAVINE, start=(0.0, 0.01), lr=0.0201, clip_norm=clip, steps=60)
        assert (v.kind, v.number) == ("grows", number), "clipping may have a hand in it"
    s = ov.surface("x^4")
    v, *_ = said(s, start=(2.0, 0.0), lr=0.5)
    assert v.kind == "diverged" and v.number == pytest.approx(0.5 * 12 * 4) and v.text.en.endswith("> 2 at step 0)")


def test_the_rate_is_that_of_the_step():
    v, _, trail = said(RAVINE, start=(8.0, 8.0), lr=0.5, schedule="linear", schedule_start_factor=0.001, schedule_end_factor=1.0, steps=2000,
                       schedule_total_iters=1000)
    assert v.kind == "diverged"
    at = int(v.text.en.rpartition(" ")[2].rstrip(")"))
    assert v.number == pytest.approx(100 * trail.lr[at]) and at > 30 and 2 < v.number < 10


def test_two_numbers_that_differ_are_not_printed_alike():
    v, *_ = said(RAVINE, start=(1e-3, 1.0), lr=0.02002, steps=3000)
    assert v.kind == "runs away" and f"{short(2.002)} > 2 " in v.text.en


def test_runs_away_without_leaving_the_numbers():
    v, _, trail = said("bowl", start=(1.0, 0.0), lr=1.1, steps=100)
    assert v.kind == "runs away" and trail.diverged_at is None and trail.loss[-1] > 1e12
    assert (abs(trail.points[0, v.step:]) > 2).all() and abs(trail.points[0, v.step - 1]) <= 2 and v.number == pytest.approx(2.2)
    assert "crawl" not in v.text.en and "α·λmax = 2.2 > 2" in v.text.en and "f = 6.86·10¹⁵" in v.text.en
    v, run, trail = said("bowl", start=(1.0, 0.0), lr=1.001, steps=100)
    assert v.kind == "grows" and v.number == pytest.approx(2.002) and v.text.en.startswith("swings ever wider")
    ragged = replace(trail, loss=np.where(np.arange(101) == 55, trail.loss[-2], trail.loss))
    assert verdict(run, ragged, run.surface.box, TOLERANCE).kind != "grows", "not ever wider"
    v, *_ = said("bowl", start=(1.0, 0.0), lr=0.1, noise=100.0, steps=3)
    assert v.kind == "runs away" and v.number is None, "the noise throws it, not the rate"
    v, _, trail = said("bowl", start=(1.0, 0.0), lr=1.5, steps=20, schedule="multistep", schedule_milestone1=3, schedule_milestone2=4)
    assert trail.loss[0] < trail.loss[-1] < trail.loss[4] and v.kind not in ("runs away", "grows"), "it is on its way back"
    v, *_ = said("bowl", start=(1.0, 0.0), lr=0.999, steps=100)
    assert v.kind != "grows"


def test_keeps_falling_where_there_is_no_bottom():
    v, run, trail = said("saddle", start=(-1.0, 0.1), lr=0.05, steps=60)
    assert v.kind == "falling" and (abs(trail.points[1, v.step:]) > 2).all() and abs(trail.points[1, v.step - 1]) <= 2
    assert v.text.en == f"left the picture at step {v.step} and keeps falling"
    assert v.text.ru == f"вышел за край картинки на шаге {v.step} и продолжает падать"
    assert said("saddle", start=(-1.0, 0.1), lr=0.05, steps=60, box=((-2, 2), (-100, 100)))[0].kind == "descends", "the picture is what is looked at"
    dipped = replace(trail, loss=np.where(np.arange(61) == 50, -1e3, trail.loss))
    assert verdict(run, dipped, run.surface.box, TOLERANCE).kind != "falling", "it was lower before"
    v, _, trail = said("saddle", start=(-1.0, 0.1), lr=0.5, steps=2000)
    assert v.kind == "fell" and v.step == trail.diverged_at
    v, *_ = said("bowl", start=(2.5, 0.0), lr=1e-3, steps=100, box=((-1, 1), (-1, 1)))
    assert v.kind == "crawls" and v.text.en.startswith("outside the picture, ")


def test_a_step_to_where_there_is_no_value():
    v, _, trail = said(ov.surface("x - log(x) + y^2"), start=(0.1, 0.0), lr=0.1)
    assert trail.diverged_at is None and v.kind == "settled"
    v, _, trail = said(ov.surface("x + log(x) + y^2"), start=(1.0, 1.0), lr=0.1)
    assert v.kind == "nowhere" and v.step == trail.diverged_at and f"stepped at step {v.step}" in v.text.en


# --- oscillation -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("optimizer", "n"), [("momentum", 30), ("nesterov", 4)])
def test_momentum_crosses_the_ravine_and_nesterov_hardly(optimizer, n):
    """x² + 50y² from (8, 8), α = 0.005, γ = 0.9: the sign changes of y beyond 0.01."""
    v, _, trail = said(RAVINE, optimizer, start=(8.0, 8.0), lr=0.005)
    y = trail.points[1]
    y = y[abs(y) > 0.01]
    assert len(crossings(RAVINE, trail.points, 0.01)) == (np.diff(np.sign(y)) != 0).sum() == n
    assert v.kind == "settled" and v.text.en.endswith(f"; it crossed the ravine's floor {n} times on the way")
    assert v.text.ru.endswith(f"; по пути пересёк дно оврага {times(n)}")


def test_the_crossings_of_a_turned_ravine_are_those_of_the_straight_one():
    s = ov.surfaces["rotated_ravine"]
    for angle in (0.0, 17.0, 45.0, 90.0, 135.0):
        turned, a = s.at(angle=angle), math.radians(angle)
        start = (math.cos(a) - 2 * math.sin(a), math.sin(a) + 2 * math.cos(a))
        _, _, trail = said(turned, start=start, lr=0.019, steps=80)
        assert len(crossings(turned, trail.points, 1e-3)) == 72 and 2 * 0.9**72 > 1e-3 > 2 * 0.9**73


def test_oscillates_to_the_end():
    v, *_ = said("rotated_ravine", start=(1.0, -1.0), lr=0.02, steps=50)
    assert (v.kind, v.number) == ("swings", 50) and v.text.ru == "колеблется поперёк оврага: пересёк его дно 50 раз"
    v, *_ = said("rotated_ravine", start=(1.0, -1.0), lr=0.02, steps=50, noise=1e-6)
    assert v.kind != "swings", "noise crosses any floor"


def test_a_hop_into_the_next_well_is_no_crossing():
    """The slope changes its sign from well to well, and nobody crossed a floor: half a period and more goes by in a step."""
    s = ov.surface("cos(2*pi*x) + 0.01*y^2")
    x = 0.4 + 0.8 * np.arange(40) * 1.0
    points = np.stack([x, np.zeros(40)])
    assert len(crossings(s, points, 1e-3)) == 0
    swing = np.stack([0.5 + 0.05 * (-1.0) ** np.arange(40), np.zeros(40)])
    assert len(crossings(s, swing, 1e-3)) == 39


def test_an_eigenvector_that_turns_over_hides_no_crossing():
    """Where Rosenbrock's valley runs level its stiff direction is upright, and computed upwards on one side, downwards on the other."""
    points = np.array([[0.01], [0.05]]) * (-1.0) ** np.arange(20)
    assert len(crossings(ov.surfaces["rosenbrock"], points, 1e-3)) == 19


def test_no_ravine_no_crossings():
    _, _, trail = said("bowl", start=(1.0, 0.5), lr=0.9)
    assert len(crossings(ov.surfaces["bowl"], trail.points, 1e-3)) == 0


# --- around, to and fro, on its way -----------------------------------------------------------------------------------------------------


def test_hovers_around_a_minimum():
    v, _, trail = said("bowl", start=(1.0, 1.0), lr=0.1, noise=1.5, steps=2000)
    tail = np.hypot(*trail.points[:, -502:])
    assert v.kind == "hovers" and v.number == pytest.approx(tail.mean()) and 0.2 < v.number < 0.4
    assert v.text.en == f"hovers around the minimum, {v.number:.3g} from it on average over the last quarter of the steps"
    v, *_ = said("bowl", "signsgd", start=(1.03, 1.03), lr=0.1)
    assert (v.kind, v.number) == ("hovers", pytest.approx(math.hypot(0.05, 0.05), rel=0.1))
    v, *_ = said(ov.surface("x^8 + y^8"), "lion", start=(0.0, 1.0), lr=0.01, schedule="multistep")
    assert v.kind == "jumps", "to and fro on one side is not around it"
    v, *_ = said("bowl", "signsgd", start=(1.0, 1.0), lr=3.0, steps=80)
    assert v.kind == "jumps" and v.number == pytest.approx(math.hypot(3, 3)), "too far to be around it"
    v, *_ = said("saddle", start=(0.0, 0.0), lr=1e-3, noise=3.0, clip_norm=100.0)
    assert v.kind in ("jumps", "descends", "saddle"), "no minimum to hover around"


def test_closes_in():
    v, _, trail = said("bowl", "momentum", start=(1.0, 1.0), lr=0.1, momentum=0.95, steps=100)
    assert v.kind == "closes in" and v.number == pytest.approx(np.hypot(*trail.points[:, -1]))


def test_crawls_and_says_how_fast():
    """x <- (1 - 2α)x: f falls by (1 - 2α)² a step."""
    v, *_ = said("bowl", start=(1.0, 0.0), lr=5e-4, steps=100)
    assert v.kind == "crawls" and v.number == pytest.approx(1 - 0.999**20)
    assert v.text.en == "still crawling: the last tenth of the steps lowered f − f* by 1.98 %"
    assert v.text.ru == "всё ещё ползёт: за последнюю десятую часть шагов f − f* уменьшилась на 1.98 %"
    v, *_ = said("bowl", start=(1.0, 0.0), lr=7e-3, steps=100)
    assert v.kind == "descends" and v.number == pytest.approx(1 - 0.986**20)
    v, *_ = said("bowl", start=(1.0, 0.0), lr=1e-2, steps=1)
    assert (v.kind, v.text.en) == ("descends", "still descending: the last step lowered f − f* by 3.96 %"), "after one step nobody knows"
    v, _, trail = said("saddle", start=(1.0, 0.5), lr=1e-2, steps=20)
    assert (v.kind, v.number) == ("descends", pytest.approx(trail.loss[-3] - trail.loss[-1])), "no best value, no share"


def test_does_not_descend():
    v, _, trail = said("two_wells", "momentum", start=(1.5, 1.0), lr=0.02, steps=13, momentum=0.99)
    assert v.kind == "climbs" and v.number == pytest.approx(trail.loss[-1] - trail.loss[-2]) and v.number > 0


# --- for all runs ------------------------------------------------------------------------------------------------------------------------


WAYS = ({"steps": 1}, {"steps": 40}, {"steps": 40, "noise": 1.0}, {"steps": 12, "schedule": "cosine", "clip_norm": 1.0})


@pytest.mark.parametrize(("nth", "surface"), [*enumerate([*ov.surfaces, "1e200*x", "log(x)", "1/x + 1/y", "1e308*sin(10*x)", "exp(x^2)", "0*x", "1e-300*x^2", "abs(x) + abs(y)"])])
def test_every_run_has_a_true_sentence(nth, surface):
    """Each optimizer, rate and start on each surface, in one of the ways in turn: with each of them on a quarter of the surfaces."""
    way = itertools.cycle(WAYS[nth % 4:] + WAYS[:nth % 4])
    s = ov.surfaces[surface] if surface in ov.surfaces else ov.surface(surface)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for optimizer in ("sgd", "momentum", "adam", "newton"):
            for lr, start in itertools.product((0.0, 0.01, 1.0, 1e150, 1e308), ((1.0, 1.0), (1000.0, 0.5), (26.4, 0.1))):
                if not math.isfinite(s.value(*start)):
                    continue
                how = next(way)
                v, _, trail = said(s, optimizer, start=start, lr=lr, **how)
                assert not any(word in text for text in (v.text.en, v.text.ru) for word in ("nan", "inf", "None", "−0 ", "∞ >")), v
                assert (trail.diverged_at is not None) == (v.kind in ("diverged", "nowhere", "fell"))
                if v.kind in ("crawls", "descends", "falling"):
                    assert trail.loss[-1] < trail.loss[-1 - max(1, how["steps"] // 10)]
                if v.kind == "settled" and not any(word in v.text.en for word in ("outside", "curve")):
                    x, y = trail.points[:, -1]
                    assert min(math.hypot(x - a, y - b) for a, b in s.minima) <= 0.01 * np.hypot(*np.diff(s.box)[:, 0])


@pytest.mark.parametrize("formula, lr", [("exp(x^2) + y^2", 0.1), ("cosh(3*x) + y^2", 0.5), ("x^2 + y^2", 1e200)])
def test_one_overshoot_beyond_all_numbers_is_told_as_what_it_is(formula, lr):
    v, *_ = said(ov.surface(formula), start=(2.0, 1.0), lr=lr)
    assert v.kind == "diverged" and v.number > 2, "the function has a value everywhere"


def test_who_neither_falls_nor_rises_is_told_so():
    v, *_ = said("bowl", start=(1.0, 0.0), lr=1.0, steps=2)
    assert v.kind == "climbs" and v.number == 0 and v.text.en.endswith("left f as it was") and v.text.ru.endswith("f не изменилась")


def test_a_race_tells_everybodys_story_once():
    race = Race(RAVINE, (8.0, 8.0), [Entrant("momentum", lr=0.005), Entrant("sgd", lr=0.5, muted=True)], tolerance=0.1)
    first, second = solve(race).rows
    assert first.verdict.kind == "settled" and second.verdict.kind == "diverged", "hidden ones, too"
    assert first.verdict == verdict(race.runs[0], solve(race).trails[0], race.box, 0.1) != verdict(race.runs[0], solve(race).trails[0], race.box, 1e-6)
    assert solve(race).rows[0].verdict is first.verdict


def test_small_words():
    assert [times(n) for n in (1, 2, 4, 5, 11, 12, 14, 21, 22, 112)] == \
        ["1 раз", "2 раза", "4 раза", "5 раз", "11 раз", "12 раз", "14 раз", "21 раз", "22 раза", "112 раз"]
    assert [since(np.array(flags, bool)) for flags in ([1, 1], [0, 1], [1, 0], [1, 0, 1, 1])] == [0, 1, None, 2]
