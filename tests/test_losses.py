"""Every loss against torch or its closed form: values, gradients, targets, and the loss of a network that knows nothing."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from optviz import autograd
from optviz.autograd import Value
from optviz.core import Refused
from optviz.losses import losses

N, C, K = 12, 5, 3
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, C, N)
MARGINS = {
    "hinge": lambda m: torch.clamp(1 - m, min=0), "logistic": lambda m: F.soft_margin_loss(m, torch.ones_like(m), reduction="none"),
    "exponential": lambda m: torch.exp(-m), "sigmoid": lambda m: 1 / (1 + torch.exp(m)),
}


def ours(key, out, y, params=None, soft=False, xp=autograd):
    """Elements and the gradient of their mean over examples and outputs, summed over networks."""
    at, loss = Value(out), losses[key]
    elements = (loss.soft_rule if soft else loss.rule)(at, y, loss.settings(params or {}), xp)
    elements.mean((-1, -2)).sum().backward()
    return elements.data, at.grad


def theirs(out, f):
    """The same from torch; f gives the elements."""
    at = torch.tensor(out, requires_grad=True)
    elements = f(at)
    elements.mean((-1, -2)).sum().backward()
    return elements.detach().numpy(), at.grad.numpy()


def equal(a, b):
    for x, y in zip(a, b, strict=True):
        assert x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-13)


# --- formulas -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(N, C), (K, N, C)])
def test_cross_entropy_equals_torchs(shape, smoothing):
    out = 3 * np.random.default_rng(1).normal(size=shape)
    y = losses["ce"].targets(LABELS, C, smoothing)
    labels = torch.tensor(np.broadcast_to(LABELS, shape[:-1]).copy())

    def twin(at):
        return F.cross_entropy(at.reshape(-1, C), labels.reshape(-1), label_smoothing=smoothing, reduction="none").reshape(*shape[:-1], 1)
    equal(ours("ce", out, y), theirs(out, twin))
    equal(ours("ce", out, y, soft=True), theirs(out, twin))


@pytest.mark.parametrize("shape", [(N, 1), (N, C), (K, N, 2)])
def test_squared_errors_equal_torchs(shape):
    out, y = np.random.default_rng(2).normal(size=(2, *shape))
    target = torch.tensor(y)
    equal(ours("mse", out, y), theirs(out, lambda at: F.mse_loss(at, target, reduction="none")))
    equal(ours("half_mse", out, y), theirs(out, lambda at: F.mse_loss(at, target, reduction="none") / 2))
    _, gradient = ours("half_mse", out, y)
    np.testing.assert_allclose(gradient * math.prod(shape[-2:]), out - y, rtol=1e-12)  # the error itself


@pytest.mark.parametrize("key", MARGINS)
@pytest.mark.parametrize("classes", [2, C])
def test_losses_of_the_margin_equal_their_closed_forms(key, classes):
    loss = losses[key]
    out = 2 * np.random.default_rng(3).normal(size=(K, N, loss.outputs(classes)))
    y = loss.targets(LABELS % classes, classes)
    assert set(np.unique(y)) == {-1.0, 1.0}
    twin = theirs(out, lambda at: MARGINS[key](at * torch.tensor(y)))
    equal(ours(key, out, y), twin)
    equal(ours(key, out, y, soft=True), twin)  # for hard signs both ways of calling agree


@pytest.mark.parametrize("key", MARGINS)
@pytest.mark.parametrize("smoothing", [0.1, 0.5, 1.0])
def test_a_soft_sign_costs_what_random_signs_cost_on_average(key, smoothing):
    out = 2 * np.random.default_rng(4).normal(size=(N, 1))
    y = losses[key].targets(LABELS % 2, 2, smoothing)
    hard = torch.tensor(losses[key].targets(LABELS % 2, 2))
    flipped = smoothing / 2  # of a label that keeps 1 − s and is otherwise drawn anew
    equal(ours(key, out, y, soft=True), theirs(out, lambda at: (1 - flipped) * MARGINS[key](at * hard) + flipped * MARGINS[key](-at * hard)))


def test_logistic_is_cross_entropy_of_two_classes():
    out = np.random.default_rng(5).normal(size=(N, 1))
    for s in (0.0, 0.3):
        y, both = losses["logistic"].targets(LABELS % 2, 2, s), losses["ce"].targets(LABELS % 2, 2, s)
        a, _ = ours("logistic", out, y, soft=s > 0)
        b, _ = ours("ce", np.concatenate([0 * out, out], -1), both)
        np.testing.assert_allclose(a, b, rtol=1e-13)
        bce = F.binary_cross_entropy_with_logits(torch.tensor(out), torch.tensor((1 + y) / 2), reduction="none").numpy()
        np.testing.assert_allclose(a, bce, rtol=1e-12)


def test_svm_is_the_lectures_and_torchs():
    out = 2 * np.random.default_rng(6).normal(size=(N, C))
    y, labels = losses["svm"].targets(LABELS, C), torch.tensor(LABELS)
    equal(ours("svm", out, y), theirs(out, lambda at: C * F.multi_margin_loss(at, labels, reduction="none")[:, None]))
    by_hand = [sum(max(0.0, s[j] - s[c] + 1) for j in range(C) if j != c) for s, c in zip(out, LABELS, strict=True)]
    np.testing.assert_allclose(ours("svm", out, y)[0][:, 0], by_hand, rtol=1e-12)
    smoothed = losses["svm"].targets(LABELS, C, 0.3)
    each = np.stack([ours("svm", out, losses["svm"].targets(np.full(N, c), C))[0][:, 0] for c in range(C)], -1)
    np.testing.assert_allclose(ours("svm", out, smoothed, soft=True)[0][:, 0], (smoothed * each).sum(-1), rtol=1e-12)


def test_the_printed_sigmoid_increases_with_the_margin_and_the_meant_one_falls():
    m = np.linspace(-5, 5, 101)[:, None]
    falling, printed = ours("sigmoid", m, 1.0)[0], ours("sigmoid", m, 1.0, {"form": "as_printed"})[0]
    assert (np.diff(falling[:, 0]) < 0).all() and (np.diff(printed[:, 0]) > 0).all()
    np.testing.assert_allclose(printed, 1 / (1 + np.exp(-m)), rtol=1e-12)
    np.testing.assert_allclose(falling + printed, 1.0, rtol=1e-12)
    with pytest.raises(Refused, match="form='rising'.*falling, as_printed"):
        losses["sigmoid"].settings({"form": "rising"})


@pytest.mark.parametrize("key", [key for key, loss in losses.items() if loss.margin and loss.key != "sigmoid"])
def test_a_loss_of_the_margin_does_not_increase_and_bounds_the_error_from_above(key):
    m = np.linspace(-5, 5, 101)[:, None]
    value = ours(key, m, 1.0)[0]
    assert (np.diff(value[:, 0]) <= 0).all()
    assert (value / (math.log(2) if key == "logistic" else 1) >= (m < 0)).all()


@pytest.mark.parametrize("key", losses)
def test_far_outputs_neither_warn_nor_leave_the_floats(key):
    loss, far = losses[key], 700.0 if key == "exponential" else 1000.0  # e^1000 is no float
    for y in (loss.targets([0, 1, 0], 2), loss.targets([0, 1, 0], 2, 0.2)):
        out = np.array([[far, -far], [far, -far], [-far, 0.0]])[:, :loss.outputs(2)]
        for elements, gradient in (ours(key, out, y), ours(key, out, y, soft=True)):
            assert np.isfinite(elements).all() and np.isfinite(gradient).all()
    assert loss.probabilities([[far, -far]]) is None or np.isfinite(loss.probabilities([[far, -far]])).all()


@pytest.mark.parametrize("key", losses)
@pytest.mark.parametrize("soft", [False, True])
def test_the_rule_runs_on_torch_as_it_is(key, soft):
    loss = losses[key]
    out, y = np.random.default_rng(7).normal(size=(K, N, loss.outputs(C))), loss.targets(LABELS, C, 0.2 * soft)
    rule = loss.soft_rule if soft else loss.rule
    equal(ours(key, out, y, soft=soft), theirs(out, lambda at: rule(at, torch.tensor(y), loss.settings({}), torch)))


# --- targets and answers ------------------------------------------------------------------------------------------------------------


def test_targets():
    assert losses["ce"].targets([0, 2], 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    np.testing.assert_allclose(losses["ce"].targets([0, 2], 3, 0.3), [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    for key in ("hinge", "mse"):
        assert losses[key].targets([0, 1], 2).tolist() == [[-1], [1]]
        assert losses[key].targets([0, 2], 3).tolist() == [[1, -1, -1], [-1, -1, 1]]
        np.testing.assert_allclose(losses[key].targets([0, 1], 2, 0.3), [[-0.7], [0.7]])
    assert losses["mse"].targets([[0.5, -3.0]]).tolist() == [[0.5, -3.0]]
    assert [(loss.key, loss.outputs(2), loss.outputs(4)) for loss in losses.values()] == [
        ("mse", 1, 4), ("half_mse", 1, 4), ("ce", 2, 4), ("svm", 2, 4), ("hinge", 1, 4), ("logistic", 1, 4), ("exponential", 1, 4), ("sigmoid", 1, 4)]
    for key in ("ce", "logistic"):
        with pytest.raises(Refused, match="needs classes; choose mse"):
            losses[key].targets([0.5])


@pytest.mark.parametrize("key", losses)
def test_a_smoothing_of_its_own_for_every_network(key):
    s, loss = np.array([0.0, 0.2, 0.5]).reshape(3, 1, 1), losses[key]
    y = loss.targets(LABELS, C, s)
    assert y.shape == (3, N, C)
    for k in range(3):
        np.testing.assert_array_equal(y[k], loss.targets(LABELS, C, float(s[k, 0, 0])))


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_lectures_share_of_the_true_label(classes):
    """Deck A: the true label has the probability α, the rest share 1 − α."""
    s = losses["ce"].smoothing(0.9, classes)
    y = losses["ce"].targets([0], classes, s)[0]
    np.testing.assert_allclose(y, [0.9, *[0.1 / (classes - 1)] * (classes - 1)], rtol=1e-12)
    signs = losses["logistic"].targets([0], classes, losses["logistic"].smoothing(0.9, classes))[0]
    np.testing.assert_allclose((1 + signs) / 2, y if classes > 2 else y[1:], rtol=1e-12)
    assert losses["ce"].smoothing(1.0, classes) == 0 and losses["ce"].smoothing(1 / classes, classes) == pytest.approx(1)
    with pytest.raises(Refused, match=r"alpha=0.05 is impossible; allowed: \[0\.\d+, 1\]"):
        losses["ce"].smoothing(0.05, classes)


def test_what_the_outputs_decide_and_how_probable_it_is():
    out = np.random.default_rng(8).normal(size=(K, N, C))
    for loss in losses.values():
        np.testing.assert_array_equal(loss.decide(out), out.argmax(-1))
        np.testing.assert_array_equal(loss.decide([[-0.1], [0.1]]), [0, 1])
        np.testing.assert_array_equal(loss.decide(loss.targets(LABELS, C)), LABELS)
        np.testing.assert_array_equal(loss.decide(loss.targets(LABELS % 2, 2)), LABELS % 2)
    np.testing.assert_allclose(losses["ce"].probabilities(out), torch.softmax(torch.tensor(out), -1).numpy(), rtol=1e-12)
    np.testing.assert_allclose(losses["logistic"].probabilities(out), torch.sigmoid(torch.tensor(out)).numpy(), rtol=1e-12)
    np.testing.assert_allclose(losses["logistic"].probabilities([[0.0], [2.0]]), [[0.5, 0.5], [1 / (1 + math.e**2), 1 / (1 + math.e**-2)]], rtol=1e-12)
    assert [key for key, loss in losses.items() if loss.probabilities(out) is not None] == ["ce", "logistic"]


def test_the_loss_of_a_network_that_knows_nothing():
    for classes in (2, 3, 10):
        assert losses["ce"].initial(classes) == pytest.approx(math.log(classes), rel=1e-14)
        assert losses["svm"].initial(classes) == classes - 1
    assert losses["ce"].initial(10) == pytest.approx(2.3, abs=0.005)
    assert {key: round(loss.initial(4), 6) for key, loss in losses.items() if loss.coding != "classes"} == {
        "mse": 1.0, "half_mse": 0.5, "hinge": 1.0, "logistic": 0.693147, "exponential": 1.0, "sigmoid": 0.5}


def test_formulas_print_as_a_lecture_writes_them():
    assert {key: loss.latex() for key, loss in losses.items()} == {
        "mse": r"\left(\hat{y} - y\right)^{2}", "half_mse": r"\frac{\left(\hat{y} - y\right)^{2}}{2}",
        "ce": r"-\sum_c y_c \ln \frac{e^{s_c}}{\sum_j e^{s_j}}", "svm": r"\sum_c y_c \sum_{j \ne c} \max\left(0, s_j - s_c + 1\right)",
        "hinge": r"\max\left(0, 1 - M\right)", "logistic": r"\ln\left(1 + e^{-M}\right)", "exponential": "e^{-M}", "sigmoid": r"\frac{1}{1 + e^{M}}"}
    assert losses["sigmoid"].latex(form="as_printed") == r"\frac{1}{1 + e^{-M}}"
