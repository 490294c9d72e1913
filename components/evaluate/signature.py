"""One signature of a SavedModel in memory, run by its SignatureDef as a server runs it.

Goes in: arrays by input name. Comes out: arrays by output name. The functions that
`tf.saved_model.load` gives are not used: they cannot take every column's name as an argument.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from components import files
from components.evaluate.published import SAVED_MODEL, check_pushed
from schemas.errors import ModelError


def read_signatures(saved_model: str) -> dict[str, meta_graph_pb2.SignatureDef]:
    """Return a SavedModel's SignatureDefs by name, without loading the graph.

    Raises:
      ModelError: there is no SavedModel that can be read.
    """
    path = os.path.join(saved_model, SAVED_MODEL)
    try:
        graph = saved_model_pb2.SavedModel.FromString(files.read_bytes(path)).meta_graphs[0]
    except (OSError, DecodeError, IndexError) as error:
        raise ModelError(f"there is no SavedModel to read: {error}", where=path) from error
    return dict(graph.signature_def)


class LoadedSignature:
    """A signature in memory; may be called by several threads at once.

    Args:
      saved_model: the SavedModel's folder.
      name: of the signature.
      outputs: those that are wanted; None is all.

    Attributes:
      saved_model: the SavedModel's folder.
      inputs: names of the inputs.
      outputs: names of the outputs that are computed.

    Raises:
      ModelError: the SavedModel does not load, is not the one that was pushed here, or has no such
        signature or output.
    """

    def __init__(self, saved_model: str, name: str, outputs: Iterable[str] | None = None) -> None:
        session = tf.compat.v1.Session(graph=tf.Graph())
        try:
            with files.at_hand(saved_model) as folder:
                check_pushed(folder)
                graph = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], folder)
        except (OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
            raise ModelError(f"the SavedModel does not load: {error}", where=saved_model) from error
        if name not in graph.signature_def:
            raise ModelError(f"the SavedModel has no signature {name!r}", where=saved_model)
        signature = graph.signature_def[name]
        self.saved_model = saved_model
        self.inputs = tuple(sorted(signature.inputs))
        self.outputs = tuple(sorted(signature.outputs) if outputs is None else outputs)
        for output in self.outputs:
            if output not in signature.outputs:
                raise ModelError(
                    f"the model has no output {output!r}",
                    where=f"{saved_model}: signature {name!r}",
                )
        # made once: looking tensors up by name costs more than a small batch
        self._call = session.make_callable(
            [signature.outputs[output].name for output in self.outputs],
            [signature.inputs[column].name for column in self.inputs],
        )

    def __call__(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs, shape [rows, …] each, for the arrays of `as_raw_columns`."""
        outputs = self._call(*(raw[column] for column in self.inputs))
        return dict(zip(self.outputs, outputs, strict=True))
