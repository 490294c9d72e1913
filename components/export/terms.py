"""The terms that each vocabulary of a transform graph learnt.

Goes in: the transform graph's folder and its layout. Comes out: terms by raw column.
"""

from __future__ import annotations

import os

from schemas.layout import Layout

_VOCABULARY = "vocabulary"  # the treatment's name in layout.json


def vocabulary_features(layout: Layout) -> dict[str, str]:
    """Return the names of the features that are numbers of terms, by raw column."""
    return {f.columns[0]: f.name for f in layout.features if f.treatment == _VOCABULARY}


def read_terms(transform_graph_dir: str, layout: Layout) -> dict[str, tuple[str, ...]]:
    """Return each vocabulary's terms, the most frequent in training first, by raw column."""
    columns = tuple(vocabulary_features(layout))
    if not columns:
        return {}
    from components.transform import vocabularies

    path = os.path.join(transform_graph_dir, "transform_fn", "assets", vocabularies.FILE_NAME)
    # The columns stand in the file in the order of the layout.
    terms = vocabularies.read_terms(path, len(columns))
    return {
        column: tuple(term.decode(errors="replace") for term in known)
        for column, known in zip(columns, terms, strict=True)
    }
