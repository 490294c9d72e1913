"""SQL expressions are parsed into typed trees, and errors name what is wrong and what is near."""

from __future__ import annotations

import pickle

import pytest

from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.expressions import ColumnValue, Constant, FunctionCall, parse
from schemas.expressions.functions import ALIASES, FUNCTIONS, CallSignature
from schemas.expressions.tree import rebuilt, walk
from schemas.expressions.value_types import (
    BOOLEAN,
    DATE,
    INTEGER,
    INTERVAL,
    NUMBER,
    TEXT,
    TIMESTAMP,
    common,
    list_of,
    type_of,
)

COLUMNS = (
    Column("trips", "INT", serving=True),
    Column("fare", "FLOAT", serving=True),
    Column("company", "BYTES", serving=True),
    Column("paid", "BOOL", serving=True),
    Column("churn", "BOOL_TEXT", serving=True, form=("yes", "no")),
    Column("start", "TIME", serving=True, form=("UNIX_SECONDS",)),
    Column("tags", "BYTES", serving=True, most=9),
    Column("address.city", "BYTES", serving=True),
    Column("order", "INT", serving=True),
)


def read(text, **options):
    return parse(text, COLUMNS, where="pipeline.yaml: prepare.where", **options)


def tree(text, **options):
    return read(text, **options).tree


FARE, TRIPS = ColumnValue("fare", NUMBER), ColumnValue("trips", INTEGER)


def test_an_expression_has_its_columns_in_order_and_its_type():
    expression = read("fare > trips and company = 'x' or fare is null")
    assert expression.columns == ("fare", "trips", "company")
    assert expression.type == BOOLEAN
    assert pickle.loads(pickle.dumps(expression)) == expression


def test_each_kind_of_column_has_a_type():
    assert [type_of(column) for column in COLUMNS[:7]] == [
        *(INTEGER, NUMBER, TEXT, BOOLEAN, BOOLEAN, TIMESTAMP, list_of(TEXT))
    ]


def test_conversions_are_nodes_of_the_tree():
    assert tree("fare > trips") == FunctionCall(
        ">", (FARE, FunctionCall("cast", (TRIPS,), NUMBER)), BOOLEAN
    )
    assert tree("fare > 1") == FunctionCall(">", (FARE, Constant(1.0, NUMBER)), BOOLEAN)
    assert tree("trips > 1") == FunctionCall(">", (TRIPS, Constant(1, INTEGER)), BOOLEAN)
    assert tree("trips > null").arguments[1] == Constant(None, INTEGER)


def test_operators_have_one_spelling():
    assert tree("not fare is null") == tree("fare is not null") == tree("fare notnull")
    assert tree("fare between 1 and 2") == tree("fare >= 1 and fare <= 2")
    assert tree("fare ** 2") == tree("fare ^ 2") == tree("pow(fare, 2)")
    assert tree("case when paid then 1 else 2 end") == tree("if(paid, 1, 2)")
    assert (
        tree("extract(year from start)") == tree("year(start)") == tree("date_part('year', start)")
    )
    assert tree("company not like 'a%'") == tree("not (company like 'a%')")
    assert tree("trips != 1") == tree("trips <> 1")
    assert tree("CASE trips WHEN 1 THEN 2 END") == tree("case when trips = 1 then 2 end")
    assert tree("paid is true") == tree("coalesce(paid, false)")
    assert tree("LOWER(company) = 'x' -- a comment") == tree("lower(company) = 'x'")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("trips + 1", INTEGER),
        ("trips + 1.5", NUMBER),
        ("trips / 2", NUMBER),
        ("trips // 2", INTEGER),
        ("-fare", NUMBER),
        ("coalesce(trips, fare, 0)", NUMBER),
        ("nullif(company, '')", TEXT),
        ("case when paid then null when churn then 1 end", INTEGER),
        ("company || '!'", TEXT),
        ("start + interval 3 hours", TIMESTAMP),
        ("cast(start as date)", DATE),
        ("start::date", DATE),
        ("date_trunc('day', start)", TIMESTAMP),
        ("date_diff('day', '2024-01-01', start)", INTEGER),
        ("try_cast(company as double)", NUMBER),
        ("length(tags)", INTEGER),
        ("list_max(tags)", TEXT),
        ("list_contains(tags, 'a')", BOOLEAN),
        ("address.city in ('a', 'b')", BOOLEAN),
        ('"order" > 1', BOOLEAN),
        ("not paid or churn", BOOLEAN),
    ],
)
def test_the_type_follows_from_the_arguments(text, kind):
    assert read(text).type == kind


