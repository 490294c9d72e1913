"""Parquet files → typed rows, and rejects with the number of the row and the reason."""

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.sources import parquet, typed_file
from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.parquet import Parquet
from tests.source_rows import read_all

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
GOOD: dict[str, list[object]] = {"n": [1, 2], "x": [0.5, 1.5], "t": ["a", "b"]}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.parquet")


def reader(columns=COLUMNS, required=("t",), keys=(), **options):
    return open_reader(Parquet(path="", **options), Selection(columns, Needs(required), keys))


def read(path, table, *, row_group_size=None, **options):
    """Rows as (place, values), and rejects as (place, column, value, reason)."""
    pq.write_table(
        table if isinstance(table, pa.Table) else pa.table(table),
        path,
        row_group_size=row_group_size,
    )
    ours = reader(**options)
    return read_all(ours, path)


def with_row(**values):
    """The good rows with another one between them."""
    return {name: [GOOD[name][0], values.get(name, GOOD[name][0]), GOOD[name][1]] for name in GOOD}


def test_rows_have_the_types_of_the_columns_and_their_numbers(path):
    pq.write_table(pa.table({**GOOD, "more": [[1], []]}), path)
    (part,) = reader().parts(path)
    assert (part.path, part.ignored, part.rows) == (path, ("more",), 2)
    (block,) = reader().read(part)
    assert block.columns.schema == pa.schema(
        [("n", pa.int64()), ("x", pa.float32()), ("t", pa.string())]
    )
    assert block.columns.to_pydict() == GOOD
    assert (block.places.dtype, block.places.tolist()) == (np.int64, [1, 2])
    assert (block.read, block.rejects) == (2, ())


@pytest.mark.parametrize(
    ("values", "reject"),
    [
        ({"n": 2**53 + 1}, ("n", "9007199254740993", "integer_beyond_2_53")),
        ({"n": -(2**53) - 1}, ("n", "-9007199254740993", "integer_beyond_2_53")),
        ({"x": np.inf}, ("x", "inf", "not_finite")),
        ({"x": -1e39}, ("x", "-1e+39", "not_finite")),
        ({"t": "a\0"}, ("t", "a\0", "contains_nul")),
        ({"t": None}, ("t", None, "missing_label")),
        ({"t": ""}, ("t", None, "missing_label")),
        ({"n": 2**60, "t": None}, ("n", str(2**60), "integer_beyond_2_53")),
    ],
)
def test_a_row_that_does_not_fit_is_rejected_with_its_number(path, values, reject):
    rows, rejects = read(path, with_row(**values))
    assert rows == [(1, (1, 0.5, "a")), (3, (2, 1.5, "b"))]
    assert rejects == [(2, *reject)]


def test_fractions_are_not_integers_and_nan_is_missing(path):
    table = {"n": [1.0, 1.5, np.nan], "x": [np.nan, 1.0, 2.0], "t": ["a", "b", "c"]}
    rows, rejects = read(path, table, required=("x",))
    assert rows == [(3, (None, 2.0, "c"))]
    assert rejects == [(1, "x", "nan", "missing_label"), (2, "n", "1.5", "not_an_integer")]


BYTES = pa.array([b"a", b"\xff", b"c"], pa.binary())
UNCHECKED = pa.Array.from_buffers(pa.string(), 3, BYTES.buffers())  # like some writers


@pytest.mark.parametrize(
    "texts", [BYTES, UNCHECKED, UNCHECKED.dictionary_encode()], ids=["bytes", "text", "dictionary"]
)
def test_text_that_is_not_utf_8_is_rejected_whatever_the_file_calls_it(path, texts):
    rows, rejects = read(path, {**with_row(), "t": texts})
    assert [values[2] for _, values in rows] == ["a", "c"]
    assert rejects == [(2, "t", r"b'\xff'", "not_utf8")]


