"""Training against torch step by step, lockstep against one by one, and what lectures say of it."""

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch

import optviz as ov
from optviz.chance import Draw, generator
from optviz.descent import asked

SMALL = {"layers": (5, 4), "n": 40, "epochs": 6, "batch": 7}
REFUSED = [key for key, o in ov.optimizers.items() if asked(o, {}).hessians]


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


# --- the same training in torch -------------------------------------------------------------------------------------------------------


class Twin(torch.nn.Module):
    """The network of a Trainer as torch has it, from the same weights."""

    def __init__(self, trainer, act, norm=None):
        super().__init__()
        self.act, self.linear, self.norms = act, torch.nn.ModuleList(), torch.nn.ModuleList()
        widths = trainer.net.widths
        for fan_in, width in pairwise(widths):
            self.linear.append(torch.nn.Linear(fan_in, width))
        for width in widths[1:-1] if norm else ():
            self.norms.append(norm(width))
        parts = dict(zip([(b.layer, b.kind) for b in trainer.net.blocks], trainer.net.parts(trainer.theta), strict=True))
        with torch.no_grad():
            for layer, linear in enumerate(self.linear):
                linear.weight.copy_(torch.tensor(parts[layer, "weight"].T))
                linear.bias.copy_(torch.tensor(parts[layer, "bias"][0]))

    def forward(self, x):
        for layer, linear in enumerate(self.linear):
            x = linear(x)
            if layer < len(self.linear) - 1:
                x = self.act(self.norms[layer](x) if self.norms else x)
        return x

    def flat(self, trainer):
        """Its parameters in the order of ours."""
        parts = []
        for b in trainer.net.blocks:
            if b.kind in ("weight", "bias"):
                parts.append(getattr(self.linear[b.layer], b.kind).detach().numpy().T.ravel())
            else:
                parts.append((self.norms[b.layer].weight if "gain" in b.kind else self.norms[b.layer].bias).detach().numpy().ravel())
        return np.concatenate(parts)


def torch_training(trainer, make, lossf, act=torch.tanh, norm=None, schedule=None, clip=None, l2=0.0, decay=0.0, epochs=6):
    """Every pass's weights, with the same points in the same order."""
    net = Twin(trainer, act, norm)
    optimizer = make(net.parameters())
    plan = schedule(optimizer) if schedule else None
    n, size = trainer.count, trainer.size
    x, y = torch.tensor(trainer.all_x[:n]), torch.tensor(trainer.shown_y)
    weights = [linear.weight for linear in net.linear]
    rows = [net.flat(trainer)]
    for k in range(epochs):
        net.train()
        order = generator(int(trainer.values["seed"]), Draw.ORDER, k).permutation(n)
        for low in range(0, n, size):
            at = order[low:low + size]
            optimizer.zero_grad()
            loss = lossf(net(x[at]), y[at]) + l2 / 2 * sum((w * w).sum() for w in weights)
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
            old = [w.detach().clone() for w in weights]
            rate = optimizer.param_groups[0]["lr"]
            optimizer.step()
            with torch.no_grad():
                for w, before in zip(weights, old, strict=True):
                    w -= rate * decay * before
            if plan:
                plan.step()
        rows.append(net.flat(trainer))
    return np.array(rows), net


