"""The label, made from raw columns inside the transform graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.transform.columns import numbers, texts
from schemas.spec import Exceeds, Label

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_ROUNDING = 4 * np.finfo(np.float64).eps  # a fraction's and a product's, twice over


def label(inputs: Inputs, options: Label) -> Tensors:
    """Return the label, int64 0 or 1. Rows without it never get here: ingest rejects them."""
    if options.equals is not None:
        wanted = tf.constant([[str(v)] for v in options.equals.values])
        equal = tf.equal(texts([inputs[options.equals.column]]), wanted)
        positive = tf.reduce_any(equal, axis=0)
    else:
        assert options.exceeds is not None  # held by Label
        positive = _exceeds(options.exceeds, inputs)
    return {options.name: tf.cast(positive, tf.int64)}


def _exceeds(rule: Exceeds, inputs: Inputs) -> tf.Tensor:
    """Return whether a column exceeds a fraction of another one, bool [rows].

    0.29 of 100 is less than 29 in binary: what differs by the rounding alone does not exceed. That
    is the rounding of float32 between FLOAT columns, and of float64 where one of them is an INT.
    """
    value, of = (numbers([inputs[c]])[:, 0] for c in (rule.column, rule.of))
    if all(inputs[c].dtype == tf.float32 for c in (rule.column, rule.of)):
        return tf.cast(value, tf.float32) > rule.fraction * tf.cast(of, tf.float32)
    limit = rule.fraction * of
    return value - limit > tf.abs(limit) * _ROUNDING
