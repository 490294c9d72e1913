"""Damaged artifacts of a run are never used again, nor are those of a dead run."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components import progress
from components.compat import quiet_environment
from pipeline import lineage

quiet_environment()
pytestmark = pytest.mark.component

CACHED = {"first": "CACHED", "second": "CACHED"}
HERE = str(Path(__file__).parent)

# Runs the tiny DAG and is killed before or after the second node is recorded as complete.
KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from components.compat import quiet_environment
quiet_environment()
import tiny_dag
from pipeline.folders import Folders
from tfx.orchestration.portable import execution_publish_utils as publishing

complete, calls = publishing.publish_succeeded_execution, []

def killing(*args, **options):
    calls.append(options)
    if len(calls) < 2:
        return complete(*args, **options)
    if sys.argv[3] == "after":
        complete(*args, **options)
    tiny_dag.kill()

publishing.publish_succeeded_execution = killing
tiny_dag.run(Folders(Path(sys.argv[2])), "a")
"""


@pytest.fixture
def remarks():
    """The remarks, by node."""

    class Remarks(logging.Handler):
        def emit(self, record):
            if record.event.kind == "remark":
                said.append((record.event.stage, record.event.values["remark"]))

    said: list[tuple[str, str]] = []
    handler = Remarks()
    progress.LOGGER.addHandler(handler)
    progress.LOGGER.setLevel("INFO")
    yield said
    progress.LOGGER.removeHandler(handler)


def states(folders, run_id):
    return {node: e.state for node, e in lineage.read_run(folders.metadata, run_id).items()}


def artifact(folders, run_id, node, channel):
    return Path(lineage.read_run(folders.metadata, run_id)[node].outputs[channel].uri)


def truncate(folder):
    for path in folder.iterdir():
        path.write_bytes(b"")


def replace(folder):
    """Write other bytes of the same size and time, as another run may."""
    for path in folder.iterdir():
        stat = path.stat()
        path.write_bytes(path.read_bytes()[::-1])
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


def add(folder):
    (folder / "more").write_text("more")


@pytest.mark.parametrize("damage", [truncate, replace, empty, add, shutil.rmtree])
def test_a_damaged_artifact_is_made_again_and_what_it_fed(tiny, folders, remarks, damage):
    tiny.run(folders, "a")
    before = artifact(folders, "a", "first", "examples")
    damage(artifact(folders, "a", "second", "model"))
    tiny.run(folders, "b")
    assert states(folders, "b") == {"first": "CACHED", "second": "COMPLETE"}
    ((node, said),) = remarks
    assert node == "second"
    assert said.startswith("not used again: ")
    assert str(artifact(folders, "a", "second", "model")) in said
    assert (artifact(folders, "b", "second", "model") / "half").read_text() == str(before)

    damage(before)
    tiny.run(folders, "c")
    assert states(folders, "c") == {"first": "COMPLETE", "second": "COMPLETE"}
    assert [node for node, _ in remarks] == ["second", "first"]
    assert (artifact(folders, "c", "first", "examples") / "text").read_text() == "hello"
    tiny.run(folders, "d")
    assert states(folders, "d") == CACHED
    assert len(remarks) == 2


def test_a_copy_of_an_older_result_that_is_whole_is_used(tiny, folders, remarks):
    """Of two results of the same stage the newer one is damaged: the older one is used."""
    tiny.run(folders, "a")
    whole = artifact(folders, "a", "second", "model")
    aside = whole.with_name("aside")
    whole.rename(aside)
    tiny.run(folders, "b")
    aside.rename(whole)
    truncate(artifact(folders, "b", "second", "model"))
    tiny.run(folders, "c")
    assert states(folders, "c") == CACHED
    assert artifact(folders, "c", "second", "model") == whole
    truncate(whole)
    remarks.clear()
    tiny.run(folders, "d")
    assert states(folders, "d") == {"first": "CACHED", "second": "COMPLETE"}
    ((_, said),) = remarks  # about the latest run's artifact, and not about all broken ones
    assert said.endswith(f"in {whole}")


def test_artifacts_are_on_the_disk_and_sealed_before_they_are_complete(tiny, folders, monkeypatch):
    from tfx.orchestration.portable import execution_publish_utils as publishing

    happened = []
    sync, publish = os.fsync, publishing.publish_succeeded_execution

    def syncing(handle):
        happened.append(os.path.relpath(os.readlink(f"/proc/self/fd/{handle}"), folders.artifacts))
        sync(handle)

    def completing(**options):
        happened.append("complete")
        return publish(**options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", syncing)
        patch.setattr(publishing, "publish_succeeded_execution", completing)
        tiny.run(folders, "a")
    first = happened.index("complete")
    assert happened[0] == "first/examples/1/text"
    assert set(happened[1:first]) == {"first/examples/1", "first/examples", "first", "."}
    assert happened[first + 1] == "second/model/2/half"
    assert happened.count("complete") == 2
    assert happened[-1] == "complete"
    for run in lineage.read_run(folders.metadata, "a").values():
        for output in run.outputs.values():
            assert len(str(output.properties["content_digest"])) == 64


def test_a_disk_that_does_not_take_an_artifact_fails_its_stage(tiny, folders, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            tiny.run(folders, "a")
    assert states(folders, "a") == {"first": "FAILED"}
    tiny.run(folders, "b")
    assert states(folders, "b") == {"first": "COMPLETE", "second": "COMPLETE"}


@pytest.mark.parametrize(("when", "again"), [("before", "COMPLETE"), ("after", "CACHED")])
def test_a_run_that_is_killed_while_a_stage_is_completed_goes_on(tiny, folders, when, again):
    """What was incomplete is made again, what is complete is intact."""
    command = [sys.executable, "-c", KILLED, HERE, str(folders.root), when]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    lineage.tidy(folders.metadata, folders.artifacts)
    tiny.run(folders, "b")
    assert states(folders, "b") == {"first": "CACHED", "second": again}
    model = artifact(folders, "b", "second", "model")
    assert (model / "half").read_text() == str(artifact(folders, "b", "first", "examples"))
    assert [path.name for path in model.parent.iterdir()] == [model.name]


def test_what_an_earlier_record_left_in_a_folder_is_not_mixed_in(tiny, folders):
    tiny.run(folders, "a")
    add(artifact(folders, "a", "first", "examples"))
    folders.metadata.unlink()
    tiny.run(folders, "b")
    examples = artifact(folders, "b", "first", "examples")
    assert examples.name == "1"
    assert [path.name for path in examples.iterdir()] == ["text"]
