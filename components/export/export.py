"""Model + transform graph → one SavedModel, complete in itself.

The function takes the folders of model, transform graph and examples. It writes a SavedModel with
the signatures of `signatures.py` and warm-up requests. The SavedModel does not need these folders,
Keras, TFT or Beam, and the C++ loader (TensorFlow Serving) reads it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import tensorflow as tf

from components import files, saved_models
from components.examples import arrow_schema, iter_batches
from components.export import background, column_file
from components.export import signatures as names
from components.export.module import ServingGraph
from components.export.slim import slim
from components.export.terms import read_terms
from components.export.warmup import write_warmup
from components.export.warnings import Warnings
from components.tasks.learned import read_learned
from components.train.model import BASELINE_FILE, MODEL_FILE, load
from schemas import layout as layouts
from schemas.columns import Column
from schemas.expectations import Expectation
from schemas.layout import Layout
from schemas.tasks.options import ExportOptions, TaskOptions

WARMUP_ROWS = 16


def export(
    *,
    model_dir: str,
    transform_graph_dir: str,
    examples_dir: str,
    columns: tuple[Column, ...],
    label: TaskOptions,
    model_name: str,
    output: str,
    answers: ExportOptions,
    expectations: Iterable[Expectation] = (),
) -> None:
    """Write the SavedModel; it appears under its name only when it is complete.

    Args:
      model_dir: folder of the trained model and its baseline.
      transform_graph_dir: TFT's output folder with layout.json.
      examples_dir: raw examples; the test split gives the warm-up requests, and the training split
        the rows to compare a row with.
      columns: the raw columns of schema.pbtxt.
      label: what the label is made from.
      model_name: the name under which the model is served.
      output: folder of the SavedModel; must not exist.
      answers: what the task's signatures answer, and whether they return warnings.
      expectations: what the schema expects of columns; only warnings use it.

    Raises:
      ConfigError: a feature is made from a column that requests do not contain.
    """
    layout = read_layout(transform_graph_dir)
    serving = names.serving_columns(columns, layout)
    evaluation = names.evaluation_columns(columns, layout, label)
    graph = ServingGraph(
        transform_graph=transform_graph_dir,
        model=load(os.path.join(model_dir, MODEL_FILE)),
        baseline=load(os.path.join(model_dir, BASELINE_FILE)),
        layout=layout,
        serving=serving,
        evaluation=evaluation,
        label=label,
        answers=answers,
        learned=read_learned(model_dir),
        warnings=_warnings(transform_graph_dir, layout, serving, expectations)
        if answers.warnings
        else None,
    )
    partial = f"{output}.partial"
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    tf.saved_model.save(graph.module(), partial, signatures=graph.signatures())
    finish_signatures(partial, serving, evaluation)
    column_file.write(partial, serving)
    column_file.write_dropped(partial, layout.dropped)
    background.write(partial, examples_dir, serving)
    rows = _warmup_rows(examples_dir, serving)
    write_warmup(partial, rows, serving, model_name, methods=names.methods(answers))
    os.rename(partial, output)


def read_layout(transform_graph_dir: str) -> Layout:
    """Read the transformed features in model order from a transform graph's folder."""
    path = os.path.join(transform_graph_dir, layouts.FILE_NAME)
    return Layout.model_validate_json(files.read_bytes(path))


def _warnings(
    transform_graph_dir: str,
    layout: Layout,
    serving: tuple[Column, ...],
    expectations: Iterable[Expectation],
) -> Warnings:
    known = {name: len(terms) for name, terms in read_terms(transform_graph_dir, layout).items()}
    return Warnings.of(serving, expectations, layout, known)


def finish_signatures(
    saved_model: str, serving: tuple[Column, ...], evaluation: tuple[Column, ...]
) -> None:
    """Write into the SignatureDefs what TensorFlow's Python API cannot express.

    Inputs are named after their columns, those of a request may be left out, and the
    signatures for TensorFlow Serving's :classify and :regress are marked so.
    """
    proto = saved_models.read(saved_model)
    signatures = proto.meta_graphs[0].signature_def
    inputs = dict.fromkeys(names.BY_COLUMN, serving) | {names.EVALUATION: evaluation}
    for name, columns in inputs.items():
        _rename_inputs(signatures[name], names.argument_names(c.name for c in columns))
    for name in names.BY_COLUMN:
        for column in serving:
            # A column of no rows: no default can have the number of rows of each batch.
            default = signatures[name].defaults[column.name]
            default.dtype = signatures[name].inputs[column.name].dtype
            default.tensor_shape.dim.add().size = 0
            if column.is_list:
                default.tensor_shape.dim.add().size = 0
    for name, method in names.METHOD_NAMES.items():
        if name in signatures:
            signatures[name].method_name = method
    slim(proto.meta_graphs[0])
    saved_models.write(proto, saved_model)


def _rename_inputs(signature: Any, arguments: dict[str, str]) -> None:
    tensors = {
        column: signature.inputs[argument].SerializeToString()
        for column, argument in arguments.items()
    }
    signature.inputs.clear()
    for column, tensor in tensors.items():
        signature.inputs[column].ParseFromString(tensor)


def _warmup_rows(examples_dir: str, columns: tuple[Column, ...]) -> pa.RecordBatch:
    """The first rows of the test split; none where it is empty."""
    for batch in iter_batches(examples_dir, "test", [c.name for c in columns]):
        if batch.num_rows:
            return batch.slice(0, WARMUP_ROWS)
    return pa.RecordBatch.from_pydict({c.name: [] for c in columns}, arrow_schema(columns))
