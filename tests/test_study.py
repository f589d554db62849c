"""The spec of the decision-boundary lab: its URL, what gives way to a change, when it stops, and how it checks itself."""

import pickle

import numpy as np
import pytest

import optviz as ov
from optviz.ending import LEARNED, NEARLY, by_heart, first_loss, sanity, stopped
from optviz.study import EDITED, LIMITS, LOOK, OWN, STOPS, Study

SMALL = {"layers": (4,), "n": 40, "epochs": 6}
OWN_POINTS = ov.dataset(np.arange(24.0).reshape(12, 2), ["a", "b", "c"] * 4)
OWN_VALUES = ov.dataset(np.arange(24.0).reshape(12, 2), np.linspace(0, 1, 12))
SPECS = [
    {}, {"data": "blobs", "data_classes": 4, "loss": "ce", "layers": (3, 3), "activation": ("relu", "elu"), "elu_alpha": 0.5, "stop_accuracy": 0.9, "stop_on": "train"},
    {"layers": (), "optimizer": "adam", "beta1": 0.8, "features": ("x2", "siny"), "prepare": ("centre", "scale"), "hidden": ("val",), "discrete": True, "at": 7},
    {"data": "xor", "layers": (2,), "weights": range(9), "neuron": (1, 1), "warp": 1, "matrix": True, "stop_loss": 0.05, "stop_plateau": 12, "stop_passes": 30},
]


# --- the URL -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", SPECS, ids=str)
def test_a_study_is_hashable_and_the_same_in_a_url(given):
    s = Study(**given)
    again = Study.from_query(s.to_query())
    assert again == s and hash(again) == hash(s) and pickle.loads(pickle.dumps(s)) == s and s.unlinked == ()
    assert again != s.at(stop_loss=0.125) and again != s.at(seed=9)
    for name, value in given.items():
        if name not in ("data", "weights"):
            assert s[name] == value


def test_defaults_are_left_out():
    assert Study().to_query() == "v=1&data=spiral&lr=0.03"
    assert all(f"&{name}=" not in Study(**SMALL).to_query() for name in (*STOPS, *LOOK))


REACHED = {"features": ("x", "y", "x2", "y2", "xy", "sinx", "siny"), "layers": (64,) * 8, "activation": ("tanh", "relu") * 4, "output_activation": "tanh", "loss": "ce", "optimizer": "adam",
           "beta1": 0.8, "schedule": "cosine", "schedule_T_max": 7, "clip_norm": 1.0, "batch": 1, "l1": 0.1, "l2": 0.1, "dropout": 0.5, "batchnorm": "after", "label_smoothing": 0.1,
           "patience": 5, "label_noise": 0.1, "prepare": ("centre", "decorrelate", "scale"), "val": 0.3, "epochs": 10_000, "n": 5000}


@pytest.mark.parametrize("name", REACHED)
def test_every_setting_of_the_lab_can_be_reached_and_linked(name):
    together = {"layers": (3,) * 8, "optimizer": "adam", "schedule": "cosine"}
    s = Study(**together).at(**{name: REACHED[name]})
    assert s[name] == REACHED[name] and Study.from_query(s.to_query()) == s


def test_own_data_do_not_fit_a_link_and_it_says_so():
    s = Study(OWN_POINTS, layers=(30,), weights=np.zeros(30 * 3 + 31 * 3), loss="ce")
    assert s.unlinked == (OWN, EDITED) and s["n"] == 12
    notes = []
    other = Study.from_query(s.to_query(), notes)
    assert notes == [OWN, EDITED] and other["data"].key == "spiral" and other["layers"] == (30,) and other.weights == ()
    with pytest.raises(ov.Refused, match="own data"):
        Study.from_query(s.to_query())


def test_a_tampered_url_falls_back_and_says_so():
    notes = []
    s = Study.from_query("data=xor&layers=8,65&epochs=99999&stop_loss=-1&neuron=1&warp=2.5&weights=1,2&wings=2&lr=0.1&stop_plateau=4", notes)
    assert s["layers"] == (8, 8) and s["epochs"] == 100 and s["lr"] == 0.1 and s["stop_plateau"] == 4 and s["stop_loss"] is None and s.weights == ()
    assert len(notes) == 7 and all(note.ru for note in notes)


