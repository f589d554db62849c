"""What the experiments share: trainings one after another under one progress, seeds in lockstep, points that no training met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core import Param, Range, Refused, T
from ..datasets import Dataset, N, Sample
from ..learning import History, train
from ..training import WORDS, Training, settings_of

Progress = Callable[[int, int], Any] | None
Stop = Callable[[], bool] | None
SEEDS = Param(10, 1, 50, allowed=Range(1, 50), whole=True, one=True)
NEVER = -1  # in the place of a step at which something is reached


def trained(training: Training, wanted: Mapping[str, Mapping[str, Any]], progress: Progress = None, stop: Stop = None) -> dict[str, History]:
    """The training with some other settings, under the name of each; settings that are arrays go in lockstep.

    `progress` counts the passes of all; what `stop` breaks off, and all that follow, come back as far as they are.
    """
    passes = [int(settings.get("epochs", training["epochs"])) for settings in wanted.values()]
    out: dict[str, History] = {}
    for k, (name, settings) in enumerate(wanted.items()):
        def tell(done: int, _: int, before: int = sum(passes[:k])) -> None:
            if progress:
                progress(before + done, sum(passes))
        own = dict(settings)
        out[name] = train(on(training, own.pop("data")) if "data" in own else training, progress=tell, stop=stop, **own)
    return out


def on(training: Training, data: Dataset) -> Training:
    """The same training on data with values, by squared error; what belongs to the old data and loss is gone."""
    words = {**dict(training.values), "data": data, "loss": "mse"}
    known = settings_of(words)
    return Training(**{name: value for name, value in words.items() if name in WORDS or name in known})


def seeds_from(training: Training, count: int) -> np.ndarray:
    """The training's own seed and those after it."""
    return (training["seed"] + np.arange(SEEDS.check("seeds", count))) % 2**32


def unseen(training: Training, count: int = N.default) -> Sample:
    """Examples that the training meets neither to learn from nor to stop by."""
    v = dict(training.values)
    own = {name.removeprefix("data_"): value for name, value in v.items() if name.startswith("data_") and name != "data_seed"}
    seed = v["seed"] if v["data_seed"] is None else v["data_seed"]
    if v["data"].size is None:
        return v["data"].sample(count, v["noise"], (seed + 2**31) % 2**32, **own)
    if v["n"] == v["data"].size:
        raise Refused(T("no examples are left to test with; choose a smaller n", "не осталось примеров для теста; выберите n меньше"))
    whole = v["data"].sample(None, v["noise"], seed, **own)  # of these data a seed draws the same order, however many are taken
    return Sample(whole.X[v["n"]:][:count], whole.y[v["n"]:][:count], whole.labels)


def need_classes(training: Training) -> None:
    """Refuse data with values."""
    if training["data"].kind != "classes":
        raise Refused(T("this is about classes; choose data with classes", "здесь нужны классы; выберите данные с классами"))


def need_hidden(training: Training) -> None:
    """Refuse a network without hidden neurons."""
    if not training["layers"]:
        raise Refused(T("this happens in hidden layers; add at least one", "это происходит в скрытых слоях; добавьте хотя бы один"))


def reached(accuracy: np.ndarray, target: float, per_pass: int) -> np.ndarray:
    """The update by which an accuracy (passes + 1, …) first is at the target; NEVER where it is not."""
    there = accuracy >= target
    return np.where(there.any(0), there.argmax(0) * per_pass, NEVER)


def middle(steps: np.ndarray) -> int:
    """The median of some steps, a step that is never reached being later than any other."""
    late = np.quantile(np.where(steps == NEVER, np.inf, steps), 0.5, method="higher")
    return int(late) if np.isfinite(late) else NEVER
