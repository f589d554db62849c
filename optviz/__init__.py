"""optviz: how neural networks are trained, seen. `import optviz as ov`; ov.surfaces, ov.optimizers, ov.schedules, ov.descend."""

from .core import Refused, T
from .descent import Trajectory, descend
from .formula import FormulaError
from .optimizers import Optimizer, optimizers
from .render import render
from .run import Run
from .schedules import Schedule, schedules
from .surfaces import Surface, surface, surfaces

__version__ = "0.1.0"
__all__ = ["FormulaError", "Optimizer", "Refused", "Run", "Schedule", "Surface", "T", "Trajectory", "descend", "optimizers", "render",
           "schedules", "surface", "surfaces"]
