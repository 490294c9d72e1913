"""A model for each fold: what it learns from, what it is asked, and what is served of all."""

from __future__ import annotations

import glob
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.examples import iter_batches
from components.tasks.learned import TRAINING_FILE
from components.train import train as training
from components.train.folds import FILE_NAME, FoldRows
from components.train.inputs import Feed, pack_batch
from components.train.model import MODEL_FILE, load
from components.train.train import Training, train
from schemas.model import Model
from schemas.splits.options import FOLD
from schemas.tasks.binary import Binary

pytestmark = pytest.mark.component

FOLDS = 2
MODEL = Model.model_validate(
    {"hidden_units": [4], "members": 2, "batch_size": 64, "max_epochs": 2, "per_fold": True}
)
TASK = Binary.model_validate({"name": "y", "equals": {"column": "answer", "values": [1]}})


def fold_of(rows):
    return np.arange(rows) % 3 % FOLDS  # two thirds of the rows are in fold 0


def give_folds(table, shuffled):
    """Add folds to the training rows; shuffle the labels of one fold."""
    (path,) = glob.glob(f"{table.examples}/Split-train/*.parquet")
    rows = pq.read_table(path)
    folds, labels = fold_of(len(rows)), rows["y"].to_numpy().copy()
    if shuffled is not None:
        labels[folds == shuffled] = np.random.default_rng(0).permutation(labels[folds == shuffled])
    rows = rows.set_column(rows.schema.get_field_index("y"), "y", pa.array(labels))
    pq.write_table(rows.append_column(FOLD, pa.array(folds)), path, row_group_size=128)
    return table


def train_into(folder, table):
    folder.mkdir()
    return train(
        examples=table.examples, graph=table.graph, task=TASK, model=MODEL, output=str(folder)
    )


@pytest.fixture(scope="module", autouse=True)
def without_the_baseline():
    """Leave the baseline as it starts: it learns from all rows, whatever their folds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_fit_baseline", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from tests.component.train.conftest import write_table

    folder = tmp_path_factory.mktemp("folds")
    table = give_folds(write_table(folder), None)
    train_into(folder / "model", table)
    return folder / "model", table


def test_each_training_row_has_one_answer_of_a_model_that_never_saw_it(trained, table_of, tmp_path):
    folder, table = trained
    rows = pq.read_table(folder / FILE_NAME)
    labels = np.concatenate([b.column("y") for b in iter_batches(table.examples, "train")])
    assert rows["row"].to_pylist() == list(range(400))
    assert rows["fold"].to_pylist() == fold_of(400).tolist()
    assert rows["label"].to_pylist() == labels.tolist()
    scores = 1 / (1 + np.exp(-rows["logits"].to_numpy()))
    np.testing.assert_allclose(rows["scores"].to_numpy(), scores, rtol=1e-6)

    shuffled = give_folds(table_of(), 0)  # its model has the same rows to learn from
    train_into(tmp_path / "model", shuffled)
    again = pq.read_table(tmp_path / "model" / FILE_NAME)["logits"].to_numpy()
    own = fold_of(400) == 0
    assert (again[own] == rows["logits"].to_numpy()[own]).all()
    assert (again[~own] != rows["logits"].to_numpy()[~own]).any()


def test_the_mean_probability_of_all_models_is_served(trained):
    folder, table = trained
    model = load(str(folder / MODEL_FILE))
    batch = next(iter(iter_batches(table.examples, "eval")))
    inputs, _ = pack_batch(batch, table.layout)
    members = [model.get_layer(f"fold_{i}") for i in range(FOLDS)]
    each = [1 / (1 + np.exp(-np.asarray(m(inputs), np.float64))) for m in members]
    assert np.abs(each[0] - each[1]).max() > 1e-3
    served = 1 / (1 + np.exp(-np.asarray(model(inputs), np.float64)))
    np.testing.assert_allclose(served, np.mean(each, axis=0), rtol=1e-5)


def test_how_each_was_trained_is_written(trained):
    folder, _ = trained
    training = Training.model_validate_json((folder / TRAINING_FILE).read_text())
    assert len(training.folds) == FOLDS
    assert training.folds[0].loss == training.loss
    assert training.train_examples == 400
    assert sorted(os.listdir(folder))[-1] == TRAINING_FILE


def test_a_feed_of_a_fold_has_its_rows_alone(trained):
    _, table = trained
    inside, outside = (
        Feed(table.examples, "train", table.layout, batch_size=50, seed=1, only=FoldRows(0, each))
        for each in (True, False)
    )
    assert (inside.rows, outside.rows) == (267, 133)
    assert sum(len(label) for _, label in outside()) == 133
    assert outside.batches == 3
