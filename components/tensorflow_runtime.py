"""TensorFlow's runtime: the names that running a SavedModel needs, without the rest of the package.

`import tensorflow` executes more than a thousand modules, nearly all of them to build and train
models. A session and the protos take a third of that time. So `install` puts a module `tensorflow`
in place that imports only what is used: the names below come from the modules that define them, and
any other name imports the whole package first. A TensorFlow without such a module is only slower.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import threading
import types
from typing import Any

_PACKAGE = "tensorflow"
_PYTHON = f"{_PACKAGE}.python"
# The module and name behind each public name.
NAMES = {
    "Graph": (f"{_PYTHON}.framework.ops", "Graph"),
    "compat.v1.ConfigProto": (f"{_PACKAGE}.core.protobuf.config_pb2", "ConfigProto"),
    "compat.v1.Session": (f"{_PYTHON}.client.session", "Session"),
    "compat.v1.saved_model.load": (f"{_PYTHON}.saved_model.loader_impl", "load"),
    "dtypes.as_dtype": (f"{_PYTHON}.framework.dtypes", "as_dtype"),
    "errors.OpError": (f"{_PYTHON}.framework.errors_impl", "OpError"),
    "get_logger": (f"{_PYTHON}.platform.tf_logging", "get_logger"),
    "io.TFRecordWriter": (f"{_PYTHON}.lib.io.tf_record", "TFRecordWriter"),
    "make_ndarray": (f"{_PYTHON}.framework.tensor_util", "MakeNdarray"),
    "saved_model.SAVED_MODEL_FILENAME_PB": (
        f"{_PYTHON}.saved_model.constants",
        "SAVED_MODEL_FILENAME_PB",
    ),
    "saved_model.SERVING": (f"{_PYTHON}.saved_model.tag_constants", "SERVING"),
}
_lock = threading.RLock()


def install() -> None:
    """Make `import tensorflow` import only what is used, unless it is imported already."""
    if _PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is not None:  # otherwise the import fails as usual
        module = importlib.util.module_from_spec(spec)
        module.__class__ = _Tensorflow
        sys.modules[_PACKAGE] = module


def load() -> None:
    """Import all these names now, unless TensorFlow is imported already."""
    install()
    package = importlib.import_module(_PACKAGE)
    for name in NAMES:
        functools.reduce(getattr, name.split("."), package)


class _Names(types.ModuleType):
    """A module of the public API, such as `tf.compat.v1`."""

    def __getattr__(self, name: str) -> Any:
        path = f"{self.__name__}.{name}".partition(".")[2]
        if (value := _defined(path)) is None:
            whole = _import_whole()
            for part in path.split("."):
                whole = getattr(whole, part)
            return whole
        setattr(self, name, value)
        return value


class _Tensorflow(_Names):
    """The package itself; its submodules are imported as usual."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by the import system and by inspection
            raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
        return super().__getattr__(name)


def _defined(path: str) -> Any:
    """Return what is behind a name of `NAMES`, or a module that has one; None for others."""
    if any(name.startswith(f"{path}.") for name in NAMES):
        return _Names(f"{_PACKAGE}.{path}")
    try:
        module, name = NAMES[path]
        return getattr(importlib.import_module(module), name)
    except (KeyError, ImportError, AttributeError):
        return None


def _import_whole() -> Any:
    """Import the package into the module that stands for it."""
    module = sys.modules[_PACKAGE]
    with _lock:
        if isinstance(module, _Tensorflow):
            module.__class__ = types.ModuleType  # type: ignore[assignment]  # as above
            for name in {name.partition(".")[0] for name in NAMES} & vars(module).keys():
                delattr(module, name)
            importlib.reload(module)
    return module
