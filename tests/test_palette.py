"""The palette: readable on both themes, told apart by everybody, and the same in Streamlit's configuration."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from optviz import optimizers
from optviz.palette import COLOURS, DASHES, GLYPHS, SHAPES, STYLES, THEMES, WEARERS, style_of

CONFIG = tomllib.loads((Path(__file__).parent.parent / ".streamlit/config.toml").read_text("utf-8"))
#: How others see: Machado, Oliveira and Fernandes (2009), full severity, on linear RGB; the least distance in CIE Lab that we accept.
SIGHT = {
    "normal": (np.eye(3), 28),
    "protanopia": (np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]), 17),
    "deuteranopia": (np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]), 17),
    "tritanopia": (np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]), 15),
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
#: Who is shown together in a lecture.
LESSONS = [
    "sgd momentum nesterov rmsprop adam", "sgd momentum nesterov adagrad rmsprop adam adamw newton", "sgd momentum nesterov adagrad rmsprop adam adamw lion",
    "adam adamw amsgrad adam_uncorrected nadam adamax radam adabelief", "sgd momentum momentum_ema momentum_lr_inside nesterov nesterov_torch",
    "adagrad rmsprop rmsprop_centered adadelta rprop adam", "sgd newton saddle_free_newton bfgs lbfgs conjugate_gradient linesearch polyak",
    "sgd asgd schedule_free signsgd lookahead momentum", "adam adan adafactor prodigy lion",
]


def linear(colour):
    s = np.array([int(colour[i:i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    t = np.clip(rgb, 0, 1) @ XYZ.T / XYZ.sum(1)
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    low, high = sorted(float(linear(c) @ XYZ[1]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_trails_and_texts_are_read_on_both_themes(theme):
    t = THEMES[theme]
    for colour, ground in itertools.product((*COLOURS, t.plus, t.minus), (t.page, t.card, t.valley, t.peak)):
        assert contrast(colour, ground) >= 3, (colour, ground)
    for ground in (t.page, t.card, t.valley, t.peak):
        assert contrast(t.ink, ground) >= 7
        assert contrast(t.faint, ground) >= 4.5
    for ground in (t.page, t.card):
        assert contrast(t.accent, ground) >= 4.5
    for ground in (t.valley, t.peak):
        assert 1.4 < contrast(t.isoline, ground) < 3, "isolines are seen, and stay behind the trails"
    assert contrast(t.valley, t.peak) > 1.15


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_are_told_apart_however_one_sees(sight):
    matrix, least = SIGHT[sight]
    seen = [lab(matrix @ linear(colour)) for colour in COLOURS]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= least


def test_every_optimizer_has_a_style_of_its_own():
    assert set(STYLES) == set(optimizers)
    assert len(set(STYLES.values())) == len(optimizers)
    assert list(WEARERS) == list(COLOURS)
    assert {(style.shape, style.dash) for style in STYLES.values()} <= {(shape, 0) for shape in range(len(SHAPES))}
    assert len(set(GLYPHS)) == len(GLYPHS) == len(SHAPES)


@pytest.mark.parametrize("together", LESSONS)
def test_those_who_are_raced_together_differ_in_colour(together):
    colours = [style_of(key).colour for key in together.split()]
    assert len(set(colours)) == len(colours)


def test_the_same_optimizer_again_is_dashed_then_dotted():
    again = [style_of("adam", ordinal) for ordinal in range(4)]
    assert {(style.colour, style.shape) for style in again} == {(style_of("adam").colour, style_of("adam").shape)}
    assert [DASHES[style.dash] for style in again] == ["solid", "dashed", "dotted", "solid"]


@pytest.mark.parametrize("theme", THEMES)
def test_streamlit_is_configured_with_the_same_colours(theme):
    t, said = THEMES[theme], CONFIG["theme"][theme]
    assert {name: said[name] for name in ("backgroundColor", "secondaryBackgroundColor", "textColor", "borderColor", "primaryColor")} == {
        "backgroundColor": t.page, "secondaryBackgroundColor": t.card, "textColor": t.ink, "borderColor": t.line, "primaryColor": t.accent}
    assert said["chartCategoricalColors"] == list(COLOURS)
