"""A tiny run up to the export, made once for all processes, for tests of later stages."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from components.compat import quiet_environment

quiet_environment()

from components.calendar import DAY, HOUR  # noqa: E402
from components.examples import ShardWriter, arrow_schema, split_folder  # noqa: E402
from components.tasks.learned import TRAINING_FILE  # noqa: E402
from components.transform.preprocessing import Preprocessing  # noqa: E402
from schemas import layout as layouts  # noqa: E402
from schemas.columns import Column  # noqa: E402
from schemas.layout import Layout  # noqa: E402
from schemas.splits.options import SPLITS  # noqa: E402
from schemas.tasks.binary import Binary, BinaryExport  # noqa: E402
from tests.preprocessing import preprocessing_of  # noqa: E402

if TYPE_CHECKING:
    from components.transform.preprocessing import Preprocessing

# Names that a CSV header may have, but not a Python argument or a TensorFlow op, and two that
# differ only in case.
COLUMNS = (
    Column("age", "INT", True),
    Column("hours-per-week", "FLOAT", True),
    Column("Fare ($)", "FLOAT", True),
    Column("naïve", "BYTES", True),
    Column("a b", "BYTES", True),
    Column("a_b", "BYTES", True),
    Column("self", "INT", True),
    Column("Age", "BYTES", True),
    Column("tips", "FLOAT", False),
)
_LABEL = {"name": "big_tip", "exceeds": {"column": "tips", "fraction": 0.3, "of": "Fare ($)"}}
LABEL = Binary.model_validate(_LABEL)
PREPROCESSING = preprocessing_of(
    {
        "age": ["z_score", {"vocabulary": {"oov_buckets": 8}}],
        "hours-per-week": {"quantile_buckets": {"buckets": 4}},
        "Fare ($)": {"z_score": {"log1p": True}},
        "naïve": {"vocabulary": {"oov_buckets": 2}},
        "a b": "vocabulary",
        "a_b": "vocabulary",
        "self": "z_score",
        "Age": "vocabulary",
    },
    [{"columns": ["naïve", "a b"], "buckets": 16}],
    _LABEL,
)

TIMED = (
    Column("ordered at", "TIME_TEXT", True, ("%Y-%m-%d %H:%M:%S",)),
    Column("day", "TIME_TEXT", True, ("%d %b %Y",)),
    Column("stamp", "TIME_TEXT", True, ("%Y-%m-%dT%H:%M:%S.%f%z",)),
    Column("seconds", "TIME", True, ("UNIX_SECONDS",)),
    Column("days", "TIME", True, ("UNIX_DAYS",)),
    Column("flag", "BOOL", True),
    Column("member", "BOOL_TEXT", True, ("yes", "no")),
    Column("bought", "BOOL_TEXT", False, ("yes", "no")),
)
_TIMED_LABEL = {"name": "buys", "equals": {"column": "bought", "values": ["yes"]}}
TIMED_LABEL = Binary.model_validate(_TIMED_LABEL)
TIMED_PREPROCESSING = preprocessing_of(
    {
        "ordered at": ["date_parts", "z_score"],
        "day": ["date_parts", {"quantile_buckets": {"buckets": 4}}],
        "stamp": [{"date_parts": {"parts": ["second", "week"]}}, "z_score"],
        "seconds": [
            "z_score",
            {"date_parts": {"parts": ["hour", "minute", "quarter"]}},
            {"cyclic": {"periods": ["day"], "zone": "America/Chicago"}},
        ],
        "days": {"date_parts": {"parts": ["day_of_year", "weekday"]}},
        "flag": ["vocabulary", "z_score"],
        "member": "vocabulary",
    },
    [{"columns": ["flag", "member"], "buckets": 16}],
    _TIMED_LABEL,
)


LIST_COLUMNS = (
    Column("tags", "BYTES", True, most=4),
    Column("days", "INT", True, most=3),
    Column("codes", "BYTES", True, most=2),
    Column("age", "INT", True),
    Column("Fare ($)", "FLOAT", True),
    Column("tips", "FLOAT", False),
)
LIST_PREPROCESSING = preprocessing_of(
    {
        "tags": {"vocabulary": {"top_k": 3, "oov_buckets": 2}},
        "days": {"vocabulary": {"combine": "sum"}},
        "codes": "vocabulary",
        "age": ["z_score", "vocabulary"],
    },
    [],
    _LABEL,
)


@dataclass(frozen=True)
class Exported:
    """The artifacts of the tiny run."""

    examples: str
    transform_graph: str
    trained: str
    saved_model: str
    columns: tuple[Column, ...]
    label: Binary
    layout: Layout


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a folder in the first process that asks for it, for all processes of the session."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        path = root / name
        with open(root / f"{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                made = tmp_path_factory.mktemp(name)
                make(made)
                made.rename(path)
        return path

    return folder


@pytest.fixture(scope="session")
def exported(make_once: Callable[..., Path]) -> Exported:
    """Examples, transform graph, models and SavedModel of a tiny run; copy before changing."""
    from components.export.export import read_layout

    def places(root: Path) -> tuple[str, str, str, str]:
        examples, graph, trained = (str(root / n) for n in ("examples", "graph", "trained"))
        return examples, graph, trained, str(root / "Format-Serving")

    def make(root: Path) -> None:
        examples, graph, trained, saved_model = places(root)
        write_examples(examples, rows=40)
        make_transform_graph(examples, graph)
        write_models(trained, read_layout(graph))
        export_models(trained, graph, examples, saved_model)

    made = places(make_once("exported", make))
    return Exported(*made, COLUMNS, LABEL, read_layout(made[1]))


@pytest.fixture(scope="session")
def timed(make_once: Callable[..., Path]) -> Exported:
    """The same of a table of booleans and times, with warnings."""
    from components.export.export import read_layout

    def places(root: Path) -> tuple[str, str, str, str]:
        examples, graph, trained = (str(root / n) for n in ("examples", "graph", "trained"))
        return examples, graph, trained, str(root / "Format-Serving")

    def make(root: Path) -> None:
        examples, graph, trained, saved_model = places(root)
        write_examples(examples, 40, TIMED, TIMED_LABEL)
        make_transform_graph(examples, graph, TIMED, TIMED_PREPROCESSING)
        write_models(trained, read_layout(graph))
        answers = BinaryExport(warnings=True)
        export_models(trained, graph, examples, saved_model, TIMED, TIMED_LABEL, answers)

    made = places(make_once("timed", make))
    return Exported(*made, TIMED, TIMED_LABEL, read_layout(made[1]))


@pytest.fixture(scope="session")
def exported_again(exported: Exported, make_once: Callable[..., Path]) -> str:
    """A SavedModel with the same signatures, transform graph and rows, but other weights."""

    def make(root: Path) -> None:
        trained, saved_model = str(root / "trained"), str(root / "Format-Serving")
        write_models(trained, exported.layout, seed=2)
        export_models(trained, exported.transform_graph, exported.examples, saved_model)

    return str(make_once("exported_again", make) / "Format-Serving")


@pytest.fixture(scope="session")
def exported_lists(make_once: Callable[..., Path]) -> Exported:
    """The same of columns of lists, with warnings; copy before changing."""
    from components.export.export import read_layout

    def places(root: Path) -> tuple[str, str, str, str]:
        examples, graph, trained = (str(root / n) for n in ("examples", "graph", "trained"))
        return examples, graph, trained, str(root / "Format-Serving")

    def make(root: Path) -> None:
        examples, graph, trained, saved_model = places(root)
        write_lists(examples)
        make_transform_graph(examples, graph, LIST_COLUMNS, LIST_PREPROCESSING)
        write_models(trained, read_layout(graph))
        export_models(
            trained,
            graph,
            examples,
            saved_model,
            LIST_COLUMNS,
            answers=BinaryExport(warnings=True),
        )

    made = places(make_once("exported_lists", make))
    return Exported(*made, LIST_COLUMNS, LABEL, read_layout(made[1]))


def write_lists(folder: str) -> None:
    """Write splits of random lists, with missing, empty, longest and repeated ones."""
    random = np.random.default_rng(0)
    words = ["Cash", "Crédit", "日本", "No Charge"]
    for split in SPLITS:
        schema = arrow_schema(LIST_COLUMNS)
        rows = [
            {
                "tags": _list_of(words, 4, random),
                "days": _list_of([1, 2, 3, -(2**53), 2**53], 3, random),
                "codes": _list_of(["a", "b"], 2, random),
                "age": int(random.integers(1, 9)),
                "Fare ($)": 2.0,
                "tips": float(random.random()),
            }
            for _ in range(40)
        ]
        path = os.path.join(split_folder(folder, split), "rows.parquet")
        with ShardWriter(path, schema, batch_rows=16) as writer:
            writer.write(pa.Table.from_pylist(rows, schema=schema))


def _list_of(values: list[Any], most: int, random: np.random.Generator) -> list[Any] | None:
    length = int(random.integers(-1, most + 1))
    return None if length < 0 else [values[i] for i in random.integers(0, len(values), length)]


def export_models(
    trained: str,
    graph: str,
    examples: str,
    saved_model: str,
    columns: tuple[Column, ...] = COLUMNS,
    label: Binary = LABEL,
    answers: BinaryExport = BinaryExport(),  # noqa: B008 - it is frozen
) -> None:
    """Write the SavedModel of trained models."""
    from components.export.export import export

    export(
        model_dir=trained,
        transform_graph_dir=graph,
        examples_dir=examples,
        columns=columns,
        label=label,
        model_name="tiny",
        answers=answers,
        output=saved_model,
    )


def write_examples(
    folder: str, rows: int, columns: tuple[Column, ...] = COLUMNS, label: Binary = LABEL
) -> None:
    """Write splits of random rows in which about every tenth value is missing."""
    random = np.random.default_rng(0)
    for split in SPLITS:
        path = os.path.join(split_folder(folder, split), "rows.parquet")
        schema = arrow_schema(columns)
        with ShardWriter(path, schema, batch_rows=16) as writer:
            writer.write(
                pa.Table.from_arrays(
                    [_values(c, rows, random, label) for c in columns], schema=schema
                )
            )


def _values(column: Column, rows: int, random: np.random.Generator, label: Binary) -> pa.Array:
    missing = random.random(rows) < (0.0 if column.name in label.columns else 0.1)
    if column.type.is_boolean:
        values = [column.booleans[bit] for bit in random.integers(0, 2, rows).tolist()]
        return pa.array(values, mask=missing)
    if column.type.is_time:  # days of this century, and of text also hours
        days = random.integers(11_000, 20_000, rows) * DAY
        clock = random.integers(0, 24, rows) * HOUR if "%H" in column.form[0] else 0
        return pa.array(days + clock, mask=missing)
    if column.kind == "INT":
        return pa.array(random.integers(1, 9, rows), pa.int64(), mask=missing)
    if column.kind == "FLOAT":
        values = random.gamma(2.0, 5.0, rows).astype(np.float32)
        return pa.array(values, pa.float32(), mask=missing)
    words = random.choice(["Cash", "Crédit", "日本", "No Charge"], rows, p=[0.4, 0.3, 0.2, 0.1])
    return pa.array(words.tolist(), pa.string(), mask=missing)


def make_transform_graph(
    examples: str,
    graph: str,
    columns: tuple[Column, ...] = COLUMNS,
    preprocessing: Preprocessing = PREPROCESSING,
) -> None:
    """Analyze the training split and write the transform graph and its layout."""
    from components.transform.transform import transform
    from schemas.examples import Examples

    os.makedirs(graph)
    transform(
        examples=examples,
        columns=columns,
        preprocessing=preprocessing,
        settings=Examples(),
        graph=graph,
        transformed=f"{graph}-examples",
    )


def write_models(
    trained: str, layout: Layout, seed: int = 1, labels: Mapping[str, Any] | None = None
) -> None:
    """Write a wide & deep model and a baseline as training does, with random weights."""
    from components.train.model import BASELINE_FILE, MODEL_FILE, build_baseline, build_wide_deep
    from schemas.model import Model

    os.makedirs(trained)
    random = np.random.default_rng(seed)
    spec = Model(hidden_units=(8,), dropout=0.5, embedding_dim=2)
    for name, model in (
        (MODEL_FILE, build_wide_deep(layout, spec, [-0.5], "sigmoid")[1]),
        (BASELINE_FILE, build_baseline(layout, [-0.5])),
    ):
        for weight in model.weights:
            if weight.dtype == "float32":  # not the state of a random generator
                weight.assign(random.normal(scale=0.4, size=weight.shape))
        model.save(os.path.join(trained, name))
    for name, text in (
        (layouts.FILE_NAME, layout.model_dump_json()),
        (TRAINING_FILE, json.dumps({"train_examples": 40, "labels": labels or {}})),
    ):
        with open(os.path.join(trained, name), "w", encoding="utf-8") as file:
            file.write(text)
