"""The packed table, compared with a gather of numpy's, and what dropout keeps."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from components.train.layers import Dropout, PackedBags, PackedEmbedding

SIZES = (3, 1, 5)
IDS = np.array([[0, 0, 0], [2, 0, 4], [1, 0, 3], [2, 0, 0]], np.int32)


def gathered(table, ids=IDS):
    tables = np.split(table, np.cumsum(SIZES)[:-1])
    return np.stack([t[ids[:, c]] for c, t in enumerate(tables)], axis=1)


@pytest.fixture
def layer():
    keras.utils.set_random_seed(1)
    built = PackedEmbedding(SIZES, 2, seed=3, name="packed")
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
    zeros = PackedEmbedding(SIZES, 1)
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


@pytest.mark.parametrize(("rate", "units"), [(0.1, 100), (0.5, 51), (0.9, 1)])
def test_dropout_drops_its_share_and_keeps_the_mean(rate, units):
    x = np.full((20_000, units), 3.0, np.float32)
    out = np.asarray(Dropout(rate, seed=5)(x, training=True))
    assert out.shape == x.shape
    dropped = out == 0
    deviation = np.sqrt(rate * (1 - rate) / x.size)  # of the share, if it were random
    assert abs(dropped.mean() - rate) < 5 * deviation
    np.testing.assert_allclose(out[~dropped], 3 / (1 - rate), rtol=1e-4)


def test_dropout_has_no_pattern_and_is_another_at_each_step():
    layer, x = Dropout(0.5, seed=5), np.ones((4_000, 8), np.float32)
    first, second = (np.asarray(layer(x, training=True)) > 0 for _ in range(2))
    seen = np.corrcoef(np.concatenate([first, second], axis=1), rowvar=False)
    # 5 standard errors: columns of one step, and of two, are independent
    assert np.abs(seen - np.eye(16)).max() < 5 / np.sqrt(len(x))
    assert np.abs(np.corrcoef(first[:-1].ravel(), first[1:].ravel())[0, 1]) < 0.05


def test_dropout_is_set_by_the_seed_and_off_outside_training():
    x = np.ones((50, 4), np.float32)

    def drop(seed):
        return np.asarray(Dropout(0.5, seed=seed)(x, training=True))

    np.testing.assert_array_equal(drop(1), drop(1))
    assert not np.array_equal(drop(1), drop(2))
    np.testing.assert_array_equal(Dropout(0.5, seed=1)(x), x)
    np.testing.assert_array_equal(Dropout(0.0, seed=1)(x, training=True), x)


def test_dropout_comes_back_from_disk(tmp_path):
    x = keras.Input((3,))
    path = str(tmp_path / "m.keras")
    keras.Model(x, Dropout(0.25, seed=7, name="drop")(x)).save(path)
    layer = keras.saving.load_model(path, compile=False).get_layer("drop")
    assert (layer.rate, layer.seed) == (0.25, 7)


BAGS = np.array(
    [
        [[0, 2, 2], [4, -1, -1]],  # a repeated id counts twice
        [[-1, -1, -1], [0, 1, 3]],  # an empty list
    ],
    np.int32,
)


def test_lists_become_the_mean_or_the_sum_of_their_embeddings(tmp_path):
    bags = PackedBags((3, 5), 2, combine=("mean", "sum"), seed=3, name="bags")
    out = np.asarray(bags(BAGS))
    table = np.asarray(bags.table)
    tags, days = table[:3], table[3:]
    expected = [[(tags[0] + 2 * tags[2]) / 3, days[4]], [[0, 0], days[0] + days[1] + days[3]]]
    np.testing.assert_allclose(out, np.array(expected), rtol=1e-6)
    np.testing.assert_allclose(bags(BAGS[:, :, ::-1]), out, rtol=1e-6)
    wider = np.pad(BAGS, [(0, 0), (0, 0), (0, 2)], constant_values=-1)
    np.testing.assert_allclose(bags(wider), out, rtol=1e-6)
    np.testing.assert_array_equal(bags(BAGS[:, :, :0]), np.zeros((2, 2, 2)))

    ids = keras.Input((2, None), dtype="int32")
    model = keras.Model(ids, bags(ids))
    assert model.output_shape == (None, 2, 2)
    path = str(tmp_path / "m.keras")
    model.save(path)
    loaded = keras.saving.load_model(path, compile=False)
    np.testing.assert_array_equal(loaded(BAGS), out)


def test_ids_of_lists_may_have_weights():
    bags = PackedBags((3, 5), 2, combine=("mean", "sum"), seed=3)
    weights = np.array([[[1, 3, 0], [0.5, -1, -1]], [[-1, -1, -1], [0, 2, 0]]], np.float32)
    ids, shares = keras.Input((2, None), dtype="int32"), keras.Input((2, None), dtype="float32")
    model = keras.Model([ids, shares], bags(ids, shares))
    assert model.output_shape == (None, 2, 2)
    tags, days = np.split(np.asarray(bags.table), [3])
    expected = [[(tags[0] + 3 * tags[2]) / 4, days[4] / 2], [[0, 0], 2 * days[1]]]
    np.testing.assert_allclose(model([BAGS, weights]), np.array(expected), rtol=1e-6)
    np.testing.assert_array_equal(bags(BAGS, np.zeros_like(weights)), np.zeros((2, 2, 2)))
