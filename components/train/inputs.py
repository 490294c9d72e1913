"""Transformed features → the model's inputs, in the layout's order. Stacking, no arithmetic.

The inputs are "dense" float32 [B, F], "places" float32 [B, Q], "ids" int32 [B, C], and "lists"
int32 [B, L, width], where `PADDING` follows the ids of a list. If some lists have weights,
"weights" float32 [B, L, width] has those of all ids. An input without features is absent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.examples import RowGroup, column, read_row_group, row_groups
from components.train.list_batches import LISTS, WEIGHTS, pack_lists, pack_weights, rebatched
from schemas.layout import Layout, TransformedFeature
from schemas.signatures import PADDING

if TYPE_CHECKING:
    from components.tasks.protocol import Labels

Batch = tuple[dict[str, np.ndarray], np.ndarray]


def _inputs(layout: Layout) -> list[tuple[str, tuple[TransformedFeature, ...], Any]]:
    """Return the name, the features and the type of each input of one value a feature."""
    every = (
        ("dense", layout.dense, np.float32),
        ("places", layout.places, np.float32),
        ("ids", layout.ids, np.int32),
    )
    return [each for each in every if each[1]]


def pack(features: Mapping[str, tf.Tensor], layout: Layout) -> dict[str, tf.Tensor]:
    """Stack transformed features [B], and those of lists [B, any width], to the inputs."""
    packed = {
        name: tf.cast(tf.stack([features[f.name] for f in alike], axis=1), dtype)
        for name, alike, dtype in _inputs(layout)
    }
    if layout.lists:
        packed[LISTS] = tf.cast(_pack_lists([features[f.name] for f in layout.lists]), tf.int32)
    if layout.has_weights:
        packed[WEIGHTS] = _pack_lists([_weights(features, f) for f in layout.lists])
    return packed


def _pack_lists(lists: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return lists [B, any width] as [B, L, width], with `PADDING` after their values."""
    width = tf.reduce_max(tf.stack([tf.shape(values)[1] for values in lists]))
    padded = [
        tf.pad(
            values,
            [[0, 0], [0, width - tf.shape(values)[1]]],
            constant_values=tf.cast(PADDING, values.dtype),
        )
        for values in lists
    ]
    return tf.stack(padded, axis=1)


def _weights(features: Mapping[str, tf.Tensor], lists: TransformedFeature) -> tf.Tensor:
    """Return the weights of lists of ids, float32 [B, any width]; all are 1 if they have none."""
    if lists.weights:
        return features[lists.weights]
    ids = features[lists.name]
    return tf.where(tf.equal(ids, tf.cast(PADDING, ids.dtype)), float(PADDING), 1.0)


def pack_batch(batch: pa.RecordBatch, layout: Layout) -> Batch:
    """Do the same to transformed examples, with the label as float32 [B, 1]."""
    packed = {}
    for name, features, dtype in _inputs(layout):
        packed[name] = np.empty((batch.num_rows, len(features)), dtype)
        for i, feature in enumerate(features):
            packed[name][:, i] = column(batch, feature.name).to_numpy()
    if layout.lists:
        packed[LISTS] = pack_lists([column(batch, f.name) for f in layout.lists])
    if layout.has_weights:
        weights = [column(batch, f.weights) if f.weights else None for f in layout.lists]
        packed[WEIGHTS] = pack_weights(weights, packed[LISTS])
    label = column(batch, layout.label).to_numpy().astype(np.float32)
    return packed, label[:, np.newaxis]


def labels(
    examples: str, split: str, layout: Layout, weight: str | None = None
) -> Iterator[Labels]:
    """Yield a split's labels with the rows' weights, one row group in memory at a time.

    Args:
      examples: folder of transformed examples.
      split: the split to read.
      layout: the transformed features.
      weight: the column with the weights; None if all are 1.
    """
    names = [layout.label] if weight is None else [layout.label, weight]
    for group in row_groups(examples, split):
        label, *weights = (c.to_numpy() for c in read_row_group(group, names).columns)
        yield label, weights[0].astype(np.float64) if weights else np.ones(len(label))


class RowWeights(Protocol):
    """Says how much each row counts in the loss."""

    def of(self, batch: pa.RecordBatch, label: np.ndarray) -> np.ndarray:
        """Return the weights of a batch, float32 [rows]; `label` is float32 [rows, 1]."""
        ...


