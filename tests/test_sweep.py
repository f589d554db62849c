"""Sweeps: a map over two settings, each cell of it the run or the training that it would be alone."""

import numpy as np
import pytest

import optviz as ov
from optviz import store
from optviz.backend import Numpy
from optviz.core import Refused
from optviz.descent import descend
from optviz.grid import axes, band
from optviz.heavy import compute
from optviz.outcome import belongs
from optviz.study import Study
from optviz.sweep import MOST_PRODUCTS, Line, Sweep, _sizes, seeds_of, settings, usual
from optviz.training import Training

RUN = ov.Run("six_hump_camel", "momentum", (1.0, 1.2), steps=120, lr=0.01)
NET = Training("circle", noise=0.2, n=40, layers=(3,), optimizer="adam", lr=0.03, loss="logistic", epochs=5)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTVIZ_CACHE", str(tmp_path / "kept"))


# --- of a run -----------------------------------------------------------------------------------------------------------------------------


def test_a_cell_is_the_descent_with_its_settings():
    found = ov.sweep(RUN, ("lr", (1e-3, 3.0, 6, "log")), ("momentum", [0.0, 0.5, 0.9, 0.99]), keep=False)
    assert found.loss.shape == found.steps.shape == (4, 6) and found.x[0] == 1e-3 and found.x[-1] == 3.0 and found.y == (0.0, 0.5, 0.9, 0.99)
    minima = np.array(RUN.surface.minima)
    depth = RUN.surface.value(*minima.T)
    assert 0 < found.diverged.mean() < 1 and 0 < np.isnan(found.steps).mean() < 1  # every fate is among them
    for i in range(4):
        for j in range(6):
            run = found.cell(i, j)
            assert (run.lr, run.momentum) == (found.x[j], found.y[i])
            trail = descend(run)
            left = trail.diverged_at is not None
            assert found.diverged[i, j] == left and found.loss[i, j] == (np.inf if left else pytest.approx(trail.loss[-1], rel=1e-12))
            above = np.flatnonzero(trail.loss > depth.min() + 1e-3)
            there = not left and not (above.size and above[-1] == 120)
            assert found.reached[i, j] == there
            assert found.steps[i, j] == above[-1] + 1 if there else np.isnan(found.steps[i, j])
            near = np.argmin(np.hypot(*(minima - trail.points[:, -1]).T))
            assert found.escaped[i, j] == (not left and np.isclose(depth[near], depth.min()))


def test_seeds_meet_the_same_noise_in_every_cell():
    found = ov.sweep(ov.Run("two_wells", "sgd", steps=60), ("lr", [0.02, 0.05]), ("noise", [0.0, 2.0, 6.0]), seeds=9, keep=False)
    assert found.sweep.draws == 9 and found.sweep.work == 2 * 3 * 9 * 60
    for i, j in ((1, 0), (2, 1)):
        many = descend(found.cell(i, j), noise=np.full(9, found.y[i]), member=np.arange(9))
        depth = many.loss[-1]
        there = np.array([descend(found.cell(i, j), member=k).loss[-1] for k in range(9)])
        np.testing.assert_allclose(depth, there)
        assert found.loss[i, j] == pytest.approx(np.median(depth)) and 0 <= found.reached[i, j] <= 1
        deep = np.array(found.sweep.base.surface.minima)
        nearest = [np.argmin(np.hypot(*(deep - p).T)) for p in many.points[:, -1].T]
        assert found.escaped[i, j] == np.mean(np.array(nearest) == 0)
    assert Sweep(RUN, "lr", "momentum", seeds=9).draws == 1  # without noise all seeds are one
    a, b = (ov.sweep(found.sweep.at(x=x, y=("noise", [2.0])), keep=False).loss for x in (("lr", [0.02]), ("lr", [0.01, 0.02])))
    assert a[0, 0] == b[0, 1]  # whoever stands beside it changes nothing


