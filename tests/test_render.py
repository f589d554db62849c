"""Files made of a race: what they show, what they hold, and what is refused."""

import base64
import csv
import io
import itertools
import os
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from test_lab import Stage

import optviz as ov
from optviz.outcome import solve
from optviz.palette import THEMES
from optviz.presets import presets
from optviz.race import Entrant, Race
from optviz.render.exhibit import exhibit, race_of
from optviz.render.export import MEDIA
from optviz.render.frames import frames
from optviz.render.picture import Look, Picture
from optviz.render.raster import Raster, has, rgb
from optviz.render.svg import Svg
from optviz.run import Run
from optviz.scene import race_scene

RACE = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("adam", lr=0.3), Entrant("momentum", lr=0.01, muted=True)], steps=40)


def decoded(data):
    image = Image.open(io.BytesIO(data))
    out = []
    for k in range(getattr(image, "n_frames", 1)):
        image.seek(k)
        out.append(np.asarray(image.convert("RGB"), float))
    return image, out


def size_of(path):
    with Image.open(path) as image:
        return image.size


# --- lines, shapes, words --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), [((10, 10), (70, 10)), ((10, 10), (60, 45)), ((10.3, 50.7), (71.2, 12.9))])
@pytest.mark.parametrize("width", [1.0, 2.75, 6.0])
def test_a_line_covers_as_much_as_it_is_long_and_wide(a, b, width):
    canvas = Raster(80, 60, 1, "#000000")
    canvas.line(np.array([a, b], float), "#ffffff", width, butt=True)
    assert canvas.pixels[..., 0].sum() / 255 == pytest.approx(width * np.hypot(*np.subtract(a, b)), rel=0.03)


def test_a_line_that_crosses_itself_is_painted_once():
    canvas = Raster(60, 60, 1, "#000000")
    canvas.line(np.array([(5, 5), (55, 55), (55, 5), (5, 55)], float), "#ffffff", 3, alpha=0.5)
    assert canvas.pixels.max() == 128 and all(canvas.pixels[k, k, 0] == 128 for k in range(6, 54))
    canvas.lines([np.array([(5, 30), (55, 30)], float), np.array([(30, 5), (30, 55)], float)], "#000000", 3, 0.5)
    assert canvas.pixels[30, 30, 0] == 64


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_finer_pixels_show_the_same(scale):
    canvas = Raster(60, 60, scale, "#ffffff")
    canvas.line(np.array([(5, 5), (55, 40), (20, 50)], float), "#1283dc", 4, (9, 5))
    canvas.disc(30.3, 20.6, 8, "#cf5f05", "#000000", 2)
    canvas.shape(np.array([(10, 50), (20, 40), (25, 55)], float), "#617f41", "#000000", 1)
    canvas.text(30, 10, "αβ ∇", 12, "#000000", 600, "center", "#ffff00")
    rough = Raster(60, 60, 1, "#ffffff")
    rough.line(np.array([(5, 5), (55, 40), (20, 50)], float), "#1283dc", 4, (9, 5))
    rough.disc(30.3, 20.6, 8, "#cf5f05", "#000000", 2)
    rough.shape(np.array([(10, 50), (20, 40), (25, 55)], float), "#617f41", "#000000", 1)
    rough.text(30, 10, "αβ ∇", 12, "#000000", 600, "center", "#ffff00")
    small = canvas.pixels.reshape(60, scale, 60, scale, 3).mean(axis=(1, 3))
    assert abs(small - rough.pixels).mean() < 4


def test_a_circle_and_a_polygon_have_their_areas():
    canvas = Raster(60, 60, 1, "#000000")
    canvas.disc(30.4, 29.7, 10, "#ffffff")
    assert canvas.pixels[..., 0].sum() / 255 == pytest.approx(np.pi * 100, rel=0.01)
    canvas = Raster(60, 60, 1, "#000000")
    canvas.shape(np.array([(10.3, 10.1), (50.2, 10.1), (50.2, 40.7), (10.3, 40.7)]), "#ffffff")
    assert canvas.pixels[..., 0].sum() / 255 == pytest.approx(39.9 * 30.6, rel=0.02)


