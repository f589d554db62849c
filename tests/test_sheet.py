"""Charts as data, as bytes, and on their stage in a real browser."""

import base64
import io
import json
import re
import struct
from dataclasses import replace

import numpy as np
import pytest
from conftest import PATIENCE
from PIL import Image

import optviz as ov
from optviz.core import T
from optviz.palette import THEMES
from optviz.render.export import made
from optviz.render.frames import frames
from optviz.render.options import options
from optviz.render.picture import Look
from optviz.render.raster import rgb
from optviz.render.sheet_exhibit import sheet_exhibit
from optviz.render.sheet_picture import SheetPicture, ticks
from optviz.render.sheet_wire import pack_sheet
from optviz.render.svg import Svg
from optviz.render.words import SHEET
from optviz.scene import heat
from optviz.sheet import Arrows, Bars, Chart, Dots, Ground, Heat, Line, Ridges, Rule, Scale, Sheet, ends

X = np.linspace(0, 10, 11)
Y = np.stack([np.full(11, -1.0), X])
Y[1, 3] = np.nan


def name(text):
    return T(text, f"{text} по-русски")


def chart(*marks, log=False, **given):
    return Chart("c", name("title"), Scale(name("across")), Scale(name("up"), log=log), marks, **given)


SHEET_OF_ALL = Sheet([
    chart(Line(X, Y, "#1283dc", name("moving"), low=Y - 1, high=Y + 1), Rule(name("limit"), y=2.0)),
    Chart("heat", name("map"), Scale(name("α"), log=True), Scale(name("γ")), [Heat([0.01, 0.1, 1], [0, 1, 2], [[1, 2], [3, np.inf]], 1, 3, name("steps"))], picked=True),
    Chart("bars", name("bars"), Scale(name("kind"), words=[name("none"), name("BN")]), Scale(name("steps")), [Bars([-0.3, 0.7], [0.3, 1.3], [5, 2], "plus")], note=name("told")),
    chart(Dots([1, 2], [3, 4], "ink", name("points")), Arrows([0], [0], [1], [2], "#f9117e", name("step")), even=True),
], 2, (0, 5), T("pass", "эпоха"))


def test_ends_hold_every_moment_and_every_mark():
    low, high = ends(chart(Line(X, Y, "ink")), "y")
    assert -1.5 < low < -1 and 10 < high < 10.6
    assert ends(chart(Bars([0], [1], [4], "ink")), "y")[0] == 0, "bars stand on the edge"
    assert ends(chart(Bars([0], [1], [4], "ink")), "x") == (-0.04, 1.04)
    assert ends(chart(Line(X, X, "ink"), log=True), "y") == pytest.approx((10**-0.04, 10**1.04)), "0 has no place on a logarithmic scale"
    assert ends(chart(Heat([0, 5], [0, 1], [[1]], 0, 1, name("z"))), "x") == (0, 5)
    assert ends(chart(Arrows([1], [1], [2], [-3], "ink")), "y")[0] < -2
    assert ends(SHEET_OF_ALL.charts[2], "x") == (-0.5, 1.5)
    for marks in ([], [Line([], [], "ink")], [Line([1], [np.nan], "ink")], [Dots([3], [3], "ink")]):
        low, high = ends(chart(*marks), "y")
        assert np.isfinite([low, high]).all() and low < high


