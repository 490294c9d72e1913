"""What is learned of each group of rows: the median, mean or most frequent value.

The graph has a table by the hashes of groups (see `sums_by_value`). A group that training has not
seen, or not with a value, has what all rows have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import text
from components.transform import distributions, sums_by_value, vocabularies

_UNSEEN = b"*" + vocabularies.line_of(0, b"")  # the line of `sums_by_value.lines_of_unseen`


def medians(number: tf.Tensor, group: tf.Tensor) -> tf.Tensor:
    """Return the median of each row's group, float64 [rows], of numbers [rows, 1]."""
    lines = vocabularies.lines_of(text(group)[tf.newaxis])
    return found(table_of(number, lines, LearnGroupMedians()), lines)[0]


def means(number: tf.Tensor, group: tf.Tensor) -> tf.Tensor:
    """Return the mean of each row's group, float64 [rows], of numbers [rows, 1]."""
    lines = vocabularies.lines_of(text(group)[tf.newaxis])
    return found(table_of(number, lines, LearnGroupMeans()), lines)[0]


def table_of(number: tf.Tensor, lines: tf.Tensor, learn: beam.PTransform) -> tf.Tensor:
    """Return the table of figures, int64 [1 + numbers, any].

    Args:
      number: float64 [rows, numbers], of which all are finite or none.
      lines: of groups, string [1, rows].
      learn: a transform of this module.
    """
    (table,) = tft.experimental.ptransform_analyzer(
        inputs=[number, lines[0]],
        ptransform=learn,
        output_dtypes=[tf.int64],
        output_shapes=[[None, None]],
        name="groups",
    )
    return table


def found(table: tf.Tensor, lines: tf.Tensor) -> tf.Tensor:
    """Return the figures of the groups of lines [1, rows], float64 [numbers, rows]."""
    return sums_by_value.found(table, lines, sums_by_value.lines_of_unseen(lines))[:, 0]


def frequent(terms: tf.Tensor, group: tf.Tensor) -> tf.Tensor:
    """Return the most frequent text of each row's group, string [rows]; ties by bytes."""
    lines = vocabularies.lines_of(text(group)[tf.newaxis])
    line, term = tf.unique(lines[0], tf.int64), tf.unique(terms, tf.int64)
    size = tf.size(term.y, tf.int64)
    pair, _, count = tf.unique_with_counts(line.idx * size + term.idx, out_idx=tf.int64)
    size = tf.maximum(size, 1)  # of a batch without rows
    table, known = tft.experimental.ptransform_analyzer(
        inputs=[tf.gather(line.y, pair // size), tf.gather(term.y, pair % size), count],
        ptransform=LearnGroupTerms(),
        output_dtypes=[tf.int64, tf.string],
        output_shapes=[[2, None], [None]],
        name="group_terms",
    )
    return tf.gather(known, tf.cast(found(table, lines)[0], tf.int64))


class LearnGroupMedians(beam.PTransform):
    """Batches of numbers [rows, numbers] and lines [rows] to the table of `sums_by_value.found`."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> beam.PCollection[Any]:
        """Return the table, int64 [1 + numbers, lines]: hashes, ascending, and bits of medians."""
        medians = (
            batches
            | "ByGroup" >> beam.FlatMap(_by_group)
            | "Medians" >> beam.CombinePerKey(distributions.CombineDistributions(2))
            | "Middles" >> beam.MapTuple(lambda line, quantiles: (line, quantiles[:, 1]))
        )
        return _table(batches, medians)


class LearnGroupMeans(beam.PTransform):
    """Batches of numbers [rows, 1] and lines [rows] to the table, of exact means, rounded once."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> beam.PCollection[Any]:
        """Return the table, int64 [2, lines]: hashes, ascending, and bits of means."""
        means = (
            batches
            | "ByGroup" >> beam.FlatMap(_by_group)
            | "Sum" >> beam.MapTuple(lambda line, number: (line, sum_of(number)))
            | "SumAll" >> beam.CombinePerKey(sum_pairs)
            | "Divide" >> beam.MapTuple(lambda line, sums: (line, [mean_of(*sums)]))
        )
        return _table(batches, means)


class LearnGroupTerms(beam.PTransform):
    """Batches of lines, terms and counts of these pairs to a table of places, and the terms."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> Any:
        """Return the table, int64 [2, lines], and terms, string [any], of which it has places."""
        tops = (
            batches
            | "Pairs" >> beam.FlatMap(_pairs)
            | "Count" >> beam.CombinePerKey(sum)
            | "ByGroup" >> beam.MapTuple(lambda pair, count: (pair[0], (-count, pair[1])))
            | "First" >> beam.CombinePerKey(vocabularies.MostFrequent(1))
        )
        both = (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "Tables" >> beam.Map(_terms, beam.pvalue.AsDict(tops))
        )
        return (
            both | "Table" >> beam.Map(lambda pair: pair[0]),
            both | "Terms" >> beam.Map(lambda pair: pair[1]),
        )


def _by_group(batch: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[bytes, np.ndarray]]:
    """Yield the finite numbers of each group, and those of all rows as an unseen group's."""
    number, lines = batch
    yield _UNSEEN, number
    known = np.isfinite(number[:, 0])
    distinct, group = np.unique(lines[known], return_inverse=True)
    order = np.argsort(group, kind="stable")
    borders = np.cumsum(np.bincount(group, minlength=len(distinct)))[:-1]
    yield from zip(distinct.tolist(), np.split(number[known][order], borders), strict=False)


def sum_of(number: np.ndarray) -> tuple[int, int]:
    """Return the exact sum of the finite numbers, as `sums_by_value.exact` has it, and how many."""
    finite = number[np.isfinite(number)]
    return sum(map(sums_by_value.exact, finite.tolist())), len(finite)


def sum_pairs(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Add up sums and counts."""
    total, count = 0, 0
    for own_total, own_count in pairs:
        total, count = total + own_total, count + own_count
    return total, count


def mean_of(total: int, count: int) -> float:
    """Return the mean of a sum of `sum_of`; NaN of nothing."""
    return float(sums_by_value.floats([total])[0]) / count if count else float("nan")


def _table(batches: Any, figures: Any) -> Any:
    """Return the one table of figures by line."""
    return (
        batches.pipeline
        | "Once" >> beam.Create([None])
        | "Table" >> beam.Map(_table_of, beam.pvalue.AsDict(figures))
    )


def _table_of(_: None, figures: Mapping[bytes, Sequence[float]]) -> np.ndarray:
    return sums_by_value.table_of(list(figures), np.array([*figures.values()]))


def _pairs(
    batch: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Iterator[tuple[tuple[bytes, bytes], int]]:
    """Yield lines and terms that are not missing with their counts, and those of all rows."""
    for line, term, count in zip(*(each.tolist() for each in batch), strict=True):
        if term:
            yield (line, term), count
            yield (_UNSEEN, term), count


def _terms(_: None, tops: Mapping[bytes, list[tuple[int, bytes]]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the table of places among terms, the first of which is missing, and the terms."""
    first = {line: term for line, [(_, term)] in tops.items()}
    terms = [b"", *sorted(set(first.values()))]
    numbers = {term: [float(number)] for number, term in enumerate(terms)}
    places = {line: numbers[term] for line, term in ({_UNSEEN: b""} | first).items()}
    return _table_of(None, places), np.array(terms, object)
