"""The schema's requirements for single values: whether they may be missing, and their domains.

This is a separate view from `schemas.columns`, so that a changed domain re-runs only the stages
that use domains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.strict import Strict

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2


class Expectation(Strict):
    """The requirements for the values of one raw column.

    Attributes:
      name: the column's name.
      required: whether every row needs a value: presence.min_fraction 1, or a shape. Not
        presence.min_count, which is not about a single row.
      values: the texts of the domain, if it lists them.
      minimum: the lower bound of the domain, if it has one.
      maximum: the upper bound of the domain, if it has one.
      description: the column's annotation, or "".
    """

    name: str
    required: bool = False
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    description: str = ""


class Expectations(Strict):
    """The expectations of all columns, for a stage's parameter."""

    columns: tuple[Expectation, ...] = ()


def expectations_of(schema: schema_pb2.Schema) -> Expectations:
    """Return the expectations of a schema's columns, in its order."""
    domains = {d.name: tuple(d.value) for d in schema.string_domain}
    return Expectations(columns=tuple(_expectation(f, domains) for f in schema.feature))


def _expectation(feature: schema_pb2.Feature, domains: dict[str, tuple[str, ...]]) -> Expectation:
    values = domains.get(feature.domain)
    if feature.HasField("string_domain"):
        values = tuple(feature.string_domain.value)
    if feature.HasField("bool_domain"):
        values = (feature.bool_domain.false_value, feature.bool_domain.true_value)
    minimum = maximum = None
    for name in ("int_domain", "float_domain"):
        if feature.HasField(name):
            domain = getattr(feature, name)
            minimum = float(domain.min) if domain.HasField("min") else None
            maximum = float(domain.max) if domain.HasField("max") else None
    return Expectation(
        name=feature.name,
        required=feature.presence.min_fraction >= 1 or feature.HasField("shape"),
        values=values,
        minimum=minimum,
        maximum=maximum,
        description=" ".join(feature.annotation.comment),
    )
