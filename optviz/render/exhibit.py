"""What a lab gives to be exported: its pictures, its numbers, and what is said of it. A lab that can make one has every medium."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..core import Refused, T, short
from ..outcome import solve
from ..pace import Pace
from ..pace_scene import pace_scene
from ..race import Race
from ..run import Run
from ..scene import Scene, race_scene
from ..surfaces import surfaces
from .code import with_optviz, with_torch
from .frames import Drawing
from .options import Options
from .picture import Look, Picture
from .slide import Content, of_race
from .sliders import Slider, changeable, sliders

NAMED = 3  # in a file's name; more are counted


@dataclass(frozen=True, eq=False)
class Exhibit(ABC):
    """What somebody can take home, with its name and its source."""

    lab: str
    query: str  # of the lab's URL
    name: str  # the beginning of a file's name
    caption: T  # what is seen, at which settings
    steps: int
    stands: int | None  # the step at which the stage stands still, if it does
    scripts: Mapping[str, Callable[[str], str]]  # in a language; by "optviz" and "torch"
    changeable: Mapping[str, T]  # what the reader of a slide could change, in words
    useless: Sequence[str]  # options that mean nothing here
    complete: bool  # whether the query says all of it

    counted = "step"

    @property
    def link(self) -> str:
        """As the command line understands it."""
        return self.query

    @property
    def key(self) -> Hashable:
        """Equal for what is the same."""
        return self.lab, self.query

    def at(self, step: int | None) -> Exhibit:
        """The same, standing still at a step."""
        if step is None:
            return self
        query = "&".join([field for field in self.query.split("&") if not field.startswith("at=")] + [f"at={step}"])
        return replace(self, stands=step, query=query)

    def look(self, o: Options, card: bool) -> Look:
        """What of it is drawn, and how."""
        under = getattr(self.caption, o.language) if o.caption else ""
        return Look(o.size, o.theme, o.language, o.panel, o.legend, o.counter, o.title, under, o.tail, o.arrows, o.transparent, card)

    @abstractmethod
    def picture(self, o: Options, card: bool = False) -> Drawing:
        """What is drawn; on a card, what changes stands on the page's colour."""

    def fitted(self, o: Options) -> Options:
        """The options with a size in which all of it can be read."""
        return o

    @abstractmethod
    def slide(self, o: Options) -> Content:
        """What a live slide holds."""

    @abstractmethod
    def table(self, language: str) -> Iterator[str]:
        """Lines of a CSV file."""

    @abstractmethod
    def arrays(self) -> Mapping[str, Any]:
        """What an NPZ file holds."""

    @abstractmethod
    def cost(self, pixels: int, frames: int) -> float:
        """About how many seconds a drawing takes, as measured on a busy machine."""


@dataclass(frozen=True, eq=False)
class RaceExhibit(Exhibit):
    """A race."""

    scene: Scene
    words: Sequence[str]  # each entrant's, as the URL has them
    alone: Callable[[Sequence[str]], tuple[Scene, list[Slider]]]  # for a page that can ask nobody: with all that its keys show, and with sliders

    def picture(self, o: Options, card: bool = False) -> Picture:
        return Picture(self.scene, self.look(o, card))

    def slide(self, o: Options) -> Content:
        scene = replace(self.scene, look={**self.scene.look, "at": self.stands})
        whole, chosen = self.alone(o.sliders)
        return of_race(scene, replace(whole, look={**whole.look, "at": self.stands}), chosen, o.language)

    def table(self, language: str) -> Iterator[str]:
        """A line for each step of each run; a run that diverged ends there."""
        yield "optimizer,name,step,x,y,f,lr\r\n"
        for path in self.scene.paths:
            label = '"' + getattr(path.name, language).replace('"', '""') + '"'
            key = self.words[path.entrant].partition(":")[0]
            last = len(path.height) if path.end is None else path.end
            rates = [*map(repr, np.broadcast_to(path.rate, path.points.shape[1] - 1).tolist()), ""]
            for k, (x, y, f) in enumerate(zip(*path.points[:, :last].tolist(), path.height[:last].tolist(), strict=True)):
                yield f"{key},{label},{k},{x!r},{y!r},{f!r},{rates[k]}\r\n"

    def arrays(self) -> Mapping[str, Any]:
        """Those of every run: points_0, loss_0, lr_0, …; and what they are, in `runs` and `query`."""
        out: dict[str, Any] = {"runs": np.array(self.words), "query": np.array(self.query)}
        for path in self.scene.paths:
            out |= {f"points_{path.entrant}": path.points, f"loss_{path.entrant}": path.height, f"lr_{path.entrant}": path.rate}
        return out

    def cost(self, pixels: int, frames: int) -> float:
        steps = sum(path.points.shape[1] for path in self.scene.paths if not path.muted)
        members = sum(crowd.points.shape[2] for crowd in self.scene.crowds if not crowd.muted)
        return frames * pixels * 2.5e-8 + steps * 2e-4 + members * (frames * 2e-4 + 4e-3)


