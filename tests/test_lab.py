"""The Descent lab in a browser: what a visitor does with hand, keyboard and link, and what is then seen."""

import io
import re
import time
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from conftest import PATIENCE, whole
from PIL import Image
from playwright.sync_api import expect

SHORT = "?surface=bowl&optimizer=sgd:lr=0.05&optimizer=adam:lr=0.1&steps=40"
THEIRS = "() => { window.theirs = []; for (const name of ['keydown', 'keypress', 'keyup']) document.addEventListener(name, (e) => theirs.push(e.key)); }"
#: Everything that the stage says of its step from the first picture on, however late somebody looks.
SEEN = """window.seen = [];
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (how) {
    const root = attach.call(this, how);
    const look = () => {
        const [count, words] = [".count", ".words"].map((part) => root.querySelector(part)?.textContent);
        if (count && JSON.stringify(seen.at(-1)) !== JSON.stringify([count, words])) seen.push([count, words]);
    };
    new MutationObserver(look).observe(root, { subtree: true, childList: true, characterData: true });
    return root;
};"""
#: Steps shown for each second of pictures that the stage has counted, over the first few pictures after R.
PACE = """(scrub) => new Promise((done) => {
    let last, seconds = 0, pictures = 0;
    const picture = (now) => {
        if (last) seconds += Math.min(now - last, 100) / 1000;
        last = now;
        if (++pictures > 6) done(Number(scrub.value) / seconds); else requestAnimationFrame(picture);
    };
    scrub.closest("section").dispatchEvent(new KeyboardEvent("keydown", { key: "r", bubbles: true }));
    requestAnimationFrame(picture);
})"""
#: Whether every corner of the window belongs to the stage.
FILLS = """(box) => [[2, 2], [innerWidth - 3, 2], [2, innerHeight - 3], [innerWidth - 3, innerHeight - 3]]
    .every(([x, y]) => box.contains(box.getRootNode().elementFromPoint(x, y)))"""
#: Waits until the playhead goes back to an earlier step by itself.
ROUND = """(scrub) => new Promise((done) => {
    let before = 0;
    const look = () => { if (scrub.value < before) done(); else { before = Number(scrub.value); requestAnimationFrame(look); } };
    look();
})"""


class Stage:
    """The stage of a page, as hand and eye find it."""

    def __init__(self, page):
        self.page = page
        self.box, self.words, self.count, self.top, self.message, self.readout, self.scrub, self.legend = (
            page.locator(f".optviz-stage {part}") for part in
            ("section", ".words", ".count", ".top", ".message", ".readout", "input[type=range]", ".legend"))

    def at(self, step, of=r"\d+"):
        """Wait until the playhead is at a step."""
        expect(self.count).to_have_text(re.compile(rf"^\D+{step} \D+{of}$"))

    def rest(self):
        """Wait until the page is whole, so that a spot on the screen stays the same place of the surface."""
        self.url("v=1")
        whole(self.page)
        self.page.evaluate("document.fonts.ready.then(() => null)")
        boxes = [None, None]
        until(self.page, lambda: boxes.append(self.top.bounding_box()) or boxes[-1] == boxes[-2] == boxes[-3])

    def says(self, pattern):
        """Wait until the words for the picture match."""
        expect(self.words).to_have_text(re.compile(pattern))

    def url(self, pattern):
        expect(self.page).to_have_url(re.compile(pattern))

    def press(self, *keys):
        self.box.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def do(self, name):
        self.page.locator(f".optviz-stage [data-do={name}]").click()

    def ink(self, layer="trails"):
        """What is painted on a layer."""
        return self.page.locator(f".optviz-stage canvas.{layer}").evaluate("canvas => canvas.toDataURL()")

    def picture(self):
        """What is seen, as numbers."""
        return np.asarray(Image.open(io.BytesIO(self.page.locator(".optviz-stage .picture").screenshot())).convert("RGB"), float)

    def spot(self, across, down):
        """A pixel of the page, at shares of the picture."""
        at = self.top.bounding_box()
        return at["x"] + across * at["width"], at["y"] + down * at["height"]

    def fits(self, width):
        """Nothing on the page is wider than the screen."""
        return self.page.locator("html, [data-testid=stMain]").evaluate_all("all => Math.max(...all.map(e => e.scrollWidth))") <= width

    def start(self):
        """The start that the URL tells."""
        return tuple(map(float, parse_qs(urlsplit(self.page.url).query)["start"][0].split(",")))


