"""`skewless stream` over messages of JSON."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.parity.serving_paths.batch import Batch
from components.parity.serving_paths.protocol import ModelAddress, ServingPath


class Stream(ServingPath):
    """A streaming job of Beam, which rejects the rows that messages cannot contain."""

    name = "stream"
    cannot_carry = f"{Batch.cannot_carry}; NaN apart from missing"
    process = Batch.process
    forked = Batch.forked
    questions = staticmethod(lambda sets: sets.messages)

    def __init__(self, address: ModelAddress) -> None:
        from components.parity.scoring import StreamJob

        self._job = StreamJob(address.saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of all rows, and the fate of each."""
        return self._job.run(signature, feeds)
