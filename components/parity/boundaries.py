"""The numbers at which a transform graph's outputs change.

Goes in: TFT's output folder. Comes out: by column, what its treatments compare values with: the
places at which the smallest difference in a value shows.
"""

from __future__ import annotations

from components.transform.treatments.protocol import optional
from schemas.layout import Layout


def treatment_boundaries(transform_graph: str, layout: Layout) -> dict[str, list[float]]:
    """Return, for each column, the numbers that its treatments name."""
    found: dict[str, list[float]] = {}
    for kind, features in layout.by_treatment().items():
        boundaries = optional(kind, "boundaries")
        if boundaries is not None:
            for column, numbers in boundaries(transform_graph, features).items():
                found.setdefault(column, []).extend(numbers)
    return found