def marks(canvas, look=lambda: None):
    """Lines, shapes and words over each other; `look` after each."""
    part = canvas.within(5, 5, 50, 50)
    for paint in (lambda: part.line(np.array([(-5, 3), (30, 55), (44, 2), (44, 2), (9, 9)], float), "#1283dc", 4),
                  lambda: part.disc(30.3, 20.6, 8, "#cf5f05", "#000000", 2, alpha=0.7),
                  lambda: part.lines([np.array([(0, 30), (50, 31)], float), np.array([(30, 0), (31, 50)], float)], "#617f41", 3, 0.5),
                  lambda: part.shape(np.array([(40, 50), (52, 40), (25, 55)], float), "#617f41", "#000000", 1),
                  lambda: part.text(-4, 10, "αβ ∇ words", 12, "#000000", 600, halo="#ffff00"),
                  lambda: canvas.line(np.array([(2, 58), (58, 2)], float), "#f9117e", 3, (9, 5), alpha=0.6)):
        paint()
        look()
    return canvas.pixels


def test_what_is_painted_waits_and_comes_in_its_order(monkeypatch):
    at_once, one_by_one = Raster(60, 60, 1, "#ffffff"), Raster(60, 60, 1, "#ffffff")
    assert (marks(at_once) == marks(one_by_one, lambda: one_by_one.pixels)).all() and (at_once.pixels != 255).any()
    monkeypatch.setattr(sys.modules["optviz.render.raster"], "MUCH", 50)
    assert (marks(Raster(60, 60, 1, "#ffffff")) == at_once.pixels).all(), "in many parts"


def test_few_shades_are_near_the_many():
    few, many = (marks(Raster(60, 60, 1, "#ffffff", shades)).astype(int) for shades in (8, 255))
    assert 0 < abs(few - many).mean() < 6
    canvas = Raster(60, 60, 1, "#000000", 8)
    canvas.disc(20.3, 20.6, 9, "#ffffff")
    canvas.line(np.array([(30, 50), (55, 33)], float), "#ffffff", 3)
    canvas.text(3, 45, "words", 12, "#ffffff", halo="#000000")
    assert set(np.unique(canvas.pixels)) == {int(255 * k / 8 + 0.5) for k in range(9)}


def test_every_sign_that_a_title_may_hold_has_a_letter():
    for sign in "Ёжик, щуку! αβγδελμθω ∇∈∝≤≥≈±×·−→½²⁻⁴√∞∂∑":
        assert sign == " " or has("text", sign) or has("math", sign), sign
    assert not has("text", "\U0001f4a5")


def test_nothing_is_painted_outside_and_absurd_places_do_no_harm():
    canvas = Raster(40, 40, 1, "#ffffff")
    part = canvas.within(10, 10, 20, 20)
    part.line(np.array([(-1e5, 3), (1e5, 9)]), "#000000", 5)
    part.disc(1e9, 0, 5, "#000000")
    part.shape(np.array([(1e12, 0), (3, 3), (5, 5)]), "#000000")
    part.text(-5, 10, "long words that do not fit", 12, "#000000")
    seen = np.argwhere((canvas.pixels != 255).any(axis=2))
    assert seen.min() >= 10 and seen.max() < 30 and len(seen)


# --- the picture -----------------------------------------------------------------------------------------------------------------------


def test_frame_by_frame_comes_to_the_same_picture_as_at_once():
    picture = Picture(race_scene(solve(RACE.at(crowd=20))), Look())
    *_, last = (pixels.copy() for pixels in frames(picture, np.linspace(0, 40, 9)))
    (whole,) = (pixels.copy() for pixels in frames(picture, [40.0]))
    assert abs(last.astype(float) - whole).mean() < 0.3, "but for the seams of the pieces"
    half = [pixels.copy() for pixels in frames(picture, [0, 20, 20, 40])]
    assert (half[1] == half[2]).all() and (half[0] != half[1]).any()