def alone(query):
    """A query read where somebody takes notes, which never fails."""
    notes = []
    return Study.from_query(query, notes), notes


@pytest.mark.parametrize("query", ["neuron=9,9", "neuron=0,1&data=digits&n=5000", "weights=nan", "weights=1e999", "weights=" + "1," * 5000, "layers=&warp=1", "optimizer=newton&neuron=0,0",
                                   "data=own&data=own", "loss=ce&data=plane&loss_before=ce", "at=-1", "stop_on=both", "features=&layers=0", "%ff=%00", "&".join("ab" * 300)])
def test_no_query_breaks_it(query):
    s, _ = alone(query)
    assert alone(s.to_query()) == (s, [])


@pytest.mark.parametrize(("given", "says"), [({"layers": (65,)}, "up to 8"), ({"layers": (1,) * 9}, "up to 8"), ({"n": 5001}, "n=5001"), ({"epochs": 10_001}, "epochs"), ({"weights": [1.0]}, "9 numbers"),
                                             ({"weights": [np.inf] * 9}, "weights"), ({"stop_accuracy": 1.5}, "stop_accuracy"), ({"neuron": (1.0, 0)}, "neuron"), ({"wings": 1}, "wings"),
                                             ({"lr": np.ones(2)}, "one number")])
def test_what_cannot_be_is_refused_in_one_sentence(given, says):
    with pytest.raises(ov.Refused, match=says) as refusal:
        Study("xor", **{"layers": (2,)} | given)
    assert "\n" not in str(refusal.value)
    assert set(LIMITS) == {"layers", "epochs", "n"}


# --- a change, and what gives way to it ------------------------------------------------------------------------------------------------------


def test_another_optimizer_keeps_what_both_know():
    s = Study(optimizer="momentum", momentum=0.7, lr=0.05, l2=0.1).at(optimizer="nesterov")
    assert (s["momentum"], s["lr"], s["l2"]) == (0.7, 0.05, 0.1)
    s = s.at(optimizer="rmsprop", alpha=0.5).at(optimizer="asgd")
    assert s["lr"] == 0.05 and s["alpha"] == 0.75, "one letter, two things"
    assert s.at(optimizer="adadelta")["lr"] == 1.0, "a rate there is a multiple of a length that it finds itself"


def test_layers_come_and_go_with_an_activation_each():
    s = Study(layers=(4, 4), activation=("tanh", "relu"), penalty_layers=(1, 3), l2=0.1, neuron=(2, 3), warp=2)
    assert s.at(layers=(4, 4, 4))["activation"] == ("tanh", "relu", "relu")
    shallow = s.at(layers=(4,))
    assert (shallow["activation"], shallow["penalty_layers"], shallow["neuron"], shallow["warp"]) == (("tanh",), (1,), None, None)
    assert s.at(layers=())["activation"] == ("tanh",) and Study(layers=(4, 4)).at(layers=(4,) * 5)["activation"] == ("tanh",)
    assert s.at(layers=(3, 2))["neuron"] is None
    with pytest.raises(ov.Refused, match="names 2 layers of 3"):
        s.at(layers=(4, 4, 4), activation=("tanh", "relu"))


@pytest.mark.parametrize("loss", ["mse", "ce", "logistic"])
def test_values_drive_out_a_loss_of_classes_and_classes_bring_it_back(loss):
    s = Study("circle", loss=loss)
    values = s.at(data="plane")
    assert values["loss"] == "mse" and Study.from_query(values.to_query()) == values
    assert values.at(n=50).at(data="xor")["loss"] == loss
    assert values.at(data="gauss_bumps").at(data="xor")["loss"] == loss
    assert values.at(loss="half_mse").at(data="xor")["loss"] == "half_mse", "what was chosen since stays"
    with pytest.raises(ov.Refused, match="is for classes"):
        values.at(loss="ce")


