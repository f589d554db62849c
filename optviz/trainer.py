"""A training under way: one network, or K of one shape in lockstep, pass after pass."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from . import autograd
from .activations import activations
from .augment import augmentations
from .backend import Numpy
from .chance import Draw, generator
from .core import Param, Refused, T, out_of_range
from .datasets import Dataset, Own
from .initializers import initializers
from .losses import losses
from .nn import Moments, Net
from .objective import Objective, TorchObjective
from .optimizers import optimizers
from .oracle import Disturbance, Oracle
from .penalties import Penalty, penalties
from .points import Points, drawn, taken
from .preparing import Preparation, features
from .run import CLIPS
from .schedules import begin, schedules
from .training import WORDS, Training, settings_of, settled, words_of

MOST_KEPT = 100  # snapshots of the weights on the way
IN_CACHE = 2**15  # numbers of one layer that are computed at a time
WEIGHT = Param(0.0, -10.0, 10.0)
MOST_NUMBERS = 2**27  # that a training may hold at once: 1 GiB


class Trainer:
    """A training under way: `run` makes passes, `rows` and `snapshots` tell of those made so far."""

    def __init__(self, data: str | Dataset | tuple[Any, Any] | Training = "spiral", weights: Any = None, **given: Any):
        if isinstance(data, Training):  # another optimizer brings its own settings; what both know stays
            own = dict(data.values)
            words = words_of({name: given.get(name, own[name]) for name in WORDS})
            known = settings_of(words)
            given = {**{name: value for name, value in own.items() if name in known}, **given, **words}
            data = given.pop("data")
        self.values = settled({"data": data, **given})
        self.machine = Numpy()
        self.batch = self._batch()
        self.members = math.prod(self.batch)
        begun = time.perf_counter()
        self._define()
        self._prepare_data()
        self._equip()
        self.theta = self._begin() if weights is None else self._given(weights)
        self._start()
        self.seconds = time.perf_counter() - begun

    def _define(self) -> None:
        """The formulas that the words name."""
        v = self.values
        self.space: Any = self.machine.xp if self.on_torch else autograd
        self.optimizer, self.schedule, self.loss = optimizers[v["optimizer"]], schedules[v["schedule"]], losses[v["loss"]]
        self.loss_h = self._settings("loss", self.loss)
        self.h = self.optimizer.bundle(*(self._there(self._flat(0.0 if v[name] is None else v[name])) for name in self.optimizer.params))
        self.lr = self._flat(v["lr"])
        self.schedule_h = self.schedule.bundle(*(self._flat(v[f"schedule_{name}"]) for name in self.schedule.params))
        self.disturb = Disturbance(None, None, *(None if v[name] is None else self._there(self._flat(v[name])) for name in CLIPS))
        self.penalties = [(p, p.bundle(*(self._there(self._flat(v[key if name == "strength" else f"{key}_{name}"])) for name in p.params)))
                          for key, p in penalties.items() if np.any(v[key])]

    # --- what is asked for ------------------------------------------------------------------------------------------------------------

    def _batch(self) -> tuple[int, ...]:
        """The common shape of all settings that are arrays."""
        arrays = {name: value for name, value in self.values.items() if isinstance(value, np.ndarray)}
        for name, value in arrays.items():
            if not value.size:
                raise out_of_range(name, value, T("at least one number", "хотя бы одно число"))
        try:
            return np.broadcast_shapes(*(a.shape for a in arrays.values()))
        except ValueError:
            shapes = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
            raise Refused(T(f"these arrays do not broadcast to one batch: {shapes}", f"эти массивы не приводятся к одной форме: {shapes}")) from None

    def _of(self, name: str, k: int) -> Any:
        """A setting of one member."""
        value = self.values[name]
        return np.broadcast_to(value, self.batch).flat[k] if isinstance(value, np.ndarray) else value

    def _flat(self, value: Any) -> Any:
        """A setting for all members: a number, or (K,)."""
        return np.ascontiguousarray(np.broadcast_to(value, self.batch)).reshape(-1) if isinstance(value, np.ndarray) else value

    @property
    def on_torch(self) -> bool:
        """Whether torch trains, for now."""
        return self.machine.xp is not np

    def _there(self, value: Any) -> Any:
        """A setting on the machine that trains."""
        return self.machine.array(value) if isinstance(value, np.ndarray) and self.on_torch else value

    def _column(self, name: str) -> Any:
        """One for all members, as it broadcasts over examples and features."""
        value = self._there(self._flat(self.values[name]))
        return value[:, None, None] if np.ndim(value) else value

    def _settings(self, prefix: str, definition: Any) -> Any:
        """The settings of a formula, by its own names."""
        return definition.bundle(*(self._column(f"{prefix}_{name}") for name in definition.params))

    @property
    def lead(self) -> tuple[int, ...]:
        """The axis of members in front of arrays; a lone network has none."""
        return (self.members,) if self.batch else ()

    # --- data -------------------------------------------------------------------------------------------------------------------------

    def _prepare_data(self) -> None:
        """Draw and split the points, once where all members meet the same, else for each; what prepares them is learned from the training part."""
        v = self.values
        names = ["noise", "label_noise", "seed", "data_seed", *(f"data_{name}" for name in v["data"].params)]
        apart = any(isinstance(v[name], np.ndarray) for name in names)
        made: dict[tuple, Points] = {}
        mine: list[Points] = []
        for k in range(self.members if apart else 1):
            given = tuple(self._of(name, k) for name in names)
            if given not in made:
                made[given] = drawn(v, dict(zip(names, given, strict=True)))
            mine.append(made[given])
            if k == 0:
                self._check_size(mine[0])
        self.labels = mine[0].labels
        x, y, x_val, y_val = (np.stack(parts) if len(made) > 1 else parts[0] for parts in zip(*(p[:4] for p in mine), strict=True))
        self.raw, self.image = np.concatenate([x, x_val], -2), v["data"].image  # training points first, then those for validation
        self.preparation = Preparation.fit(features(x, v["features"]), v["prepare"])
        self.all_x = self.prepared(self.raw)
        self.known = np.concatenate([y, y_val], -1 if self.labels else -2)
        self.all_targets, self.shown_y = self.targets(self.known), self.targets(y, self._column("label_smoothing"))
        self.count, self.val_count = x.shape[-2], x_val.shape[-2]
        self.size = min(int(v["batch"] or self.count), self.count)
        self.per_pass = -(-self.count // self.size)

    def prepared(self, x: Any) -> np.ndarray:
        """Points as the data have them, as the network is shown them."""
        with np.errstate(all="ignore"):
            return self.preparation(features(x, self.values["features"]))

    def targets(self, y: np.ndarray, smoothing: Any = 0.0) -> np.ndarray:
        """What the loss compares outputs with."""
        return self.loss.targets(y, len(self.labels), smoothing)

    # --- the network ------------------------------------------------------------------------------------------------------------------

    def _equip(self) -> None:
        """The network, and what its training goes down."""
        v = self.values
        own = [activations[key] for key in (*hidden_keys(v), v["output_activation"])]
        self.net = Net((self.all_x.shape[-1], *v["layers"], self.all_targets.shape[-1]), tuple(own), tuple(self._settings(a.key, a) for a in own),
                       v["batchnorm"], v["layernorm"], v["residual"], v["bias"])
        charged = np.isin(self.net.is_weight, v["penalty_layers"] or range(1, len(self.net.widths)))
        self.charged = self.machine.array(charged.reshape(-1, *[1] * len(self.lead)))
        self.there_x, self.there_targets, self.there_known = map(self.machine.array, (self.all_x, self.all_targets, self.known))
        rule = self.loss.soft_rule if np.any(v["label_smoothing"]) else self.loss.rule

        def loss(out: Any, y: Any) -> Any:
            return self._reduced(rule(out, y, self.loss_h, self.space))

        def charge(p: Penalty, own: Any) -> Callable[[Any], Any]:
            return lambda theta: p.value(theta * self.charged, own, self.space)
        charges = [charge(p, own) for p, own in self.penalties if p.in_gradient(own)]
        self.objective = TorchObjective(self.net, loss, charges, self.space) if self.on_torch else Objective(self.net, loss, charges)

    def _reduced(self, loss: Any) -> Any:
        """One number for each member, out of the losses of examples."""
        return loss.mean((-2, -1)) if self.values["reduction"] == "mean" else loss.sum((-2, -1))

    def _check_size(self, points: Points) -> None:
        """Refuse what would not fit before more than one member's points are drawn."""
        v, n = self.values, len(points.x) + len(points.x_val)
        inputs = features(points.x[:1], v["features"]).shape[1]
        outputs = self.loss.outputs(len(points.labels)) if points.labels else points.y.shape[1]
        widths = [inputs, *v["layers"], outputs]
        weights = sum((a + 1) * b for a, b in pairwise(widths))
        if max(self.members, 1) * held(v, weights, sum(widths), n, min(v["batch"] or n, n)) > MOST_NUMBERS:
            many = f"{self.members} × " if self.members > 1 else ""
            raise Refused(T(f"{many}{weights} weights, {n} examples and {v['epochs']} passes are too much at once; ask for less of one of them",
                            f"{many}{weights} весов, {n} примеров и {v['epochs']} проходов — слишком много сразу; уменьшите что-нибудь из этого"))

    def _begin(self) -> np.ndarray:
        """The weights before training, (P, *lead): the same for members of one seed and initialization."""
        v = self.values
        init = initializers[v["init"]]
        apart = any(isinstance(v[name], np.ndarray) for name in ("seed", *(f"init_{name}" for name in init.params)))
        for a in self.net.activations:  # a trained parameter begins as its setting says
            apart |= any(isinstance(v[f"{a.key}_{name}"], np.ndarray) for name in (a.params if init.looks else a.learned))
        apart |= self.all_x.ndim > 2 and init.looks
        thetas = []
        for k in range(self.members if apart else 1):
            h = init.bundle(*(self._of(f"init_{name}", k) for name in init.params))
            net = replace(self.net, settings=tuple(a.bundle(*(self._of(f"{a.key}_{n}", k) for n in a.params)) for a in self.net.activations))
            mine = (self.all_x[k], self.known[k]) if self.all_x.ndim > 2 else (self.all_x, self.known)
            x, y = (a[:self.count] for a in mine)
            thetas.append(net.begin(init, h, generator(self._of("seed", k), Draw.WEIGHTS), x, self.targets(y)))
        return np.broadcast_to(np.stack(thetas), (self.members, self.net.size)).copy().T if self.batch else thetas[0]

    def _given(self, weights: Any) -> np.ndarray:
        """Weights that somebody set, the same for all members."""
        theta = np.array(WEIGHT.check("weights", weights))
        if theta.shape != (self.net.size,):
            raise out_of_range("weights", weights, T(f"{self.net.size} finite numbers, one for each weight of this network",
                                                     f"{self.net.size} конечных чисел, по одному на каждый вес этой сети"))
        return np.broadcast_to(theta, (self.members, self.net.size)).copy().T if self.batch else theta

    # --- passes -----------------------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        v, lead = self.values, self.lead
        self.state = tuple(self.optimizer.init(self.theta, self.h, np))
        self.plateau = begin(self.lr)
        widths = [self.net.pieces(i) * w if v["batchnorm"] == "before" else w for i, w in enumerate(v["layers"])]
        self.running = [Moments(np.zeros((*lead, 1, w)), np.ones((*lead, 1, w))) for w in widths] if v["batchnorm"] != "none" else None
        self.passes = self.updates = 0
        self._go_on(np.ones(lead, bool))
        self.diverged_at, self.diverged_layer, self.stopped_at, self.best_epoch = (np.full(lead, -1) for _ in range(4))
        self.best_loss = np.full(lead, np.inf)
        self.best = self.good = self.theta, self.running
        self.rows: list[tuple[np.ndarray, ...]] = []
        self.kept: list[tuple[int, np.ndarray, Any]] = []
        self.every = -(-max(v["epochs"], 1) // MOST_KEPT)
        self._look()

    def _go_on(self, going: np.ndarray) -> None:
        """Who trains on: those that have neither diverged nor run out of patience."""
        self.going, self.all_going, self.any_going = going, bool(going.all()), bool(going.any())

    def move(self, machine: Numpy) -> None:
        """Train on another machine from here on."""
        if machine.said == self.machine.said:
            return
        before, self.machine = self.machine, machine

        def there(a: Any) -> Any:
            return machine.array(before.numpy(a))

        def both(weights: tuple[Any, Any]) -> tuple[Any, Any]:
            return there(weights[0]), weights[1] and [Moments(*map(there, m)) for m in weights[1]]
        (self.theta, self.running), self.good, self.best = both((self.theta, self.running)), both(self.good), both(self.best)
        self.state = tuple(map(there, self.state))
        self._define()
        self._equip()

    def run(self, progress: Callable[[int, int], Any] | None = None, stop: Callable[[], bool] | None = None, until: int | None = None,
            machine: Numpy | None = None) -> Trainer:
        """Make the passes that are left, or those up to `until`; on another machine what comes of them comes back here."""
        here = self.machine
        self.move(machine or here)
        last = min(self.values["epochs"], self.values["epochs"] if until is None else until)
        begun = time.perf_counter()
        with np.errstate(all="ignore"):
            while self.passes < last and self.any_going and not (stop and stop()):
                self._pass()
                self._look()
                if progress:
                    progress(self.passes, self.values["epochs"])
        self.move(here)
        self.seconds += time.perf_counter() - begun
        return self

    def _pass(self) -> None:
        """Every example once, batch after batch."""
        n, o, objective, xp = self.count, self.optimizer, self.objective, self.machine.xp
        oracle = Oracle(objective.slope, objective.value, None, self.disturb, xp)
        x, y, masks = self._shown()
        for low in range(0, n, self.size):
            at = slice(low, low + self.size)
            objective.feed(x[..., at, :], y[..., at, :], [m[..., at, :] for m in masks])
            rate = self._rate()
            h = self.h if rate is self.lr else self.h._replace(lr=self._there(rate))
            new, state = o.step(oracle, self.theta, self.state, h, self.machine.count(self.updates + 1), xp)
            for p, own in self.penalties:
                new = p.after(new, self.theta, h.lr * own.strength * self.charged, own, self.space)
            self.updates += 1
            if self.running is not None:
                self._remember(min(self.size, n - low))
            if self.machine.suspicious(new):
                self._end(~np.isfinite(self.machine.numpy(new)).all(0), self.passes + 1, new)
            if not self.all_going:
                going = self.machine.mask(self.going)
                new, state = xp.where(going, new, self.theta), tuple(xp.where(going, a, b) for a, b in zip(state, self.state, strict=True))
            self.theta, self.state = new, state
            if not self.any_going:
                break
        self.passes += 1

    def _rate(self) -> Any:
        """The learning rate of the next step."""
        if self.schedule.fed:
            return self.plateau[0]
        if self.schedule.key == "constant":
            return self.lr
        k, steps = (self.passes, self.values["epochs"])
        if self.values["schedule_every"] == "update":
            k, steps = self.updates, steps * self.per_pass
        # a schedule that grows out of the floats breaks the run, not the loop
        return np.nan_to_num(self.schedule.rule(np.float64(k), self.lr, self.schedule_h, steps, np))

    def _shown(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Inputs, targets and dropout's masks of this pass, in its order."""
        order = self._drawn(Draw.ORDER, lambda rng: rng.permutation(self.count)) if self.values["shuffle"] else np.arange(self.count)
        if any(np.any(self.values[f"augment_{key}"]) for key in augmentations):
            x = self.prepared(self._augmented(taken(self.raw[..., :self.count, :], order)))
        else:
            x = taken(self.all_x[..., :self.count, :], order)
        masks: list[np.ndarray] = []
        if np.any(self.values["dropout"]) and self.net.hidden:
            masks = self._masks(self._drawn(Draw.DROPOUT, lambda rng: rng.random((self.count, sum(self.values["layers"])))))
        return self.machine.array(x), self.machine.array(taken(self.shown_y, order)), masks

    def _drawn(self, draw: Draw, make: Callable[[np.random.Generator], np.ndarray]) -> np.ndarray:
        """Something random of this pass: one where all members have one seed, else one each."""
        seed = self._flat(self.values["seed"])
        if not isinstance(seed, np.ndarray):
            return make(generator(seed, draw, self.passes))
        made = {s: make(generator(s, draw, self.passes)) for s in np.unique(seed).astype(int).tolist()}
        return np.stack([made[int(s)] for s in seed])

    def _augmented(self, raw: np.ndarray) -> np.ndarray:
        """The training points moved as chance has it; each member's own where points, seeds or amounts differ."""
        v = self.values
        wanted = [(i, a, f"augment_{key}") for i, (key, a) in enumerate(augmentations.items()) if np.any(v[f"augment_{key}"])]
        apart = raw.ndim > 2 or any(isinstance(v[name], np.ndarray) for name in ("seed", *(name for *_, name in wanted)))
        out = []
        for k in range(self.members if apart else 1):
            x, seed = raw[k] if raw.ndim > 2 else raw, self._of("seed", k)
            for i, a, name in wanted:  # each has its own chance, so that one more changes nothing of the others
                if amount := self._of(name, k):
                    x = a.rule(x, amount, generator(seed, Draw.AUGMENT, self.passes * len(augmentations) + i), self.image)
            out.append(x)
        return np.stack(out) if apart else out[0]

    def _masks(self, chance: np.ndarray) -> list[np.ndarray]:
        """What dropout leaves of every hidden number, by chances between 0 and 1."""
        p, widths = self._column("dropout"), self.values["layers"]
        one = self.machine.array(1.0)
        stay = (self.machine.array(chance) >= p) * (one / (1 - p) if self.values["dropout_form"] == "inverted" else one)
        return [stay[..., end - width:end] for width, end in zip(widths, np.cumsum(widths).tolist(), strict=True)]

    def _remember(self, size: int) -> None:
        """Let the running moments follow those of a batch of that size."""
        seen = self.objective.moments
        assert self.running is not None and seen is not None
        b = self._column("bn_momentum") * self.machine.array(self.going[..., None, None])  # who has stopped learns nothing more
        spread = size / (size - 1) if self.values["bn_variance"] == "unbiased" and size > 1 else 1.0
        self.running = [Moments((1 - b) * old.mean + b * new.mean, (1 - b) * old.variance + b * spread * new.variance)
                        for old, new in zip(self.running, map(Moments, seen[::2], seen[1::2]), strict=True)]

    def _end(self, bad: np.ndarray, passes: int, new: np.ndarray) -> None:
        """Members whose numbers ended are put back to where they were last measured; the layer is whose weights did, or had been the largest."""
        bad, new, theta = bad & self.going, self.machine.numpy(new), self.machine.numpy(self.theta)
        by_layer = [np.concatenate([new[b.at] for b in self.net.blocks if b.layer == i]) for i in range(len(self.net.activations))]
        gone = np.stack([~np.isfinite(part).all(0) for part in by_layer])
        size = [np.abs(theta[b.at]).max(0) for b in self.net.blocks if b.kind == "weight"]
        layer = np.where(gone.sum(0) == 1, gone.argmax(0), np.argmax(size, 0)) + 1
        self.diverged_at = np.where(bad, passes, self.diverged_at)
        self.diverged_layer = np.where(bad, layer, self.diverged_layer)
        self.theta, self.running = self._chosen(bad, self.good, (self.theta, self.running))
        self._go_on(self.going & ~bad)

    def _chosen(self, which: np.ndarray, a: Any, b: Any) -> Any:
        """Weights and running moments: those of `a` for some members, of `b` for the others."""
        (theta, running), (theta_b, running_b), where = a, b, self.machine.xp.where
        if running is not None:
            column = self.machine.mask(which[..., None, None])
            running = [Moments(*(where(column, new, old) for new, old in zip(m, o, strict=True))) for m, o in zip(running, running_b, strict=True)]
        return where(self.machine.mask(which), theta, theta_b), running

    # --- what came of it --------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Measure the networks as they are now, and stop those whose patience is over."""
        row = self.figures(self.theta, self.running)
        fine = np.isfinite(row[0]) & np.isfinite(row[1])
        if not fine.all():
            self._end(~fine, self.passes, self.theta)
            row = [np.where(fine, now, old) for now, old in zip(row, self.rows[-1] if self.rows else np.nan_to_num(row), strict=True)]
        self.rows.append(tuple(row))
        self.good = self.theta, self.running
        watched = row[1] if self.val_count else row[0]
        better = self.going & (watched < self.best_loss)
        self.best_loss, self.best_epoch = np.where(better, watched, self.best_loss), np.where(better, self.passes, self.best_epoch)
        if self.schedule.fed and self.passes:
            self.plateau = self.schedule.rule(watched, self.plateau, self.schedule_h, np)
        patience = self._flat(self.values["patience"])
        if patience is not None:
            self.best = self._chosen(better, (self.theta, self.running), self.best)
            over = self.going & (self.passes - self.best_epoch >= patience)
            self.stopped_at = np.where(over, self.passes, self.stopped_at)
            self._go_on(self.going & ~over)
        if self.passes % self.every == 0 or self.passes == self.values["epochs"] or not self.any_going:
            back = self.machine.numpy
            self.kept.append((self.passes, back(self.theta), self.running and [Moments(*map(back, m)) for m in self.running]))

    def figures(self, theta: np.ndarray, running: Any) -> list[np.ndarray]:
        """Loss on the training part and on the other, then accuracy; without the other its figures are the former's. A lone network's may be
        asked of many vectors of weights at once, (P, K)."""
        out, n = self.outputs(self.there_x, theta, running), self.count
        with np.errstate(all="ignore"):
            loss = self.loss.rule(out, self.there_targets, self.loss_h, self.space)
            parts = [slice(n), slice(n, None)] if self.val_count else [slice(None)] * 2
            figures = [self.machine.numpy(self._reduced(loss[..., part, :])) for part in parts]
        if self.labels:
            right = self.machine.array(self.loss.decide(out) == self.there_known)
            figures += [self.machine.numpy(right[..., part].sum(-1)) / right[..., part].shape[-1] for part in parts]
        return [np.broadcast_to(f, theta.shape[1:]) for f in figures]

    def outputs(self, x: np.ndarray, theta: np.ndarray, running: Any, masks: list[np.ndarray] | None = None) -> np.ndarray:
        """What the network says when it is not being trained: running moments, and nothing dropped but by masks that somebody gives."""
        keep = None
        if masks is None and self.values["dropout_form"] == "at_test" and np.any(self.values["dropout"]):
            keep = 1 - self._column("dropout")
        parts = self.net.parts(theta)
        some = max(1, IN_CACHE // (max(self.members, 1) * max(self.net.widths)) if not self.on_torch else x.shape[-2])
        blocks = [x[..., low:low + some, :] for low in range(0, max(x.shape[-2], 1), some)]
        with np.errstate(all="ignore"):
            out = [self.net.flow(block, parts, self.space, running, masks, keep).outputs for block in blocks]
        return np.concatenate(out, -2) if len(out) > 1 else out[0]

    def fork(self) -> Trainer:
        """Another training at the same point: what one goes on to do, the other does not see."""
        other = copy(self)
        other.rows, other.kept, other.values = list(self.rows), list(self.kept), dict(self.values)
        other._equip()
        return other

    def lone(self, k: int) -> Trainer:
        """Member k as a training of its own, at the same point."""
        return Trainer(**{name: self._of(name, k) for name in self.values}).follow(self, k)

    def follow(self, others: Trainer, k: int) -> Trainer:
        """Be where member k of others is, who began as this did."""
        def mine(a: Any) -> Any:
            return a[..., k] if np.ndim(a) and np.shape(a)[-1] == others.members else a

        def moments(running: Any) -> Any:
            return running and [Moments(*(a[k] for a in m)) for m in running]
        self.theta, self.running = others.theta[:, k].copy(), moments(others.running)
        self.state, self.plateau = tuple(map(mine, others.state)), tuple(map(mine, others.plateau))
        self.passes, self.updates = others.passes, others.updates
        self.rows += [tuple(f[k] for f in row) for row in others.rows[len(self.rows):]]
        self.kept += [(passes, theta[:, k].copy(), moments(running)) for passes, theta, running in others.kept[len(self.kept):]]
        for name in ("diverged_at", "diverged_layer", "stopped_at", "best_epoch", "best_loss"):
            setattr(self, name, getattr(others, name)[k])
        self.good, self.best = ((theta[:, k], moments(running)) for theta, running in (others.good, others.best))
        self._go_on(others.going[k])
        return self

    @property
    def examples(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and class indices or values, training points first: what stands in for the points of an empty plane is none."""
        make = self.values["data"].make
        some = 0 if isinstance(make, Own) and make.empty else None
        return self.raw[..., :some, :], self.known[..., :some] if self.labels else self.known[..., :some, :]

    def finish(self) -> None:
        """Where nobody trains on, the rows of the passes that were not made repeat the last."""
        if not self.any_going:
            self.rows += [self.rows[-1]] * (self.values["epochs"] + 1 - len(self.rows))

    @property
    def snapshots(self) -> list[tuple[int, np.ndarray, Any]]:
        """Passes with their weights and running moments: those kept on the way, and the last."""
        return self.kept if self.kept[-1][0] == self.passes else [*self.kept, (self.passes, self.theta, self.running)]

    @property
    def now(self) -> tuple[np.ndarray, Any]:
        """The weights and running moments that count: the best where there was patience, else the last."""
        return (self.theta, self.running) if self.values["patience"] is None else self.best

    def shaped(self, a: np.ndarray) -> np.ndarray:
        """The batch's own shape in the place of the axis of members."""
        return a.reshape((*a.shape[:-1], *self.batch)) if self.batch else a

    def whole(self, a: np.ndarray) -> Any:
        """A number for each member, or one, or None."""
        return a.reshape(self.batch) if self.batch else int(a) if a >= 0 else None

    def _said(self, X: Any, at: int | None, thinned: int | None = None) -> np.ndarray:
        """The outputs (*batch, …, outputs) for inputs (…, d) as the data have them."""
        d = self.raw.shape[-1]
        try:
            X = np.asarray(X, float)
        except (TypeError, ValueError):
            X = np.array(np.nan)
        if X.ndim < 2 or X.shape[-1] != d or not np.isfinite(X).all():
            raise out_of_range("X", X.shape, T(f"finite numbers (N, {d})", f"конечные числа (N, {d})"))
        theta, running = self.now
        if at is not None:
            known = {passes: (theta, running) for passes, theta, running in self.snapshots}
            if at not in known:
                raise out_of_range("at", at, T(*["{" + ", ".join(map(str, known)) + "}"] * 2))
            theta, running = known[at]
        masks = None if thinned is None else self._masks(generator(thinned, Draw.DROPOUT).random((1, sum(self.values["layers"]))))
        out = self.outputs(self.prepared(X.reshape(-1, d)), theta, running, masks)
        return out.reshape(*self.batch, *X.shape[:-1], out.shape[-1])

    def predict(self, X: Any, at: int | None = None, thinned: int | None = None) -> np.ndarray:
        """The outputs, without the axis of outputs where there is one."""
        out = self._said(X, at, thinned)
        return out[..., 0] if out.shape[-1] == 1 else out

    def classify(self, X: Any, at: int | None = None) -> np.ndarray:
        """The labels that the network gives."""
        if not self.labels:
            raise Refused(T("these data have values, not classes; use predict", "здесь предсказывают число, а не класс; используйте predict"))
        return np.array(self.labels)[self.loss.decide(self._said(X, at))]

    def probabilities(self, X: Any, at: int | None = None) -> np.ndarray:
        """Of every class, in the order of `labels`."""
        chances = self.loss.probabilities(self._said(X, at)) if self.labels else None
        if chances is None:
            raise Refused(T(f"the outputs of loss={self.loss.key} are no probabilities; train with ce or logistic",
                            f"выходы при loss={self.loss.key} — не вероятности; обучите с ce или logistic"))
        return chances

    def __getstate__(self) -> dict[str, Any]:
        """Formulas do not travel: they are found again by name, and the network's loss recorded anew, where this arrives."""
        return {name: value for name, value in vars(self).items() if name not in FORMULAS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._define()
        self._equip()


#: What of a Trainer follows from the names in its settings.
FORMULAS = ("optimizer", "schedule", "loss", "loss_h", "h", "schedule_h", "disturb", "penalties", "net", "charged", "objective", "space", "lr",
            "there_x", "there_targets", "there_known")


def held(values: Mapping[str, Any], weights: Any, neurons: Any, n: Any, batch: Any) -> Any:
    """About how many numbers one network holds in its training, its snapshots among them."""
    remembered = weights * (8 + 2 * values.get("history_size", 0)) + (weights**2 * 8 if values["optimizer"] == "bfgs" else 0)
    return remembered + (batch * 8 + n) * neurons + 4 * values["epochs"] + weights * min(values["epochs"], MOST_KEPT)


def hidden_keys(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The activation of each hidden layer."""
    named = values["activation"]
    return named if len(named) == len(values["layers"]) else named * len(values["layers"])
