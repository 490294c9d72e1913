"""Columns of lists and of texts in a Parquet file, from rows to a pushed and proven model."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import skewless

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["new", "used", "sale", "Crédit", "日本"]
SCHEMA = """
feature { name: "id" type: INT not_in_environment: "SERVING" }
feature { name: "bought" type: INT bool_domain {} not_in_environment: "SERVING" }
feature { name: "x" type: FLOAT }
feature { name: "y" type: FLOAT }
feature { name: "unit" type: BYTES }
feature { name: "tags" type: BYTES value_count { min: 0 max: 6 } presence { min_fraction: 0.5 } }
feature { name: "days" type: INT value_count { min: 1 max: 3 } int_domain { min: 0 max: 6 } }
feature { name: "note" type: BYTES }
default_environment: "TRAINING"
default_environment: "SERVING"
"""
PIPELINE = """
name: table
source: {format: parquet, path: rows.parquet}
splits: {key: [id]}
label: {task: binary, column: bought}
features:
  x: z_score
  y: z_score
  unit: vocabulary
  tags: {vocabulary: {oov_buckets: 2}}
  days: {vocabulary: {combine: sum, weights: days}}
  note: {bag_of_words: {top_k: 50, ngram_range: [1, 2]}}
combinations: [{kind: pca, columns: [x, y]}]
selection: {one_value: 1, duplicates: true, keep: 5, by: jmim}
validation: {max_rejected_fraction: 0.1}
export: {warnings: true}
model: {max_epochs: 20, batch_size: 64, deep: {learning_rate: 0.01}}
"""


def rows_of(count: int) -> Iterator[dict[str, Any]]:
    """Rows whose answer is whether `sale` is among the tags, or whether the tags are empty."""
    rng = random.Random(7)
    for number in range(count):
        tags: list[str | None] | None = [*rng.sample(WORDS, rng.randint(1, 4))]
        if rng.random() < 0.3:
            tags = None if rng.random() < 0.5 else []
        if number % 100 == 0:
            tags = [None if rng.random() < 0.5 else "", "new"]  # rejected
        days = rng.choices(range(7), k=rng.randint(1, 3)) if number % 9 else None
        bought = tags == [] or "sale" in (tags or ())
        x = rng.gauss(0, 1)
        yield {
            "id": number,
            "bought": int(bought),
            "x": x,
            "y": x,
            "unit": "km",
            "tags": tags,
            "days": days,
            "note": " ".join(rng.choices(WORDS, k=rng.randint(0, 5))).upper() or None,
        }


def test_lists_are_learnt_served_and_proven(tmp_path):
    dataset, output = tmp_path / "table", tmp_path / "runs"
    dataset.mkdir()
    types = {"id": pa.int64(), "bought": pa.int64(), "x": pa.float64()}
    types |= {"y": pa.float64(), "unit": pa.string()}
    types |= {"note": pa.string(), "tags": pa.list_(pa.string()), "days": pa.large_list(pa.int32())}
    table = pa.Table.from_pylist(list(rows_of(1500)), pa.schema(list(types.items())))
    pq.write_table(table, dataset / "rows.parquet")
    (dataset / "schema.pbtxt").write_text(SCHEMA)
    (dataset / "pipeline.yaml").write_text(PIPELINE)

    command = [sys.executable, "-m", "skewless", "run", str(dataset), "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    (summary,) = output.glob("*/runs/*/summary.json")
    content = json.loads(summary.read_text())
    assert content["status"] == "pushed"
    assert content["counts"]["rejected_by_reason"] == {"missing_in_list": 15}
    assert content["evaluation"]["overall"]["auc"] > 0.95
    assert content["selection"]["dropped"] == {
        "y": "equal to x in all of the sample",
        "unit": "100.00% of the rows have one value",
    }
    parity = content["parity"]
    assert parity["proven"]
    assert len(parity["serving_paths"]) == 8
    assert all(q["differing"] == 0 and q["values"] > 0 for q in parity["questions"])
    _check_served(output / "table")


def _check_served(folder):
    model = skewless.load(folder)
    lists = [["new", "sale"], ["sale", "new"], ["new"], [], None, ["never seen", "new"]]
    rows = {
        "x": [0.0] * 6,
        "note": [None] * 6,
        "tags": lists,
        "days": [[1], [1], [1], [1], None, [1]],
    }
    scored = model.predict(rows)
    score = scored.column("score").to_pylist()
    assert score[0] == pytest.approx(score[1], rel=1e-6)
    assert score[0] > 0.7 > 0.3 > score[2]
    assert score[3] > 0.7 > 0.3 > score[4]
    assert scored.column("out_of_vocabulary").to_pylist() == [0, 0, 0, 0, 0, 1]
    assert scored.column("warnings").to_pylist()[5] == "tags is out of vocabulary"
    described = json.loads((folder / "serving/1/model.json").read_text())
    inputs = {column["name"]: column for column in described["inputs"]}
    assert (inputs["tags"]["most"], inputs["days"]["most"], inputs["x"]["most"]) == (6, 3, 0)
    assert inputs.keys() == {"x", "note", "tags", "days"}
    assert described["dropped"].keys() == {"y", "unit"}
    assert isinstance(inputs["tags"]["example"], list)
    assert "text, up to 6 a row" in (folder / "serving/1/MODEL_CARD.md").read_text()
