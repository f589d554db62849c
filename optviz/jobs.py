"""Jobs: whatever takes longer than a moment, in processes beside the app. Two who ask the same share one job, what nobody waits for any
more is ended at once, and the next is always that of whoever was served longest ago.

`jobs().ask(owner, place, function, *arguments, **named)` gives a Job, whose state, share and result change as time goes on; another one that
the same owner asks for at the same place takes its place. The function is a plain one of this package, with a keyword `progress`.
"""

from __future__ import annotations

import logging
import os
import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any

from .core import Refused, T
from .workers import Worker

LIMIT = 600.0  # seconds of work on one job
KEPT, BYTES = 64, 2**28  # results that are remembered, and their size together
PLACES = 6  # jobs that one owner may wait for at a time
LOOK = 0.25  # seconds between two looks at who is still there
WAITING, RUNNING, DONE, REFUSED, STOPPED = "waiting", "running", "done", "refused", "stopped"
ENDED = (DONE, REFUSED, STOPPED)
BROKEN = T("Something went wrong in this calculation, and has been logged; change a setting and try again.",
           "В этом расчёте что-то сломалось, ошибка записана в журнал; измените настройки и повторите.")
HALTED = T("Stopped; change a setting or start again.", "Остановлено; измените настройки или запустите снова.")


class Job:
    """A piece of work: how far it is, and what came of it."""

    def __init__(self, key: bytes):
        self.key, self.state = key, WAITING
        self.owners: set[str] = set()
        self.share, self.part, self.parts = 0.0, None, 0  # how much is done, what there is so far, and how often that has come
        self.result: Any = None
        self.why: T | None = None
        self.begun = self.asked = time.monotonic()
        self.seconds = 0.0
        self.size = 0
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

    def heard(self, told: tuple[float, Any]) -> None:
        """How far the work is."""
        self.share = min(max(told[0], self.share), 1.0)
        if told[1] is not None:
            self.part, self.parts = told[1], self.parts + 1


