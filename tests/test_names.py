"""Every word and setting of a training and of a study has a name in both languages."""

import re

import pytest

import optviz as ov
from optviz.core import Choice
from optviz.datasets import datasets
from optviz.names import SETTINGS, choices, setting_name
from optviz.study import LOOK, STOPS
from optviz.training import COMMON, WORDS, Key, Keys, Several, settings_of, words_of

REGISTRIES = {"data": datasets, "activation": ov.activations, "init": ov.initializers, "optimizer": ov.optimizers, "schedule": ov.schedules, "loss": ov.losses}


def named(text):
    assert text.en and not re.search("[а-яё]", text.en, re.I) and text.ru
    return text


@pytest.mark.parametrize(("word", "key"), [(word, key) for word, registry in REGISTRIES.items() for key in registry])
def test_every_setting_of_every_definition_has_a_name(word, key):
    words = words_of({word: (key,) if word == "activation" else key, **({"loss": "mse"} if word == "data" else {})})
    table = {**WORDS, **settings_of(words)}
    names = {name: named(setting_name(words, name)) for name in table}
    assert all(re.search("[а-яё]", text.ru, re.I) for text in names.values())
    for name, p in table.items():
        if isinstance(p, (Choice, Key, Keys, Several)):
            said = choices(name, p)
            assert list(said) == list(p.registry if isinstance(p, (Key, Keys)) else p.choices if isinstance(p, Choice) else p.words)
            assert len({named(text).en for text in said.values()}) == len({text.ru for text in said.values()}) == len(said), name
        else:
            assert choices(name, p) == {}


def test_nothing_is_named_twice():
    for language in ("en", "ru"):
        said = [getattr(setting_name({}, name), language) for name in {**WORDS, **COMMON, **STOPS, **LOOK}]
        assert len(set(said)) == len(said)
    assert set(SETTINGS) - {*WORDS, *COMMON, *STOPS, *LOOK} == {"weights"}
    for name, p in {**STOPS, **LOOK}.items():
        choices(name, p)


def test_a_parameter_is_named_by_its_owner():
    words = words_of({"activation": ("elu", "prelu"), "layers": (2, 2), "init": "normal", "optimizer": "rmsprop"})
    assert [setting_name(words, name).en for name in ("elu_alpha", "prelu_alpha", "alpha", "init_scale", "l2_scale", "data_arms")] == [
        "depth of the floor", "slope below 0 to begin with", "memory of squares", "standard deviation σ", "formula", "arms"]
