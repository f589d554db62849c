"""Sweeps of scale and depth, the chain of neurons, and gradients through time."""

import time

import numpy as np
import pytest
import torch

import optviz as ov
from optviz.chain import chain
from optviz.layers import HUGE
from optviz.probe import Members, settled
from optviz.race import Race
from optviz.recurrence import cliff, cliff_race, through_time
from optviz.scales import AT_ONCE, ROOM, edge, in_theory, numbers_of, scale_sweep

SMALL = {"inputs": 10, "layers": (12,), "outputs": 4, "batch": 20}
RULES = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


@pytest.mark.parametrize("more", [{"activation": "tanh"}, {"activation": "prelu", "batchnorm": True, "init": "uniform_fan_in"},
                                  {"activation": "maxout", "residual": True, "layernorm": "after"},
                                  {"activation": "tanh", "init": "uniform_fan_in", "bias": False}, {"activation": "sigmoid", "init": "playground"}])
def test_a_sweep_is_its_single_probes(more):
    told, parts = [], []

    def hear(done, many, part):
        told.append((done, many))
        parts.append(part)
    s = scale_sweep(**{**SMALL, **more}, scales=[0.3, 1.0, 2.0, 3.0, 0.1], depths=(1, 3, 4), seeds=(0, 7), progress=hear)
    assert s.first.shape == s.ratio.shape == (3, 5, 2) and told == [(k, 4) for k in range(1, 5)]
    assert [part.first.shape for part in parts] == [(3, 4, 1), (3, 5, 1), (3, 5, 1), (3, 5, 2)], "the first scales, then whole seeds"
    np.testing.assert_array_equal(parts[0].ratio, s.ratio[:, :4, :1])
    for i, j, k in ((0, 0, 0), (1, 4, 1), (2, 2, 1)):
        one = ov.probe(**{**SMALL, **more, "layers": (12,) * s.depths[i], "init_scale": s.scales[j], "seed": (0, 7)[k]})
        back, weights = one.activation_gradient_mean_abs, one.gradient_mean_abs
        ours = [a[i, j, k] for a in (s.first, s.last, s.first_weights, s.last_weights)]
        assert ours == pytest.approx([back[0], back[-2], weights[0], weights[-1]], rel=1e-9)


def test_a_sweep_names_what_ends_and_stops_when_told():
    s = scale_sweep(**SMALL, activation="relu", scales=[1e-8, 1.0, 1e8], depths=(2, 50))
    assert s.fates()[..., 0].tolist() == [["", "", ""], ["underflow", "", "overflow"]]
    for more in ({"activation": "heaviside"}, {"activation": "tanh", "init": "zeros"}):
        none = scale_sweep(**SMALL, **more, scales=[0.5, 1.0], depths=(2, 5))
        assert none.first_weights.max() == 0 and {*none.fates().ravel()} == {""}, "0 by itself, as of a probe"
    assert np.isfinite([s.first, s.last, s.ratio, s.weight_ratio]).all()
    assert 1 <= scale_sweep(**SMALL, scales=[1.0], depths=(2,), seeds=range(50), stop=lambda: True).first.shape[-1] < 50
    for wrong, why in (({"init": "layerwise"}, "layerwise"), ({"layers": ()}, "hidden layer"), ({"scales": []}, "scales"), ({"depths": (51,)}, "depths")):
        with pytest.raises(ov.Refused, match=why):
            scale_sweep(**{**SMALL, **wrong})


def test_what_a_sweep_needs_too_much_of_is_refused_before_it_is_begun():
    wide = {"layers": (1000,), "batch": 5000}
    assert settled(wide)["layers"] == (1000,)
    with pytest.raises(ov.Refused, match="too much at once"):
        scale_sweep(**wide)
    few, many = (numbers_of(Members(settled({"layers": (100,) * 50, "batch": batch}))) for batch in (100, 1000))
    assert AT_ONCE * few < ROOM < many, "the page's network in lockstep, one with many examples alone"


