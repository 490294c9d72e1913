"""Curves and intervals from sums, checked against rows."""

import math

import numpy as np
import pytest

from components.tasks import binary_metrics, multiclass_tally, regression_tally
from components.tasks.binary_metrics import area_under_roc
from components.tasks.binary_tally import BinaryTally, grade
from components.tasks.curves import POINTS, curve, histogram
from components.tasks.intervals import Interval

ROWS = 3000


@pytest.fixture(scope="module")
def rows():
    """Scores and labels, of which a score is the chance of a 1."""
    chance = np.random.default_rng(1)
    scores = chance.beta(0.6, 2.0, ROWS).astype(np.float32)
    return scores, (chance.random(ROWS) < scores).astype(np.int64)


@pytest.fixture(scope="module")
def tally(rows):
    found = BinaryTally.zeros(1, 1 << 16)
    found.add(grade(*rows))
    return found


def ends(found: Interval | None) -> Interval:
    """Return an interval that exists."""
    assert found is not None
    return found


def test_a_curve_counts_the_rows_from_each_threshold_on(rows, tally):
    scores, label = rows
    negatives, positives = tally.counts[0]
    found = curve(negatives, positives, index=1)
    assert 20 < len(found.thresholds) <= POINTS
    assert sorted(found.thresholds, reverse=True) == list(found.thresholds)
    assert (found.true[-1], found.false[-1]) == (found.positives, found.negatives)
    for threshold, true in zip(found.thresholds, found.true, strict=True):
        assert true == pytest.approx((label[scores >= threshold] == 1).sum(), abs=2)


def test_the_area_below_the_drawn_curve_is_that_of_all_rows(tally):
    negatives, positives = tally.counts[0]
    found = curve(negatives, positives, index=1)
    x = np.array([0, *found.false]) / found.negatives
    y = np.array([0, *found.true]) / found.positives
    area = ((y[1:] + y[:-1]) / 2 * np.diff(x)).sum()
    assert area == pytest.approx(area_under_roc(negatives, positives)[0], abs=0.002)


def test_a_curve_of_one_class_has_the_thresholds_of_its_rows():
    negatives, positives = np.zeros((2, 8), np.int64)
    assert curve(negatives, positives, index=0).thresholds == ()
    positives[4] = 3  # a logit of 0 begins this bin
    found = curve(negatives, positives, index=0)
    assert (found.thresholds, found.true, found.false) == ((0.5,), (3,), (0,))


def test_a_histogram_has_every_row_in_the_cell_of_its_score(rows, tally):
    scores, label = rows
    negatives, positives = tally.counts[0]
    found = histogram(negatives, positives, index=1)
    expected, _ = np.histogram(scores[label == 1], found.edges)
    assert np.abs(np.array(found.yes) - expected).max() <= 2
    assert sum(found.no) == (label == 0).sum()


def test_intervals_of_slices_are_those_of_their_rows(rows, tally):
    scores, label = rows
    losses = -np.log(np.where(label == 1, scores, 1 - scores).astype(np.float64))
    reach = 1.96 * losses.std() / math.sqrt(ROWS)
    metrics = binary_metrics.metrics_of(tally)
    assert metrics is not None
    low, high = ends(binary_metrics.interval(tally, "log_loss"))
    assert (low, high) == pytest.approx((losses.mean() - reach, losses.mean() + reach), rel=1e-3)
    low, high = ends(binary_metrics.interval(tally, "auc"))
    assert low < metrics["auc"] < high
    assert high - low < 0.05
    low, high = ends(binary_metrics.interval(tally, "accuracy"))
    assert low < metrics["accuracy"] < high
    assert binary_metrics.interval(tally, "pr_auc") is None


def test_intervals_of_classes_and_numbers_are_those_of_their_rows(rows):
    scores, label = rows
    several = multiclass_tally.MulticlassTally(1, 0, 1)
    both = np.stack([1 - scores, scores], axis=1)
    several.add(multiclass_tally.grade(both, label))
    losses = -np.log(np.clip(both[np.arange(ROWS), label], 2**-23, 1).astype(np.float64))
    reach = 1.96 * losses.std() / math.sqrt(ROWS)
    assert multiclass_tally.interval(several, "log_loss") == pytest.approx(
        (losses.mean() - reach, losses.mean() + reach), rel=1e-4
    )
    number = regression_tally.RegressionTally.zeros(1, 0)
    number.add(regression_tally.grade(scores, label.astype(np.float64), quantile=0.5))
    errors = (label - scores.astype(np.float64)) ** 2
    reach = 1.96 * errors.std() / math.sqrt(ROWS)
    low, high = ends(regression_tally.interval(number, "rmse"))
    assert (low**2, high**2) == pytest.approx(
        (errors.mean() - reach, errors.mean() + reach), rel=1e-4
    )
    low, high = ends(regression_tally.interval(number, "mae"))
    assert low < np.abs(label - scores).mean() < high
    assert regression_tally.interval(number, "r2") is None


def test_no_rows_have_no_interval():
    assert binary_metrics.interval(BinaryTally.zeros(1, 8), "log_loss") is None
    assert multiclass_tally.interval(multiclass_tally.MulticlassTally(1, 0, 1), "accuracy") is None
    assert regression_tally.interval(regression_tally.RegressionTally.zeros(1, 0), "mae") is None
