"""Every treatment's values, compared with figures computed by hand or by numpy."""

from __future__ import annotations

import json
import logging
import os
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components import progress
from components.arrow_files import open_parquet
from components.examples import iter_batches, row_groups, shards
from components.ingest.split_facts import above
from schemas.errors import ConfigError, DataError
from schemas.splits.options import FOLD
from schemas.tasks.options import Above
from schemas.types import TYPES

NAN, INF = float("nan"), float("inf")

KINDS = {"Fare ($)": "FLOAT", "hour": "INT", "naïve": "BYTES", "a b": "BYTES", "k": "INT"}
FEATURES = {
    "Fare ($)": [{"z_score": {"log1p": True, "clip": 1.5}}, {"quantile_buckets": {"buckets": 4}}],
    "hour": ["z_score", {"quantile_buckets": {"buckets": 2}}],
    "naïve": [{"vocabulary": {"min_count": 2, "oov_buckets": 3}}],
    "a b": [{"vocabulary": {"top_k": 3, "oov_buckets": 2}}],
    "k": ["vocabulary"],
}
CROSSES = [{"columns": ["naïve", "k"], "buckets": 1000}, {"columns": ["a b", "k"], "buckets": 5}]
TRAIN: dict[str, list[Any]] = {
    "Fare ($)": [3.0, None, 8.0, NAN, 1.0, 20.0, -4.0, 100.0, 0.0, 5.5],
    "hour": [3, 3, None, 9, 23, 0, 0, None, 12, 7],
    # é 3, x 2, B and a 1 each, of which min_count leaves none
    "naïve": ["é", "x", "é", None, "", "é", "x", "B", "a", None],
    # a tab, a space, "0\t" and "1" are terms as any other; line breaks never are
    "a b": ["1", "1", "1", "0\t", "0\t", " ", " ", "t\tt", "n\nl", "r\r"],
    "k": [7, 7, -1, -1, 7, 10, None, 2, None, 100],
    "tips": [1.0, 0.0, 0.5, 0.50001, 9.0, 2.0, -1.0, 0.1, 0.0, 3.0],
    "of": [2.0, 1.0, 1.0, 1.0, 100.0, 4.0, -4.0, 0.2, 0.0, 5.0],
}
# Far from the training values: if they had been analyzed, too, the figures would differ.
EVAL: dict[str, list[Any]] = {
    "Fare ($)": [1e6, -1e6, INF, -INF, None],
    "hour": [1000, -1000, None, 3, 3],
    "naïve": ["new", "new", "new", "new", "é"],
    "a b": ["1", "n\nl", "", "0", None],
    "k": [100, 55, 55, 7, None],
}
TEST: dict[str, list[Any]] = {
    "Fare ($)": [8.0, None],
    "hour": [12, None],
    "naïve": ["x", None],
    "a b": ["t\tt", None],
    "k": [2, 7],
}
SPLITS = {"train": TRAIN, "eval": EVAL, "test": TEST}


@pytest.fixture(scope="module")
def tiny(run):
    """All treatments, on a few rows in row groups of four."""
    return run(KINDS, FEATURES, SPLITS, crosses=CROSSES)


def z_scores(values, *, log1p=False, clip=10.0):
    """The z-scores by hand, in float64; mean and variance are the training split's."""

    def tamed(x):
        x = np.array([NAN if v is None else v for v in x], np.float64)
        return np.sign(x) * np.log1p(np.abs(x)) if log1p else x

    training, x = tamed(values[0]), tamed(values[1])
    known = training[np.isfinite(training)]
    z = np.clip((x - known.mean()) / known.std(), -clip, clip)
    return np.where(np.isnan(z), 0.0, z)


@pytest.mark.parametrize(("split", "rows"), [("train", TRAIN), ("eval", EVAL), ("test", TEST)])
def test_z_scores_are_measured_from_the_training_rows_that_have_a_value(tiny, split, rows):
    got = tiny.split(split)
    fare = z_scores((TRAIN["Fare ($)"], rows["Fare ($)"]), log1p=True, clip=1.5)
    np.testing.assert_allclose(got["Fare ($)_z_score"], fare, rtol=1e-5, atol=1e-6)
    hour = z_scores((TRAIN["hour"], rows["hour"]))
    np.testing.assert_allclose(got["hour_z_score"], hour, rtol=1e-5, atol=1e-6)