def test_starts_and_schedules_stand_on_axes():
    found = ov.sweep(RUN, ("start_x", (-1.0, 1.0, 3)), ("start_y", [0.5]), keep=False)
    assert found.loss[0] == pytest.approx([descend(RUN, start=(x, 0.5)).loss[-1] for x in (-1, 0, 1)])
    assert found.cell(0, 2).start == (1.0, 0.5)
    slow = ov.sweep(ov.Run("bowl", "sgd", steps=40, schedule="step", lr=0.1), "lr", ("schedule_step_size", (1, 1000, 40, "log")), keep=False)
    assert len(set(slow.y)) == len(slow.y) <= 40 and all(type(v) is int for v in slow.y)  # whole numbers, each once
    assert slow.loss[3, 20] == pytest.approx(descend(slow.cell(3, 20)).loss[-1])


def test_where_no_minimum_is_known_nobody_tells():
    found = ov.sweep(ov.Run(ov.surface("x + y"), "sgd", steps=5), ("lr", [0.1, 0.2]), ("noise", [0.0]), keep=False)
    assert np.isnan([found.steps, found.reached, found.escaped]).all() and np.isfinite(found.loss).all() and not found.diverged.any()


def test_what_ends_elsewhere_has_reached_nothing():
    own = ov.surface("x*sin(x) + y**2", ((-8, 10), (-5, 5)))  # at (11.09, 0), outside of the box, it is lower than anywhere within
    found = ov.sweep(ov.Run(own, "sgd", (9.0, 1.0), steps=200), ("start_x", [9.0, 4.0]), ("lr", [0.05]), keep=False)
    assert found.loss[0] == pytest.approx([-11.04, -4.81], abs=0.01)
    assert found.reached.tolist() == found.escaped.tolist() == [[0, 1]] and np.isnan(found.steps[0, 0]) and found.steps[0, 1] > 0
    place = np.array([[4.5], [0.0]])  # in the box, but on the way down to (4.91, 0), not to (0, 0)
    assert [belongs(own, place, own.value(*place), np.array([k]), 1e-3).item() for k in (1, 2)] == [True, False]
    assert ov.basin(own, "sgd", shape=(2, 19), lr=0.05, keep=False).minimum[:, -2].tolist() == [-1, -1]  # from x = 9, too


def test_a_finished_sweep_takes_nothing_more():
    spec = Sweep(RUN, ("lr", [0.1]), ("momentum", [0.5]), tolerance=0.1)
    assert ov.sweep(spec, keep=False).sweep == spec
    for given, words in (({"x": ("lr", [0.5])}, "x"), ({"y": "noise", "seeds": 9}, "y, seeds"), ({"tolerance": 1e-3}, "tolerance")):
        with pytest.raises(Refused, match=f"a Sweep is complete, and {words} would") as why:
            ov.sweep(spec, **given)
        assert "новому Sweep" in why.value.text.ru


def test_processes_and_blocks_change_nothing():
    spec = Sweep(ov.Run("two_wells", "adam", steps=30, noise=1.0), ("lr", (1e-2, 1.0, 9, "log")), ("beta1", (0.0, 0.99, 7)), 3)
    alone, shared = compute(spec, processes=1, keep=False), compute(spec, processes=2, keep=False)
    parts = []
    compute(spec, processes=1, keep=False, progress=lambda *words: parts.append(words))
    for name, a in alone.arrays.items():
        np.testing.assert_array_equal(a, shared.arrays[name])
        np.testing.assert_array_equal(a.ravel()[10:14], spec.piece(10, 14, Numpy())[name])
    assert parts[-1][:2] == (63, 63)


# --- of a training ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "y"), [(("l2", (1e-3, 1.0, 3, "log")), ("lr", [0.01, 3.0])), (("width", [2, 5]), ("lambda", [0.0, 0.1])),
                                      (("lr", [0.01, 0.1]), ("batch", [1, 8])), (("beta1", [0.0, 0.9]), ("penalty", ["l1", "none"])),
                                      (("n", [20, 40]), ("depth", (0, 2, 3)))], ids=str)
