"""Numbers that are scaled or put into intervals, compared with numpy and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from sklearn.preprocessing import (
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
)

from components.transform.treatments import buckets, equal_width, power, rank

pytestmark = pytest.mark.component

ROWS = 3_000
RNG = np.random.default_rng(8)
NAN, INF = float("nan"), float("inf")
TINY = np.finfo(np.float32).tiny
LARGE = 2**53


def column(values):
    return np.asarray(values, np.float32)


FLOATS = {
    "wide": column(RNG.lognormal(sigma=2, size=ROWS)),
    "negative": column(-5 - RNG.gamma(2, size=ROWS)),
    "mostly": column(np.where(RNG.random(ROWS) < 0.8, 0.0, RNG.normal(5, 1, ROWS))),
    "constant": column([3.5] * ROWS),
    "empty": column([NAN] * ROWS),
    "holes": column(np.where(RNG.random(ROWS) < 0.3, NAN, RNG.normal(size=ROWS))),
    "infinite": column(np.where(RNG.random(ROWS) < 0.1, -INF, RNG.normal(size=ROWS))),
    "tenths": column(RNG.integers(0, 10, ROWS) / 10),
}
WHOLE = {"large": LARGE - RNG.integers(0, 1_000, ROWS), "seconds": 1_700_000_000 + np.arange(ROWS)}
COLUMNS: dict[str, np.ndarray] = {**WHOLE, **FLOATS}
OTHERS: dict[str, np.ndarray] = {
    **{name: np.array([-LARGE, -1, 0, 1_700_000_007, LARGE - 7, LARGE]) for name in WHOLE},
    **{
        name: column([-INF, -1e30, -6.0, -0.0, 1e-40, 0.3, 0.7, 3.5, 4.0, 1e30, INF, NAN])
        for name in FLOATS
    },
}
AT = [-1, 0.3, 0.7, 5]
FEATURES = [
    {"min_max": {"range": [-1, 3]}},
    "max_abs",
    {"robust": {"clip": 2}},
    "power",
    {"equal_width": {"buckets": 7}},
    {"buckets": {"at": AT}},
]


@pytest.fixture(scope="module")
def transformed(run):
    features: dict[str, list[Any]] = {name: [*FEATURES, "rank"] for name in COLUMNS}
    at_quantiles, at_values = (
        {"min_max": o} for o in ({"quantiles": [0.05, 0.9]}, {"values": [0.2, 0.6]})
    )
    features["wide"] = [at_quantiles, *FEATURES[1:], {"rank": {"to": "normal"}}]
    features["tenths"] = [
        at_values,
        *FEATURES[1:4],
        {"equal_width": {"buckets": 3}},
        FEATURES[5],
        "rank",
    ]
    features["wide"].append({"z_score": {"clip_quantiles": [0.05, 0.9], "log1p": True}})
    features["holes"].append({"z_score": {"clip_values": [-1, 2]}})
    features["seconds"].append("z_score")
    kinds = {name: "INT" if name in WHOLE else "FLOAT" for name in COLUMNS}
    split = {name: values.tolist() for name, values in COLUMNS.items()}
    return run(kinds, features, {"train": split}, batch_rows=1_000)


@pytest.fixture(scope="module")
def others(transformed):
    """What the transform graph, loaded again, makes of values that training does not have."""
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    rows = max(map(len, OTHERS.values()))
    inputs = {name: tf.constant(np.resize(values, rows)) for name, values in OTHERS.items()}
    inputs |= {name: tf.ones(rows) for name in ("tips", "of")}
    return {
        name: values.numpy()[: len(OTHERS[name.rsplit("_")[0]])]
        for name, values in graph(inputs).items()
        if name != "big"
    }


@pytest.fixture(params=["train", "other"])
def case(request, transformed, others):
    """Return what a feature is made of, and what became of it; of training rows and others."""
    if request.param == "train":
        got = {name: np.array(values) for name, values in transformed.split("train").items()}
        return COLUMNS, got
    return OTHERS, others


def known(name):
    """A column's finite training values, sorted."""
    values = COLUMNS[name].astype(np.float64)
    return np.sort(values[np.isfinite(values)])


