"""Backpropagation on arrays: every operation against torch and central differences, and the graph around them."""

import inspect

import numpy as np
import pytest
import torch

from optviz import autograd as ag
from optviz.autograd import Value, backward, graph
from optviz.objective import compiled

A, ROW, COLUMN, ONE, DEEP = (3, 4), (4,), (3, 1), (), (2, 3, 4)

#: an operation, or an operator: how it is written for both machines, the shapes of its inputs, and whether they must be positive
CASES = [
    ("add", lambda xp, a, b: a + b, [A, A]), ("add", lambda xp, a, b: a + b, [A, ROW]), ("add", lambda xp, a, b: a + b, [COLUMN, DEEP]),
    ("add", lambda xp, a, b: a + b, [A, ONE]), ("add", lambda xp, a, b: a + b, [COLUMN, ROW]), ("add", lambda xp, a: 2.0 + a, [A]),
    ("sub", lambda xp, a, b: a - b, [A, A]), ("sub", lambda xp, a, b: a - b, [ROW, DEEP]), ("sub", lambda xp, a: 2.0 - a, [A]),
    ("mul", lambda xp, a, b: a * b, [A, A]), ("mul", lambda xp, a, b: a * b, [COLUMN, DEEP]), ("mul", lambda xp, a: -a * 3.0, [A]),
    ("div", lambda xp, a, b: a / b, [A, A]), ("div", lambda xp, a, b: a / b, [ROW, COLUMN]), ("div", lambda xp, a: 2.0 / a, [A]),
    ("power", lambda xp, a: a**3, [A]), ("power", lambda xp, a: a**-2, [A]), ("power", lambda xp, a, b: abs(a) ** b, [A, ROW]),
    ("power", lambda xp, a: (a * a) ** 0.5, [A]),
    ("matmul", lambda xp, a, b: a @ b, [A, (4, 2)]), ("matmul", lambda xp, a, b: a @ b, [DEEP, (2, 4, 5)]),
    ("matmul", lambda xp, a, b: a @ b, [A, (2, 4, 5)]), ("matmul", lambda xp, a, b: a @ b, [DEEP, (4, 5)]),
    ("exp", lambda xp, a: xp.exp(a), [A]), ("log", lambda xp, a: xp.log(abs(a)), [A]), ("sqrt", lambda xp, a: xp.sqrt(abs(a)), [A]),
    ("tanh", lambda xp, a: xp.tanh(a), [A]), ("sigmoid", lambda xp, a: xp.sigmoid(a), [A]), ("relu", lambda xp, a: xp.relu(a), [DEEP]),
    ("absolute", lambda xp, a: abs(a), [A]), ("sign", lambda xp, a: a * xp.sign(a), [A]),
    ("less", lambda xp, a, b: xp.where(a < b, a * a, b), [A, ROW]), ("less", lambda xp, a, b: (a > b) * a, [A, A]),
    ("where", lambda xp, a, b, c: xp.where(a > 0.1, b * b, c), [A, ROW, COLUMN]), ("where", lambda xp, a: xp.where(a > 0, a, 0.1), [A]),
    ("total", lambda xp, a: a.sum(), [A]), ("total", lambda xp, a: a.sum(-1), [DEEP]), ("total", lambda xp, a: a.sum((-1, -2)), [DEEP]),
    ("total", lambda xp, a: a * a.sum(0, keepdims=True), [A]), ("total", lambda xp, a: a * a.sum((0, 2), keepdims=True), [DEEP]),
    ("mean", lambda xp, a: a.mean(), [A]), ("mean", lambda xp, a: a.mean(-1), [DEEP]), ("mean", lambda xp, a: a.mean((0, 1)), [DEEP]),
    ("mean", lambda xp, a: (a - a.mean(-2, keepdims=True)) ** 2, [DEEP]),
    ("largest", lambda xp, a: xp.amax(a, -1), [DEEP]), ("largest", lambda xp, a: xp.amax(a, 0), [A]),
    ("largest", lambda xp, a: a - xp.amax(a, -1, keepdims=True), [DEEP]),
    ("reshape", lambda xp, a: a.reshape(-1, 2) * 2.0, [DEEP]), ("reshape", lambda xp, a: a.reshape(2, 12) @ a.reshape(12, 2), [DEEP]),
    ("item", lambda xp, a: a[1], [A]), ("item", lambda xp, a: a[..., None] * a[:, None], [(3, 3)]), ("item", lambda xp, a: a[[0, 2, 0, 0]], [A]),
]


def names(case):
    return case if isinstance(case, str) else None


def inputs_of(shapes, seed=0):
    return [np.random.default_rng([seed, i]).normal(size=shape) for i, shape in enumerate(shapes)]


