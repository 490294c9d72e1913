"""metrics.json: its content, and that it can be read back."""

import json

import pydantic
import pytest

from components.evaluate.judge import Reason
from components.evaluate.report import LastBlessed, Report, SliceMetrics, worst
from components.tasks.binary_metrics import constant_metrics
from schemas.tasks.binary import Binary

LOG_LOSS = Binary.metric("log_loss")
OVERALL = constant_metrics(100, 30)


def slice_of(value, log_loss, examples=50):
    metrics = {**constant_metrics(examples, 10), "log_loss": log_loss}
    return SliceMetrics(column="pay", value=value, kind="value", metrics=metrics)


def report(**changes):
    values = {
        "label": "big_tip",
        "split": "test",
        "blessed": False,
        "reasons": (Reason(metric="auc", value=0.5, bound=0.9, text="too low"),),
        "overall": OVERALL,
        "baselines": {"base_rate": OVERALL, "logistic": OVERALL},
        "last_blessed": LastBlessed(path="serving/3", note="other columns"),
        "slices": (slice_of("Zürich", 0.7),),
        "worst_slices": (),
        "min_slice_examples": 30,
    }
    return Report(**(values | changes))


def test_it_reads_back_as_written(tmp_path):
    folder = str(tmp_path / "evaluation")
    report().write(folder)
    assert Report.read(folder) == report()
    assert [p.name for p in (tmp_path / "evaluation").iterdir()] == ["metrics.json"]


def test_its_keys_are_those_that_are_documented(tmp_path):
    report().write(str(tmp_path))
    written = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert written["format"] == 1
    assert list(written) == [
        "format",
        "task",
        "objective",
        "label",
        "split",
        "blessed",
        "reasons",
        "overall",
        "baselines",
        "last_blessed",
        "slices",
        "worst_slices",
        "min_slice_examples",
        "reliability",
        "uncalibrated",
        "coverage",
        "weight",
        "intervals",
    ]
    assert list(written["overall"]) == [
        "examples",
        "positives",
        "base_rate",
        "mean_score",
        "calibration_ratio",
        "auc",
        "auc_error",
        "pr_auc",
        "pr_auc_error",
        "log_loss",
        "accuracy",
        "calibration_error",
    ]
    assert list(written["reasons"][0]) == [
        "metric",
        "value",
        "bound",
        "against",
        "reference",
        "permitted_loss",
        "text",
    ]
    assert written["slices"][0]["value"] == "Zürich"


def test_another_format_is_refused(tmp_path):
    text = report().model_dump_json().replace('"format":1', '"format":2')
    (tmp_path / "metrics.json").write_text(text, encoding="utf-8")
    with pytest.raises(pydantic.ValidationError, match="format"):
        Report.read(str(tmp_path))


def test_the_worst_slices_are_large_enough_and_worse_than_the_whole():
    slices = [
        slice_of("small", 0.9, examples=29),
        slice_of("bad", 0.7),
        slice_of("good", OVERALL["log_loss"]),
        slice_of("worse", 0.8, examples=30),
    ]
    found = worst(slices, OVERALL, objective=LOG_LOSS, min_examples=30)
    assert [s.value for s in found] == ["worse", "bad"]


def test_no_more_than_five_are_worst():
    slices = [slice_of(str(i), 0.7 + i / 100) for i in range(9)]
    found = worst(slices, OVERALL, objective=LOG_LOSS, min_examples=1)
    assert [s.value for s in found] == ["8", "7", "6", "5", "4"]


def test_slices_without_an_objective_are_not_the_worst():
    auc = Binary.metric("auc")
    one_class, weak, strong = (slice_of(value, 0.5) for value in ("one", "weak", "strong"))
    slices = [
        each.model_copy(update={"metrics": {**each.metrics, "auc": value}})
        for each, value in ((one_class, None), (weak, 0.6), (strong, 0.9))
    ]
    overall = {**OVERALL, "auc": 0.8}
    found = worst(slices, overall, objective=auc, min_examples=30)
    assert [each.value for each in found] == ["weak"]
    assert worst(slices, {**overall, "auc": None}, objective=auc, min_examples=30) == ()
