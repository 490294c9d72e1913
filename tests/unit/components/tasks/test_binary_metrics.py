"""The metrics equal values computed by hand, and those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from components.tasks.binary_metrics import constant_metrics, metrics_of
from components.tasks.binary_tally import BINS, SLICE_BINS, BinaryTally, grade

SCORED = st.lists(
    st.tuples(
        # few distinct scores for ties, any scores for many in one bin
        st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(0, 1, width=32),
        st.integers(0, 1),
    ),
    min_size=2,
    max_size=80,
).filter(lambda rows: len({label for _, label in rows}) == 2)


def measure(scores, labels, bins=BINS):
    sums = BinaryTally.zeros(1, bins)
    sums.add(grade(np.asarray(scores, np.float32), np.asarray(labels)))
    return metrics_of(sums)


def test_every_metric_of_four_rows_by_hand():
    found = measure([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])

    assert (found["examples"], found["positives"], found["base_rate"]) == (4, 2, 0.5)
    # of the four pairs only (0.4, 0.35) is the wrong way round
    assert found["auc"] == 0.75
    assert found["auc_error"] == 0
    # recall rises at 0.8 with precision 1/1, and at 0.35 with 2/3
    assert found["pr_auc"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.6, 0.35, 0.8]).mean(), rel=1e-6)
    assert found["accuracy"] == 0.75
    assert found["mean_score"] == pytest.approx(0.4125)
    assert found["calibration_ratio"] == pytest.approx(0.825)
    # cells of 1/15: 0.35 and 0.4 are apart, so every row is a cell of its own
    assert found["calibration_error"] == pytest.approx((0.1 + 0.4 + 0.65 + 0.2) / 4)


def test_rows_of_one_cell_are_calibrated_together():
    found = measure([0.41, 0.43, 0.45], [0, 1, 0])  # all in [0.4, 0.4667)
    assert found["calibration_error"] == pytest.approx(0.43 - 1 / 3)


def test_ties_count_half():
    assert measure([0.5] * 4, [0, 1, 0, 1])["auc"] == 0.5
    assert measure([0.3, 0.3, 0.7], [0, 1, 1])["auc"] == 0.75


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_ranking_metrics(label):
    found = measure([0.2, 0.7], [label, label])
    assert (found["auc"], found["auc_error"], found["pr_auc"], found["pr_auc_error"]) == (None,) * 4
    assert found["accuracy"] == 0.5
    assert found["log_loss"] == pytest.approx(-np.log([0.2, 0.7] if label else [0.8, 0.3]).mean())
    assert (found["calibration_ratio"] is None) == (label == 0)


def test_no_rows_have_no_metrics():
    assert metrics_of(BinaryTally.zeros(1, 2)) is None


def test_groups_do_not_mix():
    sums = BinaryTally.zeros(2, BINS)
    sums.add(
        grade(np.float32([0.9, 0.1, 0.9, 0.1]), np.array([1, 0, 0, 1])), np.array([0, 0, 1, 1])
    )
    first, second = metrics_of(sums, 0), metrics_of(sums, 1)
    assert first is not None
    assert second is not None
    assert (first["auc"], second["auc"]) == (1, 0)


@given(SCORED, st.sampled_from([BINS, SLICE_BINS, 4]))
def test_ranking_metrics_are_within_their_error_of_scikit_learn(rows, bins):
    scores, labels = zip(*rows, strict=True)
    found = measure(scores, labels, bins)
    scores = np.float32(scores)
    assert abs(found["auc"] - sk.roc_auc_score(labels, scores)) <= found["auc_error"] + 1e-9
    exact = sk.average_precision_score(labels, scores)
    assert abs(found["pr_auc"] - exact) <= found["pr_auc_error"] + 1e-9


@given(SCORED)
def test_sums_are_scikit_learns(rows):
    scores, labels = zip(*rows, strict=True)
    found = measure(scores, labels)
    exact = np.float64(np.float32(scores))
    inside = np.clip(exact, np.finfo(np.float32).eps, 1 - np.finfo(np.float32).eps)
    assert found["log_loss"] == pytest.approx(sk.log_loss(labels, inside), rel=1e-9)
    assert found["accuracy"] == sk.accuracy_score(labels, exact >= 0.5)
    assert found["mean_score"] == pytest.approx(exact.mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("bins", "auc_stated", "auc_real", "pr_stated", "pr_real"),
    [(BINS, 5e-5, 2e-5, 2e-4, 5e-5), (SLICE_BINS, 5e-4, 1e-4, 2e-3, 5e-4)],
)
@pytest.mark.parametrize("rows", [1_000, 20_000])
def test_documented_tolerance(rows, bins, auc_stated, auc_real, pr_stated, pr_real):
    """The figures of docs/decisions/0003, for logits distributed like a good model's."""
    rng = np.random.default_rng(7)
    logits = rng.normal(-1, 2, rows)
    scores = np.float32(1 / (1 + np.exp(-logits)))
    labels = (rng.random(rows) < scores).astype(int)

    found = measure(scores, labels, bins)

    assert 0 < found["auc_error"] < auc_stated
    assert 0 < found["pr_auc_error"] < pr_stated
    assert abs(found["auc"] - sk.roc_auc_score(labels, scores)) < auc_real
    assert abs(found["pr_auc"] - sk.average_precision_score(labels, scores)) < pr_real


def test_calibration_error_is_the_textbooks():
    rng = np.random.default_rng(3)
    scores = rng.random(5_000).astype(np.float32)
    labels = (rng.random(5_000) < scores**2).astype(int)
    cells = np.digitize(scores.astype(float), np.arange(1, 15) / 15)
    expected = sum(
        (cells == c).mean() * abs(scores[cells == c].mean() - labels[cells == c].mean())
        for c in range(15)
    )
    assert measure(scores, labels)["calibration_error"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("examples", "positives"), [(4, 1), (4, 3), (2, 1), (1000, 1)])
def test_the_constant_predictor_by_hand(examples, positives):
    labels = np.repeat([1, 0], [positives, examples - positives])
    rate = positives / examples
    found = constant_metrics(examples, positives)
    assert found["log_loss"] == pytest.approx(sk.log_loss(labels, np.full(examples, rate)))
    assert found["auc"] == 0.5
    assert found["pr_auc"] == pytest.approx(
        sk.average_precision_score(labels, np.full(examples, rate))
    )
    assert found["accuracy"] == max(rate, 1 - rate)


@pytest.mark.parametrize("positives", [0, 3])
def test_the_constant_predictor_of_one_class_is_certain(positives):
    found = constant_metrics(3, positives)
    assert (found["auc"], found["log_loss"], found["accuracy"]) == (None, 0.0, 1.0)
