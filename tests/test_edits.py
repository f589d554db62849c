"""Points and weights changed by hand: what an edit makes of a study, what stays, and what is refused."""

import re

import numpy as np
import pytest

import optviz as ov
from optviz.datasets import own
from optviz.edits import MOST_CLASSES, taken_back, with_points, with_weights
from optviz.ending import advance, lacking, stopped
from optviz.network_scene import network_scene, run_key
from optviz.study import LINKED, Study, blocks

SMALL = {"layers": (3,), "n": 30, "epochs": 6}
STARTS = {"spiral": {}, "gauss": {"noise": 0.3, "label_noise": 0.2, "val": 0.3}, "blobs": {"data_classes": 4, "loss": "ce"}, "plane": {"noise": 0.1}, "circle": {"val": 0.0}}


def points(study):
    """What the stage shows: rows x, y, label, and how many of them train."""
    dots = network_scene(study, study.trainer()).points
    return np.stack([dots.x, dots.y, dots.label], -1), dots.train


def edited(study, edit):
    return with_points(study, study.trainer(), edit)


@pytest.mark.parametrize("key", STARTS)
def test_an_edit_changes_one_point_and_no_other_nor_its_part_nor_the_first_weights(key):
    s = Study(key, **SMALL | STARTS[key])
    before, train = points(s)
    label = 0.5 if key == "plane" else 1
    added, train_added = points(edited(s, {"add": [1.25, -0.5, label]}))
    at = train if train_added > train else len(before)
    np.testing.assert_array_equal(added, np.insert(before, at, [1.25, -0.5, label], 0))
    moved, train_moved = points(edited(s, {"move": [3, 0.5, 0.25]}))
    np.testing.assert_array_equal(np.delete(moved, 3, 0), np.delete(before, 3, 0))
    assert moved[3].tolist() == [0.5, 0.25, before[3, 2]] and train_moved == train
    erased, train_erased = points(edited(s, {"erase": [0, 2, len(before) - 1]}))
    np.testing.assert_array_equal(erased, before[[1, *range(3, len(before) - 1)]])
    assert train_erased == train - 2 - (train == len(before))
    for other in (edited(s, {"add": [1.25, -0.5, label]}), edited(edited(s, {"erase": [0]}), {"move": [1, 0, 0]})):
        np.testing.assert_array_equal(other.trainer().theta, s.trainer().theta)
        assert other["data"].box == s["data"].box and other["data"].labels == s.trainer().labels and run_key(other) != run_key(s)
        assert all(other[name] == s[name] for name in ("lr", "val", "layers", "seed", "loss")) and (other["noise"], other["label_noise"]) == (0, 0)


def test_the_share_that_validates_is_kept_in_every_class():
    s = edited(Study("spiral", layers=(2,), val=0.5), {"clear": True})
    for k in range(12):
        s = edited(s, {"add": [k / 3, 0, k % 2]})
    rows, train = points(s)
    assert train == 6 and sorted(rows[:train, 2]) == [0, 0, 0, 1, 1, 1]
    unheld = s.at(val=0.25)
    assert unheld.trainer().count == 9 and unheld["data"].make.held is None and s.redrawn().trainer().count == 6 and s.reseeded()["data"] == s["data"]