def test_a_muted_run_is_not_there_and_the_parts_can_be_left_out():
    scene = race_scene(solve(RACE))
    picture = Picture(scene, Look())
    assert [p.name.en for p in picture.paths] == ["Gradient descent (SGD)", "Adam"]
    for look in (Look(), Look(panel=False), Look(legend=False, counter=False), Look(panel=False, legend=False, counter=False, title="Ж", caption="α")):
        p = Picture(scene, look)
        p.lay(Raster(p.width, p.height, 1, "#ffffff"))
        assert p.plane.height + p.chart.height + 30 * len(p.rows) <= p.height
        if not look.panel and not look.title:
            assert p.plane.height > 500 or look.legend


@pytest.mark.parametrize(("key", "size"), list(zip(presets, itertools.cycle([(960, 540), (1080, 1080)]), strict=False)))
def test_every_example_can_be_drawn_at_any_moment(key, size):
    race = presets[key].race
    picture = Picture(race_scene(solve(race)), Look(size, "dark", "ru"))
    for pixels in frames(picture, [0, race["steps"] / 3, race["steps"]]):
        assert pixels.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("formula", ["1e308*x", "exp(x*1000)", "0*x", "sqrt(x)", "1/x"])
def test_absurd_surfaces_are_drawn(formula):
    race = Race(ov.surface(formula), entrants=[Entrant("sgd", lr=1.0), Entrant("newton")], steps=20, crowd=5)
    for data in (ov.render(race, medium="png"), ov.render(race, medium="svg")):
        assert len(data) > 1000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_file_shows_what_the_stage_shows(visit, theme):
    """The stage in its presentation, with a picture as large as the file's: the grounds and trails of both differ by rounding."""
    page = visit("?surface=himmelblau&start=0,0.5&optimizer=sgd:lr=0.01&optimizer=adam:lr=0.3&steps=40&at=40&embed=true",
                 viewport={"width": 960, "height": 620}, color_scheme=theme)
    stage = Stage(page)
    stage.at(40)
    stage.rest()
    stage.box.evaluate("box => box.dispatchEvent(new KeyboardEvent('keydown', { key: 'f', bubbles: true }))")
    stage.rest()
    layers = page.evaluate("""() => { const root = document.querySelector('.optviz-stage') ?? [...document.querySelectorAll('*')].find((e) =>
        e.shadowRoot?.querySelector('.optviz-stage')).shadowRoot.querySelector('.optviz-stage');
        const [back, trails] = ['back', 'trails'].map((name) => root.querySelector(`canvas.${name}`)), both = document.createElement('canvas');
        both.width = back.width; both.height = back.height;
        const g = both.getContext('2d'); g.drawImage(back, 0, 0); g.drawImage(trails, 0, 0);
        return both.toDataURL(); }""")
    theirs = np.asarray(Image.open(io.BytesIO(base64.b64decode(layers.partition(",")[2]))).convert("RGB"), float)
    height, width = theirs.shape[:2]
    p = Picture(race_scene(solve(RACE)), Look(theme=theme, panel=False, legend=False, counter=False))
    p.width, p.height = width + 28, height + 34  # the margins around a plane of the stage's size
    canvas = Raster(p.width, p.height, 1, p.theme.page)
    p.lay(canvas)
    p.plane = type(p.plane)(0, 0, width, height)
    p.view = p.seen(width, height)
    canvas = Raster(width, height, 1, p.theme.page)
    p.ground(canvas, 1)
    p.grow(canvas, 0, 40)
    difference = abs(canvas.pixels - theirs)
    assert difference.mean() < 1.0 and np.quantile(difference, 0.99) < 30, (difference.mean(), np.quantile(difference, 0.99))


# --- files -----------------------------------------------------------------------------------------------------------------------------


def test_a_gif_plays_the_race():
    image, shown = decoded(ov.render(RACE, medium="gif", frames=12, fps=25, size=(480, 270)))
    assert (image.n_frames, image.size, image.info["loop"], image.info["duration"]) == (12, (480, 270), 0, 1500)  # the last one
    drawn = [pixels.astype(float) for pixels in frames(Picture(race_scene(solve(RACE)), Look((480, 270))), np.linspace(0, 40, 12))]
    for theirs, mine in zip(shown, drawn, strict=True):
        assert abs(theirs - mine).mean(axis=(0, 1)).max() <= 1, "of 255, in each channel"
    still = np.all([(a == b).all(axis=2) for a, b in itertools.pairwise(drawn)], axis=0)
    assert still.mean() > 0.5 and all((a[still] == b[still]).all() for a, b in itertools.pairwise(shown)), "nothing flickers"
    for path in race_scene(solve(RACE)).paths:
        assert path.muted or (shown[-1] == rgb(path.style.colour)).all(axis=2).any(), "their colours are exact"


