"""The outcome of each task, without TensorFlow."""

import numpy as np
import pyarrow as pa
import pytest

from components.tasks.outcomes import MOST_CLASSES, REST, outcome_of
from schemas.tasks.binary import Binary, Equals, Exceeds
from schemas.tasks.multiclass import Multiclass
from schemas.tasks.regression import Regression

BATCH = pa.record_batch(
    [
        pa.array(["no", "yes", "no", "no"]),
        pa.array([1.0, 2.0, 2.5, 0.0], pa.float32()),
        pa.array([10, 10, 10, 0]),
        pa.array([3, 3, 1, 2]),
    ],
    ["answer", "tips", "fare", "grade"],
)


@pytest.mark.parametrize(
    ("options", "classes", "expected"),
    [
        (Binary(name="y", column="answer"), ("no", "yes"), [0, 1, 0, 0]),
        (Binary(name="y", column="answer", positive="no"), ("yes", "no"), [1, 0, 1, 1]),
        (
            Binary(name="y", equals=Equals(column="grade", values=(1, 2))),
            ("0", "1"),
            [0, 0, 1, 1],
        ),
        (
            Binary(name="y", exceeds=Exceeds(column="tips", fraction=0.2, of="fare")),
            ("0", "1"),
            [0, 0, 1, 0],
        ),
        (Multiclass(name="grade", column="grade"), ("3", "1", "2"), [0, 0, 1, 2]),
    ],
)
def test_classes_have_their_numbers(options, classes, expected):
    outcome = outcome_of(options, BATCH)
    assert outcome.classes == (*classes, REST)
    assert outcome.read(BATCH).tolist() == expected
    assert outcome.shown == ((1,) if isinstance(options, Binary) else (0, 1, 2))


def test_a_number_is_the_outcome_of_a_regression():
    outcome = outcome_of(Regression(name="fare", column="fare"), BATCH)
    assert outcome.classes == ()
    assert outcome.read(BATCH).tolist() == [10.0, 10.0, 10.0, 0.0]


def test_the_rarest_of_many_classes_are_one():
    values = np.repeat(np.arange(20), np.arange(40, 20, -1))
    batch = pa.record_batch([pa.array(values)], ["grade"])
    outcome = outcome_of(Multiclass(name="grade", column="grade"), batch)
    assert len(outcome.classes) == MOST_CLASSES + 1
    assert outcome.shown == tuple(range(MOST_CLASSES + 1))
    assert outcome.read(batch).max() == MOST_CLASSES
