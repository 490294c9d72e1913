"""A SavedModel for Beam's RunInference: scores Arrow RecordBatches.

It works in any pipeline, without runs, ingest or the command. A batch is one element and one call
of the graph, so it needs no Python code for each row. For single rows, use `RowHandler`.

    import apache_beam as beam
    import pyarrow as pa
    from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
    from apache_beam.ml.inference.utils import WatchFilePattern
    from skewless import SavedModelHandler

    handler = SavedModelHandler("runs/taxi/serving/1")
    with beam.Pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create([("monday", trips)])  # `trips`: a pa.RecordBatch with the raw columns
            | RunInference(KeyedModelHandler(handler))
            | beam.MapTuple(lambda key, result: (key, result.inference.column(0)))
        )

A streaming pipeline can take up new versions in two ways:

- `RunInference(handler, model_metadata_pcoll=pipeline |
  WatchFilePattern(version_pattern("runs/taxi/serving"), interval=60))` is Beam's own way, for
  runners that fire side inputs pane by pane, such as Dataflow. Beam's in-process runner does not:
  it refuses the second pane.
- `SavedModelHandler("runs/taxi/serving/1", follow="runs/taxi/serving")` works on any runner whose
  workers can read the folder.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from components.evaluate.published import SAVED_MODEL
from components.score.columns import as_column
from components.score.scorer import FollowingScorer, KeptModels, Scorer
from schemas.columns import Column

# Rows of a batch that is made from single rows.
_MIN_ROWS, _MAX_ROWS = 1, 4096

# Unused models that a worker keeps in memory: a job compares two, or switches from one to the next.
_MOST_KEPT = 2


def version_pattern(serving_dir: str) -> str:
    """Return the pattern by which `WatchFilePattern` finds pushed versions.

    A version that is still being copied has a hidden name, which the pattern does not match.
    """
    return os.path.join(serving_dir, "[0-9]*", SAVED_MODEL)


_kept = KeptModels(_MOST_KEPT)


class SavedModelHandler(ModelHandler[pa.RecordBatch, PredictionResult, Scorer]):
    """Scores RecordBatches with a SavedModel's signature over raw columns.

    An element is a RecordBatch with the model's raw columns, and any others; null is missing, and a
    time has Arrow's own type, or is written as the schema says. The result is a `PredictionResult`
    with the batch as `example`, a RecordBatch of the outputs (`score`, `class`, …), row by row, as
    `inference`, and the folder of the SavedModel as `model_id`. Wrap the handler in
    `KeyedModelHandler` for pairs of a key and a batch.

    Args:
      saved_model: folder of the SavedModel, such as a run's `serving/3`.
      signature: a signature over raw columns; None means `predict`, or `raw_columns` without it.
      follow: a serving folder whose newest version is used while the pipeline runs; None keeps
        the given SavedModel, or follows `model_metadata_pcoll`.
      follow_seconds: the shortest interval between two looks there.
      large_model: share copies between all processes of a worker, rather than one in each.
      model_copies: the number of shared copies.

    Raises:
      ModelError: on loading, if there is no SavedModel, or no such signature.
    """

    def __init__(
        self,
        saved_model: str,
        *,
        signature: str | None = None,
        follow: str | None = None,
        follow_seconds: float = 30.0,
        large_model: bool = False,
        model_copies: int | None = None,
        **batching: Any,
    ) -> None:
        # a batch is an element, and elements must not be batched again
        super().__init__(
            large_model=large_model,
            model_copies=model_copies,
            **({"min_batch_size": 1, "max_batch_size": 1} | batching),
        )
        self._saved_model = saved_model
        self._signature = signature
        self._follow, self._follow_seconds = follow, follow_seconds
        self._id = uuid.uuid4().hex  # identifies this handler and its copies in workers

    def load_model(self) -> Scorer | FollowingScorer:
        """Return the model, which is loaded unless an earlier bundle of this worker loaded it."""
        if self.share_model_across_processes():  # Beam keeps the copies then
            return self._load()
        scorer: Scorer | FollowingScorer = _kept.get((self._id, self._saved_model), self._load)
        return scorer

    def _load(self) -> Scorer | FollowingScorer:
        if self._follow is None:
            return Scorer(self._saved_model, self._signature)
        return FollowingScorer(
            self._saved_model, self._signature, self._follow, self._follow_seconds
        )

    def update_model_path(self, model_path: str | None = None) -> None:
        """Use another version from now on: its folder, or the saved_model.pb in it."""
        if model_path:  # WatchFilePattern gives "" until there is a new version
            at_file = os.path.basename(model_path) == SAVED_MODEL
            self._saved_model = os.path.dirname(model_path) if at_file else model_path

    def run_inference(
        self,
        batch: Sequence[pa.RecordBatch],
        model: Scorer | FollowingScorer,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[PredictionResult]:
        """Yield the result of each RecordBatch.

        Raises:
          DataError: a batch lacks a column, or has one of another type.
        """
        for rows in batch:
            yield PredictionResult(rows, *model.score(rows))

    def get_num_bytes(self, batch: Sequence[Any]) -> int:
        """Return the size of the batches' columns in bytes, without pickling them."""
        return sum(rows.nbytes for rows in batch)

    def get_metrics_namespace(self) -> str:
        """Return RunInference's namespace for metrics."""
        return "score"

    def validate_inference_args(self, inference_args: Mapping[str, Any] | None) -> None:
        """Refuse arguments: a signature takes only columns.

        Raises:
          ValueError: there are some.
        """
        if inference_args:
            raise ValueError(f"the signature takes no inference_args, got {sorted(inference_args)}")


