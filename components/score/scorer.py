"""Models in the memory of a worker: scores Arrow columns with a fixed or the newest version.

A batch is scored by a single version, and a worker loads a model once for all its bundles.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from components.compat import quiet_environment
from components.evaluate.published import newest
from components.examples import as_raw
from components.score.columns import RawSignature, as_inputs, as_outputs, read_signature


class Scorer:
    """A loaded signature, called with Arrow columns.

    Attributes:
      signature: its inputs and outputs.
    """

    def __init__(self, saved_model: str, signature: str | None = None) -> None:
        quiet_environment()
        from components.evaluate.signature import LoadedSignature

        self.signature: RawSignature = read_signature(saved_model, signature)
        self._model = LoadedSignature(
            saved_model, self.signature.signature, list(self.signature.outputs)
        )

    def score(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, str]:
        """Return a batch's outputs, row by row, and the folder of the SavedModel.

        Raises:
          DataError: the batch lacks a column, or has one of another type.
        """
        inputs = self.signature.inputs
        given = as_inputs(batch, inputs, where="a batch to score")
        raw = {c.name: as_raw(array, c) for c, array in zip(inputs, given.columns, strict=True)}
        outputs = as_outputs(self._model(raw), self.signature.output_schema)
        return outputs, self.signature.saved_model

    def describe(self) -> RawSignature:
        """Return its inputs and outputs, also if the scorer is in another process."""
        return self.signature


class FollowingScorer:
    """The newest version in a serving folder, which is checked now and then, between batches."""

    def __init__(
        self, saved_model: str, signature: str | None, folder: str, seconds: float
    ) -> None:
        self._signature = signature
        self._folder = folder
        self._seconds = seconds
        self._looking = threading.Lock()
        self._looked = time.monotonic()
        self._scorer = Scorer(newest(folder) or saved_model, signature)

    def score(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, str]:
        """Score with the newest version; the check is at most some seconds old."""
        if self._looking.acquire(blocking=False):  # one thread looks, the others continue
            try:
                self._look()
            finally:
                self._looking.release()
        return self._scorer.score(batch)

    def _look(self) -> None:
        if time.monotonic() - self._looked < self._seconds:
            return
        self._looked = time.monotonic()
        latest = newest(self._folder)
        if latest is not None and latest != self._scorer.signature.saved_model:
            self._scorer = Scorer(latest, self._signature)

    def describe(self) -> RawSignature:
        """Return the inputs and outputs of the current version."""
        return self._scorer.describe()


class KeptModels:
    """Models that a worker keeps loaded for its next bundle, shared by all its threads.

    Beam keeps a model for as long as a worker's DoFn exists. One of its runners, which reads
    Pub/Sub in this process, creates new DoFns for each bundle.

    Args:
      most: the number of models to keep; the least recently used one is removed first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._signatures: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any, load: Callable[[], Any]) -> Any:
        """Return the model of this key; if necessary, load it while other threads wait."""
        with self._lock:
            model = self._signatures.pop(key) if key in self._signatures else load()
            self._signatures[key] = model
            while len(self._signatures) > self._most:
                self._signatures.popitem(last=False)
            return model
