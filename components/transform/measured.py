"""features.json: how the transformed features spread over training rows, beside the layout.

The figures are for people: histograms of numbers, and of ids the most frequent ones with the values
that they stand for. They are measured on the first training rows, which are in no order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components import files
from components.examples import iter_batches
from components.transform.preprocessing import Preprocessing
from schemas.layout import MEASURED_NAME, Layout, TransformedFeature
from schemas.splits.options import SPLITS
from schemas.strict import Strict

_ROWS = 20_000
_CELLS = 5_000_000  # so many values are read, of many features of fewer rows
_MOST = 1_000  # features
_BINS = 24
_TOP = 8
_LONGEST = 60  # characters of a value
_MIDDLE = (0.005, 0.995)  # the outermost bins have what is beyond these quantiles


class MeasuredFeature(Strict):
    """How one feature spreads; the figures of numbers are None of ids, and the other way round.

    Attributes:
      name: its name.
      least, greatest, mean, deviation: of numbers.
      edges: of the bins of numbers, [bins + 1].
      shares: of the rows in each bin.
      seen: how many different ids there are.
      missing: the share of values that are missing.
      unknown: the share out of vocabulary; None of a treatment that knows every value.
      top: the most frequent ids, each as the values that it stands for, with its share.
    """

    name: str
    least: float | None = None
    greatest: float | None = None
    mean: float | None = None
    deviation: float | None = None
    edges: tuple[float, ...] | None = None
    shares: tuple[float, ...] | None = None
    seen: int | None = None
    missing: float | None = None
    unknown: float | None = None
    top: tuple[tuple[str, float], ...] | None = None


class MeasuredFeatures(Strict):
    """The content of features.json: the features, on so many training rows."""

    rows: int
    features: tuple[MeasuredFeature, ...]

    def write(self, folder: str) -> None:
        """Write features.json; the file appears only when it is complete."""
        text = self.model_dump_json(exclude_none=True)
        files.write_whole(os.path.join(folder, MEASURED_NAME), text + "\n")


def measure(
    layout: Layout, preprocessing: Preprocessing, *, examples: str, transformed: str
) -> MeasuredFeatures:
    """Measure the features of the first training rows.

    Args:
      layout: the features.
      preprocessing: what they are made by.
      examples: the folder of raw examples.
      transformed: that of transformed ones, in the same order.
    """
    features = layout.features[:_MOST]
    limit = min(_ROWS, max(1, _CELLS // max(1, len(features))))
    made = _head(transformed, [feature.name for feature in features], limit)
    named = [f for f in features if not f.is_float and not f.is_list and len(f.columns) == 1]
    columns = [f.columns[0] for f in named if f.columns[0] not in layout.derived]
    raw = _head(examples, list(dict.fromkeys(columns)), limit)
    options = {
        feature.name: use.options
        for use in preprocessing.uses
        for feature in use.options.outputs(use.columns, 0)
    }
    return MeasuredFeatures(
        rows=made.num_rows,
        features=tuple(
            _numbers(each.name, made[each.name])
            if each.is_float
            else _ids(each, made[each.name], _values(raw, each), options.get(each.name))
            for each in features
        ),
    )


def _head(root: str, columns: Sequence[str], rows: int) -> pa.Table:
    """Return the first rows of the training split."""
    if not columns:
        return pa.table({})
    batches, seen = [], 0
    for batch in iter_batches(root, SPLITS[0], list(columns)):
        batches.append(batch)
        seen += batch.num_rows
        if seen >= rows:
            break
    return pa.Table.from_batches(batches).slice(0, rows).combine_chunks()


def _values(raw: pa.Table, feature: TransformedFeature) -> pa.ChunkedArray | None:
    """Return the raw values of a feature of one column, if they are there."""
    alone = len(feature.columns) == 1 and not feature.is_list
    return raw[feature.columns[0]] if alone and feature.columns[0] in raw.column_names else None


def _numbers(name: str, values: pa.ChunkedArray) -> MeasuredFeature:
    flat = _flat(values)
    numbers = flat.to_numpy().astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return MeasuredFeature(name=name)
    low, high = np.quantile(numbers, _MIDDLE)
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    counts, _ = np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)
    return MeasuredFeature(
        name=name,
        least=_short(numbers.min()),
        greatest=_short(numbers.max()),
        mean=_short(numbers.mean()),
        deviation=_short(numbers.std()),
        edges=_all_short(edges),
        shares=_all_short(counts / len(numbers)),
    )


def _ids(
    feature: TransformedFeature,
    made: pa.ChunkedArray,
    raw: pa.ChunkedArray | None,
    options: Any,
) -> MeasuredFeature:
    ids = _flat(made).to_numpy()
    found, counts = np.unique(ids, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:_TOP]
    total = max(len(ids), 1)
    unknown = options.unknown_ids(feature.size) if options is not None else range(0)
    beyond = (ids >= unknown.start) & (ids < unknown.stop)
    return MeasuredFeature(
        name=feature.name,
        seen=len(found),
        missing=_short((ids == 0).sum() / total),
        unknown=_short(beyond.sum() / total) if unknown else None,
        top=tuple((_named(int(found[i]), made, raw), _short(counts[i] / total)) for i in most),
    )


def _named(number: int, made: pa.ChunkedArray, raw: pa.ChunkedArray | None) -> str:
    """Return the values that an id stands for: the only one, a range, or some."""
    if number == 0:
        return "(missing)"
    if raw is None:
        return f"id {number}"
    values = raw.filter(pc.equal(made, number)).drop_null().unique()
    if len(values) == 1:
        return str(_plain(values[0].as_py()))[:_LONGEST]
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        ends = pc.min_max(values)
        return f"{_plain(ends['min'].as_py())} to {_plain(ends['max'].as_py())}"
    few = [str(value) for value in values.slice(0, 2).to_pylist()]
    return f"{', '.join(few)}, …"[:_LONGEST] if few else f"id {number}"


def _plain(value: Any) -> Any:
    """Return a float32 in as few digits as no other has."""
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _flat(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.list_flatten(values) if pa.types.is_list(values.type) else values


def _all_short(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(map(_short, values))


def _short(value: float) -> float:
    return float(f"{value:.6g}")
