"""Raw columns as every stage sees them: a plain view of schema.pbtxt.

Reads a TFMD schema (text proto), promises a tuple of `Column` values and errors that name the
line. Stages take this view rather than the schema, so that a changed domain or threshold re-runs
the validation alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from schemas.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

SERVING = "SERVING"
TRAINING = "TRAINING"


@dataclass(frozen=True)
class Column:
    """One raw column.

    Attributes:
      name: as in the table's header.
      kind: "INT" (int64), "FLOAT" (float32) or "BYTES" (UTF-8 text).
      serving: whether a request carries it; False for columns known only afterwards.
    """

    name: str
    kind: str
    serving: bool


def parse_schema(text: str, *, where: str) -> schema_pb2.Schema:
    """Parse the text of a schema.pbtxt.

    Raises:
      ConfigError: the text is no TFMD schema; names the line.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    try:
        return text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError as error:
        raise ConfigError(
            f"schema.pbtxt does not parse: {error}",
            where=where,
            expected="a TensorFlow Metadata schema in text form",
            remedy="correct the line named above",
        ) from error


def columns_of(schema: schema_pb2.Schema, *, where: str) -> tuple[Column, ...]:
    """Return the schema's columns in its order.

    Raises:
      ConfigError: a column is named twice, or has a type that examples cannot hold.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    columns: dict[str, Column] = {}
    for feature in schema.feature:
        kind = schema_pb2.FeatureType.Name(feature.type)
        if kind not in ("INT", "FLOAT", "BYTES"):
            raise ConfigError(
                f"column {feature.name!r} has type {kind}",
                where=where,
                expected="INT, FLOAT or BYTES",
                remedy=f"set `type:` of {feature.name!r}",
            )
        if feature.name in columns:
            raise ConfigError(f"column {feature.name!r} is described twice", where=where)
        columns[feature.name] = Column(feature.name, kind, _in_serving(schema, feature))
    return tuple(columns.values())


def _in_serving(schema: schema_pb2.Schema, feature: schema_pb2.Feature) -> bool:
    """TFDV's rule: out if listed as such, in if listed, else as the default environments say."""
    if SERVING in feature.not_in_environment:
        return False
    if SERVING in feature.in_environment:
        return True
    return not schema.default_environment or SERVING in schema.default_environment


def find(columns: Iterable[Column], name: str, *, where: str) -> Column:
    """Return the column of that name.

    Raises:
      ConfigError: there is none; names the nearest one.
    """
    by_name = {c.name: c for c in columns}
    if name not in by_name:
        raise ConfigError(
            f"there is no column {name!r} in schema.pbtxt; {did_you_mean(name, by_name)}",
            where=where,
        )
    return by_name[name]


def dumps(columns: Iterable[Column]) -> str:
    """Return the columns as one JSON string, for a stage's parameters."""
    return json.dumps([asdict(c) for c in columns])


def loads(text: str) -> tuple[Column, ...]:
    """Read what `dumps` wrote."""
    return tuple(Column(**c) for c in json.loads(text))
