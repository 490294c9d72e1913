"""A look at a table reads several of its files, each with the columns that it has."""

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.profile.table import look


def test_files_are_joined_by_the_names_of_their_columns(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "2.csv").write_text("b,c\nz, 5\n")
    table = look(str(tmp_path / "*.csv"), named="*.csv")

    assert (table.files, table.rows, table.whole) == (2, 3, True)
    assert {column.name: column.array.to_pylist() for column in table.columns} == {
        "a": ["1", "2", None],
        "b": ["x", "y", "z"],
        "c": [None, None, "5"],
    }
    assert table.source.trim


def test_a_large_table_is_looked_at_in_eight_files(tmp_path):
    for number in range(20):
        (tmp_path / f"{number:02d}.csv").write_text("a\n" + f"{number}\n" * 10)
    table = look(str(tmp_path / "*.csv"), named="*.csv", rows=35)

    assert (table.files, table.whole) == (20, False)
    assert table.columns[0].array.to_pylist() == [str(n) for n in range(0, 20, 3) for _ in range(5)]


def test_names_that_several_columns_have_are_reported(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,a,c,c,c\n1,2,3,4,5,6\n")
    table = look(str(tmp_path / "rows.csv"), named="rows.csv")
    assert [column.name for column in table.columns] == ["b"]
    assert table.repeated == ("a", "c")

    arrays = [pa.array([1])] * 3
    path = str(tmp_path / "rows.parquet")
    pq.write_table(pa.Table.from_arrays(arrays, ["a", "b", "a"]), path)
    assert look(path, named=path).repeated == ("a",)


def test_columns_that_no_table_can_have_are_reported(tmp_path):
    union = ["null", "int", "string"]
    fields = [{"name": "x", "type": "int"}, {"name": "code", "type": union}]
    schema = {"type": "record", "name": "row", "fields": fields}
    path = str(tmp_path / "rows.avro")
    with open(path, "wb") as file:
        fastavro.writer(file, schema, [{"x": 1, "code": "a"}, {"x": 2, "code": 5}])
    table = look(path, named=path)
    assert ([column.name for column in table.columns], table.unread) == (["x"], ("code",))


@pytest.mark.parametrize("has_dictionary", [False, True])
def test_the_empty_text_is_missing_in_files_with_types_as_in_a_run(tmp_path, has_dictionary):
    texts = pa.array(["a", "", "  ", None])
    texts = texts.dictionary_encode() if has_dictionary else texts
    pq.write_table(pa.table({"t": texts}), tmp_path / "rows.parquet")
    path = str(tmp_path / "rows.parquet")
    (column,) = look(path, named=path).columns
    assert column.array.to_pylist() == ["a", None, None, None]
    assert column.missing == 3
