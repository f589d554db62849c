"""The state of the lab of learning rates, and that every example shows what its text claims."""

import re

import numpy as np
import pytest

import optviz as ov
from optviz.cli import main
from optviz.outcome import solve
from optviz.pace import ASKED, NUMBERS, Pace
from optviz.pace_presets import RAVINE, opening, plan_of, plans
from optviz.pace_scene import pace_scene, schedule_names
from optviz.pace_sheets import cell, measured, question, shown
from optviz.pace_sheets import sheet as sheet_of
from optviz.race import Entrant, Race
from optviz.rates import floor_of, sharpness
from optviz.render.exhibit import pace_exhibit
from optviz.render.export import made
from optviz.render.frames import frames
from optviz.render.options import options
from optviz.render.painter import answer
from optviz.render.picture import Look
from optviz.render.sheet_picture import SheetPicture
from optviz.render.sheet_wire import pack_sheet
from optviz.sheet import Heat, Line


def answer_to(key, **changes):
    """What is measured for a plan."""
    return measured(question(plans[key].pace.at(**changes)))


def ends(key):
    """The distance at the end, root mean square, schedule by schedule."""
    return [float(b.mean[-1]) for b in answer_to(key)]


@pytest.mark.parametrize("key", plans)
def test_a_plan_is_whole_and_known_as_itself(key):
    p = plans[key]
    assert Pace.from_query(p.pace.to_query()) == p.pace and p.key == key and plan_of(p.pace) is p
    for text in (p.name, p.do, p.see):
        assert re.search("[а-яё]", text.ru, re.I) and not re.search("[а-яё]", text.en, re.I)
    said = [sorted(re.findall(r"\d+(?:[.,]\d+)?", do + " " + see)) for do, see in ((p.do.en, p.see.en), (p.do.ru, p.see.ru))]
    assert said[0] == [n.replace(",", ".") for n in said[1]], "both languages tell the same numbers"
    assert max(len(p.do.en + p.see.en), len(p.do.ru + p.see.ru)) < 250, "a lecturer has ten seconds"
    assert all(row.refused is None for row in solve(p.pace.race).rows)


@pytest.mark.parametrize("key", plans)
def test_every_plan_exports_as_gif(key):
    shown = pace_exhibit(plans[key].pace)
    gif = made(shown, "gif", options({"size": (320, 240), "seconds": 0.2, "fps": 25}))
    assert gif[:6] == b"GIF89a" and shown.lab == "schedules" and len(shown.scene.paths) == len(plans[key].pace.race.entrants)
    assert shown.name.startswith(plans[key].pace.race.surface.key) and plans[key].pace.race.entrants[0].schedule in shown.name


@pytest.mark.parametrize(("figure", "on"), [("band", "surface"), ("three", "surface"), ("three", "network"), ("range", "surface"), ("range", "network"), ("map", "surface")])
def test_every_answer_is_a_sheet_for_the_stage_and_for_a_picture(figure, on):
    sheet = shown(plans["three"].pace.at(figure=figure, on=on))
    assert len(sheet.charts) == (5 if (figure, on) == ("three", "surface") else 1)
    assert question(plans["three"].pace.at(figure=figure, on=on, box=((-3.0, 9.0), (-4.0, 4.0)), at=5)) == question(plans["three"].pace.at(figure=figure, on=on))
    texts = [text for c in sheet.charts for text in (c.title, c.x.name, c.y.name, c.note, *(getattr(m, "name", None) for m in c.marks)) if text]
    assert all((re.search("[а-яё]", t.ru, re.I) is not None) or not re.search("[a-z]{4}", t.en, re.I) for t in texts) and not any(re.search("[а-яё]", t.en, re.I) for t in texts)
    for theme, language in (("light", "en"), ("dark", "ru")):
        assert len(pack_sheet(sheet, language, {})) < 2**18
        assert next(frames(SheetPicture(sheet, Look(theme=theme, language=language)), [0.0])).std() > 5


def test_a_cell_of_the_map_is_counted_late_or_grown():
    found = answer_to("map")
    (chart,) = sheet_of(plans["map"].pace, found).charts
    cells = {mark.name.en: np.isfinite(mark.z) for mark in chart.marks if isinstance(mark, Heat)}
    assert list(cells) == ["steps", "not within the tolerance in time", "ends higher than it began"] and (sum(cells.values()) == 1).all()
    np.testing.assert_array_equal(cells["ends higher than it began"], np.isnan(found.steps))
    (line,) = [mark for mark in chart.marks if isinstance(mark, Line)]
    np.testing.assert_allclose(line.x, 2 * (1 + line.y), rtol=1e-6)  # in units of 1/λ the limit is the method's own
    assert line.name.en == "the limit of theory" and chart.title.en.startswith("Momentum") and chart.x.sign == "αλ" and "20" in chart.x.name.en
    assert question(plans["map"].pace.with_cell(lr=0.07, momentum=0.4)) == question(plans["map"].pace), "a click is answered at once"
    middle = cell(found, 2.0, 0.5)
    assert middle["lr"] == pytest.approx(0.1, rel=0.02) and middle["momentum"] == pytest.approx(0.5, abs=0.01) and middle["lr"] in np.round(found.across.values, 5)
    turned = plans["map"].pace.at(across="momentum", up="lr")
    (line,) = [mark for mark in shown(turned).charts[0].marks if isinstance(mark, Line)]
    np.testing.assert_allclose(line.y, 2 * (1 + line.x), rtol=1e-6)


