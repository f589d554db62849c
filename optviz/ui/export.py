"""The export of what is on the stage: choose, see it, take it away. It knows no lab, only what a lab gives to be exported."""

from __future__ import annotations

import base64
import io
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from ..core import Param, Range, Refused, T
from ..render.exhibit import Exhibit
from ..render.export import MEDIA, filename, made, still
from ..render.options import OPTIONS, SIDES, Options, options
from ..render.painter import cost
from .controls import Desk
from .frame import EXPORT
from .text import language, plain, say

PAGE, MADE, MAKING, SHOWN = "export", "export-made", "export-making", "export-shown"
PREVIEW = 960, 720  # as large as a preview is drawn
SIZES = ((960, 540), (1280, 720), (1920, 1080), (1080, 1080))
SPELLED = {"webm": "WebM", "py": "Python"}
SLOW = ("gif", "mp4", "webm")  # made when asked for
STILLS = ("png", "svg")
PICTURES = (*SLOW, *STILLS)
SEEN = (*PICTURES, "html")
#: Which media have a use for an option; the language is the app's.
USED = {
    "size": PICTURES, "theme": SEEN, "transparent": ("gif", *STILLS, "html"), "scale": ("png",), "tail": PICTURES,
    **dict.fromkeys(("seconds", "stride", "fps", "first", "last"), SLOW), "loop": ("gif",), "arrows": PICTURES,
    **dict.fromkeys(("panel", "legend", "counter", "title", "caption"), SEEN), "sliders": ("html",), "torch": ("py",),
}
MOST = 120.0  # seconds that a file may take here
#: How a lab calls what its playhead counts: one, several, how many a frame, the counter.
COUNTED = {
    "step": (T("Step", "Шаг"), T("Steps", "Шаги"), T("Steps a frame", "Шагов на кадр"), T("Step counter", "Номер шага")),
    "frame": (T("Moment", "Момент"), T("Moments", "Моменты"), T("Moments a frame", "Моментов на кадр"), T("Step counter", "Номер шага")),
    "pass": (T("Pass", "Эпоха"), T("Passes", "Эпохи"), T("Passes a frame", "Эпох на кадр"), T("Pass counter", "Номер эпохи")),
}
LINES = 60  # of a text that are shown


@dataclass(frozen=True)
class Order:
    """What somebody wants to take away."""

    medium: str = "gif"
    pace: str = "seconds"  # which of the three says how fast it goes
    own: bool = False  # a size of one's own
    step: int | None = None  # of a still; where the stage stands
    given: tuple[tuple[str, Any], ...] = ()

    def at(self, **changes: Any) -> Order:
        """The same with other options, if they can be."""
        given = dict(self.given) | changes
        options(given)
        return replace(self, given=tuple(sorted(given.items())))

    def paced(self, pace: str, value: float) -> Order:
        """So long, or so many steps from frame to frame."""
        return replace(self, pace=pace).at(**{name: value if name == pace else None for name in ("seconds", "stride")})

    @property
    def options(self) -> Options:
        """All of them, in the language of the app."""
        return options(dict(self.given) | {"language": language()})


def exports(show: Callable[[], Exhibit]) -> None:
    """At a page's end: the dialog, if the button at the top asked for it."""
    if st.session_state.get(EXPORT):
        st.session_state[MAKING] = None
        box = st.dialog(say(T("Export", "Экспорт")), width="large")
        try:
            shown = show()
        except Refused as refusal:
            box(_refused)(refusal.text)
        else:
            box(_dialog)(shown)


def _refused(why: T) -> None:
    """Why there is nothing to take."""
    st.warning(plain(say(why)), icon=":material/info:")


