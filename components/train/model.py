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
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from components.train.deep_layers import CrossLayer, MemberHeads, MemberMean, Members, PlaceCodes
from components.train.layers import AttentionBags, Dropout, PackedBags, PackedEmbedding
from components.train.monotone import INCREASING, MonotoneSum, split_layout
from components.train.sizes import embedding_width
from schemas.layout import ATTENTION, Layout, TransformedFeature
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
    list's embeddings, and of its weights in the wide part, both take the mean or the sum, or the
    deep part a mean that the rest of the row weights. Monotone columns have a part of their own.

    Args:
      layout: the transformed features.
      model: sizes and rates.
      start: the logits, one a unit, at which the output starts.
      link: what makes an answer of a logit; answers are averaged.
    """
    inputs, seeds = make_inputs(layout), _Seeds(model.seed)
    others, monotone = split_layout(layout, model.monotone)
    given = _Given(inputs, layout)
    linear = _wide(given, others, len(start))
    if monotone.features:
        linear.append(_monotone(given, monotone, model.monotone, len(start)))
    tower = _tower(given, others, model, seeds)
    if not tower:
        served = keras.Model(inputs, _bias(_sum(linear), start, f"{WIDE}_logit", "identity"))
        members = keras.ops.expand_dims(served.output, 1)
        return keras.Model(inputs, members), served
    hidden = _hidden(_joined(tower), model, seeds)
    logits = MemberHeads(start, seed=seeds.next(), name="deep_logits")(hidden)
    if linear:
        logits = keras.layers.Add()([logits, keras.ops.expand_dims(_sum(linear), 1)])
    mean = MemberMean(link, name="mean")(logits)
    return keras.Model(inputs, logits), keras.Model(inputs, mean)


class _Given:
    """The inputs of a layout, from which parts of the model take some features."""

    def __init__(self, inputs: dict[str, Any], layout: Layout) -> None:
        self._inputs = inputs
        self._layout = layout

    def of(self, name: str, features: Sequence[TransformedFeature]) -> Any:
        """Return an input with these of its features, in their order; None if there is none."""
        if name not in self._inputs:
            return None
        every = self._layout.lists if name == "weights" else getattr(self._layout, name)
        if tuple(features) == every:
            return self._inputs[name]
        return keras.ops.take(self._inputs[name], [every.index(f) for f in features], axis=1)


def _wide(given: _Given, layout: Layout, units: int) -> list[Any]:
    """Return what the wide part adds to the logits, each [B, units]."""
    parts = []
    if layout.ids:
        ids = given.of("ids", layout.ids)
        parts.append(_linear_ids(ids, layout, units, f"{WIDE}_ids"))
    if layout.lists:
        parts.append(_linear_lists(given, layout.lists, units, f"{WIDE}_lists"))
    return parts


def _monotone(given: _Given, layout: Layout, directions: Mapping[str, str], units: int) -> Any:
    """Return what monotone columns add to the logits, [B, units]."""
    signs = [1 if directions[f.columns[0]] == INCREASING else -1 for f in layout.places]
    intervals = max(f.size for f in layout.places)
    layer = MonotoneSum(intervals, signs, units=units, name="deep_monotone")
    return layer(given.of("places", layout.places), given.of("ids", layout.ids))


def _tower(given: _Given, layout: Layout, model: Model, seeds: _Seeds) -> list[Any]:
    """Return what the deep part starts from, each [B, any]."""
    tower = []
    if layout.dense:
        tower.append(given.of("dense", layout.dense))
    if layout.places:
        intervals = max(f.size for f in layout.places)
        codes = PlaceCodes(intervals, model.place_dim, seed=seeds.next(), name="deep_places")
        tower.append(codes(given.of("places", layout.places)))
    embedded = [f for f in layout.ids if f.role == "embedding"]
    for width, features in _by_width(embedded, model):
        ids, sizes = given.of("ids", features), [f.size for f in features]
        name = _table_name("deep_embedding", width, model)
        options: dict[str, Any] = {"seed": seeds.next(), "rate": model.embedding_rate}
        table = PackedEmbedding(sizes, width, name=name, **options)
        tower.append(keras.layers.Flatten()(table(ids)))
    pooled = [f for f in layout.lists if f.combine != ATTENTION]
    for width, features in _by_width(pooled, model):
        name = _table_name("deep_lists", width, model)
        options = {"seed": seeds.next(), "rate": model.embedding_rate}
        bags = _bags(given, features, name, width=width, **options)
        tower.append(keras.layers.Flatten()(bags))
    attended = [f for f in layout.lists if f.combine == ATTENTION]
    if attended:
        row = _joined(tower) if tower else _nothing(given.of("lists", attended))
    for width, features in _by_width(attended, model):
        name = _table_name("deep_attention", width, model)
        options = {"seed": seeds.next(), "rate": model.embedding_rate}
        layer = AttentionBags([f.size for f in features], width, name=name, **options)
        ids, weights = given.of("lists", features), given.of("weights", features)
        tower.append(keras.layers.Flatten()(layer(ids, row, weights)))
    return tower


def _hidden(x: Any, model: Model, seeds: _Seeds) -> Any:
    """Return the units of the last hidden layer, [B, members, any]."""
    if model.cross_rank:
        x = CrossLayer(model.cross_rank, seed=seeds.next(), name="deep_cross")(x)
    for i, units in enumerate(model.hidden_units):
        options: dict[str, Any] = {"first": i == 0, "seed": seeds.next(), "name": f"deep_{i}"}
        x = Members(model.members, units, relu=model.norm == "none", **options)(x)
        if model.norm != "none":
            x = keras.layers.ReLU()(_normalized(x, model.norm, f"deep_{i}_norm"))
        if model.dropout:
            x = Dropout(model.dropout, seed=seeds.next())(x)
    return x


def _normalized(x: Any, norm: str, name: str) -> Any:
    """Return units [B, members, units] with mean 0 and deviation 1 over units or over rows."""
    if norm == "layer":
        return keras.layers.LayerNormalization(name=name)(x)
    members, units = x.shape[1:]
    flat = keras.layers.Reshape((members * units,))(x)
    return keras.layers.Reshape((members, units))(keras.layers.BatchNormalization(name=name)(flat))


def _by_width(
    features: Sequence[TransformedFeature], model: Model
) -> list[tuple[int, list[TransformedFeature]]]:
    """Return features by the length of their embeddings, in the order of the lengths."""
    widths: dict[int, list[TransformedFeature]] = {}
    for feature in features:
        fixed = None if model.embedding_dim == "auto" else model.embedding_dim
        widths.setdefault(fixed or embedding_width(feature.size), []).append(feature)
    return sorted(widths.items())


def _table_name(name: str, width: int, model: Model) -> str:
    return f"{name}_{width}" if model.embedding_dim == "auto" else name


def _joined(parts: Sequence[Any]) -> Any:
    return keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]


def _sum(parts: Sequence[Any]) -> Any:
    return keras.layers.Add()(parts) if len(parts) > 1 else parts[0]


def build_baseline(layout: Layout, start: Sequence[float]) -> keras.Model:
    """Return an untrained linear model of all transformed features; its weights are 0."""
    inputs = make_inputs(layout)
    parts = []
    if layout.ids:
        parts.append(_linear_ids(inputs["ids"], layout, len(start), "linear_ids"))
    if layout.lists:
        given = _Given(inputs, layout)
        parts.append(_linear_lists(given, layout.lists, len(start), "linear_lists"))
    numbers = [inputs[name] for name in ("dense", "places") if name in inputs]
    if numbers:
        parts.append(_bias(_joined(numbers), start, "logit", "zeros"))
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


def _linear_lists(
    given: _Given, features: Sequence[TransformedFeature], units: int, name: str
) -> Any:
    return keras.ops.sum(_bags(given, features, name, width=units), axis=1)


def _bags(given: _Given, features: Sequence[TransformedFeature], name: str, **options: Any) -> Any:
    """Return the mean or the sum of each list's embeddings, [B, L, width]."""
    bags = PackedBags(
        [f.size for f in features],
        combine=["mean" if f.combine == ATTENTION else f.combine for f in features],
        name=name,
        **options,
    )
    return bags(given.of("lists", features), given.of("weights", features))


def _nothing(lists: Any) -> Any:
    """Return zeros [B, 1], for the query of a row that has lists alone."""
    return 0.0 * keras.ops.cast(keras.ops.sum(lists[:, 0], axis=-1, keepdims=True), "float32")


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
