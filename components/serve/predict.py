"""Parses the bodies of :predict: a JSON request → one array for each input.

There are two formats: rows ("instances") and columns ("inputs"). A request is complete and has the
signature's types, or it is refused with a message that names the row and the input.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components import example_proto
from components.serve import diagnosis, json_text, lists
from components.serve.failures import RequestError, RowError
from components.serve.input_names import check_names, listed
from components.serve.messages import Arrays
from components.serve.shares import concatenated
from components.serve.signature import NUMPY_TYPES, Signature, Tensor
from components.serve.tensors import array_of, is_bytes

DEFAULT_SIGNATURE = "serving_default"

ROWS, _COLUMNS = "instances", "inputs"


@dataclass(frozen=True)
class Instances:
    """Rows of a request with all inputs of a signature, whose values are not checked yet.

    Converting one row takes about as long as converting a hundred, so the rows of all waiting
    requests are converted together.

    Attributes:
      rows: the rows as parsed from JSON.
      order: the order of inputs in all rows; None if it differs.
      signature: the signature that takes them.
    """

    rows: list[dict[str, Any]]
    order: tuple[str, ...] | None
    signature: Signature

    def arrays(self) -> dict[str, np.ndarray]:
        """Return an array for every input.

        Raises:
          RequestError: a value does not fit; the message names its row and input.
        """
        return {name: _column(name, self.rows, self.signature) for name in self.signature.inputs}


def joined(inputs: Sequence[Arrays | Instances], of_lists: Collection[str] = ()) -> Arrays:
    """Return the arrays of several requests to one signature, joined.

    Args:
      inputs: of each request.
      of_lists: the names of inputs of lists, which are padded to one width.

    Raises:
      RequestError: a value does not fit, in any of the requests.
    """
    rows = [each for each in inputs if isinstance(each, Instances)]
    if len(rows) == len(inputs) and len({each.order for each in rows}) == 1:
        with contextlib.suppress(RequestError):  # its message would not name the row
            return _alike(rows)
    arrays = [each.arrays() if isinstance(each, Instances) else each for each in inputs]
    return concatenated(arrays, of_lists)


def _alike(requests: Sequence[Instances]) -> Arrays:
    """Return the arrays of rows with the same order of inputs, in the fastest way."""
    order, tensors = requests[0].order, requests[0].signature.inputs
    if order is None:
        rows = [row for each in requests for row in each.rows]
        return Instances(rows, None, requests[0].signature).arrays()
    columns = zip(*(row.values() for each in requests for row in each.rows), strict=True)
    return {
        name: array_of(list(values), tensors[name], f"input {name!r}")
        for name, values in zip(order, columns, strict=True)
    }


@dataclass(frozen=True)
class Request:
    """A parsed request.

    Attributes:
      inputs: an array for each input, or rows that are not converted yet.
      rows: the number of rows; None if the signature does not work on rows.
      by_rows: whether the answer has rows.
    """

    inputs: Arrays | Instances
    rows: int | None
    by_rows: bool


def signature_name(document: Mapping[str, Any]) -> str:
    """Return the name of the signature in a request.

    Raises:
      RequestError: the name is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise RequestError(f"'signature_name' is {json_text.kind(name)}; a string was expected")
    return name or DEFAULT_SIGNATURE


def parse(document: Mapping[str, Any], signature: Signature, *, optional: bool = False) -> Request:
    """Return the inputs of a request.

    Args:
      document: the parsed body.
      signature: the signature of the request.
      optional: whether inputs with a default may be left out.

    Raises:
      RequestError: the request does not fit the signature.
    """
    if (ROWS in document) == (_COLUMNS in document):
        raise RequestError(f"the body needs either {ROWS!r} (rows) or {_COLUMNS!r} (columns)")
    left_out = signature.left_out if optional else {}
    if ROWS in document:
        rows = _complete(document[ROWS], signature, left_out)
        if signature.batched and signature.features is None:
            return Request(rows, len(rows.rows), by_rows=True)
        arrays = rows.arrays()
        check_examples(arrays, signature, ROWS)
        return Request(arrays, len(rows.rows) if signature.batched else None, by_rows=True)
    inputs = _of_columns(document[_COLUMNS], signature, left_out)
    check_examples(inputs, signature)
    return Request(inputs, count_rows(inputs, signature), by_rows=False)


def check_examples(inputs: Arrays, signature: Signature, rows: str | None = None) -> None:
    """Check that inputs which a graph parses as tf.Examples are Examples; TensorFlow does not.

    Args:
      inputs: the inputs of the request.
      signature: the signature that takes them.
      rows: the name of the list of rows in the request; None if it has columns.

    Raises:
      RequestError: one is not; the message names its row.
    """
    if signature.features is None:
        return
    for name, array in inputs.items():
        row = example_proto.first_unreadable(array.reshape(-1))
        if row is not None:
            problem = diagnosis.unreadable(name, array.reshape(-1)[row])
            raise RowError(row, problem).within(rows)


