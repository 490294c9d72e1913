"""Reads the numbers that a transform graph has learned, from its constants."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from components import saved_models
from schemas.columns import LARGEST_INTEGER
from schemas.layout import TransformedFeature

_GRAPH = "transform_fn"


def constants_by_column(
    graph: str, features: Sequence[TransformedFeature]
) -> Mapping[str, list[float]]:
    """Return, by column, every finite number of the lists and tables among a graph's constants.

    The graph has the boundaries of all columns in one table and does not say which column they
    belong to, so each column gets all of them.

    Args:
      graph: TFT's output folder.
      features: the transformed features whose columns are wanted.
    """
    return _of_columns(_constants(graph, np.float32, np.float64), features)


def times_by_column(
    graph: str, features: Sequence[TransformedFeature]
) -> Mapping[str, list[float]]:
    """Return, by column, every whole number of the lists and tables that examples can hold.

    Args:
      graph: as for `constants_by_column`.
      features: as for `constants_by_column`.
    """
    whole = _constants(graph, np.int64)
    return _of_columns(whole[np.abs(whole) <= LARGEST_INTEGER], features)


def _of_columns(
    constants: np.ndarray, features: Sequence[TransformedFeature]
) -> Mapping[str, list[float]]:
    return dict.fromkeys(sorted({c for f in features for c in f.columns}), constants.tolist())


def _constants(graph: str, *dtypes: type[np.generic]) -> np.ndarray:
    """Return the finite constants of these types in float64, ascending, each once."""
    nodes_of = saved_models.read(os.path.join(graph, _GRAPH)).meta_graphs[0].graph_def
    nodes = [*nodes_of.node, *(n for f in nodes_of.library.function for n in f.node_def)]
    arrays = (tf.make_ndarray(node.attr["value"].tensor) for node in nodes if node.op == "Const")
    alike = [a.reshape(-1).astype(np.float64) for a in arrays if a.dtype in dtypes and a.ndim]
    held = np.concatenate([np.zeros(0), *alike])
    return np.unique(held[np.isfinite(held)])
