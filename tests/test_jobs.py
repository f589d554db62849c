"""Jobs beside the app: shared, told, stopped, superseded, fair, and ended with those who asked."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import running
from playwright.sync_api import expect
from processes import children, stat, until
from streamlit.testing.v1 import AppTest

import optviz as ov
from optviz.atlas import chapters
from optviz.batches.presets import presets
from optviz.inside import openings
from optviz.jobs import BRIEF, BROKEN, DONE, HALTED, PLACES, REFUSED, RUNNING, STOPPED, WAITING, Jobs, by_value
from optviz.landscape_presets import outlooks
from optviz.pace_presets import plans
from optviz.pace_sheets import question
from optviz.quest import found, quest_of
from optviz.regular.findings import findings
from optviz.study import Study
from optviz.sweep import Sweep
from optviz.sweep_presets import views
from optviz.trial import opened
from optviz.ui.jobs import ours
from optviz.vista import Vista
from optviz.workers import spent

#: What lessons open, and what of it is asked of the jobs; by labs.
LESSONS = {"sweeps": ([quest_of(view) for view in views.values()], lambda quest: quest.sweep),
           "maps": ([chapter.atlas for chapter in chapters.values()], lambda atlas: atlas.basins()),
           "landscape": ([Vista(outlook.slice) for outlook in outlooks.values()], lambda vista: vista.slice),
           "regularization": ([opened(finding) for finding in findings.values()], lambda trial: (trial.study.training, trial.own)),
           "layers": ([opening.look for opening in openings.values()], lambda look: look),
           "schedules": ([plan.pace for plan in plans.values()], question),
           "batches": ([preset.spec for preset in presets.values()], lambda sampling: sampling)}


@pytest.fixture
def one():
    jobs = Jobs(1)
    yield jobs
    jobs.end()


def sleeping(jobs, owner, place, seconds=600.0):
    """A job that ends by nothing but being ended."""
    return jobs.ask(owner, place, time.sleep, seconds)


def process(job):
    """That of a job, once it is there."""
    until(lambda: job.worker is not None and job.worker.process is not None)
    return job.worker.process


def long(one, owner="a", place="p", layers=(64, 64), epochs=10_000, seed=0):
    return one.ask(owner, place, ov.train, "spiral", layers=layers, epochs=epochs, n=400, batch=1, seed=seed)


def test_a_job_tells_how_far_it_is_and_what_came_of_it(one):
    job = one.ask("a", "p", ov.train, "xor", layers=(4,), n=40, epochs=30, seed=3)
    assert one.ask("a", "p", ov.train, "xor", layers=(4,), n=40, epochs=30, seed=3) is job, "the same question"
    until(lambda: job.ended)
    assert job.state == DONE and job.share == 1 and job.size > 1000
    assert job.result.weights == pytest.approx(ov.train("xor", layers=(4,), n=40, epochs=30, seed=3).weights)
    assert one.ask("b", "q", ov.train, "xor", layers=(4,), n=40, epochs=30, seed=3) is job, "answered before, for whoever asks"
    running = long(one)
    until(lambda: running.share > 0)
    assert running.state == RUNNING and running.share < 1


def test_two_share_a_job_and_it_lives_while_one_of_them_waits(one):
    job = long(one, "a")
    assert long(one, "b") is job and job.owners == {"a", "b"}
    one.stop("a", "p")
    assert not job.ended and long(one, "a").state == STOPPED, "who stopped it sees that"
    worked = process(job)
    one.stop("b", "p")
    assert job.state == STOPPED
    until(lambda: not one.running)
    assert worked.poll() is None, "it is there for the next"
    one.again("a", "p")
    assert not long(one, "a").ended


def test_who_asks_twice_and_stops_one_still_waits_for_the_other(one):
    job = sleeping(one, "a", "p")
    assert sleeping(one, "a", "q") is job
    one.stop("a", "p")
    assert not job.ended and job.owners == {"a"}
    one.stop("a", "q")
    assert job.state == STOPPED


@pytest.mark.parametrize("lab", LESSONS)
def test_a_lesson_and_the_link_to_it_are_one_question(lab):
    specs, asked = LESSONS[lab]
    for spec in specs:
        ours, theirs = asked(spec), asked(type(spec).from_query(spec.to_query(), []))
        assert theirs == ours and by_value(theirs) == by_value(ours), spec.to_query()


def test_a_lesson_and_the_link_to_it_share_a_job(one):
    quest = quest_of(views["adam"])
    again = type(quest).from_query(quest.to_query(), [])
    job = one.ask("a", "p", found, quest.sweep)
    assert one.ask("b", "p", found, again.sweep) is job and one.ask("a", "p", found, again.sweep) is job and not job.ended


def test_what_is_stopped_before_its_process_is_there_is_given_up_when_it_is(one, monkeypatch):
    real, go, made = subprocess.Popen, threading.Event(), []

    def slowly(*arguments, **named):
        go.wait(30)
        made.append(real(*arguments, **named))
        return made[0]
    monkeypatch.setattr(subprocess, "Popen", slowly)
    job = sleeping(one, "a", "p")
    until(lambda: job.state == RUNNING)
    one.stop("a", "p")
    go.set()
    until(lambda: made and not one.running)
    assert made[0].poll() is None


def test_stopped_it_keeps_what_there_is_so_far(one):
    spec = Sweep(Study("circle", layers=(8,), n=200, epochs=400), ("lr", (1e-3, 1.0, 40, "log")), ("l2", (1e-5, 0.1, 40, "log")))
    job = one.ask("a", "p", found, spec)
    until(lambda: job.parts > 0)
    one.stop("a", "p")
    halted = one.ask("a", "p", found, spec)
    assert halted.state == STOPPED and halted.part.ready.any() and halted.share > 0 and halted.size >= halted.part.ready.nbytes


def test_another_question_at_the_same_place_supersedes_the_first(one):
    first = long(one)
    until(lambda: first.state == RUNNING)
    second = one.ask("a", "p", ov.train, "xor", layers=(2,), n=20, epochs=2)
    assert first.state == STOPPED
    until(lambda: second.ended)
    assert second.state == DONE


def test_who_was_served_longest_ago_is_next_and_nobody_fills_the_queue(one):
    running = long(one, "a", "0")
    until(lambda: running.state == RUNNING)
    others = [one.ask("a", str(k), ov.train, "xor", layers=(2,), n=20, epochs=1, seed=k) for k in range(1, PLACES)]
    with pytest.raises(ov.Refused, match="waiting already"):
        one.ask("a", "more", abs, -1)
    late = one.ask("b", "p", ov.train, "xor", layers=(2,), n=20, epochs=1, seed=99)
    one.stop("a", "0")
    until(lambda: late.ended and all(job.ended for job in others))
    assert late.begun < min(job.begun for job in others)


def test_nobodys_own_take_more_than_half_of_the_processes():
    jobs = Jobs(2)
    try:
        first, second = sleeping(jobs, "a", "0"), sleeping(jobs, "a", "1", 601.0)
        other = sleeping(jobs, "b", "p", 602.0)
        assert (first.state, second.state, other.state) == (RUNNING, WAITING, RUNNING)
    finally:
        jobs.end()


def test_when_a_shared_job_ends_all_who_waited_for_it_are_served(monkeypatch):
    monkeypatch.setattr("optviz.jobs.LOOK", 60.0)  # at once, not when somebody looks
    jobs = Jobs(4)
    try:
        shared = [sleeping(jobs, who, "0") for who in "xy"], [sleeping(jobs, who, "1", 601.0) for who in "xy"]
        own = [sleeping(jobs, who, "2", 602.0 + k) for k, who in enumerate("xy")]
        assert shared[0][0].state == shared[1][0].state == RUNNING and [job.state for job in own] == [WAITING] * 2
        process(shared[0][0]).kill()
        until(lambda: [job.state for job in own] == [RUNNING] * 2)
    finally:
        jobs.end()


def test_who_lets_a_shared_job_go_has_room_for_the_next():
    jobs = Jobs(2)
    try:
        sleeping(jobs, "x", "0"), sleeping(jobs, "y", "0")
        own = sleeping(jobs, "x", "1", 601.0)
        assert own.state == WAITING
        jobs.stop("x", "0")
        assert own.state == RUNNING
    finally:
        jobs.end()


def test_a_brief_one_stands_behind_no_long_one(one):
    running, waiting = sleeping(one, "a", "0"), sleeping(one, "b", "0", 601.0)
    assert (running.state, waiting.state) == (RUNNING, WAITING)
    assert one.call("c", abs, -3) == 3
    with pytest.raises(ov.Refused, match="lr=-1"):
        one.call("c", ov.train, "xor", lr=-1.0)
    with pytest.raises(ov.Refused) as broken:
        one.call("c", divmod, 1, 0)
    assert broken.value.text == BROKEN
    assert waiting.state == WAITING and not [job for job in one.wanted.values() if job.brief], "nothing of it stays"


def test_brief_ones_are_served_in_turn_too(one):
    one.call("b", abs, -1)

    def wait(who, seconds):
        with suppress(ov.Refused):
            one.call(who, time.sleep, seconds)
    waiting = {who: threading.Thread(target=wait, args=(who, 600.0 * (who == "a"))) for who in "abc"}
    for who, thread in waiting.items():
        thread.start()
        until(lambda who=who: (who, BRIEF) in one.wanted)
    b, c = (one.wanted[who, BRIEF] for who in "bc")
    one.again("a", BRIEF)
    for thread in waiting.values():
        thread.join(10)
    assert c.state == b.state == DONE and c.begun < b.begun, "who was not served yet is first"


def test_who_leaves_ends_what_he_waits_for():
    there, said = {"a"}, []
    jobs = Jobs(1, alive=there.__contains__)

    def wait():
        with pytest.raises(ov.Refused) as refusal:
            jobs.call("a", time.sleep, 600.0)
        said.append(refusal.value.text)
    waiting = threading.Thread(target=wait)
    try:
        waiting.start()
        until(lambda: jobs.running)
        worked = process(next(iter(jobs.running)))
        there.clear()
        waiting.join(10)
        assert said == [HALTED]
        until(lambda: not jobs.running)
        there.add("b")
        assert jobs.call("b", os.getpid) == worked.pid, "it gave the work up, and is there for the next"
    finally:
        jobs.end()


def test_a_process_that_cannot_give_up_its_work_is_ended(one):
    one.call("a", abs, -1)
    job = one.ask("a", "p", sum, range(10**12))  # deaf: in the midst of one operation
    worked = process(job)
    had = spent(worked)
    until(lambda: spent(worked) > had + 0.5)
    one.stop("a", "p")
    assert worked.wait(60) == -signal.SIGKILL
    assert one.call("a", abs, -1) == 1


def test_what_is_kept_is_bounded(one, monkeypatch):
    monkeypatch.setattr("optviz.jobs.KEPT", 3)
    for k in range(6):
        job = one.ask("a", "p", bytes, k)
        until(lambda job=job: job.ended)
    assert [job.result for job in one.known.values()] == [bytes(k) for k in (2, 3, 4, 5)], "three, and that of the page"
    monkeypatch.setattr("optviz.jobs.BYTES", 2**20)
    for who in "bcdef":
        job = one.ask(who, "p", bytes, 400_000 + ord(who))
        until(lambda job=job: job.ended)
    with one.changed:
        held = {*one.known.values(), *one.wanted.values()}
        assert sum(job.size for job in held) <= 2**20 and len([job for job in held if job.size > 400_000]) == 2
    assert one.ask("f", "p", bytes, 400_000 + ord("f")) is job, "the latest is there"
    again = one.ask("b", "p", bytes, 400_000 + ord("b"))
    until(lambda: again.ended)
    assert again.state == DONE and len(again.result) == 400_000 + ord("b"), "who comes back gets it again"


def test_what_is_done_keeps_no_part_of_the_way(one):
    spec = Sweep(Study("circle", layers=(8,), n=100, epochs=60), ("lr", (1e-3, 1.0, 30, "log")), ("l2", (1e-5, 0.1, 30, "log")))
    job = one.ask("a", "p", found, spec)
    until(lambda: job.parts and job.ended)
    assert job.state == DONE and job.part is None and job.task == b""


def test_who_has_left_waits_for_nothing():
    there = {"a", "b", "c"}
    jobs = Jobs(1, alive=there.__contains__)
    try:
        jobs.call("c", abs, -1)
        assert "c" in jobs.served
        job, other = long(jobs, "a"), long(jobs, "b", seed=1)
        until(lambda: job.state == RUNNING)
        there.clear()
        until(lambda: job.state == STOPPED and other.state == STOPPED)
        assert not jobs.wanted
        until(lambda: not jobs.served)  # nor is one remembered who waited for nothing
    finally:
        jobs.end()


def test_what_is_refused_or_breaks_is_one_sentence_and_the_next_job_runs(one):
    refused = one.ask("a", "p", ov.train, "xor", lr=-1.0)
    until(lambda: refused.ended)
    assert refused.state == REFUSED and "lr=-1" in refused.why.en and refused.why.ru
    dead = one.ask("a", "p", os._exit, 1)
    until(lambda: dead.ended)
    assert dead.state == REFUSED and "ended before its time" in dead.why.en and dead.why.ru
    broken = one.ask("a", "p", divmod, 1, 0)
    until(lambda: broken.ended)
    assert broken.why == BROKEN
    dead = one.ask("a", "p", os._exit, 1)
    until(lambda: dead.ended)
    assert one.ask("a", "p", os._exit, 1) is dead, "it is not tried again by itself"
    fine = one.ask("a", "p", ov.train, "xor", layers=(2,), n=20, epochs=1)
    until(lambda: fine.ended)
    assert fine.state == DONE


# --- on a page ----------------------------------------------------------------------------------------------------------------------------


def partial():
    """A page of one long job."""
    import streamlit as st

    from optviz.core import T
    from optviz.quest import found
    from optviz.study import Study
    from optviz.sweep import Sweep
    from optviz.ui import jobs, text

    text.begin()
    jobs.begin()
    spec = Sweep(Study("circle", layers=(8,), n=200, epochs=400), ("lr", (1e-3, 1.0, 40, "log")), ("l2", (1e-5, 0.1, 40, "log")))
    st.session_state.got = jobs.work("map", T("A map", "Карта"), found, spec) if st.checkbox("on", True) else "nothing"
    jobs.rest()


def test_the_picture_so_far_stays_when_it_is_stopped_and_what_is_asked_for_no_more_ends():
    at = AppTest.from_function(partial, default_timeout=60).run()
    until(lambda: at.run().session_state.got is not None)
    at.button(key="job-stop-map").click().run()
    assert "Stopped" in at.warning[0].value and at.session_state.got.ready.any()
    assert at.run().session_state.got.ready.any(), "and in the page's next runs"
    at.button(key="job-again-map").click().run()
    assert not at.warning and at.button(key="job-stop-map")
    until(lambda: any(job.state == RUNNING for job in ours().running))
    (job,) = (job for job in ours().running if job.state == RUNNING)  # the stopped one may still be leaving its process
    at.checkbox[0].uncheck().run()
    until(lambda: not ours().running)
    assert at.session_state.got == "nothing" and job.state == STOPPED


def begun(process):
    """The processes that one has begun for jobs, and those that they have."""
    for pid in children(process):
        if b"optviz.workers" in Path(f"/proc/{pid}/cmdline").read_bytes():
            yield pid
            yield from begun(pid)


def busy(server):
    """Whether they work: how much of a processor's time they have taken grows in one of three moments."""
    def taken():
        while True:
            with suppress(OSError):  # one has ended meanwhile
                return {pid: stat(pid)[11] for pid in begun(server)}
    for _ in range(3):
        before = taken()
        time.sleep(0.3)
        if before != taken():
            return True
    return False


def test_a_page_that_is_left_stopped_or_closed_ends_its_work(browser):
    with running(sys.executable, "-m", "optviz", "app", "--port", "0") as (server, address):
        page = browser.new_page(locale="en-GB")
        heavy = f"{address}/maps?surface=himmelblau&optimizer=sgd:lr=0.01&optimizer=momentum:lr=0.01&side=1024&steps=900&backend=numpy"
        page.goto(heavy)
        stop = page.get_by_role("button", name="Stop", exact=True)

        expect(stop).to_be_visible()
        until(lambda: busy(server.pid))
        page.goto(address)
        until(lambda: not busy(server.pid))
        page.goto(heavy)
        expect(stop).to_be_visible()
        until(lambda: busy(server.pid))
        stop.click()
        expect(page.get_by_text("Stopped; change a setting or start again.")).to_be_visible()
        until(lambda: not busy(server.pid))
        page.get_by_role("button", name="Again").click()
        expect(stop).to_be_visible()
        until(lambda: busy(server.pid))
        page.close()
        until(lambda: not busy(server.pid))