def finite_rows(name, values):
    """Values as scikit-learn takes them, [rows, 1]: subnormal is 0, infinite is large."""
    values = values.astype(np.float64)
    values = np.where(np.abs(values) < TINY, 0, values)
    return np.clip(values, -3e38, 3e38)[:, None]


def expect(case, kind, function, columns=COLUMNS, **tolerance):
    """Compare a feature of the columns with a function of (name, values), 0 where missing."""
    raw, got = case
    for name in columns:
        expected = np.zeros(len(raw[name]))
        missing = np.isnan(raw[name]) if name in FLOATS else np.zeros(len(raw[name]), bool)
        if name != "empty":
            expected = np.where(missing, 0, function(name, raw[name]))
        np.testing.assert_allclose(got[f"{name}_{kind}"], expected, err_msg=name, **tolerance)
        if f"{name}_{kind}_missing" in got:
            np.testing.assert_array_equal(got[f"{name}_{kind}_missing"], missing)


NEAR = {"rtol": 1e-6, "atol": 1e-6}


def test_min_max_is_scikit_learns(case):
    def scaled(name, values):
        # Counted from a column's least value: scikit-learn loses digits of great numbers.
        first = known(name)[0]
        scaler = MinMaxScaler((-1, 3), clip=True).fit(known(name)[:, None] - first)
        return scaler.transform(finite_rows(name, values) - first)[:, 0]

    expect(case, "min_max", scaled, COLUMNS.keys() - {"wide", "tenths", "constant"}, **NEAR)
    expect(case, "min_max", lambda _, values: np.full(len(values), -1), ["constant"])


def test_min_max_clips_at_quantiles_or_given_values(case):
    def between(name, values):
        ends = (0.2, 0.6) if name == "tenths" else np.quantile(known(name), (0.05, 0.9))
        return np.interp(finite_rows(name, values)[:, 0], ends, (0, 1))

    expect(case, "min_max", between, ["tenths"], **NEAR)
    expect(case, "min_max", between, ["wide"], atol=0.003)


def test_z_score_clips_before_and_after(case):
    ends = {"wide": np.quantile(known("wide"), (0.05, 0.9)), "holes": (-1, 2)}

    def scaled(name, values):
        def tamed(values):
            values = np.clip(values, *ends.get(name, (-INF, INF)))
            return np.log1p(values) if name == "wide" else values

        own = tamed(known(name))
        values = tamed(finite_rows(name, values)[:, 0])
        return np.clip((values - own.mean()) / own.std(), -10, 10)

    expect(case, "z_score", scaled, ["holes", "seconds"], **NEAR)
    expect(case, "z_score", scaled, ["wide"], atol=0.01)


def test_max_abs_is_the_share_of_the_greatest_absolute_value(case):
    def share(name, values):
        greatest = np.abs(known(name)).max()
        return np.clip(finite_rows(name, values)[:, 0] / greatest, -1, 1)

    expect(case, "max_abs", share, **NEAR)


def test_robust_is_scikit_learns_with_a_smooth_clip(case):
    def clipped(name, values):
        own = known(name)[:, None]
        y = RobustScaler().fit(own).transform(finite_rows(name, values))
        if name == "mostly":  # more than half of the rows have one value
            y = y / (np.ptp(own) / 2)
        return (y / np.sqrt(1 + (y / 2) ** 2))[:, 0]

    expect(case, "robust", clipped, COLUMNS.keys() - {"constant"}, atol=0.01)
    expect(case, "robust", lambda _, values: np.zeros(len(values)), ["constant"])


def test_equal_width_is_numpys_digitize(case):
    def number(name, values):
        own, count = known(name), 3 if name == "tenths" else 7
        if own[0] == own[-1]:
            return np.ones(len(values))
        return np.digitize(values, np.linspace(own[0], own[-1], count + 1)[1:-1]) + 1

    expect(case, "equal_width", number, COLUMNS.keys() - {"empty"})


def test_buckets_are_between_the_numbers_as_the_column_has_them(case):
    def number(name, values):
        at = column(AT) if name in FLOATS else np.array(AT)
        return np.digitize(values, at) + 1

    expect(case, "buckets", number, COLUMNS.keys() - {"empty"})


