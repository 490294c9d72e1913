"""How long requests to an object store that does not answer are repeated.

By default Google's client takes two minutes to give up, for every operation of a run that failed
long ago. Here a failing request is repeated for `SKEWLESS_STORE_SECONDS` and no longer, and not at
all after another operation was given up, until one succeeds.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator

from components.store_errors import NO_ANSWER
from schemas.errors import ConfigError, StoreError

VARIABLE = "SKEWLESS_STORE_SECONDS"
_SECONDS = 60.0

_silent: set[str] = set()  # schemes of stores whose last operation was given up


@contextlib.contextmanager
def limited(scheme: str) -> Iterator[float]:
    """Yield the seconds for which an operation on a store is repeated.

    Raises:
      ConfigError: the environment variable is not a number of seconds.
    """
    seconds, silent = 0.0 if scheme in _silent else _seconds(), False
    try:
        yield seconds
    except StoreError as error:
        silent = error.what.startswith(NO_ANSWER)
        raise
    finally:
        (_silent.add if silent else _silent.discard)(scheme)


def _seconds() -> float:
    given = os.environ.get(VARIABLE)
    if given is None:
        return _SECONDS
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(given)) < math.inf:
            return seconds
    raise ConfigError(f"{given!r} is not a time", where=VARIABLE, expected="seconds, such as 60")
