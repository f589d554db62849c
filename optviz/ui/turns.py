"""Pages of a room in turn: dozens of threads at once fight for Python's lock and Streamlit's own, and all are slower by half."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore, local

AT_ONCE = 2  # pages: a long one holds up nobody
PATIENCE = 2.0  # seconds, after which a page goes on whoever is before it
_free = Semaphore(AT_ONCE)
_mine = local()


@contextmanager
def turn() -> Iterator[None]:
    """A page's own turn."""
    _take()
    try:
        yield
    finally:
        _give()


@contextmanager
def aside() -> Iterator[None]:
    """While a page waits for what is worked on elsewhere, others go on."""
    had = getattr(_mine, "held", False)
    _give()
    try:
        yield
    finally:
        if had:
            _take()


def _take() -> None:
    _mine.held = _free.acquire(timeout=PATIENCE)


def _give() -> None:
    if getattr(_mine, "held", False):
        _mine.held = False
        _free.release()
