"""A Dask cluster that is there already, as an executor like any other; the extra `cluster` brings the library."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from typing import Any

from .core import Refused, T, shown

PATIENCE = 10  # seconds to find the scheduler, and its first worker; and how long nobody is waited for
QUIET = 60.0  # seconds in which a cluster that did not answer is not asked anew unless somebody names it

_silent: dict[str, tuple[float, Unreachable]] = {}  # by address: when it did not answer, and what was said about it


class Unreachable(Refused):
    """A cluster that cannot be used."""


class Cluster(Executor):
    """A cluster under its client; its scheduler recomputes what a lost worker had."""

    def __init__(self, client: Any, address: str):
        self.client, self.address, self.tasks = client, address, client.get_executor(pure=False)
        self.count = sum(client.nthreads().values())  # blocks at a time

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """A function of this package, and what it is called with; what Dask says of its own is told in our words."""
        outcome: Future[Any] = Future()
        outcome.set_running_or_notify_cancel()

        def over(task: Future[Any]) -> None:
            try:
                outcome.set_result(task.result())
            except CancelledError:  # by the client, when it lost the scheduler
                outcome.set_exception(self._gone())
            except Exception as failure:
                outcome.set_exception(self._meant(failure))
        self.tasks.submit(function, *arguments, **named).add_done_callback(over)
        return outcome

    def watch(self) -> None:
        """Refuse to wait where nobody is who could answer."""
        try:
            self.client.wait_for_workers(1, timeout=PATIENCE)
        except (TimeoutError, OSError):
            raise self._gone() from None

    def _meant(self, failure: Exception) -> Exception:
        from distributed import KilledWorker
        if isinstance(failure, KilledWorker):
            return Refused(T("a part of this map ended every worker of the cluster that took it; make the map smaller",
                             "часть этой карты завершила каждый рабочий процесс кластера, который за неё брался; уменьшите карту"))
        return failure

    def _gone(self) -> Unreachable:
        return Unreachable(T(f"the Dask cluster at {shown(self.address)} has lost its scheduler or all its workers; start them anew or leave it out",
                             f"у кластера Dask по адресу {shown(self.address)} пропал планировщик или все рабочие процессы; запустите их заново или "
                             "не указывайте кластер"))


@contextmanager
def connected(address: str, again: bool = True) -> Iterator[Cluster]:
    """The cluster of that address; without `again`, one that did not answer a moment ago is refused at once."""
    since, why = _silent.get(address, (-QUIET, None))
    if why and not again and time.monotonic() - since < QUIET:
        raise why
    try:
        from distributed import Client
    except ImportError:
        raise Unreachable(T("a cluster needs Dask; install optviz[cluster]", "для кластера нужен Dask; установите optviz[cluster]")) from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError):
        raise _unanswered(address, T(f"no Dask scheduler answers at {shown(address)}; start one (dask scheduler) or leave it out",
                                     f"по адресу {shown(address)} планировщик Dask не отвечает; запустите его (dask scheduler) или не указывайте")
                          ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise _unanswered(address, T(f"the Dask cluster at {shown(address)} has no workers; start one (dask worker {address})",
                                         f"у кластера Dask по адресу {shown(address)} нет рабочих процессов; запустите их (dask worker {address})")
                              ) from None
        yield Cluster(client, address)


def _unanswered(address: str, why: T) -> Unreachable:
    """The refusal, remembered for a while."""
    _silent[address] = time.monotonic(), (refusal := Unreachable(why))
    return refusal