def test_an_empty_plane_fills_point_by_point():
    s = edited(Study("moons", layers=(3,), epochs=5, loss="logistic"), {"clear": True})
    first = s.trainer().theta
    said = []
    for edit in ({"add": [0, 0, 1]}, {"add": [1, 1, 1]}, {"add": [0.5, 0.5, 0]}):
        trainer = s.trainer()
        assert stopped(s, trainer).state == "waiting" and advance(s, trainer, 0.0).passes == 0
        scene = network_scene(s, trainer)
        assert scene.state == "waiting" and re.search("[а-яё]", scene.sentence.ru) and scene.box == ov.datasets["moons"].box
        assert (len(scene.points.x), scene.points.train, scene.labels) == (len(said), min(len(said), 1), ["−1", "1"])
        np.testing.assert_array_equal(trainer.theta, first)
        said.append(scene.sentence.en)
        s = edited(s, edit)
    assert "empty" in said[0] and "another" in said[1] and "another" in said[2]
    trainer = s.trainer()
    assert stopped(s, trainer) is None and trainer.count == 2 and advance(s, trainer, 9.0).passes == 5
    one = edited(edited(Study("plane", layers=(2,)), {"clear": True}), {"add": [0, 0, 0.5]})
    assert "One point" in lacking(one.trainer()).en and lacking(edited(one, {"add": [1, 0, 0.5]}).trainer()) is None
    assert lacking(Study("gauss", n=2).trainer()) is None, "nobody's own"


def test_somebody_trains_whatever_is_erased():
    s = Study("gauss", **SMALL)
    rows, train = points(s)
    left, trains = points(edited(s, {"erase": list(range(train))}))
    assert trains == 1 and len(left) == len(rows) - train


def test_classes_keep_their_names_and_one_more_can_be_made():
    s = Study("gauss", **SMALL)
    rows, _ = points(s)
    gone = edited(s, {"erase": np.flatnonzero(rows[:, 2] == 0).tolist()})
    assert network_scene(gone, gone.trainer()).labels == ["−1", "1"] and gone.trainer().net.widths == s.trainer().net.widths
    for label in range(2, MOST_CLASSES):
        s = edited(s, {"add": [0, 0, label]})
    assert s["data"].labels == (-1, 1, 2, 3, 4, 5, 6, 7, 8, 9) and s.trainer().net.widths[-1] == MOST_CLASSES
    with pytest.raises(ov.Refused):
        edited(s, {"add": [0, 0, MOST_CLASSES]})
    named = Study(ov.dataset([[0, 1], [1, 0], [2, 3]], ["4", "x", "x"]), layers=())
    assert edited(named, {"add": [0, 0, 2]})["data"].labels == ("4", "x", "3")
    assert edited(edited(named, {"add": [0, 0, 2]}), {"add": [0, 0, 3]})["data"].labels == ("4", "x", "3", "5")


def test_points_stay_in_the_box_and_those_outside_it_where_they_are():
    s = Study("gauss", noise=0.5, **SMALL)
    before, _ = points(s)
    assert abs(before[:, :2]).max() > 6
    after, _ = points(edited(s, {"move": [0, 99, -1e50]}))
    assert after[0, :2].tolist() == [6, -6]
    np.testing.assert_array_equal(after[1:], before[1:])


@pytest.mark.parametrize("edit", [{}, {"add": [1, 2]}, {"add": [1, 2, 3]}, {"add": [1, 2, -1]}, {"add": [1, 2, True]}, {"add": ["1", 2, 0]}, {"add": [None, 2, 0]}, {"add": [float("nan"), 0, 1]},
                                  {"add": [1, float("inf"), 0]}, {"move": [30, 0, 0]}, {"move": [-1, 0, 0]}, {"move": [0.5, 0, 0]}, {"erase": [0, 30]}, {"erase": ["0"]}, {"erase": 1},
                                  {"clear": 0}, {"add": [0, 0, 1], "clear": True, "x": [[[]]] * 99}, {"drop": "table"}, [], None, "add"], ids=str)
def test_what_no_stage_says_is_refused_in_one_sentence(edit):
    with pytest.raises(ov.Refused) as refused:
        edited(Study("gauss", **SMALL), edit)
    assert re.search("[а-яё]", refused.value.text.ru) and len(refused.value.text.en) < 200


def test_there_is_an_end_to_points_and_a_plane_they_need():
    with pytest.raises(ov.Refused, match="two inputs"):
        edited(Study("digits", layers=(2,), n=10), {"clear": True})
    s = Study(own(np.zeros((5000, 2)), np.arange(5000) % 2, (0, 1), box=((-1, 1), (-1, 1))), layers=())
    with pytest.raises(ov.Refused, match="5000 points already"):
        edited(s, {"add": [0, 0, 1]})


