"""Heavy: arrays over many cells, computed block by block wherever there is room: here, in processes beside, on a GPU, on a cluster.

A field says what its cells are, and computes some of them at a time; `compute` spreads the blocks, tells what is there so far, halves a
block that does not fit into memory, asks anew for one whose process died, and keeps what came of it on disk.
"""

from __future__ import annotations

import gc
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from .backend import Numpy, chosen
from .cluster import PATIENCE, Cluster, Unreachable, connected
from .core import Param, Range, Refused, T, rounded
from .store import load, save
from .workers import Arrivals, Lost, Pool, TooLarge

SCHEDULER = "OPTVIZ_SCHEDULER"
PROCESSES = Param(None, 1, 64, allowed=Range(1, 1024), whole=True, one=True, optional=True)
AGAIN = 2  # times that a block may be lost with its process
AHEAD = 2  # blocks that wait for each process
TOGETHER = 2e7  # member-steps below which no process is worth its start
TOLD, SPARED = 0.3, 20  # seconds between two pictures of what is there so far, and how many times as long as making one took
LONGEST = 1800.0  # seconds that one block may take in a process of its own
BEGUN = 60.0  # seconds in which a process has begun, if it can at all
BLOCKS, FEW = 16, 4  # of a whole, at least, so that there is something to see on the way; on a GPU, which wants much at a time
BUSY = 1e6  # multiplications of a core in the time that torch takes to tell a GPU an update of networks
WAKING = 5.0  # seconds until torch is loaded and a GPU awake
BROKEN = T("the workers died again and again; make the map smaller", "рабочие процессы гибнут раз за разом; уменьшите карту")
ALONE = T("no other process can be started here, so this one computed it all", "другие процессы здесь не запускаются, поэтому всё посчитал этот")
GONE = T("the accelerator went away in the middle; the rest was computed by NumPy", "ускоритель пропал посреди расчёта; остальное досчитал NumPy")


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
        """Whether torch makes kernels of it; else it goes there operation by operation."""

    @property
    def wide(self) -> bool:
        """Whether, operation by operation, a GPU is faster all the same: they are large, and the whole is long."""

    @property
    def definitions(self) -> Sequence[Any]:
        """What it runs that it names by a key."""

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
    there is work for them. With `scheduler`, the address of a Dask cluster's, the blocks go there, and each worker chooses its own machine; as
    OPTVIZ_SCHEDULER in the environment it is for all that is worth it, and then what it cannot do is done here.
    """
    processes = PROCESSES.check("processes", processes)
    foreign = [d.key for d in field.definitions if not own(d)]
    keep, spec = keep and not foreign, f"{backend} {device} {dtype} {field.spec()}"
    if keep and (kept := load(spec)) is not None and _complete(field, kept[0]):
        return Map(kept[0], replace(Where(**kept[1]), kept=True))
    begun, notes, found = time.perf_counter(), list[T](), None
    how, work = (backend, device, dtype or ("float64" if field.exact else None)), field.work if field.fused else 0.0
    if foreign:
        names, processes, scheduler = ", ".join(foreign), 1, None
        notes.append(T(f"{names}: defined outside optviz, where other processes do not look and it may change; computed in this one, and not kept",
                       f"{names}: определено вне optviz, другим процессам неизвестно и может измениться; посчитано в этом процессе и не сохранено"))
    elif address := scheduler or (field.work >= TOGETHER and os.environ.get(SCHEDULER)):
        try:
            with connected(address, again=bool(scheduler)) as pool:
                found = _spread(field, Numpy(), (*how, work, field.fused), pool, pool.count, progress)
        except Unreachable as refusal:
            if scheduler:
                raise
            notes.append(refusal.text)
    if found is None:
        machine, missing = chosen(*how, field.work if field.wide else work, field.fused)
        notes += [T(*missing)] if missing else []
        with machine.threads(processes or cores()), executor(field, machine, processes) as (pool, count, alone):
            found = _spread(field, machine, (*machine.said.split(), 0.0), pool, count, progress)
        notes += [alone] if alone else []
        notes += [T(*machine.note)] if machine.note else []
    name, on, kind = found.said.split()
    where = Where(name, on, kind, found.processes, time.perf_counter() - begun, field.work)
    if keep and not found.note:
        save(spec, found.arrays, asdict(where))  # without the notes: they are about this moment
    notes += [found.note] if found.note else []
    return Map(found.arrays, noted(where, notes))


def noted(where: Where, notes: Sequence[T]) -> Where:
    """The same with more to say."""
    each = [*([where.note] if where.note else []), *((n.en, n.ru) for n in notes)]
    return replace(where, note=("; ".join(en for en, _ in each), "; ".join(ru for _, ru in each)) if each else None)


def own(definition: Any) -> bool:
    """Whether a key stands for one definition in every process and for every digest of the sources: that of a function of this package."""
    functions = [value for value in vars(definition).values() if callable(value)]
    ours = all(f"{getattr(f, '__module__', '')}.".startswith(f"{__package__}.") for f in functions)
    return ours and any(getattr(f, "__name__", "") == definition.key for f in functions)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pays(products: float, seconds: float, alone: float = 0.0) -> bool:
    """Whether a GPU that is told operation by operation beats this computer's cores: where an operation's worth of them is many multiplications,
    and the whole takes one core more seconds than can be shared, than loading torch, and than what this process does alone."""
    return products >= BUSY * cores() and seconds / cores() > WAKING + alone


def finished(spec: Any, given: Mapping[str, Any]) -> None:
    """Refuse what is given besides a finished spec: it has all of it already."""
    if names := ", ".join(name for name, value in given.items() if value is not None):
        kind = type(spec).__name__
        raise Refused(T(f"a {kind} is complete, and {names} would change it; give {names} to a new {kind}",
                        f"{kind} — уже полное задание, а {names} его бы изменили; передайте {names} новому {kind}"))


def _complete(field: Field, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether a file holds what the field has."""
    return {name: (a.dtype.str[1:], a.shape) for name, a in arrays.items()} == {
        name: (np.dtype(kind).str[1:], tuple(field.shape)) for name, kind in field.arrays.items()}


