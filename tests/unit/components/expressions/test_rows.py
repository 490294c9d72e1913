"""DuckDB computes expressions over examples; what is undefined is null."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

from components.expressions.duckdb_sql import query
from components.expressions.rows import RowExpressions, truths
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.expressions import parse
from schemas.expressions.functions import ALIASES, FUNCTIONS

MOST = 2**53
COLUMNS = (
    Column("n", "INT", serving=True),
    Column("f", "FLOAT", serving=True),
    Column("x", "BYTES", serving=True),
    Column("b", "BOOL", serving=True),
    Column("yes", "BOOL_TEXT", serving=True, form=("J", "N")),
    Column("t", "TIME", serving=True, form=("UNIX_SECONDS",)),
    Column("l", "FLOAT", serving=True, most=3),
    Column("ts", "TIME", serving=True, form=("UNIX_SECONDS",), most=3),
    Column("bs", "BOOL", serving=True, most=3),
    Column("a b", "INT", serving=True),
    Column("A B", "INT", serving=True),
)
BATCH = pa.record_batch(
    [
        pa.array([1, -7, None, MOST]),
        pa.array([1.5, -2, None, 0.1], pa.float32()),
        pa.array(["it's", "Äb", None, ""]),
        pa.array([1, 0, None, 1]),
        pa.array(["J", "N", None, "J"]),
        pa.array([0, 10**15, None, -5]),
        pa.array([[1, 2], [], None, [3]], pa.list_(pa.float32())),
        pa.array([[0], [], None, [10**15, 1]]),
        pa.array([[1, 0], [], None, [0]]),
        pa.array([1, 2, 3, 4]),
        pa.array([4, 3, 2, 1]),
    ],
    [column.name for column in COLUMNS],
)


def expressions(*texts):
    parsed = {f"e{i}": parse(text, COLUMNS, where="here") for i, text in enumerate(texts)}
    return RowExpressions(parsed, COLUMNS)


def value(text):
    return expressions(text).values(BATCH)[0].to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n > 1", [False, False, None, True]),
        ("n > 1 or n is null", [False, False, True, True]),
        ("b and not yes", [False, False, None, False]),
        ("b is not true", [False, True, True, False]),
        ("x = 'it''s'", [True, False, None, False]),
        ("x in ('Äb', 'it''s')", [True, True, None, False]),
        ("n in (1, null)", [True, None, None, None]),
        ("n // 2", [0, -3, None, MOST // 2]),
        ("n % 3", [1, -1, None, MOST % 3]),
        ("n / 2", [0.5, -3.5, None, MOST / 2]),
        ("f = 0.1", [False, False, None, False]),  # the float32 nearest to 0.1 is another number
        ("round(f, 1) = 0.1", [False, False, None, True]),
        ("cast(f as bigint)", [2, -2, None, 0]),
        ("case when b then 1 when not yes then 2.5 end", [1.0, 2.5, None, 1.0]),
        ("greatest(n, f)", [1.5, -2.0, None, float(MOST)]),
        ("concat(x, '!')", ["it's!", "Äb!", "!", "!"]),
        ("length(x)", [4, 2, None, 0]),
        ("regexp_extract(x, '(.)b', 1)", ["", "Ä", None, ""]),
        ("t >= '2001-01-01'", [False, True, None, False]),
        ("year(t)", [1970, 2001, None, 1969]),
        ("cast(t - interval 1 day as date) = '1969-12-31'", [True, False, None, False]),
        ("list_sum(l)", [3.0, None, None, 3.0]),
        ("list_sum(bs)", [1, None, None, 0]),
        ("left(x, 5000000000)", ["it's", "Äb", None, ""]),
        ("substring(x, -9, 7)", ["it's", "Äb", None, ""]),
        ("substring(x, 1 - 5000000000)", ["it's", "Äb", None, ""]),
        ("atan2(f - f, -(f - f))", [0.0, 0.0, None, 0.0]),  # a zero has no sign
        ("list_contains(l, 2)", [True, False, None, False]),
        ("list_max(ts) > '2001-01-01'", [False, None, None, True]),
        ("list_contains(bs, 1)", [True, False, None, False]),
        ('"a b" > "A B"', [False, False, True, True]),
    ],
)
def test_values(text, expected):
    assert value(text) == expected


UNDEFINED = (
    *(
        "f / 0",
        "n // 0",
        "n % 0",
        "n * 9223372036854775807 * 2",
    ),
    *("ln(f - f)", "sqrt(-abs(f) - 1)", "asin(f + 9)", "power(-2 - abs(f), 0.3)"),
    *(
        "exp(9e3 + f)",
        "f * 1e308 * 1e308",
        "cast(x as double)",
        "cast('nan' as double) + f",
    ),
)


@pytest.mark.parametrize("text", UNDEFINED)
def test_what_is_undefined_is_null(text):
    assert value(text) == [None] * 4


def test_a_timestamp_is_in_utc():
    assert value("t")[1].isoformat() == "2001-09-09T01:46:40"


def test_several_expressions_are_computed_together_after_pickling():
    both = pickle.loads(pickle.dumps(expressions("n > 1", "f")))
    assert [column.name for column in both.columns] == ["n", "f"]
    assert [each.to_pylist()[:2] for each in both.values(BATCH)] == [[False, False], [1.5, -2.0]]


def test_rows_keep_their_order_in_large_batches():
    rows = 300_000
    batch = pa.record_batch([pa.array(range(rows))], ["n"])
    assert expressions("n + 1").values(batch)[0].equals(pa.array(range(1, rows + 1)))


def test_a_batch_without_rows_has_values_without_rows():
    assert [each.to_pylist() for each in expressions("n", "x").values(BATCH.slice(0, 0))] == [
        [],
        [],
    ]


def test_null_is_not_true():
    assert truths(expressions("n > 1").values(BATCH)[0]).to_pylist() == [False, False, False, True]


def test_a_pattern_that_is_not_a_regular_expression_is_refused():
    with pytest.raises(ConfigError, match="regexp_matches"):
        expressions("regexp_matches(x, '(')").check(where="pipeline.yaml")
    expressions("regexp_matches(x, 'a')").check(where="pipeline.yaml")


ARGUMENTS = {
    "and": "b and yes",
    "or": "b or yes",
    "not": "not b",
    "is null": "x is null",
    "is not distinct from": "n is not distinct from 1",
    **{
        name: f"n {name} 2"
        for name in ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%")
    },
    "in": "n in (1)",
    "negative": "-n",
    "like": "x like 'a'",
    "ilike": "x ilike 'a'",
    "||": "x || 'a'",
    "atan2": "atan2(f, n)",
    "power": "power(f, n)",
    "nullif": "nullif(f, n)",
    "pi": "pi() * n",
    **{
        f: f"{f}(x, 'a')"
        for f in ("regexp_matches", "regexp_full_match", "regexp_extract", "instr")
    },
    **{f: f"{f}(x, 'a')" for f in ("contains", "starts_with", "ends_with", "concat")},
    **{f: f"{f}(x, 'a', 'b')" for f in ("regexp_replace", "replace")},
    **{f: f"{f}(x)" for f in ("lower", "upper", "reverse", "trim", "ltrim", "rtrim", "length")},
    **{f: f"{f}(x, 1)" for f in ("substring", "left", "right")},
    "split_part": "split_part(x, 'a', 1)",
    "date_part": "date_part('year', t)",
    "date_trunc": "date_trunc('year', t)",
    "date_diff": "date_diff('year', t, t)",
    "epoch": "epoch(t)",
    "list_contains": "list_contains(l, 1)",
    **{f: f"{f}(l)" for f in ("list_min", "list_max", "list_sum")},
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_computed_with_the_type_that_the_tree_has(name):
    expression = parse(ARGUMENTS.get(name, f"{name}(f)"), COLUMNS, where="here")
    found = RowExpressions({"e": expression}, COLUMNS).values(BATCH)[0]
    types = {"boolean": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}
    types |= {"text": pa.string(), "timestamp": pa.timestamp("us")}
    assert found.type == types[expression.type.name]


@pytest.mark.parametrize("name", sorted(ALIASES))
def test_an_alias_gives_the_same_sql(name):
    other = ALIASES[name]
    arguments = (
        "(n, 2)" if other == "%" else ARGUMENTS.get(other, f"{other}(f)").removeprefix(other)
    )
    alias = parse(name + arguments, COLUMNS, where="here")
    written = "n % 2" if other == "%" else other + arguments
    names = {column.name: column.name for column in COLUMNS}
    other_tree = parse(written, COLUMNS, where="here").tree
    assert query([alias.tree], names, "t") == query([other_tree], names, "t")


def test_a_query_grows_with_the_expression_and_not_faster():
    def written(depth):
        text = "f"
        for _ in range(depth):
            text = f"sqrt({text} / 3 + 1)"
        return query([parse(text, COLUMNS, where="here").tree], {"f": "c0"}, "t")

    assert len(written(20)) - len(written(15)) == len(written(25)) - len(written(20))
    assert value("+".join(["f"] * 50))[0] == 75.0
