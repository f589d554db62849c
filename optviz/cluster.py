"""A Dask cluster that is there already, as an executor like any other; the extra `cluster` brings the library."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from .core import Refused, T, shown

PATIENCE = 10  # seconds to find the scheduler, and its first worker


class Unreachable(Refused):
    """A cluster that cannot be used."""


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor on the cluster of that address, and how many blocks it computes at a time; its scheduler recomputes what a lost worker had."""
    try:
        from distributed import Client
    except ImportError:
        raise Unreachable(T("a cluster needs Dask; install optviz[cluster]", "для кластера нужен Dask; установите optviz[cluster]")) from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError):
        raise Unreachable(T(f"no Dask scheduler answers at {shown(address)}; start one (dask scheduler) or leave it out",
                        f"по адресу {shown(address)} планировщик Dask не отвечает; запустите его (dask scheduler) или не указывайте")) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise Unreachable(T(f"the Dask cluster at {shown(address)} has no workers; start one (dask worker {address})",
                            f"у кластера Dask по адресу {shown(address)} нет рабочих процессов; запустите их (dask worker {address})")) from None
        yield client.get_executor(pure=False), sum(client.nthreads().values())
