"""Pulls messages of a Pub/Sub subscription in batches, for a stream in this process.

A batch is acknowledged when the caller asks for the next one, and not before. Messages that are not
acknowledged at the end are returned to Pub/Sub. The leases of waiting messages are renewed, and
only as many are pulled as fit in memory.

Google's `SubscriberClient.subscribe` delivers the second message of an ordering key only after the
first is acknowledged, so a batch could never have two.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from google.api_core import exceptions, retry
from google.auth.exceptions import GoogleAuthError

from schemas.errors import ConfigError

LOGGER = logging.getLogger(__name__)
MAX_MESSAGES = 10_000  # in a batch; as many more are pulled meanwhile
MAX_BYTES = 64 << 20  # the same for bytes
LEASE_SECONDS = 60  # after this time without renewal, as when a stream is killed, messages return
_RENEW_SECONDS = LEASE_SECONDS / 4
_POLL_SECONDS = LEASE_SECONDS / 4  # how long a request may wait for messages
_PER_REQUEST = 1_000  # messages; Pub/Sub accepts requests of 512 KB
_CLOSING_SECONDS = 5.0
_WARN_SECONDS = 60.0
# Event times that datetime supports, and the windows around them: years 2 to 9998.
_FIRST, _LAST = Timestamp(-62_100_000_000), Timestamp(253_300_000_000)
_PASSING = (
    exceptions.Aborted,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
    exceptions.Unknown,
)


@dataclass(frozen=True)
class _Held:
    """A leased message; `arrived` is on the clock of `time.monotonic`."""

    ack_id: str
    element: TimestampedValue
    size: int
    arrived: float


def _connected() -> Any:
    from google.cloud import pubsub_v1

    try:
        return pubsub_v1.SubscriberClient()
    except GoogleAuthError as error:
        raise ConfigError(
            f"Pub/Sub is not available: {error}",
            where="--subscription",
            remedy="log in with `gcloud auth application-default login`, or name a service"
            " account's key in GOOGLE_APPLICATION_CREDENTIALS",
        ) from error


class Subscription:
    """A subscription whose messages a thread pulls ahead; a context manager.

    Args:
      name: projects/PROJECT/subscriptions/NAME.
      timestamp_attribute: the attribute with a message's event time; without a valid one, the time
        of publishing is used.
      connect: creates a Pub/Sub client.
      warn: called when Pub/Sub does not answer; the request is repeated.
      check: called before and while waiting for a batch; what it raises ends the batches.

    Raises:
      ConfigError: there are no credentials for Google Cloud.
    """

    def __init__(
        self,
        name: str,
        *,
        timestamp_attribute: str | None = None,
        connect: Callable[[], Any] = _connected,
        warn: Callable[[str], None] = LOGGER.warning,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._name, self._timestamp_attribute = name, timestamp_attribute
        self._warn, self._check = warn, check
        # One client waits for messages, and is closed first: it would receive returned messages.
        self._puller, self._client = connect(), connect()
        self._arrived: deque[_Held] = deque()
        self._leased: dict[str, float] = {}  # time of the last lease, by acknowledgement id
        self._bytes = 0  # of all leased messages
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._failure: BaseException | None = None
        self._warned = float("-inf")
        self._thread = threading.Thread(target=self._take_ahead, name="pubsub", daemon=True)

    def __enter__(self) -> Subscription:
        """Begin to pull messages."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop pulling, and return messages that are not acknowledged."""
        self._closing.set()
        self._puller.close()
        self._thread.join(_CLOSING_SECONDS)
        with self._changed:
            ours = list(self._leased)
        try:
            for ids in _requests(ours):
                self._client.modify_ack_deadline(
                    subscription=self._name,
                    ack_ids=ids,
                    ack_deadline_seconds=0,
                    timeout=_CLOSING_SECONDS,
                )
        except (exceptions.GoogleAPIError, ValueError):
            LOGGER.warning("messages return when their lease is over", exc_info=True)
        self._client.close()

    def batches(
        self, due: Callable[[float], float], until: float = float("inf")
    ) -> Iterator[list[TimestampedValue]]:
        """Yield batches of messages with their event times; continuing acknowledges the last one.

        Args:
          due: returns the latest time for a batch from the time when its first message came; both,
            and `until`, are on the clock of `time.monotonic`.
          until: when to stop pulling.

        Raises:
          ConfigError: there is no such subscription, or reading it is not allowed.
        """
        while batch := self._gather(due, until):
            yield [held.element for held in batch]
            self._acknowledge(batch)

    def _gather(self, due: Callable[[float], float], until: float) -> list[_Held]:
        """Return the next batch; empty when the time is over."""
        self._check()
        with self._changed:
            while not self._arrived and time.monotonic() < until:
                self._await(until)
            if self._arrived:
                latest = min(due(self._arrived[0].arrived), until)
                while not self._is_full() and time.monotonic() < latest:
                    self._await(latest)
            if time.monotonic() >= until:
                self._closing.set()
            return self._taken()

    def _await(self, latest: float) -> None:
        """Wait for new messages, or for a moment."""
        self._check()
        if self._failure is not None:
            raise _refused(self._name, self._failure) from self._failure
        # without a timeout, Python would not notice signals on every system
        self._changed.wait(min(latest - time.monotonic(), _POLL_SECONDS))

    def _is_full(self) -> bool:
        return len(self._arrived) >= MAX_MESSAGES or (
            sum(held.size for held in self._arrived) >= MAX_BYTES
        )

    def _taken(self) -> list[_Held]:
        batch: list[_Held] = []
        size = 0
        while self._arrived and len(batch) < MAX_MESSAGES and size < MAX_BYTES:
            batch.append(self._arrived.popleft())
            size += batch[-1].size
        return batch

    def _acknowledge(self, batch: Sequence[_Held]) -> None:
        for ids in _requests([held.ack_id for held in batch]):
            self._client.acknowledge(subscription=self._name, ack_ids=ids, retry=self._again())
        with self._changed:
            for held in batch:
                self._leased.pop(held.ack_id, None)
                self._bytes -= held.size

    # ------------------------------------------------------------------------------ in the thread

    def _take_ahead(self) -> None:
        try:
            while not self._closing.is_set():
                self._pull()
                self._renew()
        except Exception as error:  # noqa: BLE001 - raised again when a batch is requested
            with self._changed:
                self._failure = None if self._closing.is_set() else error
                self._changed.notify_all()

    def _pull(self) -> None:
        room = 2 * MAX_MESSAGES - len(self._leased) if self._bytes < 2 * MAX_BYTES else 0
        if room <= 0:
            self._closing.wait(0.05)
            return
        try:
            response = self._puller.pull(
                subscription=self._name,
                max_messages=min(room, _PER_REQUEST),
                timeout=_POLL_SECONDS,
                retry=self._again(exceptions.DeadlineExceeded),
            )
        except exceptions.DeadlineExceeded:
            return  # there are none
        now = time.monotonic()
        pulled = [self._held(received, now) for received in response.received_messages]
        if pulled:
            with self._changed:
                self._leased |= {held.ack_id: now for held in pulled}
                self._bytes += sum(held.size for held in pulled)
            self._lease([held.ack_id for held in pulled])
            with self._changed:
                self._arrived.extend(pulled)
                self._changed.notify_all()

    def _held(self, received: Any, now: float) -> _Held:
        message = received.message
        attributes = dict(message.attributes)
        time_of_it = event_time(attributes, self._timestamp_attribute, message.publish_time)
        element = PubsubMessage(message.data, attributes, ordering_key=message.ordering_key)
        size = len(message.data) + sum(len(k) + len(v) for k, v in attributes.items())
        return _Held(received.ack_id, TimestampedValue(element, time_of_it), size, now)

    def _renew(self) -> None:
        old = time.monotonic() - _RENEW_SECONDS
        with self._changed:
            ids = [ack_id for ack_id, since in self._leased.items() if since < old]
        self._lease(ids)

    def _lease(self, ack_ids: Sequence[str]) -> None:
        for ids in _requests(ack_ids):
            self._client.modify_ack_deadline(
                subscription=self._name,
                ack_ids=ids,
                ack_deadline_seconds=LEASE_SECONDS,
                retry=self._again(),
            )
        now = time.monotonic()
        with self._changed:  # some may have been acknowledged meanwhile
            self._leased |= {ack_id: now for ack_id in ack_ids if ack_id in self._leased}

    def _again(self, *not_for: type[Exception]) -> retry.Retry:
        """Return the retry policy of requests: without a limit, unless Pub/Sub refuses."""
        kinds = tuple(kind for kind in _PASSING if kind not in not_for)
        return retry.Retry(
            predicate=lambda error: isinstance(error, kinds) and not self._closing.is_set(),
            initial=0.5,
            maximum=_POLL_SECONDS,
            timeout=None,
            on_error=self._tell,
        )

    def _tell(self, error: Exception) -> None:
        if time.monotonic() - self._warned >= _WARN_SECONDS:
            self._warned = time.monotonic()
            self._warn(f"Pub/Sub does not answer, and the request is repeated: {error}")


