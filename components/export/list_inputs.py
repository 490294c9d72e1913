"""Columns of lists, as a request contains them, → ragged ones, as the transform graph takes them.

A request has a dense tensor [rows, width] a column: a list's values come first, and the stand-ins
of `schemas.types` say which rest is padding, which list is missing and which is empty. A serialised
tf.Example has a feature with the values, without any if the list is empty, or no such feature if it
is missing. The functions return tensors [rows, None] in which a missing list has the stand-in for a
missing value alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from google.protobuf import descriptor_pb2
from tensorflow.core.example import example_pb2, feature_pb2

from components.export import signatures as names
from components.export.graph_errors import require
from schemas.columns import LARGEST_INTEGER, Column
from schemas.types import BYTES, FLOAT, INT, ColumnType

# By list of a tf.train.Feature, the type whose values it holds as they are.
HELD = {each.feature: each for each in (INT, FLOAT, BYTES)}


def ragged_columns(
    columns: Mapping[str, tf.Tensor], lists: tuple[Column, ...], rows: tf.Tensor
) -> dict[str, tf.RaggedTensor]:
    """Return a request's lists as ragged tensors of the request's type.

    Args:
      columns: dense tensors [rows, width], or [0, any] of a column that was left out: its lists are
        missing in every row.
      lists: the columns of lists.
      rows: the number of rows, int64 [].

    Raises (when run):
      InvalidArgumentError: a list has a missing value within, or is too long.
    """
    read = [_ragged(columns[column.name], column, rows) for column in lists]
    return _checked(read, lists)


class _Lists(NamedTuple):
    """A column of lists, and whether its lists have no gap, and are short enough, bool [] each."""

    ragged: tf.RaggedTensor
    no_gap: tf.Tensor
    short: tf.Tensor


def _checked(read: Sequence[_Lists], lists: tuple[Column, ...]) -> dict[str, tf.RaggedTensor]:
    """Return the lists by column; one op for each problem checks all columns."""
    require(tf.stack([each.no_gap for each in read]), lists, names.MISSING_IN_LISTS)
    require(tf.stack([each.short for each in read]), lists, names.LISTS_TOO_LONG)
    return {column.name: each.ragged for column, each in zip(lists, read, strict=True)}


def _ragged(values: tf.Tensor, column: Column, rows: tf.Tensor) -> _Lists:
    shape = tf.shape(values, tf.int64)
    absent = rows - shape[0]  # all rows of a column that was left out, and otherwise none
    values = tf.pad(
        values,
        [[0, absent], [0, tf.where(absent > 0, tf.maximum(1 - shape[1], 0), 0)]],
        constant_values=column.type.request_missing,
    )
    if column.type.is_requested_as_text:
        missing = tf.equal(values, column.type.request_missing)
    else:
        missing = tf.math.is_nan(values)
    empty = tf.equal(values, tf.constant(column.type.request_empty, values.dtype))
    known = tf.logical_not(tf.logical_or(missing, empty))
    later = known[:, 1:]
    # Of the first values the one of a missing list is kept, too: it stands for the list.
    kept = tf.concat([tf.logical_not(empty[:, :1]), later], axis=1)
    after_a_gap = tf.logical_and(later, tf.logical_not(known[:, :-1]))
    gaps = tf.reduce_any(tf.logical_or(after_a_gap, empty[:, 1:]))
    lengths = tf.reduce_sum(tf.cast(kept, tf.int64), axis=1)
    return _Lists(
        tf.RaggedTensor.from_row_lengths(tf.boolean_mask(values, kept), lengths, validate=False),
        tf.logical_not(gaps),
        tf.reduce_all(lengths <= column.most),
    )


def whole(
    read: Mapping[str, tf.RaggedTensor], lists: tuple[Column, ...]
) -> dict[str, tf.RaggedTensor]:
    """Return a request's lists of integers, which are float64, as lists of int64.

    Raises (when run):
      InvalidArgumentError: a value is not an integer.
    """
    lists = tuple(c for c in lists if c.type.is_whole and not c.type.is_requested_as_text)
    if not lists:
        return {}
    fine, columns = [], {}
    for column in lists:
        values = read[column.name].flat_values
        missing = tf.math.is_nan(values)
        integers = tf.logical_and(
            tf.equal(values, tf.floor(values)), tf.abs(values) <= float(LARGEST_INTEGER)
        )
        fine.append(tf.reduce_all(tf.logical_or(integers, missing)))
        known = tf.cast(tf.where(missing, tf.zeros([], tf.float64), values), tf.int64)
        filled = tf.where(missing, _stand_in(column), known)
        columns[column.name] = read[column.name].with_flat_values(filled)
    require(tf.stack(fine), lists, names.NOT_INTEGERS)
    return columns


def parse_lists(
    examples: tf.Tensor, parsed: Mapping[str, tf.RaggedTensor], lists: tuple[Column, ...]
) -> dict[str, tf.RaggedTensor]:
    """Return the lists of serialised tf.Examples, string [rows].

    Args:
      examples: the Examples.
      parsed: the values by column, as `tf.io.parse_example` returns them by `feature_of`, which
        gives a missing list no value.
      lists: the columns of lists.

    Raises (when run):
      InvalidArgumentError: a list has a missing value within, or is too long.
    """
    # An Example that cannot be read fails in the parser, whose message says so.
    with tf.control_dependencies([parsed[column.name].flat_values for column in lists]):
        entries = _entries(examples)
    read = [_with_missing(parsed[column.name], entries, column) for column in lists]
    return _checked(read, lists)


def held(column: Column) -> ColumnType:
    """Return the type whose values the feature of a column holds as they are."""
    return HELD[column.type.feature]


def feature_of(column: Column) -> tf.io.RaggedFeature:
    """Return how `tf.io.parse_example` reads a column of lists."""
    return tf.io.RaggedFeature(held(column).tensor, row_splits_dtype=tf.int64)


class _Entries:
    """The names and the serialised features of Examples, string [rows, any]."""

    def __init__(self, name: tf.Tensor, feature: tf.Tensor) -> None:
        self._name = name
        self._feature = feature

    def have(self, name: str) -> tf.Tensor:
        """Return which Examples have a feature of this name, bool [rows]."""
        # A feature of no kind has no bytes, and is missing; an empty list has its kind.
        given = tf.logical_and(tf.equal(self._name, name), tf.not_equal(self._feature, ""))
        return tf.reduce_any(given, axis=1)


def _entries(examples: tf.Tensor) -> _Entries:
    """Decode Examples as far as their features' names; the parser does not say which are absent."""
    descriptors = _descriptors()
    examples = tf.pad(examples, [[0, 1]])  # the op fails without any
    (features,) = _decoded(examples, "tensorflow.Example", ["features"], descriptors)
    (entries,) = _decoded(_only(features), "tensorflow.Features", ["feature"], descriptors)
    names_of, features_of = _decoded(
        entries, "tensorflow.Features.FeatureEntry", ["key", "value"], descriptors
    )
    return _Entries(_only(names_of)[:-1], _only(features_of)[:-1])


