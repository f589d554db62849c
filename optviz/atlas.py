"""Atlas: a map of thousands of runs, and what it is a map of; the complete state of a lab, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from .basin import SIDE, Basin, Basins, basin
from .core import Choice, Range, Refused, Registry, Setting, T, resolve, rounded
from .heavy import Part
from .query import Query
from .race import Entrant, Race, entrant_on

MOST = 6  # maps beside each other
WORK: Mapping[str, float] = {"auto": 3e9, "numpy": 3e9, "torch": 3e10}  # member-steps that a room can wait for
CELLS = 2**22  # of all maps together
SEEN = 160  # cells a side of a map that is not there yet
#: What is asked of a map.
ASKED: Mapping[str, Setting] = {
    "side": replace(SIDE, default=160, low=32, high=1024, allowed=Range(2, 2048), one=True),
    "backend": Choice("auto", ("auto", "numpy", "torch")),
}


@dataclass(frozen=True, init=False)
class Atlas:
    """The whole state of the lab: a race whose start is every place of the plane in turn."""

    race: Race
    asked: tuple[tuple[str, Any], ...]

    def __init__(self, race: Race, **asked: Any):
        object.__setattr__(self, "race", race if race.entrants else race.at(entrants=[entrant_on(race.surface, "adam")]))
        object.__setattr__(self, "asked", tuple(resolve(ASKED, asked).items()))

    def __getitem__(self, name: str) -> Any:
        """atlas["side"], atlas["steps"]: one setting, of the map or of the race."""
        return dict(self.asked)[name] if name in ASKED else self.race[name]

    def at(self, **changes: Any) -> Atlas:
        """The same with another race or other settings."""
        race = changes.pop("race", self.race)
        return Atlas(race, **dict(self.asked) | changes)

    @property
    def shown(self) -> list[int]:
        """Which entrants have a map: those that are not hidden, six at most."""
        return [i for i, e in enumerate(self.race.entrants) if not e.muted][:MOST]

    def basins(self) -> list[Basin]:
        """The spec of every map."""
        runs, side = self.race.runs, self["side"]
        return [Basin(runs[i], (side, side), self.race.box, self["tolerance"]) for i in self.shown]

    def to_query(self) -> str:
        """The URL's query: that of the race, and what is asked."""
        return "&".join([self.race.to_query(), *([urlencode(own)] if (own := [(n, v) for n, v in self.asked if v != ASKED[n].default]) else [])])

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Atlas:
        """The atlas of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        asked = read.settings(ASKED)
        return Atlas(Race.from_query(read.rest(), notes), **asked)


def found(specs: Sequence[Basin], backend: str, progress: Callable[..., Any] | None = None) -> list[Basins | Part | None]:
    """Every map; while they are computed, those that are there, a part of the one under way, and None."""
    work, done, out = sum(spec.work for spec in specs), 0.0, list[Any]()
    if work > (most := WORK[backend]):
        raise Refused(T(f"{rounded(work / 1e9)} billion steps are more than a room can wait for ({rounded(most / 1e9)} billion); "
                        "lower the side, the steps or the number of optimizers",
                        f"{rounded(work / 1e9)} млрд шагов — дольше, чем аудитория может ждать (предел {rounded(most / 1e9)} млрд); "
                        "уменьшите сторону карты, число шагов или число оптимизаторов"))
    cells = sum(spec.shape[0] * spec.shape[1] for spec in specs)
    if cells > CELLS:
        limit = rounded(CELLS / 1e6)
        raise Refused(T(f"{rounded(cells / 1e6)} million cells are too many to look at ({limit} million); lower the side, or use ov.basin",
                        f"{rounded(cells / 1e6)} млн ячеек не рассмотреть (предел {limit} млн); уменьшите сторону карты или возьмите ov.basin"))
    for spec in specs:
        def tell(cells: int, of: int, part: Part | None, spec: Basin = spec, done: float = done) -> None:
            if progress:
                so_far = None if part is None else [*map(thinned, [*out, part]), *[None] * (len(specs) - len(out) - 1)]
                progress(done + spec.work * cells / of, work, so_far)
        out.append(basin(spec, backend=backend, progress=tell))
        done += spec.work
    return out


def thinned(own: Basins | Part) -> Part:
    """As much of a map as an eye wants while it is computed."""
    arrays = own.arrays if isinstance(own, Part) else {name: getattr(own, name) for name in own.basin.arrays}
    ready = own.ready if isinstance(own, Part) else np.ones(own.minimum.shape, bool)
    every = -(-max(ready.shape) // SEEN)
    return Part({name: a[::every, ::every] for name, a in arrays.items()}, ready[::every, ::every])


# --- what is worth showing, in lecture order ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chapter:
    """An atlas with its lesson."""

    key: str
    name: T
    do: T
    see: T
    atlas: Atlas


chapters: Registry[Chapter] = Registry()


def _add(key: str, name: T, do: T, see: T, race: Race, **asked: Any) -> None:
    chapters.add(key, Chapter(key, name, do, see, Atlas(race, **asked)))


def chapter_of(atlas: Atlas) -> Chapter | None:
    """The chapter that an atlas is, wherever its start has been put."""
    return next((c for c in chapters.values() if c.atlas.basins() == atlas.basins()), None)


def opening(query: str, notes: list[T] | None = None) -> Atlas:
    """The atlas of a query, and the first chapter where it is empty."""
    return Atlas.from_query(query, notes) if query else next(iter(chapters.values())).atlas


_add("four",
     T("Four minima share the plane", "Четыре минимума делят плоскость"),
     T("Click a place near an edge, then one just across it.", "Щёлкните у границы, затем сразу за ней."),
     T("Gradient descent comes to the nearest minimum from 98 % of all starts, half of them within 11 steps; Adam from 93 %. Momentum is carried "
       "past the nearest one: it comes to another from 30 %, and its edges are frayed, neighbours end far apart.",
       "Градиентный спуск из 98 % стартов приходит в ближайший минимум, половина — за 11 шагов; Adam — из 93 %. Импульс проносит мимо: из "
       "30 % стартов он приходит в другой минимум, и границы у него рваные, соседи оказываются далеко друг от друга."),
     Race("himmelblau", (-0.2, 0.0), [Entrant("sgd", lr=0.01), Entrant("momentum", lr=0.01), Entrant("adam", lr=0.1)], steps=300))
_add("memory",
     T("The longer the memory, the more frayed", "Чем длиннее память, тем рванее границы"),
     T("Look along one edge from map to map; play.", "Проследите одну границу от карты к карте; нажмите «Пуск»."),
     T("With γ = 0, 0.5, 0.9 and 0.95 momentum comes elsewhere than to the nearest minimum from 2, 11, 30 and 33 % of all starts, and half of "
       "them need 11, 18, 111 and 229 steps.",
       "При γ = 0; 0,5; 0,9 и 0,95 импульс приходит не в ближайший минимум из 2, 11, 30 и 33 % стартов; половина стартов доходит за 11, 18, 111 "
       "и 229 шагов."),
     Race("himmelblau", (-0.2, 0.0), [Entrant("momentum", lr=0.01, momentum=m) for m in (0.0, 0.5, 0.9, 0.95)], steps=300))
_add("rates",
     T("Too large a rate: hardly anybody arrives", "Слишком большой шаг: почти никто не приходит"),
     T("Play, and watch the middle map; click into its grey parts.", "Нажмите «Пуск» и следите за средней картой; щёлкните в её серую часть."),
     T("At α = 0.01 every start comes to a minimum. At 0.02 only 54 % do: two of the four minima are too curved, and around them descents swing "
       "for ever. At 0.03 all but 2 miss, and 20 % diverge.",
       "При α = 0,01 в минимум приходит каждый старт. При 0,02 — лишь 54 %: два минимума из четырёх слишком круты, и около них спуск качается "
       "без конца. При 0,03 приходят лишь 2 старта, а 20 % расходятся."),
     Race("himmelblau", (-2.0, 1.5), [Entrant("sgd", lr=lr) for lr in (0.01, 0.02, 0.03)], steps=300))
_add("corners",
     T("Steep corners throw descents out", "Крутые углы выбрасывают спуск"),
     T("Click into a dark grey corner.", "Щёлкните в тёмно-серый угол."),
     T("At one rate for all gradient descent diverges from 27 % of all starts: in the corners the slope is so steep that the first step already "
       "leaves. Adam, whose step does not grow with the slope, comes to a minimum from all but 10 starts.",
       "При одной скорости обучения для всех градиентный спуск расходится из 27 % стартов: в углах склон так крут, что вылетает уже первый шаг. "
       "Adam, у которого шаг не растёт вместе с наклоном, приходит в минимум из всех стартов, кроме 10."),
     Race("six_hump_camel", (2.5, 1.5), [Entrant("sgd", lr=0.05), Entrant("adam", lr=0.1)], steps=300))
_add("valley",
     T("One minimum, and a long way to it", "Минимум один, а дорога длинная"),
     T("Play; then double the steps.", "Нажмите «Пуск»; затем удвойте число шагов."),
     T("Within 500 steps gradient descent comes to Rosenbrock's minimum from 2 % of all starts; momentum at the same rate from 12 %, but from the "
       "steep sides 15 % diverge. Adam comes from 35 % and never diverges.",
       "За 500 шагов в минимум Розенброка градиентный спуск приходит из 2 % стартов; импульс с той же скоростью обучения — из 12 %, зато с крутых "
       "склонов расходятся 15 %. Adam приходит из 35 % и не расходится нигде."),
     Race("rosenbrock", (-1.5, 2.0), [Entrant("sgd", lr=0.001), Entrant("momentum", lr=0.001), Entrant("adam", lr=0.3)], steps=500))
