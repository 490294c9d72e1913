"""Writes messages to files, one for each window, or to a Pub/Sub topic.

Attributes, ordering keys and event times are kept. Files appear whole, and none replaces one with
other messages, such as a window's file from before a restart.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.transforms import trigger, window

from components import files
from components.ingest.failures import disk_errors
from components.score.counts import SCORED, count
from components.score.messages import json_record

WINDOW_SECONDS = 60.0
_LATENESS_SECONDS = 24 * 3600  # how late a message may be for a file of its window
_MOST_UNDER_WAY = 10_000  # messages handed to Pub/Sub's client and not acknowledged yet


class WriteMessageFiles(beam.PTransform):
    """Writes messages to files of JSON lines, one for each window of event time and firing.

    A line has a message's event time, ordering key, attributes and data. A file is written when its
    window is over, and further ones for late messages.

    Args:
      folder: the output folder.
      seconds: the length of a window in event time.
      counted_as: the counter of the messages, one of `counts`.
    """

    def __init__(
        self, folder: str, *, seconds: float = WINDOW_SECONDS, counted_as: str = SCORED
    ) -> None:
        super().__init__()
        self._write, self._seconds = _WriteLines(folder, counted_as), seconds

    def expand(self, messages: beam.PCollection[PubsubMessage]) -> beam.PCollection[str]:
        """Build the steps."""
        return (
            messages
            | "Line" >> beam.Map(_line)
            | "Window"
            >> beam.WindowInto(
                window.FixedWindows(self._seconds),
                trigger=trigger.AfterWatermark(late=trigger.AfterCount(1)),
                accumulation_mode=trigger.AccumulationMode.DISCARDING,
                allowed_lateness=_LATENESS_SECONDS,
            )
            | "Group" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(self._write)
        )


def _line(message: PubsubMessage, time: Any = beam.DoFn.TimestampParam) -> tuple[None, bytes]:
    return None, json_record(message, time)


class _WriteLines(beam.DoFn):
    def __init__(self, folder: str, counted_as: str) -> None:
        self._folder, self._counted_as = folder, counted_as

    def process(
        self,
        lines: tuple[None, Iterable[bytes]],
        span: Any = beam.DoFn.WindowParam,
        pane: Any = beam.DoFn.PaneInfoParam,
    ) -> Iterator[str]:
        times = (time.to_utc_datetime() for time in (span.start, span.end))
        start, end = (f"{time:%Y%m%dT%H%M%S.%f}" for time in times)
        in_time = sorted(lines[1])  # a line begins with the event time
        text = b"".join(in_time)
        # The name depends on the messages only. Pane numbers restart from 0 with the stream, and
        # with each pipeline of a stream of bounded pipelines.
        digest = hashlib.blake2b(text, digest_size=8).hexdigest()
        path = os.path.join(self._folder, f"{start}-{end}-{pane.index:05d}-{digest}.jsonl")
        with disk_errors("the messages", path):
            files.write_whole(path, text)
        count(self._counted_as, len(in_time))
        yield path


class WriteToTopic(beam.PTransform):
    """Publishes messages with their attributes, ordering keys and, by option, event times.

    Beam 2.74's own WriteToPubSub drops ordering keys, and adds times only on Dataflow.

    Args:
      topic: "projects/PROJECT/topics/TOPIC".
      timestamp_attribute: the attribute for the event time, in milliseconds since 1970, from which
        Beam's ReadFromPubSub can read it; None writes no event time.
      counted_as: the counter of the messages, one of `counts`.
    """

    def __init__(
        self, topic: str, *, timestamp_attribute: str | None = None, counted_as: str = SCORED
    ) -> None:
        super().__init__()
        self._publish = _Publish(topic, timestamp_attribute, counted_as)

    def expand(self, messages: beam.PCollection[PubsubMessage]) -> beam.PCollection[Any]:
        """Build the steps."""
        return messages | "Publish" >> beam.ParDo(self._publish)


@functools.cache
def _publisher() -> Any:
    """Connect once for all bundles of a worker; connecting for each bundle takes too long."""
    from google.cloud import pubsub_v1

    return pubsub_v1.PublisherClient(
        publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
    )


class _Publish(beam.DoFn):
    """Hands messages to Pub/Sub's client, and waits at the end of a bundle until they are sent."""

    def __init__(self, topic: str, timestamp_attribute: str | None, counted_as: str) -> None:
        self._topic, self._timestamp_attribute = topic, timestamp_attribute
        self._counted_as = counted_as

    def setup(self) -> None:
        """Connect."""
        self._client = _publisher()

    def start_bundle(self) -> None:
        """Begin with no pending messages."""
        self._published: list[Any] = []

    def process(self, message: PubsubMessage, time: Any = beam.DoFn.TimestampParam) -> None:
        """Publish one message."""
        attributes = dict(message.attributes or {})
        if self._timestamp_attribute is not None:
            attributes[self._timestamp_attribute] = str(time.micros // 1000)
        future = self._client.publish(
            self._topic, message.data, ordering_key=message.ordering_key or "", **attributes
        )
        self._published.append(future)
        if len(self._published) >= _MOST_UNDER_WAY:
            self._wait()

    def finish_bundle(self) -> None:
        """Wait for Pub/Sub; a message that it refuses fails the bundle, which is then repeated."""
        self._wait()

    def _wait(self) -> None:
        try:
            for future in self._published:
                future.result()
        except Exception:
            _publisher.cache_clear()  # this client refuses more messages of a failed ordering key
            raise
        count(self._counted_as, len(self._published))
        self._published = []
