"""Networks in training as files: what is drawn is what the network says, and what was asked for is what is there."""

import io
import re

import numpy as np
import pytest
from conftest import PATIENCE
from PIL import Image
from playwright.sync_api import expect

import optviz as ov
from optviz.boundary import boundary
from optviz.core import T
from optviz.ending import advance
from optviz.network_scene import flow, network_scene
from optviz.palette import COLOURS, THEMES
from optviz.render.frames import frames
from optviz.render.network_exhibit import study_exhibit, training_exhibit
from optviz.render.network_field import DEEP, LEVELS, Plane
from optviz.render.network_picture import NetworkPicture
from optviz.render.options import options
from optviz.render.picture import Look
from optviz.render.raster import Raster, rgb
from optviz.render.slide import WEB
from optviz.render.words import digits
from optviz.study import Study
from optviz.wall import Cell, Wall

HIDDEN = ["train", "val", "wrong"]


def trained(data="moons", **settings):
    study = Study(data, **{"layers": (6,), "epochs": 12, "n": 60, "lr": 0.1, **settings})
    return study, advance(study, study.trainer(), 60.0)


def wall(*cells, columns=1, **heads):
    return Wall([Cell(T(f"cell {i}", f"клетка {i}"), *cell) for i, cell in enumerate(cells)], columns, **heads)


def drawn(of, now, **look):
    """The picture, and its pixels at a moment."""
    picture = NetworkPicture(of, Look(**look))
    return picture, next(frames(picture, [now])).copy()


def places(picture, pane):
    """Middles of some pixels of a field: their rows and columns in the picture, and where they are in the plane."""
    f, s = pane.field, picture.unit
    across, down = (np.linspace(6, round(side * s) - 7, 23).astype(int) for side in (f.width, f.height))
    columns, rows = (a.ravel() for a in np.meshgrid(across, down))
    x0, x1, y0, y1 = Plane.of(pane.scene, round(f.width * s), round(f.height * s)).view
    x = x0 + (columns + 0.5) / round(f.width * s) * (x1 - x0)
    y = y1 - (rows + 0.5) / round(f.height * s) * (y1 - y0)
    return rows + round(f.y * s), columns + round(f.x * s), np.stack([x, y], 1)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("data", "settings"), [("moons", {}), ("moons", {"loss": "ce"}), ("blobs", {}), ("moons", {"batchnorm": "before", "dropout": 0.2,
                         "dropout_form": "at_test", "features": ("x", "y", "xy"), "prepare": ("centre", "scale"), "activation": "maxout"})])
def test_a_place_has_the_colour_of_the_class_that_the_network_gives_it(data, settings, theme):
    study, trainer = trained(data, hidden=HIDDEN, discrete=True, **settings)
    for now in (0, 12):
        picture, pixels = drawn(wall((study, trainer)), now, theme=theme)
        (pane,) = picture.panes
        rows, columns, spots = places(picture, pane)
        out = trainer.predict(spots, now).reshape(len(spots), -1)
        said = (out[:, 0] > 0).astype(int) if out.shape[1] == 1 else out.argmax(1)
        two, t = len(trainer.labels) == 2, THEMES[theme]
        colours = [rgb(c) for c in ((t.minus, t.plus) if two else COLOURS[:len(trainer.labels)])]
        sure = [np.rint(np.array(rgb(t.page)) + (np.array(c) - rgb(t.page)) * DEEP) for c in colours]
        found = np.abs(pixels[rows, columns][:, None].astype(float) - np.array(sure)).sum(2)
        same = found.argmin(1) == said
        assert same[found.min(1) < 12].mean() > 0.99 and (found.min(1) < 12).mean() > 0.8, "the rest is the line between them"


def test_values_are_white_in_their_middle_and_a_neuron_can_be_shown_alone():
    study, trainer = trained("plane", hidden=HIDDEN, epochs=30)
    picture, pixels = drawn(wall((study, trainer)), 30)
    rows, columns, spots = places(picture, picture.panes[0])
    out, colour = trainer.predict(spots, 30), pixels[rows, columns].astype(int)
    blueness = colour[:, 2] - colour[:, 0]
    sure = np.abs(out) > 0.5 * np.abs(out).max()
    assert (np.sign(blueness[sure]) == np.sign(out[sure])).all() and np.abs(blueness[np.abs(out) < 0.02 * np.abs(out).max()]).max(initial=0) < 60
    picture, pixels = drawn(wall((study.at(neuron=(1, 2)), trainer)), 30)
    scene = picture.panes[0].scene
    neuron = flow(scene, trainer.prepared(spots), len(scene.frames.passes) - 1)[1][:, 2]
    colour = pixels[rows, columns].astype(int)
    assert (np.sign(colour[:, 2] - colour[:, 0])[np.abs(neuron) > 0.3] == np.sign(neuron)[np.abs(neuron) > 0.3]).all()


