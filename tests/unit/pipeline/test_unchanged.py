"""When a run has nothing to do, and the effect of each kind of change."""

import json
import shutil
from pathlib import Path

import pytest

from components.evaluate.published import JUDGED, content_digest
from pipeline import dag, digests, lineage, unchanged
from pipeline.digest_cache import DigestCache
from pipeline.folders import Folders
from pipeline.lineage import Artifact, Execution
from pipeline.run import Job, _digest
from pipeline.runners import Choice
from pipeline.seals import PROPERTY, Seals
from pipeline.unchanged import LastRun, Same
from schemas import catalog
from schemas.runners import Direct

DIGEST = "d" * 64


@pytest.fixture
def folders(tmp_path):
    made = Folders.of(tmp_path, "taxi")
    made.root.mkdir()
    made.metadata.touch()
    return made


@pytest.fixture
def sealing(folders):
    return Seals(folders.artifacts, DigestCache(folders.digests))


@pytest.fixture
def executions(folders, sealing, monkeypatch):
    """ML Metadata's record of a run that pushed version 3, with one artifact for each node."""
    channels = {"export": "exported", "evaluate": "blessing", "parity": "proof", "push": "pushed"}
    outputs = {}
    for node in dag.NODES:
        folder = Path(folders.artifacts, node, "1")
        folder.mkdir(parents=True)
        (folder / "file").write_text(node)
        outputs[node] = {channels.get(node, "out"): Artifact(str(folder), {})}
    saved_model = Path(outputs["export"]["exported"].uri, "Format-Serving")
    saved_model.mkdir()
    (saved_model / "saved_model.pb").write_bytes(b"graph")
    shutil.copytree(saved_model, Path(folders.serving, "3"))
    properties: dict[str, dict[str, int | float | str]] = {
        "evaluate": {JUDGED: content_digest(str(saved_model))},
        "parity": {JUDGED: content_digest(str(saved_model))},
        "push": {
            "pushed": 1,
            "pushed_destination": f"{folders.serving}/3",
            "pushed_version": "3",
            "new": 1,
        },
    }
    found = {}
    for node, by_channel in outputs.items():
        ((channel, artifact),) = by_channel.items()
        own = {PROPERTY: sealing.seal(artifact.uri), **properties.get(node, {})}
        found[node] = Execution(node, "COMPLETE", {channel: Artifact(artifact.uri, own)})
    monkeypatch.setattr(lineage, "read_run", lambda _, run_id: found if run_id == "a" else {})
    LastRun("a", DIGEST).write(folders)
    return found


def test_a_run_that_nothing_happened_since_is_found(folders, sealing, executions):
    served: dict[str, int | float | str] = {
        "pushed": 1,
        "pushed_destination": f"{folders.serving}/3",
        "pushed_version": "3",
    }
    assert unchanged.since(folders, DIGEST, sealing) == Same("a", served)


def test_a_run_with_other_nodes_is_another_run(folders, sealing, executions):
    nodes = (*dag.NODES, "ingest_7")
    assert unchanged.since(folders, DIGEST, sealing, nodes) is None
    executions["ingest_7"] = executions["ingest"]
    assert unchanged.since(folders, DIGEST, sealing, nodes) is not None
    assert unchanged.since(folders, DIGEST, sealing) is None


def damaged(folders, executions):
    (artifact,) = executions["train"].outputs.values()
    Path(artifact.uri, "file").write_text("another")


def gone(folders, executions):
    (artifact,) = executions["transform"].outputs.values()
    shutil.rmtree(artifact.uri)


def without_a_seal(folders, executions):
    ((channel, artifact),) = executions["ingest"].outputs.items()
    executions["ingest"].outputs[channel] = Artifact(artifact.uri, {})


def failed(folders, executions):
    executions["parity"] = Execution("parity", "FAILED", {})


def incomplete(folders, executions):
    del executions["push"]


def not_pushed(folders, executions):
    executions["push"].outputs["pushed"].properties["pushed"] = 0


def judged_by_another_digest(folders, executions):
    executions["parity"].outputs["proof"].properties[JUDGED] = "0" * 64


def version_removed(folders, executions):
    shutil.rmtree(Path(folders.serving, "3"))


