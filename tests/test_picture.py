"""A picture of a scene: words in any size, trails that fade, arrows of a step, and nothing behind it all."""

import itertools

import numpy as np
import pytest

from optviz.outcome import solve
from optviz.race import Entrant, Race
from optviz.render.frames import frames
from optviz.render.picture import FLAT, LINES, Look, Picture, clipped, wrapped
from optviz.render.raster import Raster, face_of, laid, length
from optviz.scene import race_scene

RACE = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("adam", lr=0.3), Entrant("momentum", lr=0.01)], steps=40)
MANY = Race("himmelblau", (0.0, 0.5), [Entrant(key) for key in (
    "sgd momentum nesterov adagrad rmsprop adam adamw nadam radam amsgrad adabelief lion yogi adan lbfgs newton").split()], steps=20)
LONG = "A long title that goes on about the optimizers, their rates, the surfaces that they go down, and all that a lecture wants to say with them"


def seen(words, size=40, weight=400):
    """The black columns and rows of words."""
    canvas = Raster(400, 80, 1, "#ffffff")
    canvas.text(20, 40, words, size, "#000000", weight)
    return canvas.pixels[..., 0] < 128


def still(race, look, moment):
    return next(frames(Picture(race_scene(solve(race)), look), [moment])).copy()


def laid_out(race, look):
    picture = Picture(race_scene(solve(race)), look)
    picture.lay(Raster(picture.width, picture.height, 1, "#ffffff"))
    return picture


# --- words -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["\u0302", "\u0303", "\u0304", "\u0307", "\u20d7"])
@pytest.mark.parametrize("letter", "xmθRβΔ")
def test_a_mark_stands_over_the_middle_of_its_letter_and_takes_no_room(letter, mark):
    bare, marked = seen(letter), seen(letter + mark)
    rows, columns = np.nonzero(bare)
    more = np.argwhere(marked[:rows.min()])
    assert len(more) and (marked[rows.min():] == bare[rows.min():]).all(), "above the letter, which stays as it is"
    middle = (more[:, 1].min() + more[:, 1].max()) / 2
    assert abs(middle - (columns.min() + columns.max()) / 2) <= 1.5
    assert 1 <= rows.min() - more[:, 0].max() <= 8
    assert length(letter + mark + "y", 40, 400) == pytest.approx(length(letter, 40, 400) + length("y", 40, 400), abs=1)


def test_marks_pile_up_and_one_without_a_letter_is_not_drawn():
    one, two = (np.nonzero(seen(words))[0].min() for words in ("x\u0302", "x\u0302\u0304"))
    assert two < one
    assert not seen("\u0302").any()


def test_a_sign_in_two_parts_is_the_sign():
    assert (seen("и\u0306е\u0308g\u0302") == seen("йёĝ")).all()


@pytest.mark.parametrize(("small", "letter", "above"), [("ᵀ", "T", True), ("ᵢ", "i", False), ("ᵐ", "m", True)])
def test_a_small_sign_that_no_font_has_is_its_letter_made_small(small, letter, above):
    assert face_of(small) is None
    (rows, columns), (whole, wide) = np.nonzero(seen(small)), np.nonzero(seen(letter))
    assert np.ptp(rows) < np.ptp(whole) and np.ptp(columns) < np.ptp(wide) + 1
    assert (rows.min() < whole.max() - 20) if above else (rows.max() > whole.max() + 3)


def test_a_sign_that_no_font_has_is_a_box():
    assert [piece.signs for piece in laid("a💥优\u200d\ufe0f", 20, 400)[0]] == ["a□□"]
    assert (seen("優") == seen("□")).all() and seen("□").any()


def test_words_are_cut_where_they_have_no_room():
    canvas = Raster(10, 10, 1, "#000000")
    assert clipped(canvas, "Momentum", 16, 400, 500) == "Momentum"
    for width in range(20, 80, 7):
        part = clipped(canvas, "Momentum of old", 16, 400, width)
        assert part.endswith("…") and canvas.measure(part, 16) <= width < canvas.measure(part[:-1] + "Momentum of old"[len(part) - 1:][:2] + "…", 16) + 1
    lines = wrapped(canvas, LONG, 16, 400, 300)
    assert len(lines) == LINES and max(canvas.measure(line, 16) for line in lines) <= 300 and lines[-1].endswith("…")
    assert " ".join(wrapped(canvas, LONG, 16, 400, 700)) == LONG
    assert wrapped(canvas, "", 16, 400, 100) == []
    assert [line[-1] for line in wrapped(canvas, "W" * 100, 16, 400, 100)] == ["…"]


