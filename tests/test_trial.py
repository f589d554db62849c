"""The regularization lab: its spec and URL, its charts, and its page in a real browser."""

import contextlib
import io
import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

import optviz as ov
from optviz.grid import Grid, Lockstep, Varied, advance
from optviz.regular import several
from optviz.regular.findings import findings
from optviz.regular_sheets import SHEETS, bands
from optviz.render.export import filename, made
from optviz.render.frames import frames
from optviz.render.network_exhibit import wall_exhibit
from optviz.render.options import options
from optviz.render.picture import Look
from optviz.render.sheet_exhibit import sheet_exhibit
from optviz.render.sheet_picture import SheetPicture
from optviz.render.sheet_wire import pack_sheet
from optviz.sheet import ends
from optviz.study import Study
from optviz.training import Training
from optviz.trial import FIRST, GRID, NUMBERS, OWN_NAMES, Trial, numbers_of, opened, opening, script
from optviz.wall import Cell, Wall

PAGE = Path(__file__).parent.parent / "pages" / "regularization.py"
TINY = Training("circle", noise=0.2, n=30, layers=(3, 3), epochs=2, optimizer="adam", loss="ce", dropout=0.3, batch=8)
FEW = {"seeds": 2, "counts": (6, 12), "count": 3, "draws": 10, "side": 12, "copies": 2}


# --- the spec --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", findings)
def test_every_claim_is_a_link(key):
    t = opened(findings[key])
    assert Trial.from_query(t.to_query()) == t == Trial.from_query(f"about={key}") and hash(Trial.from_query(t.to_query())) == hash(t)
    for name, p in numbers_of(key).items():
        changed = t.at(numbers={name: p.high})
        assert changed != t and Trial.from_query(changed.to_query()) == changed and changed.own[name] == changed.number(name) == p.high
        assert OWN_NAMES[name].ru != OWN_NAMES[name].en
    assert t.at(study=t.study.at(seed=7)).study["seed"] == 7


def test_the_first_is_do_not_shrink_the_network():
    assert opening("") == FIRST and FIRST.about == GRID and len(FIRST.grid.cells()) == 12
    assert Trial.from_query(FIRST.to_query()) == FIRST
    assert all(set(table) <= set(OWN_NAMES) for table in NUMBERS.values())


@pytest.mark.parametrize(("query", "told"), [
    ("about=nothing", "unknown name"), ("about=stopping&own_patience=-3", "own_patience"), ("about=shaken&own_size=nan", "own_size"),
    ("about=grid&rows=width,0", "width"), ("about=grid&lr=1e999", "lr"), ("about=zeros&own_seeds=5&n=50", "unknown name"),
])
def test_a_hostile_url_falls_back_and_says_why(query, told):
    notes = []
    t = Trial.from_query(query, notes)
    assert isinstance(t, Trial) and len(notes) == 1 and told in notes[0].en and notes[0].ru


def test_cells_follow_their_groups():
    run = Lockstep(Grid(Study(TINY), Varied("width", (2, 4)), Varied("lambda", (0.0, 0.1, 1.0))))
    assert [cell.values["layers"] for cell in run.cells] == [(2, 2)] * 3 + [(4, 4)] * 3 and not run.ended
    run.take(advance(run.trainers, 60))
    assert run.ended and all(cell.passes == 2 and len(cell.rows) == 3 for cell in run.cells)
    alone = run.studies[4].trainer().run()
    assert np.allclose(run.cells[4].theta, alone.theta)


# --- its charts ------------------------------------------------------------------------------------------------------------------------------


def charts(experiment, training):
    """The sheet of an experiment that is over in a moment."""
    named = experiment.__code__.co_varnames[:experiment.__code__.co_argcount]
    return SHEETS[experiment](experiment(training, **{name: value for name, value in FEW.items() if name in named}))


EXPERIMENTS = list(dict.fromkeys(finding.experiment for finding in findings.values()))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.__name__)
def test_what_an_experiment_finds_is_drawn_in_both_languages(experiment):
    sheet = charts(experiment, TINY)
    assert len({chart.key for chart in sheet.charts}) == len(sheet.charts)
    for chart in sheet.charts:
        for way in ("x", "y"):
            low, high = ends(chart, way)
            assert np.isfinite([low, high]).all() and low < high
    texts = [text for chart in sheet.charts for text in (chart.title, chart.x.name, chart.y.name, chart.note, *(getattr(m, "name", None) for m in chart.marks)) if text]
    assert all(text.en and text.ru and not re.search(r"nan|inf\b|None", text.en) for text in texts)
    assert all(len(pack_sheet(sheet, language, {})) < 2**20 for language in ("en", "ru"))
    assert next(frames(SheetPicture(sheet, Look(language="ru")), [0.0])).std() > 5


@pytest.mark.parametrize("given", [{"dropout": 0.99, "l2": 1e6}, {"n": 4, "lr": 1e6}], ids=str)
def test_absurd_settings_give_a_picture(given):
    for experiment in EXPERIMENTS:
        try:
            sheet = charts(experiment, Training(**{**dict(TINY.values), **given}))
        except ov.Refused as refusal:
            assert refusal.text.ru
            continue
        assert len(pack_sheet(sheet, "en", {})) > 0