@pytest.mark.parametrize(("key", "limit"), [("rates", 1e6), ("beale", 1e6), ("floor", 3e6)])
def test_the_largest_gifs_are_small_enough(key, limit):
    """Those of the examples that come nearest to their limits; benchmarks/render.py measures all."""
    assert len(ov.render(presets[key].race, medium="gif")) < limit


def test_a_part_of_the_race_and_no_loop():
    image, shown = decoded(ov.render(RACE, medium="gif", frames=3, first=10, last=20, loop=False, size=(320, 180)))
    assert image.n_frames == 3 and "loop" not in image.info
    (end,) = decoded(ov.render(RACE, medium="png", at=20, size=(320, 180)))[1]
    assert abs(shown[-1] - end).mean() < 2


@pytest.mark.parametrize("scale", [1, 2])
def test_a_still_has_the_size_that_was_asked_for(scale):
    image, _ = decoded(ov.render(RACE, medium="png", size=(640, 360), scale=scale, theme="dark", title="Спуск"))
    assert image.size == (640 * scale, 360 * scale) and image.getpixel((1, 1)) == rgb(THEMES["dark"].page)


def test_an_svg_is_well_formed_and_a_title_is_text():
    hostile = '</title><script>alert(1)</script>"&'
    data = ov.render(RACE, medium="svg", title=hostile, language="ru")
    tree = ElementTree.fromstring(data)
    space = "{http://www.w3.org/2000/svg}"
    assert not list(tree.iter(f"{space}script")) and tree.find(f"{space}title").text == hostile
    assert hostile in [e.text for e in tree.iter(f"{space}text")] and "минимум" in [e.text for e in tree.iter(f"{space}text")]
    assert len(data) < 600_000 and b"http" not in data.replace(b"http://www.w3.org/2000/svg", b"")


@pytest.mark.parametrize("race", [RACE, Race(ov.surface("x^2 + 3*sin(y) + max(abs(x), 0.1) + " + " + ".join(["0*x"] * 60)), (1.0, 1.0), [Entrant("adam")] * 9)])
def test_a_picture_carries_its_parameters(race):
    gif, png = (Image.open(io.BytesIO(ov.render(race, medium=medium, size=(200, 120), **more))) for medium, more in (("gif", {"frames": 2}), ("png", {})))
    svg = ElementTree.fromstring(ov.render(race, medium="svg", size=(200, 120)))
    html = ov.render(race, medium="html").decode()
    told = [gif.info["comment"].decode(), png.text["Comment"], svg.find("{http://www.w3.org/2000/svg}desc").text,
            unescape(re.search('<meta name="description" content="(.*?)">', html)[1])]
    assert [Race.from_query(query) for query in told] == [race] * 4


def test_canvases_measure_words_alike():
    assert Svg(10, 10, None).measure("Импульс", 16) == pytest.approx(Raster(10, 10, 1, "#000000").measure("Импульс", 16))


def test_a_table_holds_every_number():
    rows = list(csv.DictReader(io.StringIO(ov.render(RACE.at(steps=5), medium="csv").decode())))
    trail = ov.descend("himmelblau", "sgd", (0.0, 0.5), 5, lr=0.01)
    mine = [row for row in rows if row["optimizer"] == "sgd"]
    assert [float(row["x"]) for row in mine] == trail.points[0].tolist() and [float(row["f"]) for row in mine] == trail.loss.tolist()
    assert [row["lr"] for row in mine] == ["0.01"] * 5 + [""] and len(rows) == 18
    with np.load(io.BytesIO(ov.render(RACE.at(steps=5), medium="npz"))) as arrays:
        assert (arrays["points_0"] == trail.points).all() and Race.from_query(str(arrays["query"])) == RACE.at(steps=5)
        assert arrays["runs"].tolist() == [e.word() for e in RACE.entrants]


