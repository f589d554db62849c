"""A scene: its bands and limits, its way to the browser, and the runs that the browser repeats by itself."""

import base64
import io
import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import optviz as ov
from optviz import optimizers, surfaces
from optviz.live import live
from optviz.outcome import solve
from optviz.palette import THEMES
from optviz.race import Entrant, Race, entrant_on
from optviz.render.picture import fit, heat_pixels
from optviz.render.wire import heat_head, pack
from optviz.render.words import digits
from optviz.scene import BANDS, dots, heat, panel, race_scene

WEB = Path(ov.__file__).parent / "ui" / "web"
TEXTS = {"start": "старт"}


@pytest.fixture(scope="module")
def page(browser):
    """A page that may import the stage's modules."""
    context = browser.new_context()
    page = context.new_page()
    page.route("http://stage/**", lambda route: route.fulfill(path=WEB / Path(route.request.url).name, content_type="text/javascript")
               if route.request.url.endswith(".js") else route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto("http://stage/")
    yield page
    context.close()


def head(data):
    """The JSON head of a packed scene, and a reader of its arrays."""
    length, size = struct.unpack_from("<II", data)
    assert len(data) == 8 + length + size
    return json.loads(data[8:8 + length]), lambda place: np.frombuffer(data, place[0], place[2], 8 + length + place[1])


# --- bands ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", surfaces)
def test_bands_rise_with_the_height_and_let_valleys_be_read(key):
    s = surfaces[key]
    h = heat(s, s.box)
    x, y = np.meshgrid(np.linspace(*s.box[0], 90), np.linspace(*s.box[1], 90))
    f = np.sort(s.value(x, y).ravel())
    u = h.warp(f)
    assert np.all(np.diff(u) >= 0)
    assert 0 <= u[0] < 1
    assert u[-1] > BANDS - 1
    assert np.mean(u < BANDS / 8) < 0.55, "most of the picture must not lie in the lowest bands"
    assert len(np.unique(u.astype(int))) >= 12


def test_heights_are_spaced_by_their_logarithm_only_where_the_range_asks_for_it():
    assert {key for key in surfaces if heat(surfaces[key], surfaces[key].box).scale} == {
        "rotated_ravine", "rosenbrock", "distill_rosenbrock", "beale", "himmelblau", "six_hump_camel", "three_hump_camel"}
    h = heat(surfaces["rosenbrock"], surfaces["rosenbrock"].box)
    far = h.low + h.span * np.array([0.01, 0.1, 1.0])  # well above the scale every decade takes as many bands
    decades = np.diff(h.warp(far))
    assert decades[0] == pytest.approx(decades[1], rel=0.1)


@pytest.mark.parametrize("formula", ["0*x", "7", "exp(exp(x*x))", "1e300*x", "sqrt(x)", "log(x-2.99)", "1/(x*y)", "x*1e-300", "abs(x)^0.01"])
def test_any_surface_has_bands(formula):
    s = ov.surface(formula)
    h = heat(s, s.box)
    u = h.warp(s.value(*np.meshgrid(np.linspace(-3, 3, 50), np.linspace(-3, 3, 50))))
    assert np.isfinite(u).all()
    assert u.min() >= 0
    assert u.max() <= BANDS


def test_the_box_decides_on_the_bands():
    s = surfaces["beale"]
    assert heat(s, ((2.9, 3.1), (0.4, 0.6))).span < 1e-3 * heat(s, s.box).span


def test_what_is_no_number_stands_as_high_as_the_highest():
    assert heat(surfaces["bowl"], surfaces["bowl"].box).warp(np.array([np.nan, np.inf, -np.inf])).tolist() == [BANDS] * 3


@pytest.mark.parametrize("key", ["bowl", "rosenbrock", "plateau"])
def test_the_page_has_the_same_bands(page, key):
    h = heat(surfaces[key], surfaces[key].box)
    f = np.concatenate([np.linspace(h.low - 1, h.low + 1.2 * h.span, 101), h.low + h.span * np.logspace(-12, 0, 50)])
    there = page.evaluate("async ([heat, f]) => { const { warp } = await import('/scene.js'); return f.map(warp(heat)); }", [heat_head(h), f.tolist()])
    assert np.array(there) == pytest.approx(h.warp(f), abs=1e-9)


@pytest.mark.parametrize(("key", "theme"), [("rosenbrock", "light"), ("himmelblau", "dark"), ("saddle", "light")])
def test_two_renderers_paint_one_surface_alike(page, key, theme):
    h = heat(surfaces[key], surfaces[key].box)
    there = page.evaluate("""async ([heat, theme]) => {
        const { paintHeat, fit } = await import('/plane.js'), { compiled } = await import('/scene.js');
        const canvas = document.createElement('canvas'), view = fit(heat.box, 240, 160);
        paintHeat(canvas, compiled(heat.surface), heat, view, theme, 240, 160, 1);
        return [view, canvas.toDataURL()]; }""", [heat_head(h), vars(THEMES[theme])])
    view, url = there
    assert fit(h.box, 240, 160) == pytest.approx(view)
    mine, other = heat_pixels(h, tuple(view), THEMES[theme], 240, 160, 1.0).astype(float), np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"), float)
    assert np.abs(mine - other).mean() < 0.3  # of 255: rounding
    assert np.quantile(np.abs(mine - other), 0.995) < 2.5


# --- paths and limits -------------------------------------------------------------------------------------------------------------


def test_every_entrant_is_a_path_and_a_twin_has_a_number_and_another_dash():
    scene = race_scene(solve(Race("bowl", entrants=[Entrant("adam", lr=0.1), Entrant("sgd", lr=0.1), Entrant("adam", lr=0.1, muted=True)])))
    assert [p.name.en for p in scene.paths] == ["Adam 1", "Gradient descent (SGD)", "Adam 2"]
    assert [p.short.ru for p in scene.paths] == ["Adam 1", "Градиентный спуск", "Adam 2"]
    clipped = race_scene(solve(Race("bowl", entrants=[Entrant("sgd"), Entrant("sgd", clip_norm=0.5)])))
    assert [p.short.ru for p in clipped.paths] == ["Градиентный спуск, без ограничения", "Градиентный спуск, с ограничением 0.5"]
    close = race_scene(solve(Race("bowl", entrants=[Entrant("sgd", lr=0.1), Entrant("sgd", lr=0.10001)])))
    assert [p.short.en for p in close.paths] == ["Gradient descent 1", "Gradient descent 2"]
    rates = race_scene(solve(Race("bowl", entrants=[Entrant("sgd", lr=0.1), Entrant("sgd", lr=0.25)])))
    assert [p.short.en for p in rates.paths] == ["Gradient descent, α = 0.1", "Gradient descent, α = 0.25"]
    assert scene.paths[0].style.shape == scene.paths[2].style.shape
    assert scene.paths[0].style.dash != scene.paths[2].style.dash
    assert len({p.style.colour for p in scene.paths}) == 3
    assert [p.muted for p in scene.paths] == [False, False, True]
    assert scene.paths[1].points[:, -1] == pytest.approx(ov.descend("bowl", "sgd", lr=0.1).points[:, -1])


def test_minima_outside_the_box_are_not_shown_and_the_best_are_known():
    s = surfaces["himmelblau"]
    assert [d.best for d in dots(s, s.box)] == [True] * 4
    assert [(round(d.x), round(d.y)) for d in dots(s, ((0, 5), (0, 5)))] == [(3, 2)]
    assert sorted(d.best for d in dots(surfaces["two_wells"], surfaces["two_wells"].box)) == [False, True]


def test_the_curves_are_logarithmic_where_decades_lie_between_and_never_empty():
    h = heat(surfaces["bowl"], surfaces["bowl"].box)  # from 0 to 8
    p = panel([np.array([100.0, 1.0, 1e-6])], 0.0, h)
    assert (p.log, p.low, p.high) == (True, 1e-6, 1000.0)
    p = panel([np.array([3.0, 2.0, 1.5])], 1.0, h)
    assert not p.log
    assert p.low < 1.5 < 3 < p.high
    p = panel([np.array([1.0, 1e300])], None, h)
    assert p.high < 10
    assert panel([], 0.0, h).high > panel([], 0.0, h).low
    p = panel([np.array([2.0, 2.0])], 2.0, h)
    assert p.low < 2 < p.high


def test_a_curve_that_grows_without_end_is_followed_for_a_while():
    o = race_scene(solve(Race("ravine", (8.0, 3.0), [Entrant("sgd", lr=0.12)], steps=60)))
    assert o.panel.log
    inside = o.paths[0].height < o.panel.high
    assert 5 < inside.sum() < 60
    falling = race_scene(solve(Race("saddle", (-1.5, 0.001), [Entrant(key, lr=0.02) for key in ("sgd", "momentum")], steps=400)))
    assert falling.panel.low > -10, "the box ends at -4"


def test_an_axis_is_never_thinner_than_its_numbers():
    p = race_scene(solve(Race(ov.surface("1e16 + x^2 + y^2"), (1.5, 0.0), [Entrant("sgd", lr=0.1)]))).panel
    assert p.high - p.low > 1e-9 * p.high


# --- the way to the browser -------------------------------------------------------------------------------------------------------


def test_a_packed_scene_holds_every_number():
    race = Race("himmelblau", entrants=[Entrant("sgd", lr=0.01), Entrant("adam", "cosine", lr=0.1), Entrant("linesearch")], noise=0.1, crowd=30, steps=50)
    scene = race_scene(solve(race))
    data, array = head(pack(scene, "ru", TEXTS))
    assert data["texts"] == TEXTS
    for path, packed in zip(scene.paths, data["paths"], strict=True):
        assert array(packed["x"]) == pytest.approx(path.points[0], rel=1e-6)
        assert array(packed["y"]) == pytest.approx(path.points[1], rel=1e-6)
        assert array(packed["height"]) == pytest.approx(path.height, rel=1e-5, abs=1e-30)
        rate = packed["rate"]
        assert np.broadcast_to(rate if isinstance(rate, float) else array(rate), 50) == pytest.approx(path.rate)
    assert data["paths"][2]["live"] is None
    assert array(data["noise"]).shape == (100,)
    assert len(data["crowds"]) == 3
    assert array(data["crowds"][0]["x"]).reshape(len(data["crowds"][0]["steps"]), 30)[0] == pytest.approx(race.starts[0], rel=1e-6)
    assert all(place[1] % 8 == 0 for place in (data["noise"], data["paths"][0]["x"]))


@given(st.sampled_from(["1e308*x", "exp(x*1000)", "0*x", "sqrt(x)", "1/x"]), st.sampled_from(sorted(optimizers)))
def test_any_race_can_be_packed(formula, key):
    data, _ = head(pack(race_scene(solve(Race(ov.surface(formula), entrants=[Entrant(key)], steps=20, crowd=3))), "en", TEXTS))
    assert data["steps"] == 20


RERUN = """async ([bytes, start]) => { const { unpack, rerun } = await import('/scene.js');
    return rerun(unpack(new Uint8Array(bytes)), start).map((p) => p && { x: [...p.x], y: [...p.y], height: [...p.height], end: p.end }); }"""


def rerun(page, race, start):
    return page.evaluate(RERUN, [list(pack(race_scene(solve(race)), "en", TEXTS)), list(start)])


@pytest.mark.parametrize("words", [
    *([entrant_on(surfaces["himmelblau"], key) for key in sorted(optimizers)[i:i + 12]] for i in (0, 12, 24)),
    [Entrant("adam", "warm_restarts", lr=0.1), Entrant("sgd", "plateau", lr=0.01),
     Entrant("momentum", lr=0.01, clip_norm=0.5), Entrant("momentum", lr=0.01, clip_value=0.5), Entrant("adam", eps_place="inside", lr=0.1)]])
def test_the_page_repeats_every_run_from_another_start(page, words):
    race = Race("himmelblau", entrants=words, steps=25, noise=0.2, noise_relative=0.1, seed=5)
    start = (1.25, -0.5)
    theirs = rerun(page, race, start)
    for run, mine, path in zip(race.at(start=start).runs, solve(race.at(start=start)).trails, theirs, strict=True):
        if not optimizers[run.optimizer].traceable:
            assert path is None
            continue
        assert path["end"] == mine.diverged_at
        near = np.cumsum(np.abs(mine.points).max(axis=0) > 100) == 0  # farther out rounding is all there is
        assert near.sum() > 3
        assert np.array([path["x"], path["y"]])[:, near] == pytest.approx(mine.points[:, near], rel=1e-6, abs=1e-6), run.optimizer
        assert np.array(path["height"])[near] == pytest.approx(mine.loss[near], rel=1e-6, abs=1e-6), run.optimizer


PLAYED = """async ([first, second]) => {
    const { Player } = await import('/player.js'), told = [], player = new Player(document.body.appendChild(document.createElement('div')), (event) => told.push(event));
    player.show(new Uint8Array(first));
    player.tell({ start: [0.5, 0.5] });
    player.explain(); player.gauge();
    player.show(new Uint8Array(second));
    const now = [player.explains, player.gaugesOn];
    player.go(3);
    await new Promise((done) => setTimeout(done, 1000));
    player.destroy();
    return [now, told.at(-1).look];
}"""


def test_an_older_answer_does_not_undo_what_was_switched_on_since(page):
    texts = {name: name for name in re.findall(r"texts\.(\w+)", "".join((WEB / f"{name}.js").read_text("utf-8") for name in ("playback", "player", "gauges", "chart")))}
    race = Race("bowl", (1.0, 1.0), [Entrant("sgd", lr=0.1)], steps=20, at=5)
    first, moved = (list(pack(race_scene(solve(r)), "en", texts)) for r in (race, race.at(start=(0.5, 0.5))))
    now, look = page.evaluate(PLAYED, [first, moved])
    assert now == [0, 1] and (look["explain"], look["gauges"], look["at"]) == (0, 1, 3)


def test_a_run_that_diverges_in_the_page_says_when(page):
    race = Race("rosenbrock", entrants=[Entrant("sgd", lr=1.0)], steps=40)
    (path,) = rerun(page, race, (2.0, 2.0))
    assert path["end"] == ov.descend("rosenbrock", "sgd", start=(2.0, 2.0), lr=1.0, steps=40).diverged_at
    assert np.isfinite(path["x"]).all()


def test_what_cannot_be_traced_is_not_live():
    for key, o in optimizers.items():
        assert (live(ov.Run("bowl", key)) is not None) == o.traceable


@pytest.mark.parametrize(("value", "text"), [(0.00123, "0.00123"), (1.23456, "1.23"), (-0.5, "−0.5"), (12345, "12345"), (1.5e-5, "1.5·10⁻⁵"), (-2e7, "−2·10⁷"),
                                             (0, "0"), (999.7, "1000")])
def test_numbers_are_printed_to_three_digits(page, value, text):
    assert page.evaluate("async (v) => (await import('/scene.js')).digits(v)", value) == text == digits(value), "on the stage and in a file"
