"""The frame: language and navigation."""

import streamlit as st

from optviz.core import T
from optviz.ui.text import language_switch, say

st.set_page_config(page_title="optviz", layout="wide")
page = st.navigation([st.Page("pages/registries.py", title=say(T("What there is", "Что есть")), default=True)], position="hidden")
language_switch()
page.run()
