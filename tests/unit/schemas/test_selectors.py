"""Selectors of `features:`: which columns each one decides, in which order, and what is refused."""

from __future__ import annotations

import pytest

from schemas import catalog
from tests.unit.schemas.conftest import refusal

FEATURES = """\
features:
  fare:
    - z_score:
        log1p: true
    - quantile_buckets: {buckets: 4}
  hour: [vocabulary, z_score]
  payment: vocabulary
"""
MORE = """\
feature { name: "miles" type: FLOAT }
feature { name: "trip_id" type: INT }
feature { name: "paid" type: INT bool_domain {} }
feature { name: "seen" type: INT time_domain { integer_format: UNIX_SECONDS } }
feature { name: "tags" type: BYTES value_count { max: 9 } }
"""


def load(folder, features, schema=MORE, derive="", key="hour"):
    folder.change("key: [fare, hour]", f"key: [{key}]")
    folder.schema.write_text(folder.schema.read_text() + schema)
    folder.change(FEATURES, f"{derive}features:\n{features}")
    return catalog.load(str(folder))


def received(dataset):
    """Return the kinds of treatments of each column, in the order of features."""
    return {f.column: [t.kind for t in f.treatments] for f in dataset.spec.features}


@pytest.mark.parametrize(("key", "selected"), [("hour", set()), ("hour, fare", {"hour"})])
def test_a_key_of_one_column_is_skipped(folder, key, selected):
    dataset = load(folder, "  number: z_score\n", key=key)
    assert received(dataset).keys() & {"hour"} == selected


def test_a_name_wins_over_an_expression_over_a_type_over_all(folder):
    dataset = load(
        folder,
        '  "*": hash\n  number: z_score\n  /_id$/: drop\n  seen: date_parts\n  text: vocabulary\n',
        MORE.replace('name: "tags" type: BYTES value_count { max: 9 }', 'name: "x_id" type: BYTES'),
    )
    assert received(dataset) == {
        "paid": ["hash"],
        "miles": ["z_score"],
        "seen": ["date_parts"],
        "payment": ["vocabulary"],
    }
    assert {name: (r.key, r.line) for name, r in dataset.rules.items() if not r.skipped} == {
        "paid": ("*", 10),
        "miles": ("number", 11),
        "trip_id": ("/_id$/", 12),
        "x_id": ("/_id$/", 12),
        "seen": ("seen", 13),
        "payment": ("text", 14),
    }


def test_every_type_has_a_selector(folder):
    dataset = load(
        folder,
        "  time: date_parts\n  list: length\n  boolean: vocabulary\n  number: z_score\n",
        f'{MORE}feature {{ name: "fine" type: BYTES float_domain {{}} }}\n',
        derive="derive: {per_mile: 'fare / miles', tip_share: 'tips / fare'}\n",
    )
    assert received(dataset) == {
        "seen": ["date_parts"],
        "tags": ["length"],
        "paid": ["vocabulary"],
        **{key: ["z_score"] for key in ("miles", "trip_id", "fine", "per_mile")},
    }


def test_columns_of_other_sections_are_taken_by_name_alone(folder):
    dataset = load(folder, "  number: z_score\n  hour: vocabulary\n")
    assert list(received(dataset)) == ["miles", "trip_id", "hour"]
    passed = {name: rule.skipped for name, rule in dataset.rules.items() if rule.skipped}
    assert passed == {"fare": "is part of the label", "tips": "is part of the label"}


def test_of_two_expressions_the_first_one_counts(folder):
    dataset = load(folder, "  /s$/: rank\n  /^mi/: z_score\n", MORE.replace("tags", "tag"))
    assert received(dataset) == {"miles": ["rank"]}


def test_a_column_with_the_name_of_a_type_is_that_column(folder):
    schema = 'feature { name: "time" type: FLOAT }\nfeature { name: "text" type: BYTES }\n'
    dataset = load(folder, "  time: z_score\n  /^te/: hash\n", schema)
    assert received(dataset) == {"time": ["z_score"], "text": ["hash"]}


def test_a_wide_table_needs_a_line(folder):
    wide = "".join(f'feature {{ name: "n{i}" type: FLOAT }}\n' for i in range(500))
    dataset = load(folder, "  number: [z_score, piecewise_linear]\n", wide)
    assert len(dataset.spec.features) == 500


@pytest.mark.parametrize(
    ("features", "line", "said"),
    [
        ("  hour: z_score\n  /_key$/: drop\n", 11, "the selector '/_key$/' matches no column"),
        ("  /^tips$/: rank\n", 10, "no column that is free: tips is part of the label"),
        ("  /(/: drop\n", 10, "/(/ is not a regular expression"),
        ("  numbr: z_score\n", 10, "there is no column 'numbr' in schema.pbtxt; did you mean 'nu"),
        ('  hour: z_score\n  "*": z_score\n', 11, "z_score cannot take 'payment', which is BYTES"),
        ("  list: z_score\n", 10, "z_score cannot take 'tags', which is BYTES"),
        ("  number: [vocabulary: {tpo_k: 5}]\n", 10, "unknown key 'tpo_k'"),
    ],
)
def test_an_error_names_the_line_of_the_selector(folder, features, line, said):
    folder.schema.write_text(folder.schema.read_text() + MORE)
    folder.change(FEATURES, f"features:\n{features}")
    error = refusal(folder)
    assert said in error.what
    assert f"pipeline.yaml:{line}:" in f"{error.where} {error.what}"


def test_dropping_every_column_is_refused(folder):
    folder.change(FEATURES, 'features: {"*": drop}\n')
    assert refusal(folder).what == "no column becomes a feature"


def test_an_asterisk_without_quotes_is_explained(folder):
    folder.change(FEATURES, "features: {*: drop}\n")
    assert '"*" in quotes' in refusal(folder).remedy
