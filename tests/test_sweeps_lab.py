"""The lab of hyper-parameters: its URL, what its charts and sentences say, and the page in a browser."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from optviz.core import Refused, rounded
from optviz.descent import descend
from optviz.heavy import Part
from optviz.hunt import Hunt
from optviz.quest import ARRAYS, Quest, axis_name, best_cell, found, opening, quest_of, searched, spanned, view_of, visited
from optviz.render.code import of_sweep
from optviz.render.picture import Look
from optviz.render.sheet_exhibit import sheet_exhibit
from optviz.render.sheet_picture import SheetPicture
from optviz.render.sheet_wire import pack_sheet
from optviz.run import Run
from optviz.sheet import Dots, Heat, Line
from optviz.study import Study
from optviz.sweep import Sweep, settings
from optviz.sweep_presets import views
from optviz.sweep_sheets import cell_at, colours, lost, sweep_sheet, told

PAGE = Path(__file__).parent.parent / "pages" / "sweeps.py"
RUNS = Sweep(Run("ravine", "momentum", steps=40), ("lr", (0.01, 1.0, 7, "log")), ("momentum", (0.0, 0.9, 5)))
NETS = Sweep(Study("circle", n=60, layers=(4,), epochs=4, loss="logistic"), ("lr", (0.01, 1.0, 4, "log")), ("batch", [4, 16, None]), 2)
QUESTS = [Quest(RUNS), Quest(RUNS, "steps", (4, 6)), Quest(NETS, "loss_train", (2, 0)), Quest(RUNS, "loss", hunt=Hunt(9, 50, 3, 0.2))]


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """A store of this test's own."""
    monkeypatch.setenv("OPTVIZ_CACHE", str(tmp_path))


def sheet_of(quest):
    swept = found(quest.sweep)
    hunted = searched(swept[quest.array], quest.array, quest.hunt) if quest.hunt else None
    cell = quest.cell or best_cell(swept[quest.array], quest.array)
    return swept, hunted, sweep_sheet(quest, swept, visited(quest.sweep.cell(*cell)), hunted)


# --- the spec -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quest", [*QUESTS, *map(quest_of, views.values())])
def test_a_quest_is_its_url(quest):
    assert Quest.from_query(quest.to_query()) == quest


def test_a_tampered_url_falls_back_and_says_so():
    notes = []
    quest = Quest.from_query("surface=ravine&optimizer=momentum&x=lr,log,1e-3,1,5&y=nonsense&show=beauty&cell=9,99&hunt=10&seeds=-1", notes)
    assert quest.sweep.x.key == "lr" and quest.array == "loss" and quest.cell is None and quest.hunt is None and len(notes) == 4


def test_what_another_map_has_not_gives_way():
    moved = QUESTS[1].on(Run("ravine", "sgd", steps=40))
    assert moved.sweep.x == RUNS.x and moved.sweep.y.key != "momentum" and moved.cell is None and moved.array == "steps"
    assert QUESTS[1].at(sweep=NETS).array == "accuracy_val"
    assert opening("") == quest_of(next(iter(views.values()))) and view_of(opening("").at(array="loss", cell=(1, 1))).key == "adam"
    assert view_of(Quest(RUNS)) is None


def test_every_axis_and_array_has_a_name():
    for base in (RUNS.base, NETS.base, Run(optimizer="adafactor", schedule="warm_restarts"), Study("spiral", activation="elu", schedule="step")):
        names = [axis_name(base, key) for key in settings(base)]
        assert len({name.ru for name in names}) > 0.8 * len(names)
    assert {*RUNS.arrays, *NETS.arrays} == ARRAYS.keys()


@pytest.mark.parametrize(("spec", "why"), [(RUNS.at(x=("lr", (0.01, 1.0, 1000, "log")), y=("momentum", (0.0, 0.9, 100))), "cells .*65536"),
                                           (Sweep(Run(steps=10_000, noise=1.0), ("lr", (1e-3, 1.0, 64, "log")), seeds=256), "billion steps")])
def test_what_a_room_cannot_wait_for_is_refused_with_the_limit(spec, why):
    with pytest.raises(Refused, match=why) as refusal:
        found(spec)
    assert re.search("[а-я]", refusal.value.text.ru)


# --- charts and sentences -----------------------------------------------------------------------------------------------------------------


