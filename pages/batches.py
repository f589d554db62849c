"""The lab on gradient noise and batches: a sum of examples, update by update, and what the noise of a batch does."""

import streamlit as st

from optviz.batches.presets import opening
from optviz.core import T
from optviz.ui import batches as own
from optviz.ui.controls import Desk, lab_text
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.sheet import files

desk = Desk("batches", opening)
text = lab_text(__file__, "batches")
if embedded():
    own.stage(desk, take())
else:
    notes("batches")
    left, right = st.columns([2, 1], gap="medium")
    with right, st.container(key="lab-controls", gap="xsmall"):  # the controls first: a result takes its time
        own.panel(desk)
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        own.stage(desk, take())
        with st.expander(text.heading):
            st.markdown(text.points)
address("batches", desk.spec.to_query())
files("batches", desk.spec.to_query(), f"batches-{desk.spec.view}", T("Gradient noise and batches", "Шум градиента и пакеты"))
