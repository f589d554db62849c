"""The split, wrong labels, features and the affine preparation, each against its definition."""

import numpy as np
import pytest

from optviz.autograd import Value
from optviz.chance import Draw, generator
from optviz.core import Refused, T
from optviz.datasets import handwriting
from optviz.preparing import FEATURES, Preparation, features, mislabel, preparations, split

DRAWN = np.random.default_rng(0)
MIXED = DRAWN.normal(size=(200, 3)) @ [[2.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.1]] + [5.0, -3.0, 100.0]


def rng(seed=0, draw=Draw.SPLIT):
    return generator(seed, draw)


def cov(X):
    return np.cov(X, rowvar=False, bias=True)


# --- split and labels ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "share", "train"), [(500, 0.5, 250), (10, 0.25, 2), (7, 1.0, 7), (7, 0.0, 1), (1, 0.5, 1), (1797, 0.8, 1438)])
def test_the_split_is_a_partition(n, share, train):
    a, b = split(n, share, rng())
    assert sorted([*a, *b]) == list(range(n))
    assert len(a) == train


def test_the_split_follows_its_seed_and_grows_with_its_share():
    a, b = split(100, 0.3, rng(1))[0], split(100, 0.6, rng(1))[0]
    np.testing.assert_array_equal(b[:30], a)
    assert not np.array_equal(split(100, 0.3, rng(2))[0], a)
    assert not np.array_equal(np.sort(a), np.arange(30))


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(Refused, match="train=.* is impossible"):
        split(10, share, rng())
    with pytest.raises(Refused, match="label_noise=.* is impossible"):
        mislabel(np.array([0, 1]), 2, share, rng())


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_share_of_the_labels_is_wrong(classes, share):
    y = np.arange(1000) % classes
    noisy = mislabel(y, classes, share, rng(3, Draw.LABELS))
    assert (noisy != y).sum() == 1000 * share
    assert set(noisy) == set(range(classes))
    assert y.tolist() == (np.arange(1000) % classes).tolist()


def test_wrong_labels_are_any_other_class_and_stay_wrong_as_the_share_grows():
    y = np.zeros(3000, int)
    counts = np.bincount(mislabel(y, 4, 1.0, rng(0, Draw.LABELS)), minlength=4)
    assert counts[0] == 0
    assert np.all(abs(counts[1:] - 1000) < 100)
    few, many = (mislabel(y, 4, share, rng(0, Draw.LABELS)) for share in (0.2, 0.4))
    np.testing.assert_array_equal(many[few != 0], few[few != 0])


# --- features -----------------------------------------------------------------------------------------------------------------------


def test_features_are_what_their_names_say():
    X = DRAWN.normal(size=(20, 2))
    x, y = X.T
    expected = {"x": x, "y": y, "x2": x**2, "y2": y**2, "xy": x * y, "sinx": np.sin(x), "siny": np.sin(y)}
    assert list(FEATURES) == list(expected)
    np.testing.assert_array_equal(features(X), X)
    np.testing.assert_allclose(features(X, list(expected)), np.stack(list(expected.values()), -1), rtol=1e-15)
    np.testing.assert_allclose(features(X, ["siny", "x", "x"]), np.stack([np.sin(y), x, x], -1), rtol=1e-15)
    K = np.stack([X, X + 1])
    np.testing.assert_array_equal(features(K, ["xy", "x2"])[1], features(X + 1, ["xy", "x2"]))


def test_other_inputs_stay_as_they_are():
    X = DRAWN.normal(size=(5, 64))
    np.testing.assert_array_equal(features(X), X)
    with pytest.raises(Refused, match="features are made of two inputs, and this data has 64; leave them at x, y"):
        features(X, ["x", "x2"])


def test_an_unknown_feature_and_none_at_all_are_refused():
    with pytest.raises(Refused, match="unknown name 'sin_x'; did you mean sinx"):
        features(MIXED[:, :2], ["sin_x"])
    with pytest.raises(Refused, match="choose at least one feature of x, y, x2"):
        features(MIXED[:, :2], [])


# --- centre, decorrelate, scale -----------------------------------------------------------------------------------------------------


def test_each_step_has_its_texts():
    assert list(preparations) == ["centre", "decorrelate", "scale"]
    assert all(isinstance(text, T) for step in preparations.values() for text in (step.name, step.idea))


def test_no_step_changes_nothing():
    np.testing.assert_array_equal(Preparation.fit(MIXED)(MIXED), MIXED)


def test_centre_subtracts_the_mean_and_scale_divides_by_the_deviation():
    np.testing.assert_allclose(Preparation.fit(MIXED, ["centre"])(MIXED), MIXED - MIXED.mean(0), atol=1e-12)
    np.testing.assert_allclose(Preparation.fit(MIXED, ["scale"])(MIXED), MIXED / MIXED.std(0), rtol=1e-12)
    np.testing.assert_allclose(Preparation.fit(MIXED, ["centre", "scale"])(MIXED), (MIXED - MIXED.mean(0)) / MIXED.std(0), atol=1e-12)
    np.testing.assert_allclose(Preparation.fit(MIXED, ["scale", "centre"])(MIXED), (MIXED - MIXED.mean(0)) / MIXED.std(0), atol=1e-12)


