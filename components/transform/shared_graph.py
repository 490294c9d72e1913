"""TFT's analysis and its graph, where workers share a folder on a disk, or only a store.

In TFT, TensorFlow writes graphs into a folder that all workers share, and reads them from there.
TensorFlow's wheels do not support `s3://`, and support `gs://` only with their own settings. If the
folder is in a store, TensorFlow therefore writes and reads only folders of each worker's own
machine, and `components/files` copies the graphs to the store and from it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import apache_beam as beam
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import beam as tft_beam
from tensorflow_transform import impl_helper, schema_inference
from tensorflow_transform.beam import impl
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io

from components import files
from components.transform import output_annotations
from components.transform.loaded_graph import RunGraph

# TFT's functions, which are replaced in the command's process while it builds a pipeline, and not
# on workers.
_create = impl._create_v2_saved_model
_infer = impl._infer_metadata_from_saved_model

# A folder of this machine that represents the workers' folder while a pipeline is built.
_STANDS_FOR: ContextVar[tuple[str, str] | None] = ContextVar("stands_for", default=None)


@contextlib.contextmanager
def context(folder: str, **options: Any) -> Iterator[None]:
    """Let TFT keep what its steps pass to each other in a folder that all workers share.

    Args:
      folder: on a disk, or in a store.
      options: of `tft_beam.Context`.
    """
    with contextlib.ExitStack() as stack:
        if hasattr(schema_inference, "get_traced_metadata_fn"):
            _replace(stack, schema_inference, get_traced_metadata_fn=output_annotations.traced)
        if not files.in_store(folder):
            _replace(stack, impl, _RunMetaGraphDoFn=RunGraph)
            stack.enter_context(tft_beam.Context(temp_dir=folder, **options))
            yield
            return
        here = stack.enter_context(tempfile.TemporaryDirectory(prefix="skewless-"))
        _replace(
            stack,
            impl,
            _create_v2_saved_model=functools.partial(_create_and_send, folder),
            _infer_metadata_from_saved_model=_fetch_and_infer,
            _RunMetaGraphDoFn=_FetchAndRun,
        )
        stack.enter_context(tft_beam.Context(temp_dir=here, **options))
        token = _STANDS_FOR.set((here, folder))
        stack.callback(_STANDS_FOR.reset, token)
        yield


def _replace(stack: contextlib.ExitStack, module: Any, **ours: Any) -> None:
    """Let a module of TFT have these names until the stack is closed."""
    for name, value in ours.items():
        stack.callback(setattr, module, name, getattr(module, name))
        setattr(module, name, value)


def shared(path: str) -> str:
    """Return the workers' folder for a path that TFT names while a pipeline is built."""
    pair = _STANDS_FOR.get()
    if pair is None:
        return path
    here, folder = pair
    return os.path.join(folder, os.path.relpath(path, here))


def write_graph(transform_fn: tuple[beam.PCollection[str], Any], folder: str) -> None:
    """Write what `tft_beam.AnalyzeDataset` returns, as `tft.TFTransformOutput` reads it.

    `tft_beam.WriteTransformFn` does the same in six steps instead of one, and not to stores.

    Args:
      transform_fn: the graph's folder and its metadata.
      folder: on a disk, or in a store.
    """
    graph, metadata = transform_fn
    deferred = beam.pvalue.AsSingleton(metadata.deferred_metadata)
    _ = graph | "WriteGraph" >> beam.Map(_write, deferred, metadata.asset_map, folder)


def _write(
    graph: str,
    metadata: dataset_metadata.DatasetMetadata,
    asset_map: Mapping[str, str],
    folder: str,
) -> None:
    target = os.path.join(folder, tft.TFTransformOutput.TRANSFORM_FN_DIR)
    files.copy_tree(graph, target)
    files.remove(os.path.join(target, impl_helper.METADATA_DIR_NAME))  # TFT's between its steps
    target = os.path.join(folder, tft.TFTransformOutput.TRANSFORMED_METADATA_DIR)
    with files.arriving(target) as here:
        metadata_io.write_metadata(metadata, here)
        if asset_map:
            path = os.path.join(here, tft.TFTransformOutput.ASSET_MAP)
            files.write_whole(path, json.dumps(asset_map))


def _create_and_send(
    folder: str, analyzed: Mapping[str, Any] | None, _temporary: str, *arguments: Any
) -> str:
    """Write a graph as TFT does, and copy it to the store; return its folder there."""
    with tempfile.TemporaryDirectory(prefix="skewless-") as here:
        if analyzed is not None:  # None before the first analysis
            analyzed = {name: _fetched(tensor, here) for name, tensor in analyzed.items()}
        graph = _create(analyzed, here, *arguments)
        there = os.path.join(folder, os.path.basename(graph))
        files.copy_tree(graph, there)
    return there


def _fetched(tensor: Any, here: str) -> Any:
    """Return an analyzer's tensor; the path of a file in the store becomes that of a copy."""
    if tensor.dtype != tf.string or tensor.shape.rank != 0:
        return tensor
    path = tensor.numpy().decode(errors="replace")
    if not files.in_store(path):
        return tensor
    copy = os.path.join(tempfile.mkdtemp(dir=here), os.path.basename(path))
    files.copy_file(path, copy)
    return tf.constant(copy)


def _fetch_and_infer(graph: str, use_tf_compat_v1: bool) -> dataset_metadata.DatasetMetadata:
    with files.at_hand(graph) as here:
        return _infer(here, use_tf_compat_v1)


class _FetchAndRun(RunGraph):
    """Run a graph; it is copied from the store once a process."""

    def _make_graph_state(self, graph: str) -> Any:
        with files.at_hand(graph) as here:
            state = super()._make_graph_state(here)
        state.saved_model_dir = graph
        return state