MSE = torch.nn.functional.mse_loss
CASES = {
    "sgd": ({"optimizer": "sgd", "lr": 0.1}, {"make": lambda p: torch.optim.SGD(p, 0.1)}),
    "momentum": ({"optimizer": "momentum", "lr": 0.05}, {"make": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9)}),
    "adam": ({"optimizer": "adam", "lr": 0.02}, {"make": lambda p: torch.optim.Adam(p, 0.02)}),
    "L2": ({"optimizer": "adam", "lr": 0.02, "l2": 0.03}, {"make": lambda p: torch.optim.Adam(p, 0.02), "l2": 0.03}),
    "whole L2": ({"lr": 0.1, "l2": 0.03, "l2_scale": "whole"}, {"make": lambda p: torch.optim.SGD(p, 0.1), "l2": 0.06}),
    "decay": ({"optimizer": "adam", "lr": 0.02, "decay": 0.5}, {"make": lambda p: torch.optim.Adam(p, 0.02), "decay": 0.5}),
    "clipped": ({"lr": 0.3, "clip_norm": 0.2}, {"make": lambda p: torch.optim.SGD(p, 0.3), "clip": 0.2}),
    "cosine": ({"lr": 0.3, "schedule": "cosine"}, {"make": lambda p: torch.optim.SGD(p, 0.3),
                                                   "schedule": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 18)}),
    "relu": ({"lr": 0.1, "activation": "relu"}, {"make": lambda p: torch.optim.SGD(p, 0.1), "act": torch.relu}),
    "logistic": ({"lr": 0.1, "loss": "logistic"}, {"make": lambda p: torch.optim.SGD(p, 0.1), "lossf": torch.nn.functional.soft_margin_loss}),
    "smoothed": ({"lr": 0.1, "loss": "ce", "label_smoothing": 0.1},
                 {"make": lambda p: torch.optim.SGD(p, 0.1), "lossf": lambda out, y: torch.nn.functional.cross_entropy(out, y)}),
    "batch norm": ({"lr": 0.1, "batchnorm": True, "bn_variance": "unbiased"},
                   {"make": lambda p: torch.optim.SGD(p, 0.1), "norm": torch.nn.BatchNorm1d}),
    "layer norm": ({"lr": 0.1, "layernorm": True}, {"make": lambda p: torch.optim.SGD(p, 0.1), "norm": torch.nn.LayerNorm}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_whole_training_equals_torch(case):
    settings, twin = CASES[case]
    trainer = ov.Trainer("xor", **SMALL | settings | {"batch": 8 if "batch" in case else 7})
    expected, net = torch_training(trainer, **{"lossf": MSE} | twin)
    h = ov.train(ov.Training("xor", **SMALL | settings | {"batch": 8 if "batch" in case else 7}))
    np.testing.assert_array_equal(h.snapshot_passes, range(7))
    np.testing.assert_allclose(h.snapshots, expected, rtol=0, atol=1e-8 if "clip" not in case else 1e-5)  # torch divides by ‖g‖ + 1e-6
    assert np.abs(h.snapshots[-1] - h.snapshots[0]).max() > 1e-2
    net.eval()
    probe = np.random.default_rng(0).uniform(-6, 6, (50, 2))
    out = net(torch.tensor(probe)).detach().numpy()
    np.testing.assert_allclose(h.predict(probe), out[:, 0] if out.shape[1] == 1 else out, atol=1e-8 if "clip" not in case else 1e-4)


def test_the_twenty_line_network_learns_as_its_lines_do():
    n, d, hidden, o = 64, 1000, 100, 10
    trainer = ov.Trainer("random", data_inputs=d, data_outputs=o, n=n, val=0.0, layers=(hidden,), activation="sigmoid", bias=False, loss="mse",
                         reduction="sum", init="normal", init_scale=1.0, lr=1e-4, batch=None, epochs=60)
    x, y = trainer.all_x, trainer.known
    w1, w2 = (w.copy() for w in trainer.net.parts(trainer.theta))
    losses = []
    for _ in range(61):
        h = 1 / (1 + np.exp(-x.dot(w1)))
        losses.append(np.square(h.dot(w2) - y).sum())
        g = 2.0 * (h.dot(w2) - y)
        gh = g.dot(w2.T)
        w1, w2 = w1 - 1e-4 * x.T.dot(gh * h * (1 - h)), w2 - 1e-4 * h.T.dot(g)
    np.testing.assert_allclose(np.array([row[0] for row in trainer.run().rows]), losses, rtol=1e-8)
    assert losses[-1] < losses[0] / 5


# --- lockstep ---------------------------------------------------------------------------------------------------------------------------


BATCHES = {
    "seeds": {"seed": np.arange(4)}, "rates": {"lr": np.array([0.01, 0.1, 0.3])}, "adam": {"optimizer": "adam", "lr": np.array([0.01, 0.1])},
    "sam": {"optimizer": "sam", "rho": np.array([0.01, 0.2])}, "adafactor": {"optimizer": "adafactor", "lr": np.array([0.01, 0.1])},
    "lbfgs": {"optimizer": "lbfgs", "lr": np.array([0.1, 0.3]), "history_size": 5, "batch": None},
    "L1 and L2": {"l1": np.array([0.0, 0.01]), "l2": np.array([[0.0], [0.1], [0.01]])}, "sign step": {"l1": np.array([0.01, 0.1]), "l1_step": "sign"},
    "elastic": {"elastic": np.array([0.01, 0.1])}, "decay": {"decay": np.array([0.1, 0.5]), "optimizer": "momentum"},
    "dropout": {"dropout": np.array([0.0, 0.3, 0.6]), "seed": np.array([1, 2, 1])}, "dropout at test": {"dropout": np.array([0.0, 0.5]), "dropout_form": "at_test"},
    "smoothing": {"label_smoothing": np.array([0.0, 0.2]), "loss": "ce"}, "soft margins": {"label_smoothing": np.array([0.0, 0.2]), "loss": "hinge"},
    "noise": {"noise": np.array([0.0, 0.3]), "label_noise": np.array([0.1, 0.0])}, "batch norm": {"batchnorm": True, "seed": np.arange(3)},
    "after": {"batchnorm": "after", "bn_momentum": np.array([0.1, 0.5])}, "layer norm": {"layernorm": "after", "residual": True, "layers": (5, 5), "seed": np.arange(2)},
    "initial scale": {"init": "normal", "init_scale": np.array([0.1, 1.0])}, "layerwise": {"init": "layerwise", "seed": np.arange(2)},
    "prelu": {"activation": "prelu", "prelu_alpha": np.array([0.1, 0.5])}, "layerwise elu": {"init": "layerwise", "activation": "elu", "elu_alpha": np.array([0.1, 5.0])}, "maxout": {"activation": ("maxout", "elu"), "elu_alpha": np.array([0.5, 2.0])},
    "clipping": {"clip_norm": np.array([0.1, 1.0]), "lr": 0.3}, "schedule": {"schedule": "exponential", "schedule_gamma": np.array([0.9, 0.99])},
    "plateau": {"schedule": "plateau", "schedule_patience": 0, "schedule_factor": np.array([0.1, 0.5]), "lr": 0.5, "epochs": 20},
    "patience": {"data": "circle", "patience": np.array([1, 5, 50]), "optimizer": "adam", "lr": 0.1, "epochs": 40, "noise": 0.3}, "divergence": {"lr": np.array([0.01, 1e6]), "activation": "relu"},
    "augmented": {"augment_jitter": np.array([0.0, 0.5]), "augment_rotate": 20.0, "seed": np.array([1, 2])},
    "prepared": {"prepare": ("centre", "decorrelate"), "features": ("x", "y", "x2", "siny"), "seed": np.arange(3)},
    "data": {"data_seed": 3, "seed": np.arange(3)}, "spiral": {"data": "spiral", "data_arms": 3, "loss": "ce", "seed": np.arange(2)},
    "values": {"data": "gauss_bumps", "seed": np.arange(2)},
}


@pytest.mark.parametrize("case", BATCHES)
def test_lockstep_equals_one_by_one(case):
    settings = {"data": "xor"} | SMALL | BATCHES[case]
    h = ov.train(**settings)
    shape = np.broadcast_shapes(*(np.shape(v) for v in settings.values() if isinstance(v, np.ndarray)))
    assert h.loss_val.shape == (settings["epochs"] + 1, *shape) and h.weights.shape[1:] == shape
    for at in np.ndindex(shape):
        own = {k: np.broadcast_to(v, shape)[at].item() if isinstance(v, np.ndarray) else v for k, v in settings.items()}
        one = ov.train(**own)
        for name in ("loss_train", "loss_val", "accuracy_train", "accuracy_val", "weights"):
            if getattr(one, name) is not None:
                np.testing.assert_allclose(getattr(h, name)[(slice(None), *at)], getattr(one, name), rtol=0, atol=1e-10, err_msg=name)
        probe = np.random.default_rng(0).uniform(-6, 6, (9, 2))
        np.testing.assert_allclose(h.predict(probe)[at], one.predict(probe), rtol=0, atol=1e-10)
        for name in ("best_epoch", "stopped_at", "diverged_at", "diverged_layer"):
            mine = getattr(one, name)
            assert getattr(h, name)[at] == (-1 if mine is None else mine), name


def test_members_differ_where_their_settings_do():
    h = ov.train("xor", **SMALL, seed=np.arange(3))
    assert np.ptp(h.weights, axis=1).min() > 0


@pytest.mark.parametrize("key", [key for key in ov.optimizers if key not in REFUSED])
def test_every_optimizer_of_surfaces_trains_a_network(key):
    settings = {} if key in ("lbfgs", "bfgs", "linesearch", "conjugate_gradient", "polyak", "prodigy", "adadelta") else {"lr": 0.02}
    h = ov.train("gauss", optimizer=key, layers=(4,), n=60, epochs=30, seed=np.arange(2), batch=None if key in ("lbfgs", "bfgs") else 10, **settings)
    assert (h.diverged_at == -1).all()
    assert (h.loss_train[-1] < 0.8 * h.loss_train[0]).all()


@pytest.mark.parametrize("key", REFUSED)
def test_second_derivatives_are_refused(key):
    with pytest.raises(ov.Refused, match="second derivatives"):
        ov.train("xor", optimizer=key)


# --- what lectures say ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "seeds", "early", "late"), [
    ("circle", 20, 0.015, 0.002), ("gauss", 20, 0.0005, 0.0001), ("spiral", 20, 0.48, None)])
