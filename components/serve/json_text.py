"""JSON as in TensorFlow Serving: standard JSON with NaN, Infinity and -Infinity.

Any other bytes are refused with a `RequestError`. A number is the same with both parsers: a whole
number of 64 bits is an int, any other number the nearest float, and one beyond the largest float an
`OutOfRange`.
"""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

from components.serve.failures import RequestError

_INT64_MIN, _UINT64_END = -(2**63), 2**64
_SAFE_DIGITS = 18  # any whole number with so many digits fits into 64 bits

# Patterns in a body, with all digits and letters made alike: a number that Python parses
# differently from orjson contains one of these.
_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_ODD = (b"0" * (_SAFE_DIGITS + 1), b"e000", b"e+000")


class OutOfRange:
    """A number too large for a float, such as 1e400; no input accepts it.

    Args:
      text: its text in the body.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def loads_object(body: bytes) -> dict[str, Any]:
    """Parse a request's body, which must be one JSON object.

    Raises:
      RequestError: it is not.
    """
    if not body:
        raise RequestError("JSON parse error: the body is empty; a JSON object was expected")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _loads_extended(body)
    if not isinstance(value, dict):
        raise RequestError(f"the body is {kind(value)}; a JSON object was expected")
    return value


def _loads_extended(body: bytes) -> Any:
    """Parse with NaN and Infinity, which orjson refuses; gives readable messages."""
    alike = body.translate(_ALIKE)
    # The hooks take as long as the rest, and few bodies need them.
    decoder = _exact if any(odd in alike for odd in _ODD) else _plain
    try:
        return decoder.decode(body.decode())
    except UnicodeDecodeError as error:
        raise RequestError(f"JSON parse error: the body is not UTF-8: {error}") from None
    except ValueError as error:
        raise RequestError(f"JSON parse error: {error}") from None
    except RecursionError:
        raise RequestError("JSON parse error: nested too deeply") from None


def _number(text: str) -> float | OutOfRange:
    value = float(text)
    return value if math.isfinite(value) else OutOfRange(text)


def _whole_number(text: str) -> int | float | OutOfRange:
    if len(text) > _SAFE_DIGITS + 2:  # more than 64 bits, and maybe more than Python converts
        return _number(text)
    value = int(text)
    return value if _INT64_MIN <= value < _UINT64_END else _number(text)


_plain = json.JSONDecoder()
_exact = json.JSONDecoder(parse_float=_number, parse_int=_whole_number)


def dumps(document: Any) -> bytes:
    """Encode a document whose numbers are all finite."""
    return orjson.dumps(document)


def error(message: str) -> bytes:
    """Return the body of an error."""
    # A message may quote a lone surrogate, which cannot be encoded.
    return dumps({"error": message.encode(errors="backslashreplace").decode()})


def kind(value: object) -> str:
    """Return JSON's name for the type of a value, with its article.

    >>> kind(None), kind([1]), kind(3.0)
    ('null', 'a list', 'a number')
    """
    kinds: dict[type, str] = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else kinds.get(type(value), "a number")


def excerpt(value: object, length: int = 80) -> str:
    """Return a value as JSON, shortened for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    # Only the beginning is encoded: a list may be long, and nested deeper than an encoder allows.
    text = repr(value) if isinstance(value, (str, float, int, OutOfRange)) else kind(value)
    return text if len(text) <= length else text[: length - 1] + "…"
