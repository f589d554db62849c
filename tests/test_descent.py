"""Runs and what comes of them: shapes, noise, clipping, divergence, queries, and everything that must be refused."""

import dataclasses
import math
import pathlib
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optviz as ov
from optviz import descent
from optviz.oracle import Disturbance, Oracle, gaussian, threefry
from optviz.run import COMMON, settings_of

HERE = pathlib.Path(__file__).parent


def test_shapes_of_a_single_run():
    t = ov.descend("rosenbrock", "adam", start=(-1.5, 2.0), steps=300, lr=0.01, beta1=0.9, schedule="cosine", noise=0.0, clip_norm=None,
                   clip_value=None, seed=0)
    assert t.points.shape == (2, 301) and t.points.dtype == np.float64
    assert t.loss.shape == (301,) and t.gradients.shape == (2, 300) and t.lr.shape == (300,)
    assert t.state["m"].shape == t.state["v"].shape == (2, 300) and t.diverged_at is None
    np.testing.assert_array_equal(t.loss, ov.surfaces["rosenbrock"].value(*t.points))
    np.testing.assert_allclose(t.gradients, ov.surfaces["rosenbrock"].gradient(*t.points[:, :-1]), rtol=1e-12)
    np.testing.assert_allclose(t.lr, ov.schedules["cosine"].rates(300, 0.01))


def test_shapes_of_a_batch():
    lr = np.geomspace(1e-4, 1e-2, 5)
    t = ov.descend("beale", "nadam", start=(np.linspace(-1, 1, 3)[:, None], 0.5), steps=20, lr=lr)
    assert t.points.shape == (2, 21, 3, 5) and t.loss.shape == (21, 3, 5) and t.gradients.shape == (2, 20, 3, 5) and t.lr.shape == (20, 3, 5)
    assert t.state["m"].shape == (2, 20, 3, 5) and t.state["mu_product"].shape == (20, 3, 5)
    assert t.diverged_at.shape == (3, 5) and t.diverged_at.dtype.kind == "i" and (t.diverged_at == -1).all()
    one = ov.descend("beale", "nadam", start=(0.0, 0.5), steps=20, lr=lr[2])
    np.testing.assert_allclose(t.points[:, :, 1, 2], one.points, rtol=1e-12)
    many = ov.descend("bowl", "lookahead", steps=12, lr=0.1, k=np.array([2, 5]), beta1=np.array([0.8, 0.9]))
    np.testing.assert_allclose(many.points[..., 1], ov.descend("bowl", "lookahead", steps=12, lr=0.1, k=5, beta1=0.9).points, rtol=1e-12)
    assert ov.descend("bowl", "bfgs", steps=5, start=(np.ones(3), 1.0)).state["b"].shape == (2, 2, 5, 3)
    assert ov.descend("bowl", "lbfgs", steps=5, history_size=4).state["past_s"].shape == (4, 2, 5)
    assert ov.descend("bowl", "sgd", start=(np.ones(0), np.ones(0)), steps=3).points.shape == (2, 4, 0)
    assert ov.descend("bowl", "bfgs", lr=np.ones(0), steps=3).state["b"].shape == (2, 2, 3, 0)


@pytest.mark.parametrize("key", ov.optimizers)
def test_every_setting_may_vary_over_a_batch(key):
    """An array of any number that the optimizer takes equals the single runs, member by member."""
    for name, p in {**ov.optimizers[key].params, **COMMON}.items():
        if hasattr(p, "choices") or p.one or name == "f_star":
            continue
        low = p.low if p.default is None else p.default
        values = low + np.arange(3.0) if p.whole else np.clip([low, low * 0.9 + 1e-3, low * 0.8 + 2e-3], p.low, p.high)
        given = {"start": (0.9, 0.7), "steps": 6, "lr": 0.01}
        batches = {machine: ov.descend("himmelblau", key, **{**given, name: values}, backend=machine) for machine in ("numpy", "torch")}
        for k, value in enumerate(values[:1] if name in ("noise", "noise_relative") else values):  # each member has its own noise
            single = ov.descend("himmelblau", key, **{**given, name: float(value)})
            for machine, batch in batches.items():
                np.testing.assert_allclose(batch.points[..., k], single.points, rtol=1e-8, atol=1e-8, err_msg=f"{name} {machine}")


