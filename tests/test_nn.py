"""Networks: every gradient of a whole objective against central differences, and what each setting of a training does."""

import numpy as np
import pytest
import torch

import optviz as ov

SMALL = {"data": "xor", "layers": (4, 4), "n": 30, "epochs": 3, "batch": 5, "lr": 0.1}
NETS = {
    "batch norm after": {"batchnorm": "after"}, "batch norm before": {"batchnorm": True}, "layer norm after": {"layernorm": "after"},
    "both": {"batchnorm": "before", "layernorm": "after"}, "residual": {"residual": True}, "dropout": {"dropout": 0.4},
    "dropout at test": {"dropout": 0.4, "dropout_form": "at_test"}, "maxout": {"activation": "maxout", "batchnorm": "before"},
    "prelu": {"activation": "prelu", "prelu_alpha": 0.3}, "mixed": {"activation": ("elu", "gelu"), "output_activation": "tanh"},
    "L1 in the gradient": {"l1": 0.1, "l1_step": "sign"}, "L2": {"l2": 0.3, "penalty_layers": (2,)}, "elastic": {"elastic": 0.1, "elastic_step": "sign"},
    "sum": {"reduction": "sum"}, "without biases": {"bias": False}, "smoothed": {"label_smoothing": 0.3, "loss": "hinge"}, "svm": {"loss": "svm"},
    "values": {"data": "gauss_bumps"}, "classes": {"data": "blobs", "data_classes": 4, "loss": "ce"}, "members": {"seed": np.arange(2), "l2": 0.1},
}


@pytest.mark.parametrize("case", NETS)
def test_the_gradient_is_the_slope_of_the_loss(case):
    trainer = ov.Trainer(**{**SMALL, **NETS[case]})
    x, y, masks = trainer._shown()
    trainer.objective.feed(x[..., :9, :], y[..., :9, :], [m[..., :9, :] for m in masks])
    rng = np.random.default_rng(1)
    theta = trainer.theta + 0.05 * rng.normal(size=trainer.theta.shape)
    g, step = trainer.objective.slope(theta), 1e-6
    for k in rng.choice(len(theta), 25, replace=False):
        away = np.zeros_like(theta)
        away[k] = step
        slope = (trainer.objective.value(theta + away) - trainer.objective.value(theta - away)) / (2 * step)
        np.testing.assert_allclose(g[k], slope, rtol=2e-5, atol=1e-8)
    assert np.abs(g).max() > 1e-3


def ends(**settings):
    """The weights after a few passes."""
    return ov.train(**{**SMALL, **settings}).weights


@pytest.mark.parametrize("settings", [
    {"residual": True}, {"augment_jitter": 0.3}, {"augment_rotate": 30.0}, {"augment_flip": 0.5}, {"augment_shift": 0.5}, {"label_noise": 0.3}, {"noise": 0.3},
    {"features": ("x", "x2")}, {"prepare": ("scale",)}, {"prepare": ("centre",)}, {"prepare": ("decorrelate",)}, {"data_seed": 5}, {"clip_value": 0.01},
    {"clip_norm": 0.01}, {"shuffle": False}, {"schedule": "cosine"}, {"label_smoothing": 0.2}, {"dropout": 0.2}, {"batchnorm": "after"}, {"layernorm": "before"},
    {"bias": False}, {"val": 0.2}, {"output_activation": "tanh"}, {"init": "he"}, {"init_scale": 2.0}, {"l1": 0.1}, {"l2": 0.1}, {"elastic": 0.1}, {"decay": 0.1}])
def test_every_setting_changes_the_training(settings):
    ours, plain = ends(**settings), ends()
    assert ours.shape != plain.shape or np.abs(ours - plain).max() > 1e-6


def test_a_residual_network_adds_what_came_in():
    trainer = ov.Trainer("xor", layers=(4, 4, 3), residual=True, activation="relu", n=20)
    weights = dict(zip([(b.layer, b.kind) for b in trainer.net.blocks], trainer.net.parts(trainer.theta), strict=True))
    flow = trainer.net.flow(trainer.all_x, trainer.net.parts(trainer.theta), ov.autograd)
    first, second = flow.activations[:2]
    np.testing.assert_allclose(second, first + np.maximum(first @ weights[1, "weight"] + weights[1, "bias"], 0))
    np.testing.assert_allclose(flow.activations[2], np.maximum(second @ weights[2, "weight"] + weights[2, "bias"], 0))  # other widths: nothing to add