def test_playgrounds_defaults_reach_its_medians(data, seeds, early, late):
    epochs = 500 if late else 100  # the spiral is not solved, and stays where it is
    h = ov.train(data, layers=(4, 2), output_activation="tanh", init="playground", loss="half_mse", n=500, epochs=epochs, shuffle=False, seed=np.arange(seeds))
    for at, published in ((100, early), (500, late))[:1 + bool(late)]:
        assert published / 2 < np.median(h.loss_val[at]) < 2 * published


@pytest.mark.parametrize("layers", [(), (6,), (8, 8, 8)])
def test_without_an_activation_any_depth_is_one_line(layers):
    h = ov.train("gauss", layers=layers, activation=None, epochs=5)
    a, b = np.random.default_rng(0).uniform(-6, 6, (2, 100, 2))
    np.testing.assert_allclose(h.predict((a + b) / 2), (h.predict(a) + h.predict(b)) / 2, atol=1e-12)
    curved = ov.train("gauss", layers=(6,), activation="tanh", epochs=5)
    assert np.abs(curved.predict((a + b) / 2) - (curved.predict(a) + curved.predict(b)) / 2).max() > 0.01


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_first_loss_is_that_of_not_knowing(classes):
    h = ov.train("blobs", data_classes=classes, layers=(10,), loss="ce", init="normal", init_scale=1e-3, epochs=0)
    np.testing.assert_allclose(h.loss_train, [math.log(classes)], rtol=1e-3)
    np.testing.assert_allclose(ov.train("digits", layers=(10,), loss="ce", init="normal", init_scale=1e-3, epochs=0).loss_val, [math.log(10)], rtol=1e-3)


