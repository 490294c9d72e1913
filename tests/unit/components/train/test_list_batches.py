"""Batches of lists: cut from row groups of other widths, without a row lost."""

import numpy as np
import pyarrow as pa
import pytest

from components.train.list_batches import LISTS, WEIGHTS, pack_lists, pack_weights, rebatched


def test_lists_are_as_wide_as_the_longest():
    tags = pa.array([[3], [], [0], [1, 2, 1]], pa.list_(pa.int64()))
    days = pa.array([[1, 2], [4], [0], []], pa.list_(pa.int64()))
    packed = pack_lists([tags, days])
    assert packed.dtype == np.int32
    assert packed.tolist() == [
        [[3, -1, -1], [1, 2, -1]],
        [[-1, -1, -1], [4, -1, -1]],
        [[0, -1, -1], [0, -1, -1]],
        [[1, 2, 1], [-1, -1, -1]],
    ]
    assert pack_lists([tags[1:2]]).shape == (1, 1, 0)
    shares = pa.array([[0.5], [], [1.0], [0.25, 0.5, 0.0]], pa.list_(pa.float32()))
    weights = pack_weights([shares, None], packed)
    assert weights.dtype == np.float32
    assert weights.tolist() == [
        [[0.5, -1, -1], [1, 1, -1]],
        [[-1, -1, -1], [1, -1, -1]],
        [[1, -1, -1], [1, -1, -1]],
        [[0.25, 0.5, 0], [-1, -1, -1]],
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
def test_batches_have_every_row_once_in_order(size):
    random = np.random.default_rng(size)
    groups, number = [], 0
    for rows, width in ((4, 3), (1, 0), (6, 5), (2, 1)):
        numbers = np.arange(number, number + rows, dtype=np.float32)
        lengths = random.integers(0, width + 1, (rows, 2))
        lists = np.where(np.arange(width) < lengths[..., np.newaxis], number, -1).astype(np.int32)
        inputs = {"dense": numbers[:, None], LISTS: lists, WEIGHTS: lists / np.float32(2)}
        inputs[WEIGHTS][lists < 0] = -1
        groups.append((inputs, numbers[:, None], numbers))
        number += rows

    batches = list(rebatched(groups, size))

    sizes = [len(label) for _, label, _ in batches]
    assert sizes == [size] * (number // size) + ([number % size] if number % size else [])
    assert np.concatenate([w for *_, w in batches]).tolist() == list(range(number))
    got = [row for inputs, *_ in batches for row in _plain(inputs[LISTS])]
    assert got == [row for inputs, *_ in groups for row in _plain(inputs[LISTS])]
    for inputs, *_ in batches:
        assert (inputs[LISTS] >= 0).any(axis=(0, 1)).all()  # no column of padding alone
        known = inputs[LISTS] >= 0
        np.testing.assert_array_equal(inputs[WEIGHTS], np.where(known, inputs[LISTS] / 2, -1))


def _plain(lists):
    return [[[i for i in one if i >= 0] for one in row] for row in lists.tolist()]