class ChosenRows(Protocol):
    """Chooses rows of a split."""

    def of(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return which rows of a batch are chosen, bool [rows]."""
        ...


class Feed:
    """A split as a tf.data source of batches; one row group in memory at a time.

    Rows are stored in shuffled order. A shuffled feed visits row groups in a new order each epoch
    and permutes the rows inside each; the order depends only on the seed and the epoch's number.

    Args:
      examples: folder of transformed examples.
      split: the split to read.
      layout: the transformed features.
      batch_size: rows a batch; the last one may be smaller.
      seed: None keeps the order on disk.
      weights: of the rows; None if all count the same.
      only: the rows to read; None reads all.
      share: (index, count) of several processes: of each batch, this feed has the rows whose
        position divided by `count` leaves `index`. `batch_size`, a multiple of `count`, and the
        attributes are those of all of them.

    Attributes:
      rows: how many are read.
      batches: of an epoch.
      epoch: the number of the next epoch, from 0.
    """

    def __init__(
        self,
        examples: str,
        split: str,
        layout: Layout,
        *,
        batch_size: int,
        seed: int | None = None,
        weights: RowWeights | None = None,
        only: ChosenRows | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._groups = [group for group in row_groups(examples, split) if group.rows]
        self._layout = layout
        self._batch_size = batch_size // share[1]
        self._index, self._count = share
        self._seed = seed
        self._weights = weights
        self.epoch = 0
        self._only = only
        self.rows = sum(self._rows_of(group) for group in self._groups)
        if self.rows % batch_size < self._count:  # too few for each to have one
            self.rows -= self.rows % batch_size * (self._count > 1)
        self.batches = math.ceil(self.rows / batch_size)

    def _rows_of(self, group: RowGroup) -> int:
        if self._only is None:
            return group.rows
        return int(self._only.of(read_row_group(group)).sum())

    def __call__(self) -> Iterator[tuple[Any, ...]]:
        """Yield one epoch's row groups as numpy arrays: inputs, labels, and weights if any."""
        order = np.arange(len(self._groups))
        rng = None
        if self._seed is not None:
            rng = np.random.default_rng((self._seed, self.epoch))
            rng.shuffle(order)
        self.epoch += 1
        before = 0
        for index in order:
            batch = read_row_group(self._groups[index])
            if self._only is not None:
                batch = batch.filter(pa.array(self._only.of(batch)))
            inputs, label = pack_batch(batch, self._layout)
            targets = [label]
            if self._weights is not None:
                targets.append(self._weights.of(batch, label))
            if rng is not None or self._count > 1:
                rows = np.arange(len(label)) if rng is None else rng.permutation(len(label))
                first = (self._index - before) % self._count
                rows = rows[: max(0, self.rows - before)][first :: self._count]
                before += len(label)
                inputs = {name: values[rows] for name, values in inputs.items()}
                targets = [each[rows] for each in targets]
            yield inputs, *targets

    def dataset(self) -> tf.data.Dataset:
        """Return the feed's batches as a dataset; every iteration is the next epoch."""
        inputs = {
            name: tf.TensorSpec([None, len(features)], dtype)
            for name, features, dtype in _inputs(self._layout)
        }
        if self._layout.lists:
            shape = [None, len(self._layout.lists), None]
            inputs[LISTS] = tf.TensorSpec(shape, tf.int32)
            if self._layout.has_weights:
                inputs[WEIGHTS] = tf.TensorSpec(shape, tf.float32)
        targets = [tf.TensorSpec([None, 1], tf.float32)]
        if self._weights is not None:
            targets.append(tf.TensorSpec([None], tf.float32))
        signature = (inputs, *targets)
        if self._layout.lists:
            batches = tf.data.Dataset.from_generator(
                lambda: rebatched(self(), self._batch_size), output_signature=signature
            )
        else:
            groups = tf.data.Dataset.from_generator(self, output_signature=signature)
            # Python is called once a row group; TensorFlow cuts it into batches without Python.
            batches = groups.prefetch(1).rebatch(self._batch_size)
        # Keras treats the end of a dataset of unknown length as an interruption, and warns.
        counted = batches.apply(tf.data.experimental.assert_cardinality(self.batches))
        return counted.prefetch(4)
