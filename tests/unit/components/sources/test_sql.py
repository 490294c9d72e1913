"""Tables of SQLite and DuckDB files, and results of queries."""

import sqlite3
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.sources import sql
from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.errors import ConfigError, DataError
from schemas.sources.parquet import Parquet
from schemas.sources.sql import Sql
from tests.source_rows import read_all

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
TYPES = pa.schema([("n", pa.int64()), ("x", pa.float64()), ("t", pa.string())])
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**54), 2**54),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.text("ab?é ", max_size=3),
    ),
    min_size=1,
    max_size=20,
)


def sqlite(path, statement, rows=()):
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO t VALUES ({marks})", rows)
    connection.close()
    return f"sqlite:///{path}"


def duck(path, *statements):
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return f"duckdb:///{path}"


def reader(columns, keys=(), needs=(), **options):
    return sql.Reader(Sql(**options), Selection(columns, Needs(needs), keys))


def read(columns, **options):
    (path,) = Sql(**options).paths
    return read_all(reader(columns, **options), path)


def values_as(table, column):
    """Return the values of a column of a DuckDB table `t` as this raw column, and the reasons."""
    rows, rejects = read((column,), url=f"duckdb:///{table}", table="t")
    return [value for _, (value,) in rows], [reason for *_, reason in rejects]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("databases")


@settings(max_examples=10)
@given(ROWS, st.booleans())
def test_rows_mean_the_same_as_in_parquet(folder, rows, trim):
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, t) for c, t in zip(columns, TYPES.types, strict=True)]
    rows_table = pa.table(arrays, schema=TYPES)
    pq.write_table(rows_table, folder / "t.parquet")
    with duckdb.connect(str(folder / "a.duckdb")) as connection:
        connection.execute("CREATE OR REPLACE TABLE t AS SELECT * FROM rows_table")
    (folder / "a.db").unlink(missing_ok=True)
    sqlite(folder / "a.db", "CREATE TABLE t (n, x, t)", rows)
    options = {"null_values": ("?",), "trim": trim}
    plain = open_reader(Parquet(path="", **options), Selection(COLUMNS, Needs(("n",))))
    expected = read_all(plain, str(folder / "t.parquet"))
    for url in (f"duckdb:///{folder}/a.duckdb", f"sqlite:///{folder}/a.db"):
        path = f"{url}#t"
        got = read_all(
            reader(COLUMNS, needs=("n",), url=url, table="t", **options), path, list("nxt")
        )
        # SQLite's columns have no types, so a reject may show a number as its digits
        assert got[0] == expected[0]
        assert [(r[0], r[1], r[3]) for r in got[1]] == [(r[0], r[1], r[3]) for r in expected[1]]


def test_each_type_of_duckdb_is_a_raw_column_by_its_rule(tmp_path):
    table = tmp_path / "a.duckdb"
    duck(
        table,
        "CREATE TABLE t AS SELECT 9007199254740993::HUGEINT h, 1.10::DECIMAL(9, 2) d, true b,"
        " DATE '1970-01-02' AS day, TIMESTAMP '1970-01-01 00:00:01' AS at_, uuid() u,"
        " 'a'::ENUM ('a', 'b') e, [1, 2] l, NULL::INTEGER AS nothing, 3::UTINYINT AS small",
    )
    assert values_as(table, Column("h", "INT", True)) == ([], ["integer_beyond_2_53"])
    assert values_as(table, Column("d", "FLOAT", True)) == ([pytest.approx(1.1)], [])
    assert values_as(table, Column("d", "INT", True)) == ([], ["not_an_integer"])
    assert values_as(table, Column("e", "BYTES", True)) == (["a"], [])
    assert len(values_as(table, Column("u", "BYTES", True))[0][0]) == 36
    assert values_as(table, Column("l", "INT", True, most=2)) == ([[1, 2]], [])
    assert values_as(table, Column("nothing", "INT", True)) == ([None], [])
    assert values_as(table, Column("small", "INT", True)) == ([3], [])
    assert values_as(table, Column("b", "BOOL", True)) == ([1], [])
    assert values_as(table, Column("day", "TIME", True, ("UNIX_SECONDS",))) == (
        [86_400 * 10**6],
        [],
    )
    assert values_as(table, Column("at_", "TIME_TEXT", True, ("%Y-%m-%d %H:%M:%S",))) == (
        [10**6],
        [],
    )


