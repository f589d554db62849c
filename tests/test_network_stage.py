"""The stage of a network in a real browser: its forward pass against Python's, what it shows, and what it says that a visitor did."""

import base64
import io
import re
from itertools import pairwise

import numpy as np
import pytest
from networks import message
from PIL import Image, ImageColor
from playwright.sync_api import expect

import optviz as ov
from optviz.edits import with_points, with_weights
from optviz.learning import Trainer
from optviz.network_scene import network_scene, run_key
from optviz.palette import THEMES
from optviz.render.network_wire import pack_network
from optviz.render.words import NETWORK, digits
from optviz.study import Study

#: A stage without a server: what it tells, but for how it is looked at, is kept in `told`. A busy machine paints no coarser field.
OPEN = """async (data) => {
    const { NetworkPlayer } = await import('/netplayer.js');
    window.told = []; window.looks = [];
    window.player = new NetworkPlayer(document.body.appendChild(Object.assign(document.createElement('main'), { className: 'optviz-stage' })), ({ word, ...event }) => { window.word = word ?? window.word; (event.look ? looks : told).push(event); });
    player.side = () => 100;
    window.take = (data) => player.show(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
    take(data);
}"""
FLOW = """async (messages) => {
    const { Net } = await import('/net.js'), { opened } = await import('/scene.js');
    return messages.map(([data, xs, ys]) => {
        const [head, array] = opened(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
        const net = new Net({ ...head.net, matrix: array(head.net.matrix), shift: array(head.net.shift) }), { frames } = head;
        const last = (a) => a && a.subarray(a.length / frames.passes.length * (frames.passes.length - 1));
        return net.flow(net.inputs(xs, ys), last(array(frames.theta)), last(array(frames.running))).at(-1).map((row) => [...row]);
    });
}"""
#: Where in the flat picture some colours lie: the answer is [r, g, b] at shares of its sides.
COLOURS_AT = """(spots) => { const back = player.field.back, g = back.getContext('2d');
    return spots.map(([a, b]) => [...g.getImageData(Math.round(a * (back.width - 1)), Math.round(b * (back.height - 1)), 1, 1).data.slice(0, 3)]); }"""


def trained(data="spiral", until=None, **settings):
    return Trainer(data, **{"epochs": 3, "n": 60, "seed": 1, **settings}).run(until=until)


def sent(*args, **settings):
    return base64.b64encode(message(*args, **settings)).decode()


def press(page, key):
    """A key of any layout; the keyboard here has Latin letters alone."""
    page.evaluate("(key) => player.box.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))", key)


def rest(page):
    """Wait until what was done is painted, at its finest."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function("player.fine && player.painted")


@pytest.fixture
def bare(modules):
    """Opens the stage of a network without a server."""
    def show(data=None, **context):
        page = modules("network.css", **context)
        if data:
            page.evaluate(OPEN, data)
        return page
    return show


NETS = [{"layers": (8, 8)}, {"activation": "relu", "layers": (5, 3), "bias": False, "lr": 0.003}, {"batchnorm": "before"}, {"batchnorm": "after", "layernorm": "before"},
        {"layernorm": "after", "residual": True}, {"activation": "maxout", "maxout_pieces": 3, "batchnorm": "before", "lr": 0.01}, {"activation": "prelu", "layers": (4, 4), "lr": 0.05},
        {"features": ("x", "y", "x2", "y2", "xy", "sinx", "siny"), "prepare": ("centre", "decorrelate"), "lr": 0.01}, {"dropout": 0.3, "dropout_form": "at_test"},
        {"data": "blobs", "loss": "ce", "layers": ()}, {"data": "plane", "output_activation": "sigmoid"}]


def test_the_forward_pass_is_pythons(bare):
    rng = np.random.default_rng(0)
    X = rng.uniform(-6, 6, (80, 2))
    trainers = [trained(**settings) for settings in NETS]
    for t in trainers:  # the page is told weights in single precision
        t.theta = t.theta.astype(np.float32).astype(float)
        t.kept[-1] = (t.passes, t.theta, t.running)
    page = bare()
    theirs = page.evaluate(FLOW, [[sent(t), X[:, 0].tolist(), X[:, 1].tolist()] for t in trainers])
    for settings, t, rows in zip(NETS, trainers, theirs, strict=True):
        mine = t.predict(X)
        assert np.array(rows).T.reshape(mine.shape) == pytest.approx(mine, rel=1e-5, abs=1e-5), settings
    turned = np.linalg.qr(rng.normal(size=(5, 5)))[0][:, :2] @ X.T + 3.0  # a plane in five dimensions
    flat = page.evaluate("""async ([rows, xs, ys]) => {
        const { principal, project } = await import('/net.js'), { mean, axes } = principal(rows, xs, ys);
        return axes.map((axis) => [...project(rows, mean, axis)]);
    }""", [turned.tolist(), X[:, 0].tolist(), X[:, 1].tolist()])
    assert np.array(flat).T == pytest.approx(X - X.mean(0), abs=1e-6), "the principal directions lie as the points do"


# --- what is seen ---------------------------------------------------------------------------------------------------------------------


def mixed(theme, sign, share=0.72):
    """A colour of the field: that of + or − over the page's own."""
    page, colour = (np.array(ImageColor.getrgb(c)) for c in (theme.page, theme.plus if sign > 0 else theme.minus))
    return page + (colour - page) * share


