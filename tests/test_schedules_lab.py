"""The lab of learning rates: its page without a browser, and in one."""

import re
import time
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from conftest import whole
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

import optviz as ov
from optviz.pace import ASKED, Pace
from optviz.pace_presets import plans
from optviz.race import Entrant, Race
from optviz.ui.text import unbroken

PAGE = Path(__file__).parent.parent / "pages" / "schedules.py"
pytestmark = pytest.mark.usefixtures("scanned")


def lab(query="", language="en"):
    """The page at a query, run until what it asks for is measured."""
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parse_qsl(query, keep_blank_values=True):
        at.query_params.setdefault(name, []).append(value)
    at.query_params["lang"] = language
    return settled(at.run())


def settled(at):
    """The page once its answer is there."""
    until = time.monotonic() + 60
    while any(button.key.startswith("job-stop") for button in at.button) and time.monotonic() < until:
        at.run()
    return at


def sheets(at):
    """How many sheets of charts the page shows."""
    return sum(proto.proto.component_name == "optviz.sheet" for proto in at.get("bidi_component"))


def pace(at) -> Pace:
    return at.session_state["frame-specs"]["schedules"]


def widget(at, kind, key):
    (found,) = [w for w in getattr(at, kind) if w.key.rpartition("-")[0] == f"schedules-{key}"]
    return found


@pytest.mark.parametrize("key", plans)
def test_every_plan_opens_in_both_languages_with_its_formulas(key):
    plan = plans[key]
    for language in ("en", "ru"):
        at = lab(plan.pace.to_query(), language)
        for i in range(len(plan.pace.race.entrants)):
            at.button(key=f"heading-schedules-schedule{i}").click()
        at.run()
        assert not at.exception and not at.warning and not at.error and pace(at) == plan.pace
        assert unbroken(getattr(plan.see, language)) in " ".join(element.value for element in at.markdown)
        assert len(at.code) == len(plan.pace.race.entrants) and sum("alpha" in each.value for each in at.latex) >= len(at.code)
        labels = [w.label for kind in ("selectbox", "select_slider", "checkbox", "number_input", "text_input") for w in getattr(at, kind)]
        assert all((re.search("[а-яё]", label, re.I) is not None) == (language == "ru") for label in labels if re.search("[a-zа-яё]{3}", label, re.I))


@pytest.mark.parametrize("figure", ASKED["figure"].choices)
@pytest.mark.parametrize("query", ["surface=ackley&optimizer=adam", "formula=x%2By&optimizer=momentum", "formula=-x^2-y^2&optimizer=sgd",
                                   "surface=cliff&optimizer=newton", "formula=sqrt(x)&start=1,1&optimizer=sgd:lr=1e300&noise=1e308",
                                   "surface=bowl&start=0,0&optimizer=sgd"])
def test_any_question_on_anything_is_answered_with_a_figure_or_a_sentence(query, figure):
    at = lab(f"{query}&figure={figure}&steps=40")
    assert not at.exception and not at.error and len(at.warning) + sheets(at) == (figure != "run")


@pytest.mark.parametrize("key", ["newton", "polyak"])
@pytest.mark.parametrize("figure", ["three", "range"])
def test_a_network_is_trained_by_any_optimizer_or_it_is_said_why_not(key, figure):
    at = lab(f"optimizer={key}&figure={figure}&on=network", "ru")
    assert not at.exception and not at.error and len(at.warning) + sheets(at) == 1
    assert not any(button.label.startswith("Взять") for button in at.button), "a network's rate is none for the surface"


def test_controls_change_all_or_one_of_the_schedules():
    at = lab(plans["floor"].pace.to_query())
    widget(at, "select_slider", "sgd-lr").set_value(0.1).run()
    assert {e["lr"] for e in pace(at).race.entrants} == {0.1}
    widget(at, "selectbox", "add").set_value("noam").run()
    assert pace(at).race.entrants[-1].schedule == "noam"
    widget(at, "text_input", "schedule4-noam-warmup_steps").set_value("20").run()
    assert pace(at).race.entrants[-1]["warmup_steps"] == 20 and "SequentialLR" in at.code[0].value
    widget(at, "text_input", "schedule4-noam-warmup_steps").set_value("1e9").run()
    assert pace(at).race.entrants[-1]["warmup_steps"] == 20 and "shorter" in at.warning[0].value
    at.button(key="schedules-schedule4-noam-remove").click().run()
    assert len(pace(at).race.entrants) == 4
    widget(at, "selectbox", "optimizer").set_value("nesterov").run()
    assert {e.optimizer for e in pace(at).race.entrants} == {"nesterov"} and not at.exception


