"""Projections of several columns, compared with scikit-learn, in training and when loaded again."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from sklearn.decomposition import PCA
from sklearn.random_projection import GaussianRandomProjection

from components.transform.treatments.pca import CombineProducts
from components.transform.treatments.random_projection import random_weights
from schemas.treatments.random_projection import RandomProjection

pytestmark = pytest.mark.component

ROWS = 500
RNG = np.random.default_rng(3)
NAN, INF = float("nan"), float("inf")
SHARED = RNG.normal(size=ROWS)
# The graph takes integers first, and numbers with all digits last; the weights keep the order of
# the use. `x` varies by less than a float32 shows.
TRAIN = {
    "x": 5.3221 + (SHARED + RNG.normal(size=ROWS) / 9) * 1e-7,
    "n": np.round(100 * SHARED + RNG.normal(size=ROWS)).astype(np.int64),
    "holes": np.where(RNG.random(ROWS) < 0.3, NAN, RNG.normal(size=ROWS)).astype(np.float32),
    "constant": np.full(ROWS, 7, np.float32),
    "empty": np.full(ROWS, NAN, np.float32),
}
OTHERS = {
    "x": np.array([5.3221, NAN, INF, -1e30, 5.32209995]),
    "n": np.array([3, -(2**63), 2**53, -(2**53), 0]),  # the second one is missing
    "holes": np.array([NAN, NAN, -INF, 3.5, 1.0], np.float32),
    "constant": np.array([7, NAN, 7, 7, 7], np.float32),
    "empty": np.array([NAN, NAN, 1, -1, INF], np.float32),
}
COLUMNS = list(TRAIN)
ROUND = np.round(RNG.normal(size=(ROWS, 3)) * 2**14) / 2**14
KINDS = dict.fromkeys(TRAIN, "FLOAT") | {"n": "INT", "x": "FLOAT_TEXT"}
COMBINATIONS = [
    {"pca": {"columns": COLUMNS, "components": 3, "name": "axes"}},
    {"pca": {"columns": COLUMNS[3:]}},
    {"random_projection": {"columns": COLUMNS, "components": 3, "seed": 5, "name": "gauss"}},
    {"random_projection": {"columns": COLUMNS[:2], "components": 2, "weights": "sparse"}},
]


@pytest.fixture(scope="module")
def transformed(run):
    split = {name: values.tolist() for name, values in TRAIN.items()}
    return run(KINDS, {"x": "z_score"}, {"train": split}, combinations=COMBINATIONS, batch_rows=200)


@pytest.fixture(scope="module")
def graph(transformed):
    # Without the layer's cast of float64 to float32.
    loaded = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer().call

    def features(rows):
        count = len(rows["x"])
        out = loaded({n: tf.constant(v) for n, v in rows.items()} | _label_columns(count))
        return {name: values.numpy() for name, values in out.items()}

    return features


def _label_columns(rows):
    return {name: tf.ones(rows) for name in ("tips", "of")}


def standardized(rows):
    """The columns as z-scores of the training rows, 0 where missing, [rows, columns]."""
    columns = []
    for name, values in rows.items():
        seen, own = TRAIN[name].astype(np.float64), values.astype(np.float64)
        own[values == -(2**63)] = NAN
        seen = seen[np.isfinite(seen)]
        if len(seen) == 0:
            columns.append(np.zeros(len(own)))
            continue
        apart = own - seen.mean()
        columns.append(np.nan_to_num(np.clip(apart / (seen.std() or 1), -10, 10)))
    return np.stack(columns, axis=1)


@pytest.fixture(params=["train", "other"])
def case(request, transformed, graph):
    """Return raw rows and what became of them: training rows, and others in the graph."""
    if request.param == "other":
        return OTHERS, graph(OTHERS)
    got = transformed.split("train")
    return TRAIN, {name: np.array(values, np.float32) for name, values in got.items()}


def features(got, stem, count):
    return np.stack([got[f"{stem}_{i}"] for i in range(1, count + 1)], axis=1)


def test_a_gaussian_projection_is_scikit_learns(case):
    raw, got = case
    projection = GaussianRandomProjection(3, random_state=5).fit(np.zeros((1, len(COLUMNS))))
    expected = projection.transform(standardized(raw))
    np.testing.assert_allclose(features(got, "gauss", 3), expected, rtol=1e-5, atol=1e-5)


def test_principal_components_are_scikit_learns(case):
    raw, got = case
    fitted = PCA(3, svd_solver="full").fit(standardized(TRAIN))
    largest = np.abs(fitted.components_).argmax(axis=1)
    signs = np.sign(fitted.components_[range(3), largest])
    expected = fitted.transform(standardized(raw)) * signs
    np.testing.assert_allclose(features(got, "axes", 3), expected, rtol=2e-3, atol=2e-3)
    assert not features(got, "constant_empty_pca", 2).any() or raw is OTHERS


def test_components_do_not_depend_on_the_order_of_rows():
    def weights(order):
        combine = CombineProducts()
        half = len(order) // 2
        parts = [
            combine.add_input(combine.create_accumulator(), (ROUND[rows],))
            for rows in (order[:half], order[half:])
        ]
        merged = combine.merge_accumulators(parts[::-1])
        assert merged is not None
        return combine.extract_output(merged).tolist()

    assert weights(np.arange(ROWS)) == weights(RNG.permutation(ROWS))


def test_one_row_or_none_have_no_components():
    combine = CombineProducts()
    for rows in (np.zeros((0, 2)), np.ones((1, 2))):
        accumulator = combine.add_input(combine.create_accumulator(), (rows,))
        assert accumulator is not None
        means, *axes = combine.extract_output(accumulator)
        assert means.tolist() == rows.sum(axis=0).tolist()
        assert np.isfinite(axes).all()


def test_a_sparse_projection_has_weights_of_one_size(case):
    raw, got = case
    options = RandomProjection(columns=("x", "n"), components=2, weights="sparse")
    weights = random_weights(options, 2)
    expected = standardized(raw)[:, :2] @ weights
    np.testing.assert_allclose(
        features(got, "x_n_random_projection", 2), expected, rtol=1e-5, atol=1e-5
    )


def test_sparse_weights_keep_the_expected_length():
    options = RandomProjection(columns=("x", "y"), components=400, weights="sparse")
    weights = random_weights(options, 100)
    assert len(np.unique(np.abs(weights))) == 2
    assert np.count_nonzero(weights) / weights.size == pytest.approx(0.1, abs=0.01)
    assert np.square(weights).sum(axis=1).mean() == pytest.approx(1, abs=0.05)


def test_a_row_has_the_same_features_alone_as_in_a_batch(graph):
    together = graph(TRAIN)
    for row in (0, 7, ROWS - 1):
        alone = graph({name: values[row : row + 1] for name, values in TRAIN.items()})
        for name, values in alone.items():
            assert values[0] == together[name][row], name
