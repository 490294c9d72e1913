"""TFX runs, fails and is killed; what ML Metadata records, and what is cleaned up."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from components.compat import quiet_environment

quiet_environment()
pytestmark = pytest.mark.component


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from components.compat import quiet_environment
quiet_environment()
import tiny_dag
from pipeline.folders import Folders
tiny_dag.run(Folders(Path(sys.argv[2])), "a", mode="kill")
"""


# Writes half of a change to a record's disk file, and is killed before it commits.
KILLED_IN_WRITING = """
import os, signal, sqlite3, sys
record = sqlite3.connect(sys.argv[1])
record.execute("PRAGMA cache_size = 1")
record.execute("DELETE FROM Execution")
record.execute("CREATE TABLE Filler (text)")
record.executemany("INSERT INTO Filler VALUES (?)", [("x" * 1000,)] * 100)
os.kill(os.getpid(), signal.SIGKILL)
"""


def run(tiny, folders, run_id, **options):
    tiny.run(folders, run_id, **options)


def states(folders, run_id):
    from pipeline import lineage

    return {node: e.state for node, e in lineage.read_run(folders.metadata, run_id).items()}


def files(folders):
    return sorted(
        str(path.relative_to(folders.artifacts))
        for path in Path(folders.artifacts).rglob("*")
        if path.is_file()
    )


def test_a_run_is_found_under_our_id_with_its_artifacts(tiny, folders):
    from pipeline import lineage

    run(tiny, folders, "a")
    first = lineage.read_run(folders.metadata, "a")["first"]
    assert (first.node, first.state) == ("first", "COMPLETE")
    assert first.outputs["examples"].uri == f"{folders.artifacts}/first/examples/1"
    assert first.outputs["examples"].properties["length"] == 5
    assert lineage.read_run(folders.metadata, "b") == {}


def test_a_second_run_is_cached_and_has_the_same_artifacts(tiny, folders):
    from pipeline import lineage

    run(tiny, folders, "a")
    run(tiny, folders, "b")
    assert states(folders, "b") == {"first": "CACHED", "second": "CACHED"}
    a, b = (lineage.read_run(folders.metadata, name)["first"].outputs for name in "ab")
    assert a == b


def test_a_stages_exception_is_raised_unchanged(tiny, folders):
    with pytest.raises(KeyError, match="a fault"):
        run(tiny, folders, "a", mode="raise")
    assert states(folders, "a") == {"first": "COMPLETE", "second": "FAILED"}
    assert files(folders) == ["first/examples/1/text"]


def test_an_interrupt_is_cleared_away_by_the_next_run(tiny, folders):
    from pipeline import lineage

    with pytest.raises(KeyboardInterrupt):
        run(tiny, folders, "a", mode="interrupt")
    assert states(folders, "a") == {"first": "COMPLETE", "second": "RUNNING"}
    assert files(folders) == ["first/examples/1/text", "second/model/2/half"]
    removed = lineage.tidy(folders.metadata, folders.artifacts)
    assert f"{folders.artifacts}/second/model/2" in removed
    assert states(folders, "a") == {"first": "COMPLETE", "second": "FAILED"}
    assert files(folders) == ["first/examples/1/text"]
    run(tiny, folders, "b")
    assert states(folders, "b") == {"first": "CACHED", "second": "COMPLETE"}


def test_a_killed_process_leaves_a_run_to_go_on_from(tiny, folders):
    from pipeline import lineage

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(folders.root)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert states(folders, "a") == {"first": "COMPLETE", "second": "RUNNING"}
    lineage.tidy(folders.metadata, folders.artifacts)
    assert files(folders) == ["first/examples/1/text"]
    run(tiny, folders, "b")
    assert states(folders, "b") == {"first": "CACHED", "second": "COMPLETE"}


def test_tidying_touches_nothing_that_is_whole(tiny, folders):
    from pipeline import lineage

    assert lineage.tidy(folders.metadata, folders.artifacts) == []
    run(tiny, folders, "a")
    before = files(folders)
    lineage.tidy(folders.metadata, folders.artifacts)
    assert files(folders) == before
    run(tiny, folders, "b")
    assert states(folders, "b") == {"first": "CACHED", "second": "CACHED"}


def test_reading_while_a_run_writes_neither_waits_nor_disturbs(tiny, folders):
    from pipeline import lineage

    run(tiny, folders, "a")
    before = states(folders, "a")
    with contextlib.closing(sqlite3.connect(folders.metadata, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM Execution")
        content = folders.metadata.read_bytes()
        assert states(folders, "a") == before
        parameters = lineage.latest_parameters(folders.metadata, "second")
        assert parameters is not None
        assert parameters["mode"] == "well"
        assert folders.metadata.read_bytes() == content
        writer.execute("COMMIT")
    assert states(folders, "a") == {}


def test_reading_while_a_run_creates_its_record_does_not_create_it(folders):
    folders.metadata.touch()
    assert states(folders, "a") == {}
    assert folders.metadata.stat().st_size == 0


def test_what_a_killed_process_had_half_written_is_not_read(tiny, folders):
    run(tiny, folders, "a")
    before = states(folders, "a")
    command = [sys.executable, "-c", KILLED_IN_WRITING, str(folders.metadata)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert folders.metadata.with_name("metadata.sqlite-journal").stat().st_size > 0
    assert states(folders, "a") == before


def test_a_damaged_record_is_one_clear_error_for_whoever_reads_it(tiny, folders):
    from pipeline import lineage, skew
    from schemas.errors import ConfigError

    run(tiny, folders, "a")
    (folders.root / "runs" / "a").mkdir(parents=True)
    content = bytearray(folders.metadata.read_bytes())
    for damaged in (b"garbage\n" * 5_000, content[:4096] + b"\xff" * (len(content) - 4096)):
        folders.metadata.write_bytes(damaged)
        for read in (
            lambda: lineage.check(folders.metadata),
            lambda: lineage.read_run(folders.metadata, "a"),
            lambda: lineage.latest_parameters(folders.metadata, "second"),
            lambda: lineage.tidy(folders.metadata, folders.artifacts),
            lambda: skew.find(str(folders.root)),
        ):
            with pytest.raises(ConfigError, match="record of earlier runs cannot be") as caught:
                read()
            assert caught.value.where == str(folders.metadata)
        assert folders.metadata.read_bytes() == damaged


def test_a_run_that_used_all_again_is_recorded_as_tfx_records_it(tiny, folders):
    from pipeline import lineage

    run(tiny, folders, "a")
    run(tiny, folders, "b")
    lineage.repeat(folders.metadata, "a", "c", anew="second", new=0)
    a, b, c = (lineage.read_run(folders.metadata, name) for name in "abc")
    assert {node: e.state for node, e in c.items()} == {"first": "CACHED", "second": "COMPLETE"}
    assert c["first"] == b["first"]
    assert c["second"].outputs["model"].uri == a["second"].outputs["model"].uri
    assert "new" not in a["second"].outputs["model"].properties
    assert c["second"].outputs["model"].properties["new"] == 0
    parameters = lineage.latest_parameters(folders.metadata, "second")
    assert parameters is not None
    assert (parameters["mode"], parameters["run_id"]) == ("well", "c")

    run(tiny, folders, "d")  # TFX finds the same outputs in its cache as before
    assert lineage.read_run(folders.metadata, "d") == b
