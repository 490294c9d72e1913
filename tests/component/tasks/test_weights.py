"""Heads start where weighted labels put them, and classes count as their weights say."""

import math

import numpy as np
import pytest

from components.tasks import binary, multiclass, regression
from components.tasks.class_weights import weights_of_classes
from schemas.errors import DataError
from schemas.tasks.binary import Binary
from schemas.tasks.multiclass import Multiclass
from schemas.tasks.regression import Regression

pytestmark = pytest.mark.component

RULE = {"name": "y", "equals": {"column": "x", "values": [1]}}
CLASSES = {"classes": ["a", "b", "c"]}
NUMBER = {"column": "y"}


def head(work, kind, options, labels, weights, learned=None):
    task = kind.model_validate(options)
    return work.head(
        [(np.array(labels), np.array(weights, float))], task, learned or {}, where="examples"
    )


@pytest.mark.parametrize(
    ("work", "kind", "options", "learned", "labels"),
    [
        (binary, Binary, RULE, {}, [0, 1, 0, 1]),
        (regression, Regression, NUMBER, {}, [1.0, 4.0, 9.0, 16.0]),
        (regression, Regression, {**NUMBER, "log1p": True}, {}, [1.0, 4.0, 9.0, 16.0]),
        (regression, Regression, {**NUMBER, "poisson": True}, {}, [1.0, 4.0, 9.0, 16.0]),
    ],
)
def test_a_head_starts_as_with_repeated_rows(work, kind, options, learned, labels):
    weighted = head(work, kind, options, labels, [3, 1, 0, 2], learned)
    repeated = head(work, kind, options, np.repeat(labels, [3, 1, 0, 2]), [1] * 6, learned)
    assert weighted.start == pytest.approx(repeated.start)
    assert weighted.labels == pytest.approx(repeated.labels)


def test_several_classes_start_at_their_weighted_shares():
    labels, weights = [0] * 500 + [1] * 500, [3.0] * 500 + [1.0] * 500
    begun = head(multiclass, Multiclass, {"column": "y"}, labels, weights, CLASSES)
    assert np.exp(begun.start) == pytest.approx([0.75, 0.25, 0], abs=1e-3)
    assert begun.labels == {"class_counts": [500, 500, 0]}


def test_classes_are_balanced_whatever_their_rows_weigh():
    options = {"column": "y", "class_weights": "balanced"}
    begun = head(multiclass, Multiclass, options, [0, 0, 0, 1], [1, 1, 1, 9], CLASSES)
    assert begun.class_weights == pytest.approx((2, 2 / 3, 1))
    assert begun.labels["class_weights"] == list(begun.class_weights)
    rare = head(binary, Binary, {**RULE, "class_weights": "balanced"}, [0, 0, 0, 1], [1] * 4)
    assert (rare.start, rare.labels["base_rate"]) == ((0.0,), 0.25)


def test_named_classes_have_their_weight_and_others_1():
    chosen = {"rare": 10.0}
    found = weights_of_classes(chosen, ["common", "rare"], np.ones(2))
    assert found is not None
    assert found.tolist() == [1, 10]
    options = {"column": "y", "class_weights": chosen}
    begun = head(binary, Binary, options, [0, 1], [1, 1], {"classes": ["common", "rare"]})
    assert begun.start == pytest.approx((math.log(10),))


def test_rows_that_weigh_nothing_teach_nothing():
    options = {**RULE, "weight": "w"}
    with pytest.raises(DataError, match="'y' is 0 in all 2 training rows whose 'w' is above 0"):
        head(binary, Binary, options, [0, 1, 0], [1, 0, 2])
    with pytest.raises(DataError, match="'y' is 'b' in all 1 training rows whose 'w' is above 0"):
        head(multiclass, Multiclass, {"column": "y", "weight": "w"}, [0, 1], [0, 2], CLASSES)
    with pytest.raises(DataError, match="same number in all 2 training rows whose 'w' is above 0"):
        head(regression, Regression, {**NUMBER, "weight": "w"}, [5.0, 5.0, 7.0], [1, 1, 0])
