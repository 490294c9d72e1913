"""Processes forked from one that has imported TensorFlow's runtime, as the asking one sees them.

The class takes commands and returns processes that are used like those of `subprocess.Popen`. The
process that forks them starts at once, and imports TensorFlow while this one does something else.
All of them have ended when the `with` block is left, and none outlives this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import BinaryIO

from components.children import ENDING_SECONDS, bound
from components.parity import fork_server
from components.parity.fork_server import LINE
from components.parity.processes import (
    NoAnswerError,
    environment,
    how_it_ended,
    last_words,
    refuse_killed,
)

_MODULE = fork_server.__name__


class ForkServer:
    """A process that forks others.

    Args:
      folder: where its log is written.
    """

    def __init__(self, folder: str) -> None:
        self._log = os.path.join(folder, "fork_server.log")
        self._started: list[Forked] = []
        self._commands, its = socket.socketpair()
        for end in (self._commands, its):  # a library may have set a default timeout
            end.setblocking(True)
        command = [sys.executable, "-m", _MODULE, str(its.fileno())]
        with its, open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                bound(command, signal.SIGKILL),
                # numpy's OpenBLAS starts a thread for each further core when it is imported
                env=environment() | {"OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[its.fileno()],
            )

    def start(self, command: Sequence[str], log: BinaryIO, *, answers: bool = False) -> Forked:
        """Start a process once TensorFlow is imported; see `processes.spawn`."""
        its_stdin, stdin = os.pipe()
        stdout, its_stdout = os.pipe() if answers else (None, os.dup(log.fileno()))
        ended, its_ended = os.pipe()
        files = [its_stdin, its_stdout, log.fileno(), its_ended]
        with contextlib.suppress(BrokenPipeError):  # it has ended: `wait` reports how
            socket.send_fds(self._commands, [json.dumps(command).encode()], files)
        for file in (its_stdin, its_stdout, its_ended):
            os.close(file)
        self._started.append(Forked(self, stdin, stdout, ended))
        return self._started[-1]

    def ending(self) -> str:
        """Return how this process ended, and the end of its output.

        Raises:
          SkewlessError: something outside ended the process.
        """
        code = self._process.wait(ENDING_SECONDS)
        refuse_killed(code)
        return f"{how_it_ended(code)}\n{last_words(self._log)}"

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._commands.close()
        try:  # it kills the others, and waits for them
            self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for process in self._started:
            process.end()


class Forked:
    """A process of a `ForkServer`, which kills it when the server's `with` block is left.

    Attributes:
      stdin: its standard input.
      stdout: its standard output; None if nobody reads it.
    """

    def __init__(self, server: ForkServer, stdin: int, stdout: int | None, ended: int) -> None:
        self.stdin = os.fdopen(stdin, "wb", buffering=0)
        self.stdout = None if stdout is None else os.fdopen(stdout, "rb", buffering=0)
        self._server = server
        self._ended = os.fdopen(ended, "rb", buffering=0)
        self._code: int | None = None

    def wait(self, timeout: float) -> int:
        """Wait until the process has ended; return its exit code.

        Raises:
          subprocess.TimeoutExpired: it is still running.
          NoAnswerError: the process that forks others has failed.
        """
        if self._code is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._ended, selectors.EVENT_READ)
                if not selector.select(timeout):
                    raise subprocess.TimeoutExpired("a forked process", timeout)
            code = self._ended.read(LINE)
            if not code:
                raise NoAnswerError(self._server.ending())
            self._code = int(code)
        return self._code

    def end(self) -> None:
        """Close its files."""
        for file in (self.stdin, self.stdout, self._ended):
            if file is not None:
                file.close()
