"""Rules for training rows: limits of any number of values, classes by each kind of label."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.ingest.training import TrainingRules, TrainingSeen
from schemas.columns import Column
from schemas.errors import DataError
from schemas.prepare import Prepare
from schemas.splits.column import ColumnSplit
from schemas.splits.hash import Hash
from schemas.tasks.binary import Binary
from schemas.tasks.multiclass import Multiclass

COLUMNS = (
    Column("x", "FLOAT", serving=True),
    Column("n", "INT", serving=True),
    Column("y", "BYTES", serving=False),
)
LABEL = Binary.model_validate({"name": "y", "equals": {"column": "y", "values": ["b"]}})
SPLIT = Hash(key=("n",))
RNG = np.random.default_rng(5)


def rows(x, n=None, y=None):
    count = len(x)
    return pa.record_batch(
        [
            pa.array(x, pa.float32()),
            pa.array(range(count) if n is None else n, pa.int64()),
            pa.array(["a"] * count if y is None else y, pa.string()),
        ],
        ["x", "n", "y"],
    )


def rules_of(label=LABEL, split=SPLIT, **prepare):
    return TrainingRules.of(Prepare.model_validate(prepare), label, split, COLUMNS)


def test_limits_of_many_values_are_within_a_cell_in_any_grouping():
    x = np.concatenate([RNG.normal(size=200_000) * 100, [-0.0, 1e30, -1e30]]).astype(np.float32)
    rules = rules_of(outliers={"x": {"quantiles": [0.01, 0.99]}})
    batch = rows(x)
    parts = [rules.seen(batch.slice(start, 40_000)) for start in range(0, len(x), 40_000)]
    seen = TrainingSeen.add(parts)
    assert seen == TrainingSeen.add([parts[4], TrainingSeen.add(parts[:4]), parts[5]])
    chosen = rules.choose(pa.Table.from_batches([batch]), seen)
    low, high = np.quantile(x, [0.01, 0.99])
    kept = chosen.rows["x"].to_numpy()
    assert kept.min() == pytest.approx(low, rel=0.01)
    assert kept.max() == pytest.approx(high, rel=0.01)
    assert chosen.rows.num_rows + sum(t.num_rows for t in chosen.dropped.values()) == len(x)


def test_limits_of_integers_and_missing_values():
    batch = rows([1.0] * 9, [1, 2, 3, 4, 5, 6, 7, 2**53, None])
    rules = rules_of(outliers={"n": {"iqr": 3}})
    chosen = rules.choose(pa.Table.from_batches([batch]), rules.seen(batch))
    assert chosen.rows["n"].to_pylist() == [1, 2, 3, 4, 5, 6, 7, None]
    assert chosen.dropped["prepare.outliers.n"]["n"].to_pylist() == [2**53]


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        (LABEL, {"0": 3, "1": 1}),
        (Binary.model_validate({"column": "y"}), {"a": 3, "b": 1}),
        (Multiclass.model_validate({"column": "y"}), {"a": 3, "b": 1}),
        (
            Binary.model_validate(
                {"name": "z", "exceeds": {"column": "x", "fraction": 0.5, "of": "n"}}
            ),
            {"0": 2, "1": 2},
        ),
    ],
)
def test_classes_are_those_of_the_label(label, classes):
    batch = rows([1, 2, 3, 0], [1, 2, 8, 9], ["a", "b", "a", "a"])
    rules = rules_of(label, sample={"share": {next(iter(classes)): 0.5}})
    assert rules.seen(batch).classes == classes


def test_a_split_without_a_key_samples_by_all_columns():
    split = ColumnSplit(column="y")
    rules = rules_of(split=split, sample={"fraction": 0.5})
    assert rules.key == ("x", "n", "y")
    chosen = rules.choose(pa.Table.from_batches([rows(range(1_000))]), TrainingSeen())
    assert 400 < chosen.rows.num_rows < 600
    assert chosen.rows.num_rows + chosen.dropped["prepare.sample"].num_rows == 1_000


def test_a_class_that_training_lacks_is_named_unless_it_lacks_all():
    rules = rules_of(sample={"rates": {"b": 0.5}})
    rules.check({"a": (5, 5), "b": (2, 1)})
    rules.check({})  # that there are no training rows is another error
    with pytest.raises(DataError, match="no training row"):
        rules.check({"a": (5, 5)})
