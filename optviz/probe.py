"""Probe: the complete spec of a look inside a network before and during training, which is also its URL; and probe, which takes that look."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import numpy as np

from . import autograd
from .activations import activations
from .chance import Draw, generator
from .core import NOT_NEGATIVE, Choice, Flag, Param, Range, Refused, T, out_of_range, resolve, unknown_name
from .datasets import Dataset, datasets, handwriting, in_turn
from .initializers import initializers, no_bias
from .layers import EXAMPLES, Layers, joined, look
from .losses import losses
from .nn import Net
from .query import Query
from .run import VERSION
from .trainer import MOST_NUMBERS, Trainer, hidden_keys
from .training import Key, Keys, Place, Widths, as_text

MOST_DEPTH, MOST_BATCH, MOST_STEPS = 50, 5_000, 2_000
SPARSE = 0.2  # the share of sparse inputs that are not 0
LOOKS = 60  # at a training, where nobody says when
LOCKSTEP = 2**17  # numbers of one layer that are computed at a time: more members than that go one after another
MOST_WORK = 3e11  # multiplications before the first pass: half a minute

#: What makes a network what it is: each names a definition with settings of its own, or a shape.
WORDS: Mapping[str, Any] = {
    "data": Choice("normal", ("normal", "sparse", "digits")), "layers": Widths((100,) * 5, most=MOST_DEPTH, widest=1000),
    "activation": Keys(activations, ("sigmoid",), MOST_DEPTH), "init": Key(initializers, "xavier"), "loss": Key(losses, "ce"),
}
#: What every network has besides what its definitions bring.
COMMON: Mapping[str, Any] = {
    "inputs": Param(841, 1, 1000, log=True, allowed=Range(1, 1000), whole=True, one=True),
    "outputs": Param(26, 2, 100, log=True, allowed=Range(2, 100), whole=True, one=True),  # the classes that are told apart
    "batch": Param(100, 2, 1000, log=True, allowed=Range(2, MOST_BATCH), whole=True, one=True),
    "input_scale": Param(1.0, 1e-3, 1e3, log=True, allowed=Range(0.0, 1e100)),
    "batchnorm": Place(), "layernorm": Place(), "residual": Flag(False), "bias": Flag(True),
    "lr": Param(0.1, 1e-3, 10.0, log=True, allowed=NOT_NEGATIVE),
    "steps": Param(0, 0, 500, allowed=Range(0, MOST_STEPS), whole=True, one=True),
    "seed": Param(0, 0, 2**32 - 1, allowed=Range(0, 2**32 - 1), whole=True),
}


def settings_of(words: Mapping[str, Any]) -> dict[str, Any]:
    """Every keyword that a probe of these words takes, in one flat space."""
    table = dict(COMMON)
    if words["data"] == "digits":
        images, y = handwriting()
        inputs, classes = images.shape[1], int(y.max()) + 1
        for name, low, high in (("inputs", inputs, inputs), ("outputs", classes, classes), ("batch", 2, len(y))):
            table[name] = replace(table[name], default=min(table[name].default, high), low=low, high=high, allowed=Range(low, high))
    table |= {f"loss_{name}": p for name, p in losses[words["loss"]].params.items()}
    table |= {f"init_{name}": p for name, p in initializers[words["init"]].params.items()}
    return table | {f"{key}_{name}": p for key in dict.fromkeys(words["activation"]) for name, p in activations[key].params.items()}


def contradiction(values: Mapping[str, Any]) -> T | None:
    """Why some words and settings cannot be together."""
    named, layers = len(values["activation"]), len(values["layers"])
    if named not in (1, layers):
        return T(f"activation names {named} layers of {layers}; name one for all, or one for each",
                 f"activation: слоёв названо {named} из {layers}; укажите одну на все слои или по одной на слой")
    pieces = values.get("maxout_pieces", 1)  # sums that a neuron is made of
    widths, hidden, batch = [values["inputs"], *values["layers"], values["outputs"]], max(values["layers"], default=0), values["batch"]
    numbers = sum(a * b for a, b in pairwise(widths)) * pieces * 4 + batch * sum(widths) * pieces * 8
    numbers += batch * values["outputs"] ** 2 * 4 * (values["loss"] == "svm")  # each output beside each
    numbers += EXAMPLES * hidden**2 * pieces * 8 * (values["layernorm"] != "none")  # where each sum changes each neuron
    work = batch * sum(a * b for a, b in pairwise(widths)) * pieces
    if values["init"] == "layerwise":  # each neuron solves equations of its own
        some = np.max(values["init_share"]) * batch
        work += sum((some * a + batch + a * a / 3) * a * b * pieces for a, b in pairwise(widths))
    if numbers > MOST_NUMBERS or work > MOST_WORK:
        told = f"{values['layers'][0]} × {len(values['layers'])}" if len({*values["layers"]}) == 1 else ",".join(map(str, values["layers"]))
        return T(f"layers={told} and {batch} examples are too much at once; ask for less of one of them",
                 f"layers={told} и {batch} примеров — слишком много сразу; уменьшите что-нибудь из этого")
    return None


def settled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every word and setting with its checked value; settings may be arrays."""
    words = resolve(WORDS, {name: value for name, value in given.items() if name in WORDS})
    table = settings_of(words)
    for name in given:
        if name not in WORDS and name not in table:
            raise unknown_name(name, {**WORDS, **table}, given[name])
    values = words | resolve(table, {name: value for name, value in given.items() if name not in WORDS})
    if why := contradiction(values):
        raise Refused(why)
    return values


