"""What the label is for each value of a column: the part that treatments of it share.

The functions take columns of text and the label, and return for each row what a treatment makes of
the sums over the training rows with the same value. Training rows get those of other folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name, rounded, text, texts
from components.transform import sums_by_value, vocabularies
from components.transform.sums_by_value import Figures
from components.transform.treatments.protocol import Target, Use

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def encoded(inputs: Inputs, uses: Sequence[Use], target: Target, figures: Figures) -> Tensors:
    """Return the features of all uses and their outputs for training rows, by name.

    Uses with the same classes share an analyzer.
    """
    out: dict[str, tf.Tensor] = {}
    for classes in dict.fromkeys(use.options.of_classes for use in uses):
        alike = [use for use in uses if use.options.of_classes == classes]
        out |= _encoded(inputs, alike, target, figures, classes)
    return out


def _encoded(
    inputs: Inputs, uses: Sequence[Use], target: Target, figures: Figures, classes: tuple[str, ...]
) -> dict[str, tf.Tensor]:
    own = vocabularies.lines_of(texts([inputs[use.column] for use in uses]))
    table = sums_by_value.table(
        own,
        uses,
        figures,
        weight=tf.cast(target.weight, tf.float64),
        number=_labels(inputs, target, classes),
        fold=target.fold,
    )
    fold = tf.strings.join(["/", tf.strings.as_string(target.fold), "/"])
    fold = tf.broadcast_to(fold, tf.shape(own))
    unseen = sums_by_value.lines_of_unseen(own)
    apart = tf.strings.join([fold, own])
    unseen_apart = tf.strings.join(["*", fold, tf.strings.substr(unseen, 1, -1)])
    out: dict[str, tf.Tensor] = {}
    for figure, part in (
        (sums_by_value.found(table, own, unseen), "name"),
        (sums_by_value.found(table, apart, unseen_apart), "training"),
    ):
        for use, of_use in zip(uses, tf.unstack(figure, len(uses), axis=1), strict=True):
            names = [getattr(feature, part) for feature in use.options.outputs(use.columns, 0)]
            out |= by_name(names, rounded(of_use))
    return out


def _labels(inputs: Inputs, target: Target, classes: tuple[str, ...]) -> tf.Tensor:
    """Return the label as numbers, float64 [rows, outputs]: 0 or 1 for each class, if any."""
    if not classes:
        label = tf.cast(target.label, tf.float64)
        # A class of -1 is one that neither of the two values has.
        known = tf.maximum(label, 0.0) if target.label.dtype.is_integer else label
        return known[:, tf.newaxis]
    value = text(inputs[target.options.outcome])
    return tf.cast(tf.equal(value[:, tf.newaxis], tf.constant([classes])), tf.float64)
