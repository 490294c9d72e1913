"""Records that are not rows, and the reasons.

A reject has the record's position (source, first line or number of the row), the wrong column and
value, the reason as a short stable code, and the original record. A record of a file with types is
shown as JSON.
"""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

MAX_CHARS = 2_000

SCHEMA = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("column", pa.string()),
        pa.field("value", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("record", pa.string()),
    ]
)


class RejectReason(enum.IntEnum):
    """Why a record is rejected; `code` is its name in files.

    WRONG_FIELD_COUNT: more or fewer fields than the header has.
    UNCLOSED_QUOTE: a quote opens a value, and the next one is not at a value's end; only the line
      is rejected, not all up to the next quote.
    NOT_UTF8: a value's bytes are not UTF-8, or not of the source's encoding.
    CONTAINS_NUL: a value has the character NUL, which ends C strings.
    NOT_AN_INTEGER: an INT value that is not digits with an optional sign and `.0`.
    INTEGER_BEYOND_2_53: the absolute value is larger than 2^53: requests have integers as float64,
      which cannot represent such values exactly. Declare the column BYTES to keep them.
    NOT_A_NUMBER: a FLOAT value that is not a decimal number.
    NOT_FINITE: a FLOAT value that is infinite, or too large for float32.
    MISSING_LABEL: a column of the label is missing.
    NOT_JSON: the record is not JSON text.
    NOT_AN_OBJECT: the record is JSON, but not an object of columns; or what should hold the value
      of a nested column is not an object.
    NOT_TEXT: a BYTES value that is not text.
    MISSING_WEIGHT: the row's weight is missing.
    NEGATIVE_WEIGHT: the row's weight is below 0.
    MISSING_SPLIT: a column that decides the row's split is missing.
    REPEATED_KEY: a JSON object has a column's key more than once.
    NOT_A_BOOLEAN: a value that is neither of the two of a bool_domain.
    NOT_A_TIME: a value that is not a time in the format or unit of a time_domain, such as February
      30.
    TIME_TOO_FINE: a timestamp that the format or unit of its time_domain cannot write exactly.
    TIME_BEYOND_RANGE: a time more than 2^53 microseconds (285 years) from 1970.
    NOT_A_LIST: a value in JSON that is not a list, for a column of lists.
    MISSING_IN_LIST: a list has a missing value, such as null or an empty text.
    LIST_TOO_LONG: a list has more values than value_count.max of schema.pbtxt.
    NOT_AN_EXAMPLE: the record is not a tf.Example.
    SEVERAL_VALUES: a feature of a tf.Example has several values, for a column with one a row.
    """

    FITS = 0
    WRONG_FIELD_COUNT = 1
    UNCLOSED_QUOTE = 2
    NOT_UTF8 = 3
    CONTAINS_NUL = 4
    NOT_AN_INTEGER = 5
    INTEGER_BEYOND_2_53 = 6
    NOT_A_NUMBER = 7
    NOT_FINITE = 8
    MISSING_LABEL = 9
    NOT_JSON = 10
    NOT_AN_OBJECT = 11
    NOT_TEXT = 12
    MISSING_WEIGHT = 13
    NEGATIVE_WEIGHT = 14
    MISSING_SPLIT = 15
    REPEATED_KEY = 16
    NOT_A_BOOLEAN = 20
    NOT_A_TIME = 21
    TIME_TOO_FINE = 22
    TIME_BEYOND_RANGE = 23
    NOT_A_LIST = 30
    MISSING_IN_LIST = 31
    LIST_TOO_LONG = 32
    NOT_AN_EXAMPLE = 33
    SEVERAL_VALUES = 34

    @property
    def code(self) -> str:
        """The name of the reason in files: short, stable, snake_case."""
        return self.name.lower()


@dataclass(frozen=True)
class Reject:
    """A rejected record; `record` is its bytes. Without a wrong value, the other two are None."""

    source: str
    line: int
    column: str | None
    value: str | None
    reason: RejectReason
    record: bytes

    def row(self) -> tuple[str, int, str | None, str | None, str, str]:
        """Return the values in the order of `SCHEMA`, texts cut to `MAX_CHARS` characters."""
        value = None if self.value is None else self.value[:MAX_CHARS]
        return self.source, self.line, self.column, value, self.reason.code, self._text

    @property
    def raw(self) -> bytes | None:
        """The bytes of the record, if its text in `row` does not hold them all."""
        return None if self._text.encode() == self.record else self.record

    @property
    def _text(self) -> str:
        # a character has at most four bytes; bytes that are not UTF-8 become \xNN
        return self.record[: 4 * MAX_CHARS].decode("utf-8", "backslashreplace")[:MAX_CHARS]


def as_batch(rejects: Sequence[Reject]) -> pa.RecordBatch:
    """Return the rejects as one RecordBatch of `SCHEMA`."""
    columns = zip(*(r.row() for r in rejects), strict=True) if rejects else [[]] * len(SCHEMA)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def as_json(record: dict[str, Any]) -> bytes:
    r"""Return a record of typed values as a line of JSON.

    JSON has no times, decimals, bytes or infinities: these become text, and NaN becomes null.

    >>> as_json({"fare": float("inf"), "tip": None, "note": b"caf\xe9"})
    b'{"fare": "inf", "tip": null, "note": "caf\\\\xe9"}'
    """
    return json.dumps(_json_value(record), ensure_ascii=False).encode("utf-8", "backslashreplace")


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(each) for each in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
