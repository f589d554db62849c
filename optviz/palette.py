"""Colours and marks: an optimizer looks the same in every lab, theme and export, and never by colour alone.

The eight colours were searched for: each has a contrast of 3:1 or more on the page and the surface of both themes, and as they are
told apart with the three colour-vision deficiencies (tests/test_palette.py holds the numbers). The first ones differ most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .optimizers import optimizers

BLUE, ORANGE, PINK, GREEN, VIOLET, PLUM, TEAL, RED = COLOURS = (
    "#1283dc", "#cf5f05", "#f9117e", "#617f41", "#6d5cf1", "#ab4e9d", "#0b8168", "#de2036")
#: What a map of kinds is filled with: no optimizer's colours, told apart with colour-vision deficiencies, too (P. Tol's "muted").
KINDS = ("#44aa99", "#ddcc77", "#cc6677", "#88ccee", "#999933")
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
GLYPHS = "●■▲◆✚"  # the same in a line of text
DASHES = ("solid", "dashed", "dotted")
#: Who wears which colour, in the order of SHAPES; those who are raced against each other stand in different rows.
WEARERS: Mapping[str, tuple[str, ...]] = {
    BLUE: ("sgd", "rmsprop_centered", "amsgrad", "adan"),
    ORANGE: ("radam", "momentum", "adafactor", "sam", "bfgs"),
    PINK: ("linesearch", "momentum_lr_inside", "signsgd", "yogi", "adam"),
    GREEN: ("adam_uncorrected", "asgd", "nesterov", "conjugate_gradient"),
    VIOLET: ("nadam", "adagrad", "lookahead", "lbfgs"),
    PLUM: ("nesterov_torch", "adamax", "prodigy", "rmsprop", "saddle_free_newton"),
    TEAL: ("adadelta", "lion", "newton", "adabelief"),
    RED: ("momentum_ema", "rprop", "schedule_free", "polyak", "adamw"),
}


@dataclass(frozen=True)
class Style:
    """How one optimizer is drawn: a colour, the index of a shape, the index of a dash."""

    colour: str
    shape: int
    dash: int = 0


def styles() -> dict[str, Style]:
    """The style of every registered optimizer; one that has no place in the table gets the next free one."""
    chosen = {key: Style(colour, shape) for colour, keys in WEARERS.items() for shape, key in enumerate(keys)}
    free = [style for shape in range(len(SHAPES)) for colour in COLOURS if (style := Style(colour, shape)) not in chosen.values()]
    for i, key in enumerate(key for key in optimizers if key not in chosen):
        chosen[key] = free[i % len(free)]
    return chosen


STYLES = styles()


def style_of(optimizer: str, ordinal: int = 0) -> Style:
    """The style of an optimizer; the second and third of the same kind in one picture are dashed and dotted."""
    return replace(STYLES[optimizer], dash=ordinal % len(DASHES))


def roles(style: Style) -> list[str]:
    """The colours of a step's terms: the step itself wears its optimizer's own, the others what is left."""
    return [style.colour, *(colour for colour in COLOURS if colour != style.colour)]


@dataclass(frozen=True)
class Theme:
    """The colours of a theme that mean something; .streamlit/config.toml holds the same."""

    page: str
    card: str
    ink: str
    faint: str  # ink of second rank, still 4.5:1 on page and card
    line: str
    accent: str
    valley: str  # the surface at its lowest …
    peak: str  # … and at its highest
    isoline: str
    plus: str = BLUE
    minus: str = ORANGE


THEMES: Mapping[str, Theme] = {
    "light": Theme(page="#fdfdfc", card="#f3f6f8", ink="#1b2731", faint="#586874", line="#d9e0e5", accent="#1d6696",
                   valley="#d9e6ee", peak="#fbfcfc", isoline="#9db3c1"),
    "dark": Theme(page="#0f161c", card="#17212a", ink="#e3e9ed", faint="#95a5b1", line="#2b3944", accent="#86c1ec",
                  valley="#0a1117", peak="#1a2833", isoline="#41576a"),
}
