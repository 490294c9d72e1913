"""A command leaves nothing in the temporary folder, and removes only what a dead one left."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile

import pytest

from pipeline import temporary
from schemas.errors import ConfigError

# Prints its folder, and dies on request.
COMMAND = """
import os, signal, sys, tempfile
from pipeline.temporary import own_folder
with own_folder():
    folder = tempfile.mkdtemp()
    open(os.path.join(folder, "file"), "w").close()
    print(tempfile.gettempdir(), flush=True)
    sys.stdin.read()
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def outer(tmp_path, monkeypatch):
    """The folder for temporary files of this process and its children."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def at_work():
    """Start a command; yield the process and its folder."""
    started = []

    def start(how):
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_temporary_files_disappear_with_the_command(outer):
    with temporary.own_folder() as before:
        assert before == str(outer)
        inside = tempfile.mkdtemp(prefix="beam-pipeline-temp")
        assert os.path.dirname(inside) == os.environ["TMPDIR"] == tempfile.gettempdir()
        assert os.path.dirname(tempfile.gettempdir()) == str(outer)
    assert list(outer.iterdir()) == []
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(outer)


def test_a_command_that_fails_leaves_nothing_either(outer, monkeypatch):
    monkeypatch.delenv("TMPDIR")
    with contextlib.suppress(KeyboardInterrupt), temporary.own_folder():
        tempfile.mkdtemp()
        raise KeyboardInterrupt
    assert list(outer.iterdir()) == []
    assert "TMPDIR" not in os.environ


def test_what_a_killed_command_left_is_removed_by_the_next(outer, at_work):
    process, folder = at_work("killed")
    process.communicate("")
    assert process.returncode == -signal.SIGKILL
    assert [str(path) for path in outer.iterdir()] == [folder]

    with temporary.own_folder():
        assert not os.path.exists(folder)
    assert list(outer.iterdir()) == []


def test_what_a_command_at_work_has_stays(outer, at_work):
    process, folder = at_work("ends")
    with temporary.own_folder():
        assert len(os.listdir(folder)) == 1
    process.communicate("")
    assert process.returncode == 0
    assert list(outer.iterdir()) == []


def test_what_is_not_certainly_a_dead_commands_stays(outer, monkeypatch):
    target = outer / "target"
    target.mkdir()
    (outer / "skewless-abcd1234").mkdir()  # of workers, which may be running
    (outer / "beam-pipeline-temp1").mkdir()  # of other users of Beam
    (outer / f"{temporary.PREFIX}link").symlink_to(target)
    (outer / f"{temporary.PREFIX}file").write_text("", encoding="utf-8")
    before = sorted(outer.iterdir())
    temporary.sweep(str(outer))
    assert sorted(outer.iterdir()) == before

    (outer / f"{temporary.PREFIX}1-theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    temporary.sweep(str(outer))
    assert (outer / f"{temporary.PREFIX}1-theirs").exists()


def test_a_folder_that_was_swept_before_it_was_locked_is_created_again(outer, monkeypatch):
    made = []

    def make(**named):
        made.append(mkdtemp(**named))
        if len(made) == 1:
            os.rmdir(made[0])
            os.mkdir(made[0])
            monkeypatch.setattr(os, "open", open_first)
        return made[-1]

    def open_first(path, flags):
        monkeypatch.setattr(os, "open", opened)
        lock = opened(path, flags)
        os.rmdir(path)
        return lock

    mkdtemp, opened = tempfile.mkdtemp, os.open
    monkeypatch.setattr(tempfile, "mkdtemp", make)
    with temporary.own_folder():
        assert len(made) == 2
        assert tempfile.gettempdir() == made[1]
    assert list(outer.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(outer, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(outer / "nowhere"))
    with pytest.raises(ConfigError) as caught, temporary.own_folder():
        raise AssertionError("there is no such folder")
    assert caught.value.what.startswith("no temporary files can be written: ")
    assert str(outer / "nowhere") in caught.value.what
    assert "TMPDIR" in str(caught.value)