def test_infinite_and_extreme_values_are_clipped(tiny):
    assert tiny.split("eval")["Fare ($)_z_score"] == [1.5, -1.5, 1.5, -1.5, 0.0]
    assert tiny.split("eval")["hour_z_score"][:3] == [10.0, -10.0, 0.0]


def test_missing_is_flagged_and_infinite_is_not_missing(tiny):
    assert tiny.split("train")["Fare ($)_missing"] == [0, 1, 0, 1, 0, 0, 0, 0, 0, 0]
    assert tiny.split("train")["hour_missing"] == [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]
    assert tiny.split("eval")["Fare ($)_missing"] == [0, 0, 0, 0, 1]


def test_buckets_are_between_training_quantiles_and_missing_has_its_own(tiny):
    # sorted: -4 0 | 1 3 | 5.5 8 | 20 100
    assert tiny.split("train")["Fare ($)_bucket"] == [2, 0, 3, 0, 2, 4, 1, 4, 1, 3]
    assert tiny.split("eval")["Fare ($)_bucket"] == [4, 1, 4, 1, 0]
    # sorted: 0 0 3 3 | 7 9 12 23
    assert tiny.split("train")["hour_bucket"] == [1, 1, 0, 2, 2, 1, 1, 0, 2, 2]


def test_terms_are_numbered_by_falling_count_then_by_bytes(tiny):
    naive = tiny.split("train")["naïve_id"]
    assert [naive[i] for i in (0, 1, 2, 3, 4, 5, 6, 9)] == [1, 2, 1, 0, 0, 1, 2, 0]
    # "1" 3, then " " before "0\t", 2 each
    assert [tiny.split("train")["a b_id"][i] for i in range(7)] == [1, 1, 1, 3, 3, 2, 2]
    # 7 3, -1 2, then 10, 100, 2 by their text
    assert tiny.split("train")["k_id"] == [1, 1, 2, 2, 1, 3, 0, 5, 0, 4]


def test_rare_and_new_terms_share_the_oov_buckets(tiny):
    naive, spaced = tiny.split("train")["naïve_id"], tiny.split("train")["a b_id"]
    assert {naive[7], naive[8]} <= {3, 4, 5}  # B and a: after é and x
    assert set(spaced[7:]) <= {4, 5}
    seen = tiny.split("eval")
    assert len(set(seen["naïve_id"][:4])) == 1  # one term, one bucket
    assert seen["naïve_id"][0] in (3, 4, 5)
    assert seen["naïve_id"][4] == 1
    # known as in training, "0" is not "0\t", and "" is missing
    assert seen["a b_id"][0] == 1
    assert seen["a b_id"][1] == spaced[8]
    assert seen["a b_id"][3] in (4, 5)
    assert (seen["a b_id"][2], seen["a b_id"][4]) == (0, 0)
    assert seen["k_id"] == [4, 6, 6, 1, 0]


def test_equal_values_cross_alike_and_missing_takes_part(tiny):
    pairs: dict[Any, int] = {}
    for split, rows in SPLITS.items():
        crossed = tiny.split(split)["naïve_x_k"]
        for a, b, bucket in zip(rows["naïve"], rows["k"], crossed, strict=True):
            assert 0 <= bucket < 1000
            assert pairs.setdefault((a or None, b), bucket) == bucket
    assert len(pairs) == 15  # of 17 rows: two are alike, and None with 7 is as "" with 7
    assert len(set(pairs.values())) == len(pairs)  # no collisions among a thousand
    assert {b for s in SPLITS for b in tiny.split(s)["a b_x_k"]} <= set(range(5))


def test_the_label_exceeds_the_fraction_strictly(tiny):
    # tips > 0.5 * of: equality does not exceed
    assert tiny.split("train")["big"] == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]


