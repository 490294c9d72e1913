"""A SavedModel as `tf.saved_model.load` returns it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from components.export.signatures import argument_names


class PythonModel:
    """A SavedModel's functions; they ignore `SignatureDef.defaults`."""

    def __init__(self, saved_model: str) -> None:
        self._model = tf.saved_model.load(saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        arguments = argument_names(feeds)  # the columns' own names may not be arguments
        tensors = {arguments[name]: tf.constant(values) for name, values in feeds.items()}
        outputs = self._model.signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}
