"""The decision-boundary lab: its page without a browser, and in one."""

import re
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import streamlit as st
from conftest import whole
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

import optviz as ov
from optviz.ending import advance
from optviz.names import choices, setting_name
from optviz.study import STOPS, Study
from optviz.study_presets import lessons
from optviz.training import COMMON, WORDS, settings_of
from optviz.ui.text import unbroken

PAGE = Path(__file__).parent.parent / "pages" / "boundary.py"
pytestmark = pytest.mark.usefixtures("scanned")
FOLDS = ("data", "network", "training", "regularization", "stops")


def lab(query="", language="en"):
    """The page at a query, run once."""
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parse_qsl(query, keep_blank_values=True):
        at.query_params.setdefault(name, []).append(value)
    at.query_params["lang"] = language
    return at.run()


def study(at) -> Study:
    return at.session_state["frame-specs"]["boundary"]


def widget(at, kind, key):
    (found,) = [w for w in getattr(at, kind) if w.key.rpartition("-")[0] == f"boundary-{key}"]
    return found


def unfold(at):
    """The page with all headings opened at once."""
    for key in FOLDS:
        at.button(key=f"heading-boundary-{key}").click()
    return at.run()


@pytest.mark.parametrize("key", lessons)
def test_every_lesson_opens_with_all_its_controls(key):
    query = lessons[key].study.to_query()
    for language in ("en", "ru"):
        at = unfold(lab(query, language))
        assert not at.exception and not at.warning and study(at) == lessons[key].study
        said = " ".join(element.value for element in at.markdown)
        assert unbroken(getattr(lessons[key].see, language)) in said
        labels = [w.label for kind in ("selectbox", "select_slider", "checkbox", "number_input", "text_input") for w in getattr(at, kind)]
        assert all((re.search("[а-яё]", label, re.I) is not None) == (language == "ru") for label in labels if re.search("[a-zа-яё]{3}", label, re.I))


def test_every_setting_of_a_training_has_a_control():
    at = unfold(lab("data=spiral&optimizer=adam&schedule=step&l1=0.1&l2=0.1&elastic=0.1&dropout=0.1&batchnorm=before&patience=5&activation=elu"))
    values = dict(study(at).training.values)
    shown = {w.key.removeprefix("boundary-").rpartition("-")[0].removesuffix("-on")
             for kind in ("selectbox", "select_slider", "checkbox", "number_input", "text_input", "button_group") for w in getattr(at, kind)}
    assert {*WORDS, *COMMON, *settings_of(values), *STOPS} - shown == {"activation", "seed", "data_seed", "penalty_layers"}
    assert all(f"activation{i}" in shown for i in range(2)) and "activations" in shown
    assert all(setting_name(values, name) and choices(name, p) is not None for name, p in settings_of(values).items())


@pytest.mark.parametrize(("text", "layers"), [("4 3", (4, 3)), ("16,8, 4", (16, 8, 4)), ("", ())])
def test_layers_are_typed(text, layers):
    at = lab()
    widget(at, "text_input", "layers").set_value(text).run()
    assert study(at)["layers"] == layers and not at.warning


@pytest.mark.parametrize("text", ["4 x", "0", "65", "1 1 1 1 1 1 1 1 1", "-3", "1e3", "8; import os"])
def test_layers_that_cannot_be_are_said_to_be_impossible(text):
    at = lab()
    before = study(at)
    widget(at, "text_input", "layers").set_value(text).run()
    assert study(at) == before and len(at.warning) == 1 and "layers=" in at.warning[0].value.replace("\\", "").replace("\u2060", "")


def test_a_tampered_link_opens_with_notes():
    at = lab("data=spirall&lr=abc&layers=9,9,9,9,9,9,9,9,9&activation=tanhh&wings=1")
    assert not at.exception and study(at)["data"].key == "spiral" and any("spirall" in element.proto.body for element in at.get("html"))


def test_a_slice_makes_passes_until_it_is_told_to_stop():
    s = Study("circle", epochs=400, stop_loss=0.2, lr=0.02)
    trainer = advance(s, s.trainer(), 0.0)
    assert trainer.passes == 1
    assert advance(s, trainer, 10.0, 2).passes == 3
    trainer = advance(s, trainer, 60.0)
    assert trainer.rows[-1][1] < 0.2 <= trainer.rows[-2][1]
    assert advance(s, trainer, 60.0).passes == trainer.passes


