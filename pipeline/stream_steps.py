"""The Beam steps of `skewless stream`, the same on every runner: files or messages → scores.

In this process they run on one batch after another, on other runners on an unbounded source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.pubsub import ReadFromPubSub
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from components import files
from components.score import counts, message_sinks, new_files
from components.score.columns import RawSignature, read_signature
from components.score.formats import TOPIC, Format
from components.score.model_handler import SavedModelHandler
from components.score.sources import Wanted
from components.score.stream import ScoreMessages
from schemas.columns import Column
from schemas.sources.options import SourceOptions


@dataclass(frozen=True)
class Steps:
    """The settings of a stream's steps; outputs are folders or topics.

    Attributes:
      model: folder of the SavedModel.
      follow: the folder whose newest version is used, or None.
      look: seconds between two looks for versions and for files.
      source: the format of the files; None means the default.
      columns: the columns of schema.pbtxt, if known.
      keys: columns or fields to copy to the scores.
      kind: the format of the scores of files.
      timestamp_attribute: the attribute of messages with their event time.
      window: seconds of event time in one file of messages' scores.
      scores: the output for scores.
      dead_letters: the output for what cannot be scored.
    """

    model: str
    follow: str | None
    look: float
    source: SourceOptions | None
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    kind: Format
    timestamp_attribute: str | None
    window: float
    scores: str
    dead_letters: str

    def find_and_score_files(
        self, pipeline: beam.Pipeline, pattern: str, stop_after: float | None
    ) -> None:
        """Score files that match a pattern now or later, on streaming runners."""
        until = MAX_TIMESTAMP
        if stop_after is not None:  # counted from here: fetching a model may take longer
            until = Timestamp.now() + stop_after
        self._write_rows(
            pipeline
            | "Files"
            >> new_files.ScoreNewFiles(
                files.absolute(pattern),
                self._handler(),
                self._wanted(),
                seconds=self.look,
                stop=until,
            )
        )

    def score_files(self, matches: beam.PCollection[Any]) -> None:
        """Score files, given as FileMetadata."""
        score = new_files.ScoreFoundFiles(self._handler(), self._wanted())
        self._write_rows(matches | "Files" >> score)

    def read_and_score_messages(
        self, pipeline: beam.Pipeline, subscription: str, wait: float
    ) -> None:
        """Score the messages of a subscription, on streaming runners."""
        messages = pipeline | "Messages" >> ReadFromPubSub(
            subscription=subscription,
            with_attributes=True,
            timestamp_attribute=self.timestamp_attribute,
        )
        self.score_messages(messages, wait)

    def score_messages(self, messages: beam.PCollection[Any], wait: float | None = None) -> None:
        """Score messages.

        Args:
          messages: elements of PubsubMessage.
          wait: seconds that a message may wait for others; None scores each bundle together.
        """
        scored = messages | "Score" >> ScoreMessages(
            self._handler(), self._signature().inputs, keys=self.keys, max_seconds=wait
        )
        for name, answers, place, counted_as in (
            ("Answers", scored.answers, self.scores, counts.SCORED),
            ("DeadLetters", scored.dead_letters, self.dead_letters, counts.REJECTED),
        ):
            write = (
                message_sinks.WriteToTopic(
                    place, timestamp_attribute=self.timestamp_attribute, counted_as=counted_as
                )
                if TOPIC.fullmatch(place)
                else message_sinks.WriteMessageFiles(
                    files.absolute(place), seconds=self.window, counted_as=counted_as
                )
            )
            _ = answers | f"Write{name}" >> write

    def _write_rows(self, result: Any) -> None:
        if TOPIC.fullmatch(self.scores):
            rows = result.scored | "Rows" >> beam.FlatMapTuple(new_files.rows_as_messages)
            _ = rows | "WriteRows" >> message_sinks.WriteToTopic(self.scores)
        else:
            folder = files.absolute(self.scores)
            _ = result.scored | "WriteRows" >> new_files.WriteScoredFiles(folder, self.kind)
        if TOPIC.fullmatch(self.dead_letters):
            dead = result.rejects | "Dead" >> beam.FlatMapTuple(new_files.rejects_as_messages)
            _ = dead | "WriteDead" >> message_sinks.WriteToTopic(
                self.dead_letters, counted_as=counts.REJECTED
            )
        else:
            folder = files.absolute(self.dead_letters)
            _ = result.rejects | "WriteDead" >> new_files.WriteRejectFiles(folder)

    def _signature(self) -> RawSignature:
        return read_signature(self.model)

    def _wanted(self) -> Wanted:
        kind: Format = "jsonl" if TOPIC.fullmatch(self.scores) else self.kind
        return Wanted(self._signature().inputs, self.keys, self.source, kind, self.columns)

    def _handler(self) -> SavedModelHandler:
        return SavedModelHandler(self.model, follow=self.follow, follow_seconds=self.look)
