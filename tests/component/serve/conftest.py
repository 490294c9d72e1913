"""The command's server, in a separate process, with the tiny run's export."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.examples import as_raw_columns, iter_batches

ROOT = Path(__file__).parents[3]


@dataclass
class Server:
    """A server that is ready."""

    process: subprocess.Popen[str]
    port: int
    grpc_port: int

    def ask(self, method, path, document=None):
        """Send one request on a new connection; return status and parsed body."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        ) as connection:
            connection.request(method, path, None if document is None else json.dumps(document))
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def stop(self):
        """Ask it to stop; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture(scope="session")
def serving():
    """Serve with the command: a context of a server that is ready."""
    return _serving


@contextlib.contextmanager
def _serving(*arguments):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pipeline.cli",
            "serve",
            *arguments,
            "--port",
            "0",
            "--grpc-port",
            "0",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            port = re.search(r"^serving tiny version \d+ at http://127\.0\.0\.1:(\d+)/", lines[0])
            grpc_port = re.search(r"^gRPC at 127\.0\.0\.1:(\d+)$", lines[2])
            assert port, lines
            assert grpc_port, lines
            yield Server(process, int(port[1]), int(grpc_port[1]))
        finally:
            process.kill()


@pytest.fixture(scope="session")
def publish():
    """Push a SavedModel as a version: copied beside, then renamed."""

    def push(saved_model, folder, version):
        shutil.copytree(saved_model, folder / ".incoming")
        (folder / ".incoming").rename(folder / str(version))

    return push


@pytest.fixture(scope="module")
def batch(exported):
    """Raw rows of the test split, including missing values."""
    return next(iter_batches(exported.examples, "test", [c.name for c in inputs(exported)]))


@pytest.fixture(scope="module")
def columns(exported, batch):
    """The same rows as arrays for the raw signature."""
    return as_raw_columns(batch, inputs(exported))


@pytest.fixture(scope="module")
def scores(exported, columns):
    """Scores of all rows, by the SavedModel in a session of this process."""
    return _scores_of(exported.saved_model, columns)


@pytest.fixture(scope="session")
def scores_of():
    """Return the outputs of a SavedModel that is called directly."""
    return _scores_of


def inputs(exported):
    return tuple(column for column in exported.columns if column.serving)


def _scores_of(saved_model, columns):
    import tensorflow as tf

    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], saved_model)
        signature = graph.signature_def["raw_columns"]
        feeds = {signature.inputs[name].name: values for name, values in columns.items()}
        return session.run({k: v.name for k, v in signature.outputs.items()}, feeds)


@pytest.fixture(scope="module")
def rows(columns):
    """The same rows as JSON objects."""
    lists = [
        [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]
        for values in columns.values()
    ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


@pytest.fixture(scope="module")
def server(exported):
    with _serving(exported.saved_model, "--name", "tiny") as server:
        yield server


@pytest.fixture(scope="module")
def lenient(exported):
    """A server that accepts rows without some of their columns; tests may stop it."""
    with _serving(exported.saved_model, "--name", "tiny", "--optional-columns") as server:
        yield server
