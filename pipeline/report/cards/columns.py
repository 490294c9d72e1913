"""The columns: what each was in the table, and what it became for the model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from components import files
from components.validate import stored
from components.validate.files import SCHEMA
from pipeline.report import distributions
from pipeline.report.cards import missing
from pipeline.report.record import Record
from schemas.columns import Column, read_columns
from schemas.layout import MEASURED_NAME, Layout, TransformedFeature

_MOST = 300  # columns
_SPLIT = "train"


def card(record: Record) -> dict[str, Any]:
    """Return the raw columns of the training split, each with the features made from it."""
    known = record.read("import_schema", "schema", _schema)
    stats = record.read("statistics", "statistics", _statistics)
    if known is None or stats is None:
        return missing.after(record, "statistics", "Distributions of the columns")
    layout = record.layout
    measured = record.json("transform", "transform_graph", MEASURED_NAME) or {"features": []}
    by_name = {each["name"]: each for each in measured["features"]}
    rows, features = stats
    columns = [
        _column(column, features, rows)
        | {"features": list(_features(column.name, layout, by_name))}
        for column in known
    ]
    label = () if record.configuration is None else _label_columns(record.spec["label"])
    return {
        "split": _SPLIT,
        "rows": rows,
        "measured": measured.get("rows"),
        "columns": columns[:_MOST],
        "left_out": max(0, len(columns) - _MOST),
        "label": [name for name in label if any(each["name"] == name for each in columns)],
        "dropped": {} if layout is None else dict(layout.dropped),
    }


def _schema(uri: str) -> tuple[Column, ...]:
    path = os.path.join(uri, SCHEMA)
    return read_columns(files.read_text(path), where=path)


def _statistics(uri: str) -> tuple[int, dict[str, Any]]:
    dataset = stored.load(uri, _SPLIT).datasets[0]
    return dataset.num_examples, {".".join(each.path.step): each for each in dataset.features}


def _column(column: Column, features: Mapping[str, Any], rows: int) -> dict[str, Any]:
    own = {_SPLIT: features[column.name]} if column.name in features else {}
    numeric = bool(own) and all(map(distributions.is_numeric, own.values()))
    measured = distributions.numbers(own) if numeric else distributions.values(own)
    histogram = measured.get("histogram")
    return {
        "name": column.name,
        "type": column.type.title,
        "list": column.is_list,
        "kind": "time" if column.type.is_time else "number" if numeric else "category",
        "missing": distributions.common(own, {_SPLIT: rows}).get(_SPLIT, {}).get("missing"),
        "distinct": measured["figures"].get(_SPLIT, {}).get("distinct"),
        "edges": histogram["edges"] if histogram else None,
        "shares": histogram["shares"][_SPLIT] if histogram else None,
        "top": [[each["value"], each["shares"][_SPLIT]] for each in measured.get("top", ())],
    }


def _features(
    column: str, layout: Layout | None, measured: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    if layout is None:
        return
    for feature in layout.features:
        if any(column in (name, *layout.derived.get(name, ())) for name in feature.columns):
            yield {**_described(feature), **measured.get(feature.name, {})}


def _described(feature: TransformedFeature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "columns": list(feature.columns),
        "treatment": feature.treatment,
        "role": feature.role,
        "size": feature.size,
    }


def _label_columns(label: Mapping[str, Any]) -> list[str]:
    """Return the raw columns that the section `label` names."""
    found = [label.get("column")]
    for part in ("exceeds", "equals", "above"):
        rule = label.get(part) or {}
        found += [rule.get("column"), rule.get("of")]
    return [name for name in dict.fromkeys(found) if isinstance(name, str)]
