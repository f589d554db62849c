"""The export in a browser: choose, see, take away; and what was on the screen stays."""

import base64
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
from PIL import Image
from playwright.sync_api import expect
from test_lab import Stage, until

import optviz as ov
from optviz.race import Race

QUERY = "v=1&surface=himmelblau&start=0.0,0.5&steps=40&optimizer=sgd:lr=0.01&optimizer=adam:lr=0.3"
RACE = Race.from_query(QUERY)


class Export:
    """The dialog, as a visitor finds it."""

    def __init__(self, page, title="Export"):
        self.page = page
        page.get_by_role("button", name=title, exact=True).click()
        self.box = page.get_by_role("dialog")
        self.take = self.box.get_by_test_id("stDownloadButton").get_by_role("button")
        self.make = self.box.get_by_role("button", name=re.compile("Make the file|Создать файл"))
        self.picture = self.box.locator(".st-key-export-preview img")
        expect(self.make).to_be_visible()

    def pick(self, word):
        self.box.get_by_role("radio", name=word, exact=True).click()

    def taken(self, name, data=None):
        """The bytes of the file that is offered, as soon as it has its name; or as soon as it is what it should be."""
        expect(self.take).to_have_text(re.compile(rf"{re.escape(name)} · \d"))
        got = [None]

        def offered():
            with self.page.expect_download() as download:
                self.take.click()
            got[0] = Path(download.value.path()).read_bytes()
            return download.value.suggested_filename == name and data in (None, got[0])
        until(self.page, offered)
        return got[0]

    def command(self):
        """What the dialog says for the command line."""
        self.box.get_by_text(re.compile("command line|командной строки")).click()
        return shlex.split(self.box.get_by_test_id("stCode").last.inner_text())


def test_a_gif_is_made_seen_and_taken(visit):
    page = visit(f"?{QUERY}&at=7&lang=en")
    stage = Stage(page)
    stage.at(7)
    url, export = page.url, Export(page)
    export.pick("Dark")
    export.box.get_by_label("Title").fill("Спуск <b>θ</b>")
    expect(export.make).to_have_text(re.compile("125 frames"))
    export.make.click()  # from within the field: what was typed counts
    expect(export.take).to_have_text(re.compile(r"himmelblau-sgd-adam\.gif · \d+ KB"))
    data = export.taken("himmelblau-sgd-adam.gif", ov.render(RACE, medium="gif", at=7, seconds=5.0, theme="dark", title="Спуск <b>θ</b>"))
    assert base64.b64decode(export.picture.get_attribute("src").partition(",")[2]) == data, "what is seen is the file"
    export.pick("50")  # another choice is another file
    expect(export.make).to_have_text(re.compile("250 frames"))
    expect(export.take).to_have_count(0)
    page.keyboard.press("Escape")
    expect(export.box).to_have_count(0)
    stage.at(7)
    assert page.url == url


def test_a_still_is_that_of_the_stage_or_of_another_step(visit):
    page = visit(f"?{QUERY}&at=7&lang=en")
    Stage(page).at(7)
    export = Export(page)
    export.pick("PNG")
    export.taken("himmelblau-sgd-adam-step-7.png", ov.render(RACE, medium="png", at=7))
    export.box.get_by_role("slider", name="Step").press("ArrowRight")
    export.pick("2×")
    export.pick("Dark")
    data = export.taken("himmelblau-sgd-adam-step-8.png", ov.render(RACE, medium="png", at=8, scale=2, theme="dark"))
    assert Image.open(io.BytesIO(data)).size == (1920, 1080)
    export.pick("SVG")
    export.taken("himmelblau-sgd-adam-step-8.svg")


def test_numbers_and_code_are_shown_before_they_are_taken(visit):
    page = visit(f"?{QUERY}&lang=en")
    export = Export(page)
    export.pick("CSV")
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("optimizer,name,step")
    export.taken("himmelblau-sgd-adam.csv", ov.render(RACE, medium="csv"))
    export.pick("Python")
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("import optviz")
    export.box.get_by_text("In plain torch").click()
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("import torch")
    assert b"optviz as ov" not in export.taken("himmelblau-sgd-adam-torch.py")
    export.pick("NPZ")
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("points_1: (2, 41)")
    assert np.load(io.BytesIO(export.taken("himmelblau-sgd-adam.npz")))["loss_0"].shape == (41,)


def test_a_live_slide_with_the_sliders_that_were_chosen(visit):
    page = visit(f"?{QUERY}&lang=en")
    export = Export(page)
    export.pick("HTML")
    export.box.get_by_role("combobox", name="Sliders on the slide").click()
    page.get_by_role("option", name="everybody: learning rate").click()
    page.keyboard.press("Tab")  # the open list hides all else from who cannot see
    expect(export.box.get_by_text("everybody: learning rate").first).to_be_visible()
    export.taken("himmelblau-sgd-adam.html", ov.render(RACE, medium="html", sliders=("lr",)))


def test_in_russian_on_a_phone_a_film_of_ones_own_size(visit, tmp_path):
    page = visit(f"?{QUERY}&lang=ru", viewport={"width": 390, "height": 844})
    export = Export(page, "Экспорт")
    export.pick("MP4")
    export.box.get_by_role("button", name="Размер").or_(export.box.get_by_role("combobox", name="Размер")).first.click()
    page.get_by_role("option", name="Свой размер").click()
    for label, value in (("Ширина", "320"), ("Высота", "180")):
        export.box.get_by_label(label).fill(value)
        page.keyboard.press("Enter")
    export.pick("Шагов на кадр")
    expect(export.make).to_have_text(re.compile("кадров: 41"))
    export.make.click()
    name = "himmelblau-sgd-adam.mp4"
    data = export.taken(name)
    with av.open(io.BytesIO(data)) as film:
        shown = list(film.decode(video=0))
    assert len(shown) == 41 and (shown[0].width, shown[0].height) == (320, 180)
    expect(export.box.locator("video")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    words = export.command()
    assert words[0] == "optviz" and words[-2:] == ["-o", name]
    made = tmp_path / name
    subprocess.run([sys.executable, "-m", *words[:-1], str(made)], check=True, capture_output=True)
    with av.open(str(made)) as again:
        assert all((a.to_ndarray() == b.to_ndarray()).all() for a, b in zip(again.decode(video=0), shown, strict=True))


def test_nothing_much_to_show_is_exported_too(visit):
    page, name = visit("?surface=rosenbrock&optimizer=&lang=en"), "rosenbrock"
    export = Export(page)
    export.make.click()
    assert export.taken(name + ".gif").startswith(b"GIF89a")
    export.pick("PNG")
    export.taken(name + ".png")
