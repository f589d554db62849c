"""Every penalty: its value and gradient, what it does to the weights after a step, and which weights become exactly 0."""

import numpy as np
import pytest
import torch

from optviz import autograd
from optviz.autograd import Value
from optviz.core import Refused
from optviz.penalties import penalties

P, K = 7, 3
W = np.random.default_rng(0).normal(size=(P, K))
STRENGTH = np.array([0.0, 0.1, 2.0])
#: our key and parameters -> the value as the decks write it
VALUES = [
    ("l2", {}, lambda w: 0.5 * (w**2).sum(0)), ("l2", {"scale": "whole"}, lambda w: (w**2).sum(0)), ("l1", {"step": "sign"}, lambda w: w.abs().sum(0)),
    ("l1", {}, lambda w: w.abs().sum(0)), ("elastic", {}, lambda w: (w**2).sum(0) + w.abs().sum(0)),
    ("elastic", {"step": "sign", "beta": 0.3}, lambda w: 0.3 * (w**2).sum(0) + w.abs().sum(0)), ("decay", {}, lambda w: 0 * w.sum(0)),
]


def settings(key, **given):
    return penalties[key].settings(given)


@pytest.mark.parametrize(("key", "params", "twin"), VALUES, ids=lambda v: str(v) if not callable(v) else "")
def test_value_and_gradient_equal_torchs(key, params, twin):
    ours, theirs = Value(W), torch.tensor(W, requires_grad=True)
    value, expected = penalties[key].value(ours, settings(key, strength=STRENGTH, **params), autograd), torch.tensor(STRENGTH) * twin(theirs)
    assert value.shape == (K,)
    np.testing.assert_allclose(value.data, expected.detach().numpy(), rtol=1e-13)
    value.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-13)


def test_gradients_as_the_decks_print_them():
    for key, params, expected in [("l2", {}, W), ("l2", {"scale": "whole"}, 2 * W), ("l1", {"step": "sign"}, np.sign(W))]:
        w = Value(W)
        penalties[key].value(w, settings(key, strength=1.0, **params), autograd).sum().backward()
        np.testing.assert_allclose(w.grad, expected, rtol=1e-13)


def test_what_belongs_into_the_gradient():
    assert [(key, step, penalties[key].in_gradient(settings(key, **({"step": step} if step else {}))))
            for key, step in [("l2", ""), ("l1", "sign"), ("l1", "proximal"), ("elastic", "sign"), ("elastic", "proximal"), ("decay", "")]] == [
        ("l2", "", True), ("l1", "sign", True), ("l1", "proximal", False), ("elastic", "sign", True), ("elastic", "proximal", False), ("decay", "", False)]
    assert settings("l1").step == settings("elastic").step == "proximal"


@pytest.mark.parametrize(("key", "params"), [("l2", {}), ("l2", {"scale": "whole"}), ("l1", {"step": "sign"}), ("elastic", {"step": "sign"})], ids=str)
def test_what_is_in_the_gradient_does_nothing_after(key, params):
    assert penalties[key].after(W, W + 1, 0.3, settings(key, strength=1.0, **params), autograd) is W


@pytest.mark.parametrize("key", penalties)
def test_no_strength_changes_nothing(key):
    h = settings(key)
    assert h.strength == 0
    np.testing.assert_array_equal(penalties[key].value(W, h, autograd), 0.0)
    np.testing.assert_array_equal(penalties[key].after(W, W + 1, 0.0, h, autograd), W)
    with pytest.raises(Refused, match=r"strength=-1.*\[0, inf\)"):
        settings(key, strength=-1.0)


def test_the_soft_threshold_is_its_closed_form():
    amount = np.array([0.0, 0.5, 2.0])  # one for each member of the batch
    after = penalties["l1"].after(W, None, amount, settings("l1"), autograd)
    np.testing.assert_allclose(after, np.sign(W) * np.maximum(np.abs(W) - amount, 0), rtol=1e-14, atol=1e-16)
    assert (after == 0).sum() == (np.abs(W) <= amount).sum() > 5
    np.testing.assert_allclose(after[:, 1], torch.nn.functional.softshrink(torch.tensor(W[:, 1]), 0.5).numpy(), rtol=1e-14)


