"""`geohash`: the cells of grids of several sizes that a place is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import by_name
from components.transform.places import degrees
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.geohash import Geohash

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_FINEST = 6  # level whose cells are listed: 33,000 a column, exact in float32


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the cells from 1 by hash; a place that is missing or not on Earth is 0."""
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        options: Geohash = use.options
        place = degrees(*(inputs[column] for column in use.columns))
        cells = tf.strings.as_string(_cells(place, options.levels))
        number = tf.strings.to_hash_bucket_fast(cells, options.buckets) + 1
        known = tf.where(tf.math.is_nan(place[:, :1]), tf.zeros([], tf.int64), number)
        out |= by_name((f"{options.stem}_{level}" for level in options.levels), known, axis=1)
    return out


def bits(level: int) -> tuple[int, int]:
    """Return how many bits of latitude and longitude a geohash of so many characters has.

    Every other bit is the longitude's, the first one too, and a character has five.

    >>> bits(5), bits(6)
    ((12, 13), (15, 15))
    """
    return 5 * level // 2, (5 * level + 1) // 2


def _cells(place: tf.Tensor, levels: Sequence[int]) -> tf.Tensor:
    """Return the number of each place's cell, int64 [rows, levels]; any where the place is NaN."""
    counts = tf.constant([[2**count for count in bits(level)] for level in levels], tf.int64)
    half = tf.constant([[90.0, 180.0]], tf.float64)
    share = (place + half) / (2 * half)
    known = tf.where(tf.math.is_nan(share), tf.zeros([], tf.float64), share)
    # The pole and longitude 180 are in the last cell. A power of 2 times a share is exact.
    along = tf.cast(known[:, tf.newaxis] * tf.cast(counts, tf.float64), tf.int64)
    row, column = tf.unstack(tf.minimum(along, counts - 1), axis=2)
    return row * counts[:, 1] + column


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, latitudes and longitudes at which cells of its finest level begin.

    Cells of other levels begin there, too.
    """
    found: dict[str, list[float]] = {}
    for latitude, longitude in sorted({(f.columns[0], f.columns[1]) for f in features}):
        finest = max(_level(f) for f in features if f.columns == (latitude, longitude))
        rows, columns = bits(min(finest, _FINEST))
        found[latitude] = np.linspace(-90, 90, 2**rows + 1).tolist()
        found[longitude] = np.linspace(-180, 180, 2**columns + 1).tolist()
    return found


def _level(feature: TransformedFeature) -> int:
    """Return the level of an output, which its name ends with."""
    return int(feature.name.rpartition("_")[2])