def test_the_layout_has_the_actual_names_and_sizes(tiny):
    sizes = {f.name: f.size for f in tiny.layout.features}
    assert sizes == {
        "Fare ($)_z_score": 0,
        "Fare ($)_missing": 0,
        "Fare ($)_bucket": 1 + 4,
        "hour_z_score": 0,
        "hour_missing": 0,
        "hour_bucket": 1 + 2,
        "naïve_id": 1 + 2 + 3,
        "a b_id": 1 + 3 + 2,
        "k_id": 1 + 5 + 1,
        "naïve_x_k": 1000,
        "a b_x_k": 5,
    }
    assert json.loads((tiny.graph / "layout.json").read_text()) == tiny.layout.model_dump(
        mode="json"
    )
    types = {name: pa.float32() if size == 0 else pa.int64() for name, size in sizes.items()}
    for batch in iter_batches(str(tiny.examples), "train"):
        assert {f.name: f.type for f in batch.schema} == {**types, "big": pa.int64()}


def test_a_row_group_becomes_a_shard_and_rows_keep_their_order(tiny):
    groups = row_groups(str(tiny.examples), "train")
    assert [g.rows for g in groups] == [4, 4, 2]
    assert [os.path.basename(g.path) for g in groups] == [
        f"rows-{n:08d}-0000000.parquet" for n in range(3)
    ]
    assert [g.rows for g in row_groups(str(tiny.examples), "eval")] == [4, 1]
    assert len(shards(str(tiny.examples), "test")) == 1


def test_only_the_graph_and_the_shards_are_left(tiny):
    left = ["features.json", "layout.json", "transform_fn", "transformed_metadata"]
    assert sorted(os.listdir(tiny.graph)) == left
    names = [f for _, _, files in os.walk(tiny.examples) for f in files]
    assert [n for n in names if not n.endswith(".parquet")] == []


def test_it_is_measured_how_the_features_spread_over_the_training_rows(tiny):
    measured = json.loads((tiny.graph / "features.json").read_bytes())
    features = {each["name"]: each for each in measured["features"]}
    assert measured["rows"] == len(TRAIN["k"])
    assert list(features) == [feature.name for feature in tiny.layout.features]

    naive, buckets = features["naïve_id"], features["hour_bucket"]
    # é and x are terms; B and a are too rare; two rows are missing, and one has an empty text
    assert naive["top"] == [["(missing)", 0.3], ["é", 0.3], ["x", 0.2], ["a", 0.1], ["B", 0.1]]
    assert (naive["missing"], naive["unknown"], naive["seen"]) == (0.3, 0.2, 5)
    assert [text for text, _ in buckets["top"]] == ["0 to 3", "7 to 23", "(missing)"]
    score = next(features[each.name] for each in tiny.layout.dense if each.columns == ("hour",))
    assert sum(score["shares"]) == pytest.approx(1)
    assert score["least"] < score["mean"] < score["greatest"]
    assert len(score["edges"]) == len(score["shares"]) + 1


def test_a_second_run_writes_the_same_bytes(tiny, run):
    again = run(KINDS, FEATURES, SPLITS, crosses=CROSSES)
    assert again.layout == tiny.layout
    files = sorted(p.relative_to(tiny.examples) for p in tiny.examples.rglob("*.parquet"))
    assert len(files) == 6
    assert sorted(p.relative_to(again.examples) for p in again.examples.rglob("*.*")) == files
    for file in files:
        assert (again.examples / file).read_bytes() == (tiny.examples / file).read_bytes()


def require_graph_gives_what_was_written(transformed, kinds, rows):
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    inputs = {}
    for name, kind in {**kinds, "tips": "FLOAT", "of": "FLOAT"}.items():
        values = [TYPES[kind].missing if v is None else v for v in rows[name]]
        inputs[name] = tf.constant(values, TYPES[kind].tensor)
    outputs = graph(inputs)
    written = transformed.split("train")
    for feature in transformed.layout.features:
        np.testing.assert_array_equal(outputs[feature.name], written[feature.name])


def test_the_saved_graph_gives_what_was_written(tiny):
    """Serving loads the same graph that transformed the examples."""
    require_graph_gives_what_was_written(tiny, KINDS, TRAIN)


def test_terms_left_out_for_their_line_breaks_are_reported(run, caplog):
    with caplog.at_level(logging.INFO, progress.LOGGER.name):
        texts = ["a", "b\nc", "b\nc", "d\r"]
        run({"s": "BYTES"}, {"s": ["vocabulary"]}, {"train": {"s": texts}}, batch_rows=2)
    events = [r.event for r in caplog.records if r.name == progress.LOGGER.name]
    notes = [event for event in events if event.kind == "note"]
    said = "2 terms with line breaks (3 rows) count as unknown"
    assert notes == [progress.Event("transform", "note", values={"left_out_s": said})]


