"""The one layer Keras does not have: embeddings of many id features in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("skewless")
class PackedEmbedding(keras.layers.Layer):
    """Embed several id features with one table and one gather.

    Ids int32 [B, C] → float32 [B, C, width]; feature c's ids are in [0, sizes[c]).

    Args:
      sizes: number of ids of each feature.
      width: length of each embedding.
      zeros: start from zeros, for linear models; otherwise uniform in ±0.05.
    """

    def __init__(
        self, sizes: Sequence[int], width: int, *, zeros: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sizes = tuple(sizes)
        self.width = width
        self.zeros = zeros

    def build(self, input_shape: Any) -> None:
        """Make the table [sum(sizes), width]."""
        self.table = self.add_weight(
            name="table",
            shape=(sum(self.sizes), self.width),
            initializer="zeros" if self.zeros else "uniform",
        )
        first = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int32)
        self.first = keras.ops.convert_to_tensor(first)

    def call(self, ids: Any) -> Any:
        """Gather the rows of each feature's part of the table."""
        return keras.ops.take(self.table, ids + self.first, axis=0)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, C, width]."""
        return (*input_shape, self.width)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        config = {"sizes": self.sizes, "width": self.width, "zeros": self.zeros}
        return {**super().get_config(), **config}