def test_the_field_is_the_networks_answer_and_scrubbing_shows_the_frame(bare):
    t = trained("gauss", epochs=30, lr=0.1, noise=0.1)
    page = bare(sent(t, state="done"), color_scheme="dark")
    count = page.locator(".count")
    expect(count).to_have_text("pass 30 of 30")
    rest(page)
    theme, spots = THEMES["dark"], [(0.3, 0.25), (0.7, 0.6), (0.45, 0.85), (0.9, 0.1)]
    at = page.evaluate("(spots) => spots.map(([a, b]) => player.field.place(a * player.field.width, b * player.field.height))", spots)
    for (x, y), seen in zip(at, page.evaluate(COLOURS_AT, spots), strict=True):
        said = float(np.clip(t.predict([[x, y]])[0], -1, 1))
        assert seen == pytest.approx(mixed(theme, said, 0.72 * abs(said)), abs=6), (x, y, said)

    def shown():
        return page.evaluate("player.field.back.toDataURL()")
    last = shown()
    for key, k in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        expect(count).to_have_text(f"pass {k} of 30")
    page.locator(".bar input").evaluate("(scrub) => { scrub.value = 17; scrub.dispatchEvent(new Event('input', { bubbles: true })); }")
    expect(count).to_have_text("pass 17 of 30")
    said = page.locator(".words").inner_text()
    assert said.startswith(f"Pass 17 of 30. Loss {digits(float(t.rows[17][0]))} on training")
    rest(page)
    assert shown() != last
    x, y = at[0]
    assert page.evaluate("([x, y]) => { player.pointer = [x, y]; return player.here(player.frames[player.now()]).at(-1)[0]; }", [x, y]) == pytest.approx(
        float(t.predict([[x, y]], at=17)[0]), abs=1e-4)
    page.keyboard.press("End")
    rest(page)
    assert shown() == last
    page.keyboard.press("d")
    rest(page)
    for (x, y), seen in zip(at, page.evaluate(COLOURS_AT, spots), strict=True):
        assert seen == pytest.approx(mixed(theme, t.predict([[x, y]])[0]), abs=3), "in steps: all or nothing"


