"""What the network's stage is told: its message, unpacked, against the trainer itself."""

import json
import struct

import numpy as np
import pytest

import optviz as ov
from optviz.network_scene import network_scene, run_key
from optviz.palette import COLOURS, THEMES
from optviz.render.network_wire import pack_network
from optviz.study import Study

KINDS = {"float32": np.float32, "float64": np.float64}


def unpack(data):
    """The head of a message, with its arrays in their places."""
    length, size = struct.unpack("<II", data[:8])
    assert (8 + length) % 8 == 0 and len(data) == 8 + length + size

    def filled(value):
        if isinstance(value, list) and len(value) == 3 and value[0] in list(KINDS):
            return np.frombuffer(data, KINDS[value[0]], value[2], 8 + length + value[1])
        if isinstance(value, dict):
            return {name: filled(v) for name, v in value.items()}
        return [filled(v) for v in value] if isinstance(value, list) else value
    return filled(json.loads(data[8:8 + length]))


def told(study, trainer, first=0, running=False, language="en"):
    return unpack(pack_network(network_scene(study, trainer, first, running), language, {"play": "Play"}, 3))


def test_a_message_has_what_the_stage_needs():
    s = Study("circle", layers=(3, 2), activation=("maxout", "prelu"), batchnorm="before", residual=True, dropout=0.25, dropout_form="at_test", epochs=4, n=30, val=0.4,
              features=("x", "y", "xy"), prepare=("centre", "scale"), hidden=("val",), neuron=(1, 2))
    trainer = s.trainer()
    head = told(s, trainer.run(until=2))
    assert set(head) == {"run", "take", "heard", "kind", "labels", "inputs", "box", "points", "net", "frames", "epochs", "state", "sentence", "look", "colours", "texts", "themes", "language"}
    assert head["colours"] == list(COLOURS)
    assert (head["kind"], head["labels"], head["box"], head["epochs"], head["state"], head["sentence"], head["take"]) == ("classes", ["−1", "1"], [[-6, 6], [-6, 6]], 4, "ready", None, 3)
    assert head["look"] == {"hidden": ["val"], "discrete": False, "neuron": [1, 2], "warp": None, "matrix": False, "at": None}
    assert head["texts"] == {"play": "Play"} and head["language"] == "en" and set(head["themes"]) == set(THEMES)
    net = head["net"]
    assert net["widths"] == [3, 3, 2, 1] and net["blocks"] == [[b.layer, b.kind, *b.shape, b.at.start] for b in trainer.net.blocks]
    assert [(layer["activation"], layer["pieces"], layer["learned"]) for layer in net["layers"]] == [("maxout", 2, None), ("prelu", 1, "alpha"), ("linear", 1, None)]
    assert (net["batchnorm"], net["layernorm"], net["residual"], net["bias"], net["features"], net["keep"]) == ("before", "none", True, True, ["x", "y", "xy"], 0.75)
    prepared = np.stack([head["points"]["x"], head["points"]["y"], head["points"]["x"] * head["points"]["y"]], -1) @ net["matrix"].reshape(3, 3) + net["shift"]
    np.testing.assert_allclose(prepared, trainer.all_x, atol=1e-5)
    np.testing.assert_array_equal(head["points"]["label"], trainer.known)
    assert head["points"]["train"] == trainer.count == 18


def test_frames_are_the_passes():
    s = Study("circle", layers=(3, 2), batchnorm="after", epochs=4, n=30)
    trainer = s.trainer().run(until=2)
    first, p = told(s, trainer)["frames"], trainer.net.size
    assert (first["first"], first["passes"], len(first["theta"]), len(first["running"])) == (0, [0, 1, 2], 3 * p, 3 * 2 * 5)
    more = told(s, trainer.run(), 3)["frames"]
    assert (more["first"], more["passes"]) == (3, [3, 4])
    for k, (passes, theta, running) in enumerate(trainer.kept):
        part, at = (first, k) if k < 3 else (more, k - 3)
        np.testing.assert_array_equal(part["theta"][at * p:(at + 1) * p], theta.astype(np.float32))
        mean, variance = running[1]
        np.testing.assert_array_equal(part["running"][at * 10 + 6:at * 10 + 10], np.concatenate([mean[0], variance[0]]).astype(np.float32))
        for column, name in enumerate(("loss_train", "loss_val", "accuracy_train", "accuracy_val")):
            assert part[name][at] == np.float32(trainer.rows[passes][column])


def test_a_pass_that_is_not_kept_is_shown_until_another_takes_its_place():
    s = Study("circle", layers=(2,), epochs=250, n=20)
    trainer = s.trainer().run(until=4)
    assert told(s, trainer, 1)["frames"]["passes"] == [3, 4]
    assert told(s, trainer.run(until=6), 2)["frames"]["passes"] == [6]


