"""The spread over members, conformal intervals and sets: what they cover, and in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.tasks import multiclass, regression
from components.tasks.calibration import served_logits
from components.tasks.protocol import HeldOut
from components.tasks.uncertainty import conformal_threshold, spread_of
from schemas import signatures as names
from schemas.tasks.multiclass import Multiclass, MulticlassExport
from schemas.tasks.regression import Regression, RegressionExport

pytestmark = pytest.mark.component

RANDOM = np.random.default_rng(8)
CLASSES = ["a", "b", "c"]


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_a_threshold_covers_new_rows_as_promised(coverage):
    inside = []
    for _ in range(3000):
        misses = RANDOM.exponential(size=60)
        threshold = conformal_threshold(misses[:59], np.ones(59), coverage)
        inside.append(misses[59] <= threshold)
    noise = 3 * np.sqrt(coverage * (1 - coverage) / 3000)
    assert coverage - noise <= np.mean(inside) <= coverage + 1 / 60 + noise


def test_too_few_rows_have_no_threshold():
    assert conformal_threshold(np.arange(9.0), np.ones(9), 0.9) == 8
    assert conformal_threshold(np.arange(8.0), np.ones(8), 0.9) is None


@pytest.mark.parametrize("options", [{}, {"log1p": True}, {"clip": [0, 90]}])
def test_an_interval_is_around_the_prediction_and_covers(options):
    task = Regression.model_validate({"column": "y"} | options)
    learned: dict[str, Any] = {"mean": 3.0, "scale": 0.5}
    logits = RANDOM.normal(size=4000)
    target = 3 + 0.5 * (logits + RANDOM.normal(size=4000))
    labels = np.expm1(target) if task.log1p else target
    rows = HeldOut(logits[:2000], labels[:2000], np.ones(2000))
    misses = regression.misses(rows, task, learned)
    learned["conformal"] = conformal_threshold(misses, np.ones(2000), 0.8)
    answers = regression.answers(task, RegressionExport(coverage=0.8), learned)
    answer = answers[names.PREDICT](tf.constant(logits[2000:], tf.float32))
    lower, middle, upper = (answer[n] for n in (names.LOWER, names.PREDICTION, names.UPPER))
    assert np.all((lower <= middle) & (middle <= upper))
    covered = regression.covered(answer, tf.constant(labels[2000:], tf.float32))
    assert np.mean(covered) == pytest.approx(0.8, abs=0.04)
    plain = regression.answers(task, RegressionExport(), learned)[names.PREDICT]
    assert set(plain(tf.constant([0.0]))) == {names.PREDICTION}


@pytest.mark.parametrize("options", [{}, {"log1p": True}])
def test_an_interval_between_quantiles_covers_and_is_as_wide_as_labels_vary(options):
    """The quantiles are too near each other, or too far, by the same amount in all rows."""
    task = Regression.model_validate({"column": "y", "interval": [0.1, 0.9]} | options)
    learned: dict[str, Any] = {"mean": 3.0, "scale": 0.5}
    spread = np.repeat([0.1, 1.0], 2000)
    noise = RANDOM.uniform(-1, 1, 4000)
    labels = 3 + 0.5 * spread * noise
    labels = np.expm1(labels) if task.log1p else labels
    for far in (-0.05, 0.5):
        ends = 0.8 * spread + far
        ends = np.where(RANDOM.random(4000) < 0.5, ends, -ends)  # in either order
        logits = np.stack([np.zeros(4000), ends, -ends], axis=1)
        half = HeldOut(logits[::2], labels[::2], np.ones(2000))
        reach = conformal_threshold(regression.misses(half, task, learned), half.weights, 0.8)
        assert reach == pytest.approx(-far, abs=0.03)
        given = learned | {"conformal": reach}
        answers = regression.answers(task, RegressionExport(coverage=0.8), given)
        answer = answers[names.PREDICT](tf.constant(logits[1::2], tf.float32))
        covered = regression.covered(answer, tf.constant(labels[1::2], tf.float32)).numpy()
        assert covered[:1000].mean() == pytest.approx(0.8, abs=0.12)
        assert covered[1000:].mean() == pytest.approx(0.8, abs=0.06)
        lower, upper = (np.asarray(answer[n]) for n in (names.LOWER, names.UPPER))
        assert (lower <= upper).all()
        assert np.median((upper - lower)[1000:]) > 5 * np.median((upper - lower)[:1000])
        scores = answers[names.RAW_COLUMNS](tf.constant(logits, tf.float32))[names.SCORES]
        middle = np.expm1(3.0) if task.log1p else 3.0
        np.testing.assert_allclose(scores, middle, rtol=1e-5)


def test_a_reach_that_turns_an_interval_around_leaves_a_point():
    task = Regression.model_validate({"column": "y", "interval": [0.1, 0.9]})
    learned = {"mean": 0.0, "scale": 1.0, "conformal": -2.0}
    answers = regression.answers(task, RegressionExport(coverage=0.8), learned)
    answer = answers[names.PREDICT](tf.constant([[0.0, 1.0, 3.0]]))
    assert (answer[names.LOWER].numpy(), answer[names.UPPER].numpy()) == (2, 2)


def test_a_set_has_the_right_class_as_often_as_promised_and_is_never_empty():
    task = Multiclass.model_validate({"column": "y"})
    logits = RANDOM.normal(size=(4000, 3)) * 2
    labels = (logits + RANDOM.gumbel(size=(4000, 3))).argmax(axis=1)
    rows = HeldOut(logits[:2000], labels[:2000].astype(np.float64), np.ones(2000))
    learned: dict[str, Any] = {"classes": CLASSES}
    misses = multiclass.misses(rows, task, learned)
    learned["conformal"] = conformal_threshold(misses, np.ones(2000), 0.9)
    export = MulticlassExport(coverage=0.9)
    answer = multiclass.answers(task, export, learned)[names.PREDICT](
        tf.constant(logits[2000:], tf.float32)
    )
    sizes = answer[names.PREDICTION_SET].numpy().sum(axis=1)
    assert sizes.min() == 1
    assert sizes.max() > 1
    covered = multiclass.covered(answer, tf.constant(labels[2000:]))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.03)
    decision = multiclass.decisions(task, export, learned)[names.PREDICTION_SET]
    decided = decision.decide(answer[names.PROBABILITIES].numpy())
    assert (decided == answer[names.PREDICTION_SET].numpy()).all()


def test_the_spread_is_that_of_the_scores_that_are_served():
    members = RANDOM.normal(size=(5, 4, 1))
    learned = {"calibrator": {"kind": "line", "rows": [[0.5, 1.0]]}}
    found = spread_of(
        tf.constant(members),
        served_logits(learned),
        lambda logits: {names.SCORES: tf.sigmoid(logits)},
    )
    scores = 1 / (1 + np.exp(-(0.5 * members[..., 0] + 1)))
    np.testing.assert_allclose(found, scores.std(axis=1))
