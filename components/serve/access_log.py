"""The access log: one line of JSON for each request, in a file or on standard error.

It contains no values and no tokens of requests, and no request waits for it. Lines that cannot be
written are counted, and reported once.
"""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import NamedTuple

import orjson

from components.serve.background import Background
from components.serve.messages import Exchange

STANDARD_ERROR = "-"

_MOST_WAITING = 65_536  # lines; some seconds of a busy server

_logger = logging.getLogger(__name__)


class _Line(NamedTuple):
    """What is logged of an exchange: scalars only, so that its arrays can be freed."""

    seconds: float  # since 1970
    exchange: tuple[str, str, str, str, int | None, str, int, int, float]


@dataclass
class AccessLog:
    """Writes the access log; an `Observer`.

    Args:
      path: the file, which is appended to and may be moved away at any time; `-` means standard
        error.

    Attributes:
      written: lines in the log.
      failed: lines that could not be written.
      failing: whether the last lines could not be written.
    """

    path: str
    written: int = 0
    failed: int = 0
    failing: bool = False

    def __post_init__(self) -> None:
        self._background = Background("access log", self._write, _MOST_WAITING)

    @property
    def dropped(self) -> int:
        """Lines that were dropped because too many were waiting."""
        return self._background.dropped

    def answered(self, exchange: Exchange) -> None:
        """Record an exchange."""
        e = exchange
        self._background.offer(
            _Line(
                time.time(),
                (
                    e.peer,
                    e.protocol,
                    e.method,
                    e.model,
                    e.version,
                    e.signature,
                    e.rows,
                    e.status,
                    e.seconds,
                ),
            )
        )

    def close(self) -> None:
        """Write the waiting lines."""
        self._background.close()

    def _write(self, lines: list[_Line]) -> None:
        if not lines:
            return
        data = b"".join(map(_as_json, lines))
        try:
            if self.path == STANDARD_ERROR:
                sys.stderr.write(data.decode())
                sys.stderr.flush()
            else:  # reopened each time, so that a file that was moved away is replaced
                with open(self.path, "ab") as file:
                    file.write(data)
        except OSError as error:
            self.failed += len(lines)
            if not self.failing:
                _logger.error("the access log cannot be written: %s", error)
            self.failing = True
        else:
            self.written += len(lines)
            self.failing = False


def _as_json(line: _Line) -> bytes:
    peer, protocol, method, model, version, signature, rows, status, seconds = line.exchange
    at = datetime.fromtimestamp(line.seconds, timezone.utc)
    return orjson.dumps(
        {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "peer": peer,
            "protocol": protocol,
            "method": method,
            "model": model,
            "version": version,
            "signature": signature,
            "rows": rows,
            "status": status,
            "ms": round(seconds * 1_000, 3),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
