"""Derived columns inside the transform graph: their types, missing values, users and inputs."""

from __future__ import annotations

import json

import numpy as np
import tensorflow as tf

from components.export.signatures import serving_columns
from components.transform.derived_columns import with_derived
from components.transform.preprocessing import Preprocessing, make_layout
from schemas.columns import Column
from schemas.derive import read_derived
from schemas.derived import plain
from schemas.types import INT
from tests.preprocessing import sections_of

COLUMNS = (
    Column("fare", "FLOAT", serving=True),
    Column("miles", "FLOAT", serving=True),
    Column("hour", "INT", serving=True),
    Column("member", "BOOL_TEXT", serving=True, form=("yes", "no")),
    Column("seen", "TIME", serving=True, form=("UNIX_SECONDS",)),
    Column("tags", "BYTES", serving=True, most=3),
    Column("paid", "INT", serving=False),
)
RAW = {
    "fare": tf.constant([3.0, float("nan"), 3e38], tf.float32),
    "miles": tf.constant([0.0, 2.0, 0.01], tf.float32),
    "hour": tf.constant([2**53, INT.missing, 5], tf.int64),
    "member": tf.constant(["yes", "no", ""]),
    "seen": tf.constant([90_000_000_000, INT.missing, -1], tf.int64),
    "tags": tf.ragged.constant([["a", "b"], [""], []], dtype=tf.string),
}


def values_of(**texts):
    derived = read_derived(texts, COLUMNS, where="pipeline.yaml")
    found = with_derived(RAW, derived)
    return [found[name].numpy().tolist() for name in texts]


def test_what_is_null_has_the_stand_in_of_its_type():
    ratio, next_hour, late, label, day = values_of(
        ratio="fare / nullif(miles, 0)",  # null, null, beyond float32
        next_hour="hour + 1",
        late="member or hour < 3",
        label="case when member then 'm' end",
        day="date_trunc('day', seen)",
    )
    assert np.isnan(ratio).all()
    assert next_hour == [INT.missing, INT.missing, 6]  # the first one is beyond 2**53
    assert late == [1, INT.missing, INT.missing]
    assert label == [b"m", b"", b""]
    assert day == [86_400_000_000, INT.missing, -86_400_000_000]


def test_lists_of_rows_give_one_value():
    has_a, count = values_of(has_a="list_contains(tags, 'a')", count="length(tags)")
    assert has_a == [1, INT.missing, 0]
    assert count == [2, INT.missing, 0]


def test_expressions_see_the_values_that_treatments_get():
    third, is_single, twice = values_of(
        third="miles / 3", is_single="third = 2 / 3", twice="coalesce(third, 0) * 2"
    )
    assert third == (RAW["miles"].numpy().astype(float) / 3).astype(np.float32).tolist()
    assert is_single == [0, 0, 0]  # of float32 2/3
    assert twice[1] == np.float32(np.float64(np.float32(2 / 3)) * 2)


def test_a_value_that_is_the_same_in_all_rows_has_all_rows():
    (constant,) = values_of(x="case when true or member then 7 else hour end")
    assert constant == [7, 7, 7]


def test_a_request_carries_the_raw_columns_of_those_that_are_used():
    texts = {"half": "fare / 2", "late": "half > hour", "unused": "paid + 1"}
    derived = plain(read_derived(texts, COLUMNS, where="pipeline.yaml"))
    label = {"task": "binary", "name": "y", "equals": {"column": "paid", "values": [1]}}
    sections = json.loads(sections_of({"late": "vocabulary", "miles": "z_score"}, [], label))
    preprocessing = Preprocessing.loads(json.dumps(sections | {"derived": derived}))
    assert [each.name for each in preprocessing.derived] == ["half", "late"]
    assert preprocessing.columns == ("fare", "hour", "miles", "paid")
    layout = make_layout(preprocessing)
    assert [c.name for c in serving_columns(COLUMNS, layout)] == ["fare", "hour", "miles"]
    assert layout.derived == {"half": ("fare",), "late": ("fare", "hour")}
