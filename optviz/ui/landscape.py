"""The lab of loss landscapes: its stage, its controls, its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from ..core import Refused, T, short
from ..datasets import datasets
from ..heavy import went
from ..landscape import RISE, SIDE, Landscape, Slice, percent, told
from ..landscape_scene import landscape_scene
from ..optimizers import optimizers
from ..palette import style_of
from ..render.landscape_exhibit import LandscapeExhibit, landscape_exhibit
from ..study import Study
from ..vista import LIMITS, LOOK, MOST, PLANE, Vista, found, outlook_of, outlooks
from . import study
from .controls import Desk, Example, examples, label_of
from .export import exports
from .jobs import work
from .race import glyph
from .stage import stage as race_stage
from .table import table
from .text import plain, say
from .trial import GO

SOON = 1.0  # seconds that the page waits by itself
SHOWN, LAST = "landscape-shown", "landscape-last"  # what is on the stage, whole; and the last that was, until another is there
OLD = "<style>.st-key-landscape-picture { opacity: 0.35; pointer-events: none; }</style>"
SIDES = replace(SIDE, low=9, high=129)  # what a visitor may choose; a link may ask for more
DIRECTIONS = {"principal": T("principal: where the paths vary most", "главные: вдоль наибольшего разброса путей"),
              "random": T("random, each neuron's weights keeping their length", "случайные, с той же длиной весов у каждого нейрона")}


def stage(desk: Desk[Vista], take: int) -> None:
    """The landscape as far as it is there, else pale the one before it; what it shows, and where it was computed."""
    vista = desk.spec
    outlook = outlook_of(vista)
    slices, sides = (outlook.slices, outlook.sides) if outlook else ((vista.slice,), ())
    on = slices.index(vista.slice)
    st.session_state.pop(SHOWN, None)
    with st.container(key="landscape-progress"):  # always there: else what is below is made anew
        about = T("Training, then the loss of every cell", "Обучение, затем потеря в каждой ячейке")
        drawn: list[Landscape | None] = work("landscape", about, found, slices, soon=SOON) or [None] * len(slices)
    of, beside = drawn[on], [one for i, one in enumerate(drawn) if i != on and one]
    if of is not None:
        st.session_state[LAST] = landscape_scene(of, beside=beside, sides=(sides, on) if sides else None, **dict(vista.look))
    elif LAST not in st.session_state:
        return
    with st.container(key="landscape-picture"):
        race_stage(st.session_state[LAST], "landscape-stage", partial(heard, desk), take)
        st.html("<!-- -->" if of else OLD)
    if of is None or of.where is None:
        return
    st.session_state[SHOWN] = of, beside
    st.markdown(say(told(of)))
    if beside:
        _valleys(sides, drawn)
    elif len(of.paths) > 1:
        _paths(of)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(say(went([of.where], of.loss.size, T("cells", "ячеек"))), width="content")
        words = T("Open this network in the Boundary lab", "Открыть эту сеть в лаборатории границ")
        st.button(say(words), icon=":material/open_in_new:", key="landscape-boundary", type="tertiary", on_click=_to_boundary, args=(vista,))
    if of.where.note:
        st.caption(say(T(*of.where.note)))


def _paths(of: Landscape) -> None:
    """Where each path ends, and how much of it the plane shows."""
    table("landscape-paths", T("The paths", "Пути"), [(optimizers[key].name, style_of(key)) for key in of.paths], T("Optimizer", "Метод"), {
        T("Final loss", "Потеря в конце"): [float(losses[-1]) for losses in of.losses.values()],
        T("Plane below it", "Плоскость под ней"): [float(feet[-1]) for feet in of.feet.values()],
        T("Path in the plane, %", "Пути в плоскости, %"): [float(percent(share)) for share in of.shares.values()]})


def _valleys(sides: Sequence[T], drawn: Sequence[Landscape | None]) -> None:
    """Those that are compared, in numbers."""
    each = [one for one in drawn if one]
    table("landscape-valleys", T("The two compared", "Сравнение двух"),
          [(name, style_of(one.slice.training["optimizer"])) for name, one in zip(sides, each, strict=True)], T("Picture", "Картинка"), {
              T("Loss", "Потеря"): [float(one.loss[one.centre]) for one in each],
              T("Curvature along x", "Кривизна вдоль x"): [one.curvature[0] for one in each],
              T("along y", "вдоль y"): [one.curvature[1] for one in each],
              T(f"At most {short(RISE)} higher, %", f"Выше не больше чем на {short(RISE)}, %"): [float(percent(one.flat)) for one in each],
              T("Hollows", "Ямы"): [float(one.hollows) for one in each]})


def link(study: Study) -> None:
    """In the Boundary lab: the landscape of its network."""
    st.button(say(T("The loss landscape of this network", "Ландшафт потерь этой сети")), icon=":material/landscape:", key="boundary-landscape",
              type="tertiary", on_click=_to_landscape, args=(study,))


def _to_landscape(study: Study) -> None:
    """In a callback: what the top of the page then follows; or why there is no such landscape."""
    try:
        st.session_state[GO] = "landscape", Vista(Slice(study))
    except Refused as refusal:
        st.toast(plain(say(refusal.text)), icon=":material/info:")


def _to_boundary(vista: Vista) -> None:
    """In a callback: what the top of the page then follows."""
    source = vista.slice.source
    st.session_state[GO] = "boundary", source if isinstance(source, Study) else Study(source)


def heard(desk: Desk[Vista], event: dict[str, Any]) -> None:
    """In a callback: another look, paths hidden and shown on the stage, or the other of two that are compared."""
    look = event.get("look", {})
    changes = {name: value for name, value in look.items() if name in LOOK}
    if "muted" in event:
        changes["hidden"] = tuple(key for i, key in enumerate(keys(desk.spec)) if i in event["muted"])
    if "side" in event and (outlook := outlook_of(desk.spec)) and event["side"] in range(len(outlook.slices)):
        changes["slice"] = outlook.slices[event["side"]]
    desk.edit(lambda vista: vista.at(**changes))


def keys(vista: Vista) -> list[str]:
    """Whose paths there are, the trained network's first."""
    return [vista["optimizer"], *dict(vista.slice.others)]