@pytest.mark.parametrize(
    ("name", "what", "remedy"),
    [
        ("tm", "the column 'tm' is time64[us]", "CAST(tm AS VARCHAR)"),
        (
            "s",
            "the column 's' is struct<a: int32>",
            "a column of a field of it: s.a AS a",
        ),
        ("n", "the column 'n' is int32", "CAST(n AS VARCHAR)"),
        ("nn", "the table has no column 'nn'; did you mean 'n'?", "correct the table"),
    ],
)
def test_a_column_of_another_type_is_refused_by_name_before_rows_are_read(
    tmp_path, name, what, remedy
):
    url = duck(tmp_path / "a.duckdb", "CREATE TABLE t AS SELECT TIME '12:00' tm, {'a': 1} s, 1 n")
    for method in ("check", "parts"):
        with pytest.raises(DataError) as caught:
            getattr(reader((Column(name, "BYTES", True),), url=url, table="t"), method)(f"{url}#t")
        assert caught.value.what.startswith(what)
        assert remedy in str(caught.value.remedy)
        assert caught.value.where == f"{url}#t"


def test_a_column_of_several_types_in_sqlite_is_read_as_csv_is(tmp_path):
    values = [1, 2.5, "3", "", "no", None, 2**53 + 1, 0.1 + 0.2, b"4"]
    url = sqlite(tmp_path / "a.db", "CREATE TABLE t (v)", [(value,) for value in values])
    rows, rejects = read((Column("v", "INT", True),), url=url, table="t")
    assert rows == [(1, (1,)), (3, (3,)), (4, (None,)), (6, (None,)), (9, (4,))]
    assert [(line, value, reason) for line, _, value, reason in rejects] == [
        (2, "2.5", "not_an_integer"),
        (5, "no", "not_an_integer"),
        (7, "9007199254740993", "integer_beyond_2_53"),
        (8, "0.30000000000000004", "not_an_integer"),
    ]
    rows, rejects = read((Column("v", "FLOAT", True),), url=url, table="t")
    assert [place for place, _ in rows] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert [line for line, *_ in rejects] == [5]


def test_text_after_many_missing_values_is_read_from_sqlite(tmp_path):
    values = [(None,)] * 70_000 + [("late",), (b"\xff",)]
    url = sqlite(tmp_path / "a.db", "CREATE TABLE t (v)", values)
    rows, rejects = read((Column("v", "BYTES", True),), url=url, table="t")
    assert rows[-1] == (70_001, ("late",))
    assert [(line, reason) for line, *_, reason in rejects] == [(70_002, "not_utf8")]


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_query_keeps_its_order_and_may_end_in_a_comment(tmp_path, kind):
    path, statement = (
        tmp_path / "a",
        "CREATE TABLE t AS SELECT 1 AS n UNION SELECT 3 UNION SELECT 2",
    )
    url = sqlite(path, statement) if kind == "sqlite" else duck(path, statement)
    query = "SELECT n, n * 2 AS m FROM t ORDER BY n DESC -- the latest first\n;"
    rows, _ = read((Column("m", "INT", True), Column("n", "INT", True)), url=url, query=query)
    assert rows == [(1, (6, 3)), (2, (4, 2)), (3, (2, 1))]


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_each_row_is_in_one_of_the_ranges_even_without_a_key(tmp_path, kind):
    path = tmp_path / "a"
    create = "CREATE TABLE t (id INTEGER, x INTEGER)"
    rows = [(id_, x) for x, id_ in enumerate([5, None, -3, 9, 9, 0, None, 100])]
    values = ", ".join(f"({'NULL' if id_ is None else id_}, {x})" for id_, x in rows)
    insert = f"INSERT INTO t VALUES {values}"
    if kind == "sqlite":
        url = sqlite(path, create)
        sqlite(path, insert)
    else:
        url = duck(path, create, insert)
    options = {"url": url, "table": "t", "partition_by": "id", "parts": 3}
    ours = reader((Column("x", "INT", True),), **options)
    parts = ours.parts(f"{url}#t")
    assert len({part.path for part in parts}) == 3
    assert sum(part.rows for part in parts) == pytest.approx(8)
    blocks = [block for part in parts for block in ours.read(part)]
    assert sorted(x for b in blocks for x in b.columns["x"].to_pylist()) == list(range(8))
    with pytest.raises(DataError, match=r"partition_by: the column 'idd' does not exist"):
        reader((Column("x", "INT", True),), **{**options, "partition_by": "idd"}).parts(f"{url}#t")


