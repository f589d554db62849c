"""The layers lab: what a look inside networks shows, and its controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from ..activations import activations
from ..core import Param, Range, T, short
from ..initializers import initializers
from ..inside import ABOUT, NUMBERS, WEIGHTS, Inside, find, opening_of, openings
from ..layers import Layers
from ..layers_sheets import sheet_of, table, told
from ..names import choices, probe_name
from ..probe import MOST_DEPTH, NAMES, WORDS, Probe, settings_of
from ..recurrence import cliff_race
from .controls import Desk, Example, Lens, examples
from .jobs import work
from .sheet import Pick, sheet_stage
from .text import say
from .trial import GO

SOON = 1.2  # seconds that the page waits by itself: so long looks take
QUICK = ("chain", "activation")  # what takes no time
OWN_NAMES = {
    "low": T("From scale", "От масштаба"), "high": T("To scale", "До масштаба"), "seeds": T("Seeds", "Зёрен"), "of": T("Gradients", "Градиенты"),
    "function": T("Activation", "Активация"), "x": T("Input x", "Вход x"), "target": T("Target of the loss ½(y − t)²", "Цель потери ½(y − t)²"),
    **{name: T(f"Weight w{digit}", f"Вес w{digit}") for name, digit in zip(WEIGHTS, "₁₂₃₄₅", strict=True)},
    "init": T("Initial weights", "Начальные веса"), "below": T("Scale of W, first", "Масштаб W, первый"),
    "at": T("Scale of W, second", "Масштаб W, второй"), "above": T("Scale of W, third", "Масштаб W, третий"), "size": T("Neurons", "Нейронов"),
    "steps": T("Steps T", "Шагов T"), "drive": T("Size of the inputs", "Размах входов"),
    "clip": T("Clip: longest gradient", "Порог: наибольшая длина градиента"),
    "seed": T("Seed", "Зерно"),
}
DEPTH = Param(5, 1, MOST_DEPTH, allowed=Range(0, MOST_DEPTH), whole=True)
WIDTH = Param(100, 1, 1000, log=True, allowed=Range(1, 1000), whole=True)
STEPS = Param(100, 1, 500, log=True, allowed=Range(1, 500), whole=True)


# --- the stage ----------------------------------------------------------------------------------------------------------------------------


def stage(desk: Desk[Inside], take: int) -> None:
    """What is looked at, as far as it is there, and what it says."""
    look = desk.spec
    result = find(look) if look.about in QUICK else work("layers", ABOUT[look.about], find, look, soon=SOON)
    if result is None and look.about != "activation":
        return
    if (text := told(look, result)) is not None:
        st.markdown(f":primary[{say(text)}]")
    sheet_stage(sheet_of(look, result), f"layers-{look.about}", partial(picked, desk), take)
    if look.about == "time":
        label = T("Open the cliff in the Descent lab", "Открыть обрыв в лаборатории спуска")
        st.button(say(label), icon=":material/open_in_new:", key="layers-cliff", on_click=_to_the_cliff, args=(look.number("clip"),))
    if isinstance(result, Layers):
        numbers(desk, result)


def picked(desk: Desk[Inside], pick: Pick) -> None:
    """In a callback: another activation was clicked."""
    key = pick.chart.removeprefix("pick-")
    if key in activations:
        desk.edit(lambda look: look.at(probe=look.probe.at(activation=(key,))), push=True)


def _to_the_cliff(clip: float) -> None:
    """In a callback: what the top of the page then follows."""
    st.session_state[GO] = "descent", cliff_race(clip)


def numbers(desk: Desk[Inside], result: Layers) -> None:
    """Every layer's numbers, under a heading."""
    with desk.fold("numbers", say(T("All numbers, after the last step", "Все числа после последнего шага") if desk.spec.about == "training" else
                               T("All numbers, layer by layer", "Все числа по слоям"))) as opened:
        if opened:
            head, *rows = [[say(cell) if isinstance(cell, T) else cell for cell in row] for row in table(desk.spec, result)]
            st.markdown("\n".join(f"| {' | '.join(row)} |" for row in (head, ["--:"] * len(head), *rows)))


# --- panels ---------------------------------------------------------------------------------------------------------------------------------


def look_panel(desk: Desk[Inside]) -> None:
    """Looks worth having, in the order of a lecture, and what is looked at."""
    examples(desk, {key: Example(o.name, o.do, o.see, o.look) for key, o in openings.items()}, opening_of)
    desk.choose("about", say(T("What is shown", "Что показано")), ABOUT, desk.spec.about, lambda look, about: look.at(about=about))
    desk.note()


