"""The rules by which lines of JSON are rows, and rows with their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.examples import arrow_schema
from components.sources.cells import Cells, first_reasons
from components.sources.json_fields import JsonField, fields_of
from components.sources.protocol import Selection
from schemas.sources.options import SourceOptions


@dataclass(frozen=True)
class JsonRules:
    """The rules by which a line is a row.

    Attributes:
      options: the source's.
      selection: the selected columns.
      seen: for each of `fields`, the type of most of the first values; empty if unknown.
    """

    options: SourceOptions
    selection: Selection
    seen: tuple[type, ...] = ()

    @property
    def fields(self) -> tuple[JsonField, ...]:
        """The selected columns, followed by the keys."""
        return fields_of(self.selection)

    @property
    def schema(self) -> pa.Schema:
        """The types of a block's columns."""
        return arrow_schema(field.column for field in self.fields)

    def first_reasons(self, cells: Sequence[Cells]) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's first reason, and the position of its field, from the fields' cells."""
        columns = [field.column for field in self.fields]
        return first_reasons(cells, columns, self.selection.needs)


class JsonRows(NamedTuple):
    """Rows, and the positions of their lines among a block's, int64 of shape [rows]."""

    at: np.ndarray
    columns: pa.RecordBatch


def merged(rows: Sequence[JsonRows]) -> JsonRows:
    """Return rows in the order of their lines."""
    rows = [each for each in rows if len(each.at)] or rows[:1]
    if len(rows) == 1:
        return rows[0]
    at = np.concatenate([each.at for each in rows])
    arrays = [
        pa.concat_arrays(each) for each in zip(*(r.columns.columns for r in rows), strict=True)
    ]
    columns = pa.RecordBatch.from_arrays(arrays, schema=rows[0].columns.schema)
    order = np.argsort(at)
    if (order == np.arange(len(order))).all():
        return JsonRows(at, columns)
    return JsonRows(at[order], columns.take(pa.array(order)))