def until(page, question):
    """Wait until something is true that no locator can tell."""
    end = time.monotonic() + PATIENCE / 1000
    while not question():
        assert time.monotonic() < end, "it never came"
        page.wait_for_timeout(50)


# --- the picture and its time ----------------------------------------------------------------------------------------------------------


def test_it_plays_by_itself_to_the_end(visit):
    stage = Stage(visit(SHORT, script=SEEN))
    stage.at(40)
    stage.says(r"^Step 40 of 40, .*Adam: f = ")
    seen = stage.page.evaluate("seen")
    assert list(dict.fromkeys(count for count, _ in seen if "of 40" in count)) == [f"step {k} of 40" for k in range(41)]
    assert any(re.match(r"Step 0 of 40, start \(1\.5, 1\.5\)\. Gradient descent \(SGD\): f = 4\.5", words) for _, words in seen)
    expect(stage.page.get_by_role("button", name="Play (space)")).to_be_visible()
    assert "at=" not in stage.page.url


def test_who_asked_for_rest_sees_the_end_at_once_in_two_languages_and_themes(visit):
    stage = Stage(visit(SHORT, locale="ru-RU", color_scheme="dark", reduced_motion="reduce"))
    assert stage.count.inner_text() == "шаг 40 из 40"
    stage.says(r"^Шаг 40 из 40, старт \(1\.5, 1\.5\)\. Градиентный спуск \(SGD\): f = ")
    expect(stage.page.get_by_role("button", name="Показать (пробел)")).to_be_visible()
    expect(stage.box).to_have_css("background-color", "rgb(15, 22, 28)")
    stage.rest()
    assert stage.fits(1280)
    query, dark, entries = urlsplit(stage.page.url).query, stage.ink("back"), stage.page.evaluate("history.length")
    stage.page.get_by_role("button", name="Светлая или тёмная тема").click()
    expect(stage.box).to_have_css("background-color", "rgb(253, 253, 252)")
    assert stage.ink("back") != dark
    for name, seen, play in (("English", "step 40 of 40", "Play (space)"), ("Русский", "шаг 40 из 40", "Показать (пробел)")):
        stage.page.get_by_role("button", name=name, exact=True).click()
        expect(stage.count).to_have_text(seen)
        expect(stage.page.get_by_role("button", name=play)).to_be_visible()
    stage.url(r"lang=ru")
    assert urlsplit(stage.page.url).query == f"{query}&lang=ru", "the spec stays"
    assert stage.page.evaluate("history.length") == entries


def test_every_key_does_its_work_and_none_reaches_the_page(visit):
    stage = Stage(visit(SHORT + "&at=5"))
    page = stage.page
    page.evaluate(THEIRS)
    stage.at(5)
    for key, step in (("ArrowRight", 6), ("ArrowLeft", 5), ("ArrowLeft", 4), ("End", 40), ("Home", 0)):
        stage.press(key)
        stage.at(step)
        stage.says(f"^Step {step} of 40")
    hidden = stage.legend.get_by_role("button", pressed=False)
    whole = stage.words.inner_text()
    stage.press("1", "Shift+ArrowRight", "2", "ArrowRight")  # faster than anybody answers: nothing of it is lost
    stage.url(r"start=1\.5\d+,1\.5&.*sgd:lr=0\.05,muted=1.*adam:lr=0\.1,muted=1.*at=1\b")
    expect(hidden).to_have_count(2)
    stage.press("1", "2", "Home", "Shift+ArrowLeft")
    stage.url(r"start=1\.5,1\.5&(?!.*muted).*at=0\b")
    expect(stage.words).to_have_text(whole)
    page.get_by_label("Speed").select_option("0.25")
    stage.press("Space")
    stage.at(r"[1-9]\d?")
    stage.press("Space")
    stage.url(r"at=\d")
    stage.press("r", "c")
    stage.url(r"lr=0\.1$")  # it plays: no step is worth sharing
    page.get_by_label("Speed").select_option("8")
    stage.at(40)
    stage.press("?")
    keys = page.get_by_role("dialog", name="").filter(has_text="Shift + arrows")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    stage.press("f")
    until(page, lambda: stage.box.evaluate(FILLS))
    stage.press("Escape")
    until(page, lambda: not stage.box.evaluate(FILLS))
    assert page.evaluate("theirs") == []


