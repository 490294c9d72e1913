"""A sample of rows does not depend on the order in which batches come, and favours no row."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.evaluate import sample
from components.evaluate.curves import numbers_of, rows_of
from components.evaluate.sample import ScoredSample


def batch(start, rows):
    label = np.arange(start, start + rows)
    return SimpleNamespace(label=label, scores=(label.astype(np.float32),), slices=(), weights=None)


@pytest.fixture
def _small(monkeypatch):
    monkeypatch.setattr(sample, "ROWS", 50)


@pytest.mark.usefixtures("_small")
def test_a_sample_is_the_same_in_any_order_of_batches():
    parts = [ScoredSample.of(batch(start, 200)) for start in range(0, 1000, 200)]
    forwards: ScoredSample | None = None
    backwards: ScoredSample | None = None
    for part in parts:
        forwards = part.merged(forwards)
    for part in reversed(parts):
        backwards = part.merged(backwards)
    assert forwards is not None
    assert backwards is not None
    assert forwards.label.tolist() == backwards.label.tolist()
    assert (len(forwards.label), forwards.seen) == (50, 1000)
    assert forwards.scores[0].tolist() == forwards.label.tolist()
    # 50 of 0 to 999: the mean is around 500, with a deviation of 41
    assert 330 < forwards.label.mean() < 670


def test_another_model_has_a_sample_of_the_same_rows():
    given = batch(0, 100)
    own = ScoredSample.of(given)
    given.scores = (np.zeros(100, np.float32),)
    other = ScoredSample.of(given)
    assert (own.keys == other.keys).all()
    assert (own.label == other.label).all()
    assert own.scores[0].any()
    assert [row[:2] for row in rows_of(own)] == [row[:2] for row in rows_of(other)]


def test_a_row_of_several_classes_has_the_probability_of_its_own():
    scores = np.array([[0.2, 0.8], [0.7, 0.3]], np.float32)
    several = ScoredSample(np.arange(2.0), np.array([1, 1]), (scores,), np.ones(2), 2)
    assert rows_of(several) == ((0.0, 1.0, 0.8), (1.0, 1.0, 0.3))


def test_what_is_drawn_of_numbers_is_from_the_rows():
    one = ScoredSample.of(batch(0, 1000))
    found = numbers_of(ScoredSample(one.keys, one.label + 1, one.scores, one.weights, one.seen))
    assert found is not None
    assert len(found.points) == 500
    assert {y - x for x, y in found.points} == {1}
    assert sum(found.residuals.counts) == 1000
    assert [tenth["median"] for tenth in found.tenths] == [1.0] * 10
    assert (
        numbers_of(ScoredSample(one.keys, one.label * np.nan, one.scores, one.weights, 1)) is None
    )
