"""Every augmentation against NumPy's own turning, mirroring and rolling, and what amounts and generators promise."""

import numpy as np
import pytest

from optviz.augment import augmentations, mirrored, moved, turned
from optviz.chance import Draw, generator
from optviz.core import Refused, T

IMAGE = (8, 8)
POINTS = np.random.default_rng(0).normal(size=(50, 2))
IMAGES = np.random.default_rng(1).uniform(size=(20, 64))
BATCHES = [(POINTS, None), (IMAGES, IMAGE)]


def rng(moment=0):
    return generator(0, Draw.AUGMENT, moment)


def pictures(X):
    return X.reshape(-1, 8, 8)


def test_there_are_four_with_their_texts():
    assert list(augmentations) == ["jitter", "rotate", "flip", "shift"]
    assert all(isinstance(text, T) for a in augmentations.values() for text in (a.name, a.idea))


@pytest.mark.parametrize(("X", "image"), BATCHES, ids=["points", "images"])
@pytest.mark.parametrize("key", augmentations)
def test_amount_0_is_the_identity_and_the_default_is_not(key, X, image):
    a, before = augmentations[key], X.copy()
    np.testing.assert_array_equal(a.rule(X, 0.0, rng(), image), X)
    assert not np.array_equal(a.rule(X, a.amount.default, rng(), image), X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(("X", "image"), BATCHES, ids=["points", "images"])
@pytest.mark.parametrize("key", augmentations)
def test_a_generator_draws_the_same_again_and_another_moment_does_not(key, X, image):
    a = augmentations[key]
    first, again, later = (a.rule(X, a.amount.default, rng(moment), image) for moment in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, later)


@pytest.mark.parametrize(("X", "image"), BATCHES, ids=["points", "images"])
@pytest.mark.parametrize("key", augmentations)
def test_networks_in_lockstep_see_what_each_would_see_alone(key, X, image):
    a = augmentations[key]
    amounts = np.array([0.0, 0.3, 1.0])
    K = np.stack([X, 2 * X, X[::-1]])
    together = a.rule(K, amounts[:, None, None], rng(), image)
    shared = a.rule(X, amounts[:, None, None], rng(), image)
    for k in range(3):
        np.testing.assert_array_equal(together[k], a.rule(K[k], amounts[k], rng(), image))
        np.testing.assert_array_equal(shared[k], a.rule(X, amounts[k], rng(), image))


def test_jitter_is_normal_with_its_deviation():
    change = augmentations["jitter"].rule(np.zeros((5000, 2)), 0.3, rng(), None)
    assert abs(change.std() - 0.3) < 0.01
    assert abs(change.mean()) < 0.01
    assert abs((abs(change) < 0.3).mean() - 0.683) < 0.02


def test_points_turn_counterclockwise_around_the_origin():
    np.testing.assert_allclose(turned(np.array([[1.0, 0.0], [0.0, 2.0]]), 90.0), [[0, 1], [-2, 0]], atol=1e-15)
    z = POINTS @ [1, 1j] * np.exp(1j * np.radians(33))
    np.testing.assert_allclose(turned(POINTS, 33.0), np.stack([z.real, z.imag], -1), atol=1e-14)


def test_a_random_angle_is_uniform_between_its_bounds():
    ones = np.tile([1.0, 0.0], (5000, 1))
    x, y = augmentations["rotate"].rule(ones, 40.0, rng(), None).T
    angle = np.degrees(np.arctan2(y, x))
    np.testing.assert_allclose(np.hypot(x, y), 1, rtol=1e-12)
    assert -40 <= angle.min() < -39
    assert 39 < angle.max() <= 40
    assert abs(angle.std() - 80 / np.sqrt(12)) < 0.5


@pytest.mark.parametrize("quarters", [-1, 0, 1, 2, 3])
def test_an_image_turned_by_quarters_is_rot90(quarters):
    np.testing.assert_allclose(pictures(turned(IMAGES, 90.0 * quarters, IMAGE)), np.rot90(pictures(IMAGES), quarters, (1, 2)), atol=1e-12)


def test_an_image_turns_as_its_points_do():
    """The centre of mass of a small spot goes where the point goes (x to the right, y upwards)."""
    spot = np.zeros((8, 8))
    spot[2, 5], spot[2, 6], spot[3, 5], spot[3, 6] = 1, 2, 3, 2
    row, column = np.mgrid[:8, :8]

    def middle(image):
        return np.array([(image * (column - 3.5)).sum(), (image * (3.5 - row)).sum()]) / image.sum()

    after = turned(spot.reshape(1, 64), 25.0, IMAGE).reshape(8, 8)
    np.testing.assert_allclose(middle(after), turned(middle(spot)[None], 25.0)[0], atol=0.05)
    assert after.sum() == pytest.approx(spot.sum(), rel=0.05)


def test_mirrored_is_left_for_right():
    np.testing.assert_array_equal(mirrored(POINTS), POINTS * [-1, 1])
    np.testing.assert_array_equal(pictures(mirrored(IMAGES, IMAGE)), pictures(IMAGES)[:, :, ::-1])


@pytest.mark.parametrize(("X", "image"), [(np.abs(np.tile(POINTS, (40, 1))) + 0.1, None), (np.tile(IMAGES, (100, 1)), IMAGE)], ids=["points", "images"])
@pytest.mark.parametrize("amount", [0.5, 0.2, 1.0])
def test_flip_has_its_probability_and_leaves_the_others_alone(X, image, amount):
    after = augmentations["flip"].rule(X, amount, rng(), image)
    flipped = (after == mirrored(X, image)).all(-1)
    assert np.all(flipped | (after == X).all(-1))
    assert abs(flipped.mean() - amount) < 0.04


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, 0), (0, -2), (2, 3), (-1, 1), (7, 0)])
def test_an_image_moved_by_whole_pixels_is_rolled_where_nothing_wraps(down, right):
    after = pictures(moved(IMAGES, np.array([[down, right]]), IMAGE))
    rolled = np.roll(pictures(IMAGES), (down, right), (1, 2))
    row, column = np.mgrid[:8, :8]
    wrapped = (row - down < 0) | (row - down > 7) | (column - right < 0) | (column - right > 7)
    np.testing.assert_array_equal(after, np.where(wrapped, 0.0, rolled))


