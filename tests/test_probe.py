"""A look inside a network: against torch's hooks on the same weights, at the ends of the floats, in batches and over a training."""

import inspect
from itertools import pairwise

import numpy as np
import pytest
import torch

import optviz as ov
from optviz import layers
from optviz.probe import COMMON, WORDS, Members, moments, settings_of, settled

SMALL = {"inputs": 20, "layers": (12, 12, 12), "outputs": 5, "batch": 40, "seed": 3}
RULES = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "softplus": torch.nn.functional.softplus}
NETS = {"tanh": {}, "sigmoid": {"activation": "sigmoid"}, "relu": {"activation": "relu", "init": "he"}, "sparse": {"data": "sparse", "input_scale": 3.0},
        "digits": {"data": "digits", "inputs": 64, "outputs": 10}, "batch norm": {"batchnorm": "before"}, "batch norm after": {"batchnorm": "after"},
        "layer norm": {"layernorm": "before"}, "residual": {"residual": True}, "drawn biases": {"init": "uniform_fan_in"},
        "mixed": {"activation": ("relu", "tanh", "softplus")}}


class Stack(torch.nn.Module):
    """The same network as everybody writes it."""

    def __init__(self, v, net, theta):
        super().__init__()
        self.linear = torch.nn.ModuleList(torch.nn.Linear(a, b, dtype=torch.float64) for a, b in pairwise(net.widths))
        kept = {(b.layer, b.kind): torch.tensor(part) for b, part in zip(net.blocks, net.parts(theta), strict=True)}
        for i, linear in enumerate(self.linear):
            linear.weight.data = kept[i, "weight"].T.contiguous()
            linear.bias.data = kept.get((i, "bias"), torch.zeros(1, linear.out_features, dtype=torch.float64))[0]
        self.keys, self.v = [a.key for a in net.activations], v
        self.rules = torch.nn.ModuleList(torch.nn.Identity() for _ in self.linear)  # a place for a hook

    def norm(self, place, z):
        if self.v["batchnorm"] == place:
            z = torch.nn.functional.batch_norm(z, None, None, training=True)
        return torch.nn.functional.layer_norm(z, z.shape[-1:]) if self.v["layernorm"] == place else z

    def layer(self, i, x):
        z = self.linear[i](x)
        if i == len(self.linear) - 1:
            return self.rules[i](z)
        z = self.norm("after", RULES[self.keys[i]](self.norm("before", z)))
        return self.rules[i](z + x if self.v["residual"] and z.shape == x.shape else z)

    def forward(self, x):
        for i in range(len(self.linear)):
            x = self.layer(i, x)
        return x


@pytest.mark.parametrize("case", NETS)
def test_statistics_are_those_of_torchs_hooks(case):
    settings = {"activation": "tanh", **SMALL, **NETS[case]}
    values = settled(settings)
    members = Members(values)
    x, y = members.points(0)
    net, theta = members.net(0), members.weights(0, x, y)
    stack, outs, backs = Stack(values, net, theta), {}, {}
    for i, rule in enumerate(stack.rules):
        rule.register_forward_hook(lambda module, given, out, i=i: outs.__setitem__(i, out.detach()))
        rule.register_full_backward_hook(lambda module, grads, out, i=i: backs.__setitem__(i, out[0]))
    loss = torch.nn.functional.cross_entropy(stack(torch.tensor(x, requires_grad=True)), torch.tensor(y.argmax(-1)))
    loss.backward()
    found = ov.probe(**settings)
    assert found.loss == pytest.approx(loss.item(), rel=1e-12)
    inputs = [torch.tensor(x), *outs.values()]
    for i, linear in enumerate(stack.linear):
        grad, out, back = linear.weight.grad, outs[i], backs[i]
        theirs = {"activation_mean": out.mean(), "activation_std": out.std(correction=0), "gradient_mean_abs": grad.abs().mean(),
                  "gradient_std": grad.std(correction=0), "activation_gradient_mean_abs": back.abs().mean(), "activation_gradient_std": back.std(correction=0),
                  "weight_norm": linear.weight.norm(), "update_norm": 0.1 * grad.norm(), "update_ratio": 0.1 * grad.norm() / linear.weight.norm()}
        for name, value in theirs.items():
            assert getattr(found, name)[i] == pytest.approx(value.item(), rel=1e-10, abs=1e-14), name
        assert found.activation_histogram[i].sum() == found.activation_magnitudes[i].sum() + (out == 0).sum() == out.numel()
        assert found.gradient_magnitudes[i].sum() == (grad != 0).sum()
        edges = layers.OCTAVES.copy()
        edges[0], edges[-1] = 0, np.inf
        np.testing.assert_array_equal(found.activation_gradient_magnitudes[i], np.histogram(back.abs()[back != 0], edges)[0])
        if values["batchnorm"] == "none":
            each = [torch.autograd.functional.jacobian(lambda a, i=i: stack.layer(i, a[None])[0], inputs[i][k]) for k in range(layers.EXAMPLES)]
            assert found.jacobian[i] == pytest.approx(np.mean([torch.linalg.matrix_norm(j, 2) for j in each]), rel=1e-9)