def test_a_diverged_training_shows_its_last_good_frame_and_says_why():
    s = Study("gauss", activation="relu", lr=50.0)
    trainer = s.trainer().run()
    head = told(s, trainer, language="ru")
    assert head["state"] == "diverged" and "ушли в бесконечность" in head["sentence"]
    assert head["frames"]["passes"] == list(range(int(trainer.diverged_at)))
    for name in ("theta", "loss_train", "loss_val"):
        assert np.isfinite(head["frames"][name]).all()
    at_once = Study("gauss", activation="relu", init="normal", init_scale=1e200)
    assert told(at_once, at_once.trainer())["frames"]["passes"] == [0]


def test_states():
    s = Study("gauss", layers=(3,), n=20, epochs=3)
    trainer = s.trainer()
    assert told(s, trainer)["state"] == "ready" and told(s, trainer, running=True)["state"] == "running"
    assert told(s.at(stop_passes=2), trainer.run(until=2), running=True)["state"] == "stopped"
    head = told(s, trainer.run(), running=True)
    assert head["state"] == "done" and head["sentence"] is None


def test_values_and_what_is_not_in_the_plane():
    s = Study("plane", layers=(3,), n=20, epochs=1)
    head = told(s, s.trainer())
    assert head["kind"] == "values" and head["labels"] == [] and head["frames"]["accuracy_train"] is None and head["frames"]["running"] is None and head["net"]["keep"] is None
    np.testing.assert_allclose(head["points"]["label"], (head["points"]["x"] + head["points"]["y"]) / 10, atol=1e-6)
    s = Study("digits", layers=(3,), n=20, epochs=1)
    head = told(s, s.trainer().run())
    assert head["points"] is None and head["box"] is None and head["net"]["features"] == [] and head["net"]["matrix"] is None and head["frames"]["passes"] == [0, 1]
    assert head["inputs"] == 64


def test_one_input_has_a_curve():
    s = Study("x_sin_x", layers=(3,), n=20, epochs=1, prepare=("centre", "scale"))
    trainer = s.trainer()
    head = told(s, trainer)
    assert (head["inputs"], head["box"], head["net"]["features"]) == (1, [[0, 10], [-8, 10]], ["x"])
    np.testing.assert_allclose(head["points"]["y"], head["points"]["x"] * np.sin(head["points"]["x"]), atol=1e-5)
    np.testing.assert_array_equal(head["points"]["y"], head["points"]["label"])
    np.testing.assert_allclose(head["points"]["x"] * head["net"]["matrix"] + head["net"]["shift"], trainer.all_x[:, 0], atol=1e-5)
    for labels, heights in (("no", "yes"), (-1.15, 1.15)), (("a", "b", "c", "d"), (1.1, 1.2, 1.3, 1.4)):
        s = Study(ov.dataset([[0.0], [1.0], [2.0], [4.0]], (labels * 2)[:4]), layers=(2,), loss="ce", val=0.0)
        head = told(s, s.trainer())
        assert sorted(set(head["points"]["y"])) == pytest.approx(heights) and head["labels"] == list(labels) and head["inputs"] == 1
        np.testing.assert_array_equal(head["points"]["y"], np.array(heights, np.float32)[head["points"]["label"].astype(int)])
        assert head["box"][0] == pytest.approx([-0.4, 4.4]) and head["box"][1][0] < 0 < max(heights) < head["box"][1][1]
    s = Study("random", data_inputs=1, data_outputs=2, layers=(2,), n=20)
    (low, high), _ = (head := told(s, s.trainer()))["box"]
    assert low < head["points"]["x"].min() and head["points"]["x"].max() < high


def test_own_data_keep_their_labels():
    s = Study(ov.dataset([[0, 1], [1, 0], [2, 3], [4, 4]], ["left", "right", "left", "up"]), layers=(2,), loss="ce", val=0.0)
    head = told(s, s.trainer())
    assert head["labels"] == ["left", "right", "up"] and sorted(head["points"]["label"]) == [0, 0, 1, 2] and head["box"][0][0] < 0


@pytest.mark.parametrize("change", [{"lr": 0.1}, {"seed": 1}, {"weights": (0.5,) * 9}, {"data": ov.dataset([[0, 1], [1, 0.5]], [0, 1])}])
def test_another_training_is_another_run(change):
    s = Study("xor", layers=(2,))
    assert run_key(s) != run_key(s.at(**change)) == run_key(s.at(**change))
    assert run_key(s) == run_key(s.at(stop_loss=0.1, matrix=True, at=3)), "stops and looks are not"


def test_own_data_that_differ_in_one_point_are_another_run():
    one, other = (Study(ov.dataset([[0, 1], [1, y]], [0, 1]), layers=()) for y in (0.5, 0.25))
    assert run_key(one) != run_key(other)
