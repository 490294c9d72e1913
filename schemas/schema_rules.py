"""Checks the values of a schema.pbtxt's fields, so that each field has an effect.

The error lists all wrong lines. A check that could never fail, such as one of a distance that is
never computed, is wrong, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from schemas.columns import (
    ENVIRONMENTS,
    MOST_VALUES,
    TRAINING,
    in_environment,
    kind_of,
    parse_as_written,
)
from schemas.domain_rules import domain_problems, type_of
from schemas.errors import ConfigError, did_you_mean
from schemas.schema_fields import Problem, unused_fields
from schemas.schema_lines import Path, line_of, lines_by_path
from schemas.types import BOOL, BOOL_TEXT, BYTES, FLOAT_TEXT, INT

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

_SHOWN = 20
_FOR_CATEGORIES = ("infinity_norm", "normalized_abs_difference")
_QUANTILES = "jensen_shannon_divergence { threshold: 0.1 source { type: QUANTILES } }"


def check_schema(text: str, *, where: str, compared: Collection[str]) -> None:
    """Check that every field of a schema has an effect.

    Args:
      text: the text of schema.pbtxt.
      where: its path.
      compared: the columns that `skewless skew` compares: the inputs of the model.

    Raises:
      ConfigError: a field has no effect, or an invalid value; lists all of them with line and
        remedy.
    """
    schema = parse_as_written(text, where=where)
    problems = [*unused_fields(schema), *_domains(schema), *_environments(schema)]
    for index, feature in enumerate(schema.feature):
        at: Path = (("feature", index),)
        problems += _feature(feature, at, {d.name for d in schema.string_domain})
        if feature.HasField("skew_comparator") and feature.name not in compared:
            problems.append(
                Problem(
                    (*at, ("skew_comparator", 0)),
                    "the model does not have this column, so requests are not compared by it",
                    "remove skew_comparator, or make the column a feature in pipeline.yaml",
                )
            )
    if problems:
        raise _error(problems, schema, text, where)


def _error(
    problems: list[Problem], schema: schema_pb2.Schema, text: str, where: str
) -> ConfigError:
    lines = lines_by_path(text)
    placed = sorted((line_of(lines, p.path) or 0, n, p) for n, p in enumerate(problems))
    shown = [
        f"schema.pbtxt:{line}: {_owner(schema, p.path)}{p.what}; {p.remedy}"
        for line, _, p in placed[:_SHOWN]
    ]
    if len(placed) > _SHOWN:
        shown.append(f"… and {len(placed) - _SHOWN} more")
    return ConfigError(
        "\n".join(shown),
        where=where,
        expected="fields that have an effect; docs/own-data.md lists them",
        remedy="correct the lines named above",
    )


def _owner(schema: schema_pb2.Schema, path: Path) -> str:
    name, index = path[0]
    return f"column {schema.feature[index].name!r}: " if name == "feature" else ""


def _domains(schema: schema_pb2.Schema) -> Iterator[Problem]:
    """Check the schema's own string domains: named once, filled and used."""
    used = {feature.domain for feature in schema.feature}
    names = [domain.name for domain in schema.string_domain]
    for index, domain in enumerate(schema.string_domain):
        at: Path = (("string_domain", index),)
        if not domain.value:
            yield Problem(at, f"string_domain {domain.name!r} has no value", "list its values")
        if domain.name in names[:index]:
            yield Problem(at, f"there are two domains {domain.name!r}", "rename or remove one")
        elif domain.name not in used:
            yield Problem(
                at,
                f"no column has the domain {domain.name!r}",
                f'write domain: "{domain.name}" into a feature, or remove it',
            )


def _environments(schema: schema_pb2.Schema) -> Iterator[Problem]:
    for index, name in enumerate(schema.default_environment):
        yield from _environment(name, (("default_environment", index),))
    for position, feature in enumerate(schema.feature):
        at: Path = (("feature", position),)
        for field in ("in_environment", "not_in_environment"):
            for index, name in enumerate(getattr(feature, field)):
                yield from _environment(name, (*at, (field, index)))
        for name in set(feature.in_environment) & set(feature.not_in_environment):
            yield Problem(
                (*at, ("in_environment", 0)),
                f"it is both in and not in the environment {name}",
                "remove one of the two",
            )
        if not in_environment(schema, feature, TRAINING):
            yield Problem(
                at,
                "it is not in the environment TRAINING, and every column is read for training",
                "name TRAINING in default_environment or in the feature's in_environment, or"
                " remove the feature",
            )


def _environment(name: str, at: Path) -> Iterator[Problem]:
    if name not in ENVIRONMENTS:
        yield Problem(
            at,
            f"there is no environment {name!r}; {did_you_mean(name, ENVIRONMENTS)}",
            "use TRAINING and SERVING",
        )


def _feature(feature: Any, at: Path, domains: Collection[str]) -> Iterator[Problem]:
    """Check everything about one column that depends on no other one, except its domain's name."""
    if not feature.name:
        yield Problem(at, "a feature has no name", 'write name: "COLUMN"')
    for rule in (_presence, _value_count, _distribution, _unique):
        yield from rule(feature, at)
    yield from domain_problems(feature, at, domains)
    for name in ("drift_comparator", "skew_comparator"):
        if feature.HasField(name):
            yield from _comparator(feature, getattr(feature, name), (*at, (name, 0)))