def test_several_classes_have_their_colours_and_points_their_marks(bare):
    t = trained("blobs", epochs=2, loss="ce", lr=0.02, noise=0.2, n=60)
    page = bare(sent(t, state="done", look={"matrix": True}))
    rest(page)
    drawn = page.evaluate("""() => { const { x, y } = player.scene.points, f = player.field; return Array.from(x, (v, k) => [f.px(v), f.py(y[k])]); }""")
    X = page.evaluate("(spots) => spots.map(([a, b]) => player.field.place(a * player.field.width, b * player.field.height))", [[0.1, 0.5], [0.5, 0.1], [0.9, 0.9]])
    for (x, y), seen in zip(X, page.evaluate(COLOURS_AT, [[0.1, 0.5], [0.5, 0.1], [0.9, 0.9]]), strict=True):
        score = np.exp(t.predict([[x, y]])[0])
        shares = np.sort(score / score.sum())
        own = np.array(ImageColor.getrgb(page.evaluate("(k) => player.scene.colours[k]", int(score.argmax()))))
        ground = np.array(ImageColor.getrgb(THEMES["light"].page))
        assert seen == pytest.approx(ground + (own - ground) * 0.72 * (shares[-1] - shares[-2]), abs=8)
    assert len(drawn) == 60
    tables = [np.array(rows, int) for rows in page.evaluate(
        "() => [...player.parts.matrix.querySelectorAll('table')].map((t) => [...t.tBodies[0].rows].map((r) => [...r.cells].slice(1).map((c) => c.textContent)))")]
    assert [table.sum() for table in tables] == [t.count, t.val_count]
    own = [t.known[:t.count], t.known[t.count:]]
    for table, known, accuracy in zip(tables, own, t.rows[-1][2:], strict=True):
        assert table.trace() / table.sum() == pytest.approx(float(accuracy))
        assert table.sum(1).tolist() == np.bincount(known, minlength=3).tolist(), "rows are the true classes"
    points = np.asarray(Image.open(io.BytesIO(page.locator(".picture").screenshot())).convert("RGB"), float)
    px, py = drawn[0]
    colour = ImageColor.getrgb(page.evaluate("player.scene.colours[player.scene.points.label[0]]"))
    assert points[int(py) + 1, int(px) + 1] == pytest.approx(np.array(colour, float), abs=30), "a training point is filled"
    a, b = drawn[-1]
    assert points[int(b) + 1, int(a) + 1] == pytest.approx(np.array(ImageColor.getrgb(THEMES["light"].page), float), abs=90), "one for validation has a hole"


# --- what is done ---------------------------------------------------------------------------------------------------------------------


def test_playing_asks_for_more_and_goes_on_when_it_comes(bare):
    t = trained(epochs=40)
    page = bare(sent(t, last=4, state="ready"))
    count = page.locator(".count")
    expect(count).to_have_text("pass 3 of 40")
    page.keyboard.press("Home")
    assert page.evaluate("told") == []
    page.keyboard.press(" ")
    expect(count).to_have_text("pass 3 of 40")
    assert page.evaluate("told") == [{"more": 4}], "asked once, and waits"
    page.evaluate("(data) => take(data)", sent(t, first=4, last=12))
    expect(count).to_have_text("pass 11 of 40")
    page.wait_for_function("told.length === 2")
    page.evaluate("(data) => take(data)", sent(t, first=20, last=30))  # one before it was lost
    assert page.evaluate("player.frames.length") == 12
    page.wait_for_function("told.length === 3")
    page.evaluate("(data) => take(data)", sent(t, first=10, state="diverged", sentence="Layer 2 overflowed."))
    expect(count).to_have_text("pass 40 of 40")
    expect(page.locator(".sentence")).to_have_text("Layer 2 overflowed.")
    expect(page.locator("[data-do=play]")).to_have_attribute("title", NETWORK["play"].en)
    page.evaluate("(data) => take(data)", sent(t, first=4, last=12, state="diverged"))  # an older one comes again
    assert page.evaluate("player.frames.map((f) => f.pass)") == list(range(41))
    events = page.evaluate("told")
    assert events == [{"more": 4}, {"more": 12}, {"more": 12}]
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert page.evaluate("told") == events, "it is over: nothing is asked for"


def test_a_step_a_reset_and_another_run(bare):
    t = trained(epochs=40)
    page = bare(sent(t, last=2, state="ready"))
    count = page.locator(".count")
    for key, event in (("ArrowRight", {"step": 1}), ("r", {"reset": "same"}), ("ы", {"reset": "seed"}), ("К", {"reset": "same"})):
        page.keyboard.press("End")
        press(page, key)
        assert page.evaluate("told.at(-1)") == event
        page.evaluate("(data) => take(data)", sent(t, first=2, last=3, state="ready"))
        if "step" in event:
            expect(count).to_have_text("pass 2 of 40"), "one that was stepped to is shown"
        else:
            expect(count).to_have_text("pass 0 of 40")
    other = trained("xor", epochs=40, layers=(3,))
    page.evaluate("(data) => take(data)", sent(other, run="b", last=2))
    assert page.evaluate("[player.frames.length, player.net.widths.length]") == [2, 3]