@pytest.mark.parametrize("key", ["adam", "bfgs"])
def test_record_end_is_the_last_of_all(key):
    starts = np.random.default_rng(0).uniform(-1, 1, (2, 40))
    every, end = (ov.descend("beale", key, start=starts, steps=30, lr=0.01, noise=0.1, record=r) for r in ("all", "end"))
    assert end.points.shape == (2, 1, 40) and end.loss.shape == (1, 40)
    np.testing.assert_array_equal(end.points[:, 0], every.points[:, -1])
    np.testing.assert_array_equal(end.loss[0], every.loss[-1])
    for name, value in every.state.items():
        np.testing.assert_array_equal(end.state[name][..., 0, :], value[..., -1, :])


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize("key", ["adam", "bfgs"])
def test_a_thinned_record_is_every_so_many_steps_and_the_last(key, schedule):
    many = np.random.default_rng(0).uniform(-1, 1, (2, 5))
    for start, lr in ((many, 0.01), (many, np.array([1e150, 0.01, 1e3, 0.1, 1.0])), (many[:, :2], 1e150), ((0.5, 0.7), 0.01), ((0.5, 0.7), 1e150)):
        given = {"start": start, "steps": 30, "lr": lr, "noise": 0.1, "schedule": schedule}
        whole = ov.descend("beale", key, **given)
        for every in (1, 4, 7, 29, 30, 31, 10**6):
            kept = np.array([t for t in range(1, 31) if t % every == 0 or t == 30])
            np.testing.assert_array_equal(descent.kept_steps(30, every), kept)
            thin = ov.descend("beale", key, **given, record=every)
            np.testing.assert_array_equal(thin.points, whole.points[:, [0, *kept]])
            np.testing.assert_array_equal(thin.loss, whole.loss[[0, *kept]])
            np.testing.assert_array_equal(thin.gradients, whole.gradients[:, kept - 1])
            np.testing.assert_allclose(thin.lr, whole.lr[kept - 1], rtol=1e-15)
            np.testing.assert_array_equal(thin.diverged_at, whole.diverged_at)
            for name, value in whole.state.items():
                np.testing.assert_array_equal(thin.state[name], np.take(value, kept - 1, axis=value.ndim - np.ndim(whole.diverged_at if np.ndim(start[0]) else 0) - 1))


@pytest.mark.parametrize("key", ov.optimizers)
def test_every_step_asks_as_often_as_is_said(key):
    """Counted anew on a real surface, in each of several steps."""
    o, s, seen = ov.optimizers[key], ov.surfaces["beale"], []

    def counting(f, of):
        def call(x):
            seen.append(of)
            return np.array(f(*x))
        return call
    oracle = Oracle(counting(s.gradient, 0), counting(s.value, 1), counting(s.hessian, 2), Disturbance(), np)
    h = o.settings({"lr": 0.01})
    x, expected = np.array([0.5, 0.7]), descent.asked(o, {"lr": 0.01})
    state = tuple(o.init(x, h, np))
    for t in range(1, 6):
        seen.clear()
        x, state = o.step(oracle, x, state, h, t, np)
        assert (seen.count(0), seen.count(1), seen.count(2)) == expected
    assert expected.gradients == {"sam": 2, "conjugate_gradient": 2}.get(key, 1)
    assert bool(expected.hessians) == (key in ("newton", "saddle_free_newton"))
    assert bool(expected.values) == (key in ("polyak", "linesearch", "conjugate_gradient", "newton", "bfgs"))