def test_rows_are_numbered_through_batches_and_row_groups(path, monkeypatch):
    monkeypatch.setattr(typed_file, "BATCH_ROWS", 3)
    texts = [None if i % 7 == 3 else f"t{i}" for i in range(20)]
    table = {"n": list(range(20)), "x": [0.5] * 20, "t": texts}
    rows, rejects = read(path, table, row_group_size=8)
    assert [(place - 1, *values) for place, values in rows] == [
        (i, i, 0.5, texts[i]) for i in range(20) if i % 7 != 3
    ]
    assert [place for place, *_ in rejects] == [4, 11, 18]


def test_a_large_file_is_read_in_parts_of_row_groups(path, monkeypatch):
    table = pa.table({"n": range(50), "x": [0.5] * 50, "t": ["a"] * 49 + [None]})
    whole = read(path, table, row_group_size=7)
    monkeypatch.setattr(parquet, "RANGE_BYTES", 300)
    (part,) = reader().parts(path)
    parts = reader().ranges(part)
    blocks = [list(reader().read(each)) for each in parts]
    assert len(parts) > 2
    assert [place for each in blocks for b in each for place in b.places] == list(range(1, 50))
    assert [reject.line for each in blocks for b in each for reject in b.rejects] == [50]
    assert sum(b.read for each in blocks for b in each) == 50
    assert len(whole[0]) == 49


def test_texts_that_mean_missing_and_spaces_around_texts(path):
    table = {"n": [1] * 5, "x": [0.5] * 5, "t": ["a", "", "?", " ? ", "b "]}
    texts = {}
    for options in ({}, {"null_values": ("?",)}, {"null_values": ("?",), "trim": True}):
        rows, _ = read(path, table, required=(), **options)
        texts[len(options)] = [values[2] for _, values in rows]
    assert texts == {
        0: ["a", None, "?", " ? ", "b "],
        1: ["a", None, None, " ? ", "b "],
        2: ["a", None, None, None, "b"],
    }


def test_keys_are_as_the_file_has_them(path):
    pq.write_table(pa.table({**GOOD, "id": pa.array([7, 8], pa.int16())}), path)
    ours = reader(keys=(Column("id", "BYTES", False), COLUMNS[0]))
    (part,) = ours.parts(path)
    assert ours.key_types(part) == pa.schema([("id", pa.int16()), ("n", pa.int64())])
    (block,) = ours.read(part)
    assert block.columns.columns[3:] == [pa.array([7, 8], pa.int16()), pa.array([1, 2])]


def test_names_with_dots_are_names(path):
    table = {"a.b": [1, 2], "a": [3, 4]}
    columns = (Column("a", "INT", True), Column("a.b", "INT", True))
    assert read(path, table, columns=columns) == ([(1, (3, 1)), (2, (4, 2))], [])


def test_a_file_without_rows(path):
    pq.write_table(pa.table(GOOD).slice(0, 0), path)
    (part,) = reader().parts(path)
    assert part.rows == 0
    assert sum(block.read for block in reader().read(part)) == 0


