"""`random_projection`: sums of standardized columns with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.transform.projection import by_number, projected, standardized
from components.transform.treatments.protocol import Use
from schemas.treatments.random_projection import RandomProjection

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the sums of all uses; a missing number counts as the mean."""
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        weights = random_weights(use.options, len(use.columns))
        limit = float(np.abs(weights).max())
        sums = projected(standardized(inputs, use), tf.constant(weights), limit or 1.0)
        out |= by_number(use, sums)
    return out


def random_weights(options: RandomProjection, columns: int) -> np.ndarray:
    """Return the weights, float64 [columns, components], which depend on the seed alone.

    Their scale keeps the expected square of a row's length.
    """
    # The numbers of a RandomState are the same with every numpy.
    random = np.random.RandomState(options.seed)
    size = (options.components, columns)
    scale = np.sqrt(1 / options.components)
    if options.weights == "gaussian":
        return random.normal(0.0, scale, size).T
    share = 1 / np.sqrt(columns)  # of weights that are not 0
    draws = random.uniform(size=size)
    signs = np.where(draws < share / 2, -1.0, np.where(draws < share, 1.0, 0.0))
    return (signs * scale / np.sqrt(share)).T
