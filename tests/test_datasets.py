"""Every data set against its closed form, and a visitor's own data: what is kept and what is refused."""

import hashlib
import math
import pickle
import re

import numpy as np
import pytest

from optviz.chance import Draw, generator
from optviz.core import Refused, T
from optviz.datasets import counted, dataset, datasets, handwriting

GENERATED = [key for key in datasets if datasets[key].size is None]
X4 = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 9.0]])


def test_the_sets_are_those_of_the_course():
    assert list(datasets) == ["circle", "xor", "gauss", "spiral", "moons", "blobs", "checkerboard", "plane", "gauss_bumps", "x_sin_x", "random", "digits"]


# --- what holds for all -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", datasets)
def test_a_sample_has_the_promised_shape(key):
    d = datasets[key]
    s = d.sample(301, 0.2, seed=3)
    assert s.X.shape == (301, d.inputs or 1000)
    assert s.X.dtype == np.float64
    assert np.isfinite(s.X).all()
    if d.kind == "classes":
        assert s.y.shape == (301,)
        assert s.y.dtype == np.int64
        assert set(s.y) == set(range(s.classes))
        assert len(set(s.labels)) == s.classes
    else:
        assert s.y.shape == (301, 10 if key == "random" else 1)
        assert s.y.dtype == np.float64
        assert (s.classes, s.labels) == (0, ())


