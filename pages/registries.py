"""All surfaces, optimizers and schedules with their formulas."""

import streamlit as st

from optviz import optimizers, schedules, surfaces
from optviz.core import T
from optviz.ui.text import say

st.title("optviz")
st.write(say(T("The engine's formulas: every surface, optimizer and schedule below runs as it is printed.",
               "Формулы движка: каждая поверхность, каждый оптимизатор и каждое расписание ниже работают так, как написаны.")))
views = st.tabs([say(T(f"Surfaces · {len(surfaces)}", f"Поверхности · {len(surfaces)}")),
                 say(T(f"Optimizers · {len(optimizers)}", f"Оптимизаторы · {len(optimizers)}")),
                 say(T(f"Schedules · {len(schedules)}", f"Расписания · {len(schedules)}"))])
with views[0]:
    for s in surfaces.values():
        st.subheader(say(s.name), anchor=False)
        st.write(say(s.lesson))
        st.latex("f(x, y) = " + s.latex)
with views[1]:
    for o in optimizers.values():
        with st.expander(f"**{say(o.name)}** — {say(o.idea)}"):
            st.latex(r"\begin{aligned}" + r" \\ ".join(line.replace(r"\leftarrow", r"&\leftarrow", 1) for line in o.latex()) + r"\end{aligned}")
            st.caption(o.paper)
with views[2]:
    for k in schedules.values():
        st.markdown(f"**{say(k.name)}** — {say(k.idea)}")
