"""Job servers listen when the block begins, and have ended after it."""

import contextlib
import sys

import psutil
import pytest

from components import children
from pipeline import job_servers
from pipeline.job_servers import job_server, running
from schemas.errors import ConfigError
from schemas.runners import Prism
from tests.engines.processes import free_ports

pytestmark = pytest.mark.component

# Replaces Java that ends slowly: it listens, and ignores SIGTERM and SIGINT.
DEAF = """
import signal, socket, sys
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
server = socket.create_server(("localhost", int(sys.argv[1])))
signal.pause()
"""
PRISM = f"""#!{sys.executable}
import os, socket, sys, time
assert sys.argv[1] == "--job_port"
server = socket.create_server(("localhost", int(sys.argv[2])))
time.sleep(600)
"""


@pytest.fixture
def started():
    """Return this process's new children that are still alive."""
    before = psutil.Process().children()
    return lambda: [child for child in psutil.Process().children() if child not in before]


def test_a_server_that_does_not_end_is_killed_and_waited_for(started, monkeypatch):
    monkeypatch.setattr(children, "ENDING_SECONDS", 0.1)
    (port,) = free_ports(1)
    with running([sys.executable, "-c", DEAF, str(port)], f"localhost:{port}"):
        (server,) = started()
    assert not psutil.pid_exists(server.pid)


def test_a_server_that_ends_at_once_is_an_error():
    (port,) = free_ports(1)
    with (
        pytest.raises(RuntimeError, match="it ended with code 7"),
        running([sys.executable, "-c", "raise SystemExit(7)"], f"localhost:{port}"),
    ):
        raise AssertionError("it does not listen")


def test_a_server_that_does_not_listen_is_given_up_and_ended(started, monkeypatch):
    monkeypatch.setattr(job_servers, "START_SECONDS", 0.1)
    (port,) = free_ports(1)
    with (
        pytest.raises(RuntimeError, match=r"it does not listen within 0\.1 s"),
        running(["sleep", "600"], f"localhost:{port}"),
    ):
        raise AssertionError("it does not listen")
    assert not started()


def test_beams_own_command_runs_and_ends_however_the_block_ends(started, tmp_path):
    program = tmp_path / "prism"
    program.write_text(PRISM, encoding="utf-8")
    program.chmod(0o755)
    with (
        contextlib.suppress(KeyboardInterrupt),
        job_server(Prism(), [f"--prism_location={program}"]) as endpoint,
    ):
        assert endpoint.startswith("localhost:")
        (server,) = started()
        raise KeyboardInterrupt
    assert not psutil.pid_exists(server.pid)


def test_a_server_that_does_not_start_is_named(tmp_path):
    program = tmp_path / "prism"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    with (
        pytest.raises(ConfigError, match="it ended with code 3") as caught,
        job_server(Prism(), [f"--prism_location={program}"]),
    ):
        raise AssertionError("it does not start")
    assert caught.value.where == "runner.prism"
