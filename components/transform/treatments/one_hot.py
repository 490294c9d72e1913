"""`one_hot`: a 0 or 1 for each frequent value of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import texts
from components.transform import vocabularies
from components.transform.indicators import indicators, widest
from components.transform.known_terms import terms_by_column
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary, Inputs, Tensors

_FILE_NAME = "one_hot.txt"


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Indicate which value it is; missing is flagged."""
    value = texts([inputs[use.column] for use in uses])
    path = vocabularies.analyze(value, [use.options for use in uses], _FILE_NAME)
    term = vocabularies.lookup(value, path, len(uses)).id
    hot = tf.one_hot(term, widest(uses))  # of no value where it is unknown
    return indicators(uses, tf.unstack(hot, len(uses)), tf.equal(value, ""))


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[Boundary]]:
    """Return, by column, values that have an indicator."""
    return terms_by_column(graph, _FILE_NAME, features)
