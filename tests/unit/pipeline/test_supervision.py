"""With limited memory, the parent process reports the crash of a command."""

import os
import resource
import signal
import subprocess
import sys
import tempfile

import pytest

from pipeline import supervision
from schemas.errors import SkewlessError

PLENTY = 64 << 30  # bytes: a limit that is never reached


def limit():
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (PLENTY, hard))


# The command, with another function to read the dataset.
PROGRAM = """
import os, signal, sys, tempfile
from pipeline import cli
from pipeline.temporary import own_folder
from schemas import catalog
def load(_):
    with own_folder():
        tempfile.mkdtemp()
        print("supervised:", os.environ.get("SKEWLESS_SUPERVISED"), flush=True)
        {action}
catalog.load = load
sys.argv[1:] = ["run", "taxi"]
sys.exit(cli.main())
"""


def start(action, tmp_path, preexec_fn=limit):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(action=action)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=preexec_fn,
    )


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_a_crash_is_one_error_and_leaves_nothing(number, tmp_path):
    with start(f"os.kill(os.getpid(), {int(number)})", tmp_path) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "supervised: 1\n")
    assert err == (
        f"error: the command crashed ({number.name}): the memory that a process may reserve is too"
        " small\n"
        "  where:     ulimit -v: 67,108,864 KiB\n"
        "  expected:  no such limit: TensorFlow, Arrow and Beam reserve much more than they use\n"
        "  to do:     ulimit -v unlimited; to bound memory, limit a cgroup or a container\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_the_command_itself_says_and_ends_with_is_left_as_it_is(tmp_path):
    action = "from schemas.errors import DataError; raise DataError('it is so')"
    with start(action, tmp_path) as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (3, "error: it is so\n")


def test_without_a_limit_nobody_is_needed(tmp_path):
    with start("sys.exit(0)", tmp_path, preexec_fn=None) as process:
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "supervised: None\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_is_passed_on(number, tmp_path):
    handler = "signal.signal(signal.SIGTERM, signal.default_int_handler)"
    with start(f"{handler}; print('ready', flush=True); signal.pause()", tmp_path) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)][1] == "ready\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    assert list(tmp_path.iterdir()) == []


def test_another_end_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    with pytest.raises(SkewlessError, match="the command was ended by SIGKILL"):
        supervision.supervise(killed)