def test_a_shared_link_is_drawn_by_address_and_on_the_command_line(tmp_path):
    query = plans["map"].pace.to_query()
    status, name, body = answer("schedules", "png", query + "&size=160x90&lang=ru", "ru")
    assert status == 200 and name.endswith("constant.png") and body[1:4] == b"PNG"
    assert answer("schedules", "png", "figure=wings", "en")[0] == 400
    main(["render", f"--url=http://localhost:8501/schedules?{query}", "--size=160x90", "-o", str(tmp_path / "a.png")])
    assert (tmp_path / "a.png").read_bytes()[1:4] == b"PNG"


def test_there_are_enough_and_an_empty_query_is_the_first():
    assert len(plans) >= 6 and opening("") == opening("v=1") == next(iter(plans.values())).pace
    notes = []
    assert opening("v=99", notes) == opening("") and "another version" in notes[0].en


def test_three():
    found = answer_to("three")
    assert [float(f"{r:.3g}") for r in found.rates] == [0.102, 0.0873, 0.00169]
    high, good, low = (ov.descend(plans["three"].pace.race.runs[0], lr=rate).loss for rate in found.rates)
    swing = abs(found.trails[0][1])
    assert (np.diff(swing) > 0).all() and high[-1] > high[0] and good[-1] < 1e-12 and 0.1 < low[-1] / low[0] < 0.3


def test_network():
    found = answer_to("network")
    assert [float(f"{r:.3g}") for r in found.rates] == [0.359, 0.129, 0.00278]
    high, good, low = found.loss
    assert not high[-1] < 1e6 and high[0] == pytest.approx(1.84, abs=0.005) and (good[-1], low[-1]) == pytest.approx((0.05, 0.82), abs=0.005)


def test_range():
    found = answer_to("range")
    assert found.steepest == pytest.approx(0.06, abs=0.005) and found.diverging == pytest.approx(0.157, abs=0.001)
    assert 0.08 < found.rates[np.argmin(found.loss)] < 0.11, "it turns up at the limit"


def test_map():
    found = answer_to("map")
    steps = np.nan_to_num(found.steps, nan=np.inf)
    assert steps[0].min() == 29 and steps.min() == 10
    assert found.up.values[np.unravel_index(steps.argmin(), steps.shape)[0]] == pytest.approx(0.31, abs=0.01)


def test_floor():
    constant, *decaying = ends("floor")
    run = plans["floor"].pace.race.runs[0]
    alpha, sigma, curvature = run["lr"], run["noise"], sharpness(run.surface, np.zeros(2))
    variance = alpha * sigma**2 / (curvature * (2 - alpha * curvature))
    assert variance == pytest.approx(0.5625) and floor_of(run).far == pytest.approx(np.sqrt(2 * variance)) == pytest.approx(1.06, abs=0.005)
    assert constant == pytest.approx(1.06, rel=0.05)
    halved = plans["floor"].pace.with_each(lambda e: e.at(lr=0.1)).race.runs[0]
    assert floor_of(halved).far == pytest.approx(0.707, abs=0.001)
    assert max(decaying) < 0.25 * constant


def test_early():
    constant, early, late, _ = ends("early")
    assert early == pytest.approx(3.17, abs=0.01) and late == pytest.approx(0.09, abs=0.005) and late == pytest.approx(constant / 3, rel=0.1)


def test_warmup():
    plan = plans["warmup"].pace
    assert [row.diverged_at is None for row in solve(plan.race).rows] == [False, False, True]
    assert solve(plan.race).rows[2].distance < 0.02
    s = ov.surfaces["beale"]
    assert sharpness(s, np.array(plan.race.start)) / sharpness(s, np.array(s.minima[0])) == pytest.approx(176, rel=0.01)


def test_restarts():
    mean = answer_to("restarts")[0].mean
    assert all(mean[k] == pytest.approx(0.4, abs=0.05) for k in (75, 150, 300)) and all(mean[k + 15] > 0.85 for k in (75, 150, 225))


