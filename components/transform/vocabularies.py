"""All vocabularies of a dataset in one analyzer and one table.

Goes in: columns of text or integers, "" where text is missing. Comes out: each value's number in
its column's vocabulary, by falling count over the training split (ties by bytes), or -1. One asset
file holds an entry `COLUMN<tab>TERM` for each term, column by column, each column after its
heading `COLUMN<tab>`, and a last heading that ends the last column. Its entries are TFRecords,
because a term may hold line breaks. TFT's own `tft.vocabulary` does the same a column at a time:
some ten Beam stages and a table for each.
"""

from __future__ import annotations

import heapq
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import apache_beam as beam
import numpy as np
from tensorflow_transform import beam as tft_beam

from components import files
from components.transform import shared_graph
from schemas.spec import Vocabulary

if TYPE_CHECKING:
    import tensorflow as tf

FILE_NAME = "vocabularies.tfrecord.gz"


class Terms(NamedTuple):
    """Looked-up values: `id` int64 [columns, rows], -1 if unknown; `size` int64 [columns, 1]."""

    id: tf.Tensor
    size: tf.Tensor


def analyze(values: Mapping[str, tf.Tensor], options: Mapping[str, Vocabulary]) -> tf.Tensor:
    """Return the path of the vocabularies' file, string [].

    Args:
      values: a column's values, missing ones left out or ""; string or int64, of any number.
      options: the columns' options, in the order of their numbers in the file.
    """
    import tensorflow as tf
    import tensorflow_transform as tft

    # Counted in the graph: a batch leaves it as some hundred terms, not as an object a value.
    counted = [count_values(i, values[column]) for i, column in enumerate(options)]
    (path,) = tft.experimental.ptransform_analyzer(
        inputs=[tf.concat(parts, axis=0) for parts in zip(*counted, strict=True)],
        ptransform=CountTerms(tuple(options.values())),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        # what the file holds while the graph is only traced
        output_asset_default_values=[_as_file([b"placeholder"])],
        name="vocabularies",
    )
    return path


def count_values(column: int, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return a column's distinct values as entries, string [distinct], and their counts, int64."""
    import tensorflow as tf

    unique = tf.unique_with_counts(values, out_idx=tf.int64)
    terms = unique.y if unique.y.dtype == tf.string else tf.strings.as_string(unique.y)
    return tf.strings.join([_entry(column, b""), terms]), unique.count


def lookup(value: tf.Tensor, path: tf.Tensor, columns: int) -> Terms:
    """Return each value's number in its column's vocabulary.

    Args:
      value: string [columns, rows].
      path: of the vocabularies' file, string [].
      columns: how many there are.
    """
    import tensorflow as tf
    import tensorflow_transform as tft

    # Headings and values share one look-up: a table a call would be made otherwise.
    headings = tf.constant([_entry(i, b"") for i in range(columns + 1)])
    across = tf.broadcast_to(headings[:columns, tf.newaxis], tf.shape(value))
    entries = tf.reshape(tf.strings.join([across, value]), [-1])
    found = tft.apply_vocabulary(  # -1: not found
        tf.concat([headings, entries], axis=0), path, file_format="tfrecord_gzip"
    )
    heading = found[: columns + 1, tf.newaxis]
    place = tf.reshape(found[columns + 1 :], tf.shape(value))
    first = heading[:columns] + 1
    return Terms(tf.where(place >= 0, place - first, place), heading[1:] - first)


def read_terms(path: str, columns: int) -> list[list[bytes]]:
    """Return each column's terms in a vocabularies' file, the most frequent first."""
    import tensorflow as tf

    terms: list[list[bytes]] = [[] for _ in range(columns)]
    folder, name = os.path.split(path)
    with files.at_hand(folder) as here:
        entries = tf.data.TFRecordDataset(os.path.join(here, name), compression_type="GZIP")
        for entry in entries.as_numpy_iterator():
            number, _, term = entry.partition(b"\t")
            if term:
                terms[int(number)].append(term)
    return terms


def _as_file(entries: Iterable[bytes]) -> bytes:
    """Return the content of a file of these entries."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix="skewless-") as folder:
        path = os.path.join(folder, FILE_NAME)
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for entry in entries:
                writer.write(entry)
        return files.read_bytes(path)


def _entry(column: int, term: bytes) -> bytes:
    return b"%d\t%s" % (column, term)


class CountTerms(tft_beam.experimental.PTransformAnalyzer):
    """Count terms a column, keep each column's most frequent ones, write them to one file.

    What travels is (entry of the file, count) of each batch, then at most `top_k` terms a column.

    Args:
      options: the columns' options, in the order of their numbers.
    """

    def __init__(self, options: Sequence[Vocabulary]) -> None:
        super().__init__()
        self._options = tuple(options)

    def expand(
        self, batches: beam.PCollection[tuple[np.ndarray, np.ndarray]]
    ) -> beam.PCollection[str]:
        """Return the path of the file that holds every column's terms."""
        tops = (
            batches
            | "Entries" >> beam.FlatMap(_entries)
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
        return bool(term) and -negative_count >= self._options[column].min_count

    def _write(self, _: None, tops: Mapping[int, list[tuple[int, bytes]]], folder: str) -> str:
        entries: list[bytes] = []
        for column, options in enumerate(self._options):
            entries.append(_entry(column, b""))
            top = tops.get(column, [])[: options.top_k]
            entries += [_entry(column, term) for _, term in top]
        entries.append(_entry(len(self._options), b""))
        path = os.path.join(folder, FILE_NAME)
        files.write_whole(path, _as_file(entries))
        return path


def _entries(batch: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[bytes, int]]:
    entries, counts = batch
    yield from zip(entries.tolist(), counts.tolist(), strict=True)


def _by_column(entry: bytes, count: int) -> tuple[int, tuple[int, bytes]]:
    column, _, term = entry.partition(b"\t")
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
        # cut at twice the limit: the cost a term stays constant
        return self._cut(accumulator) if len(accumulator) >= 2 * self._limit else accumulator

    def merge_accumulators(
        self, accumulators: Iterable[list[tuple[int, bytes]]]
    ) -> list[tuple[int, bytes]]:
        """Keep the best of all."""
        return self._cut(itertools.chain.from_iterable(accumulators))

    def extract_output(self, accumulator: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Return the terms in order."""
        return self._cut(accumulator)

    def _cut(self, terms: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        return heapq.nsmallest(self._limit, terms)
