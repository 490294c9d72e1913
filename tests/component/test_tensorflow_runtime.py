"""The names that run a SavedModel, without the rest of TensorFlow."""

import functools
import importlib
import subprocess
import sys

import pytest
import tensorflow as tf

from components import tensorflow_runtime
from components.compat import quiet_environment
from components.parity.processes import environment

pytestmark = pytest.mark.component
_RUN = """
import sys
import numpy as np
from components import tensorflow_runtime
tensorflow_runtime.install()
import tensorflow as tf
from components import saved_models
from components.evaluate.signature import LoadedSignature
inputs = saved_models.read_signatures(sys.argv[1])["predict"].inputs
types = {name: tf.dtypes.as_dtype(info.dtype).name for name, info in inputs.items()}
empty = np.array([b"", b""], object)
rows = {name: empty if t == "string" else np.zeros(2, t) for name, t in types.items()}
outputs = LoadedSignature(sys.argv[1], "predict")(rows)
print(len(outputs["score"]), "tensorflow._api.v2.v2" in sys.modules)
"""
_ANOTHER_NAME = """
from components import tensorflow_runtime
tensorflow_runtime.install()
import tensorflow as tf
session = tf.compat.v1.Session
print(int(tf.function(lambda x: x + 1)(tf.constant(2))), tf.compat.v1.Session is session)
print(tf.compat.v1.placeholder.__name__, tf.executing_eagerly())
"""
_CHANGED = """
from components import tensorflow_runtime
tensorflow_runtime.NAMES["make_ndarray"] = ("tensorflow.python.framework.moved", "MakeNdarray")
tensorflow_runtime.install()
import tensorflow as tf
print(tf.make_ndarray(tf.make_tensor_proto([1.0])))
"""


def printed(program: str, *arguments: str) -> str:
    quiet_environment()
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", tensorflow_runtime.NAMES)
def test_a_name_is_the_same_as_in_the_public_api(path):
    module, name = tensorflow_runtime.NAMES[path]
    public = functools.reduce(getattr, path.split("."), tf)
    assert getattr(importlib.import_module(module), name) is public


def test_a_saved_model_runs_without_the_whole_package(exported):
    assert printed(_RUN, exported.saved_model) == "2 False\n"


def test_another_name_imports_the_whole_package():
    assert printed(_ANOTHER_NAME) == "3 True\nplaceholder True\n"


def test_a_name_that_tensorflow_has_moved_imports_the_whole_package():
    assert printed(_CHANGED) == "[1.]\n"
