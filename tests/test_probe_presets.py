"""Every claim of the layers lab's examples, the lectures' tables over 20 seeds."""

from functools import cache

import numpy as np
import pytest

import optviz as ov
from optviz import autograd
from optviz.core import T
from optviz.probe import Members
from optviz.probe_presets import sights

SEEDS = np.arange(20)


@cache
def seen(key, seeds=None, **changes):
    """One network of a smaller batch: of wide layers, one is like another."""
    spec = sights[key].probe
    return ov.probe(spec, **{"batch": min(spec["batch"], 30), "steps": 0, "seed": SEEDS[:seeds] if seeds else 0, **changes})


@cache
def spreads(key, seeds=20):
    """The standard deviation of what each hidden layer hands on, (layers, seeds), by forward passes alone."""
    spec = sights[key].probe
    members = Members({**dict(spec.values), "batch": 30, "seed": SEEDS[:seeds]})
    each = []
    for k in range(seeds):
        x, y = members.points(k)
        net = members.net(k)
        each.append([a.std() for a in net.flow(x, net.parts(members.weights(k, x, y)), autograd).activations[:-1]])
    return np.array(each).T


@pytest.mark.parametrize("key", [key for key, sight in sights.items() if sight.printed])
def test_the_tables_of_the_lectures_come_out(key):
    printed = sights[key].printed
    ours = spreads(key).mean(-1) if printed.statistic == "activation_std" else falling()
    ours = ours[:len(printed.numbers)]
    theirs = np.array(printed.corrected)
    digits = 5e-7 if key == "small" else 0  # as many as it prints
    assert (np.maximum((theirs - digits) / ours, ours / (theirs + digits)) < printed.within).all(), ours
    for layer, meant in printed.meant.items():
        assert not meant / printed.within < printed.numbers[layer] < meant * printed.within
        assert abs(ours[layer] / meant - 1) < 0.02


def falling():
    """The sigmoid network's mean |gradient|, layer by layer, the geometric mean of 20 seeds."""
    return np.exp(np.log(seen("paralysis", seeds=20).gradient_mean_abs).mean(-1))


def test_the_gradient_of_sigmoids_falls_by_orders():
    gradients = falling()
    ratios = gradients[1:] / gradients[:-1]
    assert (ratios.min(), ratios.max()) == pytest.approx((7, 16), rel=0.05)
    theirs = np.array(sights["paralysis"].printed.numbers)
    assert np.maximum(gradients / theirs, theirs / gradients).max() == pytest.approx(3, rel=0.1)
    assert seen("paralysis", activation="relu", init="he", init_scale=1.0).gradient_mean_abs[0] > 1e-3


def test_small_weights_shrink_the_signal_by_one_factor():
    each = spreads("small", 4).mean(-1)
    np.testing.assert_allclose(each[4:10] / each[3:9], 0.01 * 500**0.5, rtol=0.03)


def test_he_keeps_the_spread_and_xavier_loses_it():
    assert np.abs(spreads("he").mean(-1)[:10] / (1 - 1 / np.pi) ** 0.5 - 1).max() < 0.06
    each = spreads("relu_xavier", 4).mean(-1)
    np.testing.assert_allclose(each[1:10] / each[:9], 0.5**0.5, rtol=0.1)
    assert 15 < each[0] / each[9] < 35
    assert spreads("tanh_he", 4).mean(-1)[9] == pytest.approx(0.56, abs=0.02)
    he, xavier = (seen(key, batch=100).activation_gradient_mean_abs for key in ("tanh_he", "xavier"))
    assert 1 < he[0] / he[-2] < 2 and xavier[0] / xavier[-2] < 0.5


def test_bounds_of_uniform_weights():
    assert spreads("by_inputs", 4).mean(-1)[9] < 0.05
    assert spreads("as_printed", 4).mean(-1)[:10].min() > 0.75 and 0.11 < seen("as_printed").saturated[:10].min() < 0.13
    np.testing.assert_allclose(spreads("as_meant", 4).mean(-1)[:10], spreads("xavier", 4).mean(-1)[:10], atol=0.015)
    assert seen("as_meant").saturated.max() < 0.01


def test_large_weights_saturate_and_their_mean_gradient_grows():
    assert seen("large").saturated[:10].min() > 0.85
    gradients = seen("large").gradient_mean_abs
    assert gradients[0] > 1e4 * gradients[-1]


def test_batch_norm_and_residual_connections_save_it():
    np.testing.assert_allclose(spreads("batchnorm", 4).mean(-1)[:10], 0.63, atol=0.01)
    saved, lost = ov.probe(sights["residual"].probe), ov.probe(sights["residual"].probe, residual=False)
    back, gone = saved.activation_gradient_mean_abs, lost.activation_gradient_mean_abs
    assert 1 < back[0] / back[-2] < 10 and 1e-15 < gone[0] / gone[-2] < 1e-14
    assert 1e-15 < lost.activation_std[49] / lost.activation_std[0] < 1e-14


def test_the_top_layer_shuts_down_first():
    means = ov.probe(sights["early"].probe, at=[0, 10, 100]).activation_mean
    assert means[0, :4] == pytest.approx([0.5] * 4, abs=0.05)
    assert means[1:, 3].max() < 0.03 and means[1:, :2] == pytest.approx(0.5, abs=0.03) and means[1:, 2] == pytest.approx(0.65, abs=0.03)
    assert ov.probe(sights["early"].probe, at=[100]).loss == pytest.approx([np.log(10)], abs=0.01)
    assert ov.probe(sights["early"].probe, activation="tanh", lr=0.3, at=[100]).loss < 0.2


def test_every_example_has_its_texts_and_its_url():
    assert len(sights) >= 10
    for sight in sights.values():
        assert ov.Probe.from_query(sight.probe.to_query()) == sight.probe
        assert all(isinstance(text, T) for text in (sight.name, sight.do, sight.see))
