"""`group_statistics`: mean, deviation and count of a number by another column, and the distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import by_name, numbers, rounded, texts
from components.transform import sums_by_value, vocabularies
from components.transform.scaling import with_all_digits, z_scores
from components.transform.sums_by_value import GroupSums
from components.transform.treatments.protocol import Use
from schemas.treatments.group_statistics import GroupStatistics

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the statistics of all uses; a missing group is a group."""
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        options: GroupStatistics = use.options
        number, group = (inputs[name] for name in use.columns)
        scaled = z_scores(numbers([number]), centered=with_all_digits([number]))
        known = tf.math.is_finite(scaled)
        lines = vocabularies.lines_of(texts([group]))
        table = sums_by_value.table(
            lines,
            [use],
            figures,
            weight=tf.cast(known[:, 0], tf.float64),
            number=tf.where(known, scaled, 0.0),
        )
        found = sums_by_value.found(table, lines, sums_by_value.lines_of_unseen(lines))
        mean, std, count = tf.unstack(found[:, 0], 3)
        apart = tf.clip_by_value(scaled[:, 0] - mean, -options.clip, options.clip)
        every = {"mean": mean, "std": std, "count": count, "difference": apart}
        chosen = tf.stack([every[statistic] for statistic in options.statistics])
        # NaN means that the number is missing here, or in all training rows.
        chosen = tf.where(tf.math.is_nan(chosen), tf.zeros([], tf.float64), chosen)
        names = (feature.name for feature in options.outputs(use.columns, 0))
        out |= by_name(names, rounded(chosen))
    return out


def figures(
    sums: GroupSums, smooth: GroupSums, whole: GroupSums, options: GroupStatistics
) -> np.ndarray:
    """Return each group's mean, deviation and share of the logarithm of the count, [groups, 3]."""
    seen = sums.weight[:, np.newaxis] > 0
    mean = np.where(seen, sums.mean, whole.mean if whole.weight > 0 else np.nan)
    std = np.sqrt(np.where(seen, sums.variance, whole.variance))
    count = np.log1p(sums.weight) / np.log1p(max(float(whole.weight), 1.0))
    return np.column_stack([mean, std, count])
