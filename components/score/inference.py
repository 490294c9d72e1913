"""RunInference over batches with accompanying data: keys, messages, positions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, TypeVar

import apache_beam as beam
import pyarrow as pa
from apache_beam.ml.inference.base import KeyedModelHandler, PredictionResult, RunInference

from components.score.model_handler import SavedModelHandler


class Carrier(Protocol):
    """A frozen dataclass that accompanies a batch; `scored` collects the models' results."""

    @property
    def scored(self) -> tuple[PredictionResult, ...]:
        """The results of the models that have scored the batch."""


C = TypeVar("C", bound=Carrier)


class ScoreKeyedBatches(beam.PTransform):
    """Scores pairs of a carrier and a RecordBatch; adds the result to the carrier.

    Args:
      handler: the model.
      versions: a PCollection of ModelMetadata such as WatchFilePattern's; None means no updates
        other than those that the handler follows itself.
    """

    def __init__(
        self, handler: SavedModelHandler, versions: beam.PCollection[Any] | None = None
    ) -> None:
        super().__init__()
        self._handler = handler
        self._versions = versions

    def expand(self, batches: beam.PCollection[Any]) -> beam.PCollection[Any]:
        """Build the steps."""
        # not BatchElements: it would delay batches, and lose their timestamps
        handler = KeyedModelHandler(self._handler).with_no_batching()
        return (
            batches
            | "One" >> beam.Map(lambda batch: [batch])
            | "Infer" >> RunInference(handler, model_metadata_pcoll=self._versions)
            | "Gather" >> beam.MapTuple(_gather)
        )


def _gather(carrier: C, result: PredictionResult) -> tuple[C, pa.RecordBatch]:
    scored = (*carrier.scored, result)
    return replace(carrier, scored=scored), result.example  # type: ignore[type-var]
