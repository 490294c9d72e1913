"""`group_statistics`: figures of a number by another column, and how far it is from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import by_name, numbers, rounded, texts
from components.transform import group_fills, sums_by_value, vocabularies
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
        every = _statistics(use.options, *(inputs[name] for name in use.columns))
        chosen = tf.stack([every[statistic] for statistic in use.options.statistics])
        # NaN means that the number is missing here, or in all training rows.
        chosen = tf.where(tf.math.is_nan(chosen), tf.zeros([], tf.float64), chosen)
        names = (feature.name for feature in use.options.outputs(use.columns, 0))
        out |= by_name(names, rounded(chosen))
    return out


def _statistics(
    options: GroupStatistics, column: tf.Tensor, group: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Return the statistics that are wanted, and others, float64 [rows]."""
    number = numbers([column])
    scaled = z_scores(number, centered=with_all_digits([column]))
    known = tf.math.is_finite(scaled)
    both = tf.where(known, tf.concat([scaled, number], axis=1), tf.zeros([], tf.float64))
    lines = vocabularies.lines_of(texts([group]))
    table = sums_by_value.table(
        lines,
        [Use(options.kind, (), options)],
        figures,
        weight=tf.cast(known[:, 0], tf.float64),
        number=both if options.is_relative_to("ratio", "mean") else both[:, :1],
    )
    unseen = sums_by_value.lines_of_unseen(lines)
    found = sums_by_value.found(table, lines, unseen)[:, 0]
    every = {"mean": found[0], "std": found[1], "count": found[2]}
    middle, middle_number = found[0], found[-1]
    if options.needs_medians:
        medians = group_fills.table_of(
            tf.where(known, both, tf.constant(float("nan"), tf.float64)),
            lines,
            group_fills.LearnGroupMedians(),
        )
        # A group that the other table leaves out has the median of all rows, too.
        kept = tf.where(found[2] > 0, lines, unseen)
        every["median"], median = tf.unstack(group_fills.found(medians, kept), 2)
        if options.relative_to == "median":
            middle, middle_number = every["median"], median
    apart = scaled[:, 0] - middle
    ratio = tf.math.divide_no_nan(number[:, 0], middle_number)
    for name, value in (("difference", apart), ("ratio", ratio)):
        every[name] = tf.clip_by_value(value, -options.clip, options.clip)
    return every


def figures(
    sums: GroupSums, smooth: GroupSums, whole: GroupSums, options: GroupStatistics
) -> np.ndarray:
    """Return each group's statistics, [groups, 3] or, with the mean of numbers, [groups, 4].

    They are mean and deviation of scaled numbers, and the share of the logarithm of the count.
    """
    seen = sums.weight[:, np.newaxis] > 0
    mean = np.where(seen, sums.mean, whole.mean if whole.weight > 0 else np.nan)
    std = np.sqrt(np.where(seen, sums.variance, whole.variance))[:, :1]
    count = np.log1p(sums.weight) / np.log1p(max(float(whole.weight), 1.0))
    return np.column_stack([mean[:, :1], std, count, mean[:, 1:]])
