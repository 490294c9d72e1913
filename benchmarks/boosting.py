"""Gradient-boosted trees on a run's own examples, as a reference for the model's quality.

The trees' metrics on the test split are computed by the same code as the model's.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
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
_MOST_TREES = 2000  # of libraries that stop by themselves, after `_PATIENCE` trees without a gain
_PATIENCE = 50


class Part(NamedTuple):
    """A split as input of the trees.

    Attributes:
      features: float64 [rows, columns], NaN for missing; texts by their index in `categories`.
      label: 0 or 1, int64 [rows].
    """

    features: np.ndarray
    label: np.ndarray


def boosted_trees(examples: str, dataset: Dataset) -> dict[str, Metrics]:
    """Train boosted trees by each library that is installed; return their metrics on test.

    They receive the same data as the model: the same rows, the raw columns of the model's features,
    the training split for training and the eval split for stopping. Everything else is the
    library's default.

    Args:
      examples: folder of raw examples.
      dataset: its spec and columns; the label is of the form `exceeds`.
    """
    parts = _parts(examples, dataset)
    columns = dataset.spec.feature_columns
    types = [find(dataset.columns, name, where="features").type for name in columns]
    texts = [i for i, each in enumerate(types) if each.is_text]
    libraries = [SCIKIT_LEARN, *filter(importlib.util.find_spec, _OTHERS)]
    return {name: _metrics(_FITS[name](*parts, texts), parts[2].label) for name in libraries}


def _scikit_learn(train: Part, held: Part, test: Part, texts: Sequence[int]) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=_MAX_TREES,
        early_stopping=False,  # it would use rows of the training split, which the model trains on
        categorical_features=texts,
        random_state=0,
    )
    trees.fit(*train)
    losses = [
        _metrics(p, held.label)["log_loss"] for p in trees.staged_predict_proba(held.features)
    ]
    best = int(np.argmin(losses))
    stages = enumerate(trees.staged_predict_proba(test.features))
    return np.asarray(next(scores for stage, scores in stages if stage == best))


def _lightgbm(train: Part, held: Part, test: Part, texts: Sequence[int]) -> np.ndarray:
    import lightgbm

    trees = lightgbm.LGBMClassifier(n_estimators=_MOST_TREES, random_state=0, verbose=-1)
    trees.fit(
        *train,
        eval_set=[tuple(held)],
        categorical_feature=list(texts),
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
    return np.asarray(trees.predict_proba(test.features))


def _catboost(train: Part, held: Part, test: Part, texts: Sequence[int]) -> np.ndarray:
    from catboost import CatBoostClassifier

    def rows(part: Part) -> list[list[float | str]]:
        """Texts as texts: CatBoost takes no number with a fraction, such as NaN, for a category."""
        return [
            [str(v) if i in texts else float(v) for i, v in enumerate(row)] for row in part.features
        ]

    trees = CatBoostClassifier(
        iterations=_MOST_TREES, random_seed=0, verbose=False, allow_writing_files=False
    )
    trees.fit(
        rows(train),
        train.label,
        eval_set=(rows(held), held.label),
        cat_features=list(texts),
        early_stopping_rounds=_PATIENCE,
    )
    return np.asarray(trees.predict_proba(rows(test)))


SCIKIT_LEARN = "sklearn"
_OTHERS = ("lightgbm", "catboost")
_FITS: dict[str, Callable[..., np.ndarray]] = {
    SCIKIT_LEARN: _scikit_learn,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
}


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
