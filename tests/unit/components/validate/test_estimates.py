"""Shares, means, their intervals and correlations, compared with numpy."""

import math

import numpy as np
import pytest

from components.validate.estimates import correlations, estimates, moments, strength

RANDOM = np.random.default_rng(7)
ROWS = 400
BINS = RANDOM.integers(0, 3, ROWS)


def test_a_share_has_wilsons_interval():
    outcome = np.repeat([0, 1], [92, 8])
    sums = moments(np.zeros(100, np.int64), 1, outcome, None, 2)
    (share,) = estimates(sums[0], (1,))
    assert (share.value, share.low, share.high) == pytest.approx((0.08, 0.0411, 0.15), abs=1e-4)


def test_a_mean_has_the_normal_interval():
    outcome = RANDOM.normal(50, 9, ROWS)
    sums = moments(BINS, 3, outcome, None, 0)
    for number in range(3):
        inside = outcome[number == BINS]
        half = 1.959964 * inside.std(ddof=1) / math.sqrt(len(inside))
        (mean,) = estimates(sums[number], ())
        found = (mean.value, mean.low, mean.high)
        expected = inside.mean(), inside.mean() - half, inside.mean() + half
        assert found == pytest.approx(expected, rel=1e-5)


def test_weights_count_rows_as_often():
    outcome, weights = RANDOM.integers(0, 2, ROWS), RANDOM.random(ROWS)
    sums = moments(BINS, 3, outcome, weights, 2)
    (share,) = estimates(sums[1], (1,))
    inside = BINS == 1
    assert share.value == pytest.approx(np.average(outcome[inside], weights=weights[inside]))
    (even,) = estimates(moments(BINS, 3, outcome, np.full(ROWS, 2.5), 2)[1], (1,))
    (plain,) = estimates(moments(BINS, 3, outcome, None, 2)[1], (1,))
    assert even == plain


@pytest.mark.parametrize("shown", [(0, 1), ()])
def test_without_rows_nothing_is_estimated(shown):
    sums = moments(np.zeros(0, np.int64), 1, np.zeros(0, np.int64), None, len(shown))
    assert {each.value for each in estimates(sums[0], shown)} == {None}
    assert strength(sums, classes=bool(shown)) == 0


@pytest.mark.parametrize("classes", [2, 0])
def test_the_strength_is_1_for_a_column_that_decides_and_near_0_for_one_that_does_not(classes):
    decides = moments(BINS % 2, 2, BINS % 2, None, classes)
    assert strength(decides, classes=bool(classes)) == pytest.approx(1)
    outcome = RANDOM.integers(0, 2, ROWS)
    assert strength(moments(BINS, 3, outcome, None, classes), classes=bool(classes)) < 0.02


def test_correlations_are_numpys_over_the_rows_that_have_both():
    values = RANDOM.normal(size=(3, ROWS))
    values[1] += values[0]
    present = RANDOM.random((3, ROWS)) > 0.2
    found = correlations(np.where(present, values, 0), present, None)
    for i in range(3):
        for j in range(3):
            both = present[i] & present[j]
            expected = np.corrcoef(values[i][both], values[j][both])[0, 1]
            assert found[i][j] == pytest.approx(expected, abs=1e-5)


def test_a_column_of_one_value_correlates_with_nothing():
    ranks = np.stack([np.zeros(ROWS), RANDOM.normal(size=ROWS)])
    found = correlations(ranks, np.ones((2, ROWS), bool), None)
    assert found[0] == (None, None)
    assert found[1][1] == pytest.approx(1)
