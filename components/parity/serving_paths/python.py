"""`tf.saved_model.load`, in a process that cannot import the packages that made the export."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from components import lean_imports
from components.parity.serving_paths.protocol import MISSING_IS_NAN, ModelAddress, ServingPath

# The packages that made the export; serving it must not need them.
_ABSENT = ("apache_beam", "keras", "tensorflow_transform", "tf_keras", "tfx", "tfx_bsl")


class Python(ServingPath):
    """The functions that `tf.saved_model.load` returns; they ignore `SignatureDef.defaults`."""

    name = "Python"
    cannot_carry = f"{MISSING_IS_NAN}, and no column may be left out"
    process = "python"
    questions = staticmethod(lambda sets: sets.without_defaults)

    def __init__(self, address: ModelAddress) -> None:
        for name in _ABSENT:
            sys.modules[name] = None  # type: ignore[assignment]  # importing it raises
        lean_imports.load(lean_imports.TENSORFLOW, without=lean_imports.KERAS)
        from components.parity.python_model import PythonModel

        self._model = PythonModel(address.saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        return self._model.run(signature, feeds)

    def close(self) -> None:
        """Make these packages importable again."""
        for name in _ABSENT:
            if sys.modules.get(name, "") is None:
                del sys.modules[name]
