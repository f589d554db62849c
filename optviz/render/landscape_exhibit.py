"""A landscape to be taken home: the plane and the paths, in every medium that a race has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..core import T
from ..landscape import Landscape, Slice
from ..landscape_scene import landscape_scene
from ..scene import Scene
from ..vista import Vista, outlook_of
from .exhibit import RaceExhibit
from .sliders import Slider

DIRECTIONS = {"principal": T("principal directions", "главные направления"), "random": T("random directions", "случайные направления")}
SCRIPT = '''"""{said}"""

import optviz as ov
from optviz.landscape import Slice, told

found = ov.landscape(Slice.from_query({query!r}))
print(told(found).{language})
print(found.x, found.y, found.loss, found.paths)
'''


@dataclass(frozen=True, eq=False)
class LandscapeExhibit(RaceExhibit):
    """A landscape; its numbers are those of the paths, with the arrays of the plane."""

    of: Landscape

    counted = "pass"

    @property
    def link(self) -> str:
        return f"{self.lab}?{self.query}"

    def arrays(self) -> Mapping[str, Any]:
        """Those of the paths, and of the plane: x, y, loss and loss_val at y[row], x[column]."""
        return {**super().arrays(), **{name: getattr(self.of, name) for name in ("x", "y", "loss", "loss_val")}}


def landscape_exhibit(of: Landscape, vista: Vista, beside: Sequence[Landscape] = ()) -> LandscapeExhibit:
    """A landscape, as it is looked at, on one scale of heights with those beside it."""
    scene, t = landscape_scene(of, beside=beside, **dict(vista.look)), of.slice.training
    outlook = outlook_of(vista)
    where = outlook.sides[outlook.slices.index(vista.slice)] if outlook and outlook.sides else DIRECTIONS[vista["directions"]]
    widths = "-".join(map(str, t["layers"]))
    caption = T(f"{t['data'].name.en} · layers {widths} · {where.en}", f"{t['data'].name.ru} · слои {widths} · {where.ru}")

    def alone(names: Sequence[str]) -> tuple[Scene, list[Slider]]:
        return scene, []
    return LandscapeExhibit("landscape", vista.to_query(), f"landscape-{t['data'].key}-{vista['directions']}", caption, scene.steps, vista["at"],
                            {"optviz": partial(_script, of.slice)}, {}, ("arrows", "sliders", "torch"), False, scene, list(of.paths), alone, of)


def _script(of: Slice, language: str) -> str:
    """A program that computes the same."""
    said = {"en": "The loss on a plane through trained weights, and the paths on it.",
            "ru": "Потеря на плоскости, проходящей через обученные веса, и пути на ней."}[language]
    return SCRIPT.format(said=said, query=of.to_query(), language=language)