def test_a_small_sample_is_learned_by_heart():
    h = ov.train("digits", layers=(30,), loss="ce", activation="relu", init="he", n=200, val=0.0, epochs=60, lr=0.2, batch=20)
    assert h.accuracy_train[0] < 0.4 and h.accuracy_train[-1] == 1


@pytest.mark.parametrize("form", ["inverted", "at_test"])
def test_dropout_hands_on_the_same_on_average_in_training_and_afterwards(form):
    trainer = ov.Trainer("circle", layers=(50,), dropout=0.4, dropout_form=form, val=0.0)
    shown = np.mean([trainer.net.flow(trainer.all_x, trainer.net.parts(trainer.theta), ov.autograd, masks=masks).activations[0]
                     for masks in mask_draws(trainer, 400)], axis=0)
    keep = 0.6 if form == "at_test" else None
    later = trainer.net.flow(trainer.all_x, trainer.net.parts(trainer.theta), ov.autograd, keep=keep).activations[0]
    assert np.abs(shown - later).mean() < 0.05 * np.abs(later).mean()


def mask_draws(trainer, times):
    for k in range(times):
        trainer.passes = k
        yield trainer._shown()[2]


def test_a_proximal_step_makes_zeros_and_a_sign_step_none():
    share = {step: float((ov.train("circle", layers=(20,), l1=0.05, l1_step=step, epochs=60).weights == 0).mean()) for step in ("proximal", "sign")}
    assert share["proximal"] > 0.3 and share["sign"] <= 21 / 81  # untouched biases may be 0


