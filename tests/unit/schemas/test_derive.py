"""The section `derive:` is parsed, typed and checked before any data is read."""

from __future__ import annotations

import pytest

from schemas import catalog
from schemas.columns import Column, read_columns, with_inputs
from schemas.columns import dumps as dumps_columns
from schemas.columns import loads as loads_columns
from schemas.derive import read_derived
from schemas.derived import needed, of_plain, plain, raw_names
from schemas.errors import ConfigError
from schemas.expressions import parse
from schemas.expressions.tree_json import dumps, loads
from schemas.types import TYPES
from tests.unit.schemas.conftest import refusal

COLUMNS = (
    Column("hour", "INT", serving=True),
    Column("fare", "FLOAT", serving=True),
    Column("payment", "BYTES", serving=True),
    Column("member", "BOOL_TEXT", serving=True, form=("yes", "no")),
    Column("seen", "TIME", serving=True, form=("UNIX_SECONDS",)),
    Column("tags", "BYTES", serving=True, most=9),
    Column("ids", "INT", serving=True, most=9),
)


def derived(**texts):
    return read_derived(texts, COLUMNS, where="pipeline.yaml")


def with_derived(folder, lines, used="per_hour"):
    folder.change("features:\n", f"derive:\n{lines}features:\n  {used}: z_score\n")
    return folder


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("fare / 2", "FLOAT"),
        ("hour + 1", "INT"),
        ("upper(payment)", "BYTES"),
        ("fare > 2", "BOOL"),
        ("date_trunc('day', seen)", "TIME"),
        ("cast(seen as date)", "TIME"),
        ("list_max(ids)", "INT"),
    ],
)
def test_a_column_has_the_type_of_its_expression(text, kind):
    (found,) = derived(x=text)
    assert found.kind == kind
    assert found.column.type is TYPES[kind]


def test_a_column_may_use_those_above_it():
    found = derived(a="fare / 2", b="a + hour", c="payment")
    assert [each.inputs for each in found] == [("fare",), ("a", "hour"), ("payment",)]
    assert raw_names(found, ["b", "hour", "payment"]) == ("fare", "hour", "payment")
    assert [each.name for each in needed(found, ["b"])] == ["a", "b"]
    assert of_plain(plain(found)) == found


