"""The bodies that ask :predict: a JSON request → one array an input.

Two formats: rows ("instances") and columns ("inputs"). Promised: a request is complete and of the
signature's types, or refused with a message that names the row and the input.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.serve import diagnosis, example_proto, json_text
from components.serve.failures import RequestError, RowError
from components.serve.input_names import check_names, listed
from components.serve.messages import Arrays
from components.serve.shares import concatenated
from components.serve.signature import NUMPY_TYPES, Signature, Tensor
from components.serve.tensors import array_of, is_bytes

DEFAULT_SIGNATURE = "serving_default"

ROWS, _COLUMNS = "instances", "inputs"


@dataclass(frozen=True)
class Rows:
    """Rows of a request that have all inputs of a signature, their values not looked at yet.

    To make arrays takes about as long for one row as for a hundred, so the rows of all requests
    that wait are made arrays together.

    Attributes:
      rows: as JSON was parsed.
      order: of the inputs in all rows; None if it differs.
      signature: what they are for.
    """

    rows: list[dict[str, Any]]
    order: tuple[str, ...] | None
    signature: Signature

    def arrays(self) -> dict[str, np.ndarray]:
        """Return an array every input.

        Raises:
          RequestError: a value does not fit; the message names its row and input.
        """
        return {name: _column(name, self.rows, self.signature) for name in self.signature.inputs}


def joined(inputs: Sequence[Arrays | Rows]) -> Arrays:
    """Return the arrays of several requests to one signature as one array each.

    Raises:
      RequestError: a value does not fit, of whichever request.
    """
    rows = [each for each in inputs if isinstance(each, Rows)]
    if len(rows) == len(inputs) and len({each.order for each in rows}) == 1:
        with contextlib.suppress(RequestError):  # which does not name the row
            return _alike(rows)
    return concatenated([each.arrays() if isinstance(each, Rows) else each for each in inputs])


def _alike(requests: Sequence[Rows]) -> Arrays:
    """Return the arrays of rows that all have their inputs in one order, the fastest way."""
    order, tensors = requests[0].order, requests[0].signature.inputs
    if order is None:
        rows = [row for each in requests for row in each.rows]
        return Rows(rows, None, requests[0].signature).arrays()
    columns = zip(*(row.values() for each in requests for row in each.rows), strict=True)
    return {
        name: array_of(list(values), tensors[name], f"input {name!r}")
        for name, values in zip(order, columns, strict=True)
    }


@dataclass(frozen=True)
class Request:
    """A request as a model takes it.

    Attributes:
      inputs: an array an input, or rows to be made arrays.
      rows: how many rows these are; None if the signature is not made of rows.
      by_rows: whether the answer is to be given in rows.
    """

    inputs: Arrays | Rows
    rows: int | None
    by_rows: bool


def signature_name(document: Mapping[str, Any]) -> str:
    """Return the signature that a request asks for.

    Raises:
      RequestError: it is not named by a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise RequestError(f"'signature_name' is {json_text.kind(name)}; a string was expected")
    return name or DEFAULT_SIGNATURE


def parse(document: Mapping[str, Any], signature: Signature, *, optional: bool = False) -> Request:
    """Return the inputs of a request.

    Args:
      document: the parsed body.
      signature: the signature it asks.
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
        given = rows.arrays()
        check_examples(given, signature, ROWS)
        return Request(given, len(rows.rows) if signature.batched else None, by_rows=True)
    inputs = _of_columns(document[_COLUMNS], signature, left_out)
    check_examples(inputs, signature)
    return Request(inputs, count_rows(inputs, signature), by_rows=False)


def check_examples(inputs: Arrays, signature: Signature, rows: str | None = None) -> None:
    """Check that what a graph parses as tf.Examples are some; TensorFlow takes other bytes, too.

    Args:
      inputs: of the request.
      signature: that takes them.
      rows: the name of the list of rows in the request; None where it has columns.

    Raises:
      RequestError: one is none; the message names its row.
    """
    if signature.features is None:
        return
    for name, array in inputs.items():
        row = example_proto.first_unreadable(array.reshape(-1))
        if row is not None:
            problem = diagnosis.unreadable(name, array.reshape(-1)[row])
            raise RowError(row, problem).within(rows)


def _complete(rows: Any, signature: Signature, left_out: Mapping[str, Any]) -> Rows:
    """Check that every row has all inputs, and fill in those that may be left out."""
    if not isinstance(rows, list) or not rows:
        found = "an empty list" if rows == [] else json_text.kind(rows)
        raise RequestError(f"{ROWS!r} is {found}; a list of at least one row was expected")
    if not _named(rows[0]):
        rows = _of_values(rows, signature)
    order = tuple(rows[0])
    alike = set(map(type, rows)) == {dict} and list(map(tuple, rows)).count(order) == len(rows)
    if alike and rows[0].keys() == signature.inputs.keys():
        return Rows(rows, order, signature)  # as nearly all requests are
    complete = []
    for number, row in enumerate(rows):
        if not _named(row):
            raise RequestError(f"{_row(number)} is {json_text.kind(row)} among objects")
        if row.keys() == signature.inputs.keys():
            complete.append(row)
            continue
        check_names(row, signature, left_out, _row(number))
        complete.append({**left_out, **row})
    return Rows(complete, None, signature)


def _column(name: str, rows: list[dict[str, Any]], signature: Signature) -> np.ndarray:
    """Convert one input of all rows."""
    return _converted(name, [row[name] for row in rows], signature.inputs[name], f"{ROWS}[{{}}]")


def _converted(name: str, values: Any, tensor: Tensor, row: str) -> np.ndarray:
    """Convert the values of one input; where one does not fit, name its row.

    Args:
      name: of the input.
      values: as JSON was parsed.
      tensor: what they are for.
      row: what a row is called, with {} for its number.
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
    """Name the values of bare ones, which only a signature of one input takes."""
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
    """Return an array for every input, those that are missing filled with what stands for them.

    Raises:
      RequestError: there is no column at all.
    """
    if not given:
        raise RequestError(f"{_COLUMNS!r} has no column, so nothing tells how many rows there are")
    rows = max((len(array) for array in given.values() if array.ndim), default=1)
    return {
        name: given[name] if name in given else _filled(left_out[name], rows, tensor)
        for name, tensor in signature.inputs.items()
    }


def _filled(value: Any, rows: int, tensor: Tensor) -> np.ndarray:
    array = np.empty(rows, NUMPY_TYPES[tensor.dtype])
    array[:] = value
    return array


def count_rows(inputs: Mapping[str, np.ndarray], signature: Signature) -> int | None:
    """Return how many rows the inputs have; None if the signature is not made of rows.

    Raises:
      RequestError: they have not all as many.
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
