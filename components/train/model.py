"""The wide & deep model (Cheng et al. 2016) and the linear baseline, as Keras graphs.

Both take {"dense": float32 [B, F], "places": float32 [B, Q], "ids": int32 [B, C], "lists": int32
[B, L, width], "weights": float32 [B, L, width]} (an input without features is absent) and return
logits float32 [B, units], as many as the task's head has. The wide & deep model has several members
while it is trained, with logits [B, members, units].

Every layer that uses random numbers has its own seed, derived from the model's seed. Otherwise,
Keras would draw the seeds from Python's random numbers, which other threads of the process may use.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import keras

from components.train.deep_layers import CrossLayer, MemberHeads, MemberMean, Members, PlaceCodes
from components.train.layers import Dropout, PackedBags, PackedEmbedding
from schemas.layout import Layout
from schemas.model import Model

MODEL_FILE = "model.keras"
BASELINE_FILE = "baseline.keras"
WIDE = "wide"  # the wide optimizer trains layers whose names start with this


def build_wide_deep(
    layout: Layout, model: Model, start: Sequence[float], link: str
) -> tuple[keras.Model, keras.Model]:
    """Return the untrained model with the logits of each member, and with those of their mean.

    The wide part is linear over every id (intervals, vocabularies, crosses) and is the same for all
    members. The deep part takes embeddings of every id except those for the wide part only, the
    places' codes and the dense features, through a cross layer and ReLU layers with dropout. Of a
    list's embeddings, and of its weights in the wide part, both take the mean or the sum.

    Args:
      layout: the transformed features.
      model: sizes and rates.
      start: the logits, one a unit, at which the output starts.
      link: what makes an answer of a logit; answers are averaged.
    """
    inputs, seeds = make_inputs(layout), _Seeds(model.seed)
    wide = []
    if layout.ids:
        wide.append(_linear_ids(inputs["ids"], layout, len(start), f"{WIDE}_ids"))
    if layout.lists:
        wide.append(_linear_lists(inputs, layout, len(start), f"{WIDE}_lists"))
    tower = _tower(inputs, layout, model, seeds)
    if not tower:
        served = keras.Model(inputs, _bias(_sum(wide), start, f"{WIDE}_logit", "identity"))
        members = keras.ops.expand_dims(served.output, 1)
        return keras.Model(inputs, members), served
    hidden = keras.layers.Concatenate()(tower) if len(tower) > 1 else tower[0]
    if model.cross_rank:
        hidden = CrossLayer(model.cross_rank, seed=seeds.next(), name="deep_cross")(hidden)
    for i, units in enumerate(model.hidden_units):
        layer = Members(model.members, units, first=i == 0, seed=seeds.next(), name=f"deep_{i}")
        hidden = layer(hidden)
        if model.dropout:
            hidden = Dropout(model.dropout, seed=seeds.next())(hidden)
    logits = MemberHeads(start, seed=seeds.next(), name="deep_logits")(hidden)
    if wide:
        logits = keras.layers.Add()([logits, keras.ops.expand_dims(_sum(wide), 1)])
    mean = MemberMean(link, name="mean")(logits)
    return keras.Model(inputs, logits), keras.Model(inputs, mean)


def _tower(inputs: dict[str, Any], layout: Layout, model: Model, seeds: _Seeds) -> list[Any]:
    """Return what the deep part starts from, each [B, any]."""
    width, rate = model.embedding_dim, model.embedding_rate
    tower = []
    if layout.dense:
        tower.append(inputs["dense"])
    if layout.places:
        intervals = max(f.size for f in layout.places)
        codes = PlaceCodes(intervals, width, seed=seeds.next(), name="deep_places")
        tower.append(codes(inputs["places"]))
    embedded = [i for i, f in enumerate(layout.ids) if f.role == "embedding"]
    if embedded:
        ids = inputs["ids"]
        if len(embedded) < len(layout.ids):
            ids = keras.ops.take(ids, embedded, axis=1)
        sizes = [layout.ids[i].size for i in embedded]
        name = "deep_embedding"
        table = PackedEmbedding(sizes, width, seed=seeds.next(), rate=rate, name=name)
        tower.append(keras.layers.Flatten()(table(ids)))
    if layout.lists:
        bags = _bags(inputs, layout, "deep_lists", width=width, seed=seeds.next(), rate=rate)
        tower.append(keras.layers.Flatten()(bags))
    return tower


def _sum(parts: Sequence[Any]) -> Any:
    return keras.layers.Add()(parts) if len(parts) > 1 else parts[0]


def build_baseline(layout: Layout, start: Sequence[float]) -> keras.Model:
    """Return an untrained linear model of all transformed features; its weights are 0."""
    inputs = make_inputs(layout)
    parts = []
    if layout.ids:
        parts.append(_linear_ids(inputs["ids"], layout, len(start), "linear_ids"))
    if layout.lists:
        parts.append(_linear_lists(inputs, layout, len(start), "linear_lists"))
    numbers = [inputs[name] for name in ("dense", "places") if name in inputs]
    if numbers:
        joined = keras.layers.Concatenate()(numbers) if len(numbers) > 1 else numbers[0]
        parts.append(_bias(joined, start, "logit", "zeros"))
    else:
        parts = [_bias(_sum(parts), start, "logit", "identity")]
    return keras.Model(inputs, _sum(parts))


def make_inputs(layout: Layout) -> dict[str, Any]:
    """Return the model's symbolic inputs."""
    inputs = {}
    if layout.dense:
        inputs["dense"] = keras.Input((len(layout.dense),), dtype="float32", name="dense")
    if layout.places:
        inputs["places"] = keras.Input((len(layout.places),), dtype="float32", name="places")
    if layout.ids:
        inputs["ids"] = keras.Input((len(layout.ids),), dtype="int32", name="ids")
    if layout.lists:
        shape = (len(layout.lists), None)
        inputs["lists"] = keras.Input(shape, dtype="int32", name="lists")
        if layout.has_weights:
            inputs["weights"] = keras.Input(shape, dtype="float32", name="weights")
    return inputs


def _linear_ids(ids: Any, layout: Layout, units: int, name: str) -> Any:
    weights = PackedEmbedding([f.size for f in layout.ids], units, name=name)(ids)
    return keras.ops.sum(weights, axis=1)


def _linear_lists(inputs: dict[str, Any], layout: Layout, units: int, name: str) -> Any:
    return keras.ops.sum(_bags(inputs, layout, name, width=units), axis=1)


def _bags(inputs: dict[str, Any], layout: Layout, name: str, **options: Any) -> Any:
    """Return the mean or the sum of each list's embeddings, [B, L, width]."""
    bags = PackedBags(
        [f.size for f in layout.lists],
        combine=[f.combine for f in layout.lists],
        name=name,
        **options,
    )
    return bags(inputs["lists"], inputs.get("weights"))


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


def logits_shape(model: keras.Model) -> tuple[int, ...]:
    """Return the shape of a model's logits as tasks take them: [rows], or [rows, units] of many."""
    units = model.output_shape[-1]
    return (-1,) if units == 1 else (-1, units)


def load(path: str) -> keras.Model:
    """Load a trained graph; importing this module has registered its layers."""
    return keras.saving.load_model(path, compile=False)
