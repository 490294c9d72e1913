"""The processes of an engine: each has a log, is watched, and is reliably stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil


class Server:
    """A process in a separate session, with all processes that it starts."""

    def __init__(
        self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with open(log, "ab") as file:
            self._process = subprocess.Popen(
                list(command),
                cwd=log.parent,  # Beam's boot leaves a file there
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if env is None else env),
                start_new_session=True,
            )

    @property
    def children(self) -> list[psutil.Process]:
        """Its descendants that are alive."""
        return psutil.Process(self._process.pid).children(recursive=True)

    def require(self) -> None:
        """Check that it is alive.

        Raises:
          RuntimeError: it has ended; with the end of its log.
        """
        if self._process.poll() is not None:
            end = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{self.log.stem} ended with {self._process.returncode}:\n{end}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it with all that it started: by a signal, and by force after 10 s."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):  # the session may be empty
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


def free_ports(count: int) -> list[int]:
    """Return ports that are free."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_for(
    what: str, ready: Callable[[], bool], servers: Sequence[Server], seconds: float
) -> None:
    """Return once `ready` is true.

    Raises:
      RuntimeError: a server ended meanwhile.
      TimeoutError: it took longer.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        for server in servers:
            server.require()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took more than {seconds:g} s")
        time.sleep(0.1)


def listens(port: int) -> bool:
    """Return whether a port of this machine accepts connections."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0
