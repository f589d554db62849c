"""The lab of hyper-parameters: a map over any two settings, what runs in a cell of it, and random search against a grid."""

from functools import partial

import streamlit as st

from optviz.core import T
from optviz.quest import opening
from optviz.render.code import of_sweep
from optviz.ui import sweeps as panels
from optviz.ui.controls import Desk, lab_text
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.sheet import files
from optviz.ui.trial import gone

desk = Desk("sweeps", opening)
quest, text = desk.spec, lab_text(__file__, "sweeps")
gone()

if embedded():
    panels.stage(desk, take())
else:
    notes("sweeps")
    left, right = st.columns([2, 1], gap="medium")  # the controls first: a map takes its time
    with right, st.container(key="lab-controls", gap="xsmall"):
        panels.view_panel(desk)
        panels.axes_panel(desk)
        panels.hunt_panel(desk)
        panels.base_panel(desk)
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        panels.stage(desk, take())
        with st.expander(text.heading):
            st.markdown(text.points)
address("sweeps", quest.to_query())
files("sweeps", quest.to_query(), "sweeps", T("Maps over two settings", "Карты по двум настройкам"),
      {"optviz": partial(of_sweep, quest.sweep, quest.array)})
