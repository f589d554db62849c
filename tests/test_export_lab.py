"""The export in a browser: choose, see, take away; and what was on the screen stays."""

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from test_lab import Stage

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

    def taken(self):
        """Name and bytes of the file that is offered, when the page is at rest."""
        expect(self.page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
        with self.page.expect_download() as download:
            self.take.click()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

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
    export.page.keyboard.press("Enter")
    expect(export.make).to_have_text(re.compile("125 frames"))
    export.make.click()
    expect(export.take).to_have_text(re.compile(r"himmelblau-sgd-adam\.gif · \d+ KB"))
    name, data = export.taken()
    assert name == "himmelblau-sgd-adam.gif"
    assert data == ov.render(RACE, medium="gif", seconds=5.0, theme="dark", title="Спуск <b>θ</b>"), "as the engine makes it"
    assert page.request.get(export.picture.get_attribute("src")).body() == data, "what is seen is the file"
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
    name, data = export.taken()
    assert name == "himmelblau-sgd-adam-step-7.png" and data == ov.render(RACE, medium="png", at=7)
    export.box.get_by_role("slider", name="Step").press("ArrowRight")
    export.pick("2×")
    export.pick("Dark")
    expect(export.take).to_have_text(re.compile("step-8"))
    expect(export.box.get_by_role("radio", name="Dark")).to_be_checked()
    name, data = export.taken()
    assert Image.open(io.BytesIO(data)).size == (1920, 1080) and data == ov.render(RACE, medium="png", at=8, scale=2, theme="dark")
    export.pick("SVG")
    assert export.taken()[0] == "himmelblau-sgd-adam-step-8.svg"


def test_numbers_and_code_are_shown_before_they_are_taken(visit):
    page = visit(f"?{QUERY}&lang=en")
    export = Export(page)
    export.pick("CSV")
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("optimizer,name,step")
    assert export.taken() == ("himmelblau-sgd-adam.csv", ov.render(RACE, medium="csv"))
    export.pick("Python")
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("import optviz")
    export.box.get_by_text("In plain torch").click()
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("import torch")
    name, data = export.taken()
    assert name == "himmelblau-sgd-adam-torch.py" and b"optviz as ov" not in data
    export.pick("NPZ")
    expect(export.box.get_by_test_id("stCode").first).to_contain_text("points_1: (2, 41)")
    assert np.load(io.BytesIO(export.taken()[1]))["loss_0"].shape == (41,)


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
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
    export.make.click()
    name, data = export.taken()
    with av.open(io.BytesIO(data)) as film:
        shown = list(film.decode(video=0))
    assert name.endswith(".mp4") and len(shown) == 41 and (shown[0].width, shown[0].height) == (320, 180)
    expect(export.box.locator("video")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    words = export.command()
    assert words[0] == "optviz" and words[-2:] == ["-o", name]
    made = tmp_path / name
    subprocess.run([sys.executable, "-m", *words[:-1], str(made)], check=True, capture_output=True)
    with av.open(str(made)) as again:
        assert all((a.to_ndarray() == b.to_ndarray()).all() for a, b in zip(again.decode(video=0), shown, strict=True))


@pytest.mark.parametrize("query", ["surface=rosenbrock&optimizer=", "surface=rosenbrock&steps=1&optimizer=sgd:lr=1", "formula=0*x&optimizer=adam"])
def test_nothing_much_to_show_is_exported_too(visit, query):
    page = visit(f"?{query}&lang=en")
    export = Export(page)
    export.make.click()
    assert export.taken()[1].startswith(b"GIF89a")
    export.pick("PNG")
    expect(export.take).to_have_text(re.compile("png"))
