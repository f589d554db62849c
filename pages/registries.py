"""All surfaces, optimizers and schedules with their formulas."""

import streamlit as st

from optviz import optimizers, schedules, surfaces
from optviz.core import T
from optviz.ui.text import say

st.title("optviz")
st.write(say(T("All that the engine knows; every surface and optimizer runs exactly as it is printed.",
               "Всё, что умеет движок; каждая поверхность и каждый оптимизатор считаются ровно по напечатанной формуле.")))
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
            lines = (line.replace(r"\leftarrow", r"&\leftarrow", 1) for line in o.latex())
            st.latex(r"\begin{aligned}" + r" \\[4pt] ".join(lines) + r"\end{aligned}\,")  # the last space keeps a needless scroll bar away
            st.caption(o.paper)
with views[2]:
    for k in schedules.values():
        st.markdown(f"**{say(k.name)}** — {say(k.idea)}")
