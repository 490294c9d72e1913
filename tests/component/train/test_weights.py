"""Weights in training: a row of weight k teaches what k such rows teach."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.examples import ShardWriter, iter_batches, split_folder
from components.train import train as training
from components.train.inputs import Feed, pack_batch
from components.train.model import BASELINE_FILE, MODEL_FILE, load
from components.train.weights import Weighting
from schemas import layout as layouts
from schemas.errors import DataError
from schemas.model import Model
from schemas.tasks.binary import Binary

pytestmark = pytest.mark.component

# One batch is an epoch, so the order of rows has no effect; nothing is dropped at random.
MODEL = Model.model_validate(
    {
        "hidden_units": [4],
        "embedding_dim": 2,
        "dropout": 0.0,
        "batch_size": 4096,
        "deep": {"learning_rate": 0.02},
        "max_epochs": 3,
    }
)
TASK = {"name": "y", "equals": {"column": "answer", "values": [1]}}


def copied(table, folder, change):
    """Copy the examples of a table with each split changed by a function of its columns."""
    for split in ("train", "eval"):
        rows = pa.Table.from_batches(list(iter_batches(table.examples, split)))
        rows = change(rows)
        path = f"{split_folder(str(folder), split)}/rows.parquet"
        with ShardWriter(path, rows.schema, batch_rows=4096) as writer:
            writer.write(rows.combine_chunks())
    return str(folder)


def weights_of(rows):
    """Return a weight for each row, from 0 to 3."""
    return np.arange(rows.num_rows) % 4


def weighted(rows):
    return rows.append_column("w", pa.array((weights_of(rows) * 8).astype(np.float32)))


def repeated(rows):
    return rows.take(np.repeat(np.arange(rows.num_rows), weights_of(rows)))


def trained(table, examples, folder, graph=None, **options):
    folder.mkdir()
    return training.train(
        examples=examples,
        graph=graph or table.graph,
        task=Binary.model_validate({**TASK, **options}),
        model=MODEL,
        output=str(folder),
    )


def logits(model, table, layout=None):
    (batch,) = iter_batches(table.examples, "eval")
    inputs, _ = pack_batch(batch, layout or table.layout)
    return np.asarray(model(inputs, training=False))


def logits_of_file(file, table):
    return logits(load(str(file)), table)


def test_rows_of_weight_k_are_learnt_as_k_rows(table, tmp_path, without_baseline):
    one = trained(
        table, copied(table, tmp_path / "weighted", weighted), tmp_path / "one", weight="w"
    )
    other = trained(table, copied(table, tmp_path / "repeated", repeated), tmp_path / "other")
    assert one.labels == pytest.approx(other.labels)
    assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert one.eval_loss == pytest.approx(other.eval_loss, rel=1e-5)
    found, expected = (
        logits_of_file(tmp_path / name / MODEL_FILE, table) for name in ("one", "other")
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


class FittedError(Exception):
    """Ends a training once it has its baseline."""


def test_the_baseline_learns_rows_of_weight_k_as_k_rows(table, tmp_path, make_layout, monkeypatch):
    """Of numbers alone: Keras's Adam squares each row's gradient of a table by itself."""
    layout, graph = make_layout(("a", "z_score", 0), ("b", "z_score", 0)), tmp_path / "graph"
    graph.mkdir()
    (graph / layouts.FILE_NAME).write_text(layout.model_dump_json())
    fit, baselines = training._fit_baseline, []

    def fit_it_alone(baseline, *arguments):
        fit(baseline, *arguments)
        baselines.append(baseline)
        raise FittedError

    monkeypatch.setattr(training, "_fit_baseline", fit_it_alone)
    for name, change, options in (("one", weighted, {"weight": "w"}), ("other", repeated, {})):
        examples = copied(table, tmp_path / f"{name} examples", change)
        with pytest.raises(FittedError):
            trained(table, examples, tmp_path / name, str(graph), **options)
    found, expected = (logits(baseline, table, layout) for baseline in baselines)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - found.mean()).max() > 0.1


def test_balanced_classes_are_learnt_as_if_they_had_as_many_rows(table, tmp_path):
    """The baseline is trained with the same weights."""
    plain = trained(table, table.examples, tmp_path / "plain")
    even = trained(table, table.examples, tmp_path / "even", class_weights="balanced")
    assert plain.labels["base_rate"] == even.labels["base_rate"] < 0.45
    for file in (MODEL_FILE, BASELINE_FILE):
        found = [logits_of_file(tmp_path / name / file, table) for name in ("plain", "even")]
        scores = [1 / (1 + np.exp(-each)) for each in found]
        assert scores[0].mean() < scores[1].mean()


def test_weights_of_a_split_have_a_mean_of_1(table):
    weighting = Weighting(None, (1.0, 3.0), scale=0.5)
    feed = Feed(table.examples, "eval", table.layout, batch_size=32, seed=1, weights=weighting)
    for _, label, weight in feed():
        assert weight.dtype == np.float32
        assert weight.tolist() == [1.5 if positive else 0.5 for positive in label[:, 0]]


def test_weights_that_are_all_0_are_a_data_error(table, tmp_path):
    def nothing(rows):
        return rows.append_column("w", pa.array(np.zeros(rows.num_rows, np.float32)))

    examples = copied(table, tmp_path / "nothing", nothing)
    with pytest.raises(DataError, match="0 training rows whose 'w' is above 0"):
        trained(table, examples, tmp_path / "model", weight="w")