def test_the_map_shows_each_cell_where_its_values_are():
    quest = QUESTS[1]
    swept, _, sheet = sheet_of(quest)
    own, empty = [mark for mark in sheet.charts[0].marks if isinstance(mark, Heat)]
    there = np.isfinite(swept.steps)
    assert np.array_equal(np.isfinite(own.z), there) and np.array_equal(np.isfinite(empty.z), ~there) and (own.z[there] == swept.steps[there]).all()
    assert all(cell_at(quest, x, y) == (r, c) for c, x in enumerate(swept.x) for r, y in enumerate(swept.y))
    ring = [mark for mark in sheet.charts[0].marks if isinstance(mark, Dots)][-1]
    assert (*ring.x, *ring.y) == (swept.x[6], swept.y[4]) and ring.hollow
    trail = next(mark for mark in sheet.charts[1].marks if isinstance(mark, Line))
    assert np.array_equal(trail.x, descend(quest.sweep.cell(4, 6)).points[0])


def test_one_outlier_does_not_wash_out_the_map():
    values = np.concatenate([np.linspace(1, 2, 99), [1e6]])
    assert colours("loss", values)[0] < 2.1 and colours("loss", np.geomspace(1e-6, 1, 50))[2] and colours("reached", values) == (0, 1, False)
    shown = Heat([0, 1], [0, 1], values[None], *colours("loss", values)[:2], ARRAYS["loss"])
    assert shown.beyond == ("≥ ", "≤ "), "the scale of colours says that there is more"


@pytest.mark.parametrize(("array", "best"), [("steps", 3), ("loss", 3), ("accuracy_val", 60), ("escaped", 1), ("diverged", 0)])
def test_the_best_has_the_fullest_colour(array, best):
    pale, full, _ = colours(array, np.linspace(3, 60, 20))
    assert full == pytest.approx(best, abs=1.2) and abs(pale - full) >= 1
    assert array == "loss" or full == best


def test_what_ends_far_above_its_beginning_is_lost_and_not_the_best():
    quest = Quest(Sweep(Run("ravine", "sgd", steps=100, noise=1.0), ("lr", (0.01, 1.0, 9, "log")), ("start_x", (-4.0, 4.0, 3))), cell=(1, 8))
    swept = found(quest.sweep)
    high = swept.loss > 1e20
    assert high.any() and np.isfinite(swept.loss[high]).any() and not (swept.diverged == 1)[high].all()
    assert np.array_equal(lost(quest, swept), high)
    own, grey = [mark for mark in sweep_sheet(quest, swept).charts[0].marks if isinstance(mark, Heat)]
    assert np.array_equal(np.isfinite(grey.z), high) and np.isnan(own.z[high]).all() and own.low < 1e5 and grey.name.en == "diverges"
    text = told(quest, swept)
    assert f" {rounded(100 * high.mean())} % of the cells diverge." in text.en and "The ringed cell" in text.en and "diverges." in text.en
    here = told(quest.at(cell=(1, 0)), swept)
    assert f"final loss {rounded(swept.loss[1, 0])}." in here.en and f"итоговая потеря {rounded(swept.loss[1, 0])}." in here.ru


def test_partial_maps_are_shown_as_they_come(monkeypatch):
    monkeypatch.setattr("optviz.heavy.TOLD", 0)
    parts = []
    found(RUNS, lambda done, whole, part: parts.append(part))
    first = parts[0]
    assert isinstance(first, Part) and not first.ready.all()
    own = sweep_sheet(Quest(RUNS), first).charts[0].marks[0]
    assert np.array_equal(np.isfinite(own.z), first.ready & np.isfinite(first.arrays["loss"]))
    assert np.isnan(sweep_sheet(Quest(RUNS), None).charts[0].marks[0].z).all()


def test_a_network_is_shown_with_its_boundary_and_its_curves():
    _, _, sheet = sheet_of(QUESTS[2])
    chart, picture, losses = sheet.charts
    assert [word.en for word in chart.y.words] == ["4", "16", "batch: none"] and chart.x.log
    ground = picture.marks[0]
    assert isinstance(ground, Heat) and ground.signed and sum(len(mark.x) for mark in picture.marks[1:]) == 60
    assert len(losses.marks) == 2 and len(losses.marks[0].x) == 5 and "first" in picture.note.en


@pytest.mark.parametrize("study", [Study("blobs", n=60, epochs=2, layers=(4,), loss="ce"), Study("plane", n=60, epochs=2, layers=(4,)),
                                   Study("digits", n=60, epochs=1, layers=(4,), loss="ce")], ids=lambda s: s["data"].key)
def test_other_networks_are_shown_too(study):
    quest = Quest(Sweep(study, ("lr", (0.01, 1.0, 2, "log")), ("n", [40, 60])))
    _, _, sheet = sheet_of(quest)
    assert [c.key for c in sheet.charts] == (["map", "loss"] if study["data"].key == "digits" else ["map", "cell", "loss"])
    assert len(pack_sheet(sheet, "ru", {})) > 1000