def test_texts_stand_for_times_beside_a_time():
    day = Constant(86_400_000_000, TIMESTAMP)
    for text in ("1970-01-02", "1970-01-02T00:00:00Z", "1970-01-02T02:00:00+02:00"):
        assert tree(f"start >= '{text}'").arguments[1] == day
    assert tree("start >= timestamp '1970-01-02'").arguments[1] == day
    assert tree("start in ('1970-01-02', null)").arguments[1] == day
    assert tree("start::date = date '1970-01-02'").arguments[1] == Constant(1, DATE)
    assert tree("start - interval '2 days'").arguments[1] == Constant(172_800_000_000, INTERVAL)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fair > 1", "there is no column 'fair'; did you mean 'fare'?"),
        ("FARE > 1", "did you mean 'fare'?"),
        ('company = "Cash"', "write texts in single quotes"),
        ("lowr(company) = 'a'", "did you mean 'lower'?"),
        ("sum(fare) > 1", "sum is an aggregate"),
        ("count(*) > 1", "count is an aggregate"),
        ("company > 1", "> cannot take text and the integer 1"),
        ("paid = 1", "a boolean column is a condition by itself"),
        ("churn = 'yes'", "a boolean column is a condition by itself"),
        ("trips and paid", "boolean and boolean"),
        ("company like company", "text like constant text"),
        ("date_part('yeer', start) = 1", "did you mean 'year'?"),
        ("start > 'yesterday'", "'yesterday' is not a time"),
        ("cast(fare as decimal(3, 1)) > 1", "boolean, bigint, double, varchar, timestamp or date"),
        ("cast(tags as bigint) > 1", "list of texts cannot be cast to integer"),
        ("trips in (select 1)", "`in` has something else"),
        ("trips = (select 1)", "is not for a row (Subquery)"),
        ("row_number() over () > 1", "is not for a row (Window)"),
        ("select trips", "is not for a row (Select)"),
        ("tags = 'x'", "cannot take list of texts"),
        ("start + interval 1 month > start", "is not an interval of constant length"),
        ("trips > 99999999999999999999", "does not fit 64 bits"),
        ("trips > 1e999", "is not finite"),
        ("case when trips then 1 end", "a condition of CASE is integer"),
        ("if(paid, 1, 'x')", "CASE has values that are the integer 1 and the text 'x'"),
        ("trips is 5", "null, true or false"),
        ("trips between symmetric 2 and 1", "between symmetric"),
        ("fare >", "it cannot be read after 'fare >'"),
        ("company = 'x", "a quote or a comment is not closed"),
        ("fare > 1; trips > 1", "one expression"),
        ("", "one expression"),
        ("1 < 2", "it uses no column"),
        ("fare fare", "is not for a row (Alias)"),
        ("(" * 4_000 + "paid" + ")" * 4_000, "nested too deeply"),
        ("paid and " * 2_000 + "paid", "at most 10,000"),
    ],
)
def test_an_error_says_what_is_wrong(text, says):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert says in str(caught.value)
    assert caught.value.where == "pipeline.yaml: prepare.where"


def test_a_value_of_another_type_than_needed_is_refused():
    assert read("paid", needs=BOOLEAN).type == BOOLEAN
    assert tree("trips", needs=NUMBER) == FunctionCall("cast", (TRIPS,), NUMBER)
    with pytest.raises(ConfigError, match="its value is number"):
        read("fare", needs=BOOLEAN)


def test_more_functions_can_be_allowed():
    extra = {
        "mean": (CallSignature((NUMBER,), NUMBER),),
        "count": (CallSignature((), INTEGER), CallSignature((TEXT,), INTEGER)),
        "count distinct": (CallSignature((TEXT,), INTEGER),),
    }
    found = read(
        "mean(trips) > 1 and count(*) > count(distinct company)", needs=BOOLEAN, functions=extra
    )
    calls = [node.function for node in walk(found.tree) if isinstance(node, FunctionCall)]
    assert calls == ["and", ">", "mean", "cast", ">", "count", "count distinct"]

    def aggregated(node):
        return FARE if isinstance(node, FunctionCall) and node.function in extra else None

    assert not {"mean", "count"} & {
        getattr(node, "function", "") for node in walk(rebuilt(found.tree, aggregated))
    }


def test_every_alias_is_of_a_function():
    assert set(ALIASES.values()) <= set(FUNCTIONS)
    assert len(FUNCTIONS) >= 60


def test_a_common_type_does_not_depend_on_the_order():
    for types in ([INTEGER, NUMBER], [NUMBER, INTEGER]):
        assert common(types) == NUMBER
    assert common([DATE, TIMESTAMP]) == TIMESTAMP
    assert common([TEXT, INTEGER]) is None
