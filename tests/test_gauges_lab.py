"""The readouts under the stage in a browser: switched on and off, shared, read, and following the hand."""

import re

import pytest
from playwright.sync_api import expect
from test_lab import Stage, until

HOT = "?surface=bowl&optimizer=sgd:lr=1.2&steps=10&at=4"
FIELD = "?surface=ravine&start=8,8&optimizer=momentum:lr=0.02&optimizer=sgd:lr=0.05&optimizer=adam:lr=0.1&steps=40&at=5"


class Gauges(Stage):
    """The stage with its strip."""

    def __init__(self, page):
        super().__init__(page)
        self.strip, self.whose, self.product, self.comb, self.feet = (
            page.locator(f".optviz-stage .gauges{part}") for part in ("", " .whose", " .product figcaption", " .comb figcaption", " .feet figcaption"))

    def card(self, name):
        """What is painted on a card."""
        return self.page.locator(f".optviz-stage .gauges .{name} canvas").evaluate("canvas => canvas.toDataURL()")


def test_key_and_button_switch_them_and_the_stage_stays(visit):
    stage = Gauges(visit(HOT))
    stage.at(4)
    stage.rest()
    canvas = stage.top.element_handle()
    expect(stage.strip).to_be_hidden()
    stage.press("g")
    expect(stage.product).to_have_text("α·λmax = 2.4 > 2")
    stage.url("gauges=1")
    stage.says(r"α·λmax = 2\.4 > 2, stability limit\.$")
    expect(stage.page.locator(".optviz-stage [data-do=gauges]")).to_have_attribute("aria-pressed", "true")
    stage.do("gauges")
    expect(stage.strip).to_be_hidden()
    expect(stage.page).not_to_have_url(re.compile("gauges"))
    stage.box.dispatch_event("keydown", {"key": "п"})
    expect(stage.product).to_be_visible()
    stage.at(4)
    assert canvas.evaluate("old => old.isConnected"), "the stage was made anew"


def test_each_card_is_there_where_its_run_has_it_and_the_name_goes_on_to_the_next(visit):
    stage = Gauges(visit(FIELD + "&gauges=1"))
    expect(stage.whose).to_have_text("Momentum")
    expect(stage.product).to_have_text("α·λmax = 0.4 < 3.8")
    expect(stage.comb).to_have_text("the last 10 hold 65 %")
    expect(stage.feet).to_be_hidden()
    stage.whose.click()
    expect(stage.whose).to_have_text("Gradient descent")
    expect(stage.comb).to_be_hidden()
    stage.whose.click()
    expect(stage.product).to_have_text(re.compile(r"^λmax\(D·H\) = 0\.0\d+"))
    expect(stage.feet).to_have_text("Adam's first 12 steps")
    stage.whose.click()
    stage.press("1")
    expect(stage.whose).to_have_text("Gradient descent")
    stage = Gauges(visit(FIELD + "&gauges=1&explain=2"))
    expect(stage.whose).to_have_text("Adam")
    stage.whose.click()
    stage.url("explain=0")
    expect(stage.whose).to_have_text("Momentum")


def test_they_are_read_in_russian_from_a_slide(visit):
    stage = Gauges(visit(FIELD + "&gauges=1&embed=true&lang=ru", viewport={"width": 960, "height": 540}))
    expect(stage.comb).to_have_text("последние 10 хранят 65 %")
    stage.says(r"Импульс: α·λmax = 0\.4 < 3\.8, порог устойчивости\.$")
    assert stage.box.evaluate("box => box.getBoundingClientRect().bottom <= innerHeight + 1")


def test_comb_and_feet_fill_with_the_steps_and_the_dot_moves(visit):
    stage = Gauges(visit(FIELD.replace("optimizer=momentum:lr=0.02&", "").replace("optimizer=sgd:lr=0.05&", "") + "&gauges=1"))
    stage.at(5)
    expect(stage.feet).to_be_visible()
    stage.rest()
    names = ("product", "comb", "feet")
    before = [stage.card(name) for name in names]
    stage.press("ArrowRight")
    stage.at(6)
    until(stage.page, lambda: all(stage.card(name) != old for name, old in zip(names, before, strict=True)))
    stage.press("ArrowLeft")
    stage.at(5)
    until(stage.page, lambda: [stage.card(name) for name in names] == before)


def test_the_product_follows_the_hand_as_the_server_would_say_it(visit):
    stage = Gauges(visit("?surface=rosenbrock&optimizer=sgd:lr=0.001&steps=40&at=0&gauges=1&start=-1,1"))
    expect(stage.product).to_have_text(re.compile("^α·λmax = "))
    stage.rest()
    box = stage.box.bounding_box()
    first = stage.product.inner_text()
    stage.page.mouse.move(*stage.spot(0.3, 0.3))
    stage.page.mouse.down()
    stage.page.mouse.move(*stage.spot(0.34, 0.4), steps=3)
    until(stage.page, lambda: stage.product.inner_text() != first)
    held = stage.product.inner_text()
    stage.page.mouse.up()
    until(stage.page, lambda: stage.start() != (-1.0, 1.0))
    stage.page.reload()
    expect(stage.product).to_have_text(held.replace("\n", ""))
    assert stage.box.bounding_box() == box


def test_rates_that_hang_on_what_a_run_met_are_not_read_from_another_start(visit):
    stage = Gauges(visit("?surface=rosenbrock&optimizer=sgd:lr=0.001,schedule=plateau&steps=40&at=0&gauges=1&start=-1,1"))
    expect(stage.product).to_have_text(re.compile("^α·λmax = "))
    stage.rest()
    card = stage.page.locator(".optviz-stage .gauges .product")
    stage.page.mouse.move(*stage.spot(0.3, 0.3))
    stage.page.mouse.down()
    stage.page.mouse.move(*stage.spot(0.34, 0.4), steps=3)
    expect(card).to_have_class(re.compile("stale"))
    stage.page.mouse.up()
    expect(card).not_to_have_class(re.compile("stale"))


def test_who_has_nothing_to_read_is_told_so(visit):
    stage = Gauges(visit("?surface=bowl&optimizer=newton&steps=10&at=4&gauges=1"))
    expect(stage.strip.get_by_text("neither a limit for its rate nor a memory")).to_be_visible()


@pytest.mark.parametrize("language", ["ru"])
def test_a_phone_scrolls_the_cards_and_not_the_page(visit, language):
    stage = Gauges(visit(f"{FIELD}&gauges=1&lang={language}", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    expect(stage.product).to_be_visible()
    assert stage.fits(390)
    assert stage.strip.evaluate("strip => strip.scrollWidth > strip.clientWidth")


def test_in_a_presentation_every_word_is_large(visit):
    stage = Gauges(visit(FIELD + "&gauges=1"))
    expect(stage.comb).to_be_visible()
    stage.press("f")
    sizes = stage.page.locator(".optviz-stage .gauges :is(figcaption, .whose)").evaluate_all("all => all.map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(sizes) >= 16