class Jobs:
    """The jobs of a server, and the processes that do them."""

    def __init__(self, count: int, alive: Callable[[str], bool] = lambda owner: True):
        self.alive = alive
        self.count = count
        self.changed = threading.Condition()
        self.known: OrderedDict[bytes, Job] = OrderedDict()  # the least lately wanted first
        self.wanted: dict[tuple[str, str], Job] = {}  # by owner and place
        self.served: dict[str, float] = {}
        self.running: set[Job] = set()
        self.threads: list[threading.Thread] = []

    def ask(self, owner: str, place: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Job:
        """The job of a question: begun, waiting, or long answered."""
        key = pickle.dumps((function, arguments, named, True))
        with self.changed:
            self._begin()
            before = self.wanted.get((owner, place))
            if before is not None and before.key == key:
                return before
            if before is not None:
                self._drop(owner, place)
            if sum(1 for who, _ in self.wanted if who == owner) >= PLACES:
                raise Refused(T(f"{PLACES} calculations are waiting already; stop one of them first",
                                f"уже ждут расчёты, их {PLACES}; сначала остановите один из них"))
            job = self.known.get(key)
            if job is None or job.state in (STOPPED, REFUSED):
                job = self.known[key] = Job(key)
            self.known.move_to_end(key)
            job.owners.add(owner)
            self.wanted[owner, place] = job
            self._forget()
            self.changed.notify_all()
            return job

    def stop(self, owner: str, place: str) -> None:
        """The owner wants no more of it; who else waits for it still gets it."""
        with self.changed:
            job = self.wanted.get((owner, place))
            if job is not None and not job.ended:
                self._drop(owner, place)
                halted = self.wanted[owner, place] = Job(job.key)  # asked again, it says that it was stopped
                halted.state, halted.why = STOPPED, HALTED

    def again(self, owner: str, place: str) -> None:
        """What was stopped or refused may be asked for anew."""
        with self.changed:
            self._drop(owner, place)

    def only(self, owner: str, places: set[str]) -> None:
        """The owner waits for nothing at other places any more."""
        with self.changed:
            for place in [place for who, place in self.wanted if who == owner and place not in places]:
                self._drop(owner, place)

    def end(self) -> None:
        """End all processes and forget all."""
        with self.changed:
            for job in list(self.known.values()):
                self._kill(job)
            self.known.clear()
            self.wanted.clear()
            self.count = 0
            self.changed.notify_all()

    # --- with the lock held -----------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Threads that hand jobs to processes, and one that looks who is still there."""
        if not self.threads:
            self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.count)]
            self.threads.append(threading.Thread(target=self._watch, daemon=True))
            for thread in self.threads:
                thread.start()

    def _drop(self, owner: str, place: str) -> None:
        job = self.wanted.pop((owner, place), None)
        if job is None or any(who == owner and other is job for (who, _), other in self.wanted.items()):
            return
        job.owners.discard(owner)
        if not job.owners and not job.ended:
            self._kill(job)

    def _kill(self, job: Job) -> None:
        """Nobody waits for it."""
        if not job.ended:
            job.state, job.why = STOPPED, HALTED
            self.known.pop(job.key, None)
            if job.worker is not None:
                job.worker.kill()

    def _forget(self) -> None:
        """The oldest results, where there are too many or too large ones."""
        idle = [key for key, job in self.known.items() if job.ended and not job.owners]
        while idle and (len(self.known) > KEPT or sum(job.size for job in self.known.values()) > BYTES):
            del self.known[idle.pop(0)]

    def _next(self) -> Job | None:
        """Of the jobs that wait, that of the owner who was served longest ago; nobody's own take more than half of the processes."""
        most = max(1, self.count // 2)
        full = {who for job in self.running for who in job.owners if sum(who in other.owners for other in self.running) >= most}
        waiting = [job for job in self.known.values() if job.state == WAITING and not job.owners <= full]
        return min(waiting, key=lambda job: (min((self.served.get(who, 0.0) for who in job.owners), default=0.0), job.asked), default=None)

    # --- threads ----------------------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """One job after another, in a process of its own."""
        worker = Worker()
        while True:
            with self.changed:
                while (job := self._next()) is None and self.count:
                    self.changed.wait()
                if job is None:
                    worker.end()
                    return
                job.state, job.worker, job.begun = RUNNING, worker, time.monotonic()
                self.running.add(job)
                for owner in job.owners:
                    self.served[owner] = job.begun
            self._work(job, worker)

    def _work(self, job: Job, worker: Worker) -> None:
        try:
            result = worker.call(job.key, LIMIT, job.heard)
            job.size = len(pickle.dumps(result))
        except Refused as refusal:  # ended from outside, or for its time or memory
            result = refusal
        except Exception as failure:  # no process could be begun, say: the next job tries again
            logging.getLogger("optviz").exception("a job failed")
            result = failure
        with self.changed:
            self.running.discard(job)
            job.worker, job.seconds = None, time.monotonic() - job.begun
            if job.state == STOPPED:
                return
            if isinstance(result, Refused):
                job.state, job.why = REFUSED, result.text
            elif isinstance(result, BaseException):
                job.state, job.why = REFUSED, BROKEN
            else:
                job.state, job.share, job.result = DONE, 1.0, result
                self._forget()

    def _watch(self) -> None:
        """Who has left waits for nothing."""
        while self.count:
            time.sleep(LOOK)
            with self.changed:
                for job in self.running:
                    if job.state == STOPPED and job.worker is not None:
                        job.worker.kill()  # its process had not begun when it was stopped
                gone = {owner for owner, _ in self.wanted if not self.alive(owner)}
                for owner, place in [who for who in self.wanted if who[0] in gone]:
                    self._drop(owner, place)
                self.served = {owner: at for owner, at in self.served.items() if owner not in gone}


@cache
def jobs() -> Jobs:
    """Those of this server: two at least, so that a long one of somebody does not keep a short one of another waiting."""
    return Jobs(min(4, max(2, (os.cpu_count() or 2) - 1)))
