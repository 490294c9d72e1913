"""Checks the domain of one column: it fits the type, and can be what it says.

See `schemas.schema_rules`, which checks everything else.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

from schemas.columns import kind_of
from schemas.errors import did_you_mean
from schemas.schema_fields import Problem
from schemas.schema_lines import Path
from schemas.time_formats import UNITS, TimeFormat
from schemas.types import BYTES, INT, TIME, TIME_TEXT, WRITTEN

_FOR_BOTH = ("bool_domain", "time_domain")  # of an INT and of BYTES
_ALSO_TEXT = "float_domain"  # of a FLOAT, and of BYTES that are numbers
_TWO_TEXTS = 'write true_value and false_value, such as true_value: "yes" false_value: "no"'


def domain_problems(feature: Any, at: Path, domains: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong with a column's domain.

    Args:
      feature: the column.
      at: its path.
      domains: the names of the schema's string domains.
    """
    for rule in (_bounds, _booleans, _times):
        yield from rule(feature, at)
    yield from _domain_of(feature, at, domains)


def _domain_of(feature: Any, at: Path, domains: Collection[str]) -> Iterator[Problem]:
    kind = feature.WhichOneof("domain_info")
    accepted = [each.name for each in WRITTEN.values() if kind in each.domains]
    if kind in _FOR_BOTH:
        accepted = [INT.name, BYTES.name]
    elif kind == _ALSO_TEXT:
        accepted += [BYTES.name]
    if not accepted:
        return  # none, or one that is refused anyway
    here = (*at, (kind, 0))
    if type_of(feature) not in accepted:
        yield Problem(
            here,
            f"{kind} does not fit the type {type_of(feature)}",
            f"it is for {' and '.join(accepted)}: use the domain of the type, or correct the type",
        )
    elif kind == "domain" and feature.domain not in domains:
        yield Problem(
            here,
            f"there is no string_domain {feature.domain!r}"
            + (f"; {did_you_mean(feature.domain, domains)}" if domains else ""),
            f'write string_domain {{ name: "{feature.domain}" value: … }}, or correct the name',
        )


def _bounds(feature: Any, at: Path) -> Iterator[Problem]:
    kind = feature.WhichOneof("domain_info")
    if kind not in ("int_domain", "float_domain"):
        return
    domain, here = getattr(feature, kind), (*at, (kind, 0))
    bounds = [getattr(domain, name) for name in ("min", "max") if domain.HasField(name)]
    if not all(map(math.isfinite, bounds)):
        yield Problem(here, "a bound is not a finite number", "leave out what is not bounded")
    elif len(bounds) == 2 and bounds[0] > bounds[1]:
        yield Problem(here, f"min {bounds[0]:g} is above max {bounds[1]:g}", "swap the two")


def _booleans(feature: Any, at: Path) -> Iterator[Problem]:
    if not feature.HasField("bool_domain") or type_of(feature) not in (INT.name, BYTES.name):
        return
    names = [feature.bool_domain.true_value, feature.bool_domain.false_value]
    here = (*at, ("bool_domain", 0))
    if any(names) and "" in names:
        yield Problem(here, "only one of the two texts of a boolean is given", _TWO_TEXTS)
    elif any(names) and names[0] == names[1]:
        yield Problem(here, "the two texts of a boolean are equal", _TWO_TEXTS)
    elif type_of(feature) == BYTES.name and not any(names):
        yield Problem(
            here,
            "the two texts of a BYTES column are missing",
            f"{_TWO_TEXTS}, or, for 0 and 1, type: INT",
        )


def _times(feature: Any, at: Path) -> Iterator[Problem]:
    if not feature.time_domain.WhichOneof("format"):
        return  # no domain, or an empty one, which is refused as such
    here = (*at, ("time_domain", 0))
    kind, form = kind_of(feature)
    if kind == TIME.name and form[0] not in UNITS:
        yield Problem(
            here,
            f"{form[0]} is not a unit of times here",
            f"use one of {', '.join(UNITS)}: requests hold times as float64, which has no"
            " nanoseconds",
        )
    elif kind == TIME_TEXT.name:
        try:
            TimeFormat.of(form[0])
        except ValueError as error:
            yield Problem((*here, ("string_format", 0)), str(error), "change the format")
    elif kind != TIME.name and type_of(feature) in (INT.name, BYTES.name):
        yield Problem(
            here,
            f"it does not say how a time is written as {type_of(feature)}",
            "write time_domain { integer_format: UNIX_SECONDS } for an INT, or time_domain"
            ' { string_format: "%Y-%m-%d %H:%M:%S" } for BYTES',
        )


def type_of(feature: Any) -> str:
    """Return the name in `type`."""
    from schemas.schema_proto import schema_pb2

    name: str = schema_pb2.FeatureType.Name(feature.type)
    return name
