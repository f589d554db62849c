"""The fair race in a browser: the click, the marks, the curves in both themes and on a phone, and the way back."""

import re

import pytest
from playwright.sync_api import expect

FIELD = "surface=ravine&steps=100&optimizer=sgd:lr=0.001&optimizer=adam:lr=0.002"


@pytest.mark.parametrize(("query", "theme", "width", "height", "fair", "mark", "back", "how", "axis"), [
    (f"?lang=ru&noise=0.2&{FIELD}", "dark", 390, 844, "Честная гонка", "подобрана", "Вернуть прежние скорости", "Как подобраны скорости обучения",
     "скорость обучения α")])
def test_tune_look_and_go_back(visit, query, theme, width, height, fair, mark, back, how, axis):
    page = visit(query, color_scheme=theme, viewport={"width": width, "height": height})
    page.get_by_role("button", name=fair).click()
    expect(page.get_by_role("button", name=back)).to_be_visible()
    expect(page.locator("[class*=st-key-heading-descent-entrant] button")).to_contain_text([mark, mark])
    expect(page).to_have_url(re.compile("untuned=0.001.*untuned=0.002"))
    page.get_by_role("button", name=how).click()
    plot = page.locator(".js-plotly-plot")
    expect(plot.get_by_text(axis)).to_be_visible()
    expect(plot.locator(".scatterlayer .trace")).to_have_count(6 if "noise" in query else 4)  # a band and a line and a mark for each
    box = plot.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and page.evaluate("document.documentElement.scrollWidth") <= width
    expect(plot.locator(".modebar")).to_have_count(0)
    ink = plot.get_by_text(axis).evaluate("e => getComputedStyle(e).fill")
    shade = sum(map(float, ink.removeprefix("rgb(").rstrip(")").split(",")[:3])) / 3
    assert shade > 128 if theme == "dark" else shade < 140  # ink that can be read on the page
    page.get_by_role("button", name=back).click()
    expect(page.get_by_role("button", name=fair)).to_be_visible()
    expect(page).to_have_url(re.compile("sgd:lr=0.001&optimizer=adam:lr=0.002(&|$)"))
    expect(plot).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("button", name=back)).to_be_visible()
