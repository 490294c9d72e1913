"""Any file ends in rows, in rejects with reasons, or in one error that names it."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import struct
import zlib

import fastavro
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.profile.table import look
from components.sources import avro_blocks, parquet
from components.sources.protocol import Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources import plain
from schemas.sources.parquet import Parquet
from tests.source_rows import read_all
from tests.tfrecord_files import example, framed

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
ROWS = [{"n": i, "x": i + 0.5, "t": f"t{i % 7}"} for i in range(50)]


def read(path):
    """Return how many rows a file has, and the reasons of its rejects, in order."""
    rows, rejects = read_all(open_reader(plain(path), Selection(COLUMNS)), path)
    return len(rows), [reason for *_, reason in rejects]


def csv_of(*lines, end=b"\n"):
    return end.join([b"n,x,t", *(b"%d,%d.5,t" % (i, i) for i in range(50)), *lines, b""])


def lines_of(*lines, end=b"\n"):
    return end.join([*(json.dumps(row).encode() for row in ROWS), *lines, b""])


WIDE = {f"c{i}": i for i in range(10_000)}

TEXTS = {
    "only-a-header.csv": (b"n,x,t", (0, [])),
    "only-a-byte-order-mark-and-a-header.csv": (b"\xef\xbb\xbfn,x,t\n", (0, [])),
    "cr.csv": (csv_of(end=b"\r"), (50, [])),
    "cr-and-lf-and-both.csv": (csv_of(b"1,2,a\r\n2,3,b\r3,4,c"), (53, [])),
    "nul-in-a-value.csv": (csv_of(b"1,2,a\0b"), (50, ["contains_nul"])),
    "nul-after-a-crash.csv": (csv_of(b"\0" * 5_000), (50, ["wrong_field_count"])),
    "numbers.csv": (
        csv_of(
            b"9007199254740993,1,a",
            b"1e400,1,a",
            b"1,1e400,a",
            b"1,inf,a",
            b"0x10,1,a",
            b"1,nan,a\n1,-0.0,a\n1,5e-324,a\n-9007199254740992,1,a",
        ),
        (
            54,
            ["integer_beyond_2_53", "not_an_integer", "not_finite", "not_finite", "not_an_integer"],
        ),
    ),
    "10000-columns.csv": (
        b"\n".join(
            b",".join(cells)
            for cells in (
                [b"n", b"x", b"t", *(name.encode() for name in WIDE)],
                [b"1", b"2", b"a", *[b"0"] * 10_000],
                [b"1", b"2", b"a", *[b"0"] * 9_999],
            )
        ),
        (1, ["wrong_field_count"]),
    ),
    "several-members.csv.gz": (gzip.compress(csv_of()) + gzip.compress(b"1,2,a\n"), (51, [])),
    "empty.jsonl": (b"", (0, [])),
    "blank.jsonl": (b"\n\n \n", (0, [])),
    "crlf-and-a-byte-order-mark.jsonl": (b"\xef\xbb\xbf" + lines_of(end=b"\r\n"), (50, [])),
    "deep-list.jsonl": (lines_of(b"[" * 100_000 + b"]" * 100_000), (50, ["not_json"])),
    "deep-object.jsonl": (
        lines_of(b'{"n": 1, "z": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001),
        (50, ["not_json"]),
    ),
    "a-key-twice.jsonl": (lines_of(b'{"n": 1, "n": 2}'), (50, ["repeated_key"])),
    "5000-digits.jsonl": (lines_of(b'{"n": ' + b"9" * 5_000 + b"}"), (50, ["integer_beyond_2_53"])),
    "half-a-character.jsonl": (lines_of(b'{"t": "\\ud800"}'), (50, ["not_text"])),
    "nul-after-a-crash.jsonl": (lines_of(b"\0" * 5_000), (50, ["not_json"])),
    "10000-keys.jsonl": (lines_of(json.dumps({"n": 1} | WIDE).encode()), (51, [])),
    "other-keys-in-each-line.jsonl": (
        lines_of(*(b'{"k%d": 1}' % i for i in range(500))),
        (550, []),
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_ends_in_rows_and_rejects(tmp_path, name):
    data, expected = TEXTS[name]
    path = tmp_path / name
    path.write_bytes(data)
    assert read(str(path)) == expected


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("names.csv", b",,,\n,,,\n", "no name that only one column has"),
        ("cut.csv.gz", gzip.compress(csv_of() * 9)[:-30], "cannot be read"),
        ("not.csv.gz", csv_of(), "is text"),
        ("array.jsonl", b'[{"n": 1}]\n', "a JSON array"),
        ("cr.jsonl", lines_of(end=b"\r"), "end each line with LF instead of CR"),
    ],
)
def test_a_text_that_is_no_table_is_refused_by_name(tmp_path, name, data, says):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=says) as caught:
        look(str(path), named=name)
    assert str(caught.value.where).startswith(str(path))


def test_gzipped_zeros_end_at_the_longest_record(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(csv_of() + bytes(40_000_000), 1))
    with pytest.raises(DataError, match="a record is longer than 16,777,216 bytes") as caught:
        read(str(path))
    assert caught.value.where == f"{path}:52"


@pytest.mark.parametrize("codec", ["deflate", "bzip2", "xz", "zstandard", "snappy"])
def test_an_avro_block_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch, codec):
    monkeypatch.setattr(avro_blocks, "_MOST_BYTES", 100_000)
    text = bytes(200_000)
    pack = {
        "deflate": lambda: zlib.compress(text)[2:-4],
        "bzip2": lambda: bz2.compress(text),
        "xz": lambda: lzma.compress(text),
        "zstandard": lambda: pa.compress(text, codec="zstd", asbytes=True),
        "snappy": lambda: pa.compress(text, codec="snappy", asbytes=True) + bytes(4),
    }
    header = avro_blocks.AvroHeader({}, codec, bytes(16), 0)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, {"type": "long"}, 1)
    fastavro.schemaless_writer(out, {"type": "bytes"}, pack[codec]())
    blocks = avro_blocks.read_blocks(io.BytesIO(out.getvalue() + header.sync), header)
    with pytest.raises(OSError, match="the block at byte 0 cannot be unpacked: it has"):
        next(blocks)


def test_a_look_reads_no_more_of_a_row_group_than_it_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_ROWS", 100)
    path = str(tmp_path / "rows.parquet")
    pq.write_table(pa.table({"n": list(range(1_000))}), path, row_group_size=500)
    table, ended = parquet.sample(Parquet(path=path), path, 300)
    assert (table["n"].to_pylist(), ended) == ([*range(300)], False)
    assert table["n"].num_chunks == 3
    pq.write_table(pa.table({"n": list(range(1_000))}), path, row_group_size=100)
    table, ended = parquet.sample(Parquet(path=path), path, 300)
    assert table.num_rows == 300
    assert table["n"][-1].as_py() > 700
    table, ended = parquet.sample(Parquet(path=path), path, 1_000)
    assert (table.num_rows, ended) == (1_000, True)


def table_bytes(write):
    out = io.BytesIO()
    write(pa.Table.from_pylist(ROWS), out)
    return out.getvalue()


def _stream(table, out):
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table, 20)


def _avro(table, out, **options):
    kinds = {"n": "long", "x": "double", "t": "string"}
    fields = [{"name": name, "type": ["null", kind]} for name, kind in kinds.items()]
    schema = {"type": "record", "name": "row", "fields": fields}
    fastavro.writer(out, schema, table.to_pylist(), sync_interval=200, **options)


def _tfrecord(table, out):
    for row in table.to_pylist():
        out.write(framed(example({"n": [row["n"]], "x": [row["x"]], "t": [row["t"].encode()]})))


FILES = {
    "file.arrow": table_bytes(lambda table, out: feather.write_feather(table, out, chunksize=20)),
    "stream.arrow": table_bytes(_stream),
    "rows.avro": table_bytes(_avro),
    "rows.parquet": table_bytes(lambda table, out: pq.write_table(table, out, row_group_size=20)),
    "rows.tfrecord": table_bytes(_tfrecord),
}
SPLICES = st.binary(max_size=9) | st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xff" * 7 + b"\x7f"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


# pyarrow 10 aborts the process on damaged stripes of ORC: docs/own-data.md.
@settings(deadline=None)
@given(st.sampled_from(sorted(FILES)), st.floats(0, 1), st.integers(0, 60), SPLICES)
def test_a_damaged_file_is_read_or_refused(folder, name, position, removed, splice):
    data = FILES[name]
    at = int(position * len(data))
    path = folder / name
    path.write_bytes(data[:at] + splice + data[at + removed :])
    with contextlib.suppress(DataError):
        read(str(path))
    with contextlib.suppress(DataError):
        look(str(path), named=name)


def test_a_length_that_no_memory_has_is_damage(tmp_path):
    path = tmp_path / "rows.arrow"
    reader = pa.BufferReader(FILES["stream.arrow"])
    pa.ipc.read_message(reader)  # the schema
    length = struct.pack("<q", pa.ipc.read_message(reader).body.size)
    path.write_bytes(FILES["stream.arrow"].replace(length, struct.pack("<q", 1 << 46), 1))
    with pytest.raises(DataError, match="it asks for more memory than there is") as caught:
        read(str(path))
    assert caught.value.remedy == "the file is damaged or incomplete: copy it again"
