"""Values as indicators and hashes, lengths of lists and shapes of texts, worked out in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.transform.treatments import multi_hot, one_hot, text_shape

pytestmark = pytest.mark.component

KINDS = {
    "city": "BYTES",
    "k": "INT",
    "x": "FLOAT",
    "void": "BYTES",
    "tags": "BYTES",
    "note": "BYTES",
}
KINDS |= {"days": "INT", "emb": "FLOAT"}
LISTS = {"tags": 4, "days": 3, "emb": 2}
TRAIN: dict[str, list[Any]] = {
    "city": ["é", "b", "é", None, "", "é", "b", "c"],
    "k": [7, 7, -1, None, 2**53, 7, -1, 0],
    "x": [0.5, 0.5, None, float("nan"), 1e-40, 0.0, 0.0, float("inf")],
    "void": [None] * 8,
    "tags": [["b", "a"], ["b"], None, [], ["b", "c", "b"], ["a", "z"], ["b"], None],
    "days": [[1], [1, 1], [], None, [-1], [5, -1], [1], [1, 2, 3]],
    "emb": [[1.5, 2.5], [], None, [1.5], [1.5], [], [2.5], [2.5]],
    "note": [
        "Two words",
        "ÄÖ 12",
        "",
        None,
        "  ",
        "x",
        "A\tB\nC 7",
        "日本 \N{FULLWIDTH DIGIT THREE}",
    ],
}
TEST: dict[str, list[Any]] = {
    "city": ["new", None, "c"],
    "k": [8, None, 2**53],
    "x": [3.0, None, 0.5],
    "void": ["a", None, "b"],
    "tags": [["z", "new"], [], None],
    "days": [[9, 9, 9], [], None],
    "emb": [[0.0, 1.0], [], None],
    "note": ["Ab1" * 400, None, "9"],
}
SPLITS = {"train": TRAIN, "test": TEST}
SINGLE = ("city", "k", "x", "void")
OF_TEXT = {"void": "void", "note": "note"}


@pytest.fixture(scope="module")
def transformed(run):
    hashes = [{"hash": {"buckets": 5_000}}]
    features = {
        "city": [{"one_hot": {"top_k": 2}}, *hashes, {"frequency": {"min_count": 2}}],
        "k": [{"one_hot": {"min_count": 2}}, {"hash": {"buckets": 7, "salt": "s"}}, "frequency"],
        "x": [{"one_hot": {"top_k": 3}}, *hashes, {"frequency": {"top_k": 2}}],
        "void": [{"one_hot": {"top_k": 1}}, "hash", "text_shape", "frequency"],
        "tags": [{"multi_hot": {"top_k": 3}}, "length", {"hash": {"buckets": 9, "combine": "sum"}}],
        "days": [{"multi_hot": {"top_k": 1}}, {"length": {"clip": 1.5}}, "hash"],
        "emb": [{"multi_hot": {"top_k": 2}}, "length"],
        "note": ["text_shape", "frequency"],
    }
    return run(KINDS, features, SPLITS, lists=LISTS)


@pytest.fixture(scope="module", params=["train", "test"])
def case(request, transformed):
    return SPLITS[request.param], transformed.split(request.param)


# The most frequent values in training, ties by their bytes. 1e-40 counts as 0.
TERMS: dict[str, list[Any]] = {
    "city": ["é", "b"],
    "k": [7, -1],
    "x": [0.0, 0.5, float("inf")],
    "void": [],
    "tags": ["b", "a", "c"],
    "days": [1],
    "emb": [1.5, 2.5],
}
COUNTS = {"city": 2, "k": 10, "x": 3, "void": 1, "tags": 3, "days": 1, "emb": 2}


def is_missing(value):
    return value is None or value == "" or value != value


@pytest.mark.parametrize("name", TERMS)
def test_an_indicator_is_1_where_a_frequent_value_is(case, name):
    raw, got = case
    kind = "multi_hot" if name in LISTS else "one_hot"
    for number in range(1, COUNTS[name] + 1):
        term = TERMS[name][number - 1] if number <= len(TERMS[name]) else None
        held = [
            value or [] if name in LISTS else [] if is_missing(value) else [value]
            for value in raw[name]
        ]
        if name == "x":
            held = [[0.0 if abs(v) < 1e-38 else v for v in own] for own in held]
        expected = [float(term in own) for own in held]
        assert got[f"{name}_{kind}_{number}"] == expected
    missing = [float(is_missing(value)) for value in raw[name]]
    assert got[f"{name}_{kind}_missing"] == missing


def test_a_hash_is_a_bucket_a_value_and_missing_is_0(transformed):
    pairs: dict[tuple[str, str], int] = {}
    for split, raw in SPLITS.items():
        got = transformed.split(split)
        for name in (*SINGLE, "tags", "days"):
            for value, bucket in zip(raw[name], got[f"{name}_hash"], strict=True):
                values = value if isinstance(value, list) else [None if value == "" else value]
                buckets = bucket if isinstance(bucket, list) else [bucket]
                for one, number in zip(values, buckets, strict=True):
                    assert (number == 0) == is_missing(one)
                    one = 0.0 if one == 1e-40 else one
                    assert pairs.setdefault((name, str(one)), number) == number
    sizes = {f.columns[0]: f.size for f in transformed.layout.features if f.treatment == "hash"}
    assert sizes == {"city": 5001, "k": 8, "x": 5001, "void": 1001, "tags": 10, "days": 1001}
    assert all(number < sizes[name] for (name, _), number in pairs.items())
    assert len({n for (name, _), n in pairs.items() if name == "city"}) == 5  # no two collide
    # The salt makes another hash of the same text.
    assert [pairs["k", "7"], pairs["k", "-1"]] != [pairs["days", "1"] % 7, pairs["days", "-1"] % 7]


@pytest.mark.parametrize("name", [*SINGLE, "note"])
def test_a_frequency_is_the_share_of_training_rows_with_the_value(case, name):
    raw, got = case
    train, own = (
        [None if is_missing(v) else 0.0 if v == 1e-40 else v for v in split[name]]
        for split in (TRAIN, raw)
    )
    rows = sum(value is not None for value in train)
    counts = [train.count(value) if value is not None else 0 for value in own]
    if name == "city":  # min_count is 2
        counts = [count if count > 1 else 0 for count in counts]
    if name == "x":  # infinity is the third value, of two
        counts = [0 if value == float("inf") else n for value, n in zip(own, counts, strict=True)]
    shares = np.array(counts) / max(rows, 1)
    np.testing.assert_allclose(got[f"{name}_frequency"], shares, rtol=1e-6)
    logs = np.log1p(counts) / np.log1p(max(rows, 1))
    np.testing.assert_allclose(got[f"{name}_frequency_log"], logs, rtol=1e-6)
    assert got[f"{name}_frequency_missing"] == [float(value is None) for value in own]


def standardized(train, values, clip=10.0):
    known = np.array([value for value in train if value is not None], np.float64)
    return [
        0.0 if v is None else np.clip((v - known.mean()) / (known.std() or 1), -clip, clip)
        for v in values
    ]


@pytest.mark.parametrize("name", LISTS)
def test_a_length_is_standardized_and_a_missing_list_is_flagged(case, name):
    raw, got = case
    train, lengths = (
        [None if own is None else len(own) for own in split[name]] for split in (TRAIN, raw)
    )
    expected = standardized(train, lengths, clip=1.5 if name == "days" else 10)
    np.testing.assert_allclose(got[f"{name}_length"], expected, rtol=1e-5, atol=1e-6)
    assert got[f"{name}_length_missing"] == [float(own is None) for own in raw[name]]


@pytest.mark.parametrize("name", ["note", "void"])
def test_the_shape_of_a_text_is_its_length_and_what_it_is_made_of(case, name):
    raw, got = case
    counts = {"characters": len, "words": lambda text: len(text.split())}
    for part, count in counts.items():
        train, own = (
            [None if is_missing(t) else np.log1p(count(t)) for t in split[name]]
            for split in (TRAIN, raw)
        )
        expected = standardized(train, own) if name == "note" else [0.0] * len(own)
        np.testing.assert_allclose(got[f"{name}_text_shape_{part}"], expected, rtol=1e-5, atol=1e-6)
    for part, is_one in (("digits", str.isdigit), ("upper", str.isupper)):
        share = [0 if is_missing(t) else np.mean([is_one(c) for c in t]) for t in raw[name]]
        np.testing.assert_allclose(got[f"{name}_text_shape_{part}"], share, rtol=1e-6)
    assert got[f"{name}_text_shape_missing"] == [float(is_missing(t)) for t in raw[name]]


def test_the_saved_graph_gives_what_was_written(transformed):
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    stand_ins = {"BYTES": "", "INT": -(2**63), "FLOAT": float("nan")}
    types = {"BYTES": tf.string, "INT": tf.int64, "FLOAT": tf.float32}
    inputs = {name: tf.ones(8) for name in ("tips", "of")}
    for name, kind in KINDS.items():
        missing = [stand_ins[kind]] if name in LISTS else stand_ins[kind]
        values = [missing if value is None else value for value in TRAIN[name]]
        make = tf.ragged.constant if name in LISTS else tf.constant
        inputs[name] = make(values, types[kind])
    outputs, written = graph(inputs), transformed.split("train")
    for feature in transformed.layout.features:
        got = outputs[feature.name]
        assert (got.to_list() if feature.is_list else got.numpy().tolist()) == written[feature.name]


def test_indicators_lengths_and_shapes_are_dense_and_hashes_are_ids(transformed):
    features = transformed.layout.features
    dense = [f for f in features if f.treatment != "hash"]
    assert {(f.role, f.size, f.combine) for f in dense} == {("dense", 0, "")}
    of_lists = [f for f in features if f.is_list]
    assert [(f.name, f.combine) for f in of_lists] == [("tags_hash", "sum"), ("days_hash", "mean")]


def test_a_proof_tries_values_that_have_an_indicator_and_texts_beside_a_shape(transformed):
    features, graph = transformed.layout.by_treatment(), str(transformed.graph)
    found = one_hot.boundaries(graph, features["one_hot"])
    assert (found["city"], found["k"]) == (["é".encode(), b"b"], [b"7", b"-1"])
    assert multi_hot.boundaries(graph, features["multi_hot"])["tags"] == [b"b", b"a", b"c"]
    texts = tf.constant(text_shape.boundaries(graph, features["text_shape"])["note"])
    got = text_shape_of(transformed, texts)
    assert 0 < np.mean(got["note_text_shape_digits"] > 0) < 1
    assert 0 < np.mean(got["note_text_shape_upper"] > 0) < 1


def text_shape_of(transformed, texts):
    loaded = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    count = len(texts)
    empty = tf.RaggedTensor.from_row_lengths
    none = {"BYTES": "", "INT": -(2**63), "FLOAT": float("nan")}
    types = {"BYTES": tf.string, "INT": tf.int64, "FLOAT": tf.float32}
    inputs = {name: tf.ones(count) for name in ("tips", "of")}
    for name, kind in KINDS.items():
        values = tf.fill([count], tf.constant(none[kind], types[kind]))
        ones = tf.ones([count], tf.int64)
        inputs[name] = empty(values, ones) if name in LISTS else values
    return {n: v.numpy() for n, v in loaded({**inputs, "note": texts}).items() if "note" in n}
