"""NumPy or torch behind one small face; the only file that imports torch, and only when asked."""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from .core import Refused, T, out_of_range
from .expr import ARRAYS
from .surfaces import Surface

WORTH_A_LOOK = 2e7  # member-steps for which torch is loaded, to see whether there is a GPU …
WORTH_COMPILING = 2e9  # … and for which a kernel for the processor is made: that takes as long as NumPy takes for about as many
DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/nvmap", "/dev/kfd", "/dev/dxg")  # of which Linux has one where torch may find a GPU

NO_ROOM = re.compile("allocate memory|out of memory|ALLOC_FAILED")
LOST = re.compile("CUDA error|CUDA driver|CUDA GPUs|NVIDIA driver|Triton Error|MPS backend")  # of the card; a mistake in a kernel says other things
EAGER = ("torch could make no kernel here and went operation by operation, which is slow; install a compiler (C++, on a GPU C) or use NumPy",
         "torch не смог собрать ядро и считал по одной операции, а это медленно; установите компилятор (C++, для GPU — C) или выберите NumPy")


class Numpy:
    """float64 arrays on this machine."""

    xp: Any = np
    said = "numpy cpu float64"  # backend, device and dtype in a line
    note: tuple[str, str] | None = None  # what is not as one would expect, in English and Russian

    @property
    def accelerated(self) -> bool:
        """Whether it is no processor, but wants as many numbers at a time as there are."""
        return False

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        """So many cores for one computation, where the machine itself can use several."""
        yield

    def failed(self, failure: Exception) -> str | None:
        """Whether it failed for its "memory", or because the machine is "gone"."""
        return "memory" if isinstance(failure, MemoryError) else None

    def room(self) -> int | None:
        """How many bytes one computation may take; None where nobody can tell."""
        return None

    def array(self, a: Any) -> Any:
        return np.asarray(a, float)

    def count(self, t: int) -> Any:
        return t

    def numpy(self, a: Any) -> np.ndarray:
        return np.asarray(a, float)

    def suspicious(self, *arrays: Any) -> bool:
        """True when something may be nan or infinite: one cheap number an array, so huge values may raise it too."""
        return not math.isfinite(sum(np.add.reduce(a, axis=None) for a in arrays))

    def flags(self, a: Any) -> np.ndarray:
        """A mask of this machine as a NumPy one."""
        return np.asarray(a, bool)

    def mask(self, a: np.ndarray) -> Any:
        """A NumPy mask on this machine."""
        return a

    def functions(self, surface: Surface) -> Mapping[str, Callable]:
        return surface.arrays

    def calls(self, surface: Surface) -> tuple[Callable, Callable, Callable]:
        """slope(x), height(x), curvature(x) of an array (2, *batch)."""
        made = self.functions(surface)
        height, slope, curvature, stack = made["height"], made["slope"], made["curvature"], self.xp.stack

        def hessian(x: Any) -> Any:
            xx, xy, yy = curvature(x[0], x[1])
            return stack((stack((xx, xy)), stack((xy, yy))))
        return lambda x: stack(slope(x[0], x[1])), lambda x: height(x[0], x[1]), hessian


