"""Tables of a PostgreSQL server."""

import os
from urllib.parse import urlsplit

import pytest
from adbc_driver_postgresql import dbapi

from components.sources import sql
from components.sources.protocol import Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.sql import Sql
from tests.source_rows import read_all

pytestmark = pytest.mark.component

N = Column("n", "INT", True)


@pytest.fixture
def table(postgresql):
    """A function that makes the table `t` by statements; returns the server's URL."""

    def make(*statements):
        with dbapi.connect(postgresql) as connection, connection.cursor() as cursor:
            for statement in ("DROP TABLE IF EXISTS t", *statements):
                cursor.execute(statement)
            connection.commit()
        return postgresql

    return make


def read(columns, **options):
    (path,) = Sql(**options).paths
    return read_all(open_reader(Sql(**options), Selection(columns)), path)


def values_as(url, column):
    """Return the values of a column of `t` as this raw column, and the reasons for rejects."""
    rows, rejects = read((column,), url=url, table="public.t")
    return [value for _, (value,) in rows], [reason for *_, reason in rejects]


def test_each_type_of_postgresql_is_a_raw_column_by_its_rule(table):
    url = table(
        "CREATE TABLE t AS SELECT 1.10::numeric(9, 2) AS d, 9007199254740993::numeric AS huge,"
        " 'NaN'::numeric AS nan, true AS b, DATE '1970-01-02' AS day,"
        " TIMESTAMPTZ '1970-01-01 02:00:01+02' AS at_, 'x'::varchar(3) AS v, '\\xff'::bytea AS raw,"
        " '{\"a\": 1}'::jsonb AS j, ARRAY[1, 2] AS l, NULL::integer AS nothing, 1.5::real AS r"
    )
    assert values_as(url, Column("d", "FLOAT", True)) == ([pytest.approx(1.1)], [])
    assert values_as(url, Column("d", "INT", True)) == ([], ["not_an_integer"])
    assert values_as(url, Column("d", "BYTES", True)) == (["1.10"], [])
    assert values_as(url, Column("huge", "INT", True)) == ([], ["integer_beyond_2_53"])
    assert values_as(url, Column("nan", "FLOAT", True)) == ([None], [])
    assert values_as(url, Column("b", "BOOL", True)) == ([1], [])
    assert values_as(url, Column("day", "TIME", True, ("UNIX_SECONDS",))) == ([86_400 * 10**6], [])
    assert values_as(url, Column("at_", "TIME", True, ("UNIX_SECONDS",))) == ([10**6], [])
    assert values_as(url, Column("v", "BYTES", True)) == (["x"], [])
    assert values_as(url, Column("raw", "BYTES", True)) == ([], ["not_utf8"])
    assert values_as(url, Column("j", "BYTES", True)) == (['{"a": 1}'], [])
    assert values_as(url, Column("l", "INT", True, most=2)) == ([[1, 2]], [])
    assert values_as(url, Column("nothing", "INT", True)) == ([None], [])
    assert values_as(url, Column("r", "FLOAT", True)) == ([1.5], [])


def test_a_type_that_arrow_has_not_is_refused_by_name_and_left_out_of_a_sample(table):
    url = table("CREATE TABLE t AS SELECT 1 AS n, gen_random_uuid() AS u")
    with pytest.raises(DataError) as caught:
        read((Column("u", "BYTES", True),), url=url, table="t")
    assert caught.value.what == "the column 'u' is uuid, which Arrow has no type for"
    assert caught.value.remedy == "write a query with CAST(u AS VARCHAR) AS u"
    query = "SELECT CAST(u AS text) AS u FROM t"
    ((_, (text,)),), _ = read((Column("u", "BYTES", True),), url=url, query=query)
    assert len(text) == 36
    sampled, _ = sql.sample(sql.draft(f"{url}#t"), f"{url}#t", 5)
    assert sampled.to_pydict() == {"n": [1]}


def test_numeric_is_a_number_in_a_sample(table):
    url = table("CREATE TABLE t AS SELECT 1.10::numeric(9, 2) AS d, 5::numeric AS n")
    sampled, whole = sql.sample(sql.draft(f"{url}#t"), f"{url}#t", 5)
    assert (sampled.to_pydict(), whole) == ({"d": [1.1], "n": [5]}, True)


def test_rows_are_in_the_tables_order_and_ranges_have_each_row_once(table):
    url = table(
        "CREATE TABLE t AS SELECT (i * 7919) % 100003 AS n FROM generate_series(1, 100002) i"
    )
    rows, _ = read((N,), url=url, table="t")
    assert [n for _, (n,) in rows] == [i * 7919 % 100003 for i in range(1, 100003)]
    ranges, _ = read((N,), url=url, table="t", partition_by="n", parts=3)
    assert sorted(n for _, (n,) in ranges) == list(range(1, 100003))


def test_a_version_is_another_one_when_the_rows_are(table):
    url = table("CREATE TABLE t AS SELECT 1 AS n, 5 AS at_")

    def version(**options):
        return sql.Reader(Sql(url=url, table="t", **options), Selection((N,))).version(f"{url}#t")

    assert version(version="at_") == version(version="at_") == "1 5"
    assert version() != version()
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (2, 5)")
        connection.commit()
    assert version(version="at_") == "2 5"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"table": "tt"}, 'the database cannot be read: relation "tt" does not exist'),
        ({"query": "SELECT m FROM t"}, 'the database cannot be read: column "m" does not exist'),
        (
            {"query": "SELECT nextval('numbers')::integer AS n"},
            "the database cannot be read: cannot execute nextval() in a read-only transaction",
        ),
    ],
)
def test_what_a_server_says_is_in_the_error_and_nothing_is_written(table, options, what):
    url = table("CREATE TABLE t AS SELECT 1 AS n", "CREATE SEQUENCE IF NOT EXISTS numbers")
    with pytest.raises(DataError) as caught:
        read((N,), url=url, **options)
    assert caught.value.what == what


def test_a_server_that_does_not_answer_is_named_without_its_password(monkeypatch):
    monkeypatch.setitem(os.environ, "TEST_PASSWORD", "hunter2")
    with pytest.raises(DataError) as caught:
        read((N,), url="postgresql://ann:${TEST_PASSWORD}@localhost:1/db", table="t")
    assert "Connection refused" in caught.value.what
    assert "hunter2" not in str(caught.value)


def test_a_password_comes_from_the_environment(postgresql, table, monkeypatch):
    table("CREATE TABLE t AS SELECT 1 AS n")
    monkeypatch.setitem(os.environ, "TEST_HOST", urlsplit(postgresql).query.removeprefix("host="))
    assert read((N,), url="postgresql://ann@/postgres?host=${TEST_HOST}", table="t")[0]