@pytest.mark.parametrize("stage", ["network", "wall"])
def test_a_stage_is_told_which_of_its_words_was_heard(stage, monkeypatch):
    shown, state = [], {}
    monkeypatch.setattr(st.components.v2, "component", lambda *name, **parts: lambda **given: shown.append(given))
    monkeypatch.setattr(st, "session_state", state)
    spec = find_spec("optviz.ui.network")
    network = module_from_spec(spec)
    spec.loader.exec_module(network)  # one that no page has

    def show():
        getattr(network, stage)(lambda heard: heard, "stage", lambda event: event["step"])
        return shown[-1]["data"]
    assert show() == 0
    for event, heard in (({"step": 1, "word": 7}, 7), ({"look": {}, "step": 1}, 7), ({"unknown": 1, "word": 9}, 9), ({"step": 1, "word": "<b>"}, 9), ("x", 9), (None, 9)):
        state["stage"] = {"event": event}
        shown[-1]["on_event_change"]()
        assert show() == heard


# --- in a browser -----------------------------------------------------------------------------------------------------------------------


def count(page, text):
    expect(page.locator(".count")).to_have_text(re.compile(text))


def test_a_visitor_trains_looks_back_and_changes_the_network(visit):
    page = visit("/boundary?data=circle&layers=4&activation=tanh&loss=logistic&lr=0.1&epochs=30&lang=en")
    stage = page.locator("section[role=application]")
    count(page, "^pass 0 of 30$")
    stage.focus()
    page.keyboard.press("ArrowRight")
    count(page, "^pass 1 of 30$")
    page.keyboard.press("Space")
    count(page, "^pass 30 of 30$")
    page.keyboard.press("Home")
    count(page, "^pass 0 of 30$")
    page.keyboard.press("s")  # other first weights: the whole page hears of it
    page.wait_for_url(re.compile("seed=1"))
    layers = page.get_by_label("Hidden layers")
    layers.fill("3 2")
    layers.press("Enter")
    page.wait_for_url(re.compile("layers=3,2"))
    whole(page)  # the new network is on the stage
    count(page, "^pass 0 of 30$")
    stage.focus()
    page.keyboard.press("ArrowRight")
    count(page, "^pass 1 of 30$")


def test_divergence_is_told_in_russian_and_the_picture_stays(visit):
    page = visit("/boundary?data=gauss&activation=relu&lr=5.0&lang=ru")
    page.locator("section[role=application]").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text(re.compile("веса слоя . ушли в бесконечность: уменьшите α")).first).to_be_visible()
    assert int(re.search(r"\d+", page.locator(".count").inner_text())[0]) < ov.Training("gauss").epochs


def test_points_and_weights_set_by_hand_begin_the_training_anew(visit):
    page = visit("/boundary?data=circle&layers=4&epochs=3000&lang=ru", viewport={"width": 1280, "height": 720})
    stage, top = page.locator("section[role=application]"), page.locator(".picture .top")
    stage.focus()
    page.keyboard.press("Space")
    count(page, r"^эпоха [1-9]\d* из 3000$")
    page.keyboard.press("p")
    top.click(position={"x": 20, "y": 20})
    page.wait_for_url(re.compile("data=own"))
    expect(page.get_by_text("Собственных данных в ссылке нет")).to_be_visible()
    count(page, r"^эпоха [1-9]\d* из 3000$")  # it plays on
    page.keyboard.press("Control+z")
    page.wait_for_url(re.compile("data=circle"))
    page.keyboard.press("Space")
    page.get_by_role("button", name="Стереть все точки").click()
    expect(page.locator(".sentence")).to_have_text(re.compile("Плоскость пуста"))
    top.click(position={"x": 20, "y": 20})
    expect(page.locator(".sentence")).to_have_text(re.compile("Все обучающие точки одного класса"))
    page.keyboard.press("1")
    top.click(position={"x": 200, "y": 90})
    expect(page.locator(".sentence.said")).to_have_count(0)
    page.keyboard.press("p")
    page.keyboard.press("l")  # the first weight
    page.keyboard.press("Delete")
    page.wait_for_url(re.compile("weights=0.0,"))
    count(page, "^эпоха 0 из 3000$")
