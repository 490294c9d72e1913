"""The interface of a kind of source: options and selected columns → parts → blocks of typed rows.

`open_reader` finds the kind by its name. To add one, see docs/architecture.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from schemas.columns import Column
from schemas.sources.options import FileColumns, FileOptions, SourceOptions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from components.sources.rejects import Reject


@dataclass(frozen=True)
class Needs:
    """What a row needs, besides values that fit their types.

    Attributes:
      label: columns of the label, which must not be missing.
      split: columns that decide the row's split, which must not be missing.
      weight: the column with the rows' weights, which are numbers from 0 up; None if there is none.
    """

    label: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    weight: str | None = None


@dataclass(frozen=True)
class Selection:
    """The columns to read from a source.

    Attributes:
      columns: the columns to read, in the order of the result.
      needs: what a row needs.
      keys: columns that identify rows and are passed on. A source whose values have no types, such
        as CSV, reads them with the types of these columns; others keep their own types.
    """

    columns: tuple[Column, ...]
    needs: Needs = Needs()
    keys: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Part:
    """A part of a source that one worker reads: a file, a range of one, or some rows of a table.

    Attributes:
      path: the file, or the table's URL.
      ignored: names of its columns that are not selected.
      rows: the approximate number of records.
      text_bytes: their approximate uncompressed size in bytes.
      first_place: the place of the first row of its file, if nothing else is before it.
    """

    path: str
    ignored: tuple[str, ...]
    rows: float
    text_bytes: float
    first_place: int = field(default=1, kw_only=True)


@dataclass(frozen=True)
class Block:
    """Consecutive records of a part, as rows and rejects.

    Attributes:
      read: the number of records.
      columns: the fitting ones: the selected columns as int64, float32 and string, null if missing;
        after them the keys.
      places: int64 of shape [rows], the position of each row in the file: its first line, or its
        number, from 1.
      rejects: the records that do not fit, by their places.
    """

    read: int
    columns: pa.RecordBatch
    places: np.ndarray
    rejects: tuple[Reject, ...]


P = TypeVar("P", bound=Part)

# Imported by its name, so that only a source with derived columns depends on DuckDB.
DERIVED = f"{__package__}.derived"


class Reader(Protocol[P]):
    """Reads sources of one kind; readers and their parts are sent to workers.

    `check` and `parts` run before heavy libraries are imported, so that errors are reported at
    once.
    """

    def check(self, path: str) -> None:
        """Check that a file has this format, by its first or last bytes.

        Raises:
          DataError: it has another format, or cannot be read.
        """

    def parts(self, path: str) -> list[P]:
        """Return the parts of a file, at least one, from its header or footer only.

        Raises:
          DataError: the file cannot be read, or a column is missing, exists twice or has a type
            that does not fit.
        """

    def ranges(self, part: P) -> list[P]:
        """Divide a part into consecutive ones that can be read in parallel, if it is large.

        Their rows are those of the part, at the same places. It may read the whole part.

        Raises:
          DataError: the file cannot be read.
        """
        return [part]

    def key_types(self, part: P) -> pa.Schema:
        """Return the Arrow types of the keys of a part's blocks."""

    def read(self, part: P) -> Iterator[Block]:
        """Yield a part's records in order; memory does not grow with the part.

        Raises:
          DataError: the file cannot be read to its end.
        """


class TableReader(Reader[P], Protocol):
    """Reads a source that is not in files of rows, such as a database.

    Its one path is the table's URL. `check` also checks the columns, as `parts` does, but costs
    little: it reads no rows.
    """

    def files(self, path: str) -> list[str]:
        """Return the local files that have the table in them; none if it is elsewhere."""

    def version(self, path: str) -> str:
        """Return a text that is another one whenever the rows may be others.

        Where this cannot be known, it is a new one each time. `files` count by what they hold; with
        them, this is not asked.

        Raises:
          DataError: the table cannot be reached.
        """


class SourceWork(Protocol):
    """The module of a kind of source: a class `Reader`, and what `skewless init` asks.

    Attributes:
      Reader: the reader of such sources.
      HAS_TYPES: whether values have types in the files, so that a text is never read as a number.
    """

    Reader: Any
    HAS_TYPES: bool

    def draft(self, path: str) -> SourceOptions:
        """Return the options that a file needs, as far as its beginning shows."""
        ...

    def sample(self, options: Any, path: str, rows: int) -> tuple[pa.Table, bool]:
        """Return about so many rows of a file with the file's types, and whether these are all."""
        ...


def module_of(kind: str) -> str:
    """Return the name of the module that reads a kind of source, such as "csv"."""
    return f"components.sources.{kind}"


def open_reader(options: SourceOptions, selection: Selection) -> Reader[Any]:
    """Return the reader for the options; imports only the files of its kind.

    Raises:
      ConfigError: the options contradict each other.
    """
    if any(column.is_derived for column in selection.columns):
        reader: Reader[Any] = importlib.import_module(DERIVED).DerivedReader(
            options, selection, _renamed
        )
        return reader
    return _renamed(options, selection)


def _renamed(options: SourceOptions, selection: Selection) -> Reader[Any]:
    if isinstance(options, FileOptions) and options.columns != FileColumns():
        from components.sources.renamed import RenamedReader

        return RenamedReader(options, selection, _with_partitions)
    return _with_partitions(options, selection)


def _with_partitions(options: SourceOptions, selection: Selection) -> Reader[Any]:
    if isinstance(options, FileOptions) and options.partitions is not None:
        from components.sources.partitioned import PartitionedReader

        return PartitionedReader(options, selection, _of_kind)
    return _of_kind(options, selection)


def _of_kind(options: SourceOptions, selection: Selection) -> Reader[Any]:
    reader: Reader[Any] = work_of(options.format).Reader(options, selection)
    return reader


def work_of(kind: str) -> SourceWork:
    """Return the module of a kind of source."""
    return cast(SourceWork, importlib.import_module(module_of(kind)))