def test_other_data_bring_what_they_need():
    s = Study("circle", features=("x", "x2"), augment_rotate=10.0, n=2000)
    digits = s.at(data="digits")
    assert (digits["features"], digits["n"], digits["augment_rotate"]) == (("x", "y"), 1797, 10.0)
    assert s.at(data="x_sin_x")["augment_rotate"] == 0.0
    own = s.at(data=OWN_POINTS)
    assert own["n"] == 12 and own["features"] == ("x", "x2") and own.at(data="xor")["n"] == 200 and own.at(data=OWN_VALUES)["loss"] == "mse"
    arms = Study("spiral", data_arms=3)
    assert arms.at(noise=0.1)["data_arms"] == 3 and arms.at(data="xor").at(data="spiral")["data_arms"] == 2
    for other in (digits, s.at(data="x_sin_x"), own):
        other.at(layers=(3,), epochs=1).trainer().run()


def test_weights_by_hand_stay_while_the_network_has_their_shape():
    s = Study("xor", layers=(2,), weights=range(9))
    np.testing.assert_array_equal(s.trainer().theta, range(9))
    for change in ({"lr": 0.1}, {"activation": "relu"}, {"noise": 0.2}, {"data": "circle"}, {"optimizer": "adam"}):
        assert s.at(**change).weights == s.weights, change
    for change in ({"layers": (3,)}, {"loss": "ce"}, {"features": ("x",)}, {"bias": False}, {"batchnorm": True}, {"seed": 1}, {"init": "he"}, {"init_scale": 2.0}, {"activation": "maxout"}):
        assert s.at(**change).weights == (), change
    assert s.at(seed=1, weights=s.weights).weights == s.weights and s.at(weights=()).weights == () == s.reseeded().weights
    drawn = s.at(weights=()).trainer().theta
    assert np.abs(drawn - s.trainer().theta).max() > 0.1


def test_another_start_has_the_same_points_and_other_points_the_same_start():
    s = Study(**SMALL)
    first, other, points = s.trainer(), s.reseeded().trainer(), s.redrawn().trainer()
    np.testing.assert_array_equal(first.raw, other.raw)
    np.testing.assert_array_equal(first.theta, points.theta)
    assert (first.theta != other.theta).any() and (first.raw != points.raw).any()
    np.testing.assert_array_equal(first.raw, s.reseeded().reseeded().trainer().raw)


# --- how it ends -----------------------------------------------------------------------------------------------------------------------------


def ended(**given):
    """A study trained until something stops it: how, and its trainer."""
    s = Study(**given)
    trainer = s.trainer()
    trainer.run(stop=lambda: stopped(s, trainer) is not None)
    return stopped(s, trainer), trainer


QUICK = {"data": "gauss", "layers": (4,), "n": 60, "epochs": 60}


def test_without_a_condition_every_pass_is_made():
    s = Study(**QUICK)
    assert stopped(s, s.trainer()) is None
    ending, trainer = ended(**QUICK)
    assert ending == ("done", None) and trainer.passes == 60


@pytest.mark.parametrize("on", ["val", "train"])
def test_each_condition_stops_at_the_first_pass_where_it_holds(on):
    column = {"train": 0, "val": 1}[on]
    _, whole = ended(**QUICK)
    loss, right = (np.array([row[column + k] for row in whole.rows]) for k in (0, 2))
    ending, trainer = ended(**QUICK, stop_loss=0.1, stop_on=on)
    assert trainer.passes == np.argmax(loss < 0.1) > 1 and loss[trainer.passes] < 0.1
    assert ending.state == "stopped" and f"pass {trainer.passes}:" in ending.text.en and f"эпохе {trainer.passes}:" in ending.text.ru
    assert {"train": "on training", "val": "on validation"}[on] in ending.text.en and "below 0.1" in ending.text.en
    ending, trainer = ended(**QUICK, stop_accuracy=0.95, stop_on=on)
    assert trainer.passes == np.argmax(right >= 0.95) and "95 % were asked for" in ending.text.en
    ending, trainer = ended(**QUICK, stop_passes=7, stop_on=on)
    assert trainer.passes == 7 and "as you asked" in ending.text.en


