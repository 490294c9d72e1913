"""Warnings about a row's lists: missing, or with values that are unusual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from schemas.columns import Column
from schemas.expectations import Expectation


@dataclass(frozen=True)
class ListTerm:
    """A feature of lists of terms' numbers: 0 missing, 1 to `known` terms, above them unknown."""

    column: str
    feature: str
    known: int


@dataclass(frozen=True)
class ListWarnings:
    """What to check of the columns of lists.

    Attributes:
      columns: the columns, each with what is expected of it.
      terms: the features that are numbers of terms.
    """

    columns: tuple[tuple[Column, Expectation], ...]
    terms: tuple[ListTerm, ...]

    def required(self, columns: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """Return whether lists are missing that must not be, bool [rows] by column.

        Args:
          columns: ragged ones, in which a missing list has the stand-in for a missing value alone.
        """
        return {
            column.name: _any(columns[column.name], _is_missing(columns[column.name], column))
            for column, expectation in self.columns
            if expectation.required
        }

    def outside(self, columns: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """Return whether lists have a value outside their domain, bool [rows] by column."""
        return {
            column.name: _any(columns[column.name], _outside(columns[column.name], expectation))
            for column, expectation in self.columns
            if expectation.values is not None or not column.type.is_requested_as_text
        }

    def unknown(self, features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return how many of a list's values are in no vocabulary, int64 [rows] by column.

        Args:
          features: int64 [rows, width] each, padded by negative numbers.
        """
        return {
            term.column: tf.math.count_nonzero(features[term.feature] > term.known, axis=1)
            for term in self.terms
        }


def _is_missing(ragged: tf.RaggedTensor, column: Column) -> tf.Tensor:
    values = ragged.flat_values
    return tf.equal(values, "") if column.type.is_requested_as_text else tf.math.is_nan(values)


def _outside(ragged: tf.RaggedTensor, expectation: Expectation) -> tf.Tensor:
    values = ragged.flat_values
    if values.dtype == tf.string:
        allowed = tf.constant(["", *(expectation.values or ())])  # "" is missing
        within = tf.reduce_any(tf.equal(values[:, tf.newaxis], allowed), axis=1)
        return tf.logical_not(within)
    least = float("-inf") if expectation.minimum is None else expectation.minimum
    most = float("inf") if expectation.maximum is None else expectation.maximum
    values = tf.cast(values, tf.float64)
    return tf.logical_or(values < least, values > most)  # NaN is neither


def _any(ragged: tf.RaggedTensor, flags: tf.Tensor) -> tf.Tensor:
    """Return which lists have a value that is flagged."""
    return tf.reduce_any(ragged.with_flat_values(flags), axis=1)