@pytest.mark.parametrize("torch", [False, True])
def test_a_script_makes_the_same_descents(tmp_path, torch):
    path = ov.render(RACE.at(steps=5), tmp_path / "race.py", torch=torch)
    said = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True).stdout
    loss = ov.descend("himmelblau", "adam", (0.0, 0.5), 5, lr=0.3).loss[-1]
    assert f"Adam: {loss:.6g}" in said and ("import optviz" in path.read_text("utf-8")) != torch


def test_a_run_that_diverges_ends_in_the_table_and_has_its_mark_in_the_picture():
    run = Run("rosenbrock", "sgd", (-2.0, 2.0), 30, lr=1.0)
    broke = ov.descend("rosenbrock", "sgd", (-2.0, 2.0), 30, lr=1.0).diverged_at
    rows = list(csv.DictReader(io.StringIO(ov.render(run, medium="csv").decode())))
    assert len(rows) == broke and all(np.isfinite(float(row["f"])) for row in rows)
    assert f"diverged at step {broke}" in ov.render(run, medium="svg").decode()


def test_runs_are_a_race_when_they_share_what_a_race_shares():
    a, b = Run("ravine", "sgd", (8.0, 2.0), 20, lr=0.05), Run("ravine", "adam", (8.0, 2.0), 20, lr=0.5)
    assert race_of([a, b]).runs == [a, b] and race_of(a).runs == [a]
    for other in (Run("ravine", "adam", (8.0, 2.5), 20), Run("bowl", "adam", (8.0, 2.0), 20)):
        with pytest.raises(ov.Refused, match="do not share"):
            race_of([a, other])
    with pytest.raises(ov.Refused, match="no run"):
        race_of([])


@pytest.mark.parametrize(("options", "named"), [
    ({"size": (10, 10)}, "size"), ({"size": (10_000, 10)}, "size"), ({"size": (4096, 4096)}, "size"), ({"size": 3}, "size"), ({"frames": 0}, "frames"),
    ({"frames": 10_000}, "frames"), ({"fps": 26}, "fps"), ({"scale": 3}, "scale"), ({"theme": "blue"}, "theme"), ({"language": "de"}, "language"),
    ({"at": -1}, "at"), ({"first": 30, "last": 20}, "first"), ({"frames": 5, "seconds": 2.0}, "seconds"), ({"stride": 0.02}, "stride"),
    ({"seconds": 60.0, "fps": 50}, "seconds"), ({"loop": 1}, "loop"), ({"sliders": "lr"}, "sliders"), ({"titel": "x"}, "titel"), ({"title": "x" * 1000}, "title"),
    ({"size": (3840, 2160), "scale": 4}, "scale")])
