"""Workers that share only a store make the same transform graph as one process."""

import os

import pytest

from components import files, runner
from components.transform.transform import transform
from schemas.examples import Examples
from schemas.layout import FILE_NAME
from tests.component.conftest import PREPROCESSING
from tests.emulators import in_amazon

pytestmark = pytest.mark.component


@in_amazon
def test_a_graph_is_analyzed_and_written_without_tensorflow_seeing_the_store(
    store, exported, monkeypatch
):
    monkeypatch.setattr(runner, "_elsewhere", lambda options: True)
    files.copy_tree(exported.examples, f"{store}/examples")
    layout = transform(
        examples=f"{store}/examples",
        columns=exported.columns,
        preprocessing=PREPROCESSING,
        settings=Examples(),
        graph=f"{store}/graph",
        transformed=f"{store}/transformed",
    )
    assert layout == exported.layout
    here, there = exported.transform_graph, f"{store}/graph"
    assert files.walk(there) == files.walk(here)
    for name in (FILE_NAME, *(n for n in files.walk(here) if "assets/" in n)):
        assert files.read_bytes(f"{there}/{name}") == files.read_bytes(os.path.join(here, name))
    ours, theirs = f"{store}/transformed", f"{exported.transform_graph}-examples"
    assert files.walk(ours) == files.walk(theirs)
    for name in files.walk(theirs):
        assert files.read_bytes(f"{ours}/{name}") == files.read_bytes(os.path.join(theirs, name))
    assert files.names(store) == ["examples", "graph", "transformed"]  # and nothing else