@pytest.mark.parametrize("seeds", [1, 4])
@pytest.mark.parametrize("array", ["accuracy_val", "loss_val", "diverged"])
def test_networks_that_diverge_are_grey_and_none_of_the_best(array, seeds):
    net = Study("circle", n=40, layers=(8,), activation="relu", epochs=30, noise=0.1)
    quest = Quest(Sweep(net, ("lr", (0.01, 1.0, 40, "log")), ("l2", (1e-5, 0.1, 3, "log")), seeds), array, hunt=Hunt(4, 20))
    swept, _, sheet = sheet_of(quest)
    gone = swept.diverged >= 0.5
    row, column = best_cell(swept[array], array)
    assert 0.2 < gone.mean() < 0.8 and not gone[row, column] and f"{rounded(100 * gone.mean())} % of the cells diverge" in told(quest, swept).en
    grey = [mark for mark in sheet.charts[0].marks if isinstance(mark, Heat)][1:]
    assert not grey if array == "diverged" else np.array_equal(grey[0].z == 1, gone)
    for cell in zip(*np.nonzero(~gone), strict=True):  # who looks at one of which some diverge is told so
        said = "There 25 % of the seeds diverge" in told(quest.at(cell=tuple(map(int, cell))), swept).en
        assert said == (array != "diverged" and max(swept.diverged[cell], swept.diverged[row, column]) > 0)
    assert seeds == 1 or (swept.diverged == 0.25).any()
    assert len(pack_sheet(sheet, "ru", {})) > 1000


def test_a_map_on_which_all_networks_diverge_says_so():
    quest = Quest(Sweep(Study("circle", n=40, layers=(8,), activation="relu", epochs=30), ("lr", [1e4, 1e5]), ("l2", [0.1, 0.2])), "accuracy_val")
    swept = found(quest.sweep)
    assert "100 % of the cells diverge" in told(quest, swept).en and best_cell(swept.accuracy_val, "accuracy_val") is None
    assert len(pack_sheet(sweep_sheet(quest, swept), "ru", {})) > 500
    assert colours("accuracy_val", np.full(3, 0.46)) == (0.0, 1.0, False)  # a share is never below 0
    with pytest.raises(Refused, match="no cell of this map has a number"):
        searched(swept.accuracy_val, "accuracy_val", Hunt())


def test_a_cell_of_a_map_that_could_not_be_is_none_of_another():
    own = "data=circle&layers=16,16&optimizer=adam&loss=logistic&epochs=300&x=lambda,log,1e-05,1.0,40&y=lr,log,0.001,1.0,40&cell=5,9"
    assert Quest.from_query(f"{own}&seeds=8", []).cell is None
    assert Quest.from_query(own.replace("40", "10"), []).cell == (5, 9)


def test_a_hunt_is_drawn_with_its_marginals():
    quest = QUESTS[3]
    swept, h, sheet = sheet_of(quest)
    assert [c.key for c in sheet.charts] == ["map", "cell", "best", "found", "by-x", "by-y"]
    assert [c.key for c in SheetPicture(sheet, Look(size=(960, 540))).sheet.charts] == ["map", "best", "found", "by-x", "by-y"]
    tries = [mark for mark in sheet.charts[0].marks if isinstance(mark, Dots) and mark.name]
    assert len({mark.shape for mark in tries}) == 2 and all(len(mark.x) == 9 for mark in tries)
    best = {mark.name.en: mark for mark in sheet.charts[2].marks}
    assert np.array_equal(best["grid"].y, h.grid.best[1]) and np.array_equal(best["random"].low, h.random.best[0])
    assert np.array_equal(sheet.charts[4].marks[0].y, swept.loss.min(0)) and np.array_equal(sheet.charts[5].marks[0].y, swept.loss.min(1))
    made = sheet_exhibit(sheet, "sweeps", quest.to_query(), "sweeps", quest_of(views["idle"]) and told(quest, swept, h), {})
    assert len(list(made.table("en"))) > 35


def test_what_is_good_when_it_is_high_is_hunted_upwards():
    quest = Quest(NETS, "accuracy_val", hunt=Hunt(4, 20))
    swept, _, sheet = sheet_of(quest)
    curve = next(mark for chart in sheet.charts if chart.key == "best" for mark in chart.marks)
    assert (np.diff(curve.y) >= 0).all() and np.nanmax(curve.y) <= swept.accuracy_val.max()
    assert swept.accuracy_val[best_cell(swept.accuracy_val, "accuracy_val")] == swept.accuracy_val.max()


