"""Avro files → typed rows and rejects: unions, logical types, nested records, damaged files."""

import io
import json
import zlib
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pytest

from components.sources import avro
from components.sources.avro_blocks import read_blocks, read_header
from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.avro import Avro
from tests.source_rows import read_all

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
FIELDS = [("n", ["null", "long"]), ("x", ["double", "null"]), ("t", ["null", "string"])]
GOOD: list[dict[str, Any]] = [{"n": 1, "x": 0.5, "t": "a"}, {"n": 2, "x": 1.5, "t": "b"}]
ROWS = [(1, (1, 0.5, "a")), (2, (2, 1.5, "b"))]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.avro")


def record(fields, name="row"):
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": field, "type": kind} for field, kind in fields],
    }


def write(path, records, fields=FIELDS, **options):
    with open(path, "wb") as file:
        fastavro.writer(file, record(fields), records, **options)


def read(path, *, columns=COLUMNS, keys=(), required=()):
    """Rows as (place, values), and rejects as (place, column, value, reason)."""
    ours = open_reader(Avro(path=""), Selection(columns, Needs(required), keys))
    return read_all(ours, path)


def refusal(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    assert caught.value.where == path
    return caught.value


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_rows_of_every_codec(path, codec):
    write(path, GOOD, [*FIELDS, ("more", "null")], codec=codec)
    (part,) = open_reader(Avro(path=""), Selection(COLUMNS)).parts(path)
    assert (part.path, part.ignored, part.rows) == (path, ("more",), 2)
    assert part.text_bytes > 0
    assert read(path) == (ROWS, [])


HEADER = record(
    [
        ("magic", {"type": "fixed", "name": "magic", "size": 4}),
        ("meta", {"type": "map", "values": "bytes"}),
        ("sync", {"type": "fixed", "name": "sync", "size": 16}),
    ],
    "header",
)


def rewrite(path, *, schema=None, codec="null", pack=bytes):
    """Give a file of one block another schema, or a block that is packed."""
    with open(path, "rb") as file:
        header = read_header(file)
        file.seek(header.size)
        (block,) = read_blocks(file, header)
    meta = {"avro.schema": json.dumps(schema or header.schema), "avro.codec": codec}
    out = io.BytesIO()
    values = {
        "magic": b"Obj\1",
        "meta": {k: v.encode() for k, v in meta.items()},
        "sync": header.sync,
    }
    fastavro.schemaless_writer(out, HEADER, values)
    fastavro.schemaless_writer(out, {"type": "long"}, block.records)
    fastavro.schemaless_writer(out, {"type": "bytes"}, pack(block.data))
    with open(path, "wb") as file:
        file.write(out.getvalue() + header.sync)


def snappy(data, checksum=None):
    checksum = zlib.crc32(data) if checksum is None else checksum
    return pa.compress(data, codec="snappy", asbytes=True) + checksum.to_bytes(4, "big")


def test_zstandard_and_snappy_with_its_checksum(path):
    write(path, GOOD * 1_000, sync_interval=1 << 20)
    for codec, pack in (
        ("zstandard", lambda data: pa.compress(data, codec="zstd", asbytes=True)),
        ("snappy", snappy),
    ):
        rewrite(path, codec=codec, pack=pack)
        assert len(read(path)[0]) == 2_000
    rewrite(path, codec="snappy", pack=lambda data: snappy(data, 1))
    assert "its checksum is wrong" in refusal(path).what
    write(path, GOOD)
    rewrite(path, codec="lzw")
    assert "its codec is lzw; known are null, deflate, snappy" in refusal(path).what


def test_rows_are_numbered_through_blocks_and_batches(path, monkeypatch):
    monkeypatch.setattr(avro, "_MOST_ROWS", 300)
    records = [{"n": 2**60 if i % 400 == 7 else i, "x": None, "t": str(i)} for i in range(1_000)]
    write(path, records, sync_interval=500)
    (part,) = open_reader(Avro(path=""), Selection(COLUMNS)).parts(path)
    assert part.rows == pytest.approx(1_000, rel=0.3)
    rows, rejects = read(path)
    assert [place - 1 for place, _ in rows] == [i for i in range(1_000) if i % 400 != 7]
    assert all(int(values[2]) == place - 1 for place, values in rows)
    assert rejects[0] == (8, "n", str(2**60), "integer_beyond_2_53")
    assert [place for place, *_ in rejects] == [8, 408, 808]


TYPED = (
    Column("price", "FLOAT", True),
    Column("at", "TIME", True, ("UNIX_SECONDS",)),
    Column("day", "TIME_TEXT", True, ("%Y-%m-%d",)),
    Column("flag", "BOOL", True),
    Column("color", "BYTES", True),
    Column("tags", "BYTES", True, most=2),
)
LOGICAL = [
    ("price", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}),
    ("at", ["null", {"type": "long", "logicalType": "timestamp-millis"}]),
    ("day", {"type": "int", "logicalType": "date"}),
    ("flag", ["null", "boolean"]),
    ("color", {"type": "enum", "name": "Color", "symbols": ["red", "blue"]}),
    ("tags", ["null", {"type": "array", "items": "string"}]),
]
TYPED_ROW: dict[str, Any] = {
    "price": Decimal("-1.10"),
    "at": datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc),
    "day": date(2024, 2, 29),
    "flag": True,
    "color": "blue",
    "tags": ["a", "b"],
}


