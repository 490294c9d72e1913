"""The section `prepare:` is checked against the columns and the label, before any data is read."""

from __future__ import annotations

import importlib.util

import pytest

from schemas import catalog
from schemas.prepare import Prepare
from tests.unit.schemas.conftest import refusal


def with_rules(folder, rules):
    folder.change("splits:\n", f"prepare:\n{rules}splits:\n")
    return folder


def test_rules_are_read_in_their_short_forms(folder):
    rules = """\
  where: fare > 0 and payment is not null
  required: [fare]
  drop_duplicates: {key: [fare, hour], keep: {last: tips}}
  outliers: {fare: {iqr: 3}, hour: {quantiles: [0.01, 0.99]}, tips: {z: 6}}
  sample: {rates: {"0": 0.1}}
"""
    prepare = catalog.load(str(with_rules(folder, rules))).spec.prepare
    assert prepare.conditions == {"prepare.where": "fare > 0 and payment is not null"}
    assert prepare.drop_duplicates is not None
    assert prepare.drop_duplicates.columns == ("fare", "hour", "tips")
    assert prepare.drop_duplicates.keep.last
    assert list(prepare.in_words()) == [
        "where: fare > 0 and payment is not null",
        "required: fare",
        "one row of each fare, hour: the last by tips",
        "outliers of fare, in training: iqr 3",
        "outliers of hour, in training: quantiles 0.01 to 0.99",
        "outliers of tips, in training: z 6",
        "sample, in training: 0.1 of the rows of '0'",
    ]
    assert Prepare.model_validate_json(prepare.model_dump_json()) == prepare


def test_conditions_have_names(folder):
    spec = catalog.load(
        str(with_rules(folder, "  where: {paid: fare > 0, late: hour > 18}\n"))
    ).spec
    assert [*spec.prepare.conditions] == ["prepare.where.paid", "prepare.where.late"]


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("  were: fare > 0\n", "did you mean 'where'?"),
        ("  where: fair > 0\n", "there is no column 'fair'; did you mean 'fare'?"),
        ("  where: {paid: fare + 1}\n", "its value is number"),
        ("  where: {paid: sum(fare) > 1}\n", "sum is an aggregate"),
        ("  where: {a b: fare > 0}\n", "a rule's name"),
        ("  required: [fares]\n", "did you mean 'fare'?"),
        ("  drop_duplicates: {key: []}\n", "key"),
        ("  drop_duplicates: {key: [fares]}\n", "did you mean 'fare'?"),
        ("  drop_duplicates: {key: [fare], keep: last}\n", "{last: COLUMN}"),
        ("  drop_duplicates: {key: [fare], keep: {last: tip}}\n", "did you mean 'tips'?"),
        ("  outliers: {payment: {iqr: 3}}\n", "outliers cannot take 'payment'"),
        ("  outliers: {fare: {iqr: 3, z: 2}}\n", "one of iqr, quantiles and z"),
        ("  outliers: {fare: {quantiles: [0.9, 0.1]}}\n", "two rising shares"),
        ("  sample: {fraction: 2}\n", "less than 1"),
        ("  sample: {}\n", "one of fraction, rates and share"),
        ('  sample: {rates: {"2": 0.1}}\n', "has no class '2'"),
        ('  sample: {share: {"0": 0.5, "1": 0.5}}\n', "leave nothing"),
    ],
)
def test_an_error_names_the_section_and_what_is_near(folder, rules, says):
    error = refusal(with_rules(folder, rules))
    assert says in str(error)
    assert "pipeline.yaml" in str(error.where)


def test_a_sample_by_class_needs_classes(folder):
    folder.change(
        "  exceeds: {column: tips, fraction: 0.2, of: fare}", "  task: regression\n  column: tips"
    )
    folder.change("    auc: {min: 0.6}", "    rmse: {max: 9}")
    error = refusal(with_rules(folder, '  sample: {rates: {"0": 0.1}}\n'))
    assert "which has no classes" in str(error)


def test_conditions_need_duckdb(folder, monkeypatch):
    with_rules(folder, "  where: fare > 0\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert refusal(folder).remedy == "pip install 'skewless[duckdb]'"
