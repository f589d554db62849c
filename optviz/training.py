"""Training: the complete spec of one network's training, which is also its URL; and the one space of settings that all trainings share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from .activations import activations
from .augment import augmentations
from .core import BELOW_ONE, NOT_NEGATIVE, SHARE, Choice, Flag, Param, Range, Refused, Setting, T, out_of_range, resolve
from .datasets import Dataset, datasets
from .initializers import initializers
from .losses import losses
from .optimizers import optimizers
from .penalties import penalties
from .preparing import FEATURES, RAW, preparations
from .query import Query
from .run import COMMON as RUN
from .run import VERSION, find
from .schedules import schedules

MOST_LAYERS, MOST_WIDTH = 100, 4096


@dataclass(frozen=True)
class Key:
    """A definition of a registry, by its key."""

    registry: Mapping[str, Any]
    keyword: str
    default: str

    def check(self, keyword: str, value: Any) -> str:
        return find(self.registry, self.keyword, value, type(next(iter(self.registry.values())))).key

    def parse(self, keyword: str, text: str) -> str:
        return self.check(keyword, text)


@dataclass(frozen=True)
class Several:
    """Some words out of a few, in an order that matters; commas between them in a text."""

    words: Sequence[str]
    default: tuple[str, ...] = ()
    least: int = 0
    most: int = 20

    def check(self, keyword: str, value: Any) -> tuple[str, ...]:
        value = (value,) if isinstance(value, str) else value
        good = isinstance(value, Sequence) and self.least <= len(value) <= self.most and all(isinstance(v, str) and v in self.words for v in value)
        if not good:
            raise out_of_range(keyword, value, T(*["(" + ", ".join(self.words) + ")"] * 2))
        return tuple(value)

    def parse(self, keyword: str, text: str) -> tuple[str, ...]:
        return self.check(keyword, [word for word in text.split(",") if word])


@dataclass(frozen=True)
class Widths:
    """Whole numbers, one a layer."""

    default: tuple[int, ...]
    most: int = MOST_LAYERS
    widest: int = MOST_WIDTH

    def check(self, keyword: str, value: Any) -> tuple[int, ...]:
        value = np.asarray(value).tolist() if isinstance(value, np.ndarray) else value
        good = isinstance(value, Sequence) and not isinstance(value, str) and len(value) <= self.most and all(
            isinstance(v, (int, np.integer)) and not isinstance(v, bool) and 1 <= v <= self.widest for v in value)
        if not good:
            raise out_of_range(keyword, value, T(f"up to {self.most} whole numbers from 1 to {self.widest}, such as (8, 8)",
                                                 f"до {self.most} целых чисел от 1 до {self.widest}, например (8, 8)"))
        return tuple(int(v) for v in value)

    def parse(self, keyword: str, text: str) -> tuple[int, ...]:
        parts = [part for part in text.split(",") if part]
        return self.check(keyword, [int(p) if p.isdecimal() and len(p) < 9 else p for p in parts])


@dataclass(frozen=True)
class Place(Choice):
    """Where a normalization stands; yes means before the nonlinearity, as its paper has it."""

    default: str = "none"
    choices: tuple[str, ...] = ("none", "before", "after")

    def check(self, keyword: str, value: Any) -> str:
        return super().check(keyword, ("none", "before")[value] if isinstance(value, bool) else value)


_EPOCHS = Param(100, 1, 2000, log=True, allowed=Range(0, 1_000_000), whole=True, one=True)
#: What makes a training what it is: each names a definition with settings of its own, or a shape.
WORDS: Mapping[str, Any] = {
    "data": Key(datasets, "dataset", "spiral"), "layers": Widths((8, 8)), "activation": Several(tuple(activations), ("tanh",), 1, MOST_LAYERS),
    "output_activation": Key(activations, "activation", "linear"), "init": Key(initializers, "initializer", "xavier"),
    "optimizer": Key(optimizers, "optimizer", "sgd"), "schedule": Key(schedules, "schedule", "constant"), "loss": Key(losses, "loss", "mse"),
    "epochs": _EPOCHS,
}
_SEED = Param(0, 0, 2**32 - 1, allowed=Range(0, 2**32 - 1), whole=True)
#: What every training has besides what its definitions bring.
COMMON: Mapping[str, Any] = {
    "batch": Param(10, 1, 512, log=True, allowed=Range(1, 10**9), whole=True, one=True, optional=True),  # None is all of them
    "n": Param(200, 10, 2000, log=True, allowed=Range(2, 100_000), whole=True, one=True),
    "val": Param(0.5, 0.0, 0.9, allowed=BELOW_ONE, one=True),
    "noise": Param(0.0, 0.0, 0.5, allowed=NOT_NEGATIVE),
    "label_noise": Param(0.0, 0.0, 0.5, allowed=SHARE),
    "features": Several(tuple(FEATURES), RAW, 1),
    "prepare": Several(tuple(preparations)),
    **{"augment_" + key: replace(a.amount, default=0.0) for key, a in augmentations.items()},
    "dropout": Param(0.0, 0.0, 0.9, allowed=BELOW_ONE), "dropout_form": Choice("inverted", ("inverted", "at_test")),
    "batchnorm": Place(), "bn_momentum": Param(0.1, 0.0, 1.0, allowed=SHARE), "bn_variance": Choice("biased", ("biased", "unbiased")),
    "layernorm": Place(), "residual": Flag(False), "bias": Flag(True),
    "label_smoothing": Param(0.0, 0.0, 0.5, allowed=SHARE), "reduction": Choice("mean", ("mean", "sum")),
    "penalty_layers": Widths(()),  # none named means all
    "clip_norm": RUN["clip_norm"], "clip_value": RUN["clip_value"],
    "schedule_every": Choice("update", ("update", "pass")), "shuffle": Flag(True),
    "patience": Param(None, 1, 100, allowed=Range(1, 10**6), whole=True, optional=True),
    "seed": _SEED, "data_seed": replace(_SEED, default=None, optional=True),  # None is the same seed
}
PLAIN_RATE = 0.03  # what plain gradient descent wants on these networks; a surface is steeper


def settings_of(words: Mapping[str, Any]) -> dict[str, Any]:
    """Every keyword that a training of these words takes, in one flat space."""
    optimizer = optimizers[words["optimizer"]]
    table: dict[str, Any] = {**optimizer.params, **COMMON}
    if optimizer.key == "sgd":
        table["lr"] = replace(table["lr"], default=PLAIN_RATE)
    for prefix, params in _owners(words):
        table |= {f"{prefix}_{name}": p for name, p in params.items()}
    for key, p in penalties.items():
        table |= {key if name == "strength" else f"{key}_{name}": own for name, own in p.params.items()}
    return table


def _owners(words: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Setting]]]:
    """The prefix and the parameters of each definition that words name."""
    data = words["data"]
    yield "data", (data if isinstance(data, Dataset) else datasets[data]).params
    yield "schedule", schedules[words["schedule"]].params
    yield "loss", losses[words["loss"]].params
    yield "init", initializers[words["init"]].params
    for key in dict.fromkeys([*words["activation"], words["output_activation"]]):
        yield key, activations[key].params


def go_together(words: Mapping[str, Any]) -> None:
    """Refuse words that contradict each other."""
    named, layers, data, loss = len(words["activation"]), len(words["layers"]), words["data"], losses[words["loss"]]
    if named not in (1, layers):
        raise Refused(T(f"activation names {named} layers of {layers}; name one for all, or one for each",
                        f"activation: слоёв названо {named} из {layers}; укажите одну на все слои или по одной на слой"))
    if data.kind == "values" and loss.coding != "values":
        raise Refused(T(f"loss={loss.key} is for classes, and data={data.key} has values; choose mse or half_mse",
                        f"loss={loss.key} — для классов, а в data={data.key} предсказывают число; выберите mse или half_mse"))


def words_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every word of a training, checked by itself, the data as a definition; no activation is the linear one."""
    given = {name: value for name, value in given.items() if name in WORDS}
    data = given.get("data")
    for name in ("activation", "output_activation"):
        if given.get(name, "") is None:
            given[name] = "linear"
    if isinstance(given.get("activation"), (list, tuple)):
        given["activation"] = ["linear" if word is None else word for word in given["activation"]]
    words = resolve(WORDS, {name: value for name, value in given.items() if not isinstance(value, Dataset)})
    return words | {"data": data if isinstance(data, Dataset) else datasets[words["data"]]}