@pytest.mark.parametrize("key", datasets)
def test_a_seed_draws_the_same_and_another_seed_does_not(key):
    a, b, c = (datasets[key].sample(100, 0.3, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a.X, b.X)
    np.testing.assert_array_equal(a.y, b.y)
    assert not np.array_equal(a.X, c.X)


@pytest.mark.parametrize("key", datasets)
def test_noise_moves_and_does_not_redraw(key):
    """What noise adds is proportional to it: the same direction for each point (or its label), whatever the amount."""
    a, b, c = (datasets[key].sample(200, noise, seed=1) for noise in (0.0, 0.1, 0.2))
    if key in ("circle", "xor", "checkerboard", "plane", "gauss_bumps", "x_sin_x", "random"):  # there it moves labels and targets
        np.testing.assert_array_equal(a.X, b.X)
        assert not np.array_equal(a.y, b.y)
        if key in ("plane", "x_sin_x", "random"):
            np.testing.assert_allclose(c.y - a.y, 2 * (b.y - a.y), atol=1e-12)
    else:
        np.testing.assert_array_equal(a.y, b.y)
        assert not np.array_equal(a.X, b.X)
        if key in ("gauss", "blobs"):  # there it widens
            root = [math.sqrt(0.5 + 7 * noise) for noise in (0.0, 0.1, 0.2)]
            np.testing.assert_allclose((c.X - a.X) * (root[1] - root[0]), (b.X - a.X) * (root[2] - root[0]), atol=1e-12)
        else:
            np.testing.assert_allclose(c.X - a.X, 2 * (b.X - a.X), atol=1e-12)


@pytest.mark.parametrize(("key", "params"), [("circle", {}), ("xor", {}), ("gauss", {}), ("spiral", {}), ("spiral", {"arms": 5}), ("moons", {}),
                                             ("blobs", {"classes": 4}), ("checkerboard", {}), ("digits", {})])
def test_every_beginning_is_balanced(key, params):
    s = datasets[key].sample(1000, seed=2, **params)
    for length in (100, 300, 1000):
        share = np.bincount(s.y[:length], minlength=s.classes) / length
        assert np.all(abs(share - 1 / s.classes) < 0.12), share
    if key not in ("xor", "checkerboard", "digits"):  # these are drawn in turn, not by chance
        assert np.ptp(np.bincount(s.y[:length])) <= 1


@pytest.mark.parametrize("key", [key for key in datasets if datasets[key].box])
def test_nearly_all_points_lie_in_the_box(key):
    d = datasets[key]
    s = d.sample(2000, 0.1, seed=0)
    points = s.X if d.inputs == 2 else np.hstack([s.X, s.y])
    (x0, x1), (y0, y1) = d.box
    inside = (points[:, 0] > x0) & (points[:, 0] < x1) & (points[:, 1] > y0) & (points[:, 1] < y1)
    assert inside.mean() > 0.98


@pytest.mark.parametrize("key", datasets)
def test_a_data_set_can_be_hashed_compared_and_sent_to_a_worker(key):
    d = datasets[key]
    again = pickle.loads(pickle.dumps(d))
    assert again == d
    assert hash(again) == hash(d)
    np.testing.assert_array_equal(again.sample(20, 0.1, 4).X, d.sample(20, 0.1, 4).X)


@pytest.mark.parametrize("key", GENERATED)
def test_without_a_number_there_are_500(key):
    assert len(datasets[key].sample(**({"inputs": 3} if key == "random" else {})).X) == 500


@pytest.mark.parametrize(("key", "given", "words"), [
    ("circle", {"n": 0}, "n=0 is impossible"), ("circle", {"n": 2.5}, "n=2.5 is impossible"), ("circle", {"n": 10_001}, "n=10001 is impossible"),
    ("circle", {"noise": -0.1}, "noise=-0.1 is impossible"), ("circle", {"noise": math.nan}, "noise=nan is impossible"),
    ("circle", {"seed": -1}, "seed=-1 is impossible"), ("circle", {"arms": 3}, "unknown name 'arms=3'"), ("spiral", {"arms": 9}, "arms=9 is impossible"),
    ("blobs", {"classes": 1}, "classes=1 is impossible"), ("random", {"inputs": 0}, "inputs=0 is impossible"),
    ("digits", {"n": 1798}, "there are 1797 examples, not 1798; choose n up to 1797")])
def test_what_cannot_be_drawn_is_refused_in_one_sentence(key, given, words):
    with pytest.raises(Refused, match=words) as refused:
        datasets[key].sample(**given)
    assert re.search("[а-я]", refused.value.text.ru)


def test_one_example_is_a_sample_too():
    for key in datasets:
        assert len(datasets[key].sample(1, 0.5).X) == 1


# --- each set's closed form ---------------------------------------------------------------------------------------------------------


def test_circle_is_a_disc_in_a_ring():
    s = datasets["circle"].sample(1000, seed=7)
    r = np.hypot(*s.X.T)
    inner = r < 2.5
    assert np.all(inner | (r >= 3.5))
    assert r.max() < 5
    np.testing.assert_array_equal(s.y, inner)
    assert s.labels[1] == 1  # the inside is +1, as in the Playground
    assert inner.sum() == 500
    assert abs(r[inner].mean() - 1.25) < 0.1  # the radius is uniform, the area is not
    assert abs(r[~inner].mean() - 4.25) < 0.1
    assert abs(np.arctan2(*s.X.T).mean()) < 0.2


@pytest.mark.parametrize(("key", "reach", "label"), [
    ("circle", 5, lambda x, y: x * x + y * y < 6.25), ("xor", 5, lambda x, y: (x >= 0) == (y >= 0)),
    ("checkerboard", 2.5, lambda x, y: (x // 2.5 + y // 2.5) % 2 == 1)])
def test_a_label_is_taken_where_the_noise_would_move_the_point(key, reach, label):
    """As in the Playground: the points stay, and near a border some carry the label of the other side."""
    calm, noisy = (datasets[key].sample(500, noise, seed=7) for noise in (0.0, 0.2))
    shift = generator(7, Draw.NOISE).uniform(-reach, reach, (500, 2)) * 0.2
    assert noisy.y.tolist() == [int(label(x, y)) for x, y in calm.X + shift]
    assert 0.02 < (calm.y != noisy.y).mean() < 0.4


def test_xor_keeps_off_the_axes():
    s = datasets["xor"].sample(1000, seed=1)
    assert abs(s.X).min() >= 0.3
    assert 5 < abs(s.X).max() <= 5.3
    np.testing.assert_array_equal(np.array(s.labels)[s.y], np.sign(s.X[:, 0] * s.X[:, 1]))


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.25, 2.25), (0.5, 4.0)])
def test_gauss_has_its_centres_and_variance(noise, variance):
    s = datasets["gauss"].sample(10_000, noise, seed=0)
    for index, centre in ((0, -2), (1, 2)):
        cloud = s.X[s.y == index]
        np.testing.assert_allclose(cloud.mean(0), centre, atol=0.1)
        np.testing.assert_allclose(cloud.var(0), variance, rtol=0.06)


@pytest.mark.parametrize("arms", [2, 3, 8])
def test_spirals_lie_on_their_curves(arms):
    n = 40 * arms
    s = datasets["spiral"].sample(n, seed=3, arms=arms)
    assert s.labels == counted(arms)
    for arm in range(arms):
        x, y = s.X[s.y == arm].T
        i = np.hypot(x, y) / 5 * 40
        np.testing.assert_allclose(np.sort(i), np.arange(40), atol=1e-9)
        t = 3.5 * math.pi * i / 40 + 2 * math.pi * (arm + 1) / arms
        np.testing.assert_allclose(np.stack([x, y]), i / 8 * np.stack([np.sin(t), np.cos(t)]), atol=1e-9)


def test_two_spirals_are_the_playgrounds():
    """Its first arm is +1 and starts upwards; the other is the same turned by half a turn, and is −1."""
    s = datasets["spiral"].sample(500, seed=0)
    first, second = (s.X[s.y == index][np.argsort(np.hypot(*s.X[s.y == index].T))] for index in (1, 0))
    t = 1.75 * np.arange(250) / 250 * 2 * np.pi
    np.testing.assert_allclose(first, (np.arange(250) / 250 * 5)[:, None] * np.stack([np.sin(t), np.cos(t)], -1), atol=1e-12)
    np.testing.assert_allclose(second, -first, atol=1e-12)


def test_moons_are_half_circles():
    s = datasets["moons"].sample(400, seed=0)
    upper, lower = s.X[s.y == 0], s.X[s.y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, atol=1e-12)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, atol=1e-12)
    assert upper[:, 1].min() > -1e-12
    assert lower[:, 1].max() < 0.5 + 1e-12
    assert (upper[:, 0].min(), lower[:, 0].max()) == (-1, 2)


def test_blobs_stand_on_a_circle():
    s = datasets["blobs"].sample(10_000, seed=0, classes=5)
    centres = np.stack([s.X[s.y == k].mean(0) for k in range(5)])
    np.testing.assert_allclose(np.hypot(*centres.T), 4, atol=0.1)
    np.testing.assert_allclose(np.linalg.norm(centres - np.roll(centres, 1, 0), axis=1), 8 * math.sin(math.pi / 5), atol=0.1)
    np.testing.assert_allclose(s.X[s.y == 0].var(0), 0.5, rtol=0.1)


def test_checkerboard_is_four_by_four():
    s = datasets["checkerboard"].sample(10_000, seed=0)
    column, row = np.floor((s.X + 5) / 2.5).astype(int).T
    assert set(column) == set(row) == {0, 1, 2, 3}
    colours = {(c, r): set(s.y[(column == c) & (row == r)]) for c in range(4) for r in range(4)}
    assert all(colours[c, r] == {(c + r) % 2} for c, r in colours)


def test_plane_is_a_tenth_of_the_sum():
    s = datasets["plane"].sample(500, seed=0)
    np.testing.assert_allclose(s.y[:, 0], (s.X[:, 0] + s.X[:, 1]) / 10, atol=1e-15)
    assert 5.9 < abs(s.X).max() < 6


def test_bumps_are_the_playgrounds():
    """Of six cones the one that is largest in absolute value, as its source says it, point by point."""
    s = datasets["gauss_bumps"].sample(500, seed=0)
    for (x, y), target in zip(s.X, s.y[:, 0], strict=True):
        label = 0.0
        for cx, cy, sign in ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1)):
            new = sign * max(0, 1 - math.dist((x, y), (cx, cy)) / 2)
            label = new if abs(new) > abs(label) else label
        assert target == pytest.approx(label, abs=1e-12)
    assert abs(s.y).max() > 0.9