def test_blocks_change_nothing(monkeypatch):
    starts = np.random.default_rng(0).uniform(-1, 1, (2, 50))
    given = {"start": starts, "steps": 25, "lr": np.geomspace(1e-3, 3.0, 50), "noise": 0.2, "noise_relative": 0.1, "seed": 5, "schedule": "plateau"}
    for key in ("adam", "lbfgs"):
        whole = ov.descend("rosenbrock", key, **given)
        monkeypatch.setattr(descent, "BLOCK", 7)
        parts = ov.descend("rosenbrock", key, **given)
        monkeypatch.undo()
        for name in ("points", "loss", "gradients", "lr", "diverged_at"):
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)


# --- noise --------------------------------------------------------------------------------------------------------------------------------


def test_threefry_gives_the_published_numbers():
    """Known answers of the paper's own test suite."""
    for key, counter, answer in [((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)), ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
                                 ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0))]:
        assert tuple(int(v) for v in threefry(key, counter)) == answer


def test_noise_is_standard_normal_and_independent():
    z = gaussian(3, 0, np.arange(400)[:, None], np.arange(500)).reshape(2, -1)
    n = z.shape[1]
    assert abs(z.mean(axis=1)).max() < 4 / math.sqrt(n) and abs(z.var(axis=1) - 1).max() < 4 * math.sqrt(2 / n)
    assert abs(np.corrcoef(z)[0, 1]) < 4 / math.sqrt(n) and abs((z**4).mean() - 3) < 0.1
    grid = z[0].reshape(400, 500)
    assert abs((grid[:, 1:] * grid[:, :-1]).mean()) < 4 / math.sqrt(n) and abs((grid[1:] * grid[:-1]).mean()) < 4 / math.sqrt(n)
    for other in (gaussian(4, 0, 0, np.arange(50)), gaussian(3, 1, 0, np.arange(50)), gaussian(3, 0, 1, np.arange(50))):
        assert abs(other - gaussian(3, 0, 0, np.arange(50))).min() > 0


def test_noise_enters_the_gradient():
    s = ov.surfaces["bowl"]
    t = ov.descend(s, "sgd", start=(1.5, -1.0), steps=50, lr=0.01, noise=0.3, noise_relative=0.2, seed=11)
    steps = np.arange(1, 51)
    clean = np.array(s.gradient(*t.points[:, :-1]))
    np.testing.assert_allclose(t.gradients, clean * (1 + 0.2 * gaussian(11, 1, 0, steps)) + 0.3 * gaussian(11, 0, 0, steps), rtol=1e-12)
    np.testing.assert_allclose(np.diff(t.points), -0.01 * t.gradients, atol=1e-15)


def test_each_member_has_its_own_noise_and_a_single_run_is_member_0():
    batch = ov.descend("bowl", "adam", start=(np.full(4, 1.5), 1.0), steps=30, lr=0.1, noise=0.5, seed=2)
    assert len({tuple(p) for p in batch.points[:, -1].T}) == 4
    np.testing.assert_allclose(ov.descend("bowl", "adam", start=(1.5, 1.0), steps=30, lr=0.1, noise=0.5, seed=2).points, batch.points[..., 0], rtol=1e-12)
    longer = ov.descend("bowl", "adam", start=(np.full(9, 1.5), 1.0), steps=60, lr=0.1, noise=0.5, seed=2)
    np.testing.assert_array_equal(longer.points[:, :31, :4], batch.points)
    assert (ov.descend("bowl", "adam", steps=30, noise=0.5, seed=3).points != batch.points[..., 0]).any()


def test_one_step_meets_one_mini_batch():
    """SAM asks twice in a step; both answers carry the same noise."""
    s = ov.surface("3*x + 4*y")
    t = ov.descend(s, "sam", start=(1.0, 1.0), steps=10, lr=0.1, noise=0.3)
    np.testing.assert_allclose(np.diff(t.points), -0.1 * t.gradients, atol=1e-14)


