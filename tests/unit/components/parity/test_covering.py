"""Rows with each one, and each pair, of many items."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.parity import covering

ROWS = 64


@given(st.integers(0, 400))
def test_each_two_are_together_and_apart_in_some_row(count):
    members = covering.pairs_together(count, ROWS)
    held = members.astype(int)
    apart = held.T @ (1 - held)
    np.fill_diagonal(apart, 1)

    assert members.shape == (ROWS, count)
    assert (held.T @ held >= 2).all()
    assert (apart >= 1).all()


def test_no_number_of_columns_needs_more_rows():
    members = covering.pairs_together(3_000, ROWS).astype(np.float32)

    assert (members.T @ members >= 2).all()
    assert members.mean() == pytest.approx(0.5, abs=0.02)


@given(st.integers(0, 120))
def test_each_two_meet_in_one_round(count):
    rounds = [covering.round_of(count, number) for number in range(count)]
    met = [pair for pairs in rounds for pair in pairs]

    assert sorted(met) == list(itertools.combinations(range(count), 2))
    for pairs in rounds:
        players = [player for pair in pairs for player in pair]
        assert len(set(players)) == len(players)


@given(st.lists(st.integers(0, 9)), st.integers(1, 30))
def test_each_item_is_in_one_row_and_no_two_of_a_group_in_the_same(sizes, rows):
    groups = [[(group, item) for item in range(size)] for group, size in enumerate(sizes)]
    found = covering.spread(groups, rows)

    assert sorted(item for row in found for item in row) == [i for g in groups for i in g]
    assert len(found) <= max([rows, *sizes])
    assert len(found) == sum(sizes) or len(found) >= rows
    for row in found:
        assert row
        assert len({group for group, _ in row}) == len(row)


@given(st.lists(st.integers()), st.integers(1, 40))
def test_parts_are_everything_in_order_and_almost_equal(items, count):
    found = covering.parts(items, count)

    assert [item for part in found for item in part] == items
    assert len(found) == min(count, len(items))
    assert not found or max(map(len, found)) - min(map(len, found)) <= 1


@given(st.integers(0, 500), st.integers(1, 100))
def test_a_selection_is_spread_from_the_first_on(total, count):
    found = covering.evenly(total, count)

    assert len(set(found)) == len(found) == min(total, count)
    assert found[:1] == [0] * bool(total)
    gaps = np.diff([*found, total])
    assert not found or gaps.max() - gaps.min() <= 1