def test_a_cell_is_the_training_with_its_settings(x, y):
    found = ov.sweep(NET, x, y, keep=False)
    assert found.accuracy_val.shape == found.sweep.shape == (len(y[1]) if isinstance(y[1], list) else 3, len(x[1]) if isinstance(x[1], list) else 3)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        alone = ov.train(found.cell(i, j).training)
        for name in ("accuracy_train", "accuracy_val", "loss_train", "loss_val"):
            assert found[name][i, j] == pytest.approx(getattr(alone, name)[-1], rel=1e-9), name
        assert found.diverged[i, j] == (alone.diverged_at is not None)
    rows, columns = found.sweep.shape
    assert len({found.cell(i, j).training for i in range(rows) for j in range(columns)}) == rows * columns


def test_seeds_of_a_training_are_its_own_and_those_after_it():
    spec = Sweep(Study(NET).at(seed=7), ("lr", [0.01, 0.3]), ("l2", [0.0, 0.1]), 3)
    found = ov.sweep(spec, keep=False)
    alone = [ov.train(NET, lr=0.3, l2=0.1, seed=seed).loss_val[-1] for seed in (7, 8, 9)]
    assert found.loss_val[1, 1] == pytest.approx(np.mean(alone)) and np.std(alone) > 0
    one = ov.sweep(spec.at(seeds=1), keep=False)
    assert one.loss_val[1, 1] == pytest.approx(alone[0]) != np.mean(alone)


def test_who_diverged_has_no_part_in_the_mean():
    net = Training("circle", n=40, layers=(8,), activation="relu", epochs=30, optimizer="sgd", noise=0.1)
    found = ov.sweep(net, ("lr", (0.01, 10, 9, "log")), ("l2", [0.0]), seeds=4, keep=False)
    assert {0.0, 1.0} < set(found.diverged.ravel())  # some cells in part
    for k, lr in enumerate(found.x):
        ends = [h for h in (ov.train(net, lr=lr, l2=0.0, seed=seed) for seed in range(4)) if h.diverged_at is None]
        assert found.diverged[0, k] == 1 - len(ends) / 4
        enough = len(ends) > 2
        assert found.accuracy_val[0, k] == pytest.approx(np.mean([h.accuracy_val[-1] for h in ends]) if enough else np.nan, nan_ok=True)
        assert found.loss_val[0, k] == pytest.approx(np.mean([h.loss_val[-1] for h in ends]) if enough else np.inf)


def test_networks_that_leave_the_numbers_are_counted():
    found = ov.sweep(Training("plane", n=40, layers=(3,), epochs=60), ("lr", [0.01, 1e6]), ("l2", [0.0, 0.1]), keep=False)
    assert found.diverged[:, 1].all() and not found.diverged[:, 0].any() and np.isfinite(found.loss_val[:, 0]).all()
    assert np.isposinf(found.loss_val[:, 1]).all() and np.isposinf(found.loss_train[:, 1]).all()  # not what it had before it began
    assert "accuracy_val" not in found.arrays and band([Study("plane", layers=(2,), n=20, epochs=1)], [1]).diverged.shape == (1, 1)
    with pytest.raises(AttributeError):
        _ = found.accuracy_val


def test_blocks_of_networks_end_where_the_whole_does():
    spec = Sweep(NET, ("width", [2, 3, 4]), ("lr", (0.01, 0.1, 3)), 2)
    whole = ov.sweep(spec, keep=False)
    machine = Numpy()
    for k in range(9):
        part = spec.piece(k, k + 1, machine)
        assert part["loss_val"][0] == pytest.approx(whole.loss_val.ravel()[k], rel=1e-9)


# --- the spec -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [
    Sweep(RUN), Sweep(RUN, ("lr", [0.1, 0.2, 0.4]), ("start_x", (-1, 1, 5)), 4, 0.1), Sweep(ov.Run(ov.surface("x**2 + y**4"), "sgd", noise=1.0), seeds=3),
    Sweep(NET), Sweep(NET, ("width", (1, 20, 9)), ("penalty", ["none", "l1"]), 2), Sweep(Study(NET), ("patience", [None, 3]), ("label_noise", (0.0, 0.5, 6))),
], ids=str)
def test_a_spec_survives_its_url(spec):
    again = Sweep.from_query(spec.to_query())
    assert again == spec and hash(again) == hash(spec) and again.spec() == spec.spec() and again.at() == spec


