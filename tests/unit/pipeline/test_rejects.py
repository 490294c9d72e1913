"""`skewless rejects` shows what a run left out, by reason."""

import json

import pyarrow.parquet as pq
import pytest

from components.ingest.rejects import RejectWriter, publish_rejects
from components.sources.rejects import Reject, RejectReason
from pipeline import cli
from pipeline.summary import Summary

COUNTS = {
    "records_read": 100,
    "records_rejected": 3,
    "dropped_by_rule": {"splits.gap": 7},
}


@pytest.fixture
def run(tmp_path):
    """A pipeline's folder whose newer run failed before it read anything."""
    with RejectWriter(str(tmp_path)) as writer:
        writer.write(
            [
                Reject("a.csv", 7, "age", "old", RejectReason.NOT_AN_INTEGER, b"7,old,\xff\n"),
                Reject("a.csv", 9, None, None, RejectReason.WRONG_FIELD_COUNT, b"9\n"),
                Reject("b.csv", 3, "age", "?", RejectReason.NOT_AN_INTEGER, b"3,?,x\n"),
            ]
        )
    examples = str(tmp_path / "examples")
    assert writer.path is not None
    publish_rejects([writer.path], examples)
    for run_id, found in (("1", True), ("2", False)):
        summary = Summary(
            pipeline="shop",
            run_id=run_id,
            status="failed",
            seconds=1.0,
            stages=(),
            log="run.log",
            counts=COUNTS if found else None,
            rejects=f"{examples}/rejects" if found else None,
        )
        folder = tmp_path / "shop" / "runs" / run_id
        folder.mkdir(parents=True)
        summary.write(folder)
    return tmp_path / "shop"


def test_reasons_come_with_their_first_records(run, capsys):
    assert cli.main(["rejects", str(run), "--samples", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "3 of 100 records were rejected",
        "7 more were dropped by splits.gap",
    ]
    assert lines[3:6] == ["2 not_an_integer in age", "  a.csv:7 'old'", "    7,old,\\xff"]
    assert lines[7:9] == ["1 wrong_field_count", "  a.csv:9"]


def test_a_folder_without_runs_is_named(tmp_path, capsys):
    assert cli.main(["rejects", str(tmp_path)]) == 2
    assert f"no run in {tmp_path} has read its source" in capsys.readouterr().err


def test_rejects_of_an_earlier_version_are_shown(run, capsys):
    """Their files have no column `raw`."""
    (path,) = (run.parent / "examples/rejects").iterdir()
    pq.write_table(pq.read_table(path).drop(["raw"]), path)
    assert cli.main(["rejects", str(run)]) == 0
    assert "2 not_an_integer in age" in capsys.readouterr().out


def test_rejects_are_json_with_samples_by_reason(run, capsys):
    assert cli.main(["rejects", str(run), "--samples", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["records_read"], result["rejected"]) == (100, 3)
    assert result["dropped_by_rule"] == {"splits.gap": 7}
    first = result["reasons"][0]
    assert (first["column"], first["count"]) == ("age", 2)
    assert [sample["line"] for sample in first["samples"]] == [7]
