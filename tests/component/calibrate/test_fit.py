"""Calibrations are fitted as their papers and scikit-learn say, and computed in the graph."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from components.calibrate import choose
from components.calibrate.fit import _LEAST_ROWS, fit, pool
from components.tasks import regression
from components.tasks.calibration import against_the_others, calibrate, growth, served_logits
from components.tasks.protocol import HeldOut
from components.tasks.reliability import diagram
from schemas.calibration import OF_PROBABILITIES
from schemas.tasks.regression import Regression

pytestmark = pytest.mark.component

ROWS = 4000
RANDOM = np.random.default_rng(5)
TRUE = RANDOM.normal(size=ROWS) * 2 - 0.5
LABELS = (RANDOM.random(ROWS) < 1 / (1 + np.exp(-TRUE))).astype(np.int64)
TOO_SURE = TRUE * 2.5 + 1  # logits of a model that is too sure, and too high
WEIGHTS = RANDOM.uniform(0.5, 2, ROWS)
ONES = np.ones(ROWS)

SEVERAL = RANDOM.normal(size=(ROWS, 3)) * 2
CLASSES = (SEVERAL + RANDOM.gumbel(size=(ROWS, 3))).argmax(axis=1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_platt_is_scikit_learn_s():
    reference = _SigmoidCalibration().fit(TOO_SURE, LABELS, WEIGHTS)
    found = sigmoid(choose.apply(fit("platt", TOO_SURE, LABELS, WEIGHTS), TOO_SURE))
    np.testing.assert_allclose(found, reference.predict(TOO_SURE), atol=2e-4)


def test_beta_is_a_logistic_regression_on_two_logarithms():
    log_p, log_q = np.log(sigmoid(TOO_SURE)), np.log(sigmoid(-TOO_SURE))
    columns = np.stack([log_p, -log_q], axis=1)
    reference = LogisticRegression(C=1e9, tol=1e-9, max_iter=1000, solver="newton-cholesky").fit(
        columns, LABELS
    )
    found = sigmoid(choose.apply(fit("beta", TOO_SURE, LABELS, ONES), TOO_SURE))
    np.testing.assert_allclose(found, reference.predict_proba(columns)[:, 1], atol=1e-4)


def test_beta_leaves_out_a_coefficient_below_zero():
    upside_down = fit("beta", TRUE, 1 - LABELS, ONES).rows[0]
    assert min(upside_down[:2]) >= 0


@pytest.mark.parametrize(("logits", "labels"), [(TOO_SURE, LABELS), (SEVERAL * 3, CLASSES)])
def test_temperature_has_the_least_log_loss(logits, labels):
    ((scale, shift),) = fit("temperature", logits, labels, WEIGHTS).rows
    tried = [WEIGHTS @ choose.losses(logits * scale * s, labels) for s in (0.99, 1, 1.01)]
    assert min(tried) == tried[1]
    assert shift == 0


def test_isotonic_pools_as_scikit_learn_does():
    shares, weights = RANDOM.random(50), RANDOM.uniform(1, 5, 50)
    pooled = pool(list(zip(weights, weights * shares, strict=True)))
    reference = IsotonicRegression().fit(np.arange(50), shares, weights).y_thresholds_
    distinct = np.unique(reference)
    np.testing.assert_allclose([yes / all_ for all_, yes in pooled], distinct)


def test_isotonic_rises_and_is_calibrated():
    table = fit("isotonic", TOO_SURE, LABELS, ONES)
    z = np.linspace(-20, 20, 5000)
    assert (np.diff(choose.apply(table, z)) >= 0).all()
    assert len(table.rows[0]) // 2 <= ROWS // _LEAST_ROWS
    cells = diagram(sigmoid(choose.apply(table, TOO_SURE)), LABELS == 1)
    assert all(cell.calibrated for cell in cells if cell.rows > 100)


@pytest.mark.parametrize("method", OF_PROBABILITIES)
@pytest.mark.parametrize(("logits", "labels"), [(TOO_SURE, LABELS), (SEVERAL * 3, CLASSES)])
def test_each_method_gains_and_the_graph_computes_it_in_float32(method, logits, labels):
    fitted = fit(method, logits, labels, ONES)
    precise = choose.apply(fitted, logits)
    gain = choose.losses(logits, labels) - choose.losses(precise, labels)
    assert gain.mean() > 0.03
    graph = tf.function(served_logits({"calibrator": fitted.model_dump()}))
    found = graph(tf.constant(logits, tf.float32)).numpy()
    assert found.dtype == np.float32
    assert found.shape == logits.shape
    np.testing.assert_allclose(
        choose.losses(found.astype(np.float64), labels), choose.losses(precise, labels), atol=2e-5
    )


def test_one_class_against_the_others_keeps_the_digits_of_small_differences():
    z = np.array([[20.0, -20.0, 0.0], [1.0, 1.0, 1.0]])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    others = np.stack([np.delete(p, i, axis=1).sum(axis=1) for i in range(3)], axis=1)
    found = against_the_others(tf.constant(z)).numpy()
    np.testing.assert_allclose(found, np.log(p) - np.log(others), rtol=1e-9)


def test_a_sample_is_corrected_before_the_calibration():
    learned = {"correction": [1.0, 0.0], "calibrator": {"kind": "line", "rows": [[2.0, 3.0]]}}
    logits = served_logits(learned)(tf.constant([5.0]))
    assert logits.numpy().tolist() == [2 * (5 - 1) + 3]
    assert growth(learned) == 2


def test_a_line_of_all_rows_of_one_class_changes_nothing():
    for method in ("platt", "beta", "isotonic"):
        fitted = fit(method, SEVERAL, np.minimum(CLASSES, 1), ONES)
        assert np.isfinite(choose.apply(fitted, SEVERAL)).all()


def test_a_method_is_chosen_only_beyond_noise():
    assert choose.best(choose.candidates(TRUE, LABELS, ONES)) == choose.NONE
    measured = choose.candidates(TOO_SURE, LABELS, ONES)
    assert [each.method for each in measured] == [choose.NONE, *OF_PROBABILITIES]
    assert choose.best(measured) in ("platt", "beta")


def test_rows_with_a_weight_of_two_count_as_two_rows():
    twice = np.concatenate([np.arange(ROWS), np.arange(0, ROWS, 2)])
    weights = np.where(np.arange(ROWS) % 2, 1.0, 2.0)
    for method in ("temperature", "beta"):
        one = fit(method, TOO_SURE, LABELS, weights).rows
        two = fit(method, TOO_SURE[twice], LABELS[twice], np.ones(len(twice))).rows
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


def test_a_quantile_is_moved_until_its_share_of_rows_is_below():
    options = Regression.model_validate({"column": "y", "quantile": 0.9})
    logits = RANDOM.normal(size=1000)
    labels = 10 + 2 * (logits + RANDOM.normal(size=1000))
    rows = HeldOut(logits, labels, np.ones(1000))
    shift = regression.quantile_shift(rows, options, {"mean": 10.0, "scale": 2.0})
    assert np.mean(labels <= 10 + 2 * (logits + shift) + 1e-9) == pytest.approx(0.9, abs=0.001)


def test_a_diagram_has_wilson_s_intervals():
    (cell,) = diagram(np.full(100, 0.3), np.arange(100) < 25)
    assert (cell.rows, cell.share) == (100, 0.25)
    # statsmodels' proportion_confint(25, 100, method="wilson")
    assert [cell.low, cell.high] == pytest.approx([0.1754521, 0.3430446])
    assert cell.calibrated


def test_graph_of_a_table_takes_no_rows_and_keeps_nan():
    fitted = fit("isotonic", TOO_SURE, LABELS, ONES)
    assert calibrate(tf.constant([], tf.float32), fitted).shape == (0,)
    assert np.isnan(calibrate(tf.constant([np.nan]), fitted).numpy()).all()