def _dialog(shown: Exhibit) -> None:
    """The picture, what may be chosen of it, and the file."""
    desk: Desk[Order] = Desk(f"{PAGE}-{shown.lab}", lambda query, notes: Order())
    order = desk.started(Order().paced("seconds", 5.0).at(theme=st.context.theme.type or "light"))
    media = list(MEDIA) if shown.steps else [*STILLS, *(medium for medium in MEDIA if medium not in (*STILLS, *SLOW))]  # what never moves is no film
    named = {medium: SPELLED.get(medium, medium.upper()) for medium in media}
    if order.medium not in named:
        desk.edit(lambda o: replace(o, medium="png"))
        order = desk.spec
    here = shown.at(order.step) if order.medium in STILLS else shown
    st.segmented_control(say(T("Format", "Формат")), list(named), default=order.medium, format_func=named.__getitem__, required=True,
                         label_visibility="collapsed", **desk.bound("medium", order.medium, lambda o, medium: replace(o, medium=medium)))
    left, right = st.columns([5, 3], gap="medium")
    with right, st.container(key="export-choices", gap="xsmall"):
        desk.note()
        _choices(desk, shown)
    with left, st.container(key="export-preview", gap="small"):
        st.caption(say(MEDIA[order.medium].name))
        try:
            _result(here, order)
        except Refused as refusal:
            _refused(refusal.text)
    if shown.complete:
        with st.expander(say(T("The same on the command line", "То же из командной строки"))):
            st.code(_command(here, order.medium, _fitting(order, shown)), language="shell", wrap_lines=True)


# --- what may be chosen -------------------------------------------------------------------------------------------------------------


def _choices(desk: Desk[Order], shown: Exhibit) -> None:
    """The options that mean something for the medium."""
    order, steps = desk.spec, shown.steps
    o, medium = order.options, desk.spec.medium
    one, several, _, counter = COUNTED[shown.counted]

    def useful(name: str) -> bool:
        return medium in USED[name] and name not in shown.useless
    if medium in USED["size"]:
        _size(desk)
    if medium in USED["theme"]:
        _ground(desk)
    if medium in SLOW:
        _pace(desk, shown)
        if steps:
            last = steps if o.last is None else min(o.last, steps)
            ends = (min(o.first, last), last)
            st.slider(say(several), 0, steps, ends, **desk.bound(
                "ends", ends, lambda order, ends: order.at(first=ends[0], last=None if ends[1] == steps else ends[1])))
    if medium in STILLS and steps:
        at = still(shown.at(order.step), o)
        st.slider(say(one), 0, steps, at, **desk.bound("step", at, lambda order, step: replace(order, step=step)))
    if medium in USED["scale"]:
        _one(desk, "scale", T("Pixels a point", "Пикселей на точку"), lambda n: f"{n}×")
    if useful("tail"):
        _optional(desk, "tail", T("Trails fade after some steps", "Следы гаснут через несколько шагов"))
    if medium in SEEN:
        named = {"panel": T("Curves below", "Кривые внизу"), "legend": T("Legend", "Подписи"), "counter": counter,
                 "arrows": T("Arrows of the step", "Стрелки шага")}
        parts = {name: text for name, text in named.items() if useful(name)}
        chosen = [name for name in parts if getattr(o, name)]
        names = {name: say(text) for name, text in parts.items()}
        st.pills(say(T("With", "Показать")), list(names), selection_mode="multi", default=chosen, format_func=names.__getitem__, **desk.bound(
            "parts", chosen, lambda order, chosen: order.at(**{name: name in chosen for name in parts})))
    if useful("sliders"):
        possible = shown.changeable
        chosen = [name for name in o.sliders if name in possible]
        st.multiselect(say(T("Sliders on the slide", "Ползунки на слайде")), list(possible), chosen, format_func=lambda name: say(possible[name]),
                       max_selections=OPTIONS["sliders"].most, select_all=False,  # type: ignore[attr-defined]
                       placeholder=say(T("None", "Нет")), **desk.bound("sliders", chosen, lambda order, names: order.at(sliders=tuple(names))))
    if medium in USED["title"]:
        st.text_input(say(T("Title", "Заголовок")), o.title, max_chars=OPTIONS["title"].most,  # type: ignore[attr-defined]
                      **desk.bound("title", o.title, lambda order, title: order.at(title=title)))
        _flag(desk, "caption", T("Parameters under the picture", "Параметры под картинкой"))
    if medium in USED["loop"]:
        _flag(desk, "loop", T("Repeat without end", "Повторять по кругу"))
    if useful("torch"):
        _flag(desk, "torch", T("In plain torch, without optviz", "На чистом torch, без optviz"))


def _flag(desk: Desk[Order], name: str, label: T) -> None:
    value = getattr(desk.spec.options, name)
    st.checkbox(say(label), value, **desk.bound(name, value, lambda order, on: order.at(**{name: on})))


