"""The terms that treatments of a transform graph know.

The functions take the transform graph's folder and its layout, and return terms by raw column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.transform.treatments.protocol import optional
from schemas.layout import Layout, TransformedFeature


def vocabulary_features(layout: Layout) -> dict[str, str]:
    """Return the names of the features that are numbers of terms, by raw column."""
    return {f.columns[0]: f.name for f in _numbers(layout.features)}


def _numbers(features: Iterable[TransformedFeature]) -> Iterator[TransformedFeature]:
    return (f for f in features if f.role != "weight" and optional(f.treatment, "terms"))


def read_terms(transform_graph_dir: str, layout: Layout) -> dict[str, tuple[str, ...]]:
    """Return each vocabulary's terms, the most frequent in training first, by raw column."""
    terms: dict[str, tuple[str, ...]] = {}
    for kind, features in layout.by_treatment().items():
        known = optional(kind, "terms")
        if known is not None:
            terms |= known(transform_graph_dir, list(_numbers(features)))
    return terms