def test_noise_frees_some_runs_from_a_bad_minimum():
    """Escape from the shallow well of two: nobody without noise, more with more (row 9)."""
    start = (np.full(200, 0.905), np.zeros(200))
    left = [(ov.descend("two_wells", "sgd", start=start, steps=400, lr=0.05, noise=sigma, record="end").points[0, -1] < 0).mean() for sigma in (0, 3, 4)]
    assert left[0] == 0 and left[0] < left[1] < left[2]


# --- clipping -------------------------------------------------------------------------------------------------------------------------------


def test_clipping_by_norm_and_value():
    s = ov.surfaces["ravine"]
    for extra, clip in [({"clip_norm": 2.0}, lambda g: g * np.minimum(1, 2.0 / np.hypot(*g))), ({"clip_value": 0.7}, lambda g: np.clip(g, -0.7, 0.7))]:
        t = ov.descend(s, "sgd", start=(2.0, 0.5), steps=60, lr=0.05, **extra)
        g = np.array(s.gradient(*t.points[:, :-1]))
        np.testing.assert_allclose(t.gradients, clip(g), rtol=1e-12)
        clipped = (t.gradients != g).any(axis=0)
        assert clipped[0] and not clipped[-1]


def test_how_far_a_clipped_step_goes():
    """Plain SGD at most αθ by norm and √2 αθ by value; momentum .9 up to ten times that; unclipped it is thrown off the cliff (row 10)."""
    start, alpha, theta = (1.0, 1.0), 0.3, 0.5

    def reach(key="sgd", **h):
        return np.hypot(*np.diff(ov.descend("cliff", key, start=start, steps=80, lr=alpha, **h).points)).max()
    assert reach() > 5
    assert reach(clip_norm=theta) <= alpha * theta * (1 + 1e-12)
    assert alpha * theta < reach(clip_value=theta) <= math.sqrt(2) * alpha * theta * (1 + 1e-12)
    slope = ov.surface("100*x + 100*y")
    ten = np.hypot(*np.diff(ov.descend(slope, "momentum", steps=200, lr=alpha, clip_norm=theta).points)).max()
    assert 9.9 * alpha * theta < ten <= 10 * alpha * theta


# --- divergence ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ov.optimizers)
@pytest.mark.parametrize("surface", ["rosenbrock", "six_hump_camel", "saddle", "cliff"])
def test_a_diverging_run_is_frozen_and_nothing_warns(key, surface):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rates = np.array([1e-4, 1e3, 1e150, 1e-4])
        batch = ov.descend(surface, key, start=(np.full(4, 1.1), 0.7), steps=60, lr=rates)
        single = ov.descend(surface, key, start=(1.1, 0.7), steps=60, lr=1e150)
    for t in (batch, single):
        for a in (t.points, t.loss, t.gradients, t.lr, *t.state.values()):
            assert np.isfinite(a).all()
    np.testing.assert_array_equal(batch.points[..., 0], batch.points[..., 3])
    np.testing.assert_allclose(batch.points[..., 0], ov.descend(surface, key, start=(1.1, 0.7), steps=60, lr=1e-4).points, rtol=1e-9)
    for k, at in enumerate(batch.diverged_at):
        if at >= 0:
            assert (batch.points[:, at - 1:, k].T == batch.points[:, at - 1, k]).all() and (batch.gradients[:, at:, k] == 0).all()
            assert (batch.loss[at - 1:, k] == batch.loss[at - 1, k]).all()
    if key == "sgd":
        assert batch.diverged_at.tolist()[::3] == [-1, -1] and batch.diverged_at[2] >= 1 and single.diverged_at == batch.diverged_at[2]