def test_the_look_is_the_stages():
    source = (WEB / "field.js").read_text("utf-8")
    assert f"const DEEP = {DEEP};" in source and f"const LEVELS = {LEVELS};" in source


def test_flow_is_the_trainers_own():
    study, trainer = trained(batchnorm="after", layernorm="before", residual=True, layers=(5, 5))
    scene, spots = network_scene(study, trainer), np.random.default_rng(1).normal(size=(50, 2))
    for k, passes in enumerate(scene.frames.passes):
        assert np.allclose(flow(scene, trainer.prepared(spots), k)[-1][:, 0], trainer.predict(spots, passes))


@pytest.mark.parametrize("several", [False, True])
def test_one_input_is_a_curve(several):
    study, trainer = trained("x_sin_x", n=40, epochs=100, lr=0.01)
    of = wall(*[(study, trainer)] * (1 + several), columns=2)
    picture, pixels = drawn(of, 100)
    pane = picture.panes[-1]
    f, ((x0, x1), (y0, y1)) = pane.field, pane.scene.box
    x = np.linspace(x0, x1, 25)[1:-1]
    y = trainer.predict(x[:, None])
    inside = (y > y0 + 1) & (y < y1 - 1)
    columns, rows = (np.rint(v).astype(int) for v in (f.x + (x - x0) / (x1 - x0) * f.width, f.y + (y1 - y) / (y1 - y0) * f.height))
    assert inside.sum() > 15 and (pixels[rows[inside], columns[inside]].max(1) < 130).all(), "the answer lies on all else"
    labels = ov.dataset([[-2.0], [-1.0], [0.1], [1.0], [2.0], [2.5]], ["a", "a", "b", "b", "c", "c"])
    study, trainer = trained(labels, n=6, val=0.0, loss="ce", hidden=HIDDEN)
    picture, pixels = drawn(wall((study, trainer)), 12)
    f = picture.panes[0].field
    for x in (-2.3, 2.9):
        shares = np.sort(trainer.probabilities([[x]])[0])
        sure = np.array(rgb(COLOURS[trainer.probabilities([[x]])[0].argmax()]))
        page = np.array(rgb(THEMES["light"].page))
        seen = pixels[round(f.y + 4), round(f.x + (x + 2.45) / 5.4 * f.width)]
        assert seen == pytest.approx(page + (sure - page) * DEEP * (shares[-1] - shares[-2]), abs=14), "a band of the class that is said"


@pytest.mark.parametrize("theme", THEMES)
def test_the_numbers_of_a_wall_are_the_stages(theme, monkeypatch):
    cells = [trained(), trained("blobs", lr=0.03)]
    said = []
    monkeypatch.setattr(Raster, "text", lambda self, x, y, words, *how, **more: said.append(words))
    drawn(wall(*cells, columns=2), 12, theme=theme)
    for _, trainer in cells:
        right = [digits(100 * float(trainer.rows[12][i])) + " %" for i in (2, 3)]
        (shown,) = {words for words in said if words.startswith(" · ".join(right) + " · ")}
        assert float(shown.split(" · ")[2].replace(",", ".")) == pytest.approx(boundary(trainer), rel=0.03)


SIZES = [(960, 540), (1080, 1080), (390, 844), (320, 180), (1920, 1080)]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_words_can_be_read_and_stay_inside(language, monkeypatch):
    one, many = trained(), [trained(epochs=2, layers=(2,)) for _ in range(6)]
    heads = {"row_heads": [T("λ = 0", "λ = 0"), T("λ = 1", "λ = 1")], "column_heads": [T(f"n = {i}", f"n = {i}") for i in range(3)]}
    said = []

    def text(self, x, y, words, size, colour, weight=400, align="left", halo=None):
        long = self.measure(words, size, weight)
        said.append((words, size, x - {"left": 0, "right": long, "center": long / 2}[align], long, y))
    monkeypatch.setattr(Raster, "text", text)
    for size in SIZES:
        for of in (wall(one), wall(*many, columns=3), wall(*many, columns=3, **heads)):
            said.clear()
            picture, pixels = drawn(of, 2, size=size, language=language, title="Сеть")
            assert pixels.shape == (size[1], size[0], 3) and said
            for words, letters, left, long, y in said:
                assert letters >= 16 and left > -1 and left + long < picture.width + 1 and 0 < y < picture.height, (size, words)
            if size[0] >= 960:
                assert any(words == T("pass 2 of 12", "эпоха 2 из 12").__getattribute__(language) for words, *_ in said) or of.columns == 3


