"""Examples on disk and in the forms for TFT, the signatures and requests."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import examples
from components.examples import ShardWriter, arrow_schema, as_lists, as_raw_columns
from schemas.columns import Column
from schemas.errors import DataError

COLUMNS = (
    Column("i", "INT", True),
    Column("f", "FLOAT", True),
    Column("Fare ($)", "BYTES", True),
)
ROWS: dict[str, list[Any]] = {
    "i": [1, None, -(2**62), 0, 5],
    "f": [None, 0.5, float("inf"), -1.5, 2.0],
    "Fare ($)": ["naïve", "", None, "日本\n\t", "x"],
}
NOTHING: dict[str, list[Any]] = {name: [] for name in ROWS}


def batch_of(rows=ROWS):
    schema = arrow_schema(COLUMNS)
    return pa.RecordBatch.from_arrays(
        [pa.array(rows[f.name], f.type) for f in schema], schema=schema
    )


def write(folder, split, name, *tables, batch_rows=2):
    path = os.path.join(examples.split_folder(str(folder), split), name)
    with ShardWriter(path, arrow_schema(COLUMNS), batch_rows=batch_rows) as writer:
        for table in tables:
            writer.write(table)
    return path


def lists(rows):
    return {
        name: [None if v is None else [v.encode() if isinstance(v, str) else v] for v in values]
        for name, values in rows.items()
    }


def cut(rows, start, length):
    return {name: values[start : start + length] for name, values in rows.items()}


SLICES = [(0, 5), (1, 3), (2, 3), (3, 2), (3, 1), (0, 1), (2, 0), (5, 0)]


@pytest.mark.parametrize(("start", "length"), SLICES)
def test_lists_of_any_slice_hold_its_values(start, length):
    given_rows = batch_of().slice(start, length)
    listed = as_lists(given_rows)
    assert listed.to_pydict() == lists(cut(ROWS, start, length))
    assert listed.schema.names == list(ROWS)
    value_types = [listed.schema.field(n).type.value_type for n in ROWS]
    assert value_types == [pa.int64(), pa.float32(), pa.binary()]
    listed.validate(full=True)


def test_columns_without_values_stay_lists():
    nulls = {"i": [None] * 2, "f": [None] * 2, "Fare ($)": [None] * 2}
    assert as_lists(batch_of(nulls)).to_pydict() == nulls
    assert as_lists(batch_of(NOTHING)).to_pydict() == NOTHING


@given(
    st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))),
    st.data(),
)
def test_text_in_any_slice_keeps_its_bytes(values, data):
    start = data.draw(st.integers(0, len(values)))
    length = data.draw(st.integers(0, len(values) - start))
    schema = arrow_schema([COLUMNS[2]])
    batch = pa.RecordBatch.from_arrays([pa.array(values, pa.string())], schema=schema)
    part = batch.slice(start, length)
    wanted = [None if v is None else v.encode() for v in values[start : start + length]]
    assert as_lists(part).column(0).to_pylist() == [None if v is None else [v] for v in wanted]
    raw = as_raw_columns(part, [COLUMNS[2]])["Fare ($)"]
    assert raw.tolist() == [v or b"" for v in wanted]


@pytest.mark.parametrize(("start", "length"), SLICES)
def test_raw_columns_of_any_slice_hold_its_values(start, length):
    raw = as_raw_columns(batch_of().slice(start, length), COLUMNS)
    part = slice(start, start + length)
    assert list(raw) == list(ROWS)
    np.testing.assert_array_equal(raw["i"], np.array([1, np.nan, -(2**62), 0, 5.0])[part])
    np.testing.assert_array_equal(raw["f"], np.array([np.nan, 0.5, np.inf, -1.5, 2.0])[part])
    texts = ["naïve".encode(), b"", b"", "日本\n\t".encode(), b"x"]
    assert raw["Fare ($)"].tolist() == texts[part]
    assert [v.dtype for v in raw.values()] == [np.float64, np.float32, object]


def test_raw_columns_without_nulls_have_the_same_types():
    raw = as_raw_columns(batch_of().slice(3, 2), COLUMNS)
    assert [v.dtype for v in raw.values()] == [np.float64, np.float32, object]


def test_a_shard_is_cut_into_row_groups_and_read_back_in_order(tmp_path):
    first = write(tmp_path, "train", "a.parquet", batch_of(), pa.Table.from_batches([batch_of()]))
    second = write(tmp_path, "train", "b.parquet", batch_of(), batch_rows=3)
    groups = examples.row_groups(str(tmp_path), "train")
    assert [(g.path, g.index, g.rows) for g in groups] == [
        *((first, i, n) for i, n in enumerate([2, 2, 1, 2, 2, 1])),
        *((second, i, n) for i, n in enumerate([3, 2])),
    ]
    assert examples.count_rows(str(tmp_path), "train") == 15
    read = pa.Table.from_batches(examples.iter_batches(str(tmp_path), "train"))
    assert read.to_pydict() == {name: values * 3 for name, values in ROWS.items()}
    assert read.schema == arrow_schema(COLUMNS)


def test_columns_are_read_in_the_given_order(tmp_path):
    write(tmp_path, "eval", "a.parquet", batch_of())
    (_, group, _) = examples.row_groups(str(tmp_path), "eval")
    batch = examples.read_row_group(group, ["Fare ($)", "i"])
    assert batch.schema.names == ["Fare ($)", "i"]
    assert batch.to_pydict() == {"Fare ($)": [None, "日本\n\t"], "i": [-(2**62), 0]}


def test_select_picks_and_orders_columns_of_a_slice():
    picked = examples.select(batch_of().slice(1, 2), ["f", "i"])
    assert picked.to_pydict() == {"f": [0.5, float("inf")], "i": [None, -(2**62)]}
    assert picked.schema.names == ["f", "i"]
    assert examples.column(picked, "i").to_pylist() == [None, -(2**62)]


def test_an_empty_shard_is_a_split_without_rows(tmp_path):
    path = write(tmp_path, "test", "a.parquet")
    assert examples.shards(str(tmp_path), "test") == [path]
    assert examples.row_groups(str(tmp_path), "test") == []
    assert examples.count_rows(str(tmp_path), "test") == 0
    assert list(examples.iter_batches(str(tmp_path), "test")) == []
    assert pq.read_schema(path).names == list(ROWS)


def test_a_row_group_without_rows_is_read_too(tmp_path):
    write(tmp_path, "test", "a.parquet", batch_of(NOTHING), batch_of())
    assert examples.count_rows(str(tmp_path), "test") == 5
    read = [b.to_pydict() for b in examples.iter_batches(str(tmp_path), "test", ["i"])]
    assert read == [{"i": []}, {"i": [1, None]}, {"i": [-(2**62), 0]}, {"i": [5]}]


def test_a_split_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="there is no split 'eval'") as caught:
        examples.shards(str(tmp_path), "eval")
    assert caught.value.where == str(tmp_path / "Split-eval")


def test_only_whole_shards_count(tmp_path):
    path = write(tmp_path, "train", "a.parquet", batch_of())
    for name in ("b.parquet.partial", "notes.txt"):
        (tmp_path / "Split-train" / name).write_text("x")
    assert examples.shards(str(tmp_path), "train") == [path]


def test_a_shard_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "Split-train" / "a.parquet"
    with ShardWriter(str(path), arrow_schema(COLUMNS), batch_rows=2) as writer:
        writer.write(batch_of())
        assert not path.exists()
        assert writer.rows == 5
    assert os.listdir(path.parent) == ["a.parquet"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_shard_that_fails_leaves_nothing(tmp_path, error):
    path = tmp_path / "Split-train" / "a.parquet"

    def fail():
        with ShardWriter(str(path), arrow_schema(COLUMNS), batch_rows=2) as writer:
            writer.write(batch_of())
            raise error

    with pytest.raises(error):
        fail()
    assert os.listdir(path.parent) == []


def test_a_shard_that_fails_leaves_the_one_before_it(tmp_path):
    path = write(tmp_path, "train", "a.parquet", batch_of())

    def fail():
        with ShardWriter(path, arrow_schema(COLUMNS), batch_rows=2) as writer:
            writer.write(pa.table({"other": [1]}))

    with pytest.raises(ValueError, match="schema"):
        fail()
    assert os.listdir(os.path.dirname(path)) == ["a.parquet"]
    assert pq.read_table(path).to_pydict() == ROWS


def test_the_same_rows_make_the_same_bytes(tmp_path):
    paths = [write(tmp_path, split, "a.parquet", batch_of()) for split in ("train", "test")]
    first, second = (Path(p).read_bytes() for p in paths)
    assert first == second
