"""A new source, split, a treatment and a task, each two files and one line, to a pushed model.

A serving path, one file and one line, is asked on the way. The steps are those of
docs/architecture.md, applied to a copy of the code.
"""

import json
import os
import random
import re
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

from schemas.sources.options import FileOptions


class Bars(FileOptions):
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

from schemas.splits.options import SharedSplit


class Digit(SharedSplit):
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
from components.ingest.splits import protocol


class Splitter(protocol.Splitter):
    def __init__(self, options):
        self._column = options.column

    def assign(self, batch, path):
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
FILES |= {
    "schemas/tasks/amount.py": '''
from typing import Literal

from schemas import signatures as names
from schemas.columns import require_type
from schemas.description import number
from schemas.tasks.options import (
    Baseline,
    Bound,
    ExportOptions,
    Metric,
    TaskOptions,
    ThresholdOptions,
)
from schemas.types import FLOAT


class AmountThresholds(ThresholdOptions):
    """Bounds on the error of an amount."""

    task: Literal["amount"] = "amount"
    rmse: Bound = Bound()


class AmountExport(ExportOptions):
    """Answers with the amount."""

    task: Literal["amount"] = "amount"

    METHODS = (names.REGRESSION,)

    def outputs(self, learned):
        return {
            names.RAW_COLUMNS: (number(names.SCORES, "the amount"),),
            names.PREDICT: (number("amount", "the amount"),),
            names.REGRESSION: (number(names.OUTPUTS, "the amount"),),
        }


class Amount(TaskOptions):
    """A number of a column, as it is."""

    task: Literal["amount"] = "amount"
    column: str

    EXPORT = AmountExport
    THRESHOLDS = AmountThresholds
    BASELINES = (
        Baseline("mean", "mean", "predicting the mean"),
        Baseline("linear", "linear regression", "the linear model"),
    )
    METRICS = (Metric("rmse", "RMSE", "lower", "Root of the mean squared error."),)
    OBJECTIVE = "rmse"
    SLICED = ("rmse",)
    LABEL_TYPE = FLOAT

    @property
    def columns(self):
        return (self.column,)

    def check(self, columns, source, *, where):
        require_type("label.column", columns[0], (FLOAT,), where)

    def in_words(self):
        return f"{self.name}: the {self.column!r} of a row"
''',
    "components/tasks/amount.py": """
import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from components.tasks.protocol import LOGIT, Head, RowLosses
from schemas import signatures as names
from schemas.errors import DataError

VALID = "finite numbers"

def label(inputs, options):
    return tf.identity(inputs[options.column])


def head(labels, options, learned, *, where):
    values = np.concatenate([label for label, _ in labels])
    if not len(values):
        raise DataError("there are no training rows", where=where)
    mean = float(values.mean())
    loss = keras.losses.MeanSquaredError()
    return Head(start=(mean,), loss=loss, link="identity", labels={"mean": mean})


def answers(options, export, learned):
    return {
        names.RAW_COLUMNS: lambda logits: {names.SCORES: tf.identity(logits)},
        names.PREDICT: lambda logits: {"amount": tf.identity(logits)},
        names.REGRESSION: lambda logits: {names.OUTPUTS: tf.identity(logits)},
    }


def tolerances(options, learned):
    return dict.fromkeys((names.SCORES, "amount", names.OUTPUTS, names.BASELINE_SCORES), LOGIT)


def decisions(options, export, learned):
    return {}


@dataclass
class Rows:
    error: np.ndarray
    label: np.ndarray
    keep: np.ndarray
    invalid: int


def grade(scores, labels, options):
    keep = np.isfinite(scores) & np.isfinite(labels)
    label = labels[keep].astype(np.float64)
    return Rows(scores[keep].astype(np.float64) - label, label, keep, int((~keep).sum()))


def losses(scores, labels, options):
    return RowLosses("rmse", (scores.astype(np.float64) - labels) ** 2, root=True)


class Sums:
    def __init__(self, groups):
        self.sums = np.zeros((4, groups))
        self.invalid = 0

    def add(self, rows, groups=None, weights=None):
        at = np.zeros(len(rows.error), int) if groups is None else groups[rows.keep]
        for i, values in enumerate((None, rows.error**2, rows.label, rows.label**2)):
            self.sums[i] += np.bincount(at, values, minlength=self.sums.shape[1])
        self.invalid += rows.invalid

    def merge(self, other):
        self.sums += other.sums
        self.invalid += other.invalid


def tally(options, groups, *, coarse=False):
    return Sums(groups)


def metrics(tally, group=0):
    rows, squares, total, squared = tally.sums[:, group]
    if not rows:
        return None
    spread = max(0.0, squared / rows - (total / rows) ** 2)
    return {"examples": int(rows), "rmse": math.sqrt(squares / rows), "spread": math.sqrt(spread)}


def constant(metrics, options):
    return {**metrics, "rmse": metrics["spread"]}
""",
}
# What each file of a floor's kinds gets: an import, and a name in its tuple of kinds.
LINES = {
    "components/parity/answers.py": ("components.parity.serving_paths.again", "Again"),
    "schemas/sources/__init__.py": ("schemas.sources.bars", "Bars"),
    "schemas/splits/__init__.py": ("schemas.splits.digit", "Digit"),
    "schemas/tasks/__init__.py": ("schemas.tasks.amount", "Amount"),
    "schemas/treatments/__init__.py": ("schemas.treatments.sign", "Sign"),
}
KINDS = re.compile(r"^((?:KINDS|SERVING_PATHS)\b[^(]*= \([^)]*?),?\s*\)", re.MULTILINE)
PIPELINE = """
name: toy
source: {format: bars, path: rows.txt}
splits: {by: digit, column: id}
label: {task: amount, name: label, column: answer}
features:
  x: [sign, z_score]
  n: sign
evaluation: {thresholds: {rmse: {max: 0.5}, beats_baseline: false}, slices: [n]}
model: {max_epochs: 60, deep: {learning_rate: 0.01}, batch_size: 32}
"""
SCHEMA = """
feature { name: "id" type: INT not_in_environment: "SERVING" }
feature { name: "answer" type: FLOAT not_in_environment: "SERVING" }
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
    for path, (module, name) in LINES.items():
        text = (tmp_path / path).read_text()
        text, count = KINDS.subn(rf"from {module} import {name}\n\n\1, {name})", text)
        assert count == 1
        (tmp_path / path).write_text(text)
    folder = tmp_path / "toy"
    folder.mkdir()
    rng = random.Random(7)
    rows = ["id|answer|x|n"]
    for number in range(600):
        x, n = rng.gauss(0, 1), rng.randint(-3, 3)
        rows.append(f"{number}|{x + n / 3:.4f}|{'' if number % 17 == 0 else f'{x:.4f}'}|{n}")
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
    content = json.loads(summary.read_text())
    assert content["status"] == "pushed"
    assert content["parity"]["proven"]
    assert content["parity"]["serving_paths"][-1]["name"] == "again"
    assert list(content["evaluation"]["baselines"]) == ["mean", "linear"]
    assert content["evaluation"]["overall"]["rmse"] < 0.5
    (layout,) = (tmp_path / "runs/toy/artifacts/transform").glob("transform_graph/*/layout.json")
    names = [feature["name"] for feature in json.loads(layout.read_text())["features"]]
    assert names == ["x_sign", "x_z_score", "x_missing", "n_sign"]
    (counts,) = (tmp_path / "runs/toy/artifacts/ingest").glob("examples/*/counts.json")
    assert json.loads(counts.read_text())["examples"] == {"train": 420, "eval": 120, "test": 60}
