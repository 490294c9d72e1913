"""A server in a separate process, and its use of the system's resources."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parents[4]
# Freed memory is returned to the system at once, so that memory is what the server holds. By
# default glibc keeps an arena for each thread, and learns from each large block to keep larger
# ones: between two rounds of the same large requests it took up to 38 MB more, and then 38 MB less.
_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(128 << 10),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 10),
}


class Use(NamedTuple):
    """The resources of a process: resident bytes, open files and sockets, threads."""

    memory: int
    files: int
    threads: int


class Server:
    """A server that is ready."""

    def __init__(self, process, ports, log):
        self.http, self.grpc = ports["http"], ports["grpc"]
        self.process = psutil.Process(process.pid)
        self._log = log

    def log(self):
        """Return its whole log."""
        return self._log.read_text()

    def use(self):
        """Return its present use of resources."""
        process = self.process
        return Use(process.memory_info().rss, process.num_fds(), process.num_threads())

    def settled(self, most, seconds=10.0):
        """Return its use once it has noticed that clients have left: at most so many files."""
        end = time.monotonic() + seconds
        while (use := self.use()).files > most and time.monotonic() < end:
            time.sleep(0.05)
        return use


@contextlib.contextmanager
def serving(saved_model, log):
    """Serve a SavedModel as "tiny": a context of a server that is ready."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "components.serve", saved_model, "--name", "tiny"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **_ALLOCATOR},
        )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            yield Server(process, json.loads(line), log)
        finally:
            process.kill()