def _decoded(
    serialised: tf.Tensor, message: str, fields: list[str], descriptors: bytes
) -> list[tf.Tensor]:
    decoded: Any = tf.io.decode_proto(
        serialised,
        message,
        fields,
        [tf.string] * len(fields),
        descriptor_source=descriptors,
    )
    return list(decoded.values)


def _only(values: tf.Tensor) -> tf.Tensor:
    """Return the value, or "", of a field that occurs at most once: [..., at most 1] → [...]."""
    return tf.strings.reduce_join(values, axis=-1)


def _descriptors() -> bytes:
    """Return the messages' descriptors for TensorFlow: not every program has them built in."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (feature_pb2, example_pb2):
        module.DESCRIPTOR.CopyToProto(files.file.add())
    return b"bytes://" + files.SerializeToString()


def _with_missing(parsed: tf.RaggedTensor, entries: _Entries, column: Column) -> _Lists:
    """Return lists with the stand-in for a missing value in those that are missing."""
    stand_in, values = _stand_in(column), parsed.flat_values
    wrong = tf.equal(values, stand_in)
    if column.type.is_requested_as_text:
        wrong = tf.logical_or(wrong, tf.equal(values, column.type.request_empty))
    missing = tf.cast(tf.logical_not(entries.have(column.name)), tf.int64)
    alone = tf.RaggedTensor.from_row_lengths(
        tf.fill(tf.reduce_sum(missing)[tf.newaxis], stand_in), missing, validate=False
    )
    return _Lists(
        tf.concat([alone, parsed], axis=1),
        tf.logical_not(tf.reduce_any(wrong)),
        tf.reduce_all(parsed.row_lengths() <= column.most),
    )


def _stand_in(column: Column) -> tf.Tensor:
    """Return what stands for a missing value among those of a tf.Example."""
    return tf.constant(held(column).missing, held(column).tensor)
