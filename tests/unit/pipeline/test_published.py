"""The statistics of what the model that was pushed last was trained on."""

import json

import pytest

from pipeline import lineage, published
from pipeline.folders import Folders
from pipeline.lineage import Artifact, Execution


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Three runs: `a` pushed a model, `b` pushed another one, `c` did not."""
    made = Folders.of(tmp_path, "taxi")
    made.root.mkdir()
    made.metadata.touch()
    runs = {
        run_id: executions(tmp_path / run_id, run_id, version)
        for run_id, version in (("a", 1), ("b", 2), ("c", None))
    }
    for run_id in runs:
        (made.runs / run_id).mkdir(parents=True)
    monkeypatch.setattr(lineage, "read_run", lambda _, run_id: runs[run_id])
    return made


def executions(folder, fingerprint, version):
    folder.mkdir()
    outputs = {
        "ingest": {"examples": Artifact("", {"input_fingerprint": fingerprint})},
        "statistics": {"statistics": Artifact(str(folder), {})},
        "push": {"pushed": Artifact("", {"pushed": int(version is not None)})},
    }
    if version is not None:
        outputs["push"]["pushed"] = Artifact("", {"pushed": 1, "pushed_version": str(version)})
    return {node: Execution(node, "COMPLETE", out) for node, out in outputs.items()}


def test_new_data_are_compared_with_those_of_the_newest_push(folders, tmp_path):
    found = json.loads(published.statistics(folders, "new"))
    assert found == {"version": "2", "statistics": str(tmp_path / "b")}


def test_the_same_source_is_compared_with_nothing(folders):
    assert published.statistics(folders, "b") == ""


def test_statistics_that_were_removed_are_compared_with_nothing(folders, tmp_path):
    (tmp_path / "b").rmdir()
    assert published.statistics(folders, "new") == ""


def test_a_first_run_is_compared_with_nothing(tmp_path):
    assert published.statistics(Folders.of(tmp_path, "none"), "new") == ""
