"""`skewless predict` over a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components import lean_imports, tensorflow_runtime
from components.parity.serving_paths.protocol import ModelAddress, ServingPath


class Batch(ServingPath):
    """A batch job of Beam, which rejects the rows that files cannot contain."""

    name = "batch"
    cannot_carry = (
        "infinite numbers, NUL, and text that is not UTF-8: such rows have to be rejected"
    )
    process = "jobs"
    forked = True
    questions = staticmethod(lambda sets: sets.files)

    def __init__(self, address: ModelAddress) -> None:
        tensorflow_runtime.install()
        lean_imports.load(lean_imports.BEAM)
        from components.parity.scoring import BatchJob

        self._job = BatchJob(address.saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of all rows, and the fate of each."""
        return self._job.run(signature, feeds)
