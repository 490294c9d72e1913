"""A dataset whose source is a table of a database, in the commands that run no stage."""

import sqlite3

import pytest

from pipeline import dag, init, schema_data, source
from pipeline.digest_cache import DigestCache
from schemas import catalog
from schemas.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path):
    """A dataset of a table in SQLite, of two parts, one of whose columns schema.pbtxt lacks."""
    execute(tmp_path, "CREATE TABLE trips (id INTEGER, miles REAL, tip REAL)")
    rows = ", ".join(f"({number}, {number * 37 % 101}.5, {number}.25)" for number in range(400))
    execute(tmp_path, f"INSERT INTO trips VALUES {rows}")
    url = f"sqlite:///{tmp_path}/a.db#trips"
    arguments = [url, "--label", "tip", "-o", str(tmp_path / "trips")]
    init.command.main(arguments, standalone_mode=False)
    spec = tmp_path / "trips" / "pipeline.yaml"
    text = spec.read_text()
    assert 'url: "sqlite:///../a.db"' in text
    spec.write_text(text.replace('table: "trips"', "table: trips\n  partition_by: id\n  parts: 2"))
    execute(tmp_path, "ALTER TABLE trips ADD COLUMN hour INTEGER")
    return tmp_path / "trips"


def execute(folder, statement):
    with sqlite3.connect(folder / "a.db") as connection:
        connection.execute(statement)
    connection.close()


def test_a_database_in_a_file_is_known_by_what_it_holds(folder, tmp_path):
    dataset, known = catalog.load(str(folder)), DigestCache(tmp_path / "digests.json")
    dag.check_source(dataset)
    assert source.files_of(dataset) == [f"{folder}/../a.db"]
    before = source.fingerprint(dataset, known)
    assert source.fingerprint(dataset, known) == before
    execute(tmp_path, "UPDATE trips SET tip = 0 WHERE id = 5")
    assert source.fingerprint(dataset, known) != before


def test_a_table_without_a_column_is_refused_before_a_run(folder, tmp_path):
    execute(tmp_path, "ALTER TABLE trips RENAME COLUMN tip TO tips")
    with pytest.raises(DataError, match="the table has no column 'tip'; did you mean 'tips'"):
        dag.check_source(catalog.load(str(folder)))


def test_a_new_column_of_a_table_in_parts_is_found(folder, tmp_path):
    execute(tmp_path, "UPDATE trips SET hour = id % 24")
    names = [name for name, *_ in schema_data.new_columns(catalog.load(str(folder)))]
    assert "hour" in names


def test_a_split_by_files_is_refused_for_a_table(folder):
    spec = folder / "pipeline.yaml"
    before, splits, after = spec.read_text().partition("splits:\n")
    rest = after[after.index("\n\n") :]
    spec.write_text(f"{before}{splits}  by: file\n  test: a.csv\n  eval: b.csv{rest}")
    with pytest.raises(ConfigError, match="a source of sql has no files whose names"):
        catalog.load(str(folder))
