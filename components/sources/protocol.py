"""What every kind of source does: options and wanted columns → parts → blocks of typed rows.

`open_reader` finds the kind by its name. To add one, see docs/architecture.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from schemas.columns import Column
from schemas.sources.options import Options

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from components.sources.rejects import Reject


@dataclass(frozen=True)
class Selection:
    """What is wanted of a source.

    Attributes:
      columns: the columns that are read, in the order that they are given in.
      required: names of those that may not be missing in any row.
      keys: columns that tell rows apart and are passed on. A source whose values have no types,
        such as CSV, reads them as these columns say; others give them as they are.
    """

    columns: tuple[Column, ...]
    required: tuple[str, ...] = ()
    keys: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Part:
    """A part of a source that is read by one worker: a file.

    Attributes:
      path: the file.
      ignored: names of its columns that nobody wants.
      rows: about how many records it has.
      text_bytes: about how many bytes they are, unpacked.
    """

    path: str
    ignored: tuple[str, ...]
    rows: float
    text_bytes: float


@dataclass(frozen=True)
class Block:
    """Consecutive records of a part, and what became of each.

    Attributes:
      read: how many records there were.
      columns: those that fit: the wanted columns as int64, float32 and string, null where missing;
        after them the keys.
      places: int64 of shape [rows], where each row is in the file: the line that it starts in, or
        its number, from 1.
      rejects: the records that do not fit, by their places.
    """

    read: int
    columns: pa.RecordBatch
    places: np.ndarray
    rejects: tuple[Reject, ...]


P = TypeVar("P", bound=Part)


class Reader(Protocol[P]):
    """Reads sources of one kind; travels to workers, and so do its parts.

    `check` and `parts` run before heavy libraries are imported, so that what is wrong is said at
    once.
    """

    def check(self, path: str) -> None:
        """Check that a file is of this kind, by where it begins or ends.

        Raises:
          DataError: it is of another kind, or cannot be read.
        """

    def parts(self, path: str) -> list[P]:
        """Return the parts of a file, at least one, by its header or footer alone.

        Raises:
          DataError: the file cannot be read, or a column is not in it, is there twice or is of a
            type that does not fit.
        """

    def key_types(self, part: P) -> pa.Schema:
        """Return the Arrow types of the keys of a part's blocks."""

    def read(self, part: P) -> Iterator[Block]:
        """Yield a part's records in order; memory does not grow with the part.

        Raises:
          DataError: the file cannot be read to its end.
        """


def module_of(kind: str) -> str:
    """Return the name of the module that reads a kind of source, such as "csv"."""
    return f"components.sources.{kind}"


def open_reader(options: Options, selection: Selection) -> Reader[Any]:
    """Return the reader of a source; imports the files of its kind alone.

    Raises:
      ConfigError: the options do not fit each other.
    """
    module = importlib.import_module(module_of(options.format))
    reader: Reader[Any] = module.Reader(options, selection)
    return reader
