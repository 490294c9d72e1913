"""Scores batches of examples with SavedModels, and adds the scores up, as steps of a Beam pass.

The steps take RecordBatches with the models' raw columns and return the `Totals` of the whole
split. A model is loaded once in each worker process and takes a whole batch at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.utils import shared
from tensorflow.core.protobuf import meta_graph_pb2

from components import progress, saved_models
from components.evaluate.figures import ScoredBatch, Totals
from components.evaluate.published import SAVED_MODEL
from components.evaluate.signature import LoadedSignature
from components.evaluate.slices import Slicing
from components.examples import as_raw_columns, column
from components.export import signatures as names
from schemas.columns import Column
from schemas.errors import ModelError
from schemas.tasks.options import TaskOptions
from schemas.types import TYPES

STAGE = "evaluate"

_OUTPUTS = (names.SCORES, names.BASELINE_SCORES, names.LABEL)


class EvaluationModel:
    """A SavedModel's evaluation signature; pickles as a path and loads once a process.

    Attributes:
      inputs: the raw columns that the signature takes.
      calibrated: whether it also has the scores of the model without its calibration.
    """

    def __init__(self, saved_model: str, columns: Iterable[Column]) -> None:
        """Check that examples with these columns can be scored, and load the model.

        Raises:
          ModelError: the SavedModel does not exist or does not load, or it has no such signature,
            or the signature takes other columns.
        """
        self._path = saved_model
        self.inputs = _inputs(saved_model, columns)
        optional = (names.UNCALIBRATED_SCORES, names.COVERED)
        self._outputs = (
            *_OUTPUTS,
            *(n for n in optional if n in _signature_def(saved_model).outputs),
        )
        self.calibrated = names.UNCALIBRATED_SCORES in self._outputs
        self._shared = shared.Shared()
        self._signature: LoadedSignature | None = None
        self.load()

    def load(self) -> LoadedSignature:
        """Return the signature in memory, the same object throughout a process."""
        if self._signature is None:
            self._signature = self._shared.acquire(
                lambda: LoadedSignature(self._path, names.EVALUATION, self._outputs)
            )
        return self._signature

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_signature": None}


class ScoreBatches(beam.DoFn):
    """Turns RecordBatches into `ScoredBatch`es.

    Attributes:
      columns: the raw columns that the models take.
      models: how many scores a row gets.
    """

    def __init__(
        self,
        model: EvaluationModel,
        last_blessed: EvaluationModel | None,
        slicings: Sequence[Slicing],
        weight: str | None = None,
    ) -> None:
        """Take the models, the slicings, and the column with the rows' weights, if there is one."""
        self._weight = weight
        self._models = (model,) if last_blessed is None else (model, last_blessed)
        self._slicings = slicings
        self.columns = tuple(dict.fromkeys(c for m in self._models for c in m.inputs))
        # the linear model, and the one without calibration, are in the model's graph
        self.models = len(self._models) + 1 + model.calibrated
        self._scored = beam.metrics.Metrics.counter(STAGE, "examples_scored")

    def setup(self) -> None:
        """Load the models, unless another thread of this process has."""
        self._signatures = [model.load() for model in self._models]

    def process(self, batch: pa.RecordBatch) -> Iterator[ScoredBatch]:
        """Score one batch with every model."""
        raw = as_raw_columns(batch, self.columns)
        mine, *last = [signature(raw) for signature in self._signatures]
        yield ScoredBatch(
            label=mine[names.LABEL],
            scores=(
                mine[names.SCORES],
                mine[names.BASELINE_SCORES],
                *(its[names.SCORES] for its in last),
                *(mine[name] for name in mine if name == names.UNCALIBRATED_SCORES),
            ),
            slices=tuple(slicing.codes(batch) for slicing in self._slicings),
            relabelled=sum(int((its[names.LABEL] != mine[names.LABEL]).sum()) for its in last),
            covered=mine.get(names.COVERED),
            weights=None if self._weight is None else _weights(batch, self._weight),
        )
        self._scored.inc(batch.num_rows)
        progress.rows(STAGE, batch.num_rows)


def _weights(batch: pa.RecordBatch, weight: str) -> np.ndarray:
    """Return the weights of rows as training has them: rounded to float32, as float64 [rows]."""
    return column(batch, weight).to_numpy().astype(np.float32).astype(np.float64)


class SumBatches(beam.CombineFn):
    """Adds scored batches up to one `Totals`."""

    def __init__(self, task: TaskOptions, models: int, slicings: Sequence[Slicing]) -> None:
        self._task = task
        self._models = models
        self._slicings = slicings

    def create_accumulator(self) -> Totals:
        """Return the totals of no rows."""
        return Totals.zeros(self._task, self._models, self._slicings)

    def add_input(self, totals: Totals, batch: ScoredBatch) -> Totals:
        """Add a batch."""
        totals.add(batch)
        return totals

    def merge_accumulators(self, accumulators: Iterable[Totals]) -> Totals:
        """Add all into the first."""
        first, *rest = accumulators
        for totals in rest:
            first.merge(totals)
        return first

    def extract_output(self, totals: Totals) -> Totals:
        """Return the totals as they are."""
        return totals


def _inputs(saved_model: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns that the evaluation signature takes, checked against the examples'."""
    signature = _signature_def(saved_model)
    where = f"{saved_model}: signature {names.EVALUATION!r}"
    for name in _OUTPUTS:
        if name not in signature.outputs:
            raise ModelError(f"the model has no output {name!r}", where=where)
    known = {c.name: c for c in columns}
    for name, tensor in sorted(signature.inputs.items()):
        if name not in known:
            raise ModelError(
                f"the model asks for column {name!r}, which the examples do not have",
                where=where,
                expected="examples with the columns that the model was made from",
            )
        dtype, kind = tf.dtypes.as_dtype(tensor.dtype).name, known[name].kind
        if dtype != TYPES[kind].request:
            raise ModelError(
                f"the model takes column {name!r} as {dtype}, but {kind} comes as"
                f" {TYPES[kind].request}",
                where=where,
            )
    return tuple(known[name] for name in sorted(signature.inputs))


def _signature_def(saved_model: str) -> meta_graph_pb2.SignatureDef:
    """Read the evaluation signature's description without loading the graph."""
    signatures = saved_models.read_signatures(saved_model)
    if names.EVALUATION not in signatures:
        raise ModelError(
            f"the SavedModel has no signature {names.EVALUATION!r}",
            where=os.path.join(saved_model, SAVED_MODEL),
            expected="the signatures that the export stage writes",
        )
    return signatures[names.EVALUATION]
