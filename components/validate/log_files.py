"""Finds the files of request logs; imports nothing heavy, so wrong paths are reported at once."""

from __future__ import annotations

import os
from collections.abc import Sequence

from components import files
from schemas.errors import ConfigError

_LOG_NAMES = (".tfrecord", ".tfrecord.partial", ".tfrecord.gz")


def find(paths: Sequence[str]) -> list[str]:
    """Return the log files that files and folders, also in stores, stand for; sorted in a folder.

    Raises:
      ConfigError: there is none.
    """
    found: list[str] = []
    for path in paths:
        if files.is_file(path):
            found.append(path)
        elif files.exists(path):
            names = (name for name in files.names(path) if name.endswith(_LOG_NAMES))
            found += [os.path.join(path, name) for name in names]
        else:
            raise ConfigError(f"there is no file or folder {path}")
    if not found:
        raise ConfigError(
            "there is no request log",
            where=", ".join(paths),
            expected=f"files whose names end in {' or '.join(_LOG_NAMES)}",
            remedy="serve with --request-log DIR, and ask something",
        )
    return found
