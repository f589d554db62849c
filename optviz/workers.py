"""Heavy work beside the app: processes that take one job after another, so that nobody's sliders wait.

A worker runs functions of this package and tells, if asked to, how far it is. It holds nothing of a job after it: what has to go on, goes in and
comes back with each. Who is next in which of them, jobs.py decides; a pool of them is an executor for the blocks of a heavy run, and what it has
begun stays a while for the next.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import contextvars
import inspect
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from types import FrameType
from typing import Any

from .core import Refused, T

LIMIT = 30.0  # seconds; a job that takes longer is ended
MEMORY = 2**32  # bytes that a worker may ask for
HEAD = struct.Struct("<Q")
ORDER = struct.Struct("<QQ")  # the number of a job and its length; a length of 0: that one is to be given up
#: Seconds of a processor's time in which a process gives up what it is at; of its own, because killing one that pages leave little of it only
#: begins another, which has to do without as well, and longer.
GRACE = 1.0
TRIES, MOMENT = 50, 0.01  # how often a process finds itself where it cannot give up before it ends, and seconds between
PATIENCE = 10.0  # seconds that a pool which ends waits for those who are at work
IDLE = 30.0  # seconds that a pool's processes are kept for the next one
LARGEST = 2**27  # bytes of an answer
TOO_LARGE = T("this needs too much memory; make it smaller", "для этого нужно слишком много памяти; уменьшите задачу")
GIVEN_UP = T("nobody waited for this any more", "этого больше никто не ждал")
#: A worker stands back from its first moment on: pages come before it, and a new one imports for half a second. Linux shares out its cores
#: among sessions first, so that a process of low priority in a session of its own has as much as any: its session, too, has to stand back.
BEGIN = f"""
import os, threading, time
try:
    os.nice(10)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
except (AttributeError, OSError):
    pass  # what there is of it on this system
def lower():
    for _ in range(600):
        try:
            with open("/proc/self/autogroup") as session:
                if session.read().endswith(" nice 19\\n"):
                    return  # it is that of another worker
            with open("/proc/self/autogroup", "w") as session:
                session.write("19")
        except BlockingIOError:
            time.sleep(0.1)  # one has just done so, which the system takes from all together ten times a second
        except OSError:
            return
threading.Thread(target=lower, daemon=True).start()
from {__name__} import work
work()
"""
INSIDE = "OPTVIZ_INSIDE"  # what a worker's environment has: those that it begins itself end with it
HARMLESS = (__package__, "numpy", "random")  # modules whose functions may be left in their midst
OFTEN = 0.1  # seconds between two words of progress
#: One thread for whichever library multiplies NumPy's matrices: where several processes have more threads than there are cores, each waits for all.
THREADS = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")} | {"VECLIB_MAXIMUM_THREADS": "1"}


class TooLarge(Refused):
    """What did not fit into a worker's memory."""

    def __reduce__(self) -> tuple[Any, ...]:
        return TooLarge, (self.text,)  # who sees that it is this one, halves the job


class Lost(Refused):
    """What ended with its process, but not for its time."""


class Halt(BaseException):
    """Raised in the midst of a job that nobody waits for any more; no `except Exception` may catch it."""


class Worker:
    """One process, begun when it is first needed; it ends with the server, even one that is killed, because then nobody writes to it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.size = 0  # bytes of the last answer
        self.number = 0  # of the job that it is at
        self.halted = 0, 0.0  # which one was last asked to give up, and what its process had spent by then
        self.writing = threading.Lock()

    def call(self, job: bytes, limit: float, hear: Callable[[Any], None] | None = None) -> Any:
        """The result of a pickled job; `hear` is told what it says on the way."""
        if self.process is None or self.process.poll() is not None:
            self.end()
            self.process = subprocess.Popen([sys.executable, "-P", "-c", BEGIN],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **THREADS, INSIDE: "1"},
                                            start_new_session=INSIDE not in os.environ)
        out, back = self.process.stdin, self.process.stdout
        assert out is not None and back is not None
        begun, late = time.monotonic(), threading.Timer(limit, self.kill)
        late.start()
        try:
            with self.writing:
                self.number += 1
                out.write(ORDER.pack(self.number, len(job)) + job)
                out.flush()
            while True:
                answer = receive(back)
                self.size = len(answer)
                ended, value = pickle.loads(answer)
                if ended:
                    return value
                if hear:
                    hear(value)
        except (EOFError, BrokenPipeError, ConnectionError, ValueError):  # by its limit, from outside, or by us
            self.end()
            if time.monotonic() - begun >= limit:
                raise Refused(T(f"this takes longer than {limit:g} s; make it smaller",
                                f"это считается дольше {limit:g} с; уменьшите задачу")) from None
            raise Lost(T("the process that worked on this has ended before its time; start again, and smaller where memory may be short",
                         "процесс, который это считал, прервался; запустите снова, а если мало памяти — уменьшите задачу")) from None
        except BaseException:  # an answer that nobody has read would be taken for that of the next job
            self.end()
            raise
        finally:
            late.cancel()

    def halt(self) -> None:
        """Ask it to give up what it is at, from another thread: a process that stays is warm for the next job. Asked again when it has had
        time to, it is ended."""
        process, number = self.process, self.number
        if process is None or process.stdin is None:
            return
        if self.halted[0] == number:
            if spent(process) > self.halted[1] + GRACE:
                self.kill()
        elif self.writing.acquire(blocking=False):
            with contextlib.suppress(OSError, ValueError):
                process.stdin.write(ORDER.pack(number, 0))
                process.stdin.flush()
            self.halted = number, spent(process)
            self.writing.release()

    def kill(self) -> None:
        """End what it is at, from another thread: the one that waits for it tidies up."""
        if (process := self.process) is not None:
            killed(process)

    def end(self) -> None:
        """No more of it."""
        process, self.process = self.process, None
        if process is not None:
            killed(process)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            process.wait()


def spent(process: subprocess.Popen[bytes]) -> float:
    """Seconds of a processor's time that a process has had; where nobody tells, all seconds."""
    try:
        return time.clock_gettime(~process.pid << 3 | 2)  # Linux's clock of another process
    except (AttributeError, OSError):
        return time.monotonic()


