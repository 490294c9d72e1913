"""Examples → transform graph + transformed Examples, in one Beam pipeline.

TFT analyzes only the training split (full passes), then applies the graph to every split. A row
group becomes one Parquet shard with its rows in the same order, so that a run is repeatable on any
number of workers. Rows flow through fused steps and are never collected in one place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.tfxio import tensor_adapter

from components import files, list_arrays, progress, runner
from components.arrow_files import open_parquet
from components.examples import (
    RowGroup,
    ShardWriter,
    arrow_schema,
    as_dense_lists,
    as_lists,
    column,
    read_row_group,
    row_groups,
    split_folder,
    sweep,
)
from components.ingest.hashing import scatter
from components.transform import shared_graph
from components.transform.measured import measure
from components.transform.preprocessing import (
    Preprocessing,
    make_layout,
    make_preprocessing_fn,
    raw_columns,
)
from schemas import layout as layouts
from schemas.columns import MOST_VALUES, Column
from schemas.errors import DataError
from schemas.examples import Examples
from schemas.layout import FOLD_INPUT, TRAINING_INPUTS, WEIGHT_INPUT, Layout
from schemas.splits.options import FOLD, SPLITS
from schemas.types import FLOAT, INT

STAGE = "transform"
# An extra column that says where a row came from: row group number and row, as one int64.
_ORIGIN = "skewless_origin"
_RANDOM_FOLDS = 5
_ROW_BITS = 22  # Examples.batch_rows is at most 2**22


def transform(
    *,
    examples: str,
    columns: tuple[Column, ...],
    preprocessing: Preprocessing,
    settings: Examples,
    graph: str,
    transformed: str,
    options: PipelineOptions | None = None,
) -> Layout:
    """Analyze the training split and transform every split.

    Args:
      examples: folder of raw examples.
      columns: the raw columns of schema.pbtxt.
      preprocessing: what each column becomes.
      settings: sizes of batches on disk.
      graph: folder that gets TFT's transform graph, `layout.json` and `features.json`.
      transformed: folder that gets the transformed examples.
      options: Beam's; None runs in this process.

    Returns:
      The transformed features in model order, as written to `layout.json`.

    Raises:
      ConfigError: two transformed features would have the same name.
      DataError: the training split is empty.
    """
    preprocessing = preprocessing.of(columns)
    raw = raw_columns(preprocessing, columns)
    weight, learns = preprocessing.label.weight, preprocessing.learns_label
    passed = {_ORIGIN} if weight is None else {_ORIGIN, weight}
    expected = make_layout(preprocessing)  # fails early where two features have the same name
    groups = [
        (split, group) for split in SPLITS for group in row_groups(examples, split) if group.rows
    ]
    if not any(split == "train" for split, _ in groups):
        raise DataError("the training split has no rows to analyze", where=examples)
    with runner.shared_folder(graph, STAGE, options) as scratch:
        context = shared_graph.context(scratch, passthrough_keys=passed)
        with context, runner.opened(STAGE, options) as pipeline:
            config = _adapter_config(raw, weight, learns)
            training = [(n, g) for n, (split, g) in enumerate(groups) if split == "train"]
            everything = [(n, g) for n, (_, g) in enumerate(groups)]
            transform_fn = (
                pipeline | "ReadTraining" >> _ReadNumbered(training, raw, weight, learns),
                config,
            ) | "Analyze" >> tft_beam.AnalyzeDataset(make_preprocessing_fn(preprocessing))
            shared_graph.write_graph(transform_fn, graph)
            # One step for all splits: a step for each would load and trace the graph again.
            batches, _ = (
                (pipeline | "ReadAll" >> _ReadNumbered(everything, raw, weight, learns), config),
                transform_fn,
            ) | "Transform" >> tft_beam.TransformDataset(output_record_batches=True)
            written = [(split_folder(transformed, split), group) for split, group in groups]
            write = _WriteShards(
                written, expected, settings.batch_rows, split_folder(transformed, "train")
            )
            _ = batches | "Write" >> beam.FlatMap(write)
        layout = _write_layout(preprocessing, graph)
    _close_empty_splits(layout, weight, transformed)
    sweep(transformed, SPLITS)
    measured = measure(layout, preprocessing, examples=examples, transformed=transformed)
    measured.write(graph)
    return layout


def _adapter_config(raw: tuple[Column, ...], weight: str | None, learns_label: bool) -> Any:
    """How TFT reads the batches: each column as a dense tensor [rows], lists as a ragged one.

    Those that are passed on have no tensor.
    """
    representations = {}
    for each in raw:
        representations[each.name] = schema_pb2.TensorRepresentation()
        if each.is_list:
            representations[each.name].ragged_tensor.feature_path.step.append(each.name)
        else:
            representations[each.name].dense_tensor.column_name = each.name
    added = TRAINING_INPUTS if learns_label else {}
    for name in added:
        representations[name] = schema_pb2.TensorRepresentation()
        representations[name].dense_tensor.column_name = name
    empty = as_dense_lists(pa.RecordBatch.from_pylist([], arrow_schema(raw)), raw)
    schema = empty.schema.append(pa.field(_ORIGIN, pa.list_(pa.int64())))
    if weight is not None:
        schema = schema.append(pa.field(weight, pa.list_(pa.float32())))
    for name, kind in added.items():
        schema = schema.append(pa.field(name, pa.list_(pa.from_numpy_dtype(kind))))
    return tensor_adapter.TensorAdapterConfig(schema, representations)


class _ReadNumbered(beam.PTransform):
    """Read row groups as batches that carry their number, and weights, in extra columns.

    They carry the `TRAINING_INPUTS`, too, if a treatment learns from the label.
    """

    def __init__(
        self,
        groups: list[tuple[int, RowGroup]],
        columns: tuple[Column, ...],
        weight: str | None,
        learns_label: bool,
    ) -> None:
        super().__init__()
        self._learns_label = learns_label
        self._groups = groups
        self._columns = columns
        self._weight = weight

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[pa.RecordBatch]:
        return (
            pbegin
            | "RowGroups" >> beam.Create(self._groups, reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.MapTuple(self._read).with_output_types(pa.RecordBatch)
        )

    def _read(self, number: int, group: RowGroup) -> pa.RecordBatch:
        names = [c.name for c in self._columns]
        batch = as_dense_lists(read_row_group(group, names), self._columns)
        rows = np.arange(batch.num_rows, dtype=np.int64)
        extra = {_ORIGIN: pa.array((number << _ROW_BITS) + rows)}
        if self._weight is not None:
            extra[self._weight] = _weights(group, self._weight)
        if self._learns_label:
            extra[FOLD_INPUT] = _folds(group, number)
            extra[WEIGHT_INPUT] = _weights(group, self._weight)
        passed = as_lists(pa.RecordBatch.from_arrays(list(extra.values()), list(extra)))
        return pa.RecordBatch.from_arrays(
            [*batch.columns, *passed.columns], [*batch.schema.names, *extra]
        )


def _weights(group: RowGroup, weight: str | None) -> pa.Array:
    """Return the weights of rows, float32; 1 if all count the same."""
    if weight is None:
        return pa.array(np.ones(group.rows, np.float32))
    return pa.array(read_row_group(group, [weight]).column(0).to_numpy().astype(np.float32))


def _folds(group: RowGroup, number: int) -> pa.Array:
    """Return the folds of rows: those of the examples, or random ones.

    Random ones follow from the place of a row alone. If they followed from its values, rows of one
    category could all be in one fold.
    """
    if FOLD in open_parquet(group.path).schema_arrow.names:
        return read_row_group(group, [FOLD]).column(0)
    rows = np.arange(group.rows)
    return pa.array(scatter(number, rows, np.full(group.rows, _RANDOM_FOLDS)))


class _WriteShards:
    """Write a transformed batch as the shard of its row group, with the folds of its rows if any.

    A feature that has values of its own in training gets them in the training split.

    Args:
      groups: the folder of each row group's split, and the row group, by row group number.
      layout: the transformed features; the list around one value a row is dropped.
      batch_rows: rows a row group at most.
      training: the folder of the training split.
    """

    def __init__(
        self, groups: list[tuple[str, RowGroup]], layout: Layout, batch_rows: int, training: str
    ) -> None:
        self._groups = groups
        self._lists = frozenset(f.name for f in layout.ragged)
        self._own = {f.name: f.training for f in layout.features if f.training}
        self._batch_rows = batch_rows
        self._training = training

    def __call__(self, element: tuple[pa.RecordBatch, dict[str, pa.Array]]) -> Iterator[None]:
        batch, _ = element
        flat = pa.RecordBatch.from_arrays(
            [
                _as_lists(values) if name in self._lists else values.flatten()
                for name, values in zip(batch.schema.names, batch.columns, strict=True)
            ],
            batch.schema.names,
        )
        number, row = divmod(column(flat, _ORIGIN)[0].as_py(), 1 << _ROW_BITS)
        folder, group = self._groups[number]
        flat = self._selected(flat, is_training=folder == self._training)
        flat = _with_folds(flat, group, row)
        # TFT may cut a very wide batch in two: the first row makes the parts' names different.
        path = os.path.join(folder, f"rows-{number:08d}-{row:07d}.parquet")
        with ShardWriter(path, flat.schema, batch_rows=self._batch_rows) as writer:
            writer.write(flat)
        beam.metrics.Metrics.counter(STAGE, "examples_written").inc(flat.num_rows)
        progress.rows(STAGE, flat.num_rows)
        yield from ()

    def _selected(self, batch: pa.RecordBatch, *, is_training: bool) -> pa.RecordBatch:
        """Return the features as the split has them, and the other columns but the origin."""
        left_out = {_ORIGIN, *self._own.values()}
        kept = [name for name in batch.schema.names if name not in left_out]
        sources = [self._own.get(name, name) if is_training else name for name in kept]
        return pa.RecordBatch.from_arrays([column(batch, name) for name in sources], kept)


def _with_folds(batch: pa.RecordBatch, group: RowGroup, first: int) -> pa.RecordBatch:
    """Return transformed rows with the folds of the examples from number `first` of a row group."""
    if FOLD not in open_parquet(group.path).schema_arrow.names:
        return batch
    folds = read_row_group(group, [FOLD]).column(0).slice(first, batch.num_rows)
    return pa.RecordBatch.from_arrays([*batch.columns, folds], [*batch.schema.names, FOLD])


def _as_lists(array: pa.Array) -> pa.Array:
    """Return TFT's large lists as lists, the type of examples."""
    return list_arrays.parts(array).to_array()


def _write_layout(preprocessing: Preprocessing, graph: str) -> Layout:
    layout = make_layout(preprocessing, graph)
    files.write_whole(os.path.join(graph, layouts.FILE_NAME), layout.model_dump_json(indent=1))
    return layout


def _close_empty_splits(layout: Layout, weight: str | None, transformed: str) -> None:
    """A split without rows is still a split: it gets an empty shard."""
    columns = [
        Column(
            f.name,
            FLOAT.name if f.is_float else INT.name,
            serving=True,
            most=MOST_VALUES if f.is_list else 0,
        )
        for f in layout.features
    ] + [Column(layout.label, layout.label_type, serving=False)]
    if weight is not None:
        columns.append(Column(weight, FLOAT.name, serving=False))
    for split in SPLITS:
        folder = split_folder(transformed, split)
        if not files.names(folder):
            path = os.path.join(folder, "rows-00000000-0000000.parquet")
            with ShardWriter(path, arrow_schema(columns), batch_rows=1):
                pass
