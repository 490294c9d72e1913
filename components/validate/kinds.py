"""What each kind of TFDV anomaly says to a person: what is wrong, expected, seen, what to widen.

Goes in: an anomaly's type and description, and the schema. Comes out: short plain phrases. TFDV
gives what it saw only inside a sentence, so it is read from there; a sentence that is not known is
passed on whole, so that nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

Expected = Callable[["schema_pb2.Feature", "schema_pb2.Schema"], str]
Seen = Callable[[str], str]

_LISTED_VALUES = 12


@dataclass(frozen=True)
class Kind:
    """How one kind of anomaly is told.

    Attributes:
      what: what is wrong, in a few words.
      field: the field of the column's description in schema.pbtxt that was not met.
      expected: the column's description and the schema to what would have been right.
      seen: TFDV's sentence to what was there instead.
      widen: how schema.pbtxt would let it through.
    """

    what: str
    field: str
    expected: Expected
    seen: Seen
    widen: str


def kind_of(name: str, short_description: str) -> Kind:
    """Return how a kind of anomaly is told; for one that is not listed, in TFDV's words."""
    return _KINDS.get(name) or Kind(
        what=short_description.rstrip(".") or name,
        field="",
        expected=lambda feature, schema: "what the schema says",
        seen=lambda description: description,
        widen="change what it says of this",
    )


def not_a_boolean(kind: Kind) -> Kind:
    """Return a kind of anomaly of an INT's bounds as one of the bool_domain that they stem from."""
    return replace(
        kind,
        what="not a boolean",
        field="bool_domain",
        expected=_says("0 or 1"),
        widen="replace bool_domain by an int_domain",
    )


def string_domain(
    feature: schema_pb2.Feature, schema: schema_pb2.Schema
) -> schema_pb2.StringDomain:
    """Return the values a column may have: its own domain, or the schema's that it names."""
    for domain in schema.string_domain:
        if feature.domain and domain.name == feature.domain:
            return domain
    return feature.string_domain


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.7g}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.6g} %"


def _match(pattern: str, template: str = r"\1") -> Seen:
    """What the pattern finds in the description, put into the template."""

    def seen(description: str) -> str:
        found = re.search(pattern, description, re.DOTALL)
        return found.expand(template) if found else description

    return seen


def _fixed(text: str) -> Seen:
    return lambda description: text


