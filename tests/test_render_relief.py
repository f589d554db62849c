"""The relief in files: the same camera, block and light as on the stage, and what it hides is fainter."""

import base64
import io
import itertools
from dataclasses import replace
from pathlib import Path
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
from optviz.render.frames import frames
from optviz.render.picture import Flat, Look, Picture, Place, ended
from optviz.render.raster import Raster, rgb
from optviz.render.relief import Relief
from optviz.render.wire import heat_head
from optviz.scene import Dot, heat, race_scene
from optviz.surfaces import surface, surfaces

WEB = Path(ov.__file__).parent / "ui" / "web"
#: Surface, theme, pixels a point, and the camera: yaw, pitch, zoom, width, height.
SEEN = [("himmelblau", "light", 1, (-60.0, 40.0, 1.0, 932, 512)), ("rosenbrock", "dark", 1, (30.0, 20.0, 1.0, 640, 480)),
        ("ackley", "light", 2, (200.0, 60.0, 1.7, 932, 340)), ("rastrigin", "dark", 1, (-90.0, 5.0, 1.0, 800, 500)),
        ("beale", "light", 1, (120.0, 90.0, 1.0, 500, 500)), ("saddle", "dark", 2, (10.0, 0.0, 0.6, 700, 400)),
        ("himmelblau", "dark", 1, (3000.0, 75.0, 6.0, 300, 900))]
#: What the stage's own code makes of a surface, a theme, a camera and trails: its pixels, and where points are and whether they are hidden.
SHOW = """async ([modules, head, theme, [yaw, pitch, zoom, width, height], ratio, trails, playhead, points]) => {
    const load = (text) => import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    const [{ Relief }, { warp, compiled }] = await Promise.all(modules.map(load));
    const canvas = document.body.appendChild(document.createElement("canvas"));
    canvas.style.cssText = `width: ${width}px; height: ${height}px`;
    const relief = new Relief(canvas);
    relief.resize(width, height, ratio);
    relief.setTheme({ background: theme.page, valley: theme.valley, peak: theme.peak, isoline: theme.isoline, ink: theme.ink });
    relief.setSurface({ height: compiled(head.surface).height, box: head.box, warp: warp(head), bands: head.bands });
    relief.setTrails(trails);
    relief.camera = { yaw, pitch, zoom };
    relief.draw(playhead);
    const out = [canvas.toDataURL(), points.map(([x, y]) => { const { px, py, hidden } = relief.project(x, y); return [px, py, Number(hidden)]; })];
    relief.destroy(); canvas.remove();
    return out;
}"""


@pytest.fixture(scope="module")
def stage(browser):
    """The stage's relief on a page of its own."""
    page = browser.new_page()

    def show(h, theme, camera, ratio=1, trails=(), playhead=0.0, points=()):
        modules = [(WEB / f"{name}.js").read_text("utf-8") for name in ("relief", "scene")]
        url, places = page.evaluate(SHOW, [modules, heat_head(h), vars(THEMES[theme]), camera, ratio, list(trails), playhead, np.asarray(points).tolist()])
        return shown(url), np.array(places)

    yield show
    page.close()


