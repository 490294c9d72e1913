"""Thresholds: what prevents a blessing, and that every reason has its figures."""

import pytest

from components.evaluate.judge import Reason, judge
from components.tasks.binary_metrics import constant_metrics
from schemas.tasks.binary import Binary, BinaryThresholds
from schemas.tasks.options import Bound

TASK = Binary.model_validate({"name": "l", "equals": {"column": "x", "values": [1]}})
NOTHING = BinaryThresholds(auc=Bound(), beats_baseline=False)
BASE = {
    **constant_metrics(100, 30),
    "auc": 0.95,
    "pr_auc": 0.9,
    "log_loss": 0.25,
    "accuracy": 0.88,
    "calibration_error": 0.02,
}


def metrics(**changes):
    return BASE | changes


def reasons(model, thresholds, *, base_rate=None, logistic=None, last_blessed=None):
    return judge(
        model,
        thresholds,
        task=TASK,
        baselines={
            "base_rate": base_rate or metrics(log_loss=0.61),
            "logistic": logistic or metrics(log_loss=0.28),
        },
        last_blessed=last_blessed,
    )


def test_a_model_inside_every_bound_is_blessed():
    thresholds = BinaryThresholds(
        auc=Bound(min=0.95, max=0.95, max_loss=0),  # the bounds themselves are inside
        log_loss=Bound(max=0.25, max_loss=0),
        calibration_error=Bound(max=0.05),
    )
    assert reasons(metrics(), thresholds, last_blessed=metrics()) == ()


def test_under_the_least():
    assert reasons(metrics(auc=0.9123), NOTHING.model_copy(update={"auc": Bound(min=0.93)})) == (
        Reason(
            metric="auc",
            value=0.9123,
            bound=0.93,
            text="auc 0.9123 is below the least permitted, 0.93",
        ),
    )


def test_over_the_most():
    (reason,) = reasons(
        metrics(log_loss=0.34), NOTHING.model_copy(update={"log_loss": Bound(max=0.3)})
    )
    assert (reason.metric, reason.value, reason.bound) == ("log_loss", 0.34, 0.3)
    assert reason.text == "log_loss 0.34 is above the most permitted, 0.3"


@pytest.mark.parametrize(
    ("metric", "value", "reference", "worse"),
    [
        ("auc", 0.94, 0.95, True),
        ("auc", 0.96, 0.95, False),
        ("pr_auc", 0.89, 0.90, True),
        ("accuracy", 0.87, 0.88, True),
        ("log_loss", 0.26, 0.25, True),
        ("log_loss", 0.24, 0.25, False),
        ("calibration_error", 0.04, 0.02, True),
        ("calibration_error", 0.01, 0.02, False),
    ],
)
def test_worse_than_the_last_blessed(metric, value, reference, worse):
    thresholds = NOTHING.model_copy(update={metric: Bound(max_loss=0.005)})
    found = reasons(
        metrics(**{metric: value}), thresholds, last_blessed=metrics(**{metric: reference})
    )
    assert [(r.metric, r.value, r.against, r.reference, r.permitted_loss) for r in found] == [
        (metric, value, "last_blessed", reference, 0.005)
    ] * worse


def test_a_permitted_loss_is_permitted():
    thresholds = NOTHING.model_copy(update={"auc": Bound(max_loss=0.02)})
    assert reasons(metrics(auc=0.94), thresholds, last_blessed=metrics(auc=0.95)) == ()


def test_the_reason_gives_the_loss_in_full():
    thresholds = NOTHING.model_copy(update={"auc": Bound(max_loss=0.005)})
    (reason,) = reasons(metrics(auc=0.942), thresholds, last_blessed=metrics(auc=0.9481))
    assert reason.text == (
        "auc 0.942 is 0.0061 worse than the last blessed model's 0.9481; 0.005 is permitted"
    )


def test_without_a_last_blessed_model_there_is_no_comparison():
    thresholds = NOTHING.model_copy(update={"auc": Bound(max_loss=0)})
    assert reasons(metrics(auc=0.1), thresholds) == ()


def test_both_baselines_must_be_beaten():
    found = reasons(
        metrics(log_loss=0.3),
        NOTHING.model_copy(update={"beats_baseline": True}),
        base_rate=metrics(log_loss=0.3),  # a tie is not enough
        logistic=metrics(log_loss=0.29),
    )
    assert [(r.against, r.value, r.reference) for r in found] == [
        ("base_rate", 0.3, 0.3),
        ("logistic", 0.3, 0.29),
    ]
    assert found[1].text == "log_loss 0.3 does not beat the logistic model, 0.29"


def test_the_best_constant_alone_may_have_to_be_beaten():
    (reason,) = reasons(
        metrics(log_loss=0.3),
        NOTHING.model_copy(update={"beats_baseline": "constant"}),
        base_rate=metrics(log_loss=0.3),
        logistic=metrics(log_loss=0.29),
    )
    assert reason.against == "base_rate"


def test_a_metric_with_a_bound_must_exist():
    one_class = metrics(auc=None, pr_auc=None)
    (reason,) = reasons(one_class, NOTHING.model_copy(update={"auc": Bound(min=0.5)}))
    assert (reason.metric, reason.value) == ("auc", None)
    assert "one class only" in reason.text
    assert reasons(one_class, NOTHING) == ()


def test_every_reason_is_given_at_once():
    thresholds = BinaryThresholds(
        auc=Bound(min=0.99, max_loss=0.01),
        log_loss=Bound(max=0.1),
        accuracy=Bound(min=0.9),
        calibration_error=Bound(max=0.001),
    )
    found = reasons(metrics(log_loss=0.7), thresholds, last_blessed=metrics(auc=0.98, log_loss=0.2))
    assert [(r.metric, r.against) for r in found] == [
        ("auc", None),
        ("auc", "last_blessed"),
        ("log_loss", None),
        ("accuracy", None),
        ("calibration_error", None),
        ("log_loss", "base_rate"),
        ("log_loss", "logistic"),
    ]
