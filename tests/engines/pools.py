"""A pool of workers for an engine's tests: `skewless workers` in a separate process."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.engines.processes import Server, free_ports, listens, wait_for


@contextlib.contextmanager
def running(log: Path) -> Iterator[tuple[str, Server]]:
    """Run a pool until the block ends; yield its address and its process."""
    (port,) = free_ports(1)
    command = [str(Path(sys.executable).with_name("skewless")), "workers", "--port", str(port)]
    server = Server(command, log)
    try:
        wait_for("starting workers", lambda: listens(port), [server], seconds=180)
        yield f"localhost:{port}", server
    finally:
        server.stop()
