"""Latitudes and longitudes as the numbers that treatments of places compute on."""

from __future__ import annotations

import tensorflow as tf

from components.column_tensors import numbers


def degrees(latitude: tf.Tensor, longitude: tf.Tensor) -> tf.Tensor:
    """Return two columns [rows] as float64 [rows, 2].

    Both are NaN where one is missing, or beyond ±90 degrees of latitude or ±180 of longitude.
    """
    # One at a time: `numbers` would sort columns of different types.
    place = tf.concat([numbers([latitude]), numbers([longitude])], axis=1)
    is_on_earth = tf.reduce_all(tf.abs(place) <= [[90.0, 180.0]], axis=1, keepdims=True)
    return tf.where(is_on_earth, place, tf.constant(float("nan"), tf.float64))
