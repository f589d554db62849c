"""A study as a file: what its link says, and what a link does not carry: a visitor's own data, and many weights set by hand."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import numpy as np

from .core import Refused, T
from .datasets import OUTPUTS, Dataset, Own, as_given, dataset, datasets, indexed, own
from .pasted import LONGEST, text_of
from .study import LINKED, MOST_PINS, Study

FORMAT, VERSION = "optviz study", 1
BYTES = 2**23  # of a file: several studies, each with all points and the widest network
HALVES = re.compile(r"\\u[dD][89a-fA-F]")  # of a character, which may come without the other; what is written here has none
DAMAGED = T("this file is no study as optviz saves it, or was damaged since; open another one",
            "это не файл, сохранённый в optviz, или он потом повреждён; откройте другой")


def saved(study: Study) -> str:
    """The file of a study."""
    return json.dumps({"format": FORMAT, "version": VERSION, **_told(study)}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def opened(source: str | bytes, notes: list[T] | None = None) -> Study:
    """The study of a file. With `notes`, settings that cannot be used fall back and are noted."""
    if len(source) > BYTES:
        raise Refused(T(f"this file is longer than {BYTES >> 20} MB; open one that optviz saved",
                        f"файл больше {BYTES >> 20} МБ; откройте тот, что сохранил optviz"))
    try:
        text = text_of(source)
        parts = json.loads(text)
        if HALVES.search(text) or parts["format"] != FORMAT:
            raise ValueError
        if parts["version"] > VERSION:
            raise Refused(T("a newer optviz saved this file; update this one to open it", "файл сохранён более новым optviz; обновите эту программу"))
        return _heard(parts, notes)
    except Refused:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        raise Refused(DAMAGED) from None


def is_saved(source: str | bytes) -> bool:
    """Whether a file is to be a study, not a table."""
    head = source[:100]
    return (head if isinstance(head, str) else head.decode("latin-1")).lstrip().startswith("{")


def _told(study: Study) -> dict[str, Any]:
    """A study as its file has it."""
    parts: dict[str, Any] = {"query": study.at(pins=()).to_query()}
    if study["data"].key not in datasets:
        parts["data"] = _told_data(study["data"])
    if len(study.weights) > LINKED:
        parts["weights"] = study.weights
    if study.pins:
        parts["pins"] = [_told(pin) for pin in study.pins]
    return parts


def _heard(parts: dict[str, Any], notes: list[T] | None) -> Study:
    """The study that a file tells of, with those that are pinned, which are whole or not there."""
    own = _heard_data(parts["data"]) if "data" in parts else None
    study = Study.from_query(parts["query"], notes, own, parts.get("weights", ()))
    pins, told = list(study.pins), parts.get("pins", [])
    if not isinstance(told, list) or len(told) > MOST_PINS:
        raise ValueError("pins")
    for pin in told:
        try:
            pins.append(_heard({name: pin[name] for name in pin if name != "pins"}, None))
        except Refused as refusal:
            if notes is None:
                raise
            notes.append(refusal.text)
    return study.at(pins=pins)


def _told_data(data: Dataset) -> dict[str, Any]:
    """A visitor's own data as a file has them."""
    make, (x, y) = data.make, as_given(data)
    assert isinstance(make, Own)
    held = None if make.held is None else np.frombuffer(make.held, np.bool_).tolist()
    return {"name": [data.name.en, data.name.ru], "kind": data.kind, "x": x, "y": y, "box": data.box, "labels": data.labels, "held": held,
            "outputs": make.outputs}


def _heard_data(parts: dict[str, Any]) -> Dataset:
    """The data that a file tells of."""
    x, y, labels, held, outputs = (parts[name] for name in ("x", "y", "labels", "held", "outputs"))
    if x != [] or y != []:
        data = dataset(x, y, kind=str(parts["kind"]), held=held, labels=labels or None)
    elif type(outputs) is int and 0 <= outputs <= OUTPUTS:  # a plane without points
        y, called = (np.zeros((0, outputs)), ()) if outputs else indexed(np.zeros(0), labels)
        data = own(np.zeros((0, 2)), y, called, np.zeros(0, bool), ((0, 1), (0, 1)))
    else:
        raise ValueError
    en, ru = (name[:LONGEST] for name in parts["name"])
    if any(len(str(label)) > LONGEST for label in data.labels):
        raise ValueError
    data = replace(data, name=T(en, ru))
    if data.box is None:
        return data
    across, upwards = ((float(low), float(high)) for low, high in parts["box"])
    if not all(-math.inf < low < high < math.inf for low, high in (across, upwards)):
        raise ValueError
    return replace(data, box=(across, upwards))
