"""A picture of a scene: words in any size, trails that fade, arrows of a step, and nothing behind it all."""

import io
import itertools
import math
import sys

import numpy as np
import pytest
from PIL import Image

import optviz as ov
from optviz.outcome import solve
from optviz.palette import COLOURS, THEMES, roles
from optviz.race import Entrant, Race
from optviz.render.frames import cut_out, frames
from optviz.render.picture import FLAT, LINES, Look, Picture, away, clipped, scale_of, wrapped
from optviz.render.raster import Raster, Strand, face_of, laid, length, rgb
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
    assert [piece.signs for piece in laid("и\u0306g\u0302", 20, 400)[0]] == ["йĝ"]
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


def test_small_letters_stand_evenly():
    canvas = Raster(200, 30, 1, "#ffffff")
    canvas.text(10, 15, "l l l l l l l l l l", 10, "#000000")
    ink = 255.0 - canvas.pixels[..., 0].mean(axis=0)
    where = np.split(np.arange(200), np.flatnonzero(np.diff((ink > 0).astype(int))) + 1)[1::2]
    middles = [np.average(columns, weights=ink[columns]) for columns in where]
    assert len(middles) == 10 and np.ptp(np.diff(middles)) < 0.5


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


def test_a_name_that_has_no_room_beside_the_counter_stands_under_it():
    race = RACE.at(entrants=[Entrant("sgd", lr=0.01, schedule="step"), Entrant("sgd", lr=0.01, schedule="cosine")])
    rows = laid_out(race, Look((200, 400), panel=False)).rows
    assert [len(row) for row in rows] == [0, 1, 1] and rows[1][0][2].endswith("…")
    assert [len(row) for row in laid_out(race, Look((960, 400), panel=False, counter=False)).rows] == [2]


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


# --- what fades ------------------------------------------------------------------------------------------------------------------------


def strands(race, look, moment):
    """What a fading trail is made of, by its colour."""
    told, p = {}, laid_out(race, look)
    canvas = Raster(p.width, p.height, 1, "#ffffff")
    canvas.fading = lambda pieces, colour: told.setdefault(colour, []).extend(pieces)
    p.tails(canvas, moment, look.tail)
    return p, told


@pytest.mark.parametrize("moment", [3.0, 9.4, 20.0])
def test_a_tail_is_the_last_steps_and_the_older_the_fainter(moment):
    p, told = strands(RACE, Look(tail=6), moment)
    for path in p.paths:
        lines = [strand for strand in told[path.style.colour] if strand.width == 4]
        ends = np.array([strand.pieces[0][[0, -1]] for strand in lines])
        assert (np.diff([strand.alpha for strand in lines]) > 0).all() and lines[-1].alpha == 1
        assert np.allclose(ends[1:, 0], ends[:-1, 1]), "without a gap"
        first, last = max(moment - 6, 0), moment
        for at, place in ((first, ends[0, 0]), (last, ends[-1, 1])):
            t = np.arange(path.points.shape[1])
            x, y = (np.interp(at, t, c) for c in path.points)
            assert np.allclose(place, p.view.place(x, y))
        if first == moment - 6:
            assert lines[0].alpha <= 0.1
        dots = [strand for strand in told[path.style.colour] if strand.width > 4]
        assert all(0 < dot.alpha <= 1 for dot in dots) and len(dots) <= 6


def test_a_tail_follows_the_ground_of_a_relief_and_is_fainter_behind_it():
    race = RACE.at(view="relief", yaw=-60.0, pitch=20.0)
    p, told = laid_out(race, Look(tail=400)), {}
    canvas = Raster(p.width, p.height, 1, "#ffffff")
    p.ground(canvas, 1)
    canvas.fading = lambda pieces, colour: told.setdefault(colour, []).extend(pieces)
    p.tails(canvas, 40.0, 400)
    for path in p.paths:
        hidden = np.array([piece.hidden for piece in p.view.trail(path, 0.0, 40.0)])
        alphas = np.array([strand.alpha for strand in told[path.style.colour]])
        assert (alphas > 0.85).any() == (~hidden).any() and (alphas < 0.3).any() == hidden.any()
    assert any(piece.hidden for path in p.paths for piece in p.view.trail(path, 0.0, 40.0)), "else nothing was tested"


