"""`target_mean` and `weight_of_evidence`: the figures of serving, and those of training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import TargetEncoder

from components.transform.sums_by_value import Folds, add_folds, batch_sums, floats, total

pytestmark = pytest.mark.component

ROWS = 2_000
RNG = np.random.default_rng(4)
CITY = RNG.choice(["Oslo", "Bergen", "Voss", ""], ROWS, p=[0.6, 0.3, 0.09, 0.01])
CHANCE = np.select([CITY == "Oslo", CITY == "Bergen"], [0.2, 0.6], 0.9)
POSITIVE = (RNG.random(ROWS) < CHANCE).astype(float)
FOLDS = RNG.integers(0, 4, ROWS)
NOISE = RNG.integers(0, 1_000, ROWS)  # nothing but chance, in about two rows a value
TRAIN: dict[str, list[Any]] = {
    "city": [value or None for value in CITY],
    "noise": NOISE.tolist(),
    "constant": ["x"] * ROWS,
    "empty": [None] * ROWS,
    "tips": POSITIVE.tolist(),
}
OTHERS: dict[str, list[Any]] = {
    "city": ["Oslo", "Bergen", "Voss", None, "Oslo\n", "new"],
    "noise": [int(NOISE[0]), -1, None, 2**53, -(2**53), 5],
    "constant": ["x", "y", None, "x", "x", "x"],
    "empty": [None, "a", None, None, None, None],
}
KINDS = {"city": "BYTES", "noise": "INT", "constant": "BYTES", "empty": "BYTES"}
SMOOTHED = [{"target_mean": {"smoothing": 5}}, {"weight_of_evidence": {"smoothing": 5}}]


@pytest.fixture(scope="module")
def binary(run):
    features = dict.fromkeys(KINDS, SMOOTHED) | {"noise": [*SMOOTHED, "frequency"]}
    splits = {"train": TRAIN, "eval": OTHERS}
    return run(KINDS, features, splits, batch_rows=700, folds=FOLDS.tolist())


def text(values):
    return np.array(["" if value is None else str(value) for value in values])


def means(train, label, values, smoothing=5.0, weight=None):
    """The smoothed means of the label by hand."""
    weight = np.ones(len(label)) if weight is None else weight
    overall = np.average(label, weights=weight) if len(label) else 0.0
    own = [train == value for value in values]
    return np.array(
        [
            ((label * weight)[o].sum() + smoothing * overall) / (weight[o].sum() + smoothing)
            for o in own
        ]
    )


def standardized(mean, label, weight=None):
    overall = np.average(label, weights=weight)
    deviation = np.sqrt(np.average((label - overall) ** 2, weights=weight))
    return (mean - overall) / deviation


@pytest.mark.parametrize("name", KINDS)
def test_serving_has_the_figures_of_all_training_rows(binary, name):
    mean = means(text(TRAIN[name]), POSITIVE, text(OTHERS[name]))
    got = binary.split("eval")
    expected = standardized(mean, POSITIVE)
    np.testing.assert_allclose(got[f"{name}_target_mean"], expected, rtol=1e-6, atol=1e-7)
    overall = POSITIVE.mean()
    evidence = np.log(mean / (1 - mean)) - np.log(overall / (1 - overall))
    np.testing.assert_allclose(got[f"{name}_weight_of_evidence"], evidence, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_training_rows_have_the_figures_of_other_folds(binary, name):
    expected = np.zeros(ROWS)
    for fold in range(4):
        others, own = fold != FOLDS, fold == FOLDS
        values = text(TRAIN[name])
        expected[own] = means(values[others], POSITIVE[others], values[own])
    got = binary.split("train")[f"{name}_target_mean"]
    np.testing.assert_allclose(got, standardized(expected, POSITIVE), rtol=1e-5, atol=1e-6)


def test_noise_predicts_nothing_out_of_fold_and_the_label_if_encoded_naively(binary):
    def auc(scores):
        return roc_auc_score(POSITIVE, scores)

    out_of_fold = auc(binary.split("train")["noise_target_mean"])
    naive = auc(standardized(means(text(NOISE), POSITIVE, text(NOISE)), POSITIVE))
    assert naive > 0.8
    assert abs(out_of_fold - 0.5) < 0.05
    assert auc(binary.split("train")["city_target_mean"]) > 0.65


def test_the_loaded_graph_needs_neither_label_nor_fold(binary):
    assert all(not f.name.endswith("out_of_fold") for f in binary.layout.features)
    assert "noise_target_mean_out_of_fold" not in binary.split("train")
    graph = tft.TFTransformOutput(str(binary.graph)).transform_features_layer()
    missing = {"INT": -(2**63), "BYTES": ""}
    inputs = {
        name: tf.constant([missing[KINDS[name]] if v is None else v for v in values])
        if KINDS[name] == "BYTES"
        else tf.constant([missing["INT"] if v is None else v for v in values], tf.int64)
        for name, values in OTHERS.items()
    }
    got = graph(inputs)
    for name in KINDS:
        for kind in ("target_mean", "weight_of_evidence"):
            feature = f"{name}_{kind}"
            assert got[feature].numpy().tolist() == binary.split("eval")[feature], feature


def test_weighted_numbers_with_folds_of_the_graph(run):
    weight = RNG.integers(0, 4, ROWS).astype(np.float32)
    price = np.float32(RNG.normal(1e5, 1e3, ROWS) + 4e3 * POSITIVE)
    label = {"task": "regression", "name": "price", "column": "price", "weight": "often"}
    kinds = {"city": "BYTES", "price": "FLOAT", "often": "FLOAT"}
    train = {"city": TRAIN["city"], "price": price.tolist(), "often": weight.tolist()}
    other = {"city": OTHERS["city"], "price": [1.0] * 6, "often": [1.0] * 6}
    features = {"city": [{"target_mean": {"smoothing": "auto", "min_count": 2}}]}
    got = run(kinds, features, {"train": train, "eval": other}, label=label, batch_rows=700)
    again = run(kinds, features, {"train": train, "eval": other}, label=label, batch_rows=700)
    assert got.split("train") == again.split("train")
    repeats = weight.astype(int)
    encoder = TargetEncoder(target_type="continuous").fit(
        np.repeat(text(TRAIN["city"]), repeats)[:, None], np.repeat(price.astype(float), repeats)
    )
    expected = encoder.transform(text(OTHERS["city"])[:, None])[:, 0]
    expected = standardized(expected, price.astype(float), weight)
    np.testing.assert_allclose(
        got.split("eval")["city_target_mean"], expected, rtol=1e-5, atol=1e-5
    )
    of_training = np.array(got.split("train")["city_target_mean"])
    assert len(np.unique(of_training[CITY == "Oslo"])) == 5  # random folds


def test_a_class_is_a_share_and_one_row_is_unseen_out_of_its_fold(run):
    label = {"task": "multiclass", "name": "kind", "column": "kind"}
    train = {"city": ["Oslo", "Oslo", "Voss"], "kind": ["a", "b", "c"]}
    features = {"city": [{"target_mean": {"classes": ["a", "c"], "smoothing": 1}}]}
    kinds = {"city": "BYTES", "kind": "BYTES"}
    folds = [0, 1, 1]
    got = run(kinds, features, {"train": train, "eval": train}, label=label, folds=folds)
    assert [f.name for f in got.layout.features] == ["city_target_mean_a", "city_target_mean_c"]
    third, deviation = 1 / 3, np.sqrt(2) / 3
    serving = (np.array([(1 + third) / 3, (1 + third) / 3, third / 2]) - third) / deviation
    np.testing.assert_allclose(got.split("eval")["city_target_mean_a"], serving, rtol=1e-6)
    # Without fold 0, one of three is left of each of b and c; without fold 1, a alone.
    apart = (np.array([0.0, 1.0, 1.0]) - third) / deviation
    np.testing.assert_allclose(got.split("train")["city_target_mean_a"], apart, rtol=1e-6)
    one = run(
        kinds,
        features,
        {"train": {name: values[:1] for name, values in train.items()}, "eval": train},
        label=label,
    )
    assert one.split("train")["city_target_mean_a"] == [0.0]
    assert one.split("eval")["city_target_mean_c"] == [0.0] * 3


def test_sums_are_exact_in_any_order():
    lines = np.array([b"0\ta", b"0\tb"], object)
    labels, weights = RNG.normal(size=(60, 1)) * 1e30 ** RNG.random((60, 1)), RNG.random(60)
    folds, places = RNG.integers(0, 3, 60), RNG.integers(0, 2, (1, 60))

    def summed(order):
        parts: dict[bytes, list[Folds]] = {}
        for row in order:
            one = slice(row, row + 1)
            batch = (lines, places[:, one], folds[one], weights[one], labels[one])
            for line, sums in batch_sums(batch):
                parts.setdefault(line, []).append(sums)
        return {line: floats(total(add_folds(each))).tolist() for line, each in parts.items()}

    assert summed(range(60)) == summed(RNG.permutation(60))
    assert summed(range(60))[b""][0] == 60