# ------------------------------------------------------------------------- numbers in full width

SECONDS = 1_700_000_000  # Unix time: float32 represents only every 128th
WIDE: dict[str, list[Any]] = {
    "time": [SECONDS + 10 * i for i in range(8)],
    "large": [2**53 - 7 + i for i in range(8)],
    "price": [float(np.float32(0.1) * i) for i in range(8)],
    "small": [1e-40 * i for i in range(7)] + [float(np.finfo(np.float32).tiny)],
    "tips": [1.0] * 8,
    "of": [1.0] * 8,
}


@pytest.fixture(scope="module")
def wide(run):
    """Numbers that differ by less than float32's precision."""
    treatments = ["z_score", {"quantile_buckets": {"buckets": 8}}]
    kinds = {"price": "FLOAT", "time": "INT", "small": "FLOAT", "large": "INT"}
    return run(kinds, dict.fromkeys(kinds, treatments), {"train": WIDE})


@pytest.mark.parametrize("column", ["time", "price", "large"])
def test_neighbours_beyond_float32_have_different_buckets(wide, column):
    assert wide.split("train")[f"{column}_bucket"] == list(range(1, 9))


@pytest.mark.parametrize("column", ["time", "price"])
def test_neighbours_beyond_float32_have_different_z_scores(wide, column):
    got = wide.split("train")
    expected = (np.arange(8) - 3.5) / np.arange(8).std()
    np.testing.assert_allclose(got[f"{column}_z_score"], expected, rtol=1e-6)


def test_subnormal_numbers_count_as_zero(wide):
    got = wide.split("train")
    assert len(set(got["small_bucket"][:7])) == 1
    assert len(set(got["small_z_score"][:7])) == 1
    assert got["small_bucket"][7] > got["small_bucket"][0]
    assert got["small_z_score"][7] == pytest.approx(7**0.5)


def test_a_thread_that_keeps_subnormal_numbers_gives_what_was_written(wide):
    """TensorFlow's own threads treat them as 0; this one does not."""
    assert (tf.constant([1e-40]).numpy() > 0).all()
    kinds = {"price": "FLOAT", "time": "INT", "small": "FLOAT", "large": "INT"}
    require_graph_gives_what_was_written(wide, kinds, WIDE)


@pytest.mark.parametrize(
    ("tips", "of", "fraction", "big"),
    [
        # 0.29 * 100 is less than 29 in float64
        ([29, 30, -29, -28], [100, 100, -100, -100], 0.29, [0, 1, 0, 1]),
        ([2**40, 2**40 + 1], [2**40, 2**40], 1.0, [0, 1]),
    ],
)
def test_an_integer_label_exceeds_exactly(run, tips, of, fraction, big):
    label = {"name": "big", "exceeds": {"column": "tips", "fraction": fraction, "of": "of"}}
    rows = {"tips": tips, "of": of, "x": range(len(tips))}
    kinds = {"x": "INT", "tips": "INT", "of": "INT"}
    made = run(kinds, {"x": ["z_score"]}, {"train": rows}, label=label)
    assert made.split("train")["big"] == big
    table = pa.table({name: pa.array(rows[name], pa.int64()) for name in ("tips", "of")})
    assert above(table, Above("tips", fraction, "of")).tolist() == [bool(one) for one in big]


# ------------------------------------------------------------------------- more rows, many batches


@pytest.fixture(scope="module")
def many(run):
    """4,000 rows in row groups of 300; the first thousand have no `late`."""
    random = np.random.default_rng(5)
    wild = random.normal(size=4000).astype(np.float32)
    wild[::10], wild[5::10] = np.inf, -np.inf
    rows = {
        "wild": wild.tolist(),
        "skewed": random.lognormal(2, 2, 4000).astype(np.float32).tolist(),
        "late": [None] * 1000 + random.normal(50, 5, 3000).astype(np.float32).tolist(),
        "term": random.zipf(1.5, 4000).clip(1, 500).astype(str).tolist(),
    }
    transformed = run(
        {"skewed": "FLOAT", "late": "FLOAT", "wild": "FLOAT", "term": "BYTES"},
        {
            "skewed": [{"quantile_buckets": {"buckets": 20}}, "z_score"],
            "late": [{"quantile_buckets": {"buckets": 20}}, "z_score"],
            "wild": [{"quantile_buckets": {"buckets": 20}}, "z_score"],
            "term": [{"vocabulary": {"top_k": 30}}],
        },
        {"train": rows},
        batch_rows=300,
    )
    return rows, transformed


