"""Sampling: the complete state of the lab on gradient noise and batches, which is also its URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np

from ..core import SEED, Choice, Flag, Param, Range, Refused, T, out_of_range, resolve
from ..query import Query
from ..training import Several
from . import cliff, escape, sums, updates, variance
from .orders import orders
from .sums import Sum
from .updates import Descended

Size = int | None
RUNS = 6  # on one playhead
MOST_PASSES = 30
QUICK = 5000  # updates of all runs that are there at once
AXES = ("updates", "passes", "examples")


@dataclass(frozen=True)
class Sizes:
    """Batch sizes: whole numbers from 1, None for all examples."""

    default: tuple[Size, ...]
    most: int = 4

    def check(self, keyword: str, value: Any) -> tuple[Size, ...]:
        value = (value,) if value is None or type(value) is int else value
        good = isinstance(value, Sequence) and not isinstance(value, str) and 1 <= len(value) <= self.most and all(
            v is None or (isinstance(v, (int, np.integer)) and not isinstance(v, bool) and 1 <= v <= sums.MOST) for v in value)
        if not good:
            raise out_of_range(keyword, value, T(f"up to {self.most} whole numbers from 1 to {sums.MOST}, or all, such as 1, 8, all",
                                                 f"до {self.most} целых чисел от 1 до {sums.MOST} или «все», например 1, 8, все"))
        return tuple(dict.fromkeys(None if v is None else int(v) for v in value))

    def parse(self, keyword: str, text: str) -> tuple[Size, ...]:
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        known = {"all": None, "все": None}
        return self.check(keyword, [known[p] if p in known else int(p) if p.isdecimal() and len(p) < 9 else p for p in parts])

    @staticmethod
    def text(value: tuple[Size, ...]) -> T:
        """As it is typed."""
        return T(*(", ".join(every if v is None else str(v) for v in value) for every in ("all", "все")))


DATA: Mapping[str, Any] = {"kind": Choice("line", tuple(sums.kinds)), "n": sums.N, "spread": sums.SPREAD, "outlier": Flag(False), "data_seed": SEED}
START: Mapping[str, Any] = {"slope": Param(-1.0, -4.0, 4.0, allowed=Range(-1e3, 1e3), one=True),
                            "intercept": Param(-1.5, -4.0, 4.0, allowed=Range(-1e3, 1e3), one=True)}
#: What is shown, and the settings that it has.
VIEWS: Mapping[str, Mapping[str, Any]] = {
    "descent": {"batches": Sizes((1,)), "orders": Several(tuple(orders), ("shuffled",), 1, 4), "axis": Choice("updates", AXES),
                "passes": Param(10, 1, MOST_PASSES, allowed=Range(1, MOST_PASSES), whole=True, one=True),
                "lr": Param(0.1, 1e-3, 3.0, log=True, allowed=Range(0.0, 1e6), one=True), "reduction": Choice("mean", ("mean", "sum")),
                "memory": Param(0.05, 0.0, 1.0, allowed=Range(0.0, 1.0), one=True), **DATA, **START, "seed": SEED},
    "variance": {"draws": variance.DRAWS, **DATA, **START, "seed": SEED},
    "escape": {"sigma": escape.SIGMA, "lr": escape.RATE, "where": escape.WHERE, "steps": escape.STEPS, "seed": SEED},
    "cliff": {"limit": cliff.LIMIT, "lr": cliff.RATE, "momentum": cliff.MOMENTUM, "steps": cliff.STEPS},
}


@dataclass(frozen=True, init=False)
class Sampling:
    """What is shown, and each of its settings."""

    view: str
    settings: tuple[tuple[str, Any], ...]

    def __init__(self, view: str = "descent", **settings: Any):
        view = VIEW.check("view", view)
        values = resolve(VIEWS[view], settings)
        if view == "descent" and len(values["batches"]) * len(values["orders"]) > RUNS:
            raise Refused(T(f"{len(values['batches'])} batch sizes × {len(values['orders'])} orders are more than {RUNS} runs; take fewer of either",
                            f"{len(values['batches'])} размера пакета × {len(values['orders'])} порядка — больше {RUNS} спусков; "
                            "возьмите меньше тех или других"))
        object.__setattr__(self, "view", view)
        object.__setattr__(self, "settings", tuple(values.items()))

    def __getitem__(self, name: str) -> Any:
        return dict(self.settings)[name]

    def at(self, **changes: Any) -> Sampling:
        """The same with other settings; another view keeps what it knows, but not a rate that was meant for something else."""
        view = changes.pop("view", self.view)
        kept = {n: v for n, v in self.settings if n in VIEWS[VIEW.check("view", view)] and (view == self.view or n in {*DATA, *START, "seed"})}
        return Sampling(view, **kept | changes)

    @property
    def sum(self) -> Sum:
        """The examples."""
        return sums.drawn(self["kind"], self["n"], self["spread"], self["outlier"], self["data_seed"])

    @property
    def start(self) -> tuple[float, float]:
        """The slope and intercept to begin with."""
        return self["slope"], self["intercept"]

    @property
    def runs(self) -> list[tuple[int, str]]:
        """Size and order of each run."""
        sizes = dict.fromkeys(self["n"] if size is None else min(size, self["n"]) for size in self["batches"])
        return [(size, order) for size in sizes for order in self["orders"]]

    @property
    def counts(self) -> list[int]:
        """How many updates each run makes: over the updates all make as many, else all see as many examples."""
        counts = [self["passes"] * len(updates.sizes_of_pass(self["n"], size)) for size, _ in self.runs]
        return [max(counts)] * len(counts) if self["axis"] == "updates" else counts

    def descents(self) -> list[Descended]:
        """Every run."""
        s = self.sum
        return [updates.descended(s, self.start, size, order, self["lr"], count, self["reduction"], self["memory"], self["seed"])
                for (size, order), count in zip(self.runs, self.counts, strict=True)]

    def to_query(self) -> str:
        """The URL's query: what is at its default is left out."""
        def text(value: Any) -> str:
            if isinstance(value, tuple):
                return ",".join("all" if v is None else str(v) for v in value)
            return ("1" if value else "0") if isinstance(value, bool) else value if isinstance(value, str) else repr(value)
        table = VIEWS[self.view]
        return urlencode([("v", "1"), ("view", self.view), *((name, text(v)) for name, v in self.settings if v != table[name].default)], safe=",")

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Sampling:
        """The sampling of a query. With `notes`, what cannot be used falls back to its default and is noted; without, it is refused."""
        read = Query(query, notes)
        read.drop(["v"])
        view = read.attempt("view", lambda text: VIEW.parse("view", text), VIEW.default)
        given = read.settings(VIEWS[view])
        read.finish({"view": VIEW, **VIEWS[view]})
        try:
            return Sampling(view, **given)
        except Refused as refusal:
            read.note(refusal)
            return Sampling(view, **{name: value for name, value in given.items() if name not in ("batches", "orders")})


VIEW = Choice("descent", tuple(VIEWS))


def result(p: Sampling, progress: Callable[[int, int], None] | None = None) -> Any:
    """What is to be shown, as numbers."""
    own = {name: p[name] for name in dict(p.settings)}
    if p.view == "descent":
        return p.descents()
    if p.view == "variance":
        return variance.variances(p.sum, p.start, p["draws"], p["seed"])
    if p.view == "escape":
        return escape.escaped(**own, progress=progress)
    return cliff.clipped(**own)


def quick(p: Sampling) -> bool:
    """Whether a page can wait for the result."""
    return p.view == "cliff" or (p.view == "descent" and sum(p.counts) <= QUICK)
