"""Every initializer: its moments, its bounds, and what becomes of a signal on its way through ten layers, as lectures print it."""

import math

import numpy as np
import pytest
import torch

from optviz.core import Refused
from optviz.initializers import initializers

IN, OUT = 400, 300


def draw(key, fan_in=IN, fan_out=OUT, seed=0, seen=None, **params):
    i = initializers[key]
    return i.rule(np.random.default_rng(seed), fan_in, fan_out, i.settings(params), seen)


def bias(key, fan_in=IN, fan_out=OUT, **params):
    i = initializers[key]
    return i.bias(np.random.default_rng(0), fan_in, fan_out, i.settings(params))


#: our key and parameters -> the standard deviation, and the bound of a uniform one
SPREADS = [
    ("zeros", {}, 0.0, 0.0), ("normal", {}, 0.01, None), ("normal", {"scale": 0.5}, 0.5, None), ("xavier", {}, IN**-0.5, None),
    ("he", {}, (IN / 2) ** -0.5, None), ("glorot_uniform", {}, (2 / (IN + OUT)) ** 0.5, (6 / (IN + OUT)) ** 0.5),
    ("glorot_uniform", {"bound": "as_printed"}, (12 / (IN + OUT)) ** 0.5, 6 / (IN + OUT) ** 0.5), ("uniform_fan_in", {}, (3 * IN) ** -0.5, IN**-0.5),
    ("playground", {}, 12**-0.5, 0.5), ("orthogonal", {}, IN**-0.5, None), ("layerwise", {}, IN**-0.5, None),
]


@pytest.mark.parametrize(("key", "params", "deviation", "bound"), SPREADS, ids=str)
def test_moments_and_bounds(key, params, deviation, bound):
    w = draw(key, **params)
    assert w.shape == (IN, OUT)
    assert w.std() == pytest.approx(deviation, rel=0.01)
    assert abs(w.mean()) <= 4 * deviation / math.sqrt(w.size)
    if bound is not None:
        assert (np.abs(w) <= bound).all() and np.abs(w).max() >= 0.999 * bound
    elif key != "orthogonal" and bound is None:
        assert 3.5 * deviation < np.abs(w).max() < 6 * deviation  # a normal distribution of 120 000


def test_the_table_holds_them_all():
    assert {key for key, *_ in SPREADS} == set(initializers)


def test_the_twins_of_torch():
    """The same spread as torch's own functions give, which draw other numbers."""
    w = torch.empty(OUT, IN, dtype=torch.float64)  # torch's weights are (fan_out, fan_in)
    for key, fill in [("he", lambda: torch.nn.init.kaiming_normal_(w)), ("glorot_uniform", lambda: torch.nn.init.xavier_uniform_(w)),
                      ("uniform_fan_in", lambda: torch.nn.init.kaiming_uniform_(w, a=5**0.5)), ("orthogonal", lambda: torch.nn.init.orthogonal_(w))]:
        torch.manual_seed(0)
        fill()
        assert draw(key).std() == pytest.approx(float(w.std()), rel=0.01), key


def test_without_the_root_glorots_bound_is_twice_and_a_half_too_wide():
    np.testing.assert_allclose(draw("glorot_uniform", bound="as_printed") / draw("glorot_uniform"), math.sqrt(6), rtol=1e-12)
    with pytest.raises(Refused, match="bound='square'"):
        draw("glorot_uniform", bound="square")


@pytest.mark.parametrize(("fan_in", "fan_out"), [(7, 7), (9, 4), (4, 9), (1, 3)])
def test_orthogonal(fan_in, fan_out):
    w = draw("orthogonal", fan_in, fan_out, scale=3.0) / 3.0
    square = w.T @ w if fan_in >= fan_out else w @ w.T
    np.testing.assert_allclose(square, np.eye(min(fan_in, fan_out)), atol=1e-13)


def test_orthogonal_prefers_no_direction():
    first = np.stack([draw("orthogonal", 2, 2, seed=seed)[:, 0] for seed in range(400)])
    assert np.abs(first.mean(0)).max() < 0.15
    assert 0.4 < np.mean([np.linalg.det(draw("orthogonal", 3, 3, seed=seed)) > 0 for seed in range(400)]) < 0.6


@pytest.mark.parametrize("key", initializers)
def test_scale_is_a_multiple_and_may_differ_from_network_to_network(key):
    rng = np.random.default_rng(1)
    seen = rng.normal(size=(50, 6)), rng.choice([-1.0, 1.0], (50, 1))
    one = draw(key, 6, 4, seen=seen, scale=1.0)
    scales = np.array([0.0, 0.5, 2.0]).reshape(3, 1, 1)
    np.testing.assert_allclose(draw(key, 6, 4, seen=seen, scale=scales), scales * one, rtol=1e-14)
    np.testing.assert_array_equal(draw(key, 6, 4, seen=seen, scale=1.0), one)  # the seed alone decides
    if key != "zeros":
        assert (draw(key, 6, 4, seed=1, seen=seen, scale=1.0) != one).any()
    with pytest.raises(Refused, match="scale=-1"):
        initializers[key].settings({"scale": -1.0})


def test_biases():
    assert {key for key in initializers if (bias(key) == 0).all()} == set(initializers) - {"uniform_fan_in", "playground"}
    assert all(bias(key).shape == (1, OUT) for key in initializers)
    assert (bias("playground") == 0.1).all()
    b = bias("uniform_fan_in", scale=2.0)
    assert 1.9 / IN**0.5 < np.abs(b).max() <= 2 / IN**0.5


# --- through ten layers of 500, as deck C prints it -----------------------------------------------------------------------------------