# --- room ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(64, 64), (64, 400), (400, 64), (200, 100), (400, 300), (640, 360), (960, 540), (1080, 1080), (1080, 1920), (1920, 1080)])
@pytest.mark.parametrize("race", [RACE, MANY])
def test_nothing_overlaps_in_any_size(size, race):
    p = laid_out(race, Look(size, "dark", "ru", title=LONG, caption=LONG + LONG))
    whole = [(p.plane.x, p.plane.y, p.plane.width, p.plane.height)]
    measure = Raster(10, 10, p.unit, "#000000").measure
    whole += [(p.width / 2 - measure(line, 26, 600) / 2, 14 + 30 * i, measure(line, 26, 600), 30) for i, line in enumerate(p.title)]
    for i, row in enumerate(p.rows):
        whole += [(x, p.legend_at + 30 * i, 42 + measure(name, 16) + (8 + measure(after, 16) if after else 0), 30) for x, _, name, after in row]
    if p.look.counter:
        whole.append((p.width - 18 - measure(p.count(race["steps"]), 16), p.legend_at, measure(p.count(race["steps"]), 16), 30))
    if p.look.panel:
        whole.append((p.chart.x, p.chart.y, p.chart.width, p.chart.height))
    whole += [(p.width / 2 - measure(line, 16) / 2, p.height - 14 - 22 * len(p.caption) + 22 * i, measure(line, 16), 20) for i, line in enumerate(p.caption)]
    for (x, y, w, h), (a, b, v, u) in itertools.combinations(whole, 2):
        assert x + w <= a + 0.1 or a + v <= x + 0.1 or y + h <= b + 0.1 or b + u <= y + 0.1, ((x, y, w, h), (a, b, v, u))
    assert all(x >= 0 and y >= 0 and x + w <= p.width + 0.1 and y + h <= p.height + 0.1 for x, y, w, h in whole)
    assert p.plane.height >= min(FLAT, p.height - 28) and p.plane.width == p.width - 28
    assert still(race, p.look, 3).shape == (size[1], size[0], 3)


def test_room_is_made_in_a_stated_order():
    there = [tuple(name for name in ("caption", "panel", "legend", "title", "counter") if getattr(laid_out(RACE, Look(
        (400, height), title="Title", caption="Caption")).look, name)) for height in range(64, 400, 12)]
    names = ("caption", "panel", "legend", "title", "counter")
    assert sorted(set(there), key=there.index) == [names[k:] for k in range(5, -1, -1)]
    small = laid_out(RACE, Look((64, 64), title="Title"))
    assert (small.plane.width, small.plane.height) == (64 / 0.625 - 28,) * 2


@pytest.mark.parametrize("size", [(64, 64), (200, 100), (400, 300)])
@pytest.mark.parametrize("start", [(-4.9, -4.9), (4.9, 4.9), (3.0, 2.0), (-4.9, 4.9)])
def test_words_stay_in_the_plane_and_off_each_other(monkeypatch, size, start):
    said = []
    p = laid_out(RACE.at(start=start), Look(size, title="Title"))
    monkeypatch.setattr(Raster, "text", lambda self, x, y, words, size, *more, **given: said.append(
        (self.width, (x, y - 9, self.measure(words, size, 600), 18))))
    canvas = Raster(p.width, p.height, p.unit, "#ffffff")
    p.marks(canvas, 10)
    boxes = [box for width, box in said if width == p.plane.width]
    assert all(x >= 0 and y >= 0 and x + w <= p.plane.width and y + h <= p.plane.height for x, y, w, h in boxes)
    for (x, y, w, h), (a, b, v, u) in itertools.combinations(boxes, 2):
        assert x + w <= a + 4 or a + v <= x + 4 or y + h <= b or b + u <= y
