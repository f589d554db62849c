"""The frame of every page: its dress, language, theme, errors, its spec in the session and in the URL, sharing.

app.py:   pages(LABS)                    the labs, for st.navigation
          header()                       the style sheet; language, theme and Share at the top right (nothing of it when embedded)
          guarded(page.run)              a page's error is logged, and the visitor reads one sentence
a page:   spec = spec_of(read, "descent")   read(query, notes) -> spec; the URL is read once, then the session holds the truth
          put("descent", spec)           in a widget's callback: the new truth; push=True makes an entry in the browser's history
          take()                         changes where another story begins, which a stage plays from its start
          notes("descent")               what of the URL could not be used
          address("descent", spec.to_query())   at the page's end: the URL follows
          embedded()                     draw the stage alone
"""

from __future__ import annotations

import html
import logging
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.pages_manager import PagesManager

from ..core import T
from ..palette import THEMES, Theme
from ..query import FRAME
from .text import LANGUAGES, choose, chosen, language, say, sentence

V = TypeVar("V")
WEB = Path(__file__).parent / "web"
ICON = str(WEB / "icon.svg")
SPECS, NOTES, PUSHES, TAKES, BACKS, SHARE = "frame-specs", "frame-notes", "frame-pushes", "frame-takes", "frame-backs", "frame-share"
EXPORT, STORIES = "frame-export", "frame-stories"
MOST_NOTES = 4
LONGEST_NOTE = 300

#: The style sheet; light-dark() follows the color-scheme that Streamlit gives its theme.
COLOURS = "".join(f"--optviz-{f.name}: light-dark({getattr(THEMES['light'], f.name)}, {getattr(THEMES['dark'], f.name)}); " for f in fields(Theme))
STYLE = f"<style>.stApp, [data-testid=portal] {{ {COLOURS}}}\n{(WEB / 'frame.css').read_text('utf-8')}</style>"

_frame = st.components.v2.component("optviz.frame", js="frame.js", isolate_styles=False)


def pages(labs: Mapping[T, Mapping[str, T]]) -> dict[str, list[StreamlitPage]]:
    """The labs by section, the first of all at the root; new ones in every run, because a page may be run once."""
    first = next(iter(next(iter(labs.values()))))
    return {say(section): [copy(_page(lab, say(title), lab == first)) for lab, title in inside.items()] for section, inside in labs.items()}


@cache
def _page(lab: str, title: str, first: bool) -> StreamlitPage:
    return st.Page(f"pages/{lab}.py", title=title, default=first)  # it looks for its file, which takes longer than all else about it


def embedded() -> bool:
    """True in an iframe with ?embed=true: the stage alone."""
    return bool(st.context.is_embedded)


def header() -> None:
    """The style sheet and, unless embedded, what stands at the top right of every page."""
    st.html(STYLE)
    if embedded():
        return
    with st.container(key="frame-header", horizontal=True):
        st.button(say(T("Export", "Экспорт")), icon=":material/download:", type="tertiary", key=EXPORT)
        st.button(say(T("Share", "Поделиться")), icon=":material/qr_code_2:", type="tertiary", key=SHARE)
        texts = {"language": T("Language", "Язык"), "theme": T("Light or dark", "Светлая или тёмная тема"),
                 "skip": T("Skip to the lab", "К содержанию страницы")}
        _frame(key="frame-switches", data={"languages": LANGUAGES, "language": language(), "chosen": chosen(),
                                           "url": st.context.url,  # another page is another call
                                           "texts": {name: say(text) for name, text in texts.items()}}, on_language_change=_choose)


def _choose() -> None:
    choose(st.session_state.get("frame-switches", {}).get("language"))


def share(query: str, missing: Sequence[T] = ()) -> None:
    """A link to exactly this view, and its QR code, large enough for a lecture hall; what of the view is `missing` in the link is said."""
    url = st.context.url or ""
    link = f"{url.split('?')[0]}?{query}"
    try:
        code = segno.make(link, error="m", micro=False)
    except segno.DataOverflowError:
        st.info(say(T("The link is too long for a QR code; copy it instead.", "Ссылка слишком длинная для QR-кода; скопируйте её.")))
    else:
        alt = say(T("QR code of the link below", "QR-код ссылки ниже"))
        st.html(f'<img class="optviz-qr" alt="{alt}" src="{code.svg_data_uri(border=4, dark="#000", light="#fff", omitsize=True)}">')
    st.code(link, language=None, wrap_lines=True)
    for text in missing:
        st.warning(sentence(text), icon=":material/info:")
    if urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1"):
        st.caption(say(T("This address works on this computer only. For a lecture hall start with `optviz app --host 0.0.0.0` "
                         "and open the app at this computer's own address in the network.",
                         "Этот адрес открывается только на этом компьютере. Для аудитории запустите `optviz app --host 0.0.0.0` "
                         "и откройте приложение по сетевому адресу компьютера.")))


