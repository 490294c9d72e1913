"""A PredictionLog → the rows that were asked, by column.

The log of one request, with any signature, gives a value for each row and column, None if it is
missing. A value that no column can hold raises `UnreadableError`, or is counted if it is in one row
of several. Nothing of a record is used before all of it is known to be readable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.example import example_pb2

from components.tfrecords import parsed
from components.validate import logged_lists
from components.validate.logged_lists import UnreadableError as UnreadableError
from schemas.columns import LARGEST_INTEGER, Column

_STRING = 7  # of types.proto
# Which field of a TensorProto holds its values, by type; other types are rare, and left to numpy.
_FIELDS = {1: "float_val", 2: "double_val", 3: "int_val", _STRING: "string_val", 9: "int64_val"}
_MOST_VALUES = 1 << 24  # of a tensor, of which one value may stand for all others


@dataclass
class LoggedRows:
    """The rows of a request.

    Attributes:
      size: how many there are.
      columns: a value a row by column, None where it is missing; empty if there is no row.
      signature: that was asked.
      ignored: names that are not columns, with their rows.
      unreadable: further rows, which cannot be read.
    """

    size: int = 0
    columns: dict[str, list[Any]] = field(default_factory=dict)
    signature: str = ""
    ignored: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0

    def ignore(self, names: Iterable[str], rows: int) -> None:
        """Note that inputs of these names are not columns."""
        for name in names:
            self.ignored[name] = self.ignored.get(name, 0) + rows


def rows_of(log: Any, columns: Mapping[str, Column]) -> LoggedRows:
    """Return the rows of a PredictionLog.

    Args:
      log: the message.
      columns: those that are wanted, by name.

    Raises:
      UnreadableError: it holds values that the columns cannot.
    """
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        return _of_predict(log.predict_log.request, columns)
    if kind == "predict_streamed_log":
        return _merged([_of_predict(each, columns) for each in log.predict_streamed_log.request])
    if kind in ("classify_log", "regress_log"):
        request = getattr(log, kind).request
        return _named(_of_input(request.input, columns), request.model_spec)
    if kind == "multi_inference_log" and log.multi_inference_log.request.tasks:
        request = log.multi_inference_log.request
        return _named(_of_input(request.input, columns), request.tasks[0].model_spec)
    return LoggedRows()


def _of_predict(request: Any, columns: Mapping[str, Column]) -> LoggedRows:
    return _named(_of_inputs(request.inputs, columns), request.model_spec)


def _named(rows: LoggedRows, spec: Any) -> LoggedRows:
    rows.signature = spec.signature_name or "serving_default"
    return rows


def _merged(parts: Sequence[LoggedRows]) -> LoggedRows:
    """Return the rows of several requests as those of one."""
    whole = LoggedRows()
    for part in parts:
        whole.signature = part.signature
        if part.size:
            for name, values in part.columns.items():
                whole.columns.setdefault(name, []).extend(values)
        for name, rows in part.ignored.items():
            whole.ignore([name], rows)
        whole.size += part.size
        whole.unreadable += part.unreadable
    return whole


def _of_inputs(inputs: Mapping[str, Any], columns: Mapping[str, Column]) -> LoggedRows:
    if len(inputs) == 1 and not set(inputs) & columns.keys():
        (proto,) = inputs.values()
        if proto.dtype == _STRING:
            return _of_serialised(_values(proto), columns)
    given = {
        name: _of_column(proto, columns[name]) for name, proto in inputs.items() if name in columns
    }
    sizes = {len(values) for values in given.values()} - {0}
    if len(sizes) > 1:
        raise UnreadableError("columns of unequal length")
    rows = LoggedRows(max(sizes, default=0))
    # A column of no values was left out: it is missing in every row.
    rows.columns = {name: given.get(name) or [None] * rows.size for name in columns}
    rows.ignore(set(inputs) - columns.keys(), rows.size)
    return rows


def _of_input(given: Any, columns: Mapping[str, Column]) -> LoggedRows:
    if given.WhichOneof("kind") == "example_list_with_context":
        listed = given.example_list_with_context
        context = listed.context.features.feature
        features = [{**context, **each.features.feature} for each in listed.examples]
    else:
        features = [each.features.feature for each in given.example_list.examples]
    return _of_features(features, columns)


def _of_serialised(examples: Sequence[bytes], columns: Mapping[str, Column]) -> LoggedRows:
    read = [parsed(example_pb2.Example, each) for each in examples]
    features = [each.features.feature for each in read if each is not None]
    rows = _of_features(features, columns)
    rows.unreadable += len(read) - len(features)
    return rows


def _of_features(
    examples: Iterable[Mapping[str, Any]], columns: Mapping[str, Column]
) -> LoggedRows:
    rows = LoggedRows(columns={name: [] for name in columns})
    for features in examples:
        try:
            # To ask a protobuf map for a key that is not there would add it.
            row = [
                _first(features[name], column) if name in features else None
                for name, column in columns.items()
            ]
        except UnreadableError:
            rows.unreadable += 1
            continue
        for values, value in zip(rows.columns.values(), row, strict=True):
            values.append(value)
        rows.ignore(set(features) - columns.keys(), 1)
        rows.size += 1
    return rows


def _of_column(proto: Any, column: Column) -> list[Any]:
    """Return the values, or the lists, of a column's TensorProto."""
    values = _values(proto)
    if not column.is_list:
        return _checked(values, column)
    _check_types(values, column)
    shape = [dim.size for dim in proto.tensor_shape.dim]
    return logged_lists.of_matrix(values, shape, column)


def _first(feature: Any, column: Column) -> Any:
    if column.is_list:
        return logged_lists.of_feature(feature, column)
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else ()
    if not values:
        return None
    if kind != column.type.feature:
        raise UnreadableError(f"{kind} for {column.name!r}")
    logged_lists.check(values[:1], column)
    return values[0]


def _values(proto: Any) -> list[Any]:
    """Return a TensorProto's values."""
    values = getattr(proto, _FIELDS.get(proto.dtype, ""), None)
    size = math.prod(dim.size for dim in proto.tensor_shape.dim)
    if values is not None and len(values) == size and not proto.tensor_content:
        return list(values)
    if not 0 <= size <= _MOST_VALUES:
        raise UnreadableError(f"a tensor of {size} values")
    try:
        listed: list[Any] = tf.make_ndarray(proto).reshape(-1).tolist()
    except (TypeError, ValueError) as error:
        raise UnreadableError(str(error)) from error
    return listed


def _checked(values: list[Any], column: Column) -> list[Any]:
    """Return values that a column can hold.

    Raises:
      UnreadableError: one of them is of another type, or no integer where these are wanted.
    """
    kinds = _check_types(values, column)
    if column.type.is_whole and float in kinds:
        numbers = np.array(values, np.float64)
        whole = (numbers == np.floor(numbers)) & (np.abs(numbers) <= LARGEST_INTEGER)
        if not (whole | np.isnan(numbers)).all():
            raise UnreadableError(f"values that are not integers for {column.name!r}")
    logged_lists.check(values, column)
    return values


def _check_types(values: list[Any], column: Column) -> set[type]:
    kinds = set(map(type, values))
    if not kinds <= ({bytes} if column.type.is_requested_as_text else {int, float}):
        raise UnreadableError(f"values of another type than {column.kind} for {column.name!r}")
    return kinds
