"""The lab of landscapes: its URL, its limits, its files, and the page in a browser."""

import io
import re
import time
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

import optviz as ov
from optviz.core import Refused
from optviz.heavy import went
from optviz.landscape import Landscape, Slice, told
from optviz.landscape_presets import outlooks
from optviz.landscape_scene import landscape_scene
from optviz.palette import THEMES
from optviz.render.export import made
from optviz.render.landscape_exhibit import landscape_exhibit
from optviz.render.options import options
from optviz.render.raster import rgb
from optviz.study import Study
from optviz.training import Training
from optviz.vista import LONGEST, MOST, Vista, found, opening, outlook_of, wait

PAGE = Path(__file__).parent.parent / "pages" / "landscape.py"
TINY = Training("moons", n=40, layers=(4,), loss="logistic", optimizer="adam", lr=0.03, epochs=6)
SMALL = Vista(Slice(TINY, {"sgd": 0.3}, shape=(9, 9)))


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """A store of this test's own."""
    monkeypatch.setenv("OPTVIZ_CACHE", str(tmp_path))


# --- the spec -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vista", [SMALL, *(Vista(o.slice) for o in outlooks.values()),
                                   Vista(Slice(Study("moons", layers=(4,), stop_loss=0.2), shape=(9, 11)), view="plane", at=3),
                                   SMALL.at(directions="random", directions_seed=7, span=0.5, hidden=("sgd", "adam"))])
def test_a_vista_is_its_url(vista):
    assert Vista.from_query(vista.to_query()) == vista


def test_a_change_is_one_of_the_training_the_plane_or_the_look():
    other = SMALL.at(seed=4, directions_seed=5, side=21, span=2.0, view="plane")
    assert (other["seed"], other["directions_seed"], other["side"], other["span"], other["view"]) == (4, 5, 21, 2.0, "plane")
    assert other.slice.shape == (21, 21) and other.slice.span == ((-2.0, 2.0), (-2.0, 2.0)) and other.slice.others == (("sgd", 0.3),)
    assert other.at(span=None).slice.span is None
    assert SMALL.at(optimizer="sgd").slice.others == ()  # who trains the network has a path already
    assert outlook_of(opening("").at(view="plane")) is next(iter(outlooks.values())) and outlook_of(SMALL) is None


def test_a_tampered_url_falls_back_and_says_so():
    notes = []
    vista = Vista.from_query("layers=9999,9999&n=1e9&epochs=1e9&view=up&hidden=nobody&rows=1e9&directions_seed=-1&path=adamm,1&wings=1", notes)
    assert vista["layers"] == Study()["layers"] and vista["view"] == "relief" and len(notes) == 9
    many = Vista.from_query("&".join([TINY.to_query(), *(f"path={key},0.01" for key in ("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adamw"))]))
    assert len(many.slice.others) == MOST - 1


@pytest.mark.parametrize("changes", [{"layers": (65,)}, {"layers": (2,) * 25}, {"n": 5001}, {"epochs": 10_001}, {"side": 2}, {"span": -1.0},
                                     {"others": dict.fromkeys(("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adamw"), 0.01)}])
def test_what_is_too_much_is_refused_in_both_languages(changes):
    with pytest.raises(Refused) as why:
        SMALL.at(**changes)
    assert why.value.text.en and re.search("[а-яё]", why.value.text.ru)


def test_what_a_room_cannot_wait_for_is_refused_with_the_limit():
    assert all(sum(map(wait, o.slices)) < LONGEST / 5 for o in outlooks.values())
    for changes in ({"layers": (64, 64), "n": 2000, "side": 90}, {"epochs": 10_000, "others": dict.fromkeys(("sgd", "momentum", "rmsprop", "adagrad"), 0.01)}):
        with pytest.raises(Refused, match="a room waits for 60"):
            found([SMALL.at(**changes).slice])


