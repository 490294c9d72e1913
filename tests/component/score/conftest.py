"""Versions of the tiny export, and rows to score with them."""

import shutil

import pyarrow as pa
import pyarrow.csv as pv
import pytest

from components import lean_imports
from components.examples import iter_batches

lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM)  # before a test imports more


@pytest.fixture
def serving(exported, tmp_path):
    """A serving folder with version 1."""
    folder = tmp_path / "run" / "serving"
    shutil.copytree(exported.saved_model, folder / "1")
    return folder


def push(saved_model, serving, version):
    """Push a SavedModel like a push: copied beside, then renamed."""
    incoming = serving / ".push.incoming"
    shutil.copytree(saved_model, incoming)
    incoming.rename(serving / str(version))


@pytest.fixture(scope="session")
def rows(exported):
    """Rows of the test split, in one chunk, without the label's columns."""
    batches = list(iter_batches(exported.examples, "test"))
    names = [c.name for c in exported.columns if c.serving]
    return pa.Table.from_batches(batches).select(names).combine_chunks()


@pytest.fixture
def csv_file(rows, tmp_path):
    """The rows as a CSV file with an id."""
    path = tmp_path / "rows.csv"
    ids = pa.array([f"{number:03}" for number in range(rows.num_rows)])
    pv.write_csv(rows.append_column("id", ids), path)
    return path
