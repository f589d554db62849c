"""The decision-boundary lab: a network in training, and what it takes the plane for."""

import streamlit as st

from optviz.ui import compare, landscape, own
from optviz.ui import study as panels
from optviz.ui.controls import Desk, lab_text
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.trial import gone

gone()
desk = Desk("boundary", own.opening)
study, text = desk.spec, lab_text(__file__, "boundary")


@st.fragment
def show() -> None:
    """The stage, which asks for more passes while it plays; what is done on it that the rest of the page must know of, runs the page."""
    if desk.spec != study:
        st.rerun()
    (compare if compare.together(study) else panels).stage(desk, take())


if embedded():
    show()
else:
    notes("boundary")
    left, right = st.columns([2, 1], gap="medium")
    with left:
        compare.heading(desk, text.title)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        show()
        landscape.link(study)
        with st.expander(text.heading):
            st.markdown(text.points)
    with right, st.container(key="lab-controls", gap="xsmall"):
        panels.lesson_panel(desk)
        panels.data_panel(desk)
        own.panel(desk, panels.under_way(study))
        panels.network_panel(desk)
        panels.training_panel(desk)
        panels.stops_panel(desk)
        panels.checks_panel(desk)
address("boundary", study.to_query(), study.unlinked)
(compare if compare.together(study) else panels).files(desk)
