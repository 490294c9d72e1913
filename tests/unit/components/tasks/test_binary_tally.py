"""The sums: what a row adds, and that the rows may be split in any way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.tasks.binary_tally import BINS, SLICE_BINS, BinaryTally, grade
from components.tasks.probabilities import CELLS

ROWS = st.lists(
    st.tuples(
        st.floats(0, 1, width=32),  # score
        st.integers(0, 1),  # label
        st.integers(0, 2),  # group
        st.integers(0, 3),  # part that the row falls into
    ),
    max_size=60,
)


def tally(scores, labels, groups=None, *, number_of_groups=1, bins=BINS):
    sums = BinaryTally.zeros(number_of_groups, bins)
    groups = None if groups is None else np.array(groups, np.int64)
    sums.add(grade(np.array(scores, np.float32), np.array(labels, np.int64)), groups)
    return sums


def test_a_row_adds_its_loss_bin_and_cell():
    rows = grade(np.array([0.25, 0.8], np.float32), np.array([1, 0]))

    np.testing.assert_allclose(rows.loss, [-np.log(0.25), -np.log(0.2)], rtol=1e-6)
    # logits -1.0986 and 1.3863, in bins 1/2048 wide that begin at -16
    assert rows.bin.tolist() == [30_518, 35_607]
    assert rows.cell.tolist() == [3, 12]
    assert rows.invalid == 0


def test_one_half_begins_the_upper_half_of_the_bins():
    below, half, above = np.nextafter(np.float32(0.5), np.float32([0, 0.5, 1]))
    assert grade(np.array([below, half, above]), np.zeros(3, int)).bin.tolist() == [
        BINS // 2 - 1,
        BINS // 2,
        BINS // 2,
    ]


def test_bins_keep_the_order_of_scores_up_to_certainty():
    scores = np.linspace(0, 1, 10_001, dtype=np.float32)
    bins = grade(scores, np.zeros(len(scores), int)).bin
    assert (np.diff(bins) >= 0).all()
    assert bins[0] >= 0
    assert bins[-1] < BINS


def test_a_wrong_certain_score_costs_a_finite_loss():
    rows = grade(np.array([0, 1], np.float32), np.array([1, 0]))
    np.testing.assert_allclose(rows.loss, [15.942385, 15.942385], rtol=1e-6)
    assert rows.cell.tolist() == [0, CELLS - 1]


@pytest.mark.parametrize("score", [np.nan, np.inf, -0.001, 1.001])
def test_a_score_that_is_not_a_probability_is_counted_separately(score):
    sums = tally([0.5, score, 0.25], [1, 1, 0], [0, 1, 1], number_of_groups=2)
    assert sums.invalid == 1
    assert sums.counts.sum(axis=(1, 2)).tolist() == [1, 1]
    assert np.isfinite(sums.loss).all()


def test_a_label_that_is_neither_0_nor_1_is_counted_separately():
    sums = tally([0.5, 0.5, 0.5], [0, 1, 2])
    assert sums.invalid == 1
    assert sums.counts.sum() == 2


def test_fewer_bins_are_the_same_bins_merged():
    scores, labels = np.linspace(0.001, 0.999, 500), np.arange(500) % 2
    fine, coarse = tally(scores, labels), tally(scores, labels, bins=SLICE_BINS)
    merged = fine.counts.reshape(1, 2, SLICE_BINS, -1).sum(axis=3)
    np.testing.assert_array_equal(coarse.counts, merged)


@pytest.mark.parametrize("bins", [0, 1, 3, 1000, 2 * BINS])
def test_bins_must_divide_the_finest(bins):
    with pytest.raises(ValueError, match=f"got {bins}"):
        BinaryTally.zeros(1, bins)


@given(ROWS)
def test_rows_may_be_split_in_any_way(rows):
    scores, labels, groups, parts = (
        (np.array(v) for v in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 4
    )
    whole = tally(scores, labels, groups, number_of_groups=3, bins=64)
    merged = BinaryTally.zeros(3, 64)
    for part in (3, 1, 0, 2):
        mine = parts == part
        merged.merge(tally(scores[mine], labels[mine], groups[mine], number_of_groups=3, bins=64))
    np.testing.assert_array_equal(merged.counts, whole.counts)
    np.testing.assert_array_equal(merged.cells, whole.cells)
    np.testing.assert_allclose(merged.loss, whole.loss, rtol=1e-12)
    np.testing.assert_allclose(merged.cell_scores, whole.cell_scores, rtol=1e-12)
    assert merged.invalid == whole.invalid


def test_merging_leaves_the_other_tally_as_it_was():
    one, other = tally([0.9, np.nan], [1, 1]), tally([0.2, np.nan], [0, 0])
    before = other.counts.copy()
    one.merge(other)
    one.merge(other)
    np.testing.assert_array_equal(other.counts, before)
    assert one.counts.sum() == 3
    assert (one.invalid, other.invalid) == (3, 1)
