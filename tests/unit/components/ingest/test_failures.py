"""Errors that a worker kept are raised again unchanged."""

import errno

import pytest

from components.ingest.failures import disk_errors, keep_failure, kept_failure, reserve
from schemas.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path):
    reserve(str(tmp_path))
    return str(tmp_path)


def test_nothing_failed(folder):
    with keep_failure(folder, "the scores"):
        pass
    assert kept_failure(folder) is None


@pytest.mark.parametrize("kind", [ConfigError, DataError])
def test_an_error_comes_back_as_it_was(folder, kind):
    error = kind("what ünd", where="here", expected="that", remedy="this")
    with pytest.raises(kind), keep_failure(folder, "the scores"):
        raise error
    kept = kept_failure(folder)
    assert type(kept) is kind
    assert str(kept) == str(error)


def test_the_last_error_counts_and_leaves_nothing_of_the_first(folder):
    for what in ("a long first error" * 10, "second"):
        with pytest.raises(DataError), keep_failure(folder, "the scores"):
            raise DataError(what)
    assert str(kept_failure(folder)) == "second"


def test_a_very_long_error_is_cut(folder):
    with pytest.raises(DataError), keep_failure(folder, "the scores"):
        raise DataError("\U0001f600" * 100_000, where="日" * 100_000)
    assert str(kept_failure(folder)).startswith("\U0001f600" * 1000)


def test_a_full_disk_is_reported_with_what_was_written(folder):
    says = "the scores cannot be written: .*No space left on device"
    with pytest.raises(DataError, match=says), keep_failure(folder, "the scores"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "has room" in str(kept_failure(folder))


def test_faults_of_the_program_are_left_alone(folder):
    with pytest.raises(ZeroDivisionError), keep_failure(folder, "the scores"):
        _ = 1 / 0
    assert kept_failure(folder) is None
    with pytest.raises(ZeroDivisionError), disk_errors("the scores", folder):
        _ = 1 / 0
