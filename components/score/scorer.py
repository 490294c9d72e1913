"""Models in the memory of a worker: Arrow columns → their outputs, by this version or the newest.

Promised: a batch is scored by one version, and a worker loads a model once for all its bundles.
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
from components.examples import as_raw_columns
from components.score.columns import Asked, as_inputs, as_outputs, ask


class Scorer:
    """A signature in memory, called with Arrow columns.

    Attributes:
      asked: what it takes and gives.
    """

    def __init__(self, saved_model: str, signature: str | None = None) -> None:
        quiet_environment()
        from components.evaluate.signature import LoadedSignature

        self.asked: Asked = ask(saved_model, signature)
        self._signature = LoadedSignature(
            saved_model, self.asked.signature, list(self.asked.outputs)
        )

    def score(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, str]:
        """Return a batch's outputs, row by row beside it, and the SavedModel that gave them.

        Raises:
          DataError: the batch lacks a column, or has one of another type.
        """
        inputs = self.asked.inputs
        raw = as_raw_columns(as_inputs(batch, inputs, where="a batch to score"), inputs)
        outputs = as_outputs(self._signature(raw), self.asked.output_schema)
        return outputs, self.asked.saved_model

    def describe(self) -> Asked:
        """Return what it takes and gives, also where the scorer lives in another process."""
        return self.asked


class FollowingScorer:
    """The newest version in a serving folder, which is looked at now and then between batches."""

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
        """Score by the version that is the newest, give or take the seconds."""
        if self._looking.acquire(blocking=False):  # one looks, the others go on
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
        if latest is not None and latest != self._scorer.asked.saved_model:
            self._scorer = Scorer(latest, self._signature)

    def describe(self) -> Asked:
        """Return what the version at work takes and gives."""
        return self._scorer.describe()


class KeptModels:
    """Models that a worker has loaded, so that its next bundle finds them; for all its threads.

    Beam keeps a model for as long as a worker's DoFn lives, and one of its runners, the one that
    reads Pub/Sub in this process, makes the DoFns anew for each bundle.

    Args:
      most: how many are kept; the one that was asked for longest ago goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._models: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any, load: Callable[[], Any]) -> Any:
        """Return the model of this key, loaded if it is not there; others wait meanwhile."""
        with self._lock:
            model = self._models.pop(key) if key in self._models else load()
            self._models[key] = model
            while len(self._models) > self._most:
                self._models.popitem(last=False)
            return model
