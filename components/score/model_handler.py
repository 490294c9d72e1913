"""A SavedModel for Beam's RunInference: Arrow RecordBatches go in, their scores come out.

For anyone's pipeline: nothing here knows of runs, ingest or the command. A batch is one element and
one call of the graph, so a row costs no Python; whoever has rows one by one takes `RowHandler`.

    import apache_beam as beam
    import pyarrow as pa
    from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
    from apache_beam.ml.inference.utils import WatchFilePattern
    from components.score.model_handler import SavedModelHandler, version_pattern

    handler = SavedModelHandler("runs/taxi/serving/1")
    with beam.Pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create([("monday", trips)])  # `trips`: a pa.RecordBatch with the raw columns
            | RunInference(KeyedModelHandler(handler))
            | beam.MapTuple(lambda key, result: (key, result.inference.column(0)))
        )

While a streaming pipeline runs, new versions are taken in one of two ways:

- `RunInference(handler, model_metadata_pcoll=pipeline |
  WatchFilePattern(version_pattern("runs/taxi/serving"), interval=60))`, Beam's own way, on runners
  that fire side inputs pane by pane, such as Dataflow. Beam's in-process runner does not: it
  refuses the second pane.
- `SavedModelHandler("runs/taxi/serving/1", follow="runs/taxi/serving")`, on any runner whose
  workers see the folder.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from components.evaluate.published import SAVED_MODEL
from components.examples import ARROW_TYPES
from components.score.scorer import FollowingScorer, KeptModels, Scorer
from schemas.columns import Column
from schemas.errors import DataError

# Rows that are gathered to a batch where they come one by one.
_MIN_ROWS, _MAX_ROWS = 1, 4096

# Models of a worker that stay in memory unused: a job compares two, or goes from one to the next.
_MOST_KEPT = 2


def version_pattern(serving_dir: str) -> str:
    """Return the pattern that `WatchFilePattern` finds pushed versions by.

    A version that is still being copied has a hidden name, which the pattern passes over.
    """
    return os.path.join(serving_dir, "[0-9]*", SAVED_MODEL)


_kept = KeptModels(_MOST_KEPT)


class SavedModelHandler(ModelHandler[pa.RecordBatch, PredictionResult, Scorer]):
    """Scores RecordBatches with a SavedModel's signature over raw columns.

    An element is a RecordBatch with the model's raw columns, others beside them if you like; null
    is missing. Its result is a `PredictionResult` with the batch as `example`, a RecordBatch of
    the outputs as `inference` (`score`, `class`, … row by row beside the batch) and the folder of
    the SavedModel that gave them as `model_id`. Wrap it in `KeyedModelHandler` for pairs of a key
    and a batch.

    Args:
      saved_model: folder of the SavedModel; a run's `serving/3`, for one.
      signature: one over raw columns; None is `predict`, or `raw_columns` where there is none.
      follow: a serving folder whose newest version is taken while the pipeline runs; None stays
        with the SavedModel given, or with what `model_metadata_pcoll` says.
      follow_seconds: how often to look there at most.
      large_model: keep one copy for all processes of a worker rather than one each.
      model_copies: how many copies, if it is one for several processes.

    Raises:
      ModelError: when it is loaded: no SavedModel, or no such signature.
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
        # a batch is an element, and elements are not to be gathered further
        super().__init__(
            large_model=large_model,
            model_copies=model_copies,
            **({"min_batch_size": 1, "max_batch_size": 1} | batching),
        )
        self._saved_model = saved_model
        self._signature = signature
        self._follow, self._follow_seconds = follow, follow_seconds
        self._id = uuid.uuid4().hex  # of this handler and its copies in workers

    def load_model(self) -> Scorer | FollowingScorer:
        """Return the model, loaded unless this worker has it from an earlier bundle."""
        if self.share_model_across_processes():  # which keeps it elsewhere, in as many copies
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
        """Take another version from now on: its folder, or the saved_model.pb in it."""
        if model_path:  # WatchFilePattern gives "" as long as there is nothing new
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
          DataError: one lacks a column, or has one of another type.
        """
        for rows in batch:
            yield PredictionResult(rows, *model.score(rows))

    def get_num_bytes(self, batch: Sequence[Any]) -> int:
        """Return the bytes of the batches' columns, without pickling them to find out."""
        return sum(rows.nbytes for rows in batch)

    def get_metrics_namespace(self) -> str:
        """Return the name that RunInference counts under."""
        return "score"

    def validate_inference_args(self, inference_args: Mapping[str, Any] | None) -> None:
        """Refuse arguments: a signature takes columns and nothing else.

        Raises:
          ValueError: there are some.
        """
        if inference_args:
            raise ValueError(f"the signature takes no inference_args, got {sorted(inference_args)}")


class RowHandler(SavedModelHandler):
    """Scores rows that come one by one, gathered to batches by RunInference.

    An element is a mapping from column to value: int, float, str, or None where missing; a column
    left out is missing, too. Its result's `inference` is a dict from output to value. Costs some
    Python for every row: prefer RecordBatches where you can have them.

    Args:
      saved_model: folder of the SavedModel.
      min_batch_size: rows of a batch at least, if so many are there.
      max_batch_size: rows of a batch at most.
      max_batch_duration_secs: in streaming, how long a row may wait for others; None gathers only
        the rows that a runner hands over together.
      **options: as of `SavedModelHandler`.
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
        """Return about how many bytes the rows' values are."""
        values = (value for row in batch for value in row.values())
        return sum(len(value) if isinstance(value, str | bytes) else 8 for value in values)


def _as_batch(rows: Sequence[Mapping[str, Any]], inputs: Sequence[Column]) -> pa.RecordBatch:
    arrays = []
    for column in inputs:
        values = [row.get(column.name) for row in rows]
        try:
            arrays.append(pa.array(values, ARROW_TYPES[column.kind]))
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise DataError(
                f"a value of {column.name!r} does not fit {column.kind}: {error}",
                where="a row to score",
                expected=f"{column.type.title}, None where it is missing",
            ) from error
    return pa.RecordBatch.from_arrays(arrays, [c.name for c in inputs])