@dataclass(frozen=True, init=False)
class Probe:
    """The complete spec of one look: hashable, and the same in a URL; with `steps` it looks at a training as well."""

    values: tuple[tuple[str, Any], ...]

    def __init__(self, **settings: Any):
        values = settled(settings)
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                raise out_of_range(name, value, T("one number: a Probe holds scalars, arrays go to probe",
                                                  "одно число: Probe хранит скаляры, массивы принимает probe"))
        object.__setattr__(self, "values", tuple(values.items()))

    def __getitem__(self, name: str) -> Any:
        """probe["seed"]: one word or setting."""
        return dict(self.values)[name]

    def at(self, **changes: Any) -> Probe:
        """The same with other words and settings; one whose owner or range has changed is at its default."""
        old = dict(self.values)
        words = resolve(WORDS, {name: changes.get(name, old[name]) for name in WORDS})
        if "activation" not in changes and len(words["activation"]) > 1:
            each = words["activation"]
            words["activation"] = (*each, *each[-1:] * len(words["layers"]))[:max(len(words["layers"]), 1)]
        table, mine = settings_of(words), settings_of(old)
        kept = {name: old[name] for name in table if name in mine and table[name] == mine[name]}
        return Probe(**words | kept | {name: value for name, value in changes.items() if name not in WORDS})

    def to_query(self) -> str:
        """The URL's query: what is at its default is left out."""
        values = dict(self.values)
        table = {**WORDS, **settings_of(values)}
        told = [(name, as_text(value)) for name, value in values.items() if value != table[name].default]
        return urlencode([("v", str(VERSION)), *told], safe=",")

    @staticmethod
    def from_query(query: str, notes: list[T] | None = None) -> Probe:
        """The probe of a query. With `notes`, what cannot be used falls back to its default and is noted; without, it is refused."""
        read = Query(query, notes)
        read.drop(["v"])
        words = {name: read.attempt(name, lambda v, name=name, w=w: w.parse(name, v), w.default) for name, w in WORDS.items()}  # type: ignore[misc]
        table = settings_of(words)
        settings = read.settings(table)
        read.finish({**WORDS, **table})
        values = words | {name: p.default for name, p in table.items()} | settings
        if why := contradiction(values):
            read.note(Refused(why))
            return Probe()
        return Probe(**words, **settings)


# --- what is looked at --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inputs:
    """The rule of what a probe's network is shown: normal numbers, all or a share of them, or the digits; times a scale."""

    kind: str
    inputs: int
    outputs: int

    def __call__(self, n: int, noise: float, points: np.random.Generator, noises: np.random.Generator, h: Any) -> tuple[np.ndarray, np.ndarray]:
        if self.kind == "digits":
            X, y = datasets["digits"].make(n, noise, points, noises, h)
        else:
            X, y = points.standard_normal((n, self.inputs)), in_turn(n, self.outputs)
        if self.kind == "sparse":
            X = X * (points.random(X.shape) < SPARSE)
        return X * h.scale, y


