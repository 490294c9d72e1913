"""Processes forked from one that has imported TensorFlow run as others do, and end with it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from components.parity import fork_server, forked, processes
from components.parity.forked import ForkServer
from components.parity.processes import NoAnswerError
from schemas.errors import SkewlessError

pytestmark = pytest.mark.component

# A module that reports what it is, and ends as its argument says.
REPORTER = """
import json, os, signal, sys, threading
whole = "tensorflow._api.v2.v2"
known = sorted(name for name in sys.modules if "." not in name or name == whole)
what = [__name__, sys.argv[1:], threading.active_count(), os.getppid(), known]
print(json.dumps(what), flush=True)
print("its log", file=sys.stderr)
end = sys.stdin.readline()
if end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
raise SystemExit(int(end) if end.isdigit() else end or None)
"""
# Starts a process that never ends, says its id, and is killed.
KILLED = """
import os, signal, sys
from components.parity.forked import ForkServer
with open(f"{sys.argv[1]}/log", "wb") as log:
    process = ForkServer(sys.argv[1]).start([sys.executable, "-m", "reporter"], log, answers=True)
print(process.stdout.readline().decode(), os.getpid(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def reporter(tmp_path, monkeypatch):
    """The command of a module that reports what it is."""
    (tmp_path / "reporter.py").write_text(REPORTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return [sys.executable, "-m", "reporter"]


def first_line(process):
    """Return what a process has reported first."""
    return process.stdout.readline()


def ended(process, how):
    """Let a process of `reporter` end; return its exit code and what it has reported."""
    process.stdin.write(how)
    process.stdin.close()
    code = process.wait(60)
    return code, json.loads(process.stdout.read())


def test_a_fork_is_a_module_that_runs_on_its_own_with_the_runtime_imported(reporter, tmp_path):
    log_path = tmp_path / "log"
    with ForkServer(str(tmp_path)) as server:
        with open(log_path, "wb") as log:
            started = [
                server.start([*reporter, name], log, answers=True) for name in ("one", "two")
            ]
            program = "import sys; sys.exit(len(sys.stdin.read()))"
            spawned = server.start([sys.executable, "-c", program], log)
        codes = []
        for process, name, how in zip(
            started, ("one", "two"), (b"5", b"it is broken"), strict=True
        ):
            code, (ran_as, arguments, threads, parent, known) = ended(process, how)
            codes.append(code)
            assert (ran_as, arguments, threads) == ("__main__", [name], 1)
            assert psutil.Process(parent).cmdline()[-2:-1] == [fork_server.__name__]
            assert "tensorflow" in known
            made_the_export = {"keras", "tf_keras", "tensorflow_transform", "tfx", "apache_beam"}
            assert not made_the_export & {*known}
            assert "tensorflow._api.v2.v2" not in known  # as in `skewless serve`
        spawned.stdin.write(b"xxx")
        spawned.stdin.close()
        assert (codes, spawned.wait(60)) == ([5, 1], 3)
    assert log_path.read_text().split("\n") == ["its log", "its log", "it is broken", ""]


def test_a_default_timeout_of_sockets_does_not_end_the_server(reporter, tmp_path):
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(60)
    try:
        with ForkServer(str(tmp_path)) as server, open(tmp_path / "log", "wb") as log:
            first_line(server.start(reporter, log, answers=True))
            time.sleep(0.1)  # the server waits for the next command meanwhile
            assert ended(server.start(reporter, log, answers=True), b"4")[0] == 4
    finally:
        socket.setdefaulttimeout(before)


def test_a_fork_that_is_killed_is_reported_and_those_left_end_with_the_server(reporter, tmp_path):
    with ForkServer(str(tmp_path)) as server, open(tmp_path / "log", "wb") as log:
        one, two = (server.start(reporter, log, answers=True) for _ in range(2))
        assert ended(one, b"killed")[0] == -signal.SIGKILL
        with pytest.raises(subprocess.TimeoutExpired):
            two.wait(0.01)
        server_process = psutil.Process(server._process.pid)
        (left,) = server_process.children()
        assert left.is_running()
    assert not left.is_running()


def test_a_fork_server_that_fails_or_is_killed_is_reported(reporter, tmp_path, monkeypatch):
    with ForkServer(str(tmp_path)) as server, open(tmp_path / "log", "wb") as log:
        process = server.start(reporter, log, answers=True)
        first_line(process)
        psutil.Process(server._process.pid).kill()
        with pytest.raises(SkewlessError, match="was ended by SIGKILL"):
            process.wait(60)
    monkeypatch.setattr(forked, "_MODULE", "no_such_module")
    unknown = pytest.raises(NoAnswerError, match=r"code 1\n.*No module named no_such_module")
    with ForkServer(str(tmp_path)) as server, open(tmp_path / "log", "wb") as log, unknown:
        server.start(reporter, log).wait(60)


def test_with_another_thread_nothing_is_forked(reporter, tmp_path, monkeypatch):
    assert fork_server.threads() >= 1
    monkeypatch.setattr(fork_server, "threads", lambda: 2)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("it was forked"))
    with open(tmp_path / "out", "wb") as out, open(os.devnull, "rb") as nothing:
        process = fork_server._start(reporter, [nothing.fileno(), out.fileno(), out.fileno()], [])
    assert os.waitpid(process, 0) == (process, 0)
    report = (tmp_path / "out").read_text()
    assert report.endswith("its log\n")
    assert "tensorflow" not in json.loads(report.splitlines()[0])[-1]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_forks_do_not_outlive_a_proof_that_is_killed(reporter, tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    report, _ = killed.stdout.splitlines()
    server = json.loads(report)[3]
    left = [p for p in psutil.process_iter() if p.pid == server or p.ppid() == server]
    _, alive = psutil.wait_procs(left, timeout=30)
    for process in alive:
        process.kill()
    assert not alive
