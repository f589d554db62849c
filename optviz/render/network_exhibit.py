"""A training, or several on one wall, to be taken home."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..core import Refused, T, out_of_range, short
from ..ending import advance
from ..learning import History
from ..network_scene import NetworkScene, network_scene, run_key
from ..optimizers import optimizers
from ..pasted import safe
from ..study import Study
from ..trainer import Trainer
from ..training import Training
from ..wall import Cell, Wall, compared, wall_scene
from .exhibit import Exhibit
from .network_picture import NetworkPicture
from .options import Options
from .slide import Content, of_training, of_wall
from .training_code import with_optviz, with_torch

FIGURES = ("loss_train", "loss_val", "accuracy_train", "accuracy_val")


@dataclass(frozen=True, eq=False)
class WallExhibit(Exhibit):
    """Networks in training."""

    wall: Wall

    counted = "pass"

    @property
    def link(self) -> str:
        return f"{self.lab}?{self.query}"

    @property
    def key(self) -> Hashable:
        """A query does not tell data and weights of a visitor's own, nor how far it has come."""
        return self.lab, self.query, tuple((run_key(cell.study), cell.trainer.passes) for cell in self.wall.cells)

    def picture(self, o: Options, card: bool = False) -> NetworkPicture:
        return NetworkPicture(self.wall, self.look(o, card))

    def slide(self, o: Options) -> Content:
        def over(scene: NetworkScene) -> NetworkScene:  # nobody there can make more passes
            return replace(scene, state=scene.state if scene.state in ("stopped", "diverged") else "done")
        if len(self.wall.cells) > 1:
            whole = wall_scene(self.wall, look={**dict(self.wall.cells[0].study.look), "at": self.stands})
            return of_wall(replace(whole, cells=[over(cell) for cell in whole.cells]), o.language)
        (cell,) = self.wall.cells
        scene = over(network_scene(cell.study, cell.trainer))
        return of_training(replace(scene, epochs=max(scene.frames.passes[-1], 1), look={**scene.look, "at": self.stands}), o.language)

    def table(self, language: str) -> Iterator[str]:
        """A line a pass, of one training after another."""
        many = len(self.wall.cells) > 1
        figures = FIGURES[:4 if all(cell.trainer.labels for cell in self.wall.cells) else 2]
        yield ",".join(["network"] * many + ["pass", *figures]) + "\r\n"
        for cell in self.wall.cells:
            name = '"' + safe(getattr(cell.caption, language)).replace('"', '""') + '"'
            for k, row in enumerate(cell.trainer.rows):
                yield ",".join([name] * many + [str(k), *(repr(float(v)) for v in row[:len(figures)])]) + "\r\n"

    def arrays(self) -> Mapping[str, Any]:
        """Of every training the flat vectors, the passes they belong to, and which part of them is what: weights_0, passes_0, …; alone
        without a number."""
        out: dict[str, Any] = {"query": np.array(self.query)}
        for i, cell in enumerate(self.wall.cells):
            kept, end = cell.trainer.snapshots, f"_{i}" * (len(self.wall.cells) > 1)
            out |= {f"passes{end}": [passes for passes, *_ in kept], f"weights{end}": np.stack([theta for _, theta, _ in kept]),
                    f"blocks{end}": [f"{b.layer}:{b.kind}:{b.shape[0]}x{b.shape[1]}:{b.at.start}" for b in cell.trainer.net.blocks]}
        return out

    def cost(self, pixels: int, frames: int) -> float:
        shown = min(frames, max(len(cell.trainer.snapshots) for cell in self.wall.cells))
        weights = sum(min(cell.trainer.net.size, 2000) for cell in self.wall.cells)
        return shown * (pixels * 2e-7 + weights * 2e-5 + len(self.wall.cells) * 5e-3)


def wall_exhibit(wall: Wall, lab: str, query: str, name: str, caption: T, scripts: Mapping[str, Callable[[str], str]],
                 complete: bool = False) -> WallExhibit:
    """Trainings of a lab."""
    first = wall.cells[0].study
    useless = ("tail", "arrows", "sliders", *["panel"] * (len(wall.cells) > 1))
    return WallExhibit(lab, query, name, caption, wall.last, first["at"], scripts, {}, useless, complete, wall)


def study_exhibit(study: Study, trainer: Trainer) -> WallExhibit:
    """A training of the boundary lab, as far as it has come."""
    wall = Wall([Cell(caption(study, trainer), study, trainer)], 1, epochs=trainer.passes)
    scripts = {"optviz": partial(with_optviz, study), "torch": partial(with_torch, study)}
    return wall_exhibit(wall, "boundary", study.to_query(), f"boundary-{study['data'].key}-{study['optimizer']}", wall.cells[0].caption, scripts,
                        not study.unlinked)


def compared_exhibit(study: Study, runs: Sequence[Study], trainers: Sequence[Trainer]) -> WallExhibit:
    """A study's run and those that are pinned, as far as they have come; all are looked at as the study is."""
    look = {name: study[name] for name in ("hidden", "discrete", "at")}
    wall = compared(runs, trainers)
    wall = replace(wall, cells=[replace(cell, study=cell.study.at(**look)) for cell in wall.cells], epochs=max(t.passes for t in trainers))
    name = T(f"{study['data'].name.en} · {len(trainers)} trainings", f"{study['data'].name.ru} · обучений: {len(trainers)}")
    return wall_exhibit(wall, "boundary", study.to_query(), f"boundary-{study['data'].key}-{len(trainers)}-trainings", name, {}, not study.unlinked)


def caption(study: Study, trainer: Trainer) -> T:
    """Which data, network and optimizer, for how long."""
    shape, optimizer = "–".join(map(str, trainer.net.widths)), optimizers[study["optimizer"]]

    def said(language: str, passes: str) -> str:
        rate = f"{getattr(optimizer.name, language)} α = {short(study['lr'])}"
        return " · ".join([getattr(study["data"].name, language), shape, rate, passes])
    return T(said("en", f"{trainer.passes} passes"), said("ru", f"эпох: {trainer.passes}"))


def training_exhibit(what: Study | Training | History | Wall, look: Mapping[str, Any]) -> WallExhibit:
    """What a notebook has of trainings: a spec is trained to its end."""
    if isinstance(what, Wall):
        cells = [Cell(cell.caption, cell.study.at(**look), cell.trainer) for cell in what.cells]
        name = T(f"{len(cells)} trainings", f"обучений: {len(cells)}")
        return wall_exhibit(replace(what, cells=cells), "boundary", cells[0].study.to_query(), f"boundary-{len(cells)}-trainings", name, {})
    if isinstance(what, History):
        if what.trainer.batch:
            raise Refused(T("this is a batch of trainings; train one of them alone to show it",
                            "это пакет обучений; обучите одно из них отдельно, чтобы его показать"))
        return study_exhibit(Study(what.training, **look), what.trainer)
    if isinstance(what, Training):
        what = Study(what)
    if not isinstance(what, Study):
        raise out_of_range("what", what, T("a race, runs, a training, its history, or a wall",
                                               "гонка, спуски, обучение, его история или набор обучений"))
    study = what.at(**look)
    runs = list({run_key(run): run for run in reversed([study, *study.pins])}.values())[::-1]
    trainers = [advance(run, run.trainer(), math.inf) for run in runs]
    return compared_exhibit(study, runs, trainers) if len(runs) > 1 else study_exhibit(study, *trainers)
