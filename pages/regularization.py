"""The regularization lab: many networks beside each other, and what every regularizer does to one."""

import streamlit as st

from optviz.trial import GRID, opening
from optviz.ui import study as panels
from optviz.ui import trial as own
from optviz.ui.controls import Desk, lab_text
from optviz.ui.frame import address, embedded, notes, take

desk = Desk("regularization", opening)
trial, text = desk.spec, lab_text(__file__, "regularization")
own.gone()


@st.fragment
def show() -> None:
    """The wall, which asks for more passes while it plays; what is done on it that the rest of the page must know of, runs the page."""
    if desk.spec != trial or own.GO in st.session_state:
        st.rerun()
    own.grid_stage(desk, take())


def stage() -> None:
    """The grid, or what an experiment found."""
    if trial.about == GRID:
        show()
        own.grid_band(trial)
    else:
        own.experiment(trial, take())


if embedded():
    stage()
else:
    notes("regularization")
    left, right = st.columns([2, 1], gap="medium")  # the controls first: an experiment takes its time
    with right, st.container(key="lab-controls", gap="xsmall"):
        own.trial_panel(desk)
        if trial.about == GRID:
            own.axes_panel(desk)
        own.numbers_panel(desk)
        network = own.study_desk(desk)
        panels.data_panel(network)
        panels.network_panel(network)
        panels.training_panel(network)
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        stage()
        with st.expander(text.heading):
            st.markdown(text.points)
address("regularization", trial.to_query())
own.take_home(desk)