def test_the_sentences_say_what_the_arrays_say():
    quest = QUESTS[3]
    swept, h, _ = sheet_of(quest)
    text = told(quest, swept, h)
    assert f"Final loss: at best {rounded(swept.loss.min())}, at " in text.en and f" {100 * lost(quest, swept).mean():.3g} % of the cells diverge." in text.en
    assert f"in {100 * h.random.found[-1]:.3g} % of 50 repeats" in text.en and f"сетка — в {100 * h.grid.found[-1]:.3g} %" in text.ru
    row, column = np.unravel_index(np.argmin(swept.loss), swept.loss.shape)
    assert f"learning rate α {swept.x[column]:.3g}, momentum γ {swept.y[row]:.3g}." in text.en
    none = found(RUNS.at(base=Run("ravine", "momentum", steps=1000), x=("lr", [9.0]), y=("momentum", [0.0, 0.5])))
    assert "100 % of the cells diverge" in told(Quest(none.sweep, "steps"), none).en
    assert "No cell has a number" in told(Quest(none.sweep, "steps"), none).en


def test_the_script_makes_the_same_map():
    scope = {}
    exec(of_sweep(RUNS, "steps", "ru"), scope)
    assert np.array_equal(scope["found"].steps, found(RUNS).steps, equal_nan=True) and scope["found"].sweep == RUNS


@pytest.mark.parametrize(("part", "value", "why"), [("low", 0.0, "decades .*“evenly”"), ("low", 5.0, "larger than “to”"), ("high", 0.001, "larger than “to”")])
def test_an_axis_that_cannot_be_is_refused_in_words(part, value, why):
    with pytest.raises(Refused, match=f"along x, .*{why}"):
        spanned("x", part, QUESTS[0], value)


# --- the page -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ru"])
def test_every_url_gives_a_page(language):
    for quest in (QUESTS[3].to_query(), QUESTS[2].to_query(), "x=lr,log,1e-3,1,5&y=lr&show=%00&cell=-1,2&hunt=x&n=20&epochs=1",
                  "surface=ravine&steps=10000&noise=1&seeds=256&x=lr,log,1e-3,1,64", "formula=x%2By&optimizer=sgd&steps=5&x=lr,log,1e-3,1,3&y=clip_norm,1,2&show=steps"):
        at = AppTest.from_file(str(PAGE), default_timeout=60)
        at.query_params.update({name: value for name, _, value in (part.partition("=") for part in quest.split("&"))} | {"lang": language})
        at.run()
        assert not at.exception, quest


@pytest.mark.parametrize(("query", "idle", "other"), [
    ("data=circle&n=20&epochs=1&x=lr,0.1,0.2&y=width,1,2", {"lr"}, {"noise", "n", "layers"}),  # how many layers, is said there
    ("data=circle&n=20&epochs=1&x=lambda,0.1,0.2&y=batch,1,2", {"batch"}, {"l2", "lr"}),  # that it is L2, its slider says
    ("surface=ravine&optimizer=momentum&steps=5&schedule=step&x=schedule_gamma,0.1,0.2&y=noise,0.1,0.2", {"noise", "momentum-step-gamma"}, {"momentum-lr", "steps"})])
def test_what_an_axis_changes_has_no_control_besides(query, idle, other):
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    at.query_params.update(dict(part.split("=") for part in query.split("&")))
    at.run()
    for fold in at.button:
        if fold.key.startswith("heading-"):
            fold.click()
    at.run()
    controls = {widget.key: widget.disabled for kind in ("select_slider", "text_input", "selectbox", "checkbox") for widget in at.get(kind)}

    def of(names):
        return [off for key, off in controls.items() if any(re.search(rf"(study|race)-(entrant0-)?{name}-\d+$", key) for name in names)]
    assert of(idle) and all(of(idle)) and of(other) and not any(of(other)), controls


def test_a_click_opens_a_cell(visit):
    page = visit("/sweeps?surface=ravine&optimizer=momentum&lr=0.01&start=-4.0,1.0&steps=40&x=lr,log,0.01,1,7&y=momentum,even,0,0.9,5&show=loss")
    expect(page.get_by_text(re.compile("35 descents: NumPy"))).to_be_visible()
    canvas = page.locator("canvas[role=img]")
    expect(canvas).to_have_count(3)
    box = canvas.first.bounding_box()
    canvas.first.click(position={"x": 0.3 * box["width"], "y": 0.3 * box["height"]})
    expect(page).to_have_url(re.compile(r"cell=\d,\d"))
    row, column = map(int, re.search(r"cell=(\d),(\d)", page.url).groups())
    assert row >= 3 and column <= 2
    expect(canvas).to_have_count(3)
    page.get_by_role("button", name=re.compile("in the Descent lab")).click()
    expect(page).to_have_url(re.compile(r"/\?.*optimizer=momentum:lr=" + re.escape(f"{RUNS.x.values[column]!r}")))