def test_x_sin_x_is_what_its_name_says():
    s = datasets["x_sin_x"].sample(500, seed=0)
    np.testing.assert_allclose(s.y, [[x * math.sin(x)] for x in s.X[:, 0]], atol=1e-12)


def test_random_numbers_are_the_twenty_line_networks():
    s = datasets["random"].sample(64, seed=0)
    assert (s.X.shape, s.y.shape) == ((64, 1000), (64, 10))
    assert abs(s.X.mean()) < 0.02
    assert abs(s.X.std() - 1) < 0.02
    assert abs(s.y.std() - 1) < 0.1
    assert datasets["random"].sample(30, inputs=7, outputs=2).y.shape == (30, 2)


def test_digits_are_those_of_the_archive():
    """Counts, sums and the checksum of the 1,797 rows that scikit-learn ships: 64 pixels, then the digit."""
    images, y = handwriting()
    assert (images.min(), images.max()) == (0, 1)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.sum() * 16 / 1797 == pytest.approx(312.58653311)
    rows = np.hstack([images * 16, y[:, None]]).astype(np.uint8)
    assert hashlib.sha256(rows.tobytes()).hexdigest() == "68aea062d35a127749050fa0e52dca09d6569ac08092c925610e0954e172dde2"


def test_digits_are_drawn_without_repeats_and_keep_their_label():
    s = datasets["digits"].sample(seed=4)
    images, y = handwriting()
    known = {image.tobytes(): label for image, label in zip(images, y, strict=True)}
    assert len(s.X) == 1797
    assert [known[image.tobytes()] for image in s.X] == s.y.tolist()
    assert sorted(map(bytes, s.X)) == sorted(map(bytes, images))
    assert datasets["digits"].image == (8, 8)