def shown(url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"), float)


def relief(h, theme, camera):
    yaw, pitch, zoom, width, height = camera
    return Relief(h, THEMES[theme], {"yaw": yaw, "pitch": pitch, "zoom": zoom}, width, height)


def painted(r, scale=1.0):
    """Its pixels on the page."""
    canvas = Raster(r.camera.width, r.camera.height, scale, r.theme.page)
    canvas.picture(r.pixels(scale))
    return canvas.pixels.astype(float)


def laid_out(race, look=None):
    """The picture of a race, ready to be drawn, and its plane on a canvas."""
    p = Picture(race_scene(solve(race)), look or Look(panel=False, legend=False, counter=False))
    canvas = Raster(p.width, p.height, p.unit, p.theme.page)
    p.lay(canvas)
    p.ground(canvas, p.unit)
    return p, canvas


# --- as on the stage -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "theme", "ratio", "camera"), SEEN)
def test_the_block_and_its_points_are_those_of_the_stage(stage, key, theme, ratio, camera):
    """Points: in pixels; colours: of 255, and the edges differ, for a graphics card smooths them in its own way."""
    s = surfaces[key]
    (x0, x1), (y0, y1) = s.box
    x, y = np.random.default_rng(0).uniform([[x0], [y0]], [[x1], [y1]], (2, 600))
    x, y = np.append(x, [x0, x1, x0 - 2 * (x1 - x0), x1 + 1]), np.append(y, [y0, y1, y0, y1 + 7 * (y1 - y0)])
    r = relief(heat(s, s.box), theme, camera)
    pixels, places = stage(r.heat, theme, camera, ratio, points=np.column_stack([x, y]))
    difference = abs(painted(r, float(ratio)) - pixels[..., :3])
    assert difference.mean() < 0.5 and np.quantile(difference, 0.99) < 12, (difference.mean(), np.quantile(difference, 0.99))
    px, py = r.place(x, y)
    assert abs(np.column_stack([px, py]) - places[:, :2]).max() < 0.01, "the stage has heights of single precision"
    seen = (px > 0) & (py > 0) & (px < camera[3]) & (py < camera[4])
    assert seen.sum() > 10 and (r.hides(x, y) == places[:, 2])[seen].mean() > 0.94, "but for some near a ridge"
    assert r.hides(x, y)[-2:].all(), "outside the box there is nothing to be seen"


@pytest.mark.parametrize(("key", "camera", "theme"), [("valley", (-60.0, 40.0, 1.0), "light"), ("noise", (120.0, 20.0, 1.0), "dark")])
def test_trails_lie_on_the_ground_as_on_the_stage(stage, key, camera, theme, monkeypatch):
    """With lines as thin as the stage has them; on the stage the heads are on the same layer."""
    monkeypatch.setitem(Picture.trail.__globals__, "LINE", 3.2)
    yaw, pitch, zoom = camera
    race = presets[key].race.at(view="relief", yaw=yaw, pitch=pitch, zoom=zoom)
    p, canvas = laid_out(race, Look(theme=theme, panel=False, legend=False, counter=False))
    moment, size = race["steps"] * 0.7, (p.plane.width, p.plane.height)
    paths = [path for path in p.paths if path.style.dash == 0]  # the stage paints dashes on the ground, a file on the picture
    trails = [{"x": path.points[0].tolist(), "y": path.points[1].tolist(), "end": ended(path), **vars(path.style)} for path in paths]
    bare = stage(p.scene.heat, theme, (*camera, *size))[0][..., :3]
    theirs = stage(p.scene.heat, theme, (*camera, *size), 1, trails, moment)[0][..., :3]
    plane = canvas.within(p.plane.x, p.plane.y, *size)
    for path in paths:
        p.trail(plane, path, 0, moment)
    mine = plane.pixels.astype(float)
    x, y = np.arange(size[0]) + 0.5, np.arange(size[1])[:, None] + 0.5
    for path in paths:
        _, px, py, *_ = p.head_at(path, moment)
        away = np.hypot(x - px, y - py) > 12
        theirs[~away] = mine[~away] = bare[~away]
    inked = abs(theirs - bare).max(axis=2) > 20
    assert inked.sum() > 300 and abs(mine - theirs).mean() < 0.7
    assert abs(mine - theirs)[inked].mean() < 0.3 * abs(bare - theirs)[inked].mean(), "where there is a trail it is this one"


def test_the_file_shows_the_relief_that_the_stage_shows(visit):
    """By the same link; what is drawn in other sizes on top (heads, the start, names, buttons) is left out."""
    race = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("adam", lr=0.3)], steps=40, view="relief", yaw=-35, pitch=30, zoom=1.2, at=40)
    page = visit(f"?{race.to_query()}&embed=true", viewport={"width": 960, "height": 620}, color_scheme="dark")
    there = Stage(page)
    there.at(40)
    there.rest()
    there.box.evaluate("box => box.dispatchEvent(new KeyboardEvent('keydown', { key: 'f', bubbles: true }))")
    there.rest()
    top = shown(there.top.evaluate("top => top.toDataURL()"))[..., 3]
    height, width = top.shape
    theirs = there.picture()[:height, :width]
    p = Picture(race_scene(solve(race)), Look(theme="dark"))
    p.plane, p.view = Place(0, 0, width, height), p.seen(width, height)
    canvas = Raster(width, height, 1, p.theme.page)
    canvas.picture(p.view.pixels(1.0))
    for path in p.paths:
        p.trail(canvas, path, 0, 40)
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    same = (top == 0) & ~((x > width - 330) & (y < 70)) & (x > 8) & (x < width - 8) & (y > 8) & (y < height - 8)
    for path in p.paths:
        _, px, py, *_ = p.head_at(path, 40)
        same &= np.hypot(x - px, y - py) > 12
    difference = abs(canvas.pixels - theirs)[same]
    assert same.mean() > 0.8 and difference.mean() < 0.6 and np.quantile(difference, 0.99) < 20, (same.mean(), difference.mean())


