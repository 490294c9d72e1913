"""Rows that `prepare` keeps, with derived columns and features.py, to a proven model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import skewless

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = """
default_environment: "TRAINING"
default_environment: "SERVING"
feature { name: "id" type: INT not_in_environment: "SERVING" }
feature { name: "x" type: FLOAT }
feature { name: "age" type: FLOAT }
feature { name: "bought" type: BYTES not_in_environment: "SERVING" }
"""
PIPELINE = """
name: shop
source: {path: data.csv}
derive:
  sold: bought = 'yes'
  years: case when age >= 60 then 'old' when age >= 18 then 'adult' else 'child' end
  customer: id % 4000
prepare:
  where: {adult: years <> 'child'}
  required: [x]
  drop_duplicates: {key: [id]}
  outliers: {age: {iqr: 3}}
  sample: {rates: {"0": 0.1}}
  keep_dropped: true
splits: {key: [customer]}
label: {column: sold}
features: {x: z_score, age: z_score, years: vocabulary}
combinations: [own: {columns: [age, years], features: {decade: number, initial: 7}}]
evaluation: {thresholds: {beats_baseline: false}, slices: [years]}
model: {max_epochs: 15, batch_size: 64, deep: {learning_rate: 0.01}}
"""
CODE = """
import tensorflow as tf

def preprocess(inputs, tft):
    first = tf.strings.substr(inputs["years"], 0, 1)
    return {
        "decade": tft.scale_to_z_score(inputs["age"] // 10),
        "initial": tft.hash_strings(first, 7),
    }
"""
ROWS = 8_000


def write_table(path):
    """Write a table of which about one row in eight is of class `yes`; return the column."""
    draw = np.random.default_rng(3)
    x = draw.normal(size=ROWS)
    bought = draw.random(ROWS) < 1 / (1 + np.exp(2.4 - 1.2 * x))
    age = draw.integers(18, 90, ROWS).astype(float)
    age[:100], age[100:140] = 17, 5_000
    columns = {"id": np.arange(ROWS), "x": pa.array(x, mask=np.arange(ROWS) % 200 == 199)}
    columns |= {"age": age, "bought": np.where(bought, "yes", "no")}
    table = pa.table(columns)
    pacsv.write_csv(pa.concat_tables([table, table.slice(1_000, 300)]), path)


def test_all_rules_give_a_proven_model_whose_scores_are_calibrated(tmp_path):
    dataset, output = tmp_path / "shop", tmp_path / "runs"
    dataset.mkdir()
    write_table(dataset / "data.csv")
    (dataset / "schema.pbtxt").write_text(SCHEMA)
    (dataset / "pipeline.yaml").write_text(PIPELINE)
    (dataset / "features.py").write_text(CODE)
    command = [sys.executable, "-m", "skewless", "run", str(dataset), "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (summary,) = output.glob("*/runs/*/summary.json")
    content = json.loads(summary.read_text())
    assert (content["status"], content["parity"]["proven"]) == ("pushed", True)

    counts = content["counts"]
    dropped = counts["dropped_by_rule"]
    assert dropped["prepare.where.adult"] == 100
    assert dropped["prepare.required.x"] == 41  # one of them is there twice
    assert dropped["prepare.drop_duplicates"] == 299  # one of the 300 lacks x
    assert 20 <= dropped["prepare.outliers.age"] <= 40  # those of training
    assert counts["records_read"] == sum(counts["examples"].values()) + sum(dropped.values())

    (version,) = output.glob("shop/serving/1")
    card = (version / "MODEL_CARD.md").read_text()
    assert "Training had a sample of some classes." in card
    added = json.loads((version / "model.json").read_text())["correction"]
    assert added["0"] == pytest.approx(np.log(10), abs=0.2)

    (folder,) = output.glob("shop/artifacts/ingest/examples/*/Split-test")
    rows = pa.concat_tables(pq.read_table(path) for path in sorted(folder.glob("*.parquet")))
    answers = skewless.load(str(version)).predict(rows.select(["x", "age"]))
    scores = answers["score"].to_numpy()
    assert rows["sold"].to_pylist() == [bought == "yes" for bought in rows["bought"].to_pylist()]
    assert "`years = old`" in card
    assert "own (" in card
    described = json.loads((version / "model.json").read_text())
    assert "features.py" in described["digests"]
    rate = np.mean(np.array(rows["bought"].to_pylist()) == "yes")
    noise = 4 * np.sqrt(rate * (1 - rate) / rows.num_rows)
    assert np.mean(scores) == pytest.approx(rate, abs=noise)
    uncorrected = 1 / (1 + (1 / scores - 1) * np.exp(added["1"] - added["0"]))
    assert np.mean(uncorrected) > rate + 5 * noise
