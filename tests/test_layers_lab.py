"""The layers lab: its looks and their URLs, charts at the ends of the floats, what its examples claim, and its page in a browser."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

import optviz as ov
from optviz.activations import activations
from optviz.core import T
from optviz.inside import ABOUT, NUMBERS, WEIGHTS, Inside, drawn, examples_of, find, first_losses, opening, opening_of, openings
from optviz.jobs import DONE, Job, Jobs
from optviz.layers_sheets import SHEETS, Z, latest, octaves, sheet_of, shown, table, told
from optviz.probe import Probe
from optviz.probe_presets import sights
from optviz.race import Race
from optviz.render.sheet_wire import pack_sheet
from optviz.scales import scale_sweep
from optviz.sheet import Dots, Line, Rule, ends, moments_of

PAGE = Path(__file__).parent.parent / "pages" / "layers.py"
SMALL = {"inputs": 8, "layers": (6, 6), "outputs": 3, "batch": 10}
pytestmark = pytest.mark.usefixtures("scanned")


# --- spec and URL -------------------------------------------------------------------------------------------------------------------------


def test_every_example_is_its_url():
    assert len(openings) >= 10 and {*sights} < {*openings}
    for key, o in openings.items():
        assert Inside.from_query(o.look.to_query()) == o.look and opening_of(o.look) == key
        assert all(isinstance(text, T) for text in (o.name, o.do, o.see))
    assert opening("").printed is sights["paralysis"] and {*SHEETS} == {*ABOUT} == {o.look.about for o in openings.values()}


def test_a_url_falls_back_field_by_field():
    notes = []
    look = Inside.from_query("about=chain&own_w1=-3&own_w2=nan&own_function=gelu&own_what=1&activation=tanh&seed=x", notes)
    assert look == Inside("chain", Probe(activation="tanh"), {"w1": -3.0}) and len(notes) == 4
    notes = []
    assert Inside.from_query("about=__import__&layers=7,7&steps=9", notes) == Inside("layers", Probe(layers=(7, 7))) and len(notes) == 1
    for query in ("about=sweep&own_low=1e400&own_seeds=1000000", "about=time&own_steps=1e9&own_scale=1", "about=training&steps=-1", "%00=%ff&about=", "about=" + "x" * 9999):
        notes = []
        assert isinstance(Inside.from_query(query, notes), Inside) and notes
        with pytest.raises(ov.Refused):
            Inside.from_query(query)


def test_what_is_shown_decides_whether_there_is_a_training():
    look = Inside("training", Probe(**SMALL))
    assert look.probe["steps"] == 100 and look.at(about="layers").probe["steps"] == 0 and look.at(about="chain").numbers == ()
    assert Inside("training", Probe(**SMALL, steps=7)).probe["steps"] == 7
    one = Inside("sweep", numbers={"seeds": 5, "low": 0.1})
    assert one.numbers == (("seeds", 5),) and one.at(numbers={"seeds": 2}).numbers == () and one.number("high") == 10
    assert Inside("layers", sights["he"].probe.at(seed=4)).printed is sights["he"] and Inside("layers", Probe(**SMALL)).printed is None


# --- charts -----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.0, 1e-8, 1e8, 1e200])
@pytest.mark.parametrize("activation", ["tanh", "relu", "linear"])
def test_absurd_scales_give_finite_charts_and_a_sentence(scale, activation):
    deep = Probe(**{**SMALL, "layers": (6,) * 50, "steps": 1}, activation=activation, init_scale=scale)
    for look in (Inside("layers", deep), Inside("training", deep), Inside("loss", deep.at(layers=(6,)))):
        result = find(look)
        sheet = sheet_of(look, result)
        finite(sheet)
        if look.about == "layers" and scale and activation == "linear":
            word = "underflow" if scale < 1 else "overflow"
            assert word.capitalize() in told(look, result).en and word.capitalize() in told(look, result).ru
            assert word in finite(sheet)
            rules = [mark for chart in sheet.charts for mark in chart.marks if isinstance(mark, Rule) and mark.word and word in mark.word.en]
            assert rules and all(word in rule.word.ru for rule in rules)
        if look.about == "loss" and activation == "linear" and scale > 1e100:
            assert "scale 10²⁰⁰: overflow" in finite(sheet) and told(look, result).en.startswith("Overflow at scale 10¹⁹⁹, 10²⁰⁰: the loss")
            assert "переполнение" in sheet.charts[1].x.words[2].ru


def test_an_overflowed_loss_is_not_said_to_be_0():
    look = Inside("layers", Probe(inputs=5, layers=(6, 6, 6), outputs=3, batch=10, activation="linear", init_scale=1e200))
    text = told(look, find(look))
    assert text.en.startswith("The loss is ∞ (overflow); a network that says nothing has ln 3") and "Потеря ∞ (overflow)" in text.ru
    assert "0" not in text.en.partition(";")[0]


def test_the_loss_of_the_digits_has_their_ten_classes():
    look = Inside("loss", Probe(data="digits", layers=(6,), batch=10))
    losses = find(look)
    finite(sheet_of(look, losses))
    assert losses.shape == (1, 3) and losses[0, 0] == pytest.approx(np.log(10), rel=0.1)


def test_a_sweep_says_what_theory_and_the_page_leave_out():
    def say(batch=10, **network):
        look = Inside("sweep", Probe(**SMALL | {"batch": batch}).at(**network), {"seeds": 1})
        return look, told(look, scale_sweep(look.probe, scales=[1.0], depths=(2,), batch=10)).en
    assert "edge of chaos is at" in say(activation="tanh")[1]
    for more in ({"activation": "heaviside"}, {"activation": "tanh", "init": "zeros"}):
        assert "at no scale" in say(**more)[1]
    assert "one of plain layers" in say(activation="maxout")[1] and "one of plain layers" in say(activation="tanh", batchnorm="before")[1]
    look, text = say(batch=1000, layers=(500,), activation="tanh")
    assert examples_of(look.probe) == 33 and "Of the 1000 examples 33 are shown" in text
    none = Inside("sweep", Probe(**SMALL, activation="heaviside"), {"seeds": 1})
    assert "0 by itself" in finite(shown(none)) and "underflow" not in finite(shown(none))


def test_an_absurd_sweep_names_what_is_lost():
    look = Inside("sweep", Probe(**SMALL, activation="relu"), {"seeds": 1, "low": 1e-12, "high": 1e12})
    sheet = shown(look)
    finite(sheet)
    assert [mark.name.en for mark in sheet.charts[0].marks if isinstance(mark, Dots)] == ["underflow", "overflow"]
    deepest = [mark for mark in sheet.charts[1].marks if isinstance(mark, Line)][-1]
    assert np.isnan(deepest.y[[0, -1]]).all() and np.isfinite(deepest.y[8]), "what is lost has no place on a curve"


def finite(sheet):
    """Every mark holds gaps and numbers that a browser's floats hold, and every chart has two ends; the words that the sheet has."""
    for chart in sheet.charts:
        for mark in chart.marks:
            for name, a in moments_of(mark).items():
                assert not np.isinf(a).any() and np.abs(a[np.isfinite(a)]).max(initial=0) < np.finfo(np.float32).max, (chart.key, name)
        for low, high in (ends(chart, "x"), ends(chart, "y")):
            assert np.isfinite([low, high]).all() and low < high
    for language in ("en", "ru"):
        assert pack_sheet(sheet, language, {})
    names = [word for chart in sheet.charts for mark in chart.marks if (word := getattr(mark, "name", None) or getattr(mark, "word", None))]
    return " ".join([*(name.en for name in names), *(word.en for chart in sheet.charts for word in chart.x.words)])


