"""One run at a time in a pipeline's folder."""

import subprocess
import sys

import pytest

from pipeline.folders import Folders, locked, new_run_id
from schemas.errors import SkewlessError


def test_paths_are_absolute_and_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = Folders.of("runs", "taxi")
    assert folders.root == tmp_path / "runs" / "taxi"
    assert folders.metadata == folders.root / "metadata.sqlite"
    assert folders.serving == str(folders.root / "serving")


def test_run_ids_sort_by_time():
    ids = [new_run_id() for _ in range(3)]
    assert ids == sorted(ids)


def test_a_second_run_is_told_who_is_at_work(tmp_path):
    folders = Folders.of(tmp_path, "taxi")
    busy = r"another run is at work here: process \d+, run first"
    with locked(folders, "first"), pytest.raises(SkewlessError, match=busy):
        locked(folders, "second").__enter__()
    with locked(folders, "third"):
        assert "third" in (folders.root / ".lock").read_text(encoding="utf-8")


def test_two_pipelines_do_not_meet(tmp_path):
    with locked(Folders.of(tmp_path, "a"), "1"), locked(Folders.of(tmp_path, "b"), "2"):
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_process_that_is_killed_leaves_no_lock(tmp_path):
    folders = Folders.of(tmp_path, "taxi")
    code = f"""
import os, signal
from pipeline.folders import Folders, locked
with locked(Folders.of({str(tmp_path)!r}, "taxi"), "killed"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    assert "run killed" in (folders.root / ".lock").read_text(encoding="utf-8")
    with locked(folders, "next"):
        assert "run next" in (folders.root / ".lock").read_text(encoding="utf-8")


def test_a_store_holds_what_needs_no_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folders = Folders.of("gs://bucket/runs/", "taxi")
    assert folders == Folders.at("gs://bucket/runs/taxi/")
    assert folders.place == "gs://bucket/runs/taxi"
    assert folders.artifacts == "gs://bucket/runs/taxi/artifacts"
    assert folders.serving == "gs://bucket/runs/taxi/serving"
    assert folders.root == tmp_path / "skewless/gs/bucket/runs/taxi"
    assert folders.metadata == folders.root / "metadata.sqlite"
    assert folders.runs == folders.root / "runs"
    monkeypatch.setenv("XDG_STATE_HOME", "")
    assert Folders.at("gs://bucket/taxi").root.parts[-6:-3] == (".local", "state", "skewless")
