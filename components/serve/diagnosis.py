"""Finds out why a graph refused a request: the row, the input or feature, its value and type.

The result is a `RowError`, or None if no value is found to be wrong. TensorFlow's own error names
an op, and at best a column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from components import example_proto, list_matrices, request_values
from components.example_proto import Values
from components.export.signatures import (
    LISTS_TOO_LONG,
    MISSING_IN_LISTS,
    NOT_BOOLEANS,
    NOT_INTEGERS,
    NOT_NUMBERS,
    NOT_TIMES,
)
from components.serve.failures import RowError
from components.serve.json_text import excerpt
from components.serve.messages import Arrays
from components.serve.signature import ExampleFeature, Signature
from schemas.columns import Column
from schemas.types import INT

_NOTHING = Values("", ())


def fault(signature: Signature, inputs: Arrays, message: str) -> RowError | None:
    """Return the error for the first row with a value that does not fit.

    Args:
      signature: the signature whose graph refused.
      inputs: its inputs.
      message: the message of the graph.
    """
    if signature.features is not None:
        (name,) = inputs
        return _of_examples(name, inputs[name], signature.features)
    if any(problem in message for problem in (NOT_INTEGERS, NOT_BOOLEANS, NOT_NUMBERS, NOT_TIMES)):
        return _of_columns(signature, inputs)
    if MISSING_IN_LISTS in message or LISTS_TOO_LONG in message:
        return _of_lists(signature, inputs)
    return None


def first_refused(rows: int, refused: Callable[[slice], bool]) -> int | None:
    """Return the first row that a graph refuses by itself; None if there is none.

    Args:
      rows: the number of rows, which are refused as a whole.
      refused: returns whether a part of them is refused.
    """
    low, high = 0, rows  # the first refused row is in between
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refused(slice(low, middle)) else (middle, high)
    return low if rows and refused(slice(low, high)) else None


def _of_columns(signature: Signature, inputs: Arrays) -> RowError | None:
    rows: dict[str, tuple[int, Any, Column]] = {}
    for name, tensor in signature.inputs.items():
        array, numbers = inputs[name].reshape(-1), None
        column = request_values.column_of(tensor.column, array.dtype == INT.request)
        if column is None:
            continue
        if tensor.most:
            known = list_matrices.known(inputs[name])
            array, numbers = inputs[name][known], np.nonzero(known)[0]
        wrong = request_values.first_wrong(array.tolist(), column)
        if wrong is not None:
            row = wrong if numbers is None else int(numbers[wrong])
            rows[name] = (row, array[wrong], column)
    if not rows:
        return None
    name = min(rows, key=lambda name: rows[name][0])
    row, value, column = rows[name]
    expected = request_values.expected(column)
    return RowError(row, f"input {name!r}: {_shown(value)}, expected {expected}")


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return excerpt(value.decode(errors="replace"))
    return excerpt(value.item() if isinstance(value, np.generic) else value)


def _of_lists(signature: Signature, inputs: Arrays) -> RowError | None:
    found: list[tuple[int, str]] = []
    for name, tensor in signature.inputs.items():
        if not tensor.most:
            continue
        sizes = list_matrices.known(inputs[name]).sum(axis=1)
        for row in np.flatnonzero(sizes > tensor.most)[:1].tolist():
            expected = f"expected at most {tensor.most}"
            found.append((row, f"input {name!r}: a list of {sizes[row]} values, {expected}"))
        for row in np.flatnonzero(list_matrices.gaps(inputs[name]))[:1].tolist():
            expected = "expected the values first, and padding after them"
            found.append((row, f"input {name!r}: a missing value within a list, {expected}"))
    return RowError(*min(found)) if found else None


def _of_examples(
    name: str, examples: np.ndarray, features: Mapping[str, ExampleFeature]
) -> RowError | None:
    for row, serialised in enumerate(examples.reshape(-1).tolist()):
        example = example_proto.features_of(serialised)
        if example is None:
            return RowError(row, unreadable(name, serialised))
        problem = next(_misfits(example, features), None)
        if problem is not None:
            return RowError(row, problem)
    return None


def unreadable(name: str, serialised: bytes) -> str:
    """Return what is wrong with bytes that are not a tf.Example, given to this input."""
    size = len(serialised)
    return f"input {name!r}: {size} bytes that are not a tf.Example, expected a serialised one"


def _misfits(given: Mapping[str, Values], features: Mapping[str, ExampleFeature]) -> Iterator[str]:
    for name, feature in features.items():
        actual = given.get(name, _NOTHING)
        size = len(actual.values)
        if actual.dtype and actual.dtype != feature.dtype:
            yield f"feature {name!r}: values of {actual.dtype}, expected {feature.expected}"
        elif not feature.takes(size):
            values = f"{size} value{'s' * (size > 1)}" if size else "missing"
            yield f"feature {name!r}: {values}, expected {feature.expected}"
        elif size and feature.column is not None and feature.column.type is not INT:
            # The graph refuses no integer of an Example.
            wrong = request_values.first_wrong(actual.values, feature.column)
            if wrong is not None:
                expected = request_values.expected(feature.column)
                yield f"feature {name!r}: {_shown(actual.values[wrong])}, expected {expected}"
