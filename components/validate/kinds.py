"""What each kind of TFDV anomaly says to a person: what is wrong, expected, seen, what to widen.

An anomaly's type and sentence, TFDV's measurements and the schema give short plain phrases. TFDV
has a separate field for the measured drift; everything else that it saw is only in its sentence,
and an unknown sentence is passed on unchanged, so that nothing is lost.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, replace
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2

_LISTED_VALUES = 12


class _Phrases(string.Formatter):
    """Fills a phrase in, with two ways more to write a number: `number` and `percent`."""

    def format_field(self, value: Any, spec: str) -> str:
        """Write one value."""
        if spec == "number":
            return str(int(value)) if float(value).is_integer() else f"{value:.7g}"
        if spec == "percent":
            return f"{100 * float(value):.6g} %"
        return str(super().format_field(value, spec))


_fill = _Phrases().format


@dataclass(frozen=True)
class Kind:
    """How one kind of anomaly is described.

    Attributes:
      what: what is wrong, in a few words.
      field: the field of the column's description in schema.pbtxt that was not met.
      allowed: a phrase over the column's description and the schema: what would have been right.
      widen: how schema.pbtxt would let it through.
      found: a phrase over what the pattern finds in TFDV's sentence: what was there instead.
      pattern: of the sentence; without one, the phrase is the same for all.
      measure: TFDV's name of what it measured, where the kind is of drift.
    """

    what: str
    field: str
    allowed: str
    widen: str
    found: str = "{}"
    pattern: str = ""
    measure: str = ""

    def expected(self, feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
        """Return what would have been right."""
        rows = max(1, feature.presence.min_count)
        return _fill(
            self.allowed,
            feature=feature,
            bounds=feature.int_domain if feature.HasField("int_domain") else feature.float_domain,
            drift=feature.drift_comparator,
            mass=_mass(feature.distribution_constraints),
            presence=feature.presence,
            rows=f"{rows:,} row{'s' * (rows != 1)}",
            schema=schema,
            times_train=_times_train(schema.dataset_constraints.num_examples_drift_comparator),
            type=schema_pb2.FeatureType.Name(feature.type),
            values=_values(feature, schema),
        )

    def seen(self, sentence: str, measured: float | None) -> str:
        """Return what was there, from what TFDV measured or else from its sentence."""
        found = re.search(self.pattern, sentence, re.DOTALL)
        if self.measure and measured is not None:
            return f"{measured:.6g}" + (f", most at {found[1]!r}" if found else "")
        if self.measure or not found:
            return sentence
        return _fill(self.found, *found.groups())


def kind_of(name: str, short_description: str) -> Kind:
    """Return how a kind of anomaly is described; for one that is not listed, in TFDV's words."""
    return KINDS.get(name) or Kind(
        what=short_description.rstrip(".") or name,
        field="",
        allowed="what the schema says",
        widen="change what it says of this",
        pattern="(.*)",
    )


def not_a_boolean(kind: Kind) -> Kind:
    """Return a kind of anomaly of an INT's bounds as one of the bool_domain that they stem from."""
    return replace(
        kind,
        what="not a boolean",
        field="bool_domain",
        allowed="0 or 1",
        widen="replace bool_domain by an int_domain",
    )


