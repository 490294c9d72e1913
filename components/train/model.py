"""The wide & deep model (Cheng et al. 2016) and the linear baseline, as Keras graphs.

Both take {"dense": float32 [B, F], "ids": int32 [B, C], "lists": int32 [B, L, width]} (an input
without features is absent) and return logits float32 [B, units], as many as the task's head has.
Training adds only its two optimizers.

Every layer that uses random numbers has its own seed, derived from the model's seed. Otherwise,
Keras would draw the seeds from Python's random numbers, which other threads of the process may use.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import keras

from components.train.layers import Dropout, PackedBags, PackedEmbedding
from schemas.layout import Layout
from schemas.model import Model

MODEL_FILE = "model.keras"
BASELINE_FILE = "baseline.keras"
_WIDE = "wide"  # the wide optimizer trains layers whose names start with this


def build_wide_deep(layout: Layout, model: Model, start: Sequence[float]) -> keras.Model:
    """Return the untrained model.

    The wide part is linear over every id (buckets, vocabularies, crosses). The deep part takes
    embeddings of every id except the crosses', and the dense features, through ReLU layers with
    dropout. Of a list's embeddings, and of its weights in the wide part, both take the mean or the
    sum.

    Args:
      layout: the transformed features.
      model: sizes and rates.
      start: the logits, one a unit, at which the output starts.
    """
    inputs, seeds = make_inputs(layout), _Seeds(model.seed)
    parts: list[Any] = []
    if layout.ids:
        parts.append(_linear_ids(inputs["ids"], layout, len(start), f"{_WIDE}_ids"))
    if layout.lists:
        parts.append(_linear_lists(inputs["lists"], layout, len(start), f"{_WIDE}_lists"))
    tower = []
    if layout.dense:
        tower.append(inputs["dense"])
    embedded = [i for i, f in enumerate(layout.ids) if f.role == "embedding"]
    if embedded:
        ids = keras.ops.take(inputs["ids"], embedded, axis=1)
        sizes = [layout.ids[i].size for i in embedded]
        embedding = PackedEmbedding(
            sizes, model.embedding_dim, seed=seeds.next(), name="deep_embedding"
        )
        tower.append(keras.layers.Flatten()(embedding(ids)))
    if layout.lists:
        bags = _bags(layout, model.embedding_dim, "deep_lists", seed=seeds.next())
        tower.append(keras.layers.Flatten()(bags(inputs["lists"])))
    if tower:
        hidden = keras.layers.Concatenate()(tower) if len(tower) > 1 else tower[0]
        for i, units in enumerate(model.hidden_units):
            kernel = keras.initializers.GlorotUniform(seeds.next())
            name = f"deep_{i}"
            hidden = keras.layers.Dense(
                units, activation="relu", kernel_initializer=kernel, name=name
            )(hidden)
            hidden = Dropout(model.dropout, seed=seeds.next())(hidden)
        kernel = keras.initializers.GlorotUniform(seeds.next())
        parts.append(_bias(hidden, start, "deep_logit", kernel))
    else:
        parts = [_bias(_sum(parts), start, f"{_WIDE}_logit", "identity")]
    return keras.Model(inputs, _sum(parts))


def _sum(parts: Sequence[Any]) -> Any:
    return keras.layers.Add()(parts) if len(parts) > 1 else parts[0]


def build_baseline(layout: Layout, start: Sequence[float]) -> keras.Model:
    """Return an untrained linear model of all transformed features; its weights are 0."""
    inputs = make_inputs(layout)
    parts = []
    if layout.ids:
        parts.append(_linear_ids(inputs["ids"], layout, len(start), "linear_ids"))
    if layout.lists:
        parts.append(_linear_lists(inputs["lists"], layout, len(start), "linear_lists"))
    if layout.dense:
        parts.append(_bias(inputs["dense"], start, "logit", "zeros"))
    else:
        parts = [_bias(_sum(parts), start, "logit", "identity")]
    return keras.Model(inputs, _sum(parts))


def make_inputs(layout: Layout) -> dict[str, Any]:
    """Return the model's symbolic inputs."""
    inputs = {}
    if layout.dense:
        inputs["dense"] = keras.Input((len(layout.dense),), dtype="float32", name="dense")
    if layout.ids:
        inputs["ids"] = keras.Input((len(layout.ids),), dtype="int32", name="ids")
    if layout.lists:
        inputs["lists"] = keras.Input((len(layout.lists), None), dtype="int32", name="lists")
    return inputs


def _linear_ids(ids: Any, layout: Layout, units: int, name: str) -> Any:
    weights = PackedEmbedding([f.size for f in layout.ids], units, name=name)(ids)
    return keras.ops.sum(weights, axis=1)


def _linear_lists(ids: Any, layout: Layout, units: int, name: str) -> Any:
    return keras.ops.sum(_bags(layout, units, name)(ids), axis=1)


def _bags(layout: Layout, width: int, name: str, *, seed: int | None = None) -> PackedBags:
    return PackedBags(
        [f.size for f in layout.lists],
        width,
        combine=[f.combine for f in layout.lists],
        seed=seed,
        name=name,
    )


class _Seeds:
    """Returns numbers for one layer after the other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def next(self) -> int:
        return self._random.randrange(2**31)


def _bias(x: Any, start: Sequence[float], name: str, kernel: Any) -> Any:
    bias = keras.initializers.Constant(start[0] if len(start) == 1 else list(start))
    return keras.layers.Dense(
        len(start), kernel_initializer=kernel, bias_initializer=bias, name=name
    )(x)


class TwoOptimizers(keras.Model):
    """Trains a graph with FTRL on its wide part and the compiled optimizer on the rest."""

    def compile(self, *, wide: keras.optimizers.Optimizer, **kwargs: Any) -> None:
        """Take the wide part's optimizer beside Keras's own arguments."""
        super().compile(**kwargs)
        variables = self.trainable_variables
        self._wide = [v for v in variables if v.path.startswith(_WIDE)]
        self._deep = [v for v in variables if not v.path.startswith(_WIDE)]
        self._wide_optimizer = wide
        self._wide_optimizer.build(self._wide)
        self.optimizer.build(self._deep)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one step of both optimizers on one gradient."""
        import tensorflow as tf

        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True), weight, training=True)
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(y)[0])
        # A table's gradient is a list of rows to add up; both optimizers would do this twice.
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, self._deep + self._wide)]
        self.optimizer.apply(gradients[: len(self._deep)], self._deep)
        if self._wide:
            self._wide_optimizer.apply(gradients[len(self._deep) :], self._wide)
        return {"loss": self._loss_tracker.result()}


def logits_shape(model: keras.Model) -> tuple[int, ...]:
    """Return the shape of a model's logits as tasks take them: [rows], or [rows, units] of many."""
    units = model.output_shape[-1]
    return (-1,) if units == 1 else (-1, units)


def load(path: str) -> keras.Model:
    """Load a trained graph; importing this module has registered its layers."""
    return keras.saving.load_model(path, compile=False)
