"""Dropped rows are shown by rule, from the first row groups that have them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.ingest.dropped import FOLDER, DroppedWriter, publish_dropped
from pipeline.dropped import FOLDER as READ_FROM
from pipeline.dropped import line_of, samples_of
from schemas.columns import Column

COLUMNS = (Column("id", "INT", serving=True), Column("tags", "BYTES", serving=True, most=3))


def rows(first, count):
    tags = pa.array([["a"], None] * (count // 2), pa.list_(pa.string()))
    return pa.record_batch([pa.array(range(first, first + count)), tags], ["id", "tags"])


def test_written_rows_are_read_back_by_rule(tmp_path):
    written = []
    for number in range(2):
        with DroppedWriter(str(tmp_path), COLUMNS) as writer:
            writer.write("a", rows(0, 4), source="x.csv", places=np.arange(2, 6) + 10 * number)
            writer.write("b", rows(10, 2))
        written.append(str(writer.path))
    publish_dropped(written, str(tmp_path))
    assert FOLDER == READ_FROM
    found = samples_of(str(tmp_path / FOLDER), ["a", "b", "c"], 5)
    assert [row["line"] for row in found["a"]] == [2, 3, 4, 5, 12]
    assert found["b"][0] == {
        "rule": "b",
        "source": None,
        "line": None,
        "row": {"id": 10, "tags": ["a"]},
    }
    assert found["c"] == []
    assert line_of(found["a"][0]) == "  x.csv:2 id = 0, tags = ['a']"
    assert line_of(found["b"][0]) == "  id = 10, tags = ['a']"


def test_without_dropped_rows_there_is_no_file(tmp_path):
    with DroppedWriter(str(tmp_path), COLUMNS) as writer:
        pass
    assert writer.path is None
    assert samples_of(str(tmp_path / FOLDER), ["a"], 3) == {"a": []}
