"""What fails is tried again for so long, and no longer; what was given up before, not at all."""

import contextlib
import time

import pytest

from components import store_patience
from components.store_errors import NO_ANSWER
from components.store_patience import VARIABLE, Limit, limited
from schemas.errors import ConfigError, StoreError


@pytest.fixture
def clock(monkeypatch):
    """The time, which tests set."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture(autouse=True)
def answering(monkeypatch):
    monkeypatch.setattr(store_patience, "_silent", set())


class TenPauses:
    def __iter__(self):
        yield from [4.0, 8.0] * 5


def pauses(clock):
    """Return the pauses between attempts that fail at once."""
    made = []
    for pause in store_patience._limited_pauses(TenPauses)():
        made.append(pause)
        clock[0] += pause
    return made


def test_the_time_is_that_of_failures_on_end(clock):
    limit = Limit(60)
    clock[0] += 3_600  # of an upload that goes well
    assert not limit.is_over()
    clock[0] += 59
    assert not limit.is_over()
    clock[0] += 1
    assert limit.is_over()
    clock[0] += 3_600  # it went on after all
    assert not limit.is_over()


def test_beams_pauses_are_cut_short_for_stores_alone(clock, monkeypatch):
    monkeypatch.setenv(VARIABLE, "10")
    assert sum(pauses(clock)) == 60
    with limited("s3://"):
        assert pauses(clock) == [4, 5, 4]


def test_googles_predicate_ends_with_the_limit(clock):
    again = store_patience._unless_over(lambda error: error != "fatal")
    assert again("busy")
    with limited("gs://"):
        assert not again("fatal")
        assert again("busy")
        clock[0] += 61
        assert not again("busy")
    assert again("busy")


def test_a_store_that_was_given_up_is_asked_once_until_it_answers(clock):
    def ask(scheme, error=None):
        made = []
        with contextlib.suppress(StoreError), limited(scheme):
            made += pauses(clock)
            if error:
                raise StoreError(error)
        return made

    assert ask("gs://")
    ask("gs://", "the store refuses: 403")
    assert ask("gs://")
    ask("gs://", f"{NO_ANSWER}: no route")
    assert ask("s3://")
    assert not ask("gs://")  # but it answers
    assert ask("gs://")


def test_a_time_that_is_none(monkeypatch):
    monkeypatch.setenv(VARIABLE, "soon")
    with pytest.raises(ConfigError, match="'soon'"), limited("gs://"):
        pass
