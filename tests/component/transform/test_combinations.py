"""Places and products of columns, compared with scikit-learn and with geohashes by bisection."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from sklearn.metrics.pairwise import haversine_distances
from sklearn.preprocessing import PolynomialFeatures

from components.transform.treatments import geohash, haversine

pytestmark = pytest.mark.component

NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(4)
ROWS = 400


def column(*values):
    return np.array(values, np.float32)


def fine(*values):
    """Return numbers as a column holds them that keeps the digits of a float64."""
    return np.array(values, np.float64)


NEAR = np.float32(41.8781)  # two places that are one, a metre apart, and at opposite points
ODD = {
    "lat": column(0, 90, -90, 45, NEAR, NEAR, 0, NAN, 91, INF, 5, 1e-40),
    "lon": column(0, 0, 180, -180, -87.6298, -87.6298, 0, 5, 5, 5, -180.1, 0),
    "lat2": fine(0, -90, -90, 45, NEAR, np.nextafter(NEAR, column(90)[0]), 0, 5, 5, 5, 5, 0),
    "lon2": column(0, 0, 0, 180, -87.6298, -87.6298, 180, 5, 5, 5, 5, NAN),
    "n": np.array([0, 2**53, -(2**53), -(2**63), 5, 5, 5, 5, 5, 5, 5, 5]),
    "fine": 5.3221 + fine(*range(11), NAN) * 1e-9,
    "x": column(1e-40, INF, 3e38, 1, NAN, 1, 1, 1, 1, 1, 1, 1),
    "same": column(*[7] * 12),
    "empty": column(*[NAN] * 12),
}
REAL = {
    "lat": RNG.uniform(-90, 90, ROWS).astype(np.float32),
    "lon": RNG.uniform(-180, 180, ROWS).astype(np.float32),
    "lat2": RNG.uniform(-90, 90, ROWS),
    "lon2": RNG.uniform(-180, 180, ROWS).astype(np.float32),
    "n": RNG.integers(-1_000, 1_000, ROWS),
    "fine": 5.3221 + RNG.permutation(ROWS) * 1e-9,
    "x": RNG.lognormal(size=ROWS).astype(np.float32),
    "same": np.full(ROWS, 7, np.float32),
    "empty": np.full(ROWS, NAN, np.float32),
}
KINDS = dict.fromkeys(REAL, "FLOAT") | {"n": "INT", "lat2": "FLOAT_TEXT", "fine": "FLOAT_TEXT"}
POINTS = [
    {"name": "ohare", "latitude": 41.9786, "longitude": -87.9048},
    {"name": "pole", "latitude": 90, "longitude": 0},
]
PLACE, PRODUCT = ["lat", "lon"], ["x", "n", "same", "empty"]
COMBINATIONS = [
    {"geohash": {"columns": PLACE, "levels": list(range(1, 9)), "buckets": 10**9, "name": "cell"}},
    {"haversine": {"columns": [*PLACE, "lat2", "lon2"], "log1p": False, "standardize": False}},
    {"haversine": {"columns": PLACE, "to": POINTS, "name": "to"}},
    {"polynomial": {"columns": PRODUCT, "degree": 3}},
    {"polynomial": {"columns": ["x", "n"], "interaction_only": True, "log1p": True, "name": "p"}},
    {"polynomial": {"columns": ["fine", "x"], "interaction_only": True, "name": "q"}},
]


@pytest.fixture(scope="module")
def transformed(run):
    split = {name: values.tolist() for name, values in REAL.items()}
    return run(KINDS, {"x": "z_score"}, {"train": split}, combinations=COMBINATIONS, batch_rows=200)


@pytest.fixture(scope="module")
def graph(transformed):
    # Without the layer's cast of float64 to float32.
    loaded = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer().call

    def features(rows):
        ones = tf.ones(len(rows["x"]))
        inputs = {name: tf.constant(values) for name, values in rows.items()}
        return {n: v.numpy() for n, v in loaded({**inputs, "tips": ones, "of": ones}).items()}

    return features


@pytest.fixture(params=["train", "other"])
def case(request, transformed, graph):
    """Return raw rows and what became of them: training rows, and others in the graph."""
    if request.param == "other":
        return ODD, graph(ODD)
    return REAL, {n: np.array(v, np.float32) for n, v in transformed.split("train").items()}


def on_earth(*columns):
    return [np.isfinite(c) & (np.abs(c) <= (180 if i % 2 else 90)) for i, c in enumerate(columns)]


def hashed(latitude, longitude, level):
    """Return the geohash of a place by halving the world."""
    ends = [[-180.0, 180.0], [-90.0, 90.0]]
    bits = ""
    for step in range(5 * level):
        low, high = ends[step % 2]
        middle, value = (low + high) / 2, (longitude, latitude)[step % 2]
        bits += "01"[int(value >= middle)]
        ends[step % 2] = [middle, high] if value >= middle else [low, middle]
    return bits


@pytest.mark.parametrize("level", range(1, 9))
def test_places_share_an_id_if_they_share_a_geohash(case, level):
    raw, got = case
    known = np.logical_and(*on_earth(raw["lat"], raw["lon"]))
    ids = np.array(got[f"cell_{level}"])
    assert (ids[~known] == 0).all()
    assert (ids[known] > 0).all()
    pairs = zip(raw["lat"][known].tolist(), raw["lon"][known].tolist(), strict=True)
    cells = [hashed(*place, level) for place in pairs]
    assert len(set(cells)) == len(set(ids[known])) == len(set(zip(cells, ids[known], strict=True)))


def kilometres(raw, columns):
    """The distance by scikit-learn; NaN where a place is missing."""
    values = [np.broadcast_to(raw.get(c, c), len(raw["x"])).astype(np.float64) for c in columns]
    known = np.all(on_earth(*values), axis=0)
    angles = [np.radians(np.where(known, v, 0)) for v in values]
    apart = [
        haversine_distances([[a, b]], [[c, d]])[0, 0] for a, b, c, d in zip(*angles, strict=True)
    ]
    return np.where(known, np.array(apart) * 6371.0088, NAN)


def test_distances_are_scikit_learns(case):
    raw, got = case
    expected = kilometres(raw, ["lat", "lon", "lat2", "lon2"])
    name = "lat_lon_lat2_lon2_haversine"
    np.testing.assert_allclose(got[name], np.nan_to_num(expected), rtol=1e-6, atol=2e-6)
    np.testing.assert_array_equal(got[f"{name}_missing"], np.isnan(expected))
    for point in POINTS:
        columns = ["lat", "lon", point["latitude"], point["longitude"]]
        train, own = (np.log1p(kilometres(rows, columns)) for rows in (REAL, raw))
        scaled = np.clip(np.nan_to_num((own - train.mean()) / train.std()), -10, 10)
        np.testing.assert_allclose(got[f"to_{point['name']}"], scaled, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(
        got["to_missing"], ~np.logical_and(*on_earth(*map(raw.get, PLACE)))
    )


def z_score(raw, name, tame=lambda values: values):
    """A column as z-scores of the training rows, 0 where missing; subnormal floats are 0."""

    def numbers(values):
        missing = values == np.iinfo(np.int64).min if name == "n" else np.isnan(values)
        values = np.where(missing, NAN, values.astype(np.float64))
        return tame(np.where(np.abs(values) < np.finfo(np.float32).tiny, 0, values))

    seen = numbers(REAL[name])
    if np.isnan(seen).all():
        return np.zeros(len(raw[name]))
    return np.nan_to_num(np.clip((numbers(raw[name]) - seen.mean()) / (seen.std() or 1), -3, 3))


def test_products_are_scikit_learns(case):
    raw, got = case
    columns = np.stack([z_score(raw, name) for name in PRODUCT], axis=1)
    features = PolynomialFeatures(3, include_bias=False).fit(columns)
    expected = features.transform(columns)[:, len(PRODUCT) :]
    degrees = features.powers_[len(PRODUCT) :]
    for powers, values in zip(degrees, expected.T, strict=True):
        name = "_times_".join(np.repeat(PRODUCT, powers))
        np.testing.assert_allclose(got[name], values, rtol=1e-5, atol=1e-5, err_msg=name)

    def tamed(values):
        return np.sign(values) * np.log1p(np.abs(values))

    both = z_score(raw, "x", tamed) * z_score(raw, "n", tamed)
    np.testing.assert_allclose(got["p_x_times_n"], both, rtol=1e-5, atol=1e-5)
    digits = z_score(raw, "fine") * z_score(raw, "x")
    np.testing.assert_allclose(got["q_fine_times_x"], digits, rtol=1e-5, atol=1e-5)


def test_a_row_has_the_same_features_alone_as_in_a_batch(graph):
    together = graph(REAL)
    for row in (0, 7, ROWS - 1):
        alone = graph({name: values[row : row + 1] for name, values in REAL.items()})
        for name, values in alone.items():
            assert values[0] == together[name][row], name


def test_a_proof_tries_the_edges_of_large_cells_and_the_ends_of_the_scales(transformed):
    features = transformed.layout.by_treatment()
    ends = geohash.boundaries("", features["geohash"])
    assert {-90, 0, 45, 90, 90 - 180 / 2**12} <= set(ends["lat"])
    assert {-180, 0, 90, 180, 180 - 360 / 2**13} <= set(ends["lon"])
    ends = haversine.boundaries(str(transformed.graph), features["haversine"])
    assert {-90, 90} <= set(ends["lat2"])
    assert {-180, 180} <= set(ends["lon2"])
    assert {POINTS[0]["latitude"], -90} <= set(ends["lat"])
