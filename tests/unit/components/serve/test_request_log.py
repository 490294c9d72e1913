"""Sampling, rotation, limits and failures of the request log, with files of plain bytes."""

import errno
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.serve import request_log
from components.serve.messages import Exchange
from components.serve.request_log import (
    RequestLog,
    RequestLogSettings,
    RotatedFiles,
    files,
    size_of,
)
from schemas.errors import ConfigError

ROWS = {"fare": np.zeros(2, np.float32)}


class Plain:
    """A writer of lines; `full` simulates a full disk."""

    full = False

    def __init__(self, path):
        self._file = open(path, "xb")  # noqa: SIM115

    def write(self, record):
        if Plain.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._file.write(record + b"\n")

    def flush(self):
        self._file.flush()

    def close(self):
        self._file.close()


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        self.now += 0.001
        return self.now


class Message:
    """Replaces a PredictionLog."""

    def __init__(self, exchange, **options):
        self.text = f"{exchange.rows}".encode()

    def SerializeToString(self):  # noqa: N802
        return self.text


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setattr(Plain, "full", False)
    monkeypatch.setattr(request_log, "_as_message", Message)
    return Plain


def exchange(rows=1, status=200, method="predict", outputs=ROWS):
    return Exchange("rest", method, "taxi", 1, "raw", rows, status, 0.1, "", ROWS, outputs)


def records(folder):
    return [
        line for name in files(str(folder)) for line in (folder / name).read_bytes().splitlines()
    ]


def test_a_file_is_partial_until_it_is_whole(tmp_path, plain, clock):
    rotated = RotatedFiles(RequestLogSettings(str(tmp_path)), plain, clock)
    rotated.write(b"a")
    rotated.flush()
    (name,) = os.listdir(tmp_path)
    assert name.endswith(".tfrecord.partial")
    assert (tmp_path / name).read_bytes() == b"a\n"  # readable, whatever happens to the process
    rotated.close()
    assert os.listdir(tmp_path) == [name.removesuffix(".partial")]


def test_a_new_file_begins_by_size_and_names_sort_by_time(tmp_path, plain, clock):
    rotated = RotatedFiles(RequestLogSettings(str(tmp_path), file_bytes=100), plain, clock)
    for i in range(10):
        rotated.write(b"%02d" % i + b"x" * 30)
    rotated.close()
    assert len(files(str(tmp_path))) == 5
    assert [line[:2] for line in records(tmp_path)] == [b"%02d" % i for i in range(10)]


def test_an_old_file_is_finished_even_if_nothing_comes(tmp_path, plain, clock):
    rotated = RotatedFiles(RequestLogSettings(str(tmp_path), file_seconds=60), plain, clock)
    rotated.write(b"a")
    clock.now += 59
    rotated.flush()
    assert [name for name in os.listdir(tmp_path) if name.endswith(".partial")]
    clock.now += 1
    rotated.flush()
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".partial")]


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(0, 600), max_size=40), most=st.integers(700, 4_000))
def test_the_folder_never_holds_more_than_it_may(tmp_path_factory, sizes, most):
    folder = tmp_path_factory.mktemp("log")
    (folder / "not ours.txt").write_bytes(b"x" * 5_000)
    rotated = RotatedFiles(RequestLogSettings(str(folder), max_bytes=most), Plain, Clock())
    for size in sizes:
        rotated.write(b"x" * size)
        rotated.flush()
        assert sum((folder / name).stat().st_size for name in files(str(folder))) <= most
    rotated.close()
    assert (folder / "not ours.txt").exists()
    if sizes:
        assert len(records(folder)[-1]) == sizes[-1]  # the newest stays


def test_only_what_was_answered_is_logged(tmp_path, plain, clock):
    log = RequestLog(RequestLogSettings(str(tmp_path)), plain, clock)
    log.answered(exchange(1))
    log.answered(exchange(2, status=400, outputs=None))
    log.answered(exchange(3, method="status"))
    log.answered(exchange(4, method="multi_inference"))
    log.answered(exchange(5, method="classify"))
    log.close()
    assert records(tmp_path) == [b"1", b"5"]
    assert (log.written, log.dropped, log.failed) == (2, 0, 0)


