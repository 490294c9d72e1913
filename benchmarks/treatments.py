"""`python -m benchmarks.treatments [KIND…]`: how many rows a second each treatment takes, alone.

Each treatment takes one column, or as many as it needs, of made-up rows: through the analysis and
the transformation of all rows, as in a run. The CPU time of a few rows is subtracted, so that what
is left is that of the rows and not of tracing graphs.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

from benchmarks.machine import Machine
from benchmarks.measure import today
from components import lean_imports
from components.examples import ShardWriter, arrow_schema, split_folder
from schemas.columns import Column
from schemas.examples import Examples
from schemas.features import Feature
from schemas.splits.options import SPLITS
from schemas.treatments import BY_NAME, NAMES
from schemas.types import BYTES, FLOAT, INT, TIME

ROWS, FEW = 100_000, 2_000
_SEED = 20_240_607
_MISSING = 0.05
_MEASURED = 10  # times the rows a second
_WORDS = 20_000
_COLUMNS = {
    **dict.fromkeys(("number", "other", "latitude", "longitude", "tips", "of"), (FLOAT.name, 0)),
    "whole": (INT.name, 0),
    "word": (BYTES.name, 0),
    "text": (BYTES.name, 0),
    "at": (TIME.name, 0),
    "tags": (BYTES.name, 5),
    "embedding": (FLOAT.name, 8),
}
_LABEL = {"name": "big", "exceeds": {"column": "tips", "fraction": 0.5, "of": "of"}}
# The column that a kind takes, and its options; `number` and none unless it is here.
_CASES: Mapping[str, tuple[str, Any]] = {
    "buckets": ("number", {"at": [0.5, 1, 2, 4]}),
    "vocabulary": ("word", {}),
    "hash": ("word", {}),
    "one_hot": ("word", {}),
    "frequency": ("word", {}),
    "target_mean": ("word", {}),
    "weight_of_evidence": ("word", {}),
    "group_statistics": ("number", {"by": "word"}),
    "text_shape": ("text", {}),
    "bag_of_words": ("text", {}),
    "multi_hot": ("tags", {}),
    "length": ("tags", {}),
    "vector": ("embedding", {"size": 8}),
    "date_parts": ("at", {}),
    "cyclic": ("at", {}),
    "elapsed": ("at", {"since": "2014-01-01"}),
}
_COMBINATIONS: Mapping[str, Any] = {
    "cross": {"columns": ["word", "whole"]},
    "pca": {"columns": ["number", "other"], "components": 2},
    "random_projection": {"columns": ["number", "other"], "components": 2},
    "polynomial": {"columns": ["number", "other"]},
    "geohash": {"columns": ["latitude", "longitude"]},
    "haversine": {
        "columns": ["latitude", "longitude"],
        "to": [{"name": "p", "latitude": 1, "longitude": 2}],
    },
    "missing": {"columns": ["number", "other"]},
}
# Other options of kinds, which cost more.
_MORE: Mapping[str, tuple[str, str, Any]] = {
    "piecewise_linear, edges: target": ("piecewise_linear", "number", {"edges": "target"}),
    "vocabulary, order: mutual_information": (
        "vocabulary",
        "word",
        {"order": "mutual_information"},
    ),
    "bag_of_words, hash_buckets": ("bag_of_words", "text", {"hash_buckets": 10_000}),
    "bag_of_words, analyzer: char": (
        "bag_of_words",
        "text",
        {"analyzer": "char", "ngram_range": [2, 3]},
    ),
}


@click.command()
@click.argument("kinds", nargs=-1)
@click.option("--rows", default=ROWS, show_default=True, help="Number of rows.")
def main(kinds: tuple[str, ...], rows: int) -> None:
    """Measure treatments, all unless some are named, and print a table."""
    lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM)
    click.echo("\n".join([*heading(rows), "| treatment | rows / CPU s |", "|---|---:|"]))
    with tempfile.TemporaryDirectory() as work:
        folders = {count: _write(Path(work, str(count)), count) for count in (FEW, rows)}
        cases = _cases(_write_vectors(Path(work, "vectors.txt")))
        chosen = [(name, own) for name, own in cases if not kinds or name in kinds]
        _seconds(folders[FEW], chosen[0][1], work)  # what is loaded or made only once
        for name, sections in chosen:
            few, all_rows = (_seconds(folders[n], sections, work) for n in (FEW, rows))
            speed = (rows - FEW) / max(all_rows - few, 1e-9)
            # Tracing takes a second or two, so that less than a tenth of a second is not measured.
            shown = f"{speed:,.0f}" if speed < _MEASURED * rows else f"over {_MEASURED * rows:,}"
            click.echo(f"| {name} | {shown} |")


def heading(rows: int) -> list[str]:
    """Return the first lines of the table."""
    title = f"## {rows:,} rows, each treatment alone"
    about = "Analysis and transformation of all rows, less those of a few; one column or one pair."
    machine = [line for line in Machine.here().lines() if line]
    return [title, "", f"- Date: {today()}", *machine, "", about, ""]


def _cases(vectors: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and the sections of pipeline.yaml of each treatment."""
    own_cases = {**_CASES, "pretrained": ("text", {"vectors": str(vectors)})}
    for kind in BY_NAME:
        if kind in NAMES:
            column, options = own_cases.get(kind, ("number", {}))
            yield kind, _sections(features={column: {kind: options}})
        elif kind in _COMBINATIONS:
            key = "crosses" if kind == "cross" else "combinations"
            own = _COMBINATIONS[kind] if kind == "cross" else {"kind": kind, **_COMBINATIONS[kind]}
            yield kind, _sections(**{key: [own]})
    for name, (kind, column, options) in _MORE.items():
        yield name, _sections(features={column: {kind: options}})


