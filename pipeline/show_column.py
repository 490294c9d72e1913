"""`skewless show RUN COLUMN`: what a run made of a column, as JSON values.

Reads the training split before and after the transform stage, row by row, and the layout. The
figures are measured over these rows, so they are those of any treatment. Imports neither TensorFlow
nor Beam.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components import files
from components.arrow_files import open_parquet
from components.transform.preprocessing import Preprocessing
from pipeline import data, lineage
from pipeline.folders import Folders
from schemas.errors import ConfigError, did_you_mean
from schemas.layout import FILE_NAME, Layout, TransformedFeature

_ROWS = 200_000  # of the training split that are measured, at most
_FEW_IDS, _MOST_FREQUENT = 30, 10  # so few are all listed; of others, the most frequent
_TOLERANCE = 1e-4  # of a formula, in its unit: features are float32


@dataclass(frozen=True)
class Transformed:
    """The training rows of a run before and after its transform stage.

    Attributes:
      run_id: of the run.
      layout: the transformed features.
      preprocessing: the treatments with their options.
      raw: the columns that the features are made from.
      made: the features, in the same rows.
    """

    run_id: str
    layout: Layout
    preprocessing: Preprocessing
    raw: pa.Table
    made: pa.Table


def show(run: str, column: str, *, rows: int) -> dict[str, Any]:
    """Return what the newest run in a folder made of a column, as `content_of` does.

    Args:
      run: a pipeline's folder, on a disk or in a store.
      column: raw or derived.
      rows: how many rows to show.

    Raises:
      ConfigError: there is no such run, or no feature is made from the column.
    """
    return content_of(_find(run, column), column, rows=rows)


def content_of(found: Transformed, column: str, *, rows: int) -> dict[str, Any]:
    """Return the features of a column with what was learned, and rows before and after."""
    options = {
        feature.name: use.options
        for use in found.preprocessing.uses
        for feature in use.options.outputs(use.columns, 0)
    }
    features = _features_of(found.layout, column)
    return {
        "run": found.run_id,
        "column": column,
        "rows": found.made.num_rows,
        "features": [_feature(each, options.get(each.name), found) for each in features],
        "samples": _samples(features, found, rows),
    }


def _find(run: str, column: str) -> Transformed:
    folders = Folders.at(run)
    with data.record_of(folders) as metadata:
        for run_id in reversed(files.names(os.path.join(folders.place, "runs"))):
            outputs = _outputs(lineage.read_run(metadata, run_id)) if metadata.exists() else {}
            if "transform_graph" in outputs:
                text = (lineage.latest_parameters(metadata, "transform") or {})["features"]
                return _read(run_id, outputs, Preprocessing.loads(str(text)), column)
    raise ConfigError(
        f"no run in {run} has transformed its data",
        expected="a pipeline's folder, such as runs/taxi, with a run in it",
        remedy="run the pipeline first: skewless run taxi",
    )


def _outputs(executions: Mapping[str, lineage.Execution]) -> dict[str, str]:
    """Return the folders of the artifacts of ingest and transform."""
    return {
        channel: artifact.uri
        for node in ("ingest", "transform")
        if node in executions and executions[node].state in ("COMPLETE", "CACHED")
        for channel, artifact in executions[node].outputs.items()
    }


def _read(
    run_id: str, outputs: Mapping[str, str], preprocessing: Preprocessing, column: str
) -> Transformed:
    layout = Layout.model_validate_json(
        files.read_bytes(os.path.join(outputs["transform_graph"], FILE_NAME))
    )
    features = _features_of(layout, column)
    used = dict.fromkeys(c for feature in features for c in feature.columns)
    raw = dict.fromkeys(name for c in used for name in layout.derived.get(c, (c,)))
    return Transformed(
        run_id,
        layout,
        preprocessing,
        _head(outputs["examples"], list(raw)),
        _head(outputs["transformed_examples"], [feature.name for feature in features]),
    )


def _features_of(layout: Layout, column: str) -> list[TransformedFeature]:
    """Return the features that are made from a column, also by way of derived ones.

    Raises:
      ConfigError: there is none.
    """
    found = [
        feature
        for feature in layout.features
        if any(column in (name, *layout.derived.get(name, ())) for name in feature.columns)
    ]
    if not found and column in layout.dropped:
        raise ConfigError(
            f"the selection dropped the column {column!r}: {layout.dropped[column]}",
            expected="a column that it kept",
            remedy="loosen selection in pipeline.yaml, and run the pipeline again",
        )
    if not found:
        known = {*layout.raw_columns, *layout.derived}
        raise ConfigError(
            f"the run has no feature of a column {column!r}; {did_you_mean(column, known)}",
            expected="a column that treatments take",
        )
    return found


def _head(examples: str, columns: list[str]) -> pa.Table:
    """Return the first rows of a training split; shards have their rows in the order of names."""
    folder, tables, rows = os.path.join(examples, "Split-train"), [], 0
    for name in files.names(folder):
        if name.endswith(".parquet") and rows < _ROWS:
            file = open_parquet(os.path.join(folder, name))
            groups = range(file.num_row_groups)
            tables += [file.read_row_group(i, columns=columns).select(columns) for i in groups]
            rows = sum(table.num_rows for table in tables)
    return pa.concat_tables(tables).slice(0, _ROWS).combine_chunks()


def _feature(feature: TransformedFeature, options: Any, found: Transformed) -> dict[str, Any]:
    made = found.made[feature.name]
    raw = found.raw[feature.columns[0]] if feature.columns[0] in found.raw.column_names else None
    alone = len(feature.columns) == 1 and not feature.is_list
    shown: dict[str, Any] = {
        "name": feature.name,
        "columns": list(feature.columns),
        "treatment": feature.treatment,
        "options": options.model_dump(mode="json", exclude={"kind", "columns"}, exclude_none=True)
        if options
        else {},
        "role": feature.role,
    }
    if feature.is_float:
        return shown | _of_numbers(made, raw if alone else None)
    unknown = options.unknown_ids(feature.size) if options else range(0)
    return shown | {"size": feature.size} | _of_ids(made, raw if alone else None, unknown)


def _of_numbers(made: pa.ChunkedArray, raw: pa.ChunkedArray | None) -> dict[str, Any]:
    """Return the range of a feature, and the straight line from the column to it if it is one."""
    values = made.to_numpy().astype(np.float64)
    shown: dict[str, Any] = {
        "least": _rounded(values.min()),
        "greatest": _rounded(values.max()),
        "mean": _rounded(values.mean()),
    }
    line = None if raw is None or not _is_number(raw.type) else _line(raw, values)
    return shown | ({"formula": line} if line else {})


def _line(raw: pa.ChunkedArray, values: np.ndarray) -> dict[str, Any] | None:
    """Return `origin` and `unit` of `(x - origin) / unit`, of x or its signed logarithm.

    Rows at the ends of the feature's range may be clipped, and do not count.
    """
    known = ~np.asarray(raw.is_null())
    x, y = raw.drop_null().to_numpy().astype(np.float64), values[known]
    inside = (y > y.min(initial=0)) & (y < y.max(initial=0))
    for name, taken in (("x", x), ("sign(x) * log(1 + |x|)", np.sign(x) * np.log1p(np.abs(x)))):
        inner, outer = taken[inside], y[inside]
        if len(inner) < 3 or inner.min() == inner.max():
            continue
        slope, start = np.polyfit(inner, outer, 1)
        if slope and np.abs(slope * inner + start - outer).max() < _TOLERANCE:
            return {"of": name, "origin": _rounded(-start / slope), "unit": _rounded(1 / slope)}
    return None


def _of_ids(made: pa.ChunkedArray, raw: pa.ChunkedArray | None, unknown: range) -> dict[str, Any]:
    """Return how rows spread over ids, and which values of the column have them."""
    is_list = pa.types.is_list(made.type)
    ids = (pc.list_flatten(made) if is_list else made).to_numpy()
    total = max(len(ids), 1)
    shown: dict[str, Any] = {
        "ids_in_training": len(np.unique(ids)),
        "missing_share": _rounded(np.mean(ids == 0)) if len(ids) else 0.0,
    }
    if unknown:
        beyond = (ids >= unknown.start) & (ids < unknown.stop)
        shown["unknown_share"] = _rounded(beyond.sum() / total)
    numbers, counts = np.unique(ids[ids > 0], return_counts=True)
    if len(numbers) > _FEW_IDS:
        most = np.argsort(-counts, kind="stable")[:_MOST_FREQUENT]
        numbers, counts = numbers[most], counts[most]
    shown["ids"] = [
        {"id": int(number), "rows": int(count)}
        | ({} if raw is None else _values(raw.filter(pa.array(ids == number))))
        for number, count in zip(numbers, counts, strict=True)
    ]
    return shown


def _values(raw: pa.ChunkedArray) -> dict[str, Any]:
    """Return the values that share an id: the only one, the least and the greatest, or some."""
    distinct = raw.drop_null().unique()
    if len(distinct) == 1:
        return {"value": _plain(distinct[0].as_py())}
    if _is_number(raw.type) and len(distinct):
        ends = pc.min_max(distinct)
        return {"from": _plain(ends["min"].as_py()), "to": _plain(ends["max"].as_py())}
    return {"values": [_plain(value) for value in distinct.slice(0, 3).to_pylist()]}


def _samples(
    features: Sequence[TransformedFeature], found: Transformed, rows: int
) -> list[dict[str, Any]]:
    """Return rows before and after, spread over those that were read."""
    count = found.made.num_rows
    places = np.unique(np.linspace(0, count - 1, min(rows, count)).astype(np.int64))
    raw, made = found.raw.take(pa.array(places)), found.made.take(pa.array(places))
    return [
        {"raw": {k: _plain(v) for k, v in one.items()}, "features": other}
        for one, other in zip(raw.to_pylist(), made.to_pylist(), strict=True)
    ]


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _plain(value: Any) -> Any:
    """Return a float32 in as few digits as no other has."""
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _rounded(value: Any) -> float:
    """Return a figure in six digits."""
    return float(f"{value:.6g}")
