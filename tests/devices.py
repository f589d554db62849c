"""Machines that say they are a GPU."""

import numpy as np

from optviz.backend import Torch


class Card(Torch):
    """What has the blocks of a GPU."""

    accelerated = True
    free = None

    def room(self):
        return self.free


class Shapes(Torch):
    """A device without numbers, on which devices, dtypes and shapes are followed all the same: nothing of the processor's may be mixed in."""

    accelerated = True

    def array(self, a):
        if self.xp.is_tensor(a):
            assert a.device == self.device
            return a.to(self.dtype)
        return self.xp.empty(np.shape(a), dtype=self.dtype, device=self.device)

    def mask(self, a):
        return self.xp.empty(np.shape(a), dtype=self.xp.bool, device=self.device)

    def numpy(self, a):
        assert a.device == self.device and a.dtype in (self.dtype, self.xp.int64, self.xp.bool)  # which count, or say who
        return np.ones(tuple(a.shape))

    def flags(self, a):
        return self.numpy(a) < 0

    def suspicious(self, *arrays):
        assert all(a.device == self.device and a.dtype == self.dtype for a in arrays)
        return True  # so that who ends is looked for, too
