"""The scripts of a training that a visitor takes home: every pass's losses and accuracies, against optviz itself."""

import ast
import contextlib
import io
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

import optviz as ov
from optviz.augment import augmentations
from optviz.core import Choice
from optviz.descent import asked
from optviz.edits import with_points
from optviz.ending import stopped
from optviz.render.training_code import MOST_NUMBERS, with_optviz, with_torch
from optviz.study import Study
from optviz.study_presets import lessons

SMALL = {"layers": (4, 4), "n": 24, "epochs": 3, "batch": 5}
OPTIMIZERS = [key for key, o in ov.optimizers.items() if not asked(o, {}).hessians]


@pytest.fixture(autouse=True)
def single():
    """The scripts set torch's default, which others here must not inherit."""
    yield
    torch.set_default_dtype(torch.float32)


def play(script):
    """The names that a script leaves, and what it prints."""
    said, space = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(said):
        exec(compile(script, "script", "exec"), space)  # our own text
    return space, said.getvalue()


def imported(script):
    """What a script imports."""
    return {(n.module if isinstance(n, ast.ImportFrom) else n.names[0].name).split(".")[0] for n in ast.walk(ast.parse(script)) if isinstance(n, (ast.Import, ast.ImportFrom))}


def check(study, language="en", tolerance=1e-9):
    """Both scripts give optviz's own figures, pass by pass; -> the torch script."""
    theirs, plain = with_optviz(study, language), with_torch(study, language)
    assert imported(theirs) == {"optviz"} and imported(plain) <= {"torch", "numpy", "math", "sys"}
    trainer = study.trainer()
    trainer.run(stop=lambda: stopped(study, trainer) is not None)
    made = trainer.passes + 1 - (trainer.diverged_at >= 0)  # a pass in which the numbers ended has no figures
    ours = np.array([[float(v) for v in row] for row in trainer.rows])
    (short, said), (bare, told) = play(theirs), play(plain)
    np.testing.assert_array_equal([[float(v) for v in row] for row in short["trainer"].rows[:made]], ours[:made])
    assert len(bare["rows"]) == made
    np.testing.assert_allclose(bare["rows"], ours[:made], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(bare["theta"], trainer.now[0], rtol=tolerance, atol=tolerance)
    numbers = [[float(v) for v in re.findall(r": ([-+.\de]+)", text.splitlines()[-1])] for text in (said, told)]
    assert len(numbers[0]) == 2 and numbers[0] == pytest.approx(numbers[1], rel=1e-4)
    return plain


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_optimizer_trains_alike(key):
    script = check(Study("xor", optimizer=key, **SMALL))
    assert ("torch.optim." in script) == (f"def {key}(" not in script)


def test_torchs_own_optimizers_are_used_where_they_are_the_same():
    for key in ("sgd", "momentum", "adam", "adamw", "rmsprop", "lbfgs"):
        assert "torch.optim." in with_torch(Study("xor", optimizer=key, **SMALL))
    assert "def adam_inside(" in check(Study("xor", optimizer="adam", eps_place="inside", **SMALL))


@pytest.mark.parametrize("key", ov.schedules)
@pytest.mark.parametrize("given", [{"optimizer": "adam"}, {"optimizer": "lion", "schedule_every": "pass"}], ids=str)
def test_every_schedule_trains_alike(key, given):
    check(Study("xor", schedule=key, lr=0.05, **SMALL, **given))


@pytest.mark.parametrize("key", ov.activations)
def test_every_activation_trains_alike(key):
    check(Study("xor", activation=key, output_activation=key, **SMALL), "ru")


@pytest.mark.parametrize("key", ov.initializers)
def test_every_initializer_trains_alike(key):
    check(Study("xor", init=key, **SMALL))
    check(Study("xor", init=key, activation=("maxout", "prelu"), init_scale=0.5, **SMALL))


@pytest.mark.parametrize("key", ov.losses)
@pytest.mark.parametrize("given", [{}, {"label_smoothing": 0.2}, {"reduction": "sum", "lr": 0.001}], ids=str)
def test_every_loss_trains_alike(key, given):
    for data in ("circle", "blobs"):
        check(Study(data, loss=key, **SMALL | given))


@pytest.mark.parametrize("key", [key for key, d in ov.datasets.items() if d.image is None])
def test_every_data_set_trains_alike(key):
    own = {"data_inputs": 3, "data_outputs": 2} if key == "random" else {}
    check(Study(key, **SMALL, **own, noise=0.2, seed=3, data_seed=7))


@pytest.mark.parametrize("given", [
    {"l2": 0.1}, {"l2": 0.1, "l2_scale": "whole", "penalty_layers": (1, 3)}, {"l1": 0.1}, {"l1": 0.1, "l1_step": "sign"}, {"elastic": 0.05}, {"elastic": 0.05, "elastic_step": "sign"},
    {"decay": 0.5}, {"l1": 0.05, "l2": 0.1, "decay": 0.2, "optimizer": "lion", "schedule": "cosine"}], ids=str)
def test_every_penalty_trains_alike(given):
    check(Study("xor", **SMALL, **given))


@pytest.mark.parametrize("optimizer", ["sgd", "sam", "linesearch"])
@pytest.mark.parametrize("given", [
    {"batchnorm": "before"}, {"batchnorm": "after", "bn_variance": "unbiased", "bn_momentum": 0.3}, {"layernorm": "before", "residual": True}, {"layernorm": "after", "batchnorm": "after"},
    {"batchnorm": "before", "activation": "maxout", "patience": 1}, {"dropout": 0.3}, {"dropout": 0.3, "dropout_form": "at_test", "residual": True}], ids=str)
def test_normalization_and_dropout_train_alike(optimizer, given):
    check(Study("xor", optimizer=optimizer, **SMALL, **given))


@pytest.mark.parametrize("given", [
    {f"augment_{key}": a.amount.default for key, a in augmentations.items()}, {"augment_shift": 0.5, "prepare": ("scale",)},
    {"features": ("x", "y", "x2", "y2", "xy", "sinx", "siny"), "prepare": ("centre", "decorrelate", "scale")}, {"label_noise": 0.3, "noise": 0.3}, {"features": ("siny",)},
    {"clip_norm": 0.1}, {"clip_value": 0.05, "clip_norm": 0.1, "optimizer": "lion"}, {"shuffle": False, "batch": None}, {"val": 0.0}, {"bias": False}, {"layers": ()},
    {"layers": (1,) * 8}, {"weights": range(37), "lr": 1e-6}, {"epochs": 0}], ids=str)
def test_what_else_there_is_trains_alike(given):
    check(Study("xor", **SMALL | given))


@pytest.mark.parametrize("given", [{"patience": 2, "lr": 1.0}, {"stop_passes": 4}, {"stop_loss": 0.9}, {"stop_accuracy": 0.8, "stop_on": "train"}, {"stop_plateau": 2, "lr": 0.0},
                                   {"stop_loss": 0.01, "stop_plateau": 3, "stop_accuracy": 1.0}], ids=str)
def test_scripts_stop_where_a_study_does(given):
    check(Study("gauss", **SMALL | {"epochs": 12} | given), "ru")


def test_accuracy_stops_no_regression():
    check(Study("plane", stop_accuracy=0.5, **SMALL))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_divergence_is_said(language):
    s = Study("gauss", activation="relu", lr=50.0, n=40, epochs=60)
    check(s, language)
    assert play(with_torch(s, language))[1].startswith({"en": "the numbers ended at pass", "ru": "числа закончились на эпохе"}[language])


@pytest.mark.parametrize("key", lessons)
def test_lessons_train_alike(key):
    for study in (lessons[key].study, *lessons[key].beside):
        check(study.at(epochs=min(study["epochs"], 4)), tolerance=1e-6)


HOSTILE = ['"]); import os; os.abort() #', "a\nprint(1)", "\\", "'''"]


def test_own_data_are_written_out():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    labels = [HOSTILE[i % 4] for i in range(30)]
    check(Study(ov.dataset(x, labels, name=HOSTILE[0]), layers=(3,), epochs=3, loss="ce"))
    check(Study(ov.dataset(x, x[:, 0] * 0.3), layers=(3,), epochs=3, noise=0.1, n=20))
    check(Study(ov.dataset(x[:, :1], np.arange(30) % 2), layers=(3,), epochs=3))
    check(Study(ov.dataset(x, x @ [[1.0, 2.0], [3.0, 4.0]], kind="values"), layers=(3,), epochs=3))
    check(Study(ov.dataset(x, np.arange(30) % 2, held=np.arange(30) % 3 == 0, labels=(1, 0, 2)), layers=(3,), epochs=3))


def test_what_does_not_fit_is_refused_in_one_sentence():
    big = ov.dataset(np.zeros((MOST_NUMBERS // 2, 2)) + np.arange(MOST_NUMBERS // 2)[:, None], np.arange(MOST_NUMBERS // 2) % 2)
    empty = with_points(Study("xor", n=4), Study("xor", n=4).trainer(), {"clear": True})
    for make, study, says in ((with_torch, Study("digits"), "take the code with optviz"), (with_torch, empty, "add points"), (with_optviz, empty, "add points"), (with_torch, Study(big), "numbers"), (with_optviz, Study(big), "numbers"),
                              (with_torch, Study("random", prepare=("scale",)), "numbers"), (with_torch, Study("xor", layers=(64,) * 4, init="layerwise", n=20), "numbers")):
        with pytest.raises(ov.Refused, match=says) as refused:
            make(study)
        assert re.search("[а-яё]", refused.value.text.ru) and "\n" not in refused.value.text.en
    assert play(with_optviz(Study("digits", n=40, epochs=1)))[0]["trainer"].passes == 1


ALL = {"layers": (4, 4), "n": 30, "epochs": 2, "batchnorm": "before", "layernorm": "after", "residual": True, "dropout": 0.2, "l1": 0.1, "l2": 0.1, "elastic": 0.1, "decay": 0.1, "clip_norm": 1.0,
       "clip_value": 1.0, "schedule": "one_cycle", "patience": 5, "label_noise": 0.1, "label_smoothing": 0.1, "features": ("x", "siny"), "prepare": ("centre",), "augment_flip": 0.5, "augment_rotate": 9.0,
       "augment_shift": 0.1, "augment_jitter": 0.1, "stop_loss": 0.01, "stop_plateau": 50, "optimizer": "linesearch"}


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("given", [{}, ALL, {**ALL, "activation": ("logarithmic", "softplus"), "loss": "svm", "init": "uniform_fan_in", "optimizer": "lookahead", "schedule": "plateau"}], ids=["plain", "all", "others"])
def test_a_script_reads_well(given, language):
    """Nothing is defined twice or without use, no line is long, and every function says what it does in the reader's language."""
    for data in ("spiral", "circle", "blobs"):
        script = check(Study(data, **given), language) if given else with_torch(Study(data), language)
        functions = [n for n in ast.parse(script).body if isinstance(n, ast.FunctionDef)]
        names = [f.name for f in functions]
        assert len(set(names)) == len(names)
        assert max(map(len, script.splitlines())) <= 100 and not re.search(r"[ \t]$", script, re.M) and script.endswith("\n")
        for f in functions:
            doc = ast.get_docstring(f)
            assert doc and (bool(re.search("[а-яё]", doc, re.I)) == (language == "ru") or not re.search("[a-zа-яё]{3}", doc, re.I)), f.name
            assert len(re.findall(rf"\b{f.name}\b", script)) > 1, f.name
        if language == "en":
            assert not re.search("[а-яё]", script + with_optviz(Study(data, **given)), re.I)


def test_every_option_is_printed():
    """A word of a rule's own settings reaches the script."""
    for prefix, registry in (("loss", ov.losses), ("init", ov.initializers)):
        for key, definition in registry.items():
            for name, p in definition.params.items():
                for word in p.choices if isinstance(p, Choice) else ():
                    check(Study("xor", **{prefix: key, f"{prefix}_{name}": word}, **SMALL))


def test_a_script_runs_alone(tmp_path):
    """In a process of its own, as a student runs it."""
    study = Study("circle", optimizer="lion", layers=(3,), n=30, epochs=3)
    for name, script in (("theirs.py", with_optviz(study, "ru")), ("plain.py", with_torch(study, "ru"))):
        (tmp_path / name).write_text(script, "utf-8")
        done = subprocess.run([sys.executable, "-X", "utf8", "-W", "error", name], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.stderr == "" and done.stdout == play(script)[1] and "обучение: " in done.stdout
