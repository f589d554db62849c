"""The panels of a study: its data, its network, how it is trained, when it stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from ..core import Refused, T, short
from ..edits import taken_back, with_points, with_weights
from ..ending import Check, advance, lacking, sanity
from ..names import choices, setting_name
from ..network_scene import network_scene, run_key
from ..optimizers import optimizers
from ..render.network_exhibit import WallExhibit, study_exhibit
from ..render.network_wire import pack_network
from ..render.words import NETWORK
from ..study import LIMITS, LOOK, STOPS, Study
from ..study_presets import lesson_of, lessons
from ..trainer import Trainer
from ..training import WORDS, settings_of
from .controls import Desk, Example, examples
from .export import exports
from .frame import put
from .jobs import brief
from .network import network
from .own import named, offered, option
from .text import language, plain, say, sentence

SLICE = 0.2  # seconds of training between two looks at the visitor
WAIT = 10.0  # of training before an export
ENDING = T("Training to the end …", "Обучаем до конца…")
RUN, HAVE, WHY, CHECKS, PINNED = "study-run", "study-have", "study-why", "study-checks", "study-pinned"
EDITED = "study-edited"
MOST_BACK = 30  # edits that can be taken back


# --- the training under way -----------------------------------------------------------------------------------------------------------


def under_way(study: Study) -> Trainer | None:
    """The training of this visit: begun anew when the study asks for another; None where it cannot begin."""
    key = run_key(study)
    known, trainer = st.session_state.get(RUN, ("", None))
    if known != key:
        st.session_state.pop(WHY, None)
        try:
            trainer = study.trainer()
        except Refused as refusal:
            st.session_state[WHY] = refusal.text
            return trainer  # what was there stays on the screen
        keep(key, trainer)
        st.session_state[HAVE] = 0
    return trainer


def keep(key: str, trainer: Trainer) -> None:
    """The training of this visit as far as it has come."""
    st.session_state[RUN] = (key, trainer)


def after(desk: Desk[Study], event: dict[str, Any]) -> None:
    """What a visitor did on the stage: more passes, one, all over again, another look, points or weights set by hand, or that taken back."""
    study, trainer = desk.spec, under_way(desk.spec)
    if "back" in event:
        if known := st.session_state.get(EDITED):
            desk.edit(lambda s: taken_back(s, known.pop()))
    elif "look" in event:
        desk.edit(lambda s: s.at(**{name: value for name, value in event["look"].items() if name in LOOK}))
    elif event.get("reset") == "seed":
        desk.edit(Study.reseeded)
    elif "pin" in event:
        pin(desk)
    elif trainer is None:
        return
    elif st.session_state[RUN][0] != run_key(study):
        return  # what is on the screen is another: this one cannot begin
    elif "points" in event or "weights" in event:
        if event.get("run") == run_key(study):  # it names what it changes by a place in that run
            _edit(desk, study, trainer, event)
    elif "reset" in event:
        keep(run_key(study), study.trainer())
        st.session_state[HAVE] = 0
    elif "lack" in event:
        st.session_state[HAVE] = 0
    elif "more" in event or "step" in event:
        have = max(0, int(event.get("more", len(trainer.kept))))
        st.session_state[HAVE] = min(have, len(trainer.kept))  # what is not kept gives way to what follows it
        try:
            keep(run_key(study), brief(advance, study, trainer, SLICE, 1 if "step" in event else None))
        except Refused as refusal:
            st.session_state[WHY] = refusal.text


def _edit(desk: Desk[Study], study: Study, trainer: Trainer, event: dict[str, Any]) -> None:
    """Points or weights set by hand: another study, or a sentence above the stage."""
    st.session_state.pop(WHY, None)
    try:
        other = with_points(study, trainer, event["points"]) if "points" in event else with_weights(study, trainer, event["weights"], event["at"])
    except Refused as refusal:
        st.session_state[WHY] = refusal.text
        return
    st.session_state[EDITED] = [*st.session_state.get(EDITED, []), study][-MOST_BACK:]
    desk.edit(lambda _: other)


def pin(desk: Desk[Study]) -> None:
    """In a callback: the run of this visit is kept, with what it has learned, to be compared with others."""
    study, trainer = desk.spec, under_way(desk.spec)
    try:
        put(desk.page, study.pinned(), push=True)
    except Refused as refusal:
        st.toast(plain(say(refusal.text)), icon=":material/info:")
    else:
        if trainer is not None and st.session_state[RUN][0] == run_key(study):
            st.session_state.setdefault(PINNED, {})[run_key(study)] = trainer
        st.toast(say(T("Pinned: now change something, and both train side by side.",
                       "Закреплено: измените что-нибудь, и обе сети будут обучаться рядом.")), icon=":material/keep:")


def why() -> None:
    """Why a training cannot begin."""
    if (text := st.session_state.get(WHY)) is not None:
        st.warning(plain(say(text)), icon=":material/info:")


def stage(desk: Desk[Study], take: int) -> None:
    """The network as far as it has come; the stage asks for more when it plays."""
    study = desk.spec
    trainer = under_way(study)
    why()
    if trainer is not None:
        scene = network_scene(study, trainer, min(st.session_state.get(HAVE, 0), len(trainer.snapshots)))
        texts = {name: say(text) for name, text in NETWORK.items()}
        network(partial(pack_network, scene, language(), texts, take), "boundary-stage", partial(after, desk))
    for text in study.unlinked:
        st.caption(sentence(text))


# --- panels ---------------------------------------------------------------------------------------------------------------------------


def lesson_panel(desk: Desk[Study]) -> None:
    """Trainings worth showing, in the order of a lecture."""
    examples(desk, {key: Example(lesson.name, lesson.do, lesson.see, lesson.whole) for key, lesson in lessons.items()},
             lambda study: lesson.key if (lesson := lesson_of(study)) else None)


def data_panel(desk: Desk[Study]) -> None:
    """Which points, how many, how noisy."""
    study = desk.spec
    known = offered(study)
    desk.choose("data", say(T("Data", "Данные")), {key: named(d) for key, d in known.items()}, option(study["data"]),
                lambda s, key: s.at(data=known[key]))
    own = [f"data_{name}" for name in study["data"].params]
    settings(desk, ["noise", *own])
    with desk.fold("data", _told(study, T("Examples", "Примеры"), ["n", "val", "label_noise", "prepare"])) as opened:
        if opened:
            settings(desk, ["n", "val", "label_noise", "prepare"])
            desk.button("redraw", T("Other points", "Другие точки"), Study.redrawn, ":material/casino:", width="stretch")


def network_panel(desk: Desk[Study]) -> None:
    """Inputs, layers, activations."""
    study = desk.spec
    settings(desk, ["features"] * (study["data"].inputs == 2) + ["layers"])
    desk.note()
    left, right = st.columns(2)
    with left:
        one_activation(desk)
    with right:
        settings(desk, ["loss"])
    names = ["init", *_of(study, "init"), "output_activation", *_of_activations(study), *_of(study, "loss"), "batchnorm"]
    names += ["bn_momentum", "bn_variance"] * (study["batchnorm"] != "none") + ["layernorm", "residual", "bias"]
    with desk.fold("network", _told(study, T("Layers and initial weights", "Слои и начальные веса"), names)) as opened:
        if opened:
            if study["layers"]:
                _activations(desk)
            settings(desk, names)


def training_panel(desk: Desk[Study]) -> None:
    """The optimizer, its rate, and what else moves the weights."""
    study = desk.spec
    left, right = st.columns(2)
    with left:
        settings(desk, ["optimizer"])
    with right:
        settings(desk, ["lr"])
    own = [name for name in optimizers[study["optimizer"]].params if name != "lr"]
    names = [*own, "batch", "epochs", "schedule", *_of(study, "schedule")] + ["schedule_every"] * (study["schedule"] != "constant")
    names += ["clip_norm", "clip_value", "reduction", "shuffle"]
    with desk.fold("training", _told(study, T("Batches, schedule, clipping", "Пакеты, расписание, ограничение"), names)) as opened:
        if opened:
            settings(desk, names)
    names = ["l2", "l1", "elastic", "decay", "dropout", "label_smoothing", "patience"]
    names += [f"augment_{key}" for key in ("jitter", "rotate", "flip", "shift")]
    more = [name for key in ("l2", "l1", "elastic") if study[key] for name in _of(study, key)] + ["dropout_form"] * bool(study["dropout"])
    with desk.fold("regularization", _told(study, T("Regularization", "Регуляризация"), [*names, *more])) as opened:
        if opened:
            settings(desk, [*names[:4], *more, *names[4:]])


def stops_panel(desk: Desk[Study]) -> None:
    """When it stops by itself."""
    names = list(STOPS)
    with desk.fold("stops", _told(desk.spec, T("Stop conditions", "Условия остановки"), names)) as opened:
        if opened:
            settings(desk, names)


def checks_panel(desk: Desk[Study]) -> None:
    """Two checks that any network should pass before it is trained."""
    study = desk.spec
    label = say(T("Check before training", "Проверить перед обучением"))
    if st.button(label, icon=":material/rule:", key="boundary-checks", width="stretch", help=say(T(
            "Is the first loss that of knowing nothing, and can a few examples be learned by heart?",
            "Равна ли первая потеря потере незнания и заучивается ли небольшая выборка?"))):
        with st.spinner(say(T("Checking …", "Проверяем…"))):
            try:
                st.session_state[CHECKS] = run_key(study), brief(sanity, study)
            except Refused as refusal:
                st.warning(plain(say(refusal.text)))
    known, found = st.session_state.get(CHECKS, ("", []))
    for check in found if known == run_key(study) else ():
        _check(check)


def _check(check: Check) -> None:
    (st.success if check.passed else st.warning)(plain(say(check.text)), icon=":material/check:" if check.passed else ":material/priority_high:")


# --- settings from their tables ---------------------------------------------------------------------------------------------------------


def _of(study: Study, word: str) -> list[str]:
    """The settings that the definition of a word brings."""
    table = settings_of(dict(study.training.values))
    return [name for name in table if name.startswith(word + "_") and name not in ("schedule_every",)]


def _of_activations(study: Study) -> list[str]:
    """Those of the activations."""
    table = settings_of(dict(study.training.values))
    used = dict.fromkeys([*study["activation"], study["output_activation"]])
    return [name for name in table for key in used if name.startswith(key + "_")]


def settings(desk: Desk[Any], names: Sequence[str]) -> None:
    """The controls of some words and settings, each named in the visitor's language."""
    values = dict(desk.spec.training.values)
    table = {**WORDS, **settings_of(values), **LIMITS, **STOPS}
    for name in names:
        label = say(setting_name(values, name))
        desk.setting(name, label[:1].upper() + label[1:], table[name], desk.spec[name], partial(_changed, name), choices(name, table[name]))


