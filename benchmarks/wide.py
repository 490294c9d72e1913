"""A table of many columns, from rows to a pushed version, and how fast that answers one row.

The functions take the numbers of rows and columns, and return what `skewless run` takes for a
generated table. Nine tenths of its columns are numbers with two treatments each, the others are
texts. The table depends only on these numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import yaml

from benchmarks import ours, serving
from benchmarks.measure import Measured
from schemas.catalog import SCHEMA_FILE, SPEC_FILE
from schemas.types import WRITTEN

ROWS, COLUMNS = 20_000, 500

_SEED = 20240607
_NAME = "wide"
_MISSING = 0.02
_FEATURE = """feature {{
  name: "{name}" type: {kind} value_count {{ min: 1 max: 1 }}
  presence {{ min_fraction: 0.5 min_count: 1 }}{more}
}}
"""
_ANSWER = ' not_in_environment: "SERVING"'


def measured(
    work: Path, say: Callable[[str], None], rows: int = ROWS, columns: int = COLUMNS
) -> tuple[Measured, serving.Rate]:
    """Run the pipeline on the table, and ask the version that it pushed.

    Args:
      work: an empty folder.
      say: gets what is not a figure.
      rows: of the table.
      columns: that the model uses.

    Raises:
      RuntimeError: no version came of it.
    """
    table = make_table(rows, columns)
    dataset = write_dataset(work / "dataset", table)
    figures, run = ours.measured_run(rows, dataset, work / "output", name=_NAME)
    say(f"{columns} columns: {figures.seconds:.1f} s, {figures.outcome}")
    exported = Path(run.artifact("export", "exported"), "Format-Serving")
    (row,) = table.drop(["id", "answer"]).slice(0, 1).to_pylist()
    for name in [name for name, value in row.items() if value is None]:
        row[name] = "" if name.startswith("text") else float("nan")
    return figures, serving.one_row(str(exported), row)


def make_table(rows: int, columns: int) -> pa.Table:
    """Return the table: `id`, the columns, and `answer`, made from a tenth of the numbers."""
    random = np.random.default_rng(_SEED)
    signal = random.normal(size=rows)
    made = {"id": pa.array(np.arange(rows))}
    for number in range(columns):
        absent = random.random(rows) < _MISSING
        if number % 10 == 9:
            terms = [f"v{term}" for term in random.integers(0, 20 + number, rows)]
            made[f"text_{number:03}"] = pa.array(terms, mask=absent)
        else:
            values = random.normal(size=rows) + (signal if number % 10 == 0 else 0)
            made[f"number_{number:03}"] = pa.array(values.astype(np.float32), mask=absent)
    answers = np.where(signal + 0.3 * random.normal(size=rows) > 0, "yes", "no")
    return pa.table({**made, "answer": answers})


def write_dataset(folder: Path, table: pa.Table) -> Path:
    """Write the table with its pipeline.yaml and schema.pbtxt; return the folder."""
    folder.mkdir(parents=True)
    pc.write_csv(table, folder / "rows.csv")
    features = {
        name: "vocabulary" if name.startswith("text") else ["z_score", "quantile_buckets"]
        for name in table.column_names[1:-1]
    }
    settings = {
        "name": _NAME,
        "source": {"path": "rows.csv"},
        "splits": {"key": ["id"]},
        "label": {"name": "label", "equals": {"column": "answer", "values": ["yes"]}},
        "features": features,
    }
    (folder / SPEC_FILE).write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    (folder / SCHEMA_FILE).write_text("".join(_schema(table)), encoding="utf-8")
    return folder


def _schema(table: pa.Table) -> Iterator[str]:
    kinds = {pa.type_for_alias(each.arrow): each.name for each in WRITTEN.values()}
    yield 'default_environment: "TRAINING"\ndefault_environment: "SERVING"\n'
    for field in table.schema:
        more = {"id": _ANSWER, "answer": f'{_ANSWER} domain: "answers"'}.get(field.name, "")
        yield _FEATURE.format(name=field.name, kind=kinds[field.type], more=more)
    yield 'string_domain { name: "answers" value: "yes" value: "no" }\n'
