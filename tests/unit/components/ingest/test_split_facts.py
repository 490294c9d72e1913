"""Facts of splits: rows, label, times and folds, the same whatever the shards' order."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from components.ingest.counts import LabelFacts
from components.ingest.split_facts import MOST_CLASSES, Measure, above
from schemas import splits
from schemas.columns import Column
from schemas.splits.options import FOLD
from schemas.tasks import loads
from schemas.tasks.options import Above

TABLE = pa.table(
    {
        "fate": ["kept", "lost", "kept", "kept"],
        "tips": pa.array([0.0, 1.0, 3.0, 2.0], pa.float32()),
        "fare": pa.array([1.0, 5.0, 6.0, 10.0], pa.float32()),
        "weight": pa.array([1.0, 2.0, 0.0, 1.0], pa.float32()),
        "at": pa.array([3_000_000, 0, 86_400_000_000, 1], pa.int64()),
    }
)
AT = Column("at", "TIME", serving=False)


def facts(label, *tables, time=None, folds=None):
    measure = Measure(loads(label), time, folds)
    return measure.facts([measure.of(i, "train", t) for i, t in enumerate(tables or [TABLE])])


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ('{"task": "regression", "column": "tips"}', {"mean": 1.5}),
        ('{"task": "regression", "column": "tips", "weight": "weight"}', {"mean": 1.0}),
        (
            '{"task": "multiclass", "column": "fate"}',
            {"classes": {"kept": 0.75, "lost": 0.25}},
        ),
        (
            '{"task": "binary", "column": "fate", "positive": "lost", "weight": "weight"}',
            {"classes": {"kept": 0.5, "lost": 0.5}},
        ),
        (
            '{"name": "y", "equals": {"column": "fate", "values": ["lost"]}}',
            {"positive": 0.25},
        ),
        (
            '{"name": "y", "exceeds": {"column": "tips", "fraction": 0.2, "of": "fare"}}',
            {"positive": 0.25},
        ),
    ],
)
def test_the_label_of_a_split(label, expected):
    assert facts(label).label == LabelFacts(**expected)


REGRESSION = '{"task": "regression", "column": "tips"}'


def test_times_are_text_and_whole_numbers_are_numbers():
    assert facts(REGRESSION).time is None
    assert facts(REGRESSION, time=AT).time == ("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z")
    number = Column("at", "INT", serving=False)
    assert facts(REGRESSION, time=number).time == (0, 86_400_000_000)


def test_a_split_without_rows_has_neither_label_nor_times():
    empty = facts(REGRESSION, TABLE.slice(0, 0), time=AT)
    assert (empty.rows, empty.label, empty.time, empty.folds) == (0, None, None, None)


def test_folds_are_counted_over_all_shards():
    parts = [t.append_column(FOLD, pa.array([0, 2], pa.int64())) for t in (TABLE[:2], TABLE[2:])]
    assert facts(REGRESSION, *parts, folds=4).folds == (2, 0, 2, 0)


def test_facts_do_not_depend_on_the_order_of_shards():
    rng = np.random.default_rng(7)
    weights = [pa.array(rng.lognormal(0, 5, 50), pa.float32()) for _ in range(4)]
    tables = [pa.table({"tips": w, "weight": w}) for w in weights]
    label = '{"task": "regression", "column": "tips", "weight": "weight"}'
    measure = Measure(loads(label), None, None)
    shards = [measure.of(i, "train", table) for i, table in enumerate(tables)]
    assert len({measure.facts(o).model_dump_json() for o in itertools.permutations(shards)}) == 1


def test_shares_of_too_many_classes_are_left_out():
    table = pa.table({"fate": [f"c{i}" for i in range(MOST_CLASSES + 1)]})
    assert facts('{"task": "multiclass", "column": "fate"}', table).label is None
    assert len(facts('{"task": "multiclass", "column": "fate"}', table[1:]).label.classes) == 1000


def test_a_rule_takes_no_value_that_is_larger_by_rounding_alone():
    rule = Above("a", 0.29, "b")
    table = pa.table({"a": pa.array([29, 30], pa.int64()), "b": pa.array([100, 100], pa.int64())})
    assert above(table, rule).tolist() == [False, True]


def test_the_time_of_the_split_is_measured():
    label = loads(REGRESSION)
    assert Measure.by(label, splits.loads('{"by": "time", "column": "at"}'), [AT]).time == AT
    assert Measure.by(label, splits.loads('{"key": ["at"]}'), [AT]).time is None