def _one(desk: Desk[Order], name: str, label: T, shown: Callable[[Any], str]) -> None:
    """One of a few numbers."""
    value, choices = getattr(desk.spec.options, name), OPTIONS[name].choices  # type: ignore[attr-defined]
    st.segmented_control(say(label), choices, default=value, format_func=shown, required=True,
                         **desk.bound(name, value, lambda order, n: order.at(**{name: n})))


def _optional(desk: Desk[Order], name: str, label: T) -> None:
    """A number that may be absent."""
    p = OPTIONS[name]
    assert isinstance(p, Param)
    desk.setting(name, say(label), p, getattr(desk.spec.options, name), lambda order, value: order.at(**{name: value and round(value)}))


def _size(desk: Desk[Order]) -> None:
    order, size = desk.spec, desk.spec.options.size
    names = {f"{w}×{h}": T(*[f"{w} × {h}"] * 2) for w, h in SIZES} | {"own": T("Own size", "Свой размер")}
    known = "{}×{}".format(*size)
    shown = "own" if order.own or known not in names else known

    def chosen(order: Order, word: str) -> Order:
        own = word == "own"
        return replace(order, own=own) if own else replace(order, own=False).at(size=tuple(map(int, word.split("×"))))
    desk.choose("size", say(T("Size", "Размер")), names, shown, chosen)
    if shown == "own":
        for i, (column, label) in enumerate(zip(st.columns(2), (T("Width", "Ширина"), T("Height", "Высота")), strict=True)):
            def sized(order: Order, side: int, i: int = i) -> Order:
                now = order.options.size
                return order.at(size=(side, now[1]) if i == 0 else (now[0], side))
            with column:
                desk.number(f"side{i}", say(label), size[i], sized, Range(*SIDES), True)


def _ground(desk: Desk[Order]) -> None:
    """Light, dark, or nothing behind."""
    o = desk.spec.options
    names = {"light": say(T("Light", "Светлый")), "dark": say(T("Dark", "Тёмный"))}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(say(T("Background", "Фон")), list(names), default=o.theme, format_func=names.__getitem__, required=True,
                             **desk.bound("theme", o.theme, lambda order, theme: order.at(theme=theme)))
        if desk.spec.medium in USED["transparent"]:
            _flag(desk, "transparent", T("Transparent", "Прозрачный"))


def _pace(desk: Desk[Order], shown: Exhibit) -> None:
    """How long it lasts, or how many steps go by from frame to frame."""
    order = desk.spec
    texts = {"seconds": T("Duration, s", "Длительность, с"), "stride": COUNTED[shown.counted][2]}
    names = {name: say(text) for name, text in texts.items()}
    values = {"seconds": 5.0, "stride": 1.0}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(say(T("Pace", "Темп")), list(names), default=order.pace, format_func=names.__getitem__, required=True,
                             **desk.bound("pace", order.pace, lambda order, pace: order.paced(pace, values[pace])))
        _one(desk, "fps", T("Frames a second", "Кадров в секунду"), str)
    p, value = OPTIONS[order.pace], getattr(order.options, order.pace)
    assert isinstance(p, Param)
    desk.slider(f"pace-{order.pace}", names[order.pace], p, values[order.pace] if value is None else value,
                lambda order, value: order.paced(order.pace, value), label_visibility="collapsed")


# --- what comes of it ---------------------------------------------------------------------------------------------------------------


def _result(shown: Exhibit, order: Order) -> None:
    """The preview, and the file as soon as there is one."""
    o, medium = _fitting(order, shown), order.medium
    question = (shown.key, shown.stands, medium, o)
    if st.session_state.get(MADE, (None,))[0] != question and medium not in SLOW:
        st.session_state[MADE] = question, made(shown, medium, o)
    before, data = st.session_state.get(MADE, (None, b""))
    if medium in PICTURES and (size := shown.fitted(o).size) != o.size:
        st.caption(say(T(f"{size[0]} × {size[1]}: taller than asked for, so that every chart can be read.",
                         f"{size[0]} × {size[1]}: выше, чем задано, чтобы каждый график можно было прочесть.")))
    if before == question:
        name = filename(shown, medium, o)
        _preview(shown, medium, o, data)
        st.download_button(f"{name} · {_size_of(data)}", data, name, MEDIA[medium].kind, key="export-take", type="primary", on_click="ignore",
                           icon=":material/download:", width="stretch")
        return
    _preview(shown, medium, o, b"")
    making, when = st.session_state.get(MAKING) == medium, len(o.moments(shown.steps))
    st.button(say(T(f"Make the file: {when} frames", f"Создать файл, кадров: {when}")), key="export-make", type="primary",
              icon=":material/movie:", width="stretch", on_click=_make, args=(medium,), disabled=making)
    if making:
        st.session_state[MAKING] = None  # whatever comes of it, it was asked for once
        if cost(shown, o, "gif") > MOST:
            raise Refused(T("this file would take minutes; choose a smaller size or fewer frames, or make it by the command below",
                            "на такой файл уйдут минуты; уменьшите размер или число кадров — или создайте его командой ниже"))
        bar = st.progress(0.0)
        data = made(shown, medium, o, lambda share: _tell(bar, share))
        st.session_state[MADE] = question, data
        st.rerun(scope="fragment")


