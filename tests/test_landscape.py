"""The loss landscape: cells against torch, directions against their definition, paths on the plane, and what cannot be drawn."""

import base64
import re
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from test_palette import contrast, lab, linear

import optviz as ov
from optviz.core import Refused
from optviz.landscape import RISE, Cells, Slice, normalized, places, principal, told
from optviz.landscape_scene import GROUND, landscape_scene
from optviz.palette import COLOURS, THEMES
from optviz.render.wire import pack
from optviz.render.words import STAGE
from optviz.scene import Lattice
from optviz.study import Study
from optviz.trainer import Trainer
from optviz.training import Training

module = sys.modules["optviz.landscape"]  # optviz.landscape itself is the function
SMALL = Training("moons", n=60, layers=(5, 4), loss="logistic", optimizer="adam", lr=0.03, epochs=12)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """A store of this test's own."""
    monkeypatch.setenv("OPTVIZ_CACHE", str(tmp_path / "kept"))


@pytest.fixture(scope="module")
def paths():
    """Three paths on the principal plane."""
    return ov.landscape(SMALL, optimizers={"sgd": 0.3, "momentum": None}, shape=(15, 21), keep=False)


@pytest.fixture(scope="module")
def weights():
    """The trained weights, and what they are trained on."""
    return Trainer(SMALL).run()


def by_torch(trainer, theta, part):
    """The loss of weights, forward as torch does it."""
    x, y = (torch.tensor(a[part]) for a in (trainer.all_x, trainer.all_targets))
    layers = [torch.tensor(theta[b.at].reshape(b.shape)) for b in trainer.net.blocks]
    for i in range(0, len(layers), 2):
        x = x @ layers[i] + layers[i + 1]
        x = torch.tanh(x) if i + 2 < len(layers) else x
    return torch.nn.functional.softplus(-x * y).mean().item()


@pytest.mark.parametrize("directions", ["principal", "random"])
def test_a_cell_is_the_loss_of_its_weights(directions, weights):
    spec = Slice(SMALL, directions=directions, shape=(7, 8))
    arrays = module._trained(spec)
    found = ov.landscape(spec, keep=False)
    for i, j in ((0, 0), (6, 7), (2, 5)):
        theta = arrays["centre"] + found.x[j] * arrays["ways"][0] + found.y[i] * arrays["ways"][1]
        assert found.loss[i, j] == pytest.approx(by_torch(weights, theta, slice(weights.count)), rel=1e-10)
        assert found.loss_val[i, j] == pytest.approx(by_torch(weights, theta, slice(weights.count, None)), rel=1e-10)


@pytest.mark.parametrize("shape", [(7, 9), (8, 6)])
@pytest.mark.parametrize("span", [None, 0.7, ((-1.0, 0.2), (0.0, 3.0))])
def test_the_trained_weights_are_a_cell(shape, span, weights):
    for directions in ("principal", "random"):
        found = ov.landscape(SMALL, directions=directions, shape=shape, span=span, keep=False)
        row, column = found.centre
        assert found.x[column] == found.y[row] == 0 and found.loss.shape == shape == (len(found.y), len(found.x))
        assert found.loss[row, column] == pytest.approx(weights.rows[-1][0], abs=1e-12)
        assert found.loss_val[row, column] == pytest.approx(weights.rows[-1][1], abs=1e-12)
        np.testing.assert_allclose(np.diff(found.x), np.ptp(found.x) / (shape[1] - 1))


def test_places_are_even_and_reach_from_end_to_end():
    np.testing.assert_allclose(places(-1.0, 1.0, 5), [-1, -0.5, 0, 0.5, 1])
    for low, high, count in ((-1.0, 1.0, 4), (-0.3, 2.0, 7), (0.0, 1.0, 3), (-2.0, 0.0, 6)):
        p = places(low, high, count)
        assert 0.0 in p and len(p) == count and abs(p[0] - low) <= (high - low) / (count - 1) / 2 + 1e-12


