"""Jobs: whatever takes longer than a moment, in processes beside the app. Two who ask the same share one job, what nobody waits for any
more is given up at once, and the next is always that of whoever was served longest ago.

`jobs().ask(owner, place, function, *arguments, **named)` gives a Job, whose state, share and result change as time goes on; another one that
the same owner asks for at the same place takes its place. The function is a plain one of this package; one with a keyword `progress` is given
what to tell it with. `jobs().call(owner, function, *arguments, **named)` waits for what takes but a moment (a slice of a training) and gives its
result: processes are kept for such brief ones, so that no long one stands before them.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from .core import Refused, T
from .workers import Worker

LIMIT, BRIEF_LIMIT = 600.0, 30.0  # seconds of work on one job
KEPT = 64  # results that are remembered though no page shows them
BYTES = 2**28  # of all results and of what there is so far
PLACES = 6  # jobs that one owner may wait for at a time
LOOK = 0.25  # seconds between two looks at who is still there
WAITING, RUNNING, DONE, REFUSED, STOPPED = "waiting", "running", "done", "refused", "stopped"
ENDED = (DONE, REFUSED, STOPPED)
BRIEF = "brief"  # the place of what an owner waits for himself
BROKEN = T("Something went wrong in this calculation, and has been logged; change a setting and try again.",
           "В этом расчёте что-то сломалось, ошибка записана в журнал; измените настройки и повторите.")
HALTED = T("Stopped; change a setting or start again.", "Остановлено; измените настройки или запустите снова.")


class Job:
    """A piece of work: how far it is, and what came of it."""

    def __init__(self, key: bytes, task: bytes, brief: bool = False):
        self.key, self.task, self.brief, self.state = key, task, brief, WAITING
        self.owners: set[str] = set()
        self.share, self.part, self.parts = 0.0, None, 0  # how much is done, what there is so far, and how often that has come
        self.result: Any = None
        self.why: T | None = None
        self.begun = self.asked = time.monotonic()
        self.seconds = 0.0
        self.size = 0  # bytes of the result, or of what there is so far
        self.worker: Worker | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ENDED

    @property
    def left(self) -> float | None:
        """About how many seconds it will still take; None while nobody can tell."""
        if self.state != RUNNING or self.share < 0.02:
            return None
        return (time.monotonic() - self.begun) * (1 - self.share) / self.share

    def heard(self, told: tuple[float, Any], size: int) -> None:
        """How far the work is."""
        self.share = min(max(told[0], self.share), 1.0)
        if told[1] is not None:
            self.part, self.parts, self.size = told[1], self.parts + 1, size


class Jobs:
    """The jobs of a server, and the processes that do them: so many for long ones, and so many more for brief ones."""

    def __init__(self, count: int, brief: int = 1, alive: Callable[[str], bool] = lambda owner: True):
        self.alive = alive
        self.most = {False: count, True: brief}  # of each kind at a time
        self.changed = threading.Condition()
        self.known: OrderedDict[bytes, Job] = OrderedDict()  # the least lately wanted first
        self.wanted: dict[tuple[str, str], Job] = {}  # by owner and place
        self.served: dict[str, float] = {}
        self.running: set[Job] = set()
        self.free = [Worker() for _ in range(count + brief)]  # the last one was at work last: its process is there
        self.watching: threading.Thread | None = None
        self.open = True

    def ask(self, owner: str, place: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Job:
        """The job of a question: begun, waiting, or long answered."""
        task = by_value((function, arguments, named, True))
        key = hashlib.sha256(task).digest()
        with self._change():
            job = self.wanted.get((owner, place))
            if job is None or job.key != key:
                self._drop(owner, place)
                if sum(1 for who, other in self.wanted if who == owner and other != BRIEF) >= PLACES:
                    raise Refused(T(f"{PLACES} calculations are waiting already; stop one of them first",
                                    f"уже ждут расчёты, их {PLACES}; сначала остановите один из них"))
                job = self.known.get(key)
                if job is None or job.state in (STOPPED, REFUSED):
                    job = self.known[key] = Job(key, task)
                self._want(owner, place, job)
            if key in self.known:
                self.known.move_to_end(key)
            return job

    def call(self, owner: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """function(*arguments, **named), waited for; what it refuses is refused here."""
        job = Job(b"", pickle.dumps((function, arguments, named, False)), brief=True)
        with self._change():
            self._drop(owner, BRIEF)
            self._want(owner, BRIEF, job)
        with self.changed:
            self.changed.wait_for(lambda: job.ended)
            if self.wanted.get((owner, BRIEF)) is job:
                self._drop(owner, BRIEF)
        if job.state != DONE:
            raise Refused(job.why or BROKEN)
        return job.result

    def stop(self, owner: str, place: str) -> None:
        """The owner wants no more of it, and keeps what there is so far; who else waits for it still gets it."""
        with self._change():
            job = self.wanted.get((owner, place))
            if job is not None and not job.ended:
                self._drop(owner, place)
                halted = Job(job.key, b"")  # asked again, it says that it was stopped
                halted.state, halted.why = STOPPED, HALTED
                halted.share, halted.part, halted.size = job.share, job.part, job.size
                self._want(owner, place, halted)

    def again(self, owner: str, place: str) -> None:
        """What was stopped or refused may be asked for anew."""
        with self._change():
            self._drop(owner, place)

    def only(self, owner: str, places: set[str]) -> None:
        """The owner waits for nothing at other places any more."""
        with self._change():
            for place in [place for who, place in self.wanted if who == owner and place not in places]:
                self._drop(owner, place)

    def end(self) -> None:
        """End all processes and forget all."""
        with self._change():
            self.open = False
            for owner, place in list(self.wanted):
                self._drop(owner, place)
            self.known.clear()
            while self.free:
                self.free.pop().end()

    # --- with the lock held -----------------------------------------------------------------------------------------------------------

    @contextmanager
    def _change(self) -> Iterator[None]:
        """With the lock; afterwards each process that is free has what is next, and what is too much is forgotten."""
        with self.changed:
            try:
                yield
            finally:
                while self.free and (job := self._next()) is not None:
                    self._start(job)
                self._forget()
                self.changed.notify_all()

    def _want(self, owner: str, place: str, job: Job) -> None:
        job.owners.add(owner)
        self.wanted[owner, place] = job
        if self.watching is None:
            self.watching = threading.Thread(target=self._watch, daemon=True)
            self.watching.start()

    def _drop(self, owner: str, place: str) -> None:
        job = self.wanted.pop((owner, place), None)
        if job is None or any(who == owner and other is job for (who, _), other in self.wanted.items()):
            return
        job.owners.discard(owner)
        if not job.owners and not job.ended:  # nobody waits for it
            job.state, job.why = STOPPED, HALTED
            self.known.pop(job.key, None)
            if job.worker is not None:
                job.worker.halt()

    def _next(self) -> Job | None:
        """Of the jobs that wait and may begin, that of the owner who was served longest ago."""
        waiting = [job for job in dict.fromkeys(self.wanted.values()) if job.state == WAITING and self._may(job)]
        return min(waiting, key=lambda job: (min(self.served.get(who, 0.0) for who in job.owners), job.asked), default=None)

    def _may(self, job: Job) -> bool:
        """Whether a process of its kind is free for it: nobody's own take more than half of them."""
        beside = [other for other in self.running if other.brief == job.brief]
        most = self.most[job.brief]
        return len(beside) < most and any(sum(who in other.owners for other in beside) < max(1, most // 2) for who in job.owners)

    def _start(self, job: Job) -> None:
        job.state, job.worker, job.begun = RUNNING, self.free.pop(), time.monotonic()
        self.running.add(job)
        for owner in job.owners:
            self.served[owner] = job.begun
        threading.Thread(target=self._work, args=(job, job.worker), daemon=True).start()

    def _forget(self) -> None:
        """The least lately wanted, where there is too much: first what no page shows. A page whose result went asks for it again."""
        held = dict.fromkeys([*self.known.values(), *self.wanted.values()])
        size, idle = sum(job.size for job in held), sum(not job.owners for job in held)
        for job in sorted((job for job in held if job.ended), key=lambda job: bool(job.owners)):
            if size <= BYTES and (job.owners or idle <= KEPT):
                break
            size, idle = size - job.size, idle - (not job.owners)
            if self.known.get(job.key) is job:
                del self.known[job.key]
            if job.state == DONE:
                self.wanted = {who: other for who, other in self.wanted.items() if other is not job}
            job.part, job.size = None, 0  # that it was stopped or refused, its page still says

    # --- threads ----------------------------------------------------------------------------------------------------------------------

    def _work(self, job: Job, worker: Worker) -> None:
        """One job, in a process of its own."""
        try:
            result = worker.call(job.task, BRIEF_LIMIT if job.brief else LIMIT, lambda told: job.heard(told, worker.size))
        except Refused as refusal:  # ended from outside, or for its time or memory
            result = refusal
        except Exception as failure:  # no process could be begun, say: the next job tries again
            logging.getLogger("optviz").exception("a job failed")
            result = failure
        with self._change():
            self.running.discard(job)
            job.task, job.worker, job.seconds = b"", None, time.monotonic() - job.begun
            if self.open:
                self.free.append(worker)
            else:
                worker.end()
            if job.state == STOPPED:
                return
            if isinstance(result, Refused):
                job.state, job.why = REFUSED, result.text
            elif isinstance(result, BaseException):
                job.state, job.why = REFUSED, BROKEN
            else:
                job.result, job.size, job.share = result, worker.size, 1.0
                job.state, job.part = DONE, None  # in this order: pages look without the lock
                if not job.brief:
                    self.known.move_to_end(job.key)

    def _watch(self) -> None:
        """Who has left waits for nothing."""
        while self.open or self.running:
            time.sleep(LOOK)
            with self._change():
                for job in self.running:
                    if job.state == STOPPED and job.worker is not None:
                        job.worker.halt()  # again: it may not have begun, or not hear
                gone = {owner for owner in [*self.served, *(who for who, _ in self.wanted)] if not self.alive(owner)}
                for owner, place in [who for who in self.wanted if who[0] in gone]:
                    self._drop(owner, place)
                self.served = {owner: at for owner, at in self.served.items() if owner not in gone}


def by_value(asked: Any) -> bytes:
    """A question pickled so that equal ones have equal bytes: an ordinary pickle tells, too, which of its parts are one object."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out)
    pickler.fast = True
    pickler.dump(asked)
    return out.getvalue()


@cache
def jobs() -> Jobs:
    """Those of this server: two long ones at least, so that a long one of somebody does not keep a short one of another waiting; brief ones
    leave a core to the app."""
    cores = os.cpu_count() or 2
    return Jobs(min(4, max(2, cores - 1)), min(4, max(1, cores - 1)))
