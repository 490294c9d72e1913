"""The bodies of :classify and :regress: JSON examples → serialised tf.Examples, outputs → JSON.

A request is {"examples": [{…}], "context": {…}}. Features may be omitted; an example without a
feature has the context's. A value has the type that the graph parses for its feature, if that is
known, or its JSON type. TensorFlow is not imported. The wire format is written here, which takes
less time than protobuf (docs/decisions/0005-http-server.md).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from components.serve import json_text
from components.serve.failures import TOO_LARGE, RequestError
from components.serve.json_text import OutOfRange, excerpt
from components.serve.settings import Settings
from components.serve.signature import STRING, ExampleFeature, Signature
from components.serve.tensors import is_bytes, list_of, texts_of, to_bytes, written
from schemas.columns import FLOAT32_END, LARGEST_INTEGER

CLASSIFY, REGRESS = "classify", "regress"
_METHOD_NAMES = {method: f"tensorflow/serving/{method}" for method in (CLASSIFY, REGRESS)}

EXAMPLES, _CONTEXT, _RESULTS = "examples", "context", "results"
_CLASSES, _SCORES, _OUTPUTS = "classes", "scores", "outputs"

_MOST_REPEATED = 16 << 20  # bytes of a context, repeated for all examples

_INT64 = range(-(2**63), 2**63)

# The beginning of most fields: key and length, a byte each. Creating it each time takes twice as
# long.
_BYTES = [bytes([value]) for value in range(0x80)]
_HEADS = {number: [bytes([number << 3 | 2]) + size for size in _BYTES] for number in (1, 2, 3)}
# A serialised Feature of one float: a FloatList of one packed value.
_ONE_FLOAT = struct.Struct("<4sf").pack
_ONE_FLOAT_HEAD = _HEADS[2][6] + _HEADS[1][4]


def check_method(method: str, name: str, signatures: Mapping[str, Signature]) -> None:
    """Check that a signature is for :classify or :regress.

    Raises:
      RequestError: it is not; names those that are.
    """
    expected, signature = _METHOD_NAMES[method], signatures[name]
    if signature.method_name != expected:
        fitting = [n for n, s in sorted(signatures.items()) if s.method_name == expected]
        raise RequestError(
            f"signature {name!r} has the method_name {signature.method_name!r}; :{method} needs"
            f" {expected!r}, "
            + (
                f"which 'signature_name' may be: {', '.join(fitting)}"
                if fitting
                else "which no signature of this model has"
            )
        )
    if [tensor.dtype for tensor in signature.inputs.values()] != [STRING]:
        raise RequestError(f"signature {name!r} does not take serialised tf.Examples")


def check_size(examples: int, most: int, context: int) -> None:
    """Check, before the examples are created, that they are not too many or too large.

    Args:
      examples: the number of examples.
      most: the largest number in a request.
      context: bytes of the features that are repeated in each example.

    Raises:
      RequestError: they are.
    """
    if examples > most:
        raise RequestError(f"{examples} examples; at most {most} are taken at once", TOO_LARGE)
    if examples * context > _MOST_REPEATED:
        message = f"a context of {context} bytes is too large for {examples} examples"
        raise RequestError(message, TOO_LARGE)


def parse(
    document: Mapping[str, Any], signature: Signature, most: int = Settings.max_rows
) -> dict[str, np.ndarray]:
    """Return the single input of the signature: serialised tf.Examples, [rows].

    Args:
      document: the parsed body.
      signature: the signature that takes them.
      most: the largest number of examples in a request.

    Raises:
      RequestError: the body has no examples, too many, or values that a tf.Example cannot have.
    """
    known = signature.features or {}
    context = document.get(_CONTEXT, {})
    if _CONTEXT in document:
        context = _features(context, known, repr(_CONTEXT))
    rows = document.get(EXAMPLES)
    if not isinstance(rows, list) or not rows:
        actual = "an empty list" if rows == [] else json_text.kind(rows)
        actual = actual if EXAMPLES in document else "missing"
        raise RequestError(f"{EXAMPLES!r} is {actual}; a list of at least one object was expected")
    check_size(len(rows), most, sum(len(name) + len(value) for name, value in context.items()))
    keys: dict[bytes, bytes] = {}
    array = np.empty(len(rows), dtype=object)
    array[:] = [
        _example({**context, **_features(row, known, f"{EXAMPLES}[{number}]")}, keys)
        for number, row in enumerate(rows)
    ]
    (name,) = signature.inputs
    return {name: array}


def answer(method: str, outputs: Mapping[str, np.ndarray]) -> bytes:
    """Return the body with a value, or pairs of class and score, for each example.

    Raises:
      RequestError: the outputs do not fit the method.
    """
    if method == CLASSIFY:
        labels, scores = classes_of(outputs)
        texts = zip(
            texts_of(_CLASSES, labels.ravel()), texts_of(_SCORES, scores.ravel()), strict=True
        )
        pairs = [list_of(pair) for pair in texts]
        size = labels.shape[1]
        rows = [list_of(pairs[i * size : (i + 1) * size]) for i in range(len(labels))]
    else:
        rows = texts_of(_OUTPUTS, values_of(outputs))
    return b'{"%b":%b}' % (_RESULTS.encode(), list_of(rows))


def values_of(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the values of :regress, [rows].

    Raises:
      RequestError: the outputs do not fit the method.
    """
    array = outputs.get(_OUTPUTS)
    if array is None or array.ndim not in (1, 2) or array.size != len(array):
        raise RequestError(f"the signature gives no {_OUTPUTS!r} of one value an example")
    return array.reshape(-1)


