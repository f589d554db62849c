"""Several networks on one playhead: what is told of them, what sets them apart, how long their boundaries are, and pinned runs."""

import base64
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from test_network_scene import unpack
from test_network_stage import press

import optviz as ov
from optviz.boundary import boundary, boundary_length
from optviz.core import T
from optviz.ending import stopped
from optviz.render.network_wire import pack_wall
from optviz.render.words import WALL, digits
from optviz.study import MOST_PINS, OWN, Study
from optviz.study_presets import lessons
from optviz.wall import Cell, Wall, advance_wall, captions, compared, wall_scene

S = Study("circle", layers=(4,), epochs=6, n=40)
TEXTS = {name: text.en for name, text in WALL.items()}


def told(studies, passes=2, **how):
    """The message of some runs that have made so many passes."""
    trainers = [s.trainer().run(until=passes) for s in studies]
    return pack_wall(wall_scene(compared(studies, trainers), **how), "en", TEXTS, 3)


# --- the length of a boundary -------------------------------------------------------------------------------------------------------------

X, Y = np.meshgrid(np.linspace(-1, 1, 121), np.linspace(-1, 1, 121))
SQUARE = 2.0  # its side


@pytest.mark.parametrize(("values", "length"), [
    (X**2 + Y**2 - 0.49, 2 * np.pi * 0.7), (X - 0.313, 2.0), (X - Y / 2, np.hypot(2, 1)), (X + 2, 0.0), (np.full_like(X, np.nan), 0.0),
    (np.minimum(X, Y + 0.2501), 1.0 + 1.2501)])
def test_a_boundary_is_as_long_as_it_is(values, length):
    assert boundary_length(values[..., None]) == pytest.approx(length / SQUARE, rel=1e-3)
    assert boundary_length(np.stack([-values, values], -1)) == pytest.approx(length / SQUARE, rel=1e-3), "of two outputs the difference counts"


@pytest.mark.parametrize(("last", "length"), [(1.5, 2 * np.hypot(0.5, 0.4)), (0.5, np.hypot(0.5, 0.5) + np.hypot(1 / 3, 1 / 3))])
def test_the_middle_of_a_saddle_says_who_is_joined(last, length):
    assert boundary_length(np.array([[1.0, -1.0], [-1.0, last]])[..., None]) == pytest.approx(length)


def test_borders_of_three_classes_meet_in_a_point():
    ways = np.array([np.pi / 2, np.pi / 2 + 2 * np.pi / 3, np.pi / 2 + 4 * np.pi / 3])
    outputs = np.stack([np.cos(a) * X + np.sin(a) * Y for a in ways], -1)
    assert boundary_length(outputs) == pytest.approx((1 + 2 / np.cos(np.pi / 6)) / SQUARE, rel=2e-3)


def test_the_boundary_of_a_network():
    line = Study("xor", layers=(), loss="logistic", weights=(1.0, 0.5, 0.0))
    assert boundary(line.trainer()) == pytest.approx(np.hypot(1, 0.5))
    with pytest.raises(ov.Refused, match="classes in the plane"):
        boundary(Study("plane", layers=()).trainer())


# --- what sets runs apart -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "mine", "other"), [
    ({"optimizer": "momentum", "lr": 0.003}, "SGD, α 0.03", "momentum 0.9, α 0.003"), ({"seed": 3}, "seed 0", "seed 3"),
    ({"layers": (8, 3)}, "hidden layers: 4", "hidden layers: 8, 3"), ({"data": "xor"}, "Circle", "Exclusive or"),
    ({"weights": np.zeros(17)}, "drawn weights", "weights set by hand"), ({"l2": 0.01}, "L2: strength λ 0", "L2: strength λ 0.01"),
    ({"clip_norm": 0.5}, "clip the gradient's length: no", "clip the gradient's length 0.5"), ({"stop_loss": 0.1}, "stop when the loss is below: no", "stop when the loss is below 0.1"),
    ({"discrete": True}, "the same run", "the same run"), ({"optimizer": "adam"}, "SGD", "Adam"), ({"features": ("x", "y2")}, "inputs: x, y", "inputs: x, y²")])
def test_what_sets_two_runs_apart(change, mine, other):
    said = captions([S, S.at(**change)])
    assert [text.en for text in said] == [mine, other]
    assert all(re.search("[а-яё]", text.ru, re.I) for text in said) or change.keys() <= {"optimizer", "lr"}


