"""Trial: one experiment of the regularization lab with the network it is made on; the complete state of that lab, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .core import Param, T
from .grid import Grid
from .query import Query
from .regular import amount, auxiliary, batchnorm, dropout, prepared, several, smoothing, stopping, weights
from .regular.findings import Finding, findings
from .study import Study

GRID = "grid"  # what is not an experiment of its own, but many networks beside each other
_TURNED = {"stretch": prepared.STRETCH, "turn": prepared.TURN, "away": prepared.AWAY}
_SEEDS = {"seeds": several.SEEDS}
#: The numbers of its own that an experiment lets a visitor change.
NUMBERS: Mapping[Callable[..., Any], Mapping[str, Param]] = {
    weights.trench: {"strength": weights.LAMBDA}, dropout.ensemble: {"count": dropout.COUNT}, dropout.with_l2: _SEEDS,
    batchnorm.steps_table: {"target": batchnorm.TARGET, **_SEEDS}, batchnorm.places: {"target": batchnorm.TARGET, **_SEEDS},
    batchnorm.sensitivity: _SEEDS, smoothing.confidence: _SEEDS, stopping.stopping: {"patience": stopping.PATIENCE}, amount.amounts: _SEEDS,
    amount.averaged: {"copies": amount.COPIES, **_SEEDS}, auxiliary.heads: {"weight": auxiliary.WEIGHT, **_SEEDS},
    prepared.stages: {**_TURNED, "share": prepared.SHARE}, prepared.shaken: {"size": prepared.SIZE, **_TURNED},
}
#: What they are called.
OWN_NAMES: Mapping[str, T] = {
    "strength": T("λ of the surface", "λ поверхности"), "count": T("Thinned networks", "Прореженных сетей"), "seeds": T("Seeds", "Зёрен"),
    "target": T("Target: share that is right", "Цель: доля верных"), "patience": T("Patience in passes", "Терпение в эпохах"),
    "copies": T("Changed copies", "Изменённых копий"), "weight": T("Weight of the second task", "Вес второй задачи"),
    "stretch": T("Stretch of the points", "Растяжение точек"), "turn": T("Turn, °", "Поворот, °"),
    "away": T("Distance from the origin", "Сдвиг от начала координат"),
    "share": T("Share of the excess loss that is left", "Остающаяся доля избытка потери"),
    "size": T("Shake, as a share of the weights", "Дрожание, доля от весов"),
}


def numbers_of(about: str) -> dict[str, Param]:
    """The numbers of what is shown, with the defaults that it has there."""
    return {} if about == GRID else dict(NUMBERS.get(findings[about].experiment, {}))


@dataclass(frozen=True, init=False)
class Trial:
    """What is shown, the grid whose study is the network of every experiment, and the experiment's own numbers where they are others."""

    about: str
    grid: Grid
    numbers: tuple[tuple[str, float], ...]

    def __init__(self, about: str, grid: Grid, numbers: Mapping[str, float] | None = None):
        put = object.__setattr__
        put(self, "about", about if about == GRID else findings[about].key)
        put(self, "grid", grid)
        table = numbers_of(about)
        put(self, "numbers", tuple((name, table[name].check(name, value)) for name, value in (numbers or {}).items() if name in table))

    @property
    def study(self) -> Study:
        """The network that all is about."""
        return self.grid.study

    @property
    def finding(self) -> Finding | None:
        """The claim that is shown; none where the grid is."""
        return None if self.about == GRID else findings[self.about]

    @property
    def own(self) -> dict[str, Any]:
        """The keywords of the experiment."""
        assert self.finding is not None
        return {**self.finding.own, **dict(self.numbers)}

    def number(self, name: str) -> Any:
        """One of the experiment's numbers."""
        return self.own.get(name, numbers_of(self.about)[name].default)

    def at(self, **changes: Any) -> Trial:
        """The same with another network (`study`), grid, or numbers."""
        if "study" in changes:
            changes["grid"] = self.grid.at(study=changes.pop("study"))
        numbers = {**dict(self.numbers), **changes.pop("numbers", {})}
        return Trial(**{"about": self.about, "grid": self.grid, **changes}, numbers=numbers)

    def to_query(self) -> str:
        """The URL's query."""
        head = urlencode([("about", self.about), *((f"own_{name}", repr(value)) for name, value in self.numbers)])
        return f"{head}&{self.grid.to_query()}"

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Trial:
        """The trial of a query. With `notes`, what cannot be used falls back and is noted."""
        read = Query(query, notes)
        about = read.attempt("about", lambda v: v if v == GRID else findings[v].key, GRID)
        table = numbers_of(about)
        given = read.settings({f"own_{name}": p for name, p in table.items()})
        if not read.fields:
            return FIRST if about == GRID else opened(findings[about]).at(numbers=_named(given))
        return Trial(about, Grid.from_query(read.rest(), notes), _named(given))


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    """The experiment's numbers by their own names."""
    return {name.removeprefix("own_"): value for name, value in given.items()}


def script(trial: Trial, language: str) -> str:
    """A program that makes the same experiment."""
    said = {"en": "What this experiment finds, as arrays.", "ru": "Что находит этот эксперимент, в виде массивов."}[language]
    return "\n".join([f'"""{said}"""', "", "from optviz.regular.findings import findings", "from optviz.training import Training", "",
                      f"training = Training.from_query({trial.study.training.to_query()!r})",
                      f"result = findings[{trial.about!r}].experiment(training, **{trial.own!r})",
                      "print({name: getattr(value, 'shape', value) for name, value in vars(result).items()})", ""])


# --- what is worth showing, in lecture order ---------------------------------------------------------------------------------------------

#: Few noisy points, a tenth of them with the wrong label: large networks learn the noise.
NOISY = Study("circle", noise=0.25, label_noise=0.1, n=200, layers=(20,), optimizer="adam", lr=0.03, loss="logistic", epochs=300)


def opened(finding: Finding) -> Trial:
    """A claim as it was measured."""
    return Trial(finding.key, Grid(Study(finding.training)))


FIRST = Trial(GRID, Grid(NOISY))


def opening(query: str, notes: list[T] | None = None) -> Trial:
    """The trial of a query, and the grid where it is empty."""
    return Trial.from_query(query, notes) if query else FIRST

