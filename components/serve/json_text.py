"""JSON as TensorFlow Serving speaks it: standard JSON, and NaN, Infinity and -Infinity besides.

Promised: bytes that are not such JSON are refused with a `RequestError`, whatever they are.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from components.serve.failures import RequestError


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
    """Parse with NaN and Infinity, which orjson refuses; the message is for a person."""
    try:
        return json.loads(body.decode())
    except UnicodeDecodeError as error:
        raise RequestError(f"JSON parse error: the body is not UTF-8: {error}") from None
    except ValueError as error:  # also a number of more digits than Python converts
        raise RequestError(f"JSON parse error: {error}") from None
    except RecursionError:
        raise RequestError("JSON parse error: nested too deeply") from None


def dumps(document: Any) -> bytes:
    """Encode a document in which every number is finite."""
    return orjson.dumps(document)


def error(message: str) -> bytes:
    """Return the body of an error."""
    # A message may quote a lone surrogate, which no encoder of bytes takes.
    return dumps({"error": message.encode(errors="backslashreplace").decode()})


def kind(value: object) -> str:
    """Return what JSON calls a value, with its article.

    >>> kind(None), kind([1]), kind(3.0)
    ('null', 'a list', 'a number')
    """
    kinds: dict[type, str] = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else kinds.get(type(value), "a number")


def excerpt(value: object, length: int = 80) -> str:
    """Return a value as JSON, cut to what a message has room for."""
    # Only the start is written: a list may be long, and nested deeper than an encoder goes.
    text = repr(value) if isinstance(value, (str, float, int)) else kind(value)
    return text if len(text) <= length else text[: length - 1] + "…"
