"""Failing requests are repeated for a limited time; after one was given up, not at all."""

import contextlib

import pytest

from components import store_patience
from components.store_errors import NO_ANSWER
from components.store_patience import VARIABLE, limited
from schemas.errors import ConfigError, StoreError


@pytest.fixture(autouse=True)
def answering(monkeypatch):
    monkeypatch.setattr(store_patience, "_silent", set())


def ask(scheme, error=None):
    """Return for how long an operation is repeated, which then fails."""
    with contextlib.suppress(StoreError), limited(scheme) as seconds:
        if error:
            raise StoreError(error)
    return seconds


def test_the_time_is_the_environments(monkeypatch):
    assert ask("gs://") == 60
    monkeypatch.setenv(VARIABLE, "10")
    assert ask("gs://") == 10


def test_a_store_that_was_given_up_is_asked_once_until_it_answers():
    assert ask("gs://")
    ask("gs://", "the store refuses: 403")
    assert ask("gs://")
    ask("gs://", f"{NO_ANSWER}: no route")
    assert ask("s3://")
    assert not ask("gs://")  # but it succeeds
    assert ask("gs://")


def test_a_store_without_such_an_object_has_answered():
    ask("gs://", f"{NO_ANSWER}: no route")
    with pytest.raises(FileNotFoundError), limited("gs://") as seconds:
        raise FileNotFoundError
    assert seconds == 0
    assert ask("gs://") == 60


def test_an_invalid_time(monkeypatch):
    monkeypatch.setenv(VARIABLE, "soon")
    with pytest.raises(ConfigError, match="'soon'"), limited("gs://"):
        pass
