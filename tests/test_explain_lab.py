"""The step-through in a browser: the formula with this step's numbers, its arrows, and whose step it is."""

import re

import numpy as np
from playwright.sync_api import expect
from test_lab import Stage, until

from optviz.palette import COLOURS, style_of

QUERY = "?surface=bowl&start=1.5,1&optimizer=sgd:lr=0.1&optimizer=adam:lr=0.1&steps=20&at=0"


class Lines:
    """The panel beside the picture."""

    def __init__(self, stage):
        self.stage = stage
        self.panel, self.which, self.who = (stage.page.locator(f".optviz-stage {part}") for part in ("aside", "aside output", "aside select"))

    def numbers(self, line):
        """The numbers of a line, in order; what it comes to last."""
        return [number(text) for text in self.panel.locator("li").nth(line).locator("[data-value]").all_text_contents()]

    def pixels(self, colour):
        """How many pixels of the picture are painted in a colour."""
        rgb = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]
        return int((np.abs(self.stage.picture() - rgb).max(axis=-1) < 12).sum())


def number(text):
    return float(text.strip("()").replace("−", "-"))


def test_a_step_is_explained_with_its_numbers_at_every_playhead(visit):
    stage = Stage(visit(QUERY))
    lines, page = Lines(stage), stage.page
    gradient = next(c for c in COLOURS if c != style_of("sgd").colour)
    stage.at(0)
    stage.rest()
    expect(lines.panel).to_be_hidden()
    before = lines.pixels(gradient)
    stage.press("e")
    expect(lines.which).to_have_text("step 0 → 1")
    stage.url("explain=0")
    assert lines.who.input_value() == "0"
    assert lines.numbers(0) == [1.5, 1, 3, 2]  # ∇f(1.5, 1) = (3, 2)
    assert lines.numbers(1) == [1.5, 1, 3, 2, 1.2, 0.8]  # (1.5, 1) − 0.1·(3, 2) = (1.2, 0.8)
    assert lines.pixels(gradient) > before + 100
    stage.press("ArrowRight")
    expect(lines.which).to_have_text("step 1 → 2")
    assert lines.numbers(0)[2:] == [2.4, 1.6]
    stage.press("End")  # nothing follows: the step that came last
    expect(lines.which).to_have_text("step 19 → 20")
    page.get_by_label("Speed").select_option("0.25")
    stage.press("r")
    expect(lines.which).to_have_text(re.compile(r"step ([2-9]|1\d) → \d+"))  # it goes on while it plays
    stage.press("Space")
    page.get_by_label("Whose step").select_option("Adam")
    stage.url("explain=1")
    expect(lines.panel.locator("li")).to_have_count(6)
    expect(lines.panel.locator("table tr")).to_have_count(2)
    page.get_by_role("button", name="Русский", exact=True).click()
    expect(lines.which).to_have_text(re.compile("^шаг "))
    stage.box.evaluate("box => box.dispatchEvent(new KeyboardEvent('keydown', { key: 'у', bubbles: true }))")  # the same key on a Russian keyboard
    expect(lines.panel).to_be_hidden()
    expect(page).not_to_have_url(re.compile("explain"))


def test_the_explanation_follows_a_dragged_start(visit):
    stage = Stage(visit(QUERY + "&explain=0"))
    lines, page = Lines(stage), stage.page
    expect(lines.which).to_have_text("step 0 → 1")
    stage.rest()
    page.mouse.move(*stage.spot(0.3, 0.3))
    page.mouse.down()
    page.mouse.move(*stage.spot(0.4, 0.4), steps=2)
    expect(lines.panel).to_have_class(re.compile("stale"))  # numbers of another start are pale
    page.mouse.up()
    expect(lines.panel).not_to_have_class(re.compile("stale"))
    until(page, lambda: stage.start() != (1.5, 1.0))
    until(page, lambda: np.allclose(lines.numbers(0), [*stage.start(), *(2 * v for v in stage.start())], rtol=1e-3))


def test_a_phone_has_the_lines_under_the_picture(visit):
    stage = Stage(visit(QUERY + "&explain=1", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    lines = Lines(stage)
    expect(lines.which).to_have_text("step 0 → 1")
    stage.rest()
    assert stage.fits(390)
    picture, panel = stage.top.bounding_box(), lines.panel.bounding_box()
    assert panel["y"] > picture["y"] + picture["height"]
    table = stage.page.get_by_role("region", name="Results").bounding_box()
    assert table["y"] >= panel["y"] + panel["height"], "the lines cover nothing"
