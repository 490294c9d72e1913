"""The calibrate stage: what it writes beside the trained model, and what it refuses."""

from __future__ import annotations

import filecmp
import json
import math
import os
import shutil

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.calibrate.calibrate import calibrate
from components.examples import ShardWriter, split_folder
from components.tasks.calibration import calibrator_of
from components.tasks.learned import CALIBRATION_FILE, CORRECTION, TRAINING_FILE, read_learned
from components.train.folds import FILE_NAME as OUT_OF_FOLD_FILE
from components.train.model import MODEL_FILE
from schemas import layout as layouts
from schemas.calibration import Calibration
from schemas.errors import DataError
from schemas.layout import Layout, TransformedFeature
from schemas.tasks.binary import Binary

pytestmark = pytest.mark.component

TASK = Binary.model_validate({"name": "y", "equals": {"column": "answer", "values": [1]}})
LAYOUT = Layout(
    features=(
        TransformedFeature(name="z", columns=("z",), treatment="z_score", role="dense", size=0),
    ),
    label="y",
)


def write_rows(folder, rows, split="eval"):
    random = np.random.default_rng(1)
    z = random.normal(size=rows).astype(np.float32)
    y = (random.random(rows) < 1 / (1 + np.exp(-z))).astype(np.int64)
    table = pa.table({"z": z, "y": y})
    path = f"{split_folder(str(folder), split)}/rows.parquet"
    with ShardWriter(path, table.schema, batch_rows=500) as writer:
        writer.write(table)
    return str(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model whose logits are three times as large as they should be."""
    folder = tmp_path_factory.mktemp("trained")
    dense = keras.Input((1,), name="dense")
    logits = keras.layers.Dense(
        1, kernel_initializer=keras.initializers.Constant(3.0), name="logit"
    )(dense)
    keras.Model({"dense": dense}, logits).save(folder / MODEL_FILE)
    (folder / layouts.FILE_NAME).write_text(LAYOUT.model_dump_json())
    (folder / TRAINING_FILE).write_text(json.dumps({"labels": {"base_rate": 0.5}}))
    return str(folder)


def calibrated(examples, trained, output, method, rows="eval"):
    return calibrate(
        examples=examples,
        trained=trained,
        task=TASK,
        calibration=Calibration(method=method, rows=rows),
        output=str(output),
    )


def test_the_model_stays_and_its_calibration_is_beside_it(trained, tmp_path):
    examples, output = write_rows(tmp_path / "examples", 3000), tmp_path / "out"
    fitted = calibrated(examples, trained, output, "auto")
    assert fitted.method in ("temperature", "platt", "beta")
    assert sorted(os.listdir(output)) == sorted([*os.listdir(trained), CALIBRATION_FILE])
    assert filecmp.cmp(output / MODEL_FILE, f"{trained}/{MODEL_FILE}", shallow=False)
    assert calibrator_of(read_learned(str(output))) == fitted.calibrator
    before, after = (sum(c.calibrated for c in d["1"]) for d in (fitted.before, fitted.after))
    assert after > before
    ((scale, _),) = calibrated(examples, trained, tmp_path / "t", "temperature").calibrator.rows
    assert scale == pytest.approx(1 / 3, abs=0.04)


def test_what_is_calibrated_stays_as_it_is(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "right")
    model = keras.saving.load_model(tmp_path / "right" / MODEL_FILE)
    model.layers[-1].set_weights([np.ones((1, 1)), np.zeros(1)])
    model.save(tmp_path / "right" / MODEL_FILE)
    examples = write_rows(tmp_path / "examples", 3000)
    fitted = calibrated(examples, str(tmp_path / "right"), tmp_path / "out", "auto")
    assert (fitted.method, fitted.calibrator) == ("none", None)
    assert calibrator_of(read_learned(str(tmp_path / "out"))) is None


def test_a_calibration_is_fitted_to_out_of_fold_answers_of_classes_as_they_were(trained, tmp_path):
    """Half of the rows of class 0 were left out, so those that are left count twice."""
    examples, own = write_rows(tmp_path / "examples", 4000, "train"), tmp_path / "trained"
    shutil.copytree(trained, own)
    (own / TRAINING_FILE).write_text(json.dumps({"labels": {CORRECTION: [math.log(2), 0.0]}}))
    (batch,) = (pq.read_table(path) for path in (tmp_path / "examples").rglob("*.parquet"))
    kept = np.flatnonzero((batch["y"].to_numpy() == 1) | (np.arange(4000) % 2 == 0))
    pq.write_table(batch.take(kept), next((tmp_path / "examples").rglob("*.parquet")))
    rows = np.arange(len(kept))[::-1]  # not in the order of the examples
    logits = 3 * (batch["z"].to_numpy()[kept] + math.log(2))[rows]
    table = pa.table({"row": rows, "label": batch["y"].to_numpy()[kept][rows], "logits": logits})
    pq.write_table(table, own / OUT_OF_FOLD_FILE)
    fitted = calibrated(examples, str(own), tmp_path / "out", "platt", "out_of_fold")
    ((scale, shift),) = fitted.calibrator.rows
    assert fitted.rows == len(kept)
    assert scale == pytest.approx(1 / 3, abs=0.03)
    # 3 (z + log 2), corrected by - log 2, is to become z
    assert shift == pytest.approx(-math.log(2) * 2 / 3, abs=0.1)


def test_too_few_rows_are_refused(trained, tmp_path):
    with pytest.raises(DataError, match=r"99 rows that count.*too few"):
        calibrated(write_rows(tmp_path / "examples", 99), trained, tmp_path / "out", "beta")
