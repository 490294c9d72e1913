"""The graph's packing and the feed's return the same inputs."""

from __future__ import annotations

import numpy as np
import pytest

from components.examples import iter_batches
from components.train.inputs import Feed, pack, pack_batch


def test_tensors_are_packed_as_batches_are(table):
    import tensorflow as tf

    (batch,) = iter_batches(table.examples, "eval")
    features = {name: tf.constant(batch.column(i)) for i, name in enumerate(batch.schema.names)}
    packed = pack(features, table.layout)
    expected, _ = pack_batch(batch, table.layout)
    assert list(packed) == list(expected) == ["dense", "ids"]
    for name, values in packed.items():
        assert values.dtype.as_numpy_dtype == expected[name].dtype
        np.testing.assert_array_equal(values, expected[name])
    np.testing.assert_array_equal(packed["dense"][:, 1], features["b"])


@pytest.mark.parametrize(("size", "name"), [(0, "dense"), (4, "ids")])
def test_an_input_without_features_is_absent(make_layout, size, name):
    import tensorflow as tf

    layout = make_layout(("i", "t", size))
    features = {"i": tf.constant([1], tf.int64 if size else tf.float32), "y": tf.constant([1])}
    assert list(pack(features, layout)) == [name]


@pytest.mark.parametrize("size", [1, 64, 100, 128, 1_000])
def test_batches_are_cut_from_the_feed_whatever_their_size(table, size):
    dataset = Feed(table.examples, "train", table.layout, batch_size=size, seed=1).dataset()
    whole = _joined(Feed(table.examples, "train", table.layout, batch_size=size, seed=1)())
    batches = list(dataset.as_numpy_iterator())
    rows = len(whole[0])
    sizes = [len(label) for _, label in batches]
    assert sizes == [size] * (rows // size) + ([rows % size] if rows % size else [])
    assert dataset.cardinality().numpy() == len(batches)
    for got, expected in zip(_joined(batches), whole, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_every_iteration_of_the_dataset_is_the_next_epoch(table):
    dataset = Feed(table.examples, "train", table.layout, batch_size=64, seed=1).dataset()
    again = Feed(table.examples, "train", table.layout, batch_size=64, seed=1)
    epochs = []
    for _ in range(2):
        dense, ids, label = _joined(dataset.as_numpy_iterator())
        for got, expected in zip((dense, ids, label), _joined(again()), strict=True):
            np.testing.assert_array_equal(got, expected)
        epochs.append(dense)
    assert not np.array_equal(*epochs)
    np.testing.assert_array_equal(*(np.sort(epoch, axis=0) for epoch in epochs))
    spec, _ = dataset.element_spec
    assert {n: (s.shape.as_list(), s.dtype.name) for n, s in spec.items()} == {
        "dense": ([None, 2], "float32"),
        "ids": ([None, 2], "int32"),
    }


def _joined(batches):
    inputs, labels = zip(*batches, strict=True)
    parts = [i["dense"] for i in inputs], [i["ids"] for i in inputs], labels
    return [np.concatenate(part) for part in parts]
