"""curves.json: what is drawn of the models on the test split, beside metrics.json.

Curves of classes follow from the tallies of all rows; what is drawn of numbers follows from a
sample of the rows.
"""

from __future__ import annotations

import math
import os
from typing import Literal

import numpy as np
from pydantic import Field

from components import files
from components.evaluate.sample import ScoredSample
from components.tasks.curves import Curve, ScoreHistogram
from schemas.strict import Strict

FILE_NAME = "curves.json"
PAIRS = 500
_BINS = 40
_TENTHS = 10
_QUANTILES = {"q5": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


class Residuals(Strict):
    """A histogram of label less prediction; the outermost bins have what is beyond them."""

    edges: tuple[float, ...]
    counts: tuple[float, ...]


class Numbers(Strict):
    """What is drawn of predicted numbers.

    Attributes:
      points: predictions and labels of some rows, drawn at random.
      residuals: of the sample.
      tenths: for each tenth of the predictions, their mean and quantiles of the residuals.
    """

    points: tuple[tuple[float, float], ...]
    residuals: Residuals
    tenths: tuple[dict[str, float], ...]


class Curves(Strict):
    """The content of curves.json.

    Attributes:
      format: of this file.
      models: the curves of the classes, by model: "model", the name of the linear baseline,
        "last_blessed" and "uncalibrated".
      histograms: how the scores of this model spread, by class.
      numbers: of a task that predicts a number.
      rows: some rows, by a key that is the same for all models on the same examples: the key, the
        label, and this model's score; of several classes, that of the row's class.
    """

    format: Literal[1] = 1
    models: dict[str, tuple[Curve, ...]] = Field(default_factory=dict)
    histograms: tuple[ScoreHistogram, ...] = ()
    numbers: Numbers | None = None
    rows: tuple[tuple[float, float, float], ...] = ()

    def write(self, folder: str) -> None:
        """Write curves.json; the file appears only when it is complete."""
        files.write_whole(os.path.join(folder, FILE_NAME), self.model_dump_json() + "\n")

    @classmethod
    def read(cls, folder: str) -> Curves:
        """Read what `write` wrote."""
        return cls.model_validate_json(files.read_bytes(os.path.join(folder, FILE_NAME)))


def rows_of(sample: ScoredSample) -> tuple[tuple[float, float, float], ...]:
    """Return some rows with valid labels and scores as `Curves` has them."""
    scores, labels = sample.scores[0].astype(np.float64), sample.label
    if scores.ndim == 2:
        known = (labels >= 0) & (labels < scores.shape[1])
        own = np.where(known, labels, 0).astype(np.int64)
        scores = np.where(known, scores[np.arange(len(labels)), own], np.nan)
    rows = zip(sample.keys.tolist(), labels.tolist(), scores.tolist(), strict=True)
    finite = (row for row in rows if all(map(math.isfinite, row)))
    return tuple((key, _short(label), _short(score)) for key, label, score in finite)[:PAIRS]


def numbers_of(sample: ScoredSample) -> Numbers | None:
    """Return what is drawn of the first model's predictions; None without finite ones."""
    predictions, labels = (each.astype(np.float64) for each in (sample.scores[0], sample.label))
    finite = np.isfinite(predictions) & np.isfinite(labels)
    predictions, labels = predictions[finite], labels[finite]
    if not len(labels):
        return None
    residuals = labels - predictions
    low, high = np.quantile(residuals, (0.01, 0.99))
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    counts, _ = np.histogram(np.clip(residuals, edges[0], edges[-1]), edges)
    points = zip(predictions[:PAIRS].tolist(), labels[:PAIRS].tolist(), strict=True)
    order = np.argsort(predictions, kind="stable")
    return Numbers(
        points=tuple((_short(x), _short(y)) for x, y in points),
        residuals=Residuals(edges=tuple(map(_short, edges)), counts=tuple(counts.tolist())),
        tenths=tuple(
            {"prediction": _short(predictions[part].mean()), "rows": float(len(part))}
            | {name: _short(np.quantile(residuals[part], q)) for name, q in _QUANTILES.items()}
            for part in np.array_split(order, _TENTHS)
            if len(part)
        ),
    )


def _short(value: float) -> float:
    return float(f"{value:.6g}")
