"""The terms that each vocabulary of a transform graph learnt.

Goes in: the transform graph's folder and its layout. Comes out: terms by raw column.
"""

from __future__ import annotations

import os

from components import files
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
    from components.transform.vocabularies import FILE_NAME

    terms: list[list[str]] = [[] for _ in columns]
    path = os.path.join(transform_graph_dir, "transform_fn", "assets", FILE_NAME)
    with files.open_read(path) as file:
        for line in file:
            # The columns stand in the file in the order of the layout.
            number, _, term = line.rstrip(b"\n").partition(b"\t")
            if term:
                terms[int(number)].append(term.decode(errors="replace"))
    return {column: tuple(known) for column, known in zip(columns, terms, strict=True)}
