"""The part of the model for monotone columns, which no other part sees.

Its score cannot turn: a piecewise-linear function with slopes of one sign, plus a step function
with steps of that sign, and a weight of its own for a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from schemas.layout import Layout

INCREASING = "increasing"


@keras.saving.register_keras_serializable("skewless")
class MonotoneSum(keras.layers.Layer):
    """Add up monotone functions of places: float32 [B, M] and numbers int32 [B, M] → [B, units].

    A function's value is the sum of its slopes times the place's code, and of its steps up to the
    interval; both are at least 0 times the sign. A number of 0 is a missing value.

    Args:
      intervals: the largest number of intervals of a place.
      signs: 1 for a function that never decreases, -1 for one that never increases.
      units: how many results.
    """

    def __init__(
        self, intervals: int, signs: Sequence[float], *, units: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.intervals = intervals
        self.signs = tuple(signs)
        self.units = units

    def build(self, places_shape: Any, numbers_shape: Any) -> None:
        """Make slopes and steps [M, intervals, units], and weights of missing values [M, units]."""
        count = len(self.signs)
        shape = (count, self.intervals, self.units)
        at_least_0 = keras.constraints.NonNeg()
        self.slopes, self.steps = (
            self.add_weight(name=name, shape=shape, initializer="zeros", constraint=at_least_0)
            for name in ("bias_slopes", "bias_steps")  # `bias`: without decay
        )
        self.missing = self.add_weight(
            name="bias_missing", shape=(count, self.units), initializer="zeros"
        )
        self.below = keras.ops.arange(self.intervals, dtype="float32")

    def call(self, places: Any, numbers: Any) -> Any:
        """Sum the functions."""
        ops = keras.ops
        number = ops.cast(numbers, "float32")[..., np.newaxis]
        code = ops.clip(places[..., np.newaxis] - self.below, 0.0, 1.0)
        reached = ops.cast(number > self.below + 1, "float32")  # no step to the first interval
        known = ops.cast(numbers > 0, "float32")
        signs = np.array(self.signs, np.float32)[:, np.newaxis, np.newaxis]
        rising = ops.einsum("bmt,mto->bo", code, self.slopes * signs)
        rising += ops.einsum("bmt,mto->bo", reached, self.steps * signs)
        return rising + ops.matmul(1 - known, self.missing)

    def compute_output_shape(self, places_shape: Any, numbers_shape: Any) -> tuple[Any, ...]:
        """Return [B, units]."""
        return (places_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        config = {"intervals": self.intervals, "signs": self.signs, "units": self.units}
        return {**super().get_config(), **config}


def split_layout(layout: Layout, directions: Mapping[str, str]) -> tuple[Layout, Layout]:
    """Return the features of other columns, and the places and intervals of monotone ones.

    Other features of monotone columns are in neither, as they need not be monotone.
    """
    features = [f for f in layout.features if not directions.keys() & set(f.columns)]
    places = [f for f in layout.places if f.columns[0] in directions]
    intervals = [
        next(
            f
            for f in layout.ids
            if (f.columns, f.treatment, f.role) == (place.columns, place.treatment, "wide")
        )
        for place in places
    ]
    return (
        layout.model_copy(update={"features": tuple(features)}),
        layout.model_copy(update={"features": (*places, *intervals)}),
    )
