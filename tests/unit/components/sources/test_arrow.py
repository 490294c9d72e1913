"""Arrow files and streams → typed rows and rejects; damaged and hostile files are refused."""

import gzip
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from components.sources import arrow, typed_file
from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.arrow import Arrow
from tests.source_rows import read_all

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
GOOD: dict[str, list[object]] = {"n": [1, 2], "x": [0.5, 1.5], "t": ["a", "b"]}
ROWS = [(1, (1, 0.5, "a")), (2, (2, 1.5, "b"))]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.arrow")


def write_file(table, path, **options):
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, **options)


def write_stream(table, path, **options):
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, **options)


WRITERS = {
    "file": write_file,
    "stream": write_stream,
    "lz4": lambda table, path: feather.write_feather(table, path, "lz4"),
    "zstd": lambda table, path: feather.write_feather(table, path, "zstd"),
}


def reader(columns=COLUMNS, required=("t",), keys=(), **options):
    return open_reader(Arrow(path="", **options), Selection(columns, Needs(required), keys))


def read(path, **options):
    """Rows as (place, values), and rejects as (place, column, value, reason)."""
    ours = reader(**options)
    return read_all(ours, path)


def refusal(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    assert caught.value.where == path
    return caught.value


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_rows_of_files_and_streams(path, write):
    write(pa.table({"more": [[1], []], **GOOD}), path)
    (part,) = reader().parts(path)
    assert (part.path, part.ignored, part.rows) == (path, ("more",), pytest.approx(2, rel=2))
    assert part.text_bytes > 0
    assert read(path) == (ROWS, [])


@pytest.mark.parametrize("write", [write_file, write_stream])
def test_rows_are_numbered_through_batches(path, write, monkeypatch):
    monkeypatch.setattr(typed_file, "BATCH_ROWS", 3)
    texts = [None if i % 7 == 3 else f"t{i % 5}" for i in range(20)]
    table = pa.table({"n": list(range(20)), "x": [0.5] * 20, "t": texts})
    write(table.set_column(2, "t", pa.array(texts).dictionary_encode()), path, max_chunksize=8)
    (part,) = reader().parts(path)
    assert part.rows == pytest.approx(20, rel=1)
    rows, rejects = read(path)
    assert [(place - 1, *values) for place, values in rows] == [
        (i, i, 0.5, texts[i]) for i in range(20) if i % 7 != 3
    ]
    assert [place for place, *_ in rejects] == [4, 11, 18]


def test_text_that_is_not_utf_8_is_a_reject(path):
    buffers = pa.array([b"a", b"\xff"], pa.binary()).buffers()
    text = pa.Array.from_buffers(pa.string(), 2, buffers)
    for array in (text, text.dictionary_encode()):
        write_file(pa.table({**GOOD, "t": array}), path)
        assert read(path) == (ROWS[:1], [(2, "t", r"b'\xff'", "not_utf8")])


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_(pa.string(), 2)]
)
def test_lists(path, kind):
    values = pa.array([b"a", b"b", b"\xff", b"c"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 4, values.buffers())
    pairs = pa.FixedSizeListArray.from_arrays(text, 2)
    offsets = pa.array([0, 2, 4], pa.int64() if pa.types.is_large_list(kind) else pa.int32())
    lists = {
        pa.list_(pa.string()): lambda: pa.ListArray.from_arrays(offsets, text),
        pa.large_list(pa.string()): lambda: pa.LargeListArray.from_arrays(offsets, text),
    }.get(kind, lambda: pairs)()
    write_file(pa.table({"t": lists}), path)
    tags = (Column("t", "BYTES", True, most=2),)
    rows, rejects = read(path, columns=tags)
    assert rows == [(1, (["a", "b"],))]
    assert [(place, column, reason) for place, column, _, reason in rejects] == [
        (2, "t", "not_utf8")
    ]


def test_keys_are_as_the_file_has_them(path):
    write_file(pa.table({"id": pa.array([7, 8], pa.int16()), **GOOD}), path)
    ours = reader(keys=(Column("id", "BYTES", False), COLUMNS[0]))
    (part,) = ours.parts(path)
    assert ours.key_types(part) == pa.schema([("id", pa.int16()), ("n", pa.int64())])
    (block,) = ours.read(part)
    assert block.columns.columns[3:] == [pa.array([7, 8], pa.int16()), pa.array([1, 2])]


@pytest.mark.parametrize("write", [write_file, write_stream])
def test_a_file_without_rows(path, write):
    empty = pa.table(GOOD).cast(
        pa.schema([("n", pa.int64()), ("x", pa.float64()), ("t", pa.string())])
    )[:0]
    write(empty, path)
    (part,) = reader().parts(path)
    assert (part.rows, read(path)) == (0, ([], []))
    assert arrow.sample(Arrow(path=path), path, 5) == (empty, True)


def test_a_column_that_is_there_twice_is_refused_if_it_is_read(path):
    arrays = [pa.array(values) for values in GOOD.values()]
    write_file(pa.Table.from_arrays([*arrays, arrays[0]], ["n", "x", "t", "n"]), path)
    assert "the column 'n' 2 times" in refusal(path).what
    rows, _ = read(path, columns=COLUMNS[1:])
    assert rows == [(1, (0.5, "a")), (2, (1.5, "b"))]
    table, _ = arrow.sample(Arrow(path=path), path, 5)
    assert table.column_names == ["x", "t"]


@pytest.mark.filterwarnings("ignore:pickle-based deserialization:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:pyarrow.PyExtensionType is deprecated:FutureWarning")
@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
def test_a_pickled_type_is_refused_and_does_not_run(path, tmp_path, new):
    class Payload:
        def __reduce__(self):
            return open, (str(tmp_path / "marker"), "w")

    metadata = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Payload(), protocol=0),
    }
    schema = pa.schema([pa.field("n", pa.int64(), metadata=metadata)])
    with new(path, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array([1])], schema=schema))
    assert "pickled Python type" in refusal(path, columns=COLUMNS[:1]).what
    assert not (tmp_path / "marker").exists()


