"""All vocabularies of a dataset in one analyzer and one table.

The functions take columns of text or integers, "" where text is missing. They return each value's
number in its column's vocabulary, by falling count over the training split (ties by bytes) or in
the order in which a person gave the terms, or -1.
One asset file has a line `COLUMN<tab>TERM` a term, column by column, each column after its heading
`COLUMN<tab>`, and a last heading that ends the last column. TFT's own `tft.vocabulary` does the
same a column at a time: about ten Beam stages and a table for each.

Columns of lists have an analyzer and a file of their own, as their values are not one a row:
`analyze_lists` and `lookup_lists` take the values of all lists one after the other.

A term with a line break cannot be a line, so it counts as out of vocabulary, as in TFT. Lines
`!COLUMN<tab>TERMS<tab>ROWS` at the end of the file say how many terms were left out only for this
reason.
"""

from __future__ import annotations

import heapq
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import beam as tft_beam

from components import files
from components.transform import shared_graph
from schemas.treatments.options import LearnedTerms

FILE_NAME = "vocabularies.txt"
LISTS_FILE_NAME = "list_vocabularies.txt"
_LINE_BREAKS = (b"\n", b"\r")
_LEFT_OUT = b"!"


class LeftOut(NamedTuple):
    """What a vocabulary lacks because of line breaks: terms, and their rows in training."""

    terms: int
    rows: int

    @property
    def words(self) -> str:
        """Return the message for a person."""
        return f"{self.terms:,} terms with line breaks ({self.rows:,} rows) count as unknown"


class ColumnTerms(NamedTuple):
    """A column's terms, the most frequent first, and what was left out."""

    terms: list[bytes]
    left_out: LeftOut


class Terms(NamedTuple):
    """Looked-up values: `id` int64 [columns, rows], -1 if unknown; `size` int64 [columns, 1].

    Of lists, `id` and `size` are those of each value, int64 [values]. `line` is like `id`, the
    number of the term's line in the file.
    """

    id: tf.Tensor
    size: tf.Tensor
    line: tf.Tensor


def analyze(
    value: tf.Tensor, options: Sequence[LearnedTerms], file_name: str = FILE_NAME
) -> tf.Tensor:
    """Return the path of the vocabularies' file, string [].

    Args:
      value: string [columns, rows], "" where missing.
      options: of each column, in the order of their numbers in the file.
      file_name: the name of the file, each of which is written once.
    """
    return _analyze(count_values(value), options, file_name)


def analyze_lists(
    value: tf.Tensor,
    column: tf.Tensor,
    options: Sequence[LearnedTerms],
    file_name: str = LISTS_FILE_NAME,
) -> tf.Tensor:
    """Return the path of the file of the vocabularies of lists, string [].

    Args:
      value: string [values], "" where a list is missing.
      column: the number of the column of each value, int32 [values].
      options: of each column, in the order of their numbers.
      file_name: the name of the file, each of which is written once.
    """
    counts = _count(lines_of_lists(value, column, len(options)))
    return _analyze(counts, options, file_name)


def _analyze(
    counts: tuple[tf.Tensor, tf.Tensor], options: Sequence[LearnedTerms], file_name: str
) -> tf.Tensor:
    (path,) = tft.experimental.ptransform_analyzer(
        inputs=[*counts],
        ptransform=CountTerms(options, file_name),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        # The content of the file while the graph is only traced.
        output_asset_default_values=[b"placeholder"],
        name=os.path.splitext(file_name)[0],
    )
    return path