def test_looking_at_neurons_weights_and_layers(bare):
    t = trained("circle", epochs=10, layers=(3, 2), lr=0.1)
    page = bare(sent(t, language="ru", state="done"), viewport={"width": 1280, "height": 720})
    readout, mesh = page.locator(".readout"), page.locator(".mesh canvas")
    rest(page)
    output = page.evaluate("player.field.back.toDataURL()")
    x, y, size = page.evaluate("() => { const { x, y, size } = player.diagram.columns[1][2]; return [x, y, size]; }")
    mesh.hover(position={"x": x + size / 2, "y": y + size / 2})
    bias = t.theta[next(b.at for b in t.net.blocks if b.kind == "bias")][2]
    expect(readout).to_contain_text("нейрон 3 слоя 1")
    expect(readout).to_contain_text(f"b = {digits(bias)}")
    mesh.click(position={"x": x + size / 2, "y": y + size / 2})
    page.wait_for_function("(output) => player.field.back.toDataURL() !== output", arg=output)
    assert page.evaluate("player.look.neuron") == [1, 2]
    mesh.click(position={"x": x + size / 2, "y": y + size / 2})
    assert page.evaluate("player.look.neuron") is None
    a, b = page.evaluate("() => { const [x0, y0, x1, y1, x2, y2, x3, y3] = player.diagram.curve(0, 0, 0); return [(x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8]; }")
    mesh.hover(position={"x": a, "y": b})
    expect(readout).to_have_text(re.compile(rf"вход x → нейрон 1 слоя 1\s+w = {re.escape(digits(t.theta[0]))}"))
    page.locator(".picture .top").hover(position={"x": 50, "y": 60})
    expect(readout).to_contain_text("класс: ")
    press(page, "ц")
    expect(page.locator(".bent")).to_be_visible()
    assert page.locator(".bent select").evaluate("(s) => [s.value, s.length]") == ["2", 2]
    press(page, "м")
    page.wait_for_function("looks.at(-1)?.look.hidden.length")
    assert page.evaluate("looks.at(-1)") == {"look": {"at": None, "neuron": None, "hidden": ["val"], "discrete": False, "warp": 2, "matrix": False}}
    assert page.evaluate("() => [...player.box.querySelectorAll('button')].filter((b) => !b.closest('dialog')).every((b) => /[А-я]/.test(b.title))")
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()


def test_a_phone_and_data_without_a_plane(bare):
    t = trained(epochs=4, layers=(4,))
    page = bare(sent(t), viewport={"width": 390, "height": 844}, has_touch=True)
    parts = [page.locator(f".{name}").bounding_box() for name in ("picture", "bar", "curves", "mesh")]
    assert all(a["y"] + a["height"] <= b["y"] for a, b in pairwise(parts)), "below each other"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("(data) => take(data)", sent(t, run="flat", flat=False))
    expect(page.locator(".none")).to_have_text(NETWORK["no_plane"].en)
    page.keyboard.press("Home")
    expect(page.locator(".count")).to_have_text("pass 0 of 4")


