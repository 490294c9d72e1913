"""Reads a source with derived columns: those that the label, splits and other sections use.

They are computed by DuckDB for each block of rows, and stand in examples beside the others. Derived
columns that only features use are not read here: the transform graph computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples import ARROW_TYPES
from components.expressions.rows import RowExpressions
from components.sources import protocol
from components.sources.cells import Cells, first_reasons
from components.sources.protocol import Block, Needs, Part, Selection
from components.sources.rejects import Reject, RejectReason, as_json
from components.sources.typed_rows import plain_rows
from schemas.columns import LARGEST_INTEGER, Column
from schemas.expressions.tree import Expression
from schemas.expressions.tree_json import loads
from schemas.sources.options import SourceOptions
from schemas.types import BOOL_TEXT, BYTES, FLOAT

_TINY = np.finfo(np.float32).tiny


class DerivedReader(protocol.Reader[Part]):
    """Reads the columns that derived ones are computed from, and adds these.

    A row in which a derived column of the label, the split or the weight has no value is rejected.

    Args:
      options: the source's.
      selection: the columns; each derived one is after those that it is computed from.
      opened: opens the reader of the source.
    """

    def __init__(
        self,
        options: SourceOptions,
        selection: Selection,
        opened: Callable[[SourceOptions, Selection], protocol.Reader[Any]],
    ) -> None:
        self._derived = tuple(each for each in selection.columns if each.is_derived)
        self._of_source = tuple(each for each in selection.columns if not each.is_derived)
        self._needs, names = selection.needs, {each.name for each in self._derived}
        self._names = [each.name for each in selection.columns]
        self._keys = [each.name for each in selection.keys]
        needs = Needs(
            label=tuple(name for name in self._needs.label if name not in names),
            split=tuple(name for name in self._needs.split if name not in names),
            weight=None if self._needs.weight in names else self._needs.weight,
        )
        self._reader = opened(options, Selection(self._of_source, needs, selection.keys))
        known = [_as_stored(each) for each in selection.columns]
        self._computed = tuple(_computed(each, known) for each in self._derived)

    def check(self, path: str) -> None:
        """Check that a file has its format."""
        self._reader.check(path)

    def parts(self, path: str) -> list[Part]:
        """Return the parts of a file."""
        parts: list[Part] = self._reader.parts(path)
        return parts

    def ranges(self, part: Part) -> list[Part]:
        """Divide a part as the source does."""
        return self._reader.ranges(part)

    def key_types(self, part: Part) -> pa.Schema:
        """Return the types of the keys."""
        return self._reader.key_types(part)

    def read(self, part: Part) -> Iterator[Block]:
        """Yield a part's records with their derived columns."""
        for block in self._reader.read(part):
            yield self._with_derived(block, part.path)

    def _with_derived(self, block: Block, path: str) -> Block:
        count = len(self._of_source)
        names = [column.name for column in self._of_source]
        rows = pa.RecordBatch.from_arrays(block.columns.columns[:count], names)
        for column, computed in zip(self._derived, self._computed, strict=True):
            (values,) = computed.values(rows)
            rows = pa.RecordBatch.from_arrays(
                [*rows.columns, as_examples(values, column)], [*rows.schema.names, column.name]
            )
        arrays = dict(zip(rows.schema.names, rows.columns, strict=True))
        rows = pa.RecordBatch.from_arrays(
            [*(arrays[name] for name in self._names), *block.columns.columns[count:]],
            [*self._names, *self._keys],
        )
        return self._without_incomplete(replace(block, columns=rows), path)

    def _without_incomplete(self, block: Block, path: str) -> Block:
        """Reject the rows in which a derived column that every row needs is missing."""
        no_reasons = np.zeros(block.columns.num_rows, np.uint8)
        cells = [
            Cells(block.columns.column(self._names.index(each.name)), no_reasons)
            for each in self._derived
        ]
        reasons, culprits = first_reasons(cells, self._derived, self._needs)
        if not reasons.any():
            return block
        bad = np.flatnonzero(reasons)
        rejects = tuple(
            Reject(
                path,
                int(block.places[row]),
                self._derived[culprits[row]].name,
                None,
                RejectReason(int(reasons[row])),
                as_json(record),
            )
            for row, record in zip(bad, plain_rows(block.columns.take(pa.array(bad))), strict=True)
        )
        good = reasons == 0
        kept = block.columns.filter(pa.array(good))
        return Block(block.read, kept, block.places[good], (*block.rejects, *rejects))


def as_examples(values: pa.Array, column: Column) -> pa.Array:
    """Return the values of an expression as a column of examples, as the transform graph does.

    A number is float32, and null beyond its range; a whole number or time is null beyond ±2**53.

    >>> as_examples(pa.array([1.5, 1e39]), Column("x", "FLOAT", serving=False)).to_pylist()
    [1.5, None]
    """
    wanted, missing = ARROW_TYPES[column.kind], np.asarray(values.is_null())
    if column.type.is_text:
        texts = values.cast(wanted)
        return _without(texts, np.asarray(pc.equal(texts, "").fill_null(True)))
    if column.type is FLOAT:
        with np.errstate(over="ignore"):
            single = values.fill_null(0.0).to_numpy(zero_copy_only=False).astype(np.float32)
        single[np.abs(single) < _TINY] = 0
        return pa.array(single, wanted, mask=missing | ~np.isfinite(single))
    if column.type.is_time:
        values = values.cast(pa.timestamp("us"))
    whole = values.cast(wanted).fill_null(0).to_numpy()
    return pa.array(whole, wanted, mask=missing | (np.abs(whole) > LARGEST_INTEGER))


def _without(array: pa.Array, missing: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(~missing), array, pa.scalar(None, array.type))


def _computed(column: Column, known: list[Column]) -> RowExpressions:
    expression = Expression(column.name, column.inputs, loads(column.tree))
    return RowExpressions({f"derive.{column.name}": expression}, known)


def _as_stored(column: Column) -> Column:
    """Return a column as trees of derived columns take it: a boolean of texts is a text."""
    return replace(column, kind=BYTES.name, form=()) if column.type is BOOL_TEXT else column