def test_bands_hold_every_row_of_a_grid():
    from optviz.core import T
    rows, columns = [T("a", "а"), T("b", "б")], [T("1", "1"), T("2", "2"), T("3", "3")]
    values = np.arange(24.0).reshape(6, 4)
    chart = bands(rows, columns, T("x", "x"), values, T("y", "y"), "key")
    assert [m.name for m in chart.marks] == rows and chart.marks[1].y.tolist() == values[3:].mean(1).tolist()
    assert all((m.low <= m.y).all() and (m.y <= m.high).all() for m in chart.marks)
    assert several.NEVER < 0


# --- what can be taken home --------------------------------------------------------------------------------------------------------------------


def test_charts_are_taken_home_in_every_medium(tmp_path):
    t = opened(findings["trench"])
    sheet = SHEETS[t.finding.experiment](t.finding.run())
    e = sheet_exhibit(sheet, "regularization", t.to_query(), "regularization-trench", t.finding.name, {"optviz": lambda language: script(t, language)})
    files = {medium: made(e, medium, options({"frames": 2} if medium == "gif" else {})) for medium in ("gif", "png", "svg", "html", "csv", "npz", "py")}
    assert filename(e, "png", options({})) == "regularization-trench.png" and len(files["html"]) < 300_000
    assert Image.open(io.BytesIO(files["png"])).size == Image.open(io.BytesIO(files["gif"])).size == (960, 540)
    rows = files["csv"].decode().splitlines()
    assert rows[0] == "chart,series,step,x,y,value,kind" and len(rows) > 100
    arrays = np.load(io.BytesIO(files["npz"]))
    assert np.array_equal(arrays["eigenvalues_0_y"], t.finding.run().eigenvalues[1:, 0])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(files["py"], "script", "exec"), {})  # our own text
    assert "eigenvalues" in said.getvalue()


def test_the_grid_is_one_gif_and_one_still():
    grid = Grid(Study(TINY), Varied("width", (2, 4)), Varied("lambda", (0.0, 0.1, 1.0)))
    run = Lockstep(grid)
    run.take(advance(run.trainers, 60))
    rows, columns = grid.heads()
    wall = Wall([Cell(rows[0], *cell) for cell in zip(run.studies, run.cells, strict=True)], 3, rows, columns)
    e = wall_exhibit(wall, "regularization", "", "grid", rows[0], {})
    film = Image.open(io.BytesIO(made(e, "gif", options({"frames": 3, "language": "ru"}))))
    assert film.n_frames == 3 and np.asarray(Image.open(io.BytesIO(made(e, "png", options({})))).convert("RGB")).std() > 20


# --- its page --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scanned")
@pytest.mark.parametrize(("query", "language"), [("", "ru"), ("about=prepared", "en"), ("about=grid&rows=penalty,none,l1&columns=n,4,8&data=plane", "en")])
def test_the_page_has_its_controls(query, language):
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in parse_qsl(query):
        at.query_params[name] = value
    at.query_params["lang"] = language
    at.run()
    assert not at.exception
    labels = [w.label for kind in ("selectbox", "select_slider", "number_input", "text_input") for w in getattr(at, kind)]
    assert all((re.search("[а-яё]", label, re.I) is not None) == (language == "ru") for label in labels if re.search("[a-zа-яё]{3}", label, re.I))


def test_the_grid_plays_and_a_cell_opens_in_the_boundary_lab(visit):
    page = visit("/regularization?lang=ru&rows=width,2,3&columns=lambda,0,0.1&data=circle&n=40&epochs=12&layers=3")
    expect(page.locator(".wall figure")).to_have_count(4)
    expect(page.locator(".wall b", has_text="нейронов: 3")).to_be_visible()
    page.locator("[data-do=play]").click()
    expect(page.locator(".wall .count")).to_have_text("эпоха 12 из 12")
    page.locator(".wall figure canvas").last.click()
    expect(page).to_have_url(re.compile("/boundary.*l2=0.1"))
    assert "layers=3" in page.url
    expect(page.locator(".network")).to_be_visible()


def test_an_experiment_is_measured_and_drawn(visit):
    page = visit("/regularization?about=stopping&own_patience=3&data=circle&n=30&epochs=30&layers=4&noise=0.3")
    expect(page.locator(".sheet figcaption").first).to_have_text("Loss on training falls, on validation it turns")
    expect(page.get_by_text("patience ends it at pass")).to_be_visible()
    before = page.locator(".sheet canvas[role=img]").nth(1).screenshot()
    page.locator("section.sheet").focus()
    page.get_by_role("button", name="Next example").click()
    expect(page).to_have_url(re.compile("about=auxiliary"))
    expect(page.locator(".sheet figcaption").first).to_have_text("Classes right, without and with a second head")
    assert page.locator(".sheet canvas[role=img]").first.screenshot() != before