def test_random_directions_are_as_long_as_each_neurons_weights(weights):
    net, theta = weights.net, weights.theta
    ways = normalized(net, theta, 3)
    for block in net.blocks:
        own, drawn = theta[block.at].reshape(block.shape), ways[:, block.at].reshape(2, *block.shape)
        if block.kind == "weight":
            np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), np.tile(np.linalg.norm(own, axis=0), (2, 1)), rtol=1e-12)
            assert abs(np.corrcoef(drawn.reshape(2, -1))[0, 1]) < 0.9
        else:
            assert not drawn.any()
    assert (ways == normalized(net, theta, 3)).all() and (ways != normalized(net, theta, 4)).any()
    assert abs(np.corrcoef(ways[0], Trainer(SMALL, seed=3).theta)[0, 1]) < 0.5  # not those that the first weights were drawn with


def test_principal_directions_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    away = rng.standard_normal((30, 6)) * [5, 3, 1, 1, 0.5, 0.1] + rng.standard_normal(6)
    ways, captured = principal(away, away[0])
    values, vectors = np.linalg.eigh(np.cov(away.T))
    np.testing.assert_allclose(np.abs(ways @ vectors[:, [-1, -2]]), np.eye(2), atol=1e-10)
    np.testing.assert_allclose(captured, values[[-1, -2]] / values.sum())
    assert (ways @ away[0] <= 0).all()


@pytest.mark.parametrize("directions", ["principal", "random"])
def test_paths_are_the_nearest_points_of_the_plane(directions):
    spec = Slice(SMALL, {"sgd": 0.3}, directions, shape=(5, 5))
    found, arrays = ov.landscape(spec, keep=False), module._trained(spec)
    for key, given in (("adam", {}), ("sgd", {"optimizer": "sgd", "lr": 0.3})):
        run = Trainer(SMALL, **given).run()
        away = np.stack([theta for _, theta, _ in run.snapshots]) - arrays["centre"]
        assert found.passes[key].tolist() == list(range(13))
        rest = away - found.paths[key].T @ arrays["ways"]
        np.testing.assert_allclose(rest @ arrays["ways"].T, 0, atol=1e-9)  # what is left is across both ways
        assert found.shares[key] == pytest.approx(1 - (rest**2).sum() / (away**2).sum())
        np.testing.assert_allclose(found.losses[key], [row[0] for row in run.rows])
        foot = arrays["centre"] + found.paths[key][:, 4] @ arrays["ways"]
        assert found.feet[key][4] == pytest.approx(by_torch(run, foot, slice(run.count)), rel=1e-10)
    np.testing.assert_allclose(found.paths["adam"][:, -1], 0, atol=1e-12)


def test_all_paths_are_in_the_picture_with_room(paths):
    assert set(paths.paths) == {"adam", "sgd", "momentum"} and paths.captured[0] >= paths.captured[1] and 0.5 < sum(paths.captured) <= 1
    for path in paths.paths.values():
        for along, way in zip((paths.x, paths.y), path, strict=True):
            margin = 0.08 * np.ptp(along)
            assert along[0] + margin < way.min() and way.max() < along[-1] - margin


def test_curvature_is_the_second_derivative(paths):
    arrays = module._trained(paths.slice)
    run = Trainer(SMALL).run()
    for way, measured in zip(arrays["ways"], paths.curvature, strict=True):
        h = 1e-4
        above, middle, below = (by_torch(run, arrays["centre"] + s * way, slice(run.count)) for s in (h, 0, -h))
        assert measured == pytest.approx((above - 2 * middle + below) / h**2, rel=1e-2)


def test_hollows_and_flatness_are_counted(paths):
    x, y = np.arange(9) - 4.0, np.arange(7) - 3.0
    loss = np.add.outer(y**2, x**2)
    loss[1, 1] = loss[4, 7] = 0.5
    loss[0, 4] = -1.0  # on the edge: it goes on beyond
    made = replace(paths, x=x, y=y, loss=loss)
    assert made.hollows == 3 and made.flat == pytest.approx(2 / 63) and RISE == 0.1


def test_batch_normalization_keeps_the_moments_of_the_trained_network():
    given = SMALL, {"batchnorm": "before", "epochs": 4}
    training = Training(**{**dict(given[0].values), **given[1]})
    found = ov.landscape(training, shape=(3, 3), keep=False, directions="random")
    assert found.loss[found.centre] == pytest.approx(Trainer(training).run().rows[-1][0], abs=1e-12)


