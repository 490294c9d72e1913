"""Rows of a Parquet file and of a database go through a run like those of the same CSV file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest
import yaml

from components.examples import shards
from pipeline import lineage
from pipeline.folders import Folders
from schemas import catalog
from schemas.splits.options import SPLITS

pytestmark = pytest.mark.e2e


@pytest.fixture
def trips(csv, tmp_path):
    """The trips as Parquet and in SQLite, and one more without a fare, which the label needs."""
    arrow = {"INT": pa.int64(), "FLOAT": pa.float64(), "BYTES": pa.string()}
    types = {c.name: arrow[c.kind] for c in catalog.load("taxi").columns}
    options = pv.ConvertOptions(column_types=types, include_columns=list(types), null_values=[""])
    table = pv.read_csv(csv, convert_options=options)
    one = {name: [None if name == "fare" else table[name][0].as_py()] for name in types}
    whole = pa.concat_tables([table, pa.table(one, schema=table.schema)])
    pq.write_table(whole, tmp_path / "trips.parquet", row_group_size=250)
    with sqlite3.connect(tmp_path / "trips.db") as database:
        database.execute(f"CREATE TABLE trips ({', '.join(types)})")
        marks = ", ".join("?" * len(types))
        values = zip(*whole.to_pydict().values(), strict=True)
        database.executemany(f"INSERT INTO trips VALUES ({marks})", values)
    database.close()
    return tmp_path


def examples_of(root, outcome):
    """Return the bytes of a run's examples by the names of their files."""
    nodes = lineage.read_run(Folders.of(root, "taxi").metadata, outcome.summary.run_id)
    uri = nodes["ingest"].outputs["examples"].uri
    paths = [Path(path) for split in SPLITS for path in shards(uri, split)]
    return {str(path.relative_to(uri)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("source", ["path: {}/trips.parquet", "url: sqlite:///{}/trips.db"])
def test_other_sources_give_the_examples_that_csv_gives_and_their_rejects_count(
    first, make_dataset, run_dataset, root, trips, source
):
    folder = make_dataset(spec={"validation": {"max_rejected_fraction": 0}})
    spec = yaml.safe_load((folder / "pipeline.yaml").read_text())
    kind = {"format": "sql", "table": "trips"} if "sqlite" in source else {"format": "parquet"}
    spec["source"] = kind | yaml.safe_load(source.format(trips))
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(spec))
    stopped = run_dataset(folder)
    assert (stopped.error.exit_code, stopped.summary.error.stage) == (3, "gate")
    assert "missing_label" in str(stopped.error)
    expected = {**first.summary.counts, "records_read": 601}
    expected |= {"records_rejected": 1, "rejected_by_reason": {"missing_label": 1}}
    assert stopped.summary.counts == expected
    assert examples_of(root, stopped) == examples_of(root, first)