def test_between_pixels_an_image_is_bilinear():
    by = np.array([[0.25, -0.6]])
    whole = {(d, r): moved(IMAGES, np.array([[d, r]]), IMAGE) for d in (0, 1) for r in (-1, 0)}
    expected = 0.75 * 0.6 * whole[0, -1] + 0.75 * 0.4 * whole[0, 0] + 0.25 * 0.6 * whole[1, -1] + 0.25 * 0.4 * whole[1, 0]
    np.testing.assert_allclose(moved(IMAGES, by, IMAGE), expected, atol=1e-15)


def test_an_image_that_left_the_frame_is_zero():
    np.testing.assert_array_equal(moved(IMAGES, np.array([[8.0, 0.0]]), IMAGE), np.zeros_like(IMAGES))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_points_shift_on_every_axis_within_the_bound(d):
    change = augmentations["shift"].rule(np.zeros((2000, d)), 1.5, rng(), None)
    assert -1.5 <= change.min() < -1.49
    assert 1.49 < change.max() <= 1.5
    assert abs(change.std() - 3 / np.sqrt(12)) < 0.05
    assert len(np.unique(change)) == 2000 * d


def test_images_shift_by_their_own_vectors():
    dot = np.zeros((500, 64))
    dot[:, 3 * 8 + 3] = 1.0
    after = pictures(augmentations["shift"].rule(dot, 2.0, rng(), IMAGE))
    row, column = np.mgrid[:8, :8]
    down, right = (after * row).sum((1, 2)) - 3, (after * column).sum((1, 2)) - 3
    np.testing.assert_allclose(after.sum((1, 2)), 1, rtol=1e-12)
    assert 1.95 < max(abs(down).max(), abs(right).max()) <= 2
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.15


@pytest.mark.parametrize("key", ["rotate", "flip"])
@pytest.mark.parametrize("d", [1, 3, 64])
def test_what_is_neither_a_plane_nor_an_image_is_not_turned(key, d):
    with pytest.raises(Refused, match="only points of a plane and images can be turned or mirrored; choose jitter or shift"):
        augmentations[key].rule(np.zeros((4, d)), 0.5, rng(), None)