def test_dashes_keep_their_places_while_they_fade():
    race = RACE.at(entrants=[Entrant("momentum", lr=0.01), Entrant("momentum", lr=0.02)])
    (p, early), (_, late) = (strands(race, Look(tail=10), moment) for moment in (12.0, 13.0))
    colour = p.paths[1].style.colour
    before, after = ({tuple(np.round(strand.pieces[0][0], 3)): strand.alpha for strand in told[colour] if strand.width == 4} for told in (early, late))
    both = [begin for begin in list(before)[1:] if begin in after]
    assert len(both) > 20 and all(after[begin] < before[begin] for begin in both[:-1])


def test_what_fades_is_painted_once():
    canvas = Raster(60, 60, 1, "#ffffff")
    a, b, c = (np.array(ends, float) for ends in ([(5, 30), (30, 30)], [(30, 30), (55, 30)], [(30, 5), (30, 55)]))
    canvas.fading([Strand(0.5, [a], 4), Strand(0.5, [b], 4), Strand(0.25, [c], 4), Strand(0.5, [np.array([(30.0, 30.0)] * 2)], 9)], "#000000")
    assert canvas.pixels.min() >= 127 and canvas.pixels[30, 8:53].max() <= 128, "no joint, crossing or dot is darker"
    assert abs(canvas.pixels[10, 30] - 191.0).max() <= 1


@pytest.mark.parametrize("race", [RACE, RACE.at(crowd=12), RACE.at(entrants=[Entrant("sgd", lr=0.01), Entrant("sgd", lr=0.004), Entrant("sgd", lr=1.0)])])
def test_a_tail_of_all_steps_shows_as_much_and_one_step_less(race):
    bare, whole, one, all_steps = (still(race, Look(tail=tail, panel=False), 20).astype(int) for tail in (1, None, 3, 10_000))
    assert (abs(whole - bare).max(axis=2) > 60).sum() > 2 * (abs(one - bare).max(axis=2) > 60).sum()
    assert abs(all_steps - whole).mean() < 0.5, "nothing has grown faint"
    assert still(race, Look(tail=5), 0).shape == still(race, Look(tail=5), 40).shape


def test_the_svg_fades_as_the_pixels_do(browser):
    options = {"tail": 8, "at": 9, "panel": False, "legend": False, "counter": False}
    race = RACE.at(entrants=[Entrant("sgd", lr=0.01), Entrant("momentum", lr=0.01), Entrant("sgd", lr=0.015)])
    page = browser.new_page(viewport={"width": 960, "height": 540})
    page.set_content("<body style='margin:0'>" + ov.render(race, medium="svg", **options).decode().partition("?>")[2])
    drawn = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), float)
    page.close()
    mine = np.asarray(Image.open(io.BytesIO(ov.render(race, medium="png", **options))), float)
    whole = np.asarray(Image.open(io.BytesIO(ov.render(race, medium="png", **{**options, "tail": None}))), float)
    trail = (abs(mine - whole).max(axis=2) > 25) & (np.arange(540) < 330)[:, None]  # words are in another font
    assert trail.sum() > 500 and abs(drawn - mine)[trail].mean() < 12 < 2 * abs(whole - mine)[trail].mean()


# --- arrows ----------------------------------------------------------------------------------------------------------------------------


def arrows_of(monkeypatch, race, moments, **look):
    """The picture, and at each moment start, tip, colour and width of every arrow."""
    told, out = [], []
    monkeypatch.setattr(sys.modules[Picture.__module__], "arrow", lambda canvas, start, tip, colour, ground, width, faint: told.append((start, tip, colour, width)))
    p = laid_out(race, Look(**look))
    canvas = Raster(p.width, p.height, 1, "#ffffff")
    for moment in moments:
        p.marks(canvas, moment)
        out.append(told[:])
        told.clear()
    return p, out


