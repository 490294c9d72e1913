"""Figures of the rows that have the same value, such as the mean of a number: exact, in one table.

A treatment turns the sums over the training rows of each value into its figures, in numpy on a
worker. Sums are kept as whole numbers, so they are exact in any order. The graph has a table of the
figures by the hashes of lines: the line of a value (see `vocabularies`) for all of training, and
one with a fold for all other folds. A value that is not there has the figures of no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.transform import vocabularies
from components.transform.treatments.protocol import Use
from schemas.treatments.options import LearnedTerms

_HASHES = 2**62  # of so many, no two lines are expected to have the same
_SCALE = 1074  # the smallest float64 is 2 ** -1074
_EVERY = b""  # the line of all rows


@dataclass(frozen=True)
class GroupSums:
    """Sums over rows: how many, their weights, and weighted numbers and squares of numbers.

    Each is float64 [...] or, of numbers, [..., numbers].
    """

    rows: np.ndarray
    weight: np.ndarray
    number: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, stacked: np.ndarray) -> GroupSums:
        """Return the sums of an array [..., 2 + 2 * numbers]."""
        rows, weight = stacked[..., 0], stacked[..., 1]
        number, square = np.split(stacked[..., 2:], 2, axis=-1)
        return cls(rows, weight, number, square)

    @property
    def mean(self) -> np.ndarray:
        """The mean of each number; 0 without rows."""
        weight = self.weight[..., None]
        return np.divide(self.number, weight, out=np.zeros_like(self.number), where=weight > 0)

    @property
    def variance(self) -> np.ndarray:
        """The variance of each number; 0 without rows."""
        weight = self.weight[..., None]
        mean_square = np.divide(
            self.square, weight, out=np.zeros_like(self.square), where=weight > 0
        )
        return np.maximum(mean_square - self.mean**2, 0)


# Takes the sums of values, [terms, ...], those of the rows that smooth them, and those of all
# training rows, [...], and the options; returns float64 [terms, outputs].
Figures = Callable[[GroupSums, GroupSums, GroupSums, Any], np.ndarray]


def table(
    lines: tf.Tensor,
    uses: Sequence[Use],
    figures: Figures,
    *,
    weight: tf.Tensor,
    number: tf.Tensor,
    fold: tf.Tensor | None = None,
) -> tf.Tensor:
    """Return the table of `EncodeTerms`, int64 [1 + outputs, lines].

    Args:
      lines: of `vocabularies.lines_of`, string [columns, rows].
      uses: of one treatment, whose options say which values the table has.
      figures: of the treatment.
      weight: of each row, float64 [rows].
      number: what is summed, float64 [rows, numbers].
      fold: of each row, int64 [rows], if the table is to have figures without each fold.
    """
    distinct = tf.unique(tf.reshape(lines, [-1]))
    (table,) = tft.experimental.ptransform_analyzer(
        inputs=[
            distinct.y,
            tf.reshape(distinct.idx, tf.shape(lines)),
            tf.zeros_like(weight, tf.int64) if fold is None else fold,
            weight,
            number,
        ],
        ptransform=EncodeTerms([use.options for use in uses], figures, fold is not None),
        output_dtypes=[tf.int64],
        output_shapes=[[None, None]],
        name=uses[0].kind,
    )
    return table


def found(table: tf.Tensor, lines: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
    """Return the figures of lines [columns, rows], float64 [outputs, columns, rows].

    Args:
      table: of `EncodeTerms`.
      lines: of values.
      otherwise: the lines that have the figures of those that are not in the table.
    """
    hashes = table[0]
    wanted = _hashed(tf.stack([lines, otherwise]))
    place = tf.reshape(tf.searchsorted(hashes, tf.reshape(wanted, [-1])), tf.shape(wanted))
    known = tf.equal(tf.gather(hashes, place[0]), wanted[0])
    chosen = tf.where(known, place[0], place[1])
    return tf.gather(tf.bitcast(table[1:], tf.float64), chosen, axis=1)


def lines_of_unseen(lines: tf.Tensor) -> tf.Tensor:
    """Return the lines of values that are not in the table, for each of these lines."""
    columns = lines.shape[0]
    headings = tf.constant([b"*" + vocabularies.line_of(i, b"") for i in range(columns)])
    return tf.broadcast_to(headings[:, tf.newaxis], tf.shape(lines))


def _hashed(lines: tf.Tensor) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(lines, _HASHES)


class EncodeTerms(beam.PTransform):
    """Batches of lines, their places, folds, weights and numbers to the table of figures.

    Args:
      options: the columns' options, in the order of their numbers.
      figures: of the treatment.
      apart: whether the table has figures without each fold.
    """

    def __init__(self, options: Sequence[LearnedTerms], figures: Figures, apart: bool) -> None:
        super().__init__()
        self._apart = apart
        self._options = tuple(options)
        self._figures = figures

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> beam.PCollection[Any]:
        """Return the table, int64 [1 + outputs, lines]: hashes, ascending, and bits of figures."""
        counted = (
            batches
            | "SumBatch" >> beam.FlatMap(batch_sums)
            | "SumByLine" >> beam.CombinePerKey(add_folds)
        )
        tops = (
            counted
            | "ByColumn" >> beam.FlatMapTuple(_by_column)
            | "DropRare" >> beam.Filter(self._is_wanted)
            | "MostFrequent"
            >> beam.CombinePerKey(vocabularies.MostFrequent(max(o.top_k for o in self._options)))
        )
        every = counted | "OfAll" >> beam.Filter(lambda each: each[0] == _EVERY)
        return (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "Table" >> beam.Map(self._table, beam.pvalue.AsDict(tops), beam.pvalue.AsDict(every))
        )

    def _is_wanted(self, counted: tuple[int, tuple[int, bytes, Any]]) -> bool:
        column, (negative_count, _, _) = counted
        return -negative_count >= self._options[column].min_count

    def _table(
        self,
        _: None,
        tops: Mapping[int, list[tuple[int, bytes, Folds]]],
        every: Mapping[bytes, Any],
    ) -> np.ndarray:
        folds = every[_EVERY]
        whole = GroupSums.of(floats(total(folds)))
        apart = {fold: GroupSums.of(floats(total(folds, fold))) for fold in folds}
        lines, found = [], []
        for column, options in enumerate(self._options):
            heading = vocabularies.line_of(column, b"")
            terms = tops.get(column, [])[: options.top_k]
            for fold in (None, *(sorted(folds) if self._apart else ())):
                prefix = b"" if fold is None else b"/%d/" % fold
                smooth = whole if fold is None else apart[fold]
                own = [(term, sums) for _, term, sums in terms if fold is None or fold in sums]
                # First a value without rows: one that is not seen.
                rows = [np.zeros(2 + 2 * whole.number.shape[-1])]
                rows += [floats(total(sums, fold)) for _, sums in own]
                lines += [b"*" + prefix + heading, *(prefix + heading + term for term, _ in own)]
                found.append(self._figures(GroupSums.of(np.stack(rows)), smooth, whole, options))
        return table_of(lines, np.concatenate(found))


def table_of(lines: Sequence[bytes], figures: np.ndarray) -> np.ndarray:
    """Return figures [lines, outputs] as the table that `found` reads, int64 [1 + outputs, any]."""
    hashes = _hashed(tf.constant(lines, tf.string)).numpy()
    order = np.argsort(hashes, kind="stable")
    bits = figures[order].T.astype(np.float64).copy().view(np.int64)
    table = np.concatenate([hashes[order][None], bits])
    end = np.zeros((len(table), 1), np.int64)
    end[0] = _HASHES  # greater than any other, so that every search ends within the table
    return np.concatenate([table, end], axis=1)


# Exact sums by fold, each a list of whole numbers in units of 2 ** -1074.
Folds = Mapping[int, list[int]]


def batch_sums(batch: tuple[np.ndarray, ...]) -> Iterator[tuple[bytes, Folds]]:
    """Yield a batch's lines with their sums by fold, and those of all rows."""
    lines, places, fold, weight, numbers = batch
    weighted = numbers * weight[:, None]
    added = np.column_stack([np.ones(len(fold)), weight, weighted, weighted * numbers])
    folds, fold_number = np.unique(fold, return_inverse=True)
    every = np.full((1, len(fold)), len(lines))
    for row in np.concatenate([places, every]):
        codes, group = np.unique(row * np.int64(len(folds)) + fold_number, return_inverse=True)
        sums = np.stack([np.bincount(group, values, len(codes)) for values in added.T], axis=1)
        for code, own in zip(codes.tolist(), sums.tolist(), strict=True):
            line, number = divmod(code, len(folds))
            name = _EVERY if line == len(lines) else lines[line]
            yield name, {int(folds[number]): [exact(value) for value in own]}


