"""The tiny DAG, and its folders."""

import importlib
import sys
from pathlib import Path

import pytest

from components import lean_imports
from pipeline.folders import Folders

# before a test imports more
lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, lean_imports.TFX)

HERE = str(Path(__file__).parent)


@pytest.fixture
def folders(tmp_path):
    made = Folders.of(tmp_path, "tiny")
    made.root.mkdir()
    return made


@pytest.fixture(scope="module")
def tiny():
    """The tiny DAG, importable by name, as TFX's executors require."""
    sys.path.insert(0, HERE)
    yield importlib.import_module("tiny_dag")
    sys.path.remove(HERE)
