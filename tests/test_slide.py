"""A live slide in a real browser, from a file: the same stage without a server, and the same runs as Python's."""

import io
import re

import numpy as np
import pytest
from conftest import PATIENCE
from PIL import Image
from playwright.sync_api import expect
from test_lab import Stage, until

import optviz as ov
from optviz.outcome import solve
from optviz.presets import presets
from optviz.race import Entrant, Race
from optviz.render import slide
from optviz.render.exhibit import exhibit
from optviz.scene import race_scene

RACE = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("momentum", lr=0.01), Entrant("adam", "cosine", lr=0.3)], steps=40)
#: The player of the slide, for the tests to read: the page itself gives it to nobody.
SPY = """const Real = Function;
window.Function = function (text) {
    const made = new Real(text);
    return (...given) => {
        const out = made(...given);
        return out?.name === "mount" ? (...parts) => (window.player = out(...parts)) : out;
    };
};"""
PATHS = "() => player.paths.map((p) => [[...p.x], [...p.y], [...p.height], p.end, p.stale ?? false])"
TURN = """([input, value]) => {
    input.value = value;
    for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
}"""


def sliders_of(race, *names):
    """The sliders of some names."""
    return exhibit(race).alone(names)[1]


class Slide(Stage):
    """The stage of a slide; numbers in the page as they are in Python."""

    def __init__(self, page):
        super().__init__(page)
        self.sliders = page.locator(".sliders input")
        self.reset = page.get_by_role("button", name=re.compile("^(Reset|Вернуть)"))
        self.lines, self.gauges = page.locator("aside"), page.locator(".optviz-stage > section > .gauges")

    def turn(self, i, value, stops):
        """Move a slider to one of its stops."""
        self.page.evaluate(TURN, [self.sliders.nth(i).element_handle(), stops.index(value)])

    def agrees(self, race, tolerance=1e-7):
        """Every run that the page can repeat is Python's own of this race, step by step; and so are the limits of the curves.

        The tolerance is for the last bits of pow and cos, which V8 and the C library round differently.
        """
        outcome = solve(race)
        for (x, y, height, end, stale), trail in zip(self.page.evaluate(PATHS), outcome.trails, strict=True):
            if not stale:
                assert end == trail.diverged_at
                near = np.cumsum(np.abs(trail.points).max(axis=0) > 100) == 0  # farther out rounding is all there is
                assert np.array([x, y])[:, near] == pytest.approx(trail.points[:, near], rel=tolerance, abs=tolerance)
                assert np.array(height)[near] == pytest.approx(trail.loss[near], rel=tolerance, abs=tolerance)
        panel = self.page.evaluate("player.scene.panel")
        assert panel == pytest.approx(vars(race_scene(outcome).panel), rel=1e-4)

    def drag(self, across, down):
        """The start to another place of the picture, and where it came to lie there."""
        at = self.page.locator(".grip").bounding_box()
        self.page.mouse.move(at["x"] + 22, at["y"] + 22)
        self.page.mouse.down()
        self.page.mouse.move(*self.spot(across, down), steps=4)
        self.page.mouse.up()
        return tuple(self.page.evaluate("player.start"))


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the slide of a race from its file; an error in the console or a request for anything else fails the test."""
    contexts, requests, errors = [], [], []

    def show(race, inside=None, viewport=(960, 540), context=None, **options):
        path = ov.render(race, tmp_path / "slide.html", **options)
        assert path.stat().st_size < 300_000
        if inside:
            path = tmp_path / "frame.html"
            path.write_text(inside)
        contexts.append(browser.new_context(viewport={"width": viewport[0], "height": viewport[1]}, **(context or {})))
        contexts[-1].set_default_timeout(PATIENCE)
        contexts[-1].on("request", lambda request: requests.append(request.url))
        contexts[-1].on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        contexts[-1].on("weberror", lambda error: errors.append(str(error.error)))
        page = contexts[-1].new_page()
        page.add_init_script(SPY)
        page.goto(path.as_uri())
        if inside:
            return page
        page.wait_for_function("window.player")  # it unpacks itself first
        return Slide(page)

    yield show
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith((tmp_path.as_uri(), "data:font/woff2"))] == []
    assert errors == []


# --- it is the stage -------------------------------------------------------------------------------------------------------------------


def test_it_plays_by_itself_and_keys_do_their_work(opened):
    stage = opened(RACE)
    stage.at(40)
    stage.says(r"^Step 40 of 40, start \(0, 0\.5\)\. Gradient descent \(SGD\): f = ")
    for key, step in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 40)):
        stage.page.keyboard.press(key)
        stage.at(step)
    stage.press("1")
    expect(stage.legend.get_by_role("button", pressed=False)).to_have_count(1)
    assert "Gradient descent" not in stage.words.inner_text()
    stage.press("1", "e")
    expect(stage.lines).to_be_visible()
    expect(stage.page.locator("aside output")).to_have_text("step 39 → 40")
    stage.press("g")
    expect(stage.gauges).to_be_visible()
    stage.press("e", "g")
    expect(stage.lines).to_be_hidden()
    expect(stage.gauges).to_be_hidden()
    stage.press("?")
    dialog = stage.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    stage.press("f")
    expect(stage.box).to_have_class(re.compile("present"))
    stage.press("Escape", "r")
    until(stage.page, lambda: stage.page.evaluate("player.playing"))
    stage.press("Space")
    assert not stage.page.evaluate("player.playing")
    stage.page.mouse.move(*stage.spot(0.3, 0.3))
    expect(stage.readout).to_contain_text("∇f = ")
    stage.scrub.fill("7")
    stage.at(7)


def test_it_turns_in_relief(opened):
    stage = opened(RACE.at(view="relief", at=40))
    expect(stage.page.locator("canvas.relief")).to_be_visible()
    expect(stage.message).to_be_hidden()
    before = stage.picture()
    assert before.std() > 5
    stage.page.mouse.move(*stage.spot(0.1, 0.8))
    stage.page.mouse.down()
    stage.page.mouse.move(*stage.spot(0.4, 0.7), steps=3)
    stage.page.mouse.up()
    until(stage.page, lambda: np.abs(stage.picture() - before).max() > 50)
    assert stage.page.evaluate("player.relieved")


@pytest.mark.parametrize(("size", "language", "theme"), [((960, 540), "en", "light"), ((1920, 1080), "ru", "dark"), ((390, 844), "ru", "light")])
def test_it_fills_its_window_in_both_languages_and_themes(opened, size, language, theme):
    stage = opened(RACE.at(at=3, explain=2, gauges=1), viewport=size, language=language, theme=theme, sliders=("lr", "adam.beta1"), title="Hübsch",
                   caption=True)
    stage.at(3)
    wide, high = stage.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert (wide, high) == size
    picture = stage.top.bounding_box()
    assert picture["width"] > 200 and picture["height"] > 100
    for part in (stage.sliders.last, stage.reset, stage.page.locator(".caption"), stage.page.get_by_role("heading", name="Hübsch"), stage.lines):
        box = part.bounding_box()
        assert box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1]
    expect(stage.box).to_have_css("background-color", {"light": "rgb(253, 253, 252)", "dark": "rgb(15, 22, 28)"}[theme])
    assert stage.page.evaluate("document.documentElement.lang") == language
    expect(stage.count).to_have_text({"en": "step 3 of 40", "ru": "шаг 3 из 40"}[language])
    expect(stage.page.locator(".sliders label").last).to_contain_text({"en": "memory of gradients", "ru": "память о градиентах"}[language])
    assert stage.page.evaluate("document.fonts.check('16px optviz') && [...document.fonts].some((f) => f.family.includes('optviz') && f.status === 'loaded')")


@pytest.mark.parametrize("size", [(640, 400), (320, 480), (480, 300)])
def test_in_a_small_frame_the_surface_has_the_room(opened, size):
    slide = opened(RACE.at(at=3), viewport=size, sliders=("lr", "adam.beta1"), title="A title", caption=True)
    slide.at(3)
    assert slide.top.bounding_box()["height"] > 0.45 * size[1]
    assert slide.page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_parts_that_nobody_wants_are_not_there(opened):
    stage = opened(RACE.at(at=40), transparent=True, panel=False, legend=False, counter=False, theme="dark")
    expect(stage.page.locator("[data-do=play]")).to_be_visible()
    for part in (stage.legend, stage.count, stage.page.locator(".chart"), stage.sliders, stage.page.locator(".caption, h1")):
        expect(part.first).to_be_hidden()
    stage.press("Home", "End")
    for part in ("html", "body", "section"):
        expect(stage.page.locator(part)).to_have_css("background-color", "rgba(0, 0, 0, 0)")


# --- the start -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("race", [
    RACE.at(noise=0.3, seed=4),
    Race("rosenbrock", (-1.0, 1.0), [Entrant("sgd", "plateau", lr=0.001), Entrant("sgd", lr=0.02)], steps=60)], ids=lambda race: race.surface.key)
def test_a_dragged_start_moves_every_run_to_where_python_has_it_and_stays(opened, race):
    stage = opened(race.at(at=race["steps"]))
    stage.agrees(race, 1e-5)  # the author's own come in single precision
    before = stage.page.evaluate(PATHS)
    start = stage.drag(0.42, 0.3)
    assert start != race.start
    stage.agrees(race.at(start=start))
    assert all(now[0] != then[0] for now, then in zip(stage.page.evaluate(PATHS), before, strict=True))
    if race["noise"]:
        stage.page.wait_for_timeout(5000)  # longer than the app waits for its server
    assert tuple(stage.page.evaluate("player.start")) == start
    stage.agrees(race.at(start=start))
    expect(stage.message).to_be_hidden()
    stage.reset.click()
    expect(stage.reset).to_be_disabled()
    assert stage.page.evaluate(PATHS) == before


def test_what_only_python_can_run_stays_pale_and_says_why(opened):
    race = Race("bowl", (1.0, 1.0), [Entrant("sgd", lr=0.1), Entrant("newton")], steps=10, at=10)
    stage = opened(race)
    stage.says("Newton: f = ")
    stage.press("Shift+ArrowRight")
    expect(stage.legend.get_by_role("button", name=re.compile("Newton.*only Python can run it from here"))).to_be_visible()
    stage.says(r"SGD\): f = [^;]*$")  # and no number of another start
    stage.reset.click()
    stage.says("Newton: f = ")
    expect(stage.legend).not_to_contain_text("only Python")


# --- settings --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("entrant", "name", "value"), [
    (Entrant("sgd", lr=0.01), "lr", 0.02), (Entrant("sgd", lr=0.01), "sgd.lr", 0.2), (Entrant("momentum", lr=0.01), "momentum.momentum", 0.5),
    (Entrant("adam", lr=0.3), "beta2", 0.9), (Entrant("sgd", "cosine", lr=0.01), "lr", 0.005),
    (Entrant("adam", "warmup_cosine", lr=0.3, schedule_eta_min=0.02), "lr", 0.1), (Entrant("sgd", "one_cycle", lr=0.01), "lr", 0.018),
    (Entrant("sgd", "plateau", lr=0.01, schedule_patience=3), "lr", 0.016), (Entrant("sgd", "plateau", lr=0.01, schedule_patience=3), "schedule_factor", 0.5),
    (Entrant("sgd", "linear", lr=0.01, schedule_start_factor=0.5, schedule_end_factor=0.5), "lr", 0.02),
    (Entrant("sgd", lr=0.01, clip_norm=5.0), "clip_norm", 1.0), (Entrant("lookahead", lr=0.1), "k", 3.0), (Entrant("adamw", lr=0.3), "weight_decay", 0.5)],
    ids=str)
def test_a_slider_gives_the_run_that_python_computes(opened, entrant, name, value):
    race = Race("himmelblau", (0.0, 0.5), [entrant, Entrant("nesterov", lr=0.005)], steps=50, noise=0.1, at=50)
    setting = name.rpartition(".")[2]
    stage = opened(race, sliders=(f"{entrant.optimizer}.{setting}",))
    slider, = sliders_of(race, f"{entrant.optimizer}.{setting}")
    other = stage.page.evaluate(PATHS)[1]
    assert value in slider.stops and value != entrant[setting]
    stage.turn(0, value, slider.stops)
    stage.agrees(race.with_entrant(0, lambda e: e.at(**{setting: value})), 1e-6)
    assert stage.page.evaluate(PATHS)[1] == other, "only whom it belongs to moves"
    start = stage.drag(0.3, 0.6)
    stage.agrees(race.with_entrant(0, lambda e: e.at(**{setting: value})).at(start=start), 1e-6)


def test_keys_turn_a_slider_and_leave_the_playhead(opened):
    stage = opened(Race("ravine", (8.0, 3.0), [Entrant("sgd", lr=lr) for lr in (0.101, 0.02)], steps=60, at=7), sliders=("lr",), caption=True)
    stage.at(7)
    first = stage.page.locator(".sliders label").first
    expect(first).to_have_text("learning rateα = 0.101")
    expect(stage.page.locator(".caption")).to_be_visible()
    stage.sliders.first.focus()
    stage.page.keyboard.press("ArrowLeft")
    expect(first).to_have_text("learning rateα = 0.1")
    expect(stage.legend.get_by_role("button").first).to_contain_text("Gradient descent (SGD), α = 0.1")
    expect(stage.legend).not_to_contain_text("0.101")
    expect(stage.page.get_by_label("Gradient descent, α = 0.1: learning rate")).to_be_visible()
    expect(stage.page.locator(".caption")).to_be_hidden()  # it tells the author's
    stage.at(7)
    stage.page.keyboard.press("Space")
    until(stage.page, lambda: stage.page.evaluate("player.playing"))
    stage.reset.click()
    expect(first).to_have_text("learning rateα = 0.101")
    expect(stage.legend.get_by_role("button").first).to_contain_text("α = 0.101")
    expect(stage.page.locator(".caption")).to_be_visible()


def test_no_number_of_another_start_or_setting_is_shown(opened):
    race = Race("ravine", (8.0, 8.0), [Entrant("momentum", lr=0.02), Entrant("adam", lr=0.1)], steps=40, at=5, gauges=1, explain=0, crowd=20)
    stage = opened(race, sliders=("lr", "momentum.momentum"))
    numbers, product = stage.lines.locator(".numbers").first, stage.page.locator(".gauges .product figcaption")
    expect(product).to_have_text("α·λmax = 0.4 < 3.8")
    assert stage.page.evaluate("player.scene.crowds.length") == 2
    stage.press("Shift+ArrowLeft")
    expect(numbers).to_be_hidden()
    expect(product).to_have_text("α·λmax = 0.4 < 3.8")  # a ravine is as steep everywhere
    expect(stage.page.locator(".gauges .comb")).to_be_visible()
    assert stage.page.evaluate("player.scene.crowds.length") == 0
    stage.reset.click()
    expect(numbers).to_be_visible()
    slider = sliders_of(race, "lr", "momentum.momentum")
    stage.turn(0, 0.04, slider[0].stops)
    expect(product).to_have_text("α·λmax = 0.8 < 3.8")
    expect(numbers).to_be_hidden()
    stage.turn(2, 0.5, slider[2].stops)
    for card in ("product", "comb"):
        expect(stage.page.locator(f".gauges .{card}")).to_be_hidden()
    expect(stage.gauges).to_contain_text("author's start and settings")
    stage.reset.click()
    stage.turn(1, 0.2, slider[1].stops)  # Adam's: momentum's step is what it was
    expect(numbers).to_be_visible()
    stage.press("e")
    stage.page.locator(".gauges .whose").click()
    expect(stage.page.locator(".gauges .product > *").first).to_be_hidden()  # Adam's own rates hang on what it met
    assert stage.page.evaluate("player.scene.crowds.map((c) => c.entrant)") == [0]


@pytest.mark.parametrize(("names", "words"), [
    (("lrr",), r"'lrr'.*did you mean lr.*allowed: .*adam\.beta1"), (("adam.momentum",), "allowed: "), (("newton.lr",), "only Python.*allowed: lr, "),
    (("learning_rate",), "did you mean lr"), (("adam.clip_norm",), "'adam.clip_norm'"), (("adam.eps_place",), "'adam.eps_place'"), (("<b>",), "'<b>'")])
def test_a_slider_that_cannot_be_is_refused_with_what_could_be(names, words):
    race = Race("bowl", entrants=[Entrant("adam", lr=0.1), Entrant("sgd", lr=0.1), Entrant("newton")], steps=5)
    with pytest.raises(ov.Refused, match=words):
        ov.render(race, medium="html", sliders=names)
    assert len(sliders_of(race, "lr", "adam.lr", "beta1")) == 3, "each once, and none of Newton's"


# --- the file --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", presets)
def test_every_example_is_a_file_that_can_be_sent_around(key):
    race = presets[key].race
    data = ov.render(race, medium="html", language="ru", sliders=("lr",))
    assert len(data) < 300_000
    assert data.count(b"@font-face") >= 1
    assert data == ov.render(race, medium="html", language="ru", sliders=("lr",)), "the same race is the same file"


def test_a_race_that_needs_more_room_is_refused():
    race = Race("himmelblau", entrants=[Entrant("sgd", lr=0.01, clip_norm=float(k)) for k in range(1, 9)], steps=10_000, noise=1.0)
    with pytest.raises(ov.Refused, match=r"^this slide would have \d+ KB, and 300 are the limit; choose fewer"):
        ov.render(race, medium="html")


HOSTILE = "</title></script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & {page} \u2028 ]]>"


def test_a_hostile_title_is_a_text(opened):
    stage = opened(Race(ov.surface("x^2 + y^2"), (1.0, 1.0), [Entrant("sgd", lr=0.1)], steps=5), title=HOSTILE, caption=True)
    stage.page.on("dialog", lambda dialog: pytest.fail("a script of the title ran"))
    expect(stage.page.get_by_role("heading")).to_have_text(" ".join(HOSTILE.replace("\u2028", " ").split()))
    assert stage.page.title() == " ".join(HOSTILE.replace("\u2028", " ").split())
    stage.at(5)


def test_nothing_else_may_be_loaded(opened, browser, tmp_path):
    path = ov.render(RACE, tmp_path / "slide.html")
    page = browser.new_page()
    page.goto(path.as_uri())
    expect(page.locator(".play")).to_be_visible()
    blocked = page.evaluate("""async () => {
        const image = new Image(), script = document.createElement("script"), seen = [];
        document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
        script.textContent = "window.ran = 1";
        document.body.append(script);
        image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
        await fetch("data:,x").catch(() => {});
        await new Promise((done) => setTimeout(done, 300));
        return [seen.sort(), window.ran ?? null];
    }""")
    page.close()
    assert blocked == [["connect-src", "img-src", "script-src-elem"], None]


FRAME = '<!doctype html><body style="margin: 0"><iframe sandbox="allow-scripts" src="slide.html" style="border: 0" width="960" height="540"></iframe>'


def test_it_lives_in_a_sandboxed_frame(opened):
    page = opened(RACE.at(at=5), inside=FRAME, sliders=("lr",))
    frame = page.frame_locator("iframe")
    expect(frame.locator(".count")).to_have_text("step 5 of 40")
    assert page.frames[1].evaluate("self.origin") == "null"
    words = frame.locator(".words").inner_text()
    frame.locator(".grip").click()
    page.keyboard.press("Shift+ArrowRight")
    expect(frame.locator(".words")).not_to_have_text(words)
    moved = frame.locator(".words").inner_text()
    page.keyboard.press("?")
    frame.get_by_role("button", name="Close").click()
    expect(frame.get_by_role("dialog")).to_have_count(0)
    frame.locator("[data-do=relief]").click()
    frame.locator("[data-do=present]").click()
    frame.locator("[data-do=present]").click()
    expect(frame.locator("canvas.relief")).to_be_visible()
    page.wait_for_timeout(5000)
    assert frame.locator(".words").inner_text() == moved
    picture = np.asarray(Image.open(io.BytesIO(frame.locator(".picture").screenshot())).convert("RGB"), float)
    assert picture.std() > 5


def test_modules_are_bundled_by_their_own_imports(tmp_path, monkeypatch):
    others = set("bent curve diagram door field frame knob net netplayer netslide network pen picker plot sheet sheetplayer sheetslide stage table training wall wallplayer wallslide".split())  # doors, and what other stages are made of
    own = {path.stem for path in slide.WEB.glob("*.js")} - others
    assert set(re.findall(r"^modules\.(\w+) = ", slide.bundle("slide"), re.M)) == own
    monkeypatch.setattr(slide, "WEB", tmp_path)
    (tmp_path / "b.js").write_text("export const one = 1, two = 2;\n")
    for line in ('import * as all from "./b.js";', 'import b from "./b.js";', 'import { one as three } from "./b.js";', 'const b = await import("./b.js");',
                 'export { mount };', 'export default mount;', 'import "./b.js";', 'export * from "./b.js";', 'const here = import.meta.url;'):
        slide.bundle.cache_clear()
        (tmp_path / "a.js").write_text(f"{line}\nexport function mount() {{}}\n")
        with pytest.raises(ValueError, match="does not know"):
            slide.bundle("a")
    (tmp_path / "a.js").write_text('import { one, two } from "./b.js";\nexport function mount() { return one + two; }\n')
    with pytest.raises(ValueError, match="does not know"):
        slide.bundle("a")
    slide.bundle.cache_clear()
