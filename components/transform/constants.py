"""Reads the numbers that a transform graph has learned, from its constants."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from components import saved_models
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
    numbers_of_graph = _constants(os.path.join(graph, _GRAPH))
    return dict.fromkeys(sorted({c for f in features for c in f.columns}), numbers_of_graph)


def _constants(folder: str) -> list[float]:
    nodes_of = saved_models.read(folder).meta_graphs[0].graph_def
    nodes = [*nodes_of.node, *(n for f in nodes_of.library.function for n in f.node_def)]
    arrays = (tf.make_ndarray(node.attr["value"].tensor) for node in nodes if node.op == "Const")
    floats = [a.reshape(-1) for a in arrays if a.dtype in (np.float32, np.float64) and a.ndim]
    held = np.concatenate(floats) if floats else np.zeros(0)
    unique: list[float] = np.unique(held[np.isfinite(held)]).tolist()
    return unique