def test_penalties_spare_biases_and_layers_that_are_not_named():
    trainer = ov.Trainer("xor", **SMALL | {"epochs": 1, "lr": 0.0, "decay": 1.0})
    assert (trainer.run().theta == trainer.kept[0][1]).all()  # lr × strength is the amount
    trainer = ov.Trainer("xor", **SMALL | {"l1": 1e6, "penalty_layers": (2,), "epochs": 1})
    end = dict(zip([(b.layer, b.kind) for b in trainer.net.blocks], trainer.net.parts(trainer.run().theta), strict=True))
    assert (end[1, "weight"] == 0).all() and (end[0, "weight"] != 0).all() and (end[2, "weight"] != 0).all() and (end[2, "bias"] != 0).any()


def test_batch_norm_on_one_example_collapses_onto_its_shift():
    trainer = ov.Trainer("circle", layers=(6,), batchnorm=True, activation=None)
    flow = trainer.net.flow(trainer.all_x[:1], trainer.net.parts(trainer.theta), ov.autograd)
    np.testing.assert_array_equal(flow.activations[0], 0.0)


# --- patience, stops, ends -----------------------------------------------------------------------------------------------------------------


def test_patience_stops_and_gives_back_the_best():
    settings = {"layers": (20, 20), "noise": 0.4, "n": 60, "optimizer": "adam", "lr": 0.03, "epochs": 200}
    h = ov.train("circle", patience=10, **settings)
    assert h.stopped_at == h.best_epoch + 10 < 200
    assert h.loss_val[h.best_epoch] == h.loss_val.min()
    assert h.loss_val.shape == (201,) and (h.loss_val[h.stopped_at:] == h.loss_val[h.stopped_at]).all()
    free = ov.train("circle", **settings)
    assert free.stopped_at is None and free.best_epoch == h.best_epoch
    np.testing.assert_array_equal(h.loss_val[:h.stopped_at + 1], free.loss_val[:h.stopped_at + 1])
    np.testing.assert_array_equal(h.weights, ov.train("circle", **settings | {"epochs": h.best_epoch}).weights)
    x, y = h.trainer.all_x[h.trainer.count:], h.trainer.all_targets[h.trainer.count:]
    np.testing.assert_allclose(((h.trainer.outputs(x, h.weights, None) - y) ** 2).mean(), h.loss_val.min(), rtol=1e-12)


def test_a_stopped_training_goes_on_to_the_same_end(tmp_path):
    settings = {"data": "xor", **SMALL, "dropout": 0.3, "batchnorm": True, "optimizer": "adam", "schedule": "cosine", "augment_jitter": 0.1, "seed": 5}
    seen = []
    whole = ov.train(**settings, progress=lambda k, of: seen.append((k, of)))
    assert seen == [(k, 6) for k in range(1, 7)]
    part = ov.train(**settings, stop=lambda: len(seen) > 8, progress=lambda k, of: seen.append((k, of)))
    assert len(part.loss_train) == 4 and part.seconds > 0
    for again in (ov.train(pickle.loads(pickle.dumps(part))), ov.train(part)):
        for name in ("loss_train", "loss_val", "accuracy_val", "weights", "snapshots", "snapshot_passes"):
            np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))


def test_divergence_is_named_and_keeps_the_last_good_weights():
    h = ov.train("gauss", layers=(8, 8), activation="relu", lr=50.0, epochs=50)
    assert 1 <= h.diverged_at <= 50 and h.diverged_layer in (1, 2, 3)
    for a in (h.loss_train, h.loss_val, h.weights, h.snapshots, h.predict(np.zeros((3, 2)))):
        assert np.isfinite(a).all()
    assert (h.snapshots[-1] == h.weights).all() and h.loss_val.shape == (51,)


