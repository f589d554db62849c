"""A race of schedules as it is seen: each path bears its schedule's name, and the rates have curves of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .core import T, short
from .names import name_of
from .outcome import Outcome
from .race import Entrant
from .scene import Panel, Scene, race_scene
from .schedules import schedules


def schedule_names(entrants: tuple[Entrant, ...]) -> list[T]:
    """Each by its schedule; those of one kind are told apart by what differs, or by number."""
    def word(e: Entrant) -> T:
        name = schedules[e.schedule].name
        return T(f"Warm-up {e['warmup_steps']}, {_small(name.en)}", f"Разогрев {e['warmup_steps']}, {_small(name.ru)}") if e["warmup_steps"] else name

    words, out = [word(e) for e in entrants], list[T]()
    for i, (e, said) in enumerate(zip(entrants, words, strict=True)):
        twins = [other for other, theirs in zip(entrants, words, strict=True) if theirs == said]
        names = [n for n, _ in e.settings if n == "lr" or n.startswith("schedule_")]
        name = next((n for n in names if len({other[n] for other in twins}) == len(twins)), None)
        if len(twins) == 1:
            out.append(said)
        elif name is None:
            out.append(T(f"{said.en} {words[:i].count(said) + 1}", f"{said.ru} {words[:i].count(said) + 1}"))
        else:
            label = T("α", "α") if name == "lr" else name_of(schedules[e.schedule], name.removeprefix("schedule_"))
            out.append(T(f"{said.en}, {label.en} {short(e[name])}", f"{said.ru}, {label.ru} {short(e[name])}"))
    return out


def _small(name: str) -> str:
    """A name within a sentence; Noam stays a name."""
    return name if name.startswith("Noam") else name[:1].lower() + name[1:]


def pace_scene(outcome: Outcome) -> Scene:
    """The race with its schedules in the foreground."""
    scene, names = race_scene(outcome), schedule_names(outcome.race.entrants)
    paths = [replace(p, name=names[p.entrant], short=names[p.entrant]) for p in scene.paths]
    most = max((float(np.max(np.atleast_1d(p.rate))) for p in paths), default=0.0)
    return replace(scene, paths=paths, rates=Panel(0.0, 0.0, 1.25 * most or 1.0, False))