def test_plateau():
    _, hasty, patient = solve(plans["plateau"].pace.race).trails
    assert (np.diff(hasty.lr) < 0).sum() == 24 and (np.diff(patient.lr) < 0).sum() < 24
    assert ends("plateau")[1:] == pytest.approx([0.4, 0.19], abs=0.006)


# --- the state --------------------------------------------------------------------------------------------------------------------------


def test_one_optimizer_for_all_and_axes_that_it_has():
    pace = Pace(Race("bowl", entrants=[Entrant("adam", lr=0.1), Entrant("sgd", "cosine", lr=0.2)]), figure="map", across="beta1", up="beta2")
    assert {e.optimizer for e in pace.race.entrants} == {"adam"} and pace.axes == ("beta1", "beta2")
    assert Pace.from_query(pace.to_query()) == pace and len({pace, Pace.from_query(pace.to_query())}) == 1
    assert pace.with_optimizer("momentum").axes == ("lr", "momentum") and pace.with_optimizer("sgd").axes == ("lr", "momentum")
    assert pace.at(across="", up="").axes == ("lr", "beta1")
    assert pace.at(across="", up="lr").axes == ("beta1", "lr")
    assert Pace(Race(entrants=[])).optimizer.key == "sgd"
    assert all(Pace(Race(entrants=[Entrant(key)])).axes for key in ov.optimizers if key not in ("polyak", "signsgd", "lbfgs"))


def test_a_cell_and_a_schedule_change_all_or_add_one():
    pace = Pace(Race(RAVINE, entrants=[Entrant("sgd", lr=0.05), Entrant("sgd", "cosine", lr=0.05)]))
    other = pace.with_cell(lr=0.08, momentum=0.5)
    assert [(e.optimizer, e["lr"], e["momentum"], e.schedule) for e in other.race.entrants] == [("momentum", 0.08, 0.5, s) for s in ("constant", "cosine")]
    assert [e.schedule for e in pace.with_schedule("sqrt").race.entrants] == ["constant", "cosine", "sqrt"]


@pytest.mark.parametrize("key", ["step", "multistep", "linear", "warm_restarts", "triangular", "warmup_cosine", "noam"])
@pytest.mark.parametrize("steps", [100, 2000])
def test_a_new_schedule_does_within_the_run_what_it_does(key, steps):
    pace = Pace(Race(RAVINE, entrants=[Entrant("sgd", lr=0.01)], steps=steps)).with_schedule(key)
    rates = solve(pace.race).trails[1].lr
    turns = np.flatnonzero(np.diff(np.sign(np.round(np.diff(rates), 12))))
    assert turns.size and turns[0] < 0.4 * steps
    assert key != "linear" or rates[-1] == 0.01


def test_a_text_stands_beside_what_it_tells_of_alone():
    pace = plans["three"].pace
    assert plan_of(pace.with_each(lambda e: e.at(lr=0.07))) is plans["three"]
    assert plan_of(pace.with_optimizer("adam")) is None and plan_of(pace.at(race=pace.race.on(pace.race.surface.at(b=3.0)))) is None


@pytest.mark.parametrize(("query", "words"), [("figure=wings", "figure"), ("across=__import__", "across"), ("on=1", "on="), ("steps=abc", "steps"),
                                              ("optimizer=sgd:schedule=steep", "steep"), ("wings=1", "wings"), ("v=99", "v=.*99.*version")])
def test_what_a_query_gets_wrong_falls_back_field_by_field(query, words):
    notes = []
    pace = Pace.from_query("surface=bowl&" + query, notes)
    assert pace.race.surface.key == "bowl" and any(re.search(words, note.en) for note in notes)
    assert {name: pace[name] for name in ASKED} == {name: p.default for name, p in ASKED.items()}
    with pytest.raises(ValueError, match=words):
        Pace.from_query(query)


def test_names_tell_schedules_apart():
    def said(*entrants):
        return [name.en for name in schedule_names(tuple(entrants))]
    step = [Entrant("sgd", "step", lr=0.1, schedule_step_size=n) for n in (8, 100)]
    assert said(*step) == ["Step, steps between drops 8", "Step, steps between drops 100"]
    assert said(Entrant("sgd", lr=0.1), Entrant("sgd", lr=0.2), Entrant("sgd", "cosine", warmup_steps=20)) == [
        "Constant, α 0.1", "Constant, α 0.2", "Warm-up 20, cosine"]
    assert said(Entrant("sgd"), Entrant("sgd")) == ["Constant 1", "Constant 2"]
    scene = pace_scene(solve(plans["floor"].pace.race))
    assert len({p.name for p in scene.paths}) == 4 and scene.rates.high > 0.2 and "beta1" in NUMBERS