# --- panels -------------------------------------------------------------------------------------------------------------------------------


def outlook_panel(desk: Desk[Vista]) -> None:
    """Landscapes worth showing, in the order of a lecture."""
    examples(desk, {key: Example(o.name, o.do, o.see, Vista(o.slice)) for key, o in outlooks.items()},
             lambda vista: o.key if (o := outlook_of(vista)) else None)


def plane_panel(desk: Desk[Vista]) -> None:
    """Along which directions, how far and how finely."""
    vista = desk.spec
    desk.choose("directions", say(T("Directions", "Направления")), DIRECTIONS, vista["directions"], _changed("directions"))
    if vista["directions"] == "random":
        _setting(desk, "directions_seed", T("Seed of the directions", "Зерно направлений"), PLANE["directions_seed"])
    reach = "" if vista["span"] is None else f", ± {short(vista['span'])}"
    with desk.fold("size", f"{say(T('Size of the picture', 'Размер картинки'))}: {vista['side']} × {vista['side']}{reach}") as opened:
        if opened:
            desk.slider("side", say(T("Cells along a side", "Ячеек вдоль стороны")), SIDES, vista["side"], _changed("side"))
            _setting(desk, "span", T("Reaches ± so far (else as far as the paths)", "Простирается на ± (иначе — насколько идут пути)"), PLANE["span"])


def paths_panel(desk: Desk[Vista]) -> None:
    """Every optimizer's rate, the first being that of the trained network; and one more."""
    vista = desk.spec
    st.markdown(f":small[{say(T('Paths; the plane goes through the end of the first', 'Пути; плоскость проходит через конец первого'))}]")
    rates = {vista["optimizer"]: vista["lr"], **dict(vista.slice.others)}
    for i, (key, lr) in enumerate(rates.items()):
        o = optimizers[key]
        heading = f"{glyph(style_of(key))} **{say(o.name)}** · α = {short(lr)}" + f" · {say(T('hidden', 'скрыто'))}" * (key in vista["hidden"])
        with desk.fold(f"path{i}", heading) as opened:
            if opened:
                _path(desk, i, key, lr)
    if len(rates) < MOST:
        words = say(T("Add an optimizer", "Добавить метод"))
        more = {key: o.name for key, o in optimizers.items() if key not in rates}
        desk.choose("add", words, more, None, lambda v, key: v.at(others={**dict(v.slice.others), key: optimizers[key].params["lr"].default}),
                    placeholder=words, label_visibility="collapsed")


