"""The inputs and outputs of a SavedModel as Arrow columns: batches in, batches out.

The SavedModel's folder has the names and types of the raw columns, so scoring needs nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import arrow_type
from components.export import column_file
from components.export import signatures as names
from components.raw_values import requested
from components.score.by_class import classes_of
from components.sources import lists
from components.sources.rejects import RejectReason
from components.sources.typed import of_arrow
from schemas.columns import Column
from schemas.errors import DataError, ModelError
from schemas.types import FLOAT, TYPES

PREDICT = "predict"  # raw columns → score, class, probabilities, logits
PREFERRED = (PREDICT, names.RAW_COLUMNS)

# Of a SavedModel without a file of columns: of types that requests carry alike, the first one.
_KINDS = {each.request: each.name for each in reversed(TYPES.values())}


@dataclass(frozen=True)
class RawSignature:
    """A signature over raw columns.

    Attributes:
      saved_model: the SavedModel's folder.
      signature: its name.
      inputs: its raw columns.
      outputs: Arrow's type of each output, by name.
      classes: names of the classes in the order of their probabilities; none if unknown.
    """

    saved_model: str
    signature: str
    inputs: tuple[Column, ...]
    outputs: Mapping[str, pa.DataType]
    classes: tuple[str, ...] = ()

    @property
    def output_schema(self) -> pa.Schema:
        """The Arrow schema of the outputs."""
        return pa.schema(list(self.outputs.items()))


def read_signature(saved_model: str, signature: str | None = None) -> RawSignature:
    """Read a SavedModel's signature over raw columns, without loading its graph.

    Args:
      saved_model: its folder.
      signature: its name; None means the first of `PREFERRED` that exists.

    Raises:
      ModelError: there is no SavedModel, no such signature, or it does not take raw columns.
    """
    from components.saved_models import read_signatures

    signatures = read_signatures(saved_model)
    choices = PREFERRED if signature is None else (signature,)
    name = next((name for name in choices if name in signatures), None)
    if name is None:
        raise ModelError(
            f"the SavedModel has no signature {' or '.join(map(repr, choices))}",
            where=saved_model,
            expected="the signatures that the export stage writes",
            remedy=f"it has: {', '.join(sorted(signatures))}",
        )
    definition, where = signatures[name], f"{saved_model}: signature {name!r}"
    known = column_file.read(saved_model)
    return RawSignature(
        saved_model=saved_model,
        signature=name,
        inputs=tuple(
            known.get(column) or Column(column, _kind(info, column, where), serving=True)
            for column, info in sorted(definition.inputs.items())
        ),
        outputs={
            output: _arrow_type(info, output, where)
            for output, info in sorted(definition.outputs.items(), key=_output_order)
        },
        classes=classes_of(saved_model),
    )


# The most useful outputs come first; the others follow by name.
_ORDER = ("prediction", "score", "class", "scores", "probabilities", "logits")


def _output_order(item: tuple[str, Any]) -> tuple[int, str]:
    name = item[0]
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _kind(info: Any, column: str, where: str) -> str:
    dtype = _dtype(info)
    if dtype not in _KINDS or len(info.tensor_shape.dim) != 1:
        raise ModelError(
            f"the input {column!r} is not a raw column: {dtype} of rank"
            f" {len(info.tensor_shape.dim)}",
            where=where,
            expected=f"one value a row of {', '.join(_KINDS)}",
            remedy="use another signature, such as `raw_columns`",
        )
    return _KINDS[dtype]


def _arrow_type(info: Any, output: str, where: str) -> pa.DataType:
    dtype, sizes = _dtype(info), [dim.size for dim in info.tensor_shape.dim]
    if info.tensor_shape.unknown_rank or len(sizes) not in (1, 2):
        raise ModelError(
            f"the output {output!r} has shape {sizes}",
            where=where,
            expected="one value a row, or one list of them",
        )
    value = pa.string() if dtype == "string" else pa.from_numpy_dtype(np.dtype(dtype))
    return value if len(sizes) == 1 else pa.list_(value)


def _dtype(info: Any) -> str:
    """Return the name of a TensorProto's type, as TensorFlow's Python has it."""
    names = info.DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_number
    name: str = names[info.dtype].name.removeprefix("DT_").lower()
    return {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)


def as_inputs(batch: pa.RecordBatch, inputs: Iterable[Column], where: str) -> pa.RecordBatch:
    """Return the model's inputs, in its order, as requests carry them; null where missing.

    Args:
      batch: has the inputs among its columns, as files and requests have them: a time in the unit
        or format of its column, or with Arrow's type. Types such as int32 and dictionaries are
        cast.
      inputs: the model's inputs.
      where: the name of the batch for messages.

    Raises:
      DataError: a column is missing, exists twice, or does not fit its type.
    """
    arrays = []
    for column in inputs:
        positions = batch.schema.get_all_field_indices(column.name)
        if len(positions) != 1:
            raise DataError(
                f"there are {len(positions)} columns {column.name!r}",
                where=where,
                expected=f"one, as the model takes it: {column.type.written}",
                remedy=f"the batch has: {', '.join(batch.schema.names)}",
            )
        arrays.append(_cast(batch.column(positions[0]), column, where))
    return pa.RecordBatch.from_arrays(arrays, [c.name for c in inputs])


def _cast(array: pa.Array, column: Column, where: str) -> pa.Array:
    if column.is_list or column.type.is_read:
        return _read(array, column, where)
    wanted = arrow_type(column)
    if array.type == wanted:
        return array
    try:
        # safe=False only allows rounding float64 to float32, the type of the column
        return array.cast(wanted, safe=column.type is not FLOAT)
    except pa.ArrowException as error:
        raise DataError(
            f"the column {column.name!r} of type {array.type} does not fit {column.kind}: {error}",
            where=where,
            expected=f"values of type {wanted}",
        ) from error


def _read(array: pa.Array, column: Column, where: str) -> pa.Array:
    """Return lists, booleans or times as requests carry them."""
    cells = lists.of_arrow(array, column) if column.is_list else of_arrow(array, column)
    if cells is None:
        raise DataError(
            f"the column {column.name!r} of type {array.type} does not fit {_wanted(column)}",
            where=where,
            expected=_values(column),
        )
    wrong = np.flatnonzero(cells.reasons)
    if wrong.size:
        raise DataError(
            f"the value {array[int(wrong[0])].as_py()!r} of {column.name!r} in row {wrong[0]} does"
            f" not fit {_wanted(column)}: {RejectReason(int(cells.reasons[wrong[0]])).code}",
            where=where,
            expected=" or ".join([_values(column), *column.form]),
        )
    return requested(cells.values, column)


def _wanted(column: Column) -> str:
    return f"lists of {column.type.written}" if column.is_list else column.type.written


def _values(column: Column) -> str:
    if not column.is_list:
        return column.type.parquet
    return f"lists of at most {column.most:,} values, {column.type.parquet}"


def as_column(values: Any, column: Column, where: str) -> pa.Array:
    """Return Python's values of a column as requests carry them, null where missing.

    Args:
      values: a sequence, or an array; None is missing.
      column: which the model takes.
      where: what the values are, for messages.

    Raises:
      DataError: a value does not fit the column's type.
    """
    special = column.type.is_read
    try:
        if column.is_list and any(isinstance(value, str | bytes) for value in values):
            raise TypeError("a text is not a list")  # pyarrow takes one for a list of characters
        array = pa.array(values, None if special else arrow_type(column))
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise DataError(
            f"a value of {column.name!r} does not fit {column.type.written}: {error}",
            where=where,
            expected="int for INT, float or int for FLOAT, str for BYTES, None where missing; bool"
            " for a bool_domain, datetime or date for a time_domain"
            + (f"; a list of them for {column.name!r}" if column.is_list else ""),
        ) from error
    return _read(array, column, where) if special else array


def as_outputs(arrays: Mapping[str, np.ndarray], schema: pa.Schema) -> pa.RecordBatch:
    """Return a model's outputs as Arrow columns.

    Args:
      arrays: by output, of shape [rows] or [rows, n]; text as `bytes` objects.
      schema: which outputs to return, and their types.
    """
    columns = [_as_arrow(arrays[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_arrow(array: np.ndarray, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_list(wanted):
        rows, width = array.shape
        offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * width, pa.int32())
        return pa.ListArray.from_arrays(offsets, _as_arrow(array.reshape(-1), wanted.value_type))
    if pa.types.is_string(wanted):
        return pa.array(array, pa.binary()).cast(wanted)
    return pa.array(array, wanted)