def race_of(what: Race | Run | Sequence[Run]) -> Race:
    """Runs side by side as a race; they must share what a race shares."""
    if isinstance(what, Race):
        return what
    races = [Race.from_query(run.to_query()) for run in ([what] if isinstance(what, Run) else what)]
    if not races:
        raise Refused(T("there is no run to show", "нет ни одного спуска, который можно показать"))
    first = races[0]
    if any(other.at(entrants=first.entrants) != first for other in races[1:]):
        raise Refused(T("these runs do not share one surface, start, number of steps and noise",
                        "у этих спусков разные функции, старты, число шагов или шум"))
    return first.at(entrants=[e for race in races for e in race.entrants])


def whole(race: Race) -> Race:
    """A race from which nobody is missing; else it is refused, for a file can't say who is."""
    for row in solve(race).rows:
        if row.refused is not None:
            raise Refused(row.refused)
    return race


def exhibit(race: Race) -> RaceExhibit:
    """A race, of those who can run."""
    scene = race_scene(solve(race))
    shown = [race.entrants[p.entrant] for p in scene.paths if not p.muted]
    who = [e.optimizer for e in shown] if len(shown) <= NAMED else [f"{len(shown)}-optimizers"]
    where = race.surface.key if race.surface.key in surfaces else "own-formula"
    scripts = {"optviz": partial(with_optviz, race), "torch": partial(with_torch, race)}
    return RaceExhibit("descent", race.to_query(), "-".join([where, *dict.fromkeys(who)]), _caption(race, scene), scene.steps, race["at"], scripts,
                       changeable(race, {p.entrant: p.live for p in scene.paths}), () if scene.explained else ("arrows",), True,
                       scene, [e.word() for e in race.entrants], partial(_alone, race))


def _alone(race: Race, names: Sequence[str]) -> tuple[Scene, list[Slider]]:
    """The scene with a step that is explained and readouts, whether they are shown yet or not, and the sliders of some names."""
    who = race["explain"] if race["explain"] is not None else next((i for i, e in enumerate(race.entrants) if not e.muted), None)
    scene = race_scene(solve(race.at(explain=who, gauges=1)))
    return scene, sliders(race, {p.entrant: p.live for p in scene.paths}, names)


def _caption(race: Race, scene: Scene) -> T:
    """Where, how long and who, at which rate."""
    def said(language: str) -> str:
        each = [(getattr(p.short, language), race.entrants[p.entrant]["lr"]) for p in scene.paths if not p.muted]
        who = ", ".join(name if "α =" in name else f"{name} α = {short(rate)}" for name, rate in each)  # some are told apart by their rates
        steps = T("{} steps", "шагов: {}")
        return " · ".join([getattr(race.surface.name, language), getattr(steps, language).format(race["steps"]), *[who] * bool(who)])
    return T(said("en"), said("ru"))


def pace_exhibit(pace: Pace) -> Exhibit:
    """A race of schedules, each under its own name; its scripts and its command are those of the race."""
    shown, scene = exhibit(pace.race), pace_scene(solve(pace.race))

    def alone(names: Sequence[str]) -> tuple[Scene, list[Slider]]:
        whole, able = shown.alone(names)
        return replace(whole, paths=scene.paths, rates=scene.rates), able
    keys = dict.fromkeys(e.schedule for e in pace.race.entrants if not e.muted)
    return replace(shown, scene=scene, lab="schedules", name="-".join([shown.name, *list(keys)[:NAMED]]), alone=alone)