def test_a_plateau_stops_after_its_passes():
    ending, trainer = ended(**QUICK | {"lr": 0.0}, stop_plateau=5)
    assert trainer.passes == 5 and "has not fallen for 5 passes" in ending.text.en and "эпох подряд: 5" in ending.text.ru
    ending, trainer = ended(**QUICK | {"epochs": 300, "lr": 0.3}, stop_plateau=5, stop_on="train")
    loss = np.array([row[0] for row in trainer.rows])
    assert ending.state == "stopped" and 5 < trainer.passes < 300
    assert all(loss[k - 4:k + 1].min() < loss[:k - 4].min() * 0.9999 for k in range(5, trainer.passes)), "not sooner"
    assert loss[-5:].min() >= loss[:-5].min() * 0.9999


def test_without_a_validation_part_training_is_watched():
    ending, _ = ended(**QUICK | {"val": 0.0}, stop_loss=0.1)
    assert "on training" in ending.text.en and "на обучении" in ending.text.ru


def test_accuracy_stops_no_regression():
    assert ended(data="plane", epochs=2, stop_accuracy=0.5)[0].state == "done"


def test_patience_is_told():
    ending, trainer = ended(data="circle", noise=0.4, n=60, optimizer="adam", lr=0.1, patience=3)
    assert ending.state == "stopped" and f"at pass {int(trainer.stopped_at)}:" in ending.text.en and f"best at pass {int(trainer.best_epoch)}," in ending.text.en
    assert "Ранняя остановка" in ending.text.ru


def test_divergence_names_its_layer_and_what_helps():
    given = {"data": "gauss", "activation": "relu", "lr": 50.0}
    ending, trainer = ended(**given)
    k, layer = int(trainer.diverged_at), int(trainer.diverged_layer)
    assert ending == ("diverged", ov.T(f"Layer {layer}'s weights overflowed at pass {k}: lower α or clip the gradient.",
                                       f"На эпохе {k} веса слоя {layer} ушли в бесконечность: уменьшите α или ограничьте градиент."))
    assert ended(**given | {"clip_norm": 1.0})[0].state == "done", "what is advised helps"
    assert ended(**given | {"lr": 0.05})[0].state == "done"
    assert "clip" not in ended(**given, clip_norm=1e300)[0].text.en, "it is clipped already"
    assert "before the first pass" in ended(data="gauss", activation="relu", init="normal", init_scale=1e200)[0].text.en


# --- sanity checks ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "expected"), [({"data": "blobs", "data_classes": 5, "loss": "ce"}, np.log(5)), ({"data": "digits", "loss": "ce"}, 2.3), ({"data": "circle", "loss": "logistic"}, np.log(2)),
                                                 ({"data": "circle", "loss": "mse"}, 1.0), ({"data": "circle", "loss": "mse", "reduction": "sum"}, 100.0)])
def test_the_first_loss_is_that_of_knowing_nothing(given, expected):
    check = first_loss(Study(**given, init="normal", layers=(8,)))
    assert check.passed and check.number == pytest.approx(expected, rel=0.01)
    assert f"{expected:.3g}" in check.text.en and ("ln" in check.text.en) == (given["loss"] == "ce")
    wild = first_loss(Study(**given, init="normal", init_scale=5.0, layers=(8,)))
    assert not wild.passed and "smaller weights" in wild.text.en and wild.number > NEARLY * expected


def test_a_small_sample_is_learned_by_heart():
    digits = {"data": "digits", "loss": "ce", "layers": (30,), "activation": "relu", "init": "he", "dropout": 0.5, "l2": 0.1, "label_smoothing": 0.2, "n": 1000}
    check = by_heart(Study(**digits, lr=0.1))
    assert check.passed and check.number == 1 and "200 examples" in check.text.en and "100 % are right" in check.text.en
    check = by_heart(Study("circle", layers=()))
    assert not check.passed and check.number < 0.9 and "more neurons" in check.text.en, "no line parts a disc from its ring"
    first, check = sanity(Study("plane", layers=(), init="normal"))
    assert first.passed and check.passed and check.number < LEARNED
    assert by_heart(Study(OWN_POINTS, loss="ce", lr=0.0)).text.en.startswith("12 examples")
