"""TensorFlow, Beam and TFX are imported without unused packages, and otherwise completely."""

import importlib
import subprocess
import sys
import types

import pytest
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts

from components import lean_imports
from components.compat import absent
from components.examples import declare_format

pytestmark = pytest.mark.component

HEAVY = (
    "IPython",
    "apache_beam.io.gcp.bigquery",
    "google.cloud.bigquery",
    "google.pubsub_v1",
    "kubernetes",
    "nltk",
    "rfc3987_syntax",
    "sklearn",
    "tensorflow_model_analysis",
    "tfx.components",
)
LOADED = """
import sys
from components.compat import quiet_environment
quiet_environment()
from components import lean_imports
lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, lean_imports.TFX)
"""
STAGES = """
from pipeline import dag, orchestrators
for room in set(dag.ROOMS.values()):
    __import__(f"components.{room}.component")
"""
BUILT = """
import apache_beam as beam
beam.Pipeline("FnApiRunner") | beam.Create([1])
"""
BEAM_LOADED = """
import sys
from components import lean_imports
lean_imports.load(lean_imports.BEAM)
"""
COMPLETED = """
import apache_beam as beam
from apache_beam.io import restriction_trackers
assert not hasattr(beam.io, "no_such_name")
assert beam.io.ReadFromPubSub is sys.modules["apache_beam.io.gcp.pubsub"].ReadFromPubSub
assert beam.io.WriteToBigQuery is sys.modules["apache_beam.io.gcp.bigquery"].WriteToBigQuery
assert "__getattr__" not in vars(beam.io)
"""


def test_what_a_run_imports_brings_along_nothing_that_nobody_uses():
    script = f"{LOADED}{STAGES}{BUILT}print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_running_a_saved_model_imports_no_keras():
    names = ("keras", "tf_keras", "scipy", "sklearn", "IPython", "googleapiclient", "h5py", "dill")
    load = "lean_imports.load(lean_imports.TENSORFLOW, without=lean_imports.KERAS)"
    script = f"import sys\nfrom components import lean_imports\n{load}\n"
    script += "import tensorflow as tf\nassert tf.constant(2) * 2 == 4\n"
    script += f"print([name for name in {names!r} if name in sys.modules])"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_beam_has_all_its_names_once_one_is_used():
    subprocess.run([sys.executable, "-c", BEAM_LOADED + COMPLETED], check=True)


def test_tfx_takes_the_same_constants_without_its_standard_components(monkeypatch):
    from tfx.components.evaluator import constants
    from tfx.components.example_gen import utils

    for module, names in {
        "latest_blessed_model_strategy": {
            "_CURRENT_MODEL_ID": constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY,
            "_BLESSED": constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        },
        "span_range_strategy": {"_SPAN": utils.SPAN_PROPERTY_NAME},
    }.items():
        full = f"tfx.dsl.input_resolution.strategies.{module}"
        monkeypatch.delitem(sys.modules, full, raising=False)
        for name in [name for name in sys.modules if name.startswith("tfx.components")]:
            monkeypatch.delitem(sys.modules, name)
        with absent("tfx.components"):
            found = importlib.import_module(full)
        assert {name: getattr(found, name) for name in names} == names


def test_a_library_that_needs_what_was_left_out_is_imported_with_it(tmp_path, monkeypatch):
    (tmp_path / "left_out.py").write_text("ANSWER = 42\n")
    (tmp_path / "needy.py").write_text("from left_out import ANSWER\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(lean_imports._LEFT_OUT, "needy", ("left_out",))
    monkeypatch.delitem(sys.modules, "needy", raising=False)
    lean_imports.load("needy")
    needy = sys.modules.pop("needy")
    assert isinstance(needy, types.ModuleType)
    assert needy.ANSWER == 42


def test_the_format_is_declared_as_tfx_reads_it():
    from tfx.components.util import examples_utils

    examples = standard_artifacts.Examples()
    declare_format(examples)
    parquet = example_gen_pb2.PayloadFormat.FORMAT_PARQUET
    assert examples_utils.get_payload_format(examples) == parquet
