"""Pace: one optimizer under several schedules, and what is asked about its learning rate; the complete state of a lab, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from .core import Choice, Refused, Setting, T, resolve, shown
from .optimizers import Optimizer, optimizers
from .query import Query
from .race import Entrant, Race, entrant_on
from .rates import axes_of, two_numbers, usual_axes
from .run import VERSION
from .schedules import schedules
from .surfaces import Surface

NUMBERS = tuple(dict.fromkeys(name for o in optimizers.values() for name in axes_of(o)))
#: Which question is answered beside the stage, on what, and what the map varies ("": what suits the optimizer).
ASKED: Mapping[str, Setting] = {
    "figure": Choice("band", ("run", "band", "three", "range", "map")),
    "on": Choice("surface", ("surface", "network")),
    "across": Choice("", ("", *NUMBERS)),
    "up": Choice("", ("", *NUMBERS)),
}


#: Into how many such lengths a run falls at first.
LENGTHS = {"step_size": 3, "milestone1": 3, "milestone2": 1.5, "total_iters": 3, "T_0": 3, "step_size_up": 6, "warmup": 10}


def lengths_in(steps: int, key: str) -> dict[str, int]:
    """The settings of a schedule that make it do within a run what it does; a length of 0 is all of the run already."""
    return {f"schedule_{name}": max(round(steps / LENGTHS[name]), 1) for name, p in schedules[key].params.items() if name in LENGTHS and p.default}


def _known(version: str) -> None:
    """Only the links of this version can be read."""
    if version != str(VERSION):
        raise Refused(T(f"v={shown(version)}: this link is of another version; check what it shows",
                        f"v={shown(version)}: ссылка другой версии; проверьте, то ли открылось"))


@dataclass(frozen=True, init=False)
class Pace:
    """The whole state of the lab of learning rates: hashable, and the same in a URL."""

    race: Race
    asked: tuple[tuple[str, Any], ...]

    def __init__(self, race: Race, **asked: Any):
        entrants = race.entrants or (entrant_on(race.surface, "sgd"),)
        first = entrants[0].optimizer
        race = race.at(entrants=[e if e.optimizer == first else e.at(optimizer=first) for e in entrants])
        given = resolve(ASKED, asked)
        if not {given["across"], given["up"]} <= {"", *self.numbers_of(race)} or (given["across"] == given["up"] != ""):
            given |= {"across": "", "up": ""}  # another optimizer has other numbers
        for f, value in zip(fields(Pace), (race, tuple(given.items())), strict=True):
            object.__setattr__(self, f.name, value)

    def __getitem__(self, name: str) -> Any:
        """pace["figure"], pace["steps"]: one setting, of the question or of the race."""
        return dict(self.asked)[name] if name in ASKED else self.race[name]

    @staticmethod
    def numbers_of(race: Race) -> Sequence[str]:
        """What can stand on the axes of the map."""
        return list(axes_of(optimizers[two_numbers(race.runs[0]).optimizer]))

    @property
    def optimizer(self) -> Optimizer:
        """The one that all entrants share."""
        return optimizers[self.race.entrants[0].optimizer]

    @property
    def axes(self) -> tuple[str, str]:
        """What the map varies, across and upwards."""
        usual = usual_axes(optimizers[two_numbers(self.race.runs[0]).optimizer])
        if self["across"] and self["up"]:
            return self["across"], self["up"]
        if self["across"] or self["up"]:
            one, other = self["across"] or self["up"], next(n for n in (*usual, *self.numbers_of(self.race)) if n != (self["across"] or self["up"]))
            return (one, other) if self["across"] else (other, one)
        return usual

    def at(self, **changes: Any) -> Pace:
        """The same with other settings."""
        asked = {name: changes.pop(name) for name in list(changes) if name in ASKED}
        return Pace(changes.pop("race", self.race).at(**changes), **dict(self.asked) | asked)

    def with_each(self, change: Callable[[Entrant], Entrant]) -> Pace:
        """Every entrant changed alike."""
        return self.at(entrants=[change(e) for e in self.race.entrants])

    def with_optimizer(self, key: str) -> Pace:
        """Another optimizer, at the rate that is recommended for it; the schedules stay."""
        rate = entrant_on(self.race.surface, key)["lr"]
        return self.with_each(lambda e: e.at(optimizer=key, lr=rate))

    def on(self, s: Surface) -> Pace:
        """The same on another surface."""
        return self.at(race=self.race.on(s))

    def with_schedule(self, key: str) -> Pace:
        """One schedule more, with lengths that suit the run."""
        lengths = lengths_in(self.race["steps"], key)
        return self.at(entrants=[*self.race.entrants, self.race.entrants[-1].at(schedule=key, warmup_steps=0, muted=False, **lengths)])

    def with_cell(self, **values: float) -> Pace:
        """The values of a cell of the map, for all; gradient descent with a memory is the heavy ball."""
        other = two_numbers(self.race.runs[0]).optimizer
        start = self if other == self.optimizer.key else self.with_each(lambda e: e.at(optimizer=other, lr=e["lr"]))
        return start.with_each(lambda e: e.at(**values))

    def to_query(self) -> str:
        """The URL's query: that of the race, and what is asked."""
        return "&".join([self.race.to_query(), *([urlencode(own)] if (own := [(n, v) for n, v in self.asked if v != ASKED[n].default]) else [])])

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Pace:
        """The pace of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        read.attempt("v", _known, None)
        asked = read.settings(ASKED)
        return Pace(Race.from_query(read.rest(), notes), **asked)
