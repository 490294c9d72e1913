"""A server of the export in its own process, as `skewless serve` runs it, for the proof.

The class takes an export and returns ports of REST and gRPC. The process has ended when the `with`
block is left. It does not outlive this process, even if this one is killed. A server that does not
start, dies or hangs is reported with the end of its output.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time

from components.parity.processes import (
    NoAnswerError,
    Start,
    how_it_ended,
    last_words,
    refuse_killed,
    spawn,
)
from components.parity.serving_paths.protocol import ModelAddress

MODEL = "parity"
START_SECONDS = 600.0  # of a server that hangs; one that dies is noticed at once
REQUEST_SECONDS = 60.0
ENDING_SECONDS = 5.0  # how long to wait for a server that is ending

_COMMAND = (sys.executable, "-m", "components.serve")
_OPTIONS = ("--name", MODEL, "--optional-columns")


class GoneError(NoAnswerError):
    """The server does not answer any more; all further questions have this error."""


class ServerProcess:
    """A server in a process of its own; it starts at once, and `address` waits until it answers.

    Args:
      saved_model: the export's folder.
      folder: a folder for what the server writes.
      start: starts the process.
    """

    def __init__(self, saved_model: str, folder: str, start: Start = spawn) -> None:
        self._saved_model = saved_model
        self._log = os.path.join(folder, "server.log")
        with open(self._log, "wb") as log:  # its standard input keeps it alive
            command = [*_COMMAND, os.path.abspath(saved_model), *_OPTIONS]
            self._process = start(command, log, answers=True)

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end()

    def address(self) -> ModelAddress:
        """Wait until the server answers, and return its address.

        Raises:
          GoneError: the server does not start.
        """
        line = self._first_line()
        try:
            return ModelAddress(self._saved_model, **json.loads(line))
        except (ValueError, TypeError):
            raise GoneError(f"the server did not start: {self.ending()}") from None

    def _first_line(self) -> bytes:
        assert self._process.stdout is not None  # it is a pipe
        line, deadline = b"", time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(deadline - time.monotonic()):
                    raise GoneError(f"the server did not start within {START_SECONDS:g} s")
                part = os.read(self._process.stdout.fileno(), 4096)
                if not part:
                    break
                line += part
        return line

    def ending(self) -> str:
        """Return how the server ended and the end of its output; wait a moment while it is ending.

        Raises:
          SkewlessError: something outside ended the process.
        """
        try:
            code = self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            how = "the process is still running"
        else:
            refuse_killed(code)
            how = how_it_ended(code)
        return f"{how}\n{last_words(self._log)}".strip()