def test_where_a_run_diverges():
    """x <- -3x on x² from 1: 3^k leaves the floats when its square does, at 3^(2k) > 1.8e308."""
    t = ov.descend("bowl", "sgd", start=(1.0, 0.0), steps=500, lr=2.0)
    assert t.diverged_at == math.floor(math.log(1.797e308) / (2 * math.log(3))) + 1
    assert abs(t.points[0, -1]) == pytest.approx(3.0 ** (t.diverged_at - 1))
    batch = ov.descend("bowl", "sgd", start=(np.array([1.0, 0.1]), 0.0), steps=500, lr=2.0)
    assert batch.diverged_at[0] == t.diverged_at < batch.diverged_at[1]
    assert ov.descend("bowl", "sgd", start=(1.0, 0.0), steps=500, lr=2.0, record="end").diverged_at == t.diverged_at
    last = batch.diverged_at.max()
    assert (batch.points[:, last:] == batch.points[:, last - 1:last]).all() and (batch.gradients[:, last:] == 0).all() and (batch.lr == 2).all()


def test_a_state_that_overflows_is_a_divergence():
    """Adam's v overflows long before x does; without freezing it would stand still in silence."""
    t = ov.descend(ov.surface("1e200*x"), "adam", start=(1.0, 1.0), steps=5, lr=0.1)
    assert t.diverged_at == 1 and (t.state["v"] == 0).all()


def test_the_rate_goes_on_by_its_schedule_whoever_else_diverged():
    kw = {"start": (1.0, 1.0), "steps": 6, "schedule": "cosine"}
    alone = ov.descend("bowl", "sgd", lr=1e200, **kw)
    for lr in ([1e200], [1e200, 1e200], [1e200, 0.1]):
        np.testing.assert_allclose(ov.descend("bowl", "sgd", lr=lr, **kw).lr[:, 0], alone.lr, rtol=1e-12)


def test_single_precision_holds_what_it_can():
    for huge in ({"start": (1e39, 1.0), "lr": 0.1}, {"start": (1e30, 1.0), "lr": 0.1}, {"start": (1.0, 1.0), "lr": np.array([1e39, 0.1])}):
        for key in ("sgd", "adamw", "bfgs", "rprop"):
            t = ov.descend("bowl", key, steps=3, backend="torch", dtype="float32", **huge)
            for a in (t.points, t.gradients, t.lr, *t.state.values()):
                assert np.isfinite(a).all(), (key, huge)


def test_a_gradient_or_a_rate_that_overflows_is_a_divergence():
    steep = ov.surface("1e308*sin(10*x)")
    for t in (ov.descend(steep, "signsgd", start=(0.0, 0.0), steps=3, lr=0.1), ov.descend(steep, "signsgd", start=(np.zeros(2), 0.0), steps=3, lr=0.1)):
        assert np.all(t.diverged_at == 1) and np.isfinite(t.gradients).all()
    wild = ov.descend("bowl", "sgd", schedule="exponential", schedule_gamma=10.0, steps=400, lr=0.01)
    assert wild.diverged_at is not None and np.isfinite(wild.lr).all()


def test_a_start_where_the_surface_is_not_finite():
    s = ov.surface("log(x) + y^2")
    with pytest.raises(ValueError, match="start.*not finite"):
        ov.descend(s, "sgd", start=(-1.0, 1.0))
    t = ov.descend(s, "adam", start=(np.array([-1.0, 1.0]), 1.0), steps=5, lr=0.01)
    assert t.diverged_at.tolist() == [0, -1] and np.isfinite(t.points).all() and np.isinf(t.loss[:, 0]).all() and np.isfinite(t.loss[:, 1]).all()
    assert (t.points[:, :, 0].T == (-1, 1)).all() and (t.gradients[:, :, 0] == 0).all()


# --- runs and queries ------------------------------------------------------------------------------------------------------------------------


