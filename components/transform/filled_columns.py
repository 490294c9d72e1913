"""Fills the missing values of columns inside the graph, as `missing:` of pipeline.yaml says.

What fills them is a constant, or is learned from the training split: a mean, a median, the most
frequent value, or the medians of groups. A column without values in training stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import is_missing, numbers, text
from components.transform import distributions, sums_by_value, vocabularies
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
        return _from_text(_most_frequent(text(value)), value.dtype)
    number = numbers([value])
    if group is not None:
        return _from_number(_group_medians(number, group), value.dtype)
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


def _group_medians(number: tf.Tensor, group: tf.Tensor) -> tf.Tensor:
    """Return the median of each row's group, float64 [rows]; of all rows in an unseen group."""
    lines = vocabularies.lines_of(text(group)[tf.newaxis])
    (table,) = tft.experimental.ptransform_analyzer(
        inputs=[number, lines[0]],
        ptransform=LearnGroupMedians(),
        output_dtypes=[tf.int64],
        output_shapes=[[2, None]],
        name="group_medians",
    )
    return sums_by_value.found(table, lines, sums_by_value.lines_of_unseen(lines))[0, 0]


class LearnMean(beam.PTransform):
    """Batches of numbers to their exact mean, rounded once."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray]]) -> beam.PCollection[Any]:
        """Return the mean, float64 []; NaN without finite numbers."""
        return (
            batches
            | "Sum" >> beam.Map(_sum_batch)
            | "SumAll" >> beam.CombineGlobally(_sum_pairs)
            | "Divide" >> beam.MapTuple(_divided)
        )


def _sum_batch(batch: tuple[np.ndarray]) -> tuple[int, int]:
    finite = batch[0][np.isfinite(batch[0])]
    return sum(map(sums_by_value.exact, finite.tolist())), len(finite)


def _sum_pairs(pairs: Any) -> tuple[int, int]:
    total, count = 0, 0
    for own_total, own_count in pairs:
        total, count = total + own_total, count + own_count
    return total, count


def _divided(total: int, count: int) -> np.ndarray:
    mean = sums_by_value.floats([total])[0] / count if count else np.nan
    return np.array(mean, np.float64)


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


class LearnGroupMedians(beam.PTransform):
    """Batches of numbers [rows, 1] and lines [rows] to the table of `sums_by_value.found`."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> beam.PCollection[Any]:
        """Return the table, int64 [2, lines]: hashes, ascending, and bits of medians."""
        medians = (
            batches
            | "ByGroup" >> beam.FlatMap(_by_group)
            | "Medians" >> beam.CombinePerKey(distributions.CombineDistributions(2))
        )
        return (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "Table" >> beam.Map(_table, beam.pvalue.AsDict(medians))
        )


def _by_group(batch: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[bytes, np.ndarray]]:
    """Yield the finite numbers of each group, and those of all rows as an unseen group's."""
    number, lines = batch
    yield b"*" + vocabularies.line_of(0, b""), number
    known = np.isfinite(number[:, 0])
    distinct, group = np.unique(lines[known], return_inverse=True)
    order = np.argsort(group, kind="stable")
    borders = np.cumsum(np.bincount(group, minlength=len(distinct)))[:-1]
    yield from zip(distinct.tolist(), np.split(number[known][order], borders), strict=False)


def _table(_: None, medians: Mapping[bytes, np.ndarray]) -> np.ndarray:
    return sums_by_value.table_of(list(medians), np.array([m[0, 1:2] for m in medians.values()]))
