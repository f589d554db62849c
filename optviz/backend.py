"""NumPy or torch behind one small face; the only file that imports torch, and only when asked."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .core import Refused, T
from .expr import ARRAYS
from .surfaces import Surface


class Numpy:
    """float64 arrays on this machine."""

    xp: Any = np

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
    """Tensors of one device and dtype, eager."""

    def __init__(self, device: Any, dtype: Any):
        try:
            torch: Any = importlib.import_module("torch")
        except ImportError:
            raise Refused(T("backend='torch' needs torch; install optviz[torch] or use backend='numpy'",
                            "для backend='torch' нужен torch; установите optviz[torch] или выберите backend='numpy'")) from None
        self.xp = torch
        try:
            self.dtype, self.device = {"float32": torch.float32, "float64": torch.float64}[_name(dtype)], torch.device(device)
            torch.zeros(1, dtype=self.dtype, device=self.device)
        except (KeyError, TypeError, RuntimeError, AssertionError):  # an unknown word, or a device that is not there
            raise Refused(T(f"torch has no device={device!r} with dtype={dtype!r} here; use device='cpu', dtype='float64'",
                            f"здесь в torch нет device={device!r} с dtype={dtype!r}; укажите device='cpu', dtype='float64'")) from None
        self.names = {**{n: getattr(torch, n) for n in "sqrt exp log sin cos tan sinh cosh tanh abs floor sign where".split()},
                      "minimum": lambda a, b: torch.minimum(*self.both(a, b)), "maximum": lambda a, b: torch.maximum(*self.both(a, b)),
                      "fill": torch.full_like, "pow": lambda a, b: torch.pow(*self.both(a, b)),
                      "over": lambda a, b: torch.where(b != 0, a / torch.where(b != 0, b, 1.0), 0.0)}

    def functions(self, surface: Surface) -> Mapping[str, Callable]:
        return surface.compile(ARRAYS, self.names)

    def both(self, *values: Any) -> tuple[Any, ...]:
        return tuple(v if self.xp.is_tensor(v) else self.array(v) for v in values)

    def array(self, a: Any) -> Any:
        if self.dtype == self.xp.float32 and not self.xp.is_tensor(a):  # what it cannot hold becomes its largest, not infinity
            a = np.clip(np.asarray(a, float), -float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))
        return self.xp.as_tensor(a, dtype=self.dtype, device=self.device)

    def count(self, t: int) -> Any:
        """float64 always: 0.9**t in single precision was wrong by 3e-6."""
        return self.xp.as_tensor(float(t), dtype=self.xp.float64, device=self.device)

    def numpy(self, a: Any) -> np.ndarray:
        return a.detach().cpu().to(self.xp.float64).numpy()

    def suspicious(self, *arrays: Any) -> bool:
        return not math.isfinite(sum(float(a.sum()) for a in arrays))

    def flags(self, a: Any) -> np.ndarray:
        return a.cpu().numpy()


def _name(dtype: Any) -> str:
    """torch.float32, np.float32 and "float32" are all "float32"."""
    return str(getattr(dtype, "__name__", dtype)).removeprefix("torch.")


def backend(name: str, device: Any = "cpu", dtype: Any = "float64") -> Numpy:
    """The machine of that name."""
    if name == "torch":
        return Torch(device, dtype)
    if name == "numpy" and (str(device), _name(dtype)) != ("cpu", "float64"):
        raise Refused(T(f"backend='numpy' has device='cpu' and dtype='float64' only, not {device} and {_name(dtype)}; use backend='torch'",
                        f"у backend='numpy' есть только device='cpu' и dtype='float64', а не {device} и {_name(dtype)}; выберите backend='torch'"))
    if name != "numpy":
        raise Refused(T(f"backend={name!r} is unknown; allowed: numpy, torch", f"неизвестно: backend={name!r}; допустимо: numpy, torch"))
    return Numpy()