def test_wrong_labels_are_for_the_training_part_alone():
    right, wrong = ov.Trainer(**SMALL), ov.Trainer(**SMALL, label_noise=1.0)
    np.testing.assert_array_equal(wrong.known[:15], 1 - right.known[:15])
    np.testing.assert_array_equal(wrong.known[15:], right.known[15:])


def test_one_seed_for_points_and_another_for_all_else():
    a, b = ov.Trainer(**SMALL, data_seed=3, seed=1), ov.Trainer(**SMALL, data_seed=3, seed=2)
    np.testing.assert_array_equal(a.all_x, b.all_x)
    assert (a.theta != b.theta).any() and (ov.Trainer(**SMALL, seed=1).all_x != a.all_x).any()


def test_smoothing_is_not_in_what_is_measured():
    h = ov.train(**SMALL, label_smoothing=0.4)
    out = h.trainer.outputs(h.trainer.all_x, h.weights, None)
    signs = np.where(h.trainer.known == 1, 1.0, -1.0)
    np.testing.assert_allclose(h.loss_val[-1], ((out[15:, 0] - signs[15:]) ** 2).mean())


def test_a_schedule_goes_by_updates_or_by_passes():
    rates = {}
    for every in ("update", "pass"):
        trainer = ov.Trainer(**SMALL, schedule="exponential", schedule_gamma=0.5, schedule_every=every)
        trainer.run()
        rates[every] = trainer._rate()
    assert rates == {"update": 0.1 * 0.5**9, "pass": 0.1 * 0.5**3}


def test_plateau_lowers_the_rate_as_torch_does():
    trainer = ov.Trainer("circle", layers=(4,), n=40, epochs=60, lr=0.5, schedule="plateau", schedule_patience=2, schedule_factor=0.5)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    plan = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    for k in range(1, 61):
        trainer.run(until=k)
        plan.step(float(trainer.rows[-1][1]))
        assert trainer._rate() == optimizer.param_groups[0]["lr"]
    assert trainer._rate() < 0.1


@pytest.mark.parametrize("variance", ["biased", "unbiased"])
def test_running_variance_is_of_either_kind(variance):
    trainer = ov.Trainer("xor", layers=(4,), n=20, val=0.5, batch=None, epochs=1, batchnorm=True, bn_momentum=1.0, bn_variance=variance)
    z = trainer.net.flow(trainer.all_x[:10], trainer.net.parts(trainer.theta), ov.autograd).sums[0]
    trainer.run()
    np.testing.assert_allclose(trainer.running[0].variance[0], z.var(0, ddof=variance == "unbiased"))
    np.testing.assert_allclose(trainer.running[0].mean[0], z.mean(0), atol=1e-12)


def test_the_best_comes_back_with_its_running_moments():
    h = ov.train("circle", layers=(20,), batchnorm=True, noise=0.3, n=60, optimizer="adam", lr=0.1, epochs=80, patience=5)
    assert 0 < h.best_epoch < h.stopped_at
    out = h.predict(h.trainer.raw[h.trainer.count:])
    np.testing.assert_allclose(((out - h.trainer.all_targets[h.trainer.count:, 0]) ** 2).mean(), h.loss_val.min())


@pytest.mark.parametrize("settings", [
    {"data": "gauss", "layers": (8, 8), "activation": "relu", "lr": 50.0, "epochs": 30}, {"data": "gauss", "layers": (8, 8), "activation": None, "lr": 5.0, "epochs": 400, "n": 40},
    {"data": "gauss", "layers": (8,), "activation": None, "lr": 30.0, "epochs": 400, "n": 40, "val": 0.0}])
def test_a_diverged_run_returns_the_weights_of_its_last_row(settings):
    h = ov.train(**settings)
    assert h.diverged_at and np.isfinite(h.weights).all()
    out = h.trainer.outputs(h.trainer.all_x[:h.trainer.count], h.weights, h.trainer.running)
    np.testing.assert_allclose(((out - h.trainer.all_targets[:h.trainer.count]) ** 2).mean(), h.loss_train[-1])


def test_a_trained_parameter_begins_as_each_member_says():
    trainer = ov.Trainer("xor", activation="prelu", prelu_alpha=np.array([0.1, 0.5]))
    np.testing.assert_array_equal([part[:, 0, 0] for b, part in zip(trainer.net.blocks, trainer.net.parts(trainer.theta), strict=True) if b.kind == "alpha"],
                                  [[0.1, 0.5]] * 2)
