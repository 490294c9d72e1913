"""`haversine`: the distance between two places on Earth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.transform.constants import constants_by_column
from components.transform.places import degrees
from components.transform.scaling import flagged, standardized, with_all_digits
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.haversine import Haversine

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_RADIUS = 6371.0088  # km, the mean of the three axes: Moritz 2000, "Geodetic Reference System 1980"
# Millimetres: the last digits of a sine differ between TensorFlow's vector and scalar code.
_UNITS = 1e6


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the distances, scaled; those of a missing place are 0 and flagged."""
    distances, names, options, flags = [], [], [], []
    centered = 0
    for use in sorted(uses, key=lambda use: _has_all_digits(inputs, use)):
        outputs = [feature.name for feature in use.options.outputs(use.columns, 0)]
        distances.append(_distances(inputs, use))
        names += outputs[:-1]
        options += [use.options] * (len(outputs) - 1)
        centered += _has_all_digits(inputs, use) * (len(outputs) - 1)
        flags.append(outputs[-1])
    missing = tf.stack([tf.math.is_nan(each[:, 0]) for each in distances], axis=1)
    value = standardized(tf.concat(distances, axis=1), options, centered=centered)
    return flagged(names, value, flags, missing)


def _has_all_digits(inputs: Inputs, use: Use) -> bool:
    return with_all_digits(inputs[column] for column in use.columns) > 0


def _distances(inputs: Inputs, use: Use) -> tf.Tensor:
    """Return a use's distances in km, float64 [rows, distances]; NaN where a place is missing."""
    options: Haversine = use.options
    columns = [inputs[column] for column in use.columns]
    here = degrees(*columns[:2])[:, tf.newaxis]
    if options.to:
        points = [[point.latitude, point.longitude] for point in options.to]
        return _kilometres(here, tf.constant([points], tf.float64))
    return _kilometres(here, degrees(*columns[2:])[:, tf.newaxis])


def _kilometres(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Return the length of great circles on a sphere, float64 [rows, any].

    Source: Sinnott 1984, "Virtues of the Haversine".

    Args:
      one: degrees of latitude and longitude, float64 [rows, any, 2].
      other: as many.
    """
    half = tf.sin((other - one) * (math.pi / 360)) ** 2
    cosines = tf.cos(one[..., 0] * (math.pi / 180)) * tf.cos(other[..., 0] * (math.pi / 180))
    chord = tf.sqrt(tf.minimum(half[..., 0] + cosines * half[..., 1], tf.ones([], tf.float64)))
    return tf.round(2 * _RADIUS * _UNITS * tf.asin(chord)) / _UNITS


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, the points whose distance is measured, and the ends of the scales."""
    points = constants_by_column(graph, features)
    found: dict[str, list[float]] = {}
    for columns in sorted({feature.columns for feature in features}):
        for place, column in enumerate(columns):
            found[column] = [*([-180.0, 180.0] if place % 2 else [-90.0, 90.0]), *points[column]]
    return found
