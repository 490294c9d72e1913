"""Layers that Keras does not have: embeddings in one table, of lists too, and a cheap dropout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_START = 0.05  # the largest value of an embedding before training


@keras.saving.register_keras_serializable("skewless")
class PackedEmbedding(keras.layers.Layer):
    """Embed several id features with one table and one gather.

    Ids int32 [B, C] → float32 [B, C, width]; feature c's ids are in [0, sizes[c]).

    Args:
      sizes: number of ids of each feature.
      width: length of each embedding.
      seed: of the initial values, uniform in ±0.05; None for zeros, as in linear models.
      rate: what the table is multiplied by. Adam, whose steps do not depend on the size of a
        gradient, then trains embeddings at so much of its learning rate.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        width: int,
        *,
        seed: int | None = None,
        rate: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sizes = tuple(sizes)
        self.width = width
        self.seed = seed
        self.rate = rate

    def build(self, input_shape: Any) -> None:
        """Make the table [sum(sizes), width]."""
        self.table = self.add_weight(
            name="table",
            shape=(sum(self.sizes), self.width),
            initializer="zeros"
            if self.seed is None
            else keras.initializers.RandomUniform(
                -_START / self.rate, _START / self.rate, seed=self.seed
            ),
        )
        first = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int32)
        self.first = keras.ops.convert_to_tensor(first)

    def call(self, ids: Any) -> Any:
        """Gather the rows of each feature's part of the table."""
        return self.scaled(keras.ops.take(self.table, ids + self.first, axis=0))

    def scaled(self, rows: Any) -> Any:
        """Return rows of the table times the rate."""
        return rows if self.rate == 1 else rows * self.rate

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, C, width]."""
        return (*input_shape, self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        config = {"sizes": self.sizes, "width": self.width, "seed": self.seed, "rate": self.rate}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("skewless")
class PackedBags(PackedEmbedding):
    """Embed lists of ids of several features with one table: the mean or the sum of each list.

    Ids int32 [B, L, any], and their weights if any, float32 of this shape → float32 [B, L, width];
    feature l's ids are in [0, sizes[l]). Negative ids are padding. A list without ids becomes
    zeros, as does the mean of ids whose weights are all 0.

    Args:
      sizes: number of ids of each feature.
      width: length of each embedding.
      combine: "mean" or "sum", of each feature.
      kwargs: as for `PackedEmbedding`.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        width: int,
        *,
        combine: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(sizes, width, **kwargs)
        self.combine = tuple(combine)

    def call(self, ids: Any, weights: Any = None) -> Any:
        """Gather the rows of each feature's part of the table, and combine those of each list."""
        known = ids >= 0
        rows = keras.ops.where(known, ids + self.first[:, np.newaxis], 0)
        weight = keras.ops.cast(known, self.table.dtype)
        if weights is not None:
            weight = weight * weights
        vectors = keras.ops.take(self.table, rows, axis=0) * weight[..., np.newaxis]
        total = keras.ops.sum(weight, axis=2)
        is_mean = np.array([each == "mean" for each in self.combine])
        divisor = keras.ops.where(keras.ops.logical_and(is_mean, total > 0), total, 1)
        return self.scaled(keras.ops.sum(vectors, axis=2) / divisor[..., np.newaxis])

    def compute_output_shape(self, ids_shape: Any, weights_shape: Any = None) -> tuple[Any, ...]:
        """Return [B, L, width]."""
        return (*ids_shape[:2], self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "combine": self.combine}


@keras.saving.register_keras_serializable("skewless")
class AttentionBags(PackedEmbedding):
    """Embed lists of ids by attention: the mean of a list's embeddings, weighted by the row.

    Ids int32 [B, L, any] and rows float32 [B, n] → float32 [B, L, width]. An id's weight is the
    softmax over its list of its embedding times the row's query, over √width (Vaswani et al. 2017,
    arXiv:1706.03762), times the weight that the list gives it, float32 [B, L, any], if any.
    Negative ids are padding. A list without ids becomes zeros.

    Args:
      sizes: number of ids of each feature.
      width: length of each embedding.
      kwargs: as for `PackedEmbedding`.
    """

    def build(self, ids_shape: Any, row_shape: Any = None, weights_shape: Any = None) -> None:
        """Make the table, and the kernel [n, L * width] and bias [L, width] of the queries."""
        super().build(ids_shape)
        shape = (len(self.sizes), self.width)
        glorot = keras.initializers.GlorotUniform(None if self.seed is None else self.seed + 1)
        flat = (row_shape[-1], math.prod(shape))
        self.query = self.add_weight(name="query_kernel", shape=flat, initializer=glorot)
        self.bias = self.add_weight(name="query_bias", shape=shape, initializer="zeros")

    def call(self, ids: Any, row: Any = None, weights: Any = None) -> Any:
        """Gather the embeddings, and average those of each list by their weights."""
        ops, known = keras.ops, ids >= 0
        rows = ops.where(known, ids + self.first[:, np.newaxis], 0)
        vectors = self.scaled(ops.take(self.table, rows, axis=0))
        query = ops.reshape(ops.matmul(row, self.query), (-1, *self.bias.shape)) + self.bias
        logits = ops.einsum("blwd,bld->blw", vectors, query) / math.sqrt(self.width)
        # a finite stand-in: of a list without ids, the softmax of -inf would be NaN
        logits = ops.where(known, logits, -1e9)
        weight = ops.exp(logits - ops.max(logits, axis=-1, keepdims=True))
        weight = weight * ops.cast(known, weight.dtype)
        if weights is not None:
            weight = weight * weights
        total = ops.sum(weight, axis=-1, keepdims=True)
        weight = weight / ops.where(total > 0, total, 1)
        return ops.einsum("blw,blwd->bld", weight, vectors)

    def compute_output_shape(
        self, ids_shape: Any, row_shape: Any = None, weights_shape: Any = None
    ) -> tuple[Any, ...]:
        """Return [B, L, width]."""
        return (*ids_shape[:2], self.width)


@keras.saving.register_keras_serializable("skewless")
class Dropout(keras.layers.Layer):
    """Drop units at random while training, and scale up the others (Srivastava et al. 2014).

    Float32 [B, …, units] → the same. Keras's layer makes a random float of 32 bits for each unit,
    which takes a quarter of a whole training step; here 16 bits decide.

    Args:
      rate: share of the units to drop, rounded to a 65,536th; at least 0 and under 1.
      seed: of the first step; each further step has one of its own.
    """

    _LEVELS = 1 << 16

    def __init__(self, rate: float, *, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self._seeds = keras.random.SeedGenerator(seed)
        self.worker = 0  # the number of a process that trains with others: each drops other units

    def call(self, x: Any, training: bool = False) -> Any:
        """Drop units if training."""
        dropped = round(self.rate * self._LEVELS)
        if not training or not dropped:
            return x
        units = x.shape[-1]
        rows = tf.size(x) // units
        seed = tf.bitcast(tf.cast(self._seeds.next(), tf.uint32), tf.int32)
        if self.worker:
            seed += tf.constant([self.worker, 0])
        words = tf.random.stateless_uniform(
            [rows, (units + 1) // 2], seed, minval=None, maxval=None, dtype=tf.int32
        )
        bits = tf.reshape(tf.bitcast(words, tf.uint16), [rows, -1])[:, :units]
        kept = tf.reshape(bits >= tf.constant(dropped, tf.uint16), tf.shape(x))
        return tf.where(kept, x * (self._LEVELS / (self._LEVELS - dropped)), 0.0)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, units]."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
