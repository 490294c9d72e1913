"""Messages of a subscription are leased while they are processed, and acknowledged afterwards."""

import contextlib
import threading
import time
from collections import defaultdict
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest
from apache_beam.utils.timestamp import Timestamp
from google.api_core import exceptions

from components.score import subscription
from components.score.subscription import Subscription, after, at_end_of_window, event_time
from schemas.errors import ConfigError

pytestmark = pytest.mark.component
NAME = "projects/p/subscriptions/s"
PUBLISHED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


class Client:
    """Pub/Sub with some messages; a pull may give an error.

    Attributes:
      acknowledged: identifiers.
      deadlines: for each identifier, the requested leases.
    """

    def __init__(self, *answers):
        self._answers = list(answers)
        self._closed = threading.Event()
        self.acknowledged: list[str] = []
        self.deadlines: defaultdict[str, list[int]] = defaultdict(list)

    def pull(self, *, subscription, max_messages, timeout, retry):
        assert subscription == NAME
        latest = time.monotonic() + timeout
        while not self._answers:
            if self._closed.wait(0.01):
                raise ValueError("Cannot invoke RPC on closed channel!")
            if time.monotonic() > latest:
                raise exceptions.DeadlineExceeded("no messages")
        return retry(self._answer)(max_messages)

    def _answer(self, most):
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if len(answer) > most:
            self._answers.insert(0, answer[most:])
        return SimpleNamespace(received_messages=answer[:most])

    def acknowledge(self, *, subscription, ack_ids, retry):
        self.acknowledged += ack_ids

    def modify_ack_deadline(self, *, subscription, ack_ids, ack_deadline_seconds, **_):
        for ack_id in ack_ids:
            self.deadlines[ack_id].append(ack_deadline_seconds)

    def close(self):
        self._closed.set()


def received(*numbers, data=b"{}", attributes=None):
    return [
        SimpleNamespace(
            ack_id=str(number),
            message=SimpleNamespace(
                data=data, attributes=attributes or {}, ordering_key="k", publish_time=PUBLISHED
            ),
        )
        for number in numbers
    ]


def taken(client, due, **options):
    """Return the sizes of the batches until the time is over."""
    with Subscription(NAME, connect=lambda: client) as messages:
        return [len(batch) for batch in messages.batches(due, **options)]


def soon(seconds=0.3):
    return time.monotonic() + seconds


def test_a_check_that_raises_ends_the_batches_after_the_last_is_acknowledged():
    client = Client(received(1))
    pressed = threading.Event()

    def check():
        if pressed.is_set():
            raise KeyboardInterrupt

    with Subscription(NAME, connect=lambda: client, check=check) as messages:
        batches = messages.batches(after(0.0))
        next(batches)
        pressed.set()
        with pytest.raises(KeyboardInterrupt):
            next(batches)
    assert client.acknowledged == ["1"]


def test_messages_are_acknowledged_when_their_batch_is_done_with():
    client = Client(received(1, 2), received(3))
    with Subscription(NAME, connect=lambda: client) as messages:
        batches = messages.batches(after(0.1))
        (first, *_) = next(batches)
        assert (first.value.data, first.value.ordering_key) == (b"{}", "k")
        assert first.timestamp == Timestamp.from_utc_datetime(PUBLISHED)
        assert client.acknowledged == []
        client._answers.append(received(4))
        next(batches)
        assert client.acknowledged == ["1", "2", "3"]
    # the last batch was not finished: it is returned at once
    assert client.acknowledged == ["1", "2", "3"]
    assert client.deadlines == {
        **{number: [subscription.LEASE_SECONDS] for number in ("1", "2", "3")},
        "4": [subscription.LEASE_SECONDS, 0],
    }


def test_what_fails_in_a_batch_goes_back():
    client = Client(received(1))
    with contextlib.suppress(LookupError), Subscription(NAME, connect=lambda: client) as messages:
        next(messages.batches(after(0.0)))
        raise LookupError
    assert (client.acknowledged, client.deadlines["1"][-1]) == ([], 0)


