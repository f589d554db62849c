"""A landscape as it is seen: the stage of a race, on which nobody can start anew."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .core import T, resolve
from .landscape import Landscape
from .optimizers import optimizers
from .palette import style_of
from .race import LOOK
from .scene import Lattice, Path, Scene, banded, panel

DECADES = 100  # times higher: then the bands are spaced logarithmically
#: What the stage says, where a race's words would be wrong.
WORDS: Mapping[str, T] = {
    "stage": T("Stage: the loss around a trained network; press ? for the keys", "Сцена: потеря вокруг обученной сети; клавиши — по знаку ?"),
    "start": T("first weights", "начальные веса"), "loss": T("training loss", "потеря на обучении"),
    "step_of": T("pass {k} of {n}", "эпоха {k} из {n}"), "step_axis": T("pass", "эпоха"), "step": T("pass {k}", "эпоха {k}"),
    "loss_above": T("training loss", "потеря на обучении"),
    "described": T("Pass {k} of {n}, first weights {start}.", "Эпоха {k} из {n}, начальные веса {start}."), "playhead": T("Pass", "Эпоха"),
    "home": T("Before training (Home)", "До обучения (Home)"), "back": T("One pass back (←)", "Эпоха назад (←)"),
    "on": T("One pass on (→)", "Эпоха вперёд (→)"),
    "keys": T("Space | play, pause\n← → | one pass back, on\nHome, End | first, last pass\nR | from the beginning\n1 … 9 | hide or show a path\n"
              "F | presentation\nMouse, finger | in relief: turn, zoom\n? | these keys",
              "Пробел | показать, пауза\n← → | эпоха назад, вперёд\nHome, End | первая, последняя эпоха\nR | с начала\n"
              "1 … 9 | скрыть или показать путь\nF | во весь экран\nМышь, палец | в рельефе: повернуть, приблизить\n? | эти клавиши"),
}


def landscape_scene(of: Landscape, hidden: Container[str] = (), **look: Any) -> Scene:
    """The loss in bands, and each optimizer's path over the passes: straight between snapshots. Its curve is the true loss, not the plane's."""
    ground = Lattice(of.x, of.y, np.where(np.isnan(of.loss), np.inf, of.loss))  # what is not there is as high as the highest
    box = (float(of.x[0]), float(of.x[-1])), (float(of.y[0]), float(of.y[-1]))
    f = of.loss[np.isfinite(of.loss)]
    bands = banded(ground, box, of.loss, bool(f.size and f.max() > DECADES * f.min()))
    steps = max(int(passes[-1]) for passes in of.passes.values())
    paths = [replace(_path(of, key, i, steps), muted=key in hidden) for i, key in enumerate(of.paths)]
    start = (float(paths[0].points[0, 0]), float(paths[0].points[1, 0]))
    return Scene(bands, start, steps, paths, panel([p.height for p in paths], 0.0, bands), look=resolve(LOOK, look), fixed=True, words=WORDS)


def _path(of: Landscape, key: str, number: int, steps: int) -> Path:
    """One optimizer's, at every pass; where it ended before the others it stays."""
    passes, every = of.passes[key], np.arange(steps + 1)
    points = np.stack([np.interp(every, passes, way) for way in of.paths[key]])
    rate = of.slice.training["lr"] if number == 0 else dict(of.slice.others)[key]
    steady = of.slice.training["schedule"] == "constant"
    name = optimizers[key].name
    return Path(name, T(name.en.split(" (")[0], name.ru.split(" (")[0]), style_of(key), points, np.interp(every, passes, of.losses[key]),
                np.full(1, rate if steady else np.nan), entrant=number)
