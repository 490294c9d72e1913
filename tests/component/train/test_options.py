"""Options of training, each by its effect: compared with numpy, or with training without it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from components.tasks.protocol import Head
from components.train.judge import Judge
from components.train.losses import penalty_of, training_loss
from components.train.model import build_wide_deep, load
from components.train.rounds import Judgement, KeepBest
from components.train.schedules import Plateau, ReduceOnPlateau, rate_of
from components.train.two_optimizers import TwoOptimizers
from schemas.layout import ATTENTION, Layout, TransformedFeature
from schemas.model import AdamW, Loss, Model
from schemas.tasks.binary import Binary
from tests.component.train.test_model import batch_of, randomize

RANDOM = np.random.default_rng(2)
LOGITS = RANDOM.normal(size=(7, 3)).astype(np.float32) * 3
OWN = {
    "sigmoid": keras.losses.BinaryCrossentropy(from_logits=True),
    "softmax": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
}


def head_of(link, units=1):
    return Head(start=(0.0,) * units, loss=OWN[link], link=link, labels={})


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize(
    "options",
    [
        {"label_smoothing": 0.2},
        {"gamma": 2.0},
        {"gamma": 0.5, "label_smoothing": 0.1},
        {"gamma": 1.0, "gamma_negative": 4.0, "margin": 0.05},
    ],
)
def test_the_loss_of_two_classes_is_that_of_the_papers(options):
    loss = Loss(**options)
    z, y = LOGITS[:, :1], np.array([[0], [1], [1], [0], [1], [0], [0]], np.float32)
    soft = y * (1 - loss.label_smoothing) + loss.label_smoothing / 2
    p, negative = sigmoid(z), loss.gamma if loss.gamma_negative is None else loss.gamma_negative
    q = np.maximum(p - loss.margin, 0)
    expected = -soft * (1 - p) ** loss.gamma * np.log(p)
    expected -= (1 - soft) * q**negative * np.log(1 - q)
    weight = np.arange(7.0)
    ours = training_loss(head_of("sigmoid"), loss)
    assert ours is not None
    got = ours(y, z, weight)
    np.testing.assert_allclose(got, (expected[:, 0] * weight).mean(), rtol=1e-5)


@pytest.mark.parametrize("options", [{"label_smoothing": 0.3}, {"gamma": 2.0}])
def test_the_loss_of_several_classes_is_that_of_the_papers(options):
    loss, y = Loss(**options), np.arange(7) % 3
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    soft = np.eye(3)[y] * (1 - loss.label_smoothing) + loss.label_smoothing / 3
    expected = -(soft * (1 - p) ** loss.gamma * np.log(p)).sum(axis=1)
    ours = training_loss(head_of("softmax", 3), loss)
    assert ours is not None
    got = ours(y[:, np.newaxis].astype(np.float32), LOGITS)
    np.testing.assert_allclose(got, expected.mean(), rtol=1e-5)


def test_the_own_loss_is_left_alone():
    assert training_loss(head_of("sigmoid"), Loss()) is None
    assert penalty_of(AdamW()) is None


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ({"warm_up": 0}, {0: 0.1, 100: 0.1}),
        ({"warm_up": 10}, {0: 0.001, 10: 0.1, 99: 0.1}),
        ({"schedule": "cosine", "warm_up": 0}, {0: 0.1, 50: 0.05, 100: 0.0}),
        ({"schedule": "cosine", "warm_up": 10}, {0: 0.001, 10: 0.1, 55: 0.05, 100: 0.0}),
        ({"schedule": "one_cycle"}, {0: 0.004, 30: 0.1, 65: 0.05, 100: 0.0}),
        ({"schedule": "plateau", "warm_up": 10}, {0: 0.001, 10: 0.1, 99: 0.1}),
    ],
)
def test_the_learning_rate_follows_its_schedule(options, at):
    rate = rate_of(AdamW(learning_rate=0.1, **options), 1000, 100)
    for step, expected in at.items():
        got = rate(step) if callable(rate) else rate
        np.testing.assert_allclose(float(got), expected, atol=2e-5)


def test_a_plateau_halves_the_rate_again_after_a_checkpoint():
    scores = [0.9, 0.8, 0.85, 0.81, 0.7, 0.71, 0.72, 0.73, 0.74]
    factors = [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    keep, plateau = KeepBest(9), Plateau(0.1)
    for seen, factor in enumerate(factors, 1):
        keep.scores = scores[:seen]
        ReduceOnPlateau(plateau, keep).on_epoch_end(seen - 1)
        assert float(plateau.factor) == factor
        plateau.factor.assign(7.0)
        ReduceOnPlateau(plateau, keep).on_train_begin()  # of a process that goes on
        np.testing.assert_allclose(float(plateau(0)), 0.1 * factor, rtol=1e-6)


def step(layout, *, clip_norm=None, penalty=None, **options):
    """Take a step of gradient descent at rate 1; return the weights before, and their changes."""
    small = {"members": 2, "hidden_units": (4,), "embedding_dim": 2, "embedding_rate": 1.0}
    members, served = build_wide_deep(layout, Model(**small, **options), [0.0], "sigmoid")
    before = randomize(served)
    trained = TwoOptimizers(members, served, 0.0, clip_norm)
    trained.compile(
        optimizer=keras.optimizers.SGD(1.0),
        wide=keras.optimizers.SGD(1.0),
        loss=OWN["sigmoid"],
        penalty=penalty,
        jit_compile=False,
    )
    label = np.array([[1], [0], [1], [1], [0], [1]], np.float32)
    trained.train_on_batch(batch_of(layout), label)
    return (
        served,
        before,
        {v.path: np.asarray(v) - before[v.path] for v in served.trainable_variables},
    )


@pytest.fixture
def mixed(make_layout):
    return make_layout(("a", "z_score", 0), ("i", "vocabulary", 4), ("x", "cross", 6))


def norm(changes):
    return np.sqrt(sum((change**2).sum() for change in changes.values()))


def test_the_norm_of_a_gradient_is_clipped(mixed):
    _, _, free = step(mixed)
    _, _, clipped = step(mixed, clip_norm=norm(free) / 4)
    np.testing.assert_allclose(norm(clipped), norm(free) / 4, rtol=1e-5)
    for path, change in free.items():
        np.testing.assert_allclose(clipped[path], change / 4, rtol=1e-4, atol=1e-6)


def test_penalties_pull_at_the_weights_of_their_part(mixed):
    options = AdamW(l1=0.01, l2=0.1, embedding_l2=0.2)
    _, before, free = step(mixed)
    _, _, pulled = step(mixed, penalty=penalty_of(options))
    for path, value in before.items():
        expected = np.zeros_like(value)
        if path == "deep_embedding/table":
            expected = 2 * options.embedding_l2 * value
        elif path.split("/")[1] in ("kernel", "u", "v"):
            expected = 2 * options.l2 * value + options.l1 * np.sign(value)
        np.testing.assert_allclose(free[path] - pulled[path], expected, rtol=1e-3, atol=1e-5)


def test_layer_norm_normalizes_the_units_of_each_member(mixed):
    options = Model(members=3, hidden_units=(5,), norm="layer", embedding_dim=2)
    members, served = build_wide_deep(mixed, options, [0.0], "sigmoid")
    inner = keras.Model(members.input, members.get_layer("deep_0_norm").output)
    units = np.asarray(inner(batch_of(mixed)))
    assert units.shape == (6, 3, 5)
    np.testing.assert_allclose(units.mean(axis=2), 0, atol=1e-5)
    assert (units < 0).any()  # ReLU comes after it
    assert len(served.non_trainable_weights) == 0


def test_batch_norm_keeps_its_statistics_with_the_weights(mixed):
    served, _, _ = step(mixed, norm="batch")
    mean, variance = served.non_trainable_weights
    assert mean.shape == variance.shape == (8,)  # of 2 members of 4 units
    assert np.abs(mean.numpy()).max() > 1e-4
    trained = TwoOptimizers(served, served, 0.0)
    kept = trained.averages()
    mean.assign(mean + 1)
    trained.exchange(kept)
    np.testing.assert_array_equal(mean.numpy(), kept[-2])


def test_embeddings_of_many_ids_are_longer(make_layout):
    layout = make_layout(("i", "vocabulary", 4), ("j", "vocabulary", 900), ("k", "vocabulary", 5))
    options = Model(members=1, hidden_units=(3,), embedding_dim="auto", cross_rank=0)
    _, served = build_wide_deep(layout, options, [0.0], "sigmoid")
    shapes = {v.path: tuple(v.shape) for v in served.trainable_variables}
    assert shapes["deep_embedding_4/table"] == (9, 4)
    assert shapes["deep_embedding_64/table"] == (900, 64)
    assert shapes["deep_0/kernel"] == (2 * 4 + 64, 3)


def test_attention_weighs_a_list_by_the_row(tmp_path):
    features = (
        TransformedFeature(name="a", columns=("a",), treatment="z_score", role="dense"),
        *(
            TransformedFeature(
                name=name,
                columns=(name,),
                treatment="vocabulary",
                role="embedding",
                size=5,
                combine=combine,
            )
            for name, combine in (("l", ATTENTION), ("m", "sum"), ("n", ATTENTION))
        ),
    )
    layout = Layout(features=features, label="y")
    options = Model(members=1, hidden_units=(3,), embedding_dim=2, embedding_rate=0.5, cross_rank=0)
    _, served = build_wide_deep(layout, options, [0.0], "sigmoid")
    weights = randomize(served)
    ids = np.array([[[1, 2, 4], [0, 0, 1], [3, -1, -1]], [[-1, -1, -1], [2, -1, -1], [4, 0, -1]]])
    inputs = {"dense": np.array([[0.5], [-2.0]], np.float32), "lists": ids.astype(np.int32)}
    layer = served.get_layer("deep_attention")
    got = np.asarray(keras.Model(served.input, layer.output)(inputs))

    summed = np.where(ids[:, 1, :, None] >= 0, weights["deep_lists/table"][ids[:, 1]], 0).sum(1)
    row = np.concatenate([inputs["dense"], summed * 0.5], axis=1)
    query = (row @ weights["deep_attention/query_kernel"]).reshape(2, 2, 2)
    query = query + weights["deep_attention/query_bias"]
    expected = np.zeros((2, 2, 2))
    for b in range(2):
        for i, of in enumerate((0, 2)):
            known = ids[b, of][ids[b, of] >= 0]
            vectors = weights["deep_attention/table"][known + 5 * i] * 0.5
            scores = np.exp(vectors @ query[b, i] / np.sqrt(2))
            expected[b, i] = (scores / scores.sum()) @ vectors if len(known) else 0
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    check_loads(served, inputs, tmp_path)


def check_loads(model, inputs, tmp_path):
    """Check that a saved graph gives the same answers."""
    path = str(tmp_path / "model.keras")
    model.save(path)
    np.testing.assert_array_equal(load(path)(inputs), model(inputs))


def monotone_graphs():
    """A model of `p`, increasing, and `q`, decreasing, which have an interval feature each."""
    features = []
    for name in "pqr":
        shared = {"columns": (name,), "treatment": "piecewise_linear"}
        place = TransformedFeature(name=f"{name}_place", role="place", size=6, **shared)
        bins = TransformedFeature(name=f"{name}_bin", role="wide", size=7, **shared)
        score = TransformedFeature(
            name=f"{name}_z", columns=(name,), treatment="z_score", role="dense"
        )
        features += [place, bins, score]
    layout = Layout(features=tuple(features), label="y")
    options = Model(members=2, hidden_units=(8,), monotone={"p": "increasing", "q": "decreasing"})
    return build_wide_deep(layout, options, [0.0], "sigmoid")


def inputs_of(places):
    """Return the inputs for places in [0, 6], [rows, 3]; z-scores follow from them."""
    return {
        "places": places.astype(np.float32),
        "ids": np.minimum(places.astype(np.int32), 5) + 1,
        "dense": (3 - places).astype(np.float32),
    }


def test_the_score_of_a_monotone_column_never_turns(tmp_path):
    """Trained on labels that turn: they rise with the outer places and fall with the inner ones."""
    graphs, random = monotone_graphs(), np.random.default_rng(1)
    places = random.uniform(0, 6, (2000, 3))
    label = (np.abs(places - 3).sum(axis=1) > 4.5).astype(np.float32)[:, np.newaxis]
    trained = TwoOptimizers(graphs[0], graphs[1], 0.9)
    trained.compile(
        optimizer=keras.optimizers.AdamW(0.02),
        wide=keras.optimizers.Ftrl(0.1),
        loss=OWN["sigmoid"],
        jit_compile=False,
        steps_per_execution=10,
    )
    trained.fit(inputs_of(places), label, batch_size=50, epochs=4, verbose=0)
    for column, sign in ((0, 1), (1, -1)):
        rows = random.uniform(0, 6, (10_000, 3))
        higher = rows.copy()
        higher[:, column] = random.uniform(rows[:, column], 6)
        low, high = (np.asarray(graphs[1](inputs_of(r))).astype(np.float64) for r in (rows, higher))
        assert (sign * (high - low) >= -1e-6).all()
        assert (sign * (high - low) > 1e-3).mean() > 0.2  # it has learnt something
    # A missing value is in no order: its place is 0 and its interval's number too.
    without = inputs_of(rows)
    without["places"][:, 0], without["ids"][:, 0] = 0, 0
    graphs[0].get_layer("deep_monotone").missing.assign([[50.0], [0.0]])
    check_loads(graphs[1], without, tmp_path)
    assert np.asarray(graphs[1](without)).min() > np.asarray(graphs[1](inputs_of(rows))).max()


def test_a_model_can_be_judged_by_a_metric(table):
    from components.train.inputs import Feed

    task = Binary.model_validate({"name": "y", "equals": {"column": "answer", "values": [1]}})
    rows = Feed(table.examples, "eval", table.layout, batch_size=30)
    _, served = build_wide_deep(table.layout, Model(members=1), [0.0], "sigmoid")
    for variable in served.trainable_variables:
        variable.assign(0.1 * RANDOM.normal(size=variable.shape))
    by_auc = Judge(task, {}, rows, stop_by="auc", watch=["log_loss", "auc"])(served)
    judged = by_auc.metrics
    assert by_auc.score == -(judged["auc"] or 0)
    assert Judge(task, {}, rows, stop_by=None, watch=["auc"])(served).score is None
    batches = list(rows.dataset())
    y = np.concatenate([y for _, y in batches])[:, 0]
    z = np.concatenate([np.asarray(served(x))[:, 0] for x, _ in batches]).astype(np.float64)
    yes, no = z[y == 1], z[y == 0]
    auc = (yes[:, None] > no).mean() + (yes[:, None] == no).mean() / 2
    np.testing.assert_allclose(judged["auc"], auc, atol=5e-3)  # in bins
    np.testing.assert_allclose(judged["log_loss"], np.mean(np.logaddexp(0, z) - y * z), rtol=1e-4)


class _Dummy:
    """Weights of a model that training never sees."""

    stop_training = False

    def averages(self):
        return []

    def exchange(self, weights):
        return weights

    served = None


def test_the_judge_decides_which_round_is_the_best():
    scores = iter([3.0, 1.0, float("nan"), 2.0, 1.0])
    keep = KeepBest(3, judge=lambda _: Judgement(next(scores), {}))
    keep.set_model(_Dummy())
    stopped = []
    for i in range(5):
        keep.on_test_begin()
        keep.on_test_end({"loss": -float(i)})
        keep.on_epoch_end(i)
        stopped.append(keep.model.stop_training)
    assert (keep.best_round, stopped) == (2, [False] * 4 + [True])
