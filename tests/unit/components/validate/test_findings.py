from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.validate.findings import AnomalyReader, Drift, Finding, Findings
from schemas.errors import DataError

SCHEMA = """feature {
  name: "fare"
  type: FLOAT
  presence { min_fraction: 0.99 min_count: 1 }
  float_domain { min: 0.1 max: 700 }
  drift_comparator { infinity_norm { threshold: 0.05 } }
}
feature { name: "hour" type: INT int_domain { min: 0 max: 23 } }
feature { name: "payment_type" type: BYTES domain: "payment" }
feature { name: "flag" type: BYTES string_domain { value: "y" value: "n" } }
string_domain {
  name: "payment"
  value: "Cash"
  value: "Credit Card"
}
feature { name: "truth" type: INT bool_domain {} }
dataset_constraints { min_examples_count: 3 }
"""


def anomaly(column: str, kind: str, description: str, severity: str = "ERROR") -> str:
    return f"""anomaly_info {{
      key: "{column}"
      value {{
        path {{ step: "{column}" }} severity: {severity}
        reason {{ type: {kind} short_description: "Short words." description: "{description}" }}
      }}
    }}"""


def read(text: str, environment: str = "TRAINING") -> list[Finding]:
    anomalies = text_format.Parse(text, anomalies_pb2.Anomalies())
    reader = AnomalyReader(SCHEMA, where="schema.pbtxt")
    return list(reader.read(anomalies, split="train", environment=environment))


def one(*args: str) -> Finding:
    (finding,) = read(anomaly(*args))
    return finding


def test_an_unknown_category_names_the_domain_and_what_was_seen() -> None:
    finding = one(
        "payment_type",
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "Examples contain values missing from the schema: Bitcoin (~16%), Öre (<1%). ",
    )
    assert finding == Finding(
        split="train",
        environment="TRAINING",
        column="payment_type",
        severity="error",
        kind="ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        what="unknown category",
        expected="one of: Cash, Credit Card",
        seen="Bitcoin (~16%), Öre (<1%)",
        fix='schema.pbtxt:11 string_domain "payment": add the new values',
    )


def test_a_domain_inside_the_column_is_its_own_place() -> None:
    finding = one(
        "flag", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", "missing from the schema: x (~1%). "
    )
    assert (finding.expected, finding.seen) == ("one of: y, n", "x (~1%)")
    assert finding.fix.startswith('schema.pbtxt:10 feature "flag"')


@pytest.mark.parametrize(
    ("column", "kind", "description", "expected", "seen", "line"),
    [
        (
            "fare",
            "FEATURE_TYPE_LOW_FRACTION_PRESENT",
            "fewer examples than expected: minimum fraction = 0.990000, actual = 0.989999",
            "present in at least 99 % of rows",
            "present in 98.9999 %",
            4,
        ),
        (
            "fare",
            "FEATURE_TYPE_NOT_PRESENT",
            "The feature was not present in any examples.",
            "present in at least 1 row",
            "present in none",
            4,
        ),
        (
            "fare",
            "FLOAT_TYPE_SMALL_FLOAT",
            "Unexpectedly low values: -3e+20<0.1(upto six significant digits)",
            "at least 0.1",
            "-3e+20",
            5,
        ),
        (
            "fare",
            "FLOAT_TYPE_BIG_FLOAT",
            "Unexpectedly high value: 4e+09>700(upto six significant digits)",
            "at most 700",
            "4e+09",
            5,
        ),
        ("hour", "INT_TYPE_SMALL_INT", "Unexpectedly small value: -3.", "at least 0", "-3", 8),
        ("hour", "INT_TYPE_BIG_INT", "Unexpectedly large value: 24.", "at most 23", "24", 8),
        (
            "hour",
            "UNEXPECTED_DATA_TYPE",
            "Expected data of type: INT but got FLOAT",
            "INT",
            "FLOAT",
            8,
        ),
        (
            "hour",
            "SCHEMA_MISSING_COLUMN",
            "Column is completely missing",
            "a column of INT",
            "no such column",
            8,
        ),
    ],
)
def test_kinds_have_expected_seen_and_place(
    column: str, kind: str, description: str, expected: str, seen: str, line: int
) -> None:
    finding = one(column, kind, description)
    assert (finding.expected, finding.seen) == (expected, seen)
    assert finding.fix.startswith(f'schema.pbtxt:{line} feature "{column}": ')


@pytest.mark.parametrize(
    ("value", "sentence", "seen"),
    [
        (
            0.5,
            "The distance is 0.4 (up to six). The feature value with maximum difference is: 7",
            "0.5, most at '7'",
        ),
        (0.12345678, "Said otherwise", "0.123457"),
    ],
)
def test_a_drift_is_reported_as_measured(value: float, sentence: str, seen: str) -> None:
    measured = f"""drift_skew_info {{ path {{ step: "fare" }}
      drift_measurements {{ type: JENSEN_SHANNON_DIVERGENCE value: 0.9 threshold: 0.1 }}
      drift_measurements {{ type: L_INFTY value: {value} threshold: 0.05 }} }}"""
    (finding,) = read(anomaly("fare", "COMPARATOR_L_INFTY_HIGH", sentence) + measured)
    assert finding.expected == "no share differs from train's by more than 0.05"
    assert finding.seen == seen
    assert finding.fix.startswith('schema.pbtxt:6 feature "fare": ')