@pytest.mark.parametrize("key", ["sgd", "momentum", "adam", "nesterov"])
def test_arrows_end_where_the_terms_of_the_step_do(monkeypatch, key):
    race = RACE.at(entrants=[Entrant(key, lr=0.01), Entrant("rmsprop")], explain=0)
    p, drawn = arrows_of(monkeypatch, race, range(5))
    explained, trail = p.scene.explained, p.paths[0].points
    for k, each in enumerate(drawn):
        assert len(each) == len(explained.arrows)
        for (start, tip, colour, width), told in zip(each, explained.arrows, strict=True):
            begin, value = (explained.values[j].numbers[:, k] for j in (told.start, told.value))
            assert np.allclose(start, p.view.place(begin[0], begin[1]))
            factor = told.sign * p.scales[told.unit] if k == 4 else (tip - start)[0] / (p.view.place(value[0], 0)[0] - p.view.place(0, 0)[0])
            assert np.allclose(tip, p.view.place(begin[0] + factor * value[0], begin[1] + factor * value[1]))
            assert np.sign(factor) == told.sign and f"{abs(factor):.0e}"[0] in "125", "a round number"
            assert colour == [p.paths[0].style.colour, *(c for c in COLOURS if c != p.paths[0].style.colour)][told.role] and width == (6 if told.unit == "step" else 4)
            if told.unit == "step" and factor == 1:
                assert np.allclose(tip, p.view.place(trail[0, k + 1], trail[1, k + 1]))
        for unit in {told.unit for told in explained.arrows} - {"step"}:
            longest = max(np.hypot(*(tip - start)) for (start, tip, *_), told in zip(each, explained.arrows, strict=True) if told.unit == unit)
            assert 28 <= longest <= 190
    last = arrows_of(monkeypatch, race, [40])[1][0]
    assert np.allclose(last[-1][0], p.view.place(trail[0, 39], trail[1, 39])), "after the last step the last one is explained"


def test_a_scale_stays_while_it_is_legible():
    assert scale_of(3.0, None, False) == 20 and scale_of(5.0, 10, False) == 10 and scale_of(5.0, None, False) == 20 and scale_of(12.0, 20, False) == 10
    assert scale_of(100.0, 20, True) == 1 and scale_of(2.0, None, True) == 50
    assert scale_of(0.0, None, False) == 1 and scale_of(np.nan, 5, False) == 5 and scale_of(14e7, None, False) == 1e-6


def test_the_others_are_pale_while_one_is_explained_and_without_arrows_nothing_is():
    race = RACE.at(explain=1)
    shown, plain = (still(race, Look(arrows=arrows, panel=False, legend=False), 20) for arrows in (True, False))
    unasked = still(RACE, Look(panel=False, legend=False), 20)
    assert (plain == unasked).all() and (shown != unasked).any()
    _, adam, momentum = (path.style for path in race_scene(solve(RACE)).paths)
    own, other = roles(adam)[0], momentum.colour
    assert own == adam.colour and other in roles(adam)[1:]
    bright = [[(pixels == rgb(colour)).all(axis=2).sum() for pixels in (plain, shown)] for colour in (own, other)]
    assert bright[0][1] > bright[0][0] and bright[1][1] < bright[1][0] / 2
    said = ov.render(race, medium="svg", at=20).decode(), ov.render(race, medium="svg", at=20, arrows=False).decode()
    assert "m\u0302" in said[0] and "m\u0302" not in said[1]


@pytest.mark.parametrize("entrant", ["sgd", "adam", "newton", "lbfgs", "sam", "lookahead", "schedule_free"])
def test_every_kind_of_step_is_drawn(entrant):
    for surface in ("rosenbrock", "himmelblau"):
        race = Race(surface, None, [Entrant(entrant), Entrant("sgd", lr=1e3, muted=True)], steps=12, explain=0)
        assert len({still(race, Look((320, 180)), moment).tobytes() for moment in (0, 3.5, 12)}) == 3
    assert still(race.at(explain=1), Look((320, 180)), 5).shape == (180, 320, 3), "a run that diverges"


