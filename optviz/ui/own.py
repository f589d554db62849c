"""A visitor's own data, and files of the lab: points pasted or opened, points and studies saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st

from .. import study_presets
from ..core import Refused, T
from ..datasets import Dataset, Own, as_given, dataset, datasets
from ..pasted import CLASSES, as_csv, pasted
from ..state_file import is_saved, opened, saved
from ..study import Study
from ..trainer import Trainer
from .controls import Desk
from .frame import NOTES
from .text import plain, say

KEPT, WHY, FILES = "own-data", "own-why", "own-files"
EXAMPLE = "x,y,label\n1.5,-2,a\n0.2,0.7,b"


# --- what is kept of them while a visit lasts -------------------------------------------------------------------------------------------


def opening(query: str, notes: list[T] | None = None) -> Study:
    """The study of a query, on the own data of this visit where it says so."""
    return study_presets.opening(query, notes, st.session_state.get(KEPT))


def offered(study: Study) -> Mapping[str, Dataset]:
    """The data sets that can be chosen: a visitor's own is one of them from the first time that a study has it."""
    if study["data"].key not in datasets:
        st.session_state[KEPT] = study["data"]
    own = st.session_state.get(KEPT)
    return {**datasets, **({option(own): own} if own else {})}


def option(data: Dataset) -> str:
    """What tells a data set from the others: of a visitor's own, any change makes it another."""
    return data.key if data.key in datasets else f"own{hash(data)}"


def named(data: Dataset) -> T:
    """What a data set is called; a visitor's own also says how many points it has."""
    if data.key in datasets:
        return data.name
    count = 0 if isinstance(data.make, Own) and data.make.empty else data.size
    return T(f"{data.name.en} ({count} point{'s' * (count != 1)})", f"{data.name.ru} (точек: {count})")


# --- the panel --------------------------------------------------------------------------------------------------------------------------


def panel(desk: Desk[Study], trainer: Trainer | None) -> None:
    """Points from a table, and files to save and open."""
    with desk.fold("own", say(T("Your own data and files", "Свои данные и файлы"))) as unfolded:
        if unfolded:
            _pasting(desk)
            _opening(desk)
            with st.container():  # what comes and goes has a place of its own: the buttons below it would be there twice meanwhile
                if (why := st.session_state.get(WHY)) is not None:
                    st.warning(plain(say(why)), icon=":material/info:")
            with st.container():
                _kind(desk)
            _saving(desk.spec, trainer)


def _take(desk: Desk[Study], source: str | bytes, name: str | None = None) -> None:
    """Show what a table or a file holds; where it is refused, the old picture stays and one sentence says why."""
    st.session_state.pop(WHY, None)
    notes: list[T] = []
    try:
        study = opened(source, notes) if is_saved(source) else desk.spec.at(data=pasted(source, name))
    except Refused as refusal:
        st.session_state[WHY] = refusal.text
        return
    desk.edit(lambda _: study, fresh=True)
    st.session_state.setdefault(NOTES, {})[desk.page] = notes  # of this story, no more of the one before


def _pasting(desk: Desk[Study]) -> None:
    """A table typed or pasted."""
    with st.form("own-paste", border=False):
        st.text_area(say(T("Points: x, y and a label in each row; or x and its value", "Точки: в строке x, y и метка или x и его значение")),
                     key="own-text", height=120, placeholder=EXAMPLE)
        st.form_submit_button(say(T("Take these points", "Взять эти точки")), icon=":material/check:", width="stretch",
                              on_click=lambda: _take(desk, st.session_state.get("own-text") or ""))


def _opening(desk: Desk[Study]) -> None:
    """A table or a study from a file. Each file has an uploader of its own, so that none of them is kept."""
    key = f"own-file-{st.session_state.get(FILES, 0)}"

    def heard() -> None:
        file = st.session_state.get(key)
        if file is not None:
            st.session_state[FILES] = st.session_state.get(FILES, 0) + 1
            _take(desk, file.getvalue(), file.name)
    words = T("Open a CSV or a saved file", "Открыть CSV или сохранённый файл")
    with st.container(key="own-file"):
        st.html(f'<style>.st-key-own-file {{ --optviz-open: "{say(words)}"; }}</style>')
        st.file_uploader(say(words), key=key, on_change=heard, label_visibility="collapsed")


def _kind(desk: Desk[Study]) -> None:
    """Whether numbers are labels of classes or values, where they may be either."""
    other = _of_other_kind(desk.spec["data"])
    if other is not None:
        kinds = {"classes": T("classes", "классы"), "values": T("values to predict", "значения")}
        desk.choose("own-kind", say(T("The numbers in the last column are", "Числа в последнем столбце — это")), kinds, desk.spec["data"].kind,
                    lambda s, kind: s if kind == s["data"].kind else s.at(data=other))


def _of_other_kind(data: Dataset) -> Dataset | None:
    """The same data with classes as values, or values as classes, where that can be."""
    if data.key in datasets or data.inputs == 1:
        return None
    x, y = as_given(data)
    flat = np.ravel(y)
    if len(flat) != len(x):  # several targets are neither
        return None
    whole = flat.dtype.kind in "if" and bool((flat % 1 == 0).all())
    if not whole or not 2 <= len(np.unique(flat)) <= CLASSES:
        return None
    return replace(dataset(x, flat, kind="values" if data.kind == "classes" else "classes"), name=data.name)


def _saving(study: Study, trainer: Trainer | None) -> None:
    """The points on the screen, and the whole study, as files."""
    left, right = st.columns(2)
    if trainer is not None and trainer.raw.shape[-1] <= 2 and (trainer.labels or trainer.known.shape[-1] == 1):
        table = as_csv(*trainer.examples, trainer.labels).encode("utf-8-sig")  # the mark at its beginning is for spreadsheets
        left.download_button(say(T("Points (CSV)", "Точки (CSV)")), table, "points.csv", "text/csv", icon=":material/table:", width="stretch",
                             on_click="ignore", key="own-csv")
    right.download_button(say(T("Save all (file)", "Сохранить всё")), saved(study), f"boundary-{study['data'].key}.optviz.json", "application/json",
                          icon=":material/save:", width="stretch", on_click="ignore", key="own-save",
                          help=say(T("Settings, your own data, weights set by hand: to be opened here again",
                                     "Настройки, свои данные, заданные вручную веса: чтобы снова открыть здесь")))
