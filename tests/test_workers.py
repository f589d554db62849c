"""Jobs in other processes: results, refusals, ends."""

import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from processes import children, gone, until

import optviz as ov
from optviz import workers
from optviz.basin import Basin
from optviz.heavy import compute
from optviz.run import Run
from optviz.workers import LARGEST, MEMORY, Lost, Pool, Stock, TooLarge, Workers, spent


@pytest.fixture
def one():
    only = Workers(1)
    yield only
    only.end()


def test_a_training_goes_on_slice_by_slice_as_in_one_go(one):
    whole = ov.train("xor", layers=(4,), n=40, epochs=9, seed=3)
    trainer = ov.Trainer("xor", layers=(4,), n=40, epochs=9, seed=3)
    for epochs in (2, 3, 9):
        trainer = one.call(ov.Trainer.run, trainer, None, None, epochs)
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
    with pytest.raises(ov.Refused, match="longer than 0.5 s") as late:
        one.call(time.sleep, 60, limit=0.5)
    assert not isinstance(late.value, Lost), "it would take as long again"
    with pytest.raises(Lost, match="has ended before its time"):
        one.call(os._exit, 1)
    with pytest.raises(Lost, match="has ended before its time"):
        one.call(os.kill, one.call(os.getpid), signal.SIGKILL)
    assert one.call(abs, -3) == 3


def given_up(worker, function, *arguments, begun=lambda: True, after=0.1, hear=None):
    """Call, and give it up so many seconds after it has begun; the process's exit status, None where it goes on."""
    number, came = worker.number, []

    def ask():
        try:
            came.append(worker.call(pickle.dumps((function, arguments, {}, hear is not None)), 600.0, hear))
        except ov.Refused as lost:
            came.append(lost)
    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: worker.number > number and begun())
    time.sleep(after)
    process = worker.process
    until(lambda: came or worker.halt())  # again: the first may meet it while it is just being asked
    asking.join()
    assert isinstance(came[0], ov.Refused)
    return process.poll()


def test_what_is_given_up_leaves_a_process_that_works(one):
    worker = one.all[0]
    whole = ov.train("xor", layers=(4,), n=40, epochs=9, seed=3)
    for k in range(20):
        assert given_up(worker, partial(ov.train, "spiral", layers=(64, 64), epochs=10_000, batch=1), after=0.01 * k) is None
    worker.halt()  # what has ended
    np.testing.assert_array_equal(one.call(partial(ov.train, "xor", layers=(4,), n=40, epochs=9, seed=3)).weights, whole.weights)
    pid = one.call(os.getpid)
    assert given_up(worker, time.sleep, 600) is None and one.call(os.getpid) == pid


def test_a_map_that_is_given_up_leaves_all_its_processes_for_the_next(one):
    pid, shared = one.call(os.getpid), partial(compute, processes=2, keep=False, backend="numpy")
    small, large = (Basin(Run("himmelblau", "adam", steps=steps, lr=0.1), (64, 64)) for steps in (50, 500_000))
    one.call(shared, small)
    begun = children(pid)
    for k in range(12):
        assert given_up(one.all[0], shared, large, after=0.01 * k) is None
        assert one.call(os.getpid) == pid and children(pid) == begun and len(begun) == 2
    np.testing.assert_array_equal(one.call(shared, small).arrays["loss"], compute(small, processes=1, keep=False, backend="numpy").arrays["loss"])
    assert children(pid) == begun


class Made:
    """A function of a module that there need not be, made where it is called."""

    def __init__(self, module, source):
        self.module, self.source = module, source

    def __reduce__(self):
        return eval, (self.source, {"__name__": self.module})


@pytest.mark.parametrize(("around", "within", "stays"), [
    ("optviz.any", "numpy.any", True), ("contextlib", "random", True), ("optviz.any", "contextlib", False), ("optviz.any", "foreign", False),
    ("foreign", "optviz.any", False)])
def test_what_is_given_up_where_it_leaves_something_half_done_ends_its_process(one, around, within, stays, tmp_path):
    there = tmp_path / "there"  # on its way there it can be given up
    midst = Made(within, f"lambda: (open({str(there)!r}, 'w').close(), all(True for _ in iter(int, 1)))")
    status = given_up(one.all[0], Made(around, "lambda f: f()"), midst, begun=there.exists)
    assert (status is None) == stays and one.call(abs, -3) == 3


def test_what_is_given_up_in_foreign_code_is_so_when_it_is_back(one):
    pid, trainer = one.call(os.getpid), ov.Trainer("spiral", layers=(64, 64), epochs=10_000, batch=1)
    once = Made("foreign", "(lambda left: lambda *_: left and __import__('time').sleep(left.pop()))([0.3])")
    for _ in range(3):
        assert given_up(one.all[0], ov.Trainer.run, trainer, once) is None and one.call(os.getpid) == pid


@pytest.mark.parametrize("job", ["progress(0.5, 1.0, b'x' * 10**7)", "(wait(), progress(0.5))"])
def test_what_is_given_up_while_it_tells_how_far_it_is_tells_it_whole(one, job):
    pid, wait = one.call(os.getpid), Made("foreign", "lambda: __import__('time').sleep(0.03)")
    for k in range(10):
        telling = Made("optviz.any", f"lambda wait, progress=None: all(({job}, True) for _ in iter(int, 1))")
        assert given_up(one.all[0], telling, wait, after=0.02 * k, hear=lambda part: None) is None
        assert one.call(os.getpid) == pid