# --- nothing behind it -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_over_any_ground_a_transparent_still_is_as_if_drawn_there(theme):
    picture = Picture(race_scene(solve(RACE)), Look(theme=theme, title="θ\u0302", transparent=True))
    alone = cut_out(picture, 20)
    cover = alone[..., 3:].astype(float) / 255
    for ground in ("#ffc83c", "#143c78"):
        picture.page = ground
        there = next(frames(picture, [20])).astype(float)
        assert abs(alone[..., :3] * cover + np.array(rgb(ground)) * (1 - cover) - there).max() <= 3
    p = picture.plane
    assert (alone[2:8, :, 3] == 0).all() and (alone[int(p.y) + 2:int(p.y + p.height) - 2, int(p.x) + 2:int(p.x + p.width) - 2, 3] == 255).all()
    letters = alone[:int(p.y) - 2]
    assert not (alone[int(p.y + p.height) + 2:] == (*rgb(THEMES[theme].page), 255)).all(axis=2).any()
    assert abs(letters[letters[..., 3] > 60][:, :3] - np.array(rgb(THEMES[theme].ink), float)).max() <= 6, "no letter has an edge of another colour"


def test_the_files_are_transparent():
    image = Image.open(io.BytesIO(ov.render(RACE, medium="png", transparent=True, scale=2, size=(320, 180))))
    assert image.mode == "RGBA" and image.size == (640, 360) and image.getpixel((2, 2)) == (0, 0, 0, 0)
    page = f'fill="{THEMES["light"].page}"/>'
    plain, clear = (ov.render(RACE, medium="svg", transparent=transparent).decode() for transparent in (False, True))
    assert f'<rect width="960" height="540" {page}' in plain and "<rect" not in clear


@pytest.mark.parametrize(("theme", "tail", "view"), [("light", None, "plane"), ("dark", 5, "plane"), ("light", None, "relief")])
def test_a_transparent_gif_leaves_no_spots(theme, tail, view):
    options = {"size": (480, 270), "theme": theme, "frames": 12, "title": "Title", "caption": True, "tail": tail}
    clear, opaque = (Image.open(io.BytesIO(ov.render(RACE, medium="gif", transparent=transparent, view=view, **options))) for transparent in (True, False))
    covers = []
    for k in range(12):
        clear.seek(k)
        opaque.seek(k)
        mine, theirs = np.asarray(clear.convert("RGBA"), float), np.asarray(opaque.convert("RGB"), float)
        covers.append(mine[..., 3])
        assert set(np.unique(covers[-1])) == {0, 255} and (covers[-1] == covers[0]).all(), "what is seen through stays so"
        assert abs(mine[..., :3] - theirs)[covers[-1] == 255].mean() < 2
    assert (covers[0][0] == 0).all() and (covers[0][:, 0] == 0).all() and (covers[0][100, 20:460] == 255).all() and (covers[0][200, 20:460] == 255).all()
    if view == "relief":  # beside which words move, too
        return
    rows = [(row == 0).mean() for row in covers[0]]
    assert 0.5 < rows[20] < 1, "the title stands alone"


def test_a_name_stands_nearest_to_its_own_head(monkeypatch):
    stood, real = [], Picture.word

    def word(self, *arguments, head=None, **named):
        shown = real(self, *arguments, head=head, **named)
        if shown and head is not None:
            stood.extend(away(self.taken[-1], other) - away(self.taken[-1], head) for other in self.heads if math.dist(other, head) > 12)
        return shown
    monkeypatch.setattr(Picture, "word", word)
    for moment in range(1, 40, 2):
        still(MANY.at(entrants=MANY.entrants[:6], steps=40), Look(), float(moment))
    assert sum(further < 0 for further in stood) < len(stood) / 30 < 20, "but where there is no room"
