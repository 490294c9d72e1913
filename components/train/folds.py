"""A model for each fold → one model that answers with their mean, and out-of-fold predictions.

The model of a fold learns from the training rows of all other folds. Its answers for the rows of
its own fold are therefore those for rows that it never saw; of all folds together there is one such
answer for each training row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pyarrow as pa

from components.examples import column, read_row_group, row_groups
from components.train.deep_layers import MemberMean
from components.train.inputs import Feed
from components.train.model import logits_shape, make_inputs
from schemas.layout import Layout
from schemas.splits.options import FOLD

FILE_NAME = "out_of_fold.parquet"


@dataclass(frozen=True)
class FoldRows:
    """The rows of a fold, or all but them.

    Attributes:
      fold: its number.
      inside: whether the rows of the fold are meant, or all others.
    """

    fold: int
    inside: bool

    def of(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return which rows of a batch these are, bool [rows]."""
        return np.asarray((column(batch, FOLD).to_numpy() == self.fold) == self.inside)


def mean_of(models: Sequence[keras.Model], layout: Layout, link: str) -> keras.Model:
    """Return the model that answers with the mean of other models' answers.

    Args:
      models: of the same inputs; they get other names.
      layout: the transformed features.
      link: what makes an answer of a logit; answers are averaged.
    """
    inputs = make_inputs(layout)
    for number, model in enumerate(models):
        model.name = f"fold_{number}"
    logits = keras.ops.stack([model(inputs) for model in models], axis=1)
    return keras.Model(inputs, MemberMean(link, name="mean_of_folds")(logits))


def predict(
    model: keras.Model,
    examples: str,
    layout: Layout,
    rows: FoldRows,
    scores: Callable[[np.ndarray], np.ndarray],
) -> pa.Table:
    """Return what a model answers for a fold's training rows, with their positions and labels.

    Args:
      model: which did not learn from them.
      examples: folder of transformed examples.
      layout: the transformed features.
      rows: those of the fold.
      scores: logits [rows], or [rows, units] of several, → scores of as many rows.

    Returns:
      `row`, the position in the transformed examples of train, `fold`, `label`, `logits` and
      `scores`, both of them lists if there are several a row.
    """
    positions, before = [], 0
    for group in row_groups(examples, "train"):
        if group.rows:
            positions.append(before + np.flatnonzero(rows.of(read_row_group(group, [FOLD]))))
            before += group.rows
    logits, labels = [], []
    for inputs, label in Feed(examples, "train", layout, batch_size=1, only=rows)():
        logits.append(np.reshape(model(inputs, training=False), logits_shape(model)))
        labels.append(label[:, 0])
    whole = np.concatenate(logits).astype(np.float32)
    return pa.table(
        {
            "row": pa.array(np.concatenate(positions)),
            "fold": pa.array(np.full(len(whole), rows.fold)),
            "label": pa.array(np.concatenate(labels)),
            "logits": _as_column(whole),
            "scores": _as_column(scores(whole)),
        }
    )


def _as_column(values: np.ndarray) -> pa.Array:
    flat = pa.array(values.ravel())
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