def killed(process: subprocess.Popen[bytes]) -> None:
    """End a process, and those that it began itself."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg") and INSIDE not in os.environ and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


class Workers:
    """Some workers; who finds all at work waits in turn."""

    def __init__(self, count: int):
        self.free: queue.Queue[Worker | None] = queue.Queue()  # None, when it is over
        self.all = stock.take(count)
        for worker in self.all:
            self.free.put(worker)

    def call(self, function: Callable[..., Any], /, *arguments: Any, limit: float = LIMIT, **named: Any) -> Any:
        """function(*arguments, **named) elsewhere; what it refuses is refused here."""
        job = pickle.dumps((function, arguments, named, False))
        worker = self.free.get()
        try:
            if worker is None:
                raise Lost(GIVEN_UP)
            result = worker.call(job, limit)
        finally:
            self.free.put(worker)
        if isinstance(result, BaseException):
            raise result
        return result

    def end(self) -> None:
        """Have what is under way given up, and keep the processes for the next who wants some; one that is deaf ends."""
        at_work, until, pause = set(self.all), time.monotonic() + PATIENCE, 0.0
        try:
            while at_work and time.monotonic() < until:
                try:
                    at_work.discard(self.free.get(timeout=pause))
                except queue.Empty:
                    pause = OFTEN
                    for worker in at_work:
                        worker.halt()  # again: it may just be taking a job
        finally:
            self.free.put(None)
            stock.give([worker for worker in self.all if worker not in at_work and worker.process is not None])
            self.all = []
            for worker in at_work:
                worker.end()


class Stock:
    """Workers that nobody has just now: a process that has begun saves the next map half a second. After a while without one they end."""

    def __init__(self) -> None:
        self.begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.begin)  # what there is answers the parent
        atexit.register(self.end)

    def begin(self) -> None:
        """Nobody is here yet."""
        self.idle: list[Worker] = []
        self.lock, self.until = threading.Lock(), threading.Timer(IDLE, self.end)

    def take(self, count: int) -> list[Worker]:
        """So many, begun or not."""
        with self.lock:
            taken, self.idle = self.idle[:count], self.idle[count:]
        return taken + [Worker() for _ in range(count - len(taken))]

    def give(self, workers: list[Worker]) -> None:
        """Keep them for a while."""
        with self.lock:
            self.until.cancel()
            self.idle += workers
            self.until = threading.Timer(IDLE, self.end)
            self.until.daemon = True
            self.until.start()

    def end(self) -> None:
        """End them all."""
        for worker in self.take(len(self.idle)):
            worker.end()


stock = Stock()


class Arrivals:
    """Futures as they are done: waiting for them here, unlike in concurrent.futures, can be given up at any moment and leaves nothing half done."""

    def __init__(self, futures: Iterable[Future[Any]] = ()) -> None:
        self.done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        for future in futures:
            self.expect(future)

    def expect(self, future: Future[Any]) -> None:
        """It will be among them."""
        future.add_done_callback(self.done.put)

    def next(self, seconds: float) -> Future[Any] | None:
        """The next one, if it comes so soon."""
        try:
            return self.done.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None


class Pool(Executor):
    """Some workers as an executor like any other: begun when they are needed, and its own until it is shut down."""

    def __init__(self, count: int, limit: float = LIMIT):
        self.workers, self.threads, self.limit = Workers(count), ThreadPoolExecutor(count), limit

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """A function of this package, and what it is called with."""
        return self.threads.submit(self.workers.call, function, *arguments, limit=self.limit, **named)

    def each(self, function: Callable[[Any], Any], given: Iterable[Any]) -> Iterator[Any]:
        """function(one) of all that is given, in that order."""
        futures = [self.submit(function, one) for one in given]
        arrivals = Arrivals(futures)
        for future in futures:
            while not future.done():
                arrivals.next(self.limit)
            yield future.result()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Give up what is still under way."""
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.workers.end()


