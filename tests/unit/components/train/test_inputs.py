"""Transformed examples as the model's inputs, and the order they are fed in."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from components.examples import ShardWriter
from components.train.inputs import Feed, labels, pack_batch
from schemas.layout import Layout, TransformedFeature

ROWS = 23


def layout_of(*kinds):
    return Layout(
        features=tuple(
            TransformedFeature(name=n, columns=(n,), treatment="t", role=k, size=9)
            for n, k in kinds
        ),
        label="y",
    )


# the order of the model, not that of the table
LAYOUT = layout_of(("b", "dense"), ("k", "wide"), ("a", "dense"), ("j", "wide"))


@pytest.fixture
def examples(tmp_path):
    """Three shards, 23 rows: every row's number is in `a` and, twice, in `k`."""
    number = np.arange(ROWS)
    table = pa.table(
        {
            "a": number.astype(np.float32),
            "b": (number + 0.5).astype(np.float32),
            "j": number % 9,
            "k": number * 2,
            "y": (number % 3 == 0).astype(np.int64),
        }
    )
    for i, (start, rows) in enumerate([(0, 10), (10, 1), (11, 12)]):
        path = str(tmp_path / "Split-train" / f"{i}.parquet")
        with ShardWriter(path, table.schema, batch_rows=5) as writer:
            writer.write(table.slice(start, rows))
    return str(tmp_path)


def numbers(batches):
    return [inputs["dense"][:, 1].astype(int).tolist() for inputs, _ in batches]


def test_a_batch_is_packed_in_the_layouts_order():
    batch = pa.record_batch(
        [
            pa.array([1, 0]),
            pa.array([1.5, 2.5], pa.float32()),
            pa.array([-1.0, -2.0], pa.float32()),
            pa.array([3, 4]),
            pa.array([8, 7]),
        ],
        ["y", "a", "b", "j", "k"],
    )
    for part in (slice(0, 2), slice(1, 2)):
        inputs, label = pack_batch(batch.slice(part.start, part.stop - part.start), LAYOUT)
        np.testing.assert_array_equal(inputs["dense"], [[-1.0, 1.5], [-2.0, 2.5]][part])
        np.testing.assert_array_equal(inputs["ids"], [[8, 3], [7, 4]][part])
        np.testing.assert_array_equal(label, [[1.0], [0.0]][part])
        dtypes = (inputs["dense"].dtype, inputs["ids"].dtype, label.dtype)
        assert dtypes == (np.float32, np.int32, np.float32)


@pytest.mark.parametrize(
    ("kinds", "names"), [([("a", "dense")], ["dense"]), ([("j", "wide")], ["ids"])]
)
def test_an_input_without_features_is_absent(kinds, names):
    columns = [pa.array([1.0], pa.float32()), pa.array([2]), pa.array([1])]
    inputs, _ = pack_batch(pa.record_batch(columns, ["a", "j", "y"]), layout_of(*kinds))
    assert list(inputs) == names


@pytest.mark.parametrize("seed", [None, 0, 7])
def test_every_epoch_feeds_each_row_once_and_whole(examples, seed):
    feed = Feed(examples, "train", LAYOUT, batch_size=7, seed=seed)
    assert (feed.rows, feed.batches) == (ROWS, 4)
    for _ in range(3):
        groups = list(feed())
        assert sorted(itertools.chain(*numbers(groups))) == list(range(ROWS))
        for inputs, label in groups:
            number = inputs["dense"][:, 1]
            np.testing.assert_array_equal(inputs["dense"][:, 0], number + 0.5)
            np.testing.assert_array_equal(inputs["ids"][:, 0], number * 2)
            np.testing.assert_array_equal(inputs["ids"][:, 1], number % 9)
            np.testing.assert_array_equal(label[:, 0], number % 3 == 0)


def test_without_a_seed_the_order_is_that_on_disk(examples):
    feed = Feed(examples, "train", LAYOUT, batch_size=3)
    bounds = [(0, 5), (5, 10), (10, 11), (11, 16), (16, 21), (21, 23)]
    expected = [list(range(*bound)) for bound in bounds]
    assert numbers(feed()) == expected
    assert numbers(feed()) == expected


def test_each_epoch_has_an_order_of_its_own_set_by_the_seed_alone(examples):
    def epochs(seed):
        feed = Feed(examples, "train", LAYOUT, batch_size=4, seed=seed)
        return [numbers(feed()) for _ in range(3)]

    first, second, third = epochs(7)
    assert first != second != third != first
    assert epochs(7) == [first, second, third]
    assert epochs(8) != [first, second, third]


def test_row_groups_and_the_rows_inside_are_both_shuffled(examples):
    feed = Feed(examples, "train", LAYOUT, batch_size=100, seed=1)
    epochs = [numbers(feed()) for _ in range(5)]
    order = [[min(group) for group in epoch] for epoch in epochs]
    assert {tuple(sorted(o)) for o in order} == {(0, 5, 10, 11, 16, 21)}
    assert len({tuple(o) for o in order}) == 5
    assert any(group != sorted(group) for epoch in epochs for group in epoch)


def test_labels_are_those_of_all_shards(examples):
    parts = list(labels(examples, "train", LAYOUT))
    assert (sum(len(part) for part, _ in parts), sum(part.sum() for part, _ in parts)) == (ROWS, 8)
    assert all((weights == 1).all() and len(weights) == len(part) for part, weights in parts)