def test_one_input_is_shown_as_a_curve(bare):
    s = Study("x_sin_x", layers=(4,), activation="sigmoid", loss="mse", prepare=("centre", "scale"), optimizer="adam", lr=0.05, epochs=400, n=60)
    trainer, texts = s.trainer().run(), {name: text.ru for name, text in NETWORK.items()}

    def told(study, trainer):
        return base64.b64encode(pack_network(network_scene(study, trainer), "ru", texts)).decode()
    page = bare(told(s, trainer))
    rest(page)
    theme, x = THEMES["light"], np.arange(0.5, 10)
    dark = """(spots) => spots.map(([x, y]) => { const f = player.field, g = f.top.getContext('2d'), r = f.ratio;
        return [...g.getImageData(Math.round(f.px(x) * r), Math.round(f.py(y) * r), 1, 1).data]; })"""
    for seen in page.evaluate(dark, np.stack([x, trainer.predict(x[:, None])], -1).tolist()):
        assert seen == pytest.approx([*ImageColor.getrgb(theme.ink), 255], abs=80), "the answer's curve is where Python has it"
    assert page.evaluate(dark, [[3.3, 8.0]])[0][3] == 0
    weight, bias, out, _ = trainer.net.parts(trainer.theta)
    shares = out[:, 0] / (1 + np.exp(-(trainer.prepared(x[:, None]) @ weight + bias)))  # a row for each place
    alone = [(k, j) for k in range(len(x)) for j in range(4) if np.sort(abs(np.append(shares[k], [0, -9, 11]) - shares[k, j]))[1] > 0.7]
    said = page.evaluate(dark.replace("f.top", "f.back"), [[x[k], shares[k, j]] for k, j in alone])
    signs = np.sign([out[j, 0] for _, j in alone])
    assert len(set(signs)) == 2 and all((blue - red) * sign > 20 for sign, (red, _, blue, _) in zip(signs, said, strict=True)), "shares lie behind it, in the colour of their weights"
    assert page.evaluate("player.box.querySelectorAll('.legend li').length") == 2
    assert page.evaluate("() => ['warp', 'discrete', 'wrong', 'matrix'].every((name) => player.buttons[name].hidden)")
    k = int(np.argmax(trainer.known[:, 0]))
    px, py = page.evaluate("(k) => [player.field.px(player.scene.points.x[k]), player.field.py(player.scene.points.y[k])]", k)
    before = page.evaluate("player.field.top.toDataURL()")
    page.locator(".picture .top").hover(position={"x": px + 3, "y": py - 3})
    residual = trainer.known[k, 0] - trainer.predict(trainer.raw[k:k + 1])[0]
    expect(page.locator(".readout")).to_contain_text(NETWORK["residual"].ru.format(y=digits(float(trainer.known[k, 0])), r=digits(float(residual))))
    page.wait_for_function("(before) => player.field.top.toDataURL() !== before", arg=before)
    press(page, "n"), press(page, "n")
    page.wait_for_function("player.field.lines.neuron?.join() === '1,0' && player.field.view[3] < 2")  # a sigmoid's own height
    own = Study(ov.dataset([[-2.0], [-1.0], [0.1], [1.0], [2.0], [2.5]], ["a", "a", "b", "b", "c", "c"]), layers=(4,), loss="ce", lr=0.1, epochs=60, val=0.0)
    trainer = own.trainer().run()
    page.evaluate("(data) => { take(data); player.choose([1, 0]); player.go(60); }", told(own, trainer))
    rest(page)
    assert page.evaluate("player.look.neuron") is None and page.evaluate("!player.buttons.wrong.hidden && player.buttons.warp.hidden")
    heights = page.evaluate("(x) => { const f = player.field; return f.lines.rows.map(([row]) => x.map((x) => row[Math.round(f.px(x) / f.width * (row.length - 1))])); }", [-2.0, 0.5, 2.4])
    assert np.array(heights).T == pytest.approx(trainer.probabilities([[-2.0], [0.5], [2.4]]), abs=0.02), "a share for each class"
    colours = page.evaluate("player.scene.colours")
    for x, seen in zip((-2.1, 2.4), page.evaluate("""(xs) => xs.map((x) => { const f = player.field, g = f.back.getContext('2d');
            return [...g.getImageData(Math.round(f.px(x) * f.ratio), Math.round(0.03 * f.back.height), 1, 1).data.slice(0, 3)]; })""", [-2.1, 2.4]), strict=True):
        shares = np.sort(trainer.probabilities([[x]])[0])
        full = np.array(ImageColor.getrgb(colours[0 if x < 0 else 2]))
        page_colour = np.array(ImageColor.getrgb(theme.page))
        assert seen == pytest.approx(page_colour + (full - page_colour) * 0.72 * (shares[-1] - shares[-2]), abs=14), "a band of the class that is said"
    page.evaluate("(data) => take(data)", sent(trained("gauss", epochs=2), run="plane", state="done"))
    rest(page)
    assert page.evaluate("player.field.view.length === 4 && !player.buttons.warp.hidden && player.field.lines === undefined")


