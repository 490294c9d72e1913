"""Dense raw columns, as a request carries them, → sparse ones, as the transform graph takes them.

Goes in: one rank-1 tensor a column. Comes out: columns of one length, then sparse [rows, 1].
Promised: NaN and "" stay what they are, as the transform graph takes both as missing; only in
integers NaN becomes an absent value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from components.export import signatures as names
from schemas.columns import LARGEST_INTEGER, Column

if TYPE_CHECKING:
    Tensors = Mapping[str, tf.Tensor]

# What stands for a missing value in a dense column.
_MISSING = {
    "INT": np.float64("nan"),
    "FLOAT": np.float32("nan"),
    "BYTES": "",
}


class Dense(NamedTuple):
    """Columns of one length: `values` by column, each [rows]; `rows` int64 []."""

    values: Tensors
    rows: tf.Tensor


def complete(columns: Tensors, kinds: tuple[Column, ...]) -> Dense:
    """Return dense columns, those that were left out filled with missing values.

    There are as many rows as the longest column has; a column of none was left out, and is
    missing in every row.

    Raises (when run):
      InvalidArgumentError: columns differ in length.
    """
    sizes = tf.stack([tf.size(columns[c.name], tf.int64) for c in kinds])
    rows = tf.reduce_max(sizes)
    fits = tf.logical_or(tf.equal(sizes, rows), tf.equal(sizes, 0))
    _require(fits, kinds, "columns differ in length from the longest one")
    values: dict[str, tf.Tensor] = {}
    for kind, missing in _MISSING.items():
        # All columns of a type at once: the number of ops is what a small request waits for.
        alike = [c.name for c in kinds if c.kind == kind]
        if alike:
            flat = tf.concat([columns[name] for name in alike], axis=0)
            lengths = tf.gather(sizes, [i for i, c in enumerate(kinds) if c.kind == kind])
            ragged = tf.RaggedTensor.from_row_lengths(flat, lengths, validate=False)
            filled = ragged.to_tensor(missing, shape=[len(alike), rows])
            values |= zip(alike, tf.unstack(filled, len(alike)), strict=True)
    return Dense(values, rows)


def sparse_columns(dense: Dense, kinds: tuple[Column, ...]) -> dict[str, tf.SparseTensor]:
    """Return dense columns as the transform graph takes them: sparse, [rows, 1].

    Raises (when run):
      InvalidArgumentError: an integer column holds something else.
    """
    full, rows = dense
    index = tf.stack([tf.range(rows), tf.zeros([rows], tf.int64)], axis=1)
    shape = tf.stack([rows, tf.constant(1, tf.int64)])
    integers = tuple(c for c in kinds if c.kind == "INT")
    present = {c.name: (index, full[c.name]) for c in kinds if c.kind != "INT"}
    if integers:
        present |= _present_integers(full, integers, index)
    return {name: tf.SparseTensor(at, values, shape) for name, (at, values) in present.items()}


def _present_integers(
    columns: Tensors, integers: tuple[Column, ...], index: tf.Tensor
) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
    """Return, by column, index and values of the integers that are not NaN.

    All columns at once: the number of ops, not of values, is what a small request waits for.
    """
    values = tf.stack([columns[c.name] for c in integers])  # [columns, rows]
    missing = tf.math.is_nan(values)
    whole = tf.logical_and(
        tf.equal(values, tf.floor(values)), tf.abs(values) <= float(LARGEST_INTEGER)
    )
    fine = tf.reduce_all(tf.logical_or(whole, missing), axis=1)
    _require(fine, integers, names.NOT_INTEGERS)
    places = tf.where(tf.logical_not(missing))  # [present, 2], column by column
    column = tf.cast(places[:, 0], tf.int32)
    found = tf.cast(tf.gather_nd(values, places), tf.int64)
    at = tf.gather(index, places[:, 1])
    parts = zip(
        integers,
        tf.dynamic_partition(at, column, len(integers)),
        tf.dynamic_partition(found, column, len(integers)),
        strict=True,
    )
    return {c.name: (its_index, its_values) for c, its_index, its_values in parts}


def _require(holds: tf.Tensor, columns: tuple[Column, ...], problem: str) -> None:
    """Fail at run time where `holds`, one bool a column, is False; names those columns."""
    named = tf.constant([c.name for c in columns])
    culprits = tf.strings.reduce_join(tf.boolean_mask(named, tf.logical_not(holds)), separator=", ")
    tf.debugging.Assert(tf.reduce_all(holds), [f"{problem}: ", culprits])
