"""Warnings about a row's unusual values, computed in the graph beside the row's score.

`Warnings` takes a request's raw columns and the features that the transform graph made of them. It
returns a text a row, and how many of the row's values are in no vocabulary. The score does not
change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from components.export import signatures as names
from components.export.list_warnings import ListTerm, ListWarnings
from components.export.terms import vocabulary_features
from components.export.values import doubles
from schemas.columns import Column
from schemas.expectations import Expectation
from schemas.layout import Layout
from schemas.types import FLOAT_TEXT

if TYPE_CHECKING:
    Tensors = Mapping[str, tf.Tensor]

_SEPARATOR = "; "
_MISSING = "{} is missing"
_OUTSIDE = "{} is outside its domain"
_UNKNOWN = "{} is out of vocabulary"


@dataclass(frozen=True)
class _Term:
    """A feature that is a term's number: 0 missing, 1 to `known` terms, above them unknown."""

    column: str
    feature: str
    known: int


@dataclass(frozen=True)
class Warnings:
    """What to check, column by column.

    One op checks all columns of a type, because the latency of a small request depends on the
    number of ops, not of values. Columns of lists are checked one by one.
    """

    numbers: tuple[Expectation, ...]
    texts: tuple[Expectation, ...]
    terms: tuple[_Term, ...]
    lists: ListWarnings

    @classmethod
    def of(
        cls,
        columns: Iterable[Column],
        expectations: Iterable[Expectation],
        layout: Layout,
        known: Mapping[str, int],
    ) -> Warnings:
        """Return the warnings that make sense for a request.

        Args:
          columns: those that a request contains.
          expectations: of any columns.
          layout: the transformed features.
          known: the number of terms of each vocabulary, by raw column.
        """
        by_name = {c.name: c for c in columns}
        checked = [e for e in expectations if e.name in by_name]
        single = [e for e in checked if not by_name[e.name].is_list]
        as_text = {c.name: c.type.is_requested_as_text for c in by_name.values()}
        as_text |= {c.name: False for c in by_name.values() if c.type is FLOAT_TEXT}
        features = vocabulary_features(layout)
        of_lists = {f.name for f in layout.lists}
        return cls(
            numbers=tuple(e for e in single if not as_text[e.name]),
            texts=tuple(e for e in single if as_text[e.name]),
            terms=tuple(
                _Term(column, feature, known[column])
                for column, feature in features.items()
                if feature not in of_lists
            ),
            lists=ListWarnings(
                tuple((by_name[e.name], e) for e in checked if by_name[e.name].is_list),
                tuple(
                    ListTerm(column, feature, known[column])
                    for column, feature in features.items()
                    if feature in of_lists
                ),
            ),
        )

    def of_rows(self, columns: Tensors, features: Tensors) -> Tensors:
        """Return WARNINGS string [rows] and OUT_OF_VOCABULARY int64 [rows].

        Args:
          columns: dense raw columns, NaN or "" where missing; ragged ones of lists.
          features: what the transform graph made of them.
        """
        rows = _rows(next(iter(columns.values())))
        nothing = tf.zeros([0, rows], tf.bool)
        unknown = self._unknown(features) if self.terms else nothing
        flags = [nothing, *self._of_numbers(columns), *self._of_texts(columns), unknown]
        absent, outside = self.lists.required(columns), self.lists.outside(columns)
        unknown_in_lists = self.lists.unknown(features)
        for of_lists in (absent, outside, unknown_in_lists):
            flags += [tf.cast(each, tf.bool)[tf.newaxis] for each in of_lists.values()]
        words = [
            *_texts(_MISSING, [e.name for e in self.numbers if e.required]),
            *_texts(_OUTSIDE, [e.name for e in self.numbers]),
            *_texts(_MISSING, [e.name for e in self.texts if e.required]),
            *_texts(_OUTSIDE, [e.name for e in self.texts if e.values is not None]),
            *_texts(_UNKNOWN, [t.column for t in self.terms]),
            *_texts(_MISSING, absent),
            *_texts(_OUTSIDE, outside),
            *_texts(_UNKNOWN, unknown_in_lists),
        ]
        words_of = tf.reshape(tf.constant(words, tf.string), [len(words), 1])
        parts = tf.where(tf.concat(flags, axis=0), words_of, "")
        joined = tf.strings.reduce_join(parts, axis=0)
        count = tf.reduce_sum(tf.cast(unknown, tf.int64), axis=0)
        return {
            names.WARNINGS: tf.strings.regex_replace(joined, f"{_SEPARATOR}$", ""),
            names.OUT_OF_VOCABULARY: sum(unknown_in_lists.values(), count),
        }

    def _of_numbers(self, columns: Tensors) -> list[tf.Tensor]:
        if not self.numbers:
            return []
        values = tf.stack([_number(columns[e.name]) for e in self.numbers])
        least = _column([-np.inf if e.minimum is None else e.minimum for e in self.numbers])
        most = _column([np.inf if e.maximum is None else e.maximum for e in self.numbers])
        required = [i for i, e in enumerate(self.numbers) if e.required]
        outside = tf.logical_or(values < least, values > most)  # NaN is neither
        return [_some(tf.math.is_nan(values), required), outside]

    def _of_texts(self, columns: Tensors) -> list[tf.Tensor]:
        if not self.texts:
            return []
        values = tf.stack([columns[e.name] for e in self.texts])
        required = [i for i, e in enumerate(self.texts) if e.required]
        flags = [_some(tf.equal(values, ""), required)]
        for i, expectation in enumerate(self.texts):
            if expectation.values is not None:
                allowed = tf.constant(["", *expectation.values])  # "" is missing
                within = tf.reduce_any(tf.equal(values[i][:, tf.newaxis], allowed), axis=1)
                flags.append(tf.logical_not(within)[tf.newaxis])
        return flags

    def _unknown(self, features: Tensors) -> tf.Tensor:
        numbers = tf.stack([features[t.feature] for t in self.terms])
        known = tf.constant([[t.known] for t in self.terms], tf.int64)
        return numbers > known


def _rows(column: Any) -> tf.Tensor:
    is_ragged = isinstance(column, tf.RaggedTensor)
    return column.nrows(tf.int32) if is_ragged else tf.size(column)


def _number(column: tf.Tensor) -> tf.Tensor:
    if column.dtype == tf.string:
        return doubles(column)[0]
    return tf.cast(column, tf.float64)


def _texts(form: str, columns: Iterable[str]) -> list[str]:
    return [form.format(column) + _SEPARATOR for column in columns]


def _column(values: Sequence[float]) -> tf.Tensor:
    return tf.constant([[value] for value in values], tf.float64)


def _some(flags: tf.Tensor, places: Sequence[int]) -> tf.Tensor:
    return tf.gather(flags, tf.constant(places, tf.int32))
