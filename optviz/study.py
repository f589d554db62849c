"""Study: one training with when it stops and how it is looked at; the complete state of the decision-boundary lab, which is also its URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import numpy as np

from .core import POSITIVE, SHARE, Choice, Flag, Param, Range, Refused, T, out_of_range, resolve
from .datasets import Dataset, Own, datasets
from .losses import losses
from .nn import Block
from .preparing import RAW
from .query import Query
from .trainer import WEIGHT, Trainer
from .training import COMMON, WORDS, Several, Training, Widths, as_text, settings_of, words_of

#: What a training in the lab may ask for: the limits keep one visitor from stalling a room, and the picture readable.
LIMITS: Mapping[str, Any] = {
    "layers": Widths(WORDS["layers"].default, most=8, widest=64), "epochs": replace(WORDS["epochs"], allowed=Range(0, 10_000)),
    "n": replace(COMMON["n"], allowed=Range(1, 5_000)),
}
#: When it stops before its passes are over; each of None does not.
STOPS: Mapping[str, Any] = {
    "stop_passes": Param(None, 1, 2000, log=True, allowed=Range(1, 10_000), whole=True, one=True, optional=True),
    "stop_loss": Param(None, 1e-6, 10.0, log=True, allowed=POSITIVE, one=True, optional=True),
    "stop_accuracy": Param(None, 0.5, 1.0, allowed=SHARE, one=True, optional=True),
    "stop_plateau": Param(None, 1, 100, allowed=Range(1, 10_000), whole=True, one=True, optional=True),
    "stop_on": Choice("val", ("val", "train")),  # whose loss and accuracy
}


@dataclass(frozen=True)
class Spot:
    """A neuron: its layer, of which 0 are the inputs, and its number in it, from 0; None where none is chosen."""

    default: tuple[int, int] | None = None

    def check(self, keyword: str, value: Any) -> tuple[int, int] | None:
        if value is None:
            return None
        if not (isinstance(value, Sequence) and len(value) == 2 and all(type(v) is int and 0 <= v < 10_000 for v in value)):
            raise out_of_range(keyword, value, T("a layer and a neuron, such as (1, 0)", "слой и нейрон, например (1, 0)"))
        return value[0], value[1]

    def parse(self, keyword: str, text: str) -> tuple[int, int] | None:
        return self.check(keyword, [int(p) if p.isdecimal() and len(p) < 9 else p for p in text.split(",") if p])


#: How the stage shows it: what is hidden of the points; whether the field is flat colours; whose field (none: the output's); which hidden
#: layer's bent grid; whether the confusion matrix; at which pass it stands still (none: it plays).
LOOK: Mapping[str, Any] = {
    "hidden": Several(("train", "val", "wrong")), "discrete": Flag(False), "neuron": Spot(),
    "warp": Param(None, 1, 8, allowed=Range(1, 8), whole=True, one=True, optional=True), "matrix": Flag(False),
    "at": Param(None, 0, 2000, allowed=Range(0, 10_000), whole=True, one=True, optional=True),
}
LINKED = 20  # weights that a link can carry
MOST_PINS = 4
LONGEST_PIN = 2000  # characters of a link
OWN = T("your own data are not part of a link; “Your own data and files” saves them in a file, and opens it",
        "собственных данных в ссылке нет; раздел «Свои данные и файлы» сохраняет их в файл и открывает его")
EDITED = T("the weights set by hand are too many for a link; “Your own data and files” saves them in a file, and opens it",
           "весов, заданных вручную, слишком много для ссылки; раздел «Свои данные и файлы» сохраняет их в файл и открывает его")


@dataclass(frozen=True, init=False)
class Study:
    """The whole state of the lab: hashable, and the same in a URL, but for data and many weights of a visitor's own.

    `weights` are those to begin with, where somebody set them; without any they are drawn. `loss_before` is the loss that data with
    values drove out, and that comes back with classes. `pins` are the runs that this one is compared with.
    """

    training: Training
    weights: tuple[float, ...]
    loss_before: str | None
    stops: tuple[tuple[str, Any], ...]
    look: tuple[tuple[str, Any], ...]
    pins: tuple[Study, ...]

    def __init__(self, data: Training | str | Dataset = "spiral", weights: Any = (), loss_before: str | None = None,
                 pins: Sequence[Study] = (), **settings: Any):
        own = {name: settings.pop(name) for name in (*STOPS, *LOOK) if name in settings}
        if isinstance(data, Training) and settings:
            raise Refused(T("a Training has its settings; change them with at", "у Training настройки уже есть; измените их через at"))
        training = data if isinstance(data, Training) else Training(data, **settings)
        for name, limit in LIMITS.items():
            limit.check(name, training[name])
        start = tuple(np.ravel(WEIGHT.check("weights", weights)).tolist())
        if start and len(start) != (size := blocks(training)[-1].at.stop):
            raise out_of_range("weights", len(start), T(f"{size} numbers, one for each weight of this network",
                                                        f"{size} чисел, по одному на каждый вес этой сети"))
        before = None if loss_before is None else WORDS["loss"].check("loss_before", loss_before)
        given = resolve({**STOPS, **LOOK}, own)
        depth = len(training["layers"])
        if given["warp"] is not None and given["warp"] > depth:
            given["warp"] = None  # there is no such layer
        if given["neuron"] is not None and not _is_there(given["neuron"], training):
            given["neuron"] = None
        runs = tuple(dict.fromkeys(pin.run for pin in pins))
        if len(runs) > MOST_PINS:
            raise Refused(T(f"{MOST_PINS} runs are pinned already; unpin one of them", f"Закреплено уже {MOST_PINS} запуска; открепите какой-нибудь"))
        values = (training, start, before, *(tuple((name, given[name]) for name in table) for table in (STOPS, LOOK)), runs)
        for f, value in zip(fields(Study), values, strict=True):
            object.__setattr__(self, f.name, value)

    def __getitem__(self, name: str) -> Any:
        """study["lr"], study["stop_loss"]: one word or setting, of the training, of its stops or of its look."""
        return {**dict(self.training.values), **dict(self.stops + self.look)}[name]

    def at(self, **changes: Any) -> Study:
        """The same with other words and settings; what they make impossible gives way.

        Weights set by hand stay while the network has the same shape, unless another seed or initialization asks for others.
        """
        own = {name: changes.pop(name) for name in (*STOPS, *LOOK) if name in changes}
        weights, pins, training, before = changes.pop("weights", None), changes.pop("pins", self.pins), self.training, self.loss_before
        if changes:
            training, before = changed(training, before, changes)
        if weights is None:
            drawn_anew = {"seed", "init"} & changes.keys() or any(name.startswith("init_") for name in changes)
            weights = () if drawn_anew or (self.weights and blocks(training) != blocks(self.training)) else self.weights
        return Study(training, weights, before, pins, **dict(self.stops + self.look) | own)

    @property
    def run(self) -> Study:
        """The run alone: without those that are pinned, and looked at as everybody does at first."""
        return Study(self.training, self.weights, self.loss_before, **dict(self.stops))

    def pinned(self) -> Study:
        """The same with this run pinned."""
        if self.run in self.pins:
            raise Refused(T("this run is pinned already; change something, and compare", "этот запуск уже закреплён; измените что-нибудь и сравните"))
        return self.at(pins=(*self.pins, self.run))

    def unpinned(self, k: int) -> Study:
        """The same without a pinned run."""
        return self.at(pins=(*self.pins[:k], *self.pins[k + 1:]))

    def opened(self, k: int) -> Study:
        """A pinned run in the place of this one, which is pinned in its place."""
        other = self.pins[k]
        return other.at(pins=(*self.pins[:k], *[self.run] * (self.run != other), *self.pins[k + 1:]), **dict(self.look))

    def reseeded(self) -> Study:
        """The same points, and all else that chance decides anew: weights, order, dropout."""
        return self.at(seed=(self["seed"] + 1) % 2**32, data_seed=self._data_seed)

    def redrawn(self) -> Study:
        """Other points of the same kind, and the same weights; of a visitor's own, others validate."""
        return self.at(data=unmarked(self["data"]), data_seed=(self._data_seed + 1) % 2**32)

    @property
    def _data_seed(self) -> int:
        return self["seed"] if self["data_seed"] is None else self["data_seed"]

    def trainer(self) -> Trainer:
        """The training before its first pass."""
        return Trainer(self.training, weights=self.weights or None)

    # --- the URL ----------------------------------------------------------------------------------------------------------------------

    @property
    def unlinked(self) -> tuple[T, ...]:
        """What a link to this does not carry, and a file does."""
        mine = (OWN,) * (self["data"].key not in datasets) + (EDITED,) * (len(self.weights) > LINKED)
        return tuple(dict.fromkeys([*mine, *(text for pin in self.pins for text in pin.unlinked)]))

    def to_query(self) -> str:
        """The URL's query: what is at its default is left out, the rate never is; of what a link does not carry it says that it is missing."""
        pairs = self.training.pairs()
        if self.weights:
            pairs.append(("weights", as_text(self.weights) if len(self.weights) <= LINKED else "own"))
        if self.loss_before is not None:
            pairs.append(("loss_before", self.loss_before))
        table = {**STOPS, **LOOK}
        pairs += [(name, as_text(value)) for name, value in self.stops + self.look if value != table[name].default]
        pairs += [("pin", pin.to_query()) for pin in self.pins]
        return urlencode(pairs, safe=",")

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None, own: Dataset | None = None, edited: Sequence[float] = ()) -> Study:
        """The study of a query, with the data and the weights that it says to be a visitor's own. With `notes`, what cannot be used falls back
        and is noted."""
        read = Query(query, notes)
        if read.fields.get("data", [""])[-1] == "own":
            read.drop(["data"])
            if own is None:
                read.note(Refused(OWN))
        else:
            own = None
        weights = read.attempt("weights", lambda text: edited if text == "own" and edited else read_weights(text), edited[:0])
        pins = [pin for text in read.all("pin") if (pin := read.read("pin", text, read_pin, None))]
        if len(pins) > MOST_PINS:
            read.note(Refused(T(f"of the pinned runs only {MOST_PINS} are shown", f"из закреплённых запусков показаны только {MOST_PINS}")))
        before = read.attempt("loss_before", lambda v: WORDS["loss"].check("loss_before", v), None)
        settings = read.settings({**STOPS, **LOOK})
        limited = read.settings(LIMITS)
        read.fields |= {name: [as_text(value)] for name, value in limited.items()}
        training = Training.read(read, own)
        try:
            return Study(training, weights, before, pins[:MOST_PINS], **settings)
        except Refused as refusal:  # the weights are those of another network
            read.note(refusal)
            return Study(training, (), before, pins[:MOST_PINS], **settings)


