"""A job on a page: its result where it is there, else how far it is, and a button that stops it; and what takes but a moment, waited for."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ..core import Refused, T, rounded
from ..jobs import DONE, ENDED, RUNNING, Job, Jobs, jobs
from .text import plain, say

SOON = 0.4  # seconds that the page waits by itself
REST = 0.8  # seconds between two runs of a page
SURE, SURE_AFTER = 0.1, 3.0  # a share, or seconds, after which it can be told how long it will take
OFTEN = 0.3  # seconds between two looks at how far it is
OWNER, ASKED = "jobs-owner", "jobs-asked"


@cache
def ours() -> Jobs:
    """The server's jobs; who is no more connected waits for nothing."""
    mine = jobs()
    mine.alive = lambda owner: not exists() or get_instance().is_active_session(owner.partition(" ")[0])
    return mine


def owner() -> str:
    """This visit, as the jobs know it."""
    context = get_script_run_ctx()
    return st.session_state.setdefault(OWNER, f"{context.session_id if context else ''} {secrets.token_hex(4)}")


def begin() -> None:
    """Before a page is run: nothing is asked for yet."""
    st.session_state[ASKED] = set()


def rest() -> None:
    """After a page was run: what it did not ask for, nobody waits for any more."""
    if OWNER in st.session_state:
        ours().only(owner(), st.session_state[ASKED])


def work(place: str, about: T, function: Callable[..., Any], *arguments: Any, soon: float = SOON, **named: Any) -> Any:
    """The result of function(*arguments, **named); while it is not there, and when it was stopped, what there is so far, or None.

    The page runs again when there is more.

    `place` tells one question of a page from another; a new question there ends the old one. So long (`soon`) the page waits by itself.
    """
    st.session_state.setdefault(ASKED, set()).add(place)
    try:
        job = ours().ask(owner(), place, function, *arguments, **named)
    except Refused as refusal:
        st.warning(plain(say(refusal.text)), icon=":material/info:")
        return None
    until = time.monotonic() + soon
    while not job.ended and time.monotonic() < until:
        time.sleep(0.02)
    part, state = job.part, job.state  # in this order: what is done has no part any more
    if state == DONE:
        return job.result
    if state in ENDED:
        _ended(place, job)
    else:
        st.fragment(_watch, run_every=OFTEN)(place, about, job, job.parts, time.monotonic() + REST)
    return part


def brief(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """function(*arguments, **named), which takes but a moment, in turn with what others ask; what it refuses is refused here."""
    return ours().call(owner(), function, *arguments, **named)


def _watch(place: str, about: T, job: Job, seen: int, soonest: float) -> None:
    """How far it is; what is new is shown by the page, but not so soon that a browser has not heard of all that the page's last run said."""
    if (job.ended or job.parts != seen) and time.monotonic() > soonest:
        st.rerun()
    left = job.left if job.share >= SURE or time.monotonic() - job.begun > SURE_AFTER else None
    told = "" if left is None else rounded(max(1, round(left) if left < 20 else 5 * round(left / 5)))
    more = say(T(f", {told} s left", f", ещё {told} с")) if told else ""
    waits = "" if job.state == RUNNING else say(T(", waiting for its turn", ", ждёт очереди"))
    bar, button = st.columns([5, 1], vertical_alignment="bottom")
    bar.progress(job.share, text=f"{say(about)}{more}{waits}")
    button.button(say(T("Stop", "Стоп")), key=f"job-stop-{place}", icon=":material/stop_circle:", type="tertiary", on_click=ours().stop,
                  args=(owner(), place))


def _ended(place: str, job: Job) -> None:
    """Why there is no result, and a way to try again."""
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.warning(plain(say(job.why or T("", ""))), icon=":material/info:")
    button.button(say(T("Again", "Ещё раз")), key=f"job-again-{place}", icon=":material/replay:", type="tertiary", on_click=ours().again,
                  args=(owner(), place))