def count_values(value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return distinct values as lines of the file, string [distinct], and their counts, int64.

    Values are counted in the graph: a batch leaves it as a few hundred terms, not as an object a
    value.
    """
    return _count(tf.reshape(lines_of(value), [-1]))


def _count(lines: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    unique = tf.unique_with_counts(lines, out_idx=tf.int64)
    return unique.y, unique.count


def lines_of(value: tf.Tensor) -> tf.Tensor:
    """Return each value, string [columns, rows], as a line of the file."""
    headings = tf.constant([line_of(i, b"") for i in range(value.shape[0])])
    return tf.strings.join([tf.broadcast_to(headings[:, tf.newaxis], tf.shape(value)), value])


def lines_of_lists(value: tf.Tensor, column: tf.Tensor, columns: int) -> tf.Tensor:
    """Return each value of lists, string [values], as a line of the file."""
    headings = tf.constant([line_of(i, b"") for i in range(columns)])
    return tf.strings.join([tf.gather(headings, column), value])


def lookup(value: tf.Tensor, path: tf.Tensor, columns: int) -> Terms:
    """Return each value's number in its column's vocabulary.

    Args:
      value: string [columns, rows].
      path: of the vocabularies' file, string [].
      columns: how many there are.
    """
    places = _places(tf.reshape(lines_of(value), [-1]), path, columns)
    heading = places[: columns + 1, tf.newaxis]
    line = tf.reshape(places[columns + 1 :], tf.shape(value))
    first = heading[:columns] + 1
    return Terms(tf.where(line >= 0, line - first, line), heading[1:] - first, line)


def lookup_lists(value: tf.Tensor, column: tf.Tensor, path: tf.Tensor, columns: int) -> Terms:
    """Return the number of each value of lists in its column's vocabulary, and the latter's size.

    Args:
      value: string [values].
      column: the number of the column of each value, int32 [values].
      path: of the file of the vocabularies of lists, string [].
      columns: how many there are.
    """
    places = _places(lines_of_lists(value, column, columns), path, columns)
    heading, line = places[: columns + 1], places[columns + 1 :]
    first = heading[:columns] + 1
    size = heading[1:] - first
    number = tf.where(line >= 0, line - tf.gather(first, column), line)
    return Terms(number, tf.gather(size, column), line)


def _places(lines: tf.Tensor, path: tf.Tensor, columns: int) -> tf.Tensor:
    """Return the line numbers of the headings, and of lines after them; -1 if not found."""
    # Headings and values share one look-up, because each call makes a table.
    headings = tf.constant([line_of(i, b"") for i in range(columns + 1)])
    return tft.apply_vocabulary(tf.concat([headings, lines], axis=0), path)


def read(path: str, columns: int) -> list[ColumnTerms]:
    """Return what a vocabularies' file says of each column."""
    read = [ColumnTerms([], LeftOut(0, 0)) for _ in range(columns)]
    with files.open_read(path) as file:
        for line in file:
            number, _, term = line.rstrip(b"\n").partition(b"\t")
            if number.startswith(_LEFT_OUT):
                column = int(number.removeprefix(_LEFT_OUT))
                read[column] = read[column]._replace(left_out=LeftOut(*map(int, term.split(b"\t"))))
            elif term:
                read[int(number)].terms.append(term)
    return read


def line_of(column: int, term: bytes) -> bytes:
    """Return a term of a column, by its number, as a line of the file."""
    return b"%d\t%s" % (column, term)


class CountTerms(tft_beam.experimental.PTransformAnalyzer):
    """Count terms a column, keep each column's most frequent ones, write them to one file.

    Workers exchange (line of the file, count) of each batch, then at most `top_k` terms a column.

    Args:
      options: the columns' options, in the order of their numbers.
      file_name: the name of the file.
    """

    def __init__(self, options: Sequence[LearnedTerms], file_name: str = FILE_NAME) -> None:
        super().__init__()
        self._options = tuple(options)
        self._file_name = file_name

    def expand(
        self, batches: beam.PCollection[tuple[np.ndarray, np.ndarray]]
    ) -> beam.PCollection[str]:
        """Return the path of the file that has every column's terms."""
        tops = (
            batches
            | "Lines" >> beam.FlatMap(_lines)
            | "CountTerms" >> beam.CombinePerKey(sum)
            | "ByColumn" >> beam.MapTuple(_by_column)
            | "DropRare" >> beam.Filter(self._is_wanted)
            | "MostFrequent"
            >> beam.CombinePerKey(MostFrequent(max(o.top_k for o in self._options)))
        )
        return (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "WriteFile"
            >> beam.Map(
                self._write, beam.pvalue.AsDict(tops), shared_graph.shared(self.base_temp_dir)
            )
        )

    def _is_wanted(self, counted: tuple[int, tuple[int, bytes]]) -> bool:
        column, (negative_count, term) = counted
        options = self._options[column]
        return bool(term) and not options.given and -negative_count >= options.min_count

    def _write(self, _: None, tops: Mapping[int, list[tuple[int, bytes]]], folder: str) -> Any:
        lines = [line for line, _ in self._counted_lines(tops)]
        for column, options in enumerate(self._options):
            top = tops.get(column, [])[: options.top_k]
            broken = [-negative_count for negative_count, term in top if _has_line_break(term)]
            if broken:
                lines.append(b"%s%d\t%d\t%d" % (_LEFT_OUT, column, len(broken), sum(broken)))
        path = os.path.join(folder, self._file_name)
        files.write_whole(path, b"".join(line + b"\n" for line in lines))
        return path

    def _counted_lines(
        self, tops: Mapping[int, list[tuple[int, bytes]]]
    ) -> Iterator[tuple[bytes, int]]:
        """Yield the lines of headings and terms with the terms' counts; headings have 0."""
        for column, options in enumerate(self._options):
            yield line_of(column, b""), 0
            for given in options.given:
                yield line_of(column, given.encode()), 0
            for negative_count, term in tops.get(column, [])[: options.top_k]:
                if not _has_line_break(term):
                    yield line_of(column, term), -negative_count
        yield line_of(len(self._options), b""), 0


def _has_line_break(term: bytes) -> bool:
    return any(line_break in term for line_break in _LINE_BREAKS)


def _lines(batch: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[bytes, int]]:
    lines, counts = batch
    yield from zip(lines.tolist(), counts.tolist(), strict=True)


def _by_column(line: bytes, count: int) -> tuple[int, tuple[int, bytes]]:
    column, _, term = line.partition(b"\t")
    return int(column), (-count, term)


class MostFrequent(beam.CombineFn):
    """Keep the `limit` smallest (-count, term): the most frequent terms, ties by bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def create_accumulator(self) -> list[tuple[int, bytes]]:
        """Return no terms."""
        return []

    def add_input(
        self, accumulator: list[tuple[int, bytes]], element: tuple[int, bytes]
    ) -> list[tuple[int, bytes]]:
        """Add a term."""
        accumulator.append(element)
        # The list is cut at twice the limit, so that the cost of a term stays constant.
        return self._cut(accumulator) if len(accumulator) >= 2 * self._limit else accumulator

    def merge_accumulators(
        self, accumulators: Iterable[list[tuple[int, bytes]]]
    ) -> list[tuple[int, bytes]]:
        """Keep the most frequent terms of all."""
        return self._cut(itertools.chain.from_iterable(accumulators))

    def extract_output(self, accumulator: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Return the terms in order."""
        return self._cut(accumulator)

    def _cut(self, terms: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        return heapq.nsmallest(self._limit, terms)
