"""Raw columns, as a request contains them, → dense ones, as the transform graph takes them.

The functions take one rank-1 tensor a column, or serialised tf.Examples. They return columns of
equal length, with the stand-ins of `schemas.types` for missing values. All columns of a type pass
through the same ops: the latency of a small request depends on the number of ops, not of values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import tensorflow as tf

from components.export import signatures as names
from schemas.columns import LARGEST_INTEGER, Column
from schemas.types import INT, TYPES

if TYPE_CHECKING:
    Tensors = Mapping[str, tf.Tensor]


class Dense(NamedTuple):
    """Columns of equal length: `values` by column, each [rows]; `rows` int64 []."""

    values: Tensors
    rows: tf.Tensor


def complete(columns: Tensors, kinds: tuple[Column, ...]) -> Dense:
    """Return a request's columns, those that were left out filled with missing values.

    There are as many rows as the longest column has. A column without values was left out, and is
    missing in every row.

    Raises (when run):
      InvalidArgumentError: columns differ in length.
    """
    groups = _groups(kinds)
    sizes = {
        kind: tf.concat(
            tf.raw_ops.ShapeN(input=[columns[c.name] for c in alike], out_type=tf.int64), axis=0
        )
        for kind, alike in groups.items()
    }
    every = tf.concat(list(sizes.values()), axis=0)
    rows = tf.reduce_max(every)
    fits = tf.logical_or(tf.equal(every, rows), tf.equal(every, 0))
    ordered = tuple(c for alike in groups.values() for c in alike)
    _require(fits, ordered, "columns differ in length from the longest one")

    def filled(kind: str, alike: list[str]) -> tf.Tensor:
        flat = tf.concat([columns[name] for name in alike], axis=0)
        ragged = tf.RaggedTensor.from_row_lengths(flat, sizes[kind], validate=False)
        return ragged.to_tensor(TYPES[kind].request_missing, shape=[len(alike), rows])

    return Dense(_by_type(filled, kinds), rows)


def raw_columns(dense: Dense, kinds: tuple[Column, ...]) -> dict[str, tf.Tensor]:
    """Return a request's columns with integers as int64.

    Raises (when run):
      InvalidArgumentError: an integer column has a value that is not an integer.
    """
    integers = tuple(c for c in kinds if c.type.is_whole)
    if not integers:
        return dict(dense.values)
    values = tf.stack([dense.values[c.name] for c in integers])  # [columns, rows]
    missing = tf.math.is_nan(values)
    whole = tf.logical_and(
        tf.equal(values, tf.floor(values)), tf.abs(values) <= float(LARGEST_INTEGER)
    )
    fine = tf.reduce_all(tf.logical_or(whole, missing), axis=1)
    _require(fine, integers, names.NOT_INTEGERS)
    known = tf.cast(tf.where(missing, tf.zeros([], tf.float64), values), tf.int64)
    filled = tf.where(missing, _missing(INT.name), known)
    columns = tf.unstack(filled, len(integers))
    return {**dense.values, **{c.name: x for c, x in zip(integers, columns, strict=True)}}


def parse(examples: tf.Tensor, kinds: tuple[Column, ...]) -> dict[str, tf.Tensor]:
    """Return the columns of serialised tf.Examples, string [rows].

    Raises (when run):
      InvalidArgumentError: an Example does not parse, or has several values for a column.
    """
    spec = {c.name: tf.io.VarLenFeature(c.type.tensor) for c in kinds}
    parsed = tf.io.parse_example(examples, spec)
    shapes = tf.stack([parsed[c.name].dense_shape for c in kinds])
    _require(shapes[:, 1] <= 1, kinds, "columns have several values in a row")
    rows = tf.size(examples, tf.int64)

    def filled(kind: str, alike: list[str]) -> tf.Tensor:
        # The parser gives a column a width of 0 where all of its values are missing.
        shape = tf.stack([rows, tf.constant(1, tf.int64)])
        columns = [tf.SparseTensor(parsed[n].indices, parsed[n].values, shape) for n in alike]
        matrix = tf.sparse.concat(1, columns)
        return tf.transpose(tf.sparse.to_dense(matrix, _missing(kind)))

    return _by_type(filled, kinds)


def _missing(kind: str) -> tf.Tensor:
    """Return the stand-in for a missing value in a column that the transform graph takes."""
    return tf.constant(TYPES[kind].missing, TYPES[kind].tensor)


def _groups(kinds: tuple[Column, ...]) -> dict[str, list[Column]]:
    """Return the columns by type."""
    groups = {kind: [c for c in kinds if c.kind == kind] for kind in TYPES}
    return {kind: alike for kind, alike in groups.items() if alike}


def _by_type(
    of: Callable[[str, list[str]], tf.Tensor], kinds: tuple[Column, ...]
) -> dict[str, tf.Tensor]:
    """Return columns [rows]; `of` makes all columns of a type, [columns, rows], at once."""
    columns: dict[str, tf.Tensor] = {}
    for kind, group in _groups(kinds).items():
        alike = [c.name for c in group]
        values = tf.unstack(of(kind, alike), len(alike))
        columns |= zip(alike, values, strict=True)
    return columns


def _require(holds: tf.Tensor, columns: tuple[Column, ...], problem: str) -> None:
    """Fail at run time where `holds`, one bool a column, is False; the error names the columns."""
    named = tf.constant([c.name for c in columns])
    culprits = tf.strings.reduce_join(tf.boolean_mask(named, tf.logical_not(holds)), separator=", ")
    tf.debugging.Assert(tf.reduce_all(holds), [f"{problem}: ", culprits])
