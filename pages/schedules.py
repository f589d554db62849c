"""The lab of learning rates: one optimizer under several schedules, and how large its rate may be."""

import streamlit as st

from optviz.core import T
from optviz.outcome import solve
from optviz.pace_presets import opening
from optviz.pace_scene import pace_scene
from optviz.render.exhibit import pace_exhibit
from optviz.ui import pace as panels
from optviz.ui import race as race_panels
from optviz.ui.controls import Desk, lab_text
from optviz.ui.export import exports
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.sheet import files
from optviz.ui.stage import stage

desk = Desk("schedules", opening)
pace, text, race_desk = desk.spec, lab_text(__file__, "schedules"), panels.RaceDesk(desk)
outcome = solve(pace.race)


def show() -> None:
    """The stage, which tells what a visitor does on it."""
    stage(pace_scene(outcome), key="schedules-stage", on_event=lambda event: race_desk.edit(lambda r: race_panels.after(r, event)), take=take())


if embedded():
    show()
else:
    notes("schedules")
    left, right = st.columns([2, 1], gap="medium")
    with right, st.container(key="lab-controls", gap="xsmall"):  # the controls first: an answer takes its time
        panels.plan_panel(desk)
        panels.optimizer_panel(desk)
        panels.schedules_panel(desk)
        race_panels.surface_panel(race_desk)
        race_panels.view_panel(race_desk)
        race_panels.noise_panel(race_desk)
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        panels.pictures(desk, show)
        with st.expander(text.heading):
            st.markdown(text.points)
address("schedules", pace.to_query())
if pace["figure"] == "run":
    exports(lambda: pace_exhibit(pace))
else:
    files("schedules", pace.to_query(), f"schedules-{pace['figure']}", T("Learning rate", "Скорость обучения"))
