"""Training: the complete spec of one network's training, which is also its URL; and the one space of settings that all trainings share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from .activations import activations
from .augment import augmentations
from .core import BELOW_ONE, SEED, SHARE, Choice, Flag, Param, Range, Refused, Setting, T, Unknown, out_of_range, resolve, unknown_name
from .datasets import NOISE, Dataset, N, dataset, datasets
from .descent import asked
from .initializers import initializers
from .losses import losses
from .optimizers import optimizers
from .penalties import penalties
from .preparing import FEATURES, RAW, preparations
from .query import Query
from .run import COMMON as RUN
from .run import VERSION
from .schedules import schedules

MOST_LAYERS, MOST_WIDTH = 100, 4096


@dataclass(frozen=True)
class Key:
    """A definition of a registry, by its key or its name."""

    registry: Mapping[str, Any]
    default: str

    def check(self, keyword: str, value: Any) -> str:
        if self.registry.get(key := str(getattr(value, "key", ""))) is value:  # the definition itself
            value = key
        if not isinstance(value, str):
            raise out_of_range(keyword, value, T(*["{" + ", ".join(self.registry) + "}"] * 2))
        try:
            return self.registry[value].key
        except Unknown as why:
            raise Refused(T(f"{keyword}: {why.text.en}", f"{keyword}: {why.text.ru}")) from None

    parse = check


@dataclass(frozen=True)
class Keys:
    """One definition for all, or several in a row; commas between them in a text."""

    registry: Mapping[str, Any]
    default: tuple[str, ...]
    most: int

    def check(self, keyword: str, value: Any) -> tuple[str, ...]:
        value = value if isinstance(value, (list, tuple)) else (value,)
        if not 1 <= len(value) <= self.most:
            raise out_of_range(keyword, value, T(f"1 to {self.most} names", f"от 1 до {self.most} имён"))
        return tuple(Key(self.registry, "").check(keyword, word) for word in value)

    def parse(self, keyword: str, text: str) -> tuple[str, ...]:
        return self.check(keyword, text.split(","))


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
        value = value.tolist() if isinstance(value, (np.ndarray, np.integer)) else value
        value = (value,) if type(value) is int else value
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
    "data": Key(datasets, "spiral"), "layers": Widths((8, 8)), "activation": Keys(activations, ("tanh",), MOST_LAYERS),
    "output_activation": Key(activations, "linear"), "init": Key(initializers, "xavier"),
    "optimizer": Key(optimizers, "sgd"), "schedule": Key(schedules, "constant"), "loss": Key(losses, "mse"),
    "epochs": _EPOCHS,
}
_SEED = replace(SEED, one=False)
#: What every training has besides what its definitions bring.
COMMON: Mapping[str, Any] = {
    "batch": Param(10, 1, 512, log=True, allowed=Range(1, 10**9), whole=True, one=True, optional=True),  # None is all of them
    "n": replace(N, default=200, allowed=Range(1, N.allowed.high)),
    "val": Param(0.5, 0.0, 0.9, allowed=BELOW_ONE, one=True),
    "noise": replace(NOISE, one=False),
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


def contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, T]]:
    """What of some words and settings cannot be together: the name that had better give way, and why."""
    named, layers, data, optimizer = len(values["activation"]), len(values["layers"]), values["data"], values["optimizer"]
    if named not in (1, layers):
        yield "activation", T(f"activation names {named} layers of {layers}; name one for all, or one for each",
                              f"activation: слоёв названо {named} из {layers}; укажите одну на все слои или по одной на слой")
    if data.kind == "values" and losses[values["loss"]].coding != "values":
        yield "loss", T(f"loss={values['loss']} is for classes, and data={data.key} has values; choose mse or half_mse",
                        f"loss={values['loss']} — для классов, а в data={data.key} предсказывают число; выберите mse или half_mse")
    if asked(optimizers[optimizer], {}).hessians:
        yield "optimizer", T(f"optimizer={optimizer} needs second derivatives, which a network's loss does not give here; choose another",
                             f"optimizer={optimizer} требует вторых производных, для сети они здесь не считаются; выберите другой")
    for name in ("label_smoothing", "label_noise"):
        if data.kind == "values" and np.any(values.get(name, 0)):
            yield name, T(f"{name} is for classes, and data={data.key} has values; leave it at 0",
                          f"{name} — для классов, а в data={data.key} предсказывают число; оставьте 0")
    if data.size is not None and values.get("n", 0) > data.size:
        yield "n", T(f"data={data.key} has {data.size} examples, not {values['n']}; choose n up to {data.size}",
                     f"в data={data.key} примеров всего {data.size}, а не {values['n']}; выберите n не больше {data.size}")
    if any(layer > layers + 1 for layer in values.get("penalty_layers", ())):
        yield "penalty_layers", T(f"penalty_layers names layers beyond {layers + 1}; this network has layers 1 to {layers + 1}",
                                  f"penalty_layers: слоёв в этой сети {layers + 1}; укажите номера от 1 до {layers + 1}")


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
    if isinstance(data := given.get("data"), (list, tuple)) and len(data) == 2:
        given["data"] = dataset(*data)
    elif isinstance(data, (list, tuple, np.ndarray)):
        raise Refused(T("your own data are given as (X, y), or as ov.dataset(X, y)", "свои данные передаются как (X, y) или ov.dataset(X, y)"))
    words = words_of(given)
    table = settings_of(words)
    for name in given:
        if name not in WORDS and name not in table:
            raise unknown_name(name, {**WORDS, **table}, given[name])
    if words["data"].key not in datasets and "n" not in given:
        given["n"] = words["data"].size  # a visitor's own points are all wanted
    values = resolve(table, {name: value for name, value in given.items() if name not in WORDS})
    for _, why in contradictions(words | values):
        raise Refused(why)
    return words | values


@dataclass(frozen=True, init=False)
class Training:
    """The complete spec of one training: hashable, and the same in a URL."""

    values: tuple[tuple[str, Any], ...]

    def __init__(self, data: str | Dataset | tuple[Any, Any] = "spiral", **settings: Any):
        values = settled({"data": data, **settings})
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                raise out_of_range(name, value, T("one number: a Training holds scalars, arrays go to train",
                                                  "одно число: Training хранит скаляры, массивы принимает train"))
        object.__setattr__(self, "values", tuple(values.items()))

    def __repr__(self) -> str:
        values = dict(self.values)
        table = {**WORDS, **settings_of(values)}
        told = "".join(f", {name}={value!r}" for name, value in self.values if name != "data" and value != table[name].default)
        return f"Training({values['data'].key!r}{told})"

    def __getitem__(self, name: str) -> Any:
        """training["lr"]: one word or setting."""
        return dict(self.values)[name]

    def __getattr__(self, name: str) -> Any:
        """training.lr, training.layers: words and settings by name."""
        if name != "values" and name in (values := dict(self.values)):
            return values[name]
        raise AttributeError(f"a training has no {name!r}")

    @property
    def definitions(self) -> list[Any]:
        """What it names by a key and runs; of a visitor's own data that is nothing, of what every training can have everything."""
        v = dict(self.values)
        return [optimizers[v["optimizer"]], schedules[v["schedule"]], losses[v["loss"]], initializers[v["init"]],
                *(activations[key] for key in (*v["activation"], v["output_activation"])), *([v["data"]] if v["data"].key in datasets else []),
                *preparations.values(), *augmentations.values(), *penalties.values()]

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
        always = ("lr",) if values["data"].key in datasets else ("lr", "n")  # of a visitor's own points all are wanted, unless it is said how many
        told = [(name, as_text(value)) for name, value in values.items() if name != "data" and (name in always or value != table[name].default)]
        return [("v", str(VERSION)), ("data", values["data"].key), *told]

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Training:
        """The training of a query. With `notes`, what cannot be used falls back to its default and is noted; without, it is refused."""
        return Training.read(Query(query, notes))

    @staticmethod
    def read(read: Query, own: Dataset | None = None) -> Training:
        """The training of the fields that are left of a query, on a visitor's own data if there are any."""
        read.drop(["v"])
        words = {name: read.attempt(name, lambda v, name=name, w=w: w.parse(name, v), w.default) for name, w in WORDS.items()}  # type: ignore[misc]
        words["data"] = own or datasets[words["data"]]
        for name, why in contradictions(words):
            read.note(Refused(why))
            words[name] = WORDS[name].default
        table = settings_of(words)
        settings = read.settings(table)
        for name, why in contradictions({**words, **settings}):
            read.note(Refused(why))
            settings.pop(name)
        read.finish({**WORDS, **table})
        return Training(**words, **settings)


def as_text(value: Any) -> str:
    """A value as a query holds it."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else "none" if value is None else repr(value)
