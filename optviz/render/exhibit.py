"""What a lab gives to be exported: its scene, and what is said of it. A lab that can make one has every medium."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..core import Refused, T, short
from ..outcome import solve
from ..race import Race
from ..run import Run
from ..scene import Scene, named, race_scene
from ..surfaces import surfaces
from .code import with_optviz, with_torch
from .sliders import Slider, changeable, sliders

NAMED = 3  # in a file's name; more are counted


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A scene with its name and its source."""

    scene: Scene
    lab: str
    query: str  # of the lab's URL: all of it
    name: str  # the beginning of a file's name
    caption: T  # what is seen, at which settings
    words: Sequence[str]  # each entrant's, as the URL has them
    scripts: Mapping[str, Callable[[str], str]]  # in a language; by "optviz" and "torch"
    alone: Callable[[Sequence[str]], tuple[Scene, list[Slider]]]  # for a page that can ask nobody: with all that its keys show, and with sliders
    changeable: Mapping[str, T]  # the names of those, in words

    def at(self, step: int | None) -> Exhibit:
        """The same, standing still at a step."""
        return self if step is None else replace(self, scene=replace(self.scene, look={**self.scene.look, "at": step}))


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


def exhibit(race: Race) -> Exhibit:
    """A race."""
    shown = [e for e in race.entrants if not e.muted]
    who = [e.optimizer for e in shown] if len(shown) <= NAMED else [f"{len(shown)}-optimizers"]
    where = race.surface.key if race.surface.key in surfaces else "own-formula"
    scene = race_scene(solve(race))
    return Exhibit(scene, "descent", race.to_query(), "-".join([where, *dict.fromkeys(who)]), _caption(race),
                   [e.word() for e in race.entrants], {"optviz": partial(with_optviz, race), "torch": partial(with_torch, race)},
                   partial(_alone, race), changeable(race, {p.entrant: p.live for p in scene.paths}))


def _alone(race: Race, names: Sequence[str]) -> tuple[Scene, list[Slider]]:
    """The scene with a step that is explained and readouts, whether they are shown yet or not, and the sliders of some names."""
    who = race["explain"] if race["explain"] is not None else next((i for i, e in enumerate(race.entrants) if not e.muted), None)
    scene = race_scene(solve(race.at(explain=who, gauges=1)))
    return scene, sliders(race, {p.entrant: p.live for p in scene.paths}, names)


def _caption(race: Race) -> T:
    """Where, how long and who, at which rate."""
    def said(language: str) -> str:
        each: list[Any] = [(e, getattr(name, language)) for e, (_, name, _) in zip(race.entrants, named(race), strict=True) if not e.muted]
        who = ", ".join(name if "α" in name else f"{name} α = {short(e['lr'])}" for e, name in each)  # some are told apart by their rates
        steps = T("{} steps", "шагов: {}")
        return " · ".join([getattr(race.surface.name, language), getattr(steps, language).format(race["steps"]), *[who] * bool(who)])
    return T(said("en"), said("ru"))