def test_patience_puts_the_best_weights_in_the_middle():
    training = Training("circle", n=60, noise=0.4, layers=(20,), loss="logistic", optimizer="adam", lr=0.1, epochs=60, patience=5)
    run = Trainer(training).run()
    assert 0 < run.best_epoch < run.passes
    found = ov.landscape(training, shape=(3, 3), keep=False)
    assert found.loss[found.centre] == pytest.approx(run.rows[int(run.best_epoch)][0], abs=1e-12)


def test_a_study_begins_at_its_weights_and_stops_where_it_says():
    start = tuple(np.linspace(-1, 1, Trainer(SMALL).net.size))
    study = Study(SMALL, weights=start, stop_loss=0.6)
    found = ov.landscape(study, shape=(3, 3), keep=False)
    alone = Trainer(SMALL, weights=start)
    assert found.losses["adam"][0] == pytest.approx(alone.rows[0][0])
    assert found.losses["adam"][-2] > 0.6 or found.passes["adam"][-1] < 12


def test_it_is_kept_and_opens_at_once(monkeypatch):
    spec = Slice(SMALL, ["sgd"], shape=(5, 6))
    first = ov.landscape(spec)
    monkeypatch.setattr(Cells, "piece", None)  # whoever computes or trains now fails
    monkeypatch.setattr(module, "_trained", None)
    again = ov.landscape(spec)
    assert again.where.kept and not first.where.kept and (again.loss == first.loss).all() and told(again) == told(first)
    for key in first.paths:
        assert (first.paths[key] == again.paths[key]).all() and first.shares[key] == again.shares[key]
    with pytest.raises(TypeError):
        ov.landscape(Slice(SMALL, {"sgd": 0.5}, shape=(5, 6)))


def test_own_data_have_a_line_of_their_own():
    rng = np.random.default_rng(0)
    lines = [Slice(Training((rng.standard_normal((30, 2)), np.arange(30) % 2), layers=(3,))).line() for _ in range(2)]
    assert lines[0] != lines[1]


def test_processes_share_the_cells(paths):
    shared = ov.landscape(paths.slice, keep=False, processes=2)
    assert shared.where.processes == 2
    np.testing.assert_allclose(shared.loss, paths.loss, rtol=1e-12)


def test_the_query_brings_the_slice_back():
    for source in (SMALL, Study("moons", layers=(4,), weights=np.full(17, 0.5)), Training("circle", layers=(8,) * 20)):
        spec = Slice(source, {"momentum": 0.1, "rmsprop": 0.003}, "random", 7, ((-1.0, 2.0), (0.0, 1.0)), (9, 11))
        assert Slice.from_query(spec.to_query()) == spec and hash(Slice.from_query(spec.to_query())) == hash(spec)
    notes = []
    spec = Slice.from_query("directions=up&rows=9999&span=1,2&path=adamm,1&path=sgd,0.2&data=moons&n=60", notes)
    assert len(notes) == 5 and spec.shape == (65, 65) and spec.others == () and spec.training["data"].key == "moons"


@pytest.mark.parametrize("wrong", [
    {"shape": (2, 65)}, {"shape": (65, 513)}, {"shape": 65}, {"span": 0}, {"span": ((1, 2), (-1, 1))}, {"span": "x"}, {"span": (1, 2, 3)},
    {"directions": "up"}, {"seed": -1}, {"optimizers": "adamm"}, {"optimizers": {"adam": 0.5}}, {"optimizers": ["newton"]},
    {"training": Training("moons", layers=(5,), optimizer="sgd", activation="relu", lr=1e6, epochs=20)},
    {"training": SMALL, "optimizers": {"sgd": 1e308}}, {"training": Training("moons", layers=(5,), epochs=0)},
    {"training": Training("moons", layers=(64, 64), n=2000), "shape": (512, 512)}, {"training": Training("moons", batch=1, epochs=1_000_000)},
    {"training": Training("moons", layers=(320, 320), n=20, epochs=99), "shape": (3, 3), "optimizers": ["momentum"]},
    {"training": Training("moons", layers=(), features=("x",), init="zeros", epochs=0), "directions": "random"},
])
def test_what_is_impossible_is_refused_in_a_sentence(wrong):
    with pytest.raises(Refused) as why:
        ov.landscape(**{"training": SMALL, "shape": (3, 3), "keep": False, **wrong})
    assert why.value.text.en and re.search("[а-яё]", why.value.text.ru)