def test_a_column_that_the_schema_does_not_know() -> None:
    finding = one("new", "SCHEMA_NEW_COLUMN", "New column (column in data but not in schema)")
    assert finding.expected == "no such column"
    assert finding.fix.startswith('schema.pbtxt feature "new": describe it')


def test_an_unlisted_kind_keeps_tfdvs_words() -> None:
    finding = one("fare", "MAX_IMAGE_BYTE_SIZE_EXCEEDED", "Image of 9 MB.")
    assert (finding.what, finding.seen) == ("Short words", "Image of 9 MB.")
    assert finding.fix.startswith('schema.pbtxt:1 feature "fare"')


@pytest.mark.parametrize(
    ("kind", "description"),
    [
        ("ENUM_TYPE_UNEXPECTED_STRING_VALUES", "Said otherwise: Bitcoin"),
        ("FEATURE_TYPE_LOW_FRACTION_PRESENT", "Said otherwise: one third"),
        ("COMPARATOR_L_INFTY_HIGH", "Said otherwise: 0.5"),
        ("FLOAT_TYPE_SMALL_FLOAT", "Said otherwise"),
    ],
)
def test_a_sentence_that_is_not_known_is_passed_on_whole(kind: str, description: str) -> None:
    assert one("fare", kind, description).seen == description


def test_every_reason_is_a_finding_and_columns_are_in_order() -> None:
    two = """anomaly_info { key: "hour" value { path { step: "hour" } severity: ERROR
      reason { type: INT_TYPE_SMALL_INT description: "Unexpectedly small value: -3." }
      reason { type: INT_TYPE_BIG_INT description: "Unexpectedly large value: 99." } } }"""
    findings = read(two + anomaly("fare", "FEATURE_TYPE_NOT_PRESENT", "none"))
    assert [(f.column, f.kind) for f in findings] == [
        ("fare", "FEATURE_TYPE_NOT_PRESENT"),
        ("hour", "INT_TYPE_SMALL_INT"),
        ("hour", "INT_TYPE_BIG_INT"),
    ]


@pytest.mark.parametrize(
    ("severity", "expected"), [("ERROR", "error"), ("WARNING", "warning"), ("UNKNOWN", "error")]
)
def test_severity_is_tfdvs_and_unknown_counts_as_an_error(severity: str, expected: str) -> None:
    (finding,) = read(anomaly("fare", "FEATURE_TYPE_NOT_PRESENT", "none", severity))
    assert finding.severity == expected


def test_a_split_without_rows_is_one_finding_for_both_environments() -> None:
    (finding,) = read("data_missing: true")
    assert (finding.column, finding.severity, finding.seen) == ("", "error", "0 rows")
    assert read("data_missing: true", environment="SERVING") == []


def test_an_anomaly_of_the_whole_split() -> None:
    (finding,) = read(
        """dataset_anomaly_info { severity: ERROR reason {
          type: DATASET_LOW_NUM_EXAMPLES short_description: "Low num examples in dataset."
          description: "The dataset has 2 examples, which is fewer than expected." } }"""
    )
    assert finding.column == ""
    assert (finding.what, finding.seen) == ("too few rows", "2 rows")
    assert finding.fix == "schema.pbtxt:17 dataset_constraints: lower min_examples_count"


def test_the_bounds_of_a_boolean_are_described_as_such() -> None:
    finding = one("truth", "INT_TYPE_BIG_INT", "Unexpectedly large value: 2.")
    assert (finding.what, finding.expected, finding.seen) == ("not a boolean", "0 or 1", "2")
    assert finding.fix == ('schema.pbtxt:16 feature "truth": replace bool_domain by an int_domain')


def test_long_domains_are_shortened_and_counted() -> None:
    values = " ".join(f'value: "v{i}"' for i in range(200))
    schema = f'feature {{ name: "c" type: BYTES string_domain {{ {values} }} }}'
    anomalies = text_format.Parse(
        anomaly("c", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", "missing from the schema: x (~1%). "),
        anomalies_pb2.Anomalies(),
    )
    reader = AnomalyReader(schema, where="s")
    (finding,) = reader.read(anomalies, split="eval", environment="TRAINING")
    assert finding.expected == (
        "one of: v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, … (200 values)"
    )


def test_findings_are_read_back_as_written(tmp_path: Path) -> None:
    found = Findings(
        rows={"train": 10, "eval": 2, "test": 0},
        findings=(one("fare", "FEATURE_TYPE_NOT_PRESENT", "none"),),
        drift=(
            Drift(
                column="fare",
                split="eval",
                measure="L_INFTY",
                value=0.01,
                threshold=0.05,
                chance=0.2,
            ),
        ),
    )
    found.write(str(tmp_path))
    assert Findings.read(str(tmp_path)) == found
    assert [path.name for path in tmp_path.iterdir()] == ["findings.json"]


def test_missing_findings_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no findings(.|\n)*findings\.json"):
        Findings.read(str(tmp_path))
