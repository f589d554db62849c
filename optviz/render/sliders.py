"""The settings that the reader of a live slide may change, and how their runs follow without Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import Param, Refused, T, unknown_name
from ..latex import plain
from ..live import Live
from ..names import NAMES, name_of, places
from ..optimizers import optimizers
from ..race import Entrant, Race
from ..run import CLIPS
from ..scene import SIGNS, printed
from ..schedules import schedules


@dataclass(frozen=True, eq=False)
class Slider:
    """One setting of one entrant."""

    entrant: int
    number: str  # what the traced step binds: h_lr
    sign: str  # α; empty where the setting has no letter
    name: T
    value: float
    stops: Sequence[float]
    told: T | None  # as the entrant's name tells it, where it does
    floor: np.ndarray | None = None  # (steps,): what a schedule's rates are at the rate 0; the rest of them grows with it. None: nothing


def sliders(race: Race, lives: Mapping[int, Live | None], names: Sequence[str]) -> list[Slider]:
    """A slider for each entrant that has a setting of one of the names: lr is everybody's, adam.beta1 that of each Adam."""
    able, beyond = _seats(race, lives)
    out = dict[tuple[int, str], Slider]()
    for name in names:
        if name not in able:
            raise _beyond(name, able) if name in beyond else unknown_name(name, able)
        for i, setting, number in able[name]:
            out[i, number] = _slider(race, i, setting, number, lives[i])
    return list(out.values())


def changeable(race: Race, lives: Mapping[int, Live | None]) -> dict[str, T]:
    """The names there could be a slider for, in words: of one kind, and of everybody where several kinds have it."""
    out, able = dict[str, T](), _seats(race, lives)[0]
    for name, seats in able.items():
        i, setting, _ = seats[0]
        kinds = {race.entrants[i].optimizer for i, *_ in seats}
        kind, said = optimizers[race.entrants[i].optimizer].name, _words(race.entrants[i], setting)
        if "." in name:
            out[name] = T(f"{kind.en}: {said.en}", f"{kind.ru}: {said.ru}")
        elif len(kinds) > 1:
            out[name] = T(f"everybody: {said.en}", f"у всех: {said.ru}")
    return dict(sorted(out.items(), key=lambda pair: "." in pair[0]))


Seats = dict[str, list[tuple[int, str, str]]]  # by a slider's name: entrant, setting, and what the traced step binds


def _seats(race: Race, lives: Mapping[int, Live | None]) -> tuple[Seats, set[str]]:
    """Who has a setting of which name; and the names of those whom only Python can run."""
    able, beyond = Seats(), set[str]()
    for i, live in lives.items():
        e = race.entrants[i]
        for setting, number in _numbers(e).items():
            for name in (setting, f"{e.optimizer}.{setting}"):
                if live is None:
                    beyond.add(name)
                elif number in live.numbers:
                    able.setdefault(name, []).append((i, setting, number))
    return able, beyond


def _words(e: Entrant, name: str) -> T:
    """What a setting is called."""
    if name in (*CLIPS, "warmup_steps"):
        return NAMES[name]
    o = optimizers[e.optimizer]
    return name_of(o, name) if name in o.params else name_of(schedules[e.schedule], name.removeprefix("schedule_"))


def _beyond(name: str, able: Mapping[str, Any]) -> Refused:
    """Why there is no such slider, and which there could be."""
    could = ", ".join(able) or "–"
    return Refused(T(f"sliders={name}: only Python can run this optimizer, so a slide has no slider for it (allowed: {could})",
                     f"sliders={name}: этот метод умеет запускать только Python, и ползунка на слайде у него нет (допустимо: {could})"))


def _numbers(e: Entrant) -> dict[str, str]:
    """Each setting that may be a number, by what the traced step binds."""
    own = {name: "h_" + name for name, p in optimizers[e.optimizer].params.items() if isinstance(p, Param)}
    of_schedule = {"schedule_" + name: "k_" + name for name in schedules[e.schedule].params} | {"warmup_steps": "warmup"}
    return own | of_schedule | {name: name for name in CLIPS}


def _slider(race: Race, i: int, name: str, number: str, live: Live | None) -> Slider:
    e = race.entrants[i]
    o, p = optimizers[e.optimizer], e.table[name]
    assert live is not None and isinstance(p, Param)
    value = float(live.numbers[number])
    sign = plain(o.symbol(name)) if name in o.params else ""
    told = printed(e, name) if name in (*SIGNS, *CLIPS) else None
    return Slider(i, number, sign if len(sign) < 3 and sign.isalnum() else "", _words(e, name), value, sorted({*map(float, places(p)), value}), told,
                  _floor(e, value, race["steps"]) if name == "lr" else None)


def _floor(e: Entrant, lr: float, steps: int) -> np.ndarray | None:
    """The rates of a schedule at the rate 0, where its rates are a multiple of the rate above them."""
    k = schedules[e.schedule]
    if k.fed or (k.key == "constant" and not e["warmup_steps"]):
        return None
    none, once, twice = (k.rates(steps, rate, None, e["warmup_steps"], **{n[9:]: v for n, v in e.settings if n.startswith("schedule_")})
                         for rate in (0.0, lr, 2 * lr))
    if not (lr > 0 and np.allclose(twice - once, once - none, rtol=1e-9, atol=1e-12 * lr)):
        raise Refused(T(f"sliders=lr: the rates of {k.name.en} do not follow one rate; choose another schedule or no slider for it",
                        f"sliders=lr: расписание «{k.name.ru}» не следует за одной скоростью; выберите другое расписание или уберите ползунок"))
    return none if none.any() else None
