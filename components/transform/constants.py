"""Reads what a transform graph has learned, from its constants."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components import saved_models
from schemas.columns import LARGEST_INTEGER
from schemas.layout import TransformedFeature

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary

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


def written_by_column(
    graph: str, features: Sequence[TransformedFeature]
) -> Mapping[str, list[Boundary]]:
    """Return, by column, every single number and text that is a constant.

    They are among what a person has written: in features.py, an expression, or a filling.

    Args:
      graph: as for `constants_by_column`.
      features: as for `constants_by_column`.
    """
    single = [array for array in _arrays(graph) if not array.ndim]
    numbers = {float(a) for a in single if a.dtype in (np.float32, np.float64, np.int64)}
    within = sorted(number for number in numbers if abs(number) <= LARGEST_INTEGER)
    texts = sorted({a.item() for a in single if a.dtype == object} - {b""})
    return {name: [*within, *texts] for name in columns_of(features)}


def columns_of(features: Iterable[TransformedFeature]) -> list[str]:
    """Return the columns of features, each once."""
    return list(dict.fromkeys(column for feature in features for column in feature.columns))


def _of_columns(
    constants: np.ndarray, features: Sequence[TransformedFeature]
) -> Mapping[str, list[float]]:
    return dict.fromkeys(sorted(columns_of(features)), constants.tolist())


def _constants(graph: str, *dtypes: type[np.generic]) -> np.ndarray:
    """Return the finite constants of these types in float64, ascending, each once."""
    arrays = (array for array in _arrays(graph) if array.dtype in dtypes and array.ndim)
    held = np.concatenate([np.zeros(0), *(a.reshape(-1).astype(np.float64) for a in arrays)])
    return np.unique(held[np.isfinite(held)])


def _arrays(graph: str) -> Iterator[np.ndarray]:
    """Yield the constants of a graph."""
    nodes_of = saved_models.read(os.path.join(graph, _GRAPH)).meta_graphs[0].graph_def
    nodes = [*nodes_of.node, *(n for f in nodes_of.library.function for n in f.node_def)]
    for node in nodes:
        if node.op == "Const":
            yield tf.make_ndarray(node.attr["value"].tensor)