def test_narrow_layers_are_not_measured_for_half_a_minute():
    begun = time.perf_counter()
    assert edge(settled({"layers": (3,), "activation": "tanh", "init": "orthogonal"})) == pytest.approx(1, rel=2e-3)
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize(("settings", "scale"), [
    ({"activation": "tanh"}, 1.0), ({"activation": "relu"}, 2**0.5), ({"activation": "relu", "init": "he"}, 1.0), ({"activation": "linear"}, 1.0),
    ({"activation": "tanh", "init": "normal"}, 0.1), ({"activation": "tanh", "init": "orthogonal"}, 1.0), ({"activation": "heaviside"}, None),
    ({"activation": "tanh", "batchnorm": True}, None), ({"activation": "tanh", "init": "zeros"}, None), ({"activation": "maxout"}, None)])
def test_the_edge_of_chaos(settings, scale):
    found = edge(settled({"layers": (100,), **settings}))
    assert found is None if scale is None else found == pytest.approx(scale, rel=2e-3)
    assert in_theory(settled({"layers": (100,), **settings})) == ("batchnorm" not in settings and settings["activation"] != "maxout")


def test_at_the_edge_gradients_neither_vanish_nor_explode():
    at = edge(settled({"layers": (100,), "activation": "relu"}))
    s = scale_sweep(inputs=100, layers=(100,), outputs=10, batch=20, activation="relu", scales=[at / 1.5, at, at * 1.5], depths=(30,))
    low, right, high = s.ratio[0, :, 0]
    assert low < 1e-4 and 0.1 < right < 10 and high > 1e4
    assert 0.1 < s.weight_ratio.min() and s.weight_ratio.max() < 10  # of ReLU's weights it says nothing


@pytest.mark.parametrize("activation", RULES)
def test_the_chain_is_its_closed_form_and_torchs(activation):
    weights, x, t = np.array([1.2, -0.8, 2.0, 0.5, 1.5]), 0.7, 0.2
    c = chain(weights, x, t, activation)
    z = [torch.tensor(x, dtype=torch.float64, requires_grad=True)]
    w = torch.tensor(weights, requires_grad=True)
    for k in range(5):
        z.append(RULES[activation](w[k] * z[-1]))
        z[-1].retain_grad()
    ((z[-1] - t) ** 2 / 2).backward()
    np.testing.assert_allclose(c.gradients, [value.grad.item() for value in z], rtol=1e-12)
    np.testing.assert_allclose(c.weight_gradients, w.grad, rtol=1e-12)
    np.testing.assert_allclose(c.product[0], np.prod(c.slopes * weights), rtol=1e-12)
    assert (np.abs(c.gradients) <= c.bound * (1 + 1e-12)).all()
    if activation == "sigmoid":
        np.testing.assert_allclose(c.bound, [2 * 0.25 ** (5 - k) * np.abs(weights[k:]).prod() for k in range(6)])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "gaussian", "relu"])
@pytest.mark.parametrize("target", [-2.0, -1.0, 0.0, 1.0, 2.0])
def test_no_gradient_of_a_chain_exceeds_its_bound(activation, target):
    w = np.random.default_rng(0).uniform(-2, 2, (5, 500))
    c = chain(w, np.linspace(-5, 5, 500), target, activation)
    assert (np.abs(c.gradients) <= c.bound * (1 + 1e-12)).all() and (np.abs(c.gradients[-1]) <= c.reach).all()
    if activation != "relu":
        assert (c.reach == max(2, 1 + abs(target))).all()


def test_a_chain_names_what_is_lost():
    small, large, none = (chain([w] * 5, target=1.0, activation="relu") for w in (1e-100, 1e100, 0.0))
    assert small.forward.tolist() == [0, 0, 0, 0, 1, 1] and small.backward.tolist() == [1, 1, 1, 1, 1, 0]
    assert large.forward.tolist() == [0, 0, 0, 0, 2, 2] and large.backward.tolist() == [2] * 6
    assert large.gradients[0] == large.values[-1] == large.loss == HUGE and none.forward.max() == none.backward.max() == 0


