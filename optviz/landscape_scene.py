"""A landscape as it is seen: the stage of a race, on which nobody can start anew."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .core import T, resolve
from .landscape import Landscape
from .optimizers import optimizers
from .palette import THEMES, Theme, style_of
from .race import LOOK
from .scene import Lattice, Path, Scene, banded, panel

#: Its height is what a landscape is looked at for: low ground is blue, high ground sand, and both as light or dark as trails can bear.
GROUND: Mapping[str, Theme] = {
    "light": replace(THEMES["light"], valley="#cbe9fc", peak="#fdf0cf", isoline="#829aa8"),
    "dark": replace(THEMES["dark"], valley="#06284a", peak="#342511", isoline="#55707f"),
}
DECADES = 100  # times higher: then the bands are spaced logarithmically
#: What the stage says, where a race's words would be wrong.
WORDS: Mapping[str, T] = {
    "stage": T("Stage: the loss around a trained network; press ? for the keys", "Сцена: потеря вокруг обученной сети; клавиши — по знаку ?"),
    "start": T("first weights", "начальные веса"), "loss": T("training loss", "потеря на обучении"),
    "step_of": T("pass {k} of {n}", "эпоха {k} из {n}"), "step_axis": T("pass", "эпоха"), "step": T("pass {k}", "эпоха {k}"),
    "loss_above": T("training loss", "потеря на обучении"), "height": T("loss", "потеря"), "slope": T("slope", "наклон"),
    "described": T("Pass {k} of {n}, first weights {start}.", "Эпоха {k} из {n}, начальные веса {start}."), "playhead": T("Pass", "Эпоха"),
    "home": T("Before training (Home)", "До обучения (Home)"), "back": T("One pass back (←)", "Эпоха назад (←)"),
    "on": T("One pass on (→)", "Эпоха вперёд (→)"),
    "keys": T("Space | play, pause\n← → | one pass back, on\nHome, End | first, last pass\nR | from the beginning\n1 … 9 | hide or show a path\n"
              "C | the other picture, where two are compared\nF | presentation\n"
              "Mouse, finger | in relief: turn, zoom; double click: as it was\n? | these keys",
              "Пробел | показать, пауза\n← → | эпоха назад, вперёд\nHome, End | первая, последняя эпоха\nR | с начала\n"
              "1 … 9 | скрыть или показать путь\nC (С) | другая картинка, если сравниваются две\nF | во весь экран\n"
              "Мышь, палец | в рельефе: повернуть, приблизить; двойной щелчок — исходный вид\n? | эти клавиши"),
}


def landscape_scene(of: Landscape, hidden: Container[str] = (), beside: Sequence[Landscape] = (), sides: tuple[Sequence[T], int] | None = None,
                    **look: Any) -> Scene:
    """The loss in bands, and each optimizer's path over the passes: straight between snapshots. Its curve is the true loss, not the plane's.

    The heights of those `beside` it have the same colours and the same place in the panel.
    """
    ground = Lattice(of.x, of.y, np.where(np.isnan(of.loss), np.inf, of.loss))  # what is not there is as high as the highest
    box = (float(of.x[0]), float(of.x[-1])), (float(of.y[0]), float(of.y[-1]))
    heights = np.concatenate([one.loss.ravel() for one in (of, *beside)])
    f = heights[np.isfinite(heights)]
    bands = banded(ground, box, heights, bool(f.size and f.max() > DECADES * f.min()))
    steps = max(int(passes[-1]) for passes in of.passes.values())
    paths = [replace(_path(of, key, i, steps), muted=key in hidden) for i, key in enumerate(of.paths)]
    start = (float(paths[0].points[0, 0]), float(paths[0].points[1, 0]))
    curves = [losses for one in (of, *beside) for losses in one.losses.values()]
    return Scene(bands, start, steps, paths, panel(curves, 0.0, bands), look=resolve(LOOK, look), fixed=True, words=WORDS, themes=GROUND, sides=sides)


def _path(of: Landscape, key: str, number: int, steps: int) -> Path:
    """One optimizer's, at every pass; where it ended before the others it stays."""
    passes, every = of.passes[key], np.arange(steps + 1)
    points = np.stack([np.interp(every, passes, way) for way in of.paths[key]])
    rate = of.slice.training["lr"] if number == 0 else dict(of.slice.others)[key]
    steady = of.slice.training["schedule"] == "constant"
    name = optimizers[key].name
    return Path(name, T(name.en.split(" (")[0], name.ru.split(" (")[0]), style_of(key), points, np.interp(every, passes, of.losses[key]),
                np.full(1, rate if steady else np.nan), entrant=number)
