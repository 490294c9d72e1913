"""Intervals that follow from the label, compared with scikit-learn's decision trees."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from components.transform.target_edges import SumLabels, splits
from components.transform.treatments.buckets import boundaries

pytestmark = pytest.mark.component

ROWS, BINS, LEAST = 600, 5, 40
RNG = np.random.default_rng(11)
NAN, INF = float("nan"), float("inf")
X = RNG.normal(size=ROWS).astype(np.float32)
LABEL = (RNG.random(ROWS) < np.where(np.abs(X) < 0.4, 0.9, 0.2)).astype(int)
COLUMNS = {
    "step": X,
    "noise": RNG.normal(size=ROWS).astype(np.float32),
    "few": np.rint(X * 2),
    "holes": np.where(RNG.random(ROWS) < 0.2, NAN, X),
    "infinite": np.where(RNG.random(ROWS) < 0.05, INF, X),
    "constant": np.full(ROWS, 7.0),
    "empty": np.full(ROWS, NAN),
    "whole": np.rint(X * 1_000).astype(int),
}
KINDS = {name: "INT" if name == "whole" else "FLOAT" for name in COLUMNS}
OPTIONS = {"edges": "target", "bins": BINS, "min_count": LEAST}


def tree(values, label, *, kind=DecisionTreeClassifier, weight=None, leaves=BINS):
    known = np.isfinite(values)
    weight = None if weight is None else weight[known]
    made = kind(max_leaf_nodes=leaves, min_samples_leaf=LEAST, random_state=0)
    return made.fit(values[known, None], label[known], weight).apply(values[known, None])


def same_parts(one, other):
    pairs = set(zip(np.asarray(one).tolist(), np.asarray(other).tolist(), strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.fixture(scope="module")
def transformed(run):
    narrow = {"edges": "target", "bins": 2, "min_count": LEAST}
    features = {n: [{"piecewise_linear": OPTIONS}, {"buckets": OPTIONS}] for n in COLUMNS}
    features["holes"] = [{"piecewise_linear": OPTIONS}, {"buckets": narrow}]
    rows = {n: [None if v != v else v for v in own.tolist()] for n, own in COLUMNS.items()}
    rows |= {"tips": LABEL.astype(float).tolist()}
    return run(KINDS, features, {"train": rows}, batch_rows=250)


@pytest.mark.parametrize("name", [n for n in COLUMNS if n not in ("constant", "empty")])
def test_intervals_are_the_leaves_of_scikit_learns_tree(transformed, name):
    got, values = transformed.split("train"), COLUMNS[name]
    known = np.isfinite(values)
    leaves = tree(values, LABEL)
    assert same_parts(np.array(got[f"{name}_bin"])[known], leaves)
    own = tree(values, LABEL, leaves=2) if name == "holes" else leaves
    assert same_parts(np.array(got[f"{name}_buckets"])[known], own)
    for feature in (f"{name}_bin", f"{name}_buckets"):
        assert (np.array(got[feature])[np.isnan(values)] == 0).all()
        assert (np.array(got[feature])[~np.isnan(values)] > 0).all()
    sizes = {f.name: f.size for f in transformed.layout.features}
    assert sizes[f"{name}_buckets"] == 1 + (2 if name == "holes" else BINS)
    assert max(got[f"{name}_buckets"]) < sizes[f"{name}_buckets"]


def test_a_place_is_the_share_of_its_interval(transformed):
    got, values = transformed.split("train"), COLUMNS["step"].astype(np.float64)
    leaf = np.array(got["step_bin"])
    starts = [values[leaf == number].min() for number in range(1, BINS + 1)]
    ends = np.append(starts, values.max())
    place = np.interp(values, ends, np.arange(BINS + 1))
    np.testing.assert_allclose(got["step_place"], place, rtol=1e-6, atol=1e-6)


def test_columns_of_one_value_or_none_have_one_interval(transformed):
    got = transformed.split("train")
    assert set(got["constant_buckets"]) == {1}
    assert set(got["constant_place"]) == {0}
    for name in ("empty_buckets", "empty_bin", "empty_place"):
        assert set(got[name]) == {0}


def test_the_saved_graph_gives_the_same_without_labels(transformed):
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    dtypes = {"INT": np.int64, "FLOAT": np.float32}
    inputs = {n: tf.constant(v.astype(dtypes[KINDS[n]])) for n, v in COLUMNS.items()}
    inputs |= {name: tf.fill([ROWS], NAN) for name in ("tips", "of")}
    outputs, train = graph(inputs), transformed.split("train")
    for name in (f.name for f in transformed.layout.features):
        assert outputs[name].numpy().tolist() == train[name], name
    inputs["step"] = tf.constant([-INF, INF, -9, 9] * (ROWS // 4), tf.float32)
    ids = graph(inputs)["step_buckets"].numpy()[:4].tolist()
    assert ids == [1, BINS, 1, BINS]


def test_a_proof_tries_the_ends(transformed):
    got, values = transformed.split("train"), COLUMNS["step"]
    starts = [values[np.array(got["step_bin"]) == n].min() for n in range(2, BINS + 1)]
    tried = boundaries(str(transformed.graph), transformed.layout.features)
    assert set(starts) <= set(tried["step"])


@pytest.mark.parametrize("task", ["multiclass", "regression"])
@pytest.mark.parametrize("weighted", [False, True])
def test_classes_and_numbers_with_weights_are_split_as_by_scikit_learn(task, weighted):
    values = X.astype(np.float64)
    label, kind = np.digitize(X + RNG.normal(0, 0.3, ROWS), [-1, 0, 1]), DecisionTreeClassifier
    if task == "regression":
        number = np.sin(3 * X) + RNG.normal(0, 0.1, ROWS)
        label, kind = (number - number.min()) / np.ptp(number), DecisionTreeRegressor
    weight = RNG.integers(1, 1_025, ROWS) / 1_024 if weighted else np.ones(ROWS)
    candidates = np.unique(values)
    place = np.searchsorted(candidates, values)[:, None]
    combine, parts = SumLabels(), np.array_split(RNG.permutation(ROWS), 3)
    batches = [(place[p], candidates[None], label[p], weight[p]) for p in parts]
    batches.append((place[:0], candidates[None], label[:0], weight[:0]))
    sums = [combine.add_input(None, batch) for batch in batches]
    merged = combine.merge_accumulators([None, *sums])
    again = combine.merge_accumulators(sums[::-1])
    assert merged is not None
    assert again is not None
    np.testing.assert_array_equal(merged[1], again[1])
    found = splits(merged[1][0], BINS, LEAST)
    leaves = tree(values, label, kind=kind, weight=weight)
    assert same_parts(np.searchsorted(found, place[:, 0], side="right"), leaves)


def test_rows_of_no_class_and_labels_that_are_all_equal_split_nothing():
    place = np.arange(300)[:, None]
    for label in (np.full(300, -1), np.zeros(300, int)):
        _, sums = SumLabels().add_input(None, (place, place.T * 1.0, label, np.ones(300)))
        assert splits(sums[0], BINS, LEAST) == []
