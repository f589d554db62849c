"""The lab of maps: its URL, what its charts and sentences say, what its examples claim, and the page in a browser."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from optviz.atlas import MOST, Atlas, chapter_of, chapters, found, opening
from optviz.atlas_sheets import DESCENTS, basins_sheet, minimum_name, moments, share_of, told
from optviz.basin import Basins, basin
from optviz.core import Refused
from optviz.heavy import Part, went
from optviz.outcome import nearest
from optviz.palette import THEMES
from optviz.race import Entrant, Race
from optviz.render.code import of_basins
from optviz.render.frames import frames
from optviz.render.picture import Look
from optviz.render.raster import rgb
from optviz.render.sheet_exhibit import sheet_exhibit
from optviz.render.sheet_picture import FAINT, FULL, HINT, SheetPicture, shades
from optviz.render.sheet_wire import pack_sheet
from optviz.sheet import ABSENT, Regions

PAGE = Path(__file__).parent.parent / "pages" / "maps.py"
SMALL = Atlas(Race("himmelblau", (1.0, 2.0), [Entrant("sgd", lr=0.01), Entrant("adam", lr=0.1, muted=True), Entrant("momentum", lr=0.01)], steps=60),
              side=24)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """A store of this test's own."""
    monkeypatch.setenv("OPTVIZ_CACHE", str(tmp_path))


# --- the spec -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("atlas", [SMALL, *(c.atlas for c in chapters.values()), Atlas(Race("rosenbrock", None, []), backend="numpy", side=33)])
def test_an_atlas_is_its_url(atlas):
    assert Atlas.from_query(atlas.to_query()) == atlas


def test_a_tampered_url_falls_back_and_says_so():
    notes = []
    atlas = Atlas.from_query("side=1e9&backend=jax&optimizer=adam:lr=-1&steps=x", notes)
    assert atlas["side"] == 160 and atlas["backend"] == "auto" and len(notes) == 4


def test_wherever_the_start_is_put_the_maps_stay():
    moved = SMALL.at(race=SMALL.race.at(start=(-3.0, 1.0)))
    assert moved.basins() == SMALL.basins() and moved != SMALL
    chapter = chapters["four"]
    assert chapter_of(chapter.atlas.at(race=chapter.atlas.race.at(start=(3.0, 3.0)))) is chapter
    assert chapter_of(SMALL) is None and opening("") == next(iter(chapters.values())).atlas


def test_hidden_ones_have_no_map_and_six_are_the_most():
    assert SMALL.shown == [0, 2]
    many = Atlas(Race("himmelblau", None, [Entrant("sgd", lr=0.001 * k) for k in range(1, 10)]))
    assert len(many.basins()) == MOST


def test_what_a_room_cannot_wait_for_is_refused_with_the_limit():
    large = SMALL.at(side=2048, race=SMALL.race.at(steps=10_000))
    with pytest.raises(Refused, match="billion steps .*3 billion") as why:
        found(large.basins(), "auto")
    assert "млрд" in why.value.text.ru
    many = SMALL.at(side=2048, race=SMALL.race.at(steps=10))  # two maps: few steps, but eight million cells
    with pytest.raises(Refused, match="8.39 million cells .*4.19 million") as why:
        found(many.basins(), "auto")
    assert "млн" in why.value.text.ru


# --- charts and sentences -----------------------------------------------------------------------------------------------------------------


def test_maps_are_shown_as_they_come(monkeypatch):
    monkeypatch.setattr("optviz.heavy.TOLD", 0)
    told_on_the_way = []
    maps = found(SMALL.basins(), "numpy", lambda done, whole, part: told_on_the_way.append((done / whole, part)))
    assert all(isinstance(b, Basins) for b in maps)
    shares = [share for share, _ in told_on_the_way]
    assert shares == sorted(shares) and shares[-1] == 1
    parts = [part for _, part in told_on_the_way if part is not None]
    assert isinstance(parts[0][0], Part) and parts[0][1] is None and parts[-1][0].ready.all() and not parts[-1][1].ready.all()
    (regions,) = [mark for mark in basins_sheet(SMALL, parts[0]).charts[0].marks if isinstance(mark, Regions)]
    ready = parts[0][0].ready
    assert (regions.which[~ready] == ABSENT).all() and np.isnan(regions.z[~ready]).all() and (regions.which[ready] >= 0).any()
    assert not any(isinstance(mark, Regions) for mark in basins_sheet(SMALL, parts[0]).charts[1].marks)
    bare = []
    for part in ([parts[0][0], maps[1]], maps):
        sheet = basins_sheet(SMALL, part)
        picture = next(frames(SheetPicture(sheet, Look(size=(960, 540))), [float(len(sheet.moments) - 1)]))
        bare.append((picture[..., :3] == rgb(THEMES["light"].page)).all(-1).mean())
    assert bare[0] > bare[1] + 0.1, "what nobody knows yet has no colour, nor a failure's grey"


