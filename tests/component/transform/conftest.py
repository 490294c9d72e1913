"""Examples given as rows, transformed, and read back by column."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from components import lean_imports
from components.examples import ShardWriter, arrow_schema, iter_batches, split_folder
from schemas.columns import Column
from schemas.examples import Examples
from schemas.layout import Layout
from schemas.splits.options import FOLD, SPLITS
from tests.preprocessing import preprocessing_of

lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM)  # before a test imports more

LABEL = {"name": "big", "exceeds": {"column": "tips", "fraction": 0.5, "of": "of"}}
Rows = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Transformed:
    """The results of a transformation, and its layout."""

    graph: Path
    examples: Path
    layout: Layout

    def split(self, split: str) -> dict[str, list[Any]]:
        """A split's transformed values by feature, in the order of its shards."""
        batches = list(iter_batches(str(self.examples), split))
        return pa.Table.from_batches(batches).to_pydict() if batches else {}


def write_split(
    folder: Path, split: str, columns: tuple[Column, ...], rows: Rows, batch_rows: int
) -> None:
    schema = arrow_schema(columns)
    path = f"{split_folder(str(folder), split)}/rows.parquet"
    with ShardWriter(path, schema, batch_rows=batch_rows) as writer:
        if rows[columns[0].name]:
            writer.write(pa.table({c.name: rows[c.name] for c in columns}, schema=schema))


def transform_rows(
    root: Path,
    kinds: Mapping[str, str],
    features: Mapping[str, Any],
    splits: Mapping[str, Rows],
    *,
    crosses: Sequence[Mapping[str, Any]] = (),
    combinations: Sequence[Mapping[str, Any]] = (),
    label: Mapping[str, Any] = LABEL,
    batch_rows: int = 4,
    lists: Mapping[str, int] | None = None,
    folds: Sequence[int] | None = None,
    missing: Mapping[str, Any] | None = None,
) -> Transformed:
    """Write the splits (label columns are filled in where missing) and transform them.

    `lists` has the greatest number of values in a row of each column of lists, `folds` the fold of
    each training row.
    """
    from components.transform.transform import transform

    kinds = {"tips": "FLOAT", "of": "FLOAT", **kinds}
    columns = tuple(
        Column(name, kind, True, most=(lists or {}).get(name, 0)) for name, kind in kinds.items()
    )
    for split in SPLITS:
        rows = splits.get(split, dict.fromkeys(kinds, ()))
        count = len(next(iter(rows.values())))
        rows = {"tips": [1.0] * count, "of": [1.0] * count, **rows}
        own = columns
        if split == "train" and folds is not None:
            own, rows = (*columns, Column(FOLD, "INT", False)), {**rows, FOLD: folds}
        write_split(root / "examples", split, own, rows, batch_rows)
    os.makedirs(root / "graph")
    layout = transform(
        examples=str(root / "examples"),
        columns=columns,
        preprocessing=preprocessing_of(features, crosses, label, combinations, missing),
        settings=Examples(batch_rows=batch_rows),
        graph=str(root / "graph"),
        transformed=str(root / "transformed"),
    )
    return Transformed(root / "graph", root / "transformed", layout)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Transformed]:
    """Transform rows in a new folder; see `transform_rows`."""

    def transform(*args: Any, **kwargs: Any) -> Transformed:
        with warnings.catch_warnings():
            # TFT divides 0 by 0 if a batch has no value of a column, and uses 0 as the mean.
            warnings.filterwarnings("ignore", "invalid value encountered in divide", RuntimeWarning)
            return transform_rows(tmp_path_factory.mktemp("transform"), *args, **kwargs)

    return transform