@pytest.mark.parametrize("query", ["x=lr,0.1,nonsense", "x=lr,log,0,1,9", "x=steps,1,2", "x=optimizer", "y=lr&x=lr", "seeds=1e9", "x=surface_b,1", "x=lr,even,1,2,9e9",
                                   "tolerance=-1", "x=lr,even,1,2"])
@pytest.mark.parametrize("base", ["surface=ravine&optimizer=adam&lr=0.1", "data=circle&lr=0.1"])
def test_a_hostile_url_falls_back_and_says_why(base, query):
    notes = []
    s = Sweep.from_query(f"{base}&{query}", notes)
    assert notes and s.base["lr"] == 0.1 and all(text.ru for text in notes)
    with pytest.raises(Refused):
        Sweep.from_query(f"{base}&{query}")


@pytest.mark.parametrize(("axes", "shape"), [("x=lambda,log,1e-05,1.0,40&y=lr,log,0.001,1.0,40&seeds=8", (16, 16)),
                                            ("x=width,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,64&y=lr,log,0.001,1.0,400", (8, 8)),
                                            ("x=lambda,log,1e-05,1.0,8&y=lr,log,0.001,1.0,9&seeds=20", (9, 8)),
                                            ("y=lr,log,0.001,1.0,9&seeds=2", (9, 33)), ("y=lr,log,0.001,1.0,200&seeds=9&n=2000", (4, 4))])
def test_a_map_too_large_for_its_link_keeps_its_networks(axes, shape):
    notes, own = [], "data=circle&layers=16,16&optimizer=adam&loss=logistic&epochs=300&lr=0.03"
    spec = Sweep.from_query(f"{own}&{axes}", notes)
    assert (spec.base["layers"], spec.base["optimizer"], spec.shape, spec.seeds) == ((16, 16), "adam", shape, 1)
    assert (spec.y.values[0], spec.y.values[-1]) == (0.001, 1.0)
    assert len(notes) == 2 and "the limit" in notes[0].en and "shown instead" in notes[1].en and "показано" in notes[1].ru
    notes.clear()
    assert Sweep.from_query("data=spiral&layers=64,64,64&n=1000&epochs=10000&x=lambda,0.1&y=lr,0.1", notes).base["layers"] != (64, 64, 64)
    assert "by default" in notes[-1].en and "по умолчанию" in notes[-1].ru


@pytest.mark.parametrize("n", [[10, 2000], [2000, 10]])
@pytest.mark.parametrize("batch", [[None, 1], [1, None]])
def test_a_map_costs_what_its_cells_cost(n, batch):
    spec = Sweep(Study("moons", layers=(4,), epochs=2), ("n", n), ("batch", batch))
    assert sorted(zip(*map(list, (_sizes(spec).n, _sizes(spec).batch)), strict=True)) == [(10, 1), (10, 10), (2000, 1), (2000, 2000)]
    assert spec.work == pytest.approx(Sweep(Study("moons", layers=(4,), epochs=2), ("n", [10, 2000]), ("batch", [1, None])).work, rel=0.01)


@pytest.mark.parametrize(("wrong", "en", "ru"), [
    ({"x": "surface_b"}, "a map for each value", "по карте на каждое"), ({"x": "steps"}, "one for the whole map", "одно на всю карту"),
    ({"x": "seed"}, "one for the whole map", "одно на всю карту"), ({"x": "form"}, "unknown name", "неизвестное имя"),
    ({"x": "lr", "y": "lr"}, "choose two settings", "две настройки"), ({"x": 7}, "a setting and its values", "настройка и её значения"),
    ({"x": ("lr", (0.0, 1.0, 9, "log"))}, "above 0", "больше 0"), ({"x": ("lr", (0.1, 0.2, 0.3))}, "count", "count"), ({"x": ("lr", [])}, "values", "значений"),
    ({"x": ("lr", "fast")}, "values", "значений"), ({"x": ("lr", [[0.1, 0.2]])}, "values", "значений"), ({"x": ("momentum", [2.0])}, "momentum", "momentum"), ({"x": ("clip_norm", [None])}, "clip_norm", "clip_norm"),
    ({"seeds": 0}, "seeds", "seeds"), ({"x": ("lr", (1e-3, 1, 1024)), "y": ("noise", (0, 1, 1024)), "seeds": 256}, "the limit", "предел"),
])
def test_what_no_map_can_have_is_refused_in_a_sentence(wrong, en, ru):
    with pytest.raises(Refused) as why:
        Sweep(ov.Run("ravine", "momentum"), **{"y": "noise", **wrong})
    assert en in why.value.text.en and ru in why.value.text.ru