@pytest.mark.parametrize("yaw", [-60.0, 100.0])
def test_of_two_places_behind_each_other_the_nearer_is_painted(yaw):
    """On a ground so rough that a cell hides most of the next."""
    s = surface("sin(400*x)*sin(300*y) + sin(x)")
    r = relief(heat(s, ((-1.0, 1.0), (-1.0, 1.0))), "light", (yaw, 12.0, 5.0, 900, 500))
    r.pixels(1.0)
    x, y = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 100_000))
    px, py, far = r.camera.see(x, y, r.at(x, y))
    u, v = (np.floor(c * 2) / 2 for c in (px, py))
    seen = (u >= 0) & (v >= 0) & (u < 900) & (v < 500) & (u % 1 == 0) & (v % 1 == 0)  # the fine pixels that are remembered
    px, py, far = px[seen], py[seen], far[seen]
    value, across, down = r.planes[0][:, r.shown[py.astype(int), px.astype(int)]]
    assert seen.sum() > 500 and (far - 1 / (value + 2 * across * px + 2 * down * py) > -0.001).mean() > 0.997


# --- what is hidden --------------------------------------------------------------------------------------------------------------------


def behind_the_hill(yaw, **look):
    """A picture of a hill whose one path goes straight across, behind it or before it."""
    race = Race(surface("cos(x)*cos(y)"), (-1.5, 1.2), [Entrant("sgd", lr=0.1)], ((-1.5, 1.5), (-1.5, 1.5)), steps=16, view="relief", yaw=yaw, pitch=25, **look)
    p, canvas = laid_out(race)
    t = np.linspace(-1.5, 1.5, 17)
    p.paths[0].points[:] = t, np.full(17, 1.2)
    return p, canvas


def test_what_the_ground_hides_is_fainter():
    for yaw, most in ((-90, 0.95), (90, 0.0)):  # from the south, from the north
        p, canvas = behind_the_hill(yaw)
        plane, tone = canvas.within(p.plane.x, p.plane.y, p.plane.width, p.plane.height), np.array(rgb(p.paths[0].style.colour), float)
        bare = plane.pixels.astype(float)
        p.trail(plane, p.paths[0], 0, 16)
        x = np.linspace(-1.45, 1.45, 61)
        px, py = p.view.place(x, np.full(61, 1.2))
        hidden = p.view.hides(x, np.full(61, 1.2))
        at = py.astype(int), px.astype(int)
        share = (plane.pixels[at] - bare[at]).sum(axis=1) / (tone - bare[at]).sum(axis=1)
        sure = np.array([len(set(hidden[max(i - 2, 0):i + 3])) == 1 for i in range(61)])
        assert 0.75 * most <= hidden.mean() <= most and abs(share[sure & hidden] - 0.25).max(initial=0) < 0.03 and share[sure & ~hidden].min() > 0.97
        assert not hidden[[0, -1]].any()


@pytest.mark.parametrize("best", [True, False])
def test_a_head_and_a_minimum_behind_the_ground_are_fainter(best):
    changes = []
    for yaw in (-90, 90):
        p, canvas = behind_the_hill(yaw)
        p.scene = replace(p.scene, dots=[Dot(0.6, 1.2, 0.0, best)])
        bare = canvas.pixels.astype(float)
        p.marks(canvas, 8)
        hidden, px, py, *_ = p.head_at(p.paths[0], 8)
        assert hidden == (yaw == -90) == p.view.hides(0.6, 1.2)
        spots = (px, py), np.array(p.view.place(0.6, 1.2)) + np.array((0 if best else 5, 0))  # the star's middle, the circle's edge
        at = [(int(y + p.plane.y), int(x + p.plane.x)) for x, y in spots]
        changes.append([abs(canvas.pixels[spot] - bare[spot]).max() for spot in at])
        seen = [(canvas.pixels[spot] == rgb(tone)).all() for spot, tone in zip(at, (p.paths[0].style.colour, p.theme.ink), strict=True)]
        assert seen == [not hidden, not hidden and best]
    assert all(5 < faint < 0.7 * full for faint, full in zip(*changes, strict=True))