def test_what_is_given_up_in_foreign_code_ends_its_process(one):
    pid = one.call(os.getpid)
    before = {*children(pid)}  # of a map that it may have made for another test
    status = given_up(one.all[0], subprocess.run, ["sleep", "600"], begun=lambda: {*children(pid)} - before)
    assert status is not None, "who knows what it left half done"
    assert one.call(abs, -3) == 3


def test_what_a_worker_began_itself_ends_with_it(one):
    begun = one.call(os.spawnlp, os.P_NOWAIT, "sleep", "sleep", "300")
    assert Path(f"/proc/{begun}").exists()
    one.all[0].end()
    until(lambda: gone(begun))


def test_what_asks_for_too_much_memory_is_refused_there(one):
    assert one.call(resource.getrlimit, resource.RLIMIT_DATA) == (MEMORY, MEMORY)
    with pytest.raises(TooLarge):
        one.call(bytearray, 2 * MEMORY)


def test_too_large_an_answer_is_refused_there(one):
    pid = one.call(os.getpid)
    with pytest.raises(TooLarge, match="make it smaller"):
        one.call(bytes, LARGEST)
    assert one.call(os.getpid) == pid and one.all[0].size < 100


def test_who_asks_together_is_served_in_turn(one):
    seen = []
    asked = [threading.Thread(target=lambda i=i: seen.append(one.call(abs, -i))) for i in range(8)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join(30)
    assert sorted(seen) == list(range(8))


@pytest.mark.parametrize("job", ["None", "workers.call(time.sleep, 600)", "workers.call(eval, '__import__(\"threading\").Event().wait()')"],
                         ids=["idle", "asleep", "in the midst of foreign code"])
def test_a_worker_ends_when_its_server_does(job):
    code = f"""if True:
        from optviz.workers import Workers; import os, threading, time
        workers = Workers(1)
        print(workers.call(os.getpid), flush=True)
        threading.Thread(target=lambda: {job}, daemon=True).start()
        time.sleep(0.3)
        os._exit(0)
    """
    pid = int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout)
    until(lambda: not os.path.exists(f"/proc/{pid}"))


@pytest.fixture
def shelf(monkeypatch):
    """A stock of its own."""
    shelf = Stock()
    monkeypatch.setattr(workers, "stock", shelf)
    yield shelf
    shelf.end()


def of(pool, count):
    """The processes of a pool."""
    return {future.result() for future in [pool.submit(os.getpid) for _ in range(count)]}


def test_what_a_pool_has_begun_is_kept_for_the_next_and_not_for_ever(shelf, monkeypatch):
    monkeypatch.setattr(workers, "IDLE", 0.5)
    with Pool(2) as pool:
        begun = of(pool, 4)
    assert os.getpid() not in begun and len(begun) == 2
    with Pool(1) as one, Pool(2) as other:
        assert of(one, 1) | of(other, 4) > begun, "two are there, and one is new"
    assert len(shelf.idle) == 3
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in begun))
    assert not shelf.idle


@pytest.mark.parametrize(("job", "kept"), [((time.sleep, 600), True), ((sum, range(10**12)), False)], ids=["hears", "deaf"])
def test_what_is_at_work_when_its_pool_ends_gives_up_or_ends(shelf, job, kept):
    with Pool(1) as pool:
        (pid,) = of(pool, 1)
        had = spent(pool.workers.all[0].process)
        late, never = pool.submit(*job), pool.submit(os.getpid)
        until(lambda: late.running() and (kept or spent(pool.workers.all[0].process) > had + 0.1))
    assert never.cancelled() and len(shelf.idle) == kept
    with pytest.raises(ov.Refused):
        late.result(10)
    pool.shutdown()
    with Pool(1) as pool:
        assert (of(pool, 1) == {pid}) == kept
    until(lambda: kept or not os.path.exists(f"/proc/{pid}"))


def test_a_process_that_is_forked_leaves_its_parent_s_workers_alone():
    code = """if True:
        from optviz.workers import Pool, stock; import os
        with Pool(1) as pool:
            print(pool.submit(os.getpid).result(), len(stock.idle), flush=True)
        if not os.fork():
            print(len(stock.idle), flush=True)
            os._exit(0)
        os.wait()
        with Pool(1) as pool:
            print(pool.submit(os.getpid).result(), len(stock.idle), flush=True)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, child, again = done.stdout.splitlines()
    assert first == again and child == "0"


def test_an_answer_that_nobody_could_read_is_not_taken_for_the_next_one_s(shelf):
    def deaf_ear(told):
        raise MemoryError
    with Pool(1) as pool:
        (worker,) = pool.workers.all
        with pytest.raises(MemoryError):
            worker.call(pickle.dumps((ov.train, ("xor",), {"layers": (4,), "n": 40, "epochs": 300}, True)), 60.0, deaf_ear)
        assert pool.submit(abs, -3).result() == 3
    with Pool(1) as pool:
        assert pool.submit(abs, -4).result() == 4


def test_what_a_job_sets_of_numpy_s_errors_ends_with_it(one):
    assert one.call(np.geterr) == one.call(np.seterr, all="raise") == one.call(np.geterr)


def test_a_pool_s_results_come_in_order(shelf):
    with Pool(2) as pool:
        assert list(pool.each(abs, range(0, -20, -1))) == list(range(20))
        with pytest.raises(TypeError):
            list(pool.each(abs, [1, "a"]))