@pytest.mark.parametrize("numbers", [dict.fromkeys(WEIGHTS, 1e300), dict.fromkeys(WEIGHTS, 0.0), {"w1": -1e-300, "x": 1e300, "target": -1e300}])
def test_absurd_chains_and_recurrences_are_finite(numbers):
    for function in NUMBERS["chain"]["function"].choices:
        words = finite(shown(Inside("chain", numbers={**numbers, "function": function})))
        assert ("overflow" in words) == (numbers["w1"] == 1e300) or function not in ("linear", "relu")
    words = finite(shown(Inside("time", numbers={"below": 0.0, "above": 1e100, "function": "relu", "steps": 60, "clip": 1e-300, "drive": 1e100, "size": 3})))
    assert "scale 10¹⁰⁰: overflow" in words and "scale 0: " not in words
    text = told(look := Inside("time", numbers={"function": "gelu", "above": 1e100, "below": 1e-10, "steps": 100}), find(look)).en
    assert text.startswith("‖∂h_T/∂h₀‖: 0 (underflow), ") and "∞ (overflow)" in text


def test_every_activation_with_any_parameters_is_drawn():
    for key in activations:
        finite(shown(Inside("activation", Probe(activation=key))))
    finite(shown(Inside("activation", Probe(activation="elu", elu_alpha=1e300))))
    finite(shown(Inside("activation", Probe(activation="leaky_relu", leaky_relu_slope=-1e308))))
    value, slope, lines = drawn(Probe(activation="maxout", maxout_pieces=4), Z)
    assert len(lines) == 4 and (np.diff(slope) >= 0).all() and len({*slope.tolist()}) == 4
    np.testing.assert_allclose(value, np.max(lines, 0))
    sheet = shown(Inside("activation", Probe(activation="tanh")))
    tangent = next(mark for mark in sheet.charts[0].marks if mark.name and mark.name.en == "tangent")
    k = sheet.moments.index("0.5")
    assert np.diff(tangent.y[k])[0] / np.diff(tangent.x[k])[0] == pytest.approx(1 - np.tanh(0.5) ** 2)
    assert [chart.key for chart in sheet.charts if chart.picked] == [f"pick-{key}" for key in activations]


