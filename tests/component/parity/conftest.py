"""Faults to plant in copies of an export, and the functions that have to find them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.component.parity.serving import answers_of

FLOATS = (np.float32, np.float64)


class Export:
    """A copy of the export that tests can change."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def graph(self) -> Iterator[Any]:
        """Yield the MetaGraphDef; changes to it are written back."""
        from tensorflow.core.protobuf import saved_model_pb2

        file = self.path / "saved_model.pb"
        proto = saved_model_pb2.SavedModel.FromString(file.read_bytes())
        yield proto.meta_graphs[0]
        file.write_bytes(proto.SerializeToString())

    def change_constant(self, old: float, new: float) -> None:
        """Replace the one number among the graph's constants that is `old`."""
        import tensorflow as tf

        changed = 0
        with self.graph() as graph:
            for node in graph.graph_def.node:
                value = tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None
                if value is not None and value.dtype in FLOATS and (value == old).any():
                    changed += int((value == old).sum())
                    value = np.where(value == old, value.dtype.type(new), value)
                    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        assert changed == 1

    def change_nodes(self, change: Callable[[Any], bool]) -> None:
        """Call with every node of the graph and its functions; at least one has to be changed."""
        with self.graph() as graph:
            nodes = [*graph.graph_def.node]
            nodes += [n for f in graph.graph_def.library.function for n in f.node_def]
            changed = sum(change(node) for node in nodes)
        assert changed

    def constants(self) -> np.ndarray:
        """Return every float32 and float64 among the graph's constants, as float64."""
        import tensorflow as tf

        with self.graph() as graph:
            values = [
                tf.make_ndarray(node.attr["value"].tensor)
                for node in graph.graph_def.node
                if node.op == "Const"
            ]
        found = [v.reshape(-1) for v in values if v.dtype in FLOATS]
        return np.concatenate(found).astype(np.float64)

    def change_vocabulary(self, change: Callable[[list[bytes]], list[bytes]]) -> None:
        """Replace the lines of the vocabulary file."""
        (file,) = (self.path / "assets").iterdir()
        lines = file.read_bytes().splitlines()
        changed = change(lines)
        assert changed != lines
        file.write_bytes(b"".join(line + b"\n" for line in changed))

    def change_weights(self, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Replace the values of the first variable whose name contains `name`."""
        import tensorflow as tf

        model = tf.saved_model.load(str(self.path))
        weight = next(w for w in model.weights if name in w.name)
        weight.assign(change(weight.numpy()))
        tf.train.Checkpoint(root=model).write(str(self.path / "variables" / "variables"))


@pytest.fixture
def export(exported, tmp_path):
    """A copy of the export."""
    path = tmp_path / "Format-Serving"
    shutil.copytree(exported.saved_model, path)
    return Export(path)


@pytest.fixture(scope="session")
def asked(exported):
    """Rows, questions, and what training computes for them; they are made once."""
    from components.export import signatures as names
    from components.parity.boundaries import treatment_boundaries
    from components.parity.question_sets import QuestionSets
    from components.parity.rows import make_rows
    from schemas.tasks.binary import BinaryExport

    serving = names.serving_columns(exported.columns, exported.layout)
    evaluation = names.evaluation_columns(exported.columns, exported.layout, exported.label)
    ends = treatment_boundaries(exported.transform_graph, exported.layout)
    rows = make_rows(exported.examples, evaluation, serving, 100, ends)
    sets = QuestionSets.of(rows, serving, evaluation, tuple(names.METHOD_NAMES))
    return rows, sets, reference_of(exported, rows, BinaryExport())


def reference_of(exported, rows, answers):
    """Return what training computes, for an export with these answers."""
    from components.export import signatures as names
    from components.parity.reference import transform_then_predict

    return transform_then_predict(
        rows.batch,
        names.evaluation_columns(exported.columns, exported.layout, exported.label),
        transform_graph=exported.transform_graph,
        trained=exported.trained,
        layout=exported.layout,
        label=exported.label,
        answers=answers,
    )


@pytest.fixture
def judged(asked):
    """A function that asks an export by its two loaders in this process, in half the time.

    It asks everything, or only the questions of these names.
    """
    from components.parity.c_api import SavedModel
    from components.parity.judge import judge
    from components.parity.python_model import PythonModel

    rows, sets, reference = asked

    def call(saved_model, *names):
        of_python, of_c_api = (
            [q for q in questions if not names or q.name in names]
            for questions in (sets.without_defaults, sets.everything)
        )
        python = answers_of("Python", PythonModel(str(saved_model)), of_python)
        with SavedModel(str(saved_model)) as loaded:
            return judge([python, answers_of("C API", loaded, of_c_api)], reference, rows)

    return call


@pytest.fixture
def prove(exported, tmp_path, monkeypatch):
    """A function that proves an export by its two loaders, or names what differs."""
    from components.parity import answers
    from components.parity.prove import prove as prove_export
    from components.parity.serving_paths.c_api import CApi
    from components.parity.serving_paths.python import Python
    from schemas.tasks.binary import BinaryExport

    monkeypatch.setattr(answers, "SERVING_PATHS", (Python, CApi))

    def call(saved_model, **changes):
        output = tmp_path / "proof"
        output.mkdir(exist_ok=True)
        arguments = {
            "examples": exported.examples,
            "transform_graph_dir": exported.transform_graph,
            "trained_dir": exported.trained,
            "saved_model": str(saved_model),
            "columns": exported.columns,
            "label": exported.label,
            "answers": BinaryExport(),
            "output": str(output),
        }
        return prove_export(**(arguments | changes))

    return call
