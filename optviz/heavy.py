"""Heavy: arrays over many cells, computed block by block wherever there is room: here, in processes beside, on a GPU, on a cluster.

A field says what its cells are, and computes some of them at a time; `compute` spreads the blocks, tells what is there so far, halves a
block that does not fit into memory, asks anew for one whose process died, and keeps what came of it on disk.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from .backend import Numpy, backend, chosen
from .cluster import Unreachable, connected
from .core import Refused, T, rounded
from .store import load, save
from .workers import Lost, Pool, TooLarge

SCHEDULER = "OPTVIZ_SCHEDULER"
AGAIN = 2  # times that a block may be lost with its process
AHEAD = 2  # blocks that wait for each process
TOGETHER = 2e7  # member-steps below which no process is worth its start
TOLD = 0.3  # seconds between two pictures of what is there so far
LONGEST = 1800.0  # seconds that one block may take in a process of its own
BLOCKS = 16  # of a whole, at least, so that there is something to see on the way
BROKEN = T("the workers died again and again; make the map smaller", "рабочие процессы гибнут раз за разом; уменьшите карту")


class Field(Protocol):
    """What is computed: cells in rows and columns, and some arrays over them."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def arrays(self) -> Mapping[str, str]:
        """The name of each array, and its dtype."""

    @property
    def work(self) -> float:
        """Member-steps of all cells together."""

    @property
    def fused(self) -> bool:
        """Whether torch can do it."""

    @property
    def exact(self) -> bool:
        """Whether single precision would not do."""

    def spec(self) -> str:
        """The whole field in a line: two with the same line have the same arrays."""

    def size(self, machine: Numpy) -> int:
        """How many cells go well together."""

    def piece(self, low: int, high: int, machine: Numpy) -> Mapping[str, np.ndarray]:
        """The arrays of some cells, counted along the rows."""


@dataclass(frozen=True)
class Where:
    """Where a run went, and how fast it was."""

    backend: str
    device: str
    dtype: str
    processes: int
    seconds: float
    work: float  # member-steps
    note: tuple[str, str] | None = None  # what was not as asked, in English and Russian
    kept: bool = False  # whether it was on disk already


def went(where: Sequence[Where], count: int, what: T) -> T:
    """Where so many runs went, and how fast they were; `what` they are called, as many of them are."""
    first, seconds = where[0], max(sum(w.seconds for w in where), 1e-9)
    on = {"numpy": "NumPy", "torch": "torch"}[first.backend]
    machine = f"{on}, {first.device}, {first.dtype}" + (f" × {first.processes}" if first.processes > 1 else "")
    speed = rounded(float(f"{count / seconds:.2g}"))
    kept_en, kept_ru = (" (kept from before)", " (взято готовым)") if all(w.kept for w in where) else ("", "")
    return T(f"{rounded(count)} {what.en}: {machine}, {rounded(seconds)} s, {speed} {what.en} a second{kept_en}.",
             f"{what.ru.capitalize()}: {rounded(count)}. {machine}, {rounded(seconds)} с, {speed} {what.ru} в секунду{kept_ru}.")


class Map(NamedTuple):
    """What came of a field."""

    arrays: dict[str, np.ndarray]
    where: Where


class Part(NamedTuple):
    """What there is of it so far."""

    arrays: dict[str, np.ndarray]
    ready: np.ndarray  # which cells


class _Block(NamedTuple):
    low: int
    high: int
    lost: int = 0


def compute(field: Field, *, backend: str = "auto", device: str = "auto", dtype: str | None = None, processes: int | None = None,
            scheduler: str | None = None, progress: Callable[..., Any] | None = None, keep: bool = True) -> Map:
    """All cells of a field.

    `progress` is told how much is done, of how much, and sometimes what there is so far. `processes` are as many as there are cores, where
    there is work for them. With `scheduler`, the address of a Dask cluster's, the blocks go there; as OPTVIZ_SCHEDULER in the environment it
    is for all, and then what it cannot do is done here.
    """
    spec = f"{backend} {device} {dtype} {field.spec()}"
    if keep and (found := load(spec)) is not None:
        arrays, about = found
        about["note"] = tuple(about["note"]) if about["note"] else None
        if _complete(field, arrays):
            return Map(arrays, replace(Where(**about), kept=True))
    machine, note = chosen(backend, device, dtype or ("float64" if field.exact else None), field.work if field.fused else 0.0)
    begun, everywhere = time.perf_counter(), os.environ.get(SCHEDULER)
    with machine.threads(processes or os.cpu_count() or 1):
        try:
            with executor(field, machine, processes, scheduler or everywhere) as (pool, count):
                arrays, moved = _spread(field, machine, pool, count, progress)
        except Unreachable as refusal:
            if scheduler or not everywhere:
                raise
            note = refusal.text.en, refusal.text.ru
            with executor(field, machine, processes, None) as (pool, count):
                arrays, moved = _spread(field, machine, pool, count, progress)
    name, on, kind = machine.said.split()
    where = Where(name, on, kind, count, time.perf_counter() - begun, field.work, moved or note or machine.note)
    if keep and not moved:
        save(spec, arrays, asdict(where))
    return Map(arrays, where)