def test_it_is_told_in_both_languages_and_in_a_few_sentences(paths):
    said = told(paths)
    assert said.en.count("%") == said.ru.count("%") == 4 and said.en.count(". ") == said.ru.count(". ") == 2
    alone = told(ov.landscape(SMALL, directions="random", shape=(5, 5), keep=False))
    assert "of the path" in alone.en and "пути" in alone.ru


def test_progress_counts_the_trainings(monkeypatch):
    monkeypatch.setattr("optviz.heavy.TOLD", 0)
    seen = []
    ov.landscape(SMALL, optimizers=["momentum"], shape=(33, 33), keep=False, progress=lambda done, whole, part=None: seen.append(done / whole))
    assert len(seen) > 24 and all(a < b for a, b in pairwise(seen[:24])) and 0.1 < seen[23] < 1 and seen[-1] == pytest.approx(1)
    one, cells = module.seconds(Slice(SMALL, ["momentum"], shape=(33, 33)))
    assert seen[11] == pytest.approx(12 * one / (24 * one + cells))  # half of the trainings


# --- as a scene -------------------------------------------------------------------------------------------------------------------------

OPEN = """async (data) => {
    const { Player } = await import('/player.js');
    window.told = [];
    const root = Object.assign(document.createElement('main'), { className: 'optviz-stage' });
    window.player = new Player(document.body.appendChild(root), (event) => told.push(event));
    player.show(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
}"""


def test_a_lattice_is_straight_between_its_places_and_stays_as_at_its_edge():
    x, y = np.linspace(-1, 2, 4), np.linspace(0, 1, 3)
    ground = Lattice(x, y, np.add.outer(10 * y, x))
    assert ground.value(0.3, 0.25) == pytest.approx(2.8) and ground.value(-5.0, 9.0) == pytest.approx(9.0)
    np.testing.assert_allclose(ground.value(x[None, :], y[:, None]), ground.z)


def test_the_scene_shows_true_losses_on_the_paths_over_passes(paths):
    scene = landscape_scene(paths, at=3)
    assert scene.fixed and scene.steps == 12 and scene.look["at"] == 3 and [p.entrant for p in scene.paths] == [0, 1, 2]
    for path, key in zip(scene.paths, ("adam", "sgd", "momentum"), strict=True):
        np.testing.assert_allclose(path.points, paths.paths[key])
        np.testing.assert_allclose(path.height, paths.losses[key])
    assert [float(p.rate[0]) for p in scene.paths] == [0.03, 0.3, 0.03]


def test_bands_are_logarithmic_where_the_loss_spans_decades(paths):
    levels = np.geomspace(1e-4, 10, 15 * 21).reshape(15, 21)
    spread = landscape_scene(replace(paths, loss=levels)).heat.warp(levels)
    assert (spread[levels < 0.01] > 1).any() and np.quantile(spread, 0.1) > 2
    even = np.linspace(1, 2, 15 * 21).reshape(15, 21)
    np.testing.assert_allclose(landscape_scene(replace(paths, loss=even)).heat.warp(even), 18 * (even - 1), atol=1e-9)
    assert np.isfinite(landscape_scene(replace(paths, loss=np.where(even > 1.5, np.inf, even))).heat.warp(even)).all()