def test_what_all_share_is_not_told():
    assert [text.en for text in captions([S.at(lr=rate, seed=4) for rate in (0.1, 0.2, 0.3)])] == ["α 0.1", "α 0.2", "α 0.3"]


# --- the message --------------------------------------------------------------------------------------------------------------------------


def test_a_wall_tells_each_cell_and_shares_what_is_shared():
    head = unpack(told([S, S.at(lr=0.1), S.at(layers=(2,))], first=(0, 2, 0), chosen=0, loose=True, look={"at": 1}))
    assert [cell["caption"] for cell in head["cells"]] == ["hidden layers: 4, α 0.03", "hidden layers: 4, α 0.1", "hidden layers: 2, α 0.03"]
    assert [cell["points"] for cell in head["cells"]] == [0, 0, 0] and [cell["net"] for cell in head["cells"]] == [0, 0, 1]
    assert len(head["points"]) == 1 and len(head["points"][0]["x"]) == 40 and head["nets"][1]["widths"] == [2, 2, 1]
    assert [cell["frames"]["passes"] for cell in head["cells"]] == [[0, 1, 2], [2], [0, 1, 2]]
    assert (head["columns"], head["epochs"], head["state"], head["chosen"], head["loose"], head["take"], head["look"]) == (3, 6, "ready", 0, True, 3, {"at": 1})


def test_sixty_four_cells_are_a_small_message():
    grid = [S.at(l2=strength, n=1000) for strength in np.linspace(0, 1, 64).tolist()]
    one, all_of_them = (len(told(studies, 0)) for studies in (grid[:1], grid))
    assert all_of_them < 3 * one < 120_000


def test_a_grid_has_headings_and_its_own_end():
    trainer = S.trainer()
    heads = [T(str(k), f"{k}") for k in range(4)]
    scene = wall_scene(Wall([Cell(T("a", "а"), S, trainer)] * 4, 2, heads[:2], heads[2:], 50))
    head = unpack(pack_wall(scene, "ru", TEXTS))
    assert (head["rowHeads"], head["columnHeads"], head["epochs"], head["columns"], head["cells"][0]["caption"]) == (["0", "1"], ["2", "3"], 50, 2, "а")


def test_all_go_on_together_until_each_has_its_end():
    studies = [S, S.at(stop_passes=3), S.at(activation="relu", lr=1e4), S.at(epochs=9)]
    trainers = advance_wall(studies, [s.trainer() for s in studies], 0, 1)
    assert [t.passes for t in trainers if t.diverged_at < 0] == [1] * sum(t.diverged_at < 0 for t in trainers)
    one_more = advance_wall(studies, trainers, 0.0)
    assert sum(t.passes for t in one_more) <= sum(t.passes for t in trainers) + 5, "a slice of no time is one turn"
    trainers = advance_wall(studies, trainers, 60.0)
    assert [stopped(s, t).state for s, t in zip(studies, trainers, strict=True)] == ["done", "stopped", "diverged", "done"]
    assert [trainers[k].passes for k in (0, 1, 3)] == [6, 3, 9]
    scene = wall_scene(compared(studies, trainers))
    assert scene.state == "done" and scene.epochs == 9 and "overflow" in scene.cells[2].sentence.en


# --- pinned runs ----------------------------------------------------------------------------------------------------------------------------


def test_pins_are_part_of_a_study_and_of_its_url():
    s = S.at(lr=0.2, discrete=True).pinned().at(lr=0.3, matrix=True)
    assert s.pins == (S.at(lr=0.2),) and s != s.unpinned(0) and hash(s) != hash(s.unpinned(0)) and s.reseeded().pins == s.pins
    s = s.pinned().at(layers=(3,), weights=np.arange(13) / 8)
    again = Study.from_query(s.to_query())
    assert again == s and hash(again) == hash(s) and [pin["lr"] for pin in again.pins] == [0.2, 0.3]
    opened = s.opened(0)
    assert opened.run == S.at(lr=0.2) and opened.pins == (s.run, s.pins[1]) and opened["matrix"] and opened.opened(0) == s
    assert all(Study.from_query(lesson.whole.to_query()) == lesson.whole for lesson in lessons.values())


