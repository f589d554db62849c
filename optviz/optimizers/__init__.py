"""The optimizers, from simple to complex: each is one pure function in the words of its paper."""

from . import gradient, adaptive, modern, curvature  # isort: skip  (the order of import is the order of teaching)
from .base import Line, Optimizer, optimizers

__all__ = ["Line", "Optimizer", "adaptive", "curvature", "gradient", "modern", "optimizers"]