def _complete(field: Field, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether a file holds what the field has."""
    return {name: (a.dtype.str[1:], a.shape) for name, a in arrays.items()} == {
        name: (np.dtype(kind).str[1:], tuple(field.shape)) for name, kind in field.arrays.items()}


def piece(field: Field, low: int, high: int, machine: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Some cells, in whichever process."""
    return dict(field.piece(low, high, backend(*machine)))


# --- where blocks are computed -----------------------------------------------------------------------------------------------------------


class Here(Executor):
    """In this process, at once."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Done when it returns."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as failure:
            future.set_exception(failure)
        return future


@contextmanager
def executor(field: Field, machine: Numpy, processes: int | None, scheduler: str | None) -> Iterator[tuple[Executor, int]]:
    """Where blocks go, and how many at a time."""
    if scheduler is not None:
        with connected(scheduler) as found:
            yield found
        return
    count = processes or os.cpu_count() or 1
    if machine.xp is not np or count == 1 or (processes is None and field.work < TOGETHER):
        yield Here(), 1
        return
    with Pool(count, LONGEST) as pool:
        yield pool, count


def _spread(field: Field, machine: Numpy, pool: Executor, count: int, progress: Callable[..., Any] | None) -> tuple[dict[str, np.ndarray], Any]:
    """Every block, wherever it is computed, in its place; and what had to be done differently."""
    cells = int(np.prod(field.shape))
    size = max(1, min(field.size(machine), -(-cells // (BLOCKS if progress else count))))
    todo = deque(_Block(low, min(low + size, cells)) for low in range(0, cells, size))
    arrays = {name: np.zeros(cells, kind) for name, kind in field.arrays.items()}
    ready, told, moved = np.zeros(cells, bool), time.perf_counter(), None
    going: dict[Future[Any], _Block] = {}
    try:
        while todo or going:
            while todo and len(going) < AHEAD * count:
                block = todo.popleft()
                going[pool.submit(piece, field, block.low, block.high, tuple(machine.said.split()))] = block
                if isinstance(pool, Here):
                    break
            for future in wait(going, return_when=FIRST_COMPLETED).done:
                block = going.pop(future)
                try:
                    found = future.result()
                except Lost:
                    if block.lost >= AGAIN:
                        raise Refused(BROKEN) from None
                    todo.appendleft(block._replace(lost=block.lost + 1))
                except Exception as failure:
                    what = "memory" if isinstance(failure, TooLarge) else machine.failed(failure)
                    if what == "memory":
                        todo.extendleft(reversed(_halved(block)))
                    elif what == "gone":
                        machine, moved = Numpy(), GONE
                        todo.appendleft(block)
                    else:
                        raise
                else:
                    for name, a in found.items():
                        arrays[name][block.low:block.high] = a
                    ready[block.low:block.high] = True
            if progress:
                now = time.perf_counter()
                part = None
                if now - told > TOLD and todo:
                    part, told = Part({n: a.reshape(field.shape).copy() for n, a in arrays.items()}, ready.reshape(field.shape).copy()), now
                progress(int(ready.sum()), cells, part)
    finally:
        for future in going:
            future.cancel()
    return {name: a.reshape(field.shape) for name, a in arrays.items()}, moved


GONE = ("the accelerator went away in the middle; the rest was computed by NumPy", "ускоритель пропал посреди расчёта; остальное досчитал NumPy")


def _halved(block: _Block) -> list[_Block]:
    """What does not fit into memory, in two."""
    if block.high - block.low < 2:
        raise Refused(T("not even one cell fits into the memory that is free; lower the steps or close other programs",
                        "в свободную память не помещается и одна ячейка; уменьшите число шагов или закройте другие программы"))
    middle = (block.low + block.high) // 2
    return [block._replace(high=middle), block._replace(low=middle)]
