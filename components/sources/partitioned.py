"""Reads files whose paths have partition keys: these become columns, the same in all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import ARROW_TYPES
from components.sources import protocol
from components.sources.cells import convert, first_reasons
from components.sources.partitions import partition_of
from components.sources.protocol import Block, Needs, Part, Selection
from components.sources.rejects import RejectReason
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.options import SourceOptions


class PartitionedReader(protocol.Reader[Part]):
    """Reads files of any kind; the columns that a path has are not read from the file.

    Args:
      options: the source's.
      selection: the columns, some of which are partition keys.
      opened: opens the reader of the files' kind.
    """

    def __init__(
        self,
        options: SourceOptions,
        selection: Selection,
        opened: Callable[[SourceOptions, Selection], protocol.Reader[Any]],
    ) -> None:
        self._options = options
        self._selection = selection
        self._opened = opened
        opened(options, selection)  # checks the options

    def check(self, path: str) -> None:
        """Check that a file has its format."""
        self._reader(path).check(path)

    def parts(self, path: str) -> list[Part]:
        """Return the parts of a file; their ignored names include partition keys."""
        keys = partition_of(path)
        wanted = self._wanted(path)
        for column in wanted:
            self._value(column, path)
        parts: list[Part] = self._reader(path).parts(path)
        for part in parts:
            if both := [name for name in part.ignored if name in keys]:
                raise DataError(
                    f"the file has a column {both[0]!r}, and its path a partition key of this name",
                    where=path,
                    expected="each column once",
                    remedy="write the files without the columns that partition them",
                )
        ignored = tuple(key for key in keys if key not in {column.name for column in wanted})
        return [replace(part, ignored=(*part.ignored, *ignored)) for part in parts]

    def ranges(self, part: Part) -> list[Part]:
        """Divide a part as the files' kind does."""
        return self._reader(part.path).ranges(part)

    def key_types(self, part: Part) -> pa.Schema:
        """Return the types of the keys: of partition keys, those of their columns."""
        found = self._reader(part.path).key_types(part)
        names = partition_of(part.path)
        return pa.schema(
            pa.field(key.name, ARROW_TYPES[key.kind])
            if key.name in names
            else found.field(key.name)
            for key in self._selection.keys
        )

    def read(self, part: Part) -> Iterator[Block]:
        """Yield a part's records with the values of its partition."""
        values = {column.name: self._value(column, part.path) for column in self._wanted(part.path)}
        for block in self._reader(part.path).read(part):
            yield replace(block, columns=self._joined(block.columns, values))

    def _joined(self, read: pa.RecordBatch, values: dict[str, pa.Array]) -> pa.RecordBatch:
        """Return the columns of a block in the order of the selection."""
        names = [column.name for column in (*self._selection.columns, *self._selection.keys)]
        of_file = iter(read.columns)
        first = pa.array(np.zeros(read.num_rows, np.int64))
        arrays = [values[n].take(first) if n in values else next(of_file) for n in names]
        return pa.RecordBatch.from_arrays(arrays, names)

    def _wanted(self, path: str) -> list[Column]:
        """Return the selected columns that the path has."""
        keys = partition_of(path)
        columns = (*self._selection.columns, *self._selection.keys)
        return [column for column in columns if column.name in keys]

    def _reader(self, path: str) -> protocol.Reader[Any]:
        """Return the reader of all other columns."""
        keys, given = partition_of(path), self._selection
        needs = Needs(
            label=tuple(name for name in given.needs.label if name not in keys),
            split=tuple(name for name in given.needs.split if name not in keys),
            weight=None if given.needs.weight in keys else given.needs.weight,
        )
        selection = Selection(
            columns=tuple(column for column in given.columns if column.name not in keys),
            needs=needs,
            keys=tuple(column for column in given.keys if column.name not in keys),
        )
        return self._opened(self._options, selection)

    def _value(self, column: Column, path: str) -> pa.Array:
        """Return the value that a path has for a column, an array of shape [1].

        Raises:
          DataError: it does not fit the column, or is missing where it is needed.
        """
        text = partition_of(path)[column.name]
        text = None if text in self._options.nulls_of(column.name) else text
        cells = convert(pa.array([text], pa.string()), column)
        reasons, _ = first_reasons([cells], [column], self._selection.needs)
        if reasons.any() or column.is_list:
            reason = RejectReason.NOT_A_LIST if column.is_list else RejectReason(int(reasons[0]))
            raise DataError(
                f"the partition key {column.name!r} has the value {text!r}: {reason.code}",
                where=path,
                expected=f"a value of {column.type.written} in the folder's name",
                remedy="correct the folder's name, or the column in schema.pbtxt",
            )
        return cells.values