@pytest.mark.parametrize(("column", "missing"), [("skewed", 0), ("late", 1000)])
def test_buckets_hold_equal_shares(many, column, missing):
    rows, transformed = many
    value = np.array(rows[column][missing:], np.float32)
    bucket = np.array(transformed.split("train")[f"{column}_bucket"])
    assert (bucket[:missing] == 0).all()
    bucket = bucket[missing:]
    counts = np.bincount(bucket, minlength=21)
    assert counts[0] == 0
    # epsilon is a hundredth of a bucket, and a boundary may err so on either side
    np.testing.assert_allclose(counts[1:], len(value) / 20, rtol=0.03)
    exact = np.searchsorted(np.quantile(value, np.arange(1, 20) / 20), value, side="right") + 1
    assert np.abs(bucket - exact).max() <= 1
    assert (bucket != exact).mean() < 0.02
    # in order: no value of a bucket is above one of the next
    order = np.argsort(value, kind="stable")
    assert (np.diff(bucket[order]) >= 0).all()


def test_infinite_values_move_no_boundary(many):
    rows, transformed = many
    value = np.array(rows["wild"])
    bucket = np.array(transformed.split("train")["wild_bucket"])
    counts = np.bincount(bucket[np.isfinite(value)], minlength=21)
    np.testing.assert_allclose(counts[1:], 3200 / 20, rtol=0.03)
    assert (bucket[value == INF] == 20).all()
    assert (bucket[value == -INF] == 1).all()


def test_mean_and_variance_survive_batches_without_a_value(many):
    rows, transformed = many
    for column in ("skewed", "late", "wild"):
        wanted = z_scores((rows[column], rows[column]))
        got = transformed.split("train")[f"{column}_z_score"]
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_the_most_frequent_terms_of_all_batches_are_kept(many):
    rows, transformed = many
    counts = {term: rows["term"].count(term) for term in set(rows["term"])}
    best = sorted(counts, key=lambda term: (-counts[term], term.encode()))[:30]
    number = {term: i + 1 for i, term in enumerate(best)}
    wanted = [number.get(term, 31) for term in rows["term"]]
    assert transformed.split("train")["term_id"] == wanted


# ---------------------------------------------------------------------------------------- the edges


def test_a_column_missing_in_all_of_training_says_nothing(run):
    nothing = {"f": [None, NAN, None], "i": [None] * 3, "s": ["", None, ""], "one": [2.0] * 3}
    transformed = run(
        {"f": "FLOAT", "i": "INT", "s": "BYTES", "one": "FLOAT"},
        {
            "f": ["z_score", "quantile_buckets"],
            "i": ["z_score", "vocabulary", {"quantile_buckets": {"buckets": 3}}],
            "s": [{"vocabulary": {"oov_buckets": 2}}],
            "one": ["z_score", "quantile_buckets"],
        },
        {"train": nothing, "test": {"f": [5.0], "i": [7], "s": ["x"], "one": [2.0]}},
        batch_rows=2,
    )
    train, test = transformed.split("train"), transformed.split("test")
    for name in ("f_z_score", "f_bucket", "i_z_score", "i_id", "i_bucket", "s_id", "one_z_score"):
        assert train[name] == [0, 0, 0], name
    assert train["f_missing"] == train["i_missing"] == [1, 1, 1]
    assert (test["f_z_score"], test["f_missing"]) == ([0], [0])
    assert (test["i_z_score"], test["one_z_score"]) == ([0], [0])
    assert test["i_id"] == [1]
    assert test["s_id"][0] in (1, 2)
    sizes = {f.name: f.size for f in transformed.layout.ids}
    assert sizes == {"f_bucket": 11, "i_id": 2, "i_bucket": 4, "s_id": 3, "one_bucket": 11}
    for feature in transformed.layout.ids:
        assert 0 <= test[feature.name][0] < feature.size
    # a split without rows is still a split, of the same columns
    (empty,) = shards(str(transformed.examples), "eval")
    assert row_groups(str(transformed.examples), "eval") == []
    (group, *_) = row_groups(str(transformed.examples), "train")
    schemas = [pa.parquet.read_schema(path) for path in (empty, group.path)]
    assert {f.name: f.type for f in schemas[0]} == {f.name: f.type for f in schemas[1]}


