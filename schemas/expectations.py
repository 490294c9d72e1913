"""What schema.pbtxt wants of single values: whether they may be missing, and their domains.

A view of its own beside `schemas.columns`, so that a changed domain runs again what looks at
domains and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.strict import Strict

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2


class Expectation(Strict):
    """What is wanted of one raw column's values.

    Attributes:
      name: of the column.
      required: whether every row has to have a value: presence.min_fraction 1, or a shape. What
        presence.min_count wants is not about a single row.
      values: the domain's texts, if it lists them.
      minimum: the domain's lower bound, if it has one.
      maximum: the domain's upper bound, if it has one.
      description: the column's annotation, "" without.
    """

    name: str
    required: bool = False
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    description: str = ""


class Expectations(Strict):
    """Those of all columns, as a stage's parameter carries them."""

    columns: tuple[Expectation, ...] = ()


def expectations_of(schema: schema_pb2.Schema) -> Expectations:
    """Return what a schema wants of its columns' values, in its order."""
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
