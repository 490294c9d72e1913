"""Skews in what a task makes of logits: swapped classes, a lost unit, an inverted answer.

Each is planted in a copy of an export of its task, and the proof names question and output.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.examples import ShardWriter, arrow_schema, split_folder
from components.parity.proof import describe
from components.tasks.learned import TRAINING_FILE
from schemas import layout as layouts
from schemas.columns import Column
from schemas.layout import Layout
from schemas.splits.options import SPLITS
from schemas.tasks.binary import Binary
from schemas.tasks.multiclass import Multiclass
from schemas.tasks.options import TaskOptions
from schemas.tasks.regression import Regression
from tests.component.parity.conftest import FLOATS, Export, reference_of
from tests.component.parity.test_planted import judged_by_c_api, named
from tests.preprocessing import preprocessing_of

pytestmark = pytest.mark.component

ROWS = 60
MEAN, SCALE = 2.25, 0.625  # exact in float32
CLASSES = ["10", "Other", "other"]
ALL_NAMES = [[b"10", b"Other", b"other"], [b"left", b"stayed"]]


@dataclass(frozen=True)
class TaskExport:
    """The artifacts of a tiny run of a task, as `reference_of` takes them."""

    examples: str
    transform_graph: str
    trained: str
    saved_model: str
    columns: tuple[Column, ...]
    label: TaskOptions
    layout: Layout


def several(rng):
    return rng.choice(CLASSES, ROWS, p=[0.5, 0.3, 0.2]).tolist()


def two(rng):
    return rng.choice(["stayed", "left"], ROWS, p=[0.7, 0.3]).tolist()


def amounts(rng):
    return rng.gamma(2.0, 50.0, ROWS).astype(np.float32)


# By task: its options, the type of the label's column, its values, and what training measured.
TASKS: dict[str, tuple[TaskOptions, str, Any, dict[str, float]]] = {
    "multiclass": (Multiclass(column="y", name="y"), "BYTES", several, {}),
    "binary": (Binary(column="y", name="y", positive="left"), "BYTES", two, {}),
    "regression": (
        Regression(column="y", name="y", log1p=True),
        "FLOAT",
        amounts,
        {"mean": MEAN, "scale": SCALE},
    ),
}


def write_run(root: Path, task: str) -> None:
    """Write examples, transform graph, models with random weights, and the SavedModel."""
    from components.export.export import export, read_layout
    from components.train.model import BASELINE_FILE, MODEL_FILE, build_baseline, build_wide_deep
    from components.transform.transform import transform
    from schemas.examples import Examples
    from schemas.model import Model

    label, kind, values, measured = TASKS[task]
    columns, rng = columns_of(kind), np.random.default_rng(5)
    for split in SPLITS:
        rows = {"x": rng.normal(size=ROWS), "color": rng.choice(["r", "g"], ROWS).tolist()}
        table = pa.table({**rows, "y": values(rng)}, schema=arrow_schema(columns))
        path = f"{split_folder(str(root / 'examples'), split)}/rows.parquet"
        with ShardWriter(path, table.schema, batch_rows=ROWS) as writer:
            writer.write(table)
    (root / "graph").mkdir()
    transform(
        examples=str(root / "examples"),
        columns=columns,
        preprocessing=preprocessing_of(
            {"x": "z_score", "color": "vocabulary"}, [], label.model_dump()
        ),
        settings=Examples(),
        graph=str(root / "graph"),
        transformed=str(root / "transformed"),
    )
    layout, trained = read_layout(str(root / "graph")), root / "trained"
    trained.mkdir()
    start = [0.0] * (len(CLASSES) if task == "multiclass" else 1)
    link = {"binary": "sigmoid", "multiclass": "softmax"}.get(task, "identity")
    spec = Model(hidden_units=(4,), embedding_dim=2)
    for name, model in (
        (MODEL_FILE, build_wide_deep(layout, spec, start, link)[1]),
        (BASELINE_FILE, build_baseline(layout, start)),
    ):
        for weight in model.trainable_weights:
            weight.assign(rng.normal(scale=0.4, size=weight.shape))
        model.save(str(trained / name))
    (trained / layouts.FILE_NAME).write_text(layout.model_dump_json())
    (trained / TRAINING_FILE).write_text(json.dumps({"train_examples": ROWS, "labels": measured}))
    export(
        model_dir=str(trained),
        transform_graph_dir=str(root / "graph"),
        examples_dir=str(root / "examples"),
        columns=columns,
        label=label,
        model_name="tiny",
        answers=label.EXPORT(task=label.task),
        output=str(root / "Format-Serving"),
    )


def columns_of(kind: str) -> tuple[Column, ...]:
    return (
        Column("x", "FLOAT", serving=True),
        Column("color", "BYTES", serving=True),
        Column("y", kind, serving=False),
    )


@pytest.fixture(scope="module")
def run_of(make_once):
    """Return the tiny run of a task, and the rows, questions and reference of its proof."""
    from components.export import signatures as names
    from components.export.export import read_layout
    from components.parity.boundaries import treatment_boundaries
    from components.parity.question_sets import QuestionSets
    from components.parity.rows import make_rows

    made: dict[str, Any] = {}

    def run(task):
        if task not in made:
            root = make_once(f"exported_{task}", lambda folder: write_run(folder, task))
            label, kind, *_ = TASKS[task]
            layout = read_layout(str(root / "graph"))
            exported = TaskExport(
                examples=str(root / "examples"),
                transform_graph=str(root / "graph"),
                trained=str(root / "trained"),
                saved_model=str(root / "Format-Serving"),
                columns=columns_of(kind),
                label=label,
                layout=layout,
            )
            answers = label.EXPORT(task=label.task)
            serving = names.serving_columns(exported.columns, layout)
            evaluation = names.evaluation_columns(exported.columns, layout, label)
            ends = treatment_boundaries(exported.transform_graph, layout)
            rows = make_rows(exported.examples, evaluation, serving, ROWS, ends)
            sets = QuestionSets.of(rows, serving, evaluation, names.methods(answers))
            made[task] = exported, (rows, sets, reference_of(exported, rows, answers))
        return made[task]

    return run


def constants(change):
    """Change the constants of the graph; `change` returns None for those that stay."""

    def plant(export):
        import tensorflow as tf

        def apply(node):
            if node.op != "Const":
                return False
            value = tf.make_ndarray(node.attr["value"].tensor)
            changed = change(value)
            if changed is None:
                return False
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(changed, shape=value.shape))
            return True

        export.change_nodes(apply)

    return plant


def names_swapped(value):
    """Swap the last two names wherever all names of the classes stand."""
    flat = value.reshape(-1).tolist()
    if value.dtype != object or sorted(flat) not in ALL_NAMES:
        return None
    flat[-2], flat[-1] = flat[-1], flat[-2]
    return np.array(flat, dtype=object).reshape(value.shape)


def number(old, new):
    def change(value):
        here = np.isclose(value, old) if value.dtype in FLOATS else np.False_
        return np.where(here, new, value).astype(value.dtype) if here.any() else None

    return change


def no_expm1(export):
    """Keep the logarithms: Abs changes no positive number, and names its output as Expm1 does."""

    def change(node):
        if node.op != "Expm1":
            return False
        node.op = "Abs"
        return True

    export.change_nodes(change)


def logits_of_classes_swapped(export):
    def change(kernel):
        return kernel[..., [1, 0, *range(2, kernel.shape[-1])]]

    export.change_weights("deep_logits/kernel", change)


def logit_negated(export):
    export.change_weights("deep_logits/kernel", lambda kernel: -kernel)


def other_positive(value):
    """Take the other value of the label's column as the positive one."""
    is_positive = value.dtype == object and value.reshape(-1).tolist() == [b"left"]
    return np.array([b"stayed"], dtype=object).reshape(value.shape) if is_positive else None


