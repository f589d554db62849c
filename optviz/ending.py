"""How a study ends, in one sentence; and what is checked of it before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import autograd
from .augment import augmentations
from .core import Refused, T, rounded
from .datasets import Own
from .penalties import penalties
from .run import CLIPS
from .schedules import schedules
from .study import Study
from .trainer import Trainer

BETTER = float(schedules["plateau"].params["threshold"].default)  # a smaller share of the loss is no progress: as the schedule of that name has it


class Ending(NamedTuple):
    """Why no more passes are made: all of them were ("done", which needs no sentence), it was "stopped", it "diverged", or it is "waiting"
    for more points."""

    state: str
    text: T | None


def stopped(study: Study, trainer: Trainer) -> Ending | None:
    """What ends a training here; None while it goes on. To be asked before every pass."""
    if (text := lacking(trainer)) is not None:
        return Ending("waiting", text)
    if trainer.diverged_at >= 0:
        return Ending("diverged", _diverged(study, int(trainer.diverged_at), int(trainer.diverged_layer)))
    if trainer.stopped_at >= 0:
        return Ending("stopped", _impatient(int(trainer.stopped_at), int(trainer.best_epoch)))
    watched = _watched(study, trainer)
    for name, rule in RULES.items():
        if (limit := study[name]) is not None and (text := rule(trainer, limit, *watched)) is not None:
            return Ending("stopped", text)
    return Ending("done", None) if trainer.passes >= trainer.values["epochs"] else None


def advance(study: Study, trainer: Trainer, seconds: float, passes: int | None = None) -> Trainer:
    """The training after some more passes, at least one where any is left: so many, or those that fit into the seconds."""
    end = time.perf_counter() + seconds
    first = trainer.passes

    def enough() -> bool:
        made = trainer.passes - first
        over = made >= passes if passes else made and time.perf_counter() > end
        return bool(over) or stopped(study, trainer) is not None
    return trainer.run(stop=enough)


def lacking(trainer: Trainer) -> T | None:
    """What a visitor's own points lack to be learned from."""
    known = trainer.examples[1]
    if not isinstance(trainer.values["data"].make, Own):
        return None
    if len(known) == 0:
        return T("The plane is empty: take the pen (P) and add points.", "Плоскость пуста: возьмите карандаш (З) и добавьте точки.")
    if trainer.labels and len(np.unique(known[:trainer.count])) < 2:
        return T("All points to learn from are of one class: add a point of another.", "Все обучающие точки одного класса: добавьте точку другого.")
    if len(known) < 2:
        return T("One point is not enough to learn from: add another.", "Одной точки для обучения мало: добавьте ещё одну.")
    return None


def _diverged(study: Study, k: int, layer: int) -> T:
    """Which layer's weights, when, and what helps."""
    if k == 0:
        return T(f"Layer {layer}'s weights overflow before the first pass: begin with smaller ones.",
                 f"Веса слоя {layer} уходят в бесконечность ещё до первой эпохи: начните с меньших.")
    en, ru = (" or clip the gradient", " или ограничьте градиент") if all(study[name] is None for name in CLIPS) else ("", "")
    return T(f"Layer {layer}'s weights overflowed at pass {k}: lower α{en}.",
             f"На эпохе {k} веса слоя {layer} ушли в бесконечность: уменьшите α{ru}.")


def _impatient(k: int, best: int) -> T:
    """Early stopping, which gives back the best."""
    return T(f"Stopped early at pass {k}: validation was best at pass {best}, whose weights are kept.",
             f"Ранняя остановка на эпохе {k}: лучшей на проверке была эпоха {best}, её веса и сохранены.")


# --- a visitor's own conditions -------------------------------------------------------------------------------------------------------


def _watched(study: Study, trainer: Trainer) -> tuple[int, str, str]:
    """Whose figures are watched, and what that is called; where nothing is kept for validation, those of training."""
    if study["stop_on"] == "val" and trainer.val_count:
        return 1, "on validation", "на проверке"
    return 0, "on training", "на обучении"


def _over(trainer: Trainer, limit: int, at: int, en: str, ru: str) -> T | None:
    if trainer.passes < limit:
        return None
    return T(f"Stopped at pass {trainer.passes}, as you asked.", f"Остановка на эпохе {trainer.passes}, как вы и просили.")


def _low(trainer: Trainer, limit: float, at: int, en: str, ru: str) -> T | None:
    if not (loss := float(trainer.rows[-1][at])) < limit:
        return None
    return T(f"Stopped at pass {trainer.passes}: the loss {en} is {rounded(loss)}, below {rounded(limit)}.",
             f"Остановка на эпохе {trainer.passes}: потеря {ru} — {rounded(loss)}, меньше {rounded(limit)}.")