def test_a_pass_that_is_not_kept_gives_way_to_later_ones(bare):
    s = Study("gauss", layers=(2,), epochs=10_000, n=20)
    trainer, page, texts = s.trainer(), None, {name: text.en for name, text in NETWORK.items()}
    for until, shown in ((1, [0, 1]), (3, [0, 3]), (102, [0, 100, 102])):
        first = len(trainer.kept) if page else 0
        data = base64.b64encode(pack_network(network_scene(s, trainer.run(until=until), first), "en", texts)).decode()
        page = page or bare(data)
        page.evaluate("(data) => take(data)", data)
        assert page.evaluate("player.frames.map((f) => f.pass)") == shown


# --- what is set by hand --------------------------------------------------------------------------------------------------------------


def answered(page, study):
    """The study that the stage asked for, which it is then told."""
    page.wait_for_function("told.length")
    event = page.evaluate("told.shift()")
    if "more" in event:
        page.evaluate("(data) => take(data)", sent(study.trainer(), run=run_key(study), state="ready", language="ru"))
        return answered(page, study)
    trainer = study.trainer().run(until=event.get("at", 0))
    study = with_points(study, trainer, event["points"]) if "points" in event else with_weights(study, trainer, event["weights"], event["at"])
    page.evaluate("(data) => take(data)", sent(study.trainer(), run=run_key(study), state="ready", language="ru"))
    return event, study


def seen(page):
    return page.evaluate("() => { const { x, y, label } = player.scene.points; return Array.from(x, (v, k) => [v, y[k], label[k]]); }")


def test_points_by_hand(bare):
    s = Study("circle", layers=(3,), epochs=20, n=20, data_seed=3)
    page = bare(sent(s.trainer(), run=run_key(s), state="ready", language="ru"), viewport={"width": 1280, "height": 720}, has_touch=True)
    top, tools = page.locator(".picture .top"), page.locator(".tools")
    rest(page)

    def at(x, y):
        a, b = page.evaluate("([x, y]) => { const r = player.parts.top.getBoundingClientRect(); return [player.field.px(x) + r.left, player.field.py(y) + r.top]; }", [x, y])
        return a, b
    page.mouse.click(*at(5.5, 5.5))
    assert page.evaluate("told") == [] and tools.is_hidden()
    press(page, "з")
    expect(page.get_by_role("button", name=re.compile("Карандаш"))).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".sentence")).to_have_text(NETWORK["pen_hint"].ru)
    page.mouse.click(*at(5.5, 5.5))
    page.touchscreen.tap(*at(-5.5, 5.5))  # before the first is answered
    assert len(seen(page)) == 22 and page.evaluate("told.length") == 1
    event, s = answered(page, s)
    assert event["points"]["add"] == [pytest.approx(5.5, abs=0.03)] * 2 + [1] and len(seen(page)) == 22, "what is on its way stays"
    event, s = answered(page, s)
    assert event["points"]["add"] == pytest.approx([-5.5, 5.5, 1], abs=0.03) and len(seen(page)) == 22
    page.keyboard.press("3")
    expect(tools.locator("[aria-pressed=true]")).to_have_text("+")
    page.mouse.move(*at(-5, -5.5))
    page.mouse.down()
    page.mouse.move(*at(-5.5, -5.5))
    page.mouse.move(*at(-60, -5))
    page.mouse.up()
    event, s = answered(page, s)
    assert event["points"]["add"] == pytest.approx([-6, -5, 2], abs=0.03) and s["data"].labels == (-1, 1, 2), "no farther than the box, and a class more"
    k = page.evaluate("player.scene.points.label.indexOf(2)")
    before = seen(page)
    page.mouse.move(*at(*before[k][:2]))
    assert page.evaluate("player.parts.top.style.cursor") == "grab"
    page.mouse.down()
    page.mouse.move(*at(0, -5))
    assert seen(page)[k] == pytest.approx([0, -5, 2], abs=0.03) and page.evaluate("told") == [], "it moves at once, and is told of when it rests"
    page.evaluate("(data) => take(data)", sent(s.trainer(), run=run_key(s), state="ready", language="ru"))
    assert seen(page)[k] == pytest.approx([0, -5, 2], abs=0.03), "another message does not put it back"
    page.mouse.up()
    event, s = answered(page, s)
    assert event == {"points": {"move": [k, *event["points"]["move"][1:]]}, "run": event["run"]} and event["points"]["move"][1:] == pytest.approx([0, -5], abs=0.03)
    page.keyboard.press("Control+z")
    assert page.evaluate("told.shift()") == {"back": 1}
    page.evaluate("(data) => take(data)", sent(s.trainer(), run=run_key(s), state="ready", language="ru"))
    there = seen(page)
    page.mouse.click(*at(5.9, -5.9))
    page.wait_for_function("told.length")
    assert len(seen(page)) == len(there) + 1 and "add" in page.evaluate("told.shift()")["points"]
    page.evaluate("(data) => take(data)", sent(s.trainer(), run=run_key(s), state="ready", language="ru"))
    assert seen(page) == there, "what is refused is gone at once"
    page.mouse.click(*at(0, -5), button="right")
    assert answered(page, s)[0]["points"] == {"erase": [k]}
    s = with_points(s, s.trainer(), {"erase": [k]})
    press(page, "ч")
    first = page.evaluate("() => [...player.scene.points.x].findIndex((x, k) => x > 5 && player.scene.points.y[k] > 5)")
    page.mouse.move(*at(5.9, 5.9))
    page.mouse.down()
    page.mouse.move(*at(5.5, 5.5))
    page.mouse.up()
    event, s = answered(page, s)
    assert event["points"] == {"erase": [first]} and len(seen(page)) == 21
    page.evaluate("player.playing = true")
    tools.get_by_role("button", name=NETWORK["clear"].ru).click()
    event, s = answered(page, s)
    assert event["points"] == {"clear": True} and seen(page) == [] and page.evaluate("player.playing"), "it plays on"
    press(page, "З")
    assert tools.is_hidden()
    top.click(position={"x": 30, "y": 30})
    assert seen(page) == []