def _sections(*, features: Any = None, **sections: Any) -> dict[str, Any]:
    written = [
        Feature(column=column, treatments=given).model_dump(mode="json")
        for column, given in (features or {}).items()
    ]
    return {"features": written, "crosses": [], "combinations": [], "label": _LABEL, **sections}


def _write(folder: Path, rows: int) -> Path:
    """Write made-up examples of all columns, and return their folder."""
    columns = _columns()
    schema = arrow_schema(columns)
    path = f"{split_folder(str(folder), 'train')}/rows.parquet"
    with ShardWriter(path, schema, batch_rows=Examples().batch_rows) as writer:
        writer.write(pa.table(_made(rows), schema=schema))
    for split in SPLITS[1:]:
        with ShardWriter(f"{split_folder(str(folder), split)}/rows.parquet", schema, batch_rows=1):
            pass
    return folder


def _columns() -> tuple[Column, ...]:
    return tuple(Column(n, kind, True, most=most) for n, (kind, most) in _COLUMNS.items())


def _words() -> np.ndarray:
    random, letters = np.random.default_rng(_SEED), np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ("".join(random.choice(letters, random.integers(3, 9))) for _ in range(_WORDS))
    return np.array(list(dict.fromkeys(words)))


def _write_vectors(path: Path) -> Path:
    """Write vectors of 50 numbers of all words, and return the path."""
    random = np.random.default_rng(_SEED)
    with path.open("w") as file:
        for word in _words():
            file.write(f"{word} {' '.join(f'{x:.4f}' for x in random.normal(size=50))}\n")
    return path


def _made(rows: int) -> dict[str, pa.Array]:
    random = np.random.default_rng(_SEED)
    words = _words()
    often = 1 / np.arange(1, len(words) + 1)  # as in a language
    drawn = random.choice(words, (rows, 10), p=often / often.sum())
    missing = random.random(rows) < _MISSING
    numbers = random.lognormal(size=(rows, 2)).astype(np.float32)
    year = 365 * 86_400_000_000
    return {
        "number": pa.array(numbers[:, 0], mask=missing),
        "other": pa.array(numbers[:, 1]),
        "latitude": pa.array(random.uniform(-90, 90, rows).astype(np.float32)),
        "longitude": pa.array(random.uniform(-180, 180, rows).astype(np.float32)),
        "tips": pa.array(random.random(rows).astype(np.float32)),
        "of": pa.array(np.ones(rows, np.float32)),
        "whole": pa.array(random.integers(0, 1_000, rows), mask=missing),
        "word": pa.array(drawn[:, 0], mask=missing),
        "text": pa.array([" ".join(own).capitalize() + "." for own in drawn], mask=missing),
        "at": pa.array(random.integers(44 * year, 54 * year, rows), mask=missing),
        "tags": pa.array([own.tolist() for own in drawn[:, :4]]),
        "embedding": pa.array(list(random.normal(size=(rows, 8)).astype(np.float32))),
    }


def _seconds(examples: Path, sections: Mapping[str, Any], work: str) -> float:
    """Return the CPU seconds of the transform stage."""
    from components.transform.preprocessing import Preprocessing
    from components.transform.transform import transform

    with tempfile.TemporaryDirectory(dir=work) as folder:
        graph = Path(folder, "graph")
        graph.mkdir()
        start = time.process_time()
        transform(
            examples=str(examples),
            columns=_columns(),
            preprocessing=Preprocessing.loads(json.dumps(sections)),
            settings=Examples(),
            graph=str(graph),
            transformed=f"{folder}/transformed",
        )
        return time.process_time() - start


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.treatments")