def with_wrong_offsets():
    offsets = np.array([0, 1_000_000, 2], np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"ab")]
    return pa.Array.from_buffers(pa.string(), 2, buffers)


def with_wrong_indices():
    return pa.DictionaryArray.from_arrays(pa.array([0, 1_000_000]), pa.array(["a"]), safe=False)


@pytest.mark.parametrize("write", [write_file, write_stream])
@pytest.mark.parametrize("array", [with_wrong_offsets, with_wrong_indices])
def test_offsets_and_indices_beyond_the_data_are_refused(path, write, array):
    write(pa.table({**GOOD, "t": array()}), path)
    error = refusal(path)
    assert error.what.startswith("the source cannot be read: ")
    assert "copy it again" in str(error.remedy)


@pytest.mark.parametrize("kept", [8, 12, 100, 0.5, -3])
def test_a_file_that_is_cut_off_is_to_be_copied_again(path, kept):
    table = pa.table({"n": range(5000), "x": [0.5] * 5000, "t": ["a"] * 5000})
    for write in (write_file, write_stream):
        write(table, path, max_chunksize=1000)
        with open(path, "r+b") as file:
            size = file.seek(0, 2)
            file.truncate(int(size * kept) if isinstance(kept, float) else kept % size)
        assert "copy it again" in str(refusal(path).remedy)


def test_a_stream_must_have_its_end_and_be_the_only_one(path):
    write_stream(pa.table(GOOD), path)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(data[:-8])
    assert "has no end mark" in refusal(path).what
    with open(path, "wb") as file:
        file.write(data * 2)
    assert "ends before the file" in refusal(path).what


def test_version_1_of_feather_is_refused_with_the_remedy(path):
    feather.write_feather(pa.table(GOOD), path, version=1)
    error = refusal(path)
    assert error.what == "the file is a Feather file of version 1, not Arrow"
    assert "version 2" in str(error.remedy)


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"n,x,t\n1,2,a\n", "the file is text, not Arrow as its name says", "end in .arrow"),
        (b"", "the file is empty", ""),
        (gzip.compress(b"n\n1\n", mtime=0), "the file is packed with gzip, not Arrow", "gunzip"),
        (b"PAR1\x15\x04\x15", "the file is a Parquet file, not Arrow", "source.format: parquet"),
    ],
)
def test_a_file_of_another_format_is_named(tmp_path, path, data, what, remedy):
    (tmp_path / "rows.arrow").write_bytes(data)
    error = refusal(path)
    assert error.what == what
    assert remedy in (error.remedy or "")


def test_a_sample_has_the_first_rows_and_says_whether_there_are_more(path):
    table = pa.table({"n": list(range(10)), "t": pa.array(["a", "b"] * 5).dictionary_encode()})
    write_file(table, path, max_chunksize=4)
    assert arrow.sample(Arrow(path=path), path, 10) == (table, True)
    assert arrow.sample(Arrow(path=path), path, 6) == (table[:6], False)
    assert arrow.draft(path) == Arrow(path=path)
