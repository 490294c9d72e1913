"""A CSV file in ranges: the same records, in the same lines, as in one piece."""

import functools
import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.sources import csv as csv_source
from components.sources.csv_ranges import find_ranges, read_records
from components.sources.protocol import Selection, open_reader
from components.sources.rules import Dialect
from schemas.columns import Column
from schemas.sources.csv import Csv

PIECES = ["a", "1,2", ",", '"', '""', '"a\nb"', "\n", "\r\n", "\r", "#", '#"', "é", '"x",\n', '"\n']


def records(path, dialect, parts=(None,)):
    return [
        (block.line_of(at), block.record(at), bool(block.closed[at]))
        for part in parts
        for block in read_records(path, dialect, part)
        for at in range(len(block))
    ]


@given(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.booleans(),
    st.booleans(),
    st.sampled_from([b"", b"#"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.integers(3, 20),  # a byte order mark has 3 bytes
)
@example('a\n1\n"2\n3\n4\n5\n6"\n7\n', True, True, b"", b"", 3)
@example("a\n" + '"1\n2"\n' * 9, False, True, b"", b"\xef\xbb\xbf", 3)
def test_ranges_have_the_records_of_the_file(text, multiline, header, comment, mark, size):
    dialect = Dialect(b",", multiline, header, comment)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_bytes(mark + text.encode())
        ranges = find_ranges(str(path), dialect, range_bytes=size, block_bytes=size)
        if ranges:
            assert records(str(path), dialect, ranges) == records(str(path), dialect)


def test_a_file_is_divided_at_ends_of_records(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"t\n" + b'"a\nb"\n' * 100)
    ranges = find_ranges(str(path), Dialect(b",", True), range_bytes=50, block_bytes=10)
    assert len(ranges) > 8
    assert ranges[1].start == ranges[0].end
    assert path.read_bytes()[ranges[1].start :].startswith(b'"a')
    assert ranges[1].line == 1 + path.read_bytes()[: ranges[1].start].count(b"\n")


@pytest.mark.parametrize(("name", "encoding"), [("a.csv.gz", "utf-8"), ("a.csv", "latin-1")])
def test_a_packed_or_encoded_file_is_one_part(tmp_path, name, encoding):
    path = tmp_path / name
    data = b"t\n" + b"a\n" * 100
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert find_ranges(str(path), Dialect(b",", True, encoding=encoding), range_bytes=9) == []


def test_parts_of_a_file_have_its_rejects_in_their_lines(tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"n\n" + b"".join(b"%d\n" % n for n in range(99)) + b"x\n1\n")
    small = functools.partial(find_ranges, range_bytes=20, block_bytes=10)
    monkeypatch.setattr(csv_source, "find_ranges", small)
    reader = open_reader(Csv(path="x"), Selection((Column("n", "INT", serving=True),)))
    (part,) = reader.parts(str(path))
    parts = reader.ranges(part)
    blocks = [block for each in parts for block in reader.read(each)]
    assert len(parts) > 5
    assert [reject.line for block in blocks for reject in block.rejects] == [101]
    assert [place for block in blocks for place in block.places] == [*range(2, 101), 102]
