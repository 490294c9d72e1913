"""The values to try in a column: those that often cause errors, and those near real ones.

The function takes a column, some of its real values, and the numbers at which its buckets end. It
returns values, each once. It is deterministic, so that a proof can be repeated.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import arrow_type
from components.parity import time_values
from components.parity.list_values import adversarial_lists
from components.raw_values import requested
from components.transform.treatments.protocol import Boundary
from schemas.columns import FLOAT32_END, LARGEST_INTEGER, Column
from schemas.types import BYTES, FLOAT, FLOAT_TEXT, INT

_MAX_FLOAT = float(np.finfo(np.float32).max)
# Some of TensorFlow's threads treat a smaller number as zero and others do not.
_LEAST_FLOAT = float(np.finfo(np.float32).tiny)
_SMALLEST = float(np.finfo(np.float32).smallest_subnormal)
_NEAR = 3  # real values that others are made from
_SHOWN = 5  # values of a list

_ADVERSARIAL: dict[str, tuple[Any, ...]] = {
    INT.name: (
        *(0, 1, -1, 2, -2, 7, 10, 24, 99, 100, 255, 256, 1_000, 65_535, 1_000_000),
        *(2**24, 2**24 + 1, -(2**24) - 1),  # beyond these, float32 does not have every integer
        *(2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32, 2**32 + 1),
        *(2**53 - 1, 2**53, -(2**53) + 1, -(2**53)),  # and beyond these, float64 does not
    ),
    FLOAT.name: (
        *(float("nan"), float("inf"), float("-inf"), _MAX_FLOAT, -_MAX_FLOAT),
        *(_LEAST_FLOAT, -_LEAST_FLOAT, _LEAST_FLOAT / 2, -_LEAST_FLOAT / 2, _SMALLEST),
        float(np.finfo(np.float32).eps),
        *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 100.0, -100.0, 1e6, 1e10, -1e10, 1e30, -1e30),
        *(2.0**24, 2.0**24 + 2, 2.0**31, 2.0**53, -(2.0**53)),
        *(float(np.float32(v)) for v in (0.1, 1 / 3, 1e-30, -1e-30, 1e-7, 16777.217)),
    ),
    FLOAT_TEXT.name: (
        *(float("nan"), _MAX_FLOAT, -_MAX_FLOAT, _LEAST_FLOAT, -_LEAST_FLOAT, _LEAST_FLOAT / 2),
        *(0.0, -0.0, 1.0, -1.0, 0.5, 100.0, 1e6, 1e10, -1e10, 1e30, -1e30, 0.1, 1 / 3, 1e-30),
        *(2.0**24 + 1, 2.0**31 + 0.5, 2.0**53 - 1, -(2.0**53), 1_700_000_000.123, 123.456789012345),
    ),
    BYTES.name: (
        *(b"", b" ", b"  ", b"\t", b"\n", b"never seen", b"another one never seen"),
        *(b"\x00", b"nul\x00inside", b"\x00\x00", b"line\nbreak\r\n", b"\t\x07\x1b[31m\x7f"),
        *(b"a\x1fb", b"\x1f"),  # the separator of crosses
        *(b"\xff\xfe\x80", b"\xc3\x28", b"cut off \xe6\x97"),  # not UTF-8
        *(text.encode() for text in ("naïve 日本 🚕", "e\u0301", "é", "İ", "ß", "ﬁ", "\u202eabc")),
        *(text.encode() for text in ("\ufeffabc", "\u200b", "\u00a0", "\U0010ffff")),
        *(b"nan", b"NaN", b"null", b"None", b"0", b"-1", b"1e5", b"true", b"[UNK]", b"?"),
        *(b"'", b'"', b'a,"b"', b"\\", b"\\x00", b'{"b64": "QQ=="}', b"<b>", b"%s", b"${x}"),
        *(b"x" * 255, b"x" * 4_096, b"x" * 100_000),
    ),
}


def adversarial_values(
    column: Column, seen: Sequence[Any], boundaries: Sequence[Boundary] = ()
) -> list[Any]:
    """Return the values to try: those of the column's kind, and changes of real ones.

    Args:
      column: the column.
      seen: some of its real values, or lists; None where missing.
      boundaries: numbers at which a bucket ends, and texts of which an output knows something;
        each is tried, and the values next to it.
    """
    if column.is_list:
        flat = [value for each in seen for value in each or ()]
        single = adversarial_values(replace(column, most=0), flat, boundaries)
        return adversarial_lists(column, seen, single)
    if column.type.is_boolean:
        return [v.encode() if isinstance(v, str) else v for v in column.booleans]
    real = list(dict.fromkeys(value for value in seen if value is not None))[:_NEAR]
    if column.type.is_time:
        tried = [
            *time_values.TIMES,
            *(other for value in real for other in time_values.near(value)),
        ]
        tried += [other for value in boundaries for other in time_values.around(float(value))]
        return time_values.writable(tried, column)
    near = [other for value in real for other in _near(column.kind, value)]
    ends = [other for value in boundaries for other in _around(column.kind, value)]
    values: dict[Any, Any] = {}  # by keys in which 0.0 and -0.0 differ
    for value in (*_ADVERSARIAL[column.kind], *near, *ends):
        if _is_accepted(value, column):
            values.setdefault(repr(value), value)
    return list(values.values())


def is_plain(value: Any) -> bool:
    r"""Whether files and messages can contain a value: not infinite, text in UTF-8 without NUL.

    >>> is_plain(2.5), is_plain(float("nan")), is_plain(float("inf")), is_plain(b"a\0")
    (True, True, False, False)
    """
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, float):
        return not math.isinf(value)
    if not isinstance(value, bytes):
        return True
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False


def _is_accepted(value: Any, column: Column) -> bool:
    """Return whether a row may have the value: ingest rejects larger numbers."""
    if column.type is FLOAT_TEXT:
        return not abs(value) >= FLOAT32_END
    return not isinstance(value, int) or abs(value) <= LARGEST_INTEGER


def _near(kind: str, value: Any) -> Iterator[Any]:
    """Yield values that a mistake could make of a real one."""
    if kind == BYTES.name:
        yield from (b" " + value, value + b" ", value + b"\n", value + b"\x00", value + value)
        yield from (value.swapcase(), value.lower(), value.upper(), value[:-1], value[1:])
        yield from (b'"' + value + b'"', value.replace(b" ", b"_"), value[::-1])
        text = value.decode(errors="ignore")
        yield unicodedata.normalize("NFC", text).encode()
        yield unicodedata.normalize("NFD", text).encode()
    elif kind == INT.name:
        yield from (value + 1, value - 1, -value, value * 10, value + 2**32)
    else:
        yield from _around(kind, value)
        changed = (-value, value * 10, value / 10, round(value, 1))
        yield from changed if kind == FLOAT_TEXT.name else _singles(changed)


def _around(kind: str, value: Boundary) -> Iterator[Any]:
    """Yield a number and its neighbours on both sides: one unit in the last place away.

    Of a text, yield what many programs take for the same.
    """
    if isinstance(value, bytes):
        yield from (value, value + b" ", value.swapcase())
    elif kind == INT.name:
        whole = math.floor(value)
        yield from (whole - 1, whole, whole + 1)
    elif kind in (FLOAT.name, FLOAT_TEXT.name):
        number = np.float32(value) if kind == FLOAT.name else np.float64(value)
        ends = np.array([-np.inf, np.inf], number.dtype)
        below, above = np.nextafter(number, ends)
        yield from map(float, (below, number, above))


def _singles(values: Iterable[float]) -> Iterator[float]:
    with np.errstate(over="ignore"):
        yield from (float(np.float32(value)) for value in values)


def as_requested(value: Any, column: Column | None) -> Any:
    """Return a value of examples as a request of a column carries it.

    >>> as_requested(86_400_000_000, Column("day", "TIME", serving=True, form=("UNIX_DAYS",)))
    1
    """
    if column is None or value is None or not column.type.is_time:
        return value
    return requested(pa.array([value], arrow_type(column)), column)[0].as_py()


def readable(value: Any, *, longest: int = 60) -> str:
    r"""Return a value in readable form, whatever characters it has.

    >>> readable(None), readable(b"a\x00b"), readable(2.5)
    ('missing', "'a\\x00b'", '2.5')
    """
    if value is None:
        return "missing"
    if isinstance(value, list):
        shown = ", ".join(readable(each, longest=longest // 3) for each in value[:_SHOWN])
        more = f", … ({len(value):,} values)" if len(value) > _SHOWN else ""
        return f"[{shown}{more}]"
    if isinstance(value, bytes):
        try:
            text = repr(value.decode())
        except UnicodeDecodeError:
            text = repr(value)
        cut = f"{text[:longest]}… ({len(value):,} bytes)"
        return text if len(text) <= longest else cut
    return str(value)