def test_it_is_scrubbed_looped_and_sped_up(visit):
    stage = Stage(visit("?surface=bowl&optimizer=sgd&steps=2000&at=0"))
    page = stage.page
    stage.at(0, of=2000)
    stage.scrub.fill("1234")
    stage.at(1234)
    chart = page.locator(".optviz-stage .chart")
    at = chart.bounding_box()
    page.mouse.move(at["x"] + 54, at["y"] + 20)
    page.mouse.down()
    stage.at(0)
    page.mouse.move(at["x"] + 54 + (at["width"] - 68) / 2, at["y"] + 20)
    stage.at("(99[5-9]|100[0-5])")
    page.mouse.up()
    paces = []
    for speed in ("1", "8"):
        page.get_by_label("Speed").select_option(speed)
        paces.append(stage.scrub.evaluate(PACE))
    assert paces[1] > 4 * paces[0] > 0
    stage.do("loop")
    stage.press("r")
    stage.scrub.evaluate(ROUND)
    stage.do("follow")
    expect(stage.message).to_have_text("The view follows Gradient descent (SGD)")


# --- the start -------------------------------------------------------------------------------------------------------------------------


def test_the_trails_follow_a_dragged_start_before_it_is_released(visit):
    stage = Stage(visit(SHORT + "&at=40"))
    page = stage.page
    page.get_by_role("button", name=re.compile("^Start ")).click()
    fields = page.locator("[class*=st-key-descent-start] input")
    expect(fields).to_have_count(2)
    stage.rest()
    page.mouse.click(*stage.spot(0.4, 0.3))
    until(page, lambda: stage.start() != (1.5, 1.5))
    clicked = stage.start()
    expect(fields.nth(0)).to_have_value(re.compile(rf"^{clicked[0]:.6g}"))
    said, inks = stage.words.inner_text(), [stage.ink()]
    page.mouse.move(*stage.spot(0.4, 0.3))
    page.mouse.down()
    for across in (0.5, 0.6):
        page.mouse.move(*stage.spot(across, 0.7), steps=3)
        until(page, lambda: stage.ink() not in inks)
        inks.append(stage.ink())
    assert stage.start() == clicked, "nothing was said to the server yet"
    page.mouse.up()
    until(page, lambda: stage.start() != clicked)
    x, y = stage.start()
    assert x > clicked[0] and y < clicked[1]
    stage.says(rf"start \({re.escape(f'{x:.3g}')}, {re.escape(f'{y:.3g}'.replace('-', '−'))}\)")
    assert stage.words.inner_text() != said
    expect(fields).to_have_count(2)
    for i, value in enumerate((x, y)):
        expect(fields.nth(i)).to_have_value(f"{value:.6g}")
    expect(stage.message).to_be_hidden()  # here machine and page agree
    fields.nth(1).fill("1.25")
    fields.nth(1).press("Enter")
    stage.says(r"start \(.*, 1\.25\)")


def test_the_keys_are_there_before_anything_was_clicked_and_after_an_example_was(visit):
    stage = Stage(visit("?surface=bowl&optimizer=sgd&steps=20&at=20&start=0,1.5"))
    page = stage.page
    stage.at(20)
    page.keyboard.press("ArrowLeft")
    stage.at(19)
    page.keyboard.press("Home")
    stage.at(0)
    page.get_by_role("spinbutton").or_(page.get_by_role("textbox")).first.focus()
    page.keyboard.press("End")  # a field has its own use for it
    page.get_by_role("button", name="Next example").first.click()
    page.get_by_text("1 / 21").wait_for()
    stage.rest()
    page.keyboard.press("Home")
    stage.at(0)
    start = stage.start()
    page.keyboard.press("Shift+ArrowRight")
    until(page, lambda: stage.start() != start)
    page.keyboard.press("e")
    expect(page.locator(".optviz-stage aside")).to_be_visible()


