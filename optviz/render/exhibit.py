"""What a lab gives to be exported: its scene, and what is said of it. A lab that can make one has every medium."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..core import Refused, T, short
from ..outcome import solve
from ..pace import Pace
from ..pace_scene import pace_scene
from ..race import Race
from ..run import Run
from ..scene import Scene, race_scene
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
        if step is None:
            return self
        query = "&".join([field for field in self.query.split("&") if not field.startswith("at=")] + [f"at={step}"])
        return replace(self, scene=replace(self.scene, look={**self.scene.look, "at": step}), query=query)


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


def exhibit(race: Race) -> Exhibit:
    """A race, of those who can run."""
    scene = race_scene(solve(race))
    shown = [race.entrants[p.entrant] for p in scene.paths if not p.muted]
    who = [e.optimizer for e in shown] if len(shown) <= NAMED else [f"{len(shown)}-optimizers"]
    where = race.surface.key if race.surface.key in surfaces else "own-formula"
    return Exhibit(scene, "descent", race.to_query(), "-".join([where, *dict.fromkeys(who)]), _caption(race, scene),
                   [e.word() for e in race.entrants], {"optviz": partial(with_optviz, race), "torch": partial(with_torch, race)},
                   partial(_alone, race), changeable(race, {p.entrant: p.live for p in scene.paths}))


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
