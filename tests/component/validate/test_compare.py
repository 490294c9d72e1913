"""Drift against other data: measured always, and found above the schema's threshold."""

import pytest

from components.validate import anomalies, span_statistics, statistics, stored
from components.validate.comparisons import ComparedRows, MeasuredRows
from components.validate.files import WHOLE
from components.validate.findings import Severity
from schemas.columns import parse_schema

pytestmark = pytest.mark.component

CASH, CARD = "Cash", "Credit Card"


@pytest.fixture
def measured(tmp_path, examples_of, schema_text):
    """Measure examples with shares of cash payments, all rows as one, and by split."""
    (tmp_path / "schema.pbtxt").write_text(schema_text)
    schema = parse_schema(schema_text, where="schema.pbtxt")

    def measure(cash, *, of=400):
        columns = {
            "payment": [CASH] * cash + [CARD] * (of - cash),
            "fare": [1.0] * of,
            "hour": [1] * of,
            "tips": [0.0] * of,
        }
        examples = examples_of(train=columns, eval=columns, test=columns)
        folders = [str(tmp_path / f"{cash}-{of}-{name}") for name in ("whole", "splits")]
        span_statistics.measure(examples=examples, schema=schema, output=folders[0], whole=WHOLE)
        statistics.generate(examples=examples, schema=schema, output=folders[1])
        return examples, *folders

    return measure


@pytest.fixture
def validated(tmp_path):
    def validate(examples, splits, *comparisons):
        return anomalies.validate(
            statistics_dir=splits,
            examples=examples,
            schema_path=str(tmp_path / "schema.pbtxt"),
            output=str(tmp_path / "anomalies"),
            comparisons=comparisons,
        )

    return validate


def between(current, before, severity: Severity = "error"):
    of, against = (MeasuredRows(folder, WHOLE) for folder in (current, before))
    return ComparedRows("span 2", "span 1", of, against, severity)


def test_all_splits_are_measured_as_one(measured):
    _, whole, _ = measured(200)
    assert stored.load(whole, WHOLE).datasets[0].num_examples == 1200


def test_a_drift_is_found_with_the_names_of_both(measured, validated):
    before = measured(200)[1]
    examples, whole, splits = measured(280)
    found = validated(examples, splits, between(whole, before))
    (drift,) = (each for each in found.drift if each.against == "span 1")
    assert (drift.column, drift.split, drift.threshold) == ("payment", "span 2", 0.1)
    assert drift.value == pytest.approx(0.2)
    (finding,) = found.findings
    assert (finding.split, finding.severity) == ("span 2", "error")
    assert finding.what == "drift from span 1"
    assert finding.expected == "no share differs from span 1's by more than 0.1"


def test_a_drift_below_its_threshold_is_measured_and_not_found(measured, validated):
    before = measured(200)[1]
    examples, whole, splits = measured(220)
    found = validated(examples, splits, between(whole, before))
    assert [d.value for d in found.drift if d.against == "span 1"] == [pytest.approx(0.05)]
    assert found.findings == ()


def test_a_drift_that_stops_nothing_is_a_warning(measured, validated):
    before = measured(200)[1]
    examples, whole, splits = measured(280)
    (finding,) = validated(examples, splits, between(whole, before, "warning")).findings
    assert finding.severity == "warning"


def test_other_anomalies_of_a_span_are_left_to_the_splits(measured, validated, tmp_path):
    before = measured(200)[1]
    examples, whole, splits = measured(220)
    schema = tmp_path / "schema.pbtxt"
    schema.write_text(schema.read_text().replace('value: "Cash" ', ""))
    findings = validated(examples, splits, between(whole, before)).findings
    assert {finding.split for finding in findings} == {"train", "eval", "test"}


def test_a_span_without_rows_is_compared_with_nothing(measured, validated):
    nothing = measured(0, of=0)[1]
    examples, whole, splits = measured(200)
    found = validated(examples, splits, between(nothing, whole))
    assert all(each.against == "train" for each in found.drift)
