"""Tables of a MySQL server."""

import pytest

from components.sources import sql
from components.sources.protocol import Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.sql import Sql
from tests.source_rows import read_all

pytestmark = pytest.mark.component

N = Column("n", "INT", True)


@pytest.fixture
def table(mysql):
    """A function that makes the table `t` by statements; returns the server's URL."""
    url, execute = mysql

    def make(statements):
        execute(f"DROP TABLE IF EXISTS t; SET sql_mode = ''; {statements}")
        return url

    return make


def read(columns, **options):
    (path,) = Sql(**options).paths
    return read_all(open_reader(Sql(**options), Selection(columns)), path)


def values_as(url, column):
    """Return the values of a column of `t` as this raw column, and the reasons for rejects."""
    rows, rejects = read((column,), url=url, table="d.t")
    return [value for _, (value,) in rows], [reason for *_, reason in rejects]


def test_each_type_of_mysql_is_a_raw_column_by_its_rule(table):
    url = table(
        "CREATE TABLE t (d DECIMAL(30, 10), huge BIGINT UNSIGNED, b BOOLEAN, day DATE,"
        " at_ DATETIME, v VARCHAR(9) CHARACTER SET latin1, raw BLOB, j JSON, r DOUBLE,"
        " e ENUM('x', 'y'), nothing INT);"
        "INSERT INTO t VALUES (1.5, 18446744073709551615, true, '1970-01-02',"
        " '1970-01-01 00:00:01', 'café', x'ff', '{\"a\": 1}', 1.5, 'y', NULL)"
    )
    assert values_as(url, Column("d", "FLOAT", True)) == ([1.5], [])
    assert values_as(url, Column("d", "INT", True)) == ([], ["not_an_integer"])
    assert values_as(url, Column("d", "BYTES", True)) == (["1.5000000000"], [])
    assert values_as(url, Column("huge", "INT", True)) == ([], ["integer_beyond_2_53"])
    assert values_as(url, Column("b", "BOOL", True)) == ([1], [])
    assert values_as(url, Column("day", "TIME", True, ("UNIX_SECONDS",))) == ([86_400 * 10**6], [])
    assert values_as(url, Column("at_", "TIME", True, ("UNIX_SECONDS",))) == ([10**6], [])
    assert values_as(url, Column("v", "BYTES", True)) == (["café"], [])
    assert values_as(url, Column("raw", "BYTES", True)) == ([], ["not_utf8"])
    assert values_as(url, Column("j", "BYTES", True)) == (['{"a": 1}'], [])
    assert values_as(url, Column("r", "FLOAT", True)) == ([1.5], [])
    assert values_as(url, Column("e", "BYTES", True)) == (["y"], [])
    assert values_as(url, Column("nothing", "INT", True)) == ([None], [])


def test_decimals_of_many_digits_are_exact(table):
    url = table("CREATE TABLE t AS SELECT 12345678901234567890.0123456789 AS d")
    assert values_as(url, Column("d", "BYTES", True)) == (["12345678901234567890.0123456789"], [])


def test_a_zero_date_is_missing_and_one_without_a_day_is_an_error(table):
    time = Column("day", "TIME", True, ("UNIX_SECONDS",))
    url = table("CREATE TABLE t (day DATETIME); INSERT INTO t VALUES (0), ('1970-01-01')")
    assert values_as(url, time) == ([None, 0], [])
    url = table("CREATE TABLE t (day DATE); INSERT INTO t VALUES ('2020-00-00')")
    with pytest.raises(DataError, match="2020-00-00"):
        values_as(url, time)


def test_a_time_of_day_is_refused_by_name_and_left_out_of_a_sample(table):
    url = table("CREATE TABLE t AS SELECT 1.10 AS n, CAST('26:00:00' AS TIME) AS u")
    with pytest.raises(DataError) as caught:
        read((Column("u", "BYTES", True),), url=url, table="t")
    assert caught.value.remedy == "write a query with CAST(u AS CHAR) AS u"
    query = "SELECT CAST(u AS CHAR) AS u FROM t -- as text"
    assert read((Column("u", "BYTES", True),), url=url, query=query) == ([(1, ("26:00:00",))], [])
    sampled, whole = sql.sample(sql.draft(f"{url}#t"), f"{url}#t", 5)
    assert (sampled.to_pydict(), whole) == ({"n": [1.1]}, True)


def test_ranges_have_each_row_once(table):
    url = table("CREATE TABLE t AS SELECT seq * 7919 % 100003 AS n, 'a`b' AS `x``y` FROM"
                " seq_1_to_100002")  # fmt: skip
    columns = (N, Column("x`y", "BYTES", True))
    rows, _ = read(columns, url=url, table="t")
    assert [row for _, row in rows[:1]] == [(7919, "a`b")]
    ranges, _ = read(columns, url=url, table="t", partition_by="n", parts=3)
    assert sorted(n for _, (n, _) in ranges) == list(range(1, 100003))


def test_a_version_is_another_one_when_the_rows_are(table):
    url = table("CREATE TABLE t AS SELECT 1 AS n, 5 AS at_")
    reader = sql.Reader(Sql(url=url, table="t", version="at_"), Selection((N,)))
    assert reader.version(f"{url}#t") == "1 5"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"table": "tt"}, "Table 'd.tt' doesn't exist"),
        ({"query": "SELECT m FROM t"}, "Unknown column 'm' in '"),
    ],
)
def test_what_a_server_says_is_in_the_error(table, options, what):
    url = table("CREATE TABLE t AS SELECT 1 AS n")
    with pytest.raises(DataError, match=what):
        read((N,), url=url, **options)


def test_a_server_that_does_not_answer_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("TEST_PASSWORD", "hunter2")
    with pytest.raises(DataError) as caught:
        read((N,), url="mysql://ann:${TEST_PASSWORD}@localhost:1/db", table="t")
    assert "Connection refused" in caught.value.what
    assert "hunter2" not in str(caught.value)