def test_a_wall_has_every_network_and_its_numbers(monkeypatch):
    cells = [trained(epochs=12, lr=lr) for lr in (0.001, 0.003, 0.01, 0.03, 0.1)]
    cells.append(trained(lr=1e6, activation="relu", loss="mse"))  # that one diverges
    assert cells[-1][1].diverged_at >= 0
    of = wall(*cells, columns=3)
    said = []
    with monkeypatch.context() as patch:
        patch.setattr(Raster, "text", lambda self, x, y, words, *how, **more: said.append(words))
        last = cells[-1][1].diverged_at - 1
        drawn(of, last - 1)
        assert not [words for words in said if words.startswith("diverged")]
        drawn(of, 12)
        assert [words for words in said if words.startswith("diverged")] == ["diverged"]
    picture, pixels = drawn(of, 12)
    alone = []
    for pane in picture.panes:
        f = pane.field
        assert f.x >= 0 and f.x + f.width <= picture.width and f.y + f.height <= picture.plane.y + picture.plane.height
        alone.append(pixels[round(f.y):round(f.y + f.height), round(f.x):round(f.x + f.width)])
    assert len({a.tobytes() for a in alone}) >= 5
    assert picture.told == [0, 1, 2]
    big = Wall([of.cells[i % 6] for i in range(64)], 8, [T(str(i), str(i)) for i in range(8)], [T(str(i), str(i)) for i in range(8)])
    picture, pixels = drawn(big, 12)
    assert picture.told and min(pane.field.height for pane in picture.panes) > 36 and len(picture.panes) == 64


def test_a_gif_has_what_was_asked_for():
    study, trainer = trained()
    history = ov.train(study.training)
    data = ov.render(history, medium="gif", frames=9, fps=25, size=(480, 270))
    image = Image.open(io.BytesIO(data))
    assert (image.n_frames, image.size) == (9, (480, 270))
    picture = study_exhibit(study, trainer).picture(options({"size": (480, 270)}))
    for k, pixels in enumerate(frames(picture, np.linspace(0, 12, 9))):
        image.seek(k)
        assert image.info["duration"] == (40 if k < 8 else 1500)  # what it came to stays for a while
        assert np.abs(np.asarray(image.convert("RGB"), float) - pixels).mean() < 3
    with Image.open(io.BytesIO(ov.render(history, medium="png", at=6, transparent=True))) as still:
        assert still.mode == "RGBA" and "data=moons" in still.info["Comment"]
        assert np.asarray(still)[2, 2, 3] == 0, "the page is not there"


def test_what_else_can_be_taken():
    study, trainer = trained()
    lines = ov.render(study, medium="csv").decode().splitlines()
    assert lines[0] == "pass,loss_train,loss_val,accuracy_train,accuracy_val" and len(lines) == 14
    assert float(lines[-1].split(",")[1]) == trainer.rows[-1][0]
    arrays = np.load(io.BytesIO(ov.render(study, medium="npz")))
    assert np.array_equal(arrays["weights"][-1], trainer.theta) and arrays["passes"][-1] == 12
    assert b"import torch" in ov.render(study, medium="py", torch=True) and b"ov.train" in ov.render(study, medium="py")
    assert ov.render(study, medium="svg").startswith(b"<?xml")
    shown = training_exhibit(wall((study, trainer), (study, trainer)), {})
    assert next(shown.table("ru")).startswith("network,pass,") and len(list(shown.table("ru"))) == 27
    assert set(shown.arrays()) >= {"weights_0", "weights_1"}


