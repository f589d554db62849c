"""The lab of maps: where thousands of descents end, side by side for several optimizers."""

from functools import partial

import streamlit as st

from optviz.atlas import opening
from optviz.core import T
from optviz.outcome import solve
from optviz.render.code import of_basins
from optviz.ui import atlas as panels
from optviz.ui import race as race_panels
from optviz.ui.controls import Desk, lab_text
from optviz.ui.frame import address, embedded, notes, take
from optviz.ui.sheet import files
from optviz.ui.trial import gone

desk = Desk("maps", opening)
atlas, text = desk.spec, lab_text(__file__, "maps")
gone()

if embedded():
    panels.stage(desk, take())
else:
    notes("maps")
    left, right = st.columns([2, 1], gap="medium")  # the controls first: a map takes its time
    with right, st.container(key="lab-controls", gap="xsmall"):
        panels.chapter_panel(desk)
        panels.map_panel(desk)
        race = panels.race_desk(desk)
        race_panels.surface_panel(race)
        race_panels.view_panel(race)
        race_panels.entrants_panel(race, solve(atlas.race))
        race_panels.noise_panel(race)
    with left:
        st.title(text.title, anchor=False)
        with st.container(key="lab-prose"):
            st.write(text.prose)
        panels.stage(desk, take())
        with st.expander(text.heading):
            st.markdown(text.points)
address("maps", atlas.to_query())
files("maps", atlas.to_query(), "maps", T("Where descents end", "Куда приходят спуски"),
      {"optviz": partial(of_basins, atlas.basins())} if atlas.shown else None)