def test_what_is_hidden_stays_as_faint_however_many_frames_it_takes():
    p, _ = behind_the_hill(-90)
    p.paths[0].points[0, 5:] = np.where(np.arange(12) % 2, 0.3, -0.3)  # back and forth behind the hill
    (once,) = (pixels.astype(float) for pixels in frames(p, [16]))
    *_, often = (pixels.astype(float) for pixels in frames(p, np.linspace(0, 16, 60)))
    behind = np.s_[:, 350:610]
    assert p.view.hides(np.array([-0.8, 0.0, 0.8]), np.full(3, 1.2)).all() and abs(once - often)[behind].max() <= 4


@pytest.mark.parametrize("dash", [(), (9, 5)])
def test_pieces_of_one_name_are_painted_once(dash):
    a, b = np.array([(10, 30), (50, 30)], float), np.array([(30, 10), (30, 50)], float)
    canvas, other = Raster(60, 60, 1, "#ffffff"), Raster(60, 60, 1, "#ffffff")
    part = canvas.within(0, 0, 60, 60)
    for points in (a, b, a[::-1]):
        part.line(points, "#000000", 4, dash, alpha=0.5, once="a")
    assert canvas.pixels.min() in (127, 128)
    part.line(a, "#000000", 4, dash, alpha=0.5, once="b")
    assert canvas.pixels.min() in (63, 64), "another one is painted over it"
    for points in (a, b):
        other.line(points, "#000000", 4, dash, alpha=0.5)
    assert other.pixels.min() < 70, "without a name there is no memory"


def test_a_trail_goes_on_where_it_ended_and_ends_at_its_head():
    p, _ = laid_out(Race("himmelblau", (0.0, 0.5), [Entrant("adam", lr=0.3)], steps=20, view="relief", pitch=70))
    path, moments = p.paths[0], [0, 0.2, 0.3, 1, 2.7, 3, 11.1, 20]
    parts = [list(p.view.trail(path, before, now)) for before, now in itertools.pairwise(moments)]
    for part, before, now in zip(parts, moments, moments[1:], strict=False):
        for piece, other in itertools.pairwise(part):
            assert np.allclose(piece.points[-1], other.points[0]) and piece.hidden != other.hidden
        for moment, point in ((before, part[0].points[0]), (now, part[-1].points[-1])):
            _, px, py, *_ = p.head_at(path, moment)
            assert np.hypot(px - point[0], py - point[1]) < 1
    (whole,) = p.view.trail(path, 0, 20)
    assert np.isclose(parts[-1][0].gone, np.hypot(*np.diff(np.vstack([piece.points for part in parts[:-1] for piece in part]), axis=0).T).sum())
    assert np.isclose(np.hypot(*np.diff(whole.points, axis=0).T).sum(), sum(np.hypot(*np.diff(piece.points, axis=0).T).sum() for part in parts for piece in part), rtol=0.01)
    assert not list(p.view.trail(path, 20, 20)) and not list(p.view.trail(path, 3, 3))


def test_what_leaves_the_box_is_not_drawn_outside():
    p, _ = laid_out(Race("bowl", (1.0, 1.0), [Entrant("sgd", lr=0.1)], ((-2.0, 2.0), (-2.0, 2.0)), steps=5, view="relief", pitch=80))
    path = p.paths[0]
    path.points[:] = [(-1, 1, 3, 3, 1, -1), (0, 0, 0, 1, 1, 1)]  # out through the side x = 2 and in again
    out, back = p.view.trail(path, 0, 5)
    for place, point in (((-1, 0), out.points[0]), ((2, 0), out.points[-1]), ((2, 1), back.points[0]), ((-1, 1), back.points[-1])):
        assert np.hypot(*(np.array(p.view.place(*place)) - point)) < 1
    assert not list(p.view.trail(path, 1.6, 3.4)) and len(list(p.view.trail(path, 1.2, 3.6))) == 2
    path.points[:] = [(-1, 1, 3, 1, -1, -1), (0, 0, 0, 1, 1, 1)]  # in again at once
    p.view.threads.clear()
    assert len(list(p.view.trail(path, 0, 5))) == 2 and not list(p.view.trail(path, 1.6, 2.4))
    path.points[:] = 5.0
    p.view.threads.clear()
    assert not list(p.view.trail(path, 0, 5))