NAMES = {"normal": T("Standard normal", "Стандартные нормальные"), "sparse": T("Sparse: a fifth is not 0", "Разреженные: пятая часть не 0"),
         "digits": datasets["digits"].name}


def shown(values: Mapping[str, Any]) -> Dataset:
    """What the network is shown, as a data set; the classes of random numbers take turns, and mean nothing."""
    kind, inputs, outputs = values["data"], values["inputs"], values["outputs"]
    return Dataset(f"probe_{kind}", NAMES[kind], NAMES[kind], Inputs(kind, inputs, outputs), {"scale": COMMON["input_scale"]}, "classes", inputs,
                   None, datasets["digits"].image if kind == "digits" else None, tuple(range(outputs)), None)


class Members:
    """The networks of a probe whose settings may be arrays: each with its own scalars, some at a time in lockstep."""

    def __init__(self, values: Mapping[str, Any]):
        self.values, self.data, self.loss = values, shown(values), losses[values["loss"]]
        self.init = initializers[values["init"]]
        self.own = [activations[key] for key in (*hidden_keys(values), "linear")]
        self.arrays = [name for name, value in values.items() if isinstance(value, np.ndarray)]
        for name in self.arrays:
            if not values[name].size:
                raise out_of_range(name, values[name], T("at least one number", "хотя бы одно число"))
        try:
            self.batch = np.broadcast_shapes(*(values[name].shape for name in self.arrays))
        except ValueError:
            shapes = ", ".join(f"{name} {values[name].shape}" for name in self.arrays)
            raise Refused(T(f"these arrays do not broadcast to one batch: {shapes}", f"эти массивы не приводятся к одной форме: {shapes}")) from None

    def of(self, name: str, k: int) -> Any:
        """A setting of one member."""
        value = self.values[name]
        return np.broadcast_to(value, self.batch).flat[k] if name in self.arrays else value

    def net(self, ks: Any) -> Net:
        """The network of one member, or of several in lockstep: their settings are then columns."""
        def setting(name: str) -> Any:
            return self.of(name, ks) if isinstance(ks, int) else self.column(name, ks)
        v = self.values
        settings = tuple(a.bundle(*(setting(f"{a.key}_{name}") for name in a.params)) for a in self.own)
        widths = (v["inputs"], *v["layers"], self.loss.outputs(v["outputs"]))
        biased = v["bias"] and self.init.bias is not no_bias  # adding zeros takes a tenth of the time
        return Net(widths, tuple(self.own), settings, v["batchnorm"], v["layernorm"], v["residual"], biased)

    def column(self, name: str, ks: range) -> Any:
        """A setting of several members, as it broadcasts over examples and neurons."""
        return np.array([self.of(name, k) for k in ks])[:, None, None] if name in self.arrays else self.values[name]

    def points(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """What one member is shown, and what the loss compares its outputs with."""
        sample = self.data.sample(self.values["batch"], 0.0, int(self.of("seed", k)), scale=self.of("input_scale", k))
        return sample.X, self.loss.targets(sample.y, self.values["outputs"])

    def settings(self, k: int) -> Any:
        """How one member's weights begin."""
        return self.init.bundle(*(self.of(f"init_{name}", k) for name in self.init.params))

    def weights(self, k: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """One member's weights before training."""
        with np.errstate(all="ignore"):
            return self.net(k).begin(self.init, self.settings(k), generator(int(self.of("seed", k)), Draw.WEIGHTS), x, y)

    def judge(self, ks: Any) -> Callable[[Any, Any], Any]:
        """The mean loss of some members."""
        h = self.loss.bundle(*(self.of(f"loss_{n}", ks) if isinstance(ks, int) else self.column(f"loss_{n}", ks) for n in self.loss.params))
        return lambda out, y: self.loss.rule(out, y, h, autograd).mean((-2, -1))

    def look(self, ks: Any, progress: Callable[[int, int], Any] | None = None) -> Layers:
        """At one member, or at several in lockstep."""
        if isinstance(ks, int):
            x, y = self.points(ks)
            return look(self.net(ks), self.weights(ks, x, y), x, y, self.judge(ks), self.of("lr", ks), progress)
        points = [self.points(k) for k in ks]
        theta = np.stack([self.weights(k, *own) for k, own in zip(ks, points, strict=True)], -1)
        x, y = (np.stack(column) for column in zip(*points, strict=True))
        return look(self.net(ks), theta, x, y, self.judge(ks), np.array([self.of("lr", k) for k in ks]))

    def some(self) -> Iterator[range]:
        """The members, as many at a time as their numbers stay in the cache."""
        widest = max(self.values["inputs"], *self.values["layers"], self.values["outputs"])
        many, size = math.prod(self.batch), max(1, LOCKSTEP // (self.values["batch"] * widest))
        return (range(low, min(low + size, many)) for low in range(0, many, size))


def probe(spec: Probe | None = None, *, at: Iterable[int] | None = None, progress: Callable[[int, int], Any] | None = None,
          stop: Callable[[], bool] | None = None, **settings: Any) -> Layers:
    """Look inside a network, or a batch of them where settings are arrays: what each layer hands on, and the gradients that come back.

    `layers` are the hidden ones, `outputs` the classes that `loss` tells apart; `data` are "normal" numbers, "sparse" ones, of which a
    fifth is not 0, or the "digits". With `steps` it looks at a training by plain gradient descent on the whole batch, after the steps in
    `at` (0 is before the first; without `at` about 60): arrays then have an axis of steps in front. `progress` is told how much is done
    and how much there is, of a lone network in layers; when `stop` answers yes, what there is so far comes back (at least one look).
    Whatever else an initializer (init_…), a loss (loss_…) or an activation (elu_alpha, …) brings is a setting too.
    """
    members = Members(settled({**(dict(spec.values) if spec else {}), **settings}) if spec is None or settings else dict(spec.values))
    if members.values["steps"]:
        return _watched(members.values, at, progress, stop)
    if not members.batch:
        return members.look(0, progress)
    found: list[Layers] = []
    many = math.prod(members.batch)
    for ks in members.some():
        found.append(members.look(ks))
        if progress:
            progress(ks.stop, many)
        if stop and stop() and ks.stop < many:
            break
    whole = joined(found, lambda parts: np.concatenate(parts, -1))
    return joined([whole], lambda parts: parts[0].reshape(*parts[0].shape[:-1], *members.batch)) if len(whole.loss) == many else whole


def moments(steps: int) -> list[int]:
    """When a training is looked at, where nobody says."""
    return np.unique(np.linspace(0, steps, min(steps, LOOKS) + 1).round().astype(int)).tolist()


def _watched(values: Mapping[str, Any], at: Iterable[int] | None, progress: Callable[[int, int], Any] | None,
             stop: Callable[[], bool] | None) -> Layers:
    """Looks at a training, one after another."""
    steps = values["steps"]
    when = moments(steps) if at is None else sorted({int(step) for step in at})
    if not when or not 0 <= when[0] <= when[-1] <= steps:
        raise out_of_range("at", at, T(f"steps from 0 to {steps}", f"шаги от 0 до {steps}"))
    own = {name: values[name] for name in values if name not in ("data", "inputs", "outputs", "input_scale", "batch", "steps")}
    t = Trainer(shown(values), **own, data_scale=values["input_scale"], n=values["batch"], batch=None, val=0.0, epochs=steps)
    found: list[Layers] = []
    for step in when:
        t.run(until=step, stop=stop)
        if found and t.passes < step and t.any_going:
            break
        found.append(look(t.net, t.theta, t.all_x, t.all_targets, t.objective.loss, t.h.lr))
        if progress:
            progress(step, steps)
        if stop and stop():
            break
    return joined(found, lambda parts: t.shaped(np.stack(parts)))


def _signature() -> inspect.Signature:
    """Every keyword with its default, for help(): the settings of the default words among them."""
    table = {**WORDS, **settings_of({name: word.default for name, word in WORDS.items()})}
    own = inspect.signature(probe).parameters
    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=word.default) for name, word in table.items()]
    return inspect.Signature([own["spec"], *named, own["at"], own["progress"], own["stop"], own["settings"]])


probe.__signature__ = _signature()  # type: ignore[attr-defined]
