"""The regularization lab's experiments: their claims with their numbers, references that are not our code, and absurd settings."""

import re
from dataclasses import fields

import numpy as np
import pytest
import torch

import optviz as ov
from optviz.chance import Draw, generator
from optviz.core import T
from optviz.race import Race
from optviz.regular import amount, auxiliary, batchnorm, dropout, prepared, several, smoothing, stopping, weights
from optviz.regular.findings import findings

FULL = {"lr": 0.1, "batch": None}


MADE = {}


def result(key):
    """Every experiment is made once, though several findings tell of it."""
    f = findings[key]
    asked = f.experiment, f.training, repr(f.own)
    if asked not in MADE:
        MADE[asked] = f.run()
    return MADE[asked]


# --- the findings -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", findings)
def test_the_numbers_on_the_screen_are_those_that_are_measured(key):
    numbers = findings[key].tell(result(key))
    # another machine adds up in another order, and a median of steps or a share of few points may then move by one
    assert numbers == pytest.approx(findings[key].measured, rel=0.12, abs=0.02), numbers
    assert "{" not in findings[key].see.en + findings[key].see.ru


def texts():
    for key, f in findings.items():
        yield from ((f"{key}.{name}", getattr(f, name)) for name in ("name", "do", "sentence", "see"))
    for module in (weights, dropout, batchnorm, auxiliary):
        for name, table in vars(module).items():
            if name.isupper() and isinstance(table, dict):
                yield from ((f"{name}.{key}", text) for key, row in table.items() for text in (row if isinstance(row, tuple) else [row]) if isinstance(text, T))


def test_every_text_is_in_both_languages():
    told = dict(texts())
    assert len(findings) >= 10 and len(told) > 80
    for where, text in told.items():
        assert not re.search("[а-яё]", text.en, re.I), where
        assert re.search("[а-яё]", text.ru, re.I) or (text.en == text.ru and where.isascii() and where[0].isupper()), where
        assert not re.search(r"\d\.\d", text.ru), f"{where}: a decimal point in Russian"


def test_a_step_that_was_never_made_has_no_number():
    assert "–" in findings["bn_place"].told((float("nan"), 1, 2)).en


# --- weights ------------------------------------------------------------------------------------------------------------------------------


def test_only_a_proximal_step_makes_zeros_and_l2_only_shrinks():
    p = result("zeros")
    kind = {key: i for i, key in enumerate(p.kinds)}
    assert not p.zeros[kind["sign"]].any() and not p.zeros[kind["l2"]].any()
    for key in ("proximal", "elastic"):
        assert p.zeros[kind[key], 0] == 0 and p.zeros[kind[key], -1] == 1
        assert (np.diff(p.zeros[kind[key]]) >= -0.05).all()
    assert (np.diff(p.lengths[kind["l2"]]) < 0).all()
    assert (p.counts.sum(-1) == p.weights.shape[1]).all()


def test_the_share_of_zeros_holds_over_seeds():
    t = findings["zeros"].training
    h = ov.train(t, l1=0.01, seed=np.arange(10), epochs=150)
    by_sign = ov.train(t, l1=0.01, l1_step="sign", seed=np.arange(10), epochs=150)
    zeros, none = ((x.weights[x.net.is_weight > 0] == 0).mean(0) for x in (h, by_sign))
    assert zeros.min() > 0.2 and none.max() == 0


LINEAR = ov.Training("gauss", noise=0.4, n=80, val=0.0, layers=(), features=("x", "y", "x2", "xy"), prepare=("centre", "scale"), loss="mse", epochs=600, **FULL)


def test_l2_ends_at_ridge_regression_and_l1_where_its_conditions_hold():
    p = weights.paths(LINEAR, 0.01, 1.0, 3)
    t = ov.Trainer(LINEAR)
    x, y = t.all_x, t.shown_y[:, 0] - t.shown_y.mean()
    for k, strength in enumerate(p.lambdas):
        ridge = np.linalg.solve(2 * x.T @ x / len(x) + strength * np.eye(4), 2 * x.T @ y / len(x))
        np.testing.assert_allclose(p.weights[p.kinds.index("l2"), :, k], ridge, rtol=1e-6)
        w = p.weights[p.kinds.index("proximal"), :, k]
        slope = 2 * x.T @ (x @ w - y) / len(x)
        np.testing.assert_allclose(slope[w != 0], -strength * np.sign(w[w != 0]), rtol=1e-6)
        assert (np.abs(slope[w == 0]) <= strength).all()


