"""Small examples of every split, with their statistics and findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from components import lean_imports
from components.compat import quiet_environment

quiet_environment()
lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, lean_imports.TFX)

from components.examples import ShardWriter, split_folder  # noqa: E402
from components.validate.findings import Findings  # noqa: E402
from schemas.columns import parse_schema  # noqa: E402
from schemas.splits.options import SPLITS  # noqa: E402

SCHEMA = """default_environment: "TRAINING"
default_environment: "SERVING"
feature {
  name: "fare" type: FLOAT
  presence { min_fraction: 1.0 min_count: 1 }
  float_domain { min: 0 max: 100 }
}
feature {
  name: "hour" type: INT
  presence { min_fraction: 0.5 min_count: 1 }
  int_domain { min: 0 max: 23 is_categorical: true }
}
feature {
  name: "payment" type: BYTES
  presence { min_fraction: 1.0 min_count: 1 }
  domain: "payment"
  drift_comparator { infinity_norm { threshold: 0.1 } }
}
feature {
  name: "tips" type: FLOAT
  presence { min_fraction: 1.0 min_count: 1 }
  not_in_environment: "SERVING"
}
string_domain { name: "payment" value: "Cash" value: "Credit Card" }
"""
TYPES = {"fare": pa.float32(), "hour": pa.int64(), "payment": pa.string(), "tips": pa.float32()}
ROWS: Mapping[str, Sequence[Any]] = {
    "fare": [1.0, 2.5, 7.25, 99.0],
    "hour": [0, 23, None, 8],
    "payment": ["Cash", "Credit Card", "Cash", "Credit Card"],
    "tips": [0.0, 0.5, 0.0, 20.0],
}

Table = Mapping[str, Sequence[Any] | None]


def write_examples(root: Path, splits: Mapping[str, Table], *, batch_rows: int = 65_536) -> str:
    """Write examples: ROWS in every split, except the given columns (None: left out)."""
    for split in SPLITS:
        columns = {**ROWS, **splits.get(split, {})}
        arrays = {
            name: values if isinstance(values, pa.Array) else pa.array(values, TYPES[name])
            for name, values in columns.items()
            if values is not None
        }
        table = pa.table(arrays)
        path = f"{split_folder(str(root), split)}/rows.parquet"
        with ShardWriter(path, table.schema, batch_rows=batch_rows) as writer:
            writer.write(table)
    return str(root)


def run_validation(folder: Path, examples: str, schema: str = SCHEMA) -> Findings:
    """Measure the examples and check them against the schema."""
    from components.validate import anomalies, statistics

    path = folder / "schema.pbtxt"
    path.write_text(schema)
    measured, output = str(folder / "statistics"), str(folder / "anomalies")
    statistics.generate(
        examples=examples, schema=parse_schema(schema, where=str(path)), output=measured
    )
    return anomalies.validate(
        statistics_dir=measured, examples=examples, schema_path=str(path), output=output
    )


@pytest.fixture
def examples_of(tmp_path: Path) -> Callable[..., str]:
    """Write examples into the test's folder; see `write_examples`."""

    def write(batch_rows: int = 65_536, **splits: Table) -> str:
        return write_examples(tmp_path / "examples", splits, batch_rows=batch_rows)

    return write


@pytest.fixture
def findings_of(tmp_path: Path) -> Callable[..., Findings]:
    """Write examples, measure and validate them; `schema` replaces SCHEMA."""

    def run(schema: str = SCHEMA, **splits: Table) -> Findings:
        examples = write_examples(tmp_path / "examples", splits)
        return run_validation(tmp_path, examples, schema)

    return run


@pytest.fixture(scope="session")
def schema_text() -> str:
    """A small schema with a column that requests do not have."""
    return SCHEMA