class Torch(Numpy):
    """Tensors of one device and dtype."""

    def __init__(self, device: Any, dtype: Any):
        self.xp = torch = imported()
        try:
            self.dtype, self.device = {"float32": torch.float32, "float64": torch.float64}[_name(dtype)], torch.device(device)
            torch.zeros(1, dtype=self.dtype, device=self.device)
        except (KeyError, TypeError, RuntimeError, AssertionError):  # an unknown word, or a device that is not there
            raise Refused(T(f"torch has no device={device!r} with dtype={dtype!r} here; use device='cpu', dtype='float64'",
                            f"здесь в torch нет device={device!r} с dtype={dtype!r}; укажите device='cpu', dtype='float64'")) from None
        self.said = f"torch {self.device} {_name(dtype)}"
        self.names = {**{n: getattr(torch, n) for n in "sqrt exp log sin cos tan sinh cosh tanh abs floor sign where".split()},
                      "minimum": lambda a, b: torch.minimum(*self.both(a, b)), "maximum": lambda a, b: torch.maximum(*self.both(a, b)),
                      "fill": torch.full_like, "pow": torch.pow,
                      "over": lambda a, b: torch.where(b != 0, a / torch.where(b != 0, b, 1.0), 0.0)}

    def functions(self, surface: Surface) -> Mapping[str, Callable]:
        return surface.compile(ARRAYS, self.names)

    def define(self, text: str) -> dict[str, Any]:
        """The functions of a text that Code printed."""
        space = dict(self.names) | {"Infinity": math.inf, "NaN": math.nan}
        exec(text, space)
        return space

    @property
    def accelerated(self) -> bool:
        return self.device.type != "cpu"

    @property
    def unrolled(self) -> int:
        """Steps that go well into one kernel: on a processor more take long to compile and gain little, on a GPU memory is what a step waits for."""
        return 16 if self.accelerated else 2

    @property
    def compiles(self) -> bool:
        """Whether this machine can make kernels, as far as is known: a processor needs a compiler of C++; what a GPU needs shows when it is tried."""
        there = self.accelerated or any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++", "cl"))
        return there and self.note is None

    def compiled(self, function: Callable) -> Callable:
        """The function as one kernel; as it is where none can be made."""
        if not self.compiles:
            self.note = EAGER
        code = function.__code__.replace()  # one of its own: torch gives up on code that it has compiled too often
        own = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
        kernel = self.xp.compile(own, fullgraph=True, dynamic=True)

        def run(*arguments: Any) -> Any:
            if self.note is None:
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", DeprecationWarning)  # of torch's own parts
                        return kernel(*arguments)
                except Exception as failure:
                    if self.failed(failure):
                        raise
                    self.note = EAGER
            return function(*arguments)
        return run

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        before = self.xp.get_num_threads()
        self.xp.set_num_threads(count)
        try:
            yield
        finally:
            self.xp.set_num_threads(before)

    def failed(self, failure: Exception) -> str | None:
        if isinstance(failure, (MemoryError, self.xp.OutOfMemoryError)) or NO_ROOM.search(str(failure)):
            return "memory"
        return "gone" if self.accelerated and isinstance(failure, RuntimeError) and LOST.search(str(failure)) else None

    def room(self) -> int | None:
        if self.device.type != "cuda":
            return None
        cuda = self.xp.cuda
        spare = cuda.memory_reserved(self.device) - cuda.memory_allocated(self.device)  # what torch took earlier and does not use
        return cuda.mem_get_info(self.device)[0] + spare

    def both(self, *values: Any) -> tuple[Any, ...]:
        return tuple(self.xp.as_tensor(v, dtype=None if self.xp.is_tensor(v) else self.dtype, device=self.device) for v in values)

    def array(self, a: Any) -> Any:
        if not self.xp.is_tensor(a):
            a = np.require(a, float, "W")  # torch wants none that several places share
            if self.dtype == self.xp.float32:  # what it cannot hold becomes its largest, not infinity
                a = np.clip(a, -float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))
        return self.xp.as_tensor(a, dtype=self.dtype, device=self.device)

    def count(self, t: int) -> Any:
        """float64 where there is one: 0.9**t in single precision was wrong by 3e-6."""
        return self.xp.as_tensor(float(t), dtype=self.dtype if self.device.type == "mps" else self.xp.float64, device=self.device)

    def numpy(self, a: Any) -> np.ndarray:
        return a.detach().cpu().to(self.xp.float64).numpy()

    def suspicious(self, *arrays: Any) -> bool:
        return not math.isfinite(sum(float(a.sum()) for a in arrays))

    def flags(self, a: Any) -> np.ndarray:
        return a.cpu().numpy()

    def mask(self, a: np.ndarray) -> Any:
        return self.xp.as_tensor(np.require(a, bool, "W"), device=self.device)