def read_pin(text: str) -> Study:
    """A pinned run as a query holds it: whole or not at all, because a comparison with another would mislead."""
    if len(text) > LONGEST_PIN or "pin" in Query(text).fields:
        raise Refused(T("a pinned run of this link cannot be read", "закреплённый запуск из этой ссылки прочитать нельзя"))
    return Study.from_query(text).run


def read_weights(text: str) -> tuple[float, ...]:
    """Weights as a query holds them."""
    if text == "own":
        raise Refused(EDITED)
    return tuple(np.ravel(WEIGHT.check("weights", [float(part) for part in text.split(",")])).tolist())


@lru_cache(maxsize=32)
def blocks(training: Training) -> tuple[Block, ...]:
    """The parameters of a training's network."""
    return Trainer(training).net.blocks


def _is_there(spot: tuple[int, int], training: Training) -> bool:
    """Whether a network has such a neuron."""
    layer, number = spot
    if layer > len(training["layers"]) + 1:
        return False
    if 0 < layer <= len(training["layers"]):
        return number < training["layers"][layer - 1]
    try:
        weight = [b for b in blocks(training) if b.kind == "weight"]
    except Refused:  # such a training cannot begin, and its page says why
        return False
    return number < (weight[0].shape[0] if layer == 0 else weight[-1].shape[1])


