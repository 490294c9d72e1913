"""Training: what is learnt, what is kept, and that the result is repeatable."""

from __future__ import annotations

import json
import os
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from components.examples import iter_batches
from components.tasks.learned import TRAINING_FILE
from components.train.event_files import FOLDER
from components.train.history import HISTORY_FILE, FitHistory, History
from components.train.inputs import pack_batch
from components.train.model import BASELINE_FILE, MODEL_FILE, load
from components.train.train import Training, train
from schemas import layout as layouts
from schemas.errors import DataError
from schemas.layout import Layout
from schemas.model import Model
from schemas.tasks.binary import Binary

MODEL = Model.model_validate(
    {
        "hidden_units": [8],
        "embedding_dim": 2,
        "dropout": 0.1,
        "batch_size": 32,
        # fast enough to pass its best epoch before the patience ends
        "deep": {"learning_rate": 0.02},
        "wide": {"learning_rate": 0.3},
        "max_epochs": 12,
        "patience": 2,
        "watch": ["auc"],
    }
)


TRAIN_TAGS = ("loss", "learning_rate")
TASK = Binary.model_validate({"name": "y", "equals": {"column": "answer", "values": [1]}})


def train_into(folder, table, model=MODEL):
    folder.mkdir()
    return train(
        examples=table.examples, graph=table.graph, task=TASK, model=model, output=str(folder)
    )


