"""The packed table, held against a gather of numpy's."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from components.train.layers import PackedEmbedding

SIZES = (3, 1, 5)
IDS = np.array([[0, 0, 0], [2, 0, 4], [1, 0, 3], [2, 0, 0]], np.int32)


def gathered(table, ids=IDS):
    tables = np.split(table, np.cumsum(SIZES)[:-1])
    return np.stack([t[ids[:, c]] for c, t in enumerate(tables)], axis=1)


@pytest.fixture
def layer():
    keras.utils.set_random_seed(1)
    built = PackedEmbedding(SIZES, 2, name="packed")
    built.build((None, 3))
    return built


def test_each_feature_reads_its_own_part_of_the_table(layer):
    table = np.arange(18, dtype=np.float32).reshape(9, 2)
    layer.table.assign(table)
    out = np.asarray(layer(IDS))
    assert out.shape == (4, 3, 2)
    np.testing.assert_array_equal(out, gathered(table))
    np.testing.assert_array_equal(out[1], [[4, 5], [6, 7], [16, 17]])


def test_the_table_starts_small_and_uneven_or_from_zeros(layer):
    table = np.asarray(layer.table)
    assert 0 < np.abs(table).max() <= 0.05
    assert len(np.unique(table)) == 18
    zeros = PackedEmbedding(SIZES, 1, zeros=True)
    np.testing.assert_array_equal(zeros(IDS), np.zeros((4, 3, 1)))


def test_a_model_with_the_layer_comes_back_from_disk(layer, tmp_path):
    ids = keras.Input((3,), dtype="int32")
    model = keras.Model(ids, layer(ids))
    assert model.output_shape == (None, 3, 2)
    path = str(tmp_path / "m.keras")
    model.save(path)
    loaded = keras.saving.load_model(path, compile=False)
    np.testing.assert_array_equal(loaded(IDS), gathered(np.asarray(layer.table)))
    assert loaded.get_layer("packed").get_config() == layer.get_config()


def test_only_the_rows_that_were_read_get_a_gradient(layer):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(IDS))
    gradient = tf.convert_to_tensor(tape.gradient(total, layer.table)).numpy()
    np.testing.assert_array_equal(gradient[:, 0], [1, 1, 2, 4, 2, 0, 0, 1, 1])
