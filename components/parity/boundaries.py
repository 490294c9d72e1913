"""The numbers that a transform graph compares values with, read from its constants.

Goes in: TFT's output folder. Comes out: by column, where its buckets may end: the places at which
the smallest difference in a value shows.
"""

from __future__ import annotations

import os

import numpy as np

from schemas.layout import Layout

_BUCKETS = "quantile_buckets"
_GRAPH = os.path.join("transform_fn", "saved_model.pb")


def bucket_boundaries(transform_graph: str, layout: Layout) -> dict[str, list[float]]:
    """Return, for each column that is bucketed, numbers at which one of its buckets may end.

    The graph holds the boundaries of all columns in one table and does not say whose is which: each
    column gets all of them.
    """
    bucketed = {c for f in layout.features if f.treatment == _BUCKETS for c in f.columns}
    if not bucketed:
        return {}
    numbers = _numbers(os.path.join(transform_graph, _GRAPH))
    return dict.fromkeys(sorted(bucketed), numbers)


def _numbers(path: str) -> list[float]:
    """Return every finite number of the lists and tables among the constants of a graph."""
    from tensorflow import make_ndarray
    from tensorflow.core.protobuf import saved_model_pb2

    with open(path, "rb") as file:
        graph = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs[0].graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    arrays = (make_ndarray(node.attr["value"].tensor) for node in nodes if node.op == "Const")
    found = [a.reshape(-1) for a in arrays if a.dtype in (np.float32, np.float64) and a.ndim]
    numbers = np.concatenate(found) if found else np.zeros(0)
    unique: list[float] = np.unique(numbers[np.isfinite(numbers)]).tolist()
    return unique