def test_a_run_is_a_value():
    run = ov.Run("rosenbrock", "adam", start=(-1.5, 2.0), steps=50, lr=0.02, beta1=0.8, schedule="cosine", noise=0.1, seed=3)
    assert run == ov.Run("rosenbrock", "adam", start=(-1.5, 2), steps=50, lr=0.02, beta1=0.8, schedule="cosine", noise=0.1, seed=3)
    assert len({run, ov.Run.from_query(run.to_query()), ov.Run()}) == 2
    assert run["beta1"] == 0.8 and run["beta2"] == 0.999 and run.surface is ov.surfaces["rosenbrock"]
    with pytest.raises(AttributeError):
        run.steps = 3
    np.testing.assert_array_equal(ov.descend(run).points, ov.descend("rosenbrock", "adam", start=(-1.5, 2.0), steps=50, lr=0.02, beta1=0.8,
                                                                      schedule="cosine", noise=0.1, seed=3).points)
    assert ov.descend(run, steps=5, lr=0.1).lr.tolist() == ov.schedules["cosine"].rates(5, 0.1).tolist()
    steep = ov.surfaces["ravine"].at(b=50)
    assert ov.Run("ravine", surface_b=50).surface == steep == ov.Run(steep).surface
    given = {"start": (1.0, 1.0), "steps": 3, "lr": 1e-3}
    for way in (ov.Run("ravine", "sgd", **given, surface_b=50), ov.Run(steep, "sgd", **given)):
        assert ov.descend(way).loss[0] == ov.descend(steep, "sgd", **given).loss[0] == ov.descend("ravine", "sgd", **given, surface_b=50).loss[0] == 51
        assert ov.descend(ov.Run.from_query(way.to_query()), backend="torch").loss[0] == 51
    assert run.lr == 0.02 and run.beta1 == 0.8 and pickle.loads(pickle.dumps(run)) == run
    assert not hasattr(run, "gamma")
    other = ov.descend(run, "sgd", schedule="step")
    np.testing.assert_array_equal(other.lr, ov.schedules["step"].rates(50, 0.02))
    assert ov.descend(ov.Run("bowl", "nesterov", steps=2), "nadam").lr.tolist() == [1e-3] * 2
    np.testing.assert_array_equal(ov.descend(run, ov.optimizers["adam"]).points, ov.descend(run).points)
    stepped = ov.Run("bowl", "sgd", steps=20, schedule="step", schedule_gamma=0.5)
    np.testing.assert_array_equal(ov.descend(stepped, schedule="exponential").lr, ov.schedules["exponential"].rates(20, 1e-3))
    np.testing.assert_array_equal(ov.descend(stepped, "adam").lr, ov.schedules["step"].rates(20, 1e-3, gamma=0.5))
    mine = dataclasses.replace(ov.optimizers["sgd"], key="adam")
    with pytest.raises(ValueError, match="registered"):
        ov.Run("bowl", mine)
    assert ov.Run(ov.surface("x^2 + y^2")) == ov.Run(ov.surface("x^2+y^2".replace("+", " + ")))
    with pytest.raises(ValueError, match="lr=.*one number"):
        ov.Run(lr=np.ones(3))


def runs():
    """Any run that can be: every surface, optimizer and schedule, with settings drawn from their ranges."""
    def of(surface, optimizer, schedule, start, steps, draw):
        s = ov.surface(surface) if surface not in ov.surfaces else ov.surfaces[surface]
        table = settings_of(s, ov.optimizers[optimizer], ov.schedules[schedule])
        values = {}
        for name, p in table.items():
            if draw.draw(st.booleans()):
                values[name] = draw.draw(st.sampled_from(p.choices) if hasattr(p, "choices") else
                                         st.integers(max(1, int(p.low)), int(p.high)) if p.whole else
                                         st.floats(p.low, p.high).filter(p.allowed.holds))
        return ov.Run(s, optimizer, start, steps, schedule, **values)
    numbers = st.floats(-1e6, 1e6)
    return st.builds(of, st.sampled_from([*ov.surfaces, "x^2 + 3*sin(y)", "x/y + 1e-3", "max(x, y)"]), st.sampled_from(list(ov.optimizers)),
                     st.sampled_from(list(ov.schedules)), st.tuples(numbers, numbers), st.integers(1, 10**6), st.data())