def test_the_map_grows_with_the_playhead():
    maps = found(SMALL.basins(), "numpy")
    sheet = basins_sheet(SMALL, maps)
    assert [c.key for c in sheet.charts] == ["map0", "map2"] and list(sheet.moments) == moments(60).tolist()
    assert sheet.moments[0] == 0 and sheet.moments[-1] == 60 and list(sheet.moments[:6]) == list(range(6))
    (regions,) = [mark for mark in sheet.charts[0].marks if isinstance(mark, Regions)]
    there = maps[0].minimum >= 0
    assert (regions.z[there] == maps[0].steps[there]).all() and np.isnan(regions.z[~there & (maps[0].diverged < 0)]).all()
    bright = [(shades(regions.z, 0, 60, until) > HINT).sum() for until in sheet.moments]
    assert bright == sorted(bright) and bright[0] < bright[-1] == np.isfinite(regions.z).sum()
    assert (regions.which == maps[0].minimum).all() and [mark.name.en for mark in regions.legend] == ["diverges", "comes to no minimum"]
    assert shades(np.array([0.0, 60.0, np.nan]), 0, 60, 60).tolist() == [FULL, FAINT, HINT]


def test_what_comes_to_no_minimum_wears_the_colour_of_none():
    wild = SMALL.at(race=SMALL.race.at(entrants=[Entrant("sgd", lr=0.02)]))
    (b,) = found(wild.basins(), "numpy")
    (regions,) = [mark for mark in basins_sheet(wild, [b]).charts[0].marks if isinstance(mark, Regions)]
    late = (b.minimum < 0) & (b.diverged < 0)
    assert late.any() and (b.nearest[late] >= 0).all() and (regions.which[late] == -1).all() and np.isnan(regions.z[late]).all()


def test_the_sentences_say_what_the_arrays_say():
    b = basin("himmelblau", "sgd", lr=0.03, steps=100, shape=(30, 30))
    lost = 100 * (b.diverged >= 0).mean()
    assert f"{lost:.3g} % diverge" in told(b).en and "none at a minimum" in told(b).en and "в минимуме 0 %" in told(b).ru
    assert f"{100 - lost:.3g} % elsewhere" in told(b).en, "three kinds, and all of the map"
    b = basin("himmelblau", "sgd", lr=0.01, steps=100, shape=(30, 30))
    assert told(b).en == f"After 100 steps: all at a minimum (half of them within {np.median(b.steps):g})."
    few = np.arange(3000) < 2
    assert (share_of(few).en, share_of(~few).ru, share_of(few[:10]).en) == ("2 of 3000", "все, кроме 2", "20 %")
    words = went([b.where], 900, DESCENTS)
    assert "900 descents: NumPy, cpu, float64" in words.en and "Спусков: 900" in words.ru
    again = went([basin("himmelblau", "sgd", lr=0.01, steps=100, shape=(30, 30)).where], 900, DESCENTS)
    assert "kept from before" in again.en and "взято готовым" in again.ru


def test_the_maps_go_home_in_every_medium():
    maps = found(SMALL.basins(), "numpy")
    sheet = basins_sheet(SMALL, maps)
    made = sheet_exhibit(sheet, "maps", SMALL.to_query(), "maps", told(maps[0]), {})
    lines = list(made.table("en"))
    rows = list(csv.DictReader(lines))
    assert len(rows) == 2 * 24 * 24 and {*rows[0]} == {"chart", "series", "step", "x", "y", "value", "kind"}
    own = [row for row in rows if row["chart"] == "Momentum"]
    assert [row["value"] for row in own] == [str(k) if k >= 0 else "" for k in np.where(maps[1].diverged < 0, maps[1].steps, maps[1].diverged).ravel()]
    assert [row["kind"] for row in own[:60]] == [minimum_name(SMALL.race.surface.minima[k]).en if k >= 0 else "comes to no minimum" if d < 0 else
                                                 "diverges" for k, d in zip(maps[1].minimum.ravel()[:60], maps[1].diverged.ravel(), strict=False)]
    assert [(float(row["x"]), float(row["y"])) for row in (own[0], own[-1])] == [(-5, -5), (5, 5)]
    assert made.arrays()["map0_0_which"].shape == (24, 24) and "map0_0: Gradient descent (SGD), regions (steps)" in made.arrays()["about"]
    assert len(pack_sheet(sheet, "ru", {})) < 200_000
    early, late = (frame.copy() for frame in frames(SheetPicture(sheet, Look(size=(960, 540))), [0.0, float(len(sheet.moments) - 1)]))
    strong = [int((np.ptp(frame.astype(int), axis=-1) > 40).sum()) for frame in (early, late)]
    assert strong[1] > 5 * strong[0]  # the colours fill the maps