def test_power_is_scikit_learns_within_its_accuracy(case):
    def raised(name, values):
        scaler = PowerTransformer().fit(known(name)[:, None])
        with np.errstate(over="ignore", invalid="ignore"):
            return np.clip(scaler.transform(finite_rows(name, values))[:, 0], -10, 10)

    within = {"rtol": 0.02, "atol": 0.03}
    expect(case, "power", raised, ["wide", "negative", "holes", "infinite", "tenths"], **within)


def test_rank_is_scikit_learns(case):
    def ranked(name, values):
        to = "normal" if name == "wide" else "uniform"
        ranker = QuantileTransformer(n_quantiles=1_000, output_distribution=to)
        return ranker.fit(known(name)[:, None]).transform(finite_rows(name, values))[:, 0]

    columns = ["negative", "holes", "infinite", "large", "seconds"]
    expect(case, "rank", ranked, columns, atol=0.002)
    expect(case, "rank", ranked, ["wide"], atol=0.1)


def test_equal_values_have_the_middle_of_their_ranks(case):
    def middle(name, values):
        own = known(name)
        sides = [np.searchsorted(own, values, side=side) / len(own) for side in ("left", "right")]
        return np.mean(sides, axis=0)

    expect(case, "rank", middle, ["tenths"], atol=0.06 if case[0] is OTHERS else 0.002)
    expect(case, "rank", lambda _, values: np.full(len(values), 0.5), ["constant"])


def test_a_likeliest_exponent_is_scikit_learns_and_1_where_there_is_none():
    values = np.exp(RNG.normal(size=2_000))
    (expected,) = PowerTransformer(standardize=False).fit(values[:, None]).lambdas_
    assert power.likeliest(values) == pytest.approx(expected, abs=1e-4)
    assert power.likeliest(np.full(9, 2.0)) == 1.0
    assert power.likeliest(np.full(9, NAN)) == 1.0


@pytest.mark.parametrize(
    ("module", "jumps"),
    [
        (buckets, column(AT)),
        (equal_width, np.linspace(0, known("tenths")[-1], 4)[1:-1]),
        (rank, known("tenths")),
    ],
)
def test_boundaries_have_the_numbers_at_which_an_output_jumps(transformed, module, jumps):
    found = module.boundaries(str(transformed.graph), transformed.layout.features)
    assert set(jumps.tolist()) <= set(found["tenths"])


def test_one_row_is_a_constant_column(run):
    kinds = {"x": "FLOAT", "n": "INT"}
    splits = {"train": {"x": [7.5], "n": [LARGE]}, "eval": {"x": [1.0], "n": [3]}}
    one = run(kinds, {name: [*FEATURES, "rank"] for name in kinds}, splits)
    train, other = one.split("train"), one.split("eval")
    for name in kinds:
        assert train[f"{name}_min_max"] == other[f"{name}_min_max"] == [-1]
        assert train[f"{name}_max_abs"] == [1]
        assert train[f"{name}_robust"] == other[f"{name}_robust"] == [0]
        assert train[f"{name}_power"] == [0]
        assert other[f"{name}_power"][0] < 0
        assert train[f"{name}_rank"] == other[f"{name}_rank"] == [0.5]
        assert train[f"{name}_equal_width"] == other[f"{name}_equal_width"] == [1]
        assert (train[f"{name}_buckets"], other[f"{name}_buckets"]) == ([5], [4])


def test_scaled_numbers_are_dense_and_intervals_are_ids(transformed):
    features = [f for f in transformed.layout.features if f.columns == ("large",)]
    assert [(f.name.removeprefix("large_"), f.role, f.size) for f in features] == [
        *(
            (f"{kind}{flag}", "dense", 0)
            for kind in ("min_max", "max_abs", "robust", "power")
            for flag in ("", "_missing")
        ),
        ("equal_width", "embedding", 8),
        ("buckets", "embedding", 6),
        ("rank", "dense", 0),
        ("rank_missing", "dense", 0),
    ]