def test_no_run_is_pinned_twice_and_no_more_than_fit():
    with pytest.raises(ov.Refused, match="pinned already"):
        S.pinned().at(discrete=True).pinned()
    s = S
    for rate in range(MOST_PINS):
        s = s.at(lr=0.1 + rate).pinned()
    with pytest.raises(ov.Refused, match="unpin one"):
        s.at(lr=9.0).pinned()
    same = S.pinned()
    assert same.opened(0).pins == () and Study("xor", pins=[S, S]).pins == (S,)


HOSTILE = ["pin=lr%3Dabc", "pin=", "pin=v%3D1%26data%3Down", "pin=" + "x" * 3000, "pin=pin%3Dpin%253D1", "pin=layers%3D65", "pin=lr%3D0.1" + "1" * 3000, "pin=lr%3D0.1%26pin%3Dlr%253D0.2", "pin=" + "%26".join("ab" * 300), "pin=data%3Dxor%26weights%3D1"]


@pytest.mark.parametrize("query", HOSTILE)
def test_a_pin_that_cannot_be_read_is_left_out_with_a_note(query):
    notes = []
    s = Study.from_query("data=xor&" + query, notes)
    assert s["data"].key == "xor" and (s.pins == () and len(notes) == 1 if query != "pin=" else s.pins == (Study().run,))
    assert all(note.ru for note in notes)


def test_of_too_many_pins_some_are_left_out():
    notes = []
    s = Study.from_query("data=xor&" + "&".join(f"pin=lr%3D0.{k}" for k in range(1, 9)), notes)
    assert len(s.pins) == MOST_PINS and len(notes) == 1
    own = S.at(data=ov.dataset([[0, 1], [1, 0]], [0, 1])).pinned().at(data="xor")
    assert own.unlinked == (OWN,)


# --- in a browser ---------------------------------------------------------------------------------------------------------------------------

OPEN = """async (data) => {
    const { WallPlayer } = await import('/wallplayer.js');
    window.told = [];
    window.player = new WallPlayer(document.body.appendChild(Object.assign(document.createElement('main'), { className: 'optviz-stage' })), ({ word, ...event }) => told.push(event));
    player.side = () => 100;
    window.take = (data) => player.show(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
    take(data);
}"""


def encoded(*args, **how):
    return base64.b64encode(told(*args, **how)).decode()


