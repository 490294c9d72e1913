"""The deep part's layers: piecewise-linear codes, a cross, and members that share their kernels.

Weights whose names have `bias` or `member` do not decay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("skewless")
class PlaceCodes(keras.layers.Layer):
    """Unfold places into piecewise-linear codes, each through a linear layer of its own and ReLU.

    Float32 [B, Q] → [B, Q * width]. Number t of a place's code is 0 below interval t, the share of
    the interval inside it, and 1 above it (Gorishniy et al. 2022, arXiv:2203.05556).

    Args:
      intervals: the largest number of intervals of a place.
      width: length of each result.
      seed: of the initial kernels, normal with deviation 1 / √intervals.
    """

    def __init__(self, intervals: int, width: int, *, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.intervals = intervals
        self.width = width
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Make the kernels [Q, intervals, width] and biases [Q, width]."""
        places, deviation = input_shape[-1], 1 / math.sqrt(self.intervals)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(places, self.intervals, self.width),
            initializer=keras.initializers.RandomNormal(stddev=deviation, seed=self.seed),
        )
        self.bias = self.add_weight(name="bias", shape=(places, self.width), initializer="zeros")
        self.below = keras.ops.arange(self.intervals, dtype="float32")

    def call(self, places: Any) -> Any:
        """Unfold, multiply, and put the results side by side."""
        code = keras.ops.clip(places[..., np.newaxis] - self.below, 0.0, 1.0)
        result = keras.ops.relu(keras.ops.einsum("bqt,qtd->bqd", code, self.kernel) + self.bias)
        return keras.ops.reshape(result, (-1, result.shape[1] * self.width))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, Q * width]."""
        return (input_shape[0], input_shape[1] * self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        config = {"intervals": self.intervals, "width": self.width, "seed": self.seed}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("skewless")
class CrossLayer(keras.layers.Layer):
    """Multiply each value by a linear function of all of them: x * (x U V + b) + x.

    Float32 [B, n] → the same: the low-rank layer of DCN-v2 (Wang et al. 2021, arXiv:2008.13535).

    Args:
      rank: number of columns of U.
      seed: of the initial values (Glorot's).
    """

    def __init__(self, rank: int, *, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rank = rank
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Make U [n, rank], V [rank, n] and the bias [n]."""
        width = input_shape[-1]
        first, second = (keras.initializers.GlorotUniform(self.seed + i) for i in (0, 1))
        self.u = self.add_weight(name="u", shape=(width, self.rank), initializer=first)
        self.v = self.add_weight(name="v", shape=(self.rank, width), initializer=second)
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")

    def call(self, x: Any) -> Any:
        """Cross."""
        crossed = keras.ops.matmul(keras.ops.matmul(x, self.u), self.v)
        return x * (crossed + self.bias) + x

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, n]."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "rank": self.rank, "seed": self.seed}


@keras.saving.register_keras_serializable("skewless")
class Members(keras.layers.Layer):
    """A ReLU layer of several members that share its kernel: relu((x W) * s + b).

    Float32 [B, n], for all members, or [B, members, n] → [B, members, units]. Each member has a
    scale s and a bias b (Gorishniy et al. 2024, arXiv:2410.24210). The first layer's are random,
    which makes the members differ, and it multiplies by W once for all of them.

    Args:
      members: how many there are.
      units: of each.
      first: whether the input is that of all members.
      seed: of the initial values.
      relu: whether to apply ReLU.
    """

    def __init__(
        self,
        members: int,
        units: int,
        *,
        first: bool,
        seed: int,
        relu: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.relu = relu
        self.members = members
        self.units = units
        self.first = first
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Make the kernel [n, units], and scales and biases [members, units]."""
        width, shape = input_shape[-1], (self.members, self.units)
        scales, biases = np.ones(shape), np.zeros(shape)
        if self.first and self.members > 1:
            random, spread = np.random.default_rng(self.seed), 3 / math.sqrt(width)
            scales = random.choice([-1.0, 1.0], shape)
            biases = random.uniform(-spread, spread, shape)
        glorot = keras.initializers.GlorotUniform(self.seed)
        self.kernel = self.add_weight(name="kernel", shape=(width, self.units), initializer=glorot)
        self.scale = self.add_weight(name="member_scale", shape=shape, initializer=_values(scales))
        self.bias = self.add_weight(name="member_bias", shape=shape, initializer=_values(biases))

    def call(self, x: Any) -> Any:
        """Multiply by the kernel, then scale and shift for each member."""
        # One product of matrices: the gradient of a batched one makes a kernel for each row.
        y = keras.ops.matmul(keras.ops.reshape(x, (-1, x.shape[-1])), self.kernel)
        y = keras.ops.reshape(y, (-1, 1 if self.first else self.members, self.units))
        y = y * self.scale + self.bias
        return keras.ops.relu(y) if self.relu else y

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, members, units]."""
        return (input_shape[0], self.members, self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        config = {"members": self.members, "units": self.units, "relu": self.relu}
        return {**super().get_config(), **config, "first": self.first, "seed": self.seed}


@keras.saving.register_keras_serializable("skewless")
class MemberHeads(keras.layers.Layer):
    """A linear layer for each member: float32 [B, members, n] → [B, members, outputs].

    Args:
      start: the biases before training, one an output.
      seed: of the initial kernels (Glorot's).
    """

    def __init__(self, start: Sequence[float], *, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = tuple(start)
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Make the kernels [members, n, outputs] and biases [members, outputs]."""
        _, members, width = input_shape
        outputs = len(self.start)
        limit = math.sqrt(6 / (width + outputs))
        self.kernel = self.add_weight(
            name="kernel",
            shape=(members, width, outputs),
            initializer=keras.initializers.RandomUniform(-limit, limit, seed=self.seed),
        )
        start = np.tile(self.start, (members, 1))
        self.bias = self.add_weight(
            name="member_bias", shape=start.shape, initializer=_values(start)
        )

    def call(self, x: Any) -> Any:
        """Multiply each member's units by its own kernel."""
        if len(self.start) == 1:  # cheaper than a batched product, in the gradient above all
            product = keras.ops.sum(x * self.kernel[..., 0], axis=-1, keepdims=True)
        else:
            product = keras.ops.einsum("bka,kao->bko", x, self.kernel)
        return product + self.bias

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, members, outputs]."""
        return (*input_shape[:2], len(self.start))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "start": self.start, "seed": self.seed}


@keras.saving.register_keras_serializable("skewless")
class MemberMean(keras.layers.Layer):
    """The logits of the members' mean answer: float32 [B, members, outputs] → [B, outputs].

    Args:
      link: what makes an answer of a logit: "sigmoid", "softmax" or "identity".
    """

    def __init__(self, link: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.link = link

    def call(self, logits: Any) -> Any:
        """Average probabilities by their logarithms, which keep the digits of small ones."""
        ops = keras.ops
        if logits.shape[1] == 1:
            return logits[:, 0]
        if self.link == "sigmoid":
            yes, no = (ops.logsumexp(-ops.softplus(z), axis=1) for z in (-logits, logits))
            return yes - no
        if self.link == "softmax":
            logarithms = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
            return ops.logsumexp(logarithms, axis=1) - math.log(logits.shape[1])
        return ops.mean(logits, axis=1)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return [B, outputs]."""
        return (input_shape[0], input_shape[2])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "link": self.link}


def _values(array: np.ndarray) -> Any:
    """Return an initializer of these values."""
    return lambda *_, **__: keras.ops.convert_to_tensor(array, "float32")
