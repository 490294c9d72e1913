"""Each accepted field of a schema has an effect: it finds the data that it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from components.validate.findings import Findings
from schemas.columns import columns_of, parse_schema
from schemas.expectations import expectations_of
from schemas.schema_fields import ACCEPTED
from schemas.splits.options import SPLITS
from tests.component.validate import conftest

pytestmark = pytest.mark.component

Validate = Callable[..., Findings]

ROWS = 400
_ARROW = {"INT": pa.int64(), "FLOAT": pa.float32(), "BYTES": pa.string()}
_CATEGORY = "int_domain { is_categorical: true }"
_EXAMPLES_DRIFT = "dataset_constraints.num_examples_drift_comparator"
_SPREAD = [*range(398), 10_000, 20_000]  # with buckets of equal width, nearly all are in one


@dataclass(frozen=True)
class Shown:
    """A column with a field, data that violates it, and the finding.

    Attributes:
      field: the field of the schema.
      type: the type of the column.
      body: the text of its feature.
      values: the values of every split, repeated to ROWS.
      finds: kinds of anomalies of the split eval.
      other: eval's values, if they differ.
    """

    field: str
    type: str
    body: str
    values: Sequence[Any]
    finds: str
    other: Sequence[Any] | None = None

    @property
    def name(self) -> str:
        """The column's name."""
        return self.field.replace(".", "_")

    def array(self, split: str) -> pa.Array:
        """A split's values."""
        values = self.other if split == "eval" and self.other is not None else self.values
        return pa.array((list(values) * ROWS)[:ROWS], _ARROW[self.type])


def _drift(field: str, type_: str, body: str, kind: str, values: Any, other: Any) -> Shown:
    body = f"drift_comparator {{ {body} }}" + (f" {_CATEGORY}" if type_ == "INT" else "")
    return Shown(f"feature.drift_comparator.{field}", type_, body, values, kind, other)