def deviations(key, f, seed=0, **params):
    """The standard deviation of each layer's outputs, for 1000 examples from N(0, 1)."""
    rng, i = np.random.default_rng(seed), initializers[key]
    x, out = rng.normal(size=(1000, 500)), []
    for _ in range(10):
        x = f(x @ i.rule(rng, 500, 500, i.settings(params), None))
        out.append(x.std())
    return np.array(out)


def test_small_numbers_die_in_tanh():
    printed = np.array([0.213081, 0.047551, 0.0106, 0.002378, 0.000532, 0.000119, 0.000026])  # the third reads 0.018630: a misprint
    got = deviations("normal", np.tanh)
    np.testing.assert_allclose(got[:7], printed, rtol=0.05)
    np.testing.assert_allclose(got[7:], [6e-6, 1e-6, 0], atol=6e-7)  # of these the deck prints one digit


def test_large_numbers_saturate_tanh():
    assert (deviations("normal", np.tanh, scale=1.0) > 0.95).all()


def test_xavier_holds_in_tanh():
    printed = [0.627953, 0.486051, 0.407723, 0.357108, 0.320917, 0.292116, 0.273387, 0.254935, 0.239266, 0.228008]
    np.testing.assert_allclose(deviations("xavier", np.tanh), printed, rtol=0.05)


def test_he_holds_in_relu_where_xavier_dies():
    def relu(z):
        return np.maximum(z, 0)
    theory = math.sqrt(1 - 1 / math.pi)
    he = np.mean([deviations("he", relu, seed) for seed in range(4)], 0)
    np.testing.assert_allclose(he, theory, rtol=0.12)
    np.testing.assert_allclose(deviations("xavier", relu)[-1], theory / 2**5, rtol=0.3)  # each layer loses half of the variance


@pytest.mark.parametrize(("key", "gain"), [("xavier", 1.0), ("he", 2.0), ("glorot_uniform", 1.0), ("uniform_fan_in", 1 / 3), ("orthogonal", 1.0)])
def test_the_variance_of_a_sum(key, gain):
    """Var(s) = n·Var(w)·Var(x) where E[x] = 0; where it is not, E[x]² counts as well."""
    x = np.random.default_rng(2).normal(size=(2000, IN))
    for mean, expected in [(0, gain), (1, 2 * gain)]:
        assert np.mean([((x + mean) @ draw(key, IN, IN, seed)).var() for seed in range(8)]) == pytest.approx(expected, rel=0.05)


# --- layer by layer -----------------------------------------------------------------------------------------------------------------


def two_classes(n=400, seed=3):
    rng = np.random.default_rng(seed)
    y = rng.choice([-1.0, 1.0], (n, 1))
    return rng.normal(size=(n, 5)) + y * np.array([1.0, -1.0, 0.5, 0.0, 0.0]), y


def test_a_layer_trained_neuron_by_neuron_tells_the_classes_apart():
    x, y = two_classes()
    sums, random = x @ draw("layerwise", 5, 40, seen=(x, y)), x @ draw("xavier", 5, 40)
    np.testing.assert_allclose(sums.std(0), 1.0, rtol=1e-12)

    def told_apart(s):
        right = ((s > 0) == (y > 0)).mean(0)
        return np.maximum(right, 1 - right).mean()  # one output is drawn with either sign
    assert told_apart(sums) > 0.85 > 0.75 > told_apart(random)
    assert 5 < (np.sign(sums) == y).mean(0).round().sum() < 35


def test_each_neuron_has_seen_other_examples():
    x, y = two_classes()
    alike = []
    for share in (0.1, 0.8):
        w = draw("layerwise", 5, 40, seen=(x, y), share=share)
        directions = w / np.linalg.norm(w, axis=0)
        alike.append(np.abs(directions.T @ directions)[~np.eye(40, dtype=bool)])
    assert max(a.max() for a in alike) < 1 - 1e-6 and alike[0].mean() < alike[1].mean()  # the fewer it saw, the more its own way it goes
    same = draw("layerwise", 5, 40, seen=(x, y), share=1.0)  # all have seen everything: one direction and its opposite
    np.testing.assert_allclose(np.abs(same), np.abs(same[:, :1]) * np.ones(40), rtol=1e-9)


def test_of_several_classes_each_neuron_parts_some_from_the_others():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 300)
    x = rng.normal(size=(300, 2)) + 4 * np.array([[0, 1], [0.9, -0.5], [-0.9, -0.5]])[labels]
    for y in (np.eye(3)[labels], 2 * np.eye(3)[labels] - 1):
        w = draw("layerwise", 2, 60, seen=(x, y), share=0.5)
        assert np.isfinite(w).all()
        means = np.stack([(x[labels == c] @ w).mean(0) for c in range(3)])
        loners = np.abs(means).argmax(0)  # the class that stands alone is the farthest on its side
        assert np.bincount(loners, minlength=3).min() >= 8


@pytest.mark.parametrize("seen", [None, (np.zeros((0, 5)), np.zeros((0, 1))), (np.zeros((30, 5)), np.ones((30, 1))), (np.ones((30, 5)), np.ones((30, 1))),
                                  (np.full((30, 5), 0.1), -np.ones((30, 2)))], ids=["nothing", "none", "silence", "one point", "one value"])
def test_where_nothing_is_seen_layerwise_is_xavier(seen):
    np.testing.assert_array_equal(draw("layerwise", 5, 8, seen=seen), draw("xavier", 5, 8))


def test_fewer_examples_than_inputs():
    x, y = two_classes(12)
    w = draw("layerwise", 5, 8, seen=(x, y), share=0.01)
    assert np.isfinite(w).all() and np.allclose((x @ w).std(0), 1)