def own_panel(desk: Desk[Inside]) -> None:
    """The numbers of what is shown."""
    look = desk.spec
    for name, p in NUMBERS.get(look.about, {}).items():
        names = {"function": {key: a.name for key, a in activations.items()}, "init": {key: i.name for key, i in initializers.items()}}.get(name)
        shown = {key: names[key] for key in p.choices} if names else None
        desk.setting(f"own-{name}", say(OWN_NAMES[name]), p, look.number(name), partial(_numbered, name), shown)


def _numbered(name: str, look: Inside, value: Any) -> Inside:
    return look.at(numbers={name: value})


def network_desk(desk: Desk[Inside]) -> Desk[Probe]:
    """The controls of the network that is looked at."""
    return Lens(desk, "probe", lambda look: look.probe, lambda look, probe: look.at(probe=probe))


def activation_panel(desk: Desk[Probe]) -> None:
    """The activation of all layers, and its own parameters."""
    key = desk.spec["activation"][0]
    desk.choose("activation", _label(desk.spec, "activation"), {k: a.name for k, a in activations.items()}, key,
                lambda probe, chosen: probe.at(activation=(chosen,)))
    _settings(desk, [f"{key}_{name}" for name in activations[key].params])


def network_panel(desk: Desk[Probe], about: str) -> None:
    """How deep and wide, with which weights and what between the layers."""
    probe = desk.spec
    widths = probe["layers"]
    if about != "sweep":
        desk.slider("depth", say(T("Hidden layers", "Скрытых слоёв")), DEPTH, len(widths), _deep)
    desk.slider("width", say(T("Neurons in each", "Нейронов в каждом")), WIDTH, widths[0] if widths else WIDTH.default, _wide)
    activation_panel(desk)
    own = [f"init_{name}" for name in initializers[probe["init"]].params if not (name == "scale" and about == "sweep")]
    _settings(desk, ["init", *own])
    left, right = st.columns(2)
    with left:
        _settings(desk, ["batchnorm"])
    with right:
        _settings(desk, ["layernorm"])
    _settings(desk, ["residual"])
    if about == "training":
        desk.slider("steps", _label(probe, "steps"), STEPS, probe["steps"], lambda p, value: p.at(steps=value))
        _settings(desk, ["lr"])
    told = f"{say(T('Data', 'Данные'))}: {say(NAMES[probe['data']])} × {short(probe['input_scale'])}"
    with desk.fold("shown", told) as opened:
        if opened:
            desk.choose("data", _label(probe, "data"), NAMES, probe["data"], lambda p, key: p.at(data=key))
            _settings(desk, ["input_scale", "inputs", "batch"] + ["outputs"] * (about != "loss"))
    with desk.fold("more", say(T("Loss, biases, seed", "Потеря, смещения, зерно"))) as opened:
        if opened:
            _settings(desk, ["loss", *(name for name in settings_of(dict(probe.values)) if name.startswith("loss_")), "bias", "seed"])
            if about != "sweep":
                desk.number("exact", say(T("Exact scale of the first weights", "Точный масштаб начальных весов")), probe["init_scale"],
                            lambda p, value: p.at(init_scale=value))
    desk.button("reseed", T("Another seed", "Другое зерно"), lambda p: p.at(seed=(p["seed"] + 1) % 2**32), ":material/casino:", width="stretch")


def _deep(probe: Probe, depth: int) -> Probe:
    widths = probe["layers"] or (WIDTH.default,)
    return probe.at(layers=(*widths, *widths[-1:] * depth)[:depth])


def _wide(probe: Probe, width: int) -> Probe:
    return probe.at(layers=(width,) * max(len(probe["layers"]), 1))


def _settings(desk: Desk[Probe], names: Sequence[str]) -> None:
    """A control for each setting that can be another."""
    values = dict(desk.spec.values)
    known = {**WORDS, **settings_of(values)}
    for name in names:
        p = known[name]
        if not (isinstance(p, Param) and p.low == p.high):
            desk.setting(name, _label(desk.spec, name), p, values[name], _changed(name), choices(name, p) or None)


def _label(probe: Probe, name: str) -> str:
    """What a setting is called, as a control is."""
    words = say(probe_name(dict(probe.values), name))
    return words[0].upper() + words[1:]


def _changed(name: str) -> Callable[[Probe, Any], Probe]:
    return lambda probe, value: probe.at(**{name: value})
