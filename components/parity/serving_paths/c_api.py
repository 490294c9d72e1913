"""TensorFlow's C++ loader and session, in a process that does not run TensorFlow's Python code."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Mapping

import numpy as np

from components.parity.serving_paths.protocol import MISSING_IS_NAN, ModelAddress, ServingPath


class CApi(ServingPath):
    """The C API, with which TensorFlow Serving, Java and Go load and run SavedModels."""

    name = "C API"
    cannot_carry = MISSING_IS_NAN
    process = "c_api"
    questions = staticmethod(lambda sets: sets.everything)

    def __init__(self, address: ModelAddress) -> None:
        _offer_protos_alone()
        from components.parity.c_api import SavedModel

        self._model = SavedModel(address.saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        return self._model.run(signature, feeds)


def _offer_protos_alone() -> None:
    """Make `tensorflow.core`, its generated protos, importable without TensorFlow's Python.

    TensorFlow's own `__init__` loads all of it, which takes 2 to 5 s and which this process avoids.
    """
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("TensorFlow is not installed")
    package = types.ModuleType("tensorflow")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    sys.modules["tensorflow"] = package
