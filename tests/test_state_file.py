"""A study's file: it opens equal, whatever the study; and whatever somebody made of it, it opens or is refused in one sentence."""

import contextlib
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optviz as ov
from optviz.core import Refused
from optviz.edits import with_points
from optviz.state_file import BYTES, is_saved, opened, saved
from optviz.study import LINKED, Study
from optviz.study_presets import lessons

RNG = np.random.default_rng(0)
POINTS = ov.dataset(RNG.normal(size=(300, 2)), ["кот", "=1+1", "c"] * 100, "mine")
CURVE = ov.dataset([[0.1], [1 / 3], [2.0]], [1e-9, -5.5, 7.0])
WIDE = 30 * 3 + 31 * 3
STUDIES = [*(lesson.study for lesson in lessons.values()), Study(POINTS, loss="ce"), Study(POINTS, loss="ce", n=200), Study(CURVE), Study(ov.dataset(np.eye(5), [1, 2, 1, 2, 1])),
           Study(POINTS, layers=(30,), loss="ce", weights=RNG.normal(size=WIDE) / 3, stop_loss=0.1, neuron=(1, 2)), Study("xor", layers=(2,), weights=RNG.normal(size=9))]
WHOLE = STUDIES[-2]


def drawn(study, *edits):
    """The study after some edits of its points."""
    for edit in edits:
        study = with_points(study, study.trainer(), edit)
    return study


CLASSES, VALUES = Study("circle", n=6, layers=(3,)), Study("plane", n=4, layers=())
BY_HAND = [drawn(CLASSES, {"add": [0.1, 1 / 3, 2]}, {"move": [0, 1, 2]}), drawn(CLASSES, {"clear": True}), drawn(VALUES, {"clear": True}), drawn(VALUES, {"clear": True}, {"add": [1, 2, 0.5]}),
           drawn(Study(POINTS, loss="ce"), {"clear": True}), drawn(CLASSES, {"erase": [1, 3, 5]}), drawn(CLASSES, {"clear": True}, {"add": [1, 1, 0]})]
STUDIES += [*BY_HAND, WHOLE.pinned().at(lr=0.5), BY_HAND[0].pinned().at(lr=1.0).pinned().at(data=POINTS, loss="ce").pinned().at(data="xor"), *(lesson.whole for lesson in lessons.values() if lesson.beside)]


@pytest.mark.parametrize("study", STUDIES, ids=lambda s: s.to_query()[:60])
def test_a_file_opens_equal(study):
    text = saved(study)
    assert opened(text) == study and opened(text.encode()) == study and hash(opened(text)) == hash(study)
    assert is_saved(text) and is_saved(text.encode()) and not is_saved("x,y,label\n1,2,a")


number = st.floats(-1e100, 1e100)
points = st.lists(st.tuples(number, number), min_size=3, max_size=6)
weights = st.lists(number, min_size=29, max_size=29)


@settings(max_examples=30)
@given(points, st.sampled_from([["a", "b"], [3, 1], [-1, 1], [True, False]]), weights)
def test_points_of_classes_and_weights_keep_all_digits(points, labels, weights):
    study = Study(ov.dataset(points, (labels * 3)[:len(points)]), layers=(7,), weights=weights)
    assert opened(saved(study)) == study


@settings(max_examples=30)
@given(points)
def test_points_with_values_keep_all_digits(points):
    study = Study(ov.dataset(points, [x for x, _ in points], kind="values"))
    assert opened(saved(study)) == study


