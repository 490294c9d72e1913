"""What a SavedModel takes and gives, as Arrow columns: batches go in, batches come out.

The signature alone says which raw columns are asked for and of which kind, so that a SavedModel's
folder is all that scoring needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import ARROW_TYPES
from components.export import signatures as names
from schemas.columns import Column
from schemas.errors import DataError, ModelError
from schemas.types import FLOAT, TYPES

PREDICT = "predict"  # raw columns → score, class, probabilities, logits
PREFERRED = (PREDICT, names.RAW_COLUMNS)

# Of types that requests carry alike, the first of the table.
_KINDS = {each.request: each.name for each in reversed(TYPES.values())}


@dataclass(frozen=True)
class Asked:
    """A signature over raw columns.

    Attributes:
      saved_model: the SavedModel's folder.
      signature: its name.
      inputs: the raw columns it takes.
      outputs: Arrow's type of each output, by name.
    """

    saved_model: str
    signature: str
    inputs: tuple[Column, ...]
    outputs: Mapping[str, pa.DataType]

    @property
    def output_schema(self) -> pa.Schema:
        """The outputs as Arrow has them."""
        return pa.schema(list(self.outputs.items()))


def ask(saved_model: str, signature: str | None = None) -> Asked:
    """Read from a SavedModel what can be asked of it, without loading its graph.

    Args:
      saved_model: its folder.
      signature: one over raw columns; None is the first of `PREFERRED` that is there.

    Raises:
      ModelError: no SavedModel, no such signature, or one that does not take raw columns.
    """
    from components.evaluate.signature import read_signatures

    signatures = read_signatures(saved_model)
    wanted = PREFERRED if signature is None else (signature,)
    name = next((name for name in wanted if name in signatures), None)
    if name is None:
        raise ModelError(
            f"the SavedModel has no signature {' or '.join(map(repr, wanted))}",
            where=saved_model,
            expected="the signatures that the export stage writes",
            remedy=f"it has: {', '.join(sorted(signatures))}",
        )
    definition, where = signatures[name], f"{saved_model}: signature {name!r}"
    return Asked(
        saved_model=saved_model,
        signature=name,
        inputs=tuple(
            Column(column, _kind(info, column, where), serving=True)
            for column, info in sorted(definition.inputs.items())
        ),
        outputs={
            output: _arrow_type(info, output, where)
            for output, info in sorted(definition.outputs.items(), key=_as_told)
        },
    )


# Outputs that people look for come first; the others follow by name.
_ORDER = ("score", "class", "scores", "probabilities", "logits")


def _as_told(item: tuple[str, Any]) -> tuple[int, str]:
    name = item[0]
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _kind(info: Any, column: str, where: str) -> str:
    dtype = _dtype(info)
    if dtype not in _KINDS or len(info.tensor_shape.dim) != 1:
        raise ModelError(
            f"the input {column!r} is no raw column: {dtype} of rank {len(info.tensor_shape.dim)}",
            where=where,
            expected=f"one value a row of {', '.join(_KINDS)}",
            remedy="ask another signature: `raw_columns`, for one",
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
    import tensorflow as tf

    name: str = tf.dtypes.as_dtype(info.dtype).name
    return name


def as_inputs(batch: pa.RecordBatch, inputs: Iterable[Column], where: str) -> pa.RecordBatch:
    """Return the columns that a model takes, in its order and of the types of examples.

    Args:
      batch: has them among its columns; int32, dictionaries and the like are cast.
      inputs: what the model takes.
      where: what the batch is, for messages.

    Raises:
      DataError: a column is missing, is there twice, or does not fit its type.
    """
    arrays = []
    for column in inputs:
        positions = batch.schema.get_all_field_indices(column.name)
        if len(positions) != 1:
            raise DataError(
                f"the column {column.name!r} is there {len(positions)} times",
                where=where,
                expected=f"once, as the model takes it: {column.kind}",
                remedy=f"the batch has: {', '.join(batch.schema.names)}",
            )
        arrays.append(_cast(batch.column(positions[0]), column, where))
    return pa.RecordBatch.from_arrays(arrays, [c.name for c in inputs])


def _cast(array: pa.Array, column: Column, where: str) -> pa.Array:
    wanted = ARROW_TYPES[column.kind]
    if array.type == wanted:
        return array
    try:
        # safe=False only rounds float64 to the float32 that the column is
        return array.cast(wanted, safe=column.type is not FLOAT)
    except pa.ArrowException as error:
        raise DataError(
            f"the column {column.name!r} of type {array.type} does not fit {column.kind}: {error}",
            where=where,
            expected=f"values that are {wanted}",
        ) from error


def as_outputs(arrays: Mapping[str, np.ndarray], schema: pa.Schema) -> pa.RecordBatch:
    """Return what a model gave as Arrow columns.

    Args:
      arrays: by output, of shape [rows] or [rows, n]; text as `bytes` objects.
      schema: which outputs are wanted, and their types.
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