class RowHandler(SavedModelHandler):
    """Scores single rows, which RunInference batches.

    An element is a mapping from column to value: int, float, str, or None if missing; of booleans
    and times also bool, datetime and date. An omitted column is missing, too. The result's
    `inference` is a dict from output to value. Every row costs
    some Python code: prefer RecordBatches where possible.

    Args:
      saved_model: folder of the SavedModel.
      min_batch_size: the smallest number of rows in a batch, if enough are available.
      max_batch_size: the largest number of rows in a batch.
      max_batch_duration_secs: in streaming, how long a row may wait for others; None batches only
        the rows that a runner hands over together.
      **options: as for `SavedModelHandler`.
    """

    def __init__(
        self,
        saved_model: str,
        *,
        min_batch_size: int = _MIN_ROWS,
        max_batch_size: int = _MAX_ROWS,
        max_batch_duration_secs: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            saved_model,
            min_batch_size=min_batch_size,
            max_batch_size=max_batch_size,
            max_batch_duration_secs=max_batch_duration_secs,
            **options,
        )

    def run_inference(
        self,
        batch: Sequence[Mapping[str, Any]],
        model: Scorer | FollowingScorer,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterator[PredictionResult]:
        """Yield the result of each row.

        Raises:
          DataError: a value does not fit its column.
        """
        outputs, saved_model = model.score(_as_batch(batch, model.describe().inputs))
        for row, output in zip(batch, outputs.to_pylist(), strict=True):
            yield PredictionResult(row, output, saved_model)

    def get_num_bytes(self, batch: Sequence[Mapping[str, Any]]) -> int:
        """Return the approximate size of the rows' values in bytes."""
        values = (value for row in batch for value in row.values())
        return sum(len(value) if isinstance(value, str | bytes) else 8 for value in values)


def _as_batch(rows: Sequence[Mapping[str, Any]], inputs: Sequence[Column]) -> pa.RecordBatch:
    arrays = []
    for column in inputs:
        values = [row.get(column.name) for row in rows]
        arrays.append(as_column(values, column, where="a row to score"))
    return pa.RecordBatch.from_arrays(arrays, [c.name for c in inputs])
