"""Converts record batches of sources with types to blocks of typed rows; places are row numbers.

Values are checked as strictly as in CSV, with the same reasons for rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from components.examples import arrow_schema, column
from components.sources import lists, protocol
from components.sources.cells import Cells, first_reasons
from components.sources.protocol import Block, Part, Selection
from components.sources.rejects import Reject, RejectReason, as_json
from components.sources.texts import cleaned, with_bytes
from components.sources.typed import of_arrow
from schemas.columns import Column
from schemas.sources.options import SourceOptions

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class TypedPart(Part):
    """A file with types, a range of its rows, or rows of a table, with the columns' types.

    Attributes:
      key_types: the types of the keys.
      first_row: the number of the first row, from 1.
    """

    key_types: pa.Schema
    first_row: int = field(default=1, kw_only=True)


P = TypeVar("P", bound=TypedPart)


class TypedRows(protocol.Reader[P]):
    """Converts record batches of a source with types to blocks; a subclass finds the batches."""

    def __init__(self, options: SourceOptions, selection: Selection) -> None:
        self._options = options
        self._selection = selection

    def key_types(self, part: P) -> pa.Schema:
        """Return the types of the keys, which are the source's."""
        return part.key_types

    def _blocks(self, batches: Iterable[pa.RecordBatch], part: P) -> Iterator[Block]:
        """Yield a part's rows, at most `BATCH_ROWS` at a time."""
        first = part.first_row
        for batch in batches:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                piece = batch.slice(start, BATCH_ROWS)
                yield self._block(piece, part, first)
                first += piece.num_rows

    def _names(self) -> list[str]:
        columns = (*self._selection.columns, *self._selection.keys)
        return list(dict.fromkeys(c.name for c in columns))

    def _block(self, batch: pa.RecordBatch, part: P, first: int) -> Block:
        """Convert rows to the selected types; `first` is the number of the first row."""
        columns = self._selection.columns
        cells = [self._cells(column(batch, c.name), c, part) for c in columns]
        keys = [column(batch, key.name) for key in self._selection.keys]
        reasons, culprits = first_reasons(cells, columns, self._selection.needs)
        rows = pa.RecordBatch.from_arrays(
            [*(c.values for c in cells), *keys],
            schema=pa.schema([*arrow_schema(columns), *part.key_types]),
        )
        places = np.arange(first, first + batch.num_rows)
        if not reasons.any():
            return Block(batch.num_rows, rows, places, ())
        names = [columns[culprit].name for culprit in culprits[reasons > 0]]
        rejects = _rejects(batch, np.flatnonzero(reasons), reasons, names, part.path, first)
        good = reasons == 0
        return Block(batch.num_rows, rows.filter(pa.array(good)), places[good], rejects)

    def _cells(self, array: pa.Array, wanted: Column, part: P) -> Cells:
        del part  # all of a file's columns have types
        read = lists.of_arrow if wanted.is_list else of_arrow
        cells = read(array, wanted, self._cleaned(wanted))
        assert cells is not None  # the file's types were checked by its schema
        return cells

    def _cleaned(self, wanted: Column) -> Callable[[pa.Array], pa.Array]:
        """Return what is done to a column's text before it is read."""
        nulls, trim = self._options.nulls_of(wanted.name), self._options.trim
        return lambda texts: cleaned(texts, nulls, trim=trim)


def _rejects(
    batch: pa.RecordBatch,
    rows: np.ndarray,
    reasons: np.ndarray,
    names: Sequence[str],
    path: str,
    first: int,
) -> tuple[Reject, ...]:
    """Return rejected rows; `names` has the column that is wrong in each."""
    records = plain_rows(batch.take(pa.array(rows)))
    return tuple(
        Reject(
            path,
            first + int(row),
            name,
            None if record[name] in (None, "") else str(record[name]),
            RejectReason(int(reasons[row])),
            as_json(record),
        )
        for row, name, record in zip(rows, names, records, strict=True)
    )


def plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows as Python values; timestamps as text, and text that is not UTF-8 as bytes."""
    batch = _converted(batch, _without_zone)
    try:
        return batch.to_pylist()
    except UnicodeDecodeError:
        return _converted(batch, _as_bytes).to_pylist()


def _converted(batch: pa.RecordBatch, convert: Callable[[pa.Array], pa.Array]) -> pa.RecordBatch:
    arrays = [convert(array) for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


def _without_zone(array: pa.Array) -> pa.Array:
    """Return timestamps as text in UTC: Python has no nanoseconds, and not every zone."""
    if not pa.types.is_timestamp(array.type):
        return array
    return array.cast(pa.timestamp(array.type.unit)).cast(pa.string())


def _as_bytes(array: pa.Array) -> pa.Array:
    return array.view(with_bytes(array.type))
