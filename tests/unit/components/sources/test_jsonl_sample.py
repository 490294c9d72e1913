"""The first objects of JSON lines as a table, with the types that the values show."""

import json

import pyarrow as pa
import pytest

from components.sources import jsonl_sample
from components.sources.jsonl import draft, sample
from schemas.errors import DataError
from schemas.sources.jsonl import JsonLines


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.jsonl")


def look(path, *lines, rows=100):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines))
    return sample(draft(path), path, rows)


def test_values_have_their_types_and_nested_ones_dotted_names(path):
    table, whole = look(
        path,
        {"n": 1, "x": 1, "t": "12", "b": True, "a": {"n": 5, "b": {"t": "c"}}, "l": [1]},
        {"x": 2.5, "a": None, "": 1, "l": []},
        {"n": None, "a": {}, "a.n": 7},
        "not json",
        "",
    )
    assert draft(path) == JsonLines(path=path)
    assert whole
    assert table.to_pydict() == {
        "n": [1, None, None],
        "x": [1.0, 2.5, None],
        "t": ["12", None, None],
        "b": [True, None, None],
        "l": [[1], [], None],
        "a.n": [5, None, 7],
        "a.b.t": ["c", None, None],
    }


def test_a_column_has_the_type_that_most_values_have(path):
    table, _ = look(path, {"x": 1, "t": "\ud800"}, {"x": "a", "t": "b"}, {"x": 2}, {"x": [1]})
    assert table.to_pydict() == {"x": [1, None, 2, None], "t": [None] * 4}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 2.5], pa.array([1.0, 2.0, 2.5])),
        ([1, 2, 3], pa.array([1, 2, 3])),
        ([None, 2, "a", "b"], pa.array([None, None, "a", "b"])),
        ([[1], [2.5], None], pa.array([[1.0], [2.5], None])),
        ([None, None], pa.nulls(2)),
    ],
)
def test_blocks_are_joined_to_one_type(path, monkeypatch, values, expected):
    monkeypatch.setattr(jsonl_sample, "_BLOCK_BYTES", 8)
    table, whole = look(path, *({"x": value} for value in values))
    assert table["x"].combine_chunks().equals(expected)
    assert whole


def test_a_look_ends_after_so_many_rows(path, monkeypatch):
    monkeypatch.setattr(jsonl_sample, "_BLOCK_BYTES", 40)
    lines = [{"x": n} for n in range(50)]
    assert [(t.num_rows, whole) for t, whole in (look(path, *lines, rows=r) for r in (7, 50))] == [
        (7, False),
        (50, True),
    ]


@pytest.mark.parametrize("block_bytes", [1 << 20, 1 << 10])
def test_keys_that_differ_in_each_object_are_refused(path, monkeypatch, block_bytes):
    monkeypatch.setattr(jsonl_sample, "_MOST_CELLS", 20_000)
    monkeypatch.setattr(jsonl_sample, "_BLOCK_BYTES", block_bytes)
    with pytest.raises(DataError, match="different keys or more, most of them in few objects"):
        look(path, *({f"k{n}": 1} for n in range(900)), rows=1_000)


def test_a_file_of_another_kind_is_refused(path):
    with pytest.raises(DataError, match="not a JSON object"):
        look(path, "a,b", "1,2")
