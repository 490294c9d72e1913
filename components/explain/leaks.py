"""Columns that alone predict nearly everything: often they are known only after the outcome.

The labels of training rows are averaged for each value of a column, or each of its quantile bins.
These means predict the labels of eval rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples import column as column_of
from components.explain.explained import Leak
from components.explain.rows import SplitRows
from schemas.columns import Column

_BINS = 50
_PRIOR = 1.0  # rows of the mean label that are added to each value
# From these on a column predicts nearly everything; accuracies are between those of the most common
# class and 1.
_LIMITS = {"auc": 0.98, "accuracy": 0.95, "r2": 0.98}
_TITLES = {"auc": "an AUC of", "accuracy": "an accuracy of", "r2": "an R² of"}


class FoundMeasure(NamedTuple):
    """How well predictions [rows] or [rows, classes] fit labels.

    Attributes:
      name: of the measure.
      of: returns it, and the share of what can be reached above a constant; None if the labels are
        all alike.
    """

    name: Literal["auc", "accuracy", "r2"]
    of: Callable[[np.ndarray, np.ndarray], tuple[float, float] | None]


def find_leaks(train: SplitRows, held_out: SplitRows, columns: Iterable[Column]) -> list[Leak]:
    """Return the columns that predict nearly everything on held-out rows, the best first."""
    measure = _measure_of(held_out)
    model = measure.of(held_out.scores, held_out.labels)
    if model is None:
        return []
    targets = _targets(train.labels, held_out.scores)
    found = []
    for column in columns:
        if column.is_list:
            continue
        predicted = _predict(
            column_of(train.batch, column.name), column_of(held_out.batch, column.name), targets
        )
        alone = measure.of(predicted, held_out.labels)
        if alone is not None and alone[1] >= _LIMITS[measure.name]:
            found.append(_leak(column.name, measure.name, alone[0], model[0]))
    return sorted(found, key=lambda leak: (-leak.alone, leak.column))


def _leak(
    column: str, measure: Literal["auc", "accuracy", "r2"], alone: float, model: float
) -> Leak:
    says = (
        f"{column} alone predicts nearly everything, with {_TITLES[measure]} {alone:.3f} where the"
        f" model has {model:.3f}; unless it is known before the outcome, write `{column}: drop`"
        " under features of pipeline.yaml"
    )
    return Leak(column=column, measure=measure, alone=alone, model=model, says=says)


def _measure_of(rows: SplitRows) -> FoundMeasure:
    if rows.scores.ndim == 2:
        return FoundMeasure("accuracy", _accuracy)
    if np.issubdtype(rows.labels.dtype, np.integer):
        return FoundMeasure("auc", _area)
    return FoundMeasure("r2", _explained_share)


def _targets(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return what is averaged, float64 [rows, targets]: labels, or one column a class."""
    if scores.ndim == 1:
        return labels.astype(np.float64)[:, np.newaxis]
    return np.asarray(labels[:, np.newaxis] == np.arange(scores.shape[1]), np.float64)


def _predict(train: pa.Array, held_out: pa.Array, targets: np.ndarray) -> np.ndarray:
    """Return the mean target of training rows with the value of each held-out row."""
    bins, ours = _bins(train, held_out)
    size = int(bins.max(initial=0)) + 1
    mean = targets.mean(axis=0)
    rows = np.bincount(bins, minlength=size)[:, np.newaxis]
    sums = np.stack([np.bincount(bins, target, size) for target in targets.T], axis=1)
    means = (sums + _PRIOR * mean) / (rows + _PRIOR)
    known = (ours >= 0) & (ours < size)
    predicted = np.where(known[:, np.newaxis], means[np.where(known, ours, 0)], mean)
    return predicted[:, 0] if predicted.shape[1] == 1 else predicted


def _bins(train: pa.Array, held_out: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the bin of each value, 0 for missing ones and -1 for ones that training lacks."""
    values = train.unique().drop_null()
    if pa.types.is_string(train.type) or len(values) <= _BINS:
        return _code(train, values), _code(held_out, values)
    numbers = train.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    edges = np.unique(np.nanquantile(numbers, np.arange(1, _BINS) / _BINS))
    return _bin(train, edges), _bin(held_out, edges)


def _code(array: pa.Array, values: pa.Array) -> np.ndarray:
    codes = np.asarray(pc.index_in(array, value_set=values).fill_null(-2)) + 1
    return np.where(np.asarray(array.is_null()), 0, codes)


def _bin(array: pa.Array, edges: np.ndarray) -> np.ndarray:
    values = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    missing = np.asarray(array.is_null(nan_is_null=True))
    return np.where(missing, 0, np.searchsorted(edges, values, side="right") + 1)


def _area(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float] | None:
    """Return the area under the ROC curve, ties counting half, twice."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    positives = int((labels == 1).sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    above = ranks[labels == 1].sum() - positives * (positives + 1) / 2
    area = float(above / (positives * negatives))
    return area, area


def _accuracy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float] | None:
    found = float((scores.argmax(axis=1) == labels).mean())
    constant = float(np.bincount(np.maximum(labels, 0)).max() / len(labels))
    return None if constant == 1 else (found, (found - constant) / (1 - constant))


def _explained_share(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float] | None:
    labels = labels.astype(np.float64)
    variance = float(labels.var())
    if not variance:
        return None
    share = 1 - float(((labels - scores) ** 2).mean()) / variance
    return share, share