def test_a_sample_can_be_written_on():
    s = datasets["digits"].sample(5)
    s.X[:] = 7
    assert handwriting()[0].max() == 1


# --- a visitor's own data -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("y", "labels"), [
    ([1, -1, 1, -1], (-1, 1)), ([0, 1, 1, 0], (0, 1)), ([3, 7, 5, 7], (3, 5, 7)), ([1.0, -1.0, 1.0, -1.0], (-1, 1)), (["cat", "ant", "cat", "bee"], ("ant", "bee", "cat")),
    ([True, False, True, True], (False, True)), (np.array([["b"], ["a"], ["a"], ["b"]]), ("a", "b")), (np.array([2, 4, 4, 2], np.int8), (2, 4)),
    (np.array(["b", "a", "b", "b"], object), ("a", "b"))], ids=str)
def test_labels_are_kept(y, labels):
    d = dataset(X4, y)
    assert (d.kind, d.labels, d.size, d.inputs) == ("classes", labels, 4, 2)
    assert [type(label) for label in d.labels] == [type(label) for label in labels]
    s = d.sample(seed=1)
    kept = {tuple(x): label for x, label in zip(X4, np.ravel(y).tolist(), strict=True)}
    assert [kept[tuple(x)] for x in s.X] == [s.labels[index] for index in s.y]
    assert len(s.X) == 4


@pytest.mark.parametrize(("y", "kind"), [([0.5, 1, 2, 3], None), ([0, 1, 0, 1], "values"), (np.arange(8).reshape(4, 2), None), (np.arange(8).reshape(4, 2), "values")], ids=str)
def test_targets_are_kept(y, kind):
    d = dataset(X4, y, kind=kind)
    targets = np.reshape(np.array(y, float), (4, -1))
    s = d.sample(seed=1)
    assert (d.kind, s.classes, s.y.dtype) == ("values", 0, np.float64)
    kept = {tuple(x): row.tolist() for x, row in zip(X4, targets, strict=True)}
    assert [kept[tuple(x)] for x in s.X] == s.y.tolist()


def test_a_subset_is_drawn_from_the_seed_and_noise_is_relative_to_the_column():
    X = np.arange(400.0).reshape(200, 2) * [1, 1000]
    d = dataset(X, np.arange(200) % 2)
    a, b, moved = d.sample(50, seed=1), d.sample(50, seed=1), d.sample(50, 0.1, seed=1)
    np.testing.assert_array_equal(a.X, b.X)
    assert not np.array_equal(a.X, d.sample(50, seed=2).X)
    assert set(map(tuple, a.X)) <= set(map(tuple, X))
    assert len(set(map(tuple, a.X))) == 50
    np.testing.assert_array_equal(a.y, moved.y)
    np.testing.assert_allclose((moved.X - a.X).std(0), 0.1 * X.std(0), rtol=0.3)
    with pytest.raises(Refused, match="there are 200 examples, not 201"):
        d.sample(201)


def test_own_data_are_compared_by_content_and_can_be_sent_to_a_worker():
    a, b = dataset(X4, [0, 1, 0, 1]), dataset(X4.tolist(), np.array([0, 1, 0, 1]))
    assert a == b
    assert hash(a) == hash(b)
    assert pickle.loads(pickle.dumps(a)) == a
    others = [dataset(X4 + 1, [0, 1, 0, 1]), dataset(X4, [1, 0, 1, 0]), dataset(X4, [0, 1, 0, 1], name="mine"), dataset(X4, [0, 2, 0, 2]),
              dataset(X4, [0, 1, 0, 1], kind="values")]
    assert len({a, *others}) == 6


def test_what_the_visitor_changes_afterwards_changes_nothing():
    X = X4.copy()
    d = dataset(X, [0, 1, 0, 1])
    X[:] = 0
    assert d == dataset(X4, [0, 1, 0, 1])