@pytest.mark.parametrize(("key", "beta"), [("l1", 0.0), ("elastic", 1.0), ("elastic", 0.3)])
@pytest.mark.parametrize("amount", [0.1, 0.7])
def test_a_proximal_step_is_where_the_step_and_the_penalty_agree(key, beta, amount):
    """It ends at the w of the least ½(w−v)² + a(βw² + |w|), found here by trying many."""
    w, h = np.linspace(-3, 3, 600_001), settings(key, **({"beta": beta} if key == "elastic" else {}))
    for v in (-2.5, -0.71, -0.3, 0.0, 0.05, 0.4, 2.0):
        best = w[np.argmin((w - v) ** 2 / 2 + amount * (beta * w**2 + np.abs(w)))]
        assert penalties[key].after(np.array([v]), None, amount, h, autograd)[0] == pytest.approx(best, abs=2e-5)


def test_decay_is_adamws():
    """The share is taken off the weight at which the gradient was taken, whatever the optimizer's step; also when the rate changes."""
    w = torch.tensor(W[:, 0].copy(), requires_grad=True)
    decayed, plain = torch.optim.AdamW([w], lr=0.1, weight_decay=0.3), W[:, 0].copy()
    m = v = np.zeros(P)
    for t in range(1, 30):
        decayed.param_groups[0]["lr"] = lr = 0.1 / t**0.5
        decayed.zero_grad()
        ((w - 1) ** 4).sum().backward()
        decayed.step()
        g = 4 * (plain - 1) ** 3
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        new = plain - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        plain = penalties["decay"].after(new, plain, lr * 0.3, settings("decay", strength=0.3), autograd)
        np.testing.assert_allclose(plain, w.detach().numpy(), rtol=1e-9)


def test_for_plain_descent_decay_is_l2():
    old, g, lr, strength = W, np.cos(W), 0.1, 0.4
    w = Value(old)
    penalties["l2"].value(w, settings("l2", strength=strength), autograd).sum().backward()
    decayed = penalties["decay"].after(old - lr * g, old, lr * strength, settings("decay", strength=strength), autograd)
    np.testing.assert_allclose(decayed, old - lr * (g + w.grad), rtol=1e-12)
    np.testing.assert_allclose(decayed, old * (1 - lr * strength) - lr * g, rtol=1e-12)  # as deck D prints it


def test_l1_zeroes_weights_by_the_proximal_step_and_never_by_the_sign_step():
    """Least squares of which only 3 of 20 inputs matter: deck B's step leaves no weight at 0, the proximal one most."""
    rng = np.random.default_rng(1)
    x, true = rng.normal(size=(100, 20)), np.r_[2.0, -1.5, 1.0, np.zeros(17)]
    y = x @ true + 0.1 * rng.normal(size=100)
    zeros = {}
    for step in ("sign", "proximal"):
        h, w = settings("l1", strength=0.1, step=step), rng.normal(size=20)
        for _ in range(2000):
            at = Value(w)
            loss = ((x @ at.reshape(-1, 1) - y[:, None]) ** 2).mean()
            (loss + penalties["l1"].value(at, h, autograd) * float(penalties["l1"].in_gradient(h))).backward()
            w = penalties["l1"].after(w - 0.05 * at.grad, w, 0.05 * 0.1, h, autograd)
        zeros[step] = (w == 0).mean()
        assert (np.abs(w[:3]) > 0.8).all()
    assert zeros["sign"] == 0 and zeros["proximal"] >= 0.7


@pytest.mark.parametrize("key", penalties)
def test_the_formulas_run_on_torch_as_they_are(key):
    w, old, h = torch.tensor(W), torch.tensor(W + 0.1), settings(key, strength=0.3)
    np.testing.assert_allclose(penalties[key].value(w, h, torch).numpy(), penalties[key].value(W, h, autograd), rtol=1e-13)
    np.testing.assert_allclose(penalties[key].after(w, old, 0.2, h, torch).numpy(), penalties[key].after(W, W + 0.1, 0.2, h, autograd), rtol=1e-13)


def test_formulas_print_as_a_lecture_writes_them():
    assert {key: (p.latex(), p.latex_after()) for key, p in penalties.items()} == {
        "l2": (r"\frac{\lambda}{2} \sum_i w_i^2", ""),
        "l1": (r"\lambda \sum_i \left|w_i\right|", r"\operatorname{sign}\left(w'\right) \max\left(0, \left|w'\right| - \alpha \lambda\right)"),
        "elastic": (r"\lambda \left(\beta \sum_i w_i^2 + \sum_i \left|w_i\right|\right)",
                    r"\frac{\operatorname{sign}\left(w'\right) \max\left(0, \left|w'\right| - \alpha \lambda\right)}{1 + 2 \beta \alpha \lambda}"),
        "decay": ("0", r"w' - \alpha \lambda w")}
    assert penalties["l2"].latex(scale="whole") == r"\lambda \sum_i w_i^2" and penalties["l1"].latex_after(step="sign") == ""
