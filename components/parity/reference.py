"""What training computes for a row: the artifacts of transform and train, applied in this process.

The function takes raw rows and returns transformed features, label, logits and scores. Nothing of
the export is used: the transform graph is called as TFT calls it, and Keras runs the models.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components import list_arrays
from components.examples import as_dense
from components.export import signatures as names
from components.parity.compare import rounding_of
from components.parity.fresh_process import joined
from components.parity.questions import REQUEST_ROWS, Reference
from components.tasks.calibration import calibrator_of, served_logits
from components.tasks.correction import correct
from components.tasks.learned import read_learned
from components.tasks.protocol import work_of
from components.tasks.uncertainty import spread_of
from components.train.inputs import pack
from components.train.members import members_of
from components.train.model import BASELINE_FILE, MODEL_FILE, load, logits_shape
from schemas.columns import Column
from schemas.layout import TRAINING_INPUTS, Layout
from schemas.tasks.options import ExportOptions, TaskOptions
from schemas.types import TYPES

if TYPE_CHECKING:
    import keras


def transform_then_predict(
    batch: pa.RecordBatch,
    columns: tuple[Column, ...],
    *,
    transform_graph: str,
    trained: str,
    layout: Layout,
    label: TaskOptions,
    answers: ExportOptions,
) -> Reference:
    """Return what training computes for each row.

    Args:
      batch: raw rows, null where missing.
      columns: the batch's columns, all of which the transform graph takes.
      transform_graph: TFT's output folder.
      trained: folder of the trained model and its baseline.
      layout: the transformed features in model order.
      label: what is predicted.
      answers: the options of what the task's signatures answer.
    """
    transform = _TransformGraph(transform_graph)
    models = [_load(os.path.join(trained, name)) for name in (MODEL_FILE, BASELINE_FILE)]
    members = members_of(models[0]) if answers.spread else None
    features, labels, logits, spreads = [], [], [], []
    for start in range(0, batch.num_rows, REQUEST_ROWS):
        part = batch.slice(start, REQUEST_ROWS)
        raw = {c.name: dense(part.column(i), c) for i, c in enumerate(columns)}
        outputs = transform(raw)
        outputs |= {f.name: outputs[f.name].to_tensor(names.PADDING) for f in layout.ragged}
        labels.append(outputs[layout.label].numpy())
        features.append({f.name: outputs[f.name] for f in layout.features})
        packed = pack(features[-1], layout)
        logits.append(
            [np.reshape(model.predict_on_batch(packed), logits_shape(model)) for model in models]
        )
        if members is not None:
            spreads.append(members.predict_on_batch(packed))
    kernels = [kernel for model in models for kernel in _kernels(model)]
    whole = {f.name: joined([np.asarray(p[f.name]) for p in features]) for f in layout.features}
    longest = [len(layout.ids) + sum(whole[f.name].shape[1] for f in layout.lists)]
    terms = max([*longest, *(kernel.shape[0] for kernel in kernels)])
    task, learned = work_of(label.task), read_learned(trained)
    answer = task.answers(label, answers, learned)
    own, baseline = (tf.constant(np.concatenate(parts)) for parts in zip(*logits, strict=True))
    uncalibrated, baseline = correct(own, learned), correct(baseline, learned)
    own = served_logits(learned)(own)
    scores = answer[names.RAW_COLUMNS]
    computed = {
        signature: {name: tensor.numpy() for name, tensor in of_logits(own).items()}
        for signature, of_logits in answer.items()
    }
    if answers.spread:
        logits_of_members = tf.constant(np.concatenate(spreads))
        spread = spread_of(logits_of_members, served_logits(learned), scores)
        computed[names.PREDICT][names.SPREAD] = spread.numpy()
    return Reference(
        features=whole,
        label=np.concatenate(labels),
        answers=computed,
        baseline_scores=scores(baseline)[names.SCORES].numpy(),
        uncalibrated_scores=None
        if calibrator_of(learned) is None
        else scores(uncalibrated)[names.SCORES].numpy(),
        tolerances=task.tolerances(label, learned),
        decisions=task.decisions(label, answers, learned),
        rounding=rounding_of(terms),
    )


class _TransformGraph:
    """A transform graph in eager mode.

    TFT's own `transform_raw_features` makes the same call. But its loader first searches the whole
    graph once for every output, to find the inputs that may be left out. For 500 columns, this
    takes minutes.
    """

    def __init__(self, folder: str) -> None:
        self._loaded = tf.saved_model.load(os.path.join(folder, "transform_fn"))  # owns its tables
        (self._inputs,), _ = self._loaded.transform_fn.structured_input_signature

    def __call__(self, raw: Mapping[str, tf.Tensor]) -> dict[str, Any]:
        """Return the transformed features and the label of raw columns [rows]."""
        rows = next(iter(raw.values())).shape[:1]
        given = {name: tf.zeros(rows, dtype) for name, dtype in TRAINING_INPUTS.items()} | {**raw}
        complete = {name: given[name] for name in self._inputs}
        outputs = self._loaded.transform_fn(*tf.nest.flatten(complete, expand_composites=True))
        return dict(outputs)


def _kernels(model: keras.Model) -> Iterator[Any]:
    """Yield the kernels of a model's layers, and of the models that it is made of."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _kernels(layer)
        elif hasattr(layer, "kernel"):
            yield layer.kernel


def _load(path: str) -> keras.Model:
    model = load(path)
    model.jit_compile = False  # XLA takes longer to compile than the rows to predict
    return model


def dense(array: pa.Array, column: Column) -> tf.Tensor:
    """Return a column as the transform graph takes it, [rows]; lists ragged, [rows, None]."""
    if column.is_list:
        values, lengths, _ = list_arrays.parts(as_dense(array, column))
        flat = tf.constant(values.to_numpy(zero_copy_only=False), TYPES[column.kind].tensor)
        return tf.RaggedTensor.from_row_lengths(flat, lengths)
    values = as_dense(array, column).to_numpy(zero_copy_only=False)
    return tf.constant(values, TYPES[column.kind].tensor)
