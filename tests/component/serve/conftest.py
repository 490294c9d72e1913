"""The command's server, in a process of its own over the tiny run's export."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@dataclass
class Server:
    """A server that is ready."""

    process: subprocess.Popen[str]
    port: int

    def ask(self, method, path, document=None):
        """Return status and parsed body of one request on a connection of its own."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        ) as connection:
            connection.request(method, path, None if document is None else json.dumps(document))
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def stop(self):
        """Ask it to end; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def serving(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "serve", *arguments, "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            port = re.search(r"http://127\.0\.0\.1:(\d+)/v1/models/tiny$", line.strip())
            assert port, line
            yield Server(process, int(port[1]))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server(exported):
    with serving(exported.saved_model, "--name", "tiny") as server:
        yield server


@pytest.fixture(scope="module")
def lenient(exported):
    """One that takes rows without some of their columns; tests may stop it."""
    with serving(exported.saved_model, "--name", "tiny", "--optional-columns") as server:
        yield server