def test_one_word_at_a_time_is_on_its_way_until_it_is_answered(bare):
    s = Study("circle", layers=(3,), epochs=20, n=20, data_seed=3)
    page = bare(sent(s.trainer(), run="a", state="ready", heard=0), viewport={"width": 1280, "height": 720})
    rest(page)
    place = page.locator(".picture .top")
    page.evaluate("""() => { const soon = window.setTimeout, now = Date.now();
        Date.now = () => now; window.setTimeout = (f, ms, ...rest) => (ms < 5000 ? soon(f, ms, ...rest) : 0); }""")  # nothing counts as lost

    def says(run, heard, there):
        page.evaluate("(data) => take(data)", sent(there.trainer(), run=run, state="ready", heard=heard))
    press(page, "p")
    place.click(position={"x": 20, "y": 20})
    first = page.evaluate("word")
    place.click(position={"x": 20, "y": 60})
    press(page, "p")
    for _ in range(2):  # each is told when the next is taken
        press(page, "l")
        press(page, "ArrowUp")
    press(page, "l")
    assert [*page.evaluate("told")[0]] == ["points", "run"] and page.evaluate("told.length") == 1
    says("a", 0, s)  # the answer to something older
    says("b", first - 1, s)
    assert page.evaluate("told.length") == 1 and len(seen(page)) == 22
    s = with_points(s, s.trainer(), page.evaluate("told[0].points"))
    says("c", first, s)
    assert page.evaluate("[told.length, told[1].run]") == [2, "c"] and len(seen(page)) == 22
    second = page.evaluate("word")
    assert second > first
    s = with_points(s, s.trainer(), page.evaluate("told[1].points"))
    says("d", second, s)
    weights = page.evaluate("told[2].weights")
    assert len(weights) == 2 and len(seen(page)) == 22, "what was told meanwhile is sent"
    shown = "(weights) => weights.map(([index]) => player.shown.theta[index])"
    says("d", second, s)
    assert page.evaluate(shown, weights) == pytest.approx([value for _, value in weights])
    says("d", page.evaluate("word"), s)  # refused
    assert page.evaluate(shown, weights) == pytest.approx([s.trainer().theta[index] for index, _ in weights])
    page.evaluate("told.length = 0")
    for key in "sscr":
        press(page, key)
    for run in "efg":
        says(run, page.evaluate("word") - (run == "e"), s)
    assert page.evaluate("told") == [{"reset": "seed"}, {"reset": "seed"}, {"pin": True}], "another run makes void what begins the last one anew, and no more"


