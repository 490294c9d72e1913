"""Filled columns, compared with numpy, in training and when the graph is loaded again."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.transform.treatments.missing import boundaries

pytestmark = pytest.mark.component

NAN, NO_INT = float("nan"), -(2**63)
# Odd numbers of values in each group and in all, so that there is one middle value.
FARE = np.array([1, 2, 9, NAN, 5, 30, 40, np.inf, NAN, 7], np.float32)
GROUP = np.array(["a", "a", "a", "a", "b", "b", "b", "b", "b", ""])
COUNT = np.array([4, NO_INT, 4, 7, 9, 9, 9, NO_INT, 1, 2])
CITY = np.array(["x", "", "y", "y", "x", "", "z", "y", "y", "z"])
KINDS = {
    **dict.fromkeys(("mean", "median", "constant", "grouped", "empty"), "FLOAT"),
    "count": "INT",
    "mean_count": "INT",
    "grouped_mean": "FLOAT",
    "grouped_city": "BYTES",
    "grouped_count": "INT",
    "city": "BYTES",
    "group": "BYTES",
}
TRAIN = {
    **dict.fromkeys(("mean", "median", "constant", "grouped"), FARE),
    "empty": np.full(10, NAN, np.float32),
    "group": GROUP,
    "count": COUNT,
    "mean_count": COUNT,
    "city": CITY,
    "grouped_mean": FARE,
    "grouped_city": CITY,
    "grouped_count": COUNT,
}
MISSING = {
    "mean": {"fill": "mean"},
    "median": {"fill": "median", "indicator": False},
    "constant": {"fill": "constant", "value": -3.5, "indicator": False},
    "grouped": {"fill": "median", "by": "group", "indicator": False},
    "grouped_mean": {"fill": "mean", "by": "group", "indicator": False},
    "grouped_city": {"fill": "most_frequent", "by": "group", "indicator": False},
    "grouped_count": {"fill": "most_frequent", "by": "group", "indicator": False},
    "empty": {"fill": "median"},
    "count": {"fill": "most_frequent"},
    "mean_count": {"fill": "mean", "indicator": False},
    "city": {"fill": "most_frequent", "indicator": False},
}
TOGETHER = [{"missing": {"columns": ["count", "city"], "name": "trip_missing"}}]
FILLS = {"mean": 94 / 7, "median": 7, "constant": -3.5, "count": 9, "mean_count": round(45 / 8)}
GROUPS = ["a", "b", "", "new"]
# What fills the values of the groups a, b, missing, and of one that training has not seen.
BY_GROUP = {
    "grouped": [2, 30, 7, 7],
    "grouped_mean": [4, 25, 7, 94 / 7],
    "grouped_city": ["y", "y", "z", "y"],
    "grouped_count": [4, 9, 2, 9],
}


@pytest.fixture(scope="module")
def transformed(run):
    # A hash of the digits shows the filled value itself.
    features = {name: {"hash": {"buckets": 1000}} for name in KINDS if name != "group"}
    rows = {
        name: [None if value in ("", NO_INT) or value != value else value for value in own.tolist()]
        for name, own in TRAIN.items()
    }
    splits = {"train": rows}
    return run(KINDS, features, splits, missing=MISSING, combinations=TOGETHER)


@pytest.fixture(scope="module")
def asked(transformed):
    """Return what the graph makes of rows: one a group, all missing, then the expected values."""
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()

    def transform(rows):
        size = len(rows["group"])
        inputs = {name: tf.constant(values) for name, values in rows.items()}
        got = graph(inputs | {name: tf.ones(size) for name in ("tips", "of")})
        return {name: values.numpy() for name, values in got.items()}

    missing = {
        **{n: np.full(4, NAN, np.float32) for n, kind in KINDS.items() if kind == "FLOAT"},
        **{n: np.full(4, NO_INT) for n, kind in KINDS.items() if kind == "INT"},
        **{n: np.array([""] * 4) for n in ("city", "grouped_city")},
        "group": np.array(GROUPS),
    }
    filled = {n: np.full(4, v, missing[n].dtype) for n, v in FILLS.items()}
    filled |= {name: np.array(own).astype(missing[name].dtype) for name, own in BY_GROUP.items()}
    filled["city"] = np.array(["y"] * 4)
    return transform(missing), transform(missing | filled)


@pytest.mark.parametrize("name", [*FILLS, *BY_GROUP, "city"])
def test_a_missing_value_is_that_of_the_training_rows(asked, name):
    got, expected = asked
    outputs = [o for o in got if o.startswith(f"{name}_") and not o.endswith("missing")]
    assert outputs
    for output in outputs:
        np.testing.assert_array_equal(got[output], expected[output])
        assert np.all(got[output] > 0)


def test_a_column_without_values_stays_missing(asked):
    (output,) = (o for o in asked[0] if o.startswith("empty_") and not o.endswith("missing"))
    assert not np.any(asked[0][output])


def test_indicators_are_of_values_before_they_are_filled(transformed, asked):
    train = transformed.split("train")
    np.testing.assert_array_equal(train["mean_was_missing"], np.isnan(FARE))
    np.testing.assert_array_equal(train["count_was_missing"], COUNT == NO_INT)
    np.testing.assert_array_equal(train["trip_missing"], (COUNT == NO_INT) | (CITY == ""))
    assert np.all(asked[0]["trip_missing"] == 1)
    assert not np.any(asked[1]["trip_missing"])
    assert "median_was_missing" not in train


def test_a_proof_tries_values_that_fill(transformed):
    features = [f for f in transformed.layout.features if f.treatment == "missing"]
    found = boundaries(str(transformed.graph), features)
    assert found.keys() == {"mean", "empty", "count", "city"}
    assert {FILLS["mean"], -3.5, b"y", b"9"} <= set(found["mean"])


def test_one_row_fills_with_its_own_value(run):
    rows = {"train": {"fare": [3.0]}, "eval": {"fare": [None]}}
    got = run({"fare": "FLOAT"}, {"fare": "min_max"}, rows, missing={"fare": {"fill": "mean"}})
    assert got.split("eval")["fare_min_max"] == got.split("train")["fare_min_max"]
    assert got.split("eval")["fare_was_missing"] == [1.0]