def test_a_map_of_networks_has_a_limit():
    large = Study("spiral", layers=(64, 64), epochs=1000, n=1000)
    with pytest.raises(Refused, match="2e\\+10 is the limit") as why:
        Sweep(large, "lambda", "lr")
    assert "предел" in why.value.text.ru
    few = Sweep(large.at(epochs=10), ("lambda", [0.0, 0.1]), ("lr", [0.1]))
    assert 0 < few.work < MOST_PRODUCTS and few.size(Numpy()) == 2
    with pytest.raises(Refused, match="one for the whole map"):
        Sweep(NET, "epochs")
    with pytest.raises(Refused, match="1797"):
        Sweep(Training("digits", n=100), ("n", [100, 4000]))
    assert Sweep(NET, ("lr", [0.1]), ("l2", [0.1]), seeds_of(Study(NET)).high).seeds == 50
    with pytest.raises(Refused, match=r"seeds=51 .*\[1, 50\]"):
        Sweep(NET, seeds=51)
    notes = []
    assert Sweep.from_query("data=circle&lr=0.1&x=lr,0.1&y=l2,0.1&seeds=64", notes).seeds == 1 and len(notes) == 1
    with pytest.raises(Refused, match="a Run, a Training"):
        ov.sweep("rosenbrock")


@pytest.mark.parametrize("base", [RUN, Study(NET), Study(Training("plane", n=20, layers=(2,), epochs=1))], ids=["run", "network", "values"])
def test_whatever_may_stand_on_an_axis_can(base):
    for key, p in settings(base).items():
        if key in ("label_smoothing", "label_noise") and isinstance(base, Study) and base["data"].kind == "values":
            continue
        spec = Sweep(base, (key, list(usual(key, p))[:2]), ("lr", [0.01]) if key != "lr" else ("noise", [0.0]))
        assert spec.shape == (1, 2) and spec.cell(0, 0) != spec.cell(0, 1), key
    assert set(axes) <= set(settings(Study(NET)))


def test_a_map_is_kept_and_another_is_not_taken_for_it(monkeypatch):
    first = ov.sweep(NET, ("lr", [0.1, 0.2]), ("l2", [0.0]))
    own = ov.dataset(np.arange(20.0).reshape(10, 2), [0, 1] * 5)
    other = ov.dataset(np.arange(20.0).reshape(10, 2) + 1, [0, 1] * 5)
    a, b = (Sweep(Study(Training(data, layers=(2,), epochs=1)), ("lr", [0.1]), ("l2", [0.0])) for data in (own, other))
    assert a.spec() != b.spec()  # data that no query carries
    monkeypatch.setattr(Sweep, "piece", None)  # whoever computes now fails
    again = ov.sweep(NET, ("lr", [0.1, 0.2]), ("l2", [0.0]))
    assert again.where.kept and not first.where.kept and np.array_equal(again.loss_val, first.loss_val)
    assert len(list(store.folder().glob("*.npz"))) == 1
    with pytest.raises(TypeError):
        ov.sweep(NET, ("lr", [0.1, 0.3]), ("l2", [0.0]))


def test_an_axis_says_how_it_is_spaced():
    s = Sweep(RUN, ("lr", (1e-3, 1, 4, "log")), ("momentum", (0, 0.9, 4)))
    assert s.x == Line("lr", (0.001, 0.01, 0.1, 1.0), (0.001, 1.0, 4, "log")) and s.y.values == (0, 0.3, 0.6, 0.9)
    assert "x=lr,log,0.001,1.0,4" in s.to_query() and s.y.span == (0.0, 0.9, 4, "even")
    assert Sweep(RUN, ("lr", [0.1, 0.1, 0.2]), "momentum").x == Line("lr", (0.1, 0.2))
