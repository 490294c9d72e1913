"""The bootstrap's intervals are those of the formulas, where there are formulas."""

import math

import numpy as np
import pytest

from components.evaluate.bootstrap import intervals
from components.evaluate.sample import ScoredSample
from components.tasks.protocol import work_of
from schemas.tasks.binary import Binary
from schemas.tasks.regression import Regression

pytestmark = pytest.mark.component

BINARY = Binary.model_validate({"name": "l", "equals": {"column": "x", "values": [1]}})
NUMBER = Regression.model_validate({"name": "l", "column": "x"})


def measured(task, label, scores, weights=None):
    work = work_of(task.task)
    tally = work.tally(task, 1)
    tally.add(work.grade(scores, label, task), weights=weights)
    return work.metrics(tally)


def sample(label, *scores, seen=None, weights=None):
    rows = len(label)
    weights = np.ones(rows) if weights is None else weights
    return ScoredSample(np.arange(rows), label, scores, weights, seen or rows)


def test_the_interval_of_an_accuracy_is_that_of_a_share():
    label = np.repeat([0, 1, 1, 1], 100)
    scores = np.full(400, 0.9, np.float32)  # three quarters are right
    own = intervals(BINARY, sample(label, scores), [measured(BINARY, label, scores)])
    low, high = own[0].metrics["accuracy"]
    reach = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - reach, 0.75 + reach), abs=0.01)
    assert "auc" in own[0].metrics


def test_a_sample_of_a_quarter_of_the_rows_halves_the_interval():
    label = np.repeat([0, 1], 200)
    scores = np.linspace(0, 1, 400, dtype=np.float32)[::-1].copy()
    figures = [measured(BINARY, label, scores)]
    whole = intervals(BINARY, sample(label, scores), figures)[0].metrics["log_loss"]
    part = intervals(BINARY, sample(label, scores, seen=1600), figures)[0].metrics["log_loss"]
    assert part[1] - part[0] == pytest.approx((whole[1] - whole[0]) / 2)


def test_a_difference_is_paired_and_narrower_than_the_intervals_of_both():
    chance = np.random.default_rng(3)
    label = chance.normal(size=500) * 10
    noise = chance.normal(size=500)
    good, bad = (label + noise).astype(np.float32), (label + 1.2 * noise).astype(np.float32)
    figures = [measured(NUMBER, label, each) for each in (good, bad)]
    first, second = intervals(NUMBER, sample(label, good, bad), figures)
    low, high = second.gains["rmse"]
    assert first.gains == {}
    assert low < figures[0]["rmse"] - figures[1]["rmse"] < high < 0
    own = second.metrics["rmse"]
    assert high - low < 0.5 * (own[1] - own[0])


def test_weights_count_in_every_replicate():
    weighted = BINARY.model_copy(update={"weight": "w"})
    label, scores = np.repeat([0, 1], 50), np.full(100, 0.9, np.float32)
    weights = np.where(label == 1, 1.0, 0.0)  # the wrong ones do not count
    figures = [measured(weighted, label, scores, weights)]
    given = sample(label, scores, weights=weights)
    assert intervals(weighted, given, figures)[0].metrics["accuracy"] == (1.0, 1.0)


def test_no_rows_have_no_intervals():
    assert intervals(BINARY, None, [None])[0].metrics == {}