def exact(value: float) -> int:
    """Return a number in units of the smallest one.

    >>> exact(1.5) == 3 << 1073
    True
    """
    numerator, denominator = value.as_integer_ratio()
    return numerator << (_SCALE + 1 - denominator.bit_length())


def add_folds(parts: Iterable[Folds]) -> Folds:
    """Add up sums by fold."""
    added: dict[int, list[int]] = {}
    for part in parts:
        for fold, sums in part.items():
            before = added.get(fold)
            together = zip(before, sums, strict=True) if before else ((0, each) for each in sums)
            added[fold] = [one + other for one, other in together]
    return added


def total(folds: Folds, without: int | None = None) -> list[int]:
    """Return the sums of all folds but one."""
    width = len(next(iter(folds.values())))
    kept = [sums for fold, sums in folds.items() if fold != without]
    return [sum(each) for each in zip(*kept, strict=True)] if kept else [0] * width


def floats(sums: list[int]) -> np.ndarray:
    """Return exact sums as float64."""
    return np.array([value / (1 << _SCALE) for value in sums])


def _by_column(line: bytes, folds: Folds) -> Iterator[tuple[int, tuple[int, bytes, Folds]]]:
    if line != _EVERY:
        column, _, term = line.partition(b"\t")
        rows = total(folds)[0] >> _SCALE
        yield int(column), (-rows, term, folds)