def test_a_start_beyond_numbers_is_said_too():
    h = ov.train("circle", init="normal", init_scale=1e200, layers=(4, 4), activation="relu")
    assert h.diverged_at == 0 and np.isfinite(h.loss_train).all()


# --- what users give ---------------------------------------------------------------------------------------------------------------------


def test_own_points_with_own_labels():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    h = ov.train(ov.dataset(x, np.where(x[:, 0] > 0, "right", "left")), layers=(4,), epochs=60, lr=0.1)
    assert set(h.classify(x)) == {"right", "left"} and (h.classify(x) == np.where(x[:, 0] > 0, "right", "left")).mean() > 0.9
    h = ov.train((x, x[:, 0] * 0.37), layers=(), epochs=60, lr=0.1)
    assert h.accuracy_train is None and h.loss_val[-1] < 0.01
    with pytest.raises(ov.Refused, match="predict"):
        h.classify(x)


def test_two_classes_are_plus_and_minus_one():
    h = ov.train("circle", layers=(8,), epochs=30, lr=0.1, loss="mse")
    assert set(np.unique(h.trainer.all_targets)) == {-1.0, 1.0} and set(h.classify(np.zeros((1, 2))))  <= {-1, 1}


@pytest.mark.parametrize(("settings", "says"), [
    ({"lr": -1}, "lr=-1"), ({"layers": (0,)}, "layers="), ({"layers": "8,8"}, "layers="), ({"activation": "tanhh"}, "activation"),
    ({"activation": ("tanh", "relu", "relu")}, "names 3 layers of 2"), ({"epochs": 1.5}, "epochs=1.5"), ({"epochs": -1}, "epochs=-1"), ({"batch": 0}, "batch=0"),
    ({"dropout": 1.0}, "dropout=1.0"), ({"optimizer": "adamm"}, "adam"), ({"loss": "ce", "data": "plane"}, "mse"), ({"momentum": 0.9}, "momentum"),
    ({"seed": -1}, "seed=-1"), ({"lr": np.array([0.1, np.nan])}, "lr="), ({"lr": np.ones(2), "l2": np.ones(3)}, "broadcast"), ({"lr": []}, "at least one"), ({"hidden": 3}, "layers"), ({"epoch": 3}, "epochs"),
    ({"data": np.ones((3, 2))}, "ov.dataset"), ({"data": "plane", "label_smoothing": 0.1}, "for classes"), ({"seed": np.arange(10**6)}, "too much"),
    ({"optimizer": "adm"}, "optimizer: unknown name 'adm'; did you mean adam"), ({"data": "spirall"}, "spiral"),
    ({"features": ("x", "z")}, "features="), ({"prepare": "white"}, "prepare="), ({"penalty_layers": (4,), "l2": 1.0}, "penalty_layers"),
    ({"batchnorm": "inside"}, "batchnorm="), ({"n": np.array([10, 20])}, "n="), ({"layers": (4096,) * 100}, "too much"), ({"val": 1.0}, "val=1.0"),
])
def test_what_cannot_be_is_refused_in_one_sentence(settings, says):
    with pytest.raises(ov.Refused) as refusal:
        ov.train(**{"epochs": 1} | settings)
    assert says in str(refusal.value) and "\n" not in str(refusal.value) and len(str(refusal.value)) < 700


def test_predict_wants_what_the_data_have():
    h = ov.train("circle", **SMALL)
    with pytest.raises(ov.Refused, match="X="):
        h.predict(np.zeros((3, 5)))
    with pytest.raises(ov.Refused, match="X="):
        h.predict([[math.nan, 1.0]])
    with pytest.raises(ov.Refused, match="X="):
        h.predict("a")
    with pytest.raises(ov.Refused, match="at="):
        h.predict(np.zeros((3, 2)), at=99)
    np.testing.assert_array_equal(h.predict(np.ones((2, 2)), at=6), h.predict(np.ones((2, 2))))