def test_the_trench_is_the_loss_of_a_neuron_with_one_input_twice_and_lambda_lifts_it():
    training = ov.Training("gauss", noise=0.2)
    t = weights.trench(training, 0.3)
    for w in ([0.2, -0.7], [1.0, 0.5]):
        twice = ov.Trainer(training, features=("x", "x"), layers=(), bias=False, loss="mse", weights=w)
        assert t.surface.at(strength=0.0).value(*w) == pytest.approx(float(twice.rows[0][0]), rel=1e-5)
        assert t.surface.value(*w) == pytest.approx(float(twice.rows[0][0]) + 0.15 * np.dot(w, w), rel=1e-5)
    square = (ov.Trainer(training).raw[:250, 0][:ov.Trainer(training).count] ** 2).mean()
    np.testing.assert_allclose(t.eigenvalues, np.stack([t.strengths, t.strengths + 4 * square], 1), rtol=1e-5, atol=1e-12)
    assert t.eigenvalues[0, 0] == 0
    np.testing.assert_allclose(t.surface.gradient(*t.minimum), 0, atol=1e-5)
    opened = Race.from_query(t.query).surface
    assert opened.value(0.3, -0.4) == pytest.approx(t.surface.value(0.3, -0.4))
    assert r"\lambda" in t.surface.latex