def test_with_batch_norm_the_jacobian_is_that_of_held_moments():
    members = Members(settled({**SMALL, "activation": "tanh", "batchnorm": True}))
    x, y = members.points(0)
    net, theta = members.net(0), members.weights(0, x, y)
    w, z = net.parts(theta)[0], x @ net.parts(theta)[0]
    deviation = np.sqrt(z.var(0) + 1e-5)
    slopes = (1 - np.tanh((z - z.mean(0)) / deviation) ** 2) / deviation
    each = [np.linalg.norm(slopes[k, :, None] * w.T, 2) for k in range(layers.EXAMPLES)]
    assert members.look(0).jacobian[0] == pytest.approx(np.mean(each), rel=1e-9)


def test_lanczos_is_close_where_it_stops_early():
    w = np.random.default_rng(1).normal(size=(300, 300))
    assert layers.largest(lambda v: v @ w, lambda u: u @ w.T, (1,), 300)[0] == pytest.approx(np.linalg.norm(w, 2), rel=2e-3)


def test_who_saturates_and_who_is_dead():
    found = ov.probe(**SMALL, activation="tanh", init_scale=1e3)
    assert found.saturated[:-1].min() > 0.9 and found.saturated[-1] == 0
    assert found.activation_histogram[0][[0, -1]].sum() > 0.9 * 40 * 12
    assert ov.probe(**SMALL, activation="tanh", init_scale=10).dead.max() == 0  # steep for some example
    members = Members(settled({**SMALL, "activation": "relu"}))
    x, y = members.points(0)
    net, theta = members.net(0), members.weights(0, x, y)
    parts = net.parts(theta)
    parts[0][:, :3] = -np.abs(parts[0][:, :3])
    dead = layers.look(net, theta, np.abs(x), y, members.judge(0)).dead
    z = np.abs(x) @ parts[0]
    assert dead[0] == (z <= 0).all(0).mean() >= 0.25
    maxout = ov.probe(**SMALL, activation="maxout")
    assert maxout.saturated.max() == maxout.dead.max() == 0 and maxout.gradient_mean_abs.min() > 0
    assert ov.probe(**SMALL, activation="heaviside").dead.tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("activation", ["linear", "heaviside", "sigmoid", "tanh", "relu", "elu", "maxout"])
@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_extremes_are_finite_and_named(activation, scale):
    found = ov.probe(inputs=6, layers=(6,) * 50, outputs=3, batch=6, activation=activation, init_scale=scale)
    assert all(np.isfinite(value).all() for value in vars(found).values())
    words = {*found.fates("forward"), *found.fates("backward")}
    if activation in ("linear", "relu", "leaky_relu", "maxout"):
        assert words == {"", "underflow" if scale < 1 else "overflow"}
        assert found.fates("forward")[0] == "" and found.fates("forward")[-1] != ""
        assert found.fates("backward")[0] != ""  # also where ReLU is shown nothing but lost numbers
    if activation == "tanh":
        assert ("underflow" in words) == (scale < 1) and "overflow" not in words
    if activation == "heaviside":
        assert found.fates("backward") == [""] * 51  # its slope is 0 by itself


def test_nothing_is_an_underflow_that_is_zero_by_itself():
    assert {*(found := ov.probe(**SMALL, activation="tanh", init="zeros")).fates("forward"), *found.fates("backward")} == {""}
    assert found.activation_std.max() == 0 and found.update_ratio.max() == 0
    assert found.loss == pytest.approx(np.log(5))


def test_what_overflowed_is_a_huge_loss_and_says_nothing_of_its_neurons():
    found = ov.probe(inputs=5, layers=(6, 6, 6), outputs=3, batch=10, activation="linear", init_scale=1e100)
    assert found.loss == layers.HUGE and found.fates("forward")[-1] == "overflow"
    for activation in ("relu", "tanh"):
        members = Members(settled({**SMALL, "activation": activation}))
        x, y = members.points(0)
        net, theta = members.net(0), members.weights(0, x, y)
        net.parts(theta)[0][:] = layers.HUGE
        found = layers.look(net, theta, x, y, members.judge(0))
        assert found.saturated[0] == found.dead[0] == 0
    assert not np.signbit(ov.probe(**SMALL, init="zeros", activation="relu").activation_std).any()


def test_a_lone_look_says_how_many_layers_are_measured():
    told = []
    ov.probe(**SMALL, progress=lambda *at: told.append(at))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_the_network_is_shown():
    def shown(**settings):
        return Members(settled({**SMALL, "batch": 500, **settings})).points(0)
    (x, y), (sparse, _), (digits, labels) = shown(), shown(data="sparse"), shown(data="digits", inputs=64, outputs=10)
    assert x.std() == pytest.approx(1, abs=0.03) and (sparse != 0).mean() == pytest.approx(0.2, abs=0.02)
    np.testing.assert_array_equal(shown(input_scale=3.0)[0], 3 * x)
    np.testing.assert_array_equal(y.argmax(-1), np.arange(500) % 5)
    assert digits.shape == (500, 64) and digits.max() == 1 and labels.shape == (500, 10)


