"""A row of weight k counts as k such rows, and one of weight 0 as none, in every metric."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.tasks import binary_metrics, binary_tally, multiclass_tally, regression_tally

SEEDS = st.integers(0, 2**32 - 1)
ROWS = 60
# They describe rows, whatever these weigh.
COUNTS = ("examples", "positives", "confusion")


def binary_rows(random):
    return random.random(ROWS).astype(np.float32), random.integers(0, 2, ROWS)


def multiclass_rows(random):
    return random.dirichlet(np.ones(3), ROWS).astype(np.float32), random.integers(0, 3, ROWS)


def regression_rows(random):
    label = random.gamma(2, 10, ROWS).astype(np.float32)
    return (label * random.uniform(0.5, 2, ROWS)).astype(np.float32), label


def binary(coarse, weights):
    bins = binary_tally.SLICE_BINS if coarse else binary_tally.BINS
    return binary_tally.BinaryTally.zeros(2, bins, weights=weights)


def multiclass(coarse, weights):
    return multiclass_tally.MulticlassTally(
        2, 0 if coarse else multiclass_tally.BINS, 2, weights=weights
    )


def regression(coarse, weights):
    return regression_tally.RegressionTally.zeros(2, 0 if coarse else regression_tally.BINS)


def regression_grade(scores, labels):
    return regression_tally.grade(scores, labels, quantile=0.8)


def same(found, expected):
    if isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    return found == expected


TASKS = pytest.mark.parametrize(
    ("rows", "tally", "grade", "metrics_of"),
    [
        (binary_rows, binary, binary_tally.grade, binary_metrics.metrics_of),
        (multiclass_rows, multiclass, multiclass_tally.grade, multiclass_tally.metrics_of),
        (regression_rows, regression, regression_grade, regression_tally.metrics_of),
    ],
    ids=["binary", "multiclass", "regression"],
)


@TASKS
@pytest.mark.parametrize("coarse", [False, True], ids=["overall", "slices"])
@settings(max_examples=20)
@given(SEEDS)
def test_a_weight_is_a_number_of_rows(rows, tally, grade, metrics_of, coarse, seed):
    random = np.random.default_rng(seed)
    scores, labels = rows(random)
    weights, groups = random.integers(0, 4, ROWS), random.integers(0, 2, ROWS)
    weighted, repeated = tally(coarse, True), tally(coarse, False)
    weighted.add(grade(scores, labels), groups, weights * 0.5)  # only ratios matter
    each = np.repeat(np.arange(ROWS), weights)
    repeated.add(grade(scores[each], labels[each]), groups[each])
    for group in (0, 1):
        found, expected = metrics_of(weighted, group), metrics_of(repeated, group)
        assert found["examples"] == (groups == group).sum()
        for name in expected.keys() - {*COUNTS, "pr_auc_error"}:
            assert same(found[name], expected[name]), name


@settings(max_examples=20)
@given(SEEDS)
def test_the_stated_error_of_average_precision_allows_for_light_rows(seed):
    random = np.random.default_rng(seed)
    scores, labels = binary_rows(random)
    weights = random.exponential(size=ROWS)
    coarse, fine = (
        binary_tally.BinaryTally.zeros(1, bins, weights=True) for bins in (8, binary_tally.BINS)
    )
    for tally in (coarse, fine):
        tally.add(binary_tally.grade(scores, labels), weights=weights)
    rough, exact = (binary_metrics.metrics_of(tally) for tally in (coarse, fine))
    assert rough is not None
    assert exact is not None
    if exact["pr_auc"] is not None:
        allowed = rough["pr_auc_error"] + exact["pr_auc_error"]
        assert abs(rough["pr_auc"] - exact["pr_auc"]) <= allowed + 1e-9


@TASKS
def test_rows_that_all_weigh_nothing_have_no_metrics(rows, tally, grade, metrics_of):
    scores, labels = rows(np.random.default_rng(0))
    sums = tally(False, True)
    sums.add(grade(scores, labels), weights=np.zeros(ROWS))
    assert metrics_of(sums) is None


@TASKS
def test_merged_tallies_have_the_rows_and_weights_of_both(rows, tally, grade, metrics_of):
    scores, labels = rows(np.random.default_rng(1))
    weights = np.arange(ROWS) * 0.5
    whole, first, second = (tally(False, True) for _ in range(3))
    whole.add(grade(scores, labels), weights=weights)
    first.add(grade(scores[:20], labels[:20]), weights=weights[:20])
    second.add(grade(scores[20:], labels[20:]), weights=weights[20:])
    first.merge(second)
    found, expected = metrics_of(first), metrics_of(whole)
    assert found["examples"] == ROWS
    for name in expected:
        assert same(found[name], expected[name]), name


def test_the_best_constants_predict_the_weighted_shares():
    sums = binary_tally.BinaryTally.zeros(1, 64, weights=True)
    graded = binary_tally.grade(np.float32([0.3, 0.3, 0.3]), np.array([1, 0, 0]))
    sums.add(graded, weights=np.array([2.0, 1.0, 1.0]))
    metrics = binary_metrics.metrics_of(sums)
    assert metrics is not None
    assert (metrics["positives"], metrics["base_rate"]) == (1, 0.5)

    several = multiclass_tally.MulticlassTally(1, 0, 1, weights=True)
    p = np.float32([[0.5, 0.25, 0.25]] * 3)
    several.add(multiclass_tally.grade(p, np.array([0, 1, 1])), weights=np.array([3.0, 1.0, 0.0]))
    shares = multiclass_tally.metrics_of(several)
    assert shares is not None
    of_shares = multiclass_tally.constant_metrics(shares, 1)
    assert of_shares["accuracy"] == 0.75
    assert of_shares["confusion"] == [[1, 0, 0], [2, 0, 0], [0, 0, 0]]
    assert of_shares["weighted_confusion"] == [[3, 0, 0], [1, 0, 0], [0, 0, 0]]