def settled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every word and setting of a training with its checked value; settings may be arrays."""
    given = dict(given)
    words = words_of(given)
    go_together(words)
    if words["data"].key not in datasets and "n" not in given:
        given["n"] = words["data"].size  # a visitor's own points are all wanted
    values = resolve(settings_of(words), {name: value for name, value in given.items() if name not in WORDS})
    if too_far := [layer for layer in values["penalty_layers"] if layer > len(words["layers"]) + 1]:
        raise out_of_range("penalty_layers", too_far[0], T(f"1 to {len(words['layers']) + 1}", f"от 1 до {len(words['layers']) + 1}"))
    return words | values


@dataclass(frozen=True, init=False)
class Training:
    """The complete spec of one training: hashable, and the same in a URL."""

    values: tuple[tuple[str, Any], ...]

    def __init__(self, data: str | Dataset = "spiral", **settings: Any):
        values = settled({"data": data, **settings})
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                raise out_of_range(name, value, T("one number: a Training holds scalars, arrays go to train",
                                                  "одно число: Training хранит скаляры, массивы принимает train"))
        object.__setattr__(self, "values", tuple(values.items()))

    def __getitem__(self, name: str) -> Any:
        """training["lr"]: one word or setting."""
        return dict(self.values)[name]

    def __getattr__(self, name: str) -> Any:
        """training.lr, training.layers: words and settings by name."""
        if name != "values" and name in (values := dict(self.values)):
            return values[name]
        raise AttributeError(f"a training has no {name!r}")

    def to_query(self) -> str:
        """The URL's query: what is at its default is left out, the rate never is. A visitor's own data do not fit into it."""
        if self["data"].key not in datasets:
            raise Refused(T("your own data do not fit into a link: save them as a file",
                            "собственные данные не помещаются в ссылку: сохраните их в файл"))
        return urlencode(self.pairs(), safe=",")

    def pairs(self) -> list[tuple[str, str]]:
        """The fields of the query; of a visitor's own data, their key alone."""
        values = dict(self.values)
        table = {**WORDS, **settings_of(values)}
        told = [(name, as_text(value)) for name, value in values.items() if name != "data" and (name == "lr" or value != table[name].default)]
        return [("v", str(VERSION)), ("data", values["data"].key), *told]

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Training:
        """The training of a query. With `notes`, what cannot be used falls back to its default and is noted; without, it is refused."""
        return Training.read(Query(query, notes))

    @staticmethod
    def read(read: Query) -> Training:
        """The training of the fields that are left of a query."""
        read.drop(["v"])
        words = {name: read.attempt(name, lambda v, name=name, w=w: w.parse(name, v), w.default) for name, w in WORDS.items()}  # type: ignore[misc]
        for name in ("activation", "loss"):  # what contradicts the others gives way
            try:
                go_together({**words, "data": datasets[words["data"]]})
            except Refused as refusal:
                read.note(refusal)
                words[name] = WORDS[name].default
        table = settings_of(words)
        settings = read.settings(table)
        read.finish({**WORDS, **table})
        try:
            return Training(**words, **settings)
        except Refused as refusal:
            read.note(refusal)
            return Training(**words)


def as_text(value: Any) -> str:
    """A value as a query holds it."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else "none" if value is None else repr(value)