def test_what_cannot_be_is_refused_in_a_sentence():
    cells = [trained(epochs=1)] * 2
    with pytest.raises(ov.Refused, match=r"^a script makes one training"):
        ov.render(wall(*cells, columns=2), medium="py")
    with pytest.raises(ov.Refused, match=r"^this is a batch of trainings"):
        ov.render(ov.train("moons", lr=np.array([0.1, 0.2]), epochs=1), medium="png")
    with pytest.raises(ov.Refused, match="300 are the limit; choose fewer neurons"):
        ov.render(Study("moons", layers=(64,) * 8, epochs=20, n=20), medium="html")
    with pytest.raises(ov.Refused, match="neither a curve nor a plane"):
        ov.render(wall(*[trained("digits", epochs=1)] * 2, columns=2), medium="png")
    assert ov.render(Study("digits", layers=(4,), epochs=1, n=60), medium="png")


@pytest.fixture
def sealed(browser, tmp_path):
    """Opens a file that asks nobody for anything, and has no error in its console."""
    contexts, errors, requests = [], [], []

    def show(what, **options):
        path = ov.render(what, tmp_path / "slide.html", **options)
        assert path.stat().st_size < 300_000
        contexts.append(browser.new_context(viewport={"width": 960, "height": 540}))
        contexts[-1].set_default_timeout(PATIENCE)
        contexts[-1].on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        contexts[-1].on("weberror", lambda error: errors.append(str(error.error)))
        contexts[-1].on("request", lambda request: requests.append(request.url))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert errors == [] and [url for url in requests if not url.startswith((tmp_path.as_uri(), "data:font/woff2"))] == []


def test_a_slide_plays_by_itself(sealed):
    page = sealed(Study("moons", layers=(4, 3), epochs=20, n=60, lr=0.1), language="ru", theme="dark", title="<b>Сеть</b>")
    count = page.locator(".count")
    expect(count).to_have_text("эпоха 20 из 20")
    for key, k in (("Home", 0), ("ArrowRight", 1), ("ArrowLeft", 0), ("End", 20), ("ArrowRight", 20)):
        page.keyboard.press(key)
        expect(count).to_have_text(f"эпоха {k} из 20")
    page.locator(".bar input").fill("7")
    expect(count).to_have_text("эпоха 7 из 20")
    for name in ("reset", "seed", "pen", "undo"):
        expect(page.locator(f"[data-do={name}]")).to_be_hidden()
    mesh = page.locator(".mesh").bounding_box()
    for key in ("r", "p", "c", "l", "0", "Control+z"):
        page.keyboard.press(key)
    page.mouse.move(mesh["x"] + mesh["width"] * 0.3, mesh["y"] + mesh["height"] / 2)
    page.mouse.down()
    page.mouse.move(mesh["x"] + mesh["width"] * 0.3, mesh["y"] + 5)
    page.mouse.up()
    expect(count).to_have_text("эпоха 7 из 20")
    assert page.locator(".tools").is_hidden() and page.locator(".card").is_hidden()
    top = page.locator("canvas.top").bounding_box()
    page.mouse.move(top["x"] + top["width"] / 2, top["y"] + top["height"] / 2)
    expect(page.locator(".readout")).to_contain_text("выход")
    page.keyboard.press("n")
    expect(page.locator(".words")).to_contain_text("На картинке")
    picture = np.asarray(Image.open(io.BytesIO(page.locator(".picture").screenshot())).convert("RGB"), float)
    assert picture.std() > 5
    expect(page.get_by_role("heading", name="<b>Сеть</b>")).to_be_visible()
    page.keyboard.press("?")
    assert not re.search(r"\bR\b", page.get_by_role("dialog").inner_text())
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_slide_of_several_trainings_plays_them_together(sealed):
    study = Study("moons", layers=(4,), epochs=20, n=60, lr=0.1)
    page = sealed(study.pinned().at(lr=1e6, activation="relu", loss="mse").pinned().at(lr=0.01), language="en")
    count, cells = page.locator(".count"), page.locator("figure")
    expect(count).to_have_text("pass 20 of 20")
    expect(cells).to_have_count(3)
    expect(cells.nth(2).locator("small")).to_contain_text("overflow")
    for key, k in (("Home", 0), ("ArrowRight", 1), ("2", 1), ("c", 1), ("r", 1), ("End", 20)):
        page.keyboard.press(key)
        expect(count).to_have_text(f"pass {k} of 20")
    cells.nth(1).locator(".spot").click()
    expect(page.locator(".readout")).to_contain_text("class: ")
    expect(cells.nth(0).locator("output")).to_have_text(re.compile("% right · boundary"))
    assert page.locator("[data-do=reset]").is_hidden() and cells.nth(1).locator(".drop").is_hidden()
    page.keyboard.press("?")
    assert not re.search(r"\b[RSC]\b", page.get_by_role("dialog").inner_text())
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