@pytest.fixture(scope="module")
def trained(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    return folder, train_into(folder, table)


def split_loss(path, table, split="eval"):
    """The log-loss of a saved model, by hand."""
    batches = [pack_batch(b, table.layout) for b in iter_batches(table.examples, split)]
    model = load(str(path))
    logit = np.concatenate([np.asarray(model(inputs, training=False)) for inputs, _ in batches])
    label = np.concatenate([label for _, label in batches])
    return float(np.mean(np.logaddexp(0, logit.astype(np.float64)) - label * logit))


def weights(path):
    return {v.path: np.asarray(v) for v in load(str(path)).trainable_variables}


def test_what_can_be_learnt_is(trained, table):
    _, training = trained
    rate = training.labels["base_rate"]
    guess = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    assert training.loss[-1] < training.loss[0]
    assert min(training.eval_loss) < 0.6 * guess
    assert training.eval_loss[0] > min(training.eval_loss)


def test_the_best_epochs_weights_are_the_ones_kept(trained, table):
    folder, training = trained
    best = min(training.eval_loss)
    assert training.eval_loss[training.best_epoch - 1] == best
    # The last epoch is another one, so keeping its weights would fail.
    assert training.best_epoch < len(training.eval_loss)
    assert training.eval_loss[-1] > best * 1.001
    np.testing.assert_allclose(split_loss(folder / MODEL_FILE, table), best, rtol=1e-5)


def test_training_stops_when_patience_ends(trained):
    _, training = trained
    epochs = len(training.eval_loss)
    assert epochs == min(training.best_epoch + MODEL.patience, MODEL.max_epochs)
    assert epochs < MODEL.max_epochs


def test_what_was_done_is_written(trained, table):
    folder, training = trained
    assert Training.model_validate_json((folder / TRAINING_FILE).read_text()) == training
    label = np.concatenate([b.column("y") for b in iter_batches(table.examples, "train")])
    assert training.labels["base_rate"] == label.mean()
    assert (training.train_examples, training.eval_examples) == (400, 100)
    fed = training.train_examples * len(training.loss)
    assert training.examples_per_second == pytest.approx(fed / training.seconds)
    assert len(training.loss) == len(training.eval_loss)
    assert sorted(os.listdir(folder)) == sorted(
        [MODEL_FILE, BASELINE_FILE, TRAINING_FILE, layouts.FILE_NAME, HISTORY_FILE, FOLDER]
    )
    layout = json.loads((folder / layouts.FILE_NAME).read_text())
    assert Layout.model_validate(layout) == table.layout


def scalars(folder):
    """What TensorBoard shows of a folder: tag -> step -> value."""
    found: dict[str, dict[int, float]] = {}
    for path in folder.glob("events.out.tfevents.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                number = float(tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, {})[event.step] = number
    return found


def test_each_round_is_in_the_history_and_in_tensorboard(trained):
    folder, training = trained
    history = History.read(str(folder))
    assert history is not None
    assert history.stop_by == "loss"
    (fit,) = history.folds
    assert (fit.fold, fit.kept) == (None, training.best_epoch)
    rounds = fit.rounds
    assert tuple(each.loss for each in rounds) == training.loss
    assert tuple(each.eval_loss for each in rounds) == training.eval_loss
    # 13 batches an epoch, 16 steps a round; the learning rate rises in 50 steps
    assert [(each.epoch, each.step) for each in rounds[:2]] == [(16 / 13, 16), (32 / 13, 32)]
    assert rounds[0].learning_rate < rounds[1].learning_rate < rounds[-1].learning_rate
    assert rounds[-1].learning_rate == pytest.approx(0.02)
    assert 0.5 < (rounds[0].metrics["auc"] or 0) < (rounds[fit.kept - 1].metrics["auc"] or 0) < 1
    assert rounds[0].seconds < rounds[-1].seconds <= training.seconds
    expected: dict[str, Any] = {
        "train": {tag: {r.step: getattr(r, tag) for r in rounds} for tag in TRAIN_TAGS},
        "eval": {
            "loss": {r.step: r.eval_loss for r in rounds},
            "auc": {r.step: r.metrics["auc"] for r in rounds},
        },
    }
    for name, tags in expected.items():
        got = scalars(folder / FOLDER / name)
        assert list(got) == list(tags)
        for tag, values in tags.items():
            assert got[tag] == pytest.approx(values)


def test_a_history_has_null_for_numbers_that_json_has_not(tmp_path):
    one: dict[str, Any] = {"round": 1, "epoch": 1, "step": 5, "learning_rate": 0.1, "seconds": 1}
    one |= {"loss": float("inf"), "eval_loss": float("nan"), "metrics": {"auc": None}}
    fold = FitHistory.model_validate({"fold": 0, "kept": 1, "rounds": [one]})
    History(stop_by="auc", folds=(fold,)).write(str(tmp_path))
    written = json.loads((tmp_path / HISTORY_FILE).read_text())["folds"][0]["rounds"][0]
    assert (written["loss"], written["eval_loss"]) == (None, None)
    read = History.read(str(tmp_path))
    assert read is not None
    assert np.isnan(read.folds[0].rounds[0].loss)
    assert History.read(str(tmp_path / "without")) is None


def test_the_baseline_is_trained_too(trained, table):
    folder, training = trained
    rate = training.labels["base_rate"]
    guess = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    assert split_loss(folder / BASELINE_FILE, table) < 0.7 * guess
    assert np.abs(weights(folder / BASELINE_FILE)["linear_ids/table"]).max() > 0.05


def test_both_parts_are_trained(trained):
    folder, _ = trained
    learnt = weights(folder / MODEL_FILE)
    assert np.abs(learnt["wide_ids/table"]).max() > 0.1
    assert np.abs(learnt["deep_embedding/table"]).max() > 0.051  # it starts within 0.05


def test_the_same_seed_trains_the_same_weights(trained, table, tmp_path):
    folder, training = trained
    keras.utils.set_random_seed(7)  # the process's own random numbers have no effect
    again = train_into(tmp_path / "again", table)
    assert again.eval_loss == training.eval_loss
    for file in (MODEL_FILE, BASELINE_FILE):
        first, second = weights(folder / file), weights(tmp_path / "again" / file)
        assert list(first) == list(second)
        for path, values in first.items():
            np.testing.assert_array_equal(second[path], values, err_msg=path)


def test_another_seed_trains_other_weights(trained, table, tmp_path):
    folder, _ = trained
    model = MODEL.model_copy(update={"seed": 43, "max_epochs": 1})
    train_into(tmp_path / "other", table, model)
    first, second = weights(folder / MODEL_FILE), weights(tmp_path / "other" / MODEL_FILE)
    assert not np.array_equal(first["deep_0/kernel"], second["deep_0/kernel"])


@pytest.mark.parametrize("label", [0, 1])
def test_a_label_of_one_class_is_a_data_error(table_of, tmp_path, label):
    table = table_of(rows=30, eval_rows=5, label=label)
    with pytest.raises(DataError, match=f"label 'y' is {label} in all 30 training rows") as caught:
        train_into(tmp_path / "model", table)
    assert caught.value.where == table.examples
    assert os.listdir(tmp_path / "model") == []


def test_an_eval_split_without_rows_is_a_data_error(table_of, tmp_path):
    table = table_of(rows=30, eval_rows=0)
    with pytest.raises(DataError, match="eval split has no rows") as caught:
        train_into(tmp_path / "model", table)
    assert "splits.eval" in str(caught.value.remedy)


def test_no_training_rows_is_a_data_error(table_of, tmp_path):
    with pytest.raises(DataError, match="0 training rows"):
        train_into(tmp_path / "model", table_of(rows=0))