def _name(dtype: Any) -> str:
    """torch.float32, np.float32 and "float32" are all "float32"."""
    return str(getattr(dtype, "__name__", dtype)).removeprefix("torch.")


def imported() -> Any:
    """torch itself."""
    try:
        return importlib.import_module("torch")
    except ModuleNotFoundError:
        raise Refused(T("backend='torch' needs torch; install optviz[torch] or use backend='numpy'",
                        "для backend='torch' нужен torch; установите optviz[torch] или выберите backend='numpy'")) from None
    except (ImportError, OSError, AttributeError, RuntimeError, MemoryError):  # half installed, unfit for this machine, or no room for it
        raise Refused(T("torch is installed but cannot be loaded; free some memory, install it anew (optviz[torch]) or use backend='numpy'",
                        "torch установлен, но не загружается; освободите память, переустановите его (optviz[torch]) или выберите "
                        "backend='numpy'")) from None


@lru_cache(maxsize=16)
def _torch(device: str, dtype: str) -> Torch:
    """One machine of a kind: what was compiled for it stays with it."""
    return Torch(device, dtype)


def backend(name: str, device: Any = "cpu", dtype: Any = "float64") -> Numpy:
    """The machine of that name."""
    if name == "torch":
        return _torch(str(device), _name(dtype))
    if name == "numpy" and (str(device), _name(dtype)) != ("cpu", "float64"):
        raise Refused(T(f"backend='numpy' has device='cpu' and dtype='float64' only, not {device} and {_name(dtype)}; use backend='torch'",
                        f"у backend='numpy' есть только device='cpu' и dtype='float64', а не {device} и {_name(dtype)}; выберите backend='torch'"))
    if name != "numpy":
        raise Refused(T(f"backend={name!r} is unknown; allowed: numpy, torch", f"неизвестно: backend={name!r}; допустимо: numpy, torch"))
    return Numpy()


def may_have_gpu() -> bool:
    """Whether torch, which takes seconds to load, is worth asking for a GPU; on other systems than Linux only torch knows."""
    return sys.platform != "linux" or any(map(os.path.exists, DEVICES))


def chosen(name: str, device: str, dtype: str | None, work: float, fused: bool = True) -> tuple[Numpy, tuple[str, str] | None]:
    """The machine for so many member-steps where "auto" leaves the choice, and what is not as one would expect; work that only NumPy knows is 0.

    A GPU where there is one; torch on the processor only where it makes kernels of the work, and the time for that is little beside what it saves.
    """
    for keyword, word, known in (("backend", name, ("auto", "numpy", "torch")), ("dtype", dtype, (None, "float32", "float64"))):
        if word not in known:
            raise out_of_range(keyword, word, T(*["{" + ", ".join(map(str, known)) + "}"] * 2))
    either = name == "auto" and device in ("auto", "cpu") and dtype in (None, "float64")  # NumPy would do, too
    little = work < (WORTH_A_LOOK if device == "auto" and may_have_gpu() else WORTH_COMPILING if fused else math.inf)
    if name == "numpy" or (either and (little or importlib.util.find_spec("torch") is None)):
        return backend("numpy", "cpu" if device == "auto" else device, dtype or "float64"), None
    try:
        if device == "auto":
            torch = imported()
            single = dtype != "float64"  # all that MPS has
            device = "cuda" if torch.cuda.is_available() else "mps" if single and torch.backends.mps.is_available() else "cpu"
        machine = _torch(str(device), dtype or ("float64" if device == "cpu" else "float32"))
    except Refused as refusal:
        if not either:
            raise
        return Numpy(), (refusal.text.en, refusal.text.ru)
    if either and device == "cpu" and (work < WORTH_COMPILING or not fused or not machine.compiles):
        return Numpy(), None
    return machine, None