def _changed(name: str, spec: Any, value: Any) -> Any:
    return spec.at(**{name: value})


def one_activation(desk: Desk[Any]) -> None:
    """One activation for all layers; where they differ, none stands here."""
    keys = set(desk.spec["activation"])
    desk.choose("activations", say(T("Activation", "Активация")), choices("activation", WORDS["activation"]), keys.pop() if len(keys) == 1 else None,
                lambda s, key: s.at(activation=key), placeholder=say(T("differ", "разные")))


def _activations(desk: Desk[Study]) -> None:
    """An activation for each layer."""
    study = desk.spec
    each = study["activation"] if len(study["activation"]) == len(study["layers"]) else study["activation"] * len(study["layers"])

    def change(i: int) -> Callable[[Study, str], Study]:
        return lambda s, key: s.at(activation=(*each[:i], key, *each[i + 1:]))
    for i, key in enumerate(each):
        desk.choose(f"activation{i}", say(T(f"Activation of layer {i + 1}", f"Активация слоя {i + 1}")), choices("activation", WORDS["activation"]),
                    key, change(i))


def _told(study: Study, heading: T, names: Sequence[str]) -> str:
    """A heading that tells what under it is out of the ordinary."""
    values = dict(study.training.values)
    table = {**WORDS, **settings_of(values), **STOPS}
    extra = [f"{say(setting_name(values, name))} {short(study[name])}" for name in names
             if study[name] != table[name].default and isinstance(study[name], (int, float)) and not isinstance(study[name], bool)]
    return " · ".join([say(heading), *extra[:2]]) + " …" * (len(extra) > 2)


# --- files ------------------------------------------------------------------------------------------------------------------------------


def files(desk: Desk[Study]) -> None:
    """At the page's end: the export, of a training that is made to its end first."""
    exports(lambda: _whole(desk.spec))


def _whole(study: Study) -> WallExhibit:
    """The training, as far as it comes in a time that somebody waits; the stage keeps its own."""
    trainer = under_way(study)
    if trainer is None:
        raise Refused(st.session_state[WHY])
    if (text := lacking(trainer)) is not None:
        raise Refused(text)
    with st.spinner(say(ENDING)):
        return study_exhibit(study, brief(advance, study, trainer, WAIT))
