"""The frame around every page: navigation, language, theme."""

import streamlit as st

from optviz.core import T
from optviz.ui import frame, jobs, sheet
from optviz.ui.text import say

SECTIONS = {
    T("Optimization", "Оптимизация"): [
        st.Page("pages/descent.py", title=say(T("Descent", "Спуск")), default=True),
        st.Page("pages/schedules.py", title=say(T("Learning rate", "Скорость обучения"))),
        st.Page("pages/batches.py", title=say(T("Gradient noise and batches", "Шум градиента и пакеты"))),
    ],
    T("Networks", "Нейронные сети"): [
        st.Page("pages/boundary.py", title=say(T("Decision boundary", "Граница решений"))),
        st.Page("pages/regularization.py", title=say(T("Regularization", "Регуляризация"))),
        st.Page("pages/layers.py", title=say(T("Layers and gradients", "Слои и градиенты"))),
    ],
    T("Heavy runs", "Долгие расчёты"): [
        st.Page("pages/maps.py", title=say(T("Maps", "Карты"))),
        st.Page("pages/sweeps.py", title=say(T("Hyper-parameters", "Гиперпараметры"))),
        st.Page("pages/landscape.py", title=say(T("Loss landscape", "Ландшафт потерь"))),
    ],
}

st.set_page_config(page_title="optviz", page_icon=frame.ICON, layout="wide")
page = st.navigation({say(section): pages for section, pages in SECTIONS.items() if pages}, position="top")
frame.header()
jobs.begin()
sheet.begin()
frame.guarded(page.run)
jobs.rest()