COLUMNS = (
    Shown("feature.presence.min_fraction", "INT", "presence { min_fraction: 0.9 }", [1, None],
          "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
    Shown("feature.presence.min_count", "INT", "presence { min_count: 300 }", [1, None],
          "FEATURE_TYPE_LOW_NUMBER_PRESENT"),
    Shown("feature.shape", "INT", "shape { }", [1, None], "INVALID_FEATURE_SHAPE"),
    Shown("feature.shape.dim.size", "INT", "shape { dim { size: 1 } }", [1, None],
          "INVALID_FEATURE_SHAPE"),
    Shown("feature.domain", "BYTES", 'domain: "colours"', ["red", "blue"],
          "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    Shown("feature.int_domain.min", "INT", "int_domain { min: 1 }", [0, 1], "INT_TYPE_SMALL_INT"),
    Shown("feature.int_domain.max", "INT", "int_domain { max: 1 }", [1, 2], "INT_TYPE_BIG_INT"),
    Shown("feature.int_domain.is_categorical", "INT",
          "int_domain { is_categorical: true } drift_comparator { infinity_norm"
          " { threshold: 0.3 } }", [1, 2], "COMPARATOR_L_INFTY_HIGH", [1]),
    Shown("feature.float_domain.min", "FLOAT", "float_domain { min: 1 }", [0, 1],
          "FLOAT_TYPE_SMALL_FLOAT"),
    Shown("feature.float_domain.max", "FLOAT", "float_domain { max: 1 }", [1, 2],
          "FLOAT_TYPE_BIG_FLOAT"),
    Shown("feature.string_domain.value", "BYTES", 'string_domain { value: "a" }', ["a", "b"],
          "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    Shown("feature.bool_domain", "INT", "bool_domain { }", [0, 1, 2], "INT_TYPE_BIG_INT"),
    Shown("feature.bool_domain.true_value", "BYTES",
          'bool_domain { true_value: "y" false_value: "n" }', ["y", "n", "Y"],
          "BOOL_TYPE_UNEXPECTED_STRING"),
    Shown("feature.distribution_constraints.min_domain_mass", "BYTES",
          'string_domain { value: "a" } distribution_constraints { min_domain_mass: 0.6 }',
          ["a", "b"], "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    Shown("feature.unique_constraints.min", "BYTES", "unique_constraints { min: 3 max: 9 }",
          ["a", "b"], "FEATURE_TYPE_LOW_UNIQUE"),
    Shown("feature.unique_constraints.max", "INT",
          f"unique_constraints {{ min: 1 max: 2 }} {_CATEGORY}", [1, 2, 3],
          "FEATURE_TYPE_HIGH_UNIQUE"),
    _drift("infinity_norm.threshold", "BYTES", "infinity_norm { threshold: 0.3 }",
           "COMPARATOR_L_INFTY_HIGH", ["a", "b"], ["a"]),
    _drift("jensen_shannon_divergence.threshold", "INT",
           "jensen_shannon_divergence { threshold: 0.3 }",
           "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH", [1, 2], [3]),
    _drift("jensen_shannon_divergence.source.type", "FLOAT",
           "jensen_shannon_divergence { threshold: 0.3 source { type: QUANTILES } }",
           "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH", _SPREAD, [v / 2 for v in _SPREAD]),
    _drift("normalized_abs_difference.threshold", "BYTES",
           "normalized_abs_difference { threshold: 0.2 }",
           "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH", ["a", "b"], ["c"]),
)  # fmt: skip
# The same data with a field that allows them, which shows that the field finds them.
PASSING = (
    Shown("bool", "INT", "bool_domain { }", [0, 1], ""),
    Shown("bool_bytes", "BYTES", 'bool_domain { true_value: "y" false_value: "n" }', "yn", ""),
    Shown("mass", "BYTES", 'string_domain { value: "a" } distribution_constraints {'
          " min_domain_mass: 0.4 }", ["a", "b"], ""),
    Shown("shaped", "INT", "shape { }", [1], ""),
    Shown("free", "BYTES", "", ["a", None], ""),
)  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """The findings in a table with all of these columns."""
    root = tmp_path_factory.mktemp("fields")
    schema = 'string_domain { name: "colours" value: "red" }\n'
    schema += """dataset_constraints {
      min_examples_count: 500
      num_examples_drift_comparator { min_fraction_threshold: 2 max_fraction_threshold: 3 }
    }\n"""
    tables: dict[str, dict[str, Any]] = {split: {} for split in SPLITS}
    for column in (*COLUMNS, *PASSING):
        schema += f'feature {{ name: "{column.name}" type: {column.type} {column.body} }}\n'
        for split, table in tables.items():
            table[column.name] = column.array(split)
    for table in tables.values():
        table |= dict.fromkeys(conftest.ROWS)  # instead of the rows of other tests
    examples = conftest.write_examples(root / "examples", tables)
    return conftest.run_validation(root, examples, schema)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.field)
def test_a_field_finds_what_it_is_for(found: Findings, column: Shown) -> None:
    assert {f.kind for f in found.findings if (f.split, f.column) == ("eval", column.name)} == {
        column.finds
    }


@pytest.mark.parametrize(
    ("field", "expected", "seen"),
    [
        (
            "distribution_constraints_min_domain_mass",
            "at least 60 % of values one of: a",
            "b (~50%)",
        ),
        ("presence_min_fraction", "present in at least 90 % of rows", "present in 50 %"),
        ("presence_min_count", "present in at least 300 rows", "present in 200"),
        ("shape", "a value in every row", "200 of 400 rows without one (50 %)"),
        ("unique_constraints_max", "1 to 2 distinct values", "3"),
        (
            "drift_comparator_infinity_norm_threshold",
            "no share differs from train's by more than 0.3",
            "0.5, most at 'b'",
        ),
    ],
)
def test_what_was_measured_is_shown_with_its_limit(
    found: Findings, field: str, expected: str, seen: str
) -> None:
    shown = {(f.expected, f.seen) for f in found.findings if f.column == f"feature_{field}"}
    assert shown == {(expected, seen)}


@pytest.mark.parametrize("column", PASSING, ids=lambda column: column.field)
def test_what_a_field_allows_passes(found: Findings, column: Shown) -> None:
    assert [f for f in found.findings if f.column == column.name] == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("DATASET_LOW_NUM_EXAMPLES", ("at least 500 rows", "400 rows")),
        (
            "COMPARATOR_LOW_NUM_EXAMPLES",
            ("at least 2 and at most 3 times train's rows", "1 times train's"),
        ),
    ],
)
def test_too_few_rows_are_found(found: Findings, kind: str, expected: tuple[str, str]) -> None:
    assert {(f.expected, f.seen) for f in found.findings if f.kind == kind} == {expected}


