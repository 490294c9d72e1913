"""Avro's schemas → columns: a leaf of the records each, with its path, its type and its Arrow type.

Nested records are columns with dotted names. A union of null and a type is a column that may be
missing. What has no type of Arrow's for each row, such as a union of int and string, becomes one
that no column accepts, and is so refused with its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

_PRIMITIVES = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
}
_LOGICAL = {
    ("int", "date"): pa.date32(),
    ("int", "time-millis"): pa.time32("ms"),
    ("long", "time-micros"): pa.time64("us"),
    ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
    ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
    ("long", "timestamp-nanos"): pa.timestamp("ns", "UTC"),
    ("long", "local-timestamp-millis"): pa.timestamp("ms"),
    ("long", "local-timestamp-micros"): pa.timestamp("us"),
    ("long", "local-timestamp-nanos"): pa.timestamp("ns"),
}
_FLOATS = {pa.float32(), pa.float64()}
_DEEPEST = 8  # records within records, whose fields are columns
_DIGITS = ((38, pa.decimal128), (76, pa.decimal256))


@dataclass(frozen=True)
class AvroColumn:
    """A column of an Avro file.

    Attributes:
      name: the names of the fields that lead to it, with dots between them.
      path: the same, outermost first.
      arrow: its type.
    """

    name: str
    path: tuple[str, ...]
    arrow: pa.DataType


def columns_of(schema: Any) -> tuple[AvroColumn, ...]:
    """Return the columns of records with a schema, as JSON.

    Raises:
      OSError: the schema is not that of records.

    >>> fields = [{"name": "n", "type": ["null", "int"]}]
    >>> columns_of({"type": "record", "name": "r", "fields": fields})[0].arrow
    DataType(int64)
    """
    types = _Types()
    try:
        record = types.resolved(schema)
        if not _is_record(record):
            raise OSError("its values are not records")
        return tuple(_leaves(record, (), types))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise OSError(f"its schema is not one: {error}") from error


def without_logical_types(schema: Any) -> Any:
    """Return a schema whose values are decoded as they are stored, such as times to integers."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if key != "logicalType"}
        for key in ("type", "items", "values"):
            if key in kept:
                kept[key] = without_logical_types(kept[key])
        if "fields" in kept:
            kept["fields"] = [without_logical_types(field) for field in kept["fields"]]
        return kept
    return schema


class _Types:
    """The named types of a schema, which later parts of it mention by their names."""

    def __init__(self) -> None:
        self._named: dict[str, Mapping[str, Any]] = {}

    def resolved(self, schema: Any) -> Any:
        """Return a schema in which the outermost type is not a name."""
        if isinstance(schema, str) and schema not in _PRIMITIVES:
            return self._named[schema.rpartition(".")[2]]
        if isinstance(schema, dict):
            if isinstance(schema["type"], (dict, list)):  # {"type": {"type": "int"}}
                return self.resolved(schema["type"])
            if "name" in schema:
                self._named[schema["name"].rpartition(".")[2]] = schema
        return schema


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema["type"] in ("record", "error")


def _leaves(record: Any, path: tuple[str, ...], types: _Types) -> Iterator[AvroColumn]:
    for field in record["fields"]:
        inner = types.resolved(field["type"])
        names = (*path, field["name"])
        if isinstance(inner, list):
            real = [types.resolved(branch) for branch in inner if branch != "null"]
            if len(real) == 1:
                (inner,) = real
        if _is_record(inner) and len(names) <= _DEEPEST:
            yield from _leaves(inner, names, types)
        else:
            yield AvroColumn(".".join(names), names, _arrow(inner, types))


def _arrow(schema: Any, types: _Types, depth: int = 0) -> pa.DataType:
    schema = types.resolved(schema)
    if isinstance(schema, list):
        return _union([_arrow(b, types, depth + 1) for b in schema if b != "null"])
    if isinstance(schema, str):
        return _PRIMITIVES[schema]
    kind, logical = schema["type"], schema.get("logicalType")
    if kind in ("bytes", "fixed"):
        return _of_bytes(schema, logical)
    if kind == "enum":
        return pa.string()
    if kind == "array" and depth <= _DEEPEST:
        return pa.list_(_arrow(schema["items"], types, depth + 1))
    if kind == "map" and depth <= _DEEPEST:
        return pa.map_(pa.string(), _arrow(schema["values"], types, depth + 1))
    if kind not in _PRIMITIVES:
        return pa.struct([])
    return _LOGICAL.get((kind, logical), _PRIMITIVES[kind])


def _of_bytes(schema: Mapping[str, Any], logical: str | None) -> pa.DataType:
    if logical == "decimal":
        for digits, arrow in _DIGITS:
            if schema["precision"] <= digits:
                return arrow(schema["precision"], schema.get("scale", 0))
    return pa.binary(schema["size"]) if logical in ("duration", "uuid") else pa.binary()


def _union(branches: list[pa.DataType]) -> pa.DataType:
    kinds = set(branches)
    if kinds == _FLOATS:
        return pa.float64()
    if len(kinds) <= 1:
        return branches[0] if branches else pa.null()
    return pa.dense_union([pa.field(str(kind), kind) for kind in branches])
