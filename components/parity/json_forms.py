"""Raw columns as numpy arrays → values for JSON, as clients of TensorFlow Serving write them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson


def json_values(array: np.ndarray) -> list[Any]:
    """Return an array as values for JSON: text as text where it is UTF-8, else base64."""
    if array.dtype == object:
        return [_text(value) for value in array]
    if array.dtype != np.float32:
        return list(array.tolist())
    # orjson writes the shortest digits of a float32, and Python's float does not
    values = orjson.loads(
        orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY)
    )
    # The shortest digits of the largest float32 are larger than it as a double: TensorFlow Serving
    # refuses them, and so does our server.
    for at in np.flatnonzero(~(np.abs(array) < np.finfo(np.float32).max)):
        values[at] = float(array[at])
    return list(values)


def json_examples(feeds: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return raw columns as JSON examples.

    Missing values are left out of every other row, and given (as NaN or "") in those between, if
    the type has such a value.
    """
    examples: list[dict[str, Any]] = [{} for _ in next(iter(feeds.values()))]
    for name, array in feeds.items():
        whole = array.dtype == np.float64
        absent = missing(array)
        for row, (value, gone) in enumerate(zip(json_values(array), absent, strict=True)):
            if not gone or (row % 2 and not whole):
                examples[row][name] = int(value) if whole else value
    return examples


def missing(array: np.ndarray) -> np.ndarray:
    """Return, bool [rows], where a dense raw column has a missing value."""
    return np.asarray(array == b"" if array.dtype == object else np.isnan(array), bool)


def _text(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}
