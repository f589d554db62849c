"""The layers lab: what happens inside a deep network, layer by layer, before and during training."""

import streamlit as st

from optviz.core import T
from optviz.inside import opening
from optviz.ui import layers as panels
from optviz.ui.controls import Desk, lab_text
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.sheet import files
from optviz.ui.trial import gone

desk = Desk("layers", opening)
look, text = desk.spec, lab_text(__file__, "layers")
gone()

if embedded():
    panels.stage(desk, take())
else:
    notes("layers")
    left, right = st.columns([2, 1], gap="medium")  # the controls first: a look takes its time
    with right, st.container(key="lab-controls", gap="xsmall"):
        panels.look_panel(desk)
        panels.own_panel(desk)
        network = panels.network_desk(desk)
        if look.about == "activation":
            panels.activation_panel(network)
        elif look.about not in ("chain", "time"):
            panels.network_panel(network, look.about)
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        panels.stage(desk, take())
        with st.expander(text.heading):
            st.markdown(text.points)
address("layers", look.to_query())
files("layers", look.to_query(), f"layers-{look.about}", T("Layers and gradients", "Слои и градиенты"))