def test_a_hover_reads_the_place_or_the_step(visit):
    stage = Stage(visit("?surface=bowl&optimizer=sgd:lr=0.2&steps=20&at=20&start=0,1.5"))
    page = stage.page
    stage.at(20)
    stage.rest()
    page.mouse.move(*stage.spot(0.9, 0.5))
    expect(stage.readout).to_be_visible()
    numbers = [float(v.replace("−", "-")) for v in re.findall(r"−?\d+\.?\d*", stage.readout.inner_text())]
    x, y, f, gx, gy = numbers
    assert "∇f = (" in stage.readout.inner_text() and x > 1
    assert [f, gx, gy] == pytest.approx([x * x + y * y, 2 * x, 2 * y], rel=0.02, abs=0.02)
    page.mouse.move(*stage.spot(0.5, 0.5))  # the minimum, and so the trail's end
    expect(stage.readout).to_have_text(re.compile(r"^Gradient descent \(SGD\) · step (1\d|20)\s*\(0, .*\)\s*f = .*α = 0\.2$"))
    page.mouse.move(*stage.spot(0.5, 1.5))
    expect(stage.readout).to_be_hidden()


def test_what_cannot_follow_at_once_follows_on_release(visit):
    stage = Stage(visit("?surface=bowl&optimizer=linesearch&optimizer=sgd&steps=10&at=0"))
    stage.at(0)
    stage.box.focus()
    stage.page.keyboard.down("Shift")
    stage.page.keyboard.down("ArrowLeft")
    stage.page.keyboard.up("ArrowLeft")
    stage.page.keyboard.up("Shift")
    stage.says(r"Line search: f = 4\.38 \(1\.46, 1\.5\); Gradient descent \(SGD\): f = 4\.38")
    stage.url(r"start=1\.46")


def test_where_a_rounding_error_decides_it_is_said(visit):
    """Another machine's cosine, one bit off: chaos shows within a few hundred steps, a gentle run ends where it did."""
    page = visit("?lang=en")
    page.add_init_script("const cos = Math.cos; Math.cos = (x) => cos(x) * (1 + 2 ** -52);")
    page.goto(page.url.split("?")[0] + "?surface=ackley&optimizer=sgd:lr=0.2&optimizer=adam:lr=0.01&steps=1000&at=1000")
    stage = Stage(page)
    stage.at(1000)
    stage.press("Shift+ArrowRight")
    expect(stage.message).to_have_text(re.compile(r"^Sensitive to the last bit: Gradient descent \(SGD\)\."))


# --- the surface and its controls ------------------------------------------------------------------------------------------------------


def test_a_change_keeps_stage_playhead_and_history_and_back_undoes_a_choice(visit):
    stage = Stage(visit("?surface=ravine&optimizer=sgd&steps=60&at=7"))
    page = stage.page
    stage.at(7, of=60)
    stage.rest()
    canvas, entries, before, said = stage.top.element_handle(), page.evaluate("history.length"), stage.ink("back"), stage.words.inner_text()
    slider = page.get_by_role("slider").and_(page.locator("[class*=st-key-descent-surface-b] *"))
    slider.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: stage.ink("back") != before and stage.words.inner_text() != said)
    stage.at(7, of=60)
    stage.url("surface_b=11")
    assert canvas.evaluate("old => old.isConnected"), "the stage was made anew"
    assert page.evaluate("history.length") == entries
    query, said = urlsplit(page.url).query, stage.words.inner_text()
    page.locator(".st-key-descent-surfaces button").first.click()
    page.get_by_role("list", name="Surfaces").get_by_role("button", name="Himmelblau").click()
    stage.url("surface=himmelblau")
    stage.says(r"start \(0, 0\)")
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    expect(stage.words).to_have_text(said)
    assert urlsplit(page.url).query == query
    page.keyboard.press("Escape")
    page.get_by_label("Examples").click()
    page.get_by_role("option", name="Cliff").click()
    stage.url("surface=cliff")
    expect(stage.legend.get_by_role("button")).to_have_count(2)
    page.go_back()
    expect(stage.words).to_have_text(said)
    assert canvas.evaluate("old => old.isConnected")


@pytest.mark.parametrize(("size", "locale", "onward", "back"), [((390, 844), "ru-RU", "Следующий пример", "Предыдущий пример"),
                                                                  ((1280, 720), "en-GB", "Next example", "Previous example")])
def test_the_examples_are_turned_like_pages(visit, size, locale, onward, back):
    stage = Stage(visit(viewport={"width": size[0], "height": size[1]}, locale=locale, reduced_motion="reduce"))
    row = stage.page.locator(".st-key-lab-presets")
    onward, back = (stage.page.get_by_role("button", name=name) for name in (onward, back))
    for click, surface, n in ((onward, "ravine", 2), (onward, "ravine", 3), (back, "ravine", 2), (back, "rosenbrock", 1), (back, "own", 21)):
        click.click()
        expect(row).to_contain_text(re.compile(rf"(?<!\d){n} / 21"))
        stage.url("formula=" if surface == "own" else f"surface={surface}")
    assert row.bounding_box()["height"] < 60 and stage.fits(size[0])


