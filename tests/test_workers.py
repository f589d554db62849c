"""Jobs in other processes: results, refusals, ends."""

import os
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest

import optviz as ov
from optviz.workers import Workers


@pytest.fixture
def one():
    workers = Workers(1)
    yield workers
    workers.end()


def test_a_training_goes_on_slice_by_slice_as_in_one_go(one):
    whole = ov.train("xor", layers=(4,), n=40, epochs=9, seed=3)
    trainer = ov.Trainer("xor", layers=(4,), n=40, epochs=9, seed=3)
    for until in (2, 3, 9):
        trainer = one.call(ov.Trainer.run, trainer, None, None, until)
    np.testing.assert_array_equal(trainer.theta, whole.weights)


def test_what_is_refused_there_is_refused_here_and_the_worker_stays(one):
    pid = one.call(os.getpid)
    with pytest.raises(ov.Refused, match="lr=-1") as refusal:
        one.call(partial(ov.Training, "xor", lr=-1))
    assert "недопустимое" in refusal.value.text.ru
    with pytest.raises(ZeroDivisionError):
        one.call(divmod, 1, 0)
    assert one.call(os.getpid) == pid != os.getpid()


def test_what_takes_too_long_or_dies_is_ended_and_the_next_job_runs(one):
    begun = time.monotonic()
    with pytest.raises(ov.Refused, match="too much work"):
        one.call(time.sleep, 60, limit=0.5)
    assert time.monotonic() - begun < 10
    with pytest.raises(ov.Refused, match="too much work"):
        one.call(os._exit, 1)
    assert one.call(abs, -3) == 3


def test_who_asks_together_is_served_in_turn(one):
    seen = []
    asked = [threading.Thread(target=lambda i=i: seen.append(one.call(abs, -i))) for i in range(8)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join(30)
    assert sorted(seen) == list(range(8))


def test_a_worker_ends_when_its_server_does():
    code = "from optviz.workers import workers; import os; print(workers().call(os.getpid), flush=True); os._exit(0)"
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    end = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")