# --- a change, and what gives way to it ---------------------------------------------------------------------------------------------------


def changed(training: Training, loss_before: str | None, changes: Mapping[str, Any]) -> tuple[Training, str | None]:
    """The training with other words and settings, and the loss that waits for classes; what means the same to both stays."""
    old = dict(training.values)
    words = words_of({name: changes.get(name, old[name]) for name in WORDS})
    if any(changes.get(name, old[name]) != old[name] for name in ("val", "n")) and "data" not in changes:
        words["data"] = unmarked(words["data"])
    data: Dataset = words["data"]
    other = data != old["data"]
    if "loss" in changes:
        loss_before = None
    elif data.kind == "values" and losses[words["loss"]].coding != "values":
        loss_before, words["loss"] = words["loss"], "mse"
    elif data.kind == "classes" and loss_before is not None:
        loss_before, words["loss"] = None, loss_before
    if "activation" not in changes:
        words["activation"] = spread_over(words["activation"], len(words["layers"]))
    table, mine = settings_of(words), settings_of(old)
    values = {name: old[name] for name in table if name in mine and (table[name] == mine[name] or (name == "lr" and measured_alike(table, mine)))}
    values["penalty_layers"] = tuple(layer for layer in values["penalty_layers"] if layer <= len(words["layers"]) + 1)
    if other:
        values |= fitting(data, old, values)
    return Training(**words, **values | {name: value for name, value in changes.items() if name not in WORDS}), loss_before


def unmarked(data: Dataset) -> Dataset:
    """A visitor's own data without the mark of who validates: chance decides it anew."""
    return replace(data, make=replace(data.make, held=None)) if isinstance(data.make, Own) else data


def spread_over(named: tuple[str, ...], layers: int) -> tuple[str, ...]:
    """An activation for each of so many layers, or one for all: the last is repeated where layers were added."""
    each = (*named, *named[-1:] * layers)[:max(layers, 1)]
    return each if len(set(each)) > 1 else each[:1]


def measured_alike(table: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    """Whether a rate means a step's length to both optimizers, or to both a multiple of the length that they find themselves."""
    return (table["lr"].default == 1) == (mine["lr"].default == 1)


def fitting(data: Dataset, old: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What settings have to become with other data."""
    out: dict[str, Any] = {}
    if data.inputs != 2:
        out["features"] = RAW
        if data.image is None:
            out |= {"augment_rotate": 0.0, "augment_flip": 0.0}
    if data.key not in datasets:
        out["n"] = data.size  # a visitor's own points are all wanted
    elif old["data"].key not in datasets:
        out["n"] = COMMON["n"].default
    elif data.size is not None:
        out["n"] = min(values["n"], data.size)
    return out
