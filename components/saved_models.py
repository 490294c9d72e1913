"""SavedModels on disk or in a store: their protos, and their graphs in a session.

The functions take a SavedModel's folder and raise a `ModelError` if it cannot be read or loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from components import files
from schemas.errors import ModelError

_FILE_NAME = tf.saved_model.SAVED_MODEL_FILENAME_PB


def read(folder: str) -> saved_model_pb2.SavedModel:
    """Return a SavedModel's proto, without loading its graph.

    Raises:
      ModelError: there is none that can be read, or it has no graph.
    """
    path = os.path.join(folder, _FILE_NAME)
    try:
        proto = saved_model_pb2.SavedModel.FromString(files.read_bytes(path))
    except (OSError, DecodeError) as error:
        raise ModelError(f"there is no SavedModel to read: {error}", where=path) from error
    if not proto.meta_graphs:
        raise ModelError("there is no SavedModel to read: it has no graph", where=path)
    return proto


def read_signatures(folder: str) -> dict[str, meta_graph_pb2.SignatureDef]:
    """Return a SavedModel's SignatureDefs by name, without loading its graph.

    Raises:
      ModelError: there is none that can be read.
    """
    return dict(read(folder).meta_graphs[0].signature_def)


def write(proto: saved_model_pb2.SavedModel, folder: str) -> None:
    """Write a SavedModel's proto in place of the one in a folder of this machine."""
    with open(os.path.join(folder, _FILE_NAME), "wb") as file:
        file.write(proto.SerializeToString(deterministic=True))
    # TensorFlow's digest of the file before the change; loaders do not need it.
    Path(folder, "fingerprint.pb").unlink(missing_ok=True)


def load(
    folder: str,
    *,
    config: tf.compat.v1.ConfigProto | None = None,
    check: Callable[[str], object] = bool,
) -> tuple[tf.compat.v1.Session, meta_graph_pb2.MetaGraphDef]:
    """Load a SavedModel into a session of its own.

    Args:
      folder: the SavedModel's.
      config: of the session.
      check: a function that is called with the folder, on this machine, before it is loaded.

    Raises:
      ModelError: it does not load.
    """
    session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
    try:
        with files.at_hand(folder) as local:
            check(local)
            graph = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], local)
    except (OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
        raise ModelError(f"the SavedModel does not load: {error}", where=folder) from error
    return session, graph