def test_the_size_counts_wanted_columns_and_equal_texts_as_often_as_they_are(path):
    count = 50_000
    table = {"n": range(count), "x": [0.5] * count, "t": ["x" * 99, "y" * 101] * (count // 2)}
    more = {"more": [str(i) for i in range(count)]}
    pq.write_table(pa.table(table | more), path, row_group_size=20_000)
    (part,) = reader().parts(path)
    assert part.text_bytes == count * (8 + 8 + 100)


@pytest.mark.parametrize("missing", ["n", "t"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(path, missing):
    pq.write_table(pa.table({k: v for k, v in GOOD.items() if k != missing}), path)
    with pytest.raises(DataError, match=f"the file has no column '{missing}'") as caught:
        reader().parts(path)
    assert caught.value.where == path
    assert "which are: " in str(caught.value.expected)


def test_a_file_that_breaks_off_is_named(path):
    count = 200_000
    table = {"n": range(count), "x": [0.5] * count, "t": ["a"] * count}
    pq.write_table(
        table if isinstance(table, pa.Table) else pa.table(table),
        path,
        use_dictionary=False,
        compression="none",
    )
    ours = reader()
    (part,) = ours.parts(path)
    with open(path, "r+b") as file:
        file.truncate(100_000)
    with pytest.raises(DataError, match="the source cannot be read") as caught:
        list(ours.read(part))
    assert (caught.value.where, caught.value.remedy) == (
        path,
        "the file is damaged or incomplete: copy it again",
    )


def test_a_file_that_was_replaced_meanwhile_is_checked_again(path):
    pq.write_table(pa.table(GOOD), path)
    ours = reader()
    (part,) = ours.parts(path)
    pq.write_table(pa.table({"n": [1], "x": [0.5], "other": ["a"]}), path)
    with pytest.raises(DataError, match="the file has no column 't'"):
        list(ours.read(part))


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "rows"
    path.write_text("n,x,t\n1,2,a\n")
    with pytest.raises(DataError, match="the file is text, not Parquet") as caught:
        reader().check(str(path))
    assert "source.format: csv" in str(caught.value.remedy)


TYPED = (
    Column("price", "FLOAT", True),
    Column("count", "INT", True),
    Column("at", "TIME", True, ("UNIX_SECONDS",)),
    Column("day", "TIME_TEXT", True, ("%Y-%m-%d",)),
    Column("flag", "BOOL", True),
    Column("member", "BOOL_TEXT", True, ("yes", "no")),
)
TABLE = pa.table(
    {
        "price": pa.array([Decimal("1.10"), Decimal("0.30"), None], pa.decimal128(10, 2)),
        "count": pa.array([Decimal("5.00"), None, Decimal("-1.00")], pa.decimal128(10, 2)),
        "at": pa.array([1_710_030_600, None, 0], pa.timestamp("s", "America/New_York")),
        "day": pa.array([date(2024, 2, 29), None, date(1970, 1, 1)]),
        "flag": pa.array([True, False, None]),
        "member": pa.array([None, True, False]),
    }
)


def test_decimals_timestamps_dates_and_booleans_are_read(path):
    rows, rejects = read(path, TABLE, columns=TYPED, required=())
    one, half = float(np.float32(1.1)), float(np.float32(0.3))
    day = 86_400_000_000
    assert rows == [
        (1, (one, 5, 1_710_030_600_000_000, 19_782 * day, 1, None)),
        (2, (half, None, None, None, 0, "yes")),
        (3, (None, -1, 0, 0, None, "no")),
    ]
    assert rejects == []


@pytest.mark.parametrize(
    ("name", "array", "reject"),
    [
        ("count", pa.array([Decimal("1.50")]), ("1.50", "not_an_integer")),
        ("price", pa.array([Decimal("1e39")]), (str(10**39), "not_finite")),
        (
            "at",
            pa.array([1_500], pa.timestamp("ms", "Mars/Olympus")),
            ("1970-01-01 00:00:01.500", "time_too_fine"),
        ),
        (
            "day",
            pa.array([3_600_000], pa.timestamp("ms")),
            ("1970-01-01 01:00:00.000", "time_too_fine"),
        ),
        ("day", pa.array(["2023-02-29"]), ("2023-02-29", "not_a_time")),
        ("day", pa.array([date(9999, 12, 31)]), ("9999-12-31", "time_beyond_range")),
        ("flag", pa.array([2], pa.int8()), ("2", "not_a_boolean")),
        ("member", pa.array(["maybe"]), ("maybe", "not_a_boolean")),
    ],
)
def test_what_a_column_cannot_hold_is_a_reject(path, name, array, reject):
    table = TABLE.slice(0, 1).set_column(TABLE.schema.get_field_index(name), name, array)
    rows, rejects = read(path, table, columns=TYPED, required=())
    assert (rows, rejects) == ([], [(1, name, *reject)])


def test_times_and_booleans_as_text_are_trimmed_and_may_be_missing(path):
    table = TABLE.slice(0, 3)
    for name, texts in (("day", [" 2024-02-29 ", "?", ""]), ("member", ["yes ", "", " ?"])):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(texts))
    rows, rejects = read(path, table, columns=TYPED, required=(), trim=True, null_values=("?",))
    assert rejects == []
    assert [values[3] for _, values in rows] == [19_782 * 86_400_000_000, None, None]
    assert [values[5] for _, values in rows] == ["yes", None, None]