def test_impossible_options_are_refused_in_one_sentence(options, named):
    with pytest.raises(ov.Refused) as refused:
        ov.render(RACE, medium="gif", **options)
    assert named in refused.value.text.en and "\n" not in str(refused.value)


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "race.png"
    assert ov.render(RACE, path, size=(320, 180)) == path and size_of(path) == (320, 180)
    before = path.read_bytes()

    def broken(*given):
        yield b"half"
        raise RuntimeError
    monkeypatch.setitem(MEDIA, "png", replace(MEDIA["png"], make=broken))
    with pytest.raises(RuntimeError):
        ov.render(RACE, path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["race.png"]
    with pytest.raises(ov.Refused, match="allowed: gif"):
        ov.render(RACE, tmp_path / "race.docx")


def test_nobody_is_missing_in_silence(monkeypatch):
    monkeypatch.setattr(sys.modules["optviz.outcome"], "BUDGET", 0.08)  # seconds
    race = Race("rosenbrock", entrants=[Entrant("newton"), Entrant("bfgs"), Entrant("sgd", lr=0.001)], steps=100)
    refused = next(row.refused for row in solve(race).rows if row.refused)
    with pytest.raises(ov.Refused, match=re.escape(refused.en)):
        ov.render(race, medium="csv")
    shown = exhibit(race)
    assert shown.name == "rosenbrock-newton-sgd" and "BFGS" not in shown.caption.en


def test_a_still_of_another_step_says_which():
    assert Race.from_query(exhibit(RACE.at(at=3)).at(7).query)["at"] == 7 == Race.from_query(exhibit(RACE).at(7).query)["at"]


def test_twins_keep_their_rates_in_a_caption():
    twins = [Entrant("adam", lr=0.25), Entrant("adam", "cosine", lr=0.25)]
    assert exhibit(Race("bowl", entrants=twins, steps=5)).caption.en.count("α = 0.25") == 2
    assert exhibit(Race("bowl", entrants=[Entrant("adam", lr=0.25), Entrant("adam", lr=0.5)], steps=5)).caption.en.count("α = ") == 2


def test_links_lead_to_their_file_and_pipes_stay_pipes(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    ov.render(RACE, tmp_path / "link.png", size=(64, 64))
    assert (tmp_path / "link.png").is_symlink() and size_of(tmp_path / "real.png") == (64, 64)
    os.mkfifo(tmp_path / "pipe.png")
    reader = subprocess.Popen(["cat", str(tmp_path / "pipe.png")], stdout=subprocess.PIPE)
    ov.render(RACE, tmp_path / "pipe.png", size=(64, 64))
    assert reader.communicate(timeout=30)[0].startswith(b"\x89PNG") and (tmp_path / "pipe.png").is_fifo()
    ov.render(RACE, tmp_path / "new.csv")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "new.csv").stat().st_mode & 0o777 == 0o666 & ~umask


def test_the_command_line_renders(tmp_path):
    def optviz(*words):
        return subprocess.run([sys.executable, "-m", "optviz", "render", *words], capture_output=True, check=False)
    out = tmp_path / "race.gif"
    done = optviz("--surface", "ravine", "--optimizer", "sgd", "--optimizer", "adam:lr=0.05,beta1=0.8", "--start=-1.5,2", "--steps", "30", "--frames", "5",
                  "--fps", "25", "--size", "320x180", "-o", str(out))
    assert done.returncode == 0 and len(decoded(out.read_bytes())[1]) == 5 and b"KB" in done.stderr and done.stdout == b""
    link = "http://localhost:8501/?lang=ru&" + RACE.to_query()
    done = optviz("--url", link, "--medium", "csv", "--steps", "3", "-o", "-")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1 + 3 * 4
    for words, named in ((["--surface", "moon", "-o", str(out)], b"moon"), (["--frames", "0", "-o", str(out)], b"frames"),
                         (["-o", str(tmp_path / "no" / "race.png")], b"race.png cannot be written: no such"), (["--size", "wide", "-o", str(out)], b"size"), (["-o", "-"], b"allowed: gif"),
                         (["--url", "http://localhost:8501/descent", "--frames", "0", "-o", str(out)], b"frames"),
                         (["--url", "http://localhost:8501/maps?side=64", "-o", str(out)], b"'maps' is drawn by the app alone")):
        done = optviz(*words)
        assert done.returncode == 2 and named in done.stderr and b"Traceback" not in done.stderr
    assert len(decoded(out.read_bytes())[1]) == 5


def test_the_gallery_renders_the_examples(tmp_path):
    def gallery(*words):
        return subprocess.run([sys.executable, "-m", "optviz", "gallery", *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    some = [*presets][:2] + [*presets][-1:]
    done = gallery(*some, "--frames", "2", "--size", "160x90")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 3
    assert sorted(path.name for path in (tmp_path / "assets/gallery").iterdir()) == [f"{n:02}-{key}.gif" for n, key in enumerate(presets, 1) if key in some]
    assert size_of(tmp_path / "assets/gallery/01-valley.gif") == (160, 90)
    assert gallery("zigzag", "--medium", "png", "-o", "here").stdout.startswith("here/03-zigzag.png: ")
    (tmp_path / "file").touch()
    for words, named in ((["moon"], "moon"), (["--medium", "docx"], "docx"), (["-o", "file/here"], "file/here cannot be written")):
        done = gallery(*words)
        assert done.returncode == 2 and named in done.stderr and "Traceback" not in done.stderr
