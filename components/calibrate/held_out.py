"""A trained model and transformed examples → logits, labels and weights of rows new to it.

These are the rows of a split, or training rows with the answers of the models of other folds.

A split has few numbers a row here, so all its rows fit; of more than 200,000 the first ones are
taken, which are as good as any others, as examples are shuffled.
"""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from components.arrow_files import read_parquet
from components.tasks.correction import correct
from components.tasks.learned import CORRECTION, read_learned
from components.tasks.protocol import HeldOut
from components.train.folds import FILE_NAME as OUT_OF_FOLD_FILE
from components.train.inputs import Feed, labels
from components.train.model import MODEL_FILE, load, logits_shape
from components.train.weights import Weighting
from schemas.layout import Layout
from schemas.tasks.options import TaskOptions

_MOST_ROWS = 200_000
_ANY_BATCH = 8192


def held_out(examples: str, split: str, trained: str, layout: Layout, task: TaskOptions) -> HeldOut:
    """Return the logits of a split's rows that count."""
    model, learned = load(os.path.join(trained, MODEL_FILE)), read_learned(trained)
    own = None if task.weight is None else Weighting(task.weight, None)
    classes = task.class_names(learned)  # of which -1 is none
    parts, rows = [], 0
    for inputs, label, *weights in Feed(
        examples, split, layout, batch_size=_ANY_BATCH, weights=own
    )():
        raw = np.reshape(model(inputs, training=False), logits_shape(model))
        logits = np.asarray(correct(tf.constant(raw), learned), np.float64)
        weight = weights[0].astype(np.float64) if weights else np.ones(len(label))
        counts = (weight > 0) & (label[:, 0] >= 0 if classes else True)
        parts.append((logits[counts], label[counts, 0].astype(np.float64), weight[counts]))
        rows += len(label)
        if rows >= _MOST_ROWS:
            break
    return HeldOut(*(np.concatenate(each)[:_MOST_ROWS] for each in zip(*parts, strict=True)))


def out_of_fold(examples: str, trained: str, layout: Layout, task: TaskOptions) -> HeldOut:
    """Return the logits of training rows by the models of other folds, of rows that count.

    Where classes were sampled, a row counts as often as there were rows like it.
    """
    table = read_parquet(os.path.join(trained, OUT_OF_FOLD_FILE)).slice(0, _MOST_ROWS)
    learned, rows = read_learned(trained), table.num_rows
    values = table.column("logits").combine_chunks()
    raw = np.asarray(values.flatten() if hasattr(values, "flatten") else values)
    logits = np.asarray(correct(tf.constant(np.reshape(raw, _shape(raw, rows))), learned))
    label = np.asarray(table.column("label")).astype(np.float64)
    parts = labels(examples, "train", layout, task.weight)
    own = np.concatenate([weights for _, weights in parts])[np.asarray(table.column("row"))]
    counts = (own > 0) & (label >= 0 if task.class_names(learned) else True)
    if CORRECTION in learned:
        own = own * np.exp(np.array(learned[CORRECTION])[label.astype(np.int64)])
    return HeldOut(logits[counts].astype(np.float64), label[counts], own[counts])


def _shape(values: np.ndarray, rows: int) -> tuple[int, ...]:
    return (rows,) if len(values) == rows else (rows, len(values) // rows)
