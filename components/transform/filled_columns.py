"""Fills the missing values of columns inside the graph, as `missing:` of pipeline.yaml says.

What fills them is a constant, or is learned from the training split: a mean, a median, or the most
frequent value, of all rows or of groups. A column without values in training stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import is_missing, numbers, text
from components.transform import distributions, group_fills, vocabularies
from schemas.missing import Missing


def with_filled(columns: Mapping[str, Any], fillings: Mapping[str, Missing]) -> dict[str, Any]:
    """Return columns, those of `fillings` without missing values.

    Groups are those of columns before they are filled.

    Args:
      columns: raw and derived ones, dense [rows] or ragged [rows, None].
      fillings: by the names of dense columns.
    """
    filled = {}
    for name, filling in fillings.items():
        group = None if filling.by is None else columns[filling.by]
        value = columns[name]
        filled[name] = tf.where(is_missing(value), _filling(value, group, filling), value)
    return {**columns, **filled}


def _filling(value: tf.Tensor, group: tf.Tensor | None, filling: Missing) -> tf.Tensor:
    """Return what fills a column, of its type, [] or [rows]."""
    if filling.fill == "constant":
        assert filling.value is not None
        parse = str if value.dtype == tf.string else int if value.dtype == tf.int64 else float
        return tf.constant(parse(filling.value), value.dtype)
    if filling.fill == "most_frequent":
        terms = text(value)
        found = _most_frequent(terms) if group is None else group_fills.frequent(terms, group)
        return _from_text(found, value.dtype)
    number = numbers([value])
    if group is not None:
        learned = group_fills.means if filling.fill == "mean" else group_fills.medians
        return _from_number(learned(number, group), value.dtype)
    if filling.fill == "median":
        return _from_number(distributions.learn(number, 2, _middle, width=1)[0, 0], value.dtype)
    return _from_number(_mean(number[:, 0]), value.dtype)


def _from_number(number: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Return a float64 as a column's type, the nearest whole number of an integer's."""
    if dtype != tf.int64:
        return tf.cast(number, dtype)
    known = tf.where(tf.math.is_nan(number), tf.zeros([], tf.float64), tf.round(number))
    least = tf.constant(np.iinfo(np.int64).min, tf.int64)
    return tf.where(tf.math.is_nan(number), least, tf.cast(known, tf.int64))


def _from_text(term: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Return what `text` has made of a value; missing of an empty text."""
    if dtype == tf.string:
        return term
    missing = str(np.iinfo(np.int64).min) if dtype == tf.int64 else "nan"
    return tf.strings.to_number(tf.where(tf.equal(term, ""), missing, term), dtype)


def _middle(quantiles: np.ndarray) -> np.ndarray:
    return quantiles[:, 1:2]


def _mean(number: tf.Tensor) -> tf.Tensor:
    """Return the mean of the finite numbers, float64 []; NaN if there are none."""
    (mean,) = tft.experimental.ptransform_analyzer(
        inputs=[number],
        ptransform=LearnMean(),
        output_dtypes=[tf.float64],
        output_shapes=[[]],
        name="mean",
    )
    return mean


def _most_frequent(terms: tf.Tensor) -> tf.Tensor:
    """Return the most frequent text, string []; ties by bytes, "" if all are missing."""
    counted = tf.unique_with_counts(terms, out_idx=tf.int64)
    (term,) = tft.experimental.ptransform_analyzer(
        inputs=[counted.y, counted.count],
        ptransform=LearnMostFrequent(),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        name="most_frequent",
    )
    return term


class LearnMean(beam.PTransform):
    """Batches of numbers to their exact mean, rounded once."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray]]) -> beam.PCollection[Any]:
        """Return the mean, float64 []; NaN without finite numbers."""
        return (
            batches
            | "Sum" >> beam.Map(_sum_batch)
            | "SumAll" >> beam.CombineGlobally(group_fills.sum_pairs)
            | "Divide" >> beam.MapTuple(_divided)
        )


def _sum_batch(batch: tuple[np.ndarray]) -> tuple[int, int]:
    return group_fills.sum_of(batch[0])


def _divided(total: int, count: int) -> np.ndarray:
    return np.array(group_fills.mean_of(total, count), np.float64)


class LearnMostFrequent(beam.PTransform):
    """Batches of distinct texts and their counts to the most frequent text."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> beam.PCollection[Any]:
        """Return the text, ties by bytes; the empty one if there is no other."""
        return (
            batches
            | "Terms" >> beam.FlatMap(_counted_terms)
            | "Count" >> beam.CombinePerKey(sum)
            | "Negate" >> beam.MapTuple(lambda term, count: (-count, term))
            | "First" >> beam.CombineGlobally(vocabularies.MostFrequent(1))
            | "Term" >> beam.Map(lambda top: np.array(top[0][1] if top else b"", object))
        )


def _counted_terms(batch: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[bytes, int]]:
    for term, count in zip(*(each.tolist() for each in batch), strict=True):
        if term:
            yield term, count
