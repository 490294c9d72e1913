from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.validate import anomalies
from components.validate.files import anomalies_path
from components.validate.findings import Finding, Findings
from schemas.errors import DataError

pytestmark = pytest.mark.component

Validate = Callable[..., Findings]
BOTH = [("train", "TRAINING"), ("train", "SERVING")]


def where(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(f.split, f.environment) for f in findings]


def said(findings: tuple[Finding, ...]) -> set[tuple[str, str, str, str, str]]:
    return {(f.column, f.severity, f.what, f.expected, f.seen) for f in findings}


def read_anomalies(root: Path, split: str) -> anomalies_pb2.Anomalies:
    return anomalies_pb2.Anomalies.FromString(
        Path(anomalies_path(str(root / "anomalies"), split)).read_bytes()
    )


def test_clean_data_pass_and_drift_is_measured(findings_of: Validate, tmp_path: Path) -> None:
    found = findings_of(eval={"payment": ["Cash", "Credit Card", "Credit Card", "Credit Card"]})
    assert [f for f in found.findings if f.severity == "error"] == []
    assert found.rows == {"train": 4, "eval": 4, "test": 4}
    assert [(d.column, d.split, d.value, d.threshold) for d in found.drift] == [
        ("payment", "eval", 0.25, 0.1),
        ("payment", "test", 0.0, 0.1),
    ]
    assert not read_anomalies(tmp_path, "train").anomaly_info
    assert Findings.read(str(tmp_path / "anomalies")) == found


def test_unknown_category(findings_of: Validate, tmp_path: Path) -> None:
    found = findings_of(train={"payment": ["Cash", "Credit Card", "Bitcoin", "Cash"]}).findings
    unknown = tuple(f for f in found if f.what == "unknown category")
    assert where(unknown) == BOTH
    assert said(unknown) == {
        ("payment", "error", "unknown category", "one of: Cash, Credit Card", "Bitcoin (~25%)")
    }
    assert unknown[0].fix == 'schema.pbtxt:24 string_domain "payment": add the new values'
    assert list(read_anomalies(tmp_path, "train").anomaly_info) == ["payment"]


def test_required_column_that_is_not_there(findings_of: Validate) -> None:
    found = findings_of(train={"fare": None}).findings
    assert where(found) == BOTH
    assert said(found) == {
        ("fare", "error", "missing column", "a column of FLOAT", "no such column")
    }


def test_required_value_that_is_missing_too_often(findings_of: Validate) -> None:
    found = findings_of(
        train={"hour": [1, None, None, None]}, eval={"fare": [None] * 4}, test={"fare": [1.0] * 4}
    ).findings
    assert said(found) == {
        (
            "hour",
            "error",
            "missing in too many rows",
            "present in at least 50 % of rows",
            "present in 25 %",
        ),
        ("fare", "error", "missing in every row", "present in at least 1 row", "present in none"),
    }


def test_numbers_out_of_range(findings_of: Validate) -> None:
    found = findings_of(
        train={"fare": [-3.5, 1.0, 2.0, 700.0], "hour": [-1, 24, 3, 4]},
    ).findings
    assert said(found) == {
        ("fare", "error", "value too small", "at least 0", "-3.5"),
        ("fare", "error", "value too large", "at most 100", "700"),
        ("hour", "error", "value too small", "at least 0", "-1"),
        ("hour", "error", "value too large", "at most 23", "24"),
    }


def test_wrong_type(findings_of: Validate) -> None:
    words = {"fare": pa.array(["a", "b", "c", "d"])}
    found = findings_of(train=words, eval=words, test=words).findings
    assert ("fare", "error", "wrong type", "FLOAT", "STRING") in said(found)
    assert {f.split for f in found} == {"train", "eval", "test"}


def test_drift_beyond_chance_stops_and_within_it_warns(findings_of: Validate) -> None:
    many = {
        "fare": [1.0] * 400,
        "hour": [1] * 400,
        "payment": ["Cash", "Credit Card"] * 200,
        "tips": [0.0] * 400,
    }
    turned = {**many, "payment": ["Cash"] * 400}
    few = {"payment": ["Cash", "Cash", "Cash", "Credit Card"]}
    found = findings_of(train=many, eval=turned, test=few)
    expected = "no share differs from train's by more than 0.1"
    assert said(found.findings) == {
        ("payment", "error", "drift from train", expected, "0.5, most at 'Credit Card'"),
        (
            "payment",
            "warning",
            "drift from train",
            expected,
            "0.25, most at 'Credit Card'; in so few rows chance alone gives up to 0.83",
        ),
    }
    assert where(found.findings) == [("eval", "TRAINING"), ("test", "TRAINING")]


def test_column_that_no_request_carries_is_required_in_training_alone(
    findings_of: Validate,
) -> None:
    found = findings_of(train={"tips": None}).findings
    assert [(f.column, f.environment) for f in found] == [("tips", "TRAINING")]


def test_column_that_only_requests_carry_is_noticed(
    findings_of: Validate, schema_text: str
) -> None:
    device = """feature { name: "device" type: BYTES not_in_environment: "TRAINING"
      presence { min_fraction: 1.0 } }"""
    found = findings_of(schema=schema_text + device).findings
    assert {(f.column, f.environment, f.what) for f in found} == {
        ("device", "SERVING", "missing column")
    }
    assert len(found) == 3


@pytest.mark.parametrize("listed", ["", 'default_environment: "TRAINING"\n'])
def test_environments_that_the_schema_does_not_list(
    findings_of: Validate, schema_text: str, listed: str
) -> None:
    lines = [line for line in schema_text.splitlines() if "default_environment" not in line]
    assert findings_of(schema=listed + "\n".join(lines)).findings == ()


def test_split_without_rows_is_an_error_and_no_crash(findings_of: Validate) -> None:
    empty: dict[str, list[object]] = {"fare": [], "hour": [], "payment": [], "tips": []}
    found = findings_of(eval=empty)
    assert found.rows["eval"] == 0
    assert [(f.split, f.environment, f.kind) for f in found.findings] == [
        ("eval", "TRAINING", "NO_ROWS")
    ]
    assert {d.split for d in found.drift} == {"test"}


def test_no_rows_to_learn_from(findings_of: Validate) -> None:
    empty: dict[str, list[object]] = {"fare": [], "hour": [], "payment": [], "tips": []}
    found = findings_of(train=empty)
    assert [(f.split, f.kind) for f in found.findings] == [("train", "NO_ROWS")]
    assert found.drift == ()


def test_statistics_of_other_examples_are_refused(
    findings_of: Validate, examples_of: Callable[..., str], tmp_path: Path
) -> None:
    findings_of()
    other = examples_of(test={"fare": [1.0], "hour": [1], "payment": ["Cash"], "tips": [0.0]})
    with pytest.raises(DataError, match="split 'test' are of 4 rows, its examples have 1"):
        anomalies.validate(
            statistics_dir=str(tmp_path / "statistics"),
            examples=other,
            schema_path=str(tmp_path / "schema.pbtxt"),
            output=str(tmp_path / "again"),
        )