@pytest.mark.parametrize(("sample", "low", "high"), [(0, 0, 0), (0.25, 200, 300), (1, 1000, 1000)])
def test_the_sample_has_the_configured_size(tmp_path, plain, clock, sample, low, high):
    log = RequestLog(RequestLogSettings(str(tmp_path), sample=sample, seed=1), plain, clock)
    for _ in range(1_000):
        log.answered(exchange())
    log.close()
    assert low <= log.written <= high


def test_a_seed_gives_the_same_sample(tmp_path, plain, clock):
    def logged(folder):
        log = RequestLog(RequestLogSettings(str(folder), sample=0.5, seed=7), plain, clock)
        for rows in range(50):
            log.answered(exchange(rows))
        log.close()
        return records(folder)

    assert logged(tmp_path / "a") == logged(tmp_path / "b")
    assert 0 < len(records(tmp_path / "a")) < 50


def test_a_full_disk_turns_it_off_and_it_comes_back(tmp_path, plain, clock, caplog):
    caplog.set_level("INFO")
    log = RequestLog(RequestLogSettings(str(tmp_path)), plain, clock)
    work = log._write  # the thread's function, called here so that nothing depends on timing
    plain.full = True
    work([(exchange(1), 0.0), (exchange(2), 0.0)])
    assert (log.written, log.failed, log.failing) == (0, 2, True)
    assert os.listdir(tmp_path) == []  # otherwise each retry leaves an empty file
    plain.full = False
    work([(exchange(3), 0.0)])  # too early
    assert log.failed == 3
    clock.now += 31
    work([(exchange(4), 0.0)])
    assert (log.written, log.failed, log.failing) == (1, 3, False)
    log.close()
    assert records(tmp_path) == [b"4"]
    assert caplog.text.count("the request log is off") == 1
    assert "written again" in caplog.text


def test_a_folder_that_cannot_be_made_harms_nobody(tmp_path, plain, clock):
    (tmp_path / "file").write_text("in the way")
    log = RequestLog(RequestLogSettings(str(tmp_path / "file" / "logs")), plain, clock)
    log.answered(exchange())
    log.close()
    assert (log.written, log.failed, log.failing) == (0, 1, True)


def test_a_record_larger_than_the_log_is_left_out(tmp_path, plain, clock):
    log = RequestLog(RequestLogSettings(str(tmp_path), max_bytes=19), plain, clock)
    log.answered(exchange(123_456))
    log.answered(exchange(7))
    log.close()
    assert records(tmp_path) == [b"7"]
    assert (log.written, log.failed, log.failing) == (1, 1, False)


def test_a_request_that_no_message_can_hold_is_left_out(
    tmp_path, plain, clock, monkeypatch, caplog
):
    def convert(exchange, **options):
        if exchange.rows == 1:
            raise KeyError("float16")
        return Message(exchange)

    monkeypatch.setattr(request_log, "_as_message", convert)
    log = RequestLog(RequestLogSettings(str(tmp_path)), plain, clock)
    for rows in (1, 2, 1, 3):
        log.answered(exchange(rows))
    log.close()
    assert records(tmp_path) == [b"2", b"3"]
    assert (log.written, log.failed, log.failing) == (2, 2, False)
    assert caplog.text.count("cannot be written as a PredictionLog") == 1


def test_text_weighs_what_it_holds():
    text = np.array([b"x" * 1_000, b""], object)
    big = Exchange("rest", "predict", "m", 1, "s", 2, 200, 0.1, "", {"t": text}, ROWS)
    assert size_of(big) == 1_000 + text.nbytes + 8


@pytest.mark.parametrize(
    "wrong", [{"sample": 1.1}, {"sample": -0.1}, {"max_bytes": 0}, {"file_seconds": 0}]
)
def test_settings_that_cannot_be_are_refused(tmp_path, wrong):
    with pytest.raises(ConfigError, match="request"):
        RequestLogSettings(str(tmp_path), **wrong)
