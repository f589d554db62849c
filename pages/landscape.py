"""The lab of loss landscapes: the loss on a plane through a trained network's weights, and the paths of optimizers on it."""

import streamlit as st

from optviz.ui import landscape as panels
from optviz.ui.controls import Desk, lab_text
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.trial import gone
from optviz.vista import opening

gone()
desk = Desk("landscape", opening)
vista, text = desk.spec, lab_text(__file__, "landscape")

if embedded():
    panels.stage(desk, take())
else:
    notes("landscape")
    left, right = st.columns([2, 1], gap="medium")  # the controls first: a landscape takes its time
    with right, st.container(key="lab-controls", gap="xsmall"):
        panels.outlook_panel(desk)
        panels.plane_panel(desk)
        panels.paths_panel(desk)
        panels.network_panel(desk)
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        panels.stage(desk, take())
        with st.expander(text.heading):
            st.markdown(text.points)
address("landscape", vista.to_query())
panels.files(desk)
