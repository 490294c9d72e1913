"""Checks where a server writes its logs: to separate files, outside the models that it serves."""

from __future__ import annotations

import os
from collections.abc import Sequence

from components import overlap
from schemas.errors import ConfigError

_LINE = b'{"time":'  # the beginning of each line of an access log


def check_apart(access_log: str | None, request_log: str | None, models: Sequence[str]) -> None:
    """Check that logs are not appended to other files, nor written into models.

    Args:
      access_log: its file; None or `-` for none.
      request_log: its folder, if there is one.
      models: the folders of served models.

    Raises:
      ConfigError: a log is another file, or is inside a folder of models.
    """
    logs = {"--access-log": None if access_log == "-" else access_log, "--request-log": request_log}
    for option, path in logs.items():
        for model in models:
            if path is not None and overlap.is_within(path, model):
                raise ConfigError(
                    f"{option} is inside a folder of models",
                    where=path,
                    expected=f"a path outside {model}",
                    remedy="name another",
                )
    if logs["--access-log"] is not None:
        _check_access_log(logs["--access-log"])


def _check_access_log(path: str) -> None:
    """Check that a file to append to is an access log, or empty."""
    if not os.path.isfile(path):  # not there yet; a pipe or a terminal; or not accessible
        return
    try:
        with open(path, "rb") as file:
            begin = file.read(len(_LINE))
    except OSError:  # writable but not readable
        return
    if begin and begin != _LINE:
        raise ConfigError(
            "the file of --access-log has other content",
            where=path,
            expected="an access log, to which lines are appended, or no file",
            remedy="name another file",
        )
