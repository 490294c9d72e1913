"""The graphs, compared with numpy, and which optimizer changes which part."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from components.train.model import (
    TwoOptimizers,
    build_baseline,
    build_wide_deep,
    load,
)
from schemas.model import Model

SMALL = Model(hidden_units=(5, 3), embedding_dim=2, dropout=0.5)
FEATURES = {
    "dense": ("a", "z_score", 0),
    "id": ("i", "vocabulary", 4),
    "bucket": ("k", "quantile_buckets", 3),
    "cross": ("x", "cross", 6),
}
KINDS = [
    ("dense",),
    ("id",),
    ("cross",),
    ("dense", "cross"),
    ("id", "cross"),
    ("cross", "id", "dense", "bucket"),
]


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(11)


def batch_of(layout, rows=6):
    random = np.random.default_rng(4)
    inputs = {}
    if layout.dense:
        inputs["dense"] = random.normal(size=(rows, len(layout.dense))).astype(np.float32)
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
def test_wide_and_deep_add_up_to_the_logit(make_layout, kinds):
    layout = make_layout(*(FEATURES[k] for k in kinds))
    model = build_wide_deep(layout, SMALL, [0.0])
    weights, batch = randomize(model), batch_of(layout)
    wide = np.zeros((6, 1))
    if layout.ids:
        everything = range(len(layout.ids))
        table = weights["wide_ids/table"]
        wide = rows_of(table, layout, everything, batch["ids"]).sum(axis=1)
    tower = [batch["dense"]] if layout.dense else []
    embedded = [i for i, f in enumerate(layout.ids) if f.role == "embedding"]
    if embedded:
        table = weights["deep_embedding/table"]
        tower.append(rows_of(table, layout, embedded, batch["ids"]).reshape(6, -1))
    if tower:
        hidden = np.concatenate(tower, axis=1)
        for name in ("deep_0", "deep_1"):
            hidden = np.maximum(hidden @ weights[f"{name}/kernel"] + weights[f"{name}/bias"], 0)
        logit = wide + hidden @ weights["deep_logit/kernel"] + weights["deep_logit/bias"]
    else:
        logit = wide @ weights["wide_logit/kernel"] + weights["wide_logit/bias"]
    got = np.asarray(model(batch, training=False))
    assert (got.shape, got.dtype) == ((6, 1), np.float32)
    np.testing.assert_allclose(got, logit, rtol=1e-4, atol=1e-5)
    assert all(path.startswith(("wide_", "deep_")) for path in weights)


@pytest.mark.parametrize("kinds", KINDS)
def test_the_baseline_is_linear_in_every_feature(make_layout, kinds):
    layout = make_layout(*(FEATURES[k] for k in kinds))
    model = build_baseline(layout, [0.0])
    weights, batch = randomize(model), batch_of(layout)
    logit = weights["logit/bias"]
    if layout.ids:
        table = weights["linear_ids/table"]
        ids = rows_of(table, layout, range(len(layout.ids)), batch["ids"]).sum(axis=1)
        logit = logit + (ids if layout.dense else ids @ weights["logit/kernel"])
    if layout.dense:
        logit = logit + batch["dense"] @ weights["logit/kernel"]
    np.testing.assert_allclose(model(batch), logit, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kinds", [("id",), ("cross",), ("dense", "cross")])
def test_the_output_starts_at_the_base_rates_logit(make_layout, kinds):
    layout = make_layout(*(FEATURES[k] for k in kinds))
    batch = {n: np.zeros_like(v) for n, v in batch_of(layout).items()}
    for model in (
        build_wide_deep(layout, SMALL, [-1.25]),
        build_baseline(layout, [-1.25]),
    ):
        np.testing.assert_allclose(model(batch), np.full((6, 1), -1.25), atol=0.05)


def test_dropout_works_in_training_only(make_layout):
    layout = make_layout(FEATURES["dense"])
    model = build_wide_deep(layout, SMALL, [0.0])
    randomize(model)
    batch = batch_of(layout, rows=50)
    still = [np.asarray(model(batch, training=False)) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    assert not np.array_equal(still[0], model(batch, training=True))


def step(layout, *, wide=0.0, deep=0.0, weight_decay=0.0):
    """Take one training step; return how far each variable moved."""
    model = build_wide_deep(layout, Model(hidden_units=(4,), embedding_dim=2), [0.0])
    randomize(model)
    trained = TwoOptimizers(model.input, model.output)
    trained.compile(
        # Not every optimizer takes a rate of zero; the change of this one is too small to notice.
        optimizer=keras.optimizers.AdamW(deep or 1e-12, weight_decay=weight_decay),
        wide=keras.optimizers.Ftrl(wide or 1e-12, initial_accumulator_value=0.1),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    before = {v.path: np.array(v) for v in model.trainable_variables}
    label = np.array([[1], [0], [1], [1], [0], [1]], np.float32)
    trained.train_on_batch(batch_of(layout), label)
    after = {v.path: np.array(v) for v in model.trainable_variables}
    return before, {path: np.abs(after[path] - before[path]).max() for path in before}


@pytest.fixture
def mixed(make_layout):
    return make_layout(*(FEATURES[k] for k in ("dense", "id", "cross")))


def test_the_deep_part_is_moved_by_adam(mixed):
    before, moved = step(mixed, deep=0.01)
    deep = {path: far for path, far in moved.items() if path.startswith("deep")}
    # the first step of Adam is as long as its rate
    np.testing.assert_allclose(max(deep.values()), 0.01, rtol=1e-3)
    assert deep["deep_embedding/table"] > 1e-3
    assert deep["deep_logit/bias"] > 1e-3
    assert set(before) - set(deep) == {"wide_ids/table"}


def test_the_wide_part_is_moved_by_ftrl(mixed):
    _, moved = step(mixed, wide=0.5)
    assert moved["wide_ids/table"] > 1e-2
    assert max(far for path, far in moved.items() if path.startswith("deep")) < 1e-6


def test_weight_decay_is_the_deep_parts_alone(mixed):
    _, without = step(mixed, deep=0.01)
    _, decayed = step(mixed, deep=0.01, weight_decay=10.0)
    assert decayed["deep_0/kernel"] > 5 * without["deep_0/kernel"]
    assert decayed["wide_ids/table"] == without["wide_ids/table"]


def test_l1_keeps_weights_at_zero(make_layout):
    """FTRL's purpose: ids that matter little get a weight of exactly zero."""
    layout = make_layout(FEATURES["id"], FEATURES["dense"])
    batch = batch_of(layout, rows=40)
    label = np.zeros((40, 1), np.float32)

    def weights(l1):
        model = build_wide_deep(layout, Model(hidden_units=(1,)), [0.0])
        trained = TwoOptimizers(model.input, model.output)
        trained.compile(
            optimizer=keras.optimizers.AdamW(1e-12),
            wide=keras.optimizers.Ftrl(0.1, l1_regularization_strength=l1),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            jit_compile=False,
        )
        for _ in range(3):
            trained.train_on_batch(batch, label)
        return np.asarray(model.get_layer("wide_ids").table)[:, 0]

    assert (weights(0.0) < 0).all()
    np.testing.assert_array_equal(weights(100.0), np.zeros(4))


def test_a_saved_graph_gives_the_same_logits(mixed, tmp_path):
    batch = batch_of(mixed)
    for model in (build_wide_deep(mixed, SMALL, [-1.0]), build_baseline(mixed, [-1.0])):
        randomize(model)
        model.save(str(tmp_path / "m.keras"))
        np.testing.assert_array_equal(load(str(tmp_path / "m.keras"))(batch), model(batch))
