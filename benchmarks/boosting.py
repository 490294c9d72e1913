"""Gradient-boosted trees on a run's own examples, as a reference for the model's quality.

The trees' metrics on the test split are computed by the same code as the model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute

from components.examples import iter_batches
from components.tasks.binary_metrics import metrics_of
from components.tasks.binary_tally import BINS, BinaryTally, grade
from components.tasks.protocol import Metrics
from schemas.catalog import Dataset
from schemas.columns import find
from schemas.splits.options import SPLITS
from schemas.tasks.binary import Binary, Exceeds

_MAX_TREES = 300


class Part(NamedTuple):
    """A split as input of the trees.

    Attributes:
      features: float64 [rows, columns], NaN for missing; texts by their index in `categories`.
      label: 0 or 1, int64 [rows].
    """

    features: np.ndarray
    label: np.ndarray


def boosted_trees(examples: str, dataset: Dataset) -> Metrics:
    """Train scikit-learn's HistGradientBoosting; return its metrics on the test split.

    It receives the same data as the model: the same rows, the raw columns of the model's features,
    the training split for training and the eval split for stopping. Everything else is
    scikit-learn's default.

    Args:
      examples: folder of raw examples.
      dataset: its spec and columns; the label is of the form `exceeds`.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    train, held, test = _parts(examples, dataset)
    columns = dataset.spec.feature_columns
    types = [find(dataset.columns, name, where="features").type for name in columns]
    trees = HistGradientBoostingClassifier(
        max_iter=_MAX_TREES,
        early_stopping=False,  # it would use rows of the training split, which the model trains on
        categorical_features=[each.is_text for each in types],
        random_state=0,
    )
    trees.fit(*train)
    losses = [
        _metrics(p, held.label)["log_loss"] for p in trees.staged_predict_proba(held.features)
    ]
    best = int(np.argmin(losses))
    stages = enumerate(trees.staged_predict_proba(test.features))
    return _metrics(next(scores for stage, scores in stages if stage == best), test.label)


def _parts(examples: str, dataset: Dataset) -> list[Part]:
    label = dataset.spec.label
    assert isinstance(label, Binary)
    assert label.exceeds is not None
    tables = [pa.Table.from_batches(iter_batches(examples, split)) for split in SPLITS]
    columns = dataset.spec.feature_columns
    texts = {c.name for c in dataset.columns if c.type.is_text}
    categories = {
        name: compute.unique(tables[0].column(name).drop_null())
        for name in columns
        if name in texts
    }
    return [
        Part(_features(table, columns, categories), _label(table, label.exceeds))
        for table in tables
    ]


def _features(
    table: pa.Table, columns: Sequence[str], categories: dict[str, pa.Array]
) -> np.ndarray:
    """Return the features; values that the training split does not have count as missing."""
    values = []
    for name in columns:
        column = table.column(name)
        if name in categories:
            column = compute.index_in(column, value_set=categories[name])
        values.append(column.cast(pa.float64(), safe=False).to_numpy())
    return np.stack(values, axis=1)


def _label(table: pa.Table, label: Exceeds) -> np.ndarray:
    """Return the label as the transform graph computes it: in float32."""
    left, right = (
        table.column(name).to_numpy().astype(np.float32) for name in (label.column, label.of)
    )
    return (left > np.float32(label.fraction) * right).astype(np.int64)


def _metrics(probabilities: np.ndarray, label: np.ndarray) -> Metrics:
    tally = BinaryTally.zeros(1, BINS)
    tally.add(grade(probabilities[:, 1].astype(np.float32), label))
    metrics = metrics_of(tally)
    assert metrics is not None  # there are rows
    return metrics
