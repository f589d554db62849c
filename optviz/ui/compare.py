"""Runs beside each other: those that are pinned and the page's own, trained and shown on one playhead."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from ..core import Refused, T
from ..network_scene import run_key
from ..render.network_exhibit import WallExhibit, compared_exhibit
from ..render.network_wire import pack_wall
from ..render.words import WALL
from ..study import LOOK, Study
from ..trainer import Trainer
from ..wall import advance_wall, compared, wall_scene
from .controls import Desk
from .export import exports
from .jobs import brief
from .network import wall
from .study import ENDING, PINNED, SLICE, WAIT, WHY, keep, pin, under_way, why
from .text import language, say

VIEW, FRAMES = "compare-view", "compare-frames"
ALONE, TOGETHER = T("One network", "Одна сеть"), T("Compare", "Сравнение")


def heading(desk: Desk[Study], title: str) -> None:
    """The page's title; beside it what pins this run and, once there is something to compare, which way the stage shows it."""
    with st.container(key="compare-head", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
            if comparable(desk.spec):
                names = {"together": say(TOGETHER), "alone": say(ALONE)}
                st.segmented_control(say(T("What the stage shows", "Что на сцене")), list(names), default="together", required=True, key=VIEW,
                                     format_func=names.__getitem__, label_visibility="collapsed")
            if desk.spec.run in desk.spec.pins:
                desk.button("unpin", T("Unpin this run", "Открепить запуск"), lambda s: s.unpinned(s.pins.index(s.run)),
                            ":material/keep_off:")
            else:
                hint = T("Keep it, then change something: both train side by side. Up to four can be pinned. (C)",
                         "Оставить запуск и изменить что-нибудь: обе сети будут обучаться рядом. Закрепить можно до четырёх. (C)")
                st.button(say(T("Pin this run", "Закрепить запуск")), key="compare-pin", icon=":material/keep:", on_click=pin, args=(desk,),
                          help=say(hint))


def comparable(study: Study) -> bool:
    """Whether some pinned run is another than the page's own."""
    return any(run_key(other) != run_key(study) for other in study.pins)


def together(study: Study) -> bool:
    """Whether the stage shows all runs, not the page's own alone."""
    return comparable(study) and st.session_state.get(VIEW) != "alone"


def runs(study: Study) -> dict[str, tuple[Study, Trainer]]:
    """The page's own run and those that are pinned, by their keys; those that cannot begin are left out."""
    known = st.session_state.get(PINNED, {})
    own = under_way(study)
    out = {} if own is None else {run_key(study): (study, own)}
    for other in study.pins:
        key = run_key(other)
        if key not in out:
            try:
                out[key] = other, known[key] if key in known else other.trainer()
            except Refused as refusal:
                st.session_state[WHY] = refusal.text
    st.session_state[PINNED] = {run_key(other): out[run_key(other)][1] for other in study.pins if run_key(other) in out}
    return out


def after(desk: Desk[Study], event: dict[str, Any]) -> None:
    """What a visitor did on the stage: other passes, another look, another run to be the page's own."""
    study, there = desk.spec, runs(desk.spec)
    frames = st.session_state.setdefault(FRAMES, {})
    if isinstance(told := event.get("more", event.get("lack")), list):
        frames.update({key: min(int(n), len(trainer.kept)) for n, (key, (_, trainer)) in zip(told, there.items(), strict=False)})
    if "look" in event:
        desk.edit(lambda s: s.at(**{name: value for name, value in event["look"].items() if name in LOOK}))
    elif "pin" in event:
        pin(desk)
    elif "open" in event or "drop" in event:
        _turn(desk, dict[Any, str](enumerate(there)).get(event.get("open", event.get("drop"))), "open" in event)
    elif event.get("reset") == "seed":
        desk.edit(lambda s: s.reseeded().at(pins=[other.reseeded() for other in s.pins]))
    elif "reset" in event:
        frames.clear()
        _put(study, {key: s.trainer() for key, (s, _) in there.items()})
    elif there and ("more" in event or "step" in event):
        if "step" in event:
            frames.update({key: len(trainer.kept) for key, (_, trainer) in there.items()})
        studies, trainers = zip(*there.values(), strict=True)
        try:
            trained = brief(advance_wall, studies, trainers, SLICE, 1 if "step" in event else None)
            _put(study, dict(zip(there, trained, strict=True)))
        except Refused as refusal:
            st.session_state[WHY] = refusal.text


def _turn(desk: Desk[Study], key: str | None, opened: bool) -> None:
    """A pinned run becomes the page's own, with what it has learned; or is pinned no more."""
    study = desk.spec
    k = next((k for k, other in enumerate(study.pins) if run_key(other) == key), None)
    if key is None or k is None:
        return
    if opened:
        pinned, own = st.session_state[PINNED], under_way(study)
        if own is not None:
            pinned[run_key(study)] = own
        keep(key, pinned[key])
        desk.edit(lambda s: s.opened(k), push=True)
    else:
        desk.edit(lambda s: s.unpinned(k), push=True)


def _put(study: Study, trainers: dict[str, Trainer]) -> None:
    """The trainings as far as they have come."""
    own = run_key(study)
    if own in trainers:
        keep(own, trainers[own])
    st.session_state[PINNED] = {run_key(other): trainers[run_key(other)] for other in study.pins if run_key(other) in trainers}


def files(desk: Desk[Study]) -> None:
    """At the page's end: the export of all runs, which are made to their end first."""
    exports(lambda: _whole(desk.spec))


def _whole(study: Study) -> WallExhibit:
    """The trainings, as far as they come in a time that somebody waits; the stage keeps its own."""
    if not (there := runs(study)):
        raise Refused(st.session_state[WHY])
    studies, trainers = zip(*there.values(), strict=True)
    with st.spinner(say(ENDING)):
        return compared_exhibit(study, studies, brief(advance_wall, studies, trainers, WAIT))


def stage(desk: Desk[Study], take: int) -> None:
    """All runs as far as they have come; the stage asks for more when it plays."""
    study, there = desk.spec, runs(desk.spec)
    why()
    if there:
        frames = st.session_state.setdefault(FRAMES, {})
        studies, trainers = zip(*there.values(), strict=True)
        first = [min(frames.get(key, 0), len(trainer.snapshots)) for key, (_, trainer) in there.items()]
        scene = wall_scene(compared(studies, trainers), first, 0 if run_key(study) in there else None, True, dict(study.look))
        wall(partial(pack_wall, scene, language(), {name: say(text) for name, text in WALL.items()}, take), "boundary-wall", partial(after, desk))
