"""What a visitor changes by hand, points and weights: a study and an edit make another study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .core import Param, Range, Refused, T, shown
from .datasets import LIMIT, ROWS, own
from .study import Study, blocks
from .trainer import Trainer

MOST_CLASSES = 10  # that can be made by hand: as many as have colours and keys
BY_HAND = Param(0.0, -10.0, 10.0, allowed=Range(-1000, 1000), one=True)
VALUE = Param(0.0, -1.0, 1.0, allowed=Range(-LIMIT, LIMIT), one=True)


def with_points(study: Study, trainer: Trainer, edit: Any) -> Study:
    """The study on its points as they are shown, but for one edit; these are then the visitor's own.

    {"add": [x, y, label]}, {"move": [index, x, y]}, {"erase": [index, …]} or {"clear": true}: an index is a place among the points shown,
    those for training first; a label is the number of a class, or a value. Who validates goes on to validate.
    """
    (X, known), labels, box = trainer.examples, trainer.labels, study["data"].box
    if X.shape[1] != 2 or box is None:
        raise Refused(T("points can be set by hand only where the data have two inputs", "точки можно ставить рукой, только если у данных два входа"))
    held = np.arange(len(X)) >= trainer.count
    match edit if isinstance(edit, Mapping) and len(edit) == 1 else None:
        case {"add": [x, y, label]}:
            labels, label = _labelled(labels, label)
            if len(X) >= ROWS:
                raise Refused(T(f"there are {ROWS} points already, which is the most; erase some", f"точек уже {ROWS}, больше нельзя; сотрите часть"))
            alike = held[known == label] if labels else held
            held = np.append(held, alike.size > 0 and alike.mean() < study["val"])  # the share stays, in each class
            X = np.vstack([X, _within(box, x, y)])
            known = np.append(known, label) if labels else np.vstack([known, np.full((1, known.shape[1]), label)])
        case {"move": [index, x, y]}:
            X = X.copy()
            X[_places([index], len(X))] = _within(box, x, y)
        case {"erase": [*indices]}:
            left = np.delete(np.arange(len(X)), _places(indices, len(X)))
            X, known, held = X[left], known[left], held[left]
            if held.all():
                held[:1] = False  # somebody has to train
        case {"clear": True}:
            X, known, held = X[:0], known[:0], held[:0]
        case _:
            raise _unknown(edit)
    return study.at(data=own(X, known, labels, held, box), noise=0.0, label_noise=0.0, at=None)  # both are in the points as they are shown


def with_weights(study: Study, trainer: Trainer, changes: Any, at: Any) -> Study:
    """The study that begins with the weights of a pass, some of them set by hand: [[index, value], …].

    Of a pass that is not kept, the last before it that is.
    """
    if type(at) is not int or not isinstance(changes, Sequence):
        raise _unknown(changes)
    theta = next((theta for passes, theta, _ in reversed(trainer.snapshots) if passes <= at), trainer.snapshots[0][1]).copy()
    for change in changes:
        match change:
            case [index, value]:
                theta[_places([index], len(theta))] = BY_HAND.check("weight", value)
            case _:
                raise _unknown(change)
    return study.at(weights=theta, at=None)


def taken_back(study: Study, before: Study) -> Study:
    """The study with the points and weights that another had; all else stays."""
    names = ["data", "n", "val", "noise", "label_noise", *(f"data_{name}" for name in ("seed", *before["data"].params))]
    back = study.at(**{name: before[name] for name in names}, at=None)
    return back.at(weights=before.weights if blocks(back.training) == blocks(before.training) else ())


def _labelled(labels: tuple, label: Any) -> tuple[tuple, Any]:
    """The names of the classes, one more where a point is of the class after the last, and the label as it is kept."""
    if not labels:
        return labels, VALUE.check("label", label)
    if type(label) is not int or not 0 <= label <= len(labels) or len(labels) <= label >= MOST_CLASSES:
        raise _unknown(label)
    if label < len(labels):
        return labels, label
    if all(type(name) is int for name in labels):
        return (*labels, max(labels) + 1), label
    names = tuple(map(str, labels))
    return (*names, next(name for n in range(label + 1, 2 * label + 3) if (name := str(n)) not in names)), label


def _within(box: Any, x: Any, y: Any) -> np.ndarray:
    """A place on the plane, or the nearest to it within the box."""
    at = np.array([VALUE.check("x", x), VALUE.check("y", y)])
    return np.clip(at, *np.transpose(box))


def _places(indices: Sequence[Any], count: int) -> list[int]:
    """Indices that there are."""
    if not all(type(index) is int and 0 <= index < count for index in indices):
        raise _unknown(indices)
    return list(indices)


def _unknown(edit: Any) -> Refused:
    """What no stage says."""
    return Refused(T(f"the stage asked for {shown(edit)}, which cannot be done; reload the page",
                     f"сцена попросила {shown(edit)}, а это невозможно; обновите страницу"))
