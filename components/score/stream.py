"""Scores an endless sequence of JSON messages in Beam, into answers and dead letters.

The answer to a message keeps its attributes, ordering key and event time. A message that cannot be
scored becomes a dead letter with its reason, never an error.

A bundle's messages stay in order, but runners process bundles concurrently. To restore the order of
a key, sort by the key and the event time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.transforms import window

from components import progress
from components.score.counts import READ, STAGE, count
from components.score.inference import ScoreKeyedBatches
from components.score.messages import Dated, Letters, answers, read_letters
from components.score.model_handler import SavedModelHandler
from schemas.columns import Column

MAX_ROWS = 1_000  # messages in a batch
MAX_SECONDS = 0.05  # how long a message may wait for others


class ScoreMessages(beam.PTransform):
    """Scores JSON messages; returns `answers` and `dead_letters`, both PCollections of messages.

    >>> scored = messages | ScoreMessages(handler, inputs)  # doctest: +SKIP
    >>> scored.answers | WriteToTopic("projects/p/topics/scores")  # doctest: +SKIP

    Args:
      handler: the model.
      inputs: the model's columns.
      keys: fields of the messages to copy to the answers.
      max_rows: the largest number of messages in a batch.
      max_seconds: how long a message may wait for others; None batches only those of a bundle.
      versions: a PCollection of ModelMetadata, such as WatchFilePattern's, or None.
    """

    def __init__(
        self,
        handler: SavedModelHandler,
        inputs: Sequence[Column],
        *,
        keys: Sequence[str] = (),
        max_rows: int = MAX_ROWS,
        max_seconds: float | None = MAX_SECONDS,
        versions: beam.PCollection[Any] | None = None,
    ) -> None:
        super().__init__()
        self._handler = handler
        self._read = _ReadLetters(tuple(inputs), tuple(keys))
        self._batching = {
            "min_batch_size": max_rows,
            "max_batch_size": max_rows,
            "max_batch_duration_secs": max_seconds,
        }
        self._versions = versions

    def expand(self, messages: beam.PCollection[PubsubMessage]) -> Any:
        """Build the steps."""
        read = (
            messages
            | "Date" >> beam.Map(_dated)
            | "Batch" >> beam.BatchElements(**self._batching)
            | "Read" >> beam.ParDo(self._read).with_outputs("dead_letters", main="batches")
        )
        scored = (
            read.batches
            | "Score" >> ScoreKeyedBatches(self._handler, self._versions)
            | "Answer" >> beam.FlatMapTuple(_answers)
        )
        # a batch has the time of its latest message: restore the time of each message
        return _Outputs(
            answers=scored | "AnswersInTime" >> beam.MapTuple(window.TimestampedValue),
            dead_letters=read.dead_letters
            | "DeadLettersInTime" >> beam.MapTuple(window.TimestampedValue),
        )


@dataclass(frozen=True)
class _Outputs:
    answers: beam.PCollection[PubsubMessage]
    dead_letters: beam.PCollection[PubsubMessage]


def _dated(message: PubsubMessage, time: Any = beam.DoFn.TimestampParam) -> Dated:
    return message, time


class _ReadLetters(beam.DoFn):
    def __init__(self, inputs: Sequence[Column], keys: Sequence[str]) -> None:
        self._inputs, self._keys = inputs, keys

    def process(self, dated: Sequence[Dated]) -> Iterator[Any]:
        letters, batch, dead = read_letters(dated, self._inputs, self._keys)
        count(READ, len(dated))
        progress.rows(STAGE, len(dated))
        for letter in dead:
            yield beam.pvalue.TaggedOutput("dead_letters", letter)
        if letters.dated:
            yield letters, batch


def _answers(letters: Letters, _: pa.RecordBatch) -> list[Dated]:
    return answers(letters)
