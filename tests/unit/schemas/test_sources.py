"""The section `source:` of pipeline.yaml: its kinds, and the errors for a wrong one."""

from pathlib import Path

import pydantic
import pytest

from schemas import catalog, sources
from schemas.errors import ConfigError
from schemas.sources.arrow import Arrow
from schemas.sources.avro import Avro
from schemas.sources.bigquery import BigQuery
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines
from schemas.sources.orc import Orc
from schemas.sources.parquet import Parquet
from schemas.sources.sql import Sql, expanded, file_of, resolved
from schemas.sources.tfrecord import TfRecord
from schemas.strict import plain as in_words

SOURCES = [
    Csv(path="a.csv", delimiter="|", null_values=("?", "NA"), newlines_in_values=False),
    Parquet(path="a/*.parquet", trim=True),
    JsonLines(path="a/*.jsonl", null_values=("?",)),
    Arrow(path="a/*.feather", trim=True),
    Orc(path="a/*.orc"),
    Avro(path="a/*.avro"),
    TfRecord(path="a/*.tfrecord.gz"),
    Sql(url="postgresql://ann@host/db", table="trips", partition_by="id", parts=4, version="at"),
    BigQuery(table="my-project.sales.trips", row_restriction="day > '2020-01-01'", read_streams=4),
]


def read(folder, text):
    folder.change("  path: data.csv", text)
    return catalog.load(str(folder)).spec.source


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("  path: x", Csv(path="x")),
        ("  format: csv\n  path: x\n  trim: true", Csv(path="x", trim=True)),
        ("  format: parquet\n  path: x", Parquet(path="x")),
        ("  format: jsonl\n  path: x\n  trim: true", JsonLines(path="x", trim=True)),
        (
            "  null_values: [no, 1.10]\n  path: 010\n  format: parquet",
            Parquet(path="010", null_values=("no", "1.10")),
        ),
    ],
)
def test_the_format_says_the_kind_and_csv_is_meant_without_one(folder, text, source):
    assert read(folder, text) == source


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (
            "  path: x\n  format: parket",
            4,
            "source: unknown format 'parket'; did you mean 'parquet'?",
        ),
        (
            "  format: no\n  path: x",
            3,
            f"source: unknown format 'no'; one of: {', '.join(sorted(sources.FORMATS))}",
        ),
        ("  format: [csv]\n  path: x", 3, "source: unknown format ['csv']"),
        (
            "  path: x\n  delimitr: a",
            4,
            "source: unknown key 'delimitr'; did you mean 'delimiter'?",
        ),
        (
            "  format: parquet\n  path: x\n  delimiter: a",
            5,
            "source: unknown key 'delimiter'; one of: ",
        ),
        (
            "  path: x\n  delimiter: ab",
            4,
            "source.delimiter: String should have at most 1 character",
        ),
        (
            "  format: parquet\n  path: x\n  trim: 7",
            5,
            "source.trim: expected true or false, got 7",
        ),
        ("  format: parquet", 2, "source.path: this key is needed"),
        ("  - path", 2, "source: expected keys with values, got ['path']"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder, text, line, what):
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert caught.value.what.startswith(f"pipeline.yaml:{line}: {what}")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.format)
def test_a_source_travels_as_json(source):
    assert sources.loads(source.model_dump_json()) == source


def test_json_of_an_unknown_kind_is_refused():
    with pytest.raises(pydantic.ValidationError, match="unknown format 'xml'"):
        sources.loads('{"format": "xml", "path": "x"}')


