"""Rejected records on disk."""

import pyarrow.parquet as pq

from components.ingest.rejects import KEPT, RejectWriter, publish_rejects
from components.sources.rejects import MAX_CHARS, Reject, RejectReason

ONE = Reject("data.csv", 3, "n", "x", RejectReason.NOT_AN_INTEGER, b"x,\xff")
TWO = Reject("data.csv", 9, None, None, RejectReason.UNCLOSED_QUOTE, b'"a')


def test_rejects_are_written_as_they_are(tmp_path):
    with RejectWriter(str(tmp_path)) as writer:
        writer.write([ONE])
        writer.write([])
        writer.write([TWO])
    table = pq.read_table(writer.path)
    assert table.schema == KEPT
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("data.csv", 3, "n", "x", "not_an_integer", "x,\\xff", b"x,\xff"),
        ("data.csv", 9, None, None, "unclosed_quote", '"a', None),
    ]


def test_a_record_is_kept_whole_where_its_text_is_cut(tmp_path):
    long = b"x" * (MAX_CHARS + 1)
    with RejectWriter(str(tmp_path)) as writer:
        writer.write([Reject("a.csv", 2, None, None, RejectReason.UNCLOSED_QUOTE, long)])
    (row,) = pq.read_table(writer.path).to_pylist()
    assert (len(row["record"]), row["raw"]) == (MAX_CHARS, long)


def test_no_rejects_no_file(tmp_path):
    with RejectWriter(str(tmp_path)) as writer:
        writer.write([])
    assert writer.path is None
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing(tmp_path):
    writer = RejectWriter(str(tmp_path))
    writer.write([ONE])
    writer.__exit__(ValueError, ValueError(), None)
    assert list(tmp_path.iterdir()) == []


def test_files_are_published_in_order(tmp_path):
    paths = []
    for reject in (ONE, TWO):
        with RejectWriter(str(tmp_path)) as writer:
            writer.write([reject])
        paths.append(str(writer.path))
    publish_rejects(paths, str(tmp_path / "out"))
    found = sorted((tmp_path / "out/rejects").iterdir())
    assert [p.name for p in found] == [f"rejects-0000{i}-of-00002.parquet" for i in (0, 1)]
    assert [pq.read_table(p)["line"].to_pylist() for p in found] == [[3], [9]]


def test_no_rejects_are_published_as_an_empty_table(tmp_path):
    publish_rejects([], str(tmp_path))
    table = pq.read_table(tmp_path / "rejects/rejects-00000-of-00001.parquet")
    assert (table.schema, table.num_rows) == (KEPT, 0)
