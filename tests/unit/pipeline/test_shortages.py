"""A full disk and too little memory give the same errors, whatever a library makes of them."""

import errno
import os
import resource
import sqlite3

import pytest

from pipeline import shortages
from pipeline.shortages import noticing_shortages, shortage
from schemas.errors import ConfigError, DataError, SkewlessError


def refused(number, path=None):
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    "error",
    [
        refused(errno.ENOSPC),
        refused(errno.EDQUOT),
        refused(errno.EFBIG),
        sqlite3.OperationalError("database or disk is full"),
        RuntimeError("IOError: [Errno 28] No space left on device [while running 'Write']"),
    ],
)
def test_a_full_disk_is_an_error_of_data(error):
    found = shortage("transform failed", error, "/runs/taxi")
    assert type(found) is DataError
    assert (found.what, found.where) == ("transform failed: the disk is full", "/runs/taxi")
    assert found.exit_code == 3


def test_a_full_disk_is_named_by_the_file_where_that_is_known():
    found = shortage("export failed", refused(errno.ENOSPC, "/mnt/saved_model.pb"), "/runs/taxi")
    assert found is not None
    assert found.where == "/mnt/saved_model.pb"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        refused(errno.ENOMEM),
        ImportError("libtensorflow.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
)
def test_too_little_memory_is_reported_as_such(error, monkeypatch):
    monkeypatch.setattr(shortages, "limited", dict)
    found = shortage("train failed", error)
    assert found is not None
    assert found.what == "train failed: there is not enough memory"
    assert found.exit_code == 1


def test_a_limit_on_memory_is_named_with_the_command_that_lifts_it(monkeypatch):
    limits = {resource.RLIMIT_AS: 2 << 30, resource.RLIMIT_DATA: resource.RLIM_INFINITY}
    monkeypatch.setattr(resource, "getrlimit", lambda number: (limits[number], -1))
    found = shortage("imports failed", MemoryError())
    assert found is not None
    assert found.what == "imports failed: the memory that a process may reserve is too small"
    assert found.where == "ulimit -v: 2,097,152 KiB"
    assert found.remedy is not None
    assert found.remedy.startswith("ulimit -v unlimited")


def copied():
    try:
        raise refused(errno.ENOSPC)
    except OSError as error:
        raise RuntimeError("it cannot be copied") from error


def test_the_reason_of_an_error_counts_too():
    full = pytest.raises(DataError, match="push failed: the disk is full")
    with full, noticing_shortages("push failed"):
        copied()


@pytest.mark.parametrize(
    "error",
    [
        refused(errno.EACCES),
        RuntimeError("boom"),
        ConfigError("x", where="No space left on device"),  # reported already
        SkewlessError("the examples cannot be written: No space left on device"),
    ],
)
def test_any_other_error_is_left_as_it_is(error):
    with pytest.raises(type(error)) as caught, noticing_shortages("run failed"):
        raise error
    assert caught.value is error