@pytest.mark.parametrize(
    ("column", "values", "positive"),
    [("s", ["Yes", "é"], [1, 0, 1, 0]), ("i", [7, -1], [1, 0, 0, 1])],
)
def test_the_label_equals_one_of_the_values(run, column, values, positive):
    transformed = run(
        {"s": "BYTES", "i": "INT"},
        {"i": ["z_score"]},
        {"train": {"s": ["Yes", "yes", "é", "No"], "i": [7, 70, 0, -1]}},
        label={"name": "l", "equals": {"column": column, "values": values}},
    )
    assert transformed.split("train")["l"] == positive
    assert transformed.layout.label == "l"


def test_no_training_rows_is_a_data_error(run):
    with pytest.raises(DataError, match="training split has no rows") as caught:
        run({"x": "FLOAT"}, {"x": ["z_score"]}, {"eval": {"x": [1.0]}})
    assert str(caught.value.where).endswith("examples")


def test_two_features_of_one_name_are_refused_before_anything_is_read(run):
    with pytest.raises(ConfigError, match="two transformed features have the name 'x_z_score'"):
        run({"x": "FLOAT"}, {"x": ["z_score", "z_score"]}, {})


def test_weights_are_passed_on_as_float32_and_stay_out_of_the_graph(run):
    kinds = {"w": "INT", "x": "FLOAT"}
    rows = {"w": [2**24 + 1, 0, 3, 1, 5], "x": [1.0, 2.0, 3.0, 4.0, 5.0]}
    label = {"name": "big", "exceeds": {"column": "tips", "fraction": 0.5, "of": "of"}}
    weighted = run(kinds, {"x": ["z_score"]}, {"train": rows}, label={**label, "weight": "w"})
    plain = run(kinds, {"x": ["z_score"]}, {"train": rows}, label=label)

    found = weighted.split("train")
    assert found.pop("w") == [float(2**24), 0.0, 3.0, 1.0, 5.0]
    assert found == plain.split("train")
    assert weighted.layout == plain.layout
    for split in ("train", "test"):  # test has no rows
        (path,) = shards(str(weighted.examples), split)[:1]
        assert open_parquet(path).schema_arrow.field("w").type == pa.float32()
    ones = [1.0] * 5
    require_graph_gives_what_was_written(
        weighted, {"x": "FLOAT"}, {**rows, "tips": ones, "of": ones}
    )
    metadata = tft.TFTransformOutput(str(weighted.graph)).transformed_feature_spec()
    assert sorted(metadata) == sorted(plain.split("train"))


def test_folds_follow_their_rows_and_stay_out_of_the_graph(run):
    rows = {"x": [float(i) for i in range(7)]}
    splits = {"train": rows, "eval": {"x": [9.0]}}
    folds = [2, 0, 1, 1, 0, 2, 2]
    folded = run({"x": "FLOAT"}, {"x": ["z_score"]}, splits, batch_rows=3, folds=folds)
    plain = run({"x": "FLOAT"}, {"x": ["z_score"]}, splits, batch_rows=3)

    found = folded.split("train")
    assert found.pop(FOLD) == folds
    assert found == plain.split("train")
    assert folded.split("eval") == plain.split("eval")
    assert folded.layout == plain.layout


def test_numbers_that_vary_by_little_are_scaled_to_the_last_bit_in_any_order(run):
    values = 5.3221 + np.random.default_rng(1).permutation(3_000) * 1e-9
    exact = [Fraction(x) for x in values.tolist()]
    mean = sum(exact) / len(exact)
    deviation = float(sum((x - mean) ** 2 for x in exact) / len(exact)) ** 0.5
    expected = np.array([float(x - mean) / deviation for x in exact]).astype(np.float32)
    for order in (slice(None), slice(None, None, -1)):
        rows = {"train": {"x": values[order].tolist()}}
        made = run({"x": "FLOAT_TEXT"}, {"x": ["z_score"]}, rows, batch_rows=700)
        np.testing.assert_array_max_ulp(made.split("train")["x_z_score"], expected[order], 1)
