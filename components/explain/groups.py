"""The raw columns of a model, those together that only act together."""

from __future__ import annotations

from typing import NamedTuple

from schemas.layout import Layout


class ColumnGroup(NamedTuple):
    """Raw columns that are changed together.

    Attributes:
      columns: one, or several that feed exactly the same features.
      features: the transformed features that are made from them.
    """

    columns: tuple[str, ...]
    features: tuple[str, ...]


def column_groups(layout: Layout) -> tuple[ColumnGroup, ...]:
    """Return each raw column of the features once.

    Columns that feed exactly the same features, such as the two of a distance, act only together. A
    column that also feeds a feature of its own is alone.
    """
    feeds: dict[str, list[str]] = {name: [] for name in layout.raw_columns}
    for feature in layout.features:
        raw = (raw for name in feature.columns for raw in layout.derived.get(name, (name,)))
        for name in dict.fromkeys(raw):
            feeds[name].append(feature.name)
    together: dict[tuple[str, ...], list[str]] = {}
    for name, features in feeds.items():
        together.setdefault(tuple(features), []).append(name)
    return tuple(ColumnGroup(tuple(names), features) for features, names in together.items())