def _values(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    """The values a column may have: of its own domain, or of the schema's that it names."""
    named = (d for d in schema.string_domain if feature.domain and d.name == feature.domain)
    values = list(next(named, feature.string_domain).value)
    more = f", … ({len(values):,} values)" if len(values) > _LISTED_VALUES else ""
    return ", ".join(values[:_LISTED_VALUES]) + more


def _mass(constraints: schema_pb2.DistributionConstraints) -> str:
    """The share of values that must be in the domain, where it is not all of them."""
    if not constraints.HasField("min_domain_mass") or constraints.min_domain_mass >= 1:
        return ""
    return _fill("at least {:percent} of values ", constraints.min_domain_mass)


def _times_train(drift: schema_pb2.NumericValueComparator) -> str:
    fields = {"at least": "min_fraction_threshold", "at most": "max_fraction_threshold"}
    bounds = [f"{w} {getattr(drift, f):g}" for w, f in fields.items() if drift.HasField(f)]
    return " and ".join(bounds)


_A_ROW = "{feature.value_count.min} to {feature.value_count.max} values a row"
_DISTINCT = (
    "{feature.unique_constraints.min:,} to {feature.unique_constraints.max:,} distinct values"
)
_LOW, _HIGH = "lower the domain's min", "raise the domain's max"
_TEXT = ("change the type", "{}", r'such as (".*")\.?$')
_RATIO = ("{} times train's", r"previous span is ([\d.e+-]+)")
_DIFFERENCE = r"maximum difference is: (.*)$"

# By TFDV's name: what, field, allowed, widen, found, pattern, measure.
KINDS = {
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": Kind(
        "unknown category", "domain", "{mass}one of: {values}",
        "add the new values", "{}", r"missing from the schema: (.*?)\.?\s*$"),
    "ENUM_TYPE_INVALID_UTF8": Kind(
        "text that is not UTF-8", "type", "UTF-8", "drop the column's domain", "other bytes"),
    "SCHEMA_MISSING_COLUMN": Kind(
        "missing column", "presence", "a column of {type}",
        "drop presence, or name the environment that lacks it in not_in_environment",
        "no such column"),
    "SCHEMA_NEW_COLUMN": Kind(
        "column that the schema does not describe", "", "no such column",
        "describe it with a feature { … } of its own", "a column of this name"),
    "FEATURE_TYPE_NOT_PRESENT": Kind(
        "missing in every row", "presence", "present in at least {rows}",
        "set presence.min_count to 0", "present in none"),
    "FEATURE_TYPE_LOW_FRACTION_PRESENT": Kind(
        "missing in too many rows", "presence",
        "present in at least {presence.min_fraction:percent} of rows",
        "lower presence.min_fraction", "present in {:percent}", r"actual = ([\d.]+)"),
    "FEATURE_TYPE_LOW_NUMBER_PRESENT": Kind(
        "missing in too many rows", "presence", "present in at least {rows}",
        "lower presence.min_count", "present in {}", r"actual = (\d+)"),
    "FEATURE_TYPE_LOW_NUMBER_VALUES": Kind(
        "too few values in a row", "value_count", _A_ROW, "lower value_count.min", "fewer"),
    "FEATURE_TYPE_HIGH_NUMBER_VALUES": Kind(
        "too many values in a row", "value_count", _A_ROW, "raise value_count.max", "more"),
    "FEATURE_TYPE_LOW_UNIQUE": Kind(
        "too few distinct values", "unique_constraints", _DISTINCT,
        "lower unique_constraints.min", "{}", r"found only (\d+)"),
    "FEATURE_TYPE_HIGH_UNIQUE": Kind(
        "too many distinct values", "unique_constraints", _DISTINCT,
        "raise unique_constraints.max", "{}", r"found (?:instead )?(\d+)"),
    "INVALID_FEATURE_SHAPE": Kind(
        "missing in some rows", "shape", "a value in every row",
        "replace shape by presence { min_fraction: … }", "rows without one"),
    "BOOL_TYPE_UNEXPECTED_STRING": Kind(
        "not a boolean", "bool_domain",
        "{feature.bool_domain.true_value} or {feature.bool_domain.false_value}",
        "replace bool_domain by a string_domain", "{}", r'unexpected value "(.*)" instead'),
    "DATASET_LOW_NUM_EXAMPLES": Kind(
        "too few rows", "min_examples_count",
        "at least {schema.dataset_constraints.min_examples_count:,} rows",
        "lower min_examples_count", "{} rows", r"has (\d+) examples"),
    "COMPARATOR_LOW_NUM_EXAMPLES": Kind(
        "too few rows beside train's", "num_examples_drift_comparator",
        "{times_train} times train's rows", "lower min_fraction_threshold", *_RATIO),
    "COMPARATOR_HIGH_NUM_EXAMPLES": Kind(
        "too many rows beside train's", "num_examples_drift_comparator",
        "{times_train} times train's rows", "raise max_fraction_threshold", *_RATIO),
    "UNEXPECTED_DATA_TYPE": Kind(
        "wrong type", "type", "{type}", "change the type", "{}", r"but got (\w+)"),
    "INT_TYPE_SMALL_INT": Kind(
        "value too small", "int_domain", "at least {bounds.min:number}",
        _LOW, "{}", r"value: (-?\d+)"),
    "INT_TYPE_BIG_INT": Kind(
        "value too large", "int_domain", "at most {bounds.max:number}",
        _HIGH, "{}", r"value: (-?\d+)"),
    "FLOAT_TYPE_SMALL_FLOAT": Kind(
        "value too small", "float_domain", "at least {bounds.min:number}",
        _LOW, "{}", r"values?: ([^<]+)<"),
    "FLOAT_TYPE_BIG_FLOAT": Kind(
        "value too large", "float_domain", "at most {bounds.max:number}",
        _HIGH, "{}", r"values?: ([^>]+)>"),
    "FLOAT_TYPE_HAS_NAN": Kind(
        "not a number", "float_domain", "numbers", "drop disallow_nan", "NaN"),
    "FLOAT_TYPE_HAS_INF": Kind(
        "infinite value", "float_domain", "finite", "drop disallow_inf", "inf"),
    "INT_TYPE_NOT_INT_STRING": Kind(
        "text where a number belongs", "int_domain", "an integer", *_TEXT),
    "FLOAT_TYPE_STRING_NOT_FLOAT": Kind(
        "text where a number belongs", "float_domain", "a number", *_TEXT),
    "COMPARATOR_L_INFTY_HIGH": Kind(
        "drift from train", "drift_comparator",
        "no share differs from train's by more than {drift.infinity_norm.threshold:number}",
        "raise infinity_norm.threshold", "", _DIFFERENCE, "L_INFTY"),
    "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH": Kind(
        "drift from train", "drift_comparator", "Jensen-Shannon divergence from train at most "
        "{drift.jensen_shannon_divergence.threshold:number}",
        "raise jensen_shannon_divergence.threshold, or compare over source { type: QUANTILES }",
        "", _DIFFERENCE, "JENSEN_SHANNON_DIVERGENCE"),
    "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH": Kind(
        "drift from train", "drift_comparator", "normalized difference from train at most "
        "{drift.normalized_abs_difference.threshold:number}",
        "raise normalized_abs_difference.threshold",
        "", _DIFFERENCE, "NORMALIZED_ABSOLUTE_DIFFERENCE"),
}  # fmt: skip
