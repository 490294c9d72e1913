"""Errors that a graph raises when it runs, naming the columns at fault."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from schemas.columns import Column


def require(holds: tf.Tensor, columns: Sequence[Column], problem: str) -> None:
    """Fail at run time where `holds`, one bool a column, is False; the error names the columns."""
    named = tf.constant([c.name for c in columns])
    culprits = tf.strings.reduce_join(tf.boolean_mask(named, tf.logical_not(holds)), separator=", ")
    tf.debugging.Assert(tf.reduce_all(holds), [f"{problem}: ", culprits])
