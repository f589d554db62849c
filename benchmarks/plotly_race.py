"""The same race as a Plotly figure with 60 frames: the way it is usually done on a Streamlit page. benchmarks/stage.py measures it."""

from urllib.parse import urlencode

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from optviz.outcome import solve
from optviz.palette import style_of
from optviz.race import Race

FRAMES = 60

st.set_page_config(layout="wide")
lr = st.slider("lr", 0.01, 1.0, 0.1, 0.01)
race = Race.from_query(urlencode([(name, value) for name in st.query_params for value in st.query_params.get_all(name)]), [])
race = race.with_entrant(5, lambda e: e.at(lr=lr))
keys = [e.optimizer for e in race.entrants]
trails = solve(race).trails
(x0, x1), (y0, y1) = race.box
x, y = np.linspace(x0, x1, 100), np.linspace(y0, y1, 100)
figure = make_subplots(rows=2, cols=1, row_heights=[0.8, 0.2])
figure.add_trace(go.Contour(x=x, y=y, z=np.log1p(race.surface.value(*np.meshgrid(x, y))), ncontours=18, showscale=False, colorscale="Blues"), 1, 1)
for key, trail in zip(keys, trails, strict=True):
    figure.add_trace(go.Scatter(x=trail.points[0], y=trail.points[1], mode="lines", name=key, line_color=style_of(key).colour), 1, 1)
for key, trail in zip(keys, trails, strict=True):
    figure.add_trace(go.Scatter(y=trail.loss, mode="lines", showlegend=False, line_color=style_of(key).colour), 2, 1)
figure.frames = [go.Frame(name=str(k), traces=list(range(1, 17)), data=[go.Scatter(x=t.points[0][:k + 1], y=t.points[1][:k + 1]) for t in trails]
                          + [go.Scatter(x=np.arange(k + 1), y=t.loss[:k + 1]) for t in trails])
                 for k in np.linspace(1, 300, FRAMES).astype(int)]
figure.update_yaxes(type="log", row=2, col=1)
figure.update_xaxes(range=[x0, x1], row=1, col=1)
figure.update_yaxes(range=[y0, y1], row=1, col=1)
figure.update_layout(height=640, title=f"lr = {lr}", updatemenus=[{"type": "buttons", "buttons": [
    {"label": "Play", "method": "animate", "args": [None, {"frame": {"duration": 50}}]}]}])
st.plotly_chart(figure, key="race")
