"""`group_statistics`, compared with numpy, in training and when the graph is loaded again."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

pytestmark = pytest.mark.component

NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(6)
ROWS = 900
GROUP = RNG.choice(["a", "b", "c", "", "rare"], ROWS, p=[0.5, 0.3, 0.1, 0.09, 0.01])
FARE = np.where(RNG.random(ROWS) < 0.1, NAN, RNG.normal(5 + 9 * (GROUP == "b"), 2))
FARE = np.where(RNG.random(ROWS) < 0.01, INF, FARE).astype(np.float32)
TIME = 2**40 - RNG.integers(0, 50, ROWS)
STATISTICS = ["mean", "std", "count", "difference"]
MEDIANS = {"relative_to": "median", "statistics": ["ratio", "median", "difference"]}
OTHERS = {
    "fare": np.array([7, NAN, INF, -1e30, 1e-40, 3], np.float32),
    "time": np.array([2**53, -(2**63), 0, -(2**53), 2**40 - 9, 1]),
    "empty": np.array([1, NAN, 2, 3, 4, 5], np.float32),
    "group": np.array(["a", "b", "c", "", "new", "rare"]),
}
OTHERS["miles"] = OTHERS["fare"]
TRAIN = {
    "fare": FARE,
    "miles": FARE,
    "time": TIME,
    "empty": np.full(ROWS, NAN, np.float32),
    "group": GROUP,
}
KINDS = {"fare": "FLOAT", "miles": "FLOAT", "time": "INT", "empty": "FLOAT", "group": "BYTES"}


@pytest.fixture(scope="module")
def transformed(run):
    options = {"by": "group", "statistics": STATISTICS, "min_count": 20}
    features = {name: {"group_statistics": options} for name in ("time", "empty")}
    features["fare"] = {"group_statistics": {**options, "statistics": ["ratio", *STATISTICS]}}
    features["miles"] = {"group_statistics": {**options, **MEDIANS}}
    rows = {name: values.tolist() for name, values in TRAIN.items()}
    rows["group"] = [value or None for value in rows["group"]]
    return run(KINDS, features, {"train": rows}, batch_rows=400)


@pytest.fixture(params=["train", "other"])
def case(request, transformed):
    """Return raw rows and what became of them: of training rows, and of others in the graph."""
    if request.param == "train":
        return TRAIN, transformed.split("train")
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    inputs = {name: tf.constant(values) for name, values in OTHERS.items()}
    got = graph(inputs | {name: tf.ones(6) for name in ("tips", "of")})
    return OTHERS, {name: values.numpy() for name, values in got.items()}


def scaled(name, values):
    """Z-scores of the training rows; NaN where missing."""
    first = np.int64(2**40) if name == "time" else 0  # sums of great numbers lose digits
    train = (TRAIN[name] - first).astype(np.float64)
    known = train[np.isfinite(train)]
    own = np.where(values == -(2**63), NAN, (values - first).astype(np.float64))
    return (own - known.mean()) / known.std() if len(known) else np.full(len(own), NAN)


@pytest.mark.parametrize("name", ["fare", "time"])
def test_groups_have_the_statistics_of_their_training_rows(case, name):
    raw, got = case
    own, train = scaled(name, raw[name]), scaled(name, TRAIN[name])
    known = np.isfinite(train)
    for row, group in enumerate(raw["group"]):
        rows = train[known & (group == GROUP)]
        seen = (group == GROUP).sum() >= 20
        used = rows if seen else train[known]
        count = np.log1p(len(rows) if seen else 0) / np.log1p(known.sum())
        difference = np.nan_to_num(np.clip(own[row] - used.mean(), -10, 10))
        expected = [used.mean(), used.std(), count, difference]
        found = [got[f"{name}_by_group_{statistic}"][row] for statistic in STATISTICS]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=group)


def test_ratios_are_to_the_mean_of_the_group(case):
    raw, got = case
    known = np.isfinite(FARE)
    for row, group in enumerate(raw["group"]):
        seen = (group == GROUP).sum() >= 20
        mean = FARE[known & (group == GROUP) if seen else known].astype(np.float64).mean()
        expected = np.nan_to_num(np.clip(np.float64(raw["fare"][row]) / mean, -10, 10))
        np.testing.assert_allclose(got["fare_by_group_ratio"][row], expected, rtol=1e-6, atol=1e-30)


def test_medians_are_middle_values_of_the_group(case):
    raw, got = case
    own, train = scaled("fare", raw["fare"]), scaled("fare", FARE)
    known = np.isfinite(train)
    for row, group in enumerate(raw["group"]):
        rows = known & (group == GROUP) if (group == GROUP).sum() >= 20 else known
        middle = got["miles_by_group_median"][row]
        ends = [np.quantile(train[rows], 0.5, method=end) for end in ("lower", "higher")]
        assert ends[0] - 1e-5 <= middle <= ends[1] + 1e-5, group
        number = train[rows][np.abs(train[rows] - middle).argmin()]
        median = FARE[rows][(train[rows] == number).argmax()]
        difference = np.nan_to_num(np.clip(own[row] - number, -10, 10))
        ratio = np.nan_to_num(np.clip(np.float64(raw["fare"][row]) / median, -10, 10))
        found = [got[f"miles_by_group_{name}"][row] for name in ("difference", "ratio")]
        np.testing.assert_allclose(found, [difference, ratio], rtol=1e-4, atol=1e-5)


def test_a_column_without_values_has_no_statistics(case):
    raw, got = case
    for statistic in STATISTICS:
        assert not np.any(got[f"empty_by_group_{statistic}"]), statistic
    assert len(got["empty_by_group_mean"]) == len(raw["group"])


def test_one_row_has_the_mean_of_its_group(run):
    rows = {"fare": [3.0], "group": ["a"]}
    features = {"fare": {"group_statistics": {"by": "group", "statistics": STATISTICS}}}
    got = run({"fare": "FLOAT", "group": "BYTES"}, features, {"train": rows}).split("train")
    assert [got[f"fare_by_group_{s}"] for s in STATISTICS] == [[0], [0], [1], [0]]
