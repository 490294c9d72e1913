"""Vocabularies whose terms are in the order of what they say about the label.

What a term says is n(x) * sum over classes y of P(y|x) * log2(P(y|x) / P(y)), where n(x) is the
number of training rows with the term: the mutual information of `tft.vocabulary`. It is computed
from whole numbers in the order of the classes, so it does not depend on the order of rows.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.transform import shared_graph, vocabularies
from schemas.treatments.vocabulary import Vocabulary

_EVERY = b""  # the line of all rows
Counts = Mapping[int, int]  # rows by class; -1 is none


def analyze(
    lines: tf.Tensor,
    row: tf.Tensor,
    by_label: tf.Tensor,
    label: tf.Tensor,
    options: Sequence[Vocabulary],
    file_name: str = vocabularies.FILE_NAME,
) -> tf.Tensor:
    """Return the path of the vocabularies' file, string [], as `vocabularies.analyze` does.

    Args:
      lines: of values, string [values].
      row: the number of each value's row, int64 [values].
      by_label: whether the label orders the vocabulary of each value's column, bool [values].
      label: classes, int64 [rows]; -1 for none.
      options: of each column, in the order of their numbers in the file.
      file_name: the name of the file, each of which is written once.
    """
    classes, _, rows = tf.unique_with_counts(label, out_idx=tf.int64)
    (path,) = tft.experimental.ptransform_analyzer(
        inputs=[*_counted(lines, row, by_label, label), classes, rows],
        ptransform=RankTerms(options, file_name),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        output_asset_default_values=[b"placeholder"],
        name=os.path.splitext(file_name)[0],
    )
    return path


def _counted(
    lines: tf.Tensor, row: tf.Tensor, by_label: tf.Tensor, label: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return distinct pairs of a line and a class, and how many rows or values have them."""
    distinct = tf.unique(lines, tf.int64)
    rows, values = (tf.size(each, tf.int64) for each in (label, lines))
    # A row counts once where the label orders terms, and elsewhere each value does.
    place = tf.where(by_label, row, rows + tf.range(values))
    counted = tf.unique(distinct.idx * (rows + values) + place).y
    line, place = counted // (rows + values), counted % (rows + values)
    own = tf.gather(label, tf.gather(tf.concat([tf.range(rows), row], axis=0), place)) + 1
    width = tf.reduce_max(tf.concat([own, [0]], axis=0)) + 1
    pair, _, count = tf.unique_with_counts(line * width + own, out_idx=tf.int64)
    return tf.gather(distinct.y, pair // width), pair % width - 1, count


class RankTerms(vocabularies.CountTerms):
    """Count terms a column and class, and keep each column's first ones, in one file."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> beam.PCollection[str]:
        """Return the path of the file that has every column's terms."""
        counted = (
            batches | "Counts" >> beam.FlatMap(_counts) | "AddUp" >> beam.CombinePerKey(_added)
        )
        every = counted | "OfAll" >> beam.Filter(lambda each: each[0] == _EVERY)
        most = max(o.top_k for o in self._options)
        tops = (
            counted
            | "Rank" >> beam.FlatMap(self._ranked, beam.pvalue.AsDict(every))
            | "First" >> beam.CombinePerKey(vocabularies.MostFrequent(most))
            | "Order" >> beam.MapTuple(_as_counted)
        )
        return (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "WriteFile"
            >> beam.Map(
                self._write, beam.pvalue.AsDict(tops), shared_graph.shared(self.base_temp_dir)
            )
        )

    def _ranked(
        self, counted: tuple[bytes, Counts], every: Mapping[bytes, Counts]
    ) -> Iterator[tuple[int, tuple[float, bytes, int]]]:
        """Yield a term by its column, with what orders it, if it is frequent enough."""
        line, counts = counted
        if line == _EVERY:
            return
        number, _, term = line.partition(b"\t")
        options, rows = self._options[int(number)], sum(counts.values())
        if not self._is_wanted((int(number), (-rows, term))):
            return
        assert isinstance(options, Vocabulary)
        rank = float(rows)
        if options.takes_label:
            rank = information(counts, every[_EVERY])
        yield int(number), (-rank, term, rows)


def information(counts: Counts, every: Counts) -> float:
    """Return what the rows with a term say about the label, in bits times rows.

    >>> information({0: 4}, {0: 4, 1: 4}), information({0: 1, 1: 1}, {0: 4, 1: 4})
    (4.0, 0.0)
    """
    known = {name: count for name, count in sorted(counts.items()) if name >= 0}
    own, rows = sum(known.values()), sum(count for name, count in every.items() if name >= 0)
    shares = (c * math.log2(c * rows / (own * every[name])) for name, c in known.items() if c)
    return math.fsum(shares) if own < rows else 0.0


def _counts(batch: tuple[np.ndarray, ...]) -> Iterator[tuple[bytes, Counts]]:
    lines, line_classes, counts, classes, rows = (each.tolist() for each in batch)
    for line, name, count in zip(lines, line_classes, counts, strict=True):
        yield line, {name: count}
    yield _EVERY, dict(zip(classes, rows, strict=True))


def _as_counted(
    column: int, top: Sequence[tuple[float, bytes, int]]
) -> tuple[int, list[tuple[int, bytes]]]:
    """Return a column's terms, in their order, as `CountTerms` has them."""
    return column, [(-count, term) for _, term, count in top]


def _added(parts: Iterable[Counts]) -> Counts:
    found: dict[int, int] = {}
    for part in parts:
        for name, count in part.items():
            found[name] = found.get(name, 0) + count
    return found