@settings(max_examples=100, deadline=None)
@given(runs())
def test_query_round_trip(run):
    assert ov.Run.from_query(run.to_query()) == run
    assert hash(ov.Run.from_query("?" + run.to_query())) == hash(run)


def test_round_trip_of_an_own_box():
    run = ov.Run(ov.surface("x^2", box=((-1, 2), (0, 5)), start=(0.5, 1.0)), "sgd", lr=0.1)
    assert ov.Run.from_query(run.to_query()) == run and run.surface.box == ((-1, 2), (0, 5)) and run.start == (0.5, 1.0)


@pytest.mark.parametrize("query", (HERE / "old_links.txt").read_text().split())
def test_old_links_open(query):
    run = ov.Run.from_query(query)
    assert ov.Run.from_query(run.to_query()) == run
    t = ov.descend(run)
    assert np.isfinite(t.points).all() and t.loss[0] == run.surface.value(*run.start)
    for pair in query.lstrip("?").split("&"):
        name, _, text = pair.partition("=")
        if name.startswith("surface_"):
            assert run.surface.settings[name[8:]] == float(text)
        elif name in dict(run.settings):
            assert str(run[name]) == text or run[name] == float(text)


def test_a_tampered_query_falls_back_one_by_one():
    notes: list[ov.T] = []
    run = ov.Run.from_query("v=9&surface=moon&optimizer=adam&start=1,two&steps=-3&lr=0.02&beta1=7&nonsense=1&schedule=&noise=nan&seed=1.5", notes)
    assert run == ov.Run("rosenbrock", "adam", lr=0.02)
    assert len(notes) == 8 and all(n.en and n.ru for n in notes)
    assert ov.Run.from_query("", []) == ov.Run()
    many: list[ov.T] = []
    assert ov.Run.from_query("&".join(f"a{i}=1" for i in range(300)), many) == ov.Run() and len(many) == 1
    ov.Run.from_query("surface=" + "ab" * 50_000 + "&" + "cd" * 50_000 + "=1&formula=x//2&box=1,2", many)
    assert len(many) == 5 and max(len(n.en) for n in many) < 2000
    for query in ("box=1,2&formula=x", "start=1,two", "&".join(f"a{i}=1" for i in range(300))):
        with pytest.raises(ov.Refused):
            ov.Run.from_query(query)
    with pytest.raises(ValueError, match="moon"):
        ov.Run.from_query("surface=moon")
    with pytest.raises(ValueError, match="nonsense"):
        ov.Run.from_query("nonsense=1")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["v", "surface", "formula", "box", "optimizer", "start", "steps", "lr", "beta1", "schedule", "seed", "k", "surface_b"]),
                          st.one_of(st.text(max_size=12), st.sampled_from(["adam", "ravine", "1,2", "1e999", "-1", "x^2", "0,1,0,1", "noam", "💥", "%00"]))), max_size=8))
def test_no_query_raises_when_notes_are_taken(pairs):
    ov.Run.from_query("&".join(f"{k}={v}" for k, v in pairs), [])