FAULTS = {
    "two names of classes swapped": (
        "multiclass",
        constants(names_swapped),
        {"predict": {"class"}, "classification": {"classes"}},
    ),
    "two classes swapped": (
        "multiclass",
        logits_of_classes_swapped,
        {"predict": {"score", "probabilities", "logits"}, "classification": {"scores"}},
    ),
    "an inverted answer": (
        "binary",
        constants(names_swapped),
        {"predict": {"class"}, "classification": {"classes"}},
    ),
    "an inverted score": (
        "binary",
        logit_negated,
        {"predict": {"score", "probabilities", "logits"}, "regression": {"outputs"}},
    ),
    "an inverted label": (
        "binary",
        constants(other_positive),
        {"evaluation": {"label"}},
    ),
    "a logarithm that is never undone": (
        "regression",
        no_expm1,
        {"predict": {"prediction"}, "regression": {"outputs"}, "evaluation": {"scores"}},
    ),
    "a scale that was forgotten": (
        "regression",
        constants(number(SCALE, 1.0)),
        {"predict": {"prediction"}, "regression": {"outputs"}},
    ),
    "a mean that was forgotten": (
        "regression",
        constants(number(MEAN, 0.0)),
        {"predict": {"prediction"}, "serving_default": {"scores"}},
    ),
}


@pytest.mark.parametrize("task", TASKS)
def test_an_honest_export_of_each_task_is_proven(task, run_of):
    exported, asked = run_of(task)
    proof = judged_by_c_api(exported.saved_model, asked)
    assert proof.proven, describe(proof)


@pytest.mark.parametrize("name", FAULTS)
def test_a_skew_in_a_tasks_answers_is_named(name, run_of, tmp_path):
    task, plant, differing = FAULTS[name]
    exported, asked = run_of(task)
    path = tmp_path / "Format-Serving"
    shutil.copytree(exported.saved_model, path)
    plant(Export(path))
    proof = judged_by_c_api(path, asked, *differing)

    assert not proof.proven
    for question, outputs in differing.items():
        assert named(proof, "C API", question) >= outputs, describe(proof)