def test_the_stage_of_several_networks(modules):
    page = modules("wall.css")
    studies = [S.at(lr=0.3, n=60), S.at(lr=0.1, n=60), S.at(activation="relu", lr=500.0, n=60), S.at(data="blobs", loss="ce", n=60)]
    page.evaluate(OPEN, encoded(studies, 3, chosen=0, loose=True, look={"at": 1}))
    count, figures = page.locator(".count"), page.locator("figure")
    expect(count).to_have_text("pass 1 of 6")
    assert page.evaluate("player.ready && player.cells.map((cell) => cell.frames.length)")[:2] == [4, 4]
    trainers = [s.trainer().run(until=3) for s in studies]
    page.evaluate("player.fine = false; player.resize()")
    page.wait_for_function("player.spots.every((spot) => spot.painted.fine)")
    for k in (0, 1, 3):
        right = 100 * float(trainers[k].rows[1][2])
        expect(figures.nth(k).locator("output")).to_contain_text(digits(right, 2))
        seen = page.evaluate("(k) => player.spots[k].field.traced", k)
        assert seen == pytest.approx(boundary(trainers[k], 1, 100), rel=2e-3, abs=1e-6), "the picture's line is as long as Python says"
    page.keyboard.press("End")
    expect(page.locator("figure").nth(2).locator("small")).to_contain_text("overflow")
    painted = "() => player.spots.map((spot) => spot.painted)"
    handle = page.evaluate_handle(painted)
    page.evaluate("new Promise((done) => { player.ask(); requestAnimationFrame(() => requestAnimationFrame(done)); })")
    page.wait_for_function("player.spots.every((spot) => spot.painted.fine)")
    handle = page.evaluate_handle(painted)
    page.evaluate("new Promise((done) => { player.ask(); requestAnimationFrame(() => requestAnimationFrame(done)); })")
    assert page.evaluate("(before) => player.spots.every((spot, i) => spot.painted === before[i])", handle), "what did not change is not painted again"
    for act, event in (("1", None), ("3", {"open": 2}), ("c", {"pin": True}), ("С", {"pin": True})):
        page.evaluate("told.length = 0; player.askedAt = null; player.queue = []")
        press(page, act)
        assert [said for said in page.evaluate("told") if "look" not in said] == ([event] if event else [])
    page.evaluate("told.length = 0; player.askedAt = null")
    figures.nth(1).locator(".drop").click()
    assert [event for event in page.evaluate("told") if "look" not in event] == [{"drop": 1}] and figures.nth(0).locator(".drop").is_hidden()
    page.evaluate("told.length = 0; player.askedAt = null")
    figures.nth(1).locator(".spot").click()
    assert [event for event in page.evaluate("told") if "look" not in event] == [{"open": 1}]
    expect(page.locator(".readout")).to_contain_text("class: ")
    figures.nth(2).locator(".drop").click()  # the first word is not answered yet
    page.evaluate("(data) => { told.length = 0; take(data); }", encoded([studies[0], *studies[2:]], 3, chosen=0, loose=True))
    assert page.evaluate("told.filter((event) => !event.look)") == [{"drop": 1}], "the cell that was meant has moved up"
    curves = [Study("x_sin_x", layers=(3,), epochs=6, n=40, lr=rate) for rate in (0.003, 0.001)]
    page.evaluate("(data) => { window.flat = data[0]; take(data[1]); }", [encoded(studies, 3, chosen=0, loose=True, look={"at": 1}), encoded([*curves, S], 2)])
    page.wait_for_function("player.spots.length === 3 && player.spots.every((spot) => spot.painted.fine)")
    assert page.evaluate("player.spots.map((spot) => spot.field.lines?.rows.length ?? 0)") == [1, 1, 0]
    expect(figures.nth(0).locator("output")).not_to_contain_text("boundary")
    page.evaluate("take(flat)")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("player.spots[0].field.width < 190")
    assert page.evaluate("player.spots.every(({ box }) => box.getBoundingClientRect().width >= 110)")
    assert page.evaluate("player.parts.cells.scrollWidth <= player.parts.cells.clientWidth")
    page.keyboard.press("Space")
    page.evaluate("told.length = 0; player.askedAt = null")
    page.wait_for_function("told.some((event) => event.more)")
    assert page.evaluate("told.find((event) => event.more).more") == [4, 4, page.evaluate("player.cells[2].frames.length"), 4]


@pytest.mark.parametrize(("language", "words"), [("ru", ("Закрепить запуск", "Сравнение", "Одна сеть", r"α 0\.003", "Открепить"))])
def test_runs_are_pinned_compared_opened_and_unpinned(visit, language, words):
    pin, together, alone, mine, unpin = words
    lesson = lessons["momentum"].whole.at(epochs=6, n=40, pins=[p.at(epochs=6, n=40) for p in lessons["momentum"].beside[:1]])
    page = visit(f"/boundary?{lesson.to_query()}&lang={language}")
    cells, count = page.locator("figure"), page.locator(".count")
    expect(cells).to_have_count(2)
    expect(cells.nth(1).locator("figcaption")).to_have_text(re.compile(f"SGD, {mine}|SGD"))
    stage = page.locator("section[role=application]")
    stage.focus()
    page.keyboard.press("Space")
    expect(count).to_have_text(re.compile(r"\b6 (of|из) 6$"))
    cells.nth(1).locator(".spot").click()
    page.wait_for_url(re.compile("data=circle.*pin=.*momentum"))
    expect(cells.nth(0).locator("figcaption")).to_have_text(re.compile("SGD"))
    expect(count).to_have_text(re.compile(r"\b6 (of|из) 6$"))
    page.get_by_text(alone, exact=True).click()
    expect(page.locator(".mesh")).to_be_visible()
    expect(cells).to_have_count(0)  # the stage before stays until the page is whole
    expect(count).to_have_text(re.compile(r"\b6 (of|из) 6$")), "what was trained is still there"
    page.get_by_text(together, exact=True).click()
    expect(cells).to_have_count(2)
    cells.nth(1).locator(".drop").click()
    expect(page.locator(".mesh")).to_be_visible()
    page.get_by_role("button", name=pin).click()
    page.wait_for_url(re.compile("pin="))
    expect(page.get_by_role("button", name=unpin)).to_be_visible()
