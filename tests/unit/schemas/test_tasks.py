"""Tasks: what their tables and options promise to the stages that read them."""

from typing import Any

import pytest

from schemas import signatures as names
from schemas import tasks
from schemas.columns import columns_of, parse_schema
from schemas.errors import ConfigError
from schemas.expectations import expectations_of
from schemas.spec import Spec
from schemas.tasks.binary import Binary, BinaryExport, BinaryThresholds
from schemas.tasks.multiclass import Multiclass, MulticlassThresholds
from schemas.tasks.options import Bound
from schemas.tasks.two_values import in_order

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
    with pytest.raises(ValueError, match=r"needs one: binary .* multiclass .* regression"):
        Spec.model_validate(SPEC | {"label": {"column": "species"}})


@pytest.mark.parametrize(
    ("options", "feature", "task"),
    [
        ({}, "type: FLOAT", "regression"),
        ({}, "type: BYTES", "multiclass"),
        ({}, "type: BYTES string_domain { value: 'a' value: 'b' value: 'c' }", "multiclass"),
        ({}, "type: BYTES string_domain { value: 'stay' value: 'left' }", "binary"),
        ({}, "type: INT int_domain { min: 0 max: 1 }", "binary"),
        ({}, "type: INT bool_domain { }", "binary"),
        ({}, "type: INT", None),
        ({}, "type: INT int_domain { min: 0 max: 9 }", None),
        ({"positive": 1}, "type: INT", "binary"),
        ({"positive": 1, "class_weights": "balanced"}, "type: INT", "binary"),
        ({"classes": ["1", "2"], "class_weights": {"1": 2}}, "type: INT", "multiclass"),
        ({"class_weights": "balanced"}, "type: INT", None),
        ({"class_weights": "balanced"}, "type: BYTES", "multiclass"),
        ({"weight": "w", "missing": "stop"}, "type: FLOAT", "regression"),
        ({"classes": ["1", "2"]}, "type: INT", "multiclass"),
        ({"poisson": True}, "type: INT", "regression"),
        ({"positive": "a"}, "type: BYTES", "binary"),
        ({"positive": 1, "classes": ["1", "2"]}, "type: INT", None),
    ],
)
def test_the_options_and_the_column_of_a_label_decide_its_task(options, feature, task):
    schema = parse_schema(f"feature {{ name: 'y' {feature} }}", where="schema.pbtxt")
    (column,) = columns_of(schema, where="schema.pbtxt")
    (expectation,) = expectations_of(schema).columns
    label = {"column": "y", **options}
    assert tasks.chosen(label, column, expectation).get("task") == task


@pytest.mark.parametrize(
    ("values", "positive", "classes"),
    [
        (["no", "yes"], None, ("no", "yes")),
        (["True", "False"], None, ("False", "True")),
        (["1", "0"], None, ("0", "1")),
        (["1", "2"], None, ("1", "2")),
        (["yes", "NO"], None, ("yes", "NO")),
        (["stayed", "left"], None, ("stayed", "left")),
        (["stayed", "left"], "stayed", ("left", "stayed")),
        (["no", "yes"], "no", ("yes", "no")),
    ],
)
def test_yes_the_rarer_or_the_named_value_is_positive(values, positive, classes):
    assert in_order(values, positive) == classes


def test_a_positive_value_belongs_to_a_column():
    rule = {"equals": {"column": "y", "values": ["a"]}}
    with pytest.raises(ValueError, match="'positive' is a value of 'column'"):
        Binary.model_validate({"name": "y", "positive": "a", **rule})
    with pytest.raises(ValueError, match="True is neither text nor an integer"):
        Binary.model_validate({"column": "y", "positive": True})