# --- refusals ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong, says", [
    ({"lr": -0.1}, r"lr=-0.1 .*\[0, inf\)"), ({"lr": math.nan}, "lr=nan"), ({"lr": math.inf}, "lr=inf"), ({"lr": "fast"}, "lr='fast'"),
    ({"lr": None}, "lr=None"), ({"lr": [0.1, -1]}, r"lr=\[0.1, -1\]"), ({"lr": 10**400}, "lr="), ({"lr": 10**5000}, "lr=…"), ({"lr": True}, "lr=True"),
    ({"beta1": 1.0}, r"beta1=1.0 .*\[0, 1\)"), ({"beta2": -0.1}, r"beta2=-0.1"), ({"eps": -1e-8}, "eps=-1e-08"), ({"eps_place": "under"}, "eps_place='under'.*unrooted"),
    ({"betas": (0.9, 0.99)}, "betas.*beta1"), ({"beta_1": 0.9}, "beta_1.*beta1"), ({"steps": 0}, "steps=0 .*integer"), ({"steps": 2.5}, "steps=2.5"),
    ({"steps": "many"}, "steps='many'"), ({"steps": 10**9}, "steps=1000000000"), ({"steps": np.array([3, 4])}, "steps="), ({"start": (1.0,)}, "start="),
    ({"start": (1.0, 2.0, 3.0)}, "start="), ({"start": 5}, "start=5"), ({"start": (1.0, math.nan)}, "start=nan"), ({"start": ("a", 1)}, "start='a'"),
    ({"schedule": "steep"}, "schedule='steep'.*step"), ({"schedule": 3}, "schedule=3"), ({"noise": -1}, "noise=-1"), ({"seed": -1}, "seed=-1"),
    ({"seed": 0.5}, "seed=0.5"), ({"seed": 2**32}, "seed=4294967296"), ({"clip_norm": 0.0}, r"clip_norm=0.0 .*\(0, inf\)"), ({"clip_value": -2}, "clip_value=-2"),
    ({"dtype": "float32"}, "backend='torch'"), ({"foo": 3}, "foo=3.*lr"), ({"lr": "0.1"}, "lr='0.1'.*a number"), ({"learning_rate": 1}, "mean lr"), ({"record": "some"}, "record='some'.*all, end"), ({"record": 0}, "record=0"), ({"record": 2.5}, "record=2.5"), ({"record": True}, "record=True"), ({"backend": "jax"}, "backend='jax'.*numpy, torch"), ({"backend": "torch", "device": "moon"}, "device='moon'"),
    ({"backend": "torch", "dtype": "int7"}, "dtype='int7'"), ({"surface_b": 3}, "surface_b"), ({"seed": np.arange(3)}, "seed=.*one number"), ({"lr": np.ones(3), "beta1": np.full(4, 0.9)}, r"broadcast.*lr \(3,\)"),
    ({"momentum": 0.9}, "momentum")])
def test_impossible_values_are_refused(wrong, says):
    with pytest.raises(ValueError, match=f"(?s){says}") as caught:
        ov.descend("rosenbrock", "adam", **wrong)
    assert any("а" <= c <= "я" for c in caught.value.text.ru)


def test_impossible_definitions_are_refused():
    for wrong in ("rosenbrok", 3, ["rosenbrock"]):
        with pytest.raises(ValueError, match="surface="):
            ov.descend(wrong, "adam")
        with pytest.raises(ValueError, match="optimizer="):
            ov.descend("bowl", wrong)
    with pytest.raises(ValueError, match="too much to record"):
        ov.descend("bowl", "adam", start=np.ones((2, 10**5)), steps=10**4)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(list(ov.optimizers)), st.sampled_from(list(ov.surfaces)), st.data())
def test_extreme_settings_never_raise_anything_but_valueerror(key, surface, data):
    """Every parameter at the ends of what is allowed, and beyond."""
    o, values = ov.optimizers[key], {}
    schedule = data.draw(st.sampled_from(list(ov.schedules)))
    of_schedule = {"schedule_" + n: p for n, p in ov.schedules[schedule].params.items()}
    for name, p in {**o.params, **COMMON, **of_schedule}.items():
        if not hasattr(p, "choices") and data.draw(st.booleans()):
            values[name] = data.draw(st.sampled_from([p.low, p.high, 0.0, 1e-300, 1e300, 1.0, -1.0, 0.999999999999]))
    if "history_size" in o.params:
        values["history_size"] = 3
    try:
        t = ov.descend(surface, key, steps=12, schedule=schedule, **values)
    except ValueError:
        return
    for a in (t.points, t.loss, t.gradients, t.lr, *t.state.values()):
        assert np.isfinite(a).all()
