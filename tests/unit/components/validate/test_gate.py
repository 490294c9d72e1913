import logging
from collections.abc import Iterator

import pytest

from components.ingest.counts import Counts
from components.progress import LOGGER, Event
from components.validate.findings import RULE, Finding, Findings
from components.validate.gate import check, merge_environments, stoppers
from schemas.errors import DataError
from schemas.validation import Validation

ROWS = {"train": 70, "eval": 15, "test": 15}


def finding(**changes: str) -> Finding:
    fields = {
        "split": "train",
        "environment": "TRAINING",
        "column": "payment_type",
        "severity": "error",
        "kind": "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "what": "unknown category",
        "expected": "one of: Cash, Credit Card",
        "seen": "Bitcoin (~16%)",
        "fix": 'schema.pbtxt:11 string_domain "payment_type": add the new values',
    }
    return Finding.model_validate({**fields, **changes})


def counts(read: int, rejected: dict[str, int]) -> Counts:
    kept = read - sum(rejected.values())
    return Counts(
        records_read=read,
        examples={"train": kept, "eval": 0, "test": 0},
        records_rejected=read - kept,
        rejected_by_reason=rejected,
    )


def gate(
    *findings: Finding,
    counts: Counts | None = None,
    validation: Validation | None = None,
    allow: bool = False,
) -> None:
    check(
        found=Findings(rows=ROWS, findings=findings),
        findings_dir="/runs/anomalies",
        counts=counts,
        examples="/runs/examples",
        validation=validation or Validation(),
        allow_anomalies=allow,
    )


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """The events of the gate."""
    seen: list[Event] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(vars(record)["event"])

    handler, level = Keep(), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    yield seen
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)


def test_data_without_findings_pass_in_silence(events: list[Event]) -> None:
    gate(counts=counts(100, {}))
    gate(counts=None)
    assert events == []


@pytest.mark.parametrize(
    ("severity", "stop_at", "stops"),
    [
        ("error", "error", True),
        ("error", "warning", True),
        ("error", "never", False),
        ("warning", "error", False),
        ("warning", "warning", True),
        ("warning", "never", False),
    ],
)
def test_severity_stops_at_or_above_the_limit(severity: str, stop_at: str, stops: bool) -> None:
    validation = Validation.model_validate({"stop_at": stop_at})
    if stops:
        with pytest.raises(DataError, match="payment_type"):
            gate(finding(severity=severity), validation=validation)
    else:
        gate(finding(severity=severity), validation=validation)


def test_the_refusal_has_what_where_expected_seen_and_a_remedy() -> None:
    with pytest.raises(DataError) as refused:
        gate(
            finding(),
            finding(environment="SERVING"),
            finding(split="eval", seen="Bitcoin (~7%)"),
            finding(
                column="fare",
                kind="FLOAT_TYPE_SMALL_FLOAT",
                what="value too small",
                expected="at least 0",
                seen="-3",
                fix='schema.pbtxt:5 feature "fare": lower the domain\'s min',
            ),
        )
    assert str(refused.value) == (
        """\
the data are not what schema.pbtxt says: 3 anomalies

  severity  column        where  what              expected                   seen
  error     fare          train  value too small   at least 0                 -3
  error     payment_type  train  unknown category  one of: Cash, Credit Card  Bitcoin (~16%)
  error     payment_type  eval   unknown category  one of: Cash, Credit Card  Bitcoin (~7%)

  where:     /runs/anomalies/findings.json
  expected:  no anomaly of severity 'error' or above (validation.stop_at)
  to do:     correct the data, or, where they are right, widen the schema:
               schema.pbtxt:5 feature "fare": lower the domain's min
               schema.pbtxt:11 string_domain "payment_type": add the new values
             or run again with --allow-anomalies, which is recorded"""
    )


def test_a_broken_rule_stops_the_run_and_names_what_to_change() -> None:
    with pytest.raises(DataError) as refused:
        gate(finding(kind=RULE, column="rule fares", fix="pipeline.yaml validation.rules: change"))
    assert "the data are not what schema.pbtxt and validation.rules say" in refused.value.what
    assert refused.value.remedy is not None
    assert "widen the schema or the rules:" in refused.value.remedy


def test_the_worst_come_first_then_columns_and_splits_in_their_order() -> None:
    found = [
        finding(severity="warning", column="a"),
        finding(column="b", split="test"),
        finding(column="b", split="train"),
        finding(column="a", split="eval"),
    ]
    ordered = stoppers(found, Validation(stop_at="warning"))
    assert [(f.severity, f.column, f.split) for f in ordered] == [
        ("error", "a", "eval"),
        ("error", "b", "train"),
        ("error", "b", "test"),
        ("warning", "a", "train"),
    ]


def test_problems_of_requests_alone_are_listed_separately() -> None:
    merged = merge_environments(
        [
            finding(column="a"),
            finding(column="a", environment="SERVING"),
            finding(column="tips"),
            finding(column="device", environment="SERVING"),
        ]
    )
    assert [(f.column, where) for f, where in merged] == [
        ("a", "train"),
        ("tips", "train"),
        ("device", "train as requests"),
    ]


def test_many_findings_are_cut_with_their_number() -> None:
    many = [finding(column=f"c{i:02}", fix=f"schema.pbtxt:{i + 1}") for i in range(42)]
    with pytest.raises(DataError) as refused:
        gate(*many)
    text = str(refused.value)
    assert "42 anomalies" in text
    assert "c29" in text
    assert "c30" not in text
    assert text.count("… and 12 more") == 2


def test_too_many_rejected_records_stop_with_counts_by_reason() -> None:
    with pytest.raises(DataError) as refused:
        gate(counts=counts(10_000, {"too few fields": 1, "no integer": 1_200}))
    assert str(refused.value) == (
        """\
1,201 of 10,000 records (12.01 %) were rejected

  records  reason
  1,200    no integer
  1        too few fields

  where:     /runs/examples/rejects/*.parquet (line, column, value, reason)
  expected:  at most 1 % (validation.max_rejected_fraction)
  to do:     correct the records, or the types in schema.pbtxt, or source.null_values, or raise \
validation.max_rejected_fraction
             or run again with --allow-anomalies, which is recorded"""
    )


def test_rejected_records_up_to_the_limit_pass() -> None:
    gate(counts=counts(100, {"no integer": 1}))
    with pytest.raises(DataError):
        gate(counts=counts(100, {"no integer": 2}))
    gate(counts=counts(0, {}))


def test_both_reasons_are_reported_at_once() -> None:
    with pytest.raises(DataError) as refused:
        gate(finding(), counts=counts(10, {"no integer": 5}))
    text = str(refused.value)
    assert "Bitcoin" in text
    assert "5 of 10 records (50 %)" in text
    assert text.count("--allow-anomalies") == 1


def test_a_person_may_let_all_through_and_each_is_noted(events: list[Event]) -> None:
    gate(finding(), finding(environment="SERVING"), counts=counts(10, {"x": 5}), allow=True)
    noted = {key: value for event in events for key, value in event.values.items()}
    assert {(event.stage, event.kind) for event in events} == {("gate", "note")}
    assert noted == {
        "allowed_by_a_person": "--allow-anomalies",
        "let_through": 2,
        "let_through_1": "error: payment_type in train: unknown category; "
        "expected one of: Cash, Credit Card; seen Bitcoin (~16%)",
        "let_through_2": "5 of 10 records (50 %) were rejected; expected at most 1 %",
    }


def test_allowing_without_need_notes_nothing(events: list[Event]) -> None:
    gate(finding(severity="warning"), allow=True)
    assert events == []