def send(out: Any, data: bytes) -> None:
    """A message with its length."""
    out.write(HEAD.pack(len(data)) + data)
    out.flush()


def receive(back: Any) -> bytes:
    """The next message."""
    return exactly(back, HEAD.unpack(exactly(back, HEAD.size))[0])


def exactly(back: Any, count: int) -> bytes:
    """So many bytes."""
    data = back.read(count)
    if len(data) < count:
        raise EOFError
    return data


def work() -> None:
    """Answer one job after another."""
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):  # what there is of it on this system
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))  # what is written to: a GPU's driver reserves far more addresses than it uses
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints to the log
    turn = Turn()
    for number, job in turn.jobs():
        function, arguments, named, telling = pickle.loads(job)
        try:
            turn.begin(number)
            if telling and tells(function):
                named["progress"] = Telling(out, turn)
            answer = contextvars.copy_context().run(answered, function, arguments, named)  # NumPy's ways with errors end with the job
            turn.end()
        except Halt:
            answer = pickle.dumps((True, Refused(GIVEN_UP)))
        send(out, answer)


def answered(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> bytes:
    """The message with what came of a job."""
    try:
        answer = pickle.dumps((True, function(*arguments, **named)))
        if len(answer) > LARGEST:
            raise TooLarge(TOO_LARGE)
    except Refused as refusal:
        return pickle.dumps((True, refusal))
    except MemoryError:
        return pickle.dumps((True, TooLarge(TOO_LARGE)))
    except Exception as failure:
        traceback.print_exc()
        return pickle.dumps((True, failure))
    return answer


def bearable(frame: FrameType) -> bool:
    """Whether to be given up here leaves nothing half done: in our own functions or NumPy's, which ask the system for chance. In an import, in a
    thread that is just beginning, in torch's compiler it would."""
    modules = []
    for at, _ in traceback.walk_stack(frame):
        modules.append(at.f_globals.get("__name__", __package__).partition(".")[0])  # a compiled formula has none
        if at.f_code is work.__code__:
            break
    return modules[0] in HARMLESS and {*modules} <= {*HARMLESS, "contextlib"}


class Turn:
    """Which job a worker is at: its orders come in beside it, so that one that is not wanted any more can be given up in its midst."""

    def __init__(self) -> None:
        self.job = self.halted = self.tries = 0
        self.open = False  # whether it can be given up just now
        signal.signal(signal.SIGINT, self._interrupt)

    def jobs(self) -> Iterator[tuple[int, bytes]]:
        """One after another; when nobody is there to ask any more, the process ends."""
        orders: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._hear, args=(orders, threading.get_ident()), daemon=True).start()
        while True:
            yield orders.get()

    def begin(self, number: int) -> None:
        """From here on it can be given up."""
        self.job, self.tries = number, 0
        self.resume()

    def pause(self) -> None:
        """For a while it cannot."""
        self.open = False

    def resume(self) -> None:
        """It can again."""
        self.open = True
        self._interrupt()

    def end(self) -> None:
        """It is done."""
        self.open, self.job = False, 0

    def _hear(self, orders: queue.SimpleQueue[tuple[int, bytes]], worker: int) -> None:
        try:
            while True:
                number, length = ORDER.unpack(exactly(sys.stdin.buffer, ORDER.size))
                if length:
                    orders.put((number, exactly(sys.stdin.buffer, length)))
                    continue
                if number != self.halted:
                    self.halted = number
                    threading.Thread(target=self._insist, args=(number, worker), daemon=True).start()
        finally:
            os._exit(0)  # whatever it is at: nobody would hear of it

    def _insist(self, number: int, worker: int) -> None:
        """Until it is where it can be given up, or it seems that it never will be."""
        while self.job == number:
            if self.tries >= TRIES:
                os._exit(0)  # who knows what it would leave half done
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(worker, signal.SIGINT)  # also out of a sleep
            else:
                _thread.interrupt_main()
            time.sleep(MOMENT)

    def _interrupt(self, _: int = 0, frame: FrameType | None = None) -> None:
        if self.open and self.job and self.job == self.halted:
            if bearable(frame or sys._getframe()):
                self.open, self.job = False, 0
                raise Halt
            self.tries += 1


def tells(function: Callable[..., Any]) -> bool:
    """Whether a function can tell how far it is."""
    try:
        return "progress" in inspect.signature(function).parameters
    except ValueError:  # some of Python's own do not say what they take
        return False


class Telling:
    """What a function that is asked to tell its progress calls: progress(done, of all), and sometimes what there is so far."""

    def __init__(self, out: Any, turn: Turn):
        self.out, self.turn, self.next = out, turn, 0.0

    def __call__(self, done: float, whole: float = 1.0, part: Any = None) -> None:
        self.turn.pause()  # a message goes out whole
        now = time.monotonic()
        if now >= self.next or part is not None:
            self.next = now + OFTEN
            send(self.out, pickle.dumps((False, (done / whole if whole else 1.0, part))))
        self.turn.resume()  # where it can be given up, even if everything between is foreign code
