"""The language of a visit: from the URL, else the browser's."""

from __future__ import annotations

import streamlit as st

from ..core import T

LANGUAGES = {"en": "English", "ru": "Русский"}


def language() -> str:
    """The language that is spoken now."""
    asked = st.query_params.get("lang")
    if asked in LANGUAGES:
        return str(asked)
    return "ru" if (st.context.locale or "").lower().startswith("ru") else "en"


def say(text: T) -> str:
    """A text in the visitor's language."""
    return text.ru if language() == "ru" else text.en


def language_switch() -> None:
    """English / Русский, kept in the URL."""
    spoken = language()
    chosen = st.segmented_control("Language · Язык", list(LANGUAGES), default=spoken, format_func=LANGUAGES.__getitem__,
                                  label_visibility="collapsed", key=f"language_{spoken}", required=True)
    if chosen != spoken:
        st.query_params["lang"] = chosen
        st.rerun()
