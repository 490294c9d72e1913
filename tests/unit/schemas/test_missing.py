"""The section `missing:` is checked before any data is read; its keys may be selectors."""

from __future__ import annotations

import pytest

from schemas import catalog
from tests.unit.schemas.conftest import refusal


def with_missing(folder, lines, schema=""):
    folder.schema.write_text(folder.schema.read_text() + schema)
    return folder.change("features:\n", f"missing:\n{lines}features:\n")


def test_a_name_wins_over_a_selector_and_each_has_an_indicator(folder):
    with_missing(folder, "  number: {fill: median, by: payment}\n  hour: {fill: most_frequent}\n")
    spec = catalog.load(str(folder)).spec
    assert {name: each.fill for name, each in spec.missing.items()} == {
        "fare": "median",
        "hour": "most_frequent",
    }
    assert spec.transformed_names[-2:] == ("fare_was_missing", "hour_was_missing")


def test_the_column_of_groups_is_among_those_that_requests_carry(folder):
    folder.change("  payment: vocabulary\n", "")
    folder.change("crosses:\n  - columns: [payment, hour]\n    buckets: 20\n", "")
    with_missing(folder, "  fare: {fill: median, by: payment, indicator: false}\n")
    spec = catalog.load(str(folder)).spec
    assert spec.feature_columns == ("fare", "hour", "payment")


@pytest.mark.parametrize("filling", ["constant, value: 1.5", "most_frequent", "median"])
def test_a_number_with_all_its_digits_is_filled(folder, filling):
    fine = 'feature { name: "fine" type: BYTES float_domain {} }\n'
    with_missing(folder, f"  fine: {{fill: {filling}}}\n", fine)
    folder.change("features:\n", "features:\n  fine: z_score\n")
    assert "fine_was_missing" in catalog.load(str(folder)).spec.transformed_names


def test_columns_that_are_missing_together_have_one_flag(folder):
    entry = "combinations:\n  - missing: {columns: [fare, hour], name: trip_missing}\n"
    folder.change("model:\n", f"{entry}model:\n")
    assert catalog.load(str(folder)).spec.transformed_names[-1] == "trip_missing"


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("  fare: {fill: constant}\n", "needs a value"),
        ("  fare: {fill: mean, value: 3}\n", "no other fill has one"),
        ("  fare: {fill: constant, value: 1, by: payment}\n", "by is for what is learned"),
        ("  fare: {fill: meen}\n", "mean"),
        ("  fare: {fill: constant, value: .nan}\n", "cannot have the value '.nan'"),
        ("  fare: {fill: constant, value: none}\n", "cannot have the value 'none'"),
        ("  hour: {fill: constant, value: 1.5}\n", "cannot have the value '1.5'"),
        ("  hour: {fill: constant, value: 9007199254740993}\n", "cannot have the value"),
        ('  payment: {fill: constant, value: ""}\n', "cannot have the value ''"),
        ("  fare: {fill: constant, value: 1e39}\n", "cannot have the value"),
        ("  fare: {fill: constant, value: nan}\n", "cannot have the value"),
        ("  payment: {fill: mean}\n", "payment"),
        ("  far: {fill: mean}\n", "there is no column 'far'"),
        ("  time: {fill: mean}\n", "matches no column that a treatment takes"),
        ("  miles: {fill: mean}\n", "no treatment takes it"),
        ("  tags: {fill: most_frequent}\n", "tags"),
        ("  fare: {fill: median, by: tips}\n", "tips"),
        ("  fare: {fill: median, by: tags}\n", "tags"),
        ("  fare: {fill: median, by: nothing}\n", "nothing"),
    ],
)
def test_what_cannot_be_filled_is_refused(folder, lines, what):
    schema = 'feature { name: "miles" type: FLOAT }\n'
    schema += 'feature { name: "tags" type: BYTES value_count { max: 9 } }\n'
    with_missing(folder, lines, schema)
    error = refusal(folder)
    assert what in str(error)
    assert "pipeline.yaml" in str(error)


def test_groups_of_a_monotone_column_fill_nothing(folder):
    folder.change("  hour: [vocabulary, z_score]\n", "  hour: piecewise_linear\n")
    folder.change("crosses:\n  - columns: [payment, hour]\n    buckets: 20\n", "")
    folder.change("model:\n", "model:\n  monotone: {hour: increasing}\n")
    with_missing(folder, "  fare: {fill: median, by: hour}\n")
    assert "depend on the monotone column 'hour'" in str(refusal(folder))


@pytest.mark.parametrize(
    "line",
    [
        "fare: {fill: constant, value: -1.5}",
        "fare: {fill: constant, value: 3}",
        "hour: {fill: constant, value: 9007199254740992}",
        "payment: {fill: constant, value: 3}",
        "payment: {fill: constant, value: not given}",
    ],
)
def test_a_constant_has_the_type_of_its_column(folder, line):
    with_missing(folder, f"  {line}\n")
    assert len(catalog.load(str(folder)).spec.missing) == 1
