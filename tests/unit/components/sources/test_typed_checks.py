"""Problems of a file with types are reported before its rows are read."""

import gzip
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.score.formats import FORMATS
from components.score.sinks import can_hold, open_sink
from components.score.sources import Wanted, carried_schema, read_rows
from components.sources.parquet import Reader
from components.sources.typed import fits, of_arrow
from components.sources.typed_checks import unreadable
from schemas.errors import DataError
from schemas.sources.csv import Csv
from schemas.types import TYPES
from tests.columns import column_of

ARRAYS = [
    pa.array([1, None], pa.int8()),
    pa.array([1, None], pa.uint64()),
    pa.array([1.5, None], pa.float32()),
    pa.array([1.5, None], pa.float64()),
    pa.array([True, None]),
    pa.array(["a", None]),
    pa.array(["a", None], pa.large_string()),
    pa.array(["a", None]).dictionary_encode(),
    pa.array([1, None]).dictionary_encode(),
    pa.array([b"a\xff", None]),
    pa.array([b"a", None], pa.large_binary()),
    pa.array([b"ab", None], pa.binary(2)),
    pa.array([date(2026, 11, 21), None]),
    pa.array([date(2026, 11, 21), None], pa.date64()),
    pa.array([datetime(2026, 11, 21), None], pa.timestamp("us")),  # noqa: DTZ001
    pa.array([datetime(2026, 11, 21), None], pa.timestamp("ms", "Europe/Berlin")),  # noqa: DTZ001
    pa.array([time(12), None]),
    pa.array([timedelta(1), None]),
    pa.array([Decimal("1.50"), None]),
    pa.array([Decimal("1.50"), None], pa.decimal256(40, 2)),
    pa.array([[1], None]),
    pa.array([[1, 2], [3]]),
    pa.array([{"a": 1}, None]),
    pa.nulls(2),
]
NAMES = [f"{position}-{array.type}" for position, array in enumerate(ARRAYS)]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.parquet")


def wanted(kind, *keys, written_as="parquet"):
    return Wanted((column_of(kind),), keys, Csv(path=""), written_as)


def refusal(path, asked):
    with pytest.raises(DataError) as caught:
        carried_schema([path], asked)
    assert caught.value.where == path
    return caught.value


@pytest.mark.parametrize("array", ARRAYS, ids=NAMES)
@pytest.mark.parametrize("kind", TYPES)
def test_a_type_that_fits_can_be_read_and_any_other_is_refused_before(path, array, kind):
    pq.write_table(pa.table({"x": array}), path)
    stored = pq.read_schema(path).field("x").type
    assert (of_arrow(array, column_of(kind)) is not None) == fits(array.type, column_of(kind))
    if fits(stored, column_of(kind)):
        carried_schema([path], wanted(kind))
        assert sum(rows.read for rows in read_rows(path, wanted(kind))) == len(array)
    else:
        error = refusal(path, wanted(kind))
        assert error.what == f"the column 'x' is {stored}"
        assert TYPES[kind].written in str(error.expected)
        assert error.remedy


@pytest.mark.parametrize(
    ("array", "kind", "remedy"),
    [
        (pa.array(["1.5"]), "FLOAT", "as floats or doubles: CAST(x AS DOUBLE)"),
        (pa.array([True]), "INT", "in schema.pbtxt: bool_domain; or write"),
        (pa.array([1]), "BYTES", "as text: CAST(x AS VARCHAR)"),
        (
            pa.array([date(2026, 11, 21)]),
            "INT",
            "time_domain; or write the column as whole numbers",
        ),
        (pa.array([date(2026, 11, 21)]), "BYTES", "time_domain; or write the column as text"),
        (pa.array([[1.0]]), "FLOAT", "one value for each row"),
    ],
)
def test_the_remedy_is_the_types(path, array, kind, remedy):
    pq.write_table(pa.table({"x": array}), path)
    assert remedy in str(refusal(path, wanted(kind)).remedy)


@pytest.mark.parametrize("array", ARRAYS, ids=NAMES)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_key_that_the_output_can_hold_is_written(tmp_path, path, array, kind):
    pq.write_table(pa.table({"x": pa.array([1, 2]), "key": array}), path)
    stored = pq.read_table(path).column("key").combine_chunks()
    asked = wanted("INT", "key", written_as=kind)
    if can_hold(kind, stored.type):
        schema = carried_schema([path], asked)
        sink = open_sink(str(tmp_path / "out"), kind, schema)
        sink.write(pa.RecordBatch.from_arrays([stored], schema=schema))
        sink.close()
        assert (tmp_path / "out").stat().st_size
    else:
        error = refusal(path, asked)
        assert error.what == f"the key 'key' is {stored.type}, which {kind} output cannot hold"
        assert "CAST(key AS VARCHAR)" in str(error.remedy)


def test_unselected_columns_may_have_any_type(path):
    pq.write_table(pa.table({"x": [1, 2], "more": pa.array([{"a": 1}, None])}), path)
    assert carried_schema([path], wanted("INT")).names == ["source", "line"]


def test_a_column_that_is_absent_is_named_with_the_nearest_one(path):
    pq.write_table(pa.table({"X": [1]}), path)
    assert "no column 'x'; did you mean 'X'?" in refusal(path, wanted("INT")).what


def test_a_column_that_is_there_twice_is_to_be_renamed(path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["x", "x"]), path)
    error = refusal(path, wanted("INT"))
    assert "the column 'x' 2 times" in error.what
    assert "rename or drop" in str(error.remedy)


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"x\n1\n", "the file is text, not Parquet as its name says", "does not end in .parquet"),
        (b"", "the file is empty", ""),
        (gzip.compress(b"x\n1\n", mtime=0), "the file is packed with gzip, not Parquet", "gunzip"),
        (b"PAR1\x15\x04\x15", "the source cannot be read: ", "copy it again"),
        (b"\0\1\2\3\4\5\6\7\x08", "the source cannot be read: ", ""),
    ],
)
def test_a_file_named_parquet_with_another_format(tmp_path, path, data, what, remedy):
    (tmp_path / "rows.parquet").write_bytes(data)
    error = refusal(path, wanted("INT"))
    assert error.what.startswith(what)
    assert remedy in (error.remedy or "")


def test_lists_that_pyarrow_cannot_read_are_not_called_damaged(path):
    pq.write_table(pa.table({"x": [1]}), path)
    error = pa.ArrowInvalid("Expected all lists to be of size=2 but index 3 had size=0")
    found = unreadable(path, error, Reader.format)
    assert "cannot read lists of a fixed length that are missing" in found.what
    assert found.remedy == "write the column as lists of any length, such as list<float>"
