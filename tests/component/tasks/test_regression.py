"""Numbers as labels: the head starts at the mean, and answers come in the label's unit."""

import numpy as np
import pytest
import tensorflow as tf

from components.tasks import regression
from schemas.errors import DataError
from schemas.tasks.regression import Regression, RegressionExport

pytestmark = pytest.mark.component

LABELS = np.float32([1, 2, 3, 10, 100, 0.5])


def task(**options):
    return Regression.model_validate({"column": "price", **options})


def head(options, *parts):
    weighed = [(part, np.ones(len(part))) for part in parts or (LABELS[:2], LABELS[2:])]
    return regression.head(weighed, options, {}, where="examples")


def predicted(options, logits, labels):
    outputs = regression.answers(options, RegressionExport(), labels)
    return outputs["predict"](tf.constant(logits, tf.float32))["prediction"].numpy()


def test_the_label_is_the_column_in_float32():
    inputs = {"price": tf.constant([3, 2**53], tf.int64)}
    label = regression.label(inputs, task())
    assert label.dtype == tf.float32
    assert label.numpy().tolist() == [3.0, 2.0**53]


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({}, LABELS.mean()),
        ({"log1p": True}, np.expm1(np.log1p(LABELS).mean())),
        ({"poisson": True}, LABELS.mean()),
    ],
    ids=["squared", "log1p", "poisson"],
)
def test_an_untrained_model_predicts_the_mean(options, start):
    begun = head(task(**options))
    assert predicted(task(**options), begun.start, begun.labels) == pytest.approx([start], rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"log1p": True}, {"quantile": 0.8}, {"poisson": True}])
def test_the_loss_is_least_at_the_best_constant(options):
    begun = head(task(**options))
    y = LABELS[:, np.newaxis]
    logits = np.linspace(begun.start[0] - 3, begun.start[0] + 3, 6001, dtype=np.float32)

    @tf.function  # thousands of eager calls take ten seconds
    def losses():
        return tf.map_fn(lambda logit: begun.loss(y, tf.fill(y.shape, logit)), logits)

    best = predicted(task(**options), [logits[np.argmin(losses())]], begun.labels)[0]
    expected = {
        "log1p": np.expm1(np.log1p(LABELS).mean()),
        "quantile": np.quantile(LABELS, 0.8, method="inverted_cdf"),
    }.get(next(iter(options), ""), LABELS.mean())
    assert best == pytest.approx(expected, rel=0.02)


def test_the_loss_of_an_interval_is_least_at_the_mean_and_both_quantiles():
    begun = head(task(interval=[0.2, 0.9]))
    assert begun.start == pytest.approx((0, -0.8416, 1.2816), abs=1e-4)
    mean, scale = begun.labels["mean"], begun.labels["scale"]
    y = np.arange(1, 100, dtype=np.float32)[:, np.newaxis]
    best = (np.array([50, 20, 90]) - mean) / scale
    candidates = [best + move for move in 0.1 * np.vstack([np.zeros(3), np.eye(3), -np.eye(3)])]
    losses = [float(begun.loss(y, np.tile(np.float32(each), (99, 1)))) for each in candidates]
    assert np.argmin(losses) == 0
    assert min(losses[1:]) > losses[0] + 1e-6


def test_predictions_are_clipped():
    begun = head(task(clip=[0, 50]))
    assert predicted(task(clip=[0, 50]), [-9.0, 9.0], begun.labels).tolist() == [0, 50]


def test_one_number_in_all_rows_cannot_be_learned():
    with pytest.raises(DataError, match="'price' is the same number in all 3 training rows"):
        head(task(), np.float32([7, 7, 7]))


@pytest.mark.parametrize("option", ["log1p", "poisson"])
def test_negative_numbers_do_not_fit_options_of_counts(option):
    with pytest.raises(DataError, match="'price' is negative in some training rows, down to -3"):
        head(task(**{option: True}), np.float32([1, -3]))


def test_what_rounding_does_to_a_logit_is_within_the_tolerance():
    for options in ({}, {"log1p": True}, {"poisson": True}):
        begun = head(task(**options), np.float32(LABELS * 1e4))
        near = regression.tolerances(task(**options), begun.labels)["prediction"]
        logits = np.linspace(-3, 3, 101, dtype=np.float32) + np.float32(begun.start[0])
        moved = logits * (1 + 1e-6)
        one, other = (predicted(task(**options), each, begun.labels) for each in (logits, moved))
        assert (np.abs(one - other) <= 4 * (near.relative * np.abs(one) + near.absolute)).all()


def test_options_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ValueError, match="'poisson' fits neither"):
        task(poisson=True, log1p=True)
    with pytest.raises(ValueError, match="give 'clip' the smaller number first"):
        task(clip=[2, 1])
    with pytest.raises(ValueError, match="'interval' fits neither"):
        task(interval=[0.1, 0.9], quantile=0.5)
    with pytest.raises(ValueError, match="give 'interval' the smaller level first"):
        task(interval=[0.9, 0.1])


def test_the_label_is_named_as_its_column():
    assert task().name == "price"
    assert task(name="cost").name == "cost"