def test_larger_weights_saturate_a_sigmoid_and_do_not_explode():
    w = np.array([0.1, 1.0, 3.0, 30.0, 1e300])
    c = chain(np.broadcast_to(w, (5, 5)))
    assert c.gradients.shape == (6, 5) and np.isfinite(c.bound).all()
    assert c.bound[0, 3] > 1e3 and np.abs(c.gradients[0]).max() < 0.05 and abs(c.gradients[0, 3]) < 1e-20
    assert np.abs(chain([3.0] * 5, activation="relu").gradients[0]) == pytest.approx(3**5 * 3**5)
    with pytest.raises(ov.Refused, match="activation"):
        chain(activation="gelu")


def test_through_time_the_product_of_norms_misleads():
    r = through_time(scale=np.array([0.5, 1.0, 2.0, 8.0]))
    assert r.product.shape == (41, 4) and r.states.shape == (41, 16, 4)
    assert (r.product <= r.norms * (1 + 1e-9)).all() and (r.product[-1] == 1).all()
    assert r.product[0, 0] < 1e-7 and r.product[0, 2] > 10 and r.norms[0, 1] > 1e4 * r.product[0, 1]
    assert (r.clipped <= 1 + 1e-12).all() and r.gradient.max() > 10
    straight = through_time(scale=np.array([0.9, 1.0, 1.1]), activation="linear", init="orthogonal", clip=1e-3)
    np.testing.assert_allclose(straight.product[::-1], np.array([0.9, 1.0, 1.1]) ** np.arange(41)[:, None], rtol=1e-9)
    np.testing.assert_allclose(straight.radius, [0.9, 1.0, 1.1])


def test_time_names_what_is_lost():
    huge = through_time(scale=1e8, activation="linear", steps=100)
    assert all(np.isfinite(value).all() for value in vars(huge).values())
    assert huge.gradient[0] == huge.product[0] == huge.clipped[0] == HUGE
    assert huge.forward[-1] == huge.across[0] == huge.backward[0] == 2 and huge.forward[0] == huge.across[-1] == 0
    lost = through_time(scale=1e100, activation="gelu", steps=9)
    assert lost.product[0] == HUGE and lost.across[0] == 2
    small = through_time(scale=1e-10, drive=0.0, steps=60)
    assert small.across[0] == small.backward[0] == small.forward[-1] == 1 and small.across[-1] == small.forward[0] == 0
    none = through_time(scale=0.0, steps=9)
    assert none.product[0] == 0 and none.across.max() == none.backward.max() == none.forward.max() == 0
    held = through_time(scale=1e100, activation="relu", drive=0.0, steps=2, clip=3.0)
    assert held.gradient[0] > 1e250 and held.clipped[0] == pytest.approx(3)
    told = []
    through_time(scale=np.array([0.5, 1.0]), progress=lambda *at: told.append(at))
    assert told == [(1, 2), (2, 2)]


def test_the_gradient_through_time_is_torchs():
    r = through_time(size=4, steps=6, seed=2, scale=1.3)
    h0 = torch.tensor(r.states[0], requires_grad=True)
    rng, w = ov.chance.generator(2, ov.chance.Draw.POINTS), 1.3 * ov.chance.generator(2, ov.chance.Draw.WEIGHTS).standard_normal((4, 4)).T / 2
    assert np.allclose(rng.standard_normal(4), r.states[0])
    shown, target, h = 0.1 * rng.standard_normal((6, 4)), rng.standard_normal(4), h0
    for x in shown:
        h = torch.tanh(torch.tensor(w) @ h + torch.tensor(x))
    ((h - torch.tensor(target)) ** 2).sum().div(2).backward()
    assert r.gradient[0] == pytest.approx(h0.grad.norm().item(), rel=1e-10)


def test_the_cliff_throws_plain_descent_out_and_clipping_holds_it():
    race = cliff_race()
    assert Race.from_query(race.to_query()) == race
    s = cliff(5, -0.5, 0.7)
    h = -0.5
    for _ in range(5):
        h = np.tanh(2.0 * h + 0.3)
    assert s.value(2.0, 0.3) == pytest.approx((h - 0.7) ** 2)
    plain, clipped = (ov.descend(run).points for run in race.runs)
    assert np.abs(plain).max() > 20 and np.abs(clipped).max() < 4
    assert race.surface.value(*clipped[:, -1]) < 1e-3 < race.surface.value(*plain[:, -1])
    with pytest.raises(ov.Refused):
        cliff(21)