def framed() -> None:
    """Make sure that a page runs inside app.py: one whose address is the first that anybody asks for, Streamlit takes for the older kind of
    pages that have no frame, until st.navigation has been called once."""
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def guarded(run: Callable[[], None]) -> None:
    """Run a page; what goes wrong is logged, and a visitor reads what to do."""
    try:
        run()
    except Exception:  # a rerun and a stop are no Exceptions
        logging.getLogger("optviz").exception("a page failed")
        st.error(say(T("Something went wrong here, and has been logged. Reload the page, or open it without what follows the ? in its address.",
                       "Здесь что-то сломалось; ошибка записана в журнал. Обновите страницу или откройте её без части адреса после знака «?».")))


def spec_of(read: Callable[[str, list[T]], V], page: str) -> V:
    """The page's spec: what the session holds, at first what the URL says."""
    specs = st.session_state.setdefault(SPECS, {})
    if page not in specs:
        asked = [(name, value) for name in st.query_params if name not in FRAME for value in st.query_params.get_all(name)]
        found: list[T] = []
        specs[page] = read(urlencode(asked), found)
        _begin(page)
        st.session_state.setdefault(NOTES, {})[page] = found
    return specs[page]


def put(page: str, spec: object, push: bool = False, fresh: bool = False) -> None:
    """A new spec; with `push` the browser's Back returns to the one before, a `fresh` one is another story, not a change of this one."""
    st.session_state.setdefault(SPECS, {})[page] = spec
    st.session_state[PUSHES] = st.session_state.get(PUSHES, 0) + push
    if fresh:
        st.session_state.get(NOTES, {}).pop(page, None)  # of a link that is looked at no more
        _begin(page)


def _begin(page: str) -> None:
    """Another story."""
    st.session_state[TAKES] = take() + 1
    stories = st.session_state.setdefault(STORIES, {})
    stories[page] = stories.get(page, 0) + 1


def take() -> int:
    """How many stories were begun: the stage tells each from its beginning."""
    return int(st.session_state.get(TAKES, 0))


def story(page: str) -> int:
    """Which of a page's stories is told."""
    return int(st.session_state.get(STORIES, {}).get(page, 0))


def notes(page: str) -> None:
    """Quietly, what of the URL or of a file fell back, until it is put away."""
    found = st.session_state.get(NOTES, {}).get(page, [])
    place = st.container(key="frame-notes", horizontal=True, vertical_alignment="top")  # always there: else what is below is made anew
    if not found:
        return
    lines = [shortened(say(note)) for note in found[:MOST_NOTES]]
    if more := len(found) - len(lines):
        lines.append(say(T(f"… and {more} more", f"… и ещё {more}")))
    with place:
        head = say(T("Not everything in the link or file could be used:", "Не всё в ссылке или файле удалось использовать:"))
        st.html(f'<div class="optviz-notes" role="status">{head}<ul>{"".join(f"<li>{html.escape(line)}</li>" for line in lines)}</ul></div>')
        st.button("", icon=":material/close:", type="tertiary", key=f"frame-notes-{page}", help=say(T("Put away", "Убрать")), on_click=found.clear)


def shortened(line: str) -> str:
    """A sentence that stays readable, however much a visitor put into the URL."""
    return line if len(line) <= LONGEST_NOTE else line[:LONGEST_NOTE - 1].rstrip() + "…"


def address(page: str, query: str, missing: Sequence[T] = ()) -> None:
    """The URL follows the spec; Back and Forward bring back the spec of their URL. What no URL carries is `missing`."""
    key = f"frame-address-{page}"

    def back() -> None:
        st.session_state[BACKS] = st.session_state.get(key, {}).get("back")
        st.session_state.get(SPECS, {}).pop(page, None)

    _frame(key=key, on_back_change=back, data={"query": query, "pushes": st.session_state.get(PUSHES, 0), "chosen": chosen(),
                                               "backs": st.session_state.get(BACKS, 0)})  # which Back this answers
    if st.session_state.get(SHARE):  # here, not where the button is: the click may have cut a run short that was to say the query
        st.dialog(say(T("Share this view", "Поделиться этим видом")), width="medium")(share)(query, missing)
