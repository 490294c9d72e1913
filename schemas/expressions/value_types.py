"""The types of values in SQL expressions: which type a column has, and what converts to what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.columns import Column
from schemas.types import TYPES


@dataclass(frozen=True)
class ValueType:
    """A type of values.

    Attributes:
      name: as errors call it.
      sql: its name in SQL.
      element: of a list, the type of its values.
    """

    name: str
    sql: str
    element: ValueType | None = None


BOOLEAN = ValueType("boolean", "BOOLEAN")
INTEGER = ValueType("integer", "BIGINT")
NUMBER = ValueType("number", "DOUBLE")
TEXT = ValueType("text", "VARCHAR")
TIMESTAMP = ValueType("timestamp", "TIMESTAMP")  # in UTC, to the microsecond
DATE = ValueType("date", "DATE")
INTERVAL = ValueType("interval", "INTERVAL")  # of a constant number of microseconds
NULL = ValueType("null", "NULL")  # the constant alone

SCALARS = (BOOLEAN, INTEGER, NUMBER, TEXT, TIMESTAMP, DATE)

# What a value becomes where another type is needed, without a cast.
_WIDER = {INTEGER: NUMBER, DATE: TIMESTAMP}


def list_of(element: ValueType) -> ValueType:
    """Return the type of lists of such values."""
    return ValueType(f"list of {element.name}s", f"{element.sql}[]", element)


def type_of(column: Column) -> ValueType:
    """Return the type of a column's values.

    A boolean is BOOLEAN however files write it, and a time TIMESTAMP. The values of a list of
    booleans are as examples hold them: 0 and 1, or the two texts.

    >>> type_of(Column("tags", "BYTES", serving=True, most=9)).sql
    'VARCHAR[]'
    """
    kind = TYPES[column.kind]
    if kind.is_boolean and not column.is_list:
        scalar = BOOLEAN
    elif kind.is_time:
        scalar = TIMESTAMP
    elif kind.is_whole:
        scalar = INTEGER
    else:
        scalar = TEXT if kind.is_text else NUMBER
    return list_of(scalar) if column.is_list else scalar


def fits(given: ValueType, wanted: ValueType) -> bool:
    """Return whether a value of one type can stand where another is wanted."""
    return given in (wanted, NULL) or _WIDER.get(given) == wanted


def common(types: Sequence[ValueType]) -> ValueType | None:
    """Return the type that all can be converted to; None if there is none.

    >>> common([INTEGER, NULL, NUMBER]).name
    'number'
    """
    known = [each for each in types if each is not NULL]
    candidates = [*known, *(_WIDER[each] for each in known if each in _WIDER), NULL]
    return next((c for c in candidates if all(fits(each, c) for each in types)), None)


def is_castable(given: ValueType, wanted: ValueType) -> bool:
    """Return whether a cast between the two has a meaning."""
    if given in (wanted, NULL) or (given is TEXT and wanted in SCALARS):
        return True
    if wanted is TEXT:
        return given in SCALARS
    return any(
        {given, wanted} <= group for group in ({BOOLEAN, INTEGER, NUMBER}, {TIMESTAMP, DATE})
    )