def test_decorrelate_is_the_root_of_the_covariance():
    p = Preparation.fit(MIXED, ["decorrelate"])
    values, vectors = np.linalg.eigh(cov(MIXED))
    np.testing.assert_allclose(p.matrix, vectors @ np.diag(values**-0.5) @ vectors.T, rtol=1e-9)
    np.testing.assert_allclose(p(MIXED), MIXED @ p.matrix, rtol=1e-12)


@pytest.mark.parametrize("steps", [["decorrelate"], ["centre", "decorrelate"], ["centre", "decorrelate", "scale"], ["scale", "decorrelate"]], ids=str)
def test_what_is_decorrelated_has_unit_covariance(steps):
    """Row 23: Cov(X̂) = I; scaling what is decorrelated changes nothing more."""
    Y = Preparation.fit(MIXED, steps)(MIXED)
    np.testing.assert_allclose(cov(Y), np.eye(3), atol=1e-10)
    if "centre" in steps:
        np.testing.assert_allclose(Y.mean(0), 0, atol=1e-10)


def test_a_preparation_is_fitted_on_the_training_part_only():
    train, other = MIXED[:100], MIXED[100:]
    p = Preparation.fit(train, ["centre", "scale"])
    np.testing.assert_allclose(p(other), (other - train.mean(0)) / train.std(0), atol=1e-12)


def test_networks_in_lockstep_are_prepared_each_by_its_own_data():
    K = np.stack([MIXED, MIXED[::-1] * [1.0, 7.0, 0.1], MIXED @ np.diag([1.0, 0.0, 1.0])])
    p = Preparation.fit(K, ["centre", "decorrelate", "scale"])
    assert (p.matrix.shape, p.shift.shape) == ((3, 3, 3), (3, 1, 3))
    for k in range(3):
        np.testing.assert_allclose(p(K)[k], Preparation.fit(K[k], ["centre", "decorrelate", "scale"])(K[k]), atol=1e-11)


@pytest.mark.parametrize("steps", [["centre", "decorrelate", "scale"], ["decorrelate", "scale"], ["scale", "centre", "decorrelate"], ["centre", "scale"]], ids=str)
@pytest.mark.parametrize("extra", [np.full(200, 0.1), np.zeros(200), np.full(200, 1e9), MIXED[:, 0], MIXED[:, 0] - MIXED[:, 1]],
                         ids=["a tenth", "zero", "a billion", "a duplicate", "a sum"])
def test_constant_and_duplicate_features_do_not_blow_up(steps, extra):
    """A constant has no scale to divide by; of a duplicate, only the directions that vary get unit variance."""
    X = np.column_stack([MIXED, extra])
    Y = Preparation.fit(X, steps)(X)
    Y -= Y.mean(0)
    assert abs(Y).max() < 10
    assert np.linalg.matrix_rank(cov(Y), tol=1e-8) == 3
    if steps[-1] == "decorrelate":
        values = np.linalg.eigvalsh(cov(Y))
        np.testing.assert_allclose(values, [0, 1, 1, 1], atol=1e-8)


def test_data_that_never_varies_stay_as_they_are_but_for_their_mean():
    """Their mean is rounded, so what is left after it is not 0: nothing may be divided by that."""
    X = np.full((200, 2), [0.1, 0.3])
    assert (X - X.mean(0)).any()
    np.testing.assert_array_equal(Preparation.fit(X, ["scale"])(X), X)
    for steps in (["centre", "scale"], ["centre", "decorrelate"], ["centre", "decorrelate", "scale"]):
        np.testing.assert_allclose(Preparation.fit(X, steps)(X), 0, atol=1e-12)


def test_more_inputs_than_examples_are_decorrelated_where_they_vary():
    X = DRAWN.normal(size=(6, 20))
    values = np.linalg.eigvalsh(cov(Preparation.fit(X, ["centre", "decorrelate"])(X)))
    np.testing.assert_allclose(values, [0.0] * 15 + [1.0] * 5, atol=1e-9)


def test_digits_are_decorrelated_though_some_pixels_never_change():
    images, _ = handwriting()
    Y = Preparation.fit(images, ["centre", "decorrelate"])(images)
    moving = images.std(0) > 0
    np.testing.assert_allclose(cov(Y[:, moving]), np.eye(moving.sum()), atol=1e-8)
    np.testing.assert_allclose(Y[:, ~moving], 0, atol=1e-10)


def test_very_different_units_are_no_reason_to_lose_an_input():
    X = MIXED * [1e6, 1.0, 1e-3]
    np.testing.assert_allclose(cov(Preparation.fit(X, ["decorrelate"])(X)), np.eye(3), atol=1e-5)


def test_one_example_can_be_prepared():
    one = np.array([[3.0, 4.0]])
    np.testing.assert_array_equal(Preparation.fit(one, ["centre", "scale"])(one), [[0, 0]])
    np.testing.assert_array_equal(Preparation.fit(one, ["centre", "decorrelate", "scale"])(one), [[0, 0]])


def test_a_gradient_goes_back_through_a_preparation():
    p = Preparation.fit(MIXED, ["centre", "decorrelate"])
    inputs = Value(MIXED[:4])
    p(inputs).sum().backward()
    np.testing.assert_allclose(inputs.grad, np.ones((4, 3)) @ p.matrix.T, rtol=1e-12)


def test_an_unknown_step_is_refused():
    with pytest.raises(Refused, match="unknown name 'center'; did you mean centre"):
        Preparation.fit(MIXED, ["center"])
