"""Limits of outliers, from counted values."""

import numpy as np
import pytest

from components.prepare.limits import limits
from components.prepare.sampling import copies, factors
from schemas.prepare import OutlierRule, TrainingSample

VALUES, ROWS = np.array([0.0, 1.0, 2.0, 10.0]), np.array([5, 10, 4, 1])
EACH = np.repeat(VALUES, ROWS)


@pytest.mark.parametrize("shares", [(0.1, 0.9), (0, 1), (0.25, 0.75), (0.5, 0.95)])
def test_quantiles_are_values_of_the_rows(shares):
    expected = np.quantile(EACH, shares, method="inverted_cdf")
    assert limits(OutlierRule(quantiles=shares), VALUES, ROWS) == pytest.approx(tuple(expected))


def test_distances_are_from_quartiles_or_from_the_mean():
    low, high = np.quantile(EACH, (0.25, 0.75), method="inverted_cdf")
    reach = 1.5 * (high - low)
    assert limits(OutlierRule(iqr=1.5), VALUES, ROWS) == (low - reach, high + reach)
    reach = 2 * EACH.std()
    expected = (EACH.mean() - reach, EACH.mean() + reach)
    assert limits(OutlierRule(z=2), VALUES, ROWS) == pytest.approx(expected)


def test_without_values_there_are_no_limits():
    assert limits(OutlierRule(z=2), np.zeros(0), np.zeros(0, int)) is None


def test_shares_are_reached_together():
    wanted = factors(TrainingSample(share={"b": 0.3, "c": 0.2}), {"a": 500, "b": 100, "c": 10})
    rows = {"a": 500, "b": 100 * wanted["b"], "c": 10 * wanted["c"]}
    assert [n / sum(rows.values()) for n in rows.values()] == pytest.approx([0.5, 0.3, 0.2])


def test_a_class_that_has_its_share_is_not_repeated():
    assert factors(TrainingSample(share={"b": 0.3}), {"a": 50, "b": 50}) == {"b": 1.0}
    assert factors(TrainingSample(share={"b": 0.3}), {"a": 50}) == {}


def test_a_row_is_taken_so_often_on_average():
    draws = np.linspace(0, 1, 1000, endpoint=False)
    classes = np.arange(1000) % 2
    times = copies(draws, classes, ["a", "b"], {"b": 2.3})
    assert set(times[classes == 0]) == {1}
    assert set(times[classes == 1]) == {2, 3}
    assert times[classes == 1].mean() == pytest.approx(2.3, abs=0.01)
