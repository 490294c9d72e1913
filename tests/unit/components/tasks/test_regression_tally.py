"""The sums of numbers agree with scikit-learn however the rows are split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from components.tasks.regression_tally import (
    BINS,
    RegressionTally,
    constant_metrics,
    grade,
    metrics_of,
)

NUMBERS = st.floats(-1e6, 1e6, width=32)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 2)), min_size=2, max_size=60)


def measure(predictions, labels, quantile=0.5):
    tally = RegressionTally.zeros(1, BINS)
    tally.add(grade(np.float32(predictions), np.float32(labels), quantile=quantile))
    metrics = metrics_of(tally)
    assert metrics is not None
    return metrics


@given(ROWS)
def test_metrics_are_those_of_scikit_learn(rows):
    p, y = (np.float32(column) for column in list(zip(*rows, strict=True))[:2])
    found = measure(p, y)
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(y, p), rel=1e-5, abs=1e-9)
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(y, p), rel=1e-5, abs=1e-9)
    pinball = measure(p, y, quantile=0.9)["pinball"]
    expected = sk.mean_pinball_loss(y, p, alpha=0.9)
    assert pinball == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_explained_variance_and_relative_error_by_hand():
    found = measure([1.0, 2.0, 5.0], [1.0, 4.0, 4.0])
    assert found["r2"] == pytest.approx(sk.r2_score([1, 4, 4], [1, 2, 5]))
    assert found["mape"] == pytest.approx((0 + 2 / 4 + 1 / 4) / 3)
    assert found["poisson_deviance"] == pytest.approx(
        sk.mean_poisson_deviance([1, 4, 4], [1, 2, 5])
    )


def test_what_does_not_exist_is_none():
    zeros = measure([1.0, 2.0], [0.0, 0.0])
    assert (zeros["mape"], zeros["r2"]) == (None, None)
    assert measure([-1.0], [1.0])["poisson_deviance"] is None
    assert metrics_of(RegressionTally.zeros(1, BINS)) is None


def test_rows_without_a_finite_number_are_counted_and_left_out():
    rows = grade(np.float32([1, np.nan, np.inf, 2]), np.array([1.0, 1, 1, np.nan]), quantile=0.5)
    assert rows.invalid == 3
    assert rows.terms.shape[1] == 1


def test_each_tenth_is_calibrated_by_itself():
    predictions = np.arange(1, 101, dtype=np.float32) * 1000
    # the upper half is 500 too high, the lower half 500 too low
    labels = predictions + np.where(predictions > 50_000, -500, 500)
    found = measure(predictions, labels)
    assert found["mean_prediction"] == pytest.approx(found["mean_label"])
    assert found["calibration_error"] == pytest.approx(500)


@given(ROWS, st.integers(0, 60))
def test_the_sums_do_not_depend_on_the_parts(rows, cut):
    p, y, group = (np.array(column) for column in zip(*rows, strict=True))
    whole, first, second = (RegressionTally.zeros(3, BINS) for _ in range(3))
    for tally, part in ((whole, slice(None)), (first, slice(cut)), (second, slice(cut, None))):
        tally.add(grade(np.float32(p[part]), y[part], quantile=0.5), group[part])
    first.merge(second)
    np.testing.assert_allclose(first.sums, whole.sums, rtol=1e-9, atol=1e-3)
    assert (first.bins[0] == whole.bins[0]).all()


def test_negative_numbers_sort_before_positive_ones():
    values = np.float32([-np.float32(3e38), -2, -1e-30, 0, 1e-30, 2, 3e38])
    bins = grade(values, np.zeros(7), quantile=0.5).bin
    assert (np.diff(bins) > 0).all()


def test_the_constant_is_the_mean():
    found = constant_metrics(measure([0.0, 0, 0], [1.0, 2, 6]))
    assert found["rmse"] == pytest.approx(np.std([1, 2, 6]))
    assert (found["r2"], found["mae"]) == (0.0, None)
