"""Probabilities under the names of classes, whatever these are called."""

import json

import pyarrow as pa
import pyarrow.csv as pv
import pytest

from components.score.by_class import classes_of, columns_of, named
from components.score.sinks import json_lines, open_sink
from schemas.description import FILE_NAME
from tests.described import described

CLASSES = ["spam", 'q"x', "a,b", "10"]
BATCH = pa.record_batch(
    [
        pa.array(["spam", "10"]),
        pa.array([[0.5, 0.25, 0.25, 0.0], [0.0, 0.125, 0.125, 0.75]], pa.list_(pa.float32())),
        pa.array([[3, 2, 2, -9], [-9, 1, 1, 4]], pa.list_(pa.float32())),
    ],
    ["class", "probabilities", "logits"],
)


def test_csv_has_a_column_for_each_class(tmp_path):
    path = str(tmp_path / "scores.csv")
    outputs = named(BATCH, CLASSES, "csv")
    sink = open_sink(path, "csv", outputs.schema)
    sink.write(outputs)
    sink.close()
    types = {name: pa.float32() for name in outputs.schema.names if name != "class"}
    types["class"] = pa.string()
    found = pv.read_csv(path, convert_options=pv.ConvertOptions(column_types=types))
    assert found.to_pylist() == outputs.to_pylist()
    assert found.column_names == [
        "class",
        *(f"probability_{name}" for name in CLASSES),
        *(f"logit_{name}" for name in CLASSES),
    ]
    assert found["probability_10"].to_pylist() == [0.0, 0.75]


def test_csv_without_rows_has_the_same_columns(tmp_path):
    outputs = named(BATCH.slice(0, 0), CLASSES, "csv")
    assert outputs.schema == named(BATCH, CLASSES, "csv").schema
    open_sink(str(tmp_path / "none.csv"), "csv", outputs.schema).close()
    assert "probability_spam" in (tmp_path / "none.csv").read_text()


def test_json_has_an_object_by_class():
    lines = [json.loads(line) for line in json_lines(named(BATCH, CLASSES, "jsonl")).to_pylist()]
    assert lines[1] == {
        "class": "10",
        "probabilities": {"spam": 0.0, 'q"x': 0.125, "a,b": 0.125, "10": 0.75},
        "logits": {"spam": -9.0, 'q"x': 1.0, "a,b": 1.0, "10": 4.0},
    }


def test_parquet_has_the_lists_or_columns():
    assert named(BATCH, CLASSES, "parquet") == BATCH
    columns = columns_of("logits", BATCH.column(2), CLASSES, "parquet", by_class=True)
    assert list(columns) == [f"logit_{name}" for name in CLASSES]
    assert columns["logit_10"].to_pylist() == [-9.0, 4.0]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_what_is_no_list_by_class_stays_as_it_is(kind):
    one = pa.record_batch([pa.array([0.5]), pa.array([0.1])], ["score", "logits"])
    assert named(one, ["no", "yes"], kind) == one
    assert named(BATCH, [], kind) == BATCH


def test_a_line_break_never_gets_into_a_header():
    assert named(BATCH, ["a\nb", "c", "d", "e"], "csv") == BATCH


def test_classes_are_those_of_the_description(tmp_path):
    assert classes_of(str(tmp_path)) == ()
    path = tmp_path / FILE_NAME
    path.write_text("{}")  # another program's
    assert classes_of(str(tmp_path)) == ()
    path.write_text(described(classes=("no", "yes")).model_dump_json())
    assert classes_of(str(tmp_path)) == ("no", "yes")
