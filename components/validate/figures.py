"""The figures of a split that rules use: from its statistics, or else from the examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from components.examples import iter_batches
from components.validate.measured import Measured
from schemas.rules import Figure

FigureValue = int | float | None
_OF_NOTHING: Mapping[str, FigureValue] = {"count": 0, "distinct": 0, "missing": 1.0}


def of_split(
    figure: Figure, measured: Mapping[str, Measured], rows: int, column: Callable[[str], pa.Array]
) -> FigureValue:
    """Return a figure of a split; None if there are no values to compute it of.

    Args:
      figure: which one.
      measured: the columns of the split's statistics.
      rows: how many rows the split has.
      column: returns all values of a column of the examples, which some figures need.
    """
    if not figure.column:
        return rows
    known = measured.get(figure.column, Measured(rows, 0))
    found = of_statistics(figure, known)
    if found is None and known.present:
        return _of_values(figure, column(figure.column))
    return found


def of_statistics(figure: Figure, known: Measured) -> FigureValue:
    """Return a figure of a column; None if its statistics do not have it."""
    if not known.present:
        return _OF_NOTHING.get(figure.function)
    if figure.function == "count":
        return known.present
    if figure.function == "missing":
        return (known.rows - known.present) / known.rows
    names = {"min": "minimum", "max": "maximum"}
    name = names.get(figure.function, figure.function)
    return getattr(known, name) if name != "quantile" else None


def read_column(examples: str, split: str, name: str) -> pa.Array:
    """Return all values of a column of a split, those of lists one after another."""
    chunks = [batch.column(0) for batch in iter_batches(examples, split, [name])]
    values = pa.chunked_array(chunks).combine_chunks().drop_null()
    return values.flatten() if pa.types.is_list(values.type) else values


def _of_values(figure: Figure, values: pa.Array) -> FigureValue:
    if figure.function == "distinct":
        found = pc.count_distinct(values)
    elif figure.function == "quantile":
        found = pc.quantile(values, q=figure.quantile)[0]
    else:
        found = getattr(pc, figure.function)(values)
    value: FigureValue = found.as_py()
    return value
