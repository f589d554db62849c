"""The frame around every page: navigation, language, theme."""

import streamlit as st

from optviz.core import T
from optviz.ui import frame, jobs, sheet, text

LABS = {
    T("Optimization", "Оптимизация"): {
        "descent": T("Descent", "Спуск"),
        "schedules": T("Learning rate", "Скорость обучения"),
        "batches": T("Gradient noise and batches", "Шум градиента и пакеты"),
    },
    T("Networks", "Нейронные сети"): {
        "boundary": T("Decision boundary", "Граница решений"),
        "regularization": T("Regularization", "Регуляризация"),
        "layers": T("Layers and gradients", "Слои и градиенты"),
    },
    T("Heavy runs", "Долгие расчёты"): {
        "maps": T("Maps", "Карты"),
        "sweeps": T("Hyper-parameters", "Гиперпараметры"),
        "landscape": T("Loss landscape", "Ландшафт потерь"),
    },
}

text.begin()
st.set_page_config(page_title="optviz", page_icon=frame.ICON, layout="wide")
page = st.navigation(frame.pages(LABS), position="top")
frame.header()
jobs.begin()
sheet.begin()
frame.guarded(page.run)
jobs.rest()
