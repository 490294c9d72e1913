"""Raw columns, as a request contains them, → dense ones, as the transform graph takes them.

The functions take one rank-1 tensor a column, or serialised tf.Examples. They return columns of
equal length, with the stand-ins of `schemas.types` for missing values. All columns of a type pass
through the same ops: the latency of a small request depends on the number of ops, not of values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import tensorflow as tf

from components.export import list_inputs
from components.export import signatures as names
from components.export.graph_errors import require
from components.export.list_inputs import HELD
from components.export.values import read_values
from schemas.columns import LARGEST_INTEGER, Column
from schemas.types import INT, TYPES, ColumnType

if TYPE_CHECKING:
    Tensors = Mapping[str, tf.Tensor]


class Dense(NamedTuple):
    """Columns of equal length: `values` by column, each [rows]; `rows` int64 [].

    Those of lists are ragged, [rows, None].
    """

    values: Tensors
    rows: tf.Tensor


def complete(columns: Tensors, kinds: tuple[Column, ...]) -> Dense:
    """Return a request's columns, those that were left out filled with missing values.

    There are as many rows as the longest column has. A column without values was left out, and is
    missing in every row; one of lists was left out if it has no row.

    Raises (when run):
      InvalidArgumentError: columns differ in length, or a list is not one of its column.
    """
    single, lists = _parted(kinds)
    groups = _groups(single, "request")
    sizes = {
        request: tf.concat(
            tf.raw_ops.ShapeN(input=[columns[c.name] for c in alike], out_type=tf.int64), axis=0
        )
        for request, alike in groups.items()
    }
    of_lists = [tf.shape(columns[c.name], tf.int64)[:1] for c in lists]
    every = tf.concat([*sizes.values(), *of_lists], axis=0)
    rows = tf.reduce_max(every)
    fits = tf.logical_or(tf.equal(every, rows), tf.equal(every, 0))
    ordered = (*(c for alike in groups.values() for c in alike), *lists)
    require(fits, ordered, "columns differ in length from the longest one")
    values: dict[str, tf.Tensor] = {}
    for request, alike in groups.items():
        flat = tf.concat([columns[c.name] for c in alike], axis=0)
        ragged = tf.RaggedTensor.from_row_lengths(flat, sizes[request], validate=False)
        missing = alike[0].type.request_missing
        values |= _unstacked(ragged.to_tensor(missing, shape=[len(alike), rows]), alike)
    if lists:
        values |= list_inputs.ragged_columns(columns, lists, rows)
    return Dense({c.name: values[c.name] for c in kinds}, rows)


def raw_columns(dense: Dense, kinds: tuple[Column, ...]) -> dict[str, tf.Tensor]:
    """Return a request's columns as the transform graph takes them.

    Raises (when run):
      InvalidArgumentError: a column has a value that is not of its type.
    """
    single, lists = _parted(kinds)
    numbers = [c for c in single if c.type.is_whole and not c.type.is_requested_as_text]
    whole: dict[str, tf.Tensor] = {}
    if numbers:
        values = tf.stack([dense.values[c.name] for c in numbers])  # [columns, rows]
        missing = tf.math.is_nan(values)
        integers = tf.logical_and(
            tf.equal(values, tf.floor(values)), tf.abs(values) <= float(LARGEST_INTEGER)
        )
        fine = tf.reduce_all(tf.logical_or(integers, missing), axis=1)
        require(fine, numbers, names.NOT_INTEGERS)
        known = tf.cast(tf.where(missing, tf.zeros([], tf.float64), values), tf.int64)
        whole = _unstacked(tf.where(missing, _missing(INT), known), numbers)
    whole |= list_inputs.whole(dense.values, lists)
    return read_values({**dense.values, **whole}, kinds)


def parse(examples: tf.Tensor, kinds: tuple[Column, ...]) -> dict[str, tf.Tensor]:
    """Return the columns of serialised tf.Examples, string [rows].

    Raises (when run):
      InvalidArgumentError: an Example does not parse, has several values for a column of one value
        a row, a value that is not of its type, or a list that is not one of its column.
    """
    single, lists = _parted(kinds)
    spec = {c.name: tf.io.VarLenFeature(HELD[c.type.feature].tensor) for c in single}
    spec |= {c.name: list_inputs.feature_of(c) for c in lists}
    parsed = tf.io.parse_example(examples, spec)
    if single:
        shapes = tf.stack([parsed[c.name].dense_shape for c in single])
        require(shapes[:, 1] <= 1, single, "columns have several values in a row")
    rows = tf.size(examples, tf.int64)
    values: dict[str, tf.Tensor] = {}
    for feature, alike in _groups(single, "feature").items():
        # The parser gives a column a width of 0 where all of its values are missing.
        shape = tf.stack([rows, tf.constant(1, tf.int64)])
        of_rows = [
            tf.SparseTensor(parsed[c.name].indices, parsed[c.name].values, shape) for c in alike
        ]
        matrix = tf.sparse.to_dense(tf.sparse.concat(1, of_rows), _missing(HELD[feature]))
        values |= _unstacked(tf.transpose(matrix), alike)
    if lists:
        values |= list_inputs.parse_lists(examples, parsed, lists)
    return read_values({c.name: values[c.name] for c in kinds}, kinds)


def _parted(kinds: tuple[Column, ...]) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Return the columns of one value a row, and those of lists."""
    return tuple(c for c in kinds if not c.is_list), tuple(c for c in kinds if c.is_list)


def _missing(held: ColumnType) -> tf.Tensor:
    return tf.constant(held.missing, held.tensor)


def _groups(kinds: Sequence[Column], held: str) -> dict[str, list[Column]]:
    """Return the columns by an attribute of their type."""
    groups: dict[str, list[Column]] = {}
    for kind in TYPES:
        for column in kinds:
            if column.kind == kind:
                groups.setdefault(getattr(column.type, held), []).append(column)
    return groups


def _unstacked(values: tf.Tensor, columns: Sequence[Column]) -> dict[str, tf.Tensor]:
    """Return the rows of a matrix [columns, rows], each under its column's name."""
    each = tf.unstack(values, len(columns))
    return {column.name: x for column, x in zip(columns, each, strict=True)}
