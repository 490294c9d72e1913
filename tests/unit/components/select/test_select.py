"""The stage from examples and statistics to what was selected: its sample, and what it protects."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.examples import ShardWriter, split_folder
from components.select import select as stage
from components.select.select import SelectionPlan, select
from components.select.selected import Selected
from schemas import tasks
from schemas.errors import DataError

ROWS = 3_000
LABEL = tasks.loads('{"task": "binary", "column": "bought", "weight": "w"}')


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    rng = np.random.default_rng(5)
    bought = rng.integers(0, 2, ROWS)
    table = pa.table(
        {
            "bought": bought,
            "w": pa.array(np.ones(ROWS), pa.float32()),
            "x": pa.array(bought + rng.normal(0, 1, ROWS), pa.float32()),
            "day": np.zeros(ROWS, np.int64),
            "unit": ["km"] * ROWS,
        }
    )
    root = str(tmp_path_factory.mktemp("examples"))
    path = os.path.join(split_folder(root, "train"), "a.parquet")
    with ShardWriter(path, table.schema, batch_rows=700) as writer:
        writer.write(table)
    return root


@pytest.fixture(scope="module")
def statistics():
    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add()
    for name in ("bought", "w", "x", "day"):
        feature = dataset.features.add()
        feature.path.step.append(name)
        feature.num_stats.common_stats.num_non_missing = ROWS
        feature.num_stats.max = int(name in ("bought", "x"))
    text = dataset.features.add()
    text.path.step.append("unit")
    text.string_stats.common_stats.num_non_missing = ROWS
    text.string_stats.unique = 1
    return found


def plan(*uses, **options):
    return SelectionPlan.model_validate(
        {"selection": options, "uses": uses, "protected": ["day"], "categories": [], "place": "p"}
    )


def test_split_label_and_weight_stay_whatever_they_hold(examples, statistics):
    uses = (["x"], ["day"], ["w"], ["bought"], ["unit"], ["unit", "x"], ["derived"])
    found = select(examples, statistics, plan(*uses, one_value=1), LABEL)
    assert found.dropped == {"unit": "100.00% of the rows have one value"}
    assert [each.column for each in found.columns] == ["x", "unit"]


def test_a_selection_that_leaves_nothing_is_an_error_with_the_remedy(examples, statistics):
    with pytest.raises(DataError, match=r"such as unit: 100\.00% .*") as caught:
        select(examples, statistics, plan(["unit"], ["unit", "x"], one_value=1), LABEL)
    assert caught.value.remedy is not None
    assert "loosen the filters" in caught.value.remedy


def test_a_large_split_is_sampled_alike_each_time(examples, statistics, monkeypatch, tmp_path):
    monkeypatch.setattr(stage, "_SAMPLE", 500)
    first, again = (select(examples, statistics, plan(["x"], keep=1), LABEL) for _ in range(2))
    assert first == again
    assert 400 < first.rows < 600
    first.write(str(tmp_path))
    assert Selected.read(str(tmp_path)) == first


def test_examples_without_rows_are_an_error(statistics, tmp_path):
    os.makedirs(split_folder(str(tmp_path), "train"))
    with pytest.raises(DataError, match="no rows to select"):
        select(str(tmp_path), statistics, plan(["x"], keep=1), LABEL)


def test_columns_of_no_help_are_dropped_before_all_others(examples, statistics):
    """Also a derived one that no example has, and one that the split reads."""
    costs = {"x": 0.00012, "derived": None, "day": 0.0}
    uses = (["x"], ["day"], ["derived"], ["unit"])
    found = select(examples, statistics, plan(*uses, unhelpful=costs), LABEL)
    assert found.dropped == {
        "x": "permuting it costs a trained model 0.00012, no more than by chance",
        "derived": "it moves the scores of a trained model least, and permuting it costs nothing",
        "day": "permuting it costs a trained model 0, no more than by chance",
    }
    assert [each.column for each in found.columns] == ["unit", "x", "derived", "day"]
