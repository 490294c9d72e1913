"""Finds out why a graph refused a request: the row, the input or feature, its value and type.

The result is a `RowError`, or None if no value is found to be wrong. TensorFlow's own error names
an op, and at best a column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from components.export.signatures import NOT_INTEGERS
from components.serve import example_proto
from components.serve.example_proto import Values
from components.serve.failures import RowError
from components.serve.messages import Arrays
from components.serve.signature import ExampleFeature, Signature
from schemas.columns import LARGEST_INTEGER
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
    if NOT_INTEGERS in message:
        return _of_integers(signature, inputs)
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


def _of_integers(signature: Signature, inputs: Arrays) -> RowError | None:
    rows: dict[str, int] = {}
    for name in signature.inputs:
        array = inputs[name].reshape(-1)
        if array.dtype == INT.request:
            whole = (array == np.floor(array)) & (np.abs(array) <= LARGEST_INTEGER)
            wrong = np.flatnonzero(~(whole | np.isnan(array)))
            if wrong.size:
                rows[name] = int(wrong[0])
    if not rows:
        return None
    name = min(rows, key=lambda name: rows[name])
    value = inputs[name].reshape(-1)[rows[name]].item()
    return RowError(
        rows[name],
        f"input {name!r}: {value!r}, expected a whole number within ±2**53, or NaN where it is"
        " missing",
    )


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