PARTS = json.loads(saved(WHOLE))
DEEP = "[" * 500 + "]" * 500
HOSTILE = {
    "nothing": "", "cut": saved(WHOLE)[:9000], "list": "[]", "null": "null", "number": "1", "braces": "{" * 10**5, "brackets": "[" * 10**6, "zeros": '{"format":"optviz study","version":1' + "0" * 10**6 + "}",
    "deep": '{"format":"optviz study","version":1,"query":' + DEEP + "}", "binary": b"{\0\1", "half a character": '{"format":"optviz study","version":1,"query":"x=\\ud800"}', "code": "__import__('os')",
    "pickle": b"\x80\x04\x95.", "long": " " * (BYTES + 1), "another program's": '{"format":"geojson","version":1}', "no version": '{"format":"optviz study"}', "infinite version": '{"format":"optviz study","version":1e999}',
    **{str(change)[:60]: json.dumps(PARTS | change) for change in (
        {"version": 2}, {"version": "1"}, {"version": []}, {"query": None}, {"query": ["lr=1"]}, {"data": 1}, {"data": None}, {"data": []}, {"data": {}}, {"weights": 1}, {"weights": {"a": 1}}, {"weights": None},
        {"pins": 1}, {"pins": [1]}, {"pins": None}, {"pins": [{"query": 1}]}, {"pins": [{"query": f"data=xor&lr=0.{k}"} for k in range(1, 7)]})},
    **{"data " + str(change)[:60]: json.dumps(PARTS | {"data": PARTS["data"] | change}) for change in (
        {"x": [1, 2]}, {"x": [[float("nan"), 2]] * 300}, {"x": [["=1", 2]] * 300}, {"x": [[1e308, 1]] * 300}, {"x": json.loads(DEEP)}, {"x": [[1, 2], [3]]}, {"x": {}}, {"x": "ab"}, {"x": [[1, 2]] * 5001},
        {"y": [{}] * 300}, {"y": ["a"] * 300}, {"y": [None] * 300}, {"y": ["a" * 100, "b", "c"] * 100}, {"y": ["a", "b"]}, {"y": list(range(300))}, {"kind": "images"}, {"kind": ["classes"]}, {"kind": None},
        {"labels": 1}, {"labels": [[1], [2]]}, {"labels": ["c", "c", "кот", "=1+1"]}, {"labels": ["c", "d"]}, {"labels": [{}] * 3}, {"held": "x" * 300}, {"held": [1] * 300}, {"held": [True] * 300},
        {"held": [False]}, {"x": [], "y": [], "outputs": -1}, {"x": [], "y": [], "outputs": 1e9}, {"x": [], "y": [], "outputs": 0, "labels": [1]}, {"x": [], "y": [], "outputs": 0, "labels": None},
        {"name": "x"}, {"name": [" ", "x"]}, {"name": [1, 2]}, {"box": None}, {"box": [[0, 0], [0, 1]]}, {"box": [[0, float("inf")], [0, 1]]}, {"box": [[0, 1]]}, {"box": ["ab", "cd"]})},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_study_is_refused_in_one_sentence(name):
    with pytest.raises(Refused) as refused:
        opened(HOSTILE[name], [])
    said = refused.value.text
    assert re.search("[а-я]", said.ru) and not re.search("[а-я]{4}", said.en) and len(said.en) < 300 and not re.search(r"[\n\r]", said.en + said.ru)


def test_a_newer_programs_file_asks_for_that_program():
    with pytest.raises(Refused, match="a newer optviz"):
        opened(json.dumps(PARTS | {"version": 2, "query": 5}))


@pytest.mark.parametrize(("change", "words"), [
    ({"query": "data=own&lr=abc&layers=30&loss=ce"}, "lr='abc'"), ({"query": "data=own&wings=1&loss=ce"}, "unknown name"), ({"weights": ["a"] * WIDE}, "weights="), ({"weights": [1.0] * 5}, "numbers, one for each weight"),
    ({"weights": [1e999] * WIDE}, "weights="), ({"weights": [[1], [2, 3]]}, "weights="), ({"query": "data=own&n=301&loss=ce"}, "300 examples")])
def test_what_cannot_be_used_falls_back_and_is_noted(change, words):
    notes = []
    study = opened(json.dumps(PARTS | change), notes)
    assert study["data"] == POINTS and [note for note in notes if words in note.en]
    with pytest.raises(Refused, match=re.escape(words)):
        opened(json.dumps(PARTS | change))


def test_a_pinned_run_is_whole_or_left_out():
    text, notes = json.dumps(PARTS | {"pins": [{"query": "data=xor&lr=abc"}, {"query": "data=own&n=5"}, {"query": "data=circle", "pins": [{"query": "data=xor"}]}]}), []
    assert opened(text, notes).pins == (Study("circle"),) and len(notes) == 2
    with pytest.raises(Refused, match="lr='abc'"):
        opened(text)


def test_a_file_without_its_own_data_says_so():
    notes = []
    assert opened(json.dumps({name: part for name, part in PARTS.items() if name != "data"}), notes)["data"].key == "spiral"
    assert "your own data" in notes[0].en and len(WHOLE.weights) > LINKED


anything = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5)


@settings(max_examples=60)
@given(anything, st.sampled_from([("query",), ("data",), ("weights",), ("version",), *(("data", part) for part in PARTS["data"])]))
def test_no_value_anywhere_breaks_it(value, place):
    parts = json.loads(saved(Study(CURVE)))
    (parts if len(place) == 1 else parts["data"])[place[-1]] = value
    with contextlib.suppress(Refused):
        assert isinstance(opened(json.dumps(parts), []), Study)


def test_more_pins_than_there_can_be_are_refused_before_any_is_read():
    text = json.dumps({**json.loads(saved(Study("xor", layers=(2,)))), "pins": [{"query": ""}] * 100_000})
    with pytest.raises(Refused):
        opened(text, [])
