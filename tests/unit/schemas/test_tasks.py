"""Tasks: what their tables and options promise to the stages that read them."""

from typing import Any

import pytest

from schemas import signatures as names
from schemas import tasks
from schemas.spec import Spec
from schemas.tasks.binary import Binary, BinaryExport, BinaryThresholds
from schemas.tasks.options import Bound

KINDS = pytest.mark.parametrize("kind", tasks.KINDS, ids=lambda kind: kind.__name__)
SPEC: dict[str, Any] = {
    "name": "tiny",
    "source": {"path": "tiny.csv"},
    "splits": {"key": ["id"]},
    "label": {"name": "late", "equals": {"column": "state", "values": ["late"]}},
    "features": {"age": "z_score"},
}


@KINDS
def test_every_metric_that_can_be_better_has_a_bound_and_no_other_has(kind):
    bounds = {name: f for name, f in kind.THRESHOLDS.model_fields.items() if f.annotation is Bound}
    assert list(bounds) == [metric.name for metric in kind.judged()]


@KINDS
def test_models_are_compared_by_a_metric_that_can_be_better(kind):
    judged = [metric.name for metric in kind.judged()]
    assert kind.OBJECTIVE in judged
    assert set(kind.SLICED) <= set(judged)


@KINDS
def test_the_three_parts_of_a_task_have_its_name(kind):
    name = kind.model_fields["task"].default
    assert kind.EXPORT.model_fields["task"].default == name
    assert kind.THRESHOLDS.model_fields["task"].default == name


@KINDS
def test_rows_and_requests_can_be_answered(kind):
    assert {names.RAW_COLUMNS, names.PREDICT} <= kind.EXPORT().outputs({}).keys()


def test_the_first_task_is_the_default():
    spec = Spec.model_validate(SPEC)
    assert isinstance(spec.label, Binary)
    assert isinstance(spec.export, BinaryExport)
    assert isinstance(spec.evaluation.thresholds, BinaryThresholds)


def test_options_read_back_from_json():
    spec = Spec.model_validate(SPEC | {"export": {"classes": ["no", "yes"], "warnings": True}})
    assert tasks.loads(spec.label.model_dump_json()) == spec.label
    assert tasks.loads_export(spec.export.model_dump_json()) == spec.export


def test_an_unknown_task_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match="unknown task 'binery'; did you mean 'binary'"):
        Spec.model_validate(SPEC | {"label": {**SPEC["label"], "task": "binery"}})


def test_a_label_of_a_column_without_a_task_is_refused_with_the_tasks():
    with pytest.raises(ValueError, match=r"needs a task: multiclass .* regression"):
        Spec.model_validate(SPEC | {"label": {"column": "species"}})


def test_a_key_of_another_task_is_refused():
    label = {"task": "regression", "column": "price"}
    with pytest.raises(ValueError, match="unknown key 'classes'"):
        Spec.model_validate(SPEC | {"label": label, "export": {"classes": ["a", "b"]}})
    with pytest.raises(ValueError, match="unknown key 'auc'"):
        Spec.model_validate(
            SPEC | {"label": label, "evaluation": {"thresholds": {"auc": {"min": 0.5}}}}
        )
