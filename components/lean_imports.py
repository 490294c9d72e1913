"""Imports TensorFlow, Beam and TFX without packages that they import for unused features.

Each of them works without such a package (`except ImportError`), as if it were not installed. This
halves their import time. A library that needs such a package later imports it: that is slower, and
a test fails.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

from components.compat import absent

_BEAM = "apache_beam"
_LEFT_OUT = {
    # Keras: editing a model's file in a notebook, wrappers for scikit-learn; training on Google
    # Compute Engine; tests of training on several machines
    "tensorflow": ("IPython", "sklearn", "googleapiclient", "dill"),
    # Beam imports BigQuery, and with it Pub/Sub, for the names in `apache_beam.io`.
    _BEAM: ("apache_beam.io.gcp.bigquery",),
    # TFX reads three constants of its resolvers from the standard components, which need
    # Kubernetes, TFMA, NLTK and a hundred more packages.
    "tfx.dsl.input_resolution.ops.ops": ("tfx.components",),
}
TENSORFLOW, BEAM, TFX = _LEFT_OUT
# What TensorFlow imports for `tf.keras`, which is not needed to run a SavedModel.
KERAS = ("keras", "tf_keras", "scipy", "h5py")


def load(*modules: str, without: Sequence[str] = ()) -> None:
    """Import `TENSORFLOW`, `BEAM` or `TFX`; modules that are imported already stay unchanged.

    Args:
      modules: the modules, in this order.
      without: further packages to leave out, such as `KERAS`.
    """
    for module in modules:
        if module in sys.modules:
            continue
        try:
            with absent(*_LEFT_OUT[module], *without):
                importlib.import_module(module)
        except ImportError:
            importlib.import_module(module)
        if module == _BEAM:
            _complete_on_demand(importlib.import_module("apache_beam.io"))
            _look_for_ipython(importlib.import_module("apache_beam.utils.interactive_utils"))


def _complete_on_demand(io: Any) -> None:
    """Let `apache_beam.io` import the rest when one of its names is used, as in notebooks."""

    def left_out(name: str) -> Any:
        if name.startswith("__") or importlib.util.find_spec(f"{io.__name__}.{name}"):
            raise AttributeError(f"module {io.__name__!r} has no attribute {name!r}")
        del io.__getattr__
        return getattr(importlib.reload(io), name)

    io.__getattr__ = left_out


def _look_for_ipython(utils: Any) -> None:
    """Have Beam's steps find out whether they are built in a notebook without importing IPython.

    Beam imports it when the first step is built, which takes a second. In a notebook, IPython is
    imported already.
    """
    inside = getattr(utils, "is_in_ipython", None)
    if inside is not None:
        utils.is_in_ipython = lambda: "IPython" in sys.modules and inside()
