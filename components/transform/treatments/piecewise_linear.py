"""`piecewise_linear`: the place of a number among learned intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers, rounded
from components.transform import target_edges
from components.transform.constants import constants_by_column
from components.transform.edges import edges
from components.transform.treatments.protocol import Target, Use
from schemas.layout import TransformedFeature
from schemas.treatments.piecewise_linear import PiecewiseLinear

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use], *target: Target) -> Tensors:
    """Return places from 0, and the numbers of intervals from 1; missing is 0 of both."""
    options: dict[str, PiecewiseLinear] = {use.column: use.options for use in uses}
    out: dict[str, tf.Tensor] = {}
    for bins, by_label in sorted({(o.bins, o.takes_label) for o in options.values()}):
        alike = [c for c, o in options.items() if (o.bins, o.takes_label) == (bins, by_label)]
        columns = integers_first((name, inputs[name]) for name in alike)
        value = numbers([inputs[c] for c in columns])
        if by_label:
            ends = _filled_up(target_edges.learn(value, [options[c] for c in columns], *target))
        else:
            ends = edges(value, bins)
        place, number = _placed(tf.transpose(value), ends)
        out |= by_name((f"{c}_place" for c in columns), rounded(place))
        out |= by_name((f"{c}_bin" for c in columns), number)
    return out


def _filled_up(intervals: target_edges.Intervals) -> tf.Tensor:
    """Return the ends as those of quantiles are, of which the last one is repeated."""
    least, between, greatest = intervals
    known = tf.where(tf.math.is_inf(between), greatest, between)
    return tf.concat([least, known, greatest], axis=1)


def _placed(value: tf.Tensor, ends: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the places, float64, and the intervals' numbers, int64, of [columns, rows]."""
    zero = tf.zeros([], tf.float64)
    first, last = ends[:, :1], ends[:, -1:]
    within = tf.minimum(tf.maximum(value, first), last)  # an infinite value is at an end
    known = tf.logical_not(tf.math.is_nan(within))
    intervals = tf.reduce_sum(tf.cast(ends[:, 1:] > ends[:, :-1], tf.int64), axis=1, keepdims=True)
    # A value that is an edge belongs to the interval above it, except the last edge.
    number = tf.searchsorted(ends[:, 1:-1], within, side="right", out_type=tf.int64)
    number = tf.minimum(number, tf.maximum(intervals - 1, 0))
    below, above = (tf.gather(ends, number + step, batch_dims=1) for step in (0, 1))
    share = tf.math.divide_no_nan(within - below, above - below)
    place = tf.cast(number, tf.float64) + share
    return tf.where(known, place, zero), tf.where(known, number + 1, tf.zeros([], tf.int64))


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, numbers at which one of its intervals may end."""
    return constants_by_column(graph, features)