# --- any race, any moment --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", presets)
def test_every_example_is_drawn_in_relief_at_any_moment(key):
    race = presets[key].race.at(view="relief", yaw=len(key) * 31.0, pitch=len(key) * 3.0)
    steps = race["steps"]
    p, canvas = laid_out(race, Look((480, 270), "dark", "ru", panel=False))
    drawn = [pixels.copy() for pixels in frames(p, [0, steps / 3, steps / 2 + 0.3, steps])]
    bare = np.all([(pixels == canvas.pixels).all(axis=2) for pixels in drawn], axis=0)
    assert bare.mean() > 0.6, "the ground is the same in all frames"
    assert (drawn[0] != drawn[-1]).any() and isinstance(p.view, Relief)


def test_a_plane_has_no_relief():
    assert isinstance(Picture(race_scene(solve(Race("bowl", entrants=[Entrant("sgd")], view="plane"))), Look()).seen(100, 100), Flat)


def test_frame_by_frame_comes_to_the_same_relief_as_at_once():
    race = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("sgd", lr=0.02), Entrant("adam", lr=0.3)], steps=40, view="relief", pitch=20, crowd=20)
    picture = Picture(race_scene(solve(race)), Look())
    *_, last = (pixels.astype(float) for pixels in frames(picture, np.linspace(0, 40, 9)))
    (whole,) = (pixels.astype(float) for pixels in frames(picture, [40.0]))
    assert abs(last - whole).mean() < 0.3


@pytest.mark.parametrize("formula", ["1e308*x", "1/x", "sqrt(x)", "0*x", "exp(x*1000)", "log(x*y)"])
@pytest.mark.parametrize("camera", [(-60, 40, 1), (90, 0, 20), (0, 90, 0.1)])
def test_absurd_surfaces_and_cameras_are_drawn(formula, camera):
    yaw, pitch, zoom = camera
    race = Race(surface(formula), entrants=[Entrant("sgd", lr=1.0), Entrant("newton"), Entrant("sgd", lr=1e200)], steps=20, crowd=5, view="relief",
                yaw=yaw, pitch=pitch, zoom=zoom)
    for medium in ("png", "svg"):
        assert len(ov.render(race, medium=medium, size=(320, 180))) > 1000


def test_places_far_outside_have_an_edge_to_be_marked_at():
    p, canvas = laid_out(Race("bowl", (1.0, 1.0), [Entrant("sgd", lr=50.0)], steps=200, view="relief"))
    for moment in (0, 1.5, 20, 100, 200):
        _, _, _, hx, hy = p.head_at(p.paths[0], moment)
        assert 14 <= hx <= p.plane.width - 14 and 14 <= hy <= p.plane.height - 14
        p.grow(canvas, 0, moment)
        p.marks(canvas, moment)


@pytest.mark.parametrize("size", [(64, 2000), (2000, 64), (1080, 1080)])
def test_the_block_fits_any_picture(size):
    r = relief(heat(surfaces["beale"], surfaces["beale"].box), "light", (-60.0, 40.0, 1.0, *size))
    cover = r.pixels(1.0)[..., 3] == 255
    rows, columns = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
    assert 0 < rows[0] and rows[-1] < size[1] - 1 and 0 < columns[0] and columns[-1] < size[0] - 1
    assert max((rows[-1] - rows[0]) / size[1], (columns[-1] - columns[0]) / size[0]) > 0.6
    assert all((line[begin:end] == 1).all() for line in cover for begin, end in [(line.argmax(), len(line) - line[::-1].argmax())] if line.any() and size == (1080, 1080) and line.sum() > 900), "no seams"


def test_files_of_a_relief(tmp_path):
    race = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("adam", lr=0.3)], steps=30)
    flat, turned = (ov.render(race, medium="png", size=(320, 180), **look) for look in ({}, {"view": "relief", "yaw": 20.0}))
    assert flat != turned != ov.render(race, medium="png", size=(320, 180), view="relief", yaw=21.0)
    assert turned == ov.render(race.at(view="relief", yaw=20.0), medium="png", size=(320, 180))
    image = Image.open(io.BytesIO(ov.render(race.at(view="relief"), medium="gif", frames=8, size=(480, 270))))
    shots = []
    for k in range(8):
        image.seek(k)
        shots.append(np.asarray(image.convert("RGB"), float))
    drawn = [pixels.astype(float) for pixels in frames(Picture(race_scene(solve(race.at(view="relief"))), Look((480, 270))), np.linspace(0, 30, 8))]
    assert max(abs(a - b).mean() for a, b in zip(shots, drawn, strict=True)) < 1.5
    tree = ElementTree.fromstring(ov.render(race.at(view="relief", pitch=10), medium="svg"))
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}image"))) == 1