def test_a_column_cannot_use_itself_or_those_below_it():
    with pytest.raises(ConfigError, match=r"'b' before it is defined[\s\S]*move b up"):
        derived(a="b + 1", b="fare")
    with pytest.raises(ConfigError, match="there is no column 'a'"):
        derived(a="a + 1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("reverse(payment)", "several code points"),
        ("payment < 'b'", "does not order texts"),
        ("greatest(payment, 'b')", "does not order texts"),
        ("list_max(tags)", "does not order texts"),
        ("cast(fare as text)", "cast of number to text"),
        ("cast(payment as bigint)", "cast of text to integer"),
        ("cast(payment as timestamp)", "cast of text to timestamp"),
        ("contains(payment, payment)", "argument 2 is not a constant"),
        ("replace(payment, 'a', payment)", "argument 3 is not a constant"),
        ("split_part(payment, '', 1)", "empty separator"),
        ("case when hour > 1 then null end", "which no column is"),
        ("ids", "list of integers, which no column is"),
        ("seen + interval 20000 week", "longer than 285 years"),
    ],
)
def test_what_the_graph_cannot_compute_is_refused_with_the_reason(text, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        derived(x=text)
    assert caught.value.where == "pipeline.yaml: derive.x"


@pytest.mark.parametrize(
    "text",
    [
        "case when member then fare else null end",
        "regexp_extract(payment, 'a(b)', 1) in ('x', null)",
        "seen + interval 3 hour > '2024-01-01'",
        "list_contains(tags, 'a') and not member",
    ],
)
def test_a_tree_is_the_same_after_json(text):
    tree = parse(text, COLUMNS, where="here").tree
    assert loads(dumps(tree)) == tree


def test_a_boolean_of_two_texts_is_compared_with_the_text_for_true():
    (found,) = derived(x="not member")
    assert '{"constant": "yes", "type": "text"}' in found.tree


def test_features_and_crosses_take_derived_columns(folder):
    with_derived(folder, "  per_hour: fare / hour\n  is_late: hour > 20\n")
    folder.change("[payment, hour]", "[payment, is_late]")
    dataset = catalog.load(str(folder))
    assert [each.name for each in dataset.derived] == ["per_hour", "is_late"]
    assert "payment_x_is_late" in dataset.spec.transformed_names


def test_a_treatment_refuses_a_derived_column_of_another_type(folder):
    with_derived(folder, "  per_hour: lower(payment)\n")
    assert "z_score cannot take 'per_hour', which is BYTES" in refusal(folder).what


def test_what_is_not_known_when_serving_stays_unknown(folder):
    with_derived(folder, "  half: tips / 2\n  per_hour: half / hour\n")
    assert "'tips' is not known when serving" in refusal(folder).what


def test_the_answer_cannot_be_derived_into_a_feature(folder):
    with_derived(folder, "  per_hour: tips / hour\n")
    folder.schema.write_text(
        folder.schema.read_text().replace(' not_in_environment: "SERVING"', "")
    )
    assert "'tips' is what the label is made from" in refusal(folder).what


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("fare", "schema.pbtxt has it, too"),
        ("per hour", "letters, digits and _"),
        ("skewless_origin", "taken by a column that the run adds"),
    ],
)
def test_names_that_are_taken_or_impossible_are_refused(folder, name, problem):
    with_derived(folder, f"  {name}: hour + 1\n", used="per_hour" if name == "fare" else name)
    assert problem in refusal(folder).what


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("slices: [payment]", "slices: [per_hour]"),
        ("key: [fare, hour]", "key: [per_hour]"),
        ("column: tips, fraction: 0.2, of: fare", "column: tips, fraction: 0.2, of: per_hour"),
        ("splits:\n", "prepare: {required: [per_hour]}\nsplits:\n"),
        ("splits:\n", "prepare: {outliers: {per_hour: {iqr: 3}}}\nsplits:\n"),
        ("splits:\n", "prepare: {drop_duplicates: {key: [per_hour]}}\nsplits:\n"),
        ("splits:\n", "prepare: {where: per_hour > 1}\nsplits:\n"),
        ("splits:\n", "validation: {rules: {dear: per_hour < 9}}\nsplits:\n"),
        ("splits:\n", "validation: {rules: {dear: mean(per_hour) < 9}}\nsplits:\n"),
    ],
)
def test_sections_that_read_examples_have_their_derived_columns_stored(folder, old, new):
    with_derived(folder, "  fares: fare * 2\n  per_hour: fares / hour\n  other: hour + 1\n")
    folder.change(old, new)
    dataset = catalog.load(str(folder))
    stored = [column for column in dataset.columns if column.is_derived]
    assert [(each.name, each.inputs) for each in stored] == [
        ("fares", ("fare",)),
        ("per_hour", ("fares", "hour")),
    ]
    assert not any(each.serving for each in stored)
    assert read_columns(dataset.schema_text, where="")[-1].name == "per_hour"
    assert loads_columns(dumps_columns(dataset.columns)) == dataset.columns
    assert [each.name for each in with_inputs(dataset.columns, ["per_hour"])] == [
        *("fare", "hour", "fares", "per_hour")
    ]


def test_features_alone_store_nothing(folder):
    with_derived(folder, "  per_hour: fare / hour\n")
    assert not any(each.is_derived for each in catalog.load(str(folder)).columns)


@pytest.mark.parametrize(
    ("text", "task"), [("tips > 0.2 * fare", "binary"), ("tips / fare", "regression")]
)
def test_a_label_may_be_derived(folder, text, task):
    with_derived(folder, f"  answer: {text}\n", used="payment")
    folder.change("  payment: vocabulary\n", "")
    folder.change("  name: big_tip\n", "")
    folder.change("exceeds: {column: tips, fraction: 0.2, of: fare}", "column: answer")
    folder.change("evaluation:\n  thresholds:\n    auc: {min: 0.6}\n", "evaluation:\n")
    folder.change("payment: z_score", "payment: vocabulary")
    assert catalog.load(str(folder)).spec.label.task == task
    folder.change("hour: [vocabulary, z_score]", "answer: vocabulary")
    assert "is not known when serving" in refusal(folder).what


def test_a_label_that_requests_can_compute_is_refused(folder):
    with_derived(folder, "  answer: fare > 9\n", used="payment")
    folder.change("  payment: vocabulary\n", "")
    folder.change("payment: z_score", "payment: vocabulary")
    folder.change("exceeds: {column: tips, fraction: 0.2, of: fare}", "column: answer")
    assert "'answer' is computed from fare, which requests have" in refusal(folder).what