class Answer(NamedTuple):
    """Some cells, and the machine that computed them; or why it could not: for its "memory", or because it is "gone"."""

    said: str
    arrays: dict[str, np.ndarray]
    failed: str | None = None


def piece(field: Field, low: int, high: int, asked: tuple[Any, ...]) -> Answer:
    """Some cells, in whichever process, by the machine that is chosen there."""
    machine, _ = chosen(*asked)
    try:
        return Answer(machine.said, dict(field.piece(low, high, machine)))
    except Exception as failure:
        if (what := machine.failed(failure)) is None:
            raise
    gc.collect()  # what it held in cycles is in the way of the next
    return Answer(machine.said, {}, what)


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
def executor(field: Field, machine: Numpy, processes: int | None) -> Iterator[tuple[Executor, int, T | None]]:
    """Where blocks go on this computer, how many at a time, and why no more of them."""
    count = processes or cores()
    if machine.xp is not np or count == 1 or (processes is None and field.work < TOGETHER):
        yield Here(), 1, None
        return
    with Pool(count, LONGEST) as pool:
        begun, until = Arrivals(pool.submit(os.getpid) for _ in range(count)), time.monotonic() + BEGUN
        if any((first := begun.next(until - time.monotonic())) is not None and first.exception() is None for _ in range(count)):
            yield pool, count, None
        else:
            yield Here(), 1, ALONE


class Spread(NamedTuple):
    """A whole: its arrays, the machine that computed most of it, of how many at a time, and what was not as expected."""

    arrays: dict[str, np.ndarray]
    said: str
    processes: int
    note: T | None


def _spread(field: Field, machine: Numpy, asked: tuple[Any, ...], pool: Executor, count: int, progress: Callable[..., Any] | None) -> Spread:
    """Every block, wherever it is computed, in its place."""
    cells = int(np.prod(field.shape))
    least = (FEW if machine.accelerated else BLOCKS) if progress else 1
    rounds = max(-(-cells // (field.size(machine) * count)), -(-least // count))  # in each, all have as much to do
    size = max(1, -(-cells // (rounds * count)))
    todo = deque(_parts(_Block(0, cells), size))
    arrays = {name: np.zeros(cells, kind) for name, kind in field.arrays.items()}
    ready, tell, note, said = np.zeros(cells, bool), time.perf_counter() + TOLD, None, Counter[str]()
    going, arrivals = dict[Future[Any], _Block](), Arrivals()
    try:
        while todo or going:
            while todo and len(going) < AHEAD * count:
                block = todo.popleft()
                going[future := pool.submit(piece, field, block.low, block.high, asked)] = block
                arrivals.expect(future)
                if isinstance(pool, Here):
                    break
            if (arrived := arrivals.next(PATIENCE)) is None:
                if isinstance(pool, Cluster):
                    pool.watch()
                continue
            block = going.pop(arrived)
            try:
                answer = arrived.result()
            except Lost:
                if block.lost >= AGAIN:
                    raise Refused(BROKEN) from None
                todo.appendleft(block._replace(lost=block.lost + 1))
                continue
            except TooLarge:  # its arrays for the way back
                todo.extendleft(reversed(_halved(block)))
                continue
            if answer.failed == "memory":
                todo.extendleft(reversed(_halved(block)))
            elif answer.failed == "gone":
                asked, note = (*Numpy.said.split(), 0.0), GONE
                todo = deque(part for left in (block, *todo) for part in _parts(left, field.size(Numpy())))
            else:
                for name, a in answer.arrays.items():
                    arrays[name][block.low:block.high] = a
                ready[block.low:block.high] = True
                said[answer.said] += block.high - block.low
            if progress:
                now, part = time.perf_counter(), None
                if now > tell and todo:
                    part = Part({n: a.reshape(field.shape).copy() for n, a in arrays.items()}, ready.reshape(field.shape).copy())
                progress(int(ready.sum()), cells, part)
                if part:
                    tell = (after := time.perf_counter()) + max(TOLD, SPARED * (after - now))
    finally:
        for future in going:
            future.cancel()
    return Spread({name: a.reshape(field.shape) for name, a in arrays.items()}, said.most_common(1)[0][0], count, note)


def _parts(block: _Block, size: int) -> list[_Block]:
    """A block in some of at most that size."""
    return [block._replace(low=low, high=min(low + size, block.high)) for low in range(block.low, block.high, size)]


def _halved(block: _Block) -> list[_Block]:
    """What does not fit into memory, in two."""
    if block.high - block.low < 2:
        raise Refused(T("not even one cell fits into the memory that is free; lower the steps or close other programs",
                        "в свободную память не помещается и одна ячейка; уменьшите число шагов или закройте другие программы"))
    return _parts(block, -(-(block.high - block.low) // 2))