def test_the_script_makes_the_same_maps(capsys):
    scope = {}
    exec(of_basins(SMALL.basins(), "en"), scope)
    for own, b in zip(scope["maps"], found(SMALL.basins(), "numpy"), strict=True):
        assert own.basin == b.basin and np.array_equal(own.minimum, b.minimum)
    assert capsys.readouterr().out.count("at a minimum") == 2


# --- what the examples claim --------------------------------------------------------------------------------------------------------------


def shares(key):
    """Of each map as the page shows it: the shares that come to a minimum, to another than the nearest, that diverge, and the median of the steps."""
    out = []
    for spec in chapters[key].atlas.basins():
        b = basin(spec)
        x, y = np.meshgrid(b.x, b.y)
        near = nearest(spec.run.surface, np.stack([x.ravel(), y.ravel()]))[0].reshape(x.shape)
        there = b.minimum >= 0
        out.append((round(100 * there.mean()), round(100 * (b.nearest != near)[there].mean()), round(100 * (b.diverged >= 0).mean()),
                    round(np.median(b.steps[there])), (there & (b.nearest == near)).mean(), int(there.sum()), there.size))
    return out


def test_the_numbers_of_the_examples_are_those_of_their_maps():
    sgd, momentum, adam = shares("four")
    assert (round(100 * sgd[4]), sgd[3], momentum[1], round(100 * adam[4])) == (98, 11, 30, 93)
    memory = shares("memory")
    assert [m[1] for m in memory] == [2, 11, 30, 33] and [m[3] for m in memory] == [11, 18, 111, 229]
    rates = shares("rates")
    assert [r[0] for r in rates] == [100, 54, 0] and rates[2][2] == 20 and (rates[0][5], rates[2][5]) == (rates[0][6], 2)
    sgd, adam = shares("corners")
    assert sgd[2] == 27 and adam[6] - adam[5] == 10
    sgd, momentum, adam = shares("valley")
    assert ([sgd[0], momentum[0], adam[0]], [momentum[2], adam[2]]) == ([2, 12, 35], [15, 0])


# --- the page -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ru"])
def test_every_url_gives_a_page(language):
    for query in ("optimizer=", "optimizer=adam:muted=1", "surface=saddle&side=16&steps=5", "formula=x%2By&side=16&steps=5", "side=1e9&steps=-1&%00=%ff",
                  "side=2048&steps=10000"):
        at = AppTest.from_file(str(PAGE), default_timeout=60)
        at.query_params.update({name: value for name, _, value in (part.partition("=") for part in query.split("&"))} | {"lang": language})
        at.run()
        assert not at.exception, query


def test_a_click_puts_the_start_there(visit):
    page = visit("/maps?surface=himmelblau&steps=40&side=32&optimizer=sgd:lr=0.01&optimizer=momentum:lr=0.01&start=-1.0,-1.0&backend=numpy")
    expect(page.get_by_text(re.compile("descents: NumPy"))).to_be_visible()
    canvas = page.locator("canvas[role=img]").first
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.3 * box["height"])
    expect(page.get_by_text("→ (").first).to_be_visible()
    canvas.click(position={"x": 0.7 * box["width"], "y": 0.4 * box["height"]})
    expect(page).not_to_have_url(re.compile("start=-1.0"))
    x, y = map(float, re.search(r"start=([-\d.e]+),([-\d.e]+)", page.url).groups())
    assert x > 0 and y > 0
    page.get_by_role("button", name=re.compile("Descent lab")).click()
    expect(page).to_have_url(re.compile(r"/\?.*start=" + re.escape(f"{x!r},{y!r}")))
