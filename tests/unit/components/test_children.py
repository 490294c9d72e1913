"""Child processes end with their parent, and are waited for."""

import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from components import children

# Starts the command in the arguments, waits until setpriv is done, prints its id and is killed.
KILLED = """
import os, signal, subprocess, sys, psutil
from components.children import bound
number, *command = sys.argv[1:]
child = subprocess.Popen(bound(command, signal.Signals[number]), stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
WAITS = "import signal; print(flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITS


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
@pytest.mark.parametrize(("number", "program"), [("SIGTERM", WAITS), ("SIGKILL", DEAF)])
def test_a_process_ends_with_the_one_that_started_it_though_that_is_killed(number, program):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, number, sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert is_gone(int(killed.stdout))


def is_gone(process_id, seconds=30):
    """Wait for the end of another process's child; kill it if it does not end."""
    try:
        process = psutil.Process(process_id)
    except psutil.NoSuchProcess:
        return True
    _, alive = psutil.wait_procs([process], timeout=seconds)
    for one in alive:
        one.kill()
    return not alive


def test_without_setpriv_the_command_is_as_it_was(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert children.bound(["java", "-jar", "x.jar"]) == ["java", "-jar", "x.jar"]


@pytest.mark.parametrize(("program", "code"), [(WAITS, -signal.SIGTERM), (DEAF, -signal.SIGKILL)])
def test_a_process_does_not_exist_after_end(program, code, monkeypatch):
    monkeypatch.setattr(children, "ENDING_SECONDS", 0.5 if program == DEAF else 30.0)
    command = children.bound([sys.executable, "-c", program])
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert children.end(process) == code
        assert not psutil.pid_exists(process.pid)  # nor is it a zombie
        assert children.end(process) == code