def _presence(feature: Any, at: Path) -> Iterator[Problem]:
    fraction, count = feature.presence.min_fraction, feature.presence.min_count
    if not 0 <= fraction <= 1:
        here = (*at, ("presence", 0), ("min_fraction", 0))
        yield Problem(here, f"min_fraction is {fraction:g}", "write a number from 0 to 1")
    if count < 0:
        here = (*at, ("presence", 0), ("min_count", 0))
        yield Problem(here, f"min_count is {count}", "write 0 or more")


def _value_count(feature: Any, at: Path) -> Iterator[Problem]:
    """Check how many values a row has: one, or a list of a bounded length."""
    kind = feature.WhichOneof("shape_type")
    if kind == "shape" and any(dim.size != 1 for dim in feature.shape.dim):
        yield Problem(
            (*at, (kind, 0)),
            "a shape is of one value a row here",
            "write shape { dim { size: 1 } }, or value_count { min: … max: … } for a list",
        )
    if kind != "value_count":
        return
    count, here = feature.value_count, (*at, (kind, 0))
    if not 1 <= count.max <= MOST_VALUES:
        yield Problem(
            here,
            f"max is {count.max}" if count.HasField("max") else "max is missing",
            f"write max: 1 for one value a row, or up to {MOST_VALUES:,} for a list",
        )
    elif not 0 <= count.min <= count.max:
        yield Problem(here, f"min {count.min} and max {count.max} are not a range", "swap them")
    elif count.max > 1 and kind_of(feature)[0] == FLOAT_TEXT.name:
        yield Problem(
            here,
            "a list of texts cannot have a float_domain",
            "write type: FLOAT for a list of numbers, or max: 1 for one number with all its digits",
        )


def _distribution(feature: Any, at: Path) -> Iterator[Problem]:
    if not feature.HasField("distribution_constraints"):
        return
    mass, here = feature.distribution_constraints.min_domain_mass, "distribution_constraints"
    if feature.WhichOneof("domain_info") not in ("domain", "string_domain"):
        yield Problem(
            (*at, (here, 0)), "min_domain_mass needs a list of values", "add a string_domain"
        )
    elif not 0 <= mass <= 1:
        yield Problem(
            (*at, (here, 0)), f"min_domain_mass is {mass:g}", "write a number from 0 to 1"
        )


def _unique(feature: Any, at: Path) -> Iterator[Problem]:
    if not feature.HasField("unique_constraints"):
        return
    unique, here = feature.unique_constraints, (*at, ("unique_constraints", 0))
    if not _is_category(feature):
        yield Problem(
            here,
            f"distinct values of a {type_of(feature)} column are not counted",
            "remove it, or, for an INT, add int_domain { is_categorical: true }",
        )
    elif not (unique.HasField("min") and unique.HasField("max")):
        yield Problem(here, "unique_constraints needs min and max", "write both")
    elif not 0 <= unique.min <= unique.max:
        yield Problem(here, f"min {unique.min} and max {unique.max} are not a range", "swap them")


def _comparator(feature: Any, comparator: Any, at: Path) -> Iterator[Problem]:
    """Check that the distance is computed for this column, and that its threshold can fail."""
    category = _is_category(feature)
    for measure in (*_FOR_CATEGORIES, "jensen_shannon_divergence"):
        here, options = (*at, (measure, 0)), getattr(comparator, measure)
        if not options.ListFields():
            continue  # absent or empty
        if not category and measure in _FOR_CATEGORIES:
            yield Problem(
                here,
                f"{measure} compares categories, and is always 0 for this {type_of(feature)}"
                " column",
                f"use {_QUANTILES}"
                + (
                    ", or add int_domain { is_categorical: true }"
                    if kind_of(feature)[0] == INT.name
                    else ""
                ),
            )
        elif not options.HasField("threshold") or not 0 <= options.threshold < 1:
            yield Problem(
                here,
                f"{measure} is between 0 and 1, and its threshold "
                + (f"is {options.threshold:g}" if options.HasField("threshold") else "is missing"),
                "write a threshold from 0 to below 1, such as threshold: 0.1",
            )
    yield from _source(comparator.jensen_shannon_divergence, category, at)


def _source(divergence: Any, category: bool, at: Path) -> Iterator[Problem]:
    if not divergence.HasField("source"):
        return
    here = (*at, ("jensen_shannon_divergence", 0), ("source", 0))
    if category:
        yield Problem(here, "the values of a category are not put into buckets", "remove source")
    elif divergence.source.ListFields() and not divergence.source.type:
        yield Problem(
            here, "the type DEFAULT has no meaning", "write type: STANDARD or type: QUANTILES"
        )


def _is_category(feature: Any) -> bool:
    """Return whether TFDV counts a column's values one by one."""
    kind, _ = kind_of(feature)
    return kind in (BYTES.name, BOOL.name, BOOL_TEXT.name) or feature.int_domain.is_categorical
