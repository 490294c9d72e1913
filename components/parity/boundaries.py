"""The numbers at which a transform graph's outputs change.

The function takes TFT's output folder. It returns, by column, the numbers that its treatments
compare values with: the smallest difference in a value changes the result there.
"""

from __future__ import annotations

from components.transform.treatments.protocol import optional
from schemas.layout import Layout


def treatment_boundaries(transform_graph: str, layout: Layout) -> dict[str, list[float]]:
    """Return, for each column, the numbers that its treatments name."""
    by_column: dict[str, list[float]] = {}
    for kind, features in layout.by_treatment().items():
        boundaries = optional(kind, "boundaries")
        if boundaries is not None:
            for column, numbers in boundaries(transform_graph, features).items():
                by_column.setdefault(column, []).extend(numbers)
    return by_column