def test_what_a_lecture_prints_stands_beside_ours():
    look = openings["small"].look.at(probe=sights["small"].probe.at(batch=30))
    assert look.printed is None  # another network
    result = find(look)
    marks = [mark for chart in sheet_of(openings["small"].look, result).charts for mark in chart.marks if isinstance(mark, Dots) and mark.name]
    ours, theirs, misprint = marks[:3]
    assert ours.y[:8][[0, 1, 3]] == pytest.approx(np.array(theirs.y)[[0, 1, 2]], rel=0.05) and len(theirs.x) == 7
    assert misprint.y == [0.01863] and "0.01063 is meant" in misprint.name.en and ours.y[2] == pytest.approx(0.01063, rel=0.05)
    rows = table(openings["small"].look, result)
    assert len(rows) == 12 and rows[0][-1].en == "printed: std" and rows[11][-1] == ""
    assert rows[3][-1] == T("0.01863 (misprint: 0.01063)", "0.01863 (опечатка: 0.01063)") and rows[1][-1] == "0.213081"


def test_a_training_shows_each_layer_at_each_step():
    look = Inside("training", Probe(**SMALL, steps=6))
    result = find(look)
    sheet = sheet_of(look, result)
    heat = sheet.charts[0].marks[0]
    assert sheet.moments == [0, 1, 2, 3, 4, 5, 6] and sheet.begin == 0 and heat.z.shape == (3, 7)
    np.testing.assert_array_equal(heat.z, result.gradient_mean_abs.T)
    assert latest(result).loss == result.loss[-1] and len(table(look, result)) == 4
    edges, counts = octaves(result.gradient_magnitudes)
    assert counts.shape == (7, 3, len(edges) - 1) and counts.sum() == result.gradient_magnitudes.sum() and len(edges) < 40


# --- what the examples claim, where no lecture prints it ----------------------------------------------------------------------------------------


def test_a_sigmoid_saturates_where_it_is_said_to():
    slope = activations["sigmoid"].derivative
    assert slope(0.0) == 0.25 and slope(4.65) < 0.01 < slope(4.55)


def test_the_chain_is_as_small_as_it_is_said_to_be():
    c = find(openings["chain"].look)
    assert 0.19 < c.factors[:, 0].min() < 0.2 and c.factors[:, 0].max() < 0.225
    assert c.product[0, 0] == pytest.approx(0.0005, rel=0.05) and c.gradients[0, 0] < c.bound[0, 0] == 2 * 0.25**5
    large = find(openings["chain_large"].look)
    assert large.bound[0, 0] == pytest.approx(195, rel=0.01) and abs(large.gradients[0, 0]) < 1e-16
    assert find(openings["chain_large"].look.at(numbers={"function": "relu"})).product[0, 0] == 1e5


def test_time_forgets_grows_and_is_clipped():
    r = find(openings["recurrence"].look)
    assert 1e-9 < r.product[0, 0] < 1e-8 and r.product[0, 1] == pytest.approx(0.5, rel=0.05) and r.product[0, 2] == pytest.approx(13, rel=0.05)
    assert r.norms[0, 1] / r.product[0, 1] == pytest.approx(2e10, rel=0.1)
    driven = find(openings["recurrence"].look.at(numbers={"drive": 1.0}))
    assert driven.product[0, 1] < 1e-4 and driven.product[0, 2] < 5
    clipped = find(openings["clipping"].look)
    assert clipped.product[0] == pytest.approx([0.0148, 1.0, 45.3], rel=0.01) and clipped.clipped.max() <= 3 + 1e-9 < clipped.gradient.max()


