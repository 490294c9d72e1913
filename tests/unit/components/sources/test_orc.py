"""ORC files → typed rows and rejects; damaged files are refused."""

from datetime import date, datetime, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.orc as writer
import pytest

from components.sources import orc, typed_file
from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.orc import Orc
from tests.source_rows import read_all

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
GOOD: dict[str, list[object]] = {"n": [1, 2], "x": [0.5, 1.5], "t": ["a", "b"]}
ROWS = [(1, (1, 0.5, "a")), (2, (2, 1.5, "b"))]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.orc")


def read(path, *, columns=COLUMNS, keys=()):
    """Rows as (place, values), and rejects as (place, column, value, reason)."""
    ours = open_reader(Orc(path=""), Selection(columns, Needs(), keys))
    return read_all(ours, path)


def refusal(path, *, columns=COLUMNS):
    with pytest.raises(DataError) as caught:
        read(path, columns=columns)
    assert caught.value.where == path
    return caught.value


def test_rows_and_what_the_file_says_of_itself(path):
    writer.write_table(pa.table({"more": [[1], []], **GOOD}), path)
    (part,) = open_reader(Orc(path=""), Selection(COLUMNS)).parts(path)
    assert (part.path, part.ignored, part.rows) == (path, ("more",), 2)
    assert part.text_bytes > 0
    assert read(path) == (ROWS, [])


def test_rows_are_numbered_through_stripes(path, monkeypatch):
    monkeypatch.setattr(typed_file, "BATCH_ROWS", 3_000)
    numbers = [2**60 if i % 10_000 == 7 else i for i in range(25_000)]
    table = pa.table({"n": numbers, "x": [0.5] * 25_000, "t": [str(i) for i in range(25_000)]})
    writer.write_table(table, path, stripe_size=4_096, batch_size=1_024)
    rows, rejects = read(path)
    assert [place - 1 for place, _ in rows] == [i for i in range(25_000) if i % 10_000 != 7]
    assert all(int(values[2]) == place - 1 for place, values in rows)
    assert [place for place, *_ in rejects] == [8, 10_008, 20_008]


def test_types_as_in_parquet(path):
    columns = (
        Column("price", "FLOAT", True),
        Column("at", "TIME", True, ("UNIX_SECONDS",)),
        Column("day", "TIME_TEXT", True, ("%Y-%m-%d",)),
        Column("flag", "BOOL", True),
        Column("tags", "BYTES", True, most=2),
    )
    table = pa.table(
        {
            "price": [Decimal("1.10"), None],
            "at": [datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc), None],
            "day": [date(2024, 2, 29), None],
            "flag": [True, None],
            "tags": [["a", "b"], None],
        }
    )
    writer.write_table(table, path)
    day = 19_782 * 86_400_000_000
    assert read(path, columns=columns) == (
        [(1, (float(np.float32(1.1)), -1_000_000, day, 1, ["a", "b"])), (2, (None,) * 5)],
        [],
    )


@pytest.mark.parametrize("codec", ["uncompressed", "zlib", "snappy", "zstd"])
@pytest.mark.parametrize("year", [1600, 9999])
def test_times_that_pyarrow_cannot_read_are_refused(path, codec, year):
    far = datetime(year, 12, 31, tzinfo=timezone.utc)
    near = datetime(2261, 1, 1, tzinfo=timezone.utc)
    kind = pa.timestamp("us")
    times = {
        "more": [[1], [2]],
        "near": pa.array([near] * 2, kind),
        "far": pa.array([far, near], kind),
    }
    writer.write_table(pa.table(times), path, compression=codec)
    columns = {name: Column(name, "TIME", True, ("UNIX_SECONDS",)) for name in times}
    assert "the column 'far' has times before" in refusal(path, columns=(columns["far"],)).what
    _, rejects = read(path, columns=(columns["near"],))
    assert [reason for *_, reason in rejects] == ["time_beyond_range"] * 2
    with pytest.raises(DataError, match="has times before"):
        orc.sample(Orc(path=path), path, 5)


def test_text_that_is_not_utf_8_is_a_reject(path):
    buffers = pa.array([b"a", b"\xff"], pa.binary()).buffers()
    text = pa.Array.from_buffers(pa.string(), 2, buffers)
    writer.write_table(pa.table({**GOOD, "t": text}), path)
    assert read(path) == (ROWS[:1], [(2, "t", r"b'\xff'", "not_utf8")])


def test_names_with_dots_and_keys(path):
    writer.write_table(pa.table({"a.b": [1], "a": [3], "id": pa.array([7], pa.int16())}), path)
    columns = (Column("a", "INT", True), Column("a.b", "INT", True))
    keys = (Column("id", "INT", False),)
    assert read(path, columns=columns, keys=keys) == ([(1, (3, 1, 7))], [])


def test_a_column_that_is_there_twice_is_refused_if_it_is_read(path):
    arrays = [pa.array(values) for values in GOOD.values()]
    table = pa.Table.from_arrays([*arrays, arrays[0]], ["n", "x", "t", "n"])
    writer.write_table(table, path)
    assert "the column 'n' 2 times" in refusal(path).what
    assert read(path, columns=COLUMNS[1:])[0] == [(1, (0.5, "a")), (2, (1.5, "b"))]


def test_a_file_without_rows(path):
    empty = pa.table(
        {"n": pa.array([], pa.int64()), "x": pa.array([], pa.float64()), "t": pa.array([], "str")}
    )
    writer.write_table(empty, path)
    assert read(path) == ([], [])
    assert orc.sample(Orc(path=path), path, 5) == (empty, True)


@pytest.mark.parametrize("kept", [12, 100, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_to_be_copied_again(path, kept):
    table = pa.table({"n": range(5000), "x": [0.5] * 5000, "t": ["a"] * 5000})
    writer.write_table(table, path)
    with open(path, "r+b") as file:
        file.truncate(int(file.seek(0, 2) * kept) if isinstance(kept, float) else kept)
    assert "copy it again" in str(refusal(path).remedy)


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"n,x,t\n1,2,a\n", "the file is text, not ORC as its name says", "end in .orc"),
        (b"", "the file is empty", ""),
        (b"PAR1\x15\x04\x15", "the file is a Parquet file, not ORC", "source.format: parquet"),
    ],
)
def test_a_file_of_another_format_is_named(tmp_path, path, data, what, remedy):
    (tmp_path / "rows.orc").write_bytes(data)
    error = refusal(path)
    assert error.what == what
    assert remedy in (error.remedy or "")


def test_a_sample_has_the_first_rows_and_says_whether_there_are_more(path):
    table = pa.table({"n": list(range(10)), "t": ["a", "b"] * 5})
    writer.write_table(table, path)
    assert orc.sample(Orc(path=path), path, 10) == (table, True)
    assert orc.sample(Orc(path=path), path, 6) == (table[:6], False)
    assert orc.draft(path) == Orc(path=path)
