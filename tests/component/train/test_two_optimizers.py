"""Which optimizer changes which part, the averages of the weights, and when training stops."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from components.train.model import build_wide_deep
from components.train.rounds import KeepBest
from components.train.two_optimizers import TwoOptimizers
from schemas.model import Model
from tests.component.train.test_model import FEATURES, batch_of, randomize

SMALL = Model(members=2, hidden_units=(4,), embedding_dim=2, cross_rank=0, embedding_rate=1.0)
LABEL = np.array([[1], [0], [1], [1], [0], [1]], np.float32)


def compiled(graphs, *, adam, ftrl, averaging=0.0):
    trained = TwoOptimizers(graphs[0], graphs[1], averaging)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    trained.compile(optimizer=adam, wide=ftrl, loss=loss, jit_compile=False)
    return trained


def step(layout, *, wide=0.0, deep=0.0, weight_decay=0.0):
    """Take one training step; return how far each variable moved."""
    graphs = build_wide_deep(layout, SMALL, [0.0], "sigmoid")
    model = graphs[1]
    randomize(model)
    trained = compiled(
        graphs,
        # Not every optimizer takes a rate of zero; the change of this one is too small to notice.
        adam=keras.optimizers.AdamW(deep or 1e-12, weight_decay=weight_decay),
        ftrl=keras.optimizers.Ftrl(wide or 1e-12, initial_accumulator_value=0.1),
    )
    before = {v.path: np.array(v) for v in model.trainable_variables}
    trained.train_on_batch(batch_of(layout), LABEL)
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
    assert deep["deep_logits/member_bias"] > 1e-3
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
        graphs = build_wide_deep(layout, SMALL, [0.0], "sigmoid")
        ftrl = keras.optimizers.Ftrl(0.1, l1_regularization_strength=l1)
        trained = compiled(graphs, adam=keras.optimizers.AdamW(1e-12), ftrl=ftrl)
        for _ in range(3):
            trained.train_on_batch(batch, label)
        return np.asarray(graphs[1].get_layer("wide_ids").table)[:, 0]

    assert (weights(0.0) < 0).all()
    np.testing.assert_array_equal(weights(100.0), np.zeros(4))


def test_a_step_follows_the_mean_of_the_members_losses(mixed):
    members, served = graphs = build_wide_deep(mixed, SMALL, [0.0], "sigmoid")
    randomize(served)
    trained = compiled(graphs, adam=keras.optimizers.SGD(1e-12), ftrl=keras.optimizers.Ftrl(1e-12))
    logits, weight = np.asarray(members(batch_of(mixed)))[..., 0], np.arange(6.0)
    losses = np.logaddexp(0, logits) - LABEL * logits
    got = trained.train_on_batch(batch_of(mixed), LABEL, sample_weight=weight)
    np.testing.assert_allclose(got, (losses * weight[:, np.newaxis]).mean(), rtol=1e-5)


def test_averages_follow_the_weights_closely_at_first_and_slowly_later(mixed):
    graphs = build_wide_deep(mixed, SMALL, [0.0], "sigmoid")
    adam, ftrl = keras.optimizers.AdamW(0.01), keras.optimizers.Ftrl(0.1)
    trained = compiled(graphs, adam=adam, ftrl=ftrl, averaging=0.5)
    expected = [np.array(v) for v in graphs[1].trainable_variables]
    for step in range(1, 15):
        trained.train_on_batch(batch_of(mixed), LABEL)
        kept = min(0.5, step / (9 + step))
        expected = [
            kept * e + (1 - kept) * np.array(v)
            for e, v in zip(expected, graphs[1].trainable_variables, strict=True)
        ]
    for average, value in zip(trained.averages(), expected, strict=True):
        np.testing.assert_allclose(average, value, rtol=1e-4, atol=1e-6)


def test_the_averages_of_the_best_epoch_are_kept(mixed):
    """The eval labels are the opposite of the training labels, so every epoch makes it worse."""
    graphs = build_wide_deep(mixed, SMALL, [0.0], "sigmoid")
    adam, ftrl = keras.optimizers.AdamW(0.05), keras.optimizers.Ftrl(0.1)
    trained = compiled(graphs, adam=adam, ftrl=ftrl, averaging=0.9)
    x = batch_of(mixed)
    history = trained.fit(
        x, LABEL, validation_data=(x, 1 - LABEL), epochs=20, callbacks=[KeepBest(3)], verbose=0
    ).history["val_loss"]
    assert len(history) == 4
    assert np.argmin(history) == 0
    loss = trained.evaluate(x, 1 - LABEL, verbose=0)
    np.testing.assert_allclose(loss, history[0], rtol=1e-5)
