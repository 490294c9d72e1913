"""Why a graph refused a request: the row, the input or feature, what it holds and what fits.

Goes in: what a signature was given, after its graph refused it. Comes out: a `RowError`, or nothing
where no value is found at fault. TensorFlow names an op, and at best a column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from components.export.signatures import NOT_INTEGERS
from components.serve import example_proto
from components.serve.example_proto import Values
from components.serve.failures import RowError
from components.serve.messages import Arrays
from components.serve.signature import Feature, Signature
from schemas.columns import LARGEST_INTEGER

_NOTHING = Values("", ())
_INTEGERS = "DT_DOUBLE"  # how our exports take integers


def fault(signature: Signature, inputs: Arrays, message: str) -> RowError | None:
    """Return what is wrong with the first row that has a value which does not fit.

    Args:
      signature: whose graph refused.
      inputs: that it was given.
      message: what the graph said.
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
      rows: how many there are, of which all together are refused.
      refused: whether some of them are.
    """
    low, high = 0, rows  # the first that is refused lies between
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refused(slice(low, middle)) else (middle, high)
    return low if rows and refused(slice(low, high)) else None


def _of_integers(signature: Signature, inputs: Arrays) -> RowError | None:
    rows: dict[str, int] = {}
    for name, tensor in signature.inputs.items():
        if tensor.dtype == _INTEGERS:
            array = inputs[name].reshape(-1)
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
    name: str, examples: np.ndarray, features: Mapping[str, Feature]
) -> RowError | None:
    for row, serialised in enumerate(examples.reshape(-1).tolist()):
        given = example_proto.features_of(serialised)
        if given is None:
            return RowError(row, unreadable(name, serialised))
        problem = next(_misfits(given, features), None)
        if problem is not None:
            return RowError(row, problem)
    return None


def unreadable(name: str, serialised: bytes) -> str:
    """Return what is wrong with bytes that are not a tf.Example, as an input of this name."""
    size = len(serialised)
    return f"input {name!r}: {size} bytes that are not a tf.Example, expected a serialised one"


def _misfits(given: Mapping[str, Values], features: Mapping[str, Feature]) -> Iterator[str]:
    for name, feature in features.items():
        found = given.get(name, _NOTHING)
        size = len(found.values)
        if found.dtype and found.dtype != feature.dtype:
            yield f"feature {name!r}: values of {found.dtype}, expected {feature.expected}"
        elif not feature.takes(size):
            values = f"{size} value{'s' * (size > 1)}" if size else "missing"
            yield f"feature {name!r}: {values}, expected {feature.expected}"