def test_a_tampered_link_opens_with_notes():
    at = lab("surface=bowlll&v=99&figure=wings&steps=1e9&across=;drop&optimizer=sgd:schedule=steep&wings=1")
    told = " ".join(element.proto.body for element in at.get("html"))
    assert not at.exception and "bowlll" in told and "v=" in told


# --- in a browser -----------------------------------------------------------------------------------------------------------------------


def rate_in(url):
    return float(re.search(r"lr=([\d.e-]+)", url)[1])


@pytest.mark.parametrize(("language", "names"), [("ru", ("Подбор α", "Карта устойчивости", "шаг"))])
def test_a_click_takes_a_rate_and_a_cell_into_the_lab(visit, language, names):
    ravine = ov.surfaces["ravine"].at(b=10.0)
    start = Pace(Race(ravine, (8.0, 3.0), [Entrant("momentum", lr=0.02), Entrant("momentum", "cosine", lr=0.02)], steps=60), figure="run")
    page = visit(f"/schedules?{start.to_query()}&lang={language}")
    stage = page.locator("section[role=application]:not(.sheet)")
    expect(stage.locator(".legend small")).to_have_count(2)
    stage.focus()
    page.keyboard.press("Home")
    expect(stage.locator(".legend small").nth(1)).to_have_text("α = 0.02")
    expect(stage.locator(".count")).to_have_text(re.compile(f"^{names[2]} 0"))
    page.keyboard.press("End")
    expect(stage.locator(".legend small").nth(0)).to_have_text("α = 0.02")
    expect(stage.locator(".legend small").nth(1)).not_to_have_text("α = 0.02")
    rates = stage.locator(".rates")
    box = rates.bounding_box()
    rates.click(position={"x": box["width"] / 2, "y": box["height"] / 2})  # the playhead goes where the curves are clicked
    expect(stage.locator(".count")).to_have_text(re.compile(f"^{names[2]} (28|29|30)"))

    page.get_by_role("radio", name=names[0]).or_(page.get_by_role("button", name=names[0])).first.click()
    plot, told = page.locator("section.sheet figure.picked canvas[role=img]"), page.locator("section.sheet .readout")

    def taken(across):
        """What a pointer reads in the middle of the height, then clicks."""
        whole(page)
        box = plot.bounding_box()
        before, where = rate_in(page.url), {"x": across * box["width"], "y": box["height"] / 2}
        plot.hover(position=where)
        said = dict(line.split(" = ") for line in told.inner_text().splitlines() if " = " in line)
        plot.click(position=where)
        page.wait_for_url(lambda url: rate_in(url) != before)
        return {sign: float(number) for sign, number in said.items()}
    expect(plot).to_be_visible()
    read = taken(0.6)
    assert 1e-3 < read["α"] < 0.1 and rate_in(page.url) == pytest.approx(read["α"], rel=0.03), "a click is less exact than a move by a part of a pixel"

    page.get_by_role("radio", name=names[1]).or_(page.get_by_role("button", name=names[1])).first.click()
    page.wait_for_url(re.compile("figure=map"))
    expect(page.locator("section.sheet figure.tall")).to_be_visible()
    read = taken(0.4)
    assert rate_in(page.url) == pytest.approx(read["αλ"] / 20, rel=0.005) and 0.02 < rate_in(page.url) < 0.12
    where = [page.locator(part).bounding_box() for part in ("section.sheet figure.tall canvas[role=img]", "section[role=application]:not(.sheet) .picture")]
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 720 for box in where), "the map and the run that was clicked, both in sight"
    expect(stage.locator(".legend small").nth(0)).to_have_text(f"α = {rate_in(page.url):.3g}")
    assert float(re.search(r"momentum=([\d.]+)", page.url)[1]) == pytest.approx(read["γ"], rel=0.005) and 0.3 < read["γ"] < 0.7
