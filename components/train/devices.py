"""What training uses on which device."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceUse:
    """How a training computes.

    Attributes:
      xla: whether XLA compiles the steps. On CPUs it is slower for batches below 8,192, and it
        cannot compile the sums of several processes.
      short_products: whether products of matrices round their factors to 10 bits (TF32) and sum in
        float32, as tensor cores of GPUs do. Weights and all other values stay float32, so nothing
        changes in the model that is served.
    """

    xla: bool
    short_products: bool

    @classmethod
    def of(cls, gpus: int, processes: int) -> DeviceUse:
        """Return the use of so many GPUs in each of so many processes."""
        return cls(xla=gpus > 0 and processes == 1, short_products=gpus > 0)