def _right(trainer: Trainer, limit: float, at: int, en: str, ru: str) -> T | None:
    if not trainer.labels or (share := float(trainer.rows[-1][2 + at])) < limit:
        return None
    return T(f"Stopped at pass {trainer.passes}: {rounded(100 * share)} % {en} are right, {rounded(100 * limit)} % were asked for.",
             f"Остановка на эпохе {trainer.passes}: верных ответов {ru} {rounded(100 * share)} %, требовалось {rounded(100 * limit)} %.")


def _level(trainer: Trainer, limit: int, at: int, en: str, ru: str) -> T | None:
    if trainer.passes < limit:
        return None
    loss = np.array([row[at] for row in trainer.rows])
    if loss[-limit:].min() < loss[:-limit].min() * (1 - BETTER):
        return None
    return T(f"Stopped at pass {trainer.passes}: the loss {en} has not fallen for {limit} passes.",
             f"Остановка на эпохе {trainer.passes}: потеря {ru} не убывает, столько эпох подряд: {limit}.")


RULES: dict[str, Callable[[Trainer, Any, int, str, str], T | None]] = {
    "stop_passes": _over, "stop_loss": _low, "stop_accuracy": _right, "stop_plateau": _level}


# --- sanity checks before a training ----------------------------------------------------------------------------------------------------

FEW = 20  # examples of each class that any network should learn by heart …
SOON = 500  # … in so many passes
NEARLY = 2  # times what is expected, or that part of it
LEARNED = 0.01  # the share of the first loss that is left when values are learned by heart


class Check(NamedTuple):
    """What was found, whether it is as it should be, and the number that says so."""

    text: T
    passed: bool
    number: float


def sanity(study: Study) -> list[Check]:
    """Karpathy's two checks: the first loss is that of knowing nothing, and a small sample can be learned by heart."""
    if (text := lacking(study.trainer())) is not None:
        raise Refused(text)
    return [first_loss(study), by_heart(study)]


def first_loss(study: Study) -> Check:
    """Of weights that are small enough, beside that of outputs that are all 0: ln C for cross-entropy."""
    trainer = study.trainer()
    loss, ignorant = float(trainer.rows[0][0]), _ignorant(trainer)
    fine = ignorant / NEARLY <= loss <= ignorant * NEARLY
    why = f" = ln {len(trainer.labels)}" if trainer.loss.key == "ce" and study["reduction"] == "mean" else ""
    en, ru = ("", "") if fine else ("; begin with smaller weights", "; начните с меньших весов")
    return Check(T(f"The first loss is {rounded(loss)}; outputs of 0 would have {rounded(ignorant)}{why}{en}.",
                   f"Первая потеря — {rounded(loss)}; у нулевых выходов она {rounded(ignorant)}{why}{ru}."), fine, loss)


def _ignorant(trainer: Trainer) -> float:
    """The loss on the training part of outputs that are all 0."""
    y = trainer.all_targets[:trainer.count]
    loss = trainer.loss.rule(np.zeros_like(y), y, trainer.loss_h, autograd)
    return float(loss.mean() if trainer.values["reduction"] == "mean" else loss.sum())


def by_heart(study: Study) -> Check:
    """The same network and optimizer on a few examples, without anything that is to keep it from learning by heart."""
    sides = len(study.trainer().labels) or 2
    n = min(FEW * sides, study["data"].size or FEW * sides)
    free = dict.fromkeys([*penalties, *(f"augment_{key}" for key in augmentations), "dropout", "label_noise", "label_smoothing", "val"], 0.0)
    trainer = study.at(n=n, epochs=SOON, schedule="constant", patience=None, **free).trainer()
    if trainer.labels:
        trainer.run(stop=lambda: float(trainer.rows[-1][2]) == 1)
        share = float(trainer.rows[-1][2])
        fine, en, ru = share == 1, f"{rounded(100 * share)} % are right", f"верных ответов {rounded(100 * share)} %"
    else:
        first = _ignorant(trainer) or 1.0  # all values may be 0
        trainer.run(stop=lambda: float(trainer.rows[-1][0]) < LEARNED * first)
        share = float(trainer.rows[-1][0]) / first
        fine, en, ru = share < LEARNED, f"{rounded(100 * share)} % of the loss are left", f"осталось {rounded(100 * share)} % потери"
    way = ("", "") if fine else ("; try another α or more neurons", "; попробуйте другую α или больше нейронов")
    return Check(T(f"{n} examples learned by heart: after pass {trainer.passes} {en}{way[0]}.",
                   f"Заучивание {n} примеров: после эпохи {trainer.passes} {ru}{way[1]}."), fine, share)
