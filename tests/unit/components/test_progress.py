"""What stages report about themselves, as a handler receives it."""

import logging

import pytest

from components import progress
from components.progress import Event


@pytest.fixture
def heard():
    """The received events, in order."""
    events = []

    class Listener(logging.Handler):
        def emit(self, record):
            events.append(record.event)

    listener = Listener()
    level = progress.LOGGER.level
    progress.LOGGER.addHandler(listener)
    progress.LOGGER.setLevel(logging.INFO)
    yield events
    progress.LOGGER.removeHandler(listener)
    progress.LOGGER.setLevel(level)


def test_a_stage_is_reported_from_start_to_end(heard):
    with progress.stage("ingest"):
        progress.rows("ingest", 7)
        progress.metrics("ingest", loss=0.5)
        progress.note("ingest", rejected=2, reason="x")
    start, rows, metrics, note, done = heard
    assert start == Event("ingest", "start")
    assert rows == Event("ingest", "rows", rows=7)
    assert metrics == Event("ingest", "metrics", values={"loss": 0.5})
    assert note == Event("ingest", "note", values={"rejected": 2, "reason": "x"})
    assert (done.stage, done.kind) == ("ingest", "done")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failing_stage_is_reported_and_its_error_is_raised(heard, error):
    with pytest.raises(error), progress.stage("train"):
        raise error
    assert [(e.stage, e.kind) for e in heard] == [("train", "start"), ("train", "failed")]


def test_seconds_are_those_between_start_and_end(heard, monkeypatch):
    now = iter([10.0, 12.5, 20.0, 21.0])
    monkeypatch.setattr("components.progress.time.monotonic", lambda: next(now))
    with progress.stage("a"):
        pass
    with pytest.raises(ValueError), progress.stage("b"):  # noqa: PT011
        raise ValueError
    assert [(e.kind, e.seconds) for e in heard] == [
        ("start", 0.0),
        ("done", 2.5),
        ("start", 0.0),
        ("failed", 1.0),
    ]


def test_a_log_without_a_listener_reads_as_text(caplog):
    caplog.set_level(logging.INFO, "skewless.progress")
    progress.rows("ingest", 3)
    assert caplog.messages == ["ingest rows"]


def test_a_stage_may_be_reported_as_one_of_several_nodes(heard):
    with progress.reported_as("ingest", "ingest_7"), progress.stage("ingest"):
        progress.rows("statistics", 1)
    with progress.stage("ingest"):
        pass
    assert [e.stage for e in heard] == ["ingest_7", "statistics", "ingest_7", "ingest", "ingest"]