def test_weights_by_hand(bare):
    s = Study("xor", layers=(3,), epochs=20, n=30, loss="logistic", seed=2)
    t = s.trainer().run(until=8)
    page = bare(sent(t, run=run_key(s), state="ready"), viewport={"width": 1280, "height": 720})
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    rest(page)
    theta = t.snapshots[7][1].copy()
    field = page.evaluate("player.field.back.toDataURL()")

    def place(spot):
        box = page.locator(".mesh canvas").bounding_box()
        x, y = page.evaluate(f"player.diagram.middle({spot})")
        return box["x"] + x, box["y"] + y
    x, y = place("{ layer: 1, i: 0, j: 0 }")
    index = page.evaluate("player.net.own[1].weight.begin")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 10)
    page.mouse.move(x, y - 60)
    rest(page)
    theta[index] = float(page.evaluate(f"player.shown.theta[{index}]"))
    assert theta[index] == pytest.approx(t.snapshots[7][1][index] + 1.2, abs=0.01), "up is more"
    assert page.evaluate("told") == [] and page.evaluate("player.field.back.toDataURL()") != field
    spots = [[-3, 2], [1, 1], [4, -5]]
    said = page.evaluate("(spots) => spots.map((spot) => { player.pointer = spot; return player.here(player.shown).at(-1)[0]; })", spots)
    assert said == pytest.approx(s.at(weights=theta).trainer().predict(spots), abs=1e-4), "the network is the one with the weight"
    page.mouse.up()
    event, s = answered(page, s)
    assert event["at"] == 7 and event["weights"] == [[index, pytest.approx(theta[index], abs=1e-6)]] and s.weights == pytest.approx(theta, abs=1e-6)
    expect(page.locator(".count")).to_have_text("эпоха 0 из 20")
    card, field = page.locator(".card"), page.locator(".card input")
    assert float(field.input_value()) == pytest.approx(theta[index], rel=1e-3)
    for text, fine in (("1e9", False), ("1001", False), ("NaN", False), ("", False), ("0x; alert(1)", False), ("−0,25", True)):
        field.fill(text)
        field.press("Enter")
        assert card.locator("p").is_visible() != fine
        assert fine or card.locator("p").inner_text() == NETWORK["impossible_weight"].ru
    event, s = answered(page, s)
    assert event["weights"] == [[index, -0.25]] and event["at"] == 0 and s.weights[index] == -0.25
    page.mouse.move(*place("{ layer: 1, i: 0, j: 0 }"))
    page.mouse.wheel(0, -100)
    assert answered(page, s)[0]["weights"] == [[index, pytest.approx(-0.15)]]
    s = s.at(weights=[*s.weights[:index], -0.15, *s.weights[index + 1:]])
    x, y = place("{ layer: 1, i: 0, j: 0 }")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 5)
    assert page.evaluate(f"player.shown.theta[{index}]") == 0, "a drag is caught by 0"
    page.mouse.up()
    answered(page, s)
    page.evaluate("player.box.focus()")
    press(page, "д")  # the next: of the same layer's second neuron
    press(page, "0")
    event, s = answered(page, s)
    assert event["weights"] == [[index + 1, 0]]
    bias = page.evaluate("() => { const { x, y, index } = player.diagram.biasAt(1, 2); return [x, y, index]; }")
    page.locator(".mesh canvas").hover(position={"x": bias[0], "y": bias[1]})
    expect(page.locator(".readout")).to_contain_text("b = ")
    page.mouse.down()
    page.mouse.move(*(v + d for v, d in zip(place("player.diagram.biasAt(1, 2)"), (0, -50), strict=True)))
    page.mouse.up()
    event, s = answered(page, s)
    assert event["weights"] == [[bias[2], pytest.approx(1.0, abs=0.15)]]
    press(page, "Escape")
    assert card.is_hidden()