def _values(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    values = list(string_domain(feature, schema).value)
    if len(values) <= _LISTED_VALUES:
        return "one of: " + ", ".join(values)
    return f"one of: {', '.join(values[:_LISTED_VALUES])}, … ({len(values):,} values)"


def _min_fraction(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    return f"present in at least {_percent(feature.presence.min_fraction)} of rows"


def _min_count(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    rows = max(1, feature.presence.min_count)
    return f"present in at least {rows:,} row{'s' * (rows != 1)}"


def _type(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    from tensorflow_metadata.proto.v0 import schema_pb2

    return schema_pb2.FeatureType.Name(feature.type)


def _domain(feature: schema_pb2.Feature) -> schema_pb2.IntDomain | schema_pb2.FloatDomain:
    return feature.int_domain if feature.HasField("int_domain") else feature.float_domain


def _at_least(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    return f"at least {_number(_domain(feature).min)}"


def _at_most(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    return f"at most {_number(_domain(feature).max)}"


def _says(text: str) -> Expected:
    return lambda feature, schema: text


def _values_a_row(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    count = feature.value_count
    return f"{count.min} to {count.max} values a row"


def _distinct(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    unique = feature.unique_constraints
    return f"{unique.min:,} to {unique.max:,} distinct values"


def _booleans(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    return f"{feature.bool_domain.true_value} or {feature.bool_domain.false_value}"


def _examples(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    return f"at least {schema.dataset_constraints.min_examples_count:,} rows"


def _examples_of_train(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    drift = schema.dataset_constraints.num_examples_drift_comparator
    bounds = [
        f"{word} {getattr(drift, field):g}"
        for word, field in (
            ("at least", "min_fraction_threshold"),
            ("at most", "max_fraction_threshold"),
        )
        if drift.HasField(field)
    ]
    return f"{' and '.join(bounds)} times train's rows"


def _l_infinity(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    threshold = feature.drift_comparator.infinity_norm.threshold
    return f"no share differs from train's by more than {_number(threshold)}"


def _jensen_shannon(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    threshold = feature.drift_comparator.jensen_shannon_divergence.threshold
    return f"Jensen-Shannon divergence from train at most {_number(threshold)}"


def _absolute_difference(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    threshold = feature.drift_comparator.normalized_abs_difference.threshold
    return f"normalized difference from train at most {_number(threshold)}"


def _fractions(description: str) -> str:
    found = re.search(r"actual = ([\d.]+)", description)
    return f"present in {_percent(float(found.group(1)))}" if found else description


def _difference(description: str) -> str:
    found = re.search(r" is ([\d.e-]+) \(", description)
    if not found:
        return description
    at = re.search(r"maximum difference is: (.*)$", description)
    return found.group(1) + (f", most at {at.group(1)!r}" if at else "")


_RATIO = _match(r"previous span is ([\d.e+-]+)", r"\1 times train's")
_LOW = "lower the domain's min"
_HIGH = "raise the domain's max"
_TEXT = _match(r'such as (".*")\.?$')

_KINDS = {
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": Kind(
        "unknown category",
        "domain",
        _values,
        _match(r"missing from the schema: (.*?)\.?\s*$"),
        "add the new values",
    ),
    "ENUM_TYPE_INVALID_UTF8": Kind(
        "text that is not UTF-8",
        "type",
        _says("UTF-8"),
        _fixed("other bytes"),
        "drop the column's domain",
    ),
    "SCHEMA_MISSING_COLUMN": Kind(
        "missing column",
        "presence",
        lambda feature, schema: f"a column of {_type(feature, schema)}",
        _fixed("no such column"),
        "drop presence, or name the environment that lacks it in not_in_environment",
    ),
    "SCHEMA_NEW_COLUMN": Kind(
        "column that the schema does not describe",
        "",
        _says("no such column"),
        _fixed("a column of this name"),
        "describe it with a feature { … } of its own",
    ),
    "FEATURE_TYPE_NOT_PRESENT": Kind(
        "missing in every row",
        "presence",
        _min_count,
        _fixed("present in none"),
        "set presence.min_count to 0",
    ),
    "FEATURE_TYPE_LOW_FRACTION_PRESENT": Kind(
        "missing in too many rows",
        "presence",
        _min_fraction,
        _fractions,
        "lower presence.min_fraction",
    ),
    "FEATURE_TYPE_LOW_NUMBER_PRESENT": Kind(
        "missing in too many rows",
        "presence",
        _min_count,
        _match(r"actual = (\d+)", r"present in \1"),
        "lower presence.min_count",
    ),
    "FEATURE_TYPE_LOW_NUMBER_VALUES": Kind(
        "too few values in a row",
        "value_count",
        _values_a_row,
        _fixed("fewer"),
        "lower value_count.min",
    ),
    "FEATURE_TYPE_HIGH_NUMBER_VALUES": Kind(
        "too many values in a row",
        "value_count",
        _values_a_row,
        _fixed("more"),
        "raise value_count.max",
    ),
    "FEATURE_TYPE_LOW_UNIQUE": Kind(
        "too few distinct values",
        "unique_constraints",
        _distinct,
        _match(r"found only (\d+)"),
        "lower unique_constraints.min",
    ),
    "FEATURE_TYPE_HIGH_UNIQUE": Kind(
        "too many distinct values",
        "unique_constraints",
        _distinct,
        _match(r"found (?:instead )?(\d+)"),
        "raise unique_constraints.max",
    ),
    "INVALID_FEATURE_SHAPE": Kind(
        "missing in some rows",
        "shape",
        _says("a value in every row"),
        _fixed("rows without one"),
        "replace shape by presence { min_fraction: … }",
    ),
    "BOOL_TYPE_UNEXPECTED_STRING": Kind(
        "not a boolean",
        "bool_domain",
        _booleans,
        _match(r'unexpected value "(.*)" instead', r"\1"),
        "replace bool_domain by a string_domain",
    ),
    "DATASET_LOW_NUM_EXAMPLES": Kind(
        "too few rows",
        "min_examples_count",
        _examples,
        _match(r"has (\d+) examples", r"\1 rows"),
        "lower min_examples_count",
    ),
    "COMPARATOR_LOW_NUM_EXAMPLES": Kind(
        "too few rows beside train's",
        "num_examples_drift_comparator",
        _examples_of_train,
        _RATIO,
        "lower min_fraction_threshold",
    ),
    "COMPARATOR_HIGH_NUM_EXAMPLES": Kind(
        "too many rows beside train's",
        "num_examples_drift_comparator",
        _examples_of_train,
        _RATIO,
        "raise max_fraction_threshold",
    ),
    "UNEXPECTED_DATA_TYPE": Kind(
        "wrong type", "type", _type, _match(r"but got (\w+)"), "change the type"
    ),
    "INT_TYPE_SMALL_INT": Kind(
        "value too small", "int_domain", _at_least, _match(r"value: (-?\d+)"), _LOW
    ),
    "INT_TYPE_BIG_INT": Kind(
        "value too large", "int_domain", _at_most, _match(r"value: (-?\d+)"), _HIGH
    ),
    "FLOAT_TYPE_SMALL_FLOAT": Kind(
        "value too small", "float_domain", _at_least, _match(r"values?: ([^<]+)<"), _LOW
    ),
    "FLOAT_TYPE_BIG_FLOAT": Kind(
        "value too large", "float_domain", _at_most, _match(r"values?: ([^>]+)>"), _HIGH
    ),
    "FLOAT_TYPE_HAS_NAN": Kind(
        "not a number", "float_domain", _says("numbers"), _fixed("NaN"), "drop disallow_nan"
    ),
    "FLOAT_TYPE_HAS_INF": Kind(
        "infinite value", "float_domain", _says("finite"), _fixed("inf"), "drop disallow_inf"
    ),
    "INT_TYPE_NOT_INT_STRING": Kind(
        "text where a number belongs", "int_domain", _says("an integer"), _TEXT, "change the type"
    ),
    "FLOAT_TYPE_STRING_NOT_FLOAT": Kind(
        "text where a number belongs", "float_domain", _says("a number"), _TEXT, "change the type"
    ),
    "COMPARATOR_L_INFTY_HIGH": Kind(
        "drift from train",
        "drift_comparator",
        _l_infinity,
        _difference,
        "raise infinity_norm.threshold",
    ),
    "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH": Kind(
        "drift from train",
        "drift_comparator",
        _jensen_shannon,
        _difference,
        "raise jensen_shannon_divergence.threshold, or compare over source { type: QUANTILES }",
    ),
    "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH": Kind(
        "drift from train",
        "drift_comparator",
        _absolute_difference,
        _difference,
        "raise normalized_abs_difference.threshold",
    ),
}