def test_a_batch_waits_for_others_no_longer_than_it_may():
    assert taken(Client(received(1), received(2), received(3)), after(0.2), until=soon()) == [3]
    assert taken(Client(received(1)), after(60.0), until=soon()) == [1]


def test_a_batch_is_given_when_it_is_full(monkeypatch):
    monkeypatch.setattr(subscription, "MAX_MESSAGES", 2)
    assert taken(Client(received(1, 2, 3, 4, 5)), after(60.0), until=soon(1.0)) == [2, 2, 1]
    monkeypatch.setattr(subscription, "MAX_BYTES", 1_000)
    large = received(1, 2, 3, data=bytes(1_000))
    assert taken(Client(large), after(60.0), until=soon(1.0)) == [1, 1, 1]


def test_no_more_is_held_than_twice_a_batch(monkeypatch):
    monkeypatch.setattr(subscription, "MAX_MESSAGES", 2)
    client = Client(received(*range(10)))
    with Subscription(NAME, connect=lambda: client) as messages:
        batches = messages.batches(after(60.0))
        next(batches)
        time.sleep(0.2)
        assert sorted(client.deadlines) == ["0", "1", "2", "3"]


def test_leases_are_renewed_while_a_batch_is_worked_on(monkeypatch):
    monkeypatch.setattr(subscription, "_RENEW_SECONDS", 0.05)
    monkeypatch.setattr(subscription, "_POLL_SECONDS", 0.05)
    client = Client(received(1))
    with Subscription(NAME, connect=lambda: client) as messages:
        batches = messages.batches(after(0.0), soon(1.0))
        next(batches)
        time.sleep(0.5)
        held = len(client.deadlines["1"])
        assert held >= 3
        assert list(batches) == []
        assert client.acknowledged == ["1"]
    assert client.deadlines["1"][-1] == subscription.LEASE_SECONDS  # none of them was returned


def test_pubsub_that_does_not_answer_is_asked_again(monkeypatch):
    client = Client(exceptions.ServiceUnavailable("try later"), received(1))
    warnings: list[str] = []
    with Subscription(NAME, connect=lambda: client, warn=warnings.append) as messages:
        assert len(next(messages.batches(after(0.0)))) == 1
    assert warnings == ["Pub/Sub does not answer, and the request is repeated: 503 try later"]


def test_pubsub_that_refuses_is_an_error_with_the_subscriptions_name():
    client = Client(exceptions.NotFound("no such subscription"))
    with (
        pytest.raises(ConfigError, match="no such subscription") as caught,
        Subscription(NAME, connect=lambda: client) as messages,
    ):
        next(messages.batches(after(0.0)))
    assert caught.value.where == NAME


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1700000000123", 1_700_000_000.123),
        ("2023-11-14T22:13:20.5Z", 1_700_000_000.5),
        ("0", 0),
        ("-1000", -1),
        ("", None),
        ("soon", None),
        ("9" * 18, None),  # a year beyond every calendar
        ("9" * 5_000, None),
    ],
)
def test_without_a_valid_time_the_time_of_publishing_counts(text, seconds):
    published = Timestamp.from_utc_datetime(PUBLISHED)
    expected = published if seconds is None else Timestamp(seconds)
    assert event_time({"at": text}, "at", PUBLISHED) == expected
    assert event_time({"at": text}, None, PUBLISHED) == published
    assert event_time({}, "at", PUBLISHED) == published


def test_a_batch_for_a_file_of_a_window_is_due_at_the_windows_end(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 130.0)
    monkeypatch.setattr(time, "monotonic", lambda: 1_000.0)
    assert at_end_of_window(60.0)(1_000.0) == 1_050.0  # at 180
    assert at_end_of_window(60.0)(985.0) == 990.0  # it came at 115, so it is due at 120