def test_a_bad_formula_gets_one_sentence_and_the_last_good_picture_stays(visit):
    stage = Stage(visit("?formula=x^2%2By^2&optimizer=sgd&at=0&zzz=1&steps=-5"))
    page = stage.page
    note = page.get_by_role("status").filter(has_text="Not everything in the link")
    expect(note).to_have_text(re.compile("steps='-5'.*zzz", re.DOTALL))
    expect(page).not_to_have_url(re.compile("zzz"))
    canvas = stage.top.element_handle()
    page.locator(".st-key-frame-notes").get_by_role("button").click()
    expect(note).to_have_count(0)
    stage.rest()
    assert canvas.evaluate("old => old.isConnected"), "the stage was made anew"
    said, before = stage.words.inner_text(), stage.ink("back")
    field = page.get_by_label("Own formula")
    field.fill("x^2 + z")
    field.press("Enter")
    warning = page.get_by_test_id("stAlert").get_by_role("paragraph")
    expect(warning).to_have_text(re.compile(r"unknown name 'z'; .* \(at character 7\)$"))
    assert field.input_value() == "x^2 + z"
    assert (stage.words.inner_text(), stage.ink("back")) == (said, before)
    field.fill("x^2 + 4*y^2")
    field.press("Enter")
    expect(warning).to_have_count(0)
    until(page, lambda: stage.ink("back") != before)
    stage.url(re.escape("formula=x%5E2%20%2B%204%2Ay%5E2"))
    assert "Traceback" not in page.locator("body").inner_text()


@pytest.mark.parametrize(("query", "said", "legend"), [
    ("?optimizer=", r"^Step \d+ of 300, start \(−2, 2\)\.$", "^$"),
    ("?surface=rosenbrock&optimizer=sgd:lr=1", r"Gradient descent \(SGD\): diverged at step 4\.$", "diverged at step 4$"),
    ("?surface=himmelblau&steps=5000&" + "&".join(f"optimizer=adam:lr={k / 100}" for k in range(1, 13)), r"α = 0\.12: f = ", r"Adam, α = 0\.12$"),
])
def test_it_holds_what_is_out_of_the_ordinary(visit, query, said, legend):
    stage = Stage(visit(query))
    stage.press("End")
    stage.says(said)
    expect(stage.legend).to_have_text(re.compile(legend))
    stage.press("Home", "Shift+ArrowDown")
    stage.url(r"start=[-\d.]+,[-\d.]+.*at=0")
    stage.says(r"^Step 0 of")


# --- the relief ------------------------------------------------------------------------------------------------------------------------


def test_the_relief_is_turned_and_shared_and_keeps_its_camera(visit):
    stage = Stage(visit("?surface=ravine&optimizer=sgd&steps=10&at=10"))
    page = stage.page
    stage.at(10)
    stage.rest()
    stage.do("relief")
    expect(page.get_by_role("button", name="Relief", pressed=True)).to_be_visible()
    stage.url("view=relief")
    straight = stage.picture()
    page.mouse.move(*stage.spot(0.2, 0.85))
    page.mouse.down()
    page.mouse.move(*stage.spot(0.45, 0.75), steps=2)
    page.mouse.up()
    stage.url(r"yaw=-?[\d.]+&pitch=")
    page.mouse.move(0, 0)
    turned = stage.picture()
    camera = re.search(r"yaw=.*", page.url)[0]
    slider = page.get_by_role("slider").and_(page.locator("[class*=st-key-descent-surface-b] *"))
    slider.focus()
    page.keyboard.press("ArrowRight")
    stage.url("surface_b=11")
    assert camera in page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: "surface_b" not in url)
    assert camera in page.url
    until(page, lambda: np.abs(stage.picture() - turned).mean() < 1)
    again = Stage(visit(page.url[page.url.index("?"):], reduced_motion="reduce"))
    expect(again.page.get_by_role("button", name="Relief", pressed=True)).to_be_visible()
    assert np.abs(stage.picture() - straight).mean() > 3
    again.rest()
    until(page, lambda: np.abs(again.picture() - stage.picture()).mean() < 1)


# --- links, frames and phones ----------------------------------------------------------------------------------------------------------