def test_a_batch_is_its_single_looks():
    seeds, scales = np.arange(3)[:, None], np.array([0.5, 1.0])
    told = []
    for more in ({"activation": "prelu", "layernorm": True}, {"activation": "maxout", "batchnorm": "after"}, {"activation": "elu", "elu_alpha": scales, "residual": True}):
        whole = ov.probe(**{**SMALL, **more, "seed": seeds, "init_scale": scales}, progress=lambda done, many: told.append((done, many)))
        assert whole.gradient_mean_abs.shape == (4, 3, 2) and whole.activation_histogram.shape == (4, layers.BINS, 3, 2) and told[-1] == (6, 6)
        for i, j in np.ndindex(3, 2):
            own = {name: value[j] if value is scales else value for name, value in more.items()}
            one = ov.probe(**{**SMALL, **own, "seed": i, "init_scale": scales[j]})
            for name, value in vars(one).items():
                many = getattr(whole, name)
                np.testing.assert_allclose(many if name == "edges" else many[..., i, j], value, rtol=1e-9, atol=1e-13, err_msg=name)


def test_a_batch_stops_where_it_is_told():
    some = ov.probe(inputs=100, layers=(50,), batch=1000, seed=np.arange(4), stop=lambda: True)
    assert 1 <= len(some.loss) < 4


def test_a_training_is_looked_at():
    settings = {**SMALL, "activation": "tanh", "lr": 0.5}
    told = []
    found = ov.probe(**settings, steps=8, at=[0, 3, 8], progress=lambda done, many: told.append((done, many)))
    assert found.gradient_mean_abs.shape == (3, 4) and found.activation_histogram.shape == (3, 4, layers.BINS) and told[-1] == (8, 8)
    first = ov.probe(**settings)
    for name in ("activation_mean", "gradient_mean_abs", "update_ratio", "saturated", "loss"):
        np.testing.assert_allclose(getattr(found, name)[0], getattr(first, name), rtol=1e-9, atol=1e-15)
    assert found.loss[0] > found.loss[1] > found.loss[2]
    many = ov.probe(**{**settings, "seed": np.arange(2)}, steps=8, at=[8])
    assert many.dead.shape == (1, 4, 2)
    assert moments(500)[-1] == 500 and len(moments(500)) == 61 and moments(2) == [0, 1, 2]
    assert ov.probe(**settings, steps=500, stop=lambda: True).loss.shape == (1,)
    with pytest.raises(ov.Refused, match="steps from 0 to 8"):
        ov.probe(**settings, steps=8, at=[9])


def test_every_keyword_is_in_help_and_a_url_holds_the_spec():
    keywords = inspect.signature(ov.probe).parameters
    assert {*WORDS, *COMMON, "init_scale", "progress", "stop"} <= {*keywords} and keywords["inputs"].default == 841
    spec = ov.Probe(activation=("elu", "tanh"), layers=(30, 20), elu_alpha=0.5, init="glorot_uniform", init_bound="as_printed", batchnorm=True, steps=9)
    assert ov.Probe.from_query(spec.to_query()) == spec and ov.Probe.from_query("") == ov.Probe()
    assert spec.at(layers=(9, 9, 9))["activation"] == ("elu", "tanh", "tanh")
    notes = []
    assert ov.Probe.from_query("data=digits&batch=9999&what=1&seed=4", notes) == ov.Probe(data="digits", seed=4) and len(notes) == 2
    assert ov.Probe(data="digits")["inputs"] == 64 and ov.Probe(data="digits").at(data="normal")["inputs"] == 841
    np.testing.assert_array_equal(ov.probe(spec, steps=0).dead, ov.probe(**dict(spec.values) | {"steps": 0}).dead)


@pytest.mark.parametrize(("settings", "why"), [
    ({"data": "digits", "inputs": 10}, "inputs=10"), ({"depth": 3}, "unknown name 'depth"), ({"activation": ("tanh", "relu"), "layers": (3, 3, 3)}, "names 2 layers of 3"),
    ({"layers": (1000,) * 50, "batch": 5000}, "too much at once"), ({"layers": (1000,) * 9, "init": "layerwise"}, "too much at once"),
    ({"loss": "svm", "outputs": 100, "batch": 5000, "layers": (9,)}, "too much at once"), ({"layers": (1000,), "layernorm": True, "activation": "maxout",
    "maxout_pieces": 64}, "too much at once"), ({"input_scale": 1e308}, "input_scale"), ({"init_scale": 1e308}, "init_scale"), ({"seed": np.array([])}, "at least one"), ({"outputs": 1}, "outputs=1"),
    ({"seed": np.arange(2), "init_scale": np.arange(3.0)}, "broadcast")])
def test_what_cannot_be_is_one_sentence(settings, why):
    with pytest.raises(ov.Refused, match=why):
        ov.probe(**settings)


def test_every_setting_of_a_table_has_a_control():
    for data in WORDS["data"].choices:
        table = settings_of({**{name: word.default for name, word in WORDS.items()}, "data": data})
        assert all(p.default == p.check(name, p.default) for name, p in table.items())