def test_too_many_rows_are_found(findings_of: Validate) -> None:
    body = "num_examples_drift_comparator { max_fraction_threshold: 0.5 }"
    found = findings_of(schema=f"{conftest.SCHEMA} dataset_constraints {{ {body} }}")
    assert {(f.split, f.kind, f.expected) for f in found.findings} == {
        (split, "COMPARATOR_HIGH_NUM_EXAMPLES", "at most 0.5 times train's rows")
        for split in ("eval", "test")
    }


@pytest.mark.parametrize(
    "text",
    [
        'default_environment: "TRAINING" feature { NAME }',
        'feature { NAME not_in_environment: "SERVING" }',
        'default_environment: "SERVING" feature { NAME in_environment: "TRAINING" ELSE }',
    ],
)
def test_environments_determine_who_has_a_column(findings_of: Validate, text: str) -> None:
    """Neither training nor serving examples have the column; only training's need it."""
    schema = text.replace("NAME", 'name: "x" type: INT presence { min_fraction: 1 }')
    schema = schema.replace("ELSE", 'not_in_environment: "SERVING"')
    assert not columns_of(parse_schema(schema, where="s"), where="s")[0].serving
    others = {"y": pa.array([1])} | dict.fromkeys(conftest.ROWS)
    found = findings_of(schema=schema, **dict.fromkeys(SPLITS, others))
    assert {(f.environment, f.kind) for f in found.findings if f.column == "x"} == {
        ("TRAINING", "SCHEMA_MISSING_COLUMN")
    }


def test_a_comment_describes_the_column() -> None:
    text = 'feature { name: "x" type: INT annotation { comment: "Its size." } }'
    (column,) = expectations_of(parse_schema(text, where="s")).columns
    assert column.description == "Its size."


_COLUMNS = "tests/unit/schemas/test_columns.py::test_columns_keep_the_schemas_order_and_kinds"
_FORMS = "tests/unit/schemas/test_columns.py::test_a_domain_says_how_a_column_is_written"
_RULES = "tests/unit/schemas/test_schema_rules.py::test_a_field_that_cannot_do_its_work"
_SKEW = "tests/component/validate/test_skew.py::test_every_comparator_is_measured"
_PAIRED = f"{__file__}::test_a_field_finds_what_it_is_for"
_ENVIRONMENTS = f"{__file__}::test_environments_determine_who_has_a_column"
# Fields without a column above, with the test that shows their effect.
ELSEWHERE = {
    "feature.name": _COLUMNS,
    "feature.type": _COLUMNS,
    "feature.value_count.min": _RULES,
    "feature.value_count.max": _RULES,
    "feature.bool_domain.false_value": _PAIRED,  # with true_value
    "feature.float_domain": _FORMS,
    "feature.time_domain.integer_format": _FORMS,
    "feature.time_domain.string_format": _FORMS,
    "string_domain.name": _PAIRED,  # with the domain of a feature
    "string_domain.value": _PAIRED,
    "default_environment": _ENVIRONMENTS,
    "feature.in_environment": _ENVIRONMENTS,
    "feature.not_in_environment": _ENVIRONMENTS,
    "feature.annotation.comment": f"{__file__}::test_a_comment_describes_the_column",
    "dataset_constraints.min_examples_count": f"{__file__}::test_too_few_rows_are_found",
    f"{_EXAMPLES_DRIFT}.min_fraction_threshold": f"{__file__}::test_too_few_rows_are_found",
    f"{_EXAMPLES_DRIFT}.max_fraction_threshold": f"{__file__}::test_too_many_rows_are_found",
    **dict.fromkeys((f for f in ACCEPTED if f.startswith("feature.skew_comparator.")), _SKEW),
}


def test_every_accepted_field_is_shown() -> None:
    assert {column.field for column in COLUMNS} | set(ELSEWHERE) == set(ACCEPTED)
    for test in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in Path(file).read_text(encoding="utf-8")