def test_a_shared_link_is_this_very_view_to_others_in_their_language(visit):
    query = "?surface=rosenbrock&optimizer=adam:lr=0.2&optimizer=sgd:muted=1&noise=0.5&seed=7&steps=50&at=23"
    stage = Stage(visit(f"{query}&lang=en"))
    stage.at(23, of=50)
    stage.rest()
    stage.press("Shift+ArrowRight")
    stage.url(r"start=-1\.96")
    stage.page.get_by_role("button", name="Share").click()
    code = stage.page.locator(".optviz-qr")
    code.wait_for()
    assert code.bounding_box()["width"] >= 480, "for a lecture hall"
    link = stage.page.get_by_test_id("stCode").inner_text().replace("\n", "")
    assert urlsplit(link).query + "&lang=en" == urlsplit(stage.page.url).query, "whoever opens it reads it in a language of their own"
    other = Stage(visit("?" + urlsplit(link).query))
    expect(other.words).to_have_text(stage.words.inner_text())
    other.url(re.escape(urlsplit(link).query) + "$")
    until(other.page, lambda: other.ink() == stage.ink())
    other.page.get_by_role("button", name="Русский", exact=True).click()
    other.says("^Шаг 23 из 50")
    assert re.findall(r"[\d.]+", other.words.inner_text()) == re.findall(r"[\d.]+", stage.words.inner_text())


def test_a_slide_shows_the_stage_alone(visit):
    stage = Stage(visit(SHORT + "&embed=true&lang=ru&at=3", color_scheme="dark", viewport={"width": 960, "height": 540}))
    stage.at(3)
    expect(stage.box).to_have_css("background-color", "rgb(15, 22, 28)")
    stage.press("ArrowRight")
    stage.url(r"at=4.*embed=true.*lang=ru|at=4.*lang=ru.*embed=true")
    for role in ("heading", "textbox", "table"):
        expect(stage.page.get_by_role(role)).to_have_count(0)
    expect(stage.page.get_by_role("button", name="Поделиться")).to_have_count(0)
    assert stage.box.bounding_box()["height"] > 400


@pytest.mark.parametrize("language", ["ru"])
def test_a_phone_shows_the_stage_first_and_a_finger_moves_the_start(visit, language):
    stage = Stage(visit(f"{SHORT}&at=40&lang={language}", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    page = stage.page
    stage.at(40)
    assert stage.fits(390)
    expect(stage.top).to_be_in_viewport(ratio=0.6)
    stage.rest()
    page.touchscreen.tap(*stage.spot(0.5, 0.4))
    until(page, lambda: stage.start() != (1.5, 1.5))
    tapped, before = stage.start(), stage.ink()
    finger = page.context.new_cdp_session(page)

    def touch(kind, *spots):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in spots]})
    touch("touchStart", stage.spot(0.5, 0.4))
    for k in range(1, 5):
        touch("touchMove", stage.spot(0.5 - 0.05 * k, 0.4 + 0.05 * k))
    until(page, lambda: stage.ink() != before)
    assert stage.start() == tapped
    touch("touchEnd")
    until(page, lambda: stage.start() != tapped)
    assert stage.start()[0] < tapped[0] and stage.start()[1] < tapped[1]
    last = page.get_by_role("button", name={"en": "One start", "ru": "Один старт"}[language])
    last.click()
    expect(page.locator("[class*=st-key-descent-scatter]")).to_be_in_viewport()


def test_results_are_sorted_by_a_press_on_a_heading_and_stay_so(visit):
    page = visit(SHORT + "&optimizer=momentum:lr=0.001")
    table = page.get_by_role("region", name="Results")

    def names():
        return table.get_by_role("rowheader").all_inner_texts()

    expect(table.get_by_role("rowheader")).to_have_count(3)
    came, head = names(), table.get_by_role("button", name="final loss")
    values = {name: float(table.get_by_role("row", name=name).get_by_role("cell").first.inner_text()) for name in came}
    head.click()
    expect(table.get_by_role("columnheader", name="final loss")).to_have_attribute("aria-sort", "ascending")
    up = names()
    assert up == sorted(came, key=values.__getitem__)
    head.press("Enter")
    expect(table.get_by_role("columnheader", name="final loss")).to_have_attribute("aria-sort", "descending")
    assert names() == up[::-1]
    head.press("Enter")
    assert names() == came