# --- what is shown and taken home ---------------------------------------------------------------------------------------------------------


def test_a_landscape_comes_row_by_row(monkeypatch):
    monkeypatch.setattr("optviz.heavy.TOLD", 0)
    seen = []
    (of,) = found([SMALL.at(side=33).slice], lambda done, whole, parts=None: seen.extend(parts or []))
    parts = [part for part in seen if part is not None]
    assert parts and all(isinstance(part, Landscape) and part.where is None for part in parts)
    there = np.isfinite(parts[0].loss)
    assert (parts[0].loss[there] == of.loss[there]).all() and np.isnan(parts[0].loss).sum() == (~there).sum()
    partly = Landscape(**{**vars(of), "loss": np.where(of.y[:, None] > 0, np.nan, of.loss)})
    scene = landscape_scene(partly)
    assert (scene.heat.warp(scene.heat.surface.z)[of.y > 0] == scene.heat.bands).all()


def test_it_goes_home_with_the_plane_and_ends_where_the_plane_does():
    (of,) = found([SMALL.slice])
    shown = landscape_exhibit(of, SMALL.at(hidden=("sgd",), view="plane"))
    assert shown.arrays()["loss"].shape == (9, 9) and shown.arrays()["points_0"].shape == (2, 7)
    lines = list(shown.table("en"))
    assert len(lines) == 1 + 2 * 7 and lines[1].startswith("adam,")
    o = options({"panel": False, "legend": False, "counter": False, "caption": False})
    pixels = np.asarray(Image.open(io.BytesIO(made(shown, "png", o))).convert("RGB"))
    middle = pixels[len(pixels) // 2]
    assert (middle[20] == rgb(THEMES["light"].page)).all() and (middle[480] != middle[20]).any()  # beyond the plane nothing is known
    assert len(made(shown, "gif", o)) > 5_000 and len(made(shown, "html", o)) < 300_000
    assert "pass 6 of 6" in made(shown, "svg", options({})).decode() and "step" not in made(shown, "svg", options({})).decode()
    program = made(shown, "py", options({})).decode()
    exec(compile(program, "landscape.py", "exec"), space := {})
    assert (space["found"].loss == of.loss).all()


def test_where_it_went_is_told_as_with_maps():
    (of,) = found([SMALL.slice])
    text = went([of.where], of.loss.size, ov.T("cells", "ячеек"))
    assert text.en.startswith("81 cells: NumPy, cpu, float64") and text.ru.startswith("Ячеек: 81. NumPy")


# --- the page -----------------------------------------------------------------------------------------------------------------------------


def lab(query, language="en"):
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parse_qsl(query, keep_blank_values=True):
        at.query_params.setdefault(name, []).append(value)
    at.query_params["lang"] = language
    return settled(at.run())


def settled(at):
    """The page once its landscape is there."""
    until = time.monotonic() + 60
    while any(button.key.startswith("job-stop") for button in at.button) and time.monotonic() < until:
        at.run()
    return at


def vista(at) -> Vista:
    return at.session_state["frame-specs"]["landscape"]


def widget(at, kind, key):
    (one,) = [w for w in getattr(at, kind) if w.key.rpartition("-")[0] == f"landscape-{key}"]
    return one


@pytest.mark.parametrize("language", ["en"])
def test_every_url_gives_a_page(language):
    shared = "data=moons&n=40&epochs=4&loss=logistic&rows=9&columns=9"
    for query, warned in ((f"{shared}&layers=4", 0), (f"{shared}&layers=4&of=study&stop_loss=0.5&directions=random", 0),
                          ("layers=9999&rows=-1&view=3&span=1,2&path=;drop&%00=%ff&epochs=2&columns=9", 0), (f"{shared}&layers=&epochs=0", 1),
                          (f"{shared}&layers=4&optimizer=sgd&activation=relu&lr=1e6&epochs=20", 1), (f"{shared}&layers=64,64&n=2000&rows=90&columns=90", 1)):
        at = lab(query, language)
        assert not at.exception and not at.error and len(at.warning) == warned, query
        assert any(word in " ".join(m.value for m in at.markdown) for word in ("The trained network has", "Потеря обученной сети")) is not bool(warned)


def test_controls_change_the_plane_the_paths_and_the_network():
    at = lab(SMALL.to_query())
    assert told(ov.landscape(SMALL.slice)).en in [m.value for m in at.markdown]
    widget(at, "selectbox", "directions").set_value("random").run()
    widget(at, "text_input", "directions_seed").set_value("3").run()
    widget(at, "selectbox", "add").set_value("momentum").run()
    at.button(key="heading-landscape-path1").click().run()
    widget(at, "text_input", "sgd-lr-exact").set_value("0.25").run()
    at.button(key="landscape-sgd-hide").click().run()
    widget(at, "text_input", "layers").set_value("3, 3").run()
    now = settled(at).session_state["frame-specs"]["landscape"]
    assert now["directions"] == "random" and now["directions_seed"] == 3 and now["layers"] == (3, 3) and now["hidden"] == ("sgd",)
    assert dict(now.slice.others) == {"sgd": 0.25, "momentum": ov.optimizers["momentum"].params["lr"].default}
    at.button(key="landscape-sgd-remove").click().run()
    assert "sgd" not in dict(vista(at).slice.others) and not at.exception
    widget(at, "text_input", "layers").set_value("3, 3000").run()
    assert vista(at)["layers"] == (3, 3) and "up to 24 whole numbers from 1 to 64" in at.warning[0].value


def test_it_plays_turns_and_hides_a_path(visit):
    page = visit(f"/landscape?{SMALL.to_query()}&lang=ru")
    stage = page.locator("section[role=application]")
    expect(stage.locator(".count")).to_have_text(re.compile("эпоха 6 из 6"))  # it was played
    expect(page.get_by_text("Ячеек: 81")).to_be_visible()
    stage.focus()
    page.keyboard.press("Home")
    expect(stage.locator(".count")).to_have_text(re.compile("эпоха 0 из 6"))
    page.keyboard.press("2")
    page.wait_for_url(re.compile("hidden=sgd"))
    expect(stage.get_by_role("button", name="Рельеф", exact=True)).to_have_attribute("aria-pressed", "true")
    stage.get_by_role("button", name="Рельеф", exact=True).click()
    page.wait_for_url(re.compile("view=plane"))


def test_a_network_goes_from_lab_to_lab(visit):
    page = visit(f"/boundary?{Study(TINY).to_query()}")
    page.get_by_role("button", name="The loss landscape of this network").click()
    page.wait_for_url(re.compile("/landscape.*n=40"))
    page.get_by_role("button", name="Open this network in the Boundary lab").click()
    page.wait_for_url(re.compile("/boundary.*n=40"))
    expect(page.get_by_role("button", name="The loss landscape of this network")).to_be_visible()


def test_two_are_compared_on_the_stage(visit):
    page = visit(f"/landscape?{Vista(outlooks['batches'].slice).to_query()}&at=50")
    stage = page.locator("section[role=application]")
    expect(stage.get_by_role("button", name="batches of 5", pressed=True)).to_be_visible()
    expect(page.locator(".optviz-table tbody tr")).to_have_count(2)  # both in numbers
    stage.get_by_role("button", name="all 100 at once").click()
    page.wait_for_url(re.compile("batch=100"))
    expect(stage.locator(".count")).to_have_text("pass 50 of 1000")
    expect(page.get_by_text("Small batches are said to")).to_be_visible()  # the lesson stays
    stage.focus()
    page.keyboard.press("c")
    expect(stage.locator(".count")).to_have_text("pass 50 of 100")
    expect(stage.get_by_role("button", name="batches of 5", pressed=True)).to_be_visible()