def test_the_bytes_say_everything_in_the_visitors_language():
    data = pack_sheet(SHEET_OF_ALL, "ru", {})
    length, _ = struct.unpack("<II", data[:8])
    head = json.loads(data[8:8 + length])
    assert [c["title"] for c in head["charts"]] == ["title по-русски", "map по-русски", "bars по-русски", "title по-русски"]
    line, rule = head["charts"][0]["marks"]
    assert line["y"][1] == [2, 11] and line["x"][1] == [11] and (rule["kind"], rule["y"], rule["word"]) == ("rule", 2.0, "limit по-русски")
    assert (head["moments"], head["unit"]) == ([0, 5], "эпоха")
    y = np.frombuffer(data[8 + length:], np.float32)[line["y"][0][1] // 4:][:22]
    assert y[14] > 1e38 and y[15] == 4, "what is no number is a gap"


def test_the_picture_without_a_browser_shows_the_same():
    picture = SheetPicture(SHEET_OF_ALL, Look(size=(960, 900), language="ru", title="All"))
    assert picture.steps == 1
    pixels = [shown.copy() for shown in frames(picture, [0.0, 1.0])]

    def ink(k, i, x, y):
        room = picture.rooms[SHEET_OF_ALL.charts[i]]
        return tuple(pixels[k][int(room.py(y) * picture.unit), int(room.px(x) * picture.unit)])
    assert ink(1, 0, 5, 5) == ink(0, 0, 5, -1) == (18, 131, 220) and ink(1, 0, 3, 3) != (18, 131, 220)
    page = rgb(THEMES["light"].page)
    assert ink(0, 1, 0.03, 0.45) == page and ink(0, 1, 0.4, 1.45) == page and ink(0, 1, 0.03, 1.45) == rgb(THEMES["light"].plus), "least, none, most"
    assert ink(0, 2, 0, 2.5) != page == ink(0, 2, 1, 2.5)
    canvas = Svg(picture.width, picture.height, picture.page)
    picture.lay(canvas), picture.ground(canvas, 1.0), picture.marks(canvas, 1.0)
    told = canvas.document((960, 900), "All", "").decode()
    assert all(words in told for words in ("title по-русски", "limit по-русски", "step по-русски", "эпоха 5 из 5")) and "NaN" not in told and "nan" not in told
    assert min(float(size) for size in re.findall(r'font-size="([\d.]+)"', told)) >= 16


SIDE = np.linspace(-2, 2, 41)
GROWING = Sheet([Chart("g", name("ground"), Scale(name("w"), low=-1.0, high=1.0), Scale(name("b"), low=-1.0, high=1.0), [
    Ground(SIDE, SIDE, np.broadcast_to(2 * (SIDE + 2), (41, 41)), 8), Line([-0.6, 0.0, 0.6], [0.5, 0.5, 0.5], "#f9117e", width=4, grown=[1, 2, 3])], picked=True)],
    1, (0, 1, 2), begin=0)


def test_a_ground_lies_under_a_line_that_grows():
    assert ends(GROWING.charts[0], "x") == (-1.0, 1.0), "a ground reaches beyond what is looked at"
    picture = SheetPicture(GROWING, Look(size=(960, 900)))
    pixels = [shown.copy() for shown in frames(picture, [0.0, 1.0, 2.0])]
    room = picture.rooms[GROWING.charts[0]]

    def ink(k, x, y):
        return tuple(int(c) for c in pixels[k][round(float(room.py(y)) * picture.unit), round(float(room.px(x)) * picture.unit)])
    pink = (249, 17, 126)
    assert [[ink(k, x, 0.5) == pink for x in (-0.3, 0.3)] for k in range(3)] == [[False, False], [True, False], [True, True]]
    low, high = (np.array(rgb(colour)) for colour in (THEMES["light"].valley, THEMES["light"].peak))
    for x, band in ((-0.7, 2), (0.3, 4), (0.8, 5)):  # 2(x + 2) from 2 to 6
        np.testing.assert_allclose(ink(0, x, -0.5), low + (high - low) * band / 7, atol=1)


STOPS = [
    (True, (0.9, 1100), ["1", "10", "100", "1000"]), (True, (60, 950), ["100", "200", "500"]), (True, (1e-3, 0.2), ["0.001", "0.003", "0.01", "0.03", "0.1"]), (True, (1e-9, 1e-3), ["10⁻⁹", "10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³"]),
    (False, (-0.1, 1.02), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), (False, (0, 3000), ["0", "500", "1000", "1500", "2000", "2500", "3000"]),
    (True, (2, 5), ["2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"]),
]


def test_scales_stop_at_round_numbers_here_and_in_the_browser(modules):
    scales = [{"log": log, "low": low, "high": high, "words": []} for log, (low, high), _ in STOPS]
    theirs = modules("sheet.css").evaluate("async (scales) => { const { ticks } = await import('/plot.js'); return scales.map((scale) => ticks(scale, 7)); }", scales)
    for (log, edges, told), there in zip(STOPS, theirs, strict=True):
        assert [words for _, words in ticks(Scale(name("x"), log=log), edges, 7, "en")] == [words for _, words in there] == told


#: Two histograms beside each other, of which the second moves; and a point that a hand may drag along the other chart.
HANDS = Sheet([
    Chart("ridges", name("ridges"), Scale(name("layer"), words=[name("1"), name("2")]), Scale(name("value")),
          [Ridges([0, 1], [0, 1, 2, 3], [[[0, 5, 0], [4, 0, 2]], [[0, 5, 0], [0, 0, 9]]], "plus", name("share"))]),
    Chart("point", name("point"), Scale(name("z"), low=0, high=2), Scale(name("up"), low=0, high=2), [Dots([[0.0], [1.0], [2.0]], [[1.0], [1.0], [1.0]], "ink")],
          scrubs=True, picked=True),
], 2, ("0", "1.5", "2"), name("z"), begin=1)


def test_ridges_lie_on_their_sides():
    assert ends(HANDS.charts[0], "y") == (0, 3), "its edges are the scale's"
    picture = SheetPicture(HANDS, Look(size=(960, 540), language="en", title="Ridges"))
    before, after = (shown.copy() for shown in frames(picture, [0.0, 1.0]))
    room = picture.rooms[HANDS.charts[0]]

    def inked(pixels, x, y):
        return tuple(pixels[round(float(room.py(y)) * picture.unit), round(float(room.px(x)) * picture.unit)]) != rgb(THEMES["light"].page)
    assert [inked(before, 0.3, y) for y in (0.6, 1.6, 2.6)] == [False, True, False]
    assert [[inked(pixels, x, y) for x, y in ((1.3, 0.6), (0.8, 2.6), (1.3, 2.6))] for pixels in (before, after)] == [[True, True, False], [False, True, True]]
    assert picture.count(1) == "z = 1.5"


OPEN = """async (data) => {
    const { SheetPlayer } = await import('/sheetplayer.js');
    window.told = [];
    window.player = new SheetPlayer(document.body.appendChild(Object.assign(document.createElement('main'), { className: 'optviz-stage' })), (event) => told.push(event));
    window.take = (data) => player.show(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
    take(data);
}"""
INK = """([i, x, y]) => { const { canvas, ratio } = player.plots[i];
    return [...canvas.getContext('2d').getImageData(Math.floor(player.plots[i].px(x) * ratio), Math.floor(player.plots[i].py(y) * ratio), 1, 1).data]; }"""


def sent(sheet, language="en", claim=None):
    return base64.b64encode(pack_sheet(sheet, language, {key: getattr(text, language) for key, text in SHEET.items()}, claim=claim)).decode()


def test_the_stage_of_a_ground(modules):
    page = modules("sheet.css")
    page.evaluate(OPEN, sent(GROWING))
    assert page.locator(".count").text_content() == "step 0 of 2"
    low, high = (np.array(rgb(colour)) for colour in (THEMES["light"].valley, THEMES["light"].peak))
    for x, band in ((-0.7, 2), (0.8, 5)):
        np.testing.assert_allclose(page.evaluate(INK, [0, x, -0.5])[:3], low + (high - low) * band / 7, atol=2)
    assert page.evaluate(INK, [0, -0.3, 0.5])[:3] != [249, 17, 126]
    page.evaluate("player.go(1)")
    page.wait_for_function("player.playhead === 1 && !player.asked")
    assert page.evaluate(INK, [0, -0.3, 0.5])[:3] == [249, 17, 126] != page.evaluate(INK, [0, 0.3, 0.5])[:3]
    page.mouse.click(*page.evaluate("() => { const p = player.plots[0], box = p.canvas.getBoundingClientRect(); return [box.left + p.px(-0.5), box.top + p.py(0.1)]; }"))
    assert page.evaluate("told") == [{"pick": {"chart": "g", "mark": None, "point": None, "x": pytest.approx(-0.5, abs=0.01), "y": pytest.approx(0.1, abs=0.01)}}]
    assert re.fullmatch(r"w: −0\.(5|49\d|50\d)\nb: 0\.(1|09\d*|10\d)", page.locator(".readout").text_content())


def test_the_stage_of_a_sheet(modules):
    page = modules("sheet.css")
    page.evaluate(OPEN, sent(SHEET_OF_ALL))
    assert page.locator("figcaption").all_text_contents() == ["title", "map", "bars", "title"]
    assert page.locator(".count").text_content() == "pass 5 of 5" and page.locator("figure canvas[role=img]").first.get_attribute("aria-label").startswith("title. across, up")
    assert page.evaluate(INK, [0, 5, 5])[:3] == [18, 131, 220] and page.evaluate(INK, [0, 3, 3])[:3] != [18, 131, 220], "a gap is a gap"
    assert page.evaluate(INK, [2, 0, 2.5])[3] > 100 and page.evaluate(INK, [2, 1, 2.5])[3] == 0, "a bar as high as its number"
    page.evaluate("player.box.focus()")
    page.keyboard.press("Home")
    page.wait_for_function("player.playhead === 0 && !player.asked")
    assert page.locator(".count").text_content() == "pass 0 of 5" and page.evaluate(INK, [0, 5, -1])[:3] == [18, 131, 220]
    page.keyboard.press("Space")
    page.wait_for_function("player.playhead === player.last")
    spot = page.evaluate("() => { const p = player.plots[1], box = p.canvas.getBoundingClientRect(); return [box.left + p.px(0.3), box.top + p.py(0.5)]; }")
    page.mouse.click(*spot)
    assert page.evaluate("told") == [{"pick": {"chart": "heat", "mark": 0, "point": 1, "x": pytest.approx(0.3, rel=0.01), "y": pytest.approx(0.5, rel=0.01)}}]
    assert page.locator(".readout").text_content() == "α: 0.1 … 1\nγ: 0 … 1\nsteps: 2"
    page.mouse.click(*page.evaluate("() => { const p = player.plots[3], box = p.canvas.getBoundingClientRect(); return [box.left + p.px(1), box.top + p.py(3)]; }"))
    assert len(page.evaluate("told")) == 1 and page.locator(".readout").text_content() == "points\nacross: 1\nup: 3"
    page.evaluate("(data) => take(data)", sent(Sheet(SHEET_OF_ALL.charts[:1]), "ru"))
    assert page.locator(".bar").is_hidden() and page.locator("figcaption").all_text_contents() == ["title по-русски"]
    assert "эпоха" not in page.locator("main").inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("player.plots[0].width <= 390", timeout=PATIENCE)


def test_a_hand_on_a_chart_moves_the_playhead(modules):
    page = modules("sheet.css")
    page.evaluate(OPEN, sent(HANDS))
    assert page.locator(".count").text_content() == "z = 1.5" and page.evaluate("player.playhead") == 1, "it begins where the sheet says"
    assert page.evaluate(INK, [0, 1.3, 2.6])[3] > 100 and page.evaluate(INK, [0, 1.3, 0.6])[3] == 0
    at = "(x) => { const p = player.plots[1], box = p.canvas.getBoundingClientRect(); return [box.left + p.px(x), box.top + p.py(0.3)]; }"
    page.mouse.move(*page.evaluate(at, 1.1))
    page.mouse.down()
    page.mouse.move(*page.evaluate(at, 0.2), steps=3)
    page.wait_for_function("player.playhead === 0 && !player.asked")
    page.mouse.up()
    assert page.locator(".count").text_content() == "z = 0" and page.evaluate(INK, [0, 1.3, 0.6])[3] > 100
    page.mouse.move(*page.evaluate(at, 2))
    assert page.evaluate("player.playhead") == 0, "a hand that only passes over moves nothing"
    assert page.evaluate("told") == [{"pick": {"chart": "point", "mark": None, "point": None, "x": pytest.approx(0.2, abs=0.02), "y": pytest.approx(0.3, abs=0.02)}}], "a click beside all marks is one on the chart"
    page.mouse.move(*page.evaluate("() => { const p = player.plots[0], box = p.canvas.getBoundingClientRect(); return [box.left + p.px(1), box.top + p.py(2.6)]; }"))
    page.wait_for_function("document.querySelector('.readout').textContent === 'layer: 2\\nvalue: 2 … 3\\nshare: 0.333'")


TEN = Sheet([Chart(str(k), name(f"chart {k}"), Scale(name("across")), Scale(name("up")), [Line(X, X, "ink", name("curve"))], even=k == 3) for k in range(9)] + [
    Chart("map", name("map"), Scale(name("x")), Scale(name("y")), [Heat([0, 1, 2], [0, 1], [[1, 100]], 1, 100, name("steps"), log=True)])])


def test_a_presentation_shows_all_charts_at_once_and_its_keys(modules):
    page = modules("sheet.css", viewport={"width": 1280, "height": 720})
    page.evaluate(OPEN, sent(TEN, claim=name("claim")))
    assert page.locator(".claim").is_hidden()
    page.keyboard.press("?")
    assert page.locator("dialog dt").all_text_contents() == ["F", "Mouse, finger", "?"], "nothing moves here"
    page.keyboard.press("?")
    page.keyboard.press("f")
    page.wait_for_function("player.plots[0].size > 1")
    assert page.locator(".claim").text_content() == "claim" and page.evaluate("[player.box.scrollHeight, player.plots[0].size * 12]") == [720, pytest.approx(16 * 4 / 3)]
    rooms = page.evaluate("player.plots.map(({ room }) => [room.right - room.left, room.bottom - room.top])")
    assert min(min(room) for room in rooms) > 100, "each can be read"
    right, top, bottom = page.evaluate("(({ right, top, bottom }) => [right, top, bottom])(player.plots[9].room)")
    colours = [page.evaluate("([x, y]) => { const { canvas, ratio } = player.plots[9]; return [...canvas.getContext('2d').getImageData(x * ratio, y * ratio, 1, 1).data]; }",
                             [right + 18, y]) for y in (top + 3, bottom - 3)]
    assert page.evaluate("player.plots[9].bar.words") == ["1", "10", "100"]
    assert all(np.abs(np.subtract(ink[:3], rgb(wanted))).max() < 12 for ink, wanted in zip(colours, (THEMES["light"].plus, THEMES["light"].page), strict=True))
    page.keyboard.press("Escape")
    page.wait_for_function("player.plots[0].size === 1")


LED = Sheet([replace(TEN.charts[9], lead=True), replace(TEN.charts[3], aside=True), *TEN.charts[4:8]])


@pytest.mark.parametrize("rest", [2, 4])
def test_a_chart_that_leads_has_half(modules, rest):
    sheet = replace(LED, charts=LED.charts[:2 + rest])
    picture = SheetPicture(sheet, Look(size=(960, 540)))
    picture.lay(Svg(1, 1, None))
    place = picture.places[sheet.charts[0]]
    assert place.width > 0.45 * picture.width and place.height > 0.9 * picture.height and picture.tall == 540 and len(picture.places) == 1 + rest
    page = modules("sheet.css", viewport={"width": 1280, "height": 720})
    page.evaluate(OPEN, sent(sheet))
    assert page.locator("figure:visible").count() == 2 + rest
    page.keyboard.press("f")
    page.wait_for_function("player.plots[0].size > 1 && player.box.scrollHeight === 720")  # a browser may pass through other sizes on its way
    rooms = page.evaluate("player.plots.filter(({ figure }) => !figure.hidden).map(({ room, width }) => [width, room.bottom - room.top])")
    assert rooms[0][0] > 600 and rooms[0][1] > 400 and min(high for _, high in rooms) > 80 and len(rooms) == 1 + rest
    page.keyboard.press("Escape")
    page.wait_for_function("player.plots[0].size === 1")
    assert page.locator("figure:visible").count() == 2 + rest


@pytest.mark.parametrize(("size", "many", "taller"), [((960, 540), 10, False), ((1080, 1080), 10, False), ((960, 540), 40, True), ((300, 200), 10, True)])
def test_a_picture_of_many_charts_can_be_read(size, many, taller):
    shown = sheet_exhibit(Sheet([TEN.charts[k % 10] for k in range(many)] if many == 10 else [chart(Line(X, X, "ink")) for _ in range(many)]), "layers", "", "ten", name("ten"), {})
    o = shown.fitted(options({"size": size}))
    picture = SheetPicture(shown.sheet, Look(size=o.size))
    assert (o.size[1] > size[1]) == taller and o.size[0] == size[0] and shown.fitted(o) == o
    picture.lay(Svg(1, 1, None))
    assert min(room.bottom - room.top for room in picture.rooms.values()) > 88 and picture.unit >= 0.625
    assert Image.open(io.BytesIO(made(shown, "png", options({"size": size})))).size == o.size


def test_a_map_has_a_scale_of_its_colours_in_a_picture():
    picture = SheetPicture(TEN, Look(size=(1920, 1080)))
    pixels = next(frames(picture, [0.0]))
    room = picture.rooms[TEN.charts[9]]
    ends_ = [pixels[int(y * picture.unit), int((room.right + 16) * picture.unit)] for y in (room.top + 2, room.bottom - 2)]
    assert room.numbers == ["1", "10", "100"] and picture.rooms[TEN.charts[0]].map is None
    assert all(np.abs(ink.astype(int) - rgb(wanted)).max() < 12 for ink, wanted in zip(ends_, (THEMES["light"].plus, THEMES["light"].page), strict=True))


BOWL = ov.surface("x^2 + y^2")
SIDE = np.linspace(-2, 2, 65)
HALF = np.linspace(0, 1, 101)
ASKED = Sheet([
    Chart("formula", name("formula"), Scale(name("x"), low=-1, high=1), Scale(name("y"), low=-1, high=1), [Ground(heat=heat(BOWL, ((-2, 2), (-2, 2)))), Dots([0.5], [0], "ink")],
          even=True, bare=True, picked=True),
    Chart("lattice", name("lattice"), Scale(name("x"), low=-1, high=1), Scale(name("y"), low=-1, high=1), [Ground(SIDE, SIDE, 2 * (SIDE[:, None]**2 + SIDE**2), 16)], even=True),
    Chart("read", name("read"), Scale(name("rate"), low=0, high=1, sign="α"), Scale(name("loss")),
          [Line(HALF, 2 * HALF, "plus", name("double")), Line(HALF, HALF, "minus"), Line(HALF, np.where(HALF < 0.5, 1, np.nan), "minus", name("half")),
           *(Rule(name(f"limit {k}"), x=0.9 + 0.02 * k) for k in range(3))], picked=True, read=True),
    Chart("map", name("map"), Scale(name("rate"), log=True, sign="α"), Scale(name("memory")),
          [Heat([1, 4, 16], [0, 1], [[10, np.nan]], 100, 1, name("steps"), log=True), Heat([1, 4, 16], [0, 1], [[np.nan, 1]], 0, 1, name("grows"), colour="minus", alpha=0.5)],
          tall=True),
])


def test_grounds_readings_and_cells_that_are_alike(modules):
    page = modules("sheet.css", viewport={"width": 860, "height": 1500})
    page.evaluate(OPEN, sent(ASKED))
    colours = [rgb(getattr(THEMES["light"], key)) for key in ("valley", "peak")]
    assert page.evaluate(INK, [0, 0, 0])[:3] == page.evaluate(INK, [1, 0, 0])[:3] == list(colours[0])
    seen = [page.evaluate(INK, [i, 0.68, 0.68])[:3] for i in (0, 1)]
    assert seen[0] != list(colours[0]) and seen[1] != list(colours[0]), "higher is another band"
    assert page.evaluate("() => player.plots.map(({ room, x, y, width }) => [room.left, (x.high - x.low) / (room.right - room.left) / ((y.high - y.low) / (room.bottom - room.top)), room.right / width])")[0] \
        == [0, pytest.approx(1), 1], "a bare chart is all plot, an even one has one unit"

    def spot(i, x, y):
        return page.evaluate("([i, x, y]) => { const p = player.plots[i], box = p.canvas.getBoundingClientRect(); return [box.left + p.px(x), box.top + p.py(y)]; }", [i, x, y])
    for i, x, y, mark, point in ((0, 0.5, 0, 1, 0), (0, -0.6, 0.3, None, None), (2, 0.25, 1.5, None, None)):
        page.mouse.click(*spot(i, x, y))
        assert page.evaluate("told.at(-1).pick") == {"chart": ASKED.charts[i].key, "mark": mark, "point": point, "x": pytest.approx(x, abs=0.01), "y": pytest.approx(y, abs=0.02)}
    assert re.fullmatch(r"α = 0\.2[45]\d?\ndouble: 0\.[45]\d*\nhalf: 1", page.locator(".readout").text_content())
    page.mouse.move(*spot(2, 0.75, 1))
    assert page.locator(".readout").text_content().endswith("half: –")
    page.mouse.click(*spot(1, 0, 0))
    assert len(page.evaluate("told")) == 3
    page.mouse.move(*spot(3, 2, 0.5))
    assert page.locator(".readout").text_content() == "α = 2\nmemory: 0 … 1\nsteps: 10"
    page.mouse.move(*spot(3, 8, 0.5))
    assert page.locator(".readout").text_content() == "grows\nα = 8\nmemory: 0 … 1"
    assert page.locator("figure").nth(3).locator(".names").inner_text() == "grows"
    assert page.evaluate(INK, [3, 7.3, 0.43]) == pytest.approx([*rgb(THEMES["light"].minus), 128], abs=2)
    places = [place for _, place in page.evaluate("() => [...player.plots[2].beside].map(([mark, place]) => [mark.word, place])")]
    assert len(places) == 3 and all(a["row"] != b["row"] or a["b"] < b["a"] or b["b"] < a["a"] for a in places for b in places if a is not b)
    assert all(place["b"] < page.evaluate("player.plots[2].room.right") for place in places)


def test_the_same_in_a_picture():
    picture = SheetPicture(ASKED, Look(size=(960, 900)))
    pixels, theme = next(frames(picture, [0.0])), THEMES["light"]

    def ink(i, x, y):
        room = picture.rooms[ASKED.charts[i]]
        return tuple(pixels[int(room.py(y) * picture.unit), int(room.px(x) * picture.unit)])
    assert ink(0, 0, 0) == ink(1, 0, 0) == rgb(theme.valley)
    assert ink(0, 0.68, 0.68) != ink(0, 0, 0) and ink(1, 0.68, 0.68) != ink(1, 0, 0)
    assert ink(3, 7.3, 0.43) == pytest.approx([(a + b) / 2 for a, b in zip(rgb(theme.minus), rgb(theme.page), strict=True)], abs=2)
    assert ink(3, 1.7, 0.43) == pytest.approx([(a + b) / 2 for a, b in zip(rgb(theme.plus), rgb(theme.page), strict=True)], abs=2), "10 is half way from 100 to 1"
    canvas = Svg(picture.width, picture.height, picture.page)
    picture.lay(canvas), picture.ground(canvas, 1.0)
    room = picture.rooms[ASKED.charts[2]]
    placed = picture.beside(canvas.within(room.left, room.top, room.right - room.left, room.bottom - room.top), room).values()
    assert len(placed) == len(set(placed)) == 3
    bare = picture.rooms[ASKED.charts[0]]
    assert bare.right - bare.left == picture.places[ASKED.charts[0]].width and bare.up == bare.along == []