def version_damaged(folders, executions):
    Path(folders.serving, "3", "saved_model.pb").write_bytes(b"")


def version_added(folders, executions):
    shutil.copytree(Path(folders.serving, "3"), Path(folders.serving, "4"))


def record_lost(folders, executions):
    folders.metadata.unlink()


def another_run_started(folders, executions):
    unchanged.forget(folders)


def file_damaged(folders, executions):
    (folders.root / unchanged.FILE_NAME).write_text('{"run_id": "a"')


def file_of_another_form(folders, executions):
    (folders.root / unchanged.FILE_NAME).write_text('["a"]')


def another_record(folders, executions):
    LastRun("b", DIGEST).write(folders)


@pytest.mark.parametrize(
    "change",
    [
        damaged,
        gone,
        without_a_seal,
        failed,
        incomplete,
        not_pushed,
        judged_by_another_digest,
        version_removed,
        version_damaged,
        version_added,
        record_lost,
        another_run_started,
        file_damaged,
        file_of_another_form,
        another_record,
    ],
)
def test_every_stage_is_checked_after_any_change(folders, sealing, executions, change):
    change(folders, executions)
    assert unchanged.since(folders, DIGEST, sealing) is None


def test_every_stage_is_checked_if_the_options_differ(folders, sealing, executions):
    assert unchanged.since(folders, "e" * 64, sealing) is None


@pytest.mark.parametrize(
    ("on", "store", "asked"),
    [
        (Choice("direct", Direct()), None, False),
        (Choice("direct", Direct(), ("--direct_num_workers=2",)), None, True),
        (Choice("prism", Direct()), None, True),
        (Choice("direct", Direct()), "gs://bucket/taxi", True),
    ],
)
def test_an_engine_or_a_store_is_asked_in_any_case(folders, monkeypatch, on, store, asked):
    monkeypatch.setattr(unchanged, "digest_of", lambda *_, **__: DIGEST)
    at = Folders(folders.root, store)
    job = Job(catalog.load("taxi"), at, "b", allow_anomalies=False, on=on)
    assert _digest(job, DigestCache(folders.digests)) == (None if asked else DIGEST)


def test_the_digest_takes_in_all_that_stages_depend_on(tmp_path, monkeypatch):
    taxi = catalog.find_folder("taxi")
    folder = tmp_path / "taxi"
    shutil.copytree(taxi, folder)
    text = (folder / "pipeline.yaml").read_text(encoding="utf-8")
    path = "package://tfx/examples/chicago_taxi_pipeline/data/simple/data.csv"
    text = text.replace(path, "data.csv")
    (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
    (folder / "data.csv").write_text("a\n1\n", encoding="utf-8")
    folders = Folders.of(tmp_path / "runs", "taxi")

    def digest(allow_anomalies=False, at=folders):
        known = DigestCache(tmp_path / "digests.json")
        dataset = catalog.load(str(folder))
        return unchanged.digest_of(dataset, at, known, allow_anomalies=allow_anomalies)

    seen = [digest()]
    assert digest() == seen[0]
    seen.append(digest(allow_anomalies=True))
    seen.append(digest(at=Folders.of(tmp_path / "others", "taxi")))
    (folder / "data.csv").write_text("a\n2\n", encoding="utf-8")
    seen.append(digest())
    (folder / "pipeline.yaml").write_text(text.replace("buckets: 500", "buckets: 501"), "utf-8")
    seen.append(digest())
    schema = (folder / "schema.pbtxt").read_text(encoding="utf-8")
    (folder / "schema.pbtxt").write_text(schema.replace("0.99", "0.98"), encoding="utf-8")
    seen.append(digest())
    monkeypatch.setattr(digests, "project", lambda: "another")
    seen.append(digest())
    assert len(set(seen)) == len(seen) == 7


def test_the_file_holds_what_was_written(folders):
    assert LastRun.read(folders) is None
    LastRun("a", DIGEST).write(folders)
    assert LastRun.read(folders) == LastRun("a", DIGEST)
    assert json.loads((folders.root / "last_run.json").read_text()) == {
        "run_id": "a",
        "digest": DIGEST,
    }
    unchanged.forget(folders)
    unchanged.forget(folders)
    assert LastRun.read(folders) is None
