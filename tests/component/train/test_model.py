"""The graphs, compared with numpy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from components.train.model import build_baseline, build_wide_deep, load
from schemas.model import Model

SMALL = Model(members=3, hidden_units=(5, 3), embedding_dim=2, cross_rank=2, dropout=0.5)
FEATURES = {
    "dense": ("a", "z_score", 0),
    "place": ("p", "piecewise_linear", 3),
    "id": ("i", "vocabulary", 4),
    "bucket": ("k", "quantile_buckets", 3),
    "cross": ("x", "cross", 6),
}
KINDS = [
    ("dense",),
    ("id",),
    ("cross",),
    ("dense", "cross"),
    ("place",),
    ("id", "cross"),
    ("cross", "id", "dense", "place", "bucket"),
]
MEANS = {
    "sigmoid": lambda z: _logit((1 / (1 + np.exp(-z))).mean(axis=1)),
    "softmax": lambda z: np.log((np.exp(z) / np.exp(z).sum(axis=2, keepdims=True)).mean(axis=1)),
    "identity": lambda z: z.mean(axis=1),
}


def _logit(p):
    return np.log(p / (1 - p))


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(11)


def batch_of(layout, rows=6):
    random = np.random.default_rng(4)
    inputs = {}
    if layout.dense:
        inputs["dense"] = random.normal(size=(rows, len(layout.dense))).astype(np.float32)
    if layout.places:
        inputs["places"] = random.uniform(0, 3, (rows, len(layout.places))).astype(np.float32)
    if layout.ids:
        columns = [random.integers(0, f.size, rows) for f in layout.ids]
        inputs["ids"] = np.stack(columns, axis=1).astype(np.int32)
    return inputs


def randomize(model):
    random = np.random.default_rng(9)
    for variable in model.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    return {v.path: np.asarray(v) for v in model.trainable_variables}


def rows_of(table, layout, features, ids):
    """The table's rows of each feature [B, C, width]."""
    first = np.cumsum([0, *(layout.ids[i].size for i in features)])
    return np.stack([table[first[n] + ids[:, i]] for n, i in enumerate(features)], axis=1)


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize(("link", "units"), [("sigmoid", 1), ("softmax", 2), ("identity", 1)])
def test_members_and_the_wide_part_add_up_to_logits_of_the_mean_answer(
    make_layout, kinds, link, units
):
    layout = make_layout(*(FEATURES[k] for k in kinds))
    members, served = build_wide_deep(layout, SMALL, [0.0] * units, link)
    w, batch = randomize(served), batch_of(layout)
    wide = np.zeros((6, units))
    if layout.ids:
        table = w["wide_ids/table"]
        wide = rows_of(table, layout, range(len(layout.ids)), batch["ids"]).sum(axis=1)
    if tower := tower_of(w, layout, batch):
        x = np.concatenate(tower, axis=1)
        x = x * (x @ w["deep_cross/u"] @ w["deep_cross/v"] + w["deep_cross/bias"]) + x
        hidden = np.repeat(x[:, np.newaxis], 3, axis=1)
        for name in ("deep_0", "deep_1"):
            scaled = hidden @ w[f"{name}/kernel"] * w[f"{name}/member_scale"]
            hidden = np.maximum(scaled + w[f"{name}/member_bias"], 0)
        z = np.einsum("bka,kao->bko", hidden, w["deep_logits/kernel"])
        z = wide[:, np.newaxis] + z + w["deep_logits/member_bias"]
    else:
        z = (wide @ w["wide_logit/kernel"] + w["wide_logit/bias"])[:, np.newaxis]
    np.testing.assert_allclose(members(batch), z, rtol=1e-4, atol=1e-5)
    got, expected = np.asarray(served(batch, training=False)), MEANS[link](z)
    assert (got.shape, got.dtype) == ((6, units), np.float32)
    if not tower:
        expected = z[:, 0]  # of one member, the logits themselves
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)
    assert all(path.startswith(("wide_", "deep_")) for path in w)


def tower_of(w, layout, batch):
    """What the deep part starts from."""
    tower = [batch["dense"]] if layout.dense else []
    if layout.places:
        code = np.clip(batch["places"][..., np.newaxis] - np.arange(3), 0, 1)
        codes = np.einsum("bqt,qtd->bqd", code, w["deep_places/kernel"])
        tower.append(np.maximum(codes + w["deep_places/bias"], 0).reshape(6, -1))
    embedded = [i for i, f in enumerate(layout.ids) if f.role == "embedding"]
    if embedded:
        rows = rows_of(w["deep_embedding/table"], layout, embedded, batch["ids"])
        tower.append(SMALL.embedding_rate * rows.reshape(6, -1))
    return tower


def test_members_differ_before_training(make_layout):
    layout = make_layout(FEATURES["dense"])
    members, _ = build_wide_deep(layout, SMALL, [0.0], "sigmoid")
    logits = np.asarray(members(batch_of(layout), training=False))
    assert np.ptp(logits, axis=1).min() > 0


@pytest.mark.parametrize("kinds", KINDS)
def test_the_baseline_is_linear_in_every_feature(make_layout, kinds):
    layout = make_layout(*(FEATURES[k] for k in kinds))
    model = build_baseline(layout, [0.0])
    weights, batch = randomize(model), batch_of(layout)
    logit = weights["logit/bias"]
    numbers = [batch[name] for name in ("dense", "places") if name in batch]
    if layout.ids:
        table = weights["linear_ids/table"]
        ids = rows_of(table, layout, range(len(layout.ids)), batch["ids"]).sum(axis=1)
        logit = logit + (ids if numbers else ids @ weights["logit/kernel"])
    if numbers:
        logit = logit + np.concatenate(numbers, axis=1) @ weights["logit/kernel"]
    np.testing.assert_allclose(model(batch), logit, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kinds", [("id",), ("cross",), ("dense", "cross")])
def test_the_output_starts_at_the_base_rates_logit(make_layout, kinds):
    layout = make_layout(*(FEATURES[k] for k in kinds))
    batch = {n: np.zeros_like(v) for n, v in batch_of(layout).items()}
    single = Model(hidden_units=(5, 3), members=1)  # the biases of several are random
    for model in (
        build_wide_deep(layout, single, [-1.25], "sigmoid")[1],
        build_baseline(layout, [-1.25]),
    ):
        np.testing.assert_allclose(model(batch), np.full((6, 1), -1.25), atol=0.1)


def test_dropout_works_in_training_only(make_layout):
    layout = make_layout(FEATURES["dense"])
    _, model = build_wide_deep(layout, SMALL, [0.0], "sigmoid")
    randomize(model)
    batch = batch_of(layout, rows=50)
    still = [np.asarray(model(batch, training=False)) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    assert not np.array_equal(still[0], model(batch, training=True))


@pytest.mark.parametrize("kinds", [("dense", "id", "place", "cross")])
def test_a_saved_graph_gives_the_same_logits(make_layout, kinds, tmp_path):
    mixed = make_layout(*(FEATURES[k] for k in kinds))
    batch = batch_of(mixed)
    for model in (
        build_wide_deep(mixed, SMALL, [-1.0], "sigmoid")[1],
        build_baseline(mixed, [-1.0]),
    ):
        randomize(model)
        model.save(str(tmp_path / "m.keras"))
        np.testing.assert_array_equal(load(str(tmp_path / "m.keras"))(batch), model(batch))
