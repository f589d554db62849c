"""The Descent lab: several optimizers on one surface from one start."""

import streamlit as st

from optviz.outcome import solve
from optviz.presets import opening
from optviz.render.exhibit import exhibit
from optviz.scene import race_scene
from optviz.ui import race as panels
from optviz.ui.controls import Desk, lab_text
from optviz.ui.export import exports
from optviz.ui.fair import fair_panel
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.stage import stage

desk = Desk("descent", opening)
race, text = desk.spec, lab_text(__file__, "descent")
outcome = solve(race)


def show() -> None:
    """The stage, which tells what a visitor does on it."""
    stage(race_scene(outcome), key="descent-stage", on_event=lambda event: desk.edit(lambda r: panels.after(r, event)), take=take())


if embedded():
    show()
else:
    notes("descent")
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        show()
        panels.results(outcome)
        with st.expander(text.heading):
            st.markdown(text.points)
    with right, st.container(key="lab-controls", gap="xsmall"):
        panels.preset_panel(desk)
        panels.surface_panel(desk)
        panels.view_panel(desk)
        panels.entrants_panel(desk, outcome)
        fair_panel(desk, outcome)
        panels.noise_panel(desk)
        panels.crowd_panel(desk)
address("descent", race.to_query())
exports(lambda: exhibit(race))
