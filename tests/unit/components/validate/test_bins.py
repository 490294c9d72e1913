"""The bins of a column."""

import numpy as np
import pyarrow as pa
import pytest

from components.validate.bins import BINS, MISSING, REST, bins_of


def bins_and_numbers(array, *, category=False):
    batch = pa.RecordBatch.from_arrays([array], ["x"])
    bins = bins_of(batch, "x", category=category)
    assert bins is not None
    return bins, bins.numbers(array)


def test_numbers_are_in_tenths():
    values = np.random.default_rng(3).permutation(1000).astype(np.float32)
    bins, numbers = bins_and_numbers(pa.array(values))
    assert np.bincount(numbers).tolist() == [100] * BINS
    assert numbers.tolist() == (values // 100).astype(int).tolist()
    assert (bins.edges[0], bins.edges[-1], bins.distinct) == (0, 999, 1000)
    assert bins.ranks[:BINS] == pytest.approx(np.linspace(-0.9, 0.9, BINS), abs=1e-3)


def test_a_number_that_is_frequent_has_one_bin():
    bins, numbers = bins_and_numbers(pa.array([0] * 70 + list(range(1, 31))))
    assert len(set(numbers[:70].tolist())) == 1
    assert set(numbers[70:].tolist()).isdisjoint(numbers[:70].tolist())
    assert sorted(set(numbers.tolist())) == list(range(len(bins.edges) - 1))


@pytest.mark.parametrize("values", [[5, 5, 5], [2**53, -(2**53)], [1.5, float("nan"), None]])
def test_every_number_has_a_bin(values):
    bins, numbers = bins_and_numbers(pa.array(values))
    for value, number in zip(values, numbers, strict=True):
        missing = value is None or value != value
        assert number == MISSING if missing else number < len(bins.edges) - 1


def test_frequent_values_have_a_bin_each_and_others_share_one():
    names = [f"v{i:02}" for i in range(15) for _ in range(20 - i)]
    bins, numbers = bins_and_numbers(pa.array([*names, None]))
    assert bins.values == tuple(f"v{i:02}" for i in range(BINS))
    assert numbers[0] == 0
    assert numbers[-2] == REST
    assert numbers[-1] == MISSING


def test_numbers_that_are_names_have_a_bin_each():
    bins, numbers = bins_and_numbers(pa.array([7, 7, 60, None]), category=True)
    assert bins.values == ("7", "60")
    assert numbers.tolist() == [0, 0, 1, MISSING]


@pytest.mark.parametrize("array", [pa.array([[1], None]), pa.array([None, None], pa.int64())])
def test_lists_and_columns_without_values_have_no_bins(array):
    assert bins_of(pa.RecordBatch.from_arrays([array], ["x"]), "x", category=False) is None
