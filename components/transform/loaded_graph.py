"""Runs a transform graph on batches, without a search that TFT makes when it loads the graph.

TFT looks up which inputs each output depends on, by a walk through the graph for every output. For
1,000 outputs this takes five times as long as all the rest of loading. It serves callers that leave
inputs out; here every batch has all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow_transform.beam import impl


class RunGraph(impl._RunMetaGraphDoFn):
    """Run a graph as TFT does; a graph or a TFT of another kind is loaded by TFT."""

    def _make_graph_state(self, saved_model_dir: str) -> Any:
        state = getattr(self, "_GraphStateCommon", None)
        if state is None or self._use_tf_compat_v1 or self._exclude_outputs:
            return super()._make_graph_state(saved_model_dir)
        loaded = tf.saved_model.load(saved_model_dir)
        run = getattr(loaded.transform_fn, "concrete_functions", [loaded.transform_fn])[0]
        names = sorted(run.structured_input_signature[0][0])

        def transform(batch: Mapping[str, tf.Tensor], _loaded: Any = loaded) -> dict[str, Any]:
            return dict(run({name: batch[name] for name in names}))

        return state(saved_model_dir, names, sorted(run.structured_outputs), transform)