# --- dropout ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["inverted", "at_test"])
@pytest.mark.parametrize("more", [{}, {"batchnorm": "after"}, {"activation": "maxout"}], ids=str)
def test_a_thinned_network_is_a_network_of_its_own(form, more):
    training = ov.Training("circle", layers=(5, 4), n=40, epochs=3, dropout=0.4, dropout_form=form, loss="logistic", **more)
    e = dropout.ensemble(training, 3, 5)
    plane = np.stack(np.meshgrid(e.x, e.y), -1)
    for seed in range(3):
        np.testing.assert_allclose(e.outputs[seed, ..., 0], e.history.predict(plane, thinned=seed), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(e.whole[..., 0], e.history.predict(plane), rtol=1e-12, atol=1e-12)
    assert not e.kept.all()
    if not more:
        alone = ov.Trainer(training, dropout=0.0, weights=e.weights[0])
        np.testing.assert_allclose(alone.predict(plane), e.outputs[0, ..., 0], rtol=1e-12, atol=1e-12)


def test_the_mean_of_thinned_networks_is_better_than_one_of_them():
    e = result("ensemble")
    assert e.accuracy_mean > e.accuracy.mean() + 0.03 and e.accuracy_whole > e.accuracy.mean() + 0.03


def test_the_next_layer_is_given_as_much_in_training_as_at_test():
    e = dropout.expected(ov.Training("circle", layers=(8, 6), n=60, epochs=10, dropout=0.5, loss="logistic"), 400)
    off = np.abs(e.training - e.test) / e.error
    form = {key: i for i, key in enumerate(e.forms)}
    assert off[form["inverted"]].max() < 4 and off[form["at_test"]].max() < 4
    assert off[form["neither"]].max() > 10


def test_a_step_of_dropout_with_l2_is_deck_ds():
    training = ov.Training("circle", layers=(6,), n=30, val=0.0, epochs=1, dropout=0.5, l2=0.3, loss="mse", **FULL)
    before, after = ov.Trainer(training).theta, ov.train(training).weights
    t = ov.Trainer(training)
    order = generator(0, Draw.ORDER).permutation(30)
    stay = torch.tensor(generator(0, Draw.DROPOUT).random((30, 6)) >= 0.5)
    theta = [torch.tensor(p.copy(), requires_grad=True) for p in t.net.parts(before)]
    hidden = torch.tanh(torch.tensor(t.all_x[order]) @ theta[0] + theta[1]) * stay / 0.5
    ((hidden @ theta[2] + theta[3] - torch.tensor(t.shown_y[order])) ** 2).mean().backward()
    for p, w, b in zip(t.net.parts(after), theta, t.net.blocks, strict=True):
        decay = 1 - 0.1 * 0.3 if b.kind == "weight" else 1.0
        np.testing.assert_allclose(p, decay * w.detach().numpy() - 0.1 * w.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_l2_holds_down_the_weights_that_dropout_trains():
    lengths = result("with_l2").lengths
    assert lengths.shape == (2, 2, 10)
    assert (lengths[:, 1] < lengths[:, 0]).all()


# --- batch normalization ------------------------------------------------------------------------------------------------------------------


def test_batch_norm_needs_fewer_steps_and_stands_a_larger_rate():
    s = result("bn_steps")
    none, bn, x5, x30 = s.median[:4]
    assert s.steps.shape == (6, 10) and x5 < x30 < bn < none and none >= 1.5 * bn  # in the order of the printed table
    assert s.best[s.rows.index("sigmoid")] > s.best[s.rows.index("bare")] + 0.3
    printed = [row.steps for row in batchnorm.IMAGENET[:4]]
    assert printed[2] < printed[3] < printed[1] < printed[0]


def test_batch_norm_learns_from_any_first_weights():
    s = result("bn_init")
    assert (np.median(s.accuracy[1], -1) > 0.95).all()
    assert (np.median(s.accuracy[0], -1)[[0, -1]] < 0.7).all()


def test_at_batch_size_one_nothing_but_beta_is_left():
    c = result("bn_one")
    assert not c.normalized[-1].any() and np.ptp(c.outputs[-1], axis=0) == 0
    pair = c.normalized[list(c.sizes).index(2)]
    assert (np.abs(np.abs(pair[pair != 0]) - 1) < 0.05).mean() > 0.9  # of two, one is at −1 and the other at +1
    assert c.accuracy[0] > 0.9 > c.accuracy[-1] and c.agreement[0] > 0.9 > c.agreement[1] > c.agreement[2] == 0
    t = findings["bn_one"].training
    h = ov.train(t, batchnorm="before")
    parts = h.net.parts(h.weights)
    beta = [p for b, p in zip(h.net.blocks, parts, strict=True) if b.kind == "bn_shift"][-1]
    np.testing.assert_allclose(c.outputs[-1][0], (np.maximum(beta, 0) @ parts[-2] + parts[-1])[0], rtol=1e-10)


def test_running_statistics_catch_up_with_the_batches():
    r = result("bn_running")
    far = np.abs(np.log(r.variance / r.true_variance)).mean(1)
    assert (r.mean[0] == 0).all() and (r.variance[0] == 1).all()
    assert far[0] > 5 * far[-1] and r.accuracy[0, 5] > r.accuracy[1, 5] + 0.2 and r.accuracy[1, -1] > r.accuracy[1, 5] + 0.2


# --- label smoothing, stopping --------------------------------------------------------------------------------------------------------------


def test_smoothing_lowers_confidence_for_every_seed_and_calibrates():
    c = result("smoothing")
    assert c.mean.shape == (3, 10) and (np.diff(c.mean, axis=0) < 0).all()
    assert np.median(c.error[1]) < np.median(c.error[0]) < np.median(c.error[2])
    np.testing.assert_allclose(c.true_share, [1, 0.95, 0.9])


def test_the_calibration_error_bin_by_bin():
    training = ov.Training("circle", noise=0.3, n=60, layers=(8,), epochs=20, loss="ce", optimizer="adam")
    c = smoothing.confidence(training, (0.0,), 1, 5)
    h = ov.train(training)
    held = slice(h.trainer.count, None)
    chances, truth = h.probabilities(h.trainer.raw[held]), h.trainer.known[held]
    error = 0.0
    for low in np.arange(5) / 5:
        inside = [(max(p), int(np.argmax(p)) == y) for p, y in zip(chances, truth, strict=True) if low < max(p) <= low + 0.2]
        if inside:
            error += abs(sum(right for _, right in inside) - sum(sure for sure, _ in inside)) / len(truth)
    assert c.error[0, 0] == pytest.approx(error) and c.counts.sum() == 30


def test_early_stopping_gives_back_the_best_for_every_seed():
    training = findings["stopping"].training
    kept, last = np.zeros(10), np.zeros(10)
    for seed in range(10):
        s = result("stopping") if seed == 0 else stopping.stopping(ov.Training(**{**dict(training.values), "seed": seed, "epochs": 120}))
        kept[seed], last[seed] = s.loss_unseen
        assert s.stopped_at == s.best + 20 and s.loss_val[s.best] == s.loss_val[:s.stopped_at + 1].min()
        assert s.waited[s.stopped_at] == 20 and s.waited[:s.stopped_at].max() < 20
        assert s.loss_train[-1] < s.loss_train[s.best]  # the one falls while the other turns
    assert (kept < last).all() and last.mean() > 1.5 * kept.mean()


# --- amount of data, a second head ------------------------------------------------------------------------------------------------------------


def test_more_data_close_the_gap_for_nearly_every_seed():
    gap = result("more_data").gap[0]
    assert gap.shape == (2, 10) and (gap[1] < gap[0]).mean() >= 0.9 and np.median(gap[1]) < np.median(gap[0]) / 3


def test_turning_helps_on_a_disc_and_mirroring_harms_digits():
    disc, digits = result("augmentation").error[:, 0], result("wrong_augmentation").error[:, 0]
    assert (disc[1] < disc[0]).mean() >= 0.9 and np.median(disc[1]) < np.median(disc[0]) / 2
    assert (digits[1] > digits[0]).mean() >= 0.9


def test_the_accuracies_are_those_of_the_training():
    training = ov.Training("moons", noise=0.2, layers=(4,), epochs=4, batch=None)
    a = amount.amounts(training, (10, 30), {"jitter": 0.2}, 2)
    for k, jitter in enumerate((0.0, 0.2)):
        h = ov.train(training, n=510, val=500 / 510, seed=1, augment_jitter=jitter)
        assert h.trainer.count == 10
        assert (a.accuracy_train[k, 0, 1], a.accuracy_test[k, 0, 1]) == (h.accuracy_train[-1], h.accuracy_val[-1])


def test_answers_averaged_over_turned_copies_are_better():
    once, many = result("averaging").accuracy[0]
    assert (many > once).mean() >= 0.9


def test_a_second_task_helps_and_a_random_one_does_not():
    off, product, chance = result("auxiliary").accuracy_test
    gain = product - off
    assert len(gain) == 20 and gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(20)
    assert product.mean() > chance.mean() + 0.02 and chance.mean() < off.mean() + 0.005


# --- prepared data ------------------------------------------------------------------------------------------------------------------------


def test_each_step_makes_the_loss_rounder_and_descent_shorter():
    s = result("prepared")
    assert s.stages == ("raw", "centre", "decorrelate", "scale")
    for points, covariance, hessian, condition in zip(s.points, s.covariance, s.hessian, s.condition, strict=True):
        np.testing.assert_allclose(covariance, np.cov(points.T, ddof=0), atol=1e-10)
        assert condition == pytest.approx(np.linalg.cond(hessian), rel=1e-6)
    np.testing.assert_allclose(s.covariance[2:], np.eye(2) + np.zeros((2, 1, 1)), atol=1e-10)
    assert s.condition[0] > 50 * s.condition[1] > 50 * s.condition[2] and s.steps[0] > 50 * s.steps[1] > 50 * s.steps[2]


@pytest.mark.parametrize("steps", [(), ("centre",), ("centre", "scale")], ids=str)
def test_the_steps_are_those_of_a_training(steps):
    s = prepared.stages(ov.Training("gauss", noise=0.2, n=60, val=0.0), 2.0, 20.0, 0.5, order=steps)
    own = ov.dataset(s.points[0], np.where(s.y == 1, 1.0, -1.0)[:, None], kind="values")
    lr = 1 / np.linalg.eigvalsh(s.hessian[-1]).max()
    h = ov.train(own, prepare=steps, val=0.0, layers=(), init="zeros", loss="mse", batch=None, lr=lr, epochs=int(s.steps[-1]) + 2)
    excess = (h.loss_train - s.least[-1]) / (h.loss_train[0] - s.least[-1])
    assert int(np.argmax(excess <= 0.01)) == s.steps[-1]


def test_the_same_boundary_trembles_less_over_prepared_points():
    s = result("shaken")
    raw, ready = (line[0] / np.linalg.norm(line[0]) for line in s.lines)
    np.testing.assert_allclose(raw, ready, atol=1e-8)
    assert (s.flips[1] <= s.flips[0]).mean() > 0.9 and s.mean[0] > 20 * s.mean[1]
    assert not prepared.shaken(findings["shaken"].training, 0.0, 10).flips.any()


# --- absurd settings, refusals, hooks -------------------------------------------------------------------------------------------------------

TINY = {"n": 4, "epochs": 2, "layers": (3,), "loss": "logistic"}
RUNS = {
    "paths": lambda t: weights.paths(t, 1e-4, 1e6, 3), "trench": lambda t: weights.trench(t, 1e6),
    "ensemble": lambda t: dropout.ensemble(t, 2, 4), "expected": lambda t: dropout.expected(t, 20),
    "with_l2": lambda t: dropout.with_l2(t, (0.0, 0.99), (0.0, 1e6), 2),
    "steps_table": lambda t: batchnorm.steps_table(t, seeds=2), "batch_sizes": lambda t: batchnorm.batch_sizes(t, (32, 1)),
    "running": batchnorm.running_statistics, "sensitivity": lambda t: batchnorm.sensitivity(t, 1e-3, 1e6, 3, 2),
    "places": lambda t: batchnorm.places(t, seeds=2), "confidence": lambda t: smoothing.confidence(t, (0.0, 1.0), 2),
    "stopping": lambda t: stopping.stopping(t, 1), "averaged": lambda t: amount.averaged(t, copies=2, seeds=2),
    "heads": lambda t: auxiliary.heads(t, seeds=2), "stages": prepared.stages, "shaken": lambda t: prepared.shaken(t, 1e6, 10),
}
ONE_CLASS = ov.dataset([[0, 0], [1, 1], [2, 0], [3, 1], [4, 0], [5, 5]], [0, 0, 0, 0, 0, 1])
ABSURD = {
    "lambda": ov.Training("circle", l2=1e6, **TINY), "dropout": ov.Training("circle", dropout=0.99, **TINY),
    "rate": ov.Training("circle", lr=1e6, dropout=0.5, **TINY | {"epochs": 5}), "batch one": ov.Training("circle", batch=1, **TINY),
    "no validation": ov.Training("circle", val=0.0, **TINY), "one class": ov.Training(ONE_CLASS, val=0.4, seed=1, **TINY | {"n": 5}),
    "three classes": ov.Training("blobs", **TINY | {"loss": "ce"}),
}


@pytest.mark.parametrize("absurd", ABSURD)
@pytest.mark.parametrize("run", RUNS)
def test_absurd_settings_give_numbers(run, absurd):
    try:
        out = RUNS[run](ABSURD[absurd])
    except ov.Refused as why:
        assert (run, absurd) == ("averaged", "no validation"), why
        return
    for f in fields(out):
        value = getattr(out, f.name)
        if isinstance(value, np.ndarray):
            assert np.isfinite(value).all(), f.name


def test_amounts_of_hardly_any_data_are_numbers():
    a = amount.amounts(ov.Training("circle", **TINY), (2, 4), seeds=2)
    assert np.isfinite(a.gap).all() and np.isfinite(a.error).all() and a.kinds[0] == "none" and len(a.kinds) == 5


@pytest.mark.parametrize(("run", "training", "said"), [
    (stopping.stopping, ov.Training("digits", n=1797, epochs=0), "smaller n"), (prepared.stages, ov.Training("plane"), "data with classes"),
    (batchnorm.places, ov.Training("circle", layers=()), "at least one"), (dropout.ensemble, ov.Training("digits", n=50, epochs=0), "two inputs"),
    (prepared.shaken, ov.Training("digits", n=50), "two inputs"), (smoothing.confidence, ov.Training("circle", loss="mse"), "ce or logistic"),
    (dropout.ensemble, ov.Training("circle", residual=True), "residual off"), (auxiliary.heads, ov.Training("digits", n=50), "two inputs"),
], ids=lambda v: getattr(v, "__name__", None))
def test_what_cannot_be_shown_is_refused_in_a_sentence(run, training, said):
    with pytest.raises(ov.Refused, match=said):
        run(training)


def test_what_an_experiment_is_told_while_it_runs():
    seen = []
    training = ov.Training("circle", **TINY)
    batchnorm.places(training, seeds=1, progress=lambda done, all_: seen.append((done, all_)))
    assert seen == [(k, 6) for k in range(1, 7)]
    cut = batchnorm.steps_table(training, seeds=2, stop=lambda: True)
    assert (cut.steps <= 0).all() and np.isfinite(cut.curves).all()


def test_unseen_examples_are_none_of_the_trainings():
    for training in (ov.Training("circle", n=50, epochs=0), ov.Training("digits", n=50, epochs=0)):
        met = {row.tobytes() for row in ov.Trainer(training).raw}
        test = several.unseen(training, 50)
        assert len(test.X) == 50 and not met & {row.tobytes() for row in test.X}


def test_the_same_question_has_the_same_answer():
    a, b = (dropout.ensemble(ov.Training("circle", dropout=0.3, **TINY), 2, 4) for _ in range(2))
    np.testing.assert_array_equal(a.outputs, b.outputs)
