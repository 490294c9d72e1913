"""One run at a time in a pipeline's folder on this machine."""

import os
import re
import socket
import subprocess
import sys

import pytest

from pipeline.folders import Folders
from pipeline.locks import Holder, locked
from schemas.errors import ConfigError, SkewlessError


def holder(folders):
    return Holder.model_validate_json((folders.root / ".lock").read_text(encoding="utf-8"))


def test_a_second_run_is_refused_and_the_first_is_named(tmp_path):
    folders = Folders.of(tmp_path, "taxi")
    who = f"process {os.getpid()} on {re.escape(socket.gethostname())}, run first"
    busy = f"another run is at work here: {who}, since [0-9-]{{10}} [0-9:]{{8}} UTC\n"
    with locked(folders, "first"), pytest.raises(SkewlessError, match=busy):
        locked(folders, "second").__enter__()
    with locked(folders, "third"):
        assert holder(folders).run == "third"


def test_two_pipelines_do_not_meet(tmp_path):
    with locked(Folders.of(tmp_path, "a"), "1"), locked(Folders.of(tmp_path, "b"), "2"):
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_process_that_is_killed_leaves_no_lock(tmp_path):
    folders = Folders.of(tmp_path, "taxi")
    code = f"""
import os, signal
from pipeline.folders import Folders
from pipeline.locks import locked
with locked(Folders.of({str(tmp_path)!r}, "taxi"), "killed"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    assert holder(folders).run == "killed"
    with locked(folders, "next"):
        assert holder(folders).run == "next"


def test_a_lock_file_of_an_older_version_does_not_block(tmp_path):
    folders = Folders.of(tmp_path, "taxi")
    folders.root.mkdir()
    (folders.root / ".lock").write_text("process 1, run old\n")
    with locked(folders, "new") as is_ours:
        assert holder(folders).run == "new"
        is_ours()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "taxi").write_text("a file")
    with pytest.raises(ConfigError, match="runs cannot be kept here"):
        locked(Folders.of(tmp_path, "taxi"), "1").__enter__()