def weighed(out):
    """One number out of an array, in which each element counts differently."""
    return (out * np.random.default_rng(9).normal(size=out.shape)).sum()


@pytest.mark.parametrize(("name", "f", "shapes"), CASES, ids=names)
def test_value_and_gradient_equal_torchs(name, f, shapes):
    arrays = inputs_of(shapes)
    ours, theirs = [Value(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = f(ag, *ours), f(torch, *theirs)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12, atol=1e-15)
    weights = np.random.default_rng(9).normal(size=out.shape)
    (out * weights).sum().backward()
    (expected * torch.tensor(weights)).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        assert a.grad.shape == a.shape
        np.testing.assert_allclose(a.grad, 0.0 if b.grad is None else b.grad.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("name", "f", "shapes"), CASES, ids=names)
def test_gradient_equals_central_differences(name, f, shapes):
    arrays = inputs_of(shapes, seed=1)
    values = [Value(a) for a in arrays]
    weighed(f(ag, *values)).backward()
    for i, a in enumerate(arrays):
        slope = np.empty(a.shape)
        for at in np.ndindex(a.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = [b.copy() for b in arrays]
                moved[i][at] += h
                ends.append(weighed(f(ag, *moved)))  # on plain arrays an operation is NumPy
            slope[at] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(values[i].grad, slope, rtol=1e-5, atol=1e-7)


def test_every_operation_stands_in_the_table():
    source = inspect.getsource(ag).split("# --- operations")[1]
    operations = {part.split("(")[0] for part in source.split("@operation\ndef ")[1:]}
    assert len(operations) >= 20 and operations == {name for name, _, _ in CASES}


@pytest.mark.parametrize(("name", "f", "shapes"), CASES, ids=names)
def test_plain_arrays_give_plain_arrays(name, f, shapes):
    arrays = inputs_of(shapes)
    out = f(ag, *arrays)
    assert not isinstance(out, Value)
    np.testing.assert_array_equal(out, f(ag, *map(Value, arrays)).data)


def test_an_array_or_a_number_of_numpy_on_the_left_is_values_business():
    for left in (np.ones((3, 4)), np.float64(2.0), 2):
        for out in (left + Value(np.ones(4)), left - Value(np.ones(4)), left * Value(np.ones(4)), left / Value(np.ones(4))):
            assert isinstance(out, Value)
    assert isinstance(np.ones((2, 3)) @ Value(np.ones((3, 4))), Value)
    np.testing.assert_array_equal((np.zeros(4) < Value(np.ones(4))).data, True)


def test_kinks_and_ties_are_torchs():
    for f in (lambda xp, a: xp.relu(a), lambda xp, a: abs(a), lambda xp, a: xp.sign(a) * a, lambda xp, a: xp.amax(a, -1)):
        ours, theirs = Value([[0.0, 0.0, -1.0], [2.0, 2.0, 2.0]]), torch.tensor([[0.0, 0.0, -1.0], [2.0, 2.0, 2.0]], dtype=torch.float64, requires_grad=True)
        f(ag, ours).sum().backward()
        f(torch, theirs).sum().backward()
        np.testing.assert_array_equal(ours.grad, theirs.grad.numpy())


def test_large_arguments_neither_warn_nor_leave_the_floats():
    for f in (ag.sigmoid, ag.tanh, ag.relu, abs, ag.sign):
        a = Value([-1e300, -1000.0, 0.0, 1000.0, 1e300])
        f(a).sum().backward()
        assert np.isfinite(a.grad).all() and np.isfinite(f(a).data).all()
    np.testing.assert_array_equal(ag.sigmoid(np.array([-1000.0, 1000.0])), [0.0, 1.0])


# --- the graph ----------------------------------------------------------------------------------------------------------------------


def test_where_paths_join_what_comes_back_is_added():
    x = Value([1.5, -0.5])
    y = x * x  # used three times, and x itself five times
    (y * x + y / (1.0 + y) + x).sum().backward()
    a = x.data
    np.testing.assert_allclose(x.grad, 3 * a**2 + 2 * a / (1 + a**2) ** 2 + 1, rtol=1e-13)
    np.testing.assert_allclose(y.grad, a + 1 / (1 + a**2) ** 2, rtol=1e-13)


def test_every_node_between_has_its_gradient():
    """The lecture's own example: forward values, backward gradients, at every node."""
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    q = x + y
    f = q * z
    f.backward()
    assert (f.data, q.data) == (-12.0, 3.0)
    assert [float(v.grad) for v in (f, z, q, x, y)] == [1.0, 3.0, -4.0, -4.0, -4.0]


def test_a_diamond_of_depth_60_is_walked_once_a_node():
    x = y = Value(1.0)
    for _ in range(60):
        y = (y + y) * 0.5  # 2^60 paths
    assert len(graph(y)) == 1 + 3 * 60
    y.backward()
    assert x.grad == 1.0


def test_a_long_chain_needs_no_recursion():
    x = y = Value(0.0)
    for _ in range(5000):
        y = y + 1.0
    y.backward()
    assert (y.data, x.grad) == (5000.0, 1.0)


def test_what_is_not_wanted_gets_no_gradient():
    x, w = Value(np.ones((3, 2)), wanted=False), Value(np.ones((2, 1)))
    ag.tanh(x @ w).sum().backward()
    assert x.grad is None and w.grad is not None


def net(xp, x, y, w, b):
    """A neuron's loss, with every kind of use: a product, a broadcast bias, a mean over examples."""
    return ((xp.tanh(x @ w + b) - y) ** 2).mean()


def test_compiled_with_other_numbers_and_another_number_of_examples():
    rng = np.random.default_rng(3)

    def leaves(n):
        data = rng.normal(size=(n, 3)), rng.normal(size=(n, 1)), rng.normal(size=(3, 1)), rng.normal(size=1)
        return [Value(d, wanted=i > 1) for i, d in enumerate(data)]
    recorded = leaves(5)
    hidden = ag.tanh(recorded[0] @ recorded[2] + recorded[3])
    value, slope = compiled(((hidden - recorded[1]) ** 2).mean(), recorded, [hidden])
    for n in (5, 8, 1, 5):
        x, _, w, b = fresh = leaves(n)
        loss = net(ag, *fresh)
        loss.backward()
        again, grads, (inside,) = slope(*(v.data for v in fresh))
        assert value(*(v.data for v in fresh)) == again == loss.data
        np.testing.assert_allclose(grads[0], w.grad, rtol=1e-13)
        np.testing.assert_allclose(grads[1], b.grad, rtol=1e-13)
        np.testing.assert_array_equal(inside, np.tanh(x.data @ w.data + b.data))


def test_compiled_follows_conditions_and_maxima():
    """Which branch and which maximum it is must be decided anew."""
    x, unused = Value([[1.0, -2.0]]), Value([7.0])
    end = ag.where(x > 0, x * x, -3.0 * x).sum() + ag.amax(x, -1).sum() + x.reshape(-1).sum() + x[..., 0].sum()
    _, slope = compiled(end, [x, unused])
    np.testing.assert_array_equal(slope(x.data, unused.data)[1][0], [[2 + 1 + 1 + 1, -3 + 1]])
    _, (grad, none), _ = slope(np.array([[-1.0, 5.0], [2.0, -4.0]]), unused.data)
    np.testing.assert_array_equal(grad, [[-3 + 1 + 1, 10 + 1 + 1], [4 + 1 + 1 + 1, -3 + 1]])
    np.testing.assert_array_equal(none, [0.0])


def test_backward_twice_does_not_add_up():
    w = Value([[1.0], [2.0]])
    order = graph(net(ag, np.ones((4, 2)), np.zeros((4, 1)), w, 0.0))
    backward(order)
    first = w.grad.copy()
    backward(order)
    np.testing.assert_array_equal(w.grad, first)


def test_one_leaf_in_two_graphs():
    w = Value([2.0])
    one, two = graph((w * w).sum()), graph((w * 3.0).sum())
    backward(one)
    assert w.grad == 4.0
    backward(two)
    assert w.grad == 3.0


def test_networks_in_lockstep_do_not_hear_of_each_other():
    rng = np.random.default_rng(4)
    x, y, w, b = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 1, 2))
    together = [Value(w), Value(b)]
    ((ag.tanh(x @ together[0] + together[1]) - y) ** 2).mean((-1, -2)).sum().backward()
    for k in range(4):
        alone = [Value(w[k]), Value(b[k])]
        net(ag, x, y, *alone).backward()
        np.testing.assert_allclose(together[0].grad[k], alone[0].grad, rtol=1e-13)
        np.testing.assert_allclose(together[1].grad[k], alone[1].grad, rtol=1e-13)


def test_a_network_of_two_layers_equals_torchs():
    rng = np.random.default_rng(5)
    arrays = [rng.normal(size=s) for s in ((3, 7, 2), (2, 5), (3, 1, 5), (3, 5, 4), (4,))]
    ours, theirs = [Value(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]

    def loss(xp, x, w, b, v, c):
        s = xp.relu(x @ w + b) @ v + c
        s = s - xp.amax(s, -1)[..., None]
        return (xp.log(xp.exp(s).sum(-1)) - s[..., 0]).mean(-1).sum()
    loss(ag, *ours).backward()
    loss(torch, *theirs).backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-14)