def test_probabilities_grids_and_thinned_networks():
    h = ov.train("blobs", data_classes=3, loss="ce", layers=(30,), dropout=0.5, epochs=20, lr=0.1, seed=np.arange(2))
    grid = np.random.default_rng(0).uniform(-6, 6, (4, 5, 2))
    chances = h.probabilities(grid)
    assert chances.shape == (2, 4, 5, 3) and h.predict(grid).shape == (2, 4, 5, 3)
    np.testing.assert_allclose(chances.sum(-1), 1)
    np.testing.assert_array_equal(np.array(h.labels)[chances.argmax(-1)], h.classify(grid))
    np.testing.assert_allclose(h.predict(grid)[:, 1, 2], h.predict(grid[1, 2:3])[:, 0], rtol=1e-12)
    drawn = np.mean([h.predict(grid, thinned=k) for k in range(300)], axis=0)
    np.testing.assert_allclose(drawn, h.predict(grid), atol=0.25 * np.abs(drawn).max())
    assert np.abs(h.predict(grid, thinned=1) - h.predict(grid, thinned=2)).max() > 0.1
    with pytest.raises(ov.Refused, match="no probabilities"):
        ov.train("circle", **SMALL).probabilities(grid)


def test_a_history_stays_as_it_was_and_goes_on_to_more_passes():
    h = ov.train("xor", **SMALL)
    before = h.predict(np.ones((1, 2)))
    longer = ov.train(h, epochs=10)
    assert len(longer.loss_val) == 11 and (h.predict(np.ones((1, 2))) == before).all() and (longer.weights != h.weights).any()
    np.testing.assert_array_equal(longer.weights, ov.train(h.training, epochs=10).weights)
    with pytest.raises(ov.Refused, match="as it began"):
        ov.train(h, lr=1.0)


def test_what_is_printed_is_one_line():
    h = ov.train("gauss", layers=8, activation="ReLU", lr=50.0, epochs=9)
    own = ov.dataset(np.ones((50, 2)) * np.arange(50)[:, None], np.arange(50) % 2)
    for thing, says in ((h, "diverged in pass"), (h.training, "lr=50.0"), (own, "50 examples"), (ov.losses, "logistic"), (ov.train("xor", **SMALL), "validation")):
        assert says in repr(thing) and len(repr(thing)) < 400


# --- the spec --------------------------------------------------------------------------------------------------------------------------------


SPECS = [{}, {"data": "spiral", "data_arms": 3, "loss": "ce", "layers": (16, 4), "activation": ("relu", "elu"), "elu_alpha": 0.5},
         {"data": "digits", "layers": (), "optimizer": "adam", "beta1": 0.8, "schedule": "warm_restarts", "schedule_T_0": 7, "batchnorm": True, "bias": False},
         {"features": ("x2", "siny"), "prepare": ("centre", "scale"), "l1": 0.1, "l1_step": "sign", "penalty_layers": (1, 3), "patience": 3, "batch": None}]


@pytest.mark.parametrize("settings", SPECS)
def test_a_spec_is_hashable_and_the_same_in_a_url(settings):
    spec = ov.Training(**settings)
    again = ov.Training.from_query(spec.to_query())
    assert again == spec and hash(again) == hash(spec) and pickle.loads(pickle.dumps(spec)) == spec
    assert again != ov.Training(**settings | {"seed": 9})
    for name, value in settings.items():
        assert spec[name] == getattr(spec, name) == ((("none", "before")[value] if name == "batchnorm" else value) if name != "data" else ov.datasets[value])


def test_a_tampered_url_falls_back_and_says_so():
    notes = []
    spec = ov.Training.from_query("layers=8,x&lr=-1&activation=tanh,relu,elu&wings=2&loss=ce&data=plane&n=50", notes)
    assert spec.layers == (8, 8) and spec.activation == ("tanh",) and spec.loss == "mse" and len(notes) == 5
    assert [note for note in notes if "lr" in note.en] and all(note.ru for note in notes)


def test_a_training_with_another_optimizer_brings_its_settings():
    spec = ov.Training("xor", **SMALL, optimizer="adam", beta1=0.8, lr=0.05, l2=0.1)
    h = ov.train(spec, optimizer="momentum", momentum=0.5)
    np.testing.assert_array_equal(h.weights, ov.train("xor", **SMALL, optimizer="momentum", momentum=0.5, lr=0.05, l2=0.1).weights)