def test_own_data_say_who_validates():
    X, y = np.arange(12.0).reshape(6, 2), [0, 1, 0, 1, 1, 1]
    held = np.array([True, False, False, True, False, False])
    s = Study(ov.dataset(X, y, held=held, labels=(0, 1, 2)), layers=(), loss="ce")
    trainer = s.trainer()
    np.testing.assert_array_equal(trainer.raw, X[[1, 2, 4, 5, 0, 3]])
    assert trainer.count == 4 and trainer.labels == (0, 1, 2) and trainer.net.widths == (2, 3)
    assert run_key(s) != run_key(Study(ov.dataset(X, y, labels=(0, 1, 2)), layers=(), loss="ce")) != run_key(Study(ov.dataset(X, y), layers=(), loss="ce"))
    for wrong in ([True] * 6, [False] * 5, [0] * 6):
        with pytest.raises(ov.Refused, match="held must say"):
            ov.dataset(X, y, held=wrong)
    with pytest.raises(ov.Refused, match="labels does not name 1"):
        ov.dataset(X, y, labels=(0, 2))


# --- weights ----------------------------------------------------------------------------------------------------------------------------


def test_weights_of_a_pass_with_some_set_by_hand_are_the_first():
    s = Study("xor", **SMALL)
    trainer = s.trainer().run(until=4)
    theta = {passes: theta for passes, theta, _ in trainer.snapshots}[2]
    other = with_weights(s, trainer, [[0, 0], [5, -2.5]], 2)
    np.testing.assert_array_equal(other.trainer().theta, [0, *theta[1:5], -2.5, *theta[6:]])
    assert other["at"] is None and len(other.weights) == 13 and other.unlinked == () and Study.from_query(other.to_query()) == other
    many = Study("xor", layers=(8,), epochs=250).trainer().run(until=4)
    far = with_weights(Study("xor", layers=(8,), epochs=250), many, [[0, 1]], 4)  # 4 is shown until 6 takes its place
    assert far.weights[1] == many.theta[1] and far.unlinked and len(far.weights) > LINKED
    assert with_weights(Study("xor", layers=(8,), epochs=250), many.run(until=5), [[0, 1]], 4).weights[1] == many.kept[1][1][1], "else the last one before it"


@pytest.mark.parametrize("changes", [[[0, 1e9]], [[0, float("nan")]], [[0, float("inf")]], [[0, None]], [[0, "1"]], [[13, 1]], [[-1, 1]], [[0.0, 1]], [0], [[0]], "ab", {"0": 1}, [[0, [1, 2]]]], ids=str)
def test_weights_that_cannot_be_are_refused(changes):
    s = Study("xor", **SMALL)
    with pytest.raises(ov.Refused) as refused:
        with_weights(s, s.trainer(), changes, 0)
    assert re.search("[а-яё]", refused.value.text.ru) and len(refused.value.text.en) < 200


def test_edits_are_taken_back_and_other_settings_stay():
    s = Study("gauss", noise=0.2, weights=np.arange(13) / 10, **SMALL)
    cleared = edited(s, {"clear": True}).at(lr=0.5)
    assert taken_back(cleared, s) == s.at(lr=0.5) and cleared.weights == s.weights
    reweighted = with_weights(s, s.trainer(), [[0, 1]], 0)
    assert taken_back(reweighted, s) == s
    wider = taken_back(reweighted.at(layers=(4,)), s)
    assert wider.weights == () and wider["layers"] == (4,) and blocks(wider.training) != blocks(s.training)
    own_before = edited(s, {"move": [0, 1, 1]})
    assert taken_back(edited(own_before, {"erase": [1]}), own_before) == own_before