def classes_of(outputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the results of :classify: labels (bytes) and scores, both [rows, classes].

    Either may be missing; then the labels are empty, or the scores 0.

    Raises:
      RequestError: the outputs do not fit the method.
    """
    labels, scores = outputs.get(_CLASSES), outputs.get(_SCORES)
    given = labels if labels is not None else scores
    if given is None or given.ndim != 2:
        raise RequestError(f"the signature gives no {_CLASSES!r} or {_SCORES!r} an example")
    if labels is None:
        labels = np.full(given.shape, b"", object)
    if scores is None:
        scores = np.zeros(given.shape)
    if labels.shape != scores.shape:
        shapes = f"{list(labels.shape)} and {list(scores.shape)}"
        raise RequestError(f"the signature gives {_CLASSES!r} and {_SCORES!r} of shapes {shapes}")
    return labels, scores


def _features(row: Any, known: Mapping[str, ExampleFeature], where: str) -> dict[bytes, bytes]:
    """Return an example's serialised features by name."""
    if not isinstance(row, dict):
        raise RequestError(f"{where} is {json_text.kind(row)}; an object was expected")
    features = {}
    for name, value in row.items():
        feature = known.get(name)
        if (
            type(value) is float  # the usual value, or NaN, for a FLOAT
            and feature is not None
            and feature.is_one_float
            and (-FLOAT32_END < value < FLOAT32_END or value != value)
        ):
            features[name.encode()] = _ONE_FLOAT(_ONE_FLOAT_HEAD, value)
            continue
        key = to_bytes(name, f"{where}, a feature's name")
        what = f"{where}, feature {name!r}"
        features[key] = _feature(_values(value, feature), feature, what)
    return features


def _values(value: Any, known: ExampleFeature | None) -> list[Any] | None:
    """Return a feature's values; None for null in place of a list, which is missing."""
    if value is None and known is not None and known.is_list:
        return None
    return value if isinstance(value, list) else [value]


def _feature(values: list[Any] | None, known: ExampleFeature | None, where: str) -> bytes:
    """Return a serialised Feature; without values it has no kind, unless it is an empty list.

    Its type is what the graph parses or, if that is unknown, the values' JSON type.
    """
    if not values:
        is_list = known is not None and known.is_list and values is not None
        return _EMPTY[known.dtype] if known is not None and is_list else b""
    if known is not None:
        if not known.takes(len(values)):
            raise RequestError(f"{where}: {len(values)} values, expected {known.expected}")
        if known.column is not None and known.column.type.is_read:
            values = [written(value, known.column) for value in values]
        convert = _OF_LISTS if known.is_list else _OF_KNOWN
        return convert[known.dtype](values, where)
    kinds = {_KINDS.get(type(value), _KINDS[str] if is_bytes(value) else None) for value in values}
    if len(kinds) != 1 or None in kinds:
        wrong = next((v for v in values if type(v) not in _KINDS and not is_bytes(v)), values[-1])
        raise RequestError(
            f"{where}: {excerpt(wrong)}; numbers with a point, numbers without, or"
            " strings were expected, and only one of these"
        )
    (kind,) = kinds
    return _LISTS[kind](values, where)


def _bytes_list(values: list[Any], where: str) -> bytes:
    return _field(1, b"".join(_field(1, to_bytes(value, where)) for value in values))


def _float_list(values: list[Any], where: str) -> bytes:
    """Return a FloatList of numbers, with a point or without: programs may write 12.0 as 12."""
    for value in values:
        if type(value) is not float and type(value) is not int:
            raise RequestError(_not_a_number(value, where, "a number for DT_FLOAT"))
        if abs(value) >= FLOAT32_END and abs(value) != math.inf:
            raise RequestError(f"{where}: {excerpt(value)} is beyond the range of DT_FLOAT")
    return _field(2, _field(1, struct.pack(f"<{len(values)}f", *values)))


def _int64_list(values: list[Any], where: str) -> bytes:
    return _field(3, _field(1, b"".join(_varint(_int64(v, where) % 2**64) for v in values)))


def _int64(value: Any, where: str) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_INTEGER:
        return int(value)
    if not isinstance(value, int):  # a boolean is an int, too
        raise RequestError(_not_a_number(value, where, "a whole number for DT_INT64"))
    if value not in _INT64:
        raise RequestError(f"{where}: {excerpt(value)} is beyond the range of DT_INT64")
    return value


def _integers(values: list[Any], where: str) -> bytes:
    """Return an Int64List; NaN means a missing value, as in :predict."""
    present = [value for value in values if value == value]  # only NaN differs from itself
    return _int64_list(present, where) if present else b""


def _not_a_number(value: Any, where: str, expected: str) -> str:
    if isinstance(value, OutOfRange):
        return f"{where}: {excerpt(value)} is beyond the range of {expected.rpartition(' ')[2]}"
    return f"{where}: {excerpt(value)}, expected {expected}"


# The kind of list in a ExampleFeature for a JSON value; a boolean counts as 0 or 1.
_KINDS: dict[type, str] = {str: "bytes", float: "float", int: "int64", bool: "int64"}
_LISTS: dict[str | None, Any] = {"bytes": _bytes_list, "float": _float_list, "int64": _int64_list}
# By the type that the graph parses.
_OF_KNOWN: dict[str, Any] = {
    STRING: _bytes_list,
    "DT_FLOAT": _float_list,
    "DT_INT64": _integers,
}


# The same for lists, in which no value may be missing, and their features without values.
_OF_LISTS: dict[str, Any] = {**_OF_KNOWN, "DT_INT64": _int64_list}
_EMPTY = {STRING: _HEADS[1][0], "DT_FLOAT": _HEADS[2][0], "DT_INT64": _HEADS[3][0]}


def _example(features: Mapping[bytes, bytes], keys: dict[bytes, bytes]) -> bytes:
    """Return a serialised tf.Example: a message of one field, the map of features.

    Args:
      features: each serialised, by name.
      keys: the names as fields of an entry; gets those that are not there yet.
    """
    entries: list[bytes] = []
    for name, feature in features.items():
        key = keys.get(name)
        if key is None:
            key = keys[name] = _field(1, name)
        size, total = len(feature), len(key) + 2 + len(feature)
        if total < 0x80:  # the usual entry
            entries += (_HEADS[1][total], key, _HEADS[2][size], feature)
        else:
            entries.append(_field(1, key + _field(2, feature)))
    return _field(1, b"".join(entries))


def _field(number: int, payload: bytes) -> bytes:
    """Return a length-delimited field of a protobuf message."""
    size = len(payload)
    head = _HEADS[number][size] if size < 0x80 else bytes([number << 3 | 2]) + _varint(size)
    return head + payload


def _varint(value: int) -> bytes:
    if value < 0x80:
        return _BYTES[value]
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
