"""Columns that are renamed or ignored, and columns that paths have: in every kind of file."""

import json

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pydantic
import pytest

from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines
from schemas.sources.options import FileColumns
from schemas.sources.parquet import Parquet
from tests.source_rows import read_all

TABLE = pa.table({"Fare ($)": ["1", "x", "?"], "id": ["a", "b", "c"], "junk": ["", "", ""]})
FARE, ID = Column("fare", "BYTES", serving=True), Column("id", "BYTES", serving=True)
NONE = Needs()
RENAMED = {"rename": {"Fare ($)": "fare"}, "ignore": ["junk"]}


def write(folder, kind, table=TABLE):
    """Write a table as one file of a kind, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder / "rows")
    if kind is Csv:
        pv.write_csv(table, path)
    elif kind is Parquet:
        pq.write_table(table, path)
    else:
        (folder / "rows").write_text("\n".join(json.dumps(row) for row in table.to_pylist()))
    return path


@pytest.mark.parametrize("kind", [Csv, Parquet, JsonLines])
class TestEveryKind:
    def test_renames_columns_rejects_and_texts_that_mean_missing(self, tmp_path, kind):
        path = write(tmp_path, kind)
        options = kind(path="x", columns=RENAMED, null_values={"fare": ["?"]})
        reader = open_reader(options, Selection((ID, FARE), Needs(label=("fare",)), (ID,)))
        (part,) = reader.parts(path)
        assert part.ignored == ()
        assert reader.key_types(part) == pa.schema([("id", pa.string())])
        rows, rejects = read_all(reader, path, ["id", "fare", "id"])
        assert [place for place, _ in rows] == ([2, 3] if kind is Csv else [1, 2])
        assert [(reject[1], reject[3]) for reject in rejects] == [("fare", "missing_label")]

    def test_takes_columns_from_the_path(self, tmp_path, kind):
        path = write(tmp_path / "year=2024" / "area=North%20Side", kind)
        columns = (Column("year", "INT", serving=True), ID, Column("area", "BYTES", serving=True))
        options = kind(path="x", partitions="hive", columns={"rename": {"area": "zone"}})
        zone = Column("zone", "BYTES", serving=True)
        reader = open_reader(options, Selection((*columns[:2], zone), Needs(("year",)), (zone, ID)))
        (part,) = reader.parts(path)
        assert set(part.ignored) == {"Fare ($)", "junk"}
        assert reader.key_types(part).names == ["zone", "id"]
        rows, rejects = read_all(reader, path, ["year", "id", "zone", "zone", "id"])
        assert rejects == []
        assert [tuple(block.columns.to_pydict()["year"]) for block in reader.read(part)] == [
            (2024, 2024, 2024)
        ]
        assert len(rows) == 3


def partitioned(tmp_path, name, column, needs=NONE):
    path = write(tmp_path / name, Csv)
    options = Csv(path="x", partitions="hive", null_values={"key": ["none"]})
    reader = open_reader(options, Selection((column, ID), needs))
    (part,) = reader.parts(path)
    return next(block.columns.to_pydict()["key"] for block in reader.read(part))


@pytest.mark.parametrize("name", ["key=__HIVE_DEFAULT_PARTITION__", "key=", "key=none"])
def test_a_value_of_a_path_may_be_missing(tmp_path, name):
    key = Column("key", "INT", serving=True)
    assert partitioned(tmp_path, name, key) == [None, None, None]
    with pytest.raises(DataError, match="missing_label"):
        partitioned(tmp_path, name, key, Needs(label=("key",)))


def test_a_value_of_a_path_that_does_not_fit_its_column_is_refused(tmp_path):
    with pytest.raises(DataError, match="the partition key 'key' has the value 'x'"):
        partitioned(tmp_path, "key=x", Column("key", "INT", serving=True))


def test_a_column_of_a_file_that_its_path_has_too_is_refused(tmp_path):
    with pytest.raises(DataError, match="the file has a column 'junk', and its path"):
        partitioned(tmp_path, "junk=1/key=1", Column("key", "INT", serving=True))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"rename": {"Fare": "fare"}}, "did you mean 'Fare ($)'"),
        ({"rename": {"junks": "other"}}, "the file has no column 'junks'; did you mean 'junk'"),
        ({"ignore": ["jnk"]}, "the file has no column 'jnk'; did you mean 'junk'"),
        ({"rename": {"junk": "id"}}, "the file has a column 'id', and 'junk' is renamed so"),
        ({"ignore": ["id"]}, "the column 'id' is ignored, and schema.pbtxt has it"),
    ],
)
def test_names_that_the_file_does_not_have_or_has_twice_are_refused(tmp_path, columns, message):
    wanted = (FARE, ID) if "Fare" in columns.get("rename", ()) else (ID,)
    reader = open_reader(Csv(path="x", columns=columns), Selection(wanted))
    with pytest.raises(DataError) as refused:
        reader.parts(write(tmp_path, Csv))
    assert message in refused.value.what


def test_a_header_may_have_an_ignored_name_twice(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("junk,id,junk\n,a,\n")
    reader = open_reader(Csv(path="x", columns={"ignore": ["junk"]}), Selection((ID,)))
    assert read_all(reader, str(path)) == ([(2, ("a",))], [])
    assert reader.parts(str(path))[0].ignored == ()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"rename": {"a": "c", "b": "c"}}, "rename makes 'c' of several columns"),
        ({"rename": {"a": "c"}, "ignore": ["a"]}, "'a' is renamed and ignored"),
    ],
)
def test_contradictions_between_names_are_refused(columns, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        FileColumns(**columns)
