"""The language of a visit: from the URL, else what was chosen before, else the browser's."""

from __future__ import annotations

import re
from threading import local

import streamlit as st

from ..core import T

LANGUAGES = {"en": "English", "ru": "Русский"}
CHOSEN = "frame-language"  # in the session; a URL's language counts as chosen, so that it survives a change of page


_run = local()  # a page asks hundreds of times in one run, and a run keeps to one thread


def begin() -> None:
    """Before a page is run: what is spoken during the run."""
    _run.language = None
    _run.language = language()


def chosen() -> str | None:
    """The language that somebody asked for, if anybody did."""
    asked = st.query_params.get("lang")
    if CHOSEN not in st.session_state and asked in LANGUAGES:
        st.session_state[CHOSEN] = asked
    return st.session_state.get(CHOSEN)


def choose(asked: str) -> None:
    """Speak another language from now on."""
    if asked in LANGUAGES:
        st.session_state[CHOSEN] = asked
        _run.language = None


def language() -> str:
    """The language that is spoken now."""
    return getattr(_run, "language", None) or chosen() or ("ru" if (st.context.locale or "").lower().startswith("ru") else "en")


def say(text: T) -> str:
    """A text in the visitor's language."""
    return text.ru if language() == "ru" else text.en


def unbroken(text: str) -> str:
    """A text in which no line ends between a number and its % or beside a sign of comparison."""
    return re.sub(r"(?<=\d) (?=%)| (?=[=≈≤≥<>] )|(?<= [=≈≤≥<>]) ", "\u00a0", text)


def plain(text: str) -> str:
    """A visitor's own text for where markdown is read: nothing in it is a sign of layout, a formula, an icon or an arrow."""
    return re.sub(r"[!-/:-@[-`{-~]", lambda sign: f"\\{sign[0]}\u2060" if sign[0] in ":-<>~" else "\\" + sign[0], text)


def sentence(text: T) -> str:
    """What is refused or missing, standing alone."""
    words = say(text)
    return plain(words[0].upper() + words[1:]) + "."