def _path(desk: Desk[Vista], i: int, key: str, lr: float) -> None:
    """One optimizer."""
    o = optimizers[key]
    if i == 0:
        desk.choose("optimizer", say(T("Trains the network", "Обучает сеть")), {key: o.name for key, o in optimizers.items()}, key,
                    _changed("optimizer"))

    def change(vista: Vista, value: float) -> Vista:
        return vista.at(lr=value) if i == 0 else vista.at(others={**dict(vista.slice.others), key: value})
    slider, exact = st.columns([2, 1], vertical_alignment="bottom")
    with slider:
        desk.setting(f"{key}-lr", label_of(o, "lr"), o.params["lr"], lr, change)
    with exact:
        desk.number(f"{key}-lr-exact", say(T("exactly", "точно")), lr, change, label_visibility="collapsed")
    hidden = key in desk.spec["hidden"]

    def turned(vista: Vista) -> Vista:
        return vista.at(hidden=tuple(k for k in vista["hidden"] if k != key) + (key,) * (key not in vista["hidden"]))
    with st.container(horizontal=True, gap="small"):
        desk.button(f"{key}-hide", T("Show", "Показать") if hidden else T("Hide", "Скрыть"), turned,
                    f":material/visibility{'' if hidden else '_off'}:", type="tertiary")
        if i:
            desk.button(f"{key}-remove", T("Remove", "Убрать"), lambda v: v.at(others={k: r for k, r in v.slice.others if k != key}),
                        ":material/delete:", lambda: desk.turn(f"path{i}", False), type="tertiary")


def network_panel(desk: Desk[Vista]) -> None:
    """What is trained, as far as it is simple; a link carries all the rest."""
    vista = desk.spec
    desk.choose("data", say(T("Data", "Данные")), {key: d.name for key, d in datasets.items()}, vista["data"].key,
                lambda v, key: v.at(data=datasets[key]))
    text = ", ".join(map(str, vista["layers"]))
    st.text_input(say(T("Hidden layers", "Скрытые слои")), text, **desk.bound("layers", text, _layered, about=vista["layers"]))
    desk.note()
    study.one_activation(desk)
    study.settings(desk, ["residual"])
    heading = T(f"Noise, passes, batch, seed · {short(vista['epochs'])} passes", f"Шум, эпохи, пакет, зерно · эпох: {short(vista['epochs'])}")
    with desk.fold("training", say(heading)) as opened:
        if opened:
            study.settings(desk, ["noise", "epochs", "batch", "seed"])


def _layered(vista: Vista, text: str) -> Vista:
    """Other layers, as a visitor writes them."""
    limit = LIMITS["layers"]
    try:
        widths = limit.parse("layers", text.replace(" ", ","))
    except Refused:
        raise Refused(T(f"“{text}” are no hidden layers; write up to {limit.most} whole numbers from 1 to {limit.widest}, such as 8, 8",
                        f"«{text}» — это не скрытые слои; напишите до {limit.most} целых чисел от 1 до {limit.widest}, например 8, 8")) from None
    return vista.at(layers=widths)


def _setting(desk: Desk[Vista], name: str, label: T, p: Any) -> None:
    desk.setting(name, say(label), p, desk.spec[name], _changed(name))


def _changed(name: str) -> Callable[[Vista, Any], Vista]:
    return lambda vista, value: vista.at(**{name: value})


# --- files --------------------------------------------------------------------------------------------------------------------------------


def files(desk: Desk[Vista]) -> None:
    """At the page's end: the export of the landscape that it shows."""
    def shown() -> LandscapeExhibit:
        if SHOWN not in st.session_state:
            raise Refused(T("nothing has been computed yet; wait until the landscape is there", "ещё ничего не посчитано; дождитесь ландшафта"))
        of, beside = st.session_state[SHOWN]
        return landscape_exhibit(of, desk.spec, beside)
    exports(shown)
