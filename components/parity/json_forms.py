"""Raw columns as numpy arrays → JSON, as clients of TensorFlow Serving write it.

A value is a text of JSON, and rows are joined from these: no Python object is made of each.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring_ascii

import numpy as np
import orjson

from components import list_matrices

_NAN = b"NaN"  # the most frequent of the values that orjson does not have


def ascii_text(value: bytes) -> bytes:
    """Return text as JSON of ASCII characters where it is UTF-8, else as base64."""
    try:
        return encode_basestring_ascii(value.decode()).encode()
    except UnicodeDecodeError:
        return b'{"b64": "%b"}' % base64.b64encode(value)


def json_values(array: np.ndarray, text: Callable[[bytes], bytes] = ascii_text) -> list[bytes]:
    """Return each value of an array as JSON; floats have the shortest digits of their type.

    Of a matrix of lists, each row is a list, or null.
    """
    if array.ndim == 2:
        return _json_lists(array, text)
    if array.dtype == object:
        listed_texts = array.tolist()
        texts = {value: text(value) for value in set(listed_texts)}  # columns repeat their values
        return [texts[value] for value in listed_texts]
    listed = orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY)
    values = listed[1:-1].split(b",")
    if array.dtype.kind == "f":
        # orjson has no NaN and no infinity. The shortest digits of the largest float32 are larger
        # than it as a double: TensorFlow Serving refuses them, and so does our server.
        odd = np.flatnonzero(~(np.abs(array) < np.finfo(array.dtype).max))
        for at, value in zip(odd.tolist(), array[odd].tolist(), strict=True):
            values[at] = _NAN if value != value else json.dumps(value).encode()
    return values


def json_columns(
    arrays: Mapping[str, np.ndarray], text: Callable[[bytes], bytes] = ascii_text
) -> dict[str, list[bytes]]:
    """Return the `json_values` of each column.

    Columns of a type are encoded together: a call takes as long as dozens of values.
    """
    names_of: dict[tuple[np.dtype, bool], list[str]] = {}
    for name, array in arrays.items():
        names_of.setdefault((array.dtype, array.ndim == 1), []).append(name)
    columns: dict[str, list[bytes]] = {}
    for (_, is_flat), names in names_of.items():
        if not is_flat:
            columns |= {name: json_values(arrays[name], text) for name in names}
            continue
        values = json_values(np.concatenate([arrays[name] for name in names]), text)
        ends = itertools.accumulate((len(arrays[name]) for name in names), initial=0)
        parts = itertools.pairwise(ends)
        columns |= {n: values[start:end] for n, (start, end) in zip(names, parts, strict=True)}
    return {name: columns[name] for name in arrays}


def _json_lists(matrix: np.ndarray, text: Callable[[bytes], bytes]) -> list[bytes]:
    known, gone = list_matrices.known(matrix), list_matrices.missing(matrix)
    values = json_values(as_whole(matrix[known]), text)
    ends = np.cumsum(known.sum(axis=1)).tolist()
    lists = (json_list(values[start:end]) for start, end in itertools.pairwise([0, *ends]))
    return [b"null" if absent else each for absent, each in zip(gone.tolist(), lists, strict=True)]


def json_rows(columns: Mapping[str, Sequence[bytes | None]]) -> list[bytes]:
    """Return a JSON object a row, without the values that are None."""
    keyed = []
    for name, values in columns.items():
        key = encode_basestring_ascii(name).encode() + b": "
        keyed.append([value and key + value for value in values])
    return [b"{%b}" % b", ".join(filter(None, row)) for row in zip(*keyed, strict=True)]


def json_list(values: Sequence[bytes]) -> bytes:
    """Return JSON texts as a JSON list."""
    return b"[%b]" % b", ".join(values)


def json_examples(feeds: Mapping[str, np.ndarray]) -> list[bytes]:
    """Return raw columns as JSON examples.

    Missing values are left out of every other row, and given (as NaN or "", or null for a list) in
    those between, if the type has such a value.
    """
    values = json_columns({name: as_whole(array) for name, array in feeds.items()})
    columns = {}
    for name, array in feeds.items():
        left_out = missing(array)
        if array.dtype != np.float64 or array.ndim == 2:
            left_out &= even_rows(array)
        columns[name] = without(values[name], left_out)
    return json_rows(columns)


def as_whole(array: np.ndarray) -> np.ndarray:
    """Return integers of a request, float64, as int64 with 0 for missing; others as they are.

    So are matrices of lists.
    """
    if array.dtype != np.float64 or array.ndim == 2:
        return array
    return np.where(np.isnan(array), 0, array).astype(np.int64)


def even_rows(array: np.ndarray) -> np.ndarray:
    """Return, bool [rows], every other row."""
    return np.arange(len(array)) % 2 == 0


def without(values: Sequence[bytes], left_out: np.ndarray) -> list[bytes | None]:
    """Return values with None in some rows."""
    return [None if gone else v for v, gone in zip(values, left_out.tolist(), strict=True)]


def missing(array: np.ndarray) -> np.ndarray:
    """Return, bool [rows], where a dense raw column has a missing value, or list."""
    if array.ndim == 2:
        return list_matrices.missing(array)
    return np.asarray(array == b"" if array.dtype == object else np.isnan(array), bool)
