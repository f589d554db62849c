"""More data and augmentation: the gap and the test error against n, and answers averaged over changed copies of an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..augment import augmentations
from ..chance import Draw, generator
from ..core import Param, Range, Refused, T, out_of_range
from ..datasets import N
from ..training import Training
from .several import Progress, Stop, need_classes, seeds_from, trained

TEST = 500  # examples to test with, fewer where the data have no more
FEWEST = Param(100, 10, 2000, log=True, allowed=Range(2, N.allowed.high), whole=True)
COPIES = Param(16, 1, 100, allowed=Range(1, 1000), whole=True, one=True)


@dataclass(frozen=True, eq=False)
class Amounts:
    """Accuracy at the end of training; the axes are augmentation ("none" first), n, seed."""

    kinds: tuple[str, ...]
    counts: np.ndarray  # (n,), training examples
    accuracy_train: np.ndarray
    accuracy_test: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """How much better the network is on what it learned from."""
        return self.accuracy_train - self.accuracy_test

    @property
    def error(self) -> np.ndarray:
        """The share of test examples that are wrong."""
        return 1 - self.accuracy_test


def amounts(training: Training, counts: Sequence[int] = (20, 50, 100, 200, 500), augment: Mapping[str, float] | None = None, seeds: int = 5,
            progress: Progress = None, stop: Stop = None) -> Amounts:
    """Train on each number of examples, without augmentation and with each one alone, at its usual amount unless `augment` says another.

    As many updates are made with few examples as with many, so that the least gets as long to learn as the most.
    """
    need_classes(training)
    given = {key: a.amount.default for key, a in augmentations.items()} if augment is None else dict(augment)
    many = np.atleast_1d(FEWEST.check("counts", list(counts))).astype(int)
    test, most = TEST, training["data"].size
    if most is not None:
        test = min(TEST, most - int(many.max()))
        if test < 1:
            raise out_of_range("counts", list(counts), T(f"less than {most}: some examples must be left to test with",
                                                         f"меньше {most}: часть примеров нужна для теста"))
    batch = training["batch"] or many.max()
    passes = [max(1, round(training["epochs"] * -(-int(many.max()) // batch) / -(-n // batch))) for n in many]
    kinds = ("none", *given)
    rows = {f"augment_{key}": np.array([[given[key] if kind == key else 0.0] for kind in kinds]) if key in given else 0.0 for key in augmentations}
    seed = seeds_from(training, seeds)
    wanted = {str(n): {"n": int(n) + test, "val": test / (int(n) + test), "epochs": k, "seed": seed, **rows}
              for n, k in zip(many, passes, strict=True)}
    made = trained(training, wanted, progress, stop).values()
    ends = [[np.broadcast_to(getattr(h, name)[-1], (len(kinds), len(seed))) for h in made] for name in ("accuracy_train", "accuracy_val")]
    return Amounts(kinds, many, *(np.stack(end, 1) for end in ends))


@dataclass(frozen=True, eq=False)
class Averaged:
    """Accuracy on validation: the first axis is training without the augmentation, with it; the second one look, the mean of many."""

    kind: str
    amount: float
    accuracy: np.ndarray  # (2, 2, seeds)


def averaged(training: Training, kind: str = "rotate", amount: float | None = None, copies: int = 16, seeds: int = 10,
             progress: Progress = None, stop: Stop = None) -> Averaged:
    """Test-time averaging: what the network says of changed copies of an example, averaged."""
    need_classes(training)
    a, copies = augmentations[kind], COPIES.check("copies", copies)
    amount = a.amount.check("amount", a.amount.default if amount is None else amount)
    if not training["val"]:
        raise Refused(T("nothing is left to test with; choose val above 0", "для теста ничего не осталось; выберите val больше 0"))
    seed = seeds_from(training, seeds)
    out = []
    for h in trained(training, {str(on): {"seed": seed, f"augment_{a.key}": amount * on} for on in (0, 1)}, progress, stop).values():
        t = h.trainer
        x, truth = t.raw[..., t.count:, :], t.known[..., t.count:]
        looks = [a.rule(x, amount, generator(training["seed"], Draw.AUGMENT, k), t.image) for k in range(copies)]
        once, *others = (t.outputs(t.prepared(look), *t.now) for look in (x, *looks))
        out.append([(t.loss.decide(said) == truth).mean(-1) for said in (once, sum(others) / copies)])
    return Averaged(a.key, float(amount), np.array(out))