def _refused(name: str, error: BaseException) -> BaseException:
    if not isinstance(error, exceptions.GoogleAPIError | GoogleAuthError):
        return error
    return ConfigError(
        f"Pub/Sub refuses the messages: {error}",
        where=name,
        expected="an existing subscription, and permission to read it (roles/pubsub.subscriber)",
    )


def _requests(ack_ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield identifiers in groups that fit into a request."""
    for start in range(0, len(ack_ids), _PER_REQUEST):
        yield list(ack_ids[start : start + _PER_REQUEST])


def event_time(attributes: dict[str, str], name: str | None, published: Any) -> Timestamp:
    """Return a message's event time by the rules of Beam's ReadFromPubSub.

    Args:
      attributes: the message's.
      name: the attribute with milliseconds since 1970, or a time as in RFC 3339.
      published: the time of publishing, which is used if the attribute has no time.
    """
    text = attributes.get(name, "") if name is not None else ""
    time_of_it = _milliseconds(text) or _rfc3339(text)
    if time_of_it is None or not _FIRST <= time_of_it <= _LAST:
        return Timestamp.from_utc_datetime(published)
    return time_of_it


def _milliseconds(text: str) -> Timestamp | None:
    try:
        return Timestamp(micros=int(text) * 1000)
    except ValueError:
        return None


def _rfc3339(text: str) -> Timestamp | None:
    try:
        return Timestamp.from_rfc3339(text)
    except ValueError:
        return None


def after(seconds: float) -> Callable[[float], float]:
    """Return when a batch is due whose messages may wait this long."""
    return lambda first: first + seconds


def at_end_of_window(seconds: float) -> Callable[[float], float]:
    """Return when a batch for a window's file is due: when the window is over."""

    def due(first: float) -> float:
        first_on_the_wall = time.time() - (time.monotonic() - first)
        return first + seconds - first_on_the_wall % seconds

    return due
