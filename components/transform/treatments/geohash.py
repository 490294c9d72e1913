"""`geohash`: the cells of grids of several sizes that a place is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.transform.places import degrees
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.geohash import Geohash

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_FINEST = 8  # characters, of 5 bits each: every other bit is the longitude's, the first one too
_MOST_ENDS = 64


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the cells from 1 by hash; a place that is missing or not on Earth is 0."""
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        options: Geohash = use.options
        place = degrees(*(inputs[column] for column in use.columns))
        missing = tf.math.is_nan(place[:, 0])
        for level in options.levels:
            cell = tf.strings.as_string(_cell(place, level))
            number = tf.strings.to_hash_bucket_fast(cell, options.buckets) + 1
            out[f"{options.stem}_{level}"] = tf.where(missing, tf.zeros([], tf.int64), number)
    return out


def bits(level: int) -> tuple[int, int]:
    """Return how many bits of latitude and longitude a geohash of so many characters has.

    >>> bits(5), bits(6)
    ((12, 13), (15, 15))
    """
    return 5 * level // 2, (5 * level + 1) // 2


def _cell(place: tf.Tensor, level: int) -> tf.Tensor:
    """Return the number of each place's cell, int64 [rows]; any where the place is NaN."""
    counts = tf.constant([2**count for count in bits(level)], tf.int64)
    half = tf.constant([[90.0, 180.0]], tf.float64)
    share = (place + half) / (2 * half)
    known = tf.where(tf.math.is_nan(share), tf.zeros([], tf.float64), share)
    # The pole and longitude 180 are in the last cell. A power of 2 times a share is exact.
    row = tf.minimum(tf.cast(known * tf.cast(counts, tf.float64), tf.int64), counts - 1)
    return row[:, 0] * counts[1] + row[:, 1]


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, latitudes and longitudes at which cells begin that are large enough."""
    found: dict[str, list[float]] = {}
    for latitude, longitude in sorted({(f.columns[0], f.columns[1]) for f in features}):
        found[latitude] = np.linspace(-90, 90, _MOST_ENDS + 1).tolist()
        found[longitude] = np.linspace(-180, 180, _MOST_ENDS + 1).tolist()
    return found
