"""Every activation against torch or its closed form: value, derivative, saturation, and what a page prints of it."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from optviz import autograd
from optviz.activations import SATURATED, activations
from optviz.autograd import Value
from optviz.core import Refused

#: our key -> (our parameters, how torch computes the same)
TWINS = [
    ("linear", {}, lambda z: z * 1.0), ("heaviside", {}, lambda z: (z > 0).double() + 0 * z),
    ("sigmoid", {}, torch.sigmoid), ("tanh", {}, torch.tanh), ("relu", {}, torch.relu),
    ("leaky_relu", {}, lambda z: F.leaky_relu(z, 0.1)), ("leaky_relu", {"slope": 0.01}, F.leaky_relu),
    ("prelu", {}, lambda z: F.prelu(z, torch.full((1,), 0.25, dtype=z.dtype))),
    ("prelu", {"alpha": -0.5}, lambda z: F.prelu(z, torch.full((1,), -0.5, dtype=z.dtype))),
    ("elu", {}, F.elu), ("elu", {"alpha": 0.3}, lambda z: F.elu(z, 0.3)),
    ("softplus", {}, lambda z: torch.logaddexp(z, torch.zeros_like(z))),  # torch's own softplus is a straight line from 20 on
    ("gaussian", {}, lambda z: torch.exp(-(z**2))), ("logarithmic", {}, torch.asinh),
    ("gelu", {}, lambda z: F.gelu(z, approximate="tanh")), ("silu", {}, F.silu),
]
Z = np.concatenate([np.linspace(-12, 12, 481), [-1000.0, -300.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 300.0, 1000.0]])  # 0 twice
ELEMENTWISE = [key for key in activations if key != "maxout"]


def test_all_have_a_twin():
    assert {key for key, _, _ in TWINS} == set(ELEMENTWISE)


@pytest.mark.parametrize(("key", "params", "twin"), TWINS, ids=lambda v: str(v) if not callable(v) else "")
def test_value_and_derivative_equal_torchs(key, params, twin):
    z = torch.tensor(Z, requires_grad=True)
    expected = twin(z)
    expected.sum().backward()
    a = activations[key]
    np.testing.assert_allclose(a.value(Z, **params), expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(a.derivative(Z, **params), z.grad.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("key", "params", "twin"), TWINS, ids=lambda v: str(v) if not callable(v) else "")
def test_the_rule_runs_on_torch_as_it_is(key, params, twin):
    z = torch.tensor(Z, requires_grad=True)
    out = activations[key].rule(z, activations[key].settings(params), torch)
    assert out.dtype == torch.float64
    np.testing.assert_allclose(out.detach().numpy(), activations[key].value(Z, **params), rtol=1e-13, atol=1e-15)
    out.sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), activations[key].derivative(Z, **params), rtol=1e-12, atol=1e-13)


def test_maxout_takes_the_largest_piece_and_hands_the_gradient_to_it():
    z = np.random.default_rng(0).normal(size=(2, 5, 3, 4))
    a, t = activations["maxout"], torch.tensor(z, requires_grad=True)
    expected = t.max(-1).values
    expected.sum().backward()
    np.testing.assert_array_equal(a.value(z, pieces=4), expected.detach().numpy())
    np.testing.assert_array_equal(a.derivative(z, pieces=4), t.grad.numpy())
    assert np.isfinite(a.derivative([[-1000.0, 1000.0]])).all()


def test_how_many_sums_a_neuron_is_made_of():
    a = activations["maxout"]
    assert [a.pieces(a.settings({})), a.pieces(a.settings({"pieces": 5}))] == [2, 5]
    assert {b.pieces(b.settings({})) for key, b in activations.items() if key != "maxout"} == {1}
    with pytest.raises(Refused, match="pieces=1"):
        a.settings({"pieces": 1})


@pytest.mark.parametrize("key", [key for key, a in activations.items() if a.bound is not None])
def test_the_derivatives_bound_is_reached_and_never_passed(key):
    slope = np.abs(activations[key].derivative(np.linspace(-30, 30, 600_001)))
    assert slope.max() == pytest.approx(activations[key].bound, rel=1e-8, abs=1e-15)


def test_the_quarter_of_the_lecture():
    assert activations["sigmoid"].bound == activations["sigmoid"].derivative(0.0) == 0.25
    s = activations["sigmoid"].value(Z)
    np.testing.assert_allclose(activations["sigmoid"].derivative(Z), s * (1 - s), rtol=1e-15)


def test_saturated_zones():
    z = np.array([-8.0, -1.0, 0.0, 1.0, 8.0])
    zones = {"sigmoid": [1, 0, 0, 0, 1], "tanh": [1, 0, 0, 0, 1], "relu": [1, 1, 1, 0, 0], "leaky_relu": [0, 0, 0, 0, 0], "elu": [1, 0, 0, 0, 0],
             "heaviside": [1, 1, 1, 1, 1], "linear": [0, 0, 0, 0, 0], "logarithmic": [0, 0, 0, 0, 0], "gaussian": [1, 0, 1, 0, 1]}
    for key, expected in zones.items():
        np.testing.assert_array_equal(activations[key].saturated(z), np.array(expected, bool), err_msg=key)
    edge = math.log((1 - 2 * SATURATED + math.sqrt(1 - 4 * SATURATED)) / (2 * SATURATED))  # where σ(1−σ) is the threshold
    assert list(activations["sigmoid"].saturated([edge - 1e-6, edge + 1e-6])) == [False, True]
    assert activations["leaky_relu"].saturated(-1.0, slope=0.001)


def test_what_prelu_learns():
    """∂f/∂α is z where z < 0; K networks have each a slope of their own."""
    z, alpha = np.random.default_rng(1).normal(size=(3, 6, 2)), Value(np.array([0.1, 0.25, -0.5]).reshape(3, 1, 1))
    a = activations["prelu"]
    assert a.learned == ("alpha",) and a.settings({}).alpha == 0.25
    a.rule(z, a.bundle(alpha=alpha), autograd).sum().backward()
    np.testing.assert_allclose(alpha.grad, np.where(z > 0, 0, z).sum((-1, -2), keepdims=True), rtol=1e-13)
    assert all(not b.learned for key, b in activations.items() if key != "prelu")


@pytest.mark.parametrize(("key", "name"), [(key, name) for key in ELEMENTWISE for name in activations[key].params])
def test_a_parameter_may_differ_from_network_to_network(key, name):
    a, z, values = activations[key], np.random.default_rng(2).normal(size=(2, 5, 3)), np.array([0.2, 0.7])
    together = a.value(z, **{name: values.reshape(2, 1, 1)}), a.derivative(z, **{name: values.reshape(2, 1, 1)})
    for k in range(2):
        np.testing.assert_array_equal(together[0][k], a.value(z[k], **{name: values[k]}))
        np.testing.assert_array_equal(together[1][k], a.derivative(z[k], **{name: values[k]}))


def test_formulas_print_as_a_lecture_writes_them():
    assert {key: a.latex() for key, a in activations.items()} == {
        "linear": "z", "heaviside": r"\begin{cases} 1, & z > 0 \\ 0, & z \le 0 \end{cases}", "sigmoid": r"\frac{1}{1 + e^{-z}}",
        "tanh": r"\tanh\left(z\right)", "relu": r"\max\left(0, z\right)",
        "leaky_relu": r"\begin{cases} z, & z > 0 \\ a z, & z \le 0 \end{cases}",
        "prelu": r"\begin{cases} z, & z > 0 \\ \alpha z, & z \le 0 \end{cases}",
        "elu": r"\begin{cases} z, & z > 0 \\ \alpha \left(e^{z} - 1\right), & z \le 0 \end{cases}", "softplus": r"\ln\left(1 + e^{z}\right)",
        "gaussian": "e^{-z^{2}}", "logarithmic": r"\ln\left(z + \sqrt{z^{2} + 1}\right)",
        "gelu": r"\frac{z}{2} \left(1 + \tanh\left(\sqrt{\frac{2}{\pi}} \left(z + 0.044715 z^{3}\right)\right)\right)",
        "silu": r"z \frac{1}{1 + e^{-z}}", "maxout": r"\max_k z_k"}
    assert activations["leaky_relu"].latex(slope=0.1) == r"\begin{cases} z, & z > 0 \\ 0.1 z, & z \le 0 \end{cases}"
    with pytest.raises(Refused, match="slop"):
        activations["leaky_relu"].latex(slop=1.0)
