"""Jobs beside the app: shared, told, stopped, superseded, fair, and ended with those who asked."""

import os
import time

import pytest

import optviz as ov
from optviz.jobs import BROKEN, DONE, PLACES, REFUSED, RUNNING, STOPPED, Jobs


@pytest.fixture
def one():
    jobs = Jobs(1)
    yield jobs
    jobs.end()


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.02)


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
    begun = time.monotonic()
    until(lambda: job.worker is not None and job.worker.process is not None)
    process = job.worker.process
    one.stop("b", "p")
    until(lambda: process.poll() is not None)
    assert job.state == STOPPED and time.monotonic() - begun < 10
    one.again("a", "p")
    assert not long(one, "a").ended


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


def test_who_has_left_waits_for_nothing():
    there = {"a", "b"}
    jobs = Jobs(1, there.__contains__)
    try:
        job, other = long(jobs, "a"), long(jobs, "b", seed=1)
        until(lambda: job.state == RUNNING)
        there.clear()
        until(lambda: job.state == STOPPED and other.state == STOPPED)
        assert not jobs.wanted and not jobs.served
    finally:
        jobs.end()


def test_what_is_refused_or_breaks_is_one_sentence_and_the_next_job_runs(one):
    refused = one.ask("a", "p", ov.train, "xor", lr=-1.0)
    until(lambda: refused.ended)
    assert refused.state == REFUSED and "lr=-1" in refused.why.en and refused.why.ru
    dead = one.ask("a", "p", os._exit, 1)
    until(lambda: dead.ended)
    assert dead.state == REFUSED and "too much work" in dead.why.en and dead.why.ru
    broken = one.ask("a", "p", divmod, 1, 0)
    until(lambda: broken.ended)
    assert broken.why == BROKEN
    dead = one.ask("a", "p", os._exit, 1)
    until(lambda: dead.ended)
    assert one.ask("a", "p", os._exit, 1) is dead, "it is not tried again by itself"
    fine = one.ask("a", "p", ov.train, "xor", layers=(2,), n=20, epochs=1)
    until(lambda: fine.ended)
    assert fine.state == DONE
