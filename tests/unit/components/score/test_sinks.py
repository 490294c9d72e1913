"""Parquet, CSV and JSON lines: batches are read back as they were written."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.score.formats import FORMATS
from components.score.sinks import flattened, join_files, json_lines, open_sink

BATCH = pa.record_batch(
    [
        pa.array(["a", None, 'q"x\\\n']),
        pa.array([1, 2, None]),
        pa.array([0.3, None, 1e-7], pa.float32()),
        pa.array([[0.25, 0.75], [0.5, 0.5], [0, 1]], pa.list_(pa.float32())),
    ],
    ["key", "n", "score", "p"],
)


def write(path, kind, *batches):
    sink = open_sink(str(path), kind, BATCH.schema)
    for batch in batches:
        sink.write(batch)
    sink.close()
    return str(path)


def read(path, kind):
    if kind == "parquet":
        return pq.read_table(path).to_pylist()
    if kind == "jsonl":
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    options = pv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    return pv.read_csv(
        path, parse_options=pv.ParseOptions(newlines_in_values=True), convert_options=options
    ).to_pylist()


def close(rows, kind):
    batch = flattened(BATCH) if kind == "csv" else BATCH
    expected = pa.Table.from_batches([batch]).to_pylist()
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            if isinstance(value, float):
                assert np.float32(value) == np.float32(other[name])
            else:
                assert value == other[name]


@pytest.mark.parametrize("kind", FORMATS)
def test_rows_are_read_back_as_they_were(tmp_path, kind):
    path = write(tmp_path / "whole", kind, BATCH.slice(0, 1), BATCH.slice(1))
    close(read(path, kind), kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_files_are_joined_in_their_order(tmp_path, kind):
    parts = [
        write(tmp_path / "a", kind, BATCH.slice(0, 2)),
        write(tmp_path / "b", kind, BATCH.slice(2)),
    ]
    join_files(parts, str(tmp_path / "whole"), kind)
    close(read(tmp_path / "whole", kind), kind)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_csv_file_without_rows_has_its_header(tmp_path):
    write(tmp_path / "none", "csv")
    assert (tmp_path / "none").read_text() == '"key","n","score"\n'


def test_what_is_not_finite_is_null_in_json():
    batch = pa.record_batch([pa.array([np.nan, np.inf, 1.5], pa.float32())], ["x"])
    assert json_lines(batch).to_pylist() == ['{"x":null}', '{"x":null}', '{"x":1.5}']


@given(st.lists(st.none() | st.text(), min_size=1), st.text())
def test_any_text_is_json(values, name):
    try:
        array = pa.array(values, pa.string())
        batch = pa.record_batch([array], [name])
    except UnicodeEncodeError:
        return  # Arrow has no halves of surrogate pairs
    lines = json_lines(batch).to_pylist()
    assert [json.loads(line)[name] for line in lines] == values


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_any_float32_is_read_back_from_json(values):
    array = pa.array(values, pa.float32())
    lines = json_lines(pa.record_batch([array], ["x"])).to_pylist()
    assert [np.float32(json.loads(line)["x"]) for line in lines] == array.to_pylist()