def test_keys_have_the_types_of_the_table(tmp_path):
    url = duck(tmp_path / "a", "CREATE TABLE t AS SELECT DATE '2020-01-01' AS day, 1 AS n")
    ours = reader((Column("n", "INT", True),), (Column("day", "BYTES", True),), url=url, table="t")
    (part,) = ours.parts(f"{url}#t")
    (block,) = ours.read(part)
    assert ours.key_types(part) == pa.schema([("day", pa.date32())])
    assert block.columns.schema.types == [pa.int64(), pa.date32()]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"table": "tt"}, "the database cannot be read: .*tt"),
        ({"query": "SELECT nope FROM t"}, "the database cannot be read: .*nope"),
        ({"query": "DELETE FROM t"}, "the database cannot be read: "),
    ],
)
@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_what_a_database_says_is_in_the_error(tmp_path, kind, options, what):
    path, statement = tmp_path / "a", "CREATE TABLE t AS SELECT 1 AS n"
    url = sqlite(path, statement) if kind == "sqlite" else duck(path, statement)
    with pytest.raises(DataError, match=what):
        read((Column("n", "INT", True),), url=url, **options)
    assert read((Column("n", "INT", True),), url=url, table="t") == ([(1, (1,))], [])


def test_a_missing_or_another_file_is_named(tmp_path):
    sqlite(tmp_path / "trips.db", "CREATE TABLE t AS SELECT 1 AS n")
    with pytest.raises(DataError, match=r"did you mean 'trips.db'\?"):
        read((Column("n", "INT", True),), url=f"sqlite:///{tmp_path}/trip.db", table="t")
    (tmp_path / "text.db").write_text("not a database, and longer than a header is" * 9)
    for kind in ("sqlite", "duckdb"):
        with pytest.raises(DataError, match="the database cannot be read: "):
            read((Column("n", "INT", True),), url=f"{kind}:///{tmp_path}/text.db", table="t")


def test_a_query_of_duckdb_reads_no_other_file(tmp_path):
    url = duck(tmp_path / "a", "CREATE TABLE t AS SELECT 1 AS n")
    (tmp_path / "other.csv").write_text("n\n1\n")
    with pytest.raises(DataError, match="disabled"):
        read((Column("n", "INT", True),), url=url, query=f"SELECT * FROM '{tmp_path}/other.csv'")


def test_a_database_in_a_file_counts_by_the_file_and_its_log(tmp_path):
    url = sqlite(tmp_path / "a.db", "CREATE TABLE t AS SELECT 1 AS n")
    ours = reader((Column("n", "INT", True),), url=url, table="t")
    assert ours.files(f"{url}#t") == [f"{tmp_path}/a.db"]
    (tmp_path / "a.db-wal").touch()
    assert ours.files(f"{url}#t") == [f"{tmp_path}/a.db", f"{tmp_path}/a.db-wal"]


def test_a_missing_client_or_variable_is_named_with_the_remedy(tmp_path, monkeypatch):
    url = duck(tmp_path / "a", "CREATE TABLE t AS SELECT 1 AS n")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "components.sources.duckdb_database", raising=False)
    with pytest.raises(ConfigError) as caught:
        read((Column("n", "INT", True),), url=url, table="t")
    assert caught.value.remedy == "pip install 'skewless[duckdb]'"
    with pytest.raises(ConfigError, match="the environment variable NOBODY is not set"):
        read((Column("n", "INT", True),), url="postgresql://${NOBODY}@h/db", table="t")


def test_a_sample_says_whether_it_is_the_whole_table(tmp_path):
    url = duck(tmp_path / "a", "CREATE TABLE t AS SELECT range AS n FROM range(5)")
    options = sql.draft(f"{url}#t")
    assert options == Sql(url=url, table="t")
    assert sql.sample(options, f"{url}#t", 5)[1]
    table, whole = sql.sample(options, f"{url}#t", 3)
    assert (table.to_pydict(), whole) == ({"n": [0, 1, 2]}, False)


@pytest.mark.parametrize(
    ("values", "sampled"),
    [
        ([1, "", None, "2"], [1, None, None, 2]),
        ([1, 2.5, ""], [1.0, 2.5, None]),
        ([1, "n/a"], ["1", "n/a"]),
        ([None, None], [None, None]),
    ],
)
def test_numbers_among_texts_are_numbers_in_a_sample(tmp_path, values, sampled):
    url = sqlite(tmp_path / "a.db", "CREATE TABLE t (v)", [(value,) for value in values])
    table, _ = sql.sample(sql.draft(f"{url}#t"), f"{url}#t", 10)
    assert table.to_pydict() == {"v": sampled}


def test_options_and_clients_are_imported_only_when_a_database_is_opened():
    code = (
        "import sys; import components.sources.sql, schemas.sources;"
        "print({'duckdb', 'adbc_driver_manager'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
