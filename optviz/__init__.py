"""optviz: how neural networks are trained, seen. `import optviz as ov`; ov.descend on ov.surfaces, ov.train on ov.datasets, with ov.optimizers."""

from .activations import Activation, activations
from .basin import Basins, basin
from .core import Refused, T
from .datasets import Dataset, dataset, datasets
from .descent import Trajectory, descend
from .formula import FormulaError
from .initializers import Initializer, initializers
from .landscape import Landscape, landscape
from .layers import Layers
from .learning import History, train
from .losses import Loss, losses
from .optimizers import Optimizer, optimizers
from .penalties import Penalty, penalties
from .probe import Probe, probe
from .render import render
from .run import Run
from .schedules import Schedule, schedules
from .surfaces import Surface, surface, surfaces
from .sweep import Sweep, sweep
from .trainer import Trainer
from .training import Training

__version__ = "0.1.0"
__all__ = ["Activation", "Basins", "Dataset", "FormulaError", "History", "Initializer", "Landscape", "Layers", "Loss", "Optimizer", "Penalty",
           "Probe", "Refused", "Run", "Schedule", "Surface", "Sweep", "T", "Trainer", "Training", "Trajectory", "activations", "basin", "dataset",
           "datasets", "descend", "initializers", "landscape", "losses", "optimizers", "penalties", "probe", "render", "schedules", "surface",
           "surfaces", "sweep", "train"]