def test_logical_types_enums_and_arrays(path):
    write(path, [TYPED_ROW, {**TYPED_ROW, "at": None, "flag": None, "tags": None}], LOGICAL)
    price, day = float(np.float32(-1.1)), 19_782 * 86_400_000_000
    assert read(path, columns=TYPED) == (
        [
            (1, (price, -1_000_000, day, 1, "blue", ["a", "b"])),
            (2, (price, None, day, None, "blue", None)),
        ],
        [],
    )


def test_a_time_that_no_calendar_has_is_a_reject(path):
    write(path, [{"at": 0}, {"at": 2**62}], [("at", "long")])
    rewrite(path, schema=record([("at", {"type": "long", "logicalType": "timestamp-micros"})]))
    rows, rejects = read(path, columns=(Column("at", "TIME", True, ("UNIX_MICROSECONDS",)),))
    assert (rows, [(r[0], r[3]) for r in rejects]) == ([(1, (0,))], [(2, "time_beyond_range")])


def test_nested_records_by_dotted_names(path):
    trip = record([("miles", "double"), ("from", ["null", record([("zip", "string")], "place")])])
    fields = [
        ("id", "int"),
        ("trip", ["null", trip | {"name": "trip"}]),
        ("back", ["null", "trip"]),
    ]
    one = {"miles": 1.5, "from": {"zip": "10115"}}
    write(
        path,
        [{"id": 1, "trip": one, "back": None}, {"id": 2, "trip": None, "back": one}],
        fields,
    )
    columns = tuple(
        Column(name, kind, True)
        for name, kind in (
            ("trip.miles", "FLOAT"),
            ("trip.from.zip", "BYTES"),
            ("back.miles", "FLOAT"),
        )
    )
    keys = (Column("id", "INT", False),)
    assert read(path, columns=columns, keys=keys)[0] == [
        (1, (1.5, "10115", None, 1)),
        (2, (None, None, 1.5, 2)),
    ]


@pytest.mark.parametrize(
    "kind",
    [
        ["null", "int", "string"],
        {"type": "map", "values": "string"},
        {"type": "array", "items": record([("a", "int")], "inner")},
        {"type": "int", "logicalType": "time-millis"},
    ],
)
def test_other_types_are_refused_by_name_if_they_are_read(path, kind):
    write(path, [], [*FIELDS[:2], ("t", kind)])
    error = refusal(path)
    assert "the column 't' is " in error.what
    assert read(path, columns=COLUMNS[:2]) == ([], [])


def test_a_union_of_floats_or_of_integers_is_one_column(path):
    write(path, [{"n": 5, "x": 0.5}], [("n", ["int", "long"]), ("x", ["null", "float", "double"])])
    assert read(path, columns=COLUMNS[:2]) == ([(1, (5, 0.5))], [])


def test_text_that_is_not_utf_8_is_a_reject(path):
    write(path, [{"n": 1, "x": 0.5, "t": "ab"}, *GOOD])
    with open(path, "r+b") as file:
        data = file.read().replace(b"ab", b"a\xff")
        file.seek(0)
        file.write(data)
    rows, rejects = read(path)
    assert [place for place, _ in rows] == [2, 3]
    assert rejects == [(1, "t", r"b'a\xff'", "not_utf8")]


def test_a_file_without_rows(path):
    write(path, [])
    (part,) = open_reader(Avro(path=""), Selection(COLUMNS)).parts(path)
    assert (part.rows, read(path)) == (0, ([], []))
    table, whole = avro.sample(Avro(path=path), path, 5)
    assert (table.column_names, table.num_rows, whole) == (["n", "x", "t"], 0, True)


@pytest.mark.parametrize("removed", [1, 8, 16, 17, 100])
def test_a_file_that_is_cut_off_is_to_be_copied_again(path, removed):
    write(path, GOOD * 100)
    with open(path, "r+b") as file:
        file.truncate(file.seek(0, 2) - removed)
    error = refusal(path)
    assert "the file ends within a block" in error.what
    assert "copy it again" in str(error.remedy)


def test_a_damaged_block_is_named(path):
    write(path, GOOD * 100)
    with open(path, "rb") as file:
        header = read_header(file)
        file.seek(0)
        data = file.read()
    for at, expected in ((-5, "is damaged"), (header.size + 4, "record"), (header.size, "")):
        damaged = bytearray(data)
        damaged[at] ^= 0xFF
        with open(path, "wb") as file:
            file.write(damaged)
        assert expected in refusal(path).what


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"n,x,t\n1,2,a\n", "the file is text, not Avro as its name says", "end in .avro"),
        (b"", "the file is empty", ""),
        (b"PAR1\x15\x04\x15", "the file is a Parquet file, not Avro", "source.format: parquet"),
        (b"Obj\x01\x00" + b"s" * 16, "the source cannot be read: the header has no schema", ""),
    ],
)
def test_a_file_of_another_format_is_named(tmp_path, path, data, what, remedy):
    (tmp_path / "rows.avro").write_bytes(data)
    error = refusal(path)
    assert error.what == what
    assert remedy in (error.remedy or "")


def test_a_sample_has_the_first_rows_and_says_whether_there_are_more(path):
    write(path, [{**row, "u": 1} for row in GOOD * 5], [*FIELDS, ("u", ["int", "string"])])
    table, whole = avro.sample(Avro(path=path), path, 10)
    assert (table.column_names, table.num_rows, whole) == (["n", "x", "t"], 10, True)
    assert avro.sample(Avro(path=path), path, 6) == (table[:6], False)
    assert avro.draft(path) == Avro(path=path)