def test_each_kind_is_listed_once_by_its_format():
    assert sorted(sources.FORMATS) == sorted(source.format for source in SOURCES)
    assert [type(source) for source in SOURCES] == list(sources.KINDS)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("gs://b/a.parquet", Parquet(path="gs://b/a.parquet")),
        ("gs://b/a.jsonl", JsonLines(path="gs://b/a.jsonl")),
        ("a.jsonl.gz", JsonLines(path="a.jsonl.gz")),
        ("a.ndjson", JsonLines(path="a.ndjson")),
        ("a.ndjson.gz", JsonLines(path="a.ndjson.gz")),
        ("a.json", JsonLines(path="a.json")),
        ("a.arrow", Arrow(path="a.arrow")),
        ("gs://b/a.feather", Arrow(path="gs://b/a.feather")),
        ("a.ipc", Arrow(path="a.ipc")),
        ("a.orc", Orc(path="a.orc")),
        ("a.avro", Avro(path="a.avro")),
        ("a.tfrecords", TfRecord(path="a.tfrecords")),
        ("a.tfrecord.gz", TfRecord(path="a.tfrecord.gz")),
        ("a.csv.gz", Csv(path="a.csv.gz")),
        ("a.parquet.gz", Csv(path="a.parquet.gz")),
        ("parquet", Csv(path="parquet")),
        ("bigquery://my-project.sales.trips", BigQuery(table="my-project.sales.trips")),
        ("sqlite:///a.db#trips", Sql(url="sqlite:///a.db", table="trips")),
        ("postgresql://h/db#s.trips", Sql(url="postgresql://h/db", table="s.trips")),
    ],
)
def test_an_ending_or_a_url_determines_the_kind(path, source):
    assert sources.plain(path) == source
    assert source.paths == (path,)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"url": "oracle://h/db"}, "expected a database's URL: postgresql://host/database, mysql"),
        ({"url": "trips.db"}, "expected a database's URL: postgresql://"),
        ({"url": "sqlite://trips.db"}, "expected three slashes and a file, such as sqlite:///"),
        ({"url": "duckdb:///"}, "expected three slashes and a file, such as duckdb:///"),
        ({"url": "sqlite:///a.db#t"}, "the URL has a #; name the table in `table`"),
        ({"url": "postgresql://ann:hunter2@h/db"}, "the URL has a password; write ${VARIABLE}"),
        ({"url": "postgresql://h/db?password=hunter2"}, "the URL has a password; write"),
        ({"table": None}, "expected either a table"),
        ({"query": "SELECT 1"}, "expected either a table"),
        ({"parts": 2}, "partition_by needs parts"),
        ({"partition_by": "id"}, "partition_by needs parts"),
        ({"version": "id"}, "version has no effect: a database in a file counts by what it"),
    ],
)
def test_a_database_that_cannot_be_read_is_refused_without_its_password(keys, what):
    with pytest.raises(pydantic.ValidationError) as caught:
        Sql(**{"url": "sqlite:///a.db", "table": "t", **keys})
    (problem,) = caught.value.errors()
    assert in_words(problem).startswith(what)
    assert "hunter2" not in in_words(problem)


def test_a_query_needs_the_url_of_a_database():
    assert sources.of_query("bigquery://shop", "SELECT 1") == BigQuery(
        query="SELECT 1", project="shop"
    )
    with pytest.raises(ConfigError, match="a query is given without a database"):
        sources.of_query("rows.csv", "SELECT 1")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("mysql://h/db", "expected either a table"),
        ("sqlite:///a.db", "expected either a table"),
        ("bigquery://sales.trips", "a table with its project and dataset"),
    ],
)
def test_the_url_of_what_cannot_be_read_is_an_error_of_the_command_line(path, what):
    with pytest.raises(ConfigError, match=what):
        sources.plain(path)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({}, "expected either a table, such as project.dataset.table, or a query"),
        ({"table": "p.d.t", "query": "SELECT 1"}, "expected either a table"),
        ({"query": "SELECT 1", "row_restriction": "x"}, "row_restriction is for a table"),
        ({"table": "p.d.t", "location": "EU"}, "location is for a query"),
    ],
)
def test_options_of_bigquery_without_an_effect_are_refused(keys, what):
    with pytest.raises(pydantic.ValidationError) as caught:
        BigQuery(**keys)
    (problem,) = caught.value.errors()
    assert in_words(problem).startswith(what)


def test_a_variable_of_a_url_comes_from_the_environment_and_is_escaped():
    url = "postgresql://ann:${PASSWORD}@h/db?sslpassword=${PASSWORD}"
    assert Sql(url=url, table="t").url == url
    assert expanded(url, {"PASSWORD": "a@b/c"}).count("a%40b%2Fc") == 2
    with pytest.raises(KeyError, match="PASSWORD"):
        expanded(url, {})


def test_a_relative_file_of_a_database_is_relative_to_the_folder():
    assert resolved("sqlite:///a.db#t", Path("/x y")) == "sqlite:////x%20y/a.db#t"
    assert file_of("sqlite:////x%20y/a.db#t") == "/x y/a.db"
    assert resolved("sqlite:////a.db#t", Path("/x")) == "sqlite:////a.db#t"
    assert resolved("gs://b/a", Path("/x")) == "gs://b/a"
    options = Sql(url="duckdb:///a.db", table="t").moved(lambda file: f"../x {file}")
    assert options.url == "duckdb:///../x%20a.db"


def test_a_table_of_a_server_without_a_version_is_read_by_each_run():
    table = "postgresql://host/db"
    text = Sql(url=table, table="trips").read_always
    assert "each run reads all rows again" in text
    assert "source.version" in text
    others = [Sql(url=table, table="trips", version="at"), Sql(url="sqlite:////a", table="trips")]
    assert [each.read_always for each in (*others, Csv(path="a.csv"))] == ["", "", ""]
