"""Finds the values of columns in JSON objects: by the key, or by a path into nested objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.sources.json_records import RepeatingObject
from components.sources.protocol import Selection
from schemas.columns import Column


@dataclass(frozen=True)
class JsonField:
    """A column, and where objects have its value.

    Attributes:
      column: the column; a key of its name has the value if the object has one that is not null.
      path: the keys of nested objects that have it otherwise, outermost first; empty if there is no
        dot in the name, or if an outer object is itself read as a column.
      is_key: whether the value is only passed on.
    """

    column: Column
    path: tuple[str, ...]
    is_key: bool


@dataclass(frozen=True)
class Repeated:
    """The result where a key that leads to a column occurs more than once."""


@dataclass(frozen=True)
class NoObject:
    """The result where something else stands for the object that has a nested column.

    Attributes:
      value: what stands there.
    """

    value: Any


def fields_of(selection: Selection) -> tuple[JsonField, ...]:
    """Return where the selected columns are, followed by the keys."""
    names = {column.name for column in selection.columns + selection.keys}
    return tuple(
        JsonField(column, _path(column.name, names), is_key)
        for columns, is_key in ((selection.columns, False), (selection.keys, True))
        for column in columns
    )


def _path(name: str, names: set[str]) -> tuple[str, ...]:
    path = tuple(name.split("."))
    outer = (".".join(path[:length]) for length in range(1, len(path)))
    return () if len(path) == 1 or names.intersection(outer) else path


def find(record: Mapping[str, Any], field: JsonField) -> Any:
    """Return a column's value in an object: None if missing, else JSON's, `Repeated` or `NoObject`.

    >>> fare = JsonField(Column("trip.fare", "FLOAT", True), ("trip", "fare"), False)
    >>> find({"trip": {"fare": 5}}, fare), find({"trip.fare": 7, "trip": {"fare": 5}}, fare)
    (5, 7)
    """
    value: Any = _get(record, field.column.name)
    if value is not None or not field.path:
        return value
    value = record
    for key in field.path:
        if value is None or type(value) is Repeated:
            return value
        if not isinstance(value, dict):
            return NoObject(value)
        value = _get(value, key)
    return value


def _get(record: Mapping[str, Any], key: str) -> Any:
    if isinstance(record, RepeatingObject) and key in record.repeated:
        return Repeated()
    return record.get(key)
