"""The sums of several classes agree with scikit-learn however the rows are split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from components.tasks.multiclass_tally import (
    BINS,
    MulticlassTally,
    constant_metrics,
    grade,
    metrics_of,
)

CLASSES = 4
SEEDS = st.integers(0, 2**32 - 1)


def table(seed, rows=200):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, CLASSES)) * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return p.astype(np.float32), random.integers(0, CLASSES, rows)


def measure(p, labels):
    tally = MulticlassTally(1, BINS, 3)
    tally.add(grade(p, labels))
    metrics = metrics_of(tally)
    assert metrics is not None
    return metrics


@given(SEEDS)
def test_metrics_are_those_of_scikit_learn(seed):
    p, y = table(seed)
    found, likeliest, every = measure(p, y), p.argmax(axis=1), np.arange(CLASSES)
    p64 = p.astype(np.float64)
    p64 /= p64.sum(axis=1, keepdims=True)  # float32 does not add up to 1
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, likeliest))
    assert found["top_3_accuracy"] == pytest.approx(
        sk.top_k_accuracy_score(y, p, k=3, labels=every)
    )
    assert found["macro_f1"] == pytest.approx(sk.f1_score(y, likeliest, average="macro"))
    assert found["weighted_f1"] == pytest.approx(sk.f1_score(y, likeliest, average="weighted"))
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, p64, labels=every), rel=1e-5)
    expected = sk.roc_auc_score(y, p64, multi_class="ovr", average="macro", labels=every)
    assert found["macro_auc"] == pytest.approx(expected, abs=1e-3)
    assert found["confusion"] == sk.confusion_matrix(y, likeliest, labels=every).tolist()


def test_a_class_without_rows_leaves_no_nan():
    p, y = table(0)
    found = measure(p, np.where(y == 3, 0, y))
    assert found["macro_f1"] == pytest.approx(
        np.mean(sk.f1_score(np.where(y == 3, 0, y), p.argmax(axis=1), average=None)[:3])
    )
    assert not any(isinstance(value, float) and np.isnan(value) for value in found.values())


def test_one_class_alone_has_no_auc():
    p, y = table(0)
    assert measure(p, np.zeros_like(y))["macro_auc"] is None


def test_rows_that_are_not_valid_are_counted_and_left_out():
    p, y = table(0, rows=5)
    p[0, 0], p[1, 1] = np.nan, 1.5
    y[2], y[3] = -1, CLASSES
    rows = grade(p, y)
    assert (rows.invalid, len(rows.label)) == (4, 1)


@given(SEEDS, st.integers(0, 200))
def test_the_sums_do_not_depend_on_the_parts(seed, cut):
    p, y = table(seed)
    group = np.random.default_rng(seed).integers(0, 3, len(y))
    whole, first, second = (MulticlassTally(3, 16, 3) for _ in range(3))
    for tally, part in ((whole, slice(None)), (first, slice(cut)), (second, slice(cut, None))):
        if len(y[part]):
            tally.add(grade(p[part], y[part]), group[part])
    second.merge(first)
    for name in ("confusion", "top", "scores", "cells"):
        np.testing.assert_array_equal(second.sums[name], whole.sums[name])
    np.testing.assert_allclose(second.sums["loss"], whole.sums["loss"])


def test_a_group_without_rows_has_no_metrics():
    p, y = table(0)
    tally = MulticlassTally(2, 0, 3)
    assert metrics_of(tally) is None
    tally.add(grade(p, y), np.zeros_like(y))
    assert metrics_of(tally, 1) is None
    coarse = metrics_of(tally)
    assert coarse is not None
    assert (coarse["macro_auc"], coarse["calibration_error"]) == (None, None)


def test_probabilities_that_are_shares_are_calibrated():
    y = np.arange(1000) % CLASSES
    found = measure(np.full((1000, CLASSES), 0.25, np.float32), y)
    assert found["calibration_error"] == pytest.approx(0, abs=1e-9)
    wrong = measure(np.tile(np.float32([0.85, 0.05, 0.05, 0.05]), (1000, 1)), y)
    assert wrong["calibration_error"] == pytest.approx((0.6 + 3 * 0.2) / 4, rel=1e-5)


def test_the_best_constant_predicts_the_shares():
    y = np.repeat([0, 1, 2, 3], [40, 30, 20, 10])
    found = constant_metrics(measure(table(0, 100)[0], y), 3)
    shares = np.tile([0.4, 0.3, 0.2, 0.1], (100, 1))
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, shares))
    assert (found["accuracy"], found["top_3_accuracy"]) == pytest.approx((0.4, 0.9))
    zeros = np.zeros(100, int)
    assert found["macro_f1"] == pytest.approx(sk.f1_score(y, zeros, average="macro"))
    assert found["weighted_f1"] == pytest.approx(sk.f1_score(y, zeros, average="weighted"))


@pytest.mark.parametrize("k", [2, 3, 4, 1000])
def test_the_accuracy_among_all_classes_does_not_exist(k):
    p, y = table(3)
    tally = MulticlassTally(1, 0, k)
    tally.add(grade(p, y))
    found = metrics_of(tally)
    assert found is not None
    name = f"top_{k}_accuracy"
    constant = constant_metrics(found, k)
    if k < CLASSES:
        expected = sk.top_k_accuracy_score(y, p, k=k, labels=np.arange(CLASSES))
        assert found[name] == pytest.approx(expected)
        shares = sorted(np.bincount(y) / len(y))
        assert constant[name] == pytest.approx(sum(shares[-k:]))
    else:
        assert (found[name], constant[name]) == (None, None)
