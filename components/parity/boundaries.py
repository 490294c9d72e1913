"""The values at which a transform graph's outputs change.

The function takes TFT's output folder. It returns, by column, the numbers that its treatments
compare values with, and texts that they know: the smallest difference in a value changes the result
there.
"""

from __future__ import annotations

from components.transform.constants import written_by_column
from components.transform.treatments.protocol import Boundary, optional
from schemas.layout import Layout


def treatment_boundaries(transform_graph: str, layout: Layout) -> dict[str, list[Boundary]]:
    """Return, for each column, the values that its treatments name.

    The columns of derived ones also have those that may stand in an expression.
    """
    by_column: dict[str, list[Boundary]] = {}
    for kind, features in layout.by_treatment().items():
        boundaries = optional(kind, "boundaries")
        if boundaries is not None:
            for column, values in boundaries(transform_graph, features).items():
                by_column.setdefault(column, []).extend(values)
    if layout.derived:
        for column, values in written_by_column(transform_graph, layout.features).items():
            for raw in layout.derived.get(column, ()):
                by_column.setdefault(raw, []).extend(values)
    return by_column