def _complete(rows: Any, signature: Signature, left_out: Mapping[str, Any]) -> Instances:
    """Check that every row has all inputs, and fill in omitted optional ones."""
    if not isinstance(rows, list) or not rows:
        actual = "an empty list" if rows == [] else json_text.kind(rows)
        raise RequestError(f"{ROWS!r} is {actual}; a list of at least one row was expected")
    if not _named(rows[0]):
        rows = _of_values(rows, signature)
    order = tuple(rows[0])
    alike = set(map(type, rows)) == {dict} and list(map(tuple, rows)).count(order) == len(rows)
    if alike and rows[0].keys() == signature.inputs.keys():
        return Instances(rows, order, signature)  # the usual case
    complete = []
    for number, row in enumerate(rows):
        if not _named(row):
            raise RequestError(f"{_row(number)} is {json_text.kind(row)} among objects")
        if row.keys() == signature.inputs.keys():
            complete.append(row)
            continue
        check_names(row, signature, left_out, _row(number))
        complete.append({**left_out, **row})
    return Instances(complete, None, signature)


def _column(name: str, rows: list[dict[str, Any]], signature: Signature) -> np.ndarray:
    """Convert one input of all rows."""
    return _converted(name, [row[name] for row in rows], signature.inputs[name], f"{ROWS}[{{}}]")


def _converted(name: str, values: Any, tensor: Tensor, row: str) -> np.ndarray:
    """Convert the values of one input; if one does not fit, name its row.

    Args:
      name: the name of the input.
      values: the values as parsed from JSON.
      tensor: the tensor that receives them.
      row: the name of a row, with {} for its number.
    """
    try:
        return array_of(values, tensor, f"input {name!r}")
    except RequestError:
        if not tensor.batched or not isinstance(values, list):
            raise
        for number, value in enumerate(values):
            array_of(value, tensor.of_row, f"{row.format(number)}, input {name!r}")
        raise


def _of_values(rows: list[Any], signature: Signature) -> list[dict[str, Any]]:
    """Give plain values the input's name; only a signature with one input accepts them."""
    if len(signature.inputs) != 1:
        raise RequestError(
            f"{ROWS!r} holds plain values, but the signature has several inputs: objects with the"
            f" keys {listed(signature)} were expected"
        )
    for number, row in enumerate(rows):
        if _named(row):
            raise RequestError(f"{_row(number)} is an object among plain values")
    (name,) = signature.inputs
    return [{name: value} for value in rows]


def _of_columns(
    columns: Any, signature: Signature, left_out: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    if not _named(columns):
        if len(signature.inputs) != 1:
            raise RequestError(
                f"{_COLUMNS!r} is {json_text.kind(columns)}, but the signature has several inputs:"
                f" an object with the keys {listed(signature)} was expected"
            )
        columns = dict.fromkeys(signature.inputs, columns)
    check_names(columns, signature, left_out, repr(_COLUMNS))
    given = {
        name: _converted(name, columns[name], tensor, "row {}")
        for name, tensor in signature.inputs.items()
        if name in columns
    }
    return completed(given, signature, left_out)


def completed(
    given: Mapping[str, np.ndarray], signature: Signature, left_out: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return an array for every input; missing ones are filled with their defaults.

    Raises:
      RequestError: there are no columns.
    """
    if not given:
        raise RequestError(f"{_COLUMNS!r} has no columns, so the number of rows is unknown")
    rows = max((len(array) for array in given.values() if array.ndim), default=1)
    return {
        name: given[name] if name in given else _filled(left_out[name], rows, tensor)
        for name, tensor in signature.inputs.items()
    }


def _filled(value: Any, rows: int, tensor: Tensor) -> np.ndarray:
    if tensor.most:
        return lists.missing(rows, tensor)
    array = np.empty(rows, NUMPY_TYPES[tensor.dtype])
    array[:] = value
    return array


def count_rows(inputs: Mapping[str, np.ndarray], signature: Signature) -> int | None:
    """Return the number of rows of the inputs; None if the signature does not work on rows.

    Raises:
      RequestError: the inputs have different numbers of rows.
    """
    if not signature.batched:
        return None
    sizes = {name: len(array) for name, array in inputs.items()}
    if len(set(sizes.values())) != 1:
        name, size = min(sizes.items(), key=lambda item: item[1])
        longest = max(sizes.values())
        raise RequestError(f"input {name!r} has {size} values, where another has {longest}")
    return next(iter(sizes.values()))


def _named(value: Any) -> bool:
    return isinstance(value, dict) and not is_bytes(value)


def _row(number: int) -> str:
    return f"{ROWS}[{number}]"
