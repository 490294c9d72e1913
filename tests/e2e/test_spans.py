"""A window of spans that moves on reads the new span alone."""

import pyarrow.parquet as pq
import pytest

from pipeline import lineage, rejects
from pipeline.folders import Folders
from schemas.errors import DataError

pytestmark = pytest.mark.e2e

ROWS = 100


@pytest.fixture
def spans(tmp_path, csv):
    """Write a version of a span: real rows, and one that is rejected, at which the gate stops."""
    header, *rows = csv.read_text(encoding="utf-8").splitlines(keepends=True)

    def write(span, version, first):
        path = tmp_path / "data" / str(span) / f"{version}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        broken = rows[first].replace(rows[first].split(",")[2], "soon", 1)
        path.write_text("".join([header, *rows[first : first + ROWS], broken]), encoding="utf-8")

    return write


@pytest.fixture
def run_spans(tmp_path, make_dataset, run_dataset):
    """Run the spans that a text names up to the gate, which refuses the rejected records."""
    changes = {"source": {"spans": "last 2"}, "validation": {"max_rejected_fraction": 0}}
    dataset = make_dataset(spec=changes, source=tmp_path / "data" / "{SPAN}" / "{VERSION}.csv")

    def run(chosen=None):
        outcome = run_dataset(dataset, output=tmp_path / "runs", chosen=chosen)
        assert isinstance(outcome.error, DataError)
        assert outcome.summary.error.stage == "gate"
        read = {s.name: s.rows for s in outcome.summary.stages if s.name.startswith("ingest_")}
        return outcome, read

    return run


def test_a_new_span_and_a_new_version_are_read_and_nothing_else(spans, run_spans, tmp_path):
    spans(1, 1, 0)
    spans(2, 1, ROWS)
    first, read = run_spans()
    assert read == {"ingest_1": ROWS + 1, "ingest_2": ROWS + 1}
    assert {"statistics_1", "statistics_2", "statistics"} <= set(first.done)

    spans(3, 1, 2 * ROWS)
    moved, read = run_spans()
    assert moved.done == ["ingest_3", "ingest", "statistics_3", "statistics", "validate"]
    assert read == {"ingest_2": 0, "ingest_3": ROWS + 1}
    assert moved.summary.counts["read_by_span"] == {
        "2 version 1": ROWS + 1,
        "3 version 1": ROWS + 1,
    }
    compared = {(d["split"], d["against"]) for d in moved.summary.drift}
    assert compared == {("eval", "train"), ("test", "train"), ("span 3", "span 2")}

    spans(3, 2, 3 * ROWS)
    corrected, read = run_spans("2..3")
    assert read == {"ingest_2": 0, "ingest_3": ROWS + 1}
    assert list(corrected.summary.counts["read_by_span"]) == ["2 version 1", "3 version 2"]

    wider, read = run_spans("1..3")
    assert read == {"ingest_1": 0, "ingest_2": 0, "ingest_3": 0}
    assert wider.summary.counts["records_read"] == 3 * (ROWS + 1)

    folder, counts = rejects.find(str(tmp_path / "runs" / "taxi"))
    sources = pq.read_table(folder)["source"].to_pylist()
    assert [source.split("/")[-2:] for source in sources] == [
        ["1", "1.csv"],
        ["2", "1.csv"],
        ["3", "2.csv"],
    ]
    assert counts["records_rejected"] == 3
    nodes = lineage.read_run(Folders.of(tmp_path / "runs", "taxi").metadata, wider.summary.run_id)
    for node, span, version in (("ingest_1", 1, 1), ("ingest_3", 3, 2), ("ingest", 3, 2)):
        properties = nodes[node].outputs["examples"].properties
        assert (properties["span"], properties["version"]) == (span, version)
