"""A small table that can be learnt, in the form that the transform stage writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components import lean_imports
from components.examples import ShardWriter, split_folder
from schemas import layout as layouts
from schemas.layout import Layout, TransformedFeature
from schemas.splits.options import SPLITS

lean_imports.load(lean_imports.TENSORFLOW)  # before a test imports more


_ROLES: dict[str, Any] = {"cross": "wide", "piecewise_linear": "place"}


def layout_of(*features: tuple[str, str, int]) -> Layout:
    """Make a layout of (name, treatment, size) features; size 0 is dense."""
    return Layout(
        features=tuple(
            TransformedFeature(
                name=name,
                columns=(name,),
                treatment=treatment,
                role="dense" if not size else _ROLES.get(treatment, "embedding"),
                size=size,
            )
            for name, treatment, size in features
        ),
        label="y",
    )


LAYOUT = layout_of(
    ("a", "z_score", 0), ("i", "vocabulary", 4), ("b", "z_score", 0), ("x", "cross", 9)
)


@dataclass(frozen=True)
class Table:
    """The folders of transformed examples and their graph."""

    examples: str
    graph: str
    layout: Layout


def write_table(
    root: Path, *, rows: int = 400, eval_rows: int = 100, label: int | None = None
) -> Table:
    """Write splits whose label follows from `a` and `i`; `label` sets it for all rows."""
    random = np.random.default_rng(3)
    for split in SPLITS:
        count = {"train": rows, "eval": eval_rows, "test": 0}[split]
        a, b = random.normal(size=(2, count)).astype(np.float32)
        i = random.integers(0, 4, count)
        y = (a + 2 * (i == 1) + 0.3 * random.normal(size=count) > 0.8).astype(np.int64)
        y = y if label is None else np.full(count, label)
        # in an order that no layout has
        columns = {"x": i + 4 * (a > 0), "y": y, "b": b, "i": i, "a": a}
        table = pa.table({name: pa.array(values) for name, values in columns.items()})
        path = f"{split_folder(str(root / 'examples'), split)}/rows.parquet"
        with ShardWriter(path, table.schema, batch_rows=128) as writer:
            if count:
                writer.write(table)
    graph = root / "graph"
    graph.mkdir()
    (graph / layouts.FILE_NAME).write_text(LAYOUT.model_dump_json())
    return Table(str(root / "examples"), str(graph), LAYOUT)


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """400 training and 100 eval rows."""
    return write_table(tmp_path_factory.mktemp("table"))


@pytest.fixture
def table_of(tmp_path: Path) -> Callable[..., Table]:
    """Write another table; see `write_table`."""

    def write(**kwargs: int) -> Table:
        return write_table(tmp_path, **kwargs)

    return write


@pytest.fixture(scope="session")
def make_layout() -> Callable[..., Layout]:
    """Make a layout of (name, treatment, size) features; size 0 is dense."""
    return layout_of


@pytest.fixture
def without_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the baseline as it starts: fitting it is half of a small training."""
    from components.train import train

    monkeypatch.setattr(train, "_fit_baseline", lambda *_: None)
