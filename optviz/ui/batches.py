"""The lab on gradient noise and batches: its stage and its controls."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from ..batch_sheets import chosen, sheet, started
from ..batches.orders import orders
from ..batches.presets import presets, shown_by
from ..batches.sampling import DATA, VIEWS, Sampling, Sizes, quick, result
from ..batches.sums import kinds
from ..core import T
from ..surfaces import surfaces
from .controls import Desk, Example, examples
from .jobs import work
from .sheet import Pick, sheet_stage
from .text import say

NAMES = {
    "descent": T("A sum, update by update", "Сумма, обновление за обновлением"),
    "variance": T("Variance of the batch's gradient", "Дисперсия градиента пакета"),
    "escape": T("Noise that frees", "Шум, который освобождает"), "cliff": T("Clipping at the cliff", "Ограничение градиента у обрыва"),
}
SETTINGS = {
    "batches": T("Batch sizes, such as 1, 8, all", "Размеры пакета, например 1, 8, все"), "orders": T("Which examples come", "Какие примеры идут"),
    "axis": T("Along the axis", "По оси"), "passes": T("Passes", "Эпох"), "lr": T("$\\alpha$ learning rate", "$\\alpha$ скорость обучения"),
    "reduction": T("Gradient of a batch", "Градиент пакета"), "memory": T("$\\lambda$ of the running loss", "$\\lambda$ скользящей оценки"),
    "kind": T("Model", "Модель"), "n": T("Examples n", "Примеров n"), "spread": T("Noise in the data", "Шум в данных"),
    "outlier": T("With an outlier", "С выбросом"), "data_seed": T("Seed of the data", "Зерно данных"), "slope": T("Start: slope", "Старт: наклон"),
    "intercept": T("Start: intercept", "Старт: сдвиг"), "seed": T("Seed", "Зерно"), "draws": T("Draws", "Сколько пакетов взять"),
    "sigma": T("$\\sigma$ noise of the gradient", "$\\sigma$ шум градиента"), "where": T("Surface", "Поверхность"), "steps": T("Steps", "Шагов"),
    "limit": T("$\\theta$ limit of the gradient", "$\\theta$ порог градиента"), "momentum": T("$\\gamma$ momentum", "$\\gamma$ импульс"),
}
#: What the words of a setting are called.
WORDS: Mapping[str, Mapping[str, T]] = {
    "axis": {"updates": T("updates", "обновления"), "passes": T("passes over the data", "эпохи"),
             "examples": T("examples seen", "просмотренные примеры")},
    "reduction": {"mean": T("mean over the batch", "среднее по пакету"), "sum": T("sum over the batch", "сумма по пакету")},
    "orders": {key: order.name for key, order in orders.items()}, "kind": {key: kind.name for key, kind in kinds.items()},
    "where": {key: surfaces[key].name for key in ("two_wells", "local_minimum")},
}
FOLDED = {*DATA, "slope", "intercept", "memory", "seed"}  # what is rarely turned


def stage(desk: Desk[Sampling], take: int) -> None:
    """The charts of what is asked for; a click on the parameters begins there, one on a pair of σ and α shows its runs."""
    p = desk.spec

    def picked(pick: Pick) -> None:
        if p.view == "descent":
            desk.edit(lambda now: started(now, pick.x, pick.y))
        elif p.view == "escape" and (cell := pick.point) is not None:
            desk.edit(lambda now: chosen(now, cell))
    found = result(p) if quick(p) else work("batches", NAMES[p.view], result, p)
    if found is not None:
        sheet_stage(sheet(p, found), f"batches-{p.view}", picked, take)


def panel(desk: Desk[Sampling]) -> None:
    """Examples, what is shown, and its settings."""
    examples(desk, {key: Example(*preset) for key, preset in presets.items()}, shown_by)
    p = desk.spec
    desk.choose("view", say(T("Shown", "Показано")), {view: NAMES[view] for view in VIEWS}, p.view, lambda now, view: now.at(view=view))
    desk.note()
    table = VIEWS[p.view]
    for name in table:
        if name not in FOLDED:
            _control(desk, name)
    rest = [name for name in table if name in FOLDED]
    if rest:
        heading = SETTINGS["seed"]
        if "kind" in table:
            model, n = kinds[p["kind"]].name, p["n"]
            heading = T(f"Data and start: {model.en}, n = {n}", f"Данные и старт: {model.ru}, n = {n}")
        with desk.fold("data", say(heading)) as opened:
            if opened:
                for name in rest:
                    _control(desk, name)
                if "kind" in table:
                    desk.button("redraw", T("Other examples", "Другие примеры"), lambda now: now.at(data_seed=(now["data_seed"] + 1) % 2**32),
                                ":material/casino:")
                    st.latex(kinds[p["kind"]].latex)


def _control(desk: Desk[Sampling], name: str) -> None:
    """The control of one setting."""
    p, known = desk.spec, VIEWS[desk.spec.view][name]
    if isinstance(known, Sizes):
        st.text_input(say(SETTINGS[name]), **desk.bound(name, say(known.text(p[name])), lambda now, text: now.at(**{name: known.parse(name, text)}),
                                                       about=p[name]))
    else:
        desk.setting(name, say(SETTINGS[name]), known, p[name], partial(_set, name), WORDS.get(name))


def _set(name: str, p: Sampling, value: Any) -> Sampling:
    return p.at(**{name: value})
