"""How long an object store that does not answer is asked again, before that is an error.

Left alone, Google's client takes five minutes to say so and Beam's of S3 ten, for every operation
of a run that has failed long ago. Promised: what fails is tried again for `SKEWLESS_STORE_SECONDS`
and no longer, and not at all once another operation was given up, until one is answered.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from components.store_errors import NO_ANSWER
from schemas.errors import ConfigError, StoreError

VARIABLE = "SKEWLESS_STORE_SECONDS"
_SECONDS = 60.0
_LONGEST_PAUSE = 5.0  # seconds between two attempts
_UNRELATED = 600.0  # seconds between two failures of one long operation that are not of one cause


class Limit:
    """The time for which one operation may fail, from its first failure on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._first = self._last = -math.inf

    def is_over(self) -> bool:
        """Return whether what has failed just now is not to be tried again."""
        now = time.monotonic()
        if now - self._last > _UNRELATED:
            self._first = now
        self._last = now
        return now - self._first >= self._seconds


_LIMIT: ContextVar[Limit | None] = ContextVar("limit", default=None)
_silent: set[str] = set()  # schemes of stores of which an operation was given up


@contextlib.contextmanager
def limited(scheme: str) -> Iterator[None]:
    """Let an operation on a store fail for so long, and no longer.

    Raises:
      ConfigError: the variable in the environment holds no seconds.
    """
    token = _LIMIT.set(Limit(0 if scheme in _silent else _seconds()))
    silent = False
    try:
        yield
    except StoreError as error:
        silent = error.what.startswith(NO_ANSWER)
        raise
    finally:
        (_silent.add if silent else _silent.discard)(scheme)
        _LIMIT.reset(token)


def install() -> None:
    """Have Google's and Beam's own retries heed the limit; other services' go on as ever."""
    from apache_beam.io.gcp import gcsio_retry
    from apache_beam.utils import retry
    from google.cloud.storage.retry import DEFAULT_RETRY

    # The two are the defaults of countless parameters, so they are changed where they are.
    for shared in (DEFAULT_RETRY, gcsio_retry.DEFAULT_RETRY_WITH_THROTTLING_COUNTER):
        shared._predicate = _unless_over(shared._predicate)
        shared._maximum = _LONGEST_PAUSE
    retry.FuzzedExponentialIntervals = _limited_pauses(retry.FuzzedExponentialIntervals)
    # Amazon's own three attempts at each of Beam's, with seconds to connect and not a minute
    os.environ.setdefault("AWS_DEFAULTS_MODE", "standard")


def _seconds() -> float:
    given = os.environ.get(VARIABLE)
    if given is None:
        return _SECONDS
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(given)) < math.inf:
            return seconds
    raise ConfigError(f"{given!r} is no time", where=VARIABLE, expected="seconds, such as 60")


def _unless_over(predicate: Any) -> Any:
    def again(error: Exception) -> bool:
        limit = _LIMIT.get()
        return bool(predicate(error)) and not (limit and limit.is_over())

    return again


def _limited_pauses(kind: Any) -> Any:
    class Pauses(kind):
        """Beam's pauses between attempts; they end with the limit, if there is one."""

        def __iter__(self) -> Iterator[float]:
            limit = _LIMIT.get()
            for pause in super().__iter__():
                if limit is None:
                    yield pause
                elif limit.is_over():
                    return
                else:
                    yield min(pause, _LONGEST_PAUSE)

    return Pauses
