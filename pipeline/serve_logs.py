"""Where a server may write its logs: to files of its own, outside the models that it serves."""

from __future__ import annotations

import os
from collections.abc import Sequence

from components import overlap
from schemas.errors import ConfigError

_LINE = b'{"time":'  # how each line of an access log begins


def check_apart(access_log: str | None, request_log: str | None, models: Sequence[str]) -> None:
    """Check that logs are appended to no other file, and written into no model.

    Args:
      access_log: its file; None or `-` for none.
      request_log: its folder, if there is one.
      models: the folders of models that are served.

    Raises:
      ConfigError: a log is another file, or lies in a folder of models.
    """
    logs = {"--access-log": None if access_log == "-" else access_log, "--request-log": request_log}
    for option, path in logs.items():
        for model in models:
            if path is not None and overlap.is_within(path, model):
                raise ConfigError(
                    f"{option} lies in a folder of models",
                    where=path,
                    expected=f"a path outside {model}",
                    remedy="name another",
                )
    if logs["--access-log"] is not None:
        _check_access_log(logs["--access-log"])


def _check_access_log(path: str) -> None:
    """Check that a file which lines would be appended to is an access log, or empty."""
    if not os.path.isfile(path):  # none yet; a pipe or a terminal; or what cannot be opened
        return
    try:
        with open(path, "rb") as file:
            begin = file.read(len(_LINE))
    except OSError:  # a file that can be written but not read
        return
    if begin and begin != _LINE:
        raise ConfigError(
            "the file that --access-log names holds something else",
            where=path,
            expected="an access log, to which lines are appended, or no file",
            remedy="name another file",
        )
