"""Importance, partial dependence and leaks of an additive model, against what it is made of."""

import numpy as np
import pytest

from components.explain.explained import Cost
from components.explain.groups import column_groups
from components.explain.importance import CostMeter, permuted
from components.explain.rows import SplitRows, rows_of
from components.explain.scorer import RowScorer
from schemas.errors import ModelError
from schemas.explain import Explain
from schemas.tasks.regression import Regression

pytestmark = pytest.mark.component


def test_columns_that_only_act_together_are_one_group(additive):
    assert [group.columns for group in column_groups(additive.layout)] == [
        ("a",),
        ("b",),
        ("noise",),
        ("city",),
        ("seen",),
        ("code",),
        ("x", "y"),
    ]


def test_the_more_a_column_moves_the_logit_the_more_important_it_is(explained):
    found = explained.whole.importance
    assert [each.columns for each in found.columns[:4]] == [("a",), ("x", "y"), ("b",), ("city",)]
    assert found.columns[0].features == ("a", "a_squared")
    assert all(each.low > 0 for each in found.columns[:3])
    by_column = {each.columns: each for each in found.columns}
    assert by_column[("noise",)].low < 0 < by_column[("noise",)].high
    # what the model does not use costs exactly nothing
    assert by_column[("code",)].splits["eval"] == Cost(drop=0, low=0, high=0)
    assert (found.metric, found.rows, found.repeats) == ("log_loss", 600, 3)
    assert found.columns[0].splits.keys() == {"train", "eval"}


def test_the_cost_is_that_of_the_permutations_and_its_error_that_over_rows(additive):
    scorer = RowScorer(additive.saved_model, additive.columns)
    rows = rows_of(additive.examples, "eval", scorer, additive.label, 500)
    (found,) = CostMeter(scorer, rows, additive.label).permuted([("a",)], 2)
    losses = []
    for values in (rows.raw["a"], *(permuted(rows.raw, ("a",), n)["a"] for n in range(2))):
        (scores,) = scorer.changed(rows.raw, [{"a": values}])
        right = np.where(rows.labels == 1, scores, 1 - scores.astype(np.float64))
        losses.append(-np.log(right))
    differences = np.mean(losses[1:], axis=0) - losses[0]
    assert found.mean == pytest.approx(differences.mean(), rel=1e-5)
    assert found.error == pytest.approx(differences.std(ddof=1) / np.sqrt(500), rel=1e-5)


class Sum(RowScorer):
    """A model that predicts a + b of rows."""

    def __init__(self):
        pass

    def changed(self, raw, changes):
        return iter([(raw | change)["a"] + (raw | change)["b"] for change in changes])


def test_the_cost_of_a_root_is_the_difference_of_the_roots():
    draw = np.random.default_rng(0)
    raw = {"a": draw.normal(size=5_000), "b": draw.normal(size=5_000)}
    labels = raw["a"] + raw["b"] + draw.normal(size=5_000)
    rows = SplitRows(None, raw, raw["a"] + raw["b"], labels, np.ones(5_000))
    meter = CostMeter(Sum(), rows, Regression(name="y", column="y"))
    (found,) = meter.permuted([("a",)], 3)
    # the error of a permuted value adds twice its variance: sqrt(1 + 2) - 1
    assert meter.metric == "rmse"
    assert meter.value == pytest.approx(1, abs=0.05)
    assert found.mean == pytest.approx(np.sqrt(3) - 1, abs=4 * found.error)
    assert 0 < found.error < 0.02


def test_a_row_without_weight_does_not_count():
    raw = {"a": np.array([1.0, 2.0, 3.0, 4.0]), "b": np.zeros(4)}
    rows = SplitRows(None, raw, raw["a"], np.array([1.0, 2, 3, np.nan]), np.array([1.0, 2, 0, 1]))
    meter = CostMeter(Sum(), rows, Regression(name="y", column="y"))
    assert (meter.value, meter.permuted([("b",)], 1)[0].mean) == (0, 0)


def test_scores_that_are_not_valid_are_an_error():
    raw = {"a": np.array([1.0, 2.0]), "b": np.array([0.0, 0.0])}
    rows = SplitRows(None, raw, raw["a"], raw["a"], np.ones(2))
    meter = CostMeter(Sum(), rows, Regression(name="y", column="y"))
    raw["b"][:] = np.inf
    with pytest.raises(ModelError, match="no valid score for a row with another row's value"):
        meter.permuted([("b",)], 1)


def test_dependence_follows_what_the_model_adds(explained):
    by_column = {each.column: each for each in explained.whole.dependence}
    assert explained.whole.dependence[0].column == "a"
    numbers = by_column["a"]
    means = [point.mean for point in numbers.points]
    assert (numbers.type, len(means), means) == ("number", 10, sorted(means))
    assert sum(point.share for point in numbers.points) == pytest.approx(1)
    assert all(point.low < point.mean < point.high for point in numbers.points)
    cities = by_column["city"]
    assert cities.type == "category"
    assert [point.value for point in cities.points] == ["Bonn", "Köln", None]
    bonn, cologne, missing = (point.mean for point in cities.points)
    assert bonn < missing < cologne
    times = by_column["seen"]
    assert times.type == "time"
    assert times.points[0].value.startswith("1970-01-01T01:")
    assert times.points[0].mean == pytest.approx(times.points[-1].mean, abs=1e-6)


def test_a_column_that_alone_is_the_label_is_a_leak(explained):
    (leak,) = explained.whole.leaks
    assert (leak.column, leak.measure, leak.alone) == ("code", "auc", 1.0)
    assert 0.8 < leak.model < 0.95
    assert "`code: drop`" in leak.says


def test_what_the_label_does_not_depend_on_is_of_no_help(explained):
    unhelpful = explained.whole.unhelpful
    assert {each.columns for each in unhelpful.columns} == {("noise",), ("seen",), ("code",)}
    assert unhelpful.together is not None
    assert not unhelpful.together.helps


def test_of_many_columns_those_that_move_the_scores_are_measured(explained):
    few = explained.of(columns=2, rows=300, repeats=1)
    assert [each.columns for each in few.importance.columns] == [("a",), ("x", "y")]
    assert set(few.importance.unmeasured[:2]) == {("seen",), ("code",)}
    assert len(few.importance.unmeasured) == 5
    assert few == explained.of(columns=2, rows=300, repeats=1)


@pytest.mark.parametrize(
    ("written", "on"), [(False, False), ("off", False), (True, True), ({"rows": 50}, True)]
)
def test_the_section_may_be_a_switch(written, on):
    assert Explain.model_validate(written).on is on


def test_another_text_names_what_is_expected():
    with pytest.raises(ValueError, match="expected `off`, or keys such as rows: 2000, got 'of'"):
        Explain.model_validate("of")