def _make(medium: str) -> None:
    """As it is ordered when the page comes to it: a title may have been typed a moment before the click."""
    st.session_state[MAKING] = medium


def _fitting(order: Order, shown: Exhibit) -> Options:
    """The options, without those that the medium has no use for: they must not refuse it, nor stand in a command."""
    o = order.options
    useless = {name: OPTIONS[name].default for name, media in USED.items() if order.medium not in media or name in shown.useless}
    return replace(o, **{"sliders": tuple(name for name in o.sliders if name in shown.changeable)} | useless)


def _tell(progress: Any, share: float) -> None:
    progress.progress(min(share, 1.0))


def _size_of(data: bytes) -> str:
    size = len(data) / 1000
    return f"{size:.{0 if size > 9.95 else 1}f} {say(T('KB', 'КБ'))}"


def _preview(shown: Exhibit, medium: str, o: Options, data: bytes) -> None:
    """The file itself where a page can show it, else a still of it."""
    if medium in ("csv", "py"):
        lines = data.decode().splitlines()
        more = ["…"] * (len(lines) > LINES)
        st.code("\n".join(lines[:LINES] + more), language="python" if medium == "py" else None, height=420)
    elif medium == "npz":
        st.code("\n".join(f"{name}: {text}" for name, text in _arrays(data)), language=None, height=420)
    elif medium == "gif" and data:
        _image(data, medium)
    elif medium in ("mp4", "webm") and data:
        st.video(data, format=MEDIA[medium].kind, autoplay=True, loop=True, muted=True)
    else:
        _image(_still(shown, o), "png")


def _image(data: bytes, medium: str) -> None:
    """In the page itself: Streamlit would forget its files while a browser still asks for them, and make JPEGs of them."""
    alt = say(T("Preview", "Предварительный вид"))
    st.html(f'<img alt="{alt}" src="data:{MEDIA[medium].kind};base64,{base64.b64encode(data).decode()}">')


def _still(shown: Exhibit, o: Options) -> bytes:
    """A small one of the same shape; kept until it is another."""
    small = min(1.0, PREVIEW[0] / o.size[0], PREVIEW[1] / o.size[1])
    width, height = (max(round(side * small), SIDES[0]) for side in o.size)
    look = replace(o, size=(width, height), scale=1, **{name: OPTIONS[name].default for name, media in USED.items() if "png" not in media})
    question = (shown.key, look, shown.stands)
    if st.session_state.get(SHOWN, (None,))[0] != question:
        st.session_state[SHOWN] = question, made(shown, "png", look)
    return st.session_state[SHOWN][1]


def _arrays(data: bytes) -> Iterable[tuple[str, str]]:
    """What an NPZ holds."""
    with np.load(io.BytesIO(data)) as arrays:
        yield from ((name, str(a.shape if a.ndim > 1 or a.dtype.kind == "f" else a.tolist())) for name, a in arrays.items())


def _command(shown: Exhibit, medium: str, o: Options) -> str:
    """The command line that makes the same file."""
    words = ["optviz", "render", f"--url={shown.link}"]
    for name, option in OPTIONS.items():
        value = getattr(o, name)
        if value == option.default:
            continue
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{name}")
        else:
            words.append(f"--{name}=" + ("x".join(map(str, value)) if name == "size" else ",".join(value) if name == "sliders" else str(value)))
    return shlex.join([*words, "-o", filename(shown, medium, o)])