def test_a_key_of_another_task_is_refused():
    label = {"task": "regression", "column": "price"}
    with pytest.raises(ValueError, match="unknown key 'classes'"):
        Spec.model_validate(SPEC | {"label": label, "export": {"classes": ["a", "b"]}})
    with pytest.raises(ValueError, match="unknown key 'auc'"):
        Spec.model_validate(
            SPEC | {"label": label, "evaluation": {"thresholds": {"auc": {"min": 0.5}}}}
        )


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("balance", "give 'balanced', or classes with their weights.* got 'balance'"),
        ({}, "give 'balanced', or classes with their weights"),
        ({"a": 0}, "the weight of the class 'a' must be above 0, got 0"),
        ({"a": float("inf")}, "the weight of the class 'a' must be above 0, got inf"),
        ({"a": True}, "the weight of the class 'a' must be above 0, got True"),
        ({"c": 2}, "'class_weights' has no class 'c'; one of: a, b"),
    ],
)
def test_impossible_weights_of_classes_are_refused(weights, said):
    with pytest.raises(ValueError, match=said):
        Multiclass.model_validate({"column": "y", "classes": ["a", "b"], "class_weights": weights})


def test_the_classes_of_a_rule_are_0_and_1():
    rule = {"name": "y", "equals": {"column": "x", "values": ["a"]}}
    assert Binary.model_validate({**rule, "class_weights": {"1": 5}}).class_weights == {"1": 5}
    with pytest.raises(ValueError, match="'class_weights' has no class 'a'; one of: 0, 1"):
        Binary.model_validate({**rule, "class_weights": {"a": 5}})


def test_weighted_classes_are_compared_where_their_shares_do_not_matter():
    for kind, options in ((Binary, {"column": "y"}), (Multiclass, {"column": "y"})):
        assert kind.model_validate(options).objective == "log_loss"
        objective = kind.model_validate({**options, "class_weights": "balanced"}).objective
        assert objective in [metric.name for metric in kind.judged()]
        assert objective != "log_loss"


def test_what_weighs_is_said_where_the_model_is_described():
    label = Multiclass.model_validate({"column": "y", "weight": "w", "class_weights": {"a": 2.5}})
    assert label.in_words() + label.weighed == (
        "y: which value 'y' has; each row counts by its 'w'; in training, rows of 'a' count 2.5"
        " times"
    )
    assert Binary.model_validate({"column": "y"}).weighed == ""


def test_a_metric_has_the_number_that_was_measured():
    figures = {"accuracy": 0.5, "top_5_accuracy": 0.9}
    (metric,) = [m for m in Multiclass.judged(figures) if m.number is not None]
    assert (metric.name, metric.title) == ("top_5_accuracy", "top-5 accuracy")
    assert metric.meaning == "Share of rows whose class is one of the 5 likeliest."
    assert metric in Multiclass.shown("log_loss", figures)
    assert "top_3_accuracy" in [m.name for m in Multiclass.judged()]


def test_the_bound_of_the_likeliest_classes_has_their_number():
    thresholds = {"top_5_accuracy": {"min": 0.9}}
    label = {"column": "y", "task": "multiclass", "top_k": 5}
    spec = Spec.model_validate({**SPEC, "label": label, "evaluation": {"thresholds": thresholds}})
    read = MulticlassThresholds.model_validate_json(spec.evaluation.thresholds.model_dump_json())
    assert read.bound("top_5_accuracy") == Bound(min=0.9)
    assert read.bound("top_4_accuracy") == Bound()
    spec.label.check_thresholds(read, where="pipeline.yaml")
    other = Multiclass.model_validate({**label, "top_k": 4})
    with pytest.raises(ConfigError, match=r"top_5_accuracy.*label\.top_k is 4"):
        other.check_thresholds(read, where="pipeline.yaml")


@pytest.mark.parametrize("key", ["top_accuracy", "top_k_accuracy", "top_5_acuracy", "rmse"])
def test_other_bounds_of_classes_are_refused(key):
    with pytest.raises(ValueError, match=f"unknown key '{key}'"):
        MulticlassThresholds.model_validate({key: {"min": 0.5}})
