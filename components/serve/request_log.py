"""The request log: a sample of requests with their answers, as TFRecords of PredictionLog.

The files sort by time and end in `.partial` until they are complete; the oldest are removed when
the total size exceeds its limit. No request waits for the log. What was written stays readable if
the process is killed. A full disk, or a folder without write permission, turns the log off; this is
reported, and tried again later.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Protocol

from components.serve import routes
from components.serve.background import Background
from components.serve.messages import Arrays, Exchange
from schemas.errors import ConfigError

PARTIAL = ".partial"

_NAME = re.compile(r"requests-\d{8}T\d{6}\.\d{6}Z-\d+\.tfrecord(\.partial)?")
_MOST_WAITING = 64 << 20  # bytes of inputs and outputs
_RETRY_SECONDS = 30.0

_FRAME = 16  # bytes that the format adds to a record

_logger = logging.getLogger(__name__)


class Writer(Protocol):
    """A file of records; raises OSError if it cannot be written."""

    def write(self, record: bytes) -> None:
        """Append a record."""

    def flush(self) -> None:
        """Flush to the operating system, so that the records survive this process."""

    def close(self) -> None:
        """Finish the file."""


@dataclass(frozen=True)
class RequestLogSettings:
    """The location and the limits of the request log.

    Attributes:
      folder: the folder of the files; created if necessary.
      sample: the share of requests that are logged, 0 to 1.
      max_bytes: the largest total size of the files.
      file_bytes: the size after which a new file begins.
      file_seconds: the age after which a new file begins.
      seed: the seed of the sample; None for a random one.
    """

    folder: str
    sample: float = 1.0
    max_bytes: int = 1 << 30
    file_bytes: int = 64 << 20
    file_seconds: float = 3_600.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.sample <= 1:
            raise ConfigError(
                f"the share of requests to log is {self.sample}", expected="a number from 0 to 1"
            )
        for name in ("max_bytes", "file_bytes", "file_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(
                    f"{name} of the request log is {getattr(self, name)}", expected="more than 0"
                )


class RotatedFiles:
    """Writes records to files in a folder, with a limit on their total size.

    Args:
      settings: the location and the limits.
      open_writer: opens a new file.
      clock: seconds since 1970.
    """

    def __init__(
        self,
        settings: RequestLogSettings,
        open_writer: Callable[[str], Writer],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        # At least four files, so that removing the oldest one loses little.
        self._file_bytes = min(settings.file_bytes, max(1, settings.max_bytes // 4))
        self._open_writer = open_writer
        self._clock = clock
        self._writer: Writer | None = None
        self._path = ""
        self._bytes = 0
        self._began = 0.0

    def write(self, record: bytes) -> None:
        """Append a record; starts a new file if the current one is full.

        Args:
          record: must not be larger than the limit for all files.

        Raises:
          OSError: writing fails; the file is abandoned.
        """
        size = len(record) + _FRAME
        with self._given_up_on_error():
            if self._writer is not None and self._bytes + size > self._file_bytes:
                self.close()
            if self._writer is None:
                self._open(size)
            assert self._writer is not None
            self._writer.write(record)
            self._bytes += size

    def flush(self) -> None:
        """Flush to the operating system; finish a file that is old enough.

        Raises:
          OSError: writing fails; the file is abandoned.
        """
        if self._writer is None:
            return
        with self._given_up_on_error():
            if self._clock() - self._began >= self._settings.file_seconds:
                self.close()
            else:
                self._writer.flush()

    def close(self) -> None:
        """Finish the file, if there is one.

        Raises:
          OSError: finishing fails; the file remains as `.partial`.
        """
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            os.replace(self._path, self._path.removesuffix(PARTIAL))

    def _open(self, size: int) -> None:
        os.makedirs(self._settings.folder, exist_ok=True)
        self._make_room(max(size, self._file_bytes))
        self._began = self._clock()
        at = datetime.fromtimestamp(self._began, timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"requests-{at}-{os.getpid()}.tfrecord{PARTIAL}"
        self._path = os.path.join(self._settings.folder, name)
        self._writer = self._open_writer(self._path)
        self._bytes = 0

    def _make_room(self, size: int) -> None:
        """Remove the oldest files until a record of this size fits."""
        sizes = {}
        for name in files(self._settings.folder):
            path = os.path.join(self._settings.folder, name)
            with contextlib.suppress(FileNotFoundError):  # another process removed it
                sizes[path] = os.path.getsize(path)
        total = sum(sizes.values())
        for path, its in sizes.items():
            if total + size <= self._settings.max_bytes:
                return
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
            total -= its

    @contextlib.contextmanager
    def _given_up_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            writer, self._writer = self._writer, None
            if writer is not None:
                with contextlib.suppress(OSError):  # the first error is the one to report
                    writer.close()
            with contextlib.suppress(OSError):  # or retries on a full disk leave files behind
                if not os.path.getsize(self._path):
                    os.remove(self._path)
            raise


def loggable(exchange: Exchange) -> bool:
    """Return whether an exchange was one request to one signature, and succeeded."""
    return (
        exchange.outputs is not None
        and exchange.inputs is not None
        and exchange.method in routes.ASKING
        and exchange.status == 200
    )


def _as_message(exchange: Exchange, *, sample: float, seconds: float) -> Any:
    from components.serve.prediction_log import prediction_log  # TensorFlow's messages

    return prediction_log(exchange, sample=sample, seconds=seconds)


def _tfrecords(path: str) -> Writer:
    from components.serve.tfrecords import TFRecords  # TensorFlow

    return TFRecords(path)


class RequestLog:
    """Writes the request log; an `Observer`.

    Args:
      settings: the location and the limits.
      open_writer: opens a new file.
      clock: seconds since 1970.

    Attributes:
      written: requests in the log.
      failed: requests that could not be written.
      failing: whether it is turned off because writing failed.
    """

    def __init__(
        self,
        settings: RequestLogSettings,
        open_writer: Callable[[str], Writer] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.written = 0
        self.failed = 0
        self.failing = False
        self._settings = settings
        self._clock = clock
        self._retry_at = 0.0
        self._left_out = False
        # The sample needs no cryptographic randomness.
        self._random = random.Random(settings.seed)
        self._files = RotatedFiles(settings, open_writer or _tfrecords, clock)
        self._background: Background[tuple[Exchange, float]] = Background(
            "request log", self._write, _MOST_WAITING
        )

    @property
    def dropped(self) -> int:
        """Requests that were dropped because too many were waiting."""
        return self._background.dropped

    def answered(self, exchange: Exchange) -> None:
        """Log an exchange, if it is in the sample."""
        if loggable(exchange) and self._random.random() < self._settings.sample:
            # Its arrays may be views of a batch's, which are not kept for it.
            own = replace(
                exchange, inputs=_copied(exchange.inputs), outputs=_copied(exchange.outputs)
            )
            self._background.offer((own, self._clock()), size_of(own))

    def close(self) -> None:
        """Write what is waiting, and finish the file."""
        self._background.close()
        try:
            self._files.close()
        except OSError as error:
            _logger.error("the last file of the request log is incomplete: %s", error)

    def _write(self, exchanges: list[tuple[Exchange, float]]) -> None:
        if self.failing and (not exchanges or self._clock() < self._retry_at):
            self.failed += len(exchanges)
            return
        written = 0
        try:
            for exchange, seconds in exchanges:
                record = self._record(exchange, seconds)
                if record is not None:
                    self._files.write(record)
                    written += 1
            self._files.flush()
        except OSError as error:
            self._turn_off(error)
        else:
            if self.failing:
                _logger.info("the request log is written again")
            self.failing = False
        self.written += written
        self.failed += len(exchanges) - written

    def _record(self, exchange: Exchange, seconds: float) -> bytes | None:
        """Return the record of an exchange; None, reported once, if it cannot be written."""
        try:
            log = _as_message(exchange, sample=self._settings.sample, seconds=seconds)
            record: bytes = log.SerializeToString()
            if len(record) + _FRAME <= self._settings.max_bytes:
                return record
            what = f"a request of {len(record):,} bytes is larger than the whole log may be"
            error = None
        except Exception as raised:  # noqa: BLE001  # types that no message carries, or too large
            what, error = "a request cannot be written as a PredictionLog", raised
        if not self._left_out:
            _logger.warning("%s; it is omitted, and so are others like it", what, exc_info=error)
        self._left_out = True
        return None

    def _turn_off(self, error: OSError) -> None:
        if not self.failing:
            _logger.error("the request log is off, and is tried again later: %s", error)
        self.failing = True
        self._retry_at = self._clock() + _RETRY_SECONDS


def files(folder: str) -> list[str]:
    """Return the names of the log's files in a folder, the oldest first."""
    return sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))


def _copied(arrays: Arrays | None) -> Arrays | None:
    return None if arrays is None else {name: array.copy() for name, array in arrays.items()}


def size_of(exchange: Exchange) -> int:
    """Return the approximate number of bytes of an exchange's arrays."""
    return _size(exchange.inputs or {}) + _size(exchange.outputs or {})


def _size(arrays: Arrays) -> int:
    size = 0
    for array in arrays.values():
        size += array.nbytes
        if array.dtype == object:
            size += sum(map(len, array.reshape(-1).tolist()))
    return size