def test_own_data_have_a_name_and_a_box():
    d = dataset(X4, [0, 1, 0, 1], name="  my\nflowers ")
    assert d.name == T("my flowers", "my flowers")
    np.testing.assert_allclose(d.box, ((-0.6, 6.6), (0.2, 9.8)))
    np.testing.assert_allclose(dataset(X4[:, :1], [0.5, 1, 2, 3]).box, ((-0.6, 6.6), (0.25, 3.25)))
    assert dataset(np.eye(4), [0, 1, 0, 1]).box is None
    assert dataset(X4, [0, 1, 0, 1], name=" ").name.en == "Your data"
    assert dataset(np.ones((2, 2)), [0, 1]).box == ((0.0, 2.0), (0.0, 2.0))
    assert dataset(np.full((2, 2), -1e17), [0, 1]).box == ((-1.1e17, -0.9e17),) * 2, "wide enough to be told apart"


@pytest.mark.parametrize(("X", "y", "more", "words"), [
    ([[1, 2], [3]], [0, 1], {}, "row 2 of X (the first is row 1) holds [3]; give every row as many numbers as the first"),
    ([[1, 2], [3, "x"]], [0, 1], {}, "row 2 of X (the first is row 1) holds 'x'; give finite numbers only"),
    ([["1", "2"], ["3", "4"]], [0, 1], {}, "row 1 of X (the first is row 1) holds '1'"),
    ([[1, 2], [3, None]], [0, 1], {}, "row 2 of X (the first is row 1) holds None"),
    ([[1, 2], [math.inf, 4]], [0, 1], {}, "row 2 of X (the first is row 1) holds inf"),
    ([[1, 2], [3, math.nan]], [0, 1], {}, "row 2 of X (the first is row 1) holds nan"),
    ([[1, 2], [3, 1e200]], [0, 1], {}, "row 2 of X (the first is row 1) holds 1e+200"),
    ([[1, 2], [10**400, 1]], [0, 1], {}, "row 2 of X"), ([[1, 2], [1j, 1]], [0, 1], {}, "row 1 of X"),
    (X4[:, 0], [0, 1, 0, 1], {}, "its shape is (4,); a single input is a table of one column"),
    (np.zeros((4, 0)), [0, 1, 0, 1], {}, "1 to 1000 columns"), (np.zeros((4, 1001)), [0, 1, 0, 1], {}, "1 to 1000 columns"),
    (np.zeros((2, 2, 2)), [0, 1], {}, "X must be a list or a table"), ({}, [0, 1], {}, "X must be a list or a table"), (None, [0, 1], {}, "X must be"),
    (np.zeros((5001, 2)), np.zeros(5001), {}, "X has 5001 rows; give 1 to 5000"), (np.zeros((0, 2)), [], {}, "X has 0 rows; give 1 to 5000"),
    (X4, [0, 1, 0], {}, "X has 4 rows and y has 3; give y one label or target for each row"), (X4, 5, {}, "y must be a list or a table"),
    (X4, [0, 1, None, 1], {}, "row 3 of y (the first is row 1) holds None; give a text or a finite number"),
    (X4, [0, 1, math.nan, 1], {}, "row 3 of y"), (X4, ["a", "b", " ", "a"], {}, "row 3 of y (the first is row 1) holds ' '"),
    (X4, ["a", "b", 3, "a"], {}, "row 3 of y (the first is row 1) holds 3; give labels that are all texts or all numbers"),
    (X4, [0, 1, 0.5, 1], {"kind": "classes"}, "row 3 of y (the first is row 1) holds 0.5; give whole numbers as labels, or say kind=\"values\""),
    (X4, ["a", "b", "a", "b"], {"kind": "values"}, "row 1 of y (the first is row 1) holds 'a'; give finite numbers only"),
    (X4, [1, 1, 1, 1], {}, "y has 1 different labels; give 2 to 100"), (np.zeros((101, 1)), range(101), {}, "y has 101 different labels; give 2 to 100"),
    (X4, np.eye(4), {"kind": "classes"}, "y must hold one label for each row"), (X4, np.zeros((4, 101)), {}, "y has 101 columns; give 1 to 100"),
    (X4, [0, 1, 0, 1], {"kind": "labels"}, "kind='labels' is impossible; allowed: {classes, values}")], ids=str)
def test_data_that_cannot_be_used_are_refused_in_one_sentence(X, y, more, words):
    with pytest.raises(Refused, match=re.escape(words)) as refused:
        dataset(X, y, **more)
    assert re.search("[а-я]", refused.value.text.ru)
    assert "\n" not in refused.value.text.en
