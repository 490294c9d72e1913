"""A source, a split and a treatment, each two files and one line, taken to a pushed model.

A serving path, one file and one line, is asked on the way. The steps are those of
docs/architecture.md, done in a copy of the code.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "schemas/sources/bars.py": '''
from typing import Literal

from schemas.sources.options import Options


class Bars(Options):
    """Text whose values are separated by bars."""

    format: Literal["bars"] = "bars"
''',
    "components/sources/bars.py": """
from components.sources import csv
from schemas.sources.csv import Csv


class Reader(csv.Reader):
    def __init__(self, options, selection):
        super().__init__(Csv(path=options.path, delimiter="|"), selection)
""",
    "schemas/splits/digit.py": '''
from typing import Literal

from schemas.splits.options import SplitOptions


class Digit(SplitOptions):
    """By the last digit of a whole number: 9 is test, 8 and 7 are eval."""

    by: Literal["digit"] = "digit"
    column: str

    @property
    def columns(self):
        return (self.column,)
''',
    "components/ingest/splits/digit.py": """
import numpy as np

from components.examples import column


class Splitter:
    def __init__(self, options):
        self._column = options.column

    def assign(self, batch):
        digits = column(batch, self._column).to_numpy() % 10
        return np.select([digits < 7, digits < 9], [0, 1], 2)
""",
    "schemas/treatments/sign.py": '''
from typing import ClassVar, Literal

from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions
from schemas.types import FLOAT, INT, ColumnType


class Sign(TreatmentOptions):
    """-1, 0 or 1; 0 where missing."""

    kind: Literal["sign"] = "sign"
    accepts: ClassVar[tuple[ColumnType, ...]] = (INT, FLOAT)

    def outputs(self, columns, learned):
        name = f"{columns[0]}_sign"
        return (
            TransformedFeature(name=name, columns=columns, treatment=self.kind, role="dense"),
        )
''',
    "components/transform/treatments/sign.py": """
import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers


def apply(inputs, uses):
    columns = integers_first((use.column, inputs[use.column]) for use in uses)
    value = numbers([inputs[c] for c in columns])
    sign = tf.sign(tf.where(tf.math.is_nan(value), tf.zeros_like(value), value))
    return by_name((f"{c}_sign" for c in columns), tf.cast(sign, tf.float32), axis=1)
""",
    "components/parity/serving_paths/again.py": '''
from components.parity.serving_paths.c_api import CApi


class Again(CApi):
    """The C API in a second process."""

    name = "again"
    process = "again"
''',
}
LINES = {
    "components/parity/answers.py": (
        "SERVING_PATHS: tuple[type[ServingPath], ...] = (",
        """from components.parity.serving_paths.again import Again

SERVING_PATHS: tuple[type[ServingPath], ...] = (
    Again,""",
    ),
    "schemas/sources/__init__.py": (
        "KINDS = (Csv, Parquet)",
        "from schemas.sources.bars import Bars\n\nKINDS = (Csv, Parquet, Bars)",
    ),
    "schemas/splits/__init__.py": (
        "KINDS = (Hash,)",
        "from schemas.splits.digit import Digit\n\nKINDS = (Hash, Digit)",
    ),
    "schemas/treatments/__init__.py": (
        "KINDS = (ZScore, QuantileBuckets, Vocabulary)",
        """from schemas.treatments.sign import Sign

KINDS = (ZScore, QuantileBuckets, Vocabulary, Sign)""",
    ),
}
PIPELINE = """
name: toy
source: {format: bars, path: rows.txt}
splits: {by: digit, column: id}
label: {name: label, equals: {column: answer, values: ["yes"]}}
features:
  x: [sign, z_score]
  n: sign
evaluation: {thresholds: {beats_baseline: false}}
model: {max_epochs: 20}
"""
SCHEMA = """
feature { name: "id" type: INT not_in_environment: "SERVING" }
feature { name: "answer" type: BYTES not_in_environment: "SERVING" }
feature { name: "x" type: FLOAT }
feature { name: "n" type: INT }
default_environment: "TRAINING"
default_environment: "SERVING"
"""


def test_kinds_of_ones_own_reach_a_pushed_and_proven_model(tmp_path):
    for package in ("components", "pipeline", "schemas"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for path, text in FILES.items():
        (tmp_path / path).write_text(text)
    for path, (line, new) in LINES.items():
        text = (tmp_path / path).read_text()
        assert text.count(line) == 1
        (tmp_path / path).write_text(text.replace(line, new))
    folder = tmp_path / "toy"
    folder.mkdir()
    rng = random.Random(7)
    rows = ["id|answer|x|n"]
    for number in range(600):
        x, n = rng.gauss(0, 1), rng.randint(-3, 3)
        answer = "yes" if x + n / 3 > 0 else "no"
        rows.append(f"{number}|{answer}|{'' if number % 17 == 0 else f'{x:.4f}'}|{n}")
    (folder / "rows.txt").write_text("\n".join(rows) + "\n")
    (folder / "pipeline.yaml").write_text(PIPELINE)
    (folder / "schema.pbtxt").write_text(SCHEMA)

    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.cli",
            "run",
            str(folder),
            "--output",
            str(tmp_path / "runs"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    (summary,) = (tmp_path / "runs/toy/runs").glob("*/summary.json")
    told = json.loads(summary.read_text())
    assert told["status"] == "pushed"
    assert told["parity"]["proven"]
    assert told["parity"]["serving_paths"][0]["name"] == "again"
    (layout,) = (tmp_path / "runs/toy/artifacts/transform").glob("transform_graph/*/layout.json")
    names = [feature["name"] for feature in json.loads(layout.read_text())["features"]]
    assert names == ["x_sign", "x_z_score", "x_missing", "n_sign"]
    (counts,) = (tmp_path / "runs/toy/artifacts/ingest").glob("examples/*/counts.json")
    assert json.loads(counts.read_text())["examples"] == {"train": 420, "eval": 120, "test": 60}
