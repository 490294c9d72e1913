"""A key keeps its type: the schema's in CSV, the file's in Parquet."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.score.sources import Wanted, carried_schema, read_rows
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.csv import Csv

FARE = Column("fare", "FLOAT", serving=True)
HOUR = Column("hour", "INT", serving=True)
SCHEMA = (
    FARE,
    HOUR,
    Column("id", "INT", serving=False),
    Column("tips", "FLOAT", serving=False),
    Column("note", "BYTES", serving=False),
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("id,fare,hour,tips,note,more\n007,1.5,3,0.25,01,02\n,2.5,4,,,\n")
    return str(path)


def wanted(*keys, columns=SCHEMA):
    return Wanted((FARE, HOUR), keys, Csv(path=""), columns=columns)


def carried(path, asked):
    (rows,) = read_rows(path, asked)
    assert rows.carried.schema == carried_schema([path], asked)
    return rows.carried


@pytest.mark.parametrize(
    ("key", "kind", "values"),
    [
        ("id", pa.int64(), [7, None]),  # not in the SERVING environment
        ("hour", pa.int64(), [3, 4]),  # also an input of the model
        ("tips", pa.float32(), [0.25, None]),
        ("note", pa.string(), ["01", None]),
        ("more", pa.string(), ["02", None]),  # not in the schema
    ],
)
def test_a_key_of_a_csv_file_has_the_type_that_it_has_in_the_schema(path, key, kind, values):
    found = carried(path, wanted(key))
    assert found.schema.field(key).type == kind
    assert found.column(0).to_pylist() == values


@pytest.mark.parametrize(("key", "kind"), [("id", pa.string()), ("hour", pa.int64())])
def test_without_a_schema_a_key_is_text_or_as_the_model_takes_it(path, key, kind):
    assert carried(path, wanted(key, columns=())).schema.field(key).type == kind


def test_a_row_whose_key_is_not_of_its_type_is_rejected(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("id,fare,hour\nx7,1.5,3\n8,2.5,4\n")
    (rows,) = read_rows(str(path), wanted("id"))
    assert rows.carried.column(0).to_pylist() == [8]
    (reject,) = rows.rejects
    assert (reject.column, reject.value, reject.reason.code) == ("id", "x7", "not_an_integer")


def test_a_key_of_a_parquet_file_keeps_the_files_type(tmp_path):
    path = str(tmp_path / "rows.parquet")
    table = pa.table({"id": pa.array([7, 8], pa.int32()), "fare": [1.5, 2.5], "hour": [3, 4]})
    pq.write_table(table, path)
    assert carried(path, wanted("id")).schema.field("id").type == pa.int32()


def test_files_whose_keys_join_to_one_column_are_scored_together(path, tmp_path):
    other = str(tmp_path / "rows.parquet")
    pq.write_table(pa.table({"id": [9], "fare": [1.5], "hour": [3]}), other)
    assert carried_schema([path, other], wanted("id")).field("id").type == pa.int64()
    with pytest.raises(DataError, match="the key columns have other types"):
        carried_schema([path, other], wanted("id", columns=()))
