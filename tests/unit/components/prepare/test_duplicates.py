"""Of rows with equal keys, one is kept: keys are compared, and places decide between equal rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from components.prepare.duplicates import duplicates, has_key
from schemas.prepare import DropDuplicates, Keep
from tests.naive_fold import kept_by_a_naive_fold

ROW = st.fixed_dictionaries(
    {
        "id": st.integers(0, 3),
        "age": st.sampled_from([-0.0, 0.0, 1.5, None]),
        "who": st.sampled_from(["a", "b"]),
    }
)

TYPES = {"id": pa.int64(), "who": pa.string()}


@settings(max_examples=40)
@given(
    tables=st.lists(st.lists(ROW, max_size=15), min_size=1, max_size=3),
    key=st.sampled_from([["id"], ["id", "who"], ["who"]]),
    keep=st.sampled_from(["first", {"last": "age"}, {"first": "age"}]),
    seed=st.integers(0, 9),
)
def test_duplicates_are_those_of_a_naive_fold_in_any_order(tables, key, keep, seed):
    tables = [[{**row, "at": (i, j)} for j, row in enumerate(t)] for i, t in enumerate(tables)]
    rows = [row for rows in tables for row in rows]
    np.random.default_rng(seed).shuffle(rows)
    rule = DropDuplicates.model_validate({"key": key, "keep": keep})
    order = pa.array([row["age"] for row in rows], pa.float32())
    dropped = duplicates(
        [pa.array([row[name] for row in rows]) for name in key]
        if rows
        else [pa.array([], "int64")],
        None if rule.keep.column is None else order,
        [np.array([row["at"][i] for row in rows], np.int64) for i in (0, 1)],
        rule.keep,
    )
    kept = {row["at"] for row, gone in zip(rows, dropped, strict=True) if not gone}
    assert kept == {row["at"] for row in kept_by_a_naive_fold(tables, key, keep)}


def test_zero_and_minus_zero_are_one_key():
    keys = [pa.array([0.0, -0.0], pa.float32())]
    assert duplicates(keys, None, [np.zeros(2), np.arange(2)], Keep()).tolist() == [False, True]


def test_a_row_that_lacks_a_value_of_its_key_has_no_key():
    keys = [pa.array(["a", None, "b"]), pa.array([1, 2, None])]
    assert has_key(keys).tolist() == [True, False, False]
