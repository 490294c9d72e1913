"""The folders of a pipeline."""

import pytest

from pipeline.folders import Folders, new_run_id
from schemas.errors import ConfigError


def test_paths_are_absolute_and_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = Folders.of("runs", "taxi")
    assert folders.root == tmp_path / "runs" / "taxi"
    assert folders.metadata == folders.root / "metadata.sqlite"
    assert folders.serving == str(folders.root / "serving")


def test_run_ids_sort_by_time():
    ids = [new_run_id() for _ in range(3)]
    assert ids == sorted(ids)


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


@pytest.mark.parametrize("folder", ["artifacts/ingest", "serving/1", "runs/2", "../link/artifacts"])
def test_the_output_of_runs_cannot_be_a_source(tmp_path, folder):
    folders = Folders(tmp_path / "taxi")
    (tmp_path / "link").symlink_to("taxi")
    folders.check_apart([str(tmp_path / "rows.csv"), str(tmp_path / "taxi" / "rows.csv")])
    with pytest.raises(ConfigError, match="the source takes in what runs write"):
        folders.check_apart([str(tmp_path / "rows.csv"), str(tmp_path / "taxi" / folder / "x.csv")])


def test_the_output_of_runs_in_a_store_cannot_be_a_source():
    folders = Folders.at("gs://bucket/taxi")
    folders.check_apart(["gs://bucket/taxi.csv", "gs://bucket/taxi/rows.csv", "artifacts/rows.csv"])
    with pytest.raises(ConfigError, match="the source takes in what runs write"):
        folders.check_apart(["gs://bucket/taxi/artifacts/x.csv"])