def test_on_the_edge_fifty_layers_hand_gradients_on():
    look = openings["sweep"].look
    s = scale_sweep(look.probe, scales=[0.5, 1.0, 2.0], depths=(50,), batch=20)
    below, on, above = s.ratio[0, :, 0]
    own = scale_sweep(look.probe, scales=[1.0, 1.1, 1.2, 1.3], depths=(50,), seeds=(0, 1)).ratio[0]
    assert (own[:2].mean(-1) < 1).all() and own[2].mean() == pytest.approx(1, abs=0.4) and own[3].mean() > 1.5
    assert s.edge == pytest.approx(1, rel=2e-3) and below < 1e-12 and 1e-4 < on < 10 and above > 1e3
    assert told(look, s).ru.startswith("По теории край хаоса")


def test_a_network_that_knows_nothing_guesses():
    losses = first_losses(openings["guess"].look.probe)
    assert losses[:, 0] == pytest.approx(np.log([2, 3, 5, 10, 20, 50, 100]), rel=0.01) and (losses[:, 2] > 20).all()


# --- the page -----------------------------------------------------------------------------------------------------------------------------------


def lab(query="", language="en"):
    """The page at a query, run once."""
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parse_qsl(query, keep_blank_values=True):
        at.query_params.setdefault(name, []).append(value)
    at.query_params["lang"] = language
    return at.run()


@pytest.mark.parametrize("about", ABOUT)
def test_every_look_has_its_controls(about, monkeypatch):
    def at_once(jobs, owner, place, function, *arguments):
        job = Job(b"", b"")
        job.state, job.result = DONE, function(*arguments)
        return job
    monkeypatch.setattr(Jobs, "ask", at_once)  # no server, no processes
    for language in ("en", "ru"):
        at = lab(f"about={about}&inputs=8&layers=6,6&outputs=3&batch=10&activation=elu&own_seeds=1", language)
        for fold in ("shown", "more"):
            if found := [b for b in at.button if b.key == f"heading-layers-probe-{fold}"]:
                found[0].click()
        at.run()
        assert not at.exception and not at.error and not at.warning
        widgets = [w for kind in ("selectbox", "select_slider", "checkbox", "text_input") for w in getattr(at, kind)]
        assert all((re.search("[а-яё]", w.label, re.I) is not None) == (language == "ru") for w in widgets if re.search("[a-zа-яё]{4}", w.label, re.I))
        keys = {re.sub(r"^layers-(probe-)?|-\d$", "", w.key) for w in widgets}
        assert {f"own-{name}" for name in NUMBERS.get(about, {})} <= keys
        if about in ("layers", "training"):
            assert {"depth", "width", "activation", "elu_alpha", "init", "init_scale", "batchnorm", "layernorm", "residual", "data", "batch", "exact"} <= keys


def test_the_lab_in_english(visit):
    page = visit("/layers?about=activation&lang=en")
    expect(page.get_by_role("heading", name="Layers and gradients", level=1)).to_be_visible()
    expect(page.locator("figcaption").first).to_have_text("Sigmoid")
    point = page.locator("figure.scrubs canvas[role=img]").first
    count = page.locator(".sheet .count")
    expect(count).to_have_text("z = 1.0")
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(count).to_have_text(re.compile(r"z = [56]\.\d"))
    tanh = page.locator("figure", has_text="Hyperbolic tangent").locator("canvas[role=img]")
    tanh.scroll_into_view_if_needed()
    tanh.click()
    expect(page.locator("figcaption").first).to_have_text("Hyperbolic tangent")
    expect(page).to_have_url(re.compile("activation=tanh"))
    page.get_by_role("button", name="Next example").click()
    expect(page.locator("figcaption").first).to_have_text("Maxout")  # from a changed example to the one after it


def test_the_lab_in_russian_opens_the_cliff(visit):
    page = visit("/layers?lang=ru")
    expect(page.locator(".names li", has_text="как напечатано в лекции")).to_have_count(1)
    expect(page.get_by_text("у сети, которая ничего не знает, ln 26 = 3.26")).to_be_visible()
    page.get_by_role("button", name="Все числа по слоям").click()
    expect(page.get_by_role("cell", name="6.2·10⁻⁸")).to_be_visible()
    page.get_by_role("combobox", name="Что показано").click()
    page.get_by_role("option", name="Сквозь время").click()
    expect(page.get_by_text("Наибольший модуль собственных значений W: 0.62, 1.24, 2.48.")).to_be_visible()
    expect(page.locator("figcaption")).to_have_count(5)
    page.get_by_role("button", name="Открыть обрыв в лаборатории спуска").click()
    expect(page).to_have_url(re.compile("clip_norm"))
    assert len(Race.from_query(page.url.partition("?")[2], []).runs) == 2
