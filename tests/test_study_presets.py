"""Every lesson shows what its text claims, in numbers, and not for one seed alone."""

import re
from functools import cache

import numpy as np
import pytest

import optviz as ov
from optviz.ending import stopped
from optviz.study import Study
from optviz.study_presets import lesson_of, lessons, opening

SEEDS = np.arange(3)


@cache
def train(key, seeds=3, **changes):
    """The lesson's training for its own seed and those after it, in lockstep."""
    s = lessons[key].study.at(**changes)
    return ov.train(s.training, seed=s["seed"] + np.arange(seeds))


@pytest.mark.parametrize("key", lessons)
def test_a_lesson_is_whole(key):
    lesson = lessons[key]
    for study in (lesson.study, *lesson.beside):
        assert Study.from_query(study.to_query()) == study and study.unlinked == ()
    for text in (lesson.name, lesson.do, lesson.see):
        assert re.search("[а-яё]", text.ru, re.I) and not re.search("[а-яё]", text.en, re.I)
    said = [sorted(re.findall(r"\d+(?:[.,]\d+)?", do + " " + see)) for do, see in ((lesson.do.en, lesson.see.en), (lesson.do.ru, lesson.see.ru))]
    assert said[0] == [n.replace(",", ".") for n in said[1]], "both languages tell the same numbers"
    assert max(len(lesson.do.en + lesson.see.en), len(lesson.do.ru + lesson.see.ru)) < 280, "a lecturer has ten seconds"
    assert len(lesson.beside) <= 3 and lesson_of(lesson.study) is lesson


def test_there_are_enough_and_each_is_known_as_itself():
    assert len(lessons) >= 8 and opening("") == next(iter(lessons.values())).study
    assert opening("data=xor&layers=3") == Study("xor", layers=(3,))
    assert lesson_of(lessons["spiral"].study.at(layers=(4,), lr=0.1)) is lessons["spiral"] and lesson_of(Study("checkerboard")) is None


def test_line():
    h = train("line")
    assert (h.accuracy_train[-1] < 0.8).all()
    a, b = np.random.default_rng(0).uniform(-6, 6, (2, 100, 2))
    np.testing.assert_allclose(h.predict((a + b) / 2), (h.predict(a) + h.predict(b)) / 2, atol=1e-9)
    assert len(lessons["line"].study["layers"]) + 1 == 3 and lessons["line"].study["epochs"] == 100
    curved = train("line", activation="tanh")
    assert (curved.accuracy_train[-1] >= 0.99).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_best_line_parts_about_three_quarters_of_xor(seed):
    s = ov.datasets["xor"].sample(200, seed=seed)
    angle = np.linspace(0, 2 * np.pi, 181)
    best = max((((s.X @ [np.cos(t), np.sin(t)])[:, None] > np.linspace(-7, 7, 141)) == (s.y == 1)[:, None]).mean(0).max() for t in angle)
    assert abs(best - 0.75) < 0.05


def test_xor():
    s = lessons["xor"].study
    trainer = s.trainer()
    assert len(s.weights) == 17 and float(trainer.rows[0][2]) == 1 and s["layers"] == (4,)
    x = np.random.default_rng(0).uniform(-6, 6, (200, 2))
    np.testing.assert_allclose(trainer.predict(x), abs(x.sum(-1)) - abs(x[:, 0] - x[:, 1]), atol=1e-12)
    for k in range(12, 16):
        cut = s.at(weights=(*s.weights[:k], 0.0, *s.weights[k + 1:])).trainer().run(until=20)
        assert abs(float(cut.rows[0][2]) - 0.75) < 0.05 and float(cut.rows[-1][2]) == 1


def test_circle():
    assert (train("circle").accuracy_train[-1] == 1).all()
    assert abs(train("circle", layers=(2,)).accuracy_train[-1] - 0.9).max() < 0.05


def test_spiral():
    assert (train("spiral").accuracy_train[-1] == 1).all()
    assert (train("spiral", layers=(4,)).accuracy_train[-1] < 0.8).all()


def test_sines():
    with_sines, without = train("sines").accuracy_val[-1], train("spiral").accuracy_val[-1]
    assert (with_sines > 0.95).all() and without.max() < 0.95
    assert train("sines", features=("x", "y")).accuracy_val[-1].max() < 0.8


def test_squares():
    h = train("squares")
    assert (h.accuracy_train[-1] == 1).all() and (h.accuracy_val[-1] == 1).all() and h.net.hidden == 0 and len(h.loss_val) == 101
    assert (train("squares", features=("x", "y")).accuracy_train[-1] < 0.8).all()


def test_sigmoids():
    lesson = lessons["sigmoids"]
    x = np.linspace(0, 10, 1001)[:, None]
    off = {s["layers"][0]: abs(ov.train(s.training, seed=SEEDS).predict(x) - (x * np.sin(x))[:, 0]).max(-1) for s in (lesson.study, *lesson.beside)}
    assert list(off) == [16, 2, 4, 8] and lesson.study["activation"] == ("sigmoid",) and lesson.study["data"].inputs == 1
    assert (off[2] > 7).all() and (off[4] < 2).all() and (off[16] < 0.5).all()
    assert np.median(off[2]) > np.median(off[4]) > np.median(off[8]) > np.median(off[16]), "the error falls as they grow"


def test_overfit():
    s = lessons["overfit"].study
    assert sum(s["layers"]) == 64 and round(s["n"] * (1 - s["val"])) == 60
    free, held = train("overfit", 1), train("overfit", 1, l2=0.01)
    assert free.accuracy_train[-1] == 1 and free.loss_val[-1] > 1 and held.loss_val[-1] < 0.5 and held.accuracy_val[-1] > free.accuracy_val[-1]
    free, held = train("overfit"), train("overfit", l2=0.01)
    assert (free.accuracy_train[-1] > 0.97).all() and np.median(free.loss_val[-1]) > 2 * np.median(held.loss_val[-1])
    assert (held.loss_val[-1] < free.loss_val[-1]).all() and np.mean(held.accuracy_val[-1]) > np.mean(free.accuracy_val[-1])


def test_three():
    for classes, said in ((3, 1.10), (5, 1.61)):
        h = train("three", data_classes=classes)
        assert abs(h.loss_train[0] - said).max() < 0.02 and round(np.log(classes), 2) == said
        assert (h.accuracy_train[-1] > 0.8).all() and h.net.widths[-1] == classes


def test_divergence():
    s = lessons["divergence"].study
    for seed in SEEDS.tolist():
        run = s.at(seed=seed)
        trainer = run.trainer().run()
        ending = stopped(run, trainer)
        assert ending.state == "diverged" and trainer.diverged_at <= 40 and f"Layer {int(trainer.diverged_layer)}'s" in ending.text.en
    for remedy in ({"lr": 0.03}, {"clip_norm": 0.1}):
        assert s.at(**remedy).trainer().run().rows[-1][2] > 0.95


def test_momentum():
    lesson = lessons["momentum"]
    studies = (lesson.study, *lesson.beside)
    assert [(s["optimizer"], s["lr"]) for s in studies] == [("momentum", 0.003), ("sgd", 0.003), ("sgd", 0.03)] and studies[0]["momentum"] == 0.9
    starts = [s.trainer().theta for s in studies]
    for theta in starts[1:]:
        np.testing.assert_array_equal(starts[0], theta)
    momentum, plain, tenfold = (ov.train(s.training, seed=SEEDS).loss_train[-1] for s in studies)
    assert (momentum < plain / 4).all() and (abs(momentum / tenfold - 1) < 0.15).all()