def test_the_stage_shows_it_flat_and_in_relief_and_nobody_moves_its_start(paths, modules):
    page = modules("stage.css")
    data = pack(landscape_scene(paths, at=5), "en", {name: text.en for name, text in STAGE.items()})
    page.evaluate(OPEN, base64.b64encode(data).decode())
    x, y = float(paths.x[4]), float(paths.y[11])
    assert page.evaluate("([x, y]) => player.scene.surface.height(x, y)", [x, y]) == pytest.approx(paths.loss[11, 4], rel=1e-6)
    slope = (paths.loss[11, 5] - paths.loss[11, 3]) / (paths.x[5] - paths.x[3])
    assert page.evaluate("([x, y]) => player.scene.surface.slope(x, y)[0]", [x, y]) == pytest.approx(slope, rel=0.5)
    expect(page.locator(".count")).to_have_text("pass 5 of 12")
    assert page.get_by_role("button", name="Explain").count() == page.get_by_role("button", name="Stability").count() == 0
    box, (px, py) = page.locator(".picture").bounding_box(), page.evaluate("() => player.handleAt")
    page.mouse.move(box["x"] + px, box["y"] + py)
    page.mouse.down()
    page.mouse.move(box["x"] + px + 60, box["y"] + py - 40, steps=3)
    page.mouse.up()
    for key in ("e", "g"):
        page.keyboard.press(key)
    page.keyboard.press("Shift+ArrowUp")
    assert page.evaluate("() => [player.held, player.holding, told]") == [None, False, []]
    beyond = page.evaluate("() => [...player.plane.back.getContext('2d').getImageData(2, player.plane.back.height >> 1, 1, 1).data.slice(0, 3)]")
    assert "#" + bytes(beyond).hex() == THEMES["light"].page  # the picture is wider than the plane
    page.get_by_role("button", name="Relief", exact=True).click()
    expect(page.get_by_role("button", name="Relief", exact=True, pressed=True)).to_be_visible()
    assert page.evaluate("() => player.mountain.threads.length") == 3
    assert page.evaluate("() => player.looks.view") == "relief"


def test_a_finished_slice_takes_nothing_more():
    spec = Slice(Training("xor", n=20, layers=(2,), epochs=2), shape=(3, 3))
    assert ov.landscape(spec, keep=False).slice == spec
    for given, words in (({"shape": (9, 9)}, "shape"), ({"optimizers": {"adam": 0.1}, "seed": 1}, "optimizers, seed")):
        with pytest.raises(Refused, match=f"a Slice is complete, and {words} would"):
            ov.landscape(spec, **given)


def test_a_relief_has_a_way_back_and_a_label_that_tells_the_loss(paths, modules):
    page = modules("stage.css")
    data = pack(landscape_scene(paths, at=5, view="relief"), "en", {name: text.en for name, text in STAGE.items()})
    page.evaluate(OPEN, base64.b64encode(data).decode())
    box, readout = page.locator(".picture").bounding_box(), page.locator(".readout")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    expect(readout).to_contain_text("loss = ")
    page.mouse.wheel(0, 9000)
    expect(readout).to_be_hidden()  # it told of a place that is elsewhere now
    assert page.evaluate("() => player.camera.zoom") == 0.7  # never too small to be seen
    page.get_by_role("button", name="The whole relief again").click()
    assert page.evaluate("() => player.camera") == {"yaw": -60, "pitch": 40, "zoom": 1}
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=3)
    page.mouse.up()
    assert page.evaluate("() => player.camera.yaw") == -84
    page.mouse.dblclick(x, y)
    assert page.evaluate("() => player.camera.yaw") == -60
    expect(page.locator(".scale")).to_be_visible()


def test_trails_are_read_on_a_ground_that_is_seen():
    for theme, ground in GROUND.items():
        for colour in (ground.valley, ground.peak):
            assert min(contrast(colour, trail) for trail in COLOURS) >= 3 and contrast(ground.faint, colour) >= 4.5
            assert 1.4 < contrast(ground.isoline, colour) < 3
        low, high = (lab(linear(colour)) for colour in (ground.valley, ground.peak))
        usual = [lab(linear(colour)) for colour in (THEMES[theme].valley, THEMES[theme].peak)]
        assert np.linalg.norm(high - low) > 2 * np.linalg.norm(usual[1] - usual[0])


def test_a_height_is_where_its_band_is(paths):
    for loss in (np.geomspace(1e-4, 10, 15 * 21), np.linspace(1, 2, 15 * 21)):
        h = landscape_scene(replace(paths, loss=loss.reshape(15, 21))).heat
        np.testing.assert_allclose(h.warp(np.array([h.height(u) for u in range(19)])), range(19), atol=1e-9)


def test_a_training_that_goes_nowhere_is_told_so():
    with pytest.raises(Refused, match="moved no weight.*learning rate") as why:
        ov.landscape(Training("moons", n=40, layers=(4,), epochs=4, lr=0.0), shape=(5, 5), keep=False)
    assert "скорость обучения" in why.value.text.ru
    assert ov.landscape(Training("moons", n=40, layers=(4,), epochs=4, lr=0.0), shape=(5, 5), directions="random", keep=False).loss.shape == (5, 5)
